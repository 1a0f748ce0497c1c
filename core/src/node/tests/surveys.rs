//! The list of a node's connections.

use super::*;
use crate::conn::Traffic;

/// Starts a survey; returns whom it asks.
fn survey(desk: &mut Desk) -> Vec<ConnId> {
    let actions = desk.order(|net| {
        net.survey(());
    });
    let asked = |action: &Action| match action {
        Action::ToConn { conn, message: ToConn::Report } => Some(*conn),
        _ => None,
    };
    actions.iter().filter_map(asked).collect()
}

fn traffic(read: u64) -> FromConn {
    FromConn::Reported(Traffic { read, written: 7, heard: Instant(1_000_000_000), moved: None, round_trip: None })
}

#[test]
fn every_authenticated_connection_is_asked_and_the_role_gets_the_list() {
    let mut desk = Desk::new();
    let (_, dialled) = desk.attached();
    let _ = desk.says(dialled, peer());
    let accepted = admitted(desk.accept(1)).id();
    let _ = desk.says(accepted, peer());
    let _early = admitted(desk.accept(2));
    let _ = desk.wait(3 * SECOND);
    assert_eq!(survey(&mut desk), [dialled, accepted]);
    let _ = desk.says(dialled, traffic(5));
    assert!(desk.node.role.rows.is_empty(), "not before all have answered");
    let _ = desk.says(accepted, traffic(6));
    let rows: Vec<_> = desk.node.role.rows.iter().map(|row| (row.conn, row.dialled, row.age)).collect();
    assert_eq!(rows, [(dialled, true, 3 * SECOND), (accepted, false, 3 * SECOND)]);
    let (said, ago) = desk.node.role.rows[1].traffic.unwrap();
    assert_eq!((said.read, said.written, ago), (6, 7, 3 * SECOND));
    assert_eq!(desk.node.poll_timeout(), None);
}

#[test]
fn who_ends_meanwhile_is_not_waited_for_and_who_is_silent_not_for_long() {
    let mut desk = Desk::new();
    let conns: Vec<ConnId> = (1..=2).map(|ticket| admitted(desk.accept(ticket)).id()).collect();
    for &conn in &conns {
        let _ = desk.says(conn, peer());
    }
    let _ = survey(&mut desk);
    let _ = desk.says(conns[0], FromConn::Closed(CloseReason::ByPeer));
    let _ = desk.wait(2 * SECOND);
    let [row] = &desk.node.role.rows[..] else { panic!("{:?}", desk.node.role.rows) };
    assert_eq!((row.conn, row.traffic), (conns[1], None));
    // Its answer comes too late, and harms nobody.
    let _ = desk.says(conns[1], traffic(1));
}

#[test]
fn without_a_connection_the_list_is_empty_and_comes_all_the_same() {
    let mut desk = Desk::new();
    assert!(survey(&mut desk).is_empty());
    assert_eq!(desk.node.role.surveys, 0);
    let _ = desk.wait(Duration::ZERO);
    assert_eq!(desk.node.role.surveys, 1);
}
