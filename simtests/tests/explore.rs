//! The search in small: a few seeds in each run of the tests, and every scenario that once failed.

use std::collections::BTreeSet;
use std::path::Path;

use towline_core::cover::Mark;
use towline_simtests::explore::{Draw, Watching, run, watch};

/// Seeds that every run of the tests takes, so chosen that together they take every marked branch; the search itself draws
/// others.
const STANDARD: &[u64] = &[1, 2, 3, 5, 7, 10, 12, 15, 31, 48, 54, 77, 172, 381];

#[test]
fn the_standard_seeds_hold_every_promise_and_take_every_marked_branch() {
    let mut taken = BTreeSet::new();
    for &seed in STANDARD {
        let draw = Draw::of(seed);
        let outcome = run(&draw);
        assert!(outcome.failure.is_none(), "seed {seed}: {}", outcome.failure.expect("a failure"));
        assert!(outcome.hash.1 > 100 && !outcome.jobs.is_empty(), "seed {seed} has no story: {outcome:?}");
        taken.extend(outcome.marks);
    }
    let missing: Vec<&Mark> = Mark::ALL.iter().filter(|mark| !taken.contains(mark)).collect();
    assert!(missing.is_empty(), "no standard seed takes {missing:?}");
}

#[test]
fn the_same_seed_is_the_same_story() {
    for seed in [5, 77] {
        let draw = Draw::of(seed);
        assert_eq!(run(&draw).hash, run(&draw).hash, "two runs of seed {seed} differ");
    }
    assert_ne!(run(&Draw::of(5)).hash, run(&Draw::of(6)).hash);
}

#[test]
fn who_holds_the_key_of_a_daemon_gets_as_far_as_its_data_channel_and_harms_nobody_else() {
    for (seed, what) in [(1_099, "foe fd0 sends"), (1_480, "foe sd0 gives")] {
        let (outcome, trace) = watch(&Draw::of(seed), Watching { tap: None, tail: 1_000_000 });
        assert!(outcome.failure.is_none(), "seed {seed}: {}", outcome.failure.expect("a failure"));
        assert!(trace.contains(what), "seed {seed}: not {what:?}");
    }
}

#[test]
fn every_scenario_that_once_failed_holds_every_promise() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder of scenarios") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "ron") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a text");
        assert!(text.starts_with("// "), "{}: the first lines tell its story", path.display());
        let draw = Draw::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let outcome = run(&draw);
        assert!(outcome.failure.is_none(), "{}: {}", path.display(), outcome.failure.expect("a failure"));
        count += 1;
    }
    assert!(count > 0, "there is no scenario in {}", folder.display());
}
