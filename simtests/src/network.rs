//! The networks: a tree. The open one is the root; each other one has a gateway to the one around it, so that translation
//! nests and two networks may use the same addresses.
//!
//! ```text
//!                     open: 192.0.2.0/24
//!            ┌───────────────┴──────────────┐
//!        gateway 192.0.2.254            gateway 192.0.2.253
//!        10.0.0.0/24                    10.0.0.0/24, another one
//! ```
//! Hosts may have several interfaces, and a firewall of their own. A segment's way is found when it is sent, with what it passes:
//! firewalls, the [edges](crate::edge) of the tree, gateways. A link that is cut between two hosts lies behind all of them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use towline_core::socket::{Ends, IoKind};
use towline_core::time::Instant;

use crate::calls::{Barrier, Stop};
use crate::edge::{Edge, Edges};
use crate::gateway::{Firewall, Gateway, Passage, Seen, Tracker, Way};
use crate::host::HostId;
use crate::link::Pass;
use crate::place::{Interface, Place};
use crate::range::Prefix;
use crate::world::World;

/// Names a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetworkId(usize);

impl NetworkId {
    /// The one that has no gateway.
    pub const OPEN: Self = Self(0);
}

/// What becomes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It comes to this host, with these ends as the host sees them.
    Comes { to: HostId, ends: Ends },
    /// It vanishes, because.
    Lost(&'static str),
    /// A gateway answers with a reset, because.
    Reset(&'static str),
    /// Its sender is told after a while that it does not arrive, because.
    Unreachable(IoKind, Duration, &'static str),
    /// Its sender is told that no segment of more bytes gets through.
    TooLarge(usize),
}

/// How long Linux asks for the owner of an address on a link before it says that there is none (`mcast_solicit` times
/// `retrans_time_ms`, and a little).
const NEIGHBOUR: Duration = Duration::from_millis(3_070);

/// Why an edge stops what its MTU does not let through, where nobody is told.
pub const TOO_LARGE: &str = "too large, and nobody is told";

/// All networks.
#[derive(Debug)]
pub(crate) struct Networks {
    /// What connects them, and the hosts with them.
    pub(crate) edges: Edges,
    /// The first inner one has the number 1.
    inner: Vec<Inner>,
    /// What the open network consists of; empty: of everything.
    open: Vec<Prefix>,
    /// The hosts' own firewalls.
    firewalls: BTreeMap<HostId, Tracker>,
    /// What stopped the last segment.
    pub(crate) stopped: Option<Stop>,
}

#[derive(Debug)]
struct Inner {
    around: NetworkId,
    tracker: Tracker,
    is_cut: bool,
}

impl Networks {
    /// The open one.
    pub(crate) fn new(seed: u64) -> Self {
        let edges = Edges::new(seed);
        Self { edges, inner: Vec::new(), open: Vec::new(), firewalls: BTreeMap::new(), stopped: None }
    }

    pub(crate) fn add(&mut self, around: NetworkId, gateway: Gateway) -> NetworkId {
        self.inner.push(Inner { around, tracker: Tracker::new(gateway), is_cut: false });
        NetworkId(self.inner.len())
    }

    pub(crate) fn heal(&mut self) {
        self.inner.iter_mut().for_each(|inner| inner.is_cut = false);
    }

    /// Where a segment goes that a host sends now.
    pub(crate) fn route(&mut self, places: &[Place], from: HostId, ends: Ends, seen: Seen, now: Instant) -> Fate {
        let Some(place) = places.get(from.0) else { return Fate::Lost("from nowhere") };
        let (source, target) = (ends.local, ends.peer);
        if !place.has(source.ip()) {
            // Ingress filtering, RFC 2827.
            return Fate::Lost("from an address of old");
        }
        if place.has(target.ip()) {
            // A firewall lets what a host says to itself pass.
            return Fate::Comes { to: from, ends: Ends { local: target, peer: source } };
        }
        let home = home(places, from);
        let passage = self.firewalls.get_mut(&home).map(|wall| wall.outward(source, target, seen, now));
        self.note_stop(passage, Barrier::Firewall(home), Way::Out);
        if let Some(fate) = passage.and_then(|passage| stopped(passage, IoKind::Denied)) {
            return fate;
        }
        let Some(exit) = self.exit(places, place, target.ip()) else {
            return Fate::Unreachable(IoKind::NoRoute, Duration::ZERO, "no address of this family");
        };
        if let Some(fate) = self.cross(Edge::Host(home), Way::Out) {
            return fate;
        }
        let fate = self.travel(places, exit.network, ends, seen, now);
        let Fate::Comes { to, ends } = fate else { return fate };
        if !self.edges.is_clear()
            && let Some(fate) = self.cross(Edge::Host(self::home(places, to)), Way::In)
        {
            return fate;
        }
        let passage = self.firewalls.get_mut(&to).map(|wall| wall.inward(ends.peer, ends.local, seen, now));
        self.note_stop(passage, Barrier::Firewall(to), Way::In);
        passage.and_then(|passage| stopped(passage, IoKind::Prohibited)).unwrap_or(fate)
    }

    /// The interface that a host sends by what goes to an address: the one on whose network that is, or the first one of
    /// its family. A host's answers take this way too, wherever the question came from.
    pub(crate) fn exit(&self, places: &[Place], place: &Place, target: IpAddr) -> Option<Interface> {
        let own = || place.interfaces.iter().filter(|interface| interface.address.is_ipv4() == target.is_ipv4());
        let is_near = |interface: &&Interface| {
            let network = interface.network;
            places.iter().any(|other| other.is_at(network, target))
                || self.inside_of(places, network, target).is_some()
                || network == NetworkId::OPEN && self.open.iter().any(|prefix| prefix.holds(target))
        };
        let first = own().next()?;
        if own().count() == 1 {
            return Some(*first);
        }
        Some(*own().find(is_near).unwrap_or(first))
    }

    /// From a network on through gateways.
    fn travel(&mut self, places: &[Place], began: NetworkId, ends: Ends, seen: Seen, now: Instant) -> Fate {
        let (mut source, mut target) = (ends.local, ends.peer);
        let (mut at, mut goes_out) = (began, true);
        // The network whose gateway sends back what is for itself.
        let mut turned = None;
        loop {
            if let Some(to) = places.iter().position(|place| place.is_at(at, target.ip())) {
                return match places.get(to).is_some_and(|place| place.is_on) {
                    true => Fate::Comes { to: HostId(to), ends: Ends { local: target, peer: source } },
                    false => nobody(at == began && goes_out),
                };
            }
            let (mut through, mut way) = (at, Way::Out);
            let passage = if let Some(inner) = self.inside_of(places, at, target.ip()) {
                (at, goes_out) = (inner, false);
                (through, way) = (inner, Way::In);
                if turned != Some(inner)
                    && let Some(fate) = self.cross(Edge::Network(inner), Way::In)
                {
                    return fate;
                }
                self.pass(inner, |tracker| tracker.inward(source, target, seen, now))
            } else if goes_out && at != NetworkId::OPEN {
                let passage = self.pass(at, |tracker| tracker.outward(source, target, seen, now));
                at = self.inner.get(at.0 - 1).map_or(NetworkId::OPEN, |inner| inner.around);
                passage
            } else if at == NetworkId::OPEN && !self.is_open(target.ip()) {
                let kind = if began == at { IoKind::NoRoute } else { IoKind::Unreachable };
                return Fate::Unreachable(kind, Duration::ZERO, "no route");
            } else {
                return nobody(at == began && goes_out);
            };
            self.note_stop(Some(passage), Barrier::Gateway(through), way);
            match passage {
                Passage::Pass(from, to) => (source, target) = (from, to),
                other => return stopped(other, IoKind::Prohibited).unwrap_or(Fate::Lost("nowhere")),
            }
            if way == Way::Out {
                if self.get(through).is_some_and(|inner| inner.tracker.plan.outside == target.ip()) {
                    turned = Some(through);
                } else if let Some(fate) = self.cross(Edge::Network(through), Way::Out) {
                    return fate;
                }
            }
        }
    }

    /// Whether the open network has such an address.
    fn is_open(&self, address: IpAddr) -> bool {
        self.open.is_empty() || self.open.iter().any(|prefix| prefix.holds(address))
    }

    /// The network behind a gateway in `around` that an address leads to: the gateway's own, or one it routes.
    fn inside_of(&self, places: &[Place], around: NetworkId, address: IpAddr) -> Option<NetworkId> {
        let leads = |(n, inner): &(usize, &Inner)| {
            let routes = inner.tracker.plan.translation.is_none();
            let is_there = |place: &Place| place.is_at(NetworkId(n + 1), address);
            inner.around == around && (inner.tracker.plan.outside == address || routes && places.iter().any(is_there))
        };
        self.inner.iter().enumerate().find(leads).map(|(n, _)| NetworkId(n + 1))
    }

    /// A segment comes to an edge: what becomes of it if it does not pass.
    fn cross(&mut self, edge: Edge, way: Way) -> Option<Fate> {
        let why = match self.edges.pass(edge, way) {
            Pass::Through => return None,
            Pass::TooLarge(Some(largest)) => return Some(Fate::TooLarge(largest)),
            // By chance: that is no place where it stops.
            Pass::Lost => return Some(Fate::Lost("lost")),
            Pass::Cut => "cut",
            Pass::TooLarge(None) => TOO_LARGE,
        };
        self.stopped = Some(Stop { at: Barrier::Uplink(edge), way, why });
        Some(Fate::Lost(why))
    }

    fn note_stop(&mut self, passage: Option<Passage>, at: Barrier, way: Way) {
        if let Some(Passage::Drop(why) | Passage::Reset(why) | Passage::Prohibit(why)) = passage {
            self.stopped = Some(Stop { at, way, why });
        }
    }

    fn pass(&mut self, network: NetworkId, act: impl FnOnce(&mut Tracker) -> Passage) -> Passage {
        match self.get(network) {
            Some(inner) if inner.is_cut => Passage::Drop("cut"),
            Some(inner) => act(&mut inner.tracker),
            None => Passage::Drop("no gateway"),
        }
    }

    fn get(&mut self, network: NetworkId) -> Option<&mut Inner> {
        self.inner.get_mut(network.0.checked_sub(1)?)
    }
}

/// The first of the places that share a host: the firewall is its, and the uplink.
pub(crate) fn home(places: &[Place], host: HostId) -> HostId {
    let place = places.get(host.0);
    let first = place.and_then(|place| places.iter().position(|other| other.shares_host_of(place)));
    first.map_or(host, HostId)
}

/// What becomes of a segment that does not pass; who is told by ICMP that it is forbidden hears this.
const fn stopped(passage: Passage, forbidden: IoKind) -> Option<Fate> {
    match passage {
        Passage::Pass(..) => None,
        Passage::Drop(why) => Some(Fate::Lost(why)),
        Passage::Reset(why) => Some(Fate::Reset(why)),
        Passage::Prohibit(why) => Some(Fate::Unreachable(forbidden, Duration::ZERO, why)),
    }
}

/// No host has the address, or it is off: who asks on the link hears nothing, and whoever sent the segment is told then.
const fn nobody(on_own_link: bool) -> Fate {
    let kind = if on_own_link { IoKind::NoNeighbour } else { IoKind::Unreachable };
    Fate::Unreachable(kind, NEIGHBOUR, "to nobody")
}

impl World {
    /// The open network consists of these addresses, and has no way to others.
    pub fn set_open_prefixes(&mut self, prefixes: Vec<Prefix>) {
        self.net.borrow_mut().networks.open = prefixes;
    }

    /// A network behind a gateway in the network `around`.
    pub fn add_network(&mut self, around: NetworkId, gateway: Gateway) -> NetworkId {
        self.net.borrow_mut().networks.add(around, gateway)
    }

    /// A host in a network; its name resolves to its address for everybody, whether they reach that or not.
    pub fn add_host_in(&mut self, network: NetworkId, name: &str, address: IpAddr) -> HostId {
        let host = self.add_host(name, address);
        self.roam(host, network, address);
        host
    }

    /// One more daemon's place on the host of another, with the addresses of that. Ports are shared out: each is found by
    /// what it listens on and what it has dialled.
    pub fn add_resident(&mut self, with: HostId, name: &str) -> HostId {
        let interfaces = self.net.borrow().places.get(with.0).map(|place| place.interfaces.clone()).unwrap_or_default();
        let address = interfaces.first().map_or_else(|| std::net::Ipv4Addr::UNSPECIFIED.into(), |first| first.address);
        let host = self.add_host(name, address);
        let mut net = self.net.borrow_mut();
        if let Some(place) = net.places.get_mut(host.0) {
            place.interfaces = interfaces;
        }
        net.share_ports(host);
        host
    }

    /// The places of all daemons on the host of one of them.
    #[must_use]
    pub fn residents(&self, with: HostId) -> Vec<HostId> {
        let net = self.net.borrow();
        let Some(place) = net.places.get(with.0) else { return Vec::new() };
        let places = net.places.iter().enumerate();
        places.filter(|(_, other)| other.shares_host_of(place)).map(|(n, _)| HostId(n)).collect()
    }

    /// One more interface of a host, with its address; one more address where it has an interface in that network.
    pub fn add_interface(&mut self, host: HostId, network: NetworkId, address: IpAddr) {
        if let Some(place) = self.net.borrow_mut().places.get_mut(host.0) {
            place.interfaces.push(Interface { network, address });
        }
    }

    /// A host has this firewall from now on, which has seen no connection yet.
    pub fn set_firewall(&mut self, host: HostId, firewall: Firewall) {
        self.note("firewall", &format!("of {host:?} is new"));
        let mut net = self.net.borrow_mut();
        let home = home(&net.places, host);
        net.networks.firewalls.insert(home, Tracker::new(firewall.into()));
    }

    /// A host's firewall begins anew and remembers no session.
    pub fn restart_firewall(&mut self, host: HostId) {
        self.note("firewall", &format!("of {host:?} begins anew"));
        let mut net = self.net.borrow_mut();
        let home = home(&net.places, host);
        if let Some(wall) = net.networks.firewalls.get_mut(&home) {
            wall.forget();
        }
    }

    /// A host is in another network from now on, or has another address: this interface alone. Its sockets stay, and
    /// what they send is lost.
    pub fn roam(&mut self, host: HostId, network: NetworkId, address: IpAddr) {
        self.note("roam", &format!("{host:?} to {network:?}, {address}"));
        if let Some(place) = self.net.borrow_mut().places.get_mut(host.0) {
            place.interfaces = vec![Interface { network, address }];
        }
    }

    /// Changes what a gateway does from now on. What it remembers stays.
    pub fn change_gateway(&mut self, network: NetworkId, change: impl FnOnce(&mut Gateway)) {
        if let Some(inner) = self.net.borrow_mut().networks.get(network) {
            change(&mut inner.tracker.plan);
        }
    }

    /// A gateway begins anew and remembers no session.
    pub fn restart_gateway(&mut self, network: NetworkId) {
        self.note("gateway", &format!("of {network:?} begins anew"));
        if let Some(inner) = self.net.borrow_mut().networks.get(network) {
            inner.tracker.forget();
        }
    }

    /// From now on a gateway lets nothing through, and nobody is told.
    pub fn cut_gateway(&mut self, network: NetworkId) {
        self.note("gateway", &format!("of {network:?} is cut"));
        if let Some(inner) = self.net.borrow_mut().networks.get(network) {
            inner.is_cut = true;
        }
    }

    /// Sessions that a gateway remembers.
    #[must_use]
    pub fn sessions(&self, network: NetworkId) -> usize {
        let mut net = self.net.borrow_mut();
        let now = net.now();
        net.networks.get(network).map_or(0, |inner| inner.tracker.remembered(now))
    }
}
