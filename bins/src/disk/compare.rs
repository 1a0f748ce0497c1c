//! Says in what two trees differ: names, types, contents, modes, owners, times, links, devices, extended attributes.
//!
//! What the kernel forbids a user who is not root is counted apart and named: foreign owners, device nodes, attributes
//! of the system, sources that may not be read. Sockets are named there too: no backup holds them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{self, FileType as Type, Mode, OFlags};
use rustix::io::Errno;

use super::meta::{self, Handle, Meta, Xattr, XattrReader};
use super::notice::Notice;
use super::walk::{Everything, Found, Step, Walk};

/// Most entries of each list of a [`Comparison`]; beyond it they are only counted.
pub const LISTED: usize = 1000;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Relative to the two directories; empty for themselves.
    pub path: Vec<u8>,
    /// In what they differ, for a person: `mode 644, restored 600`.
    pub what: String,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Entries of the source, and those that only the restored tree has.
    pub entries: u64,
    /// Bytes of contents compared.
    pub bytes: u64,
    /// The first differences.
    pub differences: Vec<Difference>,
    /// How many differences there are.
    pub different: u64,
    /// The first of what cannot be the same, as the kernel forbids it to this user.
    pub forbidden: Vec<Difference>,
    /// How many of those there are.
    pub forbidden_count: u64,
}

impl Comparison {
    /// Whether nothing differs but what is forbidden.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.different == 0
    }

    fn differs(&mut self, path: &[u8], what: impl Into<String>) {
        self.different += 1;
        if self.differences.len() < LISTED {
            self.differences.push(Difference { path: path.to_vec(), what: what.into() });
        }
    }

    fn forbids(&mut self, path: &[u8], what: impl Into<String>) {
        self.forbidden_count += 1;
        if self.forbidden.len() < LISTED {
            self.forbidden.push(Difference { path: path.to_vec(), what: what.into() });
        }
    }
}

/// Compares a tree with what was restored of it. Times are compared in whole seconds, as records hold no more.
#[must_use]
pub fn compare(source: &Path, restored: &Path) -> Comparison {
    let mut comparer = Comparer {
        root: meta::is_root(),
        result: Comparison::default(),
        groups: BTreeMap::new(),
        groups_back: BTreeMap::new(),
        xattrs: XattrReader::default(),
        buffers: (vec![0; BUFFER], vec![0; BUFFER]),
    };
    let (mut left, mut right) = (Side::new(source), Side::new(restored));
    let (mut a, mut b) = (comparer.next(&mut left, true), comparer.next(&mut right, false));
    loop {
        let order = match (&a, &b) {
            (None, None) => return comparer.result,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => walk_order(left.relative(a), right.relative(b)),
        };
        comparer.result.entries += 1;
        match (order, &a, &b) {
            (Ordering::Less, Some(found), _) => comparer.missing(left.relative(found), found),
            (Ordering::Greater, _, Some(found)) => {
                comparer.result.differs(right.relative(found), "is only in the restored tree");
            }
            (_, Some(one), Some(other)) => comparer.both(left.relative(one), one, other),
            _ => {}
        }
        if order != Ordering::Greater {
            a = comparer.next(&mut left, true);
        }
        if order != Ordering::Less {
            b = comparer.next(&mut right, false);
        }
    }
}

const BUFFER: usize = 128 * 1024;

struct Side {
    walk: Walk,
    top: usize,
}

impl Side {
    fn new(top: &Path) -> Self {
        let bytes = top.as_os_str().as_bytes();
        let length = bytes.iter().rposition(|b| *b != b'/').map_or(0, |last| last + 1);
        Self { walk: Walk::new(vec![bytes.to_vec()]), top: length }
    }

    fn relative<'a>(&self, found: &'a Found) -> &'a [u8] {
        self.below(&found.path)
    }

    fn below<'a>(&self, path: &'a [u8]) -> &'a [u8] {
        let rest = path.get(self.top..).unwrap_or_default();
        rest.strip_prefix(b"/").unwrap_or(rest)
    }
}

/// The order in which a walk meets paths: component by component, contents before their directory.
fn walk_order(a: &[u8], b: &[u8]) -> Ordering {
    let (mut left, mut right) = (components(a), components(b));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Greater,
            (Some(_), None) => return Ordering::Less,
            (Some(x), Some(y)) if x == y => {}
            (Some(x), Some(y)) => return x.cmp(y),
        }
    }
}

fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|b| *b == b'/').filter(|c| !c.is_empty())
}

struct Comparer {
    root: bool,
    result: Comparison,
    groups: BTreeMap<(u64, u64), (u64, u64)>,
    groups_back: BTreeMap<(u64, u64), (u64, u64)>,
    xattrs: XattrReader,
    buffers: (Vec<u8>, Vec<u8>),
}

impl Comparer {
    fn next(&mut self, side: &mut Side, source: bool) -> Option<Found> {
        loop {
            match side.walk.step(&mut Everything) {
                Step::Entry(found) => return Some(found),
                Step::Done => return None,
                Step::Notice(Notice { path, text, .. }) => {
                    let path = side.below(&path);
                    if source && !self.root {
                        self.result.forbids(path, format!("source {text}"));
                    } else {
                        self.result.differs(path, format!("{} {text}", if source { "source" } else { "restored" }));
                    }
                }
            }
        }
    }

    fn missing(&mut self, path: &[u8], found: &Found) {
        match found.kind {
            Type::Socket => self.result.forbids(path, "socket, never saved"),
            Type::BlockDevice | Type::CharacterDevice if !self.root => self.result.forbids(path, "device node"),
            Type::RegularFile if !self.root && matches!(open(found), Err(Errno::ACCESS | Errno::PERM)) => {
                self.result.forbids(path, "source may not be read");
            }
            _ => self.result.differs(path, "is missing in the restored tree"),
        }
    }

    fn both(&mut self, path: &[u8], source: &Found, restored: &Found) {
        let metas = examine(source).and_then(|a| examine(restored).map(|b| (a, b)));
        let (a, b) = match metas {
            Ok(metas) => metas,
            Err(error) => {
                self.result.differs(path, format!("cannot be examined: {}", std::io::Error::from(error)));
                return;
            }
        };
        if a.kind() != b.kind() {
            self.result.differs(path, format!("{:?}, restored {:?}", a.kind(), b.kind()));
            return;
        }
        self.looks(path, &a, &b);
        self.links(path, &a, &b);
        let outcome = match a.kind() {
            Type::RegularFile => self.contents(path, source, restored, &a, &b),
            Type::Symlink => self.target(path, source, restored),
            Type::BlockDevice | Type::CharacterDevice if a.rdev != b.rdev => {
                self.result.differs(path, format!("device {:#x}, restored {:#x}", a.rdev, b.rdev));
                Ok(())
            }
            _ => Ok(()),
        };
        let outcome = outcome.and_then(|()| self.attributes(path, source, restored));
        if let Err(error) = outcome {
            self.result.differs(path, format!("cannot be compared: {}", std::io::Error::from(error)));
        }
    }

    fn looks(&mut self, path: &[u8], a: &Meta, b: &Meta) {
        let same_owner = (a.uid, a.gid) == (b.uid, b.gid);
        if !same_owner {
            let what = format!("owner {}:{}, restored {}:{}", a.uid, a.gid, b.uid, b.gid);
            if self.root { self.result.differs(path, what) } else { self.result.forbids(path, what) }
        }
        let (mode_a, mode_b) = (a.permissions(), b.permissions());
        if a.kind() != Type::Symlink && mode_a != mode_b {
            let what = format!("mode {mode_a:o}, restored {mode_b:o}");
            let only_set_id = (mode_a ^ mode_b) & 0o1777 == 0;
            if !self.root && !same_owner && only_set_id {
                self.result.forbids(path, what);
            } else {
                self.result.differs(path, what);
            }
        }
        if a.mtime != b.mtime {
            self.result.differs(path, format!("modified at {}, restored {}", a.mtime, b.mtime));
        }
    }

    /// Names that share an inode on one side must share one on the other. Not for symbolic links: no record tells it.
    fn links(&mut self, path: &[u8], a: &Meta, b: &Meta) {
        if matches!(a.kind(), Type::Directory | Type::Symlink) || (a.nlink < 2 && b.nlink < 2) {
            return;
        }
        let there = *self.groups.entry(a.inode()).or_insert_with(|| b.inode());
        let back = *self.groups_back.entry(b.inode()).or_insert_with(|| a.inode());
        if there != b.inode() || back != a.inode() {
            self.result.differs(path, "is a hard link of other names than in the source");
        }
    }

    fn contents(&mut self, path: &[u8], source: &Found, restored: &Found, a: &Meta, b: &Meta) -> Result<(), Errno> {
        let left = match open(source) {
            Err(Errno::ACCESS | Errno::PERM) if !self.root => {
                self.result.forbids(path, "source may not be read");
                return Ok(());
            }
            other => other?,
        };
        if a.size != b.size {
            self.result.differs(path, format!("{} bytes, restored {}", a.size, b.size));
            return Ok(());
        }
        let right = match open(restored) {
            // Its mode, which is the source's, keeps its own owner out.
            Err(Errno::ACCESS) if !self.root => {
                self.result.forbids(path, "restored file may not be read");
                return Ok(());
            }
            other => other?,
        };
        let (one, two) = &mut self.buffers;
        let mut at = 0_u64;
        loop {
            let (x, y) = (read_full(&left, one)?, read_full(&right, two)?);
            if one.get(..x) != two.get(..y) {
                let same = one.iter().zip(two.iter()).take(x.min(y)).take_while(|(p, q)| p == q).count();
                self.result.differs(path, format!("contents from byte {} on", at + same as u64));
                return Ok(());
            }
            at += x as u64;
            self.result.bytes += x as u64;
            if x == 0 {
                return Ok(());
            }
        }
    }

    fn target(&mut self, path: &[u8], source: &Found, restored: &Found) -> Result<(), Errno> {
        let a = fs::readlinkat(&source.parent, &source.name, Vec::new())?;
        let b = fs::readlinkat(&restored.parent, &restored.name, Vec::new())?;
        if a != b {
            let shown = |s: &std::ffi::CString| super::notice::shown(s.as_bytes());
            self.result.differs(path, format!("link to {}, restored to {}", shown(&a), shown(&b)));
        }
        Ok(())
    }

    fn attributes(&mut self, path: &[u8], source: &Found, restored: &Found) -> Result<(), Errno> {
        let (a, b) = (self.read_attributes(source)?, self.read_attributes(restored)?);
        let names: std::collections::BTreeSet<&[u8]> = a.iter().chain(&b).map(|(name, _)| name.as_slice()).collect();
        for name in names {
            let find = |list: &[Xattr]| list.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
            if find(&a) == find(&b) {
                continue;
            }
            let what = format!("extended attribute {}", super::notice::shown(name));
            let system = name.starts_with(b"trusted.") || name.starts_with(b"security.");
            if system && !self.root { self.result.forbids(path, what) } else { self.result.differs(path, what) }
        }
        Ok(())
    }

    fn read_attributes(&mut self, found: &Found) -> Result<Vec<Xattr>, Errno> {
        let fd = meta::name_entry(&found.parent, &found.name)?;
        match self.xattrs.read(Handle::Named(fd.as_fd())) {
            Ok(read) => Ok(read.list),
            Err(Errno::NOTSUP) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

fn examine(found: &Found) -> Result<Meta, Errno> {
    match &found.dir {
        Some((meta, _)) => Ok(*meta),
        None => meta::of_entry(&found.parent, &found.name),
    }
}

fn open(found: &Found) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    fs::openat(&found.parent, &found.name, flags, Mode::empty())
}

fn read_full(fd: &OwnedFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
        match rustix::io::read(fd, room) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::write(root.join("a/b/file"), b"hello").unwrap();
        std::fs::write(root.join("a.txt"), b"").unwrap();
        std::fs::hard_link(root.join("a/b/file"), root.join("a/other")).unwrap();
        symlink("b/file", root.join("a/link")).unwrap();
        settle(root);
        dir
    }

    /// One time for all, so that only what a test changes differs.
    fn settle(root: &Path) {
        let stamp = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
        let all = ["a/b/file", "a.txt", "a/b", "a", "."];
        for name in all {
            std::fs::File::open(root.join(name)).unwrap().set_modified(stamp).unwrap();
        }
        let times = fs::Timestamps {
            last_access: fs::Timespec { tv_sec: 1_700_000_000, tv_nsec: 0 },
            last_modification: fs::Timespec { tv_sec: 1_700_000_000, tv_nsec: 0 },
        };
        let link = root.join("a/link");
        if link.symlink_metadata().is_ok() {
            fs::utimensat(fs::CWD, &link, &times, fs::AtFlags::SYMLINK_NOFOLLOW).unwrap();
        }
    }

    fn whats(one: &Path, two: &Path) -> Vec<(String, String)> {
        let result = compare(one, two);
        assert_eq!(result.different, result.differences.len() as u64);
        let text = |d: &Difference| (String::from_utf8_lossy(&d.path).into_owned(), d.what.clone());
        result.differences.iter().map(text).collect()
    }

    #[test]
    fn equal_trees_have_no_difference() {
        let (one, two) = (tree(), tree());
        let result = compare(one.path(), &two.path().join(""));
        assert!(result.is_same(), "{result:?}");
        assert_eq!((result.entries, result.bytes), (7, 10));
    }

    #[test]
    fn missing_and_extra_entries_are_named() {
        let (one, two) = (tree(), tree());
        std::fs::remove_file(two.path().join("a.txt")).unwrap();
        std::fs::write(two.path().join("a/zz"), b"").unwrap();
        settle_without(two.path());
        let found = whats(one.path(), two.path());
        let expected = [("a/zz", "is only in the restored tree"), ("a.txt", "is missing in the restored tree")];
        assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    fn settle_without(root: &Path) {
        std::fs::write(root.join("a.txt"), b"").unwrap();
        settle(root);
        let meta = std::fs::metadata(root).unwrap();
        std::fs::remove_file(root.join("a.txt")).unwrap();
        std::fs::File::open(root).unwrap().set_modified(meta.modified().unwrap()).unwrap();
        assert_eq!(std::fs::metadata(root).unwrap().mtime(), meta.mtime());
    }

    #[test]
    fn contents_modes_times_and_attributes_are_compared() {
        let (one, two) = (tree(), tree());
        std::fs::write(two.path().join("a/b/file"), b"hellO").unwrap();
        std::fs::set_permissions(two.path().join("a.txt"), std::fs::Permissions::from_mode(0o604)).unwrap();
        let fd = std::fs::File::open(two.path().join("a")).unwrap();
        meta::set_xattr(Handle::Open(fd.as_fd()), b"user.x", b"1").unwrap();
        std::fs::set_permissions(one.path().join("a.txt"), std::fs::Permissions::from_mode(0o600)).unwrap();
        settle(two.path());
        std::fs::File::open(two.path().join("a/b")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        let found = whats(one.path(), two.path());
        let expected = [
            ("a/b/file", "contents from byte 4 on"),
            ("a/b", "modified at 1700000000, restored 0"),
            ("a/other", "contents from byte 4 on"),
            ("a", "extended attribute user.x"),
            ("a.txt", "mode 600, restored 604"),
        ];
        assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn links_that_are_copies_and_links_that_point_elsewhere_are_found() {
        let (one, two) = (tree(), tree());
        std::fs::remove_file(two.path().join("a/other")).unwrap();
        std::fs::write(two.path().join("a/other"), b"hello").unwrap();
        std::fs::File::open(two.path().join("a/other")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        std::fs::remove_file(two.path().join("a/link")).unwrap();
        symlink("b/elsewhere", two.path().join("a/link")).unwrap();
        settle(two.path());
        let found = whats(one.path(), two.path());
        let expected = [
            ("a/link", "link to b/file, restored to b/elsewhere"),
            ("a/other", "modified at 1700000000, restored 0"),
            ("a/other", "is a hard link of other names than in the source"),
        ];
        assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }
}
