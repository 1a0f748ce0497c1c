//! Hands the stream of a restore to a worker: `rechdr` and data in turn, to the EOD where a `rechdr` would be (`wire/2 §3.1`).
//!
//! ```text
//!   socket -> on_plain -> filling -> Apply(parcel) -> worker -> Applied(parcel) -> free
//! ```
//! A verify job goes the same way with `Verify` and `Verified`, and a second parcel: with it come the lines for the director.

use std::collections::VecDeque;

use super::machine::{FromMachine, Outcome, ToMachine};
use super::parcel::Parcel;
use super::sender::readable;
use super::work::{DiskDone, DiskError, DiskWork, Remark};
use crate::ids::HandleId;
use crate::limits;
use crate::wire::frame::{Decoder, Head, Piece, Signal};

/// The longest header or line, in bytes: it is held until it is whole.
const LINE: usize = 1024;

/// Room a parcel must have before more input is looked at: a held line, its head, and an EOD.
const RESERVE: usize = 2 * LINE;

/// Messages that wait for the node before no more input is taken.
const MESSAGES: usize = 4;

/// Parcels with lines of a verify job that may be on their way to the director.
const LINES: usize = 2;

/// The machine. May be carried before `read data` is sent: it passes over the answer to that.
#[derive(Debug)]
pub struct Restorer {
    handle: HandleId,
    decoder: Decoder,
    place: Place,
    held: Vec<u8>,
    filling: Parcel,
    free: Vec<Parcel>,
    unmade: usize,
    ready: VecDeque<Parcel>,
    applying: usize,
    has_ended: bool,
    /// Of a verify job: empty parcels for lines.
    lines: Option<Vec<Parcel>>,
    /// The file whose record came last; files and bytes that have come.
    file_index: Vec<u8>,
    moved: (u64, u64),
    messages: VecDeque<FromMachine>,
    outcome: Option<Outcome>,
    is_over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The answer to `read data`, or the first header.
    Beginning,
    Header,
    Data,
}

impl Restorer {
    /// Passes the stream to `handle`.
    #[must_use]
    pub fn new(handle: HandleId) -> Self {
        Self {
            handle,
            decoder: Decoder::new(),
            place: Place::Beginning,
            held: Vec::new(),
            filling: Parcel::new(),
            free: Vec::new(),
            unmade: limits::WORK_UNDER_WAY - 1,
            ready: VecDeque::new(),
            applying: 0,
            has_ended: false,
            lines: None,
            file_index: Vec::new(),
            moved: (0, 0),
            messages: VecDeque::new(),
            outcome: None,
            is_over: false,
        }
    }

    /// Passes the stream to a `handle` that writes nothing, but says what is in it.
    #[must_use]
    pub fn verifying(handle: HandleId) -> Self {
        Self { lines: Some(vec![Parcel::default(); LINES]), ..Self::new(handle) }
    }

    /// Files and bytes that have come.
    pub(super) const fn moved(&self) -> (u64, u64) {
        self.moved
    }

    pub(super) fn on_plain(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while !rest.is_empty() && self.wants_input() {
            if self.filling.room() <= RESERVE && !self.next_parcel() {
                break;
            }
            let room = self.filling.room() - RESERVE;
            let (mut chunk, _) = rest.split_at(rest.len().min(room));
            let before = chunk.len();
            while self.wants_input() {
                match self.decoder.next(&mut chunk) {
                    Ok(Some(piece)) => self.on_piece(piece),
                    Ok(None) => break,
                    Err(error) => self.end(Outcome::BadStream(error.to_string())),
                }
            }
            rest = &rest[before - chunk.len()..];
        }
        self.submit_if_idle();
        let taken = bytes.len() - rest.len();
        self.moved.1 += taken as u64;
        taken
    }

    fn on_piece(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Signal(Signal::Heartbeat | Signal::HeartbeatResponse) => {}
            Piece::Signal(Signal::Eod) if self.place != Place::Data => self.on_eod(),
            Piece::Signal(Signal::Terminate) => {
                self.end(Outcome::PeerSpoke("the peer ended the conversation".to_owned()));
            }
            Piece::Signal(signal) => self.end(Outcome::BadStream(format!("signal {} in the data", signal.number()))),
            Piece::Data { bytes, first, last, length } if self.place == Place::Data => {
                if first {
                    self.filling.bytes.extend_from_slice(&Head::Data(length).bytes());
                }
                self.filling.bytes.extend_from_slice(bytes);
                if last {
                    self.place = Place::Header;
                }
            }
            Piece::Data { length, .. } if length as usize > LINE => {
                self.end(Outcome::BadStream(format!("a header of {length} bytes")));
            }
            Piece::Data { bytes, last, .. } => {
                self.held.extend_from_slice(bytes);
                if last {
                    self.on_line();
                }
            }
        }
    }

    /// A whole header, or something else the peer has to say.
    fn on_line(&mut self) {
        if self.held.starts_with(b"rechdr ") {
            let length = u32::try_from(self.held.len()).unwrap_or(u32::MAX);
            self.filling.bytes.extend_from_slice(&Head::Data(length).bytes());
            self.filling.bytes.extend_from_slice(&self.held);
            self.count_file();
            self.place = Place::Data;
        } else if self.place == Place::Beginning && self.held.starts_with(b"3000 OK data") {
            self.place = Place::Header;
        } else {
            self.end(Outcome::PeerSpoke(readable(&self.held)));
        }
        self.held.clear();
    }

    /// Counts a file when its first record begins: `rechdr <session> <time> <FileIndex> …`.
    fn count_file(&mut self) {
        let index = self.held.split(|byte| *byte == b' ').nth(3).unwrap_or_default();
        if self.file_index != index {
            self.file_index.clear();
            self.file_index.extend_from_slice(index);
            self.moved.0 += 1;
        }
    }

    fn on_eod(&mut self) {
        self.filling.bytes.extend_from_slice(&Head::Signal(Signal::Eod).bytes());
        self.has_ended = true;
        self.ready.push_back(std::mem::take(&mut self.filling));
    }

    /// Puts the full parcel after the others and begins another; false if there is none.
    fn next_parcel(&mut self) -> bool {
        let Some(empty) = self.take_free() else { return false };
        let full = std::mem::replace(&mut self.filling, empty);
        self.ready.push_back(full);
        true
    }

    fn take_free(&mut self) -> Option<Parcel> {
        self.free.pop().or_else(|| {
            self.unmade = self.unmade.checked_sub(1)?;
            Some(Parcel::new())
        })
    }

    /// A worker with nothing to do gets what there is, however little.
    fn submit_if_idle(&mut self) {
        if self.applying == 0 && self.ready.is_empty() && !self.filling.is_empty() && !self.is_over {
            self.next_parcel();
        }
    }

    pub(super) fn wants_input(&self) -> bool {
        let has_room = self.filling.room() > RESERVE || self.unmade > 0 || !self.free.is_empty();
        !self.is_over && !self.has_ended && self.messages.len() < MESSAGES && has_room
    }

    pub(super) fn is_in_frame(&self) -> bool {
        !self.decoder.is_between_frames()
    }

    /// Whether the peer's stream came to its end, so that what follows is text again.
    pub(super) const fn is_in_step(&self) -> bool {
        self.has_ended
    }

    pub(super) fn poll_work(&mut self) -> Option<DiskWork> {
        if self.is_over {
            return None;
        }
        let handle = self.handle;
        let work = match &mut self.lines {
            None => DiskWork::Apply { handle, parcel: self.ready.pop_front()? },
            Some(_) if self.ready.is_empty() => return None,
            Some(lines) => DiskWork::Verify { handle, lines: lines.pop()?, parcel: self.ready.pop_front()? },
        };
        self.applying += 1;
        Some(work)
    }

    pub(super) fn handle_done(&mut self, done: DiskDone) {
        self.applying = self.applying.saturating_sub(1);
        match done {
            DiskDone::Applied { parcel, remarks } => self.on_applied(parcel, remarks),
            DiskDone::Verified { parcel, lines, remarks } => {
                if lines.is_empty() {
                    self.give_lines(lines);
                } else {
                    self.messages.push_back(FromMachine::Lines(lines));
                }
                self.on_applied(parcel, remarks);
            }
            DiskDone::Failed { error, .. } => self.end(Outcome::Disk(error)),
            done => self.end(Outcome::Disk(DiskError::unexpected(&done))),
        }
    }

    fn on_applied(&mut self, mut parcel: Parcel, remarks: Vec<Remark>) {
        if !remarks.is_empty() {
            self.messages.push_back(FromMachine::Remarks(remarks));
        }
        parcel.clear();
        self.free.push(parcel);
        self.submit_if_idle();
        if self.has_ended && self.applying == 0 && self.ready.is_empty() {
            self.end(Outcome::Complete { files: 0, bytes: 0, piece: None });
        }
    }

    fn give_lines(&mut self, mut parcel: Parcel) {
        if let Some(lines) = &mut self.lines {
            parcel.clear();
            lines.push(parcel);
        }
    }

    pub(super) fn handle(&mut self, message: ToMachine) {
        match message {
            ToMachine::Stop => self.end(Outcome::Stopped),
            ToMachine::LinesSent(parcel) => self.give_lines(parcel),
            ToMachine::Volume(_) | ToMachine::Spool(_) | ToMachine::AttributesSent(_) => {}
        }
    }

    pub(super) fn on_cut(&mut self) {
        if !self.has_ended {
            self.end(Outcome::Cut);
        }
    }

    pub(super) fn poll_message(&mut self) -> Option<FromMachine> {
        self.messages.pop_front()
    }

    pub(super) fn has_message(&self) -> bool {
        !self.messages.is_empty()
    }

    pub(super) fn poll_outcome(&mut self) -> Option<Outcome> {
        self.outcome.take()
    }

    pub(super) fn end(&mut self, outcome: Outcome) {
        if !self.is_over {
            self.is_over = true;
            self.outcome = Some(outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::put_data;

    #[test]
    fn a_peer_may_say_a_line_of_1_kib_and_not_one_byte_more() {
        for len in [LINE, LINE + 1] {
            let mut restorer = Restorer::new(HandleId(1));
            restorer.place = Place::Header;
            let mut frame = Vec::new();
            put_data(&mut frame, &vec![b'x'; len]);
            restorer.on_plain(&frame);
            let outcome = restorer.poll_outcome();
            let fits = matches!(outcome, Some(Outcome::PeerSpoke(_)));
            assert!(fits == (len == LINE) && outcome.is_some(), "{outcome:?}");
        }
    }
}
