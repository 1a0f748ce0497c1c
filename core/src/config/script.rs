//! Commands that a job runs beside its data.

use serde::{Deserialize, Serialize};

use super::resource::resources;

/// When a command of a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunsWhen {
    /// Before its data move.
    Before,
    /// When it has ended.
    After,
    /// Both.
    Always,
    /// Before, on a client with Windows: once its snapshot is there.
    AfterVss,
}

resources! {
    /// A command that a job runs on its client or on the director, before or after it (`wire/2 §1.9`).
    RunScript {
        /// The program and its arguments, separated by blanks; no shell looks at them. Or, with `console`, a line as a person
        /// writes it. `%` and a letter stand for a value of the job, such as `%i` for its number.
        command: String,
        /// Whether `command` is one of a console, with all rights: then the director itself does it, wherever else it would
        /// run. Which there can be: [`JOB_COMMANDS`].
        console: bool = false,
        /// When it runs: `before`, `after`, `always`, or `after_vss` on Windows.
        runs_when: RunsWhen,
        /// Whether it runs on the client, and not on the director; what a console does is always for the director.
        runs_on_client: bool = true,
        /// Whether it runs while all is well.
        runs_on_success: bool = true,
        /// Whether it runs when the job has failed or was cancelled.
        runs_on_failure: bool = false,
        /// Whether the job fails if the command does.
        fail_job_on_error: bool = true,
    }
}

/// The commands of a console that a job may have done, by their names: those that real directors allow there.
pub const JOB_COMMANDS: &[&str] = &[
    ".actiononpurge",
    ".bvfs_cleanup",
    ".bvfs_get_jobids",
    ".bvfs_lsdirs",
    ".bvfs_lsfiles",
    ".bvfs_restore",
    ".bvfs_update",
    ".bvfs_versions",
    ".clients",
    ".consoles",
    ".jobdefs",
    ".jobs",
    ".jobstatus",
    ".locations",
    ".media",
    ".mediatypes",
    ".msgs",
    ".pools",
    ".profiles",
    ".storages",
    ".users",
    "delete",
    "disable",
    "enable",
    "estimate",
    "export",
    "import",
    "list",
    "llist",
    "memory",
    "move",
    "prune",
    "purge",
    "release",
    "reload",
    "setbandwidth",
    "setdebug",
    "setdevice",
    "show",
    "status",
    "time",
    "trace",
    "truncate",
    "update",
    "version",
    "whoami",
];

/// Whether a line for a console may be one of [`JOB_COMMANDS`], whose beginning is enough.
#[must_use]
pub fn may_be_done_by_a_job(line: &str) -> bool {
    let word = line.split(|c: char| c.is_whitespace() || c == '=').find(|word| !word.is_empty());
    word.is_some_and(|word| {
        let word = word.to_ascii_lowercase();
        JOB_COMMANDS.iter().any(|command| command.starts_with(&word))
    })
}

impl RunScript {
    /// Whether it runs on the client.
    #[must_use]
    pub const fn is_for_client(&self) -> bool {
        self.runs_on_client && !self.console
    }
}

impl RunsWhen {
    /// The bits of `When=` (`wire/2 §1.9`).
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::After => 1,
            Self::Before => 2,
            Self::Always => 3,
            Self::AfterVss => 4,
        }
    }
}
