use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use towline_core::bulk::parcel::PARCEL;
use towline_core::bulk::unpack::Unpacker;
use towline_core::wire::accurate::KnownFile;
use towline_core::wire::attributes::AttributeRecord;
use towline_core::wire::digest::Algorithm;
use towline_core::wire::stream::{FileType, Stream};

use super::*;
use crate::disk::compare::{Comparison, compare};
use crate::disk::meta::{Handle, set_xattr};
use crate::disk::restore::{Order, Relocations, Replace, RestoreTarget, Tally};

mod compressed;
mod failing;
mod fifo;
mod plugin;
mod relocated;
mod size;
mod unsaved;

fn source(options: &str, tops: &[&Path], since: Option<i64>) -> BackupSource {
    source_with(options, tops, since, None)
}

fn source_with(options: &str, tops: &[&Path], since: Option<i64>, unsaved: Option<UnsavedList>) -> BackupSource {
    let mut lines = vec![b"I".to_vec(), format!("O {options}").into_bytes(), b"N".to_vec()];
    lines.extend(tops.iter().map(|top| [b"F ", top.as_os_str().as_bytes()].concat()));
    let fileset = FileSet::parse(lines.iter().map(Vec::as_slice)).unwrap();
    BackupSource::new(&fileset, Changes { since, known: None }, unsaved).unwrap()
}

/// Everything that is left, as one stream, and the length of every parcel.
fn drain(source: &mut BackupSource) -> (Vec<u8>, Vec<usize>) {
    let (mut stream, mut lengths) = (Vec::new(), Vec::new());
    let mut parcel = Parcel::new();
    loop {
        let filled = source.fill(&mut parcel).unwrap();
        stream.extend_from_slice(&parcel.bytes);
        lengths.push(parcel.bytes.len());
        if filled.done {
            return (stream, lengths);
        }
    }
}

/// File index, stream, data frames.
type Object = (i32, i32, Vec<Vec<u8>>);

fn objects(mut stream: &[u8]) -> Vec<Object> {
    let mut objects: Vec<Object> = Vec::new();
    let mut open = false;
    while let Some((head, rest)) = stream.split_first_chunk::<4>() {
        let length = i32::from_be_bytes(*head);
        if length == -1 {
            if !open {
                assert!(rest.is_empty(), "bytes after the end of all data");
                return objects;
            }
            (open, stream) = (false, rest);
            continue;
        }
        assert!(length > 0, "a frame without bytes");
        let (bytes, rest) = rest.split_at(usize::try_from(length).unwrap());
        stream = rest;
        if open {
            objects.last_mut().unwrap().2.push(bytes.to_vec());
        } else {
            let words: Vec<i32> = std::str::from_utf8(bytes).unwrap().split(' ').map(|w| w.parse().unwrap()).collect();
            assert_eq!((words.len(), words[2]), (3, 0));
            objects.push((words[0], words[1], Vec::new()));
            open = true;
        }
    }
    panic!("no end of all data");
}

/// The storage daemon's part: every data frame becomes a record, which it sends back (wire/2 §3.1).
fn sent_back(objects: &[Object]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut frame = |bytes: &[u8]| {
        out.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
        out.extend_from_slice(bytes);
    };
    for (index, stream, records) in objects {
        for record in records {
            frame(format!("rechdr 1 2 {index} {stream} {}", record.len()).as_bytes());
            frame(record);
        }
    }
    out.extend_from_slice(&(-1_i32).to_be_bytes());
    out
}

fn restore(stream: &[u8], to: &Path) -> (Tally, Vec<String>) {
    let order = Order {
        to: to.as_os_str().as_bytes().to_vec(),
        replace: Replace::Always,
        prefix_links: false,
        relocation: Relocations::default(),
    };
    let mut target = RestoreTarget::new(order).unwrap();
    let mut unpacker = Unpacker::new();
    for piece in stream.chunks(100_001) {
        assert_eq!(unpacker.feed(piece, &mut target).unwrap(), piece.len());
    }
    assert!(unpacker.has_ended());
    let tally = target.finish();
    (tally, target.take_notices().iter().map(ToString::to_string).collect())
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir(bench.from()).unwrap();
        bench
    }

    fn from(&self) -> PathBuf {
        self.dir.path().join("from")
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.from().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Backs up, restores, compares.
    fn round(&self, options: &str) -> (Comparison, Tally, Vec<String>) {
        let mut source = source(options, &[&self.from()], None);
        let (stream, _) = drain(&mut source);
        let to = self.dir.path().join("to");
        let (tally, mut notices) = restore(&sent_back(&objects(&stream)), &to);
        notices.extend(source.take_notices().iter().map(ToString::to_string));
        assert_eq!(tally.files, source.counters().files);
        let from = self.from();
        (compare(&from, &to.join(from.strip_prefix("/").unwrap())), tally, notices)
    }
}

fn attributes(object: &Object) -> (FileType, Vec<u8>, Vec<u8>, i32) {
    let record = AttributeRecord::parse(&object.2[0]).unwrap();
    assert_eq!(record.file_index, object.0);
    (record.kind().unwrap(), record.name.to_vec(), record.link.to_vec(), record.stat().link_fi)
}

/// Everything an ordinary user can make.
fn all_kinds(bench: &Bench) {
    bench.write("empty", b"");
    bench.write("dir/hello.txt", b"Hello, Bareos\n");
    bench.write("dir/big", &noise(3 << 20));
    bench.write("dir/edge", &noise(PARCEL));
    let odd = bench.from().join(std::ffi::OsStr::from_bytes(b"odd \xff\n name"));
    std::fs::write(&odd, b"odd").unwrap();
    std::fs::set_permissions(&odd, std::fs::Permissions::from_mode(0o4710)).unwrap();
    std::fs::hard_link(bench.from().join("dir/hello.txt"), bench.from().join("zweite")).unwrap();
    symlink("dir/nowhere", bench.from().join("link")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        bench.from().join("fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o640),
        0,
    )
    .unwrap();
    std::fs::create_dir(bench.from().join("dir/empty")).unwrap();
    let sparse = std::fs::File::create(bench.from().join("sparse")).unwrap();
    sparse.set_len(3 << 20).unwrap();
    rustix::io::pwrite(&sparse, b"middle", 1_500_000).unwrap();
    let file = std::fs::File::options().write(true).open(bench.from().join("dir/hello.txt")).unwrap();
    use std::os::fd::AsFd;
    let handle = Handle::Open(file.as_fd());
    set_xattr(handle, b"user.note", b"x1").unwrap();
    let acl = b"user::rw-\nuser:4242:r--\ngroup::r--\nmask::r--\nother::---\n";
    let acl = towline_core::wire::acl::Acl::decode(acl, |_, _| None).unwrap().to_kernel();
    set_xattr(handle, b"system.posix_acl_access", &acl).unwrap();
    let dir = std::fs::File::open(bench.from().join("dir")).unwrap();
    set_xattr(Handle::Open(dir.as_fd()), b"system.posix_acl_default", &acl).unwrap();
    std::fs::set_permissions(bench.from().join("dir/empty"), std::fs::Permissions::from_mode(0o555)).unwrap();
}

#[test]
fn a_tree_of_every_kind_comes_back_the_same() {
    for options in ["AXM", "AXsS2", "X", "AXS4K"] {
        let bench = Bench::new();
        all_kinds(&bench);
        let (comparison, tally, notices) = bench.round(options);
        assert!(comparison.is_same(), "{options}: {:?}", comparison.differences);
        assert_eq!(comparison.forbidden, [], "{options}");
        assert_eq!((tally.errors, tally.warnings), (0, 0), "{options}: {notices:?}");
        assert_eq!(comparison.entries, u64::from(tally.files));
        assert_eq!(notices, [] as [String; 0], "{options}");
    }
}

#[test]
fn without_hard_link_handling_every_name_is_a_file() {
    let bench = Bench::new();
    bench.write("a", b"same");
    std::fs::hard_link(bench.from().join("a"), bench.from().join("b")).unwrap();
    let (comparison, tally, _) = bench.round("HAX");
    assert_eq!((tally.files, tally.bytes, tally.errors), (3, 8, 0));
    assert_eq!(comparison.differences.len(), 1);
    assert!(comparison.differences[0].what.contains("hard link"));
}

#[test]
fn the_streams_of_a_file_come_in_order_and_are_counted() {
    let bench = Bench::new();
    let path = bench.write("hello.txt", b"Hello, Bareos\n");
    use std::os::fd::AsFd;
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    set_xattr(Handle::Open(file.as_fd()), b"user.note", b"x1").unwrap();
    let mut source = source("AXM", &[&path], None);
    let (stream, lengths) = drain(&mut source);
    assert_eq!(lengths.len(), 1);
    let objects = objects(&stream);
    let (kind, name, link, link_fi) = attributes(&objects[0]);
    assert_eq!(
        (kind, name.as_slice(), link.as_slice(), link_fi),
        (FileType::Regular, path.as_os_str().as_bytes(), &b""[..], 0)
    );
    let xattr = b"\0\x5c\x58\x84\0\0\0\x09user.note\0\0\0\x02x1".to_vec();
    let md5 = [0xe6, 0x4d, 0xb0, 0xf5, 0x8c, 0x7f, 0xc9, 0xb5, 0x4d, 0xe9, 0x18, 0x90, 0x41, 0xb3, 0x32, 0x4d].to_vec();
    let found: Vec<_> = objects[1..].iter().map(|o| (o.1, o.2.clone())).collect();
    // A system with SELinux has one attribute more.
    assert_eq!(found[0], (2, vec![b"Hello, Bareos\n".to_vec()]));
    assert_eq!(found[1].0, 1998);
    assert!(found[1].1[0].windows(xattr.len()).any(|w| w == xattr));
    assert_eq!(found[2], (3, vec![md5]));
    assert_eq!(found.len(), 3);
    let job_bytes = 14 + found[1].1[0].len() as u64;
    assert_eq!(source.counters(), Counters { files: 1, read_bytes: 14, job_bytes, errors: 0, warnings: 0 });
}

#[test]
fn hard_links_name_the_first_and_repeat_its_digest() {
    let bench = Bench::new();
    let first = bench.write("a", b"same");
    std::fs::hard_link(&first, bench.from().join("b")).unwrap();
    let (stream, _) = drain(&mut source("S1", &[&first, &bench.from()], None));
    let objects = objects(&stream);
    let shapes: Vec<_> = objects.iter().map(|o| (o.0, o.1)).collect();
    assert_eq!(shapes, [(1, 1), (1, 2), (1, 10), (2, 1), (2, 10), (3, 1)]);
    let (kind, _, link, link_fi) = attributes(&objects[3]);
    assert_eq!((kind, link.as_slice(), link_fi), (FileType::HardLink, first.as_os_str().as_bytes(), 1));
    assert_eq!(objects[2].2, objects[4].2);
    assert!(attributes(&objects[5]).1.ends_with(b"/"));
}

#[test]
fn no_parcel_is_longer_than_it_may_be_and_small_files_share_one() {
    let bench = Bench::new();
    for n in 0..300 {
        bench.write(&format!("small/{n}"), b"x");
    }
    bench.write("big", &noise((3 << 20) + 17));
    let (_, lengths) = drain(&mut source("M", &[&bench.from()], None));
    assert!(lengths.iter().all(|l| *l <= PARCEL), "{lengths:?}");
    assert!((12..=15).contains(&lengths.len()), "{lengths:?}");
}

#[test]
fn a_file_that_shrinks_while_it_is_read_leaves_the_stream_whole() {
    for options in ["M", "sM"] {
        let bench = Bench::new();
        let path = bench.write("shrinks", &noise(3 << 20));
        let mut source = source(options, &[&path], None);
        let mut parcel = Parcel::new();
        assert!(!source.fill(&mut parcel).unwrap().done);
        std::fs::File::options().write(true).open(&path).unwrap().set_len(300_000).unwrap();
        let (rest, _) = drain(&mut source);
        let objects = objects(&[parcel.bytes, rest].concat());
        // The digest is that of what is saved.
        assert_eq!(objects.iter().map(|o| o.1).collect::<Vec<_>>(), [1, if options == "M" { 2 } else { 6 }, 3]);
        let notices = source.take_notices();
        assert_eq!(notices.len(), 1);
        assert!(notices[0].kind == NoticeKind::Warning && notices[0].text.starts_with("shrank to"), "{notices:?}");
        let (tally, notices) = restore(&sent_back(&objects), &bench.dir.path().join("to"));
        assert_eq!((tally.errors, tally.warnings), (0, 1), "{notices:?}");
        assert!(notices[0].contains("it changed while it was saved"), "{notices:?}");
    }
}

#[test]
fn a_file_that_grows_is_saved_with_the_size_it_had() {
    let bench = Bench::new();
    let path = bench.write("log", &noise(300_000));
    let mut source = source("M", &[&path], None);
    let mut parcel = Parcel::new();
    assert!(!source.fill(&mut parcel).unwrap().done);
    std::fs::write(&path, noise(400_000)).unwrap();
    let (rest, _) = drain(&mut source);
    let stream = sent_back(&objects(&[parcel.bytes, rest].concat()));
    let (tally, notices) = restore(&stream, &bench.dir.path().join("to"));
    assert_eq!((tally.bytes, tally.errors), (300_000, 0), "{notices:?}");
    assert!(source.take_notices().iter().any(|n| n.text.starts_with("grew")));
    assert_eq!(source.counters().errors, 0);
}

#[test]
fn a_file_that_vanishes_is_a_warning() {
    let bench = Bench::new();
    bench.write("a", &noise(3 << 20));
    let gone = bench.write("b", b"x");
    bench.write("c", b"x");
    let mut source = source("M", &[&bench.from()], None);
    let mut parcel = Parcel::new();
    assert!(!source.fill(&mut parcel).unwrap().done);
    std::fs::remove_file(&gone).unwrap();
    drain(&mut source);
    let notices = source.take_notices();
    assert_eq!((notices.len(), notices[0].kind), (1, NoticeKind::Warning));
    assert_eq!(notices[0].path, gone.as_os_str().as_bytes());
    let counters = source.counters();
    assert_eq!((counters.files, counters.errors, counters.warnings), (3, 0, 1));
}

#[test]
fn of_a_file_that_may_not_be_read_nothing_is_sent_and_it_is_counted() {
    // Nobody may read it, root neither.
    let path = Path::new("/proc/sys/vm/compact_memory");
    let mut source = source("AXM", &[path], None);
    let (stream, _) = drain(&mut source);
    assert_eq!(objects(&stream), []);
    let notices = source.take_notices();
    assert_eq!((notices.len(), notices[0].kind.code()), (1, 8), "{notices:?}");
    assert_eq!((source.counters().files, source.counters().errors), (0, 1));
}

/// A backup that has begun with this file; whatever of it is read from now on fails.
fn failing(options: &str, dir: &Path, name: &str) -> BackupSource {
    fail_at(source(options, &[dir], None), dir, name)
}

fn fail_at(mut source: BackupSource, dir: &Path, name: &str) -> BackupSource {
    loop {
        match source.walk.step(&mut source.selection) {
            Step::Entry(found) if found.path.ends_with(name.as_bytes()) => {
                let options = source.selection.options(found.tag).unwrap();
                let mut item = Item::new(found, options, source.since, &mut source.work, &source.means).unwrap();
                item.read_from(std::fs::File::open(dir).unwrap().into());
                source.item = Some(item);
                return source;
            }
            Step::Entry(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn only_what_changed_is_saved_but_all_is_walked() {
    let bench = Bench::new();
    bench.write("old/new", b"x");
    bench.write("old/old", b"x");
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    for name in ["old/old", "old"] {
        std::fs::File::open(bench.from().join(name)).unwrap().set_modified(old).unwrap();
    }
    let names = |options: &str| {
        let (stream, _) = drain(&mut source(options, &[&bench.from()], Some(2_000_000)));
        let names = objects(&stream).iter().filter(|o| o.1 == 1).map(|o| attributes(o).1).collect::<Vec<_>>();
        names
            .iter()
            .map(|n| String::from_utf8_lossy(&n[bench.from().as_os_str().len()..]).into_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("m"), ["/old/new", "/"]);
    // The time of change is now for all of them.
    assert_eq!(names("0"), ["/old/new", "/old/old", "/old/", "/"]);
}

#[test]
fn sockets_are_skipped_and_told() {
    let bench = Bench::new();
    let _socket = std::os::unix::net::UnixListener::bind(bench.from().join("s")).unwrap();
    let (comparison, tally, notices) = bench.round("AX");
    assert!(comparison.is_same(), "{:?}", comparison.differences);
    assert_eq!((tally.files, comparison.forbidden.len(), notices.len()), (1, 1, 1));
}

#[test]
fn holes_are_not_sent_and_come_back() {
    let bench = Bench::new();
    let path = bench.from().join("holes");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(3 << 20).unwrap();
    let mut source = source("sM", &[&path], None);
    let (stream, _) = drain(&mut source);
    assert!(stream.len() < 100_000);
    assert_eq!(source.counters().read_bytes, 96, "what is left after twelve blocks of zeros");
    let objects = objects(&stream);
    assert_eq!(objects[1].1, Stream::SPARSE.0);
    assert_eq!(objects[2].2[0].len(), Algorithm::Md5.size());
    let to = bench.dir.path().join("to");
    restore(&sent_back(&objects), &to);
    let back = std::fs::metadata(to.join(path.strip_prefix("/").unwrap())).unwrap();
    assert_eq!(back.len(), 3 << 20);
    assert!(back.blocks() <= 256, "{}", back.blocks());
}

#[test]
fn a_tree_two_thousand_directories_deep_comes_back() {
    let bench = Bench::new();
    let open = |fd: &std::os::fd::OwnedFd| {
        rustix::fs::openat(fd, c"d", rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).unwrap()
    };
    let mut fd = std::os::fd::OwnedFd::from(std::fs::File::open(bench.from()).unwrap());
    for _ in 0..2000 {
        rustix::fs::mkdirat(&fd, c"d", rustix::fs::Mode::from_raw_mode(0o700)).unwrap();
        fd = open(&fd);
    }
    let (comparison, tally, notices) = bench.round("AXM");
    assert!(comparison.is_same(), "{:?} {notices:?}", comparison.differences.first());
    assert_eq!((tally.files, comparison.entries), (2001, 2001));
}

#[test]
fn components_are_stripped_from_names_and_link_targets() {
    let bench = Bench::new();
    bench.write("a", b"x");
    std::fs::hard_link(bench.from().join("a"), bench.from().join("b")).unwrap();
    let depth = bench.from().components().count() - 1;
    let (stream, _) = drain(&mut source(&format!("P{depth}:"), &[&bench.from()], None));
    let objects = objects(&stream);
    let found: Vec<_> = objects.iter().filter(|o| o.1 == 1).map(attributes).collect();
    assert_eq!(
        (found[0].1.as_slice(), found[1].1.as_slice(), found[1].2.as_slice()),
        (&b"/a"[..], &b"/b"[..], &b"/a"[..])
    );
    assert_eq!(found[2].1, [bench.from().as_os_str().as_bytes(), b"/"].concat());
}

#[test]
fn data_that_cannot_be_understood_is_an_error_and_no_empty_file() {
    let bench = Bench::new();
    let path = bench.write("f", b"bytes");
    let (stream, _) = drain(&mut source("M", &[&path], None));
    let mut objects = objects(&stream);
    objects[1].1 = Stream::ENCRYPTED.0;
    let to = bench.dir.path().join("to");
    let (tally, notices) = restore(&sent_back(&objects), &to);
    assert_eq!(tally.errors, 1, "{notices:?}");
    let text = String::from_utf8(objects[0].2[0].clone()).unwrap().replace(" C\0", " L\0");
    objects[0].2[0] = text.into_bytes();
    let (tally, notices) = restore(&sent_back(&objects), &bench.dir.path().join("again"));
    assert_eq!((tally.files, tally.errors), (0, 1), "{notices:?}");
}

#[test]
fn compressed_data_of_a_real_daemon_is_restored() {
    let bench = Bench::new();
    let path = bench.write("f", b"Hello, Bareos\n");
    let (stream, _) = drain(&mut source("M", &[&path], None));
    let mut objects = objects(&stream);
    let record = b"GZIP\0\0\0\x16\0\x06\0\x01\x78\x9c\xf3\x48\xcd\xc9\xc9\xd7\x51\x70\x4a\x2c\x4a\xcd\x2f\xe6\x02\x00\x23\xd4\x04\xa7";
    objects[1] = (1, Stream::COMPRESSED.0, vec![record.to_vec()]);
    let to = bench.dir.path().join("to");
    let (tally, notices) = restore(&sent_back(&objects), &to);
    assert_eq!((tally.bytes, tally.errors), (14, 0), "{notices:?}");
    assert_eq!(std::fs::read(to.join(path.strip_prefix("/").unwrap())).unwrap(), b"Hello, Bareos\n");
    let offset = 0_u64.to_be_bytes();
    objects[1] = (1, Stream::SPARSE_COMPRESSED.0, vec![[&offset[..], record].concat()]);
    let (tally, notices) = restore(&sent_back(&objects), &to);
    assert_eq!((tally.bytes, tally.errors), (14, 0), "{notices:?}");
}

#[test]
fn a_restore_to_the_original_places_follows_the_machines_own_links_only() {
    let bench = Bench::new();
    std::fs::create_dir(bench.dir.path().join("real")).unwrap();
    std::fs::write(bench.dir.path().join("real/f"), b"bytes").unwrap();
    symlink("../real", bench.from().join("way")).unwrap();
    let file = bench.from().join("way/f");
    let (stream, _) = drain(&mut source("M", &[&file], None));
    std::fs::remove_file(&file).unwrap();
    let (tally, notices) = restore(&sent_back(&objects(&stream)), Path::new(""));
    assert_eq!((tally.files, tally.errors), (1, 0), "{notices:?}");
    assert_eq!(std::fs::read(bench.dir.path().join("real/f")).unwrap(), b"bytes");
}

#[test]
fn entries_with_the_no_dump_flag_are_left_out_where_the_fileset_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().join("top");
    std::fs::create_dir_all(top.join("cache")).unwrap();
    for name in ["kept", "spared", "cache/inside"] {
        std::fs::write(top.join(name), name).unwrap();
    }
    let mark = |path: &Path| {
        let file = std::fs::File::open(path).unwrap();
        rustix::fs::ioctl_getflags(&file)
            .and_then(|flags| rustix::fs::ioctl_setflags(&file, flags | rustix::fs::IFlags::NODUMP))
    };
    // A file system without the flag leaves nothing out.
    let is_known = ["spared", "cache"].map(|name| mark(&top.join(name)).is_ok()) == [true; 2];
    let saved = |options: &str, top: &Path| {
        let mut source = source(options, &[top], None);
        let (stream, _) = drain(&mut source);
        let names: Vec<String> = objects(&stream)
            .iter()
            .filter(|object| object.1 == Stream::ATTRIBUTES.0)
            .map(|object| String::from_utf8_lossy(&attributes(object).1).replace(&*dir.path().to_string_lossy(), ""))
            .collect();
        (names, source.take_notices())
    };
    let all = ["/top/cache/inside", "/top/cache/", "/top/kept", "/top/spared", "/top/"];
    assert_eq!(saved("A", &top).0, all);
    assert_eq!(saved("NA", &top).0, if is_known { &["/top/kept", "/top/"][..] } else { &all });
    if is_known {
        let (names, notices) = saved("N", &top.join("spared"));
        assert_eq!((names.len(), notices.len()), (0, 1));
        assert!(notices[0].text.contains("no-dump"), "{notices:?}");
    }
}

#[test]
fn without_recursion_what_stands_in_the_top_directly_is_saved() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c", "d"] {
        std::fs::write(dir.path().join(name), name).unwrap();
    }
    for name in ["e", "f"] {
        std::fs::create_dir(dir.path().join(name)).unwrap();
        std::fs::write(dir.path().join(name).join("below"), b"x").unwrap();
    }
    let (stream, _) = drain(&mut source("h", &[dir.path()], None));
    let objects = objects(&stream);
    let entries = objects.iter().filter(|object| object.1 == Stream::ATTRIBUTES.0).map(attributes);
    let names: Vec<_> = entries.map(|entry| String::from_utf8(entry.1).unwrap()).collect();
    let top = dir.path().display().to_string();
    let expected = ["/a", "/b", "/c", "/d", "/e/", "/f/", "/"].map(|name| format!("{top}{name}"));
    assert_eq!(names, expected);
}

#[test]
fn a_fileset_of_which_nothing_exists_is_an_error_after_a_line_for_each_path() {
    let dir = tempfile::tempdir().unwrap();
    let (gone, none) = (dir.path().join("gone"), dir.path().join("none/such"));
    let mut parcel = Parcel::new();
    let mut nothing = source("M", &[&gone, &none], None);
    assert_eq!(nothing.fill(&mut parcel), Ok(Filled { done: false }));
    assert_eq!(nothing.take_notices().iter().filter(|notice| notice.kind == NoticeKind::NotSaved).count(), 2);
    assert_eq!(nothing.fill(&mut parcel), Err(FillError::Nothing));
    // One that is there makes the others a remark.
    let mut some = source("M", &[&gone, dir.path()], None);
    drain(&mut some);
    assert_eq!((some.counters().files, some.counters().errors), (1, 1));
}
