//! Steps with a file daemon.

use crate::ids::Who;
use crate::script::{Act, Acted, Expect, Learn, Step, nothing};
use crate::secret::Secret;
use crate::wire::file::{FileCommand, JobInfo};
use crate::wire::{file_answers as answers, hello};

use super::super::dialogue::{Event, Want};
use super::super::job::Job;
use super::super::trouble::Trouble;
use crate::role::director::common::Tools;

pub(super) const CONNECT: Step<Job> =
    Step { name: "connecting to the file daemon", act: dial, expect: Expect::Event(Event::FileReady) };

pub(super) const GREETING: Step<Job> =
    Step { name: "the file daemon's greeting", act: wait_greeting, expect: says(hello::FILE_ANSWER, learn_protocol) };

pub(super) const JOB: Step<Job> =
    Step { name: "the file daemon's job", act: send_job, expect: says(answers::JOB, learn_uname) };

pub(super) const ERASE: Step<Job> =
    Step { name: "the file daemon's erase command", act: send_erase, expect: says(answers::SECURE_ERASE, nothing) };

/// Only of a job with a limit, and since protocol 4 (`wire/2 §1.13`, 8).
pub(super) const BANDWIDTH: Step<Job> =
    Step { name: "the file daemon's bandwidth limit", act: send_bandwidth, expect: says(answers::BANDWIDTH, nothing) };

pub(super) const END: Step<Job> =
    Step { name: "the file daemon's end", act: wait_end, expect: Expect::Event(Event::FileEnded) };

pub(super) const DISMISS: Step<Job> =
    Step { name: "letting the file daemon go", act: dismiss, expect: Expect::Nothing };

/// An answer of the file daemon.
pub(super) const fn says(line: &'static str, learn: Learn<Job>) -> Expect<Job> {
    Expect::Text(Who::File, line, learn)
}

fn dial(_: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    Ok(Act::Want(Want::ReachFile))
}

/// A file daemon that dialled in has been greeted, and does not greet (`wire/1 §8.2`).
fn wait_greeting(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    if job.file_daemon.is_greeted { Ok(Act::Next) } else { Ok(Act::Wait) }
}

fn learn_protocol(job: &mut Job, line: &str) -> Result<(), Option<Trouble>> {
    job.file_daemon.protocol = hello::parse_file_answer(line.as_bytes()).ok_or(None)?;
    Ok(())
}

fn send_job(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let info = JobInfo {
        job_id: job.id.0,
        job: job.unique.clone(),
        session_id: job.storage_daemon.session.id,
        session_time: job.storage_daemon.session.time,
        key: if job.verifies_disk() { Secret::from("dummy") } else { job.storage_daemon.key.clone() },
        tls: job.route()?.tls,
    };
    job.send(tools.net, Who::File, FileCommand::Job(info).to_line());
    Ok(Act::Wait)
}

fn learn_uname(job: &mut Job, line: &str) -> Result<(), Option<Trouble>> {
    job.file_daemon.uname = answers::parse_job(line.as_bytes()).unwrap_or_default();
    Ok(())
}

fn send_erase(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if job.file_daemon.protocol < 54 {
        return Ok(Act::Next);
    }
    job.send(tools.net, Who::File, FileCommand::SecureErase.to_line());
    Ok(Act::Wait)
}

fn send_bandwidth(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let limit = job.bandwidth_limit();
    if limit == 0 || job.file_daemon.protocol < 4 {
        return Ok(Act::Next);
    }
    job.send(tools.net, Who::File, FileCommand::SetBandwidth { limit, job: job.unique.clone() }.to_line());
    Ok(Act::Wait)
}

pub(super) fn wait_end(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    if job.file_daemon.presence.end().is_some() { Ok(Act::Next) } else { Ok(Act::Wait) }
}

/// The file daemon has said goodbye after its end, so that no TERMINATE is due.
fn dismiss(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if let Some(conn) = job.file_daemon.presence.leave() {
        tools.net.close(conn, false);
    }
    Ok(Act::Wait)
}
