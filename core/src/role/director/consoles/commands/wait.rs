//! `wait`: a console waits until jobs have ended, and hears how they did.

use std::collections::BTreeMap;

use crate::catalog::{CatalogAnswer, CatalogRequest, JobFilter};
use crate::ids::JobId;
use crate::wire::json::Json;
use crate::wire::status::JobStatus;

use super::super::answer::{Answer, Shown};
use super::super::grammar::Takes::Value;
use super::super::grammar::{A_JOB, Command, Form};
use super::super::refusal::{BadValue, Refusal};
use super::super::reply::{Reply, View};
use super::super::words::Words;

pub(super) const COMMAND: Command = Command::new(
    "wait",
    &[Form {
        words: &[("jobid", Value), ("job", Value), ("ujobid", Value)],
        one_of: &[A_JOB],
        help: &[("wait [jobid=N|job=UNIQUE]", "wait until jobs have ended, and say how they did")],
        ..Form::PLAIN
    }],
    run,
);

/// Jobs whose ends a console is told together; of more the oldest are forgotten.
const MAX_ENDS: usize = 1_000;

/// The jobs that a console has ordered, or that ended while it waited for all, since it last waited for all.
#[derive(Debug, Default)]
pub(crate) struct Ends(BTreeMap<JobId, Option<JobStatus>>);

/// How a job has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) id: JobId,
    pub(crate) status: JobStatus,
}

/// How several have.
#[derive(Debug)]
struct Several {
    ends: Vec<End>,
    /// Whether a person is told.
    in_text: bool,
}

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let Some(name) = words.value(A_JOB).map(str::to_owned) else {
        return Ok(if view.jobs().next().is_none() { Reply::Ends } else { Reply::WaitFor(None) });
    };
    let number = name.parse().ok();
    if words.has("jobid") && number.is_none() {
        return Err(BadValue::new("jobid", &name, "a number").into());
    }
    if let Some(job) = view.job(&name) {
        return Ok(Reply::WaitFor(Some(job.id)));
    }
    if let Some(kept) = view.unrecorded(&name) {
        return Ok(Reply::found(End { id: kept.job.id, status: kept.job.status }));
    }
    let filter = match number {
        Some(_) => JobFilter { limit: 1, job_id: number, ..JobFilter::default() },
        None => JobFilter { limit: 1, job: Some(name.clone()), ..JobFilter::default() },
    };
    Ok(Reply::ask(CatalogRequest::ListJobs(filter), move |_, answer| {
        let CatalogAnswer::Jobs(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        let row = rows.first().ok_or(Refusal::NoJob(name))?;
        Ok(Reply::found(End { id: JobId(row.job_id), status: JobStatus::from_letter(row.job_status) }))
    }))
}

impl Ends {
    /// A job has been ordered, or has ended so.
    pub(crate) fn note(&mut self, job: JobId, status: Option<JobStatus>) {
        self.0.insert(job, status);
        if self.0.len() > MAX_ENDS {
            self.0.pop_first();
        }
    }

    /// Whether this job was ordered, or ended while all were waited for.
    pub(crate) fn knows(&self, job: JobId) -> bool {
        self.0.contains_key(&job)
    }

    /// Those that have ended; they are forgotten. A stock console is told nothing as text, as by a stock director; its
    /// scripts may count lines.
    pub(crate) fn answer(&mut self, is_towline: bool) -> Answer {
        let ended = |(id, status): (&JobId, &Option<JobStatus>)| status.map(|status| End { id: *id, status });
        let ends = self.0.iter().filter_map(ended).collect();
        self.0.retain(|_, status| status.is_none());
        Answer::found(Several { ends, in_text: is_towline })
    }
}

impl End {
    fn value(self) -> Json {
        let Self { id, status } = self;
        Json::object([
            ("jobid", Json::Number(id.0.into())),
            ("jobstatuslong", word(status).into()),
            ("jobstatus", char::from(status.letter()).to_string().into()),
            ("exitstatus", Json::Number(i64::from(status.exit_code()))),
        ])
    }
}

/// As a stock director says it.
impl Shown for End {
    fn text(&self) -> String {
        let Self { id, status } = *self;
        format!("JobId={id}\nJobStatus={} ({})\n", word(status), char::from(status.letter()))
    }

    fn json(&self) -> Option<Json> {
        Some(Json::object([("job", self.value())]))
    }
}

impl Shown for Several {
    fn text(&self) -> String {
        if self.in_text { self.ends.iter().map(End::text).collect() } else { String::new() }
    }

    fn json(&self) -> Option<Json> {
        Some(Json::object([("jobs", Json::List(self.ends.iter().map(|end| end.value()).collect()))]))
    }
}

pub(super) const fn word(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Ok => "OK",
        JobStatus::Warnings => "OK with warnings",
        JobStatus::Canceled => "Canceled",
        JobStatus::Differences => "Differences",
        JobStatus::Incomplete => "Incomplete",
        _ => "Error",
    }
}
