//! Puts text into a file for a director, so that under its name there is always a whole one.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use towline_core::bulk::work::{DiskDone, DiskError};
use towline_core::drive::Reply;
use towline_core::work::WorkDone;

use super::once;
use crate::volume::disk_error;
use crate::volume::stored::is_in_store;

/// Who may read a new file: the daemon, and its group.
const MODE: u32 = 0o640;

/// Puts `text` into the file on a thread of its own, after what it has if it `appends`.
pub(super) fn put(path: String, text: Vec<u8>, appends: bool, reply: Reply) {
    let body = move || {
        WorkDone::Disk(match write_anywhere(&path, text, appends) {
            Ok(()) => DiskDone::Noted,
            Err(error) => DiskDone::Failed { error, buffer: Vec::new() },
        })
    };
    once("put", body, reply);
}

fn write_anywhere(path: &str, text: Vec<u8>, appends: bool) -> Result<(), DiskError> {
    if is_in_store(path) {
        return write_in_store(path, text);
    }
    write(Path::new(path), &text, appends).map_err(|error| disk_error(Path::new(path), &error))
}

/// A file beside the volumes of a store. None of them is ever appended to.
#[cfg(feature = "object")]
fn write_in_store(path: &str, text: Vec<u8>) -> Result<(), DiskError> {
    let (store, name) = crate::object::place(path)?;
    store.put_file(&name, text)
}

#[cfg(not(feature = "object"))]
fn write_in_store(path: &str, _text: Vec<u8>) -> Result<(), DiskError> {
    Err(crate::volume::stored::not_built(path))
}

fn write(path: &Path, text: &[u8], appends: bool) -> io::Result<()> {
    // What a link leads to is replaced, not the link.
    let path = match std::fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        other => other?,
    };
    let there = match std::fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        other => Some(other?),
    };
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        return OpenOptions::new().append(true).open(&path)?.write_all(text);
    }
    let part = beside(&path)?;
    let done = fill(&part, &path, text, appends && there.is_some(), there.map(|there| there.mode() & 0o777));
    if done.is_err() {
        // The first error is the one that counts.
        let _gone = std::fs::remove_file(&part);
    }
    done
}

/// Fills the new file and gives it its name.
fn fill(part: &Path, path: &Path, text: &[u8], appends: bool, mode: Option<u32>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(part)?;
    if let Some(mode) = mode {
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    }
    if appends {
        io::copy(&mut File::open(path)?, &mut file)?;
    }
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(part, path)
}

/// A name in the folder of a file that no other piece of work has at the same time.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it has no name"))?;
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let mut part = std::ffi::OsString::from(".");
    part.push(name);
    part.push(format!(".{:016x}.part", u64::from_ne_bytes(random)));
    Ok(path.with_file_name(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    fn put_and_wait(path: &Path, text: &str, appends: bool) -> WorkDone {
        let (sender, done) = channel();
        let reply: Reply = Box::new(move |answer| sender.send(answer).unwrap());
        put(path.to_string_lossy().into_owned(), text.as_bytes().to_vec(), appends, reply);
        done.recv().unwrap()
    }

    fn is_put(done: &WorkDone) -> bool {
        matches!(done, WorkDone::Disk(DiskDone::Noted))
    }

    #[test]
    fn a_file_is_written_anew_or_gets_more_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.bsr");
        for (text, appends, then) in
            [("one\n", true, "one\n"), ("two\n", true, "one\ntwo\n"), ("three\n", false, "three\n")]
        {
            assert!(is_put(&put_and_wait(&path, text, appends)));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), then);
        }
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_keeps_its_mode_and_a_link_leads_to_it_as_before() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("c.bsr"), folder.path().join("link"));
        std::fs::write(&path, "old\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink("c.bsr", &link).unwrap();
        assert!(is_put(&put_and_wait(&link, "new\n", false)));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(is_put(&put_and_wait(Path::new("/dev/null"), "x", false)));
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_answer() {
        let folder = tempfile::tempdir().unwrap();
        let done = put_and_wait(&folder.path().join("missing/c.bsr"), "lost\n", false);
        assert!(matches!(done, WorkDone::Disk(DiskDone::Failed { .. })), "{done:?}");
    }
}
