//! The engine for a PostgreSQL server: one connection (number 12), made again when it breaks.
//!
//! ```text
//!   transaction(number) --> connect, unless connected --> BEGIN --> claim number --> work --> COMMIT
//!                               |                                      |
//!                               +-- version, encoding, lock, schema          +-- taken: it was committed before
//! ```

mod connect;
pub(super) mod copy;
mod failure;
mod files;
mod link;
mod migrations;
mod owner;
mod secure;
mod session;

use std::collections::BTreeMap;

use tokio_postgres::Statement;
use towline_core::catalog::{CatalogAnswer, CatalogError, CatalogErrorKind, CatalogRequest};
use towline_core::config::Postgres;

use super::engine::{Database, Done, Engine, Kind};
use super::path_cache::PathCache;
use super::rebuild::Rebuild;
use super::sql::{Result, Session};
use super::{Attempt, Catalog};
use failure::failure;
use link::{Client, Transaction, Trouble};
use owner::Owner;
use session::PostgresSession;

/// Memory for PathIds, in bytes.
const PATH_CACHE: usize = 32 << 20;

/// A catalog in a database of a PostgreSQL server.
pub struct PostgresCatalog(Engine<PostgresDatabase>);

impl PostgresCatalog {
    /// Connects to the server, makes the tables if the database is empty, and brings them to this version's schema.
    ///
    /// # Errors
    /// `Unreachable`, `Denied`, `Unsuitable`, `NewerSchema`; `Unavailable` when the system has no random bytes.
    pub fn open(server: &Postgres) -> Result<Self> {
        Self::begin(server, None)
    }

    /// The same as its only owner, until it is dropped. Comes before anything is written; after a broken connection the
    /// first request is the owner's only if nobody else has become it meanwhile.
    ///
    /// # Errors
    /// `Taken` if there is another owner; those of [`open`](Self::open).
    pub fn open_as_owner(server: &Postgres) -> Result<Self> {
        Self::begin(server, Some(Owner::default()))
    }

    fn begin(server: &Postgres, owner: Option<Owner>) -> Result<Self> {
        let writer = getrandom::u64()
            .map_err(|error| CatalogError::new(CatalogErrorKind::Unavailable, format!("no random bytes: {error}")))?;
        let mut database = PostgresDatabase {
            server: server.clone(),
            owner,
            connected: None,
            paths: PathCache::new(PATH_CACHE),
            // The sign is of no use to anybody; without it the number is the same in every tool.
            writer: i64::try_from(writer >> 1).unwrap_or(0),
        };
        let connected = database.connected()?;
        connected.client.batch_execute(FORGET_OLD_RECEIPTS).map_err(|e| failure(&e))?;
        Ok(Self(Engine::new(database)))
    }
}

/// A director asks for a receipt within minutes or never.
const FORGET_OLD_RECEIPTS: &str = "DELETE FROM Receipt WHERE Time < now() - INTERVAL '1 day'";

impl Catalog for PostgresCatalog {
    fn handle(&mut self, request: &CatalogRequest, attempt: Attempt) -> Result<CatalogAnswer> {
        self.0.handle(request, attempt)
    }
}

impl Rebuild for PostgresCatalog {
    fn rebuild(&mut self, work: &mut dyn FnMut(&mut dyn Session) -> Result<()>) -> Result<()> {
        self.0.rebuild(work)
    }
}

struct PostgresDatabase {
    server: Postgres,
    /// If only one may use the database, and this is the one.
    owner: Option<Owner>,
    connected: Option<Connected>,
    paths: PathCache,
    /// Tells this run of the director from all others.
    writer: i64,
}

/// A connection, and the statements the server has prepared for it.
struct Connected {
    client: Client,
    statements: BTreeMap<String, Statement>,
}

impl PostgresDatabase {
    fn connected(&mut self) -> Result<&mut Connected> {
        if self.connected.as_ref().is_some_and(|connected| connected.client.is_closed()) {
            self.connected = None;
        }
        match &mut self.connected {
            Some(connected) => Ok(connected),
            none => {
                let mut client = connect::connect(&self.server)?;
                if let Some(owner) = &mut self.owner {
                    owner.own(&client, &self.server)?;
                }
                migrations::migrate(&mut client, migrations::STEPS)?;
                Ok(none.insert(Connected { client, statements: BTreeMap::new() }))
            }
        }
    }

    fn run(&mut self, kind: Kind, number: u64, work: &mut dyn FnMut(&mut dyn Session) -> Result<()>) -> Result<Done> {
        let writer = self.writer;
        self.connected()?;
        let Self { connected: Some(Connected { client, statements }), paths, .. } = self else {
            return Err(CatalogError::new(CatalogErrorKind::Bug, "not connected after connecting"));
        };
        let transaction = begin(client, kind).map_err(|e| failure(&e))?;
        let mut session = PostgresSession::new(transaction, statements, paths);
        if kind == Kind::Write && !session.claim(writer, number)? {
            return Ok(Done::Before);
        }
        work(&mut session)?;
        session.commit().map(|()| Done::Now)
    }
}

fn begin(client: &mut Client, kind: Kind) -> std::result::Result<Transaction<'_>, Trouble> {
    match kind {
        Kind::Read => client.picture(),
        Kind::Files | Kind::Write => client.transaction(),
    }
}

impl Database for PostgresDatabase {
    fn transaction(
        &mut self,
        kind: Kind,
        number: u64,
        work: &mut dyn FnMut(&mut dyn Session) -> Result<()>,
    ) -> Result<Done> {
        let done = self.run(kind, number, work);
        if let Err(error) = &done {
            self.paths.clear();
            if error.kind == CatalogErrorKind::Unreachable {
                self.connected = None;
            }
        }
        done
    }
}
