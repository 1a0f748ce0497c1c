//! What somebody who holds the key of a job can do with its data channel (`wire/2 §2.2`, `wire/3 §3.3`): a client with a backup,
//! a storage daemon with a restore.

use towline_core::wire::attributes::{NewAttributes, Stat};
use towline_core::wire::digest::{Algorithm, Hasher};
use towline_core::wire::frame;
use towline_core::wire::stream::{FileType, Stream};

use crate::rng::Rng;

/// What a file daemon answers (`wire/2`), whatever it was asked.
pub const ANSWERS: &[&str] = &[
    "2000 OK Hello 54\n",
    "2000 OK Job Hello (26.0.0) Linux\n",
    "2000 OK level\n",
    "2000 OK include\n",
    "2000 OK FDSecureEraseCmd\n",
    "2000 OK storage\n",
    "2000 OK backup\n",
    "2800 End Job TermCode=84 JobFiles=1000 ReadBytes=1000000 JobBytes=1000000 Errors=0 VSS=0 Encrypt=0\n",
    "3000 OK data\n",
    "2000 OK\n",
    "2999 Invalid command\n",
    "Jmsg JobId=1 type=6 level=0 everything is fine\n",
    "UpdCat JobId=1 FileAttributes \n",
];
/// What a storage daemon says to its director (`wire/3`), whatever it was asked.
pub const REPLIES: &[&str] = &[
    "3000 OK Hello\n",
    "3000 OK Job SDid=1 SDtime=1767225600 Authorization=dummy\n",
    "3000 OK use device device=dev\n",
    "3000 OK bootstrap\n",
    "3010 Job evil.2026-01-01_00.00.00_00 start\n",
    "3099 Job evil.2026-01-01_00.00.00_00 end JobStatus=84 JobFiles=9 JobBytes=9 JobErrors=0\n",
    "3012 Job evil.2026-01-01_00.00.00_00 jobstatus 84\n",
    "CatReq Job=evil.2026-01-01_00.00.00_00 FindMedia=1 pool_name=sd0 media_type=sd0 unwanted_volumes=\n",
    "CatReq Job=evil.2026-01-01_00.00.00_00 GetVolInfo VolName=nobody write=1\n",
    "UpdCat Job=evil.2026-01-01_00.00.00_00 FileAttributes \n",
    "Status Job=evil.2026-01-01_00.00.00_00 JobStatus=70\n",
    "Jmsg Job=evil.2026-01-01_00.00.00_00 type=6 level=0 everything is fine\n",
    "3999 Invalid command\n",
];

/// Frames with one of these texts, or with something like it, or with nothing that anybody understands.
#[must_use]
pub fn babble(rng: &mut Rng, words: &[&str]) -> Vec<u8> {
    let pick = rng.below(words.len() as u64);
    let mut text =
        words.get(usize::try_from(pick).unwrap_or(0)).map(|text| text.as_bytes().to_vec()).unwrap_or_default();
    let mut frames = Vec::new();
    match rng.below(8) {
        0 => {
            let at = usize::try_from(rng.below(text.len() as u64)).unwrap_or(0);
            text[at] = rng.next().to_le_bytes()[0];
            frame::put_data(&mut frames, &text);
        }
        1 => frame::put_data(&mut frames, &text.repeat(1 + rng.size(200))),
        2 => {
            let signal = -i32::try_from(1 + rng.below(30)).unwrap_or(1);
            frames.extend(signal.to_be_bytes());
        }
        3 => frames.extend(rng.next().to_le_bytes()),
        _ => frame::put_data(&mut frames, &text),
    }
    frames
}

/// What a hostile client does with its data channel (`wire/2 §2.2`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// Bytes that mean nothing.
    Garbage,
    /// A frame of two gigabytes.
    GiantLength,
    /// The same where a stream should begin.
    GiantHeader,
    /// A frame of an allowed length, longer than any header, where a stream should begin.
    LongHeader,
    /// Data of a file before its name.
    OutOfOrder,
    /// A file with the number of an earlier one.
    GoesBack,
    /// A number that no file has.
    Leap,
    /// A signal in the middle of a record.
    Signals,
    /// The session is opened again in the middle of it.
    SecondOpen,
    /// A second connection for the same job.
    SecondChannel,
    /// More data after their end.
    AfterEnd,
    /// A byte now and then.
    Drip,
    /// Nothing more, though the director is told that all is well.
    ForgottenEnd,
    /// It leaves in the middle of a frame.
    CutFrame,
}

impl Misuse {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Garbage,
        Self::GiantLength,
        Self::GiantHeader,
        Self::LongHeader,
        Self::OutOfOrder,
        Self::GoesBack,
        Self::Leap,
        Self::Signals,
        Self::SecondOpen,
        Self::SecondChannel,
        Self::AfterEnd,
        Self::Drip,
        Self::ForgottenEnd,
        Self::CutFrame,
    ];

    /// What it sends after two files (`whole_file`) that are right.
    #[must_use]
    pub fn bytes(self, rng: &mut Rng) -> Vec<u8> {
        let garbage: Vec<u8> = (0..1 + rng.size(20_000)).map(|_| rng.next().to_le_bytes()[0]).collect();
        let giant = || [&i32::MAX.to_be_bytes()[..], &[7; 4_000]].concat();
        match self {
            Self::Garbage => garbage,
            Self::GiantLength => [frames(&[b"3 1 0", &attributes(3), b"", b"3 2 0"]), giant()].concat(),
            Self::GiantHeader => giant(),
            Self::LongHeader => frames(&[&[b'3'; 5_000]]),
            Self::OutOfOrder => {
                frames(&[b"3 40 0", &digest(b""), b"", b"3 2 0", b"hello", b"", b"3 1 0", &attributes(3), b""])
            }
            Self::GoesBack => whole_file(1),
            Self::Leap => frames(&[b"2147483647 1 0", &attributes(7), b""]),
            Self::Signals => {
                [frames(&[b"3 2 0", b"hel"]), (-17_i32).to_be_bytes().to_vec(), frames(&[b"lo", b""])].concat()
            }
            Self::SecondOpen => frames(&[b"append open session\n"]),
            Self::AfterEnd => [frames(&[b""]), whole_file(3), garbage].concat(),
            Self::CutFrame => vec![0, 0, 0, 9, b'3', b' '],
            Self::SecondChannel | Self::Drip | Self::ForgottenEnd => Vec::new(),
        }
    }

    /// The code of what its job's report says.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AfterEnd => "(T0672)",
            Self::CutFrame => "(T0405)",
            Self::ForgottenEnd => "(T0994)",
            _ => "(T0501)",
        }
    }

    /// Whether nothing but a person, or the end of the job's time, can tell it from a slow client.
    #[must_use]
    pub const fn is_patient(self) -> bool {
        matches!(self, Self::Drip | Self::SecondChannel | Self::OutOfOrder)
    }
}

/// What a hostile storage daemon gives a client that restores (`wire/3 §3.3`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gift {
    /// What it asked for: the others differ from it in one thing.
    Right,
    /// Other bytes than were saved.
    WrongBytes,
    /// A record of another length than its header says.
    WrongLength,
    /// Data of a file that has not begun.
    NoName,
    /// A header that is none.
    NoHeader,
    /// Bytes that mean nothing.
    Garbage,
    /// A frame of two gigabytes.
    GiantLength,
    /// The connection ends in the middle of a record.
    Cut,
    /// Nothing more comes, and the director is told that all was sent.
    ForgottenEnd,
    /// More comes after the end.
    AfterEnd,
}

impl Gift {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Right,
        Self::WrongBytes,
        Self::WrongLength,
        Self::NoName,
        Self::NoHeader,
        Self::Garbage,
        Self::GiantLength,
        Self::Cut,
        Self::ForgottenEnd,
        Self::AfterEnd,
    ];

    /// What its job's report says.
    #[must_use]
    pub const fn said(self) -> &'static str {
        match self {
            Self::Right => "Restore OK",
            Self::WrongBytes => "/data/file-001 is not what was saved (T0550)",
            Self::WrongLength | Self::NoName => "(T0607)",
            Self::NoHeader => "hdr of a record (T0502)",
            Self::Garbage | Self::GiantLength => "(T0501)",
            Self::Cut => "(T0405)",
            Self::ForgottenEnd => "(T0994)",
            Self::AfterEnd => "(T0664)",
        }
    }

    /// What it sends for a restore of the file `/data/file-001`, whose five bytes are `hello`.
    #[must_use]
    pub fn bytes(self, rng: &mut Rng) -> Vec<u8> {
        let head = |stream: i32, bytes: &[u8]| format!("rechdr 1 1767225600 1 {stream} {}", bytes.len()).into_bytes();
        let record = |stream: i32, bytes: &[u8]| frames(&[&head(stream, bytes), bytes]);
        let garbage: Vec<u8> = (0..1 + rng.size(20_000)).map(|_| rng.next().to_le_bytes()[0]).collect();
        let name = record(1, &attributes(1));
        let right = [name.clone(), record(2, b"hello"), record(40, &digest(b"hello"))].concat();
        let end = frames(&[b""]);
        match self {
            Self::Right => [right, end].concat(),
            Self::WrongBytes => [name, record(2, b"jelly"), record(40, &digest(b"hello")), end].concat(),
            Self::WrongLength => [name, frames(&[&head(2, b"hello!"), b"hello"]), end].concat(),
            Self::NoName => [record(2, b"hello"), right, end].concat(),
            Self::NoHeader => [right, frames(&[b"hdr of a record"]), end].concat(),
            Self::Garbage => [right, garbage].concat(),
            Self::GiantLength => {
                [name, frames(&[&head(2, b"hello")]), i32::MAX.to_be_bytes().to_vec(), garbage].concat()
            }
            Self::Cut => [name, frames(&[&head(2, b"hello")]), vec![0, 0, 0, 5, b'h']].concat(),
            Self::ForgottenEnd => right,
            Self::AfterEnd => [right.clone(), end.clone(), right, garbage, end].concat(),
        }
    }
}

/// Frames: texts as they are, and an end of data for each empty one.
#[must_use]
pub fn frames(texts: &[&[u8]]) -> Vec<u8> {
    let mut frames = Vec::new();
    for text in texts {
        if text.is_empty() { frames.extend((-1_i32).to_be_bytes()) } else { frame::put_data(&mut frames, text) }
    }
    frames
}

/// The attribute record of a file of five bytes.
fn attributes(index: i32) -> Vec<u8> {
    let stat = Stat { mode: 0o100_644, nlink: 1, size: 5, data_stream: Stream::FILE_DATA, ..Stat::default() };
    let name = format!("/data/file-{index:03}").into_bytes();
    let new = NewAttributes {
        file_type: FileType::Regular,
        name: &name,
        stat: &stat,
        link: b"",
        attrs_ex: b"",
        delta_seq: 0,
    };
    let mut record = Vec::new();
    new.encode(index, &mut record);
    record
}

fn digest(bytes: &[u8]) -> Vec<u8> {
    let mut hasher = Hasher::new(Algorithm::Xxh128);
    hasher.update(bytes);
    hasher.finish().as_bytes().to_vec()
}

/// One whole file, as a file daemon sends it.
#[must_use]
pub fn whole_file(index: i32) -> Vec<u8> {
    let head = |stream: i32| format!("{index} {stream} 0").into_bytes();
    frames(&[&head(1), &attributes(index), b"", &head(2), b"hello", b"", &head(40), &digest(b"hello"), b""])
}
