//! Cancelling: the job changes its state at once, then each daemon is told on a connection of its own. A console hears
//! within a second who has confirmed it; it never waits for a dial.

use std::time::Duration;

use crate::ids::{ConnId, Who};
use crate::node::TimerKey;
use crate::notice::Level;
use crate::role::director::Net;
use crate::wire::file::FileCommand;
use crate::wire::job_answers::CancelAnswer;
use crate::wire::message::MessageKind;
use crate::wire::status::JobStatus;

use super::life::Life;
use super::task::Task;
use crate::role::director::consoles::Answer;
use crate::role::director::errands::Errand;
use crate::role::director::{Director, Due};

/// How long a console waits to hear who has confirmed a cancel.
const ANSWER: Duration = Duration::from_millis(800);
/// How long the storage daemon of a failed job may take to end it (`wire/2 §6.2`).
pub(crate) const GRACE: Duration = Duration::from_secs(30);
/// How long that of a cancelled job may take: what it has written is wanted no more.
pub(crate) const CANCEL_GRACE: Duration = Duration::from_secs(10);

/// The daemons of a job that are told to stop, and what they say to that.
#[derive(Debug)]
pub(crate) struct Cancelling {
    told: Vec<Told>,
    /// The other job of a copy, 0 if there is none: it is cancelled too, and a console hears of both.
    partner: u32,
    /// The console that waits to hear of it, until then.
    console: Option<(ConnId, TimerKey)>,
}

/// One of them.
#[derive(Debug)]
struct Told {
    who: Who,
    name: String,
    /// Its last words, or why it cannot be told.
    said: Option<String>,
    /// What it has answered, as far as it was understood.
    answer: Option<CancelAnswer>,
    over: bool,
}

impl Told {
    /// How it stands, in a line.
    fn line(&self) -> String {
        let Self { who, name, .. } = self;
        match (self.answer, &self.said) {
            (Some(CancelAnswer::Marked), _) => format!("The {who} \"{name}\" has confirmed.\n"),
            // It was let go before it was asked.
            (Some(CancelAnswer::NotFound), _) => format!("The {who} \"{name}\" has ended the job already.\n"),
            _ if !self.over => {
                format!("The {who} \"{name}\" has not confirmed yet; the log will say whether it does.\n")
            }
            (None, Some(said)) => format!("The {who} \"{name}\" has not confirmed: {}\n", said.trim_end()),
            (None, None) => format!("The {who} \"{name}\" has not confirmed: it has hung up.\n"),
        }
    }
}

impl Director {
    /// `cancel` of a console: the answer comes within a second.
    pub(crate) fn cancel_for(&mut self, net: &mut Net, id: u32, console: ConnId) {
        let Some(job) = self.jobs.get(&id) else { return };
        let text = format!("JobId {id}, Job {} marked to be canceled.\n", job.unique);
        if job.life.is_grace() {
            // Asked for a second time: nothing is waited for any more.
            self.end_job(net, id);
            return self.console_answers(net, console, Answer::said(text));
        }
        self.cancel_job(net, id, "by a console");
        if !self.is_cancel_open(id) {
            let answer = self.cancel_lines(id);
            return self.console_answers(net, console, Answer::said(text + &answer));
        }
        self.consoles.print(net, console, &text);
        let timer = net.set_timer(ANSWER, "who confirms a cancel", Due::Confirmations(id));
        if let Some(cancelling) = self.cancelling.get_mut(&id) {
            cancelling.console = Some((console, timer));
        }
    }

    /// Cancels a job. Its daemons are told each on a connection of its own, so that none waits for the other.
    pub(crate) fn cancel_job(&mut self, net: &mut Net, id: u32, why: &str) {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.life.goes_on()) else { return };
        job.status = job.status.merge(JobStatus::Canceled);
        job.say(&mut self.journal, net, MessageKind::Info, &format!("Job canceled: {why}."));
        self.save_lines(net);
        self.abandon(net, id);
    }

    /// Tells the daemons that still work for the job to stop, and lets the file daemon go. The storage daemon has a
    /// while to say what it has written (`wire/2 §6.2`, 6); then the end is recorded. The job takes no room meanwhile.
    pub(crate) fn abandon(&mut self, net: &mut Net, id: u32) {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.life.goes_on()) else { return };
        // Its dialogue is over, whatever it waited for.
        if job.life.is_running() {
            job.life = Life::BEGUN;
        }
        let known_as = if let Task::CopyWriter(writer) = &job.task { writer.known_as.as_ref() } else { None };
        let command = FileCommand::Cancel { job: known_as.unwrap_or(&job.unique).clone() }.to_line();
        let file = job.file_daemon.presence.is_here().then(|| job.with.client.clone());
        let storage = job.storage_daemon.presence.is_here().then(|| job.with.storage.clone());
        let waits = storage.is_some() && job.storage_daemon.runs;
        let grace = if job.status == JobStatus::Canceled { CANCEL_GRACE } else { GRACE };
        let partner = job.task.partner().unwrap_or(0);
        if let Some(conn) = job.file_daemon.presence.leave() {
            self.conns.remove(&conn);
            net.close(conn, true);
        }
        let told: Vec<Told> = [(Who::File, file), (Who::Storage, storage)]
            .into_iter()
            .filter_map(|(who, name)| Some((who, name?)))
            .map(|(who, name)| {
                let refused = self.send_cancel(net, id, who, &name, command.clone());
                if let Err(why) = &refused {
                    net.complain(Level::Warn, 909, &format!("the {who} is not told to cancel job {id}: {why}"));
                }
                Told { who, name, over: refused.is_err(), said: refused.err().map(|why| why.to_string()), answer: None }
            })
            .collect();
        if !told.is_empty() || partner > 0 {
            self.cancelling.insert(id, Cancelling { told, partner, console: None });
        }
        if !waits {
            self.end_job(net, id);
            return self.abandon_partner(net, id);
        }
        let key = net.set_timer(grace, "the storage daemon's end", Due::Grace(id));
        if let Some(job) = self.jobs.get_mut(&id) {
            job.life = Life::Grace { timer: key };
        }
        self.abandon_partner(net, id);
        self.start_queued(net);
    }

    /// The storage daemon has not said in time how it ended.
    pub(crate) fn grace_over(&mut self, net: &mut Net, id: u32) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let grace = if job.status == JobStatus::Canceled { CANCEL_GRACE } else { GRACE };
        let text = format!("the storage daemon has not ended the job within {} s", grace.as_secs());
        job.say(&mut self.journal, net, MessageKind::Warning, &text);
        self.end_job(net, id);
    }

    /// A daemon, or what stands in its way, says something to a cancel.
    pub(crate) fn cancel_heard(&mut self, net: &mut Net, errand: &Errand, id: u32, text: &str) {
        net.log(Level::Info, &format!("{}: {}", errand.command.trim_end(), text.trim_end()));
        let Some(cancelling) = self.cancelling.get(&id) else { return };
        let other = self.cancelling.get(&cancelling.partner);
        let console = cancelling.console.or_else(|| other?.console).map(|(console, _)| console);
        let Some(cancelling) = self.cancelling.get_mut(&id) else { return };
        let Some(told) = cancelling.told.iter_mut().find(|told| told.who == errand.who) else { return };
        told.answer = told.answer.or_else(|| CancelAnswer::parse(text.as_bytes()));
        told.said = Some(text.to_owned());
        if let Some(console) = console.filter(|_| text.starts_with(|c: char| c.is_ascii_digit())) {
            self.consoles.print(net, console, text);
        }
    }

    /// A daemon's answer to a cancel is at its end, or will never come.
    pub(crate) fn cancel_answered(&mut self, net: &mut Net, who: Who, id: u32) {
        let Some(cancelling) = self.cancelling.get_mut(&id) else { return };
        if let Some(told) = cancelling.told.iter_mut().find(|told| told.who == who) {
            told.over = true;
        }
        let jobs = [id, cancelling.partner];
        if !self.is_cancel_open(id) {
            for id in jobs {
                self.tell_who_confirmed(net, id);
            }
            for id in jobs {
                self.cancelling.remove(&id);
            }
        }
    }

    /// The job has ended: what is known of its cancel is of no more use, unless a daemon is still to be told.
    pub(crate) fn forget_cancel(&mut self, id: u32) {
        if !self.is_cancel_open(id) {
            self.cancelling.remove(&id);
        }
    }

    /// Whether a daemon of this job, or of the other job of its copy, is still to answer to the cancel.
    fn is_cancel_open(&self, id: u32) -> bool {
        self.cancels(id).any(Cancelling::is_open)
    }

    /// How those stand who were told, each in a line.
    fn cancel_lines(&self, id: u32) -> String {
        self.cancels(id).map(Cancelling::lines).collect()
    }

    /// The cancel of a job, and that of the other job of its copy.
    fn cancels(&self, id: u32) -> impl Iterator<Item = &Cancelling> {
        let own = self.cancelling.get(&id);
        own.into_iter().chain(own.and_then(|own| self.cancelling.get(&own.partner)))
    }

    /// The console has waited long enough.
    pub(crate) fn tell_who_confirmed(&mut self, net: &mut Net, id: u32) {
        let Some(cancelling) = self.cancelling.get_mut(&id) else { return };
        let Some((console, timer)) = cancelling.console.take() else { return };
        let lines = self.cancel_lines(id);
        net.cancel_timer(timer);
        self.console_answers(net, console, Answer::said(lines));
    }
}

impl Cancelling {
    fn is_open(&self) -> bool {
        self.told.iter().any(|told| !told.over)
    }

    fn lines(&self) -> String {
        self.told.iter().map(Told::line).collect()
    }
}
