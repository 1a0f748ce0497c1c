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
//! | `s/EXPRESSION/TEXT/`, flags `gimt` after it | what the expression finds becomes the text, in which `\1` is a group: once, or with `g` everywhere; `i` takes capitals for small letters, `m` goes by lines, `t` takes it as a text |
//! | `y/LETTERS/OTHERS/` | each of the letters becomes the other one in its place; `a-z` is a range |
//! | `p/WIDTH/FILL/l`, `…/r`, `…/c` | filled to a width: behind it, before it, on both sides |
//!
//! `TEXT` and `FILL` may hold variables themselves. `\` takes the next letter as it is.

mod replacing;

use std::fmt;

use replacing::{Replace, Transpose};

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
    #[error("there is no such operation: l, u, #, o, -, +, *, s, y and p are known")]
    Operation,
    /// An operation of a program that Bareos itself does not have either.
    #[error("operations that begin with % are not supported: write what they would make")]
    Unsupported,
    /// `s` is written as `s/EXPRESSION/TEXT/FLAGS`.
    #[error("`s` is written as s/EXPRESSION/TEXT/ with g, i, m or t after it, and the text holds no variable")]
    Replacing,
    /// The expression of `s` is none.
    #[error("this is no regular expression")]
    Expression,
    /// `y` is written as `y/LETTERS/OTHERS/`.
    #[error("`y` is written as y/LETTERS/OTHERS/, with as many of the one as of the other")]
    Transposing,
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
    Replace(Replace),
    Transpose(Transpose),
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
            Self::Replace(replace) => replace.apply(text),
            Self::Transpose(transpose) => transpose.apply(&text),
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
            's' => Operation::Replace(self.replace()?),
            'y' => Operation::Transpose(self.transpose()?),
            '%' => return Err(Unread { at, why: Wrong::Unsupported }),
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

    /// What stands up to the next `/`, which is taken; `\\` and the letter after it stay as they are.
    fn raw(&mut self, why: Wrong) -> Result<String, Unread> {
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(self.wrong(why)),
                Some('/') => return Ok(text),
                Some('\\') => {
                    text.push('\\');
                    text.push(self.next().ok_or_else(|| self.wrong(Wrong::Escape))?);
                }
                Some(letter) => text.push(letter),
            }
        }
    }

    fn replace(&mut self) -> Result<Replace, Unread> {
        if !self.takes('/') {
            return Err(self.wrong(Wrong::Replacing));
        }
        let at = self.at;
        let pattern = self.raw(Wrong::Replacing)?;
        let with = self.raw(Wrong::Replacing)?;
        let mut flags = String::new();
        while let Some(flag) = self.peek().filter(|letter| "gimt".contains(*letter)) {
            flags.push(flag);
            self.next();
        }
        if pattern.is_empty() || with.contains('$') {
            return Err(Unread { at, why: Wrong::Replacing });
        }
        Replace::new(&pattern, with, &flags).ok_or(Unread { at, why: Wrong::Expression })
    }

    fn transpose(&mut self) -> Result<Transpose, Unread> {
        if !self.takes('/') {
            return Err(self.wrong(Wrong::Transposing));
        }
        let at = self.at;
        let (from, to) = (self.raw(Wrong::Transposing)?, self.raw(Wrong::Transposing)?);
        Transpose::new(&from, &to).ok_or(Unread { at, why: Wrong::Transposing })
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
mod tests;
