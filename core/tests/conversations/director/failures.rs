//! What a director does when its catalog fails.

use std::time::Duration;

use serde_json::json;
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::catalog::{CatalogErrorKind, CatalogRequest};
use towline_core::event::Event;
use towline_core::limits::{RECORD_AGAIN, UNRECORDED};
use towline_core::notice::ExitReason;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, Which, backup_file, backup_storage, config};
use super::jobs::{file_end, storage_end};
use crate::support::roles::Protection;
use crate::support::world::PeerId;

#[test]
fn a_director_without_a_usable_catalog_ends_with_the_reason() {
    let broken: [Which; 5] = [
        |request| matches!(request, CatalogRequest::MarkUnfinishedJobsFailed { .. }),
        |request| matches!(request, CatalogRequest::EnsureClient(_)),
        |request| matches!(request, CatalogRequest::EnsureFileSet(_)),
        |request| matches!(request, CatalogRequest::EnsurePool(_)),
        |request| matches!(request, CatalogRequest::EnsureStorage { .. }),
    ];
    for broken in broken {
        let mut desk = Desk::begin(config(), MemoryCatalog::default(), Protection::Clear, broken);
        assert_eq!(desk.world.exit, None, "it may come back");
        for (kind, exit) in [(CatalogErrorKind::Denied, 74), (CatalogErrorKind::Taken, 75)] {
            desk = Desk::begin(config(), MemoryCatalog::default(), Protection::Clear, broken);
            desk.shelf().failure = kind;
            desk.world.wait(Duration::from_secs(10));
            assert_eq!(desk.world.exit, Some(ExitReason::Failed(exit)), "{kind:?}");
            assert!(desk.log().contains("the catalog cannot be used: catalog: it is gone; "), "{}", desk.log());
        }
    }
}

#[test]
fn a_director_whose_catalog_is_away_at_the_start_serves_says_so_and_goes_on_when_it_is_back() {
    // Starts at 13:01:33 on 2026-11-23, before the job is due.
    let mut config = config();
    config["schedules"] = json!([{ "name": "often", "runs": [{ "at": ["13:05"] }] }]);
    config["jobs"][0]["schedule"] = json!("often");
    let mut desk = Desk::begin(config, MemoryCatalog::default(), Protection::Clear, |_| true);
    let mut console = desk.console();
    let status = desk.ask(console, "status director").concat();
    assert!(status.contains("waiting for the catalog: the catalog (it is gone; T0701). No job can run."), "{status}");
    for line in ["run job=backup-tiny yes", "list jobs", "reload"] {
        let answer = desk.ask(console, line).concat();
        assert!(answer.contains("Jobs wait with it (T0780)"), "{line}: {answer}");
    }
    assert!(desk.ask(console, "version").concat().contains("Version"), "other commands are answered");
    desk.world.wait(Duration::from_secs(600));
    assert_eq!(desk.shelf().catalog.job_row(1), None);
    assert_eq!(desk.log().matches("waiting for the catalog").count(), 1, "said once: {}", desk.log());
    desk.shelf().broken = |_| false;
    desk.world.wait(Duration::from_secs(5));
    assert!(desk.log().contains("the catalog is there: jobs may run"), "{}", desk.log());
    assert!(!desk.log().contains("missed"), "{}", desk.log());
    console = desk.console();
    let status = desk.ask(console, "status director").concat();
    assert!(!status.contains("waiting for the catalog"), "{status}");
    assert!(desk.shelf().catalog.job_row(1).is_some(), "the job that became due meanwhile: {status}");
    assert_eq!(desk.shelf().catalog.job_row(2), None, "once");
}

#[test]
fn a_catalog_that_does_not_answer_at_the_start_is_told_of_and_the_director_can_be_stopped() {
    assert!(!Desk::open().log().contains("T0780"), "one that answers is not waited for");
    let mut desk = Desk::hanging();
    assert!(desk.log().contains("waiting for the catalog. Start the server"), "{}", desk.log());
    let console = desk.console();
    assert!(desk.ask(console, "list jobs").concat().contains("(T0780)"));
    desk.world.event(Event::StopRequested);
    assert_eq!(desk.world.exit, Some(ExitReason::Done));
}

#[test]
fn jobs_that_a_crash_left_running_are_marked_at_the_next_start() {
    let mut desk = Desk::open();
    desk.backup();
    let catalog = desk.shelf().catalog.clone();
    let desk = Desk::with(config(), catalog);
    assert_eq!(desk.status(1), 'f');
    assert!(desk.log().contains("1 job had not ended"), "{}", desk.log());
}

#[test]
fn a_job_that_cannot_be_created_is_not_run_and_the_console_hears_why() {
    let mut desk = Desk::open();
    desk.shelf().broken = |request| matches!(request, CatalogRequest::CreateJob(_));
    let console = desk.console();
    let answer = desk.ask(console, "run job=backup-tiny yes");
    assert!(answer[1].starts_with("text Job failed: catalog: it is gone (T0701); check that"), "{answer:?}");
    assert_eq!(answer.last().map(String::as_str), Some("signal -1"));
    desk.shelf().broken = |_| false;
    assert!(desk.ask(console, "run job=backup-tiny yes")[1].starts_with("text Job queued."));
}

#[test]
fn whatever_fails_in_the_catalog_fails_the_job_which_is_recorded_and_the_next_one_works() {
    let row = crate::recording!("01-backup-full/01-DIR-to-SD").lines();
    let row = row.clone().find(|line| line.starts_with("< binary 557064436174")).unwrap().trim_start_matches("< ");
    let update = "text CatReq Job=J UpdateMedia VolName=Full-0001 VolJobs=0 VolFiles=0 VolBlocks=1 VolBytes=193 VolMounts=0 \
                  VolErrors=0 VolWrites=1 MaxVolBytes=0 EndTime=1795438893 VolStatus=Append Slot=0 relabel=1 InChanger=0 \
                  VolReadTime=0 VolWriteTime=20 VolFirstWritten=0\\n";
    let media = "text CatReq Job=J CreateJobMedia FirstIndex=0 LastIndex=0 StartFile=0 EndFile=0 StartBlock=0 EndBlock=0 \
                 Copy=0 Strip=0 MediaId=1\\n";
    let find = "text CatReq Job=J FindMedia=1 pool_name=Full media_type=File1 unwanted_volumes=\\n";
    let cases: [(Which, &str, Option<&str>); 8] = [
        (|r| matches!(r, CatalogRequest::VolumesOfPool { .. }), find, Some("text 1901 No Media.\\n")),
        (|r| matches!(r, CatalogRequest::MaxMediaId), find, Some("text 1901 No Media.\\n")),
        (|r| matches!(r, CatalogRequest::CreateMedia(_)), find, Some("text 1901 No Media.\\n")),
        (
            |r| matches!(r, CatalogRequest::VolumeByName(_)),
            "text CatReq Job=J GetVolInfo VolName=Full-0001 write=1\\n",
            Some("text 1998 Volume \"Full-0001\" catalog status is unknown, the catalog failed.\\n"),
        ),
        (|r| matches!(r, CatalogRequest::VolumeByName(_)), update, Some("text 1993 Update Media error\\n")),
        (|r| matches!(r, CatalogRequest::CreateJobMedia(_)), media, Some("text 1992 Create JobMedia error\\n")),
        (
            |r| matches!(r, CatalogRequest::DeleteNullJobMedia { .. }),
            "text CatReq Job=J DeleteNullJobmediaRecords jobid=1",
            Some("text 1992 DeleteNullJobMediaRecords error\\n"),
        ),
        (|r| matches!(r, CatalogRequest::InsertFiles { .. }), row, None),
    ];
    for (broken, line, answer) in cases {
        let mut desk = Desk::open();
        let (console, sd, fd) = desk.backup();
        desk.world.say(fd, "text 2000 OK backup\\n");
        desk.world.heard(sd);
        desk.shelf().broken = broken;
        desk.world.say(sd, line);
        desk.world.say(sd, "text Status Job=J JobStatus=82\\n");
        assert_eq!(desk.world.heard(sd), Vec::from_iter(answer), "{line}");
        desk.world.say(sd, &storage_end(b'A', 0));
        assert_eq!(desk.status(1), 'f', "{line}");
        assert!(desk.report(1).contains("it is gone"), "{line}: {}", desk.report(1));
        desk.shelf().broken = |_| false;
        assert!(desk.ask(console, "run job=backup-tiny yes")[1].starts_with("text Job queued. JobId=2"));
    }
}

#[test]
fn a_start_that_is_not_recorded_fails_the_job() {
    let mut desk = Desk::open();
    desk.shelf().broken = |request| matches!(request, CatalogRequest::StartJob(_));
    desk.lead(2);
    assert_eq!(desk.status(1), 'f');
    assert!(desk.report(1).contains("it is gone"), "{}", desk.report(1));
}

/// The end of a good backup for which the catalog has no room. Returns the desk and the console.
fn unrecorded() -> (Desk, PeerId) {
    let mut desk = Desk::open();
    desk.shelf().failure = CatalogErrorKind::Full;
    let (console, sd, fd) = desk.backup();
    desk.shelf().broken = |request| matches!(request, CatalogRequest::EndJob(_));
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(fd, &file_end(b'T', 0));
    desk.world.say(sd, &storage_end(b'T', 0));
    (desk, console)
}

/// How often the catalog was asked to record the end of a job.
fn asked_to_record(desk: &Desk) -> usize {
    desk.shelf().asked.iter().filter(|request| matches!(request, CatalogRequest::EndJob(_))).count()
}

#[test]
fn an_end_for_which_the_catalog_has_no_room_is_recorded_once_when_it_has() {
    let (mut desk, console) = unrecorded();
    assert_eq!((desk.status(1), asked_to_record(&desk)), ('R', 1));
    desk.world.wait(RECORD_AGAIN - Duration::from_secs(1));
    assert_eq!(asked_to_record(&desk), 1, "not before its time");
    desk.world.wait(Duration::from_secs(1));
    assert_eq!((desk.status(1), asked_to_record(&desk)), ('R', 2), "still no room");
    let ended = desk.shelf().asked.iter().find_map(|request| match request {
        CatalogRequest::EndJob(end) => Some(end.real_end_time),
        _ => None,
    });
    desk.shelf().broken = |_| false;
    desk.world.wait(RECORD_AGAIN);
    assert_eq!((desk.status(1), asked_to_record(&desk)), ('T', 3));
    assert_eq!(
        desk.shelf().catalog.job_row(1).map(|row| row.real_end_time),
        ended,
        "when it ended, not when it was recorded"
    );
    desk.world.wait(3 * RECORD_AGAIN);
    assert_eq!(asked_to_record(&desk), 3, "once");
    let log = desk.log();
    assert_eq!(
        log.matches("job 1: the end of the job (status T) is not recorded yet: catalog: it is gone, T0703").count(),
        1
    );
    assert_eq!(log.matches("job 1: the end of the job (status T) is recorded at last").count(), 1, "{log}");
    let status = desk.ask(console, "status director").concat();
    assert!(status.contains("OK       23-Nov-26") && !status.contains("Unrecorded Jobs"), "{status}");
}

#[test]
fn a_job_whose_end_waits_for_the_catalog_has_ended_for_everybody_else() {
    let (mut desk, console) = unrecorded();
    let shown = desk.ask(console, "messages").concat();
    assert!(shown.contains("Warning: the end of the job (status T) is not recorded yet"), "{shown}");
    let status = desk.ask(console, "status director").concat();
    assert!(status.contains("No Jobs running."), "{status}");
    assert!(status.contains("has ended with status OK (T) at 23-Nov-26"), "{status}");
    assert!(status.contains("waiting for the catalog to record its end"), "{status}");
    let unique = desk.shelf().catalog.job_row(1).expect("the job").job.clone();
    for cancel in ["cancel jobid=1 yes".to_owned(), format!("cancel job={unique} yes")] {
        let answer = desk.ask(console, &cancel).concat();
        assert!(
            answer.contains("JobId 1 has ended (OK); only the record of its end waits for the catalog."),
            "{answer}"
        );
    }
    for wait in ["wait jobid=1", "wait"] {
        let answer = desk.ask(console, wait).concat();
        assert!(answer.contains("signal -1"), "{wait} waits: {answer}");
    }
    assert!(desk.ask(console, "wait jobid=1").concat().contains("JobStatus=OK (T)"));
}

#[test]
fn a_job_whose_end_waits_for_the_catalog_takes_no_room() {
    let mut config = config();
    config["jobs"][0]["maximum_concurrent_jobs"] = json!(1);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    desk.shelf().broken = |request| matches!(request, CatalogRequest::EndJob(_));
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    desk.ask(console, "cancel jobid=1 yes");
    desk.ask(console, "run job=backup-tiny yes");
    assert!(desk.report(2).contains("Start Backup JobId 2"), "{}", desk.report(2));
}

#[test]
fn a_director_that_stops_offers_the_ends_once_more_and_does_not_wait_for_them() {
    let (mut desk, _) = unrecorded();
    desk.world.event(Event::StopRequested);
    desk.world.run();
    assert_eq!((desk.world.exit.clone(), asked_to_record(&desk)), (Some(ExitReason::Done), 2));
    assert!(desk.log().contains("before the catalog has recorded the ends of jobs: 1"), "{}", desk.log());

    let (mut desk, _) = unrecorded();
    desk.shelf().broken = |_| false;
    desk.world.event(Event::StopRequested);
    desk.world.run();
    assert_eq!((desk.world.exit.clone(), desk.status(1)), (Some(ExitReason::Done), 'T'));
    assert!(!desk.log().contains("before the catalog has recorded"), "{}", desk.log());
}

/// A backup whose catalog takes no lines of reports, and whose client has said something. Returns the desk and the daemons.
fn unreported() -> (Desk, PeerId, PeerId) {
    let mut desk = Desk::open();
    let (_, sd, fd) = desk.backup();
    desk.shelf().broken = |request| matches!(request, CatalogRequest::AddLogs(_));
    for name in ["one", "two"] {
        desk.world.say(fd, &format!("text Jmsg JobId=1 type=5 level=0 cannot read /data/{name}\\n"));
    }
    (desk, sd, fd)
}

#[test]
fn lines_that_the_catalog_did_not_take_are_in_the_report_once_it_is_back() {
    let (mut desk, sd, fd) = unreported();
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(fd, &file_end(b'T', 2));
    desk.world.say(sd, &storage_end(b'T', 0));
    desk.world.wait(2 * RECORD_AGAIN);
    assert_eq!(desk.status(1), 'W', "the end is recorded");
    assert!(!desk.report(1).contains("cannot read"), "{}", desk.report(1));
    desk.shelf().broken = |_| false;
    desk.world.wait(RECORD_AGAIN);
    let report = desk.report(1);
    let places = ["cannot read /data/one", "cannot read /data/two", "Backup OK -- with warnings"]
        .map(|text| (report.matches(text).count(), report.find(text)));
    assert!(places.iter().all(|(count, _)| *count == 1) && places.is_sorted_by_key(|(_, at)| *at), "{report}");
    let log = desk.log();
    assert_eq!(log.matches("lines of reports are not stored yet: catalog: it is gone").count(), 1, "{log}");
    assert_eq!(log.matches("lines of reports are stored at last").count(), 1, "{log}");
}

#[test]
fn a_director_that_stops_offers_lines_of_reports_once_more_and_does_not_wait_for_them() {
    for is_back in [true, false] {
        let (mut desk, _, _) = unreported();
        if is_back {
            desk.shelf().broken = |_| false;
        }
        desk.world.event(Event::StopRequested);
        desk.world.run();
        desk.world.wait(RECORD_AGAIN);
        assert_eq!(desk.world.exit, Some(ExitReason::Done), "{}", desk.log());
        assert_eq!(desk.report(1).contains("cannot read /data/two"), is_back, "{}", desk.report(1));
        assert_eq!(desk.log().contains("lines of a report were not stored"), !is_back, "{}", desk.log());
    }
}

#[test]
fn an_end_that_the_catalog_will_never_take_is_told_to_consoles_and_the_log() {
    let mut desk = Desk::open();
    desk.shelf().failure = CatalogErrorKind::Constraint;
    let (console, sd, fd) = desk.backup();
    desk.shelf().broken = |request| matches!(request, CatalogRequest::EndJob(_));
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(fd, &file_end(b'T', 0));
    desk.world.say(sd, &storage_end(b'T', 0));
    assert!(desk.log().contains("job 1: the end of the job was not recorded: catalog: it is gone"), "{}", desk.log());
    let shown = desk.ask(console, "messages").concat();
    assert!(shown.contains("Fatal error: the end of the job was not recorded"), "{shown}");
    assert!(desk.ask(console, "status director").concat().contains("Error    23-Nov-26"), "not shown as OK");
    desk.world.wait(2 * RECORD_AGAIN);
    assert_eq!(asked_to_record(&desk), 1);
}

#[test]
fn so_many_ends_are_kept_and_the_next_one_is_lost_with_a_message() {
    let mut desk = Desk::open();
    desk.shelf().broken = |request| matches!(request, CatalogRequest::EndJob(_));
    let console = desk.console();
    for id in 1..=UNRECORDED + 1 {
        assert!(!desk.log().contains("was not recorded"), "job {id} is one too many already");
        desk.ask(console, "run job=backup-tiny yes");
        desk.ask(console, &format!("cancel jobid={id} yes"));
    }
    let lost = format!("job {}: the end of the job was not recorded", UNRECORDED + 1);
    // How the job has ended is said in a line of its own.
    let said = |line: &&str| line.starts_with("job ") && line.contains("was not recorded");
    assert_eq!((desk.log().lines().filter(said).count(), desk.log().contains(&lost)), (1, true));
    desk.shelf().broken = |_| false;
    desk.world.wait(RECORD_AGAIN);
    let last = u32::try_from(UNRECORDED).expect("a small number");
    assert!((1..=last).all(|id| desk.status(id) == 'A'), "all that were kept");
}

#[test]
fn a_sender_of_rows_waits_while_the_catalog_is_slow_and_the_job_until_all_are_stored() {
    let mut desk = Desk::open();
    desk.world.await_dial(STORAGE_PORT, backup_storage());
    desk.world.await_dial(FILE_PORT, backup_file());
    desk.shelf().slow = |request| matches!(request, CatalogRequest::InsertFiles { .. });
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    assert_eq!(desk.status(1), 'R', "rows are not stored yet");
    assert!(!desk.world.kept.is_empty());
    desk.release();
    assert_eq!((desk.status(1), desk.shelf().catalog.file_rows(1).count()), ('T', 6));
}

#[test]
fn a_pool_without_label_format_gives_no_volume_and_the_job_goes_on() {
    let mut config = config();
    config["pools"][0]["label_format"] = json!(null);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let (_, sd, _) = desk.backup();
    desk.world.heard(sd);
    desk.world.say(sd, "text CatReq Job=J FindMedia=1 pool_name=Full media_type=File1 unwanted_volumes=\\n");
    assert_eq!(desk.world.heard(sd), ["text 1901 No Media.\\n"]);
    desk.world.say(sd, "text CatReq Job=J GetVolInfo VolName=nope write=1\\n");
    assert_eq!(desk.world.heard(sd), ["text 1997 Volume \"nope\" not in catalog.\\n"]);
    assert_eq!(desk.status(1), 'R');
}

#[test]
fn two_jobs_that_make_the_same_volume_at_the_same_moment_are_both_answered() {
    let mut desk = Desk::open();
    let (_, one, _) = desk.lead(9);
    let (_, two, _) = desk.lead(9);
    desk.world.heard(one);
    desk.world.heard(two);
    desk.shelf().slow = |request| matches!(request, CatalogRequest::CreateMedia(_));
    for sd in [one, two] {
        desk.world.say(sd, "text CatReq Job=J FindMedia=1 pool_name=Full media_type=File1 unwanted_volumes=\\n");
    }
    assert_eq!(desk.world.kept.len(), 2, "both want to make Full-0001");
    desk.release();
    let name = |lines: Vec<String>| lines.concat().split(' ').nth(3).map(str::to_owned);
    assert_eq!(name(desk.world.heard(one)).as_deref(), Some("VolName=Full-0001"));
    assert!(name(desk.world.heard(two)).is_some_and(|name| name.starts_with("VolName=Full-000")));
}

#[test]
fn a_question_nobody_knows_ends_the_job() {
    let mut desk = Desk::open();
    let (_, sd, _) = desk.backup();
    desk.world.heard(sd);
    desk.world.say(sd, "text CatReq Job=J Whatever\\n");
    assert_eq!(desk.world.heard(sd), ["text 1990 Invalid Catalog Request: CatReq Job=J Whatever\\n"]);
    desk.world.say(sd, &storage_end(b'A', 0));
    assert_eq!(desk.status(1), 'f');
}

#[test]
fn a_storage_daemon_that_says_its_end_before_it_is_told_to_run_ends_the_job_and_not_only_itself() {
    for steps in 0..7 {
        let mut desk = Desk::open();
        let (_, sd, _) = desk.lead(steps);
        desk.world.say(sd, &storage_end(b'T', 0));
        desk.world.cut(sd);
        desk.world.wait(Duration::from_secs(60));
        assert_eq!(desk.status(1), 'f', "after {steps} answers: {}", desk.report(1));
        assert!(desk.report(1).contains("3099 Job"), "after {steps} answers: {}", desk.report(1));
    }
}
