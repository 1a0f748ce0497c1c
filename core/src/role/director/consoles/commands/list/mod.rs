//! `list` and `llist`: what the catalog knows, filtered as the words say. `list` shows the usual columns in a frame, `llist`
//! all of them, a value a line.

mod files;
mod jobs;
mod names;
mod reports;
mod volumes;

use crate::catalog::{CatalogAnswer, CatalogRequest, JobFilter, Listed, Listing};

use super::super::answer::{Range, Table};
use super::super::grammar::Takes::{Either, Nothing, Value};
use super::super::grammar::{Command, Form, Takes};
use super::super::refusal::{Refusal, count_of, number_of};
use super::super::reply::{Reply, View};
use super::super::words::Words;

pub(super) use jobs::statuses;

pub(super) const COMMAND: Command = Command { aliases: &["llist"], ..Command::new("list", FORMS, run) };

const FORMS: &[Form] = &[
    Form {
        subjects: &["jobs", "job", "jobid", "ujobid", "jobname"],
        words: JOBS,
        one_of: &[
            &["days", "hours"],
            &["jobid", "ujobid"],
            &["job", "jobname"],
            &["joblevel", "level"],
            &["order", "reverse"],
            &["enabled", "enable", "disabled", "disable"],
        ],
        help: &[(
            "list jobs [jobid=N] [job=NAME] [client=NAME] [pool=NAME] [volume=NAME] [jobstatus=LETTERS] \
             [jobtype=LETTERS] [joblevel=LETTERS] [days=N|hours=N] [current] [enabled|disabled] [last] [count] \
             [order=asc|desc] [limit=N] [offset=N]",
            "jobs of the catalog, oldest first; last: only the newest of each name; current: only of jobs that are configured",
        )],
        ..Form::PLAIN
    },
    Form {
        subjects: &["files"],
        words: &[("jobid", Value), ("ujobid", Value), ("limit", Value), ("offset", Value)],
        one_of: ONE_JOB,
        help: &[("list files jobid=N [limit=N] [offset=N]", "what a job saved")],
        ..Form::PLAIN
    },
    Form {
        subjects: &["volumes", "volume", "media", "mediaid", "volumeid"],
        words: &[
            ("volume", Either),
            ("media", Either),
            ("mediaid", Value),
            ("volumeid", Value),
            ("pool", Value),
            ("jobid", Value),
            ("ujobid", Value),
            ("all", Nothing),
            ("count", Nothing),
            ("limit", Value),
            ("offset", Value),
        ],
        one_of: &[&["pool", "all"], &["mediaid", "volumeid", "jobid", "ujobid", "pool"]],
        help: &[
            (
                "list volumes [pool=NAME|all] [count] [limit=N] [offset=N]",
                "volumes of the catalog, by pool, or all in one",
            ),
            ("list volume=NAME|mediaid=N", "one volume"),
            ("list volumes jobid=N", "the volumes that hold a job"),
        ],
        ..Form::PLAIN
    },
    Form {
        subjects: &["clients", "client"],
        words: &[("client", Either), ("current", Nothing), ("count", Nothing), ("limit", Value), ("offset", Value)],
        help: &[("list clients [current] [count], list client=NAME", "clients of the catalog")],
        ..Form::PLAIN
    },
    Form {
        subjects: &["pools", "pool", "poolid"],
        words: &[
            ("pool", Either),
            ("poolid", Value),
            ("current", Nothing),
            ("count", Nothing),
            ("limit", Value),
            ("offset", Value),
        ],
        one_of: &[&["pool", "poolid"]],
        help: &[("list pools [current] [count], list pool=NAME|poolid=N", "pools of the catalog")],
        ..Form::PLAIN
    },
    Form {
        subjects: &["storages", "storage"],
        words: &[("storage", Either), ("current", Nothing), ("count", Nothing), ("limit", Value), ("offset", Value)],
        help: &[("list storages [current] [count]", "storages of the catalog")],
        ..Form::PLAIN
    },
    Form {
        subjects: &["filesets", "fileset"],
        words: &[
            ("fileset", Either),
            ("filesetid", Value),
            ("jobid", Value),
            ("ujobid", Value),
            ("current", Nothing),
            ("count", Nothing),
            ("limit", Value),
            ("offset", Value),
        ],
        one_of: &[&["filesetid", "jobid", "ujobid"]],
        help: &[(
            "list filesets [current] [count], list fileset jobid=N|filesetid=N|fileset=NAME",
            "filesets of the catalog",
        )],
        ..Form::PLAIN
    },
    Form {
        subjects: &["joblog"],
        words: &[("jobid", Value), ("ujobid", Value), ("count", Nothing), ("limit", Value), ("offset", Value)],
        one_of: ONE_JOB,
        help: &[("list joblog jobid=N", "what a job reported")],
        ..Form::PLAIN
    },
    Form {
        subjects: &["log"],
        words: &[
            ("job", Value),
            ("client", Value),
            ("days", Value),
            ("hours", Value),
            ("reverse", Nothing),
            ("count", Nothing),
            ("limit", Value),
            ("offset", Value),
        ],
        one_of: &[&["days", "hours"]],
        help: &[(
            "list log [job=NAME] [client=NAME] [days=N|hours=N] [reverse] [limit=N] [offset=N]",
            "the last lines of all reports; reverse: the newest first",
        )],
        ..Form::PLAIN
    },
    Form {
        subjects: &["jobmedia"],
        words: &[("jobid", Value), ("ujobid", Value), ("count", Nothing), ("limit", Value), ("offset", Value)],
        one_of: ONE_JOB,
        help: &[("list jobmedia [jobid=N]", "where jobs lie on volumes")],
        ..Form::PLAIN
    },
    Form {
        subjects: &["jobtotals"],
        help: &[("list jobtotals", "what the backups of each job saved together")],
        ..Form::PLAIN
    },
    Form {
        subjects: &["jobstatistics", "jobstats"],
        words: &[("jobid", Value)],
        help: &[("list jobstatistics [jobid=N]", "how fast jobs were; none of it is collected")],
        ..Form::PLAIN
    },
    Form {
        subjects: &["basefiles"],
        words: &[("jobid", Value), ("ujobid", Value)],
        one_of: ONE_JOB,
        help: &[("list basefiles jobid=N", "what a job took from a base job; there are no base jobs")],
        ..Form::PLAIN
    },
    Form {
        subjects: &["copies"],
        words: &[("jobid", Value), ("ujobid", Value), ("count", Nothing), ("limit", Value), ("offset", Value)],
        one_of: ONE_JOB,
        help: &[("list copies [jobid=N]", "which jobs have copies, and where")],
        ..Form::PLAIN
    },
    Form {
        subjects: &["backups"],
        words: &[
            ("client", Value),
            ("fileset", Value),
            ("jobstatus", Value),
            ("joblevel", Value),
            ("level", Value),
            ("days", Value),
            ("hours", Value),
            ("order", Value),
            ("reverse", Nothing),
            ("count", Nothing),
            ("limit", Value),
            ("offset", Value),
        ],
        one_of: &[&["days", "hours"], &["joblevel", "level"], &["order", "reverse"]],
        help: &[("list backups client=NAME [fileset=NAME] [order=asc|desc]", "the good backups of a client")],
        ..Form::PLAIN
    },
    Form {
        subjects: &["nextvol", "nextvolume"],
        words: &[("job", Value)],
        help: &[("list nextvol job=NAME", "the volume that a job would write to now")],
        ..Form::PLAIN
    },
];

const ONE_JOB: &[&[&str]] = &[&["jobid", "ujobid"]];

const JOBS: &[(&str, Takes)] = &[
    ("jobid", Value),
    ("ujobid", Value),
    ("job", Value),
    ("jobname", Value),
    ("jobs", Nothing),
    ("client", Value),
    ("pool", Value),
    ("volume", Value),
    ("jobstatus", Value),
    ("jobtype", Value),
    ("joblevel", Value),
    ("level", Value),
    ("days", Value),
    ("hours", Value),
    ("current", Nothing),
    ("enabled", Nothing),
    ("enable", Nothing),
    ("disabled", Nothing),
    ("disable", Nothing),
    ("last", Nothing),
    ("count", Nothing),
    ("order", Value),
    ("reverse", Nothing),
    ("limit", Value),
    ("offset", Value),
];

/// What was said of a list besides which rows.
#[derive(Clone, Copy, Debug)]
struct Manner {
    /// All columns, a value a line.
    long: bool,
    /// Only how many.
    count: bool,
    /// Only rows of what is configured.
    current: bool,
    range: Range,
}

impl Manner {
    fn of(words: &Words) -> Result<Self, Refusal> {
        let range = Range { limit: count_of(words, "limit")?, offset: count_of(words, "offset")? };
        if range.limit == Some(0) {
            return Err(Refusal::usage("limit=0 lists nothing: use at least 1."));
        }
        let long = words.word(0).starts_with("ll");
        Ok(Self { long, count: words.has("count"), current: words.has("current"), range })
    }

    /// A list of all rows as a table of those that were asked for. The columns are the usual ones, and all of them.
    fn table<R>(
        self,
        view: &View<'_>,
        name: &'static str,
        rows: &[R],
        (usual, all): (&[super::super::answer::Column<R>], &[super::super::answer::Column<R>]),
    ) -> Table {
        let skipped = self.range.offset.unwrap_or(0) as usize;
        let most = self.range.limit.map_or(usize::MAX, |limit| limit as usize);
        let rows: Vec<&R> = rows.iter().skip(skipped).take(most).collect();
        if self.count {
            return Table::count(name, rows.len() as u64);
        }
        let columns = if self.long { all } else { usual };
        Table::of(name, columns, rows).long(self.long).within(self.range).at(view.zone())
    }
}

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let manner = Manner::of(words)?;
    match words.word(1).as_str() {
        "files" => files::run(view, words, manner),
        "basefiles" => with_job(words, "list basefiles", |_| Ok(Reply::found(Table::of::<u8>("files", &[], &[])))),
        "joblog" => reports::of_job(words, manner),
        "log" => reports::run(view, words, manner),
        "volumes" | "volume" | "media" | "mediaid" | "volumeid" => volumes::run(view, words, manner),
        "nextvol" | "nextvolume" => volumes::next(view, words),
        "jobmedia" => volumes::pieces(words, manner),
        "copies" => volumes::copies(words, manner),
        "clients" | "client" => Ok(names::clients(words, manner)),
        "pools" | "pool" | "poolid" => names::pools(words, manner),
        "storages" | "storage" => Ok(names::storages(words, manner)),
        "filesets" | "fileset" => names::file_sets(words, manner),
        "jobtotals" => Ok(jobs::totals()),
        "jobstatistics" | "jobstats" => Ok(Reply::found(Table::of::<u8>("jobstats", &[], &[]))),
        "backups" => jobs::backups(view, words, manner),
        _ => jobs::run(view, words, manner),
    }
}

/// Asks the catalog for a list.
fn list(listing: Listing, then: impl FnOnce(&View<'_>, Listed) -> Result<Reply, Refusal> + Send + 'static) -> Reply {
    Reply::ask(CatalogRequest::List(listing), move |view, answer| match answer {
        CatalogAnswer::Listed(listed) => then(view, listed),
        other => Err(Refusal::unexpected(other)),
    })
}

/// The catalog has answered another question.
fn unexpected(listed: Listed) -> Refusal {
    Refusal::unexpected(CatalogAnswer::Listed(listed))
}

/// The job that the words name, and must name: goes on with its row if the catalog has it.
fn with_job(
    words: &Words,
    command: &str,
    then: impl FnOnce(crate::catalog::JobRow) -> Result<Reply, Refusal> + Send + 'static,
) -> Result<Reply, Refusal> {
    let (job_id, job) = (number_of(words, "jobid")?, words.value(&["ujobid"]).map(str::to_owned));
    if job_id.is_none() && job.is_none() {
        return Err(Refusal::usage(format!("Name a job: {command} jobid=N.")));
    }
    let wanted = job.clone().or_else(|| job_id.map(|id: u32| id.to_string())).unwrap_or_default();
    let known = CatalogRequest::ListJobs(JobFilter { limit: 1, job_id, job, ..JobFilter::default() });
    Ok(Reply::ask(known, move |_, answer| {
        let CatalogAnswer::Jobs(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        then(rows.into_iter().next().ok_or(Refusal::NoJob(wanted))?)
    }))
}
