//! Who a daemon is: its version for peers, and what it was given for TLS.

use std::collections::BTreeMap;

use crate::calendar::{Civil, Zone};
use crate::error::NoOffer;
use crate::node::Opening;
use crate::secret::Secret;
use crate::time::Wall;
use crate::tls::Dialler;
#[cfg(feature = "psk")]
use crate::tls::psk::PskDialler;
use crate::tls::rustls::CertificateDialler;
use crate::wire::hello::{Hello, Purpose, Version};
use crate::wire::names::PeerName;

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

/// What a daemon can offer when it dials with TLS.
#[derive(Clone, Debug, Default)]
pub enum DialOffer {
    /// Nothing: neither a certificate is configured nor are pre-shared keys built in.
    #[default]
    Nothing,
    /// Certificates.
    Certificate(CertificateDialler),
    /// Pre-shared keys.
    #[cfg(feature = "psk")]
    Psk(PskDialler),
    /// The engine of the simulator.
    #[cfg(feature = "sim")]
    Simulated,
}

impl DialOffer {
    fn dialler(&self, address: &str, identity: &PeerName, key: &Secret) -> Result<Dialler, NoOffer> {
        #[cfg(not(any(feature = "psk", feature = "sim")))]
        let _ = (identity, key);
        match self {
            Self::Nothing => Err(NoOffer),
            Self::Certificate(settings) => {
                Ok(Dialler::Certificate { settings: settings.clone(), address: address.to_owned() })
            }
            #[cfg(feature = "psk")]
            Self::Psk(settings) => {
                Ok(Dialler::Psk { settings: settings.clone(), identity: identity.clone(), key: key.clone() })
            }
            #[cfg(feature = "sim")]
            Self::Simulated => Ok(Dialler::Toy { identity: identity.clone(), key: key.clone() }),
        }
    }
}

/// What was loaded for TLS, ready for dials: the files were read and found good before the daemon started.
#[derive(Debug, Default)]
pub struct Credentials {
    /// The offer of the daemon's own resource.
    pub own: DialOffer,
    /// Offers for peers with settings of their own, by a text such as `client laptop-fd`.
    pub peers: BTreeMap<String, DialOffer>,
    /// The version that hellos announce.
    pub version: Option<Version>,
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
