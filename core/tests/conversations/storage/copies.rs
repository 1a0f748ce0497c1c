//! Copies and migrations between two storage daemons, as recorded: each side against the real other one.

use towline_core::role::storage::StorageDaemon;
use towline_core::secret::Secret;
use towline_core::time::Wall;

use super::recorded::twice;
use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, SECOND_STORAGE_PORT, second_storage_daemon, storage_daemon};
use crate::support::volumes::{Shelf, hands};
use crate::support::world::{PeerId, World};

const COPY_KEY: &str = "OEJG-HADF-OGBF-GJML-BBMO-GHBF-PGGG-MDBI";
const MIGRATION_KEY: &str = "NLGE-BAKH-NJPJ-CKJN-EBAI-GOEF-EGEL-CFJC";

/// The director of a daemon that writes.
fn director_of_writer(conv: &str) -> Script {
    twice(Script::new(conv, Side::Acceptor, password("sd2-secret")))
}

/// The director of a daemon that reads.
fn director_of_reader(conv: &str) -> Script {
    twice(Script::new(conv, Side::Acceptor, password("sd-secret"))).omits(
        "the same status a second time says nothing",
        "text Status Job=copy.2026-11-23_13.05.56_06 JobStatus=82\\n",
    )
}

/// A daemon that writes, the recorded copy written.
fn copy(world: &mut World<StorageDaemon>) -> PeerId {
    let director = world.come_in(director_of_writer(recording!("06-copy-sd-sd/02-DIR-to-SD2")));
    world.come_in(Script::new(recording!("06-copy-sd-sd/03-SDx-to-SD2"), Side::Acceptor, Secret::from(COPY_KEY)));
    director
}

fn check_copy(shelf: &Shelf, name: &str, bytes: u64) {
    let volume = &shelf.volumes[name];
    assert_eq!((volume.blocks.len(), volume.bytes), (1, bytes), "as the recorded volume");
    assert!(shelf.is_shut());
}

#[test]
fn a_copy_is_written_as_recorded_and_a_migration_after_it() {
    let (hands, shelf) = hands();
    let mut world = second_storage_daemon(Protection::Clear, Wall(1_795_439_003_000_000), hands);
    copy(&mut world);
    check_copy(&shelf.lock().unwrap(), "Copy-0002", 2465);
    // A real daemon has the volume mounted still and says less of it than we do from there on.
    let migration = Script::new(recording!("06b-migrate-sd-sd/02-DIR-to-SD2"), Side::Acceptor, password("sd2-secret"));
    let director =
        world.come_in(migration.until_we_say("CatReq Job=backup-tiny-migsrc.2026-11-23_13.03.40_13 GetVolInfo"));
    let reader =
        Script::new(recording!("06b-migrate-sd-sd/03-SDx-to-SD2"), Side::Acceptor, Secret::from(MIGRATION_KEY));
    world.come_in(reader.until_we_say("3000 OK replicate data"));
    assert!(world.heard(director).iter().any(|line| line.contains("GetVolInfo VolName=Copy-0002 write=1")));
}

#[test]
fn a_storage_daemon_that_comes_before_listen_is_served_once_that_has_come() {
    let (hands, _) = hands();
    let mut world = second_storage_daemon(Protection::Clear, Wall(1_795_439_003_000_000), hands);
    let director = world.come_in(director_of_writer(recording!("06-copy-sd-sd/02-DIR-to-SD2")).up_to("listen"));
    let reader = Script::new(recording!("06-copy-sd-sd/03-SDx-to-SD2"), Side::Acceptor, Secret::from(COPY_KEY));
    let reader = world.come_in(reader.until_we_say("3000 OK start replicate"));
    world.heard(director);
    assert!(!world.heard(reader).iter().any(|line| line.contains("start replicate")), "not yet");
    world.say(director, "text listen");
    assert_eq!(world.heard(reader), ["text 3000 OK start replicate ticket = 1\\n"]);
    let name = "backup-tiny.2026-11-23_13.03.30_07";
    let told = [
        format!("text Status Job={name} JobStatus=83\\n"),
        format!("text 3010 Job {name} start\\n"),
        format!("text Status Job={name} JobStatus=82\\n"),
    ];
    assert_eq!(world.heard(director), told, "as if it had come afterwards");
    world.say(reader, "text replicate data 1\\n");
    assert_eq!(world.heard(reader), ["text 3000 OK data\\n"]);
}

#[test]
fn a_storage_daemon_is_no_client_and_comes_once() {
    let (hands, _) = hands();
    let mut world = second_storage_daemon(Protection::Clear, Wall(1_795_439_003_000_000), hands);
    let director = world.come_in(director_of_writer(recording!("06-copy-sd-sd/02-DIR-to-SD2")).up_to("listen"));
    let reader = || {
        let script = Script::new(recording!("06-copy-sd-sd/03-SDx-to-SD2"), Side::Acceptor, Secret::from(COPY_KEY));
        script.cut_after(9)
    };
    let (first, second) = (world.come_in(reader()), world.come_in(reader()));
    assert_eq!((world.peers[first].ended, world.peers[second].ended), (false, true));
    // `run` would be for a file daemon.
    world.say(director, "text run");
    assert!(world.peers[director].ended && world.peers[first].ended);
}

#[test]
fn nobody_may_come_for_a_copy_that_dials_the_other_storage_daemon() {
    let (hands, _) = hands();
    let mut world = storage_daemon(Protection::Clear, Wall(1_795_439_003_000_000), hands);
    let conv = recording!("06-copy-sd-sd/01-DIR-to-SD").replace("SDid=2 ", "SDid=1 ");
    world.come_in(Script::new(&conv, Side::Acceptor, password("sd-secret")).until_we_say("3000 OK replicate"));
    let client = recording!("01-backup-full/03-FD-to-SD")
        .replace("backup-tiny.2026-11-23_13.01.31_03", "copy.2026-11-23_13.03.30_06");
    let intruder = Script::new(&client, Side::Acceptor, Secret::from(authorization(&conv)));
    let intruder = world.come_in(intruder.cut_after(usize::MAX));
    let refused = r"text 1999 Authorization failed.\n".to_owned();
    assert!(world.heard(intruder).contains(&refused), "its key is not known: {:?}", world.peers[intruder].heard);
}

#[test]
#[should_panic(expected = "recorded Hears(text 3099 Job")]
fn a_copy_with_another_count_is_not_ours() {
    let (hands, _) = hands();
    let mut world = second_storage_daemon(Protection::Clear, Wall(1_795_439_003_000_000), hands);
    let conv =
        recording!("06-copy-sd-sd/02-DIR-to-SD2").replace("JobFiles=6 JobBytes=1749", "JobFiles=6 JobBytes=1750");
    world.come_in(director_of_writer(&conv));
    world.come_in(Script::new(recording!("06-copy-sd-sd/03-SDx-to-SD2"), Side::Acceptor, Secret::from(COPY_KEY)));
}

#[test]
fn a_copy_is_read_and_sent_as_recorded_to_the_address_the_director_names() {
    let (hands, shelf) = hands();
    let mut world = storage_daemon(Protection::Clear, Wall(1_795_439_147_000_000), hands);
    let director =
        twice(Script::new(recording!("08-lan-backup-copy/01-DIR-to-SD"), Side::Acceptor, password("sd-secret")));
    world.come_in(director);
    let key = authorization(recording!("08-lan-backup-copy/01-DIR-to-SD"));
    world.come_in(Script::new(recording!("08-lan-backup-copy/03-FD-to-SD"), Side::Acceptor, Secret::from(key)));
    let writer = recording!("08-lan-backup-copy/07-SDx-to-SD2");
    let key = authorization(recording!("08-lan-backup-copy/06-DIR-to-SD2"));
    world.await_dial(SECOND_STORAGE_PORT, Script::new(writer, Side::Dialler, Secret::from(key)));
    world.come_in(director_of_reader(recording!("08-lan-backup-copy/05-DIR-to-SD")));
    world.assert_done();
    let shelf = shelf.lock().unwrap();
    assert!(shelf.is_shut());
    assert_eq!(shelf.done.iter().filter(|work| *work == "read").count(), 1);
}

/// The key that a storage daemon gives in a recording.
fn authorization(conv: &str) -> &str {
    let (_, rest) = conv.split_once("Authorization=").expect("a key");
    rest.split_once("\\n").expect("an end").0
}

#[cfg(feature = "psk")]
mod tls {
    use towline_core::wire::names::{PeerKind, PeerName};

    use super::*;
    use crate::support::peer::Engine;

    const STARTED: Wall = Wall(1_795_439_426_000_000);

    fn director(script: Script) -> Script {
        script.protected(Engine::Psk(PeerName::new(PeerKind::Director, "bareos-dir")))
    }

    fn job(name: &str) -> Engine {
        Engine::Psk(PeerName::new(PeerKind::Job, name))
    }

    #[test]
    fn a_copy_over_tls_is_written_as_recorded() {
        let (hands, shelf) = hands();
        let mut world = second_storage_daemon(Protection::Psk, STARTED, hands);
        let conv = recording!("20-tls-backup/06-DIR-to-SD2");
        world.come_in(director(director_of_writer(conv)));
        let reader =
            Script::new(recording!("20-tls-backup/07-SDx-to-SD2"), Side::Acceptor, Secret::from(authorization(conv)));
        world.come_in(reader.protected(job("backup-tiny.2026-11-23_13.10.34_07")));
        world.assert_done();
        check_copy(&shelf.lock().unwrap(), "Copy-0002", 2465);
    }

    #[test]
    fn a_copy_over_tls_is_read_and_sent_as_recorded() {
        let (hands, shelf) = hands();
        let mut world = storage_daemon(Protection::Psk, STARTED, hands);
        let backup = recording!("20-tls-backup/01-DIR-to-SD");
        world.come_in(director(twice(Script::new(backup, Side::Acceptor, password("sd-secret")))));
        let file =
            Script::new(recording!("20-tls-backup/03-FD-to-SD"), Side::Acceptor, Secret::from(authorization(backup)));
        world.come_in(file.protected(job("backup-tiny.2026-11-23_13.10.29_03")));
        let key = Secret::from(authorization(recording!("20-tls-backup/06-DIR-to-SD2")));
        let writer = Script::new(recording!("20-tls-backup/07-SDx-to-SD2"), Side::Dialler, key);
        world.await_dial(SECOND_STORAGE_PORT, writer.protected(job("backup-tiny.2026-11-23_13.10.34_07")));
        let reading =
            twice(Script::new(recording!("20-tls-backup/05-DIR-to-SD"), Side::Acceptor, password("sd-secret")));
        let why = "the same status a second time says nothing";
        let reading = reading.omits(why, "text Status Job=copy.2026-11-23_13.10.34_06 JobStatus=82\\n");
        world.come_in(director(reading));
        world.assert_done();
        assert!(shelf.lock().unwrap().is_shut());
    }
}
