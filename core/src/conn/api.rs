//! The types a connection is made from and talks in.

use std::io::IoSlice;
use std::sync::Arc;

use crate::bulk::machine::{FromMachine, Machine, Outcome, ToMachine};
use crate::bulk::parcel::Parcel;
use crate::error::TlsError;
use crate::event::{Ends, IoKind};
use crate::ids::ConnId;
use crate::secret::Secret;
use crate::time::{Instant, Wall};
use crate::tls;
use crate::tls::keyring::Keyring;
use crate::wire::frame::Signal;
use crate::wire::hello::Hello;
use crate::wire::names::PeerName;

/// What the node decides before it dials.
#[derive(Debug)]
pub struct Dialling {
    /// The connection's name.
    pub id: ConnId,
    /// Both ends.
    pub ends: Ends,
    /// Which engine, and what it offers.
    pub engine: tls::Dialler,
    /// The first line.
    pub hello: Hello,
    /// The key of both CRAM-MD5 directions (`wire/1 §4.6`).
    pub key: Secret,
    /// The qualified name in our own challenge (`wire/1 §4.2`), for example `R_DIRECTOR::backup-dir`.
    pub own: String,
    /// Our policy number for `ssl=` (`wire/1 §2.3`).
    pub policy: u8,
    /// The random number of our challenge.
    pub nonce: u32,
    /// The time of our challenge.
    pub wall: Wall,
    /// When authentication must be done.
    pub give_up: Instant,
}

/// What the node decides when it accepts.
#[derive(Debug)]
pub struct Accepting {
    /// The connection's name.
    pub id: ConnId,
    /// Both ends.
    pub ends: Ends,
    /// Which engines there are.
    pub engines: Arc<tls::Acceptor>,
    /// Who may come, with which key: resources and running jobs.
    pub keyring: Arc<Keyring>,
    /// The qualified name in our own challenge, for example `R_STORAGE::backup-sd`.
    pub own: String,
    /// The random number of our challenge.
    pub nonce: u32,
    /// The time of our challenge.
    pub wall: Wall,
    /// When authentication must be done.
    pub give_up: Instant,
}

/// The other end, after both CRAM-MD5 directions agreed.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Both ends of the TCP connection.
    pub ends: Ends,
    /// The hello it sent; our own if we dialled.
    pub hello: Hello,
    /// Who it has proved to be; whom we meant if we dialled.
    pub name: PeerName,
    /// How the connection is protected.
    pub tls: tls::Established,
}

/// What the node tells a connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum ToConn {
    /// Send these whole frames.
    Send(Vec<u8>),
    /// Send this parcel of whole frames; answered by `ParcelSent` with the parcel, empty.
    Parcel(Parcel),
    /// Let this machine have all that arrives from here on, and send what it makes. Answered by `Carried` when it has ended.
    Carry(Box<Machine>),
    /// For the machine.
    Machine(ToMachine),
    /// Collect frames that begin with `UpdCat ` into parcels (`wire/3 §2.4`): the director's control channel to a storage daemon.
    Gather,
    /// The node has taken this many messages.
    Taken(u32),
    /// Send what is queued, then a TERMINATE signal if `farewell`, half-close, read to the end, close.
    Close {
        /// Whether to send TERMINATE.
        farewell: bool,
    },
    /// Close at once; what is queued is lost.
    Abort,
}

/// What a connection tells the node. At most 8 of these are under way; then the connection stops reading until `Taken`.
#[derive(Debug)]
#[non_exhaustive]
pub enum FromConn {
    /// Both CRAM-MD5 directions agreed.
    Authenticated(Box<Peer>),
    /// A whole text frame, one trailing NUL removed.
    Text(Vec<u8>),
    /// A signal.
    Signal(Signal),
    /// A parcel of whole `UpdCat` frames.
    Parcel(Parcel),
    /// The parcel given with `ToConn::Parcel` is written; here is its buffer.
    ParcelSent(Parcel),
    /// The machine has something to say.
    Machine(FromMachine),
    /// The machine has ended; text mode again.
    Carried(Outcome),
    /// The end. Nothing follows.
    Closed(CloseReason),
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// We asked for it and everything was written.
    #[error("closed")]
    Done,
    /// The peer said TERMINATE or closed its side.
    #[error("closed by the peer")]
    ByPeer,
    /// The peer closed before authentication was done.
    #[error("closed by the peer during {0}")]
    EarlyByPeer(Stage),
    /// The socket failed.
    #[error("{0} during {1}")]
    Io(IoKind, Stage),
    /// The TLS engine gave up.
    #[error("TLS: {0}")]
    Tls(TlsError),
    /// Neither a hello nor TLS: another protocol, or noise.
    #[error("the first bytes are neither a Bareos hello nor TLS")]
    NotBareos,
    /// A hello nobody knows, or of a kind this daemon does not serve.
    #[error("unknown or unsuitable hello")]
    BadHello,
    /// The name in the hello is not configured here.
    #[error("unknown name {0}")]
    UnknownPeer(String),
    /// The hello names somebody else than the pre-shared key.
    #[error("the hello says {hello} and the key belongs to {key}")]
    NameMismatch {
        /// Who the hello says it is.
        hello: String,
        /// Whose key was used.
        key: String,
    },
    /// Clear text where TLS is required.
    #[error("{0} came in clear where TLS is required")]
    TlsRequired(String),
    /// Our answer or theirs to a challenge was wrong.
    #[error("wrong password for {0}")]
    WrongPassword(String),
    /// The peer refused our answer to its challenge.
    #[error("the peer refuses our password")]
    RefusedByPeer,
    /// The challenge carries our own name: a reflection (`wire/1 §4.2`).
    #[error("the peer's challenge carries our own name")]
    Reflection,
    /// The peer broke the framing or the order of the protocol.
    #[error("protocol error: {0}")]
    Protocol(String),
    /// Authentication took too long.
    #[error("not authenticated in time, stopped at {0}")]
    TooSlow(Stage),
    /// The peer did not take or finish in time while draining.
    #[error("did not drain in time")]
    DrainTimeout,
    /// We called it off.
    #[error("aborted")]
    Aborted,
}

/// How far a connection had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing heard yet.
    FirstBytes,
    /// In the TLS handshake.
    Handshake,
    /// Before the hello.
    Hello,
    /// In CRAM-MD5.
    Authentication,
    /// In use.
    Ready,
    /// Closing.
    Draining,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::FirstBytes => "the first bytes",
            Self::Handshake => "the TLS handshake",
            Self::Hello => "the hello",
            Self::Authentication => "authentication",
            Self::Ready => "use",
            Self::Draining => "closing",
        })
    }
}

/// Half of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What comes in.
    Read,
    /// What goes out.
    Write,
}

/// What the adapter should do with the socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// Wait until it is readable, and read.
    pub read: bool,
    /// Wait until it is writable, and write.
    pub write: bool,
    /// Everything is written: shut the write half down, once.
    pub shut_write: bool,
    /// Close the socket and drop the connection, after draining its messages.
    pub close: bool,
}

/// A short list of slices for one `writev(2)`.
#[derive(Debug)]
pub struct Transmit<'a> {
    pub(super) slices: Vec<IoSlice<'a>>,
}

impl<'a> std::ops::Deref for Transmit<'a> {
    type Target = [IoSlice<'a>];
    fn deref(&self) -> &Self::Target {
        &self.slices
    }
}

/// One TCP connection. See the [module](super).
#[derive(Debug)]
pub struct Conn {
    id: ConnId,
}

impl Conn {
    /// A connection we dialled.
    #[must_use]
    pub fn dialled(dialling: Dialling, _now: Instant) -> Self {
        Self { id: dialling.id }
    }

    /// A connection we accepted.
    #[must_use]
    pub fn accepted(accepting: Accepting, _now: Instant) -> Self {
        Self { id: accepting.id }
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> ConnId {
        self.id
    }
}
