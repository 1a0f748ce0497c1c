//! Connecting to the server, and what it must be like.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use towline_core::catalog::{CatalogError, CatalogErrorKind};
use towline_core::config::{Postgres, PostgresTls};

use super::super::sql::Result;
use super::failure::failure;
use super::link::{Ask as _, Client};
use super::secure::Way;

/// The oldest server that has all we use, as in `server_version_num`.
const OLDEST_SERVER: i64 = 130_000;
/// Keepalives without an answer until the connection counts as dead.
const PROBES: u32 = 2;

/// What holds for all transactions. A lock that is not given in time belongs to a connection that broke and that the
/// server has not given up yet; such a one is ended on its side as soon. An answered commit is on the disk.
const SETTINGS: &str = "SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '60s';
    SET tcp_keepalives_idle = 10;
    SET tcp_keepalives_interval = 10;
    SET tcp_keepalives_count = 3;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// Connects.
///
/// # Errors
/// `Unreachable`, `Denied`, `Unsuitable`, `Untrusted`, `Misnamed`, `Plain`.
pub(super) fn connect(server: &Postgres) -> Result<Client> {
    let named = |error: CatalogError| {
        let text = format!("{} port {}, database {}: {}", server.host, server.port, server.database, error.text);
        CatalogError::new(error.kind, text)
    };
    let connected = Way::of(server).and_then(|way| Client::connect(&settings(server), &way).map_err(|e| failure(&e)));
    connected.and_then(prepared).map_err(named)
}

fn settings(server: &Postgres) -> Config {
    let mut config = Config::new();
    config
        .host(&server.host)
        .port(server.port)
        .dbname(&server.database)
        .user(&server.user)
        .application_name("towline-dir")
        .ssl_mode(if server.tls == PostgresTls::Disable { SslMode::Disable } else { SslMode::Require })
        .connect_timeout(server.connect_timeout.duration());
    if let Some(password) = &server.password {
        config.password(password.clear().expose());
    }
    let interval = server.heartbeat_interval.duration();
    config.keepalives(true);
    if !interval.is_zero() {
        // As on every other connection: a dead peer is noticed within three intervals, whether something was sent or not.
        config.keepalives_idle(interval).keepalives_interval(interval).keepalives_retries(PROBES);
        config.tcp_user_timeout(interval * (PROBES + 1) + Duration::from_secs(1));
    }
    config
}

fn prepared(client: Client) -> Result<Client> {
    let row = client
        .query_one(
            "SELECT current_setting('server_version_num')::BIGINT, current_setting('server_version'),
                 pg_encoding_to_char(encoding)::TEXT FROM pg_database WHERE datname = current_database()",
            &[],
        )
        .map_err(|e| failure(&e))?;
    let read = |e: tokio_postgres::Error| failure(&e);
    let (number, version): (i64, String) = (row.try_get(0).map_err(read)?, row.try_get(1).map_err(read)?);
    let encoding: String = row.try_get(2).map_err(read)?;
    if number < OLDEST_SERVER {
        let text = format!("the server is PostgreSQL {version}");
        return Err(CatalogError::new(CatalogErrorKind::Unsuitable, text));
    }
    // Bareos makes its database so; whether it is one is seen when the schema is.
    if encoding != "UTF8" && encoding != "SQL_ASCII" {
        let text = format!("the database is encoded in {encoding}");
        return Err(CatalogError::new(CatalogErrorKind::Unsuitable, text));
    }
    client.batch_execute(SETTINGS).map_err(|e| failure(&e))?;
    Ok(client)
}
