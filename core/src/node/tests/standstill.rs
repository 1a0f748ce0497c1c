//! Connections in use on which nothing moves.

use crate::conn::Stall;
use crate::socket::Keepalive;

use super::*;

/// A connection that came in and is in use, with this heartbeat interval in seconds.
fn in_use(desk: &mut Desk, interval: Option<u32>) -> ConnId {
    let conn = admitted(desk.accept(1)).id();
    let _ = desk.says(conn, peer());
    let times = |seconds: u32| Keepalive { idle: seconds * SECOND, interval: SECOND, probes: None, user_timeout: None };
    let socket = SocketOptions { keepalive: interval.map(times), ..SocketOptions::default() };
    let _ = desk.order(move |net| net.keep_alive(conn, socket));
    conn
}

/// Whether the node ends it when it hears that nothing was acknowledged for so many seconds.
fn gives_up(desk: &mut Desk, conn: ConnId, seconds: u32) -> bool {
    let stall = Stall::Ours { bytes: 1_000, since: seconds * SECOND };
    let actions = desk.says(conn, FromConn::Stalled(stall));
    assert!(logged(&actions)[0].contains("1000 bytes have not been acknowledged"), "{actions:?}");
    let is_it =
        |action: &Action| matches!(action, Action::ToConn { message: ToConn::GiveUp(told), .. } if *told == stall);
    actions.iter().any(is_it)
}

#[test]
fn a_connection_with_a_heartbeat_ends_after_five_minutes_or_three_intervals_of_standstill_and_no_sooner() {
    for (interval, limit) in [(1, 300), (100, 300), (101, 303), (600, 1_800)] {
        let mut desk = Desk::new();
        let conn = in_use(&mut desk, Some(interval));
        assert!(!gives_up(&mut desk, conn, limit - 1), "{interval}");
        assert!(gives_up(&mut desk, conn, limit), "{interval}");
    }
}

#[test]
fn without_a_heartbeat_a_standstill_is_told_and_ends_nothing() {
    let mut desk = Desk::new();
    let conn = in_use(&mut desk, None);
    assert!(!gives_up(&mut desk, conn, 100_000));
}
