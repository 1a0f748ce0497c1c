//! A verify job of a volume: `wire/2 §1.12`. As a restore, with the fileset before it and the comparison after it.

use crate::ids::Who;
use crate::script::{Act, Acted, Expect, Step, nothing};
use crate::wire::file::{FileCommand, Verify};
use crate::wire::file_answers as answers;
use crate::wire::status::JobLevel;

use super::super::dialogue::{Event, News, Want};
use super::super::job::Job;
use super::super::verifying;
use super::{backup, channel, file, files_stored, news, scripts, storage, unexpected};
use crate::catalog::{CatalogAnswer, CatalogRequest, FileKey, rows_of};
use crate::role::director::common::Tools;

/// Files asked of the catalog at a time.
const PAGE: u32 = 1_000;

/// Until both daemons have said how it ended and every file of the catalog is accounted for.
pub(super) static TABLE: &[Step<Job>] = &[
    Step { name: "choosing the job to verify", act: ask_job, expect: news(learn_job) },
    Step { name: "where its files lie", act: ask_place, expect: news(learn_place) },
    channel::DECIDE,
    backup::LISTS,
    storage::CONNECT,
    storage::GREETING,
    storage::JOB,
    storage::BOOTSTRAP,
    storage::ERASE,
    storage::USE_READ,
    storage::RECORD_START,
    file::CONNECT,
    file::GREETING,
    file::JOB,
    backup::FILESET,
    file::BANDWIDTH,
    channel::RUN_BEFORE,
    channel::FILE_DIALS_WITHOUT_KEY,
    channel::STORAGE_DIALS,
    channel::RUN_AFTER,
    scripts::SEND,
    scripts::MORE,
    scripts::RUN,
    channel::SETTLE,
    Step { name: "starting the comparison", act: send_verify, expect: file::says(answers::VERIFY, nothing) },
    file::END,
    file::DISMISS,
    storage::END,
    Step { name: "comparing the files", act: files_stored, expect: Expect::Event(Event::FilesStored) },
    Step { name: "comparing the last file", act: ask_last, expect: news(learn_last) },
    Step { name: "looking for missing files", act: ask_all, expect: news(learn_missing) },
];

/// The same of a client's disk, which needs no storage daemon: until every file of the catalog is accounted for, or the
/// catalog has them all.
pub(super) static DISK: &[Step<Job>] = &[
    Step { name: "choosing the job to compare with", act: ask_base, expect: news(learn_base) },
    channel::DECIDE,
    backup::LISTS,
    storage::RECORD_START,
    file::CONNECT,
    file::GREETING,
    file::JOB,
    backup::FILESET,
    scripts::SEND,
    scripts::MORE,
    scripts::RUN,
    Step { name: "starting the look at the disk", act: send_verify, expect: file::says(answers::VERIFY, nothing) },
    file::END,
    file::DISMISS,
    Step { name: "comparing the files", act: files_stored, expect: Expect::Event(Event::FilesStored) },
    Step { name: "comparing the last file", act: ask_last, expect: news(learn_last) },
    Step { name: "looking for missing files", act: ask_all, expect: news(learn_missing) },
];

fn ask_base(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if job.level == JobLevel::VerifyInit { Ok(Act::Next) } else { ask_job(job, tools) }
}

/// One without files is compared too: what is on the disk is new then.
fn learn_base(job: &mut Job, news: News, tools: &mut Tools<'_>) -> Acted<Job> {
    learn_job(job, news, tools)?;
    Ok(Act::Next)
}

fn ask_job(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    Ok(Act::Want(Want::Ask(verifying::request(job)?)))
}

fn learn_job(job: &mut Job, news: News, tools: &mut Tools<'_>) -> Acted<Job> {
    let News::Catalog(CatalogAnswer::Jobs(rows)) = news else { return unexpected(&news) };
    let text = verifying::choose(job, &rows)?;
    tools.note(job, &text);
    let has_files = !job.task.verify()?.is_idle();
    Ok(if has_files { Act::Next } else { Act::End })
}

fn ask_place(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    let verifying = job.task.verify()?;
    let jobs = vec![verifying.original.job_id];
    Ok(Act::Want(Want::Ask(CatalogRequest::JobMediaOf { jobs })))
}

fn learn_place(job: &mut Job, news: News, _: &mut Tools<'_>) -> Acted<Job> {
    let News::Catalog(CatalogAnswer::Pieces(pieces)) = news else { return unexpected(&news) };
    verifying::find(job, &pieces)?;
    Ok(Act::Next)
}

fn send_verify(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let level = match job.level {
        JobLevel::VerifyInit => Verify::Init,
        JobLevel::VerifyCatalog => Verify::Catalog,
        JobLevel::VerifyDisk => Verify::DiskToCatalog,
        _ => Verify::Volume,
    };
    if let Some(conn) = job.file_daemon.presence.conn() {
        tools.net.gather_lines(conn);
    }
    job.send(tools.net, Who::File, FileCommand::Verify(level).to_line());
    Ok(Act::Wait)
}

/// What has not come whole says nothing of what is missing.
fn has_come(job: &Job) -> bool {
    job.file_daemon.presence.end().is_some_and(|end| end.status.is_ok())
        && (job.verifies_disk() || job.storage_daemon.presence.end().is_some_and(|end| end.status.is_ok()))
}

fn ask_last(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    if !has_come(job) {
        return Ok(Act::Next);
    }
    if job.level == JobLevel::VerifyInit {
        let Some(last) = job.task.verify()?.comparison.take_last() else { return Ok(Act::Next) };
        let batch = rows_of(&job.unique, &[last]);
        return Ok(Act::Want(Want::Ask(CatalogRequest::InsertFiles { job_id: job.id.0, batch })));
    }
    let Some(request) = job.task.verify()?.ask_last() else { return Ok(Act::Next) };
    Ok(Act::Want(Want::Ask(request)))
}

fn ask_all(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    if !has_come(job) || job.level == JobLevel::VerifyInit {
        return Ok(Act::Next);
    }
    ask_page(job, None)
}

fn ask_page(job: &mut Job, after: Option<FileKey>) -> Acted<Job> {
    let job_id = job.task.verify()?.original.job_id;
    Ok(Act::Want(Want::Ask(CatalogRequest::ListFiles { job_id, after, limit: PAGE })))
}

/// Takes what the catalog has of the last file on the volume.
fn learn_last(job: &mut Job, news: News, tools: &mut Tools<'_>) -> Acted<Job> {
    let files = match news {
        News::Catalog(CatalogAnswer::FileList { files, .. }) => files,
        News::Catalog(CatalogAnswer::Files(stored)) => {
            job.attributes.stored += stored.files;
            return Ok(Act::Next);
        }
        other => return unexpected(&other),
    };
    let verifying = job.task.verify()?;
    let mut notes = Vec::new();
    if let Some(last) = verifying.asked_last() {
        verifying.comparison.compare(&[last], &files, &mut notes);
    }
    tools.notes(job, &notes);
    Ok(Act::Next)
}

/// Takes a page of all files of the job.
fn learn_missing(job: &mut Job, news: News, tools: &mut Tools<'_>) -> Acted<Job> {
    let News::Catalog(CatalogAnswer::FileList { files, next }) = news else { return unexpected(&news) };
    let verifying = job.task.verify()?;
    let mut notes = Vec::new();
    verifying.comparison.miss(&files, &mut notes);
    tools.notes(job, &notes);
    if next.is_some() { ask_page(job, next) } else { Ok(Act::Next) }
}
