//! What the data path costs, beside what the machine itself can do.
//!
//! ```text
//!   cargo bench -p towline                                everything, as a table
//!   cargo bench -p towline -- --json                      the same for a program
//!   cargo bench -p towline -- --quick                     64 MiB and 5,000 files, 3 rounds
//!   cargo bench -p towline -- --only b --only a psk       these parts, and only lines with this word
//!   cargo bench -p towline -- --only catalog              files a second into the catalog
//!   cargo bench -p towline -- --only browse               a catalog of five million files: the last to go in, a folder, a restore
//!   cargo bench -p towline -- --only scan                 a catalog made again from a volume, of usual and of small files
//!   cargo bench -p towline -- --only object               a volume in a store of objects
//!   cargo bench -p towline -- --only plan                 a plan of 500 clients with 3 storages each
//! ```
//! Before each run its yardstick is run, and the one is divided by the other: so a machine that is busy for a while disturbs
//! both. `cpu s` is processor time of all processes together, per GiB or per 1,000 files. Two traps when measuring in a virtual machine: memory the
//! guest touches for the first time is dear, so the files' memory is warmed up first; and ext4 is slow to use freed inodes
//! again, so every restore goes into a new folder.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that cannot go on stops"
)]

mod browsing;
mod catalog;
mod channel;
mod daemons;
#[path = "../../src/catalog/tests/bodies/frames.rs"]
mod frames;
mod memory;
#[cfg(feature = "object")]
mod objects;
mod plan;
#[cfg(feature = "plan")]
mod planning;
#[cfg(feature = "postgres")]
#[path = "../../tests/support/postgres.rs"]
#[allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "shared with tests, which use more of it")]
mod postgres;
mod processor;
mod report;
mod scanning;
mod waiting;
mod yardstick;

use std::env;
use std::process::ExitCode;

use plan::Plan;

fn main() -> ExitCode {
    let mut plan = Plan::default();
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => plan.quick = true,
            "--json" => plan.json = true,
            "--only" => plan.parts.extend(arguments.next()),
            "--rounds" => plan.rounds = arguments.next().and_then(|rounds| rounds.parse().ok()),
            // Cargo says so to every benchmark.
            "--bench" => {}
            word if !word.starts_with('-') => plan.words.push(word.to_owned()),
            other => {
                eprintln!("unknown option {other}; there are --quick, --json, --only PART, --rounds N, and words");
                return ExitCode::from(2);
            }
        }
    }
    plan.run();
    ExitCode::SUCCESS
}
