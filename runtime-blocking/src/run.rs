//! The node's threads.

use std::net::SocketAddr;
use std::sync::Arc;

use towline_core::conn::Conn;
use towline_core::drive::{Adapter, DialOrder, Hands, Injector, ListenOrder, Mail, NodeMail, Runtime, io_kind};
use towline_core::ids::{DialId, ListenerId, QueryId, WorkId};
use towline_core::node::{Node, Role};
use towline_core::notice::ExitReason;
use towline_core::socket::IoKind;
use towline_core::work::Work;

use crate::connection::{Held, Socket, drive};
use crate::shared::{self, Base, Connection, Leash, Line, socket};
use crate::wake::WakeFd;
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
        shared::run(node, hands, started, Threads)
    }
}

/// The adapter as the desk sees it.
struct Threads(Base<Held>);

impl Threads {
    fn start(&self, name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), IoKind> {
        let counted = self.0.counted();
        let body = move || {
            let _counted = counted;
            body();
        };
        let thread = std::thread::Builder::new().name(name.into()).stack_size(STACK).spawn(body);
        thread.map(drop).map_err(|_| IoKind::Exhausted)
    }

    /// A thread, and what ends it.
    fn leashed(&self, name: &str, body: impl FnOnce(&WakeFd) + Send + 'static) -> Result<Leash<WakeFd>, IoKind> {
        let wake = Arc::new(WakeFd::new().map_err(|error| io_kind(&error))?);
        let leash = Leash::new(Arc::clone(&wake));
        self.start(name, move || body(&wake))?;
        Ok(leash)
    }
}

impl Adapter for Threads {
    type Socket = Held;
    type Dialling = Option<Leash<WakeFd>>;
    type Listening = Leash<WakeFd>;
    type Line = Line<WakeFd>;

    fn resolve(&mut self, query: QueryId, host: String, port: u16) {
        self.0.resolve(query, host, port);
    }

    fn interface(&mut self, name: &str) -> Option<u32> {
        socket::interface(name)
    }

    fn dial(&mut self, dial: DialId, order: DialOrder) -> Option<Leash<WakeFd>> {
        let (clock, node) = (self.0.clock, Arc::clone(&self.0.node));
        let dialling = self.leashed("dialer", move |cancel| {
            let outcome = dialer::dial(&order, clock, cancel);
            node.post(NodeMail::Dialed { dial, outcome });
        });
        if let Err(kind) = &dialling {
            self.0.node.post(NodeMail::Dialed { dial, outcome: Err(*kind) });
        }
        dialling.ok()
    }

    fn listen(&mut self, listener: ListenerId, order: ListenOrder) -> Result<(Leash<WakeFd>, SocketAddr), IoKind> {
        let (bound, address) = socket::listen(&order).map_err(|error| io_kind(&error))?;
        let node = Arc::clone(&self.0.node);
        let accept = move |stop: &WakeFd| acceptor::accept(listener, &bound, order.socket, stop, &node);
        Ok((self.leashed("acceptor", accept)?, address))
    }

    fn drive(&mut self, conn: Box<Conn>, Held { stream, wake }: Held) -> Result<Line<WakeFd>, IoKind> {
        let (connection, line) = Connection::new(conn, Socket(stream), wake, &self.0);
        self.start("connection", move || drive(connection))?;
        Ok(line)
    }

    fn tell(&mut self, line: &Line<WakeFd>, mail: Mail) -> bool {
        line.post(mail)
    }

    fn work(&mut self, work: WorkId, request: Work) {
        self.0.work(work, request);
    }
}
