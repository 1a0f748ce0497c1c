//! `T0994` to `T0997`: daemons that do not end their part of a job, and clients that are away.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        994,
        "one daemon has ended the job and the other hangs",
        (Fault::Peer, Retry::Backoff),
        "Both daemons of a job end their parts within moments of each other, or as soon as the last of them has written to its disk \
         what it keeps in memory. One has ended, and the other has sent or answered heartbeats for an hour and said nothing else.",
        "See what the disk of that machine does: a broken one, or a network file system whose server is away, holds a program up for \
         ever. Or the other daemon has said that it has ended, and has not ended its data: see whether the two have a connection with \
         each other still. Restart the daemon if it does not go on by itself, and run the job again.",
    ),
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
