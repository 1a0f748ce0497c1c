//! `restore continue jobid=N`: goes on where a restore was cut. What it was told to restore is in the catalog; what of that is
//! whole already, the client says.

use crate::catalog::{CatalogAnswer, CatalogRequest, JobFilter, JobRow};
use crate::config::JobKind;
use crate::role::director::jobs::kept::Choice;
use crate::role::report::thousands;
use crate::wire::status::JobType;

use super::super::super::refusal::{Kind, NoSuch, Refusal, number_of};
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;
use super::listed::Listed;
use super::look::{self, Looking};
use super::{Restoring, Which};

/// How it is used.
const USAGE: &str = "Name the restore that was cut: restore continue jobid=N.";

/// Finds the job, and what it was to restore.
pub(super) fn run(words: &Words) -> Result<Reply, Refusal> {
    let id = number_of::<u32>(words, "jobid")?.ok_or_else(|| Refusal::usage(USAGE))?;
    let words = words.clone();
    let request = CatalogRequest::ListJobs(JobFilter { limit: 1, job_id: Some(id), ..JobFilter::default() });
    Ok(Reply::ask(request, move |view, answer| {
        let CatalogAnswer::Jobs(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        let row = rows.into_iter().next().ok_or_else(|| Refusal::NoJob(id.to_string()))?;
        let not = |why: &str| Refusal::NotContinued { id, why: why.to_owned() };
        if row.job_type != JobType::Restore.letter() {
            return Err(not("it is no restore"));
        }
        if view.job(&id.to_string()).is_some() || matches!(row.job_status, b'C' | b'R') {
            return Err(not("it has not ended: wait for it, or cancel it"));
        }
        let Some(choice) = Choice::read(&row.comment).filter(|choice| !choice.files.is_empty()) else {
            return Err(not(
                "the catalog does not have which files it was to restore, which is so of a bootstrap's and of \
                            very many single ones; with replace=ifnewer the same restore passes over what is there",
            ));
        };
        NoSuch::check(view.config(), Kind::Client, &row.client)?;
        let ids = choice.files.iter().map(|files| files.job_id).collect();
        Ok(Reply::ask(CatalogRequest::JobsById(ids), move |view, answer| {
            let CatalogAnswer::Jobs(jobs) = answer else { return Err(Refusal::unexpected(answer)) };
            look(view, words, &row, choice, jobs)
        }))
    }))
}

/// Has the client say what is whole already.
fn look(view: &View<'_>, words: Words, row: &JobRow, choice: Choice, jobs: Vec<JobRow>) -> Result<Reply, Refusal> {
    let id = row.job_id;
    let is_gone = |id: &u32| jobs.iter().all(|job| job.job_id != *id || job.purged_files);
    if let Some(gone) = choice.files.iter().map(|files| files.job_id).find(is_gone) {
        let why =
            format!("job {gone}, which has some of its files, or the list of them, is not in the catalog any more");
        return Err(Refusal::NotContinued { id, why });
    }
    let is_restore = |job: &&crate::config::Job| job.kind == JobKind::Restore;
    let job = view.config().job(&row.name).filter(is_restore).or_else(|| view.config().jobs.iter().find(is_restore));
    let Some(job) = job else { return Err(Refusal::usage("The configuration has no such restore job.")) };
    let restoring = Restoring {
        words,
        client: choice.from,
        to_client: Some(row.client.clone()),
        to: choice.to,
        replace: choice.replace,
        job: job.name.clone(),
        plugin_options: choice.plugin_options,
        exact: None,
        jobs,
        which: Which::Chosen,
        listed: Listed::default(),
        files: Vec::new(),
        bytes: None,
    };
    let text = format!("Asking client {} which files of job {id} are there already.\n", row.client);
    let (client, how, files) = (row.client.clone(), (restoring.to.clone(), restoring.replace), choice.files);
    let all = files.clone();
    let looking = Looking::new(client, (&how.0, how.1), files, move |_, seen| {
        let whole: u64 = seen.whole.values().map(|ranges| ranges.len() as u64).sum();
        let [of, whole_shown] = [seen.files, whole].map(thousands);
        let text =
            format!("Of the {of} files of job {id} {whole_shown} are there as they were saved, and are left out.\n");
        let files = look::without(all, &seen.whole);
        if seen.files == whole || files.is_empty() {
            return Ok(Reply::found(text + "Nothing is left to restore.\n"));
        }
        let mut restoring = Box::new(restoring);
        restoring.jobs.sort_by_key(JobRow::place);
        restoring.files = files;
        Ok(restoring.pieces_wanted().after(text))
    })?;
    Ok(Box::new(looking).go_on(view)?.after(text))
}
