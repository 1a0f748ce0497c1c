//! The way to a passive file daemon: `wire/3 §1.3.7`, `wire/1 §5.4`.

use crate::config::keepalive;
use crate::conn::{DialFailure, Peer};
use crate::error::Explain;
use crate::ids::{ConnId, SessionId};
use crate::node::{Opening, Route};
use crate::notice::Level;
use crate::role::probing;
use crate::role::storage::Net;
use crate::role::trouble::Trouble;
use crate::wire::file::IMMEDIATE_TLS;
use crate::wire::hello::Purpose;
use crate::wire::message::MessageKind;
use crate::wire::names::{PASSIVE_CHALLENGER, PeerKind, PeerName, bash};
use crate::wire::status::JobStatus;
use crate::wire::storage_answers as answers;

use super::job::{Control, Job, Part, Presence};
use super::session::Next;
use super::{Dial, StorageDaemon};

impl StorageDaemon {
    /// Where and how long a passive file daemon is dialled.
    pub(super) fn route_to_file(&self, id: SessionId, host: String, port: u16) -> Route {
        let config = self.config_of(id);
        let storage = &config.storage;
        let job = self.sessions.job(id).map_or("", |job| job.order.line.job.as_str());
        Route {
            host,
            port,
            source: storage.source_address.as_deref().and_then(|text| text.parse().ok()),
            // Whether it will send or receive is not known yet.
            socket: keepalive::socket(config.data_heartbeat(), keepalive::End::Sending),
            retry: storage.fd_retry_interval.duration(),
            within: probing::within(job, storage.fd_connect_timeout.duration()),
        }
    }

    /// Dials the job's file daemon; the director is answered when it is there. `line` is the director's command.
    pub(super) fn dial_file(&mut self, net: &mut Net, id: SessionId, route: Route, tls: u32, line: &[u8]) -> Next {
        let Some((job, mut control)) = self.sessions.job_of(net, id) else {
            self.sessions.tell(net, id, answers::bad_passive(line));
            return Next::End;
        };
        let why = if !matches!(job.part, Part::Ordered(_)) || job.peer != Presence::Absent {
            Err(Trouble::SecondDial)
        } else {
            let identity = PeerName::new(PeerKind::Job, &job.order.line.job);
            let purpose = Purpose::StorageStartsJob { job: job.order.line.job.clone() };
            let tls = tls == IMMEDIATE_TLS;
            let opening = self.credentials.opening("", &route.host, &identity, &job.order.key, tls, purpose);
            opening.map_err(Trouble::from)
        };
        match why {
            Ok(opening) => {
                let opening = Opening { own: bash(PASSIVE_CHALLENGER), ..opening };
                job.peer = Presence::Dialling(net.dial(route, opening, Dial::File(id)));
                self.refresh_keyring(net);
                self.arm_heartbeat(net, id);
                Next::Go
            }
            Err(why) => {
                job.not_dialled(&mut control, &why, line);
                Next::End
            }
        }
    }

    /// A dial to a passive file daemon has ended.
    pub(super) fn file_dialed(&mut self, net: &mut Net, id: SessionId, outcome: Result<(ConnId, Peer), DialFailure>) {
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return };
        match outcome {
            Ok((conn, peer)) => {
                job.peer = Presence::Here(conn);
                let text = format!("Connected file daemon at {}, encryption: {}", peer.ends.peer, peer.tls);
                self.sessions.tell(net, id, answers::PASSIVE);
                self.file_is_here(net, id, conn, Some(text));
            }
            Err(failure) => {
                job.peer = Presence::Ended;
                let why = Trouble::NotReached { whom: "file daemon", failure };
                job.not_dialled(&mut control, &why, b"passive client");
                self.end_session(net, id);
            }
        }
    }
}

impl Job {
    /// The file daemon is not dialled, or was not reached. The answer comes after the message.
    fn not_dialled(&mut self, net: &mut Control<'_>, why: &Trouble, command: &[u8]) {
        net.log_error(Level::Error, why);
        self.status = JobStatus::Fatal;
        self.message(net, MessageKind::Fatal, &why.line());
        net.tell(answers::bad_passive(command));
    }
}
