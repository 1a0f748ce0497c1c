//! One trait, four engines. An engine turns bytes into bytes; it owns no socket and decides nothing about peers.
//!
//! ```text
//!   socket -> cipher: Buf -> open() -> plain: Buf -> frames
//!   socket <- out: Vec<u8> <- seal() <- plaintext slices
//! ```

pub mod certificate;
pub mod keyring;
pub mod offer;
pub mod plain;
#[cfg(feature = "psk")]
pub mod psk;
pub mod rustls;
pub mod sniff;
pub mod terms;
#[cfg(feature = "sim")]
pub mod toy;

mod advice;
#[cfg(feature = "psk")]
mod psk_context;
#[cfg(feature = "psk")]
mod psk_errors;
mod record;
mod start;
#[cfg(test)]
mod tests;
mod verify;
mod x509;

#[cfg(test)]
pub(crate) use advice::one_of_each as one_of_each_error;
pub use start::{Acceptor, Dialler};

use crate::buf::Buf;
use crate::error::TlsError;
use crate::wire::names::PeerName;

/// One TLS engine of one connection.
pub trait Session: Send + std::fmt::Debug {
    /// Takes ciphertext from the front of `cipher`, appends plaintext to `plain` and replies of the handshake to `out`.
    /// Called with an empty `cipher` it writes the dialler's first flight. A partial record stays, or moves into the
    /// engine; if it is larger than the storage of `cipher`, that grows (to at most one record, or one handshake message).
    ///
    /// Stops early when `plain` holds `limit` bytes or more, at most one record later: call again once they are
    /// consumed. Nothing is kept back then but what still stands in `cipher`.
    ///
    /// # Errors
    /// The connection is over; `out` may hold an alert that is still to be written.
    fn open(&mut self, cipher: &mut Buf, plain: &mut Buf, limit: usize, out: &mut Vec<u8>) -> Result<(), TlsError>;

    /// Seals the slices in order into records appended to `out`. Only when [`state`](Self::state) is `Ready`.
    ///
    /// # Errors
    /// The connection is over.
    fn seal(&mut self, plain: &[&[u8]], out: &mut Vec<u8>) -> Result<(), TlsError>;

    /// Appends a `close_notify` to `out`. Nothing may be sealed after it.
    fn close(&mut self, out: &mut Vec<u8>);

    /// How far the handshake has come.
    fn state(&self) -> State;

    /// Whether the engine holds the beginning of a record whose end has not come; what stands in `cipher` does not count.
    fn is_in_record(&self) -> bool {
        false
    }
}

/// How far a handshake has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Not finished.
    Handshaking,
    /// Finished.
    Ready(Established),
    /// Finished, and the peer has sent its `close_notify`: no more plaintext will come.
    PeerClosed(Established),
}

/// What a finished handshake agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Established {
    /// Clear, certificate or pre-shared key.
    pub kind: Kind,
    /// `TLSv1.3` or `TLSv1.2`; empty in clear.
    pub version: String,
    /// The cipher suite by its name; empty in clear.
    pub cipher: String,
    /// Who the pre-shared key belongs to, verified (acceptor and dialler alike). None without a pre-shared key.
    pub identity: Option<PeerName>,
}

/// `TLS_AES_128_GCM_SHA256 TLSv1.3`, or `None` in clear: the words of `wire/1 §2.10`.
impl std::fmt::Display for Established {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            Kind::Clear => f.write_str("None"),
            Kind::Certificate | Kind::Psk | Kind::Toy => write!(f, "{} {}", self.cipher, self.version),
        }
    }
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Not at all.
    Clear,
    /// TLS, authenticated by certificates.
    Certificate,
    /// TLS, authenticated by a pre-shared key.
    Psk,
    /// The engine of the simulator.
    Toy,
}

/// Which versions of TLS an engine may speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versions {
    /// 1.3, else 1.2.
    #[default]
    All,
    /// 1.2 alone.
    Only12,
    /// 1.3 alone.
    Only13,
}
