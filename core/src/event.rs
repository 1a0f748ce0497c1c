//! What happened: facts that the adapter reports to the [`Node`](crate::node::Node).

use std::net::SocketAddr;

use crate::calendar::Zone;
use crate::conn::FromConn;
use crate::ids::{ConnId, DialId, ListenerId, QueryId, TicketId, WorkId};
use crate::socket::{Ends, IoKind, ResolveError};
use crate::time::Wall;
use crate::work::WorkDone;

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
    /// The supervisor wants to know whether the node goes on: answered with [`Alive`](crate::notice::Notice::Alive).
    Pinged,
    /// The operator asks the daemon to read its configuration again.
    ReloadRequested,
    /// The operator asks the daemon to end. A second one ends it at once.
    StopRequested,
    /// The supervisor asks the daemon to end once what runs has ended, or has had its time (SIGTERM).
    TerminateRequested,
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
