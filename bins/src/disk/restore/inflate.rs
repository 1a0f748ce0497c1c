//! Compressed data of real file daemons (wire/2 §2.10): every record is compressed by itself.

use flate2::{Decompress, FlushDecompress, Status};
use towline_core::wire::stream::Stream;

/// Most plain bytes of one record. Real daemons cut files into chunks of 256 KiB, and of 1 MB at the most.
const MOST: usize = 16 << 20;
/// Most bytes of one record: the longest frame (wire/2 §7).
const LONGEST: usize = 999_996;
const HEADER: usize = 12;
const GZIP: u32 = 0x475A_4950;

/// Why a record cannot be made plain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::disk) enum Unable {
    /// Compressed in a way that is not known here: its magic.
    #[error("its compression ({0}) is not supported")]
    Unsupported(String),
    /// It is not what its header says.
    #[error("{0}")]
    Damaged(&'static str),
}

/// Collects records and returns their plain bytes. The buffers stay between records.
#[derive(Debug)]
pub(in crate::disk) struct Inflater {
    record: Vec<u8>,
    plain: Vec<u8>,
    zlib: Decompress,
}

impl Default for Inflater {
    fn default() -> Self {
        Self { record: Vec::new(), plain: Vec::new(), zlib: Decompress::new(true) }
    }
}

/// Whether records of this stream can be restored: plain ones, and zlib with or without a header.
pub(super) fn is_supported(stream: Stream) -> bool {
    matches!(stream.kind(), Stream::FILE_DATA | Stream::SPARSE) || is_deflated(stream)
}

/// Whether records of this stream may be compressed with zlib.
pub(in crate::disk) fn is_deflated(stream: Stream) -> bool {
    matches!(
        stream.kind(),
        Stream::COMPRESSED | Stream::SPARSE_COMPRESSED | Stream::GZIP_LEGACY | Stream::SPARSE_GZIP_LEGACY
    )
}

impl Inflater {
    /// Takes a part of a record, without the offset. With the last part comes what the record holds.
    pub(in crate::disk) fn take(
        &mut self,
        stream: Stream,
        part: &[u8],
        first: bool,
        last: bool,
    ) -> Result<Option<&[u8]>, Unable> {
        if first {
            self.record.clear();
        }
        if self.record.len() + part.len() > LONGEST {
            return Err(Unable::Damaged("a compressed record is too long"));
        }
        self.record.extend_from_slice(part);
        if !last {
            return Ok(None);
        }
        let deflated = if stream.has_compression_header() { body(&self.record)? } else { &self.record };
        self.plain.clear();
        self.zlib.reset(true);
        loop {
            if self.plain.len() >= MOST {
                return Err(Unable::Damaged("a compressed record holds too many bytes"));
            }
            self.plain.reserve(256 * 1024);
            let consumed = usize::try_from(self.zlib.total_in()).unwrap_or(usize::MAX);
            let rest = deflated.get(consumed..).unwrap_or_default();
            let before = self.plain.len();
            match self.zlib.decompress_vec(rest, &mut self.plain, FlushDecompress::None) {
                Ok(Status::StreamEnd) => return Ok(Some(&self.plain)),
                Ok(_) if self.plain.len() > before => {}
                Ok(_) => return Err(Unable::Damaged("a compressed record is cut off")),
                Err(_) => return Err(Unable::Damaged("a compressed record is damaged")),
            }
        }
    }
}

/// What follows the header: `magic u32 | compressed_len u32 | level u16 | version u16`, big-endian.
fn body(record: &[u8]) -> Result<&[u8], Unable> {
    let short = || Unable::Damaged("a compressed record is shorter than its header");
    let (header, body) = record.split_at_checked(HEADER).ok_or_else(short)?;
    let number = |at: usize| header.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes);
    if number(0) != GZIP {
        let magic = header.get(..4).unwrap_or_default().escape_ascii();
        return Err(Unable::Unsupported(magic.to_string()));
    }
    if usize::try_from(number(4)).ok() != Some(body.len()) {
        return Err(Unable::Damaged("a compressed record has another length than its header says"));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of wire/2 §2.7.
    const EXAMPLE: &[u8] = b"GZIP\0\0\0\x16\0\x06\0\x01\x78\x9c\xf3\x48\xcd\xc9\xc9\xd7\x51\x70\x4a\x2c\x4a\xcd\x2f\xe6\x02\x00\x23\xd4\x04\xa7";

    #[test]
    fn a_record_is_inflated_however_it_is_cut() {
        let mut inflater = Inflater::default();
        for cut in 0..EXAMPLE.len() {
            let (one, two) = EXAMPLE.split_at(cut);
            assert_eq!(inflater.take(Stream::COMPRESSED, one, true, false), Ok(None));
            assert_eq!(inflater.take(Stream::COMPRESSED, two, false, true), Ok(Some(&b"Hello, Bareos\n"[..])));
        }
        assert_eq!(inflater.take(Stream::GZIP_LEGACY, &EXAMPLE[12..], true, true), Ok(Some(&b"Hello, Bareos\n"[..])));
    }

    #[test]
    fn what_is_damaged_or_unknown_is_refused() {
        let mut inflater = Inflater::default();
        let mut lz4 = EXAMPLE.to_vec();
        lz4[..4].copy_from_slice(b"FZ4L");
        let mut damaged = EXAMPLE.to_vec();
        damaged[20] ^= 0xff;
        let mut checksum = EXAMPLE.to_vec();
        *checksum.last_mut().unwrap() ^= 1;
        for record in [&lz4, &damaged, &checksum, &EXAMPLE[..30], &EXAMPLE[..5]] {
            assert!(inflater.take(Stream::COMPRESSED, record, true, true).is_err());
        }
        assert!(inflater.take(Stream::GZIP_LEGACY, &EXAMPLE[12..30], true, true).is_err());
        assert_eq!(inflater.take(Stream::COMPRESSED, EXAMPLE, true, true), Ok(Some(&b"Hello, Bareos\n"[..])));
    }

    fn deflated(plain: &[u8]) -> Vec<u8> {
        let mut zlib = flate2::Compress::new(flate2::Compression::best(), true);
        let mut small = Vec::with_capacity(1 << 20);
        zlib.compress_vec(plain, &mut small, flate2::FlushCompress::Finish).unwrap();
        small
    }

    #[test]
    fn a_record_may_hold_more_than_a_chunk() {
        let plain: Vec<u8> = (0..1_000_000_u32).flat_map(|n| (n / 7).to_be_bytes()).collect();
        let mut inflater = Inflater::default();
        let outcome = inflater.take(Stream::GZIP_LEGACY, &deflated(&plain), true, true).unwrap();
        assert!(outcome == Some(&plain[..]));
    }

    #[test]
    fn a_bomb_is_stopped() {
        let mut inflater = Inflater::default();
        let outcome = inflater.take(Stream::GZIP_LEGACY, &deflated(&vec![0; MOST + 300_000]), true, true);
        assert_eq!(outcome, Err(Unable::Damaged("a compressed record holds too many bytes")));
    }
}
