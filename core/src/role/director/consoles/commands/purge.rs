//! `purge`: jobs or files out of the catalog whatever their age.

use crate::catalog::{CatalogAnswer, CatalogRequest, JobFilter, JobRow};

use super::super::grammar::Takes::{Either, Nothing, Value};
use super::super::grammar::{Command, Form};
use super::super::questions::choice;
use super::super::refusal::{Kind, NoSuch, Refusal, number_of};
use super::super::reply::{Reply, View};
use super::super::words::Words;
use super::update::with_volume;

pub(super) const COMMAND: Command = Command::new(
    "purge",
    &[
        Form {
            subjects: &["files"],
            words: &[("jobid", Value), ("client", Value), ("volume", Value), ("yes", Nothing)],
            one_of: &[&["jobid", "client", "volume"]],
            help: &[("purge files jobid=N|client=NAME|volume=NAME [yes]", "the files of jobs, whatever their age")],
            ..Form::PLAIN
        },
        Form {
            subjects: &["jobs"],
            words: &[("client", Value), ("volume", Value), ("yes", Nothing)],
            one_of: &[&["client", "volume"]],
            help: &[("purge jobs client=NAME|volume=NAME [yes]", "jobs, whatever their age")],
            ..Form::PLAIN
        },
        Form {
            subjects: &["volume"],
            words: &[("volume", Either), ("yes", Nothing)],
            help: &[("purge volume=NAME [yes]", "all jobs of a volume, which may be used again then")],
            ..Form::PLAIN
        },
    ],
    run,
);

/// Jobs of one command.
const MOST: u32 = 10_000;

const WARNING: &str = "\nWhat is purged is gone from the catalog, old or not: it cannot be restored from a list of files any more. Use \
                       prune for what is old.\n";

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    // As in real directors: it asks nobody whose jobs they are.
    if !view.access().is_some_and(super::super::access::Access::is_open) {
        return Err(Refusal::NotForSome);
    }
    let files = words.word(1) == "files";
    let reply = match (number_of::<u32>(words, "jobid")?, words.value(&["client"]), words.value(&["volume"])) {
        (Some(id), ..) => of_jobs(JobFilter { job_id: Some(id), limit: 1, ..JobFilter::default() }, words, files),
        (None, Some(client), _) => {
            NoSuch::check(view.config(), Kind::Client, client)?;
            let filter =
                JobFilter { client: Some(client.to_owned()), limit: MOST, oldest_first: true, ..JobFilter::default() };
            of_jobs(filter, words, files)
        }
        (None, None, Some(volume)) => of_volume(volume, words, files),
        (None, None, None) if words.word(1) == "volume" => {
            choice::line(words, "volume", "Enter Volume name: ", "Name the volume: purge volume=NAME.")
        }
        (None, None, None) => {
            return choice::resource(view, words, Kind::Client, "client", "Name the client: purge jobs client=NAME.");
        }
    };
    Ok(if words.is_first() { reply.using().after(WARNING) } else { reply })
}

fn of_jobs(filter: JobFilter, words: &Words, files: bool) -> Reply {
    let (words, named) = (words.clone(), filter.job_id);
    Reply::ask(CatalogRequest::ListJobs(filter), move |_, answer| match (answer, named) {
        (CatalogAnswer::Jobs(rows), Some(id)) if rows.is_empty() => Err(Refusal::NoJob(id.to_string())),
        (CatalogAnswer::Jobs(rows), _) => Ok(goes(&rows, &words, files, None)),
        (other, _) => Err(Refusal::unexpected(other)),
    })
}

fn of_volume(name: &str, words: &Words, files: bool) -> Reply {
    let words = words.clone();
    with_volume(name, move |row| {
        let (media_id, name) = (row.media_id, row.volume_name);
        Reply::ask(CatalogRequest::JobsOnVolume { media_id }, move |_, answer| match answer {
            CatalogAnswer::Jobs(rows) => Ok(goes(&rows, &words, files, Some((media_id, name)))),
            other => Err(Refusal::unexpected(other)),
        })
    })
}

/// Says what goes, and lets it go if that is said. A volume without jobs is marked.
fn goes(rows: &[JobRow], words: &Words, files: bool, volume: Option<(u32, String)>) -> Reply {
    let ids: Vec<u32> = rows.iter().filter(|row| row.end_time > 0).map(|row| row.job_id).collect();
    let what = if files { "The files of " } else { "" };
    let text = format!("{what}{} jobs go out of the catalog.\n", ids.len());
    if !words.has("yes") {
        return choice::yes(words, "Are you sure? (yes/no): ").after(text);
    }
    let request = if files { CatalogRequest::PurgeFiles(ids) } else { CatalogRequest::DeleteJobs(ids) };
    Reply::ask(request, move |_, answer| {
        let CatalogAnswer::Changed(jobs) = answer else { return Err(Refusal::unexpected(answer)) };
        let text = match files {
            true => format!("Purged Files from {jobs} Jobs from catalog.\n"),
            false => format!("{jobs} Jobs purged from the catalog.\n"),
        };
        let Some((media_id, name)) = volume.filter(|_| !files) else { return Ok(Reply::found(text)) };
        Ok(Reply::ask(CatalogRequest::PruneVolume { media_id, before: i64::MIN }, move |_, answer| match answer {
            CatalogAnswer::Pruned { volume: Some(row), .. } => {
                Ok(Reply::found(format!("{text}Volume \"{name}\" has status {} now.\n", row.vol_status.as_str())))
            }
            other => Err(Refusal::unexpected(other)),
        }))
    })
    .after(text)
}
