//! Why a listener could not be opened.

use std::net::SocketAddr;

use crate::error::{Code, Explain, Fault, Retry};
use crate::event::IoKind;

/// Why a listener could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot listen on {on}: {error}")]
pub struct BindError {
    /// The address wanted.
    pub on: SocketAddr,
    /// What the system said.
    pub error: IoKind,
}

impl Explain for BindError {
    fn fault(&self) -> Fault {
        match self.error {
            IoKind::InUse | IoKind::NotAvailable => Fault::Config,
            _ => Fault::Local,
        }
    }

    fn retry(&self) -> Retry {
        match self.error {
            IoKind::InUse | IoKind::NotAvailable | IoKind::Denied => Retry::Never,
            _ => Retry::Backoff,
        }
    }

    fn code(&self) -> Code {
        Code(match self.error {
            IoKind::InUse => 120,
            IoKind::NotAvailable => 122,
            IoKind::Denied => 123,
            IoKind::Exhausted => 124,
            _ => 125,
        })
    }

    fn help(&self) -> &'static str {
        match self.error {
            IoKind::InUse => "stop the other program that has this port, or change `port`",
            IoKind::NotAvailable => "correct `listen`: no interface of this host has the address now",
            IoKind::Denied => "choose a port above 1023, or allow this daemon to bind the one it has",
            IoKind::Exhausted => "raise the limit of open files of this service",
            _ => "check `listen` and `port`",
        }
    }
}

/// One for each code.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<BindError> {
    let on = ([192, 0, 2, 1], 9103).into();
    let errors = [IoKind::InUse, IoKind::NotAvailable, IoKind::Denied, IoKind::Exhausted, IoKind::Other];
    errors.map(|error| BindError { on, error }).to_vec()
}
