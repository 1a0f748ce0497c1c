//! One body per behaviour, run for every pair of engines.

mod behaviour;
mod certificates;
mod choice;
#[cfg(any(feature = "psk", feature = "sim"))]
mod keys;

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};

use crate::buf::Buf;
use crate::error::TlsError;
use crate::secret::Secret;
use crate::time::Wall;
use crate::tls::certificate::{CertificateConfig, SharedWall};
use crate::tls::keyring::{Clear, Keyring};
use crate::tls::{Established, Session, State};
use crate::wire::names::{PeerKind, PeerName};

/// A limit that nothing here reaches.
const NO_LIMIT: usize = usize::MAX;

/// One end of a connection in memory.
struct End {
    session: Box<dyn Session>,
    cipher: Buf,
    plain: Buf,
    out: Vec<u8>,
    limit: usize,
}

impl End {
    fn new(session: Box<dyn Session>) -> Self {
        Self { session, cipher: Buf::default(), plain: Buf::default(), out: Vec::new(), limit: NO_LIMIT }
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<(), TlsError> {
        self.cipher.extend(bytes);
        self.session.open(&mut self.cipher, &mut self.plain, self.limit, &mut self.out)
    }

    fn seal(&mut self, plain: &[&[u8]]) -> Vec<u8> {
        self.session.seal(plain, &mut self.out).unwrap();
        std::mem::take(&mut self.out)
    }

    fn close(&mut self) -> Vec<u8> {
        self.session.close(&mut self.out);
        std::mem::take(&mut self.out)
    }

    fn take_plain(&mut self) -> Vec<u8> {
        let bytes = self.plain.filled().to_vec();
        self.plain.consume(bytes.len());
        bytes
    }

    fn established(&self) -> Established {
        match self.session.state() {
            State::Ready(established) => established,
            other => panic!("not ready: {other:?}"),
        }
    }
}

/// Both ends.
struct Pair {
    dialler: End,
    acceptor: End,
}

impl Pair {
    fn new(dialler: Box<dyn Session>, acceptor: Box<dyn Session>) -> Self {
        Self { dialler: End::new(dialler), acceptor: End::new(acceptor) }
    }

    /// Shakes hands in pieces of `chunk` bytes until nothing moves; what each side said in the end.
    fn shake(&mut self, chunk: usize) -> (Result<(), TlsError>, Result<(), TlsError>) {
        let (mut dialler, mut acceptor) = (self.dialler.feed(&[]), Ok(()));
        loop {
            let (there, back) = (std::mem::take(&mut self.dialler.out), std::mem::take(&mut self.acceptor.out));
            if there.is_empty() && back.is_empty() {
                return (dialler, acceptor);
            }
            for piece in there.chunks(chunk) {
                acceptor = acceptor.and_then(|()| self.acceptor.feed(piece));
            }
            for piece in back.chunks(chunk) {
                dialler = dialler.and_then(|()| self.dialler.feed(piece));
            }
        }
    }

    /// The pair after a handshake that must succeed.
    fn ready(mut self) -> Self {
        assert_eq!(self.shake(usize::MAX), (Ok(()), Ok(())));
        self.dialler.established();
        self.acceptor.established();
        self
    }
}

fn peer(name: &str) -> PeerName {
    PeerName { kind: PeerKind::Client, name: name.to_owned() }
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes())
}

/// The key of the peer `one`.
const KEY_OF_ONE: &str = "ed31a7bd1f9d2c8a6b0d0e9f0f6c4b11";

fn keyring() -> Arc<Keyring> {
    let builder = Keyring::builder().with(peer("one"), secret(KEY_OF_ONE), Clear::Never);
    Arc::new(builder.with(peer("two"), secret("0123456789abcdef0123456789abcdef"), Clear::Never).build())
}

/// 2026-06-01, in the life of every certificate made here.
fn wall() -> SharedWall {
    SharedWall::new(Wall(1_780_272_000_000_000))
}

/// An authority and what it signs.
struct Authority {
    key: KeyPair,
    params: CertificateParams,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = params("authority", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key).unwrap().pem();
        Self { key, params, pem }
    }

    /// A chain and a key, in PEM.
    fn sign(&self, common_name: &str, alternatives: &[&str]) -> (String, String) {
        self.sign_with_number(common_name, alternatives, 7)
    }

    /// The same with a number that a list can name.
    fn sign_with_number(&self, common_name: &str, alternatives: &[&str], number: u64) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let mut params = params(common_name, alternatives);
        params.serial_number = Some(SerialNumber::from(number));
        (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
    }

    /// A list of what is revoked, in PEM, that is good from 2026-01-01 to the first of this month of 2026.
    fn revoke(&self, numbers: &[u64], month: u8) -> String {
        let from = date_time_ymd(2026, 1, 1);
        let revoked = |&number| RevokedCertParams {
            serial_number: SerialNumber::from(number),
            revocation_time: from,
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: from,
            next_update: date_time_ymd(2026, month, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: numbers.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&Issuer::from_params(&self.params, &self.key)).unwrap().pem().unwrap()
    }
}

fn params(common_name: &str, alternatives: &[&str]) -> CertificateParams {
    let alternatives = alternatives.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let mut params = CertificateParams::new(alternatives).unwrap();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

/// A configuration from the texts of PEM files; without an authority it verifies nothing.
fn config(own: Option<&(String, String)>, authority: Option<&str>, allowed: &[&str]) -> Arc<CertificateConfig> {
    let (chain, key) = own.map_or(("", ""), |(chain, key)| (chain, key));
    let allowed = allowed.iter().map(|&name| name.to_owned()).collect();
    let ca = authority.unwrap_or("");
    let config =
        CertificateConfig::from_pem(chain.as_bytes(), key.as_bytes(), ca.as_bytes(), authority.is_some(), allowed);
    Arc::new(config.unwrap())
}
