//! Makes volumes with jobs on them.

use std::path::{Path, PathBuf};

use towline_core::bulk::work::Expect;
use towline_core::wire::attributes::{NewAttributes, Stat};
use towline_core::wire::block::{BlockBuilder, FullBlock, Session};
use towline_core::wire::digest::{Algorithm, Hasher};
use towline_core::wire::label::{SessionEnd, SessionLabel, VolumeLabel};
use towline_core::wire::stream::{FileType, Stream};

use crate::volume::erase::Eraser;
use crate::volume::writer::VolumeWriter;
use crate::volumes::{Asked, look};

/// When the storage daemon of these volumes was started.
pub(in crate::volumes) const STARTED: u32 = 1_800_000_000;

/// One file of a job.
#[derive(Clone, Debug)]
pub(in crate::volumes) struct Entry {
    pub(in crate::volumes) kind: FileType,
    pub(in crate::volumes) name: Vec<u8>,
    pub(in crate::volumes) link: Vec<u8>,
    pub(in crate::volumes) stat: Stat,
    pub(in crate::volumes) data: Vec<u8>,
}

/// A file with these contents.
pub(in crate::volumes) fn file(name: &str, data: &[u8]) -> Entry {
    let size = i64::try_from(data.len()).unwrap();
    let stat = Stat { mode: 0o100_640, nlink: 1, size, mtime: 1_700_000_000, ..Stat::default() };
    Entry { kind: FileType::Regular, name: name.into(), link: Vec::new(), stat, data: data.to_vec() }
}

/// A second name of a file before it.
pub(in crate::volumes) fn link(name: &str, first: &str, link_fi: i32) -> Entry {
    let stat = Stat { mode: 0o100_640, nlink: 2, link_fi, ..Stat::default() };
    Entry { kind: FileType::HardLink, name: name.into(), link: first.into(), stat, data: Vec::new() }
}

/// Label of a job.
pub(in crate::volumes) fn label(job_id: u32, level: u8) -> SessionLabel {
    SessionLabel {
        job_id,
        written: (i64::from(STARTED) + i64::from(job_id) * 100) * 1_000_000,
        pool: b"daily".to_vec(),
        pool_type: b"Backup".to_vec(),
        job_name: b"nightly".to_vec(),
        client: b"laptop".to_vec(),
        job: format!("nightly.2027-01-15_09.00.{:02}_01", job_id % 60).into_bytes(),
        fileset: b"home".to_vec(),
        job_type: b'B'.into(),
        level: level.into(),
        fileset_md5: b"abcdefghijklmnopqrstuv".to_vec(),
    }
}

/// The session of a job.
pub(in crate::volumes) const fn session(job_id: u32) -> Session {
    Session { id: job_id, time: STARTED }
}

/// The blocks of a job: its labels, attributes, data in records of 700 bytes, and digests.
pub(in crate::volumes) fn blocks(label: &SessionLabel, size: usize, entries: &[Entry]) -> Vec<FullBlock> {
    let mut out = Out { builder: BlockBuilder::new(session(label.job_id), size), blocks: Vec::new() };
    out.label(SessionLabel::START, label.job_id, &label.encode_start());
    let mut bytes = 0;
    for (entry, index) in entries.iter().zip(1..) {
        let new = NewAttributes {
            file_type: entry.kind,
            name: &entry.name,
            stat: &entry.stat,
            link: &entry.link,
            attrs_ex: b"",
            delta_seq: 0,
        };
        let mut record = Vec::new();
        new.encode(index, &mut record);
        out.record(index, Stream::ATTRIBUTES, &record);
        if entry.kind == FileType::Regular {
            let stream = if entry.stat.data_stream == Stream(0) { Stream::FILE_DATA } else { entry.stat.data_stream };
            entry.data.chunks(700).for_each(|part| out.record(index, stream, part));
            let mut hasher = Hasher::new(Algorithm::Xxh128);
            hasher.update(&entry.data);
            out.record(index, Stream::XXH128, hasher.finish().as_bytes());
        }
        bytes += entry.data.len() as u64;
    }
    let end = SessionEnd {
        files: u32::try_from(entries.len()).unwrap(),
        bytes,
        status: b'T'.into(),
        ..SessionEnd::default()
    };
    let written = label.written + 10_000_000;
    out.label(SessionLabel::END, label.job_id, &SessionLabel { written, ..label.clone() }.encode_end(&end));
    out.blocks.extend(out.builder.take());
    out.blocks
}

struct Out {
    builder: BlockBuilder,
    blocks: Vec<FullBlock>,
}

impl Out {
    fn room(&mut self) {
        if self.builder.is_full() {
            self.blocks.extend(self.builder.take());
        }
        if self.builder.needs_buffer() {
            assert!(self.builder.give(Vec::new()));
        }
    }

    fn label(&mut self, index: i32, job_id: u32, data: &[u8]) {
        self.room();
        while !self.builder.push_label(index, job_id.cast_signed(), data) {
            self.room();
        }
    }

    fn record(&mut self, index: i32, stream: Stream, data: &[u8]) {
        self.room();
        self.builder.begin_record(index, stream.0, u32::try_from(data.len()).unwrap());
        let mut rest = data;
        while !self.builder.record_is_done() {
            self.room();
            rest = &rest[self.builder.push(rest)..];
        }
    }
}

/// A new volume with these blocks.
pub(in crate::volumes) fn volume(folder: &Path, name: &str, blocks: &[FullBlock]) -> PathBuf {
    let label = VolumeLabel {
        volume: name.into(),
        pool: b"daily".to_vec(),
        pool_type: b"Backup".to_vec(),
        media_type: b"File".to_vec(),
        program: b"sd".to_vec(),
        labelled: i64::from(STARTED) * 1_000_000,
        ..VolumeLabel::default()
    };
    let at = folder.to_str().unwrap();
    let (mut writer, _) = VolumeWriter::mount(at, &label, Expect::New, 0, session(1), &Eraser::default()).unwrap();
    for block in blocks {
        writer.append(&mut block.bytes.clone()).unwrap();
    }
    folder.join(name)
}

/// The jobs on what is in a folder.
pub(in crate::volumes) fn asked(folder: &Path) -> Asked {
    look("test", &[folder.to_owned()], &[]).expect("volumes")
}
