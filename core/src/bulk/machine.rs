//! The machines of a data channel. Each is a plain value that the node makes and the connection's task drives.
//!
//! | machine | where | takes | gives |
//! |---|---|---|---|
//! | [`Send`](Machine::Send) | file daemon's backup, storage daemon's restore | parcels from a worker | frames |
//! | [`Archive`](Machine::Archive) | storage daemon's backup | the stream | blocks for the volume, attributes for the director |
//! | [`Restore`](Machine::Restore) | file daemon's restore | the stream | parcels for a worker |

use crate::bulk::parcel::Parcel;
use crate::bulk::work::{DiskError, Remark};
use crate::ids::HandleId;

/// A data channel's machine.
#[derive(Debug)]
pub enum Machine {
    /// Sends what a worker fills parcels with.
    Send(super::sender::Sender),
    /// Packs the stream of a backup into blocks.
    Archive(Box<super::archiver::Archiver>),
    /// Hands the stream of a restore to a worker.
    Restore(super::restorer::Restorer),
}

/// What the node tells a machine.
#[derive(Debug)]
#[non_exhaustive]
pub enum ToMachine {
    /// A volume is mounted: append to it from here on.
    Volume(HandleId),
    /// The attributes have reached the director; here is the buffer.
    AttributesSent(Parcel),
    /// End as soon as possible: the job is cancelled.
    Stop,
}

/// What a machine tells the node.
#[derive(Debug)]
#[non_exhaustive]
pub enum FromMachine {
    /// The first byte has come: a volume is needed. Answered by `ToMachine::Volume`.
    NeedVolume,
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
    /// Attributes whose blocks are in the volume: whole `UpdCat` frames.
    Attributes(Parcel),
    /// What a person should know.
    Remarks(Vec<Remark>),
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
