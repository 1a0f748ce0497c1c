//! `T06`: volumes and disks.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        601,
        "a file or folder does not exist",
        (Fault::Local, Retry::Never),
        "The volume, the folder of the device, or the one where a restore goes, is not there. Most often a disk is not mounted.",
        "Mount the disk, or correct `archive_device` or `where`. If the volume was deleted on purpose, delete it from the catalog too.",
    ),
    entry(
        602,
        "no permission",
        (Fault::Local, Retry::Never),
        "The system does not let the daemon read or write the file: owner, mode, a read-only mount, or a security policy.",
        "Give the folder and its volumes to the user that the storage daemon runs as, and check that the file system is \
         mounted for writing.",
    ),
    entry(
        603,
        "the disk is full",
        (Fault::Local, Retry::Never),
        "There is no room for another byte, or a quota is reached. What was acknowledged before is safe.",
        "Free space, let volumes expire and be pruned, or set a limit for the volumes so that they are recycled earlier.",
    ),
    entry(
        604,
        "the file is another volume, or none",
        (Fault::Local, Retry::Never),
        "The label at the beginning of the file is not that of the volume wanted. The file was not touched.",
        "See what was found in the log line. A file that was renamed or copied needs its own name back; one that is no \
         volume has to go out of the way.",
    ),
    entry(
        605,
        "the volume is shorter than the catalog says",
        (Fault::Local, Retry::Never),
        "Data that was acknowledged is missing at the end of the volume: the disk lost it, or an old copy was put back.",
        "Check the disk. Restore the volume from a copy, or mark it as `Error` so that no more is appended; what is left of \
         it can still be read.",
    ),
    entry(
        606,
        "a block of the volume is damaged",
        (Fault::Local, Retry::Never),
        "The checksum of a block does not fit its bytes, so the disk or the memory changed them.",
        "Check disk and memory of the storage host. Restore from another job or copy; files outside of the damaged place \
         can still be restored.",
    ),
    entry(
        607,
        "the stream to restore is damaged",
        (Fault::Peer, Retry::Never),
        "The file daemon received records that make no sense. Files that were complete before are restored.",
        "Verify the job on its volume. If it is good there, report it with the versions of both daemons.",
    ),
    entry(
        608,
        "the disk failed",
        (Fault::Local, Retry::Backoff),
        "The system reported something that has no code of its own. The log line has its words.",
        "Read the log line, and the kernel's log for errors of the disk.",
    ),
    entry(
        609,
        "nothing that the fileset names exists",
        (Fault::Config, Retry::Never),
        "None of the paths in the fileset's `files` is on this client, so there was nothing to save. A backup of nothing is \
         not taken for a good one.",
        "Correct the paths, or mount the file system they are on. The job's log has a line for each of them.",
    ),
];
