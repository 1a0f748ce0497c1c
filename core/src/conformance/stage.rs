//! A node with a role that does what the body says, and tells what it hears.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::arm::{Arm, Door, Running};
use super::mate::{Mate, password};
use super::trace::Tracer;
use crate::conn::{CloseReason, DialFailure, Peer};
use crate::drive::{Hands, Reply, Step};
use crate::error::Code;
use crate::event::Event;
use crate::ids::{ConnId, DialId, ListenerId};
use crate::node::{Net, Node, Opening, Role, Route, Settings};
use crate::notice::{ExitReason, Notice};
use crate::socket::{IoKind, SocketOptions};
use crate::time::Instant;
use crate::tls;
use crate::tls::keyring::Keyring;
use crate::wire::frame::Signal;
use crate::wire::hello::{Hello, Purpose};
use crate::wire::names::{PeerKind, PeerName};
use crate::work::{Work, WorkDone};

/// What the role hears.
#[derive(Debug)]
pub enum Heard {
    /// A listener is bound, or cannot be.
    Bound(Result<SocketAddr, IoKind>),
    /// A peer came in.
    Accepted(ConnId, Peer),
    /// A dial has ended.
    Dialed(Result<(ConnId, Peer), DialFailure>),
    /// A text frame.
    Text(ConnId, Vec<u8>),
    /// A signal.
    Signal(ConnId, Signal),
    /// A connection has ended.
    Closed(ConnId, CloseReason),
    /// A connection was refused.
    Refused(CloseReason),
    /// The timer of this number is due, at this time of the node.
    Timer(u64, Instant),
    /// Work is done.
    Done,
    /// The operator asks for the end.
    Stop,
}

type Order = Box<dyn FnOnce(&mut Net<Scripted>) + Send>;

/// Does what the body says. An order is left in a queue, and a typed line calls for it.
pub struct Scripted {
    orders: Arc<Mutex<VecDeque<Order>>>,
    heard: Sender<Heard>,
    keyring: Arc<Keyring>,
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scripted")
    }
}

impl Scripted {
    /// A body that has failed does not listen any more.
    fn say(&self, heard: Heard) {
        let _ = self.heard.send(heard);
    }
}

impl Role for Scripted {
    type Dial = ();
    /// Its number.
    type Timer = u64;
    type Work = ();
    type Survey = Infallible;

    fn start(&mut self, net: &mut Net<Self>) {
        net.set_keyring(Arc::clone(&self.keyring));
    }
    fn on_bound(&mut self, _net: &mut Net<Self>, _listener: ListenerId, outcome: Result<SocketAddr, IoKind>) {
        self.say(Heard::Bound(outcome));
    }
    fn on_accepted(&mut self, _net: &mut Net<Self>, conn: ConnId, peer: Peer) {
        self.say(Heard::Accepted(conn, peer));
    }
    fn on_dialed(&mut self, _net: &mut Net<Self>, (): (), outcome: Result<(ConnId, Peer), DialFailure>) {
        self.say(Heard::Dialed(outcome));
    }
    fn on_text(&mut self, _net: &mut Net<Self>, conn: ConnId, text: Vec<u8>) {
        self.say(Heard::Text(conn, text));
    }
    fn on_signal(&mut self, _net: &mut Net<Self>, conn: ConnId, signal: Signal) {
        self.say(Heard::Signal(conn, signal));
    }
    fn on_closed(&mut self, _net: &mut Net<Self>, conn: ConnId, reason: CloseReason) {
        self.say(Heard::Closed(conn, reason));
    }
    fn on_done(&mut self, _net: &mut Net<Self>, (): (), _done: WorkDone) {
        self.say(Heard::Done);
    }
    fn on_timer(&mut self, net: &mut Net<Self>, timer: u64) {
        self.say(Heard::Timer(timer, net.now()));
    }
    fn on_typed(&mut self, net: &mut Net<Self>, _line: Option<String>) {
        let orders = std::mem::take(&mut *self.orders.lock().unwrap());
        for order in orders {
            order(net);
        }
    }
    fn on_stop(&mut self, _net: &mut Net<Self>) {
        self.say(Heard::Stop);
    }
    fn on_refused(&mut self, _net: &mut Net<Self>, reason: &CloseReason) -> Option<Code> {
        self.say(Heard::Refused(reason.clone()));
        None
    }
}

/// Hands that refuse all work, on the spot, and keep a trace.
#[derive(Debug, Default)]
pub struct Props {
    tracer: Mutex<Tracer>,
}

impl Props {
    /// What the node heard and ordered so far.
    #[must_use]
    pub fn trace(&self) -> Vec<String> {
        self.tracer.lock().unwrap().lines().to_vec()
    }
}

impl Hands for Props {
    fn submit(&self, _work: Work, reply: Reply) {
        reply(WorkDone::Refused);
    }
    fn notify(&self, _notice: Notice) {}
    fn saw(&self, step: Step<'_>) {
        self.tracer.lock().unwrap().see(step);
    }
}

/// A running node, and the body's way to it.
pub struct Stage<'a, A: Arm> {
    /// The world.
    pub arm: &'a A,
    /// The hands.
    pub props: Arc<Props>,
    running: A::Running,
    orders: Arc<Mutex<VecDeque<Order>>>,
    heard: Receiver<Heard>,
}

impl<A: Arm> std::fmt::Debug for Stage<'_, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stage")
    }
}

impl<'a, A: Arm> Stage<'a, A> {
    /// Starts a node that takes connections in clear.
    pub fn new(arm: &'a A) -> Self {
        Self::with_engines(arm, tls::Acceptor::default())
    }

    /// Starts a node with these engines for accepted connections.
    pub fn with_engines(arm: &'a A, engines: tls::Acceptor) -> Self {
        let (say, heard) = channel();
        let orders = Arc::default();
        let props = Arc::new(Props::default());
        let role = Scripted { orders: Arc::clone(&orders), heard: say, keyring: password::keyring() };
        let settings = Settings::new(name().qualified(), Arc::new(engines));
        let node = Node::new(role, settings, [7; 32], Instant::ZERO);
        let hands: Arc<dyn Hands> = props.clone();
        Self { arm, props, running: arm.start(node, hands), orders, heard }
    }

    /// Has the role do something.
    pub fn order(&self, order: impl FnOnce(&mut Net<Scripted>) + Send + 'static) {
        self.orders.lock().unwrap().push_back(Box::new(order));
        assert!(self.running.post(Event::Typed(None)), "the node has ended");
    }

    /// Has the role do something and waits for what comes of it.
    pub fn ask<T: Send + 'static>(&self, order: impl FnOnce(&mut Net<Scripted>) -> T + Send + 'static) -> T {
        let (say, answer) = channel();
        self.order(move |net| drop(say.send(order(net))));
        self.arm.wait(&answer, "the node's answer")
    }

    /// Posts an event.
    pub fn post(&self, event: Event) {
        assert!(self.running.post(event), "the node has ended");
    }

    /// The next thing the role hears.
    pub fn next(&self, what: &str) -> Heard {
        self.arm.wait(&self.heard, what)
    }

    /// Whether the role has heard nothing new.
    pub fn is_quiet(&self) -> bool {
        self.heard.try_recv().is_err()
    }

    /// Listens; returns the address.
    pub fn listen(&self, socket: SocketOptions) -> SocketAddr {
        let on = self.arm.here();
        self.order(move |net| {
            let _ = net.listen(on, socket);
        });
        match self.next("the listener") {
            Heard::Bound(Ok(address)) => address,
            other => panic!("expected a bound listener, heard {other:?}"),
        }
    }

    /// A mate that has connected to the node and is authenticated.
    pub fn guest(&self, socket: SocketOptions) -> (Mate, ConnId) {
        let at = self.listen(socket);
        let mut mate = Mate::dialled(self.arm.knock(at, SocketOptions::default()), tls::Dialler::Clear);
        mate.authenticate();
        (mate, self.accepted().0)
    }

    /// The peer that came in.
    pub fn accepted(&self) -> (ConnId, Peer) {
        match self.next("an accepted connection") {
            Heard::Accepted(conn, peer) => (conn, peer),
            other => panic!("expected an accepted connection, heard {other:?}"),
        }
    }

    /// A mate that the node has connected to.
    pub fn host(&self, socket: SocketOptions, mates: SocketOptions) -> (Mate, ConnId) {
        let door = self.arm.door(mates);
        self.dial(route(door.address(), Duration::from_secs(30), socket));
        let mut mate = Mate::accepted(door.accept(), tls::Acceptor::default());
        mate.authenticate();
        match self.next("a dialled connection") {
            Heard::Dialed(Ok((conn, _))) => (mate, conn),
            other => panic!("expected a dialled connection, heard {other:?}"),
        }
    }

    /// A mate that the node has connected to with this engine, and that answers with these, a byte at a time.
    pub fn host_with(&self, engine: tls::Dialler, engines: tls::Acceptor) -> (Mate, ConnId, Peer) {
        let door = self.arm.door(SocketOptions::default());
        let route = route(door.address(), Duration::from_secs(30), SocketOptions::default());
        self.order(move |net| {
            let _ = net.dial(route, Opening { engine, ..opening() }, ());
        });
        let mut mate = Mate::accepted(door.accept(), engines);
        (mate.chunk, mate.sip) = (1, 1);
        mate.authenticate();
        match self.next("a dialled connection") {
            Heard::Dialed(Ok((conn, peer))) => (mate, conn, peer),
            other => panic!("expected a dialled connection, heard {other:?}"),
        }
    }

    /// Dials in clear.
    pub fn dial(&self, route: Route) -> DialId {
        self.ask(move |net| net.dial(route, opening(), ()))
    }

    /// Why the dial failed.
    pub fn failure(&self) -> DialFailure {
        match self.next("a failed dial") {
            Heard::Dialed(Err(failure)) => failure,
            other => panic!("expected a failed dial, heard {other:?}"),
        }
    }

    /// The text the connection received.
    pub fn text(&self, from: ConnId) -> Vec<u8> {
        match self.next("a text frame") {
            Heard::Text(conn, text) if conn == from => text,
            other => panic!("expected a text frame of {from:?}, heard {other:?}"),
        }
    }

    /// Why the connection ended. Signals before that are passed over.
    pub fn closed(&self, which: ConnId) -> CloseReason {
        loop {
            match self.next("the end of a connection") {
                Heard::Closed(conn, reason) if conn == which => return reason,
                Heard::Signal(..) => {}
                other => panic!("expected the end of {which:?}, heard {other:?}"),
            }
        }
    }

    /// Ends the node; returns its trace.
    pub fn finish(self) -> Vec<String> {
        self.order(|net| net.exit(ExitReason::Done));
        assert_eq!(self.running.join(), ExitReason::Done);
        self.props.trace()
    }
}

/// The node's own name.
fn name() -> PeerName {
    PeerName::new(PeerKind::Client, "stage")
}

/// The way to an address, tried once: the pause before the next try ends too late.
pub(super) fn route(to: SocketAddr, within: Duration, socket: SocketOptions) -> Route {
    Route { host: to.ip().to_string(), port: to.port(), source: None, socket, retry: 2 * within, within }
}

fn opening() -> Opening {
    let purpose = Purpose::Director { name: "stage".to_owned() };
    Opening {
        engine: tls::Dialler::Clear,
        // Without a version it is not taken for a Towline daemon: these bodies are about sockets alone.
        hello: Hello { purpose, version: None },
        key: password::key(),
        own: PeerName::new(PeerKind::Director, "stage").qualified(),
        policy: 0,
    }
}
