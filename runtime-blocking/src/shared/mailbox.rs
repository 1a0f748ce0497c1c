//! The mailboxes of the node and of a connection.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use towline_core::drive::{ACCEPTED, INJECTED, Mail, Mailbox, NodeMail};
use towline_core::event::Event;

use super::wake::Wake;

/// The node's mailbox, with sockets of the kind `S`. The crate's documentation says what bounds it.
#[derive(Debug)]
pub struct NodeBox<S> {
    state: Mutex<NodeState<S>>,
    filled: Condvar,
    room: Condvar,
}

#[derive(Debug)]
struct NodeState<S> {
    mail: VecDeque<(Sender, NodeMail<S>)>,
    accepted: usize,
    injected: usize,
    open: bool,
    /// Acceptors' tasks that wait for room.
    waiting: Vec<Waker>,
}

/// Who posted.
#[derive(Clone, Copy, Debug)]
enum Sender {
    /// Somebody with a fixed number of messages under way.
    Bounded,
    Acceptor,
    Injector,
}

impl<S> NodeBox<S> {
    pub(super) fn new() -> Self {
        let state = NodeState { mail: VecDeque::new(), accepted: 0, injected: 0, open: true, waiting: Vec::new() };
        Self { state: Mutex::new(state), filled: Condvar::new(), room: Condvar::new() }
    }

    /// Posts and never waits. For senders with a fixed number of messages under way.
    pub fn post(&self, mail: NodeMail<S>) {
        self.push(lock(&self.state), Sender::Bounded, mail);
    }

    /// Posts what an acceptor's thread has, once there is room; false if the node has ended.
    pub fn post_accepted(&self, mail: NodeMail<S>) -> bool {
        let full = |state: &mut NodeState<S>| state.is_full();
        let mut state = self.room.wait_while(lock(&self.state), full).unwrap_or_else(PoisonError::into_inner);
        state.accepted += 1;
        self.push(state, Sender::Acceptor, mail)
    }

    /// Posts what an acceptor's task has, and takes it, once there is room; false if the node has ended.
    pub fn poll_accepted(&self, mail: &mut Option<NodeMail<S>>, cx: &Context<'_>) -> Poll<bool> {
        let mut state = lock(&self.state);
        if state.is_full() {
            if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                state.waiting.push(cx.waker().clone());
            }
            return Poll::Pending;
        }
        let Some(mail) = mail.take() else { return Poll::Ready(state.open) };
        state.accepted += 1;
        Poll::Ready(self.push(state, Sender::Acceptor, mail))
    }

    /// Posts an injected event, once there is room; false if the node has ended.
    pub(super) fn inject(&self, event: Event) -> bool {
        let full = |state: &mut NodeState<S>| state.open && state.injected >= INJECTED;
        let mut state = self.room.wait_while(lock(&self.state), full).unwrap_or_else(PoisonError::into_inner);
        state.injected += 1;
        self.push(state, Sender::Injector, NodeMail::Event(event))
    }

    /// The next mail, or `None` when none came in time.
    pub(super) fn take(&self, within: Option<Duration>) -> Option<NodeMail<S>> {
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
        self.make_room(state);
        Some(mail)
    }

    /// The node has ended: nobody waits any more, and what is in here is dropped.
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.open = false;
        let mail = std::mem::take(&mut state.mail);
        self.make_room(state);
        drop(mail);
    }

    fn make_room(&self, mut state: MutexGuard<'_, NodeState<S>>) {
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.room.notify_all();
        waiting.into_iter().for_each(Waker::wake);
    }

    fn push(&self, mut state: MutexGuard<'_, NodeState<S>>, sender: Sender, mail: NodeMail<S>) -> bool {
        let open = state.open;
        if open {
            state.mail.push_back((sender, mail));
            drop(state);
            self.filled.notify_one();
        }
        open
    }
}

impl<S> NodeState<S> {
    const fn is_full(&self) -> bool {
        self.open && self.accepted >= ACCEPTED
    }
}

/// A connection's mailbox, with what wakes its thread or task.
#[derive(Debug)]
pub struct ConnBox<W> {
    state: Mutex<ConnState>,
    wake: W,
}

#[derive(Debug, Default)]
struct ConnState {
    mail: Mailbox,
    cut: bool,
    ended: bool,
    woken: bool,
}

impl<W: Wake> ConnBox<W> {
    pub(super) fn new(wake: W) -> Self {
        Self { state: Mutex::default(), wake }
    }

    pub(super) const fn wake(&self) -> &W {
        &self.wake
    }

    /// Posts; false if the mailbox does not take it, or its thread or task has ended.
    pub(super) fn post(&self, mail: Mail) -> bool {
        let mut state = lock(&self.state);
        let fits = !state.ended && state.mail.post(mail);
        if fits {
            self.rouse(state);
        }
        fits
    }

    /// Nothing comes from the node any more.
    pub(super) fn cut(&self) {
        let mut state = lock(&self.state);
        state.cut = true;
        self.rouse(state);
    }

    /// Takes all mail, for an empty mailbox, and the wake-up back; true if nothing comes from the node any more.
    pub(super) fn take(&self, empty: &mut Mailbox) -> bool {
        let mut state = lock(&self.state);
        if std::mem::take(&mut state.woken) {
            self.wake.clear();
        }
        std::mem::swap(&mut state.mail, empty);
        state.cut
    }

    /// The thread or task ends: what comes from now on is dropped.
    pub(super) fn end(&self) {
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
