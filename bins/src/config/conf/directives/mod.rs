//! The tables: every directive of every program, and what becomes of it.

pub(super) mod console;
pub(super) mod director;
pub(super) mod file;
pub(super) mod fileset;
pub(super) mod job;
pub(super) mod shared;
pub(super) mod storage;
pub(super) mod tray;
