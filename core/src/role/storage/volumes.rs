//! The way of a job to its devices and volumes, and what is done when a volume is of no use (`wire/3 §9`).

use std::time::Duration;

use crate::bulk::work::DiskError;
use crate::error::Explain;
use crate::ids::SessionId;
use crate::role::storage::Net;
use crate::role::trouble::Trouble;
use crate::wire::frame::Signal;
use crate::wire::message::MessageKind;
use crate::wire::status::JobStatus;
use crate::wire::storage::UseStorage;

use super::device::{Need, Turn};
use super::job::{Direction, Part, Place, Task};
use super::{Due, StorageDaemon, catalog_tables as tables};

/// How often a job without a volume asks again.
const VOLUME_POLL: Duration = Duration::from_secs(30);
/// Volumes that turn out to be unusable before a job gives up.
const MAX_SPOILT: u32 = 4;

impl StorageDaemon {
    /// Asks for the job's devices; goes on at once if they are free.
    pub(super) fn want_devices(&mut self, net: &mut Net, id: SessionId) {
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return };
        let wanted = match job.part.direction() {
            Some(Direction::Append) => [job.order.append.as_ref(), None],
            Some(Direction::Read) => [None, job.order.read.as_ref()],
            Some(Direction::Copy) => [job.order.append.as_ref(), job.order.read.as_ref()],
            None => [None, None],
        };
        let needs: Vec<Need> = wanted.into_iter().flatten().map(|place| place.choices.clone()).collect();
        if needs.is_empty() {
            return self.fail_job(net, id, &Trouble::NoDevice);
        }
        let names = needs.concat();
        if let Some(devices) = self.devices.want(id, needs) {
            return self.have_devices(net, (id, devices));
        }
        let away = names.iter().all(|name| self.devices.is_unmounted(name));
        let why = if away { "an operator has unmounted it, and must mount it" } else { "another job uses it" };
        let text = format!("waiting for device \"{}\": {why}", names.join("\" or \""));
        job.message(&mut control, MessageKind::Mount, &text);
        job.say_status(&mut control, JobStatus::WaitStorage);
        self.arm_heartbeat(net, id);
    }

    /// The devices are the job's.
    pub(super) fn have_devices(&mut self, net: &mut Net, (id, devices): Turn) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        let places = match job.part.direction() {
            Some(Direction::Append) => [job.order.append.as_mut(), None],
            Some(Direction::Read) => [None, job.order.read.as_mut()],
            Some(Direction::Copy) => [job.order.append.as_mut(), job.order.read.as_mut()],
            None => [None, None],
        };
        for (place, name) in places.into_iter().flatten().zip(&devices) {
            if let Some(device) = self.devices.device(name) {
                *place = Place { choices: std::mem::take(&mut place.choices), ..Place::of(device) };
            }
        }
        self.with_devices(net, id);
    }

    /// A volume is to be mounted: only if nobody else writes to it, and the job itself does not read it. Another one then, which
    /// is as good.
    pub(super) fn may_mount(&mut self, net: &mut Net, id: SessionId) -> bool {
        let Some(job) = self.sessions.job_mut(id) else { return false };
        let (name, folder) = (job.writing.volume.volume.clone(), job.folder().to_owned());
        // A virtual full may write to the pool that it reads from.
        let reads_it = matches!(job.part, Part::Clone) && job.order.bootstrap.volumes().any(|volume| volume == name);
        if !reads_it && self.devices.claim(&folder, &name, id) {
            return true;
        }
        job.writing.handle = None;
        job.dialogue.script = None;
        // A director that offers it again has no other.
        let offered_again = job.writing.unwanted.contains(&name);
        if offered_again {
            self.wait_volume(net, id);
            return false;
        }
        job.writing.unwanted.push(name);
        job.dialogue.tasks.push_front(Task { table: tables::ACQUIRE, piece: None });
        self.next_task(net, id);
        false
    }

    /// No volume is available: says so and asks again later (`wire/3 §9`).
    pub(super) fn wait_volume(&mut self, net: &mut Net, id: SessionId) {
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return };
        if job.said.status != Some(JobStatus::WaitMedia) {
            let none = UseStorage::default();
            let UseStorage { storage, pool, media_type, .. } =
                job.order.uses.iter().find(|group| group.append).unwrap_or(&none);
            let text = format!(
                "Job {} is waiting: pool \"{pool}\" has no volume of media type \"{media_type}\" to append to. Label one \
                 with the command \"label storage={storage} pool={pool} volume=NAME\", give the pool a label format, raise \
                 its maximum of volumes, or let volumes expire.",
                job.order.line.job
            );
            job.message(&mut control, MessageKind::Mount, &text);
            job.say_status(&mut control, JobStatus::WaitMedia);
        }
        job.writing.unwanted.clear();
        job.dialogue.tasks.push_front(Task { table: tables::ACQUIRE, piece: None });
        self.ask_again_later(net, id);
        self.arm_heartbeat(net, id);
    }

    fn ask_again_later(&mut self, net: &mut Net, id: SessionId) {
        if let Some(job) = self.sessions.job_mut(id) {
            job.writing.retry = Some(net.set_timer(VOLUME_POLL, "ask for a volume again", Due::Volume(id)));
        }
    }

    /// A job that waits for a volume asks again now, unless an operator has unmounted its device.
    pub(super) fn look_again(&mut self, net: &mut Net, id: SessionId) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        let Some(timer) = job.writing.retry.take() else { return };
        net.cancel_timer(timer);
        let device = job.order.append.as_ref().map(|place| place.device.clone()).unwrap_or_default();
        if self.devices.is_unmounted(&device) { self.ask_again_later(net, id) } else { self.next_task(net, id) }
    }

    /// A volume may have become free, or there is a new one.
    pub(super) fn wake_waiting(&mut self, net: &mut Net) {
        for id in self.sessions.ids() {
            self.look_again(net, id);
        }
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
        let interval = self.config_of(id).storage.heartbeat_interval.duration();
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
