//! What a status of the file daemon says: `wire/2 §5.1` and `§5.2`. The texts are Towline's own; the frames and the
//! lines a director reads are Bareos's.

use crate::ids::SessionId;
use crate::node::{Number, Row};
use crate::role::file::Net;
use crate::role::network::Connection;
use crate::role::report::{Progress, Sections, thousands};
use crate::wire::file_answers as answers;
use crate::wire::frame::Signal;
use crate::wire::names::PeerKind;
use crate::wire::status::JobInStatus;

use super::job::Kind;
use super::session::Next;
use super::{FileDaemon, scripts};

impl FileDaemon {
    /// A status shows the connections too, and its part about running jobs how far they are, so they were asked first: here
    /// it is.
    pub(super) fn status_surveyed(&mut self, net: &mut Net, id: SessionId, part: Option<&str>, rows: &[Row]) {
        self.look_at_progress(net, rows);
        if let Some(part) = part {
            if self.send_dot_status(net, id, part) == Next::End {
                self.end_session(net, id);
            }
            return;
        }
        let number = |row: &Row| match self.sessions.of_director(row.conn) {
            Some(session) if session.monitor => Some(Number::MonitorToFile),
            _ => row.number(PeerKind::Client),
        };
        let connections: Vec<Connection> = rows.iter().map(|row| Connection::of(row, number(row))).collect();
        let frames = self.sections(net).whole(&connections);
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
        let numbered = self.sessions.jobs().filter(|job| job.id != 0);
        let jobs = numbered.map(|job| JobInStatus { job_id: job.id, status: job.status, errors: job.counted.errors });
        if let Some(frames) = self.sections(net).part(what, answers::DOT_STATUS, jobs) {
            self.sessions.send(net, id, frames);
            return Next::Go;
        }
        self.sessions.tell(net, id, answers::DOT_STATUS_WRONG);
        self.sessions.signal(net, id, Signal::Eod);
        Next::End
    }

    fn sections(&self, net: &Net) -> Sections<'_> {
        Sections {
            identity: &self.identity,
            daemon: (
                &self.config.file.name,
                self.started,
                self.jobs_run,
                self.sessions.jobs().count() + self.ending.len(),
            ),
            running: ("\nRunning Jobs:\n", self.running(net)),
            recent: &self.recent,
            devices: None,
        }
    }

    fn running(&self, net: &Net) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.calling.waiting().map(|name| format!("{name} (director) waiting there for jobs\n")));
        for session in self.sessions.iter().chain(self.ending.values()) {
            let Some(job) = &session.job else {
                let since = self.identity.local(session.since).short();
                lines.push(format!("{} (director) connected at: {since}\n", session.director));
                continue;
            };
            let kind = match &job.kind {
                Kind::Restore { .. } => "Restore",
                Kind::Verify | Kind::Look { .. } => "Verify",
                Kind::Unknown | Kind::Backup { .. } | Kind::Estimate { .. } => "Backup",
            };
            let started = self.identity.local(job.started).short();
            let step = job.script.as_ref().map(|script| script.step()).or_else(|| scripts::step(&job.scripts));
            let step = step.unwrap_or("waiting for the director");
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
}
