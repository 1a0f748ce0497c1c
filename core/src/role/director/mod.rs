//! The director: consoles ask, jobs run on file and storage daemons, the catalog remembers.
//!
//! ```text
//!   console ==== consoles/ (commands) ====> Director ---- CatalogRequest ----> catalog worker
//!                                           |    |
//!   file daemon ==== tables/ (dialogues) ===+    +== requests.rs (catalog requests) ==== storage daemon
//! ```
//! A job: `job.rs` is what is known of it, `task.rs` what it is for, `life.rs` where it stands between order and record,
//! `daemons.rs` its two daemons, `route.rs` the way of its data, `trouble.rs` why it has failed. `tables/` are the dialogues
//! and `tools.rs` what their steps work with; `copying.rs` and `verifying.rs` are what copies and verify jobs do besides.
//! `ordering.rs` takes orders, `running.rs` starts and ends jobs, `incoming.rs` sorts what their daemons say, `patience.rs`
//! waits for the last of them, `outcome.rs` says how a job ended, `recording.rs` has it recorded, `rescheduling.rs` orders
//! it once more, `cancelling.rs` gives it up, `bandwidth.rs` slows its data down.
//!
//! Beside jobs: `setup.rs` brings the configuration into the catalog, `overrides.rs` keeps what consoles have said of it,
//! `schedule.rs` orders jobs in time, `dialling.rs` says whom to dial and how, `errands.rs` sends somebody to a daemon
//! with one command, `relaying.rs` passes on to consoles what daemons answer, `reception.rs` lets clients wait that dial in, `reach.rs` finds the way to a client. `tokens.rs` are what
//! dials, timers and pieces of work are for. The rules over the catalog's rows are in [`crate::catalog`].

mod consoles;
mod errands;
mod jobs;
mod journal;
mod overrides;
mod reach;
mod schedule;
mod setup;
mod tokens;

#[cfg(test)]
pub(crate) use {
    consoles::is_said as is_said_to_a_console, jobs::figures::one_of_each as one_of_each_disagreement,
    jobs::trouble::one_of_each as one_of_each_trouble, reach::dialling::one_of_each as one_of_each_undialled,
    reach::one_of_each as one_of_each_reach_failure,
};

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::bulk::parcel::Parcel;
use crate::calendar::Zone;
use crate::catalog::{self, CatalogAnswer, CatalogError, CatalogRequest};
use crate::config::DirectorConfig;
use crate::conn::{CloseReason, DialFailure, Peer, Stall};
use crate::error::Explain;
use crate::ids::{ConnId, Who};
use crate::node::{self, DialNews, Role, Row};
use crate::notice::{ExitReason, Level};
use crate::role::identity::{Credentials, Identity};
use crate::role::script::Scripted;
use crate::time::Wall;
use crate::tls::keyring::{Clear, Keyring};
use crate::wire::frame::Signal;
use crate::wire::hello::Purpose;
use crate::wire::message::MessageKind;
use crate::wire::names::{DEFAULT_CONSOLE, PeerKind, PeerName};
use crate::wire::status::JobStatus;
use crate::work::{Work, WorkDone};

use consoles::{Answer, Consoles, Desk, Effect, Heard, NotDialled, Reply, Stopping, View};
use errands::Errand;
use jobs::cancelling::Cancelling;
use jobs::job::Job;
use jobs::ordering::Order;
use jobs::recording::Unrecorded;
use jobs::running;
use jobs::task::Task;
use jobs::tools::News;
use journal::Journal;
use overrides::Overrides;
use reach::Reach;
use reach::reception::{self, Reception};
use schedule::Schedules;
use setup::Setup;
use tokens::{Dial, Due, Owner};

/// The role of a director.
#[derive(Debug)]
pub struct Director {
    config: Arc<DirectorConfig>,
    overrides: Arc<Overrides>,
    credentials: Arc<Credentials>,
    identity: Identity,
    setup: Setup,
    jobs: BTreeMap<u32, Job>,
    /// Connections of jobs, each with the job it belongs to.
    conns: BTreeMap<ConnId, u32>,
    /// Errands that are connected.
    talking: BTreeMap<ConnId, Errand>,
    reception: Reception,
    /// Clients that a job or an errand wants to reach.
    reaching: BTreeMap<u64, Reach>,
    consoles: Consoles,
    cancelling: BTreeMap<u32, Cancelling>,
    schedules: Schedules,
    journal: Journal,
    recent: VecDeque<running::Finished>,
    unrecorded: Unrecorded,
    last_unique: (String, u32),
    jobs_run: u32,
    started: Wall,
    stopping: bool,
}

/// What a director orders through.
type Net = node::Net<Director>;

impl Director {
    /// A director with a checked configuration and what was loaded for TLS.
    #[must_use]
    pub fn new(config: Arc<DirectorConfig>, credentials: Credentials, identity: Identity) -> Self {
        let reception = Reception::new(&config);
        Self {
            config,
            overrides: Arc::default(),
            credentials: Arc::new(credentials),
            schedules: Schedules::default(),
            identity,
            setup: Setup::default(),
            jobs: BTreeMap::new(),
            conns: BTreeMap::new(),
            talking: BTreeMap::new(),
            reception,
            reaching: BTreeMap::new(),
            consoles: Consoles::default(),
            cancelling: BTreeMap::new(),
            journal: Journal::default(),
            recent: VecDeque::new(),
            unrecorded: Unrecorded::default(),
            last_unique: (String::new(), 0),
            jobs_run: 0,
            started: Wall::default(),
            stopping: false,
        }
    }

    fn keyring(&self) -> Keyring {
        let clear = |enable: bool| if enable { Clear::Never } else { Clear::Allowed };
        let own = clear(self.config.director.tls.enable);
        let default = PeerName::new(PeerKind::Console, DEFAULT_CONSOLE);
        let mut keys = Keyring::builder().with(default, self.config.director.password.key(), own);
        for console in &self.config.consoles {
            let tls = console.tls.as_ref().unwrap_or(&self.config.director.tls);
            let name = PeerName::new(PeerKind::Console, &console.name);
            keys = keys.with(name, console.password.key(), clear(tls.enable));
        }
        reception::keys(&self.config, keys).build()
    }

    /// Puts the report lines that were written meanwhile into the catalog.
    fn save_lines(&mut self, net: &mut Net) {
        if let Some(request) = self.journal.batch() {
            net.ask(request, Owner::Log);
        }
    }

    fn lines_saved(&mut self, net: &mut Net, answer: Result<CatalogAnswer, CatalogError>) {
        let lost = self.journal.saved();
        if let Err(error) = answer {
            let text = format!("lines of a report were not stored: {error}; {}", error.help());
            net.log_cause(Level::Error, (error.fault(), error.code()), &text);
        }
        if lost > 0 {
            let text = format!("{lost} lines of reports were not stored: the catalog is too slow for them");
            net.complain(Level::Error, 910, &text);
        }
        self.save_lines(net);
        self.exit_if_idle(net);
    }

    /// Ends the node if it is to stop, and jobs have ended, daemons know of it, and reports are stored. An end that the catalog
    /// does not take holds up nothing.
    fn exit_if_idle(&self, net: &mut Net) {
        let dials = net.dials().all(|dial| !matches!(dial, Dial::Errand(errand) if errand.console().is_none()));
        let talks = self.talking.values().all(|errand| errand.console().is_some());
        let told = dials && talks && !self.reaches_for_itself();
        let recorded = self.jobs.is_empty() && !self.unrecorded.is_offered();
        if self.stopping && recorded && self.journal.is_saved() && told {
            self.tell_unrecorded(net);
            net.exit(ExitReason::Done);
        }
    }

    /// A line from a console: a command, or the answer to a question.
    fn console_says(&mut self, net: &mut Net, conn: ConnId, text: &[u8]) {
        let reply = match self.consoles.hear(net, conn, text) {
            Some(Heard::Line(line)) => consoles::serve(&View { director: self, net, conn }, &line),
            Some(Heard::Reply(reply)) => reply,
            None => return,
        };
        self.console_replies(net, conn, reply);
    }

    /// The catalog has answered what a console has had asked.
    fn console_answered(&mut self, net: &mut Net, conn: ConnId, answer: Result<CatalogAnswer, CatalogError>) {
        let Some(then) = self.consoles.answered(conn) else { return };
        let reply = match answer {
            Ok(answer) => then.go_on(&View { director: self, net, conn }, answer),
            Err(error) => Reply::refused(error),
        };
        self.console_replies(net, conn, reply);
    }

    /// Ends a console's command.
    fn console_answers(&mut self, net: &mut Net, conn: ConnId, answer: Answer) {
        self.console_replies(net, conn, Reply::Answer(answer));
    }

    /// Carries out what a line of a console has come to, and goes on with one that came too early.
    fn console_replies(&mut self, net: &mut Net, conn: ConnId, reply: Reply) {
        let desk = Desk { config: &self.config, lines: self.journal.total() };
        if let Some(effect) = self.consoles.reply(net, conn, reply, desk) {
            self.carry_out(net, conn, effect);
        }
        if let Some(line) = self.consoles.next_line(conn) {
            self.console_says(net, conn, line.as_bytes());
        }
    }

    /// Does what a console wants.
    fn carry_out(&mut self, net: &mut Net, conn: ConnId, effect: Effect) {
        match effect {
            Effect::Ask(request) => net.ask(request, Owner::Console(conn)),
            Effect::Order(_) if self.stopping => self.console_answers(net, conn, Answer::Failed(Stopping.into())),
            Effect::Order(order) => self.order_job(net, Order { console: Some(conn), ..*order }),
            Effect::Errand(name, errand) => {
                if let Err(why) = self.begin_errand(net, &name, *errand) {
                    self.console_answers(net, conn, Answer::Failed(NotDialled { name, why }.into()));
                }
            }
            Effect::Cancel(id) => self.cancel_for(net, id, conn),
            Effect::Limit(limited, limit) => self.limit(net, conn, limited, limit),
            Effect::Move(client, address) => self.move_client(net, &client, address),
            Effect::Messages => self.journal.note_shown(),
            Effect::Forget => self.forget_errands_of(net, conn),
        }
    }

    /// A client is dialled at this address, for new jobs, until the configuration is read again.
    fn move_client(&mut self, net: &mut Net, name: &str, address: String) {
        net.log(Level::Info, &format!("client {name} is at {address} now, as its console says"));
        Arc::make_mut(&mut self.overrides).set_address(name, address);
    }

    /// A job has ended: answers the consoles that wait for it.
    fn job_has_ended(&mut self, net: &mut Net, id: u32, status: JobStatus) {
        for (conn, answer) in self.consoles.job_ended(id, status, self.jobs.is_empty()) {
            self.console_answers(net, conn, answer);
        }
    }
}

impl Net {
    /// Gives the catalog a request.
    fn ask(&mut self, request: CatalogRequest, owner: Owner) {
        self.work(Work::Catalog(request), owner);
    }
}

impl Role for Director {
    type Dial = Dial;
    type Timer = Due;
    type Work = Owner;
    /// The console that asked.
    type Survey = ConnId;

    fn start(&mut self, net: &mut Net) {
        self.started = net.wall();
        net.set_keyring(Arc::new(self.keyring()));
        self.begin_setup(net);
    }

    fn on_clock_jumped(&mut self, net: &mut Net) {
        self.schedules_after_jump(net);
    }

    fn on_zone_changed(&mut self, net: &mut Net, zone: Zone) {
        self.identity.zone = zone;
        self.plan_schedules(net);
    }

    fn on_accepted(&mut self, net: &mut Net, conn: ConnId, peer: Peer) {
        match &peer.hello.purpose {
            Purpose::Console { .. } => {
                let seen = self.journal.shown();
                self.consoles.arrive(net, (conn, &peer), &self.config, &self.identity, seen);
            }
            Purpose::Client { .. } => self.client_arrived(net, conn, &peer),
            _ => net.not_served(conn, &peer, "director"),
        }
    }

    fn on_dial_news(&mut self, net: &mut Net, dial: &Dial, news: &DialNews) {
        match *dial {
            Dial::Storage(job) => self.job_dial_news(net, job, Who::Storage, news),
            Dial::Reach(id) => {
                if let Some(job) = self.job_of_reach(id) {
                    self.job_dial_news(net, job, Who::File, news);
                }
            }
            Dial::Errand(_) => {}
        }
    }

    fn on_stalled(&mut self, net: &mut Net, conn: ConnId, stall: &Stall) {
        let Some(job) = self.conns.get(&conn).and_then(|id| self.jobs.get_mut(id)) else { return };
        let text = format!("a connection of this job stands still: {stall} ({}); {}", stall.code(), stall.help());
        job.say(&mut self.journal, net, MessageKind::Warning, &text);
        self.save_lines(net);
    }

    fn on_dialed(&mut self, net: &mut Net, dial: Dial, outcome: Result<(ConnId, Peer), DialFailure>) {
        if matches!(outcome, Err(DialFailure::Cancelled)) {
            // Whoever called it off has gone on.
            return;
        }
        match dial {
            Dial::Storage(job) => self.job_dialed(net, job, outcome),
            Dial::Reach(id) => self.reach_dialed(net, id, outcome),
            Dial::Errand(errand) => self.errand_dialed(net, *errand, outcome),
        }
    }

    fn on_text(&mut self, net: &mut Net, conn: ConnId, text: Vec<u8>) {
        if let Some(&id) = self.conns.get(&conn) {
            self.daemon_says(net, id, conn, &text);
        } else if self.consoles.has(conn) {
            self.console_says(net, conn, &text);
        } else if self.talking.contains_key(&conn) {
            self.errand_hears(net, conn, &text);
        } else {
            self.claim_answered(net, conn, &text);
        }
    }

    fn on_signal(&mut self, net: &mut Net, conn: ConnId, signal: Signal) {
        if let Some(&id) = self.conns.get(&conn) {
            self.daemon_signals(net, id, conn, signal);
        } else if self.consoles.has(conn) {
            if let Some(effect) = self.consoles.signal(net, conn, signal) {
                self.carry_out(net, conn, effect);
            }
        } else if self.talking.contains_key(&conn) {
            self.errand_signals(net, conn, signal);
        } else if self.reception.pool.holds(conn) {
            self.waiting_signals(net, conn);
        } else if self.claim_lost(net, conn) {
            net.close(conn, true);
        }
    }

    fn on_parcel(&mut self, net: &mut Net, conn: ConnId, parcel: Parcel) {
        match self.conns.get(&conn) {
            Some(&id) => {
                self.daemon_heard(net, id, conn);
                if self.jobs.get(&id).is_some_and(|job| matches!(job.task, Task::Verify(_))) {
                    self.compare_files(net, id, conn, &parcel);
                } else {
                    self.store_files(net, id, conn, parcel);
                }
            }
            None => self.errand_tells(net, conn, parcel),
        }
    }

    fn on_parcel_sent(&mut self, net: &mut Net, conn: ConnId, _parcel: Parcel) {
        match self.conns.get(&conn) {
            Some(&id) => self.advance(net, id, |job, tools| job.on_news(News::ParcelTaken, tools)),
            None => match self.consoles.page_sent(conn) {
                Some(reply) => self.console_replies(net, conn, reply),
                None => self.relayed(net, conn),
            },
        }
    }

    fn on_closed(&mut self, net: &mut Net, conn: ConnId, reason: CloseReason) {
        if let Some(id) = self.conns.remove(&conn) {
            self.daemon_lost(net, id, conn, &reason);
        } else if self.talking.contains_key(&conn) {
            self.errand_lost(net, conn, &reason);
        } else if self.consoles.remove(conn) {
            self.forget_errands_of(net, conn);
        } else if self.reception.pool.remove(conn).is_none() {
            self.claim_lost(net, conn);
        }
    }

    fn on_surveyed(&mut self, net: &mut Net, conn: ConnId, rows: Vec<Row>) {
        if let Some(then) = self.consoles.surveyed(conn) {
            let answer = then(&View { director: self, net, conn }, &rows);
            self.console_answers(net, conn, answer);
        }
    }

    fn on_done(&mut self, net: &mut Net, owner: Owner, done: WorkDone) {
        let answer = match done {
            WorkDone::Catalog(answer) => answer,
            _ => Err(CatalogError::new(catalog::CatalogErrorKind::Unavailable, "the catalog worker has stopped")),
        };
        match owner {
            Owner::Setup(item) => self.setup_done(net, item, answer),
            Owner::Create(order) => self.job_created(net, *order, answer),
            Owner::Copy(id, asked) => self.copy_answered(net, id, asked, answer),
            Owner::Job(id) => self.job_answered(net, id, answer),
            Owner::Request(id) => self.request_answered(net, id, answer),
            Owner::Files(id, conn) => self.files_stored(net, id, conn, answer),
            Owner::Compare(id, conn, files) => self.files_found(net, (id, conn), &files, answer),
            Owner::End(end) => self.job_recorded(net, end, answer),
            Owner::Uname => {
                if let Err(error) = answer {
                    let text = format!("what a client says it is was not stored: {error}; {}", error.help());
                    net.log_cause(Level::Warn, (error.fault(), error.code()), &text);
                }
            }
            Owner::Log => self.lines_saved(net, answer),
            Owner::Console(conn) => self.console_answered(net, conn, answer),
            Owner::Returned(name) => self.return_answered(net, &name, answer),
        }
    }

    fn on_timer(&mut self, net: &mut Net, due: Due) {
        match due {
            Due::Grace(id) => self.grace_over(net, id),
            Due::Patience(id) => self.patience_over(net, id),
            Due::Confirmations(id) => self.tell_who_confirmed(net, id),
            Due::Hold(id) => self.hold_over(net, id),
            Due::Schedules => self.look_at_schedules(net),
            Due::Errand(conn) => self.errand_too_slow(net, conn),
            Due::Reach(id) => self.reach_timer(net, id),
            Due::Record => self.offer_timer(net),
        }
    }

    fn on_stop(&mut self, net: &mut Net) {
        self.stopping = true;
        net.stop_listening();
        let ids: Vec<u32> = self.jobs.keys().copied().collect();
        for id in ids {
            self.cancel_job(net, id, "the director is being stopped");
        }
        // The last time.
        self.offer_end(net);
        self.exit_if_idle(net);
    }
}
