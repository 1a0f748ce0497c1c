//! What only root can make, saved and restored: device nodes, foreign owners, attributes of the system. Without root
//! these tests fail.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use towline::disk::backup::BackupSource;
use towline::disk::compare::compare;
use towline::disk::meta::{Handle, is_root, set_xattr};
use towline::disk::restore::{Order, Placed, Relocations, Replace, RestoreTarget};
use towline_core::bulk::known::Changes;
use towline_core::bulk::parcel::Parcel;
use towline_core::bulk::unpack::Unpacker;
use towline_core::wire::attributes::{AttributeRecord, Stat};
use towline_core::wire::fileset::FileSet;
use towline_core::wire::stream::FileType as Kind;

#[test]
fn what_only_root_can_make_comes_back() {
    assert!(is_root(), "this test needs root");
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    std::fs::create_dir(&from).unwrap();
    let mode = Mode::from_raw_mode(0o640);
    mknodat(CWD, from.join("char"), FileType::CharacterDevice, mode, makedev(1, 3)).unwrap();
    mknodat(CWD, from.join("block"), FileType::BlockDevice, mode, makedev(7, 200)).unwrap();
    std::fs::write(from.join("foreign"), b"x").unwrap();
    std::os::unix::fs::chown(from.join("foreign"), Some(4242), Some(4343)).unwrap();
    std::fs::set_permissions(from.join("foreign"), std::fs::Permissions::from_mode(0o6755)).unwrap();
    std::os::unix::fs::symlink("foreign", from.join("link")).unwrap();
    std::os::unix::fs::lchown(from.join("link"), Some(4242), Some(4343)).unwrap();
    let file = std::fs::File::open(from.join("foreign")).unwrap();
    set_xattr(Handle::Open(file.as_fd()), b"trusted.t", b"1").unwrap();
    // cap_net_raw, which chown and writing clear: it must be set after both.
    let capability = [&0x0200_0000_u32.to_le_bytes()[..], &0x2000_u32.to_le_bytes(), &[0; 12]].concat();
    set_xattr(Handle::Open(file.as_fd()), b"security.capability", &capability).unwrap();
    let link = rustix::fs::openat(
        CWD,
        from.join("link"),
        rustix::fs::OFlags::PATH | rustix::fs::OFlags::NOFOLLOW,
        Mode::empty(),
    )
    .unwrap();
    set_xattr(Handle::Named(link.as_fd()), b"trusted.l", b"2").unwrap();
    let to = dir.path().join("to");
    round(&from, &to);
    let restored = to.join(from.strip_prefix("/").unwrap());
    let comparison = compare(&from, &restored);
    assert!(comparison.is_same(), "{:?}", comparison.differences);
    assert_eq!((comparison.entries, comparison.forbidden_count), (5, 0));
    let meta = std::fs::metadata(restored.join("foreign")).unwrap();
    assert_eq!((meta.uid(), meta.gid(), meta.mode() & 0o7777), (4242, 4343, 0o6755));
}

fn round(from: &Path, to: &Path) {
    let mut source = source(from);
    let mut parcel = Parcel::new();
    assert!(source.fill(&mut parcel).unwrap().done);
    assert_eq!(source.take_notices(), []);
    let mut target = target(to);
    Unpacker::new().feed(&sent_back(&parcel.bytes), &mut target).unwrap();
    let tally = target.finish();
    assert_eq!((tally.errors, tally.forbidden), (0, 0), "{:?}", target.take_notices());
}

fn source(from: &Path) -> BackupSource {
    let lines = [b"I".to_vec(), b"O AXM".to_vec(), b"N".to_vec(), [b"F ", from.as_os_str().as_bytes()].concat()];
    BackupSource::new(&FileSet::parse(lines.iter().map(Vec::as_slice)).unwrap(), Changes::default(), None).unwrap()
}

fn target(to: &Path) -> RestoreTarget {
    let order = Order {
        to: to.as_os_str().as_bytes().to_vec(),
        replace: Replace::Always,
        prefix_links: false,
        relocation: Relocations::default(),
    };
    RestoreTarget::new(order).unwrap()
}

/// The storage daemon's part: every data frame becomes a record, which it sends back (wire/2 §3.1).
fn sent_back(mut stream: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut header: Option<String> = None;
    while let Some((head, rest)) = stream.split_first_chunk::<4>() {
        let Ok(length) = usize::try_from(i32::from_be_bytes(*head)) else {
            (header, stream) = (None, rest);
            continue;
        };
        let (bytes, rest) = rest.split_at(length);
        stream = rest;
        match &header {
            None => header = Some(String::from_utf8(bytes.to_vec()).unwrap().trim_end_matches(" 0").to_owned()),
            Some(header) => {
                for frame in [format!("rechdr 1 2 {header} {}", bytes.len()).as_bytes(), bytes] {
                    out.extend_from_slice(&u32::try_from(frame.len()).unwrap().to_be_bytes());
                    out.extend_from_slice(frame);
                }
            }
        }
    }
    out.extend_from_slice(&(-1_i32).to_be_bytes());
    out
}

#[test]
fn an_ordinary_user_is_told_what_is_forbidden() {
    use std::os::unix::process::CommandExt;
    assert!(is_root(), "this test needs root");
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let program = dir.path().join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let from = dir.path().join("from");
    std::fs::create_dir_all(from.join("closed")).unwrap();
    for (name, mode) in [("closed/f", 0o644), ("secret", 0o600), ("open", 0o4755)] {
        std::fs::write(from.join(name), b"x").unwrap();
        std::fs::set_permissions(from.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    std::fs::set_permissions(from.join("closed"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let status = Command::new(&program)
        .args(["--exact", "as_an_ordinary_user", "--ignored", "--nocapture"])
        .env("TOWLINE_TEST_DIR", dir.path())
        .uid(65_534)
        .gid(65_534)
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
#[ignore = "run by an_ordinary_user_is_told_what_is_forbidden, as that user"]
fn as_an_ordinary_user() {
    assert!(!is_root(), "run by another test only");
    let dir = PathBuf::from(std::env::var_os("TOWLINE_TEST_DIR").unwrap());
    let (from, to) = (dir.join("from"), dir.join("to"));
    let mut source = source(&from);
    let mut parcel = Parcel::new();
    assert!(source.fill(&mut parcel).unwrap().done);
    let notices: Vec<_> = source.take_notices().into_iter().map(|n| (n.path, n.kind.code())).collect();
    let path = |name: &str| from.join(name).as_os_str().as_bytes().to_vec();
    assert_eq!(notices, [(path("closed"), 8), (path("secret"), 8)]);
    // Nothing is sent of the secret, so that no restore puts an empty file in its place.
    assert_eq!((source.counters().files, source.counters().errors), (3, 2));
    let mut target = target(&to);
    Unpacker::new().feed(&sent_back(&parcel.bytes), &mut target).unwrap();
    let tally = target.finish();
    assert_eq!((tally.files, tally.errors, tally.forbidden), (3, 0, 3), "{:?}", target.take_notices());
    assert!(tally.forbidden_names.iter().all(|(_, what)| *what == "owner"));
    let restored = to.join(from.strip_prefix("/").unwrap());
    let mode = std::fs::metadata(restored.join("open")).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o755, "set-user-id for the wrong owner");
    let comparison = compare(&from, &restored);
    assert_eq!(comparison.differences, []);
    let whats: Vec<_> = comparison.forbidden.iter().map(|d| d.what.split(':').next().unwrap()).collect();
    assert!(whats.contains(&"source may not be read"), "{whats:?}");
    assert!(whats.contains(&"mode 4755, restored 755"), "{whats:?}");
}

/// What a command prints; it must end well.
fn shell(program: &str, words: &[&std::ffi::OsStr]) -> String {
    let output = Command::new(program).args(words).output().unwrap();
    assert!(output.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A mount or a loop device, which this command takes away again.
struct Undo(&'static str, Vec<PathBuf>);

impl Drop for Undo {
    fn drop(&mut self) {
        let _status = Command::new(self.0).args(&self.1).status();
    }
}

fn mounted(options: &[&str], what: &Path, at: &Path) -> Undo {
    let mut words: Vec<&std::ffi::OsStr> = options.iter().map(AsRef::as_ref).collect();
    words.extend([what.as_os_str(), at.as_os_str()]);
    shell("mount", &words);
    Undo("umount", vec![at.to_owned()])
}

/// Hands an entry and its bytes to a restore.
fn put(target: &mut RestoreTarget, kind: Kind, name: &Path, link: &Path, (mode, bytes): (u32, &[u8])) -> Placed {
    let size = i64::try_from(bytes.len()).unwrap();
    let stat = Stat { mode, size, mtime: 1_700_000_000, nlink: 2, ..Stat::default() };
    let mut lstat = Vec::new();
    stat.encode(&mut lstat);
    let placed = target.entry(&AttributeRecord {
        file_index: 1,
        file_type: kind.number(),
        name: name.as_os_str().as_bytes(),
        lstat: &lstat,
        link: link.as_os_str().as_bytes(),
        attrs_ex: b"",
        delta_seq: 0,
    });
    if !bytes.is_empty() {
        target.data(None, bytes);
    }
    placed
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

#[test]
fn files_and_folders_that_are_mount_points_are_restored_in_place() {
    assert!(is_root(), "this test needs root");
    let dir = tempfile::tempdir().unwrap();
    let (to, outside) = (dir.path().join("to"), dir.path().join("outside"));
    for folder in ["to/folder", "outside"] {
        std::fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    std::fs::write(to.join("file"), "under the mount").unwrap();
    std::fs::write(outside.join("file"), "longer than what was saved").unwrap();
    std::fs::hard_link(outside.join("file"), outside.join("other name")).unwrap();
    let _folder = mounted(&["-t", "tmpfs"], Path::new("none"), &to.join("folder"));
    let _file = mounted(&["--bind"], &outside.join("file"), &to.join("file"));
    std::fs::write(to.join("folder/kept"), "kept").unwrap();
    let before = [to.join("folder"), to.join("file")].map(|path| std::fs::metadata(path).unwrap().ino());

    let mut target = target(&to);
    let none = Path::new("");
    assert_eq!(put(&mut target, Kind::Regular, Path::new("/file"), none, (0o100_640, b"saved")), Placed::Extract);
    put(&mut target, Kind::Regular, Path::new("/folder/file"), none, (0o100_640, b"below"));
    put(&mut target, Kind::HardLink, Path::new("/folder/link"), Path::new("/folder/file"), (0o100_640, b""));
    put(&mut target, Kind::Directory, Path::new("/folder/"), none, (0o040_750, b""));
    // No other name of a file that is on another file system can be made, and none of what the mount hides.
    assert_eq!(
        put(&mut target, Kind::HardLink, Path::new("/second"), Path::new("/file"), (0o100_640, b"")),
        Placed::Failed
    );
    let tally = target.finish();
    let notices: Vec<String> = target.take_notices().iter().map(ToString::to_string).collect();
    assert_eq!((tally.files, tally.errors), (4, 1), "{notices:?}");
    assert!(notices.iter().any(|notice| notice.starts_with("/second: could not be restored")), "{notices:?}");

    assert_eq!([to.join("folder"), to.join("file")].map(|path| std::fs::metadata(path).unwrap().ino()), before);
    for path in [to.join("file"), outside.join("file"), outside.join("other name")] {
        assert_eq!(std::fs::read_to_string(path).unwrap(), "saved");
    }
    let meta = std::fs::metadata(outside.join("file")).unwrap();
    assert_eq!((meta.mode() & 0o777, meta.mtime()), (0o640, 1_700_000_000));
    assert_eq!(std::fs::metadata(to.join("folder")).unwrap().mode() & 0o777, 0o750);
    let inode = |name: &str| std::fs::metadata(to.join(name)).unwrap().ino();
    assert_eq!(inode("folder/file"), inode("folder/link"));
    assert_eq!(names(&to.join("folder")), ["file", "kept", "link"]);
    assert_eq!(names(&to), ["file", "folder"], "nothing is left beside them");
    drop((_folder, _file));
    assert_eq!(std::fs::read_to_string(to.join("file")).unwrap(), "under the mount");
}

#[test]
fn the_bytes_of_a_device_go_into_the_device_in_its_original_place_and_into_a_file_elsewhere() {
    assert!(is_root(), "this test needs root");
    let dir = tempfile::tempdir().unwrap();
    let (image, node) = (dir.path().join("image"), dir.path().join("node"));
    std::fs::write(&image, vec![b'-'; 1 << 20]).unwrap();
    let device = PathBuf::from(shell("losetup", &["-f".as_ref(), "--show".as_ref(), image.as_os_str()]));
    let _device = Undo("losetup", vec!["-d".into(), device.clone()]);
    let rdev = std::fs::metadata(&device).unwrap().rdev();
    mknodat(CWD, &node, FileType::BlockDevice, Mode::from_raw_mode(0o660), rdev).unwrap();
    std::fs::hard_link(&node, dir.path().join("other name")).unwrap();
    let inode = std::fs::metadata(&node).unwrap().ino();
    let bytes = vec![b'+'; 8192];

    for (to, expected) in [(PathBuf::new(), '+'), (dir.path().join("to"), '-')] {
        std::fs::write(&image, vec![b'-'; 1 << 20]).unwrap();
        let mut target = target(&to);
        let placed = put(&mut target, Kind::Raw, &node, Path::new(""), (0o060_660, &bytes));
        assert_eq!(placed, Placed::Extract);
        let tally = target.finish();
        assert_eq!(tally.errors, 0, "{:?}", target.take_notices());
        rustix::fs::sync();
        let image = std::fs::read(&image).unwrap();
        assert_eq!(
            image.iter().filter(|byte| char::from(**byte) == '+').count(),
            if expected == '+' { 8192 } else { 0 }
        );
        for name in ["node", "other name"] {
            let meta = std::fs::symlink_metadata(dir.path().join(name)).unwrap();
            assert_eq!((meta.ino(), meta.rdev()), (inode, rdev), "{name}");
        }
    }
    let elsewhere = dir.path().join("to").join(node.strip_prefix("/").unwrap());
    assert_eq!(std::fs::read(elsewhere).unwrap(), bytes);
    assert_eq!(names(dir.path()), ["image", "node", "other name", "to"]);
}

#[test]
fn a_device_node_that_is_there_already_is_replaced_with_its_other_names() {
    assert!(is_root(), "this test needs root");
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    std::fs::create_dir(&from).unwrap();
    let mode = Mode::from_raw_mode(0o640);
    mknodat(CWD, from.join("a"), FileType::CharacterDevice, mode, makedev(1, 3)).unwrap();
    std::fs::hard_link(from.join("a"), from.join("b")).unwrap();
    round(&from, &to);
    let restored = to.join(from.strip_prefix("/").unwrap());
    // Other devices under these names, and a name more of the first.
    for name in ["a", "b"] {
        std::fs::remove_file(restored.join(name)).unwrap();
        mknodat(CWD, restored.join(name), FileType::CharacterDevice, mode, makedev(1, 5)).unwrap();
    }
    std::fs::hard_link(restored.join("a"), dir.path().join("kept")).unwrap();
    round(&from, &to);
    let meta = |path: PathBuf| std::fs::symlink_metadata(path).unwrap();
    assert_eq!(meta(restored.join("a")).rdev(), makedev(1, 3));
    assert_eq!(meta(restored.join("a")).ino(), meta(restored.join("b")).ino());
    assert_eq!(meta(dir.path().join("kept")).rdev(), makedev(1, 5));
    assert_eq!(names(&restored), ["a", "b"]);
}
