//! What to do: orders of the [`Node`](crate::node::Node) to the adapter.

use std::net::{IpAddr, SocketAddr};

use crate::conn::{Conn, ToConn};
use crate::ids::{ConnId, DialId, ListenerId, QueryId, TicketId, WorkId};
use crate::notice::{ExitReason, Notice};
use crate::socket::SocketOptions;
use crate::time::Instant;
use crate::work::Work;

/// An order, in the imperative.
#[derive(Debug)]
#[non_exhaustive]
pub enum Action {
    /// Ask the system's resolver. Answered by `Event::Resolved`.
    Resolve {
        /// Names the look-up.
        query: QueryId,
        /// A host name, or an address of a link with the name of its interface.
        host: String,
        /// The port for the addresses of the answer.
        port: u16,
    },
    /// Connect. Answered by `Event::Dialed`, with `IoKind::TimedOut` at `give_up`.
    Dial {
        /// Names the dial.
        dial: DialId,
        /// Where to.
        to: SocketAddr,
        /// The source address, if one is configured.
        from: Option<IpAddr>,
        /// Options to set before connecting.
        socket: SocketOptions,
        /// When to give up.
        give_up: Instant,
    },
    /// Stop dialling, or close the socket a finished dial holds. A dial under way still answers, with `IoKind::Cancelled`.
    CancelDial(DialId),
    /// Give the dialled socket to this connection and drive it.
    Attach {
        /// Whose socket.
        dial: DialId,
        /// The connection, which knows its own id.
        conn: Box<Conn>,
    },
    /// Listen. Answered by `Event::Bound`; then each connection is an `Event::Accepted`.
    Listen {
        /// Names the listener.
        listener: ListenerId,
        /// The address; port 0 lets the system choose.
        on: SocketAddr,
        /// Options for the accepted sockets.
        socket: SocketOptions,
        /// Length of the system's queue.
        backlog: u32,
    },
    /// Close a listener.
    Unlisten(ListenerId),
    /// Give the accepted socket to this connection and drive it.
    Admit {
        /// Whose socket.
        ticket: TicketId,
        /// The connection, which knows its own id.
        conn: Box<Conn>,
    },
    /// Close the accepted socket.
    Refuse(TicketId),
    /// Pass a message to a connection. To one that has ended: drop it.
    ToConn {
        /// Which connection.
        conn: ConnId,
        /// What to tell it.
        message: ToConn,
    },
    /// Set TCP keepalive on a connection's socket.
    Keepalive {
        /// Which connection.
        conn: ConnId,
        /// The options.
        socket: SocketOptions,
    },
    /// Do this on the disk or in the catalog. Answered by `Event::Done`.
    Work {
        /// Names the piece of work.
        work: WorkId,
        /// What to do.
        request: Work,
    },
    /// Tell the log or the operator.
    Notify(Notice),
    /// End: close every socket and return from `run`. The last action.
    Exit(ExitReason),
}
