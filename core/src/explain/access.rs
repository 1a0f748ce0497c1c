//! `T0770` to `T0789`: access lists, and the questions of a director to its consoles.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        770,
        "an entry of an access list is no regular expression",
        (Fault::Config, Retry::Never),
        "An entry with one of the letters .()[]|^$+?* is an extended regular expression, and this one cannot be read. Real \
         daemons pass over it; an entry that is to deny something would then allow it.",
        "Correct the expression, or write the name as it is.",
    ),
    entry(
        771,
        "an entry of an access list is never reached",
        (Fault::Config, Retry::Never),
        "The first entry that fits a name decides, and `*all*` fits every name, so what stands after it counts for nothing.",
        "Put denials before `*all*`.",
    ),
];
