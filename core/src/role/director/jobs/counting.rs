//! How many jobs have ended, of each kind and with each end, since the director was started.

use std::collections::BTreeMap;

use super::recording::Finished;
use crate::wire::status::{JobStatus, JobType};

/// What has been counted, by the letters of kind and end: as many entries as there are letters.
#[derive(Debug, Default)]
pub(crate) struct Counts(BTreeMap<(u8, u8), Count>);

/// Jobs of one kind with one end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) jobs: u64,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// How long they ran together.
    pub(crate) seconds: u64,
}

impl Counts {
    /// A job has ended that ran for so many seconds.
    pub(super) fn count(&mut self, job: &Finished, seconds: i64) {
        let count = self.0.entry((job.kind.letter(), job.status.letter())).or_default();
        count.jobs += 1;
        count.files += u64::from(job.files);
        count.bytes = count.bytes.saturating_add(job.bytes);
        // A clock that was put back says nothing.
        count.seconds += u64::try_from(seconds).unwrap_or(0);
    }

    /// All that was counted.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (JobType, JobStatus, Count)> {
        let letters = |(&(kind, status), &count): (&(u8, u8), &Count)| {
            (JobType::from_letter(kind), JobStatus::from_letter(status), count)
        };
        self.0.iter().map(letters)
    }
}
