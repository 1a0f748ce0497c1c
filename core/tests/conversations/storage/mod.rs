//! The storage daemon.

mod bandwidth;
mod behaviour;
mod copies;
mod jobs;
mod operator;
mod passive;
mod progress;
mod recorded;
mod reload;
mod spooling;
mod volumes;
