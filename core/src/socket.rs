//! What a socket is told, and what it says: addresses, options, failures.

use std::net::SocketAddr;
use std::time::Duration;

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

/// Options of a TCP socket. `TCP_NODELAY` and `SO_KEEPALIVE` are always on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// TCP keepalive times; the system's own if absent (`wire/1 §9.6`).
    pub keepalive: Option<Keepalive>,
    /// `SO_SNDBUF` and `SO_RCVBUF` in bytes; the system's own if absent.
    pub buffer: Option<u32>,
    /// `TCP_MAXSEG`: bytes of the longest segment that either end sends; what fits the network interface if absent.
    pub segment: Option<u32>,
}

/// TCP keepalive times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// `TCP_KEEPIDLE`: silence before the first probe.
    pub idle: Duration,
    /// `TCP_KEEPINTVL`: time between probes.
    pub interval: Duration,
    /// `TCP_KEEPCNT`: probes before the connection is given up; the system's own if absent.
    pub probes: Option<u32>,
    /// `TCP_USER_TIMEOUT`: how long sent bytes may stay unacknowledged; the system's own if absent.
    pub user_timeout: Option<Duration>,
}
