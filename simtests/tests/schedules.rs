//! A week of a director with a schedule, in virtual time.

use std::time::Duration;

use towline_simtests::town::{Plan, Town, some_files};

const DAY: Duration = Duration::from_secs(86_400);
/// The town's clocks begin on Thursday, 1 January 2026, at midnight.
const WEEK: &str = r#"schedules: [(name: "nightly", runs: [
    (at: ["21:00"], days: [mon, tue, wed, thu, fri, sat]),
    (at: ["03:30", "15:30"], days: [sun]),
])],"#;

/// When the jobs of the catalog were ordered, in days, hours and minutes since the beginning.
fn ordered(town: &Town) -> Vec<(i64, i64, i64)> {
    let tables = town.catalog.tables();
    let first = 1_767_225_600;
    let parts = |seconds: i64| (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    tables.jobs.values().map(|row| parts(row.sched_time - first)).collect()
}

fn plan(seed: u64) -> Plan {
    Plan { files: some_files(seed, 3, 2_000), schedule: WEEK.to_owned(), ..Plan::new(seed) }
}

#[test]
fn a_week_has_the_jobs_of_its_schedule_at_their_minutes() {
    let mut town = Town::new(plan(51));
    let status = town.say("status director", Duration::from_secs(60)).unwrap_or_default();
    assert!(status.contains("Full           Backup    10  01-Jan-26 21:00    backup             nightly"), "{status}");
    town.world.run_for(7 * DAY);
    let expected = [(0, 21, 0), (1, 21, 0), (2, 21, 0), (3, 3, 30), (3, 15, 30), (4, 21, 0), (5, 21, 0), (6, 21, 0)];
    assert_eq!(ordered(&town), expected);
    let tables = town.catalog.tables();
    assert!(tables.jobs.values().all(|row| row.job_status == b'T'), "{:?}", tables.jobs);
}

#[test]
fn a_director_that_was_away_orders_the_next_moment_and_not_the_missed_ones() {
    let mut town = Town::new(plan(52));
    town.world.run_for(DAY);
    town.world.kill(town.director);
    town.world.run_for(2 * DAY);
    town.start_director();
    town.world.run_for(DAY);
    assert_eq!(ordered(&town), [(0, 21, 0), (3, 3, 30), (3, 15, 30)]);
}
