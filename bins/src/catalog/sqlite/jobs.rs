//! Jobs and their reports.

use super::{db, missing, un};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};
use towline_core::role::director::catalog::{
    AdoptOriginal, CatalogAnswer, JobEnd, JobFilter, JobRow, JobStart, LogRow, NewJob,
};

const COLUMNS: &str = "SELECT Job.JobId, Job.Job, Job.Name, Job.Type, Job.Level, Job.JobStatus, Job.ClientId,
    IFNULL(Client.Name, ''), Job.FileSetId, IFNULL(FileSet.FileSet, ''), Job.PoolId, Job.SchedTime, Job.StartTime,
    Job.EndTime, Job.RealEndTime, Job.JobTDate, Job.VolSessionId, Job.VolSessionTime, Job.JobFiles, Job.JobBytes,
    Job.ReadBytes, Job.JobErrors, Job.PriorJobId, Job.PurgedFiles, Job.Comment
    FROM Job LEFT JOIN Client ON Client.ClientId = Job.ClientId LEFT JOIN FileSet ON FileSet.FileSetId = Job.FileSetId";

/// States a job stays in, `wire/3 §0.4`.
const ENDED: &str = "('T', 'W', 'A', 'E', 'f', 'e', 'D', 'I')";
/// How many jobs are listed when nobody says.
const LIST_LIMIT: u32 = 1000;

pub(super) fn create(t: &Connection, job: &NewJob) -> rusqlite::Result<CatalogAnswer> {
    t.prepare_cached(
        "INSERT INTO Job (Job, Name, Type, Level, JobStatus, SchedTime, JobTDate, ClientId, Comment)
         VALUES (?1, ?2, ?3, ?4, 'C', ?5, ?5, ?6, ?7) RETURNING JobId",
    )?
    .query_row(
        params![job.job, job.name, text(job.job_type), text(job.level), job.sched_time, job.client_id, job.comment],
        |row| row.get(0),
    )
    .map(CatalogAnswer::Id)
}

pub(super) fn start(t: &Connection, job: &JobStart) -> rusqlite::Result<CatalogAnswer> {
    let changed = t
        .prepare_cached(
            "UPDATE Job SET JobStatus = ?2, Level = ?3, StartTime = ?4, JobTDate = ?4, ClientId = ?5, PoolId = ?6,
                 FileSetId = ?7, VolSessionId = ?8, VolSessionTime = ?9 WHERE JobId = ?1",
        )?
        .execute(params![
            job.job_id,
            text(job.job_status),
            text(job.level),
            job.start_time,
            job.client_id,
            job.pool_id,
            job.file_set_id,
            job.vol_session_id,
            job.vol_session_time
        ])?;
    changed_one(changed, job.job_id)
}

pub(super) fn end(t: &Connection, job: &JobEnd) -> rusqlite::Result<CatalogAnswer> {
    let changed = t
        .prepare_cached(
            "UPDATE Job SET JobStatus = ?2, Level = ?3, EndTime = ?4, RealEndTime = ?5, JobTDate = ?5, ClientId = ?6,
                 PoolId = ?7, FileSetId = ?8, VolSessionId = ?9, VolSessionTime = ?10, JobFiles = ?11, JobBytes = ?12,
                 ReadBytes = ?13, JobErrors = ?14, PriorJobId = ?15, PurgedFiles = ?16 WHERE JobId = ?1",
        )?
        .execute(params![
            job.job_id,
            text(job.job_status),
            text(job.level),
            job.end_time,
            job.real_end_time,
            job.client_id,
            job.pool_id,
            job.file_set_id,
            job.vol_session_id,
            job.vol_session_time,
            job.job_files,
            db(job.job_bytes),
            db(job.read_bytes),
            job.job_errors,
            job.prior_job_id,
            job.purged_files
        ])?;
    changed_one(changed, job.job_id)
}

pub(super) fn checkpoint(t: &Connection, job_id: u32, files: u32, bytes: u64) -> rusqlite::Result<CatalogAnswer> {
    let changed = t
        .prepare_cached("UPDATE Job SET JobFiles = ?2, JobBytes = ?3 WHERE JobId = ?1")?
        .execute(params![job_id, files, db(bytes)])?;
    changed_one(changed, job_id)
}

pub(super) fn adopt(t: &Connection, adopt: &AdoptOriginal) -> rusqlite::Result<CatalogAnswer> {
    let changed = t
        .prepare_cached(
            "UPDATE Job SET Type = ?3, PriorJobId = ?2,
                 (StartTime, EndTime, JobTDate) = (SELECT StartTime, EndTime, JobTDate FROM Job WHERE JobId = ?2)
             WHERE JobId = ?1 AND EXISTS (SELECT 1 FROM Job WHERE JobId = ?2)",
        )?
        .execute(params![adopt.job_id, adopt.original, text(adopt.job_type)])?;
    changed_one(changed, adopt.job_id)?;
    if adopt.original_type == b'M' {
        t.execute("UPDATE Log SET JobId = ?1 WHERE JobId = ?2", [adopt.job_id, adopt.original])?;
        t.execute("DELETE FROM File WHERE JobId = ?1", [adopt.original])?;
        t.execute("UPDATE Job SET Type = 'M', PurgedFiles = 1 WHERE JobId = ?1", [adopt.original])?;
    } else {
        t.execute(
            "INSERT INTO Log (JobId, Time, LogText) SELECT ?1, Time, LogText FROM Log WHERE JobId = ?2 ORDER BY LogId",
            [adopt.job_id, adopt.original],
        )?;
        t.execute("UPDATE Job SET Type = ?2 WHERE JobId = ?1", params![adopt.original, text(adopt.original_type)])?;
    }
    Ok(CatalogAnswer::Done)
}

pub(super) fn list(t: &Connection, filter: &JobFilter) -> rusqlite::Result<CatalogAnswer> {
    let mut terms: Vec<String> = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut equal = |column: &str, value: Option<Value>| {
        if let Some(value) = value {
            values.push(value);
            terms.push(format!("{column} = ?{}", values.len()));
        }
    };
    equal("Job.JobId", filter.job_id.map(Value::from));
    equal("Job.Job", filter.job.clone().map(Value::from));
    equal("Job.Name", filter.name.clone().map(Value::from));
    equal("Client.Name", filter.client.clone().map(Value::from));
    if !filter.statuses.is_empty() {
        let first = values.len();
        values.extend(filter.statuses.iter().map(|s| Value::from(text(*s))));
        let places: Vec<String> = (first + 1..=values.len()).map(|n| format!("?{n}")).collect();
        terms.push(format!("Job.JobStatus IN ({})", places.join(", ")));
    }
    let condition = if terms.is_empty() { String::new() } else { format!("WHERE {}", terms.join(" AND ")) };
    let limit = if filter.limit == 0 { LIST_LIMIT } else { filter.limit };
    let sql = format!("{COLUMNS} {condition} ORDER BY Job.JobId DESC LIMIT {limit}");
    let mut statement = t.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), job)?;
    rows.collect::<Result<_, _>>().map(CatalogAnswer::Jobs)
}

pub(super) fn last(t: &Connection, name: &str, client_id: u32, set: u32) -> rusqlite::Result<CatalogAnswer> {
    let sql = format!(
        "{COLUMNS} WHERE Job.Name = ?1 AND Job.ClientId = ?2 AND Job.FileSetId = ?3 AND Job.Level = ?4
             AND Job.Type = 'B' AND Job.JobStatus IN ('T', 'W') ORDER BY Job.StartTime DESC, Job.JobId DESC LIMIT 1"
    );
    let mut statement = t.prepare_cached(&sql)?;
    let mut jobs = Vec::new();
    for level in ["F", "D", "I"] {
        jobs.extend(statement.query_map(params![name, client_id, set, level], job)?.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(CatalogAnswer::Jobs(jobs))
}

pub(super) fn for_restore(
    t: &Connection,
    client: &str,
    file_set: Option<&str>,
    before: i64,
) -> rusqlite::Result<CatalogAnswer> {
    let good = "Job.Type = 'B' AND Job.JobStatus IN ('T', 'W') AND Job.StartTime < ?2";
    let sql = format!(
        "WITH Newest AS (
             SELECT FileSet.FileSet AS FileSet, MAX(Job.JobTDate) AS JobTDate FROM Job
             JOIN Client ON Client.ClientId = Job.ClientId JOIN FileSet ON FileSet.FileSetId = Job.FileSetId
             WHERE Client.Name = ?1 AND Job.Level = 'F' AND {good} GROUP BY FileSet.FileSet)
         {COLUMNS} JOIN Newest ON Newest.FileSet = FileSet.FileSet
         WHERE Client.Name = ?1 AND {good} AND Job.Level IN ('F', 'D', 'I') AND Job.JobTDate >= Newest.JobTDate
             AND (?3 IS NULL OR FileSet.FileSet = ?3)
         ORDER BY Job.StartTime, Job.JobId"
    );
    let mut statement = t.prepare_cached(&sql)?;
    let rows = statement.query_map(params![client, before, file_set], job)?;
    rows.collect::<Result<_, _>>().map(CatalogAnswer::Jobs)
}

pub(super) fn mark_unfinished(t: &Connection, now: i64) -> rusqlite::Result<CatalogAnswer> {
    let changed = t.execute(
        &format!("UPDATE Job SET JobStatus = 'f', EndTime = ?1, RealEndTime = ?1 WHERE JobStatus NOT IN {ENDED}"),
        [now],
    )?;
    Ok(CatalogAnswer::Changed(changed as u64))
}

pub(super) fn add_logs(t: &Connection, lines: &[LogRow]) -> rusqlite::Result<CatalogAnswer> {
    let mut statement = t.prepare_cached("INSERT INTO Log (JobId, Time, LogText) VALUES (?1, ?2, ?3)")?;
    for line in lines {
        statement.execute(params![line.job_id, line.time, line.text])?;
    }
    Ok(CatalogAnswer::Done)
}

pub(super) fn log(t: &Connection, job_id: u32) -> rusqlite::Result<CatalogAnswer> {
    let mut statement = t.prepare_cached("SELECT Time, LogText FROM Log WHERE JobId = ?1 ORDER BY LogId")?;
    let rows = statement.query_map([job_id], |row| Ok(LogRow { job_id, time: row.get(0)?, text: row.get(1)? }))?;
    rows.collect::<Result<_, _>>().map(CatalogAnswer::Log)
}

fn changed_one(changed: usize, job_id: u32) -> rusqlite::Result<CatalogAnswer> {
    if changed == 0 { Err(missing(&format!("job {job_id}"))) } else { Ok(CatalogAnswer::Done) }
}

fn text(code: u8) -> String {
    char::from(code).to_string()
}

fn code(row: &Row<'_>, column: usize) -> rusqlite::Result<u8> {
    Ok(row.get_ref(column)?.as_str()?.bytes().next().unwrap_or(b' '))
}

fn job(row: &Row<'_>) -> rusqlite::Result<JobRow> {
    Ok(JobRow {
        job_id: row.get(0)?,
        job: row.get(1)?,
        name: row.get(2)?,
        job_type: code(row, 3)?,
        level: code(row, 4)?,
        job_status: code(row, 5)?,
        client_id: row.get(6)?,
        client: row.get(7)?,
        file_set_id: row.get(8)?,
        file_set: row.get(9)?,
        pool_id: row.get(10)?,
        sched_time: row.get(11)?,
        start_time: row.get(12)?,
        end_time: row.get(13)?,
        real_end_time: row.get(14)?,
        job_t_date: row.get(15)?,
        vol_session_id: row.get(16)?,
        vol_session_time: row.get(17)?,
        job_files: row.get(18)?,
        job_bytes: un(row.get(19)?),
        read_bytes: un(row.get(20)?),
        job_errors: row.get(21)?,
        prior_job_id: row.get(22)?,
        purged_files: row.get(23)?,
        comment: row.get(24)?,
    })
}
