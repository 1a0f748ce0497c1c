//! Text in Bareos' syntax to tokens with their places.
//!
//! A word ends at a space and at each of `= , { } ; # "`. `"…"` is one token with everything in it; a backslash takes the next
//! character as it is, and a quote that follows, in the same line or as the first thing of the next, goes on with it.
//! `#` begins a comment, `;` ends a directive as the end of a line does, and a word that begins with `@` names a file or a
//! command whose text stands in its place.

use super::super::sources::Place;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Characters as they stand.
    Word,
    /// What stands between quotes.
    Text,
    Equals,
    Comma,
    Open,
    Close,
    /// The end of a line, or `;`.
    End,
    /// The name of something to be read here, without `@`.
    Include,
}

/// A token. `text` is what it says: without quotes and backslashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) place: Place,
}

/// Why a text has no end that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// A quote that nothing closes: where it begins.
    Unclosed(Place),
    /// It has more tokens than there is room for: the first of them.
    TooMany(Place),
}

/// The tokens of the text that is the source number `source`, without spaces and comments: `most` of them at most.
///
/// # Errors
/// Where the text stops to be one.
pub(super) fn tokens(text: &str, source: usize, most: usize) -> Result<Vec<Token>, Stopped> {
    let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    Lexer { text, source, at }.all(most)
}

struct Lexer<'a> {
    text: &'a str,
    source: usize,
    at: usize,
}

impl Lexer<'_> {
    fn all(mut self, most: usize) -> Result<Vec<Token>, Stopped> {
        let mut found = Vec::new();
        while let Some(first) = self.peek() {
            let start = self.at;
            let (kind, text) = match first {
                '\n' | ';' => (Kind::End, self.one()),
                c if c.is_whitespace() => {
                    self.one();
                    continue;
                }
                '#' => {
                    self.comment();
                    continue;
                }
                '=' => (Kind::Equals, self.one()),
                ',' => (Kind::Comma, self.one()),
                '{' => (Kind::Open, self.one()),
                '}' => (Kind::Close, self.one()),
                '"' => (Kind::Text, self.quoted(true)?),
                '@' => {
                    self.one();
                    (Kind::Include, self.included()?)
                }
                _ => (Kind::Word, self.word()),
            };
            let place = Place { source: self.source, range: start..self.at };
            if found.len() >= most {
                return Err(Stopped::TooMany(place));
            }
            found.push(Token { kind, text, place });
        }
        Ok(found)
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn one(&mut self) -> String {
        let taken: String = self.peek().into_iter().collect();
        self.at += taken.len();
        taken
    }

    fn comment(&mut self) {
        self.at += self.rest().find('\n').unwrap_or_else(|| self.rest().len());
    }

    fn word(&mut self) -> String {
        let ends = |c: char| c.is_whitespace() || matches!(c, '=' | ',' | '{' | '}' | ';' | '#' | '"');
        let length = self.rest().find(ends).unwrap_or_else(|| self.rest().len());
        let word = self.rest().get(..length).unwrap_or_default().to_owned();
        self.at += length;
        word
    }

    /// What follows an `@`: a word, quoted or not; quotes may begin after the `|` of a command.
    fn included(&mut self) -> Result<String, Stopped> {
        let mut name = self.word();
        if self.peek() == Some('"') {
            name += &self.quoted(false)?;
        }
        Ok(name)
    }

    /// The text between quotes, and of quotes that go on with it.
    fn quoted(&mut self, goes_on: bool) -> Result<String, Stopped> {
        let start = self.at;
        let mut text = String::new();
        loop {
            self.one();
            let mut escaped = false;
            loop {
                let Some(c) = self.peek() else {
                    return Err(Stopped::Unclosed(Place { source: self.source, range: start..start + 1 }));
                };
                self.one();
                match c {
                    // A backslash at the end of a line takes nothing: the line ends all the same.
                    c if escaped || (c != '\\' && c != '"') => {
                        text.push(c);
                        escaped = false;
                    }
                    '\\' => escaped = true,
                    _ => break,
                }
            }
            match self.next_quote() {
                Some(at) if goes_on => self.at = at,
                _ => return Ok(text),
            }
        }
    }

    /// Where a quote goes on: later in this line, or as the first thing of the next line if this one is over.
    fn next_quote(&self) -> Option<usize> {
        let blank = |text: &str| text.len() - text.trim_start_matches([' ', '\t', '\r']).len();
        let here = blank(self.rest());
        let rest = self.rest().get(here..)?;
        if rest.starts_with('"') {
            return Some(self.at + here);
        }
        let next = rest.strip_prefix('\n')?;
        let skipped = blank(next);
        next.get(skipped..)?.starts_with('"').then_some(self.at + here + 1 + skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(Kind, String)> {
        tokens(text, 0, 100).unwrap().into_iter().map(|token| (token.kind, token.text)).collect()
    }

    fn texts(text: &str) -> Vec<String> {
        read(text).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn one_line_and_many_say_the_same() {
        let whole = texts("Job { Name = \"a b\"; Pool=P }");
        assert_eq!(whole, ["Job", "{", "Name", "=", "a b", ";", "Pool", "=", "P", "}"]);
        let lines = texts("Job\n{\n Name = \"a b\" # why; {\n Pool = P\n}");
        assert_eq!(
            lines.into_iter().filter(|text| text != "\n").collect::<Vec<_>>().join(" "),
            "Job { Name = a b Pool = P }"
        );
    }

    #[test]
    fn backslashes_take_the_next_character_and_quotes_go_on() {
        assert_eq!(read(r#""a\"b\\c\d""#), [(Kind::Text, r#"a"b\cd"#.to_owned())]);
        assert_eq!(read("\"one \" \"two \"\n   \"three\""), [(Kind::Text, "one two three".to_owned())]);
        assert_eq!(texts("\"a\"\n\n\"b\""), ["a", "\n", "\n", "b"]);
        assert_eq!(texts("\"a\", \n\"b\""), ["a", ",", "\n", "b"]);
        assert_eq!(texts("\"two\nlines\""), ["two\nlines"]);
    }

    #[test]
    fn words_keep_what_is_not_special() {
        assert_eq!(
            texts("root@localhost *all* !skipped 2nd-5th 10G a\\b"),
            ["root@localhost", "*all*", "!skipped", "2nd-5th", "10G", "a\\b"]
        );
        assert_eq!(texts("\u{feff}Job"), ["Job"]);
    }

    #[test]
    fn an_at_sign_at_the_start_of_a_word_includes() {
        let include = |name: &str| (Kind::Include, name.to_owned());
        assert_eq!(read("@/etc/a.conf"), [include("/etc/a.conf")]);
        assert_eq!(read("@\"/etc/a b.conf\""), [include("/etc/a b.conf")]);
        assert_eq!(read("@|\"sh -c 'x'\""), [include("|sh -c 'x'")]);
        assert_eq!(read("@\"|sh -c 'x'\""), [include("|sh -c 'x'")]);
    }

    #[test]
    fn a_quote_that_nothing_closes_is_marked_where_it_begins() {
        let place = |at: usize| Place { source: 3, range: at..at + 1 };
        assert_eq!(tokens("Name = \"x\\\"\n", 3, 100), Err(Stopped::Unclosed(place(7))));
        assert_eq!(tokens("a \"b\" \"c", 3, 100), Err(Stopped::Unclosed(place(2))));
    }

    #[test]
    fn a_text_has_so_many_tokens_and_no_more() {
        assert_eq!(tokens("a = b", 0, 3).unwrap().len(), 3);
        assert_eq!(tokens("a = bc", 0, 2), Err(Stopped::TooMany(Place { source: 0, range: 4..6 })));
    }
}
