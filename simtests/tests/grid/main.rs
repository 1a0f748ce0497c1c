//! The grid: every way to place a director, a client and a storage daemon among networks, in every mode. The world does
//! what the oracle says, and the committed tables say what the oracle does.
//!
//! All of it: `cargo test --release -p towline-simtests --test grid -- --ignored`
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod network;
mod observed;
mod table;

use std::num::NonZero;
use std::thread;

use network::Plans;
use towline_simtests::oracle::{Case, grid, samples};

/// Differences that are told.
const TOLD: usize = 10;

/// Runs cases, on all cores, and fails with the first that differ from the oracle.
fn hold_to_the_oracle(cases: &[Case]) {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let different: Vec<String> = thread::scope(|scope| {
        let run = |first: usize| {
            move || {
                let plans = Plans::new();
                let own = cases.iter().skip(first).step_by(threads);
                own.filter_map(|case| observed::difference(&plans, case)).take(TOLD).collect::<Vec<_>>()
            }
        };
        let running: Vec<_> = (0..threads).map(|first| scope.spawn(run(first))).collect();
        running.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    assert!(different.is_empty(), "{} of {}:\n{}", different.len(), cases.len(), different.join("\n"));
}

#[test]
fn a_twentieth_of_the_grid_is_as_the_oracle_says() {
    // Neither a multiple of the ways in any dimension nor a part of it, so that all of them come together.
    let cases: Vec<Case> = grid().step_by(19).collect();
    assert!(cases.len() * 20 >= grid().count());
    hold_to_the_oracle(&cases);
}

#[test]
#[ignore = "takes a minute in a release build: .ci/run has it"]
fn all_of_the_grid_is_as_the_oracle_says() {
    hold_to_the_oracle(&grid().collect::<Vec<_>>());
}

/// Those that bins/tests/system_grid runs in namespaces: some of their boxes are loose, some of their daemons silent.
#[test]
fn what_is_run_in_real_networks_is_as_the_oracle_says() {
    let cases = samples();
    assert!(cases.len() >= 30 && cases.iter().filter(|case| case.loose).count() >= 10, "{}", cases.len());
    hold_to_the_oracle(&cases);
}

#[test]
fn one_case_in_a_thousand_leaves_the_same_trace_twice() {
    let plans = Plans::new();
    for case in grid().step_by(997) {
        let hash = || observed::run(&plans, &case).hash;
        assert_eq!(hash(), hash(), "{case:?}");
    }
}

#[test]
fn the_tables_are_what_the_oracle_says() {
    table::hold("grid.txt", &table::text());
    table::hold("grid.html", &table::html());
}
