//! Pieces of work for the disk, and what came of them. The unit is a parcel or a block, never a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bulk::known::Changes;
use crate::bulk::parcel::Parcel;
use crate::bulk::refused::Refused;
use crate::bulk::stores::StoreTrouble;
use crate::bulk::unsaved::UnsavedList;
use crate::ids::HandleId;
use crate::wire::block::Session;
use crate::wire::bsr::Bootstrap;
use crate::wire::fate::{FateNames, Fates};
use crate::wire::fileset::FileSet;
use crate::wire::label::VolumeLabel;
use crate::wire::relocation::Relocation;

/// A piece of work for the disk. Pieces for one handle are done in the order they were submitted.
#[derive(Debug)]
#[non_exhaustive]
pub enum DiskWork {
    /// File daemon: begin to walk and read a fileset. Answered by `Opened`.
    OpenBackup {
        /// The name of what is opened, chosen by the node.
        handle: HandleId,
        /// What to back up.
        fileset: Arc<FileSet>,
        /// Which of it.
        changes: Changes,
        /// Where the list of what could not be saved is kept, if anywhere.
        unsaved: Option<UnsavedList>,
        /// What may be run for it.
        permits: Permits,
    },
    /// File daemon: begin to walk a fileset and count what a backup would save. Answered by `Opened`; `Fill` then returns
    /// frames with a line for each entry, if wanted, and may give none before the last; the tally counts files and the
    /// bytes to be read.
    OpenEstimate {
        /// The name of what is opened, chosen by the node.
        handle: HandleId,
        /// What would be backed up.
        fileset: Arc<FileSet>,
        /// Which of it.
        changes: Changes,
        /// Whether each entry gets a line.
        listing: bool,
        /// What may be run for it.
        permits: Permits,
    },
    /// File daemon: begin to restore. Answered by `Opened`.
    OpenRestore {
        /// The name of what is opened, chosen by the node.
        handle: HandleId,
        /// Where and how.
        order: RestoreOrder,
    },
    /// File daemon: begin to look through what is on volumes, and write nothing. Answered by `Opened`.
    OpenVerify {
        /// The name of what is opened, chosen by the node.
        handle: HandleId,
        /// What was backed up: it says which digests are to be expected.
        fileset: Arc<FileSet>,
    },
    /// File daemon: begin to look at the entries of a fileset. Answered by `Opened`; `Fill` then returns frames with what a
    /// director compares (`wire/2 §1.12`), and may give none before the last.
    OpenLook {
        /// The name of what is opened, chosen by the node.
        handle: HandleId,
        /// What is looked at.
        fileset: Arc<FileSet>,
        /// What may be run for it.
        permits: Permits,
    },
    /// Storage daemon: begin to read the records a bootstrap selects, volume after volume. Answered by `Opened`.
    OpenRead {
        /// The name of what is opened, chosen by the node.
        handle: HandleId,
        /// The folder of the device.
        folder: String,
        /// Volumes that lie in the folder of another device, by their names.
        elsewhere: BTreeMap<String, String>,
        /// What to read.
        bootstrap: Arc<Bootstrap>,
        /// How the records are framed.
        form: ReadForm,
    },
    /// Storage daemon: open a volume to append; label it first if `label` is given. Answered by `Mounted` or `Failed`.
    Mount {
        /// The name of what is opened, chosen by the node.
        handle: HandleId,
        /// The folder of the device.
        folder: String,
        /// The volume's name and the rest of its label.
        label: VolumeLabel,
        /// What to expect in the file.
        expect: Expect,
        /// Where the volume is full, in bytes; 0 means no limit.
        limit: u64,
        /// Ids for the block header of a new label (`wire/3 §5.5`).
        session: Session,
    },
    /// Storage daemon: write a label for an operator. A file that holds anything but this very label is left alone, unless
    /// it is the volume `before`. Answered by `Labelled` or `Failed`; nothing stays open.
    Label {
        /// The folder of the device.
        folder: String,
        /// The volume's name and the rest of its label.
        label: VolumeLabel,
        /// The name that the volume has had: what is on it is given up. It may be the same.
        before: Option<String>,
    },
    /// Storage daemon: make a file for what waits. Answered by `Opened`; closing removes it.
    OpenSpool {
        /// The name of what is opened, chosen by the node.
        handle: HandleId,
        /// Which file.
        file: SpoolFile,
    },
    /// Put something into a spool file, or take it out. Answered by `Spool`.
    Spool {
        /// The open file.
        handle: HandleId,
        /// Which.
        work: SpoolWork,
    },
    /// Fill a parcel with the next frames of a backup or of a read. Answered by `Filled`.
    Fill {
        /// What is open.
        handle: HandleId,
        /// A parcel to pack over: what is in it counts for nothing.
        parcel: Parcel,
    },
    /// Restore these bytes of the storage daemon's stream. Answered by `Applied`.
    Apply {
        /// What is open.
        handle: HandleId,
        /// The bytes, cut anywhere.
        parcel: Parcel,
    },
    /// Look through these bytes of the storage daemon's stream. Answered by `Verified`.
    Verify {
        /// What is open.
        handle: HandleId,
        /// The bytes, cut anywhere.
        parcel: Parcel,
        /// An empty parcel for what is to be said of them.
        lines: Parcel,
    },
    /// Append a full block to the mounted volume. Answered by `Appended`, `VolumeFull` or `Failed`. A volume that was full
    /// once stays full: what is asked for after it is refused too, even if it is shorter, so that blocks stay in order.
    Append {
        /// The mounted volume.
        handle: HandleId,
        /// The block: sealed (its checksum computed) on the worker.
        block: Vec<u8>,
    },
    /// Make everything appended so far survive a power cut. Answered by `Synced`.
    Sync {
        /// The mounted volume.
        handle: HandleId,
    },
    /// Append this text to a file for people to read; create the file if there is none. Answered by `Noted` or `Failed`.
    Note {
        /// The file.
        path: String,
        /// Whole lines.
        text: Vec<u8>,
    },
    /// Put this text into a file: the whole file takes its place in one step. What is no regular file is written into.
    /// Answered by `Noted` or `Failed`.
    Put {
        /// The file.
        path: String,
        /// What to put into it.
        text: Vec<u8>,
        /// Whether it goes after what the file has.
        appends: bool,
    },
    /// End what is open, whatever its state. Answered by `Closed`.
    Close {
        /// What is open.
        handle: HandleId,
    },
}

/// A file for what waits until a volume, or the director, takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolFile {
    /// The folder.
    pub folder: String,
    /// Its name in the folder.
    pub name: String,
    /// The device whose files have a limit together.
    pub device: String,
    /// Bytes it may hold; 0: no limit.
    pub limit: u64,
    /// Bytes that all files of the device may hold; 0: no limit.
    pub device_limit: u64,
}

/// What is done with a spool file. Once a piece was refused all are, until the file was emptied.
#[derive(Debug)]
pub enum SpoolWork {
    /// Put this in, behind all else. The first piece fits whatever the limits are.
    Hold {
        /// The piece.
        bytes: Vec<u8>,
        /// Two numbers that come out with it.
        marks: [i32; 2],
    },
    /// Take out the first that is in it. After the last the file is empty.
    Next {
        /// Memory for it.
        buffer: Vec<u8>,
    },
}

/// What came of work with a spool file.
#[derive(Debug, PartialEq, Eq)]
pub enum SpoolDone {
    /// The piece is in it.
    Held {
        /// The memory of the piece, empty.
        buffer: Vec<u8>,
        /// Bytes that are in it now.
        held: u64,
    },
    /// The piece does not fit.
    Full {
        /// The piece, untouched.
        bytes: Vec<u8>,
        /// Whether the disk is full rather than a limit reached.
        disk_full: bool,
    },
    /// The next piece and its numbers; none after the last.
    Next(Option<(Vec<u8>, [i32; 2])>),
    /// It failed.
    Failed(DiskError),
}

/// How the records of a read are framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadForm {
    /// For a file daemon: a `rechdr` before each record (`wire/3 §3.4`).
    Restore,
    /// For another storage daemon: streams as in a backup, with the file indexes as they are (`wire/3 §4`).
    Replicate,
    /// For another storage daemon that makes one job of several (`wire/3 §1.8`): the same, with the files of all sessions
    /// counted from 1 without a gap.
    Join,
    /// For another device of this daemon: streams as in a backup, with the files of all sessions counted from 1 without a gap,
    /// after one frame with the label of the first session (`wire/3 §1.7`).
    Clone,
}

impl ReadForm {
    /// Whether the files of all sessions are counted anew, as those of one.
    pub(super) const fn counts_anew(self) -> bool {
        matches!(self, Self::Join | Self::Clone)
    }
}

/// What a mount expects of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No volume yet, or an empty file: create it and write the label.
    New,
    /// A volume to be overwritten: truncate it and write the label anew.
    Recycled,
    /// A volume of this many bytes. A longer file has a torn or unacknowledged tail, which is cut; a shorter one is refused.
    Bytes(u64),
}

/// How to restore, from the `restore` command (`wire/2 §1.11`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreOrder {
    /// The folder everything goes below; empty means the original places.
    pub to: Vec<u8>,
    /// `a` always, `w` if newer, `n` never, `o` if older.
    pub replace: u8,
    /// Whether absolute symbolic links get the prefix too, or all of them the changes of names.
    pub prefix_links: bool,
    /// Changes of names, one after the other; without any, entries keep theirs.
    pub relocations: Vec<Relocation>,
    /// What may be run for it.
    pub permits: Permits,
}

/// What a job may have run on its client while files are saved or restored: commands that list paths, and plugins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permits {
    /// Folders the programs must lie in directly, once all links are followed; without any, each may be run.
    pub folders: Vec<String>,
    /// Seconds that a command which lists paths may take; `None`: as long as it will.
    pub limit: Option<u64>,
    /// The names of the plugins that may be used.
    pub plugins: Vec<String>,
    /// Options of the job for plugins, each with the name of its plugin and a colon before it.
    pub options: Vec<String>,
    /// What commands of plugins find in their environment.
    pub variables: Vec<(&'static str, String)>,
}

/// What came of a piece of disk work.
#[derive(Debug)]
#[non_exhaustive]
pub enum DiskDone {
    /// It is open.
    Opened,
    /// The volume is open at its end.
    Mounted {
        /// The length of the file in bytes.
        bytes: u64,
        /// Whether a label was written.
        labelled: bool,
        /// Bytes of a tail nobody had acknowledged, cut off.
        cut: u64,
        /// Microseconds spent writing.
        spent: u64,
    },
    /// The label is on the disk.
    Labelled {
        /// The length of the volume in bytes.
        bytes: u64,
    },
    /// The parcel holds the next frames.
    Filled {
        /// The parcel; may be empty when `last`.
        parcel: Parcel,
        /// Nothing comes after it.
        last: bool,
        /// What a person should know.
        remarks: Vec<Remark>,
    },
    /// The bytes are restored.
    Applied {
        /// The parcel, empty again.
        parcel: Parcel,
        /// What a person should know.
        remarks: Vec<Remark>,
    },
    /// The bytes have been looked through.
    Verified {
        /// The parcel, empty again.
        parcel: Parcel,
        /// Whole frames for the director (`wire/2 §1.12`).
        lines: Parcel,
        /// What a person should know.
        remarks: Vec<Remark>,
    },
    /// The block is in the volume.
    Appended {
        /// The block's buffer, to be used again.
        block: Vec<u8>,
        /// Address of the block's first byte.
        start: u64,
        /// Microseconds spent writing.
        spent: u64,
    },
    /// The block does not fit any more; nothing of it is in the volume.
    VolumeFull {
        /// The block, untouched.
        block: Vec<u8>,
        /// Whether the disk is full rather than the volume's limit reached.
        disk_full: bool,
    },
    /// What came of a piece of work with a spool file.
    Spool(SpoolDone),
    /// All is on the disk.
    Synced {
        /// Microseconds spent.
        spent: u64,
    },
    /// The text is in the file.
    Noted,
    /// It is closed.
    Closed(Tally),
    /// It failed; what was open may still be closed.
    Failed {
        /// Why.
        error: DiskError,
        /// The buffer that came with the work.
        buffer: Vec<u8>,
    },
}

/// What was done between open and close.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Backup: attribute records sent. Restore: entries restored or skipped (`wire/2 §3.2`). Verify: entries seen.
    /// Reads: files sent.
    pub files: u32,
    /// `ReadBytes` of `wire/2 §2.8`.
    pub read_bytes: u64,
    /// `JobBytes` of `wire/2 §2.8`; for a restore the bytes written.
    pub job_bytes: u64,
    /// Entries that could not be saved or restored.
    pub errors: u32,
    /// Entries that were, with a remark.
    pub warnings: u32,
    /// Restore: what became of the files.
    pub fates: Fates,
    /// Restore: the first names of those that were not restored.
    pub fate_names: FateNames,
    /// Whether the stream came to its proper end.
    pub complete: bool,
    /// Microseconds spent reading from the disk or volume.
    pub spent: u64,
    /// Reads only: the volumes read, in order.
    pub volumes: Vec<String>,
}

/// Something a person should know about an entry or a volume; becomes a job message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Message type of `wire/2 §4.2`: 4 error, 5 warning, 6 info, 8 not saved, 9 skipped.
    pub kind: u8,
    /// One line, without a line feed.
    pub text: String,
}

/// Why a disk failed us.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    /// No such file or folder.
    #[error("{0} does not exist")]
    Missing(String),
    /// The system forbids it.
    #[error("no permission for {0}")]
    Denied(String),
    /// The disk is full.
    #[error("the disk of {0} is full")]
    Full(String),
    /// The file is no volume, or another one.
    #[error("{path} is not volume {wanted}: {found}")]
    WrongVolume {
        /// The file.
        path: String,
        /// The volume wanted.
        wanted: String,
        /// What was found.
        found: String,
    },
    /// A volume is to be labelled where there is one already.
    #[error("{path} is volume {volume:?} already")]
    HasLabel {
        /// The file.
        path: String,
        /// As its label says.
        volume: String,
    },
    /// The volume is shorter than the catalog says.
    #[error("volume {path} has {found} bytes where the catalog knows {wanted}")]
    Truncated {
        /// The file.
        path: String,
        /// Bytes in the file.
        found: u64,
        /// Bytes the catalog knows.
        wanted: u64,
    },
    /// What is to be deleted is there still: `secure_erase_command` has failed.
    #[error("{path} is not erased: the command of `secure_erase_command` has failed: {why}")]
    NotErased {
        /// The file.
        path: String,
        /// What went wrong.
        why: String,
    },
    /// There is no room for a single piece in the spool folder.
    #[error("the disk of the spool folder is full, and nothing is held there that could be written out")]
    SpoolFull,
    /// What comes out of a spool file is not what went in.
    #[error("the spool file has been changed by somebody else")]
    BadSpool,
    /// A block or record is damaged.
    #[error("{path} is damaged at byte {at}")]
    Damaged {
        /// The file.
        path: String,
        /// Where.
        at: u64,
    },
    /// The stream from the storage daemon broke its own rules.
    #[error("the stream to restore is damaged: {0}")]
    BadStream(String),
    /// A backup found none of the paths of its fileset.
    #[error("nothing that the fileset names exists on this machine")]
    NothingThere,
    /// The command of a plugin has not done its work.
    #[error("the plugin's command {command:?} has failed: {why}")]
    Plugin {
        /// The command.
        command: String,
        /// What went wrong.
        why: String,
    },
    /// The store of objects that holds a volume has not done its part.
    #[error("{place}: {trouble}: {text}")]
    Store {
        /// The volume, or the store.
        place: String,
        /// What kind of failure it is.
        trouble: StoreTrouble,
        /// What the store said.
        text: String,
    },
    /// What the job asks for cannot be done here, so that nothing is begun.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// Anything else.
    #[error("{path}: {text}")]
    Other {
        /// The file.
        path: String,
        /// What the system said.
        text: String,
    },
}

impl DiskError {
    /// A worker answered something that was not asked for.
    pub(super) fn unexpected(done: &DiskDone) -> Self {
        let answer = match done {
            DiskDone::Opened => "opened",
            DiskDone::Mounted { .. } => "mounted",
            DiskDone::Labelled { .. } => "labelled",
            DiskDone::Filled { .. } => "filled",
            DiskDone::Applied { .. } => "applied",
            DiskDone::Verified { .. } => "verified",
            DiskDone::Appended { .. } => "appended",
            DiskDone::VolumeFull { .. } => "volume full",
            DiskDone::Spool(_) => "spooled",
            DiskDone::Synced { .. } => "synced",
            DiskDone::Noted => "noted",
            DiskDone::Closed(_) => "closed",
            DiskDone::Failed { .. } => "failed",
        };
        Self::Other { path: "worker".to_owned(), text: format!("gave the answer {answer:?} to another question") }
    }

    /// The workers have stopped.
    pub(super) fn stopped() -> Self {
        Self::Other { path: "worker".to_owned(), text: "the daemon is stopping".to_owned() }
    }
}
