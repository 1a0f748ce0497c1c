//! The scanner of the real daemons, so that we accept what they accept (`wire/1 §0`, `wire/3 §0.2`).
//!
//! White space in a pattern matches any amount of white space, none included; a word and a number may be empty; what
//! is left over after the pattern is ignored. Nothing here fails on any input except a literal that does not match.

/// The longest name on the wire, in bytes (`wire/1 §0`).
pub const MAX_NAME: usize = 127;

/// A cursor over one line.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    /// Starts at the beginning of `line`.
    pub fn new(line: &'a [u8]) -> Self {
        Self { rest: line }
    }

    /// Matches `pattern`: white space stands for any amount of white space, everything else for itself. Says `None`,
    /// with the cursor at an unspecified place, when something differs.
    pub fn literal(&mut self, pattern: &str) -> Option<()> {
        // Nearly always it stands there just so, which is seen faster.
        if let Some(rest) = self.rest.strip_prefix(pattern.as_bytes()) {
            self.rest = rest;
            if pattern.as_bytes().last().is_some_and(|&byte| is_white(byte)) {
                self.white();
            }
            return Some(());
        }
        for &byte in pattern.as_bytes() {
            if is_white(byte) {
                self.white();
            } else {
                let (first, rest) = self.rest.split_first()?;
                if *first != byte {
                    return None;
                }
                self.rest = rest;
            }
        }
        Some(())
    }

    /// Skips white space, if there is any.
    pub fn white(&mut self) {
        let n = self.rest.iter().take_while(|&&b| is_white(b)).count();
        self.rest = &self.rest[n..];
    }

    /// Skips white space of which there must be some: for lines whose first words decide what they are.
    pub fn gap(&mut self) -> Option<()> {
        is_white(*self.rest.first()?).then(|| self.white())
    }

    /// Takes a run of at most `max` bytes that are neither white space nor NUL. The run may be empty.
    pub fn word(&mut self, max: usize) -> &'a [u8] {
        let n = self.rest.iter().take(max).take_while(|&&b| b != 0 && !is_white(b)).count();
        self.take(n)
    }

    /// Takes a word of any length as text. Bytes that are not UTF-8 are replaced.
    pub fn text(&mut self) -> String {
        lossy(self.word(usize::MAX))
    }

    /// Takes a name of at most [`MAX_NAME`] bytes and unbashes it. Bytes that are not UTF-8 are replaced.
    pub fn name(&mut self) -> String {
        let name = lossy(self.word(MAX_NAME));
        if name.contains(super::names::BASHED_BLANK) { super::names::unbash(&name) } else { name }
    }

    /// Takes any number of digits; none is zero. Wraps at 2^64 as the real scanner does.
    pub fn unsigned(&mut self) -> u64 {
        let n = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        self.take(n).iter().fold(0, |value: u64, b| value.wrapping_mul(10).wrapping_add(u64::from(b - b'0')))
    }

    /// Takes an optional minus and any number of digits.
    pub fn signed(&mut self) -> i64 {
        let minus = self.rest.first() == Some(&b'-');
        if minus {
            self.take(1);
        }
        let magnitude = self.unsigned().cast_signed();
        if minus { magnitude.wrapping_neg() } else { magnitude }
    }

    /// [`Scan::unsigned`] cut to 32 bits.
    pub fn u32(&mut self) -> u32 {
        (self.unsigned() & 0xFFFF_FFFF) as u32
    }

    /// [`Scan::signed`] cut to 32 bits.
    pub fn i32(&mut self) -> i32 {
        self.signed() as i32
    }

    /// A number that stands for a truth value: everything but zero is true.
    pub fn flag(&mut self) -> bool {
        self.signed() != 0
    }

    /// What is not scanned yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// What is not scanned yet, up to a NUL, without white space at its end, as text.
    pub fn rest_text(&self) -> String {
        lossy(trim_end(until_nul(self.rest)))
    }

    fn take(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(n);
        self.rest = rest;
        taken
    }
}

/// Appends a number in decimal digits, without an allocation.
pub fn put_decimal(out: &mut Vec<u8>, number: i64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut magnitude = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (magnitude % 10) as u8;
        magnitude /= 10;
        if magnitude == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// A line of text that is seldom longer than so many bytes: it is written without growing again and again.
pub fn sized_line(bytes: usize, text: std::fmt::Arguments<'_>) -> String {
    let mut line = String::with_capacity(bytes);
    let _never_fails = std::fmt::Write::write_fmt(&mut line, text);
    line
}

/// Text of bytes; what is not UTF-8 is replaced.
pub fn lossy(bytes: &[u8]) -> String {
    // Nearly all of it is UTF-8, which is seen faster than what is not is replaced.
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes).into_owned(), str::to_owned)
}

/// The bytes before the first NUL.
pub fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&b| b == 0).next().unwrap_or_default()
}

/// The bytes without line feeds, carriage returns and blanks at the end (`wire/2 §1.6`).
pub fn trim_end(bytes: &[u8]) -> &[u8] {
    let n = bytes.iter().rev().take_while(|b| matches!(b, b'\n' | b'\r' | b' ')).count();
    &bytes[..bytes.len() - n]
}

/// White space as C's `isspace` has it in the POSIX locale.
pub fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0B | 0x0C | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn white_space_in_a_pattern_matches_any_amount_of_it() {
        for line in ["a b\n", "ab", "a  \t b", "a\nb tail"] {
            assert_eq!(Scan::new(line.as_bytes()).literal("a b"), Some(()), "{line:?}");
        }
        for line in ["", "a", "a c", " a b", "a\x01b"] {
            assert_eq!(Scan::new(line.as_bytes()).literal("a b"), None, "{line:?}");
        }
    }

    #[test]
    fn an_empty_word_still_counts() {
        let mut scan = Scan::new(b"EncryptionKey= MinBlocksize=0\n");
        assert!(scan.literal("EncryptionKey=").is_some());
        assert_eq!(scan.word(10), b"");
        assert!(scan.literal(" MinBlocksize=").is_some());
        assert_eq!(scan.unsigned(), 0);
    }

    #[test]
    fn a_word_stops_at_its_limit_at_white_space_and_at_nul() {
        assert_eq!(Scan::new(b"abcdef").word(4), b"abcd");
        assert_eq!(Scan::new(b"ab cd").word(4), b"ab");
        assert_eq!(Scan::new(b"ab\0cd").word(4), b"ab");
        assert_eq!(Scan::new(&[b'x'; MAX_NAME]).name().len(), MAX_NAME);
        assert_eq!(Scan::new(&[b'x'; MAX_NAME + 1]).name().len(), MAX_NAME);
    }

    #[test]
    fn numbers_wrap_and_may_be_empty() {
        for (line, unsigned, signed) in [
            ("", 0, 0),
            ("x", 0, 0),
            ("42x", 42, 42),
            ("-42", 0, -42),
            ("-", 0, 0),
            ("18446744073709551617", 1, 1),
            ("18446744073709551615", u64::MAX, -1),
        ] {
            assert_eq!(Scan::new(line.as_bytes()).unsigned(), unsigned, "{line}");
            assert_eq!(Scan::new(line.as_bytes()).signed(), signed, "{line}");
        }
        assert_eq!(Scan::new(b"4294967297").u32(), 1);
        assert_eq!(Scan::new(b"4294967295").i32(), -1);
        assert!(Scan::new(b"-1").flag());
    }

    proptest! {
        #[test]
        fn decimals_are_as_the_library_writes_them(number: i64) {
            let mut out = Vec::new();
            put_decimal(&mut out, number);
            prop_assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }

        #[test]
        fn no_input_makes_the_scanner_fail(bytes: Vec<u8>, pattern: String, max: usize) {
            let mut scan = Scan::new(&bytes);
            let _ = scan.literal(&pattern);
            scan.white();
            prop_assert!(scan.word(max).len() <= max);
            scan.signed();
            scan.unsigned();
            scan.rest_text();
        }

        #[test]
        fn every_number_that_is_printed_is_scanned_back(a: u64, b: i64) {
            let line = format!("{a} {b}\n");
            let mut scan = Scan::new(line.as_bytes());
            prop_assert_eq!(scan.unsigned(), a);
            scan.white();
            prop_assert_eq!(scan.signed(), b);
            prop_assert_eq!(scan.rest(), b"\n");
        }
    }
}
