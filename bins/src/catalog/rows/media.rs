//! Volumes, and the pieces of jobs on them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use towline_core::catalog::pruning::{self, Pruning};
use towline_core::catalog::{
    CatalogAnswer, CatalogError, CatalogErrorKind, JobMediaPiece, JobMediaRow, MediaRow, VolStatus,
};

use super::super::sql::{Result, Row, Session, Value, all, first, missing, scalar, values};
use super::jobs::{copies_of, newest_full, on_volume as jobs_on_volume};

/// The columns a whole row sets, in the order of [`columns`] and [`media`]. EndFile and EndBlock belong to the pieces.
const STORED: [&str; 36] = [
    "VolumeName",
    "Slot",
    "PoolId",
    "MediaType",
    "LabelType",
    "FirstWritten",
    "LastWritten",
    "LabelDate",
    "InitialWrite",
    "VolJobs",
    "VolFiles",
    "VolBlocks",
    "VolMounts",
    "VolBytes",
    "VolErrors",
    "VolWrites",
    "VolCapacityBytes",
    "VolStatus",
    "Enabled",
    "Recycle",
    "ActionOnPurge",
    "VolRetention",
    "VolUseDuration",
    "MaxVolJobs",
    "MaxVolFiles",
    "MaxVolBytes",
    "InChanger",
    "StorageId",
    "VolReadTime",
    "VolWriteTime",
    "RecycleCount",
    "MinBlockSize",
    "MaxBlockSize",
    "Comment",
    "ScratchPoolId",
    "RecyclePoolId",
];

static SELECT: LazyLock<String> = LazyLock::new(|| {
    let columns: Vec<String> = STORED.iter().map(|c| format!("Media.{c}")).collect();
    format!(
        "SELECT {}, Media.MediaId, Media.Revision, Media.EndFile, Media.EndBlock, COALESCE(Pool.Name, ''),
             COALESCE(Storage.Name, '')
         FROM Media LEFT JOIN Pool ON Pool.PoolId = Media.PoolId
         LEFT JOIN Storage ON Storage.StorageId = Media.StorageId",
        columns.join(", ")
    )
});

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let places: Vec<String> = (1..=STORED.len()).map(|n| format!("?{n}")).collect();
    format!("INSERT INTO Media ({}) VALUES ({}) RETURNING MediaId", STORED.join(", "), places.join(", "))
});

static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let columns: Vec<String> = STORED.iter().zip(1..).map(|(column, n): (_, u32)| format!("{column} = ?{n}")).collect();
    let (id, revision) = (columns.len() + 1, columns.len() + 2);
    format!(
        "UPDATE Media SET {}, Revision = Revision + 1 WHERE MediaId = ?{id} AND Revision = ?{revision}",
        columns.join(", ")
    )
});

pub(super) fn of_pool(t: &mut dyn Session, pool: u32, media_type: Option<&str>) -> Result<CatalogAnswer> {
    let condition = "WHERE Media.PoolId = ?1 AND (CAST(?2 AS TEXT) IS NULL OR Media.MediaType = CAST(?2 AS TEXT))
                     ORDER BY Media.MediaId";
    many(t, condition, &values![pool, media_type])
}

pub(super) fn list(t: &mut dyn Session, pool: Option<&str>) -> Result<CatalogAnswer> {
    let condition = "WHERE CAST(?1 AS TEXT) IS NULL OR Pool.Name = CAST(?1 AS TEXT) ORDER BY Media.MediaId";
    many(t, condition, &values![pool])
}

pub(super) fn by_name(t: &mut dyn Session, name: &str) -> Result<CatalogAnswer> {
    one(t, "WHERE Media.VolumeName = ?1", &values![name]).map(|row| CatalogAnswer::Volume(row.map(Box::new)))
}

pub(super) fn create(t: &mut dyn Session, row: &MediaRow) -> Result<CatalogAnswer> {
    let id = scalar(t, &INSERT, &columns(row))?;
    by_id(t, id)
}

pub(super) fn update(t: &mut dyn Session, row: &MediaRow) -> Result<CatalogAnswer> {
    let mut with = columns(row).to_vec();
    with.extend(values![row.media_id, row.revision]);
    let changed = t.execute(&UPDATE, &with)?;
    match (changed, by_id(t, row.media_id)?) {
        (0, CatalogAnswer::Volume(Some(present))) => Ok(CatalogAnswer::Stale(present)),
        (_, answer) => Ok(answer),
    }
}

/// The highest id ever given, that of deleted volumes included.
pub(super) fn max_id(t: &mut dyn Session) -> Result<CatalogAnswer> {
    let sql = t.dialect().highest_media_id;
    scalar(t, sql, &[]).map(CatalogAnswer::Id)
}

pub(super) fn prune(t: &mut dyn Session, media_id: u32, before: i64) -> Result<CatalogAnswer> {
    let jobs = jobs_on_volume(t, media_id)?;
    let sets: BTreeSet<(u32, &str)> = jobs.iter().map(|job| (job.client_id, job.file_set.as_str())).collect();
    let mut others = copies_of(t, media_id)?;
    for (client_id, file_set) in sets {
        others.extend(newest_full(t, client_id, file_set)?);
    }
    let Pruning { gone, kept } = pruning::prune(&jobs, &others, before);
    delete_ended(t, &gone)?;
    t.execute(
        "UPDATE Media SET VolStatus = ?2, Revision = Revision + 1
         WHERE MediaId = ?1 AND NOT EXISTS (SELECT 1 FROM JobMedia WHERE MediaId = ?1)",
        &values![media_id, VolStatus::Purged.as_str()],
    )?;
    match by_id(t, media_id)? {
        CatalogAnswer::Volume(volume) => Ok(CatalogAnswer::Pruned { volume, kept }),
        other => Ok(other),
    }
}

pub(super) fn delete_jobs(t: &mut dyn Session, ids: &[u32]) -> Result<CatalogAnswer> {
    delete_ended(t, ids).map(CatalogAnswer::Changed)
}

/// Deletes those of these jobs that have ended, and returns how many.
fn delete_ended(t: &mut dyn Session, ids: &[u32]) -> Result<u64> {
    let mut deleted = 0;
    for job_id in ids {
        // Pieces and files go with their job.
        let gone = t.execute("DELETE FROM Job WHERE JobId = ?1 AND RealEndTime > 0", &values![*job_id])?;
        if gone > 0 {
            t.execute("DELETE FROM Log WHERE JobId = ?1", &values![*job_id])?;
        }
        deleted += gone;
    }
    promote_orphans(t)?;
    Ok(deleted)
}

pub(super) fn delete(t: &mut dyn Session, media_id: u32) -> Result<CatalogAnswer> {
    if first(t, "SELECT JobId FROM JobMedia WHERE MediaId = ?1 LIMIT 1", &values![media_id])?.is_some() {
        return Err(CatalogError::new(CatalogErrorKind::Constraint, "the volume holds a job"));
    }
    t.execute("DELETE FROM Media WHERE MediaId = ?1", &values![media_id]).map(CatalogAnswer::Changed)
}

/// What `orphaned_copies` says, in SQL.
fn promote_orphans(t: &mut dyn Session) -> Result<u64> {
    t.execute(
        "UPDATE Job SET Type = 'B' WHERE JobId IN (
             SELECT MIN(JobId) FROM Job
             WHERE Type = 'C' AND JobStatus IN ('T', 'W') AND PriorJobId > 0
                 AND PriorJobId NOT IN (SELECT JobId FROM Job WHERE Type <> 'M')
                 AND PriorJobId NOT IN (SELECT PriorJobId FROM Job WHERE Type = 'B' AND JobStatus IN ('T', 'W'))
             GROUP BY PriorJobId)",
        &[],
    )
}

pub(super) fn create_job_media(t: &mut dyn Session, row: &JobMediaRow) -> Result<CatalogAnswer> {
    t.execute(
        "INSERT INTO JobMedia (JobId, MediaId, FirstIndex, LastIndex, StartFile, EndFile, StartBlock, EndBlock, VolIndex)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1 + (SELECT COUNT(*) FROM JobMedia WHERE JobId = ?1))",
        &values![
            row.job_id,
            row.media_id,
            row.first_index,
            row.last_index,
            row.start_file,
            row.end_file,
            row.start_block,
            row.end_block,
        ],
    )?;
    // A place-holder says nothing of where the volume ends.
    if row.last_index > 0 {
        let sql = "UPDATE Media SET EndFile = ?2, EndBlock = ?3 WHERE MediaId = ?1";
        t.execute(sql, &values![row.media_id, row.end_file, row.end_block])?;
    }
    Ok(CatalogAnswer::Done)
}

pub(super) fn delete_null(t: &mut dyn Session, job_id: u32) -> Result<CatalogAnswer> {
    t.execute("DELETE FROM JobMedia WHERE JobId = ?1 AND FirstIndex = 0 AND LastIndex = 0", &values![job_id])?;
    Ok(CatalogAnswer::Done)
}

pub(super) fn pieces(t: &mut dyn Session, jobs: &[u32]) -> Result<CatalogAnswer> {
    let sql = "SELECT JobMedia.MediaId, FirstIndex, LastIndex, StartFile, JobMedia.EndFile, StartBlock,
             JobMedia.EndBlock, VolIndex, VolumeName, MediaType, Slot, Enabled, COALESCE(Storage.Name, '')
         FROM JobMedia JOIN Media ON Media.MediaId = JobMedia.MediaId
         LEFT JOIN Storage ON Storage.StorageId = Media.StorageId
         WHERE JobMedia.JobId = ?1 ORDER BY VolIndex, JobMediaId";
    let mut jobs = jobs.to_vec();
    jobs.sort_unstable();
    jobs.dedup();
    let mut pieces = Vec::new();
    for job_id in jobs {
        pieces.extend(all(t, sql, &values![job_id], |row| piece(job_id, row))?);
    }
    Ok(CatalogAnswer::Pieces(pieces))
}

fn piece(job_id: u32, row: &mut Row) -> Result<JobMediaPiece> {
    Ok(JobMediaPiece {
        piece: JobMediaRow {
            job_id,
            media_id: row.take()?,
            first_index: row.take()?,
            last_index: row.take()?,
            start_file: row.take()?,
            end_file: row.take()?,
            start_block: row.take()?,
            end_block: row.take()?,
        },
        vol_index: row.take()?,
        volume_name: row.take()?,
        media_type: row.take()?,
        slot: row.take()?,
        enabled: row.take()?,
        storage: row.take()?,
    })
}

fn by_id(t: &mut dyn Session, media_id: u32) -> Result<CatalogAnswer> {
    let row = one(t, "WHERE Media.MediaId = ?1", &values![media_id])?;
    row.map(|row| CatalogAnswer::Volume(Some(Box::new(row)))).ok_or_else(|| missing(&format!("volume {media_id}")))
}

fn one(t: &mut dyn Session, condition: &str, with: &[Value]) -> Result<Option<MediaRow>> {
    first(t, &format!("{} {condition}", *SELECT), with)?.map(|mut row| media(&mut row)).transpose()
}

fn many(t: &mut dyn Session, condition: &str, with: &[Value]) -> Result<CatalogAnswer> {
    all(t, &format!("{} {condition}", *SELECT), with, media).map(CatalogAnswer::Volumes)
}

fn columns(row: &MediaRow) -> [Value; 36] {
    values![
        &row.volume_name,
        row.slot,
        row.pool_id,
        &row.media_type,
        row.label_type,
        row.first_written,
        row.last_written,
        row.label_date,
        row.initial_write,
        row.vol_jobs,
        row.vol_files,
        row.vol_blocks,
        row.vol_mounts,
        row.vol_bytes,
        row.vol_errors,
        row.vol_writes,
        row.vol_capacity_bytes,
        row.vol_status.as_str(),
        row.enabled,
        row.recycle,
        row.action_on_purge,
        row.vol_retention,
        row.vol_use_duration,
        row.max_vol_jobs,
        row.max_vol_files,
        row.max_vol_bytes,
        row.in_changer,
        row.storage_id,
        row.vol_read_time,
        row.vol_write_time,
        row.recycle_count,
        row.min_block_size,
        row.max_block_size,
        &row.comment,
        row.scratch_pool_id,
        row.recycle_pool_id,
    ]
}

/// The columns in the order of [`SELECT`].
fn media(row: &mut Row) -> Result<MediaRow> {
    Ok(MediaRow {
        volume_name: row.take()?,
        slot: row.take()?,
        pool_id: row.take()?,
        media_type: row.take()?,
        label_type: row.take()?,
        first_written: row.take()?,
        last_written: row.take()?,
        label_date: row.take()?,
        initial_write: row.take()?,
        vol_jobs: row.take()?,
        vol_files: row.take()?,
        vol_blocks: row.take()?,
        vol_mounts: row.take()?,
        vol_bytes: row.take()?,
        vol_errors: row.take()?,
        vol_writes: row.take()?,
        vol_capacity_bytes: row.take()?,
        // A state that somebody else wrote and we do not know must not be written over.
        vol_status: VolStatus::parse(&row.take::<String>()?).unwrap_or(VolStatus::Error),
        enabled: row.take()?,
        recycle: row.take()?,
        action_on_purge: row.take()?,
        vol_retention: row.take()?,
        vol_use_duration: row.take()?,
        max_vol_jobs: row.take()?,
        max_vol_files: row.take()?,
        max_vol_bytes: row.take()?,
        in_changer: row.take()?,
        storage_id: row.take()?,
        vol_read_time: row.take()?,
        vol_write_time: row.take()?,
        recycle_count: row.take()?,
        min_block_size: row.take()?,
        max_block_size: row.take()?,
        comment: row.take()?,
        scratch_pool_id: row.take()?,
        recycle_pool_id: row.take()?,
        media_id: row.take()?,
        revision: row.take()?,
        end_file: row.take()?,
        end_block: row.take()?,
        pool: row.take()?,
        storage: row.take()?,
    })
}
