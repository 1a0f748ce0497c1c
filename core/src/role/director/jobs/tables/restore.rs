//! A restore: `wire/2 §1.14`, `wire/3 §1.6`. From several storage daemons one after the other, with one file daemon.

use crate::ids::Who;
use crate::script::{Act, Acted, Expect, Step, nothing};
use crate::wire::file::{FileCommand, Restore};
use crate::wire::file_answers as answers;
use crate::wire::status::JobStatus;

use super::super::dialogue::{Event, News, Want};
use super::super::job::{Job, RestorePart};
use super::super::task::Task;
use super::{channel, file, news, plugins, scripts, storage, unexpected, wait};
use crate::catalog::CatalogAnswer;
use crate::role::director::common::Tools;

/// Until both daemons have said how it ended.
pub(super) static TABLE: &[Step<Job>] = &[
    channel::DECIDE,
    storage::CONNECT,
    storage::GREETING,
    storage::JOB,
    storage::ERASE,
    Step { act: first_record_start, ..storage::RECORD_START },
    storage::USE_READ,
    Step { act: first_connect, ..file::CONNECT },
    file::GREETING,
    Step { act: first_job, ..file::JOB },
    Step { act: first_erase, ..file::ERASE },
    Step { act: first_bandwidth, ..file::BANDWIDTH },
    storage::BOOTSTRAP,
    channel::RUN_BEFORE,
    channel::FILE_DIALS_WITH_KEY,
    channel::NEW_KEY,
    channel::STORAGE_DIALS,
    channel::RUN_AFTER,
    scripts::SEND,
    scripts::MORE,
    scripts::RUN,
    plugins::SEND,
    plugins::MORE,
    channel::SETTLE,
    Step { name: "starting the restore", act: send_restore, expect: file::says(answers::RESTORE, nothing) },
    Step { name: "the data", act: wait, expect: file::says(answers::STORAGE_END, nothing) },
    storage::END,
    Step { name: "the next storage", act: next_storage, expect: Expect::Nothing },
    Step { name: "ending the restore", act: send_end_restore, expect: Expect::Event(Event::FileEnded) },
    file::DISMISS,
    Step { name: "naming what is gone", act: name_gone, expect: news(learn_gone) },
];

/// Whether the file daemon has its job already.
fn goes_on(job: &Job) -> bool {
    matches!(&job.task, Task::Restore(plan) if plan.goes_on)
}

fn first_record_start(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if goes_on(job) { Ok(Act::Next) } else { (storage::RECORD_START.act)(job, tools) }
}

fn first_connect(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if goes_on(job) { Ok(Act::Next) } else { (file::CONNECT.act)(job, tools) }
}

fn first_job(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if goes_on(job) { Ok(Act::Next) } else { (file::JOB.act)(job, tools) }
}

fn first_erase(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if goes_on(job) { Ok(Act::Next) } else { (file::ERASE.act)(job, tools) }
}

fn first_bandwidth(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if goes_on(job) { Ok(Act::Next) } else { (file::BANDWIDTH.act)(job, tools) }
}

/// Goes on with the next storage daemon, unless this one has failed: then the rest would be in vain.
fn next_storage(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let Some(end) = job.storage_daemon.presence.end().filter(|end| end.status.is_ok()).cloned() else {
        return Ok(Act::Wait);
    };
    let plan = job.task.restore()?;
    let Some(RestorePart { storage, storage_id, bootstrap }) = plan.rest.pop_front() else { return Ok(Act::Wait) };
    plan.selected.bootstrap = bootstrap;
    plan.goes_on = true;
    plan.storage_errors += end.errors;
    job.file_daemon.is_greeted = true;
    if end.errors > 0 || end.status != JobStatus::Ok {
        job.tally.warnings += 1;
    }
    if let Some(conn) = std::mem::take(&mut job.storage_daemon).presence.conn() {
        tools.net.close(conn, false);
    }
    let text = format!("Storage {} has done its part; the next is {storage}", job.with.storage);
    tools.note(job, &text);
    job.with.storage = storage;
    job.rows.storage = storage_id;
    Ok(Act::Again)
}

fn send_restore(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let plan = job.task.restore()?;
    let line = Restore { replace: plan.replace, prefix_links: false, to: plan.to.clone() };
    job.send(tools.net, Who::File, FileCommand::Restore(line).to_line());
    Ok(Act::Wait)
}

fn send_end_restore(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    job.send(tools.net, Who::File, FileCommand::EndRestore.to_line());
    file::wait_end(job, tools)
}

/// Asks the catalog for the names of files that a storage daemon did not find.
fn name_gone(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    let Some(request) = job.task.restore()?.gone.ask(None) else { return Ok(Act::Next) };
    Ok(Act::Want(Want::Ask(request)))
}

/// Takes a page of names from the catalog.
fn learn_gone(job: &mut Job, news: News, tools: &mut Tools<'_>) -> Acted<Job> {
    let News::Catalog(CatalogAnswer::FileList { files, next }) = news else { return unexpected(&news) };
    let plan = job.task.restore()?;
    let mut notes = Vec::new();
    plan.gone.take(&files, next.is_none(), &mut notes);
    let request = plan.gone.ask(next);
    tools.notes(job, &notes);
    Ok(request.map_or(Act::Next, |request| Act::Want(Want::Ask(request))))
}
