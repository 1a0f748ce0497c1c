//! `T062`: the ends of jobs that the catalog does not take.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        621,
        "the catalog has not recorded the end of a job yet",
        (Fault::Local, Retry::Backoff),
        "The job has ended, and the catalog did not take that: its disk is full, or its server is away. The director keeps the \
         end and offers it again every 30 seconds. Until then the catalog lists the job as running; `status director` says \
         how it ended.",
        "Free space for the catalog or bring its server back, and leave the director running: its log says when the end is \
         recorded.",
    ),
    entry(
        622,
        "the director stops before the catalog has recorded the ends of jobs",
        (Fault::Local, Retry::Never),
        "These jobs have ended, the catalog did not take that in time, and the director is being stopped. In the catalog they \
         are still running, and the next start marks them as failed, whatever they came to.",
        "Run these jobs again when the catalog can be written. Another time, let the director run until its log says that the \
         ends are recorded.",
    ),
];
