//! Frames for the catalog, gathered into parcels: 80,000 records a second are too many to be messages of their own.

use std::collections::VecDeque;

use crate::bulk::parcel::Parcel;
use crate::wire::frame::{HEAD, Head};

/// What a frame for the catalog begins with (`wire/3 §2.4`).
pub(super) const UPDATE: &[u8] = b"UpdCat ";

/// Collects whole frames, heads included.
#[derive(Debug, Default)]
pub(super) struct Gather {
    filling: Parcel,
    full: VecDeque<Parcel>,
}

impl Gather {
    /// Adds a frame's payload.
    pub(super) fn add(&mut self, payload: &[u8]) {
        if !self.filling.is_empty() && self.filling.room() < payload.len() + HEAD {
            self.flush();
        }
        if self.filling.bytes.capacity() == 0 {
            self.filling = Parcel::new();
        }
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        self.filling.bytes.extend_from_slice(&Head::Data(length).bytes());
        self.filling.bytes.extend_from_slice(payload);
        self.filling.frames += 1;
    }

    /// Ends the parcel being filled, if anything is in it.
    pub(super) fn flush(&mut self) {
        if !self.filling.is_empty() {
            self.full.push_back(std::mem::take(&mut self.filling));
        }
    }

    /// The next parcel that is full or flushed.
    pub(super) fn poll(&mut self) -> Option<Parcel> {
        self.full.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::PARCEL;

    #[test]
    fn a_parcel_holds_whole_frames_and_at_most_256_kib() {
        let mut gather = Gather::default();
        let payload = vec![b'x'; PARCEL / 2 - HEAD];
        gather.add(&payload);
        gather.add(&payload);
        assert!(gather.poll().is_none());
        gather.add(b"y");
        let parcel = gather.poll().unwrap();
        assert_eq!((parcel.bytes.len(), parcel.frames), (PARCEL, 2));
        gather.flush();
        let parcel = gather.poll().unwrap();
        assert_eq!((&parcel.bytes[..], parcel.frames), (&[0, 0, 0, 1, b'y'][..], 1));
        gather.flush();
        assert!(gather.poll().is_none());
    }

    #[test]
    fn a_frame_longer_than_a_parcel_has_one_of_its_own() {
        let mut gather = Gather::default();
        gather.add(b"a");
        gather.add(&vec![b'x'; PARCEL]);
        gather.add(b"b");
        gather.flush();
        let sizes: Vec<usize> = std::iter::from_fn(|| gather.poll()).map(|parcel| parcel.bytes.len()).collect();
        assert_eq!(sizes, [5, PARCEL + HEAD, 5]);
    }
}
