//! A job as the director sees it: from the console's `run` to the end in the catalog.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::config::{DirectorConfig, Messages};
use crate::ids::{ConnId, JobId, Who};
use crate::role::director::{Net, Owner};
use crate::role::identity::Credentials;
use crate::wire::bsr::Bootstrap;
use crate::wire::fate::{FateNames, Fates};
use crate::wire::file::RestoreTo;
use crate::wire::message::{JobMessage, MessageKind};
use crate::wire::status::{JobLevel, JobStatus, JobType};

use super::away::Sought;
use super::daemons::{FileDaemon, StorageDaemon};
use super::deadlines::Clock;
use super::life::Life;
use super::meter::Meter;
use super::ordering::Resources;
use super::route::Route;
use super::task::Task;
use super::terms::Terms;
use super::trouble::Trouble;
use crate::catalog::restore_selection::RestorePlan as Selected;
use crate::catalog::{CatalogName, CatalogRequest, Gone, RestoreFiles};
use crate::role::director::common::{Peers, Tools};
use crate::role::director::messages::Reason;
use crate::role::director::overrides::Overrides;

/// A job that has not ended.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) config: Arc<DirectorConfig>,
    pub(crate) overrides: Arc<Overrides>,
    pub(crate) credentials: Arc<Credentials>,
    /// The catalog that it is recorded in.
    pub(crate) catalog: CatalogName,
    pub(crate) id: JobId,
    /// The unique name.
    pub(crate) unique: String,
    /// The name of the job resource.
    pub(crate) name: String,
    pub(crate) kind: JobType,
    pub(crate) level: JobLevel,
    pub(crate) with: Resources,
    pub(crate) rows: Rows,
    pub(crate) task: Task,
    pub(crate) times: Times,
    pub(crate) life: Life,
    pub(crate) storage_daemon: StorageDaemon,
    pub(crate) file_daemon: FileDaemon,
    pub(crate) attributes: Attributes,
    /// Bytes a second that its data may take, if a console has said so; 0 for no limit.
    pub(crate) bandwidth: Option<u64>,
    pub(crate) status: JobStatus,
    /// Whether its client is there.
    pub(crate) sought: Sought,
    /// Where its messages go.
    pub(crate) messages: Arc<Messages>,
    pub(crate) tally: Tally,
    pub(crate) terms: Terms,
}

/// When it was ordered, and when it began.
#[derive(Debug)]
pub(crate) struct Times {
    /// Both in seconds since 1970.
    pub(crate) scheduled: i64,
    pub(crate) started: i64,
    /// Whether the director stopped before it began.
    pub(crate) is_lost: bool,
    /// How long it waits and runs.
    pub(crate) clock: Clock,
}

/// The ids of a job's resources in the catalog.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    pub(crate) client: u32,
    pub(crate) fileset: u32,
    pub(crate) fileset_md5: String,
    pub(crate) pool: u32,
    pub(crate) storage: u32,
}

/// What it and its daemons have said, as far as it counts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// The director's own.
    pub(crate) errors: u32,
    pub(crate) warnings: u32,
    /// Why it has not gone well.
    pub(crate) reason: Reason,
    /// How much its daemons have said.
    pub(crate) meter: Meter,
}

/// Its attributes on their way into the catalog.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    /// Batches of them, or of a verify job, files that the catalog is asked for.
    pub(crate) under_way: u32,
    /// Files that are in the catalog.
    pub(crate) stored: u64,
    /// The highest FileIndex that the catalog was told.
    pub(crate) highest: u32,
}

/// What a restore is to do.
#[derive(Clone, Debug)]
pub(crate) struct RestorePlan {
    /// What the present storage daemon reads, and how many files come from all.
    pub(crate) selected: Selected,
    /// Whether it is known how many files those are.
    pub(crate) is_counted: bool,
    /// What is restored after that.
    pub(crate) rest: VecDeque<RestorePart>,
    /// Whether a storage daemon has done its part, so that the file daemon is at work.
    pub(crate) goes_on: bool,
    pub(crate) to: RestoreTo,
    pub(crate) replace: u8,
    /// What the storage daemons do not find any more.
    pub(crate) gone: Gone,
    /// Errors of the storage daemons that have done their part.
    pub(crate) storage_errors: u32,
    /// Whose files are restored, and which of each job: what another restore needs to go on where this one is cut. None of a
    /// bootstrap.
    pub(crate) choice: Option<(String, Vec<RestoreFiles>)>,
    /// What became of the files, if the file daemon has said so.
    pub(crate) fates: Option<Fates>,
    /// The first names of those that were not restored, if it has said them.
    pub(crate) fate_names: FateNames,
}

/// What one storage daemon has to read for a restore.
#[derive(Clone, Debug)]
pub(crate) struct RestorePart {
    pub(crate) storage: String,
    /// The storage in the catalog.
    pub(crate) storage_id: u32,
    pub(crate) bootstrap: Bootstrap,
}

impl RestorePlan {
    /// All from one storage daemon.
    pub(crate) fn of_one(selected: Selected, to: RestoreTo, replace: u8) -> Self {
        let (rest, gone) = (VecDeque::new(), Gone::default());
        Self {
            selected,
            is_counted: true,
            rest,
            goes_on: false,
            to,
            replace,
            gone,
            storage_errors: 0,
            choice: None,
            fates: None,
            fate_names: FateNames::default(),
        }
    }
}

impl Job {
    /// Whether it still works towards a good end.
    pub(crate) fn is_alive(&self) -> bool {
        !self.status.is_canceled()
    }

    /// What it does or waits for, in words.
    pub(crate) fn stage(&self) -> &'static str {
        self.life.stage()
    }

    /// The level as the catalog keeps it: F of a restore too (`wire/3 §7.2`).
    pub(crate) fn stored_level(&self) -> u8 {
        if self.kind == JobType::Restore { JobLevel::Full.letter() } else { self.level.letter() }
    }

    /// The connection to one of its daemons.
    pub(crate) fn conn(&self, who: Who) -> Option<ConnId> {
        match who {
            Who::Storage => self.storage_daemon.presence.conn(),
            Who::File => self.file_daemon.presence.conn(),
            Who::Director => None,
        }
    }

    /// Which of its daemons a connection leads to.
    pub(crate) fn who(&self, conn: ConnId) -> Option<Who> {
        [Who::Storage, Who::File].into_iter().find(|who| self.conn(*who) == Some(conn))
    }

    /// Sends a line to one of its daemons.
    pub(crate) fn send(&self, net: &mut Net, who: Who, line: impl AsRef<[u8]>) {
        if let Some(conn) = self.conn(who) {
            net.send_text(conn, line);
        }
    }

    /// Writes a line of the job's report, as a daemon would.
    pub(crate) fn say(&mut self, tools: &mut Tools<'_>, kind: MessageKind, text: &str) {
        match kind {
            MessageKind::Error => self.tally.errors += 1,
            MessageKind::Warning => self.tally.warnings += 1,
            MessageKind::Fatal => {
                self.tally.errors += 1;
                self.status = self.status.merge(JobStatus::Fatal);
            }
            _ => {}
        }
        self.tally.reason.note(kind, text);
        let time = tools.net.wall().seconds();
        let message = JobMessage::compose(&self.config.director.name, self.id.0, &self.unique, kind, time, text);
        tools.report(self, kind, time, message.text);
    }

    /// Asks its catalog.
    pub(crate) fn ask(&self, tools: &mut Tools<'_>, request: CatalogRequest, owner: Owner) {
        tools.ask(&self.catalog, request, owner);
    }

    /// Bytes that it has written so far, as far as its storage daemon has told.
    pub(crate) fn bytes_so_far(&self) -> u64 {
        let daemon = &self.storage_daemon;
        daemon.presence.end().map_or_else(|| daemon.written.so_far(), |end| end.bytes)
    }

    /// The daemons as they were known when it was ordered.
    pub(crate) fn peers(&self) -> Peers {
        Peers {
            config: Arc::clone(&self.config),
            overrides: Arc::clone(&self.overrides),
            credentials: Arc::clone(&self.credentials),
        }
    }

    /// The way of its data.
    ///
    /// # Errors
    /// It was not decided, for the job has no client or storage.
    pub(crate) fn route(&self) -> Result<&Route, Trouble> {
        self.file_daemon.route.as_ref().ok_or(Trouble::Unconfigured)
    }

    /// The lines of the fileset.
    pub(crate) fn fileset_lines(&self) -> Vec<Vec<u8>> {
        let Some(set) = self.config.fileset(&self.with.fileset) else { return Vec::new() };
        let set = super::fileset::to_wire(set, &self.file_daemon.lists);
        if self.verifies_disk() { super::fileset::to_verify(set).lines() } else { set.lines() }
    }

    /// Whether it is a verify job that looks at the client's disk, and needs no storage daemon.
    pub(crate) fn verifies_disk(&self) -> bool {
        self.kind == JobType::Verify && self.level != JobLevel::VerifyVolume
    }

    /// The lines of the bootstrap, each with its line feed.
    pub(crate) fn bootstrap_lines(&self) -> Vec<Vec<u8>> {
        let bootstrap = match &self.task {
            Task::Restore(plan) => Some(&plan.selected.bootstrap),
            Task::Verify(verifying) => Some(&verifying.bootstrap),
            Task::CopyControl(control) => control.selected.as_ref().map(|selected| &selected.bootstrap),
            Task::VirtualFull(task) => Some(&task.selected.bootstrap),
            Task::Backup(_) | Task::CopyWriter(_) | Task::Consolidate(_) | Task::Admin => None,
        };
        let Some(bootstrap) = bootstrap else { return Vec::new() };
        bootstrap.to_string().split_inclusive('\n').map(|line| line.as_bytes().to_vec()).collect()
    }

    /// Whether it takes one of the places of this storage.
    pub(crate) fn takes_storage(&self, name: &str) -> bool {
        let reads =
            |task: &Task| matches!(task, Task::VirtualFull(task) if !task.is_apart && task.from.storage == name);
        self.task.has_storage() && (self.with.storage == name || reads(&self.task))
    }

    /// Files and bytes as known: the file daemon's count for the catalog (`wire/3 §1.5`).
    pub(crate) fn totals(&self) -> (u32, u64, u64) {
        // What a control job has read is its writing job's (`wire/3 §1.9`).
        if matches!(self.task, Task::CopyControl(_)) {
            return (0, 0, 0);
        }
        match (self.file_daemon.presence.end(), self.storage_daemon.presence.end()) {
            (Some(end), _) => (end.files, end.bytes, end.read_bytes),
            (None, Some(end)) => (end.files, end.bytes, 0),
            (None, None) => (0, 0, 0),
        }
    }
}
