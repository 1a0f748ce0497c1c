//! What daemons answer to consoles, passed on by the parcel and as fast as the console reads: an estimate lists every file
//! of a client. While a parcel is being written the daemon's connection fills up and reads no more.

use std::collections::VecDeque;

use crate::bulk::parcel::Parcel;
use crate::conn::CloseReason;
use crate::error::Explain;
use crate::ids::ConnId;
use crate::role::director::common::Tools;
use crate::role::director::effect::Effect;

use super::{Errand, Errands};

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

impl Errands {
    /// A parcel of an errand's answer.
    pub(crate) fn parcel(&mut self, tools: &mut Tools<'_>, conn: ConnId, parcel: Parcel) {
        let Some(errand) = self.talking.get_mut(&conn) else { return tools.net.parcel_taken(conn) };
        errand.relay.parked.push_back(parcel);
        self.relay_on(tools, conn);
    }

    /// The daemon has said all.
    pub(super) fn over(&mut self, tools: &mut Tools<'_>, conn: ConnId) {
        tools.net.close(conn, true);
        self.ends(tools, conn, End::Whole);
    }

    /// The connection of an errand has ended.
    pub(crate) fn lost(&mut self, tools: &mut Tools<'_>, conn: ConnId, reason: &CloseReason) {
        let who = self.talking.get(&conn).map(|errand| errand.who.to_string()).unwrap_or_default();
        let text = format!("Lost the {who} before the end of its answer: {}\n", reason.line());
        self.ends(tools, conn, End::Cut(text));
    }

    fn ends(&mut self, tools: &mut Tools<'_>, conn: ConnId, end: End) {
        let Some(errand) = self.talking.get_mut(&conn) else { return };
        errand.relay.end.get_or_insert(end);
        self.relay_on(tools, conn);
    }

    /// A parcel of an answer is written to this console.
    pub(crate) fn relayed(&mut self, tools: &mut Tools<'_>, console: ConnId) {
        let is_it = |errand: &Errand| errand.console() == Some(console) && errand.relay.writing;
        if let Some(conn) = self.talking.iter().find(|(_, errand)| is_it(errand)).map(|(conn, _)| *conn) {
            self.taken(tools, conn);
        }
    }

    /// The console has what the daemon on this connection has said last.
    pub(crate) fn taken(&mut self, tools: &mut Tools<'_>, conn: ConnId) {
        let Some(errand) = self.talking.get_mut(&conn) else { return };
        errand.relay.writing = false;
        tools.net.parcel_taken(conn);
        self.relay_on(tools, conn);
    }

    /// Ends what daemons are telling a console that has gone.
    pub(crate) fn forget(&mut self, tools: &mut Tools<'_>, console: ConnId) {
        let is_its = |errand: &Errand| errand.console() == Some(console) && errand.is_relayed();
        let gone: Vec<ConnId> =
            self.talking.iter().filter(|(_, errand)| is_its(errand)).map(|(conn, _)| *conn).collect();
        for conn in gone {
            tools.abort(conn);
            if let Some(errand) = self.talking.remove(&conn) {
                Self::done(tools, errand);
            }
        }
    }

    /// Passes on what is parked, one parcel at a time; then the end.
    fn relay_on(&mut self, tools: &mut Tools<'_>, conn: ConnId) {
        let Some(errand) = self.talking.get_mut(&conn).filter(|errand| !errand.relay.writing) else { return };
        if let Some(parcel) = errand.relay.parked.pop_front() {
            errand.relay.writing = true;
            return tools.effect(Effect::Relay { from: conn, to: errand.console(), parcel });
        }
        let Some(end) = errand.relay.end.take() else { return };
        match (self.talking.remove(&conn), end) {
            (Some(errand), End::Cut(text)) => Self::failed(tools, errand, &text),
            (Some(errand), End::Whole) => Self::done(tools, errand),
            (None, _) => {}
        }
    }
}
