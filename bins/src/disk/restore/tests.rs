use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use towline_core::wire::acl::{Acl, Entry, Who};
use towline_core::wire::attributes::Stat;
use towline_core::wire::stream::FileType;
use towline_core::wire::xattr::Xattr;

use super::*;
use crate::disk::meta::{self, Handle, XattrReader};

mod complete;
mod in_the_way;

struct Bench {
    dir: tempfile::TempDir,
    target: RestoreTarget,
}

impl Bench {
    fn new() -> Self {
        Self::with(Replace::Always)
    }

    fn with(replace: Replace) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let target = open(&dir.path().join("to"), replace);
        Self { dir, target }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join("to").join(name)
    }

    fn put(&mut self, kind: FileType, name: &[u8], link: &[u8], stat: Stat) -> Placed {
        let mut lstat = Vec::new();
        stat.encode(&mut lstat);
        let file_type = kind.number();
        self.target.entry(&AttributeRecord {
            file_index: 1,
            file_type,
            name,
            lstat: &lstat,
            link,
            attrs_ex: b"",
            delta_seq: 0,
        })
    }

    fn file(&mut self, name: &[u8], bytes: &[u8]) -> Placed {
        let placed = self.put(FileType::Regular, name, b"", stat(0o100_640, bytes.len()));
        self.target.data(None, bytes);
        placed
    }

    fn finish(&mut self) -> (Tally, Vec<String>) {
        let tally = self.target.finish();
        (tally, self.target.take_notices().iter().map(ToString::to_string).collect())
    }
}

fn open(to: &Path, replace: Replace) -> RestoreTarget {
    use std::os::unix::ffi::OsStrExt;
    RestoreTarget::new(Order {
        to: to.as_os_str().as_bytes().to_vec(),
        replace,
        prefix_links: false,
        relocation: Relocations::default(),
    })
    .unwrap()
}

fn stat(mode: u32, size: usize) -> Stat {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let (atime, mtime) = (1_600_000_000, 1_700_000_000);
    Stat { mode, uid, gid, size: i64::try_from(size).unwrap(), atime, mtime, nlink: 1, ..Stat::default() }
}

#[test]
fn files_directories_links_and_fifos_come_back_with_mode_and_times() {
    let mut bench = Bench::new();
    assert_eq!(bench.file(b"/d/\xff\xfe name", b"hello"), Placed::Extract);
    assert_eq!(bench.put(FileType::RegularEmpty, b"/d/empty", b"", stat(0o100_444, 0)), Placed::Extract);
    assert_eq!(bench.put(FileType::Symlink, b"/d/link", b"../nowhere", stat(0o120_777, 10)), Placed::Created);
    assert_eq!(bench.put(FileType::Special, b"/d/fifo", b"", stat(0o010_622, 0)), Placed::Created);
    assert_eq!(bench.put(FileType::HardLink, b"/d/zweite", b"/d/empty", stat(0o100_444, 0)), Placed::Created);
    assert_eq!(bench.put(FileType::Special, b"/d/socket", b"", stat(0o140_755, 0)), Placed::Skipped);
    assert_eq!(bench.put(FileType::Directory, b"/d/", b"", stat(0o041_751, 0)), Placed::Created);
    let (tally, notices) = bench.finish();
    assert_eq!((tally.files, tally.bytes, tally.errors, tally.forbidden), (7, 5, 0, 0), "{notices:?}");
    use std::os::unix::ffi::OsStrExt;
    let odd = bench.at("d").join(std::ffi::OsStr::from_bytes(b"\xff\xfe name"));
    for (path, mode) in
        [(odd.clone(), 0o640), (bench.at("d/empty"), 0o444), (bench.at("d/fifo"), 0o622), (bench.at("d"), 0o1751)]
    {
        let meta = std::fs::symlink_metadata(&path).unwrap();
        assert_eq!(meta.mode() & 0o7777, mode, "{path:?}");
        assert_eq!((meta.atime(), meta.mtime()), (1_600_000_000, 1_700_000_000), "{path:?}");
    }
    assert_eq!(std::fs::read(&odd).unwrap(), b"hello");
    assert_eq!(std::fs::read_link(bench.at("d/link")).unwrap(), Path::new("../nowhere"));
    assert_eq!(std::fs::symlink_metadata(bench.at("d/link")).unwrap().mtime(), 1_700_000_000);
    let inode = |name| std::fs::metadata(bench.at(name)).unwrap().ino();
    assert_eq!(inode("d/empty"), inode("d/zweite"));
    assert!(!bench.at("d/socket").exists());
}

#[test]
fn names_with_two_dots_are_refused_and_counted() {
    let mut bench = Bench::new();
    for name in [b"/../escaped".as_slice(), b"a/../../escaped", b"..", b"/a/.."] {
        assert_eq!(bench.file(name, b"x"), Placed::Failed);
    }
    assert_eq!(bench.put(FileType::HardLink, b"/l", b"/../outside", stat(0o100_644, 0)), Placed::Failed);
    assert_eq!(bench.target.finish().errors, 5);
    assert!(!bench.dir.path().join("escaped").exists());
}

#[test]
fn a_hard_link_without_its_first_name_is_an_error() {
    let mut bench = Bench::new();
    assert_eq!(bench.put(FileType::HardLink, b"/l", b"/not/there", stat(0o100_644, 0)), Placed::Failed);
    let (tally, notices) = bench.finish();
    assert_eq!((tally.files, tally.errors), (0, 1));
    assert!(notices[0].contains("/not/there"), "{notices:?}");
}

#[test]
fn data_at_offsets_leaves_holes() {
    let mut bench = Bench::new();
    let size = 3 << 20;
    bench.put(FileType::Regular, b"/sparse", b"", stat(0o100_600, size));
    bench.target.data(Some(0), b"begin");
    bench.target.data(Some(size as u64 - 3), b"end");
    assert_eq!(bench.target.finish().errors, 0);
    let meta = std::fs::metadata(bench.at("sparse")).unwrap();
    assert_eq!(meta.len(), size as u64);
    assert!(meta.blocks() < 64);
    let bytes = std::fs::read(bench.at("sparse")).unwrap();
    assert!(bytes.starts_with(b"begin\0") && bytes.ends_with(b"\0end"));
}

#[test]
fn the_letters_decide_what_is_replaced() {
    let old = stat(0, 0).mtime - 10;
    for (letter, existing, replaced) in [
        (b'a', old, true),
        (b'n', old, false),
        (b'w', old, true),
        (b'w', old + 10, false),
        (b'w', old + 20, false),
        (b'o', old, false),
        (b'o', old + 20, true),
        (b'?', old, false),
    ] {
        let mut bench = Bench::with(Replace::from_letter(letter));
        std::fs::write(bench.at("f"), b"before").unwrap();
        let stamp = std::time::UNIX_EPOCH + std::time::Duration::from_secs(u64::try_from(existing).unwrap());
        std::fs::File::options().write(true).open(bench.at("f")).unwrap().set_modified(stamp).unwrap();
        let placed = bench.file(b"/f", b"after");
        assert_eq!(placed == Placed::Extract, replaced, "{}", char::from(letter));
        let tally = bench.target.finish();
        assert_eq!((tally.files, tally.errors), (1, 0));
        let expected: &[u8] = if replaced { b"after" } else { b"before" };
        assert_eq!(std::fs::read(bench.at("f")).unwrap(), expected);
    }
}

#[test]
fn a_directory_made_on_the_way_gets_its_looks_even_when_nothing_is_replaced() {
    let mut bench = Bench::with(Replace::Never);
    std::fs::create_dir(bench.at("there")).unwrap();
    bench.file(b"/made/f", b"x");
    assert_eq!(bench.put(FileType::Directory, b"/made/", b"", stat(0o040_710, 0)), Placed::Created);
    assert_eq!(bench.put(FileType::Directory, b"/there/", b"", stat(0o040_710, 0)), Placed::Skipped);
    bench.target.finish();
    assert_eq!(std::fs::metadata(bench.at("made")).unwrap().mode() & 0o777, 0o710);
    assert_ne!(std::fs::metadata(bench.at("there")).unwrap().mtime(), 1_700_000_000);
}

#[test]
fn a_read_only_directory_takes_later_entries_and_keeps_its_times() {
    let mut bench = Bench::new();
    bench.file(b"/ro/first", b"1");
    bench.put(FileType::Directory, b"/ro/", b"", stat(0o040_555, 0));
    assert_eq!(bench.file(b"/ro/second", b"2"), Placed::Extract);
    assert_eq!(bench.target.finish().errors, 0);
    let meta = std::fs::metadata(bench.at("ro")).unwrap();
    assert_eq!((meta.mode() & 0o777, meta.mtime()), (0o555, 1_700_000_000));
    std::fs::set_permissions(bench.at("ro"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn attributes_and_access_lists_come_back_even_on_a_read_only_file() {
    let mut bench = Bench::new();
    bench.put(FileType::RegularEmpty, b"/f", b"", stat(0o100_444, 0));
    let mut record = Vec::new();
    assert!(Xattr { name: b"user.note", value: b"x1" }.encode(&mut record));
    bench.target.xattrs(&record);
    bench.target.acl(false, b"user::r--\nuser:4242:rw-\ngroup::r--\nmask::r--\nother::r--\n\0");
    let (tally, notices) = bench.finish();
    assert_eq!(tally.errors, 0, "{notices:?}");
    use std::os::fd::AsFd;
    let file = std::fs::File::open(bench.at("f")).unwrap();
    let found = XattrReader::default().read(Handle::Open(file.as_fd())).unwrap().list;
    let value = |name: &[u8]| found.iter().find(|(n, _)| n == name).unwrap().1.clone();
    assert_eq!(value(b"user.note"), b"x1");
    let acl = Acl::from_kernel(&value(meta::ACL_ACCESS)).unwrap();
    assert!(acl.entries().contains(&Entry { who: Who::User(4242), rights: 6 }));
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o444);
}

#[test]
fn an_entry_does_not_inherit_what_is_not_recorded() {
    let mut bench = Bench::new();
    bench.put(FileType::Directory, b"/d/", b"", stat(0o040_755, 0));
    bench.target.acl(true, b"user::rwx\nuser:4242:rwx\ngroup::r-x\nmask::rwx\nother::r-x\n\0");
    bench.file(b"/d/f", b"x");
    bench.put(FileType::Directory, b"/d/sub/", b"", stat(0o040_755, 0));
    assert_eq!(bench.target.finish().errors, 0);
    use std::os::fd::AsFd;
    for (name, lists) in [("d", 1), ("d/f", 0), ("d/sub", 0)] {
        let file = std::fs::File::open(bench.at(name)).unwrap();
        let found = XattrReader::default().read(Handle::Open(file.as_fd())).unwrap().list;
        assert_eq!(found.iter().filter(|(n, _)| n.starts_with(b"system.posix_acl")).count(), lists, "{name}");
    }
}

#[test]
fn a_path_two_thousand_directories_deep_is_restored() {
    let mut bench = Bench::new();
    let path = "d/".repeat(2000);
    assert_eq!(bench.file(format!("/{path}file").as_bytes(), b"deep"), Placed::Extract);
    for depth in (1..=2000).rev() {
        let name = format!("/{}", &path[..2 * depth]);
        assert_eq!(bench.put(FileType::Directory, name.as_bytes(), b"", stat(0o040_700, 0)), Placed::Created);
    }
    let (tally, notices) = bench.finish();
    assert_eq!((tally.files, tally.errors), (2001, 0), "{notices:?}");
}

#[test]
fn an_unknown_type_and_a_damaged_attribute_are_errors() {
    let mut bench = Bench::new();
    let record = AttributeRecord {
        file_index: 1,
        file_type: 99,
        name: b"/x",
        lstat: b"A A A",
        link: b"",
        attrs_ex: b"",
        delta_seq: 0,
    };
    assert_eq!(bench.target.entry(&record), Placed::Failed);
    bench.file(b"/f", b"x");
    bench.target.xattrs(b"no magic");
    bench.target.acl(false, b"nonsense\0");
    assert_eq!(bench.target.finish().errors, 3);
}

#[test]
fn absolute_links_get_the_prefix_only_when_asked() {
    let mut bench = Bench::new();
    bench.target.order.prefix_links = true;
    bench.put(FileType::Symlink, b"/abs", b"/etc/x", stat(0o120_777, 1));
    bench.put(FileType::Symlink, b"/rel", b"etc/x", stat(0o120_777, 1));
    bench.target.finish();
    assert_eq!(std::fs::read_link(bench.at("abs")).unwrap(), bench.at("etc/x"));
    assert_eq!(std::fs::read_link(bench.at("rel")).unwrap(), Path::new("etc/x"));
    symlink("x", bench.at("y")).unwrap();
}
