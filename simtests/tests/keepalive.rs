//! Peers that vanish: each connection notices within three heartbeat intervals and two seconds, idle or loaded.

use std::time::Duration;

use towline_simtests::host::HostId;
use towline_simtests::town::{Plan, Town, some_files};

const SECOND: Duration = Duration::from_secs(1);
const INTERVAL: u64 = 10;
const LIMIT: Duration = Duration::from_secs(3 * INTERVAL + 2);

/// A backup over a slow network, under way: all three connections are there, and data moves.
fn under_way(seed: u64, heartbeat: u64) -> (Town, u32) {
    begin(Plan { rate: 20_000, heartbeat, ..Plan::new(seed) }, Duration::ZERO)
}

/// The same in this town, where each piece of work of the client's disk takes so long.
fn begin(plan: Plan, slowness: Duration) -> (Town, u32) {
    let mut town = Town::new(Plan { files: some_files(plan.seed, 40, 400_000), ..plan });
    town.world.set_slowness(town.client, slowness);
    let Some(job) = town.order("run job=backup yes") else { panic!("the order was not taken: {:?}", town.heard()) };
    let (client, hands) = (town.client, town.storage_hands.clone());
    let began = town.world.run_until(60 * SECOND, |world| world.connections(client) == 2 && hands.handles() == 1);
    assert!(began, "{}", town.report(job));
    town.world.run_for(5 * SECOND);
    assert!(town.ended(job).is_none(), "the job is over already");
    (town, job)
}

/// Whether the host has fewer connections than before within this time.
fn notices(town: &mut Town, host: impl Fn(&Town) -> HostId, within: Duration) -> bool {
    let host = host(town);
    let before = town.world.connections(host);
    town.world.run_until(within, |world| world.connections(host) < before)
}

#[test]
fn a_director_notices_a_client_that_vanishes_while_their_connection_is_idle() {
    let (mut town, job) = under_way(21, INTERVAL);
    town.world.cut(town.director, town.client);
    let ended = town.await_end(job, LIMIT).map(|row| row.job_status);
    assert!(matches!(ended, Some(b'E' | b'f')), "{ended:?}: {}", town.report(job));
}

#[test]
fn a_client_notices_a_director_that_vanishes() {
    // It sends heartbeats to the director: its end is loaded once the first of them is not acknowledged.
    let (mut town, _) = under_way(22, INTERVAL);
    town.world.cut(town.director, town.client);
    assert!(notices(&mut town, |town| town.client, LIMIT + Duration::from_secs(INTERVAL)));
}

#[test]
fn a_storage_daemon_notices_a_client_that_vanishes_in_the_middle_of_the_data() {
    let (mut town, job) = under_way(23, INTERVAL);
    town.world.power_off(town.client);
    assert!(notices(&mut town, |town| town.storage, LIMIT));
    // The director has been told by then, or has noticed by itself.
    let ended = town.await_end(job, LIMIT).map(|row| row.job_status);
    assert!(matches!(ended, Some(b'E' | b'f')), "{ended:?}: {}", town.report(job));
}

#[test]
fn without_an_interval_a_vanished_peer_is_noticed_after_two_hours_only() {
    // Nor does the job end meanwhile: the client's disk takes its time, and has not been read ahead to the end.
    let (mut town, job) = begin(Plan { heartbeat: 0, ..Plan::new(24) }, 15 * SECOND);
    town.world.set_slowness(town.client, Duration::from_secs(1000 * 3600));
    town.world.cut(town.director, town.client);
    assert!(town.await_end(job, Duration::from_secs(3600)).is_none(), "{}", town.report(job));
    assert!(!notices(&mut town, |town| town.director, Duration::from_secs(3000)));
    assert!(notices(&mut town, |town| town.director, Duration::from_secs(2 * 3600)));
}

#[test]
fn a_backup_over_a_slow_network_is_not_mistaken_for_a_dead_one() {
    let (mut town, job) = under_way(25, 1);
    let ended = town.await_end(job, Duration::from_secs(3600)).map(|row| row.job_status);
    assert_eq!(ended, Some(b'T'), "{}", town.report(job));
}

/// How a restore ends whose client's disk is busy for so long once its data channel is over, and what is said of it.
fn busy_at_the_end(town: &mut Town, span: Duration) -> (char, String) {
    // It has something left to write when its storage daemon has sent everything.
    town.world.set_slowness(town.client, SECOND);
    let Some(job) = town.order("restore client=fd all done yes") else { panic!("not taken: {:?}", town.heard()) };
    let client = town.client;
    for connections in [2, 1] {
        let came = town.world.run_until(600 * SECOND, |world| world.connections(client) == connections);
        assert!(came, "{}", town.report(job));
    }
    town.world.occupy(town.client, span);
    let row = town.await_end(job, 5 * 3_600 * SECOND).unwrap_or_else(|| panic!("hangs: {}", town.report(job)));
    town.world.run_for(60 * SECOND);
    (char::from(row.job_status), town.report(job))
}

#[test]
fn a_client_that_writes_to_its_disk_for_long_at_the_end_is_waited_for_while_heartbeats_show_that_it_is_there() {
    let mut town = Town::new(Plan { heartbeat: INTERVAL, ..Plan::new(24) });
    let Some(job) = town.order("run job=backup yes") else { panic!("not taken: {:?}", town.heard()) };
    assert_eq!(town.await_end(job, 600 * SECOND).map(|row| row.job_status), Some(b'T'), "{}", town.report(job));
    let (status, report) = busy_at_the_end(&mut town, 900 * SECOND);
    assert_eq!(status, 'T', "{report}");
    // A disk that does not answer any more does not hold the job for ever.
    let (status, report) = busy_at_the_end(&mut town, 4 * 3_600 * SECOND);
    assert!("Ef".contains(status) && report.contains("(T0994)"), "{status}: {report}");
}
