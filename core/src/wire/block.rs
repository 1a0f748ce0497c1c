//! Blocks of a volume: header, checksum, and filling them with records, `wire/3 §5.2` to `§5.4`.

use super::record::{RECORD_HEADER_LEN, RecordHeader};

/// Length of a block header in bytes.
pub const HEADER_LEN: usize = 24;
/// Longest block a reader takes, in bytes.
pub const BLOCK_LIMIT: u32 = 20_000_000;
/// Size of a block of data unless configured, in bytes.
pub const DEFAULT_BLOCK_SIZE: usize = 1 << 20;
/// Smallest size of a block that holds any record: header, record header and one byte.
pub const MIN_BLOCK_SIZE: usize = HEADER_LEN + MIN_ROOM;

/// A block with less room than this is full: a record header that ends exactly at the end of a block would make stock
/// readers deliver an empty record twice.
const MIN_ROOM: usize = RECORD_HEADER_LEN + 1;
const MAGIC: &[u8; 4] = b"BB02";

/// Whose blocks: VolSessionId and VolSessionTime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    /// Counts the sessions since the storage daemon started.
    pub id: u32,
    /// When it started, in seconds since 1970.
    pub time: u32,
}

/// What stands before the records of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// Checksum of all that follows it; 0 when the writer makes none.
    pub checksum: u32,
    /// Length of the block with its header, in bytes.
    pub len: u32,
    /// Counts the blocks of a job from 0.
    pub number: u32,
    /// Whose records it holds.
    pub session: Session,
}

/// Why a block cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// Fewer bytes than the header says, or than a header has: the end of the volume is torn.
    #[error("short block: {have} bytes of {need}")]
    Short {
        /// Bytes there are.
        have: usize,
        /// Bytes there should be.
        need: usize,
    },
    /// The length is below a header's or above 20,000,000.
    #[error("block with an impossible length of {0} bytes")]
    Length(u32),
    /// The format of before 1999.
    #[error("block in the old format BB01")]
    Old,
    /// Not a block at all.
    #[error("not a block: its identifier is missing")]
    Magic,
    /// The bytes changed since they were written.
    #[error("block checksum is {found:08x} where {expected:08x} is computed")]
    Checksum {
        /// As stored.
        found: u32,
        /// As computed.
        expected: u32,
    },
}

impl BlockHeader {
    /// Reads a header. Says nothing of the checksum.
    ///
    /// # Errors
    /// When these are not the first bytes of a block.
    pub fn decode(bytes: &[u8]) -> Result<Self, BlockError> {
        let short = BlockError::Short { have: bytes.len(), need: HEADER_LEN };
        let header = bytes.first_chunk::<HEADER_LEN>().ok_or(short)?;
        let (words, _) = header.as_chunks::<4>();
        let word = |i: usize| u32::from_be_bytes(words[i]);
        match &words[3] {
            MAGIC => {}
            b"BB01" => return Err(BlockError::Old),
            _ => return Err(BlockError::Magic),
        }
        let len = word(1);
        if len > BLOCK_LIMIT || (len as usize) < HEADER_LEN {
            return Err(BlockError::Length(len));
        }
        let session = Session { id: word(4), time: word(5) };
        Ok(Self { checksum: word(0), len, number: word(2), session })
    }

    /// Checks the block at the front of `bytes`, and returns its header. Bytes after the block do not matter.
    ///
    /// # Errors
    /// When it is not whole or, with `checksum`, its checksum is wrong.
    pub fn verify(bytes: &[u8], checksum: bool) -> Result<Self, BlockError> {
        let header = Self::decode(bytes)?;
        let need = header.len as usize;
        let block = bytes.get(..need).ok_or(BlockError::Short { have: bytes.len(), need })?;
        let expected = crc32fast::hash(&block[4..]);
        if checksum && expected != header.checksum {
            return Err(BlockError::Checksum { found: header.checksum, expected });
        }
        Ok(header)
    }
}

/// Puts the checksum into a finished block. The costly part of writing one, so it is left to a worker.
pub fn seal(block: &mut [u8]) {
    if let Some((checksum, rest)) = block.split_first_chunk_mut::<4>() {
        *checksum = crc32fast::hash(rest).to_be_bytes();
    }
}

/// A block that is full, or the last of its session. Its checksum is not set: [`seal`] does that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullBlock {
    /// The block from its header on.
    pub bytes: Vec<u8>,
    /// Its number in the session.
    pub number: u32,
    /// Lowest FileIndex above 0 in it, or 0.
    pub first_index: i32,
    /// Highest FileIndex above 0 in it, or 0.
    pub last_index: i32,
}

/// Fills blocks with the records of one session, copying every byte once.
///
/// It holds at most one block. While [`needs_buffer`](Self::needs_buffer) it takes no bytes.
#[derive(Debug)]
pub struct BlockBuilder {
    session: Session,
    size: usize,
    number: u32,
    block: Option<Vec<u8>>,
    full: bool,
    first_index: i32,
    last_index: i32,
    open: Option<OpenRecord>,
}

#[derive(Clone, Copy, Debug)]
struct OpenRecord {
    file_index: i32,
    stream: i32,
    missing: u32,
    /// Whether a header of this record is in the current block.
    headed: bool,
}

impl BlockBuilder {
    /// A builder of blocks of at most `size` bytes; a size out of bounds is put at the nearest bound.
    #[must_use]
    pub const fn new(session: Session, size: usize) -> Self {
        let size = if size < MIN_BLOCK_SIZE { MIN_BLOCK_SIZE } else { size };
        let size = if size > BLOCK_LIMIT as usize { BLOCK_LIMIT as usize } else { size };
        Self { session, size, number: 0, block: None, full: false, first_index: 0, last_index: 0, open: None }
    }

    /// The largest size of a block, in bytes.
    #[must_use]
    pub const fn block_size(&self) -> usize {
        self.size
    }

    /// Whether a buffer must be given before any byte is taken.
    #[must_use]
    pub const fn needs_buffer(&self) -> bool {
        self.block.is_none()
    }

    /// Passes in a buffer to fill. Its contents are dropped, its memory is used; `false` when there is one already, and
    /// `buffer` is dropped.
    pub fn give(&mut self, mut buffer: Vec<u8>) -> bool {
        if self.block.is_some() {
            return false;
        }
        buffer.clear();
        buffer.reserve_exact(self.size);
        buffer.resize(HEADER_LEN, 0);
        self.block = Some(buffer);
        true
    }

    /// Begins a record of `len` bytes; [`push`](Self::push) them, and call it at least once even for none. The one before must
    /// be done or given up.
    pub fn begin_record(&mut self, file_index: i32, stream: i32, len: u32) {
        debug_assert!(self.open.is_none(), "a record is open");
        self.open = Some(OpenRecord { file_index, stream, missing: len, headed: false });
    }

    /// Whether the record has been taken to its last byte.
    #[must_use]
    pub const fn record_is_done(&self) -> bool {
        self.open.is_none()
    }

    /// Gives up a record that will not be finished, and takes the block with the beginning of it, if there is one: after it
    /// nothing may follow in the same block. Readers drop such a record.
    pub fn give_up_record(&mut self) -> Option<FullBlock> {
        self.open?;
        let block = self.take();
        self.open = None;
        block
    }

    /// Takes the next bytes of the record, as many as fit; fewer than all when the block is full or there is none.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let Some(mut open) = self.open else { return 0 };
        if self.full || self.room() < MIN_ROOM && !open.headed {
            self.full = self.block.is_some();
            return 0;
        }
        let Some(block) = &mut self.block else { return 0 };
        if !open.headed {
            open.headed = true;
            block.extend_from_slice(&open.header().encode());
            if open.file_index > 0 {
                self.last_index = self.last_index.max(open.file_index);
                self.first_index =
                    if self.first_index == 0 { open.file_index } else { self.first_index.min(open.file_index) };
            }
        }
        let taken = bytes.len().min(open.missing as usize).min(self.size - block.len());
        block.extend_from_slice(&bytes[..taken]);
        open.missing -= taken as u32;
        self.full = self.size - block.len() < if open.missing > 0 { 1 } else { MIN_ROOM };
        self.open = (open.missing > 0).then_some(open);
        taken
    }

    /// Writes a label, which is never split. `false`, and nothing is written, when there is no room for it: take the block
    /// and give another.
    pub fn push_label(&mut self, file_index: i32, stream: i32, data: &[u8]) -> bool {
        if self.open.is_some() || self.room() < RECORD_HEADER_LEN + data.len() {
            self.full = self.block.as_ref().is_some_and(|block| block.len() > HEADER_LEN);
            return false;
        }
        let Some(block) = &mut self.block else { return false };
        let len = data.len() as u32;
        block.extend_from_slice(&RecordHeader { file_index, stream, len }.encode());
        block.extend_from_slice(data);
        self.full = self.room() < MIN_ROOM;
        true
    }

    /// Whether the block takes no more: [`take`](Self::take) it.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.full
    }

    /// Bytes of the block in use, with its header; 0 when there is none.
    #[must_use]
    pub fn used(&self) -> usize {
        self.block.as_ref().map_or(0, Vec::len)
    }

    /// The number that the current block has, or the next if there is none.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Takes the block, full or not; `None` when nothing is in it. An unfinished record goes on in the next.
    pub fn take(&mut self) -> Option<FullBlock> {
        let mut bytes = self.block.take_if(|block| block.len() > HEADER_LEN)?;
        let number = self.number;
        let words = [bytes.len() as u32, number, u32::from_be_bytes(*MAGIC), self.session.id, self.session.time];
        for (position, word) in words.into_iter().enumerate() {
            bytes[4 + 4 * position..][..4].copy_from_slice(&word.to_be_bytes());
        }
        if let Some(open) = &mut self.open
            && open.headed
        {
            open.headed = false;
            open.stream = -open.stream.abs();
        }
        self.number = number.wrapping_add(1);
        self.full = false;
        let first_index = std::mem::take(&mut self.first_index);
        let last_index = std::mem::take(&mut self.last_index);
        Some(FullBlock { bytes, number, first_index, last_index })
    }

    fn room(&self) -> usize {
        self.block.as_ref().map_or(0, |block| self.size - block.len())
    }
}

impl OpenRecord {
    const fn header(self) -> RecordHeader {
        RecordHeader { file_index: self.file_index, stream: self.stream, len: self.missing }
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::RecordReader;
    use super::*;
    use proptest::prelude::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
    }

    /// Builds blocks of these records, each pushed in pieces of `piece` bytes.
    fn build(session: Session, size: usize, records: &[(i32, i32, Vec<u8>)], piece: usize) -> Vec<FullBlock> {
        let mut builder = BlockBuilder::new(session, size);
        let mut blocks = Vec::new();
        for (file_index, stream, data) in records {
            builder.begin_record(*file_index, *stream, data.len() as u32);
            let mut rest = &data[..];
            while !builder.record_is_done() {
                if builder.needs_buffer() {
                    assert!(builder.give(Vec::new()));
                }
                let taken = builder.push(&rest[..rest.len().min(piece)]);
                rest = &rest[taken..];
                if builder.is_full() {
                    blocks.push(builder.take().unwrap());
                }
            }
        }
        blocks.extend(builder.take());
        for block in &mut blocks {
            seal(&mut block.bytes);
        }
        blocks
    }

    #[test]
    fn the_synthetic_block_of_the_notes_comes_out_byte_for_byte() {
        let session = Session { id: 1, time: 1_700_000_000 };
        let blocks = build(session, 64512, &[(1, 1, b"abc".to_vec())], 2);
        let expected = "0dc3659c000000270000000042423032000000016553f100000000010000000100000003616263";
        assert_eq!(blocks[0].bytes, hex(expected));
        assert_eq!((blocks.len(), blocks[0].first_index, blocks[0].last_index), (1, 1, 1));
    }

    #[test]
    fn a_split_record_of_the_notes_comes_out_byte_for_byte() {
        let session = Session { id: 7, time: 1_700_000_000 };
        let blocks = build(session, 44, &[(5, 2, b"0123456789".to_vec())], 3);
        let first = "b1bc0a0a0000002c0000000042423032000000076553f10000000005000000020000000a3031323334353637";
        let second = "667cca11000000260000000142423032000000076553f10000000005fffffffe000000023839";
        assert_eq!(blocks.len(), 2);
        assert_eq!((&blocks[0].bytes, &blocks[1].bytes), (&hex(first), &hex(second)));
        assert_eq!((blocks[1].number, blocks[1].first_index), (1, 5));
    }

    #[test]
    fn a_header_never_ends_at_the_end_of_a_block() {
        // After the first record 12 bytes are left: the empty record goes into the next block, once.
        let size = HEADER_LEN + RECORD_HEADER_LEN + 8 + RECORD_HEADER_LEN;
        let blocks = build(Session::default(), size, &[(1, 1, vec![1; 8]), (1, 2, Vec::new())], 100);
        assert_eq!(blocks.len(), 2);
        assert_eq!(blocks[0].bytes.len(), size - 12);
        assert_eq!(read_back(&blocks), [(1, 1, vec![1; 8]), (1, 2, Vec::new())]);
    }

    #[test]
    fn a_label_is_never_split() {
        let mut builder = BlockBuilder::new(Session::default(), 100);
        assert!(!builder.push_label(-4, 1, &[1; 40]));
        assert!(builder.give(Vec::new()));
        assert!(builder.push_label(-4, 1, &[1; 40]));
        assert!(!builder.push_label(-5, 1, &[2; 40]));
        let first = builder.take().unwrap();
        assert_eq!((first.bytes.len(), first.first_index), (24 + 12 + 40, 0));
        assert!(builder.give(first.bytes));
        assert!(builder.push_label(-5, 1, &[2; 64]));
        assert!(builder.is_full());
    }

    #[test]
    fn a_record_that_is_given_up_is_dropped_and_the_next_is_read() {
        let mut builder = BlockBuilder::new(Session::default(), 100);
        assert!(builder.give(Vec::new()));
        builder.begin_record(1, 2, 40);
        assert_eq!(builder.push(b"only a part"), 11);
        let first = builder.give_up_record().unwrap();
        assert!(builder.give_up_record().is_none());
        assert!(builder.give(Vec::new()));
        assert!(builder.push_label(-5, 1, b"end"));
        let second = builder.take().unwrap();
        let mut reader = RecordReader::new();
        let mut at = 0;
        assert!(reader.next(Session::default(), &first.bytes, &mut at).is_none());
        at = 0;
        assert_eq!(reader.next(Session::default(), &second.bytes, &mut at).unwrap().data, b"end");
        assert_eq!(reader.dropped(), 1);
    }

    #[test]
    fn a_buffer_keeps_its_memory() {
        let mut builder = BlockBuilder::new(Session::default(), 4096);
        assert!(builder.give(Vec::with_capacity(4096)));
        for _ in 0..10 {
            builder.begin_record(1, 2, 100_000);
            while builder.push(&[0; 1000]) > 0 {}
            let block = builder.give_up_record().unwrap().bytes;
            assert_eq!((block.len(), block.capacity()), (4096, 4096));
            assert!(builder.give(block));
        }
    }

    #[test]
    fn a_block_may_be_20_million_bytes_long_and_no_longer() {
        let header = |len: u32| [&[0; 4], &len.to_be_bytes()[..], &[0; 4], MAGIC, &[0; 8]].concat();
        assert_eq!(BlockHeader::decode(&header(BLOCK_LIMIT)).map(|header| header.len), Ok(BLOCK_LIMIT));
        assert_eq!(BlockHeader::decode(&header(BLOCK_LIMIT + 1)), Err(BlockError::Length(BLOCK_LIMIT + 1)));
        assert!(BlockHeader::decode(&header(HEADER_LEN as u32)).is_ok());
        assert_eq!(BlockHeader::decode(&header(23)), Err(BlockError::Length(23)));
        let size = |size: usize| BlockBuilder::new(Session::default(), size).block_size();
        assert_eq!((size(BLOCK_LIMIT as usize), size(BLOCK_LIMIT as usize + 1)), (20_000_000, 20_000_000));
        assert_eq!((size(MIN_BLOCK_SIZE), size(MIN_BLOCK_SIZE - 1)), (MIN_BLOCK_SIZE, MIN_BLOCK_SIZE));
    }

    #[test]
    fn a_damaged_block_says_what_is_wrong() {
        let good = build(Session::default(), 100, &[(1, 1, b"abc".to_vec())], 9).remove(0).bytes;
        assert_eq!(BlockHeader::verify(&good, true).unwrap().len, 39);
        let damaged = |at: usize, value: u8| {
            let mut block = good.clone();
            block[at] = value;
            BlockHeader::verify(&block, true)
        };
        assert!(matches!(damaged(38, 0), Err(BlockError::Checksum { .. })));
        assert_eq!(damaged(15, b'1'), Err(BlockError::Old));
        assert_eq!(damaged(14, b'X'), Err(BlockError::Magic));
        assert_eq!(damaged(7, 23), Err(BlockError::Length(23)));
        assert_eq!(damaged(4, 2), Err(BlockError::Length(0x0200_0027)));
        assert_eq!(BlockHeader::verify(&good[..38], true), Err(BlockError::Short { have: 38, need: 39 }));
        assert_eq!(BlockHeader::verify(&good[..23], true), Err(BlockError::Short { have: 23, need: 24 }));
    }

    fn read_back(blocks: &[FullBlock]) -> Vec<(i32, i32, Vec<u8>)> {
        let mut reader = RecordReader::new();
        let mut records = Vec::new();
        for block in blocks {
            let header = BlockHeader::verify(&block.bytes, true).unwrap();
            assert_eq!(header.len as usize, block.bytes.len());
            let mut at = 0;
            while let Some(record) = reader.next(header.session, &block.bytes, &mut at) {
                records.push((record.file_index, record.stream, record.data.to_vec()));
            }
        }
        assert_eq!((reader.dropped(), reader.unfinished()), (0, 0));
        records
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn records_survive_blocks_of_any_size(
            size in prop_oneof![MIN_BLOCK_SIZE..400, Just(100), Just(64512), Just(1 << 20)],
            lengths in prop::collection::vec(prop_oneof![0..40_usize, 0..3000_usize], 1..40),
            piece in 1..2000_usize,
        ) {
            let records: Vec<_> =
                lengths.iter().enumerate().map(|(i, &len)| (i as i32 + 1, 2, vec![i as u8; len])).collect();
            let blocks = build(Session { id: 3, time: 4 }, size, &records, piece);
            prop_assert_eq!(read_back(&blocks), records);
            for (number, block) in blocks.iter().enumerate() {
                prop_assert!(block.bytes.len() <= size);
                prop_assert_eq!(block.number, number as u32);
            }
        }

        #[test]
        fn no_bytes_make_the_readers_panic(mut bytes: Vec<u8>, session_id: u32) {
            let _ = BlockHeader::verify(&bytes, true);
            bytes.splice(0..0, [0; HEADER_LEN]);
            let mut reader = RecordReader::new();
            for _ in 0..3 {
                let mut at = 0;
                while reader.next(Session { id: session_id, time: 0 }, &bytes, &mut at).is_some() {}
            }
        }
    }
}
