//! Collecting attributes and digests for the catalog while a backup is received, `wire/3 §2.4`.

use std::collections::VecDeque;

use super::parcel::Parcel;
use crate::wire::attributes::{AttributeRecord, Stat};
use crate::wire::block::Session;
use crate::wire::digest::marks_unread;
use crate::wire::frame::HEAD;
use crate::wire::stream::{FileType, Stream};

/// Most parcels of attributes a receiver has, full, empty or under way.
pub const MAX_PARCELS: usize = 8;

/// Whole `UpdCat` frames for the director, in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Attributes {
    /// The frames.
    pub parcel: Parcel,
    /// The number of the block that must be on the volume before the director hears of them: only then is all of every file
    /// in them safe.
    pub after_block: u32,
}

/// Fills parcels. One is handed out when it is full and the file of its last record has ended.
#[derive(Debug)]
pub(super) struct Collector {
    session: Session,
    prefix: Vec<u8>,
    current: Option<Open>,
    closed: VecDeque<Open>,
    empty: Vec<Parcel>,
    unborn: usize,
    under_way: usize,
    /// Whether the file being received has had anything that may be its contents.
    has_contents: bool,
}

/// Bytes of binary numbers between the prefix and the record.
const NUMBERS: usize = 20;

#[derive(Debug)]
struct Open {
    parcel: Parcel,
    /// The block after which the parcel may go; `None` while it has records of the file being received.
    after: Option<u32>,
    /// Bytes and frames before those of the file being received, and the block after which they may go.
    before: (usize, u32, u32),
}

impl Open {
    /// The file of the last records has ended, and its last byte is in this block.
    fn next_file(&mut self, block: u32) {
        self.after.get_or_insert(block);
        self.before = (self.parcel.bytes.len(), self.parcel.frames, block);
    }

    /// The records of the file being received, each with its stream.
    fn records(&self, prefix: usize) -> impl Iterator<Item = (Stream, &[u8])> {
        let mut rest = self.parcel.bytes.get(self.before.0..).unwrap_or_default();
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk::<HEAD>()?;
            let (payload, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
            rest = after;
            let (numbers, record) = payload.get(prefix..)?.split_first_chunk::<NUMBERS>()?;
            let stream = numbers.get(12..16)?.first_chunk()?;
            Some((Stream(i32::from_be_bytes(*stream)).kind(), record))
        })
    }

    /// Drops what belongs to the file being received.
    fn give_up(&mut self) {
        if self.after.is_none() {
            let (bytes, frames, block) = self.before;
            self.parcel.bytes.truncate(bytes);
            self.parcel.frames = frames;
            self.after = Some(block);
        }
    }
}

impl Collector {
    pub(super) fn new(session: Session, prefix: Vec<u8>) -> Self {
        Self {
            session,
            prefix,
            current: None,
            closed: VecDeque::with_capacity(MAX_PARCELS),
            empty: Vec::with_capacity(MAX_PARCELS),
            unborn: MAX_PARCELS,
            under_way: 0,
            has_contents: false,
        }
    }

    /// A record of the file being received begins in this stream, whether it is for the catalog or not.
    pub(super) const fn saw(&mut self, stream: Stream) {
        let is_about_it = stream.is_for_catalog() || stream.is_acl() || stream.is_xattr();
        self.has_contents |= !is_about_it;
    }

    /// Begins a record of `length` bytes; `false`, and nothing is begun, when there is no parcel for it.
    pub(super) fn begin(&mut self, file_index: i32, stream: Stream, length: u32) -> bool {
        let payload = self.prefix.len() + NUMBERS + length as usize;
        let is_full = |open: &Open| !open.parcel.is_empty() && open.parcel.room() < HEAD + payload;
        if self.current.as_ref().is_some_and(is_full) {
            self.close();
        }
        if self.current.is_none() {
            let parcel = self.empty.pop().or_else(|| {
                self.unborn = self.unborn.checked_sub(1)?;
                Some(Parcel::new())
            });
            self.current = parcel.map(|parcel| Open { parcel, after: None, before: (0, 0, 0) });
        }
        let Some(open) = &mut self.current else { return false };
        open.after = None;
        open.parcel.frames += 1;
        let out = &mut open.parcel.bytes;
        out.extend_from_slice(&(payload as u32).to_be_bytes());
        out.extend_from_slice(&self.prefix);
        out.extend_from_slice(&self.session.id.to_be_bytes());
        out.extend_from_slice(&self.session.time.to_be_bytes());
        out.extend_from_slice(&file_index.to_be_bytes());
        out.extend_from_slice(&stream.0.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        true
    }

    /// Takes the next bytes of the record.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if let Some(open) = &mut self.current {
            open.parcel.bytes.extend_from_slice(bytes);
        }
    }

    /// The file before has ended, and its last byte is in this block.
    ///
    /// The catalog does not hear of it if its contents are not there: then a restore would put an empty file, or a part of
    /// one, over a living one (`wire/2 §2.5`).
    pub(super) fn next_file(&mut self, block: u32) {
        if self.is_unread() {
            self.closed.iter_mut().chain(&mut self.current).for_each(Open::give_up);
        }
        self.has_contents = false;
        self.closed.iter_mut().filter(|open| open.after.is_none()).for_each(|open| open.next_file(block));
        if let Some(open) = &mut self.current {
            open.next_file(block);
        }
    }

    /// Whether the file being received is a regular one without the contents that it should have, or its client says that
    /// they are not whole.
    fn is_unread(&self) -> bool {
        let of_file = self.closed.iter().chain(&self.current).filter(|open| open.after.is_none());
        of_file.flat_map(|open| open.records(self.prefix.len())).any(|(stream, record)| {
            if stream.is_digest() {
                return marks_unread(record);
            }
            !self.has_contents
                && stream.is_attributes()
                && AttributeRecord::parse(record).is_ok_and(|attributes| {
                    attributes.kind() == Some(FileType::Regular) && Stat::decode(attributes.lstat).size > 0
                })
        })
    }

    /// The last file has ended, and its last byte is in this block.
    pub(super) fn end(&mut self, block: u32) {
        self.next_file(block);
        self.close();
    }

    /// The file being received will not be finished: the catalog must not hear of it.
    pub(super) fn give_up(&mut self) {
        self.closed.iter_mut().chain(&mut self.current).for_each(Open::give_up);
        self.close();
    }

    pub(super) fn poll(&mut self) -> Option<Attributes> {
        loop {
            let after_block = self.closed.front()?.after?;
            let Open { parcel, .. } = self.closed.pop_front()?;
            self.under_way += 1;
            if !parcel.is_empty() {
                return Some(Attributes { parcel, after_block });
            }
            self.give(parcel);
        }
    }

    pub(super) fn give(&mut self, mut parcel: Parcel) {
        self.under_way = self.under_way.saturating_sub(1);
        if self.empty.len() < MAX_PARCELS {
            parcel.clear();
            self.empty.push(parcel);
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.current.is_some() || !self.empty.is_empty() || self.unborn > 0
    }

    /// Whether no parcel will ever come back: all are full of records of the file being received.
    pub(super) fn is_stuck(&self) -> bool {
        !self.has_room() && self.under_way == 0 && self.closed.iter().all(|open| open.after.is_none())
    }

    fn close(&mut self) {
        self.closed.extend(self.current.take_if(|open| !open.parcel.is_empty()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::PARCEL;

    /// What is told of files 1 to 3, of which the second has these records.
    fn told(records: &[(Stream, &[u8])]) -> Vec<i32> {
        let mut collector = Collector::new(Session::default(), b"UpdCat ".to_vec());
        let folder: &[(Stream, &[u8])] = &[(Stream::ATTRIBUTES, b"1 5 /a/\0A\0\0\x000\0")];
        for (index, records) in (1..).zip([folder, records, folder]) {
            for (stream, record) in records {
                collector.saw(*stream);
                if stream.is_for_catalog() {
                    assert!(collector.begin(index, *stream, record.len() as u32));
                    collector.push(record);
                }
            }
            collector.next_file(0);
        }
        collector.end(0);
        let Attributes { parcel, .. } = collector.poll().unwrap();
        let (mut rest, mut indexes) = (&parcel.bytes[..], Vec::new());
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let (payload, after) = after.split_at(u32::from_be_bytes(*length) as usize);
            indexes.push(i32::from_be_bytes(*payload[7 + 8..].first_chunk().unwrap()));
            rest = after;
        }
        assert_eq!(parcel.frames as usize, indexes.len());
        indexes
    }

    #[test]
    fn the_catalog_does_not_hear_of_a_file_whose_contents_are_not_there() {
        let file = |kind: u8, size: u8| {
            let lstat = [b"A A IGk B A A A ", [size].as_slice(), b" A A A A A A A C"].concat();
            [b"2 ".as_slice(), &[kind], b" /a/f\0", &lstat, b"\0\0\x000\0"].concat()
        };
        let (zeros, digest, data) = ([0; 16], [7; 16], b"data".as_slice());
        let attributes = Stream::ATTRIBUTES;
        let whole = file(b'3', b'E');
        assert_eq!(told(&[(attributes, &whole), (Stream::FILE_DATA, data)]), [1, 2, 3]);
        assert_eq!(told(&[(attributes, &whole), (Stream(30), data), (Stream::MD5, &digest)]), [1, 2, 2, 3]);
        // It could not be opened, though its rights could be read; or it could not be read to its end.
        assert_eq!(told(&[(attributes, &whole)]), [1, 3]);
        assert_eq!(
            told(&[(attributes, &whole), (Stream::XATTR_LINUX, b"x"), (Stream::ACL_LINUX_ACCESS, b"x")]),
            [1, 3]
        );
        assert_eq!(told(&[(attributes, &whole), (Stream::FILE_DATA, data), (Stream::MD5, &zeros)]), [1, 3]);
        // What has no contents of its own.
        assert_eq!(told(&[(attributes, &file(b'3', b'A'))]), [1, 2, 3]);
        for kind in [b'1', b'2', b'4', b'5', b'6'] {
            assert_eq!(told(&[(attributes, &file(kind, b'E'))]), [1, 2, 3], "{kind}");
        }
    }

    #[test]
    fn eight_parcels_of_attributes_exist_and_no_ninth() {
        let mut collector = Collector::new(Session::default(), Vec::new());
        let length = (PARCEL - HEAD - 20) as u32;
        for n in 0..MAX_PARCELS {
            assert!(collector.begin(1, Stream::ATTRIBUTES, length), "parcel {n}");
            collector.push(&vec![b'a'; length as usize]);
        }
        assert!(!collector.begin(1, Stream::ATTRIBUTES, length));
        assert!(collector.is_stuck(), "all of them are of one file");
        collector.next_file(0);
        let first = collector.poll().unwrap();
        assert_eq!(first.parcel.bytes.len(), PARCEL);
        collector.give(first.parcel);
        assert!(collector.begin(2, Stream::ATTRIBUTES, length), "the memory of the first is used again");
    }
}
