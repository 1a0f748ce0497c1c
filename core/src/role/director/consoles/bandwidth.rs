//! `setbandwidth`: the data of a job, or of all jobs of a client or with a storage, goes no faster than this.

use std::sync::Arc;

use crate::config::Bytes;
use crate::ids::{ConnId, Who};
use crate::role::director::Net;

use super::super::bandwidth::limit_line;
use super::super::{Director, job::Job};
use super::words::Words;

/// How to say it.
const USAGE: &str = "Say setbandwidth limit=N client=NAME, storage=NAME, jobid=N or job=UNIQUE. N is in KiB a second, \
                     or in what stands after it: b/s, k/s and m/s (1024), kb/s and mb/s (1000); 0 is no limit.\n";

impl Director {
    /// Sets the limit for jobs to come, until the configuration is read again, and tells the daemons of those that run.
    pub(super) fn set_bandwidth(&mut self, net: &mut Net, conn: ConnId, words: &Words) {
        let Some(limit) = words.value(&["limit"]).and_then(speed) else {
            return self.console_fails(net, conn, USAGE);
        };
        let told = match (words.value(&["jobid", "job", "ujobid"]), words.value(&["client"]), words.value(&["storage"]))
        {
            (Some(job), None, None) => self.limit_job(net, conn, job, limit),
            (None, Some(client), None) => self.limit_client(net, conn, client, limit),
            (None, None, Some(storage)) => self.limit_storage(net, conn, storage, limit),
            _ => Err(USAGE.to_owned()),
        };
        if let Err(text) = told {
            self.console_fails(net, conn, &text);
        }
    }

    fn limit_job(&mut self, net: &mut Net, conn: ConnId, wanted: &str, limit: u64) -> Result<(), String> {
        let found = self.jobs.values_mut().find(|job| job.unique == wanted || Ok(job.id) == wanted.parse());
        let Some(job) = found.filter(|job| !job.life.is_recording()) else {
            return Err(format!("There is no running job \"{wanted}\". Name one: setbandwidth limit=N jobid=N.\n"));
        };
        job.bandwidth = Some(limit);
        let line = job.limit_line(limit);
        let Some((who, name)) = job.limited_by().map(|(who, name)| (who, name.to_owned())) else {
            let text = format!("JobId {} has not begun to move data; it will keep to the limit.\n", job.id);
            self.console_done(net, conn, &text);
            return Ok(());
        };
        self.tell(net, conn, who, &name, limit, vec![line])
    }

    fn limit_client(&mut self, net: &mut Net, conn: ConnId, name: &str, limit: u64) -> Result<(), String> {
        let config = Arc::make_mut(&mut self.config);
        let Some(client) = config.clients.iter_mut().find(|client| client.name == name) else {
            return Err(self.no_such("client", name));
        };
        client.maximum_bandwidth_per_job = Bytes(limit);
        let lines = self.limit_all(limit, |job| !job.task.is_copy() && job.client == name);
        self.tell(net, conn, Who::File, name, limit, lines)
    }

    fn limit_storage(&mut self, net: &mut Net, conn: ConnId, name: &str, limit: u64) -> Result<(), String> {
        let config = Arc::make_mut(&mut self.config);
        let Some(storage) = config.storages.iter_mut().find(|storage| storage.name == name) else {
            return Err(self.no_such("storage", name));
        };
        storage.maximum_bandwidth_per_job = Bytes(limit);
        let mut lines = self.limit_all(limit, |job| job.task.is_copy() && job.storage == name);
        // What file daemons move with this storage is slowed down there, not at the client.
        let with_clients = self.jobs.values().filter(|job| !job.task.is_copy() && job.storage == name);
        lines.extend(
            with_clients.filter(|job| job.storage_daemon.presence.conn().is_some()).map(|job| job.limit_line(limit)),
        );
        self.tell(net, conn, Who::Storage, name, limit, lines)
    }

    /// Sets the limit of all these jobs; gives the lines for those that are at work.
    fn limit_all(&mut self, limit: u64, is_meant: impl Fn(&Job) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        for job in self.jobs.values_mut().filter(|job| !job.life.is_recording() && is_meant(job)) {
            job.bandwidth = Some(limit);
            if job.limited_by().is_some() {
                lines.push(job.limit_line(limit));
            }
        }
        lines
    }

    /// Without a job at work the daemon is told for all that are to come.
    fn tell(
        &mut self,
        net: &mut Net,
        conn: ConnId,
        who: Who,
        name: &str,
        limit: u64,
        mut lines: Vec<String>,
    ) -> Result<(), String> {
        if lines.is_empty() {
            lines.push(limit_line(limit, ""));
        }
        self.console_waits(conn);
        let told = self.tell_limits(net, conn, (who, name), limit, lines);
        told.map_err(|why| format!("{name} cannot be dialled: {why}.\n"))
    }
}

/// Bytes a second: `300` and `300k/s` are 307,200 as for a stock director, `300kb/s` 300,000, `5000b/s` as it stands.
fn speed(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let unit = unit.trim().to_lowercase();
    let factor = match unit.strip_suffix("/s").unwrap_or(&unit) {
        "b" => 1,
        "" | "k" | "kib" => 1 << 10,
        "kb" => 1_000,
        "m" | "mib" => 1 << 20,
        "mb" => 1_000_000,
        "g" | "gib" => 1 << 30,
        "gb" => 1_000_000_000,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor).filter(|speed| i64::try_from(*speed).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_has_the_units_of_bareos() {
        // `300k/s` as recorded.
        for (text, bytes) in [
            ("300k/s", 307_200),
            ("300KB/s", 300_000),
            ("2m/s", 2 << 20),
            ("2mb/s", 2_000_000),
            ("0", 0),
            ("100", 102_400),
            ("77b/s", 77),
        ] {
            assert_eq!(speed(text), Some(bytes), "{text}");
        }
        for text in ["", "k/s", "-1", "5 parsecs", "9999999999g/s", "9223372036854775808", "1.5m/s"] {
            assert_eq!(speed(text), None, "{text}");
        }
    }
}
