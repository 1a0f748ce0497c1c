//! What a file daemon sends its director in a verify job (`wire/2 §1.12`).

use super::digest::Algorithm;
use super::scan::{Scan, put_decimal};
use super::stream::Stream;

/// A line of a verify job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyLine<'a> {
    /// A file.
    Attributes {
        /// The number of the file in its job; 0 for a deleted one.
        file_index: i32,
        /// What to compare, such as `pinsug5`.
        options: &'a [u8],
        /// Path and name; a directory ends in a slash.
        name: &'a [u8],
        /// Its attributes.
        lstat: &'a [u8],
        /// The target of a link, else empty.
        link: &'a [u8],
    },
    /// The digest of the file before.
    Digest {
        /// The number of the file in its job.
        file_index: i32,
        /// The kind of the digest.
        algorithm: Algorithm,
        /// The digest in base64 without padding.
        digest: &'a [u8],
    },
}

impl<'a> VerifyLine<'a> {
    /// Appends the payload of a frame.
    pub fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Attributes { file_index, options, name, lstat, link } => {
                put_decimal(out, (*file_index).into());
                out.extend_from_slice(b" 1 ");
                out.extend_from_slice(options);
                out.push(b' ');
                for field in [name, lstat, link] {
                    out.extend_from_slice(field);
                    out.push(0);
                }
            }
            Self::Digest { file_index, algorithm, digest } => {
                put_decimal(out, (*file_index).into());
                out.push(b' ');
                put_decimal(out, algorithm.stream().0.into());
                out.push(b' ');
                out.extend_from_slice(digest);
                out.extend_from_slice(format!(" *{}-{file_index}*", word(*algorithm)).as_bytes());
            }
        }
    }

    /// Reads a payload; `None` if it is neither.
    pub fn parse(payload: &'a [u8]) -> Option<Self> {
        let mut scan = Scan::new(payload);
        scan.rest().first().filter(|b| b.is_ascii_digit())?;
        let file_index = Some(scan.i32()).filter(|index| *index >= 0)?;
        scan.gap()?;
        let stream = Stream(scan.i32());
        scan.gap()?;
        if let Some(algorithm) = Algorithm::from_stream(stream) {
            // Where there is no digest, what follows it is none.
            let digest = Some(scan.word(usize::MAX)).filter(|word| !word.is_empty() && !word.starts_with(b"*"))?;
            return Some(Self::Digest { file_index, algorithm, digest });
        }
        (stream == Stream(1)).then_some(())?;
        let options = scan.word(usize::MAX);
        // The name may begin with a blank, so exactly one is taken.
        let mut fields = scan.rest().strip_prefix(b" ")?.split(|&b| b == 0);
        let name = fields.next().filter(|name| !name.is_empty())?;
        let lstat = fields.next()?;
        let link = fields.next().unwrap_or_default();
        Some(Self::Attributes { file_index, options, name, lstat, link })
    }
}

fn word(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Md5 => "MD5",
        Algorithm::Sha1 => "SHA1",
        Algorithm::Sha256 => "SHA256",
        Algorithm::Sha512 => "SHA512",
        Algorithm::Xxh128 => "XXH128",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn recorded_lines_are_read_and_written_byte_for_byte() {
        for (payload, line) in [
            (
                &b"2 1 pinsug5 /srv/bareos-run/data/tiny/hello.txt\0P4A miAD IGk C A A A T BAA I BrBDWV BrBDTf BrBDTf B \
                   A C\0/srv/bareos-run/data/tiny/hardlink-to-hello\0"[..],
                VerifyLine::Attributes {
                    file_index: 2,
                    options: b"pinsug5",
                    name: b"/srv/bareos-run/data/tiny/hello.txt",
                    lstat: b"P4A miAD IGk C A A A T BAA I BrBDWV BrBDTf BrBDTf B A C",
                    link: b"/srv/bareos-run/data/tiny/hardlink-to-hello",
                },
            ),
            (
                b"1 40 IlxWjJLjUvnwnJRq+D/DnA *XXH128-1*",
                VerifyLine::Digest {
                    file_index: 1,
                    algorithm: Algorithm::Xxh128,
                    digest: b"IlxWjJLjUvnwnJRq+D/DnA",
                },
            ),
        ] {
            assert_eq!(VerifyLine::parse(payload), Some(line));
            let mut out = Vec::new();
            line.put(&mut out);
            assert_eq!(out, payload);
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for payload in [
            "99999999999999999999999 40 abc",
            "1 40 ",
            "1 40  *XXH128-1*",
            "",
            "2800 End Job TermCode=84",
            "x 1 p /x\0a\0",
            "1 2 p /x\0a\0",
            "1 1 p",
            "1 1 p \0a\0",
        ] {
            assert_eq!(VerifyLine::parse(payload.as_bytes()), None, "{payload:?}");
        }
    }

    proptest! {
        #[test]
        fn lines_come_back(file_index in 0..i32::MAX, name in "[^\0]+", link in "[^\0]*", algorithm in 0..5usize) {
            let mut out = Vec::new();
            let line = VerifyLine::Attributes {
                file_index, options: b"Vpins5", name: name.as_bytes(), lstat: b"P4A", link: link.as_bytes(),
            };
            line.put(&mut out);
            prop_assert_eq!(VerifyLine::parse(&out), Some(line));
            out.clear();
            let line = VerifyLine::Digest { file_index, algorithm: Algorithm::ALL[algorithm], digest: b"abc" };
            line.put(&mut out);
            prop_assert_eq!(VerifyLine::parse(&out), Some(line));
        }

        #[test]
        fn no_bytes_make_the_parser_fail(bytes: Vec<u8>) {
            let _ = VerifyLine::parse(&bytes);
            let _ = VerifyLine::parse(&[b"1 1 ", &bytes[..]].concat());
        }
    }
}
