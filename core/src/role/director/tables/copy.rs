//! A copy or migration: `wire/3 §1.7`, `§1.8`. Two jobs with a dialogue each, that wait for each other where they must.

use crate::channel::{self, Pair};
use crate::ids::Who;
use crate::node::Net;
use crate::role::script::{Act, Expect, Step, nothing};
use crate::wire::storage::{Replicate, StorageCommand};
use crate::wire::storage_answers as answers;

use super::super::job::Job;
use super::{FILES_STORED, storage, wait};

/// The control job, with the storage daemon that reads.
pub(in super::super) static READER: &[Step<Job>] = &[
    storage::CONNECT,
    storage::GREETING,
    storage::JOB,
    storage::BOOTSTRAP,
    storage::ERASE,
    storage::USE_READ,
    storage::RECORD_START,
    storage::BANDWIDTH,
    Step {
        name: "the writing storage daemon",
        act: wait_writer,
        expect: Expect::Event(WRITER_LISTENS),
        learn: nothing,
    },
    Step {
        name: "the way to the writing storage daemon",
        act: replicate,
        expect: storage::says(answers::REPLICATE),
        learn: nothing,
    },
    storage::RUN,
    storage::END,
    COPY_ENDED,
];

/// The writing job, with a storage daemon of its own.
pub(in super::super) static WRITER: &[Step<Job>] = &[
    storage::CONNECT,
    storage::GREETING,
    storage::JOB,
    storage::ERASE,
    storage::USE_APPEND,
    storage::RECORD_START,
    Step { name: "letting the storage daemon listen", act: listen, expect: Expect::Nothing, learn: nothing },
    storage::END,
    STORED_ALL,
    Step {
        name: "the reading storage daemon's end",
        act: wait_reader,
        expect: Expect::Event(READER_ENDED),
        learn: nothing,
    },
];

/// The control job of a copy from device to device.
pub(in super::super) static LOCAL: &[Step<Job>] = &[
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
    Step { name: "handing the storage daemon over", act: hand_over, expect: Expect::Nothing, learn: nothing },
    COPY_ENDED,
];

/// The writing job of a copy from device to device, from where it gets the control job's connection.
pub(in super::super) static LOCAL_WRITER: &[Step<Job>] = &[storage::RECORD_START, storage::END, STORED_ALL];

/// The writing storage daemon waits for the reading one.
pub(in super::super) const WRITER_LISTENS: &str = "the writing storage daemon listens";
/// The reading storage daemon has ended.
pub(in super::super) const READER_ENDED: &str = "the reading storage daemon has ended";
/// The copy is in the catalog with the times of its original.
pub(in super::super) const COPIED: &str = "the copy is recorded";

const COPY_ENDED: Step<Job> = Step { name: "the copy", act: wait, expect: Expect::Event(COPIED), learn: nothing };

const STORED_ALL: Step<Job> =
    Step { name: "storing the file list", act: wait_stored, expect: Expect::Event(FILES_STORED), learn: nothing };

fn wait_writer(job: &mut Job, _: &mut Net) -> Act {
    if job.copying.as_ref().is_some_and(|copying| copying.writer.is_some()) { Act::Skip } else { Act::Wait }
}

fn wait_reader(job: &mut Job, _: &mut Net) -> Act {
    if job.copying.as_ref().is_some_and(|copying| copying.reader_end.is_some()) { Act::Skip } else { Act::Wait }
}

fn wait_stored(job: &mut Job, _: &mut Net) -> Act {
    if job.storing == 0 { Act::Skip } else { Act::Wait }
}

fn replicate(job: &mut Job, net: &mut Net) -> Act {
    let Some(copying) = &job.copying else { return Act::Wait };
    let (Some(reading), Some(writing)) = (job.config.storage(&job.storage), job.config.storage(&copying.storage))
    else {
        return Act::Wait;
    };
    let Some((unique, key)) = copying.writer.clone() else { return Act::Wait };
    let channel = match channel::decide(Pair::Copy { reading, writing }) {
        Ok(channel) => channel,
        Err(error) => {
            job.trouble = Some(format!("{error}; {}", error.help()));
            return Act::Wait;
        }
    };
    let order = Replicate {
        job_id: copying.partner,
        job: unique,
        address: channel.address.clone(),
        port: channel.port,
        tls: if job.config.storage_tls(writing).enable { 4 } else { 0 },
        key,
    };
    job.notes.push(channel.path());
    job.send(net, Who::Storage, StorageCommand::Replicate(order).to_line());
    Act::Wait
}

/// No answer: from here on the storage daemon asks.
fn listen(job: &mut Job, net: &mut Net) -> Act {
    if let Some(conn) = job.storage_conn {
        net.gather(conn);
    }
    job.send(net, Who::Storage, StorageCommand::Listen.to_line());
    job.told_to_run = true;
    hand_over(job, net)
}

fn hand_over(job: &mut Job, _: &mut Net) -> Act {
    if let Some(copying) = &mut job.copying {
        copying.ready = true;
    }
    Act::Wait
}
