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
    /// How far our clock is ahead, in microseconds.
    ahead: Vec<i64>,
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
                let clocks = Clocks { since: *time, asked: net.wall().0, ahead: Vec::new() };
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
        // Half of the way there and back had gone by when it looked.
        let half = now.saturating_sub(clocks.asked) / 2;
        clocks.ahead.push(clocks.asked.saturating_add(half).saturating_sub(theirs));
        if clocks.ahead.len() < SAMPLES.0 {
            clocks.asked = now;
            self.sessions.signal(net, id, Signal::ClockRequest);
            return Next::Go;
        }
        let (since, ahead) = (clocks.since, mean(clocks.ahead.get(SAMPLES.1..).unwrap_or_default()));
        session.known.reading = Reading::Commands;
        if let Some(job) = &mut session.job {
            // Rounded down: rather saved once more than not at all.
            job.asked.since = Some(since.saturating_add(ahead.div_euclid(SECOND)));
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

fn mean(samples: &[i64]) -> i64 {
    let sum: i128 = samples.iter().map(|sample| i128::from(*sample)).sum();
    let count = i128::try_from(samples.len().max(1)).unwrap_or(1);
    i64::try_from(sum.div_euclid(count)).unwrap_or(0)
}
