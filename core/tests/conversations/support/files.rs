//! The disk of a file daemon: packs the recorded files, and takes restored bytes.

use std::sync::{Arc, Mutex};

use towline_core::bulk::known::Changes;
use towline_core::bulk::pack::{PackTotals, Packer};
use towline_core::bulk::parcel::Parcel;
use towline_core::bulk::unpack::{DataPiece, RestoreSink, Unpacker};
use towline_core::bulk::verifier::Verifier;
use towline_core::bulk::work::{DiskDone, DiskWork, RestoreOrder, Tally};
use towline_core::wire::attributes::{AttributeRecord, NewAttributes};
use towline_core::wire::fileset::FileSet;
use towline_core::wire::stream::Stream;
use towline_core::work::script::{ScriptDone, ScriptEnd, ScriptOutcome, ScriptWork};
use towline_core::work::{Work, WorkDone};

use super::conv::{self, Frame};
use super::world::Hands;

/// A record of a file: its stream and its bytes.
type Record = (Stream, Vec<u8>);

/// What the disk was asked, and got.
#[derive(Debug, Default)]
pub struct Seen {
    pub filesets: Vec<Arc<FileSet>>,
    pub changes: Vec<Changes>,
    pub orders: Vec<RestoreOrder>,
    /// Names of the restored entries, in order.
    pub restored: Vec<String>,
    /// Bytes of restored contents.
    pub bytes: Vec<u8>,
    pub closed: usize,
}

/// The records of a recorded backup, in order.
pub fn recorded_files(conv: &str) -> Vec<Record> {
    let mut lines = conv::parse(conv).into_iter();
    let sender = lines.find(|line| line.frame.data().starts_with(b"append data")).expect("a backup").from;
    let mut frames = lines.filter(|line| line.from == sender).map(|line| line.frame);
    let mut records = Vec::new();
    while let Some(Frame::Data(header)) = frames.next() {
        let header = String::from_utf8(header).expect("a header");
        let stream = header.split(' ').nth(1).expect("a stream").parse().expect("a number");
        let payload = frames.by_ref().take_while(|frame| *frame != Frame::Signal(-1));
        records.push((Stream(stream), payload.flat_map(|frame| frame.data().to_vec()).collect()));
    }
    records
}

/// Packs the files as a worker does, from the values in their records.
pub fn pack(records: &[Record]) -> (Parcel, PackTotals) {
    let mut packer = Packer::new();
    packer.give(Parcel::new());
    for (stream, bytes) in records {
        if stream.is_attributes() {
            let record = AttributeRecord::parse(bytes).expect("attributes");
            let new = NewAttributes {
                file_type: record.kind().expect("a known kind"),
                name: record.name,
                stat: &record.stat(),
                link: record.link,
                attrs_ex: record.attrs_ex,
                delta_seq: record.delta_seq,
            };
            packer.begin_file(&new).expect("room");
        } else if [Stream::FILE_DATA, Stream::SPARSE].contains(stream) {
            let offset = if *stream == Stream::SPARSE { 8 } else { 0 };
            packer.begin_data(*stream).expect("room");
            packer.data_space(bytes.len()).expect("room").copy_from_slice(bytes);
            packer.data_commit(bytes.len(), (bytes.len() - offset) as u64);
            packer.end_data().expect("room");
        } else {
            packer.record(*stream, bytes).expect("room");
        }
    }
    packer.finish().expect("room");
    (packer.take().expect("a parcel"), packer.totals())
}

/// Hands that back up these records, restore whatever comes, and whose commands end well.
pub fn hands(records: Vec<Record>) -> (Hands, Arc<Mutex<Seen>>) {
    let seen = Arc::<Mutex<Seen>>::default();
    let mut disk = Disk {
        records,
        seen: seen.clone(),
        totals: PackTotals::default(),
        unpacker: Unpacker::new(),
        verifier: Verifier::new(&FileSet::default()),
    };
    let hands: Hands = Box::new(move |work| match work {
        Work::Script(ScriptWork::Run(_)) => {
            let outcome = ScriptOutcome::Exited(0);
            Some(WorkDone::Script(ScriptDone::Ended(ScriptEnd { lines: Vec::new(), left_out: 0, outcome })))
        }
        work => disk.work(work).map(WorkDone::Disk),
    });
    (hands, seen)
}

struct Disk {
    records: Vec<Record>,
    seen: Arc<Mutex<Seen>>,
    totals: PackTotals,
    unpacker: Unpacker,
    verifier: Verifier,
}

impl Disk {
    fn work(&mut self, work: &Work) -> Option<DiskDone> {
        let Work::Disk(work) = work else { panic!("a file daemon has no catalog") };
        let mut seen = self.seen.lock().expect("not poisoned");
        Some(match work {
            DiskWork::OpenBackup { fileset, changes, .. } => {
                seen.filesets.push(fileset.clone());
                seen.changes.push(changes.clone());
                DiskDone::Opened
            }
            DiskWork::OpenRestore { order, .. } => {
                seen.orders.push(order.clone());
                self.unpacker = Unpacker::new();
                self.totals = PackTotals::default();
                DiskDone::Opened
            }
            DiskWork::OpenVerify { fileset, .. } => {
                seen.filesets.push(fileset.clone());
                self.unpacker = Unpacker::new();
                self.verifier = Verifier::new(fileset);
                DiskDone::Opened
            }
            DiskWork::Verify { parcel, .. } => {
                self.verifier.give(Parcel::new());
                self.unpacker.feed(&parcel.bytes, &mut self.verifier).expect("a good stream");
                self.totals.files = self.verifier.files();
                DiskDone::Verified { parcel: Parcel::new(), lines: self.verifier.take(), remarks: Vec::new() }
            }
            DiskWork::Fill { .. } => {
                let (parcel, totals) = pack(&self.records);
                self.totals = totals;
                DiskDone::Filled { parcel, last: true, remarks: Vec::new() }
            }
            DiskWork::Apply { parcel, .. } => {
                let mut sink = Sink { seen: &mut seen, totals: &mut self.totals };
                if self.unpacker.has_ended() {
                    self.unpacker.go_on();
                }
                let taken = self.unpacker.feed(&parcel.bytes, &mut sink).expect("a good stream");
                assert_eq!(taken, parcel.bytes.len(), "bytes after the end");
                DiskDone::Applied { parcel: Parcel::new(), remarks: Vec::new() }
            }
            DiskWork::Close { .. } => {
                seen.closed += 1;
                let PackTotals { files, read_bytes, job_bytes } = std::mem::take(&mut self.totals);
                DiskDone::Closed(Tally { files, read_bytes, job_bytes, complete: true, ..Tally::default() })
            }
            other => panic!("no work for a file daemon: {other:?}"),
        })
    }
}

struct Sink<'a> {
    seen: &'a mut Seen,
    totals: &'a mut PackTotals,
}

impl RestoreSink for Sink<'_> {
    type Error = ();

    fn attributes(&mut self, record: &AttributeRecord<'_>) -> Result<(), ()> {
        self.seen.restored.push(String::from_utf8_lossy(record.name).into_owned());
        self.totals.files += 1;
        Ok(())
    }

    fn data(&mut self, piece: DataPiece<'_>) -> Result<(), ()> {
        self.seen.bytes.extend_from_slice(piece.bytes);
        self.totals.read_bytes += piece.bytes.len() as u64;
        self.totals.job_bytes += piece.bytes.len() as u64;
        Ok(())
    }

    fn whole(&mut self, _: Stream, _: &[u8]) -> Result<(), ()> {
        Ok(())
    }

    fn end_of_file(&mut self) -> Result<(), ()> {
        Ok(())
    }

    fn dropped(&mut self, stream: Stream) {
        panic!("dropped {stream:?}");
    }
}
