//! The types a connection is made from and talks in.

use std::io::IoSlice;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use super::flight::Stall;
use super::reason::{CloseReason, Stage};
use crate::bulk::machine::{FromMachine, Machine, Outcome, ToMachine};
use crate::bulk::parcel::Parcel;
use crate::ids::ConnId;
use crate::secret::Secret;
use crate::socket::Ends;
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
    /// How long a wrong key waits for its answer.
    pub pause: Duration,
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
    /// Whether it is a Towline daemon: then it answers heartbeats.
    pub towline: bool,
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
    /// Collect the lines of a verify job into parcels (`wire/2 §1.12`): the director's control channel to a file daemon.
    GatherLines,
    /// Collect every text into parcels: the director's control channel to a daemon whose answer a console waits for.
    GatherTexts,
    /// To a Towline peer: say a heartbeat once nothing was said for so long, and miss the peer's.
    Heartbeat {
        /// How long.
        every: Duration,
        /// Whether this end may send more than a living peer takes at once: then a missing answer means nothing.
        sending: bool,
    },
    /// Move a job's data no faster than so many bytes a second from here on; `None`: as fast as it goes. Only what a
    /// machine sends or receives is slowed down, and only in that direction.
    Pace(Option<NonZeroU64>),
    /// Say how much was read and written: answered by `Reported`.
    Report,
    /// The node has taken this many messages more: said at once where the next waits for it, on a data channel and while
    /// frames are gathered, and else of several at a time.
    Taken(u32),
    /// Send what is queued, then a TERMINATE signal if `farewell`, half-close, read to the end, close.
    Close {
        /// Whether to send TERMINATE.
        farewell: bool,
    },
    /// Close at once; what is queued is lost.
    Abort,
    /// Close at once, because nothing has moved for too long.
    GiveUp(Stall),
    /// Make room for another one: say so to the peer if it can hear it, and close. Nothing follows.
    PushOut,
}

/// What a connection tells the node. At most 8 of these are under way; then the connection stops reading until `Taken`.
#[derive(Debug)]
#[non_exhaustive]
pub enum FromConn {
    /// An accepted connection has got further on its way to be authenticated: said three times at most, and not answered
    /// by `Taken`.
    Reached {
        /// How far.
        stage: Stage,
        /// Whether the peer has proved in TLS that it knows a key.
        by_key: bool,
    },
    /// Both CRAM-MD5 directions agreed.
    Authenticated(Box<Peer>),
    /// A whole text frame, one trailing NUL removed.
    Text(Vec<u8>),
    /// A signal.
    Signal(Signal),
    /// A parcel of whole frames of the kind that is gathered.
    Parcel(Parcel),
    /// The parcel given with `ToConn::Parcel` is written; here is its buffer.
    ParcelSent(Parcel),
    /// The machine has something to say.
    Machine(FromMachine),
    /// The machine has ended; text mode again.
    Carried(Outcome),
    /// The answer to `Report`.
    Reported(Traffic),
    /// It makes no progress, though TCP holds it up. Told again once a minute.
    Stalled(Stall),
    /// The end. Nothing follows.
    Closed(CloseReason),
}

/// What went over a connection so far, as the socket saw it: with heads, and encrypted if it has TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes read.
    pub read: u64,
    /// Bytes written.
    pub written: u64,
    /// When the last byte was read; its beginning if there was none.
    pub heard: Instant,
    /// What the machine it carries, or carried last, has moved; `None` if there was none.
    pub moved: Option<Moved>,
    /// How long the last answer to a heartbeat of ours took; `None` if there was none.
    pub round_trip: Option<Duration>,
}

/// What a machine has moved so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Files of which at least the beginning has gone through.
    pub files: u64,
    /// Bytes: as sent or received, with the heads of their frames; of records alone where blocks are packed.
    pub bytes: u64,
    /// When the machine began.
    pub since: Instant,
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
