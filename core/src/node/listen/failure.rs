//! Why a listener could not be opened.

use crate::address::Endpoint;
use crate::error::{Code, Explain, Fault, Retry};
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
    fn fault(&self) -> Fault {
        match self.kind() {
            None | Some(IoKind::InUse | IoKind::NotAvailable | IoKind::NoFamily) => Fault::Config,
            Some(_) => Fault::Local,
        }
    }

    fn retry(&self) -> Retry {
        match self.kind() {
            _ if self.is_of_no_consequence() => Retry::Never,
            None | Some(IoKind::NotAvailable | IoKind::Exhausted) => Retry::Backoff,
            Some(_) => Retry::Never,
        }
    }

    fn code(&self) -> Code {
        Code(match self.kind() {
            None => 128,
            Some(IoKind::InUse) => 120,
            Some(IoKind::NotAvailable) => 122,
            Some(IoKind::Denied) => 123,
            Some(IoKind::Exhausted) => 124,
            Some(IoKind::NoFamily) => 127,
            Some(_) => 125,
        })
    }

    fn help(&self) -> &'static str {
        match self.kind() {
            None => "it is bound when the interface is there; correct `listen` if the name is wrong",
            Some(IoKind::InUse) => "stop the other program that has this port, or change `port`",
            Some(IoKind::NotAvailable) => {
                "it is bound as soon as an interface of this host has the address; correct `listen` if it is wrong"
            }
            Some(IoKind::Denied) => "choose a port above 1023, or allow this daemon to bind the one it has",
            Some(IoKind::Exhausted) => "raise the limit of open files of this service; it is tried again until then",
            Some(IoKind::NoFamily) => "remove this address from `listen`, or switch its family on",
            Some(_) => "check `listen` and `port`",
        }
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
