//! A backup that is disturbed at every moment: it ends, well or not; nothing stays behind; the next one works.

use std::time::Duration;

use towline_simtests::host::HostId;
use towline_simtests::town::{Plan, Town, some_files};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
/// Moments of a backup at which it is disturbed.
const MOMENTS: u64 = 200;

/// Some hundred kilobytes, over several blocks and parcels.
fn plan() -> Plan {
    Plan { files: some_files(11, 12, 150_000), ..Plan::new(11) }
}

/// How many things happen in an undisturbed backup from the order to its end.
fn length(plan: &Plan) -> u64 {
    let mut town = Town::new(plan.clone());
    let job = order(&mut town);
    let began = town.world.steps();
    assert_eq!(town.await_end(job, HOUR).map(|row| row.job_status), Some(b'T'), "{}", town.report(job));
    town.world.steps() - began
}

fn order(town: &mut Town) -> u32 {
    match town.order("run job=backup yes") {
        Some(job) => job,
        None => panic!("the order was not taken: {:?}\n{}", town.heard(), town.world.trace().tail(60)),
    }
}

/// Disturbs a backup at each moment, goes on until it has ended, mends, and asks for what must hold then.
fn swarm(what: &str, disturb: impl Fn(&mut Town), mend_after: Duration, mend: impl Fn(&mut Town)) -> (u32, u32) {
    let plan = plan();
    let length = length(&plan);
    let (mut good, mut bad) = (0, 0);
    for moment in 0..MOMENTS {
        let mut town = Town::new(Plan { seed: 1000 + moment, ..plan.clone() });
        let job = order(&mut town);
        (0..length * moment / MOMENTS).for_each(|_| assert!(town.world.step()));
        disturb(&mut town);
        town.world.run_for(mend_after);
        mend(&mut town);
        let case = format!("{what} at moment {moment}");
        match end(&mut town, job, &case) {
            b'T' | b'W' => good += 1,
            _ => bad += 1,
        }
        nothing_is_left(&mut town, &case);
        let next = order(&mut town);
        let status = char::from(end(&mut town, next, &case));
        // What a job left on the volume without telling the catalog is a warning to the next one.
        let is_warned = status == 'W' && town.report(next).contains("the catalog is corrected");
        assert!(status == 'T' || is_warned, "{case}: the next job ended with {status}: {}", town.report(next));
        if moment % 8 == 0 {
            assert!(restores(&mut town), "{case}: what came back differs");
        }
    }
    (good, bad)
}

/// The state in which a job ends.
fn end(town: &mut Town, job: u32, case: &str) -> u8 {
    match town.await_end(job, 5 * HOUR) {
        Some(row) => row.job_status,
        None => panic!(
            "{case}: job {job} hangs; pending: {:#?}\nreport: {}\n{}",
            town.world.pending(),
            town.report(job),
            town.world.trace().tail(80)
        ),
    }
}

/// Within the time that keepalive takes no connection but the operator's is left, and no file or volume is open.
fn nothing_is_left(town: &mut Town, case: &str) {
    let (client, storage, director) = (town.client, town.storage, town.director);
    let (files, volumes) = (town.client_hands.clone(), town.storage_hands.clone());
    let is_free = town.world.run_until(3 * HOUR, |world| {
        let connections = world.connections(client) + world.connections(storage) + world.connections(director);
        connections <= 1 && files.handles() == 0 && volumes.handles() == 0
    });
    assert!(
        is_free,
        "{case}: something is left: {} files, {} volumes open; pending: {:#?}\n{}",
        town.client_hands.handles(),
        town.storage_hands.handles(),
        town.world.pending(),
        town.world.trace().tail(80)
    );
}

fn restores(town: &mut Town) -> bool {
    let saved = plan().files;
    match town.order("restore client=fd all done yes") {
        Some(job) => town.await_end(job, HOUR).is_some_and(|row| row.job_status == b'T') && town.restored() == saved,
        None => false,
    }
}

fn cut(town: &mut Town, pair: impl Fn(&Town) -> (HostId, HostId)) {
    let (one, two) = pair(town);
    town.world.cut(one, two);
}

#[test]
fn a_data_channel_cut_for_half_a_minute_at_any_moment() {
    let pair = |town: &Town| (town.client, town.storage);
    let (_, bad) = swarm("data channel cut for 30 s", |town| cut(town, pair), 30 * SECOND, |town| town.world.heal());
    assert_eq!(bad, 0, "TCP outlives that");
}

#[test]
fn a_data_channel_cut_for_hours_at_any_moment() {
    let pair = |town: &Town| (town.client, town.storage);
    let (_, bad) = swarm("data channel cut for 3 h", |town| cut(town, pair), 3 * HOUR, |town| town.world.heal());
    assert!(bad > 0, "nothing was disturbed");
}

#[test]
fn a_director_cut_off_from_the_storage_daemon_at_any_moment() {
    let pair = |town: &Town| (town.director, town.storage);
    let (_, bad) =
        swarm("director and storage cut for 3 h", |town| cut(town, pair), 3 * HOUR, |town| town.world.heal());
    assert!(bad > 0, "nothing was disturbed");
}

#[test]
fn a_director_cut_off_from_the_file_daemon_at_any_moment() {
    let pair = |town: &Town| (town.director, town.client);
    let (_, bad) = swarm("director and client cut for 3 h", |town| cut(town, pair), 3 * HOUR, |town| town.world.heal());
    assert!(bad > 0, "nothing was disturbed");
}

#[test]
fn a_file_daemon_that_is_killed_at_any_moment() {
    let (_, bad) = swarm("client killed", |town| town.world.kill(town.client), 10 * SECOND, Town::start_client);
    assert!(bad > 0, "nothing was disturbed");
}

#[test]
fn a_storage_daemon_that_is_killed_at_any_moment() {
    let (_, bad) = swarm("storage killed", |town| town.world.kill(town.storage), 10 * SECOND, Town::start_storage);
    assert!(bad > 0, "nothing was disturbed");
}

#[test]
fn a_client_that_loses_its_power_at_any_moment() {
    let (_, bad) =
        swarm("client without power", |town| town.world.power_off(town.client), 60 * SECOND, Town::start_client);
    assert!(bad > 0, "nothing was disturbed");
}
