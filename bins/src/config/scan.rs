//! The tokens of a RON text, good enough to find values in it. Never fails: text that is no RON yields odd tokens.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name: a field, a variant, `true`.
    Word,
    /// Text in quotes of any kind.
    Text,
    /// A number.
    Number,
    /// One of `( ) [ ] { } : ,` or something unknown.
    Mark(char),
}

/// A token and its bytes in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

/// The tokens of `text` in order, without white space and comments.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = if first.is_whitespace() {
            (None, first.len_utf8())
        } else if rest.starts_with("//") {
            (None, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (None, block_comment(rest))
        } else if let Some(length) = quoted(rest) {
            (Some(Kind::Text), length)
        } else if first.is_alphabetic() || first == '_' {
            (Some(Kind::Word), run(rest, |c| c.is_alphanumeric() || c == '_' || c == '#'))
        } else if first.is_ascii_digit() || matches!(first, '-' | '+' | '.') {
            (Some(Kind::Number), run(rest, |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+')))
        } else {
            (Some(Kind::Mark(first)), first.len_utf8())
        };
        if let Some(kind) = kind {
            found.push(Token { kind, range: at..at + length });
        }
        at += length;
    }
    found
}

/// The bytes of the token around byte `at`.
pub(super) fn token_at(text: &str, at: usize) -> Option<Range<usize>> {
    tokens(text).into_iter().map(|token| token.range).find(|range| range.contains(&at))
}

/// The bytes at the start of `rest` that `accepts`.
fn run(rest: &str, accepts: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !accepts(c)).unwrap_or(rest.len())
}

/// The length of the comment at the start of `rest`; comments nest.
fn block_comment(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at + 1 < bytes.len() {
        match (bytes[at], bytes[at + 1]) {
            (b'/', b'*') => (depth, at) = (depth + 1, at + 2),
            (b'*', b'/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of the quoted text at the start of `rest`: `"…"`, `r#"…"#`, `b"…"`, `br"…"`, `'c'`.
fn quoted(rest: &str) -> Option<usize> {
    let prefix = if rest.starts_with("br") { 2 } else { usize::from(rest.starts_with(['r', 'b'])) };
    let raw = rest[..prefix].contains('r');
    let hashes = if raw { run(&rest[prefix..], |c| c == '#') } else { 0 };
    let open = prefix + hashes;
    let quote = rest[open..].chars().next().filter(|c| *c == '"' || (*c == '\'' && !raw))?;
    let body = &rest[open + 1..];
    if raw {
        let close = format!("\"{}", "#".repeat(hashes));
        return Some(body.find(&close).map_or(rest.len(), |at| open + 1 + at + close.len()));
    }
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(open + 1 + at + 1),
            _ => {}
        }
    }
    Some(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_skip_comments_and_keep_strings_whole() {
        let text = r####"( // a: "no"
            a: "x\"),", /* b: /* 1 */ 2 */ c: r#"q"),"#, d: [1, -2.5], e: 'x', r: b"y" )"####;
        let words: Vec<_> = tokens(text).into_iter().map(|token| &text[token.range]).collect();
        let expected = [
            "(",
            "a",
            ":",
            r#""x\"),""#,
            ",",
            "c",
            ":",
            "r#\"q\"),\"#",
            ",",
            "d",
            ":",
            "[",
            "1",
            ",",
            "-2.5",
            "]",
            ",",
            "e",
            ":",
            "'x'",
            ",",
            "r",
            ":",
            "b\"y\"",
            ")",
        ];
        assert_eq!(words, expected);
    }

    #[test]
    fn broken_text_ends_without_panic() {
        for text in ["\"open", "r#\"open\"", "/* open", "'", "b", "r##", "é(", "\"\\", "/*/", "(((("] {
            let ends = tokens(text).last().map_or(0, |token| token.range.end);
            assert!(ends <= text.len(), "{text}");
        }
    }
}
