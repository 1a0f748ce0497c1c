//! The file daemon that dials its director, in the recorded conversations and beyond.

use std::time::Duration;

use towline_core::event::Event;
use towline_core::notice::{Level, Notice};
use towline_core::role::file::FileDaemon;
use towline_core::secret::Secret;
use towline_core::time::Wall;

use crate::recording;
use crate::support::conv::Side;
use crate::support::files::{hands, recorded_files};
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED, calling_file_daemon};
use crate::support::world::World;

const DIRECTOR_PORT: u16 = 42_001;
const STORAGE_PORT: u16 = 42_003;
const SECOND: Duration = Duration::from_secs(1);

fn director(conv: &str) -> Script {
    Script::new(conv, Side::Dialler, password("fd-secret"))
}

fn storage(conv: &str, key: &str) -> Script {
    Script::new(conv, Side::Dialler, Secret::from(key))
}

/// The first connection of the recording, as long as it waits.
fn waiting() -> Script {
    director(recording!("05-cic-backup/00-FD-to-DIR")).up_to("JobId=")
}

/// A file daemon without files whose first dial found nobody, and the next one this director.
fn called(script: Script) -> World<FileDaemon> {
    let mut world = calling_file_daemon(Protection::Clear, Wall(0), hands(Vec::new()).0);
    assert_eq!(world.peers.len(), 0);
    world.await_dial(DIRECTOR_PORT, script);
    world.wait(2 * SECOND);
    assert_eq!(world.peers.len(), 1, "it dials again within two seconds");
    world
}

fn warnings(world: &World<FileDaemon>) -> Vec<String> {
    let warning = |notice: &Notice| match notice {
        Notice::Log { level: Level::Warn, cause, text } => {
            Some(cause.map_or_else(|| text.clone(), |(_, code)| format!("{code} {text}")))
        }
        _ => None,
    };
    world.notices.iter().filter_map(warning).collect()
}

#[test]
fn a_director_is_dialled_and_gets_its_backup_as_recorded() {
    let (hands, seen) = hands(recorded_files(recording!("05-cic-backup/05-FD-to-SD")));
    let mut world = calling_file_daemon(Protection::Clear, STARTED, hands);
    world.await_dial(DIRECTOR_PORT, director(recording!("05-cic-backup/00-FD-to-DIR")));
    // The next connection waits, and no more is opened.
    world.await_dial(DIRECTOR_PORT, director(recording!("05-cic-backup/04-FD-to-DIR")).up_to("JobId=2 "));
    world.await_dial(
        STORAGE_PORT,
        storage(recording!("05-cic-backup/05-FD-to-SD"), "EFCF-DKGG-LKLI-KPLP-GPKP-FJPN-LOAH-DFEB"),
    );
    world.wait(2 * SECOND);
    assert_eq!(world.peers.len(), 3, "{:?}", world.notices);
    let [first, next, data] = [0, 1, 2];
    world.peers[first].assert_done();
    world.peers[data].assert_done();
    assert_eq!(seen.lock().unwrap().closed, 1);
    world.heard(next);
    world.wait(86_400 * SECOND);
    assert_eq!(world.heard(next), Vec::<String>::new(), "not a byte while it waits");
    assert_eq!(world.peers.len(), 3);
}

#[test]
fn a_restore_over_the_next_connection_is_made_as_recorded() {
    let (hands, seen) = hands(Vec::new());
    let mut world = calling_file_daemon(Protection::Clear, STARTED, hands);
    world.await_dial(DIRECTOR_PORT, director(recording!("05-cic-backup/04-FD-to-DIR")));
    world.await_dial(DIRECTOR_PORT, director(recording!("05-cic-backup/09-FD-to-DIR")).up_to("status"));
    let storage = storage(recording!("05-cic-backup/10-FD-to-SD"), "HJCB-GOGN-AONG-OPNN-DEKJ-CJCF-IPEO-PAEH")
        .omits("a real file daemon ends a restore's channel twice; nobody reads the second goodbye", "signal -4");
    world.await_dial(STORAGE_PORT, storage);
    world.wait(2 * SECOND);
    world.peers[0].assert_done();
    world.peers[2].assert_done();
    assert_eq!(seen.lock().unwrap().restored.len(), 6);
}

#[test]
fn a_status_over_a_waiting_connection_has_the_recorded_frames() {
    let mut world = calling_file_daemon(Protection::Clear, STARTED, hands(Vec::new()).0);
    world.await_dial(DIRECTOR_PORT, director(recording!("05-cic-backup/09-FD-to-DIR")).own_words_after("status"));
    world.await_dial(DIRECTOR_PORT, director(recording!("05-cic-backup/12-FD-to-DIR")).up_to(""));
    world.wait(2 * SECOND);
    world.peers[0].assert_done();
    assert_eq!(world.peers.len(), 2, "and the next one waits");
}

#[cfg(feature = "psk")]
#[test]
fn a_backup_and_a_restore_over_tls_are_made_as_recorded() {
    use crate::support::peer::Engine;
    use towline_core::wire::names::{PeerKind, PeerName};
    let (hands, seen) = hands(recorded_files(recording!("20c-tls-cic/04-FD-to-SD")));
    let mut world = calling_file_daemon(Protection::Psk, STARTED, hands);
    let me = || Engine::Psk(PeerName::new(PeerKind::Client, "bareos-fd"));
    let job = |name: &str| Engine::Psk(PeerName::new(PeerKind::Job, name));
    let backup = storage(recording!("20c-tls-cic/04-FD-to-SD"), "LNHJ-MKPJ-OALK-KBFM-DGHI-KDOB-GMCB-ADIO");
    world.await_dial(DIRECTOR_PORT, director(recording!("20c-tls-cic/00-FD-to-DIR")).protected(me()));
    let next = director(recording!("20c-tls-cic/03-FD-to-DIR")).up_to("JobId=2 ").protected(me());
    world.await_dial(DIRECTOR_PORT, next);
    world.await_dial(STORAGE_PORT, backup.protected(job("backup-tiny.2026-11-23_13.11.42_03")));
    world.wait(2 * SECOND);
    assert_eq!(world.peers.len(), 3, "{:?}", world.notices);
    world.peers[0].assert_done();
    world.peers[2].assert_done();
    assert_eq!(seen.lock().unwrap().closed, 1);
}

/// A file daemon of this name that dials a director who knows it, over TLS with a key.
#[cfg(feature = "psk")]
fn called_over_tls(name: &str) -> World<FileDaemon> {
    use crate::support::peer::Engine;
    use crate::support::roles::calling_file_daemon_called;
    use towline_core::wire::names::{PeerKind, PeerName};
    let mut world = calling_file_daemon_called(name, Protection::Psk, STARTED, hands(Vec::new()).0);
    let conv = recording!("20c-tls-cic/00-FD-to-DIR").replace("bareos-fd", name);
    let me = PeerName::new(PeerKind::Client, name);
    let hello = format!("text Hello Client {name} FdProtocolVersion=54 calling\\n");
    let challenge = format!("text auth cram-md5 <1.2@{}> ssl=2\\n", &me.qualified()[..60]);
    let script = director(&conv)
        .differs("a hello this long has no version", &["text Hello Client "], &[&hello])
        .differs("a challenge has the beginning of a long name", &["text auth cram-md5 <"], &[&challenge])
        .up_to("JobId=");
    let script = if name.len() > PeerKind::Client.longest_name() { script.cut_after(0) } else { script };
    world.await_dial(DIRECTOR_PORT, script.protected(Engine::Psk(me)));
    world.wait(2 * SECOND);
    world
}

#[cfg(feature = "psk")]
#[test]
fn a_client_of_the_longest_name_dials_in_and_one_of_a_longer_name_says_what_is_wrong() {
    use towline_core::wire::names::PeerKind;
    let longest = PeerKind::Client.longest_name();
    assert_eq!(longest, 119);
    let mut world = called_over_tls(&"f".repeat(longest));
    world.heard(0);
    world.wait(3_600 * SECOND);
    assert_eq!(world.heard(0), [""; 0], "it waits");
    let warnings_of_the_longest = warnings(&world);
    assert!(warnings_of_the_longest.iter().all(|line| line.starts_with("T0103 ")), "{warnings_of_the_longest:?}");
    let world = called_over_tls(&"f".repeat(longest + 1));
    let warnings = warnings(&world);
    assert!(warnings.iter().any(|line| line.starts_with("T0216 ") && line.contains("a shorter name")), "{warnings:?}");
}

#[test]
fn every_way_in_which_a_waiting_connection_ends_leads_to_the_next() {
    // A signal, the end, and a probe that is followed by the goodbye.
    for ending in [&["signal -6"][..], &["fin"], &["signal -4"], &["text getSecureEraseCmd\\n", "signal -4"]] {
        let mut world = called(waiting());
        world.await_dial(DIRECTOR_PORT, waiting());
        ending.iter().for_each(|line| world.say(0, line));
        // The first dial has failed too, so the pause may be the second one.
        world.wait(4 * SECOND);
        assert_eq!(world.peers.len(), 2, "{ending:?}");
        world.wait(3_600 * SECOND);
        assert_eq!(world.peers.len(), 2, "{ending:?}");
        assert!(!world.heard(1).iter().any(|frame| frame.starts_with("signal")));
    }
}

#[test]
fn a_connection_that_was_probed_can_still_be_used_as_real_directors_do() {
    let mut world = called(waiting());
    world.await_dial(DIRECTOR_PORT, waiting());
    world.heard(0);
    for _ in 0..2 {
        world.say(0, "text getSecureEraseCmd\\n");
        assert_eq!(world.heard(0), ["text 2000 OK FDSecureEraseCmd *None*\\n"]);
    }
    world.say(0, "text JobId=7 Job=x.2026-11-23_13.01.31_03 SDid=1 SDtime=2 Authorization=AAAA\\n");
    assert!(world.heard(0)[0].starts_with("text 2000 OK Job "));
    world.say(0, "text getSecureEraseCmd\\n");
    assert_eq!(world.heard(0), ["text 2000 OK FDSecureEraseCmd *None*\\n"]);
    assert_eq!(world.peers.len(), 2, "one replacement, at once");
}

#[test]
fn a_director_that_refuses_is_asked_again_ever_more_slowly_and_named_once() {
    let refusal = || waiting().peer_differs("a client that may not dial", "text 1000 OK:", &[REFUSAL]);
    const REFUSAL: &str = "text 1999 You are not authorized.\\n";
    let mut world = called(refusal());
    let mut pauses = Vec::new();
    for n in 1..12 {
        world.await_dial(DIRECTOR_PORT, refusal());
        let before = world.now;
        while world.peers.len() == n {
            world.wait(SECOND / 10);
        }
        pauses.push(world.now.since(before));
    }
    assert!(pauses.iter().all(|pause| *pause <= 60 * SECOND + SECOND / 5), "{pauses:?}");
    assert!(pauses[6..].iter().all(|pause| *pause >= 30 * SECOND - SECOND / 5), "{pauses:?}");
    let said = warnings(&world);
    let of_refusal: Vec<_> = said.iter().filter(|text| text.starts_with("T0140 director bareos-dir")).collect();
    assert_eq!(of_refusal.len(), 1, "{said:#?}");
    assert!(of_refusal[0].contains("1999 You are not authorized."), "{of_refusal:?}");
}

#[test]
fn a_director_that_does_not_greet_is_left_after_the_time_to_authenticate() {
    let silent = director(recording!("05-cic-backup/00-FD-to-DIR")).up_to("1000 OK:");
    let mut world = called(silent);
    world.wait(55 * SECOND);
    assert!(!world.peers[0].ended);
    world.wait(10 * SECOND);
    assert!(world.peers[0].ended);
    assert!(warnings(&world).iter().any(|text| text.starts_with("T0142 ")), "{:?}", warnings(&world));
}

#[test]
fn a_wrong_password_is_not_the_end() {
    let wrong = Script::new(recording!("05-cic-backup/00-FD-to-DIR"), Side::Dialler, password("another")).cut_after(4);
    let mut world = called(wrong);
    world.await_dial(DIRECTOR_PORT, waiting());
    world.wait(120 * SECOND);
    assert_eq!(world.peers.len(), 2, "somebody may have corrected it: {:?}", warnings(&world));
}

#[test]
fn waking_up_replaces_the_waiting_connection_and_serves_the_old_one_meanwhile() {
    let mut world = called(waiting());
    world.answers_dials = false;
    world.event(Event::ClockJumped { wall: Wall(0) });
    world.run();
    world.heard(0);
    world.say(0, "text getSecureEraseCmd\\n");
    assert_eq!(world.heard(0), ["text 2000 OK FDSecureEraseCmd *None*\\n"], "the old one has lived after all");
    let mut world = called(waiting());
    world.await_dial(DIRECTOR_PORT, waiting());
    world.event(Event::ClockJumped { wall: Wall(0) });
    world.run();
    assert_eq!(world.peers.len(), 2);
    assert!(world.peers[0].ended && !world.peers[1].ended, "the new one takes its place");
    world.wait(60 * SECOND);
    assert_eq!(world.peers.len(), 2);
}

#[test]
fn a_director_that_may_not_dial_is_turned_away() {
    let mut world = called(waiting());
    let script = Script::new(recording!("01-backup-full/02-DIR-to-FD"), Side::Acceptor, password("fd-secret"));
    let peer = world.come_in(script.until_we_say("2000 OK Hello"));
    assert_eq!(world.heard(peer).last().map(String::as_str), Some("fin"));
    assert!(world.peers[peer].heard.iter().any(|frame| frame.data() == b"2999 Authentication failed.\n"));
    assert!(
        warnings(&world).iter().any(|text| text.starts_with("T0144 director bareos-dir")),
        "{:?}",
        warnings(&world)
    );
}

#[test]
fn a_daemon_that_stops_lets_its_waiting_connection_go() {
    let mut world = called(waiting());
    world.event(Event::StopRequested);
    world.run();
    assert!(world.peers[0].ended);
    assert!(world.exit.is_some());
}
