//! Equal seeds, equal worlds.

use towline_core::conformance::{a_slow_reader_gets_everything, the_trace_is_the_same_everywhere};
use towline_simtests::arm::Arm;

/// The hash of everything that happens, times and segments included.
fn trace(seed: u64) -> (u64, u64) {
    let arm = Arm::new(seed);
    the_trace_is_the_same_everywhere(&arm);
    a_slow_reader_gets_everything(&arm);
    let world = arm.world().borrow();
    world.trace().hash()
}

#[test]
fn the_same_seed_gives_the_same_trace_to_the_nanosecond() {
    let (hash, lines) = trace(7);
    assert!(lines > 100, "{lines} lines are not much of a trace");
    assert_eq!(trace(7), (hash, lines));
    assert_ne!(trace(8).0, hash, "the seed changes nothing");
}

#[test]
fn many_seeds_leave_the_same_story_behind() {
    for seed in 0..50 {
        the_trace_is_the_same_everywhere(&Arm::new(seed));
    }
}
