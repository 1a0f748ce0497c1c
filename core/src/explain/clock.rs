//! `T057`: the order of jobs, and clocks that contradict it.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[entry(
    570,
    "the clock was ahead when the job before began",
    (Fault::Local, Retry::Never),
    "An incremental or differential job saves what changed since the job it builds on began. The time at which that one \
         says it began lies in the future, or after a job that was ordered later: the director's clock was ahead, and was \
         put right. What changed meanwhile would look too old to be saved. So changes are looked for since the newest job \
         before it that has a time to trust, and everything is saved if there is none.",
    "Nothing is missing: some files are saved once more. Keep the clock of the director's machine right, with NTP for \
         example. A Full job gives the differential ones a sound time to build on again.",
)];
