//! One `UpdCat` frame (`wire/3 §2.4`): a text head, a binary head in big-endian order, and a record.

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UpdCat<'a> {
    /// Position of the file in its job.
    pub(crate) file_index: i32,
    /// The stream, unmasked.
    pub(crate) stream: i32,
    /// The record.
    pub(crate) record: &'a [u8],
}

const TEXT_HEAD: &[u8] = b"UpdCat Job=";
const TEXT_END: &[u8] = b" FileAttributes ";

impl<'a> UpdCat<'a> {
    /// Reads a frame; the sessions' ids are not needed, since the connection says which job it is.
    pub(crate) fn parse(payload: &'a [u8]) -> Result<Self, &'static str> {
        let text = payload.strip_prefix(TEXT_HEAD).ok_or("no UpdCat at the beginning")?;
        // A name on the wire holds no blank, so the first blank ends it.
        let name = text.iter().position(|&b| b == b' ').ok_or("no blank behind the job's name")?;
        let binary = text.get(name..).and_then(|t| t.strip_prefix(TEXT_END)).ok_or("no FileAttributes")?;
        let (_session, binary) = binary.split_first_chunk::<8>().ok_or("the binary head is cut")?;
        let (file_index, binary) = binary.split_first_chunk::<4>().ok_or("the binary head is cut")?;
        let (stream, binary) = binary.split_first_chunk::<4>().ok_or("the binary head is cut")?;
        let (length, binary) = binary.split_first_chunk::<4>().ok_or("the binary head is cut")?;
        let length = u32::from_be_bytes(*length) as usize;
        let record = binary.get(..length).ok_or("the record is shorter than its head says")?;
        Ok(Self { file_index: i32::from_be_bytes(*file_index), stream: i32::from_be_bytes(*stream), record })
    }
}

/// The attribute record: `FileIndex FileType FileName\0LStat\0LinkName\0AttrEx\0DeltaSeq\0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attributes<'a> {
    /// Kind of file.
    pub(crate) file_type: u32,
    /// The whole name.
    pub(crate) name: &'a [u8],
    /// Encoded attributes.
    pub(crate) lstat: &'a [u8],
    /// Part number of a delta.
    pub(crate) delta_seq: u32,
}

impl<'a> Attributes<'a> {
    /// Reads a record; old clients send no delta.
    pub(crate) fn parse(record: &'a [u8]) -> Result<Self, &'static str> {
        let mut parts = record.split(|&b| b == 0);
        let head = parts.next().unwrap_or_default();
        let mut words = head.splitn(3, |&b| b == b' ');
        let _index = words.next();
        let file_type = words.next().and_then(number).ok_or("no file type")?;
        let name = words.next().filter(|n| !n.is_empty()).ok_or("no file name")?;
        let lstat = parts.next().ok_or("no attributes behind the name")?;
        let delta_seq = parts.nth(2).and_then(number).unwrap_or(0);
        Ok(Self { file_type, name, lstat, delta_seq })
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.trim().parse().ok()
}
