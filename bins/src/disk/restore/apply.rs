//! Fills the current entry and gives it its looks: owner, extended attributes, ACLs, mode, times, in this order, as
//! chown clears set-id bits and capabilities, and a mode may forbid the rest.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{self, AtFlags, CWD, FileType as Type, Gid, Mode, Timespec, Timestamps, Uid};
use rustix::io::Errno;
use towline_core::wire::acl::Acl;
use towline_core::wire::attributes::Stat;
use towline_core::wire::xattr;

use super::beneath::{self, disinherit};
use super::create::Place;
use super::folders::Look;
use super::names::Names;
use super::{Ledger, RestoreTarget};
use crate::disk::meta::{self, Handle};

/// What stands for the entry while it is being filled.
#[derive(Debug)]
pub(super) enum Target {
    /// A regular file, open for writing.
    File(OwnedFd),
    /// Anything without data, by name.
    Named { fd: OwnedFd, kind: Type, fresh: bool },
    /// A hard link: its looks are those of the first name.
    Linked,
}

/// The entry between its record and the next one.
#[derive(Debug)]
pub(super) struct Current {
    place: Place,
    pub(super) shown: Vec<u8>,
    stat: Stat,
    target: Target,
    checks_size: bool,
    xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    position: u64,
    end: u64,
    failed: bool,
}

impl Current {
    pub(super) fn new(place: Place, shown: &[u8], stat: Stat, target: Target, checks_size: bool) -> Self {
        let shown = shown.to_vec();
        Self { place, shown, stat, target, checks_size, xattrs: Vec::new(), position: 0, end: 0, failed: false }
    }

    pub(super) fn write(&mut self, offset: Option<u64>, mut bytes: &[u8], ledger: &mut Ledger) {
        let Target::File(fd) = &self.target else { return };
        if self.failed {
            return;
        }
        self.position = offset.unwrap_or(self.position);
        while !bytes.is_empty() {
            let written = match fs_write(fd, bytes, self.position) {
                Ok(0) => Err(Errno::NOSPC),
                Err(Errno::INTR) => continue,
                other => other,
            };
            match written {
                Ok(n) => {
                    bytes = bytes.get(n..).unwrap_or_default();
                    self.position = self.position.saturating_add(n as u64);
                    self.end = self.end.max(self.position);
                    ledger.tally.bytes += n as u64;
                }
                Err(error) => {
                    self.failed = true;
                    ledger.error(&self.shown, format!("could not be written: {}", std::io::Error::from(error)));
                    return;
                }
            }
        }
    }

    /// Gives the contents up; told once.
    pub(super) fn fail(&mut self, text: &str, ledger: &mut Ledger) {
        if !std::mem::replace(&mut self.failed, true) {
            ledger.error(&self.shown, text);
        }
    }

    pub(super) fn take_acl(&mut self, default: bool, text: &[u8], names: &mut Names, ledger: &mut Ledger) {
        if matches!(self.target, Target::Linked | Target::Named { kind: Type::Symlink, .. }) {
            return;
        }
        match Acl::decode(text, |kind, name| names.id(kind, name)) {
            Ok(acl) => {
                let name = if default { meta::ACL_DEFAULT } else { meta::ACL_ACCESS };
                self.xattrs.push((name.to_vec(), acl.to_kernel()));
            }
            Err(error) => ledger.error(&self.shown, format!("its access control list is not restored: {error}")),
        }
    }

    pub(super) fn take_xattrs(&mut self, record: &[u8], ledger: &mut Ledger) {
        if matches!(self.target, Target::Linked) {
            return;
        }
        for item in xattr::parse(record) {
            match item {
                Ok(one) => self.xattrs.push((one.name.to_vec(), one.value.to_vec())),
                Err(error) => {
                    ledger.error(&self.shown, format!("extended attributes are not restored: {error}"));
                }
            }
        }
    }

    fn handle(&self) -> Option<Handle<'_>> {
        match &self.target {
            Target::File(fd) => Some(Handle::Open(fd.as_fd())),
            Target::Named { fd, .. } => Some(Handle::Named(fd.as_fd())),
            Target::Linked => None,
        }
    }

    fn is_link(&self) -> bool {
        matches!(self.target, Target::Named { kind: Type::Symlink, .. })
    }
}

impl RestoreTarget {
    pub(super) fn complete(&mut self, current: Current) {
        let Some(handle) = current.handle() else { return };
        let ledger = &mut self.ledger;
        let expected = u64::try_from(current.stat.size).unwrap_or_default();
        if current.checks_size && !current.failed && current.end != expected {
            let text = format!("has {} bytes where {expected} are recorded", current.end);
            ledger.error(&current.shown, text);
        }
        let owned = set_owner(&current, ledger);
        if !current.is_link() && current.place.parent.inherits {
            let fresh = !matches!(current.target, Target::Named { fresh: false, .. });
            let directory = matches!(current.target, Target::Named { kind: Type::Directory, .. });
            if fresh && let Err(error) = disinherit(handle, directory) {
                ledger.error(&current.shown, failed("its inherited access control list could not be removed", error));
            }
        }
        set_xattrs(&current, handle, ledger);
        let mut mode = current.stat.mode & 0o7777;
        if !owned {
            // Set-id bits would now speak for the wrong owner.
            mode &= 0o1777;
        }
        if !current.is_link()
            && let Err(error) = set_mode(handle, mode)
        {
            ledger.error(&current.shown, failed("its mode could not be set", error));
        }
        if let Err(error) = set_times(&current) {
            ledger.error(&current.shown, failed("its times could not be set", error));
        }
        if let Target::Named { kind: Type::Directory, .. } = current.target {
            let look = Look { mode, atime: current.stat.atime, mtime: current.stat.mtime };
            self.beneath.refresh(&current.place.path);
            if let Some((path, look)) = self.folders.finish(current.place.path, look) {
                self.put_right(&path, look);
            }
        }
    }

    /// Gives a directory its final mode and times once more.
    pub(super) fn put_right(&mut self, path: &[u8], look: Look) {
        let outcome = self.beneath.folder(path, false).map_err(|e| e.to_string()).and_then(|folder| {
            let handle = Handle::Named(folder.fd.as_fd());
            let times = times(look.atime, look.mtime);
            set_mode(handle, look.mode)
                .and_then(|()| {
                    fs::utimensat(CWD, meta::proc_path(folder.fd.as_fd()).as_c_str(), &times, AtFlags::empty())
                })
                .map_err(|error| std::io::Error::from(error).to_string())
        });
        if let Err(error) = outcome {
            self.ledger.error(path, format!("its mode and times could not be set again: {error}"));
        }
    }

    /// Makes finished directories on the way usable for their owner, until the end. Whether there was one.
    pub(super) fn unlock(&mut self, name: &[u8]) -> bool {
        let Ok(path) = beneath::relative(name) else { return false };
        if self.root {
            return false;
        }
        let mut any = false;
        for (above, look) in self.folders.locked_above(&path) {
            if let Ok(folder) = self.beneath.folder(&above, false) {
                any |= set_mode(Handle::Named(folder.fd.as_fd()), look.mode | 0o700).is_ok();
            }
        }
        any
    }
}

/// Whether the owner is now the recorded one.
fn set_owner(current: &Current, ledger: &mut Ledger) -> bool {
    let (uid, gid) = (current.stat.uid, current.stat.gid);
    if uid == u32::MAX || gid == u32::MAX {
        ledger.error(&current.shown, "its recorded owner is no valid number");
        return false;
    }
    let (owner, group) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    let outcome = match &current.target {
        Target::File(fd) => fs::fchown(fd, owner, group),
        Target::Named { fd, .. } => fs::chownat(fd, c"", owner, group, AtFlags::EMPTY_PATH),
        Target::Linked => Ok(()),
    };
    match outcome {
        Ok(()) => true,
        Err(Errno::PERM | Errno::INVAL) => {
            ledger.forbidden(&current.shown, "owner");
            false
        }
        Err(error) => {
            ledger.error(&current.shown, failed("its owner could not be set", error));
            false
        }
    }
}

fn set_xattrs(current: &Current, handle: Handle<'_>, ledger: &mut Ledger) {
    for (name, value) in &current.xattrs {
        let mut outcome = meta::set_xattr(handle, name, value);
        if outcome == Err(Errno::ACCESS) && set_mode(handle, current.stat.mode & 0o7777 | 0o700).is_ok() {
            outcome = meta::set_xattr(handle, name, value);
        }
        match outcome {
            Ok(()) => {}
            Err(Errno::PERM) => ledger.forbidden(&current.shown, attribute_class(name)),
            Err(error) => {
                let name = crate::disk::notice::shown(name);
                ledger.error(&current.shown, failed(&format!("attribute {name} could not be set"), error));
            }
        }
    }
}

fn attribute_class(name: &[u8]) -> &'static str {
    match name.split(|b| *b == b'.').next() {
        Some(b"trusted") => "trusted attribute",
        Some(b"security") => "security attribute",
        Some(b"system") => "access control list",
        _ => "attribute",
    }
}

fn set_mode(handle: Handle<'_>, mode: u32) -> Result<(), Errno> {
    let mode = Mode::from_raw_mode(mode as _);
    match handle {
        Handle::Open(fd) => fs::fchmod(fd, mode),
        Handle::Named(fd) => fs::chmodat(CWD, meta::proc_path(fd).as_c_str(), mode, AtFlags::empty()),
    }
}

fn set_times(current: &Current) -> Result<(), Errno> {
    let times = times(current.stat.atime, current.stat.mtime);
    match &current.target {
        Target::File(fd) => fs::futimens(fd, &times),
        _ => fs::utimensat(&current.place.parent.fd, &current.place.name, &times, AtFlags::SYMLINK_NOFOLLOW),
    }
}

fn times(atime: i64, mtime: i64) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: atime, tv_nsec: 0 },
        last_modification: Timespec { tv_sec: mtime, tv_nsec: 0 },
    }
}

fn fs_write(fd: &OwnedFd, bytes: &[u8], position: u64) -> Result<usize, Errno> {
    rustix::io::pwrite(fd, bytes, position)
}

fn failed(what: &str, error: Errno) -> String {
    format!("{what}: {}", std::io::Error::from(error))
}
