//! Clients that dial in and wait for something to do (`wire/1 §8.3`): who is let in, and what is done with what they say.

use std::time::Duration;

use crate::config::{DirectorConfig, keepalive};
use crate::conn::Peer;
use crate::error::{Code, Fault};
use crate::ids::ConnId;
use crate::notice::Level;
use crate::quiet::more;
use crate::role::director::common::{Tools, Use};
use crate::role::director::effect::Effect;
use crate::socket::{Keepalive, SocketOptions};
use crate::tls::keyring::{Builder, Clear};
use crate::wire::hello::{self, Purpose};
use crate::wire::names::{PeerKind, PeerName};

use super::Ways;
use super::pool::{Added, Arrival, Waiting};

/// How often an older connection of a client that has dialled again is asked whether it is still there. TCP asks, and
/// the connections of a Towline daemon answer beneath it: a second living daemon of the same name does not notice, and a
/// dead one is gone within 40 s.
const DOUBTFUL: Keepalive = Keepalive {
    idle: Duration::from_secs(10),
    interval: Duration::from_secs(5),
    probes: Some(3),
    user_timeout: Some(Duration::from_secs(25)),
};

/// Adds the clients: those that may not dial in too, so that the log can say that this is why.
pub(crate) fn keys(config: &DirectorConfig, keys: Builder) -> Builder {
    config.clients.iter().fold(keys, |keys, client| {
        let clear = if config.client_tls(client).enable { Clear::Never } else { Clear::Allowed };
        keys.with(PeerName::new(PeerKind::Client, &client.name), client.password.key(), clear)
    })
}

impl Ways {
    /// A client has dialled in and proved who it is.
    pub(crate) fn arrived(&mut self, tools: &mut Tools<'_>, conn: ConnId, peer: &Peer) {
        let Purpose::Client { name, protocol } = &peer.hello.purpose else { return tools.abort(conn) };
        let Some(client) = tools.common.config.client(name) else { return tools.abort(conn) };
        if !client.connection_from_client_to_director {
            tools.net.send_text(conn, hello::DIRECTOR_REFUSAL);
            let why = "`connection_from_client_to_director` is not set for it; set it, or do not let it dial";
            return self.turn_away(tools, conn, peer, name, (Fault::Config, Code(145)), why);
        }
        let socket = keepalive::socket(tools.common.config.client_heartbeat(client), keepalive::End::Control);
        tools.net.keep_alive(conn, socket);
        let arrival = self.pool.admit(name, tools.net.now());
        if tools.common.stopping.has_begun() {
            return tools.close(conn, true);
        }
        if arrival == Arrival::TooOften {
            let why = "it dials in again and again; look into its log for what ends its connections";
            return self.turn_away(tools, conn, peer, name, (Fault::Peer, Code(146)), why);
        }
        let doubtful: Vec<ConnId> = self.pool.of(name).map(|(older, _)| older).collect();
        let waiting = Waiting {
            client: name.clone(),
            protocol: *protocol,
            since: tools.net.wall(),
            from: peer.ends.peer,
            tls: peer.tls.clone(),
        };
        match self.pool.add(conn, waiting) {
            Added::Full => {
                let why = "too many connections wait; raise `max_waiting_connections` if there are so many clients";
                return self.turn_away(tools, conn, peer, name, (Fault::Config, Code(147)), why);
            }
            Added::Waits(let_go) => self.let_go(tools, name, &let_go),
            Added::InPlaceOf(gone, whose) => self.gives_way(tools, gone, &whose, name),
        }
        tools.common.uses.attach(conn, Use::Waiting);
        let (director, identity) = (&tools.common.config.director.name, &tools.common.identity);
        tools.net.send_text(conn, hello::director_answer(director, &identity.full, &identity.date));
        for older in doubtful {
            tools.net.keep_alive(older, SocketOptions { keepalive: Some(DOUBTFUL), ..SocketOptions::default() });
        }
        self.client_waits(tools, name);
        if arrival == Arrival::Return {
            tools.effect(Effect::Returned(name.clone()));
        }
    }

    /// Refuses a client; says so once a minute.
    fn turn_away(
        &mut self,
        tools: &mut Tools<'_>,
        conn: ConnId,
        peer: &Peer,
        name: &str,
        cause: (Fault, Code),
        why: &str,
    ) {
        if let Some(unsaid) = self.said.turn(&(name.to_owned(), cause.1), tools.net.now()) {
            let from = peer.ends.peer;
            tools.net.log_cause(
                Level::Warn,
                cause,
                &format!("client {name} at {from} is turned away: {why}{}", more(unsaid)),
            );
        }
        tools.close(conn, false);
    }

    /// Closes the oldest connections of a client that has too many.
    fn let_go(&mut self, tools: &mut Tools<'_>, name: &str, conns: &[ConnId]) {
        for conn in conns {
            tools.close(*conn, true);
        }
        let code = Code(148);
        if !conns.is_empty()
            && let Some(unsaid) = self.said.turn(&(name.to_owned(), code), tools.net.now())
        {
            let text = format!(
                "client {name} has more than {} connections waiting: the oldest is closed; is there a second daemon of \
                 this name?{}",
                tools.common.config.director.max_waiting_connections_per_client,
                more(unsaid)
            );
            tools.net.log_cause(Level::Warn, (Fault::Peer, code), &text);
        }
    }

    /// Closes the oldest connection of the client that has most: another client comes, and there is no room.
    fn gives_way(&mut self, tools: &mut Tools<'_>, conn: ConnId, whose: &str, name: &str) {
        tools.close(conn, true);
        let code = Code(149);
        if let Some(unsaid) = self.said.turn(&(whose.to_owned(), code), tools.net.now()) {
            let text = format!(
                "as many connections wait as may: the oldest of client {whose}, which has most, makes room for client \
                 {name}{}",
                more(unsaid)
            );
            tools.net.complain(Level::Warn, code.0, &text);
        }
    }

    /// A signal ends a waiting connection (`wire/1 §8.3`). A line is thrown away: there is no question it could answer.
    pub(crate) fn signal(&mut self, tools: &mut Tools<'_>, conn: ConnId) {
        self.left(conn);
        tools.close(conn, true);
    }

    /// A client waits no longer.
    pub(crate) fn left(&mut self, conn: ConnId) {
        self.pool.remove(conn);
    }
}
