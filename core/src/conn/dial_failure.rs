//! Why a dial ended without a connection: whose fault, and what to do.

use std::net::{IpAddr, SocketAddr};

use super::CloseReason;
use crate::error::{Explain, Facts, Fault, Retry};
use crate::socket::{IoKind, ResolveError};

/// Why a dial ended without a connection: what the last try saw.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialFailure {
    /// The name could not be resolved.
    #[error("cannot resolve {host}: {error}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        error: ResolveError,
    },
    /// Its addresses are of one link, and nothing says of which.
    #[error("{host} is an address of one link, and nothing says of which")]
    NoScope {
        /// The name or address.
        host: String,
    },
    /// No address can be reached from the configured source address.
    #[error("{host} has no address that our source address {from} can reach")]
    Family {
        /// The name.
        host: String,
        /// The source address.
        from: IpAddr,
    },
    /// No address let us connect.
    #[error("cannot connect to {to}: {error}")]
    Connect {
        /// The last address tried.
        to: SocketAddr,
        /// What the system said.
        error: IoKind,
    },
    /// Connected, but not let in.
    #[error("{to} refused our login: {reason}")]
    Refused {
        /// The address.
        to: SocketAddr,
        /// Why.
        reason: CloseReason,
    },
    /// We called it off.
    #[error("called off")]
    Cancelled,
}

impl Explain for DialFailure {
    fn facts(&self) -> Facts {
        use Fault::{Config, Local, Network};
        use Retry::{Backoff, Never};
        match self {
            Self::Resolve { error: ResolveError::NoSuchName, .. } => {
                (Config, Never, 101, "check the name in `address`, and that this host can resolve it")
            }
            Self::Resolve { error: ResolveError::Temporary, .. } => (
                Network,
                Backoff,
                102,
                "check this host's resolver; the look-up is tried again until the connect time-out",
            ),
            Self::Resolve { error: ResolveError::NoInterface, .. } => (
                Config,
                Backoff,
                115,
                "correct the interface in `address`, or bring it up; it is looked for again until the connect \
                 time-out",
            ),
            Self::Family { .. } => (
                Config,
                Never,
                113,
                "correct `source_address`, or give the peer an address of its family: IPv4 and IPv6 do not reach \
                 each other",
            ),
            Self::NoScope { .. } => {
                (Config, Never, 114, "add the interface of this host to `address`, as in `fe80::1%eth0`")
            }
            Self::Connect { error, .. } => match error {
                IoKind::Refused => {
                    (Network, Backoff, 103, "nothing listens there: check that the daemon runs, and the port")
                }
                IoKind::TimedOut => {
                    (Network, Backoff, 104, "no answer at all: a firewall drops the packets, or the host is down")
                }
                IoKind::Unreachable => (
                    Network,
                    Backoff,
                    105,
                    "a router on the way knows no way to this address: follow it with `traceroute`",
                ),
                IoKind::NoRoute => (Local, Backoff, 117, "check the routes of this host, as `ip route get` shows them"),
                IoKind::NoNeighbour => (
                    Network,
                    Backoff,
                    118,
                    "the host is off or has another address, or the router to it is: check it on its link",
                ),
                // A rule says so: it will say so again until somebody changes it.
                IoKind::Prohibited => (
                    Network,
                    Never,
                    119,
                    "a firewall on the way rejects the connection by rule: allow this address and port there",
                ),
                IoKind::NoPorts => (
                    Local,
                    Backoff,
                    129,
                    "widen `net.ipv4.ip_local_port_range` of this host, or find what opens so many connections \
                     to this port",
                ),
                IoKind::Reset => (
                    Network,
                    Backoff,
                    108,
                    "look for a firewall on the way that resets connections, or a limit at the peer",
                ),
                IoKind::NotAvailable => {
                    (Config, Backoff, 109, "correct `source_address`: this host has no such address")
                }
                IoKind::NoFamily => (
                    Network,
                    Backoff,
                    116,
                    "give the peer an address of another family, or switch this one on at this host",
                ),
                IoKind::Denied => {
                    (Local, Never, 111, "a local firewall or security policy forbids the connection: allow it")
                }
                IoKind::Exhausted | IoKind::InUse => (
                    Local,
                    Backoff,
                    112,
                    "raise the limit of open files (`LimitNOFILE`, `ulimit -n`), or close other connections",
                ),
                IoKind::Aborted | IoKind::Cancelled | IoKind::Other => {
                    (Network, Backoff, 106, "try this address and port by hand from this host")
                }
            },
            Self::Refused { reason, .. } => return reason.facts(),
            Self::Cancelled => (Local, Never, 107, "nothing to do: the connection is not wanted any more"),
        }
        .into()
    }
}

/// One failure for each code of its own.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<DialFailure> {
    let to = ([192, 0, 2, 1], 9103).into();
    let connect = |error| DialFailure::Connect { to, error };
    let resolve = |error| DialFailure::Resolve { host: "sd.example".to_owned(), error };
    vec![
        resolve(ResolveError::NoSuchName),
        resolve(ResolveError::Temporary),
        connect(IoKind::Refused),
        connect(IoKind::TimedOut),
        connect(IoKind::Unreachable),
        connect(IoKind::Other),
        DialFailure::Cancelled,
        connect(IoKind::Reset),
        connect(IoKind::NotAvailable),
        connect(IoKind::Denied),
        connect(IoKind::Exhausted),
        DialFailure::Family { host: "sd.example".to_owned(), from: [192, 0, 2, 9].into() },
        DialFailure::NoScope { host: "fe80::1".to_owned() },
        resolve(ResolveError::NoInterface),
        connect(IoKind::NoFamily),
        connect(IoKind::NoRoute),
        connect(IoKind::NoNeighbour),
        connect(IoKind::Prohibited),
        connect(IoKind::NoPorts),
    ]
}
