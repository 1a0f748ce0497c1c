//! A gateway against what the RFCs and arithmetic say.

use towline_core::time::Instant;

use super::session::Kind;
use super::*;

const SYN: Seen = Seen::bare(Kind::Syn);
const SYN_ACK: Seen = Seen::bare(Kind::SynAck);
const ACK: Seen = Seen::bare(Kind::Ack);
const FIN: Seen = Seen::bare(Kind::Fin);
const RST: Seen = Seen::bare(Kind::Rst);

const SECOND: Duration = Duration::from_secs(1);
const OUTSIDE: [u8; 4] = [192, 0, 2, 254];

fn at(ip: [u8; 4], port: u16) -> SocketAddr {
    (ip, port).into()
}

fn inner(port: u16) -> SocketAddr {
    at([10, 0, 0, 20], port)
}

fn server(n: u8, port: u16) -> SocketAddr {
    at([192, 0, 2, n], port)
}

fn seconds(n: u64) -> Instant {
    Instant(n * 1_000_000_000)
}

/// Opens a session from inside at time zero, established with the answer; returns its outer endpoint.
fn open(gateway: &mut Tracker, from: SocketAddr, to: SocketAddr) -> SocketAddr {
    let Passage::Pass(outer, target) = gateway.outward(from, to, SYN, seconds(0)) else {
        panic!("not let out");
    };
    assert_eq!(target, to);
    assert_eq!(gateway.inward(to, outer, SYN_ACK, seconds(0)), Passage::Pass(to, from));
    assert_eq!(gateway.outward(from, to, ACK, seconds(0)), Passage::Pass(outer, to));
    outer
}

#[test]
fn a_session_is_forgotten_exactly_after_its_idle_time_and_not_a_second_before() {
    for unknown in [Unknown::Drop, Unknown::Reset] {
        for (way, established) in [(Way::Out, 240), (Way::In, 240), (Way::Out, 7440), (Way::In, 7440)] {
            let plan = Gateway::masquerading(OUTSIDE).forgets(SECOND * established, unknown);
            for (pause, survives) in [(established - 1, true), (established, false), (established + 1, false)] {
                let mut gateway = Tracker::new(plan.clone());
                let (from, to) = (inner(40_000), server(1, 9101));
                let outer = open(&mut gateway, from, to);
                let now = seconds(u64::from(pause));
                let (passage, passed) = match way {
                    Way::Out => (gateway.outward(from, to, ACK, now), Passage::Pass(outer, to)),
                    Way::In => (gateway.inward(to, outer, ACK, now), Passage::Pass(to, from)),
                };
                let lost = match unknown {
                    Unknown::Drop => Passage::Drop("no such session"),
                    Unknown::Reset => Passage::Reset("no such session"),
                };
                assert_eq!(passage, if survives { passed } else { lost }, "{way:?} after {pause} of {established} s");
                // What passes begins the time anew.
                assert_eq!(gateway.remembered(now + SECOND * (established - 1)), usize::from(survives));
                assert_eq!(gateway.remembered(now + SECOND * established), 0);
            }
        }
    }
}

#[test]
fn a_session_that_opens_or_closes_is_forgotten_after_the_transitory_time() {
    let plan = Gateway::masquerading(OUTSIDE);
    let (from, to) = (inner(40_000), server(1, 9101));
    let mut opening = Tracker::new(plan.clone());
    assert!(matches!(opening.outward(from, to, SYN, seconds(0)), Passage::Pass(..)));
    let mut closing = Tracker::new(plan);
    let outer = open(&mut closing, from, to);
    assert_eq!(closing.inward(to, outer, FIN, seconds(0)), Passage::Pass(to, from));
    for gateway in [&mut opening, &mut closing] {
        assert_eq!([239, 240].map(|now| gateway.remembered(seconds(now))), [1, 0]);
    }
}

#[test]
fn strangers_use_a_mapping_as_far_as_the_filtering_lets_them() {
    use Scope::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
    // RFC 4787 §5: the peer itself, its other port, another host.
    let strangers = [server(1, 9101), server(1, 5), server(2, 9101)];
    for (filtering, expected) in [
        (EndpointIndependent, [true, true, true]),
        (AddressDependent, [true, true, false]),
        (AddressAndPortDependent, [true, false, false]),
    ] {
        let mut plan = Gateway::masquerading(OUTSIDE);
        plan.translation = Some(Translation { filtering, ..Translation::default() });
        let passes = strangers.map(|stranger| {
            let mut gateway = Tracker::new(plan.clone());
            let outer = open(&mut gateway, inner(40_000), server(1, 9101));
            match gateway.inward(stranger, outer, SYN, seconds(1)) {
                Passage::Pass(_, to) => to == inner(40_000),
                _ => false,
            }
        });
        assert_eq!(passes, expected, "{filtering:?}");
    }
}

#[test]
fn connections_from_one_port_share_an_outside_port_as_the_mapping_says() {
    use Scope::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
    for (mapping, expected) in [
        (EndpointIndependent, [true, true]),
        (AddressDependent, [true, false]),
        (AddressAndPortDependent, [false, false]),
    ] {
        let mut plan = Gateway::masquerading(OUTSIDE);
        plan.translation = Some(Translation { mapping, ..Translation::default() });
        let shares = [server(1, 9103), server(2, 9101)].map(|other| {
            let mut gateway = Tracker::new(plan.clone());
            open(&mut gateway, inner(40_000), server(1, 9101)) == open(&mut gateway, inner(40_000), other)
        });
        assert_eq!(shares, expected, "{mapping:?}");
    }
}

#[test]
fn two_hosts_with_the_same_port_are_told_apart_outside() {
    let mut gateway = Tracker::new(Gateway::masquerading(OUTSIDE).forward(40_001, inner(9103)));
    let one = open(&mut gateway, at([10, 0, 0, 10], 40_000), server(1, 9101));
    let two = open(&mut gateway, inner(40_000), server(1, 9101));
    assert_eq!(one, at(OUTSIDE, 40_000), "the port is kept while it is free, RFC 4787 §4.2.1");
    assert_eq!(two, at(OUTSIDE, 40_002), "the next one that is neither used nor forwarded");
}

#[test]
fn a_rule_decides_for_its_way_and_port_and_the_policy_for_the_rest() {
    let verdicts = [Verdict::Accept, Verdict::Drop, Verdict::Reset, Verdict::Prohibit];
    for way in [Way::In, Way::Out] {
        for policy in verdicts {
            for rule in verdicts {
                for port in [9101, 9102] {
                    let plan = Gateway::routing(OUTSIDE).policy(policy, policy).rule(way, 9102, rule);
                    for goes in [Way::In, Way::Out] {
                        let mut gateway = Tracker::new(plan.clone());
                        let (host, peer) = (inner(port), server(1, port));
                        let passage = match goes {
                            Way::In => gateway.inward(peer, host, SYN, seconds(0)),
                            Way::Out => gateway.outward(host, peer, SYN, seconds(0)),
                        };
                        let expected = if goes == way && port == 9102 { rule } else { policy };
                        let seen = match passage {
                            Passage::Pass(..) => Verdict::Accept,
                            Passage::Drop(_) => Verdict::Drop,
                            Passage::Reset(_) => Verdict::Reset,
                            Passage::Prohibit(_) => Verdict::Prohibit,
                        };
                        assert_eq!(seen, expected, "{goes:?} {port}, rule {way:?} {rule:?}, policy {policy:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_was_let_through_is_answered_whatever_the_policy_for_the_answers_way() {
    let mut gateway = Tracker::new(Gateway::routing(OUTSIDE).policy(Verdict::Drop, Verdict::Accept));
    assert_eq!(open(&mut gateway, inner(40_000), server(1, 9101)), inner(40_000));
    let segment = gateway.inward(server(1, 9101), inner(40_001), ACK, seconds(0));
    assert_eq!(segment, Passage::Drop("no such session"), "another port");
}

#[test]
fn a_gateway_that_begins_anew_knows_no_session_and_never_answers_a_reset() {
    let mut gateway = Tracker::new(Gateway::masquerading(OUTSIDE).forgets(SECOND, Unknown::Reset));
    let (from, to) = (inner(40_000), server(1, 9101));
    open(&mut gateway, from, to);
    gateway.forget();
    assert_eq!(gateway.outward(from, to, ACK, seconds(0)), Passage::Reset("no such session"));
    assert_eq!(gateway.outward(from, to, RST, seconds(0)), Passage::Drop("no such session"));
}

/// What a segment with so many bytes at this place says, which acknowledges so many of the other stream.
fn data(at: u64, bytes: usize, ack: u64, fin: bool) -> Seen {
    let data = crate::tcp::Data {
        isns: crate::tcp::Isns::default(),
        at,
        bytes: vec![0; bytes],
        fin,
        ack,
        limit: 1_000_000,
        probe: false,
    };
    Seen::of(&crate::tcp::Segment::Data(data))
}

#[test]
fn linux_remembers_what_ends_was_reset_or_is_unacknowledged_for_its_own_times() {
    let (from, to) = (inner(40_000), server(1, 9101));
    // What goes through after the opening, outwards or inwards, and for how many seconds the session is remembered then.
    let cases: [(&[(Way, Seen)], u64); 7] = [
        (&[], 432_000),
        (&[(Way::Out, RST)], 10),
        (&[(Way::Out, data(0, 5, 0, false))], 300),
        (&[(Way::Out, data(0, 5, 0, false)), (Way::In, data(0, 0, 5, false))], 432_000),
        (&[(Way::Out, data(0, 0, 0, true)), (Way::In, data(0, 0, 1, false))], 60),
        (&[(Way::In, data(0, 0, 0, true)), (Way::Out, data(0, 0, 1, true))], 30),
        (&[(Way::In, data(0, 0, 0, true)), (Way::Out, data(0, 0, 1, true)), (Way::In, data(1, 0, 1, false))], 120),
    ];
    for (n, (segments, remembered)) in cases.into_iter().enumerate() {
        let mut gateway = Tracker::new(Gateway::masquerading(OUTSIDE).as_linux(true, Unknown::Reset));
        let outer = open(&mut gateway, from, to);
        for (way, seen) in segments {
            let passage = match way {
                Way::Out => gateway.outward(from, to, *seen, seconds(0)),
                Way::In => gateway.inward(to, outer, *seen, seconds(0)),
            };
            assert!(matches!(passage, Passage::Pass(..)), "{n}: {passage:?}");
        }
        let left = [remembered - 1, remembered].map(|now| gateway.remembered(seconds(now)));
        assert_eq!(left, [1, 0], "case {n}");
    }
}
