//! `T05`: how the data channel of a job ended, and the dialogue of a console.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        500,
        "the data is complete",
        (Fault::Local, Retry::Never),
        "Everything was sent, or received and stored.",
        "All is as it should be.",
    ),
    entry(
        501,
        "the peer broke the rules of the data stream",
        (Fault::Peer, Retry::Backoff),
        "What came over the data channel is no correct sequence of records. What was stored before it is kept, and the \
         job counts as failed.",
        "Run the job again. If it fails in the same way, report it with the versions of both daemons.",
    ),
    entry(
        502,
        "the peer gave up",
        (Fault::Peer, Retry::Backoff),
        "In the middle of the data the other daemon said that it cannot go on. The log line quotes its words.",
        "The quoted words name the cause, and the log of the daemon that said them has the rest.",
    ),
    entry(
        503,
        "the job was stopped",
        (Fault::Local, Retry::Never),
        "Somebody cancelled the job, or the daemon is stopping. Files that were complete by then stay on the volume.",
        "Run the job again when you want it.",
    ),
    entry(
        504,
        "the data channel was cut",
        (Fault::Network, Retry::Backoff),
        "The connection between file daemon and storage daemon ended before the data did.",
        "The log of the connection has a line with a code of its own, T04 and two digits, which says how it ended. Start \
         with that one.",
    ),
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
        "There are rows with a file index above that of the last file on the volume. A restore would wait for files that \
         nobody has.",
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
    entry(
        509,
        "too many lines were typed ahead",
        (Fault::Local, Retry::Backoff),
        "The console keeps some lines that are typed before the director can take them. This one was dropped.",
        "Wait for the director's answers, or let a script send its lines one after the other.",
    ),
];
