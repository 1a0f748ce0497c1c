//! `T054`: bytes from outside, and what comes in number.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[entry(
    540,
    "the connection made no headway",
    (Fault::Bug, Retry::Backoff),
    "The bytes of the peer led this daemon in a circle. It noticed, and ended this one connection instead of standing \
     still with all of them.",
    "Report it with the versions of both daemons and the lines of the log around it. Running the job again may help.",
)];
