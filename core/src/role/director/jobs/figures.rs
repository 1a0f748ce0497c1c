//! Whether file daemon, storage daemon and catalog agree on what a backup has saved.

use crate::error::{Explain, Facts, Fault, Retry};

use super::job::Job;
use super::task::Task;

/// Where two of them contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Disagreement {
    /// Files are numbered alike by both, deleted ones included (`wire/2 §6.1`, `wire/3 §2.7`).
    #[error("the file daemon says that it sent {sent} files, the storage daemon that it stored {stored}")]
    Files {
        /// `JobFiles` of the file daemon.
        sent: u32,
        /// `JobFiles` of the storage daemon.
        stored: u32,
    },
    /// The storage daemon counts attributes and digests too, so it has never less (`wire/2 §2.8`, `wire/3 §2.7`).
    #[error("the file daemon says that it sent {sent} bytes, the storage daemon that it stored {stored}")]
    Bytes {
        /// `JobBytes` of the file daemon.
        sent: u64,
        /// `JobBytes` of the storage daemon.
        stored: u64,
    },
    /// Rows of files that the data never had.
    #[error(
        "the catalog was told of file {told}, and the storage daemon says that it stored {stored} files; the rows of later \
         ones are not kept"
    )]
    Catalog {
        /// The highest FileIndex of a row.
        told: u32,
        /// `JobFiles` of the storage daemon.
        stored: u32,
    },
    /// A full backup of nothing, with errors.
    #[error("the full backup has no file at all, and the file daemon counts {errors} errors")]
    Nothing {
        /// Errors of the file daemon.
        errors: u32,
    },
}

impl Explain for Disagreement {
    fn facts(&self) -> Facts {
        use Fault::{Config, Peer};
        use Retry::Never;
        match self {
            Self::Files { .. } => {
                (Peer, Never, 560, "run the job again, and read the logs of both daemons if they differ again")
            }
            Self::Bytes { .. } => (Peer, Never, 561, "verify the job on its volume, and run it again"),
            Self::Catalog { .. } => (Peer, Never, 562, "do not restore from this job; run it again"),
            Self::Nothing { .. } => {
                (Config, Never, 563, "correct the paths of the fileset, or let the file daemon read them")
            }
        }
        .into()
    }
}

impl Job {
    /// What makes a backup that both daemons call good no good one.
    pub(crate) fn disagreement(&self) -> Option<Disagreement> {
        if let Some(stored) = self.last_stored_file() {
            return Some(Disagreement::Catalog { told: self.attributes.highest, stored });
        }
        let Task::Backup(_) = &self.task else { return None };
        let (file, storage) = (self.file_daemon.presence.end()?, self.storage_daemon.presence.end()?);
        (file.status.is_ok() && storage.status.is_ok())
            .then(|| compare((file.files, file.bytes, file.errors), (storage.files, storage.bytes)))
            .flatten()
            .filter(|found| !matches!(found, Disagreement::Nothing { .. }) || self.stored_level() == b'F')
    }

    /// The last file on the volume, if the catalog was told of later ones. A storage daemon that ends well counts each that
    /// it was sent (`wire/3 §2.7`), so there is no data of those.
    pub(crate) fn last_stored_file(&self) -> Option<u32> {
        let end = self.storage_daemon.presence.end().filter(|end| self.task.writes() && end.status.is_ok())?;
        (self.attributes.highest > end.files).then_some(end.files)
    }
}

/// Files, bytes and errors of the file daemon; files and bytes of the storage daemon.
fn compare((files, bytes, errors): (u32, u64, u32), (stored, stored_bytes): (u32, u64)) -> Option<Disagreement> {
    if files != stored {
        return Some(Disagreement::Files { sent: files, stored });
    }
    if bytes > stored_bytes {
        return Some(Disagreement::Bytes { sent: bytes, stored: stored_bytes });
    }
    (files == 0 && errors > 0).then_some(Disagreement::Nothing { errors })
}

/// One of each, for the table of all errors.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<Disagreement> {
    vec![
        Disagreement::Files { sent: 1, stored: 2 },
        Disagreement::Bytes { sent: 1, stored: 2 },
        Disagreement::Catalog { told: 1, stored: 2 },
        Disagreement::Nothing { errors: 1 },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_that_contradict_each_other_are_told_with_both() {
        // As real daemons count (`wire/3 §2.7`): the same files, and the storage daemon's bytes with all attributes.
        assert_eq!(compare((8, 2_000_000, 0), (8, 2_000_769)), None);
        assert_eq!(compare((0, 0, 0), (0, 0)), None);
        assert_eq!(compare((3, 0, 1), (3, 90)), None);
        assert_eq!(compare((9, 5, 0), (8, 500)), Some(Disagreement::Files { sent: 9, stored: 8 }));
        assert_eq!(compare((7, 5, 0), (8, 500)), Some(Disagreement::Files { sent: 7, stored: 8 }));
        assert_eq!(compare((8, 501, 0), (8, 500)), Some(Disagreement::Bytes { sent: 501, stored: 500 }));
        assert_eq!(compare((8, 500, 0), (8, 500)), None);
        assert_eq!(compare((0, 0, 2), (0, 0)), Some(Disagreement::Nothing { errors: 2 }));
        let text = Disagreement::Files { sent: 9, stored: 8 }.to_string();
        assert!(text.contains('9') && text.contains('8'), "{text}");
    }
}
