//! What happened: facts that the adapter reports to the [`Node`](crate::node::Node).

use std::net::SocketAddr;

use crate::calendar::Zone;
use crate::conn::FromConn;
use crate::drive::WorkDone;
use crate::ids::{ConnId, DialId, ListenerId, QueryId, TicketId, WorkId};
use crate::time::Wall;

/// A fact, in the past tense. Every `Resolve`, `Dial`, `Listen` and `Work` action is answered by exactly one event.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The adapter runs. Always the first event.
    Started {
        /// The wall time at the `now` of this call.
        wall: Wall,
    },
    /// The wall clock moved against the monotonic one: it was set, or the machine slept.
    ClockJumped {
        /// The wall time at the `now` of this call.
        wall: Wall,
    },
    /// The machine is in another time zone now, or the rules of its own have changed.
    ZoneChanged(Zone),
    /// The machine's addresses or its ways to other networks have changed: what is connected may be dead, and what could
    /// not be reached may be there.
    NetworkChanged,
    /// The operator wants the daemon to end. A second one ends it at once.
    StopRequested,
    /// One line the operator typed, without its line feed; `None` at the end of the input.
    Typed(Option<String>),
    /// The answer to `Resolve`.
    Resolved {
        /// Which look-up.
        query: QueryId,
        /// The addresses in the resolver's order.
        answer: Result<Vec<SocketAddr>, ResolveError>,
    },
    /// The answer to `Dial`. After `Ok` the adapter holds the socket until `Attach` or `CancelDial`.
    Dialed {
        /// Which dial.
        dial: DialId,
        /// Both ends of the connection, or why there is none.
        outcome: Result<Ends, IoKind>,
    },
    /// The answer to `Listen`.
    Bound {
        /// Which listener.
        listener: ListenerId,
        /// The address bound, with the port the system chose.
        outcome: Result<SocketAddr, IoKind>,
    },
    /// A connection was accepted. The adapter holds the socket until `Admit` or `Refuse`.
    Accepted {
        /// Names the held socket.
        ticket: TicketId,
        /// Where it came in.
        listener: ListenerId,
        /// Both ends of the connection.
        ends: Ends,
    },
    /// A connection waits at a listener and the system does not hand it over. The adapter rests for
    /// [`ACCEPT_PAUSE`](crate::drive::ACCEPT_PAUSE) and asks again; the listener stays.
    NotAccepted {
        /// Where it waits.
        listener: ListenerId,
        /// What the system said.
        error: IoKind,
    },
    /// A connection has something to say. After `FromConn::Closed` it says nothing more.
    FromConn {
        /// Which connection.
        conn: ConnId,
        /// What it says.
        message: FromConn,
    },
    /// The answer to `Work`.
    Done {
        /// Which piece of work.
        work: WorkId,
        /// What came of it.
        done: WorkDone,
    },
}

/// The two ends of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Our address.
    pub local: SocketAddr,
    /// The other's address.
    pub peer: SocketAddr,
}

/// Why the system's resolver gave no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The name does not exist, or has no address.
    #[error("the name does not exist or has no address")]
    NoSuchName,
    /// The resolver could not say: worth another try.
    #[error("the resolver cannot say at the moment")]
    Temporary,
    /// The address is of the link of an interface that this machine does not have now.
    #[error("this machine has no such interface")]
    NoInterface,
}

/// What the system said about a socket, free of the system's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum IoKind {
    /// Nothing listens there.
    #[error("connection refused")]
    Refused,
    /// No answer in time.
    #[error("timed out")]
    TimedOut,
    /// A router on the way knows no way to the host.
    #[error("host or network unreachable")]
    Unreachable,
    /// This machine knows no way to it.
    #[error("this machine has no route to it")]
    NoRoute,
    /// The next hop does not answer on its link.
    #[error("nothing on the link answers for it")]
    NoNeighbour,
    /// A firewall on the way says no.
    #[error("a firewall on the way rejects it")]
    Prohibited,
    /// No local port is left for one more connection to it.
    #[error("no local port is left")]
    NoPorts,
    /// The other side reset the connection.
    #[error("connection reset by the peer")]
    Reset,
    /// The connection broke on our side.
    #[error("connection aborted")]
    Aborted,
    /// The address is taken.
    #[error("address already in use")]
    InUse,
    /// The address is not one of this machine's.
    #[error("address not available on this machine")]
    NotAvailable,
    /// The system does not speak this family of addresses: IPv6 is switched off, above all.
    #[error("this machine does not speak this family of addresses")]
    NoFamily,
    /// The system forbids it.
    #[error("permission denied")]
    Denied,
    /// No more descriptors or memory.
    #[error("out of descriptors or memory")]
    Exhausted,
    /// The node called it off.
    #[error("cancelled")]
    Cancelled,
    /// Anything else.
    #[error("input/output error")]
    Other,
}
