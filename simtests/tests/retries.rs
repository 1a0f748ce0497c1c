//! How often each daemon dials a peer that refuses, and for how long: as its configuration says.

use std::time::Duration;

use towline_core::config::Seconds;
use towline_simtests::gateway::Gateway;
use towline_simtests::host::HostId;
use towline_simtests::names::View;
use towline_simtests::scenario::{GATEWAY, Region, Scenario};
use towline_simtests::station::{ClientStation, StorageStation};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Of somebody with whom nobody listens.
const NOBODY: [u8; 4] = [192, 0, 2, 99];

/// For how many seconds somebody tries to reach a daemon, and how many it pauses between two tries, if not as many as usual.
type Patience = (u64, Option<u64>);

fn set((timeout, pause): Patience, of: (&mut Seconds, &mut Seconds)) {
    *of.0 = Seconds(timeout);
    *of.1 = pause.map_or(*of.1, Seconds);
}

/// How long a daemon tries, and when it dials then.
const CASES: [(Patience, &[u64]); 2] = [((10, Some(4)), &[0, 4, 8]), ((25, None), &[0, 10, 20])];

/// A director, a file daemon and two storage daemons, changed in whatever way.
fn region(change: impl FnOnce(&mut Scenario)) -> Region {
    let mut scenario = Scenario::new(71, Gateway::masquerading(GATEWAY))
        .client(ClientStation::outside("fd", 10).at("fd"))
        .storage(StorageStation::outside("sd", 20))
        .storage(StorageStation::outside("sd2", 21));
    scenario.copies = true;
    change(&mut scenario);
    let mut region = scenario.start();
    region.world.add_host("nobody", NOBODY.into());
    region
}

/// For one host a name leads to somebody with whom nobody listens.
fn misled(region: &mut Region, host: HostId, name: &str) {
    region.world.set_view(host, name, View::Addresses(vec![NOBODY.into()]));
}

/// The seconds, from the first on, at which somebody dials nobody.
fn dials(region: &Region, who: &str) -> Vec<u64> {
    let address = NOBODY.map(|part| part.to_string()).join(".");
    let lines = region.world.trace().grep(&format!(" {who} > Dial {{"));
    let times: Vec<f64> = lines
        .iter()
        .filter(|line| line.contains(&address))
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect();
    let first = times.first().copied().unwrap_or_default();
    times.iter().map(|time| (time - first).round() as u64).collect()
}

fn fails(region: &mut Region, line: &str) {
    let Some(job) = region.order(line) else { panic!("not taken: {}", region.world.trace().tail(40)) };
    let state = region.await_end(job, 2 * MINUTE).map(|row| char::from(row.job_status));
    assert_eq!(state, Some('f'), "{}", region.report(job));
}

#[test]
fn a_director_dials_the_daemons_of_a_job_as_often_as_it_is_told() {
    for (patience, times) in [((10, Some(3)), &[0, 3, 6, 9][..]), ((10, None), &[0]), ((11, None), &[0, 10])] {
        for daemon in ["fd", "sd"] {
            let mut region = region(|Scenario { director, .. }| match daemon {
                "fd" => set(patience, (&mut director.fd_connect_timeout, &mut director.fd_retry_interval)),
                _ => set(patience, (&mut director.sd_connect_timeout, &mut director.sd_retry_interval)),
            });
            let director = region.director;
            misled(&mut region, director, daemon);
            fails(&mut region, "run job=fd-sd yes");
            assert_eq!(dials(&region, "dir"), times, "{daemon} {patience:?}");
        }
    }
}

#[test]
fn a_director_dials_for_a_status_as_often_as_it_is_told() {
    for (patience, times) in [(Some((7, Some(2))), vec![0, 2, 4, 6]), (None, (0..15).collect())] {
        for daemon in ["client=fd", "storage=sd"] {
            let mut region = region(|Scenario { director, .. }| {
                let of = (&mut director.status_connect_timeout, &mut director.status_retry_interval);
                patience.into_iter().for_each(|patience| set(patience, (&mut *of.0, &mut *of.1)));
            });
            let director = region.director;
            misled(&mut region, director, "fd");
            misled(&mut region, director, "sd");
            assert!(region.say(&format!("status {daemon}"), MINUTE).is_some(), "{patience:?} {daemon}");
            assert_eq!(dials(&region, "dir"), times, "{patience:?} {daemon}");
        }
    }
}

#[test]
fn a_file_daemon_dials_its_storage_daemon_as_often_as_it_is_told() {
    for (patience, times) in CASES {
        let mut region = region(|scenario| {
            let own = &mut scenario.clients[0].own.file;
            set(patience, (&mut own.sd_connect_timeout, &mut own.sd_retry_interval));
        });
        let client = region.clients[0].host;
        misled(&mut region, client, "sd");
        fails(&mut region, "run job=fd-sd yes");
        assert_eq!(dials(&region, "fd"), times, "{patience:?}");
    }
}

#[test]
fn a_storage_daemon_dials_a_passive_client_as_often_as_it_is_told() {
    for (patience, times) in CASES {
        let mut region = region(|scenario| {
            scenario.clients[0].resource.passive = true;
            let own = &mut scenario.storages[0].own.storage;
            set(patience, (&mut own.fd_connect_timeout, &mut own.fd_retry_interval));
        });
        let storage = region.storages[0].host;
        misled(&mut region, storage, "fd");
        fails(&mut region, "run job=fd-sd yes");
        assert_eq!(dials(&region, "sd"), times, "{patience:?}");
    }
}

#[test]
fn a_storage_daemon_dials_another_one_as_often_as_it_is_told() {
    for (patience, times) in CASES {
        let mut region = region(|scenario| {
            let own = &mut scenario.storages[0].own.storage;
            set(patience, (&mut own.sd_connect_timeout, &mut own.sd_retry_interval));
        });
        let backup = region.order("run job=fd-sd yes").unwrap_or_default();
        assert_eq!(region.await_end(backup, MINUTE).map(|row| row.job_status), Some(b'T'), "{}", region.report(backup));
        let storage = region.storages[0].host;
        misled(&mut region, storage, "sd2");
        fails(&mut region, &format!("run job=copy jobid={backup} yes"));
        assert_eq!(dials(&region, "sd"), times, "{patience:?}");
    }
}

#[test]
fn a_client_gives_a_silent_director_as_long_as_it_is_told_for_each_attempt() {
    for (given, timeout) in [(Some(Seconds(4)), 4), (None, 30)] {
        let client = ClientStation::outside("fd", 10).dials("192.0.2.99").with(|fd| {
            let own = &mut fd.own.file;
            own.director_connect_timeout = given.unwrap_or(own.director_connect_timeout);
            own.redial_interval = Seconds(2);
        });
        let mut region = Scenario::new(72, Gateway::masquerading(GATEWAY))
            .client(client)
            .storage(StorageStation::outside("sd", 20).at("192.0.2.20"))
            .start();
        let nobody = region.world.add_host("nobody", NOBODY.into());
        let client = region.clients[0].host;
        region.world.cut(client, nobody);
        // The first dial was to an address that nobody had yet.
        let before = dials(&region, "fd").len();
        region.world.run_for(2 * MINUTE);
        // Half of each pause of 2 s is chance.
        let (least, most) = (120 / (timeout + 2), 120 / (timeout + 1) + 1);
        let count = dials(&region, "fd").len() - before;
        assert!((least..=most).contains(&count), "{given:?}: {count} dials, {least} to {most} expected");
        region.world.run_for(SECOND);
    }
}
