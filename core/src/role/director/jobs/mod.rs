//! Jobs: from an order to the record of the end.

pub(super) mod bandwidth;
pub(super) mod cancelling;
pub(super) mod copying;
pub(super) mod daemons;
pub(crate) mod figures;
pub(super) mod fileset;
pub(super) mod gone;
mod incoming;
pub(super) mod job;
pub(super) mod life;
mod meter;
pub(super) mod ordering;
mod outcome;
pub(super) mod patience;
pub(super) mod recording;
mod requests;
mod rescheduling;
mod returning;
pub(super) mod route;
pub(super) mod running;
pub(super) mod tables;
pub(super) mod task;
pub(super) mod tools;
pub(super) mod trouble;
pub(super) mod verifying;
