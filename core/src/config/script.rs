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
        /// The program and its arguments, separated by blanks; no shell looks at them. `%` and a letter stand for a value of
        /// the job, such as `%i` for its number.
        command: String,
        /// When it runs: `before`, `after`, `always`, or `after_vss` on Windows.
        runs_when: RunsWhen,
        /// Whether it runs on the client, and not on the director.
        runs_on_client: bool = true,
        /// Whether it runs while all is well.
        runs_on_success: bool = true,
        /// Whether it runs when the job has failed or was cancelled.
        runs_on_failure: bool = false,
        /// Whether the job fails if the command does.
        fail_job_on_error: bool = true,
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
