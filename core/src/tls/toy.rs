//! The simulator's engine: the shape and the failures of TLS with a pre-shared key, and none of its cryptography.
//!
//! ```text
//!   record  = 0xA7, kind, 1, length (2 bytes), body (at most 16 KiB), check sum (16 bytes)
//!   dialler -> Hello { identity, proof }        1st flight
//!   dialler <- Answer { proof }                 2nd flight
//!   dialler -> Finished                         3rd flight, then data
//! ```

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::buf::Buf;
use crate::error::TlsError;
use crate::secret::Secret;
use crate::tls::keyring::{Keyring, readable_identity};
use crate::tls::record::{HEAD, MAX_PLAIN, in_records, make_room, record_len};
use crate::tls::{Established, Kind, Session, State};
use crate::wire::names::PeerName;

/// The first byte of every record: neither TLS nor the head of a hello in clear.
pub const FIRST_BYTE: u8 = 0xa7;

/// The size of the check sum after each record.
const SUM: usize = 16;

/// One simulated connection.
#[derive(Debug)]
pub struct Toy {
    role: Role,
    step: Step,
    established: Option<Established>,
    failed: Option<TlsError>,
    opened: u64,
    sealed: u64,
    closed: bool,
    stage: Vec<u8>,
}

#[derive(Debug)]
enum Role {
    Dialler { peer: PeerName, key: Secret },
    Acceptor { keyring: Arc<Keyring>, claimed: Option<PeerName> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Start,
    SentHello,
    WaitHello,
    WaitFinished,
    Data,
    PeerClosed,
}

impl Toy {
    /// The engine of a connection that a simulated daemon dials as `peer`.
    #[must_use]
    pub const fn dialler(peer: PeerName, key: Secret) -> Self {
        Self::new(Role::Dialler { peer, key }, Step::Start)
    }

    /// The engine of a connection that a simulated daemon accepts.
    #[must_use]
    pub const fn acceptor(keyring: Arc<Keyring>) -> Self {
        Self::new(Role::Acceptor { keyring, claimed: None }, Step::WaitHello)
    }

    const fn new(role: Role, step: Step) -> Self {
        Self { role, step, established: None, failed: None, opened: 0, sealed: 0, closed: false, stage: Vec::new() }
    }

    fn advance(&mut self, cipher: &mut Buf, plain: &mut Buf, limit: usize, out: &mut Vec<u8>) -> Result<(), TlsError> {
        if self.step == Step::Start {
            self.hello(out);
        }
        while self.step != Step::Data || plain.len() < limit {
            if self.step == Step::PeerClosed {
                cipher.consume(cipher.len());
                return Ok(());
            }
            let Some((kind, body)) = next_record(cipher.filled(), self.opened)? else { break };
            self.opened += 1;
            let used = HEAD + body.len() + SUM;
            if (kind, self.step) == (DATA, Step::Data) {
                plain.extend(body);
            } else {
                let body = body.to_vec();
                self.control(kind, &body, out)?;
            }
            cipher.consume(used);
        }
        make_room(cipher);
        Ok(())
    }

    /// Takes one record that is no data.
    fn control(&mut self, kind: u8, body: &[u8], out: &mut Vec<u8>) -> Result<(), TlsError> {
        match (kind, self.step) {
            (ALERT, Step::Data) if body == [CLOSE_NOTIFY] => self.step = Step::PeerClosed,
            (ALERT, _) => return Err(self.alerted(body.first().copied().unwrap_or(0))),
            (HELLO, Step::WaitHello) => self.answer(body, out)?,
            (ANSWER, Step::SentHello) => self.finish(body, out)?,
            (FINISHED, Step::WaitFinished) => {
                let Role::Acceptor { claimed, .. } = &self.role else {
                    return Err(TlsError::Engine("a dialler waited for the third flight".to_owned()));
                };
                self.established = Some(established(claimed.clone()));
                self.step = Step::Data;
            }
            (kind, step) => return Err(TlsError::BrokenRules(format!("record of kind {kind} in the step {step:?}"))),
        }
        Ok(())
    }

    fn hello(&mut self, out: &mut Vec<u8>) {
        if let Role::Dialler { peer, key } = &self.role {
            let mut body = proof(key, DIALLER).to_vec();
            body.extend_from_slice(peer.psk_identity().as_bytes());
            self.write(HELLO, &body, out);
            self.step = Step::SentHello;
        }
    }

    fn answer(&mut self, body: &[u8], out: &mut Vec<u8>) -> Result<(), TlsError> {
        let Role::Acceptor { keyring, claimed } = &mut self.role else {
            return Err(TlsError::Engine("a dialler got a hello".to_owned()));
        };
        let Some((shown, offered)) = body.split_first_chunk::<16>() else {
            return Err(TlsError::BrokenRules("the hello is too short".to_owned()));
        };
        let peer = PeerName::from_psk_identity(offered);
        let Some((peer, key)) = peer.and_then(|peer| keyring.key(&peer).cloned().map(|key| (peer, key))) else {
            // The same as for a wrong key: the peer must not learn which it was.
            self.write(ALERT, &[ILLEGAL_PARAMETER], out);
            return Err(TlsError::UnknownIdentity(readable_identity(offered)));
        };
        if *shown != proof(&key, DIALLER) {
            self.write(ALERT, &[ILLEGAL_PARAMETER], out);
            return Err(TlsError::WrongKey(readable_identity(offered)));
        }
        *claimed = Some(peer);
        self.write(ANSWER, &proof(&key, ACCEPTOR), out);
        self.step = Step::WaitFinished;
        Ok(())
    }

    fn finish(&mut self, body: &[u8], out: &mut Vec<u8>) -> Result<(), TlsError> {
        let Role::Dialler { peer, key } = &self.role else {
            return Err(TlsError::Engine("an acceptor got an answer".to_owned()));
        };
        if body != proof(key, ACCEPTOR) {
            return Err(TlsError::WrongKey(readable_identity(peer.psk_identity().as_bytes())));
        }
        self.established = Some(established(Some(peer.clone())));
        self.write(FINISHED, &[], out);
        self.step = Step::Data;
        Ok(())
    }

    fn alerted(&self, alert: u8) -> TlsError {
        match (&self.role, alert) {
            (Role::Dialler { peer, .. }, ILLEGAL_PARAMETER) => {
                TlsError::KeyRefused(readable_identity(peer.psk_identity().as_bytes()))
            }
            _ => TlsError::Alert(alert),
        }
    }

    fn write(&mut self, kind: u8, body: &[u8], out: &mut Vec<u8>) {
        let len = u16::try_from(body.len() + SUM).unwrap_or(u16::MAX);
        let start = out.len();
        out.extend_from_slice(&[FIRST_BYTE, kind, 1]);
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(body);
        let sum = xxh3_128_with_seed(&out[start..], self.sealed);
        out.extend_from_slice(&sum.to_be_bytes());
        self.sealed += 1;
    }
}

impl Session for Toy {
    fn open(&mut self, cipher: &mut Buf, plain: &mut Buf, limit: usize, out: &mut Vec<u8>) -> Result<(), TlsError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let outcome = self.advance(cipher, plain, limit, out);
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
        let mut stage = std::mem::take(&mut self.stage);
        let outcome = in_records(plain, &mut stage, |piece| {
            piece.chunks(MAX_PLAIN).for_each(|body| self.write(DATA, body, out));
            Ok(())
        });
        self.stage = stage;
        outcome
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.established.is_some() && !self.closed && self.failed.is_none() {
            self.closed = true;
            self.write(ALERT, &[CLOSE_NOTIFY], out);
        }
    }

    fn state(&self) -> State {
        match &self.established {
            None => State::Handshaking,
            Some(established) if self.step == Step::PeerClosed => State::PeerClosed(established.clone()),
            Some(established) => State::Ready(established.clone()),
        }
    }
}

const HELLO: u8 = 1;
const ANSWER: u8 = 2;
const FINISHED: u8 = 3;
const ALERT: u8 = 21;
const DATA: u8 = 23;

// The alerts that OpenSSL sends for the same causes.
const CLOSE_NOTIFY: u8 = 0;
const ILLEGAL_PARAMETER: u8 = 47;

const DIALLER: u64 = 1;
const ACCEPTOR: u64 = 2;

/// The record at the front, if it is whole: its kind and its body.
fn next_record(bytes: &[u8], number: u64) -> Result<Option<(u8, &[u8])>, TlsError> {
    if bytes.starts_with(&[0xff, 0xff, 0xff, 0xfc]) && number == 0 {
        return Err(TlsError::RefusedInClear);
    }
    if bytes.first().is_some_and(|byte| *byte != FIRST_BYTE && (*byte != 0xff || bytes.len() >= 4)) {
        return Err(if number == 0 { TlsError::NotTls } else { TlsError::DamagedRecord });
    }
    let Some(len) = record_len(bytes) else { return Ok(None) };
    if !(HEAD + SUM..=HEAD + MAX_PLAIN + SUM).contains(&len) {
        return Err(TlsError::DamagedRecord);
    }
    let Some(record) = bytes.get(..len) else { return Ok(None) };
    let (signed, sum) = record.split_at(len - SUM);
    if xxh3_128_with_seed(signed, number).to_be_bytes() != *sum {
        return Err(TlsError::DamagedRecord);
    }
    Ok(Some((signed[1], &signed[HEAD..])))
}

/// Stands for the knowledge of a key: two sides with the same key compute the same.
fn proof(key: &Secret, side: u64) -> [u8; 16] {
    xxh3_128_with_seed(key.expose(), side).to_be_bytes()
}

fn established(identity: Option<PeerName>) -> Established {
    Established { kind: Kind::Toy, version: "toy".to_owned(), cipher: "none".to_owned(), identity }
}
