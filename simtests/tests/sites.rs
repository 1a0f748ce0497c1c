//! Sites: configurations as values, several daemons on one host, and what is known of each call afterwards.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::net::IpAddr;
use std::time::Duration;

use towline_core::config::{DirectorConfig, FileConfig, Seconds};
use towline_core::socket::IoKind;
use towline_simtests::calls::{Barrier, Outcome};
use towline_simtests::edge::{Edge, Uplink};
use towline_simtests::gateway::{Firewall, Gateway, Verdict, Way};
use towline_simtests::link::Link;
use towline_simtests::ready;
use towline_simtests::site::{Daemon, Machine, Mistake, Network, Site};

const OUTSIDE: [u8; 4] = [192, 0, 2, 254];
const HOUR: Duration = Duration::from_secs(3600);

fn address(of: [u8; 4]) -> IpAddr {
    of.into()
}

fn director(storage: &str) -> DirectorConfig {
    let mut config = ready::director("laptop", storage);
    config.director.fd_connect_timeout = Seconds(60);
    config
}

fn client() -> FileConfig {
    let mut config = ready::client("dir");
    config.file.sd_connect_timeout = Seconds(60);
    config
}

/// Director and storage daemon on one host behind a gateway, the client outside; the storage has this address.
fn office(storage_address: &str, gateway: Gateway) -> Site {
    let host = |name: &str, network, of| Machine::new(name, network, address(of));
    Site {
        seed: 1,
        networks: vec![Network::new("office", None, gateway)],
        hosts: vec![host("backup", Some(0), [10, 0, 0, 1]), host("laptop", None, [192, 0, 2, 10])],
        daemons: vec![
            Daemon::new(0, director(storage_address).into()),
            Daemon::new(0, ready::storage().into()),
            Daemon::new(1, client().into()),
        ],
        files: [(b"/data/file".to_vec(), vec![7; 10_000].into())].into(),
        ..Site::default()
    }
}

#[test]
fn daemons_share_a_host_and_a_forwarded_port_finds_the_one_that_listens() {
    let gateway = Gateway::masquerading(OUTSIDE).forward(9103, ([10, 0, 0, 1], 9103));
    // The client dials the gateway, the director is led to its own host by the gateway's hairpin.
    let mut standing = office("192.0.2.254", gateway.hairpin(true)).start().unwrap();
    let job = standing.order("run job=backup yes").unwrap();
    let row = standing.await_end(job, HOUR).unwrap();
    assert_eq!(char::from(row.job_status), 'T', "{}", standing.report(job));
    let storage = standing.daemons.iter().find(|daemon| daemon.name == "sd").unwrap().host;
    let calls = standing.world.calls();
    let to_storage: Vec<_> = calls.iter().filter(|call| call.to == Some(storage)).collect();
    assert_eq!(to_storage.len(), 2, "{calls:#?}");
    assert!(
        to_storage.iter().all(|call| matches!(call.outcome, Outcome::Open(_)) && call.stop.is_none()),
        "{calls:#?}"
    );
}

#[test]
fn a_call_that_is_stopped_says_at_which_gateway() {
    let mut standing = office("backup", Gateway::routing(OUTSIDE)).start().unwrap();
    let job = standing.order("run job=backup yes").unwrap();
    let row = standing.await_end(job, HOUR).unwrap();
    assert_ne!(char::from(row.job_status), 'T', "{}", standing.report(job));
    let (client, network) = (standing.daemons[1].host, standing.networks[0]);
    let calls = standing.world.calls();
    let call = calls.iter().find(|call| call.from == client).unwrap();
    assert!(matches!(call.outcome, Outcome::Failed(IoKind::TimedOut, _)), "{call:?}");
    let stop = call.stop.unwrap();
    assert_eq!((stop.at, stop.way, stop.why), (Barrier::Gateway(network), Way::In, "not let in"));
    assert!(!standing.daemons[1].complaints().is_empty());
}

#[test]
fn all_daemons_of_a_host_are_behind_its_firewall_and_a_call_says_where_it_was_stopped() {
    let wall = |ports| Firewall::new(Verdict::Drop, Verdict::Accept).rule(Way::In, ports, Verdict::Accept);
    for (ports, is_open) in [(9101..=9103, true), (9101..=9102, false)] {
        let mut site = office("backup", Gateway::routing(OUTSIDE).policy(Verdict::Accept, Verdict::Accept));
        site.hosts[0].firewall = Some(wall(ports));
        let mut standing = site.start().unwrap();
        let job = standing.order("run job=backup yes").unwrap();
        let row = standing.await_end(job, HOUR).unwrap();
        assert_eq!(row.job_status == b'T', is_open, "{}", standing.report(job));
        let (client, host) = (standing.daemons[1].host, standing.hosts[&0]);
        let calls = standing.world.calls();
        let stops: Vec<_> = calls.iter().filter(|call| call.from == client).filter_map(|call| call.stop).collect();
        let expected = (Barrier::Firewall(host), Way::In);
        assert_eq!(stops.is_empty(), is_open);
        assert!(stops.iter().all(|stop| (stop.at, stop.way) == expected), "{stops:?}");
    }
}

#[test]
fn a_probe_has_the_data_channel_dialled_and_leaves_no_job_behind() {
    for (inward, is_open) in [(Verdict::Accept, true), (Verdict::Drop, false)] {
        let mut standing = office("backup", Gateway::routing(OUTSIDE).policy(inward, Verdict::Accept)).start().unwrap();
        standing.world.run_for(Duration::from_secs(60));
        let began = standing.world.now();
        let text = standing.say("probe client=fd storage=sd", HOUR).unwrap();
        // It is not dialled for as long as for a job.
        assert!(standing.world.now().since(began) < Duration::from_secs(12), "{text}");
        let client = standing.daemons[1].host;
        let calls = standing.world.calls();
        let call = calls.iter().find(|call| call.from == client).unwrap();
        assert_eq!(matches!(call.outcome, Outcome::Open(_)), is_open, "{text}");
        assert!(text.contains("2902 Bad storage"), "{text}");
        assert!(text.contains(if is_open { "T03" } else { "T01" }), "{text}");
        assert!(standing.catalog.tables().jobs.is_empty(), "{text}");
    }
}

#[test]
fn a_probe_with_a_size_shows_which_packets_get_through_to_the_other_end_and_back() {
    let gateway = Gateway::routing(OUTSIDE).policy(Verdict::Accept, Verdict::Accept);
    let wide = Link::CLEAR;
    let narrow = Link::CLEAR.with_mtu(1_300, false);
    let uplinks = [
        (Uplink::both(wide), true),
        (Uplink { back: narrow, out: wide }, false),
        (Uplink { back: wide, out: narrow }, false),
    ];
    for (uplink, passes) in uplinks {
        let mut site = office("backup", gateway.clone());
        site.networks[0].uplink = uplink;
        let mut standing = site.start().unwrap();
        standing.world.run_for(Duration::from_secs(60));
        for (size, reached) in [("", true), (" size=1000", true), (" size=2900", passes)] {
            let began = standing.world.now();
            let text = standing.say(&format!("probe client=fd storage=sd{size}"), HOUR).unwrap();
            assert!(standing.world.now().since(began) < Duration::from_secs(12), "{text}");
            assert_eq!(text.contains("(T0307)"), reached, "{size}: {text}");
            assert_eq!(text.contains("(T0312)"), !reached, "{size}: {text}");
        }
        // It is not tried with small segments, however often large ones are lost.
        let text = standing.say("probe client=fd storage=sd size=2900", HOUR).unwrap();
        assert_eq!(text.contains("(T0307)"), passes, "{text}");
        let text = standing.say("probe client=fd storage=sd size=5000", HOUR).unwrap();
        assert!(text.contains("256 to 3000"), "{text}");
    }
}

#[test]
fn a_site_says_what_its_edges_carry_and_a_world_that_heals_keeps_to_it() {
    let gateway = Gateway::masquerading(OUTSIDE).forward(9103, ([10, 0, 0, 1], 9103)).hairpin(true);
    for (tells, good) in [(true, true), (false, false)] {
        let mut site = office("192.0.2.254", gateway.clone());
        site.networks[0].uplink = Uplink::both(Link::CLEAR.with_mtu(1_300, tells));
        site.hosts[1].uplink = Uplink::both(Link { latency: Duration::from_millis(100), ..Link::CLEAR });
        let mut standing = site.start().unwrap();
        let (network, laptop) = (standing.networks[0], standing.hosts[&1]);
        standing.world.cut_uplink(Edge::Network(network));
        standing.world.heal();
        let job = standing.order("run job=backup yes").unwrap();
        let row = standing.await_end(job, HOUR).unwrap();
        assert_eq!(row.job_status == b'T', good, "{tells}: {}", standing.report(job));
        // The client's data is too large for the gateway's uplink on the way in.
        let mut stops =
            standing.world.calls().into_iter().filter(|call| call.from == laptop).filter_map(|call| call.stop);
        let at = (Barrier::Uplink(Edge::Network(network)), Way::In);
        assert_eq!(stops.next_back().map(|stop| (stop.at, stop.way)), (!good).then_some(at));
    }
}

#[test]
fn what_is_wrong_with_a_site_is_found_before_it_starts() {
    let mut site = office("backup", Gateway::masquerading(OUTSIDE));
    site.networks[0].around = Some(0);
    site.hosts.push(Machine::new("twin", Some(0), address([10, 0, 0, 1])));
    site.hosts.push(Machine::new("lost", Some(7), address([10, 0, 0, 2])));
    site.daemons.push(Daemon::new(9, ready::storage().into()));
    site.daemons.push(Daemon::new(1, director("backup").into()));
    let found = site.start().unwrap_err();
    let expected = [
        Mistake::Loop(0),
        Mistake::AddressTwice(0, 2),
        Mistake::NoNetwork(3),
        Mistake::NoHost(3),
        Mistake::SecondDirector(4),
    ];
    assert_eq!(found, expected);
}
