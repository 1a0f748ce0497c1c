//! What is left when all is over, and what is done when there is nothing to do.

use std::time::Duration;

use super::arm::Arm;
use super::stage::{Heard, Stage, route};
use super::streams::noise;
use crate::socket::SocketOptions;

/// How many turns of all pumps may pass while nothing happens.
const QUIET: u64 = 16;

/// How often to look whether all pumps have come to rest.
const LOOKS: u32 = 20;

/// Descriptors and threads are what they were before; a connection whose peer stopped reading does not spin.
/// Counts what the whole process has, so nothing else may run in it.
pub fn nothing_leaks_and_nothing_spins(arm: &impl Arm) {
    // What a library keeps for good, it has after the first round.
    one_round(arm);
    let before = arm.counts();
    for _ in 0..5 {
        one_round(arm);
    }
    let is_back = &mut || {
        let now = arm.counts();
        now.descriptors <= before.descriptors && now.threads <= before.threads
    };
    arm.until("descriptors and threads to be what they were", is_back);
    a_blocked_connection_rests(arm);
}

/// Every way a descriptor or a thread can come and go.
fn one_round(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let (mut closes, closed) = stage.guest(SocketOptions::default());
    let (resets, reset) = stage.guest(SocketOptions::default());
    let (_stays, _) = stage.host(SocketOptions::default(), SocketOptions::default());
    closes.close();
    drop(closes);
    stage.closed(closed);
    resets.into_peer().reset();
    stage.closed(reset);
    stage.dial(route(arm.closed(), Duration::from_secs(10), SocketOptions::default()));
    stage.failure();
    let (_deaf, deaf) = arm.deaf();
    stage.dial(route(deaf, Duration::from_millis(20), SocketOptions::default()));
    stage.failure();
    // Under way at the end.
    stage.dial(route(deaf, Duration::from_secs(3600), SocketOptions::default()));
    stage.finish();
}

fn a_blocked_connection_rests(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let small = SocketOptions { buffer: Some(16 * 1024), ..SocketOptions::default() };
    let (_mate, conn) = stage.host(small, small);
    stage.order(move |net| (0..20).for_each(|n| net.send_text(conn, noise(100_000, n))));
    // All that can be written is written when nothing moves from one look to the next.
    let mut last = arm.counts().turns;
    let came_to_rest = (0..LOOKS).any(|_| {
        pause(&stage);
        let before = std::mem::replace(&mut last, arm.counts().turns);
        last - before <= QUIET
    });
    assert!(came_to_rest, "the pumps turn on and on for a peer that does not read");
    let before = arm.counts();
    pause(&stage);
    let after = arm.counts();
    let spent = after.processor - before.processor;
    println!("{}: {} turns and {spent} us of processor time in 300 ms of rest", arm.name(), after.turns - before.turns);
    assert!(after.turns - before.turns <= QUIET, "{} turns while nothing happened", after.turns - before.turns);
    stage.finish();
}

/// A timer of the node's own is what ends the wait.
fn pause(stage: &Stage<'_, impl Arm>) {
    stage.order(|net| {
        let _ = net.set_timer(Duration::from_millis(300), "conformance", 0);
    });
    assert!(matches!(stage.next("a timer"), Heard::Timer(..)));
}
