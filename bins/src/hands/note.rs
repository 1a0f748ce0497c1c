//! Appends messages to a file. It is opened for each piece, so that it may be moved away at any time.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use towline_core::bulk::work::DiskDone;
use towline_core::drive::Reply;
use towline_core::work::WorkDone;

use super::once;
use crate::volume::disk_error;

/// Who may read the messages: the daemon, and the group of its logs.
const MODE: u32 = 0o640;

/// Appends `text` on a thread of its own; the daemon gives one piece at a time.
pub(super) fn append(path: String, text: Vec<u8>, reply: Reply) {
    let body = move || {
        WorkDone::Disk(match write(&path, &text) {
            Ok(()) => DiskDone::Noted,
            Err(error) => DiskDone::Failed { error: disk_error(Path::new(&path), &error), buffer: Vec::new() },
        })
    };
    once("messages", body, reply);
}

fn write(path: &str, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).mode(MODE).open(path)?;
    file.write_all(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    fn append_and_wait(path: &Path, text: &str) -> WorkDone {
        let (sender, done) = channel();
        let reply: Reply = Box::new(move |answer| sender.send(answer).unwrap());
        append(path.to_string_lossy().into_owned(), text.as_bytes().to_vec(), reply);
        done.recv().unwrap()
    }

    #[test]
    fn lines_are_appended_to_a_file_that_only_the_daemon_and_its_group_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fd.log");
        for text in ["one\n", "two\nthree\n"] {
            assert!(matches!(append_and_wait(&path, text), WorkDone::Disk(DiskDone::Noted)));
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o027, 0);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_answer() {
        let folder = tempfile::tempdir().unwrap();
        let done = append_and_wait(&folder.path().join("missing/fd.log"), "lost\n");
        assert!(matches!(done, WorkDone::Disk(DiskDone::Failed { .. })), "{done:?}");
    }
}
