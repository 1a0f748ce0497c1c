//! Heartbeats in band, over real time: sent, answered, and missed when they stay away.

use std::time::Duration;

use super::arm::{Arm, Peer};
use super::mate::write_all;
use super::stage::Stage;
use crate::config::{Seconds, keepalive};
use crate::conn::CloseReason;
use crate::socket::SocketOptions;
use crate::wire::frame::{HEAD, Head, Signal, put_signal};

/// Between two Towline daemons each interval of silence is followed by a heartbeat and none comes sooner; the peer's own
/// is answered at once; a peer that is connected and says nothing is gone after three intervals, and not before.
pub fn heartbeats_are_sent_answered_and_missed_and_never_early(arm: &impl Arm) {
    const INTERVAL: Duration = Duration::from_secs(1);
    let stage = Stage::new(arm);
    let (mate, conn) = stage.guest(SocketOptions::default());
    let mut peer = mate.into_peer();
    let began = arm.now();
    stage.order(move |net| net.keep_alive(conn, keepalive::socket(Some(Seconds(1)), keepalive::End::Control)));
    for beat in 1..=4 {
        assert_eq!(signal(&mut *peer), Signal::Heartbeat);
        let after = arm.now().since(began);
        assert!(after >= beat * INTERVAL, "heartbeat {beat} came after {after:?}");
        say(&mut *peer, Signal::HeartbeatResponse);
    }
    assert!(stage.is_quiet(), "heartbeats are no business of the node's, and an answered one ends nothing");
    let last_words = arm.now();
    say(&mut *peer, Signal::Heartbeat);
    // The next one of the node's own may be on its way.
    let answers = [signal(&mut *peer), signal(&mut *peer)];
    assert!(answers.contains(&Signal::HeartbeatResponse), "{answers:?}");
    match stage.closed(conn) {
        CloseReason::Silent(silence) => assert!(silence >= 3 * INTERVAL, "{silence:?}"),
        reason => panic!("expected the end of a silent connection, not: {reason}"),
    }
    let after = arm.now().since(last_words);
    assert!(after >= 3 * INTERVAL, "missed after {after:?}");
    println!("{}: a silent peer is gone after {after:?}", arm.name());
    stage.finish();
}

/// The next frame, which must be a signal.
fn signal(peer: &mut dyn Peer) -> Signal {
    let (mut head, mut filled) = ([0; HEAD], 0);
    while filled < HEAD {
        match peer.read(&mut head[filled..]) {
            Ok(n) if n > 0 => filled += n,
            end => panic!("expected a signal, not the end of the connection: {end:?}"),
        }
    }
    match Head::parse(head) {
        Ok(Head::Signal(signal)) => signal,
        other => panic!("expected a signal, not {other:?}"),
    }
}

fn say(peer: &mut dyn Peer, signal: Signal) {
    let mut frame = Vec::new();
    put_signal(&mut frame, signal);
    write_all(peer, &frame);
}
