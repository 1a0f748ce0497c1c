//! One daemon: dial, listen, timers, and a [`Role`] that knows what for.
//!
//! ```text
//!   Event -> Node { Net, Role } -> Action
//! ```
//! [`Net`] is what a role orders through, and keeps what each order is for; the node turns events into calls of the role.

mod accept;
mod crowd;
mod dial;
mod guesses;
mod inspect;
mod listen;
mod net;
mod number;
mod refusals;
mod role;
mod shortage;
mod stopping;
mod survey;
#[cfg(test)]
mod tests;
mod tokens;

pub use dial::{DialNews, Opening, Route};
pub use inspect::{DeviceInspection, Inspection};
pub use listen::{BindError, EXIT_NO_LISTENER};
pub use net::{AnyNet, Overheard, Settings, TimerKey};
pub use number::{NoSuchNumber, Number};
pub use role::Role;
pub use survey::Row;
pub use tokens::Net;

#[cfg(test)]
pub(crate) use listen::one_of_each as one_of_each_bind_error;

use std::collections::VecDeque;

use crate::action::Action;
use crate::conn::{CloseReason, DialFailure, FromConn, Peer};
use crate::cover::{self, Mark};
use crate::error::Explain;
use crate::event::Event;
use crate::ids::{ConnId, DialId, WorkId};
use crate::notice::Notice;
use crate::time::{Deadline, Instant};
use crate::work::WorkDone;
use net::Owner;
use stopping::Stopping;

/// Decides for one daemon. After each `handle_*` call drain [`poll_action`](Self::poll_action) before waiting.
#[derive(Debug)]
pub struct Node<R: Role> {
    net: Net<R>,
    role: R,
    stopping: Stopping,
}

impl<R: Role> Node<R> {
    /// A node that does nothing before `Event::Started`. `seed` keys every challenge, session key and jitter: take it
    /// from the operating system and never print it.
    #[must_use]
    pub fn new(role: R, settings: Settings, seed: [u8; 32], now: Instant) -> Self {
        Self { net: Net::new(AnyNet::new(settings, seed, now)), role, stopping: Stopping::No }
    }

    /// Takes one event. Never fails: a bad peer ends its connection, not the node.
    pub fn handle_event(&mut self, event: Event, now: Instant) {
        self.net.advance(now);
        match event {
            Event::Started { wall } => {
                self.net.set_wall(wall);
                self.role.start(&mut self.net);
            }
            Event::ClockJumped { wall } => {
                cover::hit(Mark::ClockMoved);
                self.net.set_wall(wall);
                self.role.on_clock_jumped(&mut self.net);
            }
            Event::ZoneChanged(zone) => self.role.on_zone_changed(&mut self.net, zone),
            Event::NetworkChanged => {
                self.net.listen_again();
                self.net.dial_again();
                self.role.on_network_changed(&mut self.net);
            }
            Event::Pinged => self.net.notify(Notice::Alive),
            Event::ReloadRequested => self.role.on_reload(&mut self.net),
            Event::StopRequested => self.stop(),
            Event::TerminateRequested => self.terminate(),
            Event::Typed(line) => self.role.on_typed(&mut self.net, line),
            Event::Resolved { query, answer } => {
                if let Some(work) = self.net.asked.remove(&query) {
                    self.done(work, WorkDone::Resolved(answer));
                } else if !self.net.on_interface(query, &answer) {
                    self.net.on_resolved(query, answer);
                }
            }
            Event::Dialed { dial, outcome } => self.net.on_dialed(dial, outcome),
            Event::Bound { listener, outcome } => {
                if !self.net.on_listening(listener, outcome) {
                    self.role.on_bound(&mut self.net, listener, outcome);
                }
            }
            Event::Accepted { ticket, listener, ends } => self.net.on_accepted(ticket, listener, ends),
            Event::NotAccepted { listener: _, error } => self.net.on_not_accepted(error),
            Event::FromConn { conn, message } => self.hear(conn, message),
            Event::Done { work, done } => self.done(work, done),
        }
        self.settle();
    }

    /// Fires whatever is due. A call too many does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.net.advance(now);
        while let Some(owner) = self.net.due() {
            match owner {
                Owner::Role(key) => {
                    if let Some(timer) = self.net.timers.remove(&key) {
                        self.role.on_timer(&mut self.net, timer);
                    }
                }
                Owner::Dial(dial) => self.net.dial_timer(dial),
                Owner::Survey(id) => self.net.survey_over(id),
                Owner::Names => self.net.names_timer(),
                Owner::Listeners => self.net.listen_timer(),
                Owner::Refusals => self.net.count_refusals(),
                Owner::Shortage => self.net.count_shortage(),
                Owner::Drain => self.drained(),
            }
            self.settle();
        }
    }

    /// The next order, until there is none.
    #[must_use]
    pub fn poll_action(&mut self) -> Option<Action> {
        self.net.actions().pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), and what for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline<&'static str>> {
        self.net.deadline()
    }

    /// The daemon's own part, to look at in tests.
    pub const fn role(&self) -> &R {
        &self.role
    }

    fn done(&mut self, work: WorkId, done: WorkDone) {
        if let Some(work) = self.net.works.remove(&work) {
            self.role.on_done(&mut self.net, work, done);
        }
    }

    fn hear(&mut self, conn: ConnId, message: FromConn) {
        let net = &mut self.net;
        if !net.knows(conn) {
            return;
        }
        match message {
            FromConn::Closed(reason) => return self.closed(conn, reason),
            FromConn::Reached { stage, by_key } => return net.on_reached(conn, stage, by_key),
            FromConn::Authenticated(peer) => self.authenticated(conn, *peer),
            FromConn::Text(text) => self.role.on_text(net, conn, text),
            FromConn::Signal(signal) => self.role.on_signal(net, conn, signal),
            // The role says when it has taken a parcel: that is how a slow catalog slows the sender down.
            FromConn::Parcel(parcel) => return self.role.on_parcel(net, conn, parcel),
            FromConn::ParcelSent(parcel) => self.role.on_parcel_sent(net, conn, parcel),
            FromConn::Machine(message) => self.role.on_machine(net, conn, message),
            FromConn::Carried(outcome) => self.role.on_carried(net, conn, outcome),
            FromConn::Stalled(stall) => {
                cover::hit(Mark::StandsStill);
                net.on_stalled(conn, &stall);
                self.role.on_stalled(net, conn, &stall);
            }
            FromConn::Reported(traffic) => net.on_reported(conn, traffic),
        }
        self.net.taken(conn);
    }

    fn authenticated(&mut self, conn: ConnId, peer: Peer) {
        let dial = self.net.authenticated(conn, &peer);
        self.tell_news();
        match dial {
            Some(dial) => self.dial_ended(dial, Ok((conn, peer))),
            None => self.role.on_accepted(&mut self.net, conn, peer),
        }
    }

    fn closed(&mut self, conn: ConnId, reason: CloseReason) {
        let Some(link) = self.net.forget(conn) else { return };
        self.net.not_surveyed(conn);
        if link.known.is_some() {
            self.role.on_closed(&mut self.net, conn, reason);
        } else if let Some(dial) = link.dial {
            self.net.dial_refused(dial, reason);
        } else {
            cover::hit(Mark::Refused);
            self.net.note_refused(link.ends.peer.ip(), &reason);
            let reason = self.net.with_nearest(reason);
            let text = format!("{reason}; {}", reason.help());
            self.net.log_refusal((reason.fault(), reason.code()), link.ends.peer, text);
            self.role.on_refused(&mut self.net, &reason);
        }
    }

    /// Tells the role how its dials get on.
    fn tell_news(&mut self) {
        while let Some((dial, news)) = self.net.news.pop_front() {
            if let Some(token) = self.net.dials.remove(&dial) {
                self.role.on_dial_news(&mut self.net, &token, &news);
                self.net.dials.insert(dial, token);
            }
        }
    }

    fn dial_ended(&mut self, dial: DialId, outcome: Result<(ConnId, Peer), DialFailure>) {
        if let Some(token) = self.net.dials.remove(&dial) {
            self.role.on_dialed(&mut self.net, token, outcome);
        }
    }

    /// Tells the role of dials that have ended without a connection, and of surveys that are complete.
    fn settle(&mut self) {
        self.tell_news();
        while let Some((dial, failure)) = self.net.failed_dials().pop_front() {
            self.dial_ended(dial, Err(failure));
        }
        while let Some((survey, rows)) = self.net.surveyed.pop_front() {
            if let Some(survey) = self.net.surveys.remove(&survey) {
                self.role.on_surveyed(&mut self.net, survey, rows);
            }
        }
        if self.net.overheard.as_ref().is_some_and(|lines| !lines.is_empty()) {
            self.role.on_logged(&mut self.net);
        }
    }
}

/// A queue that is drained after every call.
pub(crate) type Queue<T> = VecDeque<T>;
