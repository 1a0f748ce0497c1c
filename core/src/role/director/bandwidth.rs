//! How fast the data of jobs may go: which limit counts, and telling daemons of a new one (`wire/2 §1.2`, 19;
//! `wire/3 §1.3.6`).

use std::collections::VecDeque;

use crate::ids::{ConnId, Who};
use crate::node::Net;
use crate::wire::file_answers as answers;

use super::Director;
use super::dialling::Errand;
use super::job::Job;

/// Limits that one daemon is told, one after the other.
#[derive(Debug)]
pub(super) struct Limits {
    who: Who,
    name: String,
    /// Bytes a second; 0 for no limit.
    limit: u64,
    /// Lines that are still to be sent.
    more: VecDeque<String>,
    told: usize,
    refused: Vec<String>,
}

impl Job {
    /// Bytes a second that its data may take, 0 if the daemons decide: what a console has said, else the resource of the
    /// job, else that of its client, or for a copy that of the storage it reads from.
    pub(super) fn bandwidth_limit(&self) -> u64 {
        if let Some(limit) = self.bandwidth {
            return limit;
        }
        let own = self.config.job(&self.name).map_or(0, |job| job.maximum_bandwidth.0);
        let client = || self.config.client(&self.client).map_or(0, |client| client.maximum_bandwidth_per_job.0);
        let storage = || self.config.storage(&self.storage).map_or(0, |storage| storage.maximum_bandwidth_per_job.0);
        match (own, self.task.is_copy()) {
            (0, false) => client(),
            (0, true) => storage(),
            (own, _) => own,
        }
    }

    /// The daemon that slows its data down, by kind and name; none while it has not been reached.
    pub(super) fn limited_by(&self) -> Option<(Who, &str)> {
        if self.task.is_copy() {
            return self.storage_daemon.presence.conn().map(|_| (Who::Storage, self.storage.as_str()));
        }
        self.file_daemon.presence.is_here().then_some((Who::File, self.client.as_str()))
    }

    /// The line that tells a daemon of a limit of this job. File and storage daemons take the same.
    pub(super) fn limit_line(&self, limit: u64) -> String {
        limit_line(limit, &self.unique)
    }
}

/// The line for the job with this unique name; without a name it is for all jobs, those to come too.
pub(super) fn limit_line(limit: u64, job: &str) -> String {
    format!("setbandwidth={limit} Job={job}\n")
}

impl Director {
    /// Has a daemon told of a limit, in these lines (at least one); the console hears of the end.
    ///
    /// # Errors
    /// Why it cannot be dialled, in a sentence.
    pub(super) fn tell_limits(
        &mut self,
        net: &mut Net,
        console: ConnId,
        (who, name): (Who, &str),
        limit: u64,
        lines: Vec<String>,
    ) -> Result<(), String> {
        let mut more = VecDeque::from(lines);
        let first = more.pop_front().unwrap_or_else(|| limit_line(limit, ""));
        let limits = Limits { who, name: name.to_owned(), limit, more, told: 0, refused: Vec::new() };
        let errand = Errand { limits: Some(Box::new(limits)), ..Errand::new(who, first, Some(console)) };
        self.begin_errand(net, name, errand)
    }

    /// An answer to a limit. Of an unknown job it is two lines (`wire/2 §1.2`, 19); the first is enough if it is the last.
    pub(super) fn limit_answered(&mut self, net: &mut Net, conn: ConnId, text: &[u8]) {
        let Some(limits) = self.talking.get_mut(&conn).and_then(|errand| errand.limits.as_mut()) else { return };
        let line = String::from_utf8_lossy(text).trim_end().to_owned();
        let is_end = text.starts_with(answers::BANDWIDTH.trim_end().as_bytes());
        let is_unknown = line.starts_with("2901 Job ");
        if is_end {
            limits.told += 1;
        } else {
            limits.refused.push(line);
        }
        match limits.more.front() {
            Some(_) if is_unknown => {}
            Some(next) if is_end => {
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
    pub(super) fn limits_told(&mut self, net: &mut Net, console: ConnId, limits: &Limits) {
        let Limits { who, name, limit, .. } = limits;
        if limits.told > 0 && limits.refused.is_empty() {
            let text = match limit {
                0 => format!("The {who} \"{name}\" has lifted the limit.\n"),
                limit => format!("The {who} \"{name}\" keeps to {limit} bytes a second.\n"),
            };
            return self.console_done(net, console, &text);
        }
        let why = match limits.refused.as_slice() {
            [] => "it has not answered".to_owned(),
            lines if lines.iter().all(|line| line.starts_with("2901 Job ")) => {
                "it does not know the job, which has ended or not begun there".to_owned()
            }
            lines => format!("it says {}", lines.join("; ")),
        };
        let text = format!("Failed to set the bandwidth limit at the {who} \"{name}\": {why}.\n");
        self.console_fails(net, console, &text);
    }
}
