//! Reads a fileset into parcels with whole frames of the backup stream (wire/2 §2).
//!
//! One call of [`BackupSource::fill`] fills one parcel and stops anywhere, also in the middle of a large file. A small
//! file costs open, fstat, read, flistxattr, close.
//!
//! Of every file at most as many bytes are read as it had when it was opened: what grows, such as a log, is saved as it
//! was at that moment, so size and contents of the record agree. Growing, shrinking, changing and vanishing while being
//! read is a warning; the stream stays whole.

mod compressed;
pub mod estimate;
mod fifo;
mod hold;
mod item;
pub(crate) mod lists;
pub mod look;
pub(crate) mod pattern;
pub(in crate::disk) mod plugin;
mod pour;
mod select;
mod sparse;
#[cfg(test)]
mod tests;
mod unchanged;
mod unsaved;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use towline_core::bulk::known::{Changes, KnownFiles};
use towline_core::bulk::pack::{PackError, Packer};
use towline_core::bulk::parcel::Parcel;
use towline_core::bulk::refused::Refused;
use towline_core::bulk::unsaved::UnsavedList;
use towline_core::error::Code;
use towline_core::explain::complaint;
use towline_core::wire::attributes::{NewAttributes, Stat};
use towline_core::wire::digest::{Digest, Hasher};
use towline_core::wire::fileset::FileSet;
use towline_core::wire::stream::{FileType, Stream};

use self::item::{Item, Pumped};
use self::plugin::PluginFile;
use self::select::{Ready, Selection};
use self::unsaved::Retries;
use super::compression::compressor::Compressor;
use super::meta::XattrReader;
use super::notice::{Notice, NoticeKind, Notices};
use super::walk::{Step, Walk};
use crate::process::Means;

/// What a call of [`BackupSource::fill`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Nothing comes after what is in the parcel. If not, the parcel may still be empty: the call ends after a while
    /// so that a walk over many unchanged files can be stopped.
    pub done: bool,
}

/// Why a backup cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// The stream cannot hold it.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// None of the paths of the fileset is there.
    #[error("nothing that the fileset names exists")]
    Nothing,
    /// The command of a plugin has not done its work.
    #[error("the plugin's command {command:?} has failed: {why}")]
    Plugin {
        /// The command.
        command: String,
        /// What went wrong.
        why: String,
    },
}

/// What was done (wire/2 §2.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Attribute records, which is the highest file index.
    pub files: u32,
    /// Bytes read from files.
    pub read_bytes: u64,
    /// Bytes of data, ACL and extended attribute frames.
    pub job_bytes: u64,
    /// Entries not saved, or not wholly.
    pub errors: u32,
    /// Entries saved with a remark.
    pub warnings: u32,
}

/// A backup under way.
#[derive(Debug)]
pub struct BackupSource {
    walk: Walk,
    selection: Selection,
    since: Option<i64>,
    item: Option<Item>,
    /// What plugins save: after the walk.
    plugins: VecDeque<PluginFile>,
    has_plugins: bool,
    means: Means,
    packer: Packer,
    work: Work,
}

/// What items share.
#[derive(Debug, Default)]
struct Work {
    errors: u32,
    warnings: u32,
    notices: Notices,
    links: BTreeMap<(u64, u64), FirstName>,
    no_xattrs: BTreeSet<u64>,
    xattrs: XattrReader,
    hasher: Option<Hasher>,
    known: Option<Box<KnownFiles>>,
    retries: Retries,
    compressor: Compressor,
    /// The block of a sparse file that is being packed.
    block: sparse::Block,
    /// Plain bytes that may still be compressed in this call.
    budget: usize,
}

/// The name under which a file with several names is saved.
#[derive(Clone, Debug)]
struct FirstName {
    index: i32,
    path: Vec<u8>,
    sent: Vec<u8>,
    digest: Option<Digest>,
}

/// Entries looked at in one call at the most.
const STEPS: usize = 4096;
/// Notices after which a call ends, so that they are taken.
const TALKATIVE: usize = 256;
/// Plain bytes after whose compression a call ends: what gets very small would keep it from ending for seconds.
const COMPRESSED: usize = 8 << 20;

impl BackupSource {
    /// Prepares a backup: of everything, of what changed since a time (Unix seconds; wire/2 §1.6), or of what differs
    /// from a list, with records of what is gone (wire/2 §1.8). What `unsaved` lists is saved in any case, as far as it
    /// was not saved since, and what cannot be saved now is listed there for later jobs.
    ///
    /// # Errors
    /// When the fileset asks for something whose absence would make the backup wrong.
    pub fn new(fileset: &FileSet, changes: Changes, unsaved: Option<UnsavedList>) -> Result<Self, Refused> {
        Self::with(fileset, changes, unsaved, Means::default())
    }

    /// The same with what may be run for it.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with(
        fileset: &FileSet,
        changes: Changes,
        unsaved: Option<UnsavedList>,
        means: Means,
    ) -> Result<Self, Refused> {
        let Ready { selection, tops, notices } = Selection::read(fileset, &means)?;
        let plugins = plugin::files(fileset, &means)?;
        if tops.is_empty() && plugins.is_empty() {
            return Err(Refused::Empty);
        }
        let (retries, unread) = Retries::open(unsaved);
        let mut work = Work { known: changes.known, retries, ..Work::default() };
        notices.into_iter().chain(unread).for_each(|notice| work.note(notice));
        let (walk, packer) = (Walk::new(tops), Packer::new());
        let has_plugins = !plugins.is_empty();
        Ok(Self { walk, selection, since: changes.since, item: None, plugins, has_plugins, means, packer, work })
    }

    /// Fills the parcel with frames, over whatever was in it; the last one ends with the end of all data.
    ///
    /// # Errors
    /// When there are more files than a job can number, what was packed before being lost with the job; and at the end
    /// when nothing that the fileset names was there, after the notices that say so of each path.
    pub fn fill(&mut self, parcel: &mut Parcel) -> Result<Filled, FillError> {
        self.packer.give(std::mem::take(parcel));
        let outcome = self.fill_given();
        *parcel = self.packer.take().unwrap_or_default();
        Ok(Filled { done: outcome? })
    }

    fn fill_given(&mut self) -> Result<bool, FillError> {
        self.work.budget = COMPRESSED;
        for _ in 0..STEPS {
            if let Some(item) = &mut self.item {
                match item.pump(&mut self.packer, &mut self.work) {
                    Ok(Pumped::Full) => return Ok(false),
                    Ok(Pumped::Finished) => {
                        self.work.retries.saved(item.path());
                        self.item = None;
                    }
                    Err(PackError::TooLong(bytes)) => {
                        item.give_up(bytes, &mut self.work);
                        self.item = None;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            if self.work.notices.len() >= TALKATIVE {
                return Ok(false);
            }
            match self.walk.step(&mut self.selection) {
                Step::Notice(notice) => {
                    self.keep_below(&notice.path);
                    if notice.kind == NoticeKind::NotSaved {
                        self.work.retries.failed(&notice.path, true);
                    }
                    self.work.note(notice);
                }
                Step::Entry(found) => {
                    if let Some(options) = self.selection.options(found.tag)
                        && self.selection.takes(&found)
                    {
                        self.item = Item::new(found, options, self.since, &mut self.work, &self.means);
                    }
                }
                Step::Done if !self.walk.has_reached_a_top() && !self.has_plugins => {
                    return if self.work.notices.is_empty() { Err(FillError::Nothing) } else { Ok(false) };
                }
                Step::Done => match self.run_plugins().and_then(|()| Ok(self.end()?)) {
                    Err(FillError::Pack(PackError::Full)) => return Ok(false),
                    other => {
                        other?;
                        if let Some(notice) = self.work.retries.keep() {
                            self.work.note(notice);
                        }
                        return Ok(true);
                    }
                },
            }
        }
        Ok(false)
    }

    /// Saves what plugins save, one after the other.
    fn run_plugins(&mut self) -> Result<(), FillError> {
        while let Some(file) = self.plugins.front_mut() {
            if let Some(known) = &mut self.work.known {
                known.keep(file.name());
            }
            file.pump(&mut self.packer, &mut self.work, &self.means)?;
            self.plugins.pop_front();
        }
        Ok(())
    }

    /// Nobody knows what of this folder is gone. Its options are not known either, so its name is looked for as each of them
    /// would have it.
    fn keep_below(&mut self, folder: &[u8]) {
        let Some(known) = &mut self.work.known else { return };
        for components in self.selection.stripped() {
            let name = item::strip(folder, components);
            // What lies below a folder whose own name is stripped may be anywhere.
            known.keep_below(if components > 0 && name == folder { b"" } else { name });
        }
    }

    /// Tells what is gone, then the end.
    fn end(&mut self) -> Result<(), PackError> {
        if let Some(known) = &mut self.work.known {
            while let Some(gone) = known.next_gone() {
                let stat =
                    Stat { mtime: gone.mtime, ctime: gone.ctime, data_stream: Stream::FILE_DATA, ..Stat::default() };
                self.packer.begin_file(&NewAttributes {
                    file_type: FileType::Deleted,
                    name: gone.name,
                    stat: &stat,
                    link: b"",
                    attrs_ex: b"",
                    delta_seq: 0,
                })?;
                known.told();
            }
        }
        self.packer.finish()
    }

    /// Ends it, perhaps before its end: the job hears no more of it.
    pub fn close(&mut self) -> Counters {
        if let Some(notice) = self.work.retries.keep() {
            tracing::warn!("{}", complaint(Code(641), &notice.to_string()));
        }
        self.counters()
    }

    /// What was done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let totals = self.packer.totals();
        Counters {
            files: totals.files,
            read_bytes: totals.read_bytes,
            job_bytes: totals.job_bytes,
            errors: self.work.errors,
            warnings: self.work.warnings,
        }
    }

    /// What a person should know since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.work.notices.take()
    }
}

impl Work {
    fn note(&mut self, notice: Notice) {
        match notice.kind {
            NoticeKind::Error => self.errors = self.errors.saturating_add(1),
            NoticeKind::NotSaved => {
                self.errors = self.errors.saturating_add(1);
                self.retries.failed(&notice.path, false);
            }
            NoticeKind::Warning => self.warnings = self.warnings.saturating_add(1),
            NoticeKind::Info | NoticeKind::Skipped => {}
        }
        self.notices.push(notice);
    }
}
