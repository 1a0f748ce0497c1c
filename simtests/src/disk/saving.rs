//! Files on their way into a backup, and what may be wrong with them meanwhile.
//!
//! What comes of a flaw is what comes of it on a real disk: what cannot be read at all is left out, what fails later is marked as
//! unread in the place of its digest (`wire/2 §2.5`), and each is worth a remark with the file's name.

use std::collections::VecDeque;

use towline_core::bulk::pack::{Mark, PackError, Packer};
use towline_core::bulk::parcel::Parcel;
use towline_core::bulk::work::{DiskDone, DiskError, Remark, Tally};
use towline_core::wire::attributes::{NewAttributes, Stat};
use towline_core::wire::digest::{Algorithm, Digest, Hasher};
use towline_core::wire::fileset::FileSet;
use towline_core::wire::stream::{FileType, Stream};

use super::{Contents, Store, failed, refusal};

/// What is wrong with a file as it is saved, or with a folder. It stays while a backup has begun with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "toy", derive(serde::Serialize, serde::Deserialize))]
pub enum Flaw {
    /// The folder cannot be listed.
    Unlisted,
    /// The file was listed, and is gone when it is opened.
    Vanishes,
    /// Reading it fails from this byte on.
    FailsAt(usize),
    /// It ends there by the time it is read.
    ShrinksTo(usize),
    /// It grows while it is read.
    Grows,
}

impl Flaw {
    /// Whether it is worth a warning only, which leaves a job good: all that there was is saved.
    #[must_use]
    pub const fn is_mild(self) -> bool {
        matches!(self, Self::Vanishes | Self::ShrinksTo(_) | Self::Grows)
    }

    /// Whether its file may come back with other contents than these, which it had, or not at all.
    #[must_use]
    pub fn explains(self, was: &[u8], back: Option<&[u8]>) -> bool {
        match (self, back) {
            (Self::Unlisted | Self::Vanishes | Self::FailsAt(_), None) => true,
            (Self::ShrinksTo(end), Some(back)) => was.get(..end.min(was.len())) == Some(back),
            _ => false,
        }
    }
}

#[derive(Debug)]
pub(super) struct Backup {
    files: VecDeque<File>,
    step: Step,
    packer: Packer,
    complete: bool,
    /// What is to be said of files that cannot be read, and how many could not be saved.
    remarks: Vec<Remark>,
    errors: u32,
    /// Where the current file begins.
    mark: Option<Mark>,
}

#[derive(Debug)]
struct File {
    name: Vec<u8>,
    contents: Contents,
    flaw: Option<Flaw>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Begin,
    OpenData,
    Data(usize),
    /// After so many bytes, of which nothing vouches for if reading has failed.
    Digest {
        end: usize,
        is_unread: bool,
    },
}

impl Backup {
    /// Of what was changed since this second on, or of everything.
    pub(super) fn new(fileset: &FileSet, since: Option<i64>, store: &Store) -> Self {
        let is_due =
            |name: &Vec<u8>| since.is_none_or(|since| store.changed.get(name).is_some_and(|changed| *changed >= since));
        let below = |name: &[u8]| {
            let mut paths = fileset.includes.iter().flat_map(|block| &block.files);
            paths.any(|path| name.starts_with(path))
        };
        let mut backup = Self {
            files: VecDeque::new(),
            step: Step::Begin,
            packer: Packer::new(),
            complete: false,
            remarks: Vec::new(),
            errors: 0,
            mark: None,
        };
        let unlisted = store.flaws.iter().filter(|(_, flaw)| **flaw == Flaw::Unlisted).map(|(folder, _)| folder);
        let unlisted: Vec<&Vec<u8>> = unlisted.collect();
        for folder in &unlisted {
            backup.leave_out(folder, "could not be read; what it contains is not saved");
        }
        for (name, contents) in store.files.iter().filter(|(name, _)| below(name) && is_due(name)) {
            if unlisted.iter().any(|folder| name.starts_with(folder)) {
                continue;
            }
            if store.refused.contains(name) {
                backup.leave_out(name, "could not be read");
            } else {
                let (name, contents, flaw) = (name.clone(), contents.clone(), store.flaws.get(name).copied());
                backup.files.push_back(File { name, contents, flaw });
            }
        }
        backup
    }

    pub(super) fn fill(&mut self, mut parcel: Parcel) -> DiskDone {
        if self.complete {
            parcel.clear();
            return DiskDone::Filled { parcel, last: true, remarks: Vec::new() };
        }
        self.packer.give(parcel);
        let error = loop {
            match self.step() {
                Ok(()) if self.complete => break None,
                Ok(()) => {}
                Err(error) => break Some(error),
            }
        };
        let parcel = self.packer.take().unwrap_or_default();
        match error {
            None | Some(PackError::Full) => {
                DiskDone::Filled { parcel, last: self.complete, remarks: std::mem::take(&mut self.remarks) }
            }
            Some(error) => failed(DiskError::Other { path: "backup".to_owned(), text: error.to_string() }),
        }
    }

    pub(super) fn tally(&self) -> Tally {
        let totals = self.packer.totals();
        Tally {
            files: totals.files,
            read_bytes: totals.read_bytes,
            job_bytes: totals.job_bytes,
            errors: self.errors,
            complete: self.complete,
            ..Tally::default()
        }
    }

    fn step(&mut self) -> Result<(), PackError> {
        let Some(File { name, contents, flaw }) = self.files.front() else {
            self.packer.finish()?;
            self.complete = true;
            return Ok(());
        };
        match self.step {
            Step::Begin if *flaw == Some(Flaw::Vanishes) => {
                self.warn("vanished before it could be saved");
                self.next();
            }
            Step::Begin => {
                let mark = self.packer.mark();
                let size = i64::try_from(contents.len()).unwrap_or(i64::MAX);
                let stat = Stat { mode: 0o100_644, nlink: 1, size, data_stream: Stream::FILE_DATA, ..Stat::default() };
                let attributes = NewAttributes {
                    file_type: FileType::Regular,
                    name,
                    stat: &stat,
                    link: b"",
                    attrs_ex: b"",
                    delta_seq: 0,
                };
                // The first bytes of one that may fail stay in the parcel with its name, to be taken back together.
                let kept = if flaw.is_some() { contents.len() } else { 0 };
                self.packer.begin_file_with_data(&attributes, kept)?;
                self.mark = Some(mark);
                let empty = Step::Digest { end: 0, is_unread: false };
                self.step = if contents.is_empty() { empty } else { Step::OpenData };
            }
            Step::OpenData => {
                self.packer.begin_data(Stream::FILE_DATA)?;
                self.step = Step::Data(0);
            }
            Step::Data(at) => self.data(at)?,
            Step::Digest { end, is_unread } => {
                let mut hasher = Hasher::new(Algorithm::Xxh128);
                hasher.update(contents.get(..end).unwrap_or_default());
                let digest = if is_unread { Digest::unread(Algorithm::Xxh128) } else { hasher.finish() };
                self.packer.record(Stream::XXH128, digest.as_bytes())?;
                self.next();
            }
        }
        Ok(())
    }

    /// Reads on at a place of the current file.
    fn data(&mut self, at: usize) -> Result<(), PackError> {
        let Some(File { contents, flaw, .. }) = self.files.front() else { return Ok(()) };
        let len = contents.len();
        let end = match *flaw {
            Some(Flaw::FailsAt(end) | Flaw::ShrinksTo(end)) => end.min(len),
            _ => len,
        };
        if at < end {
            let space = self.packer.data_space(end - at).ok_or(PackError::Full)?;
            let n = space.len();
            space.copy_from_slice(&contents[at..at + n]);
            self.packer.data_commit(n, n as u64);
            self.step = Step::Data(at + n);
            return Ok(());
        }
        let flaw = *flaw;
        let fails = matches!(flaw, Some(Flaw::FailsAt(_))) && end < len;
        if fails && self.mark.is_some_and(|mark| self.packer.take_back(mark)) {
            self.lose("could not be read from byte 0 on");
            self.next();
            return Ok(());
        }
        self.packer.end_data()?;
        self.step = Step::Digest { end, is_unread: fails };
        match flaw {
            Some(Flaw::FailsAt(_)) if fails => self.lose(&format!("could not be read from byte {end} on")),
            Some(Flaw::ShrinksTo(_)) if end < len => self.warn(&format!("shrank to {end} bytes while it was read")),
            Some(Flaw::Grows) => self.warn("grew while it was read; it is saved with the size it had before"),
            _ => {}
        }
        Ok(())
    }

    /// The current file is done.
    fn next(&mut self) {
        self.files.pop_front();
        self.step = Step::Begin;
        self.mark = None;
    }

    fn warn(&mut self, what: &str) {
        let name = self.files.front().map(|file| file.name.clone()).unwrap_or_default();
        self.remarks.push(Remark { kind: 5, ..refusal(&name, what) });
    }

    /// The current file is not saved, or not whole.
    fn lose(&mut self, what: &str) {
        let name = self.files.front().map(|file| file.name.clone()).unwrap_or_default();
        self.errors += 1;
        self.remarks.push(Remark { kind: 8, ..refusal(&name, what) });
    }

    fn leave_out(&mut self, name: &[u8], what: &str) {
        self.errors += 1;
        self.remarks.push(refusal(name, what));
    }
}
