//! A backup and a restore in memory: pack, receive, blocks on a volume, select, unpack.

mod copying;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::pack::{PackError, Packer};
use super::parcel::{PARCEL, Parcel};
use super::receive::{BackupReceiver, MAX_BLOCKS, ReceiveError, ReceiverSetup};
use super::select::{Filled, RestoreReader};
use super::unpack::{DataPiece, RestoreSink, Unpacker};
use super::work::ReadForm;
use crate::wire::attributes::{AttributeRecord, NewAttributes, Stat};
use crate::wire::block::{BlockHeader, Session, seal};
use crate::wire::bsr::{Bootstrap, Section, Selection};
use crate::wire::digest::{Algorithm, Hasher};
use crate::wire::frame::Signal;
use crate::wire::frame::{Frame, Frames, MAX_ACCEPT, put_data, put_signal};
use crate::wire::label::{SessionEnd, SessionLabel, VolumeLabel};
use crate::wire::record::RecordReader;
use crate::wire::stream::{FileType, Stream};

/// Panics when a loop of a test goes round more often than its bytes allow, instead of going round for ever.
struct Budget(usize);

impl Budget {
    fn over(bytes: usize) -> Self {
        Self(4 * bytes + 1_000)
    }

    fn spend(&mut self, what: &str) {
        self.0 = self.0.checked_sub(1).unwrap_or_else(|| panic!("{what} goes round for ever"));
    }
}

const PREFIX: &[u8] = b"UpdCat Job=J FileAttributes ";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct File {
    name: Vec<u8>,
    contents: Vec<u8>,
    xattrs: Vec<u8>,
    digest: Vec<u8>,
}

/// Packs the files as a worker does, and returns the stream parcel by parcel.
fn pack(files: &mut [File]) -> Vec<Vec<u8>> {
    let mut packer = Packer::new();
    let mut stream = Vec::new();
    packer.give(Parcel::new());
    let turn = |packer: &mut Packer| {
        let parcel = packer.take().unwrap();
        stream.push(parcel.bytes.clone());
        packer.give(parcel);
    };
    let mut turn = turn;
    let stat = Stat::default();
    for file in files {
        let name = &file.name;
        let new =
            NewAttributes { file_type: FileType::Regular, name, stat: &stat, link: b"", attrs_ex: b"", delta_seq: 0 };
        retry(&mut packer, &mut turn, |packer| packer.begin_file(&new).map(drop));
        let mut hasher = Hasher::new(Algorithm::Xxh128);
        if !file.contents.is_empty() {
            retry(&mut packer, &mut turn, |packer| packer.begin_data(Stream::FILE_DATA));
            let mut rest = &file.contents[..];
            while !rest.is_empty() {
                let Some(space) = packer.data_space(rest.len()) else {
                    turn(&mut packer);
                    continue;
                };
                let n = space.len();
                space.copy_from_slice(&rest[..n]);
                hasher.update(&rest[..n]);
                packer.data_commit(n, n as u64);
                rest = &rest[n..];
            }
            retry(&mut packer, &mut turn, Packer::end_data);
        }
        if !file.xattrs.is_empty() {
            retry(&mut packer, &mut turn, |packer| packer.record(Stream::XATTR_LINUX, &file.xattrs));
        }
        let digest = hasher.finish();
        file.digest = digest.as_bytes().to_vec();
        retry(&mut packer, &mut turn, |packer| packer.record(Stream::XXH128, digest.as_bytes()));
    }
    retry(&mut packer, &mut turn, Packer::finish);
    turn(&mut packer);
    stream
}

fn retry(
    packer: &mut Packer,
    turn: &mut impl FnMut(&mut Packer),
    mut step: impl FnMut(&mut Packer) -> Result<(), PackError>,
) {
    while let Err(error) = step(packer) {
        assert_eq!(error, PackError::Full);
        turn(packer);
    }
}

fn setup(session: Session, block_size: usize) -> ReceiverSetup {
    let start = SessionLabel { job_id: 7, job: b"J".to_vec(), ..SessionLabel::default() };
    ReceiverSetup { session, block_size, start, catalog_prefix: PREFIX.to_vec(), is_rerun: false }
}

/// What a job left behind: its sealed blocks, and the catalog's frames with the block each waits for.
#[derive(Debug, Default)]
struct Job {
    blocks: Vec<Vec<u8>>,
    catalog: Vec<(u32, Vec<u8>)>,
    buffers: BTreeSet<usize>,
}

impl Job {
    fn drain(&mut self, receiver: &mut BackupReceiver) {
        while let Some(mut block) = receiver.poll_block() {
            assert_eq!(block.number as usize, self.blocks.len());
            seal(&mut block.bytes);
            self.buffers.insert(block.bytes.as_ptr() as usize);
            self.blocks.push(block.bytes.clone());
            receiver.give_block(block.bytes);
        }
        while let Some(attributes) = receiver.poll_attributes() {
            self.catalog.push((attributes.after_block, attributes.parcel.bytes.clone()));
            receiver.give_attributes(attributes.parcel);
        }
    }
}

/// Feeds the stream in pieces of these sizes, and drains only when nothing more is taken.
fn receive(session: Session, block_size: usize, stream: &[u8], mut piece: impl FnMut() -> usize) -> Job {
    let mut receiver = BackupReceiver::new(setup(session, block_size));
    let mut job = Job::default();
    let mut rest = stream;
    let mut idle = 0;
    while !receiver.has_ended() {
        let given = piece().clamp(1, rest.len());
        let taken = receiver.feed(&rest[..given]).unwrap();
        rest = &rest[taken..];
        idle = if taken == 0 { idle + 1 } else { 0 };
        assert!(idle < 4, "stuck with {} bytes left", rest.len());
        if taken < given {
            job.drain(&mut receiver);
        }
    }
    assert!(rest.is_empty());
    let end = SessionEnd { files: receiver.files() as u32, bytes: receiver.bytes(), ..SessionEnd::default() };
    let label = SessionLabel { job_id: 7, ..SessionLabel::default() };
    let mut budget = Budget::over(0);
    while !receiver.finish(&label, &end).unwrap() {
        budget.spend("finishing");
        job.drain(&mut receiver);
    }
    job.drain(&mut receiver);
    job
}

#[derive(Debug, Default)]
struct Restored {
    files: Vec<File>,
    open: bool,
}

impl RestoreSink for Restored {
    type Error = String;

    fn attributes(&mut self, record: &AttributeRecord<'_>) -> Result<(), String> {
        assert!(!std::mem::replace(&mut self.open, true));
        self.files.push(File { name: record.name.to_vec(), ..File::default() });
        Ok(())
    }

    fn data(&mut self, piece: DataPiece<'_>) -> Result<(), String> {
        self.files.last_mut().ok_or("no file")?.contents.extend_from_slice(piece.bytes);
        Ok(())
    }

    fn whole(&mut self, stream: Stream, record: &[u8]) -> Result<(), String> {
        let file = self.files.last_mut().ok_or("no file")?;
        let field = if stream.is_digest() { &mut file.digest } else { &mut file.xattrs };
        field.extend_from_slice(record);
        Ok(())
    }

    fn end_of_file(&mut self) -> Result<(), String> {
        assert!(std::mem::replace(&mut self.open, false));
        Ok(())
    }

    fn dropped(&mut self, stream: Stream) {
        panic!("stream {stream} was dropped");
    }
}

/// Reads the volume as a worker does, and returns the parcels for the file daemon.
fn select(volume: &[u8], bootstrap: &Bootstrap) -> Vec<Vec<u8>> {
    select_in(ReadForm::Restore, volume, bootstrap)
}

/// The same in any form.
fn select_in(form: ReadForm, volume: &[u8], bootstrap: &Bootstrap) -> Vec<Vec<u8>> {
    let mut reader = RestoreReader::in_form(Selection::new(bootstrap, None), form);
    let volumes = reader.selection().volumes();
    assert_eq!(volumes.len(), 1);
    reader.begin_volume(&volumes[0].name);
    let (mut parcels, mut parcel) = (Vec::new(), Parcel::new());
    let mut at = volumes[0].start;
    loop {
        if reader.fill(&mut parcel) == Filled::Full {
            assert!(parcel.bytes.len() <= PARCEL);
            parcels.push(parcel.bytes.clone());
            parcel.clear();
            continue;
        }
        let Some(next) = reader.next_start(at).filter(|&next| (next as usize) < volume.len()) else { break };
        let block = &volume[next as usize..];
        let header = BlockHeader::verify(block, true).unwrap();
        let mut buffer = reader.take_block().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(&block[..header.len as usize]);
        reader.give_block(buffer, next).unwrap();
        at = next + u64::from(header.len);
    }
    assert!(reader.finish(&mut parcel));
    parcels.push(parcel.bytes);
    assert_eq!(reader.lost(), 0);
    parcels
}

fn unpack(stream: &[u8], mut piece: impl FnMut() -> usize) -> Vec<File> {
    let (mut unpacker, mut restored) = (Unpacker::new(), Restored::default());
    let mut rest = stream;
    while !rest.is_empty() {
        let given = piece().clamp(1, rest.len());
        assert_eq!(unpacker.feed(&rest[..given], &mut restored), Ok(given));
        rest = &rest[given..];
    }
    assert!(unpacker.has_ended() && !restored.open);
    restored.files
}

fn section(session: Session, addresses: (u64, u64), files: (u32, u32)) -> Section {
    Section {
        volumes: vec!["V".into()],
        session_ids: vec![(session.id, session.id)],
        session_times: vec![session.time],
        addresses: vec![addresses],
        file_indexes: vec![files],
        count: Some(files.1 - files.0 + 1),
        ..Section::default()
    }
}

/// A volume with its label and the blocks of two jobs by turns.
fn volume(one: &Job, two: &Job) -> Vec<u8> {
    let mut volume = VolumeLabel { volume: b"V".to_vec(), ..VolumeLabel::default() }.block(Session::default());
    for i in 0..one.blocks.len().max(two.blocks.len()) {
        for job in [one, two] {
            volume.extend_from_slice(job.blocks.get(i).map_or(&[][..], Vec::as_slice));
        }
    }
    volume
}

/// The catalog's records by file, after checking that none may be sent before all of its file is in a block.
fn catalog(job: &Job) -> BTreeMap<i32, Vec<(i32, Vec<u8>)>> {
    let mut last_block = BTreeMap::new();
    let mut reader = RecordReader::new();
    for (number, block) in job.blocks.iter().enumerate() {
        let header = BlockHeader::verify(block, true).unwrap();
        let mut at = 0;
        while let Some(record) = reader.next(header.session, block, &mut at) {
            last_block.insert(record.file_index, number as u32);
        }
    }
    let mut records: BTreeMap<i32, Vec<(i32, Vec<u8>)>> = BTreeMap::new();
    for (after_block, frames) in &job.catalog {
        assert!((*after_block as usize) < job.blocks.len());
        let (mut reader, mut rest) = (Frames::new(MAX_ACCEPT), &frames[..]);
        while let Some(frame) = reader.next(&mut rest).unwrap() {
            let Frame::Data(payload) = frame else { panic!("a signal among attributes") };
            let body = payload.strip_prefix(PREFIX).unwrap();
            let number = |at: usize| i32::from_be_bytes(body[at..at + 4].try_into().unwrap());
            let (file_index, stream) = (number(8), number(12));
            assert!(last_block[&file_index] <= *after_block, "file {file_index} too early");
            assert_eq!(number(16) as usize, body.len() - 20);
            records.entry(file_index).or_default().push((stream, body[20..].to_vec()));
        }
        assert!(reader.is_between_frames());
    }
    records
}

fn check_catalog(job: &Job, files: &[File]) {
    let records = catalog(job);
    assert_eq!(records.len(), files.len());
    for (file, records) in files.iter().zip(records.values()) {
        assert_eq!(records.len(), 2);
        assert_eq!(AttributeRecord::parse(&records[0].1).unwrap().name, file.name);
        assert_eq!((records[1].0, &records[1].1), (Stream::XXH128.0, &file.digest));
    }
}

fn sample() -> Vec<File> {
    let file = |name: &str, size: usize, xattrs: usize| File {
        name: name.as_bytes().to_vec(),
        contents: (0..size).map(|i| (i * 31 % 251) as u8).collect(),
        xattrs: vec![b'x'; xattrs],
        ..File::default()
    };
    vec![file("/a", 3, 0), file("/empty", 0, 0), file("/b\u{ff}", 70, 5), file("/c", 1000, 0)]
}

#[test]
fn a_stream_may_be_cut_at_every_byte() {
    let mut files = sample();
    let stream = pack(&mut files).concat();
    let session = Session { id: 1, time: 2 };
    let whole = receive(session, 4096, &stream, || usize::MAX);
    check_catalog(&whole, &files);
    for cut in 1..stream.len() {
        let mut pieces = [cut, usize::MAX].into_iter();
        let job = receive(session, 4096, &stream, || pieces.next().unwrap_or(usize::MAX));
        assert_eq!(job.blocks, whole.blocks, "cut at {cut}");
        assert_eq!(job.catalog, whole.catalog, "cut at {cut}");
    }
    assert_eq!(receive(session, 4096, &stream, || 1).blocks, whole.blocks);
}

#[test]
fn a_stream_of_many_blocks_may_come_byte_by_byte() {
    let contents = (0..81_073).map(|i| (i * 7 % 253) as u8).collect();
    let mut files = vec![File { name: b"/a".to_vec(), contents, ..File::default() }];
    let stream = pack(&mut files).concat();
    let session = Session { id: 1, time: 2 };
    let job = receive(session, 4096, &stream, || 1);
    assert!(job.blocks.len() > 4 * MAX_BLOCKS, "it has to wait for empty blocks several times");
    assert_eq!(job.blocks, receive(session, 4096, &stream, || usize::MAX).blocks);
    check_catalog(&job, &files);
}

#[test]
fn a_stream_that_is_cut_off_leaves_only_its_finished_files() {
    let mut files: Vec<File> = (0..3).flat_map(|_| sample()).collect();
    let stream = pack(&mut files).concat();
    for cut in 1..stream.len() {
        let mut receiver = BackupReceiver::new(setup(Session { id: 1, time: 2 }, 4096));
        let mut job = Job::default();
        let mut taken = 0;
        let mut budget = Budget::over(cut);
        while taken < cut {
            budget.spend("receiving");
            taken += receiver.feed(&stream[taken..cut]).unwrap();
            job.drain(&mut receiver);
        }
        let finished = (receiver.files() as usize).saturating_sub(1);
        while !receiver.finish(&SessionLabel::default(), &SessionEnd::default()).unwrap() {
            budget.spend("finishing");
            job.drain(&mut receiver);
        }
        job.drain(&mut receiver);
        check_catalog(&job, &files[..finished]);
        if let Some(last) = job.blocks.last() {
            let (mut reader, mut at, mut labels) = (RecordReader::new(), 0, 0);
            while let Some(record) = reader.next(Session::default(), last, &mut at) {
                labels += u32::from(record.file_index == SessionLabel::END);
            }
            assert_eq!(labels, 1, "cut at {cut}");
        }
    }
}

#[test]
fn the_first_block_of_a_job_begins_as_that_of_a_real_one() {
    let mut files = vec![File { name: b"/a".to_vec(), contents: vec![1; 2_000_000], ..File::default() }];
    let stream = pack(&mut files).concat();
    let mut setup = setup(Session { id: 1, time: 1_795_437_881 }, 1 << 20);
    setup.start.job_id = 1;
    let label = setup.start.encode_start().len() as u32;
    let mut receiver = BackupReceiver::new(setup);
    assert_eq!(receiver.feed(&stream), Ok(stream.len()));
    let block = receiver.poll_block().unwrap().bytes;
    assert_eq!(block[4..24], *b"\x00\x10\0\0\0\0\0\0BB02\0\0\0\x01\x6b\x04\x35\x39");
    assert_eq!(block[24..32], *b"\xff\xff\xff\xfc\0\0\0\x01");
    assert_eq!(block[32..36], label.to_be_bytes());
    assert_eq!(block[36 + label as usize..][..8], *b"\0\0\0\x01\0\0\0\x01");
}

#[test]
fn a_job_that_sends_nothing_leaves_no_trace() {
    let job = receive(Session::default(), 4096, &pack(&mut []).concat(), || 1);
    assert!(job.blocks.is_empty() && job.catalog.is_empty());
}

#[test]
fn a_long_job_uses_no_more_than_its_four_blocks() {
    let mut files: Vec<File> = (0..3000).flat_map(|_| sample()).collect();
    let stream = pack(&mut files).concat();
    let job = receive(Session { id: 1, time: 2 }, 64 * 1024, &stream, || 100_000);
    assert!(job.blocks.len() > 50);
    assert!(job.buffers.len() <= MAX_BLOCKS, "{} buffers", job.buffers.len());
    check_catalog(&job, &files);
}

#[test]
fn attributes_that_wait_for_the_block_being_filled_do_not_stop_the_stream() {
    // Nothing but attributes, and blocks so large that no block fills before all parcels are under way.
    let mut files: Vec<File> =
        (0..20_000).map(|i| File { name: format!("/{i:0100}").into_bytes(), ..File::default() }).collect();
    let stream = pack(&mut files).concat();
    let mut receiver = BackupReceiver::new(setup(Session::default(), 16 << 20));
    let (mut rest, mut waiting, mut written) = (&stream[..], Vec::new(), 0_u32);
    while !receiver.has_ended() {
        let taken = receiver.feed(rest).unwrap();
        rest = &rest[taken..];
        waiting.extend(std::iter::from_fn(|| receiver.poll_attributes()));
        let mut moved = taken > 0;
        while let Some(block) = receiver.poll_block() {
            written = block.number + 1;
            receiver.give_block(block.bytes);
            moved = true;
        }
        let (ready, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|a| a.after_block < written);
        waiting = later;
        for attributes in ready {
            receiver.give_attributes(attributes.parcel);
            moved = true;
        }
        assert!(moved, "stuck with {} bytes left", rest.len());
    }
}

fn stream_of(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        if part.is_empty() { put_signal(&mut out, Signal::Eod) } else { put_data(&mut out, part) }
    }
    out
}

#[test]
fn a_stream_that_breaks_its_rules_is_refused() {
    let feed = |stream: &[u8]| BackupReceiver::new(setup(Session::default(), 65536)).feed(stream);
    let record: &[u8] = b"1 3 /a\0A\0";
    for (stream, error) in [
        (stream_of(&[b"2 1 0"]), ReceiveError::FileIndex { found: 2, last: 0 }),
        (stream_of(&[b"0 1 0"]), ReceiveError::FileIndex { found: 0, last: 0 }),
        (stream_of(&[b"-4 1 0"]), ReceiveError::FileIndex { found: -4, last: 0 }),
        (stream_of(&[b"1 1 0", record, b"", b"3 1 0"]), ReceiveError::FileIndex { found: 3, last: 1 }),
        (stream_of(&[b"1 -2 0"]), ReceiveError::Stream(-2)),
        (stream_of(&[b"append end session 1\n"]), ReceiveError::Header("append end session 1".into())),
    ] {
        assert_eq!(feed(&stream), Err(error));
    }
    let mut signal = stream_of(&[b"1 1 0"]);
    put_signal(&mut signal, Signal::Terminate);
    assert_eq!(feed(&signal), Err(ReceiveError::Signal(Signal::Terminate)));
    let mut again = setup(Session::default(), 65536);
    again.is_rerun = true;
    assert!(BackupReceiver::new(again).feed(&stream_of(&[b"90 1 0", record, b"", b"91 1 0"])).is_ok());
}

#[test]
fn one_file_cannot_keep_attributes_without_bound() {
    let mut receiver = BackupReceiver::new(setup(Session::default(), 65536));
    let record = vec![b'a'; 200_000];
    let stream = stream_of(&[b"1 1 0", &record, b""]);
    let mut job = Job::default();
    for _ in 0..100 {
        let mut rest = &stream[..];
        while !rest.is_empty() {
            match receiver.feed(rest) {
                Ok(taken) => rest = &rest[taken..],
                Err(error) => {
                    assert_eq!(error, ReceiveError::TooManyAttributes(1));
                    return;
                }
            }
            job.drain(&mut receiver);
        }
    }
    panic!("it was never refused");
}

#[test]
fn heartbeats_polls_and_empty_records_are_taken() {
    let mut stream = Vec::new();
    put_signal(&mut stream, Signal::Heartbeat);
    stream.extend(stream_of(&[b"1 1 0", b"1 3 /a\0A\0", b""]));
    stream.extend(stream_of(&[b"1 2 0"]));
    put_data(&mut stream, b"");
    put_signal(&mut stream, Signal::Poll);
    stream.extend(stream_of(&[b"", b""]));
    let mut receiver = BackupReceiver::new(setup(Session::default(), 65536));
    assert_eq!(receiver.feed(&stream), Ok(stream.len()));
    assert_eq!((receiver.take_polls(), receiver.files(), receiver.bytes()), (1, 1, 9));
}

fn files() -> impl Strategy<Value = Vec<File>> {
    let size = prop_oneof![4 => 0..200_usize, 2 => 0..20_000_usize, 1 => 0..700_000_usize];
    let xattrs = prop_oneof![8 => Just(0_usize), 2 => 1..300_usize, 1 => 1..900_000_usize];
    let file = ("/[a-z\u{e4}]{1,30}", size, xattrs, any::<u8>()).prop_map(|(name, size, xattrs, seed)| File {
        name: name.into_bytes(),
        contents: (0..size).map(|i| (i * 7 % 253) as u8 ^ seed).collect(),
        xattrs: vec![seed; xattrs],
        ..File::default()
    });
    prop::collection::vec(file, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_is_packed_is_restored(
        mut one in files(),
        mut two in files(),
        block_size in prop_oneof![Just(4096_usize), 4096..100_000_usize, Just(1 << 20)],
        pieces in prop::collection::vec(prop_oneof![1..20_usize, 1..5000_usize, 1..500_000_usize], 1..20),
    ) {
        let piece = || {
            let mut sizes = pieces.clone().into_iter().cycle();
            move || sizes.next().unwrap_or(1)
        };
        let (first, second) = (Session { id: 1, time: 99 }, Session { id: 2, time: 99 });
        let job_one = receive(first, block_size, &pack(&mut one).concat(), piece());
        let job_two = receive(second, block_size, &pack(&mut two).concat(), piece());
        check_catalog(&job_one, &one);
        check_catalog(&job_two, &two);
        let volume = volume(&job_one, &job_two);
        let all = (0, volume.len() as u64);
        // One job alone, read from among the blocks of the other.
        let bootstrap = Bootstrap { sections: vec![section(second, all, (1, two.len() as u32))] };
        prop_assert_eq!(unpack(&select(&volume, &bootstrap).concat(), piece()), two);
        // A part of a job.
        let from = one.len() / 2;
        let bootstrap = Bootstrap { sections: vec![section(first, all, (from as u32 + 1, one.len() as u32))] };
        prop_assert_eq!(unpack(&select(&volume, &bootstrap).concat(), piece()), &one[from..]);
    }
}
