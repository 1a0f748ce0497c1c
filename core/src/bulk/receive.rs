//! Receiving a backup: the storage daemon turns the file daemon's stream into blocks, `wire/2 §2.2`, `wire/3 §3.3`.

use std::collections::VecDeque;

use super::collect::Collector;
pub use super::collect::{Attributes, MAX_PARCELS};
use super::parcel::Parcel;
use crate::buf::Headway;
use crate::wire::block::{BlockBuilder, FullBlock, HEADER_LEN, Session};
use crate::wire::frame::{Decoder, FrameError, Piece, Signal};
use crate::wire::label::{SessionEnd, SessionLabel};
use crate::wire::scan::Scan;
use crate::wire::stream::Stream;

/// Most blocks a receiver has, full, empty or being written.
pub const MAX_BLOCKS: usize = 4;

/// Smallest block: any session label fits, which is never split.
const LEAST_BLOCK: usize = 4096;
/// Longest header frame in bytes: three numbers.
const HEADER_LIMIT: usize = 64;

/// What a receiver must know of its job.
#[derive(Clone, Debug)]
pub struct ReceiverSetup {
    /// VolSessionId and VolSessionTime.
    pub session: Session,
    /// Size of a block in bytes.
    pub block_size: usize,
    /// The label that begins the session.
    pub start: SessionLabel,
    /// What goes before each record for the catalog: `UpdCat Job=<job> FileAttributes `, with the blank at its end.
    pub catalog_prefix: Vec<u8>,
    /// Whether the first FileIndex may be any above 0: the job goes on after an interruption.
    pub is_rerun: bool,
}

/// Why a stream cannot be received any further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The frames are broken.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Something else where a stream header should be.
    #[error("the file daemon sent {0:?} where a stream should begin")]
    Header(String),
    /// A frame that is too long where a stream header should be.
    #[error("the file daemon sent a frame of {length} bytes where a stream should begin: {text:?}")]
    LongHeader {
        /// The length of the frame in bytes.
        length: u32,
        /// How it begins, as far as it had come.
        text: String,
    },
    /// Files must be counted from 1 without a gap.
    #[error("FileIndex={found} from FD not positive or sequential={last}")]
    FileIndex {
        /// As the header says.
        found: i64,
        /// The file before.
        last: i32,
    },
    /// A stream number below 1, which volumes cannot hold.
    #[error("stream {0} from FD is not positive")]
    Stream(i64),
    /// A signal that has no business here.
    #[error("unexpected signal from FD: {}", .0.number())]
    Signal(Signal),
    /// One file has more records for the catalog than are kept.
    #[error("file {0} has too many attribute records")]
    TooManyAttributes(i32),
    /// The stream led this daemon in a circle.
    #[error("no headway with a record of stream {0}: this is a mistake of Towline")]
    Stuck(i32),
    /// A session label does not fit into a block.
    #[error("a session label does not fit into a block")]
    Label,
}

/// Turns the stream of a backup into blocks, and collects what the catalog needs of it.
///
/// Payloads are copied once, from the input into the block. When no empty block or parcel is there it takes fewer bytes
/// than it is given, which is back-pressure: go on after [`give_block`](Self::give_block) or
/// [`give_attributes`](Self::give_attributes).
#[derive(Debug)]
pub struct BackupReceiver {
    decoder: Decoder,
    builder: BlockBuilder,
    start: SessionLabel,
    is_rerun: bool,
    /// Blocks that may still be allocated.
    unborn: usize,
    empty: Vec<Vec<u8>>,
    full: VecDeque<FullBlock>,
    attributes: Collector,
    line: Vec<u8>,
    stream: Option<Stream>,
    in_record: bool,
    file_index: i32,
    started: bool,
    ended: bool,
    finished: bool,
    bytes: u64,
    polls: u32,
}

impl BackupReceiver {
    /// A receiver before the first byte. It has no block yet: they are allocated when needed, at most [`MAX_BLOCKS`].
    #[must_use]
    pub fn new(setup: ReceiverSetup) -> Self {
        Self {
            decoder: Decoder::new(),
            builder: BlockBuilder::new(setup.session, setup.block_size.max(LEAST_BLOCK)),
            start: setup.start,
            is_rerun: setup.is_rerun,
            unborn: MAX_BLOCKS,
            empty: Vec::with_capacity(MAX_BLOCKS),
            full: VecDeque::with_capacity(MAX_BLOCKS),
            attributes: Collector::new(setup.session, setup.catalog_prefix),
            line: Vec::new(),
            stream: None,
            in_record: false,
            file_index: 0,
            started: false,
            ended: false,
            finished: false,
            bytes: 0,
            polls: 0,
        }
    }

    /// Another label to begin the session with; too late once data has come.
    pub(super) fn set_start(&mut self, start: SessionLabel) {
        self.start = start;
    }

    /// Takes the next bytes of the stream, cut anywhere. Returns how many it took: all of them, those up to the end of the
    /// stream, or as many as there is room for.
    ///
    /// # Errors
    /// When the stream breaks its rules. Do not go on then.
    pub fn feed(&mut self, input: &[u8]) -> Result<usize, ReceiveError> {
        let mut rest = input;
        while !self.ended {
            let (before, saved) = (rest, self.decoder.clone());
            let Some(piece) = self.decoder.next(&mut rest)? else { break };
            match (piece, self.stream) {
                (Piece::Signal(signal), _) => self.signal(signal)?,
                (Piece::Data { bytes, last, length, .. }, None) => self.header(bytes, last, length)?,
                (Piece::Data { bytes, last, length, .. }, Some(stream)) => {
                    let taken = self.record(stream, bytes, length)?;
                    let done = taken == bytes.len() && (!last || !self.in_record);
                    if !done {
                        // Take back what could not be stored: decode once more, only up to there.
                        let used = before.len() - rest.len() - (bytes.len() - taken);
                        self.decoder = saved;
                        if bytes.is_empty() {
                            rest = before;
                        } else {
                            self.decoder.next(&mut &before[..used])?;
                            rest = &before[used..];
                        }
                        break;
                    }
                }
            }
        }
        Ok(input.len() - rest.len())
    }

    /// Whether the stream came to its proper end.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether a frame has begun and not ended.
    #[must_use]
    pub fn is_in_frame(&self) -> bool {
        !self.decoder.is_between_frames()
    }

    /// The FileIndex of the file being received, or 0: `JobFiles`.
    #[must_use]
    pub const fn files(&self) -> i32 {
        self.file_index
    }

    /// Bytes of all records so far, without labels: `JobBytes`.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether anything was received. If not, the job leaves no trace on a volume, and no device is needed.
    #[must_use]
    pub const fn has_data(&self) -> bool {
        self.started
    }

    /// How often the peer asked for `2000 OK\n` since the last call.
    pub fn take_polls(&mut self) -> u32 {
        std::mem::take(&mut self.polls)
    }

    /// Whether it can take bytes: there is a block to fill, and a parcel for attributes.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let block = !self.builder.needs_buffer() || !self.empty.is_empty() || self.unborn > 0;
        block && self.attributes.has_room()
    }

    /// The next full block, in order. Its checksum is not set. The last comes after [`finish`](Self::finish).
    pub fn poll_block(&mut self) -> Option<FullBlock> {
        self.full.pop_front()
    }

    /// Returns the memory of a block that was written.
    pub fn give_block(&mut self, buffer: Vec<u8>) {
        if self.empty.len() < MAX_BLOCKS {
            self.empty.push(buffer);
        }
    }

    /// The next attributes for the catalog, in order.
    pub fn poll_attributes(&mut self) -> Option<Attributes> {
        self.attributes.poll()
    }

    /// Returns the memory of attributes that were sent.
    pub fn give_attributes(&mut self, parcel: Parcel) {
        self.attributes.give(parcel);
    }

    /// Writes the label that ends the session, and hands out the last block. `false` when an empty block is needed first:
    /// call again then. A job that sent nothing gets no labels. If the stream has not ended, what belongs to the unfinished
    /// file is given up, and the catalog does not hear of it.
    ///
    /// # Errors
    /// When the label does not fit into any block.
    pub fn finish(&mut self, label: &SessionLabel, end: &SessionEnd) -> Result<bool, ReceiveError> {
        if !self.started || self.finished {
            return Ok(true);
        }
        if !std::mem::replace(&mut self.ended, true) {
            self.full.extend(self.builder.give_up_record());
            self.attributes.give_up();
        }
        let data = label.encode_end(end);
        if !self.label(SessionLabel::END, label.job_id, &data)? {
            return Ok(false);
        }
        self.flush();
        self.finished = true;
        Ok(true)
    }

    fn signal(&mut self, signal: Signal) -> Result<(), ReceiveError> {
        match signal {
            Signal::Heartbeat | Signal::HeartbeatResponse => {}
            Signal::Poll => self.polls = self.polls.saturating_add(1),
            Signal::Eod if self.stream.is_some() => self.stream = None,
            Signal::Eod => {
                self.ended = true;
                self.attributes.end(self.last_block());
            }
            other => return Err(ReceiveError::Signal(other)),
        }
        Ok(())
    }

    /// Takes a part of a header; what it says counts once all of its frame has come.
    fn header(&mut self, bytes: &[u8], last: bool, length: u32) -> Result<(), ReceiveError> {
        let room = HEADER_LIMIT.saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if length as usize > HEADER_LIMIT {
            return Err(ReceiveError::LongHeader { length, text: shown(&self.line) });
        }
        if !last {
            return Ok(());
        }
        let mut scan = Scan::new(&self.line);
        let found = scan.signed();
        scan.white();
        let stream = scan.signed();
        if !self.line.first().is_some_and(u8::is_ascii_digit) && found == 0 {
            return Err(ReceiveError::Header(shown(&self.line)));
        }
        self.line.clear();
        let next = i32::try_from(found).ok().filter(|&next| {
            let first = self.file_index == 0;
            next > 0 && (next == self.file_index || next - 1 == self.file_index || (first && self.is_rerun))
        });
        let last = self.file_index;
        let next = next.ok_or(ReceiveError::FileIndex { found, last })?;
        let number = i32::try_from(stream).ok().filter(|&number| number > 0).ok_or(ReceiveError::Stream(stream))?;
        if next != self.file_index {
            self.attributes.next_file(self.last_block());
            self.file_index = next;
        }
        self.stream = Some(Stream(number));
        Ok(())
    }

    /// Stores a part of a record, and says how much of it. The record is done when `in_record` is unset.
    fn record(&mut self, stream: Stream, bytes: &[u8], length: u32) -> Result<usize, ReceiveError> {
        if !self.in_record && !self.begin_record(stream, length)? {
            return Ok(0);
        }
        let mut taken = 0;
        let mut headway = Headway::over(bytes.len());
        while self.has_buffer() {
            if !headway.goes_on() {
                return Err(ReceiveError::Stuck(stream.0));
            }
            taken += self.builder.push(&bytes[taken..]);
            self.take_full();
            if self.builder.record_is_done() || taken == bytes.len() && !bytes.is_empty() {
                break;
            }
        }
        self.bytes += taken as u64;
        if stream.is_for_catalog() {
            self.attributes.push(&bytes[..taken]);
        }
        self.in_record = !self.builder.record_is_done();
        Ok(taken)
    }

    /// `false` when a block or parcel is missing.
    fn begin_record(&mut self, stream: Stream, length: u32) -> Result<bool, ReceiveError> {
        if !self.started {
            let data = self.start.encode_start();
            if !self.label(SessionLabel::START, self.start.job_id, &data)? {
                return Ok(false);
            }
            self.started = true;
        }
        if !self.has_buffer() {
            return Ok(false);
        }
        if stream.is_for_catalog() && !self.attributes.begin(self.file_index, stream, length) {
            if self.attributes.is_stuck() {
                return Err(ReceiveError::TooManyAttributes(self.file_index));
            }
            // The attributes under way wait for the block being filled, so it must not wait for them.
            self.flush();
            return Ok(false);
        }
        self.attributes.saw(stream);
        self.builder.begin_record(self.file_index, stream.0, length);
        self.in_record = true;
        Ok(true)
    }

    /// Writes a label; `false` when an empty block is needed for it.
    fn label(&mut self, file_index: i32, job_id: u32, data: &[u8]) -> Result<bool, ReceiveError> {
        while self.has_buffer() {
            let is_fresh = self.builder.used() == HEADER_LEN;
            if self.builder.push_label(file_index, job_id.cast_signed(), data) {
                self.take_full();
                return Ok(true);
            }
            if is_fresh {
                return Err(ReceiveError::Label);
            }
            self.flush();
        }
        Ok(false)
    }

    /// Makes sure there is a block to fill, if any is available.
    fn has_buffer(&mut self) -> bool {
        if !self.builder.needs_buffer() {
            return true;
        }
        let buffer = self.empty.pop().or_else(|| {
            self.unborn = self.unborn.checked_sub(1)?;
            Some(Vec::new())
        });
        buffer.is_some_and(|buffer| self.builder.give(buffer))
    }

    fn take_full(&mut self) {
        if self.builder.is_full() {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.full.extend(self.builder.take());
    }

    /// The number of the block that has the last byte stored.
    fn last_block(&self) -> u32 {
        let number = self.builder.number();
        if self.builder.used() > HEADER_LEN { number } else { number.wrapping_sub(1) }
    }
}

/// A line of the peer for people.
fn shown(line: &[u8]) -> String {
    crate::printable::line_of(line.trim_ascii_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::put_data;

    fn receiver() -> BackupReceiver {
        BackupReceiver::new(ReceiverSetup {
            session: Session::default(),
            block_size: 0,
            start: SessionLabel::default(),
            catalog_prefix: Vec::new(),
            is_rerun: false,
        })
    }

    #[test]
    fn of_a_header_64_bytes_are_kept_and_no_more() {
        let header = |blanks: usize| format!("1{}2 0", " ".repeat(blanks)).into_bytes();
        for (len, works) in [(HEADER_LIMIT, true), (HEADER_LIMIT + 1, false)] {
            let mut frame = Vec::new();
            put_data(&mut frame, &header(len - 4));
            let mut receiver = receiver();
            let fed = receiver.feed(&frame);
            assert!(receiver.line.capacity() <= 2 * HEADER_LIMIT);
            match fed {
                Ok(taken) => assert!(works && taken == frame.len()),
                Err(ReceiveError::LongHeader { length, text }) => {
                    assert!(!works && length as usize == len && text.len() <= HEADER_LIMIT, "{text}");
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// What an authenticated client could stop the whole daemon with: a header longer than there is room for, cut where
    /// the room ends or anywhere else, and an empty frame after it.
    #[test]
    fn a_long_header_in_two_segments_and_an_empty_frame_end_the_stream_and_not_the_daemon() {
        for len in [HEADER_LIMIT, HEADER_LIMIT + 1, HEADER_LIMIT + 40, 4 * HEADER_LIMIT] {
            let mut bytes = Vec::new();
            put_data(&mut bytes, format!("1{}2 0", " ".repeat(len - 4)).as_bytes());
            put_data(&mut bytes, b"");
            put_data(&mut bytes, b"");
            for cut in 0..=bytes.len() {
                let mut receiver = receiver();
                let fed = receiver.feed(&bytes[..cut]).and_then(|taken| {
                    assert_eq!(taken, cut);
                    receiver.feed(&bytes[cut..])
                });
                match fed {
                    Ok(_) => assert!(len <= HEADER_LIMIT && receiver.file_index == 1, "cut at {cut}"),
                    Err(error) => {
                        assert!(len > HEADER_LIMIT && matches!(error, ReceiveError::LongHeader { .. }), "{error}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_block_is_never_too_small_for_a_label() {
        for (configured, used) in [(LEAST_BLOCK - 1, LEAST_BLOCK), (LEAST_BLOCK + 1, LEAST_BLOCK + 1)] {
            let mut setup = ReceiverSetup {
                session: Session::default(),
                block_size: configured,
                start: SessionLabel::default(),
                catalog_prefix: Vec::new(),
                is_rerun: false,
            };
            setup.start.job = vec![b'j'; 127];
            assert_eq!(BackupReceiver::new(setup).builder.block_size(), used);
        }
    }
}
