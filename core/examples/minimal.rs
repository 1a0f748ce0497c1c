//! A node on a runtime of one's own: one thread, sockets of the standard library, no disk. The node listens, dials
//! itself on loopback, authenticates both ends, says a line and ends: `cargo run -p towline-core --example minimal`.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a runtime has the sockets and the clock")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "an example")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use towline_core::conn::{Conn, DialFailure, Flight, FromConn, Peer};
use towline_core::drive::{Adapter, Desk, DialOrder, Hands, ListenOrder, Mail, Mailbox, NodeMail, Outlet, Pump};
use towline_core::drive::{Reply, Stream, io_kind};
use towline_core::event::Event;
use towline_core::ids::{ConnId, DialId, ListenerId, QueryId, WorkId};
use towline_core::node::{Net, Node, Opening, Role, Route, Settings};
use towline_core::notice::{ExitReason, Notice};
use towline_core::socket::{Ends, IoKind, ResolveError, SocketOptions};
use towline_core::time::{Instant, Wall};
use towline_core::tls;
use towline_core::tls::keyring::{Clear, Keyring};
use towline_core::wire::cram_md5::password_key;
use towline_core::wire::hello::{Hello, Purpose};
use towline_core::wire::names::{PeerKind, PeerName};
use towline_core::work::{Work, WorkDone};

/// What makes the node a daemon: it says one line to whoever comes in.
struct Greeter(Arc<Mutex<Vec<String>>>);

impl Role for Greeter {
    type Dial = ();
    type Timer = Infallible;
    type Work = Infallible;
    type Survey = Infallible;

    fn start(&mut self, net: &mut Net<Self>) {
        let guest = PeerName::new(PeerKind::Director, "guest");
        net.set_keyring(Arc::new(Keyring::builder().with(guest, password_key("secret"), Clear::Allowed).build()));
        net.listen(([127, 0, 0, 1], 0).into(), SocketOptions::default());
    }
    fn on_bound(&mut self, net: &mut Net<Self>, _: ListenerId, outcome: Result<SocketAddr, IoKind>) {
        let (host, port) = outcome.map(|at| (at.ip().to_string(), at.port())).unwrap();
        let (retry, within) = (Duration::from_secs(1), Duration::from_secs(5));
        let route = Route { host, port, source: None, socket: SocketOptions::default(), retry, within };
        let hello = Hello { purpose: Purpose::Director { name: "guest".into() }, version: None };
        let own = PeerName::new(PeerKind::Director, "guest").qualified();
        let engine = tls::Dialler::Clear;
        net.dial(route, Opening { engine, hello, key: password_key("secret"), own, policy: 0 }, ());
    }
    fn on_accepted(&mut self, net: &mut Net<Self>, conn: ConnId, peer: Peer) {
        self.0.lock().unwrap().push(format!("{} has proved that it knows the password", peer.name));
        net.send_text(conn, "Welcome");
    }
    fn on_dialed(&mut self, _: &mut Net<Self>, (): (), outcome: Result<(ConnId, Peer), DialFailure>) {
        self.0.lock().unwrap().push(outcome.map_or_else(|failure| failure.to_string(), |_| "so has the daemon".into()));
    }
    fn on_text(&mut self, net: &mut Net<Self>, _: ConnId, text: Vec<u8>) {
        self.0.lock().unwrap().push(format!("it says: {}", String::from_utf8_lossy(&text)));
        net.exit(ExitReason::Done);
    }
}

/// What the loop looks after: the node's mailbox, listeners, and connections with their sockets.
#[derive(Default)]
struct World {
    mail: VecDeque<NodeMail<TcpStream>>,
    listeners: Vec<(ListenerId, TcpListener)>,
    tasks: Vec<Task>,
}

#[derive(Clone, Default)]
struct Loop(Rc<RefCell<World>>);

impl Loop {
    fn post(&self, mail: NodeMail<TcpStream>) {
        self.0.borrow_mut().mail.push_back(mail);
    }
    fn accept(&self) {
        let World { mail, listeners, .. } = &mut *self.0.borrow_mut();
        for (listener, bound) in listeners.iter() {
            if let Ok((socket, ends)) = bound.accept().and_then(|(socket, _)| ready(socket)) {
                mail.push_back(NodeMail::Accepted { listener: *listener, socket, ends });
            }
        }
    }
}

/// On loopback a dial does not take long, so it is answered on the spot; see `DialOrder` for what this one leaves out.
impl Adapter for Loop {
    type Socket = TcpStream;
    type Dialling = ();
    type Listening = ();
    type Line = Rc<RefCell<Mailbox>>;

    fn resolve(&mut self, query: QueryId, host: String, port: u16) {
        let answer = (host, port).to_socket_addrs().map(Vec::from_iter).map_err(|_| ResolveError::Temporary);
        self.post(NodeMail::Event(Event::Resolved { query, answer }));
    }
    fn interface(&mut self, _: &str) -> Option<u32> {
        None
    }
    fn dial(&mut self, dial: DialId, order: DialOrder) {
        let outcome = TcpStream::connect(order.to).and_then(ready).map_err(|error| io_kind(&error));
        self.post(NodeMail::Dialed { dial, outcome });
    }
    fn listen(&mut self, listener: ListenerId, order: ListenOrder) -> Result<((), SocketAddr), IoKind> {
        let bound = TcpListener::bind(order.on).map_err(|error| io_kind(&error))?;
        bound.set_nonblocking(true).map_err(|error| io_kind(&error))?;
        let address = bound.local_addr().map_err(|error| io_kind(&error))?;
        self.0.borrow_mut().listeners.push((listener, bound));
        Ok(((), address))
    }
    fn drive(&mut self, conn: Box<Conn>, socket: TcpStream) -> Result<Self::Line, IoKind> {
        let mailbox = Self::Line::default();
        let out = Out(conn.id(), self.clone());
        let task = Task { pump: Pump::new(*conn), socket: Socket(socket), mailbox: Rc::clone(&mailbox), out };
        self.0.borrow_mut().tasks.push(task);
        Ok(mailbox)
    }
    fn tell(&mut self, line: &Self::Line, mail: Mail) -> bool {
        line.borrow_mut().post(mail)
    }
    fn work(&mut self, work: WorkId, _: Work) {
        self.post(NodeMail::Event(Event::Done { work, done: WorkDone::Refused }));
    }
}

struct Task {
    pump: Pump,
    socket: Socket,
    mailbox: Rc<RefCell<Mailbox>>,
    out: Out,
}

impl Task {
    /// Goes as far as it can without waiting; false at the end.
    fn turn(&mut self, now: impl Fn() -> Instant) -> bool {
        while let Some(mail) = self.mailbox.borrow_mut().take() {
            self.pump.deliver(mail, now(), &mut self.out);
        }
        // The node has dropped its end of the line.
        if Rc::strong_count(&self.mailbox) == 1 {
            self.pump.cut(now(), &mut self.out);
            return false;
        }
        !self.pump.turn(&mut self.socket, &now, &mut self.out).end
    }
}

struct Out(ConnId, Loop);

impl Outlet for Out {
    fn message(&mut self, message: FromConn) {
        self.1.post(NodeMail::Event(Event::FromConn { conn: self.0, message }));
    }
    fn work(&mut self, _: WorkId, _: Work) {
        unreachable!("only a connection that carries a job's data has work");
    }
}

struct Socket(TcpStream);

impl Stream for Socket {
    fn try_read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.0.read(space)
    }
    fn try_write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(slices)
    }
    fn shut_write(&mut self) {
        // It fails only when the connection is gone, which the next read says better.
        let _ = self.0.shutdown(Shutdown::Write);
    }
    /// The standard library cannot set it: see `runtime_blocking::shared::socket`.
    fn set_keepalive(&mut self, _: SocketOptions) {}
    fn flight(&mut self) -> Option<Flight> {
        None
    }
}

fn ready(socket: TcpStream) -> io::Result<(TcpStream, Ends)> {
    socket.set_nonblocking(true)?;
    let ends = Ends { local: socket.local_addr()?, peer: socket.peer_addr()? };
    Ok((socket, ends))
}

/// The log, and no disk.
struct NoDisk;

impl Hands for NoDisk {
    fn submit(&self, _: Work, reply: Reply) {
        reply(WorkDone::Refused);
    }
    fn notify(&self, notice: Notice) {
        println!("{notice:?}");
    }
}

/// Runs the node to its end; returns what its role has noted.
pub(crate) fn talk() -> Vec<String> {
    let noted = Arc::default();
    let own = PeerName::new(PeerKind::Storage, "minimal").qualified();
    let (engines, authenticate_within) = (Arc::new(tls::Acceptor::new()), Duration::from_secs(5));
    let settings = Settings::new(own, engines).accepting(8, authenticate_within);
    // A real daemon takes the seed from the operating system.
    let node = Node::new(Greeter(Arc::clone(&noted)), settings, [1; 32], Instant::ZERO);
    let began = std::time::Instant::now();
    let now = || Instant::ZERO + began.elapsed();
    let wall = || Wall(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros().try_into().unwrap());
    let world = Loop::default();
    let mut desk = Desk::new(node, Arc::new(NoDisk), world.clone());
    let mut over = desk.start(wall(), now());
    while over.or_else(|| desk.tick(now(), wall())).is_none() {
        world.accept();
        let mut tasks = std::mem::take(&mut world.0.borrow_mut().tasks);
        tasks.retain_mut(|task| task.turn(now));
        world.0.borrow_mut().tasks.extend(tasks);
        let mail = world.0.borrow_mut().mail.pop_front();
        over = mail.and_then(|mail| desk.take(mail, now(), wall()));
        // A real runtime waits for a socket, a mailbox, or the time of `desk.deadline()`.
        std::thread::sleep(Duration::from_millis(1));
    }
    let noted = noted.lock().unwrap();
    noted.clone()
}

fn main() {
    for line in talk() {
        println!("{line}");
    }
}
