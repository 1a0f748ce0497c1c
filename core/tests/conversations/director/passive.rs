//! The director and data channels that go another way: passive clients and LAN addresses.

use std::time::Duration;

use serde_json::{Value, json};
use towline_core::catalog::memory::MemoryCatalog;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, config, errand, our_letters};
use super::recorded::console;
use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;
#[cfg(feature = "psk")]
use crate::support::roles::Protection;

/// How long a passive file daemon of Bareos is left alone after it was dialled.
const PAUSE: Duration = Duration::from_secs(2);

/// What the recorded director's client and storage say besides the usual.
fn with(client: &Value, storage: &Value) -> Value {
    let mut config = config();
    for (resource, extra) in [("clients", client), ("storages", storage)] {
        for (field, value) in extra.as_object().expect("an object") {
            config[resource][0][field] = value.clone();
        }
    }
    config
}

fn passive() -> Value {
    with(&json!({ "passive": true }), &json!({}))
}

/// A desk on which this recorded backup has been made: with its console, its storage daemon and its file daemon.
fn backed_up(config: Value, [script, storage, file]: [&str; 3]) -> Desk {
    let is_passive = config["clients"][0]["passive"] == true;
    let mut desk = Desk::with(config, MemoryCatalog::default());
    desk.world.await_dial(STORAGE_PORT, Script::new(storage, Side::Dialler, password("sd-secret")));
    desk.world.await_dial(FILE_PORT, our_letters(Script::new(file, Side::Dialler, password("fd-secret"))));
    desk.world.come_in(console(script));
    // One of Bareos that was dialled gets its order after a pause.
    assert_eq!(desk.status(1) == 'T', !is_passive);
    desk.world.wait(PAUSE);
    desk.world.assert_done();
    assert_eq!(desk.status(1), 'T', "{}", desk.report(1));
    desk
}

#[test]
fn a_passive_backup_and_its_restore_are_directed_as_recorded() {
    let mut desk = backed_up(
        passive(),
        [
            recording!("04-passive-backup/00-CON-to-DIR"),
            recording!("04-passive-backup/01-DIR-to-SD"),
            recording!("04-passive-backup/02-DIR-to-FD"),
        ],
    );
    let path = "data channel: storage daemon dials file daemon at 127.0.0.1:42002 (connection 7), address\n";
    assert!(desk.report(1).contains(path), "{}", desk.report(1));
    let storage = Script::new(recording!("04b-passive-restore/01-DIR-to-SD"), Side::Dialler, password("sd-secret"));
    let file = Script::new(recording!("04b-passive-restore/02-DIR-to-FD"), Side::Dialler, password("fd-secret"));
    desk.world.await_dial(STORAGE_PORT, storage);
    desk.world.await_dial(FILE_PORT, file);
    desk.world.come_in(console(recording!("04b-passive-restore/00-CON-to-DIR")).own_words_after("restore "));
    desk.world.wait(PAUSE);
    desk.world.assert_done();
    assert_eq!(desk.status(2), 'T', "{}", desk.report(2));
    assert!(desk.report(2).contains(path), "{}", desk.report(2));
}

#[test]
fn a_backup_between_two_lan_addresses_is_directed_as_recorded() {
    let desk = backed_up(
        with(&json!({ "lan_address": "127.0.0.2" }), &json!({ "lan_address": "127.0.0.3" })),
        [
            recording!("08-lan-backup-copy/00-CON-to-DIR"),
            recording!("08-lan-backup-copy/01-DIR-to-SD"),
            recording!("08-lan-backup-copy/02-DIR-to-FD"),
        ],
    );
    let path = "data channel: file daemon dials storage daemon at 127.0.0.3:42003 (connection 6), LAN address\n";
    assert!(desk.report(1).contains(path), "{}", desk.report(1));
}

#[test]
fn a_passive_backup_between_two_lan_addresses_is_directed_as_recorded() {
    let desk = backed_up(
        with(&json!({ "lan_address": "127.0.0.2", "passive": true }), &json!({ "lan_address": "127.0.0.3" })),
        [
            recording!("08b-lanpassive-backup/00-CON-to-DIR"),
            recording!("08b-lanpassive-backup/01-DIR-to-SD"),
            recording!("08b-lanpassive-backup/02-DIR-to-FD"),
        ],
    );
    let path = "data channel: storage daemon dials file daemon at 127.0.0.2:42002 (connection 7), LAN address\n";
    assert!(desk.report(1).contains(path), "{}", desk.report(1));
}

#[test]
fn a_network_that_both_name_goes_before_the_lan_addresses() {
    let client = json!({ "lan_address": "127.0.0.2", "networks": { "b": "127.0.0.4", "c": "127.0.0.5" } });
    let storage = json!({ "lan_address": "127.0.0.3", "networks": { "a": "127.0.0.6", "b": "127.0.0.7" } });
    let mut desk = Desk::with(with(&client, &storage), MemoryCatalog::default());
    let (_, _, fd) = desk.lead(7);
    let heard = desk.world.heard(fd);
    assert_eq!(heard.last().map(String::as_str), Some("text storage address=127.0.0.7 port=42003 ssl=0\\n"));
    assert!(desk.report(1).contains("(connection 6), network b\n"), "{}", desk.report(1));
}

#[test]
fn a_storage_daemon_that_cannot_reach_its_client_is_quoted_and_the_job_fails() {
    let mut desk = Desk::with(passive(), MemoryCatalog::default());
    let (_, sd, fd) = desk.lead(7);
    let heard = desk.world.heard(sd);
    assert_eq!(heard.last().map(String::as_str), Some("text passive client address=127.0.0.1 port=42002 ssl=0\\n"));
    let job = desk.shelf().catalog.job_row(1).unwrap().job.clone();
    let why =
        "cannot reach the file daemon: cannot connect to 127.0.0.1:42002: connection refused (T0103); nothing listens";
    desk.world
        .say(sd, &format!("text Jmsg Job={job} type=3 level=1795438956 bareos-sd JobId 1: Fatal error: {why}\\n"));
    desk.world.say(sd, "text 3991 Bad passive client command: passive client\\n");
    assert_eq!(desk.status(1), 'f', "{}", desk.report(1));
    assert!(desk.report(1).contains(why), "{}", desk.report(1));
    let step = "failed at the storage daemon's way to the file daemon: wanted 2000 OK passive client";
    assert!(desk.report(1).contains(step), "{}", desk.report(1));
    assert!(
        !desk.world.heard(fd).iter().any(|line| line.contains("backup FileIndex")),
        "the client is never let loose"
    );
}

#[test]
fn a_job_whose_data_has_no_way_fails_before_anybody_is_dialled() {
    let mut config = passive();
    config["clients"][0].as_object_mut().expect("an object").remove("address");
    config["clients"][0]["connection_from_client_to_director"] = json!(true);
    // A storage daemon that is dialled would be heard of: nobody waits for the dial.
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    let report = desk.report(1);
    assert_eq!(desk.status(1), 'f', "{report}");
    let text =
        "has to dial the passive client \"bareos-fd\", which has no address that it could use (T0580); give the client";
    assert!(report.contains(text), "{report}");
    assert!(!report.contains("storage daemon: ") && !report.contains("Connected"), "{report}");
}

#[test]
fn a_passive_client_of_an_old_protocol_fails_the_job_with_the_remedy() {
    let mut desk = Desk::with(passive(), MemoryCatalog::default());
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    let old =
        errand("file", "fd-secret").peer_differs("an old one", "text 2000 OK Hello", &["text 2000 OK Hello 50\\n"]);
    desk.world.await_dial(FILE_PORT, old);
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    let key = "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF";
    let (sd, fd) = (console + 1, console + 2);
    for (peer, answer) in [
        (sd, format!("3000 OK Job SDid=1 SDtime=1795438888 Authorization={key}\\n")),
        (sd, "2000 OK SDSecureEraseCmd *None* \\n".to_owned()),
        (fd, "2000 OK Job 26.0.0 (21Aug26) Debian GNU/Linux,debian".to_owned()),
        (fd, "2000 OK level\\n".to_owned()),
        (fd, "2000 OK include\\n".to_owned()),
        (sd, "3000 OK use device device=FileStorage1\\n".to_owned()),
    ] {
        desk.world.say(peer, &format!("text {answer}"));
    }
    assert_eq!(desk.status(1), 'f', "{}", desk.report(1));
    let text = "too old to be dialled by a storage daemon (protocol 50, 51 is the first that can) (T0582); update it, or remove `passive`";
    assert!(desk.report(1).contains(text), "{}", desk.report(1));
}

#[test]
fn a_lan_address_that_only_the_client_has_does_not_count() {
    let config = with(&json!({ "passive": true, "lan_address": "127.0.0.2" }), &json!({}));
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let (_, sd, _) = desk.lead(7);
    let line = "text passive client address=127.0.0.1 port=42002 ssl=0\\n";
    assert_eq!(desk.world.heard(sd).last().map(String::as_str), Some(line));
}

#[test]
fn a_console_is_told_the_way_that_jobs_take_and_what_a_code_means() {
    let client = json!({ "lan_address": "127.0.0.2", "passive": true });
    let mut desk = Desk::with(with(&client, &json!({ "lan_address": "127.0.0.3" })), MemoryCatalog::default());
    let console = desk.console();
    let mut ask = |line: &str| desk.ask(console, line).join("\n");
    let told = ask("explain client=bareos-fd storage=File1");
    let way = "text Connection 7: storage daemon \"File1\" dials file daemon \"bareos-fd\" at 127.0.0.2:42002, LAN address\\n  - ";
    assert!(told.starts_with(way) && told.ends_with("signal -1"), "{told}");
    assert!(ask("explain client=bareos-fb storage=File1").contains("did you mean \"bareos-fd\"?"));
    assert!(ask("explain client=bareos-fd").contains("Name both ends: "));
    assert!(ask("explain T0103").starts_with("text T0103: "));
    assert!(ask("explain nonsense").contains("does not know the word \"nonsense\""));
}

#[cfg(feature = "psk")]
mod protected {
    use towline_core::wire::names::{DEFAULT_CONSOLE, PeerKind, PeerName};

    use super::*;
    use crate::support::peer::Engine;

    #[test]
    fn a_passive_backup_and_its_restore_over_tls_are_directed_as_recorded() {
        let me = || Engine::Psk(PeerName::new(PeerKind::Director, "bareos-dir"));
        let theirs = || Engine::Psk(PeerName::new(PeerKind::Console, DEFAULT_CONSOLE));
        let storage = |conv| Script::new(conv, Side::Dialler, password("sd-secret")).protected(me());
        let file = |conv| Script::new(conv, Side::Dialler, password("fd-secret"));
        let mut config = passive();
        config["director"]["tls"] = json!({ "enable": true, "require": true });
        let mut desk = Desk::begin(config, MemoryCatalog::default(), Protection::Psk, |_| false);
        desk.world.await_dial(STORAGE_PORT, storage(recording!("20b-tls-passive/01-DIR-to-SD")));
        desk.world.await_dial(FILE_PORT, our_letters(file(recording!("20b-tls-passive/02-DIR-to-FD"))).protected(me()));
        let first = console(recording!("20b-tls-passive/00-CON-to-DIR")).protected(theirs());
        let first = first;
        // The recording has lost the console's `wait` and all after it.
        let first = desk.world.come_in(first.until_we_say("You have messages."));
        desk.world.wait(PAUSE);
        assert_eq!(desk.status(1), 'T', "{}", desk.report(1));
        desk.world.await_dial(STORAGE_PORT, storage(recording!("20b-tls-passive/05-DIR-to-SD")));
        desk.world.await_dial(FILE_PORT, file(recording!("20b-tls-passive/06-DIR-to-FD")).protected(me()));
        let second = console(recording!("20b-tls-passive/04-CON-to-DIR")).protected(theirs());
        let second = desk.world.come_in(second.until_we_say("Using Catalog"));
        desk.world.wait(PAUSE);
        assert_eq!(desk.status(2), 'T', "{}", desk.report(2));
        for console in [first, second] {
            desk.world.say(console, "text quit");
        }
        desk.world.assert_done();
    }
}
