//! A catalog made of maps. It moves rows and decides nothing, as the real ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use towline_core::catalog::pruning::{self, Pruning};
use towline_core::catalog::{
    AdoptOriginal, CatalogAnswer, CatalogError, CatalogErrorKind, CatalogRequest, ClientRow, ClientSpec, FileRow,
    FileSetSpec, FilesStored, IndexRange, JobEnd, JobFilter, JobMediaPiece, JobMediaRow, JobRow, JobStart, LogRow,
    MediaRow, NewJob, PoolRow, RestoreFiles, UpdCatBatch, VolStatus, jobs_for_restore, jobs_to_copy, last_jobs,
    newest_backup, orphaned_copies,
};
use towline_core::drive::Reply;
use towline_core::wire::attributes::AttributeRecord;
use towline_core::wire::catalog::CatalogUpdate;
use towline_core::wire::digest::{catalog_text, marks_unread};
use towline_core::wire::stream::Stream;
use towline_core::work::WorkDone;

/// States in which a job stays, `wire/3 §0.4`.
const ENDED: &[u8] = b"TWAEfeDI";

/// A catalog; clones are the same one. It outlives its director.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    tables: Arc<Mutex<Tables>>,
    /// How often its rows may have changed.
    changes: Arc<AtomicU64>,
    waiting: Arc<Mutex<Waiting>>,
}

/// Questions that a catalog has not answered, because it hangs.
#[derive(Default)]
struct Waiting {
    hangs: bool,
    questions: Vec<(CatalogRequest, Reply)>,
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hangs: {}, {} questions", self.hangs, self.questions.len())
    }
}

/// Its rows.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Jobs by JobId.
    pub jobs: BTreeMap<u32, JobRow>,
    /// Names of files by job and FileIndex.
    pub files: BTreeMap<(u32, u32), Vec<u8>>,
    /// Their attributes and digests, as the catalog writes both.
    pub attributes: BTreeMap<(u32, u32), (Vec<u8>, String)>,
    /// Volumes by MediaId.
    pub media: BTreeMap<u32, MediaRow>,
    /// Pieces in the order they were stored.
    pub pieces: Vec<JobMediaRow>,
    /// Jobs that went with a volume whose retention was over.
    pub pruned: BTreeSet<u32>,
    /// Lines of reports.
    pub log: Vec<LogRow>,
    /// Whether it has gone away.
    pub is_away: bool,
    clients: BTreeMap<u32, ClientRow>,
    file_sets: BTreeMap<u32, FileSetSpec>,
    pools: BTreeMap<u32, PoolRow>,
    storages: BTreeMap<u32, String>,
}

impl Catalog {
    /// Another catalog with the same rows.
    #[must_use]
    pub fn copy(&self) -> Self {
        let tables = self.tables().clone();
        Self { tables: Arc::new(Mutex::new(tables)), ..Self::default() }
    }

    /// Its rows.
    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.look()
    }

    fn look(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it answers nothing, and says nothing of it.
    pub fn hang(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).hangs = true;
    }

    /// It answers again: first all that it was asked meanwhile, in the order of asking.
    pub fn resume(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.hangs = false;
        for (question, reply) in std::mem::take(&mut waiting.questions) {
            reply(WorkDone::Catalog(self.answer(question)));
        }
    }

    /// Answers now, or when it does not hang any more.
    pub(crate) fn submit(&self, question: CatalogRequest, reply: Reply) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.hangs {
            true => waiting.questions.push((question, reply)),
            false => reply(WorkDone::Catalog(self.answer(question))),
        }
    }

    /// A job, once it has ended.
    #[must_use]
    pub fn ended(&self, job: u32) -> Option<JobRow> {
        self.look().jobs.get(&job).filter(|row| ENDED.contains(&row.job_status)).cloned()
    }

    /// Says whether a job has ended, to be asked after each step of a world: looks only where rows may have changed.
    pub fn watch(&self, job: u32) -> impl FnMut() -> bool + use<> {
        let (catalog, mut seen) = (self.clone(), None);
        move || {
            let changes = Some(catalog.changes.load(Ordering::Relaxed));
            if seen == changes {
                return false;
            }
            seen = changes;
            catalog.ended(job).is_some()
        }
    }

    /// All report lines of a job.
    #[must_use]
    pub fn report(&self, job: u32) -> String {
        self.look().log.iter().filter(|line| line.job_id == job).map(|line| line.text.as_str()).collect()
    }

    /// Answers a request.
    ///
    /// # Errors
    /// It has gone away, or a row that is meant does not exist.
    pub fn answer(&self, request: CatalogRequest) -> Result<CatalogAnswer, CatalogError> {
        let mut tables = self.tables();
        if tables.is_away {
            return Err(CatalogError::new(CatalogErrorKind::Unavailable, "the catalog has gone away"));
        }
        tables.answer(request)
    }
}

type Answer = Result<CatalogAnswer, CatalogError>;

impl Tables {
    fn answer(&mut self, request: CatalogRequest) -> Answer {
        match request {
            CatalogRequest::CreateJob(job) => Ok(CatalogAnswer::Id(self.create_job(job))),
            CatalogRequest::StartJob(start) => self.start_job(&start),
            CatalogRequest::EndJob(end) => self.end_job(&end),
            CatalogRequest::AdoptOriginal(adopt) => self.adopt(&adopt),
            CatalogRequest::EnsureClient(spec) => Ok(CatalogAnswer::Id(self.ensure_client(spec))),
            CatalogRequest::EnsureFileSet(spec) => {
                let same = |set: &FileSetSpec| set.file_set == spec.file_set && set.md5 == spec.md5;
                let found = self.file_sets.iter().find(|(_, set)| same(set)).map(|(id, _)| *id);
                Ok(CatalogAnswer::Id(found.unwrap_or_else(|| insert(&mut self.file_sets, spec))))
            }
            CatalogRequest::EnsurePool(row) => Ok(CatalogAnswer::Id(self.ensure_pool(*row))),
            CatalogRequest::EnsureStorage { name, .. } => {
                let found = self.storages.iter().find(|(_, known)| **known == name).map(|(id, _)| *id);
                Ok(CatalogAnswer::Id(found.unwrap_or_else(|| insert(&mut self.storages, name))))
            }
            CatalogRequest::VolumesOfPool { pool_id, media_type } => {
                let wanted = |row: &&MediaRow| {
                    row.pool_id == pool_id && media_type.as_ref().is_none_or(|wanted| *wanted == row.media_type)
                };
                Ok(CatalogAnswer::Volumes(self.media.values().filter(wanted).map(|row| self.shown(row)).collect()))
            }
            CatalogRequest::VolumeByName(name) => {
                let found = self.media.values().find(|row| row.volume_name == name);
                Ok(CatalogAnswer::Volume(found.map(|row| Box::new(self.shown(row)))))
            }
            CatalogRequest::CreateMedia(row) => self.create_media(*row),
            CatalogRequest::UpdateMedia(row) => self.update_media(*row),
            CatalogRequest::PruneVolume { media_id, before } => self.prune(media_id, before),
            CatalogRequest::CreateJobMedia(piece) => self.create_piece(piece),
            CatalogRequest::DeleteNullJobMedia { job_id } => {
                self.pieces.retain(|piece| piece.job_id != job_id || piece.last_index > 0);
                Ok(CatalogAnswer::Done)
            }
            CatalogRequest::InsertFiles { job_id, batch } => {
                Ok(CatalogAnswer::Files(self.insert_files(job_id, &batch)))
            }
            CatalogRequest::ListJobs(filter) => Ok(CatalogAnswer::Jobs(self.list_jobs(&filter))),
            CatalogRequest::ListMedia { .. } => {
                Ok(CatalogAnswer::Volumes(self.media.values().map(|row| self.shown(row)).collect()))
            }
            CatalogRequest::JobsToCopy { pool_id, uncopied, after, limit } => {
                Ok(CatalogAnswer::Jobs(jobs_to_copy(self.jobs.values(), pool_id, uncopied, after, limit)))
            }
            CatalogRequest::NewestBackup { name, client } => {
                let newest = newest_backup(self.jobs.values(), name.as_deref(), client.as_deref());
                Ok(CatalogAnswer::Jobs(newest.into_iter().collect()))
            }
            CatalogRequest::LastJobs { name, client_id, file_set_id, now } => {
                let last = last_jobs(self.jobs.values(), (&name, client_id, file_set_id), now);
                Ok(CatalogAnswer::LastJobs(Box::new(last)))
            }
            CatalogRequest::JobsForRestore { client, name, file_set, before, now } => {
                let of = (client.as_str(), name.as_deref(), file_set.as_deref());
                Ok(CatalogAnswer::Jobs(jobs_for_restore(self.jobs.values(), of, before, now)))
            }
            CatalogRequest::JobMediaOf { jobs } => Ok(CatalogAnswer::Pieces(self.pieces_of(&jobs))),
            CatalogRequest::FilesForRestore { jobs, .. } => Ok(CatalogAnswer::RestoreFiles(self.newest_of(&jobs))),
            CatalogRequest::FilesByName { job_id, names } => {
                let mut files = self.rows_of(job_id);
                files.retain(|row| names.contains(&row.name));
                Ok(CatalogAnswer::FileList { files, next: None })
            }
            CatalogRequest::ListFiles { job_id, after: None, .. } => {
                Ok(CatalogAnswer::FileList { files: self.rows_of(job_id), next: None })
            }
            CatalogRequest::AddLogs(lines) => {
                self.log.extend_from_slice(&lines);
                Ok(CatalogAnswer::Done)
            }
            CatalogRequest::MaxJobId => Ok(CatalogAnswer::Id(self.jobs.last_key_value().map_or(0, |(id, _)| *id))),
            CatalogRequest::MaxMediaId => Ok(CatalogAnswer::Id(self.media.last_key_value().map_or(0, |(id, _)| *id))),
            CatalogRequest::MarkUnfinishedJobsFailed { now } => Ok(CatalogAnswer::Changed(self.mark_unfinished(now))),
            CatalogRequest::UpdateClientUname { .. } | CatalogRequest::Checkpoint { .. } => Ok(CatalogAnswer::Done),
            other => Err(CatalogError::new(CatalogErrorKind::Bug, format!("the simulator has no answer to {other:?}"))),
        }
    }

    fn create_job(&mut self, job: NewJob) -> u32 {
        let client = self.clients.get(&job.client_id).map(|row| row.spec.name.clone()).unwrap_or_default();
        let row = JobRow {
            job: job.job,
            name: job.name,
            job_type: job.job_type,
            level: job.level,
            job_status: b'C',
            client_id: job.client_id,
            client,
            sched_time: job.sched_time,
            job_t_date: job.sched_time,
            comment: job.comment,
            ..JobRow::default()
        };
        let id = self.jobs.last_key_value().map_or(1, |(id, _)| id + 1).max(job.at_least);
        self.jobs.insert(id, JobRow { job_id: id, ..row });
        id
    }

    fn start_job(&mut self, start: &JobStart) -> Answer {
        let file_set = self.file_sets.get(&start.file_set_id).map(|set| set.file_set.clone()).unwrap_or_default();
        let job = self.jobs.get_mut(&start.job_id).ok_or_else(|| missing("job", start.job_id))?;
        job.job_status = start.job_status;
        job.level = start.level;
        (job.start_time, job.job_t_date) = (start.start_time, start.start_time);
        (job.pool_id, job.file_set_id, job.file_set) = (start.pool_id, start.file_set_id, file_set);
        (job.vol_session_id, job.vol_session_time) = (start.vol_session_id, start.vol_session_time);
        Ok(CatalogAnswer::Done)
    }

    fn end_job(&mut self, end: &JobEnd) -> Answer {
        let job = self.jobs.get_mut(&end.job_id).ok_or_else(|| missing("job", end.job_id))?;
        job.job_status = end.job_status;
        job.level = end.level;
        (job.end_time, job.real_end_time, job.job_t_date) = (end.end_time, end.real_end_time, end.real_end_time);
        (job.vol_session_id, job.vol_session_time) = (end.vol_session_id, end.vol_session_time);
        (job.job_files, job.job_bytes, job.read_bytes) = (end.job_files, end.job_bytes, end.read_bytes);
        job.job_errors = end.job_errors;
        job.prior_job_id = end.prior_job_id;
        if let Some(comment) = &end.comment {
            job.comment.clone_from(comment);
        }
        Ok(CatalogAnswer::Done)
    }

    fn adopt(&mut self, adopt: &AdoptOriginal) -> Answer {
        let original = self.jobs.get_mut(&adopt.original).ok_or_else(|| missing("job", adopt.original))?;
        original.job_type = adopt.original_type;
        original.purged_files |= adopt.original_type == b'M';
        let times = (original.sched_time, original.start_time, original.end_time, original.job_t_date);
        let place = original.place();
        let copy = self.jobs.get_mut(&adopt.job_id).ok_or_else(|| missing("job", adopt.job_id))?;
        (copy.job_type, copy.prior_job_id, copy.origin) = (adopt.job_type, adopt.original, place);
        (copy.sched_time, copy.start_time, copy.end_time, copy.job_t_date) = times;
        Ok(CatalogAnswer::Done)
    }

    fn ensure_client(&mut self, spec: ClientSpec) -> u32 {
        if let Some((id, row)) = self.clients.iter_mut().find(|(_, row)| row.spec.name == spec.name) {
            row.spec = spec;
            return *id;
        }
        let id = insert(&mut self.clients, ClientRow { spec, ..ClientRow::default() });
        if let Some(row) = self.clients.get_mut(&id) {
            row.client_id = id;
        }
        id
    }

    /// The name of the pool that a job writes to; empty until it has begun.
    #[must_use]
    pub fn pool_of(&self, row: &JobRow) -> &str {
        self.pools.get(&row.pool_id).map_or("", |pool| &pool.name)
    }

    fn ensure_pool(&mut self, row: PoolRow) -> u32 {
        let found = self.pools.iter().find(|(_, known)| known.name == row.name).map(|(id, _)| *id);
        let id = found.unwrap_or_else(|| insert(&mut self.pools, row.clone()));
        self.pools.insert(id, PoolRow { pool_id: id, ..row });
        id
    }

    fn create_media(&mut self, row: MediaRow) -> Answer {
        if self.media.values().any(|known| known.volume_name == row.volume_name) {
            return Err(CatalogError::new(CatalogErrorKind::Constraint, format!("{} exists", row.volume_name)));
        }
        let id = insert(&mut self.media, row);
        let row = self.media.get_mut(&id).ok_or_else(|| missing("volume", id))?;
        row.media_id = id;
        row.revision = 1;
        self.volume(id)
    }

    fn update_media(&mut self, row: MediaRow) -> Answer {
        let id = row.media_id;
        let known = self.media.get_mut(&id).ok_or_else(|| missing("volume", id))?;
        if known.revision != row.revision {
            let known = known.clone();
            return Ok(CatalogAnswer::Stale(Box::new(self.shown(&known))));
        }
        let (end_file, end_block) = (known.end_file, known.end_block);
        *known = MediaRow { revision: row.revision + 1, end_file, end_block, ..row };
        self.volume(id)
    }

    fn prune(&mut self, media_id: u32, before: i64) -> Answer {
        let on_it: BTreeSet<u32> =
            self.pieces.iter().filter(|piece| piece.media_id == media_id).map(|piece| piece.job_id).collect();
        let jobs: Vec<JobRow> = on_it.iter().filter_map(|id| self.jobs.get(id)).cloned().collect();
        let all: Vec<JobRow> = self.jobs.values().cloned().collect();
        let Pruning { gone, kept } = pruning::prune(&jobs, &all, before);
        let gone: BTreeSet<u32> = gone.into_iter().collect();
        self.jobs.retain(|id, _| !gone.contains(id));
        self.files.retain(|(id, _), _| !gone.contains(id));
        self.attributes.retain(|(id, _), _| !gone.contains(id));
        self.pieces.retain(|piece| !gone.contains(&piece.job_id));
        self.pruned.extend(gone);
        for id in orphaned_copies(self.jobs.values()) {
            if let Some(row) = self.jobs.get_mut(&id) {
                row.job_type = b'B';
            }
        }
        let is_empty = !self.pieces.iter().any(|piece| piece.media_id == media_id);
        if let Some(row) = self.media.get_mut(&media_id).filter(|_| is_empty) {
            row.vol_status = VolStatus::Purged;
            row.revision += 1;
        }
        let CatalogAnswer::Volume(volume) = self.volume(media_id)? else { return self.volume(media_id) };
        Ok(CatalogAnswer::Pruned { volume, kept })
    }

    fn create_piece(&mut self, piece: JobMediaRow) -> Answer {
        if !self.jobs.contains_key(&piece.job_id) {
            return Err(missing("job", piece.job_id));
        }
        let row = self.media.get_mut(&piece.media_id).ok_or_else(|| missing("volume", piece.media_id))?;
        if piece.last_index > 0 {
            (row.end_file, row.end_block) = (piece.end_file, piece.end_block);
        }
        self.pieces.push(piece);
        Ok(CatalogAnswer::Done)
    }

    fn insert_files(&mut self, job_id: u32, batch: &UpdCatBatch) -> FilesStored {
        let mut stored = FilesStored::default();
        for payload in batch.iter() {
            let Some(frame) = CatalogUpdate::parse(payload) else {
                stored.refused += 1;
                stored.first_refused.get_or_insert_with(|| "no UpdCat".to_owned());
                continue;
            };
            if Stream(frame.stream).kind().is_digest() {
                let key = (job_id, u32::try_from(frame.file_index).unwrap_or(0));
                if marks_unread(frame.data) {
                    self.files.remove(&key);
                    self.attributes.remove(&key);
                    stored.unread += 1;
                    continue;
                }
                if let Some((_, digest)) = self.attributes.get_mut(&key) {
                    *digest = catalog_text(frame.data);
                }
            }
            if !Stream(frame.stream).kind().is_attributes() {
                continue;
            }
            match (AttributeRecord::parse(frame.data), u32::try_from(frame.file_index)) {
                (Ok(record), Ok(index)) => {
                    self.files.insert((job_id, index), record.name.to_vec());
                    self.attributes.insert((job_id, index), (record.lstat.to_vec(), "0".to_owned()));
                    stored.files += 1;
                    stored.highest = stored.highest.max(index);
                }
                _ => {
                    stored.refused += 1;
                    stored.first_refused.get_or_insert_with(|| format!("file {}", frame.file_index));
                }
            }
        }
        stored
    }

    fn list_jobs(&self, filter: &JobFilter) -> Vec<JobRow> {
        filter.choose(self.jobs.values())
    }

    fn pieces_of(&self, jobs: &[u32]) -> Vec<JobMediaPiece> {
        let jobs: BTreeSet<u32> = jobs.iter().copied().collect();
        let mut all = Vec::new();
        for job_id in jobs {
            for (piece, index) in self.pieces.iter().filter(|piece| piece.job_id == job_id).zip(1..) {
                let Some(volume) = self.media.get(&piece.media_id) else { continue };
                all.push(JobMediaPiece {
                    piece: *piece,
                    vol_index: index,
                    volume_name: volume.volume_name.clone(),
                    media_type: volume.media_type.clone(),
                    slot: volume.slot,
                    enabled: volume.enabled,
                    storage: self.storages.get(&volume.storage_id).cloned().unwrap_or_default(),
                });
            }
        }
        all
    }

    /// The newest version of each file of these jobs, the oldest job first; of one job all that it has.
    fn newest_of(&self, jobs: &[u32]) -> Vec<RestoreFiles> {
        if let [job_id] = *jobs {
            return vec![self.all_of(job_id)];
        }
        let mut newest: BTreeMap<&[u8], (u32, u32)> = BTreeMap::new();
        for &job_id in jobs {
            for (&place, name) in self.files.range((job_id, 0)..=(job_id, u32::MAX)) {
                newest.insert(name, place);
            }
        }
        let mut chosen: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (job_id, index) in newest.into_values() {
            chosen.entry(job_id).or_default().push(index);
        }
        let of_job = |(job_id, indexes)| RestoreFiles { job_id, ranges: IndexRange::runs(indexes) };
        chosen.into_iter().map(of_job).collect()
    }

    /// Every file of a job.
    fn all_of(&self, job_id: u32) -> RestoreFiles {
        let last = self.jobs.get(&job_id).map_or(0, |job| job.job_files);
        RestoreFiles { job_id, ranges: (last > 0).then_some(IndexRange { first: 1, last }).into_iter().collect() }
    }

    /// The files of a job.
    fn rows_of(&self, job_id: u32) -> Vec<FileRow> {
        let of_job = self.files.range((job_id, 0)..=(job_id, u32::MAX));
        let row = |(key, name): (&(u32, u32), &Vec<u8>)| {
            let (lstat, md5) = self.attributes.get(key).cloned().unwrap_or_default();
            FileRow { job_id, file_index: key.1, name: name.clone(), lstat, md5: md5.into_bytes(), delta_seq: 0 }
        };
        of_job.map(row).collect()
    }

    fn mark_unfinished(&mut self, now: i64) -> u64 {
        let mut changed = 0;
        for job in self.jobs.values_mut().filter(|job| !ENDED.contains(&job.job_status)) {
            job.job_status = b'f';
            (job.end_time, job.real_end_time) = (now, now);
            changed += 1;
        }
        changed
    }

    fn volume(&self, id: u32) -> Answer {
        let row = self.media.get(&id).ok_or_else(|| missing("volume", id))?;
        Ok(CatalogAnswer::Volume(Some(Box::new(self.shown(row)))))
    }

    /// A row with the names that are filled in when it is read.
    fn shown(&self, row: &MediaRow) -> MediaRow {
        MediaRow {
            pool: self.pools.get(&row.pool_id).map(|pool| pool.name.clone()).unwrap_or_default(),
            storage: self.storages.get(&row.storage_id).cloned().unwrap_or_default(),
            ..row.clone()
        }
    }
}

fn insert<T>(table: &mut BTreeMap<u32, T>, row: T) -> u32 {
    let id = table.last_key_value().map_or(1, |(id, _)| id + 1);
    table.insert(id, row);
    id
}

fn missing(what: &str, id: u32) -> CatalogError {
    CatalogError::new(CatalogErrorKind::Constraint, format!("there is no {what} {id}"))
}
