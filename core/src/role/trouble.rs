//! Why a job fails at its file daemon or storage daemon. What the director knows of it is in `director/trouble.rs`.

use crate::bulk::machine::Outcome;
use crate::bulk::work::DiskError;
use crate::config::JobCommand;
use crate::conn::{CloseReason, DialFailure};
use crate::error::{Explain, Facts, Fault, NoOffer, Retry};
use crate::limits;
use crate::quantity::{counted, either};
use crate::script::Mismatch;
use crate::wire::relocation::RelocationError;
use crate::wire::status::JobStatus;

/// Why a job has failed. `whom` and the like name the other end of the data channel, such as `reading storage daemon`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// This daemon ends.
    #[error("the {0} daemon is being stopped")]
    Stopping(&'static str),
    /// As many jobs are under way as this daemon takes.
    #[error("job {job} refused: {} {} under way, the most this {daemon} takes", counted(*most, "job"), either(*most, "is", "are"))]
    Full {
        /// `client` or `storage daemon`.
        daemon: &'static str,
        /// The job, by its unique name.
        job: String,
        /// How many it takes.
        most: u32,
    },
    /// The other end could not be reached.
    #[error("cannot reach the {whom}: {failure}")]
    NotReached {
        /// Which daemon.
        whom: &'static str,
        /// What came of it.
        failure: DialFailure,
    },
    /// TLS is wanted for the dial, and there is nothing to offer for it.
    #[error("{0}")]
    NoOffer(#[from] NoOffer),
    /// The data channel has ended too early.
    #[error("lost the {whom}: {reason}")]
    Lost {
        /// Who was at its other end.
        whom: &'static str,
        /// How it ended.
        reason: CloseReason,
    },
    /// The other end has taken its leave in the middle of the job.
    #[error("lost the {0}: it ended the conversation too early")]
    LeftEarly(&'static str),
    /// The other end was to dial.
    #[error("the {0} did not come in time")]
    Late(&'static str),
    /// The machine of the data channel has not come to a good end.
    #[error("{0}")]
    Data(Outcome),
    /// The disk has failed.
    #[error("{0}")]
    Disk(#[from] DiskError),
    /// Nobody works for the disks any more.
    #[error("the disk workers have stopped")]
    NoWorkers,
    /// The storage daemon has said something else than the data channel's present step waits for.
    #[error("the data channel {0}")]
    Channel(Mismatch),
    /// The director has said something else than a step about its catalog waits for.
    #[error("the director's catalog {0}")]
    Catalog(Mismatch),
    /// The director has reserved no device for what it orders.
    #[error("no device is reserved for this job")]
    NoDevice,
    /// The director has named no volume to read from.
    #[error("the director named no volume to read from: a bootstrap must come before `run`")]
    NoVolumes,
    /// Volumes that were offered were of no use after all.
    #[error("the director takes back each volume it offers: {}", .0.join(", "))]
    TakenBack(Vec<String>),
    /// A device that labels no volumes was to write on one without a label.
    #[error("volume \"{volume}\" has no label, and device \"{device}\" labels none (`label_media: false`)")]
    NoLabel {
        /// The volume.
        volume: String,
        /// The device.
        device: String,
    },
    /// A volume cannot be mounted.
    #[error("cannot use volume \"{volume}\": {error}")]
    BadVolume {
        /// The volume.
        volume: String,
        /// Why not.
        error: DiskError,
    },
    /// Not one block fits onto the disk.
    #[error("the disk of device \"{0}\" is full")]
    DeviceFull(String),
    /// The file daemon was to be dialled for a job that needs no dial.
    #[error("the director asks to dial a file daemon for a job that has its data channel already")]
    SecondDial,
    /// The other end has sent a command that does not belong here.
    #[error("the {whom} sent a command that makes no sense here: {command}")]
    Senseless {
        /// Who was at the other end.
        whom: &'static str,
        /// What it sent.
        command: String,
    },
    /// The writing storage daemon of a copy refuses it.
    #[error("the other storage daemon does not take the copy: {0}")]
    CopyRefused(String),
    /// The director has sent what its earlier commands rule out.
    #[error("{0}")]
    OutOfTurn(&'static str),
    /// The director orders something to begin while the job is at work.
    #[error("{0:?} while the job is at work already")]
    AtWork(JobCommand),
    /// The configuration does not let this director do it.
    #[error("`allowed_job_commands` does not let director {director} do this: {command:?}")]
    Forbidden {
        /// The director.
        director: String,
        /// What it ordered.
        command: JobCommand,
    },
    /// A level that real directors refuse too.
    #[error("level=data is not done here: a verify job compares a volume or the disk with the catalog")]
    OnlyVolumes,
    /// The place to restore to depends on where the daemon runs.
    #[error("where={0} is not an absolute path, so that nothing is restored")]
    Relative(String),
    /// What is to change names on the way cannot be read.
    #[error("regexwhere={text} cannot be read, so that nothing is restored: {why}")]
    Relocation {
        /// What was said.
        text: String,
        /// What is wrong with it.
        why: RelocationError,
    },
    /// More commands to be run on the client than a job may have.
    #[error("more than {} commands to be run on this client for one job", limits::SCRIPTS)]
    TooManyCommands,
    /// A command to be run on the client is longer than it may be.
    #[error("a command to be run on this client has {0} bytes; {most} are allowed", most = limits::SCRIPT_COMMAND)]
    LongCommand(usize),
    /// A job was told to begin, and has nobody to exchange data with.
    #[error("there is no storage daemon for this job: a `storage` command must come first")]
    NoStorage,
    /// A storage daemon was to dial, and has not.
    #[error(
        "no storage daemon has come for this job within {0} s: the director sent no `storage` command, so one must dial \
         this file daemon"
    )]
    NobodyCame(u64),
}

impl Explain for Trouble {
    fn facts(&self) -> Facts {
        use Fault::{Config, Local, Network, Peer};
        use Retry::{Backoff, Never};
        match self {
            Self::NotReached { failure, .. } => return failure.facts(),
            Self::NoOffer(why) => return why.facts(),
            Self::Lost { reason, .. } => return reason.facts(),
            Self::Data(outcome) => return outcome.facts(),
            Self::Disk(error) | Self::BadVolume { error, .. } => return error.facts(),
            Self::Relative(_) => (Config, Never, 553, "begin it with `/`"),
            Self::Stopping(_) => (Local, Backoff, 660, "run the job again when that daemon is back"),
            Self::Full { .. } => {
                (Config, Backoff, 904, "raise its `maximum_concurrent_jobs`, or lower those of the director")
            }
            Self::LeftEarly(_) => (Peer, Backoff, 661, "its own log says why it left"),
            Self::Late(_) => (Network, Backoff, 662, "check that it can reach this storage daemon"),
            Self::NoWorkers => (Local, Backoff, 663, "see in the daemon's log what stopped them, and start it again"),
            Self::Channel(_) => (Peer, Backoff, 664, "the storage daemon's messages or its log say why"),
            Self::Catalog(_) => (Peer, Backoff, 665, "the director's log says what its catalog lacks"),
            Self::NoDevice => (Peer, Never, 666, "look at the device of the storage in the director's configuration"),
            Self::NoVolumes => (Peer, Never, 667, "update the director, or report its log if it is the newest"),
            Self::TakenBack(_) => (Peer, Backoff, 668, "let fewer jobs write into this pool at a time"),
            Self::NoLabel { .. } => {
                (Config, Never, 669, "label it with another device of this media type, or set `label_media: true`")
            }
            Self::DeviceFull(_) => (Local, Never, 670, "free space there, or let volumes be recycled"),
            Self::SecondDial => {
                (Peer, Never, 671, "report it with the logs of the director and of this storage daemon")
            }
            Self::Senseless { .. } => (Peer, Never, 672, "update the older of the two daemons"),
            Self::CopyRefused(_) => (Peer, Backoff, 673, "its own messages say why"),
            Self::OutOfTurn(_) => (Peer, Never, 674, "report it with the logs of the director and of this client"),
            Self::AtWork(_) => (Peer, Never, 675, "let the director wait for the end of what it has begun"),
            Self::Forbidden { .. } => (Config, Never, 676, "add it there if this director is meant to do it"),
            Self::OnlyVolumes => (Config, Never, 677, "set another level in the job of the director"),
            Self::Relocation { .. } => (Config, Never, 722, "write it as in !/home/!/tmp/home/!"),
            Self::TooManyCommands => (Config, Never, 728, "let one of them run the others"),
            Self::LongCommand(_) => (Config, Never, 729, "put it into a script on the client"),
            Self::NoStorage => (Peer, Never, 679, "update the director, or report both logs if it is the newest"),
            Self::NobodyCame(_) => (Network, Backoff, 680, "check that its port is open for it"),
        }
        .into()
    }
}

impl Trouble {
    /// How the job ends in the eyes of a storage daemon.
    pub(super) const fn status(&self) -> JobStatus {
        match self {
            Self::Stopping(_) => JobStatus::Canceled,
            Self::Lost { .. } | Self::LeftEarly(_) | Self::Late(_) => JobStatus::Error,
            _ => JobStatus::Fatal,
        }
    }
}

/// One of each that has a code of its own.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<Trouble> {
    let x = || "x".to_owned();
    let mismatch = || Mismatch { step: "a step", wanted: "this".to_owned(), got: "that".to_owned() };
    vec![
        Trouble::Relative(x()),
        Trouble::Stopping("file"),
        Trouble::Full { daemon: "client", job: x(), most: 1 },
        Trouble::LeftEarly("file daemon"),
        Trouble::Late("file daemon"),
        Trouble::NoWorkers,
        Trouble::Channel(mismatch()),
        Trouble::Catalog(mismatch()),
        Trouble::NoDevice,
        Trouble::NoVolumes,
        Trouble::TakenBack(vec![x(), x()]),
        Trouble::NoLabel { volume: x(), device: x() },
        Trouble::DeviceFull(x()),
        Trouble::SecondDial,
        Trouble::Senseless { whom: "file daemon", command: x() },
        Trouble::CopyRefused(x()),
        Trouble::OutOfTurn("a second job in one session"),
        Trouble::AtWork(JobCommand::Backup),
        Trouble::Forbidden { director: x(), command: JobCommand::Backup },
        Trouble::OnlyVolumes,
        Trouble::Relocation { text: x(), why: RelocationError::Nothing },
        Trouble::TooManyCommands,
        Trouble::LongCommand(1),
        Trouble::NoStorage,
        Trouble::NobodyCame(60),
    ]
}
