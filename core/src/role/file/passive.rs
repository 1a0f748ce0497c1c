//! Storage daemons that dial: the data channel of a passive client (`wire/1 §5.4`, `wire/2 §2`).

use std::sync::Arc;
use std::time::Duration;

use crate::config::keepalive;
use crate::ids::{ConnId, SessionId};
use crate::notice::Level;
use crate::role::file::Net;
use crate::role::sessions::Use;
use crate::role::trouble::Trouble;
use crate::tls::keyring::{Clear, Keyring};
use crate::wire::file_answers as answers;
use crate::wire::names::{PeerKind, PeerName};

use super::job::{Kind, Presence};
use super::session::Next;
use super::{Due, FileDaemon};

/// How long a job whose director has said "go" waits for its storage daemon. That one is authenticated already as it
/// sees it, so only the last bytes are on their way; a minute is for a bad network.
const EXPECT: Duration = Duration::from_secs(60);

impl FileDaemon {
    /// Directors, and a key for each job that a storage daemon may come for.
    pub(super) fn refresh_keyring(&self, net: &mut Net) {
        let mut keys = Keyring::builder();
        for director in &self.config.directors {
            let clear = if self.config.director_tls(director).enable { Clear::Never } else { Clear::Allowed };
            keys = keys.with(PeerName::new(PeerKind::Director, &director.name), director.password.key(), clear);
        }
        for job in self.sessions.jobs().filter(|job| job.is_callable()) {
            let clear = if job.authorization.tls { Clear::Never } else { Clear::Allowed };
            keys = keys.with(PeerName::new(PeerKind::Job, &job.name), job.authorization.key.clone(), clear);
        }
        net.set_keyring(Arc::new(keys.build()));
    }

    /// A storage daemon is here for a job, once.
    pub(super) fn storage_arrived(&mut self, net: &mut Net, conn: ConnId, name: &str) {
        let Some((id, job)) = self.sessions.find_job(|job| job.name == name && job.is_callable()) else {
            net.complain(Level::Warn, 903, &format!("nobody waits for a storage daemon of job {name}: closed"));
            return net.abort(conn);
        };
        let expected = std::mem::replace(&mut job.peer, Presence::Here { conn, dialled: false });
        // Whether it will send or receive may not be known yet.
        net.keep_alive(conn, keepalive::socket(self.config_of(id).data_heartbeat(), keepalive::End::Sending));
        self.sessions.attach(conn, Use::Storage(id));
        self.refresh_keyring(net);
        if let Presence::Expected(kind, timer) = expected {
            net.cancel_timer(timer);
            if self.start_data(net, id, kind) == Next::End {
                self.end_session(net, id);
            }
        }
    }

    /// The director orders a job to begin that has no data channel: if its storage daemon may dial, it is awaited.
    pub(super) fn expect_storage(&mut self, net: &mut Net, id: SessionId, kind: Kind) -> Next {
        let Some(job) = self.sessions.job_mut(id) else { return Next::End };
        if !job.is_callable() {
            self.no_storage(net, id, &kind, &Trouble::NoStorage);
            return Next::End;
        }
        let timer = net.set_timer(EXPECT, "the storage daemon of a passive client's job", Due::Storage(id));
        job.peer = Presence::Expected(kind, timer);
        Next::Go
    }

    /// The storage daemon has not come in time.
    pub(super) fn nobody_came(&mut self, net: &mut Net, id: SessionId) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        let Presence::Expected(kind, _) = std::mem::replace(&mut job.peer, Presence::Ended) else { return };
        self.no_storage(net, id, &kind, &Trouble::NobodyCame(EXPECT.as_secs()));
        self.end_session(net, id);
    }

    fn no_storage(&mut self, net: &mut Net, id: SessionId, kind: &Kind, trouble: &Trouble) {
        self.say_fatal(net, id, trouble);
        if matches!(kind, Kind::Backup { .. }) {
            self.sessions.tell(net, id, answers::BAD_BACKUP);
        }
    }
}
