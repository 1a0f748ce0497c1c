//! Attribute records: what a file is called and what `stat` says of it, `wire/2 §2.5`.

use std::io::Write as _;

use super::base64;
use super::stream::{FileType, Stream};

/// What `lstat` says of a file, and three numbers Bareos keeps beside it, `wire/2 §2.5`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// Device the file is on.
    pub dev: u64,
    /// Inode.
    pub ino: u64,
    /// Permissions and type bits.
    pub mode: u32,
    /// Number of hard links.
    pub nlink: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Device number of a device node.
    pub rdev: u64,
    /// Size in bytes.
    pub size: i64,
    /// Preferred size of a read, in bytes.
    pub blksize: i64,
    /// Blocks of 512 bytes in use.
    pub blocks: i64,
    /// Last access, in seconds since 1970.
    pub atime: i64,
    /// Last change of the contents, in seconds since 1970.
    pub mtime: i64,
    /// Last change of the attributes, in seconds since 1970.
    pub ctime: i64,
    /// FileIndex of the first saved name of a hard link, else 0.
    pub link_fi: i32,
    /// BSD file flags, 0 where the system has none.
    pub flags: u32,
    /// The stream in which data of the file is or would be sent, 0 when not said.
    pub data_stream: Stream,
}

impl Stat {
    /// An upper bound of what [`encode`](Self::encode) appends, in bytes.
    pub const MAX_ENCODED: usize = 16 * 13;

    /// Appends the text form: 16 base-64 numbers with single spaces between them.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for (position, field) in self.fields().into_iter().enumerate() {
            if position > 0 {
                out.push(b' ');
            }
            base64::put_number(out, field);
        }
    }

    /// Reads the text form. Never fails: a field that is missing is 0, as the daemons have it.
    #[must_use]
    pub fn decode(text: &[u8]) -> Self {
        let mut fields = [0_i64; 16];
        let words = text.split(|&b| b == b' ' || b == 0).filter(|word| !word.is_empty());
        for (field, mut word) in fields.iter_mut().zip(words) {
            *field = base64::take_number(&mut word);
        }
        Self::from_fields(&fields)
    }

    #[expect(clippy::cast_possible_wrap, reason = "the wire carries the bits as a signed number")]
    const fn fields(&self) -> [i64; 16] {
        [
            self.dev as i64,
            self.ino as i64,
            self.mode as i64,
            self.nlink as i64,
            self.uid as i64,
            self.gid as i64,
            self.rdev as i64,
            self.size,
            self.blksize,
            self.blocks,
            self.atime,
            self.mtime,
            self.ctime,
            self.link_fi as i64,
            self.flags as i64,
            self.data_stream.0 as i64,
        ]
    }

    const fn from_fields(fields: &[i64; 16]) -> Self {
        Self {
            dev: fields[0] as u64,
            ino: fields[1] as u64,
            mode: fields[2] as u32,
            nlink: fields[3] as u64,
            uid: fields[4] as u32,
            gid: fields[5] as u32,
            rdev: fields[6] as u64,
            size: fields[7],
            blksize: fields[8],
            blocks: fields[9],
            atime: fields[10],
            mtime: fields[11],
            ctime: fields[12],
            link_fi: fields[13] as i32,
            flags: fields[14] as u32,
            data_stream: Stream(fields[15] as i32),
        }
    }
}

/// An attribute record, borrowed. Names are bytes: they need not be UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttributeRecord<'a> {
    /// Counts the files of a job from 1.
    pub file_index: i32,
    /// What the entry is, as sent; [`FileType::from_number`] names it.
    pub file_type: u32,
    /// The full path.
    pub name: &'a [u8],
    /// The text form of a [`Stat`].
    pub lstat: &'a [u8],
    /// Target of a symbolic link, or first saved name of a hard link.
    pub link: &'a [u8],
    /// Attributes of other systems; empty on Unix.
    pub attrs_ex: &'a [u8],
    /// Position in a chain of deltas, normally 0.
    pub delta_seq: i32,
}

/// Why an attribute record cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttributeError {
    /// No FileIndex where it should be.
    #[error("attribute record without a file index")]
    FileIndex,
    /// No file type where it should be.
    #[error("attribute record without a file type")]
    FileType,
    /// The name is empty or does not end.
    #[error("attribute record without a name")]
    Name,
    /// No encoded stat after the name.
    #[error("attribute record without stat fields")]
    Stat,
}

impl<'a> AttributeRecord<'a> {
    /// Reads a record. What follows the stat fields may be missing, as old clients send it.
    ///
    /// # Errors
    /// When one of the leading four fields is missing.
    pub fn parse(record: &'a [u8]) -> Result<Self, AttributeError> {
        let (file_index, rest) = decimal(record).ok_or(AttributeError::FileIndex)?;
        let (file_type, rest) = decimal(rest).ok_or(AttributeError::FileType)?;
        let file_type = u32::try_from(file_type).map_err(|_| AttributeError::FileType)?;
        let (name, rest) = text(rest).ok_or(AttributeError::Name)?;
        if name.is_empty() {
            return Err(AttributeError::Name);
        }
        let mut fields = rest.split(|&b| b == 0);
        let lstat = fields.next().filter(|field| !field.is_empty()).ok_or(AttributeError::Stat)?;
        let link = fields.next().unwrap_or_default();
        let attrs_ex = fields.next().unwrap_or_default();
        let delta_seq = fields.next().and_then(decimal).map_or(0, |(delta, _)| delta);
        Ok(Self { file_index, file_type, name, lstat, link, attrs_ex, delta_seq })
    }

    /// The type of the entry, if it is one we know.
    #[must_use]
    pub const fn kind(&self) -> Option<FileType> {
        FileType::from_number(self.file_type)
    }

    /// The stat fields as numbers.
    #[must_use]
    pub fn stat(&self) -> Stat {
        Stat::decode(self.lstat)
    }
}

/// What goes into an attribute record.
#[derive(Clone, Copy, Debug)]
pub struct NewAttributes<'a> {
    /// What the entry is.
    pub file_type: FileType,
    /// The full path; ends in a slash for directories.
    pub name: &'a [u8],
    /// What `lstat` said.
    pub stat: &'a Stat,
    /// Target of a symbolic link, or first saved name of a hard link.
    pub link: &'a [u8],
    /// Attributes of other systems; empty on Unix.
    pub attrs_ex: &'a [u8],
    /// Position in a chain of deltas, normally 0.
    pub delta_seq: i32,
}

impl NewAttributes<'_> {
    /// An upper bound of what [`encode`](Self::encode) appends, in bytes.
    #[must_use]
    pub const fn max_encoded(&self) -> usize {
        // Three decimal numbers of at most 11 digits, two blanks, five NULs.
        self.name.len() + self.link.len() + self.attrs_ex.len() + Stat::MAX_ENCODED + 3 * 11 + 2 + 5
    }

    /// Appends the record. Allocates nothing when `out` has room for [`max_encoded`](Self::max_encoded) bytes.
    pub fn encode(&self, file_index: i32, out: &mut Vec<u8>) {
        // Writing into a vector cannot fail.
        let _ = write!(out, "{file_index} {} ", self.file_type.number());
        out.extend_from_slice(self.name);
        out.push(0);
        self.stat.encode(out);
        out.push(0);
        out.extend_from_slice(self.link);
        out.push(0);
        out.extend_from_slice(self.attrs_ex);
        out.push(0);
        let _ = write!(out, "{}\0", self.delta_seq);
    }
}

/// A decimal number up to the next blank or NUL, and what is after that.
fn decimal(input: &[u8]) -> Option<(i32, &[u8])> {
    let end = input.iter().position(|&b| b == b' ' || b == 0).unwrap_or(input.len());
    let number = std::str::from_utf8(&input[..end]).ok()?.parse().ok()?;
    Some((number, input.get(end + 1..).unwrap_or_default()))
}

/// The bytes before the next NUL, and those after it.
fn text(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = input.iter().position(|&b| b == 0)?;
    Some((&input[..end], &input[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hello() -> Stat {
        Stat {
            dev: 2049,
            ino: 131_081,
            mode: 0o100_644,
            nlink: 1,
            uid: 1000,
            gid: 1000,
            size: 14,
            blksize: 4096,
            blocks: 8,
            atime: 1_700_000_000,
            mtime: 1_700_000_100,
            ctime: 1_700_000_100,
            data_stream: Stream::FILE_DATA,
            ..Stat::default()
        }
    }

    fn record(name: &[u8], file_type: FileType, stat: &Stat, link: &[u8], file_index: i32) -> Vec<u8> {
        let mut out = Vec::new();
        let new = NewAttributes { file_type, name, stat, link, attrs_ex: b"", delta_seq: 0 };
        new.encode(file_index, &mut out);
        assert!(out.len() <= new.max_encoded());
        out
    }

    #[test]
    fn the_worked_example_comes_out_byte_for_byte() {
        let expected = b"1 3 /tmp/hello.txt\0gB gAJ IGk B Po Po A O BAA I BlU/EA BlU/Fk BlU/Fk A A C\0\0\x000\0";
        assert_eq!(record(b"/tmp/hello.txt", FileType::Regular, &hello(), b"", 1), expected);
        assert_eq!(expected.len(), 79);
        let parsed = AttributeRecord::parse(expected).unwrap();
        assert_eq!((parsed.file_index, parsed.kind(), parsed.delta_seq), (1, Some(FileType::Regular), 0));
        assert_eq!((parsed.name, parsed.link, parsed.attrs_ex), (&b"/tmp/hello.txt"[..], &b""[..], &b""[..]));
        assert_eq!(parsed.stat(), hello());
    }

    #[test]
    fn a_second_hard_link_names_the_first() {
        let stat = Stat { nlink: 2, link_fi: 1, ..hello() };
        let expected =
            b"2 1 /tmp/hello2.txt\0gB gAJ IGk C Po Po A O BAA I BlU/EA BlU/Fk BlU/Fk B A C\0/tmp/hello.txt\0\x000\0";
        assert_eq!(record(b"/tmp/hello2.txt", FileType::HardLink, &stat, b"/tmp/hello.txt", 2), expected);
        assert_eq!(AttributeRecord::parse(expected).unwrap().link, b"/tmp/hello.txt");
    }

    #[test]
    fn the_stat_of_a_real_volume_is_read() {
        let stat = Stat::decode(b"P4A nyXJ IGk C A A A M BAA I BrBDUy BrBDUy BrBDUy A A C");
        assert_eq!((stat.dev, stat.ino, stat.mode, stat.nlink), (65024, 10_429_897, 0o100_644, 2));
        assert_eq!((stat.size, stat.blksize, stat.blocks, stat.mtime), (12, 4096, 8, 1_795_437_874));
    }

    #[test]
    fn missing_trailing_fields_are_zero() {
        let stat = Stat::decode(b"gB gAJ IGk B Po Po A O BAA I BlU/EA BlU/Fk BlU/Fk");
        assert_eq!(stat, Stat { data_stream: Stream(0), ..hello() });
        let parsed = AttributeRecord::parse(b"7 3 /a\0gB\0").unwrap();
        assert_eq!((parsed.link, parsed.delta_seq, parsed.stat().dev), (&b""[..], 0, 2049));
    }

    #[test]
    fn broken_records_say_what_is_missing() {
        for (record, error) in [
            (&b""[..], AttributeError::FileIndex),
            (b"x 3 /a\0A\0", AttributeError::FileIndex),
            (b"99999999999 3 /a\0A\0", AttributeError::FileIndex),
            (b"1 ", AttributeError::FileType),
            (b"1 -3 /a\0A\0", AttributeError::FileType),
            (b"1 3 /a", AttributeError::Name),
            (b"1 3 \0A\0", AttributeError::Name),
            (b"1 3 /a\0", AttributeError::Stat),
        ] {
            assert_eq!(AttributeRecord::parse(record), Err(error), "{record:?}");
        }
    }

    proptest! {
        #[test]
        fn any_stat_survives(dev: u64, ino: u64, mode: u32, size: i64, mtime: i64, link_fi: i32, flags: u32, stream: i32) {
            let stat = Stat { dev, ino, mode, size, mtime, link_fi, flags, data_stream: Stream(stream), ..hello() };
            let mut text = Vec::new();
            stat.encode(&mut text);
            prop_assert!(text.len() <= Stat::MAX_ENCODED);
            prop_assert_eq!(Stat::decode(&text), stat);
        }

        #[test]
        fn any_name_survives(name in prop::collection::vec(1..=255_u8, 1..64), link in prop::collection::vec(1..=255_u8, 0..64)) {
            let bytes = record(&name, FileType::Symlink, &hello(), &link, i32::MAX);
            let parsed = AttributeRecord::parse(&bytes).unwrap();
            prop_assert_eq!((parsed.name, parsed.link), (&name[..], &link[..]));
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes: Vec<u8>) {
            if let Ok(record) = AttributeRecord::parse(&bytes) {
                let _ = record.stat();
            }
        }
    }
}
