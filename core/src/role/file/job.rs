//! A job as the file daemon sees it: one per session of a director.

use std::sync::Arc;

use crate::bulk::known::KnownFiles;
use crate::bulk::unsaved::UnsavedList;
use crate::bulk::work::{DiskWork, RestoreOrder, Tally};
use crate::ids::{ConnId, DialId, HandleId};
use crate::role::file::Net;
use crate::role::remarks::Remarks;
use crate::role::report::Progress;
use crate::role::script::{Mismatch, Script, Scripted};
use crate::secret::Secret;
use crate::time::Wall;
use crate::wire::fileset::FileSet;
use crate::wire::status::{EndJob, JobStatus};

use super::data::Event;

/// A job from its `JobId=` line to its `2800 End Job`.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: u32,
    pub(super) name: String,
    /// `SDid` and `SDtime`.
    pub(super) session: (u32, u32),
    pub(super) key: Secret,
    /// How often a key was given: the second one announces `endrestore` (`wire/2 §1.7`).
    pub(super) keys: u32,
    pub(super) kind: Kind,
    pub(super) level: u8,
    pub(super) started: Wall,
    /// By our clock; `None` for everything.
    pub(super) since: Option<i64>,
    /// What the catalog knows, for an accurate job.
    pub(super) known: Option<Box<KnownFiles>>,
    /// Where the list of what could not be saved is kept, of a backup that is about to begin.
    pub(super) unsaved: Option<UnsavedList>,
    pub(super) fileset: Arc<FileSet>,
    pub(super) order: RestoreOrder,
    pub(super) dial: Option<DialId>,
    pub(super) data: Option<ConnId>,
    /// Whether the director has said that the data channel begins with TLS.
    pub(super) tls: bool,
    /// Whether a `storage` command has come: then this side dials, and no storage daemon may.
    pub(super) dials: bool,
    /// What is to be begun once the storage daemon is here.
    pub(super) expecting: Option<super::passive::Expecting>,
    pub(super) script: Option<Script<Self>>,
    pub(super) handle: HandleId,
    /// Whether the workers were told to open something and not yet to close it.
    pub(super) opened: bool,
    /// Whether the walk of an estimate is at its end.
    pub(super) walked: bool,
    pub(super) ticket: u32,
    pub(super) tally: Tally,
    /// Bytes a second that its data may take; 0 for no limit.
    pub(super) bandwidth: u64,
    /// What its data channel had moved when a status last asked.
    pub(super) progress: Option<Progress>,
    pub(super) status: JobStatus,
    pub(super) errors: u32,
    pub(super) warnings: u32,
    /// What is to be said of single files.
    pub(super) remarks: Remarks,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Not said yet.
    Unknown,
    Backup,
    Estimate,
    Restore,
    /// Of a volume.
    Verify,
}

/// A job that has ended, for the status.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) level: u8,
    pub(super) kind: Kind,
    pub(super) files: u32,
    pub(super) bytes: u64,
    pub(super) errors: u32,
    pub(super) status: JobStatus,
    pub(super) ended: Wall,
}

impl Job {
    /// The status a fresh look gives: errors of a restore count (`wire/2 §6.1`).
    pub(super) fn outcome(&self) -> JobStatus {
        match (self.status, self.kind) {
            (JobStatus::Running, Kind::Restore) if self.errors + self.tally.errors > 0 => JobStatus::Error,
            (JobStatus::Running, Kind::Restore) if self.warnings + self.tally.warnings > 0 => JobStatus::Warnings,
            (JobStatus::Running, _) => JobStatus::Ok,
            (status, _) => status,
        }
    }

    /// Whether the director will say `endrestore`, perhaps after more storage daemons (`wire/2 §1.7`).
    pub(super) fn awaits_end_restore(&self) -> bool {
        self.kind == Kind::Restore && self.keys > 1
    }

    /// Counts what was done with files.
    pub(super) fn add(&mut self, tally: &Tally) {
        self.tally.files = self.tally.files.saturating_add(tally.files);
        self.tally.read_bytes = self.tally.read_bytes.saturating_add(tally.read_bytes);
        self.tally.job_bytes = self.tally.job_bytes.saturating_add(tally.job_bytes);
        self.tally.errors = self.tally.errors.saturating_add(tally.errors);
        self.tally.warnings = self.tally.warnings.saturating_add(tally.warnings);
    }

    /// The line that ends it.
    pub(super) fn end(&self) -> EndJob {
        EndJob {
            status: self.outcome(),
            files: self.tally.files,
            read_bytes: self.tally.read_bytes,
            bytes: self.tally.job_bytes,
            errors: self.errors + self.tally.errors,
            vss: false,
            encrypted: false,
        }
    }

    pub(super) fn finished(&self, ended: Wall) -> Finished {
        Finished {
            id: self.id,
            name: self.name.clone(),
            level: self.level,
            kind: self.kind,
            files: self.tally.files,
            bytes: self.tally.job_bytes,
            errors: self.errors + self.tally.errors,
            status: self.outcome(),
            ended,
        }
    }
}

impl Scripted for Job {
    type Tools<'a> = Net;
    type Event = Event;
    type News = ();
    type Want = DiskWork;
    type Trouble = Mismatch;

    fn script(&mut self) -> Option<&mut Option<Script<Self>>> {
        Some(&mut self.script)
    }
}
