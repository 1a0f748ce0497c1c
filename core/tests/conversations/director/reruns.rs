//! Jobs of the catalog once more: which they are, whether they are to run, and what they are.

use std::time::Duration;

use serde_json::json;
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::catalog::{CatalogRequest, JobEnd, JobStart, NewJob};

use super::desk::{Desk, config};

/// When the director has started, in seconds since 1970.
const NOW: i64 = 1_795_438_891;

/// A director whose catalog has seven jobs that were due two hours ago: type, state, pool.
fn desk() -> Desk {
    let mut config = config();
    let pools = config["pools"].as_array_mut().expect("a list");
    pools.push(json!({ "name": "Other", "label_format": "Other-" }));
    let desk = Desk::with(config, MemoryCatalog::default());
    let jobs = [
        (b'B', b'T', 1),
        (b'B', b'f', 1),
        (b'B', b'A', 1),
        (b'B', b'f', 2),
        (b'B', b'E', 1),
        (b'R', b'f', 1),
        (b'B', b'W', 1),
    ];
    for (job_id, (job_type, job_status, pool_id)) in (1..).zip(jobs) {
        let name = if job_type == b'R' { "restore" } else { "backup-tiny" }.to_owned();
        let sched_time = NOW - 7_200;
        let new = NewJob {
            job: format!("old.{job_id}"),
            name,
            job_type,
            level: b'I',
            client_id: 1,
            sched_time,
            ..NewJob::default()
        };
        let (level, client_id, file_set_id) = (b'I', 1, 1);
        let start =
            JobStart { job_id, job_status: b'R', level, client_id, file_set_id, pool_id, ..JobStart::default() };
        let end = JobEnd { job_id, job_status, level, client_id, file_set_id, pool_id, ..JobEnd::default() };
        let catalog = &mut desk.shelf().catalog;
        for request in
            [CatalogRequest::CreateJob(new), CatalogRequest::StartJob(start), CatalogRequest::EndJob(Box::new(end))]
        {
            catalog.serve(request).expect("a job");
        }
    }
    desk
}

/// The jobs that were ordered beside those of the beginning.
fn ordered(desk: &Desk) -> usize {
    desk.shelf().asked.iter().filter(|request| matches!(request, CatalogRequest::CreateJob(_))).count()
}

#[test]
fn those_that_have_failed_since_a_time_or_a_number_are_told_and_ordered_one_by_one() {
    let mut desk = desk();
    let console = desk.console();
    let answer = desk.ask(console, "rerun hours=3 yes").concat();
    assert!(answer.contains("The following ids were selected for rerun:\\n2,4\\n"), "{answer}");
    assert!(answer.contains("rerunning jobid 2\\n") && answer.contains("rerunning jobid 4\\n"), "{answer}");
    assert!(answer.contains("Job queued. JobId=8\\n") && answer.contains("Job queued. JobId=9\\n"), "{answer}");
    for (line, ids) in [
        ("rerun since_jobid=3 yes", "rerun:\\n4\\n"),
        ("rerun since_jobid=1 until_jobid=3 yes", "rerun:\\n2\\n"),
        ("rerun days=1 yes", "rerun:\\n2,4\\n"),
        ("rerun hours=1 yes", "No jobids with the specified options were found.\\n"),
        ("rerun since_jobid=900 yes", "No jobids with the specified options were found.\\n"),
    ] {
        let answer = desk.ask(console, line).concat();
        assert!(answer.contains(ids), "{line}: {answer}");
    }
    for (line, why) in [
        ("rerun jobid=1 days=2 yes", "use jobid or days, not both"),
        ("rerun jobid=1 since_jobid=2 yes", "use jobid or since_jobid, not both"),
        ("rerun jobid=x yes", "jobid=x: expected numbers of jobs"),
        ("rerun jobid=6 yes", "Use restore to restore."),
    ] {
        let answer = desk.ask(console, line).concat();
        assert!(answer.contains(why), "{line}: {answer}");
    }
}

#[test]
fn several_are_run_after_a_yes_and_what_is_named_runs_whatever_its_state() {
    let mut desk = desk();
    let console = desk.console();
    let asked = desk.ask(console, "rerun hours=3").concat();
    assert!(asked.contains("2,4\\n") && asked.ends_with("text rerun these jobids? (yes/no): signal -27"), "{asked}");
    assert!(desk.ask(console, "no").concat().contains("Nothing done."));
    assert_eq!(ordered(&desk), 0);
    desk.ask(console, "rerun jobid=1,3");
    let done = desk.ask(console, "yes").concat();
    assert!(
        done.contains("rerunning jobid 3\\n") && done.contains("JobId=8\\n") && done.contains("JobId=9\\n"),
        "{done}"
    );
    // The console waits for all that it has ordered.
    desk.world.say(console, "text wait");
    desk.world.wait(Duration::from_secs(4_000));
    let end = desk.world.heard(console).concat();
    assert!(end.ends_with("signal -1"), "{end}");
    assert_eq!((desk.status(8), desk.status(9)), ('f', 'f'));
}

#[test]
fn a_job_runs_again_with_its_level_and_pool() {
    let mut desk = desk();
    let console = desk.console();
    let shown = desk.ask(console, "rerun jobid=4").concat();
    assert!(shown.contains("Level:    Incremental\\n") && shown.contains("Pool:     Other"), "{shown}");
    assert!(desk.ask(console, "yes").concat().contains("Job queued. JobId=8"));
}
