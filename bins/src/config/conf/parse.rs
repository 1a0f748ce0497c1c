//! Tokens to resources: `Kind { Directive = value … }`, with the place of each part.

use towline_core::nearest::nearest;

use super::super::sources::Place;
use super::lex::{Kind, Token};

/// Deeper blocks are refused: the deepest that has a meaning is an `Options` in an `Include` in a `FileSet`.
const DEEPEST: usize = 8;

/// A resource, or a block in one.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) name: Name,
    pub(super) items: Vec<Item>,
}

/// A name as it is written, without the spaces between its words.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) place: Place,
}

/// One directive.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) name: Name,
    /// What follows the name, without the first `=`.
    pub(super) value: Vec<Token>,
    /// The directives of a block.
    pub(super) block: Option<Vec<Self>>,
}

/// What is wrong with a text, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) place: Place,
    pub(super) message: String,
    pub(super) help: String,
}

/// The resources of a text.
///
/// # Errors
/// The first thing that is no resource: what stands behind it would be a guess.
pub(super) fn blocks(tokens: &[Token]) -> Result<Vec<Block>, Wrong> {
    let mut parser = Parser { tokens, at: 0 };
    let mut found = Vec::new();
    loop {
        parser.skip_ends();
        let Some(first) = parser.peek() else { return Ok(found) };
        if first.kind == Kind::Close {
            let help = "remove it, or look for a `}` too many above".to_owned();
            return Err(Wrong { place: first.place.clone(), message: "this `}` closes nothing".to_owned(), help });
        }
        let name = parser.name("a resource such as `Client { … }`")?;
        parser.skip_ends();
        match parser.peek() {
            Some(open) if open.kind == Kind::Open => {
                let items = parser.items(0)?;
                found.push(Block { name, items });
            }
            _ => {
                let message = format!("`{}` stands in no resource", name.text);
                let help = "write `{` after the name of a resource, or look for a `}` too many above".to_owned();
                return Err(Wrong { place: name.place, message, help });
            }
        }
    }
}

/// A name without what does not count: case, spaces, `_` and `-`.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, ' ' | '\t' | '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// Whether the value of a directive must not be shown.
pub(super) fn is_secret(name: &str) -> bool {
    let name = plain(name);
    // Among the options of a store somebody may have put its keys.
    name.ends_with("password")
        || ["keyencryptionkey", "deviceoptions"].contains(&name.as_str())
        || nearest(&name, ["password"]).is_some()
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn skip_ends(&mut self) {
        while self.peek().is_some_and(|token| token.kind == Kind::End) {
            self.at += 1;
        }
    }

    /// One or more words.
    fn name(&mut self, expected: &str) -> Result<Name, Wrong> {
        let mut name: Option<Name> = None;
        while let Some(token) = self.peek().filter(|token| token.kind == Kind::Word) {
            match &mut name {
                None => name = Some(Name { text: token.text.clone(), place: token.place.clone() }),
                Some(name) => {
                    name.text += &token.text;
                    name.place = name.place.to(&token.place);
                }
            }
            self.at += 1;
        }
        name.ok_or_else(|| {
            let token = self.peek();
            let place = token.or_else(|| self.tokens.last()).map(|token| token.place.clone()).unwrap_or_default();
            let found = token.map_or_else(|| "the end".to_owned(), shown);
            Wrong { place, message: format!("expected {expected}, found {found}"), help: String::new() }
        })
    }

    /// The directives between `{`, at which this stands, and its `}`.
    fn items(&mut self, depth: usize) -> Result<Vec<Item>, Wrong> {
        let open = self.peek().map(|token| token.place.clone()).unwrap_or_default();
        if depth >= DEEPEST {
            let message = "blocks are nested too deeply here".to_owned();
            return Err(Wrong { place: open, message, help: "look for a `}` that is missing above".to_owned() });
        }
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip_ends();
            match self.peek() {
                None => {
                    let message = "nothing closes this `{`".to_owned();
                    let help = "add the `}`, after the last directive that belongs to it".to_owned();
                    return Err(Wrong { place: open, message, help });
                }
                Some(token) if token.kind == Kind::Close => {
                    self.at += 1;
                    return Ok(items);
                }
                Some(_) => items.push(self.item(depth)?),
            }
        }
    }

    /// `Name = value` or `Name { … }` or `Name = { … }`.
    fn item(&mut self, depth: usize) -> Result<Item, Wrong> {
        let name = self.name("a directive such as `Name = x`")?;
        let before = self.at;
        self.skip_ends();
        if self.peek().is_some_and(|token| token.kind == Kind::Equals) {
            self.at += 1;
            if !self.peek().is_some_and(|token| token.kind == Kind::Open) {
                return Ok(Item { name, value: self.value(), block: None });
            }
        } else if !self.peek().is_some_and(|token| token.kind == Kind::Open) {
            self.at = before;
            let message = format!("`{}` has no value", name.text);
            return Err(Wrong { place: name.place, message, help: "write `Name = value`, in one line".to_owned() });
        }
        let block = self.items(depth + 1)?;
        Ok(Item { name, value: Vec::new(), block: Some(block) })
    }

    /// The rest of a line; a comma at its end goes on with the next.
    fn value(&mut self) -> Vec<Token> {
        let mut value: Vec<Token> = Vec::new();
        while let Some(token) = self.peek() {
            match token.kind {
                Kind::Close => break,
                Kind::End if token.text == "\n" && value.last().is_some_and(|last| last.kind == Kind::Comma) => {}
                Kind::End => {
                    self.at += 1;
                    break;
                }
                _ => value.push(token.clone()),
            }
            self.at += 1;
        }
        value
    }
}

fn shown(token: &Token) -> String {
    match token.kind {
        Kind::End => "the end of the line".to_owned(),
        Kind::Text => format!("{:?}", token.text),
        _ => format!("`{}`", token.text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::lex::tokens;
    use super::*;

    fn read(text: &str) -> Result<Vec<Block>, Wrong> {
        blocks(&tokens(text, 0, 1_000_000).unwrap())
    }

    /// `Kind{Name=value value;Name{…}}`
    fn shape(blocks: &[Block]) -> String {
        fn items(items: &[Item]) -> String {
            let each = items.iter().map(|item| {
                let values: Vec<_> = item.value.iter().map(|token| token.text.as_str()).collect();
                let block = item.block.as_deref().map(|block| format!("{{{}}}", items_of(block))).unwrap_or_default();
                format!("{}={}{block}", item.name.text, values.join(" "))
            });
            each.collect::<Vec<_>>().join(";")
        }
        fn items_of(block: &[Item]) -> String {
            items(block)
        }
        blocks
            .iter()
            .map(|block| format!("{}{{{}}}", block.name.text, items(&block.items)))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn resources_are_read_over_lines_and_in_one() {
        let one = "Job Defs { Name = a; Maximum Concurrent Jobs = 3 } Pool { }";
        let many = "JobDefs\n{\nName\n=a\nMaximumConcurrentJobs = 3\n}\n\nPool {\n}\n";
        assert_eq!(shape(&read(one).unwrap()), "JobDefs{Name=a;MaximumConcurrentJobs=3} Pool{}");
        assert_eq!(shape(&read(many).unwrap()), shape(&read(one).unwrap()));
        let nested =
            "FileSet { Include { Options { Signature = MD5 } File = /a\n File = \"/b c\" } Exclude = { File = /x } }";
        let expected = "FileSet{Include={Options={Signature=MD5};File=/a;File=/b c};Exclude={File=/x}}";
        assert_eq!(shape(&read(nested).unwrap()), expected);
        assert_eq!(shape(&read("A { B = x, y,\n z\nC = 1 }").unwrap()), "A{B=x , y , z;C=1}");
    }

    #[test]
    fn what_is_no_resource_is_marked() {
        for (text, at, message) in [
            ("Job {\n Name = x\n", 4, "nothing closes this `{`"),
            ("Job { Name = x }\n}\n", 17, "this `}` closes nothing"),
            ("Name = x\n", 0, "`Name` stands in no resource"),
            ("Job { Name }", 6, "`Name` has no value"),
            ("Job { Name\n Pool = x }", 6, "`Name` has no value"),
            ("Job { = x }", 6, "expected a directive such as `Name = x`, found `=`"),
            ("{ }", 0, "expected a resource such as `Client { … }`, found `{`"),
        ] {
            let wrong = read(text).unwrap_err();
            assert_eq!((wrong.place.range.start, wrong.message.as_str()), (at, message), "{text}");
        }
        let deep = "a {".repeat(100_000);
        assert_eq!(read(&deep).unwrap_err().message, "blocks are nested too deeply here");
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in ["Password", "pass word", "FdPassword", "Db_Password", "pasword", "Key Encryption Key"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["Name", "Port", "Passive"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
