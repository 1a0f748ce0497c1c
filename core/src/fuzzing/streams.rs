//! The data channel's streams in both directions, without a connection: what comes out does not depend on how the bytes
//! were cut.

use super::{Kind, Steer, Steps, Target};
use crate::bulk::known::KnownFiles;
use crate::bulk::parcel::Parcel;
use crate::bulk::receive::{BackupReceiver, MAX_BLOCKS, MAX_PARCELS, ReceiveError, ReceiverSetup};
use crate::bulk::select::{Filled, RestoreReader};
use crate::bulk::unpack::{DataPiece, RestoreSink, Unpacker};
use crate::bulk::verifier::Verifier;
use crate::bulk::work::ReadForm;
use crate::wire::accurate::KnownFile;
use crate::wire::attributes::{AttributeRecord, Stat};
use crate::wire::block::{BlockHeader, Session};
use crate::wire::bsr::{Bootstrap, Section, Selection};
use crate::wire::fileset::FileSet;
use crate::wire::frame::{Decoder, Frame, Frames, MAX_ACCEPT, Signal, put_data, put_signal};
use crate::wire::label::{SessionEnd, SessionLabel};
use crate::wire::record::RecordReader;
use crate::wire::stream::Stream;

pub(super) const TARGETS: &[Target] = &[
    machine("receive", receive, || steered(vec![backup_stream(2), long_header()])),
    machine("unpack", unpack, || steered(vec![restore_stream(2)])),
    machine("verifier", verifier, || steered(vec![restore_stream(2)])),
    machine("select", select, || steered(vec![volume()])),
    machine("known", known, || steered(vec![known_list()])),
];

pub(super) const fn machine(name: &'static str, body: fn(&[u8]), samples: fn() -> Vec<Vec<u8>>) -> Target {
    Target { name, kind: Kind::Machine, body, samples }
}

/// Puts eight steering bytes before each sample.
pub(super) fn steered(samples: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    samples.into_iter().flat_map(|sample| [[0; 8], [7; 8]].map(|seed| [&seed[..], &sample].concat())).collect()
}

/// A backup of so many small files, as a file daemon sends it.
pub(super) fn backup_stream(files: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for n in 1..=files {
        for (stream, data) in
            [(1, format!("{n} 3 /file{n}\0P0A A A\0\0\x000")), (2, "contents".into()), (3, "d".repeat(16))]
        {
            put_data(&mut out, format!("{n} {stream} 0").as_bytes());
            put_data(&mut out, data.as_bytes());
            put_signal(&mut out, Signal::Eod);
        }
    }
    put_signal(&mut out, Signal::Heartbeat);
    put_signal(&mut out, Signal::Poll);
    put_signal(&mut out, Signal::Eod);
    out
}

/// A header longer than its room, and empty frames after it.
fn long_header() -> Vec<u8> {
    let mut out = Vec::new();
    put_data(&mut out, format!("1{}2 0", " ".repeat(100)).as_bytes());
    put_data(&mut out, b"");
    put_data(&mut out, b"");
    out
}

/// A restore of so many small files, as a storage daemon sends it.
pub(super) fn restore_stream(files: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for n in 1..=files {
        let attributes = format!("{n} 3 /file{n}\0P0A A A\0\0\x000");
        let sparse = "\0\0\0\0\0\x01\0\0sparse";
        for (stream, data) in [(1, &attributes[..]), (2, "contents"), (6, sparse), (3, "dddddddddddddddd"), (1998, "x")]
        {
            put_data(&mut out, format!("rechdr 1 1795438888 {n} {stream} {}", data.len()).as_bytes());
            put_data(&mut out, data.as_bytes());
        }
    }
    put_signal(&mut out, Signal::Eod);
    out
}

fn fresh(block_size: usize, is_rerun: bool) -> BackupReceiver {
    let start = SessionLabel { job_id: 7, job: b"x".to_vec(), ..SessionLabel::default() };
    BackupReceiver::new(ReceiverSetup {
        session: Session { id: 1, time: 2 },
        block_size,
        start,
        catalog_prefix: b"UpdCat Job=x FileAttributes ".to_vec(),
        is_rerun,
    })
}

/// What a storage daemon keeps of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
struct Kept {
    records: Vec<(i32, i32, Vec<u8>)>,
    catalog: Vec<u8>,
    files: i32,
    bytes: u64,
    polls: u32,
    error: Option<std::mem::Discriminant<ReceiveError>>,
}

fn receive(bytes: &[u8]) {
    let (mut steer, stream) = Steer::of(bytes);
    let (size, is_rerun) = (4_096 << steer.below(3), steer.once_in(4));
    let whole = receive_in(stream, fresh(size, is_rerun), || usize::MAX);
    let cut = receive_in(stream, fresh(size, is_rerun), || steer.segment());
    assert_eq!(whole, cut, "it depends on how the stream is cut");
    assert!(whole.bytes <= stream.len() as u64);
}

fn receive_in(stream: &[u8], mut receiver: BackupReceiver, mut segment: impl FnMut() -> usize) -> Kept {
    let mut kept = Kept::default();
    let mut reader = RecordReader::new();
    let mut steps = Steps::over("a receiver", stream.len());
    let mut rest = stream;
    while !rest.is_empty() && !receiver.has_ended() {
        steps.take();
        let given = segment().min(rest.len());
        match receiver.feed(&rest[..given]) {
            Ok(taken) => rest = &rest[taken..],
            Err(error) => {
                assert!(!matches!(error, ReceiveError::Stuck(_)), "{error}");
                kept.error = Some(std::mem::discriminant(&error));
                break;
            }
        }
        kept.take(&mut receiver, &mut reader);
    }
    (kept.files, kept.bytes, kept.polls) = (receiver.files(), receiver.bytes(), receiver.take_polls());
    while !matches!(receiver.finish(&SessionLabel::default(), &SessionEnd::default()), Ok(true)) {
        steps.take();
        kept.take(&mut receiver, &mut reader);
    }
    kept.take(&mut receiver, &mut reader);
    kept
}

impl Kept {
    fn take(&mut self, receiver: &mut BackupReceiver, reader: &mut RecordReader) {
        let (mut blocks, mut parcels) = (0, 0);
        while let Some(block) = receiver.poll_block() {
            blocks += 1;
            let header = BlockHeader::decode(&block.bytes).map_err(|error| error.to_string());
            assert_eq!(header.map(|header| header.len as usize), Ok(block.bytes.len()));
            let mut at = crate::wire::block::HEADER_LEN;
            while let Some(record) = reader.next(Session::default(), &block.bytes, &mut at) {
                if record.file_index > 0 {
                    self.records.push((record.file_index, record.stream, record.data.to_vec()));
                }
            }
            receiver.give_block(block.bytes);
        }
        while let Some(attributes) = receiver.poll_attributes() {
            parcels += 1;
            self.catalog.extend_from_slice(&attributes.parcel.bytes);
            receiver.give_attributes(attributes.parcel);
        }
        assert!(blocks <= MAX_BLOCKS + 1 && parcels <= MAX_PARCELS, "{blocks} blocks, {parcels} parcels");
    }
}

/// What a restore is told to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    events: Vec<(u8, Vec<u8>)>,
    is_open: bool,
}

impl RestoreSink for Told {
    type Error = String;

    fn attributes(&mut self, record: &AttributeRecord<'_>) -> Result<(), String> {
        assert!(!std::mem::replace(&mut self.is_open, true), "a file begins in a file");
        self.events.push((b'a', record.name.to_vec()));
        Ok(())
    }

    fn data(&mut self, piece: DataPiece<'_>) -> Result<(), String> {
        assert!(self.is_open, "data of no file");
        if piece.first {
            self.events.push((b'd', piece.offset.unwrap_or(0).to_be_bytes().to_vec()));
        }
        let Some((b'd', data)) = self.events.last_mut() else { return Err("data before its first piece".to_owned()) };
        data.extend_from_slice(piece.bytes);
        Ok(())
    }

    fn whole(&mut self, stream: Stream, record: &[u8]) -> Result<(), String> {
        let _ = stream;
        self.events.push((b'w', record.to_vec()));
        Ok(())
    }

    fn end_of_file(&mut self) -> Result<(), String> {
        assert!(std::mem::replace(&mut self.is_open, false), "no file ends");
        self.events.push((b'e', Vec::new()));
        Ok(())
    }

    fn dropped(&mut self, stream: Stream) {
        self.events.push((b'x', stream.0.to_be_bytes().to_vec()));
    }
}

fn unpack(bytes: &[u8]) {
    let (mut steer, stream) = Steer::of(bytes);
    let whole = unpack_in(stream, &mut Told::default(), || usize::MAX);
    let mut told = Told::default();
    let cut = unpack_in(stream, &mut told, || steer.segment());
    let size: usize = told.events.iter().map(|(_, text)| text.len()).sum();
    assert!(size <= stream.len() + 8 * told.events.len());
    assert_eq!(whole.0, cut.0, "it depends on how the stream is cut");
    assert_eq!(whole.1, cut.1);
}

/// How it ended, and the bytes of the records.
fn unpack_in<S: RestoreSink>(stream: &[u8], sink: &mut S, mut segment: impl FnMut() -> usize) -> (Option<String>, u64)
where
    S::Error: std::fmt::Debug,
{
    let mut unpacker = Unpacker::new();
    let mut steps = Steps::over("an unpacker", stream.len());
    let mut rest = stream;
    while !rest.is_empty() && !unpacker.has_ended() {
        steps.take();
        let given = segment().min(rest.len());
        match unpacker.feed(&rest[..given], sink) {
            Ok(taken) => {
                assert!(taken == given || unpacker.has_ended(), "an unpacker takes all");
                rest = &rest[taken..];
            }
            // How much of a line had come when it was refused depends on the cut.
            Err(error) => return (Some(format!("{error:?}").chars().take(6).collect()), 0),
        }
    }
    (None, unpacker.record_bytes())
}

fn verifier(bytes: &[u8]) {
    let (mut steer, stream) = Steer::of(bytes);
    let fileset = FileSet::default();
    let mut results = Vec::new();
    for is_whole in [true, false] {
        let mut verifier = Verifier::new(&fileset);
        verifier.give(Parcel::default());
        let (end, _) = unpack_in(stream, &mut verifier, || if is_whole { usize::MAX } else { steer.segment() });
        verifier.finish();
        let lines = verifier.take();
        let remarks: usize = verifier.take_remarks().iter().map(|remark| remark.text.len()).sum();
        assert!(lines.bytes.len() + remarks <= 64 * stream.len() + 4_096);
        results.push((end, lines.bytes, verifier.files(), verifier.errors()));
    }
    assert_eq!(results[0], results[1], "it depends on how the stream is cut");
}

/// The blocks of a small job.
fn volume() -> Vec<u8> {
    let mut receiver = fresh(4_096, false);
    let stream = backup_stream(3);
    let mut out = Vec::new();
    if receiver.feed(&stream) == Ok(stream.len()) {
        while !matches!(receiver.finish(&SessionLabel::default(), &SessionEnd::default()), Ok(true)) {}
        while let Some(block) = receiver.poll_block() {
            out.extend_from_slice(&block.bytes);
        }
    }
    assert!(!out.is_empty());
    out
}

/// A storage daemon reads blocks for a restore or a copy.
fn select(bytes: &[u8]) {
    let (mut steer, volume) = Steer::of(bytes);
    let section = Section {
        volumes: vec!["V".into()],
        session_ids: vec![(1, 1 + steer.below(2) as u32)],
        session_times: vec![2],
        addresses: vec![(steer.below(200) as u64, u64::MAX)],
        file_indexes: if steer.once_in(2) { vec![(1, 3)] } else { Vec::new() },
        ..Section::default()
    };
    let form = [ReadForm::Restore, ReadForm::Replicate, ReadForm::Clone, ReadForm::Join][steer.below(4)];
    let bootstrap = Bootstrap { sections: vec![section] };
    let mut reader = RestoreReader::in_form(Selection::new(&bootstrap, None), form);
    reader.begin_volume("V");
    let mut steps = Steps::over("a reader of volumes", volume.len());
    let (mut parcel, mut at, mut made) = (Parcel::new(), 0_u64, 0);
    let mut decoder = Decoder::new();
    let mut flush = |parcel: &mut Parcel, steps: &mut Steps| {
        made += parcel.bytes.len();
        let mut rest = &parcel.bytes[..];
        while let Ok(Some(_)) = decoder.next(&mut rest) {
            steps.take();
        }
        assert!(rest.is_empty(), "what is sent is no frame");
        parcel.clear();
    };
    loop {
        steps.take();
        if reader.fill(&mut parcel) == Filled::Full {
            flush(&mut parcel, &mut steps);
            continue;
        }
        let _ = reader.take_block();
        let Some(start) = reader.next_start(at) else { break };
        assert!(start >= at, "the reader goes back");
        let Some(rest) = usize::try_from(start).ok().and_then(|start| volume.get(start..)) else { break };
        let Ok(header) = BlockHeader::decode(rest) else { break };
        let Some(block) = rest.get(..header.len as usize) else { break };
        if reader.give_block(block.to_vec(), start).is_err() {
            break;
        }
        at = start + u64::from(header.len);
    }
    while !reader.finish(&mut parcel) {
        steps.take();
        flush(&mut parcel, &mut steps);
    }
    flush(&mut parcel, &mut steps);
    assert!(made <= 16 * volume.len() + 4_096, "{} bytes became {made}", volume.len());
    let _ = (reader.shortfall(), reader.lost(), reader.files());
}

fn known_list() -> Vec<u8> {
    let mut out = Vec::new();
    for name in ["/a/", "/a/b", "/a/b/c", "/ab", "/b"] {
        let mut payload = Vec::new();
        KnownFile { name: name.as_bytes(), lstat: b"P4A n4Hl EHt C A A", digest: b"abc", delta: 0 }.put(&mut payload);
        put_data(&mut out, &payload);
    }
    out
}

/// The list of an accurate job: what is in it is found, and what is gone is told once.
fn known(bytes: &[u8]) {
    let (mut steer, stream) = Steer::of(bytes);
    let mut list = if steer.once_in(2) { KnownFiles::with_digests() } else { KnownFiles::new() };
    let mut names = Vec::new();
    let (mut frames, mut rest) = (Frames::new(MAX_ACCEPT), stream);
    while let Ok(Some(frame)) = frames.next(&mut rest) {
        let Frame::Data(payload) = frame else { continue };
        if let Some(file) = KnownFile::parse(payload)
            && list.add(&file).is_ok()
        {
            names.push(file.name.to_vec());
        }
    }
    assert_eq!(list.len(), names.len());
    list.finish();
    for name in &names {
        match steer.below(4) {
            0 => list.keep_below(name),
            1 => list.keep(name),
            2 => drop(list.is_unchanged(name, &Stat::default(), Some("pinsugmcd5"))),
            _ => drop(list.digest(name, Some("5")).map(<[u8]>::to_vec)),
        }
    }
    let mut steps = Steps::over("a list of known files", stream.len());
    let mut gone = 0;
    while let Some(file) = list.next_gone() {
        steps.take();
        assert!(names.iter().any(|name| name == file.name));
        gone += 1;
        list.told();
    }
    assert!(gone <= names.len());
}
