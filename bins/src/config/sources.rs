//! The texts a configuration was read from, and places in them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::locate::passwords;

/// Some bytes of one of the texts.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Place {
    /// Which text, as an index into [`Sources`].
    pub(super) source: usize,
    /// The bytes in it.
    pub(super) range: Range<usize>,
}

impl Place {
    /// From the start of this place to the end of `other`, if that is in the same text and not before it.
    pub(super) fn to(&self, other: &Self) -> Self {
        let end = if other.source == self.source { other.range.end.max(self.range.end) } else { self.range.end };
        Self { source: self.source, range: self.range.start..end }
    }
}

/// One text. `Debug` shows its name only: there are passwords in it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// The name of its file, or `|` and the command that printed it.
    pub(super) name: String,
    pub(super) text: String,
    /// The bytes of each password in it, in order; no snippet shows them.
    pub(super) hidden: Vec<Range<usize>>,
}

impl Source {
    /// A text in RON.
    pub(super) fn ron(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), hidden: passwords(text) }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// All texts of a configuration, in the order in which they were opened.
pub(super) type Sources = Arc<[Source]>;
