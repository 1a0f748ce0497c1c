//! `purge`: jobs or files out of the catalog whatever their age.

use crate::catalog::{CatalogAnswer, CatalogRequest, JobFilter, JobRow, MediaRow, VolStatus};
use crate::quantity::{counted, either};

use super::super::grammar::Takes::{Nothing, Several, Value};
use super::super::grammar::{Command, Form};
use super::super::questions::choice;
use super::super::refusal::{BadValue, Kind, NoSuch, Refusal, number_of};
use super::super::reply::{Reply, View};
use super::super::words::Words;
use super::list::statuses;
use super::prune::{MENU, subject};
use super::shelf::{self, Held};
use super::truncate;

pub(super) const COMMAND: Command = Command::new(
    "purge",
    &[
        Form {
            subjects: &["files"],
            words: &[("job", Value), ("jobid", Value), ("client", Value), ("volume", Several), ("yes", Nothing)],
            one_of: &[&["job", "jobid", "client", "volume"]],
            help: &[(
                "purge files job=NAME|jobid=N|client=NAME|volume=NAME [yes]",
                "the files of jobs, whatever their age",
            )],
            ..Form::PLAIN
        },
        Form {
            subjects: &["jobs"],
            words: &[
                ("client", Value),
                ("volume", Several),
                ("pool", Value),
                ("jobstatus", Value),
                ("yes", Nothing),
            ],
            one_of: &[&["client", "volume", "pool"]],
            help: &[(
                "purge jobs client=NAME|volume=NAME|pool=NAME [jobstatus=LETTERS] [yes]",
                "jobs, whatever their age; pool: those on all its volumes",
            )],
            ..Form::PLAIN
        },
        Form {
            subjects: &["volume"],
            words: &[
                ("volume", Several),
                ("storage", Value),
                ("pool", Value),
                ("allpools", Nothing),
                ("devicetype", Value),
                ("drive", Value),
                ("action", Value),
                ("jobstatus", Value),
                ("yes", Nothing),
            ],
            one_of: &[&["pool", "allpools"]],
            help: &[
                (
                    "purge volume=NAME [volume=NAME] … [jobstatus=LETTERS] [yes]",
                    "all jobs of volumes, which may be used again then",
                ),
                (
                    "purge volume[=NAME] action=truncate [pool=NAME|allpools] [storage=NAME] [devicetype=TYPE] [drive=N] [yes]",
                    "give up what is on purged volumes whose ActionOnPurge is Truncate",
                ),
            ],
            ..Form::PLAIN
        },
        Form { subjects: &[""], help: &[("purge", "choose what to purge from a menu")], ..Form::PLAIN },
        Form {
            subjects: &["quota"],
            words: &[("client", Value)],
            help: &[("purge quota client=NAME", "there are none")],
            ..Form::PLAIN
        },
    ],
    run,
)
.led_by(&["files", "jobs", "volume", "quota"]);

/// Jobs of one command.
const MOST: u32 = 10_000;

/// Jobs that are shown of a name.
const SHOWN: u32 = 20;

const ITEMS: [&str; 4] = ["files", "jobs", "volume", "quota"];

const WARNING: &str = "\nWhat is purged is gone from the catalog, old or not: it cannot be restored from a list of files any more. Use \
                       prune for what is old.\n";

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    // As in real directors: it asks nobody whose jobs they are.
    if !view.access().is_some_and(super::super::access::Access::is_open) {
        return Err(Refusal::NotForSome);
    }
    let reply = match subject(words).as_str() {
        "" => {
            let usage = "Say what to purge: purge files, jobs, volume or quota.";
            choice::item(words, MENU, "Choose item to purge", &ITEMS, usage)
        }
        "quota" => return quota(view, words),
        "volume" => volumes(view, words)?,
        what => jobs(view, words, what == "files")?,
    };
    Ok(if words.is_first() { reply.using().after(WARNING) } else { reply })
}

fn quota(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let Some(name) = words.value(&["client"]) else {
        return choice::resource(view, words, Kind::Client, "client", "Name the client: purge quota client=NAME.");
    };
    NoSuch::check(view.config(), Kind::Client, name)?;
    Ok(Reply::found("No quotas are kept: a client may save as much as the volumes hold.\n".to_owned()))
}

/// `purge files`, `purge jobs`.
fn jobs(view: &View<'_>, words: &Words, files: bool) -> Result<Reply, Refusal> {
    let statuses = statuses(words)?;
    if let Some(id) = number_of::<u32>(words, "jobid")? {
        return Ok(of_jobs(JobFilter { job_id: Some(id), limit: 1, ..JobFilter::default() }, words, files));
    }
    if let Some(name) = words.value(&["job"]) {
        return Ok(which(name, words));
    }
    if let Some(client) = words.value(&["client"]) {
        NoSuch::check(view.config(), Kind::Client, client)?;
        let client = Some(client.to_owned());
        let filter = JobFilter { client, statuses, limit: MOST, oldest_first: true, ..JobFilter::default() };
        return Ok(of_jobs(filter, words, files));
    }
    let names = shelf::names(words);
    let all = words.clone();
    let purge = move |volumes| of_volumes(volumes, &all, files, statuses);
    match words.value(&["pool"]) {
        Some(pool) => Ok(shelf::of_pool(Some(pool.to_owned()), Box::new(purge_those(purge)))),
        None if names.is_empty() => {
            choice::resource(view, words, Kind::Client, "client", "Name the client: purge jobs client=NAME.")
        }
        None => Ok(shelf::named(names, None, Box::new(purge))),
    }
}

/// Of the volumes of a pool those that a person could name.
fn purge_those(
    purge: impl FnOnce(Vec<MediaRow>) -> Reply + Send + 'static,
) -> impl FnOnce(Vec<MediaRow>) -> Reply + Send + 'static {
    move |mut volumes| {
        volumes.retain(|row| may_be_purged(row).is_ok());
        purge(volumes)
    }
}

/// Shows the newest jobs of this name, and asks for the number of one.
fn which(name: &str, words: &Words) -> Reply {
    let (words, name) = (words.clone().without("job"), name.to_owned());
    let filter = JobFilter { name: Some(name.clone()), limit: SHOWN, ..JobFilter::default() };
    Reply::ask(CatalogRequest::ListJobs(filter), move |_, answer| {
        let CatalogAnswer::Jobs(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        if rows.is_empty() {
            return Err(Refusal::NoJob(name));
        }
        let line = |row: &JobRow| format!("JobId {}: {}, {}\n", row.job_id, row.job, counted(row.job_files, "file"));
        let text: String = rows.iter().rev().map(line).collect();
        let prompt = "Enter the JobId to select the job: ";
        Ok(choice::line(&words, "jobid", prompt, "Name the job by its number: purge files jobid=N.").after(text))
    })
}

fn of_jobs(filter: JobFilter, words: &Words, files: bool) -> Reply {
    let (words, named) = (words.clone(), filter.job_id);
    Reply::ask(CatalogRequest::ListJobs(filter), move |_, answer| match (answer, named) {
        (CatalogAnswer::Jobs(rows), Some(id)) if rows.is_empty() => Err(Refusal::NoJob(id.to_string())),
        (CatalogAnswer::Jobs(rows), _) => {
            Ok(goes(&rows, &words, files, Vec::new(), Box::new(|| Reply::found(String::new()))))
        }
        (other, _) => Err(Refusal::unexpected(other)),
    })
}

/// `purge volume`.
fn volumes(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let (statuses, names) = (statuses(words)?, shelf::names(words));
    let pool = words.value(&["pool"]).map(str::to_owned);
    if let Some(pool) = &pool {
        NoSuch::check(view.config(), Kind::Pool, pool)?;
    }
    let action = words.value(&["action"]).map(|action| match action.to_lowercase().as_str() {
        "truncate" | "all" => Ok(()),
        _ => Err(BadValue::new("action", action, "truncate")),
    });
    let Some(()) = action.transpose()? else {
        let only = ["storage", "allpools", "devicetype", "drive"].into_iter().find(|word| words.has(word));
        if let Some(word) = only {
            return Err(Refusal::usage(format!("{word} says which volumes are truncated: add action=truncate.")));
        }
        if !names.is_empty() {
            let words = words.clone();
            return Ok(shelf::named(names, pool, Box::new(move |rows| of_volumes(rows, &words, false, statuses))));
        }
        let usage = "Name the volume: purge volume=NAME.";
        if pool.is_none() && words.has(MENU) {
            return choice::resource(view, words, Kind::Pool, "pool", usage);
        }
        return Ok(match pool {
            Some(pool) => shelf::choose(words, pool, |row| may_be_purged(row).is_ok(), usage),
            None => choice::line(words, "volume", "Enter Volume name: ", usage),
        });
    };
    if let Some(storage) = words.value(&["storage"]) {
        NoSuch::check(view.config(), Kind::Storage, storage)?;
    }
    let drive = number_of::<i32>(words, "drive")?.unwrap_or(-1).max(-1);
    let [storage, media_type] = ["storage", "devicetype"].map(|word| words.value(&[word]).map(str::to_owned));
    let (of_pool, only) = (pool.clone(), names.clone());
    let fits = move |row: &MediaRow| {
        storage.as_ref().is_none_or(|name| *name == row.storage)
            && media_type.as_ref().is_none_or(|name| *name == row.media_type)
            && (only.is_empty() || only.contains(&row.volume_name))
    };
    let then: Box<dyn FnOnce() -> Reply + Send> = Box::new(move || truncate::marked(of_pool, drive, fits));
    if names.is_empty() {
        return Ok(then());
    }
    let words = words.clone();
    Ok(shelf::named(names, pool, Box::new(move |rows| purged(rows, &words, false, statuses, then))))
}

/// Checks that the jobs of a volume may go by a word.
fn may_be_purged(row: &MediaRow) -> Result<(), Refusal> {
    match row.vol_status {
        VolStatus::Append | VolStatus::Full | VolStatus::Used | VolStatus::Error => Ok(()),
        status => Err(Refusal::Keeps { volume: row.volume_name.clone(), status: status.as_str() }),
    }
}

fn of_volumes(volumes: Vec<MediaRow>, words: &Words, files: bool, statuses: Vec<u8>) -> Reply {
    purged(volumes, words, files, statuses, Box::new(|| Reply::found(String::new())))
}

/// The jobs of these volumes go, or their files.
fn purged(
    volumes: Vec<MediaRow>,
    words: &Words,
    files: bool,
    statuses: Vec<u8>,
    last: Box<dyn FnOnce() -> Reply + Send>,
) -> Reply {
    if let Some(refusal) = volumes.iter().find_map(|row| may_be_purged(row).err()) {
        return Reply::refused(refusal);
    }
    let words = words.clone();
    shelf::with_jobs(
        volumes,
        Box::new(move |held: Vec<Held>| {
            let (mut volumes, mut jobs) = (Vec::new(), Vec::<JobRow>::new());
            let is_named = !shelf::names(&words).is_empty();
            for Held { volume, jobs: on_it } in held {
                // A new volume of a pool stays as it is.
                if is_named || !on_it.is_empty() {
                    volumes.push(volume);
                }
                jobs.extend(on_it);
            }
            jobs.retain(|row| statuses.is_empty() || statuses.contains(&row.job_status));
            // One may lie on several volumes.
            jobs.sort_unstable_by_key(|row| row.job_id);
            jobs.dedup_by_key(|row| row.job_id);
            goes(&jobs, &words, files, volumes, last)
        }),
    )
}

/// Says what goes, and lets it go if that is said. A volume without jobs is marked.
fn goes(
    rows: &[JobRow],
    words: &Words,
    files: bool,
    volumes: Vec<MediaRow>,
    last: Box<dyn FnOnce() -> Reply + Send>,
) -> Reply {
    let ids: Vec<u32> = rows.iter().filter(|row| row.end_time > 0).map(|row| row.job_id).collect();
    let what = if files { "The files of " } else { "" };
    let verb = if files { "go" } else { either(ids.len(), "goes", "go") };
    let text = format!("{what}{} {verb} out of the catalog.\n", counted(ids.len(), "job"));
    if !words.has("yes") {
        return choice::yes(words, "Are you sure? (yes/no): ").after(text);
    }
    let request = if files { CatalogRequest::PurgeFiles(ids) } else { CatalogRequest::DeleteJobs(ids) };
    Reply::ask(request, move |_, answer| {
        let CatalogAnswer::Changed(jobs) = answer else { return Err(Refusal::unexpected(answer)) };
        Ok(match files {
            true => last().after(format!("Purged Files from {jobs} Jobs from catalog.\n")),
            false => shelf::mark(volumes.into(), last).after(format!("{jobs} Jobs purged from the catalog.\n")),
        })
    })
    .after(text)
}
