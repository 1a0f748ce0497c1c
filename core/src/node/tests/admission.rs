//! Who comes in, who is refused, and what the log says of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::*;

/// Somebody comes in from this host.
fn knock(desk: &mut Desk, ticket: u64, from: [u8; 4]) -> Vec<Action> {
    let ends = Ends { peer: (from, 40_000).into(), ..ends() };
    desk.event(Event::Accepted { ticket: TicketId(ticket), listener: ListenerId(1), ends })
}

fn is_refused(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Refuse(_)))
}

/// A connection from this host that ends early for this reason.
fn refuse(desk: &mut Desk, from: [u8; 4], reason: CloseReason) -> Vec<Action> {
    let conn = admitted(knock(desk, 1, from)).id();
    desk.says(conn, FromConn::Closed(reason))
}

#[test]
fn refusals_of_one_kind_are_logged_once_and_then_counted_every_minute() {
    let mut desk = Desk::new();
    let host = [192, 0, 2, 1];
    let lines = refuse(&mut desk, host, CloseReason::NotBareos);
    assert!(logged(&lines)[0].starts_with("connection from 192.0.2.1:40000 refused: the first bytes"), "{lines:?}");
    for _ in 0..10_000 {
        assert!(logged(&refuse(&mut desk, host, CloseReason::NotBareos)).is_empty());
    }
    let other = refuse(&mut desk, host, CloseReason::BadHello);
    assert_eq!(logged(&other).len(), 1, "another cause has a line of its own");
    let another = refuse(&mut desk, [192, 0, 2, 2], CloseReason::NotBareos);
    assert_eq!(logged(&another).len(), 1, "another source too");
    assert!(desk.wait(60 * SECOND - Duration::from_nanos(1)).is_empty());
    let actions = desk.wait(Duration::from_nanos(1));
    let [line] = &logged(&actions)[..] else { panic!("{actions:?}") };
    assert!(line.starts_with("10000 more connections refused in the last minute, the last one from 192.0.2.1:"));
    let has_code = |action: &Action| matches!(action, Action::Notify(Notice::Log { cause: Some(_), .. }));
    assert!(actions.iter().all(has_code), "with the code, and advice: {line}");
    assert!(line.ends_with(CloseReason::NotBareos.help()));
    // Nobody came in the second minute: nothing is said, nothing is kept, and the next one is a first one again.
    assert!(desk.wait(60 * SECOND).is_empty());
    assert_eq!(desk.node.poll_timeout(), None);
    assert_eq!(logged(&refuse(&mut desk, host, CloseReason::NotBareos)).len(), 1);
}

#[test]
fn sources_without_number_are_counted_together() {
    let mut desk = Desk::new();
    let mut lines = 0;
    for host in 0..1_000_u16 {
        let [high, low] = host.to_be_bytes();
        lines += logged(&refuse(&mut desk, [10, 0, high, low], CloseReason::NotBareos)).len();
    }
    assert_eq!(lines, limits::REFUSALS + 1, "the rest has one line together");
    let actions = desk.wait(60 * SECOND);
    let expected = 1_000 - limits::REFUSALS - 1;
    assert!(logged(&actions)[0].starts_with(&format!("{expected} more connections refused")), "{actions:?}");
}

/// Comes in from here while ten thousand come from `crowd`; then it must be authenticated.
fn get_in_among(crowd: impl Fn(u64) -> IpAddr, own: IpAddr) -> usize {
    let mut desk = Desk::new();
    let mut lines = 0;
    let mut come = |desk: &mut Desk, ticket: u64, from: IpAddr| {
        let ends = Ends { peer: (from, 40_000).into(), ..ends() };
        let actions = desk.event(Event::Accepted { ticket: TicketId(ticket), listener: ListenerId(1), ends });
        assert!(!is_refused(&actions), "nobody is refused: another one goes");
        lines += logged(&actions).len();
        (pushed_out(&actions), admitted(actions).id())
    };
    for ticket in 0..5_000 {
        come(&mut desk, ticket, crowd(ticket));
    }
    let (_, conn) = come(&mut desk, 5_000, own);
    // One more comes before it speaks, then three before each further step.
    let mut gone = vec![come(&mut desk, 5_001, crowd(5_001)).0];
    let stages = [(Stage::Handshake, false), (Stage::Hello, true), (Stage::Authentication, true)];
    for (n, (stage, by_key)) in (0..).zip(stages) {
        let _ = desk.says(conn, FromConn::Reached { stage, by_key });
        gone.extend((0..3).map(|more| come(&mut desk, 6_000 + 3 * n + more, crowd(more)).0));
    }
    assert!(!gone.contains(&Some(conn)), "it has spoken, and was pushed out");
    let _ = desk.says(conn, peer());
    assert!(desk.node.role.heard.iter().any(|heard| heard.starts_with("accepted")), "{:?}", desk.node.role.heard);
    for ticket in 7_000..12_000 {
        assert_ne!(come(&mut desk, ticket, crowd(ticket)).0, Some(conn), "authenticated, and pushed out");
    }
    lines
}

#[test]
fn a_peer_that_speaks_gets_in_among_ten_thousand_of_its_own_address() {
    let nat: IpAddr = [203, 0, 113, 1].into();
    assert_eq!(get_in_among(|_| nat, nat), 1, "one line, the rest is counted");
}

#[test]
fn a_peer_that_speaks_gets_in_among_ten_thousand_addresses_of_one_64() {
    let in_64 = |n: u64| IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 1, 2, 0, 0, 0, u16::try_from(n).unwrap()));
    assert_eq!(get_in_among(in_64, [192, 0, 2, 7].into()), 1, "one line for the whole /64");
    assert_eq!(get_in_among(in_64, in_64(60_000)), 1, "from the same /64");
}

#[test]
fn a_peer_that_speaks_gets_in_among_ten_thousand_of_three_hundred_addresses() {
    let spread = |n: u64| IpAddr::from(Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(n % 300).unwrap() * 0x1_0001));
    assert_eq!(get_in_among(spread, [192, 0, 2, 7].into()), limits::REFUSALS + 1);
    let neighbours =
        |n: u64| IpAddr::from([10, 0, u8::try_from(n % 300 / 150).unwrap(), u8::try_from(n % 150).unwrap()]);
    assert_eq!(get_in_among(neighbours, [10, 0, 0, 200].into()), limits::REFUSALS + 1, "from one of their networks");
}

#[test]
fn answers_to_wrong_keys_of_one_address_come_later_and_later_and_those_of_others_at_once() {
    let mut desk = Desk::new();
    let pause = |desk: &mut Desk, from: [u8; 4]| {
        let conn = admitted(knock(desk, 1, from));
        let found = format!("{conn:?}");
        let _ = desk.says(conn.id(), FromConn::Closed(CloseReason::WrongPassword("x".to_owned())));
        let (_, rest) = found.split_once("pause: ").unwrap();
        rest.split([',', ' ']).next().unwrap().to_owned()
    };
    let host = [192, 0, 2, 1];
    let pauses = [(); 7].map(|()| pause(&mut desk, host));
    assert_eq!(pauses, ["0ns", "1s", "2s", "3s", "4s", "5s", "5s"]);
    assert_eq!(pause(&mut desk, [192, 0, 2, 2]), "0ns");
    let _ = desk.wait(60 * SECOND);
    assert_eq!(pause(&mut desk, host), "0ns");
}

#[test]
fn an_unknown_name_is_logged_with_the_nearest_one() {
    let mut desk = Desk::new();
    let keyring = Keyring::builder().with(hello().identity(), Secret::from("key"), Clear::Allowed).build();
    let _ = desk.order(|net| net.set_keyring(Arc::new(keyring)));
    let reason = CloseReason::UnknownPeer { name: "R_DIRECTOR::dur".to_owned(), nearest: None };
    let actions = refuse(&mut desk, [192, 0, 2, 1], reason);
    assert!(logged(&actions)[0].contains("the nearest known one is R_DIRECTOR::dir"), "{actions:?}");
}

#[test]
fn a_caller_for_another_kind_of_daemon_is_told_from_others_in_the_log() {
    let mut desk = Desk::new();
    let conn = admitted(knock(&mut desk, 1, [192, 0, 2, 1])).id();
    let FromConn::Authenticated(peer) = peer() else { unreachable!() };
    let _ = desk.says(conn, FromConn::Authenticated(peer.clone()));
    let actions = desk.order(move |net| net.not_served(conn, &peer, "file daemon"));
    let line = logged(&actions)[0];
    assert!(line.contains("Hello Director dir calling") && line.contains("not supported by a file daemon"), "{line}");
    assert!(matches!(actions[1], Action::ToConn { message: ToConn::Abort, .. }));
}
