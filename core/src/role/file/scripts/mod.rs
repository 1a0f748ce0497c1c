//! The commands of a job on this client: `Run`, `RunBeforeNow`, and what is run when the job has ended (`wire/2 §1.9`).
//!
//! ```text
//!   Run … ----------> kept          RunBeforeNow --> one after the other, then the answer
//!   end of the session --> the storage daemon is left, files are closed --> one after the other, then `2800 End Job`
//! ```
//! Those of the end run also when the director is lost: what was stopped before a backup is started again.

mod words;

use std::collections::BTreeMap;

use crate::ids::{HandleId, SessionId};
use crate::limits;
use crate::printable;
use crate::role::file::Net;
use crate::role::report::resource_name;
use crate::role::trouble::Trouble;
use crate::wire::file::Script;
use crate::wire::file_answers as answers;
use crate::wire::frame;
use crate::wire::message::{JobMessage, MessageKind};
use crate::wire::status::JobStatus;
use crate::work::script::{ScriptDone, ScriptEnd, ScriptOrder, ScriptOutcome, ScriptWork};
use crate::work::{Work, WorkDone};

use super::job::{Job, Kind};
use super::session::{Next, Session};
use super::{FileDaemon, Owner};

/// Bits of `When=`.
const AFTER: u32 = 1;
const BEFORE: u32 = 2;

/// The commands of one job.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    all: Vec<Script>,
    /// How far those of each moment are: each command is looked at once.
    before: usize,
    after: usize,
    running: Option<Running>,
}

/// The command that runs.
#[derive(Clone, Copy, Debug)]
struct Running {
    handle: HandleId,
    moment: Moment,
    aborts: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Before,
    After,
}

/// Sessions that have ended except for the commands of their end.
pub(super) type Ending = BTreeMap<SessionId, Session>;

impl Moment {
    /// What real daemons call it.
    const fn label(self) -> &'static str {
        match self {
            Self::Before => "ClientBeforeJob",
            Self::After => "ClientAfterJob",
        }
    }
}

impl Scripts {
    /// Whether one runs.
    pub(super) const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// What a status says of it.
    pub(super) fn step(&self) -> Option<&'static str> {
        self.running.map(|running| match running.moment {
            Moment::Before => "running the client's commands before the job",
            Moment::After => "running the client's commands after the job",
        })
    }

    /// The next command of a moment that runs at this status of the job; those before it are over.
    fn next(&mut self, moment: Moment, status: JobStatus) -> Option<Script> {
        let next = match moment {
            Moment::Before => &mut self.before,
            Moment::After => &mut self.after,
        };
        while let Some(script) = self.all.get(*next) {
            *next += 1;
            if is_due(script, moment, status) {
                return Some(script.clone());
            }
        }
        None
    }

    /// Whether there is one for the end at this status.
    fn has_after(&self, status: JobStatus) -> bool {
        self.all.iter().skip(self.after).any(|script| is_due(script, Moment::After, status))
    }
}

/// Whether a command runs at a moment, the job being as it is.
fn is_due(script: &Script, moment: Moment, status: JobStatus) -> bool {
    let has_failed = matches!(status, JobStatus::Canceled | JobStatus::Error | JobStatus::Fatal);
    let is_well = match moment {
        Moment::Before => status == JobStatus::Running,
        Moment::After => status.is_ok(),
    };
    let bit = if moment == Moment::Before { BEFORE } else { AFTER };
    script.when & bit != 0 && (script.on_success && is_well || script.on_failure && has_failed)
}

impl FileDaemon {
    /// `Run …`: keeps a command for its moment.
    pub(super) fn take_script(&mut self, net: &mut Net, id: SessionId, script: Script) -> Next {
        let Some(job) = self.sessions.job_mut(id) else {
            self.sessions.tell(net, id, answers::FAILED_SCRIPT);
            return Next::End;
        };
        let why = if job.scripts.all.len() >= limits::SCRIPTS {
            Some(Trouble::TooManyCommands)
        } else if script.command.len() > limits::SCRIPT_COMMAND {
            Some(Trouble::LongCommand(script.command.len()))
        } else {
            None
        };
        if let Some(why) = why {
            self.say_fatal(net, id, &why);
            self.sessions.tell(net, id, answers::FAILED_SCRIPT);
            return Next::End;
        }
        let has_moment = script.when & (BEFORE | AFTER) != 0;
        let text = format!("{:?} is for a moment that this system does not have: it is not run", script.command);
        job.scripts.all.push(script);
        if let Some(session) = self.sessions.get_mut(id).filter(|_| !has_moment) {
            session.warn(net, &self.config.file.name, &text);
        }
        self.sessions.tell(net, id, answers::RUN_SCRIPT);
        Next::Go
    }

    /// `RunBeforeNow`: the commands before the job, then the answer.
    pub(super) fn run_before(&mut self, net: &mut Net, id: SessionId) -> Next {
        if self.sessions.job(id).is_none() {
            self.sessions.tell(net, id, answers::FAILED_SCRIPT);
            return Next::End;
        }
        self.run_next(net, id, Moment::Before);
        Next::Go
    }

    /// Runs the commands of the end, if there are any: then the session comes back by [`FileDaemon::finish`]. What else the
    /// job held is released.
    pub(super) fn run_after(&mut self, net: &mut Net, id: SessionId, session: Session) -> Option<Session> {
        let due = session.job.as_ref().is_some_and(|job| job.id != 0 && job.scripts.has_after(job.outcome()));
        if !due {
            return Some(session);
        }
        self.ending.insert(id, session);
        self.run_next(net, id, Moment::After);
        None
    }

    fn session_with_scripts(&mut self, id: SessionId) -> Option<&mut Session> {
        match self.sessions.get_mut(id) {
            Some(session) => Some(session),
            None => self.ending.get_mut(&id),
        }
    }

    fn run_next(&mut self, net: &mut Net, id: SessionId, moment: Moment) {
        let (name, handle) = (self.config.file.name.clone(), HandleId(net.next_id()));
        let limit = self.script_limit();
        let Some(session) = self.session_with_scripts(id) else { return };
        let director = session.director.clone();
        let Some(job) = &mut session.job else { return };
        let status = if moment == Moment::Before { job.status } else { job.outcome() };
        let Some(script) = job.scripts.next(moment, status) else { return self.ran_all(net, id, moment) };
        job.scripts.running = Some(Running { handle, moment, aborts: script.abort_on_error });
        let meaning = |code| meaning(job, &name, &director, code);
        let words: Vec<String> =
            words::split(&script.command).iter().map(|word| words::expand(word, meaning)).collect();
        let text = format!("shell command: run {} \"{}\"", moment.label(), words.join(" "));
        session.message(net, &name, MessageKind::Info, &text);
        let folders = self.config.script_folders(&director).to_vec();
        let order = ScriptOrder { handle, words, folders, limit };
        net.work(Work::Script(ScriptWork::Run(order)), Owner::Script(id, handle));
        if moment == Moment::Before {
            self.arm_heartbeat(net, id);
        }
    }

    /// Seconds that a command may take; less when the daemon is to end.
    fn script_limit(&self) -> Option<u64> {
        let usual = Some(self.config.file.script_time_limit.duration().as_secs()).filter(|seconds| *seconds > 0);
        match self.stopping {
            true => Some(usual.unwrap_or(u64::MAX).min(limits::SCRIPT_AT_STOP)),
            false => usual,
        }
    }

    fn ran_all(&mut self, net: &mut Net, id: SessionId, moment: Moment) {
        match moment {
            Moment::Before => {
                let is_well = self.sessions.job(id).is_some_and(|job| job.status == JobStatus::Running);
                self.sessions.tell(net, id, if is_well { answers::RUN_BEFORE_NOW } else { answers::FAILED_SCRIPT });
                if !is_well {
                    self.end_session(net, id);
                }
            }
            Moment::After => {
                if let Some(session) = self.ending.remove(&id) {
                    self.finish(net, session);
                }
            }
        }
    }

    /// A command has ended.
    pub(super) fn script_ended(&mut self, net: &mut Net, id: SessionId, handle: HandleId, done: WorkDone) {
        let name = self.config.file.name.clone();
        let Some(session) = self.session_with_scripts(id) else { return };
        let Some(job) = &mut session.job else { return };
        let Some(running) = job.scripts.running.filter(|running| running.handle == handle) else { return };
        job.scripts.running = None;
        let end = match done {
            WorkDone::Script(ScriptDone::Ended(end)) => end,
            _ => ScriptEnd {
                lines: Vec::new(),
                left_out: 0,
                outcome: ScriptOutcome::NotStarted("the workers have stopped".to_owned()),
            },
        };
        let label = running.moment.label();
        session.script_lines(net, &name, label, &end);
        if let Some(text) = failure(&end.outcome, label) {
            session.message(net, &name, MessageKind::Error, &text);
            if let Some(job) = &mut session.job {
                job.counted.errors = job.counted.errors.saturating_add(1);
                // One that may not be run fails its job in any case.
                let fails = running.aborts || matches!(end.outcome, ScriptOutcome::NotAllowed(_));
                if fails && matches!(job.status, JobStatus::Running) {
                    job.status = JobStatus::Error;
                }
            }
        }
        self.run_next(net, id, running.moment);
    }

    /// Ends the command of a job that is given up, if one runs.
    pub(super) fn stop_script(net: &mut Net, job: &mut Job) {
        if let Some(running) = job.scripts.running.take() {
            net.work(Work::Script(ScriptWork::Stop(running.handle)), Owner::Gone);
        }
    }

    /// `cancel Job=…` while its last commands run: the one that runs is ended, and no more follow that are for a good end.
    pub(super) fn cancel_ending(&mut self, net: &mut Net, name: &str) -> bool {
        let jobs = self.ending.values_mut().filter_map(|session| session.job.as_mut());
        let Some(job) = jobs.filter(|job| job.name == name).find(|job| job.scripts.is_running()) else { return false };
        job.status = JobStatus::Canceled;
        if let Some(running) = job.scripts.running {
            net.work(Work::Script(ScriptWork::Stop(running.handle)), Owner::Gone);
        }
        true
    }
}

impl Session {
    /// What a command has written, as job messages.
    fn script_lines(&self, net: &mut Net, daemon: &str, label: &str, end: &ScriptEnd) {
        let Some(job) = &self.job else { return };
        let time = net.wall().seconds();
        let mut frames = Vec::new();
        let mut say = |kind, text: &str| {
            let text = format!("{label}: {}", printable::line(text));
            frame::put_data(
                &mut frames,
                JobMessage::compose(daemon, job.id, &job.name, kind, time, &text).to_line().as_bytes(),
            );
        };
        end.lines.iter().for_each(|line| say(MessageKind::Info, line));
        if end.left_out > 0 {
            say(MessageKind::Warning, &format!("{} more lines are left out", end.left_out));
        }
        if !frames.is_empty() {
            net.send(self.conn, frames);
        }
    }
}

/// What is wrong with how a command ended.
fn failure(outcome: &ScriptOutcome, label: &str) -> Option<String> {
    Some(match outcome {
        ScriptOutcome::Exited(0) => return None,
        ScriptOutcome::Exited(status) => format!("Runscript: {label} returned non-zero status={status} (T0724)"),
        ScriptOutcome::Signalled(signal) => format!("Runscript: {label} was ended by signal {signal} (T0724)"),
        ScriptOutcome::Stopped => format!("Runscript: {label} was ended with its job (T0724)"),
        ScriptOutcome::TooLong => {
            format!("Runscript: {label} took longer than `script_time_limit` allows, and was ended (T0725)")
        }
        ScriptOutcome::NotAllowed(place) => {
            format!("Runscript: {label} is not run: {place} is in none of the folders of `allowed_script_dir` (T0726)")
        }
        ScriptOutcome::NotStarted(why) => format!("Runscript: {label} could not be started: {why} (T0727)"),
    })
}

/// What `%` and a letter stand for; real file daemons give the same.
fn meaning(job: &Job, daemon: &str, director: &str, code: char) -> Option<String> {
    let tally = &job.counted.tally;
    Some(match code {
        'b' => tally.job_bytes.to_string(),
        'B' => format!("{}B", tally.job_bytes),
        'F' => tally.files.to_string(),
        'c' | 'd' => daemon.to_owned(),
        'D' => director.to_owned(),
        'e' => exit_word(job.outcome()).to_owned(),
        'i' => job.id.to_string(),
        'j' => job.name.clone(),
        'l' => level_word(job.asked.level).to_owned(),
        'm' => job.asked.since.unwrap_or(0).to_string(),
        'n' => resource_name(&job.name).to_owned(),
        'r' => String::new(),
        's' | 'v' => "*None*".to_owned(),
        't' => match job.kind {
            Kind::Restore { .. } => "Restore",
            Kind::Verify => "Verify",
            Kind::Unknown | Kind::Backup { .. } | Kind::Estimate { .. } => "Backup",
        }
        .to_owned(),
        _ => return None,
    })
}

fn exit_word(outcome: JobStatus) -> &'static str {
    match outcome {
        JobStatus::Ok => "OK",
        JobStatus::Warnings => "OK -- with warnings",
        JobStatus::Canceled => "Canceled",
        JobStatus::Fatal => "Fatal Error",
        JobStatus::Error => "Error",
        _ => "Unknown term code",
    }
}

fn level_word(level: u8) -> &'static str {
    match level {
        b'F' => "Full",
        b'B' => "Base",
        b'D' => "Differential",
        b'I' => "Incremental",
        _ => " ",
    }
}
