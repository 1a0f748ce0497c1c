//! What jobs have reported: for the consoles while they are connected, and for the catalog for good.

use std::collections::VecDeque;

use crate::catalog::{CatalogRequest, LogRow};
use crate::ids::JobId;

/// Lines kept for the consoles, and lines that may wait for the catalog.
const MAX_LINES: usize = 10_000;

/// Bytes of the lines that are kept for the consoles: less than one answer may have.
const MAX_SHOWN: usize = 2 * 1024 * 1024;

/// Bytes of the lines that may wait for the catalog.
const MAX_UNSAVED: usize = 16 * 1024 * 1024;

/// The report lines of all jobs, in the order they came. Lines are counted from the director's start.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    lines: VecDeque<LogRow>,
    /// The bytes of their texts.
    bytes: usize,
    /// Lines that are no longer kept.
    dropped: u64,
    /// Lines that some console has been shown.
    shown: u64,
    /// Lines for the catalog, while another batch is on its way there.
    unsaved: Vec<LogRow>,
    unsaved_bytes: usize,
    /// Lines that did not fit into `unsaved`.
    lost: u64,
    saving: bool,
}

impl Journal {
    /// Writes a line.
    pub(crate) fn push(&mut self, job: JobId, time: i64, text: String) {
        let row = LogRow { job_id: job.0, time, text };
        if self.unsaved.len() < MAX_LINES && self.unsaved_bytes + row.text.len() <= MAX_UNSAVED {
            self.unsaved_bytes += row.text.len();
            self.unsaved.push(row.clone());
        } else {
            self.lost += 1;
        }
        self.bytes += row.text.len();
        self.lines.push_back(row);
        while self.lines.len() > MAX_LINES || self.bytes > MAX_SHOWN {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= oldest.text.len();
            self.dropped += 1;
        }
    }

    /// How many lines there have been in all.
    pub(crate) fn total(&self) -> u64 {
        self.dropped + self.lines.len() as u64
    }

    /// What a new console has not been shown: what no console has been shown.
    pub(crate) const fn shown(&self) -> u64 {
        self.shown
    }

    /// All lines have been shown to some console.
    pub(crate) fn note_shown(&mut self) {
        self.shown = self.total();
    }

    /// The lines after the first `seen`, as far as they are kept.
    pub(crate) fn since(&self, seen: u64) -> impl Iterator<Item = &LogRow> {
        let skip = usize::try_from(seen.saturating_sub(self.dropped)).unwrap_or(usize::MAX);
        self.lines.iter().skip(skip)
    }

    /// The next batch for the catalog; none while one is on its way or nothing is to be stored. So a slow disk makes
    /// batches larger instead of the queue longer.
    pub(crate) fn batch(&mut self) -> Option<CatalogRequest> {
        if self.saving || self.unsaved.is_empty() {
            return None;
        }
        self.saving = true;
        self.unsaved_bytes = 0;
        Some(CatalogRequest::AddLogs(std::mem::take(&mut self.unsaved)))
    }

    /// The batch has been stored or not. Gives the number of lines that found no room meanwhile.
    pub(crate) const fn saved(&mut self) -> u64 {
        self.saving = false;
        std::mem::replace(&mut self.lost, 0)
    }

    /// Whether nothing waits for the catalog.
    pub(crate) const fn is_saved(&self) -> bool {
        !self.saving && self.unsaved.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines after the first `seen`, now shown.
    fn shown(journal: &mut Journal, seen: u64) -> impl Iterator<Item = &LogRow> {
        journal.note_shown();
        journal.since(seen)
    }

    fn texts<'a>(rows: impl Iterator<Item = &'a LogRow>) -> Vec<&'a str> {
        rows.map(|row| row.text.as_str()).collect()
    }

    #[test]
    fn a_console_is_shown_each_line_once_and_a_later_one_only_what_nobody_saw() {
        let mut journal = Journal::default();
        journal.push(JobId(1), 5, "a".into());
        let early = journal.shown();
        assert_eq!(texts(shown(&mut journal, early)), ["a"]);
        let seen = journal.total();
        assert_eq!(journal.shown(), seen, "a new console would be shown nothing");
        journal.push(JobId(1), 6, "b".into());
        assert_eq!(texts(shown(&mut journal, seen)), ["b"]);
        assert_eq!(texts(shown(&mut journal, early)), ["a", "b"], "one that has not asked yet is shown both");
    }

    #[test]
    fn lines_go_to_the_catalog_in_batches_one_after_the_other() {
        let mut journal = Journal::default();
        assert_eq!(journal.batch(), None);
        journal.push(JobId(1), 5, "a".into());
        let row = |text: &str| LogRow { job_id: 1, time: 5, text: text.into() };
        assert_eq!(journal.batch(), Some(CatalogRequest::AddLogs(vec![row("a")])));
        journal.push(JobId(1), 5, "b".into());
        journal.push(JobId(1), 5, "c".into());
        assert_eq!(journal.batch(), None, "one is on its way");
        assert!(!journal.is_saved());
        assert_eq!(journal.saved(), 0);
        assert_eq!(journal.batch(), Some(CatalogRequest::AddLogs(vec![row("b"), row("c")])));
        journal.saved();
        assert!(journal.is_saved());
    }

    #[test]
    fn at_most_ten_thousand_lines_are_kept_and_wait() {
        let mut journal = Journal::default();
        for n in 0..=MAX_LINES {
            journal.push(JobId(1), 5, n.to_string());
        }
        assert_eq!(journal.total(), MAX_LINES as u64 + 1);
        assert_eq!(shown(&mut journal, 0).next().map(|row| row.text.as_str()), Some("1"), "the oldest is gone");
        match journal.batch() {
            Some(CatalogRequest::AddLogs(rows)) => assert_eq!(rows.len(), MAX_LINES),
            other => panic!("{other:?}"),
        }
        assert_eq!(journal.saved(), 1, "and the catalog misses the newest");
    }

    #[test]
    fn long_lines_are_kept_and_wait_up_to_a_number_of_bytes() {
        let mut journal = Journal::default();
        let line = "x".repeat(16 * 1024);
        for _ in 0..MAX_UNSAVED / line.len() {
            journal.push(JobId(1), 5, line.clone());
        }
        assert_eq!(journal.lost, 0);
        journal.push(JobId(1), 5, "y".into());
        assert_eq!(
            (journal.lost, shown(&mut journal, 0).count()),
            (1, MAX_SHOWN / line.len()),
            "the oldest is gone, too"
        );
        assert!(journal.batch().is_some());
        journal.push(JobId(1), 5, line);
        assert_eq!(journal.lost, 1, "the next batch has room");
    }
}
