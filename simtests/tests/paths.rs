//! Connections that something happens to: gateways forget them, links are cut, hosts sleep or move. Each scenario is run
//! to its end, and once more for the same trace.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::net::IpAddr;
use std::time::Duration;

use towline_core::catalog::JobRow;
use towline_core::config::Seconds;
use towline_core::event::Event;
use towline_simtests::gateway::{Gateway, Rule, Unknown, Verdict, Way};
use towline_simtests::network::NetworkId;
use towline_simtests::scenario::{GATEWAY, Region, Scenario};
use towline_simtests::station::{ClientStation, StorageStation};
use towline_simtests::town::some_files;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
/// The heartbeat interval of those that have one, in seconds.
const INTERVAL: u32 = 20;
/// How long a dead peer may go unnoticed.
const NOTICED: Duration = Duration::from_secs(3 * INTERVAL as u64 + 2);
/// How long the file daemon of a job may go on after the storage daemon has failed it.
const FILE_END: Duration = Duration::from_secs(5);

fn order(region: &mut Region, line: &str) -> u32 {
    let Some(job) = region.order(line) else {
        panic!("{line} was not taken:\n{}", region.world.trace().tail(40));
    };
    job
}

fn end(region: &mut Region, job: u32) -> JobRow {
    let Some(row) = region.await_end(job, 20 * HOUR) else {
        panic!("job {job} hangs: {:#?}\n{}", region.world.pending(), region.report(job));
    };
    row
}

/// Runs a job that must be good.
fn good(region: &mut Region, line: &str) {
    let job = order(region, line);
    let row = end(region, job);
    assert_eq!(char::from(row.job_status), 'T', "{line}: {}", region.report(job));
}

/// A file daemon that is dialled at this address, with its heartbeat interval in seconds.
fn client(station: ClientStation, address: &str, interval: u64) -> ClientStation {
    station.at(address).with(|fd| fd.own.file.heartbeat_interval = Seconds::secs(interval))
}

/// The storage daemon, with its heartbeat interval in seconds.
fn storage(interval: u64) -> StorageStation {
    let station = StorageStation::outside("sd", 20).at("192.0.2.20");
    station.with(|sd| sd.own.storage.heartbeat_interval = Seconds::secs(interval))
}

/// A director behind a gateway that forgets after `idle` seconds, whose heartbeat interval is `interval`; a job whose
/// control channels carry nothing else for hours.
fn quiet_job(idle: u64, interval: u64, unknown: Unknown) -> (Region, u32) {
    let gateway = Gateway::masquerading(GATEWAY).forgets(SECOND * u32::try_from(idle).unwrap(), unknown);
    let mut scenario = Scenario::new(4, gateway)
        .director(|director| director.heartbeat_interval = Seconds::secs(interval))
        .client(client(ClientStation::outside("fd", 10), "192.0.2.10", 0))
        .storage(storage(0));
    scenario.director_behind = Some(0);
    let mut region = scenario.start();
    let client = region.clients[0].host;
    region.world.set_slowness(client, 2 * HOUR);
    let job = order(&mut region, "run job=fd-sd yes");
    (region, job)
}

#[test]
fn a_quiet_control_channel_outlives_a_four_minute_nat_with_a_heartbeat_a_second_below_it_and_not_a_second_above() {
    let idle = 240;
    for unknown in [Unknown::Drop, Unknown::Reset] {
        for (interval, survives) in [(idle - 1, true), (idle + 1, false), (0, false)] {
            let (mut region, job) = quiet_job(idle, interval, unknown);
            let began = region.world.now();
            let row = end(&mut region, job);
            let took = region.world.now().since(began);
            let case = format!("interval {interval}, {unknown:?}, after {took:?}: {}", region.report(job));
            assert_eq!(char::from(row.job_status), if survives { 'T' } else { 'f' }, "{case}");
            if survives {
                assert!(took > SECOND * 2 * u32::try_from(idle).unwrap(), "was not quiet for long: {case}");
            } else if interval > 0 {
                let limit = SECOND * (3 * u32::try_from(interval).unwrap() + 2);
                assert!(took <= limit, "noticed too late: {case}");
            }
        }
    }
}

/// Two file daemons and a storage daemon: the first file daemon behind a gateway that forwards its port, the others outside.
fn office(seed: u64) -> Region {
    let gateway = Gateway::masquerading(GATEWAY).forward(9102, ([10, 0, 0, 10], 9102));
    let mut scenario = Scenario::new(seed, gateway)
        .director(|director| director.heartbeat_interval = Seconds::secs(INTERVAL.into()))
        .client(client(ClientStation::inside("fd", 10), "192.0.2.254", INTERVAL.into()))
        .client(client(ClientStation::outside("other", 11), "192.0.2.11", INTERVAL.into()))
        .storage(storage(INTERVAL.into()));
    scenario.files = some_files(seed, 60, 200_000);
    let mut region = scenario.start();
    let (client, storage) = (region.clients[0].host, region.storages[0].host);
    region.world.link(client, storage, |link| link.rate = 10_000);
    region
}

/// Begins a backup and lets its data flow for a while.
fn in_the_middle(region: &mut Region) -> u32 {
    let job = order(region, "run job=fd-sd yes");
    region.world.run_for(SECOND * 10);
    let half = region.saved().values().map(|contents| contents.len()).sum::<usize>() / 2;
    let written: usize = region.storages[0].disk.store().volumes.values().map(Vec::len).sum();
    assert!(written < half, "{written} of {half} bytes: {}", region.report(job));
    job
}

/// What is cut in the middle of a job.
#[derive(Clone, Copy, Debug)]
enum Cut {
    DataChannel,
    ControlOfClient,
    ControlOfStorage,
    Gateway,
}

const CUTS: [Cut; 4] = [Cut::DataChannel, Cut::ControlOfClient, Cut::ControlOfStorage, Cut::Gateway];

fn cut(region: &mut Region, what: Cut) {
    let (director, client, storage) = (region.director, region.clients[0].host, region.storages[0].host);
    match what {
        Cut::DataChannel => region.world.cut(client, storage),
        Cut::ControlOfClient => region.world.cut(director, client),
        Cut::ControlOfStorage => region.world.cut(director, storage),
        Cut::Gateway => region.world.cut_gateway(region.networks[0]),
    }
}

/// Whether a storage daemon has nothing open any more, within a time.
fn is_free(region: &mut Region, within: Duration) -> bool {
    let (storage, hands) = (region.storages[0].host, region.storages[0].hands.clone());
    region.world.run_until(within, |world| hands.handles() == 0 && world.connections(storage) == 0)
}

fn cut_in_the_middle(what: Cut) -> Region {
    let mut region = office(5);
    let job = in_the_middle(&mut region);
    cut(&mut region, what);
    let began = region.world.now();
    let row = end(&mut region, job);
    let took = region.world.now().since(began);
    let case = format!("{what:?}, after {took:?}: {}", region.report(job));
    assert_eq!(char::from(row.job_status), 'f', "{case}");
    // What goes into a path that swallows everything, only time tells the file daemon.
    let limit = if matches!(what, Cut::DataChannel) { NOTICED + FILE_END } else { NOTICED };
    assert!(took <= limit, "{case}");
    assert!(is_free(&mut region, NOTICED), "{case}: {:#?}", region.world.pending());
    if !matches!(what, Cut::ControlOfStorage) {
        good(&mut region, "run job=other-sd yes");
    }
    region.world.heal();
    good(&mut region, "run job=fd-sd yes");
    region
}

#[test]
fn a_job_whose_link_is_cut_ends_in_time_and_its_device_is_free() {
    for what in CUTS {
        cut_in_the_middle(what);
    }
}

fn cancelled_in_the_middle(what: Cut) -> Region {
    let mut region = office(6);
    let job = in_the_middle(&mut region);
    cut(&mut region, what);
    let answer = region.say(&format!("cancel jobid={job}"), SECOND);
    assert!(answer.is_some(), "{what:?}: cancel takes more than a second");
    let row = end(&mut region, job);
    assert_eq!(char::from(row.job_status), 'A', "{what:?}: {}", region.report(job));
    if !matches!(what, Cut::ControlOfStorage) {
        let before = region.world.now();
        good(&mut region, "run job=other-sd yes");
        assert!(region.world.now().since(before) < SECOND * 10, "{what:?}: the device was not free at once");
    }
    region
}

#[test]
fn a_job_whose_link_is_cut_is_cancelled_within_a_second_and_its_device_is_free() {
    for what in CUTS {
        cancelled_in_the_middle(what);
    }
}

/// A client that sleeps in the middle of its job.
fn sleeper(span: Duration, expected: char) -> Region {
    let mut region = office(7);
    let job = in_the_middle(&mut region);
    let client = region.clients[0].host;
    region.world.suspend(client, span);
    // The daemon looks at the clocks once a minute. A trace keeps its last lines only, so it is read before the job ends.
    region.world.run_for(span + SECOND * 61);
    assert!(!region.world.trace().grep("ClockJumped").is_empty(), "slept {span:?}, and the daemon has not heard of it");
    let row = end(&mut region, job);
    assert_eq!(char::from(row.job_status), expected, "slept {span:?}: {}", region.report(job));
    good(&mut region, "run job=fd-sd yes");
    region
}

#[test]
fn a_job_outlives_a_nap_of_its_client_and_not_a_long_sleep() {
    sleeper(SECOND * INTERVAL, 'T');
    sleeper(HOUR, 'f');
}

/// A client that moves to another network in the middle of its job, and back again.
fn mover() -> Region {
    let mut region = office(8);
    let job = in_the_middle(&mut region);
    let (client, home) = (region.clients[0].host, region.networks[0]);
    let cafe = region.world.add_network(NetworkId::OPEN, Gateway::masquerading([192, 0, 2, 200]));
    region.world.roam(client, cafe, [10, 0, 0, 77].into());
    let began = region.world.now();
    let row = end(&mut region, job);
    assert_eq!(char::from(row.job_status), 'f', "{}", region.report(job));
    assert!(region.world.now().since(began) <= NOTICED, "{}", region.report(job));
    let away = order(&mut region, "run job=fd-sd yes");
    let row = end(&mut region, away);
    assert_eq!(char::from(row.job_status), 'f', "nobody is at its address: {}", region.report(away));
    region.world.roam(client, home, [10, 0, 0, 10].into());
    good(&mut region, "run job=fd-sd yes");
    region
}

#[test]
fn a_job_whose_client_moves_away_fails_in_time_and_the_client_is_served_again_at_home() {
    mover();
}

/// A passive client whose firewall lets only the director and the storage daemon in, and itself nothing out.
fn shut_in(passive: bool) -> Region {
    let (director, storage) = ([192, 0, 2, 1], [192, 0, 2, 20]);
    let mut gateway = Gateway::routing(GATEWAY).policy(Verdict::Drop, Verdict::Drop);
    gateway.rules = [director, storage]
        .map(|from| Rule::new(Way::In, Verdict::Accept).ports(9102).from(IpAddr::from(from)))
        .to_vec();
    Scenario::new(10, gateway)
        .client(ClientStation::inside("fd", 10).at("10.0.0.10").with(|fd| {
            fd.resource.passive = passive;
            fd.own.file.sd_connect_timeout = Seconds(60);
        }))
        .storage(StorageStation::outside("sd", 20).at("192.0.2.20"))
        .storage(
            StorageStation::outside("other", 21)
                .at("192.0.2.21")
                .with(|sd| sd.own.storage.fd_connect_timeout = Seconds(60)),
        )
        .start()
}

fn passive_and_shut_in() -> Region {
    let mut region = shut_in(true);
    good(&mut region, "run job=fd-sd yes");
    good(&mut region, "restore client=fd all done yes");
    assert!(region.restored(0) == *region.saved(), "what came back differs");
    assert!(region.world.trace().grep(" fd > Dial {").is_empty(), "a passive client dials nobody");
    // The firewall knows nothing of this one.
    let job = order(&mut region, "run job=fd-other yes");
    let row = end(&mut region, job);
    assert_eq!(char::from(row.job_status), 'f', "{}", region.report(job));
    region
}

#[test]
fn a_passive_client_whose_firewall_lets_nothing_out_is_backed_up_and_restored() {
    passive_and_shut_in();
    let mut active = shut_in(false);
    let job = order(&mut active, "run job=fd-sd yes");
    let row = end(&mut active, job);
    assert_eq!(char::from(row.job_status), 'f', "the firewall has stopped nothing: {}", active.report(job));
}

/// A client behind a gateway that lets nobody in and forgets, in silence, after four minutes. Both sides have their
/// heartbeat interval; the director waits for a client for `patience` seconds.
fn waiting(gateway: Gateway, client: u64, director: u64, patience: u64) -> Region {
    let gateway = gateway.forgets(SECOND * 240, Unknown::Drop);
    let mut region = Scenario::new(9, gateway)
        .director(|own| {
            (own.heartbeat_interval, own.fd_connect_timeout) = (Seconds::secs(director), Seconds::secs(patience));
        })
        .client(
            ClientStation::inside("fd", 10)
                .dials("192.0.2.1")
                .with(|fd| fd.own.file.heartbeat_interval = Seconds::secs(client)),
        )
        .storage(StorageStation::outside("sd", 20).at("192.0.2.20"))
        .start();
    region.world.run_for(SECOND * 10);
    assert_eq!(dials(&region), 0, "{}", region.world.trace().tail(40));
    region
}

/// How often the client has dialled after the first ten seconds, as far as the trace goes back.
fn dials(region: &Region) -> usize {
    let is_later = |line: &&String| {
        line.trim_start().split('.').next().is_some_and(|time| time.parse::<u64>().is_ok_and(|time| time > 9))
    };
    region.world.trace().grep("fd > Dial").iter().filter(is_later).count()
}

#[test]
fn a_client_that_can_only_dial_out_is_backed_up_and_restored() {
    let mut region = waiting(Gateway::masquerading(GATEWAY), 60, 60, 180);
    good(&mut region, "run job=fd-sd yes");
    good(&mut region, "restore client=fd all done yes");
    assert!(region.restored(0) == *region.saved(), "what came back differs");
}

/// A connection that waits for an hour, and then a job.
fn idle_connection(client: u64, director: u64, survives: bool) -> Region {
    let mut region = waiting(Gateway::masquerading(GATEWAY), client, director, 180);
    // Not a whole number of intervals, and long after the gateway would have forgotten.
    region.world.run_for(SECOND * 300);
    assert_eq!(dials(&region), 0, "client {client}, director {director}");
    let job = order(&mut region, "run job=fd-sd yes");
    let began = region.world.now();
    let row = end(&mut region, job);
    let took = region.world.now().since(began);
    let case = format!("client {client}, director {director}, after {took:?}: {}", region.report(job));
    if survives {
        assert_eq!(char::from(row.job_status), 'T', "{case}");
        assert!(took < SECOND * 2, "{case}");
    } else {
        assert_eq!(char::from(row.job_status), 'f', "{case}");
        assert!(region.report(job).contains("1 did not answer within 5 s"), "{case}");
        assert!(took <= SECOND * 190, "{case}");
    }
    region
}

#[test]
fn a_waiting_connection_outlives_a_four_minute_nat_if_either_side_has_a_heartbeat_below_it() {
    for (client, director, survives) in
        [(239, 0, true), (0, 239, true), (241, 0, false), (0, 241, false), (0, 0, false)]
    {
        idle_connection(client, director, survives);
    }
}

/// With a heartbeat a second over the gateway's time the client notices and dials again: a job that waits for it is good.
fn late_heartbeat() -> Region {
    let mut region = waiting(Gateway::masquerading(GATEWAY), 241, 0, 600);
    region.world.run_for(SECOND * 300);
    let job = order(&mut region, "run job=fd-sd yes");
    let row = end(&mut region, job);
    assert_eq!(char::from(row.job_status), 'T', "{}", region.report(job));
    // It was heard last in the first second, and noticed the loss within three intervals and two seconds.
    assert!(region.world.now().since(towline_core::time::Instant::ZERO) <= SECOND * (3 * 241 + 2 + 4));
    assert_eq!(dials(&region), 3, "one for what was lost, one for the next job, one to the storage daemon");
    region
}

#[test]
fn a_job_waits_for_a_client_whose_heartbeat_is_a_second_over_the_gateways_time() {
    late_heartbeat();
}

/// A client with a waiting connection sleeps, and is back within a minute after it woke up.
fn waiting_sleeper() -> Region {
    let mut region = waiting(Gateway::masquerading(GATEWAY), 60, 60, 180);
    let client = region.clients[0].host;
    region.world.suspend(client, HOUR);
    region.world.run_for(HOUR + SECOND * 62);
    assert_eq!(dials(&region), 1, "{}", region.world.trace().tail(60));
    let job = order(&mut region, "run job=fd-sd yes");
    let began = region.world.now();
    let row = end(&mut region, job);
    assert_eq!(char::from(row.job_status), 'T', "{}", region.report(job));
    assert!(region.world.now().since(began) < SECOND * 10, "{}", region.report(job));
    region
}

#[test]
fn a_client_that_slept_with_a_waiting_connection_is_back_when_it_wakes_up() {
    waiting_sleeper();
}

/// A client with a waiting connection moves to another network, and its system says so.
fn waiting_mover_that_knows() -> Region {
    let mut region = waiting(Gateway::masquerading(GATEWAY), 60, 60, 180);
    let cafe = region.world.add_network(NetworkId::OPEN, Gateway::masquerading([192, 0, 2, 200]));
    let client = region.clients[0].host;
    region.world.roam(client, cafe, [10, 0, 0, 77].into());
    assert!(region.world.post(client, Event::NetworkChanged));
    region.world.run_for(SECOND);
    assert_eq!(dials(&region), 1, "it dials at once: {}", region.world.trace().tail(60));
    let began = region.world.now();
    good(&mut region, "run job=fd-sd yes");
    assert!(region.world.now().since(began) < SECOND * 3, "the newest connection is taken");
    region
}

#[test]
fn a_client_that_hears_of_its_new_network_dials_in_from_there_at_once() {
    waiting_mover_that_knows();
}

/// A client with a waiting connection moves to another network.
fn waiting_mover() -> Region {
    let interval = u64::from(INTERVAL);
    let mut region = waiting(Gateway::masquerading(GATEWAY), interval, interval, 180);
    let cafe = region.world.add_network(NetworkId::OPEN, Gateway::masquerading([192, 0, 2, 200]));
    let client = region.clients[0].host;
    region.world.roam(client, cafe, [10, 0, 0, 77].into());
    region.world.run_for(NOTICED + SECOND * 3);
    assert_eq!(dials(&region), 1, "{}", region.world.trace().tail(60));
    good(&mut region, "run job=fd-sd yes");
    region
}

#[test]
fn a_client_that_moves_with_a_waiting_connection_dials_in_from_its_new_place() {
    waiting_mover();
}

#[test]
fn each_scenario_leaves_the_same_trace_twice() {
    let hash = |region: Region| region.world.trace().hash();
    let quiet = || {
        let (mut region, job) = quiet_job(240, 239, Unknown::Drop);
        end(&mut region, job);
        region
    };
    let all: [&dyn Fn() -> Region; 11] = [
        &quiet,
        &|| cut_in_the_middle(Cut::Gateway),
        &|| cancelled_in_the_middle(Cut::DataChannel),
        &|| sleeper(HOUR, 'f'),
        &mover,
        &|| idle_connection(239, 0, true),
        &late_heartbeat,
        &waiting_sleeper,
        &waiting_mover,
        &waiting_mover_that_knows,
        &passive_and_shut_in,
    ];
    for (n, scenario) in all.into_iter().enumerate() {
        assert_eq!(hash(scenario()), hash(scenario()), "scenario {n}");
    }
}
