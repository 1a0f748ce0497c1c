//! The adapter of a runtime of tasks: each connection, each dial and each listener is a task.
//!
//! A runtime brings [`Tasks`] along, and calls [`run`]. Nothing here is tied to a runtime: tasks wait by the standard
//! library's wakers alone.

mod acceptor;
mod connection;
mod dialer;
mod timer;
mod wake;

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::task::{Context, Poll};

use towline_core::conn::{Conn, Side};
use towline_core::drive::{Adapter, DialOrder, Hands, Injector, ListenOrder, Mail, NodeMail, io_kind};
use towline_core::ids::{DialId, ListenerId, QueryId, WorkId};
use towline_core::node::{Node, Role};
use towline_core::notice::ExitReason;
use towline_core::socket::IoKind;
use towline_core::work::Work;

use self::connection::Socket;
use self::wake::TaskWake;
use super::{Base, Connection, Leash, Line, socket};

/// What a runtime brings along: an executor, a reactor and timers. Its sockets do not block.
pub trait Tasks: Clone + Send + Sync + 'static {
    /// A connected or connecting socket that the reactor watches.
    type Stream: AsFd + Send + Sync + 'static;
    /// A listening socket that the reactor watches.
    type Listener: Send + Sync + 'static;
    /// A timer.
    type Alarm: Alarm;

    /// Starts a task.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);

    /// Has the reactor watch a socket.
    ///
    /// # Errors
    /// What the system says.
    fn stream(socket: TcpStream) -> io::Result<Self::Stream>;

    /// Has the reactor watch a listener.
    ///
    /// # Errors
    /// What the system says.
    fn listener(socket: TcpListener) -> io::Result<Self::Listener>;

    /// The next connection that comes in.
    fn poll_accept(listener: &Self::Listener, cx: &mut Context<'_>) -> Poll<io::Result<Self::Stream>>;

    /// Waits until a half of a socket is ready. A failure counts as ready: the call that follows says so.
    fn poll_ready(stream: &Self::Stream, side: Side, cx: &mut Context<'_>) -> Poll<()>;

    /// Makes a call on a half of a socket; the reactor hears of it when the call would have to wait.
    ///
    /// # Errors
    /// What the call says.
    fn try_io<T>(stream: &Self::Stream, side: Side, call: impl FnOnce() -> io::Result<T>) -> io::Result<T>;
}

/// A timer of a runtime.
pub trait Alarm: Send + 'static {
    /// One that is not set.
    fn new() -> Self;

    /// Sets the time; `None` means never.
    fn set(&mut self, at: Option<std::time::Instant>);

    /// Waits for the time. One that was ready is set anew before it is asked again.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// Drives the node on the calling thread and all else on tasks; returns once every task has ended.
pub fn run<R: Role, T: Tasks>(
    tasks: T,
    node: Node<R>,
    hands: Arc<dyn Hands>,
    started: Box<dyn FnOnce(Injector) + Send>,
) -> ExitReason {
    super::run(node, hands, started, |base| Tasked { base, tasks })
}

/// The adapter as the desk sees it.
struct Tasked<T: Tasks> {
    base: Base<T::Stream>,
    tasks: T,
}

impl<T: Tasks> Tasked<T> {
    fn start(&self, task: impl Future<Output = ()> + Send + 'static) {
        let counted = self.base.counted();
        self.tasks.spawn(async move {
            let _counted = counted;
            task.await;
        });
    }
}

impl<T: Tasks> Adapter for Tasked<T> {
    type Socket = T::Stream;
    type Dialling = Leash<TaskWake>;
    type Listening = Leash<TaskWake>;
    type Line = Line<TaskWake>;

    fn resolve(&mut self, query: QueryId, host: String, port: u16) {
        self.base.resolve(query, host, port);
    }

    fn interface(&mut self, name: &str) -> Option<u32> {
        socket::interface(name)
    }

    fn dial(&mut self, dial: DialId, order: DialOrder) -> Leash<TaskWake> {
        let cancel = Arc::new(TaskWake::default());
        let leash = Leash::new(Arc::clone(&cancel));
        let (clock, node) = (self.base.clock, Arc::clone(&self.base.node));
        self.start(async move {
            let outcome = dialer::dial::<T>(order, clock, &cancel).await;
            node.post(NodeMail::Dialed { dial, outcome });
        });
        leash
    }

    fn listen(&mut self, listener: ListenerId, order: ListenOrder) -> Result<(Leash<TaskWake>, SocketAddr), IoKind> {
        let bound = socket::listen(&order).and_then(|(bound, address)| Ok((T::listener(bound)?, address)));
        let (bound, address) = bound.map_err(|error| io_kind(&error))?;
        let stop = Arc::new(TaskWake::default());
        let leash = Leash::new(Arc::clone(&stop));
        let (clock, node) = (self.base.clock, Arc::clone(&self.base.node));
        self.start(async move { acceptor::accept::<T>(listener, &bound, order.socket, clock, &stop, &node).await });
        Ok((leash, address))
    }

    fn drive(&mut self, conn: Box<Conn>, stream: T::Stream) -> Result<Line<TaskWake>, IoKind> {
        let (connection, line) = Connection::new(conn, Socket::<T>(stream), TaskWake::default(), &self.base);
        self.start(connection::drive(connection));
        Ok(line)
    }

    fn tell(&mut self, line: &Line<TaskWake>, mail: Mail) -> bool {
        line.post(mail)
    }

    fn work(&mut self, work: WorkId, request: Work) {
        self.base.work(work, request);
    }
}
