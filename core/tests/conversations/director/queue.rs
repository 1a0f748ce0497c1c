//! Which job of the queue starts when, and jobs that are tried again. Nobody answers a dial here: each job fails when its
//! storage daemon has not been reached for 30 seconds.

use std::time::Duration;

use serde_json::json;
use towline_core::catalog::memory::MemoryCatalog;

use super::desk::{Desk, config};
use super::jobs::{file_end, storage_end};

/// Longer than a job looks for its storage daemon.
const FAILED: Duration = Duration::from_secs(45);

#[test]
fn of_the_jobs_that_wait_the_one_of_the_lowest_number_starts_first() {
    let mut config = config();
    config["director"]["maximum_concurrent_jobs"] = json!(1);
    for (name, priority) in [("late", 11), ("urgent", 1), ("urgent too", 1)] {
        let mut job = config["jobs"][0].clone();
        (job["name"], job["priority"]) = (json!(name), json!(priority));
        config["jobs"].as_array_mut().unwrap().push(job);
    }
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let console = desk.console();
    for name in ["backup-tiny", "late", "urgent", "urgent too"] {
        desk.ask(console, &format!("run job=\"{name}\" yes"));
    }
    let mut started = Vec::new();
    for _ in 0..4 {
        let now: Vec<u32> = (1..=4).filter(|id| desk.report(*id).contains("Start Backup")).collect();
        started.extend(now.into_iter().filter(|id| !started.contains(id)).collect::<Vec<_>>());
        desk.world.wait(FAILED);
    }
    assert_eq!(started, [1, 3, 4, 2]);
}

/// A director whose backup is tried again twice, after ten minutes.
fn patient() -> Desk {
    let mut config = config();
    let job = &mut config["jobs"][0];
    (job["reschedule_on_error"], job["reschedule_times"]) = (json!(true), json!(2));
    job["reschedule_interval"] = json!("10 min");
    Desk::with(config, MemoryCatalog::default())
}

#[test]
fn a_failed_backup_is_tried_again_after_its_pause_and_only_so_often() {
    let mut desk = patient();
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny level=incremental yes");
    for (id, told) in [(1, "tried again in 10 min (try 1 of 2)"), (2, "(try 2 of 2)"), (3, "has failed 3 times")] {
        desk.world.wait(FAILED);
        assert_eq!(desk.status(id), 'f');
        assert!(desk.report(id).contains(told), "{}", desk.report(id));
        if id < 3 {
            let shown = desk.ask(console, "status director").concat();
            assert!(
                shown.contains(&format!("JobId {} ", id + 1)) && shown.contains("waiting for its next try"),
                "{shown}"
            );
            desk.world.wait(Duration::from_secs(540));
            assert!(!desk.report(id + 1).contains("Start"), "not before its pause is over");
            desk.world.wait(Duration::from_secs(61));
            assert!(desk.report(id + 1).contains("Start Backup"), "{}", desk.report(id + 1));
        }
    }
    desk.world.wait(Duration::from_secs(7_200));
    assert!(desk.shelf().catalog.job_row(4).is_none());
    let levels: Vec<u8> = (1..=3).map(|id| desk.shelf().catalog.job_row(id).unwrap().level).collect();
    assert_eq!(levels, [levels[0]; 3]);
}

#[test]
fn a_job_that_is_good_enough_or_cancelled_is_not_tried_again() {
    for (file, storage, expected) in
        [((b'T', 0), b'T', 'T'), ((b'T', 2), b'T', 'W'), ((b'A', 0), b'T', 'A'), ((b'E', 1), b'T', 'E')]
    {
        let mut desk = patient();
        let (_, sd, fd) = desk.backup();
        desk.world.say(fd, "text 2000 OK backup\\n");
        desk.world.say(fd, &file_end(file.0, file.1));
        desk.world.say(sd, &storage_end(storage, 0));
        assert_eq!(desk.status(1), expected);
        assert_eq!(desk.shelf().catalog.job_row(2).is_some(), expected == 'E', "{expected}");
    }
}

#[test]
fn a_job_that_waits_for_its_next_try_can_be_cancelled_and_gives_way_to_its_schedule() {
    let mut desk = patient();
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    desk.world.wait(FAILED);
    let answer = desk.ask(console, "cancel jobid=2").concat();
    assert!(answer.contains("JobId 2"), "{answer}");
    assert_eq!(desk.status(2), 'A');
    desk.world.wait(Duration::from_secs(1_000));
    assert!(desk.shelf().catalog.job_row(3).is_none(), "and that is all");

    let mut config = config();
    config["schedules"] = json!([{ "name": "soon", "runs": [{ "at": ["13:05"], "level": "full" }] }]);
    let job = &mut config["jobs"][0];
    (job["reschedule_on_error"], job["schedule"]) = (json!(true), json!("soon"));
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    // 13:01:31 now.
    desk.world.wait(Duration::from_secs(240));
    assert_eq!((desk.status(1), desk.status(2)), ('f', 'A'));
    assert!(desk.report(2).contains("its schedule starts it anew"), "{}", desk.report(2));
    assert!(desk.report(3).contains("Start Backup"), "{}", desk.report(3));
}
