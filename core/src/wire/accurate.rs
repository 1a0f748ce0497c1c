//! The list of files that an accurate job knows already, one a frame (`wire/2 §1.8`).

use super::scan::{Scan, put_decimal};

/// A file that the catalog knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownFile<'a> {
    /// Path and name; a directory ends in a slash.
    pub name: &'a [u8],
    /// Its attributes, as the catalog has them.
    pub lstat: &'a [u8],
    /// Its digest in base64 without padding; empty if there is none.
    pub digest: &'a [u8],
    /// Its number in a chain of deltas.
    pub delta: i32,
}

impl<'a> KnownFile<'a> {
    /// Appends the payload of a frame.
    pub fn put(&self, out: &mut Vec<u8>) {
        for field in [self.name, self.lstat, self.digest] {
            out.extend_from_slice(field);
            out.push(0);
        }
        put_decimal(out, self.delta.into());
    }

    /// Reads a payload. Digest and number may be missing; `None` without a name or attributes.
    pub fn parse(payload: &'a [u8]) -> Option<Self> {
        let mut fields = payload.split(|&b| b == 0);
        let name = fields.next().filter(|name| !name.is_empty())?;
        let lstat = fields.next().filter(|lstat| !lstat.is_empty())?;
        let digest = fields.next().unwrap_or_default();
        let delta = fields.next().map_or(0, |number| Scan::new(number).i32());
        Some(Self { name, lstat, digest, delta })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_recorded_entry_is_read_and_written_byte_for_byte() {
        let payload = b"/srv/bareos-run/data/rich/emptydir/\0P4A n4Hl EHt C A A A BAA BAA I BrBDoV BrBDoV BrBDoV A A G\
            \0\x000";
        assert_eq!(payload.len(), 96);
        let file = KnownFile::parse(payload).unwrap();
        assert_eq!(file.name, b"/srv/bareos-run/data/rich/emptydir/");
        assert_eq!(file.lstat, b"P4A n4Hl EHt C A A A BAA BAA I BrBDoV BrBDoV BrBDoV A A G");
        assert_eq!((file.digest, file.delta), (&b""[..], 0));
        let mut out = Vec::new();
        file.put(&mut out);
        assert_eq!(out, payload);
    }

    #[test]
    fn shorter_entries_are_tolerated_down_to_the_attributes() {
        let file = KnownFile::parse(b"/x\0P4A").unwrap();
        assert_eq!((file.digest, file.delta), (&b""[..], 0));
        assert_eq!(KnownFile::parse(b"/x\0P4A\0abc\x007\0").unwrap().delta, 7);
        for payload in [&b""[..], b"/x", b"\0P4A", b"/x\0\0abc"] {
            assert_eq!(KnownFile::parse(payload), None, "{payload:?}");
        }
    }

    proptest! {
        #[test]
        fn entries_come_back(name in "[^\0]+", lstat in "[A-Za-z0-9+/ ]+", digest in "[A-Za-z0-9+/]*", delta: i32) {
            let file = KnownFile { name: name.as_bytes(), lstat: lstat.as_bytes(), digest: digest.as_bytes(), delta };
            let mut out = Vec::new();
            file.put(&mut out);
            prop_assert_eq!(KnownFile::parse(&out), Some(file));
        }

        #[test]
        fn no_bytes_make_the_parser_fail(bytes: Vec<u8>) {
            let _ = KnownFile::parse(&bytes);
        }
    }
}
