//! What a role hears of a dial before it ends: each try that has failed, and what was found out on the way.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::conn::DialFailure;
use crate::error::{Code, Explain};
use crate::explain;

/// News of a dial under way, a sentence each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialNews {
    /// A try of all addresses has failed, and there will be another. Each of the first ten is told, and each whose cause is
    /// another than before; the others once a minute.
    Failed {
        /// Why.
        failure: DialFailure,
        /// Tries that have failed so far.
        tries: u32,
        /// How many of them, just before this one, were not told.
        unsaid: u32,
        /// The pause before the next try.
        again: Duration,
    },
    /// Only small packets get through: the connection uses them, slower than it could be.
    SmallOnly {
        /// The address.
        to: SocketAddr,
    },
}

impl DialNews {
    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Failed { failure, .. } => failure.code(),
            Self::SmallOnly { .. } => Code(130),
        }
    }
}

impl fmt::Display for DialNews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code();
        match self {
            Self::Failed { failure, tries, unsaid, again } => {
                let seconds = again.as_secs();
                write!(f, "{failure} ({code}); {}. Failed tries: {tries}", failure.help())?;
                if *unsaid > 0 {
                    write!(f, " ({} since this was last said)", unsaid + 1)?;
                }
                write!(f, "; the next in {seconds} s")
            }
            Self::SmallOnly { to } => {
                let remedy = explain::page(code).map_or("", |page| page.remedy);
                write!(
                    f,
                    "{to} is reached with small packets only, after a connection with large ones stood still: they may be \
                     lost on the way ({code}). {remedy}"
                )
            }
        }
    }
}
