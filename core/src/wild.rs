//! Names with wildcards, as a shell has them: `*` any letters, `?` one, `[a-z]` and `[!a-z]` one of a set, `\` takes what
//! follows as it is. `*` and `?` fit every letter, a dot at the beginning too.

/// Whether all of a name fits.
#[must_use]
pub fn fits(wild: &[u8], name: &[u8]) -> bool {
    let (mut w, mut n) = (0, 0);
    // Where the last `*` is, and how much of the name it takes so far.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match wild.get(w) {
            Some(b'*') => {
                star = Some((w, n));
                w += 1;
                continue;
            }
            Some(_) => one(&wild[w..], name[n]),
            None => None,
        };
        match (step, star) {
            (Some(taken), _) => (w, n) = (w + taken, n + 1),
            (None, Some((at, taken))) => {
                star = Some((at, taken + 1));
                (w, n) = (at + 1, taken + 1);
            }
            (None, None) => return false,
        }
    }
    wild[w..].iter().all(|byte| *byte == b'*')
}

/// Whether the first element of a pattern fits a letter: how long that element is.
fn one(wild: &[u8], letter: u8) -> Option<usize> {
    match *wild {
        [b'?', ..] => Some(1),
        [b'\\', escaped, ..] => (escaped == letter).then_some(2),
        [b'[', ref set @ ..] => match in_set(set, letter) {
            Some((is_in, length)) => is_in.then_some(1 + length),
            // A set without an end is a bracket.
            None => (letter == b'[').then_some(1),
        },
        [plain, ..] => (plain == letter).then_some(1),
        [] => None,
    }
}

/// Whether a letter is in a set, and how long the set is with its closing bracket. `None` if it has none.
fn in_set(set: &[u8], letter: u8) -> Option<(bool, usize)> {
    let negated = matches!(set.first(), Some(b'!' | b'^'));
    let mut at = usize::from(negated);
    let first = at;
    let mut is_in = false;
    loop {
        let low = *set.get(at)?;
        if low == b']' && at > first {
            return Some((is_in != negated, at + 1));
        }
        match (set.get(at + 1), set.get(at + 2)) {
            (Some(b'-'), Some(&high)) if high != b']' => {
                is_in |= (low..=high).contains(&letter);
                at += 3;
            }
            _ => {
                is_in |= low == letter;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_those_of_a_shell() {
        for (wild, name, fit) in [
            ("*", "", true),
            ("*", ".hidden", true),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("a*b*c", "axxbyyc", true),
            ("*.txt", "a.txt.txt", true),
            ("?", "a", true),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[a-c]x", "dx", false),
            ("[!a-c]x", "dx", true),
            ("[]]", "]", true),
            ("[a", "[a", true),
            ("[a", "a", false),
            (r"\*", "*", true),
            (r"\*", "a", false),
            ("plain", "plain", true),
            ("plain", "plainer", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(wild.as_bytes(), name.as_bytes()), fit, "{wild} {name}");
        }
    }

    #[test]
    fn many_stars_take_no_long_time() {
        let wild = "*a".repeat(2_000);
        assert!(!fits(wild.as_bytes(), "a".repeat(1_999).as_bytes()));
        assert!(fits(wild.as_bytes(), "a".repeat(4_000).as_bytes()));
    }
}
