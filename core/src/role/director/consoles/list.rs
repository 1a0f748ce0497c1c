//! `list`: what the catalog knows, filtered as the words say.

use crate::ids::ConnId;
use crate::role::director::Net;
use crate::wire::status::{JobLevel, JobStatus, JobType};

use super::super::Director;
use super::commands::number_of;
use super::words::Words;
use super::{Asked, show};
use crate::catalog::{CatalogRequest, JobFilter, JobRow};

/// Rows of a list that is not asked for fewer: its newest jobs.
const LIST_LIMIT: u32 = 10_000;

/// What was said of a list of jobs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing {
    /// Somebody named the job: if there is none, that is an error.
    job_id: Option<u32>,
    /// The catalog gives the rows as they are to be shown; else newest first, to be shown the other way round.
    in_order: bool,
    /// The list is as long as one may be, and nobody has chosen its length.
    may_be_cut: bool,
}

impl Director {
    pub(super) fn list(&mut self, net: &mut Net, conn: ConnId, words: &Words) {
        match read(words, net.wall().seconds()) {
            Ok((asked, request)) => self.console_asks(net, conn, asked, request),
            Err(text) => self.console_fails(net, conn, &text),
        }
    }

    pub(super) fn show_jobs(&mut self, net: &mut Net, conn: ConnId, listing: Listing, mut rows: Vec<JobRow>) {
        if let (Some(job_id), true) = (listing.job_id, rows.is_empty()) {
            return self.console_fails(net, conn, &no_job(&job_id.to_string()));
        }
        if listing.may_be_cut && rows.len() == LIST_LIMIT as usize {
            let text = format!("The newest {LIST_LIMIT} jobs; for others say limit= and offset=.\n");
            self.console_prints(net, conn, &text);
        }
        if listing.in_order {
            rows.reverse();
        }
        let answer = show::jobs(&rows, &self.identity.zone).answer(self.api_of(conn));
        self.console_answers(net, conn, answer);
    }

    /// Goes on with a list about one job, if the catalog has it.
    pub(super) fn list_of_job(
        &mut self,
        net: &mut Net,
        conn: ConnId,
        job_id: u32,
        (asked, request): (Asked, CatalogRequest),
        rows: &[JobRow],
    ) {
        if rows.is_empty() {
            return self.console_fails(net, conn, &no_job(&job_id.to_string()));
        }
        self.console_asks(net, conn, asked, request);
    }
}

/// A sentence about a job that the catalog does not have.
pub(super) fn no_job(wanted: &str) -> String {
    format!("The catalog has no job \"{wanted}\": list jobs shows those it has.\n")
}

/// What the catalog is asked. `now` in seconds since 1970.
fn read(words: &Words, now: i64) -> Result<(Asked, CatalogRequest), String> {
    Ok(match words.word(1).as_str() {
        "files" => {
            let job_id = wanted_job(words, "list files")?;
            let request = CatalogRequest::ListFiles { job_id, after: None, limit: show::PAGE };
            of_job(job_id, Asked::Files(job_id), request)
        }
        "joblog" => {
            let job_id = wanted_job(words, "list joblog")?;
            of_job(job_id, Asked::Log, CatalogRequest::JobLog { job_id })
        }
        "volumes" | "media" => {
            let pool = words.value(&["pool"]).map(str::to_owned);
            (Asked::Volumes(pool.clone()), CatalogRequest::ListMedia { pool })
        }
        "clients" => (Asked::Clients, CatalogRequest::ListClients),
        _ => jobs(words, now)?,
    })
}

fn of_job(job_id: u32, asked: Asked, request: CatalogRequest) -> (Asked, CatalogRequest) {
    let known = CatalogRequest::ListJobs(JobFilter { limit: 1, job_id: Some(job_id), ..JobFilter::default() });
    (Asked::Known(job_id, Box::new((asked, request))), known)
}

fn wanted_job(words: &Words, command: &str) -> Result<u32, String> {
    number_of(words, "jobid")?.ok_or_else(|| format!("Say of which job: {command} jobid=N.\n"))
}

fn jobs(words: &Words, now: i64) -> Result<(Asked, CatalogRequest), String> {
    let limit = number_of::<u32>(words, "limit")?;
    if limit == Some(0) {
        return Err("limit=0 lists nothing: say how many at most.\n".to_owned());
    }
    if let Some(limit) = limit.filter(|limit| *limit > LIST_LIMIT) {
        return Err(format!("limit={limit}: at most {LIST_LIMIT} jobs at once; offset= passes over the first.\n"));
    }
    let newest_first = match words.value(&["order"]).map(str::to_lowercase).as_deref() {
        None | Some("asc" | "ascending") => false,
        Some("desc" | "descending") => true,
        Some(other) => return Err(format!("order={other}: say asc or desc.\n")),
    };
    let ago = |word, seconds: i64| -> Result<Option<i64>, String> {
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
    Ok((Asked::Jobs(listing), CatalogRequest::ListJobs(filter)))
}

/// Letters with or without commas between them: `jobstatus=T,W`.
fn letters(words: &Words, keys: &[&str], is_known: fn(u8) -> bool) -> Result<Vec<u8>, String> {
    let Some(text) = words.value(keys) else { return Ok(Vec::new()) };
    let letters: Vec<u8> = text.bytes().filter(|byte| *byte != b',').collect();
    if letters.is_empty() || !letters.iter().all(|letter| is_known(*letter)) {
        return Err(format!("{}={text}: say letters as list jobs shows them, such as F or T,W.\n", keys[0]));
    }
    Ok(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(line: &str) -> Result<JobFilter, String> {
        match read(&Words::parse(line), 1_000_000)? {
            (_, CatalogRequest::ListJobs(filter)) => Ok(filter),
            (_, other) => panic!("{other:?}"),
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
            assert_eq!(filter(line), Ok(wanted), "{line}");
        }
    }

    #[test]
    fn a_value_that_means_nothing_is_refused() {
        for (line, text) in [
            ("list jobs limit=many", "limit=many: say a number."),
            ("list jobs limit=0", "limit=0 lists nothing"),
            ("list jobs limit=10001", "limit=10001: at most 10000 jobs at once"),
            ("list jobs days=-1", "days=-1: say a number."),
            ("list jobs jobid=x", "jobid=x: say a number."),
            ("list jobs jobid=4294967296", "jobid=4294967296: say a number."),
            ("list jobs jobstatus=X", "jobstatus=X: say letters"),
            ("list jobs jobstatus=", "jobstatus=: say letters"),
            ("list jobs level=full", "joblevel=full: say letters"),
            ("list jobs order=up", "order=up: say asc or desc."),
            ("list files", "Say of which job: list files jobid=N."),
            ("list joblog jobid=one", "jobid=one: say a number."),
        ] {
            let refused = filter(line).expect_err(line);
            assert!(refused.starts_with(text), "{line}: {refused}");
        }
    }
}
