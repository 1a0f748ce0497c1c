//! From a host name to an authenticated connection: resolve, try each address, TLS and authentication, retry until the deadline.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::net::{Link, Net, Owner, TimerKey};
use crate::action::{Action, SocketOptions};
use crate::conn::{CloseReason, Conn, Dialling};
use crate::error::{Code, Explain, Fault, Retry};
use crate::event::{Ends, IoKind, ResolveError};
use crate::ids::{ConnId, DialId, QueryId};
use crate::limits;
use crate::secret::Secret;
use crate::time::Instant;
use crate::tls;
use crate::wire::hello::Hello;

/// Where to dial and how long to try (`wire/1 §9.1`).
#[derive(Clone, Debug)]
pub struct Route {
    /// A host name or a literal address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The source address, if one is configured.
    pub source: Option<IpAddr>,
    /// Socket options.
    pub socket: SocketOptions,
    /// The pause after all addresses have failed.
    pub retry: Duration,
    /// How long to try in all.
    pub within: Duration,
}

/// What to say once connected.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Which TLS engine, and what it offers.
    pub engine: tls::Dialler,
    /// The hello.
    pub hello: Hello,
    /// The key of both CRAM-MD5 directions.
    pub key: Secret,
    /// The qualified name in our challenge.
    pub own: String,
    /// Our policy number for `ssl=`.
    pub policy: u8,
}

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
    /// No address let us connect.
    #[error("cannot connect to {to}: {error}")]
    Connect {
        /// The last address tried.
        to: SocketAddr,
        /// What the system said.
        error: IoKind,
    },
    /// Connected, but not let in.
    #[error("{to} does not let us in: {reason}")]
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
    fn fault(&self) -> Fault {
        match self {
            Self::Resolve { error: ResolveError::NoSuchName, .. } => Fault::Config,
            Self::Resolve { error: ResolveError::Temporary, .. } => Fault::Network,
            Self::Connect { error: IoKind::NotAvailable, .. } => Fault::Config,
            Self::Connect { error: IoKind::Denied | IoKind::Exhausted | IoKind::InUse, .. } => Fault::Local,
            Self::Connect { .. } => Fault::Network,
            Self::Refused { reason, .. } => reason.fault(),
            Self::Cancelled => Fault::Local,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Resolve { error: ResolveError::NoSuchName, .. } | Self::Cancelled => Retry::Never,
            Self::Resolve { .. } | Self::Connect { .. } => Retry::Backoff,
            Self::Refused { reason, .. } => reason.retry(),
        }
    }

    fn code(&self) -> Code {
        Code(match self {
            Self::Resolve { error: ResolveError::NoSuchName, .. } => 101,
            Self::Resolve { error: ResolveError::Temporary, .. } => 102,
            Self::Connect { error, .. } => match error {
                IoKind::Refused => 103,
                IoKind::TimedOut => 104,
                IoKind::Unreachable => 105,
                IoKind::Reset => 108,
                IoKind::NotAvailable => 109,
                IoKind::Denied => 111,
                IoKind::Exhausted | IoKind::InUse => 112,
                IoKind::Aborted | IoKind::Cancelled | IoKind::Other => 106,
            },
            Self::Refused { reason, .. } => return reason.code(),
            Self::Cancelled => 107,
        })
    }

    fn help(&self) -> &'static str {
        match self {
            Self::Resolve { error: ResolveError::NoSuchName, .. } => {
                "check the name in `address`, and that this host can resolve it"
            }
            Self::Resolve { error: ResolveError::Temporary, .. } => {
                "check this host's resolver; the look-up is tried again until the connect time-out"
            }
            Self::Connect { error, .. } => match error {
                IoKind::Refused => "nothing listens there: check that the daemon runs, and the port",
                IoKind::TimedOut => "no answer at all: a firewall drops the packets, or the host is down",
                IoKind::Unreachable => "check the route to this address from this host",
                IoKind::Reset => "look for a firewall on the way that resets connections, or a limit at the peer",
                IoKind::NotAvailable => "correct `source_address`: this host has no such address",
                IoKind::Denied => "a local firewall or security policy forbids the connection: allow it",
                IoKind::Exhausted | IoKind::InUse => "raise the limit of open files, or close other connections",
                IoKind::Aborted | IoKind::Cancelled | IoKind::Other => {
                    "try this address and port by hand from this host"
                }
            },
            Self::Refused { reason, .. } => reason.help(),
            Self::Cancelled => "nothing to do: the connection is not wanted any more",
        }
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
    ]
}

/// A dial under way.
#[derive(Debug)]
pub(super) struct Attempt {
    route: Route,
    opening: Opening,
    give_up: Instant,
    step: Step,
    addresses: Vec<SocketAddr>,
    next: usize,
    last: Option<DialFailure>,
}

#[derive(Debug)]
enum Step {
    Resolving(QueryId),
    Connecting(SocketAddr),
    Authenticating(ConnId, SocketAddr),
    Pausing(TimerKey),
}

impl Net {
    /// Dials until there is an authenticated connection or the time is over; the role hears `on_dialed` once.
    pub fn dial(&mut self, route: Route, opening: Opening) -> DialId {
        let dial = DialId(self.next_id());
        let query = QueryId(dial.0);
        let give_up = self.now + route.within;
        self.order(Action::Resolve { query, host: route.host.clone(), port: route.port });
        let step = Step::Resolving(query);
        self.dials.insert(dial, Attempt { route, opening, give_up, step, addresses: Vec::new(), next: 0, last: None });
        dial
    }

    /// Calls a dial off; the role hears `on_dialed` with `Cancelled`.
    pub fn cancel_dial(&mut self, dial: DialId) {
        let Some(attempt) = self.dials.remove(&dial) else { return };
        match attempt.step {
            Step::Resolving(_) => {}
            Step::Connecting(_) => self.order(Action::CancelDial(dial)),
            Step::Authenticating(conn, _) => {
                self.abort(conn);
                // What it still says, even that it is authenticated, comes too late.
                self.forget(conn);
            }
            Step::Pausing(key) => self.cancel_timer(key),
        }
        self.failed.push_back((dial, DialFailure::Cancelled));
    }

    pub(super) fn on_resolved(&mut self, query: QueryId, answer: Result<Vec<SocketAddr>, ResolveError>) {
        let dial = DialId(query.0);
        let Some(attempt) = self.dials.get_mut(&dial) else { return };
        if !matches!(attempt.step, Step::Resolving(expected) if expected == query) {
            return;
        }
        let host = attempt.route.host.clone();
        match answer {
            Ok(addresses) if !addresses.is_empty() => {
                attempt.addresses = addresses;
                attempt.addresses.truncate(limits::ADDRESSES_PER_NAME);
                attempt.next = 0;
                self.try_next(dial);
            }
            Ok(_) => self.fail_dial(dial, DialFailure::Resolve { host, error: ResolveError::NoSuchName }),
            Err(error) => self.pause_or_fail(dial, DialFailure::Resolve { host, error }),
        }
    }

    pub(super) fn on_dialed(&mut self, dial: DialId, outcome: Result<Ends, IoKind>) {
        let Some(attempt) = self.dials.get(&dial) else {
            if outcome.is_ok() {
                self.order(Action::CancelDial(dial));
            }
            return;
        };
        let Step::Connecting(to) = attempt.step else { return };
        match outcome {
            Ok(ends) => self.attach(dial, ends, to),
            Err(error) => {
                if let Some(attempt) = self.dials.get_mut(&dial) {
                    attempt.last = Some(DialFailure::Connect { to, error });
                }
                self.try_next(dial);
            }
        }
    }

    pub(super) fn dial_refused(&mut self, dial: DialId, reason: CloseReason) {
        let Some(attempt) = self.dials.get_mut(&dial) else { return };
        let Step::Authenticating(_, to) = attempt.step else { return };
        let failure = DialFailure::Refused { to, reason };
        match failure.retry() {
            Retry::Never => self.fail_dial(dial, failure),
            Retry::Backoff | Retry::Now => {
                attempt.last = Some(failure);
                self.try_next(dial);
            }
        }
    }

    pub(super) fn retry_dial(&mut self, dial: DialId) {
        let query = QueryId(dial.0);
        let Some(attempt) = self.dials.get_mut(&dial) else { return };
        attempt.step = Step::Resolving(query);
        let (host, port) = (attempt.route.host.clone(), attempt.route.port);
        self.order(Action::Resolve { query, host, port });
    }

    pub(super) fn end_dial(&mut self, dial: DialId) {
        self.dials.remove(&dial);
    }

    /// Dials the next address; when all have failed, pauses.
    fn try_next(&mut self, dial: DialId) {
        let now = self.now;
        let Some(attempt) = self.dials.get_mut(&dial) else { return };
        let Some(&to) = attempt.addresses.get(attempt.next).filter(|_| now < attempt.give_up) else {
            let to = attempt.addresses.first().copied();
            let last =
                attempt.last.take().or_else(|| to.map(|to| DialFailure::Connect { to, error: IoKind::TimedOut }));
            return self.pause_or_fail(dial, last.unwrap_or(DialFailure::Cancelled));
        };
        let left = u32::try_from(attempt.addresses.len() - attempt.next).unwrap_or(1);
        attempt.next += 1;
        // The last address may use all the time there is; the ones before it leave a share for the rest.
        let give_up = now + attempt.give_up.since(now) / left;
        attempt.step = Step::Connecting(to);
        let (from, socket) = (attempt.route.source, attempt.route.socket);
        self.order(Action::Dial { dial, to, from, socket, give_up });
    }

    fn attach(&mut self, dial: DialId, ends: Ends, to: SocketAddr) {
        let id = ConnId(self.next_id());
        let (nonce, wall, now) = (self.random(), self.wall(), self.now);
        let within = self.settings.authenticate_within;
        let Some(attempt) = self.dials.get_mut(&dial) else { return };
        attempt.step = Step::Authenticating(id, to);
        let Opening { engine, hello, key, own, policy } = attempt.opening.clone();
        let dialling = Dialling { id, ends, engine, hello, key, own, policy, nonce, wall, give_up: now + within };
        self.links.insert(id, Link { ends, dial: Some(dial), ready: false });
        self.order(Action::Attach { dial, conn: Box::new(Conn::dialled(dialling, now)) });
    }

    fn pause_or_fail(&mut self, dial: DialId, failure: DialFailure) {
        let now = self.now;
        let key = TimerKey(self.next_id());
        let Some(attempt) = self.dials.get_mut(&dial) else { return };
        let again = now + attempt.route.retry;
        if failure.retry() == Retry::Never || again >= attempt.give_up {
            return self.fail_dial(dial, failure);
        }
        attempt.step = Step::Pausing(key);
        attempt.last = Some(failure);
        self.arm(again, key, Owner::Dial(dial), "dial again");
    }

    fn fail_dial(&mut self, dial: DialId, failure: DialFailure) {
        if self.dials.remove(&dial).is_some() {
            self.failed.push_back((dial, failure));
        }
    }
}
