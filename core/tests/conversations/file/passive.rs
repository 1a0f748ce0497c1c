//! The file daemon of a passive client: storage daemons dial it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use towline_core::limits;
use towline_core::role::file::FileDaemon;
use towline_core::secret::Secret;

use crate::recording;
use crate::support::conv::Side;
use crate::support::files::{Seen, hands, recorded_files};
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED, file_daemon};
use crate::support::world::{PeerId, World};

/// What all hear that are not let in.
const REFUSED: &str = r"text 1999 Authorization failed.\n";

const KEY: &str = "HAAI-MEGB-NPFI-OEPJ-EAGA-KCMF-KOCO-MCJD";
const STORAGE: &str = recording!("04-passive-backup/03-SD-to-FD");
const FAILED: &str = r"text 2800 End Job TermCode=102 JobFiles=0 ReadBytes=0 JobBytes=0 Errors=1 VSS=0 Encrypt=0\n";

fn director(conv: &str) -> Script {
    Script::new(conv, Side::Acceptor, password("fd-secret"))
}

fn backup_director() -> Script {
    director(recording!("04-passive-backup/02-DIR-to-FD"))
}

fn storage(conv: &str, key: &str) -> Script {
    Script::new(conv, Side::Acceptor, Secret::from(key))
}

/// A real file daemon says goodbye twice where its recording shows so.
fn once(script: Script) -> Script {
    script.omits("a real file daemon ends a restore's channel twice; nobody reads the second goodbye", "signal -4")
}

fn world() -> (World<FileDaemon>, Arc<Mutex<Seen>>) {
    let (hands, seen) = hands(recorded_files(STORAGE));
    (file_daemon(Protection::Clear, STARTED, hands), seen)
}

/// A director whose recorded session goes on by hand before this text.
fn before(world: &mut World<FileDaemon>, text: &str) -> PeerId {
    let peer = world.come_in(backup_director().up_to(text));
    world.heard(peer);
    peer
}

#[test]
fn a_passive_backup_is_made_as_recorded() {
    let (mut world, seen) = world();
    // Here the director's `backup` overtakes the end of the storage daemon's authentication.
    world.come_in(backup_director());
    world.come_in(storage(STORAGE, KEY));
    world.assert_done();
    let seen = seen.lock().unwrap();
    assert_eq!((seen.filesets.len(), seen.closed), (1, 1));
    assert_eq!(seen.filesets[0].includes[0].files, [b"/srv/bareos-run/data/tiny"]);
    drop(seen);
    world.assert_empty();
}

#[test]
fn a_storage_daemon_that_comes_before_the_command_waits_for_it() {
    let (mut world, seen) = world();
    let director = before(&mut world, "backup FileIndex");
    let storage = world.come_in(storage(STORAGE, KEY).until_we_say("append open"));
    world.heard(storage);
    assert_eq!(world.heard(storage), [""; 0]);
    world.say(director, r"text backup FileIndex=0\n");
    assert_eq!(world.heard(director), [r"text 2000 OK backup\n"]);
    assert_eq!(world.heard(storage), [r"text append open session\n"]);
    assert_eq!(seen.lock().unwrap().filesets.len(), 1);
}

#[test]
fn a_passive_restore_is_made_as_recorded() {
    let (hands, seen) = hands(Vec::new());
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    world.come_in(director(recording!("04b-passive-restore/02-DIR-to-FD")));
    let key = "LHNN-KJHJ-EMKN-DJNE-IBMM-OEKG-DGMC-ALPO";
    world.come_in(once(storage(recording!("04b-passive-restore/03-SD-to-FD"), key)));
    world.assert_done();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.orders.len(), 1);
    assert_eq!((seen.restored.len(), seen.bytes.len()), (6, 1043));
}

#[test]
fn a_backup_to_a_lan_address_is_made_as_recorded() {
    let conv = recording!("08-lan-backup-copy/03-FD-to-SD");
    let (hands, seen) = hands(recorded_files(conv));
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    let storage = Script::new(conv, Side::Dialler, Secret::from("DFBK-CLKJ-LBFM-JDCG-BEDE-IKFD-HJDO-FKBG"));
    world.await_dial(42_003, storage);
    let director = world.come_in(director(recording!("08-lan-backup-copy/02-DIR-to-FD")));
    world.assert_done();
    assert_eq!(seen.lock().unwrap().closed, 1);
    let messages = world.job_messages(director);
    assert!(messages.iter().any(|text| text.contains("at 127.0.0.3:42003, ")), "{messages:?}");
}

#[test]
fn a_passive_backup_between_lan_addresses_is_made_as_recorded() {
    let conv = recording!("08b-lanpassive-backup/03-SD-to-FD");
    let (hands, seen) = hands(recorded_files(conv));
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    world.come_in(director(recording!("08b-lanpassive-backup/02-DIR-to-FD")));
    world.come_in(storage(conv, "FFCI-DEGH-IKKF-PMLK-ONHL-AMCK-OADM-BCIP"));
    world.assert_done();
    assert_eq!(seen.lock().unwrap().closed, 1);
}

#[test]
fn a_storage_daemon_with_another_key_is_turned_away_and_the_right_one_still_comes() {
    let (mut world, _) = world();
    before(&mut world, "backup FileIndex");
    let wrong = world.come_in(storage(STORAGE, "another").cut_after(usize::MAX));
    assert!(
        world.heard(wrong).contains(&r"text 1999 Authorization failed.\n".to_owned()),
        "{:?}",
        world.peers[wrong].heard
    );
    let right = world.come_in(storage(STORAGE, KEY).until_we_say("append open"));
    assert!(world.heard(right).contains(&r"text 1000 OK auth\n".to_owned()));
}

#[test]
fn a_storage_daemon_is_let_in_once_and_only_for_a_job_that_is_there() {
    let (mut world, _) = world();
    let unknown = world.come_in(storage(STORAGE, KEY).cut_after(usize::MAX));
    assert!(world.heard(unknown).contains(&REFUSED.to_owned()), "no job has this name");
    let director = before(&mut world, "backup FileIndex");
    world.come_in(storage(STORAGE, KEY).until_we_say("append open"));
    let second = world.come_in(storage(STORAGE, KEY).cut_after(usize::MAX));
    world.wait(limits::WRONG_KEY_PAUSE);
    assert!(world.heard(second).contains(&REFUSED.to_owned()), "it has its storage daemon");
    world.say(director, "signal -4");
    world.assert_empty();
    let late = world.come_in(storage(STORAGE, KEY).cut_after(usize::MAX));
    world.wait(limits::WRONG_KEY_PAUSE);
    assert!(world.heard(late).contains(&REFUSED.to_owned()), "the job has gone, and its key too");
}

#[test]
fn the_key_of_a_job_goes_with_the_job() {
    let (mut world, _) = world();
    let director = before(&mut world, "backup FileIndex");
    world.say(director, "signal -4");
    let late = world.come_in(storage(STORAGE, KEY).cut_after(usize::MAX));
    assert!(world.heard(late).contains(&REFUSED.to_owned()), "{:?}", world.peers[late].heard);
}

#[test]
fn nobody_may_dial_for_a_job_that_dials_itself() {
    let (mut world, _) = world();
    let director = before(&mut world, "backup FileIndex");
    world.say(director, r"text storage address=127.0.0.1 port=42003 ssl=0\n");
    let storage = world.come_in(storage(STORAGE, KEY).cut_after(usize::MAX));
    assert!(world.heard(storage).contains(&REFUSED.to_owned()));
}

#[test]
fn clear_text_is_refused_where_the_director_has_said_tls() {
    let (mut world, _) = world();
    let director = before(&mut world, "JobId=1");
    let job =
        format!("JobId=1 Job=backup-tiny.2026-11-23_13.02.34_03 SDid=1 SDtime=1795438951 Authorization={KEY} ssl=4");
    world.say(director, &format!(r"text {job}\n"));
    let storage = world.come_in(storage(STORAGE, KEY).cut_after(usize::MAX));
    assert!(world.heard(storage).contains(&REFUSED.to_owned()));
}

#[test]
fn a_storage_daemon_that_never_comes_fails_the_job_with_the_remedy() {
    let (mut world, seen) = world();
    let director = before(&mut world, "backup FileIndex");
    world.say(director, r"text backup FileIndex=0\n");
    world.wait(Duration::from_secs(59));
    assert_eq!(world.heard(director), [""; 0]);
    world.wait(Duration::from_secs(2));
    assert_eq!(world.heard(director), [r"text 2902 Bad backup\n", FAILED, "signal -4", "fin"]);
    let messages = world.job_messages(director);
    assert!(messages[0].contains("check that its port is open for it"), "{messages:?}");
    assert_eq!(seen.lock().unwrap().filesets.len(), 0);
    world.assert_empty();
}

#[test]
fn a_second_command_while_the_storage_daemon_is_awaited_ends_the_job() {
    let (mut world, _) = world();
    let director = before(&mut world, "backup FileIndex");
    world.say(director, r"text backup FileIndex=0\n");
    world.say(director, r"text backup FileIndex=0\n");
    assert_eq!(world.heard(director), [FAILED, "signal -4", "fin"]);
    world.assert_empty();
}

#[test]
fn a_storage_command_for_a_job_that_was_told_to_begin_ends_it_at_once() {
    let dial = r"text storage address=127.0.0.1 port=42003 ssl=0\n";
    let refused = |world: &mut World<FileDaemon>, director| {
        world.say(director, dial);
        assert_eq!(world.heard(director), [FAILED, "signal -4", "fin"]);
        let messages = world.job_messages(director);
        assert!(messages.last().unwrap().contains("told to begin (T0674)"), "{messages:?}");
        world.assert_empty();
    };
    // While its storage daemon is awaited, and with a backup under way.
    let (mut awaiting, _) = world();
    let director = before(&mut awaiting, "backup FileIndex");
    awaiting.say(director, r"text backup FileIndex=0\n");
    refused(&mut awaiting, director);
    let (mut busy, _) = world();
    let director = before(&mut busy, "backup FileIndex");
    busy.come_in(storage(STORAGE, KEY).until_we_say("append open").cut_after(usize::MAX));
    busy.say(director, r"text backup FileIndex=0\n");
    assert_eq!(busy.heard(director), [r"text 2000 OK backup\n"]);
    refused(&mut busy, director);
}

#[test]
fn a_storage_daemon_cut_off_anywhere_fails_the_job_and_leaves_nothing_behind() {
    let lines = storage(STORAGE, KEY).count();
    for after in 0..lines {
        let (mut world, seen) = world();
        let director = world.come_in(backup_director().cut_after(usize::MAX));
        let storage = world.come_in(storage(STORAGE, KEY).cut_after(after));
        world.cut(storage);
        world.wait(Duration::from_secs(120));
        let heard = world.heard(director);
        let end = heard.iter().find(|line| line.starts_with("text 2800 ")).unwrap_or_else(|| panic!("{heard:#?}"));
        let is_good = end.contains("TermCode=84 JobFiles=6");
        assert!(is_good || end.contains("TermCode=102"), "after {after} of {lines}: {end}");
        assert!(!is_good || after + 6 > lines, "after {after} of {lines}: {end}");
        world.assert_empty();
        let seen = seen.lock().unwrap();
        assert_eq!(seen.filesets.len(), seen.closed, "cut after {after} lines");
    }
}

#[cfg(feature = "psk")]
#[test]
fn a_passive_backup_and_its_restore_over_tls_are_made_as_recorded() {
    use crate::support::peer::Engine;
    use towline_core::wire::names::{PeerKind, PeerName};
    let conv = recording!("20b-tls-passive/03-SD-to-FD");
    let (hands, seen) = hands(recorded_files(conv));
    let mut world = file_daemon(Protection::Psk, STARTED, hands);
    let me = || Engine::Psk(PeerName::new(PeerKind::Director, "bareos-dir"));
    let job = |name: &str| Engine::Psk(PeerName::new(PeerKind::Job, name));
    world.come_in(director(recording!("20b-tls-passive/02-DIR-to-FD")).protected(me()));
    let backup = storage(conv, "DGIN-DKHK-FLND-GCIO-LMKF-KCBD-DJMG-JDGJ");
    world.come_in(backup.protected(job("backup-tiny.2026-11-23_13.11.19_03")));
    world.come_in(director(recording!("20b-tls-passive/06-DIR-to-FD")).protected(me()));
    let restore = storage(recording!("20b-tls-passive/07-SD-to-FD"), "CEGF-IDIJ-EEAA-INJF-BJPP-ILAJ-MHIL-PDOH");
    world.come_in(once(restore).protected(job("restore.2026-11-23_13.11.24_05")));
    world.assert_done();
    let seen = seen.lock().unwrap();
    assert_eq!((seen.closed, seen.restored.len(), seen.bytes.len()), (2, 6, 1043));
}
