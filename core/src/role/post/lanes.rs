//! The ways to the places: one each, on which pieces go one after the other, and are tried again while a place does not take
//! them. What waits is bounded; nobody waits for it.
//!
//! ```text
//!   put --> waiting --> under way --> the hands --+--> delivered
//!              ^                                  +--> tried again after a pause, for as long as it may
//!              '--- no room: counted, said        +--> lost: counted, said
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::bulk::work::{DiskDone, DiskWork};
use crate::config::Seconds;
use crate::error::Explain;
use crate::ids::HandleId;
use crate::limits::{DELIVER_AGAIN, DELIVER_AGAIN_MOST, DELIVER_AT_STOP, MAIL_COMMAND};
use crate::node::{Net, Role, TimerKey};
use crate::notice::Level;
use crate::printable;
use crate::quiet::{Quiet, more};
use crate::role::commands;
use crate::time::Instant;
use crate::work::delivery::{Delivery, Mail, Undelivered};
use crate::work::script::{ScriptEnd, ScriptOrder, ScriptOutcome, ScriptWork};
use crate::work::{Work, WorkDone};

/// Lines that wait for one place: as many as a job may say.
const MOST_LINES: usize = 10_000;
/// Mails and calls that wait for one place.
const MOST_LETTERS: usize = 1_000;
/// Bytes of all that waits for one place.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// Bytes that go to a file or log at a time.
const BATCH: usize = 256 * 1024;

/// A place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// This file.
    File(String),
    /// The system's log, of this facility.
    Log(u8),
    /// Standard error.
    Errors,
    /// The mail server.
    Server,
    /// This command.
    Command(String),
    /// This address of the web.
    Web(String),
}

/// What goes there.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// A line; `anew`: the file begins with it.
    Text {
        anew: bool,
        text: String,
    },
    /// A line for the system's log, with its severity.
    Log(u8, String),
    Mail(Box<Mail>),
    /// The words of a command, and what it reads.
    Run(Vec<String>, String),
    /// JSON.
    Post(String),
}

/// The ways that are in use.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    all: BTreeMap<Target, Lane>,
    quiet: Quiet<Target>,
    /// When places are tried again that have not taken something.
    due: BTreeMap<Target, Instant>,
    /// The daemon ends, and waits for no place any more.
    has_given_up: bool,
    /// It waits for them for so long.
    waits_at_stop: bool,
}

/// What a timer of these ways is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostDue {
    /// A place is tried again.
    Again,
    /// What was gathered for a mail is sent.
    Gathered,
    /// A daemon that is to end has waited long enough.
    AtStop,
}

/// Whose ways they are.
pub(crate) struct Way<'a, R: Role> {
    /// The daemon's name.
    pub(crate) name: &'a str,
    /// What it is.
    pub(crate) daemon: &'static str,
    pub(crate) owner: fn(Target) -> R::Work,
    pub(crate) due: fn(PostDue) -> R::Timer,
    /// Whether it is to end: then nothing is tried again.
    pub(crate) is_stopping: bool,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<(Piece, Seconds)>,
    bytes: usize,
    under_way: Vec<(Piece, Seconds)>,
    is_busy: bool,
    /// When the first try of what is under way has failed, and how many have.
    failed: Option<(Instant, u32)>,
    timer: Option<TimerKey>,
    trouble: Option<String>,
    lost: u64,
}

/// A place that has not taken everything, for a status.
#[derive(Clone, Debug)]
pub(crate) struct Stuck {
    pub(crate) target: String,
    pub(crate) waiting: usize,
    pub(crate) lost: u64,
    /// What its last answer was.
    pub(crate) trouble: String,
}

impl Target {
    /// In words, without what is secret.
    fn name(&self) -> String {
        match self {
            Self::File(path) => format!("file {path}"),
            Self::Log(_) => "the system's log".to_owned(),
            Self::Errors => "standard error".to_owned(),
            Self::Server => "the mail server".to_owned(),
            Self::Command(command) => {
                format!("command {}", crate::wire::command::split(command).first().map_or("", String::as_str))
            }
            // What comes after the host is often what lets one in.
            Self::Web(url) => format!("webhook {}", url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")),
        }
    }
}

impl Piece {
    fn bytes(&self) -> usize {
        match self {
            Self::Text { text, .. } | Self::Log(_, text) | Self::Run(_, text) | Self::Post(text) => text.len(),
            Self::Mail(mail) => mail.body.len(),
        }
    }
}

impl Piece {
    /// How many of its kind may wait.
    const fn most(&self) -> usize {
        if matches!(self, Self::Text { .. } | Self::Log(..)) { MOST_LINES } else { MOST_LETTERS }
    }
}

impl Lane {
    /// The next pieces that go together.
    fn take(&mut self) {
        let mut bytes = 0;
        while let Some((piece, _)) = self.waiting.front() {
            let goes_along = match piece {
                Piece::Text { anew, .. } => !anew,
                Piece::Log(..) => true,
                _ => false,
            };
            if !self.under_way.is_empty() && (!goes_along || bytes + piece.bytes() > BATCH) {
                break;
            }
            bytes += piece.bytes();
            self.bytes = self.bytes.saturating_sub(piece.bytes());
            self.under_way.extend(self.waiting.pop_front());
        }
    }

    /// The work of what is under way.
    fn work(&self, target: &Target, handle: HandleId, program: &str) -> Option<Work> {
        let texts = || {
            let text = |(piece, _): &(Piece, Seconds)| {
                if let Piece::Text { text, .. } = piece { text.clone() } else { String::new() }
            };
            self.under_way.iter().map(text).collect::<String>()
        };
        let work = match (&self.under_way.first()?.0, target) {
            (Piece::Text { anew, .. }, Target::File(path)) => {
                let (path, text) = (path.clone(), texts().into_bytes());
                Work::Disk(if *anew {
                    DiskWork::Put { path, text, appends: false }
                } else {
                    DiskWork::Note { path, text }
                })
            }
            (Piece::Text { .. }, _) => Work::Deliver(Delivery::Errors(texts())),
            (Piece::Log(..), target) => {
                let lines = self.under_way.iter().filter_map(|(piece, _)| match piece {
                    Piece::Log(severity, text) => Some((*severity, text.clone())),
                    _ => None,
                });
                let facility = if let Target::Log(facility) = target { *facility } else { 0 };
                Work::Deliver(Delivery::Log { facility, program: program.to_owned(), lines: lines.collect() })
            }
            (Piece::Mail(mail), _) => Work::Deliver(Delivery::Mail(mail.clone())),
            (Piece::Run(words, text), _) => Work::Script(ScriptWork::Run(ScriptOrder {
                handle,
                words: words.clone(),
                folders: Vec::new(),
                limit: Some(MAIL_COMMAND),
                input: text.clone().into_bytes(),
            })),
            (Piece::Post(body), target) => {
                let url = if let Target::Web(url) = target { url.clone() } else { String::new() };
                Work::Deliver(Delivery::Post { url, body: body.clone() })
            }
        };
        Some(work)
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_empty()
    }
}

impl Lanes {
    /// The places that have not taken everything.
    pub(crate) fn stuck(&self) -> impl Iterator<Item = Stuck> {
        self.all.iter().filter_map(|(target, lane)| {
            let trouble = lane.trouble.clone()?;
            let waiting = lane.waiting.len() + lane.under_way.len();
            Some(Stuck { target: target.name(), waiting, lost: lane.lost, trouble })
        })
    }

    /// Sends a piece to a place; one that does not take it is tried for so long.
    pub(crate) fn deliver<R: Role>(
        &mut self,
        net: &mut Net<R>,
        way: &Way<'_, R>,
        (target, piece): (Target, Piece),
        retry_for: Seconds,
    ) {
        let lane = self.all.entry(target.clone()).or_default();
        if lane.waiting.len() >= piece.most() || lane.bytes + piece.bytes() > MOST_BYTES {
            lane.lost += 1;
            lane.trouble.get_or_insert_with(|| "it is too slow".to_owned());
            if let Some(unsaid) = self.quiet.turn(&target, net.now()) {
                let text = format!("a message for {} is lost: too many wait{}", target.name(), more(unsaid));
                net.complain(Level::Error, 962, &text);
            }
            return;
        }
        lane.bytes += piece.bytes();
        lane.waiting.push_back((piece, retry_for));
        self.next(net, way, &target);
    }

    fn next<R: Role>(&mut self, net: &mut Net<R>, way: &Way<'_, R>, target: &Target) {
        let handle = HandleId(net.next_id());
        let Some(lane) = self.all.get_mut(target) else { return };
        if lane.is_busy || lane.timer.is_some() {
            return;
        }
        if lane.under_way.is_empty() {
            lane.take();
        }
        match lane.work(target, handle, way.name) {
            Some(work) => {
                lane.is_busy = true;
                net.work(work, (way.owner)(target.clone()));
            }
            None if lane.trouble.is_none() => drop(self.all.remove(target)),
            None => {}
        }
    }

    /// The hands have delivered a piece, or not.
    pub(crate) fn delivered<R: Role>(&mut self, net: &mut Net<R>, way: &Way<'_, R>, target: &Target, done: WorkDone) {
        let outcome = outcome(done);
        let now = net.now();
        let Some(lane) = self.all.get_mut(target) else { return };
        lane.is_busy = false;
        let Err(why) = outcome else {
            lane.under_way.clear();
            if lane.failed.take().is_some() {
                net.log(Level::Info, &format!("{} takes messages again", target.name()));
            }
            if lane.lost == 0 {
                lane.trouble = None;
            }
            return self.next(net, way, target);
        };
        lane.trouble = Some(format!("{why} ({})", why.code()));
        let (since, tries) = lane.failed.get_or_insert((now, 0));
        *tries += 1;
        let retry_for = lane.under_way.iter().map(|(_, retry_for)| retry_for.0).max().unwrap_or_default();
        let pause = DELIVER_AGAIN.saturating_mul(1 << (*tries - 1).min(16)).min(DELIVER_AGAIN_MOST);
        let is_over = now.since(*since) + pause > Duration::from_secs(retry_for);
        if is_over || way.is_stopping || why.retry() == crate::error::Retry::Never {
            return self.lose(net, way, target, &format!("{why} ({}); {}", why.code(), why.help()));
        }
        lane.timer = Some(net.set_timer(pause, "a message that was not delivered", (way.due)(PostDue::Again)));
        self.due.insert(target.clone(), now + pause);
        if let Some(unsaid) = self.quiet.turn(target, now) {
            let text = format!("{} does not take a message: {why}; {}{}", target.name(), why.help(), more(unsaid));
            net.log_cause(Level::Warn, (why.fault(), why.code()), &text);
        }
    }

    /// Pauses are over.
    pub(crate) fn again<R: Role>(&mut self, net: &mut Net<R>, way: &Way<'_, R>) {
        let now = net.now();
        let due: Vec<Target> =
            self.due.iter().filter(|(_, at)| **at <= now).map(|(target, _)| target.clone()).collect();
        for target in due {
            self.due.remove(&target);
            if let Some(lane) = self.all.get_mut(&target) {
                lane.timer = None;
            }
            self.next(net, way, &target);
        }
    }

    /// Whether nothing is on its way any more, or has had its time; for a daemon that is to end.
    pub(crate) fn are_done<R: Role>(&mut self, net: &mut Net<R>, way: &Way<'_, R>) -> bool {
        if self.has_given_up || self.all.values().all(Lane::is_empty) {
            return true;
        }
        if !std::mem::replace(&mut self.waits_at_stop, true) {
            net.set_timer(DELIVER_AT_STOP, "messages on their way", (way.due)(PostDue::AtStop));
            self.once_more(net, way);
        }
        false
    }

    /// The daemon ends: what waits for its next try is tried once more at once, and then no more.
    fn once_more<R: Role>(&mut self, net: &mut Net<R>, way: &Way<'_, R>) {
        let waiting: Vec<Target> = std::mem::take(&mut self.due).into_keys().collect();
        for target in waiting {
            if let Some(lane) = self.all.get_mut(&target) {
                net.cancel_timer(lane.timer.take());
            }
            self.next(net, way, &target);
        }
    }

    /// A daemon that is to end has waited long enough.
    pub(crate) fn give_up<R: Role>(&mut self, net: &mut Net<R>, way: &Way<'_, R>) {
        self.has_given_up = true;
        let targets: Vec<Target> = self.all.keys().cloned().collect();
        for target in targets {
            let Some(lane) = self.all.get_mut(&target) else { continue };
            lane.under_way.extend(lane.waiting.drain(..));
            if !lane.under_way.is_empty() {
                self.lose(net, way, &target, &format!("the {} stops", way.daemon));
            }
        }
    }

    /// What is under way is not tried again.
    fn lose<R: Role>(&mut self, net: &mut Net<R>, way: &Way<'_, R>, target: &Target, why: &str) {
        let Some(lane) = self.all.get_mut(target) else { return };
        let count = lane.under_way.len();
        lane.under_way.clear();
        lane.failed = None;
        lane.lost += count as u64;
        let what = if count == 1 { "a message".to_owned() } else { format!("{count} messages") };
        let are = if count == 1 { "is" } else { "are" };
        net.complain(Level::Error, 961, &format!("{what} for {} {are} lost: {why}", target.name()));
        if !self.has_given_up {
            self.next(net, way, target);
        }
    }
}

/// What came of a piece.
fn outcome(done: WorkDone) -> Result<(), Undelivered> {
    match done {
        WorkDone::Delivered(outcome) => outcome,
        WorkDone::Disk(DiskDone::Noted) => Ok(()),
        WorkDone::Disk(DiskDone::Failed { error, .. }) => Err(Undelivered::Unwritten(error.to_string())),
        WorkDone::Script(_) => ran(&commands::end_of(done)),
        _ => Err(Undelivered::Unprepared("this program has nobody who delivers messages".to_owned())),
    }
}

/// What came of a command; the last line that it wrote often says why.
fn ran(end: &ScriptEnd) -> Result<(), Undelivered> {
    let how = match &end.outcome {
        ScriptOutcome::Exited(0) => return Ok(()),
        ScriptOutcome::Exited(status) => format!("it ended with status {status}"),
        ScriptOutcome::Signalled(signal) => format!("it was ended by signal {signal}"),
        ScriptOutcome::TooLong => format!("it took longer than {MAIL_COMMAND} s, and was ended"),
        ScriptOutcome::Stopped => "it was ended".to_owned(),
        ScriptOutcome::NotAllowed(place) => format!("it lies in {place}"),
        ScriptOutcome::NotStarted(why) => format!("it could not be started: {why}"),
    };
    let said = end.lines.last().map(|line| format!(", and said: {}", printable::line(line))).unwrap_or_default();
    Err(Undelivered::Command(format!("{how}{said}")))
}
