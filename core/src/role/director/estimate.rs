//! `estimate`: a talk with a file daemon in which every line of the answer is the console's (`wire/2 §1.15`).

use std::collections::VecDeque;

use crate::error::Explain;
use crate::ids::{ConnId, Who};
use crate::role::director::Net;
use crate::secret::Secret;
use crate::wire::file::{FileCommand, JobInfo, Level};
use crate::wire::file_answers as answers;
use crate::wire::frame::{self, Signal};
use crate::wire::status::JobLevel;

use super::dialling::{Errand, Preparation};
use super::{Director, fileset, tables};
use crate::catalog::levels::choose_level;
use crate::catalog::{CatalogRequest, LastJobs};

/// What somebody wants to know.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    /// The job resource's name.
    pub(super) job: String,
    pub(super) client: String,
    pub(super) fileset: String,
    pub(super) level: JobLevel,
    pub(super) listing: bool,
}

impl Estimate {
    /// What the catalog must say first, if anything.
    pub(super) fn request(&self, director: &Director, now: i64) -> Option<CatalogRequest> {
        let client_id = director.setup.clients.get(&self.client).copied().unwrap_or(0);
        let file_set_id = director.setup.filesets.get(&self.fileset).map_or(0, |set| set.id);
        matches!(self.level, JobLevel::Incremental | JobLevel::Differential).then(|| CatalogRequest::LastJobs {
            name: self.job.clone(),
            client_id,
            file_set_id,
            now,
        })
    }
}

impl Director {
    /// Dials the client and asks. `last` is what the catalog says of jobs to build on.
    pub(super) fn send_estimate(&mut self, net: &mut Net, console: ConnId, estimate: &Estimate, last: &LastJobs) {
        self.console_waits(console);
        let choice = choose_level(estimate.level.letter(), last);
        if choice.upgraded {
            self.console_prints(net, console, "There is no Full backup to build on: this is what a Full would save.\n");
        }
        if let Some(wrong) = choice.wrong_clock {
            self.console_prints(net, console, &format!("Warning: {wrong} ({}); {}\n", wrong.code(), wrong.help()));
        }
        let stamp = self.identity.local(net.wall()).stamp();
        let before = self.preparations(estimate, &stamp, choice.level, choice.since, choice.previous);
        let command = FileCommand::Estimate { listing: estimate.listing }.to_line();
        let errand = Errand { before, is_long: true, ..Errand::new(Who::File, command, Some(console)) };
        if let Err(why) = self.begin_errand(net, &estimate.client, errand) {
            self.console_fails(net, console, &format!("{} cannot be dialled: {why}.\n", estimate.client));
        }
    }

    fn preparations(
        &self,
        estimate: &Estimate,
        stamp: &str,
        level: u8,
        since: i64,
        previous: String,
    ) -> VecDeque<Preparation> {
        let speaks_tls =
            self.config.client(&estimate.client).is_some_and(|client| self.config.client_tls(client).enable);
        let job = JobInfo {
            job_id: 0,
            job: tables::unique_name("-Console-", stamp, 0),
            session_id: 0,
            session_time: 0,
            key: Secret::from("dummy"),
            // There is no data channel to protect.
            tls: speaks_tls.then_some(0),
        };
        let mut job_line = Vec::new();
        frame::put_data(&mut job_line, FileCommand::Job(job).to_line().as_bytes());
        let word = match level {
            b'I' => Level::Incremental { accurate: false, rerunning: false },
            b'D' => Level::Differential { accurate: false, rerunning: false },
            _ => Level::Full { rerunning: false },
        };
        let is_answered = word.is_answered();
        let mut level_lines = Vec::new();
        frame::put_data(&mut level_lines, FileCommand::Level(word).to_line().as_bytes());
        if !is_answered {
            let since = Level::Since { time: since, previous };
            frame::put_data(&mut level_lines, FileCommand::Level(since).to_line().as_bytes());
        }
        let mut set = Vec::new();
        frame::put_data(&mut set, FileCommand::FileSet { vss: true }.to_line().as_bytes());
        let lines = self.config.fileset(&estimate.fileset).map(|set| fileset::to_wire(set).lines());
        lines.unwrap_or_default().iter().for_each(|line| frame::put_data(&mut set, line));
        frame::put_signal(&mut set, Signal::Eod);
        VecDeque::from([
            Preparation { frames: job_line, answer: answers::JOB },
            Preparation { frames: level_lines, answer: answers::LEVEL },
            Preparation { frames: set, answer: answers::FILESET },
        ])
    }
}
