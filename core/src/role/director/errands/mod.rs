//! Errands: short conversations with daemons beside the jobs, for consoles and to have jobs stop. `relaying.rs` passes on to
//! a console what its daemon answers, `limits.rs` tells a daemon how fast data may go.

pub(crate) mod limits;
mod relaying;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::conn::{DialFailure, Peer};
use crate::error::Explain;
use crate::ids::{ConnId, JobId, Who};
use crate::node::TimerKey;
use crate::notice::Level;
use crate::printable;
use crate::tls;
use crate::wire::frame::Signal;
use crate::wire::verify::VerifyLine;
use crate::wire::{hello, message};

use super::common::{Peers, Tools, Use};
use super::consoles::{Answer, Continued, Refusal};
use super::effect::Effect;
use super::jobs::trouble::Trouble;
use super::reach::{Goal, ReachFailure, Reached, dialling};
use super::{Dial, Due, Net};
use limits::Limits;
use relaying::Relay;

/// Lines of an answer that should have been one or two.
const MOST_SAID: u32 = 100;

/// Files that a client may list of those it was asked for, and lines before them about something else.
const MOST_LISTED: usize = 20_000;
const MOST_OTHERS: usize = 5;

/// A short conversation beside the jobs: one command, and what comes back.
#[derive(Debug)]
pub struct Errand {
    pub(crate) who: Who,
    /// The daemon, by the name of its resource.
    pub(crate) name: String,
    /// What is said and answered before the command, the first being under way once `sent`.
    pub(crate) before: VecDeque<Preparation>,
    pub(crate) command: String,
    pub(crate) purpose: For,
    /// What is known of the daemon, if that is not what the director knows now: for a job, what was when it was ordered.
    pub(crate) peers: Option<Peers>,
    pub(crate) sent: bool,
    /// Whether the answer takes its time.
    pub(crate) is_long: bool,
    /// Whether the answer is one line, and nothing tells its end.
    pub(crate) is_brief: bool,
    /// When the patience with its answer ends.
    pub(crate) timer: Option<TimerKey>,
    /// Its answer on the way to the console.
    pub(crate) relay: Relay,
    /// Lines it was answered that are no console's.
    pub(crate) said: u32,
}

/// What an errand is for.
#[derive(Debug)]
pub(crate) enum For {
    /// A console hears the answer, as it comes.
    Console(ConnId),
    /// A console hears whether the daemon keeps to these limits.
    Limits(ConnId, Box<Limits>),
    /// A console's command goes on with the lines of the answer, which it is shown as well.
    Command(ConnId, Continued, Vec<String>),
    /// A console's command goes on to the next daemon, whatever became of this one; the console is shown that.
    Round(ConnId, Continued),
    /// A console's command goes on with what a client lists of its files: lines with attributes, a line feed, and the path as it
    /// is shown. The console is shown none of them.
    Look(ConnId, Continued, Vec<String>),
    /// A job is to end.
    Cancel(JobId),
}

/// Frames to send, and how the answer to them begins.
#[derive(Debug)]
pub(crate) struct Preparation {
    pub(crate) frames: Vec<u8>,
    pub(crate) answer: &'static str,
}

impl Errand {
    /// An errand that nothing has been done for yet.
    pub(crate) fn new(who: Who, name: String, command: String, purpose: For) -> Self {
        Self {
            who,
            name,
            before: VecDeque::new(),
            command,
            purpose,
            peers: None,
            sent: false,
            is_long: false,
            is_brief: false,
            timer: None,
            relay: Relay::default(),
            said: 0,
        }
    }

    /// The console that waits for it.
    pub(crate) const fn console(&self) -> Option<ConnId> {
        match &self.purpose {
            For::Console(console)
            | For::Limits(console, _)
            | For::Command(console, ..)
            | For::Look(console, ..)
            | For::Round(console, _) => Some(*console),
            For::Cancel(_) => None,
        }
    }

    /// Whether its answer is a console's, as it comes.
    pub(crate) const fn is_relayed(&self) -> bool {
        matches!(self.purpose, For::Console(_))
    }

    /// How long the daemon may take to answer.
    pub(crate) const fn patience(&self) -> Duration {
        Duration::from_secs(match (&self.purpose, self.is_long) {
            (For::Cancel(_), _) => 10,
            (_, false) => 60,
            // A walk through all files of a client.
            (_, true) => 6 * 3_600,
        })
    }
}

/// The errands of a director. Those that have no connection yet are kept by the dial or the way to their client.
#[derive(Debug, Default)]
pub(crate) struct Errands {
    /// Those that are connected.
    talking: BTreeMap<ConnId, Errand>,
}

impl Errands {
    /// Whether one of them is not a console's.
    pub(crate) fn has_own(&self) -> bool {
        self.talking.values().any(|errand| errand.console().is_none())
    }

    /// Looks for a way to the daemon.
    pub(crate) fn begin(tools: &mut Tools<'_>, errand: Box<Errand>) {
        let peers = errand.peers.clone().unwrap_or_else(|| tools.common.peers());
        let times = dialling::errand_times(&peers.config);
        if errand.who == Who::File {
            return match dialling::may_reach(&peers, &errand.name) {
                Ok(()) => tools.effect(Effect::Reach(errand.name.clone(), Goal::Errand(errand), times, peers)),
                Err(why) => Self::not_begun(tools, errand, why),
            };
        }
        match dialling::storage(&peers.config, &peers.credentials, &errand.name, times) {
            Ok((route, opening)) => {
                connecting(tools, &errand, &route.host, route.port);
                tools.net.dial(route, opening, Dial::Errand(errand));
            }
            Err(why) => Self::not_begun(tools, errand, why.into()),
        }
    }

    /// There is no way to the daemon.
    fn not_begun(tools: &mut Tools<'_>, errand: Box<Errand>, why: ReachFailure) {
        let Errand { who, name, purpose, .. } = *errand;
        match purpose {
            For::Console(console) | For::Limits(console, _) | For::Command(console, ..) | For::Look(console, ..) => {
                tools.answer(console, Answer::Failed(Refusal::NotDialled { name, why }));
            }
            For::Round(console, then) => {
                let refusal = Refusal::NotDialled { name, why };
                tools.print(console, format!("{refusal}\n"));
                tools.effect(Effect::GoOn(console, then, Vec::new()));
            }
            For::Cancel(job) => {
                tools.net.complain(Level::Warn, 909, &format!("the {who} is not told to cancel job {job}: {why}"));
                tools.effect(Effect::CancelHeard(job, who, why.to_string()));
                tools.effect(Effect::CancelOver(job, who));
            }
        }
    }

    /// The storage daemon of an errand was dialled.
    pub(crate) fn dialled(
        &mut self,
        tools: &mut Tools<'_>,
        errand: Errand,
        outcome: Result<(ConnId, Peer), DialFailure>,
    ) {
        match outcome {
            Ok((conn, peer)) => self.connected(tools, errand, conn, &peer),
            Err(failure) => {
                let text = format!("{}: {}\n", errand.who, failure.line());
                Self::failed(tools, errand, &text);
            }
        }
    }

    /// The client of an errand is reached.
    pub(crate) fn reached(&mut self, tools: &mut Tools<'_>, mut errand: Errand, conn: ConnId, how: Reached) {
        match how {
            Reached::Dialled(peer) => self.connected(tools, errand, conn, &peer),
            Reached::Waited(waiting) => {
                let (client, from, tls) = (&errand.name, waiting.from, waiting.tls);
                let text = format!("Using Client Initiated Connection ({client}) from {from}, encryption: {tls}\n");
                prints(tools, &errand, &text);
                errand.sent = true;
                go_on(&errand, tools.net, conn);
                self.talks(tools, errand, conn);
            }
        }
    }

    /// The client of an errand is not reached.
    pub(crate) fn not_reached(tools: &mut Tools<'_>, errand: Errand, why: ReachFailure) {
        Self::failed(tools, errand, &(Trouble::from(why).line() + "\n"));
    }

    /// The daemon is connected; its greeting is to come.
    fn connected(&mut self, tools: &mut Tools<'_>, errand: Errand, conn: ConnId, peer: &Peer) {
        let (who, tls) = (errand.who, &peer.tls);
        let text = match (errand.console(), who) {
            (None, _) => format!("Connected {who} at {}, encryption: {tls}\n", peer.ends.peer),
            (Some(_), Who::File) => {
                let way = if tls.kind == tls::Kind::Clear { "Cleartext" } else { "Immediate TLS" };
                format!(" Handshake: {way}, Encryption: {tls}\n")
            }
            (Some(_), _) => format!(" Encryption: {tls}\n"),
        };
        prints(tools, &errand, &text);
        self.talks(tools, errand, conn);
    }

    fn talks(&mut self, tools: &mut Tools<'_>, mut errand: Errand, conn: ConnId) {
        if let For::Console(console) = errand.purpose
            && tools.common.uses.of(console) != Some(Use::Console)
        {
            tools.close(conn, true);
            return Self::done(tools, errand);
        }
        errand.timer = Some(tools.net.set_timer(errand.patience(), "the answer to an errand", Due::Errand(conn)));
        tools.common.uses.attach(conn, Use::Errand);
        self.talking.insert(conn, errand);
    }

    /// A line from the daemon.
    pub(crate) fn hear(&mut self, tools: &mut Tools<'_>, conn: ConnId, text: &[u8]) {
        let Some(errand) = self.talking.get_mut(&conn) else { return };
        let greeting = if errand.who == Who::File { hello::FILE_ANSWER } else { hello::STORAGE_ANSWER.trim_end() };
        if !errand.sent && text.starts_with(greeting.as_bytes()) {
            errand.sent = true;
            return go_on(errand, tools.net, conn);
        }
        if let Some(wanted) = errand.before.front().filter(|_| errand.sent) {
            if text.starts_with(wanted.answer.as_bytes()) {
                errand.before.pop_front();
                return go_on(errand, tools.net, conn);
            }
            // It does not go along with what comes before the command.
            let line = String::from_utf8_lossy(text);
            let text = format!("The {} refuses: {}\n", errand.who, printable::line(line.trim_end()));
            return self.fails(tools, conn, &text);
        }
        if let For::Look(_, _, lines) = &mut errand.purpose {
            // What else is said is of files that are not there, or why there is no list.
            let is_room = |most| lines.len() < most;
            let line = listed(text).filter(|_| is_room(MOST_LISTED));
            let other = || is_room(MOST_OTHERS).then(|| printable::text_of(text));
            let line = line.or_else(other);
            return lines.extend(line);
        }
        errand.said += 1;
        if errand.said > MOST_SAID {
            tools.abort(conn);
            let text = format!("The {} answers with more than {MOST_SAID} lines, which cannot be meant.\n", errand.who);
            return self.fails(tools, conn, &text);
        }
        match &mut errand.purpose {
            For::Limits(_, limits) => match limits.hear(text) {
                limits::Next::Wait => {}
                limits::Next::Send(line) => tools.net.send_text(conn, line),
                limits::Next::Done => {
                    tools.close(conn, true);
                    if let Some(errand) = self.talking.remove(&conn) {
                        Self::done(tools, errand);
                    }
                }
            },
            For::Round(console, _) => {
                tools.print(*console, printable::text_of(text));
                self.over(tools, conn);
            }
            For::Command(console, _, lines) => {
                let line = printable::text_of(text);
                tools.print(*console, &*line);
                lines.push(line);
                if errand.is_brief {
                    self.over(tools, conn);
                }
            }
            _ => prints(tools, errand, &printable::text_of(text)),
        }
    }

    /// A signal ends an errand, unless it belongs to what comes before its command.
    pub(crate) fn signal(&mut self, tools: &mut Tools<'_>, conn: ConnId, signal: Signal) {
        let prepares = self.talking.get(&conn).is_some_and(|errand| errand.sent && !errand.before.is_empty());
        match signal {
            Signal::ClockRequest if prepares => {
                let now = tools.net.wall().0;
                tools.net.send_text(conn, message::clock(now));
            }
            Signal::Eod if prepares => {}
            _ => self.over(tools, conn),
        }
    }

    /// The daemon has not ended its answer in time.
    pub(crate) fn too_slow(&mut self, tools: &mut Tools<'_>, conn: ConnId) {
        let Some(errand) = self.talking.get_mut(&conn) else { return };
        if errand.relay.is_writing() {
            // The console has not read yet what has come.
            errand.timer = Some(tools.net.set_timer(errand.patience(), "a console that reads", Due::Errand(conn)));
            return;
        }
        tools.abort(conn);
        let text = format!("The {} has not answered within {} s.\n", errand.who, errand.patience().as_secs());
        self.fails(tools, conn, &text);
    }

    /// One that is connected comes to nothing, or not to its end.
    fn fails(&mut self, tools: &mut Tools<'_>, conn: ConnId, text: &str) {
        let Some(errand) = self.talking.remove(&conn) else { return };
        tools.close(conn, true);
        Self::failed(tools, errand, text);
    }

    fn failed(tools: &mut Tools<'_>, errand: Errand, text: &str) {
        let (For::Console(console) | For::Command(console, ..) | For::Look(console, ..)) = errand.purpose else {
            prints(tools, &errand, text);
            return Self::done(tools, errand);
        };
        tools.net.cancel_timer(errand.timer);
        tools.answer(console, Answer::Failed(Refusal::Daemon(text.trim_end().to_owned())));
    }

    fn done(tools: &mut Tools<'_>, errand: Errand) {
        tools.net.cancel_timer(errand.timer);
        match errand.purpose {
            For::Console(console) => tools.answer(console, Answer::said("")),
            For::Limits(console, limits) => tools.answer(console, limits.outcome()),
            For::Command(console, then, lines) | For::Look(console, then, lines) => {
                tools.effect(Effect::GoOn(console, then, lines));
            }
            For::Round(console, then) => tools.effect(Effect::GoOn(console, then, Vec::new())),
            For::Cancel(job) => tools.effect(Effect::CancelOver(job, errand.who)),
        }
    }
}

/// What a line of a verify job says of a file, if it does.
fn listed(text: &[u8]) -> Option<String> {
    let VerifyLine::Attributes { name, lstat, .. } = VerifyLine::parse(text)? else { return None };
    Some(format!("{}\n{}", String::from_utf8_lossy(lstat), printable::name(name)))
}

/// Tells the console that waits for an errand whom it dials, in the words that scripts read from a real director.
pub(crate) fn connecting(tools: &mut Tools<'_>, errand: &Errand, host: &str, port: u16) {
    if errand.console().is_some() {
        let kind = if errand.who == Who::File { "Client" } else { "Storage daemon" };
        prints(tools, errand, &format!("Connecting to {kind} {} at {host}:{port}\n", errand.name));
    }
}

/// Shows whoever waits for an errand some text of it.
fn prints(tools: &mut Tools<'_>, errand: &Errand, text: &str) {
    match errand.purpose {
        For::Console(console) | For::Limits(console, _) | For::Command(console, ..) | For::Round(console, _) => {
            tools.print(console, text)
        }
        // There may be many, one after the other.
        For::Look(..) => {}
        For::Cancel(job) => {
            tools.net.log(Level::Info, &format!("{}: {}", errand.command.trim_end(), text.trim_end()));
            tools.effect(Effect::CancelHeard(job, errand.who, text.to_owned()));
        }
    }
}

/// Says what is next: something to prepare the command, or the command.
fn go_on(errand: &Errand, net: &mut Net, conn: ConnId) {
    match errand.before.front() {
        Some(next) => net.send(conn, next.frames.clone()),
        None => {
            if errand.is_relayed() {
                net.gather_texts(conn);
            }
            net.send_text(conn, &errand.command);
        }
    }
}
