//! The networks: a tree. The open one is the root; each other one has a gateway to the one around it, so that translation
//! nests and two networks may use the same addresses.
//!
//! ```text
//!                     open: 192.0.2.0/24
//!            ┌───────────────┴──────────────┐
//!        gateway 192.0.2.254            gateway 192.0.2.253
//!        10.0.0.0/24                    10.0.0.0/24, another one
//! ```
//! A segment's way is found when it is sent; a link that is cut between two hosts lies behind all gateways.

use std::net::IpAddr;
use std::time::Duration;

use towline_core::socket::{Ends, IoKind};
use towline_core::time::Instant;

use crate::calls::Stop;
use crate::gateway::{Gateway, Passage, Seen, Tracker, Way};
use crate::host::HostId;
use crate::net::Place;
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
}

/// How long Linux asks for the owner of an address on a link before it says that there is none (`mcast_solicit` times
/// `retrans_time_ms`, and a little).
const NEIGHBOUR: Duration = Duration::from_millis(3_070);

/// All networks.
#[derive(Debug, Default)]
pub(crate) struct Networks {
    /// The first inner one has the number 1.
    inner: Vec<Inner>,
    /// What the open network consists of; empty: of everything.
    open: Vec<Prefix>,
    /// The gateway that stopped the last segment.
    pub(crate) stopped: Option<Stop>,
}

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// One of its addresses.
    pub address: IpAddr,
    /// How many bits at the beginning all of them share.
    pub bits: u8,
}

impl Prefix {
    /// Whether an address is in it.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                same_head(own.to_bits().into(), other.to_bits().into(), 32, self.bits)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => same_head(own.to_bits(), other.to_bits(), 128, self.bits),
            _ => false,
        }
    }
}

/// Whether two numbers of this width are the same in their first bits.
fn same_head(own: u128, other: u128, width: u32, bits: u8) -> bool {
    let rest = width.saturating_sub(u32::from(bits));
    rest >= 128 || own >> rest == other >> rest
}

#[derive(Debug)]
struct Inner {
    around: NetworkId,
    tracker: Tracker,
    is_cut: bool,
}

impl Networks {
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
        let (mut source, mut target) = (ends.local, ends.peer);
        if target.ip().is_loopback() {
            return Fate::Comes { to: from, ends: Ends { local: target, peer: source } };
        }
        if source.ip() != place.address && !(source.ip().is_loopback() && target.ip() == place.address) {
            // Ingress filtering, RFC 2827.
            return Fate::Lost("from an address of old");
        }
        let (mut at, mut goes_out) = (place.network, true);
        loop {
            let own = |place: &Place| place.network == at && place.address == target.ip();
            if let Some(to) = places.iter().position(own) {
                return match places.get(to).is_some_and(|place| place.is_on) {
                    true => Fate::Comes { to: HostId(to), ends: Ends { local: target, peer: source } },
                    false => nobody(at == place.network && goes_out),
                };
            }
            let (mut through, mut way) = (at, Way::Out);
            let passage = if let Some(inner) = self.inside_of(places, at, target.ip()) {
                (at, goes_out) = (inner, false);
                (through, way) = (inner, Way::In);
                self.pass(inner, |tracker| tracker.inward(source, target, seen, now))
            } else if goes_out && at != NetworkId::OPEN {
                let passage = self.pass(at, |tracker| tracker.outward(source, target, seen, now));
                at = self.inner.get(at.0 - 1).map_or(NetworkId::OPEN, |inner| inner.around);
                passage
            } else if at == NetworkId::OPEN && !self.is_open(target.ip()) {
                let kind = if place.network == at { IoKind::NoRoute } else { IoKind::Unreachable };
                return Fate::Unreachable(kind, Duration::ZERO, "no route");
            } else {
                return nobody(at == place.network && goes_out);
            };
            if let Passage::Drop(why) | Passage::Reset(why) | Passage::Prohibit(why) = passage {
                self.stopped = Some(Stop { network: through, way, why });
            }
            match passage {
                Passage::Pass(from, to) => (source, target) = (from, to),
                Passage::Drop(why) => return Fate::Lost(why),
                Passage::Reset(why) => return Fate::Reset(why),
                Passage::Prohibit(why) => return Fate::Unreachable(IoKind::Prohibited, Duration::ZERO, why),
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
            let is_there = |place: &Place| place.network == NetworkId(n + 1) && place.address == address;
            inner.around == around && (inner.tracker.plan.outside == address || routes && places.iter().any(is_there))
        };
        self.inner.iter().enumerate().find(leads).map(|(n, _)| NetworkId(n + 1))
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

    /// One more daemon's place on the host of another, with the address of that. Ports are shared out: each is found by
    /// what it listens on and what it has dialled.
    pub fn add_resident(&mut self, with: HostId, name: &str) -> HostId {
        let here = self.net.borrow().places.get(with.0).map(|place| (place.network, place.address));
        let (network, address) = here.unwrap_or_else(|| (NetworkId::OPEN, std::net::Ipv4Addr::UNSPECIFIED.into()));
        let host = self.add_host_in(network, name, address);
        self.net.borrow_mut().share_ports(host);
        host
    }

    /// The places of all daemons on the host of one of them.
    #[must_use]
    pub fn residents(&self, with: HostId) -> Vec<HostId> {
        let net = self.net.borrow();
        let Some(place) = net.places.get(with.0) else { return Vec::new() };
        let is_here = |other: &Place| other.network == place.network && other.address == place.address;
        let places = net.places.iter().enumerate();
        places.filter(|(_, other)| is_here(other)).map(|(n, _)| HostId(n)).collect()
    }

    /// A host is in another network from now on, or has another address. Its sockets stay, and what they send is lost.
    pub fn roam(&mut self, host: HostId, network: NetworkId, address: IpAddr) {
        self.note("roam", &format!("{host:?} to {network:?}, {address}"));
        if let Some(place) = self.net.borrow_mut().places.get_mut(host.0) {
            (place.network, place.address) = (network, address);
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
