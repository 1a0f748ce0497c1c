//! A tree with one of everything, and whether it was restored.

use std::fs::{self, File, Permissions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use towline::disk::compare::compare;
use towline::disk::meta::{Handle, set_xattr};

use crate::cell::Maker;
use crate::support::noise;

/// The size of the file with holes, and how much of it is none.
const HOLES: u64 = 12 << 20;
const NOT_HOLES: u64 = 1 << 20;

/// Makes the tree.
pub(crate) fn plant(at: &Path) {
    fs::create_dir_all(at.join("sub/empty")).unwrap();
    for n in 0..12_usize {
        fs::write(at.join("sub").join(format!("file {n}")), noise(n as u64, n * 900)).unwrap();
    }
    fs::write(at.join("large"), noise(99, 3 << 20)).unwrap();
    let mut holes = File::create(at.join("holes")).unwrap();
    for (place, bytes) in [(4 << 20, noise(7, 70_000)), (9 << 20, b"end".to_vec())] {
        holes.seek(SeekFrom::Start(place)).unwrap();
        holes.write_all(&bytes).unwrap();
    }
    holes.set_len(HOLES).unwrap();
    fs::hard_link(at.join("large"), at.join("sub/other name")).unwrap();
    symlink("sub/file 1", at.join("link")).unwrap();
    symlink("/nowhere/at/all", at.join("dangling")).unwrap();
    let mode = Mode::from_raw_mode(0o640);
    mknodat(CWD, at.join("fifo"), FileType::Fifo, mode, 0).unwrap();
    mknodat(CWD, at.join("device"), FileType::CharacterDevice, mode, makedev(1, 3)).unwrap();
    fs::write(at.join("foreign"), b"x").unwrap();
    chown(at.join("foreign"), Some(4242), Some(4343)).unwrap();
    fs::set_permissions(at.join("foreign"), Permissions::from_mode(0o6755)).unwrap();
    fs::write(at.join(std::ffi::OsStr::from_bytes(b"not utf-8 \xe9")), b"l").unwrap();
    fs::write(at.join("\u{fc}ml\u{e4}ut"), b"u").unwrap();
    attributes(at);
    let long_ago = |name: &str, seconds| {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        File::open(at.join(name)).unwrap().set_modified(time).unwrap();
    };
    for (name, seconds) in [("sub/file 2", 1_234_567_890), ("sub/empty", 1_111_111_111), ("", 1_222_222_222)] {
        long_ago(name, seconds);
    }
}

fn attributes(at: &Path) {
    let set = |name: &str, key: &[u8], value: &[u8]| {
        set_xattr(Handle::Open(File::open(at.join(name)).unwrap().as_fd()), key, value).unwrap();
    };
    set("foreign", b"user.colour", b"blue\0and more");
    set("large", b"trusted.t", b"2");
    set("sub", b"user.on-a-folder", b"1");
    // Version 2, then entries of a tag, permissions and an id: owner, user 1234, group, group 99, mask, others.
    let acl = |entries: &[(u16, u16, u32)]| {
        let each = |&(tag, may, id): &(u16, u16, u32)| {
            [&tag.to_le_bytes()[..], &may.to_le_bytes(), &id.to_le_bytes()].concat()
        };
        [2_u32.to_le_bytes().to_vec(), entries.iter().flat_map(each).collect()].concat()
    };
    const NOBODY: u32 = u32::MAX;
    let named = [(1, 6, NOBODY), (2, 6, 1234), (4, 4, NOBODY), (8, 4, 99), (16, 6, NOBODY), (32, 4, NOBODY)];
    set("sub/file 3", b"system.posix_acl_access", &acl(&named));
    let default = [(1, 7, NOBODY), (2, 7, 77), (4, 5, NOBODY), (16, 7, NOBODY), (32, 5, NOBODY)];
    set("sub/empty", b"system.posix_acl_default", &acl(&default));
}

/// Changes a few of its files, for an incremental backup.
pub(crate) fn change(at: &Path) {
    let mut longer = File::options().append(true).open(at.join("sub/file 4")).unwrap();
    longer.write_all(b"and more").unwrap();
    fs::write(at.join("new"), b"new").unwrap();
}

/// Changes a file, adds one and takes another away.
pub(crate) fn change_again(at: &Path, round: u64) {
    fs::write(at.join("sub/file 5"), noise(200 + round, 5_000)).unwrap();
    fs::write(at.join(format!("of round {round}")), noise(300 + round, 20_000)).unwrap();
    if let Some(before) = round.checked_sub(1) {
        fs::remove_file(at.join(format!("of round {before}"))).unwrap();
    }
}

/// [`check`] for a fileset without options: no holes, and each name of a hard link is a file of its own.
///
/// # Errors
/// What differs.
#[cfg(feature = "postgres")]
pub(crate) fn check_without_options(source: &Path, restored: &Path, by: Maker) -> Result<(), String> {
    differences(source, restored, by, &["is a hard link of other names than in the source"])
}

/// Whether it was restored, by a file daemon of this maker. A real one restores no devices below another folder, gives
/// symbolic links the time of the restore, and folders too unless the last backup has them.
///
/// # Errors
/// What differs.
pub(crate) fn check(source: &Path, restored: &Path, by: Maker) -> Result<(), String> {
    differences(source, restored, by, &[])?;
    let holes = fs::metadata(restored.join("holes")).map_err(|error| error.to_string())?;
    if holes.len() != HOLES || holes.blocks() * 512 > NOT_HOLES {
        return Err(format!("holes take {} bytes", holes.blocks() * 512));
    }
    Ok(())
}

fn differences(source: &Path, restored: &Path, by: Maker, but: &[&str]) -> Result<(), String> {
    let comparison = compare(source, restored);
    let tolerated = |path: &[u8], what: &str| {
        let name = source.join(std::ffi::OsStr::from_bytes(path));
        let kind = fs::symlink_metadata(&name).map(|found| found.file_type());
        by == Maker::Real
            && kind.is_ok_and(|kind| {
                path == b"device" || (what.starts_with("modified at ") && (kind.is_symlink() || kind.is_dir()))
            })
    };
    let differ: Vec<_> = comparison
        .differences
        .iter()
        .filter(|one| !tolerated(&one.path, &one.what) && !but.contains(&one.what.as_str()))
        .map(|one| format!("{}: {}", String::from_utf8_lossy(&one.path), one.what))
        .collect();
    if !differ.is_empty() {
        return Err(differ.join("\n"));
    }
    if comparison.entries < 25 { Err(format!("{} entries", comparison.entries)) } else { Ok(()) }
}
