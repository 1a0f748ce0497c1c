//! The file daemon: serves directors' sessions, dials storage daemons, has files read and restored.
//!
//! ```text
//!   director ==== session (commands) ==== FileDaemon ---- DiskWork ----> disk workers
//!                                             |                            ^
//!   storage daemon == data channel (data.rs) ==  machine: Sender, Restorer -+
//! ```
//! `calling.rs` dials directors that want it and waits there (`wire/1 §8.2`), the diary keeps a trace of what is wrong.
//! `session.rs` and `level.rs` serve the commands of `wire/2 §1`, `passive.rs` storage daemons that dial, `data.rs` leads
//! the dialogues of `wire/2 §2` and `§3`, `bandwidth.rs` slows them down, `errands.rs` does what has to do with no job, `estimate.rs` says what a backup would save, `unsaved.rs` where
//! the list of what was not saved is kept, `scripts.rs` runs the job's commands on this client, `permits.rs` says what else may be run, `job.rs` is what is known of a job, `report.rs` what a status says.

mod bandwidth;
mod calling;
mod data;
mod errands;
mod estimate;
mod job;
mod level;
mod passive;
mod permits;
mod reload;
mod report;
mod scripts;
mod session;
mod tokens;
mod unsaved;

use std::sync::Arc;
use std::time::Duration;

use crate::bulk::machine::{FromMachine, Outcome, ToMachine};
use crate::bulk::parcel::Parcel;
use crate::bulk::work::{DiskDone, DiskWork};
use crate::calendar::Zone;
use crate::config::{FileConfig, keepalive, listen_on};
use crate::conn::{CloseReason, DialFailure, Peer, Stall};
use crate::error::{Code, Explain, Fault};
use crate::ids::{ConnId, SessionId, Who};
use crate::limits;
use crate::node::{self, DialNews, Role, Row};
use crate::notice::Level;
use crate::quiet::{Quiet, more};
use crate::role::debugging::Debugging;
use crate::role::diary::{Diary, Open, Said};
use crate::role::identity::{Credentials, Identity};
use crate::role::idle::{Bounds, Doorkeeper};
use crate::role::post::Way;
use crate::role::refusals::Refusals;
use crate::role::report::Recent;
use crate::role::rereading::Rereading;
use crate::role::sessions::{Sessions, Use};
use crate::role::stopping::Stopping;
use crate::role::trouble::Trouble;
use crate::script::{Progress, Ran, Scripted};
use crate::time::Wall;
use crate::wire::frame::Signal;
use crate::wire::hello::{self, Purpose};
use crate::wire::message::MessageKind;
use crate::wire::status::JobStatus;
use crate::work::{Work, WorkDone};

use calling::Calling;
use data::Event;
use job::{Job, Presence};
use scripts::Ending;
use session::{Known, Session};
use tokens::{Dial, Due, Owner};

/// Sessions without a job. Each of a director's jobs begins as one, and all of them may begin at once.
const IDLE_SESSIONS: Bounds = Bounds { per_name: limits::IDLE_SESSIONS, total: 2 * limits::IDLE_SESSIONS };

/// The role of a file daemon.
#[derive(Debug)]
pub struct FileDaemon {
    config: Arc<FileConfig>,
    credentials: Credentials,
    identity: Identity,
    calling: Calling,
    diary: Diary,
    /// Directors that dialled and may not.
    refused: Quiet<String>,
    sessions: Sessions<Job, Known>,
    ending: Ending,
    /// Makes room for directors.
    doorkeeper: Doorkeeper,
    recent: Recent,
    refusals: Refusals,
    rereading: Rereading<FileConfig>,
    debugging: Debugging,
    jobs_run: u32,
    /// Bytes a second for every job, if a director has said so since the start.
    bandwidth: Option<u64>,
    started: Wall,
    stopping: Stopping,
    /// The number that directors hear.
    protocol: u32,
}

/// What a file daemon orders through.
type Net = node::Net<FileDaemon>;

impl FileDaemon {
    /// A file daemon with a checked configuration and what was loaded for TLS.
    #[must_use]
    pub fn new(config: Arc<FileConfig>, credentials: Credentials, identity: Identity) -> Self {
        let diary = Diary::new(config.own_messages());
        Self {
            config,
            credentials,
            identity,
            calling: Calling::default(),
            diary,
            refused: Quiet::default(),
            sessions: Sessions::default(),
            ending: Ending::default(),
            doorkeeper: Doorkeeper::default(),
            recent: Recent::default(),
            refusals: Refusals::default(),
            rereading: Rereading::default(),
            debugging: Debugging::default(),
            jobs_run: 0,
            bandwidth: None,
            started: Wall::default(),
            stopping: Stopping::No,
            protocol: hello::FILE_PROTOCOL,
        }
    }

    /// The same, which says that it is of this protocol, as an older file daemon of Bareos does (`wire/2 §1.3`).
    #[must_use]
    pub const fn of_protocol(mut self, protocol: u32) -> Self {
        self.protocol = protocol;
        self
    }

    /// Writes to the log and to the places of the messages.
    fn say(&mut self, net: &mut Net, level: Level, cause: Option<(Fault, Code)>, text: &str) {
        match cause {
            Some(cause) => net.log_cause(level, cause, text),
            None => net.log(level, text),
        }
        let kind = match level {
            Level::Error => MessageKind::Error,
            Level::Warn => MessageKind::Warning,
            Level::Info => MessageKind::Info,
            Level::Debug => MessageKind::Debug,
        };
        let text = cause.map_or_else(|| text.to_owned(), |(_, code)| format!("{text} ({code})"));
        self.diary().note(net, &Said { kind, text: &text, of_job: false });
    }

    /// The diary, and what it is written with.
    fn diary(&mut self) -> Open<'_, Self> {
        let (name, is_stopping) = (&*self.config.file.name, self.stopping.is_ending());
        let way = Way { name, daemon: "file daemon", owner: Owner::Post, due: Due::Post, is_stopping };
        Open { diary: &mut self.diary, way, zone: &self.identity.zone }
    }

    /// Hands an event of a job to its script and acts on what comes of it.
    fn advance(&mut self, net: &mut Net, id: SessionId, step: impl FnOnce(&mut Job, &mut Net) -> Ran<Job>) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        match step(job, net) {
            Ok(Progress::Waiting) => {}
            Ok(Progress::Want(work)) => {
                net.work(Work::Disk(work), Owner::Job(id));
                self.advance(net, id, Job::go_on);
            }
            Ok(Progress::Finished) => self.data_done(net, id),
            Err(mismatch) => self.fail_job(net, id, &Trouble::Channel(mismatch)),
        }
    }

    /// The dialogue of the data channel has come to its good end.
    fn data_done(&mut self, net: &mut Net, id: SessionId) {
        if let Some(job) = self.sessions.job_mut(id) {
            job.script = None;
            if let Presence::Here { conn, dialled } = job.peer {
                // The next of a restore may dial as this one did.
                job.peer = if dialled { Presence::Ended } else { Presence::Absent };
                self.sessions.detach(conn);
                net.close(conn, true);
            }
        }
        if self.sessions.get_mut(id).is_some_and(|session| session.after_data(net)) {
            self.end_session(net, id);
        }
    }

    /// Something fatal has happened to the job: says so, and ends the session.
    fn fail_job(&mut self, net: &mut Net, id: SessionId, trouble: &Trouble) {
        if self.sessions.get(id).is_some() {
            self.say_fatal(net, id, trouble);
            self.end_session(net, id);
        }
    }

    /// Ends a session in the order of `wire/2 §1.1` point 5.
    fn end_session(&mut self, net: &mut Net, id: SessionId) {
        let Some(mut session) = self.sessions.end(id) else { return };
        session.last_remarks(net, &self.config.file.name);
        if let Some(job) = &mut session.job {
            self.release(net, job);
        }
        if let Some(session) = self.run_after(net, id, session) {
            self.rereading.forget(id);
            self.finish(net, session);
        }
    }

    /// The last words of a session, whose job holds nothing any more.
    fn finish(&mut self, net: &mut Net, session: Session) {
        if let Some(job) = session.job.as_ref().filter(|job| job.id != 0) {
            net.send_text(session.conn, job.end().to_line());
            self.recent.add(job.finished(net.wall()));
            self.diary().job_ended(net, &job.ended());
        }
        net.close(session.conn, true);
        self.exit_if_idle(net);
    }

    /// Gives back what a job holds: its data channel, its dial, its open files.
    fn release(&mut self, net: &mut Net, job: &mut Job) {
        Self::stop_script(net, job);
        self.hang_up(net, job);
        self.refresh_keyring(net);
        if std::mem::take(&mut job.opened) {
            net.work(Work::Disk(DiskWork::Close { handle: job.handle }), Owner::Gone);
        }
    }

    /// While files are moved nothing else goes to the director: heartbeats keep the connection alive (`wire/2 §4.4`).
    fn arm_heartbeat(&self, net: &mut Net, id: SessionId) {
        let Some(session) = self.sessions.get(id) else { return };
        let config = self.config_of(id);
        let director = config.directors.iter().find(|director| director.name == session.director);
        if let Some(interval) = director.and_then(|director| config.director_heartbeat(director)) {
            net.set_timer(interval.duration(), "heartbeat to the director", Due::Beat(id));
        }
    }

    fn beat(&self, net: &mut Net, id: SessionId) {
        let job = self.sessions.job(id);
        if job.is_some_and(|job| job.script.is_some() || job.scripts.running().is_some()) {
            self.sessions.signal(net, id, Signal::Heartbeat);
            self.arm_heartbeat(net, id);
        }
    }

    /// Leaves the storage daemon, or stops trying to reach it.
    fn hang_up(&mut self, net: &mut Net, job: &mut Job) {
        match std::mem::replace(&mut job.peer, Presence::Ended) {
            Presence::Here { conn, .. } => {
                self.sessions.detach(conn);
                // Amid data a real storage daemon expects no signal: of a job that is cut short a real file daemon hangs up.
                let is_cut = matches!(job.status, JobStatus::Canceled | JobStatus::Fatal);
                net.close(conn, !is_cut);
            }
            Presence::Dialling(dial) => net.cancel_dial(dial),
            Presence::Expected(_, timer) => net.cancel_timer(timer),
            Presence::Absent | Presence::Ended => {}
        }
    }

    /// The director has gone, whether it took its leave or not: nobody is left to tell.
    fn director_left(&mut self, net: &mut Net, id: SessionId, why: &str) {
        let Some(mut session) = self.sessions.end(id) else { return };
        if let Some(job) = &mut session.job {
            let text = format!("director lost during job {}: {why}", job.name);
            // A talk about an estimate is over when its answer is given.
            let is_over = job.id == 0 && !job.opened;
            job.status = JobStatus::Fatal;
            self.release(net, job);
            if !is_over {
                self.say(net, Level::Warn, Some((Fault::Network, Code(902))), &text);
            }
        }
        if let Some(session) = self.run_after(net, id, session) {
            self.rereading.forget(id);
            if let Some(job) = session.job.as_ref().filter(|job| job.id != 0) {
                self.diary().job_ended(net, &job.ended());
            }
            net.close(session.conn, false);
        }
        self.exit_if_idle(net);
    }

    fn exit_if_idle(&mut self, net: &mut Net) {
        let is_over = self.sessions.is_empty() && self.ending.is_empty();
        match self.stopping {
            Stopping::Draining if self.at_work() == 0 => self.on_stop(net),
            Stopping::Ending if is_over => self.diary().exit_once_sent(net),
            _ => {}
        }
    }

    /// Jobs that run, and those whose last commands run.
    fn at_work(&self) -> usize {
        self.sessions.jobs().count() + self.ending.len()
    }

    /// `cancel Job=…` from any director: the job's own session then ends with A (`wire/2 §5.4`).
    fn cancel(&mut self, net: &mut Net, name: &str) -> bool {
        let is_it = |job: &Job| job.name == name && job.status == JobStatus::Running;
        let Some((id, job)) = self.sessions.find_job(is_it) else { return self.cancel_ending(net, name) };
        job.status = JobStatus::Canceled;
        self.end_session(net, id);
        true
    }
}

impl Role for FileDaemon {
    type Dial = Dial;
    type Timer = Due;
    type Work = Owner;
    /// Who wants a status, and which part of it if not the whole.
    type Survey = (SessionId, Option<String>);

    fn start(&mut self, net: &mut Net) {
        self.started = net.wall();
        self.refresh_keyring(net);
        net.listen_on(listen_on(&self.config.file.listen, self.config.file.port));
        self.start_calling(net);
    }

    fn on_zone_changed(&mut self, _net: &mut Net, zone: Zone) {
        self.identity.zone = zone;
    }

    fn on_accepted(&mut self, net: &mut Net, conn: ConnId, peer: Peer) {
        let name = match &peer.hello.purpose {
            Purpose::Director { name } => name,
            Purpose::StorageStartsJob { job } => return self.storage_arrived(net, conn, job),
            _ => return net.not_served(conn, &peer, "file daemon"),
        };
        let Some(director) = self.config.directors.iter().find(|director| director.name == *name) else {
            return net.abort(conn);
        };
        if !director.connection_from_director_to_client {
            if let Some(unsaid) = self.refused.turn(name, net.now()) {
                let text = format!(
                    "director {name} dials in from {}, which `connection_from_director_to_client: false` forbids: closed{}",
                    peer.ends.peer,
                    more(unsaid)
                );
                self.say(net, Level::Warn, Some((Fault::Config, Code(144))), &text);
            }
            net.send_text(conn, hello::FILE_REFUSAL);
            return net.close(conn, false);
        }
        let is_monitor = director.monitor;
        net.keep_alive(conn, keepalive::socket(self.config.director_heartbeat(director), keepalive::End::Control));
        self.sessions.make_room(net, &mut self.doorkeeper, name, IDLE_SESSIONS);
        net.send_text(conn, hello::file_answer(self.protocol));
        let times = (net.wall(), net.now());
        self.sessions.begin(Session::new(conn, name.clone(), is_monitor, times));
    }

    fn on_dial_news(&mut self, net: &mut Net, dial: &Dial, news: &DialNews) {
        let &Dial::Storage(id) = dial else { return };
        if let Some(session) = self.sessions.get_mut(id) {
            session.message(net, &self.config.file.name, MessageKind::Info, &format!("storage daemon: {news}"));
        }
    }

    fn on_stalled(&mut self, net: &mut Net, conn: ConnId, stall: &Stall) {
        let Some(Use::Storage(id)) = self.sessions.use_of(conn) else { return };
        if let Some(session) = self.sessions.get_mut(id) {
            let text = format!("the data channel stands still: {}", stall.line());
            session.message(net, &self.config.file.name, MessageKind::Warning, &text);
        }
    }

    fn on_dialed(&mut self, net: &mut Net, dial: Dial, outcome: Result<(ConnId, Peer), DialFailure>) {
        if matches!(outcome, Err(DialFailure::Cancelled)) {
            // Whoever called it off has gone on.
            return;
        }
        let id = match dial {
            Dial::Director(name) => return self.called(net, name, outcome),
            Dial::Storage(id) => id,
        };
        let Some(session) = self.sessions.get_mut(id) else { return };
        match outcome {
            Ok((conn, peer)) => {
                session.connected(net, &self.config.file.name, conn, &peer);
                self.sessions.attach(conn, Use::Storage(id));
            }
            Err(failure) => {
                self.say_fatal(net, id, &Trouble::NotReached { whom: "storage daemon", failure });
                self.sessions.tell(net, id, crate::wire::file_answers::BAD_STORAGE);
                self.end_session(net, id);
            }
        }
    }

    fn on_text(&mut self, net: &mut Net, conn: ConnId, text: Vec<u8>) {
        match self.sessions.use_of(conn) {
            Some(Use::Director(id)) => {
                if let Some(session) = self.sessions.get_mut(id) {
                    session.heard = net.now();
                }
                self.command(net, id, &text);
            }
            Some(Use::Storage(id) | Use::Client(id)) => {
                let text = String::from_utf8_lossy(&text).into_owned();
                self.advance(net, id, |job, net| job.on_text(Who::Storage, &text, net));
            }
            None => self.director_calls_back(net, conn, &text),
        }
    }

    fn on_signal(&mut self, net: &mut Net, conn: ConnId, signal: Signal) {
        let id = match self.sessions.use_of(conn) {
            Some(Use::Director(id)) => id,
            Some(Use::Storage(id) | Use::Client(id)) => return self.data_signal(net, id, signal),
            None if self.calling.has(conn) => return self.director_signals_back(net, conn, signal),
            None => return,
        };
        if signal == Signal::Terminate {
            return self.director_left(net, id, "it ended the conversation");
        }
        let Some(session) = self.sessions.get_mut(id) else { return };
        match session.on_signal(net, signal) {
            session::Next::Go => {}
            session::Next::End => self.end_session(net, id),
        }
    }

    fn on_parcel_sent(&mut self, net: &mut Net, conn: ConnId, parcel: Parcel) {
        let Some(Use::Director(id)) = self.sessions.use_of(conn) else { return };
        let sent = self.sessions.get_mut(id).and_then(|session| session.parcel_taken(net));
        if sent != Some(session::Sent::Lines) {
            return;
        }
        if self.estimates(id) {
            return self.estimate_on(net, id);
        }
        let job = self.sessions.job(id);
        if let Some(data) = job.and_then(|job| job.peer.conn()) {
            net.to_machine(data, ToMachine::LinesSent(parcel));
        }
    }

    fn on_machine(&mut self, net: &mut Net, conn: ConnId, message: FromMachine) {
        let Some(Use::Storage(id)) = self.sessions.use_of(conn) else { return };
        match (self.sessions.get_mut(id), message) {
            (Some(session), FromMachine::Remarks(remarks)) => {
                session.remark(net, &self.config.file.name, &remarks);
            }
            (Some(session), FromMachine::Lines(lines)) => session.send_lines(net, lines),
            _ => {}
        }
    }

    fn on_carried(&mut self, net: &mut Net, conn: ConnId, outcome: Outcome) {
        let Some(Use::Storage(id)) = self.sessions.use_of(conn) else { return };
        match outcome {
            Outcome::Complete { .. } => self.advance(net, id, |job, net| job.on_event(Event::Carried, net)),
            Outcome::Cut => {} // on_closed follows and knows why
            other => self.fail_job(net, id, &Trouble::Data(other)),
        }
    }

    fn on_closed(&mut self, net: &mut Net, conn: ConnId, reason: CloseReason) {
        match self.sessions.detach(conn) {
            Some(Use::Director(id)) => self.director_left(net, id, &reason.to_string()),
            Some(Use::Storage(id) | Use::Client(id)) => {
                self.fail_job(net, id, &Trouble::Lost { whom: "storage daemon", reason });
            }
            None => self.director_hung_up(net, conn, &reason.to_string()),
        }
    }

    fn on_surveyed(&mut self, net: &mut Net, (id, part): (SessionId, Option<String>), rows: Vec<Row>) {
        self.status_surveyed(net, id, part.as_deref(), &rows);
    }

    fn on_done(&mut self, net: &mut Net, owner: Owner, done: WorkDone) {
        let id = match owner {
            Owner::Job(id) => id,
            Owner::Post(target) => {
                self.diary().delivered(net, &target, done);
                return self.exit_if_idle(net);
            }
            Owner::Gone => return,
            Owner::Configuration => return self.reread(net, done),
            Owner::Name(id, host) => return self.looked_up(net, id, &host, done),
            Owner::Script(id, handle) => return self.script_ended(net, id, handle, done),
        };
        match done {
            WorkDone::Disk(DiskDone::Opened) if self.estimates(id) => self.estimate_on(net, id),
            WorkDone::Disk(DiskDone::Filled { parcel, last, remarks }) if self.estimates(id) => {
                self.estimate_filled(net, id, parcel, last, remarks);
            }
            WorkDone::Disk(DiskDone::Closed(tally)) if self.estimates(id) => self.estimated(net, id, &tally),
            WorkDone::Disk(DiskDone::Opened) => self.advance(net, id, |job, net| job.on_event(Event::Opened, net)),
            WorkDone::Disk(DiskDone::Closed(tally)) => self.advance(net, id, |job, net| {
                job.opened = false;
                job.add(&tally);
                job.on_event(Event::Closed, net)
            }),
            WorkDone::Disk(DiskDone::Failed { error, .. }) => self.fail_job(net, id, &error.into()),
            _ => self.fail_job(net, id, &Trouble::NoWorkers),
        }
    }

    fn on_timer(&mut self, net: &mut Net, due: Due) {
        match due {
            Due::Calling(name) => self.calling_timer(net, &name),
            Due::Storage(id) => self.nobody_came(net, id),
            Due::Beat(id) => self.beat(net, id),
            Due::Post(due) => {
                self.diary().due(net, due);
                self.exit_if_idle(net);
            }
        }
    }

    fn on_clock_jumped(&mut self, net: &mut Net) {
        self.call_again(net);
    }

    fn on_reload(&mut self, net: &mut Net) {
        if !self.stopping.has_begun() {
            self.rereading.ask(net, Owner::Configuration);
        }
    }

    fn on_network_changed(&mut self, net: &mut Net) {
        self.call_again(net);
    }

    fn on_drain(&mut self, net: &mut Net) -> Option<Duration> {
        let grace = self.stopping.drain(net, self.at_work(), self.config.file.shutdown_grace.duration())?;
        self.stop_calling(net);
        Some(grace)
    }

    fn on_stop(&mut self, net: &mut Net) {
        self.stopping = Stopping::Ending;
        self.stop_calling(net);
        net.stop_listening();
        for id in self.sessions.ids() {
            self.fail_job(net, id, &Trouble::Stopping("file"));
        }
        self.exit_if_idle(net);
    }
}

impl FileDaemon {
    fn data_signal(&mut self, net: &mut Net, id: SessionId, signal: Signal) {
        self.advance(net, id, |job, net| {
            if signal == Signal::Terminate {
                return job.run_script(net, |script, _, _| Err(script.mismatch("TERMINATE".to_owned())));
            }
            job.on_signal(Who::Storage, signal, net)
        });
    }
}
