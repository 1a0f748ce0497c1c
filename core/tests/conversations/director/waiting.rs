//! Clients that dial the director and wait, in the recorded conversations and beyond.

use std::time::Duration;

use serde_json::{Value, json};
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::notice::{Level, Notice};

use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;
#[cfg(feature = "psk")]
use crate::support::roles::Protection;
use crate::support::world::PeerId;

use super::desk::{self, Desk, FILE_PORT, STORAGE_PORT, backup_storage, errand, our_letters};

const SECOND: Duration = Duration::from_secs(1);
const QUESTION: &str = "text getSecureEraseCmd\\n";
const ANSWER: &str = "text 2000 OK FDSecureEraseCmd *None*\\n";

/// The recorded configuration with these directions for its client: from the client, and from the director.
fn config(comes: bool, goes: bool) -> Value {
    let mut config = desk::config();
    config["clients"][0]["connection_from_client_to_director"] = json!(comes);
    config["clients"][0]["connection_from_director_to_client"] = json!(goes);
    config
}

/// A desk whose client can only dial in.
pub fn open() -> Desk {
    Desk::with(config(true, false), MemoryCatalog::default())
}

/// A client of a recording, greeted in our words.
fn recorded(conv: &str) -> Script {
    Script::new(conv, Side::Acceptor, password("fd-secret")).differs(
        "the version is ours",
        &["text 1000 OK: bareos-dir Version: "],
        &["text 1000 OK: bareos-dir Version: 26.0.0 (23Nov26)\\n"],
    )
}

/// A recorded client whose connection is taken for this command.
fn taken(conv: &str, command: &str) -> Script {
    let why = "whether somebody is there is asked before anything else";
    recorded(conv).asks_before(why, command, QUESTION, ANSWER)
}

/// A client that has been greeted; the rest is up to the test.
fn client(protocol: &str) -> Script {
    let conv = format!(
        "# a client that waits\n\
         > text Hello Client bareos-fd{protocol} calling Version=\"26.0.0\"\\n\n\
         < text auth cram-md5 <186154524.1795438891@R_DIRECTOR::bareos-dir> ssl=0\\n\n\
         > text 0\\0\n\
         < text 1000 OK auth\\n\n\
         > text auth cram-md5 <1680993682.1795438891@R_CLIENT::bareos-fd> ssl=0\\n\n\
         < text 0\\0\n\
         > text 1000 OK auth\\n\n\
         < text 1000 OK: bareos-dir Version: 26.0.0 (23Nov26)\\n\n\
         > text the test's answer\n"
    );
    Script::new(&conv, Side::Acceptor, password("fd-secret")).up_to("the test's answer")
}

pub fn comes(desk: &mut Desk) -> PeerId {
    let peer = desk.world.come_in(client(" FdProtocolVersion=54"));
    desk.world.heard(peer);
    peer
}

/// Rows of the table in `status director`.
pub fn rows(desk: &mut Desk) -> Vec<String> {
    let console = desk.console();
    let text = desk.ask(console, "status director").join("");
    desk.world.say(console, "text quit");
    let (_, table) = text.split_once("Client Initiated Connections (waiting for jobs):\\n").expect("a table");
    table.split("\\n").filter(|row| row.trim_end().ends_with(" bareos-fd")).map(str::to_owned).collect()
}

fn warnings(desk: &Desk, code: &str) -> usize {
    let is_it = |notice: &&Notice| match notice {
        Notice::Log { level: Level::Warn, cause: Some((_, found)), .. } => found.to_string() == code,
        _ => false,
    };
    desk.world.notices.iter().filter(is_it).count()
}

/// Orders a backup with a storage daemon that goes as far as its device. Returns the console.
fn order(desk: &mut Desk) -> PeerId {
    desk.world.await_dial(STORAGE_PORT, backup_storage().until_we_say("use storage"));
    let console = desk.console();
    let answer = desk.ask(console, "run job=backup-tiny yes");
    assert!(answer.iter().any(|line| line.starts_with("text Job queued. JobId=")), "{answer:?}");
    console
}

#[test]
fn backup_restore_and_status_go_over_waiting_connections_as_recorded() {
    let mut desk = open();
    desk.world.come_in(our_letters(taken(recording!("05-cic-backup/00-FD-to-DIR"), "text JobId=")));
    let storage = |conv| Script::new(conv, Side::Dialler, password("sd-secret"));
    desk.world.await_dial(STORAGE_PORT, storage(recording!("05-cic-backup/03-DIR-to-SD")));
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    assert_eq!(desk.status(1), 'T', "{}", desk.report(1));
    assert!(desk.report(1).contains("Using Client Initiated Connection (bareos-fd)."), "{}", desk.report(1));
    assert_eq!(rows(&mut desk).len(), 0);

    desk.world.come_in(taken(recording!("05-cic-backup/04-FD-to-DIR"), "text JobId="));
    let expected =
        "23-Nov-26 13:01     54                  1                   bareos-fd                               ";
    assert_eq!(rows(&mut desk), [expected]);
    desk.world.await_dial(STORAGE_PORT, storage(recording!("05-cic-backup/08-DIR-to-SD")));
    desk.ask(console, "restore client=bareos-fd fileset=Tiny select current all done yes");
    assert_eq!(desk.status(2), 'T', "{}", desk.report(2));

    desk.world.come_in(taken(recording!("05-cic-backup/09-FD-to-DIR"), "text status"));
    let spare = desk.world.come_in(recorded(recording!("05-cic-backup/12-FD-to-DIR")).up_to(""));
    // The newest is taken; it is put away, so that the recorded one is.
    desk.world.say(spare, "fin");
    let status = desk.ask(console, "status client=bareos-fd").join("");
    assert!(status.contains("Using Client Initiated Connection (bareos-fd)"), "{status}");
    assert!(status.contains("Terminated Jobs:"), "{status}");
    desk.world.say(console, "text quit");
    desk.world.assert_done();
}

#[test]
fn the_recorded_console_sees_the_recorded_table() {
    let mut desk = open();
    desk.world.come_in(recorded(recording!("05-cic-backup/12-FD-to-DIR")).up_to(""));
    let console = Script::new(recording!("05-cic-backup/01-CON-to-DIR"), Side::Acceptor, password("dir-secret"))
        .differs(
            "the version is ours",
            &["text 1000\\x1eOK: "],
            &["text 1000\\x1eOK: bareos-dir Version: 26.0.0 (23Nov26)"],
        )
        .differs(
            "no words about support",
            &["text 1002\\x1e"],
            &["text 1002\\x1eYou are connected using the default console"],
        )
        .own_words_after("status dir");
    let console = desk.world.come_in(console);
    desk.world.peers[console].assert_done();
    let told = desk.world.heard(console).join("");
    let table = format!(
        "\\nClient Initiated Connections (waiting for jobs):\\nConnect time        Protocol            Authenticated       \
         Name                                    \\n{}\\n23-Nov-26 13:01     54                  1                   \
         bareos-fd                               \\n====\\n",
        "=".repeat(100)
    );
    assert!(told.contains(&table), "{told}");
}

#[cfg(feature = "psk")]
#[test]
fn a_backup_over_a_waiting_connection_with_tls_is_directed_as_recorded() {
    use crate::support::peer::Engine;
    use towline_core::wire::names::{PeerKind, PeerName};
    let mut config = config(true, false);
    config["director"]["tls"] = json!({ "enable": true, "require": true });
    let mut desk = Desk::begin(config, MemoryCatalog::default(), Protection::Psk, |_| false);
    let engine = |kind, name: &str| Engine::Psk(PeerName::new(kind, name));
    let file = our_letters(taken(recording!("20c-tls-cic/00-FD-to-DIR"), "text JobId="));
    desk.world.come_in(file.protected(engine(PeerKind::Client, "bareos-fd")));
    let storage = Script::new(recording!("20c-tls-cic/02-DIR-to-SD"), Side::Dialler, password("sd-secret"));
    desk.world.await_dial(STORAGE_PORT, storage.protected(engine(PeerKind::Director, "bareos-dir")));
    let ours = "text auth cram-md5 <1.2@R_DIRECTOR::bareos-dir> ssl=2\\n";
    let theirs = "text auth cram-md5 <1.2@R_CONSOLE::*UserAgent*> ssl=2\\n";
    let console = desk::console("*UserAgent*", "dir-secret")
        .differs("the number says how this connection is protected", &["text auth cram-md5 "], &[ours])
        .peer_differs("and so does theirs", "text auth cram-md5 ", &[theirs])
        .protected(engine(PeerKind::Console, "*UserAgent*"));
    let console = desk.world.come_in(console);
    desk.ask(console, "run job=backup-tiny yes");
    assert_eq!(desk.status(1), 'T', "{}", desk.report(1));
    assert!(
        desk.report(1).contains("Client-initiated connection of the file daemon at 127.0.0.1:50000, encryption: TLS"),
        "{}",
        desk.report(1)
    );
    desk.world.say(console, "text quit");
    desk.world.assert_done();
}

#[cfg(feature = "psk")]
#[test]
fn a_client_of_the_longest_name_that_dials_in_is_greeted_and_waits() {
    use crate::support::peer::Engine;
    use towline_core::wire::names::{PeerKind, PeerName};
    let name = "f".repeat(PeerKind::Client.longest_name());
    let mut config = config(true, false);
    config["director"]["tls"] = json!({ "enable": true, "require": true });
    let text = config.to_string().replace("bareos-fd", &name);
    let config = serde_json::from_str(&text).expect("a configuration");
    let mut desk = Desk::begin(config, MemoryCatalog::default(), Protection::Psk, |_| false);
    let conv = recording!("20c-tls-cic/00-FD-to-DIR").replace("bareos-fd", &name);
    let script = recorded(&conv).until_we_say("JobId=").protected(Engine::Psk(PeerName::new(PeerKind::Client, &name)));
    let peer = desk.world.come_in(script);
    desk.world.heard(peer);
    desk.world.wait(3_600 * SECOND);
    assert_eq!(desk.world.heard(peer), [""; 0], "{:?}", desk.world.notices);
}

#[test]
fn a_client_before_protocol_54_is_taken_without_a_question() {
    for protocol in [" FdProtocolVersion=53", " FdProtocolVersion=17", ""] {
        let mut desk = open();
        let file = desk.world.come_in(client(protocol));
        desk.world.heard(file);
        order(&mut desk);
        let heard = desk.world.heard(file);
        assert!(heard[0].starts_with("text JobId=1 Job=backup-tiny."), "{heard:?}");
    }
}

#[test]
fn the_newest_is_taken_and_one_that_is_silent_or_says_nonsense_is_passed_over() {
    let mut desk = open();
    let [oldest, nonsense, silent] = [comes(&mut desk), comes(&mut desk), comes(&mut desk)];
    order(&mut desk);
    assert_eq!(desk.world.heard(silent), [QUESTION]);
    assert!(desk.world.heard(nonsense).is_empty() && desk.world.heard(oldest).is_empty());
    desk.world.wait(4 * SECOND);
    assert!(!desk.world.peers[silent].ended, "it has its time");
    desk.world.wait(2 * SECOND);
    assert!(desk.world.peers[silent].ended);
    assert_eq!(desk.world.heard(nonsense), [QUESTION]);
    desk.world.say(nonsense, "text 2999 Invalid command\\n");
    assert!(desk.world.peers[nonsense].ended);
    assert_eq!(desk.world.heard(oldest), [QUESTION]);
    desk.world.say(oldest, ANSWER);
    assert!(desk.world.heard(oldest)[0].starts_with("text JobId=1 "), "the same job goes on");
}

#[test]
fn a_connection_that_breaks_while_it_is_taken_costs_no_time() {
    for ending in ["fin", "signal -4", "signal -6"] {
        let mut desk = open();
        let [older, newer] = [comes(&mut desk), comes(&mut desk)];
        order(&mut desk);
        desk.world.say(newer, ending);
        assert_eq!(desk.world.heard(older), [QUESTION], "{ending}");
    }
}

#[test]
fn after_a_claim_that_broke_nobody_is_claimed_while_the_client_is_dialled() {
    let mut desk = Desk::with(config(true, true), MemoryCatalog::default());
    let first = comes(&mut desk);
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret").cut_after(1));
    order(&mut desk);
    assert_eq!(desk.world.heard(first), [QUESTION]);
    desk.world.say(first, "fin");
    let later = comes(&mut desk);
    // By now the first would have had its time, and the dial has not: whoever claims here ends with two connections.
    desk.world.wait(7 * SECOND);
    assert_eq!(desk.world.heard(later), [""; 0]);
    assert_eq!(rows(&mut desk).len(), 1);
}

#[test]
fn a_signal_ends_a_waiting_connection_and_a_line_is_thrown_away() {
    for (said, left) in [("signal -6", 0), ("signal -4", 0), ("signal -1", 0), ("fin", 0), ("text anything", 1)] {
        let mut desk = open();
        let file = comes(&mut desk);
        desk.world.say(file, said);
        assert_eq!(rows(&mut desk).len(), left, "{said}");
        assert_eq!(desk.world.peers[file].ended, left == 0, "{said}");
    }
}

#[test]
fn with_both_directions_a_waiting_connection_goes_before_a_dial_and_a_dial_before_waiting() {
    let both = || Desk::with(config(true, true), MemoryCatalog::default());
    let mut desk = both();
    let file = comes(&mut desk);
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    order(&mut desk);
    assert_eq!(desk.world.heard(file), [QUESTION]);
    assert!(!desk.report(1).contains("Connected file daemon"));

    let mut desk = both();
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    order(&mut desk);
    assert!(desk.report(1).contains("Connected file daemon at 127.0.0.1:42002"), "{}", desk.report(1));

    // Nobody is there to be dialled for 30 s; then one comes.
    let mut desk = both();
    order(&mut desk);
    desk.world.wait(32 * SECOND);
    let file = comes(&mut desk);
    desk.world.say(file, ANSWER);
    assert!(desk.report(1).contains("Using Client Initiated Connection"), "{}", desk.report(1));
}

#[test]
fn a_job_that_is_cancelled_on_its_way_to_the_client_lets_every_step_go() {
    for (goes, after) in [(false, 0), (false, 10), (true, 5), (true, 35)] {
        let mut desk = Desk::with(config(true, goes), MemoryCatalog::default());
        let file = (after == 0).then(|| comes(&mut desk));
        let console = order(&mut desk);
        desk.world.wait(after * SECOND);
        desk.ask(console, "cancel jobid=1");
        desk.world.wait(15 * SECOND);
        assert_eq!(desk.status(1), 'A', "{goes} {after}: {}", desk.report(1));
        if let Some(file) = file {
            assert!(desk.world.peers[file].ended, "a connection that was being taken is closed");
        }
        desk.world.say(console, "text quit");
        desk.world.assert_empty();
    }
}

#[test]
fn a_client_whose_direction_is_off_is_turned_away_and_named_once_a_minute() {
    let mut desk = Desk::with(config(false, true), MemoryCatalog::default());
    let refusal = "text 1999 You are not authorized.\\n";
    for _ in 0..30 {
        let script = client(" FdProtocolVersion=54").differs("it may not", &["text 1000 OK: "], &[refusal]);
        let file = desk.world.come_in(script);
        assert!(desk.world.peers[file].ended);
    }
    assert_eq!(rows(&mut desk).len(), 0);
    assert_eq!(warnings(&desk, "T0145"), 1, "{}", desk.log());
    desk.world.wait(61 * SECOND);
    desk.world.come_in(client("").differs("it may not", &["text 1000 OK: "], &[refusal]));
    assert_eq!(warnings(&desk, "T0145"), 2);
    assert!(desk.log().contains("(29 more like it since this was last said)"), "{}", desk.log());
}

#[test]
fn a_client_in_a_tight_loop_is_held_up_and_named_once_a_minute() {
    let mut desk = open();
    for n in 0..200 {
        let loose = client(" FdProtocolVersion=54").cut_after(8);
        let file = desk.world.come_in(loose);
        assert_eq!(desk.world.peers[file].ended, n >= 20, "{n}");
        desk.world.say(file, "fin");
    }
    assert_eq!(warnings(&desk, "T0146"), 1, "{}", desk.log());
    desk.world.wait(3 * SECOND);
    let file = comes(&mut desk);
    assert!(!desk.world.peers[file].ended, "it is let in again");
    assert_eq!(rows(&mut desk).len(), 1);
}

#[test]
fn daemons_of_the_same_name_are_kept_and_seen_up_to_a_bound() {
    let mut desk = open();
    let files: Vec<PeerId> = (0..9).map(|_| comes(&mut desk)).collect();
    assert_eq!(rows(&mut desk).len(), 8);
    assert!(desk.world.peers[files[0]].ended, "the oldest had to go");
    assert!(files[1..].iter().all(|file| !desk.world.peers[*file].ended));
    assert_eq!(warnings(&desk, "T0148"), 1, "{}", desk.log());
}

#[test]
fn more_waiting_connections_than_allowed_are_refused() {
    let mut config = config(true, false);
    config["director"]["max_waiting_connections"] = json!(2);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let [first, second] = [comes(&mut desk), comes(&mut desk)];
    let third = desk.world.come_in(client(" FdProtocolVersion=54").cut_after(8));
    assert!(desk.world.peers[third].ended && !desk.world.peers[first].ended && !desk.world.peers[second].ended);
    assert_eq!((rows(&mut desk).len(), warnings(&desk, "T0147")), (2, 1));
}

#[test]
fn a_wrong_password_never_waits() {
    let mut desk = open();
    let wrong = Script::new(recording!("05-cic-backup/00-FD-to-DIR"), Side::Acceptor, password("wrong")).cut_after(3);
    desk.world.come_in(wrong);
    desk.world.wait(10 * SECOND);
    assert_eq!(rows(&mut desk).len(), 0);
    assert!(desk.log().contains("wrong password for R_CLIENT::bareos-fd"), "{}", desk.log());
}

#[test]
fn a_named_console_says_where_its_client_is() {
    let mut config = config(false, true);
    config["clients"][0]["address"] = json!("192.0.2.9");
    let own = |name: &str, acl: &str| json!({ "name": name, "password": "own-secret", "command_acl": [acl], "client_acl": ["*all*"] });
    config["consoles"] = json!([own("bareos-fd", "setip"), own("nobody", "*all*"), own("other", "status")]);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let ask = |desk: &mut Desk, name: &str| {
        let console = if name.is_empty() { desk.console() } else { desk.come_in(name, "own-secret") };
        let answer = desk.ask(console, "setip");
        desk.world.say(console, "text quit");
        answer[0].clone()
    };
    assert!(ask(&mut desk, "").contains("this is the default console"));
    assert_eq!(ask(&mut desk, "nobody"), "text There is no client \"nobody\".\\n");
    assert!(ask(&mut desk, "other").contains("no access"));
    assert_eq!(ask(&mut desk, "bareos-fd"), "text Client \"bareos-fd\" address set to 127.0.0.1\\n");
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    order(&mut desk);
    assert!(desk.report(1).contains("Connected file daemon at 127.0.0.1:42002"), "{}", desk.report(1));
}
