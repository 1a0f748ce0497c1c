//! Gives names to the files that a storage daemon did not find on the volumes of a restore any more: it knows their
//! numbers, the catalog the names.

use std::collections::BTreeMap;

use crate::bulk::gaps::parse_gone;
use crate::printable;
use crate::wire::block::Session;

use super::{CatalogRequest, FileKey, FileRow, JobRow};

/// Files asked of the catalog at a time.
const PAGE: u32 = 1_000;
/// Most files of one restore that are named; the others are counted.
const MOST_NAMED: u64 = 1_000;
/// Most runs of numbers that are kept of one restore.
const MOST_RUNS: usize = 10_000;

/// What is gone, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Gone {
    /// The jobs whose files are restored.
    jobs: BTreeMap<Session, u32>,
    /// Runs of FileIndexes by job.
    files: BTreeMap<u32, Vec<(u32, u32)>>,
    runs: usize,
    named: u64,
}

impl Gone {
    /// Nothing yet, of a restore of these jobs.
    #[must_use]
    pub fn of(jobs: &[JobRow]) -> Self {
        let session = |job: &JobRow| Session { id: job.vol_session_id, time: job.vol_session_time };
        Self { jobs: jobs.iter().map(|job| (session(job), job.job_id)).collect(), ..Self::default() }
    }

    /// Takes a line of a storage daemon.
    pub fn hear(&mut self, line: &str) {
        let Some((session, files)) = parse_gone(line) else { return };
        let Some(job_id) = self.jobs.get(&session) else { return };
        let room = MOST_RUNS - self.runs;
        self.runs += files.len().min(room);
        self.files.entry(*job_id).or_default().extend(files.into_iter().take(room));
    }

    /// What to ask the catalog next; `None` when all that is gone has its name.
    #[must_use]
    pub fn ask(&self, after: Option<FileKey>) -> Option<CatalogRequest> {
        let job_id = *self.files.first_key_value()?.0;
        Some(CatalogRequest::ListFiles { job_id, after, limit: PAGE })
    }

    /// Takes a page of the files of the job that was asked for.
    pub fn take(&mut self, files: &[FileRow], is_last: bool, notes: &mut Vec<String>) {
        let Some(entry) = self.files.first_entry() else { return };
        let is_gone = |file: &&FileRow| entry.get().iter().any(|run| (run.0..=run.1).contains(&file.file_index));
        for file in files.iter().filter(is_gone) {
            self.named += 1;
            if self.named <= MOST_NAMED {
                notes.push(format!("Gone: {}: it lay in a damaged part of its volume", printable::name(&file.name)));
            } else if self.named == MOST_NAMED + 1 {
                notes.push(format!("More than {MOST_NAMED} files are gone: the others are not named."));
            }
        }
        if is_last {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(lines: &[&str]) -> Gone {
        let job = |job_id, vol_session_id| JobRow { job_id, vol_session_id, vol_session_time: 9, ..JobRow::default() };
        let mut gone = Gone::of(&[job(3, 1), job(5, 2)]);
        lines.iter().for_each(|line| gone.hear(line));
        gone
    }

    fn asked(gone: &Gone) -> Option<u32> {
        match gone.ask(None)? {
            CatalogRequest::ListFiles { job_id, .. } => Some(job_id),
            other => panic!("{other:?}"),
        }
    }

    fn row(file_index: u32) -> FileRow {
        let name = format!("/{file_index}\n").into_bytes();
        FileRow { job_id: 1, file_index, name, lstat: Vec::new(), md5: Vec::new(), delta_seq: 0 }
    }

    #[test]
    fn the_jobs_that_have_lost_files_are_asked_for_one_after_the_other_and_no_others() {
        assert_eq!(
            asked(&heard(&["Error: something else", "damage on the volumes, session 7/9, gone: 1 (T0552)"])),
            None
        );
        let damage =
            ["damage on the volumes, session 2/9, gone: 4 6-7 (T0552)", "damage on the volumes, session 1/9, gone: 1"];
        let (mut gone, mut notes) = (heard(&damage), Vec::new());
        assert_eq!(asked(&gone), Some(3));
        gone.take(&[row(1), row(2)], true, &mut notes);
        assert_eq!(asked(&gone), Some(5));
        gone.take(&[row(1), row(4), row(5)], false, &mut notes);
        assert_eq!(asked(&gone), Some(5));
        gone.take(&[row(7)], true, &mut notes);
        assert_eq!(asked(&gone), None);
        let names: Vec<_> = notes.iter().map(|note| note.split(": ").nth(1).unwrap()).collect();
        assert_eq!(names, ["/1\\x0a", "/4\\x0a", "/7\\x0a"]);
    }

    #[test]
    fn a_thousand_files_are_named_and_ten_thousand_runs_kept_and_not_one_more() {
        let (mut gone, mut notes) = (heard(&["damage on the volumes, session 1/9, gone: 1-5000"]), Vec::new());
        gone.take(&(1..=1_000).map(row).collect::<Vec<_>>(), false, &mut notes);
        assert_eq!(notes.len(), 1_000);
        gone.take(&(1_001..=1_003).map(row).collect::<Vec<_>>(), true, &mut notes);
        assert!(notes.len() == 1_001 && notes[1_000].starts_with("More than"), "{}", notes[1_000]);
        let line = format!("damage on the volumes, session 1/9, gone: {}", "1 ".repeat(MOST_RUNS - 1));
        let mut gone = heard(&[&line]);
        for _ in 0..3 {
            gone.hear("damage on the volumes, session 1/9, gone: 7");
        }
        assert_eq!(gone.files[&3].len(), MOST_RUNS);
    }
}
