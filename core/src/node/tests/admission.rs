//! Who comes in, who is refused, and what the log says of it.

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

#[test]
fn ten_thousand_connections_of_one_host_that_never_authenticate_do_not_shut_out_another() {
    let mut desk = Desk::new();
    let mut lines = 0;
    for ticket in 0..10_000 {
        let actions = knock(&mut desk, ticket, [203, 0, 113, 1]);
        assert_eq!(is_refused(&actions), ticket >= 3);
        lines += logged(&actions).len();
    }
    assert_eq!(lines, 1);
    let actions = knock(&mut desk, 10_000, [192, 0, 2, 7]);
    let [Action::ToConn { conn: evicted, message: ToConn::Abort }, Action::Notify(_), Action::Admit { conn, .. }] =
        &actions[..]
    else {
        panic!("{actions:?}")
    };
    let (evicted, conn) = (*evicted, conn.id());
    assert!(desk.says(evicted, FromConn::Closed(CloseReason::Aborted)).is_empty(), "it is forgotten already");
    let _ = desk.says(conn, peer());
    assert!(desk.node.role.heard.iter().any(|heard| heard.starts_with("accepted")), "{:?}", desk.node.role.heard);
    // There are never more than three, whoever they are.
    let _ = knock(&mut desk, 10_001, [203, 0, 113, 1]);
    assert!(is_refused(&knock(&mut desk, 10_002, [203, 0, 113, 1])));
}

#[test]
fn a_caller_for_another_kind_of_daemon_is_told_from_others_in_the_log() {
    let mut desk = Desk::new();
    let conn = admitted(knock(&mut desk, 1, [192, 0, 2, 1])).id();
    let FromConn::Authenticated(peer) = peer() else { unreachable!() };
    let _ = desk.says(conn, FromConn::Authenticated(peer.clone()));
    let actions = desk.order(move |net| net.not_served(conn, &peer, "file daemon"));
    let line = logged(&actions)[0];
    assert!(line.contains("Hello Director dir calling") && line.contains("not served by a file daemon"), "{line}");
    assert!(matches!(actions[1], Action::ToConn { message: ToConn::Abort, .. }));
}
