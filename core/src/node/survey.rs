//! A survey of a node's connections: each is asked what went over it, and the role gets the list.
//!
//! Whom a connection does not tell within two seconds, its row is without numbers: its task has more urgent things to do.

use std::collections::BTreeSet;
use std::time::Duration;

use super::net::{AnyNet, Owner, TimerKey};
use super::number::Number;
use crate::conn::{Peer, ToConn, Traffic};
use crate::ids::ConnId;
use crate::time::Instant;
use crate::wire::hello::Purpose;
use crate::wire::names::{DEFAULT_CONSOLE, PeerKind};

/// How long connections may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Names a survey. Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SurveyId(u64);

/// One live connection.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name.
    pub conn: ConnId,
    /// Whether we dialled.
    pub dialled: bool,
    /// Who it is, and how the connection is protected.
    pub peer: Peer,
    /// How long it has been authenticated.
    pub age: Duration,
    /// What went over it, and how long ago the last byte came; `None` if it did not say.
    pub traffic: Option<(Traffic, Duration)>,
}

impl Row {
    /// Its number in the overview, as far as the two kinds of daemons and the hello tell. `own` is our kind. A second
    /// storage daemon and a monitor look like others here: the role knows better.
    #[must_use]
    pub fn number(&self, own: PeerKind) -> Option<Number> {
        Some(match (own, self.dialled, &self.peer.hello.purpose) {
            (PeerKind::Director, true, _) if self.peer.name.kind == PeerKind::Client => Number::DirectorToFile,
            (PeerKind::Director, true, _) => Number::DirectorToStorage,
            (_, _, Purpose::Client { .. }) => Number::FileToDirector,
            (_, _, Purpose::Console { name, .. }) if name == DEFAULT_CONSOLE => Number::DefaultConsole,
            (_, _, Purpose::Console { .. }) => Number::NamedConsole,
            (_, _, Purpose::StartJob { .. }) => Number::FileToStorage,
            (_, _, Purpose::StorageStartsJob { .. }) => Number::StorageToFile,
            (_, _, Purpose::StorageJob { .. }) => Number::StorageToStorage,
            (PeerKind::Client, false, Purpose::Director { .. }) => Number::DirectorToFile,
            (PeerKind::Storage, false, Purpose::Director { .. }) => Number::DirectorToStorage,
            _ => return None,
        })
    }
}

/// A survey under way.
#[derive(Debug)]
pub(super) struct Survey {
    waiting: BTreeSet<ConnId>,
    rows: Vec<Row>,
    deadline: TimerKey,
}

impl AnyNet {
    pub(super) fn survey(&mut self) -> SurveyId {
        let (id, deadline) = (SurveyId(self.next_id()), TimerKey(self.next_id()));
        let now = self.now;
        let rows = self.rows();
        let waiting: BTreeSet<ConnId> = rows.iter().map(|row| row.conn).collect();
        for &conn in &waiting {
            self.tell(conn, ToConn::Report);
        }
        let patience = if waiting.is_empty() { Duration::ZERO } else { PATIENCE };
        self.arm(now + patience, deadline, Owner::Survey(id), "survey of the connections");
        self.surveys.insert(id, Survey { waiting, rows, deadline });
        id
    }

    /// The live connections, without what went over them.
    pub(super) fn rows(&self) -> Vec<Row> {
        let row = |(&conn, link): (&ConnId, &super::net::Link)| {
            let known = link.known.as_ref()?;
            let age = self.now.since(known.since);
            Some(Row { conn, dialled: known.dialled, peer: known.peer.clone(), age, traffic: None })
        };
        self.links.iter().filter_map(row).collect()
    }

    /// A connection has answered. Surveys that are complete end.
    pub(super) fn on_reported(&mut self, conn: ConnId, traffic: Traffic) {
        let ago = self.now.since(traffic.heard);
        for survey in self.surveys.values_mut() {
            if survey.waiting.remove(&conn)
                && let Some(row) = survey.rows.iter_mut().find(|row| row.conn == conn)
            {
                row.traffic = Some((traffic, ago));
            }
        }
        self.end_surveys();
    }

    /// A connection has ended: nobody waits for it.
    pub(super) fn not_surveyed(&mut self, conn: ConnId) {
        for survey in self.surveys.values_mut() {
            survey.waiting.remove(&conn);
            survey.rows.retain(|row| row.conn != conn);
        }
        self.end_surveys();
    }

    /// The time of a survey is over.
    pub(super) fn survey_over(&mut self, id: SurveyId) {
        if let Some(survey) = self.surveys.remove(&id) {
            self.surveyed.push_back((id, survey.rows));
        }
    }

    fn end_surveys(&mut self) {
        let complete: Vec<SurveyId> =
            self.surveys.iter().filter(|(_, survey)| survey.waiting.is_empty()).map(|(&id, _)| id).collect();
        for id in complete {
            if let Some(survey) = self.surveys.get(&id) {
                self.cancel_timer(survey.deadline);
            }
            self.survey_over(id);
        }
    }
}

/// Who is at the other end, once that is known.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) peer: Peer,
    pub(super) dialled: bool,
    pub(super) since: Instant,
}
