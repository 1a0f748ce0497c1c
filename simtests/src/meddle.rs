//! What somebody on the way, or a person at the machine, does to a host: resets, and a clock that is set.

use std::net::IpAddr;
use std::time::Duration;

use towline_core::socket::Ends;
use towline_core::time::Wall;

use crate::calls::{Call, Outcome};
use crate::edge::Via;
use crate::host::HostId;
use crate::net::Happening;
use crate::network::NetworkId;
use crate::tcp::Segment;
use crate::world::World;

impl World {
    /// Somebody on the way resets all that is open between two hosts: both ends hear it, or the dialler alone where its
    /// address is translated. How many connections that are.
    pub fn reset_between(&mut self, one: HostId, two: HostId) -> usize {
        self.note("link", &format!("reset between {one:?} and {two:?}"));
        let pair = |call: &Call| (call.from, call.to) == (one, Some(two)) || (call.from, call.to) == (two, Some(one));
        let calls = self.calls();
        let open = calls.iter().filter(|call| matches!(call.outcome, Outcome::Open(_)) && pair(call));
        let mut net = self.net.borrow_mut();
        let mut reset = 0;
        for call in open {
            let back = Ends { local: call.ends.peer, peer: call.ends.local };
            let is_open =
                net.sockets_of(call.from).iter().any(|id| net.end(*id).is_some_and(|end| end.ends() == call.ends));
            reset += usize::from(is_open);
            for (host, ends) in [(Some(call.from), call.ends), (call.to, back)] {
                let Some(host) = host.filter(|_| is_open) else { continue };
                let (way, via) = ((host, host), Via::default());
                let arrive = Happening::Arrive { way, ends, segment: Segment::Rst { to: None }, via };
                net.clock.after(Duration::ZERO, arrive);
            }
        }
        reset
    }

    /// Gateways that were cut let everything through again.
    pub fn mend_gateways(&mut self) {
        self.note("gateway", "all are mended");
        self.net.borrow_mut().networks.heal();
    }

    /// Where a host is: the network of its first interface, and its address there.
    #[must_use]
    pub fn home(&self, host: HostId) -> Option<(NetworkId, IpAddr)> {
        let net = self.net.borrow();
        let first = *net.places.get(host.0)?.interfaces.first()?;
        Some((first.network, first.address))
    }

    /// A host's wall clock is set: from now on it is wrong by so many seconds.
    pub fn set_clock(&mut self, host: HostId, seconds: i64) {
        self.note("clock", &format!("of {host:?} is wrong by {seconds} s"));
        if let Some(place) = self.net.borrow_mut().places.get_mut(host.0) {
            place.wrong_by = seconds;
        }
    }

    /// The wall time by a host's clock.
    #[must_use]
    pub fn wall_of(&self, host: HostId) -> Wall {
        let wrong_by = self.net.borrow().places.get(host.0).map_or(0, |place| place.wrong_by);
        Wall(self.wall().0.saturating_add(wrong_by.saturating_mul(1_000_000)))
    }
}
