//! What makes a node a director, a storage daemon, a file daemon, a console or a tray monitor.

use std::fmt::Debug;
use std::time::Duration;

use crate::bulk::machine::{FromMachine, Outcome};
use crate::bulk::parcel::Parcel;
use crate::calendar::Zone;
use crate::conn::{CloseReason, DialFailure, Peer, Stall};
use crate::error::Code;
use crate::ids::{ConnId, ListenerId};
use crate::node::{DeviceInspection, DialNews, Net, Row};
use crate::notice::ExitReason;
use crate::socket::IoKind;
use crate::wire::frame::Signal;
use crate::work::WorkDone;

/// A daemon's part of a [`Node`](super::Node): called with facts, it orders through [`Net`].
///
/// Nothing here fails: a bad peer ends its connection, not the node. Only [`start`](Self::start) has to be written: a
/// role ends a connection that it does not expect, or that says what it does not expect, and passes over the rest.
pub trait Role: Sized + Send + 'static {
    /// What a dial is for. `Infallible` where a role has none of a kind.
    type Dial: Debug + Send;
    /// What a timer is for.
    type Timer: Debug + Send;
    /// What a piece of work is for.
    type Work: Debug + Send;
    /// Whom a survey is for.
    type Survey: Debug + Send;

    /// The daemon starts: listen, dial, set the keyring.
    fn start(&mut self, net: &mut Net<Self>);
    /// A listener of [`AnyNet::listen`](super::AnyNet::listen) is bound, or cannot be.
    fn on_bound(
        &mut self,
        _net: &mut Net<Self>,
        _listener: ListenerId,
        _outcome: Result<std::net::SocketAddr, IoKind>,
    ) {
    }
    /// A peer came in and is authenticated. Close it if it is not expected.
    fn on_accepted(&mut self, net: &mut Net<Self>, conn: ConnId, _peer: Peer) {
        net.abort(conn);
    }
    /// A dial goes on, or has gone well with something to mend: for the log of the job it is for.
    fn on_dial_news(&mut self, _net: &mut Net<Self>, _dial: &Self::Dial, _news: &DialNews) {}
    /// A connection in use makes no progress; already logged. For the log of its job.
    fn on_stalled(&mut self, _net: &mut Net<Self>, _conn: ConnId, _stall: &Stall) {}
    /// A dial has ended: the connection is authenticated, all tries failed, or it was called off.
    fn on_dialed(&mut self, _net: &mut Net<Self>, _dial: Self::Dial, _outcome: Result<(ConnId, Peer), DialFailure>) {}
    /// A whole text frame.
    fn on_text(&mut self, net: &mut Net<Self>, conn: ConnId, _text: Vec<u8>) {
        net.abort(conn);
    }
    /// A signal.
    fn on_signal(&mut self, _net: &mut Net<Self>, _conn: ConnId, _signal: Signal) {}
    /// A parcel of `UpdCat` frames. Call [`AnyNet::parcel_taken`](super::AnyNet::parcel_taken) once it is dealt with.
    fn on_parcel(&mut self, net: &mut Net<Self>, conn: ConnId, _parcel: Parcel) {
        net.parcel_taken(conn);
    }
    /// A parcel we sent is written.
    fn on_parcel_sent(&mut self, _net: &mut Net<Self>, _conn: ConnId, _parcel: Parcel) {}
    /// The connection's machine speaks.
    fn on_machine(&mut self, _net: &mut Net<Self>, _conn: ConnId, _message: FromMachine) {}
    /// The connection's machine has ended.
    fn on_carried(&mut self, _net: &mut Net<Self>, _conn: ConnId, _outcome: Outcome) {}
    /// A ready connection has ended. Not called for connections that were never ready.
    fn on_closed(&mut self, _net: &mut Net<Self>, _conn: ConnId, _reason: CloseReason) {}
    /// The list that `Net::survey` was asked for.
    fn on_surveyed(&mut self, _net: &mut Net<Self>, _survey: Self::Survey, _rows: Vec<Row>) {}
    /// A piece of work is done. What it was for may have ended meanwhile.
    fn on_done(&mut self, _net: &mut Net<Self>, _work: Self::Work, _done: WorkDone) {}
    /// A timer of ours is due.
    fn on_timer(&mut self, _net: &mut Net<Self>, _timer: Self::Timer) {}
    /// The wall clock was set, or the machine has slept: what other machines know of us may be out of date.
    fn on_clock_jumped(&mut self, _net: &mut Net<Self>) {}

    /// Local time follows other rules from now on.
    fn on_zone_changed(&mut self, _net: &mut Net<Self>, _zone: Zone) {}
    /// The machine has other addresses, or other ways to other networks.
    fn on_network_changed(&mut self, _net: &mut Net<Self>) {}
    /// The operator typed a line; `None` at the end of the input.
    fn on_typed(&mut self, _net: &mut Net<Self>, _line: Option<String>) {}
    /// There are lines of the log to take with [`AnyNet::overheard`](super::AnyNet::overheard).
    fn on_logged(&mut self, _net: &mut Net<Self>) {}
    /// The operator asks the daemon to read its configuration again. One that does not is not asked by a signal.
    fn on_reload(&mut self, _net: &mut Net<Self>) {}
    /// The supervisor asks the daemon to end: let nothing new begin, and `net.exit` once what runs has ended. Returns how long
    /// that may take before [`on_stop`](Self::on_stop) comes; `None`: it comes at once.
    fn on_drain(&mut self, _net: &mut Net<Self>) -> Option<Duration> {
        None
    }
    /// The operator asks the daemon to end: end jobs, then `net.exit`.
    fn on_stop(&mut self, net: &mut Net<Self>) {
        net.exit(ExitReason::Done);
    }
    /// Its archive devices, for [`Node::inspect`](super::Node::inspect).
    fn devices(&self) -> Vec<DeviceInspection> {
        Vec::new()
    }
    /// What it waits for before it can do its work, for [`Node::inspect`](super::Node::inspect).
    fn waits(&self) -> Option<String> {
        None
    }
    /// An incoming connection was refused before it was ready; already logged. Returns a code to count by.
    fn on_refused(&mut self, _net: &mut Net<Self>, _reason: &CloseReason) -> Option<Code> {
        None
    }
}
