//! What a tray monitor tells of a daemon, and why one cannot be looked at.

use std::time::Duration;

use crate::conn::{CloseReason, DialFailure};
use crate::error::{Explain, Facts, Fault, NoOffer, Retry};
use crate::ids::Who;
use crate::time::Wall;
use crate::wire::status_reply::StatusReply;

/// What is known of one daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonView {
    /// Its place: directors first, then file daemons, then storage daemons, each in the order of the configuration.
    pub place: usize,
    /// What it is.
    pub who: Who,
    /// Its name in the monitor's configuration.
    pub name: String,
    /// Host and port, as configured.
    pub address: String,
    /// How it answered the last time it was asked.
    pub health: Health,
    /// When that was; zero before the first time.
    pub asked: Wall,
    /// How the connection is protected, as `TLS_AES_128_GCM_SHA256 TLSv1.3` or `None`; empty without one.
    pub encryption: String,
    /// What it said the last time it answered: of the past if it does not answer any more.
    pub status: StatusReply,
    /// The same as it was printed.
    pub text: String,
}

/// How a daemon answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Not yet: it is being asked for the first time.
    Unknown,
    /// It has answered.
    Reachable,
    /// It has not.
    Unreachable(TrayFailure),
}

/// Why a daemon could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrayFailure {
    /// It could not be reached, or refused our login.
    #[error(transparent)]
    Dial(#[from] DialFailure),
    /// The connection ended before the answer did.
    #[error("connection lost: {0}")]
    Lost(CloseReason),
    /// What is configured cannot be dialled with; the text says why.
    #[error("{0}")]
    Setup(NoOffer),
    /// The time is over.
    #[error("no answer within {} s: {doing} took too long", within.as_secs())]
    Late {
        /// What was under way.
        doing: &'static str,
        /// How long it was given.
        within: Duration,
    },
    /// It greets us with words that are no greeting.
    #[error("it answers the hello with: {0}")]
    Greeting(String),
    /// It answers, but with no status.
    #[error("it answers with no status: {0}")]
    NoStatus(String),
    /// It says more than a status can have.
    #[error("it says more than {0} bytes where a status was asked for")]
    TooLong(usize),
}

impl Explain for TrayFailure {
    fn facts(&self) -> Facts {
        use Fault::{Config, Network, Peer};
        use Retry::{Backoff, Never};
        match self {
            Self::Dial(failure) => return failure.facts(),
            Self::Lost(reason) => return reason.facts(),
            Self::Setup(why) => return why.facts(),
            Self::Late { .. } => (
                Network,
                Backoff,
                531,
                "look at that daemon: it takes connections but does not answer in time, or raise `timeout`",
            ),
            Self::Greeting(_) => {
                (Peer, Never, 532, "check that the address and port are those of this daemon, not of another one")
            }
            Self::NoStatus(_) => (
                Config,
                Never,
                533,
                "let the monitor ask: `command_acl: [\"status\"]` in the director's `consoles`, `monitor: true` \
                 elsewhere",
            ),
            Self::TooLong(_) => (
                Peer,
                Backoff,
                534,
                "check that the port is that of a backup daemon; if it is, report this with its version",
            ),
        }
        .into()
    }
}

/// One failure for each code of its own.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<TrayFailure> {
    vec![
        TrayFailure::Late { doing: "the status", within: Duration::from_secs(10) },
        TrayFailure::Greeting("220 mail.example".to_owned()),
        TrayFailure::NoStatus("no access".to_owned()),
        TrayFailure::TooLong(1),
    ]
}
