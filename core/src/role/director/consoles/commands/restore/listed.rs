//! Paths to restore that stand in files on the director, one a line (`file=<LIST`), and names with wildcards (`name=*.odt`):
//! which of them the jobs have.

use std::collections::BTreeMap;

use crate::catalog::{CatalogAnswer, CatalogRequest, FileKey, NamePattern, restore_selection};
use crate::printable;
use crate::role::director::jobs::lists::{Lists, Wanted};

use super::super::super::refusal::{BadValue, Refusal};
use super::super::super::reply::{Gathered, Reply};
use super::super::super::words::Words;
use super::{PAGE, Restoring, Which, ids};

/// Names in the lists of one command.
const MOST: usize = 100_000;

/// Values of `name=` in one command: each is held against every file.
const MOST_PATTERNS: usize = 20;

/// Names that the jobs do not have and that are shown.
const MOST_SHOWN: usize = 100;

/// The lists of a line, and the names in them once they are read.
#[derive(Debug, Default)]
pub(super) struct Listed {
    lists: Vec<List>,
    patterns: Vec<Pattern>,
    sought: Sought,
}

/// Names with wildcards, and how they were said.
#[derive(Debug)]
struct Pattern {
    name: NamePattern,
    text: Vec<u8>,
    is_found: bool,
}

/// A list on the director.
#[derive(Clone, Debug)]
struct List {
    /// `<` and its file.
    text: String,
    /// Its names are folders.
    of_folders: bool,
}

impl Listed {
    /// The lists that the line names by `file=<LIST` and `directory=<LIST`.
    ///
    /// # Errors
    /// A list is not named by its whole path.
    pub(super) fn of(words: &Words) -> Result<Self, Refusal> {
        let lists = |word, of_folders| {
            let named = words.values(word).filter(|value| is_list(value));
            named.map(move |value| List { text: String::from_utf8_lossy(value).into_owned(), of_folders })
        };
        let lists: Vec<List> = lists("file", false).chain(lists("directory", true)).collect();
        match lists.iter().find(|list| !list.text.starts_with("</")) {
            Some(list) => Err(Refusal::usage(format!(
                "file={}: give the whole path of the list on the director, as in file=</tmp/list.",
                printable::name(list.text.as_bytes())
            ))),
            None => Ok(Self { lists, patterns: patterns(words)?, sought: Sought::default() }),
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.lists.is_empty() && self.patterns.is_empty()
    }

    /// The jobs have this file.
    fn see(&mut self, name: &[u8]) -> Result<(), Refusal> {
        self.sought.see(name);
        let mut fits = false;
        for pattern in self.patterns.iter_mut().filter(|pattern| pattern.name.fits(name)) {
            (pattern.is_found, fits) = (true, true);
        }
        if fits {
            self.sought.add(name, false);
            self.sought.see(name);
            self.check_many()?;
        }
        Ok(())
    }

    /// A line for each name and pattern that the jobs do not have.
    fn missing(&self) -> String {
        let line = |pattern: &Pattern| format!("No file fits {}\n", printable::name(&pattern.text));
        let patterns = self.patterns.iter().filter(|pattern| !pattern.is_found);
        self.sought.missing() + &patterns.map(line).collect::<String>()
    }

    fn check_many(&self) -> Result<(), Refusal> {
        if self.sought.names.len() > MOST {
            return Err(Refusal::usage(format!(
                "At most {MOST} names in lists or by a pattern: name a folder, which means all below it."
            )));
        }
        Ok(())
    }

    /// What the lists hold.
    fn read(&mut self, held: &Lists) -> Result<(), Refusal> {
        for list in &self.lists {
            for (at, path) in held.of(&list.text).iter().enumerate() {
                if !path.starts_with(b"/") && path.get(1) != Some(&b':') {
                    let (text, entry) = (printable::name(list.text.as_bytes()), at + 1);
                    // What it says instead is not shown: the file may be another than a list.
                    return Err(Refusal::usage(format!(
                        "file={text}: entry {entry} is no whole path, beginning with /."
                    )));
                }
                self.sought.add(path, list.of_folders);
            }
        }
        self.check_many()
    }
}

/// The values of `name=`.
fn patterns(words: &Words) -> Result<Vec<Pattern>, Refusal> {
    let pattern = |text: &[u8]| {
        let wrong = || BadValue::new("name", &printable::name(text), "a name of at most 1000 bytes, as in *.kdbx");
        let name = NamePattern::new(text).ok_or_else(wrong)?;
        Ok(Pattern { name, text: text.to_vec(), is_found: false })
    };
    let patterns = words.values("name").map(pattern).collect::<Result<Vec<_>, Refusal>>()?;
    match patterns.len() <= MOST_PATTERNS {
        true => Ok(patterns),
        false => {
            Err(Refusal::usage(format!("At most {MOST_PATTERNS} name= in one command: combine some into one pattern.")))
        }
    }
}

/// Whether a path is the name of a list.
pub(super) fn is_list(path: &[u8]) -> bool {
    path.starts_with(b"<")
}

/// Names that are looked for among the files of the jobs.
#[derive(Debug, Default)]
struct Sought {
    /// By their paths without a slash at the end.
    names: BTreeMap<Vec<u8>, Name>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Name {
    /// Only a folder is meant.
    of_folder: bool,
    is_file: bool,
    is_folder: bool,
}

impl Sought {
    fn add(&mut self, path: &[u8], of_folder: bool) {
        let (stem, ends) = without_end(path);
        self.names.entry(stem.to_vec()).or_default().of_folder |= of_folder || ends;
    }

    /// The jobs have this file.
    fn see(&mut self, name: &[u8]) {
        let (stem, is_folder) = without_end(name);
        if let Some(name) = self.names.get_mut(stem) {
            name.is_folder |= is_folder;
            name.is_file |= !is_folder && !name.of_folder;
        }
        let above = stem.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| &stem[..at]);
        for folder in above {
            if let Some(name) = self.names.get_mut(folder) {
                name.is_folder = true;
            }
        }
    }

    /// Those that the jobs have, as the catalog is asked for them.
    fn found(&self) -> Vec<Vec<u8>> {
        let of = |(stem, name): (&Vec<u8>, &Name)| {
            let file = name.is_file.then(|| stem.clone());
            [file, name.is_folder.then(|| [stem, &b"/"[..]].concat())]
        };
        self.names.iter().flat_map(of).flatten().collect()
    }

    /// A line for each that they do not have.
    fn missing(&self) -> String {
        let none = |name: &&Name| !name.is_file && !name.is_folder;
        let all = self.names.values().filter(none).count();
        let shown = self.names.iter().filter(|(_, name)| none(name)).take(MOST_SHOWN);
        let line = |(stem, _): (&Vec<u8>, &Name)| format!("No database record found for: {}\n", printable::name(stem));
        let mut text: String = shown.map(line).collect();
        if all > MOST_SHOWN {
            text += &format!("… and for {} more names.\n", all - MOST_SHOWN);
        }
        text
    }
}

/// A path without slashes at its end, and whether there were any.
fn without_end(path: &[u8]) -> (&[u8], bool) {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    (&path[..end], end < path.len())
}

impl Restoring {
    /// Has the lists read, if there are any, and goes on with the files.
    pub(super) fn lists_wanted(mut self: Box<Self>) -> Reply {
        let files = self.listed.lists.iter().map(|list| list.text.clone());
        let Some(wanted) = Wanted::of_console(files) else {
            return if self.listed.is_empty() { self.files_wanted() } else { self.look_for_listed(None) };
        };
        let then = Gathered::new(move |_, held| {
            self.listed.read(held)?;
            Ok(self.look_for_listed(None))
        });
        Reply::Gather(wanted, then)
    }

    /// The next page of the files among which the names are looked for.
    fn look_for_listed(mut self: Box<Self>, after: Option<FileKey>) -> Reply {
        let request = CatalogRequest::KnownFiles { jobs: ids(&self.jobs), after, limit: PAGE };
        Reply::ask(request, move |_, answer| {
            let CatalogAnswer::FileList { files, next } = answer else { return Err(Refusal::unexpected(answer)) };
            files.iter().try_for_each(|file| self.listed.see(&file.name))?;
            Ok(if next.is_some() { self.look_for_listed(next) } else { self.listed_wanted() })
        })
    }

    /// Takes those that were found, and then what the line names itself. As in real directors, a name that the jobs do not
    /// have is told and costs no other.
    fn listed_wanted(mut self: Box<Self>) -> Reply {
        let (found, missing) = (self.listed.sought.found(), self.listed.missing());
        let has_paths = matches!(&self.which, Which::Paths(paths) if !paths.is_empty());
        let go_on = move |this: Box<Self>| if has_paths { this.files_wanted() } else { this.pieces_wanted() };
        if found.is_empty() {
            return if has_paths { go_on(self) } else { Reply::refused(Refusal::NoFile) }.after(missing);
        }
        let request = CatalogRequest::FilesForRestore { jobs: ids(&self.jobs), only: found };
        Reply::ask(request, move |_, answer| match answer {
            CatalogAnswer::RestoreFiles(files) => {
                self.files = restore_selection::join(std::mem::take(&mut self.files), files);
                Ok(go_on(self))
            }
            other => Err(Refusal::unexpected(other)),
        })
        .after(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_as_a_file_as_a_folder_and_by_what_lies_below_it() {
        let mut sought = Sought::default();
        for name in ["/a/file", "/a/dir", "/b/", "/c", "/nothing", "/a/fil"] {
            sought.add(name.as_bytes(), false);
        }
        sought.add(b"/d", true);
        sought.add(b"/e", true);
        for name in ["/a/file", "/a/dir/", "/b/x/y", "/c", "/c/z", "/d", "/e/f"] {
            sought.see(name.as_bytes());
        }
        let found: Vec<String> = sought.found().into_iter().map(|name| String::from_utf8(name).unwrap()).collect();
        assert_eq!(found, ["/a/dir/", "/a/file", "/b/", "/c", "/c/", "/e/"]);
        let missing = sought.missing();
        assert_eq!(missing.lines().count(), 3);
        for name in ["/a/fil", "/d", "/nothing"] {
            assert!(missing.contains(&format!("No database record found for: {name}\n")), "{name}: {missing}");
        }
    }

    #[test]
    fn the_root_is_a_folder_and_of_many_that_are_missing_some_are_shown() {
        let mut sought = Sought::default();
        sought.add(b"/", false);
        sought.see(b"/x");
        assert_eq!(sought.found(), [b"/"]);
        let mut sought = Sought::default();
        (0..150).for_each(|name| sought.add(format!("/{name}").as_bytes(), false));
        let missing = sought.missing();
        assert!(missing.lines().count() == 101 && missing.ends_with("… and for 50 more names.\n"), "{missing}");
    }
}
