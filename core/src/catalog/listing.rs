//! What consoles list beside jobs, volumes and files: a question each, and rows for the answer.

use super::{JobFilter, JobMediaRow, PoolRow};

/// A question for a list. It changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listing {
    /// How many jobs a filter chooses, whatever its limit and offset. Answer: [`Listed::Count`].
    CountJobs(JobFilter),
    /// Pools, by PoolId. Answer: [`Listed::Pools`].
    Pools,
    /// Filesets, by FileSetId. Answer: [`Listed::FileSets`].
    FileSets,
    /// Storages, by StorageId. Answer: [`Listed::Storages`].
    Storages,
    /// What the jobs of each name have saved. Answer: [`Listed::Totals`].
    JobTotals,
    /// Lines of reports. Answer: [`Listed::Log`].
    Log(LogFilter),
    /// Copies of jobs, newest original first. Answer: [`Listed::Copies`].
    Copies {
        /// Only of this job.
        job_id: Option<u32>,
    },
    /// Pieces of jobs on volumes, by JobMediaId. Answer: [`Listed::Pieces`].
    Pieces {
        /// Only of this job.
        job_id: Option<u32>,
        /// At most so many.
        limit: u32,
    },
    /// What good backups there are of each client and fileset, by the client's name: the newest Full of each and its
    /// bytes. Answer: [`Listed::Holdings`].
    Holdings,
    /// A statement of an operator, in a transaction that can only read. Answer: [`Listed::Table`].
    Query {
        /// The statement.
        sql: String,
        /// At most so many rows.
        limit: u32,
    },
}

/// Which lines of reports to list. Whatever is `None` does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Only of jobs of this resource.
    pub name: Option<String>,
    /// Only of jobs of this client.
    pub client: Option<String>,
    /// Only lines of this second or later.
    pub since: Option<i64>,
    /// Newest first; the limit counts from the newest anyway.
    pub newest_first: bool,
    /// At most so many, from the newest.
    pub limit: u32,
    /// So many of the newest are passed over.
    pub offset: u32,
}

/// What came of a [`Listing`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listed {
    /// How many.
    Count(u64),
    /// Pools.
    Pools(Vec<ListedPool>),
    /// Filesets.
    FileSets(Vec<ListedFileSet>),
    /// Storages.
    Storages(Vec<ListedStorage>),
    /// Sums, by the name of the job.
    Totals(Vec<JobTotal>),
    /// Lines of reports.
    Log(Vec<ListedLine>),
    /// Copies.
    Copies(Vec<ListedCopy>),
    /// Pieces.
    Pieces(Vec<ListedPiece>),
    /// Backups there are.
    Holdings(Vec<Holding>),
    /// What a statement has returned.
    Table {
        /// The names of the columns.
        heads: Vec<String>,
        /// As text; nothing for NULL.
        rows: Vec<Vec<String>>,
    },
}

/// A pool as it is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedPool {
    /// The pool.
    pub row: PoolRow,
    /// How many volumes it has.
    pub num_vols: u32,
}

/// A fileset as it is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedFileSet {
    /// FileSetId.
    pub file_set_id: u32,
    /// The resource's name.
    pub file_set: String,
    /// The digest of what is sent to the client.
    pub md5: String,
    /// When this content was first used.
    pub create_time: i64,
    /// Its text, for people.
    pub text: String,
}

/// A storage as it is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedStorage {
    /// StorageId.
    pub storage_id: u32,
    /// The resource's name.
    pub name: String,
    /// Whether it is an autochanger.
    pub auto_changer: bool,
}

/// What the jobs of one name have saved together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobTotal {
    /// The resource's name.
    pub name: String,
    /// How many jobs.
    pub jobs: u64,
    /// Files of all of them.
    pub files: u64,
    /// Bytes of all of them.
    pub bytes: u64,
}

/// A line of a report as it is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedLine {
    /// LogId.
    pub log_id: u64,
    /// The job, 0 if none.
    pub job_id: u32,
    /// The name of its resource, empty if none.
    pub name: String,
    /// Its client, empty if none.
    pub client: String,
    /// When.
    pub time: i64,
    /// The text.
    pub text: String,
}

/// A copy of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedCopy {
    /// The original.
    pub job_id: u32,
    /// Its unique name.
    pub job: String,
    /// The copy.
    pub copy_job_id: u32,
    /// The media type of the volumes that hold the copy.
    pub media_type: String,
}

/// A piece of a job as it is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedPiece {
    /// JobMediaId.
    pub job_media_id: u32,
    /// The piece.
    pub piece: JobMediaRow,
    /// The volume's name.
    pub volume_name: String,
}

/// What there is of a client and a fileset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// The client's name.
    pub client: String,
    /// The fileset's name.
    pub file_set: String,
    /// The newest good Full.
    pub job_id: u32,
    /// Its bytes.
    pub bytes: u64,
}
