//! Steps of a backup that is not of everything: since when, and what the client is told it had (`wire/2 §1.5`, `§1.8`).

use std::collections::VecDeque;

use crate::bulk::parcel::Parcel;
use crate::error::Explain;
use crate::ids::ConnId;
use crate::limits;
use crate::node::Net;
use crate::role::script::{Act, Expect, Step, nothing};
use crate::wire::accurate::KnownFile;
use crate::wire::file::{FileCommand, Level};
use crate::wire::file_answers as answers;
use crate::wire::frame::{self, Signal};
use crate::wire::status::JobLevel;

use super::super::ask_catalog;
use super::super::job::Job;
use super::{STORED, file};
use crate::catalog::levels::{accurate_base, choose_level};
use crate::catalog::{CatalogAnswer, CatalogRequest, FileKey, FileRow};

/// Known files asked of the catalog at a time, as long as their names are short: it ends a page by its bytes too.
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
    /// A parcel of a page is on its way to the client; then come these, and then the next page if there is one.
    Sending { waiting: VecDeque<Parcel>, next: Option<FileKey> },
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
    job.send(net, crate::ids::Who::File, FileCommand::Accurate { files }.to_line());
    ask_page(job, net, None);
    Act::Wait
}

fn ask_page(job: &mut Job, net: &mut Net, after: Option<FileKey>) {
    job.known = Some(Known::Asked);
    job.work = Some(ask_catalog(net, CatalogRequest::KnownFiles { jobs: job.base.clone(), after, limit: PAGE }));
}

/// Sends a page of known files, a parcel at a time. True if it was the last.
pub(in super::super) fn send_page(
    job: &mut Job,
    net: &mut Net,
    conn: ConnId,
    files: &[FileRow],
    next: Option<FileKey>,
) -> bool {
    job.known = Some(Known::Sending { waiting: parcels(files), next });
    send_next(job, net, conn)
}

/// The client has taken a parcel: here is the next. True if there is none, and no more pages.
pub(in super::super) fn parcel_taken(job: &mut Job, net: &mut Net) -> bool {
    job.file_conn.is_some_and(|conn| send_next(job, net, conn))
}

fn send_next(job: &mut Job, net: &mut Net, conn: ConnId) -> bool {
    let Some(Known::Sending { waiting, next }) = &mut job.known else { return false };
    let parcel = waiting.pop_front();
    let is_last = waiting.is_empty() && next.is_none();
    match (parcel, next) {
        (parcel, _) if is_last => {
            let mut frames = parcel.unwrap_or_default().bytes;
            frame::put_signal(&mut frames, Signal::Eod);
            net.send(conn, frames);
            job.known = None;
        }
        (Some(parcel), _) => net.send_parcel(conn, parcel),
        (None, next) => {
            let after = next.take();
            ask_page(job, net, after);
        }
    }
    is_last
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
        FileRow { file_index: 1, name: vec![b'x'; name], lstat: b"P4A".to_vec(), md5: b"0".to_vec(), delta_seq: 0 }
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
