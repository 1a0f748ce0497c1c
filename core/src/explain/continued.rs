//! Restores that were cut: T0970.

use super::{Page, entry};
use crate::error::{Fault, Retry};

/// In the order of their codes.
pub(super) const PAGES: &[Page] = &[entry(
    970,
    "a restore cannot be continued",
    (Fault::Config, Retry::Never),
    "`restore continue` goes on with a restore that was cut. It needs the job, which files that was to restore, and the backups \
     that have them, all from the catalog: the line says which of these is not there. A restore from a bootstrap keeps no list of \
     files, and one of tens of thousands of single files keeps none either.",
    "Run the whole restore again. With `replace=ifnewer` or `replace=never` what is there already stays as it is, although it is \
     sent once more.",
)];
