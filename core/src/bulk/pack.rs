//! Packing a backup: the file daemon's disk worker fills parcels with whole frames, `wire/2 §2.2`.

use std::io::Write as _;

use super::parcel::{PARCEL, Parcel};
use crate::wire::attributes::NewAttributes;
use crate::wire::frame::{HEAD, MAX_SEND, Signal};
use crate::wire::stream::Stream;

/// Most bytes of one data frame: with the header before and the end after it fills one parcel.
pub const MAX_DATA: usize = PARCEL - 32;

/// A file's next data frame begins in the current parcel only if it gets this many bytes of room, or all it asks for:
/// every frame becomes a record with a header of its own.
const LEAST_DATA: usize = 16 * 1024;

/// A place in the current parcel to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    parcel: u64,
    filled: usize,
    frames: u32,
    files: u32,
    file_index: i32,
    totals: PackTotals,
}

/// Most bytes of a file's contents that are kept room for after its attributes: a block of a sparse file and its offset.
const FIRST_DATA: usize = 64 * 1024 + 8;

/// Fills one parcel after the other.
///
/// Every call either does all it says or, with [`PackError::Full`], nothing: then [`take`](Self::take) the parcel,
/// [`give`](Self::give) an empty one, and call again. Frames are never cut; a stream may go over any number of parcels.
#[derive(Debug, Default)]
pub struct Packer {
    parcel: Option<Parcel>,
    /// How many parcels there were.
    parcels: u64,
    /// Bytes of the parcel in use; the rest of its bytes is room that is initialised already.
    filled: usize,
    file_index: i32,
    stream: Option<Stream>,
    scratch: Vec<u8>,
    totals: PackTotals,
    finished: bool,
}

/// What was packed so far, `wire/2 §2.8`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PackTotals {
    /// Attribute records: the FileIndex of the last file.
    pub files: u32,
    /// Plain bytes read from files.
    pub read_bytes: u64,
    /// Bytes of data frames, ACLs, extended attributes and session keys as sent.
    pub job_bytes: u64,
}

/// Why nothing was packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The parcel has no room for it, or there is none.
    #[error("the parcel is full")]
    Full,
    /// It does not fit into one frame at all.
    #[error("a record of {0} bytes does not fit into one frame")]
    TooLong(usize),
    /// A job has at most 2,147,483,647 files.
    #[error("too many files for one job")]
    TooManyFiles,
}

impl Packer {
    /// A packer at the beginning of a job, without a parcel.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Passes in the parcel to fill. What is in it is overwritten: one that was not cleared saves initialising its memory again.
    /// `false` when there is one already, and `parcel` is dropped.
    pub fn give(&mut self, mut parcel: Parcel) -> bool {
        if self.parcel.is_some() {
            return false;
        }
        parcel.bytes.truncate(parcel.size);
        parcel.bytes.shrink_to(parcel.size);
        parcel.bytes.resize(parcel.size, 0);
        (parcel.frames, parcel.files) = (0, 0);
        self.parcel = Some(parcel);
        self.parcels += 1;
        self.filled = 0;
        true
    }

    /// Takes the parcel, full or not, perhaps empty.
    pub fn take(&mut self) -> Option<Parcel> {
        let mut parcel = self.parcel.take()?;
        parcel.bytes.truncate(self.filled);
        self.filled = 0;
        Some(parcel)
    }

    /// Bytes in the current parcel.
    #[must_use]
    pub const fn filled(&self) -> usize {
        self.filled
    }

    /// What was packed so far.
    #[must_use]
    pub const fn totals(&self) -> PackTotals {
        self.totals
    }

    /// The place where the next frame goes, between files.
    #[must_use]
    pub fn mark(&self) -> Mark {
        debug_assert!(self.stream.is_none(), "a stream is open");
        let (frames, files) = self.parcel.as_ref().map_or((0, 0), |parcel| (parcel.frames, parcel.files));
        let Self { parcels: parcel, filled, file_index, totals, .. } = *self;
        Mark { parcel, filled, frames, files, file_index, totals }
    }

    /// Takes back all that was packed from `mark` on, an open stream too. `false`, and nothing is done, when a part of it
    /// has left with its parcel.
    pub fn take_back(&mut self, mark: Mark) -> bool {
        let Some(parcel) = self.parcel.as_mut().filter(|_| self.parcels == mark.parcel) else { return false };
        (parcel.frames, parcel.files) = (mark.frames, mark.files);
        (self.filled, self.file_index, self.totals) = (mark.filled, mark.file_index, mark.totals);
        self.stream = None;
        true
    }

    /// Begins a file with its attribute record, and returns its FileIndex.
    ///
    /// # Errors
    /// [`PackError::Full`], or the record cannot be sent at all.
    pub fn begin_file(&mut self, attributes: &NewAttributes<'_>) -> Result<i32, PackError> {
        self.begin_file_with_data(attributes, 0)
    }

    /// The same for a file with contents: their first `data` bytes, as much of them as goes into one frame, have room in
    /// the same parcel. So a file whose first bytes cannot be read can be [taken back](Self::take_back).
    ///
    /// # Errors
    /// [`PackError::Full`], or the record cannot be sent at all.
    pub fn begin_file_with_data(&mut self, attributes: &NewAttributes<'_>, data: usize) -> Result<i32, PackError> {
        let file_index = self.file_index.checked_add(1).ok_or(PackError::TooManyFiles)?;
        let mut record = std::mem::take(&mut self.scratch);
        record.clear();
        attributes.encode(file_index, &mut record);
        let after = if data > 0 { HEAD + MAX_HEADER + HEAD + data.min(FIRST_DATA) + HEAD } else { 0 };
        let packed = self.whole(file_index, Stream::ATTRIBUTES, &record, after);
        self.scratch = record;
        packed?;
        self.file_index = file_index;
        self.totals.files = file_index.cast_unsigned();
        if let Some(parcel) = &mut self.parcel {
            parcel.files += 1;
        }
        Ok(file_index)
    }

    /// Begins the file's data stream.
    ///
    /// # Errors
    /// [`PackError::Full`].
    pub fn begin_data(&mut self, stream: Stream) -> Result<(), PackError> {
        debug_assert!(self.stream.is_none(), "a stream is open");
        let header = Header::new(self.file_index, stream);
        // The end of the stream must always fit after what is packed.
        self.need(header.len() + HEAD)?;
        self.put_frame(header.as_bytes());
        self.stream = Some(stream);
        Ok(())
    }

    /// Where the next bytes of the stream go: at most `max`, which is what the file still has if that is known. `None` when
    /// the parcel has no room that is worth it.
    pub fn data_space(&mut self, max: usize) -> Option<&mut [u8]> {
        self.data_space_of(max.min(LEAST_DATA), max)
    }

    /// Where the next bytes of the stream go: at least `least` and at most `most` bytes, both bounded by [`MAX_DATA`]. For
    /// compression, which needs room for the worst case.
    pub fn data_space_of(&mut self, least: usize, most: usize) -> Option<&mut [u8]> {
        debug_assert!(self.stream.is_some(), "no stream is open");
        let parcel = self.parcel.as_mut()?;
        let start = self.filled + HEAD;
        let room = parcel.bytes.len().checked_sub(start + HEAD)?.min(MAX_DATA);
        if room < least.min(MAX_DATA) || room == 0 {
            return None;
        }
        Some(&mut parcel.bytes[start..start + room.min(most)])
    }

    /// Makes the first `n` bytes of the space a frame; they are `plain` bytes of the file. For 0 bytes there is no frame.
    pub fn data_commit(&mut self, n: usize, plain: u64) {
        self.totals.read_bytes += plain;
        let Some(parcel) = self.parcel.as_mut().filter(|_| n > 0) else { return };
        debug_assert!(self.filled + HEAD + n + HEAD <= parcel.bytes.len(), "more than the space");
        parcel.bytes[self.filled..self.filled + HEAD].copy_from_slice(&(n as u32).to_be_bytes());
        parcel.frames += 1;
        self.filled += HEAD + n;
        self.totals.job_bytes += n as u64;
    }

    /// Ends the data stream.
    ///
    /// # Errors
    /// [`PackError::Full`], only when there is no parcel.
    pub fn end_data(&mut self) -> Result<(), PackError> {
        self.need(HEAD)?;
        self.put_signal(Signal::Eod);
        self.stream = None;
        Ok(())
    }

    /// Packs a record of the current file with a stream of its own: digest, ACL, extended attributes, session key. One
    /// longer than a parcel gets an overlong parcel of its own.
    ///
    /// # Errors
    /// [`PackError::Full`], or the record is longer than a frame.
    pub fn record(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), PackError> {
        self.whole(self.file_index, stream, bytes, 0)?;
        if stream.is_acl() || stream.is_xattr() || stream.kind() == Stream::ENCRYPTION_SESSION {
            self.totals.job_bytes += bytes.len() as u64;
        }
        Ok(())
    }

    /// The FileIndex of the last file.
    #[must_use]
    pub const fn index(&self) -> i32 {
        self.file_index
    }

    /// The FileIndex that the next file will have.
    ///
    /// # Errors
    /// A job can have no more files.
    pub fn next_index(&self) -> Result<i32, PackError> {
        self.file_index.checked_add(1).ok_or(PackError::TooManyFiles)
    }

    /// Packs a record of the file that comes next, before its attributes: the name of its plugin.
    ///
    /// # Errors
    /// [`PackError::Full`], or the record is longer than a frame.
    pub fn record_of_next(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), PackError> {
        self.whole(self.next_index()?, stream, bytes, 0)
    }

    /// Ends the job's data. Does nothing the second time.
    ///
    /// # Errors
    /// [`PackError::Full`].
    pub fn finish(&mut self) -> Result<(), PackError> {
        debug_assert!(self.stream.is_none(), "a stream is open");
        if !self.finished {
            self.need(HEAD)?;
            self.put_signal(Signal::Eod);
            self.finished = true;
        }
        Ok(())
    }

    /// Packs a record with a stream of its own if there is room for `after` bytes more after it.
    fn whole(&mut self, file_index: i32, stream: Stream, bytes: &[u8], after: usize) -> Result<(), PackError> {
        debug_assert!(self.stream.is_none(), "a stream is open");
        if bytes.len() > MAX_SEND {
            return Err(PackError::TooLong(bytes.len()));
        }
        let header = Header::new(file_index, stream);
        self.need(header.len() + HEAD + bytes.len() + HEAD + after)?;
        self.put_frame(header.as_bytes());
        self.put_frame(bytes);
        self.put_signal(Signal::Eod);
        Ok(())
    }

    fn need(&mut self, bytes: usize) -> Result<(), PackError> {
        let parcel = self.parcel.as_mut().ok_or(PackError::Full)?;
        if self.filled + bytes <= parcel.bytes.len() {
            return Ok(());
        }
        if self.filled > 0 {
            return Err(PackError::Full);
        }
        parcel.bytes.resize(bytes, 0);
        Ok(())
    }

    /// Room has been made with `need`.
    fn put_frame(&mut self, payload: &[u8]) {
        self.put(&(payload.len() as u32).to_be_bytes());
        self.put(payload);
        if let Some(parcel) = &mut self.parcel {
            parcel.frames += 1;
        }
    }

    fn put_signal(&mut self, signal: Signal) {
        self.put(&signal.number().to_be_bytes());
        if let Some(parcel) = &mut self.parcel {
            parcel.frames += 1;
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        if let Some(parcel) = &mut self.parcel {
            parcel.bytes[self.filled..self.filled + bytes.len()].copy_from_slice(bytes);
            self.filled += bytes.len();
        }
    }
}

/// The longest header of a stream in bytes: two numbers of at most 10 digits, two blanks and a zero always fit.
const MAX_HEADER: usize = 24;

/// The text `<FileIndex> <Stream> 0` that begins a stream.
struct Header {
    text: [u8; MAX_HEADER],
    used: usize,
}

impl Header {
    fn new(file_index: i32, stream: Stream) -> Self {
        let mut text = [0; MAX_HEADER];
        let mut rest = &mut text[..];
        let _ = write!(rest, "{file_index} {stream} 0");
        let used = MAX_HEADER - rest.len();
        Self { text, used }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.text[..self.used]
    }

    /// Length of the frame.
    const fn len(&self) -> usize {
        HEAD + self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::attributes::Stat;
    use crate::wire::frame::{Decoder, Piece};
    use crate::wire::stream::FileType;

    fn attributes<'a>(name: &'a [u8], stat: &'a Stat) -> NewAttributes<'a> {
        NewAttributes { file_type: FileType::Regular, name, stat, link: b"", attrs_ex: b"", delta_seq: 0 }
    }

    fn packer() -> Packer {
        let mut packer = Packer::new();
        assert!(packer.give(Parcel::new()));
        packer
    }

    #[test]
    fn the_worked_example_comes_out_byte_for_byte() {
        let stat = Stat::decode(b"gB gAJ IGk B Po Po A O BAA I BlU/EA BlU/Fk BlU/Fk A A C");
        let mut packer = packer();
        assert_eq!(packer.begin_file(&attributes(b"/tmp/hello.txt", &stat)), Ok(1));
        packer.begin_data(Stream::FILE_DATA).unwrap();
        packer.data_space(14).unwrap().copy_from_slice(b"Hello, Bareos\n");
        packer.data_commit(14, 14);
        packer.end_data().unwrap();
        let digest = b"\xe6\x4d\xb0\xf5\x8c\x7f\xc9\xb5\x4d\xe9\x18\x90\x41\xb3\x32\x4d";
        packer.record(Stream::MD5, digest).unwrap();
        packer.finish().unwrap();
        packer.finish().unwrap();
        let mut expected = b"\0\0\0\x051 1 0\0\0\0\x4f1 3 /tmp/hello.txt\0".to_vec();
        expected
            .extend_from_slice(b"gB gAJ IGk B Po Po A O BAA I BlU/EA BlU/Fk BlU/Fk A A C\0\0\x000\0\xff\xff\xff\xff");
        expected.extend_from_slice(b"\0\0\0\x051 2 0\0\0\0\x0eHello, Bareos\n\xff\xff\xff\xff");
        expected.extend_from_slice(b"\0\0\0\x051 3 0\0\0\0\x10");
        expected.extend_from_slice(digest);
        expected.extend_from_slice(b"\xff\xff\xff\xff\xff\xff\xff\xff");
        let parcel = packer.take().unwrap();
        assert_eq!(parcel.bytes, expected);
        assert_eq!(parcel.frames, 10);
        assert_eq!(packer.totals(), PackTotals { files: 1, read_bytes: 14, job_bytes: 14 });
    }

    #[test]
    fn a_big_frame_fills_one_parcel_and_the_stream_goes_on_in_the_next() {
        let mut packer = packer();
        packer.file_index = i32::MAX;
        packer.begin_data(Stream::XATTR_LINUX).unwrap();
        assert_eq!(packer.data_space(usize::MAX).unwrap().len(), MAX_DATA);
        packer.data_commit(MAX_DATA, 7);
        assert!(packer.data_space(1000).is_none());
        let full = packer.take().unwrap();
        assert!(full.bytes.len() <= PARCEL && full.bytes.len() > PARCEL - 16);
        assert_eq!(packer.end_data(), Err(PackError::Full));
        assert!(packer.give(full));
        assert_eq!(packer.data_space(usize::MAX).unwrap().len(), MAX_DATA);
        packer.end_data().unwrap();
        assert_eq!(packer.take().unwrap().bytes, [255; 4]);
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let stat = Stat::default();
        let mut packer = packer();
        let name = [b'a'; 1000];
        while packer.begin_file(&attributes(&name, &stat)).is_ok() {}
        let (filled, files) = (packer.filled(), packer.totals().files);
        assert_eq!(packer.begin_file(&attributes(&name, &stat)), Err(PackError::Full));
        assert_eq!((packer.filled(), packer.totals().files), (filled, files));
        let parcel = packer.take().unwrap();
        assert!(packer.give(parcel));
        assert_eq!(packer.begin_file(&attributes(&name, &stat)), Ok(files as i32 + 1));
    }

    #[test]
    fn what_is_taken_back_leaves_no_trace_unless_its_parcel_has_left() {
        let stat = Stat::default();
        let mut packer = packer();
        packer.begin_file(&attributes(b"/first", &stat)).unwrap();
        let (filled, totals, mark) = (packer.filled(), packer.totals(), packer.mark());
        assert_eq!(packer.begin_file_with_data(&attributes(b"/second", &stat), 5), Ok(2));
        packer.begin_data(Stream::FILE_DATA).unwrap();
        packer.data_commit(3, 3);
        assert!(packer.take_back(mark));
        assert_eq!((packer.filled(), packer.totals()), (filled, totals));
        assert_eq!(packer.begin_file(&attributes(b"/third", &stat)), Ok(2));
        let parcel = packer.take().unwrap();
        assert_eq!((parcel.frames, parcel.files), (6, 2));
        assert!(!packer.take_back(mark));
        packer.give(parcel);
        assert!(!packer.take_back(mark), "another parcel by now");
    }

    #[test]
    fn a_file_begins_where_its_first_bytes_fit_too() {
        let stat = Stat::default();
        for data in [1, FIRST_DATA, FIRST_DATA + 1, usize::MAX] {
            let mut packer = packer();
            while packer.begin_file_with_data(&attributes(b"/a", &stat), data).is_ok() {
                packer.begin_data(Stream::FILE_DATA).unwrap();
                let space = packer.data_space_of(data.min(FIRST_DATA), data.min(FIRST_DATA)).unwrap().len();
                assert_eq!(space, data.min(FIRST_DATA));
                packer.end_data().unwrap();
            }
            assert!(packer.totals().files > 1, "{data}");
        }
    }

    #[test]
    fn an_overlong_record_gets_a_parcel_of_its_own_and_one_past_a_frame_is_refused() {
        let mut packer = packer();
        packer.begin_file(&attributes(b"/a", &Stat::default())).unwrap();
        let value = vec![1; MAX_SEND];
        assert_eq!(packer.record(Stream::XATTR_LINUX, &value), Err(PackError::Full));
        packer.take();
        packer.give(Parcel::new());
        packer.record(Stream::XATTR_LINUX, &value).unwrap();
        assert_eq!(packer.totals().job_bytes, MAX_SEND as u64);
        let parcel = packer.take().unwrap();
        assert!(parcel.bytes.len() > MAX_SEND);
        packer.give(parcel);
        assert_eq!(packer.record(Stream::XATTR_LINUX, &vec![1; MAX_SEND + 1]), Err(PackError::TooLong(MAX_SEND + 1)));
        assert_eq!(packer.take().unwrap().bytes.capacity(), PARCEL);
    }

    #[test]
    fn parcels_hold_whole_frames_and_allocate_nothing_once_warm() {
        let stat = Stat::default();
        let mut packer = packer();
        for round in 0..2000 {
            let mut again = true;
            while std::mem::take(&mut again) {
                if packer.begin_file(&attributes(b"/some/where/a file", &stat)) == Err(PackError::Full) {
                    let parcel = packer.take().unwrap();
                    let (mut rest, mut frames, mut decoder) = (&parcel.bytes[..], 0, Decoder::new());
                    while let Some(piece) = decoder.next(&mut rest).unwrap() {
                        assert!(matches!(piece, Piece::Signal(_) | Piece::Data { first: true, last: true, .. }));
                        frames += 1;
                    }
                    assert!(decoder.is_between_frames());
                    assert_eq!((frames, parcel.bytes.capacity()), (parcel.frames, PARCEL), "round {round}");
                    packer.give(parcel);
                    again = true;
                }
            }
        }
        assert!(packer.scratch.capacity() < 1024);
    }
}
