//! Messages that leave the daemon. The core says what goes where, and when it is tried again; a worker makes one try.

use crate::config::MailServer;
use crate::error::{Explain, Facts, Fault, Retry};

/// One try to deliver something. It ends within its time limit.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Delivery {
    /// Hand a mail to its server.
    Mail(Box<Mail>),
    /// Send text to an address of the web.
    Post {
        /// The address: `http://…` or `https://…`.
        url: String,
        /// JSON.
        body: String,
    },
    /// Put lines into the system's log.
    Log {
        /// The number of the facility (RFC 5424 §6.2.1).
        facility: u8,
        /// The program they are of.
        program: String,
        /// Each with the number of its severity (RFC 5424 §6.2.1).
        lines: Vec<(u8, String)>,
    },
    /// Write text to standard error.
    Errors(String),
}

/// A mail.
#[derive(Clone, Debug, PartialEq)]
pub struct Mail {
    /// Who takes it.
    pub server: MailServer,
    /// The addresses.
    pub to: Vec<String>,
    /// One line.
    pub subject: String,
    /// Lines, each with its line feed.
    pub body: String,
}

/// Why something was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Undelivered {
    /// Nobody is there.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// There was no answer in time.
    #[error("the server has not answered within {0} s")]
    TooSlow(u64),
    /// The server does not take it, now or later.
    #[error("the server refuses it: {0}")]
    Refused(String),
    /// The server does not take it now.
    #[error("the server does not take it now: {0}")]
    Busy(String),
    /// The server does not know the user, or another password.
    #[error("the server refuses the login: {0}")]
    Login(String),
    /// There is no encrypted connection.
    #[error("no encrypted connection: {0}")]
    Encryption(String),
    /// A file that it needs cannot be read, or says nothing of use.
    #[error("{0}")]
    Unprepared(String),
    /// The command has not taken it.
    #[error("the command has not sent it: {0}")]
    Command(String),
    /// The file or the system's log has not taken it.
    #[error("it was not written: {0}")]
    Unwritten(String),
}

impl Explain for Undelivered {
    fn facts(&self) -> Facts {
        use Fault::{Config, Local, Network, Peer};
        use Retry::{Backoff, Never};
        match self {
            Self::Unreachable(_) => {
                (Network, Backoff, 952, "check its name and port, and that this machine may connect to it")
            }
            Self::TooSlow(_) => (Peer, Backoff, 953, "look whether it works, or raise `time_limit`"),
            Self::Refused(_) => {
                (Peer, Never, 954, "correct the addresses, or let the server take mail and calls from here")
            }
            Self::Busy(_) => (Peer, Backoff, 955, "its own log says why"),
            Self::Login(_) => (Config, Never, 956, "correct `user`, and the password in `password_file`"),
            Self::Encryption(_) => {
                (Config, Backoff, 957, "set `tls` as the server needs it, and `ca` to who has signed its certificate")
            }
            Self::Unprepared(_) => {
                (Config, Backoff, 958, "correct the path, and let the user of the daemon read the file")
            }
            Self::Command(_) => (Local, Backoff, 959, "run it by hand as the user of the daemon"),
            Self::Unwritten(_) => (
                Local,
                Backoff,
                960,
                "look whether its folder is there, its disk has room, and the user of the daemon may write there",
            ),
        }
        .into()
    }
}

/// One of each, for the tests of codes and texts.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<Undelivered> {
    let text = || "x".to_owned();
    vec![
        Undelivered::Unreachable(text()),
        Undelivered::TooSlow(30),
        Undelivered::Refused(text()),
        Undelivered::Busy(text()),
        Undelivered::Login(text()),
        Undelivered::Encryption(text()),
        Undelivered::Unprepared(text()),
        Undelivered::Command(text()),
        Undelivered::Unwritten(text()),
    ]
}
