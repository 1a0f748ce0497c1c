//! One owner of a catalog at a time: a lock of the server that belongs to the connection and ends with it.

use tokio_postgres::Row;
use towline_core::catalog::{CatalogError, CatalogErrorKind};
use towline_core::config::Postgres;

use super::super::sql::Result;
use super::failure::failure;
use super::link::{Ask as _, Client};

/// `TwLo`: whoever owns the catalog holds this lock. That of the migrations (`TwLn`) is another.
const TRY: &str = "SELECT pg_try_advisory_lock(1417104495)";
/// The same, waiting as long as `lock_timeout` says.
const WAIT: &str = "SELECT pg_advisory_lock(1417104495)";
/// Who holds it in this database, since when it is connected, and from where; what the server does not tell is empty.
const HOLDER: &str = "SELECT l.pid, COALESCE((extract(epoch FROM a.backend_start) * 1000000)::BIGINT, 0),
         COALESCE(host(a.client_addr), '')
     FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = 1417104495 AND l.objsubid = 1
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";
/// This connection.
const OURSELVES: &str = "SELECT pid, COALESCE((extract(epoch FROM backend_start) * 1000000)::BIGINT, 0)
     FROM pg_stat_activity WHERE pid = pg_backend_pid()";
const END: &str = "SELECT pg_terminate_backend($1)";

/// The server's process for a connection, and when that began, in microseconds.
type Backend = (i32, i64);

/// The right to be the only one.
#[derive(Debug, Default)]
pub(super) struct Owner {
    /// The connection that had the lock last.
    last: Option<Backend>,
}

impl Owner {
    /// Takes the lock for a new connection. The one before may have broken without the server knowing: it is ended there.
    ///
    /// # Errors
    /// `Taken` if another director has it; what the server says otherwise.
    pub(super) fn own(&mut self, client: &Client, server: &Postgres) -> Result<()> {
        let got: bool = client.query_one(TRY, &[]).and_then(|row| Ok(row.try_get(0)?)).map_err(|e| failure(&e))?;
        if !got {
            match client.query_opt(HOLDER, &[]).map_err(|e| failure(&e))? {
                Some(row) if self.last != Some(backend(&row)?) => return Err(taken(&row, server)?),
                Some(row) => {
                    let (process, _) = backend(&row)?;
                    client.execute(END, &[&process]).map_err(|e| failure(&e))?;
                }
                // It has just gone.
                None => {}
            }
            client.execute(WAIT, &[]).map_err(|e| failure(&e))?;
        }
        let ourselves = client.query_one(OURSELVES, &[]).map_err(|e| failure(&e))?;
        self.last = Some(backend(&ourselves)?);
        Ok(())
    }
}

fn backend(row: &Row) -> Result<Backend> {
    let read = |e: tokio_postgres::Error| failure(&e);
    Ok((row.try_get(0).map_err(read)?, row.try_get(1).map_err(read)?))
}

/// Another has it.
fn taken(row: &Row, server: &Postgres) -> Result<CatalogError> {
    let (process, _) = backend(row)?;
    let address: String = row.try_get(2).map_err(|e| failure(&e))?;
    let from = if address.is_empty() { String::new() } else { format!(" from {address}") };
    let Postgres { host, port, database, .. } = server;
    let text =
        format!("{host} port {port}, database {database}: another director has it{from}, server process {process}");
    Ok(CatalogError::new(CatalogErrorKind::Taken, text))
}
