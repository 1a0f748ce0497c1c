//! A cancel is answered within a second, whoever is silently gone; the job ends, and the next one has its place.

use std::time::Duration;

use towline_simtests::town::{Plan, Town, some_files};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// A town in the middle of a backup of some megabytes; returns the job's number.
fn busy_town(seed: u64) -> (Town, u32) {
    let plan = Plan { files: some_files(seed, 60, 400_000), rate: 60_000, ..Plan::new(seed) };
    let mut town = Town::new(plan);
    let Some(job) = town.order("run job=backup yes") else { panic!("not taken: {:?}", town.heard()) };
    town.world.run_for(2 * SECOND);
    assert!(town.ended(job).is_none(), "the backup is over already: {}", town.report(job));
    (town, job)
}

/// Cancels; the answer must come within a second.
fn cancel(town: &mut Town, job: u32) -> String {
    match town.say(&format!("cancel jobid={job}"), SECOND) {
        Some(answer) => answer,
        None => panic!("no answer within a second\n{}", town.world.trace().tail(80)),
    }
}

fn status_of(town: &mut Town, job: u32, within: Duration) -> char {
    match town.await_end(job, within) {
        Some(row) => char::from(row.job_status),
        None => panic!("job {job} hangs: {:#?}\n{}", town.world.pending(), town.report(job)),
    }
}

#[test]
fn a_cancel_in_good_order_is_confirmed_by_both_and_frees_the_device() {
    let (mut town, job) = busy_town(41);
    let answer = cancel(&mut town, job);
    assert!(answer.contains("The file daemon \"fd\" has ended the job already."), "{answer}");
    assert!(answer.contains("The storage daemon \"sd\" has confirmed."), "{answer}");
    assert_eq!(status_of(&mut town, job, SECOND), 'A');
    let Some(next) = town.order("run job=backup yes") else { panic!("not taken") };
    let status = status_of(&mut town, next, HOUR);
    assert!(matches!(status, 'T' | 'W'), "{status}: {}", town.report(next));
    assert!(!town.report(next).contains("another job uses it"), "{}", town.report(next));
}

#[test]
fn a_client_that_is_silently_gone_costs_a_cancel_nothing() {
    let (mut town, job) = busy_town(42);
    let (client, storage, director) = (town.client, town.storage, town.director);
    town.world.cut(director, client);
    town.world.cut(storage, client);
    town.world.run_for(3 * SECOND);
    let answer = cancel(&mut town, job);
    assert!(answer.contains("The storage daemon \"sd\" has confirmed."), "{answer}");
    assert!(answer.contains("The file daemon \"fd\" has not confirmed yet"), "{answer}");
    assert_eq!(status_of(&mut town, job, SECOND), 'A');
    // The device is free: the client comes back as another machine would, and its next job waits for nobody.
    town.world.heal();
    town.start_client();
    let Some(next) = town.order("run job=backup yes") else { panic!("not taken") };
    let status = status_of(&mut town, next, HOUR);
    assert!(matches!(status, 'T' | 'W'), "{status}: {}", town.report(next));
    assert!(!town.report(next).contains("another job uses it"), "{}", town.report(next));
}

#[test]
fn both_daemons_gone_a_cancel_is_answered_and_the_place_is_free() {
    let (mut town, job) = busy_town(43);
    let (client, storage, director) = (town.client, town.storage, town.director);
    town.world.cut(director, client);
    town.world.cut(director, storage);
    town.world.run_for(3 * SECOND);
    let answer = cancel(&mut town, job);
    assert!(answer.contains("The storage daemon \"sd\" has not confirmed yet"), "{answer}");
    assert!(answer.contains("The file daemon \"fd\" has not confirmed yet"), "{answer}");
    // `maximum_concurrent_jobs` is 1 everywhere: the next job runs although the storage daemon may still answer.
    let Some(next) = town.order("run job=backup yes") else { panic!("not taken") };
    let status = town.say("status director", SECOND).unwrap_or_default();
    assert!(status.contains("connecting to the storage daemon"), "{status}");
    assert_eq!(status_of(&mut town, job, 11 * SECOND), 'A');
    town.world.heal();
    let status = status_of(&mut town, next, HOUR);
    assert!(matches!(status, 'T' | 'W'), "{status}: {}", town.report(next));
}

#[test]
fn a_job_that_still_tries_to_connect_is_cancelled_at_once() {
    let mut town = Town::new(Plan::new(44));
    let (storage, director) = (town.storage, town.director);
    town.world.cut(director, storage);
    let Some(job) = town.order("run job=backup yes") else { panic!("not taken") };
    town.world.run_for(30 * SECOND);
    cancel(&mut town, job);
    assert_eq!(status_of(&mut town, job, SECOND), 'A');
}
