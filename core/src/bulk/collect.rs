//! Collecting attributes and digests for the catalog while a backup is received, `wire/3 §2.4`.

use std::collections::VecDeque;

use super::parcel::Parcel;
use crate::wire::block::Session;
use crate::wire::frame::HEAD;
use crate::wire::stream::Stream;

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
}

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
        }
    }

    /// Begins a record of `length` bytes; `false`, and nothing is begun, when there is no parcel for it.
    pub(super) fn begin(&mut self, file_index: i32, stream: Stream, length: u32) -> bool {
        let payload = self.prefix.len() + 20 + length as usize;
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
    pub(super) fn next_file(&mut self, block: u32) {
        self.closed.iter_mut().filter(|open| open.after.is_none()).for_each(|open| open.next_file(block));
        if let Some(open) = &mut self.current {
            open.next_file(block);
        }
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
