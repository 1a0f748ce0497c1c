//! The storage daemon dials passive clients.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use towline_core::limits;
use towline_core::role::storage::StorageDaemon;
use towline_core::secret::Secret;
use towline_core::time::Wall;

use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, storage_daemon, storage_daemon_with};
use crate::support::volumes::{Shelf, hands};
use crate::support::world::{PeerId, World};

/// What all hear that are not let in.
const REFUSED: &str = r"text 1999 Authorization failed.\n";

/// When the recorded storage daemon of the passive backup started.
const STARTED: Wall = Wall(1_795_438_951_000_000);
const FILE_PORT: u16 = 42_002;
const KEY: &str = "HAAI-MEGB-NPFI-OEPJ-EAGA-KCMF-KOCO-MCJD";
const DIAL: &str = "passive client address=";

fn twice(script: Script) -> Script {
    let why = "a real storage daemon ends a job's channel twice; a director reads no further than the first time";
    script.omits(why, "signal -4").omits(why, "signal -1")
}

fn director(conv: &str) -> Script {
    twice(Script::new(conv, Side::Acceptor, password("sd-secret")))
}

fn file(conv: &str, key: &str) -> Script {
    Script::new(conv, Side::Dialler, Secret::from(key))
}

fn world() -> (World<StorageDaemon>, Arc<Mutex<Shelf>>) {
    let (hands, shelf) = hands();
    (storage_daemon(Protection::Clear, STARTED, hands), shelf)
}

/// A director whose recorded session goes on by hand before the dial.
fn before_the_dial(world: &mut World<StorageDaemon>) -> PeerId {
    let script = Script::new(recording!("04-passive-backup/01-DIR-to-SD"), Side::Acceptor, password("sd-secret"));
    let peer = world.come_in(script.up_to(DIAL));
    world.heard(peer);
    peer
}

#[test]
fn a_passive_backup_and_its_restore_are_made_as_recorded() {
    let (mut world, shelf) = world();
    world.await_dial(FILE_PORT, file(recording!("04-passive-backup/03-SD-to-FD"), KEY));
    let first = world.come_in(director(recording!("04-passive-backup/01-DIR-to-SD")));
    world.assert_done();
    assert_eq!(shelf.lock().unwrap().volumes["Full-0001"].bytes, 2458, "as the recorded volume");
    let messages = world.job_messages(first);
    let connected = "Connected file daemon at 127.0.0.1:42002, encryption: None";
    assert!(messages.iter().any(|text| text.contains(connected)), "{messages:?}");
    let restoring = file(recording!("04b-passive-restore/03-SD-to-FD"), "LHNN-KJHJ-EMKN-DJNE-IBMM-OEKG-DGMC-ALPO");
    world.await_dial(FILE_PORT, restoring);
    world.come_in(director(recording!("04b-passive-restore/01-DIR-to-SD")));
    world.assert_done();
    assert!(shelf.lock().unwrap().is_shut());
}

#[test]
fn backups_between_lan_addresses_are_made_as_recorded() {
    let (hands, _) = hands();
    let mut world = storage_daemon(Protection::Clear, Wall(1_795_439_147_000_000), hands);
    world.come_in(director(recording!("08-lan-backup-copy/01-DIR-to-SD")));
    let conv = recording!("08-lan-backup-copy/03-FD-to-SD");
    world.come_in(Script::new(conv, Side::Acceptor, Secret::from("DFBK-CLKJ-LBFM-JDCG-BEDE-IKFD-HJDO-FKBG")));
    world.assert_done();
}

#[test]
fn a_passive_backup_between_lan_addresses_is_made_as_recorded() {
    let (hands, _) = hands();
    let mut world = storage_daemon(Protection::Clear, Wall(1_795_439_163_000_000), hands);
    let conv = recording!("08b-lanpassive-backup/03-SD-to-FD");
    world.await_dial(FILE_PORT, file(conv, "FFCI-DEGH-IKKF-PMLK-ONHL-AMCK-OADM-BCIP"));
    let peer = world.come_in(director(recording!("08b-lanpassive-backup/01-DIR-to-SD")));
    world.assert_done();
    let messages = world.job_messages(peer);
    assert!(messages.iter().any(|text| text.contains("at 127.0.0.2:42002, ")), "{messages:?}");
}

#[test]
fn a_client_that_cannot_be_reached_fails_the_job_after_its_time_with_the_cause() {
    let (mut world, _) = world();
    let director = before_the_dial(&mut world);
    world.say(director, "text passive client address=127.0.0.1 port=42002 ssl=0\\n");
    world.wait(Duration::from_secs(1_700));
    let heard = world.heard(director);
    assert!(heard.iter().all(|line| line == "signal -6"), "it tries again and again, and says it is alive: {heard:?}");
    assert_eq!(heard.len(), 1_700 / 60, "once in a heartbeat interval");
    world.wait(Duration::from_secs(120));
    let heard: Vec<_> = world.heard(director).into_iter().filter(|line| line != "signal -6").collect();
    assert_eq!(heard, ["text 3991 Bad passive client command: passive client\\n", "signal -4", "fin"]);
    let messages = world.job_messages(director);
    let message = messages.last().unwrap();
    for part in [" type=3 ", "cannot connect to 127.0.0.1:42002: connection refused (T0103); nothing listens there"] {
        assert!(message.contains(part), "{part} in {message}");
    }
    world.assert_done();
    world.assert_empty();
}

#[test]
fn a_client_that_comes_up_late_is_reached() {
    let (mut world, _) = world();
    let director = before_the_dial(&mut world);
    world.say(director, "text passive client address=127.0.0.1 port=42002 ssl=0\\n");
    world.wait(Duration::from_secs(15));
    let conv = recording!("04-passive-backup/03-SD-to-FD");
    world.await_dial(FILE_PORT, file(conv, KEY).up_to("append open"));
    world.wait(Duration::from_secs(10));
    assert_eq!(world.heard(director), ["text 2000 OK passive client\\n"]);
}

#[test]
fn a_client_without_the_jobs_key_fails_the_job_at_once() {
    let (mut world, _) = world();
    let director = before_the_dial(&mut world);
    let script = file(recording!("04-passive-backup/03-SD-to-FD"), KEY);
    let script =
        script.peer_differs("it knows no such job", "text 1000 OK auth", &["text 1999 Authorization failed.\\n"]);
    world.await_dial(FILE_PORT, script.cut_after(usize::MAX));
    world.say(director, "text passive client address=127.0.0.1 port=42002 ssl=0\\n");
    let heard = world.heard(director);
    assert_eq!(heard[0], "text 3991 Bad passive client command: passive client\\n", "{heard:?}");
    let messages = world.job_messages(director);
    assert!(
        messages.last().unwrap().contains("cannot reach the file daemon: 127.0.0.1:42002 refused our login"),
        "{messages:?}"
    );
}

#[test]
fn tls_that_is_asked_for_and_cannot_be_had_fails_the_job() {
    let (mut world, _) = world();
    let director = before_the_dial(&mut world);
    world.say(director, "text passive client address=127.0.0.1 port=42002 ssl=4\\n");
    let line = "text 3991 Bad passive client command: passive client address=127.0.0.1 port=42002 ssl=4\\n";
    assert_eq!(world.heard(director), [line, "signal -4", "fin"]);
    assert!(world.job_messages(director).last().unwrap().contains("TLS is wanted"));
}

#[test]
fn a_dial_without_a_job_is_refused() {
    let (mut world, _) = world();
    let script = Script::new(recording!("04-passive-backup/01-DIR-to-SD"), Side::Acceptor, password("sd-secret"));
    let director = world.come_in(script.up_to("JobId=1"));
    world.heard(director);
    world.say(director, "text passive client address=127.0.0.1 port=42002 ssl=0\\n");
    let line = "text 3991 Bad passive client command: passive client address=127.0.0.1 port=42002 ssl=0\\n";
    assert_eq!(world.heard(director), [line, "signal -4", "fin"]);
}

#[test]
fn a_second_dial_for_a_job_ends_it() {
    let (mut world, _) = world();
    let director = before_the_dial(&mut world);
    world.say(director, "text passive client address=127.0.0.1 port=42002 ssl=0\\n");
    world.say(director, "text passive client address=127.0.0.1 port=42002 ssl=0\\n");
    assert!(world.heard(director)[0].starts_with("text 3991 "));
    assert!(world.job_messages(director).last().unwrap().contains("has its data channel already"));
    world.assert_empty();
}

#[test]
fn nobody_may_come_for_a_job_whose_client_is_dialled() {
    let (mut world, _) = world();
    let director = before_the_dial(&mut world);
    world.say(director, "text passive client address=127.0.0.1 port=42002 ssl=0\\n");
    let conv = recording!("01-backup-full/03-FD-to-SD")
        .replace("backup-tiny.2026-11-23_13.01.31_03", "backup-tiny.2026-11-23_13.02.34_03");
    let intruder = world.come_in(Script::new(&conv, Side::Acceptor, Secret::from(KEY)).cut_after(usize::MAX));
    assert!(world.heard(intruder).contains(&REFUSED.to_owned()), "its key is not known");
}

#[test]
fn run_while_a_client_is_dialled_sets_no_second_timer() {
    let (hands, _) = hands();
    let mut world = storage_daemon_with(Protection::Clear, STARTED, hands, |config| {
        config["storage"]["client_connect_wait"] = serde_json::json!(60);
    });
    let director = before_the_dial(&mut world);
    world.say(director, "text passive client address=127.0.0.1 port=42002 ssl=0\\n");
    world.say(director, "text run");
    world.wait(Duration::from_secs(300));
    let said = world.job_messages(director);
    assert!(!said.iter().any(|text| text.contains("did not come in time")), "the dial has a time of its own: {said:?}");
    world.await_dial(FILE_PORT, file(recording!("04-passive-backup/03-SD-to-FD"), KEY).until_we_say("3000 OK open"));
    world.wait(Duration::from_secs(10));
    assert!(world.heard(director).contains(&"text 2000 OK passive client\\n".to_owned()));
    assert!(world.job_messages(director).iter().any(|text| text.contains("Connected file daemon at ")));
}

#[test]
fn the_key_of_a_job_goes_with_the_job() {
    let (mut world, _) = world();
    let conv = recording!("01-backup-full/03-FD-to-SD")
        .replace("backup-tiny.2026-11-23_13.01.31_03", "backup-tiny.2026-11-23_13.02.34_03");
    let client = || Script::new(&conv, Side::Acceptor, Secret::from(KEY)).cut_after(usize::MAX);
    let director = before_the_dial(&mut world);
    world.say(director, "signal -4");
    let late = world.come_in(client());
    assert!(world.heard(late).contains(&REFUSED.to_owned()), "{:?}", world.peers[late].heard);
    let (mut world, _) = self::world();
    before_the_dial(&mut world);
    let first = world.come_in(client());
    assert!(!world.heard(first).contains(&REFUSED.to_owned()), "a job that is there lets it in");
    let second = world.come_in(client());
    world.wait(limits::WRONG_KEY_PAUSE);
    assert!(world.heard(second).contains(&REFUSED.to_owned()), "once: {:?}", world.peers[second].heard);
}

#[test]
fn a_cancel_calls_the_dial_off() {
    let (mut world, _) = world();
    let director = before_the_dial(&mut world);
    world.say(director, "text passive client address=127.0.0.1 port=42002 ssl=0\\n");
    let other = world.come_in(
        Script::new(recording!("04-passive-backup/01-DIR-to-SD"), Side::Acceptor, password("sd-secret"))
            .up_to("JobId=1"),
    );
    world.heard(other);
    world.say(other, "text cancel Job=backup-tiny.2026-11-23_13.02.34_03\\n");
    assert!(world.heard(other)[0].contains("marked to be canceled"));
    assert_eq!(world.heard(director), ["signal -4", "fin"]);
    world.say(other, "signal -4");
    world.assert_empty();
}

#[test]
fn a_director_cut_off_anywhere_leaves_nothing_behind() {
    let script = || director(recording!("04-passive-backup/01-DIR-to-SD"));
    for after in 0..script().count() {
        let (mut world, shelf) = world();
        world.await_dial(FILE_PORT, file(recording!("04-passive-backup/03-SD-to-FD"), KEY).cut_after(usize::MAX));
        let director = world.come_in(script().cut_after(after));
        world.cut(director);
        world.assert_empty();
        assert!(shelf.lock().unwrap().is_shut(), "cut after {after} lines");
    }
}

#[cfg(feature = "psk")]
#[test]
fn a_passive_backup_and_its_restore_over_tls_are_made_as_recorded() {
    use crate::support::peer::Engine;
    use towline_core::wire::names::{PeerKind, PeerName};
    let (hands, shelf) = hands();
    let mut world = storage_daemon(Protection::Psk, Wall(1_795_439_467_000_000), hands);
    let me = || Engine::Psk(PeerName::new(PeerKind::Director, "bareos-dir"));
    let job = |name: &str| Engine::Psk(PeerName::new(PeerKind::Job, name));
    let backup = file(recording!("20b-tls-passive/03-SD-to-FD"), "DGIN-DKHK-FLND-GCIO-LMKF-KCBD-DJMG-JDGJ");
    world.await_dial(FILE_PORT, backup.protected(job("backup-tiny.2026-11-23_13.11.19_03")));
    let first = world.come_in(director(recording!("20b-tls-passive/01-DIR-to-SD")).protected(me()));
    let messages = world.job_messages(first);
    assert!(
        messages.iter().any(|text| text.contains("file daemon at 127.0.0.1:42002, encryption: TLS")),
        "{messages:?}"
    );
    let restore = file(recording!("20b-tls-passive/07-SD-to-FD"), "CEGF-IDIJ-EEAA-INJF-BJPP-ILAJ-MHIL-PDOH");
    world.await_dial(FILE_PORT, restore.protected(job("restore.2026-11-23_13.11.24_05")));
    world.come_in(director(recording!("20b-tls-passive/05-DIR-to-SD")).protected(me()));
    world.assert_done();
    assert!(shelf.lock().unwrap().is_shut());
}
