//! `restore`, from the client's name to the order: which jobs, which files, where they lie.

use std::collections::VecDeque;

use crate::calendar::Civil;
use crate::catalog::restore_selection::{self, RestorePlan as Selected};
use crate::catalog::{CatalogAnswer, CatalogRequest, JobFilter, JobRow, RestoreFiles};
use crate::config::{Job, JobKind, Replace};
use crate::printable;
use crate::wire::bsr::Bootstrap;
use crate::wire::file::RestoreTo;
use crate::wire::relocation::Relocation;
use crate::wire::status::{JobLevel, JobType};

use super::super::answer::{Cell, Column, Shown, Table};
use super::super::grammar::Takes::{Nothing, Value, Values};
use super::super::grammar::{Command, Form};
use super::super::refusal::{BadValue, Kind, NoSuch, Refusal};
use super::super::reply::{Instruction, Reply, View};
use super::super::words::Words;
use super::run::CATALOG;
use super::status::moment;
use crate::catalog::Gone;
use crate::role::director::jobs::job::{RestorePart, RestorePlan};
use crate::role::director::jobs::ordering::{Order, Resources};

pub(super) const COMMAND: Command = Command::new(
    "restore",
    &[Form {
        words: &[
            ("client", Value),
            ("fileset", Value),
            ("where", Value),
            ("regexwhere", Value),
            ("strip_prefix", Value),
            ("add_prefix", Value),
            ("add_suffix", Value),
            ("replace", Value),
            ("restorejob", Value),
            ("select", Nothing),
            ("current", Nothing),
            ("all", Nothing),
            ("file", Values),
            ("before", Value),
            ("done", Nothing),
            ("yes", Nothing),
            ("jobid", Value),
        ],
        one_of: &[
            &["jobid", "before", "current"],
            &["jobid", "fileset"],
            &["jobid", "select"],
            &["where", "regexwhere", "strip_prefix"],
            &["where", "regexwhere", "add_prefix"],
            &["where", "regexwhere", "add_suffix"],
        ],
        help: &[(
            "restore client=NAME all|file=/PATH [file=/PATH…] [before=\"DATE TIME\"|jobid=N] [fileset=NAME] \
             [where=FOLDER|regexwhere=!SEARCH!REPLACEMENT!|strip_prefix=TEXT add_prefix=TEXT add_suffix=TEXT] [replace=always|ifnewer|ifolder|never] done [yes]",
            "restore all files of the newest backup, or single files and folders; a name is written as list files shows \
             it, in which \\x1b is a byte, \\\\ a backslash and \\\" a quotation mark",
        )],
        ..Form::PLAIN
    }],
    run,
);

/// How it is used.
const USAGE: &str =
    "Say what to restore: restore client=NAME all done, or restore client=NAME file=/PATH [file=/PATH …] done.";

/// Values of `file=` in one command: each is a question to the catalog.
const MAX_PATHS: usize = 100;

/// A restore whose catalog questions are under way.
#[derive(Debug)]
struct Restoring {
    client: String,
    fileset: Option<String>,
    to: RestoreTo,
    replace: u8,
    yes: bool,
    job: String,
    /// Somebody named the job: what it saved is restored, and nothing of the jobs before it.
    exact: bool,
    jobs: Vec<JobRow>,
    /// What the catalog is asked for next; the one that is asked for is the first. Without any, all files are wanted.
    paths: VecDeque<Vec<u8>>,
    files: Vec<RestoreFiles>,
}

/// `restore client=… all done`, or `file=…` instead of `all`.
fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let config = view.config();
    let choice = words.value(&["file"]).and_then(|name| name.strip_prefix('?'));
    let paths = if choice.is_some() { VecDeque::new() } else { paths(words)? };
    if choice.is_none() && (!words.has("done") || words.has("all") != paths.is_empty()) {
        return Err(Refusal::usage(USAGE));
    }
    let only = (config.clients.len() == 1).then(|| config.clients[0].name.as_str());
    let client = words
        .value(&["client"])
        .or(only)
        .ok_or_else(|| Refusal::usage("Name a client: restore client=NAME all done."))?;
    NoSuch::check(config, Kind::Client, client)?;
    let resource = match words.value(&["restorejob"]) {
        Some(name) => config.job(name),
        None => config.jobs.iter().find(|job| job.kind == JobKind::Restore),
    };
    let job = resource
        .filter(|job| job.kind == JobKind::Restore)
        .ok_or_else(|| Refusal::usage("The configuration has no such restore job."))?;
    let restoring = Restoring {
        client: client.to_owned(),
        fileset: words.value(&["fileset"]).map(str::to_owned),
        to: place(words)?.unwrap_or_else(|| place_of_job(job)),
        replace: replace(words, job.replace)?,
        yes: words.has("yes"),
        job: job.name.clone(),
        exact: words.value(&["jobid"]).is_some(),
        jobs: Vec::new(),
        paths,
        files: Vec::new(),
    };
    if let Some(name) = choice {
        let files = view.director.consoles.choices.of(name).ok_or_else(|| Refusal::NoChoice(name.to_owned()))?.to_vec();
        let jobs = files.iter().map(|files| files.job_id).collect();
        return Ok(of_choice(Restoring { files, exact: true, ..restoring }, jobs).after(CATALOG));
    }
    let request = jobs_to_restore(view, words, &restoring)?;
    Ok(restoring.ask(request).after(CATALOG))
}

/// What a browser has chosen: the rows of its jobs, one after the other, then where they lie.
fn of_choice(mut restoring: Restoring, mut jobs: VecDeque<u32>) -> Reply {
    let Some(job_id) = jobs.pop_front() else {
        restoring.jobs.sort_by_key(|job| (job.place(), job.job_id));
        let request = CatalogRequest::JobMediaOf { jobs: ids(&restoring.jobs) };
        return restoring.ask(request);
    };
    let request = CatalogRequest::ListJobs(JobFilter { limit: 1, job_id: Some(job_id), ..JobFilter::default() });
    Reply::ask(request, move |_, answer| {
        let CatalogAnswer::Jobs(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        restoring.jobs.push(rows.into_iter().next().ok_or_else(|| Refusal::NoJob(job_id.to_string()))?);
        Ok(of_choice(restoring, jobs))
    })
}

fn jobs_to_restore(view: &View<'_>, words: &Words, restoring: &Restoring) -> Result<CatalogRequest, Refusal> {
    if let Some(number) = words.value(&["jobid"]) {
        let job_id = Some(number.parse().map_err(|_| Refusal::usage("jobid= needs a number."))?);
        return Ok(CatalogRequest::ListJobs(JobFilter { limit: 1, job_id, ..JobFilter::default() }));
    }
    let before = match words.value(&["before"]) {
        None => i64::MAX,
        Some(text) => {
            let wrong = || BadValue::new("before", text, "a date such as \"2026-11-23 13:01:00\"");
            view.zone().moment_of(Civil::parse(text).ok_or_else(wrong)?.seconds())
        }
    };
    Ok(CatalogRequest::JobsForRestore {
        client: restoring.client.clone(),
        name: None,
        file_set: restoring.fileset.clone(),
        before,
        now: view.now(),
    })
}

impl Restoring {
    fn ask(self, request: CatalogRequest) -> Reply {
        Reply::ask(request, move |view, answer| self.go_on(view, answer))
    }

    /// The catalog's answers, one after the other: jobs, files, pieces.
    fn go_on(mut self, view: &View<'_>, answer: CatalogAnswer) -> Result<Reply, Refusal> {
        match answer {
            CatalogAnswer::Jobs(candidates) => {
                self.jobs = match (self.exact, candidates.is_empty()) {
                    (true, true) => return Err(Refusal::usage("The catalog has no job of this number.")),
                    (true, false) => candidates,
                    (false, _) => restore_selection::choose_jobs(&candidates, self.fileset.as_deref())?,
                };
                let text = selected_jobs(view, &self.jobs);
                let request = self.files_wanted();
                Ok(self.ask(request).after(text))
            }
            CatalogAnswer::RestoreFiles(files) => {
                if let Some(path) = self.paths.pop_front().filter(|_| files.is_empty()) {
                    return Err(Refusal::NotSaved(printable::name(&path)));
                }
                self.files = restore_selection::join(std::mem::take(&mut self.files), files);
                let request = match self.paths.is_empty() {
                    true => CatalogRequest::JobMediaOf { jobs: ids(&self.jobs) },
                    false => self.files_wanted(),
                };
                Ok(self.ask(request))
            }
            CatalogAnswer::Pieces(pieces) => {
                let device = |name: &str| view.config().storage(name).map(|storage| storage.device.clone());
                let selected = restore_selection::plan(&self.jobs, &self.files, &pieces, None, device)?;
                Ok(self.order(view, selected))
            }
            other => Err(Refusal::unexpected(other)),
        }
    }

    /// Says what is read, and orders the job or asks whether to.
    fn order(self, view: &View<'_>, selected: Selected) -> Reply {
        let parts = selected.bootstrap.split_by_storage(|_, _| false);
        let ids = &view.director.common.ids.storages;
        let part = |(storage, bootstrap): (Option<String>, Bootstrap)| {
            let storage = storage.unwrap_or_default();
            RestorePart { storage_id: ids.get(&storage).copied().unwrap_or(0), storage, bootstrap }
        };
        let parts: VecDeque<RestorePart> = parts.into_iter().map(part).collect();
        let text: String = parts.iter().map(needed_volumes).collect();
        let text = format!("{text}{} files selected to be restored.\n", selected.files);
        self.order_parts(view, selected, parts).unwrap_or_else(Reply::refused).after(text)
    }

    fn order_parts(
        self,
        view: &View<'_>,
        mut selected: Selected,
        mut parts: VecDeque<RestorePart>,
    ) -> Result<Reply, Refusal> {
        let config = view.config();
        if let Some(part) = parts.iter().skip(1).find(|part| config.storage(&part.storage).is_none()) {
            return Err(Refusal::StorageGone(part.storage.clone()));
        }
        let RestorePart { storage, bootstrap, .. } = parts.pop_front().ok_or(Refusal::NoFile)?;
        selected.bootstrap = bootstrap;
        let pool = config.job(&self.job).map(|job| job.pool.clone()).unwrap_or_default();
        let fileset = self.jobs.first().map(|job| job.file_set.clone()).unwrap_or_default();
        let gone = Gone::of(&self.jobs);
        let plan = RestorePlan { rest: parts, gone, ..RestorePlan::of_one(selected, self.to.clone(), self.replace) };
        let with = Resources { client: self.client, fileset, storage, pool };
        // Announced with this level (`wire/3 §0.4`).
        let order = Order::of(self.job, JobType::Restore, JobLevel::Other(b' '), with);
        let order = Box::new(Order { restore: Some(plan), ..order });
        NoSuch::check_order(config, &order)?;
        if self.yes {
            return Ok(Reply::Do(Instruction::Order(order)));
        }
        let to = match &self.to {
            RestoreTo::Where(folder) if folder.is_empty() => "Where:    the original places".to_owned(),
            RestoreTo::Where(folder) => format!("Where:    {folder}"),
            RestoreTo::Regex(text) => format!("RegexWhere: {text}"),
        };
        let question = format!(
            "Run Restore job\nJobName:  {}\nClient:   {}\n{to}\nOK to run? (yes/no): ",
            order.name, order.with.client
        );
        Ok(Reply::Confirm(question, order))
    }

    /// Asks for the first of the paths, or for all files.
    fn files_wanted(&self) -> CatalogRequest {
        let only = self.paths.front().map(|path| {
            let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
            // Whether it is a file or a folder, only the catalog knows.
            let folder = [&path[..end], b"/"].concat();
            if end < path.len() { vec![folder] } else { vec![path.clone(), folder] }
        });
        CatalogRequest::FilesForRestore { jobs: ids(&self.jobs), only: only.unwrap_or_default() }
    }
}

/// A job that a restore builds on, and when it started in local time.
struct Selection(JobRow, String);

const SELECTION: &[Column<Selection>] = &[
    Column("jobid", |row| Cell::id(row.0.job_id)),
    Column("level", |row| Cell::letter(row.0.level)),
    Column("jobfiles", |row| Cell::count(row.0.job_files)),
    Column("jobbytes", |row| Cell::count(row.0.job_bytes)),
    Column("starttime", |row| Cell::text_of(&row.1)),
];

fn selected_jobs(view: &View<'_>, jobs: &[JobRow]) -> String {
    let rows: Vec<Selection> =
        jobs.iter().map(|job| Selection(job.clone(), moment(job.start_time, view.zone()))).collect();
    let ids: Vec<String> = jobs.iter().map(|job| job.job_id.to_string()).collect();
    let table = Table::of("jobs", SELECTION, &rows).text();
    format!("{table}You have selected the following JobId: {}\n", ids.join(","))
}

/// Where the words say that files go: below the folder that `where=` names, an absolute one, for nobody knows where a
/// client's daemon stands (empty or `/` means the original places); or to what the other words make of their paths.
fn place(words: &Words) -> Result<Option<RestoreTo>, Refusal> {
    let value = |word| words.value(&[word]);
    if let Some(folder) = value("where") {
        if !folder.is_empty() && !folder.starts_with('/') {
            return Err(Refusal::Relative(folder.to_owned()));
        }
        return Ok(Some(RestoreTo::Where(folder.to_owned())));
    }
    let made = || Relocation::expression(value("strip_prefix"), value("add_prefix"), value("add_suffix"));
    let Some(text) = value("regexwhere").map(str::to_owned).or_else(made) else { return Ok(None) };
    match Relocation::parse(&text) {
        Ok(_) => Ok(Some(RestoreTo::Regex(text))),
        Err(_) => Err(BadValue::new("regexwhere", &text, "!search!replacement!, as in !/home/!/tmp/home/!").into()),
    }
}

/// Where the files of a restore job go that says nothing else.
fn place_of_job(job: &Job) -> RestoreTo {
    let made =
        || Relocation::expression(job.strip_prefix.as_deref(), job.add_prefix.as_deref(), job.add_suffix.as_deref());
    match job.regex_where.clone().or_else(made) {
        Some(text) => RestoreTo::Regex(text),
        None => RestoreTo::Where(job.r#where.clone().unwrap_or_default()),
    }
}

/// The values of `file=`.
fn paths(words: &Words) -> Result<VecDeque<Vec<u8>>, Refusal> {
    let paths: VecDeque<Vec<u8>> = words.values("file").map(<[u8]>::to_vec).collect();
    if let Some(path) = paths.iter().find(|path| !path.starts_with(b"/")) {
        return Err(Refusal::usage(format!("file={}: give the whole path, beginning with /.", printable::name(path))));
    }
    if paths.len() > MAX_PATHS {
        return Err(Refusal::usage(format!(
            "At most {MAX_PATHS} file= at once: name a folder, which means all below it."
        )));
    }
    Ok(paths)
}

/// What to do with files that are there: the letter of `wire/2 §1.8`.
fn replace(words: &Words, of_job: Replace) -> Result<u8, BadValue> {
    Ok(match words.value(&["replace"]).map(str::to_lowercase).as_deref() {
        None => match of_job {
            Replace::Always => b'a',
            Replace::IfNewer => b'w',
            Replace::IfOlder => b'o',
            Replace::Never => b'n',
        },
        Some("always") => b'a',
        Some("ifnewer") => b'w',
        Some("ifolder") => b'o',
        Some("never") => b'n',
        Some(other) => return Err(BadValue::new("replace", other, "always, ifnewer, ifolder or never")),
    })
}

/// A line with the volumes that a storage daemon will read.
fn needed_volumes(part: &RestorePart) -> String {
    let sections = part.bootstrap.sections.iter();
    let mut volumes: Vec<&str> = sections.flat_map(|section| section.volumes.iter().map(String::as_str)).collect();
    volumes.dedup();
    format!("The job needs these volumes of storage {}: {}\n", part.storage, volumes.join(", "))
}

fn ids(jobs: &[JobRow]) -> Vec<u32> {
    jobs.iter().map(|job| job.job_id).collect()
}
