//! Since when a job saves: the `level` command, the clocks, and the list of an accurate job (`wire/2 §1.5`, `§1.8`).

use crate::bulk::known::{self, KnownFiles, TooLong};
use crate::ids::SessionId;
use crate::role::file::Net;
use crate::wire::accurate::KnownFile;
use crate::wire::file::Level;
use crate::wire::file_answers as answers;
use crate::wire::fileset::{FileSet, OptionsBlock};
use crate::wire::frame::Signal;
use crate::wire::message::{self, MessageKind};

use super::FileDaemon;
use super::session::{Next, Reading};

/// How often the director's clock is asked, and how many of the first answers do not count.
const SAMPLES: (usize, usize) = (10, 2);
/// Microseconds of difference that are worth a message, and those that are worth a warning (`wire/2 §1.5`).
const WORTH_SAYING: (i64, i64) = (3_000_000, 600_000_000);
const SECOND: i64 = 1_000_000;

/// The comparison of clocks under way.
#[derive(Debug)]
pub(super) struct Clocks {
    /// By the director's clock.
    since: i64,
    /// Our clock when the director was asked, in microseconds since 1970.
    asked: i64,
    /// What its answers say.
    samples: Vec<Ahead>,
}

/// How far our clock is ahead by one answer, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Ahead {
    /// If the director looked at its clock when it was asked: so much at least.
    least: i64,
    /// If it looked in the middle between the question and the answer.
    likely: i64,
}

/// The list of an accurate job of this fileset, which comes before it. Digests take room, so they are kept only if they
/// count.
pub(super) fn known_for(fileset: &FileSet) -> KnownFiles {
    let mut blocks = fileset.includes.iter().flat_map(|block| &block.options);
    let fields = |block: &OptionsBlock| block.options.accurate.as_deref().is_some_and(known::compares_digests);
    if blocks.any(fields) { KnownFiles::with_digests() } else { KnownFiles::new() }
}

impl FileDaemon {
    pub(super) fn take_level(&mut self, net: &mut Net, id: SessionId, level: &Level) -> Next {
        let Some(session) = self.sessions.get_mut(id) else { return Next::End };
        let Some(job) = &mut session.job else {
            return Next::End;
        };
        match level {
            Level::Full { .. } => job.asked.level = b'F',
            Level::Base { .. } => job.asked.level = b'B',
            // These words get no answer; their `since_utime` line does.
            Level::Incremental { .. } => {
                job.asked.level = b'I';
                return Next::Go;
            }
            Level::Differential { .. } => {
                job.asked.level = b'D';
                return Next::Go;
            }
            Level::Since { time, .. } => {
                let clocks = Clocks { since: *time, asked: net.wall().0, samples: Vec::new() };
                session.known.reading = Reading::Clocks(clocks);
                self.sessions.signal(net, id, Signal::ClockRequest);
                return Next::Go;
            }
        }
        self.sessions.tell(net, id, answers::LEVEL);
        Next::Go
    }

    /// The director has said what time it is.
    pub(super) fn take_clock(&mut self, net: &mut Net, id: SessionId, line: &[u8]) -> Next {
        let now = net.wall().0;
        let Some(session) = self.sessions.get_mut(id) else { return Next::End };
        let Reading::Clocks(clocks) = &mut session.known.reading else { return Next::End };
        let Some(theirs) = message::parse_clock(line) else { return Next::End };
        let half = now.saturating_sub(clocks.asked) / 2;
        let least = clocks.asked.saturating_sub(theirs);
        clocks.samples.push(Ahead { least, likely: least.saturating_add(half) });
        if clocks.samples.len() < SAMPLES.0 {
            clocks.asked = now;
            self.sessions.signal(net, id, Signal::ClockRequest);
            return Next::Go;
        }
        let (since, samples) = (clocks.since, clocks.samples.get(SAMPLES.1..).unwrap_or_default());
        let (least, ahead) = (samples.iter().map(|one| one.least).min().unwrap_or(0), mean(samples));
        session.known.reading = Reading::Commands;
        if let Some(job) = &mut session.job {
            // Rather saved once more than not at all: who sleeps, or whose answer is long on its way, makes it no later.
            job.asked.since = Some(since.saturating_add(least.div_euclid(SECOND)));
        }
        if ahead.saturating_abs() > WORTH_SAYING.0 {
            let kind = if ahead.saturating_abs() > WORTH_SAYING.1 { MessageKind::Warning } else { MessageKind::Info };
            let text = format!(
                "the clock of this client is {} s {} the director's; that is allowed for",
                ahead.saturating_abs() / SECOND,
                if ahead > 0 { "ahead of" } else { "behind" }
            );
            session.message(net, &self.config.file.name, kind, &text);
        }
        self.sessions.signal(net, id, Signal::Eod);
        self.sessions.tell(net, id, answers::LEVEL);
        Next::Go
    }
}

/// Takes a line of the list of known files; one that makes no sense is left out, so that its file is saved.
pub(super) fn take_known(known: &mut KnownFiles, line: &[u8]) -> Result<(), TooLong> {
    match KnownFile::parse(line) {
        Some(file) => known.add(&file),
        None => Ok(()),
    }
}

fn mean(samples: &[Ahead]) -> i64 {
    let sum: i128 = samples.iter().map(|sample| i128::from(sample.likely)).sum();
    let count = i128::try_from(samples.len().max(1)).unwrap_or(1);
    i64::try_from(sum.div_euclid(count)).unwrap_or(0)
}
