//! Towline daemons.

#[cfg(feature = "sqlite")]
pub mod catalog;
pub mod disk;
