//! Accepted connections: a bound on those that are not authenticated, and a deadline for each.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::net::{Link, Net};
use crate::action::Action;
use crate::conn::{Accepting, CloseReason, Conn};
use crate::error::{Code, Fault};
use crate::event::Ends;
use crate::ids::{ConnId, ListenerId, TicketId};
use crate::wire::names::PeerName;

impl Net {
    pub(super) fn on_accepted(&mut self, ticket: TicketId, _listener: ListenerId, ends: Ends) {
        if self.unauthenticated >= self.settings.max_unauthenticated {
            let room = self.evict(ends.peer.ip());
            if room.is_none() {
                self.order(Action::Refuse(ticket));
            }
            let text = format!(
                "{} connections are not authenticated yet; raise `max_unauthenticated`, or find out who opens them",
                self.settings.max_unauthenticated
            );
            self.log_refusal((Fault::Peer, Code(110)), ends.peer, text);
            if room.is_none() {
                return;
            }
        }
        let id = ConnId(self.next_id());
        self.unauthenticated += 1;
        self.links.insert(id, Link { ends, dial: None, known: None });
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

    /// Makes room for a connection from `newcomer`: of the address that holds most of it, the oldest has to go. So one
    /// host that never authenticates does not shut out the others. `None` if that host is the newcomer itself.
    fn evict(&mut self, newcomer: IpAddr) -> Option<()> {
        let early = |link: &Link| link.known.is_none() && link.dial.is_none();
        let mut held: BTreeMap<IpAddr, (usize, ConnId)> = BTreeMap::new();
        for (&conn, link) in self.links.iter().filter(|(_, link)| early(link)) {
            held.entry(link.ends.peer.ip()).or_insert((0, conn)).0 += 1;
        }
        let (&greedy, &(most, oldest)) = held.iter().max_by_key(|(_, (count, _))| *count)?;
        let own = held.get(&newcomer).map_or(0, |(count, _)| *count);
        if greedy == newcomer || own + 1 >= most {
            return None;
        }
        self.abort(oldest);
        self.forget(oldest);
        Some(())
    }
}
