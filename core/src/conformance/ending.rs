//! The ends of connections.

use super::arm::Arm;
use super::mate::{read_to_end, write_all};
use super::stage::{Heard, Stage};
use super::streams::noise;
use crate::conn::{CloseReason, Stage as At};
use crate::notice::ExitReason;
use crate::socket::{IoKind, SocketOptions};

/// The peer ends its writing: what it said before is heard, and its reading comes to a proper end.
pub fn a_half_close_of_the_peer_ends_the_connection(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let (mut mate, conn) = stage.guest(SocketOptions::default());
    mate.send(b"last words");
    let mut peer = mate.into_peer();
    peer.shut_write();
    assert_eq!(stage.text(conn), b"last words");
    assert_eq!(stage.closed(conn), CloseReason::ByPeer);
    read_to_end(&mut *peer).expect("a proper end, not a reset");
    stage.finish();
}

/// The node ends its writing and still reads, until the peer has ended too.
pub fn a_half_close_of_the_node_lets_the_peer_finish(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let (mate, conn) = stage.guest(SocketOptions::default());
    let mut peer = mate.into_peer();
    stage.order(move |net| net.close(conn, false));
    read_to_end(&mut *peer).expect("a proper end, not a reset");
    write_all(&mut *peer, &noise(1024 * 1024, 1));
    assert!(stage.is_quiet(), "the connection ended before its peer did");
    drop(peer);
    assert_eq!(stage.closed(conn), CloseReason::Done);
    stage.finish();
}

/// The peer breaks off in the middle of a frame.
pub fn a_reset_in_mid_frame_is_reported(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let (mut mate, conn) = stage.guest(SocketOptions::default());
    mate.send(b"whole");
    assert_eq!(stage.text(conn), b"whole");
    let mut peer = mate.into_peer();
    write_all(&mut *peer, &[0, 0, 0, 100, b'h', b'a', b'l', b'f']);
    peer.reset();
    assert_eq!(stage.closed(conn), CloseReason::Io(IoKind::Reset, At::Ready));
    stage.finish();
}

/// An abort does not wait for the peer.
pub fn an_aborted_connection_is_closed_at_once(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let (mate, conn) = stage.guest(SocketOptions::default());
    let mut peer = mate.into_peer();
    stage.order(move |net| net.abort(conn));
    assert_eq!(stage.closed(conn), CloseReason::Aborted);
    // The end comes as an end or as a reset: both say that nothing follows.
    let _ = read_to_end(&mut *peer);
    stage.finish();
}

/// What was queued before the close arrives, to the last byte, at a peer that takes its time.
pub fn draining_sends_all_that_is_queued(arm: &impl Arm) {
    const FRAMES: usize = 40;
    const FRAME: usize = 100_000;
    let stage = Stage::new(arm);
    let (mut mate, conn) = stage.guest(SocketOptions::default());
    stage.order(move |net| {
        for n in 0..FRAMES {
            net.send_text(conn, noise(FRAME, n as u64));
        }
        net.close(conn, true);
    });
    let (reason, bytes) = mate.closed();
    assert_eq!((reason, bytes), (CloseReason::ByPeer, FRAMES * FRAME));
    drop(mate);
    assert_eq!(stage.closed(conn), CloseReason::Done);
    stage.finish();
}

/// Bytes the node has not read would make the kernel reset the connection at a plain close, and what the node wrote
/// last would be lost.
pub fn unread_data_at_close_does_not_lose_the_tail(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let (mate, conn) = stage.guest(SocketOptions::default());
    let mut peer = mate.into_peer();
    stage.order(move |net| {
        net.send_text(conn, noise(900_000, 1));
        net.close(conn, true);
    });
    // Nobody asked for this; what comes before the close is heard, the rest is not.
    let frame = [&1000u32.to_be_bytes()[..], &noise(1000, 2)].concat();
    for _ in 0..300 {
        write_all(&mut *peer, &frame);
    }
    assert_eq!(read_to_end(&mut *peer), Ok(4 + 900_000 + 4));
    drop(peer);
    let reason = loop {
        match stage.next("the end of the connection") {
            Heard::Text(..) => {}
            Heard::Closed(_, reason) => break reason,
            other => panic!("expected the end of the connection, heard {other:?}"),
        }
    };
    assert_eq!(reason, CloseReason::Done);
    stage.finish();
}

/// With the node every connection ends.
pub fn exit_ends_every_connection(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let peers: Vec<_> = (0..3).map(|_| stage.guest(SocketOptions::default()).0.into_peer()).collect();
    stage.post(crate::event::Event::StopRequested);
    assert!(matches!(stage.next("the wish to stop"), Heard::Stop));
    stage.order(|net| net.exit(ExitReason::Done));
    for mut peer in peers {
        let _ = read_to_end(&mut *peer);
    }
}
