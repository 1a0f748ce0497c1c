//! Dials: look-ups, races, authentication, pauses, and their end.

use super::*;

#[test]
fn an_address_that_fails_is_followed_by_the_next_at_once() {
    let mut desk = Desk::new();
    let (_, query) = desk.dial();
    let actions = desk.resolved(query, &[address(1), address(2), address(3)]);
    assert_eq!(dials(&actions, desk.now), [(address(1), 30)]);
    let actions = desk.dialed(tried(&actions), Err(IoKind::Refused));
    assert_eq!(dials(&actions, desk.now), [(address(2), 30)]);
    let _ = desk.wait(SECOND / 8);
    let actions = desk.dialed(tried(&actions), Err(IoKind::Refused));
    assert_eq!(dials(&actions, desk.now), [(address(3), 30)]);
    let actions = desk.dialed(tried(&actions), Ok(ends()));
    let conn = attached(&actions);
    assert!(desk.node.role.dialed.is_empty(), "not before it is authenticated");
    let _ = desk.says(conn, peer());
    assert_eq!(desk.outcome(), &Ok(conn));
    assert_eq!(desk.node.poll_timeout(), None);
}

#[test]
fn an_address_that_does_not_answer_is_joined_by_the_next_after_250_ms_and_the_first_to_connect_wins() {
    let mut desk = Desk::new();
    let (_, query) = desk.dial();
    let first = tried(&desk.resolved(query, &[v6(1), v6(2), address(1)]));
    assert!(desk.wait(limits::RACE - Duration::from_nanos(1)).is_empty(), "never early");
    let actions = desk.wait(Duration::from_nanos(1));
    assert_eq!(dials(&actions, desk.now), [(address(1), 30)], "the other family");
    let second = tried(&actions);
    let actions = desk.wait(limits::RACE);
    assert_eq!(dials(&actions, desk.now), [(v6(2), 30)]);
    let third = tried(&actions);
    let actions = desk.dialed(second, Ok(ends()));
    assert!(matches!(actions[..2], [Action::CancelDial(one), Action::CancelDial(two)] if one == first && two == third));
    let conn = attached(&actions);
    // What the losers still answer changes nothing; a socket is given back.
    assert!(desk.dialed(first, Err(IoKind::Cancelled)).is_empty());
    let late = desk.dialed(third, Ok(ends()));
    assert!(matches!(late[..], [Action::CancelDial(id)] if id == third), "{late:?}");
    let _ = desk.says(conn, peer());
    assert_eq!(desk.outcome(), &Ok(conn));
    assert_eq!(desk.node.poll_timeout(), None);
}

#[test]
fn a_winner_that_hangs_up_before_authentication_gives_the_losers_another_chance() {
    let mut desk = Desk::new();
    let (_, query) = desk.dial();
    let _ = desk.resolved(query, &[v6(1), address(1)]);
    let second = tried(&desk.wait(limits::RACE));
    let conn = attached(&desk.dialed(second, Ok(ends())));
    let actions = desk.says(conn, FromConn::Closed(CloseReason::EarlyByPeer(Stage::Handshake)));
    assert_eq!(dials(&actions, desk.now), [(v6(1), 30)]);
}

#[test]
fn of_several_failures_the_one_that_says_most_is_told() {
    let mut desk = Desk::new();
    let (_, actions) = desk.dial_by(Route { within: 5 * SECOND, ..route() });
    let actions = desk.resolved(asked(&actions), &[address(1), v6(1)]);
    let actions = desk.dialed(tried(&actions), Err(IoKind::Refused));
    let _ = desk.dialed(tried(&actions), Err(IoKind::Unreachable));
    assert_eq!(desk.outcome(), &Err(DialFailure::Connect { to: address(1), error: IoKind::Refused }));
}

#[test]
fn of_a_name_with_more_addresses_16_are_tried() {
    for (given, expected) in [(limits::ADDRESSES_PER_NAME, 16), (limits::ADDRESSES_PER_NAME + 1, 16)] {
        let mut desk = Desk::new();
        let (_, query) = desk.dial();
        let addresses: Vec<_> = (1..=given as u8).map(address).collect();
        let mut actions = desk.resolved(query, &addresses);
        let mut count = 0;
        while let [(to, _)] = dials(&actions, desk.now)[..] {
            assert_eq!(to, addresses[count]);
            count += 1;
            actions = desk.dialed(tried(&actions), Err(IoKind::Refused));
        }
        assert_eq!(count, expected, "{given} given");
    }
}

#[test]
fn after_a_pause_the_name_is_resolved_again() {
    let mut desk = Desk::new();
    let (_, query) = desk.dial();
    let actions = desk.resolved(query, &[address(1)]);
    assert!(desk.dialed(tried(&actions), Err(IoKind::Refused)).is_empty());
    let deadline = desk.node.poll_timeout().unwrap();
    assert_eq!((deadline.at.since(desk.now), deadline.why), (10 * SECOND, "dial again"));
    assert!(desk.wait(10 * SECOND - Duration::from_nanos(1)).is_empty(), "never early");
    let again = asked(&desk.wait(Duration::from_nanos(1)));
    let actions = desk.resolved(again, &[address(2)]);
    assert_eq!(dials(&actions, desk.now), [(address(2), 30)]);
}

#[test]
fn when_the_time_is_over_the_last_failure_is_told() {
    let mut desk = Desk::new();
    let (_, mut query) = desk.dial();
    for round in 0..6 {
        let actions = desk.resolved(query, &[address(1)]);
        let _ = desk.dialed(tried(&actions), Err(IoKind::Unreachable));
        let actions = desk.wait(10 * SECOND);
        if round < 5 {
            query = asked(&actions);
        }
    }
    assert_eq!(desk.outcome(), &Err(DialFailure::Connect { to: address(1), error: IoKind::Unreachable }));
    assert_eq!(desk.node.poll_timeout(), None);
}

#[test]
fn a_last_try_that_the_deadline_cuts_short_does_not_hide_what_the_one_before_it_saw() {
    let mut desk = Desk::new();
    let (_, actions) = desk.dial_by(Route { host: "192.0.2.7".to_owned(), within: 15 * SECOND, ..route() });
    let _ = desk.wait(3 * SECOND);
    let _ = desk.dialed(tried(&actions), Err(IoKind::NoNeighbour));
    let actions = desk.wait(10 * SECOND);
    assert_eq!(dials(&actions, desk.now), [(address(7), 2)]);
    let _ = desk.wait(2 * SECOND);
    let _ = desk.dialed(tried(&actions), Err(IoKind::TimedOut));
    assert_eq!(desk.outcome(), &Err(DialFailure::Connect { to: address(7), error: IoKind::NoNeighbour }));
}

#[test]
fn a_last_try_that_had_its_whole_time_is_what_counts() {
    let mut desk = Desk::new();
    let (_, actions) = desk.dial_by(Route { host: "192.0.2.7".to_owned(), within: 45 * SECOND, ..route() });
    let _ = desk.dialed(tried(&actions), Err(IoKind::Refused));
    let actions = desk.wait(10 * SECOND);
    let _ = desk.wait(30 * SECOND);
    let _ = desk.dialed(tried(&actions), Err(IoKind::TimedOut));
    assert_eq!(desk.outcome(), &Err(DialFailure::Connect { to: address(7), error: IoKind::TimedOut }));
}

#[test]
fn a_dial_for_which_no_descriptor_is_left_is_a_local_fault_and_goes_on_once_there_is_one() {
    let mut desk = Desk::new();
    let (_, query) = desk.dial();
    let actions = desk.resolved(query, &[address(1)]);
    // No descriptor for the socket.
    let _ = desk.dialed(tried(&actions), Err(IoKind::Exhausted));
    let actions = desk.wait(10 * SECOND);
    let actions = desk.resolved(asked(&actions), &[address(1)]);
    // One for the socket, and none to wait on it with.
    let conn = attached(&desk.dialed(tried(&actions), Ok(ends())));
    let _ = desk.says(conn, FromConn::Closed(CloseReason::Io(IoKind::Exhausted, Stage::FirstBytes)));
    let actions = desk.wait(10 * SECOND);
    let actions = desk.resolved(asked(&actions), &[address(1)]);
    let conn = attached(&desk.dialed(tried(&actions), Ok(ends())));
    let _ = desk.says(conn, peer());
    assert_eq!(desk.outcome(), &Ok(conn));
    assert_eq!(desk.node.role.heard[1..], ["news T0112 1 0", "news T0112 2 0"], "both have the same cause");
}

#[test]
fn no_address_gets_more_than_30_seconds_nor_more_than_there_are() {
    let mut desk = Desk::new();
    let (_, query) = desk.dial();
    let _ = desk.wait(20 * SECOND);
    let actions = desk.resolved(query, &[address(1)]);
    assert_eq!(dials(&actions, desk.now), [(address(1), 30)]);
    let (_, actions) = desk.dial_by(Route { host: "192.0.2.7".to_owned(), within: 7 * SECOND, ..route() });
    assert_eq!(dials(&actions, desk.now), [(address(7), 7)]);
}

#[test]
fn a_literal_address_needs_no_resolver() {
    for (host, to) in [("192.0.2.7", address(7)), ("2001:db8::7", v6(7))] {
        let mut desk = Desk::new();
        let (_, actions) = desk.dial_by(Route { host: host.to_owned(), ..route() });
        assert_eq!(dials(&actions, desk.now), [(to, 30)]);
    }
}

#[test]
fn a_source_address_reaches_its_own_family_only() {
    let from = |host: &str, source: [u8; 4]| Route { host: host.to_owned(), source: Some(source.into()), ..route() };
    let mut desk = Desk::new();
    let (_, actions) = desk.dial_by(from("sd.example", [192, 0, 2, 9]));
    let actions = desk.resolved(asked(&actions), &[v6(1), address(1), v6(2)]);
    assert_eq!(dials(&actions, desk.now), [(address(1), 30)]);
    assert!(matches!(&actions[..], [Action::Dial { from: Some(from), .. }] if from.to_string() == "192.0.2.9"));
    assert_eq!(desk.node.poll_timeout(), None, "nothing else to try");

    let mut desk = Desk::new();
    let (_, actions) = desk.dial_by(from("2001:db8::1", [192, 0, 2, 9]));
    assert!(actions.is_empty());
    let failure = DialFailure::Family { host: "2001:db8::1".to_owned(), from: [192, 0, 2, 9].into() };
    assert_eq!(desk.outcome(), &Err(failure));
}

/// To a name of its own.
fn named(n: usize) -> Route {
    Route { host: format!("sd{n}.example"), ..route() }
}

#[test]
fn four_look_ups_are_under_way_and_a_fifth_waits_for_an_answer() {
    let mut desk = Desk::new();
    let queries: Vec<QueryId> = (0..limits::LOOKUPS).map(|n| asked(&desk.dial_by(named(n)).1)).collect();
    let (_, actions) = desk.dial_by(named(5));
    assert!(actions.is_empty(), "{actions:?}");
    let (called_off, _) = desk.dial_by(named(6));
    let _ = desk.dial_by(named(7));
    let _ = desk.order(move |net| net.cancel_dial(called_off));
    let actions = desk.resolved(queries[1], &[address(1)]);
    let [Action::Resolve { query, .. }, Action::Dial { .. }] = actions[..] else { panic!("{actions:?}") };
    let actions = desk.unresolved(query, ResolveError::NoSuchName);
    assert_eq!(desk.node.role.dialed.pop().map(|(host, _)| host), Some("sd5.example".to_owned()));
    let [Action::Resolve { query, .. }] = actions[..] else { panic!("{actions:?}") };
    let _ = desk.unresolved(query, ResolveError::NoSuchName);
    let seventh = Some("sd7.example".to_owned());
    assert_eq!(desk.node.role.dialed.pop().map(|(host, _)| host), seventh, "the one called off is passed over");
}

#[test]
fn names_that_hang_hold_up_another_for_a_second_and_not_at_all_once_they_are_known() {
    let mut desk = Desk::new();
    let hung: Vec<QueryId> = (0..limits::LOOKUPS).map(|n| asked(&desk.dial_by(named(n)).1)).collect();
    assert!(desk.dial_by(named(4)).1.is_empty());
    assert!(desk.wait(limits::LOOKUP_SLOW - Duration::from_nanos(1)).is_empty(), "never early");
    let actions = desk.wait(Duration::from_nanos(1));
    assert_eq!(dials(&desk.resolved(asked(&actions), &[address(1)]), desk.now), [(address(1), 30)]);
    for query in hung {
        let _ = desk.unresolved(query, ResolveError::Temporary);
    }
    // They are asked again after their pause, and take no place that another needs.
    let again = desk.wait(10 * SECOND);
    assert_eq!(again.len(), limits::LOOKUPS, "{again:?}");
    let others: Vec<QueryId> = (10..10 + limits::LOOKUPS).map(|n| asked(&desk.dial_by(named(n)).1)).collect();
    assert!(desk.dial_by(named(20)).1.is_empty());
    // One that is quick again counts so.
    let Action::Resolve { query, .. } = again[0] else { panic!("{again:?}") };
    let _ = desk.unresolved(query, ResolveError::Temporary);
    let _ = desk.unresolved(others[0], ResolveError::NoSuchName);
    let actions = desk.wait(10 * SECOND);
    assert!(matches!(&actions[..], [Action::Resolve { host, .. }, ..] if host == "sd0.example"), "{actions:?}");
}

#[test]
fn no_more_look_ups_than_threads_are_under_way_however_many_names_hang() {
    let mut desk = Desk::new();
    let mut queries = Vec::new();
    for n in 0..limits::LOOKUPS_IN_ALL {
        let (_, actions) = desk.dial_by(named(n));
        let actions = if actions.is_empty() { desk.wait(limits::LOOKUP_SLOW) } else { actions };
        queries.push(asked(&actions));
    }
    assert!(desk.dial_by(named(100)).1.is_empty());
    assert!(desk.wait(limits::LOOKUP_SLOW).is_empty(), "one past the limit");
    assert_eq!(desk.unresolved(queries[7], ResolveError::Temporary).len(), 1, "the place of one that has ended");
}

#[test]
fn slow_names_are_remembered_up_to_a_limit() {
    let mut desk = Desk::new();
    for n in 0..=limits::SLOW_NAMES {
        let (dial, actions) = desk.dial_by(named(n));
        let query = asked(&actions);
        let (other, _) = desk.dial_by(named(1_000));
        let _ = desk.wait(limits::LOOKUP_SLOW);
        let _ = desk.order(move |net| {
            net.cancel_dial(other);
            net.cancel_dial(dial);
        });
        let _ = desk.unresolved(query, ResolveError::Temporary);
    }
    assert!(desk.order(|net| assert!(net.names.remembered() <= limits::SLOW_NAMES)).is_empty());
}

#[test]
fn a_name_is_asked_for_once_however_many_dials_want_it_and_each_gets_its_own_port() {
    let mut desk = Desk::new();
    let (_, query) = desk.dial();
    for port in [7, 8] {
        assert!(desk.dial_by(Route { port, ..route() }).1.is_empty());
    }
    let actions = desk.resolved(query, &[address(1)]);
    let ports: Vec<u16> = dials(&actions, desk.now).iter().map(|(to, _)| to.port()).collect();
    assert_eq!(ports, [9103, 7, 8]);
    // Nor while it hangs, after the first have given up.
    let mut desk = Desk::new();
    let (_, query) = desk.dial();
    let _ = desk.wait(limits::LOOKUP);
    assert!(desk.wait(10 * SECOND).is_empty(), "still asked");
    assert_eq!(dials(&desk.resolved(query, &[address(1)]), desk.now), [(address(1), 20)]);
}

#[test]
fn a_look_up_that_hangs_has_a_deadline_and_its_late_answer_is_dropped() {
    let mut desk = Desk::new();
    let (_, query) = desk.dial();
    assert_eq!(desk.node.poll_timeout().map(|deadline| deadline.why), Some("name look-up"));
    assert!(desk.wait(limits::LOOKUP).is_empty());
    assert_eq!(desk.node.poll_timeout().map(|deadline| deadline.why), Some("dial again"));
    assert!(desk.resolved(query, &[address(1)]).is_empty());
    let again = asked(&desk.wait(10 * SECOND));
    assert_ne!(again, query);
    assert_eq!(dials(&desk.resolved(again, &[address(2)]), desk.now), [(address(2), 20)]);
}

#[test]
fn a_look_up_that_nobody_waits_for_holds_its_place_until_it_answers_or_takes_long() {
    let mut desk = Desk::new();
    let hung: Vec<(DialId, Vec<Action>)> = (0..limits::LOOKUPS).map(|n| desk.dial_by(named(n))).collect();
    for (dial, _) in &hung {
        let dial = *dial;
        let _ = desk.order(move |net| net.cancel_dial(dial));
    }
    let (_, actions) = desk.dial_by(route());
    assert!(actions.is_empty(), "the places are all taken");
    let actions = desk.unresolved(asked(&hung[2].1), ResolveError::Temporary);
    assert!(matches!(actions[..], [Action::Resolve { .. }]), "{actions:?}");
}

#[test]
fn a_name_that_does_not_exist_fails_at_once_and_a_weak_resolver_is_asked_again() {
    let mut desk = Desk::new();
    let (_, query) = desk.dial();
    assert!(desk.unresolved(query, ResolveError::Temporary).is_empty());
    assert!(desk.node.role.dialed.is_empty());
    let again = asked(&desk.wait(10 * SECOND));
    let _ = desk.unresolved(again, ResolveError::NoSuchName);
    let host = "sd.example".to_owned();
    assert_eq!(desk.outcome(), &Err(DialFailure::Resolve { host, error: ResolveError::NoSuchName }));
}

#[test]
fn a_name_without_an_address_does_not_exist() {
    let mut desk = Desk::new();
    let (_, query) = desk.dial();
    let _ = desk.resolved(query, &[]);
    assert!(matches!(desk.outcome(), Err(DialFailure::Resolve { error: ResolveError::NoSuchName, .. })));
}

#[test]
fn a_wrong_password_is_not_tried_again_and_a_sudden_end_is() {
    let mut desk = Desk::new();
    let (_, conn) = desk.attached();
    let _ = desk.says(conn, FromConn::Closed(CloseReason::RefusedByPeer));
    assert_eq!(desk.outcome(), &Err(DialFailure::Refused { to: address(1), reason: CloseReason::RefusedByPeer }));
    assert_eq!(desk.node.poll_timeout(), None);

    let mut desk = Desk::new();
    let (_, conn) = desk.attached();
    let _ = desk.says(conn, FromConn::Closed(CloseReason::EarlyByPeer(Stage::Hello)));
    assert!(desk.node.role.dialed.is_empty());
    assert!(matches!(&desk.wait(10 * SECOND)[..], [Action::Resolve { .. }]));
}

#[test]
fn an_address_that_hangs_up_before_authentication_does_not_hide_the_next_one() {
    let mut desk = Desk::new();
    let (_, query) = desk.dial();
    let actions = desk.resolved(query, &[address(1), address(2)]);
    let conn = attached(&desk.dialed(tried(&actions), Ok(ends())));
    let actions = desk.says(conn, FromConn::Closed(CloseReason::EarlyByPeer(Stage::Handshake)));
    assert_eq!(dials(&actions, desk.now), [(address(2), 30)]);
}

#[test]
fn authentication_that_outlasts_the_dial_is_its_end() {
    let mut desk = Desk::new();
    let (_, query) = desk.dial();
    let actions = desk.resolved(query, &[address(1), address(2)]);
    let conn = attached(&desk.dialed(tried(&actions), Ok(ends())));
    let _ = desk.wait(60 * SECOND);
    let reason = CloseReason::TooSlow(Stage::Handshake);
    assert!(desk.says(conn, FromConn::Closed(reason.clone())).is_empty());
    assert_eq!(desk.outcome(), &Err(DialFailure::Refused { to: address(1), reason }));
}

fn cancel(desk: &mut Desk, dial: DialId) -> Vec<Action> {
    let actions = desk.order(move |net| {
        net.cancel_dial(dial);
        net.cancel_dial(dial);
    });
    assert_eq!(desk.outcome(), &Err(DialFailure::Cancelled));
    actions
}

#[test]
fn a_dial_called_off_in_any_step_is_told_once_and_late_answers_are_dropped() {
    let mut desk = Desk::new();
    let (dial, query) = desk.dial();
    assert!(cancel(&mut desk, dial).is_empty());
    assert!(desk.resolved(query, &[address(1)]).is_empty());
    assert_eq!(desk.outcome(), &Err(DialFailure::Cancelled));

    for late in [Ok(ends()), Err(IoKind::Cancelled)] {
        let mut desk = Desk::new();
        let (dial, query) = desk.dial();
        let id = tried(&desk.resolved(query, &[address(1)]));
        assert!(matches!(cancel(&mut desk, dial)[..], [Action::CancelDial(off)] if off == id));
        // A socket that was won in the meantime is given back.
        let actions = desk.dialed(id, late);
        let gives_back = matches!(actions[..], [Action::CancelDial(off)] if off == id);
        assert!(if late.is_ok() { gives_back } else { actions.is_empty() }, "{actions:?}");
        assert_eq!(desk.outcome(), &Err(DialFailure::Cancelled));
    }

    for late in [peer(), FromConn::Closed(CloseReason::RefusedByPeer)] {
        let mut desk = Desk::new();
        let (dial, conn) = desk.attached();
        let actions = cancel(&mut desk, dial);
        assert!(matches!(&actions[..], [Action::ToConn { conn: id, message: ToConn::Abort }] if *id == conn));
        assert!(desk.says(conn, late).is_empty());
        assert!(desk.says(conn, FromConn::Closed(CloseReason::Aborted)).is_empty());
        assert_eq!(desk.outcome(), &Err(DialFailure::Cancelled));
        assert_eq!(desk.node.role.heard, ["start"], "the role never had the connection");
    }

    let mut desk = Desk::new();
    let (dial, query) = desk.dial();
    let _ = desk.unresolved(query, ResolveError::Temporary);
    assert!(cancel(&mut desk, dial).is_empty());
    assert_eq!(desk.node.poll_timeout(), None);
}

#[test]
fn an_address_of_a_link_is_dialled_over_its_interface_and_refused_without_one() {
    let of = |host: &str| Route { host: host.to_owned(), ..route() };
    let mut desk = Desk::new();
    let (_, actions) = desk.dial_by(of("fe80::1%3"));
    assert_eq!(dials(&actions, desk.now), [("[fe80::1%3]:9103".parse().unwrap(), 30)]);

    let mut desk = Desk::new();
    let (_, actions) = desk.dial_by(of("fe80::1"));
    assert!(actions.is_empty(), "{actions:?}");
    assert_eq!(desk.outcome(), &Err(DialFailure::NoScope { host: "fe80::1".to_owned() }));

    // From a name server too, which cannot know our interfaces.
    let mut desk = Desk::new();
    let (_, query) = desk.dial();
    let actions = desk.resolved(query, &["[fe80::1]:9103".parse().unwrap(), v6(1)]);
    assert_eq!(dials(&actions, desk.now), [(v6(1), 30)]);
    let mut desk = Desk::new();
    let (_, query) = desk.dial();
    let _ = desk.resolved(query, &["[fe80::1]:9103".parse().unwrap()]);
    assert_eq!(desk.outcome(), &Err(DialFailure::NoScope { host: "sd.example".to_owned() }));
}

#[test]
fn an_interface_is_looked_for_at_each_try_and_waits_for_no_name() {
    let mut desk = Desk::new();
    for n in 0..limits::LOOKUPS {
        let _ = desk.dial_by(Route { host: format!("hangs{n}.example"), ..route() });
    }
    let (_, actions) = desk.dial_by(Route { host: "fe80::1%eth0".to_owned(), ..route() });
    let query = asked(&actions);
    assert!(desk.unresolved(query, ResolveError::NoInterface).is_empty());
    assert!(desk.node.role.dialed.is_empty(), "it may come");
    let query = asked(&desk.wait(10 * SECOND));
    let actions = desk.resolved(query, &["[fe80::1%3]:9103".parse().unwrap()]);
    assert_eq!(dials(&actions, desk.now), [("[fe80::1%3]:9103".parse().unwrap(), 30)]);
}

#[test]
fn a_source_address_of_a_link_reaches_that_link_only() {
    let mut desk = Desk::new();
    let (_, actions) = desk.dial_by(Route { source: "fe80::9".parse().ok(), ..route() });
    let near = "[fe80::1%3]:9103".parse().unwrap();
    let actions = desk.resolved(asked(&actions), &[v6(1), near]);
    assert_eq!(dials(&actions, desk.now), [(near, 30)]);
}

#[test]
fn a_rule_that_forbids_the_connection_is_not_tried_again_unless_another_address_may_do() {
    for error in [IoKind::Prohibited, IoKind::Denied] {
        let mut desk = Desk::new();
        let (_, query) = desk.dial();
        let actions = desk.resolved(query, &[address(1)]);
        let _ = desk.dialed(tried(&actions), Err(error));
        assert_eq!(desk.outcome(), &Err(DialFailure::Connect { to: address(1), error }));

        let mut desk = Desk::new();
        let (_, query) = desk.dial();
        let actions = desk.resolved(query, &[address(1), address(2)]);
        let actions = desk.dialed(tried(&actions), Err(IoKind::TimedOut));
        let _ = desk.dialed(tried(&actions), Err(error));
        assert!(desk.node.role.dialed.is_empty(), "the first may answer later");
        let query = asked(&desk.wait(10 * SECOND));
        let actions = desk.resolved(query, &[address(2)]);
        let _ = desk.dialed(tried(&actions), Err(error));
        assert_eq!(desk.outcome(), &Err(DialFailure::Connect { to: address(2), error }));
    }
}

#[test]
fn a_change_of_the_network_ends_the_pause_of_what_could_not_be_reached() {
    for error in [IoKind::NoRoute, IoKind::NoNeighbour, IoKind::Unreachable, IoKind::NoPorts] {
        let mut desk = Desk::new();
        let (_, query) = desk.dial();
        let actions = desk.resolved(query, &[address(1)]);
        assert!(desk.dialed(tried(&actions), Err(error)).is_empty(), "{error}");
        let query = asked(&desk.event(Event::NetworkChanged));
        assert_eq!(dials(&desk.resolved(query, &[address(1)]), desk.now), [(address(1), 30)]);
        assert_eq!(desk.node.poll_timeout(), None, "the pause is over");
    }
}

/// The bytes of a segment that each dial asks for.
fn segments(actions: &[Action]) -> Vec<Option<u32>> {
    let segment = |action: &Action| match action {
        Action::Dial { socket, .. } => Some(socket.segment),
        _ => None,
    };
    actions.iter().filter_map(segment).collect()
}

impl Desk {
    /// A dial of this address that connects; returns the segment it asked for, and its connection.
    fn connects(&mut self) -> (Option<u32>, ConnId) {
        self.connects_with(hello())
    }

    fn connects_with(&mut self, hello: Hello) -> (Option<u32>, ConnId) {
        let route = Route { host: "192.0.2.1".to_owned(), within: 600 * SECOND, ..route() };
        let (_, actions) = self.dial_with(route, Opening { hello, ..opening() });
        self.goes_on(&actions)
    }

    fn goes_on(&mut self, actions: &[Action]) -> (Option<u32>, ConnId) {
        let segment = segments(actions)[0];
        (segment, attached(&self.dialed(tried(actions), Ok(ends()))))
    }
}

const STALLED: CloseReason = CloseReason::TooSlow(Stage::Handshake);

#[test]
fn a_connection_that_stands_still_is_tried_again_with_small_segments_which_prove_the_way_narrow() {
    let mut desk = Desk::new();
    let (segment, conn) = desk.connects();
    assert_eq!(segment, None);
    let _ = desk.says(conn, FromConn::Closed(STALLED));
    assert_eq!(desk.node.role.heard.pop().as_deref(), Some("news T0312 1 0"));
    let actions = desk.wait(10 * SECOND);
    let (segment, conn) = desk.goes_on(&actions);
    assert_eq!(segment, Some(limits::SMALL_SEGMENT));
    let actions = desk.says(conn, peer());
    assert!(logged(&actions)[0].contains("they may be lost on the way (T0130)"), "{actions:?}");
    assert_eq!(desk.node.role.heard.pop().as_deref(), Some("news T0130 small"));
    // Later connections to it use them at once, and each job hears it; the log has heard.
    let (segment, conn) = desk.connects();
    assert_eq!(segment, Some(limits::SMALL_SEGMENT));
    assert_eq!(logged(&desk.says(conn, peer())), [""; 0]);
    assert_eq!(desk.node.role.heard.pop().as_deref(), Some("news T0130 small"));
    // After a while the way may be mended.
    let _ = desk.wait(limits::NARROW);
    assert_eq!(desk.connects().0, None);
}

#[test]
fn a_connection_that_stands_still_with_small_segments_too_is_tried_with_large_ones_again() {
    let mut desk = Desk::new();
    let (_, mut conn) = desk.connects();
    for expected in [Some(limits::SMALL_SEGMENT), None, Some(limits::SMALL_SEGMENT)] {
        let _ = desk.says(conn, FromConn::Closed(STALLED));
        let actions = desk.wait(10 * SECOND);
        let (segment, next) = desk.goes_on(&actions);
        assert_eq!(segment, expected);
        conn = next;
    }
    // Another end says nothing about the size.
    let _ = desk.says(conn, FromConn::Closed(CloseReason::EarlyByPeer(Stage::Handshake)));
    let actions = desk.wait(10 * SECOND);
    assert_eq!(segments(&actions), [Some(limits::SMALL_SEGMENT)]);
}

#[test]
fn a_probe_with_a_size_has_segments_as_usual_and_says_nothing_about_those_of_others() {
    let mut desk = Desk::new();
    let purpose = Purpose::StartJob { job: "-Probe-2900.2026-01-01_00.00.00_00".to_owned() };
    let probe = Hello { purpose, ..hello() };
    let (segment, conn) = desk.connects_with(probe.clone());
    assert_eq!(segment, None);
    let _ = desk.says(conn, FromConn::Closed(STALLED));
    let (segment, conn) = desk.connects();
    assert_eq!(segment, None, "only a job shows that a way is narrow");
    let _ = desk.says(conn, FromConn::Closed(STALLED));
    assert_eq!(desk.connects_with(probe).0, None);
    assert_eq!(desk.connects().0, Some(limits::SMALL_SEGMENT));
}

#[test]
fn each_of_the_first_ten_tries_is_told_then_each_other_cause_and_the_same_once_a_minute_with_their_number() {
    let mut desk = Desk::new();
    let (_, mut actions) = desk.dial_by(Route { host: "192.0.2.1".to_owned(), within: 600 * SECOND, ..route() });
    let mut told = Vec::new();
    for round in 0..26 {
        let error = if round == 2 || round == 17 { IoKind::NoNeighbour } else { IoKind::Refused };
        let _ = desk.dialed(tried(&actions), Err(error));
        told.extend(desk.node.role.heard.drain(..).filter(|heard| heard.starts_with("news")));
        actions = desk.wait(10 * SECOND);
    }
    let first: Vec<String> =
        (1..=10).map(|n| format!("news {} {n} 0", if n == 3 { "T0118" } else { "T0103" })).collect();
    let rest = ["news T0103 16 5", "news T0118 18 1", "news T0103 19 0", "news T0103 25 5"];
    assert_eq!((&told[..10], &told[10..]), (&first[..], &rest.map(str::to_owned)[..]));
}
