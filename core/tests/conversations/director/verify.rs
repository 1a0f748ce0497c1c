//! The director and verify jobs: the recorded one, and what the report says when volume and catalog differ.

use std::time::Duration;

use serde_json::{Value, json};
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::catalog::{
    CatalogRequest, ClientSpec, JobEnd, JobMediaRow, JobStart, MediaRow, NewJob, PoolRow, UpdCatBatch, VolStatus,
};
use towline_core::wire::frame::put_data;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, config, our_letters};
use super::recorded::console;
use crate::recording;
use crate::support::conv::{self, Side};
use crate::support::password;
use crate::support::peer::Script;

const BACKUP: u32 = 4;
const VERIFY: u32 = 5;
/// When the recorded storage daemon started.
const SESSION_TIME: u32 = 1_795_439_175;

/// The recorded director's configuration, with its verify job.
fn verifying(client: &Value) -> Value {
    let mut config = config();
    let mut job = config["jobs"][0].clone();
    (job["name"], job["kind"]) = (json!("verify-tiny"), json!("verify"));
    config["jobs"].as_array_mut().expect("jobs").push(job);
    for (field, value) in client.as_object().expect("an object") {
        config["clients"][0][field] = value.clone();
    }
    config
}

/// A backup that ended well, on the volume of MediaId 1. Its session has its number.
pub struct Backup {
    pub job_id: u32,
    pub level: u8,
    pub files: u32,
    /// Addresses of its first and last byte.
    pub place: (u32, u32),
    /// What the storage daemon told the catalog.
    pub frames: Vec<u8>,
}

/// Puts a backup into a catalog that has client, pool, fileset and volume of number 1.
pub fn add_backup(catalog: &mut MemoryCatalog, backup: &Backup) {
    let mut ask = |request| catalog.serve(request).expect("stored");
    let (job_id, level) = (backup.job_id, backup.level);
    let (name, job) = ("backup-tiny".to_owned(), format!("backup-tiny.2026-11-23_13.06.42_0{job_id}"));
    let job_type = b'B';
    ask(CatalogRequest::CreateJob(NewJob {
        job,
        name,
        job_type,
        level,
        client_id: 1,
        sched_time: 1,
        at_least: 0,
        comment: String::new(),
    }));
    ask(CatalogRequest::StartJob(JobStart {
        job_id,
        job_status: b'R',
        level,
        start_time: i64::from(job_id),
        client_id: 1,
        pool_id: 1,
        file_set_id: 1,
        vol_session_id: job_id,
        vol_session_time: SESSION_TIME,
    }));
    ask(CatalogRequest::CreateJobMedia(JobMediaRow {
        job_id,
        media_id: 1,
        first_index: 1,
        last_index: backup.files,
        start_block: backup.place.0,
        end_block: backup.place.1,
        ..JobMediaRow::default()
    }));
    ask(CatalogRequest::InsertFiles { job_id, batch: UpdCatBatch::from_frames(backup.frames.clone()) });
    ask(CatalogRequest::EndJob(Box::new(JobEnd { level, ..ended(job_id, backup.files) })));
}

fn ended(job_id: u32, job_files: u32) -> JobEnd {
    JobEnd {
        job_id,
        job_status: b'T',
        level: b'F',
        end_time: i64::from(job_id),
        real_end_time: i64::from(job_id),
        client_id: 1,
        pool_id: 1,
        file_set_id: 1,
        vol_session_id: job_id,
        vol_session_time: SESSION_TIME,
        job_files,
        job_bytes: 1_043,
        read_bytes: 1_043,
        job_errors: 0,
        prior_job_id: 0,
        purged_files: false,
        last_file: None,
        stands_for: None,
        comment: None,
    }
}

/// What the recorded backup of the same files told the catalog, each frame changed as a test likes; `None` drops it.
fn catalog_with(change: impl Fn(Vec<u8>) -> Option<Vec<u8>>) -> MemoryCatalog {
    let mut catalog = MemoryCatalog::default();
    let mut ask = |request| catalog.serve(request).expect("stored");
    ask(CatalogRequest::EnsureClient(ClientSpec { name: "bareos-fd".to_owned(), ..ClientSpec::default() }));
    ask(CatalogRequest::EnsurePool(Box::new(PoolRow { name: "Full".to_owned(), ..PoolRow::default() })));
    ask(CatalogRequest::EnsureStorage { name: "File1".to_owned(), auto_changer: false });
    ask(CatalogRequest::CreateMedia(Box::new(volume())));
    for job_id in 1..BACKUP {
        add_backup(&mut catalog, &Backup { job_id, level: b'F', files: 6, place: (0, 0), frames: Vec::new() });
    }
    let lines = conv::parse(recording!("01-backup-full/01-DIR-to-SD")).into_iter();
    let updates = lines.map(|line| line.frame.data().to_vec()).filter(|data| data.starts_with(b"UpdCat "));
    let mut frames = Vec::new();
    updates.filter_map(change).for_each(|payload| put_data(&mut frames, &payload));
    let place = (573_436, 575_700);
    add_backup(&mut catalog, &Backup { job_id: BACKUP, level: b'F', files: 6, place, frames });
    catalog
}

/// The recorded volume as its director knew it.
pub fn volume() -> MediaRow {
    MediaRow {
        volume_name: "Full-0001".to_owned(),
        pool_id: 1,
        media_type: "File1".to_owned(),
        vol_jobs: 3,
        vol_blocks: 4,
        vol_bytes: 575_701,
        vol_mounts: 3,
        vol_writes: 4,
        max_vol_bytes: 21_474_836_480,
        vol_status: VolStatus::Append,
        enabled: true,
        storage_id: 1,
        vol_read_time: 386,
        vol_write_time: 227,
        ..MediaRow::default()
    }
}

fn storage() -> Script {
    Script::new(recording!("10-estimate-verify/07-DIR-to-SD"), Side::Dialler, password("sd-secret"))
}

fn file() -> Script {
    our_letters(Script::new(recording!("10-estimate-verify/08-DIR-to-FD"), Side::Dialler, password("fd-secret")))
}

fn ordering() -> Script {
    // The job's first message comes later with us, while the console waits.
    console(recording!("10-estimate-verify/06-CON-to-DIR")).until_we_say("You have messages.")
}

/// The recorded verify job over this catalog, to its end.
fn verified(catalog: MemoryCatalog) -> Desk {
    let mut desk = Desk::with(verifying(&json!({})), catalog);
    desk.world.await_dial(STORAGE_PORT, storage());
    desk.world.await_dial(FILE_PORT, file());
    let console = desk.world.come_in(ordering());
    desk.world.say(console, "text quit");
    desk.world.assert_done();
    desk
}

/// Lines of the report with a difference.
fn differences(desk: &Desk) -> Vec<String> {
    let report = desk.report(VERIFY);
    let lines = report.lines().filter_map(|line| line.split_once("Difference: "));
    lines.map(|(_, line)| line.trim_start_matches("/srv/bareos-run/data/tiny/").to_owned()).collect()
}

#[test]
fn a_verify_job_is_directed_as_recorded() {
    let desk = verified(catalog_with(Some));
    assert_eq!(desk.status(VERIFY), 'T', "{}", desk.report(VERIFY));
    let shelf = desk.shelf();
    let job = shelf.catalog.job_row(VERIFY).unwrap();
    assert_eq!((job.job_type, job.level, job.job_files, job.job_bytes, job.job_errors), (b'V', b'O', 6, 0, 0));
    let volume = shelf.catalog.volume("Full-0001").unwrap();
    assert_eq!((volume.storage_id, volume.vol_read_time, volume.vol_bytes), (1, 391, 575_701));
    drop(shelf);
    let report = desk.report(VERIFY);
    for line in [
        "Verifying JobId 4, Job=backup-tiny.2026-11-23_13.06.42_04: 6 files.",
        "data channel: file daemon dials storage daemon at 127.0.0.1:42003 (connection 6), address",
        "  Differences:            0\n",
        "  Termination:            Verify OK",
    ] {
        assert!(report.contains(line), "{line} in {report}");
    }
}

#[test]
fn each_difference_between_volume_and_catalog_is_a_line_of_the_report() {
    // The digest of the third file, one letter of the name of the first, the size of the second; the last is not known.
    let desk = verified(catalog_with(|mut frame| {
        let text = String::from_utf8_lossy(&frame).into_owned();
        let put = |frame: &mut Vec<u8>, from: &[u8], to: &[u8]| {
            let at = frame.windows(from.len()).position(|bytes| bytes == from).expect("there");
            frame[at..at + from.len()].copy_from_slice(to);
        };
        if frame.ends_with(b"\x84\x39\x8d\x22") {
            *frame.last_mut().expect("a digest") ^= 1;
        } else if text.contains("1 3 /srv/bareos-run/data/tiny/hardlink-to-hello\0") {
            put(&mut frame, b"tiny/hardlink", b"tiny/Hardlink");
        } else if text.contains("2 1 /srv/bareos-run/data/tiny/hello.txt\0") {
            put(&mut frame, b" C A A A T ", b" B A A A U ");
        } else if text.contains("6 5 /srv") {
            return None;
        }
        Some(frame)
    }));
    assert_eq!(desk.status(VERIFY), 'D', "{}", desk.report(VERIFY));
    let expected = [
        "hardlink-to-hello: is not in the catalog",
        "hello.txt: links: catalog 1, volume 2; size: catalog 20, volume 19",
        "sub/data.bin: digest: catalog g4hehTu2ZAyocPkphDmNIw, volume g4hehTu2ZAyocPkphDmNIg",
        ": is not in the catalog",
        "Hardlink-to-hello: is not on the volume",
    ];
    assert_eq!(differences(&desk), expected);
    let report = desk.report(VERIFY);
    assert!(report.contains("  Differences:            5\n"), "{report}");
    assert!(report.contains("  Termination:            Verify Differences"), "{report}");
}

#[test]
fn a_file_that_is_not_on_the_volume_and_a_digest_that_only_one_side_has_are_found() {
    let mut desk = Desk::with(verifying(&json!({})), catalog_with(Some));
    desk.world.await_dial(STORAGE_PORT, storage());
    let file = file().peer_differs("the volume lacks a file", "text 5 1 pinsug5 ", &[]).peer_differs(
        "and a digest",
        "text 3 40 ",
        &[],
    );
    desk.world.await_dial(FILE_PORT, file);
    desk.world.come_in(ordering());
    assert_eq!(desk.status(VERIFY), 'D', "{}", desk.report(VERIFY));
    let expected =
        ["sub/data.bin: digest: catalog g4hehTu2ZAyocPkphDmNIg, volume none", "link-to-hello: is not on the volume"];
    assert_eq!(differences(&desk), expected);
}

#[test]
fn a_client_that_fails_makes_no_differences_but_an_error() {
    let mut desk = Desk::with(verifying(&json!({})), catalog_with(Some));
    desk.world.await_dial(STORAGE_PORT, storage());
    let file = file().peer_differs("it sees one file", "text 2 1 pinsug5 ", &[]).peer_differs(
        "and fails",
        "text 2800 End Job",
        &["text 2800 End Job TermCode=69 JobFiles=1 ReadBytes=0 JobBytes=0 Errors=1 VSS=0 Encrypt=0\\n"],
    );
    desk.world.await_dial(FILE_PORT, file);
    desk.world.come_in(ordering());
    assert_eq!(desk.status(VERIFY), 'E', "{}", desk.report(VERIFY));
    assert!(!desk.report(VERIFY).contains("is not on the volume"), "{}", desk.report(VERIFY));
}

#[test]
fn a_number_that_is_no_good_backup_is_refused_before_anybody_is_dialled() {
    let mut desk = Desk::with(verifying(&json!({})), catalog_with(Some));
    let console = desk.console();
    desk.ask(console, "run job=verify-tiny jobid=77 yes");
    assert_eq!(desk.status(VERIFY), 'f', "{}", desk.report(VERIFY));
    assert!(desk.report(VERIFY).contains("job 77 is no backup that ended well"), "{}", desk.report(VERIFY));
    let mut desk = Desk::with(verifying(&json!({})), MemoryCatalog::default());
    let console = desk.console();
    desk.ask(console, "run job=verify-tiny yes");
    assert!(desk.report(1).contains("there is no backup that ended well"), "{}", desk.report(1));
}

#[test]
fn a_job_without_files_is_verified_without_daemons() {
    let mut catalog = catalog_with(Some);
    let end = JobEnd { level: b'I', ..ended(3, 0) };
    catalog.serve(CatalogRequest::EndJob(Box::new(end))).expect("stored");
    let end = JobEnd { purged_files: true, ..ended(2, 6) };
    catalog.serve(CatalogRequest::EndJob(Box::new(end))).expect("stored");
    let mut desk = Desk::with(verifying(&json!({})), catalog);
    let console = desk.console();
    desk.ask(console, "run job=verify-tiny jobid=3 yes");
    assert_eq!(desk.status(VERIFY), 'T', "{}", desk.report(VERIFY));
    assert!(desk.report(VERIFY).contains("There is nothing to verify: JobId 3"), "{}", desk.report(VERIFY));
    desk.ask(console, "run job=verify-tiny jobid=2 yes");
    assert_eq!(desk.status(6), 'f', "{}", desk.report(6));
    assert!(
        desk.report(6).contains("the catalog no longer has the list of the files of job 2 (T0584)"),
        "{}",
        desk.report(6)
    );
}

#[test]
fn a_passive_client_is_dialled_by_the_storage_daemon_and_gets_no_second_key() {
    let mut desk = Desk::with(verifying(&json!({ "passive": true })), catalog_with(Some));
    desk.world.await_dial(STORAGE_PORT, storage().until_we_say("run"));
    desk.world.await_dial(FILE_PORT, file().until_we_say("storage address="));
    let console = desk.console();
    desk.ask(console, "run job=verify-tiny yes");
    let (sd, fd) = (console + 1, console + 2);
    let said = desk.world.heard(sd);
    let order = "text passive client address=127.0.0.1 port=42002 ssl=0\\n";
    assert_eq!(said.last().map(String::as_str), Some(order), "and no run before it");
    desk.world.say(sd, "text 2000 OK passive client\\n");
    assert_eq!(desk.world.heard(sd), ["text run"]);
    desk.world.wait(Duration::from_secs(2));
    assert_eq!(desk.world.heard(fd).last().map(String::as_str), Some("text verify level=volume\\n"));
}
