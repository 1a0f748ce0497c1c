//! `s/EXPRESSION/TEXT/` and `y/LETTERS/OTHERS/` of a name's variable.

use crate::regex::Regex;

/// Bytes of what a replacement makes, at the most: longer than any name.
const MAX_MADE: usize = 1024;

/// What is found becomes another text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Replace {
    /// The expression, or the text if that is plain.
    pattern: String,
    with: String,
    all: bool,
    ignores_case: bool,
    by_line: bool,
    is_plain: bool,
}

impl Replace {
    /// As it is written; `None` if the expression is none.
    pub(super) fn new(pattern: &str, with: String, flags: &str) -> Option<Self> {
        let has = |flag: char| flags.contains(flag);
        let pattern = if has('t') { unescaped(pattern) } else { pattern.to_owned() };
        let new = Self { pattern, with, all: has('g'), ignores_case: has('i'), by_line: has('m'), is_plain: has('t') };
        new.expression()?;
        Some(new)
    }

    fn expression(&self) -> Option<Regex> {
        let text = match self.is_plain {
            // Each letter stands for itself.
            true => self.pattern.chars().flat_map(|letter| ['\\', letter]).collect(),
            // A slash needs no escape in an expression.
            false => self.pattern.replace("\\/", "/"),
        };
        let compile = if self.by_line { Regex::by_line } else { Regex::new };
        compile(text.as_bytes(), self.ignores_case).ok()
    }

    pub(super) fn apply(&self, text: String) -> String {
        let Some(expression) = self.expression() else { return text };
        let mut made = String::new();
        let mut rest = text.as_str();
        let mut is_first = true;
        while (is_first || self.all) && made.len() < MAX_MADE {
            let groups = expression.find(rest.as_bytes());
            let Some((groups, found)) = groups.and_then(|groups| Some((groups.clone(), groups.first()?.clone()?)))
            else {
                break;
            };
            is_first = false;
            made += rest.get(..found.start).unwrap_or_default();
            self.put(rest, &groups, &mut made);
            if found.is_empty() {
                // The letter after an empty match stays, and the search goes on behind it.
                let Some(letter) = rest.get(found.end..).and_then(|rest| rest.chars().next()) else {
                    return made;
                };
                made.push(letter);
                rest = rest.get(found.end + letter.len_utf8()..).unwrap_or_default();
            } else {
                rest = rest.get(found.end..).unwrap_or_default();
                if rest.is_empty() {
                    return made;
                }
            }
        }
        made + rest
    }

    /// Appends the text, with the groups that it names.
    fn put(&self, text: &str, groups: &[Option<std::ops::Range<usize>>], made: &mut String) {
        let mut letters = self.with.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => match letters.next() {
                    Some(digit) if digit.is_ascii_digit() => {
                        let group = groups.get(digit as usize - '0' as usize).cloned().flatten();
                        made.push_str(group.and_then(|group| text.get(group)).unwrap_or_default());
                    }
                    other => made.extend(other),
                },
                letter => made.push(letter),
            }
        }
    }
}

/// Letters become others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transpose {
    from: Vec<char>,
    to: Vec<char>,
}

impl Transpose {
    /// As it is written; `None` if there are not as many of the one as of the other.
    pub(super) fn new(from: &str, to: &str) -> Option<Self> {
        let (from, to) = (letters(&unescaped(from))?, letters(&unescaped(to))?);
        (from.len() == to.len() && !from.is_empty()).then_some(Self { from, to })
    }

    pub(super) fn apply(&self, text: &str) -> String {
        let other = |letter: char| {
            let at = self.from.iter().position(|from| *from == letter);
            at.and_then(|at| self.to.get(at)).copied().unwrap_or(letter)
        };
        text.chars().map(other).collect()
    }
}

/// The letters of a class, ranges written out.
fn letters(text: &str) -> Option<Vec<char>> {
    let all: Vec<char> = text.chars().collect();
    let (mut made, mut at) = (Vec::new(), 0);
    while let Some(&first) = all.get(at) {
        match (all.get(at + 1), all.get(at + 2)) {
            (Some('-'), Some(&last)) => {
                if last < first || last as u32 - first as u32 > 255 {
                    return None;
                }
                made.extend(first..=last);
                at += 3;
            }
            _ => {
                made.push(first);
                at += 1;
            }
        }
    }
    Some(made)
}

fn unescaped(text: &str) -> String {
    let mut made = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        made.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    made
}
