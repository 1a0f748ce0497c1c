//! `T0790` to `T0794`: why a program that lists and browses is told no.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        790,
        "a job has no volume to write to",
        (Fault::Local, Retry::Never),
        "Of the volumes in the job's pool none can be written now, none is old enough to be used again, and `list nextvol` makes \
         no new one.",
        "If the pool has a `label_format`, the job makes a volume when it runs. Else label one for the pool.",
    ),
    entry(
        791,
        "the catalog has no such folder",
        (Fault::Config, Retry::Never),
        "No job that is in the catalog has saved anything in this folder. Folders are named by their whole path, or by the \
         number that a list of folders shows.",
        "Begin with `.bvfs_lsdirs` and path=/, and go down from there.",
    ),
    entry(
        792,
        "nothing is chosen under this name",
        (Fault::Config, Retry::Never),
        "A restore of what was chosen in a browser names the choice. It is kept until it is cleaned up, until the director ends, \
         or until a hundred others came after it.",
        "Choose the files again, with `.bvfs_restore`.",
    ),
    entry(
        793,
        "a console may not use something",
        (Fault::Config, Retry::Never),
        "The configuration has no resource of this name, or it is not among those that the console may use. The answer does not \
         tell which.",
        "If the console is meant to use it, add it to the console in the director's configuration.",
    ),
    entry(
        794,
        "the file of stored queries cannot be read",
        (Fault::Config, Retry::Never),
        "The questions to the catalog that `query` shows stand in the file that `query_file` of the director names. It is not \
         there, is no file, or may not be read by the user of the director.",
        "Set `query_file` to a file that the director may read, or take it out.",
    ),
];
