//! Name look-ups: the system's resolver blocks, so it gets threads, a few at a time.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};

use towline_core::drive::{NodeMail, RESOLVERS};
use towline_core::event::Event;
use towline_core::ids::QueryId;
use towline_core::socket::ResolveError;

use crate::mailbox::NodeBox;

/// Asks the system's resolver, and waits for it.
///
/// # Errors
/// The name has no address, or the resolver cannot say.
pub fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, ResolveError> {
    match (host, port).to_socket_addrs() {
        Ok(addresses) => {
            Some(addresses.collect::<Vec<_>>()).filter(|all| !all.is_empty()).ok_or(ResolveError::NoSuchName)
        }
        Err(error) => Err(why(&error)),
    }
}

/// The standard library keeps the resolver's number to itself; its words (glibc's, musl's, the BSDs') say it too.
fn why(error: &io::Error) -> ResolveError {
    const NO_SUCH_NAME: [&str; 5] =
        ["not known", "does not resolve", "No address associated", "no usable address", "nodename nor servname"];
    let text = error.to_string();
    let final_word =
        error.kind() == io::ErrorKind::InvalidInput || NO_SUCH_NAME.iter().any(|words| text.contains(words));
    if final_word { ResolveError::NoSuchName } else { ResolveError::Temporary }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_address_needs_no_resolver() {
        assert_eq!(look_up("127.0.0.1", 9102), Ok(vec![([127, 0, 0, 1], 9102).into()]));
        assert_eq!(look_up("::1", 9102), Ok(vec![([0, 0, 0, 0, 0, 0, 0, 1], 9102).into()]));
    }

    #[test]
    fn the_resolvers_words_tell_a_wrong_name_from_a_bad_day() {
        let said = |text: &str| why(&io::Error::other(format!("failed to lookup address information: {text}")));
        assert_eq!(said("Name or service not known"), ResolveError::NoSuchName);
        assert_eq!(said("Name does not resolve"), ResolveError::NoSuchName);
        assert_eq!(said("No address associated with hostname"), ResolveError::NoSuchName);
        assert_eq!(said("Temporary failure in name resolution"), ResolveError::Temporary);
        assert_eq!(said("Try again"), ResolveError::Temporary);
    }

    #[test]
    fn a_name_with_a_nul_is_wrong_for_good() {
        assert_eq!(look_up("a\0b", 1), Err(ResolveError::NoSuchName));
    }
}
