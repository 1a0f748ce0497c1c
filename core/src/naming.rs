//! Names that are put together from variables, as those of new volumes (`Label Format` of Bareos).
//!
//! ```text
//!   Full-${Pool}-${Year}${Month:p/2/0/r}-${Tape+:p/4/0/r}
//!         '-- a variable     '-- an operation '-- a counter, which goes on by one
//! ```
//! A variable is `$Name` or `${Name}`; in braces `+` after the name takes the next value of a counter, and each `:` begins an
//! operation:
//!
//! | operation | result |
//! |---|---|
//! | `l`, `u` | in small letters, in capitals |
//! | `#` | how many letters it has |
//! | `oSTART,END`, `oSTART-COUNT` | a part of it; 0 for all that is left |
//! | `-TEXT` | the text if it is empty |
//! | `+TEXT` | the text if it is not empty |
//! | `*TEXT` | the text if it is empty, else nothing |
//! | `p/WIDTH/FILL/l`, `…/r`, `…/c` | filled to a width: behind it, before it, on both sides |
//!
//! `TEXT` and `FILL` may hold variables themselves. `\` takes the next letter as it is.

use std::fmt;

/// Bytes of a text that names are made from, at the most.
const MAX_TEXT: usize = 1024;
/// Letters that a name is filled to, at the most.
const MAX_WIDTH: usize = 127;
/// Variables within operations of variables, at the most.
const MAX_DEPTH: usize = 4;

/// How names are put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming(Vec<Piece>);

/// A variable, where it stands in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Whether it goes on by one once it is used.
    pub increments: bool,
    /// The byte at which its name begins.
    pub at: usize,
}

/// Why a text makes no names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The byte at which reading stopped.
    pub at: usize,
    /// What is wrong there.
    pub why: Wrong,
}

/// What can be wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// There is nothing after `$` that could be a name.
    #[error("a variable has no name")]
    NoName,
    /// A brace is not closed.
    #[error("`}}` is missing")]
    Open,
    /// `\` is the last letter.
    #[error("nothing follows `\\`")]
    Escape,
    /// An operation that there is not.
    #[error("there is no such operation: l, u, #, o, -, +, * and p are known")]
    Operation,
    /// An operation of Bareos that is not done here.
    #[error("this operation of Bareos is not supported")]
    Unsupported,
    /// Indexes and loops.
    #[error("indexes and loops (`[` and `]`) are not supported")]
    Brackets,
    /// An operation needs a number here.
    #[error("a number is missing")]
    Number,
    /// An operation needs a text here.
    #[error("a text is missing")]
    Text,
    /// `o` needs `,` or `-` between its numbers.
    #[error("`,` or `-` is missing between the numbers of `o`")]
    Range,
    /// The end of a part comes before its beginning.
    #[error("the part ends before it begins")]
    Backwards,
    /// `p` is written as `p/WIDTH/FILL/SIDE`.
    #[error("`p` is written as p/WIDTH/FILL/l, …/r or …/c, with a width of at most 127")]
    Padding,
    /// Variables within variables within variables.
    #[error("variables stand within each other more than 4 times")]
    Deep,
    /// The text is longer than any that is meant.
    #[error("the text is longer than 1024 bytes")]
    Long,
}

/// Why there is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unnamed {
    /// A variable has no value.
    #[error("there is no variable {0:?}")]
    Unknown(String),
    /// A part that is cut out lies outside.
    #[error("{0:?} is shorter than the part that is taken of it")]
    Short(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Variable, Vec<Operation>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operation {
    Lower,
    Upper,
    Length,
    Part { start: usize, end: usize, counts: bool },
    IfEmpty(Vec<Piece>),
    IfFull(Vec<Piece>),
    OnlyIfEmpty(Vec<Piece>),
    Fill { width: usize, with: Vec<Piece>, side: Side },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Behind,
    Before,
    Both,
}

/// Whether a text holds variables.
#[must_use]
pub fn has_variables(text: &str) -> bool {
    text.contains('$')
}

impl Naming {
    /// Reads how names are put together.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, Unread> {
        if text.len() > MAX_TEXT {
            return Err(Unread { at: MAX_TEXT, why: Wrong::Long });
        }
        let mut reader = Reader { text, at: 0, depth: 0 };
        let pieces = reader.pieces("")?;
        Ok(Self(pieces))
    }

    /// All variables in the order in which [`expand`](Self::expand) asks for them.
    #[must_use]
    pub fn variables(&self) -> Vec<&Variable> {
        let mut all = Vec::new();
        collect(&self.0, &mut all);
        all
    }

    /// Whether each name is another one: a counter goes on.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.variables().iter().any(|variable| variable.increments)
    }

    /// Puts a name together.
    ///
    /// # Errors
    /// A variable has no value, or one that is too short.
    pub fn expand(&self, value: &mut dyn FnMut(&Variable) -> Option<String>) -> Result<String, Unnamed> {
        joined(&self.0, value)
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (letter {})", self.why, self.at + 1)
    }
}

fn collect<'a>(pieces: &'a [Piece], all: &mut Vec<&'a Variable>) {
    for piece in pieces {
        let Piece::Value(variable, operations) = piece else { continue };
        all.push(variable);
        for operation in operations {
            match operation {
                Operation::IfEmpty(pieces)
                | Operation::IfFull(pieces)
                | Operation::OnlyIfEmpty(pieces)
                | Operation::Fill { with: pieces, .. } => collect(pieces, all),
                _ => {}
            }
        }
    }
}

fn joined(pieces: &[Piece], value: &mut dyn FnMut(&Variable) -> Option<String>) -> Result<String, Unnamed> {
    let mut name = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => name += text,
            Piece::Value(variable, operations) => {
                let mut text = value(variable).ok_or_else(|| Unnamed::Unknown(variable.name.clone()))?;
                for operation in operations {
                    text = operation.apply(text, value)?;
                }
                name += &text;
            }
        }
    }
    Ok(name)
}

impl Operation {
    fn apply(&self, text: String, value: &mut dyn FnMut(&Variable) -> Option<String>) -> Result<String, Unnamed> {
        Ok(match self {
            Self::Lower => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
            Self::Length => text.chars().count().to_string(),
            &Self::Part { start, end, counts } => {
                let letters: Vec<char> = text.chars().collect();
                let end = match (end, counts) {
                    (0, _) => letters.len(),
                    (count, true) => start.saturating_add(count),
                    (last, false) => last.saturating_add(1),
                };
                letters.get(start..end).ok_or(Unnamed::Short(text))?.iter().collect()
            }
            Self::IfEmpty(other) => {
                let other = joined(other, value)?;
                if text.is_empty() { other } else { text }
            }
            Self::IfFull(other) => {
                let other = joined(other, value)?;
                if text.is_empty() { text } else { other }
            }
            Self::OnlyIfEmpty(other) => {
                let other = joined(other, value)?;
                if text.is_empty() { other } else { String::new() }
            }
            Self::Fill { width, with, side } => {
                let with = joined(with, value)?;
                fill(&text, *width, &with, *side)
            }
        })
    }
}

fn fill(text: &str, width: usize, with: &str, side: Side) -> String {
    let missing = width.saturating_sub(text.chars().count());
    let filler =
        |letters: usize| with.chars().cycle().take(if with.is_empty() { 0 } else { letters }).collect::<String>();
    match side {
        Side::Behind => format!("{text}{}", filler(missing)),
        Side::Before => format!("{}{text}", filler(missing)),
        Side::Both => format!("{}{text}{}", filler(missing / 2), filler(missing - missing / 2)),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    fn takes(&mut self, letter: char) -> bool {
        let is_it = self.peek() == Some(letter);
        if is_it {
            self.at += letter.len_utf8();
        }
        is_it
    }

    const fn wrong(&self, why: Wrong) -> Unread {
        Unread { at: self.at, why }
    }

    /// Text and variables up to one of these letters.
    fn pieces(&mut self, ends: &str) -> Result<Vec<Piece>, Unread> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        while let Some(letter) = self.peek().filter(|letter| !ends.contains(*letter)) {
            match letter {
                '[' | ']' => return Err(self.wrong(Wrong::Brackets)),
                '\\' => {
                    self.next();
                    text.push(self.next().ok_or_else(|| self.wrong(Wrong::Escape))?);
                }
                '$' => {
                    if !text.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut text)));
                    }
                    self.next();
                    pieces.push(self.variable()?);
                }
                other => {
                    self.next();
                    text.push(other);
                }
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(pieces)
    }

    fn variable(&mut self) -> Result<Piece, Unread> {
        let in_braces = self.takes('{');
        let at = self.at;
        while self.peek().is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            self.next();
        }
        let name = self.text.get(at..self.at).unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(self.wrong(Wrong::NoName));
        }
        if !in_braces {
            return Ok(Piece::Value(Variable { name, increments: false, at }, Vec::new()));
        }
        if self.peek() == Some('[') {
            return Err(self.wrong(Wrong::Brackets));
        }
        let increments = self.takes('+');
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong(Wrong::Deep));
        }
        let mut operations = Vec::new();
        while self.takes(':') {
            operations.push(self.operation()?);
        }
        self.depth -= 1;
        if !self.takes('}') {
            return Err(self.wrong(Wrong::Open));
        }
        Ok(Piece::Value(Variable { name, increments, at }, operations))
    }

    fn operation(&mut self) -> Result<Operation, Unread> {
        let at = self.at;
        let letter = self.next().ok_or_else(|| self.wrong(Wrong::Open))?;
        Ok(match letter.to_ascii_lowercase() {
            'l' => Operation::Lower,
            'u' => Operation::Upper,
            '#' => Operation::Length,
            '-' => Operation::IfEmpty(self.argument()?),
            '+' => Operation::IfFull(self.argument()?),
            '*' => Operation::OnlyIfEmpty(self.argument()?),
            'o' => self.part()?,
            'p' => self.padding()?,
            's' | 'y' | '%' => return Err(Unread { at, why: Wrong::Unsupported }),
            _ => return Err(Unread { at, why: Wrong::Operation }),
        })
    }

    fn argument(&mut self) -> Result<Vec<Piece>, Unread> {
        let pieces = self.pieces(":}")?;
        if pieces.is_empty() { Err(self.wrong(Wrong::Text)) } else { Ok(pieces) }
    }

    fn number(&mut self) -> Option<usize> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let number = self.rest().get(..digits)?.parse().ok()?;
        self.at += digits;
        Some(number)
    }

    fn part(&mut self) -> Result<Operation, Unread> {
        let start = self.number().ok_or_else(|| self.wrong(Wrong::Number))?;
        let counts = match self.peek() {
            Some(',') => false,
            Some('-') => true,
            _ => return Err(self.wrong(Wrong::Range)),
        };
        self.next();
        let end = self.number().unwrap_or_default();
        if !counts && end != 0 && end < start {
            return Err(self.wrong(Wrong::Backwards));
        }
        Ok(Operation::Part { start, end, counts })
    }

    fn padding(&mut self) -> Result<Operation, Unread> {
        let slash = |reader: &mut Self| if reader.takes('/') { Ok(()) } else { Err(reader.wrong(Wrong::Padding)) };
        slash(self)?;
        let width = self.number().ok_or_else(|| self.wrong(Wrong::Number))?;
        if width > MAX_WIDTH {
            return Err(self.wrong(Wrong::Padding));
        }
        slash(self)?;
        let with = self.pieces("/")?;
        if with.is_empty() {
            return Err(self.wrong(Wrong::Text));
        }
        slash(self)?;
        let side = match self.peek() {
            Some('l') => Side::Behind,
            Some('r') => Side::Before,
            Some('c') => Side::Both,
            _ => return Err(self.wrong(Wrong::Padding)),
        };
        self.next();
        Ok(Operation::Fill { width, with, side })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, Unnamed> {
        let mut counter = 7;
        Naming::parse(text).unwrap().expand(&mut |variable| {
            Some(match variable.name.as_str() {
                "Year" => "2026".to_owned(),
                "Month" => "3".to_owned(),
                "Pool" => "Full".to_owned(),
                "Empty" => String::new(),
                "Counter" => {
                    counter += i32::from(variable.increments);
                    (counter - i32::from(variable.increments)).to_string()
                }
                _ => return None,
            })
        })
    }

    #[test]
    fn names_are_put_together_from_variables_and_what_is_done_with_them() {
        for (text, name) in [
            ("Full-", "Full-"),
            ("$Pool-$Year", "Full-2026"),
            ("${Pool}x${Month}", "Fullx3"),
            ("${Month:p/2/0/r}", "03"),
            ("${Month:p/4/ab/l}", "3aba"),
            ("${Month:p/4/ab/c}", "a3ab"),
            ("${Pool:p/2/0/r}", "Full"),
            ("${Pool:l}${Pool:u}${Pool:#}", "fullFULL4"),
            ("${Pool:L:u}", "FULL"),
            ("${Year:o2,0}", "26"),
            ("${Year:o2,}", "26"),
            ("${Year:o1,2}", "02"),
            ("${Year:o1-2}", "02"),
            ("${Empty:-none}${Pool:-none}", "noneFull"),
            ("${Empty:+some}${Pool:+some}", "some"),
            ("${Empty:*some}${Pool:*some}", "some"),
            ("${Empty:-${Pool:l}}", "full"),
            ("${Month:p/3/${Month}/r}", "333"),
            ("${Counter+}-${Counter+:p/3/0/r}-$Counter", "7-008-9"),
            (r"\$Pool\\", r"$Pool\"),
        ] {
            assert_eq!(expanded(text).as_deref(), Ok(name), "{text}");
        }
        assert_eq!(expanded("a$Other"), Err(Unnamed::Unknown("Other".to_owned())));
        assert_eq!(expanded("${Month:o1-2}"), Err(Unnamed::Short("3".to_owned())));
    }

    #[test]
    fn what_cannot_be_read_is_found_at_its_place() {
        for (text, at, why) in [
            ("a$", 2, Wrong::NoName),
            ("a$-b", 2, Wrong::NoName),
            ("${}", 2, Wrong::NoName),
            ("${Pool", 6, Wrong::Open),
            ("${Pool:l", 8, Wrong::Open),
            ("${Pool l}", 6, Wrong::Open),
            ("${Pool:x}", 7, Wrong::Operation),
            ("${Pool:s/a/b/g}", 7, Wrong::Unsupported),
            ("${Pool:%inc}", 7, Wrong::Unsupported),
            ("${HOME[1]}", 6, Wrong::Brackets),
            ("a[b]", 1, Wrong::Brackets),
            ("${Pool:-}", 8, Wrong::Text),
            ("${Pool:o}", 8, Wrong::Number),
            ("${Pool:o1}", 9, Wrong::Range),
            ("${Pool:o3,1}", 11, Wrong::Backwards),
            ("${Pool:p2}", 8, Wrong::Padding),
            ("${Pool:p/2/0/x}", 13, Wrong::Padding),
            ("${Pool:p/200/0/r}", 12, Wrong::Padding),
            ("${Pool:p/2//r}", 11, Wrong::Text),
            (r"a\", 2, Wrong::Escape),
            ("${A:-${A:-${A:-${A:-${A:-x}}}}}", 23, Wrong::Deep),
        ] {
            assert_eq!(Naming::parse(text), Err(Unread { at, why }), "{text}");
        }
        assert_eq!(Naming::parse(&"$Year".repeat(300)).unwrap_err().why, Wrong::Long);
    }

    #[test]
    fn variables_are_listed_in_the_order_they_are_asked_for() {
        let text = "$A${B+:-${C}:p/2/$D/r}${E}";
        let naming = Naming::parse(text).unwrap();
        let names: Vec<_> = naming.variables().iter().map(|variable| variable.name.clone()).collect();
        assert_eq!(names, ["A", "B", "C", "D", "E"]);
        let mut asked = Vec::new();
        naming
            .expand(&mut |variable| {
                asked.push(variable.name.clone());
                Some("x".to_owned())
            })
            .unwrap();
        assert_eq!(asked, names);
        assert!(naming.counts() && !Naming::parse("$A").unwrap().counts());
    }
}
