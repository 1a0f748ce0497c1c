//! Rows of jobs, of what the configuration names, and of files.

use std::collections::BTreeSet;

use crate::wire::frame;

/// What is known when a job is created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewJob {
    /// The unique name, `wire/3 §0.5`.
    pub job: String,
    /// The resource's name.
    pub name: String,
    /// Type code.
    pub job_type: u8,
    /// Level code.
    pub level: u8,
    /// The client, 0 if none.
    pub client_id: u32,
    /// When it was due. JobTDate begins as this.
    pub sched_time: i64,
    /// What the operator wrote.
    pub comment: String,
    /// The lowest number that it may have; 0: any that is free. So no two jobs of a director's catalogs have the same.
    pub at_least: u32,
}

/// What is known when a job starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobStart {
    /// The job.
    pub job_id: u32,
    /// State code.
    pub job_status: u8,
    /// Level code, after an upgrade.
    pub level: u8,
    /// When it started. JobTDate becomes this.
    pub start_time: i64,
    /// The client, 0 if none.
    pub client_id: u32,
    /// The pool, 0 if none.
    pub pool_id: u32,
    /// The fileset, 0 if none.
    pub file_set_id: u32,
    /// The storage daemon's session id, 0 if not yet known.
    pub vol_session_id: u32,
    /// The storage daemon's session time, 0 if not yet known.
    pub vol_session_time: u32,
}

/// How a job ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobEnd {
    /// The job.
    pub job_id: u32,
    /// State code.
    pub job_status: u8,
    /// Level code.
    pub level: u8,
    /// When it ended, as the report says.
    pub end_time: i64,
    /// When it really ended. JobTDate becomes this.
    pub real_end_time: i64,
    /// The client, 0 if none.
    pub client_id: u32,
    /// The pool, 0 if none.
    pub pool_id: u32,
    /// The fileset, 0 if none.
    pub file_set_id: u32,
    /// Session id at the storage daemon.
    pub vol_session_id: u32,
    /// Session time at the storage daemon.
    pub vol_session_time: u32,
    /// Number of files.
    pub job_files: u32,
    /// Bytes written.
    pub job_bytes: u64,
    /// Bytes read by the client.
    pub read_bytes: u64,
    /// Number of errors.
    pub job_errors: u32,
    /// The job this one copied, migrated or followed, 0 if none.
    pub prior_job_id: u32,
    /// Whether its files are no longer in the catalog.
    pub purged_files: bool,
    /// The last file that has data, where rows of later ones came: those are taken out. `None`: every row stays.
    pub last_file: Option<u32>,
    /// The jobs that a virtual full stands for from now on; `None`: it is none, or no good one.
    pub stands_for: Option<Box<StandsFor>>,
    /// What its comment becomes; `None`: it stays.
    pub comment: Option<String>,
}

/// What a virtual full takes over from the jobs it was made of, and what becomes of them (`wire/3 §7.8`). Stored with its
/// end, all or nothing: until then nothing builds on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StandsFor {
    /// The last of them, whose SchedTime, StartTime, EndTime, JobTDate and [place](JobRow::place) the new job has from now on.
    pub last: u32,
    /// Jobs, oldest first, whose deleted files are deleted in the new job too: rows with FileIndex 0 of names that no later
    /// one of these jobs has.
    pub deleted_of: Vec<u32>,
    /// Jobs that are deleted then, as [`DeleteJobs`](super::CatalogRequest::DeleteJobs) does.
    pub purged: Vec<u32>,
}

/// What a copied or migrated job takes over from its original, `wire/3 §1.9`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdoptOriginal {
    /// The new job.
    pub job_id: u32,
    /// Its type code from now on: `C` for a copy, `B` after a migration.
    pub job_type: u8,
    /// The original, from which SchedTime, StartTime, EndTime and JobTDate are taken. It becomes PriorJobId of the new
    /// job, which from now on has its [place](JobRow::place).
    pub original: u32,
    /// The original's type code from now on: as it was, or `M` after a migration.
    pub original_type: u8,
    /// Whether a migrated original is deleted, and not only its files.
    pub purges: bool,
}

/// What a person changes of a job that has ended; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobCorrection {
    /// The job.
    pub job_id: u32,
    /// Another name.
    pub name: Option<String>,
    /// Another client.
    pub client_id: Option<u32>,
    /// Another fileset.
    pub file_set_id: Option<u32>,
    /// Another type code.
    pub job_type: Option<u8>,
    /// Another start. SchedTime, EndTime and JobTDate move with it, by as much.
    pub start_time: Option<i64>,
}

impl JobCorrection {
    /// Makes it of a row.
    pub fn make(&self, row: &mut JobRow) {
        if let Some(name) = &self.name {
            row.name.clone_from(name);
        }
        row.client_id = self.client_id.unwrap_or(row.client_id);
        row.file_set_id = self.file_set_id.unwrap_or(row.file_set_id);
        row.job_type = self.job_type.unwrap_or(row.job_type);
        if let Some(start) = self.start_time {
            let by = start.saturating_sub(row.start_time);
            row.start_time = start;
            for time in [&mut row.sched_time, &mut row.end_time, &mut row.job_t_date] {
                *time = time.saturating_add(by);
            }
        }
    }
}

/// A job as it is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobRow {
    /// JobId.
    pub job_id: u32,
    /// The unique name.
    pub job: String,
    /// The resource's name.
    pub name: String,
    /// Type code.
    pub job_type: u8,
    /// Level code.
    pub level: u8,
    /// State code.
    pub job_status: u8,
    /// The client, 0 if none.
    pub client_id: u32,
    /// Its name, empty if none.
    pub client: String,
    /// The fileset, 0 if none.
    pub file_set_id: u32,
    /// Its name, empty if none.
    pub file_set: String,
    /// The pool, 0 if none.
    pub pool_id: u32,
    /// Its name, empty if none.
    pub pool: String,
    /// When it was due.
    pub sched_time: i64,
    /// When it started.
    pub start_time: i64,
    /// When it ended.
    pub end_time: i64,
    /// When it really ended; differs for a copy.
    pub real_end_time: i64,
    /// The time from which its retention counts. What orders jobs is their [place](Self::place).
    pub job_t_date: i64,
    /// Session id at the storage daemon.
    pub vol_session_id: u32,
    /// Session time at the storage daemon.
    pub vol_session_time: u32,
    /// Number of files.
    pub job_files: u32,
    /// Bytes written.
    pub job_bytes: u64,
    /// Bytes read by the client.
    pub read_bytes: u64,
    /// Number of errors.
    pub job_errors: u32,
    /// The job this one copied, migrated or followed, 0 if none.
    pub prior_job_id: u32,
    /// The backup it stands for, if a copy or migration made it: the first one, however often it was migrated. Of a virtual
    /// full the last of the backups it was made of. 0 for every other job.
    pub origin: u32,
    /// Whether its files are no longer in the catalog.
    pub purged_files: bool,
    /// What the operator wrote.
    pub comment: String,
}

/// What a job may build on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastJobs {
    /// The newest good job of each level F, D, I.
    pub newest: Vec<JobRow>,
    /// Of the good jobs of these levels, the newest whose start time nothing contradicts; and the same among those that
    /// are not after the newest Full.
    pub sound: Vec<JobRow>,
}

/// Which jobs to list. Whatever is `None` or empty does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// At most so many; 0 means 1000.
    pub limit: u32,
    /// Only this job.
    pub job_id: Option<u32>,
    /// Only the job of this unique name.
    pub job: Option<String>,
    /// Only jobs of this resource.
    pub name: Option<String>,
    /// Only jobs of one of these resources.
    pub names: Vec<String>,
    /// Only jobs of this client, by name.
    pub client: Option<String>,
    /// Only jobs of this fileset, by name.
    pub file_set: Option<String>,
    /// Only jobs of this pool, by name.
    pub pool: Option<String>,
    /// Only jobs that have something on this volume. Only a catalog's engine knows: [`choose`](Self::choose) passes it over.
    pub volume: Option<String>,
    /// Only jobs in one of these states.
    pub statuses: Vec<u8>,
    /// Only jobs of one of these types.
    pub types: Vec<u8>,
    /// Only jobs of one of these levels.
    pub levels: Vec<u8>,
    /// Only jobs that were due at this second or later.
    pub since: Option<i64>,
    /// Of the jobs that are left only the newest of each resource.
    pub last: bool,
    /// Oldest first, and the limit counts from there; else newest first.
    pub oldest_first: bool,
    /// So many are passed over before the first.
    pub offset: u32,
}

impl JobFilter {
    /// The rule over rows, for catalogs that keep them in maps: `rows` come in the order of their numbers.
    #[must_use]
    pub fn choose<'a>(&self, rows: impl Iterator<Item = &'a JobRow>) -> Vec<JobRow> {
        let mut rows: Vec<&JobRow> = rows.filter(|row| self.fits(row)).collect();
        rows.reverse();
        if self.last {
            let mut seen = BTreeSet::new();
            rows.retain(|row| seen.insert(row.name.as_str()));
        }
        if self.oldest_first {
            rows.reverse();
        }
        let limit = if self.limit == 0 { 1_000 } else { self.limit };
        rows.into_iter().skip(self.offset as usize).take(limit as usize).cloned().collect()
    }

    fn fits(&self, row: &JobRow) -> bool {
        let equal = |wanted: &Option<String>, name: &str| wanted.as_ref().is_none_or(|wanted| wanted == name);
        let among = |wanted: &[u8], letter: u8| wanted.is_empty() || wanted.contains(&letter);
        self.job_id.is_none_or(|id| id == row.job_id)
            && equal(&self.job, &row.job)
            && equal(&self.name, &row.name)
            && (self.names.is_empty() || self.names.contains(&row.name))
            && equal(&self.client, &row.client)
            && equal(&self.file_set, &row.file_set)
            && equal(&self.pool, &row.pool)
            && among(&self.statuses, row.job_status)
            && among(&self.types, row.job_type)
            && among(&self.levels, row.level)
            && self.since.is_none_or(|since| row.sched_time >= since)
    }
}

/// A client of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientSpec {
    /// The resource's name.
    pub name: String,
    /// Whether old jobs and files are pruned on their own.
    pub auto_prune: bool,
    /// How long files are kept, in seconds.
    pub file_retention: u64,
    /// How long jobs are kept, in seconds.
    pub job_retention: u64,
}

/// A client as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientRow {
    /// ClientId.
    pub client_id: u32,
    /// What the configuration says of it.
    pub spec: ClientSpec,
    /// What it says it is.
    pub uname: String,
}

/// A fileset of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSetSpec {
    /// The resource's name.
    pub file_set: String,
    /// Its text, for people.
    pub text: String,
    /// The digest of what is sent to the client, as text.
    pub md5: String,
    /// When this content was first used.
    pub create_time: i64,
}

/// A pool. Limits of 0 are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolRow {
    /// PoolId.
    pub pool_id: u32,
    /// The resource's name.
    pub name: String,
    /// At most so many volumes are made.
    pub max_vols: u32,
    /// Whether its jobs' files go into the catalog.
    pub use_catalog: bool,
    /// How long a volume is kept after its last use, in seconds.
    pub vol_retention: u64,
    /// How long a volume may be written after its first use, in seconds.
    pub vol_use_duration: u64,
    /// At most so many jobs on a volume.
    pub max_vol_jobs: u32,
    /// At most so many files (of 4 GiB, on disk) on a volume.
    pub max_vol_files: u32,
    /// At most so many bytes on a volume.
    pub max_vol_bytes: u64,
    /// Whether volumes are pruned on their own.
    pub auto_prune: bool,
    /// Whether volumes may be used again.
    pub recycle: bool,
    /// What the storage daemon does with a purged volume, bits.
    pub action_on_purge: u32,
    /// Backup, Copy, Cloned, Archive, Migration or Scratch.
    pub pool_type: String,
    /// Kind of label, 0 for Bareos's own.
    pub label_type: u32,
    /// How names of volumes begin; `None` if none are made.
    pub label_format: Option<String>,
    /// Smallest block in bytes, 0 for the device's.
    pub min_block_size: u32,
    /// Largest block in bytes, 0 for the device's.
    pub max_block_size: u32,
    /// Where volumes are taken from when none is left, 0 for nowhere.
    pub scratch_pool_id: u32,
    /// Where a recycled volume goes, 0 for its own pool.
    pub recycle_pool_id: u32,
    /// Where copies go, 0 for nowhere.
    pub next_pool_id: u32,
}

impl FileRow {
    /// The bytes it takes in a page.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.name.len() + self.lstat.len() + self.md5.len()
    }
}

/// Whole `UpdCat` frames, one after the other as on the wire: four bytes of length in big-endian order, then the payload.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UpdCatBatch {
    frames: Vec<u8>,
}

impl UpdCatBatch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A batch of frames as they came, lengths included. What is cut at the end does not count.
    #[must_use]
    pub fn from_frames(frames: Vec<u8>) -> Self {
        Self { frames }
    }

    /// Adds the payload of one frame, which is at most 999,996 bytes long (`wire/3 §0.1`).
    pub fn push(&mut self, payload: &[u8]) {
        self.frames.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.frames.extend_from_slice(payload);
    }

    /// The payloads in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        frame::payloads(&self.frames)
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The memory it takes, in bytes: what a maker compares with its limit.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.frames.len()
    }

    /// The memory, to be used again.
    #[must_use]
    pub fn into_frames(self) -> Vec<u8> {
        self.frames
    }
}

impl std::fmt::Debug for UpdCatBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UpdCatBatch({} bytes)", self.bytes())
    }
}

/// What became of a batch. The last attribute of a batch waits for its digest, so it counts with the next batch or at
/// the end of the job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilesStored {
    /// Rows stored.
    pub files: u64,
    /// Frames that are not kept on purpose: restore objects, base files.
    pub skipped: u64,
    /// Files whose client has not read them to their end (`wire/2 §2.5`); they are not kept.
    pub unread: u64,
    /// The highest FileIndex, deleted files included.
    pub highest: u32,
    /// Frames that make no sense: digests without their file, records that cannot be read. A warning is due.
    pub refused: u64,
    /// What was wrong with the first of them.
    pub first_refused: Option<String>,
}

/// A place in the list of a job's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileKey {
    /// PathId.
    pub path_id: i64,
    /// Name.
    pub name: Vec<u8>,
    /// FileIndex.
    pub file_index: u32,
}

/// A file of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRow {
    /// The job that has saved it.
    pub job_id: u32,
    /// Position in the job, 0 if it was deleted since the job before.
    pub file_index: u32,
    /// The whole name.
    pub name: Vec<u8>,
    /// The encoded attributes, `wire/3 §7.3`.
    pub lstat: Vec<u8>,
    /// The digest in base64, `0` if none.
    pub md5: Vec<u8>,
    /// Part number of a delta, 0 for a whole file.
    pub delta_seq: u32,
}

/// A run of FileIndexes, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexRange {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
}

impl IndexRange {
    /// The runs that these FileIndexes make, in whatever order they come.
    #[must_use]
    pub fn runs(mut indexes: Vec<u32>) -> Vec<Self> {
        indexes.sort_unstable();
        let mut runs: Vec<Self> = Vec::new();
        for index in indexes {
            match runs.last_mut() {
                Some(run) if index <= run.last.saturating_add(1) => run.last = index,
                _ => runs.push(Self { first: index, last: index }),
            }
        }
        runs
    }
}

/// What to restore from one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreFiles {
    /// The job.
    pub job_id: u32,
    /// Its files: ascending, apart from each other.
    pub ranges: Vec<IndexRange>,
}

impl RestoreFiles {
    /// The number of files.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.ranges.iter().map(|r| u64::from(r.last.saturating_sub(r.first)) + 1).sum()
    }
}

/// A line of a job's report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogRow {
    /// The job.
    pub job_id: u32,
    /// When.
    pub time: i64,
    /// The text.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_gives_back_its_payloads_even_empty_ones() {
        let mut batch = UpdCatBatch::new();
        for payload in [b"one".as_slice(), b"", b"three"] {
            batch.push(payload);
        }
        assert_eq!(batch.iter().collect::<Vec<_>>(), [b"one".as_slice(), b"", b"three"]);
        assert_eq!(batch.bytes(), 3 * 4 + 8);
    }

    #[test]
    fn a_batch_ends_before_a_frame_that_is_cut() {
        let mut batch = UpdCatBatch::new();
        batch.push(b"one");
        batch.push(b"two");
        for cut in 7..14 {
            let mut frames = batch.clone().into_frames();
            frames.truncate(cut);
            assert_eq!(UpdCatBatch::from_frames(frames).iter().collect::<Vec<_>>(), [b"one"], "{cut}");
        }
    }
}
