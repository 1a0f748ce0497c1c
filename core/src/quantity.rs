//! How many there are of something, in words.

use std::fmt::Display;

/// `1 job` or `3 jobs`: what is counted is named as one of it.
#[must_use]
pub fn counted<N: Display + PartialEq + From<u8>>(number: N, one: &str) -> String {
    if number == N::from(1) {
        return format!("1 {one}");
    }
    match one.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{number} {stem}ies"),
        _ => format!("{number} {one}s"),
    }
}

/// The first word for one, the second for any other number: `is` and `are`.
#[must_use]
pub fn either<'a, N: PartialEq + From<u8>>(number: N, one: &'a str, many: &'a str) -> &'a str {
    if number == N::from(1) { one } else { many }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_named_as_one_and_all_others_as_many() {
        let of = |number: u64| ["job", "entry", "day"].map(|one| counted(number, one));
        assert_eq!(of(1), ["1 job", "1 entry", "1 day"]);
        assert_eq!(of(0), ["0 jobs", "0 entries", "0 days"]);
        assert_eq!(of(12), ["12 jobs", "12 entries", "12 days"]);
        assert_eq!([0_u32, 1, 2].map(|number| either(number, "is", "are")), ["are", "is", "are"]);
    }
}
