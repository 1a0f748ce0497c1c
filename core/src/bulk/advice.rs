//! What to do when a disk or a data channel failed: one code and one sentence for each.

use std::fmt;

use super::machine::Outcome;
use super::work::DiskError;
use crate::error::{Code, Explain, Fault, Retry};

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete { .. } => f.write_str("complete"),
            Self::BadStream(text) => write!(f, "the peer broke the rules of the data stream: {text}"),
            Self::PeerSpoke(text) => write!(f, "the peer gave up: {}", text.trim_end()),
            Self::Disk(error) => error.fmt(f),
            Self::Stopped => f.write_str("stopped"),
            Self::Cut => f.write_str("the data channel was cut"),
        }
    }
}

impl Explain for Outcome {
    fn fault(&self) -> Fault {
        match self {
            Self::Complete { .. } | Self::Stopped => Fault::Local,
            Self::BadStream(_) | Self::PeerSpoke(_) => Fault::Peer,
            Self::Disk(error) => error.fault(),
            Self::Cut => Fault::Network,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Complete { .. } | Self::Stopped => Retry::Never,
            Self::BadStream(_) | Self::PeerSpoke(_) | Self::Cut => Retry::Backoff,
            Self::Disk(error) => error.retry(),
        }
    }

    fn code(&self) -> Code {
        Code(match self {
            Self::Complete { .. } => 500,
            Self::BadStream(_) => 501,
            Self::PeerSpoke(_) => 502,
            Self::Stopped => 503,
            Self::Cut => 504,
            Self::Disk(error) => return error.code(),
        })
    }

    fn help(&self) -> &'static str {
        match self {
            Self::Complete { .. } => "all data is stored",
            Self::BadStream(_) => "run the job again; if it fails alike, report it with the versions of both daemons",
            Self::PeerSpoke(_) => "look into the log of the daemon that said so",
            Self::Disk(error) => error.help(),
            Self::Stopped => "run the job again when you want it",
            Self::Cut => "look for the end of the connection in the log: its line says why",
        }
    }
}

impl Explain for DiskError {
    fn fault(&self) -> Fault {
        match self {
            Self::BadStream(_) => Fault::Peer,
            Self::NothingThere => Fault::Config,
            _ => Fault::Local,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Other { .. } => Retry::Backoff,
            _ => Retry::Never,
        }
    }

    fn code(&self) -> Code {
        Code(match self {
            Self::Missing(_) => 601,
            Self::Denied(_) => 602,
            Self::Full(_) => 603,
            Self::WrongVolume { .. } => 604,
            Self::Truncated { .. } => 605,
            Self::Damaged { .. } => 606,
            Self::BadStream(_) => 607,
            Self::Other { .. } => 608,
            Self::NothingThere => 609,
        })
    }

    fn help(&self) -> &'static str {
        match self {
            Self::Missing(_) => "mount the disk, or correct the folder of the device",
            Self::Denied(_) => "let the user of this daemon read and write there",
            Self::Full(_) => "free space there, or let volumes expire earlier",
            Self::WrongVolume { .. } => "put the right volume there under its own name",
            Self::Truncated { .. } => "check the disk, and mark the volume as `Error` or bring back a copy of it",
            Self::Damaged { .. } => "check disk and memory of this machine, and restore from another job or copy",
            Self::BadStream(_) => "verify the job on its volume before restoring it again",
            Self::NothingThere => "correct the paths of the fileset, or mount what belongs there",
            Self::Other { .. } => "look for errors of the disk in the system's log",
        }
    }
}

#[cfg(test)]
pub(crate) fn one_of_each_disk_error() -> Vec<DiskError> {
    let name = || "x".to_owned();
    vec![
        DiskError::Missing(name()),
        DiskError::Denied(name()),
        DiskError::Full(name()),
        DiskError::WrongVolume { path: name(), wanted: name(), found: name() },
        DiskError::Truncated { path: name(), found: 1, wanted: 2 },
        DiskError::Damaged { path: name(), at: 1 },
        DiskError::BadStream(name()),
        DiskError::Other { path: name(), text: name() },
        DiskError::NothingThere,
    ]
}

#[cfg(test)]
pub(crate) fn one_of_each_outcome() -> Vec<Outcome> {
    let name = || "x".to_owned();
    vec![
        Outcome::Complete { files: 0, bytes: 0, piece: None },
        Outcome::BadStream(name()),
        Outcome::PeerSpoke(name()),
        Outcome::Stopped,
        Outcome::Cut,
    ]
}
