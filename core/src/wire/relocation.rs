//! How a restore changes names: the expressions of `regexwhere=` (`wire/2 §1.11`).

use std::ops::Range;

/// One change: of the first place where the expression matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// An extended regular expression; line feeds end lines in it.
    pub search: String,
    /// What stands there instead. `$1` to `$9` and `\1` to `\9` are groups of the match, `$0` all of it.
    pub replacement: String,
    /// Whether upper and lower case are the same.
    pub ignore_case: bool,
}

/// Why expressions cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelocationError {
    /// There is none.
    #[error("there is no expression")]
    Nothing,
    /// It begins with something else than a separator.
    #[error("an expression begins with one of {SEPARATORS}, not with {0:?}")]
    Separator(char),
    /// A separator is missing.
    #[error("{0:?} needs three separators, as in !search!replacement!")]
    Unfinished(String),
    /// Something else than a comma stands between two.
    #[error("{0:?} stands after an expression, where only i, g or a comma may")]
    Flag(char),
}

const SEPARATORS: &str = "! : ; | , & % = ~ / #";

impl Relocation {
    /// Reads one expression or several: `!search!replacement!`, the flags `i` and `g`, and a comma before the next. As in
    /// real daemons `g` changes nothing: only the first match of each is replaced.
    ///
    /// # Errors
    /// When one of them cannot be read. (Real daemons pass over all from there on.)
    pub fn parse(text: &str) -> Result<Vec<Self>, RelocationError> {
        let mut all = Vec::new();
        let mut rest = text;
        loop {
            let (relocation, after) = Self::parse_one(rest)?;
            all.push(relocation);
            match after.strip_prefix(',') {
                Some(next) if !next.is_empty() => rest = next,
                _ => return Ok(all),
            }
        }
    }

    /// The expressions for a beginning that is taken off, one that is put before, and an end that is put after names of files,
    /// as real directors make them: each is taken for a regular expression or a replacement. `None` if there is nothing to do.
    #[must_use]
    pub fn expression(
        strip_prefix: Option<&str>,
        add_prefix: Option<&str>,
        add_suffix: Option<&str>,
    ) -> Option<String> {
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('!', "\\!");
        let parts = [
            strip_prefix.map(|text| format!("!{}!!i", escaped(text))),
            add_suffix.map(|text| format!("!([^/])$!$1{}!", escaped(text))),
            add_prefix.map(|text| format!("!^!{}!", escaped(text))),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(","))
    }

    /// Reads one, and returns what follows its flags: nothing, or a comma.
    fn parse_one(text: &str) -> Result<(Self, &str), RelocationError> {
        let separator = text.chars().next().ok_or(RelocationError::Nothing)?;
        if separator == ' ' || !SEPARATORS.contains(separator) {
            return Err(RelocationError::Separator(separator));
        }
        let unfinished = || RelocationError::Unfinished(text.to_owned());
        let after = text.get(1..).unwrap_or_default();
        let (search, after) = field(after, separator).ok_or_else(unfinished)?;
        let (replacement, after) = field(after, separator).ok_or_else(unfinished)?;
        let mut relocation = Self { search, replacement, ignore_case: false };
        for (at, letter) in after.char_indices() {
            match letter {
                'i' => relocation.ignore_case = true,
                'g' => {}
                ',' => return Ok((relocation, after.get(at..).unwrap_or_default())),
                other if other == separator => {}
                other => return Err(RelocationError::Flag(other)),
            }
        }
        Ok((relocation, ""))
    }

    /// The name in which the groups are where they are: the first is all of the match.
    #[must_use]
    pub fn replaced(&self, name: &[u8], groups: &[Option<Range<usize>>]) -> Vec<u8> {
        let group = |number: usize| groups.get(number).cloned().flatten();
        let Some(all) = group(0) else { return name.to_vec() };
        let mut out = name.get(..all.start).unwrap_or_default().to_vec();
        let mut bytes = self.replacement.bytes().peekable();
        while let Some(byte) = bytes.next() {
            let digit = bytes.peek().filter(|next| matches!(byte, b'$' | b'\\') && next.is_ascii_digit()).copied();
            match digit {
                Some(digit) => {
                    bytes.next();
                    // A group that has no part in the match is empty.
                    let part = group(usize::from(digit - b'0')).and_then(|range| name.get(range));
                    out.extend_from_slice(part.unwrap_or_default());
                }
                None => out.push(byte),
            }
        }
        out.extend_from_slice(name.get(all.end..).unwrap_or_default());
        out
    }
}

/// What stands before the next separator, and what follows it. A backslash before a separator makes it a character like
/// any other; two backslashes stay two.
fn field(text: &str, separator: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, letter)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        match (letter, next) {
            ('\\', Some(next)) if next == separator => {
                out.push(next);
                chars.next();
            }
            ('\\', Some('\\')) => {
                out.push_str("\\\\");
                chars.next();
            }
            (letter, _) if letter == separator => return Some((out, text.get(at + letter.len_utf8()..)?)),
            (letter, _) => out.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(search: &str, replacement: &str, ignore_case: bool) -> Relocation {
        Relocation { search: search.to_owned(), replacement: replacement.to_owned(), ignore_case }
    }

    #[test]
    fn the_forms_of_the_manual_are_read() {
        for (text, expected) in [
            ("/.ini$/.old.ini/", vec![one(".ini$", ".old.ini", false)]),
            ("/prod/rect/,/pdata/rdata/", vec![one("prod", "rect", false), one("pdata", "rdata", false)]),
            ("!/prod/!/rect/!,/pdata/rdata/", vec![one("/prod/", "/rect/", false), one("pdata", "rdata", false)]),
            ("/c:/d:/i", vec![one("c:", "d:", true)]),
            ("!a.pdf!a.bkp.pdf!", vec![one("a.pdf", "a.bkp.pdf", false)]),
            ("!tmp!opt!ig,!temp!opt!i", vec![one("tmp", "opt", true), one("temp", "opt", true)]),
            (
                "!/.snap!!i,!([^/])$!$1.bkp!,!^!/tmp!",
                vec![one("/.snap", "", true), one("([^/])$", "$1.bkp", false), one("^", "/tmp", false)],
            ),
            ("!a\\!b!c\\\\1!", vec![one("a!b", "c\\\\1", false)]),
            (",a,b,,!c!d!", vec![one("a", "b", false), one("c", "d", false)]),
            ("=a=b=g,", vec![one("a", "b", false)]),
        ] {
            assert_eq!(Relocation::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn prefixes_and_suffixes_become_expressions() {
        let of = |strip, prefix, suffix| Relocation::expression(strip, prefix, suffix);
        assert_eq!(of(None, None, None), None);
        let all = of(Some("/.snap"), Some("/tmp"), Some(".bkp"));
        assert_eq!(all.as_deref(), Some("!/.snap!!i,!([^/])$!$1.bkp!,!^!/tmp!"));
        assert_eq!(of(Some("/a!b\\c"), None, None).as_deref(), Some("!/a\\!b\\\\c!!i"));
        assert_eq!(Relocation::parse(&of(None, Some("/x!"), None).unwrap()), Ok(vec![one("^", "/x!", false)]));
    }

    #[test]
    fn what_is_no_expression_is_refused_with_what_is_wrong() {
        for (text, error) in [
            ("", RelocationError::Nothing),
            ("abc", RelocationError::Separator('a')),
            (" a b ", RelocationError::Separator(' ')),
            ("!a!b", RelocationError::Unfinished("!a!b".to_owned())),
            ("!a!b\\!", RelocationError::Unfinished("!a!b\\!".to_owned())),
            ("!a!b!x", RelocationError::Flag('x')),
            ("!a!b!,c", RelocationError::Separator('c')),
            ("!a!b! !c!d!", RelocationError::Flag(' ')),
        ] {
            assert_eq!(Relocation::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn groups_stand_where_the_replacement_names_them() {
        let name = b"/a/bcd/e";
        let groups = [Some(3..6), Some(3..4), None];
        for (replacement, expected) in [
            ("x", "/a/x/e"),
            ("$1$1", "/a/bb/e"),
            ("[\\0]", "/a/[bcd]/e"),
            ("$2$9", "/a//e"),
            ("$", "/a/$/e"),
            ("$x\\y", "/a/$x\\y/e"),
        ] {
            let replaced = one("", replacement, false).replaced(name, &groups);
            assert_eq!(String::from_utf8_lossy(&replaced), expected, "{replacement}");
        }
        assert_eq!(one("", "x", false).replaced(name, &[]), name);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(text in "([!/,ig$\\\\1-3a-c]|.){0,30}") {
            if let Ok(all) = Relocation::parse(&text) {
                prop_assert!(!all.is_empty());
                let _ = all[0].replaced(b"/some/name", &[Some(1..5), Some(2..3)]);
            }
        }
    }
}
