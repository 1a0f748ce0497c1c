//! The file daemon's hands: reads a tree for a backup, writes one for a restore, compares two.
//!
//! Plain blocking code for a worker thread, the same under every runtime. The unit is a parcel, never a file
//! (wire/2 §2, §3).
//!
//! | module | does |
//! |---|---|
//! | [`backup`] | reads a fileset into parcels with frames |
//! | [`walk`] | goes through a tree without recursion and without following symbolic links |
//! | [`meta`] | what the system says about an entry: stat, extended attributes, where it forbids |
//! | [`restore`] | creates entries beneath one directory and nowhere else |
//! | [`verify`] | says what is on a volume, and writes nothing |
//! | `audit` | compares what is on a volume with the digests saved with it |
//! | `compression` | compresses file data, and makes them plain again |
//! | [`compare`] | says in what two trees differ |

#[cfg(feature = "sqlite")]
pub(crate) mod audit;
pub mod backup;
pub mod compare;
mod compression;
pub(crate) mod fifo;
mod kinds;
pub mod meta;
pub mod notice;
pub(crate) mod regex;
pub mod restore;
pub mod verify;
pub mod walk;
