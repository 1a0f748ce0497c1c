//! Frames for the catalog, lines of verify jobs and answers for consoles, gathered into parcels: 80,000 a second are too many
//! to be messages of their own.

use std::collections::VecDeque;

use crate::bulk::parcel::Parcel;
use crate::wire::frame::{HEAD, Head};
use crate::wire::verify::VerifyLine;

/// What a frame for the catalog begins with (`wire/3 §2.4`).
const UPDATE: &[u8] = b"UpdCat ";

/// Collects whole frames, heads included.
#[derive(Debug)]
pub(super) struct Gather {
    what: Gathered,
    filling: Parcel,
    full: VecDeque<Parcel>,
}

/// Which frames are gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gathered {
    /// Those for the catalog (`wire/3 §2.4`).
    Updates,
    /// What a verify job finds on its volumes (`wire/2 §1.12`).
    VerifyLines,
    /// Every text: the answer to what a console has asked.
    Texts,
}

impl Gather {
    pub(super) fn new(what: Gathered) -> Self {
        Self { what, filling: Parcel::default(), full: VecDeque::new() }
    }

    /// Whether it collects a frame with this payload.
    pub(super) fn takes(&self, payload: &[u8]) -> bool {
        match self.what {
            Gathered::Updates => payload.starts_with(UPDATE),
            Gathered::VerifyLines => VerifyLine::parse(payload).is_some(),
            Gathered::Texts => true,
        }
    }

    /// Whether a payload that begins so can be one it collects, which may be as long as a frame can be.
    pub(super) fn may_take(&self, beginning: &[u8]) -> bool {
        let agree = |beginning: &[u8], wanted: &[u8]| beginning.iter().zip(wanted).all(|(a, b)| a == b);
        match self.what {
            Gathered::Updates => agree(beginning, UPDATE),
            // Only attributes can be long: their names are.
            Gathered::VerifyLines => {
                let digits = beginning.iter().take_while(|byte| byte.is_ascii_digit()).count();
                (1..=MAX_DIGITS).contains(&digits) && agree(&beginning[digits..], b" 1 ") || beginning.is_empty()
            }
            // A text is no longer than any other.
            Gathered::Texts => false,
        }
    }

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

/// Digits of the highest FileIndex.
const MAX_DIGITS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::PARCEL;

    #[test]
    fn a_parcel_holds_whole_frames_and_at_most_256_kib() {
        let mut gather = Gather::new(Gathered::Updates);
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
        let mut gather = Gather::new(Gathered::Updates);
        gather.add(b"a");
        gather.add(&vec![b'x'; PARCEL]);
        gather.add(b"b");
        gather.flush();
        let sizes: Vec<usize> = std::iter::from_fn(|| gather.poll()).map(|parcel| parcel.bytes.len()).collect();
        assert_eq!(sizes, [5, PARCEL + HEAD, 5]);
    }

    #[test]
    fn of_a_verify_job_attributes_and_digests_are_taken_and_answers_are_not() {
        let gather = Gather::new(Gathered::VerifyLines);
        let line = b"2147483647 1 pinsug5 /a\0A B\0\0";
        assert!(gather.takes(line) && gather.takes(b"1 40 IlxWjJLjUvnwnJRq+D/DnA *XXH128-1*"));
        assert!((0..line.len()).all(|known| gather.may_take(&line[..known])));
        for other in ["2000 OK verify\n", "2800 End Job TermCode=84 JobFiles=6\n", "Jmsg Job=x", "21474836471 1 x"] {
            assert!(!gather.takes(other.as_bytes()) && !gather.may_take(other.as_bytes()), "{other}");
        }
    }
}
