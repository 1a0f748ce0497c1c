//! `T055`: what a restore could not bring back.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        550,
        "the data of a file are not those that were saved",
        (Fault::Local, Retry::Never),
        "A restore computes the digest of each file while it writes it. For this file it is another than the one saved with \
         it, or the saved one is damaged: the data changed on the volume or on the way. The file is not put in its place, \
         and what stood there stands.",
        "Restore the file from another backup or from a copy, and check the disk and the memory of the storage daemon. A \
         verify job of the same backup says which other files are hit.",
    ),
    entry(
        551,
        "a file of a restore is not complete",
        (Fault::Local, Retry::Never),
        "Less of the file came than was saved, as a rule because a volume is damaged. A file gets its name only when it is \
         complete: this one does not, and what stood in its place stands.",
        "Read the other lines of the job: they name the damage. Restore the file from another backup or from a copy.",
    ),
    entry(
        552,
        "a part of a volume cannot be read",
        (Fault::Local, Retry::Never),
        "Between two addresses of the volume no sound block is found: bytes have changed, or the disk cannot read them. The \
         job passes over them, restores the rest, names what is not complete or gone, and ends as an error. A copy or a \
         migration does so too: what it has written is not used as a backup, and the original stays.",
        "Check the disk. `list files jobid=N` names the files by their numbers; restore those that are missing from another \
         backup or from a copy.",
    ),
    entry(
        553,
        "the place to restore to is not an absolute path",
        (Fault::Config, Retry::Never),
        "`where=` names a folder on the client. A relative one would be looked for wherever the file daemon was started, so \
         it is refused.",
        "Begin it with `/`. Without `where=`, or with `where=/`, files go to their original places.",
    ),
];
