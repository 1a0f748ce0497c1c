//! `list`: what the catalog knows, filtered as the words say.

use crate::calendar::Zone;
use crate::catalog::{CatalogAnswer, CatalogRequest, ClientRow, FileKey, FileRow, JobFilter, JobRow, MediaRow};
use crate::printable;
use crate::wire::json::Json;
use crate::wire::status::{JobLevel, JobStatus, JobType};

use super::super::answer::{Cell, Column, Shown, Table};
use super::super::grammar::Takes::{Either, Nothing, Value};
use super::super::grammar::{Command, Form, Takes};
use super::super::output::Api;
use super::super::refusal::{BadValue, Kind, NoSuch, Refusal, number_of};
use super::super::reply::{Reply, View};
use super::super::words::Words;
use super::status::{duration, moment};

pub(super) const COMMAND: Command = Command {
    aliases: &["llist"],
    ..Command::new(
        "list",
        &[
            Form {
                subjects: &["jobs", "job", "jobid", "jobname"],
                words: JOBS,
                one_of: &[&["days", "hours"], &["job", "jobname"], &["joblevel", "level"]],
                help: &[(
                    "list jobs [jobid=N] [job=NAME] [client=NAME] [jobstatus=LETTERS] [jobtype=LETTERS] \
                     [joblevel=LETTERS] [days=N|hours=N] [last] [order=asc|desc] [limit=N] [offset=N]",
                    "jobs of the catalog, oldest first; last: only the newest of each name",
                )],
                ..Form::PLAIN
            },
            Form {
                subjects: &["files"],
                words: &[("jobid", Value)],
                help: &[("list files jobid=N", "what a job saved")],
                ..Form::PLAIN
            },
            Form {
                subjects: &["volumes", "media"],
                words: &[("pool", Value), ("all", Nothing)],
                one_of: &[&["pool", "all"]],
                help: &[("list volumes [pool=NAME]", "volumes of the catalog")],
                ..Form::PLAIN
            },
            Form { subjects: &["clients"], help: &[("list clients", "clients of the catalog")], ..Form::PLAIN },
            Form {
                subjects: &["joblog"],
                words: &[("jobid", Value)],
                help: &[("list joblog jobid=N", "what a job reported")],
                ..Form::PLAIN
            },
        ],
        run,
    )
};

const JOBS: &[(&str, Takes)] = &[
    ("jobid", Value),
    ("job", Either),
    ("jobname", Value),
    ("client", Value),
    ("jobstatus", Value),
    ("jobtype", Value),
    ("joblevel", Value),
    ("level", Value),
    ("days", Value),
    ("hours", Value),
    ("last", Nothing),
    ("order", Value),
    ("limit", Value),
    ("offset", Value),
];

/// Rows of a list that is not asked for fewer: its newest jobs.
const LIST_LIMIT: u32 = 10_000;

/// Files of a job shown at a time.
const PAGE: u32 = 1_000;

/// Files that a document may list: it must be whole before a console reads any of it.
const MAX_FILES: usize = 10_000;

/// Bytes of their names.
const MAX_FILE_BYTES: usize = 2 * 1024 * 1024;

/// What was said of a list of jobs.
#[derive(Clone, Copy, Debug)]
struct Listing {
    /// Somebody named the job: if there is none, that is an error.
    job_id: Option<u32>,
    /// The catalog gives the rows as they are to be shown; else newest first, to be shown the other way round.
    in_order: bool,
    /// The list is as long as one may be, and nobody has chosen its length.
    may_be_cut: bool,
}

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    Ok(match words.word(1).as_str() {
        "files" => {
            let job_id = wanted_job(words, "list files")?;
            of_job(job_id, files(job_id, None, Vec::new(), 0))
        }
        "joblog" => {
            let job_id = wanted_job(words, "list joblog")?;
            of_job(job_id, log(job_id))
        }
        "volumes" | "media" => volumes(words.value(&["pool"]).map(str::to_owned)),
        "clients" => clients(),
        _ => {
            let (filter, listing) = jobs_wanted(words, view.now())?;
            Reply::ask(CatalogRequest::ListJobs(filter), move |view, answer| jobs(view, listing, answer))
        }
    })
}

/// Goes on so if the catalog has the job.
fn of_job(job_id: u32, next: Reply) -> Reply {
    let known = CatalogRequest::ListJobs(JobFilter { limit: 1, job_id: Some(job_id), ..JobFilter::default() });
    Reply::ask(known, move |_, answer| match answer {
        CatalogAnswer::Jobs(rows) if rows.is_empty() => Err(Refusal::NoJob(job_id.to_string())),
        CatalogAnswer::Jobs(_) => Ok(next),
        other => Err(Refusal::unexpected(other)),
    })
}

fn jobs(view: &View<'_>, listing: Listing, answer: CatalogAnswer) -> Result<Reply, Refusal> {
    let CatalogAnswer::Jobs(mut rows) = answer else { return Err(Refusal::unexpected(answer)) };
    if let (Some(job_id), true) = (listing.job_id, rows.is_empty()) {
        return Err(Refusal::NoJob(job_id.to_string()));
    }
    let is_cut = listing.may_be_cut && rows.len() == LIST_LIMIT as usize;
    if !listing.in_order {
        rows.reverse();
    }
    let reply = Reply::found(table_of_jobs(rows, view.zone()));
    Ok(match is_cut {
        true => reply.after(format!("The newest {LIST_LIMIT} jobs; use limit= and offset= for others.\n")),
        false => reply,
    })
}

/// A page of a job's files, then the next. A document has them all, so they are gathered for it: `listed`, whose names
/// have so many bytes.
fn files(job_id: u32, after: Option<FileKey>, mut listed: Vec<FileRow>, mut bytes: usize) -> Reply {
    let request = CatalogRequest::ListFiles { job_id, after, limit: PAGE };
    Reply::ask(request, move |view, answer| {
        let CatalogAnswer::FileList { files: page, next } = answer else { return Err(Refusal::unexpected(answer)) };
        if matches!(view.api(), Api::Json { .. }) {
            bytes += page.iter().map(FileRow::bytes).sum::<usize>();
            listed.extend(page);
            if listed.len() > MAX_FILES || bytes > MAX_FILE_BYTES {
                return Err(Refusal::TooManyFiles(MAX_FILES));
            }
            return Ok(match next {
                Some(next) => files(job_id, Some(next), listed, bytes),
                None => Reply::found(Files(listed)),
            });
        }
        let page = Files(page).text();
        let rest = next.map_or_else(|| Reply::found(String::new()), |next| files(job_id, Some(next), Vec::new(), 0));
        Ok(if page.is_empty() { rest } else { Reply::Page(page, Box::new(rest)) })
    })
}

fn log(job_id: u32) -> Reply {
    Reply::ask(CatalogRequest::JobLog { job_id }, |_, answer| {
        let CatalogAnswer::Log(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        Ok(Reply::found(rows.iter().map(|row| row.text.as_str()).collect::<String>()))
    })
}

fn volumes(pool: Option<String>) -> Reply {
    Reply::ask(CatalogRequest::ListMedia { pool: pool.clone() }, move |view, answer| {
        let CatalogAnswer::Volumes(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        if let Some(pool) = pool.filter(|_| rows.is_empty()) {
            NoSuch::check(view.config(), Kind::Pool, &pool)?;
        }
        Ok(Reply::found(Table::of("volumes", VOLUMES, &rows)))
    })
}

fn clients() -> Reply {
    Reply::ask(CatalogRequest::ListClients, |_, answer| {
        let CatalogAnswer::Clients(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        Ok(Reply::found(Table::of("clients", CLIENTS, &rows)))
    })
}

/// The names of files, as a command takes them.
#[derive(Debug)]
struct Files(Vec<FileRow>);

impl Shown for Files {
    fn text(&self) -> String {
        self.0.iter().map(|file| format!(" {}\n", printable::name(&file.name))).collect()
    }

    fn json(&self) -> Option<Json> {
        let name = |file: &FileRow| Json::object([("filename", printable::name(&file.name).into())]);
        Some(Json::object([("filenames", Json::List(self.0.iter().map(name).collect()))]))
    }
}

/// A job of the catalog, and when it started in local time.
struct Listed(JobRow, String);

fn table_of_jobs(rows: Vec<JobRow>, zone: &Zone) -> Table {
    const JOBS: &[Column<Listed>] = &[
        Column("jobid", |row| Cell::id(row.0.job_id)),
        Column("name", |row| Cell::text_of(&row.0.name)),
        Column("client", |row| Cell::text_of(&row.0.client)),
        Column("starttime", |row| Cell::text_of(&row.1)),
        Column("duration", |row| Cell::Text(time_taken(&row.0))),
        Column("type", |row| Cell::letter(row.0.job_type)),
        Column("level", |row| Cell::letter(row.0.level)),
        Column("jobfiles", |row| Cell::count(row.0.job_files)),
        Column("jobbytes", |row| Cell::count(row.0.job_bytes)),
        Column("jobstatus", |row| Cell::letter(row.0.job_status)),
    ];
    let rows: Vec<Listed> =
        rows.into_iter().map(|row| (moment(row.start_time, zone), row)).map(|(at, row)| Listed(row, at)).collect();
    Table::of("jobs", JOBS, &rows)
}

const VOLUMES: &[Column<MediaRow>] = &[
    Column("mediaid", |row| Cell::id(row.media_id)),
    Column("volumename", |row| Cell::text_of(&row.volume_name)),
    Column("pool", |row| Cell::text_of(&row.pool)),
    Column("mediatype", |row| Cell::text_of(&row.media_type)),
    Column("volstatus", |row| Cell::text_of(row.vol_status.as_str())),
    Column("volbytes", |row| Cell::count(row.vol_bytes)),
    Column("volblocks", |row| Cell::count(row.vol_blocks)),
    Column("voljobs", |row| Cell::id(row.vol_jobs)),
    Column("storage", |row| Cell::text_of(&row.storage)),
];

const CLIENTS: &[Column<ClientRow>] = &[
    Column("clientid", |row| Cell::id(row.client_id)),
    Column("name", |row| Cell::text_of(&row.spec.name)),
    Column("fileretention", |row| retention(row.spec.file_retention)),
    Column("jobretention", |row| retention(row.spec.job_retention)),
    Column("uname", |row| Cell::text_of(&row.uname)),
];

fn retention(seconds: u64) -> Cell {
    match seconds {
        0 => Cell::text_of("as the volume"),
        seconds => Cell::Text(format!("{} days", seconds / 86_400)),
    }
}

/// How long a job took; nothing for one that never started, or has not ended.
fn time_taken(row: &JobRow) -> String {
    let has_both = row.start_time > 0 && row.end_time > 0;
    if has_both { duration(row.end_time - row.start_time) } else { String::new() }
}

fn wanted_job(words: &Words, command: &str) -> Result<u32, Refusal> {
    number_of(words, "jobid")?.ok_or_else(|| Refusal::usage(format!("Name a job: {command} jobid=N.")))
}

/// Which jobs, and how they are shown. `now` in seconds since 1970.
fn jobs_wanted(words: &Words, now: i64) -> Result<(JobFilter, Listing), Refusal> {
    let limit = number_of::<u32>(words, "limit")?;
    if limit == Some(0) {
        return Err(Refusal::usage("limit=0 lists nothing: use at least 1."));
    }
    if let Some(limit) = limit.filter(|limit| *limit > LIST_LIMIT) {
        return Err(Refusal::usage(format!(
            "limit={limit}: at most {LIST_LIMIT} jobs at once; offset= skips the first."
        )));
    }
    let newest_first = match words.value(&["order"]).map(str::to_lowercase).as_deref() {
        None | Some("asc" | "ascending") => false,
        Some("desc" | "descending") => true,
        Some(other) => return Err(BadValue::new("order", other, "asc or desc").into()),
    };
    let ago = |word, seconds: i64| -> Result<Option<i64>, BadValue> {
        Ok(number_of::<u32>(words, word)?.map(|many| now - i64::from(many) * seconds))
    };
    let (job_id, offset) = (number_of(words, "jobid")?, number_of::<u32>(words, "offset")?);
    let chosen = limit.is_some() || offset.is_some();
    let filter = JobFilter {
        limit: limit.unwrap_or(LIST_LIMIT),
        job_id,
        job: None,
        name: words.value(&["jobname", "job"]).map(str::to_owned),
        client: words.value(&["client"]).map(str::to_owned),
        statuses: letters(words, &["jobstatus"], |letter| {
            !matches!(JobStatus::from_letter(letter), JobStatus::Other(_))
        })?,
        types: letters(words, &["jobtype"], |letter| !matches!(JobType::from_letter(letter), JobType::Other(_)))?,
        levels: letters(words, &["joblevel", "level"], |letter| {
            !matches!(JobLevel::from_letter(letter), JobLevel::Other(_))
        })?,
        since: ago("days", 86_400)?.or(ago("hours", 3_600)?),
        last: words.has("last"),
        oldest_first: chosen && !newest_first,
        offset: offset.unwrap_or(0),
    };
    let listing = Listing { job_id, in_order: chosen || newest_first, may_be_cut: !chosen };
    Ok((filter, listing))
}

/// Letters with or without commas between them: `jobstatus=T,W`.
fn letters(words: &Words, keys: &[&'static str], is_known: fn(u8) -> bool) -> Result<Vec<u8>, BadValue> {
    let Some(text) = words.value(keys) else { return Ok(Vec::new()) };
    let letters: Vec<u8> = text.bytes().filter(|byte| *byte != b',').collect();
    if letters.is_empty() || !letters.iter().all(|letter| is_known(*letter)) {
        return Err(BadValue::new(keys[0], text, "letters as list jobs shows them, such as F or T,W"));
    }
    Ok(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(line: &str) -> Result<JobFilter, Refusal> {
        let words = Words::parse(line);
        match words.word(1).as_str() {
            command @ ("files" | "joblog") => {
                wanted_job(&words, &format!("list {command}")).map(|_| JobFilter::default())
            }
            _ => jobs_wanted(&words, 1_000_000).map(|(filter, _)| filter),
        }
    }

    #[test]
    fn each_word_of_a_list_of_jobs_chooses() {
        let all = JobFilter { limit: LIST_LIMIT, ..JobFilter::default() };
        for (line, wanted) in [
            ("list jobs", all.clone()),
            ("list jobs last", JobFilter { last: true, ..all.clone() }),
            ("list jobs jobid=7", JobFilter { job_id: Some(7), ..all.clone() }),
            ("list jobid=7", JobFilter { job_id: Some(7), ..all.clone() }),
            ("list job=b", JobFilter { name: Some("b".into()), ..all.clone() }),
            (
                "list jobs jobname=b client=c",
                JobFilter { name: Some("b".into()), client: Some("c".into()), ..all.clone() },
            ),
            ("list jobs jobstatus=T,W", JobFilter { statuses: b"TW".to_vec(), ..all.clone() }),
            (
                "list jobs jobtype=RB joblevel=F",
                JobFilter { types: b"RB".to_vec(), levels: b"F".to_vec(), ..all.clone() },
            ),
            ("list jobs days=2", JobFilter { since: Some(1_000_000 - 172_800), ..all.clone() }),
            ("list jobs hours=1", JobFilter { since: Some(1_000_000 - 3_600), ..all.clone() }),
            ("list jobs limit=2", JobFilter { limit: 2, oldest_first: true, ..JobFilter::default() }),
            ("list jobs limit=2 order=desc", JobFilter { limit: 2, ..JobFilter::default() }),
            ("list jobs limit=10000", JobFilter { oldest_first: true, ..all.clone() }),
            ("list jobs offset=3", JobFilter { oldest_first: true, offset: 3, ..all.clone() }),
        ] {
            assert_eq!(filter(line).unwrap_or_else(|why| panic!("{line}: {why}")), wanted, "{line}");
        }
    }

    #[test]
    fn a_value_that_means_nothing_is_refused() {
        for (line, text) in [
            ("list jobs limit=many", "limit=many: expected a number."),
            ("list jobs limit=0", "limit=0 lists nothing"),
            ("list jobs limit=10001", "limit=10001: at most 10000 jobs at once"),
            ("list jobs days=-1", "days=-1: expected a number."),
            ("list jobs jobid=x", "jobid=x: expected a number."),
            ("list jobs jobid=4294967296", "jobid=4294967296: expected a number."),
            ("list jobs jobstatus=X", "jobstatus=X: expected letters"),
            ("list jobs jobstatus=", "jobstatus=: expected letters"),
            ("list jobs level=full", "joblevel=full: expected letters"),
            ("list jobs order=up", "order=up: expected asc or desc."),
            ("list files", "Name a job: list files jobid=N."),
            ("list joblog jobid=one", "jobid=one: expected a number."),
        ] {
            let refused = filter(line).expect_err(line).to_string();
            assert!(refused.starts_with(text), "{line}: {refused}");
        }
    }
}
