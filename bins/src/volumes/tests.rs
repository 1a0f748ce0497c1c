//! Volumes made by the writer of the storage daemon, whole and damaged.

mod hostile;
pub(in crate::volumes) mod make;
mod reading;
