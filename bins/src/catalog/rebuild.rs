//! Rows that are known from elsewhere: what is read from volumes goes into a catalog with the numbers it has there.
//!
//! What a catalog has already stays as it is; only what is missing is added.

use towline_core::catalog::{ClientSpec, JobRow, PoolRow};

use super::Catalog;
use super::engine::{Database, Engine, Kind};
use super::sql::{Result, Session, Value, scalar, values};

/// An engine that also takes rows as they are.
pub(crate) trait Rebuild: Catalog {
    /// Does work of several statements in one transaction.
    ///
    /// # Errors
    /// What the engine says; nothing is stored then.
    fn rebuild(&mut self, work: &mut dyn FnMut(&mut dyn Session) -> Result<()>) -> Result<()>;
}

impl<D: Database> Rebuild for Engine<D> {
    fn rebuild(&mut self, work: &mut dyn FnMut(&mut dyn Session) -> Result<()>) -> Result<()> {
        let number = self.next_number();
        self.database.transaction(Kind::Write, number, work).map(drop)
    }
}

/// One value out of a transaction.
///
/// # Errors
/// What the engine says.
pub(crate) fn take<T>(
    catalog: &mut dyn Rebuild,
    mut work: impl FnMut(&mut dyn Session) -> Result<T>,
) -> Result<Option<T>> {
    let mut taken = None;
    catalog.rebuild(&mut |t| {
        taken = Some(work(t)?);
        Ok(())
    })?;
    Ok(taken)
}

/// The number of a client, who is added if there is none of this name.
///
/// # Errors
/// What the engine says.
pub(crate) fn client(t: &mut dyn Session, client: &ClientSpec) -> Result<u32> {
    t.execute(
        "INSERT INTO Client (Name, AutoPrune, FileRetention, JobRetention) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (Name) DO NOTHING",
        &values![&client.name, client.auto_prune, client.file_retention, client.job_retention],
    )?;
    scalar(t, "SELECT ClientId FROM Client WHERE Name = ?1", &values![&client.name])
}

/// The number of a fileset of this content, likewise.
///
/// # Errors
/// What the engine says.
pub(crate) fn file_set(t: &mut dyn Session, name: &str, md5: &str, time: i64) -> Result<u32> {
    t.execute(
        "INSERT INTO FileSet (FileSet, FileSetText, MD5, CreateTime) VALUES (?1, '', ?2, ?3)
         ON CONFLICT (FileSet, MD5) DO NOTHING",
        &values![name, md5, time],
    )?;
    scalar(t, "SELECT FileSetId FROM FileSet WHERE FileSet = ?1 AND MD5 = ?2", &values![name, md5])
}

/// The number of a pool, likewise.
///
/// # Errors
/// What the engine says.
pub(crate) fn pool(t: &mut dyn Session, pool: &PoolRow) -> Result<u32> {
    t.execute(
        "INSERT INTO Pool (Name, MaxVols, UseCatalog, VolRetention, VolUseDuration, MaxVolJobs, MaxVolBytes, AutoPrune,
             Recycle, PoolType, LabelFormat)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (Name) DO NOTHING",
        &values![
            &pool.name,
            pool.max_vols,
            pool.use_catalog,
            pool.vol_retention,
            pool.vol_use_duration,
            pool.max_vol_jobs,
            pool.max_vol_bytes,
            pool.auto_prune,
            pool.recycle,
            &pool.pool_type,
            pool.label_format.as_deref().unwrap_or("*"),
        ],
    )?;
    scalar(t, "SELECT PoolId FROM Pool WHERE Name = ?1", &values![&pool.name])
}

/// The number of a storage, likewise; 0 for none.
///
/// # Errors
/// What the engine says.
pub(crate) fn storage(t: &mut dyn Session, name: &str) -> Result<u32> {
    if name.is_empty() {
        return Ok(0);
    }
    t.execute("INSERT INTO Storage (Name, AutoChanger) VALUES (?1, 0) ON CONFLICT (Name) DO NOTHING", &values![name])?;
    scalar(t, "SELECT StorageId FROM Storage WHERE Name = ?1", &values![name])
}

/// Adds a job with its number. The names in the row do not count, its ids do.
///
/// # Errors
/// What the engine says, also if the number or the name is taken.
pub(crate) fn job(t: &mut dyn Session, row: &JobRow) -> Result<()> {
    let letter = |code: u8| Value::Text(char::from(code).to_string());
    t.execute(
        "INSERT INTO Job (JobId, Job, Name, Type, Level, JobStatus, ClientId, FileSetId, PoolId, SchedTime, StartTime,
             EndTime, RealEndTime, JobTDate, VolSessionId, VolSessionTime, JobFiles, JobBytes, ReadBytes, JobErrors,
             PriorJobId, OriginJobId, PurgedFiles, Comment)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
             ?24)",
        &[
            row.job_id.into(),
            (&row.job).into(),
            (&row.name).into(),
            letter(row.job_type),
            letter(row.level),
            letter(row.job_status),
            row.client_id.into(),
            row.file_set_id.into(),
            row.pool_id.into(),
            row.sched_time.into(),
            row.start_time.into(),
            row.end_time.into(),
            row.real_end_time.into(),
            row.job_t_date.into(),
            row.vol_session_id.into(),
            row.vol_session_time.into(),
            row.job_files.into(),
            row.job_bytes.into(),
            row.read_bytes.into(),
            row.job_errors.into(),
            row.prior_job_id.into(),
            row.origin.into(),
            row.purged_files.into(),
            (&row.comment).into(),
        ],
    )?;
    // The next job of a director has a number after this one.
    match t.dialect().follow_jobs {
        Some(sql) => t.query(sql, &[]).map(drop),
        None => Ok(()),
    }
}

/// All files of a job are stored: what is told of their folders is learned anew, and the row says how the job ended.
///
/// # Errors
/// What the engine says.
pub(crate) fn complete(t: &mut dyn Session, job_id: u32, status: Option<u8>) -> Result<()> {
    super::rows::browse::forget(t, job_id)?;
    t.execute("UPDATE Job SET PurgedFiles = 0 WHERE JobId = ?1", &values![job_id])?;
    if let Some(status) = status {
        let status = Value::Text(char::from(status).to_string());
        t.execute("UPDATE Job SET JobStatus = ?2 WHERE JobId = ?1", &[job_id.into(), status])?;
    }
    Ok(())
}

/// Puts a job before others that have lower numbers but newer files: its times become those of its files.
///
/// # Errors
/// What the engine says.
pub(crate) fn place(t: &mut dyn Session, job_id: u32, origin: u32, time: i64) -> Result<()> {
    t.execute(
        "UPDATE Job SET OriginJobId = ?2, SchedTime = ?3, StartTime = ?3, EndTime = ?3, JobTDate = ?3 WHERE JobId = ?1",
        &values![job_id, origin, time],
    )?;
    Ok(())
}
