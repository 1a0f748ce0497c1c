//! The mailboxes of the node and of a connection.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use towline_core::drive::{ACCEPTED, INJECTED, MAILBOX, Mail, NodeMail};
use towline_core::event::Event;
use towline_core::ids::WorkId;
use towline_core::socket::SocketOptions;
use towline_core::work::WorkDone;

use crate::connection::Held;
use crate::wake::Wake;

/// The node's mailbox. The crate's documentation says what bounds it.
#[derive(Debug)]
pub(crate) struct NodeBox {
    state: Mutex<NodeState>,
    filled: Condvar,
    room: Condvar,
}

#[derive(Debug)]
struct NodeState {
    mail: VecDeque<(Sender, NodeMail<Held>)>,
    accepted: usize,
    injected: usize,
    open: bool,
}

/// Who posted.
#[derive(Clone, Copy, Debug)]
enum Sender {
    /// Somebody with a fixed number of messages under way.
    Bounded,
    Acceptor,
    Injector,
}

impl NodeBox {
    pub(crate) fn new() -> Self {
        let state = NodeState { mail: VecDeque::new(), accepted: 0, injected: 0, open: true };
        Self { state: Mutex::new(state), filled: Condvar::new(), room: Condvar::new() }
    }

    /// Posts and never waits. For senders with a fixed number of messages under way.
    pub(crate) fn post(&self, mail: NodeMail<Held>) {
        self.push(lock(&self.state), Sender::Bounded, mail);
    }

    /// Posts an accepted connection, once there is room; false if the node has ended.
    pub(crate) fn post_accepted(&self, mail: NodeMail<Held>) -> bool {
        let full = |state: &mut NodeState| state.open && state.accepted >= ACCEPTED;
        let mut state = self.room.wait_while(lock(&self.state), full).unwrap_or_else(PoisonError::into_inner);
        state.accepted += 1;
        self.push(state, Sender::Acceptor, mail)
    }

    /// Posts an injected event, once there is room; false if the node has ended.
    pub(crate) fn inject(&self, event: Event) -> bool {
        let full = |state: &mut NodeState| state.open && state.injected >= INJECTED;
        let mut state = self.room.wait_while(lock(&self.state), full).unwrap_or_else(PoisonError::into_inner);
        state.injected += 1;
        self.push(state, Sender::Injector, NodeMail::Event(event))
    }

    /// The next mail, or `None` when none came in time.
    pub(crate) fn take(&self, within: Option<Duration>) -> Option<NodeMail<Held>> {
        let mut state = lock(&self.state);
        if state.mail.is_empty() {
            state = match within {
                Some(span) => self.filled.wait_timeout(state, span).unwrap_or_else(PoisonError::into_inner).0,
                None => self.filled.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        let (sender, mail) = state.mail.pop_front()?;
        match sender {
            Sender::Bounded => return Some(mail),
            Sender::Acceptor => state.accepted -= 1,
            Sender::Injector => state.injected -= 1,
        }
        drop(state);
        self.room.notify_all();
        Some(mail)
    }

    /// The node has ended: nobody waits any more, and what is in here is dropped.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.open = false;
        let mail = std::mem::take(&mut state.mail);
        drop(state);
        drop(mail);
        self.room.notify_all();
    }

    fn push(&self, mut state: MutexGuard<'_, NodeState>, sender: Sender, mail: NodeMail<Held>) -> bool {
        let open = state.open;
        if open {
            state.mail.push_back((sender, mail));
            drop(state);
            self.filled.notify_one();
        }
        open
    }
}

/// A connection's mailbox, with the descriptor that wakes its thread.
#[derive(Debug)]
pub(crate) struct ConnBox {
    state: Mutex<ConnState>,
    pub(crate) wake: Wake,
}

#[derive(Debug, Default)]
struct ConnState {
    messages: VecDeque<Mail>,
    /// Bounded by the connection: it asked for each.
    done: VecDeque<Mail>,
    keepalive: Option<SocketOptions>,
    cut: bool,
    ended: bool,
    woken: bool,
}

/// All that was in a connection's mailbox.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) mail: VecDeque<Mail>,
    pub(crate) keepalive: Option<SocketOptions>,
    pub(crate) cut: bool,
}

impl ConnBox {
    pub(crate) fn new(wake: Wake) -> Self {
        Self { state: Mutex::default(), wake }
    }

    /// Posts a message of the node; false if the mailbox is full or its thread has ended.
    pub(crate) fn post(&self, mail: Mail) -> bool {
        let mut state = lock(&self.state);
        let fits = state.messages.len() < MAILBOX && !state.ended;
        if fits {
            state.messages.push_back(mail);
            self.rouse(state);
        }
        fits
    }

    /// Posts what came of a piece of work.
    pub(crate) fn post_done(&self, work: WorkId, done: WorkDone) {
        let mut state = lock(&self.state);
        if !state.ended {
            state.done.push_back(Mail::Done(work, done));
            self.rouse(state);
        }
    }

    pub(crate) fn set_keepalive(&self, options: SocketOptions) {
        let mut state = lock(&self.state);
        state.keepalive = Some(options);
        self.rouse(state);
    }

    /// Nothing comes from the node any more.
    pub(crate) fn cut(&self) {
        let mut state = lock(&self.state);
        state.cut = true;
        self.rouse(state);
    }

    /// Empties the mailbox and takes the wake-up back.
    pub(crate) fn take(&self) -> Batch {
        let mut state = lock(&self.state);
        if std::mem::take(&mut state.woken) {
            self.wake.clear();
        }
        let mut mail = std::mem::take(&mut state.messages);
        mail.append(&mut state.done);
        Batch { mail, keepalive: state.keepalive.take(), cut: state.cut }
    }

    /// The thread ends: what comes from now on is dropped.
    pub(crate) fn end(&self) {
        let mut state = lock(&self.state);
        *state = ConnState { ended: true, ..ConnState::default() };
    }

    fn rouse(&self, mut state: MutexGuard<'_, ConnState>) {
        if !std::mem::replace(&mut state.woken, true) {
            self.wake.set();
        }
    }
}

/// A thread that panicked cannot have left these states half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
