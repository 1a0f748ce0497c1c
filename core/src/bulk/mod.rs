//! The data channel's machines: plain values that a connection's task or a disk worker drives. No byte of a file's
//! contents is copied twice in one direction, and after warm-up nothing is allocated per file or frame.

mod advice;
pub mod archiver;
pub mod cloner;
mod collect;
pub mod gaps;
pub mod known;
pub mod machine;
pub mod pack;
pub mod parcel;
pub mod receive;
pub mod refused;
mod renumber;
pub mod restorer;
pub mod select;
pub mod sender;
mod sizes;
mod spool;
pub mod stores;
pub mod unpack;
pub mod unsaved;
pub mod verifier;
pub mod work;

pub use sizes::BulkSizes;

#[cfg(test)]
pub(crate) use advice::{one_of_each_disk_error, one_of_each_outcome};
#[cfg(test)]
pub(crate) use refused::one_of_each as one_of_each_refused;
#[cfg(test)]
mod round_trip;
