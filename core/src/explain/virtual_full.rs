//! `T0880` to `T0887`: why a director makes no virtual full.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        880,
        "there is no full backup that a virtual full could begin with",
        (Fault::Config, Retry::Never),
        "A virtual full takes the newest full backup of the job, its client and its fileset together with the backups since then. \
         The catalog has no such full backup that ended well.",
        "Run the job once with `level=full`. If there should be one, `list jobs` shows how it ended.",
    ),
    entry(
        881,
        "a virtual full of an always incremental job needs a list of jobs",
        (Fault::Config, Retry::Never),
        "Which backups of an always incremental job are taken together is decided by a job with `kind: consolidate`, which lists \
         them. A virtual full that somebody else orders would take all of them.",
        "Run the consolidate job, or name the jobs: `run job=NAME level=virtualfull jobid=1,2,3`.",
    ),
    entry(
        882,
        "a job cannot be part of a virtual full",
        (Fault::Config, Retry::Never),
        "Of the jobs that were named for a virtual full, one is not in the catalog, is no backup, has not ended well or is of \
         another client than the virtual full.",
        "Look at the job with `list jobid=N`, and name backups of the client that ended well.",
    ),
    entry(
        883,
        "the lists of files of a virtual full's jobs are gone",
        (Fault::Local, Retry::Never),
        "Which version of a file is the newest is known from the lists of files in the catalog. Those of some of the jobs were \
         pruned or purged.",
        "Run the job with `level=full`, and make the client's `file_retention` longer than the time between two virtual fulls.",
    ),
    entry(
        884,
        "the jobs of a virtual full have no files",
        (Fault::Config, Retry::Never),
        "The backups that were to be taken together have saved nothing, or the later ones say of each file of the earlier ones \
         that it was deleted.",
        "See with `list files jobid=N` what they have. If the client has files, correct the fileset and run a full backup.",
    ),
    entry(
        885,
        "a virtual full would be read by several storage daemons",
        (Fault::Config, Retry::Never),
        "The backups that are taken together lie on storages of several storage daemons. One reads all of them, and writes the \
         virtual full or sends it to another one. Nothing was read or written.",
        "Bring the backups to one storage daemon with a job of `kind: migrate`, by `run job=NAME jobid=N` for each. Or give the \
         next pool a storage of the daemon that has the backups, so that what follows lies together.",
    ),
    entry(
        886,
        "a virtual full has not all its files",
        (Fault::Peer, Retry::Backoff),
        "The storage daemon says that it ended well, but it has written another number of files than were selected in the catalog. \
         The virtual full counts as failed, and the backups that it is made of stay.",
        "Run it again. If it happens again, verify these backups with a verify job each.",
    ),
    entry(
        887,
        "another virtual full of the same always incremental job has not ended",
        (Fault::Config, Retry::Never),
        "Two virtual fulls of one always incremental job could take the same backups together, and the first to end would purge what \
         the second still reads. The later one is cancelled.",
        "Wait for the one that the line names. The next run of the consolidate job takes what is left.",
    ),
];
