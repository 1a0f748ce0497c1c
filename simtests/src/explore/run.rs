//! One run of a draw: what happens at its times, then the healing, then what must be so in the end.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use towline_core::catalog::JobRow;
use towline_core::cover;
use towline_core::event::Event;
use towline_core::time::Instant;
use towline_core::wire::names::PeerKind;
use towline_core::wire::status_reply::StatusReply;

use crate::scenario::Region;
use crate::tap::Passing;
use crate::trace::Trace;

use super::draw::{Draw, Fault, Kind, What, Who};
use super::evidence::{Evidence, is_end, is_good};
use super::faults::{Faults, heal};
use super::invariants::{self, Look, Moment};
use super::scene::{self, host, name};
use super::{Failure, FailureKind, Outcome};

/// How long after the start the times of a draw begin.
const BEFORE: Duration = Duration::from_secs(1);
/// How long things may take to come to rest once everything is well: what the system takes to notice a peer that is gone
/// without a heartbeat, and a job that still waits for its daemons.
const REST: Duration = Duration::from_secs(4 * 3_600);
/// How long a job may take in a world where all is well.
const JOB: Duration = Duration::from_secs(3_600);
/// How long a console may wait for an answer there.
const ANSWER: Duration = Duration::from_secs(120);
/// How soon whoever starts a director that has ended by itself tries again.
const AGAIN: Duration = Duration::from_secs(5);
/// Things that may happen in one run: more means that somebody turns in a circle.
const MOST_STEPS: u64 = 4_000_000;
/// After how many of them the invariants are asked.
const LOOK_EVERY: u64 = 64;

/// Sees what passes.
pub type Tap = Box<dyn FnMut(&Passing<'_>)>;

/// Who watches a run.
#[derive(Default)]
pub struct Watching {
    /// Sees every segment.
    pub tap: Option<Tap>,
    /// Lines of the trace to return.
    pub tail: usize,
}

impl std::fmt::Debug for Watching {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watching").field("tail", &self.tail).finish_non_exhaustive()
    }
}

/// Runs a draw.
#[must_use]
pub fn run(draw: &Draw) -> Outcome {
    watch(draw, Watching::default()).0
}

/// Runs a draw and watches it: the last lines of its trace too.
#[must_use]
pub fn watch(draw: &Draw, watching: Watching) -> (Outcome, String) {
    let tail = watching.tail;
    let mut kept = Kept::default();
    let _of_others = cover::take();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut run = Run::new(draw, watching);
        kept.trace = run.region.world.trace().clone();
        kept.trace.keep(tail);
        let result = run.all();
        kept.note(&run);
        result
    }));
    let failure = match result {
        Ok(result) => result.err(),
        Err(panic) => Some(of_panic(&*panic)),
    };
    let Kept { trace, steps, took, jobs } = kept;
    let text = trace.tail(tail);
    (Outcome { failure, hash: trace.hash(), steps, took, jobs, marks: cover::take() }, text)
}

/// What outlives a run that crashes.
#[derive(Default)]
struct Kept {
    trace: Trace,
    steps: u64,
    took: Duration,
    jobs: Vec<(char, usize)>,
}

impl Kept {
    fn note(&mut self, run: &Run<'_>) {
        (self.steps, self.took) = (run.region.world.steps(), run.region.world.now().since(Instant::ZERO));
        let mut counts = BTreeMap::new();
        for row in run.region.catalog.tables().jobs.values() {
            *counts.entry(char::from(row.job_status)).or_insert(0) += 1;
        }
        self.jobs = counts.into_iter().collect();
    }
}

/// A panic as a failure. A contract that was broken between a node and its adapter is one of safety.
fn of_panic(panic: &(dyn Any + Send)) -> Failure {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("a panic without a text");
    let (kind, invariant) = match text.starts_with("the contract is broken") {
        true => (FailureKind::Safety, invariants::CONTRACT),
        false => (FailureKind::Crash, invariants::NO_PANIC),
    };
    Failure { kind, invariant, what: text.to_owned(), at: Duration::ZERO }
}

/// What happens at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Order(usize),
    Begin(usize),
    End(usize),
}

struct Run<'a> {
    draw: &'a Draw,
    region: Region,
    evidence: Evidence,
    faults: Faults,
    answers: usize,
    looked: u64,
    /// When a director that has ended by itself is started again.
    again: Option<Instant>,
}

type Verdict = Result<(), Failure>;

impl<'a> Run<'a> {
    fn new(draw: &'a Draw, watching: Watching) -> Self {
        let mut region = scene::start(draw);
        let evidence = Evidence::new(draw);
        if draw.tls {
            let seals = evidence.seals.clone();
            region.world.tap(move |passing| seals.borrow_mut().see(passing));
        }
        if let Some(tap) = watching.tap {
            region.world.tap(tap);
        }
        Self { draw, region, evidence, faults: Faults::new(draw), answers: 0, looked: 0, again: None }
    }

    fn all(&mut self) -> Verdict {
        self.run_for(BEFORE)?;
        let began = self.region.world.now();
        for (at, then) in timeline(self.draw) {
            self.run_to(began + Duration::from_millis(at))?;
            self.happen(then);
            self.check(Moment::Always)?;
        }
        self.run_for(Duration::from_secs(1))?;
        self.evidence.look(&self.region);
        heal(&mut self.region, self.draw, &mut self.faults);
        self.evidence.foes.clear();
        // What was said before may be answered late, and nobody knows whether a director that lost its power heard it.
        self.listen();
        self.region.start_operator();
        self.answers = 0;
        self.run_for(time_to_notice(self.draw))?;
        self.rest()?;
        self.check(Moment::Rest)?;
        self.back_up()?;
        self.restore()?;
        self.restore_newest()?;
        self.ask_daemons()?;
        self.rest()?;
        self.check(Moment::End)
    }

    // What happens.

    fn happen(&mut self, then: Then) {
        match then {
            Then::Order(n) => {
                // Where backups build on others, each third one builds on a full one.
                let level = if self.draw.incremental && n % 3 == 2 { " level=differential" } else { "" };
                self.order(self.draw.orders[n].what, level);
            }
            Then::Begin(n) => {
                let fault = &self.draw.faults[n];
                let lasts = Duration::from_millis(fault.lasts);
                self.region.world.note("fault", &format!("begins: {:?}", fault.kind));
                if fault.kind.touches_director() {
                    let until = self.region.world.now() + lasts + Duration::from_secs(1);
                    self.evidence.unwell = self.evidence.unwell.max(until);
                }
                // What has ended before has nothing to do with who comes now.
                self.evidence.look(&self.region);
                if let Some(heard) = self.faults.begin(&mut self.region, self.draw, fault.kind, lasts) {
                    self.evidence.strangers.push((format!("{:?}", fault.kind), heard));
                }
                self.evidence.foes = self.faults.foes.iter().map(|foe| foe.who).collect();
            }
            Then::End(n) => {
                let fault = &self.draw.faults[n];
                self.region.world.note("fault", &format!("ends: {:?}", fault.kind));
                self.evidence.note_dead(&self.region, n);
                self.evidence.note_abandoned(&self.region, n);
                self.evidence.look(&self.region);
                self.faults.end(&mut self.region, self.draw, fault.kind);
                self.evidence.foes = self.faults.foes.iter().map(|foe| foe.who).collect();
            }
        }
    }

    fn order(&mut self, what: What, level: &str) {
        match what {
            What::Backup(client, storage) => {
                self.evidence.ordered += 1;
                self.say(&format!("run job={}-{}{level} yes", name(Who::Client(client)), name(Who::Storage(storage))));
            }
            What::Restore(client) => {
                self.region.clients[client].disk.wipe_restored();
                self.say(&restore_line(client, None));
            }
            What::Copy => self.say("run job=copy yes"),
            What::Migrate => self.say("run job=migrate yes"),
            What::Verify(client, storage) => {
                self.say(&format!("run job=verify-{}-{} yes", name(Who::Client(client)), name(Who::Storage(storage))));
            }
            What::Cancel => {
                let newest = self.region.catalog.tables().jobs.values().rev().find(|row| !is_end(row)).cloned();
                if let Some(row) = newest {
                    self.say(&format!("cancel jobid={}", row.job_id));
                }
            }
            What::Status(Who::Director) => self.say("status director"),
            What::Status(who @ Who::Client(_)) => self.say(&format!("status client={}", name(who))),
            What::Status(who @ Who::Storage(_)) => self.say(&format!("status storage={}", name(who))),
            What::Change(client) => {
                let version = self.evidence.trees[client].len() as u64;
                let before = self.evidence.newest(client);
                let tree = scene::changed(self.draw, client, version, before);
                let at = self.region.world.wall_of(self.region.clients[client].host).seconds();
                let mut store = self.region.clients[client].disk.store();
                let changed = tree.iter().filter(|(name, contents)| before.get(*name) != Some(*contents));
                store.changed.extend(changed.map(|(name, _)| (name.clone(), at)));
                store.files.retain(|name, _| !name.starts_with(b"/data/"));
                store.files.extend(tree.clone());
                drop(store);
                self.evidence.trees[client].push(tree);
            }
        }
    }

    /// The operator says a line; one whose connection has ended comes back first.
    fn say(&mut self, line: &str) {
        self.listen();
        if self.region.heard().over.is_some() {
            self.region.start_operator();
            self.answers = 0;
        }
        self.region.world.note("operator", line);
        self.region.world.post(self.region.operator, Event::Typed(Some(line.to_owned())));
    }

    fn listen(&mut self) {
        let heard = self.region.heard();
        if heard.answers != self.answers {
            self.answers = heard.answers;
            self.evidence.listen(&heard.text, self.region.world.now());
        }
    }

    // Time.

    fn run_for(&mut self, span: Duration) -> Verdict {
        self.run_to(self.region.world.now() + span)
    }

    fn run_to(&mut self, until: Instant) -> Verdict {
        while self.next_at().is_some_and(|at| at <= until) {
            self.step()?;
        }
        self.region.world.run_for(until.since(self.region.world.now()));
        Ok(())
    }

    fn run_until(&mut self, within: Duration, is_so: impl Fn(&Region) -> bool) -> Result<bool, Failure> {
        let until = self.region.world.now() + within;
        loop {
            if is_so(&self.region) {
                return Ok(true);
            }
            for _ in 0..16 {
                if self.next_at().is_none_or(|at| at > until) {
                    return Ok(is_so(&self.region));
                }
                self.step()?;
            }
        }
    }

    /// When the next thing happens, in the world or to it.
    fn next_at(&mut self) -> Option<Instant> {
        let director = self.region.director;
        self.again = match self.region.world.exit(director) {
            Some(_) if !self.region.world.is_running(director) => {
                self.again.or_else(|| Some(self.region.world.now() + AGAIN))
            }
            _ => None,
        };
        self.region.world.next_at().into_iter().chain(self.again).min()
    }

    fn step(&mut self) -> Verdict {
        match self.again.filter(|at| self.region.world.next_at().is_none_or(|next| *at <= next)) {
            Some(at) => {
                self.region.world.run_for(at.since(self.region.world.now()));
                self.region.start_director();
            }
            None => _ = self.region.world.step(),
        }
        self.serve_guests();
        let steps = self.region.world.steps();
        if steps >= self.looked + LOOK_EVERY {
            self.looked = steps;
            self.check(Moment::Always)?;
            if steps > MOST_STEPS {
                let what = format!("{steps} things have happened, and no end: {:#?}", self.region.world.pending());
                return Err(self.failure(FailureKind::Liveness, invariants::NO_CIRCLE, what));
            }
        }
        Ok(())
    }

    /// Those who are no daemons go on: stock clients that wait, and foes.
    fn serve_guests(&mut self) {
        for foe in &mut self.faults.foes {
            let (region, draw) = (&self.region, self.draw);
            foe.go_on(&region.world, &|name| scene::dialled_at(region, draw, name));
            foe.news.drain(..).for_each(|news| self.region.world.note("foe", &news));
        }
        for waiter in &mut self.faults.waiters {
            waiter.go_on(&self.region.world);
            self.evidence.to_stock.append(&mut waiter.signals);
            let wrongly =
                waiter.let_in_wrongly().map(|name| format!("the director has let in {name:?} without its password"));
            self.evidence.let_in.extend(wrongly);
        }
    }

    // What must be so.

    fn check(&mut self, moment: Moment) -> Verdict {
        self.listen();
        self.evidence.look(&self.region);
        let look = Look { region: &self.region, evidence: &self.evidence };
        match invariants::judge(moment, &look) {
            Ok(()) => Ok(()),
            Err((invariant, what)) => Err(self.failure(invariant.kind, invariant.name, what)),
        }
    }

    fn failure(&self, kind: FailureKind, invariant: &'static str, what: String) -> Failure {
        Failure { kind, invariant, what, at: self.region.world.now().since(Instant::ZERO) }
    }

    /// Everything comes to rest: no job is under way, nothing is held, only the connections are there that are to stay.
    fn rest(&mut self) -> Verdict {
        let draw = self.draw;
        if self.run_until(REST, |region| unrest(region, draw).is_empty())? {
            return Ok(());
        }
        let (still, pending) = (unrest(&self.region, draw), self.region.world.pending());
        let what = format!("after {REST:?} there is still: {still:#?}\npending: {pending:#?}");
        Err(self.failure(FailureKind::Liveness, invariants::COMES_TO_REST, what))
    }

    /// A backup of each client to each storage daemon works at the first try.
    fn back_up(&mut self) -> Verdict {
        for client in 0..self.draw.clients.len() {
            for storage in 0..self.draw.storages.len() {
                let line = format!("run job={}-{} yes", name(Who::Client(client)), name(Who::Storage(storage)));
                self.evidence.ordered += 1;
                let row = self.do_job(&line)?;
                if !is_good(&row) {
                    let (job, status) = (row.job_id, char::from(row.job_status));
                    let what = format!("{line:?} ends with {status}:\n{}", self.region.report(job));
                    return Err(self.failure(FailureKind::Liveness, invariants::WORKS_AGAIN, what));
                }
            }
        }
        Ok(())
    }

    /// Every job that is shown as good can be restored, and is what was saved.
    fn restore(&mut self) -> Verdict {
        let rows: Vec<JobRow> = self.region.catalog.tables().jobs.values().cloned().collect();
        // What has only changes is restored with what it builds on.
        let is_whole =
            |row: &&JobRow| is_good(row) && b"BC".contains(&row.job_type) && row.level == b'F' && !row.purged_files;
        for row in rows.iter().filter(is_whole) {
            let client = (0..self.draw.clients.len()).find(|n| name(Who::Client(*n)) == row.client);
            let Some(client) = client else { continue };
            self.region.clients[client].disk.wipe_restored();
            let mut original = row;
            while let Some(before) = rows.iter().find(|other| other.job_id == original.prior_job_id) {
                original = before;
            }
            if [row, original].iter().any(|row| self.evidence.tainted.contains(&row.job_id)) {
                continue;
            }
            let versions = self.evidence.versions.get(&original.job_id).map(|of| (original.job_id, *of));
            // Of a backup that could save nothing there is nothing to restore.
            let restored = match row.job_files {
                0 => row.clone(),
                _ => self.do_job(&restore_line(client, Some(row.job_id)))?,
            };
            let (job, status) = (row.job_id, char::from(restored.job_status));
            if !is_good(&restored) && !self.evidence.has_unread(original.job_id) {
                let report = self.region.report(restored.job_id);
                self.evidence.lost.push(format!("job {job} is good, its restore ends with {status}:\n{report}"));
            } else if let Err(why) = self.evidence.compare(&self.region, &restored, versions) {
                self.evidence.lost.push(format!("job {job}: {why}"));
            }
            self.check(Moment::Always)?;
        }
        Ok(())
    }

    /// What the backups of a client make together is what it has now.
    fn restore_newest(&mut self) -> Verdict {
        for client in (0..self.draw.clients.len()).filter(|_| self.draw.incremental) {
            if self.evidence.may_be_others(&self.region.catalog.tables(), &name(Who::Client(client))) {
                continue;
            }
            self.region.clients[client].disk.wipe_restored();
            let restored = self.do_job(&restore_line(client, None))?;
            let (job, status) = (restored.job_id, char::from(restored.job_status));
            if !is_good(&restored) {
                let report = self.region.report(job);
                self.evidence.lost.push(format!("the restore {job} of all changes ends with {status}:\n{report}"));
            } else if self.region.restored(client) != *self.evidence.newest(client) {
                let report = self.region.report(job);
                self.evidence.lost.push(format!("the restore {job} of all changes is not what there is:\n{report}"));
            }
            self.check(Moment::Always)?;
        }
        Ok(())
    }

    /// What every daemon says of the jobs it knows.
    fn ask_daemons(&mut self) -> Verdict {
        for who in self.draw.everybody() {
            let line = match who {
                Who::Director => "status director".to_owned(),
                Who::Client(_) => format!("status client={}", name(who)),
                Who::Storage(_) => format!("status storage={}", name(who)),
            };
            // An order that was under way for long may begin a job meanwhile.
            let tables = self.region.catalog.tables();
            let ended = tables.jobs.values().filter(|row| is_end(row)).map(|row| row.job_id).collect();
            drop(tables);
            let text = self.ask(&line)?;
            self.evidence.statuses.push((who, StatusReply::parse(&text), ended));
        }
        Ok(())
    }

    /// The operator says a line and hears the answer.
    fn ask(&mut self, line: &str) -> Result<String, Failure> {
        // What was said before is answered first.
        self.run_for(Duration::from_secs(1))?;
        if self.region.heard().over.is_some() {
            self.region.start_operator();
            self.answers = 0;
            self.run_for(Duration::from_secs(1))?;
        }
        let before = self.region.heard();
        self.say(line);
        let is_answered = |region: &Region| region.heard().answers > before.answers;
        if !self.run_until(ANSWER, is_answered)? {
            let heard = self.region.heard();
            let what = format!("{line:?} is not answered within {ANSWER:?}: {:?}", heard.over);
            return Err(self.failure(FailureKind::Liveness, invariants::ANSWERS, what));
        }
        self.listen();
        Ok(self.region.heard().text.split_off(before.text.len()))
    }

    fn do_job(&mut self, line: &str) -> Result<JobRow, Failure> {
        let answer = self.ask(line)?;
        let id = answer.split_once("JobId=").and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
        let Some(id) = id else {
            let what = format!("{line:?} is not taken: {answer}");
            return Err(self.failure(FailureKind::Liveness, invariants::WORKS_AGAIN, what));
        };
        let is_over = move |region: &Region| region.catalog.ended(id).is_some();
        if !self.run_until(JOB, is_over)? {
            let report = self.region.report(id);
            let pending = self.region.world.pending();
            let what = format!("{line:?} does not end within {JOB:?}: {pending:#?}\n{report}");
            return Err(self.failure(FailureKind::Liveness, invariants::WORKS_AGAIN, what));
        }
        self.check(Moment::Always)?;
        Ok(self.region.catalog.ended(id).unwrap_or_default())
    }
}

/// How long a director has to be left alone once everything is well. Before a job takes the connection on which one of our
/// clients waits, it is asked whether it is there. A stock one cannot be asked: if a gateway has forgotten it meanwhile, TCP's
/// keepalive shows it, after three heartbeat intervals and 2 s. A director that has two clients of one name gives up the elder
/// one if it is silent; without a heartbeat a client that was cut off then knows it by the system's own keepalive.
fn time_to_notice(draw: &Draw) -> Duration {
    let has_twin = |fault: &Fault| matches!(fault.kind, Kind::StockWaits(n) if draw.clients[n].dialled.waits());
    if draw.heartbeat == 0 && draw.faults.iter().any(has_twin) {
        return invariants::NOTICED.1;
    }
    let cannot_be_asked = draw.clients.iter().any(|client| client.stock.is_some() && client.dialled.waits());
    if cannot_be_asked { Duration::from_secs(3 * draw.heartbeat + 2) } else { Duration::ZERO }
}

/// What is not at rest, in words.
fn unrest(region: &Region, draw: &Draw) -> Vec<String> {
    let mut all = Vec::new();
    for row in region.catalog.tables().jobs.values().filter(|row| !is_end(row)) {
        all.push(format!("job {} {} has the status {}", row.job_id, row.name, char::from(row.job_status)));
    }
    let handles = region.clients.iter().chain(&region.storages).map(|daemon| (&daemon.name, daemon.hands.handles()));
    all.extend(handles.filter(|(_, handles)| *handles > 0).map(|(name, open)| format!("{name} has {open} open")));
    for who in draw.everybody() {
        let waiting = match who {
            // Its own side counts what is there for each client; a console may come and go.
            Who::Director => continue,
            Who::Client(n) => usize::from(draw.clients[n].dialled.waits()),
            Who::Storage(_) => 0,
        };
        let connections = region.world.connections(host(region, who));
        if connections != waiting {
            all.push(format!("{} has {connections} connections, not {waiting}", name(who)));
        }
    }
    if all.is_empty() {
        at_director(region, draw, &mut all);
        at_storages(region, draw, &mut all);
    }
    all
}

/// What is not at rest at the storage daemons: nobody has a device or a volume, or waits for one.
fn at_storages(region: &Region, draw: &Draw, all: &mut Vec<String>) {
    for n in 0..draw.storages.len() {
        let who = Who::Storage(n);
        let devices = region.world.inspect(host(region, who)).map(|seen| seen.devices).unwrap_or_default();
        let held = devices.into_iter().filter(|device| device.users + device.waiting + device.claimed > 0);
        all.extend(held.map(|device| format!("{} has {device:?}", name(who))));
    }
}

/// What is not at rest at the director: each client that dials it waits there once, and nobody else is there but consoles.
fn at_director(region: &Region, draw: &Draw, all: &mut Vec<String>) {
    let seen = region.world.inspect(region.director);
    let (rows, waits) = seen.map(|seen| (seen.connections, seen.waits)).unwrap_or_default();
    // One that started while its catalog was away asks for it only now and then.
    all.extend(waits.map(|waits| format!("the director is {waits}")));
    for (n, client) in draw.clients.iter().enumerate() {
        let (name, wanted) = (name(Who::Client(n)), usize::from(client.dialled.waits()));
        let there =
            rows.iter().filter(|row| row.peer.name.kind == PeerKind::Client && row.peer.name.name == name).count();
        if there != wanted {
            all.push(format!("the director has {there} connections with {name}, not {wanted}"));
        }
    }
    let others = rows.iter().filter(|row| !matches!(row.peer.name.kind, PeerKind::Client | PeerKind::Console));
    all.extend(others.map(|row| format!("the director has a connection with {}", row.peer.name)));
}

/// What happens when, in order; what is at the same time as it stands in the draw.
fn timeline(draw: &Draw) -> Vec<(u64, Then)> {
    let orders = draw.orders.iter().enumerate().map(|(n, order)| (order.at, Then::Order(n)));
    let begins = draw.faults.iter().enumerate().map(|(n, fault)| (fault.at, Then::Begin(n)));
    let lasting = draw.faults.iter().enumerate().filter(|(_, fault)| !fault.kind.is_moment());
    let ends = lasting.map(|(n, fault)| (fault.at + fault.lasts, Then::End(n)));
    let mut all: Vec<_> = orders.chain(begins).chain(ends).collect();
    all.sort_by_key(|(at, _)| *at);
    all
}

fn restore_line(client: usize, job: Option<u32>) -> String {
    let client = name(Who::Client(client));
    let job = job.map(|job| format!("jobid={job} ")).unwrap_or_default();
    format!("restore client={client} {job}restorejob=restore-{client}-sd0 all done yes")
}

impl Kind {
    /// Whether the director or its catalog is not well meanwhile.
    pub(super) const fn touches_director(self) -> bool {
        match self {
            Self::Kill(who) | Self::Power(who) | Self::Sleep(who) | Self::DiskSlow(who, _) | Self::Clock(who, _) => {
                matches!(who, Who::Director)
            }
            Self::CatalogAway | Self::CatalogHangs => true,
            _ => false,
        }
    }
}
