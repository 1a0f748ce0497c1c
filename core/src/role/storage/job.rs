//! A job as the storage daemon sees it: one per session of a director.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::bulk::machine::Piece;
use crate::bulk::parcel::Parcel;
use crate::bulk::work::{DiskWork, Remark, Tally};
use crate::config::Device;
use crate::ids::{ConnId, DialId, HandleId};
use crate::node::TimerKey;
use crate::role::remarks::Remarks;
use crate::role::report::Progress as Moved;
use crate::role::script::{Progress, Ran, Script, Scripted};
use crate::role::storage::Net;
use crate::secret::Secret;
use crate::time::Wall;
use crate::wire::block::Session;
use crate::wire::bsr::Bootstrap;
use crate::wire::catalog::{Ask, CatalogRequest, JobMedia, MediaUpdate, VolumeInfo};
use crate::wire::message::{JobMessage, MessageKind};
use crate::wire::status::{JobStatus, StatusLine};
use crate::wire::storage::{StorageJob, UseStorage};

use super::catalog_tables::{Event, Table, Trouble};
use super::replicate::Stage;

/// A job from its `JobId=` line to its `3099`.
#[derive(Debug)]
pub(super) struct Job {
    /// What the director said of it.
    pub(super) line: StorageJob,
    /// The connection of its director.
    pub(super) director: ConnId,
    pub(super) daemon: String,
    pub(super) session: Session,
    pub(super) key: Secret,
    pub(super) uses: Vec<UseStorage>,
    pub(super) bootstrap: Arc<Bootstrap>,
    /// Whether `run` has come.
    pub(super) run: bool,
    pub(super) file: Option<ConnId>,
    /// The dial to a passive file daemon.
    pub(super) dial: Option<DialId>,
    /// What is said of the connection once the job starts: the director reads no messages before (`wire/3 §1.3.7`).
    pub(super) connected: Option<String>,
    /// Whether another storage daemon came before `listen`.
    pub(super) storage_is_early: bool,
    /// Messages of the file daemon that came before `run`, or of the other storage daemon before `listen`.
    pub(super) early: VecDeque<Vec<u8>>,
    pub(super) wait: Option<TimerKey>,
    pub(super) opened: Option<Direction>,
    /// Who takes part besides the director.
    pub(super) part: Part,
    /// The devices it appends to and reads from.
    pub(super) append: Option<Place>,
    pub(super) read: Option<Place>,
    /// The devices it does not have yet.
    pub(super) lacking: VecDeque<String>,
    /// The volume being written, and what is known of it.
    pub(super) handle: Option<HandleId>,
    pub(super) volume: VolumeInfo,
    /// The volumes being read, and what is known of the last that was asked for.
    pub(super) reader: Option<HandleId>,
    pub(super) source: VolumeInfo,
    pub(super) unwanted: Vec<String>,
    pub(super) tries: u32,
    /// Names of the volumes of a read whose place in the catalog is still to be asked.
    pub(super) volumes: VecDeque<String>,
    pub(super) labelled: bool,
    pub(super) script: Option<Script<Self>>,
    pub(super) tasks: VecDeque<Task>,
    pub(super) piece: Option<Piece>,
    pub(super) tally: Tally,
    pub(super) status: JobStatus,
    pub(super) sent_status: Option<JobStatus>,
    /// What is to be said of single files and volumes.
    pub(super) remarks: Remarks,
    /// Parcels on their way to the director, in order: whether they are attributes, whose memory is the machine's.
    pub(super) sent: VecDeque<bool>,
    pub(super) files: u32,
    pub(super) bytes: u64,
    pub(super) errors: u32,
    pub(super) placeholder: bool,
    /// The stream has come to its good end: the peer may hang up.
    pub(super) stream_done: bool,
    /// The reading storage daemon waits for the answer to `end replicate`.
    pub(super) end_is_asked: bool,
    pub(super) started: Wall,
    /// Bytes a second that its data may take; 0 for no limit.
    pub(super) bandwidth: u64,
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

/// Who takes part in a job besides the director.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A file daemon.
    Client,
    /// Another storage daemon, which reads.
    Receive,
    /// Another storage daemon, which writes.
    Send(Stage),
    /// Nobody.
    Clone,
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
}

impl Place {
    pub(super) fn of(device: &Device) -> Self {
        let (name, folder) = (device.name.clone(), device.archive_device.clone());
        Self { device: name, folder, labels: device.label_media, most: device.maximum_volume_size.0 }
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

/// A job that has ended, for the status.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) level: u8,
    pub(super) files: u32,
    pub(super) bytes: u64,
    pub(super) errors: u32,
    pub(super) status: JobStatus,
    pub(super) ended: Wall,
}

impl Job {
    pub(super) fn new(
        line: StorageJob,
        director: ConnId,
        daemon: String,
        session: Session,
        key: Secret,
        started: Wall,
    ) -> Self {
        Self {
            line,
            director,
            daemon,
            session,
            key,
            uses: Vec::new(),
            bootstrap: Arc::default(),
            run: false,
            file: None,
            dial: None,
            connected: None,
            storage_is_early: false,
            early: VecDeque::new(),
            wait: None,
            opened: None,
            part: Part::Client,
            append: None,
            read: None,
            lacking: VecDeque::new(),
            handle: None,
            volume: VolumeInfo::default(),
            reader: None,
            source: VolumeInfo::default(),
            unwanted: Vec::new(),
            tries: 0,
            volumes: VecDeque::new(),
            labelled: false,
            script: None,
            tasks: VecDeque::new(),
            piece: None,
            tally: Tally::default(),
            status: JobStatus::Running,
            sent_status: None,
            files: 0,
            bytes: 0,
            remarks: Remarks::default(),
            sent: VecDeque::new(),
            errors: 0,
            placeholder: false,
            stream_done: false,
            end_is_asked: false,
            started,
            bandwidth: 0,
            progress: None,
        }
    }

    /// The volume is open: takes over what was found.
    pub(super) fn mounted(&mut self, net: &mut Net, bytes: u64, labelled: bool, cut: u64, spent: u64) {
        self.labelled = labelled;
        self.volume.write_time += spent;
        if labelled {
            let volume = &mut self.volume;
            (volume.bytes, volume.blocks, volume.files) = (bytes, 1, 0);
            volume.writes += 1;
            let folder = self.append.as_ref().map_or("", |place| place.folder.as_str());
            let text = format!("Labeled new Volume \"{}\" on device \"{folder}\".", self.volume.volume);
            self.message(net, MessageKind::Info, &text);
        } else if self.volume.bytes != bytes {
            let text = format!(
                "Volume \"{}\" has {bytes} bytes where the catalog knows {}: the catalog is corrected.",
                self.volume.volume, self.volume.bytes
            );
            self.volume.bytes = bytes;
            self.message(net, MessageKind::Warning, &text);
        }
        if cut > 0 {
            let text = format!("{cut} bytes of a torn block were cut off Volume \"{}\".", self.volume.volume);
            self.message(net, MessageKind::Warning, &text);
        }
    }

    /// Whether it still works towards a good end.
    pub(super) fn is_alive(&self) -> bool {
        !self.status.is_canceled()
    }

    /// Sends a job message to its director.
    pub(super) fn message(&mut self, net: &mut Net, kind: MessageKind, text: &str) {
        if matches!(kind, MessageKind::Error | MessageKind::Fatal) {
            self.errors += 1;
        }
        let (daemon, name) = (&self.daemon, &self.line.job);
        let message = JobMessage::compose(daemon, self.line.job_id, name, kind, net.wall().seconds(), text);
        net.send_text(self.director, message.to_line());
    }

    /// Says what is to be said of single files and volumes, as fast as the director takes it.
    pub(super) fn remark(&mut self, net: &mut Net, remarks: &[Remark]) {
        for remark in remarks {
            let kind = MessageKind::from_number(i32::from(remark.kind));
            if matches!(kind, MessageKind::Error | MessageKind::Fatal) {
                self.errors += 1;
            }
            if self.remarks.takes_more() {
                let (daemon, name, time) = (&self.daemon, &self.line.job, net.wall().seconds());
                let message = JobMessage::compose(daemon, self.line.job_id, name, kind, time, &remark.text);
                self.remarks.add(&message.to_line());
            }
        }
        self.send_remarks(net);
    }

    fn send_remarks(&mut self, net: &mut Net) {
        if let Some(parcel) = self.remarks.next() {
            self.sent.push_back(false);
            net.send_parcel(self.director, parcel);
        }
    }

    /// Sends attributes for the catalog.
    pub(super) fn send_attributes(&mut self, net: &mut Net, parcel: Parcel) {
        self.sent.push_back(true);
        net.send_parcel(self.director, parcel);
    }

    /// The director has taken a parcel. True if it was of attributes.
    pub(super) fn parcel_taken(&mut self, net: &mut Net) -> bool {
        let are_attributes = self.sent.pop_front();
        if are_attributes == Some(false) {
            self.remarks.taken();
            self.send_remarks(net);
        }
        are_attributes == Some(true)
    }

    /// Says what of the remarks still waits, and how many were left out.
    pub(super) fn last_remarks(&mut self, net: &mut Net) {
        let (frames, left_out) = self.remarks.finish();
        if !frames.is_empty() {
            net.send(self.director, frames);
        }
        if let Some(text) = left_out {
            self.message(net, MessageKind::Warning, &text);
        }
    }

    /// Tells the director a status, if it has changed (`wire/3 §2.5`).
    pub(super) fn say_status(&mut self, net: &mut Net, status: JobStatus) {
        if self.sent_status != Some(status) {
            self.sent_status = Some(status);
            net.send_text(self.director, StatusLine { job: self.line.job.clone(), status }.to_line());
        }
    }

    /// Asks the director's catalog.
    pub(super) fn ask(&self, net: &mut Net, ask: Ask) {
        net.send_text(self.director, CatalogRequest { job: self.line.job.clone(), ask }.to_line());
    }

    /// Reports the counters of the volume being written.
    pub(super) fn ask_update(&self, net: &mut Net, relabel: bool) {
        self.ask_update_of(net, &self.volume, relabel);
    }

    /// Reports a volume's counters.
    pub(super) fn ask_update_of(&self, net: &mut Net, volume: &VolumeInfo, relabel: bool) {
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
        let volume = &mut self.volume;
        volume.blocks += piece.blocks;
        volume.writes += piece.blocks;
        volume.bytes += piece.bytes;
        volume.write_time += piece.spent;
        volume.files = u32::try_from(piece.end >> 32).unwrap_or(u32::MAX);
    }

    /// Puts a dialogue with the catalog at the end of the queue.
    pub(super) fn queue(&mut self, table: Table, piece: Option<Piece>) {
        self.tasks.push_back(Task { table, piece });
    }

    /// Whether it waits: for a volume, for its turn on a device, for its file daemon to be reached.
    pub(super) fn is_waiting(&self) -> bool {
        self.dial.is_some() || matches!(self.sent_status, Some(JobStatus::WaitMedia | JobStatus::WaitStorage))
    }

    /// Whether the dialogue under way waits for this event.
    pub(super) fn waits_for(&self, event: Event) -> bool {
        self.script.as_ref().is_some_and(|script| script.waits_for(event))
    }

    /// Starts the next dialogue if none is under way.
    pub(super) fn next_task(&mut self, net: &mut Net) -> Ran<Self> {
        if self.script.is_some() {
            return Ok(Progress::Waiting);
        }
        let Some(task) = self.tasks.pop_front() else { return Ok(Progress::Waiting) };
        self.piece = task.piece;
        self.begin(task.table, net)
    }

    pub(super) fn finished(&self, ended: Wall) -> Finished {
        Finished {
            id: self.line.job_id,
            name: self.line.name.clone(),
            level: self.line.level.letter(),
            files: self.files,
            bytes: self.bytes,
            errors: self.errors,
            status: self.status,
            ended,
        }
    }
}

impl Scripted for Job {
    type Tools<'a> = Net;
    type Event = Event;
    type News = ();
    type Want = DiskWork;
    type Trouble = Trouble;

    fn script(&mut self) -> Option<&mut Option<Script<Self>>> {
        Some(&mut self.script)
    }
}

/// The numbers of a `CreateJobMedia` (`wire/3 §5.7`).
pub(super) fn job_media(piece: &Piece, media_id: u64) -> JobMedia {
    let half = |address: u64| (u32::try_from(address >> 32).unwrap_or(u32::MAX), (address & 0xffff_ffff) as u32);
    let ((start_file, start_block), (end_file, end_block)) = (half(piece.start), half(piece.end));
    let (first_index, last_index) = (piece.first_index, piece.last_index);
    JobMedia { first_index, last_index, start_file, end_file, start_block, end_block, copy: 0, stripe: 0, media_id }
}
