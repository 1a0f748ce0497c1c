//! Where the director keeps what was saved where.

use serde::{Deserialize, Serialize};

use super::password::Password;
use super::resource::resources;
use super::units::Seconds;
use crate::address::is_this_machine;
use crate::wire::names::CATALOG;

/// The database of the catalog. SQLite needs nothing else; PostgreSQL serves many clients and several readers at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Catalog {
    /// An SQLite file.
    Sqlite(Sqlite),
    /// A PostgreSQL server.
    Postgres(Postgres),
}

resources! {
    /// An SQLite file, the director's own.
    Sqlite {
        /// The file, relative to the folder of the configuration file.
        path: String,
        /// The catalog's name, for clients, pools and jobs that name it, and for consoles.
        name: String = CATALOG.to_owned(),
        /// A note for people.
        description: Option<String> = None,
        /// How long requests are tried again while another program has the file, in seconds. Jobs wait meanwhile.
        retry_for: Seconds = RETRY_FOR,
    }

    /// A database of a PostgreSQL server, 13 or later. The database is made beforehand, empty, with encoding UTF8, and
    /// belongs to the user; the director makes the tables.
    ///
    /// Without `tls` the server must be on the director's own machine: a Unix socket (`host` begins with `/`), `localhost` or
    /// a loopback address. Any other host is refused then, unless `clear_text` says that the way there is protected otherwise,
    /// such as by a tunnel.
    Postgres {
        /// The catalog's name, for clients, pools and jobs that name it, and for consoles.
        name: String = CATALOG.to_owned(),
        /// A note for people.
        description: Option<String> = None,
        /// The folder of the server's Unix socket, such as `/run/postgresql`, or the server's host name or IP address.
        host: String = "/run/postgresql".to_owned(),
        /// TCP port of the server; also part of the name of its Unix socket.
        port: u16 = 5432,
        /// The database.
        database: String = "towline".to_owned(),
        /// The user. A Unix socket often needs the system user of the same name.
        user: String = "towline".to_owned(),
        /// The user's password, as it is (no `[md5]` form); `None` if the server asks for none.
        password: Option<Password> = None,
        /// Whether a host that is not this machine may be dialled, in clear text.
        clear_text: bool = false,
        /// How connections to the server are protected. A Unix socket has no TLS.
        tls: PostgresTls = PostgresTls::Disable,
        /// A file with the certificates of the authorities that `verify_full` trusts, in PEM; `None` for those of the system.
        tls_ca: Option<String> = None,
        /// How long the server is dialled, in seconds. So long it may also be silent before it is asked on a second connection
        /// whether it serves, and so long may that answer take: then it hangs, and the request is tried again.
        connect_timeout: Seconds = Seconds::secs(10),
        /// Seconds between TCP keepalives to the server, 0 for the system's default. A server that is gone is noticed
        /// within three of them.
        heartbeat_interval: Seconds = Seconds::secs(10),
        /// How long requests are tried again while the server cannot be reached, in seconds. Jobs wait meanwhile.
        retry_for: Seconds = RETRY_FOR,
    }
}

/// TLS to a PostgreSQL server, with the names of `sslmode` in libpq.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostgresTls {
    /// None.
    #[default]
    Disable,
    /// Against whoever only listens: any certificate will do.
    Require,
    /// The certificate is from a trusted authority, and for the name or address in `host`.
    VerifyFull,
}

/// Longer than the restart of a server takes, shorter than somebody waits for a job that cannot go on.
const RETRY_FOR: Seconds = Seconds::secs(120);

impl Default for Catalog {
    fn default() -> Self {
        Self::Sqlite(Sqlite::new("/var/lib/towline/catalog.sqlite".to_owned()))
    }
}

impl Catalog {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Sqlite(sqlite) => &sqlite.name,
            Self::Postgres(postgres) => &postgres.name,
        }
    }

    /// What is noted of it for people.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        match self {
            Self::Sqlite(sqlite) => sqlite.description.as_deref(),
            Self::Postgres(postgres) => postgres.description.as_deref(),
        }
    }

    /// How long requests are tried again while the catalog is away.
    #[must_use]
    pub const fn retry_for(&self) -> Seconds {
        match self {
            Self::Sqlite(sqlite) => sqlite.retry_for,
            Self::Postgres(postgres) => postgres.retry_for,
        }
    }

    /// Its database: the name of one of a server, or a file.
    #[must_use]
    pub fn database(&self) -> &str {
        match self {
            Self::Sqlite(sqlite) => &sqlite.path,
            Self::Postgres(postgres) => &postgres.database,
        }
    }

    /// What the engine of the database is called.
    #[must_use]
    pub const fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgresql",
        }
    }

    /// The password of its server, if it has one.
    pub(super) fn password(&mut self) -> Option<&mut Password> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(postgres) => postgres.password.as_mut(),
        }
    }
}

impl Postgres {
    /// Whether bytes to the server stay on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.host.starts_with('/') || is_this_machine(&self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_and_loopback_are_local_and_nothing_else() {
        for (host, local) in [
            ("/run/postgresql", true),
            ("localhost", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("127.9.9.9", true),
            ("localhost.example.org", false),
            ("192.0.2.1", false),
            ("::", false),
            ("db", false),
        ] {
            let postgres: Postgres = serde_json::from_value(serde_json::json!({ "host": host })).unwrap();
            assert_eq!(postgres.is_local(), local, "{host}");
        }
    }

    #[test]
    fn a_postgres_catalog_needs_nothing_but_its_name() {
        let catalog: Catalog = serde_json::from_str(r#"{"postgres": {}}"#).unwrap();
        let Catalog::Postgres(postgres) = catalog else { panic!("{catalog:?}") };
        assert_eq!((postgres.host.as_str(), postgres.port), ("/run/postgresql", 5432));
        assert!(postgres.retry_for > Seconds::secs(30));
    }

    #[test]
    fn the_password_of_the_server_is_never_shown() {
        let catalog: Catalog = serde_json::from_str(r#"{"postgres": {"password": "hunter2"}}"#).unwrap();
        assert!(!format!("{catalog:?}").contains("hunter2"));
        assert!(!serde_json::to_string(&catalog).unwrap().contains("hunter2"));
    }
}
