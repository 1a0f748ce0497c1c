//! Packs the stream of a backup into blocks of a volume, and lets the director hear of a file once it is on the volume.
//!
//! ```text
//!   socket -> BackupReceiver -> blocks -> Append -> worker -> Appended -> memory back, attributes released
//!                         \---> attributes (held until their block is appended) -> node -> AttributesSent
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use super::machine::{Despool, FromMachine, Outcome, Output, Piece, ToMachine, answer_polls};
use super::receive::{Attributes, BackupReceiver, ReceiverSetup};
use super::spool::{Came, Spool};
use super::work::{DiskDone, DiskError, DiskWork, SpoolDone};
use crate::ids::HandleId;
use crate::limits;
use crate::time::{Instant, Wall};
use crate::wire::block::FullBlock;
use crate::wire::label::{SessionEnd, SessionLabel};

/// The job status in the label at the end of a good session (`wire/3 §0.4`).
const TERMINATED: u32 = b'T' as u32;

/// The machine.
#[derive(Debug)]
pub struct Archiver {
    receiver: BackupReceiver,
    label: SessionLabel,
    /// The wall time at a moment, and the moment of the present call.
    clock: (Instant, Wall),
    now: Instant,
    volume: Option<HandleId>,
    has_asked: bool,
    /// Full blocks to be appended, in order.
    queue: VecDeque<FullBlock>,
    /// Blocks with a worker, in order; their bytes are there.
    appending: VecDeque<FullBlock>,
    /// Blocks that came back because the volume was full, in order, and whether the disk was.
    refused: VecDeque<FullBlock>,
    disk_full: bool,
    written: Written,
    /// Bytes on a volume after which a piece is reported.
    piece_size: u64,
    /// The age of a piece at which it is reported though it has fewer; zero: it is not.
    piece_age: Duration,
    /// When the node was last told how much there is.
    told: Instant,
    next_attributes: Option<Attributes>,
    unacknowledged: usize,
    is_finished: bool,
    polls: u32,
    messages: VecDeque<FromMachine>,
    outcome: Option<Outcome>,
    is_over: bool,
    /// Where blocks wait for their volume, if they do.
    spool: Option<Spool>,
}

/// What is on volumes.
#[derive(Debug, Default)]
struct Written {
    /// The piece that is not reported yet, and since when there is one.
    piece: Option<Piece>,
    since: Instant,
    /// The number of the last file that has begun, and the bytes of all blocks.
    files: u32,
    bytes: u64,
    /// Whether a block with a file in it has set the piece's start.
    has_start: bool,
    /// Whether this volume has a block of ours.
    is_on_volume: bool,
    /// The number of the last block.
    last_block: Option<u32>,
    /// Addresses of the job's first and last byte.
    first: Option<u64>,
    last: u64,
}

impl Archiver {
    /// Archives the job of `setup`. `clock` is the wall time at a moment, for the label at the end.
    #[must_use]
    pub fn new(setup: ReceiverSetup, clock: (Instant, Wall)) -> Self {
        let label = setup.start.clone();
        Self {
            receiver: BackupReceiver::new(setup),
            label,
            clock,
            now: clock.0,
            volume: None,
            has_asked: false,
            queue: VecDeque::new(),
            appending: VecDeque::new(),
            refused: VecDeque::new(),
            disk_full: false,
            written: Written::default(),
            piece_size: limits::PIECE,
            piece_age: Duration::ZERO,
            told: clock.0,
            next_attributes: None,
            unacknowledged: 0,
            is_finished: false,
            polls: 0,
            messages: VecDeque::new(),
            outcome: None,
            is_over: false,
            spool: None,
        }
    }

    /// Lets data wait in a file, and attributes go as soon as theirs is there: they wait too.
    #[must_use]
    pub fn spooling(mut self) -> Self {
        self.spool = Some(Spool::new());
        self
    }

    /// Reports a piece after so many bytes on a volume, instead of [`limits::PIECE`].
    #[must_use]
    pub const fn with_pieces_of(mut self, bytes: u64) -> Self {
        self.piece_size = bytes;
        self
    }

    /// Reports a piece too once it is so old; zero: it may become as old as it likes.
    #[must_use]
    pub const fn with_checkpoints(mut self, age: Duration) -> Self {
        self.piece_age = age;
        self
    }

    /// Names the job of the labels as the original's label does, before anything has come (`wire/3 §1.7`).
    pub(super) fn adopt(&mut self, original: &SessionLabel) {
        let SessionLabel { job_name, client, job, fileset, job_type, level, fileset_md5, .. } = original.clone();
        let adopted =
            SessionLabel { job_name, client, job, fileset, job_type, level, fileset_md5, ..self.label.clone() };
        self.receiver.set_start(adopted.clone());
        self.label = adopted;
    }

    /// Says of the job what the original's label says of its type and level, and no more.
    pub(super) fn adopt_level(&mut self, original: &SessionLabel) {
        let adopted = SessionLabel { job_type: original.job_type, level: original.level, ..self.label.clone() };
        self.receiver.set_start(adopted.clone());
        self.label = adopted;
    }

    /// Files and bytes of records received.
    pub(super) fn moved(&self) -> (u64, u64) {
        (u64::from(self.receiver.files().unsigned_abs()), self.receiver.bytes())
    }

    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn advance_to(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    pub(super) fn on_plain(&mut self, bytes: &[u8]) -> usize {
        if self.is_over || self.receiver.has_ended() {
            return 0;
        }
        match self.receiver.feed(bytes) {
            Ok(taken) => {
                self.polls = self.polls.saturating_add(self.receiver.take_polls());
                self.settle();
                taken
            }
            Err(error) => {
                self.end(Outcome::BadStream(error.to_string()));
                bytes.len()
            }
        }
    }

    pub(super) fn wants_input(&self) -> bool {
        !self.is_over && !self.receiver.has_ended() && self.receiver.has_room()
    }

    pub(super) fn is_in_frame(&self) -> bool {
        self.receiver.is_in_frame()
    }

    /// Whether the peer's stream came to its end, so that what follows is text again.
    pub(super) const fn is_in_step(&self) -> bool {
        self.receiver.has_ended()
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        if self.is_over { None } else { answer_polls(&mut self.polls) }
    }

    pub(super) fn poll_work(&mut self) -> Option<DiskWork> {
        if self.is_over {
            return None;
        }
        let may_append = self.volume.is_some() && self.refused.is_empty();
        if let Some(spool) = &mut self.spool {
            let under_way = may_append.then_some(self.appending.len());
            if let Some(work) = spool.poll_work(&mut self.queue, under_way) {
                return Some(work);
            }
        }
        let handle = self.volume.filter(|_| may_append)?;
        if self.appending.len() >= limits::WORK_UNDER_WAY {
            return None;
        }
        let mut block = self.for_volume().pop_front()?;
        let bytes = std::mem::take(&mut block.bytes);
        self.appending.push_back(block);
        Some(DiskWork::Append { handle, block: bytes })
    }

    /// Blocks that are next for the volume.
    fn for_volume(&mut self) -> &mut VecDeque<FullBlock> {
        match &mut self.spool {
            Some(spool) => spool.ready(),
            None => &mut self.queue,
        }
    }

    pub(super) fn handle_done(&mut self, done: DiskDone) {
        let done = match done {
            DiskDone::Spool(done) => return self.on_spool(done),
            done => done,
        };
        let Some(mut block) = self.appending.pop_front() else { return };
        match done {
            DiskDone::Appended { block: bytes, start, spent } if self.refused.is_empty() => {
                self.on_appended(&block, bytes.len() as u64, start, spent);
                match &mut self.spool {
                    Some(spool) => spool.give(bytes),
                    None => self.receiver.give_block(bytes),
                }
            }
            DiskDone::VolumeFull { block: bytes, disk_full } => {
                block.bytes = bytes;
                self.disk_full |= disk_full;
                self.refused.push_back(block);
            }
            DiskDone::Failed { error, .. } => self.end(Outcome::Disk(error)),
            done => self.end(Outcome::Disk(DiskError::unexpected(&done))),
        }
        if !self.refused.is_empty() && self.appending.is_empty() && !self.is_over {
            self.on_volume_full();
        }
        self.settle();
    }

    fn on_appended(&mut self, block: &FullBlock, len: u64, start: u64, spent: u64) {
        if !self.written.is_on_volume {
            self.written.is_on_volume = true;
            self.messages.push_back(FromMachine::FirstBlock);
        }
        self.written.add(block, (start, len, spent), self.now);
        let is_old = !self.piece_age.is_zero() && self.now.since(self.written.since) >= self.piece_age;
        if is_old || self.written.piece.as_ref().is_some_and(|piece| piece.bytes >= self.piece_size) {
            self.messages.extend(self.written.take().map(FromMachine::Piece));
        }
        if self.now.since(self.told) >= limits::PROGRESS {
            self.told = self.now;
            // Blocks hold more than what counts as the job's, and not all that has come is in one.
            let (files, bytes) = (self.written.files, self.written.bytes.min(self.receiver.bytes()));
            self.messages.push_back(FromMachine::Progress { files, bytes });
        }
    }

    /// All that was under way has come back: the same blocks go to the next volume, in the same order.
    fn on_volume_full(&mut self) {
        let mut refused = std::mem::take(&mut self.refused);
        refused.append(self.for_volume());
        *self.for_volume() = refused;
        self.volume = None;
        self.written.is_on_volume = false;
        let disk_full = std::mem::take(&mut self.disk_full);
        self.messages.push_back(FromMachine::VolumeFull { piece: self.written.take(), disk_full });
    }

    pub(super) fn handle(&mut self, message: ToMachine) {
        match message {
            ToMachine::Volume(handle) => self.volume = Some(handle),
            ToMachine::Spool(handle) => {
                if let Some(spool) = &mut self.spool {
                    spool.open(handle);
                }
            }
            ToMachine::AttributesSent(parcel) => {
                self.unacknowledged = self.unacknowledged.saturating_sub(1);
                self.receiver.give_attributes(parcel);
                self.settle();
            }
            ToMachine::Stop => self.end(Outcome::Stopped),
            ToMachine::LinesSent(_) => {}
        }
    }

    pub(super) fn on_cut(&mut self) {
        if !self.receiver.has_ended() {
            self.end(Outcome::Cut);
        }
    }

    pub(super) fn on_refused(&mut self) {
        self.appending.clear();
        self.end(Outcome::Disk(DiskError::stopped()));
    }

    pub(super) fn poll_message(&mut self) -> Option<FromMachine> {
        self.messages.pop_front()
    }

    pub(super) fn has_message(&self) -> bool {
        !self.messages.is_empty()
    }

    /// Waits for the blocks that are with a worker, so that the last piece counts all that is on the volume.
    pub(super) fn poll_outcome(&mut self) -> Option<Outcome> {
        if self.outcome.is_none() || !self.appending.is_empty() {
            return None;
        }
        if !matches!(self.outcome, Some(Outcome::Complete { .. }))
            && let Some(piece) = self.written.take()
        {
            self.messages.push_back(FromMachine::Piece(piece));
            return None;
        }
        self.outcome.take()
    }

    /// Does all that has become possible.
    fn settle(&mut self) {
        if self.is_over {
            return;
        }
        if self.receiver.has_data() && !self.has_asked {
            self.has_asked = true;
            let spools = self.spool.is_some();
            self.messages.push_back(if spools { FromMachine::NeedSpool } else { FromMachine::NeedVolume });
        }
        if self.receiver.has_ended() && !self.is_finished {
            self.label.written = self.clock.1.after(self.now.since(self.clock.0)).0;
            match self.receiver.finish(&self.label, &self.session_end()) {
                Ok(is_finished) => self.is_finished = is_finished,
                Err(error) => return self.end(Outcome::BadStream(error.to_string())),
            }
        }
        while let Some(block) = self.receiver.poll_block() {
            self.queue.push_back(block);
        }
        self.settle_spool();
        let is_done = self.release() && self.is_finished;
        let is_empty = self.spool.as_ref().is_none_or(Spool::is_empty);
        if is_done && is_empty && self.queue.is_empty() && self.appending.is_empty() {
            let piece = self.written.take();
            let files = self.receiver.files().unsigned_abs();
            self.end(Outcome::Complete { files, bytes: self.receiver.bytes(), piece });
        }
    }

    /// What came of work with the spool file.
    fn on_spool(&mut self, done: SpoolDone) {
        let Some(spool) = &mut self.spool else { return };
        match spool.handle_done(done) {
            Came::Room(buffer) => self.receiver.give_block(buffer),
            Came::Full { mut back, disk_full } => {
                back.append(&mut self.queue);
                self.queue = back;
                if spool.held() == 0 {
                    return self.end(Outcome::Disk(DiskError::SpoolFull));
                }
                self.despool(if disk_full { Despool::DiskFull } else { Despool::Limit });
            }
            Came::Nothing => {}
            Came::Broken(error) => return self.end(Outcome::Disk(error)),
        }
        self.settle();
    }

    /// What was spooled goes to the volume.
    fn despool(&mut self, why: Despool) {
        let Some(spool) = &mut self.spool else { return };
        spool.empty();
        self.messages.push_back(FromMachine::Despool { bytes: spool.held(), why });
        if self.volume.is_none() {
            self.messages.push_back(FromMachine::NeedVolume);
        }
    }

    fn settle_spool(&mut self) {
        let Some(spool) = &mut self.spool else { return };
        if spool.has_emptied(self.appending.len()) {
            self.messages.push_back(FromMachine::Despooled);
        }
        if self.is_finished && self.queue.is_empty() && spool.is_quiet() && spool.held() > 0 {
            self.despool(Despool::Last);
        }
    }

    /// Passes to the node the attributes whose blocks are on a volume. True if none are left.
    fn release(&mut self) -> bool {
        loop {
            if self.next_attributes.is_none() {
                self.next_attributes = self.receiver.poll_attributes();
            }
            let Some(next) = &self.next_attributes else { return true };
            let last_block = self.spool.as_ref().map_or(self.written.last_block, Spool::last_block);
            let is_safe = last_block.is_some_and(|last| last >= next.after_block);
            if !is_safe || self.unacknowledged >= limits::ATTRIBUTES_UNDER_WAY {
                return false;
            }
            if let Some(next) = self.next_attributes.take() {
                self.unacknowledged += 1;
                self.messages.push_back(FromMachine::Attributes(next.parcel));
            }
        }
    }

    fn session_end(&self) -> SessionEnd {
        let (first, last) = (self.written.first.unwrap_or(0), self.written.last);
        SessionEnd {
            files: self.receiver.files().unsigned_abs(),
            bytes: self.receiver.bytes(),
            start_block: low(first),
            end_block: low(last),
            start_file: low(first >> 32),
            end_file: low(last >> 32),
            errors: 0,
            status: TERMINATED,
        }
    }

    pub(super) fn end(&mut self, outcome: Outcome) {
        if !self.is_over {
            self.is_over = true;
            self.outcome = Some(outcome);
        }
    }
}

/// The low 32 bits.
const fn low(address: u64) -> u32 {
    (address & 0xFFFF_FFFF) as u32
}

impl Written {
    /// Counts a block that is on the volume (`wire/3 §5.7`).
    fn add(&mut self, block: &FullBlock, (start, len, spent): (u64, u64, u64), now: Instant) {
        if self.piece.is_none() {
            self.since = now;
        }
        let piece = self.piece.get_or_insert_default();
        if block.first_index > 0 {
            let (first, last) = (block.first_index.unsigned_abs(), block.last_index.unsigned_abs());
            if !self.has_start {
                self.has_start = true;
                (piece.first_index, piece.start) = (first, start);
            }
            piece.first_index = piece.first_index.min(first);
            piece.last_index = piece.last_index.max(last);
            self.files = self.files.max(last);
        }
        self.bytes += len;
        piece.end = start + len.saturating_sub(1);
        piece.blocks += 1;
        piece.bytes += len;
        piece.spent += spent;
        self.last_block = Some(block.number);
        self.first.get_or_insert(start);
        self.last = piece.end;
    }

    /// The piece so far; the next begins.
    fn take(&mut self) -> Option<Piece> {
        self.has_start = false;
        self.piece.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::block::Session;
    use crate::wire::label::SessionLabel;

    fn archiver() -> Archiver {
        let setup = ReceiverSetup {
            session: Session::default(),
            block_size: 4096,
            start: SessionLabel::default(),
            catalog_prefix: Vec::new(),
            is_rerun: false,
        };
        Archiver::new(setup, (Instant(0), Wall(0)))
    }

    #[test]
    fn a_piece_is_reported_at_its_size_and_not_one_byte_before() {
        let rows = [(None, limits::PIECE - 1, false), (None, limits::PIECE, true)];
        for (size, len, reported) in rows.into_iter().chain([(Some(9), 8, false), (Some(9), 9, true)]) {
            let mut archiver = archiver().with_pieces_of(size.unwrap_or(limits::PIECE));
            let block = FullBlock { bytes: Vec::new(), number: 0, first_index: 1, last_index: 1 };
            archiver.on_appended(&block, len, 0, 0);
            let is_piece = |message: &FromMachine| matches!(message, FromMachine::Piece(piece) if piece.bytes == len);
            assert_eq!(archiver.messages.iter().any(is_piece), reported, "{size:?} {len}");
        }
    }

    /// Appends blocks of 9 bytes at these seconds, and returns how many pieces and tidings there are after each.
    fn reported(mut archiver: Archiver, seconds: &[u64]) -> Vec<(usize, usize)> {
        let count = |seconds: &u64| {
            archiver.advance_to(Instant(seconds * 1_000_000_000));
            let block = FullBlock { bytes: Vec::new(), number: 0, first_index: 1, last_index: 7 };
            archiver.on_appended(&block, 9, 0, 0);
            let all = || archiver.messages.iter();
            let pieces = all().filter(|message| matches!(message, FromMachine::Piece(_))).count();
            (pieces, all().filter(|message| matches!(message, FromMachine::Progress { files: 7, .. })).count())
        };
        seconds.iter().map(count).collect()
    }

    #[test]
    fn a_piece_is_reported_at_its_age_and_not_before_if_it_is_to_be() {
        let old = archiver().with_checkpoints(Duration::from_secs(60));
        let pieces = |all: Vec<(usize, usize)>| all.into_iter().map(|(pieces, _)| pieces).collect::<Vec<_>>();
        // It is as old as its first block: the second one begins 40 seconds after the first is over.
        assert_eq!(pieces(reported(old, &[5, 64, 65, 105, 164, 165])), [0, 0, 1, 1, 1, 2]);
        assert_eq!(pieces(reported(archiver(), &[5, 100_000])), [0, 0]);
    }

    #[test]
    fn how_much_is_written_is_told_every_ten_seconds_at_most() {
        let told: Vec<usize> =
            reported(archiver(), &[1, 9, 10, 11, 19, 20, 500, 501]).into_iter().map(|(_, told)| told).collect();
        assert_eq!(told, [0, 0, 1, 1, 1, 2, 3, 3]);
    }
}
