//! The director: what it asks its catalog, how it chooses volumes, and which jobs a restore needs.

pub mod catalog;
pub mod levels;
pub mod restore_selection;
pub mod volumes;
