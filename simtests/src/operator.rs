//! An operator at a console: says lines to the director, and hears what comes back.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use towline_core::config::Password;
use towline_core::conn::{CloseReason, DialFailure, Peer};
use towline_core::event::Event;
use towline_core::ids::{ConnId, ListenerId};
use towline_core::node::{Net, Opening, Role, Route};
use towline_core::notice::ExitReason;
use towline_core::socket::{IoKind, SocketOptions};
use towline_core::wire::frame::Signal;
use towline_core::wire::hello::{Hello, Version};
use towline_core::wire::names::{DEFAULT_CONSOLE, PeerKind, PeerName};
use towline_core::work::WorkDone;

use crate::daemons::Protection;
use crate::host::HostId;
use crate::world::World;

/// What an operator has heard; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<Transcript>>);

/// What was said to the operator.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    /// All of it.
    pub text: String,
    /// Commands that were answered to their end.
    pub answers: usize,
    /// Why the connection, or the attempt to have one, has ended.
    pub over: Option<String>,
}

impl Heard {
    /// What was heard so far.
    #[must_use]
    pub fn look(&self) -> Transcript {
        self.lock().clone()
    }

    /// The operator on a host says a line and hears the answer to its end; `None` if that does not come.
    pub fn say(&self, world: &mut World, operator: HostId, line: &str, within: Duration) -> Option<String> {
        // After each step of the world only the number is looked at.
        let (before, answers) = {
            let heard = self.lock();
            (heard.text.len(), heard.answers)
        };
        world.post(operator, Event::Typed(Some(line.to_owned())));
        let answered = world.run_until(within, |_| self.lock().answers > answers);
        let text = self.lock().text.get(before..).unwrap_or_default().to_owned();
        answered.then_some(text)
    }

    /// Has the operator order a job; returns its number if the director took it.
    pub fn order(&self, world: &mut World, operator: HostId, line: &str) -> Option<u32> {
        let answer = self.say(world, operator, line, Duration::from_secs(120))?;
        let (_, id) = answer.split_once("JobId=")?;
        id.split_whitespace().next()?.parse().ok()
    }

    fn lock(&self) -> MutexGuard<'_, Transcript> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The role of an operator's console.
#[derive(Debug)]
pub struct Operator {
    password: Password,
    host: String,
    port: u16,
    protection: Protection,
    heard: Heard,
    conn: Option<ConnId>,
    lines: VecDeque<String>,
}

impl Operator {
    /// An operator who knows this password, and that the director is at this host and port.
    #[must_use]
    pub fn new(password: Password, (host, port): (&str, u16), protection: Protection, heard: Heard) -> Self {
        Self { password, host: host.to_owned(), port, protection, heard, conn: None, lines: VecDeque::new() }
    }
}

impl Role for Operator {
    type Dial = ();
    type Timer = Infallible;
    type Work = Infallible;
    type Survey = Infallible;

    fn start(&mut self, net: &mut Net<Self>) {
        let seconds = Duration::from_secs;
        let route = Route {
            host: self.host.clone(),
            port: self.port,
            source: None,
            socket: SocketOptions::default(),
            retry: seconds(5),
            within: seconds(60),
        };
        let me = PeerName::new(PeerKind::Console, DEFAULT_CONSOLE);
        let key = self.password.key();
        let engine = self.protection.dialler(&me, &key);
        let hello = Hello::default_console("26.0.0", Version { major: 26, minor: 0, patch: 0 });
        let policy = self.protection.policy();
        net.dial(route, Opening { engine, hello, key, own: me.qualified(), policy }, ());
    }

    fn on_bound(&mut self, _net: &mut Net<Self>, _listener: ListenerId, _outcome: Result<SocketAddr, IoKind>) {}

    fn on_accepted(&mut self, net: &mut Net<Self>, conn: ConnId, _peer: Peer) {
        net.abort(conn);
    }

    fn on_dialed(&mut self, net: &mut Net<Self>, (): (), outcome: Result<(ConnId, Peer), DialFailure>) {
        match outcome {
            Ok((conn, _)) => {
                self.conn = Some(conn);
                self.lines.drain(..).for_each(|line| net.send_text(conn, line));
            }
            Err(failure) => self.heard.lock().over = Some(failure.to_string()),
        }
    }

    fn on_text(&mut self, _net: &mut Net<Self>, _conn: ConnId, text: Vec<u8>) {
        self.heard.lock().text.push_str(&String::from_utf8_lossy(&text));
    }

    fn on_signal(&mut self, _net: &mut Net<Self>, _conn: ConnId, signal: Signal) {
        if signal == Signal::Eod {
            self.heard.lock().answers += 1;
        }
    }

    fn on_closed(&mut self, _net: &mut Net<Self>, _conn: ConnId, reason: CloseReason) {
        self.conn = None;
        self.heard.lock().over = Some(reason.to_string());
    }

    fn on_done(&mut self, _net: &mut Net<Self>, work: Infallible, _done: WorkDone) {
        match work {}
    }

    fn on_timer(&mut self, _net: &mut Net<Self>, timer: Infallible) {
        match timer {}
    }

    fn on_typed(&mut self, net: &mut Net<Self>, line: Option<String>) {
        match (line, self.conn) {
            (Some(line), Some(conn)) => net.send_text(conn, line),
            (Some(line), None) => self.lines.push_back(line),
            (None, _) => {}
        }
    }

    fn on_stop(&mut self, net: &mut Net<Self>) {
        net.exit(ExitReason::Done);
    }
}
