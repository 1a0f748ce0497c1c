//! Steps of a backup that is not of everything: since when, and what the client is told it had (`wire/2 §1.5`, `§1.8`).

use crate::bulk::parcel::Parcel;
use crate::error::Explain;
use crate::ids::ConnId;
use crate::node::Net;
use crate::role::script::{Act, Expect, Step, nothing};
use crate::wire::accurate::KnownFile;
use crate::wire::file::{FileCommand, Level};
use crate::wire::file_answers as answers;
use crate::wire::frame::{self, Signal};
use crate::wire::status::JobLevel;

use super::super::ask_catalog;
use super::super::catalog::{CatalogAnswer, CatalogRequest, FileKey, FileRow};
use super::super::job::Job;
use super::super::levels::{accurate_base, choose_level};
use super::{STORED, file};

/// Known files asked of the catalog and sent to the client at a time.
const PAGE: u32 = 1_000;

/// What the job builds on; without anything it saves everything.
pub(super) const CHOOSE: Step<Job> =
    Step { name: "choosing the level", act: ask_last, expect: Expect::Event(STORED), learn: learn_level };

pub(super) const SEND: Step<Job> =
    Step { name: "the level", act: send_level, expect: file::says(answers::LEVEL), learn: nothing };

/// Only of an accurate job: the jobs whose files the client had.
pub(super) const FIND_KNOWN: Step<Job> =
    Step { name: "the jobs this one builds on", act: ask_base, expect: Expect::Event(STORED), learn: learn_base };

/// Page by page, as fast as the client takes them. No answer.
pub(super) const SEND_KNOWN: Step<Job> =
    Step { name: "the list of known files", act: send_known, expect: Expect::Event(STORED), learn: nothing };

/// Where the sending of known files stands.
#[derive(Debug)]
pub(in super::super) enum Known {
    /// A page is asked of the catalog.
    Asked,
    /// A page is on its way to the client; then comes the next.
    Sent(FileKey),
}

const fn is_partial(job: &Job) -> bool {
    matches!(job.level, JobLevel::Incremental | JobLevel::Differential)
}

fn ask_last(job: &mut Job, net: &mut Net) -> Act {
    if !is_partial(job) {
        return Act::Skip;
    }
    let (name, client_id, file_set_id) = (job.name.clone(), job.ids.client, job.ids.fileset);
    let now = net.wall().seconds();
    job.work = Some(ask_catalog(net, CatalogRequest::LastJobs { name, client_id, file_set_id, now }));
    Act::Wait
}

fn learn_level(job: &mut Job, _: &str) -> Result<(), String> {
    let Some(CatalogAnswer::LastJobs(last)) = job.answer.take() else { return Err("no jobs".to_owned()) };
    let choice = choose_level(job.level.letter(), &last);
    if choice.upgraded {
        job.level = JobLevel::Full;
        job.notes
            .push("No prior Full backup of this job, client and fileset was found: doing a Full backup.".to_owned());
    }
    if let Some(wrong) = choice.wrong_clock {
        job.cautions.push(format!("{wrong} ({}); {}", wrong.code(), wrong.help()));
    }
    (job.since, job.previous) = (choice.since, choice.previous);
    Ok(())
}

fn send_level(job: &mut Job, net: &mut Net) -> Act {
    let accurate = job.accurate;
    let level = match job.level {
        JobLevel::Incremental => Level::Incremental { accurate, rerunning: false },
        JobLevel::Differential => Level::Differential { accurate, rerunning: false },
        _ => Level::Full { rerunning: false },
    };
    let mut frames = Vec::new();
    frame::put_data(&mut frames, FileCommand::Level(level).to_line().as_bytes());
    if is_partial(job) {
        let since = Level::Since { time: job.since, previous: job.previous.clone() };
        frame::put_data(&mut frames, FileCommand::Level(since).to_line().as_bytes());
    }
    super::send_frames(job.file_conn, net, frames)
}

fn ask_base(job: &mut Job, net: &mut Net) -> Act {
    if !is_partial(job) || !job.accurate {
        return Act::Skip;
    }
    let (client, name, file_set) = (job.client.clone(), Some(job.name.clone()), Some(job.fileset.clone()));
    let (before, now) = (i64::MAX, net.wall().seconds());
    job.work = Some(ask_catalog(net, CatalogRequest::JobsForRestore { client, name, file_set, before, now }));
    Act::Wait
}

fn learn_base(job: &mut Job, _: &str) -> Result<(), String> {
    let Some(CatalogAnswer::Jobs(candidates)) = job.answer.take() else { return Err("no jobs".to_owned()) };
    let base = accurate_base(job.level.letter(), &candidates).map_err(|error| error.to_string())?;
    job.known_files = base.iter().map(|row| u64::from(row.job_files)).sum();
    job.base = base.into_iter().map(|row| row.job_id).collect();
    Ok(())
}

fn send_known(job: &mut Job, net: &mut Net) -> Act {
    if job.base.is_empty() {
        return Act::Skip;
    }
    let files = job.known_files;
    job.send(net, crate::role::script::Who::File, FileCommand::Accurate { files }.to_line());
    ask_page(job, net, None);
    Act::Wait
}

fn ask_page(job: &mut Job, net: &mut Net, after: Option<FileKey>) {
    job.known = Some(Known::Asked);
    job.work = Some(ask_catalog(net, CatalogRequest::KnownFiles { jobs: job.base.clone(), after, limit: PAGE }));
}

/// Sends a page of known files. True if it was the last.
pub(in super::super) fn send_page(
    job: &mut Job,
    net: &mut Net,
    conn: ConnId,
    files: &[FileRow],
    next: Option<FileKey>,
) -> bool {
    let mut frames = Vec::new();
    let mut payload = Vec::new();
    for row in files {
        payload.clear();
        let digest: &[u8] = if row.md5 == b"0" { b"" } else { &row.md5 };
        let delta = i32::try_from(row.delta_seq).unwrap_or(i32::MAX);
        KnownFile { name: &row.name, lstat: &row.lstat, digest, delta }.put(&mut payload);
        frame::put_data(&mut frames, &payload);
    }
    let Some(next) = next else {
        frame::put_signal(&mut frames, Signal::Eod);
        net.send(conn, frames);
        job.known = None;
        return true;
    };
    if frames.is_empty() {
        ask_page(job, net, Some(next));
    } else {
        job.known = Some(Known::Sent(next));
        let frames =
            Parcel { bytes: frames, frames: u32::try_from(files.len()).unwrap_or(u32::MAX), ..Parcel::default() };
        net.send_parcel(conn, frames);
    }
    false
}

/// The client has taken a page: asks for the next.
pub(in super::super) fn page_taken(job: &mut Job, net: &mut Net) {
    if let Some(Known::Sent(next)) = job.known.take() {
        ask_page(job, net, Some(next));
    }
}
