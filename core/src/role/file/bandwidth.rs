//! How fast the data of a job may go (`wire/2 §1.2`, 19).

use crate::ids::SessionId;
use crate::role::file::Net;
use crate::wire::file_answers as answers;

use super::FileDaemon;

impl FileDaemon {
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
        let jobs = self.sessions.jobs_mut();
        let mut is_known = name.is_empty();
        for (_, job) in jobs.filter(|(_, job)| name.is_empty() || job.name == name) {
            is_known = true;
            job.bandwidth = limit;
            if let Some(conn) = job.peer.conn() {
                net.pace(conn, limit);
            }
        }
        if !is_known {
            self.sessions.tell(net, id, answers::job_not_found(name));
        }
        self.sessions.tell(net, id, answers::BANDWIDTH);
    }
}
