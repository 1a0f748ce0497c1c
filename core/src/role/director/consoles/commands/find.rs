//! `find`: where a file is saved, by its name, across jobs and clients.
//!
//! Jobs are looked through newest first, so many at a time as have some hundred thousand files together: no question keeps
//! the catalog for long, and whatever is cut off at the end is what is oldest.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::catalog::{CatalogAnswer, CatalogRequest, FileRow, JobFilter, JobRow, NamePattern};
use crate::printable;
use crate::quantity::either;
use crate::role::report::thousands;
use crate::wire::attributes::Stat;
use crate::wire::json::Json;
use crate::wire::status::JobType;

use super::super::answer::{Both, Cell, Column, Shown, Table};
use super::super::grammar::Takes::Value;
use super::super::grammar::{Command, Form};
use super::super::refusal::{BadValue, Kind, NoSuch, Refusal, count_of};
use super::super::reply::{Reply, View};
use super::super::words::Words;
use super::restore::before;

pub(super) const COMMAND: Command = Command::new(
    "find",
    &[Form {
        words: &[
            ("name", Value),
            ("client", Value),
            ("job", Value),
            ("before", Value),
            ("at", Value),
            ("limit", Value),
        ],
        one_of: &[&["before", "at"]],
        help: &[(
            "find name=PATTERN [client=NAME] [job=NAME] [before=WHEN|at=WHEN] [limit=N]",
            "where files are saved, by their names: * is any letters, ? one, [a-z] one of a set; with a slash the end of a \
             path; without capital letters both kinds are meant",
        )],
        ..Form::PLAIN
    }],
    run,
);

/// How it is used.
const USAGE: &str = "Give a name: find name=*.kdbx, or find name=*.kdbx client=NAME.";

/// Files that are shown unless a limit is said, and at most.
const SHOWN: u32 = 100;
const MOST_SHOWN: u32 = 1_000;

/// Jobs of a page of the catalog.
const JOBS: u32 = 1_000;

/// Jobs of one question, and about how many files they have together.
const MOST_JOBS: usize = 50;
const MOST_FILES: u32 = 200_000;

/// Files of one answer.
const FOUND: u32 = 2_000;

/// A look through jobs that is under way.
#[derive(Debug)]
struct Finding {
    name: NamePattern,
    filter: JobFilter,
    /// Only jobs that began before this.
    before: i64,
    /// Files that are shown.
    limit: usize,
    /// Jobs that are still to be looked through, newest first; and those that are.
    rest: VecDeque<JobRow>,
    asked: BTreeMap<u32, JobRow>,
    found: Vec<Found>,
    /// Where those of a client and path are.
    places: BTreeMap<(String, Vec<u8>), usize>,
    /// There is more than is shown.
    more: bool,
    /// Jobs whose files are not in the catalog any more.
    purged: u32,
}

/// A file of a client, as its newest backup has it.
#[derive(Debug)]
struct Found {
    job_id: u32,
    client: String,
    path: Vec<u8>,
    started: i64,
    size: u64,
    mtime: i64,
    /// Times of change and sizes that backups have of it.
    versions: BTreeSet<(i64, i64)>,
}

const COLUMNS: &[Column<Found>] = &[
    Column("jobid", |row| Cell::id(row.job_id)),
    Column("client", |row| Cell::text_of(&row.client)),
    Column("saved", |row| Cell::Moment(row.started)),
    Column("changed", |row| Cell::Moment(row.mtime)),
    Column("bytes", |row| Cell::count(row.size)),
    Column("versions", |row| Cell::count(row.versions.len() as u64)),
    Column("file", |row| Cell::text_of(printable::name(&row.path))),
];

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let text = words.values("name").next().ok_or_else(|| Refusal::usage(USAGE))?;
    let wrong = || BadValue::new("name", &printable::name(text), "a name of at most 1000 bytes, as in *.kdbx");
    let name = NamePattern::new(text).ok_or_else(wrong)?;
    let (client, job) = (words.value(&["client"]), words.value(&["job"]));
    if let Some(client) = client {
        NoSuch::check(view.config(), Kind::Client, client)?;
    }
    if let Some(job) = job {
        NoSuch::check(view.config(), Kind::Job, job)?;
    }
    let filter = JobFilter {
        limit: JOBS,
        client: client.map(str::to_owned),
        name: job.map(str::to_owned),
        types: vec![JobType::Backup.letter()],
        statuses: b"TW".to_vec(),
        ..JobFilter::default()
    };
    let finding = Finding {
        name,
        filter,
        before: before(view, words)?,
        limit: count_of(words, "limit")?.unwrap_or(SHOWN).clamp(1, MOST_SHOWN) as usize,
        rest: VecDeque::new(),
        asked: BTreeMap::new(),
        found: Vec::new(),
        places: BTreeMap::new(),
        more: false,
        purged: 0,
    };
    Ok(Box::new(finding).jobs_wanted().using())
}

impl Finding {
    /// Asks for the next page of jobs.
    fn jobs_wanted(mut self: Box<Self>) -> Reply {
        let request = CatalogRequest::ListJobs(self.filter.clone());
        Reply::ask(request, move |view, answer| {
            let CatalogAnswer::Jobs(rows) = answer else { return Err(Refusal::unexpected(answer)) };
            let is_last = rows.is_empty();
            self.filter.offset = self.filter.offset.saturating_add(JOBS);
            let rows = rows.into_iter().filter(|row| row.start_time < self.before && row.job_files > 0);
            let (purged, rows): (Vec<_>, Vec<_>) = rows.partition(|row| row.purged_files);
            self.purged = self.purged.saturating_add(u32::try_from(purged.len()).unwrap_or(u32::MAX));
            self.rest.extend(rows);
            Ok(if is_last { self.shown(view) } else { self.files_wanted() })
        })
    }

    /// Asks for the files of the next few jobs.
    fn files_wanted(mut self: Box<Self>) -> Reply {
        let mut files = 0_u32;
        self.asked.clear();
        let mut jobs = Vec::new();
        while jobs.len() < MOST_JOBS && files < MOST_FILES {
            let Some(job) = self.rest.pop_front() else { break };
            files = files.saturating_add(job.job_files);
            jobs.push(job.job_id);
            self.asked.insert(job.job_id, job);
        }
        if jobs.is_empty() {
            return self.jobs_wanted();
        }
        let request = CatalogRequest::FindFiles { jobs, name: self.name.clone(), limit: FOUND };
        Reply::ask(request, move |_, answer| {
            let CatalogAnswer::FileList { files, .. } = answer else { return Err(Refusal::unexpected(answer)) };
            self.more |= files.len() >= FOUND as usize;
            files.into_iter().for_each(|file| self.take(file));
            Ok(self.files_wanted())
        })
    }

    /// Takes a file of one of the jobs that were asked for.
    fn take(&mut self, file: FileRow) {
        let Some(job) = self.asked.get(&file.job_id) else { return };
        let stat = Stat::decode(&file.lstat);
        let version = (stat.mtime, stat.size);
        let key = (job.client.clone(), file.name);
        if let Some(found) = self.places.get(&key).and_then(|at| self.found.get_mut(*at)) {
            found.versions.insert(version);
            // Jobs of one question come together, in whatever order.
            if found.job_id < file.job_id {
                (found.job_id, found.started) = (file.job_id, job.start_time);
                (found.size, found.mtime) = (u64::try_from(stat.size).unwrap_or(0), stat.mtime);
            }
            return;
        }
        if self.found.len() >= self.limit {
            self.more = true;
            return;
        }
        let (client, path) = key.clone();
        self.places.insert(key, self.found.len());
        self.found.push(Found {
            job_id: file.job_id,
            client,
            path,
            started: job.start_time,
            size: u64::try_from(stat.size).unwrap_or(0),
            mtime: stat.mtime,
            versions: BTreeSet::from([version]),
        });
    }

    fn shown(mut self: Box<Self>, view: &View<'_>) -> Reply {
        self.found.sort_by(|one, other| (&one.client, &one.path).cmp(&(&other.client, &other.path)));
        let table = Table::of("files", COLUMNS, &self.found).at(view.zone());
        let mut text = if self.found.is_empty() { "No file of this name is saved.\n".to_owned() } else { table.text() };
        if self.more {
            text += "There are more: narrow the pattern, name a client, or raise limit=N.\n";
        }
        if self.purged > 0 {
            let many = thousands(u64::from(self.purged));
            let jobs = either(self.purged, "job was not searched: its", "jobs were not searched: their");
            text += &format!("{many} {jobs} files are no longer in the catalog.\n");
        }
        if let [first, ..] = self.found.as_slice() {
            let (id, path) = (first.job_id, printable::name(&first.path));
            text += &format!("To restore the first: restore jobid={id} file=\"{path}\" done\n");
        }
        let mut json = table.members();
        json.push(("complete".to_owned(), Json::Bool(!self.more && self.purged == 0)));
        Reply::found(Both { text, json: Json::Object(json) })
    }
}
