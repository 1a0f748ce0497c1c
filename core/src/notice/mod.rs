//! What a node has to say to people: lines of the log, text for a terminal, why it ended.

mod view;

#[cfg(test)]
pub(crate) use view::one_of_each as one_of_each_tray_failure;
pub use view::{DaemonView, Health, TrayFailure};

use crate::error::{Code, Fault};

/// A message for the log or the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A line for the log.
    Log {
        /// How important it is.
        level: Level,
        /// Whose fault and which code, where something went wrong.
        cause: Option<(Fault, Code)>,
        /// What happened and what to do, without a line feed. Never holds a secret.
        text: String,
    },
    /// Text for the operator's terminal, as received: with its line feeds.
    Print(String),
    /// The console takes a line: said once for each. Whoever reads the operator's input then posts one `Event::Typed`.
    Ready {
        /// The line answers a question of the director's; else it is a command.
        asks: bool,
    },
    /// The daemon listens on this address: said once per listener, also on standard output.
    Listening(std::net::SocketAddr),
    /// The daemon serves, but what it is for has to wait for this; `None`: for nothing any more.
    Waiting(Option<String>),
    /// The node goes on: the answer to [`Pinged`](crate::event::Event::Pinged).
    Alive,
    /// How much the log says from now on.
    Detail(LogDetail),
    /// What a tray monitor knows of a daemon: said once at the start, and whenever the daemon was asked.
    Watched(Box<DaemonView>),
}

/// How important a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed that a person should look at.
    Error,
    /// Something is odd, and was dealt with.
    Warn,
    /// The milestones of a daemon's day.
    Info,
    /// For developers.
    Debug,
}

/// How much a log says, and where (`wire/2 §1.2`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDetail {
    /// 0: as much as the program was started with. From 1 on what is for developers, from 200 on all that there is.
    pub level: u32,
    /// A file in the daemon's working directory that each line is appended to as well.
    pub trace: Option<String>,
    /// Whether lines of that file begin with the time.
    pub timestamp: bool,
}

/// Why a node ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// The operator asked for it, or the work is done.
    Done,
    /// It could not do what it is for; the log says why. The exit code of the process.
    Failed(u8),
}
