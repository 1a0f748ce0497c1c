//! What a director asks that has to do with no job: `setdebug` and `resolve` (`wire/2 §1.2`).

use crate::ids::SessionId;
use crate::role::file::Net;
use crate::wire::file::Debug;
use crate::wire::file_answers as answers;
use crate::wire::frame::Signal;
use crate::work::WorkDone;

use super::{FileDaemon, Owner};

impl FileDaemon {
    /// `setdebug`: what the log says.
    pub(super) fn set_debug(&mut self, net: &mut Net, id: SessionId, asked: &Debug) {
        let file = &self.config.file;
        let (now, trace) = self.debugging.set(net, &file.name, file.working_directory.as_deref(), asked);
        self.sessions.tell(net, id, answers::debug(&now, &trace));
    }

    /// `resolve`: the director says nothing before the answer has come.
    pub(super) fn look_up(&mut self, net: &mut Net, id: SessionId, host: String) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.known.looks_up = true;
            net.look_up(host.clone(), Owner::Name(id, host));
        }
    }

    /// The resolver has answered.
    pub(super) fn looked_up(&mut self, net: &mut Net, id: SessionId, host: &str, done: WorkDone) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.known.looks_up = false;
        self.sessions.tell(net, id, answers::resolved(&self.config.file.name, host, &done.addresses()));
        self.sessions.signal(net, id, Signal::Eod);
    }
}
