//! Names on the wire: bashing, `<type>::<name>` and the PSK identity `<type> RS <name>`.

use std::fmt;
use std::str::FromStr;

use crate::limits;

/// The byte between type and name of a PSK identity (`wire/1 §2.5`).
pub const RECORD_SEPARATOR: char = '\x1e';

/// The byte that stands for a blank in a bashed name (`wire/1 §0`).
pub const BASHED_BLANK: char = '\x01';

/// The console that uses the director's own password (`wire/1 §2.5`).
pub const DEFAULT_CONSOLE: &str = "*UserAgent*";

/// What a catalog is called that nobody has given a name: stock configurations call theirs so.
pub const CATALOG: &str = "MyCatalog";

/// What the messages of jobs are called: there is one resource of them, and stock configurations call it so.
pub const MESSAGES: &str = "Standard";

/// The name with which a storage daemon challenges a passive file daemon (`wire/1 §4.2`).
pub const PASSIVE_CHALLENGER: &str = "File daemon";

/// Replaces every blank, so that a scanner sees one word.
pub fn bash(name: &str) -> String {
    if name.as_bytes().contains(&b' ') { name.replace(' ', "\x01") } else { name.to_owned() }
}

/// Brings the blanks back.
pub fn unbash(word: &str) -> String {
    word.replace(BASHED_BLANK, " ")
}

/// The type half of a qualified name, `wire/1 §2.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerKind {
    /// `R_DIRECTOR`
    Director,
    /// `R_CLIENT`
    Client,
    /// `R_STORAGE`
    Storage,
    /// `R_CONSOLE`
    Console,
    /// `R_JOB`
    Job,
}

impl PeerKind {
    /// All kinds that occur on the wire.
    pub const ALL: [Self; 5] = [Self::Director, Self::Client, Self::Storage, Self::Console, Self::Job];

    /// The longest name, in bytes, whose PSK identity has at most [`limits::PSK_IDENTITY`] bytes.
    pub const fn longest_name(self) -> usize {
        limits::PSK_IDENTITY - self.as_str().len() - RECORD_SEPARATOR.len_utf8()
    }

    /// The type string, such as `R_DIRECTOR`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Director => "R_DIRECTOR",
            Self::Client => "R_CLIENT",
            Self::Storage => "R_STORAGE",
            Self::Console => "R_CONSOLE",
            Self::Job => "R_JOB",
        }
    }
}

impl fmt::Display for PeerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PeerKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownKind)
    }
}

/// A type string that no peer of ours has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a type of peer")]
pub struct UnknownKind;

/// Who a peer says it is: the kind of resource and its name, unbashed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerName {
    /// The kind of resource.
    pub kind: PeerKind,
    /// The name of the resource, or the unique name of a job.
    pub name: String,
}

impl PeerName {
    /// Names a peer.
    pub fn new(kind: PeerKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }

    /// The PSK identity: type, RS, name with its blanks (`wire/1 §2.5`).
    pub fn psk_identity(&self) -> String {
        format!("{}{RECORD_SEPARATOR}{}", self.kind, self.name)
    }

    /// Reads a PSK identity: the type up to the first RS, the name up to the next or the end (`wire/1 §2.5`). `None`
    /// for an unknown type, a missing name, or bytes that are not UTF-8.
    pub fn from_psk_identity(identity: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(identity).ok()?.split(RECORD_SEPARATOR);
        let kind = parts.next()?.parse().ok()?;
        let name = parts.next().filter(|name| !name.is_empty())?;
        Some(Self::new(kind, name))
    }

    /// Reads what [`Display`](fmt::Display) writes: `<type>::<name>`. `None` for an unknown type.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once("::")?;
        Some(Self::new(kind.parse().ok()?, name))
    }

    /// The qualified name in a challenge: `<type>::<name>`, bashed (`wire/1 §4.2`).
    pub fn qualified(&self) -> String {
        bash(&format!("{}::{}", self.kind, self.name))
    }
}

impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blanks_are_bashed_and_come_back() {
        assert_eq!(bash("my file daemon"), "my\x01file\x01daemon");
        assert_eq!(unbash("JustInTime\x01Device"), "JustInTime Device");
    }

    #[test]
    fn the_identity_keeps_its_blanks_and_the_qualified_name_does_not() {
        let name = PeerName::new(PeerKind::Director, "bareos dir");
        assert_eq!(name.psk_identity(), "R_DIRECTOR\x1ebareos dir");
        assert_eq!(name.qualified(), "R_DIRECTOR::bareos\x01dir");
        assert_eq!(PeerName::new(PeerKind::Console, DEFAULT_CONSOLE).qualified(), "R_CONSOLE::*UserAgent*");
    }

    #[test]
    fn an_identity_ends_at_the_second_separator() {
        assert_eq!(
            PeerName::from_psk_identity(b"R_JOB\x1ej.2026-11-23_13.01.31_03\x1emore"),
            Some(PeerName::new(PeerKind::Job, "j.2026-11-23_13.01.31_03"))
        );
        for bad in [&b""[..], b"R_JOB", b"R_JOB\x1e", b"R_POOL\x1ex", b"r_job\x1ex", b"\x1ex", b"R_JOB\x1e\xff"] {
            assert_eq!(PeerName::from_psk_identity(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn identities_come_back(kind in 0..5usize, name in "[^\x1e]{1,40}") {
            let name = PeerName::new(PeerKind::ALL[kind], name);
            prop_assert_eq!(PeerName::from_psk_identity(name.psk_identity().as_bytes()), Some(name));
        }

        #[test]
        fn no_identity_makes_the_parser_fail(bytes: Vec<u8>) {
            let _ = PeerName::from_psk_identity(&bytes);
        }
    }
}
