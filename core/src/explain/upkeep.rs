//! `T0963` to `T0965`: why a director does not change what its catalog says of volumes.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        963,
        "a volume is in another pool than the command says",
        (Fault::Config, Retry::Never),
        "A command names a volume and a pool, and the volume is in another one. Nothing was done, since one of the two is a mistake.",
        "Name the pool that `list volumes` shows for it, or leave `pool=` out.",
    ),
    entry(
        964,
        "a volume is not purged in its state",
        (Fault::Config, Retry::Never),
        "`purge` takes jobs only from volumes that are Append, Full, Used or Error, as a Bareos director does. One that is Archive, \
         Read-Only, Disabled or Cleaning is kept on purpose, and one that is Purged or Recycle has no jobs.",
        "If its jobs are to go, run `update volume=NAME volstatus=Used` first.",
    ),
    entry(
        965,
        "a volume gets no key for drives that encrypt",
        (Fault::Config, Retry::Never),
        "`update volume=NAME encrypt=yes` gives a volume a key with which a tape drive encrypts. Volumes are files here, which \
         no drive encrypts.",
        "Encrypt the disk that the volumes lie on.",
    ),
];
