//! `T072`: commands of a job on its client.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        724,
        "a command of a job has failed",
        (Fault::Config, Retry::Never),
        "A command that the job runs on its client before or after it has returned another status than 0, or was ended by a \
         signal. Where the director's configuration lets the job fail on an error it fails; else it counts one.",
        "Read what the command has written: it stands before this line in the job's log. Run it on the client as the user of \
         the file daemon; no shell looks at its words.",
    ),
    entry(
        725,
        "a command of a job took too long",
        (Fault::Config, Retry::Never),
        "It ran longer than `script_time_limit` of the file daemon allows, and was ended with all that it has started. When \
         the daemon itself is to end, a command has a minute.",
        "See what it waits for, or raise `script_time_limit` in the file daemon's configuration.",
    ),
    entry(
        726,
        "a command of a job may not run on this client",
        (Fault::Config, Retry::Never),
        "`allowed_script_dir` of the file daemon names the folders whose programs may be run. This one lies elsewhere, once all \
         links are followed, or its path is not absolute. The job fails.",
        "Put the program itself into one of the folders, not a link to it or a folder below, or name its folder in \
         `allowed_script_dir`.",
    ),
    entry(
        727,
        "a command of a job could not be started",
        (Fault::Config, Retry::Never),
        "The system has no such program, or does not let the user of the file daemon run it.",
        "Write the whole path of the program, and look at its permissions and at the first line of a script.",
    ),
    entry(
        728,
        "a job has too many commands for its client",
        (Fault::Config, Retry::Never),
        "A job runs 32 commands on its client at the most, before and after it together.",
        "Write a script on the client that runs several of them, and let the job run that.",
    ),
    entry(
        729,
        "a command of a job is too long",
        (Fault::Config, Retry::Never),
        "A command that a job runs on its client has 32,768 bytes at the most.",
        "Put its words into a script on the client.",
    ),
];
