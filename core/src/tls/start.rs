//! Which engine a connection gets. Values a [`Conn`](crate::conn) is made with; no byte on the wire can name the toy.

use std::sync::Arc;

use crate::error::TlsError;
#[cfg(any(feature = "psk", feature = "sim"))]
use crate::secret::Secret;
use crate::tls::Session;
use crate::tls::keyring::Keyring;
use crate::tls::plain::Plain;
#[cfg(feature = "psk")]
use crate::tls::psk::{PskAcceptor, PskDialler};
use crate::tls::rustls::{CertificateAcceptor, CertificateDialler};
use crate::tls::sniff::{First, sniff};
#[cfg(feature = "sim")]
use crate::tls::{sniff::sniff_simulated, toy::Toy};
#[cfg(any(feature = "psk", feature = "sim"))]
use crate::wire::names::PeerName;

/// How we protect a connection that we dial.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Dialler {
    /// Not at all: the hello goes out in clear.
    Clear,
    /// By certificates.
    Certificate {
        /// The prepared settings of the resource.
        settings: CertificateDialler,
        /// The address as configured, which the peer's certificate must name if it is verified.
        address: String,
    },
    /// By a pre-shared key.
    #[cfg(feature = "psk")]
    Psk {
        /// The prepared settings of the daemon.
        settings: PskDialler,
        /// Who we say we are.
        identity: PeerName,
        /// The key that proves it.
        key: Secret,
    },
    /// By the engine of the simulator.
    #[cfg(feature = "sim")]
    Toy {
        /// Who we say we are.
        identity: PeerName,
        /// The key that proves it.
        key: Secret,
    },
}

impl Dialler {
    /// The engine of one connection.
    ///
    /// # Errors
    /// If the address, the identity or the key cannot be used, or the engine cannot be made.
    pub fn start(&self) -> Result<Box<dyn Session>, TlsError> {
        match self {
            Self::Clear => Ok(Box::<Plain>::default()),
            Self::Certificate { settings, address } => settings.start(address),
            #[cfg(feature = "psk")]
            Self::Psk { settings, identity, key } => settings.start(identity, key),
            #[cfg(feature = "sim")]
            Self::Toy { identity, key } => Ok(Box::new(Toy::dialler(identity.clone(), key.clone()))),
        }
    }
}

/// How a daemon protects the connections it accepts. One per daemon, made anew when its configuration changes.
#[derive(Clone, Debug, Default)]
pub struct Acceptor {
    certificate: Option<CertificateAcceptor>,
    #[cfg(feature = "psk")]
    psk: Option<PskAcceptor>,
    #[cfg(feature = "sim")]
    simulated: bool,
}

impl Acceptor {
    /// An acceptor that can take nothing but hellos in clear.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows a certificate to diallers that offer no pre-shared key, and to those that take certificates as well: one that
    /// verifies its peer refuses anything else, and nothing in its first bytes tells it from one that does not
    /// (`wire/1 §2.8`). A dialler set for keys alone offers only suites that go with them, and gets its key.
    #[must_use]
    pub fn with_certificate(mut self, certificate: CertificateAcceptor) -> Self {
        self.certificate = Some(certificate);
        self
    }

    /// Takes diallers that offer a pre-shared key.
    #[cfg(feature = "psk")]
    #[must_use]
    pub fn with_psk(mut self, psk: PskAcceptor) -> Self {
        self.psk = Some(psk);
        self
    }

    /// The acceptor of a simulated daemon: knows the simulator's engine. Only the simulator calls this.
    #[cfg(feature = "sim")]
    #[must_use]
    pub fn simulated() -> Self {
        Self { simulated: true, ..Self::default() }
    }

    /// Judges the first bytes of an accepted connection; see [`sniff`].
    #[must_use]
    pub fn sniff(&self, bytes: &[u8]) -> First {
        #[cfg(feature = "sim")]
        if self.simulated {
            return sniff_simulated(bytes);
        }
        sniff(bytes)
    }

    /// The engine for a connection that begins with `first`. None while more bytes are needed.
    ///
    /// A hello in clear gets its engine here whoever sends it: whether this peer may, the keyring knows
    /// ([`Keyring::allows_clear`]) once its name is read.
    ///
    /// # Errors
    /// [`TlsError::NotTls`] for foreign bytes, [`TlsError::NotConfigured`] or [`TlsError::PskNotBuilt`] when nothing
    /// here can answer.
    pub fn start(&self, keyring: &Arc<Keyring>, first: First) -> Result<Option<Box<dyn Session>>, TlsError> {
        match first {
            First::More => Ok(None),
            First::Neither => Err(TlsError::NotTls),
            First::ClearHello => Ok(Some(Box::<Plain>::default())),
            First::Tls { psk_offered, takes_certificates } => {
                let by_key = psk_offered && !(takes_certificates && self.certificate.is_some());
                self.start_tls(keyring, by_key).map(Some)
            }
            #[cfg(feature = "sim")]
            First::Toy if self.simulated => Ok(Some(Box::new(Toy::acceptor(keyring.clone())))),
            #[cfg(feature = "sim")]
            First::Toy => Err(TlsError::NotTls),
        }
    }

    #[cfg(feature = "psk")]
    fn start_tls(&self, keyring: &Arc<Keyring>, by_key: bool) -> Result<Box<dyn Session>, TlsError> {
        match (&self.psk, &self.certificate) {
            (Some(psk), _) if by_key => psk.start(keyring.clone()),
            (_, Some(certificate)) => certificate.start(),
            (Some(_), None) => Err(TlsError::NothingOffered),
            (None, None) => Err(TlsError::NotConfigured),
        }
    }

    #[cfg(not(feature = "psk"))]
    fn start_tls(&self, _: &Arc<Keyring>, by_key: bool) -> Result<Box<dyn Session>, TlsError> {
        match &self.certificate {
            Some(certificate) => certificate.start(),
            None if by_key => Err(TlsError::PskNotBuilt),
            None => Err(TlsError::NotConfigured),
        }
    }
}
