//! How often each daemon dials a peer that refuses, and for how long: as its configuration says.

use std::time::Duration;

use towline_simtests::gateway::Gateway;
use towline_simtests::host::HostId;
use towline_simtests::names::View;
use towline_simtests::scenario::{GATEWAY, Region, Scenario, Station};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Of somebody with whom nobody listens.
const NOBODY: [u8; 4] = [192, 0, 2, 99];

/// A director, a file daemon and two storage daemons, each with pieces of configuration of its own.
fn region(director: &str, client: &str, storage: &str, is_passive: bool) -> Region {
    let resource = format!(r#"address: Some("fd"), passive: {is_passive},"#);
    let mut scenario = Scenario::new(71, Gateway::masquerading(GATEWAY))
        .director(director)
        .client(Station::outside("fd", 10).resource(&resource).own(client))
        .storage(Station::outside("sd", 20).resource(r#"address: "sd","#).own(storage))
        .storage(Station::outside("sd2", 21).resource(r#"address: "sd2","#));
    scenario.copies = true;
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
    for (pieces, times) in [
        ("fd_connect_timeout: 10, fd_retry_interval: 3,", &[0, 3, 6, 9][..]),
        ("fd_connect_timeout: 10,", &[0]),
        ("fd_connect_timeout: 11,", &[0, 10]),
    ] {
        let mut fd = region(pieces, "", "", false);
        let director = fd.director;
        misled(&mut fd, director, "fd");
        fails(&mut fd, "run job=fd-sd yes");
        assert_eq!(dials(&fd, "dir"), times, "{pieces}");
        let mut sd = region(&pieces.replace("fd_", "sd_"), "", "", false);
        misled(&mut sd, director, "sd");
        fails(&mut sd, "run job=fd-sd yes");
        assert_eq!(dials(&sd, "dir"), times, "{pieces}");
    }
}

#[test]
fn a_director_dials_for_a_status_as_often_as_it_is_told() {
    for (pieces, times) in
        [("status_connect_timeout: 7, status_retry_interval: 2,", vec![0, 2, 4, 6]), ("", (0..15).collect())]
    {
        for daemon in ["client=fd", "storage=sd"] {
            let mut region = region(pieces, "", "", false);
            let director = region.director;
            misled(&mut region, director, "fd");
            misled(&mut region, director, "sd");
            assert!(region.say(&format!("status {daemon}"), MINUTE).is_some(), "{pieces} {daemon}");
            assert_eq!(dials(&region, "dir"), times, "{pieces} {daemon}");
        }
    }
}

#[test]
fn a_file_daemon_dials_its_storage_daemon_as_often_as_it_is_told() {
    for (pieces, times) in
        [("sd_connect_timeout: 10, sd_retry_interval: 4,", &[0, 4, 8][..]), ("sd_connect_timeout: 25,", &[0, 10, 20])]
    {
        let mut region = region("", pieces, "", false);
        let client = region.clients[0].host;
        misled(&mut region, client, "sd");
        fails(&mut region, "run job=fd-sd yes");
        assert_eq!(dials(&region, "fd"), times, "{pieces}");
    }
}

#[test]
fn a_storage_daemon_dials_a_passive_client_as_often_as_it_is_told() {
    for (pieces, times) in
        [("fd_connect_timeout: 10, fd_retry_interval: 4,", &[0, 4, 8][..]), ("fd_connect_timeout: 25,", &[0, 10, 20])]
    {
        let mut region = region("", "", pieces, true);
        let storage = region.storages[0].host;
        misled(&mut region, storage, "fd");
        fails(&mut region, "run job=fd-sd yes");
        assert_eq!(dials(&region, "sd"), times, "{pieces}");
    }
}

#[test]
fn a_storage_daemon_dials_another_one_as_often_as_it_is_told() {
    for (pieces, times) in
        [("sd_connect_timeout: 10, sd_retry_interval: 4,", &[0, 4, 8][..]), ("sd_connect_timeout: 25,", &[0, 10, 20])]
    {
        let mut region = region("", "", pieces, false);
        let backup = region.order("run job=fd-sd yes").unwrap_or_default();
        assert_eq!(region.await_end(backup, MINUTE).map(|row| row.job_status), Some(b'T'), "{}", region.report(backup));
        let storage = region.storages[0].host;
        misled(&mut region, storage, "sd2");
        fails(&mut region, &format!("run job=copy jobid={backup} yes"));
        assert_eq!(dials(&region, "sd"), times, "{pieces}");
    }
}

#[test]
fn a_client_gives_a_silent_director_as_long_as_it_is_told_for_each_attempt() {
    let dials_in = "connection_from_client_to_director: true, connection_from_director_to_client: false,";
    for (pieces, timeout) in [("director_connect_timeout: 4, redial_interval: 2,", 4), ("redial_interval: 2,", 30)] {
        let mut region = Scenario::new(72, Gateway::masquerading(GATEWAY))
            .client(
                Station::outside("fd", 10)
                    .resource(dials_in)
                    .entry(&format!(r#"address: Some("192.0.2.99"), {dials_in}"#))
                    .own(pieces),
            )
            .storage(Station::outside("sd", 20).resource(r#"address: "192.0.2.20","#))
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
        assert!((least..=most).contains(&count), "{pieces}: {count} dials, {least} to {most} expected");
        region.world.run_for(SECOND);
    }
}
