//! `T066` to `T0680`: why a file daemon or a storage daemon fails a job.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        660,
        "a daemon of the job is being stopped",
        (Fault::Local, Retry::Backoff),
        "Somebody stops the file daemon or the storage daemon, or its machine. Its jobs end at once, so that it can.",
        "Run the job again when the daemon that the line names is back.",
    ),
    entry(
        661,
        "a daemon took its leave in the middle of a job",
        (Fault::Peer, Retry::Backoff),
        "The daemon at the other end of the data channel said goodbye before the job was over. It had a reason to give up.",
        "Look into the log of that daemon, and at its messages in the report of the job.",
    ),
    entry(
        662,
        "a daemon did not come for its job in time",
        (Fault::Network, Retry::Backoff),
        "The director told the storage daemon to wait for the other end of the data channel. Nobody dialled within \
         `client_connect_wait`.",
        "Check that the daemon that the line names can reach the storage daemon: the address that the director gives it, the \
         port, and the firewalls on the way. Its own log says what it tried.",
    ),
    entry(
        663,
        "the disk workers have stopped",
        (Fault::Local, Retry::Backoff),
        "The threads that read and write files do not answer any more, so the daemon can do nothing for its jobs.",
        "Look in the daemon's log for what stopped them. Start the daemon again, and report the log if it does not say.",
    ),
    entry(
        664,
        "the storage daemon said something else than the file daemon waited for",
        (Fault::Peer, Retry::Backoff),
        "The data channel is a dialogue, step by step. In the step that the line names, the storage daemon refused, or sent \
         another message than this step expects.",
        "The messages of the storage daemon in the report of the job say why. If there are none, look into its log.",
    ),
    entry(
        665,
        "the director did not answer a request for its catalog as expected",
        (Fault::Peer, Retry::Backoff),
        "A storage daemon asks the director's catalog for volumes and records there what it has written. The answer to the step \
         that the line names was another one than it can be.",
        "Look into the director's log: its catalog may be away, full, or without the volume.",
    ),
    entry(
        666,
        "no device is reserved for a job",
        (Fault::Peer, Retry::Never),
        "A director names the device for a job before it starts. This one named none for what the job does: to read, or to \
         append.",
        "Compare the device and the media type of the storage in the director's configuration with those of the storage daemon.",
    ),
    entry(
        667,
        "the director named no volume to read from",
        (Fault::Peer, Retry::Never),
        "A restore, a verify job or a copy reads what the director lists in a bootstrap. None came before the job was to begin, or \
         an empty one.",
        "Update the director. If it is the newest version, report it with the logs of both.",
    ),
    entry(
        668,
        "the director takes back each volume it offers",
        (Fault::Peer, Retry::Backoff),
        "The director offered a volume, and when the storage daemon was about to use it, it was full, used by another job or \
         disabled. That happened several times in a row.",
        "Let fewer jobs write into this pool at a time, or give it more volumes.",
    ),
    entry(
        669,
        "a volume has no label, and the device labels none",
        (Fault::Config, Retry::Never),
        "The volumes that the catalog offers have no label yet, and `label_media: false` keeps this device from labelling them.",
        "Label the volume with another device of this media type, or set `label_media: true` for this one.",
    ),
    entry(
        670,
        "the disk of a device is full",
        (Fault::Local, Retry::Never),
        "Not even one block of a new volume fits onto the disk, so that another volume would not help.",
        "Free space there, or let volumes be recycled: the retention of the pool decides when.",
    ),
    entry(
        671,
        "a file daemon was to be dialled for a job that has its data channel",
        (Fault::Peer, Retry::Never),
        "The director told the storage daemon to dial a passive client after the data channel of the job was begun in another way.",
        "Report it with the versions and the logs of the director and of the storage daemon.",
    ),
    entry(
        672,
        "a daemon sent a command that makes no sense in this job",
        (Fault::Peer, Retry::Never),
        "On the data channel a command came that does not fit what the job does or how far it is. The line quotes it.",
        "Update the older of the two daemons. If both are the newest, report it with their logs.",
    ),
    entry(
        673,
        "the writing storage daemon refused a copy",
        (Fault::Peer, Retry::Backoff),
        "The storage daemon that reads has reached the one that is to write, and that one refused the copy. The line quotes its \
         answer.",
        "The messages of the writing storage daemon say why. Run the copy again when the cause is gone.",
    ),
    entry(
        674,
        "a director sent a command out of turn",
        (Fault::Peer, Retry::Never),
        "What came before in this session rules the command out, which the line names. The file daemon does not guess which of \
         the two is meant.",
        "Report it with the versions and the logs of the director and of the file daemon.",
    ),
    entry(
        675,
        "a director orders a job to begin that is at work",
        (Fault::Peer, Retry::Never),
        "A job does one thing at a time, and the director ordered the next before the end of the last.",
        "Let the director wait for the end of the job. If it is a Towline director, report it.",
    ),
    entry(
        676,
        "the file daemon does not let this director do this",
        (Fault::Config, Retry::Never),
        "The director's resource at the file daemon lists what it may order there, and this is not among it.",
        "If this director is meant to do it, add it to `allowed_job_commands` there.",
    ),
    entry(
        677,
        "the data of a volume are not verified by themselves",
        (Fault::Config, Retry::Never),
        "A verify job compares what is on a volume or on the disk with the catalog. The level Data, which real directors refuse \
         too, is none of these.",
        "Set the level VolumeToCatalog, DiskToCatalog, InitCatalog or Catalog in the job of the director.",
    ),
    entry(
        678,
        "a list of paths on the director could not be read",
        (Fault::Config, Retry::Never),
        "The fileset of the job names a file with paths on the director, or a command there that writes them. The file could not \
         be read, or the command did not end well, took longer than `script_time_limit` of the director allows, or wrote more \
         than a fileset can have. Nothing was saved.",
        "Read the file, or run the command, as the user of the director. A list on the client has a backslash before it in a \
         configuration of Bareos, and stands in `files` in one of Towline.",
    ),
    entry(
        679,
        "a job was told to begin without a storage daemon",
        (Fault::Peer, Retry::Never),
        "The director tells a file daemon which storage daemon to dial, unless that one dials. It did neither before the job was to \
         begin.",
        "Update the director. If it has the newest version, report the logs of both.",
    ),
    entry(
        680,
        "no storage daemon came for the job of a passive client",
        (Fault::Network, Retry::Backoff),
        "The storage daemon dials a passive client. The director said that it was connected, and nothing came.",
        "Check that the storage daemon can reach the port of this file daemon, and that nothing between the two holds it up.",
    ),
];
