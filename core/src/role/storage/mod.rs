//! The storage daemon: serves directors' sessions and file daemons' data channels, asks the director's catalog for
//! volumes, has blocks written and read.
//!
//! ```text
//!   director ==== session (session.rs) <==== catalog requests (catalog_tables.rs) ==== StorageDaemon
//!                                                                                        |      |
//!   file daemon == data channel (data.rs) == machine: Archiver, Sender ==== DiskWork ====+   devices (device.rs)
//! ```
//! `passive.rs` dials file daemons, `replicate.rs` copies from device to device and between two storage daemons, `job.rs`
//! is what is known of a job, `volumes.rs` its way to devices and volumes, `ending.rs` its end, `report.rs` what a status
//! says, `operator.rs` what an operator has done with devices and volumes, `spooling.rs` what waits in files.

mod bandwidth;
mod bootstrap;
mod catalog_tables;
mod data;
mod device;
mod ending;
mod errands;
mod job;
mod operator;
mod passive;
mod reload;
mod replicate;
mod report;
mod session;
mod spooling;
mod tokens;
mod volumes;

use std::sync::Arc;
use std::time::Duration;

use crate::bulk::machine::{FromMachine, Outcome, ToMachine};
use crate::bulk::parcel::Parcel;
use crate::bulk::work::{DiskDone, DiskWork};
use crate::calendar::Zone;
use crate::config::{StorageConfig, keepalive, listen_on};
use crate::conn::{CloseReason, DialFailure, Peer, Stall};
use crate::cover::{self, Mark};
use crate::error::Explain;
use crate::ids::{ConnId, SessionId, Who};
use crate::limits;
use crate::node::{self, DeviceInspection, DialNews, Overheard, Role, Row};
use crate::notice::Level;
use crate::role::debugging::Debugging;
use crate::role::diary::{Diary, Open, Said};
use crate::role::identity::{Credentials, Identity};
use crate::role::idle::{Bounds, Doorkeeper};
use crate::role::post::{ABOUT_MESSAGES, Way};
use crate::role::refusals::Refusals;
use crate::role::report::Recent;
use crate::role::rereading::Rereading;
use crate::role::sessions::{Sessions, Use};
use crate::role::stopping::Stopping;
use crate::role::trouble::Trouble;
use crate::script::{Progress, Ran, Scripted};
use crate::time::Wall;
use crate::tls::keyring::{Clear, Keyring};
use crate::wire::frame::Signal;
use crate::wire::hello::{self, Purpose};
use crate::wire::message::MessageKind;
use crate::wire::names::{PeerKind, PeerName};
use crate::work::{Work, WorkDone};

use catalog_tables::{Event, Halt};
use device::Devices;
use job::{Control, Early, Job, Part, Presence};
use report::Wanted;
use session::{Reading, Session};
use tokens::{Dial, Due, Owner};

/// Sessions without a job. Each of a director's jobs begins as one, and all of them may begin at once.
const IDLE_SESSIONS: Bounds = Bounds { per_name: limits::IDLE_SESSIONS, total: 2 * limits::IDLE_SESSIONS };

/// The role of a storage daemon.
#[derive(Debug)]
pub struct StorageDaemon {
    config: Arc<StorageConfig>,
    credentials: Credentials,
    identity: Identity,
    debugging: Debugging,
    diary: Diary,
    sessions: Sessions<Job, Reading>,
    /// Makes room for directors.
    doorkeeper: Doorkeeper,
    devices: Devices,
    recent: Recent,
    refusals: Refusals,
    rereading: Rereading<StorageConfig>,
    jobs_run: u32,
    /// Bytes a second for every job, if a director has said so since the start.
    bandwidth: Option<u64>,
    next_session: u32,
    session_time: u32,
    started: Wall,
    stopping: Stopping,
}

/// What a storage daemon orders through.
type Net = node::Net<StorageDaemon>;

impl StorageDaemon {
    /// A storage daemon with a checked configuration and what was loaded for TLS.
    #[must_use]
    pub fn new(config: Arc<StorageConfig>, credentials: Credentials, identity: Identity) -> Self {
        let devices = Devices::of(&config);
        let diary = Diary::new(config.own_messages());
        Self {
            config,
            diary,
            credentials,
            identity,
            debugging: Debugging::default(),
            sessions: Sessions::default(),
            doorkeeper: Doorkeeper::default(),
            devices,
            recent: Recent::default(),
            refusals: Refusals::default(),
            rereading: Rereading::default(),
            jobs_run: 0,
            bandwidth: None,
            next_session: 0,
            session_time: 0,
            started: Wall::default(),
            stopping: Stopping::No,
        }
    }

    /// What was written to the log goes to the places of the messages. `of_job`: a job has said the same.
    fn hear(&mut self, net: &mut Net, of_job: bool) {
        for Overheard { level, code, text } in net.overheard() {
            if code.is_some_and(|code| ABOUT_MESSAGES.contains(&code.0)) {
                continue;
            }
            let kind = match level {
                Level::Error => MessageKind::Error,
                Level::Warn => MessageKind::Warning,
                Level::Info => MessageKind::Info,
                Level::Debug => MessageKind::Debug,
            };
            let text = code.map_or_else(|| text.clone(), |code| format!("{text} ({code})"));
            self.diary().note(net, &Said { kind, text: &text, of_job });
        }
    }

    /// The diary, and what it is written with.
    fn diary(&mut self) -> Open<'_, Self> {
        let (name, is_stopping) = (&*self.config.storage.name, self.stopping.is_ending());
        let way = Way { name, daemon: "storage daemon", owner: Owner::Post, due: Due::Post, is_stopping };
        Open { diary: &mut self.diary, way, zone: &self.identity.zone }
    }

    /// Directors, and a key for each running job.
    fn refresh_keyring(&self, net: &mut Net) {
        let mut keys = Keyring::builder();
        for director in &self.config.directors {
            let clear = if self.config.director_tls(director).enable { Clear::Never } else { Clear::Allowed };
            keys = keys.with(PeerName::new(PeerKind::Director, &director.name), director.password.key(), clear);
        }
        let clear = if self.config.storage.tls.enable { Clear::Never } else { Clear::Allowed };
        for job in self.sessions.jobs() {
            if job.peer.may_come() && job.is_alive() {
                keys = keys.with(PeerName::new(PeerKind::Job, &job.order.line.job), job.order.key.clone(), clear);
            }
        }
        net.set_keyring(Arc::new(keys.build()));
    }

    /// Starts the next dialogue with the catalog, or ends the job when all is done.
    fn next_task(&mut self, net: &mut Net, id: SessionId) {
        self.advance(net, id, |job, net| job.next_task(net));
    }

    /// Hands an event of a job to its script and acts on what comes of it.
    fn advance(&mut self, net: &mut Net, id: SessionId, step: impl FnOnce(&mut Job, &mut Control<'_>) -> Ran<Job>) {
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return };
        let mut outcome = step(job, &mut control);
        while matches!(outcome, Ok(Progress::Finished)) && !job.dialogue.tasks.is_empty() {
            outcome = job.next_task(&mut control);
        }
        match outcome {
            Ok(Progress::Want(work)) => {
                if matches!(work, DiskWork::Mount { .. }) && !self.may_mount(net, id) {
                    return;
                }
                net.work(Work::Disk(work), Owner::Job(id));
                self.advance(net, id, Job::go_on);
            }
            Ok(Progress::Waiting | Progress::Finished) => self.end_if_done(net, id),
            Err(Halt::NoVolume) => self.wait_volume(net, id),
            Err(Halt::TakenBack) => self.next_volume(net, id),
            Err(Halt::NoLabel) => self.not_labelled(net, id),
            Err(Halt::Catalog(mismatch)) => self.fail_job(net, id, &Trouble::Catalog(mismatch)),
        }
    }
}

impl Role for StorageDaemon {
    type Dial = Dial;
    type Timer = Due;
    type Work = Owner;
    /// The session whose status waits for it, and what that is to show.
    type Survey = (SessionId, Wanted);

    fn start(&mut self, net: &mut Net) {
        self.started = net.wall();
        self.session_time = u32::try_from(self.started.seconds()).unwrap_or(u32::MAX);
        net.overhear(self.diary.is_kept());
        self.refresh_keyring(net);
        net.listen_on(listen_on(&self.config.storage.listen, self.config.storage.port));
    }

    fn on_reload(&mut self, net: &mut Net) {
        if !self.stopping.has_begun() {
            self.rereading.ask(net, Owner::Configuration);
        }
    }

    fn on_logged(&mut self, net: &mut Net) {
        self.hear(net, false);
    }

    fn on_zone_changed(&mut self, _net: &mut Net, zone: Zone) {
        self.identity.zone = zone;
    }

    fn on_accepted(&mut self, net: &mut Net, conn: ConnId, peer: Peer) {
        match &peer.hello.purpose {
            Purpose::Director { name } => {
                let Some(director) = self.config.directors.iter().find(|director| director.name == *name) else {
                    return net.abort(conn);
                };
                let interval = self.config.director_heartbeat(director);
                let is_monitor = director.monitor;
                net.keep_alive(conn, keepalive::socket(interval, keepalive::End::Control));
                self.sessions.make_room(net, &mut self.doorkeeper, name, IDLE_SESSIONS);
                net.send_text(conn, hello::STORAGE_ANSWER);
                let times = (net.wall(), net.now());
                let hears_progress = session::hears_progress(peer.towline, peer.hello.version);
                self.sessions.begin(Session { hears_progress, ..Session::new(conn, name.clone(), is_monitor, times) });
            }
            Purpose::StartJob { job } => self.file_arrived(net, conn, job),
            Purpose::StorageJob { job } => self.storage_arrived(net, conn, job),
            _ => net.not_served(conn, &peer, "storage daemon"),
        }
    }

    fn on_dial_news(&mut self, net: &mut Net, dial: &Dial, news: &DialNews) {
        let (id, whom) = match *dial {
            Dial::File(id) => (id, Who::File),
            Dial::Storage(id) => (id, Who::Storage),
        };
        if let Some((job, mut control)) = self.sessions.job_of(net, id) {
            job.message(&mut control, MessageKind::Info, &format!("{whom}: {news}"));
        }
    }

    fn on_stalled(&mut self, net: &mut Net, conn: ConnId, stall: &Stall) {
        let Some(Use::Client(id) | Use::Storage(id)) = self.sessions.use_of(conn) else { return };
        if let Some((job, mut control)) = self.sessions.job_of(net, id) {
            job.message(&mut control, MessageKind::Warning, &format!("a data channel stands still: {}", stall.line()));
        }
    }

    fn on_dialed(&mut self, net: &mut Net, dial: Dial, outcome: Result<(ConnId, Peer), DialFailure>) {
        match (dial, outcome) {
            // Its job has ended.
            (_, Err(DialFailure::Cancelled)) => {}
            (Dial::File(id), outcome) => self.file_dialed(net, id, outcome),
            (Dial::Storage(id), outcome) => self.storage_dialed(net, id, outcome),
        }
    }

    fn on_text(&mut self, net: &mut Net, conn: ConnId, text: Vec<u8>) {
        let id = match self.sessions.use_of(conn) {
            Some(Use::Director(id)) => id,
            Some(Use::Client(id) | Use::Storage(id)) => return self.data_command(net, id, &text),
            None => return,
        };
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.heard = net.now();
        if session.job.as_ref().is_some_and(|job| job.dialogue.script.is_some()) {
            let text = String::from_utf8_lossy(&text).into_owned();
            self.advance(net, id, |job, net| job.on_text(Who::Director, &text, net));
        } else {
            self.command(net, id, &text);
        }
    }

    fn on_signal(&mut self, net: &mut Net, conn: ConnId, signal: Signal) {
        match (self.sessions.use_of(conn), signal) {
            (Some(Use::Client(id) | Use::Storage(id)), Signal::Terminate) => {
                // A real file daemon says so and waits for us to hang up (`wire/3 §3.2`).
                self.sessions.detach(conn);
                net.close(conn, false);
                self.file_left(net, id, None);
            }
            (Some(Use::Client(_) | Use::Storage(_)) | None, _) => {}
            (Some(Use::Director(id)), Signal::Terminate) => self.director_left(net, id, "it ended the conversation"),
            (Some(Use::Director(id)), signal) => self.session_signal(net, id, signal),
        }
    }

    fn on_parcel_sent(&mut self, net: &mut Net, conn: ConnId, parcel: Parcel) {
        let Some((job, mut control)) = self.sessions.of(conn).and_then(|id| self.sessions.job_of(net, id)) else {
            return;
        };
        if !job.parcel_taken(&mut control) {
            return;
        }
        if let Some(machine) = job.machine_conn(control.director()) {
            control.to_machine(machine, ToMachine::AttributesSent(parcel));
        } else if let Some(id) = self.sessions.of(conn) {
            self.next_attributes(net, id, parcel.bytes);
        }
    }

    fn on_machine(&mut self, net: &mut Net, conn: ConnId, message: FromMachine) {
        if let Some(id) = self.sessions.of(conn) {
            self.machine_says(net, id, message);
        }
    }

    fn on_carried(&mut self, net: &mut Net, conn: ConnId, outcome: Outcome) {
        if let Some(id) = self.sessions.of(conn) {
            self.machine_ended(net, id, outcome);
        }
    }

    fn on_closed(&mut self, net: &mut Net, conn: ConnId, reason: CloseReason) {
        let id = match self.sessions.detach(conn) {
            Some(Use::Director(id)) => return self.director_left(net, id, &reason.to_string()),
            Some(Use::Client(id) | Use::Storage(id)) => id,
            None => return,
        };
        self.file_left(net, id, Some(reason));
    }

    fn devices(&self) -> Vec<DeviceInspection> {
        self.devices.inspect()
    }

    fn on_surveyed(&mut self, net: &mut Net, (id, wanted): (SessionId, Wanted), rows: Vec<Row>) {
        self.status_surveyed(net, id, &wanted, &rows);
    }

    fn on_done(&mut self, net: &mut Net, owner: Owner, done: WorkDone) {
        let id = match owner {
            Owner::Job(id) => id,
            Owner::Spool(id, held) => return self.spooled(net, id, held, done),
            Owner::Label(order) => return self.labelled(net, &order, done),
            Owner::Configuration => return self.reread(net, done),
            Owner::Post(target) => {
                self.diary().delivered(net, &target, done);
                return self.exit_if_idle(net);
            }
            Owner::Name(id, host) => return self.looked_up(net, id, &host, done),
            Owner::Closing(id) => {
                self.free_devices(net, id);
                return self.exit_if_idle(net);
            }
        };
        match done {
            WorkDone::Disk(DiskDone::Mounted { bytes, labelled, cut, spent }) => {
                self.advance(net, id, |job, net| {
                    job.mounted(net, bytes, labelled, cut, spent);
                    job.on_event(Event::Mounted, net)
                });
            }
            WorkDone::Disk(DiskDone::Synced { spent }) => self.advance(net, id, |job, net| {
                job.writing.volume.write_time += spent;
                job.on_event(Event::Synced, net)
            }),
            WorkDone::Disk(DiskDone::Closed(tally)) => self.advance(net, id, |job, net| {
                job.reading.tally = tally;
                job.on_event(Event::Closed, net)
            }),
            WorkDone::Disk(DiskDone::Opened) => {
                self.send_records(net, id);
                self.advance(net, id, |job, net| job.on_event(Event::Opened, net));
            }
            WorkDone::Disk(DiskDone::Noted) => self.advance(net, id, |job, net| job.on_event(Event::Noted, net)),
            WorkDone::Disk(DiskDone::Failed { error, .. }) => self.work_failed(net, id, error),
            _ => self.fail_job(net, id, &Trouble::NoWorkers),
        }
    }

    fn on_timer(&mut self, net: &mut Net, due: Due) {
        match due {
            Due::Beat(id) => self.beat(net, id),
            Due::Post(due) => {
                self.diary().due(net, due);
                self.exit_if_idle(net);
            }
            Due::Volume(id) => self.look_again(net, id),
            Due::Peer(id) => self.peer_is_late(net, id),
        }
    }

    fn on_drain(&mut self, net: &mut Net) -> Option<Duration> {
        let running = self.at_work(net);
        self.stopping.drain(net, running, self.config.storage.shutdown_grace.duration())
    }

    fn on_stop(&mut self, net: &mut Net) {
        self.stopping = Stopping::Ending;
        net.stop_listening();
        for id in self.sessions.ids() {
            if self.sessions.job(id).is_some() {
                self.fail_job(net, id, &Trouble::Stopping("storage"));
            } else {
                self.end_session(net, id);
            }
        }
        self.exit_if_idle(net);
    }
}

impl StorageDaemon {
    /// A file daemon is here for a job, once (`wire/3 §3.1`).
    fn file_arrived(&mut self, net: &mut Net, conn: ConnId, name: &str) {
        let waits = |job: &Job| {
            let waits = matches!(job.part, Part::Ordered(_) | Part::Client(None)) && job.peer.may_come();
            job.order.line.job == name && waits && job.is_alive()
        };
        let Some((id, job)) = self.sessions.find_job(waits) else {
            net.complain(Level::Warn, 903, &format!("nobody waits for a file daemon of job {name}: closed"));
            return net.abort(conn);
        };
        job.peer_is_here(net, conn);
        self.file_is_here(net, id, conn, None);
    }

    /// The data channel of a job is open, whichever side dialled. `connected` is what the director is to be told of it.
    fn file_is_here(&mut self, net: &mut Net, id: SessionId, conn: ConnId, connected: Option<String>) {
        self.jobs_run += 1;
        self.sessions.attach(conn, Use::Client(id));
        self.refresh_keyring(net);
        match self.sessions.job_mut(id).map(|job| &mut job.part) {
            Some(Part::Ordered(early)) => early.connected = connected,
            Some(_) => self.start_data(net, id, Early { connected, ..Early::default() }),
            None => {}
        }
    }

    /// The peer of a job has not come in time.
    fn peer_is_late(&mut self, net: &mut Net, id: SessionId) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        cover::hit(Mark::NoCall);
        job.peer = Presence::Ended;
        let trouble = Trouble::Late(job.other());
        self.fail_job(net, id, &trouble);
    }
}
