//! Key material that never shows in a log.

use std::fmt;
use std::hint::black_box;

/// The bytes of a key: the MD5 text of a password, or a session key (`wire/1 §2.6`).
///
/// `Debug` prints `***`, there is no `Display`, equality takes the same time wherever the bytes differ, and dropping
/// overwrites the bytes.
#[derive(Clone, Default)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes the bytes of a key.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, for cryptography and for the wire.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, for a command line on the wire. Bytes that are not UTF-8 are replaced.
    pub fn expose_text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        same(&self.0, &other.0)
    }
}

impl Eq for Secret {}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        black_box(&self.0);
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Compares in a time that depends on the lengths only.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    let differing = a.iter().zip(b).fold(0u8, |acc, (x, y)| black_box(acc | (x ^ y)));
    a.len() == b.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_three_stars() {
        let secret = Secret::from("5ebe2294ecd0e0f08eab7690d2a6ee69");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "*** Some(***)");
    }

    #[test]
    fn secrets_are_equal_only_when_every_byte_is() {
        let key = Secret::from("abcd");
        assert_eq!(key, Secret::from("abcd"));
        for other in ["", "abc", "abce", "bbcd", "abcde"] {
            assert_ne!(key, Secret::from(other), "{other}");
        }
        assert!(Secret::default().is_empty());
    }
}
