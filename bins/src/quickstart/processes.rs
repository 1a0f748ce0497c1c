//! The daemons as processes of this program's own executable. They end with their parent, however that ends.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use super::state::new_file;
use super::{Failure, News};

/// Lines of a daemon's log that are shown when it fails.
const TAIL: usize = 20;

/// Which daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Storage,
    /// The storage daemon that copies and migrated jobs go to.
    SecondStorage,
    File,
    Director,
}

impl Kind {
    /// What it is.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Storage => "storage daemon",
            Self::SecondStorage => "second storage daemon",
            Self::File => "file daemon",
            Self::Director => "director",
        }
    }

    /// Its word in the hidden command.
    const fn word(self) -> &'static str {
        match self {
            Self::Storage | Self::SecondStorage => "storage",
            Self::File => "file",
            Self::Director => "director",
        }
    }

    /// The name of its log.
    const fn log(self) -> &'static str {
        match self {
            Self::SecondStorage => "second-storage",
            _ => self.word(),
        }
    }
}

/// The daemons that were started. Dropping it ends them, the last one first.
#[derive(Debug, Default)]
pub(super) struct Processes {
    children: Vec<(Kind, Child)>,
}

impl Processes {
    /// Starts a daemon. `news` hears where it listens, and when it has ended.
    pub(super) fn start(
        &mut self,
        kind: Kind,
        config: &Path,
        runtime: &str,
        folder: &Path,
        news: &Sender<News>,
    ) -> Result<(), Failure> {
        let log = new_file(&log_of(folder, kind))?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["daemon", kind.word(), "--until-eof", "--runtime", runtime, "-c"])
            .arg(config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let output = child.stdout.take();
        self.children.push((kind, child));
        let news = news.clone();
        let listen = move || {
            for line in output.into_iter().flat_map(|output| BufReader::new(output).lines()).map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("listening on ").and_then(|text| text.parse().ok()) {
                    let _gone = news.send(News::Listening(kind, address));
                }
            }
            let _gone = news.send(News::Gone(kind));
        };
        thread::Builder::new().name(format!("{}-output", kind.log())).spawn(listen)?;
        Ok(())
    }

    /// Forgets a daemon that has ended.
    pub(super) fn reap(&mut self, kind: Kind) {
        for (_, child) in self.children.iter_mut().filter(|(other, _)| *other == kind) {
            let _status = child.wait();
        }
        self.children.retain(|(other, _)| *other != kind);
    }

    /// Ends a daemon and waits until it has ended; `news` hears of that too.
    pub(super) fn stop(&mut self, kind: Kind) {
        for (_, child) in self.children.iter_mut().filter(|(other, _)| *other == kind) {
            end(child);
        }
        self.children.retain(|(other, _)| *other != kind);
    }

    /// The process id of a daemon.
    pub(super) fn id(&self, kind: Kind) -> Option<u32> {
        self.children.iter().find(|(other, _)| *other == kind).map(|(_, child)| child.id())
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for (_, child) in self.children.iter_mut().rev() {
            end(child);
        }
    }
}

/// Asks a daemon to end and waits for it.
fn end(child: &mut Child) {
    // Not waited for yet, so the id is still this child's.
    if let Some(id) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ended = kill_process(id, Signal::TERM);
    }
    let _status = child.wait();
}

/// The log of a daemon.
pub(super) fn log_of(folder: &Path, kind: Kind) -> PathBuf {
    folder.join(format!("{}.log", kind.log()))
}

/// The last lines of a daemon's log.
pub(super) fn tail(folder: &Path, kind: Kind) -> String {
    let text = std::fs::read_to_string(log_of(folder, kind)).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

/// Bytes a process has read or written so far, Linux's `/proc/PID/io`; none where there is no such file.
pub(super) fn traffic(id: u32) -> Option<Traffic> {
    let text = std::fs::read_to_string(format!("/proc/{id}/io")).ok()?;
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key))?.trim().parse().ok();
    Some(Traffic { read: value("rchar:")?, written: value("wchar:")? })
}

/// What a process has moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    pub(super) read: u64,
    pub(super) written: u64,
}
