//! The twelve ways to choose what is restored, for a person who has said none of them.
//!
//! Each is a walk through questions that ends with a line that could have been typed: the menu itself holds nothing but
//! words. Those that only the menu knows are not words of the command, so nobody can say them.

use crate::catalog::{CatalogAnswer, CatalogRequest, JobFilter, JobRow, restore_selection};
use crate::wire::status::JobType;

use super::super::super::answer::{Shown, Table};
use super::super::super::questions::{Matter, Prompt, Question, Wanted, choice};
use super::super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;
use super::super::dot::sql;
use super::super::{may, sqlquery};
use super::{SELECTION, Selection, USAGE, before, moment, shown_ids};

/// The way that was chosen from the menu.
const MENU: &str = "menu";
/// A name of a file, wherever it lies.
const NAME: &str = "menu-name";
/// The jobs that were found.
const FOUND: &str = "menu-found";
/// The job whose state is to be restored.
const STATE: &str = "menu-state";

/// A question to the catalog.
const QUERY: &str = "menu-query";

/// By one of these words somebody has said what to restore.
const WAYS: [&str; 10] = ["jobid", "current", "before", "at", "name", "file", "directory", "select", "all", "done"];

const ITEMS: [&str; 13] = [
    "List last 20 Jobs run",
    "List Jobs where a given File is saved",
    "Enter list of comma separated JobIds to select",
    "Enter SQL list command",
    "Select the most recent backup for a client",
    "Select backup for a client before a specified time",
    "Enter a list of files to restore",
    "Enter a list of files to restore before a specified time",
    "Find the JobIds of the most recent backup for a client",
    "Find the JobIds for a backup for a client before a specified time",
    "Enter a list of directories to restore for found JobIds",
    "Select full restore to a specified Job date",
    "Cancel",
];

const INTRODUCTION: &str = "\nA restore is made of jobs and of files of theirs. First choose the jobs, in one of the ways below; the \
                            files are chosen then.\n\n";

/// How paths are entered.
const HOW: &str = "Enter whole names, one a line, or < and the file on the director that has them; an empty line ends the \
                   list.\n";

const DATE: &str = "Enter date as YYYY-MM-DD HH:MM:SS :";

/// Rows of the jobs that have a file.
const MOST_JOBS: u32 = 1_000;

/// Whether a person is to choose what to restore.
pub(super) fn is_wanted(words: &Words) -> bool {
    words.has(MENU) || !WAYS.iter().any(|way| words.has(way))
}

/// Asks for the way, or goes on with the one that was chosen.
pub(super) fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let Some(chosen) = words.value(&[MENU]) else {
        let reply = menu(words);
        return Ok(if words.is_first() { reply.after(INTRODUCTION) } else { reply });
    };
    let at = ITEMS.iter().position(|item| *item == chosen).unwrap_or(ITEMS.len());
    match at {
        // As in a real director, the list of jobs too.
        0 | 3 if !view.access().is_some_and(|access| may(access, sqlquery::COMMAND.name)) => {
            Err(Refusal::Forbidden(sqlquery::COMMAND.name.to_owned()))
        }
        0 => Ok(last_jobs(words)),
        1 => with_file(view, words),
        2 => Ok(ids(&words.clone().without(MENU))),
        3 => Ok(query(words)),
        4 => super::run(view, &words.clone().without(MENU).with("current", None).with("select", None)),
        5 => match words.has("before") {
            false => Ok(choice::line(words, "before", DATE, USAGE)),
            true => super::run(view, &words.clone().without(MENU).with("select", None)),
        },
        6 => paths(view, words, ("file", "Enter full filename: ")),
        7 if !words.has("before") => Ok(choice::line(words, "before", DATE, USAGE)),
        7 => paths(view, words, ("file", "Enter full filename: ")),
        9 if !words.has("before") => Ok(choice::line(words, "before", DATE, USAGE)),
        8 | 9 => find(view, words),
        10 => directories(view, words),
        11 => state(view, words),
        _ => Ok(Reply::found("Nothing chosen, nothing done.\n".to_owned())),
    }
}

fn menu(words: &Words) -> Reply {
    let items = ITEMS.iter().map(|item| (*item).to_owned()).collect();
    let title = "To select the JobIds, you have the following choices:".to_owned();
    let wanted = Wanted { words: words.clone(), key: MENU, usage: USAGE.to_owned(), may_be_empty: false };
    let prompt = Prompt::Choice { title, items, ask: "Select item: ".to_owned() };
    Reply::Question(Box::new(Question { prompt, matter: Matter::Word(wanted), again: false }))
}

/// The menu once more, without the words of the way that has ended.
fn again(words: &Words, text: impl Into<String>) -> Reply {
    let words = words.clone().without(MENU).without(NAME);
    menu(&words).after(text)
}

/// Shows what the catalog answers to a person's own question, and the menu again.
fn query(words: &Words) -> Reply {
    let Some(asked) = words.value(&[QUERY]) else { return choice::line(words, QUERY, sqlquery::PROMPT, USAGE) };
    let words = words.clone().without(QUERY);
    sql::ask_then(asked.to_owned(), move |rows| again(&words, rows.text()))
}

fn last_jobs(words: &Words) -> Reply {
    let types = vec![JobType::Backup.letter()];
    let filter = JobFilter { limit: 20, types, statuses: b"TW".to_vec(), ..JobFilter::default() };
    shows_jobs(words, CatalogRequest::ListJobs(filter))
}

/// Shows jobs, and the menu again.
fn shows_jobs(words: &Words, request: CatalogRequest) -> Reply {
    let words = words.clone();
    Reply::ask(request, move |view, answer| match answer {
        CatalogAnswer::Jobs(rows) => Ok(again(&words, table(view, rows))),
        other => Err(Refusal::unexpected(other)),
    })
}

fn table(view: &View<'_>, rows: Vec<JobRow>) -> String {
    let rows: Vec<Selection> = rows
        .into_iter()
        .map(|row| (moment(row.start_time, view.zone()), row))
        .map(|(at, row)| Selection(row, at))
        .collect();
    Table::of("jobs", SELECTION, &rows).text()
}

fn with_file(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let Some(client) = client(words) else { return choose_client(view, words) };
    let Some(name) = words.values(NAME).next() else {
        return Ok(choice::line(words, NAME, "Enter Filename (no path):", USAGE));
    };
    let request = CatalogRequest::JobsWithFile { client: client.to_owned(), name: name.to_vec(), limit: MOST_JOBS };
    Ok(shows_jobs(words, request))
}

fn ids(words: &Words) -> Reply {
    choice::line(words, "jobid", "Enter JobId(s), comma separated, to restore: ", USAGE)
}

/// Asks for paths until an empty line, and restores them.
fn paths(view: &View<'_>, words: &Words, (key, prompt): (&'static str, &str)) -> Result<Reply, Refusal> {
    if client(words).is_none() && !words.has("jobid") {
        return choose_client(view, words);
    }
    if words.has_bare(key) {
        let has_some = words.values(key).next().is_some();
        let words = words.clone().without(MENU).with("done", None);
        return if has_some { super::run(view, &words) } else { Err(Refusal::NoFile) };
    }
    let is_first = words.values(key).next().is_none();
    let reply = choice::line_or_end(words, key, prompt, USAGE);
    Ok(if is_first { reply.after(HOW) } else { reply })
}

fn directories(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    match (words.value(&["jobid"]), words.value(&[FOUND])) {
        (None, Some(found)) => {
            let text = format!("You have already selected the following JobIds: {found}\n");
            let with = words.clone().without("before").with("jobid", Some(found.as_bytes()));
            Ok(directories(view, &with)?.after(text))
        }
        (None, None) => Ok(ids(words)),
        (Some(_), _) => paths(view, words, ("directory", "Enter directory name: ")),
    }
}

/// Finds the jobs of a client, and remembers them for a list of directories.
fn find(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let Some(client) = client(words) else { return choose_client(view, words) };
    NoSuch::check(view.config(), Kind::Client, client)?;
    let request = CatalogRequest::JobsForRestore {
        client: client.to_owned(),
        name: None,
        file_set: words.value(&["fileset"]).map(str::to_owned),
        before: before(view, words)?,
        now: view.now(),
    };
    let words = words.clone();
    Ok(Reply::ask(request, move |view, answer| {
        let CatalogAnswer::Jobs(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        let jobs = match restore_selection::choose_jobs(&rows, words.value(&["fileset"])) {
            Ok(jobs) => jobs,
            Err(restore_selection::SelectionError::SeveralFileSets(names)) => {
                let title = ("The defined FileSet resources are:", "FileSet resource");
                return choice::one_of(view, &words, "fileset", title, names, USAGE);
            }
            Err(error) => return Err(error.into()),
        };
        let text = super::selected_jobs(view, &jobs);
        let words = words.without(FOUND).without("before").with(FOUND, Some(shown_ids(&jobs).as_bytes()));
        Ok(again(&words, text))
    }))
}

/// The jobs that make the state that a job has saved.
fn state(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let Some(text) = words.value(&[STATE]) else {
        return Ok(choice::line(words, STATE, "Enter JobId to get the state to restore: ", USAGE));
    };
    let id: u32 = text.trim().parse().map_err(|_| Refusal::NoJob(text.to_owned()))?;
    let (words, now) = (words.clone().without(MENU).without(STATE), view.now());
    let request = CatalogRequest::ListJobs(JobFilter { limit: 1, job_id: Some(id), ..JobFilter::default() });
    Ok(Reply::ask(request, move |_, answer| {
        let CatalogAnswer::Jobs(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        let row = rows.into_iter().next().ok_or_else(|| Refusal::NoJob(id.to_string()))?;
        let (client, name, set) = (row.client.clone(), row.name.clone(), row.file_set.clone());
        let request = CatalogRequest::JobsForRestore {
            client,
            name: Some(name),
            file_set: Some(set),
            before: row.start_time.saturating_add(1),
            now,
        };
        Ok(Reply::ask(request, move |view, answer| {
            let CatalogAnswer::Jobs(mut rows) = answer else { return Err(Refusal::unexpected(answer)) };
            rows.retain(|each| each.place() <= row.place());
            let jobs = restore_selection::choose_jobs(&rows, Some(&row.file_set))?;
            let words = words.with("jobid", Some(shown_ids(&jobs).as_bytes()));
            super::run(view, &words)
        }))
    }))
}

fn client(words: &Words) -> Option<&str> {
    words.value(&["client", "backupclient"])
}

fn choose_client(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    choice::resource(view, words, Kind::Client, "client", USAGE)
}
