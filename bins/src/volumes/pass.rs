//! Reads all blocks of one job in their order, whatever volumes they lie on, and hands out its records.
//!
//! Reading and checking the blocks is the work of a thread of its own, a few blocks ahead of whoever looks at the records.

use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use towline_core::bulk::work::DiskError;
use towline_core::printable;
use towline_core::wire::attributes::AttributeRecord;
use towline_core::wire::block::{BlockHeader, HEADER_LEN};
use towline_core::wire::record::{END_OF_SESSION, FoundRecord, Record, RecordReader, next_piece};
use towline_core::wire::stream::Stream;

use super::jobs::Job;
use super::report::{Finding, Report};
use super::shelf::Shelf;
use super::survey::Extent;
use crate::volume::blocks::{Blocks, Next};
use crate::volume::stored::Stored;

/// Blocks in memory: one that is looked at, the others on their way.
const AHEAD: usize = 4;
/// Losses of one job that are told one by one.
const LOSSES_TOLD: u64 = 1000;

/// Where a block lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct At {
    /// The place of the volume on the shelf.
    pub(super) volume: usize,
    /// Its bytes there.
    pub(super) bytes: Range<u64>,
}

/// Who looks at the records of a job.
pub(super) trait Visitor {
    /// A sound block comes, with the lowest and the highest FileIndex in it; `None` if it holds no file.
    fn block(&mut self, at: &At, indexes: Option<(u32, u32)>) {
        let _unused = (at, indexes);
    }

    /// A whole record of a file comes.
    fn record(&mut self, record: &Record<'_>, at: &At);

    /// Records of the present file are missing, and whatever of it comes later is left out.
    fn broken(&mut self) {}

    /// Whether nothing more is wanted.
    fn is_done(&self) -> bool {
        false
    }
}

/// Reads a job. What is damaged or missing is told, and passed over.
///
/// # Errors
/// The disk failed for another reason than what is stored on it.
pub(super) fn read(
    shelf: &Shelf,
    job: &Job,
    visitor: &mut (impl Visitor + ?Sized),
    report: &mut Report,
) -> Result<(), DiskError> {
    let (blocks, ready) = sync_channel(AHEAD);
    let (give, spare) = channel();
    thread::scope(|scope| {
        let reader = scope.spawn(move || load(shelf, job, &blocks, &spare));
        Reading::of(job).all(shelf, &ready, &give, visitor, report);
        drop(ready);
        // A reader that panicked has told why.
        reader.join().unwrap_or_else(|_| {
            Err(DiskError::Other { path: "volume".to_owned(), text: "a mistake of this program stopped it".to_owned() })
        })
    })
}

/// A block of the job, or where one should be.
enum Loaded {
    Block(At, Vec<u8>),
    Damage(usize, Range<u64>),
}

fn load(shelf: &Shelf, job: &Job, blocks: &SyncSender<Loaded>, spare: &Receiver<Vec<u8>>) -> Result<(), DiskError> {
    for (place, extent) in &job.pieces {
        let Some(volume) = shelf.volumes.get(*place) else { continue };
        let mut source = Blocks::new(Stored::open(&volume.path, &None)?, volume.path.display().to_string());
        source.skip_to(extent.first);
        if !piece(&mut source, job, *place, extent, blocks, spare)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Reads what a job has on one volume. False if nobody wants more.
fn piece(
    source: &mut Blocks<Stored>,
    job: &Job,
    volume: usize,
    extent: &Extent,
    blocks: &SyncSender<Loaded>,
    spare: &Receiver<Vec<u8>>,
) -> Result<bool, DiskError> {
    while source.at() < extent.end {
        let at = source.at();
        // A block of another job is not read.
        if let Some(header) = source.peek()?
            && header.session != job.session
            && at + u64::from(header.len) <= extent.end
        {
            source.skip_to(at + u64::from(header.len));
            continue;
        }
        let mut block = spare.try_recv().unwrap_or_default();
        let loaded = match source.read(&mut block)? {
            Next::End => return Ok(true),
            Next::Block(_) => Loaded::Block(At { volume, bytes: at..source.at() }, block),
            Next::Damage(_) => Loaded::Damage(volume, source.pass_over_damage(&mut block)?),
        };
        if blocks.send(loaded).is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What is known of a job while it is read.
struct Reading<'j> {
    job: &'j Job,
    records: RecordReader,
    /// The number that the next block must have.
    next: Option<u32>,
    /// The present file, and its name.
    index: i32,
    name: Vec<u8>,
    /// The file before the loss that lasts: nothing counts until the next file begins.
    losing: Option<i32>,
    has_end: bool,
    losses: u64,
    dropped: u64,
}

impl<'j> Reading<'j> {
    fn of(job: &'j Job) -> Self {
        Self {
            job,
            records: RecordReader::new(),
            next: None,
            index: 0,
            name: Vec::new(),
            losing: None,
            has_end: false,
            losses: 0,
            dropped: 0,
        }
    }

    fn all(
        mut self,
        shelf: &Shelf,
        ready: &Receiver<Loaded>,
        give: &Sender<Vec<u8>>,
        visitor: &mut (impl Visitor + ?Sized),
        report: &mut Report,
    ) {
        for loaded in ready {
            if visitor.is_done() {
                return;
            }
            match loaded {
                Loaded::Block(at, block) => {
                    self.block(&at, &block, visitor, report);
                    // The reader may be done.
                    let _unwanted = give.send(block);
                }
                Loaded::Damage(volume, stretch) => {
                    let volume = shelf.volumes.get(volume);
                    let at_end = volume.is_some_and(|volume| stretch.end == volume.survey.bytes);
                    let volume = volume.map(|volume| volume.name.clone()).unwrap_or_default();
                    report.add(Finding::Damage { volume, stretch, at_end });
                }
            }
        }
        self.end(visitor, report);
    }

    fn block(&mut self, at: &At, block: &[u8], visitor: &mut (impl Visitor + ?Sized), report: &mut Report) {
        let Ok(header) = BlockHeader::decode(block) else { return };
        if header.session != self.job.session {
            return;
        }
        let is_next = match self.next {
            Some(next) => next == header.number,
            None => self.job.has_start || header.number == 0,
        };
        self.next = Some(header.number.wrapping_add(1));
        if !is_next {
            self.records.tear(self.job.session);
            self.dropped = self.records.dropped();
            self.lose(visitor, report);
        }
        visitor.block(at, indexes(block));
        let mut records = std::mem::take(&mut self.records);
        let mut place = HEADER_LEN;
        while let Some(found) = records.find_next(self.job.session, block, &mut place) {
            if records.dropped() > self.dropped {
                self.dropped = records.dropped();
                self.lose(visitor, report);
            }
            let FoundRecord { session, file_index, stream, .. } = found;
            let record = Record { session, file_index, stream, data: records.data(&found, block) };
            self.record(&record, at, visitor, report);
        }
        self.records = records;
    }

    fn record(&mut self, record: &Record<'_>, at: &At, visitor: &mut (impl Visitor + ?Sized), report: &mut Report) {
        if record.file_index <= 0 {
            self.has_end |= record.file_index == END_OF_SESSION;
            return;
        }
        let stream = Stream(record.stream).kind();
        let begins = stream.is_attributes() || stream == Stream::PLUGIN_NAME || stream == Stream::RESTORE_OBJECT;
        if let Some(after) = self.losing {
            if !begins {
                return;
            }
            self.losing = None;
            self.found_again(after, record.file_index, report);
        }
        if stream.is_attributes() {
            let name = AttributeRecord::parse(record.data).map_or(&b""[..], |attributes| attributes.name);
            self.name.clear();
            self.name.extend_from_slice(name);
        }
        self.index = record.file_index;
        visitor.record(record, at);
    }

    /// Blocks of the job are missing here.
    fn lose(&mut self, visitor: &mut (impl Visitor + ?Sized), report: &mut Report) {
        if self.losing.is_some() {
            return;
        }
        visitor.broken();
        self.losing = Some(self.index);
        if self.index > 0 {
            let what = format!("file {} is not complete: {}", self.index, printable::name(&self.name));
            self.lost(what, report);
        }
    }

    fn found_again(&mut self, after: i32, before: i32, report: &mut Report) {
        let (first, last) = (after.saturating_add(1), before.saturating_sub(1));
        if first < last {
            self.lost(format!("files {first} to {last} are gone"), report);
        } else if first == last {
            self.lost(format!("file {first} is gone"), report);
        }
    }

    fn lost(&mut self, what: String, report: &mut Report) {
        self.losses += 1;
        if self.losses <= LOSSES_TOLD {
            report.add(Finding::Lost { job: self.job.name(), what });
        }
    }

    fn end(&self, visitor: &mut (impl Visitor + ?Sized), report: &mut Report) {
        if self.losses > LOSSES_TOLD {
            let what = format!("{} more losses", self.losses - LOSSES_TOLD);
            report.add(Finding::Lost { job: self.job.name(), what });
        }
        let job = self.job.name();
        if !self.job.has_start {
            report.add(Finding::Open { job: job.clone(), what: "its beginning is not on these volumes" });
        }
        if !self.has_end {
            // What comes after the last whole record is not here.
            if self.losing.is_none() {
                visitor.broken();
            }
            report.add(Finding::Open {
                job,
                what: "it has no end: it was broken off, or goes on on a volume that is not here",
            });
        }
    }
}

/// The lowest and the highest FileIndex above 0 in a block, continued records included.
fn indexes(block: &[u8]) -> Option<(u32, u32)> {
    let (mut at, mut found) = (HEADER_LEN, None);
    while let Some(piece) = next_piece(block, &mut at) {
        let Some(index) = u32::try_from(piece.header.file_index).ok().filter(|index| *index > 0) else { continue };
        found = Some(found.map_or((index, index), |(first, last): (u32, u32)| (first.min(index), last.max(index))));
    }
    found
}
