//! The file daemon.

mod recorded;
