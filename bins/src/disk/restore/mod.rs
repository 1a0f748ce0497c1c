//! Writes a restore (wire/2 §3.2): beneath one directory and nowhere else, and never a silent loss.
//!
//! What cannot be made as it was recorded is counted: as an error, or as *forbidden* where the kernel refuses an
//! ordinary user (foreign owners, device nodes, `trusted.*`). A file costs stat, open, write, chown, chmod, times, rename,
//! close: it is made beside its place and takes it when it is complete and fits the digest that was saved with it.

mod apply;
mod beneath;
mod create;
mod digests;
mod folders;
mod names;
mod part;
mod paths;
mod plugin;
mod relocation;
mod sink;
#[cfg(test)]
mod tests;

use towline_core::bulk::refused::Refused;
use towline_core::wire::attributes::AttributeRecord;
use towline_core::wire::fate::{Fate, FateNames, Fates};
use towline_core::wire::stream::Stream;

use self::apply::Current;
use self::beneath::Beneath;
use self::digests::Digests;
use self::folders::Folders;
pub use self::names::{Names, OwnerNames};
pub use self::part::PREFIX as PART_PREFIX;
use self::paths::Paths;
use self::plugin::Plugged;
pub use self::relocation::Relocations;
use super::compression::decompressor::Decompressor;
use super::notice::{Notice, NoticeKind, Notices, shown};
use crate::process::Means;

/// When an entry that is already there is replaced (wire/2 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// `a`: always.
    Always,
    /// `w`: if the recorded one is newer.
    IfNewer,
    /// `o`: if the recorded one is older.
    IfOlder,
    /// `n`: never.
    Never,
}

impl Replace {
    /// Reads the letter of the `restore` command; anything unknown means never, which destroys nothing.
    #[must_use]
    pub fn from_letter(letter: u8) -> Self {
        match letter {
            b'a' => Self::Always,
            b'w' => Self::IfNewer,
            b'o' => Self::IfOlder,
            _ => Self::Never,
        }
    }

    fn takes(self, recorded: i64, existing: i64) -> bool {
        match self {
            Self::Always => true,
            Self::IfNewer => recorded > existing,
            Self::IfOlder => recorded < existing,
            Self::Never => false,
        }
    }
}

/// Where and how to restore.
#[derive(Clone, Debug)]
pub struct Order {
    /// The directory everything goes below; empty means the original places.
    pub to: Vec<u8>,
    /// What to do with what is there.
    pub replace: Replace,
    /// Whether the targets of absolute symbolic links get `to` as a prefix, and all of them the changes of names.
    pub prefix_links: bool,
    /// How names are changed.
    pub relocation: Relocations,
}

/// What came of one attribute record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// Left as it was, or of a kind that is not restored. Counts as a file.
    Skipped,
    /// Made; it has no data. Counts as a file.
    Created,
    /// Made; its data comes next. Counts as a file.
    Extract,
    /// Not made; an error is counted, what follows for it is ignored.
    Failed,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entries made or skipped: what the director expects as JobFiles (wire/2 §3.2).
    pub files: u32,
    /// Bytes written into files.
    pub bytes: u64,
    /// What became of them. Entries of kinds that are not restored have none.
    pub fates: Fates,
    /// The first names of those that were not restored.
    pub fate_names: FateNames,
    /// Entries missing or not as recorded.
    pub errors: u32,
    /// Remarks of less weight.
    pub warnings: u32,
    /// What the kernel forbids this user: owners, device nodes, attributes.
    pub forbidden: u64,
    /// The first of them: path, and what was forbidden.
    pub forbidden_names: Vec<(Vec<u8>, &'static str)>,
}

/// Most names kept in [`Tally::forbidden_names`].
pub const FORBIDDEN_NAMES: usize = 100;

/// A restore under way: for every file an [`entry`](Self::entry), then its data and attributes; at last
/// [`finish`](Self::finish).
#[derive(Debug)]
pub struct RestoreTarget {
    order: Order,
    beneath: Beneath,
    folders: Folders,
    current: Option<Current>,
    /// Entries that failed: no hard link may point to what stands in their places.
    missing: Paths,
    digests: Digests,
    ledger: Ledger,
    names: Names,
    decompressor: Decompressor,
    root: bool,
    user: u32,
    means: Means,
    plugged: Plugged,
    /// Why nothing more is restored.
    refused: Option<Refused>,
}

impl RestoreTarget {
    /// Opens the directory to restore to, making it if need be.
    ///
    /// # Errors
    /// When it can neither be opened nor made.
    pub fn new(order: Order) -> std::io::Result<Self> {
        Self::with(order, Means::default())
    }

    /// The same with what may be run for it.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with(order: Order, means: Means) -> std::io::Result<Self> {
        Ok(Self {
            means,
            plugged: Plugged::default(),
            refused: None,
            beneath: Beneath::open(&order.to, order.replace == Replace::Always)?,
            order,
            folders: Folders::default(),
            current: None,
            missing: Paths::default(),
            digests: Digests::default(),
            ledger: Ledger::default(),
            names: Names::default(),
            decompressor: Decompressor::default(),
            root: super::meta::is_root(),
            user: rustix::process::geteuid().as_raw(),
        })
    }

    /// Ends the file before and makes the next entry.
    pub fn entry(&mut self, record: &AttributeRecord<'_>) -> Placed {
        self.end_entry();
        let placed = self.place(record);
        if placed == Placed::Failed {
            self.ledger.not_made(record.name);
        }
        let tally = &mut self.ledger.tally;
        match placed {
            Placed::Failed => {}
            Placed::Skipped => tally.files += 1,
            Placed::Created | Placed::Extract => {
                tally.files += 1;
                tally.fates.restored += 1;
            }
        }
        placed
    }

    /// Bytes of the current file, at an offset or after the last ones.
    pub fn data(&mut self, offset: Option<u64>, bytes: &[u8]) {
        if let Some(current) = &mut self.current {
            current.write(offset, bytes, &mut self.digests, &mut self.ledger);
        }
    }

    /// An ACL of the current entry as text (wire/2 §2.12).
    pub fn acl(&mut self, default: bool, text: &[u8]) {
        if let Some(current) = &mut self.current {
            current.take_acl(default, text, &mut self.names, &mut self.ledger);
        }
    }

    /// The extended attributes of the current entry: a record of stream 1998.
    pub fn xattrs(&mut self, record: &[u8]) {
        if let Some(current) = &mut self.current {
            current.take_xattrs(record, &mut self.ledger);
        }
    }

    /// A digest of the data of the current entry.
    pub fn digest(&mut self, stream: Stream, record: &[u8]) {
        if let Some(current) = &mut self.current {
            current.take_digest(stream, record, &mut self.digests, &mut self.ledger);
        }
    }

    /// Records of the current entry are missing: it does not get its place if it has data.
    pub fn damaged(&mut self, text: &str) {
        if let Some(current) = &mut self.current {
            current.fail(text, &mut self.ledger);
        }
    }

    /// Something of the current entry that cannot be restored; counted as an error and told.
    pub fn refuse(&mut self, text: &str) {
        let path = self.current.as_ref().map_or_else(Vec::new, |current| current.shown.clone());
        self.ledger.error(&path, text);
    }

    /// Ends the current file: owner, attributes, mode, times (wire/2 §3.2).
    pub fn end_entry(&mut self) {
        if let Some(current) = self.current.take() {
            self.complete(current);
        }
    }

    /// Gives up the current file: the rest of it will not come. What stood in its place stands.
    pub fn abandon(&mut self) {
        self.abandon_plugged();
        if let Some(current) = self.current.take() {
            self.give_up(current);
        }
    }

    /// Ends the last file and puts the times of directories right that later entries disturbed. More entries may follow,
    /// from another storage daemon.
    pub fn finish(&mut self) -> Tally {
        self.end_plugged();
        self.end_entry();
        for (path, look) in self.folders.touched() {
            self.put_right(&path, look);
        }
        self.ledger.tally.clone()
    }

    /// What was done so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.ledger.tally
    }

    /// What a person should know since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.ledger.notices.take()
    }
}

/// Counts and remarks.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    tally: Tally,
    notices: Notices,
}

impl Ledger {
    fn error(&mut self, path: &[u8], text: impl Into<String>) {
        self.tally.errors = self.tally.errors.saturating_add(1);
        self.notices.push(Notice::new(NoticeKind::Error, path, text));
    }

    /// A file that counted as restored has not come whole.
    fn not_whole(&mut self, path: &[u8]) {
        self.tally.fates.restored = self.tally.fates.restored.saturating_sub(1);
        self.tally.fates.incomplete += 1;
        self.tally.fate_names.add(Fate::Incomplete, || shown(path));
    }

    /// A file was not made.
    fn not_made(&mut self, path: &[u8]) {
        self.tally.fates.failed += 1;
        self.tally.fate_names.add(Fate::Failed, || shown(path));
    }

    /// A file stays as it was.
    fn left_alone(&mut self, path: &[u8]) {
        self.tally.fates.skipped += 1;
        self.tally.fate_names.add(Fate::Skipped, || shown(path));
    }

    fn warning(&mut self, path: &[u8], text: impl Into<String>) {
        self.tally.warnings = self.tally.warnings.saturating_add(1);
        self.notices.push(Notice::new(NoticeKind::Warning, path, text));
    }

    fn info(&mut self, path: &[u8], text: impl Into<String>) {
        self.notices.push(Notice::new(NoticeKind::Info, path, text));
    }

    fn skipped(&mut self, path: &[u8], text: impl Into<String>) {
        self.notices.push(Notice::new(NoticeKind::Skipped, path, text));
    }

    fn forbidden(&mut self, path: &[u8], what: &'static str) {
        self.tally.forbidden += 1;
        if self.tally.forbidden_names.len() < FORBIDDEN_NAMES {
            self.tally.forbidden_names.push((path.to_vec(), what));
        }
    }
}
