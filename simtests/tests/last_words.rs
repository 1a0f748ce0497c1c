//! One daemon of a job has ended its part, and nothing comes of the other: the job ends in time all the same.

use std::time::Duration;

use towline_simtests::town::{Plan, Town, some_files};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
/// How long the daemon that is the last may be silent where heartbeats are off.
const SILENCE: Duration = Duration::from_secs(182);
/// How long the storage daemon of a failed job may take to end it.
const GRACE: Duration = Duration::from_secs(30);

/// A backup in a town without heartbeats, in the middle of its data.
fn under_way(seed: u64) -> (Town, u32) {
    let plan = Plan { files: some_files(seed, 20, 200_000), rate: 50_000, heartbeat: 0, ..Plan::new(seed) };
    let mut town = Town::new(plan);
    let job = order(&mut town, "run job=backup yes");
    let hands = town.storage_hands.clone();
    assert!(town.world.run_until(60 * SECOND, |_| hands.handles() == 1), "{}", town.report(job));
    (town, job)
}

fn order(town: &mut Town, line: &str) -> u32 {
    town.order(line).unwrap_or_else(|| panic!("not taken: {:?}", town.heard()))
}

/// Goes on until the job has ended; returns its state.
fn end(town: &mut Town, job: u32) -> char {
    let Some(row) = town.await_end(job, 20 * HOUR) else {
        panic!("job {job} hangs: {:#?}\n{}", town.world.pending(), town.report(job));
    };
    char::from(row.job_status)
}

/// Goes on until the director hears a line that begins so.
fn await_line(town: &mut Town, words: &str) {
    let words = format!("\"{words}");
    let heard = |line: &str| line.contains(" dir < ") && line.contains(&words);
    let found = town.world.run_until(HOUR, |world| world.trace().tail(6).lines().any(heard));
    assert!(found, "{words:?} does not come: {}", town.world.trace().tail(40));
}

fn is_free(town: &mut Town) -> bool {
    let hands = town.storage_hands.clone();
    town.world.run_until(SECOND, |_| hands.handles() == 0)
}

#[test]
fn a_file_daemon_whose_end_is_lost_costs_three_minutes_where_heartbeats_are_off() {
    let (mut town, job) = under_way(41);
    town.world.cut(town.director, town.client);
    await_line(&mut town, "3099 ");
    let began = town.world.now();
    assert_eq!(end(&mut town, job), 'f', "{}", town.report(job));
    let took = town.world.now().since(began);
    assert!(took > SILENCE - SECOND && took < SILENCE + 2 * SECOND, "after {took:?}: {}", town.report(job));
    let report = town.report(job);
    assert!(report.contains("the file daemon has said nothing for 182 s"), "{report}");
    assert!(is_free(&mut town));
    town.world.heal();
    let next = order(&mut town, "run job=backup yes");
    assert_eq!(end(&mut town, next), 'T', "{}", town.report(next));
}

#[test]
fn a_storage_daemon_that_never_says_how_it_ended_costs_three_minutes_where_heartbeats_are_off() {
    let (mut town, job) = under_way(42);
    await_line(&mut town, "2800 ");
    assert!(town.ended(job).is_none(), "too late to cut");
    town.world.cut(town.director, town.storage);
    let began = town.world.now();
    assert_eq!(end(&mut town, job), 'f', "{}", town.report(job));
    let took = town.world.now().since(began);
    let limit = SILENCE + GRACE + 2 * SECOND;
    assert!(took > SILENCE - SECOND && took < limit, "after {took:?}: {}", town.report(job));
    let report = town.report(job);
    assert!(report.contains("the storage daemon has said nothing for 182 s"), "{report}");
    town.world.heal();
    assert!(is_free(&mut town));
    let next = order(&mut town, "run job=backup yes");
    assert!(matches!(end(&mut town, next), 'T' | 'W'), "{}", town.report(next));
}

#[test]
fn a_storage_daemon_that_is_lost_at_the_end_of_a_restore_costs_no_more() {
    let (mut town, job) = under_way(44);
    assert_eq!(end(&mut town, job), 'T', "{}", town.report(job));
    let restore = order(&mut town, "restore client=fd all done yes");
    await_line(&mut town, "2000 OK storage end");
    assert!(town.ended(restore).is_none(), "too late to cut: {}", town.report(restore));
    town.world.cut(town.director, town.storage);
    let began = town.world.now();
    assert_eq!(end(&mut town, restore), 'f', "{}", town.report(restore));
    let took = town.world.now().since(began);
    assert!(took > SILENCE - SECOND && took < SILENCE + GRACE + 2 * SECOND, "after {took:?}: {}", town.report(restore));
    assert!(town.report(restore).contains("the storage daemon has said nothing for 182 s"), "{}", town.report(restore));
}
