//! What a status of the storage daemon says: `wire/3 §8`. The texts are Towline's own; the frames and the lines a director
//! reads are Bareos's.

use crate::ids::SessionId;
use crate::node::{Number, Row};
use crate::role::network::{self, Connection};
use crate::role::report::{self, Progress, thousands};
use crate::role::storage::Net;
use crate::wire::frame::{self, Signal};
use crate::wire::names::PeerKind;
use crate::wire::status::{JobInStatus, JobLevel};
use crate::wire::storage_answers as answers;

use super::StorageDaemon;
use super::job::Part;
use super::session::Next;

impl StorageDaemon {
    /// A status shows the connections too, so they were asked first: here it is.
    pub(super) fn status_surveyed(&mut self, net: &mut Net, id: SessionId, devices: &[String], rows: &[Row]) {
        self.look_at_progress(net, rows);
        let mut frames = Vec::new();
        frame::put_data(&mut frames, b"\n");
        for line in self.status_lines(devices).into_iter().chain(self.connections(rows)) {
            report::put_line(&mut frames, &line);
        }
        frame::put_signal(&mut frames, Signal::Eod);
        self.sessions.send(net, id, frames);
    }

    /// Keeps how far the data channels are.
    fn look_at_progress(&mut self, net: &Net, rows: &[Row]) {
        for (director, job) in self.sessions.jobs_mut() {
            let row = rows.iter().find(|row| job.machine_conn(director) == Some(row.conn));
            if let Some(moved) = row.and_then(|row| row.traffic?.0.moved) {
                job.counted.progress = Some(Progress::of(moved, job.counted.progress, net.now()));
            }
        }
    }

    pub(super) fn send_dot_status(&self, net: &mut Net, id: SessionId, what: &str) -> Next {
        let mut frames = Vec::new();
        let mut next = Next::Go;
        match what.to_lowercase().as_str() {
            "current" => {
                frame::put_data(&mut frames, answers::DOT_STATUS.as_bytes());
                for job in self.sessions.jobs() {
                    let line =
                        JobInStatus { job_id: job.order.line.job_id, status: job.status, errors: job.counted.errors };
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
            "header" => self.header().iter().for_each(|line| report::put_line(&mut frames, line)),
            "running" => self.running().iter().for_each(|line| report::put_line(&mut frames, line)),
            "terminated" => self.terminated().iter().for_each(|line| report::put_line(&mut frames, line)),
            "devices" | "volumes" => self.devices_of(&[]).iter().for_each(|line| report::put_line(&mut frames, line)),
            "waitreservation" | "spooling" => {}
            _ => {
                frame::put_data(&mut frames, answers::dot_status_unknown(what).as_bytes());
                next = Next::End;
            }
        }
        frame::put_signal(&mut frames, Signal::Eod);
        self.sessions.send(net, id, frames);
        next
    }

    fn status_lines(&self, devices: &[String]) -> Vec<String> {
        let mut lines = self.header();
        lines.push("\nJob inventory:\n\n".to_owned());
        lines.extend(self.running());
        if self.sessions.iter().all(|session| session.job.is_none()) {
            lines.push("No Jobs running.\n".to_owned());
        }
        lines.push("====\n".to_owned());
        lines.push("\nTerminated Jobs:\n".to_owned());
        lines.extend(report::terminated_heads());
        lines.extend(self.terminated());
        lines.push("====\n".to_owned());
        lines.push("\nDevice status:\n".to_owned());
        lines.extend(self.devices_of(devices));
        lines.push("====\n\n".to_owned());
        lines
    }

    /// The section of the connections.
    fn connections(&self, rows: &[Row]) -> Vec<String> {
        let number = |row: &Row| match self.sessions.of_director(row.conn) {
            Some(session) if session.monitor => Some(Number::MonitorToStorage),
            Some(session) if session.job.as_ref().is_some_and(|job| matches!(job.part, Part::Receive { .. })) => {
                Some(Number::DirectorToSecondStorage)
            }
            _ => row.number(PeerKind::Storage),
        };
        let all: Vec<Connection> = rows.iter().map(|row| Connection::of(row, number(row))).collect();
        let mut lines = vec!["\nConnections:\n".to_owned()];
        lines.extend(network::lines(&all));
        lines.push("====\n".to_owned());
        lines
    }

    fn header(&self) -> Vec<String> {
        let running = self.sessions.jobs().count();
        report::header(&self.config.storage.name, &self.identity, self.started, self.jobs_run, running)
    }

    fn running(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for session in self.sessions.iter() {
            let Some(job) = &session.job else {
                let since = self.identity.local(session.since).short();
                lines.push(format!("{} (director) connected at: {since}\n", session.director));
                continue;
            };
            let step = job.dialogue.script.as_ref().map_or("moving data", |script| script.step());
            let alone = job.machine_conn(session.conn).is_none();
            let step = if alone { format!("waiting for the {}", job.other()) } else { step.to_owned() };
            let volume = if job.writing.volume.volume.is_empty() {
                &job.reading.source.volume
            } else {
                &job.writing.volume.volume
            };
            lines.push(format!(
                "JobId={} Job {} Volume=\"{volume}\": {step}\n",
                job.order.line.job_id, job.order.line.job
            ));
            let now = job.counted.progress.unwrap_or_default();
            let (files, bytes) =
                (thousands(now.files.max(job.counted.files.into())), thousands(now.bytes.max(job.counted.bytes)));
            let (average, last) = (thousands(now.average), thousands(now.last));
            lines.push(format!("    Files={files} Bytes={bytes} AveBytes/sec={average} LastBytes/sec={last}\n"));
        }
        lines
    }

    fn terminated(&self) -> Vec<String> {
        let row = |job: &super::job::Finished| {
            let ended = self.identity.local(job.ended).short();
            let level = report::level_word(JobLevel::from_letter(job.level));
            report::terminated_row(job.id, level, job.files, job.bytes, job.status, &ended, &job.name)
        };
        self.recent.iter().rev().map(row).collect()
    }

    /// The devices of this list, all if it is empty.
    fn devices_of(&self, wanted: &[String]) -> Vec<String> {
        let listed = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
        let devices = self.config.devices.iter().filter(|device| listed(&device.name));
        let line = |device: &crate::config::Device| {
            let name = answers::device_name(&device.name, &device.archive_device);
            let user = self.devices.user(&device.name).and_then(|id| self.sessions.job(id));
            match user {
                None => format!("\nDevice {name} is not open.\n"),
                Some(job) => format!(
                    "\nDevice {name} is mounted with:\n    Volume:      {}\n    Media type:  {}\n    Used by JobId {}, \
                     {} more wait for it\n",
                    job.writing.volume.volume,
                    device.media_type,
                    job.order.line.job_id,
                    self.devices.waiting(&device.name)
                ),
            }
        };
        devices.map(line).collect()
    }
}
