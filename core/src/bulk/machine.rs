//! The machines of a data channel. Each is a plain value that the node makes and the connection's task drives.
//!
//! | machine | where | takes | produces |
//! |---|---|---|---|
//! | [`Send`](Machine::Send) | file daemon's backup, storage daemon's restore and copy | parcels from a worker | frames |
//! | [`Archive`](Machine::Archive) | storage daemon's backup and copy | the stream | blocks for the volume, attributes for the director |
//! | [`Restore`](Machine::Restore) | file daemon's restore and verify | the stream | parcels for a worker, lines for the director |
//! | [`Clone`](Machine::Clone) | storage daemon's copy from device to device | parcels from a worker | as `Archive` |
//!
//! A `Clone` moves nothing over its connection: it is carried beside the director's conversation, which goes on.

use crate::bulk::archiver::Archiver;
use crate::bulk::cloner::Cloner;
use crate::bulk::parcel::Parcel;
use crate::bulk::restorer::Restorer;
use crate::bulk::sender::Sender;
use crate::bulk::work::{DiskDone, DiskError, DiskWork, Remark};
use crate::ids::HandleId;
use crate::time::Instant;
use crate::wire::frame::put_data;

/// A data channel's machine.
#[derive(Debug)]
pub enum Machine {
    /// Sends what a worker fills parcels with.
    Send(Sender),
    /// Packs the stream of a backup into blocks.
    Archive(Box<Archiver>),
    /// Hands the stream of a restore or of a verify job to a worker.
    Restore(Restorer),
    /// Packs what a worker reads from one device into blocks for another.
    Clone(Box<Cloner>),
}

/// Which way a machine's data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// To the peer.
    Out,
    /// From the peer.
    In,
    /// From device to device.
    Inside,
}

/// Answers to a peer that asks whether we are there, at most: what it asks for and does not read costs no memory.
const POLLS: u32 = 256;

/// The next answers to so many polls (`wire/1 §1.2`), as a few frames; `None` without any.
pub(super) fn answer_polls(polls: &mut u32) -> Option<Output> {
    let now = (*polls).min(POLLS);
    *polls -= now;
    let mut frames = Vec::new();
    for _ in 0..now {
        put_data(&mut frames, b"2000 OK\n");
    }
    (now > 0).then_some(Output::Bytes(frames))
}

/// What a machine needs written.
#[derive(Debug)]
pub(crate) enum Output {
    /// A few whole frames.
    Bytes(Vec<u8>),
    /// A parcel of whole frames; given back to the machine once it is written.
    Parcel(Parcel),
}

/// Hands a call to whichever machine it is.
macro_rules! each {
    ($self:ident, $machine:ident => $call:expr) => {
        match $self {
            Machine::Send($machine) => $call,
            Machine::Archive($machine) => $call,
            Machine::Restore($machine) => $call,
            Machine::Clone($machine) => $call,
        }
    };
}

/// How a connection drives a machine. After each call of the first group drain the second.
impl Machine {
    /// Says what time it is, before any other call.
    pub(crate) fn advance_to(&mut self, now: Instant) {
        match self {
            Self::Archive(machine) => machine.advance_to(now),
            Self::Clone(machine) => machine.advance_to(now),
            Self::Send(_) | Self::Restore(_) => {}
        }
    }

    /// Makes parcels of this size from now on. Those that are filled by what comes take memory as it comes.
    pub(crate) fn set_parcel(&mut self, bytes: usize) {
        match self {
            Self::Send(machine) => machine.set_parcel(bytes),
            Self::Clone(machine) => machine.set_parcel(bytes),
            Self::Archive(_) | Self::Restore(_) => {}
        }
    }

    /// Whether the peer's bytes are for the machine. If not, the conversation of texts and signals goes on beside it.
    pub(crate) const fn takes_input(&self) -> bool {
        !matches!(self, Self::Clone(_))
    }

    /// Which way its data goes.
    pub(crate) const fn flow(&self) -> Flow {
        match self {
            Self::Send(_) => Flow::Out,
            Self::Archive(_) | Self::Restore(_) => Flow::In,
            Self::Clone(_) => Flow::Inside,
        }
    }

    /// Files and bytes that have gone through so far.
    pub(crate) fn moved(&self) -> (u64, u64) {
        each!(self, machine => machine.moved())
    }

    /// Passes in bytes of the peer; returns how many were taken from the front. Fewer than all: back-pressure, or the end.
    pub(crate) fn on_plain(&mut self, bytes: &[u8]) -> usize {
        match self {
            Self::Send(machine) => machine.on_plain(bytes),
            Self::Archive(machine) => machine.on_plain(bytes),
            Self::Restore(machine) => machine.on_plain(bytes),
            Self::Clone(_) => 0,
        }
    }

    /// A parcel of its output is written.
    pub(crate) fn on_sent(&mut self, parcel: Parcel) {
        if let Self::Send(machine) = self {
            machine.on_sent(parcel);
        }
    }

    /// Takes what came of a piece of work: the `nth` this machine has given, from 0. Those for one handle come in the order
    /// they were given.
    pub(crate) fn handle_done(&mut self, nth: u64, done: DiskDone) {
        match self {
            Self::Send(machine) => machine.handle_done(done),
            Self::Archive(machine) => machine.handle_done(done),
            Self::Restore(machine) => machine.handle_done(done),
            Self::Clone(machine) => machine.handle_done(nth, done),
        }
    }

    /// The workers have stopped.
    pub(crate) fn on_refused(&mut self) {
        match self {
            Self::Send(machine) => machine.end(Outcome::Disk(DiskError::stopped())),
            Self::Archive(machine) => machine.on_refused(),
            Self::Restore(machine) => machine.end(Outcome::Disk(DiskError::stopped())),
            Self::Clone(machine) => machine.on_refused(),
        }
    }

    /// Takes an order of the node.
    pub(crate) fn handle(&mut self, message: ToMachine) {
        each!(self, machine => machine.handle(message));
    }

    /// The peer will send nothing more. A machine that has all it needs goes on.
    pub(crate) fn on_cut(&mut self) {
        match self {
            Self::Send(machine) => machine.on_cut(),
            Self::Archive(machine) => machine.on_cut(),
            Self::Restore(machine) => machine.on_cut(),
            Self::Clone(machine) => machine.on_cut(),
        }
    }

    /// What to write next.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        match self {
            Self::Send(machine) => machine.poll_output(),
            Self::Archive(machine) => machine.poll_output(),
            Self::Restore(_) | Self::Clone(_) => None,
        }
    }

    /// What to have done next; if it is held, nothing that brings more data from device to device.
    pub(crate) fn poll_work(&mut self, is_held: bool) -> Option<DiskWork> {
        match self {
            Self::Send(machine) => machine.poll_work(),
            Self::Archive(machine) => machine.poll_work(),
            Self::Restore(machine) => machine.poll_work(),
            Self::Clone(machine) => machine.poll_work(is_held),
        }
    }

    /// What to tell the node next.
    pub(crate) fn poll_message(&mut self) -> Option<FromMachine> {
        each!(self, machine => machine.poll_message())
    }

    /// Whether there is something to tell the node.
    pub(crate) fn has_message(&self) -> bool {
        each!(self, machine => machine.has_message())
    }

    /// How it ended, once, after its last message.
    pub(crate) fn poll_outcome(&mut self) -> Option<Outcome> {
        each!(self, machine => machine.poll_outcome())
    }

    /// Heartbeats of a peer that only receives.
    pub(crate) const fn heartbeats(&self) -> u64 {
        match self {
            Self::Send(machine) => machine.heartbeats(),
            Self::Archive(_) | Self::Restore(_) | Self::Clone(_) => 0,
        }
    }

    /// Whether it would take more bytes of the peer now.
    pub(crate) fn wants_input(&self) -> bool {
        match self {
            Self::Send(_) | Self::Clone(_) => true,
            Self::Archive(machine) => machine.wants_input(),
            Self::Restore(machine) => machine.wants_input(),
        }
    }

    /// Whether a frame of the peer has been taken in part.
    pub(crate) fn is_in_frame(&self) -> bool {
        match self {
            Self::Archive(machine) => machine.is_in_frame(),
            Self::Restore(machine) => machine.is_in_frame(),
            // One that sends takes whole frames only.
            Self::Send(_) | Self::Clone(_) => false,
        }
    }

    /// Whether it ended where the peer's next frame is text again.
    pub(crate) const fn is_in_step(&self) -> bool {
        match self {
            Self::Send(_) | Self::Clone(_) => true,
            Self::Archive(machine) => machine.is_in_step(),
            Self::Restore(machine) => machine.is_in_step(),
        }
    }
}

/// What the node tells a machine.
#[derive(Debug)]
#[non_exhaustive]
pub enum ToMachine {
    /// A volume is mounted: append to it from here on.
    Volume(HandleId),
    /// A spool file is open.
    Spool(HandleId),
    /// The attributes have reached the director; here is the buffer.
    AttributesSent(Parcel),
    /// The lines of a verify job have reached the director; here is the buffer.
    LinesSent(Parcel),
    /// End as soon as possible: the job is cancelled.
    Stop,
}

/// What a machine tells the node.
#[derive(Debug)]
#[non_exhaustive]
pub enum FromMachine {
    /// The first byte has come: a volume is needed. Answered by `ToMachine::Volume`.
    NeedVolume,
    /// The first byte has come, and data is to be spooled: a file is needed. Answered by `ToMachine::Spool`.
    NeedSpool,
    /// What was spooled goes to the volume.
    Despool {
        /// How much it is.
        bytes: u64,
        /// Why.
        why: Despool,
    },
    /// All that was spooled is in the volume.
    Despooled,
    /// The mounted volume takes no more blocks. `piece` is what this job has in it.
    VolumeFull {
        /// What the job wrote since the last piece.
        piece: Option<Piece>,
        /// Whether the disk is full rather than the volume's limit reached.
        disk_full: bool,
    },
    /// This job has written a block to the volume for the first time.
    FirstBlock,
    /// A piece of about 1 GB is complete (`wire/3 §5.7`).
    Piece(Piece),
    /// How much of the job is on volumes: files that have begun there, and bytes of records. Every ten seconds at most.
    Progress {
        /// The files.
        files: u32,
        /// The bytes.
        bytes: u64,
    },
    /// Attributes whose blocks are in the volume: whole `UpdCat` frames.
    Attributes(Parcel),
    /// What a verify job found: whole frames for the director (`wire/2 §1.12`).
    Lines(Parcel),
    /// What a person should know.
    Remarks(Vec<Remark>),
}

/// Why what was spooled goes to the volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Despool {
    /// The job has sent all.
    Last,
    /// The spool file has as much as it may have.
    Limit,
    /// Its disk is full.
    DiskFull,
}

/// What a job has written to a volume in one go: the numbers of a `CreateJobMedia` and of an `UpdateMedia`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// Lowest file index in it.
    pub first_index: u32,
    /// Highest file index in it.
    pub last_index: u32,
    /// Address of the first byte of the first block.
    pub start: u64,
    /// Address of the last byte of the last block.
    pub end: u64,
    /// Blocks written.
    pub blocks: u32,
    /// Bytes written.
    pub bytes: u64,
    /// Microseconds spent writing.
    pub spent: u64,
}

/// How a machine ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// All was sent, or the stream came to its proper end and all of it is in the volume or on the disk.
    Complete {
        /// Highest file index packed, or 0.
        files: u32,
        /// Payload bytes packed (all streams).
        bytes: u64,
        /// What is left to report of the volume.
        piece: Option<Piece>,
    },
    /// The peer broke the stream's rules.
    BadStream(String),
    /// The peer spoke up in the middle: an error line of the storage daemon.
    PeerSpoke(String),
    /// The disk failed.
    Disk(DiskError),
    /// The node asked to stop.
    Stopped,
    /// The connection ended first.
    Cut,
}
