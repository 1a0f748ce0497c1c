//! One entry on its way into parcels: its attributes, then its bytes, then ACLs, extended attributes and digest
//! (wire/2 §2.3). Stops wherever a parcel is full.

use std::collections::VecDeque;
use std::os::fd::AsFd;

use rustix::fs::{self, FileType as Type, Timespec, Timestamps};
use rustix::io::Errno;
use towline_core::bulk::pack::{Mark, PackError, Packer};
use towline_core::bulk::parcel::PARCEL;
use towline_core::wire::acl::Acl;
use towline_core::wire::attributes::{NewAttributes, Stat};
use towline_core::wire::digest::{Algorithm, Digest, Hasher};
use towline_core::wire::fileset::{Compression, Options};
use towline_core::wire::stream::{FileType, Stream};
use towline_core::wire::xattr::{self, Xattr};

use super::fifo;
use super::hold::{Held, SPARSE_PIECE, hold, retry};
use super::pour::FIRST;
use super::unchanged::{has_digest, is_unchanged, known_digest};
use super::{FirstName, Work};
use crate::disk::compression::compressor::OFFSET;
use crate::disk::meta::{self, Handle, Meta};
use crate::disk::notice::{Notice, NoticeKind, shown};
use crate::disk::walk::Found;
use crate::process::Means;

/// Bytes of the contents that are read into the parcel of the attributes, so that nothing is sent of a file which cannot
/// be read at all.
const FIRST_READ: usize = 16 * 1024;

pub(super) const GREW: &str = "grew while it was read; it is saved with the size it had before";

/// What [`Item::pump`] did.
pub(super) enum Pumped {
    /// The parcel is full; there is more.
    Full,
    /// Everything of this entry is in.
    Finished,
}

/// An entry under way.
#[derive(Debug)]
pub(super) struct Item {
    path: Vec<u8>,
    /// The name in the record: stripped, with `/` after a directory.
    sent: Vec<u8>,
    link: Vec<u8>,
    file_type: FileType,
    pub(super) stat: Stat,
    pub(super) meta: Meta,
    pub(super) stage: Stage,
    pub(super) held: Held,
    algorithm: Option<Algorithm>,
    pub(super) compression: Option<Compression>,
    /// The plain bytes of a compressed record that is made and not yet packed.
    pub(super) pending: Option<u64>,
    pub(super) sparse: bool,
    saves_acl: bool,
    saves_xattr: bool,
    keeps_atime: bool,
    checks_changes: bool,
    pub(super) position: u64,
    pub(super) in_object: bool,
    /// Where to go back to if nothing of it can be read.
    mark: Option<Mark>,
    whole: Whole,
    tail: VecDeque<(Stream, Vec<u8>)>,
    copied_digest: Option<Digest>,
    is_first_name: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Attributes,
    Data,
    /// The data of a pipe.
    Pour,
    Gather,
    Tail,
    /// Nothing of it is saved.
    Dropped,
}

/// Whether all of its contents are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whole {
    SoFar,
    /// It ended sooner than it should.
    Short,
    /// It could not be read to its end.
    Not,
}

impl Item {
    /// Opens an entry. `None` if it is not saved: unchanged, vanished, a socket, or already saved under this name.
    pub(super) fn new(
        found: Found,
        options: &Options,
        since: Option<i64>,
        work: &mut Work,
        means: &Means,
    ) -> Option<Self> {
        if found.kind == Type::Socket {
            work.note(Notice::new(NoticeKind::Skipped, &found.path, "is a socket and is not saved"));
            return None;
        }
        if let Some(known) = &mut work.known {
            known.keep(&name_in_record(&found, options));
        }
        let is_due = work.retries.is_due(&found.path, since);
        // A glance from outside spares opening what has not changed.
        let digest = known_digest(&found, options, &mut work.known);
        if digest.is_none()
            && !is_due
            && (since.is_some() || work.known.is_some())
            && found.kind == Type::RegularFile
            && meta::of_entry(&found.parent, &found.name)
                .is_ok_and(|meta| is_unchanged(&found, options, since, &mut work.known, &meta))
        {
            return None;
        }
        let (meta, held, closed) = match hold(&found, options) {
            Ok(parts) => parts,
            Err(Errno::NOENT) => {
                work.note(Notice::new(NoticeKind::Warning, &found.path, "vanished before it could be saved"));
                return None;
            }
            Err(error) => {
                work.note(Notice::new(NoticeKind::NotSaved, &found.path, failed("could not be examined", error)));
                return None;
            }
        };
        // Nothing of a pipe says whether what will come out of it is new.
        let is_read = fifo::is_read(&found, options, &meta);
        if !is_due
            && !is_read
            && is_unchanged(&found, options, since, &mut work.known, &meta)
            && digest.is_none_or(|(algorithm, known)| has_digest(&held, &meta, options.sparse, algorithm, &known))
        {
            return None;
        }
        if meta.kind() == Type::Socket {
            work.note(Notice::new(NoticeKind::Skipped, &found.path, "is a socket and is not saved"));
            return None;
        }
        let held = if is_read { fifo::open(&found, work, means)? } else { held };
        Self::describe(found, options, meta, held, closed, work)
    }

    fn describe(
        found: Found,
        options: &Options,
        meta: Meta,
        mut held: Held,
        closed: Option<Errno>,
        work: &mut Work,
    ) -> Option<Self> {
        let mut sent = strip(&found.path, options.strip_path.unwrap_or(0)).to_vec();
        let mut file_type = match meta.kind() {
            Type::RegularFile if meta.size == 0 && meta.mode & 0o444 == 0o444 => FileType::RegularEmpty,
            Type::RegularFile => FileType::Regular,
            Type::Symlink => FileType::Symlink,
            Type::Directory => FileType::Directory,
            _ if matches!(held, Held::Pipe(_)) => FileType::Fifo,
            _ => FileType::Special,
        };
        let mut link = Vec::new();
        match (&held, file_type) {
            (Held::Named(fd), FileType::Symlink) => match fs::readlinkat(fd, c"", Vec::new()) {
                Ok(target) => link = target.into_bytes(),
                Err(error) => {
                    let text = failed("the target of the link could not be read", error);
                    work.note(Notice::new(NoticeKind::NotSaved, &found.path, text));
                    return None;
                }
            },
            (_, FileType::Directory) if !sent.ends_with(b"/") => sent.push(b'/'),
            _ => {}
        }
        let has_one_name = matches!(file_type, FileType::Directory | FileType::Symlink | FileType::Fifo);
        let linked = meta.nlink > 1 && options.hard_links() && !has_one_name;
        let (mut link_fi, mut copied_digest) = (0, None);
        match linked.then(|| work.links.get(&meta.inode())).flatten() {
            Some(first) if first.path == found.path => return None,
            Some(first) => {
                file_type = FileType::HardLink;
                (link_fi, copied_digest) = (first.index, first.digest);
                link.clone_from(&first.sent);
                held = Held::Nothing;
            }
            None => {}
        }
        if let (Some(error), true) = (closed, file_type != FileType::HardLink) {
            work.note(Notice::new(NoticeKind::NotSaved, &found.path, failed("could not be opened for reading", error)));
            // With its attributes alone a restore would put an empty file over the living one.
            return None;
        }
        let is_pipe = file_type == FileType::Fifo;
        // Holes are sought in files alone.
        let sparse = options.sparse && !is_pipe;
        let stat = stat_of(&meta, link_fi, data_stream(options.compression.is_some(), sparse));
        let regular = matches!(file_type, FileType::Regular | FileType::RegularEmpty) && matches!(held, Held::Open(_));
        Some(Self {
            path: found.path,
            sent,
            link,
            file_type,
            stat,
            meta,
            stage: Stage::Attributes,
            held,
            algorithm: options.digest.filter(|_| regular || is_pipe),
            compression: options.compression,
            pending: None,
            sparse,
            saves_acl: options.acl,
            saves_xattr: options.xattr,
            keeps_atime: options.keep_atime && regular,
            checks_changes: options.check_changes,
            position: 0,
            in_object: false,
            mark: None,
            whole: Whole::SoFar,
            tail: VecDeque::new(),
            copied_digest,
            is_first_name: linked && file_type != FileType::HardLink,
        })
    }

    /// Where it is on the disk.
    pub(super) fn path(&self) -> &[u8] {
        &self.path
    }

    /// Packs as much of the entry as the parcel takes.
    pub(super) fn pump(&mut self, packer: &mut Packer, work: &mut Work) -> Result<Pumped, PackError> {
        match self.pack(packer, work) {
            Ok(()) => Ok(Pumped::Finished),
            Err(PackError::Full) => Ok(Pumped::Full),
            Err(error) => Err(error),
        }
    }

    /// Tells that one of its records fits into no frame; the stream is whole without it.
    pub(super) fn give_up(&self, bytes: usize, work: &mut Work) {
        let text = format!("has a record of {bytes} bytes, more than a frame holds; it is not wholly saved");
        work.note(Notice::new(NoticeKind::NotSaved, &self.path, text));
    }

    fn pack(&mut self, packer: &mut Packer, work: &mut Work) -> Result<(), PackError> {
        if self.stage == Stage::Attributes {
            self.begin(packer, work)?;
        }
        while self.stage == Stage::Data {
            if !self.in_object {
                packer.begin_data(self.stat.data_stream)?;
                self.in_object = true;
            }
            self.pack_pending(packer, work)?;
            if self.pack_piece(packer, work)? {
                continue;
            }
            let more = self.position < self.meta.size && self.whole == Whole::SoFar && self.read_on(packer, work)?;
            if !more && self.stage == Stage::Data && self.pending.is_none() && work.block.is_sent() {
                self.end_data(packer, work)?;
            }
        }
        if self.stage == Stage::Pour {
            self.pour(packer, work)?;
        }
        if self.stage == Stage::Gather {
            self.gather(work);
            self.stage = Stage::Tail;
        }
        while let Some((stream, bytes)) = self.tail.front() {
            packer.record(*stream, bytes)?;
            self.tail.pop_front();
        }
        Ok(())
    }

    fn begin(&mut self, packer: &mut Packer, work: &mut Work) -> Result<(), PackError> {
        let (name, link) = (&self.sent, &self.link);
        let new =
            NewAttributes { file_type: self.file_type, name, stat: &self.stat, link, attrs_ex: b"", delta_seq: 0 };
        let has_data = self.file_type == FileType::Regular && self.meta.size > 0 && matches!(self.held, Held::Open(_));
        let is_pipe = self.file_type == FileType::Fifo;
        let first = match usize::try_from(self.meta.size).unwrap_or(usize::MAX) {
            _ if is_pipe => FIRST,
            _ if !has_data => 0,
            // The first record is read and compressed before it needs room.
            _ if self.compression.is_some() => 1,
            size if self.sparse => size.min(SPARSE_PIECE) + OFFSET,
            size => size.saturating_add(1).min(FIRST_READ),
        };
        self.mark = Some(packer.mark());
        let index = packer.begin_file_with_data(&new, first)?;
        work.hasher = self.algorithm.map(Hasher::new);
        work.block.clear();
        if self.is_first_name {
            let first =
                FirstName { index, path: self.path.clone(), sent: std::mem::take(&mut self.sent), digest: None };
            work.links.insert(self.meta.inode(), first);
        }
        self.stage = match &self.held {
            Held::Open(fd) if has_data => {
                if self.meta.size > PARCEL as u64 {
                    // Only advice: where it does not help, it does not hurt.
                    let _ = fs::fadvise(fd, 0, None, fs::Advice::Sequential);
                }
                Stage::Data
            }
            _ if is_pipe => Stage::Pour,
            _ => Stage::Gather,
        };
        Ok(())
    }

    fn read_on(&mut self, packer: &mut Packer, work: &mut Work) -> Result<bool, PackError> {
        match self.compression {
            _ if self.sparse => Ok(self.read_sparse(packer, work)),
            Some(how) => self.read_compressed(how, packer, work),
            None => self.read(packer, work),
        }
    }

    /// Reads the next bytes into the parcel. `false` at the end of the file or after an error.
    ///
    /// One byte more than is left is asked for: so growing shows without a call of its own, and a whole small file is
    /// one read.
    fn read(&mut self, packer: &mut Packer, work: &mut Work) -> Result<bool, PackError> {
        let Held::Open(fd) = &self.held else { return Ok(false) };
        let left = usize::try_from(self.meta.size.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let space = packer.data_space(left.saturating_add(1)).ok_or(PackError::Full)?;
        let outcome = retry(|| rustix::io::pread(fd, &mut *space, self.position));
        let got = outcome.unwrap_or(0);
        let taken = got.min(left);
        if let Some(hasher) = &mut work.hasher {
            hasher.update(space.get(..taken).unwrap_or_default());
        }
        packer.data_commit(taken, taken as u64);
        self.position += taken as u64;
        let more = self.taken(outcome, packer, work);
        if got > taken {
            self.remark(work, GREW);
        }
        Ok(more)
    }

    /// Whether reading goes on.
    pub(super) fn taken(&mut self, outcome: Result<usize, Errno>, packer: &mut Packer, work: &mut Work) -> bool {
        match outcome {
            Ok(0) => {
                self.whole = Whole::Short;
                let text = format!("shrank to {} bytes while it was read; that much is saved", self.position);
                self.remark(work, &text);
                false
            }
            Ok(_) => true,
            Err(error) => {
                let text = failed(&format!("could not be read from byte {} on", self.position), error);
                work.note(Notice::new(NoticeKind::NotSaved, &self.path, text));
                self.drop_contents(packer, work);
                false
            }
        }
    }

    /// It cannot be read any further: it is taken back if all of it is still in the parcel, else marked as unread at its
    /// end (wire/2 §2.5). Its other names have to be read for themselves.
    pub(super) fn drop_contents(&mut self, packer: &mut Packer, work: &mut Work) {
        self.whole = Whole::Not;
        if self.is_first_name {
            work.links.remove(&self.meta.inode());
            self.is_first_name = false;
        }
        if self.mark.is_some_and(|mark| packer.take_back(mark)) {
            self.stage = Stage::Dropped;
            self.held = Held::Nothing;
            self.pending = None;
            work.block.clear();
        }
    }

    pub(super) fn end_data(&mut self, packer: &mut Packer, work: &mut Work) -> Result<(), PackError> {
        packer.end_data()?;
        self.stage = Stage::Gather;
        let Held::Open(fd) = &self.held else { return Ok(()) };
        if (self.checks_changes || self.meta.size > PARCEL as u64) && self.whole == Whole::SoFar {
            let changed = meta::of_open(fd).is_ok_and(|now| {
                (now.mtime, now.mtime_nsec, now.size) != (self.meta.mtime, self.meta.mtime_nsec, self.meta.size)
            });
            if changed {
                self.remark(work, "changed while it was read");
            }
        }
        Ok(())
    }

    /// Has the rest of it read from something else.
    #[cfg(test)]
    pub(super) fn read_from(&mut self, fd: std::os::fd::OwnedFd) {
        self.held = Held::Open(fd);
    }

    pub(super) fn remark(&self, work: &mut Work, text: &str) {
        work.note(Notice::new(NoticeKind::Warning, &self.path, text));
    }

    /// Collects what comes after the data, while the entry is still open.
    fn gather(&mut self, work: &mut Work) {
        self.gather_attributes(work);
        if let (Held::Open(fd), true) = (&self.held, self.keeps_atime) {
            let omit = Timespec { tv_sec: 0, tv_nsec: fs::UTIME_OMIT };
            let read = Timespec { tv_sec: self.meta.atime, tv_nsec: 0 };
            // A file of somebody else keeps the new time; its contents are saved all the same.
            let _ = fs::futimens(fd, &Timestamps { last_access: read, last_modification: omit });
        }
        self.held = Held::Nothing;
        let digest = match work.hasher.as_mut().filter(|_| self.algorithm.is_some()) {
            _ if self.whole == Whole::Not => Some(Digest::unread(self.algorithm.unwrap_or(Algorithm::Md5))),
            Some(hasher) => Some(hasher.finish()),
            None => self.copied_digest,
        };
        if let Some(digest) = digest {
            self.tail.push_back((digest.algorithm().stream(), digest.as_bytes().to_vec()));
        }
        if self.is_first_name
            && let Some(first) = work.links.get_mut(&self.meta.inode())
        {
            first.digest = digest;
        }
    }

    fn gather_attributes(&mut self, work: &mut Work) {
        let handle = match &self.held {
            _ if !self.saves_acl && !self.saves_xattr => return,
            Held::Open(fd) => Handle::Open(fd.as_fd()),
            Held::Named(fd) => Handle::Named(fd.as_fd()),
            Held::Pipe(pipe) => Handle::Open(pipe.fd().as_fd()),
            Held::Nothing => return,
        };
        if work.no_xattrs.contains(&self.meta.dev) {
            return;
        }
        let found = match work.xattrs.read(handle) {
            Ok(found) => found,
            Err(Errno::NOTSUP) => {
                if matches!(self.meta.kind(), Type::RegularFile | Type::Directory) {
                    work.no_xattrs.insert(self.meta.dev);
                }
                return;
            }
            Err(error) => {
                let text = failed("its extended attributes could not be read", error);
                work.note(Notice::new(NoticeKind::Error, &self.path, text));
                return;
            }
        };
        for (name, error) in &found.refused {
            let text = failed(&format!("attribute {} could not be read", shown(name)), *error);
            work.note(Notice::new(NoticeKind::Error, &self.path, text));
        }
        let mut record = Vec::new();
        for (name, value) in &found.list {
            let stream = match name.as_slice() {
                meta::ACL_ACCESS => Stream::ACL_LINUX_ACCESS,
                meta::ACL_DEFAULT => Stream::ACL_LINUX_DEFAULT,
                _ => Stream::XATTR_LINUX,
            };
            if self.saves_acl && stream != Stream::XATTR_LINUX {
                match Acl::from_kernel(value) {
                    Ok(acl) if stream == Stream::ACL_LINUX_ACCESS && acl.is_minimal() => {}
                    Ok(acl) => {
                        let mut text = Vec::new();
                        acl.encode(|_, _| None, &mut text);
                        self.tail.push_back((stream, text));
                    }
                    Err(error) => {
                        let text = format!("its access control list is not saved: {error}");
                        work.note(Notice::new(NoticeKind::Error, &self.path, text));
                    }
                }
            } else if self.saves_xattr
                && xattr::is_saved(name, self.saves_acl)
                && !(Xattr { name, value }).encode(&mut record)
            {
                let text = format!("attribute {} is not saved: there are too many bytes of them", shown(name));
                work.note(Notice::new(NoticeKind::Error, &self.path, text));
            }
        }
        if !record.is_empty() {
            self.tail.push_back((Stream::XATTR_LINUX, record));
        }
    }
}

/// The name of an entry as its record has it: stripped, with `/` after a directory.
pub(super) fn name_in_record(found: &Found, options: &Options) -> Vec<u8> {
    let mut name = strip(&found.path, options.strip_path.unwrap_or(0)).to_vec();
    if found.dir.is_some() && !name.ends_with(b"/") {
        name.push(b'/');
    }
    name
}

/// A path without its first components; whole if it has no more than those.
pub(super) fn strip(path: &[u8], components: u32) -> &[u8] {
    let mut rest = path;
    for _ in 0..components {
        let after = rest.strip_prefix(b"/").unwrap_or(rest);
        match after.iter().position(|b| *b == b'/') {
            Some(at) => rest = after.get(at..).unwrap_or_default(),
            None => return path,
        }
    }
    rest
}

/// The stream of the data of a file, whether it has any or not (wire/2 §2.5).
const fn data_stream(is_compressed: bool, sparse: bool) -> Stream {
    match (is_compressed, sparse) {
        (false, false) => Stream::FILE_DATA,
        (false, true) => Stream::SPARSE,
        (true, false) => Stream::COMPRESSED,
        (true, true) => Stream::SPARSE_COMPRESSED,
    }
}

pub(super) fn stat_of(meta: &Meta, link_fi: i32, data_stream: Stream) -> Stat {
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    Stat {
        dev: meta.dev,
        ino: meta.ino,
        mode: meta.mode,
        nlink: meta.nlink,
        uid: meta.uid,
        gid: meta.gid,
        rdev: meta.rdev,
        size: signed(meta.size),
        blksize: signed(meta.blksize),
        blocks: signed(meta.blocks),
        atime: meta.atime,
        mtime: meta.mtime,
        ctime: meta.ctime,
        link_fi,
        flags: 0,
        data_stream,
    }
}

fn failed(what: &str, error: Errno) -> String {
    format!("{what}: {}", std::io::Error::from(error))
}
