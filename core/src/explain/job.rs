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
        509,
        "too many lines were typed ahead",
        (Fault::Local, Retry::Backoff),
        "The console keeps some lines that are typed before the director can take them. This one was dropped.",
        "Wait for the director's answers, or let a script send its lines one after the other.",
    ),
];
