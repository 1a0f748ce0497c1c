//! Writing JSON: what a console in API mode 2 is sent (`wire/1 §6.4`).

use crate::printable;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// Names with values, in this order.
    Object(Vec<(String, Self)>),
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Json {
    /// An object of these members.
    pub fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The text of the value: on one line, or with two blanks for each level.
    #[must_use]
    pub fn to_text(&self, compact: bool) -> String {
        let mut text = String::new();
        self.put(&mut text, if compact { None } else { Some(0) });
        text
    }

    /// Writes the value; `depth` is that of its lines, if it has lines.
    fn put(&self, text: &mut String, depth: Option<usize>) {
        match self {
            Self::Null => text.push_str("null"),
            Self::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
            Self::Number(number) => text.push_str(&number.to_string()),
            Self::Text(value) => put_text(text, value),
            Self::List(items) => put_all(text, ('[', ']'), depth, items, |text, item, depth| item.put(text, depth)),
            Self::Object(members) => put_all(text, ('{', '}'), depth, members, |text, (name, value), depth| {
                put_text(text, name);
                text.push_str(if depth.is_some() { ": " } else { ":" });
                value.put(text, depth);
            }),
        }
    }
}

fn put_all<T>(
    text: &mut String,
    (open, close): (char, char),
    depth: Option<usize>,
    items: &[T],
    put: impl Fn(&mut String, &T, Option<usize>),
) {
    let inner = depth.map(|depth| depth + 1);
    text.push(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        new_line(text, inner);
        put(text, item, inner);
    }
    if !items.is_empty() {
        new_line(text, depth);
    }
    text.push(close);
}

fn new_line(text: &mut String, depth: Option<usize>) {
    if let Some(depth) = depth {
        text.push('\n');
        text.push_str(&"  ".repeat(depth));
    }
}

/// A program may print what it reads: a value has no control characters but line feeds and tabulators.
fn put_text(text: &mut String, value: &str) {
    text.push('"');
    for c in printable::text(value).chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Json {
        Json::object([
            ("jobs", Json::List(vec![Json::object([("jobid", "1".into()), ("name", "a \"b\"\\\n\u{1}é".into())])])),
            ("none", Json::List(Vec::new())),
            ("api", Json::Number(-2)),
            ("id", Json::Null),
            ("yes", Json::Bool(true)),
        ])
    }

    #[test]
    fn compact_text_has_no_blanks() {
        let expected = "{\"jobs\":[{\"jobid\":\"1\",\"name\":\"a \\\"b\\\"\\\\\\n\\\\x01é\"}],\"none\":[],\"api\":-2,\"id\":null,\"yes\":true}";
        assert_eq!(sample().to_text(true), expected);
    }

    #[test]
    fn both_texts_say_the_same_to_another_parser() {
        let read = |compact| serde_json::from_str::<serde_json::Value>(&sample().to_text(compact)).unwrap();
        assert_eq!(read(true), read(false));
        assert_eq!(read(true)["jobs"][0]["name"], "a \"b\"\\\n\\x01é");
        assert!(sample().to_text(false).contains("\n  \"jobs\": [\n    {\n      \"jobid\": \"1\""));
    }
}
