//! `T055` and `T072`: what a restore could not bring back.

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
    entry(
        720,
        "compressed data of a file are damaged",
        (Fault::Local, Retry::Never),
        "Every record of compressed data says how many bytes it has, and GZIP also a checksum of them. For this file one of \
         them does not fit: the data changed on the volume, or the file daemon that saved them was at fault. The file is not \
         put in its place, what stood there stands, and the job goes on with the next one.",
        "Restore the file from another backup or from a copy, and check the disk and the memory of the storage daemon. A \
         verify job of the same backup says which other files are hit.",
    ),
    entry(
        721,
        "a file was compressed in a way that is not known here",
        (Fault::Config, Retry::Never),
        "The file daemon that saved it is newer or another one. GZIP, LZO, LZFAST, LZ4 and LZ4HC are known, with heads of \
         version 1. The file is not restored, and what stood in its place stands.",
        "Restore it on a client with the file daemon that saved it, or a newer one.",
    ),
    entry(
        722,
        "the changes of names of a restore cannot be read",
        (Fault::Config, Retry::Never),
        "`regexwhere=` is one expression or several with commas between them, each `!search!replacement!` with another \
         separator if need be and the flag `i` after it; `search` is an extended regular expression. Nothing is restored, \
         so that no file takes the place of another.",
        "Correct the expression: `!/home/!/tmp/home/!` or `/\\.ini$/.old.ini/i`. A separator within it gets a backslash.",
    ),
    entry(
        723,
        "a name that a restore has changed is no absolute path",
        (Fault::Config, Retry::Never),
        "After the changes of `regexwhere=` or `strip_prefix=` the name does not begin with `/`, so that there is no place \
         for it. The file is not restored; the others are.",
        "Let the expressions keep the first `/`: `strip_prefix=/home`, not `strip_prefix=/home/`.",
    ),
];
