//! A bounded random run of every target, always the same.

use std::collections::BTreeSet;

use super::{Generator, Kind, targets};

/// Runs of a parser, of a machine and of a connection.
const PARSER_RUNS: usize = 3_000;
const MACHINE_RUNS: usize = 300;

#[test]
fn every_target_has_a_name_of_its_own_and_samples_that_keep_every_promise() {
    let mut names = BTreeSet::new();
    for target in targets() {
        assert!(names.insert(target.name), "{} twice", target.name);
        let samples = (target.samples)();
        assert!(!samples.is_empty(), "{} has no sample", target.name);
        for sample in samples {
            (target.body)(&sample);
        }
        (target.body)(&[]);
    }
}

#[test]
fn no_bytes_break_a_promise_of_any_parser() {
    random_runs(|kind| kind == Kind::Parser, PARSER_RUNS);
}

#[test]
fn no_bytes_break_a_promise_of_any_machine() {
    random_runs(|kind| kind == Kind::Machine, MACHINE_RUNS);
}

#[test]
fn no_bytes_break_a_promise_of_a_connection() {
    random_runs(|kind| kind == Kind::Connection, MACHINE_RUNS);
}

fn random_runs(wanted: impl Fn(Kind) -> bool, runs: usize) {
    for target in targets().filter(|target| wanted(target.kind)) {
        let mut generator = Generator::new((target.samples)(), 0x7019, 16 * 1024);
        for run in 0..runs {
            let input = generator.make();
            let outcome = std::panic::catch_unwind(|| (target.body)(input));
            assert!(outcome.is_ok(), "{}, run {run}, by {:?}", target.name, input.escape_ascii().to_string());
        }
    }
}

#[test]
fn a_generator_makes_the_same_inputs_for_the_same_seed_and_others_for_another() {
    let made = |seed| {
        let mut generator = Generator::new(vec![b"Hello Director x calling".to_vec()], seed, 100);
        (0..200).map(|_| generator.make().to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(made(1), made(1));
    assert_ne!(made(1), made(2));
    assert!(made(1).iter().all(|input| input.len() <= 100));
}
