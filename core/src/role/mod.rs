//! What each daemon does with its connections and jobs.

pub mod console;
pub mod director;
pub mod file;
pub mod identity;
pub(crate) mod idle;
pub mod network;
pub(crate) mod quiet;
mod refusals;
mod remarks;
mod report;
pub mod script;
mod sessions;
pub mod storage;
pub mod tray;

use crate::bulk::machine::Outcome;
use crate::error::Explain;

/// A machine's end in words for a job's log, with its code and what to do.
pub(crate) fn outcome_text(outcome: &Outcome) -> String {
    format!("{outcome} ({}): {}", outcome.code(), outcome.help())
}
