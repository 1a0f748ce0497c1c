//! What daemons answer to consoles, passed on by the parcel and as fast as the console reads: an estimate lists every file
//! of a client. While a parcel is being written the daemon's connection fills up and reads no more.

use std::collections::VecDeque;

use crate::bulk::parcel::Parcel;
use crate::conn::CloseReason;
use crate::error::Explain;
use crate::ids::ConnId;
use crate::printable;
use crate::role::director::Net;
use crate::wire::frame;

use super::Errand;
use crate::role::director::Director;

/// The answer to an errand on its way to a console.
#[derive(Debug, Default)]
pub(crate) struct Relay {
    /// Parcels that wait for the one before them: at most those that the connection has under way.
    parked: VecDeque<Parcel>,
    /// One is being written.
    writing: bool,
    end: Option<End>,
}

/// How an answer ended.
#[derive(Debug)]
enum End {
    /// With its last word.
    Whole,
    /// Before it; why.
    Cut(String),
}

impl Relay {
    /// Whether the console is the one that is slow.
    pub(crate) const fn is_writing(&self) -> bool {
        self.writing
    }
}

impl Director {
    /// A parcel of an errand's answer.
    pub(crate) fn errand_tells(&mut self, net: &mut Net, conn: ConnId, parcel: Parcel) {
        let Some(errand) = self.talking.get_mut(&conn) else { return net.parcel_taken(conn) };
        errand.relay.parked.push_back(parcel);
        self.relay_on(net, conn);
    }

    /// The daemon has said all.
    pub(crate) fn errand_over(&mut self, net: &mut Net, conn: ConnId) {
        net.close(conn, true);
        self.errand_ends(net, conn, End::Whole);
    }

    /// The connection of an errand has ended.
    pub(crate) fn errand_lost(&mut self, net: &mut Net, conn: ConnId, reason: &CloseReason) {
        let who = self.talking.get(&conn).map(|errand| errand.who.to_string()).unwrap_or_default();
        let text =
            format!("Lost the {who} before the end of its answer: {reason} ({}); {}\n", reason.code(), reason.help());
        self.errand_ends(net, conn, End::Cut(text));
    }

    fn errand_ends(&mut self, net: &mut Net, conn: ConnId, end: End) {
        let Some(errand) = self.talking.get_mut(&conn) else { return };
        errand.relay.end.get_or_insert(end);
        self.relay_on(net, conn);
    }

    /// A parcel of an answer is written to this console.
    pub(crate) fn relayed(&mut self, net: &mut Net, console: ConnId) {
        let is_it = |errand: &Errand| errand.console() == Some(console) && errand.relay.writing;
        let Some((conn, errand)) = self.talking.iter_mut().find(|(_, errand)| is_it(errand)) else { return };
        errand.relay.writing = false;
        let conn = *conn;
        net.parcel_taken(conn);
        self.relay_on(net, conn);
    }

    /// Ends what daemons are telling a console that has gone.
    pub(crate) fn forget_errands_of(&mut self, net: &mut Net, console: ConnId) {
        let is_its = |errand: &Errand| errand.console() == Some(console) && errand.is_relayed();
        let gone: Vec<ConnId> =
            self.talking.iter().filter(|(_, errand)| is_its(errand)).map(|(conn, _)| *conn).collect();
        for conn in gone {
            net.abort(conn);
            if let Some(errand) = self.talking.remove(&conn) {
                self.errand_done(net, errand);
            }
        }
    }

    /// Passes on what is parked, one parcel at a time; then the end.
    fn relay_on(&mut self, net: &mut Net, conn: ConnId) {
        while let Some(errand) = self.talking.get_mut(&conn).filter(|errand| !errand.relay.writing) {
            let Some(parcel) = errand.relay.parked.pop_front() else { break };
            let console = errand.console();
            let lines = frame::payloads(&parcel.bytes).map(|line| printable::text_of(frame::text(line)));
            if console.is_some_and(|console| self.consoles.relay(net, console, lines)) {
                if let Some(errand) = self.talking.get_mut(&conn) {
                    errand.relay.writing = true;
                }
            } else {
                net.parcel_taken(conn);
            }
        }
        let is_over = |errand: &Errand| errand.relay.end.is_some() && !errand.relay.writing;
        if !self.talking.get(&conn).is_some_and(is_over) {
            return;
        }
        let Some(mut errand) = self.talking.remove(&conn) else { return };
        match errand.relay.end.take() {
            Some(End::Cut(text)) => self.errand_failed(net, errand, &text),
            _ => self.errand_done(net, errand),
        }
    }
}
