//! `T072`: what of a restore a file daemon could not read.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        720,
        "compressed data of a file are damaged",
        (Fault::Local, Retry::Never),
        "Every record of compressed data says how many bytes it has, and GZIP also a checksum of them. For this file one of \
         them does not fit: the data changed on the volume, or the file daemon that saved them was at fault. The file is not \
         put in its place, what stood there stands, and the job goes on with the next one.",
        "Take the file from another backup or from a copy. A verify job of the same backup says which other files are hit; if \
         they are many, look at the disk of the storage daemon.",
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
        "What regexwhere= says is one expression or several with commas between them, each like !search!replacement! with another \
         separator if need be and the flag i after it; what is searched is an extended regular expression. Nothing is restored, \
         so that no file takes the place of another.",
        "Correct the expression, as in !/home/!/tmp/home/! or in /\\.ini$/.old.ini/i. A separator within it gets a backslash.",
    ),
    entry(
        723,
        "a name that a restore has changed is no absolute path",
        (Fault::Config, Retry::Never),
        "After the changes of regexwhere= or strip_prefix= the name does not begin with /, so that there is no place \
         for it. The file is not restored; the others are.",
        "Let the expressions keep the first /: strip_prefix=/home, not strip_prefix=/home/.",
    ),
];
