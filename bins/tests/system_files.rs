//! What only root can make, saved and restored: device nodes, foreign owners, attributes of the system. Without root
//! these tests fail.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use towline::disk::backup::BackupSource;
use towline::disk::compare::compare;
use towline::disk::meta::{Handle, is_root, set_xattr};
use towline::disk::restore::{Order, Replace, RestoreTarget};
use towline_core::bulk::known::Changes;
use towline_core::bulk::parcel::Parcel;
use towline_core::bulk::unpack::Unpacker;
use towline_core::wire::fileset::FileSet;

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
    let order = Order { to: to.as_os_str().as_bytes().to_vec(), replace: Replace::Always, prefix_links: false };
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
    let status = std::process::Command::new(&program)
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
    let dir = std::path::PathBuf::from(std::env::var_os("TOWLINE_TEST_DIR").unwrap());
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
