//! What waits in files: data for its volume, and attributes for the director (`wire/3 §2.6`).

use crate::bulk::machine::{Despool, ToMachine};
use crate::bulk::parcel::Parcel;
use crate::bulk::work::{DiskDone, DiskWork, SpoolDone, SpoolFile, SpoolWork};
use crate::config::StorageConfig;
use crate::ids::{HandleId, SessionId};
use crate::role::report::thousands;
use crate::role::storage::Net;
use crate::role::trouble::Trouble;
use crate::time::Instant;
use crate::wire::message::MessageKind;
use crate::wire::status::JobStatus;
use crate::work::{Work, WorkDone};

use super::job::Job;
use super::tokens::Held;
use super::{Owner, StorageDaemon};

/// What of a job waits in files.
#[derive(Debug, Default)]
pub(super) struct Spooling {
    /// The file of the data.
    pub(super) data: Option<HandleId>,
    /// What is being written to the volume of it: bytes, and since when.
    despooling: Option<(u64, Instant)>,
    attributes: Attributes,
}

/// Where the attributes of a job are.
#[derive(Debug, Default)]
enum Attributes {
    /// They go to the director as they come.
    #[default]
    AtOnce,
    /// They wait in this file, so many bytes.
    Waiting(HandleId, u64),
    /// They go from this file to the director.
    Going(HandleId),
}

impl Spooling {
    /// The files that are open.
    pub(super) fn handles(&self) -> [Option<HandleId>; 2] {
        let attributes = match self.attributes {
            Attributes::AtOnce => None,
            Attributes::Waiting(handle, _) | Attributes::Going(handle) => Some(handle),
        };
        [self.data, attributes]
    }

    /// Whether attributes still have to go to the director once all else is done.
    const fn has_attributes(&self) -> bool {
        matches!(self.attributes, Attributes::Waiting(..) | Attributes::Going(_))
    }
}

impl StorageDaemon {
    /// Data is to wait in a file. Its attributes do too: they go to the director when it is safe.
    pub(super) fn open_spool(&mut self, net: &mut Net, id: SessionId) {
        let Some(file) = self.spool_file(id, "data") else { return self.fail_job(net, id, &Trouble::NoDevice) };
        let handle = HandleId(net.next_id());
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return };
        job.spooling.data = Some(handle);
        job.message(&mut control, MessageKind::Info, "Spooling data ...");
        net.work(Work::Disk(DiskWork::OpenSpool { handle, file }), Owner::Spool(id, Held::Data));
    }

    /// Whether the attributes of a job wait until its end.
    pub(super) fn holds_attributes(job: &Job) -> bool {
        job.order.line.spool_attributes || job.spooling.data.is_some()
    }

    /// Puts attributes into their file, which is made for the first of them.
    pub(super) fn hold_attributes(&mut self, net: &mut Net, id: SessionId, parcel: Parcel) {
        if let Some(Attributes::AtOnce) = self.sessions.job(id).map(|job| &job.spooling.attributes) {
            let Some(file) = self.spool_file(id, "attr") else { return self.fail_job(net, id, &Trouble::NoDevice) };
            let handle = HandleId(net.next_id());
            if let Some(job) = self.sessions.job_mut(id) {
                job.spooling.attributes = Attributes::Waiting(handle, 0);
            }
            net.work(Work::Disk(DiskWork::OpenSpool { handle, file }), Owner::Spool(id, Held::Attributes));
        }
        let Some(job) = self.sessions.job_mut(id) else { return };
        let Attributes::Waiting(handle, bytes) = &mut job.spooling.attributes else { return };
        *bytes += parcel.bytes.len() as u64;
        let marks = [i32::try_from(parcel.frames).unwrap_or(i32::MAX), 0];
        let work = SpoolWork::Hold { bytes: parcel.bytes, marks };
        net.work(Work::Disk(DiskWork::Spool { handle: *handle, work }), Owner::Spool(id, Held::Attributes));
    }

    /// What came of work with a file of a job that still runs.
    pub(super) fn spooled(&mut self, net: &mut Net, id: SessionId, held: Held, done: WorkDone) {
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return };
        match (held, done) {
            (Held::Data, WorkDone::Disk(DiskDone::Opened)) => {
                if let (Some(conn), Some(handle)) = (job.machine_conn(control.director()), job.spooling.data) {
                    control.to_machine(conn, ToMachine::Spool(handle));
                }
            }
            (Held::Attributes, WorkDone::Disk(DiskDone::Opened)) => {}
            (_, WorkDone::Disk(DiskDone::Spool(SpoolDone::Held { buffer, .. }))) => {
                if let Some(conn) = job.machine_conn(control.director()) {
                    let parcel = Parcel { bytes: buffer, ..Parcel::default() };
                    control.to_machine(conn, ToMachine::AttributesSent(parcel));
                }
            }
            (_, WorkDone::Disk(DiskDone::Spool(SpoolDone::Next(Some((bytes, [frames, _])))))) => {
                let frames = u32::try_from(frames).unwrap_or(0);
                job.send_attributes(&mut control, Parcel { bytes, frames, ..Parcel::default() });
            }
            (_, WorkDone::Disk(DiskDone::Spool(SpoolDone::Next(None)))) => {
                if let Attributes::Going(handle) = std::mem::take(&mut job.spooling.attributes) {
                    net.work(Work::Disk(DiskWork::Close { handle }), Owner::Closing(id));
                }
                self.end_if_done(net, id);
            }
            (_, WorkDone::Disk(DiskDone::Spool(SpoolDone::Full { .. }))) => {
                self.fail_job(net, id, &crate::bulk::work::DiskError::SpoolFull.into());
            }
            (_, WorkDone::Disk(DiskDone::Failed { error, .. } | DiskDone::Spool(SpoolDone::Failed(error)))) => {
                self.fail_job(net, id, &error.into());
            }
            _ => self.fail_job(net, id, &Trouble::NoWorkers),
        }
    }

    /// All of a job is safe: now its attributes go to the director, if any have waited. True if they do.
    pub(super) fn sends_attributes(&mut self, net: &mut Net, id: SessionId) -> bool {
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return false };
        if let (Attributes::Waiting(handle, bytes), true) = (&job.spooling.attributes, job.is_alive()) {
            let (handle, bytes) = (*handle, *bytes);
            let text = format!("Sending spooled attrs to the Director. Despooling {} bytes ...", thousands(bytes));
            job.message(&mut control, MessageKind::Info, &text);
            job.say_status(&mut control, JobStatus::AttributeDespooling);
            job.spooling.attributes = Attributes::Going(handle);
            self.next_attributes(net, id, Vec::new());
        }
        self.sessions.job(id).is_some_and(|job| job.is_alive() && job.spooling.has_attributes())
    }

    /// Reads the next attributes that go to the director. True if there is a file of them.
    pub(super) fn next_attributes(&self, net: &mut Net, id: SessionId, mut buffer: Vec<u8>) -> bool {
        let Some(Attributes::Going(handle)) = self.sessions.job(id).map(|job| &job.spooling.attributes) else {
            return false;
        };
        buffer.clear();
        let work = DiskWork::Spool { handle: *handle, work: SpoolWork::Next { buffer } };
        net.work(Work::Disk(work), Owner::Spool(id, Held::Attributes));
        true
    }

    /// What was spooled goes to the volume.
    pub(super) fn despools(&mut self, net: &mut Net, id: SessionId, bytes: u64, why: Despool) {
        let now = net.now();
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return };
        job.spooling.despooling = Some((bytes, now));
        let size = thousands(bytes);
        let (reason, text) = match why {
            Despool::Last => (
                None,
                format!(
                    "Committing spooled data to Volume \"{}\". Despooling {size} bytes ...",
                    job.writing.volume.volume
                ),
            ),
            Despool::Limit => (
                Some(format!("User specified Job spool size reached: JobSpoolSize={size}")),
                format!("Writing spooled data to Volume. Despooling {size} bytes ..."),
            ),
            Despool::DiskFull => (
                Some("The disk of the spool folder is full.".to_owned()),
                format!("Writing spooled data to Volume. Despooling {size} bytes ..."),
            ),
        };
        if let Some(reason) = reason {
            let kind = if why == Despool::DiskFull { MessageKind::Warning } else { MessageKind::Info };
            job.message(&mut control, kind, &reason);
        }
        job.message(&mut control, MessageKind::Info, &text);
        job.say_status(&mut control, JobStatus::DataDespooling);
    }

    /// All that was spooled is in the volume.
    pub(super) fn despooled(&mut self, net: &mut Net, id: SessionId) {
        let now = net.now();
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return };
        let Some((bytes, since)) = job.spooling.despooling.take() else { return };
        let seconds = now.since(since).as_secs();
        let (rate, time) = (bytes / seconds.max(1), (seconds / 3_600, seconds / 60 % 60, seconds % 60));
        let text = format!(
            "Despooling elapsed time = {:02}:{:02}:{:02}, Transfer rate = {} Bytes/second",
            time.0,
            time.1,
            time.2,
            thousands(rate)
        );
        job.message(&mut control, MessageKind::Info, &text);
        job.say_status(&mut control, JobStatus::Running);
    }

    /// A file for what waits of a job.
    fn spool_file(&self, id: SessionId, kind: &str) -> Option<SpoolFile> {
        let job = self.sessions.job(id)?;
        let device = self.append_device(id)?;
        let (own, most) = (job.order.line.spool_size, device.maximum_job_spool_size.0);
        let is_data = kind == "data";
        let (limit, device_limit) =
            if is_data { (if own > 0 { own } else { most }, device.maximum_spool_size.0) } else { (0, 0) };
        let (daemon, line) = (&self.config.storage.name, &job.order.line);
        let name = format!("{daemon}.{kind}.{}.{}.{}.spool", line.job_id, line.job, device.name);
        let of = if is_data { device.name.clone() } else { String::new() };
        Some(SpoolFile { folder: folder(&self.config, &device.name), name, device: of, limit, device_limit })
    }
}

/// The folder for the spool files of a device.
fn folder(config: &StorageConfig, device: &str) -> String {
    let own = config.devices.iter().flat_map(|of| of.each()).find(|of| of.name == device);
    let own = own.and_then(|device| device.spool_directory);
    own.or_else(|| config.storage.working_directory.clone()).unwrap_or_else(|| ".".to_owned())
}
