//! The world itself, against what arithmetic and the RFCs say: gateways, firewalls, hosts that lose power, sleep or move.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use towline_core::conformance::Peer as _;
use towline_core::socket::{IoKind, SocketOptions};
use towline_simtests::arm::{Door, Raw, Shared};
use towline_simtests::calls::Barrier;
use towline_simtests::edge::{Edge, Uplink};
use towline_simtests::gateway::{Gateway, Unknown, Verdict, Way};
use towline_simtests::host::HostId;
use towline_simtests::link::Link;
use towline_simtests::network::NetworkId;
use towline_simtests::world::World;

const SECOND: Duration = Duration::from_secs(1);
const GATEWAY: [u8; 4] = [192, 0, 2, 254];
const INSIDE: [u8; 4] = [10, 0, 0, 10];
const OUTSIDE: [u8; 4] = [192, 0, 2, 1];
/// How long Linux sends again what nobody answers: fifteen times.
const RETRIES: Duration = Duration::from_millis(924_600);

/// A host behind a gateway and one outside.
struct Pair {
    world: Shared,
    network: NetworkId,
    inside: HostId,
    outside: HostId,
}

fn pair(gateway: Gateway) -> Pair {
    let mut world = World::new(1);
    let network = world.add_network(NetworkId::OPEN, gateway);
    let inside = world.add_host_in(network, "inside", INSIDE.into());
    let outside = world.add_host("outside", OUTSIDE.into());
    Pair { world: Rc::new(RefCell::new(world)), network, inside, outside }
}

fn open_door(world: &Shared, host: HostId, port: u16) -> Door {
    Door::open(world, host, ([0, 0, 0, 0], port).into(), SocketOptions::default())
}

fn connect(world: &Shared, host: HostId, to: ([u8; 4], u16)) -> Result<Raw, IoKind> {
    Raw::connect(world, host, to.into(), SocketOptions::default())
}

fn let_pass(world: &Shared, span: Duration) {
    world.borrow_mut().run_for(span);
}

/// Writes a word on one end; whether it is there after a second.
fn says(world: &Shared, from: &mut Raw, to: &mut Raw) -> bool {
    assert_eq!(from.try_write(b"word"), Some(Ok(4)));
    let_pass(world, SECOND);
    let mut space = [0; 9];
    matches!(to.try_read(&mut space), Some(Ok(4)))
}

#[test]
fn a_masqueraded_host_dials_out_under_the_gateways_address_and_nobody_dials_in() {
    for (inward, error) in [(Verdict::Drop, IoKind::TimedOut), (Verdict::Reset, IoKind::Refused)] {
        let Pair { world, inside, outside, .. } = pair(Gateway::masquerading(GATEWAY).policy(inward, Verdict::Accept));
        let door = open_door(&world, outside, 9101);
        let mut one = connect(&world, inside, (OUTSIDE, 9101)).expect("dials out");
        let_pass(&world, SECOND);
        let mut other = door.try_accept().expect("a connection");
        assert_eq!(other.ends().peer.ip(), IpAddr::from(GATEWAY));
        assert_eq!(one.ends().peer, SocketAddr::from((OUTSIDE, 9101)));
        assert!(says(&world, &mut one, &mut other) && says(&world, &mut other, &mut one));
        let _inner = open_door(&world, inside, 9102);
        assert_eq!(connect(&world, outside, (GATEWAY, 9102)).err(), Some(error));
        assert_eq!(connect(&world, outside, (INSIDE, 9102)).err(), Some(IoKind::NoNeighbour), "a private address");
    }
}

#[test]
fn a_stream_that_a_loose_masquerade_takes_up_under_anothers_port_is_not_taken_for_that_ones() {
    let mut gateway = Gateway::masquerading(GATEWAY);
    gateway.loose = true;
    let Pair { world, network, inside, outside } = pair(gateway);
    let second = world.borrow_mut().add_host_in(network, "second", [10, 0, 0, 11].into());
    let door = open_door(&world, outside, 9101);
    let mut dialled = [inside, second].map(|host| {
        let one = connect(&world, host, (OUTSIDE, 9101)).expect("dials out");
        let_pass(&world, SECOND);
        (one, door.try_accept().expect("a connection"))
    });
    let [(first, at_first), (second, at_second)] = &mut dialled;
    assert!(says(&world, first, at_first) && says(&world, second, at_second));
    world.borrow_mut().restart_gateway(network);
    // The second one speaks first, and has the first one's port; then the first one has the second one's.
    for (from, to) in [(&mut *second, at_first), (&mut *first, at_second)] {
        assert!(!says(&world, from, to), "a connection has got another one's words");
    }
    let_pass(&world, RETRIES);
    for one in [first, second] {
        assert_eq!(one.try_read(&mut [0; 9]), Some(Err(IoKind::TimedOut)));
    }
}

#[test]
fn a_forwarded_port_leads_inside_and_shows_who_dials() {
    let Pair { world, inside, outside, .. } = pair(Gateway::masquerading(GATEWAY).forward(19_102, (INSIDE, 9102)));
    let door = open_door(&world, inside, 9102);
    let mut one = connect(&world, outside, (GATEWAY, 19_102)).expect("is forwarded");
    let_pass(&world, SECOND);
    let mut other = door.try_accept().expect("a connection");
    assert_eq!(other.ends().peer.ip(), IpAddr::from(OUTSIDE));
    assert_eq!(other.ends().local, SocketAddr::from((INSIDE, 9102)));
    assert!(says(&world, &mut one, &mut other) && says(&world, &mut other, &mut one));
}

#[test]
fn an_idle_session_survives_a_second_under_the_idle_time_and_not_a_second_over_it() {
    let idle = 240;
    let kinds: [(fn() -> Gateway, bool); 3] = [
        (|| Gateway::masquerading(GATEWAY), true),
        (|| Gateway::masquerading(GATEWAY).forward(9102, (INSIDE, 9102)), false),
        (|| Gateway::routing(GATEWAY).rule(Way::In, 9102, Verdict::Accept), false),
    ];
    for (n, (gateway, from_inside)) in kinds.into_iter().enumerate() {
        for unknown in [Unknown::Drop, Unknown::Reset] {
            for speaks_inside in [true, false] {
                for (pause, survives) in [(idle - 1, true), (idle + 1, false)] {
                    let case = format!("{n} {unknown:?} speaks inside {speaks_inside} after {pause} s");
                    let Pair { world, inside, outside, .. } = pair(gateway().forgets(SECOND * idle, unknown));
                    let (answers, dials) = if from_inside { (outside, inside) } else { (inside, outside) };
                    let to = if from_inside {
                        OUTSIDE
                    } else if n == 1 {
                        GATEWAY
                    } else {
                        INSIDE
                    };
                    let door = open_door(&world, answers, 9102);
                    let dialled = connect(&world, dials, (to, 9102)).expect(&case);
                    let_pass(&world, SECOND);
                    let accepted = door.try_accept().expect(&case);
                    let (mut speaker, mut hearer) =
                        if from_inside == speaks_inside { (dialled, accepted) } else { (accepted, dialled) };
                    // What is said last is answered at once, and the answer is the last the gateway sees.
                    assert!(says(&world, &mut speaker, &mut hearer));
                    let_pass(&world, SECOND * pause - SECOND);
                    assert_eq!(says(&world, &mut speaker, &mut hearer), survives, "{case}");
                    if survives {
                        continue;
                    }
                    let mut space = [0; 9];
                    let error = match unknown {
                        Unknown::Reset => Some(Err(IoKind::Reset)),
                        Unknown::Drop => None,
                    };
                    assert_eq!(speaker.try_read(&mut space), error, "{case}: a second later");
                    let_pass(&world, RETRIES * 2);
                    let error = error.unwrap_or(Err(IoKind::TimedOut));
                    assert_eq!(speaker.try_read(&mut space), Some(error), "{case}: in the end");
                    assert_eq!(hearer.try_read(&mut space), None, "{case}: the other one is half-open");
                }
            }
        }
    }
}

#[test]
fn hairpin_reaches_the_neighbour_by_the_outside_address_only_where_it_is_on() {
    for hairpin in [true, false] {
        let gateway = Gateway::masquerading(GATEWAY).forward(9103, ([10, 0, 0, 20], 9103)).hairpin(hairpin);
        let Pair { world, network, inside, .. } = pair(gateway);
        let neighbour = world.borrow_mut().add_host_in(network, "neighbour", [10, 0, 0, 20].into());
        let door = open_door(&world, neighbour, 9103);
        let dialled = connect(&world, inside, (GATEWAY, 9103));
        if hairpin {
            let mut dialled = dialled.expect("hairpin");
            let_pass(&world, SECOND);
            let mut accepted = door.try_accept().expect("a connection");
            assert_eq!(accepted.ends().peer.ip(), IpAddr::from(GATEWAY), "RFC 5382 REQ-8");
            assert!(says(&world, &mut dialled, &mut accepted) && says(&world, &mut accepted, &mut dialled));
        } else {
            assert_eq!(dialled.err(), Some(IoKind::TimedOut));
        }
        assert!(connect(&world, inside, ([10, 0, 0, 20], 9103)).is_ok(), "directly, without the gateway");
    }
}

#[test]
fn translation_nests_and_the_shortest_idle_time_counts() {
    for (outer_idle, inner_idle) in [(100, 300), (300, 100)] {
        let mut world = World::new(2);
        let provider = world.add_network(
            NetworkId::OPEN,
            Gateway::masquerading(GATEWAY)
                .forward(9102, ([100, 64, 0, 7], 9102))
                .forgets(SECOND * outer_idle, Unknown::Drop),
        );
        let home = world.add_network(
            provider,
            Gateway::masquerading([100, 64, 0, 7])
                .forward(9102, (INSIDE, 9102))
                .forgets(SECOND * inner_idle, Unknown::Drop),
        );
        let inside = world.add_host_in(home, "inside", INSIDE.into());
        let outside = world.add_host("outside", OUTSIDE.into());
        let world: Shared = Rc::new(RefCell::new(world));
        let door = open_door(&world, outside, 9101);
        let mut one = connect(&world, inside, (OUTSIDE, 9101)).expect("through both");
        let_pass(&world, SECOND);
        let mut other = door.try_accept().expect("a connection");
        assert_eq!(other.ends().peer.ip(), IpAddr::from(GATEWAY));
        let least = outer_idle.min(inner_idle);
        for (pause, survives) in [(least - 1, true), (least + 1, false)] {
            assert!(says(&world, &mut one, &mut other) || !survives);
            let_pass(&world, SECOND * pause - SECOND);
            assert_eq!(says(&world, &mut one, &mut other), survives, "{pause} of {outer_idle} and {inner_idle} s");
        }
        let _inner = open_door(&world, inside, 9102);
        assert!(connect(&world, outside, (GATEWAY, 9102)).is_ok(), "forwarded twice");
    }
}

#[test]
fn two_networks_may_use_the_same_addresses() {
    let mut world = World::new(3);
    let gateways = [[192, 0, 2, 253], GATEWAY];
    let hosts = gateways.map(|address| {
        let network = world.add_network(NetworkId::OPEN, Gateway::masquerading(address));
        let [one, two] = [("one", INSIDE), ("two", [10, 0, 0, 20])]
            .map(|(name, address)| world.add_host_in(network, name, address.into()));
        (one, two)
    });
    let server = world.add_host("server", OUTSIDE.into());
    let world: Shared = Rc::new(RefCell::new(world));
    let door = open_door(&world, server, 9101);
    let dialled = hosts.map(|(host, _)| connect(&world, host, (OUTSIDE, 9101)).expect("dials out"));
    let_pass(&world, SECOND);
    for ((mut one, gateway), _) in dialled.into_iter().zip(gateways).zip(0..) {
        let mut other = door.try_accept().expect("a connection");
        assert_eq!(other.ends().peer.ip(), IpAddr::from(gateway));
        assert!(says(&world, &mut one, &mut other) && says(&world, &mut other, &mut one));
    }
    let _door = open_door(&world, hosts[0].1, 9103);
    assert!(connect(&world, hosts[0].0, ([10, 0, 0, 20], 9103)).is_ok());
    assert_eq!(connect(&world, hosts[1].0, ([10, 0, 0, 20], 9103)).err(), Some(IoKind::Refused), "its own network's");
}

#[test]
fn a_gateway_that_begins_anew_forgets_and_one_that_is_cut_swallows_until_it_heals() {
    let Pair { world, network, inside, outside } = pair(Gateway::masquerading(GATEWAY));
    let door = open_door(&world, outside, 9101);
    let mut one = connect(&world, inside, (OUTSIDE, 9101)).expect("dials out");
    let_pass(&world, SECOND);
    let mut other = door.try_accept().expect("a connection");
    world.borrow_mut().cut_gateway(network);
    assert!(!says(&world, &mut one, &mut other));
    world.borrow_mut().heal();
    let_pass(&world, SECOND * 5);
    assert!(matches!(other.try_read(&mut [0; 9]), Some(Ok(4))), "TCP sends it again");
    assert_eq!(world.borrow().sessions(network), 1);
    world.borrow_mut().restart_gateway(network);
    assert_eq!(world.borrow().sessions(network), 0);
    assert!(!says(&world, &mut one, &mut other));
}

#[test]
fn what_the_edges_do_adds_up_along_the_tree_and_each_has_two_ways() {
    let Pair { world, network, inside, outside } = pair(Gateway::masquerading(GATEWAY));
    let edges = [Edge::Host(inside), Edge::Network(network), Edge::Host(outside)];
    let millis = Duration::from_millis;
    for (edge, latency) in edges.into_iter().zip([10, 20, 40]) {
        world.borrow_mut().uplink(edge, |link| link.latency = millis(latency));
    }
    let door = open_door(&world, outside, 9101);
    let began = world.borrow().now();
    let mut one = connect(&world, inside, (OUTSIDE, 9101)).expect("dials out");
    let took = world.borrow().now().since(began);
    assert!((millis(140)..millis(142)).contains(&took), "there and back: {took:?}");
    let_pass(&world, SECOND);
    let mut other = door.try_accept().expect("a connection");
    for edge in edges {
        // To a lower end is in, from it is out.
        let (to_outside, to_inside) = if edge == edges[2] { (Way::In, Way::Out) } else { (Way::Out, Way::In) };
        for (way, passes) in [(to_outside, [false, true]), (to_inside, [true, false])] {
            world.borrow_mut().uplink_way(edge, way, |link| link.cut = true);
            let passed = [says(&world, &mut one, &mut other), says(&world, &mut other, &mut one)];
            assert_eq!(passed, passes, "{edge:?} cut {way:?}");
            let stop = world.borrow().calls()[0].stop.expect("it says where");
            assert_eq!((stop.at, stop.way, stop.why), (Barrier::Uplink(edge), way, "cut"));
            world.borrow_mut().heal();
            let_pass(&world, SECOND * 30);
            let mut space = [0; 64];
            _ = (one.try_read(&mut space), other.try_read(&mut space));
        }
    }
}

#[test]
fn what_is_under_way_over_an_edge_is_lost_when_that_is_cut() {
    let Pair { world, network, inside, outside } = pair(Gateway::routing(GATEWAY));
    let slow = Link { latency: SECOND * 2, ..Link::CLEAR };
    world.borrow_mut().set_uplink(Edge::Network(network), Uplink::both(slow));
    let door = open_door(&world, outside, 9101);
    let mut one = connect(&world, inside, (OUTSIDE, 9101)).expect("dials out");
    let_pass(&world, SECOND * 5);
    let mut other = door.try_accept().expect("a connection");
    assert_eq!(one.try_write(b"word"), Some(Ok(4)));
    let_pass(&world, SECOND);
    world.borrow_mut().cut_uplink(Edge::Network(network));
    let_pass(&world, SECOND * 3);
    assert_eq!(other.try_read(&mut [0; 9]), None);
    world.borrow_mut().mend_uplink(Edge::Network(network));
    let_pass(&world, SECOND * 30);
    assert_eq!(other.try_read(&mut [0; 9]), Some(Ok(4)), "TCP sends it again");
}

#[test]
fn who_reaches_a_neighbour_by_the_gateway_does_not_come_to_its_uplink() {
    let gateway = Gateway::masquerading(GATEWAY).hairpin(true).forward(9102, (INSIDE, 9102));
    let Pair { world, network, inside, outside } = pair(gateway);
    let neighbour = world.borrow_mut().add_host_in(network, "neighbour", [10, 0, 0, 11].into());
    let _door = open_door(&world, inside, 9102);
    world.borrow_mut().cut_uplink(Edge::Network(network));
    assert!(connect(&world, neighbour, (GATEWAY, 9102)).is_ok());
    assert!(connect(&world, outside, (GATEWAY, 9102)).is_err());
}

#[test]
fn a_host_that_comes_back_without_its_state_resets_and_one_without_power_is_unreachable_in_the_end() {
    for comes_back in [true, false] {
        let Pair { world, inside, outside, .. } = pair(Gateway::routing(GATEWAY));
        let door = open_door(&world, outside, 9101);
        let mut one = connect(&world, inside, (OUTSIDE, 9101)).expect("dials out");
        let_pass(&world, SECOND);
        let _other = door.try_accept().expect("a connection");
        world.borrow_mut().power_off(outside);
        if comes_back {
            world.borrow_mut().power_on(outside);
        }
        assert_eq!(one.try_write(b"still there?"), Some(Ok(12)));
        let_pass(&world, SECOND);
        let answer = comes_back.then_some(Err(IoKind::Reset));
        assert_eq!(one.try_read(&mut [0; 9]), answer);
        let_pass(&world, RETRIES * 2);
        // The gateway has asked for the host on its link, and said so.
        let end = if comes_back { IoKind::Reset } else { IoKind::Unreachable };
        assert_eq!(one.try_read(&mut [0; 9]), Some(Err(end)));
    }
}

#[test]
fn a_sleeping_hosts_clock_stands_still_and_what_is_sent_to_it_comes_after_it_wakes() {
    let Pair { world, inside, outside, .. } = pair(Gateway::routing(GATEWAY));
    let door = open_door(&world, outside, 9101);
    let mut one = connect(&world, inside, (OUTSIDE, 9101)).expect("dials out");
    let_pass(&world, SECOND);
    let mut other = door.try_accept().expect("a connection");
    let before = world.borrow().time_of(inside);
    world.borrow_mut().suspend(inside, SECOND * 100);
    assert!(!says(&world, &mut other, &mut one));
    let_pass(&world, SECOND * 98);
    assert_eq!(world.borrow().time_of(inside), before, "after 99 s");
    assert_eq!(one.try_read(&mut [0; 9]), None);
    let_pass(&world, SECOND * 2);
    assert_eq!(world.borrow().time_of(inside), before + SECOND, "after 101 s");
    // The other side's retries come after at most twice the time.
    let_pass(&world, SECOND * 120);
    assert!(matches!(one.try_read(&mut [0; 9]), Some(Ok(4))));
    assert!(says(&world, &mut one, &mut other));
}

#[test]
fn a_dial_gives_up_by_the_clock_of_its_host() {
    let Pair { world, network, inside, .. } = pair(Gateway::routing(GATEWAY));
    world.borrow_mut().cut_gateway(network);
    let (began, awake) = (world.borrow().now(), world.borrow().time_of(inside));
    world.borrow_mut().suspend(inside, SECOND * 1000);
    let dial = Raw::connect_within(&world, inside, (OUTSIDE, 9101).into(), SocketOptions::default(), SECOND * 50);
    assert_eq!(dial.err(), Some(IoKind::TimedOut));
    let (now, then) = (world.borrow().now(), world.borrow().time_of(inside));
    assert_eq!((then.since(awake), now.since(began)), (SECOND * 50, SECOND * 1050));
}

#[test]
fn a_host_that_moves_is_not_heard_under_its_old_address_and_dials_under_the_new_one() {
    let Pair { world, inside, outside, .. } = pair(Gateway::masquerading(GATEWAY));
    let door = open_door(&world, outside, 9101);
    let mut one = connect(&world, inside, (OUTSIDE, 9101)).expect("dials out");
    let_pass(&world, SECOND);
    let mut other = door.try_accept().expect("a connection");
    let cafe = world.borrow_mut().add_network(NetworkId::OPEN, Gateway::masquerading([192, 0, 2, 200]));
    world.borrow_mut().roam(inside, cafe, [10, 0, 0, 77].into());
    assert!(!says(&world, &mut one, &mut other) && !says(&world, &mut other, &mut one));
    let one = connect(&world, inside, (OUTSIDE, 9101)).expect("dials from there");
    assert_eq!(one.ends().local.ip(), IpAddr::from([10, 0, 0, 77]));
    let_pass(&world, SECOND);
    let other = door.try_accept().expect("a connection");
    assert_eq!(other.ends().peer.ip(), IpAddr::from([192, 0, 2, 200]));
}
