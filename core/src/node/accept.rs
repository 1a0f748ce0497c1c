//! Accepted connections: a bound on those that are not authenticated, and a deadline for each.

use std::net::IpAddr;
use std::sync::Arc;

use super::crowd::{Outcast, Prefix, Progress};
use super::net::{AnyNet, Link};
use crate::action::Action;
use crate::conn::{Accepting, CloseReason, Conn, Stage, ToConn};
use crate::error::{Code, Explain, Fault};
use crate::ids::{ConnId, ListenerId, TicketId};
use crate::limits;
use crate::socket::Ends;
use crate::wire::names::PeerName;

impl AnyNet {
    pub(super) fn on_accepted(&mut self, ticket: TicketId, _listener: ListenerId, ends: Ends) {
        if self.crowd.len() >= self.settings.max_unauthenticated && !self.make_room() {
            let text = format!(
                "{} connections are not authenticated yet; raise `max_unauthenticated`, or find out who opens them",
                self.settings.max_unauthenticated
            );
            self.order(Action::Refuse(ticket));
            return self.log_refusal((Fault::Peer, Code(110)), ends.peer, text);
        }
        let id = ConnId(self.next_id());
        let (now, from) = (self.now, ends.peer.ip());
        self.crowd.add(id, from, now);
        self.links.insert(id, Link::new(ends, None));
        let accepting = Accepting {
            id,
            ends,
            engines: Arc::clone(&self.settings.engines),
            keyring: Arc::clone(&self.keyring),
            own: self.settings.own.clone(),
            nonce: self.random(),
            wall: self.wall(),
            give_up: now + self.settings.authenticate_within,
            pause: self.guesses.pause(Prefix::host(from), now),
        };
        let begin = if self.settings.is_stock { Conn::accepted_as_stock } else { Conn::accepted };
        let conn = Box::new(begin(accepting, self.now).with_bulk(self.settings.bulk));
        self.order(Action::Admit { ticket, conn });
    }

    /// Adds the name that a refused peer may have meant. Only once it has been refused: the search takes the longer the
    /// more names there are, and nobody outside may see how long.
    pub(super) fn with_nearest(&self, reason: CloseReason) -> CloseReason {
        match reason {
            CloseReason::UnknownPeer { name, nearest: None } => {
                let meant = PeerName::parse(&name);
                let nearest = meant.and_then(|meant| self.keyring.nearest(&meant)).map(ToString::to_string);
                CloseReason::UnknownPeer { name, nearest }
            }
            reason => reason,
        }
    }

    /// A connection has got further on its way to be authenticated.
    pub(super) fn on_reached(&mut self, conn: ConnId, stage: Stage, by_key: bool) {
        let progress = match stage {
            Stage::FirstBytes => Progress::Silent,
            _ if by_key => Progress::Proved,
            _ => Progress::Spoke,
        };
        self.crowd.got_further(conn, progress, self.now);
    }

    /// A connection from here was refused before it was authenticated.
    pub(super) fn note_refused(&mut self, from: IpAddr, reason: &CloseReason) {
        if reason.is_wrong_key() {
            self.guesses.wrong(Prefix::host(from), self.now);
        }
    }

    /// No descriptor is left for a connection that waits: one that has said nothing for a while gives its own.
    pub(super) fn free_descriptor(&mut self) {
        let is_silent = |outcast: Outcast| self.now.since(outcast.heard) >= limits::SILENT_IN_SHORTAGE;
        if self.crowd.outcast().is_some_and(is_silent) {
            self.make_room();
        }
    }

    /// Pushes a connection that is not authenticated out, to make room for one more. False if there is none.
    fn make_room(&mut self) -> bool {
        let Some(outcast) = self.crowd.outcast() else { return false };
        let size = self.crowd.len();
        self.tell(outcast.conn, ToConn::PushOut);
        let Some(link) = self.forget(outcast.conn) else { return false };
        let reason = CloseReason::PushedOut;
        let text = format!(
            "{reason} after {} s of silence: {} connections are not authenticated, {} of them from {}; {}",
            self.now.since(outcast.heard).as_secs(),
            size,
            outcast.from_there,
            outcast.network,
            reason.help()
        );
        self.log_refusal((reason.fault(), reason.code()), link.ends.peer, text);
        true
    }
}
