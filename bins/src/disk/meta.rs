//! What the system says about one entry: stat, extended attributes, and how to reach an entry without following it.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{self, FileType, Mode, OFlags, Stat};
use rustix::io::{Errno, Result};

/// Name of the attribute in which Linux keeps an access ACL.
pub const ACL_ACCESS: &[u8] = b"system.posix_acl_access";
/// Name of the attribute in which Linux keeps a directory's default ACL.
pub const ACL_DEFAULT: &[u8] = b"system.posix_acl_default";

/// What stat says, in one width on every architecture. Times are seconds since the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Device of the file system.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
    /// Mode with the type bits.
    pub mode: u32,
    /// Number of names.
    pub nlink: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Device number of a device node.
    pub rdev: u64,
    /// Size in bytes.
    pub size: u64,
    /// Preferred block size.
    pub blksize: u64,
    /// Blocks of 512 bytes in use.
    pub blocks: u64,
    /// Last read.
    pub atime: i64,
    /// Last written.
    pub mtime: i64,
    /// Nanoseconds of `mtime`, to notice a change within a second.
    pub mtime_nsec: u32,
    /// Last changed in any way.
    pub ctime: i64,
}

impl Meta {
    /// Takes over what the system said.
    #[must_use]
    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_lossless,
        reason = "the fields' widths differ between architectures"
    )]
    pub fn new(stat: &Stat) -> Self {
        Self {
            dev: stat.st_dev as u64,
            ino: stat.st_ino as u64,
            mode: stat.st_mode as u32,
            nlink: stat.st_nlink as u64,
            uid: stat.st_uid as u32,
            gid: stat.st_gid as u32,
            rdev: stat.st_rdev as u64,
            size: stat.st_size.max(0) as u64,
            blksize: stat.st_blksize as u64,
            blocks: stat.st_blocks as u64,
            atime: stat.st_atime as i64,
            mtime: stat.st_mtime as i64,
            mtime_nsec: stat.st_mtime_nsec as u32,
            ctime: stat.st_ctime as i64,
        }
    }

    /// The entry's type.
    #[must_use]
    pub fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.mode as _)
    }

    /// Permission bits with set-user-id, set-group-id and sticky.
    #[must_use]
    pub fn permissions(&self) -> u32 {
        self.mode & 0o7777
    }

    /// What names the inode on this machine.
    #[must_use]
    pub fn inode(&self) -> (u64, u64) {
        (self.dev, self.ino)
    }
}

/// Stat of an open file.
///
/// # Errors
/// Those of fstat(2).
pub fn of_open(fd: impl AsFd) -> Result<Meta> {
    fs::fstat(fd).map(|stat| Meta::new(&stat))
}

/// Stat of an entry in a directory; a symbolic link is not followed.
///
/// # Errors
/// Those of fstatat(2).
pub fn of_entry(parent: impl AsFd, name: &CStr) -> Result<Meta> {
    fs::statat(parent, name, fs::AtFlags::SYMLINK_NOFOLLOW).map(|stat| Meta::new(&stat))
}

/// Whether an entry has the no-dump flag (`chattr +d`); a symbolic link is not followed. False where the file system has
/// no such flag.
pub fn has_nodump(parent: impl AsFd, name: &CStr) -> bool {
    let flags = fs::AtFlags::SYMLINK_NOFOLLOW;
    let stat = fs::statx(parent, name, flags, fs::StatxFlags::empty());
    stat.is_ok_and(|stat| stat.stx_attributes.contains(fs::StatxAttributes::NODUMP))
}

/// An entry named by descriptor and not by path, whatever its type: a symbolic link stands for itself. Opening it
/// this way has no effect on it and needs no permission on it.
///
/// # Errors
/// Those of openat(2).
pub fn name_entry(parent: impl AsFd, name: &CStr) -> Result<OwnedFd> {
    fs::openat(parent, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

/// The path under which the system reaches what a descriptor names, without following a link there.
#[must_use]
pub fn proc_path(fd: BorrowedFd<'_>) -> CString {
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    CString::new(path).unwrap_or_default()
}

/// One extended attribute: name and value.
pub type Xattr = (Vec<u8>, Vec<u8>);

/// What came of reading all extended attributes of one entry.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Xattrs {
    /// The attributes, sorted by name.
    pub list: Vec<Xattr>,
    /// Names that could not be read, and why.
    pub refused: Vec<(Vec<u8>, Errno)>,
}

/// How an entry is handed to the calls about extended attributes.
#[derive(Clone, Copy, Debug)]
pub enum Handle<'a> {
    /// Opened for reading or writing.
    Open(BorrowedFd<'a>),
    /// Only named ([`name_entry`]); reached through /proc.
    Named(BorrowedFd<'a>),
}

/// Buffers kept between files, so that most files cost one call and no allocation.
#[derive(Debug)]
pub struct XattrReader {
    names: Vec<u8>,
    value: Vec<u8>,
}

impl Default for XattrReader {
    fn default() -> Self {
        Self { names: vec![0; 1024], value: vec![0; 4096] }
    }
}

impl XattrReader {
    /// Reads every extended attribute this process may see.
    ///
    /// # Errors
    /// `NOTSUP` if the file system has none at all; otherwise those of listxattr(2).
    pub fn read(&mut self, handle: Handle<'_>) -> Result<Xattrs> {
        let length = grown(&mut self.names, |buffer| match handle {
            Handle::Open(fd) => fs::flistxattr(fd, buffer),
            Handle::Named(fd) => fs::listxattr(proc_path(fd).as_c_str(), buffer),
        })?;
        let mut found = Xattrs::default();
        for name in self.names.get(..length).unwrap_or_default().split(|b| *b == 0).filter(|n| !n.is_empty()) {
            let got = grown(&mut self.value, |buffer| match handle {
                Handle::Open(fd) => fs::fgetxattr(fd, name, buffer),
                Handle::Named(fd) => fs::getxattr(proc_path(fd).as_c_str(), name, buffer),
            });
            match got {
                Ok(n) => found.list.push((name.to_vec(), self.value.get(..n).unwrap_or_default().to_vec())),
                Err(Errno::NODATA) => {}
                Err(error) => found.refused.push((name.to_vec(), error)),
            }
        }
        found.list.sort();
        Ok(found)
    }
}

/// Sets one extended attribute.
///
/// # Errors
/// Those of setxattr(2).
pub fn set_xattr(handle: Handle<'_>, name: &[u8], value: &[u8]) -> Result<()> {
    match handle {
        Handle::Open(fd) => fs::fsetxattr(fd, name, value, fs::XattrFlags::empty()),
        Handle::Named(fd) => fs::setxattr(proc_path(fd).as_c_str(), name, value, fs::XattrFlags::empty()),
    }
}

/// Removes one extended attribute; it is no error if there is none.
///
/// # Errors
/// Those of removexattr(2).
pub fn remove_xattr(handle: Handle<'_>, name: &[u8]) -> Result<()> {
    let outcome = match handle {
        Handle::Open(fd) => fs::fremovexattr(fd, name),
        Handle::Named(fd) => fs::removexattr(proc_path(fd).as_c_str(), name),
    };
    match outcome {
        Err(Errno::NODATA | Errno::NOTSUP) => Ok(()),
        other => other,
    }
}

/// Whether this process is root, for whom the kernel forbids little.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Calls with a larger buffer for as long as the system says it is too small; 1 MiB is more than Linux allows.
fn grown(buffer: &mut Vec<u8>, mut call: impl FnMut(&mut [u8]) -> Result<usize>) -> Result<usize> {
    loop {
        match call(buffer.as_mut_slice()) {
            Err(Errno::RANGE) if buffer.len() < 1 << 20 => buffer.resize(buffer.len() * 4, 0),
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn an_entry_that_is_only_named_shows_the_same_attributes_as_an_open_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, b"x").unwrap();
        let big = vec![7_u8; 3000];
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        set_xattr(Handle::Open(file.as_fd()), b"user.big", &big).unwrap();
        set_xattr(Handle::Open(file.as_fd()), b"user.empty", b"").unwrap();
        let parent = std::fs::File::open(dir.path()).unwrap();
        let name = CString::new(path.file_name().unwrap().as_bytes()).unwrap();
        let named = name_entry(&parent, &name).unwrap();
        let mut reader = XattrReader { names: vec![0; 4], value: vec![0; 4] };
        let open = reader.read(Handle::Open(file.as_fd())).unwrap();
        assert_eq!(open, reader.read(Handle::Named(named.as_fd())).unwrap());
        let user: Vec<_> = open.list.into_iter().filter(|(n, _)| n.starts_with(b"user.")).collect();
        assert_eq!(user, [(b"user.big".to_vec(), big), (b"user.empty".to_vec(), Vec::new())]);
        remove_xattr(Handle::Named(named.as_fd()), b"user.big").unwrap();
        remove_xattr(Handle::Named(named.as_fd()), b"user.big").unwrap();
        assert!(reader.read(Handle::Open(file.as_fd())).unwrap().list.iter().all(|(n, _)| n != b"user.big"));
    }
}
