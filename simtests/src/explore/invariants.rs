//! What must hold whatever happens, each promise under its name, and when it is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use towline_core::catalog::JobRow;
use towline_core::limits;
use towline_core::wire::frame::MAX_ACCEPT;
use towline_core::wire::status_reply::RunningJob;

use crate::calls::Call;
use crate::scenario::Region;

use super::FailureKind;
use super::draw::{Edge, Fault, Kind, What, Who};
use super::evidence::{Evidence, is_end, is_good};
use super::faults::IMPOSTOR;
use super::scene::{TIMED, host, name};

/// Nothing panics.
pub const NO_PANIC: &str = "nothing panics";
/// A node and its adapter keep what they owe each other.
pub const CONTRACT: &str = "each order is answered once";
/// The run comes to an end.
pub const NO_CIRCLE: &str = "nobody turns in a circle";
/// After the healing everything comes to rest.
pub const COMES_TO_REST: &str = "everything comes to rest";
/// After the healing the next job works.
pub const WORKS_AGAIN: &str = "the next job works";
/// After the healing a console is answered.
pub const ANSWERS: &str = "a console is answered";

/// How long after it was confirmed a cancelled job may take to end.
const CANCELLED: Duration = Duration::from_secs(60);
/// Dials from one host to one address within a minute: twice as many as the shortest pause that is configured lets through.
const DIALS_A_MINUTE: usize = 120;
/// What may be in a queue beyond its limit: sealed records of a parcel.
const MORE: usize = 2 * limits::PARCEL;
/// What of a peer may wait on the reading side: what is read in one go, and the longest frame that anything takes.
const UNREAD: usize = MAX_ACCEPT as usize + 2 * limits::PARCEL;
/// Dials and timers of one daemon that a draw can have a use for.
const DIALS: usize = 200;
const TIMERS: usize = 1_000;
/// After how long without a word a peer counts as gone at the latest, with a heartbeat and without.
pub(super) const NOTICED: (Duration, Duration) = (Duration::from_secs(1_500), Duration::from_secs(8_400));

/// How long after its beginning a job may wait for a client that is not there: to reach its storage daemon, and then for the
/// client, with time to spare.
const ABANDONED: Duration = Duration::from_secs(900);

/// A promise.
#[derive(Clone, Copy)]
pub struct Invariant {
    /// Its name.
    pub name: &'static str,
    /// Of which kind a failure is.
    pub kind: FailureKind,
    /// When it is asked for.
    moment: Moment,
    /// What was seen that must not be.
    holds: fn(&Look<'_>) -> Result<(), String>,
}

impl std::fmt::Debug for Invariant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invariant").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    /// All the time.
    Always,
    /// Also once all has come to rest after the healing.
    Rest,
    /// Also at the end, when the daemons have been asked.
    End,
}

/// What is looked at.
pub(super) struct Look<'a> {
    pub(super) region: &'a Region,
    pub(super) evidence: &'a Evidence,
}

/// All promises, those in the run itself excepted, in the order in which they are asked for.
pub const ALL: &[Invariant] = &[
    safety("a restore that says it is right is equal byte for byte", Moment::Always, restores_are_equal),
    safety("a job has one final status", Moment::Always, statuses_stay),
    safety("nothing is said in clear once TLS is required", Moment::Always, nothing_is_clear),
    safety("who is not authenticated gets no further", Moment::Always, strangers_hear_nothing),
    safety("a stock peer is sent nothing that it cannot answer", Moment::Always, stock_peers_are_left_alone),
    safety("no daemon ends by itself", Moment::Always, daemons_stay),
    safety("a dead peer is noticed in time", Moment::Always, the_dead_are_noticed),
    liveness("a job whose client is away ends in its time", Moment::Always, nobody_waits_for_ever),
    safety("queues keep within their bounds", Moment::Always, queues_are_bounded),
    liveness("a cancelled job ends in its time", Moment::Always, cancelled_jobs_end),
    safety("what the director has taken is in the catalog", Moment::Always, taken_jobs_are_there),
    safety("an order is carried out once", Moment::Always, orders_are_carried_out_once),
    safety("a moment of a schedule is ordered once", Moment::Always, moments_are_ordered_once),
    safety("nobody dials in a storm", Moment::Rest, nobody_storms),
    safety("what was acknowledged is there", Moment::End, nothing_is_lost),
    safety("a file that is not saved as it is is named", Moment::End, flaws_are_named),
    safety("who holds one key harms no job of others", Moment::End, others_are_unharmed),
    safety("all daemons agree how a job has ended", Moment::End, daemons_agree),
    safety("no reservation outlives its job", Moment::End, nothing_is_reserved),
];

const fn safety(name: &'static str, moment: Moment, holds: fn(&Look<'_>) -> Result<(), String>) -> Invariant {
    Invariant { name, kind: FailureKind::Safety, moment, holds }
}

const fn liveness(name: &'static str, moment: Moment, holds: fn(&Look<'_>) -> Result<(), String>) -> Invariant {
    Invariant { name, kind: FailureKind::Liveness, moment, holds }
}

/// Asks for all that must hold at a moment: the first promise that does not, with what was seen.
pub(super) fn judge(moment: Moment, look: &Look<'_>) -> Result<(), (&'static Invariant, String)> {
    for invariant in ALL.iter().filter(|invariant| invariant.moment <= moment) {
        (invariant.holds)(look).map_err(|what| (invariant, what))?;
    }
    Ok(())
}

fn restores_are_equal(look: &Look<'_>) -> Result<(), String> {
    let wrong = look.evidence.restores.iter().find_map(|(_, verdict)| verdict.as_ref().err());
    wrong.map_or(Ok(()), |what| Err(what.clone()))
}

fn statuses_stay(look: &Look<'_>) -> Result<(), String> {
    look.evidence.changed.first().map_or(Ok(()), |what| Err(what.clone()))
}

fn nothing_is_clear(look: &Look<'_>) -> Result<(), String> {
    look.evidence.seals.borrow().broken.first().map_or(Ok(()), |what| Err(what.clone()))
}

fn strangers_hear_nothing(look: &Look<'_>) -> Result<(), String> {
    for (whose, heard) in &look.evidence.strangers {
        let heard = heard.look();
        if heard.answers > 0 || !heard.text.is_empty() {
            return Err(format!("{whose} with a wrong password hears {:?}", heard.text));
        }
    }
    if let Some(what) = look.evidence.let_in.first() {
        return Err(what.clone());
    }
    let rows = look.region.world.inspect(look.region.director).map(|seen| seen.connections).unwrap_or_default();
    match rows.iter().find(|row| row.peer.name.name == IMPOSTOR) {
        Some(row) => Err(format!("the director has let in {}", row.peer.name)),
        None => Ok(()),
    }
}

/// A heartbeat while it waits: it would take it for the beginning of a job (`wire/1 §9.7`).
fn stock_peers_are_left_alone(look: &Look<'_>) -> Result<(), String> {
    match look.evidence.to_stock.first() {
        Some(signal) => Err(format!("a stock client that waits at the director is sent the signal {signal}")),
        None => Ok(()),
    }
}

/// A director that starts while its catalog is away says so and ends: whoever starts it tries again.
fn daemons_stay(look: &Look<'_>) -> Result<(), String> {
    let is_away = look.evidence.draw.faults.iter().any(|fault| fault.kind == Kind::CatalogAway);
    for who in look.evidence.draw.everybody() {
        if who == Who::Director && is_away {
            continue;
        }
        if let Some(reason) = look.region.world.exit(host(look.region, who)) {
            return Err(format!("{} has ended: {reason:?}", name(who)));
        }
    }
    Ok(())
}

/// The bounds of `limits.rs`, with a block or a parcel more where a queue is asked before it is filled.
fn queues_are_bounded(look: &Look<'_>) -> Result<(), String> {
    for who in look.evidence.draw.everybody() {
        let at = host(look.region, who);
        for (conn, seen) in look.region.world.inspect_connections(at) {
            let is_bounded = seen.unsent <= limits::SEND_QUEUE + MORE
                && seen.unread <= UNREAD
                && seen.untold <= 2 * limits::UNDER_WAY as usize
                && seen.untaken <= limits::UNDER_WAY as usize;
            if !is_bounded {
                return Err(format!("connection {} of {} holds {seen:?}", conn.0, name(who)));
            }
        }
        let seen = look.region.world.inspect(at);
        if let Some(seen) = seen.filter(|seen| seen.unauthenticated > 256 || seen.dials > DIALS || seen.timers > TIMERS)
        {
            let (dials, timers) = (seen.dials, seen.timers);
            return Err(format!(
                "{} has {} unauthenticated, {dials} dials, {timers} timers",
                name(who),
                seen.unauthenticated
            ));
        }
    }
    Ok(())
}

fn the_dead_are_noticed(look: &Look<'_>) -> Result<(), String> {
    look.evidence.dead.first().map_or(Ok(()), |what| Err(what.clone()))
}

fn nobody_waits_for_ever(look: &Look<'_>) -> Result<(), String> {
    look.evidence.abandoned.first().map_or(Ok(()), |what| Err(what.clone()))
}

fn cancelled_jobs_end(look: &Look<'_>) -> Result<(), String> {
    let now = look.region.world.now();
    for (job, since) in &look.evidence.cancelled {
        let row = look.region.catalog.tables().jobs.get(job).cloned();
        let is_open = row.as_ref().is_some_and(|row| !is_end(row));
        if is_open && now.since((*since).max(look.evidence.unwell)) > CANCELLED {
            let status = row.map(|row| char::from(row.job_status));
            return Err(format!(
                "job {job}, cancelled at {since:?}, has the status {status:?} more than a minute later"
            ));
        }
    }
    Ok(())
}

fn taken_jobs_are_there(look: &Look<'_>) -> Result<(), String> {
    let tables = look.region.catalog.tables();
    // By a clock that is years ahead, retentions are over.
    let is_known = |job: &u32| tables.jobs.contains_key(job) || tables.pruned.contains(job);
    match look.evidence.taken.iter().find(|job| !is_known(job)) {
        Some(job) => Err(format!("the director has said that it has taken job {job}, which is not in the catalog")),
        None => Ok(()),
    }
}

fn orders_are_carried_out_once(look: &Look<'_>) -> Result<(), String> {
    let tables = look.region.catalog.tables();
    let ordered = |name: &str| !["copy", "migrate", TIMED].iter().any(|other| name.starts_with(other));
    let backups =
        tables.jobs.values().filter(|row| row.job_type == b'B' && row.prior_job_id == 0 && ordered(&row.name));
    let (backups, said) = (backups.count(), look.evidence.ordered);
    // A migration makes one of each that it moves; it names that once it has ended.
    let moved = tables.jobs.values().filter(|row| b"gcMC".contains(&row.job_type)).count();
    if backups > said + moved { Err(format!("{said} backups were ordered, {backups} are there")) } else { Ok(()) }
}

fn moments_are_ordered_once(look: &Look<'_>) -> Result<(), String> {
    // A clock that is set back comes by a moment twice.
    if look.evidence.draw.faults.iter().any(|fault| matches!(fault.kind, Kind::Clock(Who::Director, _))) {
        return Ok(());
    }
    let tables = look.region.catalog.tables();
    let mut moments = BTreeSet::new();
    // What a migration has written has the name and the times of its original.
    let ordered = |row: &&JobRow| row.name == TIMED && row.prior_job_id == 0;
    match tables.jobs.values().filter(ordered).find(|row| !moments.insert(row.sched_time)) {
        Some(row) => Err(format!("job {} is of a moment that has had its job", row.job_id)),
        None => Ok(()),
    }
}

fn nobody_storms(look: &Look<'_>) -> Result<(), String> {
    let mut by_pair: BTreeMap<_, Vec<Call>> = BTreeMap::new();
    for call in look.region.world.calls() {
        by_pair.entry((call.from, call.ends.peer)).or_default().push(call);
    }
    for ((from, to), calls) in by_pair {
        for (first, last) in calls.iter().zip(calls.iter().skip(DIALS_A_MINUTE)) {
            if last.at.since(first.at) < Duration::from_secs(60) {
                return Err(format!("{from:?} dials {to} {DIALS_A_MINUTE} times from {:?} to {:?}", first.at, last.at));
            }
        }
    }
    Ok(())
}

fn nothing_is_lost(look: &Look<'_>) -> Result<(), String> {
    look.evidence.lost.first().map_or(Ok(()), |what| Err(what.clone()))
}

/// By a backup that is good: one that has failed has said enough.
fn flaws_are_named(look: &Look<'_>) -> Result<(), String> {
    let rows: Vec<JobRow> = look.region.catalog.tables().jobs.values().cloned().collect();
    let backups = rows.iter().filter(|row| row.job_type == b'B' && row.prior_job_id == 0 && is_good(row));
    let backups = backups.filter(|row| !look.evidence.tainted.contains(&row.job_id));
    let unsaid = |row: &JobRow| look.evidence.unsaid(row, &look.region.report(row.job_id));
    backups.into_iter().find_map(unsaid).map_or(Ok(()), Err)
}

/// Where nothing else goes wrong, a backup is good in which nobody else's hands had a part.
fn others_are_unharmed(look: &Look<'_>) -> Result<(), String> {
    let draw = &look.evidence.draw;
    let is_foe = |fault: &Fault| matches!(fault.kind, Kind::Foe(..));
    if !draw.faults.iter().all(is_foe) || draw.orders.iter().any(|order| order.what == What::Cancel) {
        return Ok(());
    }
    let rows: Vec<JobRow> = look.region.catalog.tables().jobs.values().cloned().collect();
    let is_of_others = |row: &&JobRow| row.job_type == b'B' && !look.evidence.tainted.contains(&row.job_id);
    match rows.iter().filter(is_of_others).find(|row| is_end(row) && !is_good(row)) {
        Some(row) => Err(format!(
            "job {} ends with {} beside {:?}:\n{}",
            row.job_id,
            char::from(row.job_status),
            draw.faults.first().map(|fault| fault.kind),
            look.region.report(row.job_id)
        )),
        None => Ok(()),
    }
}

/// What the catalog has as good no daemon has as failed.
fn daemons_agree(look: &Look<'_>) -> Result<(), String> {
    let tables = look.region.catalog.tables();
    for (who, status, _) in &look.evidence.statuses {
        if !status.is_status() {
            return Err(format!("{} answers with no status", name(*who)));
        }
        for job in &status.terminated {
            let Some(row) = tables.jobs.get(&job.id) else { continue };
            let is_fine = job.status.starts_with("OK");
            if is_good(row) && !is_fine && !look.evidence.tainted.contains(&job.id) {
                let (name, said) = (name(*who), &job.status);
                return Err(format!("job {} is good, and {name} says {said:?}", job.id));
            }
        }
    }
    Ok(())
}

/// Once all jobs have ended no daemon has one that runs.
fn nothing_is_reserved(look: &Look<'_>) -> Result<(), String> {
    for (who, status, ended) in &look.evidence.statuses {
        let outlives = |job: &&RunningJob| job.id.is_none_or(|id| ended.contains(&id));
        if let Some(job) = status.running.iter().find(outlives) {
            return Err(format!("{} still has {job:?}", name(*who)));
        }
    }
    Ok(())
}

impl Evidence {
    /// A fault that silenced hosts ends: whether those who do not hear each other have noticed, if it took long.
    pub(super) fn note_dead(&mut self, region: &Region, n: usize) {
        let Some(fault) = self.draw.faults.get(n).cloned() else { return };
        let pairs: Vec<(Who, Who)> = match fault.kind {
            Kind::Cut(one, two) => vec![(one, two), (two, one)],
            Kind::Power(gone) => self.draw.everybody().into_iter().map(|who| (who, gone)).collect(),
            Kind::CutUplink(Edge::Of(gone)) => {
                self.draw.everybody().into_iter().flat_map(|who| [(who, gone), (gone, who)]).collect()
            }
            _ => return,
        };
        // Stock daemons accept connections without a heartbeat, whatever is configured.
        let bound = if self.draw.heartbeat > 0 && !self.draw.has_stock() { NOTICED.0 } else { NOTICED.1 };
        if Duration::from_millis(fault.lasts) < bound {
            return;
        }
        for (here, there) in pairs {
            if here == there || self.is_unclear(n, here, there) {
                continue;
            }
            let (at, peer) = (host(region, here), host(region, there));
            let Some((_, address)) = region.world.home(peer) else { continue };
            let rows = region.world.inspect(at).map(|seen| seen.connections).unwrap_or_default();
            let held = rows.iter().find(|row| row.peer.ends.peer.ip() == address && row.age > bound);
            if let Some(row) = held {
                let (here, there, lasted) = (name(here), name(there), Duration::from_millis(fault.lasts));
                let what = format!("{here} does not hear {there} for {lasted:?} and still has {}", row.peer.name);
                self.dead.push(what);
            }
        }
    }

    /// A client comes back that was away for long: whether a job that was begun meanwhile still waits for it.
    pub(super) fn note_abandoned(&mut self, region: &Region, n: usize) {
        let Some(fault) = self.draw.faults.get(n) else { return };
        let (Kind::Kill(who @ Who::Client(_)) | Kind::Power(who @ Who::Client(_))) = fault.kind else { return };
        // By its director's clock, and as its catalog has it. A client that another fault starts again meanwhile, or whose place
        // somebody has taken, is not away.
        let hides = |(other, fault): (usize, &Fault)| match fault.kind {
            Kind::Kill(of) | Kind::Power(of) | Kind::Foe(of, _) if of == who => other != n,
            kind => kind.touches_director(),
        };
        if self.draw.faults.iter().enumerate().any(hides) {
            return;
        }
        let now = region.world.wall_of(region.director).seconds();
        let away = i64::try_from(fault.lasts / 1_000).unwrap_or(i64::MAX);
        let bound = i64::try_from(ABANDONED.as_secs()).unwrap_or(i64::MAX);
        let waits = |row: &&JobRow| {
            let began = row.start_time;
            row.job_status == b'R' && b"BR".contains(&row.job_type) && began > now - away && now - began > bound
        };
        let tables = region.catalog.tables();
        for row in tables.jobs.values().filter(|row| row.client == name(who)).filter(waits) {
            let (job, since) = (row.job_id, now - row.start_time);
            self.abandoned
                .push(format!("job {job} began {since} s ago, and still waits for {}, which is off", row.client));
        }
    }

    /// Whether another fault has to do with it: a host that sleeps has a clock of its own, and one that heals may have let
    /// them hear each other.
    fn is_unclear(&self, n: usize, one: Who, two: Who) -> bool {
        let touches = |kind: Kind| match kind {
            Kind::Sleep(of) | Kind::Roam(of) | Kind::Kill(of) | Kind::Power(of) | Kind::Foe(of, _) => {
                of == one || of == two
            }
            Kind::Cut(a, b) | Kind::CutWay(a, b) => [a, b].contains(&one) && [a, b].contains(&two),
            Kind::CutUplink(edge) | Kind::CutUplinkWay(edge, _) => match edge {
                Edge::Of(of) => of == one || of == two,
                Edge::Border => true,
            },
            _ => false,
        };
        self.draw.faults.iter().enumerate().any(|(other, fault)| other != n && touches(fault.kind))
    }
}
