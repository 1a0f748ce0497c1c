//! `T065`: bounds of what is done at once for somebody who asks.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        650,
        "an answer is too long for a console",
        (Fault::Config, Retry::Never),
        "An answer that the director makes at once is at most 4 MiB long, and the text in a JSON document 1 MiB, so that no console \
     can fill the director's memory. A text ends with how many lines are left out; a document that is too long is an error.",
        "Ask for less: say `limit=` and `offset=` of a list, or use API mode 0 or 1, in which lists of files and what daemons answer \
     come in parts and have no limit.",
    ),
    entry(
        651,
        "a copy or migration job has found more jobs than it takes",
        (Fault::Config, Retry::Now),
        "One run takes at most 10,000 jobs, each of which waits in the queue as a job of its own. The oldest are taken first.",
        "Run the job again once those have ended: it goes on where it stopped. `select_jobs` and `select_clients` make the choice \
         smaller.",
    ),
];
