//! A virtual full: `wire/3 §1.7`, `§7.8`. The catalog says what it is made of, then one storage daemon
//! does all, or one reads and another writes: as of a copy (`wire/3 §1.8`), with a job of its own for the one that reads.

use crate::script::{Act, Acted, Expect, Step};

use super::super::dialogue::{Event, News, Want};
use super::super::job::Job;
use super::super::virtual_full;
use super::{copy, files_stored, news, storage, unexpected};
use crate::catalog::CatalogAnswer;
use crate::role::director::common::Tools;

/// Until the storage daemon has said how it ended and the catalog has all files.
pub(crate) static TABLE: &[Step<Job>] = &[
    Step { name: "the jobs to take together", act: ask_jobs, expect: news(learn_jobs) },
    Step { name: "the files to take together", act: ask_files, expect: news(learn_files) },
    Step { name: "the way of the data", act: part_ways, expect: Expect::Nothing },
    storage::CONNECT,
    storage::GREETING,
    storage::JOB,
    storage::BOOTSTRAP,
    storage::ERASE,
    storage::USE_READ,
    storage::USE_APPEND,
    storage::RECORD_START,
    storage::BANDWIDTH,
    storage::RUN,
    storage::END,
    STORED_ALL,
];

/// From there on, if another storage daemon reads what this job's writes.
pub(crate) static APART: &[Step<Job>] = &[
    Step { name: "the job that reads", act: wait_number, expect: Expect::Event(Event::ReaderOrdered) },
    storage::CONNECT,
    storage::GREETING,
    storage::JOB,
    storage::ERASE,
    storage::USE_APPEND,
    storage::RECORD_START,
    copy::LISTEN,
    storage::END,
    STORED_ALL,
    copy::READER_END,
];

const STORED_ALL: Step<Job> =
    Step { name: "storing the file list", act: files_stored, expect: Expect::Event(Event::FilesStored) };

/// The table goes on with one storage daemon only.
fn part_ways(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    if job.task.virtual_full()?.is_apart { Ok(Act::Want(Want::ReadElsewhere)) } else { Ok(Act::Next) }
}

fn wait_number(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    if job.task.partner().is_some() { Ok(Act::Next) } else { Ok(Act::Wait) }
}

fn ask_jobs(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if !job.task.virtual_full()?.accurate {
        tools.note(job, "The job is not accurate: files that were deleted on the client are in its virtual full.");
    }
    Ok(Act::Want(Want::Ask(virtual_full::request(job, tools.net.wall().seconds())?)))
}

fn learn_jobs(job: &mut Job, news: News, _: &mut Tools<'_>) -> Acted<Job> {
    let News::Catalog(CatalogAnswer::Jobs(rows)) = news else { return unexpected(&news) };
    virtual_full::choose(job, rows)?;
    Ok(Act::Next)
}

fn ask_files(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    Ok(Act::Want(Want::Ask(job.task.virtual_full()?.ask_files())))
}

/// First the files, then where they lie.
fn learn_files(job: &mut Job, news: News, tools: &mut Tools<'_>) -> Acted<Job> {
    match news {
        News::Catalog(CatalogAnswer::RestoreFiles(files)) => {
            Ok(Act::Want(Want::Ask(job.task.virtual_full()?.ask_pieces(files))))
        }
        News::Catalog(CatalogAnswer::Pieces(pieces)) => {
            virtual_full::plan(job, &pieces, tools)?;
            Ok(Act::Next)
        }
        other => unexpected(&other),
    }
}
