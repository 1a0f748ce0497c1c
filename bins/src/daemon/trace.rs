//! What a director's `setdebug` does to the log of this process: its level, and a file that has each line too.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use towline_core::error::Code;
use towline_core::explain::complaint;
use towline_core::notice::LogDetail;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::{Registry, reload};

/// The log of this process is one, and so is this.
pub(super) static DETAIL: Detail = Detail(Mutex::new(State { usual: None, trace: None, timestamp: false }));

/// From this level of a director on everything is logged.
const EVERYTHING: u32 = 200;

/// Who may read the trace: the daemon, and the group of its logs.
const MODE: u32 = 0o640;

/// How much the log says, and the file that has it too.
#[derive(Debug)]
pub(super) struct Detail(Mutex<State>);

#[derive(Debug)]
struct State {
    /// The level that the program was started with, and how to change it.
    usual: Option<(LevelFilter, reload::Handle<LevelFilter, Registry>)>,
    /// The file, by its name.
    trace: Option<(String, File)>,
    timestamp: bool,
}

impl Detail {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log has begun.
    pub(super) fn begin(&self, level: LevelFilter, handle: reload::Handle<LevelFilter, Registry>) {
        self.lock().usual = Some((level, handle));
    }

    /// Does what a director has said.
    pub(super) fn set(&self, detail: &LogDetail) {
        // What is logged in here comes to `write`: the lock must be free by then.
        let usual = {
            let mut state = self.lock();
            state.timestamp = detail.timestamp;
            state.usual.clone()
        };
        if let Some((level, handle)) = usual {
            // It lives as long as the log does.
            let _ = handle.reload(wanted(level, detail.level));
        }
        let is_open = self.lock().trace.as_ref().map(|(path, _)| path.clone()) == detail.trace;
        if is_open {
            return;
        }
        let opened = detail.trace.as_ref().map(|path| open(path).map(|file| (path.clone(), file)));
        match opened.transpose() {
            Ok(trace) => self.lock().trace = trace,
            Err(error) => {
                self.lock().trace = None;
                let path = detail.trace.as_deref().unwrap_or_default();
                tracing::warn!("{}", complaint(Code(730), &format!("no trace is written to {path}: {error}")));
            }
        }
    }
}

/// The level that a director's number means; no lower one than the program was started with.
fn wanted(usual: LevelFilter, number: u32) -> LevelFilter {
    match number {
        0 => usual,
        1..EVERYTHING => usual.max(LevelFilter::DEBUG),
        _ => LevelFilter::TRACE,
    }
}

fn open(path: &str) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(MODE).open(path)
}

/// Lines of the log; without a file they are lost here, for the log itself has them.
impl Write for &'static Detail {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.lock().trace {
            Some((_, file)) => file.write(bytes),
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl FormatTime for &'static Detail {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        if self.lock().timestamp { SystemTime.format_time(writer) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_raises_the_level_and_never_lowers_it() {
        use LevelFilter as L;
        for (usual, number, expected) in [
            (L::INFO, 0, L::INFO),
            (L::INFO, 1, L::DEBUG),
            (L::INFO, 199, L::DEBUG),
            (L::INFO, 200, L::TRACE),
            (L::TRACE, 5, L::TRACE),
            (L::TRACE, 0, L::TRACE),
        ] {
            assert_eq!(wanted(usual, number), expected, "{usual} {number}");
        }
    }

    #[test]
    fn a_trace_has_each_line_from_when_it_is_turned_on_until_it_is_turned_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fd.trace").display().to_string();
        let state = State { usual: None, trace: None, timestamp: false };
        let detail: &'static Detail = Box::leak(Box::new(Detail(Mutex::new(state))));
        let turn = |trace: Option<String>| detail.set(&LogDetail { level: 0, trace, timestamp: false });
        let say = |text: &str| (&mut { detail }).write_all(text.as_bytes()).unwrap();
        say("before\n");
        turn(Some(path.clone()));
        say("one\n");
        turn(Some(path.clone()));
        say("two\n");
        turn(None);
        say("after\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        // One that cannot be opened is none; the log goes on.
        turn(Some(folder.path().join("missing/fd.trace").display().to_string()));
        say("lost\n");
        assert!(detail.lock().trace.is_none());
    }
}
