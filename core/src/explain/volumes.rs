//! `T0625` to `T0639`: volumes that are read without a catalog, and what keeps a catalog from being the only copy.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        625,
        "a file cannot be read as a volume",
        (Fault::Local, Retry::Never),
        "The file or folder is not there, may not be read, or holds no block of a volume. Files of other kinds that lie in a \
         folder of volumes are passed over without a word; this one was named, or the system would not let it be read.",
        "Name volumes or folders of volumes, and run the program as a user who may read them.",
    ),
    entry(
        626,
        "the label of a volume is of another version or program",
        (Fault::Local, Retry::Never),
        "Only labels of version 20 of Bareos are read, which Towline writes too. What lies behind another label would be \
         guessed at, so nothing of the volume is read.",
        "Read the volume with the program that wrote it.",
    ),
    entry(
        627,
        "two files are the same volume",
        (Fault::Local, Retry::Never),
        "Two files have labels with one name, as after a volume was copied. Of the two the one is read that is called as its \
         label says, or else the first.",
        "Move the copy out of the folder, or name the files one by one.",
    ),
    entry(
        628,
        "a volume names more sessions than can be kept in memory",
        (Fault::Local, Retry::Never),
        "Each job has a session on its volumes. A million of them are read at once; the volumes hold more, or the file is made \
         to look so.",
        "Name fewer volumes at a time, all those of a job together.",
    ),
    entry(
        629,
        "a volume has bytes that are no sound block",
        (Fault::Local, Retry::Never),
        "Between the two addresses no block is found whose checksum is right: bytes have changed, the disk cannot read them, or \
         the end is cut off. What lies before and after it is read.",
        "Check the disk. The lines about jobs and files say what it costs: restore those files from another backup or from a \
         copy.",
    ),
    entry(
        630,
        "a job on volumes is not whole",
        (Fault::Local, Retry::Never),
        "Blocks of the job are damaged or missing between others that are there. The files that are hit are named, or their \
         numbers where the names were lost too.",
        "If a volume of the job lies elsewhere, name it too. Otherwise take the files from another backup.",
    ),
    entry(
        631,
        "a file on a volume is not what was saved",
        (Fault::Local, Retry::Never),
        "The blocks are sound, but the data of the file do not fit the digest that was saved with them, or are fewer bytes than \
         were recorded: they had changed before they came to the volume.",
        "Take the file from another backup, and check the memory of the machines of the client and of the storage daemon.",
    ),
    entry(
        632,
        "the beginning or the end of a job is not on these volumes",
        (Fault::Local, Retry::Never),
        "A job begins and ends with a label. Without the first its name is taken from the last; without the last it was broken \
         off, or goes on on a volume that is not here.",
        "Name all volumes of the job. If it was broken off, what is there can be restored, and nothing after it was saved.",
    ),
    entry(
        633,
        "a volume of a bootstrap is not among those that are read",
        (Fault::Local, Retry::Never),
        "The bootstrap names a volume, and none of the files that were named has its label. What the bootstrap selects on the \
         other volumes is restored.",
        "Bring the volume back, or name the folder where it lies.",
    ),
    entry(
        634,
        "the volumes hold no such job",
        (Fault::Config, Retry::Never),
        "The job is meant by its number, by its own name, or by the name of its resource. None of the jobs on the volumes has \
         it.",
        "List the jobs, without their files, to see which there are.",
    ),
    entry(
        635,
        "none of the files is a volume",
        (Fault::Config, Retry::Never),
        "Each file was looked at, and all folders that were named. A folder's own folders are not.",
        "Name the folder that the device of the storage daemon has as `archive_device`.",
    ),
    entry(
        636,
        "a catalog and the volumes do not agree about a job",
        (Fault::Local, Retry::Never),
        "Jobs are in the order of their numbers. The catalog has another job of this number, or has given lower numbers to jobs \
         that are newer: it was begun anew after the jobs on the volumes. With both in one catalog a restore would take old \
         files for new ones, so nothing was changed.",
        "Let a new, empty catalog be made from all volumes, those of the newer jobs too, and let the director use that.",
    ),
    entry(
        637,
        "what was named for a restore from volumes cannot be used",
        (Fault::Config, Retry::Never),
        "The folder cannot be made, or a pattern or bootstrap cannot be read. Nothing was restored.",
        "Correct what the message names. A bootstrap is read up to its first line that makes no sense, which is named.",
    ),
    entry(
        638,
        "the bootstrap of a job was not written beside its volumes",
        (Fault::Local, Retry::Never),
        "After each job the storage daemon writes a file into the folder of the volumes which says where the job lies on them, \
         for a restore without a catalog. The disk did not take it. The backup itself is complete.",
        "Make room on the disk, and let the user of the storage daemon write in `archive_device`.",
    ),
    entry(
        639,
        "a copy of a catalog cannot be made or brought back",
        (Fault::Local, Retry::Never),
        "The file of the copy cannot be written or read, is no copy of a catalog, or the place where it would go already holds \
         a catalog with jobs. Nothing was changed.",
        "Correct what the message names. When a copy is brought back, nothing replaces a catalog that holds jobs: move it \
         away first, or name an empty database.",
    ),
];
