//! Steps of a backup that is not of everything: since when, and what the client is told it had (`wire/2 §1.5`, `§1.8`).

use std::collections::VecDeque;

use crate::bulk::parcel::Parcel;
use crate::error::Explain;
use crate::ids::Who;
use crate::limits;
use crate::script::{Act, Acted, Step, nothing};
use crate::wire::accurate::KnownFile;
use crate::wire::file::{FileCommand, Level};
use crate::wire::file_answers as answers;
use crate::wire::frame::{self, Signal};
use crate::wire::status::JobLevel;

use super::super::dialogue::{News, Want};
use super::super::job::Job;
use super::super::trouble::Trouble;
use super::{file, news, unexpected};
use crate::catalog::levels::{Ages, accurate_base, choose_level, level_by_age, level_by_failures};
use crate::catalog::{CatalogAnswer, CatalogRequest, FileKey, FileRow, JobFilter, JobRow, LastJobs};
use crate::role::director::common::Tools;

/// Known files asked of the catalog at a time, as long as their names are short: it ends a page by its bytes too.
const PAGE: u32 = 1_000;
/// Failed backups that are looked at.
const FAILURES: u32 = 20;

/// Only if the resource makes up for failed jobs: those of the levels that others build on.
pub(super) const FAILED: Step<Job> =
    Step { name: "looking for failed backups", act: ask_failed, expect: news(learn_failed) };

/// What the job builds on; without anything it saves everything.
pub(super) const CHOOSE: Step<Job> = Step { name: "choosing the level", act: ask_last, expect: news(learn_level) };

pub(super) const SEND: Step<Job> =
    Step { name: "the level", act: send_level, expect: file::says(answers::LEVEL, nothing) };

/// Only of an accurate job: the jobs whose files the client had.
pub(super) const FIND_KNOWN: Step<Job> =
    Step { name: "the jobs this one builds on", act: ask_base, expect: news(learn_base) };

/// Page by page, as fast as the client takes them. No answer.
pub(super) const SEND_KNOWN: Step<Job> =
    Step { name: "the list of known files", act: send_known, expect: news(send_known_on) };

/// What a backup knows of those before it.
#[derive(Debug, Default)]
pub(crate) struct Backup {
    /// Whether the client gets the list of the files it had.
    pub(crate) accurate: bool,
    /// Whether the storage daemon collects the data before it goes to the volume.
    pub(crate) spool_data: bool,
    /// Full and differential ones of its resource that failed, the newest of them.
    failed: Vec<JobRow>,
    /// Since when changes count, and the unique name of the job this one builds on.
    since: i64,
    previous: String,
    /// The jobs whose files the client had, how many these are about, and how far they are sent.
    base: Vec<u32>,
    known_files: u64,
    known: Known,
}

/// Where the sending of known files stands.
#[derive(Debug, Default)]
enum Known {
    /// None are to be sent, or all are.
    #[default]
    Unasked,
    /// A page is asked of the catalog.
    Asked,
    /// A parcel of a page is on its way to the client; then come these, and then the next page if there is one.
    Sending { waiting: VecDeque<Parcel>, next: Option<FileKey> },
}

const fn is_partial(job: &Job) -> bool {
    matches!(job.level, JobLevel::Incremental | JobLevel::Differential)
}

fn ask_failed(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    if !is_partial(job) || !job.config.job(&job.name).is_some_and(|resource| resource.rerun_failed_levels) {
        return Ok(Act::Next);
    }
    let filter = JobFilter {
        limit: FAILURES,
        name: Some(job.name.clone()),
        client: Some(job.with.client.clone()),
        types: vec![b'B'],
        levels: vec![b'F', b'D'],
        statuses: b"fEeAI".to_vec(),
        ..JobFilter::default()
    };
    Ok(Act::Want(Want::Ask(CatalogRequest::ListJobs(filter))))
}

fn learn_failed(job: &mut Job, news: News, _: &mut Tools<'_>) -> Acted<Job> {
    let News::Catalog(CatalogAnswer::Jobs(mut failed)) = news else { return unexpected(&news) };
    // One that failed early has no fileset in the catalog yet.
    failed.retain(|row| row.file_set_id == job.rows.fileset || row.file_set_id == 0);
    job.task.backup()?.failed = failed;
    Ok(Act::Next)
}

/// Makes another level of the one that was ordered, if what it would build on is too old or has failed since.
fn raise_level(job: &mut Job, last: &LastJobs, tools: &mut Tools<'_>) -> Result<(), Trouble> {
    let (asked, now) = (job.level.letter(), tools.net.wall().seconds());
    let ages = job.config.job(&job.name).map_or_else(Ages::default, |resource| Ages {
        full: resource.max_full_interval.0,
        virtual_full: resource.max_virtual_full_interval.0,
        differential: resource.max_differential_interval.0,
    });
    let (level, failed) = match level_by_age(asked, last, ages, now) {
        Some(level) => (level, false),
        None => match level_by_failures(asked, last, &job.task.backup()?.failed) {
            Some(level) => (level, true),
            None => return Ok(()),
        },
    };
    job.level = JobLevel::from_letter(level);
    if job.level == JobLevel::VirtualFull {
        tools.note(job, "The last Full backup is too old. Doing a Virtual Full backup.");
        return Ok(());
    }
    let (found, made) = if level == b'F' { ("Full", "FULL") } else { ("Differential", "Differential") };
    let text = match failed {
        true => format!("Prior failed job found in catalog. Upgrading to {found}."),
        false => format!("No prior or suitable {found} backup found in catalog. Doing {made} backup."),
    };
    tools.note(job, &text);
    Ok(())
}

fn ask_last(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if !is_partial(job) {
        return Ok(Act::Next);
    }
    let (name, client_id, file_set_id) = (job.name.clone(), job.rows.client, job.rows.fileset);
    let now = tools.net.wall().seconds();
    Ok(Act::Want(Want::Ask(CatalogRequest::LastJobs { name, client_id, file_set_id, now })))
}

fn learn_level(job: &mut Job, news: News, tools: &mut Tools<'_>) -> Acted<Job> {
    let News::Catalog(CatalogAnswer::LastJobs(last)) = news else { return unexpected(&news) };
    raise_level(job, &last, tools)?;
    if job.level == JobLevel::VirtualFull {
        job.place(tools);
        return Ok(Act::Want(Want::MakeVirtual));
    }
    let choice = choose_level(job.level.letter(), &last);
    if choice.upgraded {
        job.level = JobLevel::Full;
        tools.note(job, "No prior Full backup of this job, client and fileset was found: doing a Full backup.");
    }
    if let Some(wrong) = choice.wrong_clock {
        tools.warn(job, &wrong.line());
    }
    let backup = job.task.backup()?;
    (backup.since, backup.previous) = (choice.since, choice.previous);
    job.place(tools);
    Ok(Act::Next)
}

fn send_level(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let is_partial = is_partial(job);
    let (backup, conn) = (job.task.backup()?, job.file_daemon.presence.conn());
    let accurate = backup.accurate;
    let level = match job.level {
        JobLevel::Incremental => Level::Incremental { accurate, rerunning: false },
        JobLevel::Differential => Level::Differential { accurate, rerunning: false },
        _ => Level::Full { rerunning: false },
    };
    let mut frames = Vec::new();
    frame::put_data(&mut frames, FileCommand::Level(level).to_line().as_bytes());
    if is_partial {
        let since = Level::Since { time: backup.since, previous: backup.previous.clone() };
        frame::put_data(&mut frames, FileCommand::Level(since).to_line().as_bytes());
    }
    super::send_frames(conn, tools, frames)
}

fn ask_base(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if !is_partial(job) || !job.task.backup()?.accurate {
        return Ok(Act::Next);
    }
    let (client, name, file_set) = (job.with.client.clone(), Some(job.name.clone()), Some(job.with.fileset.clone()));
    let (before, now) = (i64::MAX, tools.net.wall().seconds());
    Ok(Act::Want(Want::Ask(CatalogRequest::JobsForRestore { client, name, file_set, before, now })))
}

fn learn_base(job: &mut Job, news: News, _: &mut Tools<'_>) -> Acted<Job> {
    let News::Catalog(CatalogAnswer::Jobs(candidates)) = news else { return unexpected(&news) };
    let base = accurate_base(job.level.letter(), &candidates)?;
    let backup = job.task.backup()?;
    backup.known_files = base.iter().map(|row| u64::from(row.job_files)).sum();
    backup.base = base.into_iter().map(|row| row.job_id).collect();
    Ok(Act::Next)
}

fn send_known(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let backup = job.task.backup()?;
    if backup.base.is_empty() {
        return Ok(Act::Next);
    }
    let files = backup.known_files;
    job.send(tools.net, Who::File, FileCommand::Accurate { files }.to_line());
    Ok(job.task.backup()?.ask_page(None))
}

impl Backup {
    /// A backup that knows nothing yet.
    pub(crate) fn new(accurate: bool, spool_data: bool) -> Self {
        Self { accurate, spool_data, ..Self::default() }
    }

    fn ask_page(&mut self, after: Option<FileKey>) -> Act<Want> {
        self.known = Known::Asked;
        Act::Want(Want::Ask(CatalogRequest::KnownFiles { jobs: self.base.clone(), after, limit: PAGE }))
    }
}

/// Takes a page of known files, or that the client has taken a parcel of one: sends the next parcel, or asks for the next
/// page.
fn send_known_on(job: &mut Job, news: News, tools: &mut Tools<'_>) -> Acted<Job> {
    let (backup, conn) = (job.task.backup()?, job.file_daemon.presence.conn());
    match news {
        News::Catalog(CatalogAnswer::FileList { files, next }) => {
            backup.known = Known::Sending { waiting: parcels(&files), next };
        }
        News::Catalog(_) | News::Lists(_) => return unexpected(&news),
        News::ParcelTaken => {}
    }
    let (Known::Sending { waiting, next }, Some(conn)) = (&mut backup.known, conn) else {
        return Ok(Act::Wait);
    };
    let parcel = waiting.pop_front();
    let is_last = waiting.is_empty() && next.is_none();
    match parcel {
        parcel if is_last => {
            let mut frames = parcel.unwrap_or_default().bytes;
            frame::put_signal(&mut frames, Signal::Eod);
            tools.net.send(conn, frames);
            backup.known = Known::Unasked;
            Ok(Act::Next)
        }
        Some(parcel) => {
            tools.net.send_parcel(conn, parcel);
            Ok(Act::Wait)
        }
        None => {
            let after = next.take();
            Ok(backup.ask_page(after))
        }
    }
}

/// The frames of these files in parcels of the usual size. One that is longer than a client takes is left out: the client
/// does not know that file then, and saves it.
fn parcels(files: &[FileRow]) -> VecDeque<Parcel> {
    let (mut all, mut parcel, mut payload) = (VecDeque::new(), Parcel::default(), Vec::new());
    for row in files {
        payload.clear();
        let digest: &[u8] = if row.md5 == b"0" { b"" } else { &row.md5 };
        let delta = i32::try_from(row.delta_seq).unwrap_or(i32::MAX);
        KnownFile { name: &row.name, lstat: &row.lstat, digest, delta }.put(&mut payload);
        if payload.len() > limits::TEXT {
            continue;
        }
        if !parcel.is_empty() && parcel.room() < payload.len() + frame::HEAD {
            all.push_back(std::mem::take(&mut parcel));
        }
        frame::put_data(&mut parcel.bytes, &payload);
        parcel.frames += 1;
    }
    all.extend((!parcel.is_empty()).then_some(parcel));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: usize) -> FileRow {
        FileRow {
            job_id: 1,
            file_index: 1,
            name: vec![b'x'; name],
            lstat: b"P4A".to_vec(),
            md5: b"0".to_vec(),
            delta_seq: 0,
        }
    }

    #[test]
    fn known_files_with_long_names_go_out_in_parcels_of_at_most_256_kib() {
        let files: Vec<FileRow> = (0..100).map(|_| row(76_000)).collect();
        let parcels = parcels(&files);
        assert_eq!(parcels.iter().map(|parcel| parcel.frames).sum::<u32>(), 100);
        assert!(
            parcels
                .iter()
                .all(|parcel| parcel.bytes.len() <= limits::PARCEL && parcel.frames == 3 || parcel.frames == 1),
            "{parcels:?}"
        );
    }

    #[test]
    fn a_known_file_whose_frame_a_client_would_refuse_is_left_out() {
        // The name, three NULs, the attributes and the number.
        let longest = limits::TEXT - 3 - 3 - 1;
        for (name, fits) in [(longest, true), (longest + 1, false)] {
            assert_eq!(parcels(&[row(name)]).len(), usize::from(fits), "{name}");
        }
        assert!(parcels(&[]).is_empty());
    }
}
