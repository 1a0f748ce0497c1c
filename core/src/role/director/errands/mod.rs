//! Errands: short conversations with daemons beside the jobs, for consoles and to have jobs stop.

mod relaying;

use std::collections::VecDeque;
use std::time::Duration;

use crate::conn::{DialFailure, Peer};
use crate::error::Explain;
use crate::ids::{ConnId, Who};
use crate::node::TimerKey;
use crate::printable;
use crate::role::director::Net;
use crate::wire::frame::Signal;
use crate::wire::{hello, message};

use super::consoles::{Answer, Told};
use super::errands::relaying::Relay;
use super::jobs::bandwidth::Limits;
use super::reach::dialling;
use super::reach::{ReachFailure, Reached};
use super::{Director, Due};

/// Lines of an answer that should have been one or two.
const MOST_SAID: u32 = 100;

/// A short conversation beside the jobs: one command, and what comes back.
#[derive(Debug)]
pub struct Errand {
    pub(crate) who: Who,
    pub(crate) conn: Option<ConnId>,
    /// What is said and answered before the command, the first being under way once `sent`.
    pub(crate) before: VecDeque<Preparation>,
    pub(crate) command: String,
    pub(crate) purpose: For,
    pub(crate) sent: bool,
    /// Whether the answer takes its time.
    pub(crate) is_long: bool,
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
    /// A job is to end.
    Cancel(u32),
}

/// Frames to send, and how the answer to them begins.
#[derive(Debug)]
pub(crate) struct Preparation {
    pub(crate) frames: Vec<u8>,
    pub(crate) answer: &'static str,
}

impl Errand {
    /// An errand that nothing has been done for yet.
    pub(crate) fn new(who: Who, command: String, purpose: For) -> Self {
        Self {
            who,
            conn: None,
            before: VecDeque::new(),
            command,
            purpose,
            sent: false,
            is_long: false,
            timer: None,
            relay: Relay::default(),
            said: 0,
        }
    }

    /// The console that waits for it.
    pub(crate) const fn console(&self) -> Option<ConnId> {
        match &self.purpose {
            For::Console(console) | For::Limits(console, _) => Some(*console),
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

impl Director {
    /// Dials a daemon of a job to have it stop.
    ///
    /// # Errors
    /// Why it cannot be dialled.
    pub(crate) fn send_cancel(
        &mut self,
        net: &mut Net,
        job: u32,
        who: Who,
        name: &str,
        command: String,
    ) -> Result<(), ReachFailure> {
        self.begin_errand(net, name, Errand::new(who, command, For::Cancel(job)))
    }

    /// Dials a daemon for one command.
    ///
    /// # Errors
    /// Why it cannot be dialled.
    pub(crate) fn begin_errand(&mut self, net: &mut Net, name: &str, errand: Errand) -> Result<(), ReachFailure> {
        if errand.who == Who::File {
            return self.reach_for_errand(net, name, errand);
        }
        Ok(dialling::dial_storage_errand(&self.config, &self.credentials, net, name, errand)?)
    }

    pub(crate) fn errand_dialed(
        &mut self,
        net: &mut Net,
        errand: Errand,
        outcome: Result<(ConnId, Peer), DialFailure>,
    ) {
        match outcome {
            Ok((conn, peer)) => self.errand_connected(net, errand, conn, &peer),
            Err(failure) => {
                let text = format!("{}: {failure} ({}); {}\n", errand.who, failure.code(), failure.help());
                self.errand_failed(net, errand, &text);
            }
        }
    }

    /// The daemon of an errand is connected; its greeting is to come.
    fn errand_connected(&mut self, net: &mut Net, errand: Errand, conn: ConnId, peer: &Peer) {
        let text = format!("Connected {} at {}, encryption: {}\n", errand.who, peer.ends.peer, peer.tls);
        self.errand_prints(net, &errand, &text);
        self.errand_talks(net, errand, conn);
    }

    fn errand_talks(&mut self, net: &mut Net, mut errand: Errand, conn: ConnId) {
        if let For::Console(console) = errand.purpose
            && !self.consoles.has(console)
        {
            net.close(conn, true);
            return self.errand_done(net, errand);
        }
        errand.conn = Some(conn);
        let patience = errand.patience();
        errand.timer = Some(net.set_timer(patience, "the answer to an errand", Due::Errand(conn)));
        self.talking.insert(conn, errand);
    }

    /// The client of an errand is reached.
    pub(crate) fn errand_reached(
        &mut self,
        net: &mut Net,
        mut errand: Errand,
        client: &str,
        conn: ConnId,
        how: Reached,
    ) {
        match how {
            Reached::Dialled(peer) => self.errand_connected(net, errand, conn, &peer),
            Reached::Waited(waiting) => {
                let (from, tls) = (waiting.from, waiting.tls);
                let text = format!("Using Client Initiated Connection ({client}) from {from}, encryption: {tls}\n");
                self.errand_prints(net, &errand, &text);
                errand.sent = true;
                go_on(&errand, net, conn);
                self.errand_talks(net, errand, conn);
            }
        }
    }

    pub(crate) fn errand_hears(&mut self, net: &mut Net, conn: ConnId, text: &[u8]) {
        let Some(errand) = self.talking.get_mut(&conn) else { return };
        let greeting = if errand.who == Who::File { hello::FILE_ANSWER } else { hello::STORAGE_ANSWER.trim_end() };
        if !errand.sent && text.starts_with(greeting.as_bytes()) {
            errand.sent = true;
            return go_on(errand, net, conn);
        }
        if let Some(wanted) = errand.before.front().filter(|_| errand.sent) {
            if text.starts_with(wanted.answer.as_bytes()) {
                errand.before.pop_front();
                return go_on(errand, net, conn);
            }
            let line = String::from_utf8_lossy(text).into_owned();
            return self.errand_refused(net, conn, &line);
        }
        errand.said += 1;
        if errand.said > MOST_SAID {
            return self.errand_talks_on(net, conn);
        }
        if matches!(errand.purpose, For::Limits(..)) {
            return self.limit_answered(net, conn, text);
        }
        let line = printable::text_of(text);
        if let Some(errand) = self.talking.remove(&conn) {
            self.errand_prints(net, &errand, &line);
            self.talking.insert(conn, errand);
        }
    }

    /// A signal ends an errand, unless it belongs to what comes before its command.
    pub(crate) fn errand_signals(&mut self, net: &mut Net, conn: ConnId, signal: Signal) {
        let prepares = self.talking.get(&conn).is_some_and(|errand| errand.sent && !errand.before.is_empty());
        match signal {
            Signal::ClockRequest if prepares => {
                let now = net.wall().0;
                net.send_text(conn, message::clock(now));
            }
            Signal::Eod if prepares => {}
            _ => self.errand_over(net, conn),
        }
    }

    /// The answer should have been a line or two.
    fn errand_talks_on(&mut self, net: &mut Net, conn: ConnId) {
        let Some(errand) = self.talking.remove(&conn) else { return };
        net.abort(conn);
        let text = format!("The {} answers with more than {MOST_SAID} lines, which cannot be meant.\n", errand.who);
        self.errand_failed(net, errand, &text);
    }

    /// The peer does not go along with what comes before the command.
    fn errand_refused(&mut self, net: &mut Net, conn: ConnId, line: &str) {
        let Some(errand) = self.talking.remove(&conn) else { return };
        net.close(conn, true);
        let text = format!("The {} refuses: {}\n", errand.who, printable::line(line.trim_end()));
        self.errand_failed(net, errand, &text);
    }

    /// The peer of an errand has not ended its answer in time.
    pub(crate) fn errand_too_slow(&mut self, net: &mut Net, conn: ConnId) {
        let Some(mut errand) = self.talking.remove(&conn) else { return };
        if errand.relay.is_writing() {
            // The console has not read yet what has come.
            errand.timer = Some(net.set_timer(errand.patience(), "a console that reads", Due::Errand(conn)));
            self.talking.insert(conn, errand);
            return;
        }
        net.abort(conn);
        let text = format!("The {} has not answered within {} s.\n", errand.who, errand.patience().as_secs());
        self.errand_failed(net, errand, &text);
    }

    /// An errand has come to nothing, or not to its end.
    pub(crate) fn errand_failed(&mut self, net: &mut Net, errand: Errand, text: &str) {
        let For::Console(console) = errand.purpose else {
            self.errand_prints(net, &errand, text);
            return self.errand_done(net, errand);
        };
        net.cancel_timer(errand.timer);
        self.console_answers(net, console, Answer::Failed(Told(text.trim_end().to_owned()).into()));
        self.exit_if_idle(net);
    }

    pub(crate) fn errand_done(&mut self, net: &mut Net, errand: Errand) {
        net.cancel_timer(errand.timer);
        match &errand.purpose {
            For::Console(console) => self.console_answers(net, *console, Answer::said("")),
            For::Limits(console, limits) => self.limits_told(net, *console, limits),
            For::Cancel(job) => self.cancel_answered(net, errand.who, *job),
        }
        self.exit_if_idle(net);
    }

    pub(crate) fn errand_prints(&mut self, net: &mut Net, errand: &Errand, text: &str) {
        match errand.purpose {
            For::Console(console) | For::Limits(console, _) => self.consoles.print(net, console, text),
            For::Cancel(job) => self.cancel_heard(net, errand, job, text),
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
