//! What a person should know about an entry; becomes a job message (wire/2 §4.2).

use std::fmt;

/// A path for people, as the lists of a console have it.
pub use towline_core::printable::name as shown;

/// How bad it is. The numbers are the message types of wire/2 §4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NoticeKind {
    /// Something went wrong with this entry: counts as an error.
    Error,
    /// The entry was dealt with, with a remark: counts as a warning.
    Warning,
    /// Worth knowing, nothing wrong.
    Info,
    /// The entry, or its contents, could not be saved: counts as an error.
    NotSaved,
    /// The entry is of a kind that is never saved.
    Skipped,
}

impl NoticeKind {
    /// The message type on the wire (wire/2 §4.2).
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Error => 4,
            Self::Warning => 5,
            Self::Info => 6,
            Self::NotSaved => 8,
            Self::Skipped => 9,
        }
    }
}

/// One remark about one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How bad it is.
    pub kind: NoticeKind,
    /// One sentence without a line feed and without the path.
    pub text: String,
    /// The entry, as bytes on disk.
    pub path: Vec<u8>,
}

impl Notice {
    /// Makes a notice.
    #[must_use]
    pub fn new(kind: NoticeKind, path: &[u8], text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), path: path.to_vec() }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", shown(&self.path), self.text)
    }
}

/// Most notices kept until they are taken; the rest is only counted.
pub const KEPT: usize = 1000;

/// A bounded list of notices.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    list: Vec<Notice>,
    dropped: u64,
}

impl Notices {
    /// Adds one; beyond [`KEPT`] it is only counted.
    pub fn push(&mut self, notice: Notice) {
        if self.list.len() < KEPT { self.list.push(notice) } else { self.dropped += 1 }
    }

    /// How many wait to be taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Takes them all; a last one says how many there was no room for.
    pub fn take(&mut self) -> Vec<Notice> {
        let mut list = std::mem::take(&mut self.list);
        if self.dropped > 0 {
            let text = format!("{} more messages of this kind are left out", self.dropped);
            list.push(Notice::new(NoticeKind::Warning, b"", text));
            self.dropped = 0;
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_notices_is_cut_and_counted() {
        let mut notices = Notices::default();
        for _ in 0..KEPT + 2 {
            notices.push(Notice::new(NoticeKind::Info, b"/a", "x"));
        }
        assert_eq!(notices.len(), KEPT);
        let taken = notices.take();
        assert_eq!(taken.len(), KEPT + 1);
        assert!(taken.last().unwrap().text.starts_with("2 more"));
        assert!(notices.take().is_empty());
    }

    #[test]
    fn a_hostile_name_cannot_forge_a_line() {
        let notice = Notice::new(NoticeKind::Error, b"/a\n2000 OK\xff", "denied");
        assert_eq!(notice.to_string(), "/a\\x0a2000 OK\\xff: denied");
        assert_eq!(notice.kind.code(), 4);
    }
}
