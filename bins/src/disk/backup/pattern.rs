//! Shell patterns as filesets use them (wire/2 §1.6): `*`, `?`, `[a-z]`, `[!a]`, `\` before a character to be taken
//! as it is. Bytes, not characters. `*` and `?` match `/` too, unless the pattern is enhanced.

/// How a pattern is held against a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manner {
    /// ASCII letters match in either case.
    pub(crate) ignore_case: bool,
    /// `*`, `?` and brackets do not match `/`.
    pub(crate) slash_is_special: bool,
}

/// Whether the whole path matches. Time grows with the product of both lengths at the worst.
pub(crate) fn matches(pattern: &[u8], path: &[u8], manner: Manner) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&b'*') {
            retry = Some((p + 1, t));
            p += 1;
            continue;
        }
        match (path.get(t), p < pattern.len()) {
            (None, false) => return true,
            (Some(&byte), true) => {
                if let Some(used) = one(pattern.get(p..).unwrap_or_default(), byte, manner) {
                    (p, t) = (p + used, t + 1);
                    continue;
                }
            }
            _ => {}
        }
        match retry {
            Some((after, at)) if path.get(at).is_some_and(|b| !(manner.slash_is_special && *b == b'/')) => {
                retry = Some((after, at + 1));
                (p, t) = (after, at + 1);
            }
            _ => return false,
        }
    }
}

/// Whether the first element of the pattern, which is no `*`, takes this byte, and how long the element is.
fn one(pattern: &[u8], byte: u8, manner: Manner) -> Option<usize> {
    let slash = manner.slash_is_special && byte == b'/';
    match pattern {
        [b'?', ..] => (!slash).then_some(1),
        [b'[', rest @ ..] => match bracket(rest, byte, manner) {
            Some((hit, used)) => (hit && !slash).then_some(1 + used),
            None => (byte == b'[').then_some(1),
        },
        [b'\\', escaped, ..] => same(*escaped, byte, manner).then_some(2),
        [literal, ..] => same(*literal, byte, manner).then_some(1),
        [] => None,
    }
}

/// What follows a `[`: whether the byte is in it, and its length with the `]`. `None` if it is not closed.
fn bracket(rest: &[u8], byte: u8, manner: Manner) -> Option<(bool, usize)> {
    let negated = matches!(rest.first(), Some(b'!' | b'^'));
    let first = usize::from(negated);
    let (mut at, mut hit) = (first, false);
    loop {
        let mut low = *rest.get(at)?;
        if low == b']' && at > first {
            return Some((hit != negated, at + 1));
        }
        if low == b'\\' {
            at += 1;
            low = *rest.get(at)?;
        }
        at += 1;
        let mut high = low;
        if rest.get(at) == Some(&b'-') && rest.get(at + 1).is_some_and(|b| *b != b']') {
            high = *rest.get(at + 1)?;
            at += 2;
        }
        let within = |b: u8| (low..=high).contains(&b);
        hit |= within(byte)
            || (manner.ignore_case && (within(byte.to_ascii_lowercase()) || within(byte.to_ascii_uppercase())));
    }
}

fn same(a: u8, b: u8, manner: Manner) -> bool {
    a == b || (manner.ignore_case && a.eq_ignore_ascii_case(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_a_shell_would() {
        for (pattern, path, expected) in [
            ("", "", true),
            ("*", "", true),
            ("*.o", "/a/b.o", true),
            ("*.o", "/a/b.oo", false),
            ("/home/*/tmp", "/home/a/b/tmp", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]x]", "]", true),
            ("[a-]", "-", true),
            ("[ab", "[ab", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("**x", "yx", true),
            ("A", "a", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), path.as_bytes(), Manner::default()), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn case_and_slashes_matter_only_when_asked() {
        let both = Manner { ignore_case: true, slash_is_special: true };
        assert!(matches(b"*.TXT", b"a.txt", both));
        assert!(matches(b"[A-C]", b"b", both));
        assert!(!matches(b"*.txt", b"d/a.txt", both));
        assert!(!matches(b"a?b", b"a/b", both));
        assert!(matches(b"*/*.txt", b"d/a.txt", both));
    }

    #[test]
    fn a_hostile_pattern_takes_no_exponential_time() {
        let pattern = [b"*a".repeat(200), b"b".to_vec()].concat();
        assert!(!matches(&pattern, &b"a".repeat(4000), Manner::default()));
    }
}
