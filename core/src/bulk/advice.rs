//! What to do when a disk or a data channel failed: one code and one sentence for each.

use std::fmt;

use super::machine::Outcome;
use super::work::DiskError;
use crate::error::{Explain, Facts, Fault, Retry};

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
    fn facts(&self) -> Facts {
        use Fault::{Local, Network, Peer};
        use Retry::{Backoff, Never};
        match self {
            Self::Complete { .. } => (Local, Never, 500, "all data is stored"),
            Self::BadStream(_) => (
                Peer,
                Backoff,
                501,
                "run the job again; if it fails alike, report it with the versions of both daemons",
            ),
            Self::PeerSpoke(_) => (Peer, Backoff, 502, "look into the log of the daemon that said so"),
            Self::Disk(error) => return error.facts(),
            Self::Stopped => (Local, Never, 503, "run the job again when you want it"),
            Self::Cut => (Network, Backoff, 504, "look for the end of the connection in the log: its line says why"),
        }
        .into()
    }
}

impl Explain for DiskError {
    fn facts(&self) -> Facts {
        use Fault::{Config, Local, Peer};
        use Retry::{Backoff, Never};
        match self {
            Self::Missing(_) => (Local, Never, 601, "mount its disk, or correct its name"),
            Self::Denied(_) => (Local, Never, 602, "let the user of this daemon read and write there"),
            Self::Full(_) => (Local, Never, 603, "free space there, or let volumes expire earlier"),
            Self::WrongVolume { .. } => (Local, Never, 604, "put the right volume there under its own name"),
            Self::HasLabel { .. } => (Local, Never, 750, "give the new volume a name that no file there has"),
            Self::Truncated { .. } => {
                (Local, Never, 605, "check the disk, and mark the volume as `Error` or bring back a copy of it")
            }
            Self::NotErased { .. } => (Local, Never, 966, "run the command by hand as the user of the storage daemon"),
            Self::SpoolFull => (Local, Never, 755, "free space there, or set `spool_directory` to a folder with more"),
            Self::BadSpool => (Local, Backoff, 756, "keep other programs out of `spool_directory`, and check its disk"),
            Self::Damaged { .. } => {
                (Local, Never, 606, "check disk and memory of this machine, and restore from another job or copy")
            }
            Self::BadStream(_) => (Peer, Never, 607, "verify the job on its volume before restoring it again"),
            Self::NothingThere => (Config, Never, 609, "correct the paths of the fileset, or mount what belongs there"),
            Self::Plugin { .. } => (Config, Never, 740, "run the command on the client as the user of the file daemon"),
            Self::Refused(why) => return why.facts(),
            Self::Store { trouble, .. } => return trouble.facts(),
            Self::Other { .. } => (Local, Backoff, 608, "look for errors of the disk in the system's log"),
        }
        .into()
    }
}

#[cfg(test)]
use super::stores::StoreTrouble;

#[cfg(test)]
pub(crate) fn one_of_each_disk_error() -> Vec<DiskError> {
    let name = || "x".to_owned();
    let store = |trouble| DiskError::Store { place: name(), trouble, text: name() };
    let of_stores = StoreTrouble::ALL.map(store);
    let others = vec![
        DiskError::Missing(name()),
        DiskError::Denied(name()),
        DiskError::Full(name()),
        DiskError::WrongVolume { path: name(), wanted: name(), found: name() },
        DiskError::HasLabel { path: name(), volume: name() },
        DiskError::Truncated { path: name(), found: 1, wanted: 2 },
        DiskError::NotErased { path: name(), why: name() },
        DiskError::SpoolFull,
        DiskError::BadSpool,
        DiskError::Damaged { path: name(), at: 1 },
        DiskError::BadStream(name()),
        DiskError::Other { path: name(), text: name() },
        DiskError::NothingThere,
        DiskError::Plugin { command: name(), why: name() },
    ];
    others.into_iter().chain(of_stores).collect()
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
