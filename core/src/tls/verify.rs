//! Whether rustls may go on with a peer's certificate: Bareos's rules in rustls's two traits, `wire/1 §2.8`.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
#[cfg(feature = "psk")]
use rustls::time_provider::TimeProvider as _;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore, SignatureScheme,
};

use crate::error::TlsError;
use crate::tls::certificate::{CertificateConfig, SharedWall};
use crate::tls::rustls::bad_certificate;
#[cfg(feature = "psk")]
use crate::tls::rustls::{explain, provider};

/// The dialler's check of the acceptor.
#[derive(Debug)]
pub(super) struct ServerCheck {
    config: Arc<CertificateConfig>,
    roots: Arc<RootCertStore>,
    /// With revocation lists. It checks names too, by rules of its own, which are not asked.
    revoked: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
    wall: SharedWall,
}

impl ServerCheck {
    /// # Errors
    /// [`TlsError::BadCertificate`] if an authority or a list cannot be read.
    pub(super) fn new(
        config: &Arc<CertificateConfig>,
        provider: &Arc<CryptoProvider>,
        wall: &SharedWall,
    ) -> Result<Self, TlsError> {
        let roots = Arc::new(roots(config)?);
        let revoked = if config.verify_peer && !config.revoked.is_empty() {
            let builder = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone())
                .with_crls(config.revoked.iter().cloned())
                .enforce_revocation_expiration();
            Some(builder.build().map_err(|error| bad_certificate(&error))?)
        } else {
            None
        };
        Ok(Self {
            config: config.clone(),
            roots,
            revoked,
            algorithms: provider.signature_verification_algorithms,
            wall: wall.clone(),
        })
    }
}

impl ServerCertVerifier for ServerCheck {
    fn verify_server_cert(
        &self,
        peer: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.config.verify_peer {
            if let Some(revoked) = &self.revoked {
                match revoked.verify_server_cert(peer, intermediates, name, &[], now) {
                    // The chain was judged before.
                    Ok(_)
                    | Err(Error::InvalidCertificate(
                        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                    )) => {}
                    Err(error) => return Err(error),
                }
            } else if !self.config.trusts_directly(peer, self.wall.now()).map_err(ours)? {
                let parsed = ParsedCertificate::try_from(peer)?;
                let algorithms = self.algorithms.all;
                verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, algorithms)?;
            }
            self.config.check_names(peer, Some(&name.to_str())).map_err(ours)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The acceptor's check of the dialler. Used only when peers are verified.
#[derive(Debug)]
pub(super) struct ClientCheck {
    config: Arc<CertificateConfig>,
    chain: Arc<dyn ClientCertVerifier>,
    wall: SharedWall,
}

impl ClientCheck {
    /// # Errors
    /// [`TlsError::BadCertificate`] if an authority cannot be read.
    pub(super) fn new(
        config: &Arc<CertificateConfig>,
        provider: &Arc<CryptoProvider>,
        wall: &SharedWall,
    ) -> Result<Self, TlsError> {
        let chain = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(config)?), provider.clone())
            .with_crls(config.revoked.iter().cloned())
            .enforce_revocation_expiration()
            .build()
            .map_err(|error| bad_certificate(&error))?;
        Ok(Self { config: config.clone(), chain, wall: wall.clone() })
    }

    /// The same with the cryptography of this build, for an engine that has its own.
    ///
    /// # Errors
    /// [`TlsError::BadCertificate`] if an authority or a list cannot be read.
    #[cfg(feature = "psk")]
    pub(super) fn of_this_build(config: &Arc<CertificateConfig>, wall: &SharedWall) -> Result<Self, TlsError> {
        Self::new(config, &Arc::new(provider()), wall)
    }

    /// Whether a dialler with this certificate, and these above it, is let in.
    ///
    /// # Errors
    /// What is wrong with the certificate.
    #[cfg(feature = "psk")]
    pub(super) fn judge(&self, peer: Vec<u8>, chain: Vec<Vec<u8>>) -> Result<(), TlsError> {
        let chain: Vec<_> = chain.into_iter().map(CertificateDer::from).collect();
        let now = self.wall.current_time().ok_or(TlsError::CertificateTime)?;
        let judged = self.verify_client_cert(&CertificateDer::from(peer), &chain, now);
        judged.map(drop).map_err(|error| explain(&error))
    }
}

impl ClientCertVerifier for ClientCheck {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        peer: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if !self.config.trusts_directly(peer, self.wall.now()).map_err(ours)? {
            self.chain.verify_client_cert(peer, intermediates, now)?;
        }
        self.config.check_names(peer, None).map_err(ours)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

fn roots(config: &CertificateConfig) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in &config.ca {
        roots.add(authority.clone()).map_err(|error| bad_certificate(&error))?;
    }
    Ok(roots)
}

/// Carries an error of ours through rustls.
fn ours(error: TlsError) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error))))
}
