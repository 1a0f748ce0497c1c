//! The bounds of a connection's memory and patience.

use std::time::Duration;

use super::*;
use crate::bulk::machine::Machine;
use crate::bulk::restorer::Restorer;
use crate::ids::HandleId;
use crate::limits;

/// How many bytes a clear connection takes when nothing of a frame can be dealt with.
fn room(conn: &mut Conn) -> usize {
    conn.read_space().len()
}

#[test]
fn an_idle_connection_has_4_kib_of_room_and_a_gathering_one_64() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    assert_eq!(room(&mut pair.acceptor.conn), limits::IDLE_BUFFER);
    pair.tell_acceptor(ToConn::Gather);
    assert_eq!(room(&mut pair.acceptor.conn), limits::GATHER_BUFFER);
}

#[test]
fn a_connection_with_a_machine_takes_512_kib_and_then_not_a_byte_more() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    let machine = Machine::Restore(Restorer::new(HandleId(1)));
    pair.tell_acceptor(ToConn::Carry(Box::new(machine)));
    assert_eq!(room(&mut pair.acceptor.conn), limits::BULK_BUFFER);
    // No worker answers, so the machine takes what its parcels hold and the rest stays in the buffer.
    let record = vec![b'x'; 900_000];
    let mut stream = Vec::new();
    for _ in 0..4 {
        put_data(&mut stream, b"rechdr 1 2 1 2 900000");
        put_data(&mut stream, &record);
    }
    let mut rest = &stream[..];
    while pair.acceptor.conn.wants().read {
        let space = pair.acceptor.conn.read_space();
        let n = space.len().min(rest.len());
        assert!(n > 0, "{} bytes are left", rest.len());
        space[..n].copy_from_slice(&rest[..n]);
        rest = &rest[n..];
        pair.acceptor.conn.on_read(n, pair.now);
    }
    assert!(room(&mut pair.acceptor.conn) == 0 && !rest.is_empty());
    let held = stream.len() - rest.len();
    let parcels = (limits::WORK_UNDER_WAY + 1) * limits::PARCEL;
    assert!((limits::BULK_BUFFER..=limits::BULK_BUFFER + parcels).contains(&held), "{held} bytes are held");
}

#[test]
fn a_closing_connection_waits_30_seconds_for_its_peer_and_no_longer() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    pair.acceptor.reads = false;
    pair.tell_dialler(ToConn::Close { farewell: true });
    pair.drive();
    pair.wait(limits::DRAIN.as_secs() - 1);
    assert_eq!(pair.dialler.closed(), None);
    pair.wait(1);
    assert_eq!(pair.dialler.closed(), Some(&CloseReason::DrainTimeout));
}

#[test]
fn a_refused_peer_is_waited_for_5_seconds_and_no_longer() {
    let began = Instant(0);
    let mut conn = Conn::accepted(setup(Engine::Clear).accepting, began);
    for line in ["Hello Director nobody calling\n", "not the answer"] {
        let mut frame = Vec::new();
        put_data(&mut frame, line.as_bytes());
        authentication::feed(&mut conn, &frame);
    }
    conn.handle_timeout(began + (limits::DRAIN_REFUSED - Duration::from_nanos(1)));
    assert!(conn.poll_message().is_none());
    conn.handle_timeout(began + limits::DRAIN_REFUSED);
    assert!(matches!(conn.poll_message(), Some(FromConn::Closed(CloseReason::UnknownPeer { .. }))));
}

#[test]
fn one_write_has_at_most_64_slices() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    for n in 1..=65 {
        pair.tell_dialler(text("x"));
        assert_eq!(pair.dialler.conn.transmit(usize::MAX).len(), n.min(64));
    }
}
