//! `T057` to `T059`: why a director fails a job.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        571,
        "a daemon said something else than the job waited for",
        (Fault::Peer, Retry::Backoff),
        "A job is a dialogue of the director with its daemons, step by step. In the step that the line names, a daemon refused, \
         or sent another message than this step expects.",
        "Look at the messages of that daemon before the line: they say why it refused. If there are none, look into its log.",
    ),
    entry(
        572,
        "the file daemon gave up",
        (Fault::Peer, Retry::Backoff),
        "The file daemon ended its part of the job before the director asked for its end.",
        "The file daemon's messages in the report of the job say why.",
    ),
    entry(
        573,
        "a storage daemon of a copy gave up",
        (Fault::Peer, Retry::Backoff),
        "A copy has a storage daemon that reads and one that writes. One of them ended with errors, so the copy cannot be good; \
         the original is as it was.",
        "The messages of that storage daemon say why. Run the copy again when the cause is gone.",
    ),
    entry(
        574,
        "the file daemon has not noticed that the storage daemon failed",
        (Fault::Network, Retry::Backoff),
        "The storage daemon has failed the job and closed the data channel. The file daemon should have noticed within seconds, \
         and goes on as if nothing had happened.",
        "Something between the two keeps the end of the connection from the file daemon: look at the firewalls and gateways on \
         the way, and switch heartbeats on.",
    ),
    entry(
        575,
        "one daemon has ended the job and the other is silent",
        (Fault::Network, Retry::Backoff),
        "Both daemons of a job end their parts within moments of each other. One has, and nothing came from the other for longer \
         than three of its heartbeats. Where the first one has ended well, the other has an hour as long as its heartbeats come \
         (T0994).",
        "See whether the silent daemon hangs, for example on a disk. If it does not, the network has lost its connection to the \
         director: switch heartbeats on.",
    ),
    entry(
        576,
        "a storage daemon floods the catalog with requests",
        (Fault::Peer, Retry::Backoff),
        "A storage daemon sends one request and waits for its answer. This one has sent more at once than the director keeps.",
        "Update the storage daemon. If it is the newest, report the director's log.",
    ),
    entry(
        577,
        "a storage daemon asks for what no catalog has",
        (Fault::Peer, Retry::Backoff),
        "The director does not know this request of the storage daemon, or cannot read it.",
        "Update the older of the two daemons.",
    ),
    entry(
        578,
        "the search for a volume does not end",
        (Fault::Bug, Retry::Backoff),
        "The director looks for a volume and records that it is in use. Fifty times the volume had changed in between.",
        "Run the job again. If it happens again, report it with the list of the pool's volumes.",
    ),
    entry(
        579,
        "the catalog answered another question",
        (Fault::Bug, Retry::Backoff),
        "The answer of the catalog does not belong to what the job has asked.",
        "Report it with the director's log.",
    ),
    entry(
        580,
        "a passive client has no address for the storage daemon",
        (Fault::Config, Retry::Never),
        "The storage daemon dials a passive client, and the configuration has no address of the client that it could use.",
        "Give the client an `address`; or give both of them a network or a LAN address. Without `passive` the client dials.",
    ),
    entry(
        581,
        "a resource of the job is gone",
        (Fault::Config, Retry::Never),
        "The job was ordered with a client or storage that the configuration no longer has.",
        "Put the resource back, or run a job that does without it.",
    ),
    entry(
        582,
        "the file daemon is too old to be passive",
        (Fault::Peer, Retry::Never),
        "The client is configured as passive. Its file daemon is of a version that no storage daemon can dial.",
        "Update the file daemon, or remove `passive` from the client, so that it dials the storage daemon itself.",
    ),
    entry(
        583,
        "there is no backup to verify",
        (Fault::Config, Retry::Never),
        "A verify job looks at a backup that ended well: the one it was given, or the newest of its client or of its \
         `verify_job`. There is none.",
        "Run the backup, or add `jobid=` with the number of another one.",
    ),
    entry(
        584,
        "the catalog no longer knows the files of this job",
        (Fault::Local, Retry::Never),
        "The list of files was pruned when its retention was over, so there is nothing to compare the volume with.",
        "Verify a younger job, or let the files of this client be kept longer.",
    ),
    entry(
        585,
        "the job is stored on several storages",
        (Fault::Config, Retry::Never),
        "A verify job, or a copy, reads from one storage. The volumes of this job belong to more than one.",
        "Restore the job instead, which reads from one storage after the other, or run the backup again onto one.",
    ),
    entry(
        586,
        "the storage of a job is not configured",
        (Fault::Config, Retry::Never),
        "The catalog says on which storage the job lies, and the configuration has no storage of this name.",
        "Put the storage back under the name in the line.",
    ),
    entry(
        587,
        "another job copies the same one",
        (Fault::Config, Retry::Backoff),
        "Of two copies or migrations of one job the one with the lower number goes on.",
        "Wait for it to end. Then run this one again, if it is still needed.",
    ),
    entry(
        588,
        "there is no backup to copy",
        (Fault::Config, Retry::Never),
        "Only a backup that ended well can be copied or migrated, and the job that was named is none.",
        "Name another one: `list jobs` shows which ended well.",
    ),
    entry(
        589,
        "copies of a pool have nowhere to go",
        (Fault::Config, Retry::Never),
        "A copy goes to the `next_pool` of its original's pool, and there to the `storage` of that pool. One of the two is not set.",
        "Set what the line names.",
    ),
    entry(
        590,
        "a copy would go to the storage of its original",
        (Fault::Config, Retry::Never),
        "The storage of the next pool is the one that has the original.",
        "Give the next pool a storage of its own.",
    ),
    entry(
        591,
        "the job that goes with another one failed",
        (Fault::Peer, Retry::Backoff),
        "A copy is two jobs, one that reads and one that writes, and so is a virtual full from one storage daemon to another. \
         Neither is of use without the other.",
        "The report of the other job says why: `list joblog jobid=` with the number in the line.",
    ),
    entry(
        592,
        "the job that wrote a copy did not end well",
        (Fault::Peer, Retry::Backoff),
        "What was written is not taken for a copy. The original is as it was.",
        "The report of the writing job says why. Run the copy again when the cause is gone; the volume has room for it.",
    ),
    entry(
        593,
        "a storage daemon of a copy has not said how it ended",
        (Fault::Peer, Retry::Backoff),
        "Without the figures of both storage daemons nobody knows whether the copy is complete, so it does not count.",
        "Look into the log of that storage daemon, then run the copy again.",
    ),
    entry(
        594,
        "a copy is not complete",
        (Fault::Peer, Retry::Backoff),
        "The writing storage daemon has stored fewer files than the original has.",
        "Run the copy again. If it falls short again, verify the original: its volume may be damaged.",
    ),
    entry(
        595,
        "there is no such storage",
        (Fault::Config, Retry::Never),
        "The name is that of no storage of the director's configuration.",
        "Correct the name, or add the storage.",
    ),
    entry(
        596,
        "there is no such client",
        (Fault::Config, Retry::Never),
        "The name is that of no client of the director's configuration.",
        "Correct the name: `list clients` shows those there are.",
    ),
    entry(
        597,
        "there is nothing to offer for TLS",
        (Fault::Config, Retry::Never),
        "TLS is switched on towards this daemon, there is no certificate for it, and this build has no pre-shared keys.",
        "Configure a certificate, or use a build with pre-shared keys.",
    ),
    entry(
        598,
        "a step of another kind of job",
        (Fault::Bug, Retry::Never),
        "The director has led a job through a step that belongs to jobs of another kind.",
        "Report it with the report of the job: `list joblog jobid=` prints it.",
    ),
    entry(
        599,
        "a pool of another catalog",
        (Fault::Config, Retry::Never),
        "The job is recorded in one catalog, and the pool that it is to write to is in another: volumes and the jobs on them \
         are always in the same one.",
        "Let the pools of the job, and the next pools of these, name the same `catalog` or none. Which one a job is recorded \
         in, its pool says before the job itself and its client.",
    ),
];
