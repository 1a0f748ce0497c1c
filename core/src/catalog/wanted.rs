//! Names of files with wildcards, by which people look for what they have lost.

use crate::wild;

/// The longest, in bytes.
pub const LONGEST_PATTERN: usize = 1_000;

/// A name with the wildcards of a shell ([`wild`]): without a slash that of a file in whatever folder, else the end of a
/// path, or with a slash in front all of it. Without capital letters it fits both kinds of letters of ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    wild: Vec<u8>,
    of_path: bool,
    any_case: bool,
}

impl NamePattern {
    /// Reads one. `None` if it is empty or too long.
    #[must_use]
    pub fn new(text: &[u8]) -> Option<Self> {
        if text.is_empty() || text.len() > LONGEST_PATTERN {
            return None;
        }
        let of_path = text.contains(&b'/');
        let is_whole = !of_path || text.starts_with(b"/") || text.starts_with(b"*") || text.get(1) == Some(&b':');
        let wild = if is_whole { text.to_vec() } else { [b"*/", text].concat() };
        Some(Self { wild, of_path, any_case: !text.iter().any(u8::is_ascii_uppercase) })
    }

    /// Whether it fits a file, by its whole path. A folder, whose path ends with a slash, it fits never.
    #[must_use]
    pub fn fits(&self, path: &[u8]) -> bool {
        let name = match path.rsplit(|byte| *byte == b'/').next() {
            None | Some([]) => return false,
            Some(_) if self.of_path => path,
            Some(name) => name,
        };
        if self.any_case { wild::fits(&self.wild, &name.to_ascii_lowercase()) } else { wild::fits(&self.wild, name) }
    }

    /// A pattern of SQL's `LIKE` for the last part of a path, without an escape, that fits whatever this fits, and more: only
    /// `%`, and letters, digits and points that must be there in some case.
    #[must_use]
    pub fn like(&self) -> String {
        let last = self.wild.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        let mut like = if self.of_path { "%".to_owned() } else { String::new() };
        let mut rest = self.wild.get(last..).unwrap_or_default();
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            match first {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' => like.push(char::from(*first)),
                // What a set takes is not said before its end, and it may have none.
                b'[' => {
                    like.push('%');
                    break;
                }
                // The one after it stands for itself.
                b'\\' => {
                    rest = after.get(1..).unwrap_or_default();
                    like.push('%');
                }
                _ if like.ends_with('%') => {}
                _ => like.push('%'),
            }
        }
        like
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, path: &str) -> bool {
        NamePattern::new(pattern.as_bytes()).unwrap().fits(path.as_bytes())
    }

    #[test]
    fn a_name_is_looked_for_in_every_folder_and_a_path_from_its_end() {
        for (pattern, path, is_it) in [
            ("*.kdbx", "/home/a/Passwords.KDBX", true),
            ("*.Kdbx", "/home/a/Passwords.KDBX", false),
            ("a", "/a/b", false),
            ("a", "/b/a", true),
            ("?", "/b/a", true),
            ("home/*.txt", "/srv/home/x/y.txt", true),
            ("home/*.txt", "/srv/thehome/y.txt", false),
            ("/home/*.txt", "/srv/home/y.txt", false),
            ("c:/x", "c:/x", true),
            ("*", "/a/folder/", false),
        ] {
            assert_eq!(fits(pattern, path), is_it, "{pattern} {path}");
        }
        assert_eq!(NamePattern::new(b""), None);
        assert!(NamePattern::new(&[b'x'; LONGEST_PATTERN]).is_some());
        assert_eq!(NamePattern::new(&[b'x'; LONGEST_PATTERN + 1]), None);
    }

    #[test]
    fn what_a_catalog_looks_for_fits_more_and_never_less() {
        let like = |pattern: &str| NamePattern::new(pattern.as_bytes()).unwrap().like();
        for (pattern, expected) in [
            ("*.kdbx", "%.kdbx"),
            ("plain.txt", "plain.txt"),
            ("a?b", "a%b"),
            ("100%_x", "100%x"),
            ("é*.x", "%.x"),
            ("a[0-9].txt", "a%"),
            (r"a\*b", "a%b"),
            ("/home/*/n*.txt", "%n%.txt"),
            ("docs/*", "%"),
            (r"x\", "x%"),
        ] {
            assert_eq!(like(pattern), expected, "{pattern}");
        }
    }
}
