//! What a job could not save, kept from one job to the next of the same name, so that an incremental tries it again
//! although its times have not changed.
//!
//! A file daemon is not told which of its jobs counted in the end, so nothing here asks. An entry says when the job that
//! first saved it began, and is due in each job whose `since` is not later than that: either that job did not count, or
//! the one that asks is a differential which takes its place. By the time of `since` a later job has saved it too. It is
//! saved once more than needed at the most.
//!
//! ```text
//!   towline unsaved files 1
//!   - file /home/ann/closed.txt        not saved yet
//!   - below /home/bob                  nor is this folder, nor all that lies below it
//!   1767225600 file /home/a\x0ab       saved by the job that began then
//! ```
//! Names are shown as in every list ([`printable`]), so the file takes any bytes.

use std::collections::BTreeMap;

use crate::limits::{UNSAVED_BYTES, UNSAVED_NAMES};
use crate::printable;

/// The first line.
const HEAD: &str = "towline unsaved files 1";

/// Where the list of a job is kept, and what must be known of the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsavedList {
    /// A file, relative to the folder that the daemon works in.
    pub path: String,
    /// When the job began, in seconds since 1970 by the client's clock.
    pub began: i64,
    /// Entries saved by jobs that began before this time are needed no more: the full backup that a differential builds
    /// on began then. `None`: a later differential may need any of them.
    pub forget: Option<i64>,
}

/// What could not be saved, by path. Bounded by [`UNSAVED_NAMES`] and [`UNSAVED_BYTES`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsaved {
    entries: BTreeMap<Vec<u8>, Entry>,
    /// Length of all lines but the first.
    bytes: usize,
    /// Entries that stand for all below them.
    folders: usize,
    left_out: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    /// When the job began that first saved it.
    saved: Option<i64>,
    /// Whether it stands for all that lies below it.
    below: bool,
    /// Whether it failed in the job under way.
    failed_now: bool,
}

/// The text is no such list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoList {
    /// It begins with something else, perhaps a list of a newer version.
    #[error("it does not begin as such a list does")]
    Head,
    /// A line makes no sense.
    #[error("its line {0} cannot be understood")]
    Line(usize),
    /// It has more lines or bytes than are ever written.
    #[error("it is longer than such a list ever is")]
    TooLong,
}

impl Unsaved {
    /// Reads what [`Self::to_text`] wrote.
    ///
    /// # Errors
    /// When it is something else; nothing of it is used then.
    pub fn parse(text: &[u8]) -> Result<Self, NoList> {
        let text = std::str::from_utf8(text).map_err(|_| NoList::Head)?;
        let mut lines = text.split_terminator('\n');
        if lines.next() != Some(HEAD) {
            return Err(NoList::Head);
        }
        let mut list = Self::default();
        for (number, line) in lines.enumerate() {
            let (path, entry) = parse_line(line).ok_or(NoList::Line(number + 2))?;
            if !list.has_room(line_bytes(&path, entry)) {
                return Err(NoList::TooLong);
            }
            list.put(path, entry);
        }
        Ok(list)
    }

    /// The list as it is kept in a file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(HEAD.len() + 1 + self.bytes);
        text.push_str(HEAD);
        text.push('\n');
        for (path, entry) in &self.entries {
            text.push_str(&line(path, *entry));
        }
        text
    }

    /// Whether an entry is saved whatever its times, in a job that saves what changed since this time.
    #[must_use]
    pub fn is_due(&self, path: &[u8], since: i64) -> bool {
        let path = without_slash(path);
        let is_due = |entry: &Entry| entry.saved.is_none_or(|saved| since <= saved);
        if self.entries.get(path).is_some_and(is_due) {
            return true;
        }
        if self.folders == 0 {
            return false;
        }
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at.max(1));
        let mut above = ends.filter_map(|end| self.entries.get(path.get(..end)?));
        above.any(|entry| entry.below && is_due(entry))
    }

    /// Takes an entry that could not be saved, or not wholly; `below` if that goes for all that lies below it too. What is
    /// no absolute path is no entry of a disk, and passed over.
    pub fn failed(&mut self, path: &[u8], below: bool) {
        if !path.starts_with(b"/") {
            return;
        }
        let path = without_slash(path);
        let before = self.take(path);
        let below = below || before.is_some_and(|entry| entry.below);
        let entry = Entry { saved: None, below, failed_now: true };
        let bytes = line_bytes(path, entry);
        if !self.has_room(bytes) {
            self.drop_saved();
        }
        if self.has_room(bytes) { self.put(path.to_vec(), entry) } else { self.left_out += 1 }
    }

    /// An entry was saved by the job that began then. What has failed in the same job stays as it is.
    pub fn saved(&mut self, path: &[u8], began: i64) {
        let path = without_slash(path);
        let is_open = |entry: &Entry| entry.saved.is_none() && !entry.failed_now;
        if !self.entries.get(path).is_some_and(is_open) {
            return;
        }
        let Some(entry) = self.take(path).map(|entry| Entry { saved: Some(began), ..entry }) else { return };
        // Its line is longer by a few bytes.
        if self.has_room(line_bytes(path, entry)) { self.put(path.to_vec(), entry) } else { self.left_out += 1 }
    }

    /// Forgets what was saved by jobs that began before this time.
    pub fn forget(&mut self, before: i64) {
        self.retain(|entry| entry.saved.is_none_or(|saved| saved >= before));
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Entries for which there was no room.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Makes room: of what is saved only a later differential might want more.
    fn drop_saved(&mut self) {
        let before = self.entries.len();
        self.retain(|entry| entry.saved.is_none());
        self.left_out += (before - self.entries.len()) as u64;
    }

    fn retain(&mut self, stays: impl Fn(&Entry) -> bool) {
        let all = std::mem::take(&mut self.entries);
        (self.bytes, self.folders) = (0, 0);
        all.into_iter().filter(|(_, entry)| stays(entry)).for_each(|(path, entry)| self.put(path, entry));
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.entries.len() < UNSAVED_NAMES && self.bytes + bytes <= UNSAVED_BYTES
    }

    fn put(&mut self, path: Vec<u8>, entry: Entry) {
        self.take(&path);
        self.bytes += line_bytes(&path, entry);
        self.folders += usize::from(entry.below);
        self.entries.insert(path, entry);
    }

    fn take(&mut self, path: &[u8]) -> Option<Entry> {
        let entry = self.entries.remove(path)?;
        self.bytes -= line_bytes(path, entry);
        self.folders -= usize::from(entry.below);
        Some(entry)
    }
}

/// A folder's name may end with one.
fn without_slash(path: &[u8]) -> &[u8] {
    path.strip_suffix(b"/").filter(|rest| !rest.is_empty()).unwrap_or(path)
}

fn parse_line(line: &str) -> Option<(Vec<u8>, Entry)> {
    let (saved, rest) = line.split_once(' ')?;
    let (what, name) = rest.split_once(' ')?;
    let saved = if saved == "-" { None } else { Some(saved.parse().ok()?) };
    let below = match what {
        "file" => false,
        "below" => true,
        _ => return None,
    };
    let path = printable::bytes(name);
    path.starts_with(b"/").then_some((path, Entry { saved, below, failed_now: false }))
}

fn line(path: &[u8], entry: Entry) -> String {
    let saved = entry.saved.map_or_else(|| "-".to_owned(), |time| time.to_string());
    let what = if entry.below { "below" } else { "file" };
    format!("{saved} {what} {}\n", printable::name(path))
}

fn line_bytes(path: &[u8], entry: Entry) -> usize {
    line(path, entry).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the jobs began; a job's `since` is the start of the one before by the director's clock, a little earlier.
    const FULL: i64 = 1_000;
    const FIRST: i64 = 2_000;
    const SECOND: i64 = 3_000;
    const THIRD: i64 = 4_000;

    fn with(path: &[u8]) -> Unsaved {
        let mut list = Unsaved::default();
        list.failed(path, false);
        next_job(&list)
    }

    /// What the next job reads.
    fn next_job(list: &Unsaved) -> Unsaved {
        let read = Unsaved::parse(list.to_text().as_bytes()).expect("what was written is read");
        assert_eq!(read.to_text(), list.to_text());
        assert_eq!((read.bytes, read.folders), (list.bytes, list.folders));
        assert_eq!(read.to_text().len(), HEAD.len() + 1 + read.bytes);
        read
    }

    #[test]
    fn what_could_not_be_saved_is_due_until_a_job_that_builds_on_one_that_saved_it() {
        let mut list = with(b"/a");
        assert!(list.is_due(b"/a", FULL) && list.is_due(b"/a", i64::MAX), "whatever the times");
        assert!(!list.is_due(b"/b", FULL) && !list.is_due(b"/a/b", FULL) && !list.is_due(b"/", FULL));
        list.saved(b"/a", FIRST);
        let mut list = next_job(&list);
        assert!(list.is_due(b"/a", FULL), "the job that saved it has failed");
        list.saved(b"/a", SECOND);
        let list = next_job(&list);
        assert!(list.is_due(b"/a", FIRST - 1), "the first job that saved it counts");
        assert!(!list.is_due(b"/a", SECOND - 1), "by now a job that counted has saved it");
        assert!(list.is_due(b"/a", FULL), "a differential takes the place of those jobs");
    }

    #[test]
    fn what_fails_again_is_due_again_and_is_not_saved_by_the_job_in_which_it_failed() {
        let mut list = with(b"/a");
        list.saved(b"/a", FIRST);
        list.failed(b"/a", false);
        list.saved(b"/a", SECOND);
        assert!(next_job(&list).is_due(b"/a", THIRD));
    }

    #[test]
    fn all_below_a_folder_that_could_not_be_read_is_due() {
        let mut list = Unsaved::default();
        list.failed(b"/top/closed", true);
        list.saved(b"/top/closed", FULL);
        let mut list = next_job(&list);
        for path in [&b"/top/closed"[..], b"/top/closed/", b"/top/closed/a", b"/top/closed/a/b"] {
            assert!(list.is_due(path, FULL), "{path:?}");
        }
        for path in [&b"/top"[..], b"/top/closed.txt", b"/top/other", b"/"] {
            assert!(!list.is_due(path, FULL), "{path:?}");
        }
        list.saved(b"/top/closed/", FIRST);
        let list = next_job(&list);
        assert!(list.is_due(b"/top/closed/a", FULL) && !list.is_due(b"/top/closed/a", SECOND));
        let mut all = Unsaved::default();
        all.failed(b"/", true);
        assert!(all.is_due(b"/", FULL) && all.is_due(b"/a", FULL));
    }

    #[test]
    fn a_differential_forgets_what_the_full_before_it_has_for_sure() {
        let mut list = with(b"/a");
        list.failed(b"/b", false);
        let mut list = next_job(&list);
        list.saved(b"/a", FIRST);
        list.forget(FIRST);
        assert!(list.is_due(b"/a", FULL));
        list.forget(FIRST + 1);
        assert!(!list.is_due(b"/a", FULL) && list.is_due(b"/b", THIRD));
        list.saved(b"/b", THIRD);
        list.forget(i64::MAX);
        assert!(list.is_empty() && list.bytes == 0);
    }

    #[test]
    fn what_is_no_path_is_passed_over() {
        let mut list = Unsaved::default();
        for path in [&b""[..], b"plugin:x", b"./a"] {
            list.failed(path, true);
        }
        assert!(next_job(&list).is_empty());
    }

    #[test]
    fn any_bytes_come_back() {
        for path in [&b"/a\n- below /"[..], b"/\xff\x1b[2J\\x41\"", b"/ends ", "/été".as_bytes(), b"/a b"] {
            let list = with(path);
            assert!(list.is_due(path, THIRD), "{}", list.to_text());
            assert!(!list.to_text().chars().any(|c| c.is_control() && c != '\n'));
        }
    }

    #[test]
    fn what_is_no_list_says_so() {
        let parse = |text: &str| Unsaved::parse(text.as_bytes()).map(|_| ());
        let with_line = |line: &str| parse(&format!("{HEAD}\n- file /a\n{line}\n"));
        assert_eq!(parse(&format!("{HEAD}\n")), Ok(()));
        for text in ["", "towline unsaved files 2\n", "\u{0}"] {
            assert_eq!(parse(text), Err(NoList::Head), "{text:?}");
        }
        assert_eq!(Unsaved::parse(b"\xff"), Err(NoList::Head));
        for line in [
            "",
            "-",
            "- file",
            "- file ",
            "- link /b",
            "- file b",
            "x file /b",
            "+ file /b",
            "99999999999999999999 file /b",
        ] {
            assert_eq!(with_line(line), Err(NoList::Line(3)), "{line:?}");
        }
        assert_eq!(with_line("7 below /b"), Ok(()));
    }

    #[test]
    fn names_are_bounded_and_those_that_are_saved_make_room() {
        let name = |number: usize| format!("/{number:07}").into_bytes();
        let mut list = Unsaved::default();
        (0..UNSAVED_NAMES).for_each(|number| list.failed(&name(number), false));
        assert_eq!((list.entries.len(), list.left_out()), (UNSAVED_NAMES, 0));
        list.failed(&name(5), false);
        assert_eq!(list.left_out(), 0, "it is there already");
        list.failed(&name(UNSAVED_NAMES), false);
        assert_eq!((list.entries.len(), list.left_out()), (UNSAVED_NAMES, 1));
        assert!(!list.is_due(&name(UNSAVED_NAMES), FULL));
        let mut list = next_job(&list);
        list.saved(&name(0), FIRST);
        list.saved(&name(1), FIRST);
        list.failed(&name(UNSAVED_NAMES), false);
        assert_eq!((list.entries.len(), list.left_out()), (UNSAVED_NAMES - 1, 2));
        assert!(next_job(&list).is_due(&name(UNSAVED_NAMES), FULL));
    }

    #[test]
    fn bytes_are_bounded_in_the_list_and_in_the_file() {
        let long = |first: u8, len: usize| [b"/".as_slice(), &[first], &vec![b'x'; len - 2]].concat();
        let mut list = Unsaved::default();
        list.failed(&long(b'a', UNSAVED_BYTES / 2), false);
        let most = UNSAVED_BYTES - list.bytes - "- file \n".len();
        list.failed(&long(b'b', most + 1), false);
        assert_eq!((list.entries.len(), list.left_out()), (1, 1));
        list.failed(&long(b'b', most), false);
        assert_eq!((list.entries.len(), list.bytes), (2, UNSAVED_BYTES));
        let text = next_job(&list).to_text();
        assert_eq!(Unsaved::parse(format!("{text}- file /\n").as_bytes()), Err(NoList::TooLong));
        // The line of a saved one is longer: then the name goes rather than the bound.
        let mut list = next_job(&list);
        list.saved(&long(b'b', most), FIRST);
        assert_eq!((list.entries.len(), list.left_out()), (1, 1));
    }
}
