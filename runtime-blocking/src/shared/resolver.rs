//! Threads for name look-ups: the system's resolver blocks, so it gets some of its own, a few at a time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use towline_core::drive::{NodeMail, RESOLVERS};
use towline_core::event::Event;
use towline_core::ids::QueryId;
use towline_core::socket::ResolveError;

use super::look_up;
use super::mailbox::NodeBox;

/// Look-ups waiting for a thread; bounded by the dials that asked.
pub(super) struct Resolver<S> {
    state: Arc<Mutex<State>>,
    node: Arc<NodeBox<S>>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(QueryId, String, u16)>,
    threads: usize,
}

impl<S: Send + 'static> Resolver<S> {
    pub(super) fn new(node: Arc<NodeBox<S>>) -> Self {
        Self { state: Arc::default(), node }
    }

    /// Answers with `Event::Resolved`.
    pub(super) fn ask(&self, query: QueryId, host: String, port: u16) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.push_back((query, host, port));
        if state.threads >= RESOLVERS {
            return;
        }
        state.threads += 1;
        drop(state);
        let work = Self { state: Arc::clone(&self.state), node: Arc::clone(&self.node) };
        if std::thread::Builder::new().name("resolver".into()).spawn(move || work.run()).is_err() {
            self.give_up();
        }
    }

    fn run(&self) {
        while let Some((query, host, port)) = self.next() {
            let answer = look_up(&host, port);
            self.node.post(NodeMail::Event(Event::Resolved { query, answer }));
        }
    }

    /// The next look-up; without one the calling thread no longer counts.
    fn next(&self) -> Option<(QueryId, String, u16)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let next = state.waiting.pop_front();
        if next.is_none() {
            state.threads -= 1;
        }
        next
    }

    /// The system has no thread left: if no other resolver runs, those who wait hear so.
    fn give_up(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.threads -= 1;
        if state.threads > 0 {
            return;
        }
        for (query, ..) in state.waiting.drain(..) {
            self.node.post(NodeMail::Event(Event::Resolved { query, answer: Err(ResolveError::Temporary) }));
        }
    }
}
