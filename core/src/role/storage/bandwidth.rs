//! How fast the data of a job may go (`wire/3 §1.3.6`).

use crate::bulk::machine::Machine;
use crate::ids::{ConnId, SessionId};
use crate::role::storage::Net;
use crate::wire::storage_answers as answers;

use super::StorageDaemon;
use super::job::Job;

impl StorageDaemon {
    /// Bytes a second for the jobs of a session unless its director says otherwise.
    pub(super) fn usual_bandwidth(&self, id: SessionId) -> u64 {
        let director = self.sessions.get(id).map_or("", |session| session.director.as_str());
        self.bandwidth.unwrap_or_else(|| self.config_of(id).job_bandwidth(director))
    }

    /// `setbandwidth`: for one job, or for all of this daemon, those to come too. An unknown job gets two answers.
    pub(super) fn set_bandwidth(&mut self, net: &mut Net, id: SessionId, limit: u64, name: &str) {
        if name.is_empty() {
            self.bandwidth = Some(limit);
        }
        let mut is_known = name.is_empty();
        let is_it = |job: &Job| name.is_empty() || job.order.line.job == name;
        for (director, job) in self.sessions.jobs_mut().filter(|(_, job)| is_it(job)) {
            is_known = true;
            job.order.bandwidth = limit;
            if let Some(conn) = job.machine_conn(director) {
                net.pace(conn, limit);
            }
        }
        if !is_known {
            self.sessions.tell(net, id, answers::bandwidth_not_found(name));
        }
        self.sessions.tell(net, id, answers::BANDWIDTH);
    }

    /// Lets a machine of the session's job work, no faster than the job may.
    pub(super) fn carry(&self, net: &mut Net, id: SessionId, conn: ConnId, machine: Machine) {
        let bandwidth = self.sessions.job(id).map_or(0, |job| job.order.bandwidth);
        net.pace(conn, bandwidth);
        net.carry(conn, machine);
    }
}
