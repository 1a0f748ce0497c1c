//! Peers that read slowly, or not at all.

use std::time::Duration;

use super::arm::Arm;
use super::stage::{Heard, Stage};
use super::streams::noise;
use crate::config::{Seconds, keepalive};
use crate::conn::CloseReason;
use crate::limits;
use crate::socket::{IoKind, SocketOptions};

/// A peer that reads a little at a time gets everything.
pub fn a_slow_reader_gets_everything(arm: &impl Arm) {
    const FRAMES: u64 = 60;
    let stage = Stage::new(arm);
    let (mut mate, conn) = stage.guest(SocketOptions::default());
    mate.sip = 100;
    stage.order(move |net| (0..FRAMES).for_each(|n| net.send_text(conn, noise(10_000, n))));
    for n in 0..FRAMES {
        assert!(mate.text() == noise(10_000, n), "frame {n} differs");
    }
    stage.finish();
}

/// A peer that stops reading costs a bounded amount of memory: then its connection is cut off, and the node goes on.
pub fn a_peer_that_stops_reading_is_cut_off_within_bounds(arm: &impl Arm) {
    const FRAME: usize = 100_000;
    let stage = Stage::new(arm);
    let small = SocketOptions { buffer: Some(64 * 1024), ..SocketOptions::default() };
    let (_mate, conn) = stage.host(small, small);
    let mut sent = 0;
    // Far more than the queue, the mailbox and the kernel hold together.
    let enough = 4 * limits::SEND_QUEUE;
    let reason = loop {
        let gone = stage.ask(move |net| {
            net.send_text(conn, noise(FRAME, 1));
            net.ends(conn).is_none()
        });
        sent += FRAME;
        if gone {
            match stage.next("the end of the connection") {
                Heard::Closed(_, reason) => break reason,
                other => panic!("expected the end of the connection, heard {other:?}"),
            }
        }
        assert!(sent < enough, "{sent} bytes are queued for a peer that does not read");
    };
    println!("{}: cut off after {sent} bytes: {reason}", arm.name());
    let (mut other, conn) = stage.guest(SocketOptions::default());
    other.send(b"alive");
    assert_eq!(stage.text(conn), b"alive");
    stage.finish();
}

/// A living peer may shut its window for as long as it likes: the sending end of a data channel waits. Other ends of the
/// same interval do not; that they are cut shows that the window was shut.
pub fn a_window_shut_for_ten_intervals_loses_nothing(arm: &impl Arm) {
    const FRAMES: u64 = 40;
    const INTERVAL: Duration = Duration::from_secs(1);
    let stage = Stage::new(arm);
    let small = SocketOptions { buffer: Some(64 * 1024), ..SocketOptions::default() };
    let socket = |end| SocketOptions { buffer: small.buffer, ..keepalive::socket(Some(Seconds(1)), end) };
    let (_mate, control) = stage.host(socket(keepalive::End::Control), small);
    let (mut mate, conn) = stage.host(socket(keepalive::End::Sending), small);
    let began = arm.now();
    stage.order(move |net| {
        for n in 0..FRAMES {
            net.send_text(control, noise(100_000, n));
            net.send_text(conn, noise(100_000, n));
        }
    });
    assert_eq!(stage.closed(control), CloseReason::Io(IoKind::TimedOut, crate::conn::Stage::Ready));
    arm.until("ten intervals", &mut || arm.now().since(began) > 10 * INTERVAL);
    for n in 0..FRAMES {
        assert!(mate.text() == noise(100_000, n), "frame {n} differs");
    }
    stage.finish();
}
