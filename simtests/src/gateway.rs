//! The box between two networks: it translates addresses, filters by rules, and tracks connections.
//!
//! In the words of RFC 4787 and RFC 5382: a *mapping* ties an inner address and port to one outside; *filtering* says who
//! outside may use it; a session that carries nothing for its idle time is forgotten (RFC 5382 REQ-5: not before 2 h 4 min,
//! and 4 min while it opens or closes; what is sold takes less, Linux more). Forwarding a port is DNAT, [`Translation`] is masquerading.
//!
//! ```text
//!        inside                          outside
//!   10.0.0.20:32768 ──▶ mapping ──▶ 192.0.2.254:32768 ──▶ 192.0.2.1:9101
//!   10.0.0.10:9102  ◀── forward ◀── 192.0.2.254:9102  ◀── anybody
//! ```
//! A gateway owns no clock: the time comes with each segment. A host's own [`Firewall`] is one that leads to that host.

mod firewall;
mod session;
mod tracker;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::range::{Ports, Prefix};

pub use firewall::Firewall;
pub(crate) use session::Seen;
pub(crate) use tracker::{Passage, Tracker};

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
    /// Whether it takes up a connection whose beginning it did not see, as Linux does by default
    /// (`nf_conntrack_tcp_loose`): rules and translation then see its next segment as they see a SYN.
    pub loose: bool,
    /// Whether a rule drops what begins a session without being a SYN (`tcp flags != syn ct state new drop`).
    pub only_syn: bool,
    /// What becomes of a segment that would go through, of a session it does not remember and does not take up.
    pub unknown: Unknown,
    /// The same for one to its own address outside: its own firewall says what becomes of that.
    pub unknown_own: Unknown,
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
    pub(crate) fn is_same(self, one: SocketAddr, other: SocketAddr) -> bool {
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
    /// For those to these addresses.
    pub to: Option<Prefix>,
    /// For those to these ports.
    pub ports: Option<Ports>,
    /// For those from these addresses.
    pub from: Option<Prefix>,
    /// What becomes of them.
    pub verdict: Verdict,
}

impl Rule {
    /// About all connections of a direction.
    #[must_use]
    pub const fn new(way: Way, verdict: Verdict) -> Self {
        Self { way, to: None, ports: None, from: None, verdict }
    }

    /// About those to these addresses alone.
    #[must_use]
    pub fn to(mut self, to: impl Into<Prefix>) -> Self {
        self.to = Some(to.into());
        self
    }

    /// About those to these ports alone.
    #[must_use]
    pub fn ports(mut self, ports: impl Into<Ports>) -> Self {
        self.ports = Some(ports.into());
        self
    }

    /// About those from these addresses alone.
    #[must_use]
    pub fn from(mut self, from: impl Into<Prefix>) -> Self {
        self.from = Some(from.into());
        self
    }

    fn fits(&self, way: Way, from: SocketAddr, to: SocketAddr) -> bool {
        self.way == way
            && self.to.is_none_or(|prefix| prefix.holds(to.ip()))
            && self.ports.is_none_or(|ports| ports.holds(to.port()))
            && self.from.is_none_or(|prefix| prefix.holds(from.ip()))
    }
}

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Inwards.
    In,
    /// Outwards.
    Out,
}

impl Way {
    const fn back(self) -> Self {
        match self {
            Self::In => Self::Out,
            Self::Out => Self::In,
        }
    }
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
    /// Its dialler is told by ICMP that a firewall forbids it.
    Prohibit,
}

/// How long sessions that carry nothing are remembered, by how far they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idle {
    /// Only the dialler has spoken.
    pub dialled: Duration,
    /// A SYN was answered, and no more.
    pub answered: Duration,
    /// Open ones.
    pub established: Duration,
    /// Data of an open one is under way, unacknowledged. The shorter of the two counts.
    pub unacknowledged: Duration,
    /// One side has ended its stream, which is not acknowledged.
    pub fin: Duration,
    /// One side has ended its stream, and the other one knows.
    pub half_closed: Duration,
    /// Both have, and the last end is not acknowledged.
    pub last_ack: Duration,
    /// Both sides have ended.
    pub closed: Duration,
    /// After a reset.
    pub reset: Duration,
}

impl Idle {
    /// As RFC 5382 REQ-5 speaks of it: one time for open sessions, one for those that open or close.
    #[must_use]
    pub const fn of(established: Duration, transitory: Duration) -> Self {
        Self {
            dialled: transitory,
            answered: transitory,
            established,
            unacknowledged: established,
            fin: transitory,
            half_closed: transitory,
            last_ack: transitory,
            closed: transitory,
            reset: transitory,
        }
    }

    /// What Linux remembers by default (`net.netfilter.nf_conntrack_tcp_timeout_*`), and so each box made of it.
    pub const LINUX: Self = Self {
        dialled: Duration::from_secs(120),
        answered: Duration::from_secs(60),
        established: Duration::from_secs(432_000),
        unacknowledged: Duration::from_secs(300),
        fin: Duration::from_secs(120),
        half_closed: Duration::from_secs(60),
        last_ack: Duration::from_secs(30),
        closed: Duration::from_secs(120),
        reset: Duration::from_secs(10),
    };
}

impl Default for Idle {
    /// The least that RFC 5382 REQ-5 allows.
    fn default() -> Self {
        Self::of(Duration::from_secs(7440), Duration::from_secs(240))
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
            loose: false,
            only_syn: false,
            unknown: Unknown::Drop,
            unknown_own: Unknown::Drop,
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

    /// Forgets open sessions after this, and what becomes of their segments then, whoever sends them.
    #[must_use]
    pub const fn forgets(mut self, established: Duration, unknown: Unknown) -> Self {
        self.idle.established = established;
        self.idle.unacknowledged = established;
        self.unknown = unknown;
        self.unknown_own = unknown;
        self
    }

    /// Tracks connections as Linux does: with its idle times, and with or without taking up what it has forgotten. `own`
    /// is what its own firewall does with what is for the gateway itself: let in, and so answered by a reset, or dropped.
    #[must_use]
    pub const fn as_linux(mut self, loose: bool, own: Unknown) -> Self {
        self.idle = Idle::LINUX;
        self.loose = loose;
        self.unknown = Unknown::Drop;
        self.unknown_own = own;
        self
    }

    /// What becomes of a segment to its own address, of a session it does not remember.
    #[must_use]
    pub const fn unknown_own(mut self, unknown: Unknown) -> Self {
        self.unknown_own = unknown;
        self
    }

    /// What becomes of connections inwards and outwards that no rule and no forward is about.
    #[must_use]
    pub const fn policy(mut self, inward: Verdict, outward: Verdict) -> Self {
        self.inward = inward;
        self.outward = outward;
        self
    }

    /// Adds a rule about connections to ports.
    #[must_use]
    pub fn rule(self, way: Way, ports: impl Into<Ports>, verdict: Verdict) -> Self {
        self.with_rule(Rule::new(way, verdict).ports(ports))
    }

    /// Adds a rule.
    #[must_use]
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    pub(crate) fn verdict(&self, way: Way, from: SocketAddr, to: SocketAddr, other: Verdict) -> Verdict {
        self.rules.iter().find(|rule| rule.fits(way, from, to)).map_or(other, |rule| rule.verdict)
    }
}

#[cfg(test)]
mod tests;
