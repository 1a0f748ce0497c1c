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
//! | `foe` | somebody who holds the key of a daemon, and misuses it, in clear or under TLS |
//! | `evidence` | what is noted meanwhile |
//! | [`invariants`] | what must hold, each under its name |
//! | `sealed` | whether all that a protected connection carries is in records |
//! | [`ladder`], [`pcap`] | what went over the wire, for people |
//! | [`shrink`] | the smallest draw that fails for the same reason |
//!
//! # What it finds
//! Twenty faults were planted one at a time, and each was searched for from seed 1 for a minute, on one of two busy cores and
//! without optimization across crates (about 200 seeds a minute). All were found; the shrinking of the storm of dials was
//! given up after two minutes. Where two places guard a promise, both were taken away.
//!
//! | planted | what noticed | seconds | shrunk to |
//! |---|---|---|---|
//! | a connection's turn that is out of budget is not followed by another | a console is answered | 5 | 3 hosts, no fault |
//! | heartbeats to a stock client that waits | a stock peer is sent nothing that it cannot answer | 14 | 3 hosts, 1 fault |
//! | the hello of an unknown client is accepted | who is not authenticated gets no further | 33 | 3 hosts, 1 fault, 1 order |
//! | a wrong password is accepted | who is not authenticated gets no further | 10 | 3 hosts, 1 fault |
//! | a job is good although its data channel was cut | the next job works (its restore) | 20 | 3 hosts, 1 fault, 1 order |
//! | a director takes `Error` for `OK` | the next job works (its restore) | 1 | 3 hosts, 1 fault, 1 order |
//! | no sync before the acknowledgement | what was acknowledged is there | 5 | 3 hosts, 1 fault, 1 order |
//! | the wait for a client's call has no end | a job whose client is away ends in its time | 5 | 3 hosts, 1 fault, 1 order |
//! | a device is not given back | the next job works | 0.1 | 3 hosts, no fault |
//! | a client whose dial has failed does not dial again | everything comes to rest | 0.03 | 3 hosts, 1 fault |
//! | jobs of a director that died stay as they were | everything comes to rest | 0.2 | 3 hosts, 1 fault, 1 order |
//! | the end of a job is not offered to the catalog again | everything comes to rest | 20 | 3 hosts, 1 fault, 1 order |
//! | a dial does not pause | nobody dials in a storm | 20 | given up |
//! | no keepalive and no heartbeats | the next job works | 0.3 | 3 hosts, 1 fault |
//! | a block that did not fit on a volume is lost | the next job works | 2 | 4 hosts, no fault, 1 order |
//! | a director leaves a daemon of an ended job connected | everything comes to rest | 8 | 3 hosts, no fault, 2 orders |
//! | a block that could not be written counts as written | everything comes to rest | 4 | 3 hosts, 1 fault, 1 order |
//! | a restore that is cut counts as whole | a restore that says it is right is equal byte for byte | 17 | 3 hosts, 1 fault, 2 orders |
//! | a queued job is not begun when another has just ended | everything comes to rest | 0.5 | 3 hosts, no fault, 2 orders |
//! | a connection that was refused stays in the node's books | everything comes to rest | 10 | 3 hosts, 1 fault, 2 orders |
//!
//! Backups that build on others were added later: that they look for changes since too late a time is noticed within 0.2 s by
//! the restore of all of them together, and shrinks to 3 hosts, no fault and 2 orders.

pub mod draw;
mod evidence;
mod faults;
mod foe;
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
pub use run::{Tap, Watching, run, watch};

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
