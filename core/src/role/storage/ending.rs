//! The end of a job and of its session: the last words, and what is given back.

use crate::bulk::machine::ToMachine;
use crate::bulk::work::{DiskError, DiskWork};
use crate::conn::CloseReason;
use crate::error::Explain;
use crate::ids::SessionId;
use crate::node::Role as _;
use crate::notice::Level;
use crate::role::stopping::Stopping;
use crate::role::storage::Net;
use crate::role::trouble::Trouble;
use crate::script::Scripted as _;
use crate::wire::frame::Signal;
use crate::wire::message::MessageKind;
use crate::wire::session as session_lines;
use crate::wire::status::{JobStatus, StorageEnd};
use crate::work::Work;

use super::catalog_tables::Event;
use super::job::{Direction, Job, Part, Presence, Stream};
use super::{Owner, StorageDaemon};

impl StorageDaemon {
    /// A job whose peer has gone and whose dialogues are done has ended. A peer that waits for the dialogues hears of it.
    pub(super) fn end_if_done(&mut self, net: &mut Net, id: SessionId) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        if !job.part.has_begun()
            || job.dialogue.script.is_some()
            || !job.dialogue.tasks.is_empty()
            || job.peer.is_under_way()
        {
            return;
        }
        match (job.peer.conn(), job.stream) {
            (Some(conn), Stream::EndAsked) => {
                job.stream = Stream::Done;
                net.send_text(conn, session_lines::REPLICATION_ENDED);
            }
            (Some(_), _) => {}
            (None, Stream::Open) if matches!(job.part, Part::Clone) => {}
            (None, _) => {
                if !self.sends_attributes(net, id) {
                    self.finish_job(net, id);
                }
            }
        }
    }

    /// Says the last words of a job (`wire/3 §2.7`).
    fn finish_job(&mut self, net: &mut Net, id: SessionId) {
        if let Some((job, mut control)) = self.sessions.job_of(net, id) {
            if job.is_alive() {
                job.status = JobStatus::Ok;
            }
            if job.part.direction() == Some(Direction::Append) {
                job.say_status(&mut control, job.status);
            }
            let (files, bytes) = match job.part {
                Part::Client(Some(Direction::Read)) => (0, 0),
                Part::Send(_) => (job.reading.tally.files, job.reading.tally.read_bytes),
                _ => (job.counted.files, job.counted.bytes),
            };
            job.last_remarks(&mut control);
            let (job, status, errors) = (job.order.line.job.clone(), job.status, job.counted.errors);
            let end = StorageEnd { job, status, files, bytes, errors };
            self.sessions.tell(net, id, end.to_line());
            self.sessions.signal(net, id, Signal::Eod);
        }
        self.end_session(net, id);
    }

    /// Something that ends a job has happened: says so, and ends it.
    pub(super) fn fail_job(&mut self, net: &mut Net, id: SessionId, trouble: &Trouble) {
        self.hear(net, false);
        let Some((job, mut control)) = self.sessions.job_of(net, id).filter(|(job, _)| job.is_alive()) else { return };
        let level = if trouble.status() == JobStatus::Canceled { Level::Info } else { Level::Error };
        control.log_error(level, trouble);
        job.message(&mut control, MessageKind::Fatal, &trouble.line());
        self.hear(net, true);
        self.stop_job(net, id, trouble.status());
    }

    /// Ends a job with a bad status: gives everything back, says the last words.
    pub(super) fn stop_job(&mut self, net: &mut Net, id: SessionId, status: JobStatus) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        job.status = status;
        job.dialogue.script = None;
        job.dialogue.tasks.clear();
        if job.part.has_begun() { self.finish_job(net, id) } else { self.end_session(net, id) }
    }

    /// The peer has hung up, or said that it will: a good end if everything had been said.
    pub(super) fn file_left(&mut self, net: &mut Net, id: SessionId, why: Option<CloseReason>) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        job.peer = Presence::Ended;
        let is_said = match job.stream {
            Stream::Open => false,
            // A stock file daemon that fails may leave without a word; but what a reset takes away has not arrived.
            Stream::Sent => matches!(why, None | Some(CloseReason::ByPeer)),
            // A storage daemon that writes a copy says first that it has all of it.
            Stream::Done | Stream::EndAsked => !matches!(job.part, Part::Send(_)),
        };
        if is_said {
            self.end_if_done(net, id);
        } else {
            let whom = job.other();
            let trouble = why.map_or(Trouble::LeftEarly(whom), |reason| Trouble::Lost { whom, reason });
            self.fail_job(net, id, &trouble);
        }
    }

    /// The director has gone, whether it took its leave or not: nobody is left to tell.
    pub(super) fn director_left(&mut self, net: &mut Net, id: SessionId, why: &str) {
        let Some(session) = self.sessions.end(id) else { return };
        self.rereading.forget(id);
        if let Some(mut job) = session.job {
            net.complain(Level::Warn, 902, &format!("director lost during job {}: {why}", job.order.line.job));
            job.status = job.status.merge(JobStatus::Canceled);
            self.release(net, id, &job);
        }
        net.close(session.conn, false);
        self.exit_if_idle(net);
    }

    pub(super) fn work_failed(&mut self, net: &mut Net, id: SessionId, error: DiskError) {
        let Some(job) = self.sessions.job(id) else { return };
        if job.waits_for(Event::Mounted) {
            return self.mount_failed(net, id, error);
        }
        if job.waits_for(Event::Noted) {
            // The backup is complete, and the catalog knows where it lies.
            return self.advance(net, id, |job, net| {
                let text = format!("the bootstrap was not written beside the volumes: {error} (T0638)");
                job.message(net, MessageKind::Warning, &text);
                job.on_event(Event::Noted, net)
            });
        }
        let is_client = job.part.is_client() && job.waits_for(Event::Opened);
        if let Some(conn) = job.peer.conn().filter(|_| is_client) {
            net.send_text(conn, session_lines::READ_ERROR);
        }
        self.fail_job(net, id, &error.into());
    }

    /// Ends a session and gives back what its job holds.
    pub(super) fn end_session(&mut self, net: &mut Net, id: SessionId) {
        let Some(session) = self.sessions.end(id) else { return };
        self.rereading.forget(id);
        if let Some(job) = session.job {
            self.release(net, id, &job);
        }
        net.close(session.conn, true);
        self.exit_if_idle(net);
    }

    fn release(&mut self, net: &mut Net, id: SessionId, job: &Job) {
        if let Some(conn) = job.peer.conn() {
            if !job.is_alive() {
                net.to_machine(conn, ToMachine::Stop);
            }
            net.close(conn, true);
        }
        match job.peer {
            Presence::Dialling(dial) => net.cancel_dial(dial),
            Presence::Awaited(timer) => net.cancel_timer(timer),
            Presence::Absent | Presence::Here(_) | Presence::Ended => {}
        }
        net.cancel_timer(job.writing.retry);
        self.recent.add(job.finished(net.wall()));
        self.diary().job_ended(net, &job.ended());
        self.refresh_keyring(net);
        let volumes = [job.writing.handle, job.reading.handle];
        for handle in volumes.into_iter().chain(job.spooling.handles()).flatten() {
            net.work(Work::Disk(DiskWork::Close { handle }), Owner::Closing(id));
        }
        self.free_devices(net, id);
    }

    /// Gives an ended session's devices to the jobs that wait longest, once nothing of it is open any more.
    pub(super) fn free_devices(&mut self, net: &mut Net, id: SessionId) {
        if net.works().any(|owner| *owner == Owner::Closing(id)) {
            return;
        }
        for next in self.devices.release(id) {
            self.have_devices(net, next);
        }
        self.wake_waiting(net);
    }

    /// Ends the daemon if it is to end and nothing is left that it would cut off.
    pub(super) fn exit_if_idle(&mut self, net: &mut Net) {
        match self.stopping {
            Stopping::Draining if self.at_work(net) == 0 => self.on_stop(net),
            Stopping::Ending if self.sessions.is_empty() && closing(net) == 0 => self.diary().exit_once_sent(net),
            _ => {}
        }
    }

    /// Jobs that run, and volumes that are being closed.
    pub(super) fn at_work(&self, net: &Net) -> usize {
        self.sessions.jobs().count() + closing(net)
    }
}

/// How many volumes are being closed whose jobs have ended.
fn closing(net: &Net) -> usize {
    net.works().filter(|owner| matches!(owner, Owner::Closing(_))).count()
}
