//! Jobs: from an order to the record of the end.
//!
//! ```text
//!   order --ordering--> number --queue--> running ==== tables/ (dialogues) ====> ending --> recording
//!                                            |  incoming: what daemons say          ^
//!                                            '-- trouble, cancelling, patience -----'
//! ```
//! A job: `job.rs` is what is known of it, `task.rs` what it is for, `life.rs` where it stands between order and
//! record, `daemons.rs` its two daemons, `route.rs` the way of its data, `trouble.rs` why it has failed. `tables/` are
//! the dialogues and `dialogue.rs` what they are about; `copying.rs`, `selecting.rs`, `verifying.rs`, `virtual_full.rs`,
//! `consolidating.rs`, `fileset.rs` and `lists.rs` are what single tasks need.
//!
//! All jobs together are [`Jobs`]: `ordering.rs` takes orders, `returning.rs` those that a client's return brings,
//! `queue.rs` begins what there is room for, `away.rs` waits for clients before that, `running.rs` leads jobs through their dialogues, `incoming.rs` and
//! `requests.rs` serve their daemons, `patience.rs` waits for the last of these, `cancelling.rs` gives jobs up,
//! `ending.rs` lets the daemons go, `outcome.rs` and `figures.rs` say how a job ended, `recording.rs` has it recorded,
//! `rescheduling.rs` orders it once more. `terms.rs` are its pools and what else was said of it, `deadlines.rs` how long it may
//! take, `duplicates.rs` which of two of one resource goes on. `scripts.rs` runs the director's commands of jobs,
//! `clones.rs` starts others beside a backup, `bootstrap.rs` has written what a restore without the catalog needs,
//! `kept.rs` is what the catalog keeps of a restore so that another can go on with it, `bandwidth.rs` slows data down,
//! `meter.rs` the talk of daemons, `counting.rs` counts those that have ended.

mod away;
mod bandwidth;
pub(crate) mod bootstrap;
mod cancelling;
mod clones;
mod consolidating;
mod copying;
pub(crate) mod counting;
mod daemons;
pub(crate) mod deadlines;
mod dialogue;
pub(crate) mod duplicates;
mod ending;
pub(crate) mod figures;
pub(crate) mod fileset;
mod incoming;
pub(crate) mod job;
mod joining;
pub(crate) mod kept;
mod life;
pub(crate) mod lists;
mod meter;
pub(crate) mod naming;
pub(crate) mod ordering;
mod outcome;
mod patience;
mod queue;
pub(crate) mod recording;
mod report;
mod requests;
mod rescheduling;
mod returning;
pub(crate) mod route;
mod running;
mod scripts;
mod selecting;
pub(crate) mod tables;
mod task;
pub(crate) mod terms;
pub(crate) mod trouble;
mod verifying;
mod virtual_full;

use std::collections::{BTreeMap, VecDeque};

use crate::ids::JobId;

use cancelling::Cancelling;
use counting::Counts;
use job::Job;
use recording::{Finished, Unrecorded};
use scripts::Scripts;

pub(crate) use copying::Asked;
pub(crate) use recording::RECENT;
pub(crate) use scripts::{limit as command_limit, meaning};

/// The jobs of a director that have not ended, and the last that have.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    /// By their numbers.
    all: BTreeMap<JobId, Job>,
    /// Their commands on the director.
    scripts: Scripts,
    /// Of those that were given up, and whose daemons are being told.
    cancels: BTreeMap<JobId, Cancelling>,
    /// Those that have ended and are not recorded yet.
    unrecorded: Unrecorded,
    /// The newest first.
    recent: VecDeque<Finished>,
    /// Those that have failed, each with the reason; the newest first.
    failed: VecDeque<(Finished, String)>,
    /// The time in the newest unique name, and the counter.
    last_unique: (String, u32),
    begun: u32,
    counts: Counts,
}

impl Jobs {
    /// Those that have not ended, by their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Job> {
        self.all.values()
    }

    /// The job of this number, if it has not ended.
    pub(crate) fn get(&self, id: JobId) -> Option<&Job> {
        self.all.get(&id)
    }

    /// The job of this number or unique name, if it has not ended.
    pub(crate) fn find(&self, wanted: &str) -> Option<&Job> {
        self.iter().find(|job| job.unique == wanted || Ok(job.id.0) == wanted.parse())
    }

    /// Those whose ends the catalog has not taken yet.
    pub(crate) const fn unrecorded(&self) -> &Unrecorded {
        &self.unrecorded
    }

    /// The last that have ended, the newest first.
    pub(crate) fn recent(&self) -> impl DoubleEndedIterator<Item = &Finished> {
        self.recent.iter()
    }

    /// The last that have failed, each with the reason; the newest first.
    pub(crate) fn failed(&self) -> impl DoubleEndedIterator<Item = &(Finished, String)> {
        self.failed.iter()
    }

    /// Those that have ended since the director was started, by how.
    pub(crate) const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How many have begun since the director was started.
    pub(crate) const fn begun(&self) -> u32 {
        self.begun
    }
}
