//! A catalog made again from a volume, beside a program that only reads the volume.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use towline::volume::erase::Eraser;
use towline::volume::writer::VolumeWriter;
use towline_core::bulk::work::Expect;
use towline_core::wire::attributes::{NewAttributes, Stat};
use towline_core::wire::block::{BlockBuilder, DEFAULT_BLOCK_SIZE, Session};
use towline_core::wire::label::{SessionEnd, SessionLabel, VolumeLabel};
use towline_core::wire::stream::{FileType, Stream};

/// Bytes of a file: as many as files of a home or a server have on average, and small ones.
pub(crate) const SIZES: [usize; 2] = [256 * 1024, 4 * 1024];
/// Bytes of a record of data.
const RECORD: usize = 64 * 1024;
/// Files in a folder.
const FOLDER: u64 = 40;
const SESSION: Session = Session { id: 1, time: 1_800_000_000 };

/// Writes a volume with one job of so many bytes in files of this size into a folder.
pub(crate) fn write(folder: &Path, bytes: u64, size: usize) {
    let label = VolumeLabel {
        volume: b"bench".to_vec(),
        pool: b"bench".to_vec(),
        pool_type: b"Backup".to_vec(),
        media_type: b"File".to_vec(),
        ..VolumeLabel::default()
    };
    let at = folder.to_str().expect("a folder with a plain name");
    let (volume, _) = VolumeWriter::mount(at, &label, Expect::New, 0, SESSION, &Eraser::default()).expect("a volume");
    let mut out = Out { builder: BlockBuilder::new(SESSION, DEFAULT_BLOCK_SIZE), volume, spare: Vec::new() };
    let job = SessionLabel {
        job_id: 1,
        written: 1_800_000_000_000_000,
        pool: b"bench".to_vec(),
        job_name: b"bench".to_vec(),
        client: b"bench-fd".to_vec(),
        job: b"bench.2027-01-15_08.00.00_01".to_vec(),
        fileset: b"bench".to_vec(),
        job_type: b'B'.into(),
        level: b'F'.into(),
        fileset_md5: b"m".to_vec(),
        ..SessionLabel::default()
    };
    out.label(SessionLabel::START, &job.encode_start());
    let files = bytes / size as u64;
    let (data, mut record) = (vec![0x5a; RECORD], Vec::new());
    for index in 1..=files {
        let name = format!("/srv/some/where/folder {}/a file with a name of usual length {index}", index / FOLDER);
        let stat = Stat {
            mode: 0o100_640,
            nlink: 1,
            size: i64::try_from(size).unwrap_or(i64::MAX),
            mtime: 1_700_000_000,
            ..Stat::default()
        };
        let (name, file_type) = (name.as_bytes(), FileType::Regular);
        record.clear();
        let index = i32::try_from(index).unwrap_or(i32::MAX);
        NewAttributes { file_type, name, stat: &stat, link: b"", attrs_ex: b"", delta_seq: 0 }
            .encode(index, &mut record);
        out.record(index, Stream::ATTRIBUTES, &record);
        for first in (0..size).step_by(RECORD) {
            out.record(index, Stream::FILE_DATA, &data[..RECORD.min(size - first)]);
        }
        out.record(index, Stream::MD5, &[0x5a; 16]);
    }
    let end = SessionEnd {
        files: u32::try_from(files).unwrap_or(u32::MAX),
        bytes,
        status: b'T'.into(),
        ..SessionEnd::default()
    };
    out.label(SessionLabel::END, &job.encode_end(&end));
    out.flush();
}

/// Seconds to read what is in the folder, as plainly as can be.
pub(crate) fn plain(folder: &Path) -> f64 {
    let began = Instant::now();
    let mut file = File::open(folder.join("bench")).expect("the volume");
    let mut room = vec![0; DEFAULT_BLOCK_SIZE];
    while file.read(&mut room).expect("read the volume") > 0 {}
    began.elapsed().as_secs_f64()
}

/// Seconds of `towline volume scan` into a new catalog, its start included.
pub(crate) fn scan(folder: &Path, catalog: &Path) -> f64 {
    let began = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_towline"))
        .args(["volume", "scan", "--catalog"])
        .arg(catalog)
        .arg(folder)
        .output()
        .expect("run towline");
    let took = began.elapsed().as_secs_f64();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    took
}

struct Out {
    builder: BlockBuilder,
    volume: VolumeWriter,
    spare: Vec<u8>,
}

impl Out {
    fn room(&mut self) {
        if self.builder.is_full() {
            self.flush();
        }
        if self.builder.needs_buffer() {
            self.builder.give(std::mem::take(&mut self.spare));
        }
    }

    fn flush(&mut self) {
        if let Some(mut block) = self.builder.take() {
            self.volume.append(&mut block.bytes).expect("append a block");
            self.spare = block.bytes;
        }
    }

    fn label(&mut self, index: i32, data: &[u8]) {
        self.room();
        while !self.builder.push_label(index, 1, data) {
            self.room();
        }
    }

    fn record(&mut self, index: i32, stream: Stream, data: &[u8]) {
        self.room();
        self.builder.begin_record(index, stream.0, u32::try_from(data.len()).unwrap_or(u32::MAX));
        let mut rest = data;
        while !self.builder.record_is_done() {
            self.room();
            rest = &rest[self.builder.push(rest)..];
        }
    }
}
