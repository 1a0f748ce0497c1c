//! `update jobid=`: what the catalog says of a job that has ended.

use crate::calendar::Civil;
use crate::catalog::{CatalogAnswer, CatalogRequest, JobCorrection, JobFilter};
use crate::wire::status::JobType;

use super::super::super::grammar::Takes;
use super::super::super::grammar::Takes::{Nothing, Value};
use super::super::super::refusal::{BadValue, Kind, NoSuch, Refusal, number_of};
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;

pub(super) const WORDS: &[(&str, Takes)] = &[
    ("jobid", Value),
    ("jobname", Value),
    ("starttime", Value),
    ("client", Value),
    ("filesetid", Value),
    ("jobtype", Value),
    ("yes", Nothing),
];

pub(super) const HELP: &[(&str, &str)] = &[(
    "update jobid=N [jobname=NAME] [starttime=\"DATE TIME\"] [client=NAME] [filesetid=N] [jobtype=LETTER]",
    "change a job that has ended in the catalog; its other times move with its start",
)];

/// Types of jobs that a person may give one.
const TYPES: [JobType; 7] = [
    JobType::Backup,
    JobType::Restore,
    JobType::Verify,
    JobType::Admin,
    JobType::Migrated,
    JobType::JobCopy,
    JobType::Archive,
];

pub(super) fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let job_id = number_of(words, "jobid")?.unwrap_or_default();
    let client_id = words.value(&["client"]).map(|name| {
        NoSuch::check(view.config(), Kind::Client, name)?;
        let known = view.ids().clients.get(name).copied();
        known.ok_or_else(|| super::super::super::questions::choice::unknown(view, Kind::Client, name))
    });
    let start_time = words.value(&["starttime"]).map(|text| {
        let wrong = || BadValue::new("starttime", text, "a date such as \"2026-11-23 13:01:00\"");
        Ok::<_, Refusal>(view.zone().moment_of(Civil::parse(text).ok_or_else(wrong)?.seconds()))
    });
    let job_type = words.value(&["jobtype"]).map(|text| {
        let found = TYPES.into_iter().map(JobType::letter).find(|letter| text.as_bytes() == [*letter]);
        found.ok_or_else(|| BadValue::new("jobtype", text, "one of the letters B, R, V, D, M, C and A"))
    });
    let correction = JobCorrection {
        job_id,
        name: words.value(&["jobname"]).filter(|name| !name.is_empty()).map(str::to_owned),
        client_id: client_id.transpose()?,
        file_set_id: number_of(words, "filesetid")?,
        job_type: job_type.transpose()?,
        start_time: start_time.transpose()?,
    };
    if correction == (JobCorrection { job_id, ..JobCorrection::default() }) {
        let usage = "Neither Client, StartTime, Filesetid, JobType nor Name specified.";
        return Err(Refusal::usage(usage));
    }
    let request = CatalogRequest::ListJobs(JobFilter { limit: 1, job_id: Some(job_id), ..JobFilter::default() });
    let reply = Reply::ask(request, move |_, answer| {
        let CatalogAnswer::Jobs(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        match rows.first() {
            None => return Err(Refusal::NoJob(job_id.to_string())),
            Some(row) if row.end_time == 0 => return Err(Refusal::StillRuns(job_id)),
            Some(_) => {}
        }
        Ok(Reply::ask(CatalogRequest::CorrectJob(correction), move |_, answer| match answer {
            CatalogAnswer::Changed(0) => Err(Refusal::NoJob(job_id.to_string())),
            CatalogAnswer::Changed(_) => Ok(Reply::found(format!("The record of JobId {job_id} is updated.\n"))),
            other => Err(Refusal::unexpected(other)),
        }))
    });
    Ok(reply.using())
}
