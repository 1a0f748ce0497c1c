//! The file that the file daemon's messages are appended to, so that a daemon that reaches nobody leaves a trace.

use std::collections::VecDeque;

use crate::bulk::work::{DiskDone, DiskWork};
use crate::config::MessageTypes;
use crate::error::{Code, Explain, Fault};
use crate::notice::Level;
use crate::printable;
use crate::quiet::{Quiet, more};
use crate::role::file::Net;
use crate::wire::message::MessageKind;
use crate::work::{Work, WorkDone};

use super::Owner;

/// Lines that wait while others are being written; more are counted and lost.
const WAITING: usize = 256;

/// Bytes of the longest line.
const LINE: usize = 2_048;

/// Writes lines to a file, one piece of work at a time.
#[derive(Debug)]
pub(super) struct Diary {
    path: Option<String>,
    /// The messages that it takes.
    types: MessageTypes,
    waiting: VecDeque<String>,
    lost: u64,
    writing: bool,
    failures: Quiet<()>,
}

impl Diary {
    /// A diary in this file; without one it takes nothing.
    pub(super) fn new(append: Option<(&str, MessageTypes)>) -> Self {
        let (path, types) = append.unzip();
        let (path, types) = (path.map(str::to_owned), types.unwrap_or(MessageTypes::NONE));
        Self { path, types, waiting: VecDeque::new(), lost: 0, writing: false, failures: Quiet::default() }
    }

    /// Goes on in another file, or takes nothing any more.
    pub(super) fn move_to(&mut self, append: Option<(&str, MessageTypes)>) {
        let (path, types) = append.unzip();
        let path = path.map(str::to_owned);
        self.types = types.unwrap_or(MessageTypes::NONE);
        if self.path != path {
            self.path = path;
            self.failures = Quiet::default();
            if self.path.is_none() {
                self.waiting.clear();
            }
        }
    }

    /// Takes a line, without its line feed.
    pub(super) fn note(&mut self, net: &mut Net, kind: MessageKind, line: String) {
        if self.path.is_none() || !self.types.has(kind) {
            return;
        }
        if self.waiting.len() >= WAITING {
            self.lost += 1;
            return;
        }
        let line = printable::line(line.trim_end());
        let mut line = printable::shortened(&line, LINE).into_owned();
        line.push('\n');
        self.waiting.push_back(line);
        self.write(net);
    }

    /// Lines have been written, or could not be.
    pub(super) fn written(&mut self, net: &mut Net, done: &WorkDone) {
        self.writing = false;
        let why = match done {
            WorkDone::Disk(DiskDone::Noted) => None,
            WorkDone::Disk(DiskDone::Failed { error, .. }) => Some(format!("{error}; {}", error.help())),
            _ => Some("the disk workers have stopped".to_owned()),
        };
        if let (Some(why), Some(path)) = (why, &self.path)
            && let Some(unsaid) = self.failures.turn(&(), net.now())
        {
            let text = format!("messages are not appended to {path}: {why}{}", more(unsaid));
            net.log_cause(Level::Warn, (Fault::Local, Code(143)), &text);
        }
        self.write(net);
    }

    fn write(&mut self, net: &mut Net) {
        let Some(path) = self.path.clone().filter(|_| !self.writing && !self.waiting.is_empty()) else {
            return;
        };
        let mut text: String = self.waiting.drain(..).collect();
        if self.lost > 0 {
            text.push_str(&format!("{} more lines were lost: the disk is too slow for them\n", self.lost));
            self.lost = 0;
        }
        self.writing = true;
        net.work(Work::Disk(DiskWork::Note { path, text: text.into_bytes() }), Owner::Diary);
    }
}
