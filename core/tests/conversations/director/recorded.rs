//! The director in the recorded conversations.

use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;
use crate::support::world::PeerId;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, backup_file, backup_storage};

/// A console of a recording, greeted in our words.
fn console(conv: &str) -> Script {
    Script::new(conv, Side::Acceptor, password("dir-secret"))
        .differs("the version is ours", &["text 1000\\x1eOK: bareos-dir Version: "], &[GREETING])
        .differs(
            "no words about support",
            &["text 1002\\x1e"],
            &["text 1002\\x1eYou are connected using the default console"],
        )
}

const GREETING: &str = "text 1000\\x1eOK: bareos-dir Version: 26.0.0 (23Nov26)";
const CATALOG: &str = "text Using Catalog \"MyCatalog\"\\n";
const OUR_CATALOG: &str = "text Using Catalog \"default\"\\n";
const OUR_CATALOG_WHY: &str = "a director has one catalog, without a name";

/// A desk on which the recorded backup has been made.
fn backed_up() -> Desk {
    let mut desk = Desk::open();
    make_backup(&mut desk);
    desk
}

fn make_backup(desk: &mut Desk) {
    desk.world.await_dial(STORAGE_PORT, backup_storage());
    desk.world.await_dial(FILE_PORT, backup_file());
    let console = console(recording!("01-backup-full/00-CON-to-DIR"));
    desk.world.come_in(console.differs(OUR_CATALOG_WHY, &[CATALOG], &[OUR_CATALOG]));
}

/// The recorded restore. Gives the console.
fn make_restore(desk: &mut Desk) -> PeerId {
    let storage = Script::new(recording!("02-restore/01-DIR-to-SD"), Side::Dialler, password("sd-secret"));
    let file = Script::new(recording!("02-restore/02-DIR-to-FD"), Side::Dialler, password("fd-secret"));
    desk.world.await_dial(STORAGE_PORT, storage);
    desk.world.await_dial(FILE_PORT, file);
    desk.world.come_in(console(recording!("02-restore/00-CON-to-DIR")).own_words_after("restore "))
}

#[test]
fn a_backup_is_directed_as_recorded() {
    let desk = backed_up();
    desk.world.assert_done();
    let shelf = desk.shelf();
    let job = shelf.catalog.job_row(1).unwrap();
    assert_eq!(
        (job.job_status, job.level, job.job_files, job.job_bytes, job.read_bytes),
        (b'T', b'F', 6, 1_043, 1_043)
    );
    assert_eq!((job.vol_session_id, job.vol_session_time, job.job_errors), (1, 1_795_438_888, 0));
    let names: Vec<_> = shelf.catalog.file_rows(1).map(|row| String::from_utf8_lossy(&row.name).into_owned()).collect();
    let expected = ["hardlink-to-hello", "hello.txt", "sub/data.bin", "sub/", "link-to-hello", ""];
    assert_eq!(names, expected.map(|name| format!("/srv/bareos-run/data/tiny/{name}")));
    let digests: Vec<_> = shelf.catalog.file_rows(1).filter(|row| row.md5 != b"0").map(|row| row.file_index).collect();
    assert_eq!(digests, [1, 2, 3]);
    let volume = shelf.catalog.volume("Full-0001").unwrap();
    assert_eq!((volume.vol_bytes, volume.vol_blocks, volume.end_block, volume.vol_jobs), (2_458, 2, 2_457, 1));
}

#[test]
fn a_restore_is_directed_as_recorded() {
    let mut desk = backed_up();
    let console = make_restore(&mut desk);
    desk.world.assert_done();
    let words = desk.world.heard(console);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    for line in ["text Using Catalog \"default\"\\n", "text Job queued. JobId=2\\n", "text You have messages.\\n"] {
        assert_eq!(words.iter().filter(|word| **word == line).count(), 1, "{line} in {words:#?}");
    }
    assert!(words.iter().any(|word| word.contains("Full-0001\\n6 files selected to be restored.\\n")), "{words:#?}");
    let shelf = desk.shelf();
    let job = shelf.catalog.job_row(2).unwrap();
    assert_eq!((job.job_status, job.job_type, job.level, job.job_files), (b'T', b'R', b'F', 6), "{}", desk.report(2));
    assert_eq!((job.pool_id, job.file_set_id), (0, 0));
}
