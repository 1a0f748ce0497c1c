//! Why a command of a job has not come to a good end.

use crate::error::{Explain, Facts, Fault, Retry};
use crate::work::script::ScriptOutcome;

/// What is wrong with how a command has ended; each begins with what real daemons call its moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// By itself.
    #[error("Runscript: {label} {how}")]
    Badly {
        /// Its moment, as `ClientBeforeJob`.
        label: &'static str,
        /// In which way.
        how: Badly,
    },
    /// It took longer than it may.
    #[error("Runscript: {0} took longer than `script_time_limit` allows, and was ended")]
    TooLong(&'static str),
    /// It lies in none of the folders it may lie in.
    #[error("Runscript: {label} is not run: {place} is in none of the folders of `allowed_script_dir`")]
    NotAllowed {
        /// Its moment.
        label: &'static str,
        /// Where it lies.
        place: String,
    },
    /// It is one of a console, and was not done.
    #[error("Runscript: {label}: the console command was not done: {why}")]
    Refused {
        /// Its moment.
        label: &'static str,
        /// What the console would have been told.
        why: String,
    },
    /// The system could not start it.
    #[error("Runscript: {label} could not be started: {why}")]
    NotStarted {
        /// Its moment.
        label: &'static str,
        /// What the system said.
        why: String,
    },
}

/// The ways to end badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Badly {
    #[error("returned non-zero status={0}")]
    Status(i32),
    #[error("was ended by signal {0}")]
    Signal(i32),
    #[error("was ended with its job")]
    Stopped,
}

impl Failure {
    /// What is wrong with this outcome; `None` for a good one.
    pub(crate) fn of(outcome: &ScriptOutcome, label: &'static str) -> Option<Self> {
        let badly = |how| Self::Badly { label, how };
        Some(match outcome {
            ScriptOutcome::Exited(0) => return None,
            ScriptOutcome::Exited(status) => badly(Badly::Status(*status)),
            ScriptOutcome::Signalled(signal) => badly(Badly::Signal(*signal)),
            ScriptOutcome::Stopped => badly(Badly::Stopped),
            ScriptOutcome::TooLong => Self::TooLong(label),
            ScriptOutcome::NotAllowed(place) => Self::NotAllowed { label, place: place.clone() },
            ScriptOutcome::NotStarted(why) => Self::NotStarted { label, why: why.clone() },
        })
    }

    /// Whether the job fails with it whatever its director says: one that may not be run fails its job in any case.
    pub(crate) const fn always_fails(&self) -> bool {
        matches!(self, Self::NotAllowed { .. })
    }
}

impl Explain for Failure {
    fn facts(&self) -> Facts {
        use Fault::Config;
        use Retry::Never;
        match self {
            Self::Badly { .. } => (Config, Never, 724, "read what it has written in the lines before this one"),
            Self::TooLong(_) => (Config, Never, 725, "see what it waits for, or raise that limit"),
            Self::NotAllowed { .. } => (Config, Never, 726, "put the program itself there, or name its folder"),
            Self::Refused { .. } => (Config, Never, 746, "say it at a console to see what it takes"),
            Self::NotStarted { .. } => {
                (Config, Never, 727, "write the whole path of the program, and look at its permissions")
            }
        }
        .into()
    }
}

/// One of each that has a code of its own.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<Failure> {
    let label = "ClientBeforeJob";
    vec![
        Failure::Badly { label, how: Badly::Status(1) },
        Failure::TooLong(label),
        Failure::NotAllowed { label, place: "/x".to_owned() },
        Failure::NotStarted { label, why: "x".to_owned() },
        Failure::Refused { label, why: "x".to_owned() },
    ]
}
