//! One connection to the server, used by one thread that waits for each answer; and noticing that none will come.
//!
//! Keepalives are answered by the server's machine, so they do not tell a server that hangs. An answer that takes long is no sign
//! either: some work takes an hour. So a second connection asks whether the server still serves, again and again, while the first
//! one waits.

use std::future::Future;
use std::io::{self, Read, Write};
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::ToSql;
use tokio_postgres::{
    Config, CopyInSink, CopyOutStream, Error, IsolationLevel, Row, SimpleQueryMessage, Statement, ToStatement,
};

use super::secure::Way;

/// How long an answer is waited for before the server is asked whether it serves, and how long it has to say so, unless
/// the configuration says how long it is dialled.
const PATIENCE: Duration = Duration::from_secs(10);

type Values<'v> = &'v [&'v (dyn ToSql + Sync)];

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// What the server says, or the connection.
    #[error(transparent)]
    Said(#[from] Error),
    /// Nothing in time, on a connection that stands.
    #[error("the server accepts connections and does not answer: it hangs")]
    Hangs,
    /// No runtime to wait with.
    #[error("cannot wait for the server: {0}")]
    System(io::Error),
}

impl Trouble {
    /// What the server says, if it says anything.
    pub(super) fn said(&self) -> Option<&DbError> {
        if let Self::Said(error) = self { error.as_db_error() } else { None }
    }

    /// The same as a code.
    pub(super) fn code(&self) -> Option<&SqlState> {
        self.said().map(DbError::code)
    }
}

type Result<T> = std::result::Result<T, Trouble>;

/// What waits for answers.
struct Waiter {
    runtime: Runtime,
    /// How to ask whether the server serves.
    config: Config,
    way: Way,
}

impl Waiter {
    /// Waits for an answer as long as the server serves.
    fn wait<T>(&self, answer: impl Future<Output = std::result::Result<T, Error>>) -> Result<T> {
        self.runtime.block_on(async {
            let mut answer = pin!(answer);
            loop {
                if let Ok(answered) = timeout(self.patience(), &mut answer).await {
                    return Ok(answered?);
                }
                if !self.serves().await {
                    return Err(Trouble::Hangs);
                }
            }
        })
    }

    fn patience(&self) -> Duration {
        patience(&self.config)
    }

    /// Whether the server lets another in, or says why not.
    async fn serves(&self) -> bool {
        let asked = timeout(self.patience(), self.config.connect(self.way.clone())).await;
        asked.is_ok_and(|asked| asked.map_or_else(|error| error.as_db_error().is_some(), |_| true))
    }
}

fn patience(config: &Config) -> Duration {
    config.get_connect_timeout().copied().unwrap_or(PATIENCE)
}

/// A connection. It is closed when it is dropped.
pub(super) struct Client {
    client: tokio_postgres::Client,
    waiter: Waiter,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// What the server or the way to it says; `Hangs` if it lets nobody in and does not say so.
    pub(super) fn connect(config: &Config, way: &Way) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build().map_err(Trouble::System)?;
        let (client, connection) = runtime.block_on(async {
            // A name may have several addresses.
            match timeout(patience(config) * 2, config.connect(way.clone())).await {
                Ok(connected) => Ok(connected?),
                Err(_) => Err(Trouble::Hangs),
            }
        })?;
        // It goes on whenever an answer is waited for; how it ends is told to whoever asks next.
        let _runs = runtime.spawn(async move { drop(connection.await) });
        Ok(Self { client, waiter: Waiter { runtime, config: config.clone(), way: way.clone() } })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(super) fn batch_execute(&self, sql: &str) -> Result<()> {
        self.waiter.wait(self.client.batch_execute(sql))
    }

    pub(super) fn execute(&self, sql: &str, with: Values<'_>) -> Result<u64> {
        self.waiter.wait(self.client.execute(sql, with))
    }

    pub(super) fn query_opt(&self, sql: &str, with: Values<'_>) -> Result<Option<Row>> {
        self.waiter.wait(self.client.query_opt(sql, with))
    }

    pub(super) fn transaction(&mut self) -> Result<Transaction<'_>> {
        let Self { client, waiter } = self;
        Ok(Transaction { transaction: waiter.wait(client.transaction())?, waiter })
    }

    /// A transaction that reads one picture of the tables.
    pub(super) fn picture(&mut self) -> Result<Transaction<'_>> {
        let Self { client, waiter } = self;
        let begin = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        Ok(Transaction { transaction: waiter.wait(begin.start())?, waiter })
    }
}

/// A transaction; rolled back when it is dropped.
pub(super) struct Transaction<'c> {
    transaction: tokio_postgres::Transaction<'c>,
    waiter: &'c Waiter,
}

impl Transaction<'_> {
    pub(super) fn commit(self) -> Result<()> {
        self.waiter.wait(self.transaction.commit())
    }

    pub(super) fn batch_execute(&self, sql: &str) -> Result<()> {
        self.waiter.wait(self.transaction.batch_execute(sql))
    }

    pub(super) fn prepare(&self, sql: &str) -> Result<Statement> {
        self.waiter.wait(self.transaction.prepare(sql))
    }

    pub(super) fn execute(&self, statement: &(impl ToStatement + ?Sized), with: Values<'_>) -> Result<u64> {
        self.waiter.wait(self.transaction.execute(statement, with))
    }

    pub(super) fn simple_query(&self, sql: &str) -> Result<Vec<SimpleQueryMessage>> {
        self.waiter.wait(self.transaction.simple_query(sql))
    }

    /// What a `COPY … TO STDOUT` gives.
    pub(super) fn copy_out(&self, sql: &str) -> Result<CopyOut<'_>> {
        let stream = self.waiter.wait(self.transaction.copy_out(sql))?;
        Ok(CopyOut { stream: Box::pin(stream), rest: Bytes::new(), waiter: self.waiter })
    }

    /// What takes the rows of a `COPY … FROM STDIN`.
    pub(super) fn copy_in(&self, sql: &str) -> Result<CopyIn<'_>> {
        let sink = self.waiter.wait(self.transaction.copy_in(sql))?;
        Ok(CopyIn { sink: Box::pin(sink), waiter: self.waiter })
    }
}

/// Whatever can be asked: a connection, or a transaction on it.
pub(super) trait Ask {
    fn query(&self, statement: &(impl ToStatement + ?Sized + Sync), with: Values<'_>) -> Result<Vec<Row>>;

    fn query_one(&self, statement: &(impl ToStatement + ?Sized + Sync), with: Values<'_>) -> Result<Row>;
}

impl Ask for Client {
    fn query(&self, statement: &(impl ToStatement + ?Sized + Sync), with: Values<'_>) -> Result<Vec<Row>> {
        self.waiter.wait(self.client.query(statement, with))
    }

    fn query_one(&self, statement: &(impl ToStatement + ?Sized + Sync), with: Values<'_>) -> Result<Row> {
        self.waiter.wait(self.client.query_one(statement, with))
    }
}

impl Ask for Transaction<'_> {
    fn query(&self, statement: &(impl ToStatement + ?Sized + Sync), with: Values<'_>) -> Result<Vec<Row>> {
        self.waiter.wait(self.transaction.query(statement, with))
    }

    fn query_one(&self, statement: &(impl ToStatement + ?Sized + Sync), with: Values<'_>) -> Result<Row> {
        self.waiter.wait(self.transaction.query_one(statement, with))
    }
}

/// Rows that the server copies out, as bytes.
pub(super) struct CopyOut<'t> {
    stream: Pin<Box<CopyOutStream>>,
    rest: Bytes,
    waiter: &'t Waiter,
}

impl Read for CopyOut<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            let Self { stream, rest, waiter } = self;
            match waiter.wait(async { stream.next().await.transpose() }).map_err(io::Error::other)? {
                Some(bytes) => *rest = bytes,
                None => return Ok(0),
            }
        }
        let have = room.len().min(self.rest.len());
        self.rest.split_to(have).copy_to_slice(&mut room[..have]);
        Ok(have)
    }
}

/// Takes rows for the server, as bytes.
pub(super) struct CopyIn<'t> {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    waiter: &'t Waiter,
}

impl CopyIn<'_> {
    /// All rows were given.
    pub(super) fn finish(mut self) -> Result<u64> {
        self.waiter.wait(self.sink.as_mut().finish())
    }
}

impl Write for CopyIn<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Self { sink, waiter } = self;
        waiter.wait(sink.send(Bytes::copy_from_slice(bytes))).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
