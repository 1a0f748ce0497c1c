//! `T0743` to `T0749`: what jobs and consoles order that a director cannot do.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        743,
        "a file is no bootstrap",
        (Fault::Config, Retry::Never),
        "A restore by bootstrap reads a file on the director. In this one a line follows no rule of a bootstrap, or none names a \
         volume.",
        "Name a file that a backup has written with `write_bootstrap`, whole and unchanged.",
    ),
    entry(
        744,
        "a bootstrap needs volumes that are gone",
        (Fault::Config, Retry::Never),
        "The bootstrap names volumes that the catalog does not have: they were deleted, or belong to another director.",
        "If the volumes themselves are there, add them to the catalog under their names with `add`. If not, take their sections \
         out of a copy of the file: the rest can still be restored.",
    ),
    entry(
        746,
        "a console's command was not done for a job",
        (Fault::Config, Retry::Never),
        "A job has a command of a console done before or after it (`console` in `run_scripts`). The director has refused it, or \
         it needs an answer that nobody can give: the line says which. Where the configuration lets the job fail on an error it \
         fails; else it counts one.",
        "Say the same line at a console. One that asks needs yes, or the name that it asks for, in the line.",
    ),
    entry(
        747,
        "a job cannot have this command done",
        (Fault::Config, Retry::Never),
        "Jobs have only such commands of a console done as need nobody beside them: `delete`, `disable`, `enable`, `estimate`, \
         `list`, `prune`, `purge`, `release`, `setbandwidth`, `show`, `status`, `truncate`, `update` and a few more.",
        "Use one of these, or have the schedule of a job of its own do it.",
    ),
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
