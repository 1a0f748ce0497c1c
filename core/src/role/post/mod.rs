//! Messages on their way out of a daemon: to files, the system's log, standard error, mail, webhooks. What goes where, each
//! daemon decides; the ways are the same.

pub(crate) mod collected;
mod lanes;
pub(crate) mod mail;

pub(crate) use lanes::{Lanes, Piece, PostDue, Stuck, Target, Way};

/// Codes of lines that are about messages: they go nowhere else, or one would lead to the next.
pub(crate) const ABOUT_MESSAGES: std::ops::RangeInclusive<u16> = 950..=962;
