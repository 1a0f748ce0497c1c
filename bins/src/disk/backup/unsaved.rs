//! The file with the list of what a job could not save ([`towline_core::bulk::unsaved`]).

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::fs::OFlags;
use towline_core::bulk::unsaved::{Unsaved, UnsavedList};
use towline_core::limits::UNSAVED_BYTES;

use crate::disk::notice::{Notice, NoticeKind};

/// More bytes than any list has, with its first line.
const TOO_MANY: u64 = UNSAVED_BYTES as u64 + 256;

/// The list during a job. Without a place to keep it, it holds nothing.
#[derive(Debug, Default)]
pub(super) struct Retries {
    place: Option<UnsavedList>,
    list: Unsaved,
    /// What the file holds.
    kept: Option<String>,
}

impl Retries {
    /// Reads the list that earlier jobs have left. One that cannot be read is a warning, and a new one begins.
    pub(super) fn open(place: Option<UnsavedList>) -> (Self, Option<Notice>) {
        let Some(place) = place else { return (Self::default(), None) };
        let (list, kept, notice) = match read(&place.path) {
            Ok(Some((list, text))) => (list, Some(text), None),
            Ok(None) => (Unsaved::default(), None, None),
            Err(error) => {
                let text = format!(
                    "the list of what earlier jobs could not save cannot be read, so that what is in it is saved only if \
                     its times have changed: {error} (T0640)"
                );
                let notice = Notice::new(NoticeKind::Warning, place.path.as_bytes(), text);
                (Unsaved::default(), None, Some(notice))
            }
        };
        (Self { place: Some(place), list, kept }, notice)
    }

    /// Whether an entry is saved whatever its times.
    pub(super) fn is_due(&self, path: &[u8], since: Option<i64>) -> bool {
        since.is_some_and(|since| self.list.is_due(path, since))
    }

    /// An entry could not be saved; `below` if nothing below it could be, either.
    pub(super) fn failed(&mut self, path: &[u8], below: bool) {
        if self.place.is_some() {
            self.list.failed(path, below);
        }
    }

    /// An entry has been sent.
    pub(super) fn saved(&mut self, path: &[u8]) {
        if let Some(place) = &self.place {
            self.list.saved(path, place.began);
        }
    }

    /// Writes the list for the next job, once; a warning if not all of it is there then.
    pub(super) fn keep(&mut self) -> Option<Notice> {
        let place = self.place.take()?;
        if let Some(before) = place.forget {
            self.list.forget(before);
        }
        let text = (!self.list.is_empty()).then(|| self.list.to_text());
        let written = match &text {
            text if *text == self.kept => Ok(()),
            Some(text) => write(&place.path, text),
            None => remove(&place.path),
        };
        let text = match (written, self.list.left_out()) {
            (Err(error), _) => format!(
                "the list of what could not be saved cannot be written, so that a later incremental saves it only if its \
                 times change: {error} (T0641)"
            ),
            (Ok(()), 0) => return None,
            (Ok(()), left_out) => format!(
                "the list of what could not be saved is full; {left_out} names are not in it, and a later incremental saves \
                 those only if their times change (T0642)"
            ),
        };
        Some(Notice::new(NoticeKind::Warning, place.path.as_bytes(), text))
    }
}

fn read(path: &str) -> io::Result<Option<(Unsaved, String)>> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut text = String::new();
    file.take(TOO_MANY).read_to_string(&mut text)?;
    let list = Unsaved::parse(text.as_bytes()).map_err(io::Error::other)?;
    Ok(Some((list, text)))
}

/// Beside it, then in its place, so that a list is never cut.
fn write(path: &str, text: &str) -> io::Result<()> {
    let beside = format!("{path}.new");
    remove(&beside)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn remove(path: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
