//! `towline volume check`: whether all that is on volumes can be read back, and is what was saved.

use std::process::ExitCode;

use clap::{ArgMatches, Command};
use towline_core::bulk::work::DiskError;
use towline_core::printable;
use towline_core::quantity::counted;
use towline_core::wire::record::Record;

use super::feed::Feed;
use super::jobs::Job;
use super::pass::{At, Visitor, read};
use super::report::{Finding, Report};
use super::shelf::Shelf;
use super::show::tell_damage;
use super::{Asked, ask, job_argument, paths_argument, stores_argument};
use crate::daemon::say;
use crate::disk::audit::{Audit, Counts};

pub(super) fn command() -> Command {
    Command::new("check")
        .about("Checks blocks, their order, and the digests of files")
        .after_help(
            "Each block is read and its checksum compared; the blocks of a job must be all there, in order and up to the \
             label at its end; the data of each file must fit the digest saved with it, or be as many bytes as are \
             recorded. What is damaged is named with its volume, address, job and file, and what comes after it is read.",
        )
        .arg(paths_argument())
        .arg(stores_argument())
        .arg(job_argument())
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let mut asked = match ask("volume check", matches) {
        Ok(asked) => asked,
        Err(exit) => return exit,
    };
    say(&format!("{}\n", check(&mut asked)));
    asked.report.exit()
}

/// Checks all that was asked for. What came of it in one line.
pub(super) fn check(asked: &mut Asked) -> String {
    let Asked { shelf, jobs, report } = asked;
    tell_damage(shelf, report);
    let mut sum = Counts::default();
    for job in &*jobs {
        match one(shelf, job, report) {
            Ok(counts) => add(&mut sum, counts),
            Err(error) => report.add(Finding::Lost { job: job.name(), what: error.to_string() }),
        }
    }
    let Counts { files, proven, unproven, unread, bytes } = sum;
    let unread = match unread {
        0 => String::new(),
        unread => format!(", {unread} not whole because their client could not read them"),
    };
    let outcome = match report.findings() {
        0 => "all is well".to_owned(),
        1 => "1 finding".to_owned(),
        findings => format!("{findings} findings"),
    };
    format!(
        "{}, {}, {}, {bytes} bytes: {proven} files fit their digests, {unproven} have none that could be \
         compared{unread}; {outcome}",
        counted(shelf.volumes.len(), "volume"),
        counted(jobs.len(), "job"),
        counted(files, "file")
    )
}

fn add(sum: &mut Counts, counts: Counts) {
    sum.files += counts.files;
    sum.proven += counts.proven;
    sum.unproven += counts.unproven;
    sum.unread += counts.unread;
    sum.bytes += counts.bytes;
}

/// Checks one job.
///
/// # Errors
/// The disk failed for another reason than what is stored on it.
fn one(shelf: &Shelf, job: &Job, report: &mut Report) -> Result<Counts, DiskError> {
    let mut checker = Checker::default();
    let done = read(shelf, job, &mut checker, report);
    let Ok(()) = checker.feed.finish(&mut checker.audit);
    checker.take();
    for (file, why) in checker.faults.drain(..) {
        report.add(Finding::Differs { job: job.name(), file, why });
    }
    if checker.more > 0 {
        let what = format!("{} more files are not what was saved", checker.more);
        report.add(Finding::Lost { job: job.name(), what });
    }
    done.map(|()| checker.audit.counts)
}

/// Faults of one job that are kept until its end.
const FAULTS: usize = 10_000;

#[derive(Default)]
struct Checker {
    feed: Feed,
    audit: Audit,
    faults: Vec<(String, String)>,
    more: u64,
}

impl Checker {
    fn take(&mut self) {
        for (name, why) in self.audit.take_faults() {
            if self.faults.len() < FAULTS {
                self.faults.push((printable::name(&name), why));
            } else {
                self.more += 1;
            }
        }
    }
}

impl Visitor for Checker {
    fn record(&mut self, record: &Record<'_>, _at: &At) {
        let Ok(()) = self.feed.record(record.file_index, record.stream, record.data, &mut self.audit);
        self.take();
    }

    fn broken(&mut self) {
        self.audit.broken();
    }
}
