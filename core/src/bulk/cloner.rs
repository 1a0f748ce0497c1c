//! Copies a session, or several into one, from one device of a storage daemon to another, without a socket (`wire/3 §1.7`).
//!
//! ```text
//!   worker of the volumes read -> Filled(parcel) -> Archiver -> Append(block) -> worker of the volume written
//! ```
//! The parcels hold the stream of a backup, after one frame with the label of the session read.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::archiver::Archiver;
use super::machine::{FromMachine, Outcome, ToMachine};
use super::parcel::{PARCEL, Parcel};
use super::receive::ReceiverSetup;
use super::work::{DiskDone, DiskWork};
use crate::ids::HandleId;
use crate::limits;
use crate::time::{Instant, Wall};
use crate::wire::frame::{HEAD, Head};
use crate::wire::label::{self, SessionLabel};

/// Parcels of what was read: being filled, or waiting for room in a block.
const PARCELS: usize = 3;

/// Messages about the reading that wait for the node before no more is read.
const MESSAGES: usize = 4;

/// The machine.
#[derive(Debug)]
pub struct Cloner {
    from: HandleId,
    archiver: Archiver,
    /// Whether the frame before the stream has been looked for.
    has_begun: bool,
    /// Whether the job keeps its own names.
    keeps_names: bool,
    free: Vec<Parcel>,
    unmade: usize,
    /// Bytes of a parcel that is made.
    parcel: usize,
    /// Pieces of work given so far, and those of them that a reading worker has.
    given: u64,
    filling: BTreeSet<u64>,
    waiting: VecDeque<Parcel>,
    /// Bytes of the first waiting parcel that are packed.
    at: usize,
    is_last: bool,
    messages: VecDeque<FromMachine>,
}

impl Cloner {
    /// Copies what is read from `from`; the job of `setup` takes over the names of the session read. `clock` is the wall time at a
    /// moment.
    #[must_use]
    pub fn new(from: HandleId, setup: ReceiverSetup, clock: (Instant, Wall)) -> Self {
        Self {
            from,
            archiver: Archiver::new(setup, clock),
            has_begun: false,
            keeps_names: false,
            free: Vec::new(),
            unmade: PARCELS,
            parcel: PARCEL,
            given: 0,
            filling: BTreeSet::new(),
            waiting: VecDeque::new(),
            at: 0,
            is_last: false,
            messages: VecDeque::new(),
        }
    }

    /// Makes parcels of this size from now on.
    pub(super) const fn set_parcel(&mut self, bytes: usize) {
        self.parcel = bytes;
    }

    /// As [`Archiver::with_pieces_of`].
    #[must_use]
    pub fn with_pieces_of(mut self, bytes: u64) -> Self {
        self.archiver = self.archiver.with_pieces_of(bytes);
        self
    }

    /// As [`Archiver::with_checkpoints`].
    #[must_use]
    pub fn with_checkpoints(mut self, age: Duration) -> Self {
        self.archiver = self.archiver.with_checkpoints(age);
        self
    }

    /// The job keeps its own names, and takes over what the label read says of type and level: a virtual full.
    #[must_use]
    pub const fn keeping_names(mut self) -> Self {
        self.keeps_names = true;
        self
    }

    pub(super) fn advance_to(&mut self, now: Instant) {
        self.archiver.advance_to(now);
    }

    /// Files and bytes packed.
    pub(super) fn moved(&self) -> (u64, u64) {
        self.archiver.moved()
    }

    /// What to have done next; if it is held, no reading.
    pub(super) fn poll_work(&mut self, is_held: bool) -> Option<DiskWork> {
        let work = self.archiver.poll_work().or_else(|| if is_held { None } else { self.read() })?;
        self.given += 1;
        Some(work)
    }

    fn read(&mut self) -> Option<DiskWork> {
        let may_ask = !self.archiver.is_over() && !self.is_last && self.messages.len() < MESSAGES;
        if !may_ask || self.filling.len() >= limits::WORK_UNDER_WAY {
            return None;
        }
        let parcel = match self.free.pop() {
            Some(parcel) => parcel,
            None => {
                self.unmade = self.unmade.checked_sub(1)?;
                Parcel::of(self.parcel)
            }
        };
        self.filling.insert(self.given);
        Some(DiskWork::Fill { handle: self.from, parcel })
    }

    pub(super) fn handle_done(&mut self, nth: u64, done: DiskDone) {
        if !self.filling.remove(&nth) {
            self.archiver.handle_done(done);
            return self.pack();
        }
        match done {
            DiskDone::Filled { parcel, last, remarks } => {
                if !remarks.is_empty() {
                    self.messages.push_back(FromMachine::Remarks(remarks));
                }
                self.is_last |= last;
                self.waiting.push_back(parcel);
                self.pack();
            }
            DiskDone::Failed { error, .. } => self.archiver.end(Outcome::Disk(error)),
            done => self.archiver.end(Outcome::Disk(super::work::DiskError::unexpected(&done))),
        }
    }

    /// Packs what was read as far as there is room.
    fn pack(&mut self) {
        while let Some(parcel) = self.waiting.front()
            && !self.archiver.is_over()
        {
            if !std::mem::replace(&mut self.has_begun, true)
                && let Some((label, len)) = leading_label(&parcel.bytes)
            {
                match self.keeps_names {
                    true => self.archiver.adopt_level(&label),
                    false => self.archiver.adopt(&label),
                }
                self.at = len;
            }
            let rest = parcel.bytes.get(self.at..).unwrap_or_default();
            self.at += self.archiver.on_plain(rest);
            // Nothing belongs after the end of the stream.
            if self.at < parcel.bytes.len() && !self.archiver.is_in_step() {
                return;
            }
            self.at = 0;
            self.free.extend(self.waiting.pop_front());
        }
        if self.is_last && self.filling.is_empty() && !self.archiver.is_in_step() {
            self.archiver.end(Outcome::BadStream("what was read ends before its end".to_owned()));
        }
    }

    pub(super) fn handle(&mut self, message: ToMachine) {
        self.archiver.handle(message);
        self.pack();
    }

    pub(super) fn on_cut(&mut self) {
        self.archiver.end(Outcome::Cut);
    }

    pub(super) fn on_refused(&mut self) {
        self.archiver.on_refused();
    }

    pub(super) fn poll_message(&mut self) -> Option<FromMachine> {
        self.messages.pop_front().or_else(|| self.archiver.poll_message())
    }

    pub(super) fn has_message(&self) -> bool {
        !self.messages.is_empty() || self.archiver.has_message()
    }

    pub(super) fn poll_outcome(&mut self) -> Option<Outcome> {
        self.archiver.poll_outcome()
    }
}

/// The label in the first frame, and how many bytes that frame has.
fn leading_label(bytes: &[u8]) -> Option<(SessionLabel, usize)> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    let Ok(Head::Data(length)) = Head::parse(*head) else { return None };
    let payload = rest.get(..length as usize)?;
    let is_label = payload.starts_with(label::ID);
    is_label.then(|| SessionLabel::decode_start(payload).ok()).flatten().map(|label| (label, HEAD + payload.len()))
}
