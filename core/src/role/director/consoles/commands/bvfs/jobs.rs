//! `.bvfs_get_jobids`: the jobs that a restore of one job's client would build on.

use std::collections::BTreeSet;

use crate::catalog::restore_selection::choose_jobs;
use crate::catalog::{CatalogAnswer, CatalogRequest, JobFilter, JobRow};

use super::super::super::answer::{Cell, Column, Table};
use super::super::super::grammar::Takes::{Nothing, Value};
use super::super::super::grammar::{Command, Form};
use super::super::super::refusal::{Refusal, number_of};
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;

pub(in super::super) const COMMAND: Command = Command::new(
    ".bvfs_get_jobids",
    &[Form {
        words: &[("jobid", Value), ("ujobid", Value), ("all", Nothing)],
        one_of: &[&["jobid", "ujobid"]],
        help: &[(
            ".bvfs_get_jobids jobid=N|ujobid=NAME [all]",
            "the jobs that together make what the client had at this one, of its fileset, or of all",
        )],
        ..Form::PLAIN
    }],
    run,
);

fn run(_: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let (job_id, job) = (number_of::<u32>(words, "jobid")?, words.value(&["ujobid"]).map(str::to_owned));
    let wanted = job.clone().or_else(|| job_id.map(|id| id.to_string()));
    let wanted = wanted.ok_or_else(|| Refusal::usage("Name a job: .bvfs_get_jobids jobid=N or ujobid=NAME."))?;
    let all = words.has("all");
    let request = CatalogRequest::ListJobs(JobFilter { limit: 1, job_id, job, ..JobFilter::default() });
    Ok(Reply::ask(request, move |view, answer| {
        let CatalogAnswer::Jobs(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        let row = rows.into_iter().next().ok_or(Refusal::NoJob(wanted))?;
        let request = CatalogRequest::JobsForRestore {
            client: row.client.clone(),
            name: None,
            file_set: (!all).then(|| row.file_set.clone()),
            before: row.start_time.saturating_add(1),
            now: view.now(),
        };
        Ok(Reply::ask(request, move |_, answer| match answer {
            CatalogAnswer::Jobs(candidates) => Ok(shown(&row, &candidates)),
            other => Err(Refusal::unexpected(other)),
        }))
    }))
}

/// Of each fileset what a restore would take, up to the job itself.
fn shown(row: &JobRow, candidates: &[JobRow]) -> Reply {
    let upto: Vec<JobRow> = candidates.iter().filter(|other| other.place() <= row.place()).cloned().collect();
    let sets: BTreeSet<&str> = upto.iter().map(|other| other.file_set.as_str()).collect();
    let mut chosen: Vec<u32> = Vec::new();
    for set in sets {
        // A fileset without a Full has nothing to build on.
        chosen.extend(choose_jobs(&upto, Some(set)).unwrap_or_default().iter().map(|other| other.job_id));
    }
    let list = chosen.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let table = Table::of("jobids", &[Column("id", |id: &u32| Cell::id(*id))], &chosen);
    Reply::found(table.lines(format!("{list}\n")))
}
