//! A catalog of a few maps: for tests, and for the simulator. It moves rows as the engines on disk do, and decides nothing.

mod browse;
mod changing;
mod listing;
mod storing;

use std::collections::{BTreeMap, BTreeSet};

use super::pruning::{self, Pruning};
use super::{
    AdoptOriginal, CatalogAnswer as Answer, CatalogError, CatalogErrorKind, CatalogRequest as Request, ClientRow,
    ClientSpec, CounterRow, FileKey, FileRow, FileSetSpec, FilesStored, IndexRange, JobEnd, JobFilter, JobMediaPiece,
    JobMediaRow, JobRow, JobStart, LogRow, MediaRow, NewJob, PoolRow, RestoreFiles, StandsFor, UpdCatBatch, VolStatus,
    jobs_for_restore, jobs_to_copy, last_jobs, newest_backup, orphaned_copies, take_counters,
};
use crate::limits;

type Outcome = Result<Answer, CatalogError>;

/// Everything a director has stored.
#[derive(Clone, Debug, Default)]
pub struct MemoryCatalog {
    jobs: BTreeMap<u32, JobRow>,
    clients: BTreeMap<u32, ClientRow>,
    file_sets: BTreeMap<u32, FileSetSpec>,
    pools: BTreeMap<u32, PoolRow>,
    storages: BTreeMap<u32, String>,
    counters: BTreeMap<String, CounterRow>,
    media: BTreeMap<u32, MediaRow>,
    job_media: Vec<JobMediaRow>,
    files: BTreeMap<u32, BTreeMap<u32, FileRow>>,
    log: Vec<LogRow>,
    max_media_id: u32,
    /// Folders that a browser has been told of; the place is the PathId less 1.
    paths: Vec<Vec<u8>>,
}

impl MemoryCatalog {
    /// Does one piece of work.
    ///
    /// # Errors
    /// Contradictions between rows, as in [`super::CatalogErrorKind::Constraint`].
    pub fn serve(&mut self, request: Request) -> Outcome {
        match request {
            Request::CreateJob(new) => self.create_job(new),
            Request::StartJob(start) => self.start_job(&start),
            Request::EndJob(end) => self.end_job(&end),
            Request::EnsureClient(spec) => Ok(Answer::Id(self.ensure_client(spec))),
            Request::EnsureFileSet(spec) => {
                let same = |row: &FileSetSpec| row.file_set == spec.file_set && row.md5 == spec.md5;
                Ok(Answer::Id(ensure(&mut self.file_sets, same, spec.clone())))
            }
            Request::EnsurePool(row) => Ok(Answer::Id(self.ensure_pool(*row))),
            Request::EnsureStorage { name, .. } => {
                Ok(Answer::Id(ensure(&mut self.storages, |row| *row == name, name.clone())))
            }
            Request::EnsureCounter { counter, restarts } => {
                let known = self.counters.get(&counter.name).map(|known| known.current);
                let is_inside = |current: &u32| !restarts && (counter.minimum..=counter.maximum).contains(current);
                let current = known.filter(is_inside).unwrap_or(counter.minimum);
                self.counters.insert(counter.name.clone(), CounterRow { current, ..counter });
                Ok(Answer::Done)
            }
            Request::TakeCounters(wanted) => take_counters(
                &mut self.counters,
                &wanted,
                |rows, name| Ok(rows.get(name).cloned()),
                |rows, row| {
                    rows.insert(row.name.clone(), row.clone());
                    Ok(())
                },
            )
            .map(Answer::Counted),
            Request::UpdateClientUname { client, uname } => {
                self.clients
                    .values_mut()
                    .filter(|row| row.spec.name == client)
                    .for_each(|row| row.uname.clone_from(&uname));
                Ok(Answer::Done)
            }
            Request::JobLog { job_id } => {
                Ok(Answer::Log(self.log.iter().filter(|row| row.job_id == job_id).cloned().collect()))
            }
            Request::AddLogs(rows) => {
                self.log.extend_from_slice(&rows);
                Ok(Answer::Done)
            }
            Request::MarkUnfinishedJobsFailed { now } => Ok(Answer::Changed(self.mark_unfinished(now))),
            Request::InsertFiles { job_id, batch } => Ok(Answer::Files(self.insert_files(job_id, &batch))),
            Request::ListJobs(filter) => Ok(Answer::Jobs(self.list_jobs(&filter))),
            Request::JobsById(ids) => {
                let ids: BTreeSet<u32> = ids.into_iter().collect();
                Ok(Answer::Jobs(ids.iter().filter_map(|id| self.jobs.get(id)).cloned().collect()))
            }
            Request::ListFiles { job_id, after, limit } => Ok(self.list_files(job_id, after.as_ref(), limit)),
            Request::FilesByName { job_id, names } => {
                let names: BTreeSet<Vec<u8>> = names.into_iter().collect();
                let files = self.file_rows(job_id).filter(|row| names.contains(&row.name)).cloned().collect();
                Ok(Answer::FileList { files, next: None })
            }
            Request::ListClients => Ok(Answer::Clients(self.clients.values().cloned().collect())),
            Request::JobsToCopy { pool_id, uncopied, after, limit } => {
                Ok(Answer::Jobs(jobs_to_copy(self.jobs.values(), pool_id, uncopied, after, limit)))
            }
            Request::NewestBackup { name, client } => {
                let newest = newest_backup(self.jobs.values(), name.as_deref(), client.as_deref());
                Ok(Answer::Jobs(newest.into_iter().collect()))
            }
            Request::LastJobs { name, client_id, file_set_id, now } => {
                let last = last_jobs(self.jobs.values(), (&name, client_id, file_set_id), now);
                Ok(Answer::LastJobs(Box::new(last)))
            }
            Request::KnownFiles { jobs, after, limit } => Ok(self.known_files(&jobs, after.as_ref(), limit)),
            Request::JobsForRestore { client, name, file_set, before, now } => {
                let of = (client.as_str(), name.as_deref(), file_set.as_deref());
                Ok(Answer::Jobs(jobs_for_restore(self.jobs.values(), of, before, now)))
            }
            Request::JobsWithFile { client, name, limit } => {
                let is_it = |row: &FileRow| row.name.rsplit(|byte| *byte == b'/').next() == Some(name.as_slice());
                let rows = self.jobs.values().rev().filter(|job| job.client == client && is_good(job));
                let rows = rows.filter(|job| self.file_rows(job.job_id).any(is_it));
                Ok(Answer::Jobs(rows.take(limit as usize).cloned().collect()))
            }
            Request::FindFiles { jobs, name, limit } => {
                let rows = jobs.iter().flat_map(|job| self.file_rows(*job));
                let fits = |row: &&FileRow| row.file_index > 0 && name.fits(&row.name);
                Ok(Answer::FileList { files: rows.filter(fits).take(limit as usize).cloned().collect(), next: None })
            }
            Request::FilesForRestore { jobs, only } => Ok(Answer::RestoreFiles(self.files_for_restore(&jobs, &only))),
            Request::JobMediaOf { jobs } => Ok(Answer::Pieces(self.pieces(&jobs))),
            Request::Checkpoint { job_id, job_files, job_bytes } => {
                let row = self.job(job_id)?;
                (row.job_files, row.job_bytes) = (job_files, job_bytes);
                Ok(Answer::Done)
            }
            Request::AdoptOriginal(adopt) => self.adopt(&adopt),
            Request::List(listing) => Ok(Answer::Listed(self.list(listing)?)),
            Request::Browse(browse) => Ok(Answer::Browsed(self.browse(browse))),
            request => self.serve_media(request),
        }
    }

    fn serve_media(&mut self, request: Request) -> Outcome {
        match request {
            Request::VolumesOfPool { pool_id, media_type } => {
                let of_pool = self.media.values().filter(|row| row.pool_id == pool_id);
                let fits = |row: &&MediaRow| media_type.as_ref().is_none_or(|wanted| *wanted == row.media_type);
                Ok(Answer::Volumes(of_pool.filter(fits).map(|row| self.with_names(row)).collect()))
            }
            Request::VolumeByName(name) => {
                let row = self.media.values().find(|row| row.volume_name == name);
                Ok(Answer::Volume(row.map(|row| Box::new(self.with_names(row)))))
            }
            Request::CreateMedia(row) => self.create_media(*row),
            Request::UpdateMedia(row) => self.update_media(*row),
            Request::JobsOnVolume { media_id } => {
                let of_volume = self.job_media.iter().filter(|row| row.media_id == media_id);
                let ids: BTreeSet<u32> = of_volume.map(|row| row.job_id).collect();
                Ok(Answer::Jobs(ids.iter().filter_map(|id| self.jobs.get(id)).cloned().collect()))
            }
            Request::DeleteJobs(ids) => Ok(Answer::Changed(self.delete_jobs(&ids))),
            Request::PurgeFiles(ids) => {
                let mut changed = 0;
                for id in ids {
                    let Some(row) = self.jobs.get_mut(&id).filter(|row| row.end_time > 0) else { continue };
                    row.purged_files = true;
                    self.files.remove(&id);
                    changed += 1;
                }
                Ok(Answer::Changed(changed))
            }
            Request::PurgeFolder { path, recursive, client } => {
                Ok(Answer::Changed(self.purge_folder(&path, recursive, client.as_deref())))
            }
            Request::DeleteMedia { media_id } => {
                if self.job_media.iter().any(|row| row.media_id == media_id) {
                    return Err(CatalogError::new(CatalogErrorKind::Constraint, "the volume holds a job"));
                }
                Ok(Answer::Changed(u64::from(self.media.remove(&media_id).is_some())))
            }
            Request::CorrectJob(correction) => Ok(Answer::Changed(self.correct(&correction))),
            Request::DeletePool(name) => self.delete_pool(&name),
            Request::DeleteStorage(name) => self.delete_storage(&name),
            Request::PruneVolume { media_id, before } => Ok(self.prune(media_id, before)),
            Request::CreateJobMedia(row) => {
                self.job(row.job_id)?;
                let volume = self.media.get_mut(&row.media_id).ok_or_else(|| missing("volume", row.media_id))?;
                (volume.end_file, volume.end_block) = (row.end_file, row.end_block);
                self.job_media.push(row);
                Ok(Answer::Done)
            }
            Request::DeleteNullJobMedia { job_id } => {
                self.job_media.retain(|row| row.job_id != job_id || (row.first_index, row.last_index) != (0, 0));
                Ok(Answer::Done)
            }
            Request::ListMedia { pool } => {
                let rows = self.media.values().map(|row| self.with_names(row));
                Ok(Answer::Volumes(rows.filter(|row| pool.as_ref().is_none_or(|name| *name == row.pool)).collect()))
            }
            Request::MaxJobId => Ok(Answer::Id(self.jobs.last_key_value().map_or(0, |(id, _)| *id))),
            Request::MaxMediaId => Ok(Answer::Id(self.max_media_id)),
            other => Err(CatalogError::new(CatalogErrorKind::Bug, format!("not supported: {other:?}"))),
        }
    }

    /// A job, by its id.
    #[must_use]
    pub fn job_row(&self, job_id: u32) -> Option<&JobRow> {
        self.jobs.get(&job_id)
    }

    /// A volume, by its name.
    #[must_use]
    pub fn volume(&self, name: &str) -> Option<&MediaRow> {
        self.media.values().find(|row| row.volume_name == name)
    }

    /// The files of a job, by FileIndex.
    pub fn file_rows(&self, job_id: u32) -> impl Iterator<Item = &FileRow> {
        self.files.get(&job_id).into_iter().flat_map(BTreeMap::values)
    }

    fn job(&mut self, job_id: u32) -> Result<&mut JobRow, CatalogError> {
        self.jobs.get_mut(&job_id).ok_or_else(|| missing("job", job_id))
    }

    fn create_job(&mut self, new: NewJob) -> Outcome {
        if self.jobs.values().any(|row| row.job == new.job) {
            return Err(CatalogError::new(CatalogErrorKind::Constraint, format!("job {} is there already", new.job)));
        }
        let job_id = next_id(&self.jobs).max(new.at_least);
        let row = JobRow {
            job_id,
            job: new.job,
            name: new.name,
            job_type: new.job_type,
            level: new.level,
            job_status: b'C',
            client_id: new.client_id,
            client: self.clients.get(&new.client_id).map(|row| row.spec.name.clone()).unwrap_or_default(),
            sched_time: new.sched_time,
            job_t_date: new.sched_time,
            comment: new.comment,
            ..JobRow::default()
        };
        self.jobs.insert(job_id, row);
        Ok(Answer::Id(job_id))
    }

    fn start_job(&mut self, start: &JobStart) -> Outcome {
        let file_set = self.file_sets.get(&start.file_set_id).map(|row| row.file_set.clone()).unwrap_or_default();
        let pool = self.pools.get(&start.pool_id).map(|row| row.name.clone()).unwrap_or_default();
        let row = self.job(start.job_id)?;
        (row.job_status, row.level, row.start_time) = (start.job_status, start.level, start.start_time);
        (row.job_t_date, row.pool_id, row.file_set_id) = (start.start_time, start.pool_id, start.file_set_id);
        (row.vol_session_id, row.vol_session_time) = (start.vol_session_id, start.vol_session_time);
        (row.file_set, row.pool) = (file_set, pool);
        Ok(Answer::Done)
    }

    fn end_job(&mut self, end: &JobEnd) -> Outcome {
        let row = self.job(end.job_id)?;
        (row.job_status, row.level, row.end_time) = (end.job_status, end.level, end.end_time);
        (row.real_end_time, row.job_t_date) = (end.real_end_time, end.real_end_time);
        (row.job_files, row.job_bytes, row.read_bytes) = (end.job_files, end.job_bytes, end.read_bytes);
        (row.job_errors, row.prior_job_id, row.purged_files) = (end.job_errors, end.prior_job_id, end.purged_files);
        (row.vol_session_id, row.vol_session_time) = (end.vol_session_id, end.vol_session_time);
        if let Some(comment) = &end.comment {
            row.comment.clone_from(comment);
        }
        if let (Some(last), Some(files)) = (end.last_file, self.files.get_mut(&end.job_id)) {
            files.retain(|index, _| *index <= last);
        }
        match &end.stands_for {
            Some(stands_for) => self.stand_for(end.job_id, stands_for),
            None => Ok(Answer::Done),
        }
    }

    fn stand_for(&mut self, job_id: u32, stands_for: &StandsFor) -> Outcome {
        let last = self.job(stands_for.last)?;
        let times = (last.sched_time, last.start_time, last.end_time, last.job_t_date);
        let place = last.place();
        let row = self.job(job_id)?;
        (row.sched_time, row.start_time, row.end_time, row.job_t_date) = times;
        row.origin = place;
        let mut newest: BTreeMap<Vec<u8>, FileRow> = BTreeMap::new();
        for file in stands_for.deleted_of.iter().flat_map(|id| self.file_rows(*id)) {
            newest.insert(file.name.clone(), file.clone());
        }
        // A deleted file has no place in the job; rows are kept after those that have.
        let files = self.files.entry(job_id).or_default();
        let begin = files.last_key_value().map_or(1, |(index, _)| index + 1);
        for (at, file) in (begin..).zip(newest.into_values().filter(|file| file.file_index == 0)) {
            files.insert(at, FileRow { job_id, ..file });
        }
        self.delete_jobs(&stands_for.purged);
        Ok(Answer::Done)
    }

    fn adopt(&mut self, adopt: &AdoptOriginal) -> Outcome {
        let original = self.job(adopt.original)?;
        original.job_type = adopt.original_type;
        let migrated = adopt.original_type == b'M';
        original.purged_files |= migrated;
        let times = (original.sched_time, original.start_time, original.end_time, original.job_t_date);
        let place = original.place();
        let copy = self.job(adopt.job_id)?;
        (copy.job_type, copy.prior_job_id, copy.origin) = (adopt.job_type, adopt.original, place);
        (copy.sched_time, copy.start_time, copy.end_time, copy.job_t_date) = times;
        if migrated {
            self.files.remove(&adopt.original);
        }
        if migrated && adopt.purges {
            self.delete_jobs(&[adopt.original]);
        }
        Ok(Answer::Done)
    }

    fn mark_unfinished(&mut self, now: i64) -> u64 {
        let mut changed = 0;
        for row in self.jobs.values_mut().filter(|row| row.end_time == 0) {
            (row.job_status, row.end_time, row.real_end_time) = (b'f', now, now);
            changed += 1;
        }
        changed
    }

    fn ensure_client(&mut self, spec: ClientSpec) -> u32 {
        let same = |row: &ClientRow| row.spec.name == spec.name;
        let id = ensure(&mut self.clients, same, ClientRow { spec: spec.clone(), ..ClientRow::default() });
        if let Some(row) = self.clients.get_mut(&id) {
            (row.client_id, row.spec) = (id, spec);
        }
        id
    }

    fn ensure_pool(&mut self, row: PoolRow) -> u32 {
        let id = ensure(&mut self.pools, |old| old.name == row.name, row.clone());
        self.pools.insert(id, PoolRow { pool_id: id, ..row });
        id
    }

    fn with_names(&self, row: &MediaRow) -> MediaRow {
        let pool = self.pools.get(&row.pool_id).map(|pool| pool.name.clone()).unwrap_or_default();
        let storage = self.storages.get(&row.storage_id).cloned().unwrap_or_default();
        MediaRow { pool, storage, ..row.clone() }
    }

    fn create_media(&mut self, row: MediaRow) -> Outcome {
        if self.media.values().any(|old| old.volume_name == row.volume_name) {
            let text = format!("volume {} is there already", row.volume_name);
            return Err(CatalogError::new(CatalogErrorKind::Constraint, text));
        }
        self.max_media_id += 1;
        let row = MediaRow { media_id: self.max_media_id, revision: 0, ..row };
        self.media.insert(row.media_id, row.clone());
        Ok(Answer::Volume(Some(Box::new(self.with_names(&row)))))
    }

    fn update_media(&mut self, row: MediaRow) -> Outcome {
        let old = self.media.get_mut(&row.media_id).ok_or_else(|| missing("volume", row.media_id))?;
        if old.revision != row.revision {
            let present = old.clone();
            return Ok(Answer::Stale(Box::new(self.with_names(&present))));
        }
        let (end_file, end_block) = (old.end_file, old.end_block);
        *old = MediaRow { revision: row.revision + 1, end_file, end_block, ..row };
        let stored = old.clone();
        Ok(Answer::Volume(Some(Box::new(self.with_names(&stored)))))
    }

    fn prune(&mut self, media_id: u32, before: i64) -> Answer {
        let on_volume = |row: &&JobMediaRow| row.media_id == media_id;
        let ids: BTreeSet<u32> = self.job_media.iter().filter(on_volume).map(|row| row.job_id).collect();
        let jobs: Vec<JobRow> = ids.iter().filter_map(|id| self.jobs.get(id)).cloned().collect();
        let all: Vec<JobRow> = self.jobs.values().cloned().collect();
        let Pruning { gone, kept } = pruning::prune(&jobs, &all, before);
        self.delete_jobs(&gone);
        let empty = !self.job_media.iter().any(|row| row.media_id == media_id);
        if let (true, Some(row)) = (empty, self.media.get_mut(&media_id)) {
            row.vol_status = VolStatus::Purged;
            row.revision += 1;
        }
        let volume = self.media.get(&media_id).map(|row| Box::new(self.with_names(row)));
        Answer::Pruned { volume, kept }
    }

    fn delete_jobs(&mut self, ids: &[u32]) -> u64 {
        let mut deleted = 0;
        for id in ids {
            if self.jobs.get(id).is_none_or(|row| row.end_time == 0) {
                continue;
            }
            self.jobs.remove(id);
            self.files.remove(id);
            self.job_media.retain(|row| row.job_id != *id);
            self.log.retain(|row| row.job_id != *id);
            deleted += 1;
        }
        for id in orphaned_copies(self.jobs.values()) {
            if let Some(row) = self.jobs.get_mut(&id) {
                row.job_type = b'B';
            }
        }
        deleted
    }

    fn list_jobs(&self, filter: &JobFilter) -> Vec<JobRow> {
        let on_volume = |row: &&JobRow| filter.volume.as_ref().is_none_or(|name| self.is_on(row.job_id, name));
        filter.choose(self.jobs.values().filter(on_volume))
    }

    fn is_on(&self, job_id: u32, volume: &str) -> bool {
        let name = |row: &JobMediaRow| self.media.get(&row.media_id).map(|media| media.volume_name.as_str());
        self.job_media.iter().any(|row| row.job_id == job_id && name(row) == Some(volume))
    }

    fn list_files(&self, job_id: u32, after: Option<&FileKey>, limit: u32) -> Answer {
        let begin = after.map_or(0, |key| key.file_index + 1);
        let rows = self.files.get(&job_id).into_iter().flat_map(|files| files.range(begin..));
        let (page, is_last) = page(rows.map(|(_, row)| row), limit);
        let next = page.last().filter(|_| !is_last);
        let next = next.map(|row| FileKey { path_id: 0, name: row.name.clone(), file_index: row.file_index });
        Answer::FileList { files: page.into_iter().cloned().collect(), next }
    }

    fn purge_folder(&mut self, path: &[u8], recursive: bool, client: Option<&str>) -> u64 {
        let is_in = |name: &[u8]| {
            let rest = name.strip_prefix(path);
            rest.is_some_and(|rest| recursive || !rest.contains(&b'/'))
        };
        let mut changed = 0;
        for (id, files) in &mut self.files {
            let of = self.jobs.get(id).filter(|row| row.end_time > 0);
            if of.is_none_or(|row| client.is_some_and(|client| client != row.client)) {
                continue;
            }
            let before = files.len();
            files.retain(|_, row| !is_in(&row.name));
            changed += before - files.len();
        }
        changed as u64
    }

    fn known_files(&self, jobs: &[u32], after: Option<&FileKey>, limit: u32) -> Answer {
        let mut newest: BTreeMap<&[u8], &FileRow> = BTreeMap::new();
        for row in jobs.iter().flat_map(|id| self.file_rows(*id)) {
            newest.insert(&row.name, row);
        }
        let rest = newest.into_iter().filter(|(name, _)| after.is_none_or(|key| *name > key.name.as_slice()));
        let (page, is_last) = page(rest.map(|(_, row)| row), limit);
        let next = page.last().filter(|_| !is_last);
        let next = next.map(|row| FileKey { path_id: 0, name: row.name.clone(), file_index: 0 });
        Answer::FileList { files: page.into_iter().filter(|row| row.file_index > 0).cloned().collect(), next }
    }

    fn files_for_restore(&self, jobs: &[u32], only: &[Vec<u8>]) -> Vec<RestoreFiles> {
        let wanted = |name: &[u8]| {
            only.is_empty() || only.iter().any(|one| name == one || one.ends_with(b"/") && name.starts_with(one))
        };
        let mut newest: BTreeMap<&[u8], (u32, u32)> = BTreeMap::new();
        for id in jobs {
            for row in self.files.get(id).into_iter().flat_map(BTreeMap::values).filter(|row| wanted(&row.name)) {
                newest.insert(&row.name, (*id, row.file_index));
            }
        }
        let mut chosen: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (job, index) in newest.into_values().filter(|(_, index)| *index > 0) {
            chosen.entry(job).or_default().push(index);
        }
        let of_job = |(job_id, indexes)| RestoreFiles { job_id, ranges: IndexRange::runs(indexes) };
        chosen.into_iter().map(of_job).collect()
    }

    fn pieces(&self, jobs: &[u32]) -> Vec<JobMediaPiece> {
        let mut pieces = Vec::new();
        for id in jobs {
            let of_job = self.job_media.iter().filter(|row| row.job_id == *id);
            for (vol_index, piece) in (1..).zip(of_job) {
                let Some(row) = self.media.get(&piece.media_id).map(|row| self.with_names(row)) else { continue };
                pieces.push(JobMediaPiece {
                    piece: *piece,
                    vol_index,
                    volume_name: row.volume_name,
                    media_type: row.media_type,
                    slot: row.slot,
                    enabled: row.enabled,
                    storage: row.storage,
                });
            }
        }
        pieces
    }
}

fn ensure<T>(rows: &mut BTreeMap<u32, T>, same: impl Fn(&T) -> bool, new: T) -> u32 {
    if let Some((id, _)) = rows.iter().find(|(_, row)| same(row)) {
        return *id;
    }
    let id = next_id(rows);
    rows.insert(id, new);
    id
}

fn next_id<T>(rows: &BTreeMap<u32, T>) -> u32 {
    rows.last_key_value().map_or(1, |(id, _)| id + 1)
}

fn is_good(job: &JobRow) -> bool {
    job.job_type == b'B' && matches!(job.job_status, b'T' | b'W')
}

fn missing(what: &str, id: u32) -> CatalogError {
    CatalogError::new(CatalogErrorKind::Constraint, format!("there is no {what} {id}"))
}

/// The next rows, at most `limit` and not much more than [`limits::PAGE`] bytes; and whether they are the last.
fn page<'a>(mut rows: impl Iterator<Item = &'a FileRow>, limit: u32) -> (Vec<&'a FileRow>, bool) {
    let (mut page, mut bytes) = (Vec::new(), 0);
    while page.len() < limit as usize && bytes < limits::PAGE {
        let Some(row) = rows.next() else { return (page, true) };
        bytes += row.bytes();
        page.push(row);
    }
    (page, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_by_its_rows_or_by_its_bytes() {
        let row = |name: usize| FileRow {
            job_id: 1,
            file_index: 1,
            name: vec![b'x'; name],
            lstat: Vec::new(),
            md5: Vec::new(),
            delta_seq: 0,
        };
        let (short, long) = (vec![row(10); 50], vec![row(limits::PAGE / 4); 50]);
        assert_eq!((page(short.iter(), 20).0.len(), page(short.iter(), 20).1), (20, false));
        assert_eq!((page(short.iter(), 100).0.len(), page(short.iter(), 100).1), (50, true));
        assert_eq!((page(long.iter(), 20).0.len(), page(long.iter(), 20).1), (4, false));
        let huge = [row(2 * limits::PAGE), row(1)];
        assert_eq!(page(huge.iter(), 20).0.len(), 1, "one row at least");
    }
}
