//! The storage daemon.

mod behaviour;
mod recorded;
