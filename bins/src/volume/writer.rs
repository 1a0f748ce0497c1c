//! Appends blocks to one volume: a regular file that holds nothing but blocks (`wire/3 §5`).

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::fs::{FlockOperation, flock};
use towline_core::bulk::work::{DiskError, Expect};
use towline_core::wire::block::{self, BLOCK_LIMIT, BlockHeader, HEADER_LEN, Session};
use towline_core::wire::label::VolumeLabel;

use super::erase::Eraser;
use super::{bootstraps, disk_error, volume_path};

/// Permissions of a new volume, as Bareos makes them.
const MODE: u32 = 0o640;

/// A mounted volume, open at its end.
#[derive(Debug)]
pub struct VolumeWriter {
    file: File,
    path: PathBuf,
    bytes: u64,
    limit: u64,
    /// Length of the label block: a volume takes at least one more block, whatever its limit.
    label: u64,
    /// Set by the first block that did not fit: what comes after it must not get in before it.
    full: Option<Appended>,
    eraser: Eraser,
}

/// What mounting found and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mounted {
    /// The length of the volume.
    pub bytes: u64,
    /// Whether a label was written.
    pub labelled: bool,
    /// Bytes of a torn tail that were cut.
    pub cut: u64,
    /// Microseconds spent writing.
    pub spent: u64,
}

/// What came of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The block begins here.
    At(u64),
    /// The volume's limit is reached; nothing was written.
    LimitReached,
    /// The disk is full; nothing of the block is left in the volume.
    DiskFull,
}

impl VolumeWriter {
    /// Opens a volume to append, after labelling it or checking its label and its tail.
    ///
    /// A tail the catalog does not know is kept as far as its blocks are whole, because a job may have been told that
    /// they are safe; the first torn block and all after it are cut. `eraser` erases what was on a recycled volume, and what
    /// is cut off.
    ///
    /// # Errors
    /// The volume cannot be opened, is another one, is shorter than the catalog says, or could not be erased.
    pub fn mount(
        folder: &str,
        label: &VolumeLabel,
        expect: Expect,
        limit: u64,
        session: Session,
        eraser: &Eraser,
    ) -> Result<(Self, Mounted), DiskError> {
        let name = &String::from_utf8_lossy(&label.volume);
        let path = volume_path(folder, name)?;
        let (mut writer, mounted) = match expect {
            Expect::New => Self::label(path, label, name, expect, limit, session)?,
            Expect::Recycled => {
                wipe(&path, eraser)?;
                let mounted = Self::label(path, label, name, expect, limit, session)?;
                bootstraps::forget(folder, name, eraser);
                mounted
            }
            Expect::Bytes(known) => Self::reopen(path, name, known, limit, eraser)?,
        };
        writer.eraser = eraser.clone();
        Ok((writer, mounted))
    }

    /// Appends a block; computes its checksum.
    ///
    /// # Errors
    /// The disk failed for another reason than being full. The volume ends where it ended before.
    pub fn append(&mut self, block: &mut [u8]) -> Result<Appended, DiskError> {
        if let Some(full) = self.full {
            return Ok(full);
        }
        let len = block.len() as u64;
        if self.limit > 0 && self.bytes > self.label && self.bytes + len >= self.limit {
            self.full = Some(Appended::LimitReached);
            return Ok(Appended::LimitReached);
        }
        block::seal(block);
        match self.file.write_all_at(block, self.bytes) {
            Ok(()) => {
                let start = self.bytes;
                self.bytes += len;
                Ok(Appended::At(start))
            }
            Err(error) => {
                self.eraser.cut(&self.file, self.bytes).map_err(|error| disk_error(&self.path, &error))?;
                match error.kind() {
                    ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                        self.full = Some(Appended::DiskFull);
                        Ok(Appended::DiskFull)
                    }
                    _ => Err(disk_error(&self.path, &error)),
                }
            }
        }
    }

    /// Makes everything appended survive a power cut.
    ///
    /// # Errors
    /// The disk cannot promise it.
    pub fn sync(&self) -> Result<(), DiskError> {
        self.file.sync_data().map_err(|error| disk_error(&self.path, &error))
    }

    fn label(
        path: PathBuf,
        label: &VolumeLabel,
        name: &str,
        expect: Expect,
        limit: u64,
        session: Session,
    ) -> Result<(Self, Mounted), DiskError> {
        let started = Instant::now();
        let mut file = open(&path, true)?;
        let found = file.metadata().map_err(|error| disk_error(&path, &error))?.len();
        if found > 0 && expect == Expect::New && !is_bare(&mut file, &path, name, found)? {
            return Err(DiskError::WrongVolume {
                path: path.display().to_string(),
                wanted: name.to_owned(),
                found: format!("a file of {found} bytes where none should be"),
            });
        }
        let block = label.block(session);
        if let Err(error) = write_label(&file, &path, &block) {
            if expect == Expect::New {
                // An empty file would be taken for a foreign one; if it cannot go, the next mount says so.
                let _ = std::fs::remove_file(&path);
            }
            return Err(error);
        }
        let bytes = block.len() as u64;
        let mounted = Mounted { bytes, labelled: true, cut: 0, spent: micros(started) };
        Ok((Self { file, path, bytes, limit, label: bytes, full: None, eraser: Eraser::default() }, mounted))
    }

    fn reopen(
        path: PathBuf,
        name: &str,
        known: u64,
        limit: u64,
        eraser: &Eraser,
    ) -> Result<(Self, Mounted), DiskError> {
        let mut file = open(&path, false)?;
        let length = file.metadata().map_err(|error| disk_error(&path, &error))?.len();
        let first = read_block(&mut file, &path, 0)?;
        let wrong =
            |found: String| DiskError::WrongVolume { path: path.display().to_string(), wanted: name.to_owned(), found };
        let first = first.ok_or_else(|| wrong("no volume label".to_owned()))?;
        VolumeLabel::from_block(&first, name).map_err(|error| wrong(error.to_string()))?;
        if length < known {
            let path = path.display().to_string();
            return Err(DiskError::Truncated { path, found: length, wanted: known });
        }
        let bytes = whole_tail(&mut file, &path, known, length)?;
        if bytes < length {
            eraser.cut(&file, bytes).map_err(|error| disk_error(&path, &error))?;
        }
        let mounted = Mounted { bytes, labelled: false, cut: length - bytes, spent: 0 };
        Ok((
            Self { file, path, bytes, limit, label: first.len() as u64, full: None, eraser: Eraser::default() },
            mounted,
        ))
    }
}

/// Erases what is on a volume, if that is asked for; meanwhile nobody else has it.
fn wipe(path: &Path, eraser: &Eraser) -> Result<(), DiskError> {
    if !eraser.is_set() || !path.exists() {
        return Ok(());
    }
    let _locked = open(path, false)?;
    eraser.wipe(path)
}

/// Makes a file a volume with nothing but this label, safely on the disk.
pub(super) fn write_label(file: &File, path: &Path, block: &[u8]) -> Result<(), DiskError> {
    let write = || {
        file.set_len(0)?;
        file.write_all_at(block, 0)?;
        file.sync_all()?;
        // The name of a new file is safe only once its folder is.
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().map_err(|error| disk_error(path, &error))
}

/// Opens a volume and locks it against a second storage daemon.
pub(super) fn open(path: &Path, create: bool) -> Result<File, DiskError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(create)
        .truncate(false)
        .mode(MODE)
        .open(path)
        .map_err(|error| disk_error(path, &error))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|error| DiskError::Other {
        path: path.display().to_string(),
        text: format!("in use by another storage daemon: {error}"),
    })?;
    Ok(file)
}

/// Whether a file is nothing but this volume's label: a job that ended before the catalog heard of it left it so, and
/// there is nothing to lose.
fn is_bare(file: &mut File, path: &Path, name: &str, length: u64) -> Result<bool, DiskError> {
    let label = read_block(file, path, 0)?.filter(|block| block.len() as u64 == length);
    Ok(label.is_some_and(|block| VolumeLabel::from_block(&block, name).is_ok()))
}

/// Where the last whole block ends, looking from `known` on.
fn whole_tail(file: &mut File, path: &Path, known: u64, length: u64) -> Result<u64, DiskError> {
    let mut end = known;
    while end < length {
        match read_block(file, path, end)? {
            Some(block) => end += block.len() as u64,
            None => break,
        }
    }
    Ok(end)
}

/// The block at `at` if a whole one with a right checksum is there.
pub(super) fn read_block(file: &mut File, path: &Path, at: u64) -> Result<Option<Vec<u8>>, DiskError> {
    let error = |error: std::io::Error| disk_error(path, &error);
    let mut head = [0; HEADER_LEN];
    file.seek(SeekFrom::Start(at)).map_err(error)?;
    if read_full(file, &mut head).map_err(error)? < HEADER_LEN {
        return Ok(None);
    }
    let Ok(header) = BlockHeader::decode(&head) else { return Ok(None) };
    let len = usize::try_from(header.len.min(BLOCK_LIMIT)).unwrap_or(HEADER_LEN).max(HEADER_LEN);
    let mut block = vec![0; len];
    block[..HEADER_LEN].copy_from_slice(&head);
    if read_full(file, &mut block[HEADER_LEN..]).map_err(error)? < len - HEADER_LEN {
        return Ok(None);
    }
    Ok(BlockHeader::verify(&block, true).is_ok().then_some(block))
}

fn read_full(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
