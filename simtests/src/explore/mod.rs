//! The search: a seed draws a scenario, faults happen to it, invariants judge what comes of it, and a failure shrinks.
//!
//! ```text
//!   seed ──Draw::of──▶ Draw ──start──▶ region
//!                       │ orders and faults, each at its time             safety phase: whatever happens, nothing wrong
//!                       │ heal: all links, disks, clocks and daemons are well again
//!                       │ until nothing is under way, in a bound          liveness phase: what is stuck is named
//!                       │ a backup of each client, every good job restored
//!                       ▼
//!                    Outcome { failure, hash of the trace }
//! ```
//! The same draw gives the same outcome and the same hash, on any machine. [`shrink`] makes a failure small; what it writes
//! into `scenarios/` is run by a test from then on.
//!
//! | module | what it is |
//! |---|---|
//! | [`draw`] | what a seed draws, as a value |
//! | `scene` | a draw's daemons, started |
//! | `run` | the phases, and what happens in them |
//! | `faults` | how each fault begins and ends |
//! | `stock` | a stock client that waits at the director |
//! | `evidence` | what is noted meanwhile |
//! | [`invariants`] | what must hold, each under its name |
//! | `sealed` | whether all that a protected connection carries is in records |
//! | [`ladder`], [`pcap`] | what went over the wire, for people |
//! | [`shrink`] | the smallest draw that fails for the same reason |

pub mod draw;
mod evidence;
mod faults;
pub mod invariants;
pub mod ladder;
pub mod pcap;
mod run;
mod scene;
mod sealed;
pub mod shrink;
mod stock;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use towline_core::cover::Mark;

pub use draw::Draw;
pub use run::{Watching, run, watch};

/// What came of a draw.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The first promise that did not hold, if one did not.
    pub failure: Option<Failure>,
    /// The hash of the trace and the number of its lines.
    pub hash: (u64, u64),
    /// Things that happened.
    pub steps: u64,
    /// How long it took by the simulated clock.
    pub took: Duration,
    /// How the jobs ended: how many of each status.
    pub jobs: Vec<(char, usize)>,
    /// The seldom branches of the core that it took.
    pub marks: BTreeSet<Mark>,
}

/// A promise that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Of which kind.
    pub kind: FailureKind,
    /// The invariant's name.
    pub invariant: &'static str,
    /// What was seen.
    pub what: String,
    /// When, by the simulated clock.
    pub at: Duration,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} after {:?}: {}", self.kind, self.invariant, self.at, self.what)
    }
}

/// What kind of failure it is; each has an exit code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The code under test panicked.
    Crash,
    /// Something that must happen did not happen in time.
    Liveness,
    /// Something happened that must not happen.
    Safety,
}

impl FailureKind {
    /// The exit code of a search that found it.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Crash => 127,
            Self::Liveness => 128,
            Self::Safety => 129,
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crash => "crash",
            Self::Liveness => "liveness",
            Self::Safety => "safety",
        })
    }
}
