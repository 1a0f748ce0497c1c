//! What a daemon dials with: read from files and found good before any connection needs it.

use std::collections::BTreeMap;

use super::Dialler;
#[cfg(feature = "psk")]
use super::psk::PskDialler;
use super::rustls::CertificateDialler;
use crate::error::NoOffer;
use crate::secret::Secret;
use crate::wire::hello::Version;
use crate::wire::names::PeerName;

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
    pub(crate) fn dialler(&self, address: &str, identity: &PeerName, key: &Secret) -> Result<Dialler, NoOffer> {
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
