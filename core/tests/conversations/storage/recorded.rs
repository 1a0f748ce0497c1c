//! The storage daemon in the recorded conversations.

use std::time::Duration;

use towline_core::role::storage::StorageDaemon;
use towline_core::secret::Secret;

use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED, storage_daemon};
use crate::support::volumes::{Shelf, hands};
use crate::support::world::World;

const KEY: &str = "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF";

fn director(conv: &str) -> Script {
    Script::new(conv, Side::Acceptor, password("sd-secret"))
}

pub fn twice(script: Script) -> Script {
    let why = "a real storage daemon ends a job's channel twice; a director reads no further than the first time";
    script.omits(why, "signal -4").omits(why, "signal -1")
}

/// Plays the recorded backup.
fn backup(world: &mut World<StorageDaemon>) {
    world.come_in(twice(director(recording!("01-backup-full/01-DIR-to-SD"))));
    world.come_in(Script::new(recording!("01-backup-full/03-FD-to-SD"), Side::Acceptor, Secret::from(KEY)));
}

fn check_volume(shelf: &Shelf) {
    assert_eq!(shelf.volumes.len(), 1);
    let volume = &shelf.volumes["Full-0001"];
    assert_eq!((volume.blocks.len(), volume.bytes), (1, 2458), "as the recorded volume");
    assert_eq!(volume.label.pool.to_vec(), b"Full");
    assert!(shelf.is_shut());
    let sync = shelf.done.iter().position(|work| work == "sync").expect("synced");
    let append = shelf.done.iter().position(|work| work == "append").expect("appended");
    assert!(append < sync, "{:?}", shelf.done);
}

#[test]
fn a_backup_is_made_as_recorded() {
    let (hands, shelf) = hands();
    let mut world = storage_daemon(Protection::Clear, STARTED, hands);
    world.wait(Duration::from_secs(5));
    backup(&mut world);
    world.assert_done();
    check_volume(&shelf.lock().unwrap());
}

#[test]
#[should_panic(expected = "recorded Hears(text 3099 Job")]
fn a_recording_with_another_count_is_not_ours() {
    let (hands, _) = hands();
    let mut world = storage_daemon(Protection::Clear, STARTED, hands);
    let conv =
        recording!("01-backup-full/01-DIR-to-SD").replace("JobFiles=6 JobBytes=1749", "JobFiles=7 JobBytes=1749");
    world.come_in(director(&conv));
    world.come_in(Script::new(recording!("01-backup-full/03-FD-to-SD"), Side::Acceptor, Secret::from(KEY)));
}

/// Plays the recorded restore, as the second job of a daemon.
fn restore(world: &mut World<StorageDaemon>) {
    let director = twice(director(recording!("02-restore/01-DIR-to-SD")));
    world.come_in(director);
    let key = Secret::from("EIBJ-DAFA-AFKD-ONPH-LPLP-MLGP-MHGP-PFGA");
    world.come_in(Script::new(recording!("02-restore/03-FD-to-SD"), Side::Acceptor, key));
}

#[test]
fn a_restore_of_what_was_backed_up_is_made_as_recorded() {
    let (hands, shelf) = hands();
    let mut world = storage_daemon(Protection::Clear, STARTED, hands);
    backup(&mut world);
    restore(&mut world);
    world.assert_done();
    assert!(shelf.lock().unwrap().is_shut());
}

/// The recorded verify job, moved to the volume and the session of the first recording: the same files lie there.
fn moved(conv: &str) -> String {
    let moves = [
        ("SDid=5 SDtime=1795439175", "SDid=2 SDtime=1795438888"),
        ("DummyVolume 5 1795439175", "DummyVolume 2 1795438888"),
        ("ticket = 5", "ticket = 2"),
        ("read data 5", "read data 2"),
        ("session 5", "session 2"),
        ("rechdr 4 1795439175", "rechdr 1 1795438888"),
        ("VolSessionId=4", "VolSessionId=1"),
        ("VolSessionTime=1795439175", "VolSessionTime=1795438888"),
        ("VolAddr=573436-575700", "VolAddr=193-2457"),
    ];
    moves.iter().fold(conv.to_owned(), |conv, (from, to)| conv.replace(from, to))
}

#[test]
fn a_volume_is_read_for_a_verify_job_as_recorded() {
    let (hands, shelf) = hands();
    let mut world = storage_daemon(Protection::Clear, STARTED, hands);
    backup(&mut world);
    world.come_in(twice(director(&moved(recording!("10-estimate-verify/07-DIR-to-SD")))));
    let key = Secret::from("BPJD-GBCI-AGEA-FPLK-EFNJ-ONFE-NDOD-LEPB");
    world.come_in(Script::new(&moved(recording!("10-estimate-verify/09-FD-to-SD")), Side::Acceptor, key));
    world.assert_done();
    assert!(shelf.lock().unwrap().is_shut());
}

#[test]
fn a_status_after_both_has_the_recorded_frames() {
    let (hands, _) = hands();
    let mut world = storage_daemon(Protection::Clear, STARTED, hands);
    backup(&mut world);
    restore(&mut world);
    let script = director(recording!("03-console/02-DIR-to-SD")).own_words_after("status");
    let status = world.come_in(script);
    world.assert_done();
    let heard = world.heard(status);
    let rows = [
        "text      1  Full          6    1.749 K  OK       23-Nov-26 13:01 backup-tiny\\n\\0",
        "text      2                0         0   OK       23-Nov-26 13:01 restore\\n\\0",
        "text \\nDevice \"FileStorage1\" (/srv/bareos-run/storage/sd) is not open.\\n\\0",
    ];
    for row in rows {
        assert!(heard.iter().any(|line| line == row), "{row} in {heard:#?}");
    }
    let lines = heard.iter().skip_while(|line| *line != "text \\n").skip(1).take_while(|line| *line != "signal -1");
    assert!(lines.clone().count() > 5);
    assert!(lines.clone().all(|line| line.ends_with("\\n\\0")), "{heard:#?}");
    assert!(!heard.iter().any(|line| line.contains("FileStorage2")), "only the device asked for");
}

#[cfg(feature = "psk")]
#[test]
fn a_backup_over_tls_is_made_as_recorded() {
    use crate::support::peer::Engine;
    use towline_core::time::Wall;
    use towline_core::wire::names::{PeerKind, PeerName};
    let (hands, shelf) = hands();
    let mut world = storage_daemon(Protection::Psk, Wall(1_795_439_426_000_000), hands);
    let director = twice(director(recording!("20-tls-backup/01-DIR-to-SD")));
    let me = PeerName::new(PeerKind::Director, "bareos-dir");
    world.come_in(director.protected(Engine::Psk(me)));
    let key = Secret::from("BPCL-HKPE-PFII-EBOL-LHFK-FBOC-PHNB-LGOI");
    let file = Script::new(recording!("20-tls-backup/03-FD-to-SD"), Side::Acceptor, key);
    let job = PeerName::new(PeerKind::Job, "backup-tiny.2026-11-23_13.10.29_03");
    world.come_in(file.protected(Engine::Psk(job)));
    world.assert_done();
    check_volume(&shelf.lock().unwrap());
}
