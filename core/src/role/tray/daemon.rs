//! One daemon's dialogue with the monitor: connect, be greeted, ask, hear the answer to its end.

use crate::config::{Password, TrayConfig};
use crate::conn::{CloseReason, Peer};
use crate::error::NoOffer;
use crate::ids::{ConnId, DialId, Who};
use crate::node::{Route, TimerKey};
use crate::printable;
use crate::role::identity::Credentials;
use crate::role::tray::Net;
use crate::socket::SocketOptions;
use crate::time::{Instant, Wall};
use crate::wire::frame::Signal;
use crate::wire::greeting::Greeting;
use crate::wire::hello::{self, Purpose};
use crate::wire::names::{PeerKind, PeerName};
use crate::wire::status_reply::{self, StatusReply};

use crate::notice::{DaemonView, Health, TrayFailure};

/// Bytes of the longest status that is read.
pub const MAX_STATUS: usize = 1024 * 1024;
/// The version a monitor's hello to a director announces: since 18.2 a director greets in two lines (`wire/1 §3.1`).
const SPEAKS: &str = "26.0.0";
/// The share of a daemon's time that connecting may take, so that its failure can be told from a silent daemon.
const SHARE: (u32, u32) = (4, 5);

/// A daemon that is watched.
#[derive(Debug)]
pub(super) struct Daemon {
    pub(super) view: DaemonView,
    /// When this look began.
    pub(super) began: Instant,
    /// The end of this look's time.
    pub(super) deadline: Option<TimerKey>,
    /// The pause until the next look.
    pub(super) pause: Option<TimerKey>,
    host: String,
    port: u16,
    password: Password,
    tls: bool,
    state: State,
    /// The answer so far.
    heard: String,
    /// Whether the connection was there before this look: then its end may be old news.
    kept: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not connected.
    Away,
    /// About to dial.
    Starting,
    Dialling(DialId),
    /// Connected; the greeting has not come.
    Greeting(ConnId),
    /// Asked for the status.
    Asking(ConnId),
    /// Connected, and everything is said.
    Resting(ConnId),
}

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Next {
    Wait,
    Dial,
    /// The answer is complete.
    Answered,
    Failed(TrayFailure),
}

impl Daemon {
    /// All daemons of a configuration, in the order of their places.
    pub(super) fn all(config: &TrayConfig) -> Vec<Self> {
        let own = config.monitor.tls.enable;
        let directors = config.directors.iter().map(|d| {
            (Who::Director, &d.name, &d.address, d.port, &d.password, d.tls.as_ref().map_or(own, |tls| tls.enable))
        });
        let clients = config.clients.iter().map(|d| {
            (Who::File, &d.name, &d.address, d.port, &d.password, d.tls.as_ref().map_or(own, |tls| tls.enable))
        });
        let storages = config.storages.iter().map(|d| {
            (Who::Storage, &d.name, &d.address, d.port, &d.password, d.tls.as_ref().map_or(own, |tls| tls.enable))
        });
        let daemon =
            |(place, (who, name, host, port, password, tls)): (usize, (_, &String, &String, u16, &Password, bool))| {
                let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
                Self {
                    view: DaemonView {
                        place,
                        who,
                        name: name.clone(),
                        address,
                        health: Health::Unknown,
                        asked: Wall::default(),
                        encryption: String::new(),
                        status: StatusReply::default(),
                        text: String::new(),
                    },
                    began: Instant::ZERO,
                    deadline: None,
                    pause: None,
                    host: host.clone(),
                    port,
                    password: password.clone(),
                    tls,
                    state: State::Away,
                    heard: String::new(),
                    kept: false,
                }
            };
        directors.chain(clients).chain(storages).enumerate().map(daemon).collect()
    }

    /// Whether a look is under way.
    pub(super) const fn is_busy(&self) -> bool {
        !matches!(self.state, State::Away | State::Resting(_))
    }

    /// What takes so long.
    pub(super) const fn doing(&self) -> &'static str {
        match self.state {
            State::Away | State::Starting | State::Dialling(_) => "connecting and authentication",
            State::Greeting(_) => "the greeting",
            State::Asking(_) | State::Resting(_) => "the status",
        }
    }

    /// Begins a look: over the connection there is, or a new one.
    pub(super) fn begin(&mut self, net: &mut Net) -> Next {
        self.heard.clear();
        match self.state {
            State::Resting(conn) => {
                self.kept = true;
                self.ask(net, conn);
                Next::Wait
            }
            _ => {
                self.state = State::Starting;
                Next::Dial
            }
        }
    }

    /// Dials, with the hello of a console to a director and of a director to the others (`wire/1 §7.1`).
    ///
    /// # Errors
    /// What is configured cannot be dialled with.
    pub(super) fn dial(
        &mut self,
        net: &mut Net,
        config: &TrayConfig,
        credentials: &Credentials,
    ) -> Result<(), NoOffer> {
        self.kept = false;
        self.state = State::Away;
        let (monitor, name) = (&config.monitor, config.monitor.name.clone());
        let (kind, purpose, resource) = match self.view.who {
            Who::Director => {
                let purpose = Purpose::Console { name: name.clone(), version: Some(SPEAKS.to_owned()) };
                (PeerKind::Console, purpose, "director")
            }
            Who::File => (PeerKind::Director, Purpose::Director { name: name.clone() }, "client"),
            Who::Storage => (PeerKind::Director, Purpose::Director { name: name.clone() }, "storage"),
        };
        let peer = format!("{resource} {}", self.view.name);
        let me = PeerName::new(kind, name);
        let opening = credentials.opening(&peer, &self.host, &me, &self.password.key(), self.tls, purpose)?;
        let within = monitor.timeout.duration() / SHARE.1 * SHARE.0;
        let route = Route {
            host: self.host.clone(),
            port: self.port,
            source: monitor.source_address.as_deref().and_then(|text| text.parse().ok()),
            socket: SocketOptions::default(),
            // One round over the addresses: the next look is the next try.
            retry: within,
            within,
        };
        self.state = State::Dialling(net.dial(route, opening, self.view.place));
        Ok(())
    }

    pub(super) fn connected(&mut self, conn: ConnId, peer: &Peer) -> Next {
        self.state = State::Greeting(conn);
        self.view.encryption = peer.tls.to_string();
        Next::Wait
    }

    /// Takes a text of the daemon.
    pub(super) fn hear(&mut self, net: &mut Net, conn: ConnId, text: &[u8]) -> Next {
        match self.state {
            State::Greeting(_) if is_greeting(self.view.who, text) => {
                self.ask(net, conn);
                Next::Wait
            }
            State::Greeting(_) => Next::Failed(TrayFailure::Greeting(first_line(&printable::text_of(text)))),
            // The second line of a director's greeting comes when it likes (`wire/1 §7.1`).
            State::Asking(_) if matches!(Greeting::parse(text), Some(Greeting::Login(_))) => Next::Wait,
            State::Asking(_) if self.heard.len() + text.len() > MAX_STATUS => {
                Next::Failed(TrayFailure::TooLong(MAX_STATUS))
            }
            State::Asking(_) => {
                self.heard.push_str(&printable::text_of(text.strip_suffix(b"\0").unwrap_or(text)));
                Next::Wait
            }
            _ => Next::Wait,
        }
    }

    /// Takes a signal of the daemon.
    pub(super) fn signalled(&mut self, signal: Signal) -> Next {
        let State::Asking(conn) = self.state else { return Next::Wait };
        match signal {
            Signal::Eod => {
                let status = StatusReply::parse(&self.heard);
                if !status.is_status() {
                    return Next::Failed(TrayFailure::NoStatus(first_line(&self.heard)));
                }
                self.state = State::Resting(conn);
                self.view.status = status;
                self.view.text = std::mem::take(&mut self.heard);
                Next::Answered
            }
            // A question instead of an answer.
            Signal::SubPrompt => Next::Failed(TrayFailure::NoStatus(first_line(&self.heard))),
            _ => Next::Wait,
        }
    }

    /// The connection has ended.
    pub(super) fn closed(&mut self, reason: CloseReason) -> Next {
        let state = std::mem::replace(&mut self.state, State::Away);
        match state {
            // It ended during the pause, and the question found that out: that is no answer of the daemon's.
            State::Asking(_) if self.kept && self.heard.is_empty() => {
                self.state = State::Starting;
                Next::Dial
            }
            State::Asking(_) if !self.heard.trim().is_empty() && !StatusReply::parse(&self.heard).is_status() => {
                Next::Failed(TrayFailure::NoStatus(first_line(&self.heard)))
            }
            State::Greeting(_) | State::Asking(_) => Next::Failed(TrayFailure::Lost(reason)),
            _ => Next::Wait,
        }
    }

    /// Forgets the connection; whoever called ends it.
    pub(super) fn hang_up(&mut self) -> Option<ConnId> {
        self.view.encryption.clear();
        match std::mem::replace(&mut self.state, State::Away) {
            State::Greeting(conn) | State::Asking(conn) | State::Resting(conn) => Some(conn),
            State::Away | State::Starting | State::Dialling(_) => None,
        }
    }

    /// Forgets the dial; whoever called calls it off.
    pub(super) fn call_off(&mut self) -> Option<DialId> {
        let State::Dialling(dial) = self.state else { return None };
        self.state = State::Away;
        Some(dial)
    }

    fn ask(&mut self, net: &mut Net, conn: ConnId) {
        self.state = State::Asking(conn);
        let ask = if self.view.who == Who::Director { status_reply::ASK_DIRECTOR } else { status_reply::ASK_DAEMON };
        net.send_text(conn, ask);
    }
}

/// Whether a text is how this kind of daemon greets (`wire/1 §3.1`).
fn is_greeting(who: Who, text: &[u8]) -> bool {
    match who {
        Who::Director => matches!(Greeting::parse(text), Some(Greeting::Version(_))) || hello::is_director_answer(text),
        Who::File => hello::parse_file_answer(text).is_some(),
        Who::Storage => text.starts_with(hello::STORAGE_ANSWER.trim_end().as_bytes()),
    }
}

/// The first line that says something, fit for a log: of at most 200 characters.
fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("nothing");
    let cut: String = line.chars().take(200).collect();
    printable::line(&cut).into_owned()
}
