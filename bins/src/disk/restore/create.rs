//! Makes one entry: decides about what is there, and puts it in its place.

use std::ffi::CString;
use std::sync::Arc;

use rustix::fs::{self, AtFlags, FileType as Type, Mode, OFlags};
use rustix::io::Errno;
use towline_core::wire::attributes::{AttributeRecord, Stat};
use towline_core::wire::stream::FileType;

use super::apply::{Current, Target, dress};
use super::beneath::{self, BeneathError, Folder};
use super::part::{self, Part};
use super::{Ledger, Placed, Replace, RestoreTarget};
use crate::disk::fifo::PipeWriter;
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
pub(super) enum Failure {
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

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Beneath(error) => error.fmt(f),
            Self::Forbidden(what) => f.write_str(what),
            Self::Text(text) => f.write_str(text),
        }
    }
}

enum Made {
    Target(Target),
    /// What is there stays.
    Skipped,
    /// It is of a kind that is not restored.
    Unwanted,
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
        if !matches!(outcome, Ok(_) | Err(Failure::Forbidden(_)))
            && let Ok(path) = beneath::relative(record.name)
        {
            self.missing.insert(&path);
        }
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
        if place.path.is_empty() && !matches!(kind, FileType::Directory | FileType::Reparse | FileType::Junction) {
            return Err(Failure::Text("would take the place of the folder to restore to; not restored".into()));
        }
        let made = match kind {
            FileType::Directory | FileType::Reparse | FileType::Junction => self.directory(&place, stat)?,
            FileType::HardLink => self.hard_link(&place, record, stat)?,
            FileType::Symlink => self.symlink(&place, record, stat)?,
            FileType::Special => self.special(&place, record, stat)?,
            FileType::Raw if self.order.to.is_empty() && is_device(&place) => self.device(&place)?,
            FileType::Fifo if is_free_or_pipe(&place) => self.pipe(&place, stat)?,
            FileType::Regular | FileType::RegularEmpty | FileType::Raw | FileType::Fifo => self.file(&place, stat)?,
            _ => return Err(Failure::Text(format!("entries of type {} are not restored", record.file_type))),
        };
        let target = match made {
            Made::Skipped => {
                self.ledger.left_alone(record.name);
                return Ok(Placed::Skipped);
            }
            Made::Unwanted => return Ok(Placed::Skipped),
            Made::Target(target) => target,
        };
        if matches!(kind, FileType::Raw | FileType::Fifo) && matches!(target, Target::File { .. }) {
            self.ledger.warning(record.name, "the bytes of a device or fifo are restored into a regular file");
        }
        let has_data = matches!(target, Target::File { .. } | Target::InPlace(_) | Target::Pipe(_));
        let placed = if has_data { Placed::Extract } else { Placed::Created };
        let checks_size = kind == FileType::Regular;
        if !has_data {
            self.missing.remove(&place.path);
        }
        self.digests.begin();
        if matches!(target, Target::Pipe(_)) {
            self.digests.cannot_read_back();
        }
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
        let mut through = None;
        if !ours {
            let existing = meta::of_entry(&place.parent.fd, &place.name)?;
            through = self.beneath.through_link(&place.parent, place.name.as_bytes(), &place.path);
            let there = through.as_ref().map_or(Ok(existing), meta::of_open)?;
            if !self.order.replace.takes(stat.mtime, there.mtime) {
                return Ok(Made::Skipped);
            }
            if there.kind() != Type::Directory {
                fs::unlinkat(&place.parent.fd, &place.name, AtFlags::empty())?;
                fs::mkdirat(&place.parent.fd, &place.name, Mode::from_raw_mode(0o700))?;
                fresh = true;
            }
        }
        let fd = through.map_or_else(|| meta::name_entry(&place.parent.fd, &place.name), Ok)?;
        if meta::of_open(&fd)?.kind() != Type::Directory {
            return Err(Failure::Text("was replaced by something else while it was restored".into()));
        }
        Ok(Made::Target(Target::Named { fd, kind: Type::Directory, fresh: fresh || ours }))
    }

    /// The file is made beside its place, which it takes when it is complete.
    fn file(&self, place: &Place, stat: &Stat) -> Result<Made, Failure> {
        let existing = match meta::of_entry(&place.parent.fd, &place.name) {
            Err(Errno::NOENT) => None,
            other => Some(other?),
        };
        if existing.is_some_and(|existing| !self.order.replace.takes(stat.mtime, existing.mtime)) {
            return Ok(Made::Skipped);
        }
        let part = Part::create(&place.parent, &place.name)?;
        Ok(Made::Target(Target::File { part, fresh: existing.is_none() }))
    }

    /// The bytes of a device go into the device, if it is there in its original place (wire/2 §3.2).
    fn device(&self, place: &Place) -> Result<Made, Failure> {
        if self.order.replace == Replace::Never {
            return Ok(Made::Skipped);
        }
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = fs::openat(&place.parent.fd, &place.name, flags, Mode::empty())?;
        if !is_device_kind(meta::of_open(&fd)?.kind()) {
            return Err(Failure::Text("was replaced by something else while it was restored".into()));
        }
        Ok(Made::Target(Target::InPlace(fd)))
    }

    /// The bytes of a pipe go into the pipe, which is made if need be, once somebody reads from it (wire/2 §3.2). Its times say
    /// nothing of what is in it.
    fn pipe(&self, place: &Place, stat: &Stat) -> Result<Made, Failure> {
        match fs::mknodat(&place.parent.fd, &place.name, Type::Fifo, Mode::from_raw_mode(0o600), 0) {
            Err(Errno::EXIST) if self.order.replace == Replace::Never => return Ok(Made::Skipped),
            Err(Errno::EXIST) => {}
            // Whoever is to read from it must be able to open it.
            Ok(()) => self.lend(place, stat)?,
            Err(error) => return Err(error.into()),
        }
        match PipeWriter::open(&place.parent.fd, &place.name, &self.means) {
            Ok(pipe) => Ok(Made::Target(Target::Pipe(pipe))),
            Err(why) => Err(Failure::Text(format!(
                "is a pipe whose data are not restored: {why}; start what reads from it before the restore"
            ))),
        }
    }

    /// Gives a new pipe its owner and mode at once.
    fn lend(&self, place: &Place, stat: &Stat) -> Result<(), Failure> {
        let Made::Target(target) = self.named(place, Type::Fifo)? else { return Ok(()) };
        // What cannot be set is told at its end.
        let _mode = dress(&Current::new(place.clone(), &place.path, *stat, target, false), &mut Ledger::default());
        Ok(())
    }

    fn symlink(&mut self, place: &Place, record: &AttributeRecord<'_>, stat: &Stat) -> Result<Made, Failure> {
        let mut link = Vec::new();
        if self.order.prefix_links && record.link.starts_with(b"/") {
            let to = &self.order.to;
            link.extend_from_slice(to.strip_suffix(b"/").unwrap_or(to));
        }
        link.extend_from_slice(record.link);
        let made =
            self.afresh(place, stat, |name| fs::symlinkat(link.as_slice(), &place.parent.fd, name.as_bytes()))?;
        if made.is_none() {
            return Ok(Made::Skipped);
        }
        self.beneath.note_link(&place.path);
        self.named(place, Type::Symlink)
    }

    fn special(&mut self, place: &Place, record: &AttributeRecord<'_>, stat: &Stat) -> Result<Made, Failure> {
        let kind = Type::from_raw_mode(stat.mode as _);
        if kind == Type::Socket {
            self.ledger.skipped(record.name, "sockets are not restored");
            return Ok(Made::Unwanted);
        }
        if !matches!(kind, Type::Fifo | Type::CharacterDevice | Type::BlockDevice) {
            return Err(Failure::Text(format!("mode {:o} is not that of a special file; not restored", stat.mode)));
        }
        let device = if kind == Type::Fifo { 0 } else { stat.rdev };
        let made = self.afresh(place, stat, |name| {
            fs::mknodat(&place.parent.fd, name, kind, Mode::from_raw_mode(0o600), device as _)
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

    /// The first name may have been skipped; it may be missing, or stand there as it was before because its restore
    /// failed: then the link has nothing to point to and is an error.
    fn hard_link(&mut self, place: &Place, record: &AttributeRecord<'_>, stat: &Stat) -> Result<Made, Failure> {
        let first = beneath::relative(record.link)?;
        if self.missing.may_contain(&first) {
            return Err(missing_first(record));
        }
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
        let made =
            self.afresh(place, stat, |to| fs::linkat(&from.fd, &name, &place.parent.fd, to, AtFlags::empty()))?;
        Ok(made.map_or(Made::Skipped, |()| Made::Target(Target::Linked)))
    }

    /// Makes something without data. What is there is replaced in one step if the order says so; `None`: left.
    fn afresh<T>(
        &mut self,
        place: &Place,
        stat: &Stat,
        make: impl Fn(&CString) -> Result<T, Errno>,
    ) -> Result<Option<T>, Failure> {
        match make(&place.name) {
            Err(Errno::EXIST) => {}
            other => return Ok(Some(other?)),
        }
        if !self.clear(place, stat)? {
            return Ok(None);
        }
        Ok(Some(part::replace(&place.parent, &place.name, make)?))
    }

    /// Whether what stands in a place may be replaced; a directory is removed, with what it holds if the order is to
    /// replace always.
    pub(super) fn clear(&mut self, place: &Place, stat: &Stat) -> Result<bool, Failure> {
        let existing = match meta::of_entry(&place.parent.fd, &place.name) {
            Err(Errno::NOENT) => return Ok(true),
            other => other?,
        };
        if !self.order.replace.takes(stat.mtime, existing.mtime) {
            return Ok(false);
        }
        if existing.kind() != Type::Directory {
            return Ok(true);
        }
        self.beneath.forget(&place.path);
        self.folders.forget(&place.path);
        match fs::unlinkat(&place.parent.fd, &place.name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) if self.order.replace == Replace::Always => {
                part::remove_tree(&place.parent, &place.name)?;
                self.ledger.info(&place.path, "a directory that stood in its place was removed with what it held");
            }
            Err(Errno::NOTEMPTY | Errno::EXIST) => {
                return Err(Failure::Text("a directory that is not empty is in its place".into()));
            }
            other => other?,
        }
        Ok(true)
    }

    fn named(&self, place: &Place, kind: Type) -> Result<Made, Failure> {
        let fd = meta::name_entry(&place.parent.fd, &place.name)?;
        if meta::of_open(&fd)?.kind() != kind {
            return Err(Failure::Text("was replaced by something else while it was restored".into()));
        }
        Ok(Made::Target(Target::Named { fd, kind, fresh: true }))
    }
}

/// Whether nothing stands in a place, or a pipe.
fn is_free_or_pipe(place: &Place) -> bool {
    match meta::of_entry(&place.parent.fd, &place.name) {
        Ok(there) => there.kind() == Type::Fifo,
        Err(error) => error == Errno::NOENT,
    }
}

fn is_device(place: &Place) -> bool {
    meta::of_entry(&place.parent.fd, &place.name).is_ok_and(|there| is_device_kind(there.kind()))
}

const fn is_device_kind(kind: Type) -> bool {
    matches!(kind, Type::BlockDevice | Type::CharacterDevice)
}

fn missing_first(record: &AttributeRecord<'_>) -> Failure {
    let first = crate::disk::notice::shown(record.link);
    Failure::Text(format!("is another name of {first}, which is not there or was not restored; not restored"))
}
