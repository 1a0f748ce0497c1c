//! Steps with a storage daemon.

use crate::ids::Who;
use crate::script::{Act, Acted, Expect, Learn, Step, nothing};
use crate::wire::block::Session;
use crate::wire::frame::{self, Signal};
use crate::wire::hello;
use crate::wire::status::JobType;
use crate::wire::storage::{NO_DIGEST, NO_NAME, StorageCommand, StorageJob, UseStorage};
use crate::wire::storage_answers::{self as answers, JobAccepted};

use super::super::super::reach::dialling;
use super::super::daemons::Presence;
use super::super::dialogue::{Event, Want};
use super::super::job::Job;
use super::super::task::Task;
use super::super::trouble::Trouble;
use super::{news, send_frames, stored, wait};
use crate::catalog::{CatalogRequest, JobStart};
use crate::role::director::common::Tools;

pub(super) const CONNECT: Step<Job> =
    Step { name: "connecting to the storage daemon", act: dial, expect: Expect::Event(Event::StorageReady) };

pub(super) const GREETING: Step<Job> =
    Step { name: "the storage daemon's greeting", act: wait, expect: says(hello::STORAGE_ANSWER, nothing) };

pub(super) const JOB: Step<Job> =
    Step { name: "the storage daemon's job", act: send_job, expect: says(answers::JOB, learn_session) };

pub(super) const ERASE: Step<Job> =
    Step { name: "the storage daemon's erase command", act: send_erase, expect: says(answers::SECURE_ERASE, nothing) };

/// With the session's numbers, so that a job that breaks later can be found on its volumes.
pub(super) const RECORD_START: Step<Job> =
    Step { name: "recording the start", act: record_start, expect: news(stored) };

pub(super) const USE_APPEND: Step<Job> =
    Step { name: "reserving a device", act: use_append, expect: says(answers::DEVICE, learn_device) };

pub(super) const USE_READ: Step<Job> =
    Step { name: "reserving a device", act: use_read, expect: says(answers::DEVICE, learn_device) };

/// The second device of a copy within one daemon.
pub(super) const USE_TARGET: Step<Job> =
    Step { name: "reserving the device of the copy", act: use_target, expect: says(answers::DEVICE, nothing) };

pub(super) const BOOTSTRAP: Step<Job> =
    Step { name: "the bootstrap", act: send_bootstrap, expect: says(answers::BOOTSTRAP, nothing) };

/// No answer: from here on the storage daemon asks.
pub(super) const RUN: Step<Job> = Step { name: "starting the storage daemon", act: send_run, expect: Expect::Nothing };

/// Only of a copy with a limit: for the storage daemon that reads (`wire/3 §1.8`, 4).
pub(super) const BANDWIDTH: Step<Job> = Step {
    name: "the storage daemon's bandwidth limit",
    act: send_bandwidth,
    expect: says(answers::BANDWIDTH, nothing),
};

fn send_bandwidth(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let limit = job.bandwidth_limit();
    if limit == 0 {
        return Ok(Act::Next);
    }
    job.send(tools.net, Who::Storage, StorageCommand::SetBandwidth { limit, job: job.unique.clone() }.to_line());
    Ok(Act::Wait)
}

pub(super) const END: Step<Job> =
    Step { name: "the storage daemon's end", act: wait_end, expect: Expect::Event(Event::StorageEnded) };

/// An answer of the storage daemon.
pub(super) const fn says(line: &'static str, learn: Learn<Job>) -> Expect<Job> {
    Expect::Text(Who::Storage, line, learn)
}

fn dial(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    job.storage_daemon.presence = Presence::Dialling(dialling::dial_storage(job, tools.net)?);
    Ok(Act::Wait)
}

fn send_job(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let resource = job.config.job(&job.name).filter(|_| job.kind == JobType::Backup);
    let line = StorageJob {
        job_id: job.id.0,
        name: job.name.clone(),
        client: job.with.client.clone(),
        fileset: if job.with.fileset.is_empty() { NO_NAME.to_owned() } else { job.with.fileset.clone() },
        spool_attributes: resource.is_some_and(|of| of.spool_attributes),
        fileset_digest: if job.rows.fileset_md5.is_empty() {
            NO_DIGEST.to_owned()
        } else {
            job.rows.fileset_md5.clone()
        },
        spool_data: matches!(&job.task, Task::Backup(backup) if backup.spool_data),
        prefer_mounted: resource.is_none_or(|of| of.prefer_mounted_volumes),
        spool_size: resource.map_or(0, |of| of.spool_size.0),
        ..StorageJob::new(job.unique.clone(), job.kind, job.level_on_volume())
    };
    job.send(tools.net, Who::Storage, StorageCommand::Job(line).to_line());
    Ok(Act::Wait)
}

fn learn_session(job: &mut Job, line: &str) -> Result<(), Option<Trouble>> {
    let accepted = JobAccepted::parse(line.as_bytes()).ok_or(None)?;
    job.storage_daemon.session = Session { id: accepted.session_id, time: accepted.session_time };
    job.storage_daemon.key = accepted.key;
    Ok(())
}

fn send_erase(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    job.send(tools.net, Who::Storage, StorageCommand::SecureErase.to_line());
    Ok(Act::Wait)
}

fn record_start(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    job.times.started = tools.net.wall().seconds();
    let start = JobStart {
        job_id: job.id.0,
        job_status: job.status.letter(),
        level: job.stored_level(),
        start_time: job.times.started,
        client_id: job.rows.client,
        pool_id: job.rows.pool,
        file_set_id: job.rows.fileset,
        vol_session_id: job.storage_daemon.session.id,
        vol_session_time: job.storage_daemon.session.time,
    };
    Ok(Act::Want(Want::Ask(CatalogRequest::StartJob(start))))
}

fn use_append(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    use_storage(job, tools, (&job.with.storage, &job.with.pool), true)
}

fn use_target(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let to = job.task.control()?.to.clone();
    use_storage(job, tools, (&to.storage, &to.pool), true)
}

fn use_read(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if let Task::VirtualFull(task) = &job.task {
        return use_storage(job, tools, (&task.from.storage, &task.from.pool), false);
    }
    use_storage(job, tools, (&job.with.storage, &job.with.pool), false)
}

fn use_storage(job: &Job, tools: &mut Tools<'_>, (storage, pool): (&str, &str), append: bool) -> Acted<Job> {
    let resource = job.config.storage(storage).ok_or_else(|| Trouble::UnknownStorage(storage.to_owned()))?;
    let group = UseStorage {
        storage: resource.name.clone(),
        media_type: resource.media_type.clone(),
        pool: pool.to_owned(),
        pool_type: "Backup".to_owned(),
        append,
        copy: 0,
        stripe: 0,
    };
    let device = resource.device.clone();
    let mut frames = Vec::new();
    frame::put_data(&mut frames, StorageCommand::Use(group).to_line().as_bytes());
    frame::put_data(&mut frames, UseStorage::device_line(&device).as_bytes());
    frame::put_signal(&mut frames, Signal::Eod);
    frame::put_signal(&mut frames, Signal::Eod);
    send_frames(job.storage_daemon.presence.conn(), tools, frames)
}

fn learn_device(job: &mut Job, line: &str) -> Result<(), Option<Trouble>> {
    job.storage_daemon.device = answers::parse_device_used(line.as_bytes()).ok_or(None)?;
    Ok(())
}

fn send_bootstrap(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let mut frames = Vec::new();
    frame::put_data(&mut frames, StorageCommand::Bootstrap.to_line().as_bytes());
    for line in job.bootstrap_lines() {
        frame::put_data(&mut frames, &line);
    }
    frame::put_signal(&mut frames, Signal::Eod);
    send_frames(job.storage_daemon.presence.conn(), tools, frames)
}

pub(super) fn send_run(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if let Some(conn) = job.storage_daemon.presence.conn() {
        tools.net.gather(conn);
    }
    job.send(tools.net, Who::Storage, StorageCommand::Run.to_line());
    job.storage_daemon.runs = true;
    Ok(Act::Wait)
}

fn wait_end(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    if job.storage_daemon.presence.end().is_some() { Ok(Act::Next) } else { Ok(Act::Wait) }
}
