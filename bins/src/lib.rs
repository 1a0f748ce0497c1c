//! Towline daemons.
pub mod disk;
