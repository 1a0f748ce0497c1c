//! `towline volume`: what is on volumes, without any daemon and without a catalog; those of Bareos too.
//!
//! ```text
//!   PATH… --> shelf.rs (survey.rs: where each session lies) --> jobs.rs (labels)
//!                                                                  |
//!             ls.rs, check.rs, scan/ <-- pass.rs (blocks, records, losses) of each job
//!             extract.rs             <-- volume::reader, as in a storage daemon's restore
//! ```

mod check;
mod extract;
mod feed;
mod jobs;
mod ls;
mod pass;
mod report;
mod scan;
mod shelf;
mod show;
mod survey;
#[cfg(test)]
pub(in crate::volumes) mod tests;
mod when;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use towline_core::error::Code;

use jobs::{Job, jobs};
use report::{FAILED, Report};
use shelf::Shelf;

use crate::volume::stored::is_in_store;

/// No path leads to a volume.
const NO_VOLUME: Code = Code(635);
/// No job is meant.
const NO_JOB: Code = Code(634);

/// The subcommand.
#[must_use]
pub fn command() -> Command {
    Command::new("volume")
        .about("Reads volumes without any daemon and without a catalog, those of Bareos too")
        .after_help(
            "towline volume ls /var/lib/towline/volumes\n\
             towline volume extract /var/lib/towline/volumes --to /tmp/back --name '/etc/*'\n\
             towline volume check /var/lib/towline/volumes\n\n\
             Nothing is written to volumes. Exit codes: 0 all is well, 1 something is damaged or missing, 2 nothing could \
             be done. What is wrong is told on standard error.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(ls::command())
        .subcommand(show::command())
        .subcommand(extract::command())
        .subcommand(check::command())
        .subcommand(scan::command())
}

/// Does what was asked for.
#[must_use]
pub fn run(matches: &ArgMatches) -> ExitCode {
    match matches.subcommand() {
        Some(("ls", matches)) => ls::run(matches),
        Some(("show", matches)) => show::run(matches),
        Some(("extract", matches)) => extract::run(matches),
        Some(("check", matches)) => check::run(matches),
        Some(("scan", matches)) => scan::run(matches),
        _ => ExitCode::FAILURE,
    }
}

/// The volumes: files and folders.
fn paths_argument() -> Arg {
    Arg::new("paths")
        .value_name("PATH")
        .value_parser(value_parser!(PathBuf))
        .num_args(1..)
        .required(true)
        .help(
            "Volumes, or folders of volumes, also in a store of objects (s3://bucket/prefix, file:///folder); a job that goes \
             over several needs all of them",
        )
}

/// How stores of objects are reached.
fn stores_argument() -> Arg {
    Arg::new("storage-config")
        .long("storage-config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("The storage daemon's configuration, which says how its stores of objects are reached; without it the environment does")
}

/// The jobs that are meant.
fn job_argument() -> Arg {
    Arg::new("job")
        .long("job")
        .value_name("NUMBER|NAME")
        .action(ArgAction::Append)
        .help("Only this job, by its number, its own name or that of its resource; may be given again")
}

fn json_argument() -> Arg {
    Arg::new("json").long("json").action(ArgAction::SetTrue).help("One JSON object on each line")
}

/// The volumes that are named, and their jobs that are meant.
struct Asked {
    shelf: Shelf,
    jobs: Vec<Job>,
    report: Report,
}

/// Looks through the paths.
///
/// # Errors
/// There is no volume, or none of the jobs: what the program ends with.
fn ask(program: &'static str, matches: &ArgMatches) -> Result<Asked, ExitCode> {
    if let Ok(Some(file)) = matches.try_get_one::<PathBuf>("storage-config")
        && let Err(refused) = crate::daemon::storage::know_stores(file)
    {
        Report::of(program).refuse(&refused.text);
        return Err(ExitCode::from(refused.exit));
    }
    let paths: Vec<PathBuf> = matches.get_many("paths").into_iter().flatten().cloned().collect();
    if paths.iter().any(|path| is_in_store(&path.to_string_lossy())) {
        // Whoever waits for a store is told.
        crate::daemon::start_log(0, true);
    }
    let words: Vec<String> = match matches.try_get_many::<String>("job") {
        Ok(words) => words.into_iter().flatten().cloned().collect(),
        Err(_) => Vec::new(),
    };
    look(program, &paths, &words)
}

fn look(program: &'static str, paths: &[PathBuf], words: &[String]) -> Result<Asked, ExitCode> {
    let mut report = Report::of(program);
    let shelf = Shelf::of(paths, &mut report);
    if shelf.volumes.is_empty() && shelf.has_failed_store {
        return Err(ExitCode::from(FAILED));
    }
    if shelf.volumes.is_empty() {
        let text = match shelf.foreign {
            0 => "no volume is there".to_owned(),
            files => format!("no volume is there: {files} files are something else"),
        };
        return Err(report.fail(NO_VOLUME, &text));
    }
    let mut jobs = jobs(&shelf);
    for word in words {
        if !jobs.iter().any(|job| job.is_meant(word)) {
            return Err(report.fail(NO_JOB, &format!("no job {word:?} is on these volumes")));
        }
    }
    if !words.is_empty() {
        jobs.retain(|job| words.iter().any(|word| job.is_meant(word)));
    }
    Ok(Asked { shelf, jobs, report })
}
