//! From a host name to an authenticated connection, again and again until the deadline.
//!
//! ```text
//!   names.rs: look-up -> race.rs: one try for each address -> TLS and authentication -> on_dialed
//!      ^                          '------- all failed: a pause ------'
//!      '----------------------------------------'
//! ```
//! A role sees one [`DialId`] for all of it; each try has one of its own, so that every `Action::Dial` is answered by
//! one `Event::Dialed`.

mod names;
mod narrow;
mod news;
mod race;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

pub(super) use names::Names;
pub(super) use narrow::Narrow;
pub use news::DialNews;
use race::{Race, says_more};

use super::net::{AnyNet, Link, Owner, TimerKey};
use crate::action::Action;
use crate::address::{Address, can_reach, lacks_scope};
use crate::conn::{CloseReason, Conn, DialFailure, Dialling};
use crate::cover::{self, Mark};
use crate::error::{Code, Explain, Retry};
use crate::ids::{ConnId, DialId, QueryId};
use crate::notice::Level;
use crate::secret::Secret;
use crate::socket::{Ends, IoKind, ResolveError, SocketOptions};
use crate::time::Instant;
use crate::wire::hello::Hello;
use crate::wire::probe;
use crate::{limits, tls};

/// Where to dial and how long to try (`wire/1 §9.1`).
#[derive(Clone, Debug)]
pub struct Route {
    /// A host name or a literal address; one of a link with its interface, as in `fe80::1%eth0`.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The source address, if one is configured.
    pub source: Option<IpAddr>,
    /// Socket options.
    pub socket: SocketOptions,
    /// The pause after all addresses have failed.
    pub retry: Duration,
    /// How long to try in all.
    pub within: Duration,
}

/// What to say once connected.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Which TLS engine, and what it offers.
    pub engine: tls::Dialler,
    /// The hello.
    pub hello: Hello,
    /// The key of both CRAM-MD5 directions.
    pub key: Secret,
    /// The qualified name in our challenge.
    pub own: String,
    /// Our policy number for `ssl=`.
    pub policy: u8,
}

/// A dial under way: a look-up, then the race of the addresses, then authentication; a pause when all failed.
#[derive(Debug)]
pub(super) struct Attempt {
    route: Route,
    opening: Opening,
    give_up: Instant,
    step: Step,
    race: Race,
    last: Option<DialFailure>,
    /// What all addresses together came to the last time.
    before: Option<DialFailure>,
    /// Tries that have failed, and what was said of them last.
    failed: u32,
    /// Those that were not told.
    unsaid: u32,
    said: Option<(Code, Instant)>,
    /// Whether one of the addresses is worth another try, whatever the others say.
    hopeful: bool,
}

/// One try of a dial.
#[derive(Clone, Copy, Debug)]
pub(super) struct Try {
    dial: DialId,
    /// Whether its segments are small.
    small: bool,
}

#[derive(Debug)]
enum Step {
    /// With its deadline.
    Resolving(TimerKey),
    /// With the timer of the next try, if there is one to come.
    Racing(Option<TimerKey>),
    /// With the address, and whether its segments are small.
    Authenticating(ConnId, SocketAddr, bool),
    Pausing(TimerKey),
}

impl Attempt {
    /// What to say in the end. A last try that the deadline has cut short saw only that nothing came in this time, where
    /// the one before it may have seen why.
    fn telling(&mut self, last: DialFailure, now: Instant) -> DialFailure {
        let is_cut = matches!(last, DialFailure::Connect { error: IoKind::TimedOut, .. }) && now >= self.give_up;
        match self.before.take() {
            Some(before @ (DialFailure::Connect { .. } | DialFailure::Refused { .. })) if is_cut => before,
            _ => last,
        }
    }
}

impl AnyNet {
    pub(super) fn dial(&mut self, route: Route, opening: Opening) -> DialId {
        let dial = DialId(self.next_id());
        let give_up = self.now + route.within;
        let step = Step::Racing(None);
        let race = Race::default();
        self.dials.insert(
            dial,
            Attempt {
                route,
                opening,
                give_up,
                step,
                race,
                last: None,
                before: None,
                failed: 0,
                unsaid: 0,
                said: None,
                hopeful: false,
            },
        );
        self.resolve(dial);
        dial
    }

    /// Calls a dial off; the role hears `on_dialed` with `Cancelled`, unless it has heard of its end before.
    pub fn cancel_dial(&mut self, dial: DialId) {
        let Some(mut attempt) = self.dials.remove(&dial) else {
            // It has failed just now, and the role is still to hear of it.
            if let Some((_, failure)) = self.failed.iter_mut().find(|(failed, _)| *failed == dial) {
                *failure = DialFailure::Cancelled;
            }
            return;
        };
        match attempt.step {
            Step::Resolving(deadline) => {
                self.cancel_timer(deadline);
                self.names.forget(dial);
            }
            Step::Racing(next) => {
                self.cancel_timers(next);
                self.call_off(attempt.race.end());
            }
            Step::Authenticating(conn, ..) => {
                self.abort(conn);
                // What it still says, even that it is authenticated, comes too late.
                self.forget(conn);
            }
            Step::Pausing(key) => self.cancel_timer(key),
        }
        self.news.retain(|(about, _)| *about != dial);
        self.failed.push_back((dial, DialFailure::Cancelled));
    }

    pub(super) fn on_resolved(&mut self, query: QueryId, answer: Result<Vec<SocketAddr>, ResolveError>) {
        let askers = self.names.answered(query, self.now);
        self.look_up();
        for dial in askers {
            let Some(attempt) = self.dials.get(&dial) else { continue };
            if let Step::Resolving(deadline) = attempt.step {
                let port = attempt.route.port;
                let mut answer = answer.clone();
                // Who asked first may have wanted another port.
                answer.iter_mut().flatten().for_each(|address| address.set_port(port));
                self.cancel_timer(deadline);
                self.resolved(dial, answer);
            }
        }
    }

    pub(super) fn on_dialed(&mut self, id: DialId, outcome: Result<Ends, IoKind>) {
        let tried = self.tries.remove(&id);
        let attempt = tried.and_then(|tried| Some((tried, self.dials.get_mut(&tried.dial)?)));
        let Some((Try { dial, small }, attempt)) = attempt else {
            if outcome.is_ok() {
                self.order(Action::CancelDial(id));
            }
            return;
        };
        match outcome {
            Ok(ends) => {
                let Some((to, losers)) = attempt.race.won(id) else { return };
                if let Step::Racing(next) = attempt.step {
                    self.cancel_timers(next);
                }
                self.call_off(losers);
                self.attach((dial, id), ends, (to, small));
            }
            Err(error) => {
                let Some(to) = attempt.race.lost(id) else { return };
                let known = match attempt.last {
                    Some(DialFailure::Connect { error, .. }) => error,
                    _ => IoKind::Cancelled,
                };
                let failure = DialFailure::Connect { to, error };
                attempt.hopeful |= failure.retry() != Retry::Never;
                if says_more(known, error) {
                    attempt.last = Some(failure);
                }
                self.go_on(dial);
            }
        }
    }

    pub(super) fn dial_refused(&mut self, dial: DialId, reason: CloseReason) {
        let Some(attempt) = self.dials.get_mut(&dial) else { return };
        let Step::Authenticating(_, to, small) = attempt.step else { return };
        if reason.is_stall() && attempt.opening.hello.probed_size().is_none() {
            // Connected, which takes small packets only, and no further: the large ones may be lost on the way.
            self.narrow.stalled(to.ip(), small, self.now);
        }
        let failure = match reason {
            // It stood, and this machine had no room to use it.
            CloseReason::Io(error @ IoKind::Exhausted, _) => DialFailure::Connect { to, error },
            reason => DialFailure::Refused { to, reason },
        };
        match failure.retry() {
            Retry::Never => self.fail_dial(dial, failure),
            Retry::Backoff | Retry::Now => {
                attempt.last = Some(failure);
                attempt.hopeful = true;
                attempt.step = Step::Racing(None);
                self.go_on(dial);
            }
        }
    }

    /// A timer of the dial is due: what for, says its step.
    pub(super) fn dial_timer(&mut self, dial: DialId) {
        let Some(attempt) = self.dials.get_mut(&dial) else { return };
        match attempt.step {
            Step::Resolving(_) => {
                self.names.forget(dial);
                self.resolved(dial, Err(ResolveError::Temporary));
            }
            Step::Racing(_) => {
                attempt.step = Step::Racing(None);
                self.try_next(dial);
            }
            Step::Pausing(_) => self.resolve(dial),
            Step::Authenticating(..) => {}
        }
    }

    /// The machine has other addresses or ways: what could not be reached may be reached now, so no pause is waited out.
    pub(super) fn dial_again(&mut self) {
        let pausing = |attempt: &Attempt| match attempt.step {
            Step::Pausing(key) => Some(key),
            _ => None,
        };
        let all: Vec<(DialId, TimerKey)> =
            self.dials.iter().filter_map(|(&dial, attempt)| Some((dial, pausing(attempt)?))).collect();
        for (dial, key) in all {
            self.cancel_timer(key);
            self.resolve(dial);
        }
    }

    /// The dial has led to a connection; returns the options of its socket.
    pub(super) fn end_dial(&mut self, dial: DialId) -> SocketOptions {
        let Some(attempt) = self.dials.remove(&dial) else { return SocketOptions::default() };
        if let Step::Authenticating(_, to, true) = attempt.step {
            let news = DialNews::SmallOnly { to };
            if self.narrow.passed(to.ip(), self.now) {
                self.complain(Level::Warn, news.code().0, &news.to_string());
            }
            self.news.push_back((dial, news));
        }
        attempt.route.socket
    }

    /// Asks for the addresses. A literal address needs no resolver.
    fn resolve(&mut self, dial: DialId) {
        let key = TimerKey(self.next_id());
        let Some(attempt) = self.dials.get_mut(&dial) else { return };
        let literal = Address::parse(&attempt.route.host);
        let has_name = literal.as_ref().is_some_and(|address| address.interface().is_some());
        if let Some(address) = literal
            && !has_name
        {
            let address = address.with_port(attempt.route.port, 0);
            return self.resolved(dial, Ok(vec![address]));
        }
        attempt.step = Step::Resolving(key);
        let deadline = attempt.give_up.min(self.now + limits::LOOKUP);
        let host = attempt.route.host.clone();
        self.arm(deadline, key, Owner::Dial(dial), "name look-up");
        if has_name {
            // The number of an interface is known at once.
            return self.ask(dial, host);
        }
        self.names.want(dial, host);
        self.look_up();
    }

    /// Begins the look-ups there is room for.
    fn look_up(&mut self) {
        while let Some((dial, host)) = self.names.turn(self.now) {
            self.ask(dial, host);
        }
        if let Some(at) = self.names.next_turn(self.now)
            && self.names.timer.is_none()
        {
            let key = TimerKey(self.next_id());
            self.names.timer = Some(key);
            self.arm(at, key, Owner::Names, "a look-up that takes long");
        }
    }

    /// A look-up takes long: the next may begin.
    pub(super) fn names_timer(&mut self) {
        self.names.timer = None;
        self.look_up();
    }

    fn ask(&mut self, dial: DialId, host: String) {
        let query = QueryId(self.next_id());
        let Some(attempt) = self.dials.get(&dial) else { return };
        let port = attempt.route.port;
        self.names.asked(query, dial, host.clone(), self.now);
        self.order(Action::Resolve { query, host, port });
    }

    fn resolved(&mut self, dial: DialId, answer: Result<Vec<SocketAddr>, ResolveError>) {
        let Some(attempt) = self.dials.get_mut(&dial) else { return };
        let host = attempt.route.host.clone();
        attempt.hopeful = false;
        match answer {
            Ok(mut addresses) if !addresses.is_empty() => {
                addresses.retain(|address| !lacks_scope(address));
                if addresses.is_empty() {
                    return self.fail_dial(dial, DialFailure::NoScope { host });
                }
                if let Some(from) = attempt.route.source {
                    addresses.retain(|address| can_reach(from, address));
                    if addresses.is_empty() {
                        return self.fail_dial(dial, DialFailure::Family { host, from });
                    }
                }
                attempt.race = Race::new(&addresses);
                attempt.last = None;
                attempt.step = Step::Racing(None);
                self.try_next(dial);
            }
            Ok(_) => self.fail_dial(dial, DialFailure::Resolve { host, error: ResolveError::NoSuchName }),
            Err(error) => self.pause_or_fail(dial, DialFailure::Resolve { host, error }),
        }
    }

    /// Dials the next address, and the one after it a little later.
    fn try_next(&mut self, dial: DialId) {
        let (now, id, key) = (self.now, DialId(self.next_id()), TimerKey(self.next_id()));
        let Some(attempt) = self.dials.get_mut(&dial) else { return };
        let Some(to) = attempt.race.next() else { return };
        attempt.race.began(id, to);
        let give_up = attempt.give_up.min(now + limits::TRY);
        let (from, mut socket) = (attempt.route.source, attempt.route.socket);
        // Large packets are what a probe with a size is for.
        let probes = attempt.opening.hello.probed_size().is_some();
        let small = !probes && self.narrow.is_narrow(to.ip(), now);
        if small {
            socket.segment = Some(limits::SMALL_SEGMENT);
        }
        let next = attempt.race.has_more().then_some(key);
        attempt.step = Step::Racing(next);
        self.tries.insert(id, Try { dial, small });
        self.order(Action::Dial { dial: id, to, from, socket, give_up });
        if next.is_some() {
            self.arm(now + limits::RACE, key, Owner::Dial(dial), "the next address");
        }
    }

    /// A try has failed: the next address at once; when all have failed, pauses.
    fn go_on(&mut self, dial: DialId) {
        let now = self.now;
        let Some(attempt) = self.dials.get_mut(&dial) else { return };
        let Step::Racing(next) = attempt.step else { return };
        if attempt.race.has_more() && now < attempt.give_up {
            self.cancel_timers(next);
            return self.try_next(dial);
        }
        if attempt.race.is_running() {
            return;
        }
        let last = attempt.last.take().unwrap_or(DialFailure::Cancelled);
        self.cancel_timers(next);
        self.pause_or_fail(dial, last);
    }

    fn attach(&mut self, (dial, won): (DialId, DialId), ends: Ends, (to, small): (SocketAddr, bool)) {
        let id = ConnId(self.next_id());
        let (nonce, wall, now) = (self.random(), self.wall(), self.now);
        let within = self.settings.authenticate_within;
        let Some(attempt) = self.dials.get_mut(&dial) else { return };
        attempt.step = Step::Authenticating(id, to, small);
        let Opening { mut engine, hello, key, own, policy } = attempt.opening.clone();
        let mut give_up = now + within;
        if hello.purpose.job().is_some_and(probe::is_probe) {
            // Whoever waits for a probe wants to hear that it stands still.
            give_up = give_up.min(attempt.give_up);
        }
        if hello.probed_size().is_some() {
            engine = tls::Dialler::Clear;
        }
        let dialling = Dialling { id, ends, engine, hello, key, own, policy, nonce, wall, give_up };
        self.links.insert(id, Link::new(ends, Some(dial)));
        let begin = if self.settings.is_stock { Conn::dialled_as_stock } else { Conn::dialled };
        let conn = Box::new(begin(dialling, now).with_bulk(self.settings.bulk));
        self.order(Action::Attach { dial: won, conn });
    }

    fn pause_or_fail(&mut self, dial: DialId, failure: DialFailure) {
        let now = self.now;
        let key = TimerKey(self.next_id());
        let Some(attempt) = self.dials.get_mut(&dial) else { return };
        let again = now + attempt.route.retry;
        let is_final = failure.retry() == Retry::Never && !attempt.hopeful;
        if is_final || again >= attempt.give_up {
            let failure = attempt.telling(failure, now);
            return self.fail_dial(dial, failure);
        }
        cover::hit(Mark::DialPauses);
        attempt.step = Step::Pausing(key);
        attempt.failed += 1;
        attempt.unsaid += 1;
        let is_early = attempt.failed <= limits::SAY_TRIES;
        let is_news = |(code, at): (Code, Instant)| code != failure.code() || now.since(at) >= limits::SAY_TRY;
        if is_early || attempt.said.is_none_or(is_news) {
            attempt.said = Some((failure.code(), now));
            let news = DialNews::Failed {
                failure: failure.clone(),
                tries: attempt.failed,
                unsaid: std::mem::take(&mut attempt.unsaid) - 1,
                again: attempt.route.retry,
            };
            self.news.push_back((dial, news));
        }
        attempt.before = Some(failure);
        self.arm(again, key, Owner::Dial(dial), "dial again");
    }

    fn fail_dial(&mut self, dial: DialId, failure: DialFailure) {
        if self.dials.remove(&dial).is_some() {
            self.failed.push_back((dial, failure));
        }
    }

    /// Tries that are not wanted any more; what they still answer is dropped, and a socket they have won given back.
    fn call_off(&mut self, tries: Vec<DialId>) {
        for id in tries {
            self.tries.remove(&id);
            self.order(Action::CancelDial(id));
        }
    }

    fn cancel_timers(&mut self, key: Option<TimerKey>) {
        if let Some(key) = key {
            self.cancel_timer(key);
        }
    }
}
