//! Virtual fulls: a backup that is made of those before it, from volume to volume and without the client (`wire/3 §7.8`).
//!
//! ```text
//!   the jobs that are named, or those that an accurate backup would build on
//!     -> the newest version of each of their files -> a bootstrap
//!     -> one storage daemon reads that, and writes it as one job to the next pool (wire/3 §1.7), or sends it to
//!        another one that does: see joining.rs
//!   a good end -> the level of the first of these jobs, the times and the place of the last
//! ```
//! Its dialogue is in `tables/virtual_full.rs`.

use crate::catalog::levels::accurate_base;
use crate::catalog::restore_selection::{self, RestorePlan as Selected};
use crate::catalog::{CatalogRequest, JobMediaPiece, JobRow, RestoreFiles, StandsFor};
use crate::config::{DirectorConfig, Storage};
use crate::ids::JobId;
use crate::quantity::either;
use crate::role::director::common::Tools;
use crate::role::report::thousands;
use crate::script::Scripted;
use crate::wire::status::{JobLevel, JobStatus, JobType, StorageEnd};

use super::Jobs;
use super::copying;
use super::job::Job;
use super::ordering::{Order, Resources};
use super::tables;
use super::task::Task;
use super::trouble::Trouble;

/// What such a job knows of those that it is made of.
#[derive(Debug, Default)]
pub(crate) struct VirtualFull {
    /// The jobs that were named; none: those that an accurate backup builds on.
    pub(crate) named: Vec<u32>,
    /// Whether the client tells the job's backups what was deleted.
    pub(crate) accurate: bool,
    /// Whether a consolidation has ordered it.
    pub(crate) is_ordered: bool,
    /// What it is made of, oldest first.
    jobs: Vec<JobRow>,
    files: Vec<RestoreFiles>,
    pub(crate) selected: Selected,
    /// Where that is read; what the job itself works with is where it is written.
    pub(crate) from: Source,
    /// Whether one storage daemon reads and another writes.
    pub(crate) is_apart: bool,
    /// The job that reads then, once there is one.
    pub(super) reader: Option<JobId>,
    /// How its storage daemon has ended.
    pub(crate) reader_end: Option<StorageEnd>,
}

/// What a virtual full is read from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    pub(crate) storage: String,
    pub(crate) pool: String,
}

impl VirtualFull {
    /// Of the jobs with these numbers, or of those that an accurate backup builds on.
    pub(crate) fn new(named: Vec<u32>, accurate: bool, is_ordered: bool) -> Self {
        Self { named, accurate, is_ordered, ..Self::default() }
    }

    /// The job that reads, if that is another one.
    pub(crate) const fn reader(&self) -> Option<JobId> {
        self.reader
    }

    /// An order for the same once more.
    pub(crate) fn order_again(&self, order: Order) -> Order {
        let with = match self.from.storage.is_empty() {
            true => order.with,
            false => Resources { storage: self.from.storage.clone(), pool: self.from.pool.clone(), ..order.with },
        };
        let (joined, accurate, is_consolidation) = (self.named.clone(), self.accurate, self.is_ordered);
        Order { with, joined, accurate, is_consolidation, ..order }
    }

    /// The numbers of the jobs that it is made of, oldest first.
    pub(crate) fn ids(&self) -> Vec<u32> {
        self.jobs.iter().map(|job| job.job_id).collect()
    }

    /// What the catalog is asked for the files to take.
    pub(crate) fn ask_files(&self) -> CatalogRequest {
        CatalogRequest::FilesForRestore { jobs: self.ids(), only: Vec::new() }
    }

    /// What the catalog is asked for where they lie.
    pub(crate) fn ask_pieces(&mut self, files: Vec<RestoreFiles>) -> CatalogRequest {
        self.files = files;
        CatalogRequest::JobMediaOf { jobs: self.ids() }
    }
}

/// Asks for the jobs to take.
///
/// # Errors
/// An always incremental job has one only of jobs that are named.
pub(crate) fn request(job: &mut Job, now: i64) -> Result<CatalogRequest, Trouble> {
    let always = job.config.job(&job.name).is_some_and(|resource| resource.always_incremental);
    let named = job.task.virtual_full()?.named.clone();
    if !named.is_empty() {
        return Ok(CatalogRequest::JobsById(named));
    }
    if always {
        return Err(Trouble::NoJobsNamed);
    }
    let (client, name, file_set) = (job.with.client.clone(), Some(job.name.clone()), Some(job.with.fileset.clone()));
    Ok(CatalogRequest::JobsForRestore { client, name, file_set, before: i64::MAX, now })
}

/// Takes the answer to [`request`].
///
/// # Errors
/// That there are none, or which of them cannot be taken.
pub(crate) fn choose(job: &mut Job, mut rows: Vec<JobRow>) -> Result<(), Trouble> {
    let client = job.with.client.clone();
    let task = job.task.virtual_full()?;
    if task.named.is_empty() {
        rows = accurate_base(JobLevel::Incremental.letter(), &rows).map_err(|_| Trouble::NothingToJoin)?;
    } else {
        rows.sort_by_key(|row| (row.place(), row.job_id));
        let is_good = |row: &JobRow| {
            row.job_type == JobType::Backup.letter() && b"TW".contains(&row.job_status) && row.client == client
        };
        let taken = |id: u32| rows.iter().any(|row| row.job_id == id && is_good(row));
        if let Some(&wanted) = task.named.iter().find(|id| !taken(**id)) {
            return Err(Trouble::NotJoinable { job: wanted, client });
        }
    }
    let gone: Vec<u32> = rows.iter().filter(|row| row.purged_files).map(|row| row.job_id).collect();
    if !gone.is_empty() {
        return Err(Trouble::ListsGone(gone));
    }
    task.jobs = rows;
    Ok(())
}

/// Finds where the files lie, and where they go to.
///
/// # Errors
/// Why they cannot be read, or have nowhere to go.
pub(crate) fn plan(job: &mut Job, pieces: &[JobMediaPiece], tools: &mut Tools<'_>) -> Result<(), Trouble> {
    let config = std::sync::Arc::clone(&job.config);
    let from = Source { storage: job.with.storage.clone(), pool: job.with.pool.clone() };
    let next_pool = job.terms.next_pool.clone();
    let task = job.task.virtual_full()?;
    let device = |name: &str| config.storage(name).map(|storage| storage.device.clone());
    let selected = restore_selection::plan(&task.jobs, &task.files, pieces, None, device)?;
    let ids = listed(&task.ids());
    if selected.files == 0 {
        return Err(Trouble::NoFilesLeft(task.ids()));
    }
    let (storage, pool) = copying::target(&config, &from.pool, next_pool.as_deref())?;
    let sources = selected.bootstrap.sections.iter().filter_map(|section| section.storage.as_deref());
    let reading = one_daemon(&config, sources)?.unwrap_or_else(|| from.storage.clone());
    task.is_apart = !is_one(&config, &reading, &storage)?;
    let text = format!(
        "Taking together JobIds {ids} with {} {}.",
        thousands(selected.files),
        either(selected.files, "file", "files")
    );
    // A storage of the daemon that has them all.
    let reads_there = is_one(&config, &reading, &from.storage)?;
    (task.selected, task.from) = (selected, if reads_there { from } else { Source { storage: reading, ..from } });
    job.rows.storage = tools.common.ids(&job.catalog).storages.get(&storage).copied().unwrap_or(0);
    job.rows.pool = tools.common.ids(&job.catalog).pools.get(&pool).map_or(0, |row| row.pool_id);
    (job.with.storage, job.with.pool) = (storage, pool);
    tools.note(job, &text);
    let text = format!(
        "They are read from pool \"{}\" and written to pool \"{}\" on storage \"{}\".",
        job.task.virtual_full()?.from.pool,
        job.with.pool,
        job.with.storage
    );
    tools.note(job, &text);
    Ok(())
}

/// What one job reads lies on storages of one daemon. The first of them.
fn one_daemon<'a>(
    config: &DirectorConfig,
    mut sources: impl Iterator<Item = &'a str>,
) -> Result<Option<String>, Trouble> {
    let Some(first) = sources.next() else { return Ok(None) };
    for other in sources {
        if !is_one(config, first, other)? {
            return Err(Trouble::SeveralDaemons { storage: first.to_owned(), other: other.to_owned() });
        }
    }
    Ok(Some(first.to_owned()))
}

/// Whether two storages of the configuration are of one storage daemon.
fn is_one(config: &DirectorConfig, one: &str, other: &str) -> Result<bool, Trouble> {
    let storage = |name: &str| config.storage(name).ok_or_else(|| Trouble::UnknownStorage(name.to_owned()));
    Ok(is_same(storage(one)?, storage(other)?))
}

/// Whether two storages are of one storage daemon (`wire/3 §1.7`).
pub(crate) fn is_same(one: &Storage, other: &Storage) -> bool {
    one.address.eq_ignore_ascii_case(&other.address)
        && one.port == other.port
        && one.password.key() == other.password.key()
}

fn listed(ids: &[u32]) -> String {
    ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

impl Jobs {
    /// The full backup that a job would build on is so old that the job becomes a virtual full.
    pub(crate) fn make_virtual(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get_mut(&id) else { return };
        let Task::Backup(backup) = &job.task else { return };
        job.task = Task::VirtualFull(VirtualFull::new(Vec::new(), backup.accurate, false));
        self.advance(tools, id, |job, tools| job.begin(tables::virtual_full::TABLE, tools));
    }
}

impl Job {
    /// How a virtual full ended, unless it has failed; `None` for other jobs. Anything that is not good at the storage daemon
    /// is an error, for the jobs before it may go.
    pub(crate) fn virtual_status(&self) -> Option<JobStatus> {
        let Task::VirtualFull(_) = &self.task else { return None };
        let good = match self.tally.errors + self.tally.warnings {
            0 => JobStatus::Ok,
            _ => JobStatus::Warnings,
        };
        Some(self.status.merge(if self.virtual_shortfall().is_none() { good } else { JobStatus::Error }))
    }

    /// Why a virtual full is no good one, if it is not.
    pub(crate) fn virtual_shortfall(&self) -> Option<Trouble> {
        let Task::VirtualFull(task) = &self.task else { return None };
        let own = self.storage_daemon.presence.end();
        let ends: &[_] =
            if task.is_apart { &[("writing ", own), ("reading ", task.reader_end.as_ref())] } else { &[("", own)] };
        for (role, end) in ends.iter().copied() {
            match end {
                None => return Some(Trouble::NoEnd { role }),
                Some(end) if end.status != JobStatus::Ok || end.errors > 0 => {
                    return Some(Trouble::StorageEnded { role, end: end.clone() });
                }
                Some(_) => {}
            }
        }
        let (written, files) = (own.map_or(0, |end| end.files), task.selected.files);
        (u64::from(written) != files).then_some(Trouble::ShortJoin { written, files })
    }

    /// The level that its label on a volume says: a storage daemon that reads too takes over that of the first job.
    pub(crate) fn level_on_volume(&self) -> JobLevel {
        match &self.task {
            Task::VirtualFull(task) if task.is_apart => {
                task.jobs.first().map_or(self.level, |first| JobLevel::from_letter(first.level))
            }
            _ => self.level,
        }
    }

    /// The level to be stored at its end: that of the first of the jobs that a good virtual full was made of.
    pub(crate) fn level_at_end(&self) -> u8 {
        match &self.task {
            Task::VirtualFull(task) if self.status.is_ok() => {
                task.jobs.first().map_or_else(|| self.stored_level(), |first| first.level)
            }
            _ => self.stored_level(),
        }
    }

    /// What a good virtual full takes over of the jobs that it was made of, and which of them go.
    pub(crate) fn stands_for(&self) -> Option<Box<StandsFor>> {
        let Task::VirtualFull(task) = &self.task else { return None };
        let last = task.jobs.last().filter(|_| self.status.is_ok())?.job_id;
        // Of a chain from its full backup on nothing is left that could bring a deleted file back.
        let deleted_of = if task.named.is_empty() { Vec::new() } else { task.ids() };
        let purged = if self.purges_joined() { task.ids() } else { Vec::new() };
        Some(Box::new(StandsFor { last, deleted_of, purged }))
    }

    /// What is said at the end of a virtual full of what comes of the jobs that it was made of.
    pub(crate) fn joined_jobs_text(&self) -> Option<String> {
        let Task::VirtualFull(task) = &self.task else { return None };
        let ids = listed(&task.ids());
        match self.status {
            JobStatus::Ok | JobStatus::Warnings if self.purges_joined() => {
                Some(format!("JobIds {ids} are purged: this job stands for them."))
            }
            JobStatus::Warnings => {
                Some(format!("This job stands for JobIds {ids}, which stay because of its warnings."))
            }
            JobStatus::Ok => Some(format!("This job stands for JobIds {ids}.")),
            _ => None,
        }
    }

    /// Whether the jobs that it was made of go with its end: those of an always incremental job that keeps them for a time,
    /// after an end without any warning.
    fn purges_joined(&self) -> bool {
        let keeps = |resource: &crate::config::Job| {
            resource.always_incremental && !resource.always_incremental_job_retention.is_zero()
        };
        self.status == JobStatus::Ok && self.config.job(&self.name).is_some_and(keeps)
    }
}
