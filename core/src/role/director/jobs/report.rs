//! The last lines of a job's report: figures, with the labels that scripts look for in the reports of Bareos' director.

use std::fmt::Write as _;

use crate::config::Compression;
use crate::quantity::counted;
use crate::role::director::consoles::replace_word;
use crate::role::identity::Identity;
use crate::role::report::{suffixed, thousands};
use crate::wire::fate::Fate;
use crate::wire::status::{JobLevel, JobStatus, JobType};

use super::job::{Job, RestorePlan};
use super::tables;
use super::task::Task;

/// Where the values of a report begin.
const WIDTH: usize = 24;
const BLANKS: &str = "                        ";

/// Volumes that are named.
const MOST_VOLUMES: usize = 100;

/// The volumes that a job has written to.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// In the order in which it came to them.
    names: Vec<String>,
    /// The bytes of the last one.
    last: u64,
    /// Those that it had when it was first told of, after the mount.
    first: u64,
    /// Bytes on those before it.
    done: u64,
    /// Bytes of the job as its storage daemon last told them.
    told: u64,
}

impl Written {
    /// The storage daemon has written to a volume, which has so many bytes now.
    pub(crate) fn note(&mut self, volume: &str, bytes: u64) {
        if self.names.last().is_none_or(|name| name != volume) {
            self.done += self.last.saturating_sub(self.first);
            self.first = bytes;
        }
        self.last = bytes;
        if self.names.iter().all(|name| name != volume) && self.names.len() < MOST_VOLUMES {
            self.names.push(volume.to_owned());
        }
    }

    /// The volume that it has written to last.
    pub(crate) fn last_volume(&self) -> Option<&str> {
        self.names.last().map(String::as_str)
    }

    /// The storage daemon has told how many bytes of the job there are.
    pub(crate) fn tell(&mut self, bytes: u64) {
        self.told = self.told.max(bytes);
    }

    /// How many bytes the job has written so far, as far as its storage daemon has told.
    pub(crate) fn so_far(&self) -> u64 {
        (self.done + self.last.saturating_sub(self.first)).max(self.told)
    }
}

/// Lines of a report.
struct Lines(String);

impl Lines {
    fn add(&mut self, label: &str, value: impl std::fmt::Display) {
        let blanks = WIDTH.saturating_sub(label.chars().count() + 1);
        self.0.extend(["  ", label, ":", &BLANKS[..blanks.min(BLANKS.len())]]);
        let _never_fails = writeln!(self.0, "{value}");
    }

    /// The first of so many files by name.
    fn names(&mut self, names: &[String], all: u64) {
        for name in names {
            let _never_fails = writeln!(self.0, "    {name}");
        }
        let more = all.saturating_sub(names.len() as u64);
        if more > 0 {
            let and = if names.is_empty() { "" } else { "and " };
            let _never_fails = writeln!(self.0, "    {and}{} more, not named here", thousands(more));
        }
    }
}

impl Job {
    /// The last lines of the report, at this time.
    pub(crate) fn summary(&self, identity: &Identity, now: i64) -> String {
        let director = &self.config.director.name;
        let mut lines = Lines(format!("Towline {director} {} ({}):\n", identity.full, identity.date));
        lines.0.reserve(2048);
        lines.add("OS Information", &identity.system);
        lines.add("JobId", self.id);
        lines.add("Job", &self.unique);
        match self.kind {
            JobType::Restore => self.restored(&mut lines, identity, now),
            JobType::Verify => self.verified(&mut lines, identity, now),
            JobType::Admin | JobType::Consolidate => self.times(&mut lines, identity, now),
            _ => self.saved(&mut lines, identity, now),
        }
        self.ended(&mut lines);
        lines.0.trim_end().to_owned()
    }

    fn saved(&self, lines: &mut Lines, identity: &Identity, now: i64) {
        let (files, bytes, read_bytes) = self.totals();
        let storage = self.storage_daemon.presence.end();
        lines.add("Backup Level", level(self.level));
        lines.add("Client", self.who_is_the_client());
        lines.add("FileSet", format!("\"{}\"", self.with.fileset));
        lines.add("Pool", format!("\"{}\"", self.with.pool));
        lines.add("Catalog", format!("\"{}\"", self.catalog));
        lines.add("Storage", format!("\"{}\"", self.with.storage));
        self.times(lines, identity, now);
        let resource = self.config.job(&self.name);
        lines.add("Priority", self.priority());
        let is_backup = matches!(self.task, Task::Backup(_));
        if is_backup {
            lines.add("FD Files Written", thousands(files.into()));
        }
        lines.add("SD Files Written", thousands(storage.map_or(0, |end| end.files.into())));
        if is_backup {
            lines.add("FD Bytes Read", in_bytes(read_bytes));
            lines.add("FD Bytes Written", in_bytes(bytes));
        }
        lines.add("SD Bytes Written", in_bytes(storage.map_or(0, |end| end.bytes)));
        self.rate(lines, bytes, now);
        if is_backup {
            let saved = self.config.fileset(&self.with.fileset);
            let compresses = saved.is_some_and(|set| {
                set.include.iter().flat_map(|include| &include.options).any(|one| one.compression != Compression::None)
            });
            lines.add("Software Compression", compression(compresses, read_bytes, bytes));
            let end = self.file_daemon.presence.end();
            lines.add("VSS", yes(end.is_some_and(|end| end.vss)));
            lines.add("Encryption", yes(end.is_some_and(|end| end.encrypted)));
            lines.add("Accurate", yes(resource.is_some_and(|job| job.accurate)));
        }
        let written = &self.storage_daemon.written;
        lines.add("Volume name(s)", written.names.join("|"));
        lines.add("Volume Session Id", self.storage_daemon.session.id);
        lines.add("Volume Session Time", self.storage_daemon.session.time);
        lines.add("Last Volume Bytes", in_bytes(written.last));
        let expected = match &self.task {
            Task::CopyControl(control) => control.selected.as_ref().map(|selected| selected.files),
            Task::VirtualFull(task) => Some(task.selected.files),
            _ => None,
        };
        if let Some(files) = expected {
            lines.add("Files Expected", thousands(files));
        }
        if is_backup {
            lines.add("Non-fatal FD errors", self.file_daemon.presence.end().map_or(0, |end| end.errors));
        }
        lines.add("SD Errors", storage.map_or(0, |end| end.errors));
    }

    fn restored(&self, lines: &mut Lines, identity: &Identity, now: i64) {
        let (files, bytes, _) = self.totals();
        lines.add("Restore Client", self.who_is_the_client());
        lines.add("Storage", format!("\"{}\"", self.with.storage));
        self.times(lines, identity, now);
        if let Task::Restore(plan) = &self.task {
            self.fates(lines, plan, files.into());
        }
        lines.add("Bytes Restored", thousands(bytes));
        self.rate(lines, bytes, now);
        lines.add("FD Errors", self.file_daemon.presence.end().map_or(0, |end| end.errors));
        lines.add("SD Errors", self.storage_daemon.presence.end().map_or(0, |end| end.errors));
    }

    /// What became of the files, as far as the file daemon says it: a real one counts those that it has skipped as restored.
    fn fates(&self, lines: &mut Lines, plan: &RestorePlan, counted: u64) {
        if plan.is_counted {
            lines.add("Files Expected", thousands(plan.selected.files));
        }
        let Some(fates) = plan.fates else {
            lines.add("Files Restored", thousands(counted));
            let why = match self.file_daemon.presence.end() {
                Some(end) if end.status.is_ok() => "not known: the file daemon counts them as restored",
                _ => "not known: the file daemon has not come to its end",
            };
            return lines.add("Files Skipped", why);
        };
        lines.add("Files Restored", thousands(fates.restored));
        let replace = replace_word(plan.replace);
        lines.add("Files Skipped", format!("{} (replace={replace})", thousands(fates.skipped)));
        lines.names(plan.fate_names.of(Fate::Skipped), fates.skipped);
        lines.add("Files Failed", thousands(fates.failed));
        lines.names(plan.fate_names.of(Fate::Failed), fates.failed);
        lines.add("Files Incomplete", thousands(fates.incomplete));
        lines.names(plan.fate_names.of(Fate::Incomplete), fates.incomplete);
        let missing = plan.selected.files.saturating_sub(fates.all());
        if plan.is_counted && missing > 0 {
            lines.add("Files Not Come", thousands(missing));
        }
    }

    fn verified(&self, lines: &mut Lines, identity: &Identity, now: i64) {
        lines.add("FileSet", format!("\"{}\"", self.with.fileset));
        lines.add("Verify Level", level(self.level));
        lines.add("Client", self.who_is_the_client());
        lines.add("Storage", format!("\"{}\"", self.with.storage));
        if let Task::Verify(verifying) = &self.task {
            for (label, value) in verifying.figures() {
                lines.add(label, value);
            }
        }
        self.times(lines, identity, now);
        lines.add("Non-fatal FD errors", self.file_daemon.presence.end().map_or(0, |end| end.errors));
        lines.add("SD Errors", self.storage_daemon.presence.end().map_or(0, |end| end.errors));
    }

    /// What all reports end with.
    fn ended(&self, lines: &mut Lines) {
        let has_daemons = self.task.has_storage();
        if has_daemons && !self.task.is_of_volumes() {
            lines.add("FD termination status", ending(self.file_daemon.presence.end().map(|end| end.status)));
        }
        if has_daemons {
            lines.add("SD termination status", ending(self.storage_daemon.presence.end().map(|end| end.status)));
        }
        lines.add(
            "Messages",
            format!("{}, {}", counted(self.all_errors(), "error"), counted(self.tally.warnings, "warning")),
        );
        let word = match self.status {
            JobStatus::Ok => "OK",
            JobStatus::Warnings => "OK -- with warnings",
            JobStatus::Canceled => "Canceled",
            JobStatus::Differences => "Differences",
            _ => "*** Error ***",
        };
        lines.add("Termination", format!("{} {word}", tables::of(self.kind).0));
    }

    fn who_is_the_client(&self) -> String {
        format!("\"{}\" {}", self.with.client, self.file_daemon.uname).trim_end().to_owned()
    }

    fn times(&self, lines: &mut Lines, identity: &Identity, now: i64) {
        let at = |seconds: i64| identity.zone.local(seconds).long();
        lines.add("Scheduled time", at(self.times.scheduled));
        lines.add("Start time", at(self.times.started));
        lines.add("End time", at(now));
        lines.add("Elapsed time", elapsed(now - self.times.started));
    }

    fn rate(&self, lines: &mut Lines, bytes: u64, now: i64) {
        let seconds = (now - self.times.started).max(1);
        lines.add("Rate", format!("{:.1} KB/s", bytes as f64 / 1_000.0 / seconds as f64));
    }
}

fn ending(status: Option<JobStatus>) -> &'static str {
    match status {
        Some(JobStatus::Ok) => "OK",
        Some(JobStatus::Warnings) => "OK -- with warnings",
        Some(JobStatus::Canceled) => "Canceled",
        Some(JobStatus::Differences) => "Differences",
        Some(JobStatus::Fatal) => "Fatal Error",
        Some(_) => "Error",
        // It was not there at the end, or never.
        None => "no answer",
    }
}

const fn level(level: JobLevel) -> &'static str {
    match level {
        JobLevel::Full => "Full",
        JobLevel::Differential => "Differential",
        JobLevel::Incremental => "Incremental",
        JobLevel::VirtualFull => "Virtual Full",
        JobLevel::VerifyVolume => "VolumeToCatalog",
        _ => "",
    }
}

const fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

/// `1,043 (1.043 KB)`
fn in_bytes(bytes: u64) -> String {
    format!("{} ({}B)", thousands(bytes), suffixed(bytes))
}

/// How much smaller the data became on the client.
fn compression(compresses: bool, read: u64, sent: u64) -> String {
    if !compresses || read == 0 || sent >= read {
        return "None".to_owned();
    }
    format!("{:.1} %", 100.0 * (1.0 - sent as f64 / read as f64))
}

/// `1 hour 2 mins 3 secs`
fn elapsed(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let units =
        [(seconds / 86_400, "day"), (seconds / 3_600 % 24, "hour"), (seconds / 60 % 60, "min"), (seconds % 60, "sec")];
    let word = |(count, unit): (i64, &str)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    let words: Vec<String> = units.into_iter().filter(|(count, _)| *count > 0).map(word).collect();
    if words.is_empty() { "0 secs".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_its_units() {
        for (seconds, text) in
            [(0, "0 secs"), (1, "1 sec"), (62, "1 min 2 secs"), (90_000, "1 day 1 hour"), (-5, "0 secs")]
        {
            assert_eq!(elapsed(seconds), text);
        }
    }

    #[test]
    fn compression_is_what_was_saved_of_what_was_read() {
        assert_eq!(compression(true, 1_000, 250), "75.0 %");
        assert_eq!((compression(true, 0, 0), compression(false, 1_000, 250)), ("None".to_owned(), "None".to_owned()));
        assert_eq!(compression(true, 1_000, 1_001), "None", "it became larger");
    }

    #[test]
    fn a_hundred_volumes_are_named_and_each_once() {
        let mut written = Written::default();
        (0..MOST_VOLUMES + 1).for_each(|number| written.note(&format!("Full-{number}"), 1));
        written.note("Full-0", 7);
        assert_eq!((written.names.len(), written.last), (MOST_VOLUMES, 7));
    }
}
