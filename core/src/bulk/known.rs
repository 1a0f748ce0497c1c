//! What a backup takes of a fileset: all, what changed since a time, or what differs from the list of an accurate job
//! (`wire/2 §1.8`).

use crate::wire::accurate::KnownFile;
use crate::wire::attributes::Stat;

/// The fields compared when the fileset does not say: time of change, of change of attributes, size (`wire/2 §1.8`).
const DEFAULT_FIELDS: &str = "mcs";
/// Bytes of names that a list may have together.
const MAX_NAMES: usize = 1 << 31;

/// Which entries of a fileset are saved.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Entries changed from this time on, in seconds since 1970 by the client's clock. `None`: all.
    pub since: Option<i64>,
    /// What the catalog knows: entries that differ from it, whatever `since` says; and those that are gone, as deleted.
    pub known: Option<Box<KnownFiles>>,
}

/// The list is longer than any this machine can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list of known files is longer than this client can hold")]
pub struct TooLong;

/// The files that the catalog knows, and which of them are still there. Takes about 64 bytes and the name for each.
#[derive(Clone, Debug, Default)]
pub struct KnownFiles {
    names: Vec<u8>,
    entries: Vec<Entry>,
    /// Whether digests are kept, each after its name.
    keeps_digests: bool,
    /// How many at the front have been asked for as gone.
    asked: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: u32,
    length: u32,
    ino: u64,
    size: i64,
    atime: i64,
    mtime: i64,
    ctime: i64,
    nlink: u32,
    mode: u32,
    uid: u32,
    gid: u32,
    digest: u8,
    seen: bool,
}

/// A file that is known and gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone<'a> {
    /// Its name, as in the list.
    pub name: &'a [u8],
    /// When it had changed last.
    pub mtime: i64,
    /// When its attributes had changed last.
    pub ctime: i64,
}

impl KnownFiles {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty list for a fileset that compares digests too.
    #[must_use]
    pub fn with_digests() -> Self {
        Self { keeps_digests: true, ..Self::default() }
    }

    /// Takes an entry of the director's list.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn add(&mut self, file: &KnownFile<'_>) -> Result<(), TooLong> {
        let at = u32::try_from(self.names.len()).map_err(|_| TooLong)?;
        let length = u32::try_from(file.name.len()).map_err(|_| TooLong)?;
        if self.names.len().saturating_add(file.name.len()) > MAX_NAMES {
            return Err(TooLong);
        }
        let stat = Stat::decode(file.lstat);
        self.names.extend_from_slice(file.name);
        let digest = u8::try_from(file.digest.len()).ok().filter(|_| self.keeps_digests).unwrap_or(0);
        if digest > 0 {
            self.names.extend_from_slice(file.digest);
        }
        self.entries.push(Entry {
            at,
            length,
            ino: stat.ino,
            size: stat.size,
            atime: stat.atime,
            mtime: stat.mtime,
            ctime: stat.ctime,
            nlink: u32::try_from(stat.nlink).unwrap_or(u32::MAX),
            mode: stat.mode,
            uid: stat.uid,
            gid: stat.gid,
            digest,
            seen: false,
        });
        Ok(())
    }

    /// The list is complete: from now on it can be asked.
    pub fn finish(&mut self) {
        let names = std::mem::take(&mut self.names);
        self.entries.sort_by(|a, b| name_of(&names, a).cmp(name_of(&names, b)));
        self.names = names;
    }

    /// How many files it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Marks an entry as still there; whether it is known with these attributes, as far as `fields` are compared:
    /// letters of `wire/2 §1.8`. If digests are compared, [`digest`](Self::digest) has the last word.
    pub fn is_unchanged(&mut self, name: &[u8], stat: &Stat, fields: Option<&str>) -> bool {
        let Some(entry) = self.find(name) else { return false };
        entry.seen = true;
        let entry = *entry;
        fields.unwrap_or(DEFAULT_FIELDS).bytes().all(|field| match field {
            b'i' => entry.ino == stat.ino,
            b'p' => entry.mode == stat.mode,
            b'n' => u64::from(entry.nlink) == stat.nlink,
            b'u' => entry.uid == stat.uid,
            b'g' => entry.gid == stat.gid,
            b's' => entry.size == stat.size,
            b'd' => entry.size <= stat.size,
            b'a' => entry.atime == stat.atime,
            b'm' => entry.mtime == stat.mtime,
            b'c' => entry.ctime == stat.ctime,
            b'A' => false,
            _ => true,
        })
    }

    /// The digest that the contents of an entry must have to be unchanged, in base64 without padding; `None` if `fields`
    /// do not compare it, or nobody knows it.
    pub fn digest(&mut self, name: &[u8], fields: Option<&str>) -> Option<&[u8]> {
        if !fields.is_some_and(compares_digests) {
            return None;
        }
        let (at, digest) = self.find(name).map(|entry| (entry.at as usize + entry.length as usize, entry.digest))?;
        self.names.get(at..at + usize::from(digest)).filter(|digest| !digest.is_empty())
    }

    /// An entry is there, though it could not be looked at.
    pub fn keep(&mut self, name: &[u8]) {
        if let Some(entry) = self.find(name) {
            entry.seen = true;
        }
    }

    /// A folder could not be read: nobody knows what of it is gone.
    pub fn keep_below(&mut self, folder: &[u8]) {
        let folder = folder.strip_suffix(b"/").unwrap_or(folder);
        let names = &self.names;
        let begin = self.entries.partition_point(|entry| name_of(names, entry) < folder);
        for entry in self.entries.iter_mut().skip(begin) {
            match name_of(names, entry).strip_prefix(folder) {
                Some([] | [b'/', ..]) => entry.seen = true,
                Some(_) => {}
                None => break,
            }
        }
    }

    /// The next file that is known and was not seen. The same again until [`told`](Self::told).
    pub fn next_gone(&mut self) -> Option<Gone<'_>> {
        let seen = self.entries.get(self.asked..)?.iter().position(|entry| !entry.seen)?;
        self.asked += seen;
        let entry = self.entries.get(self.asked)?;
        Some(Gone { name: name_of(&self.names, entry), mtime: entry.mtime, ctime: entry.ctime })
    }

    /// What [`next_gone`](Self::next_gone) gave is dealt with.
    pub fn told(&mut self) {
        self.asked += 1;
    }

    fn find(&mut self, name: &[u8]) -> Option<&mut Entry> {
        let names = &self.names;
        let at = self.entries.binary_search_by(|entry| name_of(names, entry).cmp(name)).ok()?;
        self.entries.get_mut(at)
    }
}

/// Whether digests are among the fields that are compared.
#[must_use]
pub fn compares_digests(fields: &str) -> bool {
    fields.contains(['5', '1'])
}

fn name_of<'a>(names: &'a [u8], entry: &Entry) -> &'a [u8] {
    let at = entry.at as usize;
    names.get(at..at + entry.length as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> KnownFiles {
        let mut known = KnownFiles::new();
        for name in names {
            let mut lstat = Vec::new();
            Stat { size: 5, mtime: 10, ctime: 20, uid: 7, ..Stat::default() }.encode(&mut lstat);
            known.add(&KnownFile { name: name.as_bytes(), lstat: &lstat, digest: b"", delta: 0 }).unwrap();
        }
        known.finish();
        known
    }

    fn gone(known: &mut KnownFiles) -> Vec<String> {
        let mut names = Vec::new();
        while let Some(gone) = known.next_gone() {
            assert_eq!((gone.mtime, gone.ctime), (10, 20));
            names.push(String::from_utf8_lossy(gone.name).into_owned());
            known.told();
        }
        names
    }

    #[test]
    fn times_and_size_decide_unless_the_fileset_says_otherwise() {
        let mut known = list(&["/b", "/a"]);
        let same = Stat { size: 5, mtime: 10, ctime: 20, uid: 8, ..Stat::default() };
        assert!(known.is_unchanged(b"/a", &same, None), "the owner does not count");
        assert!(!known.is_unchanged(b"/a", &same, Some("u")));
        for other in [Stat { size: 6, ..same }, Stat { mtime: 11, ..same }, Stat { ctime: 19, ..same }] {
            assert!(!known.is_unchanged(b"/a", &other, None));
            assert!(known.is_unchanged(b"/a", &other, Some("p")));
        }
        assert!(!known.is_unchanged(b"/c", &same, None), "a file nobody knows");
        assert_eq!(gone(&mut known), ["/b"]);
    }

    #[test]
    fn a_digest_counts_where_the_fileset_names_it_and_somebody_knows_it() {
        let mut lstat = Vec::new();
        Stat { size: 5, ..Stat::default() }.encode(&mut lstat);
        for keeps in [true, false] {
            let mut known = if keeps { KnownFiles::with_digests() } else { KnownFiles::new() };
            for (name, digest) in [("/b", "AAAA"), ("/a", "BBBB"), ("/c", "")] {
                let (name, digest) = (name.as_bytes(), digest.as_bytes());
                known.add(&KnownFile { name, lstat: &lstat, digest, delta: 0 }).unwrap();
            }
            known.finish();
            assert_eq!(known.digest(b"/a", Some("s5")), keeps.then_some(&b"BBBB"[..]));
            assert_eq!(known.digest(b"/b", Some("1")), keeps.then_some(&b"AAAA"[..]));
            for (name, fields) in [("/a", Some("mcs")), ("/a", None), ("/c", Some("5")), ("/d", Some("5"))] {
                assert_eq!(known.digest(name.as_bytes(), fields), None, "{name} {fields:?}");
            }
            let stat = Stat { size: 5, ..Stat::default() };
            assert!(["/a", "/b", "/c"].iter().all(|name| known.is_unchanged(name.as_bytes(), &stat, Some("s5"))));
        }
    }

    #[test]
    fn what_was_not_seen_is_gone_and_what_could_not_be_read_is_not() {
        let mut known = list(&["/x/", "/x/1", "/x-y", "/x/sub/2", "/z", "/w"]);
        known.keep_below(b"/x");
        known.keep(b"/w");
        assert_eq!(gone(&mut known), ["/x-y", "/z"]);
        let mut root = list(&["/a", "/"]);
        root.keep_below(b"/");
        assert!(gone(&mut root).is_empty());
    }
}
