//! The box between two networks: it translates addresses, filters by rules, and tracks connections.
//!
//! In the words of RFC 4787 and RFC 5382: a *mapping* ties an inner address and port to one outside; *filtering* says who
//! outside may use it; a session that carries nothing for its idle time is forgotten (RFC 5382 REQ-5: not before 2 h 4 min,
//! and 4 min while it opens or closes; what is sold takes less). Forwarding a port is DNAT, [`Translation`] is masquerading.
//!
//! ```text
//!        inside                          outside
//!   10.0.0.20:32768 ──▶ mapping ──▶ 192.0.2.254:32768 ──▶ 192.0.2.1:9101
//!   10.0.0.10:9102  ◀── forward ◀── 192.0.2.254:9102  ◀── anybody
//! ```
//! A gateway owns no clock: the time comes with each segment.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use towline_core::time::Instant;

use crate::tcp::Segment;

/// What a gateway does, as one would write it into its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Its address outside.
    pub outside: IpAddr,
    /// Masquerading; `None`: it routes, and the addresses inside are known outside.
    pub translation: Option<Translation>,
    /// Ports of its outside address that lead inside.
    pub forwards: Vec<Forward>,
    /// The first rule that fits a new connection decides; it sees the addresses inside.
    pub rules: Vec<Rule>,
    /// What becomes of other connections outwards.
    pub outward: Verdict,
    /// What becomes of other connections inwards, and of those that nothing leads inside. Forwarded ports are let in.
    pub inward: Verdict,
    /// How long it remembers sessions.
    pub idle: Idle,
    /// What becomes of a segment of a session it does not remember.
    pub unknown: Unknown,
}

/// Masquerading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translation {
    /// Which connections share an outside port, RFC 4787 §4.1.
    pub mapping: Scope,
    /// Who outside may use it, RFC 4787 §5.
    pub filtering: Scope,
    /// Whether inner hosts reach each other by the outside address, RFC 5382 REQ-8; if not, such segments vanish.
    pub hairpin: bool,
}

impl Default for Translation {
    /// What RFC 5382 asks for, with the stricter filtering that firewalls have, and no hairpin, as many boxes.
    fn default() -> Self {
        Self { mapping: Scope::EndpointIndependent, filtering: Scope::AddressAndPortDependent, hairpin: false }
    }
}

/// How far the other endpoint matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Not at all.
    EndpointIndependent,
    /// By its address.
    AddressDependent,
    /// By its address and port.
    AddressAndPortDependent,
}

impl Scope {
    fn is_same(self, one: SocketAddr, other: SocketAddr) -> bool {
        match self {
            Self::EndpointIndependent => true,
            Self::AddressDependent => one.ip() == other.ip(),
            Self::AddressAndPortDependent => one == other,
        }
    }
}

/// A port that leads inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// The port outside.
    pub port: u16,
    /// Where it leads.
    pub to: SocketAddr,
}

/// A rule of the firewall, for connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// For connections that go this way.
    pub way: Way,
    /// For those to this address.
    pub to: Option<IpAddr>,
    /// For those to this port.
    pub port: Option<u16>,
    /// For those from this address.
    pub from: Option<IpAddr>,
    /// What becomes of them.
    pub verdict: Verdict,
}

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Inwards.
    In,
    /// Outwards.
    Out,
}

/// What becomes of a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It passes, and all that belongs to it in both directions.
    Accept,
    /// It vanishes.
    Drop,
    /// Its dialler is told with a reset.
    Reset,
}

/// How long sessions that carry nothing are remembered, RFC 5382 REQ-5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idle {
    /// Open ones.
    pub established: Duration,
    /// Those that open or close.
    pub transitory: Duration,
}

impl Default for Idle {
    /// The least that RFC 5382 allows.
    fn default() -> Self {
        Self { established: Duration::from_secs(7440), transitory: Duration::from_secs(240) }
    }
}

/// What becomes of a segment of a session that is not remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// It vanishes.
    Drop,
    /// Its sender is told with a reset.
    Reset,
}

impl Gateway {
    /// Masquerades all that is inside and lets nobody in; forgets as RFC 5382 allows, and drops what it does not know.
    #[must_use]
    pub fn masquerading(outside: impl Into<IpAddr>) -> Self {
        Self {
            outside: outside.into(),
            translation: Some(Translation::default()),
            forwards: Vec::new(),
            rules: Vec::new(),
            outward: Verdict::Accept,
            inward: Verdict::Drop,
            idle: Idle::default(),
            unknown: Unknown::Drop,
        }
    }

    /// Translates nothing, lets everything out and nobody in.
    #[must_use]
    pub fn routing(outside: impl Into<IpAddr>) -> Self {
        Self { translation: None, ..Self::masquerading(outside) }
    }

    /// A port of the outside address leads inside.
    #[must_use]
    pub fn forward(mut self, port: u16, to: impl Into<SocketAddr>) -> Self {
        self.forwards.push(Forward { port, to: to.into() });
        self
    }

    /// Inner hosts reach each other by the outside address.
    #[must_use]
    pub const fn hairpin(mut self, hairpin: bool) -> Self {
        if let Some(translation) = &mut self.translation {
            translation.hairpin = hairpin;
        }
        self
    }

    /// Forgets open sessions after this, and what becomes of their segments then.
    #[must_use]
    pub const fn forgets(mut self, established: Duration, unknown: Unknown) -> Self {
        self.idle.established = established;
        self.unknown = unknown;
        self
    }

    /// What becomes of connections inwards and outwards that no rule and no forward is about.
    #[must_use]
    pub const fn policy(mut self, inward: Verdict, outward: Verdict) -> Self {
        self.inward = inward;
        self.outward = outward;
        self
    }

    /// Adds a rule about connections to a port.
    #[must_use]
    pub fn rule(mut self, way: Way, port: u16, verdict: Verdict) -> Self {
        self.rules.push(Rule { way, to: None, port: Some(port), from: None, verdict });
        self
    }

    fn verdict(&self, way: Way, from: SocketAddr, to: SocketAddr, other: Verdict) -> Verdict {
        let fits = |rule: &&Rule| {
            rule.way == way
                && rule.to.is_none_or(|ip| ip == to.ip())
                && rule.port.is_none_or(|port| port == to.port())
                && rule.from.is_none_or(|ip| ip == from.ip())
        };
        self.rules.iter().find(fits).map_or(other, |rule| rule.verdict)
    }
}

/// What a gateway does with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// It goes on, from here to there.
    Pass(SocketAddr, SocketAddr),
    /// It vanishes, because.
    Drop(&'static str),
    /// Its sender gets a reset, because.
    Reset(&'static str),
}

/// As much of a segment as a gateway looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Syn,
    Fin,
    Rst,
    Other,
}

impl Kind {
    pub(crate) const fn of(segment: &Segment) -> Self {
        match segment {
            Segment::Syn { .. } => Self::Syn,
            Segment::Rst => Self::Rst,
            Segment::Data(data) if data.fin => Self::Fin,
            Segment::SynAck { .. } | Segment::Data(_) => Self::Other,
        }
    }
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// One side has spoken.
    Opening(Way),
    Established,
    Closing,
}

/// A connection that is remembered.
#[derive(Clone, Copy, Debug)]
struct Session {
    /// The inner endpoint as it is known outside.
    outer: SocketAddr,
    state: State,
    last: Instant,
}

/// A gateway at work.
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
    pub(crate) fn outward(&mut self, from: SocketAddr, to: SocketAddr, kind: Kind, now: Instant) -> Passage {
        if self.plan.translation.is_some_and(|nat| !nat.hairpin) && to.ip() == self.plan.outside {
            return Passage::Drop("no hairpin");
        }
        self.expire(now);
        if let Some(session) = self.sessions.get_mut(&(from, to)) {
            session.heard(Way::Out, kind, now);
            return Passage::Pass(session.outer, to);
        }
        if kind != Kind::Syn {
            return self.unknown(kind);
        }
        match self.plan.verdict(Way::Out, from, to, self.plan.outward) {
            Verdict::Accept => {}
            Verdict::Drop => return Passage::Drop("not let out"),
            Verdict::Reset => return Passage::Reset("not let out"),
        }
        let outer = match self.plan.translation {
            None => Some(from),
            Some(nat) => self.shared_port(nat.mapping, from, to).or_else(|| self.free_port(from.port())),
        };
        let Some(outer) = outer else { return Passage::Drop("no port left") };
        self.remember(from, to, outer, Way::Out, now);
        Passage::Pass(outer, to)
    }

    /// A segment from outside.
    pub(crate) fn inward(&mut self, from: SocketAddr, to: SocketAddr, kind: Kind, now: Instant) -> Passage {
        self.expire(now);
        if let Some(&inner) = self.by_outer.get(&(to, from))
            && let Some(session) = self.sessions.get_mut(&(inner, from))
        {
            session.heard(Way::In, kind, now);
            return Passage::Pass(from, inner);
        }
        if kind != Kind::Syn {
            return self.unknown(kind);
        }
        let forward = self.plan.forwards.iter().find(|forward| {
            forward.port == to.port() && to.ip() == self.plan.outside && self.plan.translation.is_some()
        });
        let (inner, other) = match (forward, self.plan.translation) {
            (Some(forward), _) => (forward.to, Verdict::Accept),
            (None, None) if to.ip() != self.plan.outside => (to, self.plan.inward),
            (None, nat) => match nat.and_then(|nat| self.mapped(nat.filtering, from, to)) {
                Some(inner) => (inner, Verdict::Accept),
                // Nothing listens on the gateway itself.
                None if self.plan.inward == Verdict::Drop => return Passage::Drop("leads nowhere"),
                None => return Passage::Reset("leads nowhere"),
            },
        };
        match self.plan.verdict(Way::In, from, inner, other) {
            Verdict::Accept => {}
            Verdict::Drop => return Passage::Drop("not let in"),
            Verdict::Reset => return Passage::Reset("not let in"),
        }
        self.remember(inner, from, to, Way::In, now);
        Passage::Pass(from, inner)
    }

    const fn unknown(&self, kind: Kind) -> Passage {
        match (self.plan.unknown, kind) {
            (Unknown::Reset, Kind::Syn | Kind::Fin | Kind::Other) => Passage::Reset("no such session"),
            // A reset is never answered by one, RFC 9293 §3.10.7.1.
            _ => Passage::Drop("no such session"),
        }
    }

    fn remember(&mut self, inner: SocketAddr, remote: SocketAddr, outer: SocketAddr, by: Way, now: Instant) {
        self.sessions.insert((inner, remote), Session { outer, state: State::Opening(by), last: now });
        self.by_outer.insert((outer, remote), inner);
    }

    fn expire(&mut self, now: Instant) {
        let (idle, by_outer) = (self.plan.idle, &mut self.by_outer);
        self.sessions.retain(|&(_, remote), session| {
            let limit = if session.state == State::Established { idle.established } else { idle.transitory };
            let stays = now.since(session.last) < limit;
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

    /// The same port, RFC 4787 §4.2.1, or the next one that nobody has.
    fn free_port(&self, wanted: u16) -> Option<SocketAddr> {
        let is_free = |port: &u16| {
            !self.sessions.values().any(|session| session.outer.port() == *port)
                && !self.plan.forwards.iter().any(|forward| forward.port == *port)
        };
        let port = (wanted..=u16::MAX).chain(1024..wanted).find(is_free)?;
        Some(SocketAddr::new(self.plan.outside, port))
    }

    /// The inner endpoint that a stranger reaches by a mapping.
    fn mapped(&self, filtering: Scope, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        let mut meant = self.sessions.iter().filter(|(_, session)| session.outer == to);
        meant.find(|((_, remote), _)| filtering.is_same(*remote, from)).map(|((inner, _), _)| *inner)
    }
}

impl Session {
    fn heard(&mut self, way: Way, kind: Kind, now: Instant) {
        self.last = now;
        self.state = match (self.state, kind) {
            (_, Kind::Fin | Kind::Rst) | (State::Closing, Kind::Other) => State::Closing,
            // Two ends that begin anew from the same ports.
            (State::Established | State::Closing, Kind::Syn) => State::Opening(way),
            (State::Opening(by), _) if by == way => State::Opening(by),
            _ => State::Established,
        };
    }
}

#[cfg(test)]
mod tests;
