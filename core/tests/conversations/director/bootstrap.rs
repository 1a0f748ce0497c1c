//! `write_bootstrap`: what a restore without the catalog needs of a backup, at its end; and `restore bootstrap=`, such a restore.

use serde_json::json;
use towline_core::bulk::work::{DiskDone, DiskError};
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::catalog::{CatalogRequest, JobMediaRow, MediaRow};
use towline_core::work::WorkDone;
use towline_core::work::script::{GatherOrder, PathList, ScriptDone, ScriptEnd, ScriptOutcome, Ungathered};

use super::desk::{Desk, STORAGE_PORT, config, errand};
use super::jobs::{file_end, storage_end};

const SECTION: &str = "Storage=\"File1\"\nVolume=\"Full-0001\"\nMediaType=\"File1\"\nVolSessionId=1\n\
                       VolSessionTime=1795438888\nVolAddr=188-1048763\nFileIndex=1-6\nCount=6\n";

/// A backup up to its end, whose bootstrap goes there.
fn ended(target: &str, level: &str, change: fn(&Desk)) -> Desk {
    let mut config = config();
    config["jobs"][0]["write_bootstrap"] = json!(target);
    config["jobs"][0]["level"] = json!(level);
    config["jobs"][0]["run_scripts"] = json!([{ "command": "/after %e", "runs_when": "after", "runs_on_client": false,
        "runs_on_failure": true }]);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    change(&desk);
    let (_, sd, fd) = desk.lead(9);
    let row = MediaRow {
        volume_name: "Full-0001".to_owned(),
        media_type: "File1".to_owned(),
        pool_id: 1,
        storage_id: 1,
        enabled: true,
        ..MediaRow::default()
    };
    let piece = JobMediaRow {
        job_id: 1,
        media_id: 1,
        first_index: 1,
        last_index: 6,
        start_block: 188,
        end_block: 1_048_763,
        ..JobMediaRow::default()
    };
    for request in [CatalogRequest::CreateMedia(Box::new(row)), CatalogRequest::CreateJobMedia(piece)] {
        desk.shelf().catalog.serve(request).expect("a row");
    }
    desk.world.say(fd, &file_end(b'T', 0));
    desk.world.say(sd, &storage_end(b'T', 0));
    desk
}

#[test]
fn a_full_backup_writes_its_file_anew_before_the_commands_after_it() {
    let desk = ended("/var/%c-%l.bsr", "full", |_| {});
    let [(path, text, appends)] = desk.shelf().put.clone().try_into().expect("one file");
    assert_eq!((&*path, appends), ("/var/bareos-fd-Full.bsr", false));
    let (head, section) = text.split_once('\n').unwrap();
    assert!(head.starts_with("# 23-Nov-2026 13:01:") && head.contains(" - backup-tiny.2026-11-23_"), "{head}");
    assert!(head.ends_with(" - Full"), "{head}");
    assert_eq!(section, SECTION);
    assert_eq!(desk.shelf().ran[0].words, ["/after", "OK"]);
}

#[test]
fn what_cannot_be_written_costs_a_job_its_success() {
    let desk = ended("/none/x.bsr", "full", |desk| {
        desk.shelf().ends = |_| {
            let end = ScriptEnd { lines: Vec::new(), left_out: 0, outcome: ScriptOutcome::Exited(0) };
            Some(WorkDone::Script(ScriptDone::Ended(end)))
        };
        desk.shelf().puts =
            || DiskDone::Failed { error: DiskError::Missing("/none/x.bsr".to_owned()), buffer: Vec::new() };
    });
    assert_eq!(desk.status(1), 'E');
    let report = desk.report(1);
    assert!(
        report.contains("the bootstrap was not written to /none/x.bsr: ") && report.contains("(T0900)"),
        "{report}"
    );
    assert_eq!(desk.shelf().ran[0].words, ["/after", "Error"]);
}

#[test]
fn a_command_reads_the_bootstrap_and_may_fail_the_job() {
    for (status, expected) in [(0, 'T'), (3, 'E')] {
        let mut desk = ended("|/usr/bin/mail 'of %n' root", "full", |_| {});
        let order = desk.shelf().ran[0].clone();
        assert_eq!(order.words, ["/usr/bin/mail", "of backup-tiny", "root"]);
        assert!(String::from_utf8(order.input).unwrap().ends_with(SECTION));
        let end = || ScriptEnd { lines: vec!["sent".to_owned()], left_out: 0, outcome: ScriptOutcome::Exited(status) };
        desk.world.answer(WorkDone::Script(ScriptDone::Ended(end())));
        assert_eq!(desk.status(1), 'R', "the command after it runs");
        let good = ScriptEnd { outcome: ScriptOutcome::Exited(0), ..end() };
        desk.world.answer(WorkDone::Script(ScriptDone::Ended(good)));
        assert_eq!(desk.status(1), expected);
        assert!(desk.report(1).contains("WriteBootstrap: sent\n"));
    }
}

#[test]
fn a_backup_that_failed_or_saved_nothing_writes_none() {
    let mut config = config();
    config["jobs"][0]["write_bootstrap"] = json!("/x.bsr");
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let (_, sd, fd) = desk.lead(9);
    desk.world.say(fd, &file_end(b'f', 1));
    desk.world.say(sd, &storage_end(b'f', 1));
    assert_eq!((desk.status(1), desk.shelf().put.len()), ('f', 0));
}

/// A desk with the volume of [`SECTION`], and files on the director that hold this.
fn with_file(held: fn(&GatherOrder) -> Option<WorkDone>) -> Desk {
    let desk = Desk::with(config(), MemoryCatalog::default());
    let volume = MediaRow { volume_name: "Full-0001".to_owned(), pool_id: 1, storage_id: 1, ..MediaRow::default() };
    desk.shelf().catalog.serve(CatalogRequest::CreateMedia(Box::new(volume))).expect("a row");
    desk.shelf().held = held;
    desk
}

fn lines(text: &str) -> WorkDone {
    WorkDone::Script(ScriptDone::Gathered(Ok(vec![text.lines().map(|line| line.as_bytes().to_vec()).collect()])))
}

#[test]
fn what_a_file_names_is_restored_without_asking_the_catalog_for_files() {
    let mut desk = with_file(|_| Some(lines(SECTION)));
    let console = desk.console();
    let asked = desk.ask(console, "restore bootstrap=/var/b.bsr client=bareos-fd where=/tmp/r").concat();
    for words in
        ["Full-0001", "6 files selected to be restored.", "Where:           /tmp/r", "OK to run? (yes/mod/no): "]
    {
        assert!(asked.contains(words), "{words}: {asked}");
    }
    assert_eq!(desk.shelf().lists[0].lists, [PathList::File("/var/b.bsr".to_owned())]);
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    let queued = desk.ask(console, "yes").concat();
    assert!(queued.contains("Job queued. JobId=1"), "{queued}");
    let job = desk.world.heard(console + 1).concat();
    assert!(job.contains("JobId=1 ") && job.contains(" type=82 "), "{job}");
    let is_of_files = |request: &CatalogRequest| {
        matches!(request, CatalogRequest::FilesForRestore { .. } | CatalogRequest::JobsForRestore { .. })
    };
    assert!(!desk.shelf().asked.iter().any(is_of_files));
}

#[test]
fn a_file_that_names_nothing_that_can_be_restored_is_refused_with_its_reason() {
    let unread = || WorkDone::Script(ScriptDone::Gathered(Err(Ungathered { list: 0, why: "no such file".to_owned() })));
    type Held = fn(&GatherOrder) -> Option<WorkDone>;
    let cases: [(&str, Held, &str); 5] = [
        ("/b", |_| Some(lines("Volume=\"Gone-0001\"\nVolSessionId=1\nVolSessionTime=7\n")), "Gone-0001"),
        ("/b", |_| Some(lines("Volume=\"Full-0001\"\nVolSessionId=x\n")), "/b"),
        ("b.bsr", |_| None, "restore bootstrap=/PATH"),
        ("/b", |_| Some(lines("Storage=\"File9\"\nVolume=\"Full-0001\"\nVolSessionId=1\n")), "File9"),
        ("/b", |_| Some(WorkDone::Script(ScriptDone::Gathered(Ok(vec![vec![]])))), ""),
    ];
    for (file, held, why) in cases {
        let mut desk = with_file(held);
        let console = desk.console();
        let said = desk.ask(console, &format!("restore bootstrap={file} client=bareos-fd where=/tmp/r yes")).concat();
        assert!(said.contains(why) && !said.contains("Job queued"), "{file}: {said}");
        assert!(desk.shelf().catalog.job_row(1).is_none());
    }
    let mut desk = with_file(|_| None);
    let console = desk.console();
    desk.ask(console, "restore bootstrap=/b client=bareos-fd yes");
    desk.world.answer(unread());
    let said = desk.world.heard(console).concat();
    assert!(said.contains("no such file"), "{said}");
}
