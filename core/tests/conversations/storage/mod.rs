//! The storage daemon.

mod bandwidth;
mod behaviour;
mod copies;
mod jobs;
mod passive;
mod recorded;
mod volumes;
