//! Makes compressed data plain again (wire/2 §2.10), those of real daemons too.

use flate2::{Decompress, FlushDecompress, Status};
use towline_core::wire::compression::{BlockHead, HeadError, Method, RecordHead};
use towline_core::wire::stream::Stream;

use super::fastlz;

/// Most plain bytes of one record. Real daemons cut files into chunks of 256 KiB, and of 1 MB at the most.
const MOST: usize = 16 << 20;
/// Bytes of the buffer for plain bytes at the beginning.
const USUAL: usize = 256 * 1024;
/// Most bytes of one record: the longest frame (wire/2 §7).
const LONGEST: usize = 999_996;

/// Why a record cannot be made plain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::disk) enum Unable {
    /// Compressed in a way that is not known here.
    #[error("{0} (T0721)")]
    Unknown(HeadError),
    /// It is not what its head says.
    #[error("{0} (T0720)")]
    Damaged(&'static str),
    /// It has no sound head.
    #[error("{0} (T0720)")]
    Head(HeadError),
}

impl From<HeadError> for Unable {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::Method(_) | HeadError::Version(_) => Self::Unknown(error),
            other => Self::Head(other),
        }
    }
}

const TOO_MUCH: Unable = Unable::Damaged("a compressed record holds too many bytes");
const BROKEN: Unable = Unable::Damaged("a compressed record is damaged");
const CUT_OFF: Unable = Unable::Damaged("a compressed record is cut off");

/// Collects records and gives their plain bytes. The buffers stay between records.
#[derive(Debug)]
pub(in crate::disk) struct Decompressor {
    record: Vec<u8>,
    plain: Vec<u8>,
    zlib: Decompress,
}

impl Default for Decompressor {
    fn default() -> Self {
        Self { record: Vec::new(), plain: Vec::new(), zlib: Decompress::new(true) }
    }
}

/// Whether records of this stream can be restored: plain ones, and compressed ones with or without a head.
pub(in crate::disk) fn is_supported(stream: Stream) -> bool {
    matches!(stream.kind(), Stream::FILE_DATA | Stream::SPARSE) || is_compressed(stream)
}

/// Whether records of this stream are compressed, and not encrypted.
pub(in crate::disk) fn is_compressed(stream: Stream) -> bool {
    matches!(
        stream.kind(),
        Stream::COMPRESSED | Stream::SPARSE_COMPRESSED | Stream::GZIP_LEGACY | Stream::SPARSE_GZIP_LEGACY
    )
}

impl Decompressor {
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
        let (method, packed) = if stream.has_compression_header() {
            let (head, packed) = RecordHead::split(&self.record)?;
            (head.method, packed)
        } else {
            (Method::Gzip, &*self.record)
        };
        self.plain.clear();
        match method {
            Method::Gzip => inflate(&mut self.zlib, packed, &mut self.plain)?,
            Method::Lzo => unpack_lzo(packed, &mut self.plain)?,
            Method::FastLz => contained(packed, &mut self.plain, fastlz::decompress)?,
            Method::Lz4 | Method::Lz4Hc => {
                contained(packed, &mut self.plain, |packed, out| lz4_flex::block::decompress_into(packed, out).ok())?;
            }
        }
        Ok(Some(&self.plain))
    }
}

fn inflate(zlib: &mut Decompress, deflated: &[u8], plain: &mut Vec<u8>) -> Result<(), Unable> {
    zlib.reset(true);
    loop {
        if plain.len() >= MOST {
            return Err(TOO_MUCH);
        }
        plain.reserve(USUAL);
        let consumed = usize::try_from(zlib.total_in()).unwrap_or(usize::MAX);
        let rest = deflated.get(consumed..).unwrap_or_default();
        let before = plain.len();
        match zlib.decompress_vec(rest, plain, FlushDecompress::None) {
            Ok(Status::StreamEnd) => return Ok(()),
            Ok(_) if plain.len() > before => {}
            Ok(_) => return Err(CUT_OFF),
            Err(_) => return Err(BROKEN),
        }
    }
}

/// Nothing says how many bytes there will be: once more with twice the room until they fit.
fn unpack_lzo(packed: &[u8], plain: &mut Vec<u8>) -> Result<(), Unable> {
    plain.resize(plain.capacity().clamp(USUAL, 4 * USUAL), 0);
    loop {
        match lzokay::decompress::decompress(packed, plain) {
            Ok(length) => {
                plain.truncate(length);
                return Ok(());
            }
            Err(lzokay::Error::OutputOverrun) if plain.len() >= MOST => return Err(TOO_MUCH),
            Err(lzokay::Error::OutputOverrun) => plain.resize(plain.len().saturating_mul(2).min(MOST), 0),
            Err(lzokay::Error::InputOverrun) => return Err(CUT_OFF),
            Err(_) => return Err(BROKEN),
        }
    }
}

/// Makes the blocks of a container plain, to its end.
fn contained(
    mut packed: &[u8],
    plain: &mut Vec<u8>,
    mut unpack: impl FnMut(&[u8], &mut [u8]) -> Option<usize>,
) -> Result<(), Unable> {
    loop {
        let (head, rest) = BlockHead::split(packed).ok_or(CUT_OFF)?;
        if head == BlockHead::END {
            return Ok(());
        }
        let bytes = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let (block, behind) = rest.split_at_checked(bytes(head.packed)).ok_or(CUT_OFF)?;
        let before = plain.len();
        let end = before.checked_add(bytes(head.plain)).filter(|end| *end <= MOST).ok_or(TOO_MUCH)?;
        if head.stored {
            plain.extend_from_slice(block);
        } else {
            plain.resize(end, 0);
            let out = plain.get_mut(before..).unwrap_or_default();
            let length = unpack(block, out);
            if length != Some(end - before) {
                return Err(BROKEN);
            }
        }
        if plain.len() != end {
            return Err(BROKEN);
        }
        packed = behind;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use towline_core::wire::fileset::Compression;

    use super::super::CHUNK;
    use super::super::compressor::Compressor;
    use super::*;

    /// The worked example of wire/2 §2.7.
    const EXAMPLE: &[u8] = b"GZIP\0\0\0\x16\0\x06\0\x01\x78\x9c\xf3\x48\xcd\xc9\xc9\xd7\x51\x70\x4a\x2c\x4a\xcd\x2f\xe6\x02\x00\x23\xd4\x04\xa7";

    #[test]
    fn a_record_is_made_plain_however_it_is_cut() {
        let mut decompressor = Decompressor::default();
        for cut in 0..EXAMPLE.len() {
            let (one, two) = EXAMPLE.split_at(cut);
            assert_eq!(decompressor.take(Stream::COMPRESSED, one, true, false), Ok(None));
            assert_eq!(decompressor.take(Stream::COMPRESSED, two, false, true), Ok(Some(&b"Hello, Bareos\n"[..])));
        }
        assert_eq!(
            decompressor.take(Stream::GZIP_LEGACY, &EXAMPLE[12..], true, true),
            Ok(Some(&b"Hello, Bareos\n"[..]))
        );
    }

    #[test]
    fn what_is_damaged_or_unknown_is_refused() {
        let mut decompressor = Decompressor::default();
        let mut lz4 = EXAMPLE.to_vec();
        lz4[..4].copy_from_slice(b"FZ4L");
        let mut other = EXAMPLE.to_vec();
        other[..4].copy_from_slice(b"ZSTD");
        let unknown = decompressor.take(Stream::COMPRESSED, &other, true, true);
        assert_eq!(unknown.unwrap_err().to_string(), "its compression (ZSTD) is not known here (T0721)");
        let mut damaged = EXAMPLE.to_vec();
        damaged[20] ^= 0xff;
        let mut checksum = EXAMPLE.to_vec();
        *checksum.last_mut().unwrap() ^= 1;
        for record in [&lz4, &damaged, &checksum, &EXAMPLE[..30], &EXAMPLE[..5]] {
            assert!(decompressor.take(Stream::COMPRESSED, record, true, true).is_err());
        }
        assert!(decompressor.take(Stream::GZIP_LEGACY, &EXAMPLE[12..30], true, true).is_err());
        assert_eq!(decompressor.take(Stream::COMPRESSED, EXAMPLE, true, true), Ok(Some(&b"Hello, Bareos\n"[..])));
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
        let mut decompressor = Decompressor::default();
        let outcome = decompressor.take(Stream::GZIP_LEGACY, &deflated(&plain), true, true).unwrap();
        assert!(outcome == Some(&plain[..]));
    }

    #[test]
    fn a_bomb_is_stopped() {
        let mut decompressor = Decompressor::default();
        let outcome = decompressor.take(Stream::GZIP_LEGACY, &deflated(&vec![0; MOST + 300_000]), true, true);
        assert_eq!(outcome, Err(Unable::Damaged("a compressed record holds too many bytes")));
    }

    const ALL: [Compression; 7] = [
        Compression::Gzip(0),
        Compression::Gzip(6),
        Compression::Gzip(9),
        Compression::Lzo,
        Compression::FastLz,
        Compression::Lz4,
        Compression::Lz4Hc,
    ];

    /// What real daemons make of six lines of text.
    const REAL: [(&[u8; 4], &str); 4] = [
        (
            b"LZOX",
            "00186c696e652030206f66206120746578742074686174206765747320736d616c6c65720a6c696e652031203f890032200115013320\
             0189003420018900352a88000e686174206765747320736d616c6c65720a110000",
        ),
        (
            b"FZFZ",
            "466173744c5a00c844000000d20000001f6c696e652030206f66206120746578742074686174206765747320736d616c6c0265720a60\
             220031e019220032e019220033e019220034e019220035e011220265720a466173744c5a00c80000000000000000",
        ),
        (
            b"FZFZ",
            "466173744c5a00c844000000d20000003f6c696e652030206f66206120746578742074686174206765747320736d616c6c0265720a60\
             220031e019220032e019220033e019220034e019220035e011220265720a466173744c5a00c80000000000000000",
        ),
        (
            b"FZ4L",
            "466173744c5a00c846000000d2000000f1146c696e652030206f66206120746578742074686174206765747320736d616c6c65720a23\
             001f3123000f1f3223000f1f3323000f1f3423000f1f35230005506c6c65720a466173744c5a00c80000000000000000",
        ),
    ];

    fn real(magic: &[u8; 4], hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(|byte| *byte != b' ').collect();
        let byte = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap();
        let packed: Vec<u8> = digits.chunks(2).map(byte).collect();
        let length = u32::try_from(packed.len()).unwrap().to_be_bytes();
        [&magic[..], &length, &[0, 1, 0, 1], &packed].concat()
    }

    #[test]
    fn what_real_daemons_have_compressed_is_made_plain() {
        let text: String = (0..6).map(|n| format!("line {n} of a text that gets smaller\n")).collect();
        let mut decompressor = Decompressor::default();
        for (magic, hex) in REAL {
            let record = real(magic, hex);
            let plain = decompressor.take(Stream::COMPRESSED, &record, true, true);
            assert_eq!(plain, Ok(Some(text.as_bytes())), "{}", magic.escape_ascii());
        }
        let hc = real(b"FZ4H", REAL[3].1);
        assert_eq!(decompressor.take(Stream::COMPRESSED, &hc, true, true), Ok(Some(text.as_bytes())));
    }

    #[test]
    fn damage_anywhere_is_an_error_or_other_bytes_and_never_more() {
        let mut decompressor = Decompressor::default();
        for (magic, hex) in REAL {
            let record = real(magic, hex);
            for at in 12..record.len() {
                for bit in 0..8 {
                    let mut damaged = record.clone();
                    damaged[at] ^= 1 << bit;
                    let _ = decompressor.take(Stream::COMPRESSED, &damaged, true, true);
                }
                let mut cut = record[..at].to_vec();
                let length = u32::try_from(at - 12).unwrap();
                cut[4..8].copy_from_slice(&length.to_be_bytes());
                let is_refused = decompressor.take(Stream::COMPRESSED, &cut, true, true).is_err();
                assert!(is_refused, "{}: {at}", magic.escape_ascii());
            }
            assert!(decompressor.take(Stream::COMPRESSED, &record, true, true).is_ok());
        }
    }

    #[test]
    fn a_container_may_hold_16_mib_and_not_one_byte_more() {
        let mut decompressor = Decompressor::default();
        for (more, fits) in [(0, true), (1, false)] {
            // One literal, then a match that repeats it.
            let wanted = MOST + more - 6;
            let mut block = vec![0x1f, b'a', 1, 0];
            block.extend(std::iter::repeat_n(255, (wanted - 19) / 255));
            block.push(((wanted - 19) % 255) as u8);
            block.extend([0x50, b'b', b'b', b'b', b'b', b'b']);
            let length = (wanted + 6) as u32;
            let head = BlockHead { stored: false, packed: block.len() as u32, plain: length };
            let packed = [&head.encode()[..], &block, &BlockHead::END.encode()].concat();
            let head = RecordHead { method: Method::Lz4, length: packed.len() as u32, level: 1 };
            let record = [&head.encode()[..], &packed].concat();
            let outcome = decompressor.take(Stream::COMPRESSED, &record, true, true).map(|plain| plain.unwrap().len());
            assert_eq!(outcome, if fits { Ok(length as usize) } else { Err(TOO_MUCH) });
        }
    }

    /// Compresses and makes plain again, twice: nothing of the first stays.
    fn there_and_back(plain: &[u8], compressor: &mut Compressor, decompressor: &mut Decompressor) {
        for how in ALL {
            for offset in [None, Some(7)] {
                compressor.room(plain.len()).copy_from_slice(plain);
                compressor.compress(how, plain.len(), offset).unwrap();
                let record = compressor.record();
                let record = match offset {
                    Some(_) => record.strip_prefix(&7_u64.to_be_bytes()).unwrap(),
                    None => record,
                };
                assert!(record.len() <= plain.len() + plain.len() / 16 + 67 + 60, "{how:?}: {}", record.len());
                let back = decompressor.take(Stream::COMPRESSED, record, true, true);
                assert!(back == Ok(Some(plain)), "{how:?}: {} bytes", plain.len());
            }
        }
    }

    #[test]
    fn every_length_comes_back_from_every_compression() {
        let (mut compressor, mut decompressor) = (Compressor::default(), Decompressor::default());
        let text: Vec<u8> = (0..40_000_u32).flat_map(|n| format!("{} ", n * n % 1009).into_bytes()).collect();
        for length in (1..80).chain([255, 256, 8_191, 8_194, 49_151, 49_153, 65_536, CHUNK - 1, CHUNK]) {
            there_and_back(&text[..length], &mut compressor, &mut decompressor);
            there_and_back(&vec![0; length], &mut compressor, &mut decompressor);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn whatever_it_is_comes_back(parts in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..40), 1..60_usize), 1..30)) {
            let plain: Vec<u8> = parts.iter().flat_map(|(part, times)| part.repeat(*times)).take(CHUNK).collect();
            there_and_back(&plain, &mut Compressor::default(), &mut Decompressor::default());
        }

        #[test]
        fn nothing_makes_it_fail(magic in prop::sample::select(vec![*b"GZIP", *b"LZOX", *b"FZFZ", *b"FZ4L"]), mut bytes in prop::collection::vec(any::<u8>(), 0..300), contained in any::<bool>(), plain in 0..100_000_u32) {
            if contained {
                let head = BlockHead { stored: false, packed: bytes.len() as u32, plain };
                bytes = [&head.encode()[..], &bytes, &BlockHead::END.encode()].concat();
            }
            let length = (bytes.len() as u32).to_be_bytes();
            let record = [&magic[..], &length, &[0, 1, 0, 1], &bytes].concat();
            let _ = Decompressor::default().take(Stream::COMPRESSED, &record, true, true);
        }
    }
}
