//! The storage daemon.

mod behaviour;
mod copies;
mod recorded;
