//! What makes a node a director, a storage daemon, a file daemon, a console or a tray monitor.

use crate::bulk::machine::{FromMachine, Outcome};
use crate::bulk::parcel::Parcel;
use crate::calendar::Zone;
use crate::conn::{CloseReason, DialFailure, Peer, Stall};
use crate::error::Code;
use crate::ids::{ConnId, DialId, ListenerId, WorkId};
use crate::node::{DialNews, Net, Row, SurveyId, TimerKey};
use crate::socket::IoKind;
use crate::wire::frame::Signal;
use crate::work::WorkDone;

/// A daemon's part of a [`Node`](super::Node): called with facts, it orders through [`Net`].
///
/// Nothing here fails: a bad peer ends its connection, not the node.
pub trait Role: Sized + Send + 'static {
    /// The daemon starts: listen, dial, set the keyring.
    fn start(&mut self, net: &mut Net);
    /// A listener of [`Net::listen`] is bound, or cannot be.
    fn on_bound(&mut self, _net: &mut Net, _listener: ListenerId, _outcome: Result<std::net::SocketAddr, IoKind>) {}
    /// A peer came in and is authenticated. Close it if it is not expected.
    fn on_accepted(&mut self, net: &mut Net, conn: ConnId, peer: Peer);
    /// A dial goes on, or has gone well with something to mend: for the log of the job it is for.
    fn on_dial_news(&mut self, _net: &mut Net, _dial: DialId, _news: &DialNews) {}
    /// A connection in use makes no progress; already logged. For the log of its job.
    fn on_stalled(&mut self, _net: &mut Net, _conn: ConnId, _stall: &Stall) {}
    /// A dial has ended: the connection is authenticated, or all tries failed.
    fn on_dialed(&mut self, net: &mut Net, dial: DialId, outcome: Result<(ConnId, Peer), DialFailure>);
    /// A whole text frame.
    fn on_text(&mut self, net: &mut Net, conn: ConnId, text: Vec<u8>);
    /// A signal.
    fn on_signal(&mut self, net: &mut Net, conn: ConnId, signal: Signal);
    /// A parcel of `UpdCat` frames. Call [`Net::parcel_taken`] once it is dealt with.
    fn on_parcel(&mut self, net: &mut Net, conn: ConnId, _parcel: Parcel) {
        net.parcel_taken(conn);
    }
    /// A parcel we sent is written.
    fn on_parcel_sent(&mut self, _net: &mut Net, _conn: ConnId, _parcel: Parcel) {}
    /// The connection's machine speaks.
    fn on_machine(&mut self, _net: &mut Net, _conn: ConnId, _message: FromMachine) {}
    /// The connection's machine has ended.
    fn on_carried(&mut self, _net: &mut Net, _conn: ConnId, _outcome: Outcome) {}
    /// A ready connection has ended. Not called for connections that were never ready.
    fn on_closed(&mut self, net: &mut Net, conn: ConnId, reason: CloseReason);
    /// The list that `Net::survey` was asked for.
    fn on_surveyed(&mut self, _net: &mut Net, _survey: SurveyId, _rows: Vec<Row>) {}
    /// A piece of work is done.
    fn on_done(&mut self, net: &mut Net, work: WorkId, done: WorkDone);
    /// A timer of ours is due.
    fn on_timer(&mut self, net: &mut Net, key: TimerKey);
    /// The wall clock was set, or the machine has slept: what other machines know of us may be out of date.
    fn on_clock_jumped(&mut self, _net: &mut Net) {}

    /// Local time follows other rules from now on.
    fn on_zone_changed(&mut self, _net: &mut Net, _zone: Zone) {}
    /// The machine has other addresses, or other ways to other networks.
    fn on_network_changed(&mut self, _net: &mut Net) {}
    /// The operator typed a line; `None` at the end of the input.
    fn on_typed(&mut self, _net: &mut Net, _line: Option<String>) {}
    /// The operator wants the daemon to end: end jobs, then `net.exit`.
    fn on_stop(&mut self, net: &mut Net);
    /// An incoming connection was refused before it was ready; already logged. Returns a code to count by.
    fn on_refused(&mut self, _net: &mut Net, _reason: &CloseReason) -> Option<Code> {
        None
    }
}
