//! `T0743` to `T0749`: what jobs and consoles order that a director cannot do.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        748,
        "a pool makes no name for a new volume",
        (Fault::Config, Retry::Never),
        "The pool's `label_format` has variables, and what they stand for in this job makes no name that a volume can have: a \
         blank in the name of a job, for instance, or a part that is longer than the value.",
        "Correct the `label_format`, try it with `var` of a console, or label a volume by hand.",
    ),
    entry(
        749,
        "the name for a new volume is taken",
        (Fault::Config, Retry::Never),
        "The variables in the pool's `label_format` come to the name of a volume that is there, and nothing in it counts.",
        "Put one of the `counters` into it, with a + after its name, or label a volume by hand.",
    ),
];
