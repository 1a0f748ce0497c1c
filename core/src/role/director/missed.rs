//! Runs of schedules whose moment passed while the director was down, and those that it had ordered and that had not begun when it
//! stopped or crashed: they waited for their client, or for their turn.

use std::collections::VecDeque;

use crate::catalog::{CatalogAnswer, CatalogError, CatalogName, CatalogRequest, JobFilter, JobRow};
use crate::config::{Level, Missed, Moment};
use crate::error::Explain;
use crate::notice;

use super::Owner;
use super::common::Tools;
use super::effect::Effect;
use crate::wire::status::JobStatus;

/// Seconds that are looked back at most: whoever was away for longer knows.
const LOOK_BACK: i64 = 40 * 24 * 3_600;

/// Jobs of one name that are looked at: those before the last that has begun do not count.
const LOOKED_AT: u32 = 100;

/// Seconds after its moment at which a job of a schedule is ordered at most, unless the machine sleeps.
const ORDERED_AFTER: i64 = 600;

/// The comment of a job that had not begun when the director stopped.
pub(crate) const NOT_BEGUN: &str = "not begun: the director was stopped";

/// Finds out, once, which jobs should have been started and were not.
#[derive(Debug, Default)]
pub(crate) struct MissedRuns {
    /// Jobs whose last start is still to be asked for, and the catalogs; one at a time, as these have other things to do.
    unseen: VecDeque<(String, CatalogName)>,
    /// The last start so far of the job that is asked for: its pools may be in several catalogs.
    last: Option<i64>,
    /// When the first of its runs was due that had not begun when the director stopped, if the catalogs know no earlier start.
    lost: Option<i64>,
    /// How many such runs there are.
    not_begun: usize,
    /// Whether a catalog has not said.
    unknown: bool,
    /// When the director started, in seconds: what became due later was not missed.
    until: i64,
}

impl MissedRuns {
    /// The director begins to serve, and was started at this time.
    pub(crate) fn begin(&mut self, tools: &mut Tools<'_>, started: i64) {
        self.until = started;
        let common = &tools.common;
        let scheduled =
            common.config.jobs.iter().filter(|job| job.schedule.is_some() && common.overrides.is_enabled(job));
        let catalogs: Vec<CatalogName> = common.config.all_catalogs().map(|catalog| catalog.name().into()).collect();
        let of_all = |name: &String| catalogs.iter().map(|catalog| (name.clone(), catalog.clone())).collect::<Vec<_>>();
        self.unseen = scheduled.flat_map(|job| of_all(&job.name)).collect();
        self.ask(tools);
    }

    fn ask(&mut self, tools: &mut Tools<'_>) {
        let next = self.unseen.pop_front().filter(|_| !tools.common.stopping.has_begun());
        let Some((name, catalog)) = next else { return };
        let filter = JobFilter { limit: LOOKED_AT, name: Some(name.clone()), ..JobFilter::default() };
        tools.ask(&catalog, CatalogRequest::ListJobs(filter), Owner::Missed(name));
    }

    /// A catalog knows when a job was last started.
    pub(crate) fn answered(&mut self, tools: &mut Tools<'_>, name: &str, answer: Result<CatalogAnswer, CatalogError>) {
        match answer {
            Ok(CatalogAnswer::Jobs(rows)) => {
                let lost: Vec<&JobRow> = rows.iter().take_while(|row| is_lost(row, self.until)).collect();
                self.not_begun += lost.len();
                self.lost = lost.iter().map(|row| row.sched_time).chain(self.lost).min();
                let begun = rows.get(lost.len());
                self.last = self.last.max(begun.map(|row| row.sched_time.max(row.start_time)));
            }
            Ok(other) => {
                let text = format!("unexpected answer from the catalog: {other:?}");
                tools.net.complain(notice::Level::Error, 911, &text);
            }
            Err(error) => {
                let text = format!("whether job {name} has missed a run is not known: {error}; {}", error.help());
                tools.net.log_cause(notice::Level::Warn, (error.fault(), error.code()), &text);
                self.unknown = true;
            }
        }
        if self.unseen.front().is_none_or(|(next, _)| next != name) {
            let is_known = !std::mem::take(&mut self.unknown);
            // Of a job that has never begun only the moment counts for which it was ordered, some seconds before that.
            let lost = self.lost.take().map(|due| due.saturating_sub(ORDERED_AFTER));
            let had_begun = std::mem::take(&mut self.not_begun) == 0;
            if let Some(last) = self.last.take().or(lost).filter(|_| is_known) {
                made_up(tools, name, (last, self.until), had_begun);
            }
        }
        self.ask(tools);
    }
}

/// Whether a run never began, because the director stopped or crashed before: one that crashed marks it as failed when it starts.
fn is_lost(row: &JobRow, started: i64) -> bool {
    let has_crashed = row.job_status == JobStatus::Fatal.letter() && row.end_time == started;
    let was_stopped = row.job_status == JobStatus::Canceled.letter() && row.comment == NOT_BEGUN;
    row.start_time == 0 && (has_crashed || was_stopped)
}

/// Says what a job has missed between its last start and the director's, and has it started if it says so.
fn made_up(tools: &mut Tools<'_>, name: &str, (last, now): (i64, i64), had_begun: bool) {
    let common = &tools.common;
    let Some(job) = common.config.job(name) else { return };
    let Some(schedule) = job.schedule.as_deref().and_then(|schedule| common.config.schedule(schedule)) else { return };
    let zone = &common.identity.zone;
    let next = |after: i64| schedule.next(zone, after).filter(|moment| moment.at <= now);
    let passed: Vec<Moment> =
        std::iter::successors(next(last.max(now - LOOK_BACK)), |moment| next(moment.at)).collect();
    // What the fullest of them would have saved, the others would have too.
    let level = |moment: &Moment| match moment.level.unwrap_or(job.level) {
        Level::Full | Level::VirtualFull => 2,
        Level::Differential => 1,
        Level::Incremental => 0,
    };
    let Some(fullest) = passed.iter().max_by_key(|moment| (level(moment), moment.at)).copied() else { return };
    let times = if passed.len() == 1 { "a run".to_owned() } else { format!("{} runs", passed.len()) };
    let when = common.identity.local(crate::time::Wall(fullest.at.saturating_mul(1_000_000)));
    let which = if passed.len() == 1 { "due at" } else { "one of them due at" };
    let why = if had_begun {
        "while the director was down"
    } else {
        "that had not begun when the director stopped, or came while it was down"
    };
    let text = format!("job {name} missed {times} {why}, {which} {when}");
    match job.missed {
        Missed::Skip => tools.net.complain(notice::Level::Warn, 923, &text),
        Missed::Run => {
            tools.net.log(notice::Level::Info, &format!("{text}; it is run now"));
            tools.effect(Effect::Due(name.to_owned(), fullest.line));
        }
    }
}
