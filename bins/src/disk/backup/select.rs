//! Which entries belong to a fileset, and with which options (wire/2 §1.6).

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;

use rustix::fs::FileType as Type;
use towline_core::bulk::refused::Refused;
use towline_core::wire::fileset::{FileSet, Options, OptionsBlock, Rule, Scope, Sizes, plain, unmatched};

use super::lists;
use super::pattern::{Manner, matches};
use crate::disk::kinds;
use crate::disk::meta;
use crate::disk::notice::{Notice, NoticeKind};
use crate::disk::regex::Regex;
use crate::disk::walk::{Choice, Choose, Found, Top};
use crate::process::Means;

/// A fileset made ready for a walk.
#[derive(Debug)]
pub(super) struct Selection {
    includes: Vec<Include>,
    /// For every top of the walk the include it is from.
    include_of: Vec<usize>,
    excludes: Vec<Exclude>,
    options: Vec<Options>,
    /// Of each of the options, the sizes of files that they take; `None`: all.
    sizes: Vec<Option<Sizes>>,
    /// Of each of the options, the types of file systems that they take; none: all.
    kinds: Vec<Vec<String>>,
}

/// What comes of reading a fileset.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) selection: Selection,
    pub(super) tops: Vec<Vec<u8>>,
    /// What of the fileset is not done, to be told once.
    pub(super) notices: Vec<Notice>,
}

#[derive(Debug)]
struct Include {
    blocks: Vec<Block>,
    markers: Vec<Vec<u8>>,
    /// Options of entries that no block decides about.
    last: usize,
}

#[derive(Debug)]
struct Block {
    tag: usize,
    tests: Vec<(Scope, Test)>,
    manner: Manner,
    exclude: bool,
}

#[derive(Debug)]
enum Test {
    Wild(Vec<u8>),
    Regex(Regex),
}

#[derive(Debug)]
struct Exclude {
    tests: Vec<Test>,
    manner: Manner,
}

impl Selection {
    /// Reads the fileset.
    pub(super) fn read(fileset: &FileSet, means: &Means) -> Result<Ready, Refused> {
        let mut selection = Self {
            includes: Vec::new(),
            include_of: Vec::new(),
            excludes: Vec::new(),
            options: Vec::new(),
            sizes: Vec::new(),
            kinds: Vec::new(),
        };
        let (mut tops, mut notices) = (Vec::new(), Vec::new());
        for include in &fileset.includes {
            let mut blocks = Vec::new();
            for block in &include.options {
                blocks.push(selection.block(block, &mut notices)?);
            }
            if blocks.is_empty() {
                selection.options.push(Options::default());
                selection.sizes.push(None);
                selection.kinds.push(Vec::new());
            }
            let last = selection.options.len() - 1;
            for name in include.exclude_dirs_containing.iter().filter(|name| name.contains('/')) {
                notices.push(useless(name.as_bytes()));
            }
            let markers = include.exclude_dirs_containing.iter().map(|name| name.as_bytes().to_vec()).collect();
            selection.includes.push(Include { blocks, markers, last });
            for file in &include.files {
                for top in lists::paths(file, means)? {
                    tops.push(climbed(top));
                    selection.include_of.push(selection.includes.len() - 1);
                }
            }
        }
        for exclude in &fileset.excludes {
            selection.exclude(exclude, means, &mut notices)?;
        }
        Ok(Ready { selection, tops, notices })
    }

    /// The options of an entry the walk found.
    pub(super) fn options(&self, tag: usize) -> Option<&Options> {
        self.options.get(tag)
    }

    /// Whether an entry has a size that its options take; only files have one.
    pub(super) fn takes(&self, found: &Found) -> bool {
        let sizes = self.sizes.get(found.tag).copied().flatten();
        let Some(sizes) = sizes.filter(|_| found.kind == Type::RegularFile) else { return true };
        let meta = meta::of_entry(&found.parent, &found.name);
        meta.map_or(true, |meta| meta.kind() != Type::RegularFile || sizes.takes(meta.size))
    }

    /// Each number of components that some options strip from names.
    pub(super) fn stripped(&self) -> BTreeSet<u32> {
        self.options.iter().map(|options| options.strip_path.unwrap_or(0)).collect()
    }

    fn block(&mut self, block: &OptionsBlock, notices: &mut Vec<Notice>) -> Result<Block, Refused> {
        let options = &block.options;
        if options.force_encryption {
            return Err(Refused::Encryption);
        }
        let ignored = [
            (options.cipher.is_some(), "encryption"),
            (options.shadowing.is_some(), "shadowing"),
            // Windows alone has such types.
            (block.rules.iter().any(|r| matches!(r, Rule::DriveType(_))), "drive type"),
            (block.rules.iter().any(|r| matches!(r, Rule::Plugin(_) | Rule::Base(_))), "plugin or base"),
        ];
        for (_, what) in ignored.iter().filter(|(set, _)| *set) {
            let text = format!("the fileset's option '{what}' is not supported and has no effect");
            notices.push(Notice::new(NoticeKind::Warning, b"", text));
        }
        if !options.unknown.is_empty() {
            let text =
                format!("the fileset has options that mean nothing here and have no effect: {:?}", options.unknown);
            notices.push(Notice::new(NoticeKind::Warning, b"", text));
        }
        let manner = manner(options);
        let mut tests = Vec::new();
        for rule in &block.rules {
            match rule {
                Rule::Wild(scope, text) => tests.push((*scope, wild(*scope, text.as_bytes(), notices))),
                Rule::Regex(scope, text) => tests.push((*scope, Test::Regex(compile(text, manner)?))),
                _ => {}
            }
        }
        let sizes = options.size.as_deref().and_then(Sizes::parse);
        if let (Some(text), None) = (&options.size, sizes) {
            let text = format!("the fileset's size {text:?} cannot be read and has no effect");
            notices.push(Notice::new(NoticeKind::Warning, b"", text));
        }
        let kinds =
            block.rules.iter().filter_map(|rule| if let Rule::FsType(kind) = rule { Some(kind.clone()) } else { None });
        self.kinds.push(kinds.collect());
        self.sizes.push(sizes);
        self.options.push(options.clone());
        Ok(Block { tag: self.options.len() - 1, tests, manner, exclude: options.exclude })
    }

    fn exclude(
        &mut self,
        block: &towline_core::wire::fileset::Block,
        means: &Means,
        notices: &mut Vec<Notice>,
    ) -> Result<(), Refused> {
        let mut literal = Vec::new();
        for file in &block.files {
            literal.extend(lists::paths(file, means)?.iter().map(|path| wild(Scope::Any, path, notices)));
        }
        let manner_of_files = block.options.last().map_or_else(Manner::default, |b| manner(&b.options));
        self.excludes.push(Exclude { tests: literal, manner: manner_of_files });
        for options in &block.options {
            let manner = manner(&options.options);
            let mut tests = Vec::new();
            for rule in &options.rules {
                match rule {
                    Rule::Wild(_, text) => tests.push(wild(Scope::Any, text.as_bytes(), notices)),
                    Rule::Regex(_, text) => tests.push(Test::Regex(compile(text, manner)?)),
                    _ => {}
                }
            }
            self.excludes.push(Exclude { tests, manner });
        }
        Ok(())
    }

    fn decide(&self, include: &Include, path: &[u8], dir: bool) -> Option<usize> {
        let mut last = include.last;
        for block in &include.blocks {
            last = block.tag;
            if block.tests.iter().any(|(scope, test)| test.hits(*scope, path, dir, block.manner)) {
                return (!block.exclude).then_some(block.tag);
            }
            if block.exclude && block.tests.is_empty() {
                return None;
            }
        }
        Some(last)
    }
}

impl Choose for Selection {
    fn choose(&mut self, path: &[u8], dir: bool, top: Top) -> Choice {
        let Some(include) = self.include_of.get(top.index).and_then(|at| self.includes.get(*at)) else {
            return Choice::Leave;
        };
        let decided = if top.itself { Some(include.last) } else { self.decide(include, path, dir) };
        let Some(tag) = decided else { return Choice::Leave };
        let excluded = |e: &Exclude| e.tests.iter().any(|test| test.hits(Scope::Any, path, dir, e.manner));
        if !top.itself && self.excludes.iter().any(excluded) {
            return Choice::Leave;
        }
        let options = self.options(tag);
        // A top without recursion is still read: what stands in it directly is saved (`wire/2 §1.6`).
        let descend = top.itself || options.is_none_or(|options| !options.no_recursion);
        Choice::Take { tag, descend, cross: options.is_some_and(|options| options.cross_file_systems) }
    }

    fn spares(&self, tag: usize) -> bool {
        self.options(tag).is_some_and(|options| options.honor_nodump)
    }

    fn admits(&self, tag: usize, entry: &OwnedFd) -> Result<(), String> {
        match self.kinds.get(tag) {
            Some(kinds) if !kinds.is_empty() => match kinds::of(entry) {
                Some(kind) if kinds.contains(&kind) => Ok(()),
                other => Err(other.unwrap_or_else(|| "unknown".to_owned())),
            },
            _ => Ok(()),
        }
    }

    fn shuns(&self, name: &[u8], top: Top) -> bool {
        let include = self.include_of.get(top.index).and_then(|at| self.includes.get(*at));
        include.is_some_and(|include| include.markers.iter().any(|marker| marker == name))
    }
}

impl Test {
    fn hits(&self, scope: Scope, path: &[u8], dir: bool, manner: Manner) -> bool {
        let base = || path.rsplit(|b| *b == b'/').next().unwrap_or(path);
        let subject = match scope {
            Scope::Any => path,
            Scope::Directories if dir => path,
            Scope::Files if !dir => path,
            Scope::BaseNames if !dir => base(),
            _ => return false,
        };
        match self {
            Self::Wild(pattern) => matches(pattern, subject, manner),
            Self::Regex(regex) => regex.finds(subject),
        }
    }
}

/// A wildcard as names are compared; one that matches nothing is told.
fn wild(scope: Scope, text: &[u8], notices: &mut Vec<Notice>) -> Test {
    let pattern = plain(text);
    let is_useless = match scope {
        Scope::BaseNames => pattern.contains(&b'/'),
        _ => unmatched(&pattern).is_some(),
    };
    if is_useless {
        notices.push(useless(text));
    }
    Test::Wild(pattern)
}

fn useless(text: &[u8]) -> Notice {
    Notice::new(NoticeKind::Warning, text, "the fileset leaves this out, and no path can match it: it has no effect")
}

/// A top without `..`: what that leads to, links on the way followed, as the system would follow them.
fn climbed(top: Vec<u8>) -> Vec<u8> {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let top = plain(&top);
    let names: Vec<&[u8]> = top.split(|byte| *byte == b'/').collect();
    let Some(last) = names.iter().rposition(|name| *name == b"..") else { return top };
    let (head, tail) = names.split_at(last + 1);
    let head = head.join(&b'/');
    match std::fs::canonicalize(std::ffi::OsStr::from_bytes(&head)) {
        Ok(folder) => plain(&[folder.into_os_string().into_vec(), tail.join(&b'/')].join(&b'/')),
        // The walk says why.
        Err(_) => top,
    }
}

fn manner(options: &Options) -> Manner {
    Manner { ignore_case: options.ignore_case, slash_is_special: options.enhanced_wild }
}

fn compile(text: &str, manner: Manner) -> Result<Regex, Refused> {
    Regex::new(text.as_bytes(), manner.ignore_case).map_err(|why| Refused::Pattern { text: text.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(lines: &[&str]) -> Ready {
        Selection::read(&FileSet::parse(lines.iter().map(|l| l.as_bytes())).unwrap(), &Means::default()).unwrap()
    }

    fn taken(selection: &mut Selection, path: &str, dir: bool) -> bool {
        selection.choose(path.as_bytes(), dir, Top { index: 0, itself: false }) != Choice::Leave
    }

    #[test]
    fn the_first_block_that_matches_decides() {
        let Ready { selection: mut s, tops, .. } = selection(&[
            "I",
            "O M",
            "WF *.keep",
            "N",
            "O e",
            "W *.tmp",
            "WD */cache",
            "WB core",
            "N",
            "O S",
            "N",
            "F /home",
            "N",
        ]);
        assert_eq!(tops, [b"/home".to_vec()]);
        assert!(taken(&mut s, "/home/a.tmp.keep", false));
        assert!(!taken(&mut s, "/home/a.tmp", false));
        assert!(!taken(&mut s, "/home/x/cache", true));
        assert!(taken(&mut s, "/home/x/cache", false));
        assert!(!taken(&mut s, "/home/x/core", false));
        assert!(taken(&mut s, "/home/x/core", true));
        let Choice::Take { tag, .. } = s.choose(b"/home/q", false, Top { index: 0, itself: false }) else { panic!() };
        assert!(s.options(tag).unwrap().digest.is_some_and(|d| format!("{d:?}") == "Sha1"));
    }

    #[test]
    fn a_block_that_excludes_and_has_no_pattern_excludes_the_rest() {
        let mut s = selection(&["I", "O", "WD *", "WF *.txt", "N", "O e", "N", "F /d", "N"]).selection;
        assert!(taken(&mut s, "/d/a.txt", false));
        assert!(!taken(&mut s, "/d/a.bin", false));
        assert!(s.choose(b"/d", true, Top { index: 0, itself: true }) != Choice::Leave);
    }

    #[test]
    fn excludes_match_the_full_path() {
        let mut s =
            selection(&["I", "O", "N", "F /", "N", "E", "O", "W *.iso", "N", "F /proc", "F /home/*/x", "N"]).selection;
        assert!(!taken(&mut s, "/proc", true));
        assert!(!taken(&mut s, "/home/me/x", true));
        assert!(!taken(&mut s, "/a.iso", false));
        assert!(taken(&mut s, "/home/me/y", true));
    }

    #[test]
    fn paths_are_compared_however_they_are_written() {
        let Ready { selection: mut s, tops, notices } = selection(&[
            "I",
            "O e",
            "WD */cache/",
            "N",
            "O",
            "N",
            "F //home/./me/",
            "N",
            "E",
            "F /home//me/tmp/",
            "F /home/me/./x",
            "N",
        ]);
        assert_eq!((tops, notices), (vec![b"/home/me".to_vec()], Vec::new()));
        assert!(!taken(&mut s, "/home/me/tmp", true));
        assert!(!taken(&mut s, "/home/me/x", false));
        assert!(!taken(&mut s, "/home/me/cache", true));
        assert!(taken(&mut s, "/home/me/y", false));
    }

    #[test]
    fn what_is_left_out_and_matches_nothing_is_told() {
        let Ready { notices, .. } = selection(&[
            "I",
            "Z a/b",
            "O e",
            "W core",
            "WB x/y",
            "N",
            "O",
            "N",
            "F /",
            "N",
            "E",
            "F .journal",
            "F /a/../b",
            "F /ok",
            "N",
        ]);
        let told: Vec<_> = notices.iter().map(|n| String::from_utf8_lossy(&n.path).into_owned()).collect();
        assert_eq!(told, ["core", "x/y", "a/b", ".journal", "/a/../b"]);
        assert!(notices.iter().all(|n| n.kind == NoticeKind::Warning));
    }

    #[test]
    fn a_top_leads_where_the_system_says() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().canonicalize().unwrap().join(name).display().to_string();
        std::fs::create_dir_all(at("deep/inside")).unwrap();
        std::os::unix::fs::symlink(at("deep/inside"), at("link")).unwrap();
        let top = |path: &str| String::from_utf8(climbed(at(path).into_bytes())).unwrap();
        assert_eq!(top("deep/inside/../../deep/./x"), at("deep/x"));
        assert_eq!(top("link/../inside/"), at("deep/inside"), "not what the letters say");
        assert_eq!(top("deep/inside/.."), at("deep"));
        assert_eq!(top("none/../deep"), at("none/../deep"), "the walk tells that it is not there");
        assert_eq!(climbed(b"/..".to_vec()), b"/");
    }

    #[test]
    fn regular_expressions_are_searched_in_the_path() {
        let mut s =
            selection(&["I", "O e", "R \\.(o|a)$", "RD ^/var/(tmp|cache)", "N", "O", "N", "F /", "N"]).selection;
        assert!(!taken(&mut s, "/x/lib.a", false));
        assert!(!taken(&mut s, "/var/cache", true));
        assert!(taken(&mut s, "/var/cache", false));
        assert!(taken(&mut s, "/x/lib.ab", false));
    }

    #[test]
    fn what_is_not_done_is_refused_or_told() {
        let parse = |line: &str| FileSet::parse(["I", "O Ef", line].iter().map(|l| l.as_bytes())).unwrap();
        assert!(matches!(Selection::read(&parse("N"), &Means::default()), Err(Refused::Encryption)));
    }

    #[test]
    fn only_file_systems_of_the_types_named_are_taken_and_entered() {
        use crate::disk::walk::{Step, Walk};
        let found = |kinds: &[&str]| {
            let rules: Vec<String> = kinds.iter().map(|kind| format!("X {kind}")).collect();
            let mut lines = vec!["I", "O hf"];
            lines.extend(rules.iter().map(String::as_str));
            lines.extend(["N", "F /proc/self", "N"]);
            let Ready { mut selection, tops, notices } = selection(&lines);
            assert_eq!(notices, []);
            match Walk::new(tops).step(&mut selection) {
                Step::Entry(found) => String::from_utf8(found.path).unwrap(),
                Step::Notice(notice) => notice.to_string(),
                Step::Done => String::new(),
            }
        };
        for kinds in [&[][..], &["ext4", "proc"]] {
            assert_eq!(found(kinds), "/proc/self", "{kinds:?}");
        }
        let left = found(&["ext4", "xfs"]);
        assert!(left.contains("/proc/self") && left.contains("\"proc\""), "{left}");
    }

    #[test]
    fn each_option_that_has_no_effect_is_told() {
        let told = |letters: &str| {
            let line = format!("O {letters}");
            let Ready { notices, .. } = selection(&["I", &line, "N", "F /", "N"]);
            notices.into_iter().map(|notice| (notice.kind, notice.text)).collect::<Vec<_>>()
        };
        for (letters, word) in
            [("z5x:", "size"), ("Ea3", "encryption"), ("d1", "shadowing"), ("d4", "shadowing"), ("Q", "\"Q\"")]
        {
            let told = told(letters);
            let [(NoticeKind::Warning, text)] = told.as_slice() else { panic!("{letters}: {told:?}") };
            assert!(text.contains(word) && text.contains("no effect"), "{text}");
        }
        // What acts, what only acts elsewhere (on Windows, on a Mac, in a restore), and what stands for a default.
        for letters in ["MAXfhHiKkmcNsWP2:Cmcs:S4", "z>5:", "Z6", "Zo", "Zff", "Zf4", "Zfh", "pRrxnwaV5:J1:0"] {
            assert_eq!(told(letters), [], "{letters}");
        }
    }
}
