//! The file daemon.

mod behaviour;
mod recorded;
