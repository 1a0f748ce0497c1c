//! What jobs have reported: for the consoles while they are connected, and for the catalog for good.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

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

/// Lines for a catalog, while another batch is on its way there, or until it takes lines again.
#[derive(Debug, Default)]
struct Unsaved {
    rows: Vec<LogRow>,
    bytes: usize,
    /// Lines that did not fit into `rows`.
    lost: u64,
    /// The batch on its way.
    saving: Option<Arc<[LogRow]>>,
    taking: Taking,
}

/// Whether a catalog takes lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Taking {
    #[default]
    Yes,
    /// It has refused some.
    No,
    /// It has refused some, and is to be asked again.
    Perhaps,
}

/// What came of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Saved {
    /// Lines that have found no room meanwhile.
    pub(crate) lost: u64,
    /// Whether that changes whether the catalog takes lines.
    pub(crate) is_news: bool,
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

    /// The next batch for a catalog; none for one that another is on its way to, that nothing is to be stored in, or that has
    /// refused one, unless it is the last chance. So a slow disk makes batches larger instead of the queue longer.
    pub(crate) fn batch(&mut self, is_last_chance: bool) -> Option<(CatalogName, CatalogRequest)> {
        let is_due = |unsaved: &Unsaved| {
            unsaved.saving.is_none() && !unsaved.rows.is_empty() && (is_last_chance || unsaved.taking != Taking::No)
        };
        let (catalog, unsaved) = self.unsaved.iter_mut().find(|(_, unsaved)| is_due(unsaved))?;
        let rows: Arc<[LogRow]> = std::mem::take(&mut unsaved.rows).into();
        unsaved.saving = Some(rows.clone());
        unsaved.bytes = 0;
        Some((catalog.clone(), CatalogRequest::AddLogs(rows)))
    }

    /// The batch for this catalog has been stored, or never will be.
    pub(crate) fn saved(&mut self, catalog: &CatalogName) -> Saved {
        let Some(unsaved) = self.unsaved.get_mut(catalog) else { return Saved::default() };
        unsaved.saving = None;
        let is_news = std::mem::take(&mut unsaved.taking) != Taking::Yes;
        Saved { lost: std::mem::take(&mut unsaved.lost), is_news }
    }

    /// The batch for this catalog was not stored now: it waits until [`ask_again`](Self::ask_again), before what came later.
    pub(crate) fn refused(&mut self, catalog: &CatalogName) -> Saved {
        let Some(unsaved) = self.unsaved.get_mut(catalog) else { return Saved::default() };
        if let Some(refused) = unsaved.saving.take() {
            unsaved.bytes += refused.iter().map(|row| row.text.len()).sum::<usize>();
            unsaved.rows.splice(..0, refused.iter().cloned());
        }
        let is_news = std::mem::replace(&mut unsaved.taking, Taking::No) == Taking::Yes;
        Saved { lost: std::mem::take(&mut unsaved.lost), is_news }
    }

    /// Catalogs that have refused lines may take them again.
    pub(crate) fn ask_again(&mut self) {
        let refusing = self.unsaved.values_mut().filter(|unsaved| unsaved.taking == Taking::No);
        refusing.for_each(|unsaved| unsaved.taking = Taking::Perhaps);
    }

    /// Whether nothing waits for any catalog.
    pub(crate) fn is_saved(&self) -> bool {
        self.unsaved.values().all(|unsaved| unsaved.saving.is_none() && unsaved.rows.is_empty())
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

    /// The texts of the next batch.
    fn batch(journal: &mut Journal) -> Vec<String> {
        match journal.batch(false) {
            Some((_, CatalogRequest::AddLogs(rows))) => rows.iter().map(|row| row.text.clone()).collect(),
            other => panic!("{other:?}"),
        }
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
        assert_eq!(journal.batch(false), None);
        journal.push(&name(), JobId(1), 5, "a".into(), Kept::ALL);
        assert_eq!(batch(&mut journal), ["a"]);
        journal.push(&name(), JobId(1), 5, "b".into(), Kept::ALL);
        journal.push(&name(), JobId(1), 5, "c".into(), Kept::ALL);
        assert_eq!(journal.batch(true), None, "one is on its way");
        assert!(!journal.is_saved());
        assert_eq!(journal.saved(&name()), Saved::default());
        assert_eq!(batch(&mut journal), ["b", "c"]);
        journal.saved(&name());
        assert!(journal.is_saved());
    }

    #[test]
    fn lines_that_were_refused_wait_before_those_that_came_later_and_the_first_refusal_is_news() {
        let mut journal = Journal::default();
        let push = |journal: &mut Journal, text: &str| journal.push(&name(), JobId(1), 5, text.into(), Kept::ALL);
        push(&mut journal, "a");
        assert_eq!(batch(&mut journal), ["a"]);
        push(&mut journal, "b");
        assert_eq!(journal.refused(&name()), Saved { lost: 0, is_news: true });
        assert_eq!(journal.batch(false), None, "it is not asked at once");
        assert!(!journal.is_saved());
        push(&mut journal, "c");
        journal.ask_again();
        assert_eq!(batch(&mut journal), ["a", "b", "c"]);
        assert_eq!(journal.refused(&name()), Saved { lost: 0, is_news: false });
        assert!(journal.batch(true).is_some(), "a director that ends asks once more");
        assert_eq!(journal.saved(&name()), Saved { lost: 0, is_news: true });
        assert!(journal.is_saved());
        push(&mut journal, "d");
        assert_eq!(batch(&mut journal), ["d"]);
        assert_eq!(journal.saved(&name()), Saved::default());
    }

    #[test]
    fn what_was_refused_counts_among_what_may_wait() {
        let mut journal = Journal::default();
        let line = "x".repeat(MAX_UNSAVED);
        journal.push(&name(), JobId(1), 5, line, Kept::ALL);
        assert!(journal.batch(false).is_some());
        journal.refused(&name());
        journal.push(&name(), JobId(1), 5, "y".into(), Kept::ALL);
        assert_eq!(journal.refused(&name()).lost, 1);
    }

    #[test]
    fn at_most_ten_thousand_lines_are_kept_and_wait() {
        let mut journal = Journal::default();
        for n in 0..=MAX_LINES {
            journal.push(&name(), JobId(1), 5, n.to_string(), Kept::ALL);
        }
        assert_eq!(journal.total(), MAX_LINES as u64 + 1);
        assert_eq!(shown(&mut journal, 0).next().map(|row| row.text.as_str()), Some("1"), "the oldest is gone");
        assert_eq!(batch(&mut journal).len(), MAX_LINES);
        assert_eq!(journal.saved(&name()).lost, 1, "and the catalog misses the newest");
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
        assert!(journal.batch(false).is_some());
        journal.push(&name(), JobId(1), 5, line, Kept::ALL);
        assert_eq!(lost(&journal), 1, "the next batch has room");
    }

    #[test]
    fn a_catalog_that_takes_nothing_keeps_no_lines_from_the_others() {
        let mut journal = Journal::default();
        let (away, here): (CatalogName, CatalogName) = ("Away".into(), "Here".into());
        journal.push(&away, JobId(1), 5, "a".into(), Kept::ALL);
        assert_eq!(journal.batch(false).map(|(catalog, _)| catalog), Some(away.clone()));
        journal.push(&away, JobId(1), 5, "b".into(), Kept::ALL);
        journal.push(&here, JobId(2), 5, "c".into(), Kept::ALL);
        assert_eq!(journal.batch(false).map(|(catalog, _)| catalog), Some(here.clone()));
        assert_eq!(journal.batch(false), None);
        journal.saved(&here);
        assert!(!journal.is_saved(), "one is still away");
        journal.saved(&away);
        assert_eq!(journal.batch(false).map(|(catalog, _)| catalog), Some(away.clone()));
        journal.saved(&away);
        assert!(journal.is_saved());
    }
}
