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
    pub(super) client: String,
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
            client: cell("client").unwrap_or_default().to_owned(),
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
            let names = names_of(&self.ask(command));
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

    /// What the client of a job says of those that run. None if that takes too long.
    ///
    /// # Errors
    /// The node has ended.
    pub(super) fn status_of_client(&mut self, job: &Job) -> Result<Option<String>, Ended> {
        let text = self.link.ask(&format!(".status client=\"{}\" running", job.client), WITHIN, MAX_ANSWER)?;
        self.has_news |= text.as_ref().is_some_and(|text| text.ends_with(NEWS));
        Ok(text)
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

/// The names in an answer, one a line, once each: a stock director lists levels for each type of job, and says first which catalog
/// it asks.
fn names_of(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    if text.contains("invalid command") {
        return names;
    }
    let is_name = |line: &&str| {
        !line.is_empty() && !["Using Catalog ", "Automatically selected "].iter().any(|words| line.starts_with(words))
    };
    for line in text.lines().map(str::trim_end).filter(is_name) {
        if !names.iter().any(|name| name == line) {
            names.push(line.to_owned());
        }
    }
    names
}

/// What a file daemon of either kind says of a job in its status: files and bytes.
pub(super) fn figures_of(text: &str, id: u32) -> Option<(u64, u64)> {
    let (mut is_next, mut is_it) = (false, false);
    let (mut files, mut bytes) = (None, None);
    let number = |text: &str| text.replace(',', "").parse::<u64>().ok();
    for word in text.split_whitespace() {
        if let Some(job) = word.strip_prefix("JobId=").or_else(|| is_next.then_some(word)) {
            is_it = number(job) == Some(id.into());
        } else if let Some(count) = word.strip_prefix("Files=").filter(|_| is_it) {
            files = files.or_else(|| number(count));
        } else if let Some(count) = word.strip_prefix("Bytes=").filter(|_| is_it) {
            bytes = bytes.or_else(|| number(count));
        }
        is_next = word == "JobId";
    }
    files.zip(bytes)
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
    fn names_come_once_and_without_what_a_stock_director_says_before_them() {
        let media = "Automatically selected Catalog: c\nUsing Catalog \"c\"\nFull-0001\nautodisable\n";
        assert_eq!(names_of(media), ["Full-0001", "autodisable"]);
        assert_eq!(names_of("Full\nBase\nFull\nIncremental\n"), ["Full", "Base", "Incremental"]);
        assert_eq!(names_of(".media: is an invalid command.\n"), [""; 0]);
    }

    #[test]
    fn figures_of_a_job_are_read_from_the_status_of_both_kinds_of_file_daemon() {
        let ours = "Connecting to Client f at f:9102\nJobId 5 Job b.2026-11-30_18.39.52_12 is running.\n    \
                    Backup Job started: 30-Nov-26 18:39, 1 s ago\n    Files=3 Bytes=7,748,629 Bytes/sec=2,001,894 Errors=0\n\
                    JobId 6 Job c.2026-11-30_18.39.52_13 is running.\n    Files=1 Bytes=2 Bytes/sec=2 Errors=0\n";
        assert_eq!([5, 6, 7].map(|id| figures_of(ours, id)), [Some((3, 7_748_629)), Some((1, 2)), None]);
        let theirs = "JobId=6\n Job=slow.2026-11-30_18.39.56_17\n VSS=0\n Level=F\n Files=282\n Bytes=50701\n Bytes/sec=50701\n \
                      Errors=0\nDirectorConnected=2026-11-30 18:39:59\n";
        assert_eq!(figures_of(theirs, 6), Some((282, 50_701)));
        assert_eq!(figures_of("JobId=6\n Files=282\n", 6), None);
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
        assert_eq!((job.id, job.bytes, job.has_ended(), &*job.client), (1204, 2000, false, "h-fd"));
        assert_eq!(job.about, "h-fd 2026-11-30 14:42:00");
    }
}
