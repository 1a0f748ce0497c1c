//! How a network is at one moment, as its director knows it: what monitors and people are shown. Whoever has it renders it.
//!
//! Times are seconds since 1970-01-01 UTC, durations are in seconds, and names are as configured or as a peer has said them.

use serde::Serialize;

/// Connections that are listed; all are counted.
pub const LINKS: usize = 1_000;
/// Volumes that are listed, those that were written last; all are counted.
pub const VOLUMES: usize = 1_000;
/// Days that are shown of each client, the present one included.
pub const DAYS: i64 = 14;

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Health {
    /// The name of the director.
    pub director: String,
    /// Its version, as a person reads it.
    pub version: String,
    /// The present.
    pub now: i64,
    /// The present in local time, `2026-11-30 14:00:00`.
    pub local: String,
    /// When the director was started.
    pub started: i64,
    /// Jobs that have not ended.
    pub jobs: Vec<JobNow>,
    /// Jobs that have ended since the director was started, counted.
    pub ended: Vec<Ended>,
    /// The last jobs that have failed, the newest first.
    pub failed: Vec<Failed>,
    /// The days of [`ClientNow::nights`], oldest first: `2026-11-30`.
    pub days: Vec<String>,
    /// The clients of the configuration.
    pub clients: Vec<ClientNow>,
    /// The storages of the configuration.
    pub storages: Vec<StorageNow>,
    /// Connections of clients that wait for jobs.
    pub waiting: usize,
    /// The live connections of the director, at most [`LINKS`].
    pub links: Vec<Link>,
    /// All of them, counted.
    pub connections: Vec<Connections>,
    /// Dials that have failed since the director was started, by the code of their cause.
    pub dial_failures: Vec<DialFailures>,
    /// The catalogs.
    pub catalogs: Vec<CatalogNow>,
    /// Volumes, at most [`VOLUMES`].
    pub volumes: Vec<VolumeNow>,
    /// All of them, counted.
    pub pools: Vec<PoolNow>,
}

/// A job that has not ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct JobNow {
    /// JobId.
    pub id: u32,
    /// The job's name.
    pub name: String,
    /// Its client; empty if it has none.
    pub client: String,
    /// Its storage; empty if it has none.
    pub storage: String,
    /// `backup`, `restore` and so on.
    pub kind: String,
    /// Its level in a word; empty if it has none.
    pub level: &'static str,
    /// What it does or waits for.
    pub stage: &'static str,
    /// Whether it waits for its turn.
    pub queued: bool,
    /// Since when it is due.
    pub due: i64,
    /// How long ago that was.
    pub seconds: i64,
    /// Files that are saved so far.
    pub files: u64,
    /// Bytes that are written so far.
    pub bytes: u64,
    /// Bytes that the last good one of its level has written.
    pub expected: Option<u64>,
    /// The number of the connection between client and storage daemon in the overview, once that is decided.
    pub data: Option<&'static str>,
}

/// Jobs of one kind that have ended in one way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// `backup`, `restore` and so on.
    pub kind: String,
    /// `ok`, `warnings`, `failed`, `canceled`, `differences` or `other`.
    pub status: &'static str,
    /// How many.
    pub jobs: u64,
    /// Their files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How long they ran together.
    pub seconds: u64,
}

/// A job that has failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// JobId.
    pub id: u32,
    /// The job's name.
    pub name: String,
    /// When it ended, in local time.
    pub ended: String,
    /// Why.
    pub reason: String,
}

/// A client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClientNow {
    /// Its name.
    pub name: String,
    /// How it is reached: `dialled`, `passive` or `dials in`.
    pub way: &'static str,
    /// Its connections that wait for jobs.
    pub waiting: usize,
    /// Whether a connection with it is up.
    pub connected: bool,
    /// Its newest good backup.
    pub last_good: Option<LastGood>,
    /// What became of its backups on each of [`Health::days`].
    pub nights: Vec<Option<Night>>,
}

/// A good backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LastGood {
    /// JobId.
    pub id: u32,
    /// Its level in a word.
    pub level: &'static str,
    /// When it ended.
    pub ended: i64,
    /// How long it ran.
    pub seconds: i64,
    /// Its files.
    pub files: u32,
    /// Its bytes.
    pub bytes: u64,
}

/// What became of a client's backups on one day: of several of one job the last counts, of several jobs the worst.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Night {
    /// `ok`, `running`, `warnings`, `canceled` or `failed`.
    pub state: &'static str,
    /// How many there were.
    pub jobs: u32,
    /// The JobId of the one that [`Self::state`] is of.
    pub id: u32,
    /// Bytes of all.
    pub bytes: u64,
}

/// A storage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StorageNow {
    /// Its name.
    pub name: String,
    /// Whether a connection with its storage daemon is up.
    pub connected: bool,
}

/// A live connection of the director.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Link {
    /// Its number in the overview.
    pub number: Option<&'static str>,
    /// The kind of the peer: `client`, `storage`, `console`, `catalog` or `other`.
    pub kind: &'static str,
    /// The peer's name.
    pub peer: String,
    /// Whether the director has dialled.
    pub dialled: bool,
    /// The peer's address and port.
    pub address: String,
    /// How it is protected: `clear`, `certificate` or `psk`.
    pub tls: &'static str,
    /// The version of TLS and the cipher suite.
    pub cipher: String,
    /// How long it has been up.
    pub age: u64,
    /// How long ago its last byte came.
    pub heard: Option<u64>,
    /// Bytes read.
    pub read: u64,
    /// Bytes written.
    pub written: u64,
    /// How long the last answer to a heartbeat took.
    pub round_trip: Option<f64>,
}

/// Connections of one number that are protected in one way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Connections {
    /// The number in the overview; empty if it has none.
    pub number: &'static str,
    /// `clear`, `certificate` or `psk`.
    pub tls: &'static str,
    /// How many.
    pub count: u64,
}

/// Dials that have failed with one code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DialFailures {
    /// The code: `T0103`.
    pub code: String,
    /// The cause in a few words.
    pub cause: &'static str,
    /// How many.
    pub count: u64,
}

/// A catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CatalogNow {
    /// Its name.
    pub name: String,
    /// The file of an embedded one, as configured.
    pub file: Option<String>,
    /// Whether it has answered the last questions; `None` if it was asked nothing yet.
    pub answers: Option<bool>,
    /// When it has said what is shown of it.
    pub seen: Option<i64>,
}

/// A volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VolumeNow {
    /// Its name.
    pub name: String,
    /// Its pool.
    pub pool: String,
    /// The storage that wrote it last.
    pub storage: String,
    /// Its state in a word of the field: `Append`, `Full` and so on.
    pub status: &'static str,
    /// Its bytes.
    pub bytes: u64,
    /// How many it may have; 0: no limit.
    pub most: u64,
    /// Its jobs.
    pub jobs: u32,
    /// When it was last written; 0: never.
    pub written: i64,
}

/// Volumes of one pool in one state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PoolNow {
    /// The pool.
    pub name: String,
    /// Their state.
    pub status: &'static str,
    /// How many.
    pub volumes: u64,
    /// Their bytes.
    pub bytes: u64,
}
