//! The way of a job to its devices and volumes, and what is done when a volume is of no use (`wire/3 §9`).

use std::collections::BTreeSet;
use std::time::Duration;

use crate::bulk::work::DiskError;
use crate::error::Explain;
use crate::ids::SessionId;
use crate::role::storage::Net;
use crate::role::trouble::Trouble;
use crate::wire::frame::Signal;
use crate::wire::message::MessageKind;
use crate::wire::status::JobStatus;

use super::job::{Direction, Task};
use super::{Due, StorageDaemon, catalog_tables as tables};

/// How often a job without a volume asks again.
const VOLUME_POLL: Duration = Duration::from_secs(30);
/// Volumes that turn out to be unusable before a job gives up.
const MAX_SPOILT: u32 = 4;

impl StorageDaemon {
    /// Asks for the job's devices; goes on at once if they are free. All jobs ask for theirs in the order of the names, so
    /// that no two wait for each other.
    pub(super) fn want_devices(&mut self, net: &mut Net, id: SessionId) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        let wanted = match job.part.direction() {
            Some(Direction::Append) => [job.order.append.as_ref(), None],
            Some(Direction::Read) => [None, job.order.read.as_ref()],
            Some(Direction::Copy) => [job.order.append.as_ref(), job.order.read.as_ref()],
            None => [None, None],
        };
        let devices: BTreeSet<String> = wanted.into_iter().flatten().map(|place| place.device.clone()).collect();
        job.lacking = devices.into_iter().collect();
        if job.lacking.is_empty() {
            return self.fail_job(net, id, &Trouble::NoDevice);
        }
        self.take_devices(net, id);
    }

    /// Takes the devices a job lacks, one after the other.
    pub(super) fn take_devices(&mut self, net: &mut Net, id: SessionId) {
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return };
        while let Some(device) = job.lacking.front()
            && self.devices.want(device, id)
        {
            job.lacking.pop_front();
        }
        let Some(device) = job.lacking.front() else { return self.with_devices(net, id) };
        let text = format!("waiting for device \"{device}\": another job uses it");
        job.message(&mut control, MessageKind::Mount, &text);
        job.say_status(&mut control, JobStatus::WaitStorage);
        self.arm_heartbeat(net, id);
    }

    /// No volume is available: says so and asks again later (`wire/3 §9`).
    pub(super) fn wait_volume(&mut self, net: &mut Net, id: SessionId) {
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return };
        if job.said.status != Some(JobStatus::WaitMedia) {
            let pool =
                job.order.uses.iter().find(|group| group.append).map(|group| group.pool.clone()).unwrap_or_default();
            let text = format!(
                "Job {} is waiting: pool \"{pool}\" has no volume to append to. Give the pool a label format, raise its \
                 maximum of volumes, or let volumes expire.",
                job.order.line.job
            );
            job.message(&mut control, MessageKind::Mount, &text);
            job.say_status(&mut control, JobStatus::WaitMedia);
        }
        job.writing.unwanted.clear();
        job.dialogue.tasks.push_front(Task { table: tables::ACQUIRE, piece: None });
        net.set_timer(VOLUME_POLL, "ask for a volume again", Due::Volume(id));
        self.arm_heartbeat(net, id);
    }

    /// The director has found a use for the volume in the meantime: another one, but not for ever.
    pub(super) fn next_volume(&mut self, net: &mut Net, id: SessionId) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        job.writing.tries += 1;
        job.writing.unwanted.push(job.writing.volume.volume.clone());
        if job.writing.tries > MAX_SPOILT {
            let trouble = Trouble::TakenBack(job.writing.unwanted.clone());
            return self.fail_job(net, id, &trouble);
        }
        job.dialogue.tasks.push_front(Task { table: tables::ACQUIRE, piece: None });
        self.next_task(net, id);
    }

    /// The volume would have to be labelled first, and the device labels none: another one, but not for ever.
    pub(super) fn not_labelled(&mut self, net: &mut Net, id: SessionId) {
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return };
        job.writing.tries += 1;
        job.writing.unwanted.push(job.writing.volume.volume.clone());
        let device = job.order.append.as_ref().map(|place| place.device.clone()).unwrap_or_default();
        let trouble = Trouble::NoLabel { volume: job.writing.volume.volume.clone(), device };
        if job.writing.tries > MAX_SPOILT {
            return self.fail_job(net, id, &trouble);
        }
        job.message(&mut control, MessageKind::Warning, &trouble.line());
        job.dialogue.tasks.push_front(Task { table: tables::ACQUIRE, piece: None });
        self.next_task(net, id);
    }

    /// Mounting failed: another volume if this one is spoilt, else the job's end.
    pub(super) fn mount_failed(&mut self, net: &mut Net, id: SessionId, error: DiskError) {
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return };
        // A new volume's file need not be there; then it is the folder that is missing, for every volume.
        let is_known = job.writing.volume.bytes > 0;
        let spoilt = matches!(error, DiskError::WrongVolume { .. } | DiskError::Truncated { .. })
            || is_known && matches!(error, DiskError::Missing(_));
        job.writing.tries += 1;
        job.writing.handle = None;
        job.dialogue.script = None;
        if !spoilt || job.writing.tries > MAX_SPOILT {
            let trouble = Trouble::BadVolume { volume: job.writing.volume.volume.clone(), error };
            return self.fail_job(net, id, &trouble);
        }
        let text = format!("volume \"{}\" is marked in error: {error}", job.writing.volume.volume);
        job.message(&mut control, MessageKind::Warning, &text);
        job.writing.unwanted.push(job.writing.volume.volume.clone());
        job.dialogue.tasks.push_front(Task { table: tables::ACQUIRE, piece: None });
        job.dialogue.tasks.push_front(Task { table: tables::SPOILT, piece: None });
        self.next_task(net, id);
    }

    /// While a job waits nothing is said on its connections: heartbeats keep them alive (`wire/3 §9`).
    pub(super) fn arm_heartbeat(&self, net: &mut Net, id: SessionId) {
        let interval = self.config.storage.heartbeat_interval.duration();
        if !interval.is_zero() && !net.timers().any(|due| *due == Due::Beat(id)) {
            net.set_timer(interval, "heartbeats of a waiting job", Due::Beat(id));
        }
    }

    pub(super) fn beat(&self, net: &mut Net, id: SessionId) {
        let job = self.sessions.job(id);
        let Some(job) = job.filter(|job| job.is_waiting()) else { return };
        self.sessions.signal(net, id, Signal::Heartbeat);
        if let Some(conn) = job.peer.conn() {
            net.send_signal(conn, Signal::Heartbeat);
        }
        self.arm_heartbeat(net, id);
    }
}
