//! What a certificate connection is configured with: our chain and key, whom we trust, and which names pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime};

use crate::error::TlsError;
use crate::time::Wall;
use crate::tls::x509::Fields;

/// Certificates of one resource, parsed. What each field means to Bareos: `wire/1 §2.8`.
#[derive(Debug, Default)]
pub struct CertificateConfig {
    /// Our chain, our own certificate first. An acceptor needs one, a dialler may have one.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key of the first certificate of `chain`.
    pub key: Option<PrivateKeyDer<'static>>,
    /// The authorities we trust; also single certificates of peers, which are then trusted themselves.
    pub ca: Vec<CertificateDer<'static>>,
    /// Whether the peer must show a certificate that `ca` signed. Bareos's default is no.
    pub verify_peer: bool,
    /// Common names of which the peer must have one. Empty: a dialler compares the address it dialled, an acceptor
    /// takes any certificate of `ca`. Without `verify_peer` it is not looked at.
    pub allowed_names: Vec<String>,
    /// Lists of revoked certificates. If there is one, each certificate in a peer's chain must be looked up in a list of the
    /// authority that signed it, and none is trusted merely for being in `ca` itself.
    pub revoked: Vec<CertificateRevocationListDer<'static>>,
}

impl CertificateConfig {
    /// Reads the contents of PEM files. Empty `chain` and `key`: none of our own.
    ///
    /// # Errors
    /// [`TlsError::BadCertificate`] if a text holds no certificate or no private key, or verifying is asked for
    /// without an authority.
    pub fn from_pem(
        chain: &[u8],
        key: &[u8],
        ca: &[u8],
        verify_peer: bool,
        allowed_names: Vec<String>,
    ) -> Result<Self, TlsError> {
        let chain = certificates(chain, "the certificate file")?;
        let ca = certificates(ca, "the file of authorities")?;
        let key = if key.is_empty() {
            None
        } else {
            let bad = |error| TlsError::BadCertificate(format!("the key file holds no private key: {error}"));
            Some(PrivateKeyDer::from_pem_slice(key).map_err(bad)?)
        };
        if chain.is_empty() != key.is_none() {
            return Err(TlsError::BadCertificate("a certificate and its private key belong together".to_owned()));
        }
        if verify_peer && ca.is_empty() {
            return Err(TlsError::BadCertificate("to verify peers an authority is needed".to_owned()));
        }
        Ok(Self { chain, key, ca, verify_peer, allowed_names, revoked: Vec::new() })
    }

    /// The same with the revocation lists in a PEM file.
    ///
    /// # Errors
    /// [`TlsError::BadCertificate`] if the text holds no list.
    pub fn with_revoked(mut self, pem: &[u8]) -> Result<Self, TlsError> {
        let bad = |error: &dyn std::fmt::Display| {
            TlsError::BadCertificate(format!("the file of revoked certificates holds no list: {error}"))
        };
        let lists = CertificateRevocationListDer::pem_slice_iter(pem).collect::<Result<_, _>>();
        self.revoked = lists.map_err(|error| bad(&error))?;
        if self.revoked.is_empty() {
            return Err(bad(&"it is no PEM file"));
        }
        Ok(self)
    }

    /// Whether the peer's certificate itself, not its issuer, is one of the trusted ones. OpenSSL accepts such a
    /// certificate even if it may sign others, as `openssl req -x509` makes them; webpki does not.
    ///
    /// # Errors
    /// [`TlsError::CertificateTime`] if it is trusted but not valid at `now`.
    pub(super) fn trusts_directly(&self, peer: &[u8], now: Wall) -> Result<bool, TlsError> {
        if !self.revoked.is_empty() || !self.ca.iter().any(|trusted| trusted.as_ref() == peer) {
            return Ok(false);
        }
        let fields = Fields::read(peer).ok_or(TlsError::UntrustedCertificate)?;
        if (fields.not_before..=fields.not_after).contains(&now.seconds()) {
            Ok(true)
        } else {
            Err(TlsError::CertificateTime)
        }
    }

    /// Checks the names of a peer whose certificate is trusted. `address` is what we dialled; None for an acceptor.
    ///
    /// # Errors
    /// [`TlsError::WrongCertificateName`].
    pub(super) fn check_names(&self, peer: &[u8], address: Option<&str>) -> Result<(), TlsError> {
        let fields = Fields::read(peer).ok_or(TlsError::UntrustedCertificate)?;
        let (fits, wanted) = match (&self.allowed_names[..], address) {
            ([], None) => (true, String::new()),
            ([], Some(address)) => (fields.names(address), address.to_owned()),
            (allowed, _) => (fields.is_one_of(allowed), allowed.join(" or ")),
        };
        if fits { Ok(()) } else { Err(TlsError::WrongCertificateName(wanted)) }
    }
}

/// The wall time that verification reads: set by whoever learns it, read by every engine.
#[derive(Clone, Debug, Default)]
pub struct SharedWall(Arc<AtomicI64>);

impl SharedWall {
    /// Starts at `now`.
    #[must_use]
    pub fn new(now: Wall) -> Self {
        Self(Arc::new(AtomicI64::new(now.0)))
    }

    /// Says what time it is.
    pub fn set(&self, now: Wall) {
        self.0.store(now.0, Ordering::Relaxed);
    }

    /// The time that was said last.
    #[must_use]
    pub fn now(&self) -> Wall {
        Wall(self.0.load(Ordering::Relaxed))
    }
}

impl rustls::time_provider::TimeProvider for SharedWall {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.now().seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bad = |error: &dyn std::fmt::Display| TlsError::BadCertificate(format!("{what} holds no certificate: {error}"));
    let list: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|error| bad(&error))?;
    if list.is_empty() && !pem.is_empty() {
        return Err(bad(&"it is no PEM file"));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_files_that_do_not_fit_together_are_refused() {
        let made = rcgen::generate_simple_self_signed(vec!["one.example".to_owned()]).unwrap();
        let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let read = |chain: &str, key: &str, ca: &str, verify| {
            CertificateConfig::from_pem(chain.as_bytes(), key.as_bytes(), ca.as_bytes(), verify, vec![])
        };
        assert_eq!(read(&chain, &key, &chain, true).unwrap().chain.len(), 1);
        assert!(read("", "", "", false).is_ok());
        for bad in [
            read(&chain, "", "", false),
            read("", &key, "", false),
            read(&key, &key, "", false),
            read(&chain, &chain, "", false),
            read("garbage", &key, "", false),
            read(&chain, &key, "", true),
        ] {
            assert!(matches!(bad, Err(TlsError::BadCertificate(_))), "{bad:?}");
        }
        assert!(!format!("{:?}", read(&chain, &key, "", false)).contains("PrivatePkcs8KeyDer(["));
    }
}
