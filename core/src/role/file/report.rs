//! What a status of the file daemon says: `wire/2 §5.1` and `§5.2`. The texts are Towline's own; the frames and the
//! lines a director reads are Bareos's.

use crate::ids::SessionId;
use crate::node::{Number, Row};
use crate::role::file::Net;
use crate::role::network::{self, Connection};
use crate::role::report::{self, Progress, thousands};
use crate::wire::file_answers as answers;
use crate::wire::frame::{self, Signal};
use crate::wire::names::PeerKind;
use crate::wire::status::{JobInStatus, JobLevel};

use super::FileDaemon;
use super::job::Kind;
use super::session::Next;

impl FileDaemon {
    /// A status shows the connections too, so they were asked first: here it is.
    pub(super) fn status_surveyed(&mut self, net: &mut Net, id: SessionId, rows: &[Row]) {
        self.look_at_progress(net, rows);
        let mut frames = Vec::new();
        frame::put_data(&mut frames, b"\n");
        for line in self.status_lines(net).into_iter().chain(self.connections(rows)) {
            report::put_line(&mut frames, &line);
        }
        frame::put_signal(&mut frames, Signal::Eod);
        self.sessions.send(net, id, frames);
    }

    /// Keeps how far the data channels are.
    fn look_at_progress(&mut self, net: &Net, rows: &[Row]) {
        for (_, job) in self.sessions.jobs_mut() {
            let row = rows.iter().find(|row| job.peer.conn() == Some(row.conn));
            if let Some(moved) = row.and_then(|row| row.traffic?.0.moved) {
                job.counted.progress = Some(Progress::of(moved, job.counted.progress, net.now()));
            }
        }
    }

    pub(super) fn send_dot_status(&self, net: &mut Net, id: SessionId, what: &str) -> Next {
        let mut frames = Vec::new();
        let mut next = Next::Go;
        match what {
            "current" => {
                frame::put_data(&mut frames, answers::DOT_STATUS.as_bytes());
                for job in self.sessions.jobs().filter(|job| job.id != 0) {
                    let line = JobInStatus { job_id: job.id, status: job.status, errors: job.counted.errors };
                    frame::put_data(&mut frames, line.to_line().as_bytes());
                }
            }
            "last" => {
                frame::put_data(&mut frames, answers::DOT_STATUS.as_bytes());
                if let Some(job) = self.recent.front() {
                    let line = JobInStatus { job_id: job.id, status: job.status, errors: job.errors };
                    frame::put_data(&mut frames, line.to_line().as_bytes());
                }
            }
            "header" => self.header(net).iter().for_each(|line| report::put_line(&mut frames, line)),
            "running" => self.running(net).iter().for_each(|line| report::put_line(&mut frames, line)),
            "terminated" => self.terminated().iter().for_each(|line| report::put_line(&mut frames, line)),
            _ => {
                frame::put_data(&mut frames, answers::DOT_STATUS_WRONG.as_bytes());
                next = Next::End;
            }
        }
        frame::put_signal(&mut frames, Signal::Eod);
        self.sessions.send(net, id, frames);
        next
    }

    fn status_lines(&self, net: &Net) -> Vec<String> {
        let mut lines = self.header(net);
        lines.push("\nRunning Jobs:\n".to_owned());
        lines.extend(self.running(net));
        if self.sessions.iter().all(|session| session.job.is_none()) {
            lines.push("No Jobs running.\n".to_owned());
        }
        lines.push("====\n".to_owned());
        lines.push("\nTerminated Jobs:\n".to_owned());
        lines.extend(report::terminated_heads());
        lines.extend(self.terminated());
        lines.push("====\n".to_owned());
        lines
    }

    /// The section of the connections.
    fn connections(&self, rows: &[Row]) -> Vec<String> {
        let number = |row: &Row| match self.sessions.of_director(row.conn) {
            Some(session) if session.monitor => Some(Number::MonitorToFile),
            _ => row.number(PeerKind::Client),
        };
        let all: Vec<Connection> = rows.iter().map(|row| Connection::of(row, number(row))).collect();
        let mut lines = vec!["\nConnections:\n".to_owned()];
        lines.extend(network::lines(&all));
        lines.push("====\n".to_owned());
        lines
    }

    fn header(&self, _net: &Net) -> Vec<String> {
        let running = self.sessions.jobs().count();
        report::header(&self.config.file.name, &self.identity, self.started, self.jobs_run, running)
    }

    fn running(&self, net: &Net) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.calling.waiting().map(|name| format!("{name} (director) waiting there for jobs\n")));
        for session in self.sessions.iter() {
            let Some(job) = &session.job else {
                let since = self.identity.local(session.since).short();
                lines.push(format!("{} (director) connected at: {since}\n", session.director));
                continue;
            };
            let kind = match &job.kind {
                Kind::Restore { .. } => "Restore",
                Kind::Verify => "Verify",
                Kind::Unknown | Kind::Backup { .. } | Kind::Estimate { .. } => "Backup",
            };
            let started = self.identity.local(job.started).short();
            let step = job.script.as_ref().map_or("waiting for the director", |script| script.step());
            // The clock may have been put back.
            let seconds = (net.wall().seconds() - job.started.seconds()).max(0);
            lines.push(format!("JobId {} Job {} is running.\n", job.id, job.name));
            lines.push(format!("    {kind} Job started: {started}, {seconds} s ago\n"));
            // What other storage daemons have had before, and what this one has.
            let now = job.counted.progress.unwrap_or_default();
            let files = thousands(u64::from(job.counted.tally.files).max(now.files));
            let bytes = thousands(job.counted.tally.job_bytes.max(now.bytes));
            let (rate, errors, limit) = (thousands(now.average), job.counted.errors, thousands(job.bandwidth));
            lines.push(format!(
                "    Files={files} Bytes={bytes} Bytes/sec={rate} Errors={errors}\n    Bwlimit={limit}\n"
            ));
            lines.push(format!("    Doing: {step}\n"));
        }
        lines
    }

    fn terminated(&self) -> Vec<String> {
        let row = |job: &super::job::Finished| {
            let level = job.level.map_or("", |level| report::level_word(JobLevel::from_letter(level)));
            let ended = self.identity.local(job.ended).short();
            report::terminated_row(
                job.id,
                level,
                job.files,
                job.bytes,
                job.status,
                &ended,
                report::resource_name(&job.name),
            )
        };
        self.recent.iter().rev().map(row).collect()
    }
}
