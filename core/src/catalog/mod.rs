//! The catalog's rows, requests and answers, as plain values.
//!
//! The Node asks with a [`CatalogRequest`], a worker moves rows, and exactly one [`CatalogAnswer`] or [`CatalogError`]
//! comes back. Nothing in a catalog decides: choosing volumes, expiry, levels and the jobs of a restore are the pure
//! functions beside this file, over these rows.
//!
//! Field names follow the columns of the Bareos schema (`wire/3 §7.1`) in this language's spelling, so `VolFirstWritten`
//! is `first_written`. All times are whole seconds since 1970-01-01 UTC, 0 for *never*. Types, levels and states are the
//! ASCII codes of `wire/3 §0.4`. Names of files are bytes: no system promises that they are text.

pub mod browse;
mod comparison;
pub mod consolidation;
mod counting;
mod gone;
pub mod levels;
mod listing;
mod media;
#[cfg(any(test, feature = "memory-catalog"))]
pub mod memory;
mod order;
mod orphans;
pub mod pruning;
pub mod restore_selection;
mod rows;
pub mod volumes;
mod wanted;

pub use comparison::{Comparison, OnVolume, rows_of};
pub use counting::{CounterRow, MAX_WRAPS, take as take_counters};
pub use gone::Gone;
pub use listing::*;
pub use media::*;
pub use order::{begun_before, jobs_for_restore, jobs_to_copy, last_jobs, newest_backup};
pub use orphans::orphaned_copies;
pub use rows::*;
pub use wanted::{LONGEST_PATTERN, NamePattern};

use std::sync::Arc;

use crate::error::{Explain, Facts, Fault, Retry};

use browse::{Browse, Browsed};

/// Which of a director's catalogs: its name in the configuration.
pub type CatalogName = Arc<str>;

/// One piece of work for a catalog. Each gets exactly one answer or error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CatalogRequest {
    /// Insert a job in state `C`, `wire/3 §7.2`. Answer: [`CatalogAnswer::Id`], its JobId.
    CreateJob(NewJob),
    /// Store what is known when a job starts; may come twice, before and after its scripts. Answer: `Done`.
    StartJob(JobStart),
    /// Store how a job ended, after its files. Everything before it is then on the disk. Answer: `Done`.
    EndJob(Box<JobEnd>),
    /// What a copy or migration overwrites in the job it made, `wire/3 §1.9`. Answer: `Done`.
    AdoptOriginal(AdoptOriginal),
    /// Insert or update the client of a configuration. Answer: `Id`.
    EnsureClient(ClientSpec),
    /// Insert a fileset, one row for each name and MD5. Answer: `Id`.
    EnsureFileSet(FileSetSpec),
    /// Insert or update the pool of a configuration; `pool_id` is ignored. Answer: `Id`.
    EnsurePool(Box<PoolRow>),
    /// Insert or update a storage. Answer: `Id`.
    EnsureStorage {
        /// The resource's name.
        name: String,
        /// Whether it is an autochanger.
        auto_changer: bool,
    },
    /// Insert or update a counter of a configuration; `current` is ignored: a new one has its lowest number, one that is there
    /// keeps its own unless that is outside its range. Answer: `Done`.
    EnsureCounter {
        /// The counter.
        counter: CounterRow,
        /// Whether it begins anew in any case.
        restarts: bool,
    },
    /// The numbers of counters by their names, one after the other, each of which then goes on or not, as [`take_counters`]
    /// says. Answer: `Counted`.
    TakeCounters(Vec<(String, bool)>),
    /// Store what a client says it is. Answer: `Done`.
    UpdateClientUname {
        /// The client's name.
        client: String,
        /// Its uname text.
        uname: String,
    },
    /// The volumes of a pool, by MediaId. Answer: `Volumes`.
    VolumesOfPool {
        /// The pool.
        pool_id: u32,
        /// Only this media type.
        media_type: Option<String>,
    },
    /// One volume. Answer: `Volume`.
    VolumeByName(String),
    /// Insert a volume; `media_id` and `revision` are ignored. Answer: `Volume` with the stored row, or a
    /// `Constraint` error if the name is taken.
    CreateMedia(Box<MediaRow>),
    /// Store a whole row, save EndFile and EndBlock, which belong to [`Self::CreateJobMedia`]. Answer: `Volume` with
    /// the stored row; or `Stale` with the present row, and nothing stored, if `revision` is not the present one.
    UpdateMedia(Box<MediaRow>),
    /// Delete the jobs of a volume that ended before a time, wherever else they lie, but for those that [`pruning::prune`]
    /// keeps, and mark the volume Purged if it then holds none. Copies whose original has gone become backups, as
    /// [`orphaned_copies`] says. Answer: `Pruned`.
    PruneVolume {
        /// The volume.
        media_id: u32,
        /// Jobs whose JobTDate is before this may go.
        before: i64,
    },
    /// The jobs of a volume, by JobId. Answer: `Jobs`.
    JobsOnVolume {
        /// The volume.
        media_id: u32,
    },
    /// Delete jobs that have ended, with their files, pieces and reports. Copies whose original has gone become backups, as
    /// [`orphaned_copies`] says. Answer: `Changed`, how many there were.
    DeleteJobs(Vec<u32>),
    /// Delete the files of jobs that have ended; the jobs stay. Answer: `Changed`, of how many jobs.
    PurgeFiles(Vec<u32>),
    /// Delete the files in a folder, the folder itself too, of all jobs that have ended, or of those of a client; the jobs stay.
    /// Answer: `Changed`, of how many files.
    PurgeFolder {
        /// The folder, with a slash at its end.
        path: Vec<u8>,
        /// Those in the folders below it too.
        recursive: bool,
        /// Only of this client, by name.
        client: Option<String>,
    },
    /// Delete a volume that holds no job. Answer: `Changed`; a `Constraint` error if it holds one.
    DeleteMedia {
        /// The volume.
        media_id: u32,
    },
    /// Change a job that has ended. Answer: `Changed`, 0 if there is none.
    CorrectJob(JobCorrection),
    /// Delete a pool by its name. Answer: `Changed`, 0 if there is none; a `Constraint` error if it has a volume.
    DeletePool(String),
    /// Delete a storage by its name. Answer: `Changed`, 0 if there is none; a `Constraint` error if a volume was written there
    /// last.
    DeleteStorage(String),
    /// Insert a piece of a job on a volume, with the next VolIndex, and set EndFile and EndBlock of the volume. Answer: `Done`.
    CreateJobMedia(JobMediaRow),
    /// Delete the place-holders of a job: rows whose first and last index are 0, `wire/3 §2.3`. Answer: `Done`.
    DeleteNullJobMedia {
        /// The job.
        job_id: u32,
    },
    /// Store attributes and digests. Answer: `Files`.
    InsertFiles {
        /// The job that owns the connection they came by.
        job_id: u32,
        /// The frames, `wire/3 §2.4`.
        batch: UpdCatBatch,
    },
    /// Store what is known of a running job so far, `wire/3 §2.3`, and the file that waits for its digest. Answer: `Done`.
    Checkpoint {
        /// The job.
        job_id: u32,
        /// Number of files.
        job_files: u32,
        /// Bytes written.
        job_bytes: u64,
    },
    /// Jobs, newest first. Answer: `Jobs`.
    ListJobs(JobFilter),
    /// Those of these jobs that are there, by JobId. Answer: `Jobs`.
    JobsById(Vec<u32>),
    /// Files of a job in an order of the catalog's own, page by page. Answer: `FileList`.
    ListFiles {
        /// The job.
        job_id: u32,
        /// Where the last page ended.
        after: Option<FileKey>,
        /// At most so many files.
        limit: u32,
    },
    /// The files of a job that have one of these names, each as often as the job has it, in any order. Answer:
    /// `FileList` without a next page.
    FilesByName {
        /// The job.
        job_id: u32,
        /// Whole names.
        names: Vec<Vec<u8>>,
    },
    /// Volumes, by MediaId. Answer: `Volumes`.
    ListMedia {
        /// Only this pool.
        pool: Option<String>,
    },
    /// Clients by name. Answer: `Clients`.
    ListClients,
    /// The newest good backup by its [place](JobRow::place), not counting copies. Answer: `Jobs`, at most one.
    NewestBackup {
        /// Only of this job resource.
        name: Option<String>,
        /// Only of this client, by name.
        client: Option<String>,
    },
    /// Good backups and archives of a pool that have data, in the order of their [places](JobRow::place): what a copy or
    /// migration may take. Answer: `Jobs`.
    JobsToCopy {
        /// The pool.
        pool_id: u32,
        /// Only those of which there is no good copy.
        uncopied: bool,
        /// Only those whose place is after this.
        after: u32,
        /// At most so many.
        limit: u32,
    },
    /// What a new job may build on. Answer: `LastJobs`.
    LastJobs {
        /// The job resource's name.
        name: String,
        /// The client.
        client_id: u32,
        /// The fileset: another content starts with a Full.
        file_set_id: u32,
        /// The present: a start time after it is wrong.
        now: i64,
    },
    /// Good backups of a client from which a restore may choose: all since the newest Full of each fileset before a
    /// moment, in the order of their [places](JobRow::place). Answer: `Jobs`.
    JobsForRestore {
        /// The client's name.
        client: String,
        /// Only jobs of this resource.
        name: Option<String>,
        /// Only this fileset, by name.
        file_set: Option<String>,
        /// Only jobs that started before this time, as [`begun_before`] says.
        before: i64,
        /// The present: a start time after it says nothing.
        now: i64,
    },
    /// Good backups of a client that have saved a file of this name, in whatever folder, newest first. Answer: `Jobs`.
    JobsWithFile {
        /// The client's name.
        client: String,
        /// The file's name, without its folder.
        name: Vec<u8>,
        /// At most so many.
        limit: u32,
    },
    /// Files of these jobs whose names fit, in any order: folders and what was deleted are none. Answer: `FileList` without a
    /// next page.
    FindFiles {
        /// The jobs.
        jobs: Vec<u32>,
        /// Which names.
        name: NamePattern,
        /// At most so many files.
        limit: u32,
    },
    /// Where jobs lie, by JobId, VolIndex, JobMediaId; place-holders and disabled volumes included. Answer: `Pieces`.
    JobMediaOf {
        /// The jobs.
        jobs: Vec<u32>,
    },
    /// Which files to restore: the newest version of each name among these jobs. Answer: `RestoreFiles`.
    FilesForRestore {
        /// The jobs, as chosen by [`restore_selection::choose_jobs`].
        jobs: Vec<u32>,
        /// Only these: a directory and all below it if it ends with `/`, else one file. Empty means everything.
        only: Vec<Vec<u8>>,
    },
    /// What these jobs, oldest first, make of a client's files together: the newest version of each name that was not
    /// deleted, in an order of the catalog's own, page by page. Answer: `FileList`; a page may be empty.
    KnownFiles {
        /// The jobs.
        jobs: Vec<u32>,
        /// Where the last page ended.
        after: Option<FileKey>,
        /// At most about so many files.
        limit: u32,
    },
    /// Store lines of jobs' reports, in this order, all or none. Answer: `Done`.
    AddLogs(Arc<[LogRow]>),
    /// The report of a job in order. Answer: `Log`.
    JobLog {
        /// The job.
        job_id: u32,
    },
    /// The highest MediaId ever given. Answer: `Id`, 0 if none.
    MaxMediaId,
    /// The highest JobId of the jobs that are there. Answer: `Id`, 0 if none.
    MaxJobId,
    /// A list for a console. Answer: `Listed`.
    List(Listing),
    /// A folder for a browser. Answer: `Browsed`.
    Browse(Browse),
    /// At start-up: jobs that a crash left in a state of running become `f`. Answer: `Changed`.
    MarkUnfinishedJobsFailed {
        /// The time to store as their end.
        now: i64,
    },
}

impl CatalogRequest {
    /// Whether it changes nothing, so that an engine may answer it beside others.
    #[must_use]
    pub const fn only_reads(&self) -> bool {
        matches!(
            self,
            Self::VolumesOfPool { .. }
                | Self::VolumeByName(_)
                | Self::ListJobs(_)
                | Self::JobsById(_)
                | Self::ListFiles { .. }
                | Self::FilesByName { .. }
                | Self::ListMedia { .. }
                | Self::ListClients
                | Self::JobsToCopy { .. }
                | Self::NewestBackup { .. }
                | Self::LastJobs { .. }
                | Self::JobsForRestore { .. }
                | Self::JobsWithFile { .. }
                | Self::FindFiles { .. }
                | Self::JobsOnVolume { .. }
                | Self::JobMediaOf { .. }
                | Self::FilesForRestore { .. }
                | Self::KnownFiles { .. }
                | Self::JobLog { .. }
                | Self::MaxMediaId
                | Self::MaxJobId
                | Self::List(_)
                | Self::Browse(
                    Browse::Unlearned(_)
                        | Browse::Folder(_)
                        | Browse::Folders(_)
                        | Browse::Files(_)
                        | Browse::Itself { .. }
                        | Browse::Versions { .. }
                )
        )
    }
}

/// What came of a [`CatalogRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CatalogAnswer {
    /// Stored.
    Done,
    /// So many rows were changed.
    Changed(u64),
    /// The id of a row.
    Id(u32),
    /// The numbers of counters, in the order they were asked for; `None` for one that there is not.
    Counted(Vec<Option<u32>>),
    /// Jobs.
    Jobs(Vec<JobRow>),
    /// What a job may build on.
    LastJobs(Box<LastJobs>),
    /// A volume, if there is one.
    Volume(Option<Box<MediaRow>>),
    /// A volume after its old jobs have gone, if there is one.
    Pruned {
        /// The volume.
        volume: Option<Box<MediaRow>>,
        /// Jobs of it that were old enough and stay, by JobId.
        kept: Vec<u32>,
    },
    /// The row has changed since it was read: this is it now; decide again.
    Stale(Box<MediaRow>),
    /// Volumes.
    Volumes(Vec<MediaRow>),
    /// Clients.
    Clients(Vec<ClientRow>),
    /// What became of a batch of attributes.
    Files(FilesStored),
    /// A page of files; `next` is `None` after the last.
    FileList {
        /// The files.
        files: Vec<FileRow>,
        /// For the next page.
        next: Option<FileKey>,
    },
    /// Where jobs lie.
    Pieces(Vec<JobMediaPiece>),
    /// What to restore from each job, by JobId; jobs that contribute nothing are left out.
    RestoreFiles(Vec<RestoreFiles>),
    /// Lines of a report.
    Log(Vec<LogRow>),
    /// A list for a console.
    Listed(Listed),
    /// What a browser is shown.
    Browsed(Browsed),
}

/// Why the catalog could not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CatalogErrorKind {
    /// It cannot be opened or used now.
    Unavailable,
    /// Its server cannot be reached now.
    Unreachable,
    /// Its server refuses the director, or has no such database.
    Denied,
    /// Its server shows a certificate of nobody who is trusted.
    Untrusted,
    /// Its server shows a certificate for another name.
    Misnamed,
    /// Its server takes no TLS.
    Plain,
    /// Its server or database is none that can hold a catalog.
    Unsuitable,
    /// The database holds a catalog of Bareos of a version that cannot be taken over.
    ForeignVersion,
    /// The database holds a catalog of Bareos, and nothing may be made beside it.
    NoRoomBeside,
    /// What it holds is damaged.
    Corrupt,
    /// No space is left for it.
    Full,
    /// A row contradicts another: a name that is taken, an id that does not exist.
    Constraint,
    /// A newer version of Towline wrote it.
    NewerSchema,
    /// Another director is its owner.
    Taken,
    /// Towline's own mistake.
    Bug,
}

impl CatalogErrorKind {
    /// Whether the same request may succeed a little later, without anybody doing anything about the catalog.
    #[must_use]
    pub const fn may_come_back(self) -> bool {
        matches!(self, Self::Unavailable | Self::Unreachable)
    }

    /// Whether it is the request that cannot be done, whatever becomes of the catalog.
    #[must_use]
    pub const fn is_about_the_request(self) -> bool {
        matches!(self, Self::Constraint | Self::Bug)
    }
}

/// A request that failed, with nothing of it stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("catalog: {text}")]
pub struct CatalogError {
    /// What kind of failure.
    pub kind: CatalogErrorKind,
    /// What the engine says, for a log.
    pub text: String,
}

impl CatalogError {
    /// An error of this kind with this text.
    pub fn new(kind: CatalogErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

impl Explain for CatalogError {
    fn facts(&self) -> Facts {
        use Fault::{Bug, Config, Local, Network};
        use Retry::{Backoff, Never};
        match self.kind {
            CatalogErrorKind::Unavailable => (
                Local,
                Backoff,
                701,
                "check that the catalog's file and directory exist, belong to the director and are open in no \
                 other program",
            ),
            CatalogErrorKind::Corrupt => (
                Local,
                Never,
                702,
                "stop the director and bring back the last backup of the catalog, or rebuild it from the volumes",
            ),
            CatalogErrorKind::Full => (
                Local,
                Backoff,
                703,
                "free space on the file system of the catalog; the failed jobs can then run again",
            ),
            CatalogErrorKind::Constraint => (
                Bug,
                Never,
                704,
                "look at the names in the message: two rows need the same one, or a row that was used is gone",
            ),
            CatalogErrorKind::NewerSchema => (
                Config,
                Never,
                705,
                "run the version of Towline that wrote this catalog, or a newer one; an older one would damage \
                 it",
            ),
            CatalogErrorKind::Unreachable => (
                Network,
                Backoff,
                707,
                "check that the PostgreSQL server runs and that `catalog` names its socket, or its address and \
                 port",
            ),
            CatalogErrorKind::Denied => (
                Config,
                Never,
                708,
                "check user, password and database of `catalog` against the server's roles and its pg_hba.conf",
            ),
            CatalogErrorKind::Untrusted => (
                Config,
                Never,
                781,
                "name the authority that has signed the server's certificate in `tls_ca` of `catalog`",
            ),
            CatalogErrorKind::Misnamed => (
                Config,
                Never,
                782,
                "write into `host` of `catalog` a name that stands in the server's certificate",
            ),
            CatalogErrorKind::Plain => {
                (Config, Never, 783, "set `ssl = on` and a certificate in the server's postgresql.conf")
            }
            CatalogErrorKind::Unsuitable => (
                Config,
                Never,
                709,
                "give the catalog an empty database of its own with encoding UTF8, on PostgreSQL 13 or later",
            ),
            CatalogErrorKind::ForeignVersion => (
                Config,
                Never,
                877,
                "let Bareos bring its catalog to schema version 2250 (version 25 or later has a script for it), or give \
                 `catalog` an empty database",
            ),
            CatalogErrorKind::NoRoomBeside => (
                Config,
                Never,
                878,
                "as a superuser of the server say GRANT CREATE ON DATABASE … TO … for the database and the user of `catalog`",
            ),
            CatalogErrorKind::Taken => {
                (Local, Backoff, 620, "end the other director on this database, or give this one a database of its own")
            }
            CatalogErrorKind::Bug => (Bug, Never, 706, "report this message with the director's log"),
        }
        .into()
    }
}

/// One of each kind of error.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<CatalogError> {
    let kinds = [
        CatalogErrorKind::Unavailable,
        CatalogErrorKind::Unreachable,
        CatalogErrorKind::Denied,
        CatalogErrorKind::Untrusted,
        CatalogErrorKind::Misnamed,
        CatalogErrorKind::Plain,
        CatalogErrorKind::Unsuitable,
        CatalogErrorKind::ForeignVersion,
        CatalogErrorKind::NoRoomBeside,
        CatalogErrorKind::Corrupt,
        CatalogErrorKind::Full,
        CatalogErrorKind::Constraint,
        CatalogErrorKind::NewerSchema,
        CatalogErrorKind::Taken,
        CatalogErrorKind::Bug,
    ];
    kinds.map(|kind| CatalogError::new(kind, format!("{kind:?}"))).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_of_failure_has_its_own_code_and_advice() {
        let errors = one_of_each();
        assert_eq!(errors.iter().map(Explain::code).collect::<BTreeSet<_>>().len(), errors.len());
        assert_eq!(errors.iter().map(Explain::help).collect::<BTreeSet<_>>().len(), errors.len());
    }

    #[test]
    fn requests_and_answers_can_go_to_another_thread() {
        fn sendable<T: Send + 'static>() {}
        sendable::<CatalogRequest>();
        sendable::<CatalogAnswer>();
        sendable::<CatalogError>();
    }
}
