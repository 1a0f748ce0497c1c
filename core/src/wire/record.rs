//! Records of a volume: their header, and putting together those that were cut at the end of a block, `wire/3 §5.4`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::block::{HEADER_LEN, Session};

/// Length of a record header in bytes.
pub const RECORD_HEADER_LEN: usize = 12;
/// A record of this many bytes or more makes the rest of its block unreadable.
pub const RECORD_LIMIT: u32 = 20_000_000;
/// Most bytes that unfinished records of all sessions may hold together.
pub const UNFINISHED_LIMIT: usize = 2 * RECORD_LIMIT as usize;
/// Most sessions that may have an unfinished record at the same time.
pub const UNFINISHED_SESSIONS: usize = 64;

/// FileIndex of a volume label.
pub const VOLUME_LABEL: i32 = -2;
/// FileIndex of the end of a medium: nothing in the block after it counts.
pub const END_OF_MEDIUM: i32 = -3;
/// FileIndex of the label with which a session begins.
pub const START_OF_SESSION: i32 = -4;
/// FileIndex of the label with which a session ends.
pub const END_OF_SESSION: i32 = -5;

/// What stands before the data of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// Above 0 the file, below 0 a label.
    pub file_index: i32,
    /// What the data is; negative when the record continues one of an earlier block. A label has the JobId here.
    pub stream: i32,
    /// Bytes of the record from here on, perhaps more than the block holds.
    pub len: u32,
}

impl RecordHeader {
    /// The twelve bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; RECORD_HEADER_LEN] {
        let mut bytes = [0; RECORD_HEADER_LEN];
        bytes[..4].copy_from_slice(&self.file_index.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.stream.to_be_bytes());
        bytes[8..].copy_from_slice(&self.len.to_be_bytes());
        bytes
    }

    /// Reads the twelve bytes.
    #[must_use]
    pub const fn decode(bytes: &[u8; RECORD_HEADER_LEN]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *bytes;
        Self {
            file_index: i32::from_be_bytes([a, b, c, d]),
            stream: i32::from_be_bytes([e, f, g, h]),
            len: u32::from_be_bytes([i, j, k, l]),
        }
    }
}

/// One piece of a record as a block holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its header.
    pub header: RecordHeader,
    /// Where its data is in the block.
    pub data: Range<usize>,
}

/// Takes the next piece of a block, which begins at `at` (the first at [`HEADER_LEN`]), and moves `at` after it.
///
/// `None` at the end of the block: fewer than twelve bytes left, a record that is too long, or the end of the medium.
#[must_use]
pub fn next_piece(block: &[u8], at: &mut usize) -> Option<Piece> {
    let (header, rest) = block.get(*at..)?.split_first_chunk::<RECORD_HEADER_LEN>()?;
    let header = RecordHeader::decode(header);
    if header.len >= RECORD_LIMIT || header.file_index == END_OF_MEDIUM {
        *at = block.len();
        return None;
    }
    let start = *at + RECORD_HEADER_LEN;
    let data = start..start + rest.len().min(header.len as usize);
    *at = data.end;
    Some(Piece { header, data })
}

/// A whole record, put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Whose it is.
    pub session: Session,
    /// Above 0 the file, below 0 a label.
    pub file_index: i32,
    /// What the data is, never negative; a label has the JobId here.
    pub stream: i32,
    /// The data.
    pub data: &'a [u8],
}

/// Where a whole record is: [`RecordReader::data`] returns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundRecord {
    /// Whose it is.
    pub session: Session,
    /// Above 0 the file, below 0 a label.
    pub file_index: i32,
    /// What the data is, never negative; a label has the JobId here.
    pub stream: i32,
    /// Length of the data in bytes.
    pub len: usize,
    /// Where in the block it is; `None` when it was put together from several blocks.
    pub in_block: Option<Range<usize>>,
}

/// Reads records out of blocks, and joins those that go over several blocks, for each session by itself.
///
/// A record within one block is not copied. Unfinished records are bounded by [`UNFINISHED_LIMIT`] and
/// [`UNFINISHED_SESSIONS`]: what exceeds them is dropped and counted.
#[derive(Debug, Default)]
pub struct RecordReader {
    unfinished: BTreeMap<Session, Unfinished>,
    /// Sessions whose last block could not be read: what continues there has no beginning.
    torn: BTreeSet<Session>,
    held: usize,
    joined: Vec<u8>,
    dropped: u64,
}

#[derive(Debug)]
struct Unfinished {
    file_index: i32,
    stream: i32,
    missing: usize,
    data: Vec<u8>,
}

impl RecordReader {
    /// A reader that has seen no block.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next whole record of `block`, which is one of `session`. `at` begins at [`HEADER_LEN`] and moves on.
    /// `None` when the block has no more.
    pub fn next<'a>(&'a mut self, session: Session, block: &'a [u8], at: &mut usize) -> Option<Record<'a>> {
        let found = self.find_next(session, block, at)?;
        let FoundRecord { session, file_index, stream, .. } = found;
        Some(Record { session, file_index, stream, data: self.data(&found, block) })
    }

    /// As [`next`](Self::next), but says only where the record is. A joined record is there until the next call.
    pub fn find_next(&mut self, session: Session, block: &[u8], at: &mut usize) -> Option<FoundRecord> {
        if *at < HEADER_LEN {
            *at = HEADER_LEN;
        }
        loop {
            let piece = next_piece(block, at)?;
            let found = if piece.header.stream < 0 {
                self.continued(session, &piece, block)
            } else {
                self.begun(session, &piece, block)
            };
            if found.is_some() {
                return found;
            }
        }
    }

    /// The bytes of a record just found in `block`.
    #[must_use]
    pub fn data<'a>(&'a self, found: &FoundRecord, block: &'a [u8]) -> &'a [u8] {
        found.in_block.clone().map_or(&self.joined, |range| block.get(range).unwrap_or_default())
    }

    /// Records that were dropped because a piece is missing or does not fit, so far.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Blocks of the session are missing here: gives up its unfinished record, and what continues one up to its next
    /// whole record.
    pub fn tear(&mut self, session: Session) {
        self.drop_unfinished(session);
        self.torn.insert(session);
    }

    /// Sessions that wait for the rest of a record.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.unfinished.len()
    }

    fn begun(&mut self, session: Session, piece: &Piece, block: &[u8]) -> Option<FoundRecord> {
        let RecordHeader { file_index, stream, len } = piece.header;
        self.drop_unfinished(session);
        self.torn.remove(&session);
        if piece.data.len() == len as usize {
            return Some(whole(session, file_index, stream, piece));
        }
        if self.unfinished.len() >= UNFINISHED_SESSIONS || self.held + len as usize > UNFINISHED_LIMIT {
            self.dropped += 1;
            return None;
        }
        let mut data = std::mem::take(&mut self.joined);
        data.clear();
        data.extend_from_slice(&block[piece.data.clone()]);
        self.held += len as usize;
        let missing = len as usize - piece.data.len();
        self.unfinished.insert(session, Unfinished { file_index, stream, missing, data });
        None
    }

    fn continued(&mut self, session: Session, piece: &Piece, block: &[u8]) -> Option<FoundRecord> {
        let RecordHeader { file_index, stream, len } = piece.header;
        let stream = stream.checked_neg()?;
        let Some(mut record) = self.unfinished.remove(&session) else {
            // The beginning is on a volume that was not read. An empty rest repeats a record that was already whole.
            if len == 0 || self.torn.contains(&session) {
                return None;
            }
            return self.begun(session, piece, block).map(|found| FoundRecord { stream, ..found }).or_else(|| {
                if let Some(begun) = self.unfinished.get_mut(&session) {
                    begun.stream = stream;
                }
                None
            });
        };
        self.held -= record.data.len() + record.missing;
        if (record.file_index, record.stream, record.missing) != (file_index, stream, len as usize) {
            self.dropped += 1;
            return None;
        }
        record.data.extend_from_slice(&block[piece.data.clone()]);
        record.missing -= piece.data.len();
        if record.missing > 0 {
            self.held += record.data.len() + record.missing;
            self.unfinished.insert(session, record);
            return None;
        }
        self.joined = record.data;
        Some(FoundRecord { session, file_index, stream, len: self.joined.len(), in_block: None })
    }

    fn drop_unfinished(&mut self, session: Session) {
        if let Some(lost) = self.unfinished.remove(&session) {
            self.held -= lost.data.len() + lost.missing;
            self.dropped += 1;
        }
    }
}

fn whole(session: Session, file_index: i32, stream: i32, piece: &Piece) -> FoundRecord {
    FoundRecord { session, file_index, stream, len: piece.data.len(), in_block: Some(piece.data.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Session = Session { id: 1, time: 10 };
    const TWO: Session = Session { id: 2, time: 20 };

    fn block(pieces: &[(i32, i32, u32, &[u8])]) -> Vec<u8> {
        let mut block = vec![0; HEADER_LEN];
        for &(file_index, stream, len, data) in pieces {
            block.extend_from_slice(&RecordHeader { file_index, stream, len }.encode());
            block.extend_from_slice(data);
        }
        block
    }

    fn read(reader: &mut RecordReader, session: Session, block: &[u8]) -> Vec<(i32, i32, Vec<u8>)> {
        let mut at = 0;
        let mut records = Vec::new();
        while let Some(record) = reader.next(session, block, &mut at) {
            assert_eq!(record.session, session);
            records.push((record.file_index, record.stream, record.data.to_vec()));
        }
        records
    }

    #[test]
    fn sessions_whose_blocks_interleave_are_joined_each_by_itself() {
        let mut reader = RecordReader::new();
        assert!(read(&mut reader, ONE, &block(&[(5, 2, 10, b"01234")])).is_empty());
        assert!(read(&mut reader, TWO, &block(&[(9, 3, 4, b"ab")])).is_empty());
        assert_eq!(reader.unfinished(), 2);
        assert_eq!(read(&mut reader, TWO, &block(&[(9, -3, 2, b"cd")])), [(9, 3, b"abcd".to_vec())]);
        assert!(read(&mut reader, ONE, &block(&[(5, -2, 5, b"56")])).is_empty());
        let last = block(&[(5, -2, 3, b"789"), (6, 1, 1, b"x")]);
        assert_eq!(read(&mut reader, ONE, &last), [(5, 2, b"0123456789".to_vec()), (6, 1, b"x".to_vec())]);
        assert_eq!((reader.unfinished(), reader.held, reader.dropped()), (0, 0, 0));
    }

    #[test]
    fn a_continuation_that_does_not_fit_drops_the_record() {
        for wrong in [(5, -3, 5), (6, -2, 5), (5, -2, 4)] {
            let mut reader = RecordReader::new();
            assert!(read(&mut reader, ONE, &block(&[(5, 2, 10, b"01234")])).is_empty());
            let next = block(&[(wrong.0, wrong.1, wrong.2, &b"56789"[..wrong.2 as usize]), (7, 1, 1, b"x")]);
            assert_eq!(read(&mut reader, ONE, &next), [(7, 1, b"x".to_vec())]);
            assert_eq!((reader.dropped(), reader.held), (1, 0));
        }
    }

    #[test]
    fn a_tail_without_a_beginning_is_a_record_of_its_own_unless_it_is_empty() {
        let mut reader = RecordReader::new();
        let tails = block(&[(5, -2, 3, b"789"), (5, -2, 0, b"")]);
        assert_eq!(read(&mut reader, ONE, &tails), [(5, 2, b"789".to_vec())]);
        assert!(read(&mut reader, ONE, &block(&[(5, -2, 4, b"ab")])).is_empty());
        assert_eq!(read(&mut reader, ONE, &block(&[(5, -2, 2, b"cd")])), [(5, 2, b"abcd".to_vec())]);
        assert_eq!(reader.dropped(), 0);
    }

    #[test]
    fn behind_a_tear_nothing_is_taken_for_a_beginning_that_is_none() {
        let mut reader = RecordReader::new();
        assert!(read(&mut reader, ONE, &block(&[(5, 2, 10, b"01234")])).is_empty());
        reader.tear(ONE);
        assert!(read(&mut reader, ONE, &block(&[(5, -2, 4, b"56")])).is_empty());
        let next = block(&[(5, -2, 2, b"78"), (6, 1, 1, b"x"), (6, -1, 1, b"y")]);
        assert_eq!(read(&mut reader, ONE, &next), [(6, 1, b"x".to_vec()), (6, 1, b"y".to_vec())]);
        assert_eq!((reader.dropped(), reader.held, reader.unfinished()), (1, 0, 0));
    }

    #[test]
    fn a_record_at_the_limit_ends_the_block_and_one_below_does_not() {
        let mut at = HEADER_LEN;
        assert!(next_piece(&block(&[(1, 2, RECORD_LIMIT, b"")]), &mut at).is_none());
        let mut at = HEADER_LEN;
        assert!(next_piece(&block(&[(1, 2, RECORD_LIMIT - 1, b"")]), &mut at).is_some());
    }

    #[test]
    fn nothing_behind_the_end_of_the_medium_is_read() {
        let marked = block(&[(1, 2, 1, b"a"), (END_OF_MEDIUM, 0, 0, b""), (2, 2, 1, b"b")]);
        assert_eq!(read(&mut RecordReader::new(), ONE, &marked), [(1, 2, b"a".to_vec())]);
    }

    #[test]
    fn unfinished_records_are_bounded_in_number_and_in_bytes() {
        let mut reader = RecordReader::new();
        for id in 0..100 {
            read(&mut reader, Session { id, time: 0 }, &block(&[(1, 2, 10, b"a")]));
        }
        assert_eq!((reader.unfinished(), reader.dropped()), (UNFINISHED_SESSIONS, 100 - UNFINISHED_SESSIONS as u64));
        let mut reader = RecordReader::new();
        for id in 0..3 {
            read(&mut reader, Session { id, time: 0 }, &block(&[(1, 2, RECORD_LIMIT - 1, b"a")]));
        }
        assert_eq!((reader.unfinished(), reader.dropped()), (2, 1));
    }

    #[test]
    fn unfinished_records_may_announce_40_million_bytes_and_not_one_more() {
        for (last, dropped) in [(2, 0), (3, 1)] {
            let mut reader = RecordReader::new();
            for (id, len) in [(1, RECORD_LIMIT - 1), (2, RECORD_LIMIT - 1), (3, last)] {
                read(&mut reader, Session { id, time: 0 }, &block(&[(1, 2, len, b"a")]));
            }
            assert_eq!((reader.held > UNFINISHED_LIMIT, reader.dropped()), (false, dropped));
        }
    }

    #[test]
    fn a_new_record_drops_the_unfinished_one_of_its_session() {
        let mut reader = RecordReader::new();
        read(&mut reader, ONE, &block(&[(1, 2, 10, b"a")]));
        assert_eq!(read(&mut reader, ONE, &block(&[(2, 2, 1, b"b")])), [(2, 2, b"b".to_vec())]);
        assert_eq!((reader.unfinished(), reader.dropped(), reader.held), (0, 1, 0));
    }
}
