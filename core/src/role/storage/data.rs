//! The data channel as the storage daemon serves it: `wire/3 §3`.

use std::time::Duration;

use crate::bulk::archiver::Archiver;
use crate::bulk::machine::{FromMachine, Machine, Outcome};
use crate::bulk::receive::ReceiverSetup;
use crate::bulk::sender::Sender;
use crate::config::{Device, keepalive};
use crate::ids::SessionId;
use crate::limits;
use crate::role::storage::Net;
use crate::role::trouble::Trouble;
use crate::wire::block::MIN_BLOCK_SIZE;
use crate::wire::catalog::Ask;
use crate::wire::frame::Signal;
use crate::wire::label::SessionLabel;
use crate::wire::message::MessageKind;
use crate::wire::session::{self, DataCommand};
use crate::wire::status::{self, JobStatus};

use super::StorageDaemon;
use super::catalog_tables as tables;
use super::job::{Direction, Early, Job, Part, Stream};

/// Parcels in memory for what is read and sent.
pub(super) const PARCELS: usize = 4;
/// Messages of a file daemon that are kept until `run`; it sends one and waits.
const MAX_EARLY: usize = 4;

impl StorageDaemon {
    /// The file daemon is here and `run` has come, or the other storage daemon and `listen`; `early` is from before.
    pub(super) fn start_data(&mut self, net: &mut Net, id: SessionId, early: Early) {
        let version = format!("Version: {} ({}) {}", self.identity.full, self.identity.date, self.identity.system);
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return };
        control.tell(status::job_starts(&job.order.line.job));
        job.say_status(&mut control, JobStatus::Running);
        for text in [early.connected, Some(version)].into_iter().flatten() {
            job.message(&mut control, MessageKind::Info, &text);
        }
        for text in early.texts {
            self.data_command(net, id, &text);
        }
    }

    /// Serves one message of the file daemon, or of another storage daemon.
    pub(super) fn data_command(&mut self, net: &mut Net, id: SessionId, text: &[u8]) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        let Some(conn) = job.peer.conn() else { return };
        let opened = match &mut job.part {
            Part::Send(_) => return self.replication_answer(net, id, text),
            Part::Receive { .. } => return self.replication_command(net, id, text),
            Part::Ordered(early) if early.texts.len() < MAX_EARLY => return early.texts.push(text.to_vec()),
            Part::Ordered(_) => return net.abort(conn),
            Part::Client(opened) => opened,
            Part::Clone => return,
        };
        let ticket = job.session.id;
        match (DataCommand::parse(text), *opened) {
            (Some(DataCommand::AppendOpen | DataCommand::ReadOpen(_)), Some(_)) => {
                net.send_text(conn, session::ALREADY_OPEN);
                self.refuse(net, id, text);
            }
            (Some(DataCommand::AppendOpen), None) => {
                *opened = Some(Direction::Append);
                net.keep_alive(
                    conn,
                    keepalive::socket(self.rereading.of(id, &self.config).data_heartbeat(), keepalive::End::Control),
                );
                net.send_text(conn, session::opened(ticket));
            }
            (Some(DataCommand::ReadOpen(_)), None) => {
                *opened = Some(Direction::Read);
                net.keep_alive(
                    conn,
                    keepalive::socket(self.rereading.of(id, &self.config).data_heartbeat(), keepalive::End::Sending),
                );
                net.send_text(conn, session::opened(ticket));
            }
            (Some(DataCommand::AppendData(_)), Some(Direction::Append)) => {
                net.send_text(conn, session::DATA);
                let archiver = self.archiver(net, id);
                self.carry(net, id, conn, Machine::Archive(Box::new(archiver)));
            }
            (Some(DataCommand::ReadData(_)), Some(Direction::Read)) if job.reading.volumes.is_empty() => {
                net.send_text(conn, session::READ_ERROR);
                self.fail_job(net, id, &Trouble::NoVolumes);
            }
            (Some(DataCommand::ReadData(_)), Some(Direction::Read)) => self.want_devices(net, id),
            (Some(DataCommand::AppendData(_) | DataCommand::ReadData(_)), _) => {
                net.send_text(conn, session::NOT_OPEN);
                self.refuse(net, id, text);
            }
            (Some(DataCommand::AppendEnd(_)), Some(Direction::Append)) => net.send_text(conn, session::ENDED),
            (Some(DataCommand::AppendClose(_)), Some(Direction::Append)) => {
                let status = if job.is_alive() { JobStatus::Ok } else { job.status };
                net.send_text(conn, status::close_answer(status));
                net.send_signal(conn, Signal::Eod);
            }
            (Some(DataCommand::ReadClose(_)), Some(Direction::Read)) => {
                if job.stream == Stream::Sent {
                    job.stream = Stream::Done;
                }
                net.send_text(conn, status::close_answer(JobStatus::Running));
                net.send_signal(conn, Signal::Eod);
            }
            _ => {
                net.send_text(conn, session::INVALID);
                self.refuse(net, id, text);
            }
        }
    }

    /// A command that makes no sense here ends the job (`wire/3 §3.2`).
    pub(super) fn refuse(&mut self, net: &mut Net, id: SessionId, command: &[u8]) {
        let Some(job) = self.sessions.job(id) else { return };
        let command = String::from_utf8_lossy(command).trim_end().to_owned();
        let trouble = Trouble::Senseless { whom: job.other(), command };
        self.fail_job(net, id, &trouble);
    }

    /// The machine that writes.
    pub(super) fn archiver(&self, net: &Net, id: SessionId) -> Archiver {
        let archiver = Archiver::new(self.receiver_setup(id), (net.now(), net.wall()))
            .with_pieces_of(self.piece_size(id))
            .with_checkpoints(self.piece_age(id));
        let spools = self.sessions.job(id).is_some_and(|job| job.order.line.spool_data);
        if spools { archiver.spooling() } else { archiver }
    }

    /// Bytes on a volume after which a piece of this job is recorded.
    pub(super) fn piece_size(&self, id: SessionId) -> u64 {
        self.append_device(id).map_or(limits::PIECE, |device| device.maximum_file_size.0)
    }

    /// The age at which a piece of this job is recorded though it has fewer; zero: it is not.
    pub(super) fn piece_age(&self, id: SessionId) -> Duration {
        self.config_of(id).storage.checkpoint_interval.duration()
    }

    /// The device a job appends to.
    pub(super) fn append_device(&self, id: SessionId) -> Option<&Device> {
        let place = self.sessions.job(id)?.order.append.as_ref()?;
        self.devices.device(&place.device)
    }

    /// What a machine that writes must know of the job.
    pub(super) fn receiver_setup(&self, id: SessionId) -> ReceiverSetup {
        let job = self.sessions.job(id);
        let device = self.append_device(id);
        let block_size = device.map_or(0, |device| usize::try_from(device.maximum_block_size.0).unwrap_or(0));
        let (session, name, label) =
            job.map(|job| (job.session, job.order.line.job.clone(), label_of(job))).unwrap_or_default();
        ReceiverSetup {
            session,
            block_size: block_size.max(MIN_BLOCK_SIZE),
            start: label,
            catalog_prefix: format!("UpdCat Job={name} FileAttributes ").into_bytes(),
            is_rerun: false,
        }
    }

    /// The devices are this job's: finds a volume, or opens those to read.
    pub(super) fn with_devices(&mut self, net: &mut Net, id: SessionId) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        match job.part.direction() {
            Some(Direction::Append) => job.queue(tables::ACQUIRE, None),
            Some(Direction::Read | Direction::Copy) => {
                for _ in 0..job.reading.volumes.len() {
                    job.queue(tables::ASK_READ, None);
                }
                job.queue(tables::OPEN_READ, None);
            }
            None => return,
        }
        self.next_task(net, id);
    }

    /// The volumes are open: the records may flow.
    pub(super) fn send_records(&mut self, net: &mut Net, id: SessionId) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        if !job.part.is_client() {
            return self.copy_records(net, id);
        }
        if let (Some(conn), Some(reader)) = (job.peer.conn(), job.reading.handle) {
            net.send_text(conn, session::DATA);
            self.carry(net, id, conn, Machine::Send(Sender::new(reader, PARCELS)));
        }
    }

    pub(super) fn machine_says(&mut self, net: &mut Net, id: SessionId, message: FromMachine) {
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return };
        match message {
            // A copy within the daemon has its devices since it began to read.
            FromMachine::NeedVolume if matches!(job.part, Part::Clone) => job.queue(tables::ACQUIRE, None),
            FromMachine::NeedVolume => return self.want_devices(net, id),
            FromMachine::NeedSpool => return self.open_spool(net, id),
            FromMachine::Despool { bytes, why } => return self.despools(net, id, bytes, why),
            FromMachine::Despooled => return self.despooled(net, id),
            // Not one block fitted into a volume begun for it: a label may always fit, so the next volume ends the same way.
            FromMachine::VolumeFull { piece: None, disk_full: true } => {
                let device = job.order.append.as_ref().map(|place| place.device.clone()).unwrap_or_default();
                return self.fail_job(net, id, &Trouble::DeviceFull(device));
            }
            FromMachine::VolumeFull { piece, disk_full } => {
                let why = if disk_full { "the disk is full" } else { "its limit is reached" };
                let text = format!("End of Volume \"{}\": {why}.", job.writing.volume.volume);
                job.message(&mut control, if disk_full { MessageKind::Warning } else { MessageKind::Info }, &text);
                job.writing.tries = 0;
                job.queue(tables::FULL, piece);
                job.queue(tables::ACQUIRE, None);
            }
            FromMachine::FirstBlock => job.queue(tables::PLACEHOLDER, None),
            FromMachine::Piece(piece) => job.queue(tables::PIECE, Some(piece)),
            FromMachine::Attributes(parcel) => {
                if job.order.line.no_attributes {
                    if let Some(conn) = job.machine_conn(control.director()) {
                        net.to_machine(conn, crate::bulk::machine::ToMachine::AttributesSent(parcel));
                    }
                } else if Self::holds_attributes(job) {
                    self.hold_attributes(net, id, parcel);
                } else {
                    job.send_attributes(&mut control, parcel);
                }
                return;
            }
            FromMachine::Progress { files, bytes } => {
                // Nothing is answered to it, so that it may go beside a question.
                if job.order.hears_progress {
                    job.ask(&mut control, Ask::UpdateJobRecord { files, bytes });
                }
                return;
            }
            // Only a file daemon's machine has any.
            FromMachine::Lines(_) => return,
            FromMachine::Remarks(remarks) => {
                job.remark(&mut control, &remarks);
                return;
            }
        }
        self.next_task(net, id);
    }

    pub(super) fn machine_ended(&mut self, net: &mut Net, id: SessionId, outcome: Outcome) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        match (outcome, job.part.direction(), job.peer.conn()) {
            (Outcome::Complete { files, bytes, piece }, Some(Direction::Copy), _) => {
                (job.counted.files, job.counted.bytes) = (files, bytes);
                job.stream = Stream::Done;
                if job.writing.handle.is_some() {
                    job.queue(tables::FINISH, piece);
                }
                job.queue(tables::READ_DONE, None);
            }
            (Outcome::Complete { files, bytes, piece }, Some(Direction::Append), Some(conn)) => {
                (job.counted.files, job.counted.bytes) = (files, bytes);
                job.stream = Stream::Done;
                if job.writing.handle.is_some() {
                    job.queue(tables::FINISH, piece);
                }
                let replicated = matches!(job.part, Part::Receive { .. });
                net.send_text(conn, if replicated { session::REPLICATED } else { session::APPENDED });
            }
            (Outcome::Complete { .. }, ..) if job.part.is_client() => {
                job.stream = Stream::Sent;
                job.queue(tables::READ_DONE, None);
            }
            // The other storage daemon still has to say that it has everything.
            (Outcome::Complete { .. }, ..) => job.stream = Stream::Done,
            (Outcome::Cut, ..) => return, // on_closed follows and knows why
            (other, ..) => {
                match (&job.part, job.peer.conn()) {
                    (Part::Receive { opened: true }, Some(conn)) => net.send_text(conn, session::BAD_REPLICATION),
                    (Part::Client(Some(Direction::Append)), Some(conn)) => {
                        net.send_text(conn, session::APPEND_FAILED);
                        net.send_text(conn, session::BAD_APPEND);
                    }
                    _ => {}
                }
                return self.fail_job(net, id, &Trouble::Data(other));
            }
        }
        self.next_task(net, id);
    }
}

/// What the labels of the job's session say (`wire/3 §5.6`).
fn label_of(job: &Job) -> SessionLabel {
    let wanted = job.order.uses.iter().find(|group| group.append);
    SessionLabel {
        job_id: job.order.line.job_id,
        written: job.started.0,
        pool: wanted.map(|group| group.pool.clone()).unwrap_or_default().into(),
        pool_type: wanted.map(|group| group.pool_type.clone()).unwrap_or_default().into(),
        job_name: job.order.line.name.clone().into(),
        client: job.order.line.client.clone().into(),
        job: job.order.line.job.clone().into(),
        fileset: job.order.line.fileset.clone().into(),
        job_type: u32::from(job.order.line.kind.letter()),
        level: u32::from(job.order.line.level.letter()),
        fileset_md5: job.order.line.fileset_digest.clone().into(),
    }
}
