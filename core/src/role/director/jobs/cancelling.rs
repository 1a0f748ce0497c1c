//! Cancelling: the job changes its state at once, then each daemon is told on a connection of its own. A console hears
//! within a second who has confirmed it; it never waits for a dial.

use std::time::Duration;

use crate::cover::{self, Mark};
use crate::ids::{ConnId, JobId, Who};
use crate::node::TimerKey;
use crate::role::director::common::Tools;
use crate::role::director::effect::Effect;
use crate::wire::file::FileCommand;
use crate::wire::job_answers::CancelAnswer;
use crate::wire::message::MessageKind;
use crate::wire::status::JobStatus;

use super::Jobs;
use super::job::Job;
use super::life::Life;
use super::task::Task;
use crate::role::director::Due;
use crate::role::director::consoles::Answer;
use crate::role::director::errands::{Errand, For};

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
    /// The other job of a copy: it is cancelled too, and a console hears of both.
    partner: Option<JobId>,
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

impl Jobs {
    /// `cancel` of a console: the answer comes within a second.
    pub(crate) fn cancel_for(&mut self, tools: &mut Tools<'_>, id: JobId, console: ConnId) {
        let Some(job) = self.all.get(&id) else { return };
        let text = format!("JobId {id}, Job {} marked to be canceled.\n", job.unique);
        if job.life.is_grace() {
            // Asked for a second time: nothing is waited for any more.
            self.end_job(tools, id);
            return tools.answer(console, Answer::said(text));
        }
        cover::hit(Mark::Cancelled);
        self.cancel_job(tools, id, "by a console");
        if !self.is_cancel_open(id) {
            return tools.answer(console, Answer::said(text));
        }
        tools.print(console, text);
        let timer = tools.net.set_timer(ANSWER, "who confirms a cancel", Due::Confirmations(id));
        if let Some(cancelling) = self.cancels.get_mut(&id) {
            cancelling.console = Some((console, timer));
        }
    }

    /// How many jobs run, those included that were given up and whose end is awaited.
    pub(crate) fn running(&self) -> usize {
        self.all.values().filter(|job| !job.life.is_queued()).count()
    }

    /// The director stops once its running jobs have ended: cancels those that have not begun.
    pub(crate) fn drain(&mut self, tools: &mut Tools<'_>) {
        self.lose(tools, |job| job.life.is_queued());
    }

    /// The director stops: cancels all jobs, and offers the catalog once more those it has not taken.
    pub(crate) fn stop(&mut self, tools: &mut Tools<'_>) {
        self.lose(tools, |_| true);
        self.offer_ends(tools);
    }

    /// Cancels jobs because the director stops. Those that have not begun are marked, so that the next start makes up for them.
    fn lose(&mut self, tools: &mut Tools<'_>, which: impl Fn(&Job) -> bool) {
        let ids: Vec<JobId> = self.all.values().filter(|job| which(job)).map(|job| job.id).collect();
        for id in ids {
            if let Some(job) = self.all.get_mut(&id) {
                job.times.is_lost |= job.life.is_queued();
            }
            self.cancel_job(tools, id, "the director is being stopped");
        }
    }

    /// Cancels a job. Its daemons are told each on a connection of its own, so that none waits for the other.
    pub(crate) fn cancel_job(&mut self, tools: &mut Tools<'_>, id: JobId, why: &str) {
        let Some(job) = self.all.get_mut(&id).filter(|job| job.life.goes_on()) else {
            return self.cut_after(tools, id);
        };
        job.status = job.status.merge(JobStatus::Canceled);
        job.say(tools, MessageKind::Info, &format!("Job canceled: {why}."));
        self.abandon(tools, id);
    }

    /// Tells the daemons that still work for the job to stop, and lets the file daemon go. The storage daemon has a
    /// while to say what it has written (`wire/2 §6.2`, 6); then the end is recorded. The job takes no room meanwhile.
    pub(crate) fn abandon(&mut self, tools: &mut Tools<'_>, id: JobId) {
        if !self.all.get(&id).is_some_and(|job| job.life.goes_on()) {
            return;
        }
        self.stop_before(tools, id);
        self.stop_lists(tools, id);
        let Some(job) = self.all.get_mut(&id) else { return };
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
        let (partner, peers) = (job.task.partner(), job.peers());
        if let Some(conn) = job.file_daemon.presence.leave() {
            tools.close(conn, true);
        }
        let mut told = Vec::new();
        for (who, name) in [(Who::File, file), (Who::Storage, storage)] {
            let Some(name) = name else { continue };
            let peers = Some(peers.clone());
            let errand = Errand { peers, ..Errand::new(who, name.clone(), command.clone(), For::Cancel(id)) };
            tools.effect(Effect::Errand(Box::new(errand)));
            told.push(Told { who, name, said: None, answer: None, over: false });
        }
        if !told.is_empty() || partner.is_some() {
            self.cancels.insert(id, Cancelling { told, partner, console: None });
        }
        if !waits {
            self.end_job(tools, id);
            return self.abandon_partner(tools, id);
        }
        let key = tools.net.set_timer(grace, "the storage daemon's end", Due::Grace(id));
        if let Some(job) = self.all.get_mut(&id) {
            cover::hit(Mark::Grace);
            job.life = Life::Grace { timer: key };
        }
        self.abandon_partner(tools, id);
        self.begin_queued(tools);
    }

    /// The storage daemon has not said in time how it ended.
    pub(crate) fn grace_over(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get_mut(&id) else { return };
        let grace = if job.status == JobStatus::Canceled { CANCEL_GRACE } else { GRACE };
        let text = format!("the storage daemon has not ended the job within {} s", grace.as_secs());
        job.say(tools, MessageKind::Warning, &text);
        self.end_job(tools, id);
    }

    /// A daemon, or what stands in its way, says something to a cancel.
    pub(crate) fn cancel_heard(&mut self, tools: &mut Tools<'_>, id: JobId, who: Who, text: String) {
        let console = self.cancels(id).find_map(|cancelling| cancelling.console).map(|(console, _)| console);
        let Some(cancelling) = self.cancels.get_mut(&id) else { return };
        let Some(told) = cancelling.told.iter_mut().find(|told| told.who == who) else { return };
        told.answer = told.answer.or_else(|| CancelAnswer::parse(text.as_bytes()));
        if let Some(console) = console.filter(|_| text.starts_with(|c: char| c.is_ascii_digit())) {
            tools.print(console, text.clone());
        }
        told.said = Some(text);
    }

    /// A daemon's answer to a cancel is at its end, or will never come.
    pub(crate) fn cancel_over(&mut self, tools: &mut Tools<'_>, id: JobId, who: Who) {
        let Some(cancelling) = self.cancels.get_mut(&id) else { return };
        if let Some(told) = cancelling.told.iter_mut().find(|told| told.who == who) {
            told.over = true;
        }
        let jobs = [Some(id), cancelling.partner];
        if !self.is_cancel_open(id) {
            jobs.iter().flatten().for_each(|id| self.tell_who_confirmed(tools, *id));
            jobs.iter().flatten().for_each(|id| drop(self.cancels.remove(id)));
        }
    }

    /// The job has ended: what is known of its cancel is of no more use, unless a daemon is still to be told.
    pub(crate) fn forget_cancel(&mut self, id: JobId) {
        if !self.is_cancel_open(id) {
            self.cancels.remove(&id);
        }
    }

    /// Whether a daemon of this job, or of the other job of its copy, is still to answer to the cancel.
    fn is_cancel_open(&self, id: JobId) -> bool {
        self.cancels(id).any(Cancelling::is_open)
    }

    /// How those stand who were told, each in a line.
    fn cancel_lines(&self, id: JobId) -> String {
        self.cancels(id).map(Cancelling::lines).collect()
    }

    /// The cancel of a job, and that of the other job of its copy.
    fn cancels(&self, id: JobId) -> impl Iterator<Item = &Cancelling> {
        let own = self.cancels.get(&id);
        own.into_iter().chain(own.and_then(|own| self.cancels.get(&own.partner?)))
    }

    /// The console has waited long enough.
    pub(crate) fn tell_who_confirmed(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(cancelling) = self.cancels.get_mut(&id) else { return };
        let Some((console, timer)) = cancelling.console.take() else { return };
        let lines = self.cancel_lines(id);
        tools.net.cancel_timer(timer);
        tools.answer(console, Answer::said(lines));
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
