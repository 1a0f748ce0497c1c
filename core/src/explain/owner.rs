//! `T061` and `T0620`: who may use a catalog or a folder with volumes.

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
    entry(
        620,
        "another director has the database of the catalog",
        (Fault::Local, Retry::Backoff),
        "A director holds a lock in its PostgreSQL database as long as it is connected. When it starts and another one holds \
         it, it ends and has changed nothing. When another one has taken it while the connection was broken, requests fail \
         until that one has gone. After a crash the server may hold the lock for the dead one a while longer, 40 seconds at \
         most.",
        "End the other director: the message names the address it comes from, if it is not this machine, and its process on \
         the server. Or give this one a database of its own.",
    ),
];
