//! `towline volume ls`: the jobs on volumes, and their files.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};
use towline_core::printable;
use towline_core::quantity::counted;
use towline_core::wire::attributes::AttributeRecord;
use towline_core::wire::record::Record;
use towline_core::wire::stream::{FileType, Stream};

use super::jobs::{Job, letter, text};
use super::pass::{At, Visitor, read};
use super::report::{Finding, Report};
use super::shelf::Shelf;
use super::when::{label_moment, moment};
use super::{Asked, ask, job_argument, json_argument, paths_argument, stores_argument};
use crate::daemon::written;

pub(super) fn command() -> Command {
    Command::new("ls")
        .about("Lists jobs and their files with sizes and times")
        .after_help(
            "A job has its number, its own name, type, level and state, when it began and ended, how many files and bytes it \
             has, and its volumes in order. A file has its mode, its size, when it was changed, and its name.",
        )
        .arg(paths_argument())
        .arg(stores_argument())
        .arg(job_argument())
        .arg(Arg::new("jobs").long("jobs").action(ArgAction::SetTrue).help("Only the jobs; no data are read for that"))
        .arg(json_argument())
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let mut asked = match ask("volume ls", matches) {
        Ok(asked) => asked,
        Err(exit) => return exit,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    written(list(&mut asked, matches.get_flag("jobs"), matches.get_flag("json"), &mut out));
    asked.report.exit()
}

/// Lists what was asked for.
///
/// # Errors
/// Those of `out`.
pub(super) fn list(asked: &mut Asked, only_jobs: bool, is_json: bool, out: &mut dyn Write) -> io::Result<()> {
    let Asked { shelf, jobs, report } = asked;
    for job in &*jobs {
        match is_json {
            true => writeln!(out, "{}", job_json(shelf, job))?,
            false => writeln!(out, "{}", job_line(shelf, job))?,
        }
        if !only_jobs {
            files(shelf, job, is_json, out, report)?;
        }
    }
    out.flush()
}

fn files(shelf: &Shelf, job: &Job, is_json: bool, out: &mut dyn Write, report: &mut Report) -> io::Result<()> {
    let mut lister = Lister { id: job.id(), is_json, out, failed: Ok(()) };
    if let Err(error) = read(shelf, job, &mut lister, report) {
        report.add(Finding::Lost { job: job.name(), what: error.to_string() });
    }
    lister.failed
}

struct Lister<'a> {
    id: u32,
    is_json: bool,
    out: &'a mut dyn Write,
    failed: io::Result<()>,
}

impl Visitor for Lister<'_> {
    fn record(&mut self, record: &Record<'_>, _at: &At) {
        if !Stream(record.stream).is_attributes() || self.failed.is_err() {
            return;
        }
        let Ok(attributes) = AttributeRecord::parse(record.data) else { return };
        self.failed = match self.is_json {
            true => writeln!(self.out, "{}", file_json(self.id, record.file_index, &attributes)),
            false => writeln!(self.out, "{}", file_line(&attributes)),
        };
    }

    fn is_done(&self) -> bool {
        self.failed.is_err()
    }
}

/// Its volumes in order.
fn volumes<'s>(shelf: &'s Shelf, job: &'s Job) -> impl Iterator<Item = &'s str> {
    job.pieces.iter().filter_map(move |(place, _)| shelf.volumes.get(*place)).map(|volume| volume.name.as_str())
}

fn job_line(shelf: &Shelf, job: &Job) -> String {
    let volumes: Vec<&str> = volumes(shelf, job).collect();
    let volumes = printable::line(&volumes.join(", ")).into_owned();
    let Some(label) = &job.label else {
        return format!("job {} without a label, on {volumes}", job.name());
    };
    let (kind, level) = (letter(label.job_type), letter(label.level));
    let begun = if job.has_start { label_moment(label.written) } else { "-".to_owned() };
    let ended = match &job.end {
        Some((label, end)) => {
            format!("{}, {}, {} bytes", label_moment(label.written), counted(end.files, "file"), end.bytes)
        }
        None => "not ended".to_owned(),
    };
    let client = text(&label.client);
    let (id, name, status) = (label.job_id, text(&label.job), job.status());
    format!("job {id} {name} of {client}: {kind} {level} {status}, {begun} to {ended}, on {volumes}")
}

fn job_json(shelf: &Shelf, job: &Job) -> Value {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let label = job.label.as_ref();
    let end = job.end.as_ref();
    json!({
        "job": job.label.as_ref().map(|label| label.job_id),
        "name": label.map(|label| lossy(&label.job)),
        "resource": label.map(|label| lossy(&label.job_name)),
        "client": label.map(|label| lossy(&label.client)),
        "fileset": label.map(|label| lossy(&label.fileset)),
        "pool": label.map(|label| lossy(&label.pool)),
        "type": label.map(|label| letter(label.job_type)),
        "level": label.map(|label| letter(label.level)),
        "status": job.status(),
        "begun": label.filter(|_| job.has_start).map(|label| label.written.div_euclid(1_000_000)),
        "ended": end.map(|(label, _)| label.written.div_euclid(1_000_000)),
        "files": end.map(|(_, end)| end.files),
        "bytes": end.map(|(_, end)| end.bytes),
        "session": [job.session.id, job.session.time],
        "volumes": volumes(shelf, job).collect::<Vec<_>>(),
    })
}

fn file_line(file: &AttributeRecord<'_>) -> String {
    let stat = file.stat();
    let kind = match file.kind() {
        Some(FileType::Deleted) => 'x',
        Some(FileType::HardLink) => 'h',
        Some(FileType::Symlink) => 'l',
        Some(kind) if kind.is_directory() => 'd',
        Some(FileType::Special | FileType::Raw | FileType::Fifo) => 's',
        _ => '-',
    };
    let link = if file.link.is_empty() { String::new() } else { format!(" -> {}", printable::name(file.link)) };
    let (mode, size, name) = (stat.mode & 0o7777, stat.size, printable::name(file.name));
    format!("  {kind}{mode:04o} {size:>12} {} {name}{link}", moment(stat.mtime))
}

fn file_json(job: u32, index: i32, file: &AttributeRecord<'_>) -> Value {
    let stat = file.stat();
    json!({
        "file": printable::name(file.name),
        "job": job,
        "index": index,
        "type": file.file_type,
        "mode": stat.mode,
        "uid": stat.uid,
        "gid": stat.gid,
        "size": stat.size,
        "changed": stat.mtime,
        "link": (!file.link.is_empty()).then(|| printable::name(file.link)),
    })
}
