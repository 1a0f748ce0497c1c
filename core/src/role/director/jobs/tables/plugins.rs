//! What a job tells the plugins of its client beside their definitions (`wire/2 §1.13`, 5): each is sent and answered.

use crate::ids::Who;
use crate::role::director::common::Tools;
use crate::script::{Act, Acted, Expect, Step, nothing};
use crate::wire::file::FileCommand;
use crate::wire::file_answers as answers;

use super::super::job::Job;
use super::file;

/// One of them.
pub(super) const SEND: Step<Job> =
    Step { name: "options for a plugin", act: send, expect: file::says(answers::PLUGIN_OPTIONS, nothing) };

/// The next one, if there is one.
pub(super) const MORE: Step<Job> = Step { name: "the next options for a plugin", act: more, expect: Expect::Nothing };

/// Those of who ordered the job, then those of its resource.
fn all(job: &Job) -> impl Iterator<Item = &str> {
    let own = job.config.job(&job.name).map(|resource| resource.fd_plugin_options.as_slice()).unwrap_or_default();
    job.terms.plugin_options.iter().chain(own).map(String::as_str)
}

fn send(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let Some(options) = all(job).nth(job.file_daemon.plugin_options).map(str::to_owned) else { return Ok(Act::Next) };
    job.file_daemon.plugin_options += 1;
    job.send(tools.net, Who::File, FileCommand::PluginOptions { options }.to_line());
    Ok(Act::Wait)
}

fn more(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    let has_more = all(job).count() > job.file_daemon.plugin_options;
    Ok(if has_more { Act::Back } else { Act::Next })
}
