//! What a node has under way, to look at from outside without asking its connections.

use super::survey::Row;
use super::{Node, Role};

/// A node's connections and how full its tables are. All of them are bounded.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The connections that are authenticated, as `status` lists them; their rows are without traffic.
    pub connections: Vec<Row>,
    /// Accepted connections that are not authenticated: at most [`Settings::max_unauthenticated`](super::Settings).
    pub unauthenticated: usize,
    /// Dials under way, pauses included.
    pub dials: usize,
    /// Timers that are set.
    pub timers: usize,
    /// The archive devices of a storage daemon.
    pub devices: Vec<DeviceInspection>,
    /// What the daemon waits for before it does its work: a director for its catalog.
    pub waits: Option<String>,
}

/// Who uses an archive device, and who wants to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInspection {
    /// Its name.
    pub name: String,
    /// Sessions that use it; as many as its `maximum_concurrent_jobs` at most.
    pub users: usize,
    /// Sessions that wait for it, or for another one of its autochanger.
    pub waiting: usize,
    /// Volumes in its folder that somebody writes to.
    pub claimed: usize,
}

impl<R: Role> Node<R> {
    /// What it has under way now.
    #[must_use]
    pub fn inspect(&self) -> Inspection {
        let net = &self.net;
        Inspection {
            connections: net.rows(),
            unauthenticated: net.crowd.len(),
            dials: net.dials.len(),
            timers: net.timers_set(),
            devices: self.role.devices(),
            waits: self.role.waits(),
        }
    }
}
