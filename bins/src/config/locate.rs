//! From a [`ConfigPath`] to the bytes of the value in the RON text, and back from a byte to its resource.

use std::ops::Range;

use towline_core::config::{ConfigPath, Step};
use towline_core::nearest::nearest;

use super::scan::{Kind, Token, tokens};

/// Deeper values are not looked into; RON itself refuses them.
const DEEPEST: usize = 128;

/// A value in the text.
#[derive(Debug)]
struct Node {
    range: Range<usize>,
    inside: Inside,
}

#[derive(Debug)]
enum Inside {
    /// `(name: value, …)`, with or without a name in front.
    Fields(Vec<Field>),
    /// `[…]`, `(…)`.
    List(Vec<Node>),
    /// `{key: value, …}`.
    Map(Vec<Field>),
    Nothing,
}

#[derive(Debug)]
struct Field {
    name: String,
    name_range: Range<usize>,
    value: Node,
}

/// Where the values of a list are.
#[cfg(feature = "plan")]
#[derive(Debug)]
pub(super) enum Ends {
    /// There is none: the bytes of the list itself.
    Empty(Range<usize>),
    /// The bytes of the first and the last one, which may be the same.
    Of { first: Range<usize>, last: Range<usize> },
}

/// The values of a text, to find many of them.
#[derive(Debug)]
pub(super) struct Tree {
    root: Option<Node>,
    length: usize,
}

impl Tree {
    pub(super) fn new(text: &str) -> Self {
        Self { root: Reader::new(text, &tokens(text)).value(0), length: text.len() }
    }

    /// The bytes of the value at `path`. For a value that is not in the text, what its resource is known by: its
    /// `name`, else its first character.
    pub(super) fn locate(&self, path: &ConfigPath) -> Range<usize> {
        let Some(mut node) = self.root.as_ref() else { return 0..self.length.min(1) };
        for step in &path.0 {
            match node.step(step) {
                Some(next) => node = next,
                None => return node.known_by(),
            }
        }
        node.known_by()
    }

    /// The bytes of the whole value at `path`, if it is written.
    #[cfg(feature = "plan")]
    pub(super) fn find(&self, path: &ConfigPath) -> Option<Range<usize>> {
        self.node(path).map(|node| node.range.clone())
    }

    /// The values of the list at `path`, if it is written.
    #[cfg(feature = "plan")]
    pub(super) fn ends_of(&self, path: &ConfigPath) -> Option<Ends> {
        let node = self.node(path)?;
        match &node.inside {
            Inside::List(list) => Some(match (list.first(), list.last()) {
                (Some(first), Some(last)) => Ends::Of { first: first.range.clone(), last: last.range.clone() },
                _ => Ends::Empty(node.range.clone()),
            }),
            _ => None,
        }
    }

    /// The first field of the resource at `path`; its name, if it has one.
    #[cfg(feature = "plan")]
    pub(super) fn first_field(&self, path: &ConfigPath) -> Option<Range<usize>> {
        match &self.node(path)?.inside {
            Inside::Fields(fields) => {
                let field = fields.iter().find(|field| field.name == "name").or_else(|| fields.first())?;
                Some(field.name_range.start..field.value.range.end)
            }
            _ => None,
        }
    }

    #[cfg(feature = "plan")]
    fn node(&self, path: &ConfigPath) -> Option<&Node> {
        path.0.iter().try_fold(self.root.as_ref()?, |node, step| node.step(step))
    }
}

/// Where one more value of a list can go in the text.
#[cfg(feature = "sqlite")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// The list is there: its bytes, and those of its last value.
    List { range: Range<usize>, last: Option<Range<usize>> },
    /// There is no such field: the bytes of what it would be in, and of the last field there.
    Absent { range: Range<usize>, last: Option<Range<usize>> },
}

#[cfg(feature = "sqlite")]
impl Tree {
    /// Where a value of the list in a field of the outermost value can go. `None`: there is no such list.
    pub(super) fn room(&self, field: &str) -> Option<Room> {
        let root = self.root.as_ref()?;
        let fields: &[Field] = match &root.inside {
            Inside::Fields(fields) => fields,
            Inside::List(list) if list.is_empty() => &[],
            _ => return None,
        };
        match fields.iter().find(|found| found.name == field).map(|found| &found.value) {
            Some(Node { range, inside: Inside::List(list) }) => {
                Some(Room::List { range: range.clone(), last: list.last().map(|node| node.range.clone()) })
            }
            Some(_) => None,
            None => {
                let last = fields.last().map(|field| field.name_range.start..field.value.range.end);
                Some(Room::Absent { range: root.range.clone(), last })
            }
        }
    }
}

/// What the innermost resource around byte `at` is known by.
pub(super) fn resource_at(text: &str, at: usize) -> Option<Range<usize>> {
    let mut best = None;
    Tree::new(text).root?.visit(&mut |node| {
        if node.range.contains(&at) && matches!(node.inside, Inside::Fields(_) | Inside::List(_)) {
            best = Some(node.known_by());
        }
    });
    best
}

/// The bytes of everything that is, or was probably meant as, a password, in order: no snippet may show them.
pub(super) fn passwords(text: &str) -> Vec<Range<usize>> {
    let mut found = by_token(text);
    found.extend(by_line(text));
    merged(found)
}

/// These ranges in order, those that meet as one.
pub(super) fn merged(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

fn is_password(name: &str) -> bool {
    nearest(name, ["password", "secret_key"]).is_some()
}

/// Passwords in text that is RON, over any number of lines.
fn by_token(text: &str) -> Vec<Range<usize>> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Word || !is_password(&text[token.range.clone()]) {
            continue;
        }
        let skipped =
            |token: &&Token| matches!(token.kind, Kind::Mark(':' | '(' | '=')) || text[token.range.clone()] == *"Some";
        let value = tokens[at + 1..].iter().find(|token| !skipped(token));
        if let Some(value) = value.filter(|value| !matches!(value.kind, Kind::Mark(_))) {
            // An unquoted password with odd characters is many tokens: hide the whole line.
            let line = text[value.range.start..].find('\n').map_or(text.len(), |end| value.range.start + end);
            found.push(if value.kind == Kind::Text { value.range.clone() } else { value.range.start..line });
        }
    }
    found
}

/// Passwords where a quote too many or too few turned text and names around: what follows a colon in its line.
pub(super) fn by_line(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        for (colon, _) in line.match_indices([':', '=']) {
            // A bracket in the middle of the name must not save it. No name is longer than what is looked at.
            let key = |ends: &[char]| {
                let back = line[..colon].chars().rev().take(40).take_while(|c| !ends.contains(c));
                let key: Vec<char> = back.filter(|c| c.is_alphanumeric()).collect();
                key.into_iter().rev().collect::<String>()
            };
            let rest = line[colon + 1..].trim_start();
            let rest = rest.strip_prefix("Some(").unwrap_or(rest);
            let at = start + line.len() - rest.len();
            let rest = rest.trim_end();
            if rest.is_empty() || !(is_password(&key(&['(', ',', '{', '[', ';'])) || is_password(&key(&[',']))) {
                continue;
            }
            let mut escaped = false;
            let closes = |c: char| {
                let closes = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                closes
            };
            let quoted = rest.strip_prefix('"').and_then(|body| body.find(closes));
            found.push(at..at + quoted.map_or(rest.len(), |end| end + 2));
        }
        start += line.len();
    }
    found
}

impl Node {
    fn step(&self, step: &Step) -> Option<&Self> {
        match (&self.inside, step) {
            (Inside::Fields(fields), Step::Field(name)) => {
                fields.iter().find(|field| field.name == *name).map(|field| &field.value)
            }
            (Inside::Map(fields), Step::Key(name)) => {
                fields.iter().find(|field| field.name == *name).map(|field| &field.value)
            }
            (Inside::List(list), Step::Index(index)) => list.get(*index),
            _ => None,
        }
    }

    fn known_by(&self) -> Range<usize> {
        if let Inside::Fields(fields) = &self.inside
            && let Some(field) = fields.iter().find(|field| field.name == "name")
        {
            return field.name_range.start..field.value.range.end;
        }
        match self.inside {
            Inside::Nothing => self.range.clone(),
            _ => self.range.start..self.range.start + 1,
        }
    }

    /// Visits this node and those in it, outer ones first.
    fn visit(&self, look: &mut dyn FnMut(&Self)) {
        look(self);
        match &self.inside {
            Inside::Fields(fields) | Inside::Map(fields) => fields.iter().for_each(|field| field.value.visit(look)),
            Inside::List(list) => list.iter().for_each(|node| node.visit(look)),
            Inside::Nothing => {}
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, tokens: &'a [Token]) -> Self {
        // Attributes such as `#![enable(implicit_some)]` stand before the value.
        let mut at = 0;
        while tokens.get(at).is_some_and(|token| token.kind == Kind::Mark('#')) {
            let end = tokens[at..].iter().position(|token| token.kind == Kind::Mark(']'));
            at = end.map_or(tokens.len(), |end| at + end + 1);
        }
        Self { text, tokens, at }
    }

    fn mark(&self, ahead: usize) -> Option<char> {
        match self.tokens.get(self.at + ahead)?.kind {
            Kind::Mark(mark) => Some(mark),
            _ => None,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        let first = self.tokens.get(self.at).filter(|_| depth < DEEPEST)?;
        let start = first.range.start;
        let mut name = "";
        if first.kind == Kind::Word {
            name = &self.text[first.range.clone()];
            if self.mark(1) != Some('(') {
                self.at += 1;
                return Some(Node { range: first.range.clone(), inside: Inside::Nothing });
            }
            self.at += 1;
        }
        let inside = match self.mark(0) {
            Some('(')
                if self.tokens.get(self.at + 1).is_some_and(|t| t.kind == Kind::Word) && self.mark(2) == Some(':') =>
            {
                Inside::Fields(self.fields(')', depth))
            }
            Some('(') => Inside::List(self.list(')', depth)),
            Some('[') => Inside::List(self.list(']', depth)),
            Some('{') => Inside::Map(self.fields('}', depth)),
            _ => {
                self.at += 1;
                Inside::Nothing
            }
        };
        let end = self.tokens.get(self.at.checked_sub(1)?).map_or(start, |token| token.range.end);
        match inside {
            // `Some(value)` is the value.
            Inside::List(mut list) if name == "Some" && list.len() == 1 => list.pop(),
            inside => Some(Node { range: start..end.max(start), inside }),
        }
    }

    fn fields(&mut self, close: char, depth: usize) -> Vec<Field> {
        let mut fields = Vec::new();
        self.at += 1;
        while let Some(token) = self.tokens.get(self.at) {
            if self.closes(close) {
                break;
            }
            let quoted = &self.text[token.range.clone()];
            let name = quoted.strip_prefix("r#").unwrap_or(quoted).trim_matches('"').to_owned();
            let name_range = token.range.clone();
            self.at += 1;
            if self.mark(0) == Some(':') {
                self.at += 1;
            }
            let Some(value) = self.value(depth + 1) else { break };
            fields.push(Field { name, name_range, value });
            if self.mark(0) == Some(',') {
                self.at += 1;
            }
        }
        fields
    }

    fn list(&mut self, close: char, depth: usize) -> Vec<Node> {
        let mut list = Vec::new();
        self.at += 1;
        while self.at < self.tokens.len() {
            if self.closes(close) {
                break;
            }
            let Some(value) = self.value(depth + 1) else { break };
            list.push(value);
            if self.mark(0) == Some(',') {
                self.at += 1;
            }
        }
        list
    }

    fn closes(&mut self, close: char) -> bool {
        let closes = self.mark(0) == Some(close);
        self.at += usize::from(closes);
        closes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r##"#![enable(implicit_some)]
// clients: [(name: "no")]
Config(
    director: Director(name: "d", tls: (enable: false)),
    clients: [
        (name: "a", address: r#"x, ")"#),
        /* (name: "hidden"), */
        (networks: {"lan": "10.0.0.1", "w\"": "10.0.0.2"}, name: "b", tls: Some((key: "k.pem"))),
    ],
    catalog: sqlite(path: "c.db"),
)"##;

    fn at(path: &ConfigPath) -> &'static str {
        &TEXT[Tree::new(TEXT).locate(path)]
    }

    #[test]
    fn paths_lead_to_their_values() {
        let clients = ConfigPath::of("clients");
        assert_eq!(at(&ConfigPath::of("director").field("tls").field("enable")), "false");
        assert_eq!(at(&clients.index(0).field("address")), "r#\"x, \")\"#");
        assert_eq!(at(&clients.index(1).field("networks").key("lan")), "\"10.0.0.1\"");
        assert_eq!(at(&clients.index(1).field("tls").field("key")), "\"k.pem\"");
        assert_eq!(at(&ConfigPath::of("catalog").field("path")), "\"c.db\"");
    }

    #[test]
    fn resources_and_absent_values_are_shown_by_their_name() {
        let clients = ConfigPath::of("clients");
        assert_eq!(at(&clients.index(1)), "name: \"b\"");
        assert_eq!(at(&clients.index(0).field("port")), "name: \"a\"");
        assert_eq!(at(&clients.index(7)), "[");
        assert_eq!(at(&ConfigPath::of("jobs")), "C");
    }

    #[test]
    fn broken_text_and_deep_text_end_without_panic() {
        let deep = "(a:".repeat(100_000);
        for text in ["", "(", "(a", "(a:", "[,]", "(a:]", ")", "{\"a\"", deep.as_str()] {
            let range = Tree::new(text).locate(&ConfigPath::of("a").index(1));
            assert!(range.end <= text.len());
            let _ = resource_at(text, text.len() / 2);
            let _ = passwords(text);
        }
    }

    #[test]
    fn passwords_are_found_under_mistyped_names_too() {
        let text = "(password: \"one\", pasword: \"two\", Password \"three\", password: Some(\"four\"), name: \"x\",\npassword: a-b,\n)";
        let hidden: Vec<_> = passwords(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(by_line("a, \" pass\"word: \"x\\\"y\", b: 1"), vec![Range { start: 16, end: 22 }]);
        assert_eq!(hidden, ["\"one\"", "\"two\"", "\"three\"", "\"four\"", "a-b,"]);
        let text = "(object: (endpoint: \"https://s3.example.com\", secret_key: \"five\"))";
        assert_eq!(passwords(text).into_iter().map(|range| &text[range]).collect::<Vec<_>>(), ["\"five\""]);
    }
}
