//! Rows of what labels name: clients, filesets, pools, storages, volumes and jobs.

use std::collections::BTreeMap;

use towline_core::catalog::volumes::{announced, pool_row};
use towline_core::catalog::{
    CatalogAnswer, CatalogError, CatalogErrorKind, CatalogRequest, ClientSpec, JobRow, MediaRow, PoolRow, VolStatus,
};
use towline_core::config::DirectorConfig;
use towline_core::wire::label::SessionLabel;

use super::super::jobs::Job;
use super::super::shelf::{Shelf, Volume};
use super::super::when::ordered;
use super::numbers::Numbered;
use crate::catalog::Attempt;
use crate::catalog::rebuild::{self, Rebuild, take};

/// What a row says that was made from volumes.
pub(super) const COMMENT: &str = "made again from its volumes";
/// A job begins within so many seconds before its first label is written, or its name says when it was ordered.
const BEGINS: i64 = 60;

/// What the director's configuration says of what is on volumes.
#[derive(Debug)]
pub(super) struct Terms<'c> {
    config: Option<&'c DirectorConfig>,
    storage: Option<&'c str>,
    /// The catalog that is scanned into, if the configuration says more than one.
    catalog: Option<&'c str>,
}

impl<'c> Terms<'c> {
    /// With a storage that a person has named.
    pub(super) const fn new(config: Option<&'c DirectorConfig>, storage: Option<&'c str>) -> Self {
        Self { config, storage, catalog: None }
    }

    /// For this catalog of the configuration.
    pub(super) const fn into_one(self, catalog: Option<&'c str>) -> Self {
        Self { catalog, ..self }
    }

    /// Whether what lies in a pool is in the catalog that is scanned into.
    pub(super) fn is_of_catalog(&self, pool: &str) -> bool {
        let both = self.config.zip(self.catalog);
        both.is_none_or(|(config, catalog)| config.is_pool_in(pool, catalog))
    }

    fn pool(&self, name: &str) -> Option<PoolRow> {
        self.config?.pools.iter().find(|pool| pool.name == name).map(pool_row)
    }

    fn client(&self, name: &str) -> ClientSpec {
        let client = self.config.and_then(|config| config.client(name));
        ClientSpec {
            name: name.to_owned(),
            auto_prune: false,
            file_retention: client.map_or(0, |client| client.file_retention.0),
            job_retention: client.map_or(0, |client| client.job_retention.0),
        }
    }

    /// The storage that has volumes of this media type: the one that is named, that of the pool, that of a job that wrote to
    /// them, or the first of its type.
    fn storage(&self, pool: &str, media_type: &str, jobs: &[&str]) -> String {
        if let Some(named) = self.storage {
            return named.to_owned();
        }
        let Some(config) = self.config else { return String::new() };
        let fits = |name: &&str| config.storage(name).is_some_and(|storage| storage.media_type == media_type);
        let of_pool = config.pools.iter().filter(|of| of.name == pool).filter_map(|of| of.storage.as_deref());
        let of_jobs = jobs.iter().filter_map(|job| Some(config.job(job)?.storage.as_str()));
        let of_type = config.storages.iter().map(|storage| storage.name.as_str());
        of_pool.chain(of_jobs).chain(of_type).find(fits).unwrap_or_default().to_owned()
    }
}

fn bug(answer: &CatalogAnswer) -> CatalogError {
    CatalogError::new(CatalogErrorKind::Bug, format!("an answer to another question: {answer:?}"))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Adds the volumes that the catalog lacks. Returns the MediaId of each on the shelf. In a catalog that `is_new` the last one
/// written of each pool may be appended to.
///
/// # Errors
/// What the engine says.
pub(super) fn volumes(
    catalog: &mut dyn Rebuild,
    shelf: &Shelf,
    jobs: &[Job],
    terms: &Terms<'_>,
    is_new: bool,
    added: &mut u32,
) -> Result<Vec<u32>, CatalogError> {
    let rows: Vec<MediaRow> = (0..shelf.volumes.len()).map(|place| media(shelf, place, jobs, terms)).collect();
    let mut last: BTreeMap<(&str, &str), (i64, usize)> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        let newest = last.entry((row.pool.as_str(), row.media_type.as_str())).or_default();
        *newest = (*newest).max((row.last_written, place));
    }
    let last: Vec<usize> = last.into_values().map(|(_, place)| place).collect();
    let mut ids = Vec::with_capacity(rows.len());
    // By the time of their first use, so that their numbers are in its order.
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|place| rows.get(*place).map(|row| (row.first_written, row.volume_name.clone())));
    ids.resize(rows.len(), 0);
    for place in order {
        let (Some(row), Some(volume)) = (rows.get(place), shelf.volumes.get(place)) else { continue };
        if !terms.is_of_catalog(&row.pool) {
            continue;
        }
        let found = match catalog.handle(&CatalogRequest::VolumeByName(row.volume_name.clone()), Attempt::First)? {
            CatalogAnswer::Volume(found) => found.map(|row| row.media_id),
            other => return Err(bug(&other)),
        };
        let id = match found {
            Some(id) => id,
            None => {
                *added += 1;
                let is_whole = volume.survey.label.is_some() && volume.survey.damage.is_empty();
                let may_grow = is_new && is_whole && last.contains(&place);
                create(catalog, row, terms, may_grow)?
            }
        };
        if let Some(slot) = ids.get_mut(place) {
            *slot = id;
        }
    }
    Ok(ids)
}

fn create(catalog: &mut dyn Rebuild, row: &MediaRow, terms: &Terms<'_>, may_grow: bool) -> Result<u32, CatalogError> {
    let spec = terms.pool(&row.pool).unwrap_or_else(|| unknown_pool(&row.pool));
    let ids = take(catalog, |t| Ok((rebuild::pool(t, &spec)?, rebuild::storage(t, &row.storage)?)))?;
    let (pool_id, storage_id) = ids.unwrap_or_default();
    let is_full = row.max_vol_bytes > 0 && row.vol_bytes >= row.max_vol_bytes;
    let vol_status = match (is_full, may_grow) {
        (true, _) => VolStatus::Full,
        (false, true) => VolStatus::Append,
        (false, false) => VolStatus::Used,
    };
    let row = MediaRow { pool_id, storage_id, vol_status, ..row.clone() };
    match catalog.handle(&CatalogRequest::CreateMedia(Box::new(row)), Attempt::First)? {
        CatalogAnswer::Volume(Some(row)) => Ok(row.media_id),
        other => Err(bug(&other)),
    }
}

/// A pool of which only the name is known: its volumes are not used again.
fn unknown_pool(name: &str) -> PoolRow {
    PoolRow { name: name.to_owned(), use_catalog: true, pool_type: "Backup".to_owned(), ..PoolRow::default() }
}

/// What a volume and the jobs on it say.
fn media(shelf: &Shelf, place: usize, jobs: &[Job], terms: &Terms<'_>) -> MediaRow {
    let Some(Volume { name, survey, .. }) = shelf.volumes.get(place) else { return MediaRow::default() };
    let on = |job: &&Job| job.pieces.iter().any(|(of, _)| *of == place);
    let on_it: Vec<&Job> = jobs.iter().filter(on).collect();
    let labels: Vec<&SessionLabel> = on_it.iter().filter_map(|job| job.label.as_ref()).collect();
    let seconds = |micros: i64| micros.div_euclid(1_000_000);
    let (pool, media_type, labelled) = match &survey.label {
        Some(label) => (lossy(&label.pool), lossy(&label.media_type), seconds(label.labelled)),
        // The label is lost: the jobs say the pool, and other volumes the media type.
        None => {
            let pool = labels.first().map(|label| lossy(&label.pool)).unwrap_or_default();
            let other = shelf.volumes.iter().find_map(|volume| volume.survey.label.as_ref());
            (pool, other.map(|label| lossy(&label.media_type)).unwrap_or_default(), 0)
        }
    };
    let resources: Vec<String> = labels.iter().map(|label| lossy(&label.job_name)).collect();
    let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
    let storage = terms.storage(&pool, &media_type, &resources);
    let spec = terms.pool(&pool).unwrap_or_else(|| unknown_pool(&pool));
    let first = labels.iter().map(|label| seconds(label.written)).min().unwrap_or(0);
    let ended = |job: &&Job| job.end.as_ref().map(|(label, _)| seconds(label.written));
    let last = on_it.iter().filter_map(ended).chain(labels.iter().map(|label| seconds(label.written))).max();
    MediaRow {
        first_written: first,
        last_written: last.unwrap_or(0),
        label_date: labelled,
        initial_write: first,
        vol_jobs: u32::try_from(on_it.len()).unwrap_or(u32::MAX),
        vol_files: u32::try_from(survey.end >> 32).unwrap_or(u32::MAX),
        vol_blocks: u32::try_from(survey.blocks).unwrap_or(u32::MAX),
        vol_bytes: survey.end,
        vol_writes: u32::try_from(survey.blocks).unwrap_or(u32::MAX),
        pool,
        storage,
        comment: COMMENT.to_owned(),
        ..announced(name, &media_type, &spec)
    }
}

/// The row of a job; one that is new counts as failed until all of it is stored.
///
/// # Errors
/// What the engine says.
pub(super) fn job(
    catalog: &mut dyn Rebuild,
    job: &Job,
    numbered: &Numbered,
    terms: &Terms<'_>,
) -> Result<JobRow, CatalogError> {
    let Some(label) = job.label.as_ref().filter(|_| numbered.is_new()) else {
        return Ok(numbered.row.clone().unwrap_or_default());
    };
    let (client, pool) = (lossy(&label.client), lossy(&label.pool));
    let (client_spec, pool_spec) = (terms.client(&client), terms.pool(&pool).unwrap_or_else(|| unknown_pool(&pool)));
    let (set, md5) = (lossy(&label.fileset), lossy(&label.fileset_md5));
    let mut row = row(job, label, numbered);
    let added = take(catalog, |t| {
        let client_id = rebuild::client(t, &client_spec)?;
        let file_set_id = rebuild::file_set(t, &set, &md5, row.start_time)?;
        let pool_id = rebuild::pool(t, &pool_spec)?;
        row = JobRow { client_id, client: client.clone(), file_set_id, file_set: set.clone(), pool_id, ..row.clone() };
        rebuild::job(t, &row)
    })?;
    debug_assert!(added.is_some());
    Ok(row)
}

fn row(job: &Job, label: &SessionLabel, numbered: &Numbered) -> JobRow {
    let seconds = |micros: i64| micros.div_euclid(1_000_000);
    let written = seconds(label.written);
    let end = job.end.as_ref();
    let ended = end.map_or(written, |(label, _)| seconds(label.written));
    // Incrementals save what changed since the start: a little early saves a little twice, late would lose changes.
    let began = if job.has_start { written } else { ended };
    let ordered = ordered(&label.job).filter(|time| *time <= began);
    let start = ordered.filter(|time| began - time <= BEGINS).unwrap_or(began - BEGINS);
    let letter = |code: u32| u8::try_from(code).ok().filter(u8::is_ascii_graphic);
    let name = lossy(&label.job);
    JobRow {
        job_id: numbered.number,
        // The name of a copy is that of its original, and no two jobs can have one.
        job: if numbered.copy_of.is_some() { format!("{name}.copy{}", numbered.number) } else { name },
        name: lossy(&label.job_name),
        job_type: if numbered.copy_of.is_some() { b'C' } else { letter(label.job_type).unwrap_or(b'B') },
        level: letter(label.level).unwrap_or(b'F'),
        job_status: b'f',
        sched_time: ordered.unwrap_or(start),
        start_time: start,
        end_time: ended,
        real_end_time: ended,
        job_t_date: ended,
        vol_session_id: job.session.id,
        vol_session_time: job.session.time,
        job_files: end.map_or(0, |(_, end)| end.files),
        job_bytes: end.map_or(0, |(_, end)| end.bytes),
        job_errors: end.map_or(0, |(_, end)| end.errors),
        prior_job_id: numbered.copy_of.unwrap_or(0),
        origin: numbered.copy_of.unwrap_or(0),
        comment: COMMENT.to_owned(),
        ..JobRow::default()
    }
}

/// All of a job is stored. A row that was made from volumes, now or by a scan that was broken off, says how the job ended.
///
/// # Errors
/// What the engine says.
pub(super) fn complete(
    catalog: &mut dyn Rebuild,
    row: &JobRow,
    job: &Job,
    numbered: &Numbered,
) -> Result<(), CatalogError> {
    let is_ours = numbered.is_new() || row.comment == COMMENT;
    let status = job.end.as_ref().and_then(|(_, end)| u8::try_from(end.status).ok());
    let status = status.filter(u8::is_ascii_graphic).filter(|_| is_ours);
    take(catalog, |t| rebuild::complete(t, row.job_id, status)).map(drop)
}
