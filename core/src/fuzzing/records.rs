//! Records of streams and volumes, and the texts around them.

use super::lines::{comes_back, samples};
use super::{Steps, Target, parser};
use crate::calendar::Civil;
use crate::catalog::UpdCatBatch;
use crate::config::{Bytes, Seconds, TimeOfDay};
use crate::tls::sniff::{First, sniff};
use crate::wire::accurate::KnownFile;
use crate::wire::acl::Acl;
use crate::wire::attributes::{AttributeRecord, NewAttributes, Stat};
use crate::wire::base64::{self, Variant};
use crate::wire::block::{BlockHeader, HEADER_LEN, Session, seal};
use crate::wire::bsr::{Bootstrap, Candidate, Selection};
use crate::wire::digest::{Algorithm, Digest};
use crate::wire::frame::{Decoder, Frame, Frames, Piece, Signal, put_data, put_signal};
use crate::wire::label::{SessionEnd, SessionLabel, VolumeLabel};
use crate::wire::record::{RecordHeader, RecordReader};
use crate::wire::scan::{Scan, put_decimal};
use crate::wire::stream::{FileType, Stream};
use crate::wire::verify::VerifyLine;
use crate::wire::xattr::{self, Xattr};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error;

pub(super) const TARGETS: &[Target] = &[
    parser("frame", frames, frame_samples),
    parser("base64", base64s, || {
        samples(&["P4A", "n4Hl EHt C A", "IlxWjJLjUvnwnJRq+D/DnA", "-Bk", "7777777777777777"])
    }),
    parser("scan", scans, || samples(&["-12 34 word rest", "18446744073709551616 x", "  \t7"])),
    parser("attributes", attributes, attribute_samples),
    parser("acl", acls, acl_samples),
    parser("xattr", xattrs, xattr_samples),
    parser("accurate", known_files, || samples(&["/x/y/\0P4A n4Hl EHt C A\0abc\x000", "/x\0P4A"])),
    parser("verify", verify_lines, || samples(&["2 1 pinsug5 /a\0P4A miAD\0/b\0", "1 40 IlxWjJLjUvnwnJRq *XXH128-1*"])),
    parser("digest", digests, || vec![vec![0; 16], vec![1; 20], vec![2; 32], vec![3; 64]]),
    parser("block", blocks, block_samples),
    parser("label", labels, label_samples),
    parser("bsr", bootstraps, || samples(BOOTSTRAPS)),
    parser("batch", batches, frame_samples),
    parser("sniff", sniffs, sniff_samples),
    parser("units", units, || samples(&["1 h 30 min", "12 GiB", "3 KB", "7", "0"])),
    parser("time", times, || samples(&["2026-11-23 13:01:31", "2026-02-30", "21:05", "24:00", "1969-12-31 23:59:59"])),
];

fn frame_samples() -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    put_data(&mut out, b"1 1 0");
    put_data(&mut out, b"1 3 /a\0P4A\0\0\0");
    put_signal(&mut out, Signal::Eod);
    put_data(&mut out, b"");
    put_signal(&mut out, Signal::Terminate);
    vec![out, (-29_i32).to_be_bytes().to_vec(), 1_000_001_u32.to_be_bytes().to_vec()]
}

/// Whole and byte by byte, the same frames come out, and of no more than the limit.
fn frames(bytes: &[u8]) {
    const LIMIT: u32 = 2_000;
    let mut whole = Vec::new();
    let mut reader = Frames::new(LIMIT);
    let mut steps = Steps::over("a reader of frames", bytes.len());
    let mut rest = bytes;
    let failed = loop {
        steps.take();
        match reader.next(&mut rest) {
            Ok(Some(Frame::Signal(signal))) => whole.push(signal.number().to_be_bytes().to_vec()),
            Ok(Some(Frame::Data(data))) => {
                assert!(data.len() <= LIMIT as usize);
                whole.push(data.to_vec());
            }
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    let (mut decoder, mut at, mut open) = (Decoder::new(), 0, Vec::new());
    'bytes: for byte in bytes {
        let mut rest = std::slice::from_ref(byte);
        while let Ok(Some(piece)) = decoder.next(&mut rest) {
            steps.take();
            match piece {
                Piece::Signal(signal) => {
                    assert_eq!(whole.get(at), Some(&signal.number().to_be_bytes().to_vec()));
                    at += 1;
                }
                Piece::Data { length, .. } if length > LIMIT => break 'bytes,
                Piece::Data { bytes, last, length, .. } => {
                    open.extend_from_slice(bytes);
                    if last {
                        assert_eq!(open.len(), length as usize);
                        assert_eq!(whole.get(at), Some(&std::mem::take(&mut open)));
                        at += 1;
                    }
                }
            }
        }
    }
    assert!(failed || at == whole.len());
}

fn base64s(bytes: &[u8]) {
    for variant in [Variant::Standard, Variant::Bareos] {
        let text = base64::encode(bytes, variant);
        assert!(text.len() <= 4 * bytes.len() / 3 + 3);
        if variant == Variant::Standard {
            assert_eq!(base64::decode(text.as_bytes()).as_deref(), Some(bytes));
        }
    }
    if let Some(decoded) = base64::decode(bytes) {
        assert!(decoded.len() <= bytes.len());
    }
    let mut rest = bytes;
    let number = base64::take_number(&mut rest);
    assert!(rest.len() <= bytes.len());
    let mut out = Vec::new();
    base64::put_number(&mut out, number);
    assert_eq!(base64::take_number(&mut &out[..]), number);
}

fn scans(bytes: &[u8]) {
    let mut scan = Scan::new(bytes);
    let number = scan.signed();
    scan.white();
    let _ = (scan.unsigned(), scan.gap(), scan.u32(), scan.word(7), scan.flag(), scan.literal(" a%"), scan.text());
    assert!(scan.rest().len() <= bytes.len());
    let mut out = Vec::new();
    put_decimal(&mut out, number);
    assert_eq!(Scan::new(&out).signed(), number);
}

fn attribute_samples() -> Vec<Vec<u8>> {
    let stat = Stat { mode: 0o100_644, size: 1_200, mtime: 1_795_438_893, nlink: 2, ..Stat::default() };
    [(FileType::Regular, &b"/etc/passwd"[..], &b""[..]), (FileType::Symlink, b"/etc/x", b"/etc/passwd")]
        .map(|(file_type, name, link)| {
            let mut out = Vec::new();
            NewAttributes { file_type, name, stat: &stat, link, attrs_ex: b"", delta_seq: 0 }.encode(7, &mut out);
            out
        })
        .to_vec()
}

fn attributes(bytes: &[u8]) {
    let stat = Stat::decode(bytes);
    let mut out = Vec::new();
    stat.encode(&mut out);
    assert_eq!(Stat::decode(&out), stat);
    let Ok(record) = AttributeRecord::parse(bytes) else { return };
    let (stat, Some(file_type)) = (record.stat(), record.kind()) else { return };
    let AttributeRecord { name, link, attrs_ex, delta_seq, .. } = record;
    let new = NewAttributes { file_type, name, stat: &stat, link, attrs_ex, delta_seq };
    out.clear();
    new.encode(record.file_index, &mut out);
    assert!(out.len() <= new.max_encoded());
    let again = AttributeRecord::parse(&out).map(|again| (again.name, again.link, again.file_index, again.stat()));
    assert_eq!(again, Ok((name, link, record.file_index, stat)));
}

fn acl_samples() -> Vec<Vec<u8>> {
    let text = b"user::rw-\nuser:1000:r--\ngroup::r--\nmask::rw-\nother::---\n\0";
    let acl = Acl::decode(text, |_, _| None).map(|acl| acl.to_kernel()).unwrap_or_default();
    vec![text.to_vec(), b"u::rwx,g:staff:r-x # comment\no::---".to_vec(), acl]
}

fn acls(bytes: &[u8]) {
    let id_of = |_, name: &str| (name.len() < 8).then_some(7);
    let encode = |acl: &Acl| {
        let mut out = Vec::new();
        acl.encode(|_, _| None, &mut out);
        out
    };
    comes_back(bytes, |record| Acl::decode(record, id_of).ok(), encode);
    comes_back(bytes, |value| Acl::from_kernel(value).ok(), Acl::to_kernel);
    if let Ok(acl) = Acl::decode(bytes, id_of) {
        let _ = acl.is_minimal();
    }
}

fn xattr_samples() -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let fits = Xattr { name: b"user.comment", value: b"hello" }.encode(&mut out)
        && Xattr { name: b"security.selinux", value: b"" }.encode(&mut out);
    assert!(fits);
    vec![out]
}

fn xattrs(bytes: &[u8]) {
    let mut steps = Steps::over("a record of extended attributes", bytes.len());
    let mut out = Vec::new();
    for attribute in xattr::parse(bytes) {
        steps.take();
        match attribute {
            Ok(attribute) => assert!(attribute.encode(&mut out) || out.len() > 500_000),
            Err(_) => return assert!(bytes.starts_with(&out)),
        }
    }
    assert_eq!(out, bytes);
}

fn known_files(bytes: &[u8]) {
    let Some(file) = KnownFile::parse(bytes) else { return };
    let mut out = Vec::new();
    file.put(&mut out);
    assert_eq!(KnownFile::parse(&out), Some(file));
}

fn verify_lines(bytes: &[u8]) {
    let Some(line) = VerifyLine::parse(bytes) else { return };
    let mut out = Vec::new();
    line.put(&mut out);
    assert_eq!(VerifyLine::parse(&out), Some(line));
}

fn digests(bytes: &[u8]) {
    for algorithm in Algorithm::ALL {
        if let Some(digest) = Digest::from_record(algorithm.stream(), bytes) {
            assert_eq!((digest.as_bytes(), digest.algorithm()), (bytes, algorithm));
            let _ = digest.catalog_text();
        }
    }
}

fn block_samples() -> Vec<Vec<u8>> {
    let mut block = VolumeLabel { volume: b"Full-0001".to_vec(), ..VolumeLabel::default() }.block(SESSION);
    for (file_index, stream, len) in [(1, 1, 5), (1, 2, 30), (2, -2, 30), (-4, 7, 3)] {
        block.extend_from_slice(&RecordHeader { file_index, stream, len }.encode());
        block.extend_from_slice(&vec![7; len as usize]);
    }
    let len = block.len() as u32;
    block[4..8].copy_from_slice(&len.to_be_bytes());
    seal(&mut block);
    vec![block.clone(), block.repeat(2)]
}

const SESSION: Session = Session { id: 1, time: 1_795_438_888 };

/// The blocks of a volume one after the other, as a reader takes them; what it keeps is no more than what it was given.
fn blocks(bytes: &[u8]) {
    let _ = BlockHeader::verify(bytes, true);
    let mut reader = RecordReader::new();
    let mut steps = Steps::over("a reader of records", bytes.len());
    let mut rest = bytes;
    while let Ok(header) = BlockHeader::decode(rest) {
        let len = (header.len as usize).min(rest.len());
        let (block, after) = rest.split_at(len);
        let mut at = HEADER_LEN;
        while let Some(record) = reader.next(header.session, block, &mut at) {
            steps.take();
            assert!(record.data.len() <= bytes.len() && record.stream >= 0);
        }
        assert!(reader.unfinished() <= bytes.len() / HEADER_LEN);
        rest = after;
    }
}

fn label_samples() -> Vec<Vec<u8>> {
    let start = SessionLabel { job_id: 7, job: b"x.2026".to_vec(), pool: b"Full".to_vec(), ..SessionLabel::default() };
    let volume = VolumeLabel { volume: b"Full-0001".to_vec(), pool: b"Full".to_vec(), ..VolumeLabel::default() };
    let end = SessionEnd { files: 6, bytes: 1_200, ..SessionEnd::default() };
    vec![start.encode_start(), start.encode_end(&end), volume.encode(), volume.block(SESSION)]
}

fn labels(bytes: &[u8]) {
    comes_back(bytes, |data| VolumeLabel::decode(data).ok(), VolumeLabel::encode);
    comes_back(bytes, |data| SessionLabel::decode_start(data).ok(), SessionLabel::encode_start);
    comes_back(bytes, |data| SessionLabel::decode_end(data).ok(), |(label, end)| label.encode_end(end));
    let _ = VolumeLabel::from_block(bytes, "Full-0001");
}

const BOOTSTRAPS: &[&str] = &[
    "Storage=\"File\"\nVolume=\"Full-0001|Full-0002\"\nMediaType=\"File\"\nDevice=\"FileStorage\"\nSlot=3\nVolSessionId=1\n\
     VolSessionTime=1795438888\nVolAddr=218-1418\nFileIndex=1-6\nCount=6\n",
    "Volume=A; VolSessionId=1-3,7 # comment\nFileRegex=^/tmp/[a-z]{1,3}$\nVolFile=0-2\nVolBlock=1-9\nStream=2\nJobId=1\n",
    "volume=\"a\\\"b\"\nclient=x\njob=y\ninclude=z\nexclude=\nvolume=b\n",
];

fn bootstraps(bytes: &[u8]) {
    // A line feed in a name is written as a blank.
    if !bytes.contains(&b'\r') {
        comes_back(bytes, |text| Bootstrap::parse(text).ok(), |bootstrap| bootstrap.to_string().into_bytes());
    }
    let Ok(bootstrap) = Bootstrap::parse(bytes) else { return };
    let parts = bootstrap.split_by_storage(|one, other| one == other);
    assert!(parts.iter().map(|(_, part)| part.sections.len()).sum::<usize>() >= bootstrap.sections.len());
    let mut selection = Selection::new(&bootstrap, None);
    for volume in selection.volumes() {
        for at in [0, 218, 1 << 32, u64::MAX] {
            assert!(selection.next_start(&volume.name, at).is_none_or(|next| next >= at), "back to before {at}");
        }
        for (file_index, address) in [(1, 217), (2, 1_417), (7, u64::MAX)] {
            let candidate = Candidate { session: SESSION, file_index, stream: 2, address, name: Some(b"/tmp/x") };
            let _ = selection.wants(&volume.name, &candidate);
        }
        let _ = selection.wants_block(&volume.name, SESSION);
        selection.finish_volume(&volume.name);
    }
    assert!(selection.is_done());
}

fn batches(bytes: &[u8]) {
    let mut steps = Steps::over("a batch", bytes.len());
    let mut again = UpdCatBatch::new();
    for payload in UpdCatBatch::from_frames(bytes.to_vec()).iter() {
        steps.take();
        again.push(payload);
    }
    assert!(bytes.starts_with(&again.into_frames()));
}

fn sniff_samples() -> Vec<Vec<u8>> {
    let mut body = vec![3, 3];
    body.extend([9; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0, 0, 8, 0, 41, 0, 4, 1, 2, 3, 4]);
    let mut message = vec![1, 0, 0, body.len() as u8];
    message.extend(body);
    let record = |piece: &[u8]| [&[0x16, 3, 1, 0, piece.len() as u8][..], piece].concat();
    let (one, two) = message.split_at(20);
    let mut hello = Vec::new();
    put_data(&mut hello, b"Hello Director bareos-dir calling\n");
    vec![record(&message), [record(one), record(two)].concat(), hello]
}

/// A verdict is final: more bytes do not change it.
fn sniffs(bytes: &[u8]) {
    let mut verdict = First::More;
    let mut cuts = [0, 1, 4, 9, 10, bytes.len() / 2, bytes.len()].map(|n| n.min(bytes.len()));
    cuts.sort_unstable();
    for n in cuts {
        let now = sniff(&bytes[..n]);
        assert!(verdict == First::More || now == verdict, "{verdict:?}, and {now:?} after {n} bytes");
        verdict = now;
    }
}

fn units(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let seconds = |text: &str| {
        let text: serde::de::value::StrDeserializer<'_, Error> = text.into_deserializer();
        Seconds::deserialize(text).ok()
    };
    let sizes = |text: &str| {
        let text: serde::de::value::StrDeserializer<'_, Error> = text.into_deserializer();
        Bytes::deserialize(text).ok()
    };
    if let Some(value) = seconds(&text) {
        assert_eq!(seconds(&value.to_string()), Some(value));
    }
    if let Some(value) = sizes(&text) {
        assert_eq!(sizes(&value.to_string()), Some(value));
    }
}

fn times(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(time) = TimeOfDay::parse(&text) {
        assert_eq!(TimeOfDay::parse(&time.to_string()), Some(time));
    }
    if let Some(civil) = Civil::parse(&text) {
        let seconds = civil.seconds();
        assert_eq!(Civil::of(seconds).seconds(), seconds);
        let _ = (civil.stamp(), civil.short());
    }
    let _ = FileType::from_number(bytes.len() as u32);
    let _ = Stream(bytes.len() as i32).kind();
}
