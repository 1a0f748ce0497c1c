//! Who a daemon is: its version for peers, and what it was given for TLS.

use crate::calendar::{Civil, Zone};
use crate::error::NoOffer;
use crate::node::Opening;
use crate::secret::Secret;
use crate::time::Wall;
use crate::tls::Dialler;
use crate::wire::hello::{Hello, Purpose, Version};
use crate::wire::names::PeerName;

pub use crate::tls::offer::{Credentials, DialOffer};

/// What a daemon says of itself.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The numbers of the version.
    pub version: Version,
    /// The version as a person reads it.
    pub full: String,
    /// When it was built, such as `23Nov26`.
    pub date: String,
    /// The system it runs on.
    pub system: String,
    /// The rules of local time, for dates a person reads and writes.
    pub zone: Zone,
}

impl Identity {
    /// Local civil time of a moment.
    #[must_use]
    pub fn local(&self, wall: Wall) -> Civil {
        self.zone.local(wall.seconds())
    }
}

impl Credentials {
    /// How to open a connection as `me` with this key. `peer` names whose settings count; the daemon's own if it has none.
    ///
    /// # Errors
    /// TLS is wanted, and there is nothing to offer for it.
    pub fn opening(
        &self,
        peer: &str,
        address: &str,
        me: &PeerName,
        key: &Secret,
        tls: bool,
        purpose: Purpose,
    ) -> Result<Opening, NoOffer> {
        let offer = self.peers.get(peer).unwrap_or(&self.own);
        let engine = if tls { offer.dialler(address, me, key)? } else { Dialler::Clear };
        Ok(Opening {
            engine,
            hello: Hello { purpose, version: self.version },
            key: key.clone(),
            own: me.qualified(),
            policy: if tls { 2 } else { 0 },
        })
    }
}
