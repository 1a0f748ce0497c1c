//! What a verify job of the disk says of each entry: its attributes, and the digest of its data (wire/2 §1.12).

use std::collections::BTreeMap;

use rustix::fs::{self, FileType as Type};
use towline_core::bulk::parcel::{PARCEL, Parcel};
use towline_core::bulk::refused::Refused;
use towline_core::wire::fileset::{FileSet, Options};
use towline_core::wire::frame;
use towline_core::wire::stream::Stream;
use towline_core::wire::verify::VerifyLine;

use super::hold::{Held, hold};
use super::item::{name_in_record, stat_of};
use super::select::{Ready, Selection};
use super::unchanged::digest_of;
use super::{Counters, FillError, STEPS};
use crate::disk::notice::{Notice, NoticeKind, Notices};
use crate::disk::walk::{Found, Step, Walk};
use crate::process::Means;

/// Bytes that the lines of one entry may take: two paths, and what is before and after them.
const LINES: usize = 16 * 1024;

/// A look at the disk under way.
#[derive(Debug)]
pub struct LookSource {
    walk: Walk,
    selection: Selection,
    /// The first name of what has several, and its number.
    links: BTreeMap<(u64, u64), (i32, Vec<u8>)>,
    counters: Counters,
    notices: Notices,
}

impl LookSource {
    /// Prepares a look at what a backup of this fileset would save.
    ///
    /// # Errors
    /// As [`super::BackupSource::new`].
    pub fn new(fileset: &FileSet, means: &Means) -> Result<Self, Refused> {
        let Ready { selection, tops, notices: told } = Selection::read(fileset, means)?;
        if tops.is_empty() {
            return Err(Refused::Empty);
        }
        let mut notices = Notices::default();
        told.into_iter().for_each(|notice| notices.push(notice));
        let (links, counters) = (BTreeMap::new(), Counters::default());
        Ok(Self { walk: Walk::new(tops), selection, links, counters, notices })
    }

    /// Goes on, with lines into the parcel, over whatever was in it. True at the end; if not, the parcel may be empty.
    ///
    /// # Errors
    /// When nothing that the fileset names was there.
    pub fn fill(&mut self, parcel: &mut Parcel) -> Result<bool, FillError> {
        parcel.clear();
        for _ in 0..STEPS {
            if parcel.bytes.len() + LINES > PARCEL {
                return Ok(false);
            }
            match self.walk.step(&mut self.selection) {
                Step::Notice(notice) => self.note(notice),
                Step::Entry(found) => {
                    if let Some(options) = self.selection.options(found.tag)
                        && self.selection.takes(&found)
                    {
                        let options = options.clone();
                        self.look(&found, &options, parcel);
                    }
                }
                Step::Done if self.walk.has_reached_a_top() => return Ok(true),
                Step::Done if self.notices.is_empty() => return Err(FillError::Nothing),
                Step::Done => return Ok(false),
            }
        }
        Ok(false)
    }

    /// What was looked at so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// What a person should know since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.notices.take()
    }

    fn note(&mut self, notice: Notice) {
        if matches!(notice.kind, NoticeKind::NotSaved | NoticeKind::Error) {
            self.counters.errors = self.counters.errors.saturating_add(1);
        }
        self.notices.push(notice);
    }

    fn look(&mut self, found: &Found, options: &Options, parcel: &mut Parcel) {
        let (meta, held, closed) = match hold(found, options) {
            Ok(parts) => parts,
            Err(error) => {
                let text = format!("could not be examined: {}", std::io::Error::from(error));
                return self.note(Notice::new(NoticeKind::NotSaved, &found.path, text));
            }
        };
        if meta.kind() == Type::Socket {
            return;
        }
        let index = i32::try_from(self.counters.files).unwrap_or(i32::MAX).saturating_add(1);
        let name = name_in_record(found, options);
        let linked = meta.nlink > 1 && options.hard_links() && !matches!(meta.kind(), Type::Directory | Type::Symlink);
        let first = linked.then(|| self.links.get(&meta.inode()).cloned()).flatten();
        if linked && first.is_none() {
            self.links.insert(meta.inode(), (index, name.clone()));
        }
        let link = match (&held, &first) {
            (_, Some((_, first))) => first.clone(),
            (Held::Named(fd), None) if meta.kind() == Type::Symlink => {
                fs::readlinkat(fd, c"", Vec::new()).map(std::ffi::CString::into_bytes).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        self.counters.files = self.counters.files.saturating_add(1);
        let mut lstat = Vec::new();
        stat_of(&meta, first.as_ref().map_or(0, |(index, _)| *index), Stream(0)).encode(&mut lstat);
        let fields = format!("V{}", options.verify.as_ref().map(|fields| format!("V{fields}")).unwrap_or_default());
        let line = VerifyLine::Attributes {
            file_index: index,
            options: fields.as_bytes(),
            name: &name,
            lstat: &lstat,
            link: &link,
        };
        put(parcel, &line);
        let Some(algorithm) = options.digest.filter(|_| meta.kind() == Type::RegularFile && first.is_none()) else {
            return;
        };
        match digest_of(&held, &meta, options.sparse, algorithm).filter(|_| closed.is_none()) {
            Some(digest) => {
                self.counters.read_bytes = self.counters.read_bytes.saturating_add(meta.size);
                self.counters.job_bytes = self.counters.read_bytes;
                let text = digest.catalog_text();
                put(parcel, &VerifyLine::Digest { file_index: index, algorithm, digest: text.as_bytes() });
            }
            None => {
                self.note(Notice::new(NoticeKind::Error, &found.path, "could not be read: its data are not compared"))
            }
        }
    }
}

fn put(parcel: &mut Parcel, line: &VerifyLine<'_>) {
    let mut text = Vec::new();
    line.put(&mut text);
    frame::put_data(&mut parcel.bytes, &text);
    parcel.frames += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_is_told_with_what_to_compare_and_its_digest() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), "bytes").unwrap();
        std::fs::hard_link(dir.path().join("a"), dir.path().join("b")).unwrap();
        std::os::unix::fs::symlink("a", dir.path().join("link")).unwrap();
        let path = dir.path().display().to_string();
        let lines = ["I".to_owned(), "O MVpins5:".to_owned(), "N".to_owned(), format!("F {path}")];
        let fileset = FileSet::parse(lines.iter().map(String::as_bytes)).unwrap();
        let mut source = LookSource::new(&fileset, &Means::default()).unwrap();
        let mut parcel = Parcel::new();
        assert_eq!(source.fill(&mut parcel), Ok(true));
        assert_eq!((source.counters().files, source.counters().read_bytes, parcel.frames), (4, 5, 5));
        let mut rest = parcel.bytes.as_slice();
        let mut told = Vec::new();
        while let Some((head, after)) = rest.split_first_chunk::<4>() {
            let (payload, after) = after.split_at(usize::try_from(u32::from_be_bytes(*head)).unwrap());
            rest = after;
            told.push(match VerifyLine::parse(payload).unwrap() {
                VerifyLine::Attributes { file_index, options, name, link, .. } => {
                    assert_eq!(options, b"VVpins5");
                    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&path, "");
                    format!("{file_index} {} {}", text(name), text(link))
                }
                VerifyLine::Digest { file_index, digest, .. } => {
                    format!("{file_index} {}", String::from_utf8_lossy(digest))
                }
            });
        }
        assert_eq!(told, ["1 /a ", "1 SzpiGLs+OnMD6KFxpg/Pkg", "2 /b /a", "3 /link a", "4 / "], "{told:?}");
    }
}
