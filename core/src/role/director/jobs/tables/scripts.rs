//! The commands of a job on its client (`wire/2 §1.9`): each is sent and answered, then those before the job run.

use crate::config::{RunScript, RunsWhen};
use crate::ids::Who;
use crate::role::director::common::Tools;
use crate::script::{Act, Acted, Expect, Step, nothing};
use crate::wire::file::FileCommand;
use crate::wire::file_answers as answers;

use super::super::job::Job;
use super::super::scripts::to_wire;
use super::file;

/// One command.
pub(super) const SEND: Step<Job> =
    Step { name: "a command for the client", act: send, expect: file::says(answers::RUN_SCRIPT, nothing) };

/// The next one, if there is one.
pub(super) const MORE: Step<Job> = Step { name: "the next command for the client", act: more, expect: Expect::Nothing };

/// Those before the job. A real director says so if any command of the job is for that moment, its own included; none of
/// this if there is no command for the client.
pub(super) const RUN: Step<Job> = Step {
    name: "the client's commands before the job",
    act: run_before,
    expect: file::says(answers::RUN_BEFORE_NOW, nothing),
};

fn all(job: &Job) -> &[RunScript] {
    job.config.job(&job.name).map(|resource| resource.run_scripts.as_slice()).unwrap_or_default()
}

/// Those for the client.
fn of_client(job: &Job) -> impl Iterator<Item = &RunScript> {
    all(job).iter().filter(|script| script.is_for_client())
}

fn send(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let Some(script) = of_client(job).nth(job.file_daemon.scripts).map(to_wire) else { return Ok(Act::Next) };
    job.file_daemon.scripts += 1;
    job.send(tools.net, Who::File, FileCommand::Run(script).to_line());
    Ok(Act::Wait)
}

fn more(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    let has_more = of_client(job).count() > job.file_daemon.scripts;
    Ok(if has_more { Act::Back } else { Act::Next })
}

fn run_before(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let count = of_client(job).count();
    let is_due = all(job).iter().any(|script| script.runs_when != RunsWhen::After);
    // With the next storage daemon of a restore they have run.
    if count == 0 || !is_due || job.file_daemon.scripts > count {
        return Ok(Act::Next);
    }
    job.file_daemon.scripts = count + 1;
    job.send(tools.net, Who::File, FileCommand::RunBeforeNow.to_line());
    Ok(Act::Wait)
}
