//! Threads for name look-ups: the system's resolver blocks, so it gets some of its own, a few at a time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use towline_core::drive::{NodeMail, RESOLVERS};
use towline_core::event::Event;
use towline_core::ids::QueryId;
use towline_core::socket::ResolveError;

use crate::mailbox::NodeBox;
use crate::system::look_up;

/// Look-ups waiting for a thread; bounded by the dials that asked.
#[derive(Clone, Debug)]
pub(crate) struct Resolver {
    state: Arc<Mutex<State>>,
    node: Arc<NodeBox>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(QueryId, String, u16)>,
    threads: usize,
}

impl Resolver {
    pub(crate) fn new(node: Arc<NodeBox>) -> Self {
        Self { state: Arc::default(), node }
    }

    /// Answers with `Event::Resolved`.
    pub(crate) fn ask(&self, query: QueryId, host: String, port: u16) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.push_back((query, host, port));
        if state.threads >= RESOLVERS {
            return;
        }
        state.threads += 1;
        drop(state);
        let work = self.clone();
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

    /// There is no thread to be had: if no other is left to serve those who wait, they hear so.
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
