//! How fast the data of jobs may go: which limit counts, and who has to hear of a new one.

use std::sync::Arc;

use crate::ids::{ConnId, Who};
use crate::role::director::common::Tools;
use crate::role::director::consoles::{Answer, Limited};
use crate::role::director::effect::Effect;
use crate::role::director::errands::limits::{Limits, limit_line};
use crate::role::director::errands::{Errand, For};

use super::Jobs;
use super::job::Job;

impl Job {
    /// Bytes a second that its data may take, 0 if the daemons decide: what a console has said, else the resource of the
    /// job, else that of its client, or for a copy or virtual full that of its storage.
    pub(crate) fn bandwidth_limit(&self) -> u64 {
        if let Some(limit) = self.bandwidth {
            return limit;
        }
        let own = self.config.job(&self.name).map_or(0, |job| job.maximum_bandwidth.0);
        match (own, self.task.is_of_volumes()) {
            (0, false) => self.overrides.limit_of_client(&self.config, &self.with.client),
            (0, true) => self.overrides.limit_of_storage(&self.config, &self.with.storage),
            (own, _) => own,
        }
    }

    /// The daemon that slows its data down, by kind and name; none while it has not been reached.
    pub(crate) fn limited_by(&self) -> Option<(Who, &str)> {
        if self.task.is_of_volumes() {
            return self.storage_daemon.presence.conn().map(|_| (Who::Storage, self.with.storage.as_str()));
        }
        self.file_daemon.presence.is_here().then_some((Who::File, self.with.client.as_str()))
    }

    /// The line that tells a daemon of a limit of this job. File and storage daemons take the same.
    pub(crate) fn limit_line(&self, limit: u64) -> String {
        limit_line(limit, &self.unique)
    }
}

impl Jobs {
    /// Sets the limit for jobs to come, until the configuration is read again, and tells the daemons of those that run;
    /// the console hears of the end.
    pub(crate) fn limit(&mut self, tools: &mut Tools<'_>, console: ConnId, limited: Limited, limit: u64) {
        let (end, lines) = match limited {
            Limited::Job(id) => {
                let Some(job) = self.all.get_mut(&id) else { return };
                job.bandwidth = Some(limit);
                let Some((who, name)) = job.limited_by() else {
                    let text = format!("JobId {id} has not begun to move data; it will keep to the limit.\n");
                    return tools.answer(console, Answer::said(text));
                };
                ((who, name.to_owned()), vec![job.limit_line(limit)])
            }
            Limited::Client(name) => {
                Arc::make_mut(&mut tools.common.overrides).limit_client(&name, limit);
                let lines = self.limit_all(limit, |job| !job.task.is_of_volumes() && job.with.client == name);
                ((Who::File, name), lines)
            }
            Limited::Storage(name) => {
                Arc::make_mut(&mut tools.common.overrides).limit_storage(&name, limit);
                let mut lines = self.limit_all(limit, |job| job.task.is_of_volumes() && job.with.storage == name);
                // What file daemons move with this storage is slowed down there, not at the client.
                let with_clients =
                    self.all.values().filter(|job| !job.task.is_of_volumes() && job.with.storage == name);
                let here = with_clients.filter(|job| job.storage_daemon.presence.conn().is_some());
                lines.extend(here.map(|job| job.limit_line(limit)));
                ((Who::Storage, name), lines)
            }
        };
        let (who, name) = end.clone();
        let (first, limits) = Limits::new(end, limit, lines);
        let errand = Errand::new(who, name, first, For::Limits(console, Box::new(limits)));
        tools.effect(Effect::Errand(Box::new(errand)));
    }

    /// Sets the limit of all these jobs; returns the lines for those that are at work.
    fn limit_all(&mut self, limit: u64, is_meant: impl Fn(&Job) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        for job in self.all.values_mut().filter(|job| !job.life.is_over() && is_meant(job)) {
            job.bandwidth = Some(limit);
            if job.limited_by().is_some() {
                lines.push(job.limit_line(limit));
            }
        }
        lines
    }
}
