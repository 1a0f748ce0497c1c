//! Digests of file contents, `wire/2 §2.6`, and their form in the catalog, `wire/3 §2.4`.

use md5::Md5;
use md5::digest::Digest as _;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use xxhash_rust::xxh3::Xxh3;

use super::base64;
use super::stream::Stream;

/// How the bytes of a file are condensed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// MD5, 16 bytes.
    Md5,
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-512, 64 bytes.
    Sha512,
    /// XXH3 with 128 bits, 16 bytes, canonical (big-endian).
    Xxh128,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512, Self::Xxh128];

    /// The stream in which such digests are sent.
    #[must_use]
    pub const fn stream(self) -> Stream {
        match self {
            Self::Md5 => Stream::MD5,
            Self::Sha1 => Stream::SHA1,
            Self::Sha256 => Stream::SHA256,
            Self::Sha512 => Stream::SHA512,
            Self::Xxh128 => Stream::XXH128,
        }
    }

    /// The algorithm of a digest stream.
    #[must_use]
    pub fn from_stream(stream: Stream) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.stream() == stream.kind())
    }

    /// Length of the digest in bytes.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Md5 | Self::Xxh128 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// Condenses bytes that come in pieces. Holds no heap memory.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "one per worker, and boxing would allocate for every file")]
pub enum Hasher {
    /// [`Algorithm::Md5`]
    Md5(Md5),
    /// [`Algorithm::Sha1`]
    Sha1(Sha1),
    /// [`Algorithm::Sha256`]
    Sha256(Sha256),
    /// [`Algorithm::Sha512`]
    Sha512(Sha512),
    /// [`Algorithm::Xxh128`]
    Xxh128(Xxh3),
}

impl Hasher {
    /// A hasher that has seen nothing yet.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5(Md5::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
            Algorithm::Xxh128 => Self::Xxh128(Xxh3::new()),
        }
    }

    /// What it computes.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Md5(_) => Algorithm::Md5,
            Self::Sha1(_) => Algorithm::Sha1,
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
            Self::Xxh128(_) => Algorithm::Xxh128,
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hash) => hash.update(bytes),
            Self::Sha1(hash) => hash.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
            Self::Xxh128(hash) => hash.update(bytes),
        }
    }

    /// The digest of all bytes since the start; the hasher starts afresh.
    pub fn finish(&mut self) -> Digest {
        let algorithm = self.algorithm();
        let mut bytes = [0; 64];
        let room = &mut bytes[..algorithm.size()];
        match self {
            Self::Md5(hash) => room.copy_from_slice(&hash.finalize_reset()),
            Self::Sha1(hash) => room.copy_from_slice(&hash.finalize_reset()),
            Self::Sha256(hash) => room.copy_from_slice(&hash.finalize_reset()),
            Self::Sha512(hash) => room.copy_from_slice(&hash.finalize_reset()),
            Self::Xxh128(hash) => {
                room.copy_from_slice(&hash.digest128().to_be_bytes());
                hash.reset();
            }
        }
        Digest { algorithm, bytes }
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Hasher").field(&self.algorithm()).finish()
    }
}

/// Whether the record of a digest stream says that the file's contents are not whole: see [`Digest::unread`].
#[must_use]
pub fn marks_unread(record: &[u8]) -> bool {
    !record.is_empty() && record.iter().all(|byte| *byte == 0)
}

/// The same of a digest in the form of the catalog and of verify lines (base64 without padding).
#[must_use]
pub fn text_marks_unread(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|letter| *letter == b'A')
}

/// A digest as it goes over the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: [u8; 64],
}

impl Digest {
    /// A digest received in `stream`; `None` when it is no digest stream or the length is wrong.
    #[must_use]
    pub fn from_record(stream: Stream, record: &[u8]) -> Option<Self> {
        let algorithm = Algorithm::from_stream(stream)?;
        let mut bytes = [0; 64];
        (record.len() == algorithm.size()).then(|| {
            bytes[..record.len()].copy_from_slice(record);
            Self { algorithm, bytes }
        })
    }

    /// What follows contents that are not whole, in the place of their digest: only zeros, which no contents have
    /// (`wire/2 §2.5`).
    #[must_use]
    pub const fn unread(algorithm: Algorithm) -> Self {
        Self { algorithm, bytes: [0; 64] }
    }

    /// How it was made.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The raw bytes, as a record holds them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.size()]
    }

    /// The form in the catalog, in accurate lists and verify lines: ordinary base64 without padding.
    #[must_use]
    pub fn catalog_text(&self) -> String {
        catalog_text(self.as_bytes())
    }
}

/// The catalog's form of a digest record, whatever its length: ordinary base64 without padding.
#[must_use]
pub fn catalog_text(record: &[u8]) -> String {
    base64::encode(record, base64::Variant::Standard)
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}:{}", self.algorithm, self.catalog_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(algorithm: Algorithm, pieces: &[&[u8]]) -> Digest {
        let mut hasher = Hasher::new(algorithm);
        for piece in pieces {
            hasher.update(piece);
        }
        hasher.finish()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_catalog_form_is_that_of_the_notes() {
        assert_eq!(digest(Algorithm::Md5, &[b"hello ", b"world\n"]).catalog_text(), "b1kCrCNwJL3QwXbLkwY9xA");
        assert_eq!(digest(Algorithm::Md5, &[b"Hello, Bareos\n"]).catalog_text(), "5k2w9Yx/ybVN6RiQQbMyTQ");
    }

    #[test]
    fn the_digest_of_nothing_is_the_published_one() {
        for (algorithm, expected) in [
            (Algorithm::Md5, "d41d8cd98f00b204e9800998ecf8427e"),
            (Algorithm::Sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            (Algorithm::Sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (Algorithm::Xxh128, "99aa06d3014798d86001c324468d497f"),
        ] {
            assert_eq!(hex(digest(algorithm, &[]).as_bytes()), expected);
        }
        assert!(hex(digest(Algorithm::Sha512, &[]).as_bytes()).starts_with("cf83e1357eefb8bdf1542850d66d8007"));
    }

    #[test]
    fn a_hasher_starts_afresh_after_each_file_and_pieces_do_not_matter() {
        for algorithm in Algorithm::ALL {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(b"first");
            let _ = hasher.finish();
            hasher.update(&[7; 1000]);
            assert_eq!(hasher.finish(), digest(algorithm, &[&[7; 1], &[7; 600], &[7; 399]]));
        }
    }

    #[test]
    fn the_mark_of_what_was_not_read_is_known_in_both_forms_and_is_no_digest_of_anything() {
        for algorithm in Algorithm::ALL {
            let (mark, empty) = (Digest::unread(algorithm), digest(algorithm, &[]));
            for (digest, is_mark) in [(mark, true), (empty, false)] {
                assert_eq!(marks_unread(digest.as_bytes()), is_mark);
                assert_eq!(text_marks_unread(digest.catalog_text().as_bytes()), is_mark);
            }
        }
        assert!(!marks_unread(b"") && !text_marks_unread(b"") && !text_marks_unread(b"0"));
    }

    #[test]
    fn a_record_is_a_digest_only_with_the_right_length() {
        for algorithm in Algorithm::ALL {
            let whole = digest(algorithm, &[b"x"]);
            assert_eq!(Digest::from_record(algorithm.stream(), whole.as_bytes()), Some(whole));
            assert_eq!(Digest::from_record(algorithm.stream(), &whole.as_bytes()[1..]), None);
        }
        assert_eq!(Digest::from_record(Stream::FILE_DATA, &[0; 16]), None);
    }
}
