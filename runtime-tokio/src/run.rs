//! The node's task.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use towline_core::conn::{Conn, ToConn};
use towline_core::drive::{
    ACCEPTED, Adapter, Desk, DialOrder, Hands, INJECTED, Injector, ListenOrder, MAILBOX, Mail, NodeMail, Pump,
    RESOLVERS, Runtime, io_kind,
};
use towline_core::event::Event;
use towline_core::ids::{DialId, ListenerId, QueryId, WorkId};
use towline_core::node::{Node, Role};
use towline_core::notice::{ExitReason, Level, Notice};
use towline_core::socket::{IoKind, ResolveError, SocketOptions};
use towline_core::work::Work;
use towline_runtime_blocking::system::{Clock, look_up, socket};

use crate::connection::{Connection, Out, Post, Socket};
use crate::timer::Timer;
use crate::{acceptor, dialer};

/// How long a look-up that hangs may hold up the end.
const SHUTDOWN: Duration = Duration::from_secs(1);

/// Drives a node on tokio's multi-threaded runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio;

impl Runtime for Tokio {
    fn name(&self) -> &'static str {
        "tokio"
    }

    fn run<R: Role>(
        &self,
        node: Node<R>,
        hands: Arc<dyn Hands>,
        started: Box<dyn FnOnce(Injector) + Send>,
    ) -> ExitReason {
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_io().enable_time().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                let text = format!("tokio does not start: {error}");
                hands.notify(Notice::Log { level: Level::Error, cause: None, text });
                return ExitReason::Failed(1);
            }
        };
        let (injector, injected) = mpsc::channel(INJECTED);
        started(Injector(Arc::new(move |event| inject(&injector, event))));
        let reason = runtime.block_on(serve(node, hands, injected));
        runtime.shutdown_timeout(SHUTDOWN);
        reason
    }
}

/// Waits only where it must, so that a task may post as long as there is room.
fn inject(node: &mpsc::Sender<Event>, event: Event) -> bool {
    match node.try_send(event) {
        Ok(()) => true,
        Err(mpsc::error::TrySendError::Full(event)) => node.blocking_send(event).is_ok(),
        Err(mpsc::error::TrySendError::Closed(_)) => false,
    }
}

async fn serve<R: Role>(node: Node<R>, hands: Arc<dyn Hands>, mut injected: mpsc::Receiver<Event>) -> ExitReason {
    let clock = Clock::start();
    let (to_node, mut mailbox) = mpsc::unbounded_channel();
    let (acceptors, mut accepted) = mpsc::channel(ACCEPTED);
    let (alive, mut ended) = mpsc::channel::<()>(1);
    let adapter = Tasks {
        clock,
        node: to_node,
        acceptors,
        hands: Arc::clone(&hands),
        resolvers: Arc::new(Semaphore::new(RESOLVERS)),
        alive,
    };
    let mut desk = Desk::new(node, hands, adapter);
    let mut timer = Timer::new(clock);
    let mut over = desk.start(clock.wall(), clock.now());
    let reason = loop {
        over = over.or_else(|| desk.tick(clock.now(), || clock.wall()));
        if let Some(reason) = over {
            break reason;
        }
        timer.arm(desk.deadline());
        let mail = tokio::select! {
            Some(mail) = mailbox.recv() => Some(mail),
            Some(mail) = accepted.recv() => Some(mail),
            Some(event) = injected.recv() => Some(NodeMail::Event(event)),
            () = timer.wait() => None,
        };
        over = mail.and_then(|mail| desk.take(mail, clock.now()));
    };
    drop((desk, mailbox, accepted, injected));
    // Every task that holds a socket holds a sender of this channel.
    while ended.recv().await.is_some() {}
    reason
}

/// The adapter as the desk sees it.
struct Tasks {
    clock: Clock,
    node: mpsc::UnboundedSender<NodeMail<TcpStream>>,
    acceptors: mpsc::Sender<NodeMail<TcpStream>>,
    hands: Arc<dyn Hands>,
    resolvers: Arc<Semaphore>,
    alive: mpsc::Sender<()>,
}

impl Tasks {
    /// A task that `run` waits for.
    fn start(&self, task: impl Future<Output = ()> + Send + 'static) {
        let alive = self.alive.clone();
        tokio::spawn(async move {
            let _alive = alive;
            task.await;
        });
    }
}

impl Adapter for Tasks {
    type Socket = TcpStream;
    type Dialling = oneshot::Sender<()>;
    type Listening = oneshot::Sender<()>;
    type Line = mpsc::Sender<Post>;

    fn resolve(&mut self, query: QueryId, host: String, port: u16) {
        let (node, resolvers) = (self.node.clone(), Arc::clone(&self.resolvers));
        tokio::spawn(async move {
            let _turn = resolvers.acquire().await;
            let answer = tokio::task::spawn_blocking(move || look_up(&host, port)).await;
            let answer = answer.unwrap_or(Err(ResolveError::Temporary));
            drop(node.send(NodeMail::Event(Event::Resolved { query, answer })));
        });
    }

    fn interface(&mut self, name: &str) -> Option<u32> {
        socket::interface(name)
    }

    fn dial(&mut self, dial: DialId, order: DialOrder) -> oneshot::Sender<()> {
        let (leash, cancel) = oneshot::channel();
        let (clock, node) = (self.clock, self.node.clone());
        self.start(async move {
            let outcome = dialer::dial(order, clock, cancel).await;
            drop(node.send(NodeMail::Dialed { dial, outcome }));
        });
        leash
    }

    fn listen(
        &mut self,
        listener: ListenerId,
        order: ListenOrder,
    ) -> Result<(oneshot::Sender<()>, SocketAddr), IoKind> {
        let bound = socket::listen(&order).and_then(|(bound, address)| Ok((TcpListener::from_std(bound)?, address)));
        let (bound, address) = bound.map_err(|error| io_kind(&error))?;
        let (leash, stop) = oneshot::channel();
        self.start(acceptor::accept(listener, bound, order.socket, stop, self.acceptors.clone()));
        Ok((leash, address))
    }

    fn drive(&mut self, conn: Box<Conn>, stream: TcpStream) -> Result<mpsc::Sender<Post>, IoKind> {
        let (line, mailbox) = mpsc::channel(MAILBOX);
        let (reply, done) = mpsc::unbounded_channel();
        let out = Out { conn: conn.id(), node: self.node.clone(), hands: Arc::clone(&self.hands), done: reply };
        let (pump, stream, clock) = (Pump::new(*conn), Socket(stream), self.clock);
        self.start(Connection { pump, stream, mailbox, done, clock, out }.drive());
        Ok(line)
    }

    fn tell(&mut self, line: &mpsc::Sender<Post>, message: ToConn) -> bool {
        line.try_send(Post::Mail(Mail::Message(message))).is_ok()
    }

    fn keepalive(&mut self, line: &mpsc::Sender<Post>, socket: SocketOptions) {
        // A connection whose mailbox is full hears so from the next message.
        let _ = line.try_send(Post::Keepalive(socket));
    }

    fn work(&mut self, work: WorkId, request: Work) {
        let node = self.node.clone();
        let reply = move |done| drop(node.send(NodeMail::Event(Event::Done { work, done })));
        self.hands.submit(request, Box::new(reply));
    }
}
