//! What a director asks that has to do with no job and no device: `setdebug` and `resolve` (`wire/3 §1.4`).

use crate::ids::SessionId;
use crate::role::storage::Net;
use crate::wire::file::Debug;
use crate::wire::frame::Signal;
use crate::wire::storage_answers as answers;
use crate::work::WorkDone;

use super::session::Reading;
use super::{Owner, StorageDaemon};

impl StorageDaemon {
    /// `setdebug`: what the log says. No end of data follows its answer.
    pub(super) fn set_debug(&mut self, net: &mut Net, id: SessionId, asked: &Debug) {
        let own = &self.config.storage;
        let (now, file) = self.debugging.set(net, &own.name, own.working_directory.as_deref(), asked);
        self.sessions.tell(net, id, answers::debug(&now, &file));
    }

    /// `resolve`: the director says nothing before the answer has come.
    pub(super) fn look_up(&mut self, net: &mut Net, id: SessionId, host: String) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.known = Reading::Nothing;
            net.look_up(host.clone(), Owner::Name(id, host));
        }
    }

    /// The resolver has answered.
    pub(super) fn looked_up(&mut self, net: &mut Net, id: SessionId, host: &str, done: WorkDone) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.known = Reading::Commands;
        self.sessions.tell(net, id, answers::resolved(&self.config.storage.name, host, &done.addresses()));
        self.sessions.signal(net, id, Signal::Eod);
    }
}
