//! `restore`, from the client's name to the order: which jobs, which files, where they lie. `menu.rs` asks for what is not
//! said, `listed.rs` takes paths from lists on the director, `plan.rs` says what will be needed, `look.rs` asks the client what
//! is there already, and `continuing.rs` goes on with what was cut.

mod bootstrap;
mod continuing;
mod listed;
mod look;
mod menu;
mod plan;

use std::collections::VecDeque;

use crate::calendar::Span;
use crate::catalog::restore_selection::{self, RestorePlan as Selected, SelectionError};
use crate::catalog::{CatalogAnswer, CatalogRequest, FileKey, JobFilter, JobRow, RestoreFiles};
use crate::config::{Job, JobKind, Replace};
use crate::printable;
use crate::role::report::{suffixed, thousands};
use crate::wire::bsr::Bootstrap;
use crate::wire::file::RestoreTo;
use crate::wire::relocation::Relocation;
use crate::wire::status::{JobLevel, JobType};

use super::super::answer::{Cell, Column, Shown, Table};
use super::super::grammar::Takes::{Nothing, Value, Values};
use super::super::grammar::{Command, Form};
use super::super::questions::modify::{self, Draft, REPLACE};
use super::super::questions::{asks, choice};
use super::super::refusal::{BadValue, Kind, NoSuch, Refusal};
use super::super::reply::{Instruction, Reply, View};
use super::super::tree::shell::Shell;
use super::super::tree::{Growing, TooMany};
use super::super::words::Words;
use super::status::moment;
use crate::catalog::Gone;
use crate::role::director::jobs::job::{RestorePart, RestorePlan};
use crate::role::director::jobs::ordering::{Order, Resources};
use listed::{Listed, is_list};
use look::Looking;
use plan::{Planned, needed_volumes};

pub(super) const COMMAND: Command = Command::new(
    "restore",
    &[
        Form {
            subjects: &["continue"],
            words: &[("continue", Nothing), ("jobid", Value), ("plan", Nothing), ("done", Nothing), ("yes", Nothing)],
            one_of: &[&["plan", "yes"]],
            help: &[(
                "restore continue jobid=N [plan] [yes]",
                "go on with a restore that was cut: what is there already, as it was saved, is left out",
            )],
            ..Form::PLAIN
        },
        Form {
            words: &[
                ("client", Value),
                ("backupclient", Value),
                ("restoreclient", Value),
                ("fileset", Value),
                ("where", Value),
                ("regexwhere", Value),
                ("strip_prefix", Value),
                ("add_prefix", Value),
                ("add_suffix", Value),
                ("replace", Value),
                ("restorejob", Value),
                ("pluginoptions", Value),
                ("select", Nothing),
                ("current", Nothing),
                ("all", Nothing),
                ("file", Values),
                ("directory", Values),
                ("name", Values),
                ("before", Value),
                ("at", Value),
                ("done", Nothing),
                ("yes", Nothing),
                ("plan", Nothing),
                ("jobid", Value),
                ("bootstrap", Value),
            ],
            one_of: &[
                &["bootstrap", "jobid"],
                &["bootstrap", "before"],
                &["bootstrap", "at"],
                &["bootstrap", "current"],
                &["bootstrap", "fileset"],
                &["bootstrap", "file"],
                &["bootstrap", "directory"],
                &["bootstrap", "name"],
                &["bootstrap", "plan"],
                &["plan", "yes"],
                &["bootstrap", "select"],
                &["bootstrap", "all"],
                &["client", "backupclient"],
                &["jobid", "before", "current"],
                &["jobid", "at", "before"],
                &["at", "current"],
                &["jobid", "fileset"],
                &["where", "regexwhere", "strip_prefix"],
                &["where", "regexwhere", "add_prefix"],
                &["where", "regexwhere", "add_suffix"],
            ],
            help: &[
                ("restore", "choose jobs from a menu, and files from a tree"),
                (
                    "restore client=NAME [restoreclient=NAME] [before=WHEN|at=WHEN|jobid=N[,N…]] [fileset=NAME] [select] \
                 [all|file=/PATH [file=/PATH…]|directory=/PATH [directory=/PATH…]|name=PATTERN|file=</LIST] \
                 [where=FOLDER|regexwhere=!SEARCH!REPLACEMENT!|strip_prefix=TEXT add_prefix=TEXT add_suffix=TEXT] \
                 [replace=always|ifnewer|ifolder|never] [pluginoptions=NAME:KEY=VALUE] [done] [plan|yes]",
                    "restore all files of the newest backup, or single files and folders, or with neither `done` nor paths those \
                 that are marked in a tree; before=yesterday is what there was when that day began, at=yesterday when it \
                 ended; WHEN is \"2026-11-23 13:01\", \"last monday\", 3-days-ago, \"1 nov\"; a name is written as list files shows it, in which \\x1b is a byte, \\\\ a \
                 backslash and \\\" a quotation mark; a list is a file on the director with a name in each line; a \
                 pattern is what find takes; plan restores nothing and says what would be needed, and overwritten on the client",
                ),
                (
                    "restore bootstrap=/PATH client=NAME [where=FOLDER…] [replace=…] [done] [yes]",
                    "restore what a bootstrap names, a file on the director as `write_bootstrap` makes it",
                ),
            ],
            ..Form::PLAIN
        },
    ],
    run,
);

/// How it is used.
const USAGE: &str =
    "Say what to restore: restore client=NAME all done, or restore client=NAME file=/PATH [file=/PATH …] done.";

/// Values of `file=` in one command: each is a question to the catalog.
const MAX_PATHS: usize = 100;

/// Jobs of `jobid=`.
const MAX_JOBS: usize = 1_000;

/// Files of a page that a tree is made of.
const PAGE: u32 = 10_000;

/// A restore whose catalog questions are under way.
#[derive(Debug)]
pub(in super::super) struct Restoring {
    words: Words,
    /// Whose files. Empty until the jobs say so.
    client: String,
    /// Where to, if not to the same client.
    to_client: Option<String>,
    to: RestoreTo,
    replace: u8,
    job: String,
    plugin_options: Option<String>,
    /// Jobs that somebody named and whose rows are to come: what they saved is restored, and nothing of the jobs before.
    exact: Option<VecDeque<u32>>,
    jobs: Vec<JobRow>,
    which: Which,
    /// What is taken from lists on the director, beside [`Which::Paths`].
    listed: Listed,
    files: Vec<RestoreFiles>,
    /// The bytes of these files, where their sizes are known.
    bytes: Option<u64>,
}

/// Which files of the jobs.
#[derive(Debug)]
enum Which {
    All,
    /// What the catalog is asked for next; the one that is asked for is the first.
    Paths(VecDeque<Vec<u8>>),
    /// Those that a person marks; at first all, or none.
    Marked {
        all: bool,
    },
    /// Those that a browser has chosen.
    Chosen,
}

/// `restore client=… all done`, or `file=…` instead of `all`; with less a menu and a tree.
fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let config = view.config();
    if words.has("continue") {
        return Ok(continuing::run(words)?.using_if(words.is_first()));
    }
    if let Some(file) = words.value(&["bootstrap"]) {
        let reply = bootstrap::run(view, words, file)?;
        return Ok(reply.using_if(words.is_first()));
    }
    if menu::is_wanted(words) && (asks(view.api()) || !words.is_first()) {
        let reply = menu::run(view, words)?;
        return Ok(reply.using_if(words.is_first()));
    }
    let of_browser = words.value(&["file"]).and_then(|name| name.strip_prefix('?'));
    let files = match of_browser {
        Some(name) => view
            .director
            .consoles
            .choices
            .of(view.catalog(), name)
            .ok_or_else(|| Refusal::NoChoice(name.to_owned()))?
            .to_vec(),
        None => Vec::new(),
    };
    let paths = if of_browser.is_some() { VecDeque::new() } else { paths(words)? };
    let listed = Listed::of(words)?;
    let which = match (words.has("all"), paths.is_empty() && listed.is_empty(), words.has("done")) {
        _ if of_browser.is_some() => Which::Chosen,
        (true, true, true) => Which::All,
        (false, false, _) => Which::Paths(paths),
        (all, true, false) if asks(view.api()) => Which::Marked { all },
        _ => return Err(Refusal::usage(USAGE)),
    };
    let client = match words.value(&["client", "backupclient"]) {
        Some(client) => {
            NoSuch::check(config, Kind::Client, client)?;
            client.to_owned()
        }
        None if words.has("jobid") => String::new(),
        None => {
            return choice::resource(
                view,
                words,
                Kind::Client,
                "client",
                "Name a client: restore client=NAME all done.",
            );
        }
    };
    let to_client = words.value(&["restoreclient"]).map(str::to_owned);
    if let Some(client) = &to_client {
        NoSuch::check(config, Kind::Client, client)?;
    }
    let Some(job) = restore_job(view, words)? else { return choose_job(view, words) };
    let restoring = Restoring {
        words: words.clone(),
        client,
        to_client,
        to: place(words)?.unwrap_or_else(|| place_of_job(job)),
        replace: replace(words, job.replace)?,
        job: job.name.clone(),
        plugin_options: words.value(&["pluginoptions"]).map(str::to_owned),
        exact: if of_browser.is_some() {
            Some(files.iter().map(|files| files.job_id).collect())
        } else {
            exact(words)?
        },
        jobs: Vec::new(),
        which,
        listed,
        files,
        bytes: None,
    };
    let understood = understood(view, words)?;
    let reply = Box::new(restoring).jobs_wanted(view)?;
    let reply = if understood.is_empty() { reply } else { reply.after(understood) };
    Ok(reply.using_if(words.is_first()))
}

/// The job that restores; none if a person is to choose it.
fn restore_job<'a>(view: &View<'a>, words: &Words) -> Result<Option<&'a Job>, Refusal> {
    let none = || Refusal::usage("The configuration has no such restore job.");
    let mut jobs = view.config().jobs.iter().filter(|job| job.kind == JobKind::Restore);
    if let Some(name) = words.value(&["restorejob"]) {
        return jobs.find(|job| job.name == name).map(Some).ok_or_else(none);
    }
    let first = jobs.next().ok_or_else(none)?;
    Ok((jobs.next().is_none() || !asks(view.api()) || words.has("yes")).then_some(first))
}

/// Asks for the job that restores.
fn choose_job(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let jobs = view.config().jobs.iter().filter(|job| job.kind == JobKind::Restore);
    let names = jobs.map(|job| job.name.clone()).collect();
    let title = ("The defined Restore Job resources are:", "Restore Job");
    choice::one_of(view, words, "restorejob", title, names, "Name the restore job: restorejob=NAME.")
}

/// The jobs of `jobid=`.
fn exact(words: &Words) -> Result<Option<VecDeque<u32>>, Refusal> {
    let Some(text) = words.value(&["jobid"]) else { return Ok(None) };
    let ids: Option<VecDeque<u32>> = text.split(',').map(|id| id.trim().parse().ok()).collect();
    match ids {
        Some(ids) if ids.len() <= MAX_JOBS => Ok(Some(ids)),
        _ => Err(Refusal::usage(format!("jobid= needs a number, or at most {MAX_JOBS} with commas between them."))),
    }
}

/// The moment of `before=` and the end of the time of `at=`, in seconds since 1970: what began before it is restored.
pub(super) fn before(view: &View<'_>, words: &Words) -> Result<i64, Refusal> {
    let said = ["before", "at"].into_iter().find_map(|word| Some((word, words.value(&[word])?)));
    let Some((word, text)) = said else { return Ok(i64::MAX) };
    let wanted = "a date such as \"2026-11-23 13:01:00\", yesterday, \"last monday 14:00\" or 3-days-ago";
    let span = Span::spoken(text, view.now(), view.zone()).ok_or_else(|| BadValue::new(word, text, wanted))?;
    Ok(match word {
        // A backup of that very second is of that moment.
        "at" if span.start == span.end => span.end.saturating_add(1),
        "at" => span.end,
        _ => span.start,
    })
}

/// Which moment was understood, if somebody has named one.
fn understood(view: &View<'_>, words: &Words) -> Result<String, Refusal> {
    Ok(match before(view, words)? {
        i64::MAX => String::new(),
        at => format!("Backups that began before {} are taken.\n", moment(at, view.zone())),
    })
}

impl Restoring {
    /// Asks for the jobs.
    fn jobs_wanted(self: Box<Self>, view: &View<'_>) -> Result<Reply, Refusal> {
        let request = match self.exact.as_ref().map(VecDeque::front) {
            Some(Some(id)) => {
                CatalogRequest::ListJobs(JobFilter { limit: 1, job_id: Some(*id), ..JobFilter::default() })
            }
            Some(None) => return Ok(self.files_of_jobs(view)),
            None => CatalogRequest::JobsForRestore {
                client: self.client.clone(),
                name: None,
                file_set: self.words.value(&["fileset"]).map(str::to_owned),
                before: before(view, &self.words)?,
                now: view.now(),
            },
        };
        Ok(Reply::ask(request, move |view, answer| match answer {
            CatalogAnswer::Jobs(rows) => self.jobs_found(view, rows),
            other => Err(Refusal::unexpected(other)),
        }))
    }

    fn jobs_found(mut self: Box<Self>, view: &View<'_>, rows: Vec<JobRow>) -> Result<Reply, Refusal> {
        if let Some(ids) = &mut self.exact {
            let id = ids.pop_front().unwrap_or_default();
            let row = rows.into_iter().next().ok_or_else(|| Refusal::NoJob(id.to_string()))?;
            if self.jobs.iter().all(|known| known.job_id != row.job_id) {
                self.jobs.push(row);
            }
            return self.jobs_wanted(view);
        }
        match restore_selection::choose_jobs(&rows, self.words.value(&["fileset"])) {
            Ok(jobs) => self.jobs = jobs,
            Err(SelectionError::SeveralFileSets(names)) if asks(view.api()) && !self.words.has("yes") => {
                let title = ("The defined FileSet resources are:", "FileSet resource");
                return choice::one_of(view, &self.words, "fileset", title, names, "Name one: fileset=NAME.");
            }
            Err(error) => return Err(error.into()),
        }
        Ok(self.files_of_jobs(view))
    }

    /// Shows the jobs, and asks which files they have.
    fn files_of_jobs(mut self: Box<Self>, view: &View<'_>) -> Reply {
        self.jobs.sort_by_key(JobRow::place);
        if self.client.is_empty() {
            self.client = self.jobs.first().map(|job| job.client.clone()).unwrap_or_default();
        }
        if matches!(self.which, Which::Chosen) {
            return self.pieces_wanted();
        }
        let text = selected_jobs(view, &self.jobs);
        self.lists_wanted().after(text)
    }

    /// Asks for the first of the paths, or for all files.
    fn files_wanted(self: Box<Self>) -> Reply {
        let path = if let Which::Paths(paths) = &self.which { paths.front() } else { None };
        let only = path.map(|path| {
            let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
            // Whether it is a file or a folder, only the catalog knows.
            let folder = [&path[..end], b"/"].concat();
            if end < path.len() { vec![folder] } else { vec![path.clone(), folder] }
        });
        let request = CatalogRequest::FilesForRestore { jobs: ids(&self.jobs), only: only.unwrap_or_default() };
        Reply::ask(request, move |_, answer| match answer {
            CatalogAnswer::RestoreFiles(files) => self.files_found(files),
            other => Err(Refusal::unexpected(other)),
        })
    }

    fn files_found(mut self: Box<Self>, files: Vec<RestoreFiles>) -> Result<Reply, Refusal> {
        match &mut self.which {
            Which::Marked { .. } => {
                let growing = Box::new(Growing::new(files));
                let text = format!("\nBuilding directory tree for JobId(s) {} …", shown_ids(&self.jobs));
                return Ok(self.tree(growing, None).after(text));
            }
            Which::Paths(paths) => {
                if let Some(path) = paths.pop_front().filter(|_| files.is_empty()) {
                    return Err(Refusal::NotSaved(printable::name(&path)));
                }
                let is_last = paths.is_empty();
                self.files = restore_selection::join(std::mem::take(&mut self.files), files);
                if !is_last {
                    return Ok(self.files_wanted());
                }
            }
            Which::All | Which::Chosen => self.files = files,
        }
        Ok(self.pieces_wanted())
    }

    /// The next page of the files, until a person can walk through all of them.
    fn tree(self: Box<Self>, mut growing: Box<Growing>, after: Option<FileKey>) -> Reply {
        let request = CatalogRequest::KnownFiles { jobs: ids(&self.jobs), after, limit: PAGE };
        Reply::ask(request, move |view, answer| {
            let CatalogAnswer::FileList { files, next } = answer else { return Err(Refusal::unexpected(answer)) };
            files.iter().try_for_each(|file| growing.add(file)).map_err(|TooMany| Refusal::TooLargeTree)?;
            if next.is_some() {
                return Ok(self.tree(growing, next));
            }
            let all = matches!(self.which, Which::Marked { all: true });
            let tree = growing.grown();
            let text = format!("\n{} files inserted into the tree.\n", thousands(tree.files()));
            Ok(Shell::enter(view, tree, self, all).after(text))
        })
    }

    /// A person has marked files, which have so many bytes.
    ///
    /// # Errors
    /// There are none.
    pub(in super::super) fn chosen(
        mut self: Box<Self>,
        files: Vec<RestoreFiles>,
        bytes: u64,
    ) -> Result<Reply, Refusal> {
        if files.is_empty() {
            return Err(Refusal::NoFile);
        }
        (self.files, self.bytes) = (files, Some(bytes));
        Ok(self.pieces_wanted())
    }

    /// Asks where the files lie.
    fn pieces_wanted(self: Box<Self>) -> Reply {
        Reply::ask(CatalogRequest::JobMediaOf { jobs: ids(&self.jobs) }, move |view, answer| {
            let CatalogAnswer::Pieces(pieces) = answer else { return Err(Refusal::unexpected(answer)) };
            let device = |name: &str| view.config().storage(name).map(|storage| storage.device.clone());
            let selected = restore_selection::plan(&self.jobs, &self.files, &pieces, None, device)?;
            self.order(view, selected)
        })
    }

    /// Says what is read, and orders the job or asks whether to.
    fn order(mut self: Box<Self>, view: &View<'_>, selected: Selected) -> Result<Reply, Refusal> {
        let parts = selected.bootstrap.split_by_storage(|_, _| false);
        let ids = &view.ids().storages;
        let part = |(storage, bootstrap): (Option<String>, Bootstrap)| {
            let storage = storage.unwrap_or_default();
            RestorePart { storage_id: ids.get(&storage).copied().unwrap_or(0), storage, bootstrap }
        };
        let parts: VecDeque<RestorePart> = parts.into_iter().map(part).collect();
        let text: String = parts.iter().map(|part| needed_volumes(view.config(), part)).collect();
        let bytes = match self.bytes {
            Some(bytes) => suffixed(bytes),
            None => format!("about {}", suffixed(plan::about(&self.jobs, &self.files))),
        };
        let text = format!("{text}{} files selected to be restored.\nThey have {bytes}B.\n", selected.files);
        let reply = if self.words.has("plan") {
            let client = self.to_client.clone().unwrap_or_else(|| self.client.clone());
            let planned = Planned {
                client: client.clone(),
                to: self.to.clone(),
                replace: self.replace,
                files: selected.files,
                parts: parts.into(),
            };
            let (how, files) = ((&self.to, self.replace), std::mem::take(&mut self.files));
            let looking = Looking::new(client, how, files, move |_, seen| Ok(planned.reply(&seen)));
            looking.and_then(|looking| Box::new(looking).go_on(view))
        } else {
            self.order_parts(view, selected, parts)
        };
        Ok(reply.unwrap_or_else(Reply::refused).after(text))
    }

    fn order_parts(
        self: Box<Self>,
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
        let Self { words, client: from, to_client, job, plugin_options, files, to, replace, .. } = *self;
        let choice = Some((from.clone(), files));
        let plan = RestorePlan { rest: parts, gone, choice, ..RestorePlan::of_one(selected, to, replace) };
        let with = Resources { client: to_client.unwrap_or_else(|| from.clone()), fileset, storage, pool };
        // Announced with this level (`wire/3 §0.4`).
        let order = Order::of(job, JobType::Restore, JobLevel::Other(b' '), with);
        let mut order = Order { restore: Some(plan), catalog: Some(view.catalog().into()), ..order };
        order.terms.plugin_options = plugin_options;
        NoSuch::check_order(config, &order)?;
        if words.has("yes") {
            return Ok(Reply::Do(Instruction::Order(Box::new(order))));
        }
        Ok(modify::ask(view, Draft { order, from }))
    }
}

/// The numbers of jobs, with commas between them.
fn shown_ids(jobs: &[JobRow]) -> String {
    jobs.iter().map(|job| job.job_id.to_string()).collect::<Vec<_>>().join(",")
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
    let table = Table::of("jobs", SELECTION, &rows).text();
    let many = if jobs.len() > 1 { "s" } else { "" };
    format!("{table}You have selected the following JobId{many}: {}\n", shown_ids(jobs))
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
pub(in super::super) fn place_of_job(job: &Job) -> RestoreTo {
    let made =
        || Relocation::expression(job.strip_prefix.as_deref(), job.add_prefix.as_deref(), job.add_suffix.as_deref());
    match job.regex_where.clone().or_else(made) {
        Some(text) => RestoreTo::Regex(text),
        None => RestoreTo::Where(job.r#where.clone().unwrap_or_default()),
    }
}

/// The values of `file=` and `directory=` that are no lists. A folder is meant with all below it either way.
fn paths(words: &Words) -> Result<VecDeque<Vec<u8>>, Refusal> {
    let folder = |path: &[u8]| if path.ends_with(b"/") { path.to_vec() } else { [path, b"/"].concat() };
    let named = |word| words.values(word).filter(|value| !is_list(value));
    let paths: VecDeque<Vec<u8>> = named("file").map(<[u8]>::to_vec).chain(named("directory").map(folder)).collect();
    if let Some(path) = paths.iter().find(|path| !path.starts_with(b"/") && path.get(1) != Some(&b':')) {
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
    let chosen = match words.value(&["replace"]) {
        None => REPLACE.iter().find(|(_, meant, _)| *meant == of_job),
        Some(text) => REPLACE.iter().find(|(word, ..)| word.eq_ignore_ascii_case(text)),
    };
    let wrong =
        || BadValue::new("replace", words.value(&["replace"]).unwrap_or_default(), "always, ifnewer, ifolder or never");
    chosen.map(|(.., letter)| *letter).ok_or_else(wrong)
}

fn ids(jobs: &[JobRow]) -> Vec<u32> {
    jobs.iter().map(|job| job.job_id).collect()
}
