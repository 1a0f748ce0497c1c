//! Volumes in stores of objects: T0971 to T0979.

use super::{Page, entry};
use crate::error::{Fault, Retry};

/// In the order of their codes.
pub(super) const PAGES: &[Page] = &[
    entry(
        971,
        "kind and address of a device do not go together",
        (Fault::Config, Retry::Never),
        "A device of kind `object` has the address of a store as its `archive_device`: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, \
         az://CONTAINER/PREFIX, or file:///FOLDER. A device of kind `file` has a folder.",
        "Write `kind: object` beside an address, or the name of a folder without it.",
    ),
    entry(
        972,
        "a setting of a store makes no sense",
        (Fault::Config, Retry::Never),
        "Keys stand in one place: in a file, in the configuration, or in the environment. Settings of a store belong to a \
         device of kind `object`, and those of a server to none that is a folder. One store has one way to it, for all devices. \
         The command of `secure_erase_command` is for files: what lies in a store is deleted as the store deletes.",
        "Keep one of the settings that the line names, and remove the other.",
    ),
    entry(
        973,
        "the store would be reached in clear text",
        (Fault::Config, Retry::Never),
        "The address of the store begins with http:// and is that of another machine, so whoever is on the way could read and \
         change the volumes. The keys themselves are not sent.",
        "Use the server's https address, with `tls_ca` if its authority is your own; or set `clear_text: true` if a tunnel \
         protects the way there.",
    ),
    entry(
        974,
        "the store refuses access",
        (Fault::Config, Retry::Never),
        "The server does not know the access key, the signature made with the secret key is wrong, or the key is not allowed to \
         do this. A clock that is wrong by more than 15 minutes makes every signature wrong. The line has the server's words.",
        "Correct the keys, allow them to list, read, write and delete below the prefix, and look at the clock of this machine. \
         Nothing that was stored before is lost.",
    ),
    entry(
        975,
        "the store has no such bucket",
        (Fault::Config, Retry::Never),
        "The server was reached and took the keys, but it has no bucket or container of this name. Towline makes none.",
        "Make the bucket with the tools of the store, or correct its name in `archive_device`.",
    ),
    entry(
        976,
        "the store is away",
        (Fault::Network, Retry::Backoff),
        "The server could not be reached, did not answer in time, or answered with failures of its own, for as long as \
         `retry_for` of the device says. Each request was tried again with growing pauses. What the catalog knows is stored.",
        "Find out what the server and the way to it suffer from; the line has the last failure. If it is away for longer at \
         times, raise `retry_for`.",
    ),
    entry(
        977,
        "the store does not hold what it has taken",
        (Fault::Peer, Retry::Never),
        "A part that the server had said it stored is missing, has another length, or holds other bytes. The job that wrote it \
         has failed, so nobody relies on it; of a volume that is read only what lay in that part is lost.",
        "Look into the server's log and at its disks. Check the volume with `towline volume check`, and run or copy the jobs \
         again that it names.",
    ),
    entry(
        978,
        "two storage daemons write to one volume in a store",
        (Fault::Config, Retry::Never),
        "A part was to be written where somebody else has put one since the volume was mounted. Parts are never overwritten, so \
         both daemons' data is there up to this place.",
        "Let only one storage daemon have this bucket and prefix. Then give the volume the status Used, so that jobs go to another.",
    ),
    entry(
        979,
        "the store of a device cannot be used",
        (Fault::Config, Retry::Never),
        "The address leads to no store, its keys or authorities cannot be read, others than their owner may read the file with \
         the keys, or this program is built without this kind of store.",
        "See the line for which it is. A file with keys belongs to the user of the storage daemon and has mode 0600.",
    ),
];
