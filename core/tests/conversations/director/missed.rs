//! Runs of a schedule whose moment passed while the director was down.

use serde_json::{Value, json};
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::catalog::{CatalogRequest, JobEnd, JobStart, NewJob};

use super::desk::{Desk, config};

/// 23 November 2026, a Monday, 13:01:25 UTC: the director starts.
const START: i64 = 1_795_438_885;

/// A director whose job has a schedule of each level, and was last started so many seconds ago.
fn started_after(since: i64, missed: &str) -> Desk {
    let mut catalog = MemoryCatalog::default();
    let job = NewJob { name: "backup-tiny".to_owned(), job_type: b'B', sched_time: START - since, ..NewJob::default() };
    catalog.serve(CatalogRequest::CreateJob(job)).expect("a job");
    let start = JobStart { job_id: 1, job_status: b'R', start_time: START - since, ..JobStart::default() };
    catalog.serve(CatalogRequest::StartJob(start)).expect("its start");
    Desk::with(with_schedule(missed), catalog)
}

/// A director whose job was ordered a day ago and never began; before that it ran, or it is its first run. It was stopped then,
/// has crashed if there is no end, or a person has cancelled the job.
fn never_begun(runs_before: bool, end: Option<Option<&str>>, missed: &str) -> Desk {
    let mut catalog = MemoryCatalog::default();
    // The moment of yesterday was 16 hours before the start.
    let order = |sched_time| NewJob {
        job: format!("backup-tiny.{sched_time}"),
        name: "backup-tiny".to_owned(),
        job_type: b'B',
        sched_time,
        ..NewJob::default()
    };
    let yesterday = START - 57_684;
    if runs_before {
        catalog.serve(CatalogRequest::CreateJob(order(yesterday - DAY))).expect("a job");
        let start = JobStart { job_id: 1, job_status: b'R', start_time: yesterday - DAY, ..JobStart::default() };
        catalog.serve(CatalogRequest::StartJob(start)).expect("its start");
    }
    catalog.serve(CatalogRequest::CreateJob(order(yesterday))).expect("a job");
    if let Some(comment) = end {
        let comment = comment.map(str::to_owned);
        let (job_id, end_time) = (1 + u32::from(runs_before), yesterday + 3_600);
        let end = JobEnd { job_id, job_status: b'A', end_time, real_end_time: end_time, comment, ..JobEnd::default() };
        catalog.serve(CatalogRequest::EndJob(Box::new(end))).expect("its end");
    }
    Desk::with(with_schedule(missed), catalog)
}

fn with_schedule(missed: &str) -> Value {
    let mut config = config();
    config["schedules"] = json!([{ "name": "nightly", "runs": [
        { "at": ["21:00"], "days": ["sat"], "level": "full" },
        { "at": ["21:00"], "level": "incremental" },
    ]}]);
    (config["jobs"][0]["schedule"], config["jobs"][0]["missed"]) = (json!("nightly"), json!(missed));
    config
}

/// The levels of the jobs that have been ordered since.
fn ordered(desk: &Desk) -> String {
    let shelf = desk.shelf();
    let jobs = shelf.asked.iter().filter_map(|request| match request {
        CatalogRequest::CreateJob(job) => Some(char::from(job.level)),
        _ => None,
    });
    jobs.collect()
}

const DAY: i64 = 86_400;

#[test]
fn what_was_missed_is_said_and_left_out() {
    let desk = started_after(DAY, "skip");
    let text = "job backup-tiny missed a run while the director was down, due at 2026-11-22 21:00:00.";
    assert!(desk.log().contains(text), "{}", desk.log());
    assert_eq!(ordered(&desk), "");
}

#[test]
fn what_was_missed_is_made_up_for_once_with_the_fullest_level() {
    let desk = started_after(3 * DAY, "run");
    let text = "job backup-tiny missed 3 runs while the director was down, one of them due at 2026-11-21 21:00:00; it is run now";
    assert!(desk.log().contains(text), "{}", desk.log());
    assert_eq!(ordered(&desk), "F");
}

#[test]
fn who_was_away_for_years_has_missed_what_the_last_days_had() {
    let desk = started_after(3_000 * DAY, "run");
    assert!(desk.log().contains("missed 40 runs"), "{}", desk.log());
    assert_eq!(ordered(&desk), "F");
}

#[test]
fn nothing_was_missed_by_a_job_that_was_started_since_or_never() {
    let never = Desk::with(with_schedule("run"), MemoryCatalog::default());
    for desk in [started_after(3_600, "run"), never] {
        assert!(!desk.log().contains("missed"), "{}", desk.log());
        assert_eq!(ordered(&desk), "");
    }
}

#[test]
fn a_run_that_had_not_begun_when_the_director_stopped_or_crashed_is_made_up_for() {
    let text = "missed a run that had not begun when the director stopped, or came while it was down, due at 2026-11-22 21:00:00";
    for runs_before in [true, false] {
        for end in [None, Some(Some("not begun: the director was stopped"))] {
            let desk = never_begun(runs_before, end, "run");
            assert!(desk.log().contains(&format!("{text}; it is run now")), "{runs_before} {end:?}: {}", desk.log());
            assert_eq!(ordered(&desk), "I", "{runs_before} {end:?}");
            let desk = never_begun(runs_before, end, "skip");
            assert!(desk.log().contains(text), "{}", desk.log());
            assert_eq!(ordered(&desk), "", "{runs_before} {end:?}");
        }
        // Whoever cancels a job does not want it.
        let desk = never_begun(runs_before, Some(None), "run");
        assert!(!desk.log().contains("missed"), "{}", desk.log());
        assert_eq!(ordered(&desk), "");
    }
}

#[test]
fn a_catalog_that_does_not_say_is_named() {
    let catalog = MemoryCatalog::default();
    let lists = |request: &CatalogRequest| matches!(request, CatalogRequest::ListJobs(of) if of.name.is_some());
    let desk = Desk::begin(with_schedule("run"), catalog, crate::support::roles::Protection::Clear, lists);
    assert!(desk.log().contains("whether job backup-tiny has missed a run is not known"), "{}", desk.log());
}
