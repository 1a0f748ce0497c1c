//! Clients that dial the director and wait there: taken, lost, back again.

use std::collections::BTreeSet;
use std::time::Duration;

use towline_core::catalog::JobRow;
use towline_core::event::Event;
use towline_simtests::town::{Directions, Plan, Town};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn plan(seed: u64, directions: Directions) -> Plan {
    Plan { directions, ..Plan::new(seed) }
}

/// A town in which the client waits at the director.
fn waiting(plan: Plan) -> Town {
    let mut town = Town::new(plan);
    await_waiting(&mut town, 1, 10 * SECOND);
    town
}

/// The rows of `status director` about connections that wait.
fn rows(town: &mut Town) -> usize {
    let Some(text) = town.say("status director", MINUTE) else { panic!("no answer: {:?}", town.heard()) };
    let (_, table) = text.split_once("Client Initiated Connections (waiting for jobs):\n").expect("a table");
    table.lines().filter(|line| line.trim_end().ends_with(" fd")).count()
}

fn await_waiting(town: &mut Town, count: usize, within: Duration) {
    let end = town.world.now() + within;
    while rows(town) != count {
        assert!(town.world.now() < end, "{} wait\n{}", rows(town), town.world.trace().tail(60));
        town.world.run_for(SECOND / 10);
    }
}

fn backup(town: &mut Town) -> (JobRow, String) {
    let Some(job) = town.order("run job=backup yes") else {
        panic!("not taken: {:?}\n{}", town.heard(), town.world.trace().tail(60));
    };
    let Some(row) = town.await_end(job, 5 * HOUR) else {
        panic!("job {job} hangs: {:#?}\n{}", town.world.pending(), town.world.trace().tail(60));
    };
    (row, town.report(job))
}

fn took(row: &JobRow) -> Duration {
    SECOND * u32::try_from(row.end_time - row.sched_time).expect("a short job")
}

#[test]
fn a_client_that_can_only_dial_out_is_backed_up_and_restored() {
    for tls in [false, true] {
        let mut town = waiting(Plan { tls, ..plan(1, Directions::CLIENT) });
        let saved = town.files.store().files.clone();
        let (row, report) = backup(&mut town);
        assert_eq!(row.job_status, b'T', "tls {tls}: {report}");
        assert!(report.contains("Using Client Initiated Connection (fd)."), "{report}");
        assert!(!report.contains("Connected file daemon"), "{report}");
        await_waiting(&mut town, 1, SECOND);
        let job = town.order("restore client=fd all done yes").expect("an order");
        assert_eq!(town.await_end(job, HOUR).map(|row| row.job_status), Some(b'T'), "{}", town.report(job));
        assert_eq!(town.restored(), saved);
    }
}

#[test]
fn a_job_begins_at_once_on_any_waiting_connection() {
    let mut town = waiting(plan(2, Directions::CLIENT));
    for _ in 0..20 {
        let (row, report) = backup(&mut town);
        assert_eq!(row.job_status, b'T', "{report}");
        assert!(took(&row) <= 2 * SECOND, "{report}");
    }
    assert_eq!(rows(&mut town), 1);
}

#[test]
fn status_and_cancel_go_over_the_spare_connection_while_a_job_runs() {
    let mut town = waiting(Plan { rate: 20_000, ..plan(3, Directions::CLIENT) });
    let job = town.order("run job=backup yes").expect("an order");
    town.world.run_for(2 * SECOND);
    let status = town.say("status client=fd", MINUTE).expect("an answer");
    assert!(status.contains("Using Client Initiated Connection (fd)"), "{status}");
    assert!(status.contains(&format!("JobId {job} Job backup.")), "{status}");
    await_waiting(&mut town, 1, SECOND);
    let before = town.world.now();
    let canceled = town.say(&format!("cancel jobid={job}"), MINUTE).expect("an answer");
    assert!(town.world.now().since(before) < SECOND, "{canceled}");
    assert!(canceled.contains("The file daemon \"fd\" has"), "{canceled}");
    assert_eq!(town.await_end(job, MINUTE).map(|row| row.job_status), Some(b'A'), "{}", town.report(job));
    let hands = town.client_hands.clone();
    assert!(town.world.run_until(MINUTE, |_| hands.handles() == 0), "the client goes on reading");
    await_waiting(&mut town, 1, 5 * SECOND);
}

#[test]
fn a_dead_waiting_connection_costs_seconds_and_the_job_runs_over_the_next() {
    for seed in 0..10 {
        let mut town = waiting(plan(seed, Directions::CLIENT));
        let twin = town.start_twin();
        await_waiting(&mut town, 2, 10 * SECOND);
        town.world.power_off(twin);
        let (row, report) = backup(&mut town);
        assert_eq!(row.job_status, b'T', "{report}");
        assert!(took(&row) >= 4 * SECOND && took(&row) <= 8 * SECOND, "{:?}: {report}", took(&row));
    }
}

#[test]
fn behind_a_dead_waiting_connection_the_director_dials_if_it_may() {
    let mut town = waiting(plan(4, Directions::BOTH));
    // The client dies while nobody can tell the director.
    town.world.cut(town.director, town.client);
    town.world.kill(town.client);
    town.world.run_for(SECOND);
    town.world.heal();
    assert_eq!(rows(&mut town), 1, "the old connection still seems to wait");
    town.start_client();
    let (row, report) = backup(&mut town);
    assert_eq!(row.job_status, b'T', "{report}");
    assert!(took(&row) <= 10 * SECOND, "{:?}: {report}", took(&row));
}

#[test]
fn a_client_that_comes_in_time_gets_the_job_that_waits_for_it() {
    for directions in [Directions::CLIENT, Directions::BOTH] {
        let mut town = Town::new(Plan { fd_connect_timeout: 40, ..plan(5, directions) });
        town.world.kill(town.client);
        town.world.run_for(10 * SECOND);
        let job = town.order("run job=backup yes").expect("an order");
        // Dialling takes its 40 s where it is allowed, then come as many in which the client may.
        let away = if directions == Directions::BOTH { 60 } else { 20 };
        town.world.run_for(away * SECOND);
        assert_eq!(town.ended(job).map(|row| row.job_status), None, "{}", town.report(job));
        town.start_client();
        let row = town.await_end(job, MINUTE).expect("an end");
        assert_eq!(row.job_status, b'T', "{}", town.report(job));
        assert!(town.report(job).contains("Using Client Initiated Connection (fd)."), "{}", town.report(job));
    }
}

#[test]
fn a_client_that_never_comes_fails_the_job_which_says_what_each_step_saw() {
    let cases = [
        (Directions::DIRECTOR, 1, &["T0103"][..]),
        (Directions::CLIENT, 1, &["T0152", "did not dial in within 30 s; no connection of it was waiting"][..]),
        (Directions::BOTH, 2, &["T0153", "dialling it failed (", "T0103", "did not dial in within 30 s"][..]),
    ];
    for (directions, steps, words) in cases {
        let mut town = Town::new(Plan { fd_connect_timeout: 30, ..plan(6, directions) });
        town.world.kill(town.client);
        town.world.run_for(10 * SECOND);
        let (row, report) = backup(&mut town);
        assert_eq!(row.job_status, b'f', "{report}");
        let fatal = report.lines().find(|line| line.contains("Fatal")).expect("a fatal line");
        assert!(words.iter().all(|word| fatal.contains(word)), "{directions:?}: {fatal}");
        assert!(took(&row) <= steps * 30 * SECOND + 2 * SECOND, "{directions:?}: {:?}", took(&row));
    }
}

#[test]
fn a_silent_client_is_named_as_such() {
    let mut town = waiting(Plan { fd_connect_timeout: 30, ..plan(7, Directions::CLIENT) });
    town.world.power_off(town.client);
    let (row, report) = backup(&mut town);
    assert_eq!(row.job_status, b'f');
    assert!(report.contains("of those that waited, 1 did not answer within 5 s and 0 broke"), "{report}");
}

#[test]
fn where_nobody_may_dial_the_job_says_so_at_once() {
    let neither = Directions { from_client: false, from_director: false };
    let mut town = Town::new(plan(8, neither));
    let (row, report) = backup(&mut town);
    assert_eq!(row.job_status, b'f');
    assert!(report.contains("connecting to fd is not allowed (T0150)"), "{report}");
    assert!(took(&row) <= 2 * SECOND);
    let status = town.say("status client=fd", MINUTE).expect("an answer");
    assert!(status.contains("connecting to fd is not allowed"), "{status}");
}

#[test]
fn a_second_daemon_of_the_same_name_is_kept_and_seen_and_a_dead_one_vanishes() {
    let mut town = waiting(plan(9, Directions::CLIENT));
    let twin = town.start_twin();
    await_waiting(&mut town, 2, 10 * SECOND);
    town.world.run_for(10 * MINUTE);
    assert_eq!(rows(&mut town), 2, "both live");
    // The older of the two dies silently: it has been put to the test since the newer one came.
    town.world.power_off(town.client);
    town.world.run_for(SECOND);
    assert_eq!(rows(&mut town), 2, "nobody can know yet");
    town.world.run_for(MINUTE);
    assert_eq!(rows(&mut town), 1, "a newer connection has the older ones probed");
    assert!(town.world.connections(twin) > 0);
}

#[test]
fn a_director_that_restarts_has_its_clients_back_within_seconds_and_not_all_at_once() {
    let mut moments = BTreeSet::new();
    for seed in 0..30 {
        let mut town = waiting(plan(seed, Directions::CLIENT));
        // Long enough to count as good.
        town.world.run_for(2 * MINUTE);
        let restarted = town.world.now();
        town.start_director();
        let client = town.client;
        let gone = town.world.run_until(SECOND, |world| world.connections(client) == 0);
        let back = town.world.run_until(10 * SECOND, |world| world.connections(client) == 1);
        assert!(gone && back, "seed {seed}: {}", town.world.trace().tail(40));
        let after = town.world.now().since(restarted);
        assert!(after >= SECOND - SECOND / 10 && after <= 2 * SECOND + SECOND / 4, "seed {seed}: {after:?}");
        moments.insert(after.as_millis() / 20);
        town.start_operator();
        await_waiting(&mut town, 1, 5 * SECOND);
    }
    assert!(moments.len() >= 15, "they come together: {moments:?}");
}

#[test]
fn redialling_slows_down_to_a_minute_and_leaves_a_trace_in_the_messages() {
    let mut town = waiting(plan(10, Directions::CLIENT));
    town.world.kill(town.director);
    town.world.run_for(HOUR);
    let dials = town.world.trace().grep("fd > Dial");
    let in_an_hour = dials.len();
    // 30 to 60 s each in the long run, some more at the beginning.
    assert!((60..=130).contains(&in_an_hour), "{in_an_hour}: {dials:#?}");
    let messages = town.messages();
    assert!(messages.contains("director dir is not reached: cannot connect to 10.0.0.1:9101"), "{messages}");
    assert!(messages.lines().count() <= 3, "once an hour is enough:\n{messages}");
    town.start_director();
    town.start_operator();
    await_waiting(&mut town, 1, 61 * SECOND);
    assert!(town.messages().contains("is reached again"), "{}", town.messages());
}

#[test]
fn a_machine_that_wakes_up_replaces_its_connection_at_once() {
    let mut town = waiting(plan(11, Directions::CLIENT));
    let before = town.world.trace().grep("fd > Dial").len();
    let wall = town.world.wall();
    assert!(town.world.post(town.client, Event::ClockJumped { wall }));
    town.world.run_for(SECOND);
    assert_eq!(town.world.trace().grep("fd > Dial").len(), before + 1);
    assert_eq!(rows(&mut town), 1, "the old connection is let go when the new one waits");
    assert_eq!(backup(&mut town).0.job_status, b'T');
}

#[test]
fn a_pause_is_cut_short_by_waking_up() {
    let mut town = waiting(plan(12, Directions::CLIENT));
    town.world.kill(town.director);
    town.world.run_for(20 * MINUTE);
    town.start_director();
    // It brings its configuration into the catalog before it listens.
    town.world.run_for(SECOND / 10);
    let (wall, now) = (town.world.wall(), town.world.now());
    assert!(town.world.post(town.client, Event::ClockJumped { wall }));
    let client = town.client;
    assert!(town.world.run_until(SECOND, |world| world.connections(client) == 1));
    assert!(town.world.now().since(now) < SECOND);
}

#[test]
fn a_pause_is_cut_short_by_another_network() {
    let mut town = waiting(plan(16, Directions::CLIENT));
    town.world.kill(town.director);
    town.world.run_for(20 * MINUTE);
    town.start_director();
    // It brings its configuration into the catalog before it listens.
    town.world.run_for(SECOND / 10);
    let now = town.world.now();
    assert!(town.world.post(town.client, Event::NetworkChanged));
    let client = town.client;
    assert!(town.world.run_until(SECOND, |world| world.connections(client) == 1));
    assert!(town.world.now().since(now) < SECOND);
}

#[test]
fn another_network_disturbs_no_job_and_nobody_but_clients_that_dial() {
    for directions in [Directions::CLIENT, Directions::DIRECTOR] {
        let mut town = Town::new(Plan { rate: 20_000, ..plan(17, directions) });
        town.world.run_for(5 * SECOND);
        let job = town.order("run job=backup yes").expect("an order");
        town.world.run_for(2 * SECOND);
        let dials = |town: &Town| town.world.trace().grep(" > Dial {").len();
        let before = dials(&town);
        for host in [town.director, town.storage, town.client] {
            assert!(town.world.post(host, Event::NetworkChanged));
        }
        town.world.run_for(5 * SECOND);
        assert!(town.ended(job).is_none(), "it was not in the middle");
        assert_eq!(dials(&town) - before, usize::from(directions == Directions::CLIENT), "{directions:?}");
        let ended = town.await_end(job, HOUR).map(|row| row.job_status);
        assert_eq!(ended, Some(b'T'), "{directions:?}: {}", town.report(job));
    }
}

#[test]
fn the_same_seed_has_clients_come_back_at_the_same_nanosecond() {
    let story = |seed| {
        let mut town = waiting(plan(seed, Directions::BOTH));
        town.world.kill(town.director);
        town.world.run_for(5 * MINUTE);
        town.start_director();
        town.start_operator();
        town.world.run_for(2 * MINUTE);
        assert_eq!(backup(&mut town).0.job_status, b'T');
        town.world.trace().hash()
    };
    assert_eq!(story(13), story(13));
    assert_ne!(story(13), story(14));
}

#[test]
fn a_job_runs_once_for_each_return_of_its_client_if_the_last_is_long_enough_ago() {
    let mut town = waiting(Plan { run_on_connect: 3_600, ..plan(15, Directions::CLIENT) });
    let jobs = |town: &Town| town.catalog.tables().jobs.len();
    assert!(town.await_end(1, MINUTE).is_some_and(|row| row.job_status == b'T'), "it was never run before");
    // The connection that replaces the taken one is no return, and neither is waiting.
    town.world.run_for(5 * HOUR);
    assert_eq!(jobs(&town), 1);
    let back = |town: &mut Town| {
        town.world.kill(town.client);
        town.world.run_for(MINUTE);
        town.start_client();
        town.world.run_for(MINUTE);
    };
    back(&mut town);
    assert_eq!(jobs(&town), 2, "it was away, and the last start is hours ago");
    back(&mut town);
    assert_eq!(jobs(&town), 2, "not again within the hour");
    town.world.run_for(HOUR);
    // A restarted director finds the client back too, and asks its catalog.
    town.start_director();
    town.world.run_for(MINUTE);
    assert_eq!(jobs(&town), 3);
    assert!(town.ended(3).is_some_and(|row| row.job_status == b'T'));
}
