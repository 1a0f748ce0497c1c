//! What an operator has done with devices and volumes: `wire/3 §1.4`. Each of these commands comes on a session of its
//! own, and its answer ends with an end of data unless the notes say otherwise.

use crate::bulk::work::{DiskDone, DiskError, DiskWork};
use crate::config::Device;
use crate::ids::SessionId;
use crate::notice::Level;
use crate::role::storage::Net;
use crate::wire::frame::Signal;
use crate::wire::label::VolumeLabel;
use crate::wire::status::JobStatus;
use crate::wire::storage::{Autochanger, Drive, Label, StorageCommand};
use crate::wire::storage_answers as answers;
use crate::work::{Work, WorkDone};

use super::tokens::Labelling;
use super::{Owner, StorageDaemon};

/// How a device is used just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Usage {
    Idle,
    /// A job has it and waits for a volume.
    Waiting(SessionId),
    Reading,
    Writing,
}

impl StorageDaemon {
    /// Serves a command of an operator. False if it is none.
    pub(super) fn operate(&mut self, net: &mut Net, id: SessionId, command: StorageCommand) -> bool {
        let answer = match command {
            StorageCommand::Label(label) => return self.label(net, id, label, None),
            StorageCommand::Relabel { old_name, label } => return self.label(net, id, label, Some(old_name)),
            StorageCommand::Mount(drive) => self.mount(net, &drive),
            StorageCommand::Unmount(drive) => self.unmount(net, &drive),
            StorageCommand::Release(drive) => self.release_device(&drive),
            StorageCommand::ReadLabel(drive) => self.read_label(&drive),
            StorageCommand::Autochanger(command) => self.changer(&command),
            StorageCommand::SetDevice { device, autoselect } => {
                let is_known = self.devices.set_auto_select(&device, autoselect);
                let answer = answers::device_set(&device, autoselect);
                // The one answer that no end of data follows.
                self.sessions.tell(net, id, if is_known { answer } else { answers::device_not_found(&device) });
                return true;
            }
            _ => return false,
        };
        for line in answer {
            self.sessions.tell(net, id, line);
        }
        self.sessions.signal(net, id, Signal::Eod);
        true
    }

    fn device_of(&self, drive: &Drive) -> Option<Device> {
        self.devices.find(&drive.device, drive.drive).cloned()
    }

    fn usage(&self, device: &str) -> Usage {
        let users = self.devices.users(device);
        let job = |id: &SessionId| self.sessions.job(*id).map(|job| (*id, job));
        let waiting = users.iter().filter_map(job).find(|(_, job)| job.said.status == Some(JobStatus::WaitMedia));
        let reads = || {
            let mut jobs = users.iter().filter_map(job);
            jobs.any(|(_, job)| job.order.append.as_ref().is_none_or(|place| place.device != device))
        };
        match (users.is_empty(), waiting) {
            (true, _) => Usage::Idle,
            (false, Some((id, _))) => Usage::Waiting(id),
            (false, None) if reads() => Usage::Reading,
            (false, None) => Usage::Writing,
        }
    }

    /// The device is in use; by whom.
    fn busy(&self, device: &Device, usage: Usage) -> String {
        let name = name_of(device);
        if usage == Usage::Reading {
            return answers::busy_reading(&name);
        }
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let (writers, waiting) = (self.devices.users(&device.name).len(), self.devices.waiting(&device.name));
        answers::busy(&name, count(writers), count(waiting))
    }

    fn mount(&mut self, net: &mut Net, drive: &Drive) -> Vec<String> {
        let Some(device) = self.device_of(drive) else { return vec![answers::mount_not_found(&drive.device)] };
        let name = name_of(&device);
        let usage = self.usage(&device.name);
        let volume = self.volume_on(&device.name);
        let turns = self.devices.mount(&device.name);
        let was_away = turns.is_some();
        if was_away {
            net.log(Level::Info, &format!("device {name} is mounted again"));
        }
        for turn in turns.into_iter().flatten() {
            self.have_devices(net, turn);
        }
        // A volume may have been labelled: whoever waits for one looks again.
        self.wake_waiting(net);
        vec![match (usage, volume) {
            (Usage::Waiting(_), _) => answers::mount_requested(&name),
            (_, Some(volume)) => answers::mounted(&name, &volume),
            (_, None) => answers::always_mounted(&name),
        }]
    }

    /// The volume that a job has on a device.
    fn volume_on(&self, device: &str) -> Option<String> {
        let job = self.devices.users(device).iter().find_map(|id| self.sessions.job(*id))?;
        let names = [&job.writing.volume.volume, &job.reading.source.volume];
        names.into_iter().find(|name| !name.is_empty()).cloned()
    }

    fn unmount(&mut self, net: &mut Net, drive: &Drive) -> Vec<String> {
        let Some(device) = self.device_of(drive) else { return vec![answers::device_not_found(&drive.device)] };
        let name = name_of(&device);
        vec![match self.usage(&device.name) {
            usage @ (Usage::Reading | Usage::Writing) => self.busy(&device, usage),
            _ if !self.devices.unmount(&device.name) => answers::already_unmounted(&name),
            usage => {
                net.log(Level::Info, &format!("device {name} is unmounted: no job uses it until it is mounted"));
                if usage == Usage::Idle { answers::unmounted(&name) } else { answers::unmounted_waiting(&name) }
            }
        }]
    }

    /// A volume is open only while a job uses it, so there is nothing to let go.
    fn release_device(&self, drive: &Drive) -> Vec<String> {
        let Some(device) = self.device_of(drive) else { return vec![answers::device_not_found(&drive.device)] };
        let name = name_of(&device);
        vec![match self.usage(&device.name) {
            Usage::Idle => answers::already_released(&name),
            Usage::Waiting(_) => answers::waiting(&name, self.devices.is_unmounted(&device.name)),
            usage => self.busy(&device, usage),
        }]
    }

    /// A device holds many volumes, and the command names none.
    fn read_label(&self, drive: &Drive) -> Vec<String> {
        vec![match self.device_of(drive) {
            Some(device) => answers::label_not_read(&name_of(&device), "a device of files has no volume of its own"),
            None => answers::device_not_found(&drive.device),
        }]
    }

    /// No changer has hardware here, so none has slots.
    fn changer(&self, command: &Autochanger) -> Vec<String> {
        let (Autochanger::Ask { device, .. } | Autochanger::Transfer { device, .. }) = command;
        let Some(found) = self.devices.find(device, -1) else { return vec![answers::device_not_found(device)] };
        let Some((_, drives)) = self.devices.changer_of(&found.name) else {
            return vec![answers::not_a_changer(&name_of(found))];
        };
        match command {
            Autochanger::Ask { what, .. } if what == "drives" => vec![answers::drives(drives)],
            Autochanger::Ask { what, .. } if what == "slots" => vec![answers::changer_begins(what), answers::slots(0)],
            Autochanger::Ask { what, .. } => vec![answers::changer_begins(what)],
            Autochanger::Transfer { .. } => vec![answers::changer_failed("this changer has no slots")],
        }
    }

    /// Writes a label; the answer comes when it is on the disk.
    fn label(&mut self, net: &mut Net, id: SessionId, order: Label, before: Option<String>) -> bool {
        let Some(device) = self.devices.find(&order.device, order.drive).cloned() else {
            self.answer(net, id, answers::device_not_found(&order.device));
            return true;
        };
        let folder = &device.archive_device;
        let names = [Some(&order.volume), before.as_ref()];
        if names.into_iter().flatten().any(|name| self.is_in_use(folder, name)) {
            let busy = self.busy(&device, Usage::Writing);
            self.answer(net, id, busy);
            return true;
        }
        let now = net.wall().0;
        let label = VolumeLabel {
            labelled: now,
            written: now,
            volume: order.volume.clone().into(),
            pool: order.pool.into(),
            pool_type: b"Backup".to_vec(),
            media_type: device.media_type.clone().into(),
            program: self.config.storage.name.clone().into(),
            ..VolumeLabel::default()
        };
        // No job mounts it meanwhile.
        self.devices.claim(folder, &order.volume, id);
        let work = DiskWork::Label { folder: folder.clone(), label, before: before.clone() };
        let labelling = Labelling { session: id, volume: order.volume, before, device: name_of(&device) };
        net.work(Work::Disk(work), Owner::Label(Box::new(labelling)));
        true
    }

    /// Whether a job writes to a volume or reads it.
    fn is_in_use(&self, folder: &str, volume: &str) -> bool {
        let reads = |job: &super::job::Job| {
            let is_there = job.order.read.as_ref().is_some_and(|place| place.folder == folder);
            is_there && job.order.bootstrap.volumes().any(|name| name == volume)
        };
        self.devices.is_claimed(folder, volume) || self.sessions.jobs().any(reads)
    }

    /// The label is on the disk, or not.
    pub(super) fn labelled(&mut self, net: &mut Net, order: &Labelling, done: WorkDone) {
        let Labelling { session, volume, before, device } = order;
        let answer = match done {
            WorkDone::Disk(DiskDone::Labelled { bytes }) => {
                let of = before.as_ref().map(|name| format!(" (before: {name:?})")).unwrap_or_default();
                net.log(Level::Info, &format!("labelled volume {volume:?}{of} on device {device}"));
                answers::labeled(bytes, volume, device)
            }
            WorkDone::Disk(DiskDone::Failed { error, .. }) => {
                net.log_error(Level::Error, &error);
                match error {
                    DiskError::HasLabel { volume, .. } => answers::already_labeled(&volume),
                    DiskError::WrongVolume { .. } if before.is_some() => answers::WRONG_VOLUME.to_owned(),
                    error @ (DiskError::Missing(_) | DiskError::Denied(_)) => {
                        answers::cannot_open(device, &error.to_string())
                    }
                    error => answers::not_labeled(&error.to_string()),
                }
            }
            _ => answers::not_labeled("the disk workers have stopped"),
        };
        self.answer(net, *session, answer);
        for turn in self.devices.release(*session) {
            self.have_devices(net, turn);
        }
    }

    fn answer(&self, net: &mut Net, id: SessionId, line: String) {
        self.sessions.tell(net, id, line);
        self.sessions.signal(net, id, Signal::Eod);
    }
}

/// How answers name a device.
fn name_of(device: &Device) -> String {
    answers::device_name(&device.name, &device.archive_device)
}
