//! What comes from a peer or a disk, made fit for a terminal, a log and a table.
//!
//! There is one escape, the same in every list, log and message: `\x1b` for a byte that may not be shown, `\\` for a
//! backslash and `\"` for a quotation mark of a name. What may not be shown is what moves a cursor, starts a line,
//! changes the direction of writing or is no UTF-8: a name could forge a line of a log with it. [`name`] can be
//! reversed by [`bytes`], so that a name can be given back as it was listed; [`text`] and [`line()`] only make text
//! harmless, and leave alone what is escaped already.

use std::borrow::Cow;

/// A name, such as a file's: [`bytes`] returns it. The result has no control character, no character that changes the
/// direction of writing, and no blank at its end.
#[must_use]
pub fn name(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' | '"' => shown.extend(['\\', c]),
                c => put(&mut shown, c),
            }
        }
        chunk.invalid().iter().for_each(|byte| put_byte(&mut shown, *byte));
    }
    if shown.ends_with(' ') {
        shown.pop();
        put_byte(&mut shown, b' ');
    }
    shown
}

/// The bytes that [`name`] shows so. What is no escape stands for itself, a backslash too.
#[must_use]
pub fn bytes(shown: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(shown.len());
    let mut rest = shown.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        (bytes, rest) = match (first, after) {
            (b'\\', [escaped @ (b'\\' | b'"'), after @ ..]) => (with(bytes, *escaped), after),
            (b'\\', [b'x', high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (with(bytes, digit(*high) << 4 | digit(*low)), after)
            }
            (byte, after) => (with(bytes, byte), after),
        };
    }
    bytes
}

/// Text of several lines: line feeds and tabulators stay.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

/// Text of one line.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// Text of several lines that came as bytes: those that are no UTF-8 are escaped too.
#[must_use]
pub fn text_of(bytes: &[u8]) -> String {
    of_bytes(bytes, text)
}

/// Text of one line that came as bytes.
#[must_use]
pub fn line_of(bytes: &[u8]) -> String {
    of_bytes(bytes, line)
}

/// Text of at most this many bytes: what is left out of a longer one is an ellipsis at its end.
#[must_use]
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let end = (0..=most.saturating_sub('…'.len_utf8())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    Cow::Owned(format!("{}…", &text[..end]))
}

fn of_bytes(bytes: &[u8], shown: impl Fn(&str) -> Cow<'_, str>) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&shown(chunk.valid()));
        chunk.invalid().iter().for_each(|byte| put_byte(&mut out, *byte));
    }
    out
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    // Nearly all of it is ASCII with nothing to hide, which is seen many bytes at a time.
    let (feeds, tabs) = (stays('\n'), stays('\t'));
    let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) | feeds & (byte == b'\n') | tabs & (byte == b'\t');
    if text.bytes().fold(true, |so_far, byte| so_far & is_plain(byte)) {
        return Cow::Borrowed(text);
    }
    if !text.chars().any(|c| is_hidden(c) && !stays(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if stays(c) { out.push(c) } else { put(&mut out, c) }
    }
    Cow::Owned(out)
}

/// Whether a character may not be shown as it is: controls, separators of lines, marks without a width, and what changes
/// the direction of writing (Unicode's Bidi_Control and Default_Ignorable of the general punctuation).
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn put(out: &mut String, c: char) {
    if is_hidden(c) {
        let mut buffer = [0; 4];
        c.encode_utf8(&mut buffer).bytes().for_each(|byte| put_byte(out, byte));
    } else {
        out.push(c);
    }
}

fn put_byte(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push_str("\\x");
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

fn with(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
}

const fn digit(letter: u8) -> u8 {
    match letter {
        b'0'..=b'9' => letter - b'0',
        b'a'..=b'f' => letter - b'a' + 10,
        _ => letter - b'A' + 10,
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

    use super::*;

    #[test]
    fn a_longer_text_is_cut_between_characters_and_says_so() {
        assert_eq!(shortened("né", 3), "né");
        assert_eq!([shortened("abcdef", 5), shortened("aéé", 4)], ["ab…", "a…"]);
    }

    #[test]
    fn what_may_not_be_shown_is_escaped_and_the_rest_stands_for_itself() {
        for (bytes, shown) in [
            (&b"/home/\xc3\xa9t\xc3\xa9 plan.txt"[..], "/home/été plan.txt"),
            (b"/a\x1b[2J\n2000 OK\x7f", r"/a\x1b[2J\x0a2000 OK\x7f"),
            (b"/\xff\xfe\xe2\x80", r"/\xff\xfe\xe2\x80"),
            (b"/a\\x41\"b", r#"/a\\x41\"b"#),
            ("/a\u{202e}txt.exe\u{85}\u{feff}".as_bytes(), r"/a\xe2\x80\xaetxt.exe\xc2\x85\xef\xbb\xbf"),
            (b"/ends  ", r"/ends \x20"),
            (b"", ""),
        ] {
            assert_eq!(name(bytes), shown);
            assert_eq!(super::bytes(shown), bytes);
        }
    }

    #[test]
    fn what_is_no_escape_stands_for_itself() {
        for text in [r"/a\b", r"/a\x4", r"/a\xg0", r"/a\", r"\\x4Z"] {
            let meant = bytes(text);
            assert_eq!(bytes(&name(&meant)), meant, "{text}");
        }
        assert_eq!(bytes(r"/a\b\x4\"), br"/a\b\x4\");
        assert_eq!(bytes(r"\x4A\x4a"), b"JJ");
    }

    #[test]
    fn a_name_comes_back_and_holds_nothing_that_moves_a_terminal() {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let pieces: &[&[u8]] = &[
            b"\\",
            b"x",
            b"1b",
            b"\"",
            b" ",
            b"\n",
            b"\x1b",
            b"\xc2\x9b",
            b"\xe2\x80\xae",
            b"\xe2\x81\xa6",
            b"\xff",
            b"a",
        ];
        for round in 0..20_000 {
            let mut bytes = Vec::new();
            for _ in 0..random.next_u32() % 12 {
                match random.next_u32() as usize % (pieces.len() + 3) {
                    at if at < pieces.len() => bytes.extend_from_slice(pieces[at]),
                    _ => bytes.push(random.next_u32() as u8),
                }
            }
            let shown = name(&bytes);
            assert_eq!(super::bytes(&shown), bytes, "round {round}: {shown}");
            for shown in [shown.as_str(), &line_of(&bytes), &line(&shown), &text_of(&bytes).replace(['\n', '\t'], "")] {
                assert!(!shown.chars().any(|c| c.is_control() || is_direction(c)), "round {round}: {shown:?}");
            }
        }
    }

    fn is_direction(c: char) -> bool {
        matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    }

    #[test]
    fn text_keeps_its_lines_and_what_is_escaped_already() {
        assert_eq!(text("a\tb\r\n\u{1b}]0;x\u{7}"), "a\tb\\x0d\n\\x1b]0;x\\x07");
        assert_eq!(line("a\nb \\x1b \"c\""), "a\\x0ab \\x1b \"c\"");
        assert!(matches!(text("plain \\ \"text\"\n"), Cow::Borrowed(_)));
        assert_eq!(text_of(b"a\xffb\n"), "a\\xffb\n");
    }
}
