//! From `UpdCat` frames to rows: an attribute record and the digest that follows it become one row (`wire/3 §2.4`).

use towline_core::catalog::{CatalogError, FilesStored};
use towline_core::wire::attributes::AttributeRecord;
use towline_core::wire::base64::{self, Variant};
use towline_core::wire::catalog::CatalogUpdate;
use towline_core::wire::digest::marks_unread;
use towline_core::wire::stream::{FileType, Stream};

/// A row to store. Storing the same key again replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileEntry<'a> {
    /// Position in the job, 0 for a file that was deleted.
    pub(crate) file_index: u32,
    /// The file that holds the data of a hard link, 0 if it is its own.
    pub(crate) link_fi: u32,
    /// Part number of a delta.
    pub(crate) delta_seq: u32,
    /// Up to and including the last slash.
    pub(crate) path: &'a [u8],
    /// The rest.
    pub(crate) name: &'a [u8],
    /// Encoded attributes.
    pub(crate) lstat: &'a [u8],
    /// Digest in base64, `0` if none.
    pub(crate) md5: &'a [u8],
}

/// Where rows go.
pub(crate) type Sink<'s> = dyn FnMut(FileEntry<'_>) -> Result<(), CatalogError> + 's;

/// Joins the frames of one job. It keeps the last attribute record until the next one, for its digest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Joiner {
    last: Option<Last>,
    retracted: Option<u32>,
}

#[derive(Clone, Debug)]
struct Last {
    wire_index: i32,
    file_index: u32,
    link_fi: u32,
    delta_seq: u32,
    full_name: Vec<u8>,
    lstat: Vec<u8>,
    md5: Vec<u8>,
    stored: bool,
    changed: bool,
}

/// The place of LinkFI among the numbers of an encoded attribute, from 0.
const LINK_FI_FIELD: usize = 13;

impl Joiner {
    /// Takes the payload of a frame. What makes no sense is counted and left out: one bad record must not cost the job.
    ///
    /// # Errors
    /// Those of the sink.
    pub(crate) fn feed(
        &mut self,
        payload: &[u8],
        counts: &mut FilesStored,
        sink: &mut Sink<'_>,
    ) -> Result<(), CatalogError> {
        let Some(frame) = CatalogUpdate::parse(payload) else {
            refuse(counts, "a frame that is no whole UpdCat".to_owned());
            return Ok(());
        };
        let stream = Stream(frame.stream).kind();
        if stream.is_attributes() {
            self.attributes(&frame, counts, sink)?;
        } else if stream.is_digest() {
            self.digest(&frame, counts);
        } else if stream == Stream::RESTORE_OBJECT {
            counts.skipped += 1;
        } else {
            refuse(counts, format!("stream {stream} does not belong into the catalog"));
        }
        Ok(())
    }

    /// Stores what waits for a digest; a digest that comes later still finds it.
    ///
    /// # Errors
    /// Those of the sink.
    pub(crate) fn flush(&mut self, counts: &mut FilesStored, sink: &mut Sink<'_>) -> Result<(), CatalogError> {
        let Some(last) = self.last.as_mut().filter(|l| l.changed) else { return Ok(()) };
        let (path, name) = split_path(&last.full_name);
        let md5 = if last.md5.is_empty() { b"0" } else { last.md5.as_slice() };
        sink(FileEntry {
            file_index: last.file_index,
            link_fi: last.link_fi,
            delta_seq: last.delta_seq,
            path,
            name,
            lstat: &last.lstat,
            md5,
        })?;
        counts.files += u64::from(!last.stored);
        last.stored = true;
        last.changed = false;
        Ok(())
    }

    /// The FileIndex of a file that was stored before its client said that its contents are not whole.
    pub(crate) fn take_retracted(&mut self) -> Option<u32> {
        self.retracted.take()
    }

    fn attributes(
        &mut self,
        frame: &CatalogUpdate<'_>,
        counts: &mut FilesStored,
        sink: &mut Sink<'_>,
    ) -> Result<(), CatalogError> {
        self.flush(counts, sink)?;
        let attributes = match AttributeRecord::parse(frame.data) {
            Ok(attributes) => attributes,
            Err(why) => {
                self.last = None;
                refuse(counts, format!("attributes of file {}: {why}", frame.file_index));
                return Ok(());
            }
        };
        let kind = attributes.kind();
        if kind == Some(FileType::Base) {
            self.last = None;
            counts.skipped += 1;
            return Ok(());
        }
        let Some(index) = u32::try_from(frame.file_index).ok().filter(|i| *i > 0) else {
            self.last = None;
            refuse(counts, format!("attributes with file index {}", frame.file_index));
            return Ok(());
        };
        // The buffers of the record before are used again.
        let last = self.last.get_or_insert_with(Last::empty);
        counts.highest = counts.highest.max(index);
        last.wire_index = frame.file_index;
        last.file_index = if kind == Some(FileType::Deleted) { 0 } else { index };
        last.link_fi = if kind == Some(FileType::HardLink) { link_fi(attributes.lstat) } else { 0 };
        last.delta_seq =
            if kind == Some(FileType::Regular) { u32::try_from(attributes.delta_seq).unwrap_or(0) } else { 0 };
        replace(&mut last.full_name, attributes.name);
        replace(&mut last.lstat, attributes.lstat);
        last.md5.clear();
        last.stored = false;
        last.changed = true;
        Ok(())
    }

    fn digest(&mut self, frame: &CatalogUpdate<'_>, counts: &mut FilesStored) {
        match self.last.as_mut().filter(|l| l.wire_index == frame.file_index) {
            // Its contents are not whole (`wire/2 §2.5`): what is not stored yet never is.
            Some(last) if marks_unread(frame.data) => {
                counts.unread += 1;
                if last.stored {
                    self.retracted = Some(last.file_index);
                }
                self.last = None;
            }
            Some(last) => {
                last.md5 = base64::encode(frame.data, Variant::Standard).into_bytes();
                last.changed = true;
            }
            None => refuse(counts, format!("a digest of file {} without its attributes", frame.file_index)),
        }
    }
}

impl Last {
    const fn empty() -> Self {
        Self {
            wire_index: 0,
            file_index: 0,
            link_fi: 0,
            delta_seq: 0,
            full_name: Vec::new(),
            lstat: Vec::new(),
            md5: Vec::new(),
            stored: false,
            changed: false,
        }
    }
}

/// The longest last part of a name. No file system has longer ones, and an index of a database may not take more.
const LONGEST_NAME: usize = 1024;

/// Splits a name after its last slash, `wire/3 §7.4`; without a slash, or if what is after it cannot be the name of a
/// file, all of it is path.
pub(crate) fn split_path(full: &[u8]) -> (&[u8], &[u8]) {
    let split = full.iter().rposition(|&b| b == b'/').and_then(|slash| full.split_at_checked(slash + 1));
    split.filter(|(_, name)| name.len() <= LONGEST_NAME).unwrap_or((full, &[]))
}

fn link_fi(lstat: &[u8]) -> u32 {
    let field = lstat.split(|&b| b == b' ').nth(LINK_FI_FIELD).unwrap_or_default();
    let mut rest = field;
    i32::try_from(base64::take_number(&mut rest)).ok().and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
}

fn replace(buffer: &mut Vec<u8>, with: &[u8]) {
    buffer.clear();
    buffer.extend_from_slice(with);
}

fn refuse(counts: &mut FilesStored, why: String) {
    counts.refused += 1;
    counts.first_refused.get_or_insert(why);
}

#[cfg(test)]
mod tests {
    use super::super::tests::bodies::frames::{attributes, digest, updcat};
    use super::*;

    type Row = (u32, u32, String, String, String);

    fn joined(payloads: &[Vec<u8>]) -> (Vec<Row>, FilesStored) {
        let mut rows = Vec::new();
        let mut counts = FilesStored::default();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let mut sink = |e: FileEntry<'_>| {
            rows.push((e.file_index, e.link_fi, text(e.path), text(e.name), text(e.md5)));
            Ok(())
        };
        let mut joiner = Joiner::default();
        for payload in payloads {
            joiner.feed(payload, &mut counts, &mut sink).unwrap();
        }
        joiner.flush(&mut counts, &mut sink).unwrap();
        joiner.flush(&mut counts, &mut sink).unwrap();
        (rows, counts)
    }

    fn row(index: u32, link: u32, path: &str, name: &str, md5: &str) -> Row {
        (index, link, path.into(), name.into(), md5.into())
    }

    #[test]
    fn a_digest_joins_the_attributes_before_it() {
        let (rows, counts) = joined(&[
            attributes(1, 3, b"/a/one", 0),
            digest(1, 3, &[0x6f, 0x59, 0x02]),
            attributes(2, 5, b"/a/", 0),
            attributes(3, 3, b"/a/b/two", 0),
        ]);
        assert_eq!(rows, [row(1, 0, "/a/", "one", "b1kC"), row(2, 0, "/a/", "", "0"), row(3, 0, "/a/b/", "two", "0")]);
        assert_eq!((counts.files, counts.refused), (3, 0));
    }

    #[test]
    fn a_digest_after_a_flush_stores_the_row_again_with_it() {
        let mut md5s = Vec::new();
        let mut counts = FilesStored::default();
        let mut sink = |e: FileEntry<'_>| {
            md5s.push(e.md5.to_vec());
            Ok(())
        };
        let mut joiner = Joiner::default();
        joiner.feed(&attributes(1, 3, b"/a", 0), &mut counts, &mut sink).unwrap();
        joiner.flush(&mut counts, &mut sink).unwrap();
        joiner.feed(&digest(1, 10, &[0x6f, 0x59, 0x02]), &mut counts, &mut sink).unwrap();
        joiner.flush(&mut counts, &mut sink).unwrap();
        assert_eq!(md5s, [b"0".to_vec(), b"b1kC".to_vec()]);
        assert_eq!(counts.files, 1);
    }

    #[test]
    fn a_digest_of_another_file_is_refused_and_changes_nothing() {
        let (rows, counts) = joined(&[digest(1, 3, b"x"), attributes(1, 3, b"/a", 0), digest(2, 3, b"x")]);
        assert_eq!(rows, [row(1, 0, "/", "a", "0")]);
        assert_eq!((counts.files, counts.refused), (1, 2));
        assert!(counts.first_refused.unwrap().contains("file 1"));
    }

    #[test]
    fn a_file_whose_contents_are_not_whole_is_not_stored_or_taken_back() {
        let unread = digest(1, 3, &[0; 16]);
        let (rows, counts) = joined(&[attributes(1, 3, b"/a", 0), unread.clone(), attributes(2, 3, b"/b", 0)]);
        assert_eq!(rows, [row(2, 0, "/", "b", "0")]);
        assert_eq!((counts.files, counts.unread, counts.refused, counts.highest), (1, 1, 0, 2));
        let (mut joiner, mut counts) = (Joiner::default(), FilesStored::default());
        joiner.feed(&attributes(1, 3, b"/a", 0), &mut counts, &mut |_| Ok(())).unwrap();
        joiner.flush(&mut counts, &mut |_| Ok(())).unwrap();
        assert_eq!(joiner.take_retracted(), None);
        joiner.feed(&unread, &mut counts, &mut |_| Ok(())).unwrap();
        assert_eq!((joiner.take_retracted(), joiner.take_retracted()), (Some(1), None));
    }

    #[test]
    fn deleted_files_get_index_0_and_hard_links_name_their_data() {
        let (rows, _) = joined(&[attributes(4, 23, b"/gone", 0), attributes(5, 1, b"/link", 70)]);
        assert_eq!(rows, [row(0, 0, "/", "gone", "0"), row(5, 70, "/", "link", "0")]);
    }

    #[test]
    fn base_files_and_restore_objects_are_left_out_without_blame() {
        let (rows, counts) = joined(&[attributes(1, 24, b"/base", 0), updcat(2, 28, b"whatever")]);
        assert_eq!((rows.len(), counts.skipped, counts.refused), (0, 2, 0));
    }

    #[test]
    fn nonsense_is_counted_and_the_next_record_is_whole() {
        let mut cut = attributes(1, 3, b"/a", 0);
        cut.truncate(cut.len() - 3);
        let bad = [
            b"UpdCat Job=x".to_vec(),
            b"CatReq Job=x FileAttributes ".to_vec(),
            cut,
            updcat(1, 1, b"1 3"),
            updcat(1, 1, b"1 x /a\0P\0\0\0"),
            updcat(1, 2, b"data"),
            attributes(0, 3, b"/a", 0),
            attributes(-3, 3, b"/a", 0),
        ];
        for payload in bad {
            let (rows, counts) = joined(&[payload.clone(), attributes(9, 3, b"/z", 0)]);
            assert_eq!((rows, counts.refused), (vec![row(9, 0, "/", "z", "0")], 1), "{payload:?}");
        }
    }

    #[test]
    fn paths_end_with_their_last_slash() {
        let cases = [("/a/b", "/a/", "b"), ("/a/b/", "/a/b/", ""), ("C:", "C:", ""), ("/", "/", "")];
        for (full, path, name) in cases {
            assert_eq!(split_path(full.as_bytes()), (path.as_bytes(), name.as_bytes()), "{full}");
        }
        let longest = [b"/".as_slice(), &[b'n'; LONGEST_NAME]].concat();
        assert_eq!(split_path(&longest), (&longest[..1], &longest[1..]));
        let longer = [longest.as_slice(), b"n"].concat();
        assert_eq!(split_path(&longer), (longer.as_slice(), &[][..]));
    }
}
