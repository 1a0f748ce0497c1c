//! A job as the storage daemon sees it: one per session of a director.

use std::collections::{BTreeMap, VecDeque};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::bulk::machine::Piece;
use crate::bulk::parcel::Parcel;
use crate::bulk::work::{DiskWork, Remark, Tally};
use crate::catalog::JobMediaPiece;
use crate::config::{Device, MessageTypes};
use crate::cover::{self, Mark};
use crate::ids::{ConnId, DialId, HandleId};
use crate::node::TimerKey;
use crate::role::diary::{Ended, ForMail};
use crate::role::remarks::Remarks;
use crate::role::report::{Finished, Progress as Moved};
use crate::role::storage::Net;
use crate::script::{Progress, Ran, Script, Scripted};
use crate::secret::Secret;
use crate::time::Wall;
use crate::wire::block::Session;
use crate::wire::bsr::Bootstrap;
use crate::wire::catalog::{Ask, CatalogRequest, JobMedia, MediaUpdate, VolumeInfo};
use crate::wire::message::{JobMessage, MessageKind};
use crate::wire::status::{JobStatus, StatusLine};
use crate::wire::storage::{StorageJob, UseStorage};

use super::catalog_tables::{Event, Halt, Table};
use super::device::Need;
use super::replicate::Stage;
use super::spooling::Spooling;

/// A job from its `JobId=` line to its `3099`.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) order: Order,
    pub(super) daemon: String,
    /// The messages that its director is told.
    pub(super) told: MessageTypes,
    /// Those that are mailed from here.
    pub(super) for_mail: ForMail,
    pub(super) session: Session,
    pub(super) started: Wall,
    /// Who takes part besides the director, and how far the two are.
    pub(super) part: Part,
    /// Where that one is.
    pub(super) peer: Presence,
    pub(super) writing: Writing,
    pub(super) reading: Reading,
    pub(super) spooling: Spooling,
    pub(super) stream: Stream,
    pub(super) dialogue: Dialogue,
    pub(super) said: Said,
    pub(super) counted: Counted,
    pub(super) status: JobStatus,
}

/// What the director has ordered.
#[derive(Debug)]
pub(super) struct Order {
    /// What it said of the job.
    pub(super) line: StorageJob,
    /// What the peer of the data channel must know.
    pub(super) key: Secret,
    pub(super) uses: Vec<UseStorage>,
    pub(super) bootstrap: Arc<Bootstrap>,
    /// The device it appends to.
    pub(super) append: Option<Place>,
    /// The device it reads from.
    pub(super) read: Option<Place>,
    /// Bytes a second that its data may take; 0 for no limit.
    pub(super) bandwidth: u64,
    /// Whether its director takes reports of how much is written.
    pub(super) hears_progress: bool,
}

/// Where the other end of the data channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// It may come, and nobody waits yet.
    Absent,
    /// It is to come before this timer is due.
    Awaited(TimerKey),
    Dialling(DialId),
    Here(ConnId),
    /// It has left, or was not reached.
    Ended,
}

impl Presence {
    /// Its connection.
    pub(super) const fn conn(self) -> Option<ConnId> {
        if let Self::Here(conn) = self { Some(conn) } else { None }
    }

    /// Whether it may still dial in.
    pub(super) const fn may_come(self) -> bool {
        matches!(self, Self::Absent | Self::Awaited(_))
    }

    /// Whether it is expected or dialled.
    pub(super) const fn is_under_way(self) -> bool {
        matches!(self, Self::Awaited(_) | Self::Dialling(_))
    }
}

/// What came, or happened, before the director has said who takes part.
#[derive(Debug, Default)]
pub(super) struct Early {
    /// What is said of the connection once the job starts: the director reads no messages before (`wire/3 §1.3.7`).
    pub(super) connected: Option<String>,
    /// Another storage daemon came before `listen`.
    pub(super) storage_came: bool,
    /// Messages of the file daemon that came before `run`, or of the other storage daemon before `listen`.
    pub(super) texts: Vec<Vec<u8>>,
}

/// The volume being written.
#[derive(Debug, Default)]
pub(super) struct Writing {
    pub(super) handle: Option<HandleId>,
    /// What is known of it.
    pub(super) volume: VolumeInfo,
    /// Volumes that were offered and are of no use, and how many in a row.
    pub(super) unwanted: Vec<String>,
    pub(super) tries: u32,
    /// It was labelled for this job.
    pub(super) labelled: bool,
    /// The catalog keeps it from being recycled.
    pub(super) placeholder: bool,
    /// Where it has written so far.
    pub(super) pieces: Vec<JobMediaPiece>,
    /// When the job asks again for a volume, having found none.
    pub(super) retry: Option<TimerKey>,
}

/// The volumes being read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) handle: Option<HandleId>,
    /// What is known of the last that was asked for.
    pub(super) source: VolumeInfo,
    /// Names of those whose place in the catalog is still to be asked.
    pub(super) volumes: VecDeque<String>,
    /// Folders of volumes that lie with another device than the one that reads.
    pub(super) elsewhere: BTreeMap<String, String>,
    pub(super) tally: Tally,
}

/// How far the data of the job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    /// To come, or under way.
    Open,
    /// All of it was handed to TCP, and the file daemon that restores has not yet said that it has it.
    Sent,
    /// At its good end: the peer may hang up.
    Done,
    /// The reading storage daemon waits for the answer to `end replicate`.
    EndAsked,
}

/// The dialogues with the director's catalog.
#[derive(Debug, Default)]
pub(super) struct Dialogue {
    /// The one under way, and the piece it is about.
    pub(super) script: Option<Script<Job>>,
    pub(super) piece: Option<Piece>,
    pub(super) tasks: VecDeque<Task>,
}

/// What the director was told, or is to be.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) status: Option<JobStatus>,
    /// What is to be said of single files and volumes.
    pub(super) remarks: Remarks,
    /// Parcels on their way to it, in order: whether they are attributes, whose memory is the machine's.
    pub(super) sent: VecDeque<bool>,
}

/// How much it was.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) files: u32,
    pub(super) bytes: u64,
    pub(super) errors: u32,
    /// What its data channel had moved when a status last asked.
    pub(super) progress: Option<Moved>,
}

/// Which way the data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Append,
    Read,
    /// From device to device.
    Copy,
}

/// Who takes part in a job besides the director, and how far the two are.
#[derive(Debug)]
pub(super) enum Part {
    /// The director has not said yet: neither `run` nor `listen` nor `replicate` has come.
    Ordered(Early),
    /// A file daemon; which way the data goes once it has said so.
    Client(Option<Direction>),
    /// Another storage daemon, which reads; whether it has said that it begins.
    Receive { opened: bool },
    /// Another storage daemon, which writes.
    Send(Stage),
    /// Nobody.
    Clone,
}

impl Part {
    /// Whether the director has told the job to begin.
    pub(super) const fn has_begun(&self) -> bool {
        !matches!(self, Self::Ordered(_) | Self::Send(Stage::Dialling | Stage::Connected))
    }

    /// Which way the data goes, once that is known.
    pub(super) const fn direction(&self) -> Option<Direction> {
        match self {
            Self::Client(direction) => *direction,
            Self::Receive { opened: true } => Some(Direction::Append),
            Self::Send(_) if self.has_begun() => Some(Direction::Read),
            Self::Clone => Some(Direction::Copy),
            Self::Ordered(_) | Self::Receive { opened: false } | Self::Send(_) => None,
        }
    }

    /// Whether a file daemon takes part.
    pub(super) const fn is_client(&self) -> bool {
        matches!(self, Self::Client(_))
    }
}

/// The net, and the way to the director of a job: its control channel.
pub(super) struct Control<'a> {
    net: &'a mut Net,
    director: ConnId,
}

impl<'a> Control<'a> {
    pub(super) const fn new(net: &'a mut Net, director: ConnId) -> Self {
        Self { net, director }
    }

    /// The director's connection.
    pub(super) const fn director(&self) -> ConnId {
        self.director
    }

    /// Says something to the director.
    pub(super) fn tell(&mut self, text: impl AsRef<[u8]>) {
        self.net.send_text(self.director, text);
    }
}

impl Deref for Control<'_> {
    type Target = Net;

    fn deref(&self) -> &Net {
        self.net
    }
}

impl DerefMut for Control<'_> {
    fn deref_mut(&mut self) -> &mut Net {
        self.net
    }
}

/// A device: where it keeps its volumes, and what it does with them.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) device: String,
    pub(super) folder: String,
    /// Whether it labels new volumes.
    pub(super) labels: bool,
    /// Bytes a volume may have here; 0: no limit of the device's own.
    pub(super) most: u64,
    /// The devices of which this is one, while the job has not taken any.
    pub(super) choices: Need,
}

impl Place {
    pub(super) fn of(device: &Device) -> Self {
        let (name, folder) = (device.name.clone(), device.archive_device.clone());
        let choices = vec![name.clone()];
        Self { device: name, folder, labels: device.label_media, most: device.maximum_volume_size.0, choices }
    }

    /// Bytes a volume may have: the smaller of its own limit and the device's, 0 being none.
    pub(super) const fn limit(&self, volume: u64) -> u64 {
        match (volume, self.most) {
            (0, most) => most,
            (volume, most) if most == 0 || volume < most => volume,
            (_, most) => most,
        }
    }
}

/// A dialogue with the director's catalog that waits for its turn.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) table: Table,
    pub(super) piece: Option<Piece>,
}

impl Job {
    pub(super) fn new(order: Order, (daemon, told): (String, MessageTypes), session: Session, started: Wall) -> Self {
        Self {
            order,
            daemon,
            told,
            for_mail: ForMail::of(MessageTypes::NONE),
            session,
            started,
            part: Part::Ordered(Early::default()),
            peer: Presence::Absent,
            writing: Writing::default(),
            reading: Reading::default(),
            spooling: Spooling::default(),
            stream: Stream::Open,
            dialogue: Dialogue::default(),
            said: Said::default(),
            counted: Counted::default(),
            status: JobStatus::Running,
        }
    }

    /// The other end of the data channel is here.
    pub(super) fn peer_is_here(&mut self, net: &mut Net, conn: ConnId) {
        if let Presence::Awaited(timer) = std::mem::replace(&mut self.peer, Presence::Here(conn)) {
            net.cancel_timer(timer);
        }
    }

    /// The volume is open: takes over what was found.
    pub(super) fn mounted(&mut self, net: &mut Control<'_>, bytes: u64, labelled: bool, cut: u64, spent: u64) {
        self.writing.labelled = labelled;
        self.writing.volume.write_time += spent;
        if labelled {
            let volume = &mut self.writing.volume;
            (volume.bytes, volume.blocks, volume.files) = (bytes, 1, 0);
            volume.writes += 1;
            let folder = self.folder();
            let text = format!("Labeled new Volume \"{}\" on device \"{folder}\".", self.writing.volume.volume);
            self.message(net, MessageKind::Info, &text);
        } else if self.writing.volume.bytes != bytes {
            cover::hit(Mark::VolumeCut);
            let text = format!(
                "Volume \"{}\" has {bytes} bytes where the catalog knows {}: the catalog is corrected.",
                self.writing.volume.volume, self.writing.volume.bytes
            );
            self.writing.volume.bytes = bytes;
            self.message(net, MessageKind::Warning, &text);
        }
        if cut > 0 {
            let text = format!("{cut} bytes of a torn block were cut off Volume \"{}\".", self.writing.volume.volume);
            self.message(net, MessageKind::Warning, &text);
        }
    }

    /// The folder that it appends to volumes in.
    pub(super) fn folder(&self) -> &str {
        self.order.append.as_ref().map_or("", |place| &place.folder)
    }

    /// Whether it still works towards a good end.
    pub(super) fn is_alive(&self) -> bool {
        !self.status.is_canceled()
    }

    /// Its end, for a mail.
    pub(super) fn ended(&self) -> Ended<'_> {
        let line = &self.order.line;
        Ended { id: line.job_id, name: &line.job, status: self.status, said: &self.for_mail }
    }

    /// Sends a job message to its director.
    pub(super) fn message(&mut self, net: &mut Control<'_>, kind: MessageKind, text: &str) {
        if matches!(kind, MessageKind::Error | MessageKind::Fatal) {
            self.counted.errors += 1;
        }
        self.for_mail.add(kind, net.wall().seconds(), text);
        if !self.told.has(kind) {
            return;
        }
        let (daemon, name) = (&self.daemon, &self.order.line.job);
        let message = JobMessage::compose(daemon, self.order.line.job_id, name, kind, net.wall().seconds(), text);
        net.tell(message.to_line());
    }

    /// Says what is to be said of single files and volumes, as fast as the director takes it.
    pub(super) fn remark(&mut self, net: &mut Control<'_>, remarks: &[Remark]) {
        for remark in remarks {
            let kind = MessageKind::from_number(i32::from(remark.kind));
            if matches!(kind, MessageKind::Error | MessageKind::Fatal) {
                self.counted.errors += 1;
            }
            self.for_mail.add(kind, net.wall().seconds(), &remark.text);
            if self.told.has(kind) && self.said.remarks.takes_more() {
                let (daemon, name, time) = (&self.daemon, &self.order.line.job, net.wall().seconds());
                let message = JobMessage::compose(daemon, self.order.line.job_id, name, kind, time, &remark.text);
                self.said.remarks.add(&message.to_line());
            }
        }
        self.send_remarks(net);
    }

    fn send_remarks(&mut self, net: &mut Control<'_>) {
        if let Some(parcel) = self.said.remarks.next() {
            self.said.sent.push_back(false);
            net.net.send_parcel(net.director, parcel);
        }
    }

    /// Sends attributes for the catalog.
    pub(super) fn send_attributes(&mut self, net: &mut Control<'_>, parcel: Parcel) {
        self.said.sent.push_back(true);
        net.net.send_parcel(net.director, parcel);
    }

    /// The director has taken a parcel. True if it was of attributes.
    pub(super) fn parcel_taken(&mut self, net: &mut Control<'_>) -> bool {
        let are_attributes = self.said.sent.pop_front();
        if are_attributes == Some(false) {
            self.said.remarks.taken();
            self.send_remarks(net);
        }
        are_attributes == Some(true)
    }

    /// Says what of the remarks still waits, and how many were left out.
    pub(super) fn last_remarks(&mut self, net: &mut Control<'_>) {
        let (frames, left_out) = self.said.remarks.finish();
        if !frames.is_empty() {
            net.net.send(net.director, frames);
        }
        if let Some(text) = left_out {
            self.message(net, MessageKind::Warning, &text);
        }
    }

    /// Tells the director a status, if it has changed (`wire/3 §2.5`).
    pub(super) fn say_status(&mut self, net: &mut Control<'_>, status: JobStatus) {
        if self.said.status != Some(status) {
            self.said.status = Some(status);
            net.tell(StatusLine { job: self.order.line.job.clone(), status }.to_line());
        }
    }

    /// Asks the director's catalog.
    pub(super) fn ask(&self, net: &mut Control<'_>, ask: Ask) {
        net.tell(CatalogRequest { job: self.order.line.job.clone(), ask }.to_line());
    }

    /// Reports the counters of the volume being written.
    pub(super) fn ask_update(&self, net: &mut Control<'_>, relabel: bool) {
        self.ask_update_of(net, &self.writing.volume, relabel);
    }

    /// Reports a volume's counters.
    pub(super) fn ask_update_of(&self, net: &mut Control<'_>, volume: &VolumeInfo, relabel: bool) {
        let status = if volume.status == "Unlabeled" && volume.bytes > 0 { "Append" } else { &volume.status };
        let update = MediaUpdate {
            volume: volume.volume.clone(),
            jobs: volume.jobs,
            files: volume.files,
            blocks: volume.blocks,
            bytes: volume.bytes,
            mounts: volume.mounts,
            errors: volume.errors,
            writes: volume.writes,
            max_bytes: volume.max_bytes,
            end_time: net.wall().seconds(),
            status: if relabel { "Append".to_owned() } else { status.to_owned() },
            slot: volume.slot,
            relabel,
            in_changer: volume.in_changer,
            read_time: volume.read_time,
            write_time: volume.write_time,
            first_written: 0,
        };
        self.ask(net, Ask::UpdateMedia(update));
    }

    /// Counts a piece into the volume's counters.
    pub(super) fn count(&mut self, piece: &Piece) {
        let volume = &mut self.writing.volume;
        volume.blocks += piece.blocks;
        volume.writes += piece.blocks;
        volume.bytes += piece.bytes;
        volume.write_time += piece.spent;
        volume.files = u32::try_from(piece.end >> 32).unwrap_or(u32::MAX);
    }

    /// Puts a dialogue with the catalog at the end of the queue.
    pub(super) fn queue(&mut self, table: Table, piece: Option<Piece>) {
        self.dialogue.tasks.push_back(Task { table, piece });
    }

    /// Whether it waits: for a volume, for its turn on a device, for its file daemon to be reached.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.peer, Presence::Dialling(_))
            || matches!(self.said.status, Some(JobStatus::WaitMedia | JobStatus::WaitStorage))
    }

    /// Whether the dialogue under way waits for this event.
    pub(super) fn waits_for(&self, event: Event) -> bool {
        self.dialogue.script.as_ref().is_some_and(|script| script.waits_for(event))
    }

    /// Starts the next dialogue if none is under way.
    pub(super) fn next_task(&mut self, net: &mut Control<'_>) -> Ran<Self> {
        if self.dialogue.script.is_some() {
            return Ok(Progress::Waiting);
        }
        let Some(task) = self.dialogue.tasks.pop_front() else { return Ok(Progress::Waiting) };
        self.dialogue.piece = task.piece;
        self.begin(task.table, net)
    }

    pub(super) fn finished(&self, ended: Wall) -> Finished {
        Finished {
            id: self.order.line.job_id,
            name: self.order.line.name.clone(),
            level: Some(self.order.line.level.letter()),
            files: self.counted.files,
            bytes: self.counted.bytes,
            errors: self.counted.errors,
            status: self.status,
            ended,
        }
    }
}

impl Scripted for Job {
    type Tools<'a> = Control<'a>;
    type Event = Event;
    type News = ();
    type Want = DiskWork;
    type Trouble = Halt;

    fn script(&mut self) -> Option<&mut Option<Script<Self>>> {
        Some(&mut self.dialogue.script)
    }
}

/// The numbers of a `CreateJobMedia` (`wire/3 §5.7`).
pub(super) fn job_media(piece: &Piece, media_id: u64) -> JobMedia {
    let half = |address: u64| (u32::try_from(address >> 32).unwrap_or(u32::MAX), (address & 0xffff_ffff) as u32);
    let ((start_file, start_block), (end_file, end_block)) = (half(piece.start), half(piece.end));
    let (first_index, last_index) = (piece.first_index, piece.last_index);
    JobMedia { first_index, last_index, start_file, end_file, start_block, end_block, copy: 0, stripe: 0, media_id }
}
