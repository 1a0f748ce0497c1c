//! Steps with a storage daemon.

use crate::ids::Who;
use crate::node::Net;
use crate::role::script::{Act, Expect, Step, nothing};
use crate::wire::frame::{self, Signal};
use crate::wire::hello;
use crate::wire::storage::{NO_DIGEST, NO_NAME, StorageCommand, StorageJob, UseStorage};
use crate::wire::storage_answers::{self as answers, JobAccepted};

use super::super::job::Job;
use super::super::{ask_catalog, dialling};
use super::{STORAGE_ENDED, STORAGE_READY, STORED, send_frames, wait};
use crate::catalog::{CatalogRequest, JobStart};

pub(super) const CONNECT: Step<Job> =
    Step { name: "connecting to the storage daemon", act: dial, expect: Expect::Event(STORAGE_READY), learn: nothing };

pub(super) const GREETING: Step<Job> =
    Step { name: "the storage daemon's greeting", act: wait, expect: says(hello::STORAGE_ANSWER), learn: nothing };

pub(super) const JOB: Step<Job> =
    Step { name: "the storage daemon's job", act: send_job, expect: says("3000 OK Job SDid="), learn: learn_session };

pub(super) const ERASE: Step<Job> = Step {
    name: "the storage daemon's erase command",
    act: send_erase,
    expect: says("2000 OK SDSecureEraseCmd"),
    learn: nothing,
};

/// With the session's numbers, so that a job that breaks later can be found on its volumes.
pub(super) const RECORD_START: Step<Job> =
    Step { name: "recording the start", act: record_start, expect: Expect::Event(STORED), learn: nothing };

pub(super) const USE_APPEND: Step<Job> = Step {
    name: "reserving a device",
    act: use_append,
    expect: says("3000 OK use device device="),
    learn: learn_device,
};

pub(super) const USE_READ: Step<Job> =
    Step { name: "reserving a device", act: use_read, expect: says("3000 OK use device device="), learn: learn_device };

/// The second device of a copy within one daemon.
pub(super) const USE_TARGET: Step<Job> = Step {
    name: "reserving the device of the copy",
    act: use_target,
    expect: says("3000 OK use device device="),
    learn: nothing,
};

pub(super) const BOOTSTRAP: Step<Job> =
    Step { name: "the bootstrap", act: send_bootstrap, expect: says(answers::BOOTSTRAP), learn: nothing };

/// No answer: from here on the storage daemon asks.
pub(super) const RUN: Step<Job> =
    Step { name: "starting the storage daemon", act: send_run, expect: Expect::Nothing, learn: nothing };

/// Only of a copy with a limit: for the storage daemon that reads (`wire/3 §1.8`, 4).
pub(super) const BANDWIDTH: Step<Job> = Step {
    name: "the storage daemon's bandwidth limit",
    act: send_bandwidth,
    expect: says(answers::BANDWIDTH),
    learn: nothing,
};

fn send_bandwidth(job: &mut Job, net: &mut Net) -> Act {
    let limit = job.bandwidth_limit();
    if limit == 0 {
        return Act::Skip;
    }
    job.send(net, Who::Storage, StorageCommand::SetBandwidth { limit, job: job.unique.clone() }.to_line());
    Act::Wait
}

pub(super) const END: Step<Job> =
    Step { name: "the storage daemon's end", act: wait_end, expect: Expect::Event(STORAGE_ENDED), learn: nothing };

/// An answer of the storage daemon.
pub(super) const fn says(line: &'static str) -> Expect {
    Expect::Answer(Who::Storage, line)
}

fn dial(job: &mut Job, net: &mut Net) -> Act {
    let dial = dialling::dial_storage(job, net);
    job.dialled(Who::Storage, dial)
}

fn send_job(job: &mut Job, net: &mut Net) -> Act {
    let line = StorageJob {
        job_id: job.id,
        job: job.unique.clone(),
        name: job.name.clone(),
        client: job.client.clone(),
        kind: job.kind,
        level: job.level,
        fileset: if job.fileset.is_empty() { NO_NAME.to_owned() } else { job.fileset.clone() },
        no_attributes: false,
        spool_attributes: false,
        fileset_digest: if job.fileset_md5.is_empty() { NO_DIGEST.to_owned() } else { job.fileset_md5.clone() },
        spool_data: false,
        prefer_mounted: true,
        spool_size: 0,
        rerunning: false,
        session_id: 0,
        session_time: 0,
        quota: 0,
        protocol: 0,
        format: "Native".to_owned(),
    };
    job.send(net, Who::Storage, StorageCommand::Job(line).to_line());
    Act::Wait
}

fn learn_session(job: &mut Job, line: &str) -> Result<(), String> {
    let accepted = JobAccepted::parse(line.as_bytes()).ok_or_else(|| line.trim_end().to_owned())?;
    job.session = (accepted.session_id, accepted.session_time);
    job.key = accepted.key;
    Ok(())
}

fn send_erase(job: &mut Job, net: &mut Net) -> Act {
    job.send(net, Who::Storage, StorageCommand::SecureErase.to_line());
    Act::Wait
}

fn record_start(job: &mut Job, net: &mut Net) -> Act {
    job.started = net.wall().seconds();
    let start = JobStart {
        job_id: job.id,
        job_status: job.status.letter(),
        level: job.stored_level(),
        start_time: job.started,
        client_id: job.ids.client,
        pool_id: job.ids.pool,
        file_set_id: job.ids.fileset,
        vol_session_id: job.session.0,
        vol_session_time: job.session.1,
    };
    job.work = Some(ask_catalog(net, CatalogRequest::StartJob(start)));
    Act::Wait
}

fn use_append(job: &mut Job, net: &mut Net) -> Act {
    use_storage(job, net, (&job.storage, &job.pool), true)
}

fn use_target(job: &mut Job, net: &mut Net) -> Act {
    let Some(copying) = &job.copying else { return Act::Wait };
    use_storage(job, net, (&copying.storage, &copying.pool), true)
}

fn use_read(job: &mut Job, net: &mut Net) -> Act {
    use_storage(job, net, (&job.storage, &job.pool), false)
}

fn use_storage(job: &Job, net: &mut Net, (storage, pool): (&str, &str), append: bool) -> Act {
    let Some(resource) = job.config.storage(storage) else { return Act::Wait };
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
    send_frames(job.storage_conn, net, frames)
}

fn learn_device(job: &mut Job, line: &str) -> Result<(), String> {
    job.device = answers::parse_device_used(line.as_bytes()).ok_or_else(|| line.trim_end().to_owned())?;
    Ok(())
}

fn send_bootstrap(job: &mut Job, net: &mut Net) -> Act {
    let mut frames = Vec::new();
    frame::put_data(&mut frames, StorageCommand::Bootstrap.to_line().as_bytes());
    for line in job.bootstrap_lines() {
        frame::put_data(&mut frames, &line);
    }
    frame::put_signal(&mut frames, Signal::Eod);
    send_frames(job.storage_conn, net, frames)
}

pub(super) fn send_run(job: &mut Job, net: &mut Net) -> Act {
    if let Some(conn) = job.storage_conn {
        net.gather(conn);
    }
    job.send(net, Who::Storage, StorageCommand::Run.to_line());
    job.told_to_run = true;
    Act::Wait
}

fn wait_end(job: &mut Job, _: &mut Net) -> Act {
    if job.storage_end.is_some() { Act::Skip } else { Act::Wait }
}
