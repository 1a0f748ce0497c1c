//! The configuration read again while the file daemon runs, for the signal HUP.
//!
//! Sessions of directors go on by the configuration that they began with, so a job is asked, bounded and ended as it was
//! begun. A director that is gone, or has another password, may not begin anything: its idle sessions are closed, and so is
//! the connection that waits at it.

use std::sync::Arc;

use crate::config::FileConfig;
use crate::ids::SessionId;
use crate::node::Settings;
use crate::role::file::Net;
use crate::role::rereading::{Fixed, refused, taken};
use crate::wire::names::{PeerKind, PeerName};
use crate::work::WorkDone;
use crate::work::configuration::{Configured, NotConfigured, Reread};

use super::{FileDaemon, Owner};

impl FileDaemon {
    /// The configuration that a session goes by.
    pub(super) fn config_of(&self, id: SessionId) -> &Arc<FileConfig> {
        self.rereading.of(id, &self.config)
    }

    /// The hands have read the files, or found them wrong.
    pub(super) fn reread(&mut self, net: &mut Net, done: WorkDone) {
        match done {
            WorkDone::Configuration(Ok(Configured::File(read))) => self.take_into_use(net, *read),
            WorkDone::Configuration(Err(NotConfigured(findings))) => drop(refused(net, findings)),
            _ => drop(refused(net, vec!["its files cannot be read from here".to_owned()])),
        }
        self.rereading.answered(net, Owner::Configuration);
    }

    /// Goes by another configuration from here on.
    fn take_into_use(&mut self, net: &mut Net, mut read: Reread<FileConfig>) {
        let fixed = keep_fixed(&self.config, &mut read.config);
        taken(net, &read.warnings, &fixed);
        let file = &read.config.file;
        let own = PeerName::new(PeerKind::Client, &file.name).qualified();
        net.accept_with(Settings::new(own, read.engines).accepting(
            usize::try_from(file.max_unauthenticated).unwrap_or(usize::MAX),
            file.authenticate_within.duration(),
        ));
        let earlier = std::mem::replace(&mut self.config, Arc::new(read.config));
        self.credentials = read.credentials;
        let sessions: Vec<SessionId> = self.sessions.ids().into_iter().chain(self.ending.keys().copied()).collect();
        self.rereading.keep(&sessions, &earlier);
        self.diary.move_to(self.config.own_messages());
        self.refresh_keyring(net);
        self.end_idle(net);
        self.call_those_of(net, &earlier);
    }

    /// Closes what does nothing and could not begin again.
    fn end_idle(&mut self, net: &mut Net) {
        for id in self.sessions.ids() {
            let Some(session) = self.sessions.get(id).filter(|session| session.job.is_none()) else { continue };
            let password = |config: &FileConfig| {
                config.directors.iter().find(|of| of.name == session.director).map(|of| of.password.key())
            };
            if password(&self.config) != password(self.config_of(id)) {
                self.end_session(net, id);
            }
        }
    }
}

/// Leaves what only a restart changes as it was; returns its names.
fn keep_fixed(earlier: &FileConfig, config: &mut FileConfig) -> Vec<&'static str> {
    let (was, own, mut fixed) = (&earlier.file, &mut config.file, Fixed::default());
    fixed.keep("file.name", &was.name, &mut own.name);
    fixed.keep("file.listen", &was.listen, &mut own.listen);
    fixed.keep("file.port", &was.port, &mut own.port);
    fixed.keep("file.working_directory", &was.working_directory, &mut own.working_directory);
    fixed.0
}
