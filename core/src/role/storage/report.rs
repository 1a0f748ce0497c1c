//! What a status of the storage daemon says: `wire/3 §8`. The texts are Towline's own; the frames and the lines a director
//! reads are Bareos's.

use std::collections::BTreeSet;

use crate::config::Device;
use crate::ids::SessionId;
use crate::node::{Number, Row};
use crate::role::network::Connection;
use crate::role::report::{Progress, Sections, thousands};
use crate::role::storage::Net;
use crate::wire::frame::Signal;
use crate::wire::names::PeerKind;
use crate::wire::status::{JobInStatus, JobStatus};
use crate::wire::storage_answers as answers;

use super::StorageDaemon;
use super::job::Part;
use super::session::Next;

/// What a status is to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All, of these devices, or of all if none is named.
    Whole { devices: Vec<String> },
    /// The jobs that run.
    Running,
}

impl StorageDaemon {
    /// A status shows the connections too, and its part about running jobs how far they are, so they were asked first: here
    /// it is.
    pub(super) fn status_surveyed(&mut self, net: &mut Net, id: SessionId, wanted: &Wanted, rows: &[Row]) {
        self.look_at_progress(net, rows);
        let devices = match wanted {
            Wanted::Whole { devices } => devices,
            Wanted::Running => {
                if self.send_dot_status(net, id, "running") == Next::End {
                    self.end_session(net, id);
                }
                return;
            }
        };
        let number = |row: &Row| match self.sessions.of_director(row.conn) {
            Some(session) if session.monitor => Some(Number::MonitorToStorage),
            Some(session) if session.job.as_ref().is_some_and(|job| matches!(job.part, Part::Receive { .. })) => {
                Some(Number::DirectorToSecondStorage)
            }
            _ => row.number(PeerKind::Storage),
        };
        let connections: Vec<Connection> = rows.iter().map(|row| Connection::of(row, number(row))).collect();
        self.sessions.send(net, id, self.sections(devices).whole(&connections));
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
        let jobs = self.sessions.jobs().map(|job| {
            let (job_id, status, errors) = (job.order.line.job_id, job.status, job.counted.errors);
            JobInStatus { job_id, status, errors }
        });
        if let Some(frames) = self.sections(&[]).part(&what.to_lowercase(), answers::DOT_STATUS, jobs) {
            self.sessions.send(net, id, frames);
            return Next::Go;
        }
        self.sessions.tell(net, id, answers::dot_status_unknown(what));
        self.sessions.signal(net, id, Signal::Eod);
        Next::End
    }

    fn sections(&self, devices: &[String]) -> Sections<'_> {
        Sections {
            identity: &self.identity,
            daemon: (&self.config.storage.name, self.started, self.jobs_run, self.sessions.jobs().count()),
            running: ("\nJob inventory:\n\n", self.running()),
            recent: &self.recent,
            devices: Some(self.devices_of(devices)),
        }
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

    /// The devices of this list, all if it is empty; the name of an autochanger stands for its devices.
    fn devices_of(&self, wanted: &[String]) -> Vec<String> {
        let listed = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
        let mut lines = Vec::new();
        let mut devices: Vec<&Device> = self.devices.all().filter(|device| listed(&device.name)).collect();
        for (changer, members) in self.devices.changers().filter(|(name, _)| listed(name)) {
            let names = members.iter().map(|device| format!("      {}\n", name_of(device)));
            lines.push(format!("\nAutochanger \"{changer}\" with devices:\n{}", names.collect::<String>()));
            devices.extend(members);
        }
        let mut shown = BTreeSet::new();
        lines.extend(devices.into_iter().filter(|device| shown.insert(&device.name)).map(|device| self.device(device)));
        lines
    }

    fn device(&self, device: &Device) -> String {
        let name = name_of(device);
        let unmounted = self.devices.is_unmounted(&device.name);
        let jobs = self.devices.users(&device.name).iter().filter_map(|id| self.sessions.job(*id));
        let mut text = String::new();
        for job in jobs {
            let waits = job.said.status == Some(JobStatus::WaitMedia);
            let volume = if job.writing.volume.volume.is_empty() { &job.reading.source } else { &job.writing.volume };
            let state = if waits { "waiting for" } else { "mounted with" };
            let volume = if waits { "*none*" } else { &volume.volume };
            text += &format!(
                "\nDevice {name} is {state}:\n    Volume:      {volume}\n    Media type:  {}\n    Used by JobId {}, {} more \
                 wait for it\n",
                device.media_type,
                job.order.line.job_id,
                self.devices.waiting(&device.name)
            );
            if let (true, Some(group)) = (waits, job.order.uses.iter().find(|group| group.append)) {
                text += "    Device is BLOCKED waiting to create a volume for:\n";
                text += &format!("       Pool:        {}\n       Media type:  {}\n", group.pool, group.media_type);
            }
        }
        if text.is_empty() {
            text = format!("\nDevice {name} is not open.\n");
        }
        if unmounted {
            text += "    Device is BLOCKED. User unmounted.\n";
        }
        text
    }
}

fn name_of(device: &Device) -> String {
    answers::device_name(&device.name, &device.archive_device)
}
