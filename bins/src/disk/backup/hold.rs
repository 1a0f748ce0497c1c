//! Opening an entry that is saved, and reading it.

use std::os::fd::OwnedFd;

use rustix::fs::{self, FileType as Type, Mode, OFlags};
use rustix::io::Errno;
use towline_core::wire::fileset::Options;

use crate::disk::fifo::PipeReader;
use crate::disk::meta::{self, Meta};
use crate::disk::walk::Found;

/// Bytes of a block that is left out if it is all zeros (wire/2 §2.9). Digests of sparse files depend on it.
pub(super) const SPARSE_BLOCK: usize = 262_136;
/// Bytes of a record of one: a block is several, for a parcel holds no frame of its length.
pub(super) const SPARSE_PIECE: usize = 65_536;

/// Whether a block of zeros of a sparse file is left out: one that is full, and not the last, from which a restore knows the
/// size. A file of two blocks is never looked at by real daemons.
pub(super) const fn leaves_out(filled: usize, end: u64, size: u64) -> bool {
    filled == SPARSE_BLOCK && end < size && size != 2 * SPARSE_BLOCK as u64
}

/// The entry while it is being saved.
#[derive(Debug)]
pub(super) enum Held {
    /// A regular file or directory, open for reading.
    Open(OwnedFd),
    /// By name only.
    Named(OwnedFd),
    /// A named pipe that is read.
    Pipe(PipeReader),
    /// Not at all: attributes only.
    Nothing,
}

/// Opens an entry as its type needs. The third value says why a file could be named but not opened.
pub(super) fn hold(found: &Found, options: &Options) -> Result<(Meta, Held, Option<Errno>), Errno> {
    if let Some((meta, fd)) = &found.dir {
        let own = fd.as_ref().and_then(|fd| fd.try_clone().ok());
        let held = match own {
            Some(fd) => Held::Open(fd),
            None => meta::name_entry(&found.parent, &found.name).map_or(Held::Nothing, Held::Named),
        };
        return Ok((*meta, held, None));
    }
    let mut closed = None;
    if found.kind == Type::RegularFile {
        match open(found, options.no_atime) {
            Ok(fd) => {
                let meta = meta::of_open(&fd)?;
                if meta.kind() == Type::RegularFile {
                    return Ok((meta, Held::Open(fd), None));
                }
            }
            Err(Errno::NOENT) => return Err(Errno::NOENT),
            // A link or socket by now: saved as what it is.
            Err(Errno::LOOP | Errno::NXIO | Errno::NODEV) => {}
            Err(error) => closed = Some(error),
        }
    }
    let fd = meta::name_entry(&found.parent, &found.name)?;
    let meta = meta::of_open(&fd)?;
    if meta.kind() == Type::RegularFile && closed.is_none() {
        // The directory was wrong about it, or it was replaced: once more, with what is there now.
        let fd = open(found, options.no_atime)?;
        let meta = meta::of_open(&fd)?;
        return if meta.kind() == Type::RegularFile { Ok((meta, Held::Open(fd), None)) } else { Err(Errno::NOENT) };
    }
    Ok((meta, Held::Named(fd), closed.filter(|_| meta.kind() == Type::RegularFile)))
}

fn open(found: &Found, no_atime: bool) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    if no_atime {
        match fs::openat(&found.parent, &found.name, flags | OFlags::NOATIME, Mode::empty()) {
            Err(Errno::PERM) => {}
            other => return other,
        }
    }
    fs::openat(&found.parent, &found.name, flags, Mode::empty())
}

/// The first block from `position` on that has data, or the last one: the file system knows where holes are.
pub(super) fn behind_hole(fd: &OwnedFd, position: u64, size: u64) -> u64 {
    let block = SPARSE_BLOCK as u64;
    if size == 2 * block {
        return position;
    }
    let last = size.saturating_sub(1) / block * block;
    let data = match fs::seek(fd, fs::SeekFrom::Data(position)) {
        Ok(data) => data / block * block,
        Err(Errno::NXIO) => last,
        Err(_) => position,
    };
    data.min(last).max(position)
}

/// Reads until the room is full, the file ends or reading fails: how many bytes are there, and what the last call said.
pub(super) fn fill(fd: &OwnedFd, room: &mut [u8], position: u64) -> (usize, Result<usize, Errno>) {
    let (mut filled, mut outcome) = (0, Ok(0));
    while let Some(room) = room.get_mut(filled..).filter(|room| !room.is_empty()) {
        outcome = retry(|| rustix::io::pread(fd, &mut *room, position + filled as u64));
        match outcome {
            Ok(n) if n > 0 => filled += n,
            _ => break,
        }
    }
    (filled, outcome)
}

pub(super) fn retry(mut call: impl FnMut() -> Result<usize, Errno>) -> Result<usize, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}
