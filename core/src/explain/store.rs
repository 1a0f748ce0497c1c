//! `T075` and `T076`: volumes that operators label, and data that is spooled.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        750,
        "there is a volume of this name already",
        (Fault::Local, Retry::Never),
        "A volume was to be labelled, and the file of its name in the folder of the device has a label already. It was not \
     touched: it may hold data.",
        "Choose another name. A volume whose jobs are all gone from the catalog can be labelled anew with `relabel`, or given \
     up with `truncate`.",
    ),
    entry(
        751,
        "the storage daemon has not labelled a volume",
        (Fault::Peer, Retry::Never),
        "A console has had a volume labelled, and the storage daemon could not or would not. The catalog was not changed.",
        "The answer of the storage daemon stands before this line; its log has the cause.",
    ),
    entry(
        752,
        "a volume that still holds jobs is not labelled anew",
        (Fault::Config, Retry::Never),
        "`relabel` gives up all that is on a volume. It takes only volumes whose jobs have all gone from the catalog, or that \
         are to be written from their beginning again.",
        "Look at the volume's jobs. When they may go, let the volume expire, or name one that is purged.",
    ),
    entry(
        753,
        "the catalog has a volume of this name",
        (Fault::Config, Retry::Never),
        "A new volume was to be labelled with a name that the catalog knows as that of a labelled volume. Nothing was done.",
        "Choose a name that `list volumes` does not show.",
    ),
    entry(
        754,
        "the catalog does not have this volume",
        (Fault::Config, Retry::Never),
        "A command names a volume that was never in the catalog, or is there no longer.",
        "Write the name as `list volumes` shows it; upper and lower case differ.",
    ),
    entry(
        755,
        "the spool folder has no room for a single block",
        (Fault::Local, Retry::Never),
        "A job spools its data, and the disk of the spool folder is full though the job holds nothing there. When it holds \
         something a full disk is no error: that goes to the volume first, and there is room again.",
        "Free space in the spool folder, or set `spool_directory` of the device to a folder that has more.",
    ),
    entry(
        756,
        "a spool file was changed",
        (Fault::Local, Retry::Backoff),
        "What a job has put into its spool file came out as something else. The job fails; nothing of it that is wrong goes to \
         a volume.",
        "Keep other programs out of `spool_directory`. If there are none, check the disk.",
    ),
    entry(
        757,
        "a spool folder cannot be looked through",
        (Fault::Local, Retry::Backoff),
        "When the storage daemon starts it removes what jobs had spooled when it was stopped in their midst. It could not look \
         into the folder, or not remove a file there.",
        "See that the folder is there and that the user of the storage daemon may write in it.",
    ),
    entry(
        758,
        "the pools are not in the catalog yet",
        (Fault::Local, Retry::Backoff),
        "A director that starts writes its pools into the catalog. It has not heard yet that this is done, so a volume cannot be \
         added to one of them.",
        "Wait a moment. If it stays so, the director's log says what is wrong with its catalog.",
    ),
    entry(
        759,
        "a volume is kept for a last full backup",
        (Fault::Config, Retry::Never),
        "A volume is full or used and its retention is over, but it holds the newest good full backup of a client and fileset, or a \
         backup that builds on it. Without these the newest state could not be restored, so their age alone does not let them go.",
        "Let a newer full backup be made: then the older one goes. Or say `prune volume=NAME force`, or label one more volume.",
    ),
];
