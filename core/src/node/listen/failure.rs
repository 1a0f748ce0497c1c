//! Why a listener could not be opened.

use crate::address::Endpoint;
use crate::error::{Explain, Facts, Fault, Retry};
use crate::socket::IoKind;

/// Why a listener could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// The system refused.
    #[error("cannot listen on {on}: {error}")]
    System {
        /// The address wanted.
        on: Endpoint,
        /// What the system said.
        error: IoKind,
    },
    /// The address is of the link of an interface that is not there.
    #[error("cannot listen on {on}: this machine has no such interface")]
    NoInterface {
        /// The address wanted.
        on: Endpoint,
    },
}

impl BindError {
    /// Whether every address of IPv6 was wanted on a machine without IPv6: then those of IPv4 are all.
    #[must_use]
    pub const fn is_of_no_consequence(&self) -> bool {
        match self {
            Self::System { on, error } => {
                on.address.ip.is_ipv6()
                    && on.address.ip.is_unspecified()
                    && matches!(error, IoKind::NoFamily | IoKind::NotAvailable)
            }
            Self::NoInterface { .. } => false,
        }
    }

    const fn kind(&self) -> Option<IoKind> {
        match self {
            Self::System { error, .. } => Some(*error),
            Self::NoInterface { .. } => None,
        }
    }
}

impl Explain for BindError {
    fn facts(&self) -> Facts {
        use Fault::{Config, Local};
        use Retry::{Backoff, Never};
        match self.kind() {
            None => {
                (Config, Backoff, 128, "it is bound when the interface is there; correct `listen` if the name is wrong")
            }
            Some(IoKind::InUse) => (Config, Never, 120, "stop the other program that has this port, or change `port`"),
            Some(IoKind::NotAvailable) => (
                Config,
                // On a machine without IPv6 there never will be one.
                if self.is_of_no_consequence() { Never } else { Backoff },
                122,
                "it is bound as soon as an interface of this host has the address; correct `listen` if it is wrong",
            ),
            Some(IoKind::Denied) => {
                (Local, Never, 123, "choose a port above 1023, or allow this daemon to bind the one it has")
            }
            Some(IoKind::Exhausted) => (
                Local,
                Backoff,
                124,
                "raise the limit of open files of this service; until then it is tried again and again",
            ),
            Some(IoKind::NoFamily) => {
                (Config, Never, 127, "remove this address from `listen`, or switch its family on")
            }
            Some(_) => (Local, Never, 125, "check `listen` and `port`"),
        }
        .into()
    }
}

/// One for each code.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<BindError> {
    let on = || Endpoint::parse("192.0.2.1:9103", 0).unwrap();
    let errors =
        [IoKind::InUse, IoKind::NotAvailable, IoKind::Denied, IoKind::Exhausted, IoKind::NoFamily, IoKind::Other];
    let mut all = errors.map(|error| BindError::System { on: on(), error }).to_vec();
    all.push(BindError::NoInterface { on: on() });
    all
}
