//! What a job is for.

use crate::ids::JobId;
use crate::wire::status::StorageEnd;

use super::consolidating::Consolidating;
use super::copying::{CopyControl, CopyWriter};
use super::job::RestorePlan;
use super::tables::Backup;
use super::trouble::Trouble;
use super::verifying::Verifying;
use super::virtual_full::VirtualFull;

/// One of the kinds of jobs, with what only that kind knows.
#[derive(Debug)]
pub(crate) enum Task {
    Backup(Backup),
    Restore(RestorePlan),
    Verify(Verifying),
    /// A copy or migration: the job that was ordered, which chooses and reads.
    CopyControl(CopyControl),
    /// The job that writes, and is the copy afterwards.
    CopyWriter(CopyWriter),
    /// A backup that is made of those before it.
    VirtualFull(VirtualFull),
    /// A job that orders virtual fulls, and has no daemons.
    Consolidate(Consolidating),
    /// Another job that has no daemons.
    Admin,
}

impl Task {
    /// Whether it is one of the two jobs of a copy or migration.
    pub(crate) const fn is_copy(&self) -> bool {
        matches!(self, Self::CopyControl(_) | Self::CopyWriter(_))
    }

    /// Whether what it reads and writes is on volumes.
    pub(crate) const fn is_of_volumes(&self) -> bool {
        self.is_copy() || matches!(self, Self::VirtualFull(_))
    }

    /// Whether it has a file daemon.
    pub(crate) const fn has_client(&self) -> bool {
        matches!(self, Self::Backup(_) | Self::Restore(_) | Self::Verify(_))
    }

    /// Whether it has a storage daemon.
    pub(crate) const fn has_storage(&self) -> bool {
        !matches!(self, Self::Admin | Self::Consolidate(_))
    }

    /// Whether something is written to a volume.
    pub(crate) const fn writes(&self) -> bool {
        matches!(self, Self::Backup(_) | Self::CopyWriter(_) | Self::VirtualFull(_))
    }

    /// The other job of a copy, or of a virtual full that another storage daemon reads.
    pub(crate) fn partner(&self) -> Option<JobId> {
        match self {
            Self::CopyControl(control) => control.partner,
            Self::CopyWriter(writer) => Some(writer.partner),
            Self::VirtualFull(task) => task.reader(),
            Self::Backup(_) | Self::Restore(_) | Self::Verify(_) | Self::Consolidate(_) | Self::Admin => None,
        }
    }

    /// Whether it only reads for a job that is one by itself.
    pub(crate) const fn reads_for_another(&self) -> bool {
        matches!(self, Self::CopyControl(control) if control.joins())
    }

    /// How the storage daemon has ended that reads for this job, if that is another one than its own.
    pub(crate) const fn reader_end(&self) -> Option<&StorageEnd> {
        match self {
            Self::CopyWriter(writer) => writer.reader_end.as_ref(),
            Self::VirtualFull(task) => task.reader_end.as_ref(),
            _ => None,
        }
    }

    /// The storage daemon that reads for this job has ended.
    pub(crate) fn reader_ends(&mut self, end: Option<StorageEnd>) {
        match self {
            Self::CopyWriter(writer) => writer.reader_end = end,
            Self::VirtualFull(task) => task.reader_end = end,
            _ => {}
        }
    }

    /// That of a backup.
    ///
    /// # Errors
    /// It is another job, as below.
    pub(crate) const fn backup(&mut self) -> Result<&mut Backup, Trouble> {
        if let Self::Backup(task) = self { Ok(task) } else { Err(Trouble::OtherTask) }
    }

    /// That of a restore.
    pub(crate) const fn restore(&mut self) -> Result<&mut RestorePlan, Trouble> {
        if let Self::Restore(task) = self { Ok(task) } else { Err(Trouble::OtherTask) }
    }

    /// That of a verify job.
    pub(crate) const fn verify(&mut self) -> Result<&mut Verifying, Trouble> {
        if let Self::Verify(task) = self { Ok(task) } else { Err(Trouble::OtherTask) }
    }

    /// That of a virtual full.
    ///
    /// # Errors
    /// It is another job, as below.
    pub(crate) const fn virtual_full(&mut self) -> Result<&mut VirtualFull, Trouble> {
        if let Self::VirtualFull(task) = self { Ok(task) } else { Err(Trouble::OtherTask) }
    }

    /// That of a consolidation.
    ///
    /// # Errors
    /// It is another job, as below.
    pub(crate) const fn consolidating(&mut self) -> Result<&mut Consolidating, Trouble> {
        if let Self::Consolidate(task) = self { Ok(task) } else { Err(Trouble::OtherTask) }
    }

    /// That of the control job of a copy.
    pub(crate) const fn control(&mut self) -> Result<&mut CopyControl, Trouble> {
        if let Self::CopyControl(task) = self { Ok(task) } else { Err(Trouble::OtherTask) }
    }
}
