//! A copy or migration: `wire/3 §1.7`, `§1.8`. Two jobs with a dialogue each, that wait for each other where they must.

use crate::channel::{self, Pair};
use crate::ids::{JobId, Who};
use crate::script::{Act, Acted, Expect, Step, nothing};
use crate::wire::file::IMMEDIATE_TLS;
use crate::wire::storage::{Replicate, StorageCommand};
use crate::wire::storage_answers as answers;

use super::super::dialogue::{Event, Want};
use super::super::job::Job;
use super::super::trouble::Trouble;
use super::{files_stored, storage, wait};
use crate::role::director::common::Tools;

/// The control job, with the storage daemon that reads.
pub(crate) static READER: &[Step<Job>] = &[
    storage::CONNECT,
    storage::GREETING,
    storage::JOB,
    storage::BOOTSTRAP,
    storage::ERASE,
    storage::USE_READ,
    storage::RECORD_START,
    storage::BANDWIDTH,
    Step { name: "the writing storage daemon", act: wait_writer, expect: Expect::Event(Event::WriterListens) },
    Step {
        name: "the way to the writing storage daemon",
        act: replicate,
        expect: storage::says(answers::REPLICATE, nothing),
    },
    storage::RUN,
    storage::END,
    Step { name: "telling the writing job", act: tell_writer, expect: Expect::Nothing },
    COPY_ENDED,
];

/// The writing job, with a storage daemon of its own.
pub(crate) static WRITER: &[Step<Job>] = &[
    storage::CONNECT,
    storage::GREETING,
    storage::JOB,
    storage::ERASE,
    storage::USE_APPEND,
    storage::RECORD_START,
    LISTEN,
    storage::END,
    STORED_ALL,
    READER_END,
];

/// The control job of a copy from device to device.
pub(crate) static LOCAL: &[Step<Job>] = &[
    storage::CONNECT,
    storage::GREETING,
    storage::JOB,
    storage::BOOTSTRAP,
    storage::ERASE,
    storage::USE_READ,
    storage::USE_TARGET,
    storage::RECORD_START,
    storage::BANDWIDTH,
    storage::RUN,
    Step { name: "handing the storage daemon over", act: hand_over, expect: Expect::Nothing },
    COPY_ENDED,
];

/// The writing job of a copy from device to device, from where it gets the control job's connection.
pub(crate) static LOCAL_WRITER: &[Step<Job>] = &[storage::RECORD_START, storage::END, STORED_ALL];

/// The writing storage daemon waits for the reading one.
pub(super) const LISTEN: Step<Job> =
    Step { name: "letting the storage daemon listen", act: listen, expect: Expect::Nothing };

pub(super) const READER_END: Step<Job> =
    Step { name: "the reading storage daemon's end", act: wait_reader, expect: Expect::Event(Event::ReaderEnded) };

const COPY_ENDED: Step<Job> = Step { name: "the copy", act: wait, expect: Expect::Event(Event::Copied) };

const STORED_ALL: Step<Job> =
    Step { name: "storing the file list", act: files_stored, expect: Expect::Event(Event::FilesStored) };

fn wait_writer(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    if job.task.control()?.writer.is_some() { Ok(Act::Next) } else { Ok(Act::Wait) }
}

fn wait_reader(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    if job.task.reader_end().is_some() { Ok(Act::Next) } else { Ok(Act::Wait) }
}

fn replicate(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let control = job.task.control()?;
    let (Some(reading), Some(writing)) =
        (job.config.storage(&job.with.storage), job.config.storage(&control.to.storage))
    else {
        return Err(Trouble::Unconfigured);
    };
    // The step before has waited for both.
    let (Some(JobId(job_id)), Some((unique, key))) = (control.partner, control.writer.clone()) else {
        return Ok(Act::Wait);
    };
    let channel = channel::decide(Pair::Copy { reading, writing })?;
    let order = Replicate {
        job_id,
        job: unique,
        address: channel.address.clone(),
        port: channel.port,
        tls: if job.config.storage_tls(writing).enable { IMMEDIATE_TLS } else { 0 },
        key,
    };
    tools.note(job, &channel.path());
    job.send(tools.net, Who::Storage, StorageCommand::Replicate(order).to_line());
    Ok(Act::Wait)
}

/// No answer: from here on the storage daemon asks.
fn listen(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if let Some(conn) = job.storage_daemon.presence.conn() {
        tools.net.gather(conn);
    }
    job.send(tools.net, Who::Storage, StorageCommand::Listen.to_line());
    job.storage_daemon.runs = true;
    Ok(Act::Want(Want::TellReader))
}

fn hand_over(_: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    Ok(Act::Want(Want::HandOver))
}

fn tell_writer(_: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    Ok(Act::Want(Want::TellWriter))
}
