//! What waits to be written: frames and parcels in order, sealed just before they go if the connection has TLS.
//!
//! ```text
//!   clear:  items ------------------------> one writev of up to 64 slices
//!   TLS:    items -> seal, 256 KiB a time -> out -> write
//! ```

use std::collections::VecDeque;
use std::io::IoSlice;

use crate::bulk::parcel::Parcel;
use crate::error::TlsError;
use crate::limits::PARCEL;
use crate::tls::Session;

/// Slices of one `writev(2)`.
const SLICES: usize = 64;

/// Whom a parcel goes back to once it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Back {
    Node,
    Machine,
}

#[derive(Debug)]
enum Item {
    Bytes(Vec<u8>),
    Parcel(Parcel, Back),
}

impl Item {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Parcel(parcel, _) => &parcel.bytes,
        }
    }
}

/// The queue of one connection.
#[derive(Debug, Default)]
pub(super) struct Tx {
    items: VecDeque<Item>,
    /// Bytes of the first item that are written or sealed.
    head: usize,
    /// Bytes of all items that are not written or sealed.
    waiting: usize,
    /// Sealed bytes, and replies of the handshake.
    out: Vec<u8>,
    /// Bytes of `out` that are written.
    out_at: usize,
    /// Parcels whose bytes are in `out`.
    sealed: Vec<(Parcel, Back)>,
    /// Parcels that are written.
    sent: VecDeque<(Parcel, Back)>,
}

impl Tx {
    /// Bytes that wait.
    pub(super) fn queued(&self) -> usize {
        self.waiting + self.out.len() - self.out_at
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queued() == 0
    }

    pub(super) fn push(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.waiting += bytes.len();
            self.items.push_back(Item::Bytes(bytes));
        }
    }

    pub(super) fn push_parcel(&mut self, parcel: Parcel, back: Back) {
        if parcel.is_empty() && self.is_empty() {
            return self.sent.push_back((parcel, back));
        }
        self.waiting += parcel.bytes.len();
        self.items.push_back(Item::Parcel(parcel, back));
    }

    /// Where an engine puts its records.
    pub(super) const fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Seals the next 256 KiB once all that was sealed before is written.
    pub(super) fn seal(&mut self, engine: &mut dyn Session) -> Result<(), TlsError> {
        if self.out_at < self.out.len() || self.waiting == 0 {
            return Ok(());
        }
        let (slices, taken) = front(&self.items, self.head, PARCEL, usize::MAX);
        engine.seal(&slices, &mut self.out)?;
        for (parcel, back) in self.advance(taken) {
            self.sealed.push((parcel, back));
        }
        Ok(())
    }

    /// The next slices, at most `max` bytes; `clear` says that items go out as they are.
    pub(super) fn slices(&self, clear: bool, max: usize) -> Vec<IoSlice<'_>> {
        if self.out_at < self.out.len() {
            let out = &self.out[self.out_at..];
            return vec![IoSlice::new(&out[..out.len().min(max)])];
        }
        if !clear {
            return Vec::new();
        }
        front(&self.items, self.head, max, SLICES).0.into_iter().map(IoSlice::new).collect()
    }

    /// Says that the first `n` bytes of the slices are written.
    pub(super) fn written(&mut self, n: usize) {
        if self.out_at < self.out.len() {
            self.out_at = (self.out_at + n).min(self.out.len());
            if self.out_at == self.out.len() {
                self.out.clear();
                self.out_at = 0;
                self.sent.extend(self.sealed.drain(..));
            }
        } else {
            let sent = self.advance(n);
            self.sent.extend(sent);
        }
    }

    /// The next parcel whose bytes are written.
    pub(super) fn poll_sent(&mut self) -> Option<(Parcel, Back)> {
        self.sent.pop_front()
    }

    /// Drops everything: nobody will take it.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Gives memory back after a bulk transfer.
    pub(super) fn shrink(&mut self, to: usize) {
        self.out.shrink_to(to);
        self.items.shrink_to(8);
    }

    /// Drops the first `n` bytes of the items; returns the parcels that are done, an empty one after them too.
    fn advance(&mut self, n: usize) -> Vec<(Parcel, Back)> {
        let mut done = Vec::new();
        self.head += n;
        self.waiting = self.waiting.saturating_sub(n);
        while let Some(first) = self.items.front() {
            let len = first.bytes().len();
            if self.head < len {
                break;
            }
            self.head -= len;
            if let Some(Item::Parcel(parcel, back)) = self.items.pop_front() {
                done.push((parcel, back));
            }
        }
        if self.items.is_empty() {
            self.head = 0;
        }
        done
    }
}

/// The unwritten bytes of the items, the first of which are skipped, as slices; and how many bytes they are.
fn front(items: &VecDeque<Item>, mut skip: usize, max: usize, most: usize) -> (Vec<&[u8]>, usize) {
    let mut slices = Vec::with_capacity(items.len().min(most).min(SLICES));
    let mut taken = 0;
    for item in items.iter().take(most) {
        let bytes = &item.bytes()[skip..];
        skip = 0;
        let bytes = &bytes[..bytes.len().min(max - taken)];
        taken += bytes.len();
        slices.push(bytes);
        if taken == max {
            break;
        }
    }
    (slices, taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::plain::Plain;

    fn parcel(bytes: &[u8]) -> Parcel {
        Parcel { bytes: bytes.to_vec(), frames: 1, ..Parcel::default() }
    }

    fn flat(slices: &[IoSlice<'_>]) -> Vec<u8> {
        slices.iter().flat_map(|slice| slice.to_vec()).collect()
    }

    #[test]
    fn bytes_and_parcels_go_out_in_order_at_any_split() {
        for step in 1..12 {
            for sealed in [false, true] {
                let mut tx = Tx::default();
                tx.push(b"abc".to_vec());
                tx.push_parcel(parcel(b"defgh"), Back::Node);
                tx.push_parcel(Parcel::default(), Back::Machine);
                tx.push(b"ij".to_vec());
                let mut engine = Plain::default();
                let mut got = Vec::new();
                while !tx.is_empty() {
                    if sealed {
                        tx.seal(&mut engine).unwrap();
                    }
                    let bytes = flat(&tx.slices(!sealed, step));
                    assert!(!bytes.is_empty() && bytes.len() <= step);
                    tx.written(bytes.len());
                    got.extend(bytes);
                }
                assert_eq!(got, b"abcdefghij");
                let back: Vec<_> =
                    std::iter::from_fn(|| tx.poll_sent()).map(|(p, back)| (p.bytes.len(), back)).collect();
                assert_eq!(back, [(5, Back::Node), (0, Back::Machine)]);
            }
        }
    }

    #[test]
    fn one_call_takes_at_most_64_slices() {
        let mut tx = Tx::default();
        for _ in 0..65 {
            tx.push(vec![1]);
        }
        assert_eq!(tx.slices(true, 1000).len(), 64);
    }

    #[test]
    fn a_parcel_is_free_when_its_sealed_bytes_are_written_and_not_before() {
        let mut tx = Tx::default();
        tx.push_parcel(parcel(b"abc"), Back::Machine);
        tx.seal(&mut Plain::default()).unwrap();
        tx.written(2);
        assert!(tx.poll_sent().is_none());
        tx.written(1);
        assert_eq!(tx.poll_sent(), Some((parcel(b"abc"), Back::Machine)));
    }

    #[test]
    fn at_most_256_kib_are_sealed_at_a_time() {
        let mut tx = Tx::default();
        tx.push(vec![0; PARCEL + 1]);
        tx.seal(&mut Plain::default()).unwrap();
        assert_eq!(tx.slices(false, usize::MAX)[0].len(), PARCEL);
        tx.seal(&mut Plain::default()).unwrap();
        assert_eq!(tx.queued(), PARCEL + 1);
    }
}
