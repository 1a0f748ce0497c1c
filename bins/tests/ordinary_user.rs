//! Restores as a user who is not root. Where the tests run as root, a copy of this program runs them as nobody.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use towline::disk::meta::is_root;
use towline::disk::restore::{Order, Relocations, Replace, RestoreTarget, Tally};
use towline_core::wire::attributes::{AttributeRecord, Stat};
use towline_core::wire::stream::FileType;

/// User and group without rights.
const NOBODY: u32 = 65_534;
const FOLDER: &str = "TOWLINE_TEST_FOLDER";

/// What is restored: kind, name, mode, contents.
type Entry<'a> = (FileType, &'a str, u32, &'a str);

fn restore(to: &Path, entries: &[Entry<'_>]) -> (Tally, Vec<String>) {
    let order = Order {
        to: to.as_os_str().as_bytes().to_vec(),
        replace: Replace::Always,
        prefix_links: false,
        relocation: Relocations::default(),
    };
    let mut target = RestoreTarget::new(order).unwrap();
    for (kind, name, mode, contents) in entries {
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let size = i64::try_from(contents.len()).unwrap();
        let stat = Stat { mode: *mode, uid, gid, size, mtime: 1_700_000_000, nlink: 1, ..Stat::default() };
        let mut lstat = Vec::new();
        stat.encode(&mut lstat);
        target.entry(&AttributeRecord {
            file_index: 1,
            file_type: kind.number(),
            name: name.as_bytes(),
            lstat: &lstat,
            link: b"",
            attrs_ex: b"",
            delta_seq: 0,
        });
        target.data(None, contents.as_bytes());
    }
    let tally = target.finish();
    (tally, target.take_notices().iter().map(ToString::to_string).collect())
}

fn look(path: &Path) -> (u32, i64) {
    let meta = std::fs::symlink_metadata(path).unwrap();
    (meta.mode() & 0o7777, meta.mtime())
}

/// Runs the test of this name as an ordinary user, in an empty folder.
fn as_nobody(test: &str) {
    static ALONE: Mutex<()> = Mutex::new(());
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let program = folder.path().join("program");
    // A program that is still open for writing cannot be run, and a process that another test starts meanwhile has it open.
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = Command::new(&program);
    command.args(["--exact", test, "--ignored"]).env(FOLDER, folder.path()).current_dir("/");
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(alone);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn place() -> PathBuf {
    assert!(!is_root(), "run by another test only");
    PathBuf::from(std::env::var_os(FOLDER).unwrap()).join("to")
}

#[test]
fn folders_without_write_permission_are_restored_into_twice() {
    as_nobody("twice_into_folders_without_write_permission");
}

#[test]
#[ignore = "run by folders_without_write_permission_are_restored_into_twice, as an ordinary user"]
fn twice_into_folders_without_write_permission() {
    let to = place();
    for contents in ["first", "second time"] {
        let entries = [
            (FileType::Regular, "/ro/sub/f", 0o100_400, contents),
            (FileType::Directory, "/ro/sub/", 0o040_500, ""),
            (FileType::Regular, "/ro/f", 0o100_444, contents),
            (FileType::Directory, "/ro/closed/", 0o040_000, ""),
            (FileType::Directory, "/ro/", 0o040_555, ""),
        ];
        let (tally, notices) = restore(&to, &entries);
        assert_eq!((tally.files, tally.errors, tally.forbidden), (5, 0, 0), "{notices:?}");
        for name in ["ro/f", "ro/sub/f"] {
            assert_eq!(std::fs::read_to_string(to.join(name)).unwrap(), contents);
        }
        for (name, mode) in [("ro", 0o555), ("ro/sub", 0o500), ("ro/closed", 0)] {
            assert_eq!(look(&to.join(name)), (mode, 1_700_000_000), "{name}");
        }
    }
    // A single file, without the records of its folders: they keep their looks.
    let (tally, notices) = restore(&to, &[(FileType::Regular, "/ro/sub/new", 0o100_400, "x")]);
    assert_eq!((tally.files, tally.errors), (1, 0), "{notices:?}");
    for (name, mode) in [("ro", 0o555), ("ro/sub", 0o500)] {
        assert_eq!(look(&to.join(name)), (mode, 1_700_000_000), "{name}");
    }
    // A file in place of all this.
    let (tally, notices) = restore(&to, &[(FileType::Regular, "/ro", 0o100_400, "x")]);
    assert_eq!((tally.files, tally.errors), (1, 0), "{notices:?}");
    assert_eq!(std::fs::read_to_string(to.join("ro")).unwrap(), "x");
}

#[test]
fn a_folder_of_somebody_else_is_not_opened_up() {
    as_nobody("into_a_folder_of_somebody_else");
}

#[test]
#[ignore = "run by a_folder_of_somebody_else_is_not_opened_up, as an ordinary user"]
fn into_a_folder_of_somebody_else() {
    // Everywhere the root folder belongs to root.
    place();
    let before = look(Path::new("/"));
    let (tally, notices) = restore(Path::new("/"), &[(FileType::Regular, "/towline-test", 0o100_400, "x")]);
    assert_eq!((tally.files, tally.errors), (0, 1), "{notices:?}");
    assert_eq!(look(Path::new("/")), before);
}
