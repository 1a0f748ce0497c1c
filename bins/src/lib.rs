//! Towline daemons.

#[cfg(feature = "sqlite")]
pub mod catalog;
pub mod config;
pub mod daemon;
pub mod disk;
pub mod hands;
#[cfg(feature = "sqlite")]
pub mod quickstart;
pub mod volume;
