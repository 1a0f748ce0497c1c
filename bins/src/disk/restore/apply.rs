//! Fills the current entry and gives it its looks: owner, extended attributes, ACLs, mode, times, in this order, as
//! chown clears set-id bits and capabilities, and a mode may forbid the rest. A file gets its name last, and only if it is
//! complete.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{self, AtFlags, CWD, FileType as Type, Gid, Mode, Timespec, Timestamps, Uid};
use rustix::io::Errno;
use towline_core::wire::acl::Acl;
use towline_core::wire::attributes::Stat;
use towline_core::wire::stream::Stream;
use towline_core::wire::xattr;

use super::beneath::{self, disinherit};
use super::create::Place;
use super::digests::{Digests, Verdict};
use super::folders::Look;
use super::names::Names;
use super::part::Part;
use super::{Ledger, RestoreTarget};
use crate::disk::fifo::PipeWriter;
use crate::disk::meta::{self, Handle};
use crate::process::Broken;

/// A stretch of a hole.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// What stands for the entry while it is being filled.
#[derive(Debug)]
pub(super) enum Target {
    /// A regular file beside its place; with `fresh` nothing stood there when it began.
    File { part: Part, fresh: bool },
    /// A file or device that is written in its place.
    InPlace(OwnedFd),
    /// A pipe that somebody reads from.
    Pipe(PipeWriter),
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
    /// Whether a digest says that the data are those that were saved.
    is_proven: bool,
}

impl Current {
    pub(super) fn new(place: Place, shown: &[u8], stat: Stat, target: Target, checks_size: bool) -> Self {
        let shown = shown.to_vec();
        let (position, end, failed, is_proven) = (0, 0, false, false);
        Self { place, shown, stat, target, checks_size, xattrs: Vec::new(), position, end, failed, is_proven }
    }

    pub(super) fn write(&mut self, offset: Option<u64>, mut bytes: &[u8], digests: &mut Digests, ledger: &mut Ledger) {
        let fd = match &self.target {
            Target::File { part, .. } => &part.fd,
            Target::InPlace(fd) => fd,
            Target::Pipe(_) => return self.send(offset, bytes, digests, ledger),
            Target::Named { .. } | Target::Linked => return,
        };
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
                    digests.update(self.position, bytes.get(..n).unwrap_or_default());
                    bytes = bytes.get(n..).unwrap_or_default();
                    self.position = self.position.saturating_add(n as u64);
                    self.end = self.end.max(self.position);
                    ledger.tally.bytes += n as u64;
                }
                Err(error) => {
                    self.failed = true;
                    let text =
                        format!("could not be written, and is not put in its place: {}", std::io::Error::from(error));
                    ledger.error(&self.shown, text);
                    return;
                }
            }
        }
    }

    /// Writes into a pipe, which has no places: what was left out as a hole is sent as zeros.
    fn send(&mut self, offset: Option<u64>, bytes: &[u8], digests: &mut Digests, ledger: &mut Ledger) {
        let Some(mut hole) = offset.unwrap_or(self.position).checked_sub(self.position) else {
            return self.fail("its data do not come in their order, as a pipe needs them", ledger);
        };
        while hole > 0 && !self.failed {
            let zeros = ZEROS.get(..usize::try_from(hole).unwrap_or(ZEROS.len())).unwrap_or(&ZEROS);
            self.send_all(zeros, ledger);
            hole -= zeros.len() as u64;
        }
        let start = self.position;
        self.send_all(bytes, ledger);
        if !self.failed {
            digests.update(start, bytes);
        }
    }

    fn send_all(&mut self, mut bytes: &[u8], ledger: &mut Ledger) {
        while let (Target::Pipe(pipe), false, false) = (&self.target, self.failed, bytes.is_empty()) {
            match pipe.write(bytes) {
                Ok(n) => {
                    bytes = bytes.get(n..).unwrap_or_default();
                    self.position = self.position.saturating_add(n as u64);
                    self.end = self.end.max(self.position);
                    ledger.tally.bytes += n as u64;
                }
                Err(Broken::Failed(error)) => {
                    self.fail(&format!("is a pipe, and what reads from it has not taken all: {error}"), ledger);
                }
                Err(_) => self.fail("is a pipe that has not got all its data: the job was given up", ledger),
            }
        }
    }

    /// Gives the contents up; told once.
    pub(super) fn fail(&mut self, text: &str, ledger: &mut Ledger) {
        if !std::mem::replace(&mut self.failed, true) {
            ledger.error(&self.shown, text);
        }
    }

    /// Compares the data with the digest that was saved with them.
    pub(super) fn take_digest(&mut self, stream: Stream, record: &[u8], digests: &mut Digests, ledger: &mut Ledger) {
        let fd = match &self.target {
            Target::File { part, .. } => Some(&part.fd),
            Target::InPlace(_) | Target::Pipe(_) => None,
            // A hard link comes with the digest of its first name.
            Target::Named { .. } | Target::Linked => return,
        };
        if self.failed {
            return;
        }
        match digests.compare(stream, record, fd) {
            Ok(Some(Verdict::Same)) => self.is_proven = true,
            Ok(Some(Verdict::Differs)) => {
                let text = "its data are not those that were saved: they do not fit the digest saved with them (T0550)";
                self.fail(text, ledger);
            }
            Ok(Some(Verdict::Unknown)) => {
                ledger.warning(&self.shown, "its data could not be read again to compare them with their digest");
            }
            Ok(None) => {
                self.fail("the digest saved with it is damaged, so that nothing vouches for its data (T0550)", ledger)
            }
            Err(error) => self.fail(&failed("its data could not be read again to compare them", error), ledger),
        }
    }

    /// Checks the number of bytes. A file may have changed while it was saved: then it is what its digest says it is.
    fn check_size(&mut self, ledger: &mut Ledger) {
        let expected = u64::try_from(self.stat.size).unwrap_or_default();
        if !self.checks_size || self.failed || self.end == expected {
            return;
        }
        let text = format!("has {} bytes where {expected} are recorded", self.end);
        if self.is_proven || self.end > expected {
            ledger.warning(&self.shown, text + ": it changed while it was saved");
        } else {
            self.fail(&(text + ": it is not complete (T0551)"), ledger);
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
            Target::File { part, .. } => Some(Handle::Open(part.fd.as_fd())),
            Target::InPlace(fd) => Some(Handle::Open(fd.as_fd())),
            Target::Pipe(pipe) => Some(Handle::Open(pipe.fd().as_fd())),
            Target::Named { fd, .. } => Some(Handle::Named(fd.as_fd())),
            Target::Linked => None,
        }
    }

    const fn has_data(&self) -> bool {
        matches!(self.target, Target::File { .. } | Target::InPlace(_) | Target::Pipe(_))
    }

    fn is_link(&self) -> bool {
        matches!(self.target, Target::Named { kind: Type::Symlink, .. })
    }
}

impl RestoreTarget {
    pub(super) fn complete(&mut self, mut current: Current) {
        current.check_size(&mut self.ledger);
        if current.failed && current.has_data() {
            return self.give_up(current);
        }
        let Some(mode) = dress(&current, &mut self.ledger) else { return };
        if let Target::File { .. } = current.target {
            return self.put_in_place(current);
        }
        if let Target::Named { kind: Type::Directory, .. } = current.target {
            let look = Look { mode, atime: current.stat.atime, mtime: current.stat.mtime };
            self.beneath.refresh(&current.place.path);
            if let Some((path, look)) = self.folders.finish(current.place.path, look) {
                self.put_right(&path, look);
            }
        }
    }

    /// A file that is not complete never gets its name: what stood in its place stands. Something without data of its
    /// own has its place already.
    pub(super) fn give_up(&mut self, current: Current) {
        if current.has_data() {
            self.ledger.tally.files = self.ledger.tally.files.saturating_sub(1);
            self.ledger.not_whole(&current.shown);
            self.missing.insert(&current.place.path);
        }
    }

    fn put_in_place(&mut self, mut current: Current) {
        let outcome = match &mut current.target {
            Target::File { part, fresh } => match part.place(&current.place.name, *fresh) {
                // Somebody else was faster; or a directory stands there.
                Err(Errno::EXIST | Errno::ISDIR | Errno::NOTEMPTY) => match self.clear(&current.place, &current.stat) {
                    Ok(true) => part.place(&current.place.name, false).map_err(|error| error.into()),
                    Ok(false) => {
                        self.ledger.tally.fates.restored = self.ledger.tally.fates.restored.saturating_sub(1);
                        self.ledger.left_alone(&current.shown);
                        return;
                    }
                    Err(why) => Err(why),
                },
                Err(Errno::BUSY) => match part.pour(&current.place.name) {
                    Ok(into) => {
                        current.target = Target::InPlace(into);
                        let _mode = dress(&current, &mut self.ledger);
                        return;
                    }
                    Err(error) => Err(error.into()),
                },
                other => other.map_err(|error| error.into()),
            },
            _ => return,
        };
        match outcome {
            Ok(()) => self.missing.remove(&current.place.path),
            Err(why) => {
                self.ledger.error(&current.shown, format!("could not be put in its place: {why}"));
                self.give_up(current);
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

    /// Makes directories on the way usable for their owner, until the end: finished ones, and those of this user that
    /// were there before. Whether there was one.
    pub(super) fn unlock(&mut self, name: &[u8]) -> bool {
        let Ok(path) = beneath::relative(name) else { return false };
        if self.root {
            return false;
        }
        let mut any = false;
        let ends = path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| at);
        for end in std::iter::once(0).chain(ends) {
            let above = path.get(..end).unwrap_or_default();
            let Ok(folder) = self.beneath.folder(above, false) else { break };
            let Ok(there) = meta::of_open(&folder.fd) else { break };
            if there.permissions() & 0o700 == 0o700 || there.uid != self.user {
                continue;
            }
            let look = Look { mode: there.permissions(), atime: there.atime, mtime: there.mtime };
            any |= self.folders.borrow(above, look)
                && set_mode(Handle::Named(folder.fd.as_fd()), look.mode | 0o700).is_ok();
        }
        any
    }
}

/// Gives the entry all its looks, and says with which mode. `None` if it has none of its own.
pub(super) fn dress(current: &Current, ledger: &mut Ledger) -> Option<u32> {
    let handle = current.handle()?;
    let owned = set_owner(current, ledger);
    if !current.is_link() && current.place.parent.inherits {
        let fresh =
            !matches!(current.target, Target::Named { fresh: false, .. } | Target::InPlace(_) | Target::Pipe(_));
        let directory = matches!(current.target, Target::Named { kind: Type::Directory, .. });
        if fresh && let Err(error) = disinherit(handle, directory) {
            ledger.error(&current.shown, failed("its inherited access control list could not be removed", error));
        }
    }
    set_xattrs(current, handle, ledger);
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
    if let Err(error) = set_times(current) {
        ledger.error(&current.shown, failed("its times could not be set", error));
    }
    Some(mode)
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
        Target::File { part, .. } => fs::fchown(&part.fd, owner, group),
        Target::InPlace(fd) => fs::fchown(fd, owner, group),
        Target::Pipe(pipe) => fs::fchown(pipe.fd(), owner, group),
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
        Target::File { part, .. } => fs::futimens(&part.fd, &times),
        Target::InPlace(fd) => fs::futimens(fd, &times),
        Target::Pipe(pipe) => fs::futimens(pipe.fd(), &times),
        // Perhaps reached through a link.
        Target::Named { fd, kind: Type::Directory, .. } => {
            fs::utimensat(CWD, meta::proc_path(fd.as_fd()).as_c_str(), &times, AtFlags::empty())
        }
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
