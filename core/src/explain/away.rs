//! `T0996` and `T0997`: clients that are away.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        996,
        "the client of a job was away for too long",
        (Fault::Network, Retry::Backoff),
        "The job has `wait_for_client`. When its turn came, no connection of the client that waits gave a sign of life, the client could \
         not be dialled where the director may dial it, and it did not come until that time was over. The job has taken no storage and \
         has saved nothing.",
        "See whether the machine is switched on and the file daemon runs. Raise `wait_for_client` if the machine is often away for longer, \
         or set `run_on_incoming_connect_interval` where the client dials in, so that its return starts the job.",
    ),
    entry(
        997,
        "a job is due while a fuller one still waits for its client",
        (Fault::Network, Retry::Backoff),
        "A schedule starts a job, and one of the same name waits for its client (`wait_for_client`) which will save more: a full backup \
         where this is an incremental one, for example. That one goes on waiting, and this one is not ordered. One that saves as much \
         or less would have given way.",
        "Nothing: the job that waits saves all that this one would have.",
    ),
];
