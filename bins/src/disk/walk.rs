//! Goes through trees: without recursion, in a fixed order, and never through a symbolic link.
//!
//! Names within a directory come sorted by their bytes, a directory after its contents (wire/2 §2.3). Every step is
//! relative to an open directory, so a directory swapped for a link in mid-walk is not followed. At most
//! [`OPEN_DIRECTORIES`] are open at once: a deeper walk reopens a parent through `..` and checks that it is the same.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{self, CWD, FileType, Mode, OFlags, RawDir};
use rustix::io::Errno;

use super::meta::{self, Meta};
use super::notice::{Notice, NoticeKind};

/// How many directories of the current path are kept open.
pub const OPEN_DIRECTORIES: usize = 64;

/// Decides what belongs to the walk. Called with the full path before anything is opened.
pub trait Choose {
    /// What to do with an entry; `dir` tells whether it is a directory.
    fn choose(&mut self, path: &[u8], dir: bool, top: Top) -> Choice;

    /// Whether entries taken with this tag are left out if they have the no-dump flag.
    fn spares(&self, _tag: usize) -> bool {
        false
    }

    /// Whether an entry taken with this tag may lie on the file system it lies on. Asked of tops, and where a directory is on
    /// another file system than the one it is in; the entry is open, if only by name.
    fn admits(&self, _tag: usize, _entry: &OwnedFd) -> Result<(), String> {
        Ok(())
    }

    /// Whether a directory holding an entry of this name is left out wholly (`Z`, wire/2 §1.6).
    fn shuns(&self, _name: &[u8], _top: Top) -> bool {
        false
    }
}

/// Which of the trees an entry belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Top {
    /// Position in the list given to [`Walk::new`].
    pub index: usize,
    /// Whether the entry is the top itself.
    pub itself: bool,
}

/// What to do with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It belongs; `tag` comes back with it.
    Take {
        /// The chooser's own mark, for instance the options that apply.
        tag: usize,
        /// Whether a directory is gone into.
        descend: bool,
        /// Whether a directory on another file system than the top is gone into.
        cross: bool,
    },
    /// Neither it nor anything below it belongs.
    Leave,
}

/// Takes everything, on every file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Everything;

impl Choose for Everything {
    fn choose(&mut self, _path: &[u8], _dir: bool, _top: Top) -> Choice {
        Choice::Take { tag: 0, descend: true, cross: true }
    }
}

/// An entry that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Full path: the top as it was given, `/`, and the names below; no `/` at the end except for the root.
    pub path: Vec<u8>,
    /// The directory it is in.
    pub parent: Arc<OwnedFd>,
    /// Its name there.
    pub name: CString,
    /// Its type as the directory says; the entry may have been replaced since.
    pub kind: FileType,
    /// A directory's own: what it was before it was read, and the directory if it could be opened.
    pub dir: Option<(Meta, Option<Arc<OwnedFd>>)>,
    /// The chooser's mark.
    pub tag: usize,
    /// Whether it is a top itself.
    pub is_top: bool,
}

/// What a step of the walk returns.
#[derive(Debug)]
pub enum Step {
    /// An entry that belongs.
    Entry(Found),
    /// Something to tell.
    Notice(Notice),
    /// The end.
    Done,
}

/// A walk under way.
#[derive(Debug)]
pub struct Walk {
    tops: std::vec::IntoIter<Vec<u8>>,
    index: usize,
    stack: Vec<Level>,
    path: Vec<u8>,
    top_dev: u64,
    reached: bool,
    buffer: Vec<MaybeUninit<u8>>,
}

impl Walk {
    /// Begins a walk of these trees, one after the other.
    #[must_use]
    pub fn new(tops: Vec<Vec<u8>>) -> Self {
        Self {
            tops: tops.into_iter(),
            index: 0,
            stack: Vec::new(),
            path: Vec::new(),
            top_dev: 0,
            reached: false,
            buffer: vec![MaybeUninit::uninit(); 32 * 1024],
        }
    }

    /// The next entry or remark. After `Done` always `Done`.
    pub fn step(&mut self, chooser: &mut dyn Choose) -> Step {
        loop {
            let Some(level) = self.stack.last_mut() else {
                let Some(top) = self.tops.next() else { return Step::Done };
                self.index += 1;
                if let Some(step) = self.begin(&top, chooser) {
                    return step;
                }
                continue;
            };
            if let Some((name, kind)) = level.listing.pop_front() {
                if let Some(step) = self.visit(&name, kind, chooser) {
                    return step;
                }
                continue;
            }
            return self.leave();
        }
    }

    /// Whether any of the tops was there.
    #[must_use]
    pub const fn has_reached_a_top(&self) -> bool {
        self.reached
    }

    fn top(&self, itself: bool) -> Top {
        Top { index: self.index.saturating_sub(1), itself }
    }

    /// The path before a top is followed as the operator wrote it; the top itself is not.
    fn begin(&mut self, top: &[u8], chooser: &mut dyn Choose) -> Option<Step> {
        let trimmed = trim(top);
        let (folder, name) = match trimmed.iter().rposition(|b| *b == b'/') {
            _ if trimmed == b"/" => (b"/".as_slice(), b".".as_slice()),
            Some(0) => (b"/".as_slice(), trimmed.get(1..)?),
            Some(at) => (trimmed.get(..at)?, trimmed.get(at + 1..)?),
            None => (b".".as_slice(), trimmed),
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let parent = match fs::openat(CWD, folder, flags, Mode::empty()) {
            Ok(fd) => Arc::new(fd),
            Err(error) => return Some(not_saved(trimmed, "could not be reached", error)),
        };
        let name = CString::new(name).ok()?;
        self.path.clear();
        self.path.extend_from_slice(trimmed);
        self.top_dev = 0;
        let meta = match meta::of_entry(&parent, &name) {
            Ok(meta) => meta,
            Err(error) => return Some(not_saved(trimmed, "could not be examined", error)),
        };
        self.top_dev = meta.dev;
        self.reached = true;
        let choice = chooser.choose(&self.path, meta.kind() == FileType::Directory, self.top(true));
        if let Choice::Take { tag, .. } = choice
            && let Ok(entry) = meta::name_entry(&parent, &name)
            && let Err(kind) = chooser.admits(tag, &entry)
        {
            let text =
                format!("lies on a file system of the type {kind:?}, which the fileset does not name; not saved");
            return Some(Step::Notice(Notice::new(NoticeKind::Info, trimmed, text)));
        }
        self.take(parent, name, meta.kind(), self.path.clone(), choice, chooser)
    }

    fn visit(&mut self, name: &CStr, kind: FileType, chooser: &mut dyn Choose) -> Option<Step> {
        let level = self.stack.last()?;
        let parent = Arc::clone(level.fd.as_ref()?);
        let mut path = Vec::with_capacity(self.path.len() + 1 + name.count_bytes());
        path.extend_from_slice(&self.path);
        if path.last() != Some(&b'/') {
            path.push(b'/');
        }
        path.extend_from_slice(name.to_bytes());
        let kind = match kind {
            FileType::Unknown => match meta::of_entry(&parent, name) {
                Ok(meta) => meta.kind(),
                Err(error) => return Some(not_saved(&path, "could not be examined", error)),
            },
            known => known,
        };
        let choice = chooser.choose(&path, kind == FileType::Directory, self.top(false));
        self.take(parent, name.to_owned(), kind, path, choice, chooser)
    }

    fn take(
        &mut self,
        parent: Arc<OwnedFd>,
        name: CString,
        kind: FileType,
        path: Vec<u8>,
        choice: Choice,
        chooser: &dyn Choose,
    ) -> Option<Step> {
        let Choice::Take { tag, .. } = choice else { return None };
        if chooser.spares(tag) && meta::has_nodump(&parent, &name) {
            // A top was asked for by name.
            let text = "has the no-dump flag and is not saved";
            return self.stack.is_empty().then(|| Step::Notice(Notice::new(NoticeKind::Skipped, &path, text)));
        }
        let found = Found { path, parent, name, kind, dir: None, tag, is_top: self.stack.is_empty() };
        if kind == FileType::Directory { self.enter(found, choice, chooser) } else { Some(Step::Entry(found)) }
    }

    fn enter(&mut self, mut found: Found, choice: Choice, chooser: &dyn Choose) -> Option<Step> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let opened = fs::openat(&found.parent, &found.name, flags, Mode::empty())
            .and_then(|fd| Ok((meta::of_open(&fd)?, Arc::new(fd))));
        let (meta, fd) = match opened {
            Ok(opened) => opened,
            Err(Errno::NOTDIR | Errno::LOOP) => {
                found.kind = FileType::Unknown;
                return Some(Step::Entry(found));
            }
            Err(error) => return Some(self.closed_directory(found, error)),
        };
        let Choice::Take { tag, descend, cross } = choice else { return None };
        found.dir = Some((meta, Some(Arc::clone(&fd))));
        let above = self.stack.last().map_or(self.top_dev, |level| level.meta.dev);
        let is_shut = !cross && meta.dev != self.top_dev || meta.dev != above && chooser.admits(tag, &fd).is_err();
        if !descend || is_shut {
            return Some(Step::Entry(found));
        }
        let listing = match Listing::read(&fd, &mut self.buffer) {
            Ok(listing) => listing,
            Err(error) => return Some(self.closed_directory(found, error)),
        };
        let top = self.top(false);
        if listing.items.iter().any(|item| chooser.shuns(listing.name(item).to_bytes(), top)) {
            return None;
        }
        let level = Level { fd: Some(fd), parent_len: self.path.len(), name: found.name, listing, meta, tag };
        if self.stack.is_empty() {
            self.stack.push(Level { parent_len: 0, ..level });
            self.stack.last_mut()?.listing.outer = Some(found.parent);
        } else {
            self.stack.push(level);
        }
        self.path = found.path;
        if let Some(far) = self.stack.len().checked_sub(OPEN_DIRECTORIES + 1).and_then(|at| self.stack.get_mut(at)) {
            far.fd = None;
        }
        None
    }

    /// A directory that may not be read is still an entry; that its contents are missing must be told.
    fn closed_directory(&mut self, mut found: Found, error: Errno) -> Step {
        let Ok(meta) = meta::of_entry(&found.parent, &found.name) else {
            return not_saved(&found.path, "could not be examined", error);
        };
        let notice = not_saved(&found.path, "could not be read; what it contains is not saved", error);
        found.dir = Some((meta, None));
        // The entry follows in the next step: a level with nothing in it, already left.
        let level = Level {
            fd: None,
            parent_len: if self.stack.is_empty() { 0 } else { self.path.len() },
            name: found.name,
            listing: Listing { outer: Some(found.parent), ..Listing::default() },
            meta,
            tag: found.tag,
        };
        self.stack.push(level);
        self.path = found.path;
        notice
    }

    fn leave(&mut self) -> Step {
        let Some(level) = self.stack.pop() else { return Step::Done };
        let path = self.path.clone();
        self.path.truncate(level.parent_len);
        let mut lost = None;
        let parent = match (self.stack.last_mut(), level.listing.outer) {
            (Some(above), _) if above.fd.is_none() => {
                let reopened = level.fd.as_ref().and_then(|fd| reopen(fd, above.meta.inode()));
                if reopened.is_none() {
                    lost = Some(Notice::new(
                        NoticeKind::NotSaved,
                        &self.path,
                        "was moved while it was read; the rest of it is not saved",
                    ));
                    above.listing = Listing::default();
                }
                above.fd.clone_from(&reopened);
                reopened
            }
            (Some(above), _) => above.fd.clone(),
            (None, outer) => outer,
        };
        if let Some(notice) = lost {
            return Step::Notice(notice);
        }
        let Some(parent) = parent else { return Step::Done };
        let dir = Some((level.meta, level.fd));
        let (kind, is_top) = (FileType::Directory, self.stack.is_empty());
        Step::Entry(Found { path, parent, name: level.name, kind, dir, tag: level.tag, is_top })
    }
}

#[derive(Debug)]
struct Level {
    fd: Option<Arc<OwnedFd>>,
    parent_len: usize,
    name: CString,
    listing: Listing,
    meta: Meta,
    tag: usize,
}

/// The names of one directory in one buffer, sorted.
#[derive(Debug, Default)]
struct Listing {
    bytes: Vec<u8>,
    items: Vec<Item>,
    next: usize,
    outer: Option<Arc<OwnedFd>>,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    start: usize,
    end: usize,
    kind: FileType,
}

impl Listing {
    fn read(fd: &OwnedFd, buffer: &mut [MaybeUninit<u8>]) -> rustix::io::Result<Self> {
        let mut listing = Self::default();
        let mut raw = RawDir::new(fd, buffer);
        while let Some(entry) = raw.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes_with_nul();
            if matches!(name, b".\0" | b"..\0") {
                continue;
            }
            let start = listing.bytes.len();
            listing.bytes.extend_from_slice(name);
            listing.items.push(Item { start, end: listing.bytes.len(), kind: entry.file_type() });
        }
        let bytes = &listing.bytes;
        listing.items.sort_unstable_by_key(|item| bytes.get(item.start..item.end));
        Ok(listing)
    }

    fn name(&self, item: &Item) -> &CStr {
        self.bytes.get(item.start..item.end).and_then(|b| CStr::from_bytes_with_nul(b).ok()).unwrap_or_default()
    }

    fn pop_front(&mut self) -> Option<(CString, FileType)> {
        let item = *self.items.get(self.next)?;
        self.next += 1;
        Some((self.name(&item).to_owned(), item.kind))
    }
}

fn reopen(child: &OwnedFd, expected: (u64, u64)) -> Option<Arc<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = fs::openat(child, c"..", flags, Mode::empty()).ok()?;
    (meta::of_open(&fd).ok()?.inode() == expected).then(|| Arc::new(fd))
}

fn trim(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|b| *b != b'/') {
        Some(last) => path.get(..=last).unwrap_or(path),
        None if path.is_empty() => b".",
        None => b"/",
    }
}

fn not_saved(path: &[u8], what: &str, error: Errno) -> Step {
    Step::Notice(Notice::new(NoticeKind::NotSaved, path, format!("{what}: {}", std::io::Error::from(error))))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;

    fn walk(walk: &mut Walk, chooser: &mut dyn Choose, top: &Path) -> (Vec<String>, Vec<Notice>) {
        let (mut paths, mut notices) = (Vec::new(), Vec::new());
        loop {
            match walk.step(chooser) {
                Step::Done => return (paths, notices),
                Step::Notice(notice) => notices.push(notice),
                Step::Entry(found) => {
                    let below = found.path.strip_prefix(top.as_os_str().as_bytes()).unwrap();
                    paths.push(String::from_utf8_lossy(below).into_owned());
                }
            }
        }
    }

    fn tops(dir: &Path) -> Vec<Vec<u8>> {
        vec![dir.as_os_str().as_bytes().to_vec()]
    }

    #[test]
    fn names_come_sorted_and_directories_after_their_contents() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("a/b")).unwrap();
        for name in ["a.txt", "a/z", "a/b/c", "B"] {
            std::fs::write(dir.path().join(name), b"").unwrap();
        }
        symlink("/", dir.path().join("a/root")).unwrap();
        let (paths, notices) = walk(&mut Walk::new(tops(dir.path())), &mut Everything, dir.path());
        assert_eq!(paths, ["/B", "/a/b/c", "/a/b", "/a/root", "/a/z", "/a", "/a.txt", ""]);
        assert_eq!(notices, []);
    }

    #[test]
    fn a_chain_of_two_thousand_directories_needs_few_descriptors() {
        let dir = tempfile::tempdir().unwrap();
        let mut fd = fs::openat(CWD, dir.path(), OFlags::PATH, Mode::empty()).unwrap();
        for _ in 0..2000 {
            fs::mkdirat(&fd, c"d", Mode::from_raw_mode(0o700)).unwrap();
            fd = fs::openat(&fd, c"d", OFlags::PATH, Mode::empty()).unwrap();
        }
        let mut walk = Walk::new(tops(dir.path()));
        let (mut entries, mut most) = (0, 0);
        loop {
            match walk.step(&mut Everything) {
                Step::Done => break,
                Step::Notice(notice) => panic!("{notice}"),
                Step::Entry(found) => {
                    assert_eq!(found.path.len(), dir.path().as_os_str().len() + 2 * (2000 - entries));
                    assert!(found.dir.unwrap().1.is_some());
                    entries += 1;
                }
            }
            most = most.max(walk.stack.iter().filter(|level| level.fd.is_some()).count());
        }
        assert_eq!(entries, 2001);
        assert!(most <= OPEN_DIRECTORIES, "{most}");
    }

    struct Picky;

    impl Choose for Picky {
        fn choose(&mut self, path: &[u8], dir: bool, _top: Top) -> Choice {
            if path.ends_with(b"no") {
                return Choice::Leave;
            }
            Choice::Take { tag: usize::from(dir), descend: !path.ends_with(b"flat"), cross: false }
        }

        fn shuns(&self, name: &[u8], _top: Top) -> bool {
            name == b".nobackup"
        }
    }

    #[test]
    fn what_is_left_out_is_not_entered() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["flat", "no", "marked", "yes"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
            std::fs::write(dir.path().join(name).join("x"), b"").unwrap();
        }
        std::fs::write(dir.path().join("marked/.nobackup"), b"").unwrap();
        let (paths, _) = walk(&mut Walk::new(tops(dir.path())), &mut Picky, dir.path());
        assert_eq!(paths, ["/flat", "/yes/x", "/yes", ""]);
    }

    #[test]
    fn a_directory_swapped_for_a_link_in_mid_walk_is_not_followed() {
        struct Swap<'a>(&'a Path);
        impl Choose for Swap<'_> {
            fn choose(&mut self, path: &[u8], dir: bool, _top: Top) -> Choice {
                if dir && path.ends_with(b"/victim") {
                    std::fs::remove_dir(self.0.join("victim")).unwrap();
                    symlink("/etc", self.0.join("victim")).unwrap();
                }
                Choice::Take { tag: 0, descend: true, cross: true }
            }
        }
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("victim")).unwrap();
        let (paths, _) = walk(&mut Walk::new(tops(dir.path())), &mut Swap(dir.path()), dir.path());
        assert_eq!(paths, ["/victim", ""]);
    }

    #[test]
    fn a_top_that_is_missing_is_told_and_the_next_one_is_walked() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("f"), b"").unwrap();
        let at = |name: &str| dir.path().join(name).as_os_str().as_bytes().to_vec();
        let mut both = Walk::new(vec![at("gone"), at("none/such"), at("f/")]);
        let (paths, notices) = walk(&mut both, &mut Everything, dir.path());
        assert_eq!(paths, ["/f"]);
        assert_eq!(notices.len(), 2);
        assert!(notices.iter().all(|n| n.kind == NoticeKind::NotSaved));
        assert!(both.has_reached_a_top());
        let mut none = Walk::new(vec![at("gone"), at("none/such")]);
        assert_eq!(walk(&mut none, &mut Everything, dir.path()).1.len(), 2);
        assert!(!none.has_reached_a_top());
    }
}
