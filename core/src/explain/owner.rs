//! `T061`: who may use a catalog or a folder with volumes.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        610,
        "another director has the catalog",
        (Fault::Local, Retry::Backoff),
        "Two directors on one catalog would each take the other's running jobs for jobs that a crash has ended, and give the \
         same volume to two jobs. So the second does not start, and has changed nothing.",
        "End the director with the process id in the message, or give this one a catalog of its own.",
    ),
    entry(
        611,
        "another storage daemon has the folder of volumes",
        (Fault::Local, Retry::Backoff),
        "Two storage daemons that write into one folder would write over each other's blocks. So the second does not start.",
        "End the storage daemon with the process id in the message, or give the device of this one an `archive_device` of its \
         own.",
    ),
];
