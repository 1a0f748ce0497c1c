//! Resources of which only one job may be there at a time: of two, one is cancelled.

use crate::config;
use crate::error::{Explain, Facts, Fault, Retry};
use crate::ids::JobId;
use crate::role::director::common::Tools;
use crate::wire::status::{JobLevel, JobType};

use super::Jobs;
use super::job::Job;
use super::task::Task;

/// Why a job is cancelled that is not the only one of its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Duplicate {
    /// A later one takes its place.
    #[error("JobId {0} of the same resource takes its place")]
    Replaced(JobId),
    /// An earlier one is there.
    #[error("JobId {0} of the same resource is there already, and duplicate jobs are not allowed")]
    NotAllowed(JobId),
    /// Another virtual full of an always incremental job is there.
    #[error("JobId {0} takes backups of the same always incremental job together, and has not ended")]
    Consolidated(JobId),
}

impl Explain for Duplicate {
    fn facts(&self) -> Facts {
        use Fault::Config;
        use Retry::Never;
        match self {
            Self::Replaced(_) => (Config, Never, 656, "set `allow_duplicate_jobs: true` if both are to run"),
            Self::NotAllowed(_) => (Config, Never, 657, "run it after that one, or set `allow_duplicate_jobs: true`"),
            Self::Consolidated(_) => (Config, Never, 887, "leave it to that one, and see what is left then"),
        }
        .into()
    }
}

/// Which of two jobs goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goes {
    Earlier,
    Later,
}

impl Jobs {
    /// A job has got its number: if its resource allows no second one, it goes, or those that are there.
    pub(crate) fn settle_duplicates(&mut self, tools: &mut Tools<'_>, id: JobId) {
        if let Some(other) = self.all.get(&id).and_then(|job| self.consolidated_by(job)) {
            return self.cancel_job(tools, id, &Duplicate::Consolidated(other).line());
        }
        let Some(job) = self.all.get(&id).filter(|job| counts(job)) else { return };
        let Some(resource) = job.config.job(&job.name).filter(|resource| !resource.allow_duplicate_jobs) else {
            return;
        };
        let is_other = |other: &&Job| other.id != id && other.name == job.name && other.life.goes_on() && counts(other);
        let others: Vec<(JobId, Goes)> =
            self.all.values().filter(is_other).map(|other| (other.id, choose(resource, other, job))).collect();
        if let Some((other, _)) = others.iter().find(|(_, goes)| *goes == Goes::Later) {
            return self.cancel_job(tools, id, &Duplicate::NotAllowed(*other).line());
        }
        others.into_iter().for_each(|(other, _)| self.cancel_job(tools, other, &Duplicate::Replaced(id).line()));
    }
}

impl Jobs {
    /// Another virtual full of the same always incremental job, which may take the same backups and purge them.
    fn consolidated_by(&self, job: &Job) -> Option<JobId> {
        let is_virtual = |job: &Job| matches!(job.task, Task::VirtualFull(_));
        let always = job.config.job(&job.name).is_some_and(|resource| resource.always_incremental);
        let is_other = |other: &&Job| {
            let is_alike = other.name == job.name && other.with.client == job.with.client;
            other.id != job.id && is_virtual(other) && is_alike && other.life.goes_on()
        };
        self.all.values().filter(|_| always && is_virtual(job)).find(is_other).map(|other| other.id)
    }
}

/// Whether a job is one by itself. Those that a copy, a migration or a consolidation orders are parts of it.
const fn counts(job: &Job) -> bool {
    match &job.task {
        Task::CopyControl(control) => control.selects(),
        Task::CopyWriter(_) => false,
        Task::VirtualFull(task) => !task.is_ordered,
        _ => true,
    }
}

fn choose(resource: &config::Job, earlier: &Job, later: &Job) -> Goes {
    let are_backups = (earlier.kind, later.kind) == (JobType::Backup, JobType::Backup);
    let order = rank(later.level).cmp(&rank(earlier.level));
    if resource.cancel_lower_level_duplicates && are_backups && order.is_ne() {
        return if order.is_gt() { Goes::Earlier } else { Goes::Later };
    }
    let replaces = resource.cancel_queued_duplicates && earlier.life.is_queued() || resource.cancel_running_duplicates;
    if replaces { Goes::Earlier } else { Goes::Later }
}

const fn rank(level: JobLevel) -> u8 {
    match level {
        JobLevel::Full => 3,
        JobLevel::Differential => 2,
        JobLevel::Incremental => 1,
        _ => 0,
    }
}

/// One of each, for the table of all errors.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<Duplicate> {
    vec![Duplicate::Replaced(JobId(1)), Duplicate::NotAllowed(JobId(2)), Duplicate::Consolidated(JobId(3))]
}
