//! The three base-64 codes of the protocol: standard without padding, the variant of the real daemons for
//! authentication (`wire/1 §4.4`), and numbers in `LStat` (`wire/2 §2.5`).

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// How bytes become digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// RFC 4648 without padding.
    Standard,
    /// As the real daemons do it for `auth cram-md5`: bytes are sign-extended, and the bits left over at the end stay
    /// at the low end of the last digit. It cannot be decoded.
    Bareos,
}

/// Encodes bytes.
pub fn encode(bytes: &[u8], variant: Variant) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    let mut accumulator = 0u32;
    let mut unread = 0u32;
    let mut input = bytes.iter();
    loop {
        if unread < 6 {
            let Some(&byte) = input.next() else { break };
            accumulator = (accumulator << 8) | widen(byte, variant);
            unread += 8;
        }
        unread -= 6;
        text.push(digit(accumulator >> unread));
    }
    if unread > 0 {
        let left_over = accumulator & ((1 << unread) - 1);
        text.push(digit(match variant {
            Variant::Standard => left_over << (6 - unread),
            Variant::Bareos => left_over,
        }));
    }
    text
}

/// Decodes [`Variant::Standard`]. Padding at the end is allowed. `None` for a foreign character or an impossible
/// length.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|&&b| b == b'=').count();
    let text = &text[..text.len() - padding];
    if text.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let mut accumulator = 0u32;
    let mut unread = 0u32;
    for &character in text {
        accumulator = (accumulator << 6) | value(character)?;
        unread += 6;
        if unread >= 8 {
            unread -= 8;
            bytes.push((accumulator >> unread) as u8);
        }
    }
    Some(bytes)
}

/// Appends a number: a minus if it is negative, then its magnitude in base-64 digits, highest first, no leading
/// zeros; zero is `A`.
pub fn put_number(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    let magnitude = number.unsigned_abs();
    let digits = (u64::BITS - magnitude.leading_zeros()).div_ceil(6).max(1);
    for place in (0..digits).rev() {
        out.push(DIGITS[(magnitude >> (place * 6)) as usize & 63]);
    }
}

/// Takes a number from the front of `input`, up to a blank, a NUL or the end. Characters that are no digits count as
/// zero, and it wraps, as in the real daemons.
pub fn take_number(input: &mut &[u8]) -> i64 {
    let minus = input.first() == Some(&b'-');
    let start = usize::from(minus);
    let length = input[start..].iter().take_while(|&&b| b != b' ' && b != 0).count();
    let (digits, rest) = input[start..].split_at(length);
    *input = rest;
    let magnitude = digits
        .iter()
        .fold(0u64, |number, &b| (number << 6).wrapping_add(u64::from(value(b).unwrap_or(0))))
        .cast_signed();
    if minus { magnitude.wrapping_neg() } else { magnitude }
}

fn widen(byte: u8, variant: Variant) -> u32 {
    match variant {
        Variant::Standard => u32::from(byte),
        Variant::Bareos => i32::from(byte.cast_signed()).cast_unsigned(),
    }
}

fn digit(bits: u32) -> char {
    char::from(DIGITS[(bits & 63) as usize])
}

fn value(character: u8) -> Option<u32> {
    Some(match character {
        b'A'..=b'Z' => u32::from(character - b'A'),
        b'a'..=b'z' => u32::from(character - b'a') + 26,
        b'0'..=b'9' => u32::from(character - b'0') + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
    }

    #[test]
    fn the_vectors_of_the_notes_agree() {
        for (hex, standard, bareos) in [
            ("d49d6ae1f877720e5da68cc9642e0390", "1J1q4fh3cg5dpozJZC4DkA", "151q4/h3cg5dp4/JZC4DkA"),
            ("000102030405060708090a0b0c0d0e0f", "AAECAwQFBgcICQoLDA0ODw", "AAECAwQFBgcICQoLDA0ODD"),
            ("", "", ""),
        ] {
            assert_eq!(encode(&bytes(hex), Variant::Standard), standard);
            assert_eq!(encode(&bytes(hex), Variant::Bareos), bareos);
            assert_eq!(decode(standard.as_bytes()), Some(bytes(hex)));
        }
    }

    #[test]
    fn numbers_of_a_real_lstat_agree() {
        for (number, text) in [
            (0, "A"),
            (33188, "IGk"),
            (2, "C"),
            (19, "T"),
            (4096, "BAA"),
            (8, "I"),
            (63, "/"),
            (64, "BA"),
            (1_795_438_000, "BrBDWw"),
            (-1, "-B"),
            (i64::MIN, "-IAAAAAAAAAA"),
            (i64::MAX, "H//////////"),
        ] {
            let mut out = Vec::new();
            put_number(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), text);
            let mut input = text.as_bytes();
            assert_eq!(take_number(&mut input), number);
            assert!(input.is_empty());
        }
    }

    #[test]
    fn a_number_ends_at_a_blank_or_nul_and_foreign_characters_count_as_zero() {
        let mut input = &b"IGk C\0x"[..];
        assert_eq!(take_number(&mut input), 33188);
        assert_eq!(input, b" C\0x");
        input = &input[1..];
        assert_eq!(take_number(&mut input), 2);
        assert_eq!(input, b"\0x");
        assert_eq!(take_number(&mut &b"B!"[..]), 64);
        assert_eq!(take_number(&mut &b""[..]), 0);
    }

    #[test]
    fn decoding_refuses_foreign_characters_and_impossible_lengths() {
        assert_eq!(decode(b"AAECAw=="), Some(vec![0, 1, 2, 3]));
        assert_eq!(decode(b"A"), None);
        assert_eq!(decode(b"AA*A"), None);
    }

    /// The description of the variant by bits in `wire/1 §4.4`, as an independent model.
    fn bareos_by_bits(input: [u8; 16]) -> String {
        let mut bits: Vec<u8> = input.iter().flat_map(|b| (0..8).rev().map(move |i| b >> i & 1)).collect();
        for (i, byte) in input.iter().enumerate() {
            if *byte >= 0x80 {
                let unread = i * 8 % 6;
                bits[i * 8 - unread..i * 8].fill(1);
            }
        }
        bits.chunks(6).map(|c| digit(c.iter().fold(0, |value, bit| value << 1 | u32::from(*bit)))).collect()
    }

    proptest! {
        #[test]
        fn the_bareos_variant_agrees_with_its_description_by_bits(input: [u8; 16]) {
            prop_assert_eq!(encode(&input, Variant::Bareos), bareos_by_bits(input));
        }

        #[test]
        fn standard_text_is_decoded_back(input: Vec<u8>) {
            prop_assert_eq!(decode(encode(&input, Variant::Standard).as_bytes()), Some(input));
        }

        #[test]
        fn numbers_come_back(number: i64) {
            let mut out = Vec::new();
            put_number(&mut out, number);
            prop_assert_eq!(take_number(&mut &out[..]), number);
        }

        #[test]
        fn no_bytes_make_the_decoders_fail(input: Vec<u8>) {
            let _ = decode(&input);
            let _ = take_number(&mut &input[..]);
        }
    }
}
