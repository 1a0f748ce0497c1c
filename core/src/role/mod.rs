//! What each daemon does with its connections and jobs.

pub mod console;
pub mod director;
pub mod file;
pub mod identity;
pub(crate) mod idle;
pub mod network;
pub(crate) mod quiet;
mod refusals;
mod remarks;
mod report;
pub mod script;
mod sessions;
pub mod storage;
pub mod tray;
pub(crate) mod trouble;
