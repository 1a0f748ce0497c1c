//! Client-initiated connections: for each director that is to be dialled, one connection that waits there for something
//! to do (`wire/1 §8.2`).
//!
//! ```text
//!   pausing --timer--> dialling --> greeting --"1000 OK"--> waiting --a line--> a session, and dialling at once
//!      ^                  | failed     | refused, slow         | closed, a signal
//!      '------------------+------------+-----------------------'
//! ```
//! While it waits nothing is sent: a director drops a connection that shows any signal. What the system's keepalive does
//! not find, the director finds when it takes the connection.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::{FileConfig, keepalive};
use crate::conn::{DialFailure, Peer};
use crate::cover::{self, Mark};
use crate::error::{Code, Explain, Fault};
use crate::ids::{ConnId, DialId};
use crate::node::{Route, TimerKey};
use crate::notice::Level;
use crate::printable;
use crate::role::file::Net;
use crate::time::Instant;
use crate::wire::frame::Signal;
use crate::wire::hello::{Purpose, is_director_answer};
use crate::wire::names::{PeerKind, PeerName};

use super::session::Session;
use super::{Dial, Due, FileDaemon};

/// The longest first pause; each further one may be twice as long, up to `redial_interval`.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// A connection that waited for so long was a good one: what ended it is no failure to reach the director.
const GOOD: Duration = Duration::from_secs(60);

/// The same failure is said again after this time.
const SAY_AGAIN: Duration = Duration::from_secs(3_600);

/// The connections to directors that this daemon dials, by the directors' names.
#[derive(Debug, Default)]
pub(super) struct Calling {
    lines: BTreeMap<String, Line>,
}

/// The way to one director.
#[derive(Debug)]
struct Line {
    state: State,
    /// A connection from before the machine slept, kept until there is a new one.
    old: Option<ConnId>,
    /// Attempts that failed since the last good connection.
    failures: u32,
    /// The failure that was said last, and when.
    said: Option<(Code, Instant)>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Pausing(TimerKey),
    Dialling(DialId),
    Greeting(ConnId, TimerKey),
    Waiting(ConnId, Instant),
    /// The daemon stops, or there is nothing to dial with.
    Over,
}

impl Line {
    fn let_go(self, net: &mut Net) {
        match self.state {
            State::Pausing(timer) => net.cancel_timer(timer),
            State::Dialling(dial) => net.cancel_dial(dial),
            State::Greeting(conn, timer) => {
                net.cancel_timer(timer);
                net.close(conn, false);
            }
            State::Waiting(conn, _) => net.close(conn, false),
            State::Over => {}
        }
        if let Some(old) = self.old {
            net.close(old, false);
        }
    }
}

impl Calling {
    fn of_conn(&self, conn: ConnId) -> Option<&String> {
        let is_it = |line: &Line| {
            line.old == Some(conn)
                || matches!(line.state, State::Greeting(mine, _) | State::Waiting(mine, _) if mine == conn)
        };
        self.lines.iter().find(|(_, line)| is_it(line)).map(|(name, _)| name)
    }

    /// Whether this connection waits, or is about to.
    pub(super) fn has(&self, conn: ConnId) -> bool {
        self.of_conn(conn).is_some()
    }

    /// The directors at which a connection waits.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter(|(_, line)| matches!(line.state, State::Waiting(..))).map(|(name, _)| name.as_str())
    }
}

/// The pause after so many failures: half of it for certain, half by chance, so that clients who lost their director at
/// the same moment do not come back at the same moment.
fn pause(failures: u32, longest: Duration, random: u32) -> Duration {
    let most = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(failures.min(16)).unwrap_or(u32::MAX));
    let most = most.min(longest.max(Duration::from_secs(1)));
    let half = most / 2;
    half + half.mul_f64(f64::from(random) / (f64::from(u32::MAX) + 1.0))
}

impl FileDaemon {
    /// Dials every director that is to be dialled and is not yet.
    pub(super) fn start_calling(&mut self, net: &mut Net) {
        let wanted = self.config.directors.iter().filter(|director| director.connection_from_client_to_director);
        let names: Vec<String> = wanted.map(|director| director.name.clone()).collect();
        for name in names {
            if self.calling.lines.contains_key(&name) {
                continue;
            }
            let line = Line { state: State::Over, old: None, failures: 0, said: None };
            self.calling.lines.insert(name.clone(), line);
            self.call(net, &name);
        }
    }

    /// Another configuration is used: what waits at directors of whom nothing has changed goes on waiting.
    pub(super) fn call_those_of(&mut self, net: &mut Net, earlier: &FileConfig) {
        let of = |config: &FileConfig, name: &str| {
            let found = config.directors.iter().find(|director| director.name == *name)?;
            let wants = found.connection_from_client_to_director;
            wants.then(|| (found.clone(), config.director_tls(found).clone(), config.file.source_address.clone()))
        };
        let changed = |name: &String| of(earlier, name) != of(&self.config, name);
        let names: Vec<String> = self.calling.lines.keys().filter(|name| changed(name)).cloned().collect();
        for line in names.iter().filter_map(|name| self.calling.lines.remove(name)) {
            line.let_go(net);
        }
        self.start_calling(net);
    }

    fn call(&mut self, net: &mut Net, name: &str) {
        let Some(director) = self.config.directors.iter().find(|director| director.name == *name) else { return };
        let file = &self.config.file;
        let Some(address) = director.address.clone() else { return };
        let me = PeerName::new(PeerKind::Client, &file.name);
        let purpose = Purpose::Client { name: file.name.clone(), protocol: self.protocol };
        let (key, tls) = (director.password.key(), self.config.director_tls(director).enable);
        let opening = self.credentials.opening(&format!("director {name}"), &address, &me, &key, tls, purpose);
        let state = match opening {
            Ok(opening) => {
                let route = Route {
                    host: address,
                    port: director.port,
                    source: file.source_address.as_deref().and_then(|text| text.parse().ok()),
                    socket: keepalive::socket(self.config.director_heartbeat(director), keepalive::End::Control),
                    // One attempt at each address: the pauses are ours.
                    retry: file.director_connect_timeout.duration(),
                    within: file.director_connect_timeout.duration(),
                };
                State::Dialling(net.dial(route, opening, Dial::Director(name.to_owned())))
            }
            Err(why) => {
                let text = format!("director {name} is not dialled: {why}; {}", why.help());
                self.say(net, Level::Error, Some((why.fault(), why.code())), &text);
                State::Over
            }
        };
        if let Some(line) = self.calling.lines.get_mut(name) {
            line.state = state;
        }
    }

    pub(super) fn called(&mut self, net: &mut Net, name: String, outcome: Result<(ConnId, Peer), DialFailure>) {
        let Some(line) = self.calling.lines.get_mut(&name) else { return };
        match outcome {
            Ok((conn, _)) => {
                let patience = self.config.file.authenticate_within.duration();
                let timer = net.set_timer(patience, "a director's greeting", Due::Calling(name));
                line.state = State::Greeting(conn, timer);
            }
            Err(failure) => {
                let cause = (failure.fault(), failure.code());
                self.not_reached(net, &name, cause, &format!("{failure}; {}", failure.help()));
            }
        }
    }

    /// A line on a connection that waits: the greeting, or a command, with which the session begins.
    pub(super) fn director_calls_back(&mut self, net: &mut Net, conn: ConnId, text: &[u8]) {
        let Some(name) = self.calling.of_conn(conn).cloned() else { return };
        let Some(line) = self.calling.lines.get_mut(&name) else { return };
        match line.state {
            State::Greeting(mine, patience) if mine == conn => {
                net.cancel_timer(patience);
                if is_director_answer(text) {
                    return self.waits(net, &name, conn);
                }
                net.close(conn, false);
                let words = printable::line_of(&text[..text.len().min(200)]);
                let cause = (Fault::Peer, Code(140));
                self.not_reached(net, &name, cause, &format!("it answers \"{words}\" instead of a greeting"));
            }
            _ => {
                let was_old = line.old == Some(conn);
                if was_old {
                    line.old = None;
                } else {
                    line.failures = 0;
                }
                let times = (net.wall(), net.now());
                let id = self.sessions.begin(Session::new(conn, name.clone(), false, times));
                self.command(net, id, text);
                if !was_old && !self.stopping.has_begun() {
                    self.call(net, &name);
                }
            }
        }
    }

    fn waits(&mut self, net: &mut Net, name: &str, conn: ConnId) {
        let from = net.ends(conn).map(|ends| ends.peer.to_string()).unwrap_or_default();
        let Some(line) = self.calling.lines.get_mut(name) else { return };
        line.state = State::Waiting(conn, net.now());
        if let Some(old) = line.old.take() {
            net.close(old, false);
        }
        if line.said.take().is_some() {
            let text = format!("director {name} is reached again at {from}; attempts that failed: {}", line.failures);
            self.say(net, Level::Info, None, &text);
        }
    }

    /// A signal, or the end: the director does not want this connection any more.
    pub(super) fn director_hung_up(&mut self, net: &mut Net, conn: ConnId, why: &str) {
        let Some(name) = self.calling.of_conn(conn).cloned() else { return };
        let Some(line) = self.calling.lines.get_mut(&name) else { return };
        if line.old == Some(conn) {
            line.old = None;
            return;
        }
        match line.state {
            State::Greeting(_, patience) => {
                net.cancel_timer(patience);
                let text = format!("it ends the connection instead of greeting ({why})");
                self.not_reached(net, &name, (Fault::Peer, Code(141)), &text);
            }
            State::Waiting(_, since) => {
                if net.now().since(since) >= GOOD {
                    line.failures = 0;
                }
                net.log(Level::Info, &format!("the connection that waits at director {name} has ended: {why}"));
                self.call_later(net, &name);
            }
            _ => {}
        }
    }

    /// A signal on a connection that waits ends it, as in Bareos (`wire/1 §8.2`).
    pub(super) fn director_signals_back(&mut self, net: &mut Net, conn: ConnId, signal: Signal) {
        self.director_hung_up(net, conn, &format!("{signal:?}"));
        net.close(conn, false);
    }

    /// A pause is over, or a greeting takes too long.
    pub(super) fn calling_timer(&mut self, net: &mut Net, name: &str) {
        match self.calling.lines.get(name).map(|line| line.state) {
            Some(State::Pausing(_)) => {
                cover::hit(Mark::ComesBack);
                self.call(net, name);
            }
            Some(State::Greeting(conn, _)) => {
                net.abort(conn);
                let text = format!("no greeting within {} s", self.config.file.authenticate_within.0);
                self.not_reached(net, name, (Fault::Peer, Code(142)), &text);
            }
            Some(State::Dialling(_) | State::Waiting(..) | State::Over) | None => {}
        }
    }

    /// The machine has slept, its clock was set, or it is in another network: whatever waited may be dead by now. A new
    /// connection is made at once, and the old one kept until it is there.
    pub(super) fn call_again(&mut self, net: &mut Net) {
        let names: Vec<String> = self.calling.lines.keys().cloned().collect();
        for name in names {
            let Some(line) = self.calling.lines.get_mut(&name) else { continue };
            line.failures = 0;
            match std::mem::replace(&mut line.state, State::Over) {
                State::Pausing(timer) => net.cancel_timer(timer),
                State::Dialling(dial) => net.cancel_dial(dial),
                State::Greeting(conn, timer) => {
                    net.cancel_timer(timer);
                    net.abort(conn);
                }
                State::Waiting(conn, _) => {
                    if let Some(older) = line.old.replace(conn) {
                        net.abort(older);
                    }
                }
                State::Over => continue,
            }
            self.call(net, &name);
        }
    }

    /// The daemon stops: no more dials, and what waits is let go.
    pub(super) fn stop_calling(&mut self, net: &mut Net) {
        for line in std::mem::take(&mut self.calling.lines).into_values() {
            line.let_go(net);
        }
    }

    /// Says once, and then every hour, why a director is not reached; tries again after a pause.
    fn not_reached(&mut self, net: &mut Net, name: &str, cause: (Fault, Code), why: &str) {
        let now = net.now();
        let Some(line) = self.calling.lines.get_mut(name) else { return };
        let is_news = line.said.is_none_or(|(code, at)| code != cause.1 || now.since(at) >= SAY_AGAIN);
        if is_news {
            line.said = Some((cause.1, now));
        }
        let wait = self.call_later(net, name);
        if is_news {
            let text = format!("director {name} is not reached: {why}; next attempt in {:.1} s", wait.as_secs_f64());
            self.say(net, Level::Warn, Some(cause), &text);
        }
    }

    fn call_later(&mut self, net: &mut Net, name: &str) -> Duration {
        let longest = self.config.file.redial_interval.duration();
        let Some(line) = self.calling.lines.get_mut(name) else { return longest };
        let wait = pause(line.failures, longest, net.random());
        line.failures = line.failures.saturating_add(1);
        line.state = State::Pausing(net.set_timer(wait, "dial a director again", Due::Calling(name.to_owned())));
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_first_pause_is_at_most_two_seconds_and_the_longest_a_minute() {
        for (failures, most) in [(0, 2), (1, 4), (2, 8), (3, 16), (4, 32), (5, 60), (6, 60), (u32::MAX, 60)] {
            let most = Duration::from_secs(most);
            assert_eq!(pause(failures, MINUTE, 0), most / 2);
            let longest = pause(failures, MINUTE, u32::MAX);
            assert!(longest <= most && longest > most - Duration::from_millis(1), "{longest:?}");
        }
    }

    #[test]
    fn a_shorter_interval_shortens_every_pause() {
        let five = Duration::from_secs(5);
        assert!((0..40).all(|failures| pause(failures, five, u32::MAX) <= five));
        assert!(pause(9, Duration::ZERO, 0) >= Duration::from_millis(500), "never a tight loop");
    }
}
