//! Certificates: rustls, by its unbuffered interface, with aws-lc-rs or ring.

use std::fmt;
use std::sync::Arc;

use ::rustls::client::{ClientConnectionData, Resumption, UnbufferedClientConnection};
use ::rustls::crypto::CryptoProvider;
use ::rustls::pki_types::ServerName;
use ::rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use ::rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus, WriteTraffic};
use ::rustls::{
    AlertDescription, CertificateError, CipherSuite, ClientConfig, CommonState, Error, ProtocolVersion, ServerConfig,
    SupportedProtocolVersion,
};

use crate::buf::Buf;
use crate::error::TlsError;
use crate::tls::certificate::{CertificateConfig, SharedWall};
use crate::tls::record::{Judged, check_first_bytes, in_records, make_room, record_len, sealed_len};
use crate::tls::terms::{Offered, Proof, Terms};
use crate::tls::verify::{ClientCheck, ServerCheck};
use crate::tls::{Established, Kind, Session, State, Versions};

/// Makes the engines of connections that we dial and protect by certificates. One per resource that names certificates.
#[derive(Clone, Debug)]
pub struct CertificateDialler(Arc<ClientConfig>);

impl CertificateDialler {
    /// Prepares everything that does not depend on the address.
    ///
    /// # Errors
    /// [`TlsError::BadCertificate`] if the certificate, its key or an authority cannot be used;
    /// [`TlsError::NothingAllowed`] if `terms` leave no suite.
    pub fn new(config: &Arc<CertificateConfig>, terms: impl Into<Terms>, wall: &SharedWall) -> Result<Self, TlsError> {
        let (provider, versions) = agreeable(&terms.into())?;
        let check = ServerCheck::new(config, &provider, wall)?;
        let builder = ClientConfig::builder_with_details(provider, Arc::new(wall.clone()))
            .with_protocol_versions(protocol_versions(versions))
            .map_err(|error| bad_certificate(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(check));
        let mut client = match &config.key {
            Some(key) => builder
                .with_client_auth_cert(config.chain.clone(), key.clone_key())
                .map_err(|error| bad_certificate(&error))?,
            None => builder.with_no_client_auth(),
        };
        client.enable_sni = false;
        client.resumption = Resumption::disabled();
        Ok(Self(Arc::new(client)))
    }

    /// The engine of one connection to `address`, as configured: a host name or an IP address.
    ///
    /// # Errors
    /// [`TlsError::WrongCertificateName`] if no certificate could name `address`.
    pub fn start(&self, address: &str) -> Result<Box<dyn Session>, TlsError> {
        let bad = |_| TlsError::WrongCertificateName(address.to_owned());
        let name = ServerName::try_from(address.to_owned()).map_err(bad)?;
        let connection = UnbufferedClientConnection::new(self.0.clone(), name).map_err(|error| explain(&error))?;
        Ok(Box::new(Engine::new(connection)))
    }
}

/// Makes the engines of connections that we accept and protect by our certificate.
#[derive(Clone, Debug)]
pub struct CertificateAcceptor(Arc<ServerConfig>);

impl CertificateAcceptor {
    /// Prepares everything.
    ///
    /// # Errors
    /// [`TlsError::BadCertificate`] if there is no certificate with its key, or it cannot be used;
    /// [`TlsError::NothingAllowed`] if `terms` leave no suite.
    pub fn new(config: &Arc<CertificateConfig>, terms: impl Into<Terms>, wall: &SharedWall) -> Result<Self, TlsError> {
        let (provider, versions) = agreeable(&terms.into())?;
        let Some(key) = &config.key else {
            return Err(TlsError::BadCertificate("to accept connections a certificate is needed".to_owned()));
        };
        let builder = ServerConfig::builder_with_details(provider.clone(), Arc::new(wall.clone()))
            .with_protocol_versions(protocol_versions(versions))
            .map_err(|error| bad_certificate(&error))?;
        let builder = if config.verify_peer {
            builder.with_client_cert_verifier(Arc::new(ClientCheck::new(config, &provider, wall)?))
        } else {
            builder.with_no_client_auth()
        };
        let mut server =
            builder.with_single_cert(config.chain.clone(), key.clone_key()).map_err(|error| bad_certificate(&error))?;
        // Unread tickets at the close of a one-way sender turn into a reset that loses the tail of the stream.
        server.send_tls13_tickets = 0;
        // Bareos offers AES-256 first; AES-128 is faster.
        server.ignore_client_order = true;
        Ok(Self(Arc::new(server)))
    }

    /// As peers of other makes may behave: sends tickets, in records of 32 bytes.
    #[cfg(test)]
    pub(super) fn with_tickets_in_pieces(&self) -> Self {
        let mut server = (*self.0).clone();
        server.send_tls13_tickets = 1;
        server.max_fragment_size = Some(32);
        Self(Arc::new(server))
    }

    /// The engine of one accepted connection.
    ///
    /// # Errors
    /// Only if the engine cannot be made at all.
    pub fn start(&self) -> Result<Box<dyn Session>, TlsError> {
        let connection = UnbufferedServerConnection::new(self.0.clone()).map_err(|error| explain(&error))?;
        Ok(Box::new(Engine::new(connection)))
    }
}

/// One connection, client or server.
struct Engine<C> {
    connection: C,
    established: Option<Established>,
    judged: Judged,
    peer_closed: bool,
    closed: bool,
    failed: Option<TlsError>,
    /// A copy of what [`Session::open`] left in `cipher`, if it holds an opened part of a handshake message: rustls
    /// remembers offsets into these bytes and must see them whenever it is asked for anything.
    held: Vec<u8>,
    stage: Vec<u8>,
}

impl<C: Connection> Engine<C> {
    const fn new(connection: C) -> Self {
        Self {
            connection,
            established: None,
            judged: Judged::More,
            peer_closed: false,
            closed: false,
            failed: None,
            held: Vec::new(),
            stage: Vec::new(),
        }
    }

    /// Processes records until rustls needs more of them or `plain` is full.
    fn process(&mut self, cipher: &mut Buf, plain: &mut Buf, limit: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        self.held.clear();
        loop {
            if self.established.is_some() && plain.len() >= limit {
                return Ok(());
            }
            let UnbufferedStatus { mut discard, state } = self.connection.process(cipher.filled_mut());
            let mut blocked = false;
            let outcome = state.and_then(|state| {
                match state {
                    ConnectionState::ReadTraffic(mut traffic) => {
                        while let Some(record) = traffic.next_record() {
                            let record = record?;
                            discard += record.discard;
                            plain.extend(record.payload);
                        }
                    }
                    ConnectionState::EncodeTlsData(mut data) => encode(&mut data, out)?,
                    ConnectionState::TransmitTlsData(data) => data.done(),
                    ConnectionState::PeerClosed => self.peer_closed = true,
                    _ => blocked = true,
                }
                Ok(())
            });
            cipher.consume(discard);
            outcome?;
            if self.established.is_none() {
                self.established = self.connection.common().and_established();
            }
            if blocked {
                break;
            }
        }
        if self.peer_closed {
            cipher.consume(cipher.len());
        } else if record_len(cipher.filled()).is_some_and(|len| len <= cipher.len()) {
            self.held.extend_from_slice(cipher.filled());
            cipher.reserve(crate::tls::record::MAX_PLAIN + crate::tls::record::OVERHEAD);
        }
        make_room(cipher);
        Ok(())
    }

    /// Remembers an error and lets rustls write the alert it has queued.
    fn fail(&mut self, error: &Error, cipher: &mut Buf, out: &mut Vec<u8>) -> TlsError {
        let error = explain(error);
        self.failed = Some(error.clone());
        // rustls panics if it is shown the damaged bytes again: ask it only while something is queued.
        while self.connection.common().wants_write() {
            let UnbufferedStatus { discard, state } = self.connection.process(cipher.filled_mut());
            let written = match state {
                Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, out).is_ok(),
                _ => false,
            };
            cipher.consume(discard);
            if !written {
                break;
            }
        }
        error
    }
}

impl<C: Connection> Session for Engine<C> {
    fn open(&mut self, cipher: &mut Buf, plain: &mut Buf, limit: usize, out: &mut Vec<u8>) -> Result<(), TlsError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.judged == Judged::More {
            self.judged = check_first_bytes(cipher.filled()).inspect_err(|error| self.failed = Some(error.clone()))?;
            if self.judged == Judged::More && !cipher.is_empty() {
                return Ok(());
            }
        }
        self.process(cipher, plain, limit, out).map_err(|error| self.fail(&error, cipher, out))
    }

    fn seal(&mut self, plain: &[&[u8]], out: &mut Vec<u8>) -> Result<(), TlsError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.established.is_none() || self.closed {
            return Err(TlsError::Engine("sealed before the handshake or after close".to_owned()));
        }
        let Self { connection, held, stage, .. } = self;
        out.reserve(sealed_len(plain.iter().map(|slice| slice.len()).sum()));
        let outcome = with_traffic(connection, held, out, |traffic, out| {
            in_records(plain, stage, |piece| append(out, sealed_len(piece.len()), |room| traffic.encrypt(piece, room)))
        });
        self.failed = outcome.as_ref().err().cloned();
        outcome
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.established.is_none() || self.closed || self.failed.is_some() {
            return;
        }
        self.closed = true;
        let outcome = with_traffic(&mut self.connection, &mut self.held, out, |traffic, out| {
            append(out, sealed_len(2), |room| traffic.queue_close_notify(room))
        });
        self.failed = outcome.err();
    }

    fn state(&self) -> State {
        match &self.established {
            None => State::Handshaking,
            Some(established) if self.peer_closed => State::PeerClosed(established.clone()),
            Some(established) => State::Ready(established.clone()),
        }
    }
}

impl<C: Connection> fmt::Debug for Engine<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("state", &self.state())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// What rustls spells the same for clients and servers, but without a trait.
trait Connection: Send {
    type Data;
    fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;
    fn common(&self) -> &CommonState;
}

impl Connection for UnbufferedClientConnection {
    type Data = ClientConnectionData;
    fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }
    fn common(&self) -> &CommonState {
        self
    }
}

impl Connection for UnbufferedServerConnection {
    type Data = ServerConnectionData;
    fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }
    fn common(&self) -> &CommonState {
        self
    }
}

trait AndEstablished {
    fn and_established(&self) -> Option<Established>;
}

impl AndEstablished for CommonState {
    fn and_established(&self) -> Option<Established> {
        if self.is_handshaking() {
            return None;
        }
        let version = match self.protocol_version()? {
            ProtocolVersion::TLSv1_2 => "TLSv1.2",
            _ => "TLSv1.3",
        };
        let cipher = suite_name(self.negotiated_cipher_suite()?.suite());
        Some(Established { kind: Kind::Certificate, version: version.to_owned(), cipher, identity: None })
    }
}

/// The name that OpenSSL and the messages of Bareos give a suite.
fn suite_name(suite: CipherSuite) -> String {
    let name = suite.as_str().unwrap_or("unknown");
    if let Some(rest) = name.strip_prefix("TLS13_") {
        return format!("TLS_{rest}");
    }
    let name = name.trim_start_matches("TLS_").replace("_WITH_AES_", "_AES").replace("_WITH_", "_").replace('_', "-");
    if name.ends_with("POLY1305-SHA256") { name.replace("POLY1305-SHA256", "POLY1305") } else { name }
}

/// Writes what rustls still has to say, then lets `write` have its turn.
fn with_traffic<C: Connection>(
    connection: &mut C,
    held: &mut [u8],
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut WriteTraffic<'_, C::Data>, &mut Vec<u8>) -> Result<(), TlsError>,
) -> Result<(), TlsError> {
    loop {
        match connection.process(held).state {
            Ok(ConnectionState::WriteTraffic(mut traffic)) => return write(&mut traffic, out),
            Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, out).map_err(|error| explain(&error))?,
            Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
            Ok(ConnectionState::PeerClosed) => {}
            Ok(other) => return Err(TlsError::Engine(format!("cannot write in the state {other:?}"))),
            Err(error) => return Err(explain(&error)),
        }
    }
}

/// Lets `write` fill a zeroed tail of `out`, growing it once if it asks for more.
fn append(
    out: &mut Vec<u8>,
    mut room: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, EncryptError>,
) -> Result<(), TlsError> {
    let start = out.len();
    loop {
        out.resize(start + room, 0);
        match write(&mut out[start..]) {
            Ok(n) => {
                out.truncate(start + n);
                return Ok(());
            }
            Err(EncryptError::InsufficientSize(error)) if error.required_size > room => room = error.required_size,
            Err(error) => {
                out.truncate(start);
                return Err(match error {
                    EncryptError::EncryptExhausted => TlsError::KeysExhausted,
                    insufficient @ EncryptError::InsufficientSize(_) => TlsError::Engine(insufficient.to_string()),
                });
            }
        }
    }
}

fn encode<D>(data: &mut EncodeTlsData<'_, D>, out: &mut Vec<u8>) -> Result<(), Error> {
    let start = out.len();
    let room = match data.encode(&mut []) {
        Err(EncodeError::InsufficientSize(error)) => error.required_size,
        _ => 0,
    };
    out.resize(start + room, 0);
    let written = data.encode(&mut out[start..]).map_err(|error| Error::General(error.to_string()))?;
    out.truncate(start + written);
    Ok(())
}

/// The cryptography of this build with the suites that are allowed, in their order, and the versions that have one.
fn agreeable(terms: &Terms) -> Result<(Arc<CryptoProvider>, Versions), TlsError> {
    let Offered { versions, suites_13, suites_12 } =
        terms.offered(Proof::Certificates).ok_or(TlsError::NothingAllowed)?;
    let mut provider = provider();
    let place = |suite: CipherSuite| {
        let name = suite_name(suite);
        match suites_13.iter().position(|allowed| *allowed == name) {
            Some(place) => Some(place),
            // Unless somebody chose an order, it is that of `provider`.
            None => suites_12
                .iter()
                .position(|allowed| *allowed == name)
                .map(|n| if terms.has_list() { 10 + n } else { 10 }),
        }
    };
    provider.cipher_suites.retain(|suite| place(suite.suite()).is_some());
    provider.cipher_suites.sort_by_key(|suite| place(suite.suite()));
    Ok((Arc::new(provider), versions))
}

/// The cryptography of this build, with the fastest suite first. In TLS 1.2 that is ChaCha20 although AES is faster:
/// rustls ends a connection after 256 GiB under one AES key, which only TLS 1.3 can change.
pub(super) fn provider() -> CryptoProvider {
    #[cfg(feature = "aws-lc-rs")]
    let mut provider = ::rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "aws-lc-rs"))]
    let mut provider = ::rustls::crypto::ring::default_provider();
    provider.cipher_suites.sort_by_key(|suite| match suite.suite() {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => 0,
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => 1,
        _ => 2,
    });
    provider
}

fn protocol_versions(versions: Versions) -> &'static [&'static SupportedProtocolVersion] {
    static ONLY_12: [&SupportedProtocolVersion; 1] = [&::rustls::version::TLS12];
    static ONLY_13: [&SupportedProtocolVersion; 1] = [&::rustls::version::TLS13];
    match versions {
        Versions::All => ::rustls::ALL_VERSIONS,
        Versions::Only12 => &ONLY_12,
        Versions::Only13 => &ONLY_13,
    }
}

pub(super) fn bad_certificate(error: &dyn fmt::Display) -> TlsError {
    TlsError::BadCertificate(error.to_string())
}

/// What an error of rustls means to us.
pub(super) fn explain(error: &Error) -> TlsError {
    match error {
        Error::AlertReceived(alert) => explain_alert(*alert),
        Error::InvalidCertificate(CertificateError::Other(other)) => {
            other.0.downcast_ref::<TlsError>().cloned().unwrap_or(TlsError::UntrustedCertificate)
        }
        Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => TlsError::CertificateTime,
        Error::InvalidCertificate(CertificateError::Revoked) => TlsError::RevokedCertificate,
        Error::InvalidCertificate(
            CertificateError::ExpiredRevocationList | CertificateError::ExpiredRevocationListContext { .. },
        ) => TlsError::StaleRevocationList,
        Error::InvalidCertificate(CertificateError::UnknownRevocationStatus) | Error::InvalidCertRevocationList(_) => {
            TlsError::UnknownRevocation
        }
        Error::InvalidCertificate(_) => TlsError::UntrustedCertificate,
        Error::NoCertificatesPresented => TlsError::NoPeerCertificate,
        Error::DecryptError => TlsError::DamagedRecord,
        Error::PeerIncompatible(_) => TlsError::NothingInCommon,
        Error::InvalidMessage(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::PeerMisbehaved(_)
        | Error::PeerSentOversizedRecord => TlsError::BrokenRules(error.to_string()),
        other => TlsError::Engine(other.to_string()),
    }
}

fn explain_alert(alert: AlertDescription) -> TlsError {
    let number = u8::from(alert);
    match number {
        40 => TlsError::RefusedByPeer,
        42..=46 | 48 | 51 | 116 => TlsError::OurCertificateRefused(number),
        70 | 71 => TlsError::NothingInCommon,
        20 => TlsError::DamagedRecord,
        _ => TlsError::Alert(number),
    }
}
