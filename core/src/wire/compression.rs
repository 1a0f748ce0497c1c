//! The heads of compressed data (`wire/2 §2.10`): the one of each record, and the one of each block of the FastLZ container
//! within it.

/// How a record is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// A zlib stream.
    Gzip,
    /// Bare LZO1X.
    Lzo,
    /// Blocks of FastLZ in a container.
    FastLz,
    /// Blocks of LZ4 in a container.
    Lz4,
    /// The same, compressed more slowly and better.
    Lz4Hc,
}

/// Why a record has no such head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// It is shorter than that.
    #[error("a compressed record is shorter than its head")]
    Short,
    /// The head is of another version than 1.
    #[error("the head of a compressed record is of version {0}, and only version 1 is known")]
    Version(u16),
    /// Another length than the record has.
    #[error("a compressed record has another length than its head says")]
    Length,
    /// Compressed in a way that is not known here: the four letters of it.
    #[error("its compression ({}) is not known here", .0.escape_ascii())]
    Method([u8; 4]),
}

/// The head of a record: `magic u32 | length u32 | level u16 | version u16`, big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHead {
    /// How what follows is compressed.
    pub method: Method,
    /// Bytes that follow.
    pub length: u32,
    /// The level of GZIP, 1 for the container, 0 for LZO; restores do not look at it.
    pub level: u16,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Gzip, Self::Lzo, Self::FastLz, Self::Lz4, Self::Lz4Hc];

    const fn magic(self) -> [u8; 4] {
        match self {
            Self::Gzip => *b"GZIP",
            Self::Lzo => *b"LZOX",
            Self::FastLz => *b"FZFZ",
            Self::Lz4 => *b"FZ4L",
            Self::Lz4Hc => *b"FZ4H",
        }
    }
}

impl RecordHead {
    /// Bytes of a head.
    pub const LEN: usize = 12;
    const VERSION: u16 = 1;

    /// The head as it is sent.
    #[must_use]
    pub fn encode(self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        out[..4].copy_from_slice(&self.method.magic());
        out[4..8].copy_from_slice(&self.length.to_be_bytes());
        out[8..10].copy_from_slice(&self.level.to_be_bytes());
        out[10..].copy_from_slice(&Self::VERSION.to_be_bytes());
        out
    }

    /// Takes a record, without a file offset, apart: its head and what follows.
    ///
    /// # Errors
    /// When it is not what its head says, or not known here.
    pub fn split(record: &[u8]) -> Result<(Self, &[u8]), HeadError> {
        let (head, rest) = record.split_first_chunk::<{ Self::LEN }>().ok_or(HeadError::Short)?;
        let [m0, m1, m2, m3, l0, l1, l2, l3, level0, level1, version0, version1] = *head;
        let (magic, length) = ([m0, m1, m2, m3], u32::from_be_bytes([l0, l1, l2, l3]));
        let version = u16::from_be_bytes([version0, version1]);
        if version != Self::VERSION {
            return Err(HeadError::Version(version));
        }
        if usize::try_from(length).ok() != Some(rest.len()) {
            return Err(HeadError::Length);
        }
        let method = Method::ALL.into_iter().find(|method| method.magic() == magic);
        let method = method.ok_or(HeadError::Method(magic))?;
        Ok((Self { method, length, level: u16::from_be_bytes([level0, level1]) }, rest))
    }
}

/// The head of a block of the container: `"FastLZ\0" | kind and size u8 | packed u32 | plain u32`, little-endian. One
/// without bytes ends the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHead {
    /// Whether the bytes stand there as they are.
    pub stored: bool,
    /// Bytes that follow.
    pub packed: u32,
    /// Bytes that they stand for.
    pub plain: u32,
}

impl BlockHead {
    /// Bytes of a head.
    pub const LEN: usize = 16;
    /// Most plain bytes of a block as real daemons write and read them.
    pub const MOST: usize = 262_144;
    /// The last head of a record.
    pub const END: Self = Self { stored: false, packed: 0, plain: 0 };

    const MAGIC: &[u8; 7] = b"FastLZ\0";
    const STORED: u8 = 0x10;
    const COMPRESSED: u8 = 0xc0;
    /// Of [`MOST`](Self::MOST): its power of two, less 10.
    const SIZE: u8 = 8;

    /// The head as it is sent.
    #[must_use]
    pub fn encode(self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        out[..7].copy_from_slice(Self::MAGIC);
        out[7] = Self::SIZE | if self.stored { Self::STORED } else { Self::COMPRESSED };
        out[8..12].copy_from_slice(&self.packed.to_le_bytes());
        out[12..].copy_from_slice(&self.plain.to_le_bytes());
        out
    }

    /// Reads a head, and returns what follows it. `None` if there is none.
    #[must_use]
    pub fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (head, rest) = bytes.split_first_chunk::<{ Self::LEN }>()?;
        let [magic @ .., kind, p0, p1, p2, p3, o0, o1, o2, o3] = head;
        let stored = match kind & 0xf0 {
            Self::STORED => true,
            Self::COMPRESSED => false,
            _ => return None,
        };
        let number = |bytes: [&u8; 4]| u32::from_le_bytes(bytes.map(|byte| *byte));
        let head = Self { stored, packed: number([p0, p1, p2, p3]), plain: number([o0, o1, o2, o3]) };
        (magic == Self::MAGIC).then_some((head, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_the_worked_example_is_read_and_written() {
        let record = b"GZIP\0\0\0\x16\0\x06\0\x01\x78\x9c\xf3\x48\xcd\xc9\xc9\xd7\x51\x70\x4a\x2c\x4a\xcd\x2f\xe6\x02\x00\x23\xd4\x04\xa7";
        let (head, rest) = RecordHead::split(record).unwrap();
        assert_eq!((head, rest.len()), (RecordHead { method: Method::Gzip, length: 22, level: 6 }, 22));
        assert_eq!(head.encode(), record[..12]);
        for method in Method::ALL {
            let head = RecordHead { method, length: 2, level: 1 };
            let record = [&head.encode()[..], b"ab"].concat();
            assert_eq!(RecordHead::split(&record), Ok((head, &b"ab"[..])));
            assert_eq!(RecordHead::split(&record[..13]), Err(HeadError::Length));
            assert_eq!(RecordHead::split(&record[..11]), Err(HeadError::Short));
            let newer = [&record[..11], b"\x02ab"].concat();
            assert_eq!(RecordHead::split(&newer), Err(HeadError::Version(2)));
        }
        let unknown = RecordHead::split(b"ZSTD\0\0\0\x01\0\x01\0\x01x").unwrap_err();
        assert_eq!(unknown.to_string(), "its compression (ZSTD) is not known here");
    }

    #[test]
    fn the_head_of_a_block_is_what_real_daemons_write() {
        let block = BlockHead { stored: false, packed: 0x0102_0304, plain: 9 };
        assert_eq!(&block.encode(), b"FastLZ\0\xc8\x04\x03\x02\x01\x09\0\0\0");
        let stored = BlockHead { stored: true, packed: 9, plain: 9 };
        assert_eq!(&stored.encode(), b"FastLZ\0\x18\x09\0\0\0\x09\0\0\0");
        for head in [block, stored, BlockHead::END] {
            let bytes = [&head.encode()[..], b"rest"].concat();
            assert_eq!(BlockHead::split(&bytes), Some((head, &b"rest"[..])));
            for at in 0..7 {
                let mut other = bytes.clone();
                other[at] ^= 1;
                assert_eq!(BlockHead::split(&other), None);
            }
            assert_eq!(BlockHead::split(&bytes[..15]), None);
        }
        assert_eq!(BlockHead::split(b"FastLZ\0\x28\0\0\0\0\0\0\0\0"), None);
    }
}
