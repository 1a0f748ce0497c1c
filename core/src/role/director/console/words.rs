//! Cuts a console's line into a command and its arguments: `key`, `key=value`, `key="value with blanks"`.

/// A command line in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    words: Vec<(String, Option<String>)>,
    /// A quotation mark was not closed.
    open: bool,
}

impl Words {
    /// Cuts a line. Quotes may stand around a value or around all of a word.
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
                    '\\' if quoted => value.as_mut().unwrap_or(&mut key).extend(chars.next()),
                    '=' if value.is_none() && !quoted => value = Some(String::new()),
                    c => value.as_mut().unwrap_or(&mut key).push(c),
                }
            }
            words.push((key, value));
            open |= quoted;
        }
        Self { words, open }
    }

    /// Whether a quotation mark was not closed, so that the line is not what was meant.
    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    /// The words after the command, with their values.
    pub(super) fn arguments(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.words.iter().skip(1).map(|(key, value)| (key.as_str(), value.as_deref()))
    }

    /// The word at this place in lower case, without its value.
    pub(super) fn word(&self, at: usize) -> String {
        self.words.get(at).map(|(key, _)| key.to_lowercase()).unwrap_or_default()
    }

    /// The value of the first of these keys that has one.
    pub(super) fn value(&self, keys: &[&str]) -> Option<&str> {
        self.words
            .iter()
            .find(|(key, value)| value.is_some() && keys.iter().any(|wanted| key.eq_ignore_ascii_case(wanted)))
            .and_then(|(_, value)| value.as_deref())
    }

    /// All values of this key, in their order.
    pub(super) fn values(&self, wanted: &str) -> impl Iterator<Item = &str> {
        let of_key = self.words.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(wanted));
        of_key.filter_map(|(_, value)| value.as_deref())
    }

    /// Whether a word stands there, with or without a value.
    pub(super) fn has(&self, wanted: &str) -> bool {
        self.words.iter().any(|(key, _)| key.eq_ignore_ascii_case(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_blanks_in_quotes() {
        let words = Words::parse(r#"restore client="my laptop" where=/a\b "select" all done  yes"#);
        assert_eq!(words.word(0), "restore");
        assert_eq!(words.value(&["client"]), Some("my laptop"));
        assert_eq!(words.value(&["where"]), Some(r"/a\b"));
        assert_eq!(words.values("where").chain(words.values("WHERE")).collect::<Vec<_>>(), [r"/a\b", r"/a\b"]);
        assert!(words.has("select") && words.has("yes") && !words.has("no"));
    }

    #[test]
    fn an_empty_line_has_no_words() {
        assert_eq!(Words::parse("  "), Words::default());
        assert_eq!(Words::parse("").word(0), "");
    }
}
