//! Spool files: blocks and attributes of a job that wait until the volume, or the director, takes them. A file has the name
//! of its job and is gone with it; what a crash has left is removed at the next start.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use towline_core::bulk::work::{DiskError, SpoolDone, SpoolFile, SpoolWork};
use towline_core::error::Code;
use towline_core::explain::complaint;

use super::disk_error;
use super::erase::Eraser;

/// Who may read it: it holds what the volumes hold.
const MODE: u32 = 0o640;
/// Before each piece: its length and what goes with it.
const HEAD: usize = 16;

/// Bytes in all spool files of each device.
static SPOOLED: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

/// A spool file, open.
#[derive(Debug)]
pub struct Spool {
    file: File,
    path: PathBuf,
    limits: SpoolFile,
    /// Bytes in it, heads included.
    length: u64,
    /// Bytes of the pieces in it.
    held: u64,
    /// Where the next piece is read.
    at: u64,
    /// A piece was refused: what comes after it must not get in before it.
    full: Option<bool>,
    eraser: Eraser,
}

impl Spool {
    /// Opens a new file.
    ///
    /// # Errors
    /// The folder is not there, or no file can be made in it.
    pub fn open(limits: SpoolFile, eraser: Eraser) -> Result<Self, DiskError> {
        let path = Path::new(&limits.folder).join(one_part(&limits.name));
        let file = create(&path)?;
        Ok(Self { file, path, limits, length: 0, held: 0, at: 0, full: None, eraser })
    }

    /// Does a piece of work.
    pub fn work(&mut self, work: SpoolWork) -> SpoolDone {
        match work {
            SpoolWork::Hold { bytes, marks } => self.hold(bytes, marks),
            SpoolWork::Next { buffer } => self.next(buffer),
        }
    }

    fn hold(&mut self, bytes: Vec<u8>, marks: [i32; 2]) -> SpoolDone {
        if let Some(disk_full) = self.full {
            return SpoolDone::Full { bytes, disk_full };
        }
        let len = bytes.len() as u64;
        // One piece fits in any case, or nothing would ever go on.
        if self.held > 0 && !self.has_room(len) {
            self.full = Some(false);
            return SpoolDone::Full { bytes, disk_full: false };
        }
        let mut head = [0; HEAD];
        head[..8].copy_from_slice(&len.to_be_bytes());
        head[8..12].copy_from_slice(&marks[0].to_be_bytes());
        head[12..].copy_from_slice(&marks[1].to_be_bytes());
        let written = self.file.write_all_at(&head, self.length);
        let written = written.and_then(|()| self.file.write_all_at(&bytes, self.length + HEAD as u64));
        if let Err(error) = written {
            // What is left of it is cut off; if that fails too, reading stops before it.
            let _ = self.eraser.cut(&self.file, self.length);
            if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge) {
                self.full = Some(true);
                return SpoolDone::Full { bytes, disk_full: true };
            }
            return SpoolDone::Failed(disk_error(&self.path, &error));
        }
        self.length += HEAD as u64 + len;
        self.held += len;
        self.count(|spooled| spooled.saturating_add(len));
        let mut buffer = bytes;
        buffer.clear();
        SpoolDone::Held { buffer, held: self.held }
    }

    fn has_room(&self, len: u64) -> bool {
        let SpoolFile { limit, device_limit, .. } = self.limits;
        let spooled = SPOOLED.lock().unwrap_or_else(PoisonError::into_inner);
        let of_device = spooled.get(&self.limits.device).copied().unwrap_or(0);
        (limit == 0 || self.held + len <= limit) && (device_limit == 0 || of_device + len <= device_limit)
    }

    fn count(&self, change: impl FnOnce(u64) -> u64) {
        let mut spooled = SPOOLED.lock().unwrap_or_else(PoisonError::into_inner);
        let of_device = spooled.entry(self.limits.device.clone()).or_default();
        *of_device = change(*of_device);
    }

    /// The next piece; after the last the file is empty again.
    fn next(&mut self, mut buffer: Vec<u8>) -> SpoolDone {
        if self.at >= self.length {
            return match self.clear() {
                Ok(()) => SpoolDone::Next(None),
                Err(error) => SpoolDone::Failed(error),
            };
        }
        let mut head = [0; HEAD];
        let read = self.file.read_exact_at(&mut head, self.at).and_then(|()| {
            let [a, b, c, d, e, f, g, h, rest @ ..] = head;
            let len = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
            if self.at + HEAD as u64 + len > self.length {
                return Err(ErrorKind::InvalidData.into());
            }
            buffer.resize(usize::try_from(len).unwrap_or(0), 0);
            self.file.read_exact_at(&mut buffer, self.at + HEAD as u64)?;
            let [i, j, k, l, m, n, o, p] = rest;
            Ok([i32::from_be_bytes([i, j, k, l]), i32::from_be_bytes([m, n, o, p])])
        });
        match read {
            Ok(marks) => {
                self.at += HEAD as u64 + buffer.len() as u64;
                SpoolDone::Next(Some((buffer, marks)))
            }
            Err(error) => SpoolDone::Failed(disk_error(&self.path, &error)),
        }
    }

    fn clear(&mut self) -> Result<(), DiskError> {
        if self.eraser.is_set() && self.length > 0 {
            self.eraser.delete(&self.path)?;
            self.file = create(&self.path)?;
        } else {
            self.file.set_len(0).map_err(|error| disk_error(&self.path, &error))?;
        }
        self.count(|spooled| spooled.saturating_sub(self.held));
        (self.length, self.held, self.at, self.full) = (0, 0, 0, None);
        Ok(())
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.count(|spooled| spooled.saturating_sub(self.held));
        // Nothing of an empty file is left to be erased.
        let gone = if self.length > 0 { self.eraser.delete(&self.path) } else { Eraser::default().delete(&self.path) };
        match gone {
            Err(error @ DiskError::NotErased { .. }) => {
                tracing::error!("{}", complaint(Code(966), &error.to_string()));
            }
            Err(error) => tracing::debug!("{} is not removed: {error}", self.path.display()),
            Ok(()) => {}
        }
    }
}

/// An empty file.
fn create(path: &Path) -> Result<File, DiskError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true).mode(MODE);
    options.open(path).map_err(|error| disk_error(path, &error))
}

/// A name that cannot lead out of its folder.
fn one_part(name: &str) -> String {
    name.chars().map(|c| if matches!(c, '/' | '\0') { '_' } else { c }).collect()
}

/// Removes the spool files that an earlier run of the storage daemon `name` has left in a folder. Returns how many.
///
/// # Errors
/// The folder cannot be read, or one of them cannot be removed.
pub fn remove_leftovers(folder: &Path, name: &str, eraser: &Eraser) -> Result<usize, DiskError> {
    let failed = |error: std::io::Error| disk_error(folder, &error);
    let (mut removed, name) = (0, one_part(name));
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let file = entry.file_name();
        let file = file.to_string_lossy();
        let is_ours = ["data", "attr"].iter().any(|kind| file.starts_with(&format!("{name}.{kind}.")));
        if is_ours && file.ends_with(".spool") && entry.file_type().map_err(failed)?.is_file() {
            eraser.delete(&entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, device: &str, limit: u64, device_limit: u64) -> SpoolFile {
        let folder = folder.display().to_string();
        SpoolFile { folder, name: "sd.data.1.job.spool".to_owned(), device: device.to_owned(), limit, device_limit }
    }

    fn hold(spool: &mut Spool, byte: u8, len: usize) -> SpoolDone {
        spool.work(SpoolWork::Hold { bytes: vec![byte; len], marks: [i32::from(byte), 9] })
    }

    fn held(done: &SpoolDone) -> Option<u64> {
        if let SpoolDone::Held { held, .. } = done { Some(*held) } else { None }
    }

    #[test]
    fn what_was_held_comes_out_in_order_and_the_file_is_empty_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(file(folder.path(), "in order", 0, 0), Eraser::default()).unwrap();
        for round in 0..2 {
            assert_eq!(held(&hold(&mut spool, 1, 100)), Some(100));
            assert_eq!(held(&hold(&mut spool, 2, 50)), Some(150));
            for (byte, len) in [(1, 100), (2, 50)] {
                let next = spool.work(SpoolWork::Next { buffer: Vec::new() });
                assert_eq!(next, SpoolDone::Next(Some((vec![byte; len], [i32::from(byte), 9]))), "{round}");
            }
            assert_eq!(spool.work(SpoolWork::Next { buffer: Vec::new() }), SpoolDone::Next(None));
            assert_eq!(std::fs::metadata(&spool.path).unwrap().len(), 0);
        }
        let path = spool.path.clone();
        drop(spool);
        assert!(!path.exists());
    }

    #[test]
    fn the_limit_of_the_job_and_that_of_the_device_are_kept_and_one_piece_always_fits() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(file(folder.path(), "limits", 100, 0), Eraser::default()).unwrap();
        assert_eq!(held(&hold(&mut spool, 1, 100)), Some(100), "up to the limit");
        assert_eq!(hold(&mut spool, 2, 1), SpoolDone::Full { bytes: vec![2], disk_full: false });
        // Nothing overtakes it.
        assert!(matches!(hold(&mut spool, 3, 0), SpoolDone::Full { .. }));
        drop(spool);
        let mut spool = Spool::open(file(folder.path(), "limits", 100, 0), Eraser::default()).unwrap();
        assert_eq!(held(&hold(&mut spool, 1, 101)), Some(101), "one piece alone");
        drop(spool);
        let other = tempfile::tempdir().unwrap();
        let mut one = Spool::open(file(folder.path(), "shared", 0, 100), Eraser::default()).unwrap();
        let mut two = Spool::open(file(other.path(), "shared", 0, 100), Eraser::default()).unwrap();
        assert_eq!(held(&hold(&mut one, 1, 90)), Some(90));
        assert_eq!(held(&hold(&mut two, 1, 20)), Some(20), "its first");
        assert!(matches!(hold(&mut two, 1, 1), SpoolDone::Full { disk_full: false, .. }));
        drop(one);
        assert!(matches!(two.work(SpoolWork::Next { buffer: Vec::new() }), SpoolDone::Next(Some(_))));
        assert_eq!(two.work(SpoolWork::Next { buffer: Vec::new() }), SpoolDone::Next(None));
        assert_eq!((held(&hold(&mut two, 1, 60)), held(&hold(&mut two, 1, 40))), (Some(60), Some(100)));
    }

    #[test]
    fn only_what_this_daemon_has_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let kept = ["sd2.data.1.job.spool", "sd.data.1.job", "volume", "sd.dat.1.spool"];
        for name in kept.iter().chain(&["sd.data.1.job.dev.spool", "sd.attr.job.5.spool"]) {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        assert_eq!(remove_leftovers(folder.path(), "sd", &Eraser::default()).unwrap(), 2);
        assert!(kept.iter().all(|name| folder.path().join(name).exists()));
        assert!(remove_leftovers(&folder.path().join("missing"), "sd", &Eraser::default()).is_err());
    }
}
