//! Makes records of file data (wire/2 §2.10). What it needs is made once and used for every record.

use flate2::{Compress, FlushCompress, Status};
use lz4_flex::block::CompressTable;
use towline_core::wire::compression::{BlockHead, Method, RecordHead};
use towline_core::wire::fileset::Compression;

use super::{CHUNK, fastlz, lz4hc};

/// Bytes of the file offset before a record of a sparse file.
pub(in crate::disk) const OFFSET: usize = 8;
const HEADS: usize = OFFSET + RecordHead::LEN;
/// Most bytes of a record that does not get smaller.
const WORST: usize = HEADS + CHUNK + CHUNK / 8 + 1024;
/// A block of the container with this many bytes or fewer is stored, as real daemons do.
const SMALL: usize = 64;

/// Compresses one record after the other.
#[derive(Default)]
pub(in crate::disk) struct Compressor {
    plain: Vec<u8>,
    /// Room for an offset, then the record.
    packed: Vec<u8>,
    filled: usize,
    gzip: [Option<Compress>; 10],
    lzo: Option<Box<lzokay::compress::Dict>>,
    fastlz: Option<fastlz::Table>,
    lz4: Option<CompressTable>,
    lz4hc: Option<lz4hc::Chains>,
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressor").field("filled", &self.filled).finish_non_exhaustive()
    }
}

impl Compressor {
    /// Where plain bytes go: `length` of them, [`CHUNK`] and one at the most.
    pub(in crate::disk) fn room(&mut self, length: usize) -> &mut [u8] {
        self.plain.resize(CHUNK + 1, 0);
        self.plain.get_mut(..length).unwrap_or_default()
    }

    /// Makes a record of the first `length` bytes of the room: for a sparse file with its offset before it. The record is
    /// there until the next one. `None` if it cannot be made.
    pub(in crate::disk) fn compress(&mut self, how: Compression, length: usize, offset: Option<u64>) -> Option<()> {
        self.packed.resize(WORST, 0);
        let Self { plain, packed, .. } = self;
        let plain = plain.get(..length)?;
        let (heads, out) = packed.split_at_mut_checked(HEADS)?;
        let (method, level, written) = match how {
            Compression::Gzip(level) => (Method::Gzip, level.min(9), gzip(&mut self.gzip, level, plain, out)?),
            Compression::Lzo => {
                let dict = self.lzo.get_or_insert_with(lzokay::compress::Dict::new);
                (Method::Lzo, 0, lzokay::compress::compress_no_alloc(plain, out, dict).ok()?)
            }
            Compression::FastLz => {
                let table = self.fastlz.get_or_insert_default();
                (Method::FastLz, 1, contain(plain, out, |plain, out| fastlz::compress(plain, out, table))?)
            }
            Compression::Lz4 => {
                let table = self.lz4.get_or_insert_with(CompressTable::large);
                let pack =
                    |plain: &[u8], out: &mut [u8]| lz4_flex::block::compress_into_with_table(plain, out, table).ok();
                (Method::Lz4, 1, contain(plain, out, pack)?)
            }
            Compression::Lz4Hc => {
                let chains = self.lz4hc.get_or_insert_default();
                (Method::Lz4Hc, 1, contain(plain, out, |plain, out| lz4hc::compress(plain, out, chains))?)
            }
        };
        let head = RecordHead { method, length: u32::try_from(written).ok()?, level: u16::from(level) };
        let (place, head_place) = heads.split_at_mut(OFFSET);
        place.copy_from_slice(&offset.unwrap_or(0).to_be_bytes());
        head_place.copy_from_slice(&head.encode());
        let start = if offset.is_some() { 0 } else { OFFSET };
        // The record stands at the front, whether it has an offset or not.
        packed.copy_within(start..HEADS + written, 0);
        self.filled = HEADS + written - start;
        Some(())
    }

    /// The record.
    pub(in crate::disk) fn record(&self) -> &[u8] {
        self.packed.get(..self.filled).unwrap_or_default()
    }
}

fn gzip(levels: &mut [Option<Compress>; 10], level: u8, plain: &[u8], out: &mut [u8]) -> Option<usize> {
    let level = level.min(9);
    let new = || Compress::new(flate2::Compression::new(u32::from(level)), true);
    let zlib = levels.get_mut(usize::from(level))?.get_or_insert_with(new);
    zlib.reset();
    match zlib.compress(plain, out, FlushCompress::Finish) {
        Ok(Status::StreamEnd) => usize::try_from(zlib.total_out()).ok(),
        _ => None,
    }
}

/// One block in its container, stored if it does not get smaller.
fn contain(plain: &[u8], out: &mut [u8], pack: impl FnOnce(&[u8], &mut [u8]) -> Option<usize>) -> Option<usize> {
    let (head_place, body) = out.split_at_mut_checked(BlockHead::LEN)?;
    let packed = (plain.len() > SMALL).then(|| pack(plain, body)).flatten().filter(|n| *n < plain.len());
    let length = match packed {
        Some(length) => length,
        None => {
            body.get_mut(..plain.len())?.copy_from_slice(plain);
            plain.len()
        }
    };
    let number = |n: usize| u32::try_from(n).ok();
    let head = BlockHead { stored: packed.is_none(), packed: number(length)?, plain: number(plain.len())? };
    head_place.copy_from_slice(&head.encode());
    body.get_mut(length..length + BlockHead::LEN)?.copy_from_slice(&BlockHead::END.encode());
    Some(BlockHead::LEN + length + BlockHead::LEN)
}
