//! The numbers that a director's connections have in the overview.

use crate::config::ConsoleAccess;
use crate::node::{Number, Row};
use crate::role::director::Director;
use crate::wire::hello::Purpose;
use crate::wire::names::PeerKind;

/// What a console may use that is there for a monitor: it may only read.
const MONITORS: [&str; 5] = ["status", ".status", ".api", ".jobs", ".defaults"];

impl Director {
    /// The number of a connection.
    pub(in crate::role::director) fn number_of(&self, row: &Row) -> Option<Number> {
        if let Purpose::Console { name, .. } = &row.peer.hello.purpose
            && self.common.config.console(name).is_some_and(is_monitor)
        {
            return Some(Number::MonitorToDirector);
        }
        let job = self.job_on(row.conn);
        if let Some(job) = job.filter(|job| job.storage_daemon.presence.conn() == Some(row.conn)) {
            return Some(job.storage_number());
        }
        row.number(PeerKind::Director)
    }
}

fn is_monitor(console: &ConsoleAccess) -> bool {
    let reads = |word: &String| MONITORS.iter().any(|known| word.eq_ignore_ascii_case(known));
    !console.command_acl.is_empty() && console.command_acl.iter().all(reads)
}
