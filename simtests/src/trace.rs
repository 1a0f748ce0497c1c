//! What happened: all of it as a hash to compare, the last of it as lines to read.
//!
//! What is hashed is the events themselves. A line is written only where lines are kept, and that of a segment only when
//! somebody reads it.

mod digest;

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use towline_core::action::Action;
use towline_core::conn::{FromConn, ToConn};
use towline_core::drive::Step;
use towline_core::event::Event;
use towline_core::ids::ConnId;
use towline_core::notice::Notice;
use towline_core::socket::{Ends, IoKind};
use towline_core::time::Instant;
use towline_core::work::Work;

use crate::tcp::Segment;
use digest::Digest;

/// Lines that are kept to be read, unless it is said otherwise.
const KEPT: usize = 2_000;

/// The trace of a world; clones write to the same one.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    now: Arc<AtomicU64>,
    lines: Arc<Mutex<Lines>>,
}

#[derive(Debug)]
struct Lines {
    hash: Digest,
    count: u64,
    kept: usize,
    last: VecDeque<Line>,
}

impl Default for Lines {
    fn default() -> Self {
        Self { hash: Digest::default(), count: 0, kept: KEPT, last: VecDeque::new() }
    }
}

/// A line: when, and what.
#[derive(Clone, Debug)]
struct Line(u64, What);

#[derive(Clone, Debug)]
enum What {
    /// Whose line it is, and the line.
    Text(Arc<str>, String),
    Segment(Sent),
}

/// A segment that was sent, and what became of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    ends: Ends,
    kind: Kind,
    fate: Told,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Syn { longest: usize },
    SynAck { limit: u64, longest: usize },
    Rst,
    Data { at: u64, bytes: usize, fin: bool, ack: u64 },
}

/// What became of a segment, as the trace tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Told {
    /// It is under way.
    Carried,
    /// A link has lost it.
    Lost,
    /// A gateway has, or there is no way: because.
    Stopped(&'static str),
    /// Its sender is told this, because.
    Unreachable(IoKind, &'static str),
    /// Its sender gets a reset, because.
    Reset(&'static str),
}

impl Sent {
    pub(crate) const fn new(ends: Ends, segment: &Segment, fate: Told) -> Self {
        let kind = match segment {
            Segment::Syn { longest, .. } => Kind::Syn { longest: *longest },
            Segment::SynAck { limit, longest, .. } => Kind::SynAck { limit: *limit, longest: *longest },
            Segment::Rst { .. } => Kind::Rst,
            Segment::Data(data) => Kind::Data { at: data.at, bytes: data.bytes.len(), fin: data.fin, ack: data.ack },
        };
        Self { ends, kind, fate }
    }

    fn hash(&self, digest: &mut Digest) {
        digest.ends(self.ends);
        match self.kind {
            Kind::Syn { longest } => [1, longest as u64, 0, 0],
            Kind::SynAck { limit, longest } => [2, longest as u64, limit, 0],
            Kind::Rst => [3, 0, 0, 0],
            Kind::Data { at, bytes, fin, ack } => [4 + u64::from(fin), bytes as u64, at, ack],
        }
        .into_iter()
        .for_each(|word| digest.word(word));
        match self.fate {
            Told::Carried => digest.word(0),
            Told::Lost => digest.word(1),
            Told::Stopped(why) => digest.bytes(why.as_bytes()),
            Told::Unreachable(kind, why) => {
                digest.word(2 + kind as u64);
                digest.bytes(why.as_bytes());
            }
            Told::Reset(why) => {
                digest.word(2);
                digest.bytes(why.as_bytes());
            }
        }
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {} ", self.ends.local, self.ends.peer)?;
        match self.kind {
            Kind::Syn { longest } => write!(f, "Syn {{ longest: {longest} }}")?,
            Kind::SynAck { limit, longest } => write!(f, "SynAck {{ limit: {limit}, longest: {longest} }}")?,
            Kind::Rst => f.write_str("Rst")?,
            Kind::Data { at, bytes, fin, ack } => {
                write!(f, "{at}+{bytes}{} ack {ack}", if fin { " FIN" } else { "" })?;
            }
        }
        match self.fate {
            Told::Carried => Ok(()),
            Told::Lost => f.write_str(" lost"),
            Told::Stopped(why) => write!(f, " lost: {why}"),
            Told::Unreachable(kind, why) => write!(f, " lost: {why}, {kind}"),
            Told::Reset(why) => write!(f, " reset: {why}"),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>6}.{:09} ", self.0 / 1_000_000_000, self.0 % 1_000_000_000)?;
        match &self.1 {
            What::Text(who, text) => write!(f, "{who} {text}"),
            What::Segment(sent) => write!(f, "tcp {sent}"),
        }
    }
}

impl Trace {
    /// Says what time it is.
    pub fn set_now(&self, now: Instant) {
        self.now.store(now.0, Ordering::Relaxed);
    }

    /// Keeps so many lines to be read from now on; with none the hash alone is left, which costs least.
    pub fn keep(&self, lines: usize) {
        let mut all = self.lock();
        all.kept = lines;
        let over = all.last.len().saturating_sub(lines);
        all.last.drain(..over);
    }

    /// Adds a line.
    pub fn line(&self, who: &str, text: &str) {
        self.add(
            |digest| [who, text].into_iter().for_each(|part| digest.bytes(part.as_bytes())),
            || What::Text(who.into(), text.to_owned()),
        );
    }

    /// Adds a step of a node.
    pub(crate) fn step(&self, who: &Arc<str>, step: &Step<'_>) {
        self.add(
            |digest| {
                digest.bytes(who.as_bytes());
                digest.step(step);
            },
            || What::Text(Arc::clone(who), step_line(step)),
        );
    }

    /// Adds a segment.
    pub(crate) fn segment(&self, sent: Sent) {
        self.add(|digest| sent.hash(digest), || What::Segment(sent));
    }

    /// Adds a piece of work of a connection's machine.
    pub(crate) fn work(&self, who: &str, conn: ConnId, work: &Work) {
        self.add(
            |digest| {
                digest.bytes(who.as_bytes());
                digest.word(conn.0);
                digest.work(work);
            },
            || What::Text(who.into(), format!("conn {} > {}", conn.0, work_line(work))),
        );
    }

    fn add(&self, hash: impl FnOnce(&mut Digest), what: impl FnOnce() -> What) {
        let now = self.now.load(Ordering::Relaxed);
        let mut lines = self.lock();
        lines.hash.word(now);
        hash(&mut lines.hash);
        lines.count += 1;
        if lines.kept == 0 {
            return;
        }
        if lines.last.len() == lines.kept {
            lines.last.pop_front();
        }
        lines.last.push_back(Line(now, what()));
    }

    /// The hash of all that happened, and how many lines that would be.
    #[must_use]
    pub fn hash(&self) -> (u64, u64) {
        let lines = self.lock();
        (lines.hash.value(), lines.count)
    }

    /// The last lines.
    #[must_use]
    pub fn tail(&self, count: usize) -> String {
        let lines = self.lock();
        let skip = lines.last.len().saturating_sub(count);
        let mut text = String::new();
        for line in lines.last.iter().skip(skip) {
            let _never_fails = writeln!(text, "{line}");
        }
        text
    }

    /// The lines that are kept and contain this.
    #[must_use]
    pub fn grep(&self, what: &str) -> Vec<String> {
        self.lock().last.iter().map(Line::to_string).filter(|line| line.contains(what)).collect()
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
        Work::Catalog(_, request) => variant(&format!("{request:?}")),
        _ => "?".to_owned(),
    }
}

/// The first word of a value's debug form: what it is, without what it holds.
fn variant(text: &str) -> String {
    first_word(text).to_owned()
}

fn first_word(text: &str) -> &str {
    let end = |c: char| !c.is_alphanumeric() && c != '(';
    text.split(end).next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
