//! The daemons of Towline and the operator's tool: what stands between the pure core and a real machine.
//!
//! Every decision is made in [`towline_core`]; here are the hands that carry out what it orders.
//!
//! * `authorities`: whose certificates of servers are trusted
//! * `catalog` (feature `sqlite`): the catalog, on threads of its own
//! * [`config`]: reads configurations and shows what is wrong with them, with the line
//! * `check`: whether all is well, for monitors
//! * `convert`: configurations from one syntax to the other
//! * [`daemon`]: from a configuration to a running node on the chosen runtime
//! * `dialogue`: a console in this process
//! * [`disk`]: walks, reads and restores files
//! * `explain`: codes and decisions in words
//! * `init`: the configurations of a new network
//! * `export`: what a client needs to know of its director
//! * `health`: shows programs and people the director's state
//! * [`hands`]: gives work to threads that answer exactly once
//! * `joining`: how another machine comes to a director
//! * [`messages`]: mail, webhooks, the system's log
//! * `manual`: manual pages and completions for shells
//! * `object` (feature `object`): volumes in stores of objects
//! * [`ownership`]: one owner at a time of a catalog and of a folder with volumes; files of one's own
//! * `plan` (feature `plan`): which jobs will work through a network
//! * `probe`: what a probed data channel shows
//! * [`volume`]: volumes as files, in the block format of Bareos
//! * `volumes`: reads volumes without any daemon

#[cfg(any(feature = "object", feature = "postgres"))]
pub(crate) mod authorities;
#[cfg(feature = "sqlite")]
pub mod catalog;
#[cfg(feature = "sqlite")]
pub mod check;
pub mod config;
#[cfg(feature = "sqlite")]
pub mod convert;
pub mod daemon;
#[cfg(any(feature = "sqlite", feature = "plan"))]
pub(crate) mod dialogue;
pub mod disk;
#[cfg(feature = "sqlite")]
pub mod explain;
#[cfg(feature = "sqlite")]
pub mod export;
#[cfg(feature = "sqlite")]
pub(crate) mod fresh;
pub mod hands;
#[cfg(feature = "sqlite")]
pub mod health;
#[cfg(feature = "sqlite")]
pub mod init;
#[cfg(feature = "sqlite")]
pub mod joining;
#[cfg(feature = "sqlite")]
pub mod manual;
pub mod messages;
#[cfg(feature = "object")]
pub mod object;
pub mod ownership;
#[cfg(feature = "plan")]
pub mod plan;
#[cfg(any(feature = "sqlite", feature = "plan"))]
pub(crate) mod probe;
pub mod process;
#[cfg(feature = "sqlite")]
pub mod quickstart;
pub mod volume;
#[cfg(feature = "sqlite")]
pub mod volumes;
