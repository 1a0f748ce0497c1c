//! What a backup would save: a walk that opens no file (wire/2 §5.3).

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustix::fs::{Access, AtFlags, FileType as Type, accessat};
use towline_core::bulk::known::{Changes, KnownFiles};
use towline_core::bulk::parcel::{PARCEL, Parcel};
use towline_core::bulk::refused::Refused;
use towline_core::calendar::Civil;
use towline_core::wire::fileset::FileSet;
use towline_core::wire::frame;

use super::select::{Ready, Selection};
use super::unchanged::is_unchanged;
use super::{FillError, STEPS, plugin};
use crate::disk::meta::{self, Meta};
use crate::disk::notice::{Notice, NoticeKind, Notices, shown};
use crate::disk::restore::OwnerNames;
use crate::disk::walk::{Found, Step, Walk};
use crate::process::Means;

/// Bytes of the longest line: a path, the target of a link, and what is before them.
const LINE: usize = 16 * 1024;

/// An estimate under way.
#[derive(Debug)]
pub struct EstimateSource {
    walk: Walk,
    selection: Selection,
    since: Option<i64>,
    known: Option<Box<KnownFiles>>,
    linked: BTreeSet<(u64, u64)>,
    listing: bool,
    names: OwnerNames,
    zone: TimeZone,
    files: u32,
    has_plugins: bool,
    bytes: u64,
    unread: u32,
    notices: Notices,
}

impl EstimateSource {
    /// Prepares an estimate of what a backup of the same would save; `listing` asks for a line for each entry.
    ///
    /// # Errors
    /// As [`super::BackupSource::new`].
    pub fn new(fileset: &FileSet, changes: Changes, listing: bool) -> Result<Self, Refused> {
        Self::with(fileset, changes, listing, &Means::default())
    }

    /// The same with what may be run for it.
    ///
    /// # Errors
    /// As [`super::BackupSource::new`].
    pub fn with(fileset: &FileSet, changes: Changes, listing: bool, means: &Means) -> Result<Self, Refused> {
        let Ready { selection, tops, .. } = Selection::read(fileset, means)?;
        // How much a command would write is not known: each counts as an empty file.
        let plugins = plugin::files(fileset, means)?.len();
        if tops.is_empty() && plugins == 0 {
            return Err(Refused::Empty);
        }
        Ok(Self {
            walk: Walk::new(tops),
            selection,
            since: changes.since,
            known: changes.known,
            linked: BTreeSet::new(),
            listing,
            names: OwnerNames::default(),
            zone: TimeZone::system(),
            files: u32::try_from(plugins).unwrap_or(u32::MAX),
            has_plugins: plugins > 0,
            bytes: 0,
            unread: 0,
            notices: Notices::default(),
        })
    }

    /// Walks on, with lines into the parcel, over whatever was in it. True at the end; if not, the parcel may be empty.
    ///
    /// # Errors
    /// As [`super::BackupSource::fill`] when nothing that the fileset names was there.
    pub fn fill(&mut self, parcel: &mut Parcel) -> Result<bool, FillError> {
        parcel.clear();
        for _ in 0..STEPS {
            if parcel.bytes.len() + LINE > PARCEL {
                return Ok(false);
            }
            match self.walk.step(&mut self.selection) {
                Step::Notice(notice) => self.note(notice),
                Step::Entry(found) => self.count(&found, parcel),
                Step::Done if self.walk.has_reached_a_top() || self.has_plugins => return Ok(true),
                Step::Done if self.notices.is_empty() => return Err(FillError::Nothing),
                Step::Done => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Files and bytes so far.
    #[must_use]
    pub const fn totals(&self) -> (u32, u64) {
        (self.files, self.bytes)
    }

    /// What a person should know since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.notices.take()
    }

    /// What a backup could not read so far.
    #[must_use]
    pub const fn unread(&self) -> u32 {
        self.unread
    }

    fn note(&mut self, notice: Notice) {
        self.unread = self.unread.saturating_add(u32::from(notice.kind == NoticeKind::NotSaved));
        self.notices.push(notice);
    }

    fn count(&mut self, found: &Found, parcel: &mut Parcel) {
        let Self { selection, known, since, .. } = self;
        let Some(options) = selection.options(found.tag).filter(|_| selection.takes(found)) else { return };
        let meta = match &found.dir {
            Some((meta, _)) => Ok(*meta),
            None => meta::of_entry(&found.parent, &found.name),
        };
        // What has vanished by now would not be saved either; sockets never are.
        let Some(meta) = meta.ok().filter(|meta| meta.kind() != Type::Socket) else { return };
        let tells_names_apart = options.hard_links();
        if is_unchanged(found, options, *since, known, &meta) {
            return;
        }
        let may_read = || accessat(&found.parent, &found.name, Access::READ_OK, AtFlags::EACCESS);
        if meta.kind() == Type::RegularFile
            && let Err(error) = may_read()
        {
            let text = format!("could not be opened for reading: {}", std::io::Error::from(error));
            return self.note(Notice::new(NoticeKind::NotSaved, &found.path, text));
        }
        self.files = self.files.saturating_add(1);
        if meta.kind() == Type::RegularFile && (!tells_names_apart || self.is_first_name(&meta)) {
            self.bytes = self.bytes.saturating_add(meta.size);
        }
        if self.listing {
            let mut line = self.line(found, &meta);
            line.truncate(LINE);
            frame::put_data(&mut parcel.bytes, &line);
            parcel.frames += 1;
        }
    }

    fn is_first_name(&mut self, meta: &Meta) -> bool {
        meta.nlink < 2 || self.linked.insert(meta.inode())
    }

    /// As `ls -l` would say it.
    fn line(&mut self, found: &Found, meta: &Meta) -> Vec<u8> {
        let changed = Timestamp::from_second(meta.ctime).unwrap_or_default();
        let time = Civil::of(meta.ctime + i64::from(self.zone.to_offset(changed).seconds()));
        let (user, group) = (self.names.user(meta.uid), self.names.group(meta.gid));
        let head = format!(
            "{}  {:>2} {user:<8.8} {group:<8.8}{:>12.12} {time}  ",
            mode(meta),
            meta.nlink,
            meta.size.to_string(),
        );
        let mut line = [head.as_bytes(), shown(&found.path).as_bytes()].concat();
        if meta.kind() == Type::Symlink
            && let Ok(target) = rustix::fs::readlinkat(&found.parent, &found.name, Vec::new())
        {
            line.extend_from_slice(b" -> ");
            line.extend_from_slice(shown(target.as_bytes()).as_bytes());
        }
        line.push(b'\n');
        line
    }
}

/// Type and permissions in ten letters.
fn mode(meta: &Meta) -> String {
    let kind = match meta.kind() {
        Type::Directory => 'd',
        Type::Symlink => 'l',
        Type::CharacterDevice => 'c',
        Type::BlockDevice => 'b',
        Type::Fifo => 'p',
        _ => '-',
    };
    let bit = |mask: u32, letter: char| if meta.mode & mask == 0 { '-' } else { letter };
    // The set-id or sticky bit takes the place of the letter for execution.
    let last = |mask: u32, special: u32, letter: char| match (meta.mode & mask != 0, meta.mode & special != 0) {
        (true, true) => letter,
        (false, true) => letter.to_ascii_uppercase(),
        (true, false) => 'x',
        (false, false) => '-',
    };
    [
        kind,
        bit(0o400, 'r'),
        bit(0o200, 'w'),
        last(0o100, 0o4000, 's'),
        bit(0o040, 'r'),
        bit(0o020, 'w'),
        last(0o010, 0o2000, 's'),
        bit(0o004, 'r'),
        bit(0o002, 'w'),
        last(0o001, 0o1000, 't'),
    ]
    .into_iter()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_ten_letters() {
        for (bits, text) in [
            (0o100_644, "-rw-r--r--"),
            (0o040_755, "drwxr-xr-x"),
            (0o120_777, "lrwxrwxrwx"),
            (0o104_755, "-rwsr-xr-x"),
            (0o102_604, "-rw---Sr--"),
            (0o041_777, "drwxrwxrwt"),
            (0o010_000, "p---------"),
        ] {
            assert_eq!(mode(&Meta { mode: bits, ..Meta::default() }), text);
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_counted_as_saved() {
        let lines = [b"I".as_slice(), b"O M", b"N", b"F /no/such/top", b"F /proc/sys/vm/compact_memory"];
        let fileset = FileSet::parse(lines).unwrap();
        let mut source = EstimateSource::new(&fileset, Changes::default(), false).unwrap();
        assert_eq!(source.fill(&mut Parcel::new()), Ok(true));
        assert_eq!((source.totals().0, source.unread()), (0, 2));
        assert_eq!(source.take_notices().len(), 2);
    }

    #[test]
    fn an_estimate_counts_what_a_backup_saves_and_lists_it() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        std::fs::write(dir.path().join("sub/data"), vec![1; 1000]).unwrap();
        std::os::unix::fs::symlink("sub/data", dir.path().join("link")).unwrap();
        let path = dir.path().display().to_string();
        let lines = ["I".to_owned(), "O MH".to_owned(), "N".to_owned(), format!("F {path}")];
        let fileset = FileSet::parse(lines.iter().map(String::as_bytes)).unwrap();
        let estimate = |since: Option<i64>| {
            let mut source = EstimateSource::new(&fileset, Changes { since, known: None }, true).unwrap();
            let mut parcel = Parcel::new();
            assert_eq!(source.fill(&mut parcel), Ok(true));
            (source.totals(), parcel)
        };
        let ((files, bytes), parcel) = estimate(None);
        assert_eq!((files, bytes, parcel.frames), (4, 1000, 4));
        let text = String::from_utf8_lossy(&parcel.bytes).into_owned();
        assert!(text.contains(&format!("  {path}/link -> sub/data\n")), "{text}");
        assert!(text.contains("        1000 20"), "{text}");
        assert_eq!(estimate(Some(i64::MAX)).0, (0, 0), "nothing is that new");
    }
}
