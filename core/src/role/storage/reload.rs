//! The configuration read again while the storage daemon runs, for the signal HUP.
//!
//! Sessions of directors go on by the configuration that they began with. Devices are what they were at the start: their
//! folders are this daemon's since then, and jobs hold volumes there.

use std::sync::Arc;

use crate::config::StorageConfig;
use crate::ids::SessionId;
use crate::node::Settings;
use crate::role::rereading::{Fixed, refused, taken};
use crate::role::storage::Net;
use crate::wire::names::{PeerKind, PeerName};
use crate::work::WorkDone;
use crate::work::configuration::{Configured, NotConfigured, Reread};

use super::StorageDaemon;
use super::tokens::Owner;

impl StorageDaemon {
    /// The configuration that a session goes by.
    pub(super) fn config_of(&self, id: SessionId) -> &Arc<StorageConfig> {
        self.rereading.of(id, &self.config)
    }

    /// The hands have read the files, or found them wrong.
    pub(super) fn reread(&mut self, net: &mut Net, done: WorkDone) {
        match done {
            WorkDone::Configuration(Ok(Configured::Storage(read))) => self.take_into_use(net, *read),
            WorkDone::Configuration(Err(NotConfigured(findings))) => drop(refused(net, findings)),
            _ => drop(refused(net, vec!["its files cannot be read from here".to_owned()])),
        }
        self.rereading.answered(net, Owner::Configuration);
    }

    /// Goes by another configuration from here on.
    fn take_into_use(&mut self, net: &mut Net, mut read: Reread<StorageConfig>) {
        let fixed = keep_fixed(&self.config, &mut read.config);
        taken(net, &read.warnings, &fixed);
        let storage = &read.config.storage;
        let own = PeerName::new(PeerKind::Storage, &storage.name).qualified();
        net.accept_with(Settings::new(own, read.engines).accepting(
            usize::try_from(storage.max_unauthenticated).unwrap_or(usize::MAX),
            storage.authenticate_within.duration(),
        ));
        let earlier = std::mem::replace(&mut self.config, Arc::new(read.config));
        self.credentials = read.credentials;
        self.rereading.keep(&self.sessions.ids(), &earlier);
        self.diary.move_to(self.config.own_messages());
        net.overhear(self.diary.is_kept());
        self.refresh_keyring(net);
        self.end_idle(net);
    }

    /// Closes what does nothing and could not begin again.
    fn end_idle(&mut self, net: &mut Net) {
        for id in self.sessions.ids() {
            let Some(session) = self.sessions.get(id).filter(|session| session.job.is_none()) else { continue };
            let password = |config: &StorageConfig| {
                config.directors.iter().find(|of| of.name == session.director).map(|of| of.password.key())
            };
            if password(&self.config) != password(self.config_of(id)) {
                self.end_session(net, id);
            }
        }
    }
}

/// Leaves what only a restart changes as it was; returns its names.
fn keep_fixed(earlier: &StorageConfig, config: &mut StorageConfig) -> Vec<&'static str> {
    let (was, own, mut fixed) = (&earlier.storage, &mut config.storage, Fixed::default());
    fixed.keep("storage.name", &was.name, &mut own.name);
    fixed.keep("storage.listen", &was.listen, &mut own.listen);
    fixed.keep("storage.port", &was.port, &mut own.port);
    fixed.keep("storage.working_directory", &was.working_directory, &mut own.working_directory);
    fixed.keep("devices", &earlier.devices, &mut config.devices);
    fixed.keep("autochangers", &earlier.autochangers, &mut config.autochangers);
    fixed.0
}
