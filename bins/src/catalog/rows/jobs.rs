//! Jobs and their reports.

use std::collections::BTreeSet;

use towline_core::catalog::{
    AdoptOriginal, CatalogAnswer, JobCorrection, JobEnd, JobFilter, JobRow, JobStart, LastJobs, LogRow, NewJob,
    StandsFor,
};

use super::super::sql::{Result, Row, Session, Value, all, first, missing, scalar, values};

const COLUMNS: &str = "SELECT Job.JobId, Job.Job, Job.Name, Job.Type, Job.Level, Job.JobStatus, Job.ClientId,
    COALESCE(Client.Name, ''), Job.FileSetId, COALESCE(FileSet.FileSet, ''), Job.PoolId, COALESCE(Pool.Name, ''),
    Job.SchedTime, Job.StartTime, Job.EndTime, Job.RealEndTime, Job.JobTDate, Job.VolSessionId, Job.VolSessionTime, Job.JobFiles, Job.JobBytes,
    Job.ReadBytes, Job.JobErrors, Job.PriorJobId, Job.OriginJobId, Job.PurgedFiles, Job.Comment
    FROM Job LEFT JOIN Client ON Client.ClientId = Job.ClientId LEFT JOIN FileSet ON FileSet.FileSetId = Job.FileSetId
    LEFT JOIN Pool ON Pool.PoolId = Job.PoolId";

/// What the conditions of a filter look at.
const FILTERED: &str = "FROM Job LEFT JOIN Client ON Client.ClientId = Job.ClientId
    LEFT JOIN FileSet ON FileSet.FileSetId = Job.FileSetId LEFT JOIN Pool ON Pool.PoolId = Job.PoolId";

/// A job's place among others, as `JobRow::place` says.
pub(super) const PLACE: &str = "CASE Job.OriginJobId WHEN 0 THEN Job.JobId ELSE Job.OriginJobId END";

/// A good backup of a name, client and fileset.
const GOOD: &str =
    "Job.Name = ?1 AND Job.ClientId = ?2 AND Job.FileSetId = ?3 AND Job.Type = 'B' AND Job.JobStatus IN ('T', 'W')";

/// States a job stays in, `wire/3 §0.4`.
const ENDED: &str = "('T', 'W', 'A', 'E', 'f', 'e', 'D', 'I')";
/// How many jobs are listed when nobody says.
const LIST_LIMIT: u32 = 1000;

pub(super) fn create(t: &mut dyn Session, job: &NewJob) -> Result<CatalogAnswer> {
    let given: u32 = scalar(
        t,
        "INSERT INTO Job (Job, Name, Type, Level, JobStatus, SchedTime, JobTDate, ClientId, Comment)
         VALUES (?1, ?2, ?3, ?4, 'C', ?5, ?5, ?6, ?7) RETURNING JobId",
        &[
            (&job.job).into(),
            (&job.name).into(),
            text(job.job_type),
            text(job.level),
            job.sched_time.into(),
            job.client_id.into(),
            (&job.comment).into(),
        ],
    )?;
    if given >= job.at_least {
        return Ok(CatalogAnswer::Id(given));
    }
    t.execute(t.dialect().raise_job_id, &values![job.at_least])?;
    t.execute("UPDATE Job SET JobId = ?2 WHERE JobId = ?1", &values![given, job.at_least])?;
    Ok(CatalogAnswer::Id(job.at_least))
}

pub(super) fn max_id(t: &mut dyn Session) -> Result<CatalogAnswer> {
    let sql = t.dialect().highest_job_id;
    scalar(t, sql, &[]).map(CatalogAnswer::Id)
}

/// Refuses a request for a job that is not there.
///
/// # Errors
/// `Constraint` then.
pub(in super::super) fn must_exist(t: &mut dyn Session, job_id: u32) -> Result<()> {
    match first(t, "SELECT JobId FROM Job WHERE JobId = ?1", &values![job_id])? {
        Some(_) => Ok(()),
        None => Err(missing(&format!("job {job_id}"))),
    }
}

pub(super) fn start(t: &mut dyn Session, job: &JobStart) -> Result<CatalogAnswer> {
    let changed = t.execute(
        "UPDATE Job SET JobStatus = ?2, Level = ?3, StartTime = ?4, JobTDate = ?4, ClientId = ?5, PoolId = ?6,
             FileSetId = ?7, VolSessionId = ?8, VolSessionTime = ?9 WHERE JobId = ?1",
        &[
            job.job_id.into(),
            text(job.job_status),
            text(job.level),
            job.start_time.into(),
            job.client_id.into(),
            job.pool_id.into(),
            job.file_set_id.into(),
            job.vol_session_id.into(),
            job.vol_session_time.into(),
        ],
    )?;
    changed_one(changed, job.job_id)
}

pub(super) fn end(t: &mut dyn Session, job: &JobEnd) -> Result<CatalogAnswer> {
    let changed = t.execute(
        "UPDATE Job SET JobStatus = ?2, Level = ?3, EndTime = ?4, RealEndTime = ?5, JobTDate = ?5, ClientId = ?6,
             PoolId = ?7, FileSetId = ?8, VolSessionId = ?9, VolSessionTime = ?10, JobFiles = ?11, JobBytes = ?12,
             ReadBytes = ?13, JobErrors = ?14, PriorJobId = ?15, PurgedFiles = ?16, Comment = COALESCE(?17, Comment)
         WHERE JobId = ?1",
        &[
            job.job_id.into(),
            text(job.job_status),
            text(job.level),
            job.end_time.into(),
            job.real_end_time.into(),
            job.client_id.into(),
            job.pool_id.into(),
            job.file_set_id.into(),
            job.vol_session_id.into(),
            job.vol_session_time.into(),
            job.job_files.into(),
            job.job_bytes.into(),
            job.read_bytes.into(),
            job.job_errors.into(),
            job.prior_job_id.into(),
            job.purged_files.into(),
            job.comment.as_deref().into(),
        ],
    )?;
    if let Some(last) = job.last_file {
        super::files::retract_after(t, job.job_id, last)?;
    }
    changed_one(changed, job.job_id)?;
    match &job.stands_for {
        Some(stands_for) => stand_for(t, job.job_id, stands_for),
        None => Ok(CatalogAnswer::Done),
    }
}

/// A virtual full takes over the times and the place of the last of its jobs, and what these say is deleted.
fn stand_for(t: &mut dyn Session, job_id: u32, stands_for: &StandsFor) -> Result<CatalogAnswer> {
    let changed = t.execute(
        &format!(
            "UPDATE Job SET (SchedTime, StartTime, EndTime, JobTDate, OriginJobId) =
                 (SELECT SchedTime, StartTime, EndTime, JobTDate, {PLACE} FROM Job WHERE JobId = ?2)
             WHERE JobId = ?1 AND EXISTS (SELECT 1 FROM Job WHERE JobId = ?2)"
        ),
        &values![job_id, stands_for.last],
    )?;
    changed_one(changed, stands_for.last)?;
    super::files::keep_deleted(t, job_id, &stands_for.deleted_of)?;
    super::media::delete_jobs(t, &stands_for.purged)?;
    Ok(CatalogAnswer::Done)
}

pub(super) fn checkpoint(t: &mut dyn Session, job_id: u32, files: u32, bytes: u64) -> Result<CatalogAnswer> {
    let sql = "UPDATE Job SET JobFiles = ?2, JobBytes = ?3 WHERE JobId = ?1";
    let changed = t.execute(sql, &values![job_id, files, bytes])?;
    changed_one(changed, job_id)
}

pub(super) fn correct(t: &mut dyn Session, correction: &JobCorrection) -> Result<CatalogAnswer> {
    let sql = format!("{COLUMNS} WHERE Job.JobId = ?1 AND Job.RealEndTime > 0");
    let Some(mut row) = all(t, &sql, &values![correction.job_id], job)?.pop() else {
        return Ok(CatalogAnswer::Changed(0));
    };
    correction.make(&mut row);
    t.execute(
        "UPDATE Job SET Name = ?2, ClientId = ?3, FileSetId = ?4, Type = ?5, SchedTime = ?6, StartTime = ?7, EndTime = ?8,
             JobTDate = ?9 WHERE JobId = ?1",
        &[
            row.job_id.into(),
            (&row.name).into(),
            row.client_id.into(),
            row.file_set_id.into(),
            text(row.job_type),
            row.sched_time.into(),
            row.start_time.into(),
            row.end_time.into(),
            row.job_t_date.into(),
        ],
    )
    .map(CatalogAnswer::Changed)
}

pub(super) fn adopt(t: &mut dyn Session, adopt: &AdoptOriginal) -> Result<CatalogAnswer> {
    let AdoptOriginal { job_id, original, .. } = *adopt;
    let changed = t.execute(
        &format!(
            "UPDATE Job SET Type = ?3, PriorJobId = ?2, (SchedTime, StartTime, EndTime, JobTDate, OriginJobId) =
                 (SELECT SchedTime, StartTime, EndTime, JobTDate, {PLACE} FROM Job WHERE JobId = ?2)
             WHERE JobId = ?1 AND EXISTS (SELECT 1 FROM Job WHERE JobId = ?2)"
        ),
        &[job_id.into(), original.into(), text(adopt.job_type)],
    )?;
    changed_one(changed, job_id)?;
    if adopt.original_type == b'M' {
        t.execute("UPDATE Log SET JobId = ?1 WHERE JobId = ?2", &values![job_id, original])?;
        t.execute("DELETE FROM File WHERE JobId = ?1", &values![original])?;
        super::browse::forget(t, original)?;
        t.execute("UPDATE Job SET Type = 'M', PurgedFiles = 1 WHERE JobId = ?1", &values![original])?;
        if adopt.purges {
            super::media::delete_jobs(t, &[original])?;
        }
    } else {
        t.execute(
            "INSERT INTO Log (JobId, Time, LogText)
             SELECT CAST(?1 AS BIGINT), Time, LogText FROM Log WHERE JobId = ?2 ORDER BY LogId",
            &values![job_id, original],
        )?;
        t.execute("UPDATE Job SET Type = ?2 WHERE JobId = ?1", &[original.into(), text(adopt.original_type)])?;
    }
    Ok(CatalogAnswer::Done)
}

pub(super) fn list(t: &mut dyn Session, filter: &JobFilter) -> Result<CatalogAnswer> {
    let (condition, mut with) = condition(filter);
    let order = if filter.oldest_first { "ASC" } else { "DESC" };
    with.push(Value::from(if filter.limit == 0 { LIST_LIMIT } else { filter.limit }));
    with.push(Value::from(filter.offset));
    let (limit, offset) = (with.len() - 1, with.len());
    let sql = format!("{COLUMNS} {condition} ORDER BY Job.JobId {order} LIMIT ?{limit} OFFSET ?{offset}");
    all(t, &sql, &with, job).map(CatalogAnswer::Jobs)
}

pub(super) fn by_id(t: &mut dyn Session, ids: &[u32]) -> Result<CatalogAnswer> {
    let sql = format!("{COLUMNS} WHERE Job.JobId = ?1");
    let mut found = Vec::new();
    for job_id in ids.iter().copied().collect::<BTreeSet<u32>>() {
        found.extend(all(t, &sql, &values![job_id], job)?);
    }
    Ok(CatalogAnswer::Jobs(found))
}

/// How many jobs a filter chooses, whatever its limit.
pub(super) fn count(t: &mut dyn Session, filter: &JobFilter) -> Result<u64> {
    let (condition, with) = condition(filter);
    scalar(t, &format!("SELECT COUNT(*) {FILTERED} {condition}"), &with)
}

/// The condition of a filter, and what stands in its places.
fn condition(filter: &JobFilter) -> (String, Vec<Value>) {
    let mut terms: Vec<String> = Vec::new();
    let mut with: Vec<Value> = Vec::new();
    let mut equal = |column: &str, value: Option<Value>| {
        if let Some(value) = value {
            with.push(value);
            terms.push(format!("{column} = ?{}", with.len()));
        }
    };
    equal("Job.JobId", filter.job_id.map(Value::from));
    equal("Job.Job", filter.job.as_ref().map(Value::from));
    equal("Job.Name", filter.name.as_ref().map(Value::from));
    equal("Client.Name", filter.client.as_ref().map(Value::from));
    equal("FileSet.FileSet", filter.file_set.as_ref().map(Value::from));
    equal("Pool.Name", filter.pool.as_ref().map(Value::from));
    if let Some(since) = filter.since {
        with.push(since.into());
        terms.push(format!("Job.SchedTime >= ?{}", with.len()));
    }
    if let Some(volume) = &filter.volume {
        with.push(volume.into());
        terms.push(format!(
            "EXISTS (SELECT 1 FROM Media JOIN JobMedia ON JobMedia.MediaId = Media.MediaId
             WHERE Media.VolumeName = ?{} AND JobMedia.JobId = Job.JobId)",
            with.len()
        ));
    }
    let letters = |letters: &[u8]| letters.iter().map(|letter| text(*letter)).collect::<Vec<Value>>();
    for (column, values) in [
        ("Job.Name", filter.names.iter().map(Value::from).collect()),
        ("Job.JobStatus", letters(&filter.statuses)),
        ("Job.Type", letters(&filter.types)),
        ("Job.Level", letters(&filter.levels)),
    ] {
        if !values.is_empty() {
            let first = with.len();
            with.extend(values);
            let places: Vec<String> = (first + 1..=with.len()).map(|n| format!("?{n}")).collect();
            terms.push(format!("{column} IN ({})", places.join(", ")));
        }
    }
    let mut condition = if terms.is_empty() { String::new() } else { format!("WHERE {}", terms.join(" AND ")) };
    if filter.last {
        condition = format!("WHERE Job.JobId IN (SELECT MAX(Job.JobId) {FILTERED} {condition} GROUP BY Job.Name)");
    }
    (condition, with)
}

pub(super) fn to_copy(
    t: &mut dyn Session,
    pool_id: u32,
    uncopied: bool,
    after: u32,
    limit: u32,
) -> Result<CatalogAnswer> {
    let sql = format!(
        "{COLUMNS} WHERE Job.Type IN ('B', 'A') AND Job.JobStatus IN ('T', 'W') AND Job.JobBytes > 0
             AND Job.PoolId = ?1 AND {PLACE} > ?2 AND (CAST(?3 AS BIGINT) = 0 OR NOT EXISTS (
                 SELECT 1 FROM Job Copy WHERE Copy.PriorJobId = Job.JobId AND Copy.Type IN ('B', 'C')
                     AND Copy.JobStatus IN ('T', 'W')))
         ORDER BY {PLACE}, Job.JobId LIMIT ?4"
    );
    all(t, &sql, &values![pool_id, after, u32::from(uncopied), limit], job).map(CatalogAnswer::Jobs)
}

pub(super) fn newest(t: &mut dyn Session, name: Option<&str>, client: Option<&str>) -> Result<CatalogAnswer> {
    let sql = format!(
        "{COLUMNS} WHERE Job.Type = 'B' AND Job.JobStatus IN ('T', 'W')
             AND (CAST(?1 AS TEXT) IS NULL OR Job.Name = CAST(?1 AS TEXT))
             AND (CAST(?2 AS TEXT) IS NULL OR Client.Name = CAST(?2 AS TEXT))
         ORDER BY {PLACE} DESC, Job.JobId DESC LIMIT 1"
    );
    all(t, &sql, &values![name, client], job).map(CatalogAnswer::Jobs)
}

pub(super) fn last(t: &mut dyn Session, name: &str, client_id: u32, set: u32, now: i64) -> Result<CatalogAnswer> {
    let sql = format!("{COLUMNS} WHERE {GOOD} AND Job.Level = ?4 ORDER BY {PLACE} DESC, Job.JobId DESC LIMIT 1");
    let mut last = LastJobs::default();
    for level in ["F", "D", "I"] {
        last.newest.extend(all(t, &sql, &values![name, client_id, set, level], job)?);
    }
    let full = last.newest.iter().find(|row| row.level == b'F').map_or(0, JobRow::place);
    for job_id in sound(t, &values![name, client_id, set], full, now)? {
        last.sound.extend(all(t, &format!("{COLUMNS} WHERE Job.JobId = ?1"), &values![job_id], job)?);
    }
    Ok(CatalogAnswer::LastJobs(Box::new(last)))
}

/// The newest job whose start time nothing contradicts, and the same up to the place of the newest Full: see `is_sound` of
/// the rule over rows. The walk goes from the newest job back and carries along the earliest time of all that came after,
/// so each row is looked at once, however many jobs there are; mostly the first is sound.
fn sound(t: &mut dyn Session, of: &[Value], full: u32, now: i64) -> Result<Vec<u32>> {
    let read = |row: &mut Row| Ok((row.take::<u32>()?, row.take::<u32>()?, row.take::<i64>()?, row.take::<i64>()?));
    let mut found = Vec::new();
    let (mut after, mut earliest) = (u32::MAX, i64::MAX);
    for (job_id, place, sched_time, start_time) in all(t, &candidates(), of, read)? {
        if place < after {
            let between: Value = match first(t, EARLIEST, &values![place, after])? {
                Some(mut row) => row.take()?,
                None => Value::Null,
            };
            if let Value::Int(time) = between {
                earliest = earliest.min(time);
            }
            after = place;
        }
        if start_time <= now && earliest >= sched_time {
            if found.is_empty() {
                found.push(job_id);
            }
            if place <= full {
                found.push(job_id);
                break;
            }
        }
    }
    found.dedup();
    Ok(found)
}

/// The good jobs of a name, client and fileset, newest first: id, place, when due and when started.
pub(in super::super) fn candidates() -> String {
    format!(
        "SELECT Job.JobId, {PLACE}, Job.SchedTime, Job.StartTime FROM Job WHERE {GOOD} AND Job.Level IN ('F', 'D', 'I')
         ORDER BY {PLACE} DESC, Job.JobId DESC"
    )
}

/// When the earliest job between two numbers was due, the upper one included. Copies have the times of their originals and
/// say nothing.
pub(in super::super) const EARLIEST: &str =
    "SELECT MIN(SchedTime) FROM Job WHERE JobId > ?1 AND JobId <= ?2 AND OriginJobId = 0";

/// Which jobs a restore may choose from.
pub(super) struct ForRestore<'a> {
    pub(super) client: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) file_set: Option<&'a str>,
    pub(super) before: i64,
    pub(super) now: i64,
}

pub(super) fn for_restore(t: &mut dyn Session, which: &ForRestore<'_>) -> Result<CatalogAnswer> {
    // `Scored` and `Cut` are `begun_before`.
    let sql = format!(
        "WITH Good AS (
             SELECT Job.JobId AS JobId, {PLACE} AS Place, Job.StartTime AS StartTime, Job.Level AS Level,
                 FileSet.FileSet AS FileSet FROM Job
             JOIN Client ON Client.ClientId = Job.ClientId JOIN FileSet ON FileSet.FileSetId = Job.FileSetId
             WHERE Client.Name = ?1 AND Job.Type = 'B' AND Job.JobStatus IN ('T', 'W')
                 AND Job.Level IN ('F', 'D', 'I') AND (CAST(?4 AS TEXT) IS NULL OR Job.Name = CAST(?4 AS TEXT))),
         Scored AS (
             SELECT Place, StartTime, SUM(CASE WHEN StartTime < ?2 THEN 1 WHEN StartTime <= ?5 THEN -1 ELSE 0 END)
                 OVER (ORDER BY Place, JobId) AS Score FROM Good),
         Cut AS (
             SELECT Place FROM Scored WHERE StartTime < ?2 AND Score >= 0 ORDER BY Score DESC, Place DESC LIMIT 1),
         Newest AS (
             SELECT FileSet, MAX(Place) AS Place FROM Good
             WHERE Level = 'F' AND Place <= (SELECT Place FROM Cut) GROUP BY FileSet)
         {COLUMNS} JOIN Good ON Good.JobId = Job.JobId JOIN Newest ON Newest.FileSet = Good.FileSet
         WHERE Good.Place >= Newest.Place AND Good.Place <= (SELECT Place FROM Cut)
             AND (CAST(?3 AS TEXT) IS NULL OR Good.FileSet = CAST(?3 AS TEXT))
         ORDER BY Good.Place, Job.JobId"
    );
    let ForRestore { client, name, file_set, before, now } = *which;
    all(t, &sql, &values![client, before, file_set, name, now], job).map(CatalogAnswer::Jobs)
}

pub(super) fn with_file(t: &mut dyn Session, client: &str, name: &[u8], limit: u32) -> Result<CatalogAnswer> {
    let sql = format!(
        "{COLUMNS} WHERE Client.Name = ?1 AND Job.Type = 'B' AND Job.JobStatus IN ('T', 'W')
             AND EXISTS (SELECT 1 FROM File WHERE File.JobId = Job.JobId AND File.Name = ?2 AND File.FileIndex > 0)
         ORDER BY Job.JobId DESC LIMIT ?3"
    );
    all(t, &sql, &values![client, name, limit], job).map(CatalogAnswer::Jobs)
}

pub(super) fn on_volume(t: &mut dyn Session, media_id: u32) -> Result<Vec<JobRow>> {
    let sql =
        format!("{COLUMNS} WHERE Job.JobId IN (SELECT JobId FROM JobMedia WHERE MediaId = ?1) ORDER BY Job.JobId");
    all(t, &sql, &values![media_id], job)
}

/// The good copies of the jobs on a volume.
pub(super) fn copies_of(t: &mut dyn Session, media_id: u32) -> Result<Vec<JobRow>> {
    let sql = format!(
        "{COLUMNS} WHERE Job.Type = 'C' AND Job.JobStatus IN ('T', 'W')
             AND Job.PriorJobId IN (SELECT JobId FROM JobMedia WHERE MediaId = ?1)"
    );
    all(t, &sql, &values![media_id], job)
}

/// The newest good Full of a client and of the fileset of this name.
pub(super) fn newest_full(t: &mut dyn Session, client_id: u32, file_set: &str) -> Result<Option<JobRow>> {
    let sql = format!(
        "{COLUMNS} WHERE Job.ClientId = ?1 AND FileSet.FileSet = ?2 AND Job.Type = 'B' AND Job.Level = 'F'
             AND Job.JobStatus IN ('T', 'W')
         ORDER BY {PLACE} DESC, Job.JobId DESC LIMIT 1"
    );
    Ok(all(t, &sql, &values![client_id, file_set], job)?.pop())
}

pub(super) fn mark_unfinished(t: &mut dyn Session, now: i64) -> Result<CatalogAnswer> {
    let sql = format!("UPDATE Job SET JobStatus = 'f', EndTime = ?1, RealEndTime = ?1 WHERE JobStatus NOT IN {ENDED}");
    t.execute(&sql, &values![now]).map(CatalogAnswer::Changed)
}

pub(super) fn add_logs(t: &mut dyn Session, lines: &[LogRow]) -> Result<CatalogAnswer> {
    for line in lines {
        let sql = "INSERT INTO Log (JobId, Time, LogText) VALUES (?1, ?2, ?3)";
        t.execute(sql, &values![line.job_id, line.time, &line.text])?;
    }
    Ok(CatalogAnswer::Done)
}

pub(super) fn log(t: &mut dyn Session, job_id: u32) -> Result<CatalogAnswer> {
    let sql = "SELECT Time, LogText FROM Log WHERE JobId = ?1 ORDER BY LogId";
    all(t, sql, &values![job_id], |row| Ok(LogRow { job_id, time: row.take()?, text: row.take()? }))
        .map(CatalogAnswer::Log)
}

fn changed_one(changed: u64, job_id: u32) -> Result<CatalogAnswer> {
    if changed == 0 { Err(missing(&format!("job {job_id}"))) } else { Ok(CatalogAnswer::Done) }
}

fn text(code: u8) -> Value {
    Value::Text(char::from(code).to_string())
}

fn code(row: &mut Row) -> Result<u8> {
    Ok(row.take::<String>()?.bytes().next().unwrap_or(b' '))
}

/// The columns in the order of [`COLUMNS`].
fn job(row: &mut Row) -> Result<JobRow> {
    Ok(JobRow {
        job_id: row.take()?,
        job: row.take()?,
        name: row.take()?,
        job_type: code(row)?,
        level: code(row)?,
        job_status: code(row)?,
        client_id: row.take()?,
        client: row.take()?,
        file_set_id: row.take()?,
        file_set: row.take()?,
        pool_id: row.take()?,
        pool: row.take()?,
        sched_time: row.take()?,
        start_time: row.take()?,
        end_time: row.take()?,
        real_end_time: row.take()?,
        job_t_date: row.take()?,
        vol_session_id: row.take()?,
        vol_session_time: row.take()?,
        job_files: row.take()?,
        job_bytes: row.take()?,
        read_bytes: row.take()?,
        job_errors: row.take()?,
        prior_job_id: row.take()?,
        origin: row.take()?,
        purged_files: row.take()?,
        comment: row.take()?,
    })
}
