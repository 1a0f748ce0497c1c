//! How fast the data of jobs may go: which limit counts, and telling daemons of a new one (`wire/2 §1.2`, 19;
//! `wire/3 §1.3.6`).

use std::collections::VecDeque;
use std::sync::Arc;

use crate::ids::{ConnId, Who};
use crate::role::director::Net;
use crate::wire::file::FileCommand;
use crate::wire::job_answers::LimitAnswer;

use super::job::Job;
use crate::role::director::Director;
use crate::role::director::consoles::{Answer, Limited, NotDialled, Told};
use crate::role::director::errands::{Errand, For};

/// Limits that one daemon is told, one after the other.
#[derive(Debug)]
pub(crate) struct Limits {
    who: Who,
    name: String,
    /// Bytes a second; 0 for no limit.
    limit: u64,
    /// Lines that are still to be sent.
    more: VecDeque<String>,
    told: usize,
    /// Answers of which none has set a limit: what was understood, and the line.
    refused: Vec<(Option<LimitAnswer>, String)>,
}

impl Job {
    /// Bytes a second that its data may take, 0 if the daemons decide: what a console has said, else the resource of the
    /// job, else that of its client, or for a copy that of the storage it reads from.
    pub(crate) fn bandwidth_limit(&self) -> u64 {
        if let Some(limit) = self.bandwidth {
            return limit;
        }
        let own = self.config.job(&self.name).map_or(0, |job| job.maximum_bandwidth.0);
        match (own, self.task.is_copy()) {
            (0, false) => self.overrides.limit_of_client(&self.config, &self.with.client),
            (0, true) => self.overrides.limit_of_storage(&self.config, &self.with.storage),
            (own, _) => own,
        }
    }

    /// The daemon that slows its data down, by kind and name; none while it has not been reached.
    pub(crate) fn limited_by(&self) -> Option<(Who, &str)> {
        if self.task.is_copy() {
            return self.storage_daemon.presence.conn().map(|_| (Who::Storage, self.with.storage.as_str()));
        }
        self.file_daemon.presence.is_here().then_some((Who::File, self.with.client.as_str()))
    }

    /// The line that tells a daemon of a limit of this job. File and storage daemons take the same.
    pub(crate) fn limit_line(&self, limit: u64) -> String {
        limit_line(limit, &self.unique)
    }
}

/// The line for the job with this unique name; without a name it is for all jobs, those to come too.
pub(crate) fn limit_line(limit: u64, job: &str) -> String {
    FileCommand::SetBandwidth { limit, job: job.to_owned() }.to_line()
}

impl Director {
    /// Sets the limit for jobs to come, until the configuration is read again, and tells the daemons of those that run;
    /// the console hears of the end.
    pub(crate) fn limit(&mut self, net: &mut Net, console: ConnId, limited: Limited, limit: u64) {
        match limited {
            Limited::Job(id) => self.limit_job(net, console, id, limit),
            Limited::Client(name) => {
                Arc::make_mut(&mut self.overrides).limit_client(&name, limit);
                let lines = self.limit_all(limit, |job| !job.task.is_copy() && job.with.client == name);
                self.tell_limits(net, console, (Who::File, name), limit, lines);
            }
            Limited::Storage(name) => {
                Arc::make_mut(&mut self.overrides).limit_storage(&name, limit);
                let mut lines = self.limit_all(limit, |job| job.task.is_copy() && job.with.storage == name);
                // What file daemons move with this storage is slowed down there, not at the client.
                let with_clients = self.jobs.values().filter(|job| !job.task.is_copy() && job.with.storage == name);
                lines.extend(
                    with_clients
                        .filter(|job| job.storage_daemon.presence.conn().is_some())
                        .map(|job| job.limit_line(limit)),
                );
                self.tell_limits(net, console, (Who::Storage, name), limit, lines);
            }
        }
    }

    fn limit_job(&mut self, net: &mut Net, console: ConnId, id: u32, limit: u64) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.bandwidth = Some(limit);
        let line = job.limit_line(limit);
        match job.limited_by().map(|(who, name)| (who, name.to_owned())) {
            Some(end) => self.tell_limits(net, console, end, limit, vec![line]),
            None => {
                let text = format!("JobId {id} has not begun to move data; it will keep to the limit.\n");
                self.console_answers(net, console, Answer::said(text));
            }
        }
    }

    /// Sets the limit of all these jobs; returns the lines for those that are at work.
    fn limit_all(&mut self, limit: u64, is_meant: impl Fn(&Job) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        for job in self.jobs.values_mut().filter(|job| !job.life.is_recording() && is_meant(job)) {
            job.bandwidth = Some(limit);
            if job.limited_by().is_some() {
                lines.push(job.limit_line(limit));
            }
        }
        lines
    }

    /// Has a daemon told of a limit, in these lines. Without any it is told for all jobs that are to come.
    fn tell_limits(
        &mut self,
        net: &mut Net,
        console: ConnId,
        (who, name): (Who, String),
        limit: u64,
        lines: Vec<String>,
    ) {
        let mut more = VecDeque::from(lines);
        let first = more.pop_front().unwrap_or_else(|| limit_line(limit, ""));
        let limits = Limits { who, name: name.clone(), limit, more, told: 0, refused: Vec::new() };
        let errand = Errand::new(who, first, For::Limits(console, Box::new(limits)));
        if let Err(why) = self.begin_errand(net, &name, errand) {
            self.console_answers(net, console, Answer::Failed(NotDialled { name, why }.into()));
        }
    }

    /// An answer to a limit. Of an unknown job it is two lines (`wire/2 §1.2`, 19); the first is enough if it is the last.
    pub(crate) fn limit_answered(&mut self, net: &mut Net, conn: ConnId, text: &[u8]) {
        let Some(For::Limits(_, limits)) = self.talking.get_mut(&conn).map(|errand| &mut errand.purpose) else {
            return;
        };
        let answer = LimitAnswer::parse(text);
        if answer == Some(LimitAnswer::Set) {
            limits.told += 1;
        } else {
            limits.refused.push((answer, String::from_utf8_lossy(text).trim_end().to_owned()));
        }
        match (limits.more.front(), answer) {
            (Some(_), Some(LimitAnswer::NotFound)) => {}
            (Some(next), Some(LimitAnswer::Set)) => {
                net.send_text(conn, next);
                limits.more.pop_front();
            }
            _ => {
                if let Some(errand) = self.talking.remove(&conn) {
                    net.close(conn, true);
                    self.errand_done(net, errand);
                }
            }
        }
    }

    /// Tells the console what has come of it.
    pub(crate) fn limits_told(&mut self, net: &mut Net, console: ConnId, limits: &Limits) {
        let Limits { who, name, limit, .. } = limits;
        if limits.told > 0 && limits.refused.is_empty() {
            let text = match limit {
                0 => format!("The {who} \"{name}\" has lifted the limit.\n"),
                limit => format!("The {who} \"{name}\" keeps to {limit} bytes a second.\n"),
            };
            return self.console_answers(net, console, Answer::said(text));
        }
        let why = match limits.refused.as_slice() {
            [] => "it has not answered".to_owned(),
            answers if answers.iter().all(|(answer, _)| *answer == Some(LimitAnswer::NotFound)) => {
                "it does not know the job, which has ended or not begun there".to_owned()
            }
            answers => {
                let lines: Vec<&str> = answers.iter().map(|(_, line)| line.as_str()).collect();
                format!("it says {}", lines.join("; "))
            }
        };
        let text = format!("Failed to set the bandwidth limit at the {who} \"{name}\": {why}.");
        self.console_answers(net, console, Answer::Failed(Told(text).into()));
    }
}
