//! Copies and migrations: from device to device within this daemon (`wire/3 §1.7`), and between two storage daemons, of
//! which one reads and dials and the other listens and writes (`wire/3 §1.8`, `§4`).
//!
//! ```text
//!   director -- replicate, run --> reading daemon ==== start replicate … ====> writing daemon <-- listen -- director
//!   director -- run -------------> Cloner, beside the conversation: volumes read -> volume written
//! ```

use std::sync::Arc;

use crate::bulk::cloner::Cloner;
use crate::bulk::machine::Machine;
use crate::bulk::sender::Sender;
use crate::config::keepalive;
use crate::conn::{DialFailure, Peer};
use crate::error::Explain;
use crate::ids::{ConnId, SessionId};
use crate::node::{Opening, Route};
use crate::notice::Level;
use crate::role::probing;
use crate::role::sessions::Use;
use crate::role::storage::Net;
use crate::role::trouble::Trouble;
use crate::wire::file::IMMEDIATE_TLS;
use crate::wire::hello::Purpose;
use crate::wire::message::MessageKind;
use crate::wire::names::{PeerKind, PeerName};
use crate::wire::session::{self, DataCommand};
use crate::wire::status::{JobStatus, JobType};
use crate::wire::storage::Replicate;
use crate::wire::storage_answers as answers;

use super::data::PARCELS;
use super::job::{Early, Job, Part, Presence, Stream};
use super::session::Next;
use super::{Dial, Due, StorageDaemon, catalog_tables as tables};

/// How far a reading storage daemon is with the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Dialling.
    Dialling,
    /// Connected; `run` is to come.
    Connected,
    /// `run` has come; the volumes are to be opened.
    Reading,
    /// `start replicate` is sent.
    Opening,
    /// `replicate data` is sent.
    Asking,
    /// The records are on their way, or all sent.
    Sending,
    /// `end replicate` is sent.
    Ending,
}

impl StorageDaemon {
    /// `listen`: waits for another storage daemon.
    pub(super) fn listen_for_storage(&mut self, net: &mut Net, id: SessionId) -> Next {
        let wait = self.config_of(id).storage.client_connect_wait.duration();
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return Next::End };
        let early = match &mut job.part {
            Part::Ordered(early) if early.storage_came || job.peer.conn().is_none() => std::mem::take(early),
            _ => return Next::End,
        };
        job.part = Part::Receive { opened: false };
        job.say_status(&mut control, JobStatus::WaitStorage);
        if job.peer.conn().is_some() {
            self.start_data(net, id, early);
            return Next::Go;
        }
        let key = net.set_timer(wait, "wait for the other storage daemon", Due::Peer(id));
        job.peer = Presence::Awaited(key);
        Next::Go
    }

    /// `replicate`: dials the writing storage daemon. Nothing but the answer may be said before it is there.
    pub(super) fn dial_storage(&mut self, net: &mut Net, id: SessionId, order: &Replicate) -> Next {
        let job = self.sessions.job(id);
        if job.is_none_or(|job| !matches!(job.part, Part::Ordered(_)) || job.peer != Presence::Absent) {
            self.sessions.tell(net, id, answers::bad_replicate("not expected here"));
            return Next::End;
        }
        let config = Arc::clone(self.config_of(id));
        let storage = &config.storage;
        let route = Route {
            host: order.address.clone(),
            port: order.port,
            source: storage.source_address.as_deref().and_then(|text| text.parse().ok()),
            socket: keepalive::socket(config.data_heartbeat(), keepalive::End::Sending),
            retry: storage.sd_retry_interval.duration(),
            within: probing::within(&order.job, storage.sd_connect_timeout.duration()),
        };
        let me = PeerName::new(PeerKind::Storage, &storage.name);
        let name = PeerName::new(PeerKind::Job, &order.job);
        let purpose = Purpose::StorageJob { job: order.job.clone() };
        let tls = order.tls == IMMEDIATE_TLS;
        match self.credentials.opening("", &order.address, &name, &order.key, tls, purpose) {
            Ok(opening) => {
                let dial = net.dial(route, Opening { own: me.qualified(), ..opening }, Dial::Storage(id));
                if let Some(job) = self.sessions.job_mut(id) {
                    (job.part, job.peer) = (Part::Send(Stage::Dialling), Presence::Dialling(dial));
                }
                self.refresh_keyring(net);
                Next::Go
            }
            Err(why) => {
                self.cannot_replicate(net, id, &why.into());
                Next::Go
            }
        }
    }

    /// The dial of a `replicate` has ended.
    pub(super) fn storage_dialed(
        &mut self,
        net: &mut Net,
        id: SessionId,
        outcome: Result<(ConnId, Peer), DialFailure>,
    ) {
        match outcome {
            Ok((conn, peer)) => {
                self.sessions.tell(net, id, answers::REPLICATE);
                let Some((job, mut control)) = self.sessions.job_of(net, id) else { return net.abort(conn) };
                (job.part, job.peer) = (Part::Send(Stage::Connected), Presence::Here(conn));
                let text = format!("Connected Storage daemon at {}, encryption: {}", peer.ends.peer, peer.tls);
                job.message(&mut control, MessageKind::Info, &text);
                self.sessions.attach(conn, Use::Storage(id));
                self.jobs_run += 1;
                self.refresh_keyring(net);
            }
            Err(failure) => {
                self.cannot_replicate(net, id, &Trouble::NotReached { whom: "other storage daemon", failure });
            }
        }
    }

    /// The answer comes before the message: a director takes the first line it hears for the answer.
    fn cannot_replicate(&mut self, net: &mut Net, id: SessionId, why: &Trouble) {
        self.sessions.tell(net, id, answers::bad_replicate(&why.line()));
        self.fail_job(net, id, why);
    }

    /// A storage daemon is here to write a copy, once. It may come before `listen`: the director waits for no answer to
    /// that, and sends the other one here at once, over a connection that may be faster.
    pub(super) fn storage_arrived(&mut self, net: &mut Net, conn: ConnId, name: &str) {
        let waits = |job: &Job| {
            let waits = matches!(job.part, Part::Ordered(_) | Part::Receive { opened: false }) && job.peer.may_come();
            job.order.line.job == name && waits && job.is_alive()
        };
        let Some((id, job)) = self.sessions.find_job(waits) else {
            net.complain(Level::Warn, 903, &format!("nobody waits for a storage daemon of job {name}: closed"));
            return net.abort(conn);
        };
        job.peer_is_here(net, conn);
        let interval = self.rereading.of(id, &self.config).data_heartbeat();
        net.keep_alive(conn, keepalive::socket(interval, keepalive::End::Control));
        self.jobs_run += 1;
        let has_listened = job.part.has_begun();
        if let Part::Ordered(early) = &mut job.part {
            early.storage_came = true;
        }
        self.sessions.attach(conn, Use::Storage(id));
        self.refresh_keyring(net);
        if has_listened {
            self.start_data(net, id, Early::default());
        }
    }

    /// `run` of a job that reads: once the volumes are open their records go to the other storage daemon.
    pub(super) fn run_replication(&mut self, net: &mut Net, id: SessionId) -> Next {
        let Some(job) = self.sessions.job_mut(id) else { return Next::End };
        if !matches!(job.part, Part::Send(Stage::Connected)) {
            return Next::End;
        }
        job.part = Part::Send(Stage::Reading);
        self.read_for_copy(net, id);
        Next::Go
    }

    /// `run` of a job with a device to read from and one to write to.
    pub(super) fn run_clone(&mut self, net: &mut Net, id: SessionId) -> Next {
        let Some(job) = self.sessions.job_mut(id) else { return Next::End };
        job.part = Part::Clone;
        self.jobs_run += 1;
        self.read_for_copy(net, id);
        Next::Go
    }

    fn read_for_copy(&mut self, net: &mut Net, id: SessionId) {
        let Some(job) = self.sessions.job(id) else { return };
        if job.reading.volumes.is_empty() {
            return self.fail_job(net, id, &Trouble::NoVolumes);
        }
        self.want_devices(net, id);
    }

    /// The volumes are open: the records may flow.
    pub(super) fn copy_records(&mut self, net: &mut Net, id: SessionId) {
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return };
        job.say_status(&mut control, JobStatus::Running);
        let is_virtual = job.order.line.kind == JobType::Backup;
        match (&job.part, job.peer.conn(), job.reading.handle) {
            (Part::Send(_), Some(conn), _) => {
                job.part = Part::Send(Stage::Opening);
                net.send_text(conn, DataCommand::StartReplicate.to_line());
            }
            (Part::Clone, _, Some(reader)) => {
                let director = control.director();
                let setup = self.receiver_setup(id);
                let cloner = Cloner::new(reader, setup, (net.now(), net.wall()))
                    .with_pieces_of(self.piece_size(id))
                    .with_checkpoints(self.piece_age(id));
                // A copy goes by the name of its original, a virtual full of several jobs by its own.
                let cloner = if is_virtual { cloner.keeping_names() } else { cloner };
                self.carry(net, id, director, Machine::Clone(Box::new(cloner)));
            }
            _ => {}
        }
    }

    /// What the writing storage daemon answers.
    pub(super) fn replication_answer(&mut self, net: &mut Net, id: SessionId, text: &[u8]) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        let (&Part::Send(stage), Some(conn)) = (&job.part, job.peer.conn()) else { return };
        let next = match (stage, session::parse_replication_opened(text)) {
            (Stage::Opening, Some(ticket)) => {
                net.send_text(conn, DataCommand::ReplicateData(ticket).to_line());
                Stage::Asking
            }
            (Stage::Asking, _) if is(text, session::DATA) => match job.reading.handle {
                Some(reader) => {
                    net.pace(conn, job.order.bandwidth);
                    net.carry(conn, Machine::Send(Sender::new(reader, PARCELS)));
                    Stage::Sending
                }
                None => stage,
            },
            (Stage::Sending, _) if job.stream == Stream::Done && is(text, session::REPLICATED) => {
                net.send_text(conn, DataCommand::EndReplicate.to_line());
                Stage::Ending
            }
            (Stage::Ending, _) if is(text, session::REPLICATION_ENDED) => return self.replicated(net, id, conn),
            _ => {
                let answer = String::from_utf8_lossy(text).trim_end().to_owned();
                return self.fail_job(net, id, &Trouble::CopyRefused(answer));
            }
        };
        job.part = Part::Send(next);
    }

    /// The other storage daemon has everything on its volume and in the catalog.
    fn replicated(&mut self, net: &mut Net, id: SessionId, conn: ConnId) {
        self.sessions.detach(conn);
        net.close(conn, true);
        if let Some(job) = self.sessions.job_mut(id) {
            job.peer = Presence::Ended;
            job.queue(tables::READ_DONE, None);
        }
        self.next_task(net, id);
    }

    /// Serves one message of the reading storage daemon.
    pub(super) fn replication_command(&mut self, net: &mut Net, id: SessionId, text: &[u8]) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        let Some(conn) = job.peer.conn() else { return };
        let Part::Receive { opened } = &mut job.part else { return };
        let answer = match (DataCommand::parse(text), *opened) {
            (Some(DataCommand::StartReplicate), false) => {
                *opened = true;
                return net.send_text(conn, session::replication_opened(job.session.id));
            }
            (Some(DataCommand::ReplicateData(_)), true) if job.stream == Stream::Open => {
                net.send_text(conn, session::DATA);
                let archiver = self.archiver(net, id);
                return self.carry(net, id, conn, Machine::Archive(Box::new(archiver)));
            }
            // Answered once everything is on the volume and in the catalog.
            (Some(DataCommand::EndReplicate), true) if job.stream != Stream::Open => {
                job.stream = Stream::EndAsked;
                return self.end_if_done(net, id);
            }
            (Some(DataCommand::StartReplicate), true) => session::REPLICATION_OPEN,
            (Some(DataCommand::ReplicateData(_) | DataCommand::EndReplicate), false) => session::REPLICATION_NOT_OPEN,
            _ => session::INVALID,
        };
        net.send_text(conn, answer);
        self.refuse(net, id, text);
    }
}

impl Job {
    /// The connection whose task drives the job's machine.
    pub(super) const fn machine_conn(&self, director: ConnId) -> Option<ConnId> {
        if matches!(self.part, Part::Clone) { Some(director) } else { self.peer.conn() }
    }

    /// Who is at the other end of the data channel.
    pub(super) const fn other(&self) -> &'static str {
        match &self.part {
            Part::Ordered(Early { storage_came: true, .. }) | Part::Receive { .. } => "reading storage daemon",
            Part::Ordered(_) | Part::Client(_) => "file daemon",
            Part::Send(_) | Part::Clone => "writing storage daemon",
        }
    }
}

/// Whether a line is this answer.
fn is(text: &[u8], answer: &str) -> bool {
    text.strip_suffix(b"\n").unwrap_or(text) == answer.trim_end().as_bytes()
}
