//! How long a job may take: to start, waiting, running, and all together. One that takes longer is cancelled.

use std::time::Duration;

use crate::config::{self, Seconds};
use crate::error::{Explain, Facts, Fault, Retry};
use crate::ids::JobId;
use crate::node::TimerKey;
use crate::role::director::Due;
use crate::role::director::common::Tools;
use crate::time::Instant;
use crate::wire::status::{JobLevel, JobStatus, JobType};

use super::Jobs;
use super::job::Job;

/// How long a job waits and runs.
#[derive(Debug)]
pub(crate) struct Clock {
    /// When it could have begun.
    due: Instant,
    begun: Option<Instant>,
    /// Since when it waits, and how long it has waited before.
    waits_since: Option<Instant>,
    waited: Duration,
    timer: Option<TimerKey>,
}

/// Why a job is cancelled that has taken too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Overdue {
    /// It would start too late.
    #[error("max start delay exceeded: it has not started within {0}")]
    Start(Seconds),
    /// It has waited too long.
    #[error("max wait time exceeded: it has waited for {0}")]
    Wait(Seconds),
    /// It has run too long.
    #[error("max run time exceeded: it has run for {0}")]
    Run(Seconds),
    /// It has waited and run too long.
    #[error("max run sched time exceeded: it was due {0} ago")]
    Sched(Seconds),
}

impl Explain for Overdue {
    fn facts(&self) -> Facts {
        use Fault::Config;
        use Retry::Backoff;
        match self {
            Self::Start(_) => {
                (Config, Backoff, 652, "let fewer jobs be due at the same time, or raise `max_start_delay`")
            }
            Self::Wait(_) => (Config, Backoff, 653, "see what it has waited for, or raise `max_wait_time`"),
            Self::Run(_) => (Config, Backoff, 654, "see what made it slow, or raise `max_run_time`"),
            Self::Sched(_) => {
                (Config, Backoff, 655, "start it earlier or beside fewer others, or raise `max_run_sched_time`")
            }
        }
        .into()
    }
}

impl Clock {
    /// Of a job that is ordered now.
    pub(crate) const fn new(now: Instant) -> Self {
        Self { due: now, begun: None, waits_since: Some(now), waited: Duration::ZERO, timer: None }
    }

    /// It may not begin before this moment.
    pub(crate) const fn holds_until(&mut self, due: Instant) {
        (self.due, self.waits_since) = (due, Some(due));
    }

    /// It begins.
    pub(crate) fn begins(&mut self, now: Instant) {
        self.begun = Some(now);
        self.waits(false, now);
    }

    /// It waits from now on, or does not any more.
    fn waits(&mut self, waits: bool, now: Instant) {
        match (self.waits_since, waits) {
            (None, true) => self.waits_since = Some(now),
            (Some(since), false) => {
                self.waited += now.since(since);
                self.waits_since = None;
            }
            _ => {}
        }
    }

    /// How long it has waited in all.
    fn waited(&self, now: Instant) -> Duration {
        self.waited + self.waits_since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// It ends: nothing is waited for any more.
    pub(crate) const fn ends(&mut self) -> Option<TimerKey> {
        self.timer.take()
    }
}

impl Jobs {
    /// Waits until the next time limit of a job may be over.
    pub(crate) fn watch(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get_mut(&id) else { return };
        let (next, before) = (job.next_limit(tools.net.now()), job.times.clock.timer.take());
        tools.net.cancel_timer(before);
        job.times.clock.timer =
            next.map(|after| tools.net.set_timer(after, "the time limits of a job", Due::Deadline(id)));
    }

    /// A time limit of a job may be over.
    pub(crate) fn deadline(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get_mut(&id).filter(|job| job.life.goes_on()) else { return };
        job.times.clock.timer = None;
        match job.overdue(tools.net.now()) {
            Some(why) => self.cancel_job(tools, id, &why.line()),
            None => self.watch(tools, id),
        }
    }

    /// Cancels a job that would begin too late. Whether it did.
    pub(crate) fn is_too_late(&mut self, tools: &mut Tools<'_>, id: JobId) -> bool {
        let Some(job) = self.all.get(&id) else { return false };
        let limit = job.config.job(&job.name).map_or(Seconds(0), |resource| resource.max_start_delay);
        let is_late = !limit.is_zero() && tools.net.now().since(job.times.clock.due) > limit.duration();
        if is_late {
            self.cancel_job(tools, id, &Overdue::Start(limit).line());
        }
        is_late
    }

    /// The storage daemon has reported a status: the job may wait, or go on.
    pub(crate) fn storage_status(&mut self, tools: &mut Tools<'_>, id: JobId, status: JobStatus) {
        use JobStatus::{Blocked, WaitDevice, WaitMedia, WaitMount, WaitStorage, WaitStorageResource};
        let Some(job) = self.all.get_mut(&id) else { return };
        job.storage_daemon.status = status;
        let waits = [Blocked, WaitDevice, WaitMedia, WaitMount, WaitStorage, WaitStorageResource].contains(&status);
        job.times.clock.waits(waits, tools.net.now());
        self.watch(tools, id);
    }
}

impl Job {
    /// The limit of its time that is over.
    fn overdue(&self, now: Instant) -> Option<Overdue> {
        let Limits { wait, run, sched, .. } = self.limits()?;
        let clock = &self.times.clock;
        let is_over = |limit: Seconds, taken: Duration| !limit.is_zero() && taken >= limit.duration();
        if clock.waits_since.is_some() && is_over(wait, clock.waited(now)) {
            return Some(Overdue::Wait(wait));
        }
        if clock.begun.is_some_and(|begun| is_over(run, now.since(begun))) {
            return Some(Overdue::Run(run));
        }
        is_over(sched, now.since(clock.due)).then_some(Overdue::Sched(sched))
    }

    /// How long from now it may take until one of its limits is over.
    fn next_limit(&self, now: Instant) -> Option<Duration> {
        let Limits { wait, sched, levels, .. } = self.limits()?;
        let clock = &self.times.clock;
        // A job that is held does not wait yet.
        let held = clock.due.since(now);
        let mut all: Vec<(Seconds, Duration)> = vec![(sched, now.since(clock.due))];
        all.extend(clock.waits_since.map(|_| (wait, clock.waited(now))));
        // Its level may be another one by then.
        all.extend(clock.begun.into_iter().flat_map(|begun| levels.map(|limit| (limit, now.since(begun)))));
        let left = |(limit, taken): (Seconds, Duration)| {
            limit.duration().checked_sub(taken).filter(|left| !left.is_zero()).filter(|_| !limit.is_zero())
        };
        all.into_iter().filter_map(left).min().map(|left| left + held)
    }

    fn limits(&self) -> Option<Limits> {
        let resource = self.config.job(&self.name)?;
        let sched = self.terms.max_run_sched_time.unwrap_or(resource.max_run_sched_time);
        let level = (self.kind == JobType::Backup).then_some(self.level);
        Some(Limits { wait: resource.max_wait_time, run: run_limit(resource, level), sched, levels: all_of(resource) })
    }
}

/// The time limits of a job; 0 for none.
struct Limits {
    wait: Seconds,
    /// As its level is now.
    run: Seconds,
    sched: Seconds,
    /// All that may count for its running.
    levels: [Seconds; 4],
}

const fn all_of(resource: &config::Job) -> [Seconds; 4] {
    [
        resource.max_run_time,
        resource.full_max_run_time,
        resource.differential_max_run_time,
        resource.incremental_max_run_time,
    ]
}

/// How long a job may run: the smaller of what all and what those of its level may.
fn run_limit(resource: &config::Job, level: Option<JobLevel>) -> Seconds {
    let of_level = match level {
        Some(JobLevel::Full) => resource.full_max_run_time,
        Some(JobLevel::Differential) => resource.differential_max_run_time,
        Some(JobLevel::Incremental) => resource.incremental_max_run_time,
        _ => Seconds(0),
    };
    [of_level, resource.max_run_time].into_iter().filter(|limit| !limit.is_zero()).min().unwrap_or(Seconds(0))
}

/// One of each, for the table of all errors.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<Overdue> {
    let limit = Seconds(60);
    vec![Overdue::Start(limit), Overdue::Wait(limit), Overdue::Run(limit), Overdue::Sched(limit)]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_runs_as_long_as_both_its_level_and_its_resource_let_it() {
        let limit = |level| {
            let job = json!({ "name": "j", "client": "c", "fileset": "f", "storage": "s", "pool": "p",
                              "max_run_time": 100, "full_max_run_time": 200, "incremental_max_run_time": 50 });
            run_limit(&serde_json::from_value(job).unwrap(), level).0
        };
        let levels = [JobLevel::Full, JobLevel::Differential, JobLevel::Incremental];
        assert_eq!(levels.map(|level| limit(Some(level))), [100, 100, 50]);
        assert_eq!(limit(None), 100);
    }

    #[test]
    fn what_a_job_has_waited_is_counted_together() {
        let at = |seconds: u64| Instant(seconds * 1_000_000_000);
        let mut clock = Clock::new(at(0));
        clock.begins(at(10));
        assert_eq!(clock.waited(at(50)), Duration::from_secs(10));
        clock.waits(true, at(60));
        clock.waits(true, at(65));
        assert_eq!(clock.waited(at(70)), Duration::from_secs(20));
        clock.waits(false, at(70));
        assert_eq!(clock.waited(at(99)), Duration::from_secs(20));
    }
}
