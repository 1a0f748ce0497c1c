//! What is made anew: passwords, files and folders that nobody else may read, and texts as RON writes them.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use crate::config::new_file;

/// Bytes of a few small files.
const ROOM: usize = 64 * 1024;
/// Random bytes of a password.
const PASSWORD: usize = 24;

/// A password that nobody has had before: 48 hexadecimal digits.
///
/// # Errors
/// The system has no random bytes.
pub(crate) fn password() -> io::Result<String> {
    hexadecimal(PASSWORD)
}

/// Random bytes, in hexadecimal digits.
///
/// # Errors
/// The system has no random bytes.
pub(crate) fn hexadecimal(bytes: usize) -> io::Result<String> {
    let mut random = vec![0_u8; bytes];
    getrandom::fill(&mut random)
        .map_err(|error| io::Error::other(format!("the system has no random bytes: {error}")))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Writes a new file that only this user may read, and syncs it.
///
/// # Errors
/// `AlreadyExists` if there is one: nothing is written over.
pub(crate) fn private_file(path: &Path, text: &str) -> io::Result<()> {
    new_file(path, text)
}

/// Whether there is room in a folder for a few files: one is written there, and removed.
///
/// # Errors
/// Why there is none.
pub(crate) fn has_room(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".towline-room-{}", std::process::id()));
    private_file(&path, &" ".repeat(ROOM))?;
    std::fs::remove_file(path)
}

/// Makes a folder that only this user may enter, with those above it that are not there.
///
/// # Errors
/// It cannot be made.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes what was written into a folder outlast a crash of the machine.
///
/// # Errors
/// The folder cannot be synced.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// A text as RON writes it, in quotes.
pub(crate) fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            c if c.is_control() => format!("\\u{{{:x}}}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn no_two_passwords_are_the_same_and_each_is_long() {
        let (one, other) = (password().unwrap(), password().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 2 * PASSWORD);
    }

    #[test]
    fn a_private_file_is_for_its_user_only_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (inner, file) = (folder.path().join("a/b"), folder.path().join("a/b/c"));
        private_folder(&inner).unwrap();
        private_file(&file, "text").unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(private_file(&file, "other").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "text");
    }

    #[test]
    fn texts_are_read_as_they_were() {
        for text in ["plain", "a \"b\" \\c", "\u{7}\u{1b}[2J", "ä\n"] {
            assert_eq!(ron::from_str::<String>(&quoted(text)).unwrap(), text);
        }
    }
}
