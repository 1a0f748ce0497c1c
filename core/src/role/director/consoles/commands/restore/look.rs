//! What stands now where a restore would put its files: the client is asked, as for a verify job of its disk, with a fileset
//! of just these paths (`wire/2 §1.12`). Nothing new on the wire, so that a real file daemon answers as well.
//!
//! ```text
//!   files of the jobs, a page --> their places, which the client lists --> compared --> the next page --> what goes on
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use crate::catalog::{CatalogAnswer, CatalogRequest, FileKey, FileRow, IndexRange, RestoreFiles};
use crate::ids::Who;
use crate::printable;
use crate::regex::Regex;
use crate::role::director::errands::{Errand, For};
use crate::wire::attributes::Stat;
use crate::wire::file::{FileCommand, RestoreTo, Verify};
use crate::wire::fileset::{Block, FileSet, Options, OptionsBlock};
use crate::wire::relocation::Relocation;

use super::super::super::refusal::{BadValue, Refusal};
use super::super::super::reply::{Continued, Instruction, Reply, View};
use super::super::estimate;

/// Files of a page: so many paths a client is asked for at a time.
const PAGE: u32 = 5_000;

/// Newer files that are named.
const MOST_NAMED: usize = 100;

/// Where files go.
#[derive(Debug)]
pub(super) enum Places {
    Below(Vec<u8>),
    Changed(Vec<(Regex, Relocation)>),
}

impl Places {
    pub(super) fn of(to: &RestoreTo) -> Result<Self, Refusal> {
        let text = match to {
            RestoreTo::Where(folder) => return Ok(Self::Below(folder.trim_end_matches('/').as_bytes().to_vec())),
            RestoreTo::Regex(text) => text,
        };
        let wrong = || BadValue::new("regexwhere", text, "!search!replacement!, as in !/home/!/tmp/home/!");
        let compiled = Relocation::parse(text).map_err(|_| wrong())?.into_iter().map(|relocation| {
            let regex = Regex::by_line(relocation.search.as_bytes(), relocation.ignore_case);
            regex.map(|regex| (regex, relocation)).map_err(|_| wrong())
        });
        Ok(Self::Changed(compiled.collect::<Result<_, _>>()?))
    }

    /// The place of a file.
    fn place(&self, name: &[u8]) -> Vec<u8> {
        match self {
            Self::Below(folder) => [folder, name].concat(),
            Self::Changed(all) => all.iter().fold(name.to_vec(), |name, (regex, relocation)| {
                regex.find(&name).map_or_else(|| name.clone(), |groups| relocation.replaced(&name, &groups))
            }),
        }
    }
}

/// What is found of the files.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// All files, and the bytes that they have together.
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// Files in whose places something stands; of these those that are as saved, those that are newer, and those that would be
    /// replaced.
    pub(super) there: u64,
    pub(super) same: u64,
    pub(super) newer: u64,
    pub(super) replaced: u64,
    /// Newer ones that would be replaced, and the first of them by their places.
    pub(super) lost: u64,
    pub(super) lost_names: Vec<String>,
    /// What need not be restored: FileIndexes of each job, ascending.
    pub(super) whole: BTreeMap<u32, Vec<IndexRange>>,
}

/// A look that is under way.
pub(super) struct Looking {
    client: String,
    places: Places,
    replace: u8,
    /// Whose files are looked for; those of the first come page by page.
    rest: VecDeque<RestoreFiles>,
    after: Option<FileKey>,
    seen: Seen,
    then: Box<Then>,
}

type Then = dyn FnOnce(&View<'_>, Seen) -> Result<Reply, Refusal> + Send;

impl fmt::Debug for Looking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Looking").field("client", &self.client).field("seen", &self.seen).finish_non_exhaustive()
    }
}

/// A file whose place was asked for.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    job_id: u32,
    file_index: u32,
    stat: Stat,
    /// A part of a file that comes in several.
    is_delta: bool,
}

impl Looking {
    pub(super) fn new(
        client: String,
        (to, replace): (&RestoreTo, u8),
        files: Vec<RestoreFiles>,
        then: impl FnOnce(&View<'_>, Seen) -> Result<Reply, Refusal> + Send + 'static,
    ) -> Result<Self, Refusal> {
        let (places, rest) = (Places::of(to)?, files.into());
        Ok(Self { client, places, replace, rest, after: None, seen: Seen::default(), then: Box::new(then) })
    }

    /// Asks the catalog for the next page of the files.
    pub(super) fn go_on(mut self: Box<Self>, view: &View<'_>) -> Result<Reply, Refusal> {
        let Some(files) = self.rest.front() else { return (self.then)(view, self.seen) };
        let request = CatalogRequest::ListFiles { job_id: files.job_id, after: self.after.take(), limit: PAGE };
        Ok(Reply::ask(request, move |view, answer| {
            let CatalogAnswer::FileList { files, next } = answer else { return Err(Refusal::unexpected(answer)) };
            let wanted = self.wanted(&files);
            match next {
                None => {
                    self.rest.pop_front();
                }
                next => self.after = next,
            }
            if wanted.is_empty() { self.go_on(view) } else { Ok(self.ask_client(view, wanted)) }
        }))
    }

    /// Those of a page that are to be restored and may stand in their places already, by how these are shown. What is no file
    /// is only counted: folders are there or not, and links are made anew.
    fn wanted(&mut self, page: &[FileRow]) -> BTreeMap<String, Wanted> {
        let Some(chosen) = self.rest.front() else { return BTreeMap::new() };
        let mut wanted = BTreeMap::new();
        for file in page.iter().filter(|file| is_in(&chosen.ranges, file.file_index)) {
            let stat = Stat::decode(&file.lstat);
            self.seen.files += 1;
            if !is_regular(&stat) || file.name.ends_with(b"/") {
                continue;
            }
            self.seen.bytes = self.seen.bytes.saturating_add(u64::try_from(stat.size).unwrap_or(0));
            let place = printable::name(&self.places.place(&file.name));
            let (job_id, file_index) = (file.job_id, file.file_index);
            wanted.insert(place, Wanted { job_id, file_index, stat, is_delta: file.delta_seq > 0 });
        }
        wanted
    }

    /// Has the client list what stands in these places.
    fn ask_client(mut self: Box<Self>, view: &View<'_>, wanted: BTreeMap<String, Wanted>) -> Reply {
        let options = Options { no_recursion: true, verify: Some("pinsu".to_owned()), ..Options::default() };
        // Something must be there, or the client says that nothing is.
        let places = std::iter::once(b"/".to_vec()).chain(wanted.keys().map(|place| printable::bytes(place)));
        let block = Block {
            options: vec![OptionsBlock { options, rules: Vec::new() }],
            files: places.collect(),
            ..Block::default()
        };
        let lines = FileSet { includes: vec![block], excludes: Vec::new() }.lines();
        let stamp = view.zone().local(view.now()).stamp();
        let before = estimate::preparations(view.config(), &self.client, &stamp, (b'F', 0, String::new()), &lines);
        let client = self.client.clone();
        let then = Continued::new(view, move |view, lines| {
            self.compare(&wanted, &lines)?;
            self.go_on(view)
        });
        let command = FileCommand::Verify(Verify::Init).to_line();
        let purpose = For::Look(view.conn, then, Vec::new());
        let errand = Errand { before, is_long: true, ..Errand::new(Who::File, client, command, purpose) };
        Reply::Do(Instruction::Errand(Box::new(errand)))
    }

    /// Takes what stands there: lines of attributes, a line feed, and the place.
    ///
    /// # Errors
    /// It is no list: the root is in each.
    fn compare(&mut self, wanted: &BTreeMap<String, Wanted>, lines: &[String]) -> Result<(), Refusal> {
        let is_root = |line: &String| line.split_once('\n').is_some_and(|(_, place)| place == "/");
        if !lines.iter().any(is_root) {
            let said: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
            return Err(Refusal::Daemon(format!(
                "Client {} does not say what it has: {}",
                self.client,
                said.join("; ")
            )));
        }
        for (lstat, place) in lines.iter().filter_map(|line| line.split_once('\n')) {
            let Some(saved) = wanted.get(place) else { continue };
            let there = Stat::decode(lstat.as_bytes());
            let seen = &mut self.seen;
            seen.there += 1;
            let is_newer = there.mtime > saved.stat.mtime;
            let is_replaced = takes(self.replace, saved.stat.mtime, there.mtime);
            seen.newer += u64::from(is_newer);
            seen.replaced += u64::from(is_replaced);
            if is_newer && is_replaced {
                seen.lost += 1;
                if seen.lost_names.len() < MOST_NAMED {
                    seen.lost_names.push(place.to_owned());
                }
            }
            if is_same(&saved.stat, &there) {
                seen.same += 1;
                // Names of one file come and go together.
                if saved.stat.nlink == 1 && !saved.is_delta {
                    let one = IndexRange { first: saved.file_index, last: saved.file_index };
                    seen.whole.entry(saved.job_id).or_default().push(one);
                }
            }
        }
        Ok(())
    }
}

/// What is left of a choice without what need not be restored.
pub(super) fn without(files: Vec<RestoreFiles>, whole: &BTreeMap<u32, Vec<IndexRange>>) -> Vec<RestoreFiles> {
    let left = files.into_iter().map(|files| match whole.get(&files.job_id) {
        Some(whole) => RestoreFiles { ranges: subtract(files.ranges, whole), ..files },
        None => files,
    });
    left.filter(|files| !files.ranges.is_empty()).collect()
}

/// Ascending ranges without these, which come in any order.
fn subtract(ranges: Vec<IndexRange>, taken: &[IndexRange]) -> Vec<IndexRange> {
    let mut taken = taken.to_vec();
    taken.sort_unstable();
    let mut left = Vec::with_capacity(ranges.len());
    let mut taken = taken.into_iter().peekable();
    for range in ranges {
        let mut first = Some(range.first);
        while let (Some(begin), Some(cut)) = (first, taken.peek().copied().filter(|cut| cut.first <= range.last)) {
            if cut.first > begin {
                left.push(IndexRange { first: begin, last: cut.first - 1 });
            }
            // It may go on in the next range.
            if cut.last >= range.last {
                first = None;
            } else {
                first = Some(begin.max(cut.last.saturating_add(1)));
                taken.next();
            }
        }
        left.extend(first.map(|first| IndexRange { first, last: range.last }));
    }
    left
}

fn is_in(ranges: &[IndexRange], index: u32) -> bool {
    let at = ranges.partition_point(|range| range.last < index);
    ranges.get(at).is_some_and(|range| range.first <= index)
}

const fn is_regular(stat: &Stat) -> bool {
    stat.mode & 0o170_000 == 0o100_000
}

/// Whether a file is as it was saved. A restored one gets its name, and a real file daemon gives it its times, when all of it
/// is there.
fn is_same(saved: &Stat, there: &Stat) -> bool {
    let of = |stat: &Stat| (stat.mode, stat.uid, stat.gid, stat.size, stat.mtime);
    is_regular(there) && of(saved) == of(there)
}

/// Whether a file daemon replaces what is there (`wire/2 §3.2`).
const fn takes(replace: u8, saved: i64, there: i64) -> bool {
    match replace {
        b'a' => true,
        b'w' => saved > there,
        b'o' => saved < there,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(all: &[(u32, u32)]) -> Vec<IndexRange> {
        all.iter().map(|(first, last)| IndexRange { first: *first, last: *last }).collect()
    }

    #[test]
    fn what_is_whole_is_left_out_and_nothing_else() {
        for (all, taken, left) in [
            (&[(1, 9)][..], &[][..], &[(1, 9)][..]),
            (&[(1, 9)], &[(5, 5)], &[(1, 4), (6, 9)]),
            (&[(1, 9)], &[(9, 9), (1, 1)], &[(2, 8)]),
            (&[(1, 9)], &[(1, 9)], &[]),
            (&[(2, 4), (8, 9)], &[(1, 2), (4, 8)], &[(3, 3), (9, 9)]),
            (&[(1, 1), (3, 3)], &[(2, 2), (3, 3)], &[(1, 1)]),
            (&[(5, u32::MAX)], &[(u32::MAX, u32::MAX), (6, 6)], &[(5, 5), (7, u32::MAX - 1)]),
        ] {
            assert_eq!(subtract(ranges(all), &ranges(taken)), ranges(left), "{all:?} {taken:?}");
            for index in 0..10 {
                assert_eq!(
                    is_in(&ranges(all), index),
                    all.iter().any(|(first, last)| (*first..=*last).contains(&index))
                );
            }
        }
    }

    #[test]
    fn a_place_is_below_a_folder_or_what_an_expression_makes_of_it() {
        let place = |to: RestoreTo| Places::of(&to).unwrap().place(b"/home/a/x");
        assert_eq!(place(RestoreTo::Where(String::new())), b"/home/a/x");
        assert_eq!(place(RestoreTo::Where("/".to_owned())), b"/home/a/x");
        assert_eq!(place(RestoreTo::Where("/to/".to_owned())), b"/to/home/a/x");
        assert_eq!(place(RestoreTo::Regex("!/home!/tmp!,!x$!y!".to_owned())), b"/tmp/a/y");
        assert!(Places::of(&RestoreTo::Regex("!(!x!".to_owned())).is_err());
    }
}
