//! A gateway at work: which session a segment belongs to, whether it may begin one, and what it is translated to.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use towline_core::time::Instant;

use super::session::{Kind, Seen, Session};
use super::{Gateway, Scope, Unknown, Verdict, Way};

/// What a gateway does with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// It goes on, from here to there.
    Pass(SocketAddr, SocketAddr),
    /// It vanishes, because.
    Drop(&'static str),
    /// Its sender gets a reset, because.
    Reset(&'static str),
    /// Its sender is told by ICMP that a firewall forbids it, because.
    Prohibit(&'static str),
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Tracker {
    pub(crate) plan: Gateway,
    /// By the inner endpoint and the one outside.
    sessions: BTreeMap<(SocketAddr, SocketAddr), Session>,
    /// By the inner endpoint as it is known outside and the one outside: the inner endpoint.
    by_outer: BTreeMap<(SocketAddr, SocketAddr), SocketAddr>,
}

impl Tracker {
    pub(crate) const fn new(plan: Gateway) -> Self {
        Self { plan, sessions: BTreeMap::new(), by_outer: BTreeMap::new() }
    }

    /// It loses its power: all sessions are forgotten.
    pub(crate) fn forget(&mut self) {
        self.sessions.clear();
        self.by_outer.clear();
    }

    /// Sessions that it remembers.
    pub(crate) fn remembered(&mut self, now: Instant) -> usize {
        self.expire(now);
        self.sessions.len()
    }

    /// A segment from inside.
    pub(crate) fn outward(&mut self, from: SocketAddr, to: SocketAddr, seen: Seen, now: Instant) -> Passage {
        if self.plan.translation.is_some_and(|nat| !nat.hairpin) && to.ip() == self.plan.outside {
            return Passage::Drop("no hairpin");
        }
        self.expire(now);
        if let Some(session) = self.sessions.get_mut(&(from, to)) {
            session.heard(Way::Out, seen, now);
            return Passage::Pass(session.outer, to);
        }
        if let Some(why) = self.begins_none(seen.kind) {
            return refused(self.plan.unknown, seen.kind, why);
        }
        match self.plan.verdict(Way::Out, from, to, self.plan.outward) {
            Verdict::Accept => {}
            Verdict::Drop => return Passage::Drop("not let out"),
            Verdict::Reset => return Passage::Reset("not let out"),
            Verdict::Prohibit => return Passage::Prohibit("not let out"),
        }
        let outer = match self.plan.translation {
            None => Some(from),
            Some(nat) => self.shared_port(nat.mapping, from, to).or_else(|| self.free_port(from, to)),
        };
        let Some(outer) = outer else { return Passage::Drop("no port left") };
        self.remember(from, to, Session::new(outer, Way::Out, seen, now));
        Passage::Pass(outer, to)
    }

    /// A segment from outside.
    pub(crate) fn inward(&mut self, from: SocketAddr, to: SocketAddr, seen: Seen, now: Instant) -> Passage {
        self.expire(now);
        if let Some(&inner) = self.by_outer.get(&(to, from))
            && let Some(session) = self.sessions.get_mut(&(inner, from))
        {
            session.heard(Way::In, seen, now);
            return Passage::Pass(from, inner);
        }
        if let Some(why) = self.begins_none(seen.kind) {
            let is_own = to.ip() == self.plan.outside;
            return refused(if is_own { self.plan.unknown_own } else { self.plan.unknown }, seen.kind, why);
        }
        let forward = self.plan.forwards.iter().find(|forward| {
            forward.port == to.port() && to.ip() == self.plan.outside && self.plan.translation.is_some()
        });
        let (inner, other) = match (forward, self.plan.translation) {
            (Some(forward), _) => (forward.to, Verdict::Accept),
            (None, None) if to.ip() != self.plan.outside => (to, self.plan.inward),
            (None, nat) => match nat.and_then(|nat| self.mapped(nat.filtering, from, to)) {
                Some(inner) => (inner, Verdict::Accept),
                // It is for the gateway itself, which has no part in it.
                None if seen.kind != Kind::Syn => {
                    return refused(self.plan.unknown_own, seen.kind, "leads nowhere");
                }
                None if self.plan.inward == Verdict::Drop => return Passage::Drop("leads nowhere"),
                None => return Passage::Reset("leads nowhere"),
            },
        };
        match self.plan.verdict(Way::In, from, inner, other) {
            Verdict::Accept => {}
            Verdict::Drop => return Passage::Drop("not let in"),
            Verdict::Reset => return Passage::Reset("not let in"),
            Verdict::Prohibit => return Passage::Prohibit("not let in"),
        }
        self.remember(inner, from, Session::new(to, Way::In, seen, now));
        Passage::Pass(from, inner)
    }

    /// Why a segment cannot be the first of a session, if it cannot.
    const fn begins_none(&self, kind: Kind) -> Option<&'static str> {
        match kind {
            Kind::Syn => None,
            // Linux takes up by an acknowledgement only (`tcp_conntracks`, row `sNONE`).
            Kind::Ack if self.plan.loose && self.plan.only_syn => Some("new without a SYN"),
            Kind::Ack if self.plan.loose => None,
            Kind::SynAck | Kind::Ack | Kind::Fin | Kind::Rst => Some("no such session"),
        }
    }

    fn remember(&mut self, inner: SocketAddr, remote: SocketAddr, session: Session) {
        self.by_outer.insert((session.outer, remote), inner);
        self.sessions.insert((inner, remote), session);
    }

    fn expire(&mut self, now: Instant) {
        let (idle, by_outer) = (self.plan.idle, &mut self.by_outer);
        self.sessions.retain(|&(_, remote), session| {
            let stays = !session.is_over(&idle, now);
            if !stays {
                by_outer.remove(&(session.outer, remote));
            }
            stays
        });
    }

    /// The outside port that this inner endpoint has already for such a remote one.
    fn shared_port(&self, mapping: Scope, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        let mut own = self.sessions.iter().filter(|((inner, _), _)| *inner == from);
        // What came in by a forward has the forward's port.
        let is_forward = |outer: SocketAddr| self.plan.forwards.iter().any(|forward| forward.port == outer.port());
        own.find(|((_, remote), session)| mapping.is_same(*remote, to) && !is_forward(session.outer))
            .map(|(_, session)| session.outer)
    }

    /// The same port, RFC 4787 §4.2.1, or the next one that nobody has. The port of a forward is kept for what it leads to.
    fn free_port(&self, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        let own = |port: u16| self.plan.forwards.iter().any(|forward| forward.port == port && forward.to == from);
        if own(from.port()) && !self.by_outer.contains_key(&(self.at_port(from.port()), to)) {
            return Some(self.at_port(from.port()));
        }
        let is_free = |port: &u16| {
            !self.sessions.values().any(|session| session.outer.port() == *port)
                && !self.plan.forwards.iter().any(|forward| forward.port == *port)
        };
        let port = (from.port()..=u16::MAX).chain(1024..from.port()).find(is_free)?;
        Some(self.at_port(port))
    }

    const fn at_port(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.plan.outside, port)
    }

    /// The inner endpoint that a stranger reaches by a mapping.
    fn mapped(&self, filtering: Scope, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        let mut meant = self.sessions.iter().filter(|(_, session)| session.outer == to);
        meant.find(|((_, remote), _)| filtering.is_same(*remote, from)).map(|((inner, _), _)| *inner)
    }
}

/// A reset is never answered by one, RFC 9293 §3.10.7.1.
const fn refused(unknown: Unknown, kind: Kind, why: &'static str) -> Passage {
    match (unknown, kind) {
        (Unknown::Drop, _) | (_, Kind::Rst) => Passage::Drop(why),
        (Unknown::Reset, _) => Passage::Reset(why),
    }
}
