//! Extended attributes of Linux, stream 1998, `wire/2 §2.12`.

/// Begins every attribute in a record.
pub const MAGIC: u32 = 0x005c_5884;

/// Most bytes of extended attributes of one file: a longer frame would be cut into two records.
pub const MAX_RECORD: usize = 999_996;

/// One extended attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Xattr<'a> {
    /// The full name, such as `user.comment`, without a NUL.
    pub name: &'a [u8],
    /// The value.
    pub value: &'a [u8],
}

/// Why a record of extended attributes cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XattrError {
    /// Something else where an attribute should begin.
    #[error("extended attribute without its magic number")]
    Magic,
    /// A length points past the end.
    #[error("extended attribute is cut off")]
    Short,
}

impl Xattr<'_> {
    /// Bytes that [`encode`](Self::encode) appends.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        12 + self.name.len() + self.value.len()
    }

    /// Appends the attribute. `false`, and nothing is appended, when `out` would grow beyond [`MAX_RECORD`].
    #[must_use]
    pub fn encode(&self, out: &mut Vec<u8>) -> bool {
        let (Ok(name), Ok(value)) = (u32::try_from(self.name.len()), u32::try_from(self.value.len())) else {
            return false;
        };
        if out.len() + self.encoded_len() > MAX_RECORD {
            return false;
        }
        out.extend_from_slice(&MAGIC.to_be_bytes());
        out.extend_from_slice(&name.to_be_bytes());
        out.extend_from_slice(self.name);
        out.extend_from_slice(&value.to_be_bytes());
        out.extend_from_slice(self.value);
        true
    }
}

/// Whether an attribute of this name is saved; the two that hold ACLs only when ACLs are not saved by themselves.
#[must_use]
pub fn is_saved(name: &[u8], acls_are_saved: bool) -> bool {
    match name {
        b"system.posix_acl_access" | b"system.posix_acl_default" => !acls_are_saved,
        _ => !name.starts_with(b"ceph.dir."),
    }
}

/// The attributes of a record, in order; after an error there is nothing more.
#[must_use]
pub const fn parse(record: &[u8]) -> Xattrs<'_> {
    Xattrs { rest: record }
}

/// Iterator of [`parse`].
#[derive(Clone, Debug)]
pub struct Xattrs<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Xattrs<'a> {
    type Item = Result<Xattr<'a>, XattrError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let item = next(&mut self.rest);
        if item.is_err() {
            self.rest = &[];
        }
        Some(item)
    }
}

fn next<'a>(rest: &mut &'a [u8]) -> Result<Xattr<'a>, XattrError> {
    if number(rest)? != MAGIC {
        return Err(XattrError::Magic);
    }
    let name = counted(rest)?;
    let value = counted(rest)?;
    Ok(Xattr { name, value })
}

fn number(rest: &mut &[u8]) -> Result<u32, XattrError> {
    let (head, tail) = rest.split_first_chunk::<4>().ok_or(XattrError::Short)?;
    *rest = tail;
    Ok(u32::from_be_bytes(*head))
}

fn counted<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], XattrError> {
    let count = usize::try_from(number(rest)?).map_err(|_| XattrError::Short)?;
    let (bytes, tail) = rest.split_at_checked(count).ok_or(XattrError::Short)?;
    *rest = tail;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOTE: [u8; 23] = *b"\x00\x5c\x58\x84\0\0\0\x09user.note\0\0\0\x02x1";

    #[test]
    fn the_example_of_the_notes_comes_out_byte_for_byte() {
        let mut out = Vec::new();
        assert!(Xattr { name: b"user.note", value: b"x1" }.encode(&mut out));
        assert_eq!(out, NOTE);
        let read: Vec<_> = parse(&out).collect();
        assert_eq!(read, [Ok(Xattr { name: b"user.note", value: b"x1" })]);
    }

    #[test]
    fn a_record_cut_anywhere_ends_with_one_error() {
        for cut in 1..NOTE.len() {
            let read: Vec<_> = parse(&NOTE[..cut]).collect();
            assert_eq!(read, [Err(XattrError::Short)], "cut at {cut}");
        }
        assert_eq!(parse(&[1; 30]).collect::<Vec<_>>(), [Err(XattrError::Magic)]);
    }

    #[test]
    fn a_record_never_grows_beyond_one_frame() {
        let value = vec![0; MAX_RECORD - 12 - 1];
        let mut out = Vec::new();
        assert!(Xattr { name: b"a", value: &value }.encode(&mut out));
        assert_eq!(out.len(), MAX_RECORD);
        assert!(!Xattr { name: b"", value: b"" }.encode(&mut out));
        assert_eq!(out.len(), MAX_RECORD);
    }

    #[test]
    fn acl_attributes_are_saved_once() {
        assert!(!is_saved(b"system.posix_acl_access", true));
        assert!(is_saved(b"system.posix_acl_access", false));
        assert!(is_saved(b"user.note", true));
        assert!(!is_saved(b"ceph.dir.rctime", false));
    }

    proptest! {
        #[test]
        fn any_list_survives(list: Vec<(Vec<u8>, Vec<u8>)>) {
            let mut out = Vec::new();
            for (name, value) in &list {
                let fits = Xattr { name, value }.encode(&mut out);
                prop_assert!(fits);
            }
            let read: Vec<_> = parse(&out).map(|x| x.map(|x| (x.name.to_vec(), x.value.to_vec()))).collect();
            prop_assert_eq!(read, list.into_iter().map(Ok).collect::<Vec<_>>());
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes).count();
        }
    }
}
