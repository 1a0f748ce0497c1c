//! The director: consoles ask, jobs run on file and storage daemons, the catalog remembers.
//!
//! ```text
//!               what happens, by what its connection, timer, dial or work is for
//!                                          |
//!      +--------+---------+--------+-------+-------+-----------+
//!      v        v         v        v               v           v
//!   consoles  jobs <-> errands   ways (reach/)  schedule     setup
//!      |        |         |        |               |           |
//!      +--------+---------+--------+-------+-------+-----------+
//!                                          v
//!               effects: what one part has another one do, carried out here in their order
//! ```
//! Each part owns what it knows, and nobody else touches it. `common.rs` is what all of them read, the map of what each
//! connection is for, and the tools they work with; `effect.rs` is what they want of each other; `tokens.rs` what dials,
//! timers and pieces of work are for.
//!
//! `consoles/` takes commands and answers them, and `instructions.rs` does what they want. `jobs/` leads jobs from their order to
//! the record of their end, `errands/` sends somebody to a daemon with one command, `reach/` finds the way to a client and lets
//! those wait that dial in. `schedule.rs` has jobs begin in time, `missed.rs` those whose time passed while the director was
//! down. `setup.rs` brings the configuration into the catalog, `reload.rs` another one. `health/` says the director's state.
//! `journal.rs` keeps what jobs have reported, `overrides.rs` what consoles have said of the configuration. The rules over the
//! catalog's rows are in [`crate::catalog`].

mod common;
mod consoles;
mod effect;
mod errands;
mod health;
mod instructions;
mod invitations;
mod jobs;
mod journal;
mod messages;
mod missed;
mod overrides;
mod reach;
mod reload;
mod schedule;
mod setup;
mod tokens;

#[cfg(test)]
pub(crate) use {
    consoles::is_said as is_said_to_a_console, consoles::one_of_each_refusal, jobs::bootstrap::Unwritten,
    jobs::deadlines::one_of_each as one_of_each_overdue, jobs::duplicates::one_of_each as one_of_each_duplicate,
    jobs::figures::one_of_each as one_of_each_disagreement, jobs::trouble::one_of_each as one_of_each_trouble,
    reach::dialling::one_of_each as one_of_each_undialled, reach::one_of_each as one_of_each_reach_failure,
};

use std::sync::Arc;
use std::time::Duration;

use crate::bulk::parcel::Parcel;
use crate::calendar::Zone;
use crate::catalog::{CatalogError, CatalogErrorKind};
use crate::config::{DirectorConfig, listen_on};
use crate::conn::{CloseReason, DialFailure, Peer, Stall};
use crate::error::Explain;
use crate::ids::{ConnId, Who};
use crate::node::{self, DialNews, Role, Row};
use crate::notice::{ExitReason, Level};
use crate::printable;
use crate::role::debugging::Debugging;
use crate::role::identity::{Credentials, Identity};
use crate::role::stopping::Stopping;
use crate::time::Wall;
use crate::tls::keyring::{Clear, Keyring};
use crate::wire::file_answers;
use crate::wire::frame::{self, Signal};
use crate::wire::hello::Purpose;
use crate::wire::names::{DEFAULT_CONSOLE, PeerKind, PeerName};
use crate::work::WorkDone;
use crate::work::configuration::ConfigurationWork;

use common::{Common, Tools, Use};
use consoles::{Answer, Consoles, Reply, View};
use effect::Effect;
use errands::Errands;
use health::Looks;
use invitations::Invitations;
use jobs::Jobs;
use jobs::job::Job;
use missed::MissedRuns;
use reach::{Goal, Ways};
use reload::Reload;
use schedule::Schedules;
use setup::Setup;
use tokens::{Dial, Due, Owner, Surveyor};

/// The role of a director: hands what happens to the part it is for, and carries out what the parts want of each other.
#[derive(Debug)]
pub struct Director {
    common: Common,
    setup: Setup,
    jobs: Jobs,
    errands: Errands,
    ways: Ways,
    consoles: Consoles,
    invitations: Invitations,
    schedules: Schedules,
    missed: MissedRuns,
    reload: Reload,
    looks: Looks,
    debugging: Debugging,
    started: Wall,
}

/// What a director orders through.
type Net = node::Net<Director>;

impl Director {
    /// A director with a checked configuration and what was loaded for TLS.
    #[must_use]
    pub fn new(config: Arc<DirectorConfig>, credentials: Credentials, identity: Identity) -> Self {
        Self {
            ways: Ways::new(&config),
            common: Common::new(config, credentials, identity),
            setup: Setup::default(),
            jobs: Jobs::default(),
            errands: Errands::default(),
            consoles: Consoles::default(),
            invitations: Invitations::default(),
            schedules: Schedules::default(),
            missed: MissedRuns::default(),
            reload: Reload::default(),
            looks: Looks::default(),
            debugging: Debugging::default(),
            started: Wall::default(),
        }
    }

    fn keyring(&self) -> Keyring {
        let clear = |enable: bool| if enable { Clear::Never } else { Clear::Allowed };
        let own = clear(self.common.config.director.tls.enable);
        let default = PeerName::new(PeerKind::Console, DEFAULT_CONSOLE);
        let mut keys =
            self.invitations.keys(Keyring::builder()).with(default, self.common.config.director.password.key(), own);
        for console in &self.common.config.consoles {
            let tls = console.tls.as_ref().unwrap_or(&self.common.config.director.tls);
            let name = PeerName::new(PeerKind::Console, &console.name);
            keys = keys.with(name, console.password.key(), clear(tls.enable));
        }
        reach::reception::keys(&self.common.config, keys).build()
    }

    /// Carries out what the parts have wanted of each other, until they want no more; then what is due after each event.
    fn settle(&mut self, net: &mut Net) {
        while let Some(effect) = self.common.effects.pop_front() {
            // What comes of it comes before the others.
            let mut others = std::mem::take(&mut self.common.effects);
            self.carry_out(net, effect);
            self.common.effects.append(&mut others);
        }
        let tools = &mut Tools { net, common: &mut self.common };
        tools.overhear();
        tools.save_lines();
        self.exit_if_idle(net);
    }

    /// Ends the node if it is to stop, and jobs have ended, daemons know of it, and reports are stored. An end that the
    /// catalog does not take holds up nothing.
    fn exit_if_idle(&mut self, net: &mut Net) {
        let dials = || net.dials().any(|dial| matches!(dial, Dial::Errand(errand) if errand.console().is_none()));
        let is_told = || !dials() && !self.errands.has_own() && !self.ways.has_own_errand();
        let is_done =
            self.common.stopping.has_begun() && self.jobs.is_settled() && self.common.journal.is_saved() && is_told();
        if is_done && (Tools { net, common: &mut self.common }).is_posted() {
            self.jobs.tell_unrecorded(net);
            net.exit(ExitReason::Done);
        }
    }

    /// Does what one part wants of another.
    fn carry_out(&mut self, net: &mut Net, effect: Effect) {
        let tools = &mut Tools { net, common: &mut self.common };
        match effect {
            Effect::Listen => {
                let own = &tools.common.config.director;
                tools.net.listen_on(listen_on(&own.listen, own.port));
            }
            Effect::Ready => {
                let began = self.setup.began();
                self.schedules.begin(tools, began);
                self.missed.begin(tools, began);
                self.reload.begin(tools);
                self.setup.take_returned().into_iter().for_each(|client| tools.effect(Effect::Returned(client)));
                self.looks.begin(tools);
            }
            Effect::Remember(rows) => self.jobs.remember(&rows),
            Effect::Recorded(outcome) => self.recorded(net, outcome),
            Effect::Begin => self.jobs.begin_queued(tools),
            Effect::Due(name, line) => self.jobs.due(tools, &name, line),
            Effect::Returned(client) if self.setup.keeps(&client) => {}
            Effect::Returned(client) => self.jobs.client_returned(tools, &client),
            Effect::Reach(client, goal, times, peers) => self.ways.reach(tools, (client, peers), goal, times),
            Effect::StopReaching(job) => self.ways.stop(tools, job),
            Effect::Reached(Goal::Job(id), conn, how) => self.jobs.reached(tools, id, conn, how),
            Effect::Reached(Goal::Await(id), conn, _) => self.jobs.client_found(tools, id, conn),
            Effect::Reached(Goal::Errand(errand), conn, how) => self.errands.reached(tools, *errand, conn, how),
            Effect::NotReached(Goal::Job(id), why) => self.jobs.not_reached(tools, id, why),
            Effect::NotReached(Goal::Await(id), why) => self.jobs.client_not_found(tools, id, why),
            Effect::NotReached(Goal::Errand(errand), why) => Errands::not_reached(tools, *errand, why),
            Effect::Errand(errand) => Errands::begin(tools, errand),
            Effect::CancelHeard(id, who, text) => self.jobs.cancel_heard(tools, id, who, text),
            Effect::CancelOver(id, who) => self.jobs.cancel_over(tools, id, who),
            Effect::Command(id, handle, line) => {
                let Some(catalog) = self.jobs.get(id).map(|job| job.catalog.clone()) else { return };
                let conn = self.consoles.seat_job(net, &mut self.common, (id, handle), &catalog);
                let reply = consoles::serve(&View { director: self, net, conn, said: None }, &line);
                self.console_replies(net, conn, reply);
            }
            Effect::GiveUpCommand(handle) => {
                self.errands.forget(tools, consoles::seat_of(handle));
                if let Some(said) = self.consoles.give_up_for_job(tools.common, handle) {
                    self.jobs.command_ended(tools, said);
                }
            }
            Effect::Relay { from, to, parcel } => {
                let lines = frame::payloads(&parcel.bytes).map(|line| printable::text_of(frame::text(line)));
                if !to.is_some_and(|console| self.consoles.relay(tools.net, console, lines)) {
                    self.errands.taken(tools, from);
                }
            }
            Effect::Print(console, text) => self.consoles.print(net, console, &text),
            Effect::Answer(console, answer) => self.console_replies(net, console, Reply::Answer(answer)),
            Effect::Dismiss(console, why) => self.dismiss(net, console, why),
            Effect::GoOn(console, then, lines) => {
                let catalog = then.catalog().clone();
                let view = View { director: self, net, conn: console, said: Some(&catalog) };
                let reply = then.go_on(&view, lines);
                match self.consoles.has(console) {
                    true => self.console_replies(net, console, reply),
                    false => self.finish(net, console, catalog, reply),
                }
            }
            Effect::Ordered(console, job) => self.consoles.ordered(console, job),
            Effect::Ended(id, about, status) => {
                self.looks.job_ended();
                for (console, answer) in self.consoles.job_ended(id, &about, status, &self.jobs) {
                    self.console_replies(net, console, Reply::Answer(answer));
                }
            }
        }
    }

    /// The job that a connection belongs to.
    fn job_on(&self, conn: ConnId) -> Option<&Job> {
        if let Some(Use::Job(id)) = self.common.uses.of(conn) { self.jobs.get(id) } else { None }
    }
}

impl Role for Director {
    type Dial = Dial;
    type Timer = Due;
    type Work = Owner;
    type Survey = Surveyor;

    fn start(&mut self, net: &mut Net) {
        self.started = net.wall();
        net.overhear(!self.common.config.messages.is_empty());
        net.set_keyring(Arc::new(self.keyring()));
        self.setup.begin(&mut Tools { net, common: &mut self.common });
        self.settle(net);
    }

    fn on_clock_jumped(&mut self, net: &mut Net) {
        self.schedules.after_jump(&mut Tools { net, common: &mut self.common });
        self.settle(net);
    }

    fn on_zone_changed(&mut self, net: &mut Net, zone: Zone) {
        self.common.identity.zone = zone;
        self.schedules.plan(&mut Tools { net, common: &mut self.common });
        self.settle(net);
    }

    fn on_accepted(&mut self, net: &mut Net, conn: ConnId, peer: Peer) {
        let tools = &mut Tools { net, common: &mut self.common };
        match &peer.hello.purpose {
            Purpose::Console { .. } => self.consoles.arrive(tools, conn, &peer, &self.invitations),
            Purpose::Client { .. } => self.ways.arrived(tools, conn, &peer),
            _ => tools.net.not_served(conn, &peer, "director"),
        }
        self.settle(net);
    }

    fn on_dial_news(&mut self, net: &mut Net, dial: &Dial, news: &DialNews) {
        let job = match *dial {
            Dial::Storage(id) => Some((id, Who::Storage)),
            Dial::Reach(way) => self.ways.job_of(way).map(|id| (id, Who::File)),
            Dial::Errand(_) => None,
        };
        let sought = if let Dial::Reach(way) = *dial { self.ways.seeks_for(way) } else { None };
        let tools = &mut Tools { net, common: &mut self.common };
        if let Some((id, who)) = job {
            self.jobs.dial_news(tools, id, who, news);
        } else if let Some(id) = sought {
            self.jobs.seeking_news(tools, id, news);
        }
        self.settle(net);
    }

    fn on_stalled(&mut self, net: &mut Net, conn: ConnId, stall: &Stall) {
        if let Some(Use::Job(id)) = self.common.uses.of(conn) {
            self.jobs.stalled(&mut Tools { net, common: &mut self.common }, id, stall);
        }
        self.settle(net);
    }

    fn on_dialed(&mut self, net: &mut Net, dial: Dial, outcome: Result<(ConnId, Peer), DialFailure>) {
        if matches!(outcome, Err(DialFailure::Cancelled)) {
            // Whoever called it off has gone on.
            return;
        }
        if let Err(failure) = &outcome {
            self.looks.dial_failed(failure.code());
        }
        let tools = &mut Tools { net, common: &mut self.common };
        match dial {
            Dial::Storage(job) => self.jobs.dialled(tools, job, outcome),
            Dial::Reach(way) => self.ways.dialled(tools, way, outcome),
            Dial::Errand(errand) => self.errands.dialled(tools, *errand, outcome),
        }
        self.settle(net);
    }

    fn on_text(&mut self, net: &mut Net, conn: ConnId, text: Vec<u8>) {
        let tools = &mut Tools { net, common: &mut self.common };
        match tools.common.uses.of(conn) {
            Some(Use::Job(id)) => self.jobs.hear(tools, id, conn, &text),
            Some(Use::Console) => self.console_says(net, conn, &text),
            Some(Use::Errand) => self.errands.hear(tools, conn, &text),
            Some(Use::Claimed(way)) => self.ways.claim_answered(tools, way, &text),
            // There is no question it could answer.
            Some(Use::Waiting) | None => {}
        }
        self.settle(net);
    }

    fn on_signal(&mut self, net: &mut Net, conn: ConnId, signal: Signal) {
        let tools = &mut Tools { net, common: &mut self.common };
        match tools.common.uses.of(conn) {
            Some(Use::Job(id)) => self.jobs.signal(tools, id, conn, signal),
            Some(Use::Console) => {
                if let Some(instruction) = self.consoles.signal(net, conn, signal) {
                    self.instructed(net, conn, instruction);
                }
            }
            Some(Use::Errand) => self.errands.signal(tools, conn, signal),
            Some(Use::Waiting) => self.ways.signal(tools, conn),
            Some(Use::Claimed(way)) => self.ways.claim_broken(tools, way),
            None => {}
        }
        self.settle(net);
    }

    fn on_parcel(&mut self, net: &mut Net, conn: ConnId, parcel: Parcel) {
        let tools = &mut Tools { net, common: &mut self.common };
        match tools.common.uses.of(conn) {
            Some(Use::Job(id)) => self.jobs.parcel(tools, id, conn, parcel),
            Some(Use::Errand) => self.errands.parcel(tools, conn, parcel),
            _ => tools.net.parcel_taken(conn),
        }
        self.settle(net);
    }

    fn on_parcel_sent(&mut self, net: &mut Net, conn: ConnId, _parcel: Parcel) {
        let tools = &mut Tools { net, common: &mut self.common };
        match tools.common.uses.of(conn) {
            Some(Use::Job(id)) => self.jobs.parcel_sent(tools, id),
            _ => match self.consoles.page_sent(conn) {
                Some(reply) => self.console_replies(net, conn, reply),
                None => self.errands.relayed(tools, conn),
            },
        }
        self.settle(net);
    }

    fn on_closed(&mut self, net: &mut Net, conn: ConnId, reason: CloseReason) {
        let tools = &mut Tools { net, common: &mut self.common };
        match tools.common.uses.detach(conn) {
            Some(Use::Job(id)) => self.jobs.lost(tools, id, conn, &reason),
            Some(Use::Console) => {
                let gathers = self.consoles.remove(conn);
                self.forget(net, conn, gathers);
            }
            Some(Use::Errand) => self.errands.lost(tools, conn, &reason),
            Some(Use::Waiting) => self.ways.left(conn),
            Some(Use::Claimed(way)) => self.ways.claim_broken(tools, way),
            None => {}
        }
        self.settle(net);
    }

    fn waits(&self) -> Option<String> {
        self.setup.waits()
    }

    fn on_surveyed(&mut self, net: &mut Net, surveyor: Surveyor, rows: Vec<Row>) {
        let Surveyor::Console(conn) = surveyor else {
            self.looks.surveyed(&mut Tools { net, common: &mut self.common }, rows);
            self.publish(net);
            return self.settle(net);
        };
        if let Some(then) = self.consoles.surveyed(conn) {
            let answer = then(&View { director: self, net, conn, said: None }, &rows);
            self.console_replies(net, conn, Reply::Answer(answer));
        }
        self.settle(net);
    }

    fn on_done(&mut self, net: &mut Net, owner: Owner, done: WorkDone) {
        let tools = &mut Tools { net, common: &mut self.common };
        let (owner, done) = match owner {
            Owner::Script(id, handle) => {
                self.jobs.script_ended(tools, id, handle, done);
                return self.settle(net);
            }
            Owner::BootstrapPut(id) => {
                self.jobs.bootstrap_put(tools, id, done);
                return self.settle(net);
            }
            Owner::Lists(id, handle, wanted) => {
                self.jobs.lists_read(tools, (id, handle), wanted, done);
                return self.settle(net);
            }
            Owner::ConsoleLists(conn, wanted) => {
                self.console_has_lists(net, conn, wanted.take(done));
                return self.settle(net);
            }
            Owner::Name(console, host) => {
                let found = file_answers::resolved(&tools.common.config.director.name, &host, &done.addresses());
                tools.answer(console, Answer::said(found));
                return self.settle(net);
            }
            Owner::Post(target) => {
                tools.delivered(&target, done);
                return self.settle(net);
            }
            Owner::Configuration => {
                self.reload.read(tools, &mut self.setup, done);
                return self.settle(net);
            }
            Owner::Publish => {
                self.looks.wanted(tools, &done);
                return self.settle(net);
            }
            other => (other, done),
        };
        let answer = match done {
            WorkDone::Catalog(answer) => answer,
            _ => Err(CatalogError::new(CatalogErrorKind::Unavailable, "the catalog worker has stopped")),
        };
        match owner {
            Owner::Setup(catalog, item) => self.setup.done(tools, (catalog, item), answer),
            Owner::Client(order) => self.jobs.client_known(tools, *order, answer),
            Owner::Create(order) => self.jobs.created(tools, *order, answer),
            Owner::Copy(id, asked) => self.jobs.copy_answered(tools, id, asked, answer),
            Owner::Job(id) => self.jobs.answered(tools, id, answer),
            Owner::Bootstrap(id) => self.jobs.bootstrap_found(tools, id, answer),
            Owner::Request(id) => self.jobs.request_answered(tools, id, answer),
            Owner::Files(id, conn) => self.jobs.files_stored(tools, id, conn, answer),
            Owner::Compare(id, conn, files) => self.jobs.files_found(tools, (id, conn), &files, answer),
            Owner::End(end) => self.jobs.recorded(tools, end, answer),
            Owner::Uname => {
                if let Err(error) = answer {
                    let text = format!("what a client says it is was not stored: {error}; {}", error.help());
                    tools.net.log_cause(Level::Warn, (error.fault(), error.code()), &text);
                }
            }
            Owner::Log(catalog) => tools.lines_saved(&catalog, answer),
            Owner::Script(..)
            | Owner::BootstrapPut(_)
            | Owner::Lists(..)
            | Owner::ConsoleLists(..)
            | Owner::Name(..)
            | Owner::Configuration
            | Owner::Publish
            | Owner::Post(_)
            | Owner::Stopped => {}
            Owner::Console(conn) => self.console_answered(net, conn, answer),
            Owner::Left(conn, catalog, then) => {
                let view = View { director: self, net, conn, said: Some(&catalog) };
                let reply = answer.map_or_else(Reply::refused, |answer| then.go_on(&view, answer));
                self.finish(net, conn, catalog, reply);
            }
            Owner::Returned(name) => self.jobs.return_answered(tools, &name, answer),
            Owner::Health(catalog, question) => {
                self.looks.answered(tools, catalog, question, answer);
                self.publish(net);
            }
            Owner::Missed(name) => self.missed.answered(tools, &name, answer),
        }
        self.settle(net);
    }

    fn on_timer(&mut self, net: &mut Net, due: Due) {
        let tools = &mut Tools { net, common: &mut self.common };
        match due {
            Due::Grace(id) => self.jobs.grace_over(tools, id),
            Due::Patience(id) => self.jobs.patience_over(tools, id),
            Due::Settled(id) => self.jobs.settled(tools, id),
            Due::Confirmations(id) => self.jobs.tell_who_confirmed(tools, id),
            Due::Away(id) => self.jobs.still_away(tools, id),
            Due::Hold(id) => self.jobs.hold_over(tools, id),
            Due::Deadline(id) => self.jobs.deadline(tools, id),
            Due::Setup => self.setup.timer(tools),
            Due::Schedules => self.schedules.look(tools),
            Due::Errand(conn) => self.errands.too_slow(tools, conn),
            Due::Reach(way) => self.ways.timer(tools, way),
            Due::Record => self.jobs.offer_timer(tools),
            Due::Lines => tools.lines_timer(),
            Due::Post(due) => tools.post_due(due),
            Due::Look => {
                self.looks.too_slow();
                self.publish(net);
            }
        }
        self.settle(net);
    }

    fn on_logged(&mut self, net: &mut Net) {
        self.settle(net);
    }

    fn on_reload(&mut self, net: &mut Net) {
        self.reload.ask(&mut Tools { net, common: &mut self.common }, None, ConfigurationWork::Read);
        self.settle(net);
    }

    fn on_drain(&mut self, net: &mut Net) -> Option<Duration> {
        let grace = self.common.config.director.shutdown_grace.duration();
        let grace = self.common.stopping.drain(net, self.jobs.running(), grace)?;
        self.jobs.drain(&mut Tools { net, common: &mut self.common });
        self.settle(net);
        Some(grace)
    }

    fn on_stop(&mut self, net: &mut Net) {
        self.common.stopping = Stopping::Ending;
        net.stop_listening();
        self.jobs.stop(&mut Tools { net, common: &mut self.common });
        self.settle(net);
    }
}
