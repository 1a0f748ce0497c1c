//! Timers of the node.

use std::time::Duration;

use super::arm::Arm;
use super::stage::{Heard, Stage};

/// However they are set, timers fire in the order of their times and none before its own.
pub fn timers_are_never_early_and_keep_their_order(arm: &impl Arm) {
    const TIMERS: u64 = 200;
    let stage = Stage::new(arm);
    let began = arm.now();
    let (zero, mut set) = stage.ask(|net| {
        // A fixed shuffle: 77 and 200 have no factor in common.
        let after = |n: u64| Duration::from_micros(1_000 + (n * 77 % TIMERS) * 1_003);
        let set: Vec<_> = (0..TIMERS).map(|n| (after(n), n)).collect();
        for &(after, n) in &set {
            net.set_timer(after, "conformance", n);
        }
        (net.now(), set)
    });
    set.sort_unstable();
    let mut worst = Duration::ZERO;
    for (after, n) in set {
        let Heard::Timer(fired, at) = stage.next("a timer") else { panic!("expected a timer") };
        assert_eq!(fired, n, "out of order");
        assert!(at.since(zero) >= after, "{after:?} came after {:?} of the node's time", at.since(zero));
        assert!(arm.now().since(began) >= after, "{after:?} came early by the clock outside");
        worst = worst.max(at.since(zero).saturating_sub(after));
    }
    println!("{}: at most {worst:?} late", arm.name());
    stage.finish();
}

/// A cancelled timer says nothing; a later one takes its place, and an earlier one goes first.
pub fn a_cancelled_timer_stays_silent(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let (cancelled, late, early) = (0, 1, 2);
    stage.order(move |net| {
        let cancelled = net.set_timer(Duration::from_millis(5), "conformance", cancelled);
        net.set_timer(Duration::from_millis(40), "conformance", late);
        net.set_timer(Duration::from_millis(20), "conformance", early);
        net.cancel_timer(cancelled);
    });
    for expected in [early, late] {
        let Heard::Timer(fired, _) = stage.next("a timer") else { panic!("expected a timer") };
        assert_eq!(fired, expected);
    }
    stage.finish();
}
