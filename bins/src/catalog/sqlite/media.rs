//! Volumes, and the pieces of jobs on them.

use super::{db, missing, un};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Params, Row, params, params_from_iter};
use std::sync::LazyLock;
use towline_core::role::director::catalog::{CatalogAnswer, JobMediaPiece, JobMediaRow, MediaRow, VolStatus};

/// The columns a whole row sets, in the order of [`values`] and [`media`]. EndFile and EndBlock belong to the pieces.
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
        "SELECT {}, Media.MediaId, Media.Revision, Media.EndFile, Media.EndBlock, IFNULL(Pool.Name, ''),
             IFNULL(Storage.Name, '')
         FROM Media LEFT JOIN Pool ON Pool.PoolId = Media.PoolId
         LEFT JOIN Storage ON Storage.StorageId = Media.StorageId",
        columns.join(", ")
    )
});

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let places: Vec<String> = (1..=STORED.len()).map(|n| format!("?{n}")).collect();
    format!("INSERT INTO Media ({}) VALUES ({})", STORED.join(", "), places.join(", "))
});

static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let columns: Vec<String> = STORED.iter().zip(1..).map(|(column, n): (_, u32)| format!("{column} = ?{n}")).collect();
    let (id, revision) = (columns.len() + 1, columns.len() + 2);
    format!(
        "UPDATE Media SET {}, Revision = Revision + 1 WHERE MediaId = ?{id} AND Revision = ?{revision}",
        columns.join(", ")
    )
});

pub(super) fn of_pool(t: &Connection, pool: u32, media_type: Option<&str>) -> rusqlite::Result<CatalogAnswer> {
    let condition = "WHERE Media.PoolId = ?1 AND (?2 IS NULL OR Media.MediaType = ?2) ORDER BY Media.MediaId";
    many(t, condition, params![pool, media_type])
}

pub(super) fn list(t: &Connection, pool: Option<&str>) -> rusqlite::Result<CatalogAnswer> {
    many(t, "WHERE ?1 IS NULL OR Pool.Name = ?1 ORDER BY Media.MediaId", params![pool])
}

pub(super) fn by_name(t: &Connection, name: &str) -> rusqlite::Result<CatalogAnswer> {
    one(t, "WHERE Media.VolumeName = ?1", params![name]).map(|row| CatalogAnswer::Volume(row.map(Box::new)))
}

pub(super) fn create(t: &Connection, row: &MediaRow) -> rusqlite::Result<CatalogAnswer> {
    t.prepare_cached(&INSERT)?.execute(params_from_iter(values(row)))?;
    by_id(t, t.last_insert_rowid())
}

pub(super) fn update(t: &Connection, row: &MediaRow) -> rusqlite::Result<CatalogAnswer> {
    let keys = [Value::from(row.media_id), Value::from(row.revision)];
    let changed = t.prepare_cached(&UPDATE)?.execute(params_from_iter(values(row).into_iter().chain(keys)))?;
    match (changed, by_id(t, row.media_id.into())?) {
        (0, CatalogAnswer::Volume(Some(present))) => Ok(CatalogAnswer::Stale(present)),
        (_, answer) => Ok(answer),
    }
}

/// The highest id ever given, that of deleted volumes included.
pub(super) fn max_id(t: &Connection) -> rusqlite::Result<CatalogAnswer> {
    t.query_row("SELECT IFNULL(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'Media'", [], |row| row.get(0))
        .map(CatalogAnswer::Id)
}

pub(super) fn prune(t: &Connection, media_id: u32, before: i64) -> rusqlite::Result<CatalogAnswer> {
    t.execute_batch("CREATE TEMP TABLE IF NOT EXISTS Old (JobId INTEGER PRIMARY KEY); DELETE FROM temp.Old;")?;
    t.execute(
        "INSERT INTO temp.Old SELECT DISTINCT JobMedia.JobId FROM JobMedia JOIN Job ON Job.JobId = JobMedia.JobId
         WHERE JobMedia.MediaId = ?1 AND Job.RealEndTime > 0 AND Job.JobTDate < ?2",
        params![media_id, before],
    )?;
    t.execute("DELETE FROM Log WHERE JobId IN (SELECT JobId FROM temp.Old)", [])?;
    // Pieces and files go with their job.
    t.execute("DELETE FROM Job WHERE JobId IN (SELECT JobId FROM temp.Old)", [])?;
    t.execute(
        "UPDATE Media SET VolStatus = ?2, Revision = Revision + 1
         WHERE MediaId = ?1 AND NOT EXISTS (SELECT 1 FROM JobMedia WHERE MediaId = ?1)",
        params![media_id, VolStatus::Purged.as_str()],
    )?;
    by_id(t, media_id.into())
}

pub(super) fn create_job_media(t: &Connection, row: &JobMediaRow) -> rusqlite::Result<CatalogAnswer> {
    t.prepare_cached(
        "INSERT INTO JobMedia (JobId, MediaId, FirstIndex, LastIndex, StartFile, EndFile, StartBlock, EndBlock, VolIndex)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1 + (SELECT COUNT(*) FROM JobMedia WHERE JobId = ?1))",
    )?
    .execute(params![
        row.job_id,
        row.media_id,
        row.first_index,
        row.last_index,
        row.start_file,
        row.end_file,
        row.start_block,
        row.end_block
    ])?;
    // A place-holder says nothing of where the volume ends.
    if row.last_index > 0 {
        t.prepare_cached("UPDATE Media SET EndFile = ?2, EndBlock = ?3 WHERE MediaId = ?1")?.execute([
            row.media_id,
            row.end_file,
            row.end_block,
        ])?;
    }
    Ok(CatalogAnswer::Done)
}

pub(super) fn delete_null(t: &Connection, job_id: u32) -> rusqlite::Result<CatalogAnswer> {
    t.prepare_cached("DELETE FROM JobMedia WHERE JobId = ?1 AND FirstIndex = 0 AND LastIndex = 0")?
        .execute([job_id])?;
    Ok(CatalogAnswer::Done)
}

pub(super) fn pieces(t: &Connection, jobs: &[u32]) -> rusqlite::Result<CatalogAnswer> {
    let mut statement = t.prepare_cached(
        "SELECT JobMedia.MediaId, FirstIndex, LastIndex, StartFile, JobMedia.EndFile, StartBlock, JobMedia.EndBlock,
             VolIndex, VolumeName, MediaType, Slot, Enabled, IFNULL(Storage.Name, '')
         FROM JobMedia JOIN Media ON Media.MediaId = JobMedia.MediaId
         LEFT JOIN Storage ON Storage.StorageId = Media.StorageId
         WHERE JobMedia.JobId = ?1 ORDER BY VolIndex, JobMediaId",
    )?;
    let mut jobs = jobs.to_vec();
    jobs.sort_unstable();
    jobs.dedup();
    let mut pieces = Vec::new();
    for job_id in jobs {
        for row in statement.query_map([job_id], |row| piece(job_id, row))? {
            pieces.push(row?);
        }
    }
    Ok(CatalogAnswer::Pieces(pieces))
}

fn piece(job_id: u32, row: &Row<'_>) -> rusqlite::Result<JobMediaPiece> {
    Ok(JobMediaPiece {
        piece: JobMediaRow {
            job_id,
            media_id: row.get(0)?,
            first_index: row.get(1)?,
            last_index: row.get(2)?,
            start_file: row.get(3)?,
            end_file: row.get(4)?,
            start_block: row.get(5)?,
            end_block: row.get(6)?,
        },
        vol_index: row.get(7)?,
        volume_name: row.get(8)?,
        media_type: row.get(9)?,
        slot: row.get(10)?,
        enabled: row.get(11)?,
        storage: row.get(12)?,
    })
}

fn by_id(t: &Connection, media_id: i64) -> rusqlite::Result<CatalogAnswer> {
    let row = one(t, "WHERE Media.MediaId = ?1", [media_id])?;
    row.map(|row| CatalogAnswer::Volume(Some(Box::new(row)))).ok_or_else(|| missing(&format!("volume {media_id}")))
}

fn one(t: &Connection, condition: &str, with: impl Params) -> rusqlite::Result<Option<MediaRow>> {
    t.prepare_cached(&format!("{} {condition}", *SELECT))?.query_row(with, media).optional()
}

fn many(t: &Connection, condition: &str, with: impl Params) -> rusqlite::Result<CatalogAnswer> {
    let mut statement = t.prepare_cached(&format!("{} {condition}", *SELECT))?;
    statement.query_map(with, media)?.collect::<Result<_, _>>().map(CatalogAnswer::Volumes)
}

fn values(row: &MediaRow) -> [Value; 36] {
    [
        row.volume_name.clone().into(),
        row.slot.into(),
        row.pool_id.into(),
        row.media_type.clone().into(),
        row.label_type.into(),
        row.first_written.into(),
        row.last_written.into(),
        row.label_date.into(),
        row.initial_write.into(),
        row.vol_jobs.into(),
        row.vol_files.into(),
        row.vol_blocks.into(),
        row.vol_mounts.into(),
        db(row.vol_bytes).into(),
        row.vol_errors.into(),
        row.vol_writes.into(),
        db(row.vol_capacity_bytes).into(),
        row.vol_status.as_str().to_owned().into(),
        row.enabled.into(),
        row.recycle.into(),
        row.action_on_purge.into(),
        db(row.vol_retention).into(),
        db(row.vol_use_duration).into(),
        row.max_vol_jobs.into(),
        row.max_vol_files.into(),
        db(row.max_vol_bytes).into(),
        row.in_changer.into(),
        row.storage_id.into(),
        db(row.vol_read_time).into(),
        db(row.vol_write_time).into(),
        row.recycle_count.into(),
        row.min_block_size.into(),
        row.max_block_size.into(),
        row.comment.clone().into(),
        row.scratch_pool_id.into(),
        row.recycle_pool_id.into(),
    ]
}

fn media(row: &Row<'_>) -> rusqlite::Result<MediaRow> {
    let status: String = row.get(17)?;
    Ok(MediaRow {
        volume_name: row.get(0)?,
        slot: row.get(1)?,
        pool_id: row.get(2)?,
        media_type: row.get(3)?,
        label_type: row.get(4)?,
        first_written: row.get(5)?,
        last_written: row.get(6)?,
        label_date: row.get(7)?,
        initial_write: row.get(8)?,
        vol_jobs: row.get(9)?,
        vol_files: row.get(10)?,
        vol_blocks: row.get(11)?,
        vol_mounts: row.get(12)?,
        vol_bytes: un(row.get(13)?),
        vol_errors: row.get(14)?,
        vol_writes: row.get(15)?,
        vol_capacity_bytes: un(row.get(16)?),
        // A state that somebody else wrote and we do not know must not be written over.
        vol_status: VolStatus::parse(&status).unwrap_or(VolStatus::Error),
        enabled: row.get(18)?,
        recycle: row.get(19)?,
        action_on_purge: row.get(20)?,
        vol_retention: un(row.get(21)?),
        vol_use_duration: un(row.get(22)?),
        max_vol_jobs: row.get(23)?,
        max_vol_files: row.get(24)?,
        max_vol_bytes: un(row.get(25)?),
        in_changer: row.get(26)?,
        storage_id: row.get(27)?,
        vol_read_time: un(row.get(28)?),
        vol_write_time: un(row.get(29)?),
        recycle_count: row.get(30)?,
        min_block_size: row.get(31)?,
        max_block_size: row.get(32)?,
        comment: row.get(33)?,
        scratch_pool_id: row.get(34)?,
        recycle_pool_id: row.get(35)?,
        media_id: row.get(36)?,
        revision: row.get(37)?,
        end_file: row.get(38)?,
        end_block: row.get(39)?,
        pool: row.get(40)?,
        storage: row.get(41)?,
    })
}
