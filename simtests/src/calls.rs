//! Who has dialled whom, what came of it, and where it was stopped: what a person wants to know of a run.

use std::time::Duration;

use towline_core::socket::{Ends, IoKind};
use towline_core::time::Instant;

use crate::edge::Edge;
use crate::gateway::Way;
use crate::host::HostId;
use crate::network::NetworkId;
use crate::world::World;

/// Calls that are kept; later ones are counted only.
const KEPT: usize = 4_096;

/// A connection that was dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The host that dialled.
    pub from: HostId,
    /// Its own end and the address it dialled, as it sees both.
    pub ends: Ends,
    /// Who it was led to, if it was led to a host that is there.
    pub to: Option<HostId>,
    /// When it was dialled.
    pub at: Instant,
    /// What came of it.
    pub outcome: Outcome,
    /// Where its dialler's segments were stopped last by a gateway, a firewall or an edge, or the other side's by an edge.
    pub stop: Option<Stop>,
    /// Its ends as the host that it was led to sees them.
    answered: Option<Ends>,
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet.
    Waiting,
    /// A connection, after this.
    Open(Duration),
    /// None, after this.
    Failed(IoKind, Duration),
}

/// What did not let a segment through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Which box it was.
    pub at: Barrier,
    /// Which way the segment went.
    pub way: Way,
    /// Why.
    pub why: &'static str,
}

/// A box, or an edge, that stops segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// The gateway of this network.
    Gateway(NetworkId),
    /// The firewall of this host.
    Firewall(HostId),
    /// An edge that is cut or too narrow.
    Uplink(Edge),
}

/// All calls of a world.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    calls: Vec<Call>,
    more: usize,
}

impl Calls {
    /// A host dials.
    pub(crate) fn begin(&mut self, from: HostId, ends: Ends, at: Instant) {
        if self.calls.len() == KEPT {
            self.more += 1;
            return;
        }
        self.calls.push(Call { from, ends, to: None, at, outcome: Outcome::Waiting, stop: None, answered: None });
    }

    /// A dial has come to this; what comes of the connection later is another matter.
    pub(crate) fn end(&mut self, from: HostId, ends: Ends, outcome: Result<(), IoKind>, now: Instant) {
        if let Some(call) = self.find(from, ends).filter(|call| call.outcome == Outcome::Waiting) {
            let took = now.since(call.at);
            call.outcome = match outcome {
                Ok(()) => Outcome::Open(took),
                Err(kind) => Outcome::Failed(kind, took),
            };
        }
    }

    /// A host has sent the first segment of a call, or one that was stopped.
    pub(crate) fn sent(&mut self, from: HostId, ends: Ends, to: Option<(HostId, Ends)>, stop: Option<Stop>) {
        if let Some(call) = self.find(from, ends) {
            call.to = to.map(|(to, _)| to).or(call.to);
            call.answered = to.map(|(_, answered)| answered).or(call.answered);
            call.stop = stop.or(call.stop);
        } else if let Some(stop) = stop.filter(|stop| matches!(stop.at, Barrier::Uplink(_)))
            && let Some(call) = self.calls.iter_mut().rev().find(|it| it.to == Some(from) && it.answered == Some(ends))
        {
            // What the other side sends is stopped.
            call.stop = Some(stop);
        }
    }

    fn find(&mut self, from: HostId, ends: Ends) -> Option<&mut Call> {
        self.calls.iter_mut().rev().find(|call| call.from == from && call.ends == ends)
    }
}

impl World {
    /// Who has dialled whom so far, in this order: the first some thousand.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.net.borrow().calls.calls.clone()
    }

    /// How many have dialled since there was no room for more.
    #[must_use]
    pub fn more_calls(&self) -> usize {
        self.net.borrow().calls.more
    }
}
