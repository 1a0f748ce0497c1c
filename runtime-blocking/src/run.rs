//! The node's thread.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use towline_core::conn::{Conn, ToConn};
use towline_core::drive::{
    Adapter, Desk, DialOrder, Hands, Injector, ListenOrder, Mail, NodeMail, Pump, Runtime, io_kind,
};
use towline_core::event::Event;
use towline_core::ids::{DialId, ListenerId, QueryId, WorkId};
use towline_core::node::{Node, Role};
use towline_core::notice::ExitReason;
use towline_core::socket::{IoKind, SocketOptions};
use towline_core::work::Work;

use crate::connection::{Held, Out, Socket, drive};
use crate::mailbox::{ConnBox, NodeBox};
use crate::resolver::Resolver;
use crate::system::{Clock, socket};
use crate::wake::Wake;
use crate::{acceptor, dialer};

/// Enough for a TLS handshake in a build without optimisation.
const STACK: usize = 1024 * 1024;

/// Drives a node on plain threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Blocking;

impl Runtime for Blocking {
    fn name(&self) -> &'static str {
        "blocking"
    }

    fn run<R: Role>(
        &self,
        node: Node<R>,
        hands: Arc<dyn Hands>,
        started: Box<dyn FnOnce(Injector) + Send>,
    ) -> ExitReason {
        let clock = Clock::start();
        let mailbox = Arc::new(NodeBox::new());
        let injected = Arc::clone(&mailbox);
        started(Injector(Arc::new(move |event| injected.inject(event))));
        let threads = Threads::default();
        let adapter = Threaded {
            clock,
            hands: Arc::clone(&hands),
            resolver: Resolver::new(Arc::clone(&mailbox)),
            node: Arc::clone(&mailbox),
            threads: threads.clone(),
        };
        let reason = serve(Desk::new(node, hands, adapter), &mailbox, clock);
        mailbox.close();
        threads.wait();
        reason
    }
}

fn serve<R: Role>(mut desk: Desk<R, Threaded>, mailbox: &NodeBox, clock: Clock) -> ExitReason {
    let mut over = desk.start(clock.wall(), clock.now());
    loop {
        over = over.or_else(|| desk.tick(clock.now(), || clock.wall()));
        if let Some(reason) = over {
            return reason;
        }
        if let Some(mail) = mailbox.take(desk.deadline().map(|at| clock.until(at))) {
            over = desk.take(mail, clock.now());
        }
    }
}

/// The adapter as the desk sees it.
struct Threaded {
    clock: Clock,
    node: Arc<NodeBox>,
    hands: Arc<dyn Hands>,
    resolver: Resolver,
    threads: Threads,
}

/// Wakes a thread for good when it is dropped.
#[derive(Debug)]
struct Leash(Arc<Wake>);

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// The way to a connection's thread.
#[derive(Debug)]
struct Line(Arc<ConnBox>);

impl Drop for Line {
    fn drop(&mut self) {
        self.0.cut();
    }
}

impl Threaded {
    /// A thread, and what ends it.
    fn leashed(&self, name: &str, body: impl FnOnce(&Wake) + Send + 'static) -> Result<Leash, IoKind> {
        let wake = Arc::new(Wake::new().map_err(|error| io_kind(&error))?);
        let leash = Leash(Arc::clone(&wake));
        self.threads.start(name, move || body(&wake))?;
        Ok(leash)
    }
}

impl Adapter for Threaded {
    type Socket = Held;
    type Dialling = Option<Leash>;
    type Listening = Leash;
    type Line = Line;

    fn resolve(&mut self, query: QueryId, host: String, port: u16) {
        self.resolver.ask(query, host, port);
    }

    fn interface(&mut self, name: &str) -> Option<u32> {
        socket::interface(name)
    }

    fn dial(&mut self, dial: DialId, order: DialOrder) -> Option<Leash> {
        let (clock, node) = (self.clock, Arc::clone(&self.node));
        let dialling = self.leashed("dialer", move |cancel| {
            let outcome = dialer::dial(&order, clock, cancel);
            node.post(NodeMail::Dialed { dial, outcome });
        });
        if let Err(kind) = &dialling {
            self.node.post(NodeMail::Dialed { dial, outcome: Err(*kind) });
        }
        dialling.ok()
    }

    fn listen(&mut self, listener: ListenerId, order: ListenOrder) -> Result<(Leash, SocketAddr), IoKind> {
        let (bound, address) = socket::listen(&order).map_err(|error| io_kind(&error))?;
        let node = Arc::clone(&self.node);
        let accept = move |stop: &Wake| acceptor::accept(listener, &bound, order.socket, stop, &node);
        Ok((self.leashed("acceptor", accept)?, address))
    }

    fn drive(&mut self, conn: Box<Conn>, Held { stream, wake }: Held) -> Result<Line, IoKind> {
        let mailbox = Arc::new(ConnBox::new(wake));
        let out = Out {
            conn: conn.id(),
            node: Arc::clone(&self.node),
            hands: Arc::clone(&self.hands),
            mailbox: Arc::clone(&mailbox),
        };
        let (clock, mine) = (self.clock, Arc::clone(&mailbox));
        self.threads.start("connection", move || drive(Pump::new(*conn), Socket(stream), &mine, clock, out))?;
        Ok(Line(mailbox))
    }

    fn tell(&mut self, line: &Line, message: ToConn) -> bool {
        line.0.post(Mail::Message(message))
    }

    fn keepalive(&mut self, line: &Line, socket: SocketOptions) {
        line.0.set_keepalive(socket);
    }

    fn work(&mut self, work: WorkId, request: Work) {
        let node = Arc::clone(&self.node);
        self.hands.submit(request, Box::new(move |done| node.post(NodeMail::Event(Event::Done { work, done }))));
    }
}

/// Counts the threads that hold sockets, so that `run` returns after the last of them has ended.
#[derive(Clone, Debug, Default)]
struct Threads(Arc<(Mutex<usize>, Condvar)>);

impl Threads {
    fn start(&self, name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), IoKind> {
        let counted = Counted::new(self.clone());
        let body = move || {
            let _counted = counted;
            body();
        };
        let thread = std::thread::Builder::new().name(name.into()).stack_size(STACK).spawn(body);
        thread.map(drop).map_err(|_| IoKind::Exhausted)
    }

    fn wait(&self) {
        let (count, none) = &*self.0;
        let count = count.lock().unwrap_or_else(PoisonError::into_inner);
        drop(none.wait_while(count, |count| *count > 0).unwrap_or_else(PoisonError::into_inner));
    }
}

struct Counted(Threads);

impl Counted {
    fn new(threads: Threads) -> Self {
        *threads.0.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(threads)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let (count, none) = &*self.0.0;
        *count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        none.notify_all();
    }
}
