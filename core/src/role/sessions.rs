//! The sessions of directors with a daemon, and what each of its connections is for.
//!
//! A session has an id of its own: it is more than the connection it began on.

use std::collections::BTreeMap;

use crate::ids::{ConnId, SessionId};
use crate::node::AnyNet;
use crate::role::idle::{Bounds, Doorkeeper, Seat};
use crate::time::{Instant, Wall};
use crate::wire::frame::Signal;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// A director speaks to this session.
    Director(SessionId),
    /// Data of this session's job, to or from a file daemon.
    Client(SessionId),
    /// Data of this session's job, to or from a storage daemon.
    Storage(SessionId),
}

impl Use {
    const fn session(self) -> SessionId {
        match self {
            Self::Director(id) | Self::Client(id) | Self::Storage(id) => id,
        }
    }
}

/// A director's session, with a job `J` and what else a daemon knows of it.
#[derive(Debug)]
pub(super) struct Session<J, K> {
    /// The connection of its director.
    pub(super) conn: ConnId,
    pub(super) director: String,
    pub(super) monitor: bool,
    /// The director knows reports of how much of a job is written.
    pub(super) hears_progress: bool,
    pub(super) since: Wall,
    /// When it last said something.
    pub(super) heard: Instant,
    pub(super) job: Option<J>,
    pub(super) known: K,
}

impl<J, K: Default> Session<J, K> {
    /// A session that begins at this time.
    pub(super) fn new(conn: ConnId, director: String, monitor: bool, (since, heard): (Wall, Instant)) -> Self {
        Self { conn, director, monitor, hears_progress: false, since, heard, job: None, known: K::default() }
    }
}

impl<J, K> Session<J, K> {
    /// The place it holds among those that do nothing.
    pub(super) fn seat(&self) -> Seat<'_> {
        Seat { conn: self.conn, name: &self.director, heard: self.heard, is_busy: self.job.is_some() }
    }
}

/// All sessions of a daemon.
#[derive(Debug)]
pub(super) struct Sessions<J, K> {
    all: BTreeMap<SessionId, Session<J, K>>,
    uses: BTreeMap<ConnId, Use>,
    last: SessionId,
}

impl<J, K> Default for Sessions<J, K> {
    fn default() -> Self {
        Self { all: BTreeMap::new(), uses: BTreeMap::new(), last: SessionId::default() }
    }
}

impl<J, K> Sessions<J, K> {
    /// Begins a session on its director's connection.
    pub(super) fn begin(&mut self, session: Session<J, K>) -> SessionId {
        self.last.0 += 1;
        self.attach(session.conn, Use::Director(self.last));
        self.all.insert(self.last, session);
        self.last
    }

    /// Ends a session: none of its connections is for anything any more.
    pub(super) fn end(&mut self, id: SessionId) -> Option<Session<J, K>> {
        self.uses.retain(|_, of| of.session() != id);
        self.all.remove(&id)
    }

    /// Says what a connection is for.
    pub(super) fn attach(&mut self, conn: ConnId, of: Use) {
        self.uses.insert(conn, of);
    }

    /// A connection is for nothing any more; tells what it was for.
    pub(super) fn detach(&mut self, conn: ConnId) -> Option<Use> {
        self.uses.remove(&conn)
    }

    /// What a connection is for.
    pub(super) fn use_of(&self, conn: ConnId) -> Option<Use> {
        self.uses.get(&conn).copied()
    }

    /// The session a connection is of, whatever it is for there.
    pub(super) fn of(&self, conn: ConnId) -> Option<SessionId> {
        self.use_of(conn).map(Use::session)
    }

    /// The session whose director speaks on a connection.
    pub(super) fn of_director(&self, conn: ConnId) -> Option<&Session<J, K>> {
        match self.use_of(conn) {
            Some(Use::Director(id)) => self.get(id),
            _ => None,
        }
    }

    pub(super) fn get(&self, id: SessionId) -> Option<&Session<J, K>> {
        self.all.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session<J, K>> {
        self.all.get_mut(&id)
    }

    pub(super) fn job(&self, id: SessionId) -> Option<&J> {
        self.get(id)?.job.as_ref()
    }

    pub(super) fn job_mut(&mut self, id: SessionId) -> Option<&mut J> {
        self.get_mut(id)?.job.as_mut()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn ids(&self) -> Vec<SessionId> {
        self.all.keys().copied().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Session<J, K>> {
        self.all.values()
    }

    pub(super) fn jobs(&self) -> impl Iterator<Item = &J> {
        self.iter().filter_map(|session| session.job.as_ref())
    }

    /// All jobs, each with the connection of its director.
    pub(super) fn jobs_mut(&mut self) -> impl Iterator<Item = (ConnId, &mut J)> {
        self.all.values_mut().filter_map(|session| Some((session.conn, session.job.as_mut()?)))
    }

    /// The first job of which this is true, with its session.
    pub(super) fn find_job(&mut self, is_it: impl Fn(&J) -> bool) -> Option<(SessionId, &mut J)> {
        self.all.iter_mut().find_map(|(&id, session)| Some((id, session.job.as_mut().filter(|job| is_it(job))?)))
    }

    /// Answers the director of a session.
    pub(super) fn tell(&self, net: &mut AnyNet, id: SessionId, text: impl AsRef<[u8]>) {
        if let Some(session) = self.get(id) {
            net.send_text(session.conn, text);
        }
    }

    /// Sends the director of a session whole frames.
    pub(super) fn send(&self, net: &mut AnyNet, id: SessionId, frames: Vec<u8>) {
        if let Some(session) = self.get(id) {
            net.send(session.conn, frames);
        }
    }

    /// Sends the director of a session a signal.
    pub(super) fn signal(&self, net: &mut AnyNet, id: SessionId, signal: Signal) {
        if let Some(session) = self.get(id) {
            net.send_signal(session.conn, signal);
        }
    }

    /// Lets the session of a director that does nothing go, if there are too many such for one more of this name.
    pub(super) fn make_room(&mut self, net: &mut AnyNet, doorkeeper: &mut Doorkeeper, name: &str, bounds: Bounds) {
        let seats: Vec<Seat<'_>> = self.iter().filter(|session| session.job.is_none()).map(Session::seat).collect();
        if let Ok(Some(gone)) = doorkeeper.make_room(net, ("director", name), &seats, bounds)
            && let Some(id) = self.of(gone)
        {
            self.end(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A session with a number for a job.
    fn numbered(conn: ConnId, job: Option<u32>) -> Session<u32, ()> {
        Session { job, ..Session::new(conn, "dir".to_owned(), false, (Wall(0), Instant::ZERO)) }
    }

    #[test]
    fn a_session_ends_with_all_its_connections_and_with_no_others() {
        let mut sessions = Sessions::default();
        let first = sessions.begin(numbered(ConnId(10), Some(1)));
        let second = sessions.begin(numbered(ConnId(11), Some(2)));
        sessions.attach(ConnId(20), Use::Storage(first));
        sessions.attach(ConnId(21), Use::Client(second));
        assert_eq!(sessions.use_of(ConnId(20)), Some(Use::Storage(first)));
        assert_eq!(sessions.find_job(|job| *job == 2).map(|(id, _)| id), Some(second));
        assert_eq!(sessions.end(first).map(|session| session.job), Some(Some(1)));
        assert_eq!([10, 20, 11, 21].map(|conn| sessions.of(ConnId(conn))), [None, None, Some(second), Some(second)]);
        assert!(sessions.end(first).is_none());
    }

    #[test]
    fn a_session_outlives_its_connections_and_its_id_is_not_used_again() {
        let mut sessions = Sessions::default();
        let id = sessions.begin(numbered(ConnId(10), Some(1)));
        assert_eq!(sessions.detach(ConnId(10)), Some(Use::Director(id)));
        assert_eq!(sessions.use_of(ConnId(10)), None);
        assert_eq!(sessions.job(id), Some(&1));
        assert!(sessions.end(id).is_some() && sessions.is_empty());
        assert_ne!(sessions.begin(numbered(ConnId(10), None)), id);
    }
}
