//! The edges of the network tree: what connects a host with its network, and a network's gateway with the network around it.
//!
//! ```text
//!   host ──uplink── network ──gateway──uplink── network around ── … ── open ── … ──gateway──uplink── network ──uplink── host
//! ```
//! Each edge has two directions, *out* and *in*, each with latency, jitter, rate, loss, an MTU, and a place to cut it. What a
//! segment passes adds up: latencies as a sum, rates as their minimum, losses one after the other. It comes to an uplink after
//! the gateway behind it when it goes out, and before it when it comes in: so a cut has a side. A host's uplink is that of all
//! its interfaces.
//!
//! Edges are clear unless said otherwise, and cost nothing then. An edge that is too narrow answers, or swallows, see
//! [`Link::with_mtu`].

use std::collections::BTreeMap;

use towline_core::time::Instant;

use crate::gateway::Way;
use crate::host::HostId;
use crate::link::{Front, Lane, Link, Pass};
use crate::network::{NetworkId, home};
use crate::rng::Rng;
use crate::world::World;

/// Names an edge by what is at its lower end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// Between a host and its networks.
    Host(HostId),
    /// Between a network's gateway and the network around it.
    Network(NetworkId),
}

/// Both directions of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uplink {
    /// Away from the host, or from the network.
    pub out: Link,
    /// Towards it.
    pub back: Link,
}

impl Default for Uplink {
    /// Nothing in the way.
    fn default() -> Self {
        Self::both(Link::CLEAR)
    }
}

impl Uplink {
    /// The same in both directions.
    #[must_use]
    pub const fn both(link: Link) -> Self {
        Self { out: link, back: link }
    }
}

/// Names what a segment has passed; the first one is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Via(u32);

/// All edges that are not clear.
#[derive(Debug)]
pub(crate) struct Edges {
    lanes: BTreeMap<(Edge, Way), Span>,
    /// Of its own, so that an edge changes nothing that does not pass it.
    rng: Rng,
    /// Of the segment that is being routed: its bytes, where it is when, and what it has passed.
    bytes: usize,
    front: Front,
    passed: Vec<(Edge, Way)>,
    /// What segments have passed so far, each way once.
    ways: Vec<Vec<(Edge, Way)>>,
}

#[derive(Debug)]
struct Span {
    lane: Lane,
    /// What it is when it is well.
    usual: Link,
}

impl Edges {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            lanes: BTreeMap::new(),
            rng: Rng::new(seed ^ 0x00ed_6e50),
            bytes: 0,
            front: Front::default(),
            passed: Vec::new(),
            ways: Vec::new(),
        }
    }

    /// Whether all edges are clear.
    pub(crate) fn is_clear(&self) -> bool {
        self.lanes.is_empty()
    }

    /// A segment of so many bytes sets out.
    pub(crate) fn set_out(&mut self, bytes: usize, now: Instant) {
        (self.bytes, self.front) = (bytes, Front::at(now));
        self.passed.clear();
    }

    /// It comes to an edge.
    pub(crate) fn pass(&mut self, edge: Edge, way: Way) -> Pass {
        if self.lanes.is_empty() {
            return Pass::Through;
        }
        self.passed.push((edge, way));
        let Some(span) = self.lanes.get_mut(&(edge, way)) else { return Pass::Through };
        span.lane.pass(self.bytes, &mut self.front, &mut self.rng)
    }

    /// When the segment is where it is.
    pub(crate) const fn front(&self) -> Front {
        self.front
    }

    /// A name for what it has passed.
    pub(crate) fn via(&mut self) -> Via {
        if self.passed.is_empty() {
            return Via::default();
        }
        let known = self.ways.iter().position(|way| *way == self.passed);
        let place = known.unwrap_or_else(|| {
            self.ways.push(self.passed.clone());
            self.ways.len() - 1
        });
        Via(u32::try_from(place + 1).unwrap_or(0))
    }

    /// Whether one of the edges that a segment has passed is cut now.
    pub(crate) fn is_cut(&self, via: Via) -> bool {
        let way = usize::try_from(via.0).ok().and_then(|place| self.ways.get(place.checked_sub(1)?));
        way.is_some_and(|way| way.iter().any(|at| self.lanes.get(at).is_some_and(|span| span.lane.link.cut)))
    }

    /// All are what they usually are.
    pub(crate) fn heal(&mut self) {
        self.lanes.values_mut().for_each(|span| span.lane.link = span.usual);
    }

    fn span(&mut self, edge: Edge, way: Way) -> &mut Span {
        self.lanes.entry((edge, way)).or_insert_with(|| Span { lane: Lane::new(Link::CLEAR), usual: Link::CLEAR })
    }
}

impl World {
    /// What an edge is from now on, and after each [`heal`](World::heal).
    pub fn set_uplink(&mut self, edge: Edge, uplink: Uplink) {
        self.at_edge(edge, |edges, edge| {
            for (way, link) in [(Way::Out, uplink.out), (Way::In, uplink.back)] {
                let span = edges.span(edge, way);
                (span.usual, span.lane.link) = (link, link);
            }
        });
    }

    /// Changes both directions of an edge until all heals.
    pub fn uplink(&mut self, edge: Edge, change: impl Fn(&mut Link)) {
        [Way::Out, Way::In].into_iter().for_each(|way| self.uplink_way(edge, way, &change));
    }

    /// Changes one direction of an edge until all heals.
    pub fn uplink_way(&mut self, edge: Edge, way: Way, change: impl FnOnce(&mut Link)) {
        self.note("edge", &format!("{edge:?} changes, {way:?}"));
        self.at_edge(edge, |edges, edge| change(&mut edges.span(edge, way).lane.link));
    }

    /// From now on nothing gets over an edge, and nobody is told.
    pub fn cut_uplink(&mut self, edge: Edge) {
        self.uplink(edge, |link| link.cut = true);
    }

    /// An edge is again what it usually is.
    pub fn mend_uplink(&mut self, edge: Edge) {
        self.note("edge", &format!("{edge:?} is mended"));
        self.at_edge(edge, |edges, edge| {
            for way in [Way::Out, Way::In] {
                let span = edges.span(edge, way);
                span.lane.link = span.usual;
            }
        });
    }

    /// All daemons on a host have one uplink: that of the first.
    fn at_edge(&self, edge: Edge, act: impl FnOnce(&mut Edges, Edge)) {
        let mut net = self.net.borrow_mut();
        let edge = match edge {
            Edge::Host(host) => Edge::Host(home(&net.places, host)),
            network @ Edge::Network(_) => network,
        };
        act(&mut net.networks.edges, edge);
    }
}
