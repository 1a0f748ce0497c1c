//! Collecting attributes and digests for the catalog while a backup is received, `wire/3 §2.4`.

use std::collections::VecDeque;

use super::parcel::Parcel;
use crate::wire::block::Session;
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
    current: Option<Parcel>,
    /// The block after which `current` may go; `None` when it has records of the file being received.
    current_after: Option<u32>,
    closed: VecDeque<(Parcel, Option<u32>)>,
    empty: Vec<Parcel>,
    unborn: usize,
    under_way: usize,
}

impl Collector {
    pub(super) fn new(session: Session, prefix: Vec<u8>) -> Self {
        Self {
            session,
            prefix,
            current: None,
            current_after: None,
            closed: VecDeque::with_capacity(MAX_PARCELS),
            empty: Vec::with_capacity(MAX_PARCELS),
            unborn: MAX_PARCELS,
            under_way: 0,
        }
    }

    /// Begins a record of `length` bytes; `false`, and nothing is begun, when there is no parcel for it.
    pub(super) fn begin(&mut self, file_index: i32, stream: Stream, length: u32) -> bool {
        let payload = self.prefix.len() + 20 + length as usize;
        if self.current.as_ref().is_some_and(|parcel| !parcel.is_empty() && parcel.room() < 4 + payload) {
            self.close();
        }
        if self.current.is_none() {
            self.current = self.empty.pop().or_else(|| {
                self.unborn = self.unborn.checked_sub(1)?;
                Some(Parcel::new())
            });
        }
        let Some(parcel) = &mut self.current else { return false };
        let out = &mut parcel.bytes;
        out.extend_from_slice(&(payload as u32).to_be_bytes());
        out.extend_from_slice(&self.prefix);
        out.extend_from_slice(&self.session.id.to_be_bytes());
        out.extend_from_slice(&self.session.time.to_be_bytes());
        out.extend_from_slice(&file_index.to_be_bytes());
        out.extend_from_slice(&stream.0.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        parcel.frames += 1;
        self.current_after = None;
        true
    }

    /// Takes the next bytes of the record.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if let Some(parcel) = &mut self.current {
            parcel.bytes.extend_from_slice(bytes);
        }
    }

    /// The file before has ended, and its last byte is in this block.
    pub(super) fn next_file(&mut self, block: u32) {
        for (_, after) in &mut self.closed {
            after.get_or_insert(block);
        }
        self.current_after.get_or_insert(block);
    }

    /// The last file has ended, and its last byte is in this block.
    pub(super) fn end(&mut self, block: u32) {
        self.next_file(block);
        self.close();
    }

    pub(super) fn poll(&mut self) -> Option<Attributes> {
        let after_block = self.closed.front()?.1?;
        let (parcel, _) = self.closed.pop_front()?;
        self.under_way += 1;
        Some(Attributes { parcel, after_block })
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
        !self.has_room() && self.under_way == 0 && self.closed.iter().all(|(_, after)| after.is_none())
    }

    fn close(&mut self) {
        if let Some(parcel) = self.current.take_if(|parcel| !parcel.is_empty()) {
            self.closed.push_back((parcel, self.current_after));
        }
    }
}
