//! How long jobs may take, which of them run beside each other, and of which there may be only one. Nobody answers a dial here
//! unless a test says so.

use std::time::Duration;

use serde_json::{Value, json};
use towline_core::catalog::memory::MemoryCatalog;

use super::desk::{Desk, config};

/// A director with these settings of its backup.
fn with(settings: Value) -> Desk {
    let mut config = config();
    let job = config["jobs"][0].as_object_mut().expect("a job");
    job.extend(settings.as_object().expect("settings").clone());
    Desk::with(config, MemoryCatalog::default())
}

fn wait(desk: &mut Desk, seconds: u64) {
    desk.world.wait(Duration::from_secs(seconds));
}

#[test]
fn a_job_that_runs_longer_than_it_may_is_cancelled() {
    for (settings, seconds) in [
        (json!({ "max_run_time": "5 min" }), 300),
        (json!({ "max_run_time": "5 min", "full_max_run_time": "2 min" }), 120),
        (json!({ "max_run_time": "5 min", "incremental_max_run_time": "2 min" }), 300),
        (json!({ "max_run_sched_time": "4 min" }), 240),
    ] {
        let mut desk = with(settings);
        desk.lead(9);
        wait(&mut desk, seconds - 2);
        assert_eq!(desk.status(1), 'R', "{}", desk.report(1));
        wait(&mut desk, 4);
        let code = if seconds == 240 { "(T0655)" } else { "(T0654)" };
        assert!(desk.report(1).contains(code), "{}", desk.report(1));
        wait(&mut desk, 15);
        assert_eq!(desk.status(1), 'A');
    }
}

#[test]
fn a_job_without_limits_runs_on() {
    let mut desk = with(json!({}));
    desk.lead(9);
    wait(&mut desk, 86_400);
    assert_eq!(desk.status(1), 'R', "{}", desk.report(1));
}

#[test]
fn a_job_that_waits_longer_than_it_may_is_cancelled() {
    let mut desk = with(json!({ "maximum_concurrent_jobs": 1, "max_wait_time": "5 min" }));
    let (console, ..) = desk.lead(9);
    desk.ask(console, "run job=backup-tiny yes");
    wait(&mut desk, 298);
    assert_eq!(desk.status(2), 'C');
    wait(&mut desk, 4);
    assert_eq!(desk.status(2), 'A');
    assert!(desk.report(2).contains("max wait time exceeded: it has waited for 5 min (T0653)"), "{}", desk.report(2));
    assert_eq!(desk.status(1), 'R');
}

#[test]
fn what_a_job_waits_for_volumes_counts_with_what_it_waited_before() {
    let mut desk = with(json!({ "max_wait_time": "5 min" }));
    let (_, sd, _) = desk.lead(9);
    wait(&mut desk, 600);
    desk.world.say(sd, "text Status Job=x JobStatus=109\\n");
    wait(&mut desk, 200);
    desk.world.say(sd, "text Status Job=x JobStatus=82\\n");
    wait(&mut desk, 600);
    desk.world.say(sd, "text Status Job=x JobStatus=109\\n");
    wait(&mut desk, 90);
    assert_eq!(desk.status(1), 'R', "{}", desk.report(1));
    wait(&mut desk, 11);
    assert!(desk.report(1).contains("(T0653)"), "{}", desk.report(1));
}

#[test]
fn a_job_that_would_begin_too_late_does_not() {
    let mut desk = with(json!({ "maximum_concurrent_jobs": 1, "max_start_delay": "15 s" }));
    let console = desk.console();
    for _ in 0..2 {
        desk.ask(console, "run job=backup-tiny yes");
    }
    // The first fails after 20 s.
    wait(&mut desk, 45);
    assert_eq!((desk.status(1), desk.status(2)), ('f', 'A'), "{}{}", desk.report(1), desk.report(2));
    assert!(desk.report(2).contains("it has not started within 15 s (T0652)"), "{}", desk.report(2));
}

/// What becomes of two jobs of a resource with these settings, of which the first runs or waits for another job.
fn two(settings: &Value, levels: [&str; 2], is_queued: bool) -> [char; 2] {
    let mut settings = settings.clone();
    settings["allow_duplicate_jobs"] = json!(false);
    let mut config = config();
    let job = config["jobs"][0].as_object_mut().expect("a job");
    job.extend(settings.as_object().expect("settings").clone());
    let mut other = config["jobs"][0].clone();
    (other["name"], config["director"]["maximum_concurrent_jobs"]) = (json!("other"), json!(1));
    config["jobs"].as_array_mut().expect("jobs").push(other);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let console = desk.console();
    if is_queued {
        desk.ask(console, "run job=other yes");
    }
    for level in levels {
        desk.ask(console, &format!("run job=backup-tiny level={level} yes"));
    }
    let first = if is_queued { 2 } else { 1 };
    let reports = [desk.report(first), desk.report(first + 1)];
    let codes = ["(T0656)", "(T0657)"].map(|code| reports.iter().any(|report| report.contains(code)));
    assert_eq!(codes.into_iter().filter(|has| *has).count(), 1, "{reports:?}");
    [desk.status(first), desk.status(first + 1)]
}

#[test]
fn of_two_jobs_of_a_resource_that_allows_one_the_one_goes_that_it_says() {
    let (none, running) = (json!({}), json!({ "cancel_running_duplicates": true }));
    let (queued, lower) =
        (json!({ "cancel_queued_duplicates": true }), json!({ "cancel_lower_level_duplicates": true }));
    let incrementals = ["incremental", "incremental"];
    for is_queued in [false, true] {
        // Its start is not recorded before its storage daemon is there.
        let lives = 'C';
        assert_eq!(two(&none, incrementals, is_queued), [lives, 'A']);
        assert_eq!(two(&running, incrementals, is_queued)[0], 'A');
        assert_eq!(two(&queued, incrementals, is_queued)[0], if is_queued { 'A' } else { lives });
        // One that runs has become full, for there is nothing to build on.
        assert_eq!(two(&lower, ["incremental", "full"], is_queued)[0], if is_queued { 'A' } else { lives });
        assert_eq!(two(&lower, ["full", "incremental"], is_queued), [lives, 'A']);
        assert_eq!(two(&lower, ["full", "full"], is_queued), [lives, 'A']);
    }
}

/// Jobs with these priorities, ordered one after the other: which of them have started at once.
fn started(jobs: &[(u32, bool)]) -> Vec<bool> {
    let mut config = config();
    for (number, (priority, mixes)) in jobs.iter().enumerate() {
        let mut job = config["jobs"][0].clone();
        (job["name"], job["priority"]) = (json!(format!("job-{number}")), json!(priority));
        job["allow_mixed_priority"] = json!(mixes);
        config["jobs"].as_array_mut().expect("jobs").push(job);
    }
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let console = desk.console();
    for number in 0..jobs.len() {
        desk.ask(console, &format!("run job=job-{number} yes"));
    }
    (1..=u32::try_from(jobs.len()).expect("few")).map(|id| desk.report(id).contains("Start Backup")).collect()
}

#[test]
fn jobs_of_different_priorities_run_one_after_the_other_unless_all_let_it_be() {
    assert_eq!(started(&[(10, false), (10, false), (11, false), (10, false)]), [true, true, false, true]);
    assert_eq!(started(&[(10, false), (5, false), (10, false)]), [true, false, false], "the third does not overtake");
    assert_eq!(started(&[(10, true), (5, true), (10, false)]), [true, true, false]);
    assert_eq!(started(&[(10, false), (5, true)]), [true, false]);
    assert_eq!(started(&[(10, true), (5, false)]), [true, false]);
    assert_eq!(started(&[(5, true), (10, true)]), [true, false], "only those of a lower number come in");
}

#[test]
fn an_admin_job_needs_no_daemon() {
    let mut desk = with(json!({ "kind": "admin", "level": "incremental" }));
    let console = desk.console();
    let refused = desk.ask(console, "run job=backup-tiny level=full yes").concat();
    assert!(refused.contains("level= changes nothing"), "{refused}");
    desk.ask(console, "run job=backup-tiny yes");
    let row = desk.shelf().catalog.job_row(1).expect("the job").clone();
    assert_eq!((row.job_type, row.job_status), (b'D', b'T'), "{}", desk.report(1));
    assert!(desk.report(1).contains("Termination:            Admin OK"), "{}", desk.report(1));
    assert!(!desk.report(1).contains("SD ") && !desk.report(1).contains("Client:"), "{}", desk.report(1));
}
