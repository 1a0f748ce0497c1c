//! Entries are made beside their place, under a name of their own, and renamed when they are complete: until then what
//! stood there stands. The name follows from the final one, so that a restore that died is cleaned up by the next of the
//! same file; a lock on the file tells a dead restore from a living one.

use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{self, AtFlags, Dir, FileType as Type, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use towline_core::wire::digest::{Algorithm, Hasher};

use super::beneath::Folder;
use crate::disk::meta;

/// With this the name of an entry begins that is not complete.
pub const PREFIX: &str = ".towline-part-";
/// Names that are tried: as many restores may make the same entry at once.
const TRIES: u32 = 16;
/// With this the name of a folder begins that is being removed, in the folder that is.
const GONE: &str = ".towline-gone-";

/// A regular file that is being written. Dropped before [`place`](Self::place), it is removed.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) fd: OwnedFd,
    parent: OwnedFd,
    name: CString,
    placed: bool,
}

impl Part {
    /// Makes an empty file, of mode 0600, beside the place it will take.
    pub(super) fn create(parent: &Folder, last: &CString) -> Result<Self, Errno> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (fd, name) =
            under_free_name(parent, last, |name| fs::openat(&parent.fd, name, flags, Mode::from_raw_mode(0o600)))?;
        // A file system without locks only loses the cleaning up.
        let _unlocked = fs::flock(&fd, FlockOperation::NonBlockingLockExclusive);
        let parent = parent.fd.try_clone().map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        Ok(Self { fd, parent, name, placed: false })
    }

    /// Puts the file into its place. With `fresh` nothing may stand there.
    pub(super) fn place(&mut self, last: &CString, fresh: bool) -> Result<(), Errno> {
        let moved = if fresh {
            match fs::renameat_with(&self.parent, &self.name, &self.parent, last, RenameFlags::NOREPLACE) {
                Err(Errno::INVAL | Errno::NOSYS) => fs::renameat(&self.parent, &self.name, &self.parent, last),
                other => other,
            }
        } else {
            fs::renameat(&self.parent, &self.name, &self.parent, last)
        };
        self.placed = moved.is_ok();
        moved
    }

    /// Copies the bytes into the file that stands in the place and cannot be moved away, such as a mount point, and
    /// returns it, open.
    pub(super) fn pour(&self, last: &CString) -> Result<OwnedFd, Errno> {
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let into = fs::openat(&self.parent, last, flags, Mode::empty())?;
        if meta::of_open(&into)?.kind() != Type::RegularFile {
            return Err(Errno::BUSY);
        }
        let size = meta::of_open(&self.fd)?.size;
        let mut buffer = vec![0; 128 * 1024];
        let mut at = 0;
        while at < size {
            let n = rustix::io::pread(&self.fd, &mut buffer, at)?;
            let mut rest = buffer.get(..n).filter(|part| !part.is_empty()).ok_or(Errno::IO)?;
            while !rest.is_empty() {
                let written = rustix::io::pwrite(&into, rest, at)?;
                at += written as u64;
                rest = rest.get(written..).unwrap_or_default();
            }
        }
        fs::ftruncate(&into, size)?;
        Ok(into)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.placed {
            // Another try would fail as well; the next restore of the file finds it.
            let _left = fs::unlinkat(&self.parent, &self.name, AtFlags::empty());
        }
    }
}

/// Puts something made by `make` into a place where something stands already, in one step.
pub(super) fn replace<T>(
    parent: &Folder,
    last: &CString,
    make: impl Fn(&CString) -> Result<T, Errno>,
) -> Result<T, Errno> {
    let (made, name) = under_free_name(parent, last, make)?;
    if let Err(error) = fs::renameat(&parent.fd, &name, &parent.fd, last) {
        let _gone = fs::unlinkat(&parent.fd, &name, AtFlags::empty());
        return Err(error);
    }
    Ok(made)
}

/// Removes a directory and all it holds, without following a link or leaving its file system.
///
/// What is not empty is moved up into the directory itself first, so that depth costs neither descriptors nor stack.
pub(super) fn remove_tree(parent: &Folder, name: &CString) -> Result<(), Errno> {
    match fs::unlinkat(&parent.fd, name, AtFlags::REMOVEDIR) {
        Err(Errno::NOTEMPTY | Errno::EXIST) => {}
        other => return other,
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let named = meta::name_entry(&parent.fd, name)?;
    open_up(&named);
    let top = fs::openat(&parent.fd, name, flags, Mode::empty())?;
    let mut serial = 0_u64;
    loop {
        let mut any = false;
        for child in names(&top)? {
            any = true;
            match fs::unlinkat(&top, &child, AtFlags::empty()) {
                Err(Errno::ISDIR | Errno::PERM) => {}
                other => {
                    other?;
                    continue;
                }
            }
            match fs::unlinkat(&top, &child, AtFlags::REMOVEDIR) {
                Err(Errno::NOTEMPTY | Errno::EXIST) => empty(&top, &child, &mut serial)?,
                other => other?,
            }
        }
        if !any {
            return fs::unlinkat(&parent.fd, name, AtFlags::REMOVEDIR);
        }
    }
}

/// Removes what a directory in `top` holds, but moves directories that hold something up into `top`; then the directory.
fn empty(top: &OwnedFd, name: &CString, serial: &mut u64) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    open_up(&meta::name_entry(top, name)?);
    let folder = fs::openat(top, name, flags, Mode::empty())?;
    for child in names(&folder)? {
        match fs::unlinkat(&folder, &child, AtFlags::empty()) {
            Err(Errno::ISDIR | Errno::PERM) => {}
            other => {
                other?;
                continue;
            }
        }
        match fs::unlinkat(&folder, &child, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            other => {
                other?;
                continue;
            }
        }
        open_up(&meta::name_entry(&folder, &child)?);
        loop {
            let up = CString::new(format!("{GONE}{serial}")).unwrap_or_default();
            *serial += 1;
            match fs::renameat_with(&folder, &child, top, &up, RenameFlags::NOREPLACE) {
                Err(Errno::EXIST) => {}
                other => break other?,
            }
        }
    }
    match fs::unlinkat(top, name, AtFlags::REMOVEDIR) {
        // More names than a page holds: it is met again.
        Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(()),
        other => other,
    }
}

/// The names in a directory, as many as a page holds.
fn names(folder: &OwnedFd) -> Result<Vec<CString>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(entry.file_name().to_owned());
        }
        if names.len() >= 4096 {
            break;
        }
    }
    Ok(names)
}

/// Lets the owner of a directory change it; whoever is not the owner finds out later.
fn open_up(folder: &OwnedFd) {
    if !meta::is_root() {
        let path = meta::proc_path(folder.as_fd());
        let _kept = fs::chmodat(fs::CWD, path.as_c_str(), Mode::RWXU, AtFlags::empty());
    }
}

/// Makes something under the first name that no other restore has. What a dead one left is removed.
fn under_free_name<T>(
    parent: &Folder,
    last: &CString,
    make: impl Fn(&CString) -> Result<T, Errno>,
) -> Result<(T, CString), Errno> {
    for nth in 0..TRIES {
        let name = part_name(last, nth);
        for _ in 0..2 {
            match make(&name) {
                Err(Errno::EXIST) if is_left_over(parent, &name) => {
                    fs::unlinkat(&parent.fd, &name, AtFlags::empty())?;
                }
                Err(Errno::EXIST) => break,
                other => return other.map(|made| (made, name)),
            }
        }
    }
    Err(Errno::EXIST)
}

/// The name an entry has until it is complete.
fn part_name(last: &CString, nth: u32) -> CString {
    let mut hasher = Hasher::new(Algorithm::Xxh128);
    hasher.update(last.as_bytes());
    let sum: String = hasher.finish().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let name = if nth == 0 { format!("{PREFIX}{sum}") } else { format!("{PREFIX}{sum}-{nth}") };
    CString::new(name).unwrap_or_default()
}

/// Whether an entry of such a name belongs to no restore that is alive.
fn is_left_over(parent: &Folder, name: &CString) -> bool {
    match meta::of_entry(&parent.fd, name).map(|meta| meta.kind()) {
        Ok(Type::Directory) | Err(_) => false,
        Ok(Type::RegularFile) => {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            fs::openat(&parent.fd, name, flags, Mode::empty())
                .is_ok_and(|fd| fs::flock(&fd, FlockOperation::NonBlockingLockExclusive).is_ok())
        }
        // Links and special files are renamed at once.
        Ok(_) => true,
    }
}
