//! Makes one entry: decides about what is there, and puts it in its place.

use std::ffi::CString;
use std::sync::Arc;

use rustix::fs::{self, AtFlags, FileType as Type, Mode, OFlags};
use rustix::io::Errno;
use towline_core::wire::attributes::{AttributeRecord, Stat};
use towline_core::wire::stream::FileType;

use super::apply::{Current, Target};
use super::beneath::{self, BeneathError, Folder};
use super::{Placed, RestoreTarget};
use crate::disk::meta;

/// Where an entry goes.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) parent: Arc<Folder>,
    pub(super) name: CString,
    /// Relative to the root.
    pub(super) path: Vec<u8>,
}

/// Why an entry was not made.
enum Failure {
    Beneath(BeneathError),
    /// The kernel forbids it to this user: counted apart.
    Forbidden(&'static str),
    /// The directory is not empty, or the like.
    Text(String),
}

impl From<Errno> for Failure {
    fn from(error: Errno) -> Self {
        Self::Beneath(error.into())
    }
}

impl From<BeneathError> for Failure {
    fn from(error: BeneathError) -> Self {
        Self::Beneath(error)
    }
}

enum Made {
    Target(Target),
    Skipped,
}

impl RestoreTarget {
    pub(super) fn place(&mut self, record: &AttributeRecord<'_>) -> Placed {
        let stat = record.stat();
        let Some(kind) = record.kind() else {
            self.ledger.error(record.name, format!("file type {} is not known; not restored", record.file_type));
            return Placed::Failed;
        };
        if matches!(kind, FileType::Deleted | FileType::Base) {
            return Placed::Skipped;
        }
        let outcome = match self.try_place(kind, record, &stat) {
            Err(Failure::Beneath(BeneathError::System(Errno::ACCESS | Errno::PERM))) if self.unlock(record.name) => {
                self.try_place(kind, record, &stat)
            }
            other => other,
        };
        match outcome {
            Ok(placed) => placed,
            Err(Failure::Forbidden(what)) => {
                self.ledger.forbidden(record.name, what);
                Placed::Skipped
            }
            Err(Failure::Beneath(error)) => {
                self.ledger.error(record.name, format!("could not be restored: {error}"));
                Placed::Failed
            }
            Err(Failure::Text(text)) => {
                self.ledger.error(record.name, text);
                Placed::Failed
            }
        }
    }

    fn try_place(&mut self, kind: FileType, record: &AttributeRecord<'_>, stat: &Stat) -> Result<Placed, Failure> {
        let path = beneath::relative(record.name)?;
        let (folder, name) = beneath::split(&path);
        let name = CString::new(name).map_err(|_| BeneathError::Invalid)?;
        let parent = self.beneath.folder(folder, true)?;
        self.folders.touch(folder);
        let place = Place { parent, name, path };
        let made = match kind {
            FileType::Directory | FileType::Reparse | FileType::Junction => self.directory(&place, stat)?,
            FileType::HardLink => self.hard_link(&place, record, stat)?,
            FileType::Symlink => self.symlink(&place, record, stat)?,
            FileType::Special => self.special(&place, record, stat)?,
            FileType::Regular | FileType::RegularEmpty | FileType::Raw | FileType::Fifo => self.file(&place, stat)?,
            _ => return Err(Failure::Text(format!("entries of type {} are not restored", record.file_type))),
        };
        let target = match made {
            Made::Skipped => return Ok(Placed::Skipped),
            Made::Target(target) => target,
        };
        if matches!(kind, FileType::Raw | FileType::Fifo) {
            self.ledger.warning(record.name, "the bytes of a device or fifo are restored into a regular file");
        }
        let placed = if matches!(target, Target::File(_)) { Placed::Extract } else { Placed::Created };
        let checks_size = kind == FileType::Regular;
        self.current = Some(Current::new(place, record.name, *stat, target, checks_size));
        Ok(placed)
    }

    fn directory(&mut self, place: &Place, stat: &Stat) -> Result<Made, Failure> {
        let mut ours = self.beneath.take_made(&place.path);
        let mut fresh = false;
        match fs::mkdirat(&place.parent.fd, &place.name, Mode::from_raw_mode(0o700)) {
            Ok(()) => (ours, fresh) = (true, true),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        if !ours {
            let existing = meta::of_entry(&place.parent.fd, &place.name)?;
            if !self.order.replace.takes(stat.mtime, existing.mtime) {
                return Ok(Made::Skipped);
            }
            if existing.kind() != Type::Directory {
                fs::unlinkat(&place.parent.fd, &place.name, AtFlags::empty())?;
                fs::mkdirat(&place.parent.fd, &place.name, Mode::from_raw_mode(0o700))?;
                fresh = true;
            }
        }
        let fd = meta::name_entry(&place.parent.fd, &place.name)?;
        if meta::of_open(&fd)?.kind() != Type::Directory {
            return Err(Failure::Text("was replaced by something else while it was restored".into()));
        }
        Ok(Made::Target(Target::Named { fd, kind: Type::Directory, fresh: fresh || ours }))
    }

    fn file(&mut self, place: &Place, stat: &Stat) -> Result<Made, Failure> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = self.afresh(place, stat, |place| {
            fs::openat(&place.parent.fd, &place.name, flags, Mode::from_raw_mode(0o600))
        })?;
        Ok(fd.map_or(Made::Skipped, |fd| Made::Target(Target::File(fd))))
    }

    fn symlink(&mut self, place: &Place, record: &AttributeRecord<'_>, stat: &Stat) -> Result<Made, Failure> {
        let mut link = Vec::new();
        if self.order.prefix_links && record.link.starts_with(b"/") {
            let to = &self.order.to;
            link.extend_from_slice(to.strip_suffix(b"/").unwrap_or(to));
        }
        link.extend_from_slice(record.link);
        let made =
            self.afresh(place, stat, |place| fs::symlinkat(link.as_slice(), &place.parent.fd, place.name.as_bytes()))?;
        if made.is_none() {
            return Ok(Made::Skipped);
        }
        self.named(place, Type::Symlink)
    }

    fn special(&mut self, place: &Place, record: &AttributeRecord<'_>, stat: &Stat) -> Result<Made, Failure> {
        let kind = Type::from_raw_mode(stat.mode as _);
        if kind == Type::Socket {
            self.ledger.skipped(record.name, "sockets are not restored");
            return Ok(Made::Skipped);
        }
        if !matches!(kind, Type::Fifo | Type::CharacterDevice | Type::BlockDevice) {
            return Err(Failure::Text(format!("mode {:o} is not that of a special file; not restored", stat.mode)));
        }
        let device = if kind == Type::Fifo { 0 } else { stat.rdev };
        let made = self.afresh(place, stat, |place| {
            fs::mknodat(&place.parent.fd, &place.name, kind, Mode::from_raw_mode(0o600), device as _)
        });
        match made {
            Ok(Some(())) => self.named(place, kind),
            Ok(None) => Ok(Made::Skipped),
            Err(Failure::Beneath(BeneathError::System(Errno::PERM))) if kind != Type::Fifo => {
                Err(Failure::Forbidden("device node"))
            }
            Err(other) => Err(other),
        }
    }

    /// The first name may have been skipped or may be missing; then the link has nothing to point to and is an error.
    fn hard_link(&mut self, place: &Place, record: &AttributeRecord<'_>, stat: &Stat) -> Result<Made, Failure> {
        let first = beneath::relative(record.link)?;
        let (folder, name) = beneath::split(&first);
        let from = match self.beneath.folder(folder, false) {
            Err(BeneathError::System(Errno::NOENT)) => return Err(missing_first(record)),
            other => other?,
        };
        let name = CString::new(name).map_err(|_| BeneathError::Invalid)?;
        let existing = match meta::of_entry(&from.fd, &name) {
            Err(Errno::NOENT) => return Err(missing_first(record)),
            other => other?,
        };
        if existing.kind() == Type::Directory {
            return Err(Failure::Text("is recorded as another name of a directory; not restored".into()));
        }
        if meta::of_entry(&place.parent.fd, &place.name).is_ok_and(|there| there.inode() == existing.inode()) {
            return Ok(Made::Target(Target::Linked));
        }
        let made = self.afresh(place, stat, |place| {
            fs::linkat(&from.fd, &name, &place.parent.fd, &place.name, AtFlags::empty())
        })?;
        Ok(made.map_or(Made::Skipped, |()| Made::Target(Target::Linked)))
    }

    /// Makes something that must not exist yet. What is there is removed first if the order says so; `None`: left.
    fn afresh<T>(
        &mut self,
        place: &Place,
        stat: &Stat,
        make: impl Fn(&Place) -> Result<T, Errno>,
    ) -> Result<Option<T>, Failure> {
        match make(place) {
            Err(Errno::EXIST) => {}
            other => return Ok(Some(other?)),
        }
        let existing = meta::of_entry(&place.parent.fd, &place.name)?;
        if !self.order.replace.takes(stat.mtime, existing.mtime) {
            return Ok(None);
        }
        if existing.kind() == Type::Directory {
            match fs::unlinkat(&place.parent.fd, &place.name, AtFlags::REMOVEDIR) {
                Err(Errno::NOTEMPTY | Errno::EXIST) => {
                    return Err(Failure::Text("a directory that is not empty is in its place".into()));
                }
                other => other?,
            }
            self.beneath.forget(&place.path);
            self.folders.forget(&place.path);
        } else {
            fs::unlinkat(&place.parent.fd, &place.name, AtFlags::empty())?;
        }
        Ok(Some(make(place)?))
    }

    fn named(&self, place: &Place, kind: Type) -> Result<Made, Failure> {
        let fd = meta::name_entry(&place.parent.fd, &place.name)?;
        if meta::of_open(&fd)?.kind() != kind {
            return Err(Failure::Text("was replaced by something else while it was restored".into()));
        }
        Ok(Made::Target(Target::Named { fd, kind, fresh: true }))
    }
}

fn missing_first(record: &AttributeRecord<'_>) -> Failure {
    let first = crate::disk::notice::shown(record.link);
    Failure::Text(format!("is another name of {first}, which is not there; not restored"))
}
