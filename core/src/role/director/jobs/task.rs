//! What a job is for.

use crate::ids::JobId;

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

    /// The other job of a copy.
    pub(crate) fn partner(&self) -> Option<JobId> {
        match self {
            Self::CopyControl(control) => control.partner,
            Self::CopyWriter(writer) => Some(writer.partner),
            Self::Backup(_)
            | Self::Restore(_)
            | Self::Verify(_)
            | Self::VirtualFull(_)
            | Self::Consolidate(_)
            | Self::Admin => None,
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

    /// That of the writing job of a copy.
    pub(crate) const fn writer(&mut self) -> Result<&mut CopyWriter, Trouble> {
        if let Self::CopyWriter(task) = self { Ok(task) } else { Err(Trouble::OtherTask) }
    }
}
