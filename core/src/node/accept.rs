//! Accepted connections: a bound on those that are not authenticated, and a deadline for each.

use std::time::Duration;

use super::net::{Link, Net};
use crate::action::Action;
use crate::conn::{Accepting, Conn};
use crate::drive::Level;
use crate::error::{Code, Fault};
use crate::event::Ends;
use crate::ids::{ConnId, ListenerId, TicketId};
use std::sync::Arc;

/// Refusals for want of room are logged at most this often.
const LOG_PAUSE: Duration = Duration::from_secs(60);

impl Net {
    pub(super) fn on_accepted(&mut self, ticket: TicketId, _listener: ListenerId, ends: Ends) {
        if self.unauthenticated >= self.settings.max_unauthenticated {
            self.order(Action::Refuse(ticket));
            return self.log_refusal(ends);
        }
        let id = ConnId(self.next_id());
        self.unauthenticated += 1;
        self.links.insert(id, Link { ends, dial: None, ready: false });
        let accepting = Accepting {
            id,
            ends,
            engines: Arc::clone(&self.settings.engines),
            keyring: Arc::clone(&self.keyring),
            own: self.settings.own.clone(),
            nonce: self.random(),
            wall: self.wall(),
            give_up: self.now + self.settings.authenticate_within,
        };
        let conn = Box::new(Conn::accepted(accepting, self.now));
        self.order(Action::Admit { ticket, conn });
    }

    fn log_refusal(&mut self, ends: Ends) {
        let (since, count) = match self.refused_since {
            Some((since, unlogged)) => (Some(since), unlogged + 1),
            None => (None, 1),
        };
        if let Some(since) = since.filter(|&since| self.now.since(since) < LOG_PAUSE) {
            self.refused_since = Some((since, count));
            return;
        }
        self.refused_since = Some((self.now, 0));
        let text = format!(
            "connection from {} refused ({count} since the last such line): {} connections are not authenticated yet; \
             raise `max_unauthenticated`, or find out who opens them",
            ends.peer, self.unauthenticated
        );
        self.log_cause(Level::Warn, (Fault::Peer, Code(110)), &text);
    }
}
