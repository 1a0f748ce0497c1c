//! When a schedule's jobs are due, and ordering them then.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::Moment;
use crate::node::TimerKey;

use super::Due;
use super::common::{Common, Tools};
use super::effect::Effect;

/// How often the clock is looked at: it may be put, and the machine may sleep.
const LOOK: Duration = Duration::from_secs(600);

/// The next moments of all jobs with a schedule.
#[derive(Debug, Default)]
pub(crate) struct Schedules {
    /// By the job resource's name.
    next: BTreeMap<String, Moment>,
    timer: Option<TimerKey>,
    /// The wall time at which they were worked out or looked at last.
    looked: i64,
    /// Whether the director serves, so that jobs may be ordered.
    has_begun: bool,
}

impl Schedules {
    /// The jobs that are due next, soonest first.
    pub(crate) fn coming(&self) -> Vec<(&str, Moment)> {
        let mut coming: Vec<_> = self.next.iter().map(|(job, moment)| (job.as_str(), *moment)).collect();
        coming.sort_by_key(|(_, moment)| moment.at);
        coming
    }

    /// Works out when each job is due, from this time on: the director has started then, and may have waited since.
    pub(crate) fn begin(&mut self, tools: &mut Tools<'_>, started: i64) {
        self.has_begun = true;
        self.plan_from(tools, started);
    }

    /// The clock was put. Moments that were worked out by one that was far ahead are too late; a small correction must
    /// not order again what was ordered just now.
    pub(crate) fn after_jump(&mut self, tools: &mut Tools<'_>) {
        let back = self.looked.saturating_sub(tools.net.wall().seconds());
        if back > i64::try_from(LOOK.as_secs()).unwrap_or(i64::MAX) {
            self.plan(tools);
        } else if self.has_begun {
            self.look(tools);
        }
    }

    /// Works out anew when each job is due, if that was worked out before.
    pub(crate) fn plan(&mut self, tools: &mut Tools<'_>) {
        let now = tools.net.wall().seconds();
        self.plan_from(tools, now);
    }

    fn plan_from(&mut self, tools: &mut Tools<'_>, now: i64) {
        if !self.has_begun || tools.common.stopping.has_begun() {
            return;
        }
        let names: Vec<String> = tools.common.config.jobs.iter().map(|job| job.name.clone()).collect();
        self.looked = now;
        self.next.clear();
        names.into_iter().for_each(|name| self.schedule_next(tools.common, name, now));
        self.arm(tools);
    }

    /// Orders what is due.
    pub(crate) fn look(&mut self, tools: &mut Tools<'_>) {
        if tools.common.stopping.has_begun() {
            return;
        }
        let now = tools.net.wall().seconds();
        self.looked = now;
        let due: Vec<(String, Moment)> = self
            .next
            .iter()
            .filter(|(_, moment)| moment.at <= now)
            .map(|(job, moment)| (job.clone(), *moment))
            .collect();
        for (name, moment) in due {
            if !Self::starts(tools.common, &name) {
                self.schedule_next(tools.common, name, now);
                continue;
            }
            // However many moments were slept through, the job runs once.
            self.schedule_next(tools.common, name.clone(), now);
            tools.effect(Effect::Due(name, moment.line));
        }
        self.arm(tools);
    }

    /// Whether neither the job nor its schedule was disabled since its next moment was found.
    fn starts(common: &Common, name: &str) -> bool {
        let job = common.config.job(name).filter(|job| common.overrides.is_enabled(job));
        let schedule = job.and_then(|job| job.schedule.as_deref());
        schedule.is_some_and(|schedule| common.overrides.is_scheduling(schedule))
    }

    fn schedule_next(&mut self, common: &Common, name: String, after: i64) {
        let job = common.config.job(&name).filter(|job| common.overrides.is_enabled(job));
        let schedule = job.and_then(|job| common.config.schedule(job.schedule.as_deref()?));
        match schedule.and_then(|schedule| schedule.next(&common.identity.zone, after)) {
            Some(moment) => drop(self.next.insert(name, moment)),
            None => drop(self.next.remove(&name)),
        }
    }

    fn arm(&mut self, tools: &mut Tools<'_>) {
        let before = self.timer.take();
        tools.net.cancel_timer(before);
        let Some(soonest) = self.next.values().map(|moment| moment.at).min() else { return };
        let left = u64::try_from(soonest - tools.net.wall().seconds()).unwrap_or(0);
        let after = Duration::from_secs(left).min(LOOK);
        self.timer = Some(tools.net.set_timer(after, "jobs of schedules", Due::Schedules));
    }
}
