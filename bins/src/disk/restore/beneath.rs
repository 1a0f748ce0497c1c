//! Reaches directories beneath one root and never leaves it.
//!
//! Every component is opened relative to its parent without following symbolic links, so neither a link planted by an
//! earlier entry nor one that was there before leads out. One exception: a link that root or the restoring user owns,
//! that this restore has not made and that leads to a directory beneath the root is that directory, as the machine's own
//! layout may need it (`/home -> /data/home`).
//!
//! What else stands where a directory must be is replaced by one if the order is to replace always.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::paths::Paths;
use crate::disk::meta::{self, Handle};

/// Directories kept open: enough for a file to find its parent open, few enough for a small machine.
const KEPT: usize = 32;
/// Longest path handed to the system in one piece.
const LONGEST_CALL: usize = 4000;
/// Mode of directories that no record describes: what lies in them may be secret.
const UNRECORDED: u32 = 0o750;
const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Why a name does not lead to a place beneath the root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BeneathError {
    /// The name has a component `..`.
    #[error("the name leads upwards through '..' and is refused")]
    Upwards,
    /// The name holds a NUL or is empty where it may not be.
    #[error("the name is not a valid one")]
    Invalid,
    /// A component is a link or another thing that is no directory.
    #[error("'{0}' on the way is a symbolic link or no directory; nothing is written through it")]
    NotDirectory(String),
    /// The system said no.
    #[error("{}", std::io::Error::from(*.0))]
    System(Errno),
}

impl From<Errno> for BeneathError {
    fn from(error: Errno) -> Self {
        Self::System(error)
    }
}

/// An open directory beneath the root.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) fd: OwnedFd,
    /// Whether what is created in it inherits a default ACL.
    pub(crate) inherits: bool,
}

/// The root and the directories last used.
#[derive(Debug)]
pub(crate) struct Beneath {
    root: Arc<Folder>,
    /// The root's path without links, without a slash at its end.
    top: Vec<u8>,
    replaces: bool,
    /// Links that this restore has made.
    links: Paths,
    kept: Vec<(Vec<u8>, Arc<Folder>)>,
    made: BTreeSet<Vec<u8>>,
    has_openat2: bool,
}

impl Beneath {
    /// Opens the root, creating it and its parents if need be. Empty means `/`. If it `replaces`, directories are made
    /// also where something else stands.
    pub(crate) fn open(root: &[u8], replaces: bool) -> Result<Self, Errno> {
        let system = root.iter().all(|b| *b == b'/');
        let root = if system { b"/".as_slice() } else { root };
        let flags = DIRECTORY.difference(OFlags::NOFOLLOW);
        let fd = match fs::openat(CWD, root, flags, Mode::empty()) {
            Err(Errno::NOENT) => {
                create_all(root)?;
                fs::openat(CWD, root, flags, Mode::empty())?
            }
            other => other?,
        };
        let mut top = where_is(&fd)?;
        if top == b"/" {
            top.clear();
        }
        let root = Arc::new(Folder { inherits: inherits(&fd), fd });
        let (links, made) = (Paths::default(), BTreeSet::new());
        Ok(Self { root, top, replaces, links, kept: Vec::new(), made, has_openat2: true })
    }

    /// The directory at this path relative to the root (`a/b`, empty for the root); missing ones are made if `make`.
    pub(crate) fn folder(&mut self, path: &[u8], make: bool) -> Result<Arc<Folder>, BeneathError> {
        if path.is_empty() {
            return Ok(Arc::clone(&self.root));
        }
        if let Some(at) = self.kept.iter().rposition(|(kept, _)| kept == path) {
            let entry = self.kept.remove(at);
            let folder = Arc::clone(&entry.1);
            self.kept.push(entry);
            return Ok(folder);
        }
        let (mut folder, mut done) = self.nearest(path);
        if let Some(found) = self.in_one_call(&folder, path.get(done..).unwrap_or_default()) {
            self.keep(path.to_vec(), &found);
            return Ok(found);
        }
        while done < path.len() {
            let start = if done == 0 { 0 } else { done + 1 };
            let rest = path.get(start..).unwrap_or_default();
            let end = rest.iter().position(|b| *b == b'/').map_or(path.len(), |at| start + at);
            let (name, so_far) = (path.get(start..end).unwrap_or_default(), path.get(..end).unwrap_or_default());
            folder = self.child(&folder, name, so_far, make)?;
            self.keep(so_far.to_vec(), &folder);
            done = end;
        }
        Ok(folder)
    }

    /// Notes that this restore made a symbolic link at this path: it is never followed.
    pub(crate) fn note_link(&mut self, path: &[u8]) {
        self.links.insert(path);
    }

    /// The directory to which the entry leads, if it is a link that may be followed.
    pub(crate) fn through_link(&self, parent: &Folder, name: &[u8], path: &[u8]) -> Option<OwnedFd> {
        if self.links.may_contain(path) || !is_own_link(parent, name) {
            return None;
        }
        let fd = fs::openat(&parent.fd, name, DIRECTORY.difference(OFlags::NOFOLLOW), Mode::empty()).ok()?;
        let place = where_is(&fd).ok()?;
        place
            .strip_prefix(self.top.as_slice())
            .is_some_and(|rest| rest.first().is_none_or(|b| *b == b'/'))
            .then_some(fd)
    }

    /// Notes that the directory at this path was made by this restore, before its own record came.
    pub(crate) fn note_made(&mut self, path: &[u8]) {
        self.made.insert(path.to_vec());
    }

    /// Whether this restore made the directory and its record had not come; forgets it.
    pub(crate) fn take_made(&mut self, path: &[u8]) -> bool {
        self.made.remove(path)
    }

    /// Opens the directory anew when next needed: its default ACL may have changed.
    pub(crate) fn refresh(&mut self, path: &[u8]) {
        self.kept.retain(|(kept, _)| kept != path);
        if path.is_empty()
            && let Ok(fd) = self.root.fd.try_clone()
        {
            self.root = Arc::new(Folder { inherits: inherits(&fd), fd });
        }
    }

    /// Forgets a directory that was removed, and all below it.
    pub(crate) fn forget(&mut self, path: &[u8]) {
        let below = |kept: &[u8]| kept.strip_prefix(path).is_some_and(|rest| rest.first().is_none_or(|b| *b == b'/'));
        self.kept.retain(|(kept, _)| !below(kept));
        self.made.retain(|made| !below(made));
    }

    fn nearest(&self, path: &[u8]) -> (Arc<Folder>, usize) {
        let prefix = |kept: &[u8]| path.strip_prefix(kept).is_some_and(|rest| rest.first() == Some(&b'/'));
        let best = self.kept.iter().filter(|(kept, _)| prefix(kept)).max_by_key(|(kept, _)| kept.len());
        best.map_or_else(|| (Arc::clone(&self.root), 0), |(kept, folder)| (Arc::clone(folder), kept.len()))
    }

    /// The common case, several components that all exist: one call. `None` sends the caller the long way.
    fn in_one_call(&mut self, folder: &Folder, rest: &[u8]) -> Option<Arc<Folder>> {
        let rest = rest.strip_prefix(b"/").unwrap_or(rest);
        if !self.has_openat2 || rest.len() > LONGEST_CALL || !rest.contains(&b'/') {
            return None;
        }
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match fs::openat2(&folder.fd, rest, DIRECTORY, Mode::empty(), resolve) {
            Ok(fd) => Some(Arc::new(Folder { inherits: inherits(&fd), fd })),
            Err(Errno::NOSYS | Errno::PERM) => {
                self.has_openat2 = false;
                None
            }
            Err(_) => None,
        }
    }

    fn child(&mut self, parent: &Folder, name: &[u8], path: &[u8], make: bool) -> Result<Arc<Folder>, BeneathError> {
        let mut opened = fs::openat(&parent.fd, name, DIRECTORY, Mode::empty());
        if matches!(opened, Err(Errno::NOENT)) && make {
            match fs::mkdirat(&parent.fd, name, Mode::from_raw_mode(UNRECORDED)) {
                Ok(()) => self.note_made(path),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            opened = fs::openat(&parent.fd, name, DIRECTORY, Mode::empty());
        }
        if matches!(opened, Err(Errno::NOTDIR | Errno::LOOP)) {
            if let Some(fd) = self.through_link(parent, name, path) {
                opened = Ok(fd);
            } else if make && self.replaces {
                fs::unlinkat(&parent.fd, name, AtFlags::empty())?;
                fs::mkdirat(&parent.fd, name, Mode::from_raw_mode(UNRECORDED))?;
                self.note_made(path);
                opened = fs::openat(&parent.fd, name, DIRECTORY, Mode::empty());
            }
        }
        match opened {
            Ok(fd) => Ok(Arc::new(Folder { inherits: inherits(&fd), fd })),
            Err(Errno::NOTDIR | Errno::LOOP) => Err(BeneathError::NotDirectory(crate::disk::notice::shown(path))),
            Err(error) => Err(error.into()),
        }
    }

    fn keep(&mut self, path: Vec<u8>, folder: &Arc<Folder>) {
        if self.kept.len() >= KEPT {
            self.kept.remove(0);
        }
        self.kept.push((path, Arc::clone(folder)));
    }
}

/// A name as it is recorded, as a path relative to the root: no `/` at either end, no empty component, no `.`.
pub(crate) fn relative(name: &[u8]) -> Result<Vec<u8>, BeneathError> {
    if name.contains(&0) {
        return Err(BeneathError::Invalid);
    }
    let mut out = Vec::with_capacity(name.len());
    for component in name.split(|b| *b == b'/') {
        match component {
            b"" | b"." => {}
            b".." => return Err(BeneathError::Upwards),
            _ => {
                if !out.is_empty() {
                    out.push(b'/');
                }
                out.extend_from_slice(component);
            }
        }
    }
    Ok(out)
}

/// Parent and last component of a relative path; the root itself is `.` in itself.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|b| *b == b'/') {
        Some(at) => (path.get(..at).unwrap_or_default(), path.get(at + 1..).unwrap_or_default()),
        None if path.is_empty() => (b"", b"."),
        None => (b"", path),
    }
}

fn inherits(fd: &OwnedFd) -> bool {
    let mut value = [0_u8; 8];
    let path = meta::proc_path(fd.as_fd());
    !matches!(fs::getxattr(path.as_c_str(), meta::ACL_DEFAULT, &mut value[..]), Err(e) if e != Errno::RANGE)
}

/// Where a directory is, without links.
fn where_is(fd: &OwnedFd) -> Result<Vec<u8>, Errno> {
    Ok(fs::readlinkat(CWD, meta::proc_path(fd.as_fd()).as_c_str(), Vec::new())?.into_bytes())
}

fn is_own_link(parent: &Folder, name: &[u8]) -> bool {
    let stat = fs::statat(&parent.fd, name, AtFlags::SYMLINK_NOFOLLOW);
    let mine = rustix::process::geteuid().as_raw();
    stat.is_ok_and(|s| FileType::from_raw_mode(s.st_mode) == FileType::Symlink && (s.st_uid == 0 || s.st_uid == mine))
}

fn create_all(path: &[u8]) -> Result<(), Errno> {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(UNRECORDED)
        .create(std::ffi::OsStr::from_bytes(path))
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// Removes the ACLs that a new entry took over from its parent's default.
pub(crate) fn disinherit(handle: Handle<'_>, directory: bool) -> Result<(), Errno> {
    if directory {
        meta::remove_xattr(handle, meta::ACL_DEFAULT)?;
    }
    meta::remove_xattr(handle, meta::ACL_ACCESS)
}
