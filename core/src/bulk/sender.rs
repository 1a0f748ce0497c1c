//! Sends what a worker fills parcels with: a file daemon's backup, a storage daemon's restore.
//!
//! ```text
//!   worker -> Filled(parcel) -> waiting -> poll_output -> socket -> on_sent -> Fill(parcel) -> worker
//! ```

use std::collections::VecDeque;

use super::machine::{FromMachine, Outcome, Output, ToMachine, answer_polls};
use super::parcel::{PARCEL, Parcel};
use super::work::{DiskDone, DiskError, DiskWork};
use crate::ids::HandleId;
use crate::limits;
use crate::wire::frame::{HEAD, Head, Signal, text};

/// The longest line a peer may speak up with, in bytes.
const LINE: usize = 4 * 1024;

/// Messages that wait for the node before no more work is asked for.
const MESSAGES: usize = 4;

/// The machine. It takes whole frames only, so it is in step with the peer whenever it ends.
#[derive(Debug)]
pub struct Sender {
    handle: HandleId,
    free: Vec<Parcel>,
    /// Parcels that may still be made.
    unmade: usize,
    /// Bytes of a parcel that is made.
    parcel: usize,
    filling: usize,
    waiting: VecDeque<Parcel>,
    writing: usize,
    is_last: bool,
    /// Polls of the peer that are not answered yet.
    polls: u32,
    messages: VecDeque<FromMachine>,
    outcome: Option<Outcome>,
    is_over: bool,
    heartbeats: u64,
    /// Files that begin in what was given out.
    files: u64,
}

impl Sender {
    /// Sends what is read from `handle`, with this many parcels (at least one) of memory.
    #[must_use]
    pub fn new(handle: HandleId, parcels: usize) -> Self {
        Self {
            handle,
            free: Vec::new(),
            unmade: parcels.max(1),
            parcel: PARCEL,
            filling: 0,
            waiting: VecDeque::new(),
            writing: 0,
            is_last: false,
            polls: 0,
            messages: VecDeque::new(),
            outcome: None,
            is_over: false,
            heartbeats: 0,
            files: 0,
        }
    }

    /// Heartbeats the peer has sent.
    pub(super) const fn heartbeats(&self) -> u64 {
        self.heartbeats
    }

    /// Files that begin in what was given out. The connection knows the bytes.
    pub(super) const fn moved(&self) -> (u64, u64) {
        (self.files, 0)
    }

    pub(super) fn on_plain(&mut self, bytes: &[u8]) -> usize {
        if !bytes.is_empty() && self.is_sent() {
            // A peer that has all of it goes on in text before the workers have answered that there is no more.
            self.end(Outcome::Complete { files: 0, bytes: 0, piece: None });
        }
        let mut taken = 0;
        while !self.is_over {
            let rest = &bytes[taken..];
            let Some((head, rest)) = rest.split_first_chunk::<HEAD>() else { break };
            match Head::parse(*head) {
                Ok(Head::Signal(signal)) => {
                    taken += HEAD;
                    self.on_signal(signal);
                }
                Ok(Head::Data(length)) if length as usize <= LINE => {
                    let Some(line) = rest.get(..length as usize) else { break };
                    taken += HEAD + line.len();
                    if !line.is_empty() {
                        self.end(Outcome::PeerSpoke(readable(line)));
                    }
                }
                Ok(Head::Data(length)) => {
                    self.end(Outcome::BadStream(format!("a line of {length} bytes while sending")))
                }
                Err(error) => self.end(Outcome::BadStream(error.to_string())),
            }
        }
        taken
    }

    fn on_signal(&mut self, signal: Signal) {
        match signal {
            Signal::Heartbeat => self.heartbeats += 1,
            Signal::HeartbeatResponse | Signal::Eod => {}
            Signal::Poll => self.polls = self.polls.saturating_add(1),
            Signal::Terminate => self.end(Outcome::PeerSpoke("the peer ended the conversation".to_owned())),
            signal => self.end(Outcome::BadStream(format!("signal {} while sending", signal.number()))),
        }
    }

    /// Makes parcels of this size from now on.
    pub(super) const fn set_parcel(&mut self, bytes: usize) {
        self.parcel = bytes;
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        if self.is_over {
            return None;
        }
        if let Some(answers) = answer_polls(&mut self.polls) {
            return Some(answers);
        }
        let parcel = self.waiting.pop_front()?;
        self.writing += 1;
        self.files += u64::from(parcel.files);
        Some(Output::Parcel(parcel))
    }

    pub(super) fn on_sent(&mut self, parcel: Parcel) {
        self.writing = self.writing.saturating_sub(1);
        self.free.push(parcel);
        self.settle();
    }

    pub(super) fn poll_work(&mut self) -> Option<DiskWork> {
        let may_ask = !self.is_over && !self.is_last && self.messages.len() < MESSAGES;
        if !may_ask || self.filling >= limits::WORK_UNDER_WAY {
            return None;
        }
        let parcel = match self.free.pop() {
            Some(parcel) => parcel,
            None => {
                self.unmade = self.unmade.checked_sub(1)?;
                Parcel::of(self.parcel)
            }
        };
        self.filling += 1;
        Some(DiskWork::Fill { handle: self.handle, parcel })
    }

    pub(super) fn handle_done(&mut self, done: DiskDone) {
        self.filling = self.filling.saturating_sub(1);
        match done {
            DiskDone::Filled { parcel, last, remarks } => {
                if !remarks.is_empty() {
                    self.messages.push_back(FromMachine::Remarks(remarks));
                }
                self.is_last |= last;
                if parcel.is_empty() {
                    self.free.push(parcel)
                } else {
                    self.waiting.push_back(parcel)
                }
                self.settle();
            }
            DiskDone::Failed { error, .. } => self.end(Outcome::Disk(error)),
            done => self.end(Outcome::Disk(DiskError::unexpected(&done))),
        }
    }

    pub(super) fn handle(&mut self, message: ToMachine) {
        if matches!(message, ToMachine::Stop) {
            self.end(Outcome::Stopped);
        }
    }

    /// A peer that has all of it may hang up before the workers have answered that there is no more.
    pub(super) fn on_cut(&mut self) {
        self.end(if self.is_sent() { Outcome::Complete { files: 0, bytes: 0, piece: None } } else { Outcome::Cut });
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

    /// Whether the last parcel is written. Workers answer in order, so those that still have one give nothing more.
    fn is_sent(&self) -> bool {
        self.is_last && self.waiting.is_empty() && self.writing == 0
    }

    /// Ends once the last parcel is written and no worker has one any more.
    fn settle(&mut self) {
        if self.is_sent() && self.filling == 0 {
            self.end(Outcome::Complete { files: 0, bytes: 0, piece: None });
        }
    }

    pub(super) fn end(&mut self, outcome: Outcome) {
        if !self.is_over {
            self.is_over = true;
            self.outcome = Some(outcome);
        }
    }
}

/// A peer's line as text of about 500 characters, without control characters.
pub(super) fn readable(line: &[u8]) -> String {
    let line = text(line).trim_ascii_end();
    crate::printable::line_of(&line[..line.len().min(500)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::work::Remark;
    use crate::wire::frame::put_data;

    #[test]
    fn a_peer_may_say_a_line_of_4_kib_and_not_one_byte_more() {
        for len in [LINE, LINE + 1] {
            let mut sender = Sender::new(HandleId(1), 1);
            let mut frame = Vec::new();
            put_data(&mut frame, &vec![b'x'; len]);
            sender.on_plain(&frame);
            let outcome = sender.poll_outcome();
            let fits = matches!(outcome, Some(Outcome::PeerSpoke(_)));
            assert!(fits == (len == LINE) && outcome.is_some(), "{outcome:?}");
        }
    }

    #[test]
    fn with_four_messages_waiting_no_more_is_asked_of_the_disk() {
        let mut sender = Sender::new(HandleId(1), 2);
        for _ in 0..MESSAGES {
            let Some(DiskWork::Fill { parcel, .. }) = sender.poll_work() else { panic!("no work") };
            let remarks = vec![Remark { kind: 6, text: "x".to_owned() }];
            sender.handle_done(DiskDone::Filled { parcel, last: false, remarks });
        }
        assert!(sender.poll_work().is_none());
        assert!(sender.poll_message().is_some() && sender.poll_work().is_some());
    }
}
