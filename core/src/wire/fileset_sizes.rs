//! Which sizes of files a block of options takes: `z…:` (`wire/2 §1.6`).

/// A range of sizes in bytes, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    least: u64,
    most: u64,
}

impl Sizes {
    /// Reads `<n`, `>n`, `a-b`, or `n` for sizes that differ by less than a hundredth. `None` if it is none of these.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some((least, most)) = text.split_once('-') {
            return Some(Self { least: bytes(least)?, most: bytes(most)? });
        }
        if let Some(text) = text.strip_prefix('<') {
            // No size is below 0.
            return Some(
                bytes(text)?.checked_sub(1).map_or(Self { least: 1, most: 0 }, |most| Self { least: 0, most }),
            );
        }
        if let Some(text) = text.strip_prefix('>') {
            return Some(
                bytes(text)?.checked_add(1).map_or(Self { least: 1, most: 0 }, |least| Self { least, most: u64::MAX }),
            );
        }
        let size = bytes(text)?;
        // Less than a hundredth is no difference at all for sizes up to 99, which match nothing.
        Some(match (size / 100).checked_sub(1) {
            None => Self { least: 1, most: 0 },
            Some(off) => Self { least: size - off, most: size.saturating_add(off) },
        })
    }

    /// Whether a file of this size is taken.
    #[must_use]
    pub const fn takes(self, size: u64) -> bool {
        self.least <= size && size <= self.most
    }
}

/// A number with a unit, or several one after the other: `k` is 1024, `kb` 1000, and so on.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let mut rest = text;
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, behind) = rest.split_at(digits);
        let behind = behind.trim_start();
        let letters = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        let unit = unit.to_ascii_lowercase();
        let (base, power) = match unit.strip_suffix('b') {
            None => (1024_u64, unit.as_str()),
            Some("") => (1, ""),
            Some(power) => (1000, power),
        };
        let power = u32::try_from(["", "k", "m", "g", "t", "p", "e"].iter().position(|one| *one == power)?).ok()?;
        sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(base.checked_pow(power)?)?)?;
        rest = behind.trim_start();
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_taken_up_to_their_limits_and_not_one_byte_past_them() {
        for (text, taken, left) in [
            ("<100", &[0, 99][..], &[100, 101][..]),
            (">100", &[101, u64::MAX], &[100, 0]),
            ("100-200", &[100, 200], &[99, 201]),
            ("1k-2kb", &[1024, 2000], &[1023, 2001]),
            ("10000", &[9_901, 10_000, 10_099], &[9_900, 10_100]),
            ("1m 1k", &[1_049_600], &[1_000_000]),
            ("<1 MB", &[999_999], &[1_000_000]),
            (">2g", &[2_147_483_649], &[2_147_483_648]),
            ("99", &[], &[98, 99, 100]),
            ("<0", &[], &[0]),
        ] {
            let sizes = Sizes::parse(text).unwrap();
            assert!(taken.iter().all(|size| sizes.takes(*size)), "{text}");
            assert!(!left.iter().any(|size| sizes.takes(*size)), "{text}");
        }
        for text in ["", "<", "abc", "1x", "5-", "-5", "99999999999999999999", "999e"] {
            assert_eq!(Sizes::parse(text), None, "{text}");
        }
    }
}
