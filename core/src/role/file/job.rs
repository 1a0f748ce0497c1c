//! A job as the file daemon sees it: one per session of a director.

use std::sync::Arc;

use crate::bulk::known::KnownFiles;
use crate::bulk::unsaved::UnsavedList;
use crate::bulk::work::{DiskWork, Permits, RestoreOrder, Tally};
use crate::config::MessageTypes;
use crate::ids::{ConnId, DialId, HandleId};
use crate::node::TimerKey;
use crate::role::commands::Commands;
use crate::role::diary::{Ended, ForMail};
use crate::role::file::Net;
use crate::role::remarks::Remarks;
use crate::role::report::{Finished, Progress, resource_name};
use crate::script::{Mismatch, Script, Scripted};
use crate::secret::Secret;
use crate::time::Wall;
use crate::wire::fate::{FateNames, Fates};
use crate::wire::fileset::FileSet;
use crate::wire::message::MessageKind;
use crate::wire::status::{EndJob, JobStatus};

use super::data::Event;

/// A job from its `JobId=` line to its `2800 End Job`.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: u32,
    pub(super) name: String,
    /// `SDid` and `SDtime`.
    pub(super) session: (u32, u32),
    pub(super) started: Wall,
    pub(super) kind: Kind,
    pub(super) asked: Asked,
    pub(super) authorization: Authorization,
    /// The storage daemon.
    pub(super) peer: Presence,
    pub(super) script: Option<Script<Self>>,
    pub(super) handle: HandleId,
    /// Whether the workers were told to open something and not yet to close it.
    pub(super) opened: bool,
    pub(super) ticket: u32,
    /// Bytes a second that its data may take; 0 for no limit.
    pub(super) bandwidth: u64,
    pub(super) counted: Counted,
    pub(super) status: JobStatus,
    /// The messages that its director is told.
    pub(super) told: MessageTypes,
    /// Those that are mailed from here.
    pub(super) for_mail: ForMail,
    /// What is to be said of single files.
    pub(super) remarks: Remarks,
    /// Commands on this client.
    pub(super) scripts: Commands,
}

/// What a job does.
#[derive(Debug)]
pub(super) enum Kind {
    /// Not said yet.
    Unknown,
    /// With where the list of what could not be saved is kept, until it begins.
    Backup {
        unsaved: Option<UnsavedList>,
    },
    /// Whether the walk is at its end.
    Estimate {
        walked: bool,
    },
    Restore {
        order: RestoreOrder,
    },
    /// Of a volume.
    Verify,
    /// Of the disk. Whether the walk is at its end.
    Look {
        walked: bool,
    },
}

/// Which files the director has asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) level: u8,
    /// By our clock; `None` for everything.
    pub(super) since: Option<i64>,
    /// What the catalog knows, for an accurate job.
    pub(super) known: Option<Box<KnownFiles>>,
    pub(super) fileset: Arc<FileSet>,
    /// Options for plugins.
    pub(super) options: Vec<String>,
    /// What may be run for it on this client.
    pub(super) permits: Permits,
}

/// What the two ends of the data channel prove to each other.
#[derive(Debug)]
pub(super) struct Authorization {
    pub(super) key: Secret,
    /// How often a key was given: the second one announces `endrestore` (`wire/2 §1.7`).
    pub(super) keys: u32,
    /// Whether the director has said that the data channel begins with TLS.
    pub(super) tls: bool,
}

/// Where the storage daemon is.
#[derive(Debug)]
pub(super) enum Presence {
    /// It may dial, for no `storage` command has come.
    Absent,
    /// It is to dial before the timer is due; then this begins.
    Expected(Kind, TimerKey),
    Dialling(DialId),
    /// Whether this side has dialled: then no other may come.
    Here {
        conn: ConnId,
        dialled: bool,
    },
    Ended,
}

impl Presence {
    /// Its connection.
    pub(super) const fn conn(&self) -> Option<ConnId> {
        if let Self::Here { conn, .. } = self { Some(*conn) } else { None }
    }
}

/// How much it was.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) tally: Tally,
    pub(super) errors: u32,
    pub(super) warnings: u32,
    /// What became of the files of a restore, once they are closed.
    pub(super) fates: Option<Fates>,
    /// The first names of those that were not restored.
    pub(super) fate_names: FateNames,
    /// What its data channel had moved when a status last asked.
    pub(super) progress: Option<Progress>,
}

impl Job {
    /// Whether the director is told messages of this kind. An estimate, which has no number, answers a person.
    pub(super) fn tells(&self, kind: MessageKind) -> bool {
        self.id == 0 || self.told.has(kind)
    }

    /// The status at a fresh look: errors of a restore count (`wire/2 §6.1`).
    pub(super) fn outcome(&self) -> JobStatus {
        match (self.status, &self.kind) {
            (JobStatus::Running, Kind::Restore { .. }) if self.counted.errors + self.counted.tally.errors > 0 => {
                JobStatus::Error
            }
            (JobStatus::Running, Kind::Restore { .. }) if self.counted.warnings + self.counted.tally.warnings > 0 => {
                JobStatus::Warnings
            }
            (JobStatus::Running, _) => JobStatus::Ok,
            (status, _) => status,
        }
    }

    /// Its end, for a mail.
    pub(super) fn ended(&self) -> Ended<'_> {
        Ended { id: self.id, name: &self.name, status: self.outcome(), said: &self.for_mail }
    }

    /// Whether a storage daemon may dial for it.
    pub(super) fn is_callable(&self) -> bool {
        self.id != 0 && matches!(self.peer, Presence::Absent | Presence::Expected(..)) && self.script.is_none()
    }

    /// Whether it has begun, or will when its storage daemon is here.
    pub(super) fn is_at_work(&self) -> bool {
        self.script.is_some() || self.is_expecting()
    }

    /// Whether it begins once its storage daemon is here.
    pub(super) const fn is_expecting(&self) -> bool {
        matches!(self.peer, Presence::Expected(..))
    }

    /// Whether the director will say `endrestore`, perhaps after more storage daemons (`wire/2 §1.7`).
    pub(super) fn awaits_end_restore(&self) -> bool {
        matches!(self.kind, Kind::Restore { .. }) && self.authorization.keys > 1
    }

    /// Counts what was done with files.
    pub(super) fn add(&mut self, tally: &Tally) {
        self.counted.tally.files = self.counted.tally.files.saturating_add(tally.files);
        self.counted.tally.read_bytes = self.counted.tally.read_bytes.saturating_add(tally.read_bytes);
        self.counted.tally.job_bytes = self.counted.tally.job_bytes.saturating_add(tally.job_bytes);
        self.counted.tally.errors = self.counted.tally.errors.saturating_add(tally.errors);
        self.counted.tally.warnings = self.counted.tally.warnings.saturating_add(tally.warnings);
        if matches!(self.kind, Kind::Restore { .. }) {
            self.counted.fates.get_or_insert_default().add(tally.fates);
            self.counted.fate_names.add_all(&tally.fate_names);
        }
    }

    /// The line that ends it.
    pub(super) fn end(&self) -> EndJob {
        EndJob {
            status: self.outcome(),
            files: self.counted.tally.files,
            read_bytes: self.counted.tally.read_bytes,
            bytes: self.counted.tally.job_bytes,
            errors: self.counted.errors + self.counted.tally.errors,
            vss: false,
            encrypted: false,
        }
    }

    pub(super) fn finished(&self, ended: Wall) -> Finished {
        Finished {
            id: self.id,
            name: resource_name(&self.name).to_owned(),
            level: (!matches!(self.kind, Kind::Restore { .. } | Kind::Verify | Kind::Look { .. }))
                .then_some(self.asked.level),
            files: self.counted.tally.files,
            bytes: self.counted.tally.job_bytes,
            errors: self.counted.errors + self.counted.tally.errors,
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
