//! Whether rustls may go on with a peer's certificate: Bareos's rules in rustls's two traits, `wire/1 §2.8`.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore, SignatureScheme,
};

use crate::error::TlsError;
use crate::tls::certificate::{CertificateConfig, SharedWall};
use crate::tls::rustls::bad_certificate;

/// The dialler's check of the acceptor.
#[derive(Debug)]
pub(super) struct ServerCheck {
    config: Arc<CertificateConfig>,
    roots: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
    wall: SharedWall,
}

impl ServerCheck {
    /// # Errors
    /// [`TlsError::BadCertificate`] if an authority cannot be read.
    pub(super) fn new(
        config: &Arc<CertificateConfig>,
        provider: &CryptoProvider,
        wall: &SharedWall,
    ) -> Result<Self, TlsError> {
        Ok(Self {
            config: config.clone(),
            roots: roots(config)?,
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
            if !self.config.trusts_directly(peer, self.wall.now()).map_err(ours)? {
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
            .build()
            .map_err(|error| bad_certificate(&error))?;
        Ok(Self { config: config.clone(), chain, wall: wall.clone() })
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
