//! Statements of a transaction on SQLite.

use std::sync::mpsc::{RecvTimeoutError, channel};

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};
use towline_core::catalog::{CatalogError, CatalogErrorKind};
use towline_core::printable;

use super::super::files::FileEntry;
use super::super::path_cache::PathCache;
use super::super::sql::{Answered, Dialect, QUERY_PATIENCE, Result, Row, Session, Value, must_ask, refused};
use super::failure;

static DIALECT: Dialect = Dialect {
    path_is: "Path = ?1",
    child_is: "child.Path = CAST(p.Path || f.Name || '/' AS BLOB)",
    name_is_like: "CAST(File.Name AS TEXT) LIKE ?5",
    highest_media_id: "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'Media'",
    follow_jobs: None,
    highest_job_id: "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'Job'",
    raise_job_id: "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'Job'",
};

pub(super) struct SqliteSession<'t> {
    pub(super) connection: &'t Connection,
    pub(super) paths: &'t mut PathCache,
}

impl SqliteSession<'_> {
    fn store(&mut self, job_id: u32, file: &FileEntry<'_>) -> rusqlite::Result<()> {
        let path_id = self.path_id(file.path)?;
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO File (JobId, PathId, Name, FileIndex, LinkFI, DeltaSeq, LStat, Md5)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                job_id,
                path_id,
                file.name,
                file.file_index,
                file.link_fi,
                file.delta_seq,
                file.lstat,
                file.md5
            ])?;
        Ok(())
    }

    fn path_id(&mut self, path: &[u8]) -> rusqlite::Result<i64> {
        if let Some(id) = self.paths.find(path) {
            return Ok(id);
        }
        let mut find = self.connection.prepare_cached("SELECT PathId FROM Path WHERE Path = ?1")?;
        let id = match find.query_row([path], |row| row.get(0)).optional()? {
            Some(id) => id,
            None => {
                let mut add = self.connection.prepare_cached("INSERT INTO Path (Path) VALUES (?1) RETURNING PathId")?;
                add.query_row([path], |row| row.get(0))?
            }
        };
        self.paths.insert(path, id);
        Ok(id)
    }

    fn rows(&self, sql: &str, with: &[Value]) -> rusqlite::Result<Vec<Vec<Option<Value>>>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let width = statement.column_count();
        let rows = statement.query_map(params_from_iter(with), |row| {
            (0..width).map(|column| row.get_ref(column).map(value)).collect()
        })?;
        rows.collect()
    }
}

impl Session for SqliteSession<'_> {
    fn execute(&mut self, sql: &str, with: &[Value]) -> Result<u64> {
        let changed = self.connection.prepare_cached(sql).and_then(|mut s| s.execute(params_from_iter(with)));
        changed.map(|rows| rows as u64).map_err(|e| failure(&e))
    }

    fn query(&mut self, sql: &str, with: &[Value]) -> Result<Vec<Row>> {
        let rows = self.rows(sql, with).map_err(|e| failure(&e))?;
        let whole = |columns: Vec<Option<Value>>| columns.into_iter().collect::<Option<Vec<_>>>().map(Row::new);
        rows.into_iter().map(whole).collect::<Option<Vec<_>>>().ok_or_else(|| {
            CatalogError::new(CatalogErrorKind::Corrupt, "a row holds what was never stored: a fraction or no text")
        })
    }

    fn put_file(&mut self, job_id: u32, file: &FileEntry<'_>) -> Result<()> {
        self.store(job_id, file).map_err(|e| failure(&e))
    }

    fn flush_files(&mut self) -> Result<()> {
        Ok(())
    }

    fn read_only(&mut self, sql: &str, limit: u32) -> Result<Answered> {
        let sql = sql.trim().trim_end_matches(';');
        must_ask(sql)?;
        let mut statement = self.connection.prepare(sql).map_err(refused)?;
        if !statement.readonly() {
            return Err(refused("it would change the catalog"));
        }
        // The result of a function is called as the function is, as PostgreSQL has it: `count`, not `count(*)`.
        let head = |name: &str| name.split('(').next().unwrap_or(name).trim().to_lowercase();
        let heads: Vec<String> = statement.column_names().map(head).collect();
        // Whoever holds this ends the watch by dropping it.
        let (watched, done) = channel::<()>();
        let interrupt = self.connection.get_interrupt_handle();
        let watch = std::thread::spawn(move || {
            if done.recv_timeout(QUERY_PATIENCE) == Err(RecvTimeoutError::Timeout) {
                interrupt.interrupt();
            }
        });
        let row = |row: &rusqlite::Row<'_>| (0..heads.len()).map(|at| row.get_ref(at).map(shown)).collect();
        let rows = statement.query_map([], row).and_then(|rows| rows.take(limit as usize).collect());
        drop(watched);
        // It may have begun to interrupt: no later statement shall be hit.
        let ended = watch.join();
        drop(statement);
        let rows = rows.map_err(refused)?;
        ended.map(|()| (heads, rows)).map_err(|_| refused("nobody could watch over it"))
    }

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }
}

/// A column as text.
fn shown(column: ValueRef<'_>) -> String {
    match column {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => printable::name(bytes),
    }
}

/// A column as one of our values, if it is one.
fn value(column: ValueRef<'_>) -> Option<Value> {
    match column {
        ValueRef::Null => Some(Value::Null),
        ValueRef::Integer(number) => Some(Value::Int(number)),
        ValueRef::Real(_) => None,
        ValueRef::Text(text) => String::from_utf8(text.to_vec()).ok().map(Value::Text),
        ValueRef::Blob(bytes) => Some(Value::Bytes(bytes.to_vec())),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
