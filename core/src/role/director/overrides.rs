//! What consoles have said of resources while the director runs. It counts until the configuration is read again, and
//! stands beside the configuration, which stays as it was read: readers ask here first. A job keeps both as they were
//! when it was ordered.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::config::{Client, DirectorConfig, Job};

/// By the names of the resources.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    /// Where clients are dialled.
    addresses: BTreeMap<String, String>,
    /// Bytes a second for the data of a client's jobs, and of those that read from a storage; 0 for no limit.
    client_limits: BTreeMap<String, u64>,
    storage_limits: BTreeMap<String, u64>,
    /// What was enabled or disabled.
    switched: BTreeMap<(Switched, String), bool>,
}

/// What consoles enable and disable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Switched {
    Job,
    Client,
    Schedule,
}

impl Switched {
    /// What it is called in an answer.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Job => "Job",
            Self::Client => "Client",
            Self::Schedule => "Schedule",
        }
    }
}

impl Overrides {
    /// A client is dialled at this address.
    pub(crate) fn set_address(&mut self, client: &str, address: String) {
        self.addresses.insert(client.to_owned(), address);
    }

    /// The jobs of a client take at most so many bytes a second.
    pub(crate) fn limit_client(&mut self, client: &str, limit: u64) {
        self.client_limits.insert(client.to_owned(), limit);
    }

    /// The jobs that read from a storage take at most so many bytes a second.
    pub(crate) fn limit_storage(&mut self, storage: &str, limit: u64) {
        self.storage_limits.insert(storage.to_owned(), limit);
    }

    /// A resource is enabled or disabled.
    pub(crate) fn switch(&mut self, what: Switched, name: &str, on: bool) {
        self.switched.insert((what, name.to_owned()), on);
    }

    /// Whether jobs of this resource may be run. A client that is disabled takes all its jobs with it.
    pub(crate) fn is_enabled(&self, job: &Job) -> bool {
        let said = |what, name: &str| self.switched.get(&(what, name.to_owned())).copied();
        said(Switched::Job, &job.name).unwrap_or(job.enabled) && said(Switched::Client, &job.client).unwrap_or(true)
    }

    /// Whether a schedule starts jobs.
    pub(crate) fn is_scheduling(&self, schedule: &str) -> bool {
        self.switched.get(&(Switched::Schedule, schedule.to_owned())).copied().unwrap_or(true)
    }

    /// The client of this name, with the address at which it is dialled.
    pub(crate) fn client<'a>(&self, config: &'a DirectorConfig, name: &str) -> Option<Cow<'a, Client>> {
        let client = config.client(name)?;
        Some(match self.addresses.get(name) {
            Some(address) => Cow::Owned(Client { address: Some(address.clone()), ..client.clone() }),
            None => Cow::Borrowed(client),
        })
    }

    /// The configuration with the addresses at which clients are dialled.
    pub(crate) fn over<'a>(&self, config: &'a DirectorConfig) -> Cow<'a, DirectorConfig> {
        if self.addresses.is_empty() {
            return Cow::Borrowed(config);
        }
        let mut config = config.clone();
        for client in &mut config.clients {
            if let Some(address) = self.addresses.get(&client.name) {
                client.address = Some(address.clone());
            }
        }
        Cow::Owned(config)
    }

    /// Bytes a second that each job of a client may take, 0 if its daemon decides.
    pub(crate) fn limit_of_client(&self, config: &DirectorConfig, name: &str) -> u64 {
        let configured = || config.client(name).map_or(0, |client| client.maximum_bandwidth_per_job.0);
        self.client_limits.get(name).copied().unwrap_or_else(configured)
    }

    /// Bytes a second that each job may take which reads from a storage, 0 if its daemon decides.
    pub(crate) fn limit_of_storage(&self, config: &DirectorConfig, name: &str) -> u64 {
        let configured = || config.storage(name).map_or(0, |storage| storage.maximum_bandwidth_per_job.0);
        self.storage_limits.get(name).copied().unwrap_or_else(configured)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_console_says_counts_before_the_configuration_which_stays_as_it_was() {
        let config: DirectorConfig = serde_json::from_value(json!({
            "director": { "name": "dir", "password": "x" },
            "clients": [{ "name": "fd", "address": "192.0.2.1", "password": "x", "maximum_bandwidth_per_job": 7 },
                        { "name": "other", "address": "192.0.2.3", "password": "x" }],
            "jobs": [{ "name": "b", "client": "fd", "fileset": "s", "storage": "sd", "pool": "p" },
                     { "name": "off", "client": "fd", "fileset": "s", "storage": "sd", "pool": "p", "enabled": false }],
            "storages": [{ "name": "sd", "address": "192.0.2.2", "password": "x", "device": "d", "media_type": "m",
                           "maximum_bandwidth_per_job": 8 }],
        }))
        .unwrap();
        let mut overrides = Overrides::default();
        let address = |overrides: &Overrides, name: &str| overrides.client(&config, name).unwrap().address.clone();
        assert_eq!(address(&overrides, "fd").as_deref(), Some("192.0.2.1"));
        assert!(matches!(overrides.over(&config), Cow::Borrowed(_)));
        assert_eq!((overrides.limit_of_client(&config, "fd"), overrides.limit_of_storage(&config, "sd")), (7, 8));
        overrides.set_address("fd", "198.51.100.1".to_owned());
        overrides.limit_client("fd", 0);
        overrides.limit_storage("sd", 9);
        assert_eq!(address(&overrides, "fd").as_deref(), Some("198.51.100.1"));
        assert_eq!(address(&overrides, "other").as_deref(), Some("192.0.2.3"));
        assert_eq!(overrides.over(&config).client("fd").unwrap().address.as_deref(), Some("198.51.100.1"));
        assert_eq!((overrides.limit_of_client(&config, "fd"), overrides.limit_of_storage(&config, "sd")), (0, 9));
        let (job, off) = (&config.jobs[0], &config.jobs[1]);
        assert_eq!((overrides.is_enabled(job), overrides.is_enabled(off)), (true, false));
        overrides.switch(Switched::Job, "off", true);
        overrides.switch(Switched::Client, "fd", false);
        assert_eq!((overrides.is_enabled(job), overrides.is_enabled(off)), (false, false));
        overrides.switch(Switched::Client, "fd", true);
        assert_eq!((overrides.is_enabled(job), overrides.is_enabled(off)), (true, true));
        assert!(overrides.is_scheduling("s"));
        overrides.switch(Switched::Schedule, "s", false);
        assert!(!overrides.is_scheduling("s"));
        assert!(overrides.client(&config, "nobody").is_none());
        assert_eq!(config.client("fd").unwrap().address.as_deref(), Some("192.0.2.1"));
    }
}
