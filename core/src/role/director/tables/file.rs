//! Steps with a file daemon.

use crate::ids::Who;
use crate::node::Net;
use crate::role::script::{Act, Expect, Step, nothing};
use crate::wire::file::{FileCommand, JobInfo};
use crate::wire::{file_answers as answers, hello};

use super::super::job::Job;
use super::{FILE_ENDED, FILE_READY};

pub(super) const CONNECT: Step<Job> =
    Step { name: "connecting to the file daemon", act: dial, expect: Expect::Event(FILE_READY), learn: nothing };

pub(super) const GREETING: Step<Job> = Step {
    name: "the file daemon's greeting",
    act: wait_greeting,
    expect: says("2000 OK Hello"),
    learn: learn_protocol,
};

pub(super) const JOB: Step<Job> =
    Step { name: "the file daemon's job", act: send_job, expect: says("2000 OK Job"), learn: learn_uname };

pub(super) const ERASE: Step<Job> = Step {
    name: "the file daemon's erase command",
    act: send_erase,
    expect: says("2000 OK FDSecureEraseCmd"),
    learn: nothing,
};

/// Only of a job with a limit, and since protocol 4 (`wire/2 §1.13`, 8).
pub(super) const BANDWIDTH: Step<Job> = Step {
    name: "the file daemon's bandwidth limit",
    act: send_bandwidth,
    expect: says(answers::BANDWIDTH),
    learn: nothing,
};

pub(super) const END: Step<Job> =
    Step { name: "the file daemon's end", act: wait_end, expect: Expect::Event(FILE_ENDED), learn: nothing };

pub(super) const DISMISS: Step<Job> =
    Step { name: "letting the file daemon go", act: dismiss, expect: Expect::Nothing, learn: nothing };

/// An answer of the file daemon.
pub(super) const fn says(line: &'static str) -> Expect {
    Expect::Answer(Who::File, line)
}

fn dial(job: &mut Job, _: &mut Net) -> Act {
    job.wants_file = true;
    Act::Wait
}

/// A file daemon that dialled in has been greeted, and does not greet (`wire/1 §8.2`).
fn wait_greeting(job: &mut Job, _: &mut Net) -> Act {
    if job.file_greeted { Act::Skip } else { Act::Wait }
}

fn learn_protocol(job: &mut Job, line: &str) -> Result<(), String> {
    job.file_protocol = hello::parse_file_answer(line.as_bytes()).ok_or_else(|| line.trim_end().to_owned())?;
    Ok(())
}

fn send_job(job: &mut Job, net: &mut Net) -> Act {
    let info = JobInfo {
        job_id: job.id,
        job: job.unique.clone(),
        session_id: job.session.0,
        session_time: job.session.1,
        key: job.key.clone(),
        tls: job.data_tls(),
    };
    job.send(net, Who::File, FileCommand::Job(info).to_line());
    Act::Wait
}

fn learn_uname(job: &mut Job, line: &str) -> Result<(), String> {
    job.uname = answers::parse_job(line.as_bytes()).unwrap_or_default();
    Ok(())
}

fn send_erase(job: &mut Job, net: &mut Net) -> Act {
    if job.file_protocol < 54 {
        return Act::Skip;
    }
    job.send(net, Who::File, FileCommand::SecureErase.to_line());
    Act::Wait
}

fn send_bandwidth(job: &mut Job, net: &mut Net) -> Act {
    let limit = job.bandwidth_limit();
    if limit == 0 || job.file_protocol < 4 {
        return Act::Skip;
    }
    job.send(net, Who::File, FileCommand::SetBandwidth { limit, job: job.unique.clone() }.to_line());
    Act::Wait
}

pub(super) fn wait_end(job: &mut Job, _: &mut Net) -> Act {
    if job.file_end.is_some() { Act::Skip } else { Act::Wait }
}

/// The file daemon has said goodbye behind its end, so that no TERMINATE is due.
fn dismiss(job: &mut Job, net: &mut Net) -> Act {
    if let Some(conn) = job.file_conn.take() {
        net.close(conn, false);
    }
    Act::Wait
}
