//! Pre-shared keys, as Bareos uses them by default: OpenSSL over memory, `wire/1 §2.4` to `§2.6`.
//!
//! The keys travel with the connection: a dialler's in the `Ssl`'s extra data, an acceptor's as a keyring there. The
//! identity a dialler claims is kept aside until the handshake has proved it.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::ssl::{self, ErrorCode, ShutdownState, Ssl, SslContext, SslRef, SslStream};
use openssl::x509::X509Ref;

use crate::buf::Buf;
use crate::error::TlsError;
use crate::limits;
use crate::secret::Secret;
use crate::tls::certificate::{CertificateConfig, SharedWall};
use crate::tls::keyring::{Keyring, readable_identity};
use crate::tls::psk_context::{self, Claims, Offer, claims, claims_index, offer, offer_index};
use crate::tls::psk_errors::{self, Blame};
use crate::tls::record::{Judged, MAX_PLAIN, check_first_bytes, in_records, sealed_len};
use crate::tls::terms::Terms;
use crate::tls::verify::ClientCheck;
use crate::tls::{Established, Kind, Session, State};
use crate::wire::names::PeerName;

/// Longest key, in bytes, that every supported OpenSSL takes.
const MAX_KEY: usize = 256;

/// Makes the engines of connections that we dial with a pre-shared key. One per daemon.
#[derive(Clone)]
pub struct PskDialler(SslContext);

impl PskDialler {
    /// Prepares everything that does not depend on the key.
    ///
    /// # Errors
    /// [`TlsError::NothingAllowed`] if `terms` leave no suite; [`TlsError::Engine`] if OpenSSL refuses its own settings.
    pub fn new(terms: impl Into<Terms>) -> Result<Self, TlsError> {
        psk_context::dialler(&terms.into()).map(Self)
    }

    /// The engine of one connection that claims to be `peer` and proves it with `key`.
    ///
    /// # Errors
    /// [`TlsError::BadKey`] for an identity or a key that is empty, too long or, in the identity, has a zero byte.
    pub fn start(&self, peer: &PeerName, key: &Secret) -> Result<Box<dyn Session>, TlsError> {
        let identity = peer.psk_identity().into_bytes();
        let readable = readable_identity(&identity);
        let key_fits = (1..=MAX_KEY).contains(&key.expose().len());
        if peer.name.is_empty() || identity.len() > limits::PSK_IDENTITY || identity.contains(&0) || !key_fits {
            return Err(TlsError::BadKey(readable));
        }
        let mut ssl = Ssl::new(&self.0).map_err(|error| engine(&error))?;
        let index = offer_index().map_err(|error| engine(&error))?;
        ssl.set_ex_data(index, Offer::new(identity, key.clone()));
        Engine::start(ssl, Side::Dialler { peer: peer.clone(), readable })
    }
}

/// Makes the engines of connections that we accept from diallers with a pre-shared key. One per daemon.
#[derive(Clone)]
pub struct PskAcceptor {
    context: SslContext,
    certificate: Option<Arc<Shown>>,
    wall: SharedWall,
}

impl PskAcceptor {
    /// Prepares everything that does not depend on the keys. With a certificate, a dialler whose key cannot be used
    /// gets that instead, as from Bareos.
    ///
    /// # Errors
    /// [`TlsError::BadCertificate`] if the certificate cannot be used; [`TlsError::NothingAllowed`] if `terms` leave no
    /// suite; [`TlsError::Engine`] if OpenSSL refuses its own settings.
    pub fn new(
        certificate: Option<Arc<CertificateConfig>>,
        terms: impl Into<Terms>,
        wall: &SharedWall,
    ) -> Result<Self, TlsError> {
        let certificate = certificate.filter(|config| config.key.is_some());
        let context = psk_context::acceptor(certificate.as_deref(), &terms.into())?;
        let certificate = certificate.map(|config| Shown::new(config, wall)).transpose()?.map(Arc::new);
        Ok(Self { context, certificate, wall: wall.clone() })
    }

    /// The engine of one accepted connection, with the keys that are valid now.
    ///
    /// # Errors
    /// [`TlsError::Engine`] if OpenSSL cannot make it.
    pub fn start(&self, keyring: Arc<Keyring>) -> Result<Box<dyn Session>, TlsError> {
        let mut ssl = Ssl::new(&self.context).map_err(|error| engine(&error))?;
        let index = claims_index().map_err(|error| engine(&error))?;
        ssl.set_ex_data(index, Claims::new(keyring));
        #[allow(clippy::useless_conversion, reason = "time_t has 32 bits on some machines")]
        ssl.param_mut().set_time(self.wall.now().seconds().try_into().unwrap_or_default());
        Engine::start(ssl, Side::Acceptor { certificate: self.certificate.clone() })
    }
}

impl fmt::Debug for PskDialler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PskDialler")
    }
}

impl fmt::Debug for PskAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PskAcceptor").field("certificate", &self.certificate.is_some()).finish_non_exhaustive()
    }
}

enum Side {
    Dialler { peer: PeerName, readable: String },
    Acceptor { certificate: Option<Arc<Shown>> },
}

/// The certificate of an acceptor, and its check of diallers that show theirs.
struct Shown {
    config: Arc<CertificateConfig>,
    /// With revocation lists, which the crate has no call for, the chain is judged a second time, as by the other engine.
    revoked: Option<ClientCheck>,
}

impl Shown {
    fn new(config: Arc<CertificateConfig>, wall: &SharedWall) -> Result<Self, TlsError> {
        let is_checked = config.verify_peer && !config.revoked.is_empty();
        let revoked = is_checked.then(|| ClientCheck::of_this_build(&config, wall)).transpose()?;
        Ok(Self { config, revoked })
    }
}

/// One connection.
struct Engine {
    stream: SslStream<Mem>,
    side: Side,
    established: Option<Established>,
    judged: Judged,
    peer_closed: bool,
    closed: bool,
    failed: Option<TlsError>,
    stage: Vec<u8>,
}

impl Engine {
    fn start(ssl: Ssl, side: Side) -> Result<Box<dyn Session>, TlsError> {
        let stream = SslStream::new(ssl, Mem::default()).map_err(|error| engine(&error))?;
        Ok(Box::new(Self {
            stream,
            side,
            established: None,
            judged: Judged::More,
            peer_closed: false,
            closed: false,
            failed: None,
            stage: Vec::new(),
        }))
    }

    /// Lends the caller's buffers to OpenSSL, or gives them back.
    fn swap(&mut self, cipher: &mut Buf, out: &mut Vec<u8>) {
        let mem = self.stream.get_mut();
        std::mem::swap(&mut mem.input, cipher);
        std::mem::swap(&mut mem.output, out);
    }

    fn advance(&mut self, plain: &mut Buf, limit: usize) -> Result<(), TlsError> {
        if self.established.is_none() {
            self.shake()?;
        }
        if self.established.is_some() && !self.peer_closed {
            self.read(plain, limit)?;
        }
        if self.peer_closed {
            let input = &mut self.stream.get_mut().input;
            input.consume(input.len());
        }
        Ok(())
    }

    fn shake(&mut self) -> Result<(), TlsError> {
        clear_errors();
        let outcome = match self.side {
            Side::Dialler { .. } => self.stream.connect(),
            Side::Acceptor { .. } => self.stream.accept(),
        };
        match outcome {
            Ok(()) => {
                self.established = Some(self.agreed()?);
                Ok(())
            }
            Err(error) if error.code() == ErrorCode::WANT_READ => Ok(()),
            Err(error) => Err(self.explain(&error)),
        }
    }

    fn read(&mut self, plain: &mut Buf, limit: usize) -> Result<(), TlsError> {
        while plain.len() < limit {
            if plain.space().is_empty() {
                plain.reserve(MAX_PLAIN);
            }
            match self.read_once(plain)? {
                0 => break,
                _ => self.read_rest(plain)?,
            }
        }
        Ok(())
    }

    /// What is left of a record that did not fit: nothing may be kept back while `cipher` is empty.
    fn read_rest(&mut self, plain: &mut Buf) -> Result<(), TlsError> {
        loop {
            let rest = self.stream.ssl().pending();
            if rest == 0 {
                return Ok(());
            }
            plain.reserve(rest);
            if self.read_once(plain)? == 0 {
                return Ok(());
            }
        }
    }

    /// Reads into the space there is; 0 when nothing is available.
    fn read_once(&mut self, plain: &mut Buf) -> Result<usize, TlsError> {
        clear_errors();
        match self.stream.ssl_read(plain.space()) {
            Ok(n) => {
                plain.commit(n);
                Ok(n)
            }
            Err(error) if error.code() == ErrorCode::WANT_READ => Ok(0),
            Err(error) if error.code() == ErrorCode::ZERO_RETURN => {
                self.peer_closed = true;
                Ok(0)
            }
            Err(error) => Err(self.explain(&error)),
        }
    }

    /// What the finished handshake means. Only here does a claimed identity become a proved one.
    fn agreed(&self) -> Result<Established, TlsError> {
        let ssl = self.stream.ssl();
        let by_key = uses_key(ssl);
        let identity = match &self.side {
            Side::Dialler { peer, readable } => {
                if !by_key {
                    return Err(TlsError::CertificateInsteadOfKey(readable.clone()));
                }
                Some(peer.clone())
            }
            Side::Acceptor { certificate } => {
                if by_key {
                    let claims = claims(ssl);
                    let unknown = || claims.and_then(|claims| claims.unknown.clone()).unwrap_or_default();
                    let proved = claims.and_then(|claims| claims.known.clone());
                    Some(proved.ok_or_else(|| TlsError::UnknownIdentity(unknown()))?)
                } else {
                    check_peer(ssl, certificate.as_deref())?;
                    None
                }
            }
        };
        Ok(Established {
            kind: if by_key { Kind::Psk } else { Kind::Certificate },
            version: ssl.version_str().to_owned(),
            cipher: ssl.current_cipher().map_or("unknown", ssl::SslCipherRef::name).to_owned(),
            identity,
        })
    }

    fn explain(&self, error: &ssl::Error) -> TlsError {
        let ssl = self.stream.ssl();
        let blame = match &self.side {
            _ if self.established.is_some() => Blame::Data,
            Side::Dialler { readable, .. } => {
                Blame::Dialler { readable, certificate_seen: offer(ssl).is_some_and(Offer::certificate_was_seen) }
            }
            Side::Acceptor { certificate } => Blame::Acceptor {
                known: claims(ssl).and_then(|claims| claims.known.as_ref()),
                unknown: claims(ssl).and_then(|claims| claims.unknown.as_deref()),
                certificate: certificate.is_some(),
                verified: ssl.verify_result(),
            },
        };
        psk_errors::explain(error, &blame)
    }
}

impl Session for Engine {
    fn open(&mut self, cipher: &mut Buf, plain: &mut Buf, limit: usize, out: &mut Vec<u8>) -> Result<(), TlsError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.judged == Judged::More {
            self.judged = check_first_bytes(cipher.filled()).inspect_err(|error| self.failed = Some(error.clone()))?;
            // With nothing to read a dialler writes its first flight.
            if self.judged == Judged::More && !cipher.is_empty() {
                return Ok(());
            }
        }
        self.swap(cipher, out);
        let outcome = self.advance(plain, limit);
        self.swap(cipher, out);
        self.failed = outcome.as_ref().err().cloned();
        outcome
    }

    fn seal(&mut self, plain: &[&[u8]], out: &mut Vec<u8>) -> Result<(), TlsError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.established.is_none() || self.closed {
            return Err(TlsError::Engine("sealed before the handshake or after close".to_owned()));
        }
        out.reserve(sealed_len(plain.iter().map(|slice| slice.len()).sum()));
        std::mem::swap(&mut self.stream.get_mut().output, out);
        let Self { stream, stage, .. } = self;
        let outcome = in_records(plain, stage, |piece| write(stream, piece));
        std::mem::swap(&mut self.stream.get_mut().output, out);
        outcome.map_err(|error| {
            let error = self.explain(&error);
            self.failed = Some(error.clone());
            error
        })
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.established.is_none() || self.closed || self.failed.is_some() {
            return;
        }
        self.closed = true;
        std::mem::swap(&mut self.stream.get_mut().output, out);
        clear_errors();
        // The alert goes into memory, so this cannot block; that the peer has not answered yet is no error.
        let _ = self.stream.shutdown();
        std::mem::swap(&mut self.stream.get_mut().output, out);
        // Else OpenSSL would ignore a change of keys in what the peer still sends.
        let received = self.stream.get_shutdown() & ShutdownState::RECEIVED;
        self.stream.set_shutdown(received);
    }

    fn state(&self) -> State {
        match &self.established {
            None => State::Handshaking,
            Some(established) if self.peer_closed => State::PeerClosed(established.clone()),
            Some(established) => State::Ready(established.clone()),
        }
    }

    fn is_in_record(&self) -> bool {
        self.stream.get_ref().reading.is_within()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Psk").field("state", &self.state()).field("failed", &self.failed).finish_non_exhaustive()
    }
}

/// OpenSSL's socket: holds the caller's buffers for the time of one call.
#[derive(Default)]
struct Mem {
    input: Buf,
    output: Vec<u8>,
    reading: Records,
}

/// How far the records that OpenSSL has taken go: it keeps the beginning of one to itself (RFC 8446 §5.1).
#[derive(Debug, Default)]
struct Records {
    head: [u8; 5],
    /// Bytes of the head that have come, and bytes of the contents that have not.
    begun: usize,
    missing: usize,
}

impl Records {
    fn pass(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.missing > 0 {
                let taken = self.missing.min(bytes.len());
                self.missing -= taken;
                bytes = bytes.get(taken..).unwrap_or_default();
                continue;
            }
            if let Some(place) = self.head.get_mut(self.begun) {
                *place = *first;
            }
            self.begun += 1;
            bytes = rest;
            if self.begun == self.head.len() {
                self.begun = 0;
                self.missing = usize::from(u16::from_be_bytes([self.head[3], self.head[4]]));
            }
        }
    }

    const fn is_within(&self) -> bool {
        self.begun > 0 || self.missing > 0
    }
}

impl Read for Mem {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = into.len().min(self.input.len());
        if n == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        into[..n].copy_from_slice(&self.input.filled()[..n]);
        self.reading.pass(&into[..n]);
        self.input.consume(n);
        Ok(n)
    }
}

impl Write for Mem {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write(stream: &mut SslStream<Mem>, mut piece: &[u8]) -> Result<(), ssl::Error> {
    while !piece.is_empty() {
        clear_errors();
        let n = stream.ssl_write(piece)?;
        piece = &piece[n..];
    }
    Ok(())
}

/// Whether the connection rests on a pre-shared key. TLS 1.3 shows it as a resumption (there are no tickets, so nothing
/// else can be resumed), TLS 1.2 in the name of the suite.
fn uses_key(ssl: &SslRef) -> bool {
    if ssl.version2() == Some(ssl::SslVersion::TLS1_3) {
        ssl.session_reused()
    } else {
        ssl.current_cipher().is_some_and(|cipher| cipher.name().split('-').any(|word| word == "PSK"))
    }
}

fn check_peer(ssl: &SslRef, shown: Option<&Shown>) -> Result<(), TlsError> {
    let Some(shown) = shown.filter(|shown| shown.config.verify_peer) else { return Ok(()) };
    let peer = ssl.peer_certificate().ok_or(TlsError::NoPeerCertificate)?;
    let peer = peer.to_der().map_err(|error| engine(&error))?;
    if let Some(revoked) = &shown.revoked {
        // Of a dialler OpenSSL has the chain without its first certificate.
        let chain = ssl.peer_cert_chain().into_iter().flatten().map(X509Ref::to_der);
        let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|error| engine(&error))?;
        return revoked.judge(peer, chain);
    }
    shown.config.check_names(&peer, None)
}

/// OpenSSL's queue of errors belongs to the thread: what another connection left there would be blamed on this one.
fn clear_errors() {
    drop(ErrorStack::get());
}

pub(super) fn engine(error: &ErrorStack) -> TlsError {
    TlsError::Engine(error.to_string())
}
