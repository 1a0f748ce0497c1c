//! The restore of a rich fileset from a full and an incremental backup. Of its recording there are the director's
//! conversations; the backups' own are not kept, so that what they told the catalog is written here.

use towline_core::catalog::memory::MemoryCatalog;
use towline_core::catalog::{CatalogRequest, ClientSpec, FileSetSpec, MediaRow, PoolRow};
use towline_core::wire::frame::put_data;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, config};
use super::verify::{Backup, add_backup, volume};
use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;

/// Type and name of each entry of the full backup, in order.
const FULL: [(u32, &str); 10] = [
    (5, "emptydir/"),
    (3, "umlaut-\u{e4}\u{f6} and space"),
    (6, "fifo"),
    (3, "300k.bin"),
    (3, "sparse.bin"),
    (3, "text.gz.txt"),
    (3, "text.lz4.txt"),
    (3, "acl-xattr"),
    (3, "gone"),
    (5, ""),
];
/// And of the incremental one: 23 was deleted.
const INCREMENTAL: [(u32, &str); 4] = [(3, "acl-xattr"), (2, "new-file"), (5, ""), (23, "gone")];

/// What a storage daemon tells the catalog of these entries (`wire/3 §2.4`).
fn frames(entries: &[(u32, &str)]) -> Vec<u8> {
    let mut frames = Vec::new();
    for (index, (kind, name)) in (1_u32..).zip(entries) {
        let record = format!("{index} {kind} /srv/bareos-run/data/rich/{name}\0P4A\0\0\x000\0");
        let mut payload = b"UpdCat Job=backup FileAttributes ".to_vec();
        for number in [1, 1_795_439_175, index, 1, u32::try_from(record.len()).expect("short")] {
            payload.extend_from_slice(&number.to_be_bytes());
        }
        payload.extend_from_slice(record.as_bytes());
        put_data(&mut frames, &payload);
    }
    frames
}

fn backed_up() -> MemoryCatalog {
    let mut catalog = MemoryCatalog::default();
    for request in [
        CatalogRequest::EnsureClient(ClientSpec { name: "bareos-fd".to_owned(), ..ClientSpec::default() }),
        CatalogRequest::EnsurePool(Box::new(PoolRow { name: "Full".to_owned(), ..PoolRow::default() })),
        CatalogRequest::EnsureStorage { name: "File1".to_owned(), auto_changer: false },
        CatalogRequest::EnsureFileSet(FileSetSpec { file_set: "Tiny".to_owned(), ..FileSetSpec::default() }),
        CatalogRequest::CreateMedia(Box::new(MediaRow {
            vol_jobs: 2,
            vol_blocks: 3,
            vol_bytes: 573_436,
            vol_mounts: 2,
            vol_writes: 3,
            vol_read_time: 0,
            vol_write_time: 181,
            ..volume()
        })),
    ] {
        catalog.serve(request).expect("stored");
    }
    let (full, incremental) = (frames(&FULL), frames(&INCREMENTAL));
    add_backup(&mut catalog, &Backup { job_id: 1, level: b'F', files: 10, place: (193, 572_400), frames: full });
    let place = (572_401, 573_435);
    add_backup(&mut catalog, &Backup { job_id: 2, level: b'I', files: 4, place, frames: incremental });
    catalog
}

#[test]
fn a_restore_from_a_full_and_an_incremental_backup_is_directed_as_recorded() {
    let mut desk = Desk::with(config(), backed_up());
    let storage = Script::new(recording!("09c-rich-restore/01-DIR-to-SD"), Side::Dialler, password("sd-secret"));
    let file = Script::new(recording!("09c-rich-restore/02-DIR-to-FD"), Side::Dialler, password("fd-secret"));
    desk.world.await_dial(STORAGE_PORT, storage);
    desk.world.await_dial(FILE_PORT, file);
    let console = desk.console();
    let answer = desk.ask(console, "restore restorejob=restore client=bareos-fd select current all done yes").join("");
    assert!(answer.contains("You have selected the following JobIds: 1,2"), "{answer}");
    assert!(answer.contains("10 files selected to be restored."), "{answer}");
    assert_eq!(desk.status(3), 'T', "{}", desk.report(3));
    desk.world.say(console, "text quit");
    desk.world.assert_done();
}
