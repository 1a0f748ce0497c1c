//! Reading for a restore: a storage daemon's worker turns blocks of volumes into the stream a file daemon expects, `wire/3 §3.4`.

use std::io::Write as _;

use super::parcel::Parcel;
use crate::wire::attributes::AttributeRecord;
use crate::wire::block::{BlockError, BlockHeader, HEADER_LEN, Session};
use crate::wire::bsr::{Candidate, Selection};
use crate::wire::frame::{HEAD, MAX_SEND, Signal, put_signal};
use crate::wire::record::{FoundRecord, RecordReader};
use crate::wire::stream::Stream;

/// Room that a header frame and the head of its record need.
const HEADER_ROOM: usize = 96;

/// What stopped a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// The parcel is full: send it and go on with an empty one.
    Full,
    /// The block is used up: give the next one, or the next volume, or [`finish`](RestoreReader::finish).
    NeedBlock,
}

/// Picks the records a bootstrap selects out of blocks and frames them. Holds one block and one record.
#[derive(Debug)]
pub struct RestoreReader {
    selection: Selection,
    reader: RecordReader,
    volume: String,
    block: Option<Block>,
    /// A record being framed, and how much of it is.
    sending: Option<(FoundRecord, usize)>,
    records: u64,
    bytes: u64,
    oversized: u64,
}

#[derive(Debug)]
struct Block {
    bytes: Vec<u8>,
    len: usize,
    session: Session,
    /// Address of its last byte.
    address: u64,
    at: usize,
}

impl RestoreReader {
    /// A reader before the first volume.
    #[must_use]
    pub fn new(selection: Selection) -> Self {
        Self {
            selection,
            reader: RecordReader::new(),
            volume: String::new(),
            block: None,
            sending: None,
            records: 0,
            bytes: 0,
            oversized: 0,
        }
    }

    /// What is selected, and what of it is exhausted.
    #[must_use]
    pub const fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The blocks that follow are of this volume; the one before is exhausted. A record may go on from one to the other.
    pub fn begin_volume(&mut self, volume: &str) {
        if volume != self.volume {
            self.selection.finish_volume(&self.volume);
            volume.clone_into(&mut self.volume);
        }
    }

    /// Where to read on in the volume when everything before `at` was given; `None` when it has no more of what is wanted.
    #[must_use]
    pub fn next_start(&self, at: u64) -> Option<u64> {
        self.selection.next_start(&self.volume, at)
    }

    /// Gives the block that begins at `address`; bytes behind it do not matter. The checksum is the caller's to verify.
    ///
    /// # Errors
    /// When it is no block, or cut off; then nothing changes.
    pub fn give_block(&mut self, bytes: Vec<u8>, address: u64) -> Result<(), BlockError> {
        let header = BlockHeader::decode(&bytes)?;
        let len = header.len as usize;
        if bytes.len() < len {
            return Err(BlockError::Short { have: bytes.len(), need: len });
        }
        let wanted = self.selection.wants_block(&self.volume, header.session);
        let at = if wanted { HEADER_LEN } else { len };
        let address = address + u64::from(header.len) - 1;
        self.block = Some(Block { bytes, len, session: header.session, address, at });
        Ok(())
    }

    /// Takes the memory of the block that is used up.
    pub fn take_block(&mut self) -> Option<Vec<u8>> {
        if self.sending.is_some() {
            return None;
        }
        self.block.take().map(|block| block.bytes)
    }

    /// Appends frames to the parcel until it is full or the block is used up.
    pub fn fill(&mut self, parcel: &mut Parcel) -> Filled {
        loop {
            if let Some((found, sent)) = self.sending.take() {
                let sent = self.append(&found, sent, parcel);
                if sent < found.len {
                    self.sending = Some((found, sent));
                    return Filled::Full;
                }
            }
            if parcel.room() < HEADER_ROOM {
                return Filled::Full;
            }
            let Some(found) = self.next_wanted() else { return Filled::NeedBlock };
            self.header(&found, parcel);
            self.sending = Some((found, 0));
        }
    }

    /// Appends the signal that ends the stream; `false` when the parcel has no room for it.
    pub fn finish(&mut self, parcel: &mut Parcel) -> bool {
        if parcel.room() < HEAD || self.sending.is_some() {
            return false;
        }
        put_signal(&mut parcel.bytes, Signal::Eod);
        parcel.frames += 1;
        true
    }

    /// Records sent so far.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Bytes of all records sent so far.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Records that could not be sent so far: pieces of them are missing, or they are longer than a frame.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.reader.dropped() + self.oversized
    }

    fn next_wanted(&mut self) -> Option<FoundRecord> {
        let block = self.block.as_mut()?;
        let bytes = &block.bytes[..block.len];
        while let Some(found) = self.reader.find_next(block.session, bytes, &mut block.at) {
            let Some(file_index) = u32::try_from(found.file_index).ok().filter(|&index| index > 0) else { continue };
            let needs_name = self.selection.needs_filter() && Stream(found.stream).is_attributes();
            let data = self.reader.data(&found, bytes);
            let name = needs_name.then(|| AttributeRecord::parse(data).ok()).flatten().map(|record| record.name);
            let FoundRecord { session, stream, .. } = found;
            let candidate = Candidate { session, file_index, stream, address: block.address, name };
            if !self.selection.wants(&self.volume, &candidate) {
                continue;
            }
            if found.len > MAX_SEND {
                self.oversized += 1;
                continue;
            }
            return Some(found);
        }
        None
    }

    /// Appends the header frame and the head of the record's frame.
    fn header(&mut self, found: &FoundRecord, parcel: &mut Parcel) {
        let out = &mut parcel.bytes;
        let start = out.len();
        out.extend_from_slice(&[0; HEAD]);
        let Session { id, time } = found.session;
        // Writing into a vector cannot fail.
        let _ = write!(out, "rechdr {id} {time} {} {} {}", found.file_index, found.stream, found.len);
        let len = (out.len() - start - HEAD) as u32;
        out[start..start + HEAD].copy_from_slice(&len.to_be_bytes());
        out.extend_from_slice(&(found.len as u32).to_be_bytes());
        parcel.frames += 2;
        self.records += 1;
        self.bytes += found.len as u64;
    }

    /// Appends what fits of a record of which `sent` bytes are out, and says how many are then.
    fn append(&self, found: &FoundRecord, sent: usize, parcel: &mut Parcel) -> usize {
        let block = self.block.as_ref().map_or(&[][..], |block| &block.bytes);
        let data = self.reader.data(found, block);
        let end = found.len.min(sent + parcel.room());
        parcel.bytes.extend_from_slice(data.get(sent..end).unwrap_or_default());
        end
    }
}
