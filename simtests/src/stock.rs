//! Stock daemons: ours in their manners. What of them matters to a network is done as they do it (`wire/1 §9.6`, `§9.7`):
//! their hello has no mark, they look for none and answer no heartbeat; the sockets they dial with have keepalive at their
//! heartbeat interval and no user time-out; the sockets they accept have the system's own keepalive, whatever is configured.

use towline_core::socket::{Keepalive, SocketOptions};
use towline_core::wire::hello::Version;

use crate::host::HostId;
use crate::net::NetState;
use crate::world::World;

/// Whose daemon one is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Make {
    /// Ours.
    #[default]
    Towline,
    /// A stock one of a release.
    Stock(Version),
}

impl Make {
    /// A stock daemon of a release.
    #[must_use]
    pub const fn stock(major: u32) -> Self {
        Self::Stock(Version { major, minor: 0, patch: 0 })
    }

    /// Whether it is stock.
    #[must_use]
    pub const fn is_stock(self) -> bool {
        matches!(self, Self::Stock(_))
    }
}

impl World {
    /// The daemon of a host sets up its sockets as a stock one does from now on, or as ours do.
    pub(crate) fn set_make(&self, host: HostId, make: Make) {
        if let Some(place) = self.net.borrow_mut().places.get_mut(host.0) {
            place.is_stock = make.is_stock();
        }
    }
}

impl NetState {
    /// What a daemon wants for a socket it dials with, as its host sets it.
    pub(crate) fn to_dial(&self, host: HostId, wanted: SocketOptions) -> SocketOptions {
        let bare = |keepalive: Keepalive| Keepalive { probes: None, user_timeout: None, ..keepalive };
        match self.is_stock(host) {
            true => SocketOptions { keepalive: wanted.keepalive.map(bare), ..wanted },
            false => wanted,
        }
    }

    /// What a daemon wants for the sockets it accepts, as its host sets it.
    pub(crate) fn to_accept(&self, host: HostId, wanted: SocketOptions) -> SocketOptions {
        if self.is_stock(host) { SocketOptions { keepalive: None, ..wanted } } else { wanted }
    }

    /// Whether the daemon of a host leaves its sockets as they were set up.
    pub(crate) fn is_stock(&self, host: HostId) -> bool {
        self.places.get(host.0).is_some_and(|place| place.is_stock)
    }
}
