//! The storage daemon.

mod bandwidth;
mod behaviour;
mod copies;
mod passive;
mod recorded;
