//! Where notices go: the log on standard error, text for the operator on standard output.

use std::sync::mpsc::SyncSender;

use towline_core::error::{Code, Fault};
use towline_core::notice::{Level, Notice};
use towline_core::printable;
use tracing::level_filters::LevelFilter;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, reload};

use super::trace::DETAIL;
use super::{say, supervisor};
use crate::hands::Log;

/// Makes the log of a program.
#[derive(Clone, Debug, Default)]
pub struct Sink {
    ready: Option<SyncSender<()>>,
}

impl Sink {
    /// The log of a daemon.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The log of a console: says on this channel when a line is wanted.
    #[must_use]
    pub const fn with_ready(ready: SyncSender<()>) -> Self {
        Self { ready: Some(ready) }
    }

    /// As a function for the hands.
    #[must_use]
    pub fn into_log(self) -> Log {
        Box::new(move |notice| match notice {
            Notice::Log { level, cause, text } => log(level, cause, &text),
            Notice::Print(text) => say(&text),
            Notice::Ready { .. } => {
                if let Some(ready) = &self.ready {
                    // One permit is enough: the reader asks for the next one only after its line was taken.
                    let _full = ready.try_send(());
                }
            }
            // A tray monitor's own program shows them.
            Notice::Watched(_) => {}
            Notice::Detail(detail) => DETAIL.set(&detail),
            Notice::Alive => supervisor::alive(),
            Notice::Waiting(what) => supervisor::waits(what),
            Notice::Listening(address) => {
                tracing::info!("listening on {address}");
                if !is_one_place() {
                    say(&format!("listening on {address}\n"));
                }
                supervisor::serves(&format!("listening on {address}"));
            }
        })
    }
}

/// Whether standard output and standard error go to the same place, where a line is wanted once.
fn is_one_place() -> bool {
    match (rustix::fs::fstat(std::io::stdout()), rustix::fs::fstat(std::io::stderr())) {
        (Ok(out), Ok(errors)) => (out.st_dev, out.st_ino) == (errors.st_dev, errors.st_ino),
        _ => false,
    }
}

/// Starts the log of this process; a second call does nothing.
pub fn start_log(verbose: u8, quiet: bool) {
    let level = match verbose + u8::from(!quiet) {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let (filter, handle) = reload::Layer::new(level);
    let log = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let trace = fmt::layer().with_writer(|| &DETAIL).with_timer(&DETAIL).with_ansi(false).with_target(false);
    if tracing_subscriber::registry().with(filter).with(log).with(trace).try_init().is_ok() {
        DETAIL.begin(level, handle);
    }
}

fn log(level: Level, cause: Option<(Fault, Code)>, text: &str) {
    let text = match cause {
        Some((fault, code)) => format!("{code} ({}): {text}", fault.place()),
        None => text.to_owned(),
    };
    // A peer's words may be in it: they must not make a second line.
    let text = printable::line(&text);
    match level {
        Level::Error => tracing::error!("{text}"),
        Level::Warn => tracing::warn!("{text}"),
        Level::Info => tracing::info!("{text}"),
        Level::Debug => tracing::debug!("{text}"),
    }
}
