//! Sampled cases of the grid with real daemons in network namespaces: they do what the oracle says, as the world does
//! (simtests/tests/grid). Needs root, `ip` and `nft`.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod lab;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use lab::{Ended, Lab};
use towline_simtests::oracle::{Case, Stop, Verdict, samples};

/// Cases at a time: most of them wait.
const AT_A_TIME: usize = 8;
/// How long all of them may take.
const LIMIT: Duration = Duration::from_secs(120);

/// What differs between a real network and the oracle, if something does.
fn difference(case: &Case, runtime: &str) -> Option<String> {
    let expected = case.verdict();
    let lab = Lab::start(case, runtime);
    let ended = lab.run();
    let agrees = match expected {
        Verdict::Works => ended == Ended::Well,
        // It stands still, or has failed because of that; all of its connections came about.
        Verdict::UntilIdle => ended != Ended::Well && !lab.has_failed_to_dial(),
        Verdict::Fails(leg, stop) => {
            let code = match stop {
                Stop::NotOut | Stop::NotIn | Stop::NoHairpin => "T0104",
                Stop::NoRoute => "T0117",
                Stop::Unreachable => "T0105",
            };
            ended == Ended::Badly && lab.failed_to_dial(leg, code)
        }
    };
    (!agrees).then(|| format!("{case:?} on {runtime}\n  must be {expected:?}, is {ended:?}\n{}", lab.said()))
}

#[test]
fn sampled_networks_do_what_the_oracle_says() {
    let cases = samples();
    assert!(cases.len() >= 30 && cases.iter().filter(|case| case.loose).count() >= 10, "{}", cases.len());
    let began = Instant::now();
    let next = Mutex::new(cases.iter().zip(["tokio", "smol", "blocking"].into_iter().cycle()));
    let different = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let Some((case, runtime)) = next.lock().unwrap().next() else { break };
                    let found = difference(case, runtime);
                    different.lock().unwrap().extend(found);
                }
            });
        }
    });
    let different = different.into_inner().unwrap();
    assert!(different.is_empty(), "{} of {}:\n{}", different.len(), cases.len(), different.join("\n"));
    assert!(began.elapsed() < LIMIT, "{:?} for {} cases", began.elapsed(), cases.len());
}
