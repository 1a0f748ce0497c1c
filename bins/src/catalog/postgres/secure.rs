//! TLS to the server, by rustls: the way that a connection takes, and what is wrong with the server at its end.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use ::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use ::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use ::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client;
use towline_core::catalog::{CatalogError, CatalogErrorKind};
use towline_core::config::{Postgres, PostgresTls};

use super::super::sql::Result;
use crate::authorities::trusted;

/// How bytes go to the server.
#[derive(Clone)]
pub(super) struct Way(Option<Arc<ClientConfig>>);

impl Way {
    /// As the configuration says.
    ///
    /// # Errors
    /// `Unsuitable` if the file with the authorities cannot be used, or the system has none.
    pub(super) fn of(server: &Postgres) -> Result<Self> {
        let config = match server.tls {
            PostgresTls::Disable => return Ok(Self(None)),
            PostgresTls::Require => builder()?
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody(ring::default_provider())))
                .with_no_client_auth(),
            PostgresTls::VerifyFull => {
                builder()?.with_root_certificates(authorities(server.tls_ca.as_deref())?).with_no_client_auth()
            }
        };
        Ok(Self(Some(Arc::new(config))))
    }
}

fn untrusted(text: String) -> CatalogError {
    CatalogError::new(CatalogErrorKind::Untrusted, text)
}

fn builder() -> Result<::rustls::ConfigBuilder<ClientConfig, ::rustls::WantsVerifier>> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    builder.with_safe_default_protocol_versions().map_err(|error| untrusted(error.to_string()))
}

/// Those of a file, or those that the system trusts.
fn authorities(file: Option<&str>) -> Result<RootCertStore> {
    let store = trusted(file.map(Path::new)).map_err(untrusted)?;
    if store.is_empty() {
        return Err(untrusted("the system trusts no authorities".to_owned()));
    }
    Ok(store)
}

/// What is wrong with the certificate of a server, if that is what an error of a connection comes from.
pub(super) fn fault_of(error: &io::Error) -> Option<CatalogErrorKind> {
    let error = error.get_ref()?.downcast_ref::<TlsError>()?;
    Some(match error {
        TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => CatalogErrorKind::Misnamed,
        _ => CatalogErrorKind::Untrusted,
    })
}

impl MakeTlsConnect<Socket> for Way {
    type Stream = Secure;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Handshake> {
        Ok(Handshake { config: self.0.clone(), host: host.to_owned() })
    }
}

/// One connection that is to be made secure.
pub(super) struct Handshake {
    config: Option<Arc<ClientConfig>>,
    host: String,
}

impl TlsConnect<Socket> for Handshake {
    type Stream = Secure;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Secure>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let config = self.config.ok_or_else(|| io::Error::other("no TLS is configured"))?;
            let name = ServerName::try_from(self.host).map_err(io::Error::other)?;
            TlsConnector::from(config).connect(name, socket).await.map(Secure)
        })
    }
}

/// A secure connection.
pub(super) struct Secure(client::TlsStream<Socket>);

impl TlsStream for Secure {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Secure {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, room)
    }
}

impl AsyncWrite for Secure {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Takes any certificate: nobody who only listens on the way learns anything, and nobody is known at its end.
#[derive(Debug)]
struct Anybody(CryptoProvider);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end: &CertificateDer<'_>,
        _between: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
