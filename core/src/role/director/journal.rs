//! What jobs have reported: for the consoles while they are connected, and for the catalog for good.

use std::collections::{BTreeMap, VecDeque};

use crate::catalog::{CatalogName, CatalogRequest, LogRow};
use crate::ids::JobId;

/// Lines kept for the consoles, and lines that may wait for one catalog.
const MAX_LINES: usize = 10_000;

/// Bytes of the lines that are kept for the consoles: less than one answer may have.
const MAX_SHOWN: usize = 2 * 1024 * 1024;

/// Bytes of the lines that may wait for one catalog.
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
    /// What waits for each catalog.
    unsaved: BTreeMap<CatalogName, Unsaved>,
}

/// Lines for a catalog, while another batch is on its way there.
#[derive(Debug, Default)]
struct Unsaved {
    rows: Vec<LogRow>,
    bytes: usize,
    /// Lines that did not fit into `rows`.
    lost: u64,
    saving: bool,
}

/// Who keeps a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) by_catalog: bool,
    pub(crate) for_consoles: bool,
}

impl Kept {
    /// Both.
    #[cfg(test)]
    const ALL: Self = Self { by_catalog: true, for_consoles: true };
}

impl Unsaved {
    fn push(&mut self, row: LogRow) {
        if self.rows.len() < MAX_LINES && self.bytes + row.text.len() <= MAX_UNSAVED {
            self.bytes += row.text.len();
            self.rows.push(row);
        } else {
            self.lost += 1;
        }
    }
}

impl Journal {
    /// Writes a line of a job of this catalog, for consoles, the catalog or both.
    pub(crate) fn push(&mut self, catalog: &CatalogName, job: JobId, time: i64, text: String, kept: Kept) {
        let row = LogRow { job_id: job.0, time, text };
        if kept.by_catalog {
            if !self.unsaved.contains_key(catalog) {
                self.unsaved.insert(catalog.clone(), Unsaved::default());
            }
            if let Some(unsaved) = self.unsaved.get_mut(catalog) {
                unsaved.push(row.clone());
            }
        }
        if kept.for_consoles {
            self.show(row);
        }
    }

    fn show(&mut self, row: LogRow) {
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

    /// The next batch for a catalog; none for one that another is on its way to, or that nothing is to be stored in. So a slow
    /// disk makes batches larger instead of the queue longer.
    pub(crate) fn batch(&mut self) -> Option<(CatalogName, CatalogRequest)> {
        let is_due = |unsaved: &Unsaved| !unsaved.saving && !unsaved.rows.is_empty();
        let (catalog, unsaved) = self.unsaved.iter_mut().find(|(_, unsaved)| is_due(unsaved))?;
        unsaved.saving = true;
        unsaved.bytes = 0;
        Some((catalog.clone(), CatalogRequest::AddLogs(std::mem::take(&mut unsaved.rows))))
    }

    /// The batch for this catalog has been stored or not. Gives the number of lines that found no room meanwhile.
    pub(crate) fn saved(&mut self, catalog: &CatalogName) -> u64 {
        let Some(unsaved) = self.unsaved.get_mut(catalog) else { return 0 };
        unsaved.saving = false;
        std::mem::replace(&mut unsaved.lost, 0)
    }

    /// Whether nothing waits for any catalog.
    pub(crate) fn is_saved(&self) -> bool {
        self.unsaved.values().all(|unsaved| !unsaved.saving && unsaved.rows.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> CatalogName {
        "MyCatalog".into()
    }

    fn lost(journal: &Journal) -> u64 {
        journal.unsaved.values().map(|unsaved| unsaved.lost).sum()
    }

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
        journal.push(&name(), JobId(1), 5, "a".into(), Kept::ALL);
        let early = journal.shown();
        assert_eq!(texts(shown(&mut journal, early)), ["a"]);
        let seen = journal.total();
        assert_eq!(journal.shown(), seen, "a new console would be shown nothing");
        journal.push(&name(), JobId(1), 6, "b".into(), Kept::ALL);
        assert_eq!(texts(shown(&mut journal, seen)), ["b"]);
        assert_eq!(texts(shown(&mut journal, early)), ["a", "b"], "one that has not asked yet is shown both");
    }

    #[test]
    fn lines_go_to_the_catalog_in_batches_one_after_the_other() {
        let mut journal = Journal::default();
        assert_eq!(journal.batch(), None);
        journal.push(&name(), JobId(1), 5, "a".into(), Kept::ALL);
        let row = |text: &str| LogRow { job_id: 1, time: 5, text: text.into() };
        assert_eq!(journal.batch(), Some((name(), CatalogRequest::AddLogs(vec![row("a")]))));
        journal.push(&name(), JobId(1), 5, "b".into(), Kept::ALL);
        journal.push(&name(), JobId(1), 5, "c".into(), Kept::ALL);
        assert_eq!(journal.batch(), None, "one is on its way");
        assert!(!journal.is_saved());
        assert_eq!(journal.saved(&name()), 0);
        assert_eq!(journal.batch(), Some((name(), CatalogRequest::AddLogs(vec![row("b"), row("c")]))));
        journal.saved(&name());
        assert!(journal.is_saved());
    }

    #[test]
    fn at_most_ten_thousand_lines_are_kept_and_wait() {
        let mut journal = Journal::default();
        for n in 0..=MAX_LINES {
            journal.push(&name(), JobId(1), 5, n.to_string(), Kept::ALL);
        }
        assert_eq!(journal.total(), MAX_LINES as u64 + 1);
        assert_eq!(shown(&mut journal, 0).next().map(|row| row.text.as_str()), Some("1"), "the oldest is gone");
        match journal.batch() {
            Some((_, CatalogRequest::AddLogs(rows))) => assert_eq!(rows.len(), MAX_LINES),
            other => panic!("{other:?}"),
        }
        assert_eq!(journal.saved(&name()), 1, "and the catalog misses the newest");
    }

    #[test]
    fn long_lines_are_kept_and_wait_up_to_a_number_of_bytes() {
        let mut journal = Journal::default();
        let line = "x".repeat(16 * 1024);
        for _ in 0..MAX_UNSAVED / line.len() {
            journal.push(&name(), JobId(1), 5, line.clone(), Kept::ALL);
        }
        assert_eq!(lost(&journal), 0);
        journal.push(&name(), JobId(1), 5, "y".into(), Kept::ALL);
        assert_eq!(
            (lost(&journal), shown(&mut journal, 0).count()),
            (1, MAX_SHOWN / line.len()),
            "the oldest is gone, too"
        );
        assert!(journal.batch().is_some());
        journal.push(&name(), JobId(1), 5, line, Kept::ALL);
        assert_eq!(lost(&journal), 1, "the next batch has room");
    }

    #[test]
    fn a_catalog_that_takes_nothing_keeps_no_lines_from_the_others() {
        let mut journal = Journal::default();
        let (away, here): (CatalogName, CatalogName) = ("Away".into(), "Here".into());
        journal.push(&away, JobId(1), 5, "a".into(), Kept::ALL);
        assert_eq!(journal.batch().map(|(catalog, _)| catalog), Some(away.clone()));
        journal.push(&away, JobId(1), 5, "b".into(), Kept::ALL);
        journal.push(&here, JobId(2), 5, "c".into(), Kept::ALL);
        assert_eq!(journal.batch().map(|(catalog, _)| catalog), Some(here.clone()));
        assert_eq!(journal.batch(), None);
        journal.saved(&here);
        assert!(!journal.is_saved(), "one is still away");
        journal.saved(&away);
        assert_eq!(journal.batch().map(|(catalog, _)| catalog), Some(away.clone()));
        journal.saved(&away);
        assert!(journal.is_saved());
    }
}
