//! What the statuses of all daemons have in common.

use std::collections::VecDeque;

use crate::conn::Moved;
use crate::role::identity::Identity;
use crate::role::network::{self, Connection};
use crate::time::{Instant, Wall};
use crate::wire::frame::{self, Signal};
use crate::wire::status::{JobInStatus, JobLevel, JobStatus};

/// Jobs that have ended and are still shown by a status.
const RECENT: usize = 10;

/// How far a running job is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// Bytes a second since the machine began.
    pub(super) average: u64,
    /// Bytes a second since the look before this one; the average if there was none.
    pub(super) last: u64,
    at: Instant,
}

impl Progress {
    /// From what a machine has moved by now, and how far the job was when last looked at.
    pub(super) fn of(moved: Moved, before: Option<Self>, now: Instant) -> Self {
        let average = rate(moved.bytes, moved.since, now);
        // Another machine has begun in between.
        let before = before.filter(|before| before.at >= moved.since && before.at < now);
        let last = before.map_or(average, |before| rate(moved.bytes.saturating_sub(before.bytes), before.at, now));
        Self { files: moved.files, bytes: moved.bytes, average, last, at: now }
    }
}

/// Bytes a second over a time; over none, none.
fn rate(bytes: u64, since: Instant, now: Instant) -> u64 {
    let nanos = now.since(since).as_nanos();
    u64::try_from(u128::from(bytes) * 1_000_000_000 / nanos.max(1)).map_or(0, |rate| if nanos == 0 { 0 } else { rate })
}

/// A job that has ended, for the status.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    pub(super) id: u32,
    pub(super) name: String,
    /// None of a job that reads volumes.
    pub(super) level: Option<u8>,
    pub(super) files: u32,
    pub(super) bytes: u64,
    pub(super) errors: u32,
    pub(super) status: JobStatus,
    pub(super) ended: Wall,
}

/// The jobs of a daemon that have ended last.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<Finished>);

impl Recent {
    pub(super) fn add(&mut self, job: Finished) {
        self.0.truncate(RECENT - 1);
        self.0.push_front(job);
    }

    fn rows(&self, identity: &Identity) -> Vec<String> {
        let row = |job: &Finished| {
            let level = job.level.map_or("", |level| level_word(JobLevel::from_letter(level)));
            let ended = identity.local(job.ended).short();
            terminated_row(job.id, level, job.files, job.bytes, job.status, &ended, &job.name)
        };
        self.0.iter().rev().map(row).collect()
    }
}

/// What the status of a file daemon or a storage daemon says, in sections.
pub(super) struct Sections<'a> {
    pub(super) identity: &'a Identity,
    /// The daemon's name, its start, the jobs since then, and those that run.
    pub(super) daemon: (&'a str, Wall, u32, usize),
    /// How the jobs that run are headed, and their lines.
    pub(super) running: (&'static str, Vec<String>),
    pub(super) recent: &'a Recent,
    /// Of a storage daemon: its devices.
    pub(super) devices: Option<Vec<String>>,
}

impl Sections<'_> {
    /// All of it, with the connections at the end: whole frames.
    pub(super) fn whole(self, connections: &[Connection]) -> Vec<u8> {
        let mut lines = self.header();
        lines.push(self.running.0.to_owned());
        lines.extend(self.running.1);
        if self.daemon.3 == 0 {
            lines.push("No Jobs running.\n".to_owned());
        }
        lines.push("====\n".to_owned());
        lines.push("\nTerminated Jobs:\n".to_owned());
        lines.push(" JobId  Level    Files      Bytes   Status   Finished        Name \n".to_owned());
        lines.push(format!("{}\n", "=".repeat(70)));
        lines.extend(self.recent.rows(self.identity));
        lines.push("====\n".to_owned());
        if let Some(devices) = self.devices {
            lines.push("\nDevice status:\n".to_owned());
            lines.extend(devices);
            lines.push("====\n\n".to_owned());
        }
        lines.push("\nConnections:\n".to_owned());
        lines.extend(network::lines(connections));
        lines.push("====\n".to_owned());
        let mut frames = Vec::new();
        frame::put_data(&mut frames, b"\n");
        lines.iter().for_each(|line| put_line(&mut frames, line));
        frame::put_signal(&mut frames, Signal::Eod);
        frames
    }

    /// What `.status` asks for, in whole frames; `None` if there is no such section. `jobs` are those that run.
    pub(super) fn part(self, what: &str, ok: &str, jobs: impl IntoIterator<Item = JobInStatus>) -> Option<Vec<u8>> {
        let mut frames = Vec::new();
        let mut list = |jobs: &mut dyn Iterator<Item = JobInStatus>| {
            frame::put_data(&mut frames, ok.as_bytes());
            jobs.for_each(|job| frame::put_data(&mut frames, job.to_line().as_bytes()));
            Vec::new()
        };
        let last = |job: &Finished| JobInStatus { job_id: job.id, status: job.status, errors: job.errors };
        let lines = match (what, self.devices.is_some()) {
            ("current", _) => list(&mut jobs.into_iter()),
            ("last", _) => list(&mut self.recent.0.front().map(last).into_iter()),
            ("header", _) => self.header(),
            ("running", _) => self.running.1,
            ("terminated", _) => self.recent.rows(self.identity),
            ("devices" | "volumes", true) => self.devices.unwrap_or_default(),
            ("waitreservation" | "spooling", true) => Vec::new(),
            _ => return None,
        };
        lines.iter().for_each(|line| put_line(&mut frames, line));
        frame::put_signal(&mut frames, Signal::Eod);
        Some(frames)
    }

    fn header(&self) -> Vec<String> {
        let (Identity { full, date, system, .. }, (name, started, run, running)) = (self.identity, self.daemon);
        let started = self.identity.local(started).short();
        vec![
            format!("{name} Version: {full} ({date}) {system}\n"),
            format!("Daemon started {started}. Jobs: run={run} running={running}, Towline binary\n"),
        ]
    }
}

/// Appends a line of a status: with a NUL inside the frame, as Bareos sends it (`wire/3 §8.1`).
fn put_line(frames: &mut Vec<u8>, line: &str) {
    let mut payload = Vec::with_capacity(line.len() + 1);
    payload.extend_from_slice(line.as_bytes());
    payload.push(0);
    frame::put_data(frames, &payload);
}

/// One row of a table of terminated jobs (`wire/2 §5.1`).
pub(super) fn terminated_row(
    id: u32,
    level: &str,
    files: u32,
    bytes: u64,
    status: JobStatus,
    ended: &str,
    name: &str,
) -> String {
    let (files, word) = (thousands(u64::from(files)), terminated_word(status));
    format!("{id:6}  {level:<6} {files:>8} {:>10}  {word:<7}  {ended:<8} {name}\n", suffixed(bytes))
}

/// How a job has ended, as such a table says it.
pub(super) const fn terminated_word(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Ok => "OK",
        JobStatus::Warnings => "OK -- with warnings",
        JobStatus::Created => "Created",
        JobStatus::Error | JobStatus::Fatal => "Error",
        JobStatus::Differences => "Diffs",
        JobStatus::Canceled => "Cancel",
        _ => "Other",
    }
}

/// A level in at most four letters.
pub(super) const fn level_word(level: JobLevel) -> &'static str {
    match level {
        JobLevel::Full => "Full",
        JobLevel::Differential => "Diff",
        JobLevel::Incremental => "Incr",
        JobLevel::VirtualFull => "VFul",
        JobLevel::VerifyVolume => "VVol",
        JobLevel::VerifyDisk => "VDsk",
        JobLevel::VerifyInit => "VIni",
        JobLevel::VerifyCatalog => "VCat",
        _ => "",
    }
}

/// The resource's name in a unique name: what is before its last three dots (`wire/2 §5.1`).
pub(super) fn resource_name(unique: &str) -> &str {
    unique.rsplitn(4, '.').nth(3).unwrap_or(unique)
}

/// `1.043 K`
pub(super) fn suffixed(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "";
    for next in ["K", "M", "G", "T", "P"] {
        if value < 1_000.0 {
            break;
        }
        value /= 1_000.0;
        unit = next;
    }
    if unit.is_empty() { format!("{bytes} ") } else { format!("{value:.3} {unit}") }
}

/// `1,234,567`
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_cut_into_thousands() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_043), "1,043");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn a_job_with_warnings_is_told_from_one_without() {
        let word = |status| terminated_row(1, "Full", 6, 1_043, status, "23-Nov-26 13:03", "a");
        assert!(word(JobStatus::Ok).contains("  OK       23-Nov"));
        assert!(word(JobStatus::Warnings).contains("  OK -- with warnings  23-Nov"));
    }

    #[test]
    fn bytes_have_a_suffix() {
        assert_eq!(suffixed(0), "0 ");
        assert_eq!(suffixed(1_043), "1.043 K");
        assert_eq!(suffixed(2_000_769), "2.001 M");
    }

    #[test]
    fn the_rate_is_that_since_the_last_look() {
        let at = |seconds: u64| Instant(seconds * 1_000_000_000);
        let moved = |bytes| Moved { files: 1, bytes, since: at(10) };
        let first = Progress::of(moved(1_000), None, at(20));
        assert_eq!((first.average, first.last), (100, 100));
        let second = Progress::of(moved(5_000), Some(first), at(30));
        assert_eq!((second.average, second.last), (250, 400));
        let again = Progress::of(moved(5_000), Some(second), at(30));
        assert_eq!((again.average, again.last), (250, 250), "two looks at once");
        let other = Progress::of(Moved { since: at(40), ..moved(7) }, Some(second), at(41));
        assert_eq!((other.average, other.last), (7, 7), "what another machine has done does not count");
        assert_eq!(Progress::of(moved(7), None, at(10)).average, 0);
    }

    #[test]
    fn a_unique_name_begins_with_the_resource() {
        assert_eq!(resource_name("backup-tiny.2026-11-23_13.01.31_03"), "backup-tiny");
        assert_eq!(resource_name("a.b.2026-11-23_13.01.31_03"), "a.b");
        assert_eq!(resource_name("plain"), "plain");
    }
}
