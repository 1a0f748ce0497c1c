//! Reading for a restore or a copy: a storage daemon's worker turns blocks of volumes into the stream a file daemon expects,
//! `wire/3 §3.4`, or another storage daemon, `wire/3 §4`.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;

use super::gaps::{Gaps, Loss};
use super::parcel::Parcel;
use super::renumber::Renumber;
use super::work::ReadForm;
use crate::limits::HARD_LINKED;
use crate::wire::attributes::AttributeRecord;
use crate::wire::block::{BlockError, BlockHeader, HEADER_LEN, Session};
use crate::wire::bsr::{Candidate, Selection};
use crate::wire::frame::{HEAD, MAX_SEND, Signal, put_data, put_signal};
use crate::wire::label::SessionLabel;
use crate::wire::record::{FoundRecord, RecordReader};
use crate::wire::session::StreamHead;
use crate::wire::stream::Stream;

/// Room that a header frame and the head of its record need.
const HEADER_ROOM: usize = 96;

/// What stopped a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// The parcel is full: send it and go on with an empty one.
    Full,
    /// The block is used up: give the next one, or the next volume, or [`finish`](RestoreReader::finish).
    NeedBlock,
}

/// Picks the records a bootstrap selects out of blocks and frames them. Holds one block and one record.
#[derive(Debug)]
pub struct RestoreReader {
    form: ReadForm,
    selection: Selection,
    reader: RecordReader,
    volume: String,
    block: Option<Block>,
    /// A record being framed, and how much of it is.
    sending: Option<(FoundRecord, usize)>,
    /// Copies: the label of the first session, to go before everything else, and whether it was seen.
    label: Option<Vec<u8>>,
    has_label: bool,
    /// Copies: the stream that is open, by the file it is of.
    open: Option<(Session, i32, i32)>,
    /// The file of the last record, and how many there were.
    file: Option<(Session, i32)>,
    files: u32,
    /// Copies of several sessions: the last file of each. One that comes again after another session's cannot be counted on.
    last_files: BTreeMap<Session, i32>,
    is_mixed: bool,
    /// The same: the attribute record that is being framed, with its new number.
    renumber: Renumber,
    renumbered: Vec<u8>,
    is_renumbered: bool,
    records: u64,
    bytes: u64,
    oversized: u64,
    gaps: Gaps,
    /// Whether damage has cost, or may have cost, anything so far.
    has_losses: bool,
    /// Files to be called damaged, before anything else is sent.
    marks: VecDeque<(Session, i32)>,
}

#[derive(Debug)]
struct Block {
    bytes: Vec<u8>,
    len: usize,
    session: Session,
    /// Address of its last byte.
    address: u64,
    at: usize,
}

impl RestoreReader {
    /// A reader before the first volume, for a restore.
    #[must_use]
    pub fn new(selection: Selection) -> Self {
        Self::in_form(selection, ReadForm::Restore)
    }

    /// A reader before the first volume.
    #[must_use]
    pub fn in_form(selection: Selection, form: ReadForm) -> Self {
        Self {
            form,
            selection,
            reader: RecordReader::new(),
            volume: String::new(),
            block: None,
            sending: None,
            label: None,
            has_label: false,
            open: None,
            file: None,
            files: 0,
            last_files: BTreeMap::new(),
            is_mixed: false,
            renumber: Renumber::default(),
            renumbered: Vec::new(),
            is_renumbered: false,
            records: 0,
            bytes: 0,
            oversized: 0,
            gaps: Gaps::default(),
            has_losses: false,
            marks: VecDeque::new(),
        }
    }

    /// What is selected, and what of it is exhausted.
    #[must_use]
    pub const fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The blocks that follow are of this volume; the one before is exhausted. A record may go on from one to the other.
    pub fn begin_volume(&mut self, volume: &str) {
        if volume != self.volume {
            self.selection.finish_volume(&self.volume);
            volume.clone_into(&mut self.volume);
        }
    }

    /// Where to read on in the volume when everything before `at` was given; `None` when it has no more of what is wanted.
    #[must_use]
    pub fn next_start(&self, at: u64) -> Option<u64> {
        self.selection.next_start(&self.volume, at)
    }

    /// Passes in the block that begins at `address`; bytes after it do not matter. The checksum is the caller's to verify.
    ///
    /// # Errors
    /// When it is no block, or cut off; then nothing changes.
    pub fn give_block(&mut self, bytes: Vec<u8>, address: u64) -> Result<(), BlockError> {
        let header = BlockHeader::decode(&bytes)?;
        let len = header.len as usize;
        if bytes.len() < len {
            return Err(BlockError::Short { have: bytes.len(), need: len });
        }
        let wanted = self.selection.wants_block(&self.volume, header.session);
        if wanted && self.gaps.block(header.session, header.number) {
            self.reader.tear(header.session);
            self.mark(header.session);
        }
        let at = if wanted { HEADER_LEN } else { len };
        let address = address + u64::from(header.len) - 1;
        self.block = Some(Block { bytes, len, session: header.session, address, at });
        Ok(())
    }

    /// What lies between the last block and the next cannot be read. What this costs is known with the blocks that
    /// follow, and at the end: see [`take_losses`](Self::take_losses).
    pub fn skip_damage(&mut self) {
        self.gaps.gap();
    }

    /// What was lost to damage since the last call, as far as it is known.
    pub fn take_losses(&mut self) -> Vec<Loss> {
        let mut losses = self.gaps.take_losses();
        self.has_losses |= !losses.is_empty();
        for loss in &mut losses {
            let index = |index: i32| u32::try_from(index).unwrap_or(0);
            let last = loss.before.map_or(i32::MAX.cast_unsigned(), |before| index(before).saturating_sub(1));
            loss.files = self.selection.files_between(loss.session, index(loss.after) + 1, last);
        }
        losses.retain(|loss| loss.broken.is_some() || !loss.files.is_empty());
        losses
    }

    /// Takes the memory of the block that is used up.
    pub fn take_block(&mut self) -> Option<Vec<u8>> {
        if self.sending.is_some() {
            return None;
        }
        self.block.take().map(|block| block.bytes)
    }

    /// Appends frames to the parcel until it is full or the block is used up.
    pub fn fill(&mut self, parcel: &mut Parcel) -> Filled {
        loop {
            if let Some((found, sent)) = self.sending.take() {
                let sent = self.append(&found, sent, parcel);
                if sent < found.len {
                    self.sending = Some((found, sent));
                    return Filled::Full;
                }
            }
            if parcel.room() < HEADER_ROOM {
                return Filled::Full;
            }
            if let Some((session, file_index)) = self.marks.pop_front() {
                put_mark(session, file_index, parcel);
                continue;
            }
            let Some(found) = self.next_wanted() else { return Filled::NeedBlock };
            let found = self.header(found, parcel);
            self.sending = Some((found, 0));
        }
    }

    /// Nothing comes after the blocks given so far: what damage at the end has cost is known then.
    pub fn conclude(&mut self) {
        for session in self.gaps.end(|| self.selection.sessions()) {
            self.mark(session);
        }
    }

    /// Appends what ends the stream; `false` when the parcel has no room for it.
    pub fn finish(&mut self, parcel: &mut Parcel) -> bool {
        self.conclude();
        if parcel.room() < 2 * HEAD + self.marks.len() * HEADER_ROOM || self.sending.is_some() {
            return false;
        }
        for (session, file_index) in std::mem::take(&mut self.marks) {
            put_mark(session, file_index, parcel);
        }
        self.end_stream(parcel);
        put_signal(&mut parcel.bytes, Signal::Eod);
        parcel.frames += 1;
        true
    }

    /// Why a copy must not be taken for a good one although everything that could be read was sent, as far as the losses
    /// are taken. A restore takes what there is: it never has a reason.
    #[must_use]
    pub fn shortfall(&self) -> Option<String> {
        if self.form != ReadForm::Restore && self.has_losses {
            return Some("files are damaged or gone, so that no copy of them can be good".to_owned());
        }
        if self.renumber.is_full() {
            return Some(format!("there are more than {HARD_LINKED} files with several links"));
        }
        if self.form.counts_anew() && self.is_mixed {
            return Some(
                "the sessions lie on the volumes in pieces between each other, which cannot become one".to_owned(),
            );
        }
        let unfinished = u64::try_from(self.reader.unfinished()).unwrap_or(u64::MAX);
        let lost = self.lost().saturating_add(unfinished);
        (self.form != ReadForm::Restore && lost > 0)
            .then(|| format!("{lost} records are not whole on the volumes, so that no copy of them can be good"))
    }

    /// Files that records were sent of so far.
    #[must_use]
    pub const fn files(&self) -> u32 {
        self.files
    }

    /// Records sent so far.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Bytes of all records sent so far.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Records that could not be sent so far: pieces of them are missing, or they are longer than a frame.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.reader.dropped() + self.oversized
    }

    /// The file of which the last record of a session was sent is not complete: says so to who gets it.
    fn mark(&mut self, session: Session) {
        if let Some(file_index) = self.gaps.incomplete(session).filter(|_| self.form == ReadForm::Restore) {
            self.marks.push_back((session, file_index));
        }
    }

    fn next_wanted(&mut self) -> Option<FoundRecord> {
        let block = self.block.as_mut()?;
        let bytes = &block.bytes[..block.len];
        while let Some(found) = self.reader.find_next(block.session, bytes, &mut block.at) {
            let Some(file_index) = u32::try_from(found.file_index).ok().filter(|&index| index > 0) else {
                if self.form == ReadForm::Clone && found.file_index == SessionLabel::START && !self.has_label {
                    self.has_label = true;
                    self.label = Some(self.reader.data(&found, bytes).to_vec());
                }
                continue;
            };
            let begins = Stream(found.stream).is_attributes();
            let data = self.reader.data(&found, bytes);
            let name = begins.then(|| AttributeRecord::parse(data).ok()).flatten().map(|record| record.name);
            let FoundRecord { session, stream, .. } = found;
            let candidate = Candidate { session, file_index, stream, address: block.address, name };
            if !self.selection.wants(&self.volume, &candidate) {
                continue;
            }
            if found.len > MAX_SEND {
                self.oversized += 1;
                continue;
            }
            if !self.gaps.record(session, found.file_index, Stream(stream), name) {
                continue;
            }
            return Some(found);
        }
        None
    }

    /// Appends the header frame, if one is due, and the head of the record's frame. Returns the record as it is sent.
    fn header(&mut self, found: FoundRecord, parcel: &mut Parcel) -> FoundRecord {
        let file = (found.session, found.file_index);
        if self.file != Some(file) {
            self.file = Some(file);
            let before = self.last_files.insert(found.session, found.file_index);
            self.is_mixed |= before.is_some_and(|before| before >= found.file_index);
            self.files = self.files.saturating_add(1);
            parcel.files = parcel.files.saturating_add(1);
        }
        let found = if self.form.counts_anew() { self.renumbered(found) } else { found };
        match self.form {
            ReadForm::Restore => record_head(&found, parcel),
            ReadForm::Replicate => self.stream_head(&found, found.file_index, parcel),
            ReadForm::Join | ReadForm::Clone => self.stream_head(&found, self.files.cast_signed(), parcel),
        }
        parcel.bytes.extend_from_slice(&(found.len as u32).to_be_bytes());
        parcel.frames += 1;
        self.records += 1;
        self.bytes += found.len as u64;
        found
    }

    /// An attribute record says the number of its file once more.
    fn renumbered(&mut self, found: FoundRecord) -> FoundRecord {
        let of = (found.session, found.file_index);
        let new = self.files.cast_signed();
        let block = self.block.as_ref().map_or(&[][..], |block| &block.bytes[..block.len]);
        let data = self.reader.data(&found, block);
        self.is_renumbered = Stream(found.stream).is_attributes()
            && self.renumber.record(data, of, new, &mut self.renumbered)
            && self.renumbered.len() <= MAX_SEND;
        let len = if self.is_renumbered { self.renumbered.len() } else { found.len };
        FoundRecord { len, ..found }
    }

    /// A new stream wherever the session, the file or the stream changes (`wire/3 §4`).
    fn stream_head(&mut self, found: &FoundRecord, file_index: i32, parcel: &mut Parcel) {
        let stream = (found.session, found.file_index, found.stream);
        if self.open == Some(stream) {
            return;
        }
        self.end_stream(parcel);
        if let Some(label) = self.label.take() {
            put_data(&mut parcel.bytes, &label);
            parcel.frames += 1;
        }
        self.open = Some(stream);
        let mut head = Vec::with_capacity(StreamHead::MAX);
        StreamHead { file_index, stream: found.stream }.put(&mut head);
        put_data(&mut parcel.bytes, &head);
        parcel.frames += 1;
    }

    fn end_stream(&mut self, parcel: &mut Parcel) {
        if self.open.take().is_some() {
            put_signal(&mut parcel.bytes, Signal::Eod);
            parcel.frames += 1;
        }
    }

    /// Appends what fits of a record of which `sent` bytes are out, and says how many are then.
    fn append(&self, found: &FoundRecord, sent: usize, parcel: &mut Parcel) -> usize {
        let block = self.block.as_ref().map_or(&[][..], |block| &block.bytes);
        let data = if self.is_renumbered { &self.renumbered[..] } else { self.reader.data(found, block) };
        let end = found.len.min(sent + parcel.room());
        parcel.bytes.extend_from_slice(data.get(sent..end).unwrap_or_default());
        end
    }
}

/// Appends an empty record that says of a file that it is damaged.
fn put_mark(session: Session, file_index: i32, parcel: &mut Parcel) {
    let (stream, in_block) = (Stream::DAMAGED.0, None);
    record_head(&FoundRecord { session, file_index, stream, len: 0, in_block }, parcel);
    put_data(&mut parcel.bytes, b"");
    parcel.frames += 1;
}

/// Appends the `rechdr` frame of a record.
fn record_head(found: &FoundRecord, parcel: &mut Parcel) {
    let out = &mut parcel.bytes;
    let start = out.len();
    out.extend_from_slice(&[0; HEAD]);
    let Session { id, time } = found.session;
    // Writing into a vector cannot fail.
    let _ = write!(out, "rechdr {id} {time} {} {} {}", found.file_index, found.stream, found.len);
    let len = (out.len() - start - HEAD) as u32;
    out[start..start + HEAD].copy_from_slice(&len.to_be_bytes());
    parcel.frames += 1;
}
