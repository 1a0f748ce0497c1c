//! `T0966` and `T0967`: files that are to be made unreadable before they go.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        966,
        "a file was not erased",
        (Fault::Local, Retry::Never),
        "The storage daemon gives what it deletes to the command of `secure_erase_command`. That command could not be started, has failed, \
         or has taken longer than `secure_erase_time_limit`. The file stays: a volume is not labelled or used again, and a job that had \
         spooled data fails. What the command has done to the file by then only the command knows.",
        "Run the command by hand, with the name of a file that nobody needs, as the user that the storage daemon runs as, and mend what \
         it says. Then order again what has failed, or erase the file by hand.",
    ),
    entry(
        967,
        "the program of `secure_erase_command` cannot be run",
        (Fault::Config, Retry::Never),
        "There is no such program, or the user of the storage daemon may not run it. Nothing could be deleted, so the daemon does not start.",
        "Write the program from the root, such as /usr/bin/shred, install it, or take the setting out.",
    ),
];
