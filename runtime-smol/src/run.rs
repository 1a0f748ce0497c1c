//! The node's task.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use async_channel::{Receiver, Sender, TrySendError};
use async_io::Async;
use smol::future::race;
use smol::lock::Semaphore;
use towline_core::conn::{Conn, ToConn};
use towline_core::drive::{
    ACCEPTED, Adapter, Desk, DialOrder, Hands, INJECTED, Injector, ListenOrder, MAILBOX, Mail, NodeMail, Pump,
    RESOLVERS, Runtime, io_kind,
};
use towline_core::event::Event;
use towline_core::ids::{DialId, ListenerId, QueryId, WorkId};
use towline_core::node::{Node, Role};
use towline_core::notice::{ExitReason, Level, Notice};
use towline_core::socket::{IoKind, SocketOptions};
use towline_core::work::Work;
use towline_runtime_blocking::system::{Clock, look_up, socket};

use crate::connection::{Connection, Out, Post, Socket};
use crate::executor::{Spawner, Threads};
use crate::timer::Timer;
use crate::{acceptor, dialer};

type ToNode = NodeMail<Async<TcpStream>>;

/// Drives a node on smol.
#[derive(Clone, Copy, Debug, Default)]
pub struct Smol;

impl Runtime for Smol {
    fn name(&self) -> &'static str {
        "smol"
    }

    fn run<R: Role>(
        &self,
        node: Node<R>,
        hands: Arc<dyn Hands>,
        started: Box<dyn FnOnce(Injector) + Send>,
    ) -> ExitReason {
        let threads = match Threads::start() {
            Ok(threads) => threads,
            Err(error) => {
                let text = format!("no thread to be had: {error}");
                hands.notify(Notice::Log { level: Level::Error, cause: None, text });
                return ExitReason::Failed(1);
            }
        };
        let (injector, injected) = async_channel::bounded(INJECTED);
        started(Injector(Arc::new(move |event| inject(&injector, event))));
        let (spawner, tasks) = threads.spawner();
        smol::block_on(async {
            let reason = serve(node, hands, injected, spawner).await;
            tasks.ended().await;
            reason
        })
    }
}

/// Waits only where it must, so that a task may post as long as there is room.
fn inject(node: &Sender<Event>, event: Event) -> bool {
    match node.try_send(event) {
        Ok(()) => true,
        Err(TrySendError::Full(event)) => node.send_blocking(event).is_ok(),
        Err(TrySendError::Closed(_)) => false,
    }
}

async fn serve<R: Role>(
    node: Node<R>,
    hands: Arc<dyn Hands>,
    injected: Receiver<Event>,
    spawner: Spawner,
) -> ExitReason {
    let clock = Clock::start();
    let (to_node, mailbox) = async_channel::unbounded();
    let (acceptors, accepted) = async_channel::bounded(ACCEPTED);
    let adapter = Tasks {
        clock,
        node: to_node,
        acceptors,
        hands: Arc::clone(&hands),
        resolvers: Arc::new(Semaphore::new(RESOLVERS)),
        spawner,
    };
    let mut desk = Desk::new(node, hands, adapter);
    let mut timer = Timer::new(clock);
    let mut over = desk.start(clock.wall(), clock.now());
    loop {
        over = over.or_else(|| desk.tick(clock.now(), || clock.wall()));
        if let Some(reason) = over {
            return reason;
        }
        timer.arm(desk.deadline());
        let mail = next_mail(&mailbox, &accepted, &injected, &mut timer).await;
        over = mail.and_then(|mail| desk.take(mail, clock.now()));
    }
}

/// The next mail of any queue, or `None` when the timer is due.
async fn next_mail(
    mailbox: &Receiver<ToNode>,
    accepted: &Receiver<ToNode>,
    injected: &Receiver<Event>,
    timer: &mut Timer,
) -> Option<ToNode> {
    let accepted = async { accepted.recv().await.ok() };
    let injected = async {
        match injected.recv().await {
            Ok(event) => Some(NodeMail::Event(event)),
            // Nobody holds the injector any more.
            Err(_) => smol::future::pending().await,
        }
    };
    let mailbox = async { mailbox.recv().await.ok() };
    let due = async {
        timer.wait().await;
        None
    };
    race(race(mailbox, accepted), race(injected, due)).await
}

/// The adapter as the desk sees it.
struct Tasks {
    clock: Clock,
    node: Sender<ToNode>,
    acceptors: Sender<ToNode>,
    hands: Arc<dyn Hands>,
    resolvers: Arc<Semaphore>,
    spawner: Spawner,
}

impl Adapter for Tasks {
    type Socket = Async<TcpStream>;
    type Dialling = Sender<()>;
    type Listening = Sender<()>;
    type Line = Sender<Post>;

    fn resolve(&mut self, query: QueryId, host: String, port: u16) {
        let (node, resolvers) = (self.node.clone(), Arc::clone(&self.resolvers));
        self.spawner.start_loose(async move {
            let _turn = resolvers.acquire().await;
            let answer = smol::unblock(move || look_up(&host, port)).await;
            drop(node.try_send(NodeMail::Event(Event::Resolved { query, answer })));
        });
    }

    fn interface(&mut self, name: &str) -> Option<u32> {
        socket::interface(name)
    }

    fn dial(&mut self, dial: DialId, order: DialOrder) -> Sender<()> {
        let (leash, cancel) = async_channel::bounded(1);
        let (clock, node) = (self.clock, self.node.clone());
        self.spawner.start(async move {
            let outcome = dialer::dial(order, clock, cancel).await;
            drop(node.try_send(NodeMail::Dialed { dial, outcome }));
        });
        leash
    }

    fn listen(&mut self, listener: ListenerId, order: ListenOrder) -> Result<(Sender<()>, SocketAddr), IoKind> {
        let bound = socket::listen(&order).and_then(|(bound, address)| Ok((Async::new_nonblocking(bound)?, address)));
        let (bound, address) = bound.map_err(|error| io_kind(&error))?;
        let (leash, stop) = async_channel::bounded(1);
        self.spawner.start(acceptor::accept(listener, bound, order.socket, stop, self.acceptors.clone()));
        Ok((leash, address))
    }

    fn drive(&mut self, conn: Box<Conn>, stream: Async<TcpStream>) -> Result<Sender<Post>, IoKind> {
        let (line, mailbox) = async_channel::bounded(MAILBOX);
        let (reply, done) = async_channel::unbounded();
        let out = Out { conn: conn.id(), node: self.node.clone(), hands: Arc::clone(&self.hands), done: reply };
        let (pump, stream, clock) = (Pump::new(*conn), Socket(stream), self.clock);
        self.spawner.start(Connection { pump, stream, mailbox, done, clock, out }.drive());
        Ok(line)
    }

    fn tell(&mut self, line: &Sender<Post>, message: ToConn) -> bool {
        line.try_send(Post::Mail(Mail::Message(message))).is_ok()
    }

    fn keepalive(&mut self, line: &Sender<Post>, socket: SocketOptions) {
        // A connection whose mailbox is full hears so from the next message.
        let _ = line.try_send(Post::Keepalive(socket));
    }

    fn work(&mut self, work: WorkId, request: Work) {
        let node = self.node.clone();
        let reply = move |done| drop(node.try_send(NodeMail::Event(Event::Done { work, done })));
        self.hands.submit(request, Box::new(reply));
    }
}
