//! The tray monitor: asks directors, file daemons and storage daemons for their status, each for itself (`wire/1 §7.1`).
//!
//! ```text
//!   director ===== hello of a console ====.
//!   file daemon == hello of a director ===+== Tray --> Notice::Watched(what is known of one daemon)
//!   storage daemon = the same ============'
//! ```
//! Every daemon has a dialogue, a deadline and a pause of its own; none waits for another. A connection is kept from one
//! look to the next. A line that is typed, whatever it says, has all daemons asked at once.

mod daemon;
#[cfg(test)]
mod tests;
mod tokens;

pub use daemon::MAX_STATUS;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use crate::config::TrayConfig;
use crate::conn::{CloseReason, DialFailure, Peer};
use crate::ids::ConnId;
use crate::node::{self, Role};
use crate::notice::{DaemonView, ExitReason, Health, Notice, TrayFailure};
use crate::role::identity::Credentials;
use crate::wire::frame::Signal;
use crate::work::WorkDone;

use daemon::{Daemon, Next};
use tokens::Due;

/// How long a monitor that leaves waits for the daemons' good-byes.
const FAREWELL: Duration = Duration::from_secs(2);
/// The exit code after one look if a daemon was not reachable.
pub const NOT_ALL_REACHABLE: u8 = 1;

/// How long a monitor watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Until it is stopped.
    OnAndOn,
    /// Each daemon is asked once; the exit code tells whether all have answered.
    Once,
}

/// The role of a tray monitor.
#[derive(Debug)]
pub struct Tray {
    config: Arc<TrayConfig>,
    credentials: Credentials,
    watch: Watch,
    daemons: Vec<Daemon>,
    conns: BTreeMap<ConnId, usize>,
    leaving: Option<ExitReason>,
}

/// What a tray monitor orders through.
type Net = node::Net<Tray>;

impl Tray {
    /// A tray monitor with a checked configuration and what was loaded for TLS.
    #[must_use]
    pub fn new(config: Arc<TrayConfig>, credentials: Credentials, watch: Watch) -> Self {
        Self { daemons: Daemon::all(&config), config, credentials, watch, conns: BTreeMap::new(), leaving: None }
    }

    /// What is known of each daemon, in the order of their places.
    pub fn views(&self) -> impl Iterator<Item = &DaemonView> {
        self.daemons.iter().map(|daemon| &daemon.view)
    }

    /// Asks a daemon, unless it is being asked.
    fn ask(&mut self, net: &mut Net, at: usize) {
        let Some(daemon) = self.daemons.get_mut(at) else { return };
        if daemon.is_busy() || self.leaving.is_some() {
            return;
        }
        net.cancel_timer(daemon.pause.take());
        daemon.began = net.now();
        let timeout = self.config.monitor.timeout.duration();
        daemon.deadline = Some(net.set_timer(timeout, "the answer of a daemon", Due::Late(at)));
        let next = daemon.begin(net);
        self.go_on(net, at, next);
    }

    /// Acts on what a daemon's dialogue came to.
    fn go_on(&mut self, net: &mut Net, at: usize, next: Next) {
        let Some(daemon) = self.daemons.get_mut(at) else { return };
        match next {
            Next::Wait => {}
            Next::Dial => {
                if let Err(why) = daemon.dial(net, &self.config, &self.credentials) {
                    self.answered(net, at, Health::Unreachable(TrayFailure::Setup(why)));
                }
            }
            Next::Answered => self.answered(net, at, Health::Reachable),
            Next::Failed(failure) => {
                if let Some(conn) = daemon.hang_up() {
                    self.conns.remove(&conn);
                    net.abort(conn);
                }
                self.answered(net, at, Health::Unreachable(failure));
            }
        }
    }

    /// A look at a daemon has ended: says what came of it, and pauses.
    fn answered(&mut self, net: &mut Net, at: usize, health: Health) {
        let refresh = self.config.monitor.refresh_interval.duration();
        let Some(daemon) = self.daemons.get_mut(at) else { return };
        net.cancel_timer(daemon.deadline.take());
        daemon.view.health = health;
        daemon.view.asked = net.wall();
        net.notify(Notice::Watched(Box::new(daemon.view.clone())));
        if self.watch == Watch::OnAndOn {
            let pause = refresh.saturating_sub(net.now().since(daemon.began));
            daemon.pause = Some(net.set_timer(pause, "the next look at a daemon", Due::Ask(at)));
        } else if self.daemons.iter().all(|daemon| daemon.view.health != Health::Unknown) {
            let all = self.daemons.iter().all(|daemon| daemon.view.health == Health::Reachable);
            self.leave(net, if all { ExitReason::Done } else { ExitReason::Failed(NOT_ALL_REACHABLE) });
        }
    }

    /// The time of a daemon is over.
    fn late(&mut self, net: &mut Net, at: usize) {
        let within = self.config.monitor.timeout.duration();
        let Some(daemon) = self.daemons.get_mut(at) else { return };
        daemon.deadline = None;
        let doing = daemon.doing();
        if let Some(dial) = daemon.call_off() {
            net.cancel_dial(dial);
        }
        self.go_on(net, at, Next::Failed(TrayFailure::Late { doing, within }));
    }

    /// Says good-bye to all daemons, then ends.
    fn leave(&mut self, net: &mut Net, reason: ExitReason) {
        if self.leaving.is_some() {
            return;
        }
        self.leaving = Some(reason);
        for daemon in &mut self.daemons {
            net.cancel_timer(daemon.pause.take());
            net.cancel_timer(daemon.deadline.take());
            if let Some(dial) = daemon.call_off() {
                net.cancel_dial(dial);
            }
        }
        for conn in self.conns.keys() {
            net.close(*conn, true);
        }
        net.set_timer(FAREWELL, "the daemons' good-byes", Due::Leave);
        self.exit_if_alone(net);
    }

    fn exit_if_alone(&self, net: &mut Net) {
        if let Some(reason) = self.leaving.clone().filter(|_| self.conns.is_empty()) {
            net.exit(reason);
        }
    }
}

impl Role for Tray {
    /// The place of the daemon.
    type Dial = usize;
    type Timer = Due;
    type Work = Infallible;
    type Survey = Infallible;

    fn start(&mut self, net: &mut Net) {
        for at in 0..self.daemons.len() {
            net.notify(Notice::Watched(Box::new(self.daemons[at].view.clone())));
        }
        for at in 0..self.daemons.len() {
            self.ask(net, at);
        }
    }

    fn on_accepted(&mut self, net: &mut Net, conn: ConnId, _peer: Peer) {
        net.abort(conn);
    }

    fn on_dialed(&mut self, net: &mut Net, at: usize, outcome: Result<(ConnId, Peer), DialFailure>) {
        let Some(daemon) = self.daemons.get_mut(at) else { return };
        let next = match outcome {
            // The look it was for is over.
            Err(DialFailure::Cancelled) => return,
            Ok((conn, peer)) => {
                self.conns.insert(conn, at);
                daemon.connected(conn, &peer)
            }
            Err(failure) => Next::Failed(failure.into()),
        };
        self.go_on(net, at, next);
    }

    fn on_text(&mut self, net: &mut Net, conn: ConnId, text: Vec<u8>) {
        let Some(&at) = self.conns.get(&conn) else { return };
        if let Some(daemon) = self.daemons.get_mut(at).filter(|_| self.leaving.is_none()) {
            let next = daemon.hear(net, conn, &text);
            self.go_on(net, at, next);
        }
    }

    fn on_signal(&mut self, net: &mut Net, conn: ConnId, signal: Signal) {
        let Some(&at) = self.conns.get(&conn) else { return };
        if signal == Signal::Heartbeat {
            return net.send_signal(conn, Signal::HeartbeatResponse);
        }
        if let Some(daemon) = self.daemons.get_mut(at).filter(|_| self.leaving.is_none()) {
            let next = daemon.signalled(signal);
            self.go_on(net, at, next);
        }
    }

    fn on_closed(&mut self, net: &mut Net, conn: ConnId, reason: CloseReason) {
        let Some(at) = self.conns.remove(&conn) else { return };
        if self.leaving.is_some() {
            return self.exit_if_alone(net);
        }
        if let Some(daemon) = self.daemons.get_mut(at) {
            let next = daemon.closed(reason);
            self.go_on(net, at, next);
        }
    }

    fn on_done(&mut self, _net: &mut Net, work: Infallible, _done: WorkDone) {
        match work {}
    }

    fn on_timer(&mut self, net: &mut Net, due: Due) {
        match due {
            Due::Late(at) => self.late(net, at),
            Due::Ask(at) => self.ask(net, at),
            Due::Leave => net.exit(self.leaving.clone().unwrap_or(ExitReason::Done)),
        }
    }

    fn on_typed(&mut self, net: &mut Net, line: Option<String>) {
        match line {
            Some(_) => (0..self.daemons.len()).for_each(|at| self.ask(net, at)),
            None => self.leave(net, ExitReason::Done),
        }
    }

    fn on_stop(&mut self, net: &mut Net) {
        self.leave(net, ExitReason::Done);
    }
}
