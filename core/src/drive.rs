//! What an adapter imports: the order of calls, the hands that work on disks and the catalog, and words for both.
//!
//! An adapter is five pieces: clock, dialer, acceptor, connection pump, timers. It decides nothing.
//! One task or thread owns the [`Node`], one each [`Conn`](crate::conn::Conn). Pump order per wake:
//! messages in, due timers, read until blocked or 1 MiB, write until blocked or 1 MiB, work and messages out, re-arm.
//! [`Desk`], [`Mailbox`] and [`Pump`] hold what all adapters do alike; an adapter adds the waiting and the system calls.

mod desk;
mod io;
mod jump;
mod mailbox;
mod pump;
mod reach;

pub use desk::{ACCEPT_PAUSE, ACCEPTED, Adapter, Desk, DialOrder, INJECTED, ListenOrder, NodeMail, RESOLVERS};
pub use io::{accept_kind, io_kind, would_block};
pub use jump::JumpWatch;
pub use mailbox::{MAILBOX, Mailbox};
#[cfg(feature = "conformance")]
pub use pump::TURNS;
pub use pump::{BUDGET, Mail, Outlet, Pump, Stream, Wait};
pub use reach::{Icmp, connect_kind, source_kind};

use std::fmt;
use std::sync::Arc;

use crate::action::Action;
use crate::event::Event;
use crate::node::{Node, Role};
use crate::notice::{ExitReason, Notice};
use crate::work::{Work, WorkDone};

/// Runs a node until its `Action::Exit`.
pub trait Runtime {
    /// `tokio`, `smol` or `blocking`.
    fn name(&self) -> &'static str;

    /// Drives `node`; blocks the caller. `started` gets the injector before the first event.
    fn run<R: Role>(
        &self,
        node: Node<R>,
        hands: Arc<dyn Hands>,
        started: Box<dyn FnOnce(Injector) + Send>,
    ) -> ExitReason;
}

/// Puts an event into the node's mailbox from another thread: a signal, a typed line. Waits while [`INJECTED`] events
/// wait for the node, so that a long input is read as fast as it is used; false if the node has ended.
#[derive(Clone)]
pub struct Injector(pub Arc<dyn Fn(Event) -> bool + Send + Sync>);

impl Injector {
    /// Posts the event; false if the node has ended.
    pub fn post(&self, event: Event) -> bool {
        (self.0)(event)
    }
}

impl fmt::Debug for Injector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Injector")
    }
}

/// The disk and catalog workers of a daemon, and its log. Shared by all connections; runs on threads of its own.
pub trait Hands: Send + Sync + 'static {
    /// Starts a piece of work and returns at once. `reply` is called exactly once, on any thread.
    /// The number of pieces under way is bounded by those who submit.
    fn submit(&self, work: Work, reply: Reply);

    /// Takes a message for the log or the operator. Must not block for long.
    fn notify(&self, notice: Notice);

    /// Sees each event before the node does, and each action before it is carried out: for traces. Must not block.
    fn saw(&self, _step: Step<'_>) {}
}

/// A step of a node: what it heard, or what it ordered.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// What it heard.
    Event(&'a Event),
    /// What it ordered.
    Action(&'a Action),
}

/// Carries the result of a piece of work to the machine that asked.
pub type Reply = Box<dyn FnOnce(WorkDone) + Send>;
