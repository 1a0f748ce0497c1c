//! One owner at a time: of a catalog, and of a folder with volumes.
//!
//! Beside what is owned lies a file with the owner's process id, locked with flock(2): the lock ends with the process, however
//! that ends, and the file stays.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// The exit code of a daemon that finds another owner: `EX_TEMPFAIL` of sysexits.
pub const EXIT_OWNED: u8 = 75;

/// The right to be the only one, until it is dropped.
#[derive(Debug)]
pub struct Ownership(#[expect(dead_code, reason = "closing it ends the lock")] File);

/// Why one is not the owner.
#[derive(Debug, thiserror::Error)]
pub enum NotOwner {
    /// Another process is.
    #[error("process {0} has it")]
    Held(String),
    /// The lock file cannot be used.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Becomes the owner of what `lock` stands for.
///
/// # Errors
/// Another process is, with its id as far as it is known; or the file cannot be made or locked.
pub fn own(lock: &Path) -> Result<Ownership, NotOwner> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(lock)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let _unknown = (&file).take(20).read_to_string(&mut text);
            let pid: String = text.chars().take_while(char::is_ascii_digit).collect();
            return Err(NotOwner::Held(if pid.is_empty() { "of an unknown id".to_owned() } else { pid }));
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())?;
    Ok(Ownership(file))
}

/// Makes a file that only its owner may read, whatever the umask is, or takes the others' rights to one that is there.
///
/// # Errors
/// It cannot be made, or belongs to somebody else.
pub fn make_private(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    tighten(&file)
}

/// The same for a file that may not be there.
///
/// # Errors
/// It cannot be opened, or belongs to somebody else.
pub fn make_private_if_there(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        opened => tighten(&opened?),
    }
}

fn tighten(file: &File) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & 0o7777 != 0o600 {
        permissions.set_mode(0o600);
        file.set_permissions(permissions)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_owner_at_a_time_and_the_second_hears_who() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("catalog.lock");
        let first = own(&lock).unwrap();
        match own(&lock) {
            Err(NotOwner::Held(pid)) => assert_eq!(pid, std::process::id().to_string()),
            other => panic!("{other:?}"),
        }
        drop(first);
        drop(own(&lock).unwrap());
        assert!(matches!(own(&folder.path().join("no/lock")), Err(NotOwner::Io(_))));
    }

    #[test]
    fn a_private_file_is_made_or_tightened() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let path = folder.path().join("catalog.sqlite");
        make_private(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        std::fs::write(&path, "rows").unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o664)).unwrap();
        make_private(&path).unwrap();
        assert_eq!((mode(&path), std::fs::read_to_string(&path).unwrap().as_str()), (0o600, "rows"));
        let none = folder.path().join("none");
        make_private_if_there(&none).unwrap();
        assert!(!none.exists());
    }
}
