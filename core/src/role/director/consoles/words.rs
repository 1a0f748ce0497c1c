//! Cuts a console's line into a command and its arguments: `key`, `key=value`, `key="value with blanks"`.

use crate::printable;

/// A command line in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    words: Vec<Word>,
    /// A quotation mark was not closed.
    open: bool,
    /// The line is said again, with what its console was asked for.
    again: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Word {
    key: String,
    /// As text, and as the bytes that its escapes mean.
    value: Option<(String, Vec<u8>)>,
}

impl Words {
    /// Cuts a line. Quotes may stand around a value or around all of a word, whose first `=` separates the two then as well. In
    /// a value `\\`, `\"` and `\x1b` mean what
    /// they mean in a list ([`printable::name`]).
    pub(super) fn parse(line: &str) -> Self {
        let (mut words, mut open) = (Vec::new(), false);
        let mut chars = line.chars().peekable();
        while let Some(&first) = chars.peek() {
            if first.is_whitespace() {
                chars.next();
                continue;
            }
            let (mut key, mut value, mut quoted) = (String::new(), None::<String>, false);
            while let Some(&c) = chars.peek() {
                if c.is_whitespace() && !quoted {
                    break;
                }
                chars.next();
                match c {
                    '"' => quoted = !quoted,
                    '\\' if value.is_some() || quoted => {
                        let to = value.as_mut().unwrap_or(&mut key);
                        to.push(c);
                        to.extend(chars.next_if(|next| matches!(next, '"' | '\\')));
                    }
                    // In a word that stands in quotes as a whole too.
                    '=' if value.is_none() => value = Some(String::new()),
                    c => value.as_mut().unwrap_or(&mut key).push(c),
                }
            }
            let value = value.map(|value| {
                let bytes = printable::bytes(&value);
                (String::from_utf8_lossy(&bytes).into_owned(), bytes)
            });
            words.push(Word { key, value });
            open |= quoted;
        }
        Self { words, open, again: false }
    }

    /// Whether a quotation mark was not closed, so that the line is not what was meant.
    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    /// The same line, said again with one word more.
    pub(super) fn with(mut self, key: &str, value: Option<&[u8]>) -> Self {
        let value = value.map(|bytes| (String::from_utf8_lossy(bytes).into_owned(), bytes.to_vec()));
        self.words.push(Word { key: key.to_owned(), value });
        self.again = true;
        self
    }

    /// The same line, said again without a word.
    pub(super) fn without(mut self, key: &str) -> Self {
        self.words.retain(|word| !word.key.eq_ignore_ascii_case(key));
        self.again = true;
        self
    }

    /// The same line as if it were said for the first time.
    pub(super) fn said_first(self) -> Self {
        Self { again: false, ..self }
    }

    /// Whether the line is said for the first time.
    pub(super) const fn is_first(&self) -> bool {
        !self.again
    }

    /// The same line with the first of these words directly after the command, if it has one.
    pub(super) fn led_by(mut self, leads: &[&str]) -> Self {
        let is_one = |word: &Word| leads.iter().any(|lead| word.key.eq_ignore_ascii_case(lead));
        if let Some(at) = self.words.iter().skip(1).position(is_one) {
            // `at` counts from the word after the command.
            self.words.get_mut(1..=at + 1).unwrap_or_default().rotate_right(1);
        }
        self
    }

    /// Whether a word stands there without a value.
    pub(super) fn has_bare(&self, wanted: &str) -> bool {
        self.words.iter().any(|word| word.key.eq_ignore_ascii_case(wanted) && word.value.is_none())
    }

    /// How many words it has.
    pub(super) const fn len(&self) -> usize {
        self.words.len()
    }

    /// The words after the command, with their values.
    pub(super) fn arguments(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.words.iter().skip(1).map(|word| (word.key.as_str(), word.text()))
    }

    /// The word at this place in lower case, without its value.
    pub(super) fn word(&self, at: usize) -> String {
        self.words.get(at).map(|word| word.key.to_lowercase()).unwrap_or_default()
    }

    /// The value of the first of these keys that has one.
    pub(super) fn value(&self, keys: &[&str]) -> Option<&str> {
        self.words
            .iter()
            .filter(|word| keys.iter().any(|wanted| word.key.eq_ignore_ascii_case(wanted)))
            .find_map(Word::text)
    }

    /// All values of this key as bytes, in their order.
    pub(super) fn values(&self, wanted: &str) -> impl Iterator<Item = &[u8]> {
        let of_key = self.words.iter().filter(move |word| word.key.eq_ignore_ascii_case(wanted));
        of_key.filter_map(|word| word.value.as_ref().map(|(_, bytes)| bytes.as_slice()))
    }

    /// Whether a word stands there, with or without a value.
    pub(super) fn has(&self, wanted: &str) -> bool {
        self.words.iter().any(|word| word.key.eq_ignore_ascii_case(wanted))
    }
}

impl Word {
    fn text(&self) -> Option<&str> {
        self.value.as_ref().map(|(text, _)| text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_understood_as_it_is_listed_in_quotes_or_not() {
        for name in
            [&b"/a"[..], b"/a b\xff", b"/\x1b[2J\n", b"/a\\x41\"b\\", b"/ends  ", "/\u{202e}é".as_bytes(), b"/\""]
        {
            let shown = printable::name(name);
            for line in [format!("restore file=\"{shown}\" done"), format!("restore \"file={shown}\" done")] {
                let words = Words::parse(&line);
                assert!(words.has("done") && !words.is_open(), "{line}");
                assert_eq!(words.values("file").collect::<Vec<_>>(), [name], "{line}");
            }
            if !name.contains(&b' ') {
                let words = Words::parse(&format!("restore file={shown} done"));
                assert_eq!(words.values("file").collect::<Vec<_>>(), [name], "{shown}");
            }
        }
    }

    #[test]
    fn values_may_hold_blanks_in_quotes() {
        let words = Words::parse(r#"restore client="my laptop" where=/a\b "select" all done  yes"#);
        assert_eq!(words.word(0), "restore");
        assert_eq!(words.value(&["client"]), Some("my laptop"));
        assert_eq!(words.value(&["where"]), Some(r"/a\b"));
        assert_eq!(words.values("where").chain(words.values("WHERE")).collect::<Vec<_>>(), [br"/a\b", br"/a\b"]);
        assert!(words.has("select") && words.has("yes") && !words.has("no"));
    }

    #[test]
    fn an_empty_line_has_no_words() {
        assert_eq!(Words::parse("  "), Words::default());
        assert_eq!(Words::parse("").word(0), "");
    }
}
