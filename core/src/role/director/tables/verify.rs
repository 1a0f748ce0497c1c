//! A verify job of a volume: `wire/2 §1.12`. As a restore, with the fileset before it and the comparison behind it.

use crate::ids::Who;
use crate::node::Net;
use crate::role::script::{Act, Expect, Step, nothing};
use crate::wire::file::{FileCommand, Verify};
use crate::wire::file_answers as answers;

use super::super::job::Job;
use super::super::{ask_catalog, verifying};
use super::{FILES_STORED, STORED, backup, channel, file, storage};
use crate::catalog::{CatalogAnswer, CatalogRequest, FileKey, FileRow};

/// Files asked of the catalog at a time.
const PAGE: u32 = 1_000;

/// Until both daemons have said how it ended and every file of the catalog is accounted for.
pub(super) static TABLE: &[Step<Job>] = &[
    Step { name: "choosing the job to verify", act: ask_job, expect: Expect::Event(STORED), learn: learn_job },
    Step { name: "where its files lie", act: ask_place, expect: Expect::Event(STORED), learn: learn_place },
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
    Step { name: "starting the comparison", act: send_verify, expect: file::says(answers::VERIFY), learn: nothing },
    file::END,
    file::DISMISS,
    storage::END,
    Step { name: "comparing the files", act: wait_compared, expect: Expect::Event(FILES_STORED), learn: nothing },
    Step { name: "comparing the last file", act: ask_last, expect: Expect::Event(STORED), learn: nothing },
    Step { name: "looking for missing files", act: ask_all, expect: Expect::Event(STORED), learn: nothing },
];

fn ask_job(job: &mut Job, net: &mut Net) -> Act {
    job.work = Some(ask_catalog(net, verifying::request(job)));
    Act::Wait
}

fn learn_job(job: &mut Job, _: &str) -> Result<(), String> {
    let Some(CatalogAnswer::Jobs(rows)) = job.answer.take() else { return Err("no jobs".to_owned()) };
    verifying::choose(job, &rows)
}

fn ask_place(job: &mut Job, net: &mut Net) -> Act {
    let Some(verifying) = job.verifying.as_ref().filter(|verifying| !verifying.is_idle()) else { return Act::Wait };
    let jobs = vec![verifying.original.job_id];
    job.work = Some(ask_catalog(net, CatalogRequest::JobMediaOf { jobs }));
    Act::Wait
}

fn learn_place(job: &mut Job, _: &str) -> Result<(), String> {
    let Some(CatalogAnswer::Pieces(pieces)) = job.answer.take() else { return Err("no places".to_owned()) };
    verifying::find(job, &pieces)
}

fn send_verify(job: &mut Job, net: &mut Net) -> Act {
    if let Some(conn) = job.file_conn {
        net.gather_lines(conn);
    }
    job.send(net, Who::File, FileCommand::Verify(Verify::Volume).to_line());
    Act::Wait
}

fn wait_compared(job: &mut Job, _: &mut Net) -> Act {
    if job.storing == 0 { Act::Skip } else { Act::Wait }
}

/// What has not come whole says nothing of what is missing.
fn has_come(job: &Job) -> bool {
    job.file_end.as_ref().is_some_and(|end| end.status.is_ok())
        && job.storage_end.as_ref().is_some_and(|end| end.status.is_ok())
}

fn ask_last(job: &mut Job, net: &mut Net) -> Act {
    if !has_come(job) {
        return Act::Skip;
    }
    let Some(verifying) = &mut job.verifying else { return Act::Skip };
    let Some(request) = verifying.ask_last() else { return Act::Skip };
    job.work = Some(ask_catalog(net, request));
    Act::Wait
}

fn ask_all(job: &mut Job, net: &mut Net) -> Act {
    if !has_come(job) {
        return Act::Skip;
    }
    ask_page(job, net, None);
    Act::Wait
}

fn ask_page(job: &mut Job, net: &mut Net, after: Option<FileKey>) {
    let Some(verifying) = &job.verifying else { return };
    let request = CatalogRequest::ListFiles { job_id: verifying.original.job_id, after, limit: PAGE };
    job.work = Some(ask_catalog(net, request));
}

/// Takes files from the catalog: what was asked of the last one on the volume, or a page of all. True if no more come.
pub(in super::super) fn take_files(job: &mut Job, net: &mut Net, files: &[FileRow], next: Option<FileKey>) -> bool {
    let Some(verifying) = &mut job.verifying else { return true };
    if let Some(last) = verifying.asked_last() {
        verifying.compare(&[last], files, &mut job.notes);
        return true;
    }
    verifying.miss(files, &mut job.notes);
    if next.is_some() {
        ask_page(job, net, next.clone());
    }
    next.is_none()
}
