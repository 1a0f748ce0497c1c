//! What is asked of the director beside the operator's lines: the names for completion, and how far jobs are.

use std::collections::BTreeMap;
use std::time::Duration;

use towline_core::wire::console::NEWS;

use super::super::link::{Ended, Link};
use super::complete::Usage;
use super::paint::has_ended;
use super::table;

/// How long an answer may take; then there is nothing to choose from.
const WITHIN: Duration = Duration::from_secs(3);
/// Bytes of the longest answer.
const MAX_ANSWER: usize = 1 << 20;
/// Jobs that are offered.
const MAX_JOBS: usize = 30;

/// A director that is asked in passing.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) link: Link,
    commands: Vec<Usage>,
    names: BTreeMap<&'static str, Vec<String>>,
    /// It has said in passing that there are messages.
    has_news: bool,
}

/// A job of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) level: String,
    pub(super) status: u8,
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// Its client and its start.
    pub(super) about: String,
}

impl Job {
    fn of(row: &[(&str, &str)]) -> Option<Self> {
        let cell = |heading| table::cell(row, heading);
        let number = |heading| cell(heading).and_then(|text| text.replace(',', "").parse().ok());
        let [status] = cell("jobstatus")?.as_bytes() else { return None };
        Some(Self {
            id: cell("jobid")?.replace(',', "").parse().ok()?,
            name: cell("name")?.to_owned(),
            level: cell("level").unwrap_or_default().to_owned(),
            status: *status,
            files: number("jobfiles").unwrap_or_default(),
            bytes: number("jobbytes").unwrap_or_default(),
            about: [cell("client"), cell("starttime")].into_iter().flatten().collect::<Vec<_>>().join(" "),
        })
    }

    pub(super) const fn has_ended(&self) -> bool {
        has_ended(self.status)
    }
}

impl Asking {
    pub(super) const fn new(link: Link) -> Self {
        Self { link, commands: Vec::new(), names: BTreeMap::new(), has_news: false }
    }

    /// The commands that the console may say.
    pub(super) fn commands(&mut self) -> &[Usage] {
        if self.commands.is_empty() {
            self.commands = self.ask(".help").lines().filter_map(Usage::parse).collect();
        }
        &self.commands
    }

    /// The command that a word means.
    pub(super) fn command(&mut self, word: &str) -> Option<&Usage> {
        let all = self.commands();
        all.iter().find(|usage| usage.name == word).or_else(|| all.iter().find(|usage| usage.name.starts_with(word)))
    }

    /// The names that a command lists.
    pub(super) fn names(&mut self, command: &'static str) -> &[String] {
        if !self.names.contains_key(command) {
            let text = self.ask(command);
            let lines =
                text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with("Using Catalog "));
            let names = if text.contains("invalid command") { Vec::new() } else { lines.map(str::to_owned).collect() };
            self.names.insert(command, names);
        }
        self.names.get(command).map_or(&[], Vec::as_slice)
    }

    /// The newest jobs, newest first.
    pub(super) fn jobs(&mut self) -> Vec<Job> {
        for line in ["list jobs days=2", "list jobs last"] {
            let text = self.ask(line);
            let mut jobs: Vec<Job> = table::rows(&text).iter().filter_map(|row| Job::of(row)).collect();
            if !jobs.is_empty() {
                jobs.sort_by_key(|job| std::cmp::Reverse(job.id));
                jobs.truncate(MAX_JOBS);
                return jobs;
            }
        }
        Vec::new()
    }

    /// A job, if the director tells.
    ///
    /// # Errors
    /// The node has ended.
    pub(super) fn job(&mut self, id: u32) -> Result<Option<Job>, Ended> {
        let text = self.try_to_ask(&format!("list jobid={id}"))?;
        Ok(table::rows(&text).iter().filter_map(|row| Job::of(row)).find(|job| job.id == id))
    }

    /// The newest good job before another one that did the same.
    ///
    /// # Errors
    /// The node has ended.
    pub(super) fn before(&mut self, job: &Job) -> Result<Option<Job>, Ended> {
        let text = self.try_to_ask(&format!("list jobs job=\"{}\"", job.name))?;
        let all = table::rows(&text).into_iter().filter_map(|row| Job::of(&row));
        let alike =
            all.filter(|other| other.id < job.id && other.level == job.level && matches!(other.status, b'T' | b'W'));
        Ok(alike.max_by_key(|other| other.id))
    }

    /// The numbers of the jobs that run or wait, if the director tells.
    ///
    /// # Errors
    /// The node has ended.
    pub(super) fn running(&mut self) -> Result<Option<Vec<u32>>, Ended> {
        Ok(running(&self.try_to_ask(".status dir running")?))
    }

    /// What was learnt may not be so any more.
    pub(super) fn forget(&mut self) {
        self.names.clear();
    }

    /// Whether it has said in passing that there are messages; said once.
    pub(super) const fn take_news(&mut self) -> bool {
        std::mem::replace(&mut self.has_news, false)
    }

    /// An end of the node is seen by whoever waits for the next line.
    fn ask(&mut self, line: &str) -> String {
        self.try_to_ask(line).unwrap_or_default()
    }

    fn try_to_ask(&mut self, line: &str) -> Result<String, Ended> {
        let text = self.link.ask(line, WITHIN, MAX_ANSWER)?.unwrap_or_default();
        match text.strip_suffix(NEWS) {
            Some(rest) => {
                self.has_news = true;
                Ok(rest.to_owned())
            }
            None => Ok(text),
        }
    }
}

/// The jobs of `Running Jobs:`, in a line each that begins with the number or with `JobId` and the number.
fn running(text: &str) -> Option<Vec<u32>> {
    if !text.contains("Running Jobs:") {
        return None;
    }
    let id = |line: &str| {
        let mut words = line.trim_start().trim_start_matches("JobId ").split_whitespace();
        words.next()?.parse().ok()
    };
    Some(text.lines().filter_map(id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_jobs_are_read_from_the_status_of_both_kinds_of_director() {
        let ours = "\nRunning Jobs:\nConsole connected at 30-Nov-26 14:42\n  JobId 1 Job h.2026-11-30_14.42.00_00 is running for 00:00:05: the end\n====\n";
        assert_eq!(running(ours), Some(vec![1]));
        let theirs = "Running Jobs:\nConsole connected at 30-Nov-26\n JobId  Level    Name                       Status\n======\n    12  Full    b.2026-11-30 is running\n    13  Incr    c.2026 is waiting\n====\n";
        assert_eq!(running(theirs), Some(vec![12, 13]));
        assert_eq!(running("Running Jobs:\nNo Jobs running.\n====\n"), Some(Vec::new()));
        assert_eq!(running(".status: is an invalid command.\n"), None);
    }

    #[test]
    fn a_job_is_a_row_of_the_list() {
        let text = "+-------+------+--------+---------------------+----------+-------+----------+-----------+\n\
                    | jobid | name | client | starttime           | jobfiles | level | jobbytes | jobstatus |\n\
                    +-------+------+--------+---------------------+----------+-------+----------+-----------+\n\
                    | 1,204 | h    | h-fd   | 2026-11-30 14:42:00 |        1 | F     |    2,000 | R         |\n\
                    +-------+------+--------+---------------------+----------+-------+----------+-----------+\n";
        let rows = table::rows(text);
        let job = Job::of(&rows[0]).unwrap();
        assert_eq!((job.id, job.bytes, job.has_ended()), (1204, 2000, false));
        assert_eq!(job.about, "h-fd 2026-11-30 14:42:00");
    }
}
