//! Statements of a transaction on PostgreSQL.

use std::collections::BTreeMap;

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{SimpleQueryMessage, Statement};
use towline_core::catalog::{CatalogError, CatalogErrorKind};

use super::super::files::FileEntry;
use super::super::path_cache::PathCache;
use super::super::sql::{Answered, Dialect, QUERY_PATIENCE, Result, Row, Session, Value, must_ask, refused};
use super::failure::failure;
use super::files::Pending;
use super::link::{Ask as _, Transaction, Trouble};

static DIALECT: Dialect = Dialect {
    path_is: "sha256(Path) = sha256(?1)",
    child_is: "sha256(child.Path) = sha256(p.Path || f.Name || '/'::bytea)",
    // Bytes beyond ASCII come out as octal numbers, which no pattern names.
    name_is_like: "encode(File.Name, 'escape') ILIKE ?5",
    highest_media_id: "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM media_mediaid_seq",
    follow_jobs: Some(
        "SELECT setval('job_jobid_seq', GREATEST((SELECT MAX(JobId) FROM Job), (SELECT last_value FROM job_jobid_seq)))",
    ),
    highest_job_id: "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM job_jobid_seq",
    raise_job_id: "SELECT setval('job_jobid_seq', ?1)",
};

/// Statements that the server keeps prepared; of lists with many filters there could be more.
const MOST_STATEMENTS: usize = 256;

pub(super) struct PostgresSession<'t> {
    transaction: Transaction<'t>,
    statements: &'t mut BTreeMap<String, Statement>,
    paths: &'t mut PathCache,
    pending: Pending,
}

impl<'t> PostgresSession<'t> {
    pub(super) fn new(
        transaction: Transaction<'t>,
        statements: &'t mut BTreeMap<String, Statement>,
        paths: &'t mut PathCache,
    ) -> Self {
        Self { transaction, statements, paths, pending: Pending::default() }
    }

    /// Claims the number of a request for this transaction; `false` if a transaction with it has been committed. One
    /// that is still under way on the server is waited for.
    pub(super) fn claim(&mut self, writer: i64, number: u64) -> Result<bool> {
        let sql = "INSERT INTO Receipt (Writer, Number) VALUES (?1, ?2)
                   ON CONFLICT (Writer) DO UPDATE SET Number = ?2, Time = now() WHERE Receipt.Number < ?2";
        self.execute(sql, &[Value::from(writer), Value::from(number)]).map(|claimed| claimed == 1)
    }

    pub(super) fn commit(self) -> Result<()> {
        self.transaction.commit().map_err(|e| failure(&e))
    }

    fn prepared(&mut self, sql: &str) -> Result<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= MOST_STATEMENTS {
            self.statements.clear();
        }
        let statement = self.transaction.prepare(&sql.replace('?', "$")).map_err(|e| failure(&e))?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Session for PostgresSession<'_> {
    fn execute(&mut self, sql: &str, with: &[Value]) -> Result<u64> {
        let statement = self.prepared(sql)?;
        self.transaction.execute(&statement, &places(with)).map_err(|e| failure(&e))
    }

    fn query(&mut self, sql: &str, with: &[Value]) -> Result<Vec<Row>> {
        let statement = self.prepared(sql)?;
        let rows = self.transaction.query(&statement, &places(with)).map_err(|e| failure(&e))?;
        rows.iter().map(row).collect()
    }

    fn put_file(&mut self, job_id: u32, file: &FileEntry<'_>) -> Result<()> {
        self.pending.push(job_id, file);
        if self.pending.is_full() { self.flush_files() } else { Ok(()) }
    }

    fn flush_files(&mut self) -> Result<()> {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return Ok(());
        }
        let (path_statement, file_statement) =
            (self.prepared(super::files::PATHS)?, self.prepared(super::files::FILES)?);
        pending.store(&self.transaction, self.paths, &path_statement, &file_statement)
    }

    fn read_only(&mut self, sql: &str, limit: u32) -> Result<Answered> {
        let sql = sql.trim().trim_end_matches(';');
        must_ask(sql)?;
        let patience = format!("SET LOCAL statement_timeout = {}", QUERY_PATIENCE.as_millis());
        self.transaction.batch_execute(&patience).map_err(|e| failure(&e))?;
        // Only one statement can be prepared; without a place in it, it can be said as text then.
        let prepared = self.transaction.prepare(sql).map_err(|e| said(&e))?;
        if !prepared.params().is_empty() {
            return Err(refused("it has places for values"));
        }
        let heads = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
        let cursor = format!("DECLARE Question NO SCROLL CURSOR FOR {sql}");
        // A statement such as EXPLAIN has no cursor.
        let is_table = !sql.get(..7).is_some_and(|word| word.eq_ignore_ascii_case("explain"));
        let messages = if is_table {
            self.transaction.batch_execute(&cursor).map_err(|e| said(&e))?;
            self.transaction.simple_query(&format!("FETCH {limit} FROM Question"))
        } else {
            self.transaction.simple_query(sql)
        };
        let mut rows = Vec::new();
        for message in messages.map_err(|e| said(&e))? {
            if let SimpleQueryMessage::Row(row) = message {
                rows.push((0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned()).collect());
            }
        }
        Ok((heads, rows))
    }

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }
}

/// What the server says of an operator's statement, unless it is gone.
fn said(error: &Trouble) -> CatalogError {
    match error.said() {
        Some(said) => refused(said.message()),
        None => failure(error),
    }
}

fn places(with: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    with.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn row(row: &tokio_postgres::Row) -> Result<Row> {
    row.columns()
        .iter()
        .enumerate()
        .map(|(at, column)| value(row, at, column.type_()))
        .collect::<Result<_>>()
        .map(Row::new)
}

fn value(row: &tokio_postgres::Row, at: usize, kind: &Type) -> Result<Value> {
    let read = match *kind {
        Type::INT8 => row.try_get::<_, Option<i64>>(at).map(|v| v.map(Value::Int)),
        Type::INT4 => row.try_get::<_, Option<i32>>(at).map(|v| v.map(Value::from)),
        Type::TEXT => row.try_get::<_, Option<String>>(at).map(|v| v.map(Value::Text)),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at).map(|v| v.map(Value::Bytes)),
        _ => {
            let text = format!("a column of type {kind}, which is none of ours");
            return Err(CatalogError::new(CatalogErrorKind::Corrupt, text));
        }
    };
    read.map(|value| value.unwrap_or(Value::Null)).map_err(|e| failure(&e))
}

type Encoded = std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>>;

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Encoded {
        match (self, kind) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(number), &Type::INT8) => number.to_sql(kind, out),
            (Self::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(kind, out),
            // The server's text may not hold a zero byte, and what a peer says may.
            (Self::Text(text), &Type::TEXT) if text.contains('\0') => text.replace('\0', "\u{fffd}").to_sql(kind, out),
            (Self::Text(text), &Type::TEXT) => text.to_sql(kind, out),
            _ => Err(format!("a place of type {kind} is given something else").into()),
        }
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
