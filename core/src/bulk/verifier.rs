//! What a file daemon says of the files on a volume (`wire/2 §1.12`): their attributes, and the digests of their data.
//!
//! A digest is computed from the data that came, not taken from beside it: so the director's comparison with its catalog
//! also finds data that changed on the volume. Which digests to compute, the fileset says before the first data come.

use std::convert::Infallible;

use super::parcel::Parcel;
use super::unpack::{DataPiece, RestoreSink};
use super::work::Remark;
use crate::quantity::counted;
use crate::wire::attributes::AttributeRecord;
use crate::wire::digest::{Algorithm, Digest, Hasher, catalog_text, marks_unread};
use crate::wire::fileset::FileSet;
use crate::wire::frame;
use crate::wire::stream::{FileType, Stream};
use crate::wire::verify::VerifyLine;

/// What is to be compared: permissions, inode, links, size, owner, group, digest (`wire/2 §1.12`).
const FIELDS: &[u8] = b"pinsug5";

/// Remarks of one job; those after are counted and not written.
pub const MOST_REMARKS: u32 = 1_000;

/// Turns the records of a volume into lines for the director. Compressed data must be given as
/// [`plain`](Self::plain); as a sink it takes only data that are plain already.
#[derive(Debug)]
pub struct Verifier {
    hashers: Vec<Hasher>,
    current: Option<Current>,
    line: Vec<u8>,
    lines: Parcel,
    remarks: Vec<Remark>,
    remarked: u32,
    files: u32,
    errors: u32,
    unread: u32,
}

/// The file whose records come.
#[derive(Debug)]
struct Current {
    index: i32,
    name: Vec<u8>,
    /// Bytes it must have; `None` where that is not known.
    size: Option<u64>,
    has_data: bool,
    came: u64,
    state: State,
    has_digest: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// All of its data so far could be read.
    Read,
    /// Its data are of a form that cannot be read here.
    Unread,
    /// Its data are damaged.
    Damaged,
}

impl Verifier {
    /// A verifier of a backup of this fileset.
    #[must_use]
    pub fn new(fileset: &FileSet) -> Self {
        let mut hashers: Vec<Hasher> = Vec::new();
        let blocks = fileset.includes.iter().flat_map(|block| &block.options);
        for algorithm in blocks.filter_map(|block| block.options.digest) {
            if hashers.iter().all(|hasher| hasher.algorithm() != algorithm) {
                hashers.push(Hasher::new(algorithm));
            }
        }
        Self {
            hashers,
            current: None,
            line: Vec::new(),
            lines: Parcel::default(),
            remarks: Vec::new(),
            remarked: 0,
            files: 0,
            errors: 0,
            unread: 0,
        }
    }

    /// Passes in an empty parcel for the next lines.
    pub fn give(&mut self, lines: Parcel) {
        self.lines = lines;
    }

    /// The lines since [`give`](Self::give): whole frames.
    pub fn take(&mut self) -> Parcel {
        std::mem::take(&mut self.lines)
    }

    /// What a person should know since the last call.
    pub fn take_remarks(&mut self) -> Vec<Remark> {
        std::mem::take(&mut self.remarks)
    }

    /// Entries seen.
    #[must_use]
    pub const fn files(&self) -> u32 {
        self.files
    }

    /// Files whose data are damaged.
    #[must_use]
    pub const fn errors(&self) -> u32 {
        self.errors
    }

    /// The next bytes of the present file, as they were before they were compressed.
    pub fn plain(&mut self, bytes: &[u8]) {
        if let Some(current) = &mut self.current {
            current.came = current.came.saturating_add(bytes.len() as u64);
            self.hashers.iter_mut().for_each(|hasher| hasher.update(bytes));
        }
    }

    /// The present file has data that cannot be read here; its digest is taken as it stands on the volume.
    pub fn unreadable(&mut self) {
        if let Some(current) = self.current.as_mut().filter(|current| current.state == State::Read) {
            current.state = State::Unread;
            self.unread += 1;
        }
    }

    /// The present file has data that are damaged: it gets no digest, and the director will miss it.
    pub fn damaged(&mut self, why: &str) {
        if let Some(current) = self.current.as_mut().filter(|current| current.state != State::Damaged) {
            current.state = State::Damaged;
            let text = format!("{}: {why}", shown(&current.name));
            self.error(text);
        }
    }

    /// The stream has ended.
    pub fn finish(&mut self) {
        self.end_file();
        if self.unread > 0 {
            let text = format!(
                "the data of {} were not looked at, for they are encrypted, compressed in an unknown way, or have a digest that \
                 the fileset does not name: the digests beside them were taken",
                counted(self.unread, "file")
            );
            self.remarks.push(Remark { kind: WARNING, text });
            self.unread = 0;
        }
        let unsaid = self.remarked.saturating_sub(MOST_REMARKS);
        if unsaid > 0 {
            self.remarks.push(Remark { kind: WARNING, text: format!("{unsaid} more remarks are left out") });
            self.remarked = MOST_REMARKS;
        }
    }

    fn begin_file(&mut self, record: &AttributeRecord<'_>) {
        self.end_file();
        self.files = self.files.saturating_add(1);
        let kind = record.kind();
        let has_link = matches!(kind, Some(FileType::HardLink | FileType::Symlink));
        let is_file = matches!(kind, Some(FileType::Regular | FileType::RegularEmpty));
        let has_data = is_file || matches!(kind, Some(FileType::Raw | FileType::Fifo));
        let stat = record.stat();
        // Where holes are left out, fewer bytes come than the file has.
        let is_counted = is_file && stat.data_stream.kind() == Stream::FILE_DATA;
        let index = if kind == Some(FileType::Deleted) { 0 } else { record.file_index };
        self.say(&VerifyLine::Attributes {
            file_index: index,
            options: FIELDS,
            name: record.name,
            lstat: record.lstat,
            link: if has_link { record.link } else { b"" },
        });
        self.current = Some(Current {
            index,
            name: record.name.to_vec(),
            size: u64::try_from(stat.size).ok().filter(|_| is_counted),
            has_data,
            came: 0,
            state: State::Read,
            has_digest: false,
        });
    }

    fn take_digest(&mut self, stream: Stream, record: &[u8]) {
        let (Some(algorithm), Some(current)) = (Algorithm::from_stream(stream), &mut self.current) else { return };
        if current.state == State::Damaged {
            return;
        }
        current.has_digest = true;
        if marks_unread(record) {
            // Nothing is wrong with the volume: all that was saved is there (`wire/2 §2.5`).
            let file_index = current.index;
            let text = format!(
                "{}: could not be read to its end when it was saved; what is on the volume is not restored",
                shown(&current.name)
            );
            self.remark(INFO, text);
            let digest = catalog_text(record);
            return self.say(&VerifyLine::Digest { file_index, algorithm, digest: digest.as_bytes() });
        }
        let is_computed = current.has_data && current.state == State::Read;
        let hasher = self.hashers.iter_mut().find(|hasher| hasher.algorithm() == algorithm);
        let digest = match hasher.filter(|_| is_computed) {
            Some(hasher) => {
                let computed = hasher.finish();
                if computed.as_bytes() != record {
                    let text = format!("{}: its data do not fit the digest beside them", shown(&current.name));
                    self.remark(WARNING, text);
                }
                computed.catalog_text()
            }
            None => {
                if is_computed {
                    // From the next file on it is computed.
                    current.state = State::Unread;
                    self.unread += 1;
                    self.hashers.push(Hasher::new(algorithm));
                }
                catalog_text(record)
            }
        };
        if let Some(file_index) = self.current.as_ref().map(|current| current.index) {
            self.say(&VerifyLine::Digest { file_index, algorithm, digest: digest.as_bytes() });
        }
    }

    /// Without a digest, the number of bytes is all there is to check.
    fn end_file(&mut self) {
        for hasher in &mut self.hashers {
            let _unused: Digest = hasher.finish();
        }
        let Some(current) = self.current.take() else { return };
        let Some(size) = current.size.filter(|_| current.state == State::Read && !current.has_digest) else { return };
        if current.came != size {
            let text =
                format!("{}: has {} bytes of data where {size} are recorded", shown(&current.name), current.came);
            self.error(text);
        }
    }

    fn say(&mut self, line: &VerifyLine<'_>) {
        self.line.clear();
        line.put(&mut self.line);
        frame::put_data(&mut self.lines.bytes, &self.line);
        self.lines.frames += 1;
    }

    fn error(&mut self, text: String) {
        self.errors = self.errors.saturating_add(1);
        self.remark(ERROR, text);
    }

    fn remark(&mut self, kind: u8, text: String) {
        self.remarked = self.remarked.saturating_add(1);
        if self.remarked <= MOST_REMARKS {
            self.remarks.push(Remark { kind, text });
        }
    }
}

/// Types of job messages (`wire/2 §4.2`).
const ERROR: u8 = 4;
const WARNING: u8 = 5;
const INFO: u8 = 6;

/// A name for a person.
fn shown(name: &[u8]) -> String {
    crate::printable::name(name)
}

impl RestoreSink for Verifier {
    type Error = Infallible;

    fn attributes(&mut self, record: &AttributeRecord<'_>) -> Result<(), Infallible> {
        self.begin_file(record);
        Ok(())
    }

    fn data(&mut self, piece: DataPiece<'_>) -> Result<(), Infallible> {
        if matches!(piece.stream.kind(), Stream::FILE_DATA | Stream::SPARSE) {
            self.plain(piece.bytes);
        } else {
            self.unreadable();
        }
        Ok(())
    }

    fn whole(&mut self, stream: Stream, record: &[u8]) -> Result<(), Infallible> {
        if stream.kind().is_digest() {
            self.take_digest(stream, record);
        } else if stream.kind() == Stream::DAMAGED {
            self.damaged("records of it are damaged on the volume");
        }
        Ok(())
    }

    fn end_of_file(&mut self) -> Result<(), Infallible> {
        self.end_file();
        Ok(())
    }

    fn dropped(&mut self, stream: Stream) {
        if self.current.is_some() {
            self.damaged(&format!("a record of stream {stream} came where it may not, or is of no known kind"));
        } else {
            self.error(format!("a record of stream {stream} belongs to no file"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::attributes::Stat;
    use crate::wire::fileset::{Block, Options, OptionsBlock};
    use crate::wire::frame::{Decoder, Piece};

    fn fileset(digest: Option<Algorithm>) -> FileSet {
        let options = Options { digest, ..Options::default() };
        let options = vec![OptionsBlock { options, ..OptionsBlock::default() }];
        FileSet { includes: vec![Block { options, ..Block::default() }], excludes: Vec::new() }
    }

    /// A file of this size, then these data and this digest.
    fn file(verifier: &mut Verifier, index: i32, size: i64, data: &[u8], digest: Option<&Digest>) {
        let mut lstat = Vec::new();
        Stat { size, data_stream: Stream::FILE_DATA, ..Stat::default() }.encode(&mut lstat);
        let name = format!("/f{index}");
        let record = AttributeRecord {
            file_index: index,
            file_type: 3,
            name: name.as_bytes(),
            lstat: &lstat,
            link: b"",
            attrs_ex: b"",
            delta_seq: 0,
        };
        let Ok(()) = verifier.attributes(&record);
        let piece = DataPiece { stream: Stream::FILE_DATA, offset: None, bytes: data, first: true, last: true };
        let Ok(()) = verifier.data(piece);
        if let Some(digest) = digest {
            let Ok(()) = verifier.whole(digest.algorithm().stream(), digest.as_bytes());
        }
        let Ok(()) = verifier.end_of_file();
    }

    fn digest_of(algorithm: Algorithm, data: &[u8]) -> Digest {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(data);
        hasher.finish()
    }

    /// The digests it has told, by file index.
    fn told(verifier: &mut Verifier) -> Vec<(i32, String)> {
        let lines = verifier.take();
        let (mut rest, mut decoder, mut told) = (&lines.bytes[..], Decoder::new(), Vec::new());
        while let Ok(Some(piece)) = decoder.next(&mut rest) {
            let Piece::Data { bytes, .. } = piece else { panic!("{piece:?}") };
            if let Some(VerifyLine::Digest { file_index, digest, .. }) = VerifyLine::parse(bytes) {
                told.push((file_index, String::from_utf8_lossy(digest).into_owned()));
            }
        }
        told
    }

    fn remarks(verifier: &mut Verifier) -> Vec<String> {
        verifier.take_remarks().into_iter().map(|remark| remark.text).collect()
    }

    #[test]
    fn the_digest_is_that_of_the_data_and_not_the_one_beside_them() {
        let mut verifier = Verifier::new(&fileset(Some(Algorithm::Sha256)));
        let (good, bad) = (digest_of(Algorithm::Sha256, b"good"), digest_of(Algorithm::Sha256, b"baad"));
        file(&mut verifier, 1, 4, b"good", Some(&good));
        file(&mut verifier, 2, 4, b"baad", Some(&good));
        file(&mut verifier, 3, 0, b"", Some(&digest_of(Algorithm::Sha256, b"")));
        let empty = digest_of(Algorithm::Sha256, b"").catalog_text();
        assert_eq!(told(&mut verifier), [(1, good.catalog_text()), (2, bad.catalog_text()), (3, empty)]);
        assert_eq!(remarks(&mut verifier), ["/f2: its data do not fit the digest beside them"]);
        assert_eq!((verifier.files(), verifier.errors()), (3, 0));
    }

    #[test]
    fn a_digest_that_nobody_announced_is_taken_once_as_it_stands_and_said() {
        let mut verifier = Verifier::new(&fileset(None));
        let wrong = digest_of(Algorithm::Md5, b"other");
        file(&mut verifier, 1, 4, b"data", Some(&wrong));
        file(&mut verifier, 2, 4, b"data", Some(&wrong));
        let right = digest_of(Algorithm::Md5, b"data").catalog_text();
        assert_eq!(told(&mut verifier), [(1, wrong.catalog_text()), (2, right)]);
        verifier.finish();
        let said = remarks(&mut verifier);
        assert!(said.len() == 2 && said[1].starts_with("the data of 1 file were not looked at"), "{said:?}");
    }

    #[test]
    fn what_could_not_be_read_wholly_when_it_was_saved_is_no_fault_of_the_volume() {
        let mut verifier = Verifier::new(&fileset(Some(Algorithm::Md5)));
        // Fewer bytes than are recorded, and no digest that they could fit.
        file(&mut verifier, 1, 9, b"half", Some(&Digest::unread(Algorithm::Md5)));
        file(&mut verifier, 2, 4, b"good", Some(&digest_of(Algorithm::Md5, b"good")));
        let digests = [Digest::unread(Algorithm::Md5), digest_of(Algorithm::Md5, b"good")].map(|d| d.catalog_text());
        assert_eq!(told(&mut verifier), [(1, digests[0].clone()), (2, digests[1].clone())]);
        verifier.finish();
        let said = verifier.take_remarks();
        assert_eq!(said.iter().map(|remark| remark.kind).collect::<Vec<_>>(), [INFO], "{said:?}");
        assert!(said[0].text.starts_with("/f1: could not be read to its end when it was saved"), "{said:?}");
        assert_eq!(verifier.errors(), 0);
    }

    #[test]
    fn without_a_digest_a_file_must_have_as_many_bytes_as_are_recorded() {
        let mut verifier = Verifier::new(&fileset(None));
        file(&mut verifier, 1, 4, b"data", None);
        file(&mut verifier, 2, 5, b"data", None);
        assert_eq!(remarks(&mut verifier), ["/f2: has 4 bytes of data where 5 are recorded"]);
        assert_eq!((verifier.errors(), told(&mut verifier)), (1, Vec::new()));
    }

    #[test]
    fn damaged_data_cost_a_file_its_digest() {
        let mut verifier = Verifier::new(&fileset(Some(Algorithm::Md5)));
        let record = b"1 3 /a\0A A A A A A A E A A A A A A A C\0\0\0";
        let Ok(()) = verifier.attributes(&AttributeRecord::parse(record).unwrap());
        verifier.damaged("a compressed record is damaged");
        verifier.damaged("and once more");
        let Ok(()) = verifier.whole(Stream::MD5, digest_of(Algorithm::Md5, b"data").as_bytes());
        verifier.finish();
        assert_eq!(told(&mut verifier), []);
        assert_eq!(remarks(&mut verifier), ["/a: a compressed record is damaged"]);
        assert_eq!(verifier.errors(), 1);
    }

    #[test]
    fn of_thousands_of_remarks_a_thousand_are_written() {
        let mut verifier = Verifier::new(&fileset(None));
        for index in 1..=1_001 {
            file(&mut verifier, index, 5, b"data", None);
        }
        assert_eq!((remarks(&mut verifier).len(), verifier.errors()), (1_000, 1_001));
        verifier.finish();
        assert_eq!(remarks(&mut verifier), ["1 more remarks are left out"]);
    }
}
