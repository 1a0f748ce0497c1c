//! Nodes made from typed configurations, one constructor for all who put daemons into a world.

use std::sync::Arc;

use towline_core::bulk::BulkSizes;
use towline_core::calendar::Zone;
use towline_core::node::{Node, Role, Settings};
use towline_core::role::identity::{Credentials, DialOffer, Identity};
use towline_core::secret::Secret;
use towline_core::tls::{Acceptor, Dialler};
use towline_core::wire::hello::Version;
use towline_core::wire::names::PeerName;

use crate::host::HostId;
use crate::stock::Make;
use crate::world::World;

/// The version that our daemons say they are.
const VERSION: Version = Version { major: 26, minor: 0, patch: 0 };

const fn version(make: Make) -> Version {
    match make {
        Make::Towline => VERSION,
        Make::Stock(version) => version,
    }
}

/// Whether the connections of a daemon are protected. Real TLS needs certificates or OpenSSL, and no network sees a
/// difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// They are in clear text.
    Clear,
    /// By the simulator's engine.
    #[cfg(feature = "toy")]
    Toy,
}

impl Protection {
    /// What a daemon dials with.
    #[must_use]
    pub fn credentials(self) -> Credentials {
        self.credentials_of(Make::Towline)
    }

    /// What a daemon of this make dials with.
    #[must_use]
    pub fn credentials_of(self, make: Make) -> Credentials {
        let own = match self {
            Self::Clear => DialOffer::Nothing,
            #[cfg(feature = "toy")]
            Self::Toy => DialOffer::Simulated,
        };
        Credentials { own, version: Some(version(make)), ..Credentials::default() }
    }

    /// How one who has this name and key dials.
    #[cfg_attr(not(feature = "toy"), allow(unused_variables, reason = "clear text needs neither"))]
    pub(crate) fn dialler(self, me: &PeerName, key: &Secret) -> Dialler {
        match self {
            Self::Clear => Dialler::Clear,
            #[cfg(feature = "toy")]
            Self::Toy => Dialler::Toy { identity: me.clone(), key: key.clone() },
        }
    }

    /// What is said of it in clear text (`wire/1 §2.9`).
    pub(crate) const fn policy(self) -> u8 {
        match self {
            Self::Clear => 0,
            #[cfg(feature = "toy")]
            Self::Toy => 2,
        }
    }

    fn engines(self) -> Acceptor {
        match self {
            Self::Clear => Acceptor::new(),
            #[cfg(feature = "toy")]
            Self::Toy => Acceptor::simulated(),
        }
    }
}

/// What daemons say of themselves.
#[must_use]
pub fn identity() -> Identity {
    identity_of(Make::Towline)
}

/// What daemons of this make say of themselves.
#[must_use]
pub fn identity_of(make: Make) -> Identity {
    let version = version(make);
    Identity {
        version,
        full: version.to_string(),
        date: "01Jan26".to_owned(),
        system: "simulator".to_owned(),
        zone: Zone::default(),
    }
}

/// A node for a host, with its seed from the world's.
pub fn node<R: Role>(world: &mut World, host: HostId, role: R, name: &PeerName, protection: Protection) -> Node<R> {
    node_of(Make::Towline, world, host, role, (name, protection))
}

/// A node of this make.
pub fn node_of<R: Role>(
    make: Make,
    world: &mut World,
    host: HostId,
    role: R,
    (name, protection): (&PeerName, Protection),
) -> Node<R> {
    world.set_make(host, make);
    let settings = Settings::new(name.qualified(), Arc::new(protection.engines())).with_bulk(BulkSizes::SMALL);
    let settings = if make.is_stock() { settings.as_stock() } else { settings };
    let now = world.time_of(host);
    Node::new(role, settings, world.node_seed(), now)
}
