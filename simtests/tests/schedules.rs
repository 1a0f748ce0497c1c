//! A week of a director with a schedule, in virtual time.

use std::time::Duration;

use towline_core::config::{Run, Schedule, TimeOfDay, Weekday};
use towline_core::event::Event;
use towline_core::notice::Notice;
use towline_simtests::town::{Directions, Plan, Town, some_files};

const DAY: Duration = Duration::from_secs(86_400);
/// The town's clocks begin on Thursday, 1 January 2026, at midnight.
fn week() -> Vec<Schedule> {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    let working = Run { days: vec![Mon, Tue, Wed, Thu, Fri, Sat], ..at(&["21:00"]) };
    vec![schedule("nightly", vec![working, Run { days: vec![Sun], ..at(&["03:30", "15:30"]) }])]
}

/// A line of a schedule: every day at these times.
fn at(times: &[&str]) -> Run {
    Run::new(times.iter().map(|time| TimeOfDay::parse(time).expect("a time of day")).collect())
}

fn schedule(name: &str, runs: Vec<Run>) -> Schedule {
    Schedule { runs, ..Schedule::new(name.to_owned()) }
}

/// When the jobs of the catalog were ordered, in days, hours and minutes since the beginning.
fn ordered(town: &Town) -> Vec<(i64, i64, i64)> {
    let tables = town.catalog.tables();
    let first = 1_767_225_600;
    let parts = |seconds: i64| (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    tables.jobs.values().map(|row| parts(row.sched_time - first)).collect()
}

fn plan(seed: u64) -> Plan {
    Plan { files: some_files(seed, 3, 2_000), schedules: week(), ..Plan::new(seed) }
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

/// Every night a backup of a client that dials in, and a verify job which is not made up for.
fn nightly() -> Vec<Schedule> {
    [("nightly", "21:00"), ("verified", "23:00")].map(|(name, time)| schedule(name, vec![at(&[time])])).into()
}

const NIGHTS: u32 = 30;

/// What the director has logged since it started last.
fn logged(town: &Town) -> Vec<String> {
    let text = |notice| if let Notice::Log { text, .. } = notice { Some(text) } else { None };
    town.director_hands.notices().into_iter().filter_map(text).collect()
}

/// The day and hour at which each backup was ordered, and how it ended.
fn backups(town: &Town) -> Vec<(i64, i64, char)> {
    let tables = town.catalog.tables();
    let of = |seconds: i64| ((seconds - 1_767_225_600) / 86_400, (seconds - 1_767_225_600) / 3_600 % 24);
    let rows = tables.jobs.values().filter(|row| row.name == "backup");
    rows.map(|row| (of(row.sched_time).0, of(row.sched_time).1, char::from(row.job_status))).collect()
}

#[test]
fn thirty_nights_with_a_client_that_is_away_and_a_director_that_is_down() {
    let noon = |day: u32| DAY * day + DAY / 2;
    let plan = Plan {
        files: some_files(53, 3, 2_000),
        schedules: nightly(),
        directions: Directions::CLIENT,
        run_on_connect: 6 * 3_600,
        makes_up: true,
        ..Plan::new(53)
    };
    let mut town = Town::new(plan);
    let until = |town: &mut Town, day: u32| {
        let now = Duration::from_nanos(town.world.now().0);
        town.world.run_for(noon(day).saturating_sub(now));
    };
    // The client is away for three nights, later for one.
    for (leaves, comes) in [(5, 8), (22, 23)] {
        if leaves == 22 {
            // Before that the director is down for four nights.
            until(&mut town, 12);
            town.world.kill(town.director);
            until(&mut town, 16);
            town.start_director();
        }
        until(&mut town, leaves);
        town.world.kill(town.client);
        until(&mut town, comes);
        town.start_client();
    }
    let log_of_the_second_director = logged(&town);
    until(&mut town, NIGHTS);

    // The client has never been saved when it dials in first.
    let mut expected = vec![(0, 0, 'T')];
    for night in 0..i64::from(NIGHTS) {
        match night {
            5..8 | 22 => expected.push((night, 21, 'f')),
            12..16 => {}
            _ => expected.push((night, 21, 'T')),
        }
        // Who was away is saved when it comes back at noon, and what the director missed once it is there.
        if matches!(night, 7 | 15 | 22) {
            expected.push((night + 1, 12, 'T'));
        }
    }
    expected.sort_unstable();
    assert_eq!(backups(&town), expected, "{}", log_of_the_second_director.join("\n"));
    // What failed says that its client was not there.
    let failed: Vec<u32> =
        town.catalog.tables().jobs.values().filter(|row| row.job_status == b'f').map(|row| row.job_id).collect();
    for job in failed {
        assert!(
            town.report(job).contains("did not dial in") && town.report(job).contains("T0152"),
            "{}",
            town.report(job)
        );
    }
    let said = |words: &str| log_of_the_second_director.iter().filter(|line| line.contains(words)).count();
    assert_eq!(said("job backup missed 4 runs while the director was down"), 1);
    assert_eq!(said("it is run now"), 1, "one for all of them");
    assert_eq!(said("job verify missed 4 runs while the director was down"), 1, "said, and not made up for");
    let verified: Vec<u8> =
        town.catalog.tables().jobs.values().filter(|row| row.name == "verify").map(|row| row.job_status).collect();
    assert_eq!(verified.len(), 26, "{verified:?}");
}

/// Four nights of a job that waits nine hours for its client: it is there, comes at four in the morning, does not come, and the
/// director stops or crashes while it waits, and makes up for that night when it is there again.
fn nights_of_waiting(seed: u64, directions: Directions, stops: bool) {
    let plan = Plan {
        files: some_files(seed, 3, 2_000),
        schedules: vec![schedule("nightly", vec![at(&["21:00"])])],
        directions,
        wait_for_client: 9 * 3_600,
        makes_up: true,
        ..Plan::new(seed)
    };
    let mut town = Town::new(plan);
    let until = |town: &mut Town, day: u32, hour: u32| {
        let at = DAY * day + Duration::from_secs(3_600) * hour;
        town.world.run_for(at.saturating_sub(Duration::from_nanos(town.world.now().0)));
    };
    until(&mut town, 1, 12);
    town.world.kill(town.client);
    until(&mut town, 2, 4);
    town.start_client();
    until(&mut town, 2, 12);
    town.world.kill(town.client);
    until(&mut town, 3, 22);
    if stops {
        town.world.post(town.director, Event::StopRequested);
        town.world.run_for(Duration::from_secs(60));
    }
    assert_eq!(town.world.is_running(town.director), !stops);
    town.world.kill(town.director);
    town.start_client();
    until(&mut town, 4, 1);
    town.start_director();
    until(&mut town, 4, 2);

    let ended: Vec<(u32, char)> =
        town.catalog.tables().jobs.values().map(|row| (row.job_id, char::from(row.job_status))).collect();
    let lost = if stops { 'A' } else { 'f' };
    assert_eq!(ended, [(1, 'T'), (2, 'T'), (3, 'f'), (4, lost), (5, 'T')], "{}", logged(&town).join("\n"));
    for (night, (job, _)) in ended.into_iter().take(4).enumerate() {
        let report = town.report(job);
        assert_eq!(report.contains("is away"), night > 0, "{night}: {report}");
        assert_eq!(report.contains("T0996"), night == 2, "{night}: {report}");
        assert_eq!(report.contains("Start Backup"), night < 2, "{night}: {report}");
    }
}

#[test]
fn a_nightly_job_waits_for_a_client_that_dials_in_and_is_run_when_it_comes() {
    nights_of_waiting(54, Directions::CLIENT, false);
}

#[test]
fn a_nightly_job_waits_for_a_client_that_is_dialled_and_is_run_when_it_comes() {
    nights_of_waiting(55, Directions::DIRECTOR, true);
}
