//! What a job knows of its two daemons.

use std::collections::{BTreeSet, VecDeque};

use crate::ids::{ConnId, DialId};
use crate::secret::Secret;
use crate::wire::block::Session;
use crate::wire::status::{EndJob, JobStatus, StorageEnd};

use super::lists::Lists;
use super::report::Written;
use super::requests::Request;
use super::route::Route;

/// A daemon of a job, that ends its part with an `E`.
#[derive(Debug)]
pub(crate) enum Presence<E> {
    /// It is not needed yet, or is gone without its end.
    Absent,
    /// It is being dialled.
    Dialling(DialId),
    /// It is connected, and its part goes on.
    Here(ConnId),
    /// It has said how its part ended; its connection may still be there.
    Ended { end: E, conn: Option<ConnId> },
}

impl<E> Presence<E> {
    /// The connection to it.
    pub(crate) const fn conn(&self) -> Option<ConnId> {
        match self {
            Self::Here(conn) => Some(*conn),
            Self::Ended { conn, .. } => *conn,
            Self::Absent | Self::Dialling(_) => None,
        }
    }

    /// How its part ended.
    pub(crate) const fn end(&self) -> Option<&E> {
        if let Self::Ended { end, .. } = self { Some(end) } else { None }
    }

    /// Whether it is connected and has not ended its part.
    pub(crate) const fn is_here(&self) -> bool {
        matches!(self, Self::Here(_))
    }

    /// It has said how its part ended.
    pub(crate) fn ends(&mut self, end: E) {
        *self = Self::Ended { end, conn: self.conn() };
    }

    /// Takes its connection from the job.
    pub(crate) fn leave(&mut self) -> Option<ConnId> {
        if let Self::Ended { conn, .. } = self {
            return conn.take();
        }
        let conn = self.conn();
        *self = Self::Absent;
        conn
    }
}

/// The storage daemon of a job.
#[derive(Debug)]
pub(crate) struct StorageDaemon {
    pub(crate) presence: Presence<StorageEnd>,
    /// What it said of its session.
    pub(crate) session: Session,
    pub(crate) key: Secret,
    pub(crate) device: String,
    pub(crate) status: JobStatus,
    /// Whether it was told to run: from then on it asks, and only its end is an answer.
    pub(crate) runs: bool,
    pub(crate) requests: Requests,
    /// What it has written of the job.
    pub(crate) written: Written,
}

/// Its requests to the catalog.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    /// The one that is being served.
    pub(crate) served: Option<Request>,
    /// Those that came before that one was answered: the storage daemon of a cancelled job does not wait for answers
    /// (`wire/3 §2.3`).
    pub(crate) early: VecDeque<Vec<u8>>,
    /// Volumes of which it was said that they are kept though they are old enough.
    pub(crate) kept: BTreeSet<String>,
}

impl Default for StorageDaemon {
    fn default() -> Self {
        Self {
            presence: Presence::Absent,
            session: Session::default(),
            key: Secret::default(),
            device: String::new(),
            status: JobStatus::Created,
            runs: false,
            requests: Requests::default(),
            written: Written::default(),
        }
    }
}

/// The file daemon of a job.
#[derive(Debug)]
pub(crate) struct FileDaemon {
    pub(crate) presence: Presence<EndJob>,
    /// The way of its data, once that was decided.
    pub(crate) route: Option<Route>,
    /// It sends no greeting, for it has dialled in, or has sent it; its protocol is known.
    pub(crate) is_greeted: bool,
    pub(crate) protocol: u32,
    pub(crate) uname: String,
    /// How many of the job's commands it has, and one more once those before the job have run.
    pub(crate) scripts: usize,
    /// How many of the job's options for plugins it has.
    pub(crate) plugin_options: usize,
    /// What the lists of its fileset hold that are on the director.
    pub(crate) lists: Lists,
}

impl Default for FileDaemon {
    fn default() -> Self {
        Self {
            presence: Presence::Absent,
            route: None,
            is_greeted: false,
            protocol: 0,
            uname: String::new(),
            scripts: 0,
            plugin_options: 0,
            lists: Lists::default(),
        }
    }
}
