//! The addresses a daemon listens on: bound at the start, or as soon as they are there, and again when their interface
//! has become another.
//!
//! ```text
//!   start --> the interface's number, if it has a name --> bind --> bound --.
//!               ^             '---- missing <----'------------'             |
//!               '------- a change of the network, or 5 s ------'<-----------'  (only with the name of an interface)
//! ```
//! The system keeps a listener whose address goes: it serves again when the address is back. One on an interface that
//! was made anew is dead, which only the number of the interface tells.

mod failure;

use std::net::SocketAddr;

pub use failure::BindError;
#[cfg(test)]
pub(crate) use failure::one_of_each;

use super::net::{AnyNet, Owner, TimerKey};
use crate::action::Action;
use crate::address::Endpoint;
use crate::error::{Code, Explain, Fault, Retry};
use crate::ids::{ListenerId, QueryId};
use crate::limits;
use crate::notice::{ExitReason, Level, Notice};
use crate::socket::{IoKind, ResolveError, SocketOptions};

/// The exit code of a daemon that cannot listen: `EX_UNAVAILABLE` of sysexits.
pub const EXIT_NO_LISTENER: u8 = 69;

/// What a daemon listens on.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    all: Vec<Place>,
    again: Option<TimerKey>,
    /// Whether the log says that the daemon waits for its first address.
    waits: bool,
}

#[derive(Debug)]
struct Place {
    wanted: Endpoint,
    state: State,
    /// Asks for the number of the interface.
    query: Option<QueryId>,
    /// What the log says about it since it was bound last.
    said: Option<Code>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The number of its interface is not known yet.
    New,
    Binding(ListenerId, SocketAddr),
    Bound(ListenerId, SocketAddr),
    /// Not there now.
    Missing,
    /// Never available.
    Failed,
}

impl Place {
    /// Whether nothing is known yet.
    const fn is_open(&self) -> bool {
        matches!(self.state, State::New | State::Binding(..))
    }

    const fn is_bound(&self) -> bool {
        matches!(self.state, State::Bound(..))
    }

    /// Whether it is worth another look: it is not there, or may be on another interface by now.
    fn is_watched(&self) -> bool {
        match self.state {
            State::Missing => true,
            State::Bound(..) => self.wanted.address.interface().is_some(),
            _ => false,
        }
    }
}

impl AnyNet {
    /// Listens on these addresses until [`stop_listening`](Self::stop_listening). One that is not there yet is bound when
    /// it comes; if none can ever be bound, the node ends.
    pub fn listen_on(&mut self, wanted: impl IntoIterator<Item = Endpoint>) {
        let place = |wanted| Place { wanted, state: State::New, query: None, said: None };
        self.listeners.all.extend(wanted.into_iter().map(place));
        for index in 0..self.listeners.all.len() {
            self.open(index);
        }
    }

    /// Closes all of them.
    pub fn stop_listening(&mut self) {
        let old = std::mem::take(&mut self.listeners);
        if let Some(key) = old.again {
            self.cancel_timer(key);
        }
        for place in old.all {
            if let State::Binding(listener, _) | State::Bound(listener, _) = place.state {
                self.unlisten(listener);
            }
        }
    }

    /// Takes the outcome of a listener; false if it is none of these.
    pub(super) fn on_listening(&mut self, listener: ListenerId, outcome: Result<SocketAddr, IoKind>) -> bool {
        let is_it = |place: &Place| matches!(place.state, State::Binding(mine, _) if mine == listener);
        let Some(index) = self.listeners.all.iter().position(is_it) else { return false };
        let place = &mut self.listeners.all[index];
        let State::Binding(_, on) = place.state else { return false };
        match outcome {
            Ok(address) => {
                place.state = State::Bound(listener, on);
                place.said = None;
                self.notify(Notice::Listening(address));
            }
            Err(error) => {
                let failure = BindError::System { on: place.wanted.clone(), error };
                self.not_bound(index, &failure);
            }
        }
        self.look_at_listeners();
        true
    }

    /// Takes the number of an interface; false if nobody here has asked.
    pub(super) fn on_interface(&mut self, query: QueryId, answer: &Result<Vec<SocketAddr>, ResolveError>) -> bool {
        let is_it = |place: &Place| place.query == Some(query);
        let Some(index) = self.listeners.all.iter().position(is_it) else { return false };
        let place = &mut self.listeners.all[index];
        place.query = None;
        let found = answer.as_ref().ok().and_then(|found| found.first()).copied();
        match (place.state, found) {
            (State::Bound(_, on), Some(found)) if on == found => {}
            (State::Bound(listener, _), found) => {
                self.unlisten(listener);
                self.bind_or_miss(index, found);
            }
            (State::New | State::Missing, found) => self.bind_or_miss(index, found),
            (State::Binding(..) | State::Failed, _) => {}
        }
        self.look_at_listeners();
        true
    }

    /// The network has changed, or a while has passed: what was missing may be there, and what is there may have moved.
    pub(super) fn listen_again(&mut self) {
        for index in 0..self.listeners.all.len() {
            if self.listeners.all[index].is_watched() {
                self.open(index);
            }
        }
        self.look_at_listeners();
    }

    /// The timer of [`listen_again`](Self::listen_again) is due.
    pub(super) fn listen_timer(&mut self) {
        self.listeners.again = None;
        self.listen_again();
    }

    /// Binds it, or asks for the number of its interface first.
    fn open(&mut self, index: usize) {
        let query = QueryId(self.next_id());
        let place = &mut self.listeners.all[index];
        if place.wanted.address.interface().is_none() {
            let on = place.wanted.address.with_port(place.wanted.port, 0);
            self.bind_or_miss(index, Some(on));
        } else if place.query.is_none() {
            place.query = Some(query);
            let (host, port) = (place.wanted.address.to_string(), place.wanted.port);
            self.order(Action::Resolve { query, host, port });
        }
    }

    fn bind_or_miss(&mut self, index: usize, on: Option<SocketAddr>) {
        match on {
            Some(on) => {
                let listener = self.listen(on, SocketOptions::default());
                self.listeners.all[index].state = State::Binding(listener, on);
            }
            None => {
                let failure = BindError::NoInterface { on: self.listeners.all[index].wanted.clone() };
                self.not_bound(index, &failure);
            }
        }
    }

    /// Says once why; what is worth another try is missing from now on.
    fn not_bound(&mut self, index: usize, failure: &BindError) {
        let place = &mut self.listeners.all[index];
        let waits = failure.retry() != Retry::Never;
        place.state = if waits { State::Missing } else { State::Failed };
        if place.said.replace(failure.code()) == Some(failure.code()) {
            return;
        }
        let level = match failure {
            // Nobody has asked for IPv6 by name.
            _ if failure.is_of_no_consequence() => Level::Info,
            _ if waits => Level::Warn,
            _ => Level::Error,
        };
        let text = format!("{failure}; {}", failure.help());
        self.log_cause(level, (failure.fault(), failure.code()), &text);
    }

    /// What is left of them: nothing, which ends the node; nothing yet, which is said once; and whether to look again.
    fn look_at_listeners(&mut self) {
        let all = &self.listeners.all;
        if all.is_empty() {
            return;
        }
        let is_known = all.iter().all(|place| !place.is_open());
        let is_bound = all.iter().any(Place::is_bound);
        let waits = all.iter().any(|place| place.state == State::Missing);
        let is_watched = all.iter().any(Place::is_watched);
        if is_known && !is_bound && !waits {
            self.log_cause(
                Level::Error,
                (Fault::Config, Code(121)),
                "no address to listen on is left: the daemon ends",
            );
            return self.exit(ExitReason::Failed(EXIT_NO_LISTENER));
        }
        if is_known && !is_bound && !std::mem::replace(&mut self.listeners.waits, true) {
            self.complain(Level::Warn, 126, "no address to listen on is there yet: the daemon waits for the first");
        }
        if is_bound {
            self.listeners.waits = false;
        }
        if is_watched && self.listeners.again.is_none() {
            let key = TimerKey(self.next_id());
            self.listeners.again = Some(key);
            self.arm(self.now + limits::LISTEN_AGAIN, key, Owner::Listeners, "addresses to listen on");
        }
    }
}
