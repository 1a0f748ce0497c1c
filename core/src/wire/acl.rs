//! POSIX access control lists of Linux, streams 1007 and 1008: the kernel's binary form and the text that is sent, `wire/2 §2.12`.
//!
//! The text has one entry a line, such as `user:joe:rw-`, and ends in a NUL that belongs to the record.

use std::io::Write as _;

/// The only version of the kernel's form.
const VERSION: u32 = 2;
/// The id of entries that have none.
const NO_ID: u32 = u32::MAX;

/// Whose rights an entry describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// The owner.
    Owner,
    /// A user, by number.
    User(u32),
    /// The group of the file.
    OwningGroup,
    /// A group, by number.
    Group(u32),
    /// The most that users and groups by number, and the group of the file, may have.
    Mask,
    /// Everybody else.
    Other,
}

/// One entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Whose rights.
    pub who: Who,
    /// Which: 4 read, 2 write, 1 execute.
    pub rights: u8,
}

/// An access control list in the kernel's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acl {
    entries: Vec<Entry>,
}

/// Why a list cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AclError {
    /// Not the kernel's form, or another version of it.
    #[error("not an access control list of the kernel's version 2")]
    Version,
    /// An entry with a tag the kernel does not have, or rights above 7.
    #[error("access control list with an unknown entry")]
    Entry,
    /// A line of the text that is none of the known forms.
    #[error("cannot read the access control entry {0:?}")]
    Line(String),
    /// A name that has no number here.
    #[error("no user or group {0:?} on this machine")]
    UnknownName(String),
}

/// A user or a group, for looking up names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A user.
    User,
    /// A group.
    Group,
}

impl Acl {
    /// A list of these entries, sorted as the kernel expects them.
    #[must_use]
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable();
        Self { entries }
    }

    /// The entries in the kernel's order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether it says no more than the permission bits do. Such an access list is not sent.
    #[must_use]
    pub fn is_minimal(&self) -> bool {
        self.entries.iter().all(|entry| matches!(entry.who, Who::Owner | Who::OwningGroup | Who::Other))
    }

    /// Reads the value of `system.posix_acl_access` or `system.posix_acl_default`.
    ///
    /// # Errors
    /// When the version is not 2 or an entry is unknown.
    pub fn from_kernel(value: &[u8]) -> Result<Self, AclError> {
        let (version, rest) = value.split_first_chunk::<4>().ok_or(AclError::Version)?;
        let (entries, odd) = rest.as_chunks::<8>();
        if u32::from_le_bytes(*version) != VERSION || !odd.is_empty() {
            return Err(AclError::Version);
        }
        Ok(Self::new(entries.iter().map(kernel_entry).collect::<Result<_, _>>()?))
    }

    /// The value for `system.posix_acl_access` or `system.posix_acl_default`.
    #[must_use]
    pub fn to_kernel(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 + 8 * self.entries.len());
        out.extend_from_slice(&VERSION.to_le_bytes());
        for entry in &self.entries {
            let (tag, id): (u16, u32) = match entry.who {
                Who::Owner => (0x01, NO_ID),
                Who::User(id) => (0x02, id),
                Who::OwningGroup => (0x04, NO_ID),
                Who::Group(id) => (0x08, id),
                Who::Mask => (0x10, NO_ID),
                Who::Other => (0x20, NO_ID),
            };
            out.extend_from_slice(&tag.to_le_bytes());
            out.extend_from_slice(&u16::from(entry.rights).to_le_bytes());
            out.extend_from_slice(&id.to_le_bytes());
        }
        out
    }

    /// Appends the record: the text and its NUL. An id for which `name_of` knows no name is written as a number.
    pub fn encode(&self, mut name_of: impl FnMut(Kind, u32) -> Option<String>, out: &mut Vec<u8>) {
        for entry in &self.entries {
            let (word, named) = match entry.who {
                Who::Owner => ("user", None),
                Who::User(id) => ("user", Some((Kind::User, id))),
                Who::OwningGroup => ("group", None),
                Who::Group(id) => ("group", Some((Kind::Group, id))),
                Who::Mask => ("mask", None),
                Who::Other => ("other", None),
            };
            let bit = |bit: u8, letter: char| if entry.rights & bit == 0 { '-' } else { letter };
            let (r, w, x) = (bit(4, 'r'), bit(2, 'w'), bit(1, 'x'));
            // Writing into a vector cannot fail.
            let _ = match named.map(|(kind, id)| (name_of(kind, id), id)) {
                None => writeln!(out, "{word}::{r}{w}{x}"),
                Some((Some(name), _)) => writeln!(out, "{word}:{name}:{r}{w}{x}"),
                Some((None, id)) => writeln!(out, "{word}:{id}:{r}{w}{x}"),
            };
        }
        out.push(0);
    }

    /// Reads a record. A qualifier of digits is a number, any other goes to `id_of`.
    ///
    /// Takes what `setfacl` takes: lines or commas between entries, comments after `#`, words cut down to one letter.
    ///
    /// # Errors
    /// When a line is none of the known forms or a name is unknown.
    pub fn decode(record: &[u8], mut id_of: impl FnMut(Kind, &str) -> Option<u32>) -> Result<Self, AclError> {
        let text = record.split(|&b| b == 0).next().unwrap_or_default();
        let mut entries = Vec::new();
        for line in text.split(|&b| b == b'\n') {
            let line = line.split(|&b| b == b'#').next().unwrap_or_default();
            for entry in line.split(|&b| b == b',').map(<[u8]>::trim_ascii).filter(|entry| !entry.is_empty()) {
                entries.push(text_entry(&String::from_utf8_lossy(entry), &mut id_of)?);
            }
        }
        Ok(Self::new(entries))
    }
}

fn kernel_entry(entry: &[u8; 8]) -> Result<Entry, AclError> {
    let [tag_low, tag_high, rights, 0, id @ ..] = *entry else { return Err(AclError::Entry) };
    let id = u32::from_le_bytes(id);
    let who = match u16::from_le_bytes([tag_low, tag_high]) {
        0x01 => Who::Owner,
        0x02 => Who::User(id),
        0x04 => Who::OwningGroup,
        0x08 => Who::Group(id),
        0x10 => Who::Mask,
        0x20 => Who::Other,
        _ => return Err(AclError::Entry),
    };
    if rights > 7 {
        return Err(AclError::Entry);
    }
    Ok(Entry { who, rights })
}

fn text_entry(entry: &str, id_of: &mut impl FnMut(Kind, &str) -> Option<u32>) -> Result<Entry, AclError> {
    let broken = || AclError::Line(entry.to_owned());
    // A name may hold a colon only if it is not the last one, so the rights are cut off from the right.
    let (rest, rights) = entry.rsplit_once(':').ok_or_else(broken)?;
    let (word, qualifier) = rest.split_once(':').unwrap_or((rest, ""));
    let rights = rights_of(rights.trim()).ok_or_else(broken)?;
    let qualifier = qualifier.trim();
    let mut id = |kind| match qualifier.parse() {
        Ok(id) => Ok(id),
        Err(_) => id_of(kind, qualifier).ok_or_else(|| AclError::UnknownName(qualifier.to_owned())),
    };
    let who = match (word.trim(), qualifier.is_empty()) {
        ("user" | "u", true) => Who::Owner,
        ("user" | "u", false) => Who::User(id(Kind::User)?),
        ("group" | "g", true) => Who::OwningGroup,
        ("group" | "g", false) => Who::Group(id(Kind::Group)?),
        ("mask" | "m", true) => Who::Mask,
        ("other" | "o", true) => Who::Other,
        _ => return Err(broken()),
    };
    Ok(Entry { who, rights })
}

fn rights_of(text: &str) -> Option<u8> {
    text.chars().try_fold(0, |rights, letter| match letter {
        'r' => Some(rights | 4),
        'w' => Some(rights | 2),
        'x' => Some(rights | 1),
        '-' => Some(rights),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As a real file daemon sent it.
    const SENT: &[u8] = b"user::rw-\nuser:postgres:r--\ngroup::r--\nmask::r--\nother::r--\n\0";

    const KERNEL: &[u8] = b"\x02\0\0\0\
        \x01\0\x06\0\xff\xff\xff\xff\x02\0\x04\0\x6c\0\0\0\x04\0\x04\0\xff\xff\xff\xff\
        \x10\0\x04\0\xff\xff\xff\xff\x20\0\x04\0\xff\xff\xff\xff";

    #[test]
    fn the_kernels_list_becomes_the_text_that_a_real_daemon_sent() {
        let acl = Acl::from_kernel(KERNEL).unwrap();
        let mut out = Vec::new();
        acl.encode(|kind, id| (kind == Kind::User && id == 108).then(|| "postgres".to_owned()), &mut out);
        assert_eq!(out, SENT);
        assert!(!acl.is_minimal());
    }

    #[test]
    fn the_text_becomes_the_kernels_list() {
        let acl = Acl::decode(SENT, |kind, name| (kind == Kind::User && name == "postgres").then_some(108)).unwrap();
        assert_eq!(acl.to_kernel(), KERNEL);
        let error = Acl::decode(SENT, |_, _| None).unwrap_err();
        assert_eq!(error, AclError::UnknownName("postgres".to_owned()));
    }

    #[test]
    fn unsorted_short_and_commented_text_is_read() {
        let acl =
            Acl::decode(b"o::---, g:7:r-x\t#effective:r--\nm:rx\nu::rwx\ng::x\n# nothing\n", |_, _| None).unwrap();
        let whos: Vec<Who> = acl.entries().iter().map(|entry| entry.who).collect();
        assert_eq!(whos, [Who::Owner, Who::OwningGroup, Who::Group(7), Who::Mask, Who::Other]);
        assert_eq!(acl.entries()[3].rights, 5);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in [&b"user\n"[..], b"user::q\n", b"owner::rwx\n", b"mask:3:r--\n"] {
            assert!(matches!(Acl::decode(text, |_, _| None), Err(AclError::Line(_))), "{text:?}");
        }
        assert_eq!(Acl::from_kernel(b""), Err(AclError::Version));
        assert_eq!(Acl::from_kernel(b"\x01\0\0\0"), Err(AclError::Version));
        assert_eq!(Acl::from_kernel(&KERNEL[..11]), Err(AclError::Version));
        assert_eq!(Acl::from_kernel(b"\x02\0\0\0\x03\0\x06\0\0\0\0\0"), Err(AclError::Entry));
        assert_eq!(Acl::from_kernel(b"\x02\0\0\0\x01\0\x08\0\0\0\0\0"), Err(AclError::Entry));
    }

    #[test]
    fn a_list_that_says_only_the_permission_bits_is_minimal() {
        assert!(Acl::decode(b"user::rw-\ngroup::r--\nother::r--\n\0", |_, _| None).unwrap().is_minimal());
    }

    fn who() -> impl Strategy<Value = Who> {
        prop_oneof![
            Just(Who::Owner),
            (0..u32::MAX).prop_map(Who::User),
            Just(Who::OwningGroup),
            (0..u32::MAX).prop_map(Who::Group),
            Just(Who::Mask),
            Just(Who::Other)
        ]
    }

    proptest! {
        #[test]
        fn any_list_survives_both_forms(list in prop::collection::vec((who(), 0..8_u8), 0..20)) {
            let acl = Acl::new(list.into_iter().map(|(who, rights)| Entry { who, rights }).collect());
            let mut text = Vec::new();
            acl.encode(|_, _| None, &mut text);
            prop_assert_eq!(&Acl::decode(&text, |_, _| None).unwrap(), &acl);
            prop_assert_eq!(&Acl::from_kernel(&acl.to_kernel()).unwrap(), &acl);
        }

        #[test]
        fn no_bytes_make_the_parsers_panic(bytes: Vec<u8>) {
            let _ = Acl::decode(&bytes, |_, _| None);
            let _ = Acl::from_kernel(&bytes);
        }
    }
}
