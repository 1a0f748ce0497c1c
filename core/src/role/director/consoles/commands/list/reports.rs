//! `list joblog` and `list log`: what jobs reported.

use crate::catalog::{CatalogAnswer, CatalogRequest, Listed, ListedLine, Listing, LogFilter, LogRow};

use super::super::super::answer::{Cell, Column, Table};
use super::super::super::refusal::Refusal;
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;
use super::jobs::since;
use super::{Manner, list, unexpected, with_job};

/// Lines of all reports that are listed when nobody says.
const LOG_LIMIT: u32 = 1_000;

/// Lines that may be asked for.
const MOST_LINES: u32 = 10_000;

const OF_JOB: &[Column<LogRow>] =
    &[Column("time", |row| Cell::Moment(row.time)), Column("logtext", |row| Cell::text_of(&row.text))];

const OF_ALL: &[Column<ListedLine>] = &[
    Column("logid", |row| Cell::id(row.log_id)),
    Column("jobname", |row| Cell::text_of(&row.name)),
    Column("clientname", |row| Cell::text_of(&row.client)),
    Column("time", |row| Cell::Moment(row.time)),
    Column("logtext", |row| Cell::text_of(&row.text)),
];

/// The report of one job.
pub(super) fn of_job(words: &Words, manner: Manner) -> Result<Reply, Refusal> {
    with_job(words, "list joblog", move |job| {
        Ok(Reply::ask(CatalogRequest::JobLog { job_id: job.job_id }, move |view, answer| {
            let CatalogAnswer::Log(rows) = answer else { return Err(Refusal::unexpected(answer)) };
            let table = manner.table(view, "joblog", &rows, (OF_JOB, OF_JOB));
            if manner.count || manner.long {
                return Ok(Reply::found(table));
            }
            let line = |row: &LogRow| format!(" {} {}\n", view.zone().local(row.time), row.text.trim_end());
            Ok(Reply::found(table.lines(rows.iter().map(line).collect())))
        }))
    })
}

/// The last lines of all.
pub(super) fn run(view: &View<'_>, words: &Words, manner: Manner) -> Result<Reply, Refusal> {
    if let Some(limit) = manner.range.limit.filter(|limit| *limit > MOST_LINES) {
        return Err(Refusal::usage(format!(
            "limit={limit}: at most {MOST_LINES} lines at once; offset= skips the newest."
        )));
    }
    let filter = LogFilter {
        name: words.value(&["job"]).map(str::to_owned),
        client: words.value(&["client"]).map(str::to_owned),
        since: since(words, view.now())?,
        newest_first: words.has("reverse"),
        limit: manner.range.limit.unwrap_or(LOG_LIMIT),
        offset: manner.range.offset.unwrap_or(0),
    };
    Ok(list(Listing::Log(filter), move |view, listed| {
        let Listed::Log(rows) = listed else { return Err(unexpected(listed)) };
        if manner.count {
            return Ok(Reply::found(Table::count("log", rows.len() as u64)));
        }
        let line = |row: &ListedLine| match manner.long {
            true => format!(" logtext: {}\n\n", row.text),
            false => format!(" {}\n", row.text.trim_end()),
        };
        let lines = rows.iter().map(line).collect();
        let table = Table::of("log", OF_ALL, &rows).within(manner.range).at(view.zone());
        Ok(Reply::found(table.lines(lines)))
    }))
}
