//! The embedded engine: SQLite, one file, one connection.

mod files;
mod jobs;
mod media;
mod resources;
mod restore;

use super::files::Joiner;
use super::path_cache::PathCache;
use super::{Catalog, migrations};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use towline_core::role::director::catalog::{CatalogAnswer, CatalogError, CatalogErrorKind, CatalogRequest};

/// How long to wait for another program that has the file, such as a copy of the catalog being made.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// Memory for PathIds, in bytes.
const PATH_CACHE: usize = 32 << 20;
/// Prepared statements kept.
const STATEMENTS: usize = 64;

/// A catalog in a SQLite file.
pub struct SqliteCatalog {
    connection: Connection,
    paths: PathCache,
    /// Attributes that wait for their digest, by running job.
    joiners: BTreeMap<u32, Joiner>,
}

impl SqliteCatalog {
    /// Opens a catalog, makes it if there is none, and brings it to this version's schema. The directory must exist.
    ///
    /// # Errors
    /// `NewerSchema`, `Corrupt`, `Full`, or `Unavailable` if the file cannot be opened, is no catalog, or is in use.
    pub fn open(file: &Path) -> Result<Self, CatalogError> {
        let named = |e: CatalogError| CatalogError::new(e.kind, format!("{}: {}", file.display(), e.text));
        Connection::open(file).map_err(|e| failure(&e)).and_then(Self::prepare).map_err(named)
    }

    fn prepare(mut connection: Connection) -> Result<Self, CatalogError> {
        let set_up = |connection: &Connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            // The size of a page can only be chosen before the first one is written.
            connection.execute_batch(
                "PRAGMA page_size = 8192;
                 PRAGMA journal_mode = WAL;
                 PRAGMA synchronous = FULL;
                 PRAGMA foreign_keys = ON;
                 PRAGMA cache_size = -65536;
                 PRAGMA wal_autocheckpoint = 4096;",
            )
        };
        set_up(&connection).map_err(|e| failure(&e))?;
        migrations::migrate(&mut connection, migrations::STEPS)?;
        Ok(Self { connection, paths: PathCache::new(PATH_CACHE), joiners: BTreeMap::new() })
    }

    /// Whether the next commit waits for the disk.
    #[cfg(test)]
    pub(super) fn syncs(&self) -> bool {
        self.connection.query_row("PRAGMA synchronous", [], |row| row.get::<_, i64>(0)).unwrap() == 2
    }

    /// Lets the file grow to so many pages only, as on a full disk.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: Option<u32>) {
        let pages = pages.unwrap_or(u32::MAX >> 1);
        self.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    }
}

impl Catalog for SqliteCatalog {
    fn handle(&mut self, request: CatalogRequest) -> Result<CatalogAnswer, CatalogError> {
        let answer = match request {
            CatalogRequest::InsertFiles { job_id, batch } => return self.insert_files(job_id, &batch),
            CatalogRequest::EndJob(end) => return self.with_last_file(end.job_id, true, |t| jobs::end(t, &end)),
            CatalogRequest::CreateJobMedia(row) => {
                return self.with_last_file(row.job_id, false, |t| media::create_job_media(t, &row));
            }
            CatalogRequest::Checkpoint { job_id, job_files, job_bytes } => {
                return self.with_last_file(job_id, false, |t| jobs::checkpoint(t, job_id, job_files, job_bytes));
            }
            CatalogRequest::FilesForRestore { jobs, only } => restore::files(&self.connection, &jobs, &only),
            request => {
                let transaction = begin(&mut self.connection).map_err(|e| failure(&e))?;
                rows(&transaction, request).and_then(|answer| transaction.commit().map(|()| answer))
            }
        };
        answer.map_err(|e| failure(&e))
    }
}

/// Immediate, so that a busy file is found out at the beginning and not in the middle.
fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// Requests that need nothing but the tables.
fn rows(t: &Transaction<'_>, request: CatalogRequest) -> rusqlite::Result<CatalogAnswer> {
    match request {
        CatalogRequest::CreateJob(job) => jobs::create(t, &job),
        CatalogRequest::StartJob(start) => jobs::start(t, &start),
        CatalogRequest::AdoptOriginal(adopt) => jobs::adopt(t, &adopt),
        CatalogRequest::ListJobs(filter) => jobs::list(t, &filter),
        CatalogRequest::LastJobs { name, client_id, file_set_id } => jobs::last(t, &name, client_id, file_set_id),
        CatalogRequest::JobsForRestore { client, file_set, before } => {
            jobs::for_restore(t, &client, file_set.as_deref(), before)
        }
        CatalogRequest::MarkUnfinishedJobsFailed { now } => jobs::mark_unfinished(t, now),
        CatalogRequest::AddLogs(lines) => jobs::add_logs(t, &lines),
        CatalogRequest::JobLog { job_id } => jobs::log(t, job_id),
        CatalogRequest::EnsureClient(client) => resources::client(t, &client),
        CatalogRequest::EnsureFileSet(set) => resources::file_set(t, &set),
        CatalogRequest::EnsurePool(pool) => resources::pool(t, &pool),
        CatalogRequest::EnsureStorage { name, auto_changer } => resources::storage(t, &name, auto_changer),
        CatalogRequest::UpdateClientUname { client, uname } => resources::uname(t, &client, &uname),
        CatalogRequest::ListClients => resources::clients(t),
        CatalogRequest::VolumesOfPool { pool_id, media_type } => media::of_pool(t, pool_id, media_type.as_deref()),
        CatalogRequest::VolumeByName(name) => media::by_name(t, &name),
        CatalogRequest::CreateMedia(row) => media::create(t, &row),
        CatalogRequest::UpdateMedia(row) => media::update(t, &row),
        CatalogRequest::PruneVolume { media_id, before } => media::prune(t, media_id, before),
        CatalogRequest::ListMedia { pool } => media::list(t, pool.as_deref()),
        CatalogRequest::MaxMediaId => media::max_id(t),
        CatalogRequest::DeleteNullJobMedia { job_id } => media::delete_null(t, job_id),
        CatalogRequest::JobMediaOf { jobs } => media::pieces(t, &jobs),
        CatalogRequest::ListFiles { job_id, after, limit } => files::list(t, job_id, after, limit),
        CatalogRequest::KnownFiles { jobs, after, limit } => files::known(t, &jobs, after.as_ref(), limit),
        other => Err(rusqlite::Error::InvalidParameterName(format!("the engine does not know {other:?}"))),
    }
}

/// What an error of SQLite means.
pub(crate) fn failure(error: &rusqlite::Error) -> CatalogError {
    use CatalogErrorKind as Kind;
    let kind = match error {
        rusqlite::Error::SqliteFailure(e, _) => match e.code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Kind::Corrupt,
            ErrorCode::DiskFull => Kind::Full,
            ErrorCode::ConstraintViolation | ErrorCode::TooBig => Kind::Constraint,
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::CannotOpen
            | ErrorCode::SystemIoFailure
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::OutOfMemory
            | ErrorCode::FileLockingProtocolFailed => Kind::Unavailable,
            _ => Kind::Bug,
        },
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..) => Kind::Corrupt,
        rusqlite::Error::QueryReturnedNoRows => Kind::Constraint,
        _ => Kind::Bug,
    };
    CatalogError::new(kind, error.to_string())
}

/// A row that must be there is not: an id that nobody gave.
fn missing(what: &str) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CONSTRAINT),
        Some(format!("there is no {what}")),
    )
}

/// SQLite's integers are signed; no counter of a backup reaches the difference.
fn db(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Back from SQLite's integers.
fn un(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
