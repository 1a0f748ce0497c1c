//! The storage daemon.

mod behaviour;
mod copies;
mod passive;
mod recorded;
