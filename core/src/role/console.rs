//! The console: dials the director, prints what it says, sends what the operator types, one line at a time.
//!
//! ```text
//!   Typed(line) --> held --> one line under way --> director
//!   Notice::Print <----------------- text --------- director
//!   Notice::Ready <------- EOD, prompts (wire/1 §5.3)
//! ```
//! A console whose lines come from a program ends with a code that says how they went: see [`Console::judging`].

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::config::{ConsoleConfig, keepalive};
use crate::conn::{CloseReason, DialFailure, Peer};
use crate::error::{Code, Explain, Fault};
use crate::ids::{ConnId, ListenerId};
use crate::node::{AnyNet, DialNews, Net, Role, Route};
use crate::notice::{ExitReason, Level, Notice};
use crate::printable;
use crate::role::identity::Credentials;
use crate::socket::IoKind;
use crate::wire::console;
use crate::wire::frame::Signal;
use crate::wire::greeting::Greeting;
use crate::wire::hello::Purpose;
use crate::wire::names::{DEFAULT_CONSOLE, PeerKind, PeerName};
use crate::wire::status::JobStatus;
use crate::work::WorkDone;

/// Lines that are kept for a director that is busy.
pub const MAX_HELD: usize = 1_000;
/// The version a console's hello announces: since 18.2 a director greets in two lines (`wire/1 §3.1`).
const SPEAKS: &str = "26.0.0";
/// The exit code when there was no connection, or it was lost.
pub const NO_DIRECTOR: u8 = 3;
/// The exit code when a command was refused or failed, or a question was left without an answer.
pub const FAILED: u8 = 2;
/// Commands that start a job, or ask before they do.
const STARTS: [&str; 2] = ["run", "restore"];
/// Bytes of a line that are looked at: of longer ones the beginning.
const MAX_LINE: usize = 256;

/// The role of a console.
#[derive(Debug)]
pub struct Console {
    config: Arc<ConsoleConfig>,
    credentials: Credentials,
    conn: Option<ConnId>,
    state: State,
    held: VecDeque<String>,
    input_ended: bool,
    judging: bool,
    verdict: Verdict,
    /// The beginning of a character whose end has not come.
    tail: Vec<u8>,
}

/// How the lines went, as far as their answers tell.
#[derive(Debug, Default)]
struct Verdict {
    /// The worst so far: 0, 1 or 2.
    code: u8,
    /// The line under way waits for jobs.
    waits: bool,
    /// The director asks something.
    asked: bool,
    /// The director is none of ours, so that failures are to be seen in its words.
    is_stock: bool,
    /// The command under way.
    verb: String,
    /// It is to start a job, and none has been started or asked about.
    starts: bool,
    /// The beginning of a line of text whose end has not come.
    line: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not connected yet, or the greeting has not come.
    Arriving,
    /// The director waits for a line.
    Ready,
    /// A line is under way.
    Busy,
    /// The operator wants to leave.
    Leaving,
}

impl Console {
    /// A console with a checked configuration and what was loaded for TLS. The credentials' own offer counts.
    #[must_use]
    pub fn new(config: Arc<ConsoleConfig>, credentials: Credentials) -> Self {
        Self {
            config,
            credentials,
            conn: None,
            state: State::Arriving,
            held: VecDeque::new(),
            input_ended: false,
            judging: false,
            verdict: Verdict::default(),
            tail: Vec::new(),
        }
    }

    /// What the director says, fit for a terminal: a stock one passes on what clients say as it came. Frames may end
    /// within a character.
    fn printable(&mut self, text: Vec<u8>) -> String {
        let mut bytes = std::mem::take(&mut self.tail);
        bytes.extend(text);
        let cut = match std::str::from_utf8(&bytes) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => bytes.len(),
        };
        self.tail = bytes.split_off(cut);
        printable::text_of(&bytes)
    }

    /// Its end tells how the lines went: 0 well; 1 if a job that was waited for ended with warnings; 2 if one ended
    /// worse, if a command failed (a director of Towline tells; of others its words are read) or if a question was left without an answer.
    #[must_use]
    pub const fn judging(mut self) -> Self {
        self.judging = true;
        self
    }

    /// The end of a console that leaves by its own will.
    const fn done(&self) -> ExitReason {
        match self.verdict.code {
            code if self.judging && code > 0 => ExitReason::Failed(code),
            _ => ExitReason::Done,
        }
    }

    fn name(&self) -> String {
        self.config.console.as_ref().map_or_else(|| DEFAULT_CONSOLE.to_owned(), |console| console.name.clone())
    }

    fn dial(&self, net: &mut Net<Self>) {
        let director = &self.config.director;
        let name = self.name();
        let purpose = Purpose::Console { name: name.clone(), version: Some(SPEAKS.to_owned()) };
        let me = PeerName::new(PeerKind::Console, name);
        let (key, tls) = (self.config.password().key(), self.config.tls().enable);
        match self.credentials.opening("director", &director.address, &me, &key, tls, purpose) {
            Ok(opening) => {
                let route = Route {
                    host: director.address.clone(),
                    port: director.port,
                    source: None,
                    socket: keepalive::socket(self.config.heartbeat(), keepalive::End::Control),
                    retry: director.retry_interval.duration(),
                    within: director.connect_timeout.duration(),
                };
                net.dial(route, opening, ());
            }
            Err(why) => fail(net, (Fault::Config, Code(201)), &why.to_string()),
        }
    }

    /// The first lines of the director (`wire/1 §3.1`): two with a record separator, or one of a director before 18.2.
    fn greeted(&mut self, net: &mut Net<Self>, conn: ConnId, text: &str) {
        let (shown, complete) = match Greeting::parse(text.as_bytes()) {
            Some(Greeting::Version(shown)) => (shown, false),
            Some(Greeting::Login(shown) | Greeting::Early(shown)) => (shown, true),
            None => {
                fail(net, (Fault::Peer, Code(308)), &format!("the director refuses us: {}", text.trim_end()));
                return net.abort(conn);
            }
        };
        net.notify(Notice::Print(format!("{}\n", printable::text(shown.trim_end()))));
        if complete {
            self.ready(net);
        }
    }

    /// The director waits: for the next line that is held, the operator's next one, or the end.
    fn ready(&mut self, net: &mut Net<Self>) {
        if self.state == State::Leaving {
            return;
        }
        self.state = State::Ready;
        match self.held.pop_front() {
            Some(line) => self.send(net, &line),
            None if self.input_ended => self.leave(net),
            None => net.notify(Notice::Ready { asks: self.verdict.asked }),
        }
    }

    fn send(&mut self, net: &mut Net<Self>, line: &str) {
        let Some(conn) = self.conn else { return };
        let word = line.trim().to_ascii_lowercase();
        // An answer to a question, or a word in the tree of a restore, ends that and not the console.
        let leaves = !self.verdict.asked && ["quit", "exit", ".quit", ".exit"].contains(&word.as_str());
        self.verdict.begin(&word);
        self.state = if leaves { State::Leaving } else { State::Busy };
        net.send_text(conn, line);
    }

    fn leave(&mut self, net: &mut Net<Self>) {
        self.state = State::Leaving;
        if self.verdict.asked {
            self.verdict.worsen(FAILED);
        }
        match self.conn {
            Some(conn) => net.close(conn, true),
            None => net.exit(self.done()),
        }
    }
}

impl Verdict {
    fn worsen(&mut self, code: u8) {
        self.code = self.code.max(code);
    }

    /// A line is sent: a command, or the answer to a question. Commands may be abbreviated.
    fn begin(&mut self, line: &str) {
        let verb = line.split_whitespace().next().unwrap_or_default();
        self.waits = !self.asked && verb.starts_with('w') && "wait".starts_with(verb);
        if !self.asked {
            verb.clone_into(&mut self.verb);
        }
        // Who answers a question may want none.
        self.starts = !self.asked && self.is_stock && STARTS.contains(&verb);
        self.asked = false;
        self.line.clear();
    }

    /// Text of the answer: a line `JobStatus=OK (T)` is how a job ended that was waited for.
    fn hear(&mut self, text: &str) {
        if !self.waits && !self.is_stock {
            return;
        }
        for piece in text.split_inclusive('\n') {
            let room = MAX_LINE.saturating_sub(self.line.len());
            self.line.extend(piece.chars().take(room));
            if piece.ends_with('\n') {
                let line = std::mem::take(&mut self.line);
                if self.is_stock && console::is_failure(&self.verb, line.trim_end()) {
                    self.worsen(FAILED);
                }
                self.starts &= console::parse_queued(&line).is_none();
                if !self.waits {
                    continue;
                }
                if let Some(letter) = console::parse_end(&line) {
                    self.worsen(JobStatus::from_letter(letter).exit_code());
                }
            }
        }
    }

    fn signalled(&mut self, signal: Signal) {
        match signal {
            Signal::CommandFailed => self.worsen(FAILED),
            Signal::SubPrompt => self.asked = true,
            // A stock director has many words for why it starts none.
            Signal::Eod | Signal::MainPrompt if std::mem::take(&mut self.starts) => self.worsen(FAILED),
            _ => {}
        }
    }
}

fn fail(net: &mut AnyNet, cause: (Fault, Code), text: &str) {
    net.log_cause(Level::Error, cause, text);
    net.exit(ExitReason::Failed(NO_DIRECTOR));
}

impl Role for Console {
    /// The director.
    type Dial = ();
    type Timer = Infallible;
    type Work = Infallible;
    type Survey = Infallible;

    fn start(&mut self, net: &mut Net<Self>) {
        self.dial(net);
    }

    fn on_dial_news(&mut self, net: &mut Net<Self>, (): &(), news: &DialNews) {
        // The network speaks for itself once it is reached; until then somebody waits here.
        if let DialNews::Failed { failure, .. } = news {
            net.log_cause(Level::Warn, (failure.fault(), failure.code()), &news.to_string());
        }
    }

    fn on_bound(&mut self, _net: &mut Net<Self>, _listener: ListenerId, _outcome: Result<SocketAddr, IoKind>) {}

    fn on_accepted(&mut self, net: &mut Net<Self>, conn: ConnId, _peer: Peer) {
        net.abort(conn);
    }

    fn on_dialed(&mut self, net: &mut Net<Self>, (): (), outcome: Result<(ConnId, Peer), DialFailure>) {
        match outcome {
            Ok((conn, _)) if self.state == State::Leaving => net.close(conn, true),
            Ok((conn, peer)) => {
                self.conn = Some(conn);
                self.verdict.is_stock = !peer.towline;
                let (name, at) = (&self.config.director.name, peer.ends.peer);
                net.log(Level::Info, &format!("connected to director {name} at {at}, encryption: {}", peer.tls));
            }
            Err(_) if self.state == State::Leaving => {}
            Err(failure) => {
                let text = format!("{failure}; {}", failure.help());
                fail(net, (failure.fault(), failure.code()), &text);
            }
        }
    }

    fn on_text(&mut self, net: &mut Net<Self>, conn: ConnId, text: Vec<u8>) {
        match self.state {
            State::Arriving => self.greeted(net, conn, &String::from_utf8_lossy(&text)),
            State::Ready | State::Busy | State::Leaving => {
                let text = self.printable(text);
                self.verdict.hear(&text);
                net.notify(Notice::Print(text));
            }
        }
    }

    fn on_signal(&mut self, net: &mut Net<Self>, _conn: ConnId, signal: Signal) {
        self.verdict.signalled(signal);
        let waits = matches!(signal, Signal::Eod | Signal::MainPrompt | Signal::SubPrompt);
        if waits && self.state == State::Busy {
            self.ready(net);
        }
    }

    fn on_closed(&mut self, net: &mut Net<Self>, _conn: ConnId, reason: CloseReason) {
        self.conn = None;
        if self.state == State::Leaving {
            return net.exit(self.done());
        }
        let text = format!("lost the director: {reason}; {}", reason.help());
        fail(net, (reason.fault(), reason.code()), &text);
    }

    fn on_done(&mut self, _net: &mut Net<Self>, work: Infallible, _done: WorkDone) {
        match work {}
    }

    fn on_timer(&mut self, _net: &mut Net<Self>, timer: Infallible) {
        match timer {}
    }

    fn on_typed(&mut self, net: &mut Net<Self>, line: Option<String>) {
        match line {
            None => {
                self.input_ended = true;
                if self.state == State::Ready {
                    self.leave(net);
                }
            }
            Some(line) if self.state == State::Ready => self.send(net, &line),
            Some(line) if self.held.len() < MAX_HELD => self.held.push_back(line),
            Some(_) => {
                let text = format!(
                    "more than {MAX_HELD} lines were typed before the director took them; wait for its answers"
                );
                fail(net, (Fault::Local, Code(509)), &text);
            }
        }
    }

    fn on_stop(&mut self, net: &mut Net<Self>) {
        match self.conn {
            // Nobody waits for what is under way, and a director that hangs gives no more of it.
            Some(conn) if self.state != State::Ready => {
                if self.state == State::Busy {
                    self.verdict.worsen(FAILED);
                }
                self.state = State::Leaving;
                net.abort(conn);
            }
            _ => self.leave(net),
        }
    }
}

#[cfg(test)]
mod tests;
