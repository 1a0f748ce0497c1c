//! `T054`: bytes from outside, and what comes in number.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        540,
        "the connection made no headway",
        (Fault::Bug, Retry::Backoff),
        "The bytes of the peer led this daemon in a circle. It noticed, and ended this one connection instead of standing \
     still with all of them.",
        "Report it with the versions of both daemons and the lines of the log around it. Running the job again may help.",
    ),
    entry(
        541,
        "a daemon had more to say of single files than is said of one job",
        (Fault::Local, Retry::Never),
        "Of the files and volumes of one job a daemon reports the first 2,000 lines, or 1 MiB of them. The rest was counted. \
         The numbers of files and errors in the job's report count all.",
        "Look at the lines that are there: as a rule they have one cause, such as a folder that the daemon may not read. \
         Put it right or exclude it.",
    ),
    entry(
        542,
        "the daemons of a job said more than is kept of one job",
        (Fault::Peer, Retry::Never),
        "Of what the daemons of one job report, the director keeps 10,000 lines or 4 MiB: at most 4,000 lines at once and \
         200 a second after that. The rest was counted.",
        "See what the client reports so often, in its own log too. A client that is in somebody else's hands could do it on \
         purpose: the director's memory and its catalog are safe.",
    ),
];
