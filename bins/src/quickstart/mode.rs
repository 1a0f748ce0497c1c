//! Which way connections are made in a run: the settings that differ, and the connections to be seen in the end.

use towline_core::node::Number;

use super::config::{CLIENT, COPIES, COPY, DIRECTOR, HOST, POOL, Ports, SECOND_STORAGE, STORAGE};
use super::processes::Kind;

/// How the daemons of a run reach each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The file daemon dials the storage daemon.
    #[default]
    Default,
    /// The storage daemon dials the file daemon.
    Passive,
    /// The file daemon dials the director and waits there; the director may not dial it.
    ClientInitiated,
    /// The file daemon dials the storage daemon at its LAN address, which is another one than the director's.
    Lan,
    /// As the default; then the backup is copied to a second storage daemon and restored from there.
    Copy,
    /// As the default; then the backup is migrated to a second storage daemon.
    Migrate,
}

/// The LAN address of the file daemon.
pub(super) const FILE_LAN: &str = "127.0.0.2";
/// The LAN address of the storage daemon.
pub(super) const STORAGE_LAN: &str = "127.0.0.3";

/// A line of a job's report that shows a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trace {
    /// The connection.
    pub(super) number: Number,
    /// The daemon that has written the line.
    pub(super) by: &'static str,
    /// What the line has in it, in lower case.
    pub(super) words: &'static str,
}

impl Trace {
    /// The line of the connection in a report.
    pub(super) fn line<'a>(&self, report: &'a str) -> Option<&'a str> {
        let by = format!("{} JobId ", self.by);
        let is_its = |line: &&str| line.starts_with(&by) || line.contains(&format!(" {by}"));
        report.lines().filter(is_its).find(|line| line.to_lowercase().contains(self.words))
    }
}

/// How each connection shows in the report of a backup.
pub(super) const TRACES: &[Trace] = &[
    Trace { number: Number::DirectorToFile, by: DIRECTOR, words: "connected file daemon" },
    Trace { number: Number::FileToDirector, by: DIRECTOR, words: "client-initiated connection of the file daemon" },
    Trace { number: Number::DirectorToStorage, by: DIRECTOR, words: "connected storage daemon" },
    Trace { number: Number::FileToStorage, by: CLIENT, words: "connected storage daemon" },
    Trace { number: Number::StorageToFile, by: STORAGE, words: "connected file daemon" },
];

/// How the storage daemon of a restore shows in its report.
pub(super) const RESTORED_FROM: Trace =
    Trace { number: Number::DirectorToStorage, by: DIRECTOR, words: "connected storage daemon" };

/// How connections show in the reports of a copy or a migration.
pub(super) const COPY_TRACES: &[Trace] = &[
    Trace { number: Number::DirectorToSecondStorage, by: DIRECTOR, words: "connected second storage daemon" },
    Trace { number: Number::StorageToStorage, by: STORAGE, words: "connected storage daemon" },
];

impl Mode {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Default, Self::Passive, Self::ClientInitiated, Self::Lan, Self::Copy, Self::Migrate];

    /// Its word on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Passive => "passive",
            Self::ClientInitiated => "client-initiated",
            Self::Lan => "lan",
            Self::Copy => "copy",
            Self::Migrate => "migrate",
        }
    }

    /// Whether what is backed up goes to the second storage daemon too.
    pub(super) const fn copies(self) -> bool {
        matches!(self, Self::Copy | Self::Migrate)
    }

    /// The connections of a backup that [`TRACES`] can show: these and no others.
    pub(super) const fn expected(self) -> &'static [Number] {
        match self {
            Self::Default | Self::Lan | Self::Copy | Self::Migrate => {
                &[Number::DirectorToFile, Number::DirectorToStorage, Number::FileToStorage]
            }
            Self::ClientInitiated => &[Number::FileToDirector, Number::DirectorToStorage, Number::FileToStorage],
            Self::Passive => &[Number::DirectorToFile, Number::DirectorToStorage, Number::StorageToFile],
        }
    }

    /// The daemons in the order in which they start: who is dialled by a daemon of a fixed configuration comes first.
    pub(super) const fn order(self) -> &'static [Kind] {
        match self {
            Self::ClientInitiated => &[Kind::Storage, Kind::Director, Kind::File],
            Self::Default | Self::Passive | Self::Lan => &[Kind::Storage, Kind::File, Kind::Director],
            Self::Copy | Self::Migrate => &[Kind::Storage, Kind::SecondStorage, Kind::File, Kind::Director],
        }
    }

    /// Fields of the file daemon's `FileDirector`, each with a comma before it.
    pub(super) fn director(self, ports: Ports) -> String {
        if self != Self::ClientInitiated {
            return String::new();
        }
        format!(
            ", address: {HOST:?}, port: {}, connection_from_client_to_director: true, \
             connection_from_director_to_client: false",
            ports.director
        )
    }

    /// Where the director finds its client: fields of its `Client`, each with its comma.
    pub(super) fn client_address(self, ports: Ports) -> String {
        if self == Self::ClientInitiated {
            return "connection_from_client_to_director: true, connection_from_director_to_client: false,".to_owned();
        }
        format!("address: {HOST:?}, port: {},", ports.file)
    }

    /// Fields of the director's `Client`, each with its comma.
    pub(super) fn client(self) -> String {
        match self {
            Self::Passive => "passive: true,".to_owned(),
            Self::Lan => format!("lan_address: {FILE_LAN:?},"),
            Self::Default | Self::ClientInitiated | Self::Copy | Self::Migrate => String::new(),
        }
    }

    /// Fields of the director's `Storage`, each with its comma.
    pub(super) fn storage(self) -> String {
        if self == Self::Lan { format!("lan_address: {STORAGE_LAN:?},") } else { String::new() }
    }

    /// What the director's configuration has besides for copies and migrations, each piece with a comma before it: a
    /// storage, a field of the pool of backups, a pool, and a job with the `fields` that all jobs have.
    pub(super) fn copying(self, ports: Ports, password: &str, fields: &str) -> [String; 4] {
        if !self.copies() {
            return <[String; 4]>::default();
        }
        let kind = self.name();
        [
            format!(
                r#", (name: {SECOND_STORAGE:?}, address: {HOST:?}, port: {}, password: {password:?},
                      device: "volumes", media_type: "SecondFile")"#,
                ports.second
            ),
            format!(", next_pool: {COPIES:?}"),
            format!(r#", (name: {COPIES:?}, label_format: "{POOL}-{kind}-", storage: {SECOND_STORAGE:?})"#),
            format!(", (name: {COPY:?}, kind: {kind}, level: full, {fields})"),
        ]
    }

    /// What the file daemon listens on besides the address of all daemons, each with a comma before it.
    pub(super) fn file_listens(self) -> String {
        if self == Self::Lan { format!(", {FILE_LAN:?}") } else { String::new() }
    }

    /// What the storage daemon listens on besides the address of all daemons, each with a comma before it.
    pub(super) fn storage_listens(self) -> String {
        if self == Self::Lan { format!(", {STORAGE_LAN:?}") } else { String::new() }
    }
}
