//! The ends of jobs on their way into the catalog. One that the catalog does not take, because its disk is full or its server is
//! away, is kept and offered again until it does. For everybody else the job has ended: it takes no room, nobody waits for it, and
//! its daemons are gone.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::cover::{self, Mark};
use crate::error::Explain;
use crate::ids::JobId;
use crate::limits::{RECORD_AGAIN, UNRECORDED};
use crate::node::TimerKey;
use crate::notice::Level;
use crate::role::director::Net;
use crate::role::director::common::Tools;
use crate::role::director::effect::Effect;
use crate::time::Wall;
use crate::wire::message::MessageKind;
use crate::wire::status::{JobLevel, JobStatus, JobType};

use super::Jobs;
use super::job::Job;
use crate::catalog::{CatalogAnswer, CatalogError, CatalogName, CatalogRequest, JobEnd, JobRow};
use crate::role::director::{Due, Owner};

/// What such a job does, in words.
pub(crate) const STAGE: &str = "waiting for the catalog to record its end";
/// Jobs that have ended and are still shown by a status.
pub(crate) const RECENT: u32 = 10;

/// A job that has ended, for the status.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    pub(crate) id: JobId,
    pub(crate) name: String,
    pub(crate) kind: JobType,
    pub(crate) level: JobLevel,
    pub(crate) files: u32,
    pub(crate) bytes: u64,
    pub(crate) status: JobStatus,
    pub(crate) ended: Wall,
}

/// Jobs whose ends the catalog has not taken yet.
#[derive(Debug, Default)]
pub(crate) struct Unrecorded {
    /// By JobId; at most [`UNRECORDED`].
    kept: BTreeMap<JobId, Kept>,
    /// Those that are being offered: for each catalog one after the other, so that one that is away is asked once in a while.
    offered: BTreeMap<CatalogName, JobId>,
    timer: Option<TimerKey>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) job: Job,
    end: Box<JobEnd>,
    /// Whether everybody was told how it has ended.
    is_told: bool,
}

impl Kept {
    /// How it ended, for a status.
    pub(crate) fn finished(&self) -> Finished {
        finished(&self.job, &self.end)
    }
}

impl Unrecorded {
    /// All of them, by JobId.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Kept> {
        self.kept.values()
    }

    /// The one with this unique name or JobId.
    pub(crate) fn find(&self, wanted: &str) -> Option<&Kept> {
        let number = wanted.parse().ok().map(JobId);
        self.iter().find(|kept| kept.job.unique == wanted || Some(kept.job.id) == number)
    }

    /// Whether a catalog is being asked to take one.
    pub(crate) fn is_offered(&self) -> bool {
        !self.offered.is_empty()
    }

    /// The catalogs that have not taken all, and are not being asked.
    fn waiting(&self) -> BTreeSet<CatalogName> {
        let catalogs = self.iter().map(|kept| &kept.job.catalog);
        catalogs.filter(|catalog| !self.offered.contains_key(*catalog)).cloned().collect()
    }
}

impl Jobs {
    /// Whether nothing of a job is to be stored any more, as far as the catalog takes it.
    pub(crate) fn is_settled(&self) -> bool {
        self.all.is_empty() && !self.unrecorded.is_offered()
    }

    /// The catalog's answer to the end of a job.
    pub(crate) fn recorded(
        &mut self,
        tools: &mut Tools<'_>,
        end: Box<JobEnd>,
        answer: Result<CatalogAnswer, CatalogError>,
    ) {
        let id = JobId(end.job_id);
        let offered = self.unrecorded.offered.iter().find(|(_, offered)| **offered == id);
        if let Some(catalog) = offered.map(|(catalog, _)| catalog.clone()) {
            return self.end_offered(tools, (&catalog, id), answer);
        }
        let Some(job) = self.all.remove(&id) else {
            // One that never began.
            if let Err(error) = answer {
                let text = format!("job {id}: its end was not recorded: {error}; {}", error.help());
                tools.net.log_cause(Level::Error, (error.fault(), error.code()), &text);
            }
            return;
        };
        self.forget_cancel(id);
        self.forget_scripts(id);
        let has_room = self.unrecorded.kept.len() < UNRECORDED;
        let about = (job.name.clone(), job.with.client.clone());
        let status = match answer {
            Err(error) if has_room && !error.kind.is_about_the_request() => {
                let status = job.status;
                self.keep_end(tools, Kept { job, end, is_told: false }, &error);
                status
            }
            answer => self.end_is_settled(tools, Kept { job, end, is_told: false }, answer),
        };
        tools.effect(Effect::Ended(id, about, status));
        self.begin_queued(tools);
    }

    /// The catalog may have room again, or be back.
    pub(crate) fn offer_timer(&mut self, tools: &mut Tools<'_>) {
        self.unrecorded.timer = None;
        self.offer_ends(tools);
    }

    /// Offers each catalog the first end that it has not taken.
    pub(crate) fn offer_ends(&mut self, tools: &mut Tools<'_>) {
        for catalog in self.unrecorded.waiting() {
            self.offer_end(tools, &catalog);
        }
    }

    /// Offers a catalog the first end that it has not taken.
    fn offer_end(&mut self, tools: &mut Tools<'_>, catalog: &CatalogName) {
        let Some(kept) = self.unrecorded.iter().find(|kept| kept.job.catalog == *catalog) else { return };
        let (id, end) = (kept.job.id, kept.end.clone());
        self.unrecorded.offered.insert(catalog.clone(), id);
        tools.ask(catalog, CatalogRequest::EndJob(end.clone()), Owner::End(end));
    }

    /// The director ends: says which ends of jobs are lost.
    pub(crate) fn tell_unrecorded(&self, net: &mut Net) {
        let ids: Vec<String> = self.unrecorded.kept.keys().map(JobId::to_string).collect();
        if !ids.is_empty() {
            let text =
                format!("the director stops before the catalog has recorded the ends of jobs: {}", ids.join(", "));
            net.complain(Level::Error, 622, &text);
        }
    }

    fn keep_end(&mut self, tools: &mut Tools<'_>, mut kept: Kept, error: &CatalogError) {
        let job = &mut kept.job;
        let status = char::from(job.status.letter());
        let text = format!("the end of the job (status {status}) is not recorded yet: {error}, {}", error.code());
        tools.net.complain(Level::Warn, 621, &format!("job {}: {text}", job.id));
        job.say(tools, MessageKind::Warning, &format!("{text}; {}", error.help()));
        cover::hit(Mark::OfferedAgain);
        self.tell_ended(tools, &kept.job, &kept.end);
        tools.send_report(&kept.job, true);
        kept.is_told = true;
        self.unrecorded.kept.insert(kept.job.id, kept);
        self.offer_later(tools);
    }

    /// Says how a job has ended, and keeps those in mind that have failed.
    fn tell_ended(&mut self, tools: &mut Tools<'_>, job: &Job, end: &JobEnd) {
        tools.say_ended(job);
        let started = if job.times.started > 0 { job.times.started } else { end.real_end_time };
        self.counts.count(&finished(job, end), end.real_end_time.saturating_sub(started));
        if matches!(job.status, JobStatus::Error | JobStatus::Fatal) {
            self.failed.truncate(RECENT as usize - 1);
            self.failed.push_front((finished(job, end), job.reason().unwrap_or_default().to_owned()));
        }
    }

    fn offer_later(&mut self, tools: &mut Tools<'_>) {
        if !tools.common.stopping.has_begun()
            && self.unrecorded.timer.is_none()
            && !self.unrecorded.waiting().is_empty()
        {
            let timer = tools.net.set_timer(RECORD_AGAIN, "a catalog that takes the ends of jobs again", Due::Record);
            self.unrecorded.timer = Some(timer);
        }
    }

    /// The answer to one that was offered again.
    fn end_offered(
        &mut self,
        tools: &mut Tools<'_>,
        (catalog, id): (&CatalogName, JobId),
        answer: Result<CatalogAnswer, CatalogError>,
    ) {
        self.unrecorded.offered.remove(catalog);
        if answer.as_ref().is_err_and(|error| !error.kind.is_about_the_request()) {
            self.offer_later(tools);
        } else if let Some(kept) = self.unrecorded.kept.remove(&id) {
            if answer.is_ok() {
                let status = char::from(kept.job.status.letter());
                tools
                    .net
                    .log(Level::Info, &format!("job {id}: the end of the job (status {status}) is recorded at last"));
            }
            self.end_is_settled(tools, kept, answer);
            self.offer_end(tools, catalog);
        }
    }

    /// The end of a job is recorded, or never will be: what comes after it. Returns how the job has ended after all.
    fn end_is_settled(
        &mut self,
        tools: &mut Tools<'_>,
        kept: Kept,
        answer: Result<CatalogAnswer, CatalogError>,
    ) -> JobStatus {
        let Kept { mut job, end, is_told } = kept;
        if let Err(error) = answer {
            let text = format!("the end of the job was not recorded: {}", error.line());
            tools.net.log_cause(Level::Error, (error.fault(), error.code()), &format!("job {}: {text}", job.id));
            job.say(tools, MessageKind::Fatal, &text);
        }
        self.reschedule(tools, &mut job);
        self.writer_recorded(tools, &job);
        if !is_told {
            self.tell_ended(tools, &job, &end);
        }
        tools.send_report(&job, !is_told);
        self.recent.push_front(finished(&job, &end));
        self.recent.truncate(RECENT as usize);
        job.status
    }

    /// Those of a catalog that ended before the director was started.
    pub(crate) fn remember(&mut self, rows: &[JobRow]) {
        self.recent.extend(rows.iter().filter(|row| row.real_end_time > 0).map(recorded));
        self.recent.make_contiguous().sort_by_key(|job| Reverse(job.ended));
        self.recent.truncate(RECENT as usize);
    }
}

fn recorded(row: &JobRow) -> Finished {
    Finished {
        id: JobId(row.job_id),
        name: row.name.clone(),
        kind: JobType::from_letter(row.job_type),
        level: JobLevel::from_letter(row.level),
        files: row.job_files,
        bytes: row.job_bytes,
        status: JobStatus::from_letter(row.job_status),
        ended: Wall(row.real_end_time.saturating_mul(1_000_000)),
    }
}

fn finished(job: &Job, end: &JobEnd) -> Finished {
    let (files, bytes, _) = job.totals();
    Finished {
        id: job.id,
        name: job.name.clone(),
        kind: job.kind,
        level: job.level,
        files,
        bytes,
        status: job.status,
        ended: Wall(end.real_end_time.saturating_mul(1_000_000)),
    }
}
