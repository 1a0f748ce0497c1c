//! `T064`: the list of what a job could not save.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        640,
        "the list of what earlier jobs could not save cannot be read",
        (Fault::Local, Retry::Never),
        "A file daemon lists in its working directory what a job could not read, so that the next incremental tries it again \
         although its times have not changed. This list cannot be read, or holds something else. The job goes on without it: \
         a file that an earlier job could not read is saved only if its times have changed since.",
        "Correct what the line names. If the list is lost, run a full backup: it saves everything, and a new list begins.",
    ),
    entry(
        641,
        "the list of what could not be saved cannot be written",
        (Fault::Local, Retry::Backoff),
        "A file daemon lists in its working directory what a job could not read, so that the next incremental tries it again. \
         The list could not be written there, so the next job does not know of what this one could not read.",
        "Make room in the working directory of the file daemon, and let its user write there. Until a job has written the \
         list, a full backup is what saves the files that could not be read.",
    ),
    entry(
        642,
        "the list of what could not be saved is full",
        (Fault::Local, Retry::Never),
        "A job could not save more than 10,000 files or folders, or their names are longer than 1 MiB together. What has no \
         room in the list is not tried again by an incremental unless its times change.",
        "Exclude from the fileset what the file daemon may not read, or let it read it; then run a full backup.",
    ),
];
