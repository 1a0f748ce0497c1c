//! Commands that a job runs on the director (`wire/2 §1.9`): before its dialogue, and when its daemons are gone.
//!
//! ```text
//!   from the queue --> those before it, one after the other --> its dialogue
//!   its daemons are gone --> those after it, one after the other --> the record of its end
//! ```
//! Some are commands of a console, which the director does itself ([`consoles`](crate::role::director)).
//! Those that run on the client are sent to it ([`tables::scripts`](super::tables)).

use std::collections::BTreeMap;

use crate::config::RunScript;
use crate::error::Explain;
use crate::ids::{HandleId, JobId};
use crate::limits;
use crate::role::commands::{self, Commands, Failure, Moment, Running};
use crate::role::director::Owner;
use crate::role::director::common::Tools;
use crate::role::director::consoles::Said;
use crate::role::director::effect::Effect;
use crate::wire::command;
use crate::wire::file::Script;
use crate::wire::message::MessageKind;
use crate::wire::status::{JobLevel, JobStatus};
use crate::work::script::{ScriptEnd, ScriptOrder, ScriptOutcome, ScriptWork};
use crate::work::{Work, WorkDone};

use super::Jobs;
use super::job::Job;
use super::life::Life;
use super::tables;
use super::task::Task;

/// What a status says while commands run before a job, and after it.
const BEFORE: &str = "running the director's commands before the job";
/// See [`BEFORE`].
pub(super) const AFTER: &str = "running the director's commands after the job";

/// The director's commands of the jobs that have such.
#[derive(Debug, Default)]
pub(super) struct Scripts(BTreeMap<JobId, Own>);

/// Those of one job.
#[derive(Debug)]
struct Own {
    commands: Commands,
    /// Which of them are a console's.
    are_console: Vec<bool>,
}

impl Own {
    fn is_console(&self, running: Running) -> bool {
        self.are_console.get(running.index).copied().unwrap_or_default()
    }
}

/// What real directors call a moment.
const fn label(moment: Moment) -> &'static str {
    match moment {
        Moment::Before => "BeforeJob",
        Moment::After => "AfterJob",
    }
}

/// A command of the configuration as it goes over the wire.
pub(super) fn to_wire(from: &RunScript) -> Script {
    Script {
        on_success: from.runs_on_success,
        on_failure: from.runs_on_failure,
        abort_on_error: from.fail_job_on_error,
        when: from.runs_when.bits(),
        command: from.command.clone(),
    }
}

impl Scripts {
    /// What a job does, if commands run before it.
    fn stage(&self, id: JobId) -> Option<&'static str> {
        let running = self.0.get(&id)?.commands.running()?;
        (running.moment == Moment::Before).then_some(BEFORE)
    }
}

impl Jobs {
    /// What a job does or waits for, in words.
    pub(crate) fn stage_of(&self, job: &Job) -> &'static str {
        self.scripts.stage(job.id).unwrap_or_else(|| job.stage())
    }

    /// Runs the commands before a job that has its turn; then its dialogue begins.
    pub(super) fn run_before(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get(&id) else { return };
        let scripts = job.config.job(&job.name).map(|resource| resource.run_scripts.as_slice()).unwrap_or_default();
        let own = || scripts.iter().filter(|script| !script.is_for_client());
        if own().next().is_some() {
            let commands = Commands::new(own().map(to_wire).collect());
            let are_console = own().map(|script| script.console).collect();
            self.scripts.0.insert(id, Own { commands, are_console });
        }
        self.run_next(tools, id, Moment::Before);
    }

    /// Runs the commands after a job whose daemons are gone, if there are any: then its end is recorded. False if there are
    /// none.
    pub(super) fn run_after(&mut self, tools: &mut Tools<'_>, id: JobId) -> bool {
        let Some(job) = self.all.get_mut(&id) else { return false };
        if !self.scripts.0.get(&id).is_some_and(|own| own.commands.has(Moment::After, job.status)) {
            return false;
        }
        job.life = Life::After;
        self.run_next(tools, id, Moment::After);
        true
    }

    fn run_next(&mut self, tools: &mut Tools<'_>, id: JobId, moment: Moment) {
        let handle = HandleId(tools.net.next_id());
        let Some(job) = self.all.get_mut(&id) else { return };
        let next = self.scripts.0.get_mut(&id).and_then(|own| {
            let script = own.commands.begin(moment, job.status, handle)?;
            Some((script, own.commands.running().is_some_and(|running| own.is_console(running))))
        });
        let Some((script, is_console)) = next else { return self.ran_all(tools, id, moment) };
        let meaning = |code| meaning(job, code);
        if is_console {
            let line = command::expand(&script.command, meaning);
            let text = format!("console command: run {} \"{line}\"", label(moment));
            job.say(tools, MessageKind::Info, &text);
            return tools.effect(Effect::Command(id, handle, line));
        }
        let words: Vec<String> =
            command::split(&script.command).iter().map(|word| command::expand(word, meaning)).collect();
        let text = format!("shell command: run {} \"{}\"", label(moment), words.join(" "));
        job.say(tools, MessageKind::Info, &text);
        let order = ScriptOrder { handle, words, folders: Vec::new(), limit: limit(tools), input: Vec::new() };
        tools.net.work(Work::Script(ScriptWork::Run(order)), Owner::Script(id, handle));
    }

    fn ran_all(&mut self, tools: &mut Tools<'_>, id: JobId, moment: Moment) {
        match moment {
            Moment::Before if self.all.get(&id).is_some_and(Job::is_alive) => self.set_off(tools, id),
            Moment::Before => self.abandon(tools, id),
            Moment::After => self.record_end(tools, id),
        }
    }

    /// A program has ended. One that was given up with its job is nobody's.
    pub(crate) fn script_ended(&mut self, tools: &mut Tools<'_>, id: JobId, handle: HandleId, done: WorkDone) {
        self.ended(tools, (id, handle), commands::end_of(done), None);
    }

    /// A console's command has ended: what it has shown, and why it was not done if that is so.
    pub(crate) fn command_ended(&mut self, tools: &mut Tools<'_>, said: Said) {
        let Said { id, handle, lines, left_out, refused } = said;
        let end = ScriptEnd { lines, left_out, outcome: ScriptOutcome::Exited(0) };
        self.ended(tools, (id, handle), end, refused);
    }

    fn ended(
        &mut self,
        tools: &mut Tools<'_>,
        (id, handle): (JobId, HandleId),
        end: ScriptEnd,
        refused: Option<String>,
    ) {
        let Some(running) = self.scripts.0.get_mut(&id).and_then(|own| own.commands.end(handle)) else { return };
        let Some(job) = self.all.get_mut(&id) else { return };
        let label = label(running.moment);
        commands::said(label, &end).for_each(|(kind, text)| job.say(tools, kind, &text));
        let mut is_spoiled = end.left_out > 0;
        let failure = match refused {
            Some(why) => Some(Failure::Refused { label, why }),
            None => Failure::of(&end.outcome, label),
        };
        if let Some(failure) = failure {
            job.say(tools, MessageKind::Error, &failure.line());
            is_spoiled = true;
            if running.aborts || failure.always_fails() {
                job.status = job.status.merge(JobStatus::Error);
            }
        }
        if is_spoiled && job.status == JobStatus::Ok {
            job.status = JobStatus::Warnings;
        }
        self.run_next(tools, id, running.moment);
    }

    /// Ends the command before a job that is given up, if one runs.
    pub(super) fn stop_before(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(own) = self.scripts.0.get_mut(&id) else { return };
        let Some(running) = own.commands.running() else { return };
        own.commands.stop();
        stop(tools, running.handle, own.is_console(running));
    }

    /// A job is cancelled while its last commands run: the one that runs is ended, and no more follow that are for a good
    /// end.
    pub(super) fn cut_after(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get_mut(&id).filter(|job| matches!(job.life, Life::After)) else { return };
        job.status = job.status.merge(JobStatus::Canceled);
        if let Some(own) = self.scripts.0.get(&id)
            && let Some(running) = own.commands.running()
        {
            stop(tools, running.handle, own.is_console(running));
        }
    }

    /// The job has ended.
    pub(super) fn forget_scripts(&mut self, id: JobId) {
        self.scripts.0.remove(&id);
    }
}

/// Ends what runs.
fn stop(tools: &mut Tools<'_>, handle: HandleId, is_console: bool) {
    if is_console {
        tools.effect(Effect::GiveUpCommand(handle));
    } else {
        tools.net.work(Work::Script(ScriptWork::Stop(handle)), Owner::Stopped);
    }
}

/// Seconds that a command may take; less when the director is to end.
pub(crate) fn limit(tools: &Tools<'_>) -> Option<u64> {
    let usual = Some(tools.common.config.director.script_time_limit.duration().as_secs()).filter(|limit| *limit > 0);
    match tools.common.stopping.is_ending() {
        true => Some(usual.unwrap_or(u64::MAX).min(limits::SCRIPT_AT_STOP)),
        false => usual,
    }
}

/// What `%` and a letter stand for; real directors give the same.
pub(crate) fn meaning(job: &Job, code: char) -> Option<String> {
    let none = || "*None*".to_owned();
    let (files, bytes, _) = job.totals();
    let config = &job.config;
    Some(match code {
        'b' => bytes.to_string(),
        'B' => format!("{bytes}B"),
        'F' => files.to_string(),
        'c' => job.with.client.clone(),
        'd' | 'D' => config.director.name.clone(),
        'e' => commands::exit_word(job.status).to_owned(),
        'f' => job.with.fileset.clone(),
        'h' => config.client(&job.with.client)?.address.clone()?,
        'i' => job.id.to_string(),
        'j' => job.unique.clone(),
        'l' => level_word(job.level).to_owned(),
        'n' => job.name.clone(),
        'N' => match &job.task {
            Task::CopyControl(control) => control.partner.map_or_else(none, |partner| partner.to_string()),
            _ => none(),
        },
        'p' => job.with.pool.clone(),
        'r' => String::new(),
        's' | 'v' | 'V' => none(),
        't' => tables::of(job.kind).0.to_owned(),
        'w' => job.with.storage.clone(),
        'x' | 'C' => "no".to_owned(),
        _ => return None,
    })
}

pub(super) const fn level_word(level: JobLevel) -> &'static str {
    match level {
        JobLevel::Full => "Full",
        JobLevel::Differential => "Differential",
        JobLevel::Incremental => "Incremental",
        JobLevel::VirtualFull => "Virtual Full",
        JobLevel::VerifyVolume => "Verify Volume to Catalog",
        JobLevel::VerifyDisk => "Verify Disk to Catalog",
        JobLevel::VerifyInit => "Verify Init Catalog",
        JobLevel::VerifyCatalog => "Verify Catalog",
        _ => " ",
    }
}
