//! The configuration, typed: which daemon has which resources, what they default to, and what is wrong with them.
//!
//! ```text
//!   DirectorConfig                FileConfig             StorageConfig           ConsoleConfig
//!   ┌─────────────┐              ┌───────────┐          ┌─────────────┐         ┌────────────┐
//!   │ director    │◄─────────────┤ directors │          │ directors   │    ┌────┤ director   │
//!   │ consoles    │◄──────────┐  └─────▲─────┘          └──────▲──────┘    │    ├────────────┤
//!   │ clients     ├───────────┼────────┘ one password each     │           │    │ console    │
//!   │ storages    ├───────────┼────────────────────────────────┘           │    └─────┬──────┘
//!   │ catalog     │           └────────────────────────────────────────────┼──────────┘
//!   │ pools jobs  │◄───────────────────────────────────────────────────────┘ (default console)
//!   │ filesets …  │              ┌───────────┐          ┌─────────────┐
//!   └─────────────┘              │ file      │          │ storage     │  the daemon itself:
//!                                └───────────┘          │ devices     │  name, listen, port, TLS
//!                                                       └─────────────┘
//! ```
//!
//! A [`TrayConfig`] stands beside them: a monitor that has an arrow to each daemon it watches.
//!
//! An arrow is a pair of resources with the same password. The names are those of Bareos in `snake_case`; where
//! Towline's default differs, the field says so. Paths are text: whoever may touch files resolves them.
//!
//! Everything here is data. [`Check::check`] collects *all* semantic findings, each with the [`ConfigPath`] of the
//! value, so that the reader of the file can show the line.
#![doc = include_str!("keepalive.md")]

pub mod acl;
mod catalog;
pub mod check;
mod console;
mod counter;
mod director;
mod due;
mod file;
mod fileset;
mod job;
pub mod keepalive;
mod messages;
mod object;
mod password;
mod path;
mod pool;
mod resource;
mod schedule;
mod script;
mod storage;
mod tls;
mod tray;
mod units;

use crate::address::Endpoint;

pub use catalog::{Catalog, Postgres, PostgresTls, Sqlite};
pub use check::{Built, Check, Finding, Severity};
pub use console::{Console, ConsoleConfig, ConsoleDirector};
pub use counter::{Counter, VARIABLES};
pub use director::{Access, Client, ConsoleAccess, Director, DirectorConfig, Profile, Storage};
pub use due::Moment;
pub use file::{FileConfig, FileDaemon, FileDirector, JobCommand};
pub use fileset::{Compression, Digest, Exclude, FileSet, Include, IncludeOptions};
pub use job::{Job, JobKind, Level, Missed, Replace, Selection, VerifyLevel};
pub use messages::{
    DAEMON_FACILITY, Destination, DestinationKind, MailServer, MailTls, MessageTypes, Messages, TIMESTAMP, When,
    facilities, facility,
};
pub use object::{DeviceKind, ObjectStore, STORES, store_address};
pub use password::{Password, Passwords, Revealed};
pub use path::{ConfigPath, Step};
pub use pool::{Pool, PoolKind};
pub use resource::{FieldDoc, Resource};
pub use schedule::{Run, Schedule, TimeOfDay, Week, Weekday};
pub use script::{JOB_COMMANDS, RunScript, RunsWhen, may_be_done_by_a_job};
pub use storage::{Autochanger, Device, StorageConfig, StorageDaemon, StorageDirector};
pub use tls::{TlsConfig, TlsMode};
pub use tray::{Monitor, MonitoredClient, MonitoredDirector, MonitoredStorage, TrayConfig};
pub use units::{Bytes, Seconds};

/// The port a director listens on (`wire/1 §0`).
pub const DIRECTOR_PORT: u16 = 9101;
/// The port a file daemon listens on (`wire/1 §0`).
pub const FILE_PORT: u16 = 9102;
/// The port a storage daemon listens on (`wire/1 §0`).
pub const STORAGE_PORT: u16 = 9103;
/// The longest name of a resource in bytes (`wire/1 §0`).
pub const MAX_NAME: usize = 127;

/// Every address of both families: what a daemon listens on unless told otherwise (`wire/1 §9.4`).
#[must_use]
pub fn any_address() -> Vec<String> {
    vec!["0.0.0.0".to_owned(), "::".to_owned()]
}

/// What the entries of a `listen` list mean, each with or without a port of its own. What is no address was refused by
/// the check.
pub fn listen_on(listen: &[String], port: u16) -> impl Iterator<Item = Endpoint> {
    listen.iter().filter_map(move |text| Endpoint::parse(text, port))
}

/// The heartbeat interval of a connection: the peer's own setting, else the daemon's (`wire/1 §9.6`).
/// `None` when it is switched off with 0.
#[must_use]
pub fn heartbeat(peer: Option<Seconds>, daemon: Seconds) -> Option<Seconds> {
    let interval = peer.unwrap_or(daemon);
    (!interval.is_zero()).then_some(interval)
}

#[cfg(test)]
mod tests;
