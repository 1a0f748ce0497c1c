//! `estimate`: a talk with a file daemon in which every line of the answer is the console's (`wire/2 §1.15`).

use std::collections::VecDeque;

use crate::catalog::levels::choose_level;
use crate::catalog::{CatalogAnswer, CatalogRequest, LastJobs};
use crate::config::{DirectorConfig, JobKind};
use crate::error::Explain;
use crate::ids::Who;
use crate::secret::Secret;
use crate::wire::file::{FileCommand, JobInfo, Level};
use crate::wire::file_answers as answers;
use crate::wire::frame::{self, Signal};
use crate::wire::status::JobLevel;

use super::super::grammar::Takes::{Nothing, Value};
use super::super::grammar::{Command, Form};
use super::super::questions::choice;
use super::super::refusal::{Kind, Meant, NoSuch, Refusal};
use super::super::reply::{Gathered, Instruction, Reply, View};
use super::super::words::Words;
use super::run::level_of;
use crate::role::director::errands::{Errand, For, Preparation};
use crate::role::director::jobs::lists::{Lists, Wanted};
use crate::role::director::jobs::{fileset, tables};

pub(super) const COMMAND: Command = Command::new(
    "estimate",
    &[Form {
        words: &[("job", Value), ("listing", Nothing), ("level", Value), ("client", Value), ("fileset", Value)],
        help: &[(
            "estimate job=NAME [listing] [level=full|differential|incremental] [client=NAME] [fileset=NAME]",
            "what a backup would save",
        )],
        ..Form::PLAIN
    }],
    run,
);

/// What somebody wants to know.
#[derive(Debug)]
struct Estimate {
    /// The job resource's name.
    job: String,
    client: String,
    fileset: String,
    level: JobLevel,
    listing: bool,
}

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let config = view.config();
    if !words.has("job") {
        let backups =
            config.jobs.iter().filter(|job| job.kind == JobKind::Backup).map(|job| job.name.clone()).collect();
        let title = ("The defined Job resources are:", "Job resource");
        return choice::one_of(view, words, "job", title, backups, "Name a backup job: estimate job=NAME.");
    }
    let job = words.value(&["job"]).and_then(|name| config.job(name));
    let Some(job) = job.filter(|job| job.kind == JobKind::Backup) else {
        let wanted = words.value(&["job"]).unwrap_or_default();
        let known = config.jobs.iter().filter(|job| job.kind == JobKind::Backup).map(|job| job.name.as_str());
        return Err(Refusal::usage(format!("Name a backup job: estimate job=NAME.{}", Meant::of(wanted, known))));
    };
    let (level, _) = level_of(job, words)?;
    if level == JobLevel::VirtualFull {
        return Err(Refusal::usage("A virtual full asks nothing of the client: there is nothing to estimate."));
    }
    let pick = |key: &str, default: &str| words.value(&[key]).unwrap_or(default).to_owned();
    let estimate = Estimate {
        job: job.name.clone(),
        client: pick("client", &job.client),
        fileset: pick("fileset", &job.fileset),
        level,
        listing: words.has("listing"),
    };
    NoSuch::check(config, Kind::Client, &estimate.client)?;
    NoSuch::check(config, Kind::FileSet, &estimate.fileset)?;
    let reply = match level {
        JobLevel::Incremental | JobLevel::Differential => {
            Reply::ask(last_jobs(view, &estimate), move |view, answer| match answer {
                CatalogAnswer::LastJobs(last) => Ok(with_lists(view, estimate, *last)),
                other => Err(Refusal::unexpected(other)),
            })
        }
        _ => with_lists(view, estimate, LastJobs::default()),
    };
    Ok(reply.using())
}

/// What the backup would build on.
fn last_jobs(view: &View<'_>, estimate: &Estimate) -> CatalogRequest {
    let setup = view.ids();
    CatalogRequest::LastJobs {
        name: estimate.job.clone(),
        client_id: setup.clients.get(&estimate.client).copied().unwrap_or(0),
        file_set_id: setup.filesets.get(&estimate.fileset).map_or(0, |set| set.id),
        now: view.now(),
    }
}

/// Has the lists of the fileset read first, if it has such on the director.
fn with_lists(view: &View<'_>, estimate: Estimate, last: LastJobs) -> Reply {
    let set = view.config().fileset(&estimate.fileset);
    match set.and_then(|set| Wanted::of(set, |code| meaning(view, &estimate, code))) {
        Some(wanted) => {
            let then = Gathered::new(move |view, lists| Ok(errand(view, &estimate, &last, lists)));
            Reply::Gather(wanted, then)
        }
        None => errand(view, &estimate, &last, &Lists::default()),
    }
}

/// What `%` and a letter stand for in a list of the fileset: as in a job, as far as there is one.
fn meaning(view: &View<'_>, estimate: &Estimate, code: char) -> Option<String> {
    Some(match code {
        'c' => estimate.client.clone(),
        'd' | 'D' => view.config().director.name.clone(),
        'f' => estimate.fileset.clone(),
        'h' => view.config().client(&estimate.client)?.address.clone()?,
        'i' => "0".to_owned(),
        'n' => estimate.job.clone(),
        't' => "Backup".to_owned(),
        _ => return None,
    })
}

/// Dials the client and asks. `last` is what the catalog says of jobs to build on.
fn errand(view: &View<'_>, estimate: &Estimate, last: &LastJobs, lists: &Lists) -> Reply {
    let choice = choose_level(estimate.level.letter(), last);
    let mut text = String::new();
    if choice.upgraded {
        text += "There is no Full backup to build on: this is what a Full would save.\n";
    }
    if let Some(wrong) = choice.wrong_clock {
        text += &format!("Warning: {}\n", wrong.line());
    }
    let stamp = view.zone().local(view.now()).stamp();
    let set = view.config().fileset(&estimate.fileset).map(|set| fileset::to_wire(set, lists).lines());
    let level = (choice.level, choice.since, choice.previous);
    let before = preparations(view.config(), &estimate.client, &stamp, level, &set.unwrap_or_default());
    let command = FileCommand::Estimate { listing: estimate.listing }.to_line();
    let errand = Errand {
        before,
        is_long: true,
        ..Errand::new(Who::File, estimate.client.clone(), command, For::Console(view.conn))
    };
    Reply::Do(Instruction::Errand(Box::new(errand))).after(text)
}

/// What is said before a client is asked about its files: a job without a number, a level, and a fileset of these lines.
pub(super) fn preparations(
    config: &DirectorConfig,
    client: &str,
    stamp: &str,
    (level, since, previous): (u8, i64, String),
    lines: &[Vec<u8>],
) -> VecDeque<Preparation> {
    let speaks_tls = config.client(client).is_some_and(|client| config.client_tls(client).enable);
    let job = JobInfo {
        job_id: 0,
        job: tables::unique_name("-Console-", stamp, 0),
        session_id: 0,
        session_time: 0,
        key: Secret::from("dummy"),
        // There is no data channel to protect.
        tls: speaks_tls.then_some(0),
    };
    let mut job_line = Vec::new();
    frame::put_data(&mut job_line, FileCommand::Job(job).to_line().as_bytes());
    let word = match level {
        b'I' => Level::Incremental { accurate: false, rerunning: false },
        b'D' => Level::Differential { accurate: false, rerunning: false },
        _ => Level::Full { rerunning: false },
    };
    let is_answered = word.is_answered();
    let mut level_lines = Vec::new();
    frame::put_data(&mut level_lines, FileCommand::Level(word).to_line().as_bytes());
    if !is_answered {
        let since = Level::Since { time: since, previous };
        frame::put_data(&mut level_lines, FileCommand::Level(since).to_line().as_bytes());
    }
    let mut set = Vec::new();
    frame::put_data(&mut set, FileCommand::FileSet { vss: true }.to_line().as_bytes());
    lines.iter().for_each(|line| frame::put_data(&mut set, line));
    frame::put_signal(&mut set, Signal::Eod);
    VecDeque::from([
        Preparation { frames: job_line, answer: answers::JOB },
        Preparation { frames: level_lines, answer: answers::LEVEL },
        Preparation { frames: set, answer: answers::FILESET },
    ])
}
