//! `T056`: daemons of one job that contradict each other.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        560,
        "file daemon and storage daemon count different files",
        (Fault::Peer, Retry::Never),
        "Both say that the backup went well, and one of them has counted more files than the other. A part may be missing on \
         the volume, so the job is an error and nothing is restored from it unless you name it.",
        "Run the job again. If the figures differ again, compare the logs of both daemons, and update the older one.",
    ),
    entry(
        561,
        "the storage daemon has fewer bytes than the file daemon sent",
        (Fault::Peer, Retry::Never),
        "What a storage daemon stores is what the file daemon sends, with attributes and digests on top. It can be more, and \
         never less.",
        "Run a verify job of this backup to learn what its volume has, and run the backup again.",
    ),
    entry(
        562,
        "the catalog was told of files that were not stored",
        (Fault::Peer, Retry::Never),
        "Rows came with a file index above that of the last file on the volume. They are left out, for a restore would wait for \
         files that nobody has; the job is an error.",
        "Do not restore from this job. Run it again, and update the storage daemon if it happens again.",
    ),
    entry(
        563,
        "a full backup saved nothing",
        (Fault::Config, Retry::Never),
        "Not one file was saved, and the file daemon counts errors: most often none of the paths of the fileset exists on \
         that client, or the file daemon may not read them. Such a job cannot be what later ones build on.",
        "The job's messages name each path. Correct the fileset, mount what is missing, or give the file daemon the rights.",
    ),
];
