//! The embedded engine: SQLite, one file, one connection.

mod migrations;
mod session;

use super::engine::{Database, Done, Engine, Kind};
use super::path_cache::PathCache;
use super::rebuild::Rebuild;
use super::sql::{Result, Session};
use super::{Attempt, Catalog};
pub(in crate::catalog) use migrations::APPLICATION_ID;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use session::SqliteSession;
use std::path::Path;
use std::time::Duration;
use towline_core::catalog::{CatalogAnswer, CatalogError, CatalogErrorKind, CatalogRequest};

/// How long SQLite waits for another program that has the file, such as a copy of the catalog being made, before the
/// request is given back to be tried again.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// Memory for PathIds, in bytes.
const PATH_CACHE: usize = 32 << 20;
/// Prepared statements kept.
const STATEMENTS: usize = 64;

/// The newest version of the schema.
pub(in crate::catalog) fn version() -> i64 {
    i64::try_from(migrations::STEPS.len()).unwrap_or(i64::MAX)
}

/// A catalog in a SQLite file.
pub struct SqliteCatalog(Engine<SqliteDatabase>);

impl SqliteCatalog {
    /// Opens a catalog, makes it if there is none, and brings it to this version's schema. The directory must exist.
    ///
    /// # Errors
    /// `NewerSchema`, `Corrupt`, `Full`, or `Unavailable` if the file cannot be opened, is no catalog, or is in use.
    pub fn open(file: &Path) -> Result<Self> {
        let named = |e: CatalogError| CatalogError::new(e.kind, format!("{}: {}", file.display(), e.text));
        Connection::open(file).map_err(|e| failure(&e)).and_then(Self::prepare).map_err(named)
    }

    /// Whether another program has the file now, so that it cannot be read.
    #[must_use]
    pub fn is_locked(file: &Path) -> bool {
        let read = |connection: Connection| {
            connection.busy_timeout(Duration::ZERO)?;
            connection.query_row("SELECT COUNT(*) FROM sqlite_master", [], |_| Ok(()))?;
            connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")
        };
        let busy = |error: &rusqlite::Error| {
            matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(file, flags).and_then(read).is_err_and(|error| busy(&error))
    }

    fn prepare(mut connection: Connection) -> Result<Self> {
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
        Ok(Self(Engine::new(SqliteDatabase { connection, paths: PathCache::new(PATH_CACHE) })))
    }

    /// Whether the next commit waits for the disk.
    #[cfg(test)]
    pub(super) fn syncs(&self) -> bool {
        let connection = &self.0.database.connection;
        connection.query_row("PRAGMA synchronous", [], |row| row.get::<_, i64>(0)).unwrap() == 2
    }

    /// Lets the file grow to so many pages only, as on a full disk.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: Option<u32>) {
        let pages = pages.unwrap_or(u32::MAX >> 1);
        let connection = &self.0.database.connection;
        connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    }

    /// Waits less for another program that has the file.
    #[cfg(test)]
    pub(super) fn wait_when_busy(&self, time: Duration) {
        self.0.database.connection.busy_timeout(time).unwrap();
    }
}

impl Catalog for SqliteCatalog {
    fn handle(&mut self, request: &CatalogRequest, attempt: Attempt) -> Result<CatalogAnswer> {
        self.0.handle(request, attempt)
    }
}

impl Rebuild for SqliteCatalog {
    fn rebuild(&mut self, work: &mut dyn FnMut(&mut dyn Session) -> Result<()>) -> Result<()> {
        self.0.rebuild(work)
    }
}

struct SqliteDatabase {
    connection: Connection,
    paths: PathCache,
}

impl SqliteDatabase {
    /// Whether a commit waits for the disk. A crash never leaves half a transaction either way.
    fn sync_commits(&self, wait: bool) -> Result<()> {
        let mode = if wait { "FULL" } else { "NORMAL" };
        self.connection.pragma_update(None, "synchronous", mode).map_err(|e| failure(&e))
    }

    fn run(&mut self, kind: Kind, work: &mut dyn FnMut(&mut dyn Session) -> Result<()>) -> Result<()> {
        // Immediate, so that a busy file is found out at the beginning and not in the middle.
        let behavior = if kind == Kind::Read { TransactionBehavior::Deferred } else { TransactionBehavior::Immediate };
        let transaction = self.connection.transaction_with_behavior(behavior).map_err(|e| failure(&e))?;
        let done = work(&mut SqliteSession { connection: &transaction, paths: &mut self.paths })
            .and_then(|()| transaction.commit().map_err(|e| failure(&e)));
        if done.is_err() {
            self.paths.clear();
        }
        done
    }
}

impl Database for SqliteDatabase {
    /// The number says nothing here: a commit always says what came of it.
    fn transaction(
        &mut self,
        kind: Kind,
        _number: u64,
        work: &mut dyn FnMut(&mut dyn Session) -> Result<()>,
    ) -> Result<Done> {
        if kind != Kind::Files {
            return self.run(kind, work).map(|()| Done::Now);
        }
        // Files need not be on the disk at once: they count from the job's next piece on a volume or from its end, and
        // the commit of those syncs the journal with all that is in it.
        self.sync_commits(false)?;
        let done = self.run(kind, work);
        self.sync_commits(true)?;
        done.map(|()| Done::Now)
    }
}

/// What an error of SQLite means.
fn failure(error: &rusqlite::Error) -> CatalogError {
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
        _ => Kind::Bug,
    };
    CatalogError::new(kind, error.to_string())
}
