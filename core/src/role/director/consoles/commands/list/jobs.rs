//! `list jobs`, `list backups`, `list jobtotals`.

use crate::catalog::{CatalogAnswer, CatalogRequest, JobFilter, JobRow, JobTotal, Listed, Listing};
use crate::wire::json::Json;
use crate::wire::status::{JobLevel, JobStatus, JobType};

use super::super::super::answer::{Both, Cell, Column, Table, Tables};
use super::super::super::refusal::{BadValue, Kind, NoSuch, Refusal, count_of, number_of};
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;
use super::super::status::duration;
use super::{Manner, list, unexpected};

/// Rows of a list that is not asked for fewer: its newest jobs.
const LIST_LIMIT: u32 = 10_000;

/// The names of types, and their letters.
const TYPES: [(&str, &str); 8] = [
    ("backup", "B"),
    ("restore", "R"),
    ("verify", "V"),
    ("admin", "D"),
    ("copy", "c"),
    ("migrate", "g"),
    ("consolidate", "O"),
    ("archive", "A"),
];

const STATUSES: [(&str, &str); 6] =
    [("terminated", "T"), ("warnings", "W"), ("canceled", "A"), ("running", "R"), ("error", "E"), ("fatal", "f")];

const LEVELS: [(&str, &str); 3] = [("full", "F"), ("differential", "D"), ("incremental", "I")];

/// What was said of a list of jobs.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    /// Somebody has named one job.
    is_one: bool,
    /// The catalog gives the rows as they are to be shown; else newest first, to be shown the other way round.
    in_order: bool,
    /// The list is as long as one may be, and nobody has chosen its length.
    may_be_cut: bool,
}

pub(super) fn run(view: &View<'_>, words: &Words, manner: Manner) -> Result<Reply, Refusal> {
    let (mut filter, wanted) = jobs_wanted(words, view.now())?;
    if let Some(names) = configured(view, words) {
        if names.is_empty() {
            return Ok(Reply::found(Table::of::<JobRow>("jobs", &[], &[])));
        }
        filter.names = names;
    }
    Ok(shown(filter, wanted, "jobs", manner))
}

/// The good backups of a client.
pub(super) fn backups(view: &View<'_>, words: &Words, manner: Manner) -> Result<Reply, Refusal> {
    let client =
        words.value(&["client"]).ok_or_else(|| Refusal::usage("Name the client: list backups client=NAME."))?;
    let (filter, wanted) = jobs_wanted(words, view.now())?;
    let statuses = if filter.statuses.is_empty() { b"TW".to_vec() } else { filter.statuses };
    let file_set = words.value(&["fileset"]).map(str::to_owned);
    NoSuch::check(view.config(), Kind::Client, client)?;
    let filter = JobFilter { statuses, file_set, types: b"B".to_vec(), ..filter };
    Ok(shown(filter, wanted, "backups", manner))
}

pub(super) fn totals() -> Reply {
    const EACH: &[Column<JobTotal>] = &[
        Column("jobs", |row| Cell::count(row.jobs)),
        Column("files", |row| Cell::count(row.files)),
        Column("bytes", |row| Cell::count(row.bytes)),
        Column("job", |row| Cell::text_of(&row.name)),
    ];
    const ALL: &[Column<JobTotal>] = &[
        Column("jobs", |row| Cell::count(row.jobs)),
        Column("files", |row| Cell::count(row.files)),
        Column("bytes", |row| Cell::count(row.bytes)),
    ];
    list(Listing::JobTotals, |_, listed| {
        let Listed::Totals(rows) = listed else { return Err(unexpected(listed)) };
        let sum = |of: fn(&JobTotal) -> u64| rows.iter().map(of).sum();
        let all = JobTotal {
            name: String::new(),
            jobs: sum(|row| row.jobs),
            files: sum(|row| row.files),
            bytes: sum(|row| row.bytes),
        };
        let tables = [Table::of("jobs", EACH, &rows), Table::of("jobtotals", ALL, [&all]).one()];
        Ok(Reply::found(Tables(tables.map(|table| (String::new(), table)).into())))
    })
}

/// The names of jobs that are configured and switched as the words say; `None` if these say nothing of it.
fn configured(view: &View<'_>, words: &Words) -> Option<Vec<String>> {
    let says = |either: [&str; 2]| either.iter().any(|word| words.has(word));
    let switched = says(["enabled", "enable"]).then_some(true);
    let switched = switched.or_else(|| says(["disabled", "disable"]).then_some(false));
    if !words.has("current") && switched.is_none() {
        return None;
    }
    let jobs = view.config().jobs.iter().filter(|job| switched.is_none_or(|enabled| job.enabled == enabled));
    Some(jobs.map(|job| job.name.clone()).collect())
}

fn shown(filter: JobFilter, wanted: Wanted, name: &'static str, manner: Manner) -> Reply {
    if manner.count {
        return list(Listing::CountJobs(filter), move |_, listed| match listed {
            Listed::Count(count) => Ok(Reply::found(Table::count(name, count))),
            other => Err(unexpected(other)),
        });
    }
    Reply::ask(CatalogRequest::ListJobs(filter), move |view, answer| {
        let CatalogAnswer::Jobs(mut rows) = answer else { return Err(Refusal::unexpected(answer)) };
        if wanted.is_one && rows.is_empty() {
            // As a real director says it: programs look for a row of an object that has none.
            let json = Json::object([(name, Json::Object(Vec::new()))]);
            let text = "No results to list.\n".to_owned();
            return Ok(Reply::found(Both { text, json }));
        }
        let is_cut = wanted.may_be_cut && rows.len() == LIST_LIMIT as usize;
        if !wanted.in_order {
            rows.reverse();
        }
        let columns = if manner.long { ALL } else { USUAL };
        let table = Table::of(name, columns, &rows).long(manner.long).within(manner.range).at(view.zone());
        let reply = Reply::found(table);
        Ok(match is_cut {
            true if wanted.in_order => {
                reply.after(format!("No more than {LIST_LIMIT} jobs are listed at once; use offset= for others.\n"))
            }
            true => reply.after(format!("The newest {LIST_LIMIT} jobs; use limit= and offset= for others.\n")),
            false => reply,
        })
    })
}

pub(in super::super) const USUAL: &[Column<JobRow>] = &[
    Column("jobid", |row| Cell::id(row.job_id)),
    Column("name", |row| Cell::text_of(&row.name)),
    Column("client", |row| Cell::text_of(&row.client)),
    Column("starttime", |row| Cell::Moment(row.start_time)),
    Column("duration", |row| Cell::Text(time_taken(row))),
    Column("type", |row| Cell::letter(row.job_type)),
    Column("level", |row| Cell::letter(row.level)),
    Column("jobfiles", |row| Cell::count(row.job_files)),
    Column("jobbytes", |row| Cell::count(row.job_bytes)),
    Column("jobstatus", |row| Cell::letter(row.job_status)),
];

const ALL: &[Column<JobRow>] = &[
    Column("jobid", |row| Cell::id(row.job_id)),
    Column("job", |row| Cell::text_of(&row.job)),
    Column("name", |row| Cell::text_of(&row.name)),
    Column("purgedfiles", |row| Cell::bit(row.purged_files)),
    Column("type", |row| Cell::letter(row.job_type)),
    Column("level", |row| Cell::letter(row.level)),
    Column("clientid", |row| Cell::id(row.client_id)),
    Column("client", |row| Cell::text_of(&row.client)),
    Column("jobstatus", |row| Cell::letter(row.job_status)),
    Column("schedtime", |row| Cell::Moment(row.sched_time)),
    Column("starttime", |row| Cell::Moment(row.start_time)),
    Column("endtime", |row| Cell::Moment(row.end_time)),
    Column("realendtime", |row| Cell::Moment(row.real_end_time)),
    Column("duration", |row| Cell::Text(time_taken(row))),
    Column("jobtdate", |row| Cell::count(u64::try_from(row.job_t_date).unwrap_or(0))),
    Column("volsessionid", |row| Cell::count(row.vol_session_id)),
    Column("volsessiontime", |row| Cell::count(row.vol_session_time)),
    Column("jobfiles", |row| Cell::count(row.job_files)),
    Column("jobbytes", |row| Cell::count(row.job_bytes)),
    Column("joberrors", |row| Cell::count(row.job_errors)),
    // No job of ours goes on where another one stopped.
    Column("jobmissingfiles", |_| Cell::count(0_u32)),
    Column("poolid", |row| Cell::id(row.pool_id)),
    Column("poolname", |row| Cell::text_of(&row.pool)),
    Column("priorjobid", |row| Cell::id(row.prior_job_id)),
    Column("filesetid", |row| Cell::id(row.file_set_id)),
    Column("fileset", |row| Cell::text_of(&row.file_set)),
];

/// How long a job took; nothing for one that never started, or has not ended.
fn time_taken(row: &JobRow) -> String {
    let has_both = row.start_time > 0 && row.end_time > 0;
    if has_both { duration(row.end_time - row.start_time) } else { String::new() }
}

/// Which jobs, and how they are shown. `now` in seconds since 1970.
fn jobs_wanted(words: &Words, now: i64) -> Result<(JobFilter, Wanted), Refusal> {
    let limit = count_of(words, "limit")?;
    let newest_first = match words.value(&["order"]).map(str::to_lowercase).as_deref() {
        None => words.has("reverse"),
        Some("asc" | "ascending") => false,
        Some("desc" | "descending") => true,
        Some(other) => return Err(BadValue::new("order", other, "asc or desc").into()),
    };
    let (job_id, offset) = (number_of(words, "jobid")?, count_of(words, "offset")?);
    let chosen = limit.is_some() || offset.is_some();
    let filter = JobFilter {
        limit: limit.unwrap_or(LIST_LIMIT).min(LIST_LIMIT),
        job_id,
        job: words.value(&["ujobid"]).map(str::to_owned),
        name: words.value(&["jobname", "job"]).map(str::to_owned),
        client: words.value(&["client"]).map(str::to_owned),
        pool: words.value(&["pool"]).map(str::to_owned),
        volume: words.value(&["volume"]).map(str::to_owned),
        statuses: statuses(words)?,
        types: types(words)?,
        levels: levels(words)?,
        since: since(words, now)?,
        last: words.has("last"),
        oldest_first: chosen && !newest_first,
        offset: offset.unwrap_or(0),
        ..JobFilter::default()
    };
    let may_be_cut = limit.is_none_or(|limit| limit > LIST_LIMIT);
    let is_one = filter.job_id.is_some() || filter.job.is_some();
    let wanted = Wanted { is_one, in_order: chosen || newest_first, may_be_cut };
    Ok((filter, wanted))
}

/// The moment of `days=` or `hours=` ago.
pub(super) fn since(words: &Words, now: i64) -> Result<Option<i64>, BadValue> {
    let ago = |word, seconds: i64| -> Result<Option<i64>, BadValue> {
        Ok(number_of::<u32>(words, word)?.map(|many| now - i64::from(many) * seconds))
    };
    Ok(ago("days", 86_400)?.or(ago("hours", 3_600)?))
}

/// The letters that the parts of a value stand for: names of a table, or letters themselves.
fn named(text: &str, table: &[(&str, &str)], is_known: fn(u8) -> bool) -> Option<Vec<u8>> {
    let letter = |part: &str| table.iter().find(|(name, _)| part.eq_ignore_ascii_case(name)).map(|(_, letter)| *letter);
    let short: String = text.split(',').map(|part| letter(part).unwrap_or(part)).collect();
    letters(&short, is_known)
}

/// The statuses: letters as below, or the names of those that a real director names.
pub(in super::super) fn statuses(words: &Words) -> Result<Vec<u8>, BadValue> {
    const KEY: &str = "jobstatus";
    let Some(text) = words.value(&[KEY]) else { return Ok(Vec::new()) };
    named(text, &STATUSES, |letter| !matches!(JobStatus::from_letter(letter), JobStatus::Other(_)))
        .ok_or_else(|| BadValue::new(KEY, text, "Terminated, Running and the like, or letters such as T or T,W"))
}

/// The types: letters as below, or their names.
fn types(words: &Words) -> Result<Vec<u8>, BadValue> {
    const KEY: &str = "jobtype";
    let Some(text) = words.value(&[KEY]) else { return Ok(Vec::new()) };
    named(text, &TYPES, |letter| !matches!(JobType::from_letter(letter), JobType::Other(_)))
        .ok_or_else(|| BadValue::new(KEY, text, "Backup, Restore and the like, or letters such as B or B,R"))
}

/// The levels: letters as below, or the names of the three that are scheduled.
fn levels(words: &Words) -> Result<Vec<u8>, BadValue> {
    const KEYS: &[&str] = &["joblevel", "level"];
    let Some(text) = words.value(KEYS) else { return Ok(Vec::new()) };
    named(text, &LEVELS, |letter| !matches!(JobLevel::from_letter(letter), JobLevel::Other(_)))
        .ok_or_else(|| BadValue::new(KEYS[0], text, "Full, Differential, Incremental, or letters such as F or F,I"))
}

/// Letters with or without commas between them: `T,W`.
/// `None` if there are none, or others.
fn letters(text: &str, is_known: fn(u8) -> bool) -> Option<Vec<u8>> {
    let letters: Vec<u8> = text.bytes().filter(|byte| *byte != b',').collect();
    Some(letters).filter(|letters| !letters.is_empty() && letters.iter().all(|letter| is_known(*letter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(line: &str) -> Result<JobFilter, Refusal> {
        let words = Words::parse(line);
        jobs_wanted(&words, 1_000_000).map(|(filter, _)| filter)
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
            ("list jobs level=full,I,Differential", JobFilter { levels: b"FID".to_vec(), ..all.clone() }),
            ("list jobs days=2", JobFilter { since: Some(1_000_000 - 172_800), ..all.clone() }),
            ("list jobs hours=1", JobFilter { since: Some(1_000_000 - 3_600), ..all.clone() }),
            ("list jobs limit=2", JobFilter { limit: 2, oldest_first: true, ..JobFilter::default() }),
            ("list jobs limit=2 order=desc", JobFilter { limit: 2, ..JobFilter::default() }),
            ("list jobs limit=10000", JobFilter { oldest_first: true, ..all.clone() }),
            ("list jobs limit=99999999999999", JobFilter { oldest_first: true, ..all.clone() }),
            ("list jobs jobstatus=Running,f", JobFilter { statuses: b"Rf".to_vec(), ..all.clone() }),
            ("list jobs jobtype=restore,B", JobFilter { types: b"RB".to_vec(), ..all.clone() }),
            ("list jobs offset=3", JobFilter { oldest_first: true, offset: 3, ..all.clone() }),
        ] {
            assert_eq!(filter(line).unwrap_or_else(|why| panic!("{line}: {why}")), wanted, "{line}");
        }
    }

    #[test]
    fn a_value_that_means_nothing_is_refused() {
        for (line, text) in [
            ("list jobs limit=many", "limit=many: expected a number."),
            ("list jobs days=-1", "days=-1: expected a number."),
            ("list jobs jobid=x", "jobid=x: expected a number."),
            ("list jobs jobid=4294967296", "jobid=4294967296: expected a number."),
            ("list jobs jobstatus=X", "jobstatus=X: expected Terminated"),
            ("list jobs jobstatus=", "jobstatus=: expected Terminated"),
            ("list jobs level=fullest", "joblevel=fullest: expected Full, Differential"),
            ("list jobs joblevel=", "joblevel=: expected Full, Differential"),
            ("list jobs order=up", "order=up: expected asc or desc."),
        ] {
            let refused = filter(line).expect_err(line).to_string();
            assert!(refused.starts_with(text), "{line}: {refused}");
        }
    }
}
