//! What happened, line by line: the last lines to read, all of them as a hash to compare.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use towline_core::action::Action;
use towline_core::conn::{FromConn, ToConn};
use towline_core::drive::Step;
use towline_core::event::Event;
use towline_core::notice::Notice;
use towline_core::time::Instant;
use towline_core::work::Work;

/// Lines that are kept to be read.
const KEPT: usize = 2_000;

/// The trace of a world; clones write to the same one.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    now: Arc<AtomicU64>,
    lines: Arc<Mutex<Lines>>,
}

#[derive(Debug)]
struct Lines {
    hash: u64,
    count: u64,
    last: VecDeque<String>,
}

impl Default for Lines {
    fn default() -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, count: 0, last: VecDeque::new() }
    }
}

impl Trace {
    /// Says what time it is.
    pub fn set_now(&self, now: Instant) {
        self.now.store(now.0, Ordering::Relaxed);
    }

    /// Adds a line.
    pub fn line(&self, who: &str, text: &str) {
        let nanos = self.now.load(Ordering::Relaxed);
        let line = format!("{:>6}.{:09} {who} {text}", nanos / 1_000_000_000, nanos % 1_000_000_000);
        let mut lines = self.lock();
        // FNV-1a.
        for byte in line.bytes() {
            lines.hash = (lines.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        lines.count += 1;
        if lines.last.len() == KEPT {
            lines.last.pop_front();
        }
        lines.last.push_back(line);
    }

    /// The hash of all lines, and how many there are.
    #[must_use]
    pub fn hash(&self) -> (u64, u64) {
        let lines = self.lock();
        (lines.hash, lines.count)
    }

    /// The last lines.
    #[must_use]
    pub fn tail(&self, count: usize) -> String {
        let lines = self.lock();
        let skip = lines.last.len().saturating_sub(count);
        lines.last.iter().skip(skip).fold(String::new(), |text, line| text + line + "\n")
    }

    /// The lines that are kept and contain this.
    #[must_use]
    pub fn grep(&self, what: &str) -> Vec<String> {
        self.lock().last.iter().filter(|line| line.contains(what)).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A step of a node in one line.
#[must_use]
pub fn step_line(step: &Step<'_>) -> String {
    match step {
        Step::Event(event) => format!("< {}", event_line(event)),
        Step::Action(action) => format!("> {}", action_line(action)),
    }
}

fn event_line(event: &Event) -> String {
    match event {
        Event::FromConn { conn, message } => format!("conn {}: {}", conn.0, from_conn(message)),
        Event::Done { work, done } => format!("Done {} {}", work.0, variant(&format!("{done:?}"))),
        other => format!("{other:?}"),
    }
}

fn action_line(action: &Action) -> String {
    match action {
        Action::Attach { dial, conn } => format!("Attach {} as conn {}", dial.0, conn.id().0),
        Action::Admit { ticket, conn } => format!("Admit {} as conn {}", ticket.0, conn.id().0),
        Action::ToConn { conn, message } => format!("conn {}: {}", conn.0, to_conn(message)),
        Action::Work { work, request } => format!("Work {} {}", work.0, work_line(request)),
        Action::Notify(Notice::Log { level, text, .. }) => format!("{level:?}: {text}"),
        other => format!("{other:?}"),
    }
}

fn from_conn(message: &FromConn) -> String {
    match message {
        FromConn::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
        FromConn::Authenticated(peer) => format!("Authenticated {}", peer.name),
        other => format!("{other:?}"),
    }
}

fn to_conn(message: &ToConn) -> String {
    match message {
        ToConn::Send(frames) if frames.len() < 4096 => {
            format!("Send {:?}", String::from_utf8_lossy(frames.get(4..).unwrap_or_default()))
        }
        ToConn::Send(frames) => format!("Send {} bytes", frames.len()),
        ToConn::Carry(_) => "Carry".to_owned(),
        other => format!("{other:?}"),
    }
}

/// A piece of work in one line.
#[must_use]
pub fn work_line(work: &Work) -> String {
    match work {
        Work::Disk(work) => variant(&format!("{work:?}")),
        Work::Catalog(request) => variant(&format!("{request:?}")),
        _ => "?".to_owned(),
    }
}

/// The first word of a value's debug form: what it is, without what it holds.
fn variant(text: &str) -> String {
    let end = |c: char| !c.is_alphanumeric() && c != '(';
    text.split(end).next().unwrap_or_default().to_owned()
}
