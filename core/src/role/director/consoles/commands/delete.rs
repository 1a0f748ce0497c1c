//! `delete`: jobs, or a volume with all its jobs, out of the catalog. What is on the disk stays.

use crate::catalog::{CatalogAnswer, CatalogRequest, JobFilter, JobRow};
use crate::wire::json::Json;

use super::super::answer::Shown;
use super::super::grammar::Takes::{Nothing, Value};
use super::super::grammar::{Command, Form};
use super::super::questions::choice;
use super::super::refusal::{BadValue, Refusal};
use super::super::reply::{Reply, View};
use super::super::words::Words;
use super::run::CATALOG;
use super::update::with_volume;

pub(super) const COMMAND: Command = Command::new(
    "delete",
    &[
        Form {
            subjects: &["volume"],
            words: &[("volume", Value), ("yes", Nothing)],
            help: &[("delete volume=NAME [yes]", "a volume and all its jobs, out of the catalog; its file stays")],
            ..Form::PLAIN
        },
        Form {
            subjects: &["jobid"],
            words: &[("jobid", Value), ("yes", Nothing)],
            help: &[("delete jobid=N[,N…|-N] [yes]", "jobs with their files and reports, out of the catalog")],
            ..Form::PLAIN
        },
    ],
    run,
);

/// Jobs of one command.
const MOST: usize = 1_000;

/// What is gone.
#[derive(Debug)]
struct Deleted {
    kind: &'static str,
    names: Vec<String>,
    text: String,
}

fn run(_: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let reply = match words.word(1).as_str() {
        "jobid" => jobs(words)?,
        _ => volume(words),
    };
    Ok(if words.is_first() { reply.after(CATALOG) } else { reply })
}

fn jobs(words: &Words) -> Result<Reply, Refusal> {
    let Some(text) = words.value(&["jobid"]) else {
        return Ok(choice::line(words, "jobid", "Enter JobId to delete: ", "Name the jobs: delete jobid=N."));
    };
    let wrong = || BadValue::new("jobid", text, "numbers, with commas between them, or N-N");
    let ids = ids(text).ok_or_else(wrong)?;
    Ok(each(ids, Vec::new(), words.clone()))
}

/// The numbers of `1,2,5-9`: at most [`MOST`].
fn ids(text: &str) -> Option<Vec<u32>> {
    let mut ids = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if last < first || (last - first) as usize >= MOST || ids.len() + (last - first) as usize >= MOST {
            return None;
        }
        ids.extend(first..=last);
    }
    ids.reverse();
    Some(ids)
}

/// Finds the jobs one after the other; then they go, if that is said. `ids` has the first at its end.
fn each(mut ids: Vec<u32>, mut found: Vec<JobRow>, words: Words) -> Reply {
    let Some(id) = ids.pop() else { return all(&found, &words) };
    let request = CatalogRequest::ListJobs(JobFilter { limit: 1, job_id: Some(id), ..JobFilter::default() });
    Reply::ask(request, move |_, answer| {
        let CatalogAnswer::Jobs(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        let row = rows.into_iter().next().ok_or_else(|| Refusal::NoJob(id.to_string()))?;
        if row.end_time == 0 {
            return Err(Refusal::StillRuns(id));
        }
        found.push(row);
        Ok(each(ids, found, words))
    })
}

fn all(found: &[JobRow], words: &Words) -> Reply {
    let ids: Vec<u32> = found.iter().map(|row| row.job_id).collect();
    let names: Vec<String> = ids.iter().map(u32::to_string).collect();
    let shown = names.join(",");
    if !words.has("yes") {
        let files: u64 = found.iter().map(|row| u64::from(row.job_files)).sum();
        let text = format!("{} jobs with {files} files go out of the catalog: {shown}.\n", ids.len());
        return choice::yes(words, "Are you sure? (yes/no): ").after(text);
    }
    Reply::ask(CatalogRequest::DeleteJobs(ids), move |_, answer| match answer {
        CatalogAnswer::Changed(_) => {
            let text = format!("Jobid {shown} and associated records deleted from the catalog.\n");
            Ok(Reply::found(Deleted { kind: "jobids", names, text }))
        }
        other => Err(Refusal::unexpected(other)),
    })
}

fn volume(words: &Words) -> Reply {
    let Some(name) = words.value(&["volume"]) else {
        return choice::line(words, "volume", "Enter Volume name: ", "Name the volume: delete volume=NAME.");
    };
    let (words, name) = (words.clone(), name.to_owned());
    with_volume(&name.clone(), move |row| {
        let media_id = row.media_id;
        Reply::ask(CatalogRequest::JobsOnVolume { media_id }, move |_, answer| {
            let CatalogAnswer::Jobs(rows) = answer else { return Err(Refusal::unexpected(answer)) };
            if let Some(row) = rows.iter().find(|row| row.end_time == 0) {
                return Err(Refusal::StillRuns(row.job_id));
            }
            let text = format!(
                "\nThis command will delete volume {name}\nand all Jobs saved on that volume from the Catalog: {} jobs.\n",
                rows.len()
            );
            if !words.has("yes") {
                return Ok(choice::yes(
                    &words,
                    &format!("Are you sure you want to delete Volume \"{name}\"? (yes/no): "),
                )
                .after(text));
            }
            let jobs = rows.iter().map(|row| row.job_id).collect();
            Ok(gone(name, media_id, jobs).after(text))
        })
    })
}

fn gone(name: String, media_id: u32, jobs: Vec<u32>) -> Reply {
    Reply::ask(CatalogRequest::DeleteJobs(jobs), move |_, answer| {
        let CatalogAnswer::Changed(_) = answer else { return Err(Refusal::unexpected(answer)) };
        Ok(Reply::ask(CatalogRequest::DeleteMedia { media_id }, move |_, answer| match answer {
            CatalogAnswer::Changed(_) => {
                let text = format!("Volume {name} deleted.\n");
                Ok(Reply::found(Deleted { kind: "volumes", names: vec![name], text }))
            }
            other => Err(Refusal::unexpected(other)),
        }))
    })
}

impl Shown for Deleted {
    fn text(&self) -> String {
        self.text.clone()
    }

    fn json(&self) -> Option<Json> {
        let names = Json::List(self.names.iter().map(|name| name.as_str().into()).collect());
        Some(Json::object([("deleted", Json::object([(self.kind, names)]))]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_runs_of_them_are_jobs() {
        assert_eq!(
            ids("1,3-5, 9").map(|mut ids| {
                ids.reverse();
                ids
            }),
            Some(vec![1, 3, 4, 5, 9])
        );
        assert_eq!(ids("1-1000").map(|ids| ids.len()), Some(1_000));
        for text in ["", "x", "5-3", "1-1001", "1-999,2000-2002", "1-4294967296"] {
            assert_eq!(ids(text), None, "{text}");
        }
    }
}
