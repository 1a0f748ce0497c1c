//! The node's loop, on the thread that called for it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use towline_core::drive::{Adapter, Desk, Hands, Injector, NodeMail};
use towline_core::event::Event;
use towline_core::ids::{QueryId, WorkId};
use towline_core::node::{Node, Role};
use towline_core::notice::ExitReason;
use towline_core::work::Work;

use super::Clock;
use super::mailbox::NodeBox;
use super::resolver::Resolver;

/// Drives the node on the calling thread until its end; returns once every thread or task that holds a socket has ended.
pub fn run<R: Role, A: Adapter>(
    node: Node<R>,
    hands: Arc<dyn Hands>,
    started: Box<dyn FnOnce(Injector) + Send>,
    adapter: impl FnOnce(Base<A::Socket>) -> A,
) -> ExitReason
where
    A::Socket: Send + 'static,
{
    let clock = Clock::start();
    let mailbox = Arc::new(NodeBox::new());
    let injected = Arc::clone(&mailbox);
    started(Injector(Arc::new(move |event| injected.inject(event))));
    let holders = Holders::default();
    let base = Base {
        clock,
        node: Arc::clone(&mailbox),
        hands: Arc::clone(&hands),
        resolver: Resolver::new(Arc::clone(&mailbox)),
        holders: holders.clone(),
    };
    let reason = serve(Desk::new(node, hands, adapter(base)), &mailbox, clock);
    mailbox.close();
    holders.wait();
    reason
}

fn serve<R: Role, A: Adapter>(mut desk: Desk<R, A>, mailbox: &NodeBox<A::Socket>, clock: Clock) -> ExitReason {
    let mut over = desk.start(clock.wall(), clock.now());
    loop {
        over = over.or_else(|| desk.tick(clock.now(), clock.wall()));
        if let Some(reason) = over {
            return reason;
        }
        if let Some(mail) = mailbox.take(desk.deadline().map(|at| clock.until(at))) {
            over = desk.take(mail, clock.now(), clock.wall());
        }
    }
}

/// What every adapter has of the node that it serves.
pub struct Base<S> {
    /// The node's clock.
    pub clock: Clock,
    /// The node's mailbox.
    pub node: Arc<NodeBox<S>>,
    /// The disk and catalog workers.
    pub hands: Arc<dyn Hands>,
    resolver: Resolver<S>,
    holders: Holders,
}

impl<S: Send + 'static> Base<S> {
    /// Asks the system's resolver; answers with `Event::Resolved`.
    pub fn resolve(&self, query: QueryId, host: String, port: u16) {
        self.resolver.ask(query, host, port);
    }

    /// Has a piece of the node's work done; answers with `Event::Done`.
    pub fn work(&self, work: WorkId, request: Work) {
        let node = Arc::clone(&self.node);
        self.hands.submit(request, Box::new(move |done| node.post(NodeMail::Event(Event::Done { work, done }))));
    }

    /// Counts a thread or a task that holds a socket, until what is returned is dropped at its end.
    #[must_use]
    pub fn counted(&self) -> Counted {
        Counted::new(self.holders.clone())
    }
}

impl<S> std::fmt::Debug for Base<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Base").finish_non_exhaustive()
    }
}

/// How many threads or tasks hold sockets.
#[derive(Clone, Debug, Default)]
struct Holders(Arc<(Mutex<usize>, Condvar)>);

impl Holders {
    fn wait(&self) {
        let (count, none) = &*self.0;
        let count = count.lock().unwrap_or_else(PoisonError::into_inner);
        drop(none.wait_while(count, |count| *count > 0).unwrap_or_else(PoisonError::into_inner));
    }
}

/// One thread or task that holds a socket; [`run`] waits for its end.
#[derive(Debug)]
pub struct Counted(Holders);

impl Counted {
    fn new(holders: Holders) -> Self {
        *holders.0.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(holders)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let (count, none) = &*self.0.0;
        *count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        none.notify_all();
    }
}
