//! The commands of a job on this client: `Run`, `RunBeforeNow`, and what is run when the job has ended (`wire/2 §1.9`).
//!
//! ```text
//!   Run … ----------> kept          RunBeforeNow --> one after the other, then the answer
//!   end of the session --> the storage daemon is left, files are closed --> one after the other, then `2800 End Job`
//! ```
//! Those of the end run also when the director is lost: what was stopped before a backup is started again.

use std::collections::BTreeMap;

use crate::error::Explain;
use crate::ids::{HandleId, SessionId};
use crate::limits;
use crate::role::commands::{self, AFTER, BEFORE, Commands, Failure, Moment};
use crate::role::file::Net;
use crate::role::report::resource_name;
use crate::role::trouble::Trouble;
use crate::wire::command;
use crate::wire::file::Script;
use crate::wire::file_answers as answers;
use crate::wire::frame;
use crate::wire::message::{JobMessage, MessageKind};
use crate::wire::status::JobStatus;
use crate::work::script::{ScriptEnd, ScriptOrder, ScriptWork};
use crate::work::{Work, WorkDone};

use super::job::{Job, Kind};
use super::session::{Next, Session};
use super::{FileDaemon, Owner};

/// Sessions that have ended except for the commands of their end.
pub(super) type Ending = BTreeMap<SessionId, Session>;

/// What real daemons call a moment.
const fn label(moment: Moment) -> &'static str {
    match moment {
        Moment::Before => "ClientBeforeJob",
        Moment::After => "ClientAfterJob",
    }
}

/// What a status says while one runs.
pub(super) fn step(scripts: &Commands) -> Option<&'static str> {
    scripts.running().map(|running| match running.moment {
        Moment::Before => "running the client's commands before the job",
        Moment::After => "running the client's commands after the job",
    })
}

impl FileDaemon {
    /// `Run …`: keeps a command for its moment.
    pub(super) fn take_script(&mut self, net: &mut Net, id: SessionId, script: Script) -> Next {
        let Some(job) = self.sessions.job_mut(id) else {
            self.sessions.tell(net, id, answers::FAILED_SCRIPT);
            return Next::End;
        };
        let why = if job.scripts.len() >= limits::SCRIPTS {
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
        job.scripts.push(script);
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
        let due = session.job.as_ref().is_some_and(|job| job.id != 0 && job.scripts.has(Moment::After, job.outcome()));
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
        let limit = self.script_limit(id);
        let Some(session) = self.session_with_scripts(id) else { return };
        let director = session.director.clone();
        let Some(job) = &mut session.job else { return };
        let status = if moment == Moment::Before { job.status } else { job.outcome() };
        let Some(script) = job.scripts.begin(moment, status, handle) else { return self.ran_all(net, id, moment) };
        let words = words_of(&script.command, job, &name, &director);
        let text = format!("shell command: run {} \"{}\"", label(moment), words.join(" "));
        session.message(net, &name, MessageKind::Info, &text);
        let folders = self.config_of(id).script_folders(&director).to_vec();
        let order = ScriptOrder { handle, words, folders, limit, input: Vec::new() };
        net.work(Work::Script(ScriptWork::Run(order)), Owner::Script(id, handle));
        if moment == Moment::Before {
            self.arm_heartbeat(net, id);
        }
    }

    /// Seconds that a command may take; less when the daemon is to end.
    fn script_limit(&self, id: SessionId) -> Option<u64> {
        let usual = Some(self.config_of(id).file.script_time_limit.duration().as_secs()).filter(|seconds| *seconds > 0);
        match self.stopping.is_ending() {
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
                self.rereading.forget(id);
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
        let Some(running) = job.scripts.end(handle) else { return };
        let end = commands::end_of(done);
        let label = label(running.moment);
        session.script_lines(net, &name, label, &end);
        if let Some(failure) = Failure::of(&end.outcome, label) {
            session.message(net, &name, MessageKind::Error, &failure.line());
            if let Some(job) = &mut session.job {
                job.counted.errors = job.counted.errors.saturating_add(1);
                if (running.aborts || failure.always_fails()) && matches!(job.status, JobStatus::Running) {
                    job.status = JobStatus::Error;
                }
            }
        }
        self.run_next(net, id, running.moment);
    }

    /// Ends the command of a job that is given up, if one runs.
    pub(super) fn stop_script(net: &mut Net, job: &mut Job) {
        if let Some(handle) = job.scripts.stop() {
            net.work(Work::Script(ScriptWork::Stop(handle)), Owner::Gone);
        }
    }

    /// `cancel Job=…` while its last commands run: the one that runs is ended, and no more follow that are for a good end.
    pub(super) fn cancel_ending(&mut self, net: &mut Net, name: &str) -> bool {
        let jobs = self.ending.values_mut().filter_map(|session| session.job.as_mut());
        let Some(job) = jobs.filter(|job| job.name == name).find(|job| job.scripts.running().is_some()) else {
            return false;
        };
        job.status = JobStatus::Canceled;
        if let Some(running) = job.scripts.running() {
            net.work(Work::Script(ScriptWork::Stop(running.handle)), Owner::Gone);
        }
        true
    }
}

impl Session {
    /// What a command has written, as job messages.
    fn script_lines(&mut self, net: &mut Net, daemon: &str, label: &str, end: &ScriptEnd) {
        let Some(job) = &mut self.job else { return };
        let time = net.wall().seconds();
        let mut frames = Vec::new();
        for (kind, text) in commands::said(label, end) {
            job.for_mail.add(kind, time, &text);
            if !job.tells(kind) {
                continue;
            }
            let message = JobMessage::compose(daemon, job.id, &job.name, kind, time, &text);
            frame::put_data(&mut frames, message.to_line().as_bytes());
        }
        if !frames.is_empty() {
            net.send(self.conn, frames);
        }
    }
}

/// The words of a command, with what `%` stands for in them.
pub(super) fn words_of(command: &str, job: &Job, daemon: &str, director: &str) -> Vec<String> {
    let meaning = |code| meaning(job, daemon, director, code);
    command::split(command).iter().map(|word| command::expand(word, meaning)).collect()
}

/// A text with what `%` stands for in it.
pub(super) fn expanded(text: &str, job: &Job, daemon: &str, director: &str) -> String {
    command::expand(text, |code| meaning(job, daemon, director, code))
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
        'e' => commands::exit_word(job.outcome()).to_owned(),
        'i' => job.id.to_string(),
        'j' => job.name.clone(),
        'l' => level_word(job.asked.level).to_owned(),
        'm' => job.asked.since.unwrap_or(0).to_string(),
        'n' => resource_name(&job.name).to_owned(),
        'r' => String::new(),
        's' | 'v' => "*None*".to_owned(),
        't' => match job.kind {
            Kind::Restore { .. } => "Restore",
            Kind::Verify | Kind::Look { .. } => "Verify",
            Kind::Unknown | Kind::Backup { .. } | Kind::Estimate { .. } => "Backup",
        }
        .to_owned(),
        _ => return None,
    })
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
