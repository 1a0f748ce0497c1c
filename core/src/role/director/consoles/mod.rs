//! The director's consoles: who may say what, and the answers. One command at a time for each console.
//!
//! ```text
//!   a line --hear--> commands/ (words -> Reply) --reply--> text, signals, JSON; an Instruction for the director
//!                        ^                                       |
//!                        '-- Then, with the catalog's answer ----'
//! ```
//! `commands/` is the table of the commands, one file each. `words.rs` cuts a line into words, `grammar.rs` holds it against
//! the forms of its command. A command looks at a [`View`] and comes to a [`Reply`]; `answer.rs` holds what it found,
//! `refusal.rs` why it did not, and `output.rs` renders both as the console wants them.

mod access;
mod answer;
mod commands;
mod grammar;
mod output;
mod questions;
mod refusal;
mod reply;
mod scripted;
mod tree;
mod words;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::bulk::parcel::Parcel;
use crate::catalog::{CatalogName, RestoreFiles};
use crate::config::{DirectorConfig, keepalive};
use crate::conn::Peer;
use crate::ids::{ConnId, HandleId, JobId};
use crate::node::Row;
use crate::notice::Level;
use crate::role::director::Net;
use crate::role::idle::{Bounds, Doorkeeper, Full, Seat};
use crate::role::refusals::Refusals;
use crate::time::{Instant, Wall};
use crate::wire::frame::Signal;
use crate::wire::greeting;
use crate::wire::hello::{CONSOLE_18_2, Purpose};
use crate::wire::names::DEFAULT_CONSOLE;
use crate::wire::status::JobStatus;

use super::common::{Common, Tools, Use};
use super::invitations::{self, Invitations};
use super::jobs::Jobs;
use super::reload::may_not_stay;
use super::tokens::Surveyor;
use access::Access;
use commands::wait::{self, Ends};
use output::{Api, Output, put_text, text_frames};
use questions::Question;
use reply::Gathered;

pub(crate) use answer::Answer;
pub(crate) use commands::reload::Reloaded;
pub(crate) use commands::run::{Queued, level_name, order_of};
pub(crate) use commands::serve;
pub(crate) use questions::modify::replace_word;
pub(crate) use refusal::Refusal;
pub(crate) use reply::{Continued, Instruction, Limited, Reply, Then, View};
pub(crate) use scripted::{Said, seat_of};
#[cfg(test)]
pub(crate) use {commands::is_said, refusal::one_of_each as one_of_each_refusal};

/// Bytes of the longest command line.
const MAX_COMMAND: usize = 64 * 1024;

/// Lines that may wait for the command before them to end.
const MAX_WAITING: usize = 100;

/// The consoles that are connected.
#[derive(Debug, Default)]
pub(crate) struct Consoles {
    seats: BTreeMap<ConnId, Console>,
    doorkeeper: Doorkeeper,
    refusals: Refusals,
    /// What browsers have chosen to restore.
    choices: commands::Choices,
}

/// One authenticated console.
#[derive(Debug)]
struct Console {
    /// None for the default console.
    name: Option<String>,
    since: Wall,
    /// When it last said something.
    heard: Instant,
    doing: Doing,
    /// How many report lines it has been shown, counted from the director's start.
    seen: u64,
    /// Whether it has been told of lines it has not been shown; it is told once until it reads them (`wire/1 §6.1`).
    notified: bool,
    output: Output,
    /// The catalog that it has said it uses.
    used: Option<CatalogName>,
    /// The catalog that its present command asks.
    catalog: CatalogName,
    /// Lines that came before the command before them had ended.
    waiting: VecDeque<String>,
    /// How the jobs ended that it has ordered or waited for.
    ends: Ends,
    /// It is ours: told of failures by a signal in text mode too, where a stock console hears none (`wire/1 §6.2`).
    is_towline: bool,
    access: Access,
    /// It is none: a job has one command done.
    of_job: Option<scripted::OfJob>,
    /// It has said that it is no person: it asks for messages itself.
    is_program: bool,
    /// The reading of lists that it waits for.
    gathers: Option<HandleId>,
}

/// What a console is in the middle of.
#[derive(Debug)]
enum Doing {
    /// Nothing: the next line is a command.
    Idle,
    /// Waits for what the director does for it: an errand, a job's number, a cancel.
    Busy,
    /// Waits for an answer of the catalog, and then goes on.
    Asking(Then),
    /// Waits for what the lists of a fileset hold, and then goes on.
    Gathering(Gathered),
    /// Waits for the answers of all connections.
    Surveying(fn(&View<'_>, &[Row]) -> Answer),
    /// Waits for this job to end; none means all.
    Waiting(Option<JobId>),
    /// Is being sent a page; then it goes on.
    Paging(Box<Reply>),
    /// Has been asked something.
    Questioned(Box<Question>),
}

/// What a console has said.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A command.
    Line(String),
    /// The answer to a question.
    Answer(Box<Question>, String),
}

/// What consoles have to know of the director when one is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) jobs: &'a Jobs,
    /// Lines of reports since the director's start.
    pub(crate) lines: u64,
}

impl Console {
    fn seat(&self, conn: ConnId) -> Seat<'_> {
        let name = self.name.as_deref().unwrap_or(DEFAULT_CONSOLE);
        let is_busy = !matches!(self.doing, Doing::Idle | Doing::Questioned(_)) || !self.waiting.is_empty();
        Seat { conn, name, heard: self.heard, is_busy }
    }

    /// Whether a person reads its answers, and can be asked.
    fn is_person(&self) -> bool {
        self.of_job.is_none() && !self.is_program && self.output.api == Api::Text
    }

    /// Ends a command.
    fn end(&mut self, net: &mut Net, conn: ConnId, answer: &Answer, desk: Desk<'_>) {
        self.doing = Doing::Idle;
        if let Some(of_job) = &mut self.of_job {
            of_job.end(answer);
        }
        let may_read = || commands::may(&self.access, commands::messages::COMMAND.name);
        let is_news = self.seen < desk.lines && !self.notified && !self.is_program && may_read();
        self.notified |= is_news;
        self.output.end(net, conn, answer, self.is_towline, is_news);
    }
}

impl Consoles {
    /// A console is authenticated: greets it, if there is a place for it.
    pub(crate) fn arrive(&mut self, tools: &mut Tools<'_>, conn: ConnId, peer: &Peer, invitations: &Invitations) {
        let Purpose::Console { name, .. } = &peer.hello.purpose else { return };
        let invited = invitations.console(name, &tools.common.config, tools.net.wall().seconds());
        let Tools { net, common: Common { config, identity, journal, uses, .. } } = tools;
        if !self.has_place(net, name, config) {
            let most = self.connected().count();
            let why = format!("{most} consoles are connected, and none that could make room is idle");
            net.complain(Level::Warn, 914, &format!("console {name} refused: {why}"));
            net.send_text(conn, greeting::refusal(&format!("{why} (T0914).")));
            return net.close(conn, true);
        }
        net.keep_alive(conn, keepalive::socket(config.console_heartbeat(), keepalive::End::Control));
        let (director, full, date) = (&config.director.name, &identity.full, &identity.date);
        let named = (name != DEFAULT_CONSOLE).then(|| name.clone());
        if peer.hello.console_version() >= CONSOLE_18_2 {
            net.send_text(conn, greeting::version(director, full, date));
            net.send_text(conn, greeting::login(named.as_deref()));
        } else {
            net.send_text(conn, greeting::early(director, full, date, &peer.tls.to_string()));
        }
        let console = Console {
            name: named,
            since: net.wall(),
            heard: net.now(),
            doing: Doing::Idle,
            seen: journal.shown(),
            notified: false,
            output: Output::default(),
            used: None,
            catalog: config.catalog.name().into(),
            waiting: VecDeque::new(),
            ends: Ends::default(),
            is_towline: peer.towline,
            is_program: false,
            of_job: None,
            gathers: None,
            access: match invited {
                Some(console) => Access::restricted(config, Some(&console)),
                None => Access::of(config, (name != DEFAULT_CONSOLE).then_some(name)),
            },
        };
        uses.attach(conn, Use::Console);
        self.seats.insert(conn, console);
    }

    /// Whether there is a place for a console of this name, if need be that of one that is idle.
    fn has_place(&mut self, net: &mut Net, name: &str, config: &DirectorConfig) -> bool {
        let most = usize::try_from(config.director.max_console_connections).unwrap_or(usize::MAX);
        let connected = self.seats.iter().filter(|(_, console)| console.of_job.is_none());
        let seats: Vec<Seat<'_>> = connected.map(|(&conn, console)| console.seat(conn)).collect();
        match self.doorkeeper.make_room(net, ("console", name), &seats, Bounds::of(most)) {
            Ok(gone) => {
                gone.map(|gone| self.seats.remove(&gone));
                true
            }
            Err(Full) => false,
        }
    }

    /// A browser has chosen files of its console's catalog under a name, or forgets them.
    pub(crate) fn choose(&mut self, conn: ConnId, name: String, files: Option<Vec<RestoreFiles>>) {
        let catalog = self.seats.get(&conn).map(|console| console.catalog.clone()).unwrap_or_default();
        self.choices.put((catalog, name), files);
    }

    /// Another configuration is used: what each console may see and use now. Returns those that may not stay, and why.
    pub(crate) fn reconfigured(
        &mut self,
        earlier: &DirectorConfig,
        config: &Arc<DirectorConfig>,
    ) -> Vec<(ConnId, &'static str)> {
        let mut dismissed = Vec::new();
        for (conn, console) in &mut self.seats {
            // What it may see was settled as it came, and it is over soon.
            if console.name.as_deref().is_some_and(|name| name.starts_with(invitations::PREFIX)) {
                continue;
            }
            console.access = Access::of(config, console.name.as_deref());
            if console.of_job.is_some() {
                continue;
            }
            dismissed.extend(may_not_stay(console.name.as_deref(), earlier, config).map(|why| (*conn, why)));
        }
        dismissed
    }

    /// What a console that is connected is called in the log.
    pub(crate) fn name_of(&self, conn: ConnId) -> &str {
        self.seats.get(&conn).and_then(|console| console.name.as_deref()).unwrap_or(DEFAULT_CONSOLE)
    }

    /// The connection of a console has ended. Returns the reading of lists that it waited for.
    pub(crate) fn remove(&mut self, conn: ConnId) -> Option<HandleId> {
        self.seats.remove(&conn)?.gathers
    }

    /// Whether a console is here.
    pub(crate) fn has(&self, conn: ConnId) -> bool {
        self.seats.contains_key(&conn)
    }

    /// Lists are being read for a console.
    pub(crate) fn gathers(&mut self, conn: ConnId, handle: HandleId) {
        if let Some(console) = self.seats.get_mut(&conn) {
            console.gathers = Some(handle);
        }
    }

    /// A line from a console, if it is its turn: a command, or the answer to a question.
    pub(crate) fn hear(&mut self, net: &mut Net, conn: ConnId, text: &[u8]) -> Option<Heard> {
        let console = self.seats.get_mut(&conn)?;
        console.heard = net.now();
        if text.len() > MAX_COMMAND {
            net.abort(conn);
            return None;
        }
        let line = String::from_utf8_lossy(text).trim().to_owned();
        match std::mem::replace(&mut console.doing, Doing::Idle) {
            Doing::Idle => Some(Heard::Line(line)),
            Doing::Questioned(question) => Some(Heard::Answer(question, line)),
            doing => {
                console.doing = doing;
                console.waiting.push_back(line);
                if console.waiting.len() > MAX_WAITING {
                    net.complain(Level::Warn, 915, "a console sends commands faster than they end: closed");
                    net.abort(conn);
                }
                None
            }
        }
    }

    /// A line that came too early and whose turn it is.
    pub(crate) fn next_line(&mut self, conn: ConnId) -> Option<String> {
        let console = self.seats.get_mut(&conn)?;
        matches!(console.doing, Doing::Idle | Doing::Questioned(_)).then(|| console.waiting.pop_front())?
    }

    /// POLL and the like (`wire/1 §1.2`): the console loop answers what it does not expect with POLL. One that says
    /// good-bye is closed silently (`wire/1 §6.1`).
    pub(crate) fn signal(&mut self, net: &mut Net, conn: ConnId, signal: Signal) -> Option<Instruction> {
        match signal {
            Signal::Terminate => return Some(self.leave(net, conn)),
            Signal::Heartbeat | Signal::HeartbeatResponse => {}
            // At a question signals count for nothing (`wire/1 §6.2`).
            _ if self.seats.get(&conn).is_some_and(|console| matches!(console.doing, Doing::Questioned(_))) => {}
            _ => net.send_signal(conn, Signal::Poll),
        }
        None
    }

    fn leave(&mut self, net: &mut Net, conn: ConnId) -> Instruction {
        let gathers = self.remove(conn);
        net.close(conn, false);
        Instruction::Forget(gathers)
    }

    /// Carries out what is the consoles' of a reply; what is the director's is left.
    pub(crate) fn reply(&mut self, net: &mut Net, conn: ConnId, reply: Reply, desk: Desk<'_>) -> Option<Instruction> {
        let console = self.seats.get_mut(&conn)?;
        let mut next = reply;
        loop {
            next = match next {
                Reply::Begin(next) => {
                    console.output.begin(net, conn);
                    *next
                }
                Reply::In(catalog, next) => {
                    console.catalog = catalog;
                    *next
                }
                Reply::Using(next) => {
                    console.output.print(net, conn, &format!("Using Catalog \"{}\"\n", console.catalog));
                    *next
                }
                Reply::Use(catalog, answer) => {
                    console.used = Some(catalog);
                    Reply::Answer(answer)
                }
                Reply::Uses(catalog, next) => {
                    console.used = Some(catalog);
                    *next
                }
                Reply::Say(text, next) => {
                    console.output.print(net, conn, &text);
                    *next
                }
                Reply::Page(text, next) if console.of_job.is_some() => {
                    console.output.print(net, conn, &text);
                    *next
                }
                Reply::Page(text, next) => {
                    console.doing = Doing::Paging(next);
                    net.send_parcel(conn, Parcel { bytes: text_frames(&text), frames: 1, ..Parcel::default() });
                    return None;
                }
                Reply::Answer(answer) => {
                    console.end(net, conn, &answer, desk);
                    return None;
                }
                Reply::Messages(answer) => {
                    (console.seen, console.notified) = (desk.lines, false);
                    Reply::Done(Instruction::Messages, answer)
                }
                Reply::Api(api, answer) => {
                    console.output.api = api;
                    Reply::Answer(answer)
                }
                Reply::Gui(is_program, answer) => {
                    console.is_program = is_program;
                    Reply::Answer(answer)
                }
                Reply::Prompt if console.output.api == Api::Text => Reply::found(String::new()),
                Reply::Prompt => {
                    net.send_signal(conn, Signal::MainPrompt);
                    return None;
                }
                Reply::Forbidden(verb) => {
                    self.refusals.console(net, conn, console.name.as_deref().unwrap_or_default(), verb.as_bytes());
                    Reply::Answer(Answer::Unknown(Refusal::Forbidden(verb)))
                }
                Reply::Mark(signal, next) => {
                    console.output.mark(net, conn, signal);
                    *next
                }
                Reply::Question(question) if console.of_job.is_none() && questions::asks(console.output.api) => {
                    console.output.ask(net, conn, &question);
                    console.doing = Doing::Questioned(question);
                    return None;
                }
                Reply::Question(question) => Reply::refused(question.refusal()),
                Reply::WaitFor(job) => {
                    console.doing = Doing::Waiting(job);
                    return None;
                }
                Reply::Ends => Reply::Answer(console.ends.answer(console.is_towline)),
                Reply::Ask(request, then) => {
                    let instruction = Instruction::Ask(console.catalog.clone(), request);
                    if let Some(why) = console.access.refuses(&instruction, desk.jobs) {
                        next = Reply::refused(why);
                        continue;
                    }
                    console.doing = Doing::Asking(then);
                    return Some(instruction);
                }
                Reply::Gather(wanted, then) => {
                    let instruction = Instruction::Gather(wanted);
                    if let Some(why) = console.access.refuses(&instruction, desk.jobs) {
                        next = Reply::refused(why);
                        continue;
                    }
                    console.doing = Doing::Gathering(then);
                    return Some(instruction);
                }
                Reply::Survey(then) => {
                    console.doing = Doing::Surveying(then);
                    net.survey(Surveyor::Console(conn));
                    return None;
                }
                Reply::Do(instruction) => {
                    if let Some(why) = console.access.refuses(&instruction, desk.jobs) {
                        next = Reply::refused(why);
                        continue;
                    }
                    console.doing = Doing::Busy;
                    return Some(instruction);
                }
                Reply::Done(instruction, answer) => {
                    if let Some(why) = console.access.refuses(&instruction, desk.jobs) {
                        next = Reply::refused(why);
                        continue;
                    }
                    console.end(net, conn, &answer, desk);
                    return Some(instruction);
                }
                Reply::Leave => {
                    console.output.last_words(net, conn);
                    return Some(self.leave(net, conn));
                }
            }
        }
    }

    /// Shows a console some text that belongs to its present command.
    pub(crate) fn print(&mut self, net: &mut Net, conn: ConnId, text: &str) {
        if let Some(console) = self.seats.get_mut(&conn) {
            console.output.print(net, conn, text);
        }
    }

    /// Passes a daemon's lines on to a console, in JSON at the end of the command. Whether they are being written: then the
    /// role hears once they are.
    pub(crate) fn relay(&mut self, net: &mut Net, conn: ConnId, lines: impl Iterator<Item = String>) -> bool {
        let Some(console) = self.seats.get_mut(&conn) else { return false };
        if console.of_job.is_some() || matches!(console.output.api, Api::Json { .. }) {
            lines.for_each(|line| console.output.keep(&line));
            return false;
        }
        let mut bytes = Vec::new();
        lines.for_each(|line| put_text(&mut bytes, &line));
        net.send_parcel(conn, Parcel { bytes, frames: 1, ..Parcel::default() });
        true
    }

    /// The catalog has answered: how the console's command goes on.
    pub(crate) fn answered(&mut self, conn: ConnId) -> Option<Then> {
        match std::mem::replace(&mut self.seats.get_mut(&conn)?.doing, Doing::Busy) {
            Doing::Asking(then) => Some(then),
            _ => None,
        }
    }

    /// Lists are read: how the console's command goes on.
    pub(crate) fn gathered(&mut self, conn: ConnId) -> Option<Gathered> {
        let console = self.seats.get_mut(&conn)?;
        console.gathers = None;
        match std::mem::replace(&mut console.doing, Doing::Busy) {
            Doing::Gathering(then) => Some(then),
            _ => None,
        }
    }

    /// The connections have answered: what a console makes of it.
    pub(crate) fn surveyed(&self, conn: ConnId) -> Option<fn(&View<'_>, &[Row]) -> Answer> {
        if let Doing::Surveying(then) = self.seats.get(&conn)?.doing { Some(then) } else { None }
    }

    /// A page has been written: how the console goes on, if it was sent one.
    pub(crate) fn page_sent(&mut self, conn: ConnId) -> Option<Reply> {
        let console = self.seats.get_mut(&conn)?;
        match std::mem::replace(&mut console.doing, Doing::Busy) {
            Doing::Paging(next) => Some(*next),
            doing => {
                console.doing = doing;
                None
            }
        }
    }

    /// A console has ordered a job: its next `wait` says how it ended, however soon that was.
    pub(crate) fn ordered(&mut self, conn: ConnId, job: JobId) {
        if let Some(console) = self.seats.get_mut(&conn) {
            console.ends.note(job, None);
        }
    }

    /// A job has ended, perhaps the last that ran: those who waited for it, with their answers. Nobody is told of a job that
    /// it may not see, by the names of its resource and its client.
    pub(crate) fn job_ended(
        &mut self,
        id: JobId,
        (name, client): &(String, String),
        status: JobStatus,
        jobs: &Jobs,
    ) -> Vec<(ConnId, Answer)> {
        let mut done = Vec::new();
        for (conn, console) in &mut self.seats {
            let sees = |name: &str, client: &str| console.access.sees_job(name, client);
            let waits_for_all = matches!(console.doing, Doing::Waiting(None));
            let none_runs = !jobs.iter().any(|job| sees(&job.name, &job.with.client));
            if (waits_for_all && sees(name, client)) || console.ends.knows(id) {
                console.ends.note(id, Some(status));
            }
            match console.doing {
                Doing::Waiting(Some(wanted)) if wanted == id => {
                    done.push((*conn, Answer::found(wait::End { id, status })));
                }
                Doing::Waiting(None) if none_runs => done.push((*conn, console.ends.answer(console.is_towline))),
                _ => {}
            }
        }
        done
    }
}
