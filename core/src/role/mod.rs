//! What each daemon does with its connections and jobs.

pub(crate) mod commands;
pub mod console;
mod debugging;
pub(crate) mod diary;
pub mod director;
pub mod file;
pub mod identity;
pub(crate) mod idle;
pub mod network;
pub(crate) mod post;
mod probing;
mod refusals;
mod remarks;
mod report;
mod rereading;
mod sessions;
mod stopping;
pub mod storage;
pub mod tray;
pub(crate) mod trouble;
