//! Volumes in stores: in a folder, and on a server that misbehaves.
#![expect(clippy::single_range_in_vec_init, reason = "the lost stretches are ranges, and often one")]

mod faults;
#[allow(unreachable_pub, reason = "shared with tests of processes")]
mod server;
mod tls;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustix::pipe::pipe;
use towline_core::bulk::stores::StoreTrouble;
use towline_core::bulk::work::{DiskError, Expect};
use towline_core::config::{Bytes, ObjectStore as Settings, Password, Seconds};
use towline_core::wire::block::{BlockBuilder, Session};
use towline_core::wire::label::VolumeLabel;

use super::labelling::label;
use super::parts::name;
use super::source::ObjectSource;
use super::writer::ObjectWriter;
use super::{Stop, register};
use crate::volume::blocks::{Blocks, Next};
use crate::volume::writer::{Appended, Mounted};
use server::Server;

const SESSION: Session = Session { id: 3, time: 1_700_000_000 };
/// Bytes of a small block, and of a part that three of them fill.
const BLOCK: usize = 1000;
const PART: u64 = 3000;

fn settings() -> Settings {
    Settings { part_size: Bytes(PART), retry_for: Seconds::secs(3), ..Settings::default() }
}

/// A store in a folder.
fn in_folder(folder: &Path) -> String {
    let address = format!("file://{}", folder.display());
    register(&address, &settings()).unwrap();
    address
}

/// A store on a server, under a prefix.
fn on_server(server: &Server) -> String {
    reached(server.address, "s3://bucket", "site/a", &settings())
}

/// Each server has an address of its own, so that tests do not meet.
fn reached(server: SocketAddr, bucket: &str, prefix: &str, settings: &Settings) -> String {
    let address = format!("{bucket}/{prefix}/{}", server.port());
    let settings = Settings {
        endpoint: Some(format!("http://{server}")),
        access_key: Some("key".to_owned()),
        secret_key: Some(Password::new("hunter2")),
        ..settings.clone()
    };
    register(&address, &settings).unwrap();
    address
}

fn label_named(name: &str) -> VolumeLabel {
    VolumeLabel { volume: name.into(), pool: b"P".to_vec(), pool_type: b"Backup".to_vec(), ..VolumeLabel::default() }
}

fn mount(folder: &str, name: &str, expect: Expect) -> Result<(ObjectWriter, Mounted), DiskError> {
    ObjectWriter::mount(folder, &label_named(name), expect, (0, SESSION), Stop::default())
}

/// A block of this length, of one record, before it has its checksum.
fn block(number: u8, len: usize) -> Vec<u8> {
    let mut builder = BlockBuilder::new(SESSION, 1 << 20);
    builder.give(Vec::new());
    let body = len - 24 - 12;
    builder.begin_record(i32::from(number), 2, u32::try_from(body).unwrap());
    builder.push(&vec![number; body]);
    builder.take().unwrap().bytes
}

fn append(writer: &mut ObjectWriter, numbers: std::ops::Range<u8>) -> Result<Vec<u64>, DiskError> {
    let starts = numbers.map(|number| match writer.append(&mut block(number, BLOCK))? {
        Appended::At(start) => Ok(start),
        other => panic!("{other:?}"),
    });
    starts.collect()
}

/// Where the blocks of a volume begin, without its label, and the stretches that are none.
fn read(folder: &str, name: &str) -> Result<(Vec<u64>, Vec<std::ops::Range<u64>>), DiskError> {
    let source = ObjectSource::open(&format!("{folder}/{name}"), Stop::default())?;
    let (mut blocks, mut bytes) = (Blocks::new(source, name.to_owned()), Vec::new());
    let (mut starts, mut damage) = (Vec::new(), Vec::new());
    loop {
        match blocks.read(&mut bytes)? {
            Next::Block(0) => {}
            Next::Block(start) => starts.push(start),
            Next::Damage(_) => damage.push(blocks.pass_over_damage(&mut bytes)?),
            Next::End => return Ok((starts, damage)),
        }
    }
}

fn trouble_of<T>(done: Result<T, DiskError>) -> StoreTrouble {
    match done.map(|_| ()) {
        Err(DiskError::Store { trouble, .. }) => trouble,
        other => panic!("{other:?}"),
    }
}

/// Names and lengths of the parts of a volume in a folder.
fn parts(folder: &Path, volume: &str) -> BTreeMap<String, u64> {
    let entries = std::fs::read_dir(folder.join(volume)).into_iter().flatten().flatten();
    entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len())).collect()
}

#[test]
fn blocks_become_parts_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = in_folder(folder.path());
    let (mut writer, mounted) = mount(&store, "v1", Expect::New).unwrap();
    assert!(mounted.labelled);
    let first = mounted.bytes;
    let starts = append(&mut writer, 1..8).unwrap();
    writer.sync().unwrap();
    // Nothing new makes no part.
    writer.sync().unwrap();
    let part = |start: u64| name(start);
    let expected = [(part(0), first), (part(first), 3000), (part(first + 3000), 3000), (part(first + 6000), 1000)];
    assert_eq!(parts(folder.path(), "v1"), expected.into_iter().collect());
    assert_eq!(read(&store, "v1").unwrap(), (starts.clone(), Vec::new()));
    drop(writer);
    // What follows is a part of its own, behind the short one.
    let (mut writer, mounted) = mount(&store, "v1", Expect::Bytes(first + 7000)).unwrap();
    assert_eq!((mounted.bytes, mounted.cut, mounted.labelled), (first + 7000, 0, false));
    let more = append(&mut writer, 8..10).unwrap();
    writer.sync().unwrap();
    assert_eq!(read(&store, "v1").unwrap(), ([starts, more].concat(), Vec::new()));
}

#[test]
fn what_was_not_acknowledged_is_kept_as_far_as_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = in_folder(folder.path());
    let (mut writer, Mounted { bytes: first, .. }) = mount(&store, "v1", Expect::New).unwrap();
    let starts = append(&mut writer, 1..8).unwrap();
    writer.sync().unwrap();
    drop(writer);
    // The catalog knows the first part only: the others are kept.
    let (_, mounted) = mount(&store, "v1", Expect::Bytes(first + 3000)).unwrap();
    assert_eq!((mounted.bytes, mounted.cut), (first + 7000, 0));
    // A part that was on its way is not there: what is behind it goes.
    std::fs::remove_file(folder.path().join("v1").join(name(first + 3000))).unwrap();
    assert_eq!(read(&store, "v1").unwrap().1, [first + 3000..first + 6000], "who reads is told of the gap");
    let (mut writer, mounted) = mount(&store, "v1", Expect::Bytes(first + 3000)).unwrap();
    assert_eq!((mounted.bytes, mounted.cut), (first + 3000, 1000));
    append(&mut writer, 4..7).unwrap();
    writer.sync().unwrap();
    assert_eq!(read(&store, "v1").unwrap(), (starts[..6].to_vec(), Vec::new()));
    // Half a block at the end.
    let last = folder.path().join("v1").join(name(first + 3000));
    std::fs::OpenOptions::new().write(true).open(&last).unwrap().set_len(2500).unwrap();
    let (mut writer, mounted) = mount(&store, "v1", Expect::Bytes(first + 3000)).unwrap();
    assert_eq!((mounted.bytes, mounted.cut), (first + 5000, 500));
    append(&mut writer, 6..7).unwrap();
    writer.sync().unwrap();
    assert_eq!(read(&store, "v1").unwrap(), (starts[..6].to_vec(), Vec::new()));
    // Less than the catalog knows.
    let short = mount(&store, "v1", Expect::Bytes(first + 6001)).err().unwrap();
    assert!(matches!(short, DiskError::Truncated { .. }), "{short:?}");
    let none = mount(&store, "v2", Expect::Bytes(1)).err().unwrap();
    assert!(matches!(none, DiskError::Missing(_)), "{none:?}");
}

#[test]
fn a_second_writer_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let store = in_folder(folder.path());
    let (mut one, Mounted { bytes: first, .. }) = mount(&store, "v1", Expect::New).unwrap();
    let (mut other, _) = mount(&store, "v1", Expect::Bytes(first)).unwrap();
    append(&mut one, 1..3).unwrap();
    one.sync().unwrap();
    append(&mut other, 7..9).unwrap();
    assert_eq!(trouble_of(other.sync()), StoreTrouble::Shared);
    assert_eq!(trouble_of(other.append(&mut block(9, BLOCK))), StoreTrouble::Shared, "it stays so");
    assert_eq!(read(&store, "v1").unwrap(), (vec![first, first + 1000], Vec::new()));
    // One that goes on where the first has ended is noticed by the first.
    let (mut other, _) = mount(&store, "v1", Expect::Bytes(first + 2000)).unwrap();
    append(&mut one, 3..4).unwrap();
    one.sync().unwrap();
    append(&mut other, 5..6).unwrap();
    assert_eq!(trouble_of(other.sync()), StoreTrouble::Shared);
}

#[test]
fn volumes_are_labelled_relabelled_and_recycled() {
    let folder = tempfile::tempdir().unwrap();
    let store = in_folder(folder.path());
    let bytes = label(&store, &label_named("old"), None).unwrap();
    assert!(
        matches!(label(&store, &label_named("old"), None), Err(DiskError::HasLabel { volume, .. }) if volume == "old")
    );
    assert!(label(&store, &label_named("../x"), None).is_err());
    // A bare label is no loss; with data it is.
    let (mut writer, _) = mount(&store, "old", Expect::New).unwrap();
    append(&mut writer, 1..6).unwrap();
    writer.sync().unwrap();
    drop(writer);
    let foreign = mount(&store, "old", Expect::New).err().unwrap();
    assert!(matches!(foreign, DiskError::WrongVolume { .. }), "{foreign:?}");
    std::fs::write(folder.path().join("job.bsr"), "Volume=\"old\"\nVolSessionId=1\n").unwrap();
    std::fs::write(folder.path().join("other.bsr"), "Volume=\"x\"\nVolSessionId=1\n").unwrap();
    let (_, mounted) = mount(&store, "old", Expect::Recycled).unwrap();
    assert_eq!((mounted.bytes, parts(folder.path(), "old").len()), (bytes, 1));
    assert!(!folder.path().join("job.bsr").exists() && folder.path().join("other.bsr").exists());
    assert_eq!(label(&store, &label_named("old"), Some("old")).unwrap(), bytes);
    label(&store, &label_named("taken"), None).unwrap();
    assert!(matches!(label(&store, &label_named("taken"), Some("old")), Err(DiskError::HasLabel { .. })));
    assert!(matches!(label(&store, &label_named("new"), Some("none")), Err(DiskError::Missing(_))));
    label(&store, &label_named("new"), Some("old")).unwrap();
    assert_eq!((parts(folder.path(), "old").len(), parts(folder.path(), "new").len()), (0, 1));
    assert_eq!(read(&store, "new").unwrap(), (Vec::new(), Vec::new()));
    // What lies there and is no volume stays as it is.
    std::fs::create_dir(folder.path().join("letter")).unwrap();
    std::fs::write(folder.path().join("letter").join(name(0)), "Dear Sir").unwrap();
    assert!(matches!(label(&store, &label_named("letter"), None), Err(DiskError::WrongVolume { .. })));
    assert!(matches!(mount(&store, "letter", Expect::New), Err(DiskError::WrongVolume { .. })));
    // Nor does what another program keeps volumes in.
    std::fs::write(folder.path().join("letter").join("0000"), "a chunk").unwrap();
    assert!(matches!(mount(&store, "letter", Expect::Bytes(1)), Err(DiskError::WrongVolume { .. })));
}

#[test]
fn a_limit_is_kept_and_what_comes_after_it_does_not_slip_in() {
    let folder = tempfile::tempdir().unwrap();
    let store = in_folder(folder.path());
    let of = |limit| {
        ObjectWriter::mount(&store, &label_named("v1"), Expect::New, (limit, SESSION), Stop::default()).unwrap()
    };
    let (_, Mounted { bytes: first, .. }) = of(0);
    let (mut writer, _) = of(first + 2500);
    append(&mut writer, 1..3).unwrap();
    assert_eq!(writer.append(&mut block(3, BLOCK)).unwrap(), Appended::LimitReached);
    assert_eq!(writer.append(&mut block(4, 100)).unwrap(), Appended::LimitReached);
    writer.sync().unwrap();
    assert_eq!(read(&store, "v1").unwrap().0, [first, first + 1000]);
}

#[test]
fn who_is_given_up_does_not_wait_for_a_store_that_is_away() {
    let server = Server::start();
    let long = Settings { retry_for: Seconds::secs(3_600), ..settings() };
    let store = reached(server.address, "s3://bucket", "given-up", &long);
    let (end, other) = pipe().unwrap();
    let stop = Stop::at(Some(Arc::new(end)));
    let (mut writer, _) = ObjectWriter::mount(&store, &label_named("v1"), Expect::New, (0, SESSION), stop).unwrap();
    server.asked();
    server.misbehave(|_| Some(server::Fault::Says(503, "SlowDown")));
    append(&mut writer, 1..3).unwrap();
    let waiting = std::thread::spawn(move || writer.sync());
    while server.asked().is_empty() {
        std::thread::yield_now();
    }
    assert!(!waiting.is_finished());
    drop(other);
    let given_up = waiting.join().unwrap().err().unwrap();
    assert!(given_up.to_string().contains("given up"), "{given_up}");
}
