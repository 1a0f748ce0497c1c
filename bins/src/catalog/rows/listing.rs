//! Lists for consoles.

use towline_core::catalog::{
    CatalogAnswer, Holding, JobMediaRow, JobTotal, Listed, ListedCopy, ListedFileSet, ListedLine, ListedPiece,
    ListedPool, ListedStorage, Listing, LogFilter, PoolRow,
};

use super::super::sql::{Result, Row, Session, Value, all, values};

pub(super) fn answer(t: &mut dyn Session, listing: &Listing) -> Result<CatalogAnswer> {
    Ok(CatalogAnswer::Listed(match listing {
        Listing::CountJobs(filter) => Listed::Count(super::jobs::count(t, filter)?),
        Listing::Pools => Listed::Pools(all(t, POOLS, &[], pool)?),
        Listing::FileSets => Listed::FileSets(all(t, FILE_SETS, &[], |row| {
            let (file_set_id, file_set, md5) = (row.take()?, row.take()?, row.take()?);
            Ok(ListedFileSet { file_set_id, file_set, md5, create_time: row.take()?, text: row.take()? })
        })?),
        Listing::Storages => {
            let sql = "SELECT StorageId, Name, AutoChanger FROM Storage ORDER BY StorageId";
            Listed::Storages(all(t, sql, &[], |row| {
                Ok(ListedStorage { storage_id: row.take()?, name: row.take()?, auto_changer: row.take()? })
            })?)
        }
        Listing::JobTotals => Listed::Totals(all(t, TOTALS, &[], |row| {
            Ok(JobTotal { name: row.take()?, jobs: row.take()?, files: row.take()?, bytes: row.take()? })
        })?),
        Listing::Log(filter) => Listed::Log(lines(t, filter)?),
        Listing::Copies { job_id } => Listed::Copies(all(t, COPIES, &values![job_id.unwrap_or(0)], |row| {
            let (job_id, job, copy_job_id) = (row.take()?, row.take()?, row.take()?);
            Ok(ListedCopy { job_id, job, copy_job_id, media_type: row.take()? })
        })?),
        Listing::Pieces { job_id, limit } => {
            Listed::Pieces(all(t, PIECES, &values![job_id.unwrap_or(0), *limit], piece)?)
        }
        Listing::Holdings => Listed::Holdings(all(t, HOLDINGS, &[], |row| {
            Ok(Holding { client: row.take()?, file_set: row.take()?, job_id: row.take()?, bytes: row.take()? })
        })?),
        Listing::Query { sql, limit } => {
            let (heads, rows) = t.read_only(sql, *limit)?;
            Listed::Table { heads, rows }
        }
        other => return Err(super::unknown(other)),
    }))
}

const POOLS: &str = "SELECT PoolId, Name, MaxVols, UseCatalog, VolRetention, VolUseDuration, MaxVolJobs, MaxVolFiles,
     MaxVolBytes, AutoPrune, Recycle, ActionOnPurge, PoolType, LabelType, LabelFormat, MinBlockSize, MaxBlockSize,
     ScratchPoolId, RecyclePoolId, NextPoolId, NumVols FROM Pool ORDER BY PoolId";

fn pool(row: &mut Row) -> Result<ListedPool> {
    let pool = PoolRow {
        pool_id: row.take()?,
        name: row.take()?,
        max_vols: row.take()?,
        use_catalog: row.take()?,
        vol_retention: row.take()?,
        vol_use_duration: row.take()?,
        max_vol_jobs: row.take()?,
        max_vol_files: row.take()?,
        max_vol_bytes: row.take()?,
        auto_prune: row.take()?,
        recycle: row.take()?,
        action_on_purge: row.take()?,
        pool_type: row.take()?,
        label_type: row.take()?,
        label_format: Some(row.take::<String>()?).filter(|format| format != "*"),
        min_block_size: row.take()?,
        max_block_size: row.take()?,
        scratch_pool_id: row.take()?,
        recycle_pool_id: row.take()?,
        next_pool_id: row.take()?,
    };
    Ok(ListedPool { row: pool, num_vols: row.take()? })
}

const FILE_SETS: &str = "SELECT FileSetId, FileSet, MD5, CreateTime, FileSetText FROM FileSet ORDER BY FileSetId";

const TOTALS: &str = "SELECT Name, COUNT(*), CAST(COALESCE(SUM(JobFiles), 0) AS BIGINT),
         CAST(COALESCE(SUM(JobBytes), 0) AS BIGINT)
     FROM Job WHERE Type = 'B' GROUP BY Name ORDER BY Name";

const COPIES: &str = "SELECT Job.JobId, Job.Job, Copy.JobId, Media.MediaType FROM Job Copy
     JOIN Job ON Job.JobId = Copy.PriorJobId
     JOIN Media ON Media.MediaId = (SELECT MIN(JobMedia.MediaId) FROM JobMedia WHERE JobMedia.JobId = Copy.JobId)
     WHERE Copy.Type = 'C' AND (CAST(?1 AS BIGINT) = 0 OR Job.JobId = ?1) ORDER BY Job.JobId DESC, Copy.JobId";

const PIECES: &str = "SELECT JobMedia.JobMediaId, JobMedia.JobId, JobMedia.MediaId, JobMedia.FirstIndex,
         JobMedia.LastIndex, JobMedia.StartFile, JobMedia.EndFile, JobMedia.StartBlock, JobMedia.EndBlock,
         Media.VolumeName
     FROM JobMedia JOIN Media ON Media.MediaId = JobMedia.MediaId
     WHERE CAST(?1 AS BIGINT) = 0 OR JobMedia.JobId = ?1 ORDER BY JobMedia.JobMediaId LIMIT ?2";

fn piece(row: &mut Row) -> Result<ListedPiece> {
    let job_media_id = row.take()?;
    let piece = JobMediaRow {
        job_id: row.take()?,
        media_id: row.take()?,
        first_index: row.take()?,
        last_index: row.take()?,
        start_file: row.take()?,
        end_file: row.take()?,
        start_block: row.take()?,
        end_block: row.take()?,
    };
    Ok(ListedPiece { job_media_id, piece, volume_name: row.take()? })
}

const HOLDINGS: &str = "SELECT Newest.Client, Newest.FileSet, Newest.JobId, Job.JobBytes FROM (
         SELECT Client.Name AS Client, FileSet.FileSet AS FileSet, MAX(Job.JobId) AS JobId FROM Job
         JOIN Client ON Client.ClientId = Job.ClientId JOIN FileSet ON FileSet.FileSetId = Job.FileSetId
         WHERE Job.Type = 'B' AND Job.Level = 'F' AND Job.JobStatus IN ('T', 'W')
         GROUP BY Client.Name, FileSet.FileSet) Newest
     JOIN Job ON Job.JobId = Newest.JobId ORDER BY Newest.Client, Newest.FileSet";

fn lines(t: &mut dyn Session, filter: &LogFilter) -> Result<Vec<ListedLine>> {
    let mut terms: Vec<String> = Vec::new();
    let mut with: Vec<Value> = values![filter.limit, filter.offset].to_vec();
    let mut term = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            with.push(value);
            terms.push(format!("{condition} ?{}", with.len()));
        }
    };
    term("Job.Name =", filter.name.as_ref().map(Value::from));
    term("Client.Name =", filter.client.as_ref().map(Value::from));
    term("Log.Time >=", filter.since.map(Value::from));
    let condition = if terms.is_empty() { String::new() } else { format!("WHERE {}", terms.join(" AND ")) };
    let sql = format!(
        "SELECT Log.LogId, Log.JobId, COALESCE(Job.Name, ''), COALESCE(Client.Name, ''), Log.Time, Log.LogText FROM Log
         LEFT JOIN Job ON Job.JobId = Log.JobId LEFT JOIN Client ON Client.ClientId = Job.ClientId
         {condition} ORDER BY Log.LogId DESC LIMIT ?1 OFFSET ?2"
    );
    let mut lines = all(t, &sql, &with, |row| {
        let (log_id, job_id, name, client) = (row.take()?, row.take()?, row.take()?, row.take()?);
        Ok(ListedLine { log_id, job_id, name, client, time: row.take()?, text: row.take()? })
    })?;
    if !filter.newest_first {
        lines.reverse();
    }
    Ok(lines)
}
