//! Extended regular expressions as filesets use them (`R`, wire/2 §1.6) and restores (`regexwhere=`, wire/2 §1.11), searched
//! anywhere in a path of bytes.
//!
//! Groups, `|`, `*`, `+`, `?`, `{m,n}`, `.`, brackets with ranges and classes, `^`, `$`, `\` before a character to be
//! taken as it is. No back references. The set of states is followed all at once, so no expression takes more than
//! its length times the path's.

use std::ops::Range;

/// Most instructions of one expression; `{m,n}` is written out.
const MAX_PROGRAM: usize = 20_000;
/// Deepest nesting of groups.
const MAX_DEPTH: usize = 100;
/// Highest count in braces, as POSIX has it.
const MAX_COUNT: usize = 255;

/// Groups that are told apart; the first is all of the match.
pub const GROUPS: usize = 10;
/// No place.
const NOWHERE: usize = usize::MAX;

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Regex {
    program: Vec<Step>,
    /// Whether `^` and `$` stand for the ends of lines too.
    by_line: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Byte(Box<[bool; 256]>),
    Start,
    End,
    /// Keeps the place, as the beginning or the end of a group.
    Keep(usize),
    Split(usize, usize),
    Jump(usize),
    Match,
}

#[derive(Clone, Debug)]
enum Node {
    Byte(Box<[bool; 256]>),
    Start,
    End,
    Both(Vec<Self>),
    Either(Vec<Self>),
    Group(Box<Self>, usize),
    Repeat(Box<Self>, usize, Option<usize>),
}

impl Regex {
    /// Compiles an expression.
    ///
    /// # Errors
    /// One sentence about what is wrong with it.
    pub fn new(text: &[u8], ignore_case: bool) -> Result<Self, &'static str> {
        Self::compile(text, ignore_case, false)
    }

    /// Compiles one for which line feeds end lines: `.` and a bracket with `^` do not match them, `^` and `$` match at them.
    ///
    /// # Errors
    /// One sentence about what is wrong with it.
    pub fn by_line(text: &[u8], ignore_case: bool) -> Result<Self, &'static str> {
        Self::compile(text, ignore_case, true)
    }

    fn compile(text: &[u8], ignore_case: bool, by_line: bool) -> Result<Self, &'static str> {
        let mut parser = Parser { rest: text, ignore_case, by_line, depth: 0, groups: 0 };
        let node = parser.either()?;
        if !parser.rest.is_empty() {
            return Err("a ')' without its '('");
        }
        let mut program = Vec::new();
        emit(&node, &mut program, &mut { MAX_PROGRAM })?;
        program.push(Step::Match);
        Ok(Self { program, by_line })
    }

    /// Whether it matches somewhere in the text.
    #[must_use]
    pub fn finds(&self, text: &[u8]) -> bool {
        let mut states = States::new(self.program.len());
        let mut next = States::new(self.program.len());
        for at in 0..=text.len() {
            if self.follow(0, at, text, &mut states) {
                return true;
            }
            let Some(&byte) = text.get(at) else { break };
            next.clear();
            for &state in &states.list {
                if let Some(Step::Byte(set)) = self.program.get(state)
                    && set.get(usize::from(byte)) == Some(&true)
                    && self.follow(state + 1, at + 1, text, &mut next)
                {
                    return true;
                }
            }
            std::mem::swap(&mut states, &mut next);
        }
        false
    }

    /// Adds a state and what it leads to without a byte; `true` if the end of the program is among them.
    fn follow(&self, state: usize, at: usize, text: &[u8], states: &mut States) -> bool {
        let mut open = vec![state];
        while let Some(state) = open.pop() {
            if !states.add(state) {
                continue;
            }
            match self.program.get(state) {
                Some(Step::Match) => return true,
                Some(Step::Jump(to)) => open.push(*to),
                Some(Step::Split(one, other)) => open.extend([*other, *one]),
                Some(Step::Keep(_)) => open.push(state + 1),
                Some(Step::Start) if self.is_start(text, at) => open.push(state + 1),
                Some(Step::End) if self.is_end(text, at) => open.push(state + 1),
                _ => {}
            }
        }
        false
    }

    fn is_start(&self, text: &[u8], at: usize) -> bool {
        at == 0 || self.by_line && text.get(at - 1) == Some(&b'\n')
    }

    fn is_end(&self, text: &[u8], at: usize) -> bool {
        at == text.len() || self.by_line && text.get(at) == Some(&b'\n')
    }

    /// The first match, the longest of those that begin there: where it is, and where its groups are. Of several ways in
    /// which groups may share a match, that of the first alternative is taken.
    pub fn find(&self, text: &[u8]) -> Option<[Option<Range<usize>>; GROUPS]> {
        let mut best: Option<Kept> = None;
        let (mut threads, mut next) = (Threads::new(self.program.len()), Threads::new(self.program.len()));
        for at in 0..=text.len() {
            if best.is_none() {
                let mut kept = [NOWHERE; 2 * GROUPS];
                kept[0] = at;
                self.thread(0, kept, (text, at), &mut threads);
            }
            next.clear();
            for (state, kept) in &threads.list {
                if best.is_some_and(|best| kept[0] > best[0]) {
                    continue;
                }
                match self.program.get(*state) {
                    // What ends here is longer than all before that began at the same place.
                    Some(Step::Match) if best.is_none_or(|best| kept[0] < best[0] || at > best[1]) => {
                        let mut kept = *kept;
                        kept[1] = at;
                        best = Some(kept);
                    }
                    Some(Step::Byte(set))
                        if text.get(at).is_some_and(|byte| set.get(usize::from(*byte)) == Some(&true)) =>
                    {
                        self.thread(state + 1, *kept, (text, at + 1), &mut next);
                    }
                    _ => {}
                }
            }
            std::mem::swap(&mut threads, &mut next);
            if best.is_some() && threads.list.is_empty() {
                break;
            }
        }
        let best = best?;
        Some(std::array::from_fn(|group| match best.get(2 * group..2 * group + 2) {
            Some([from, to]) if *from != NOWHERE && *to != NOWHERE => Some(*from..*to),
            _ => None,
        }))
    }

    /// Adds a state and what it leads to without a byte, the preferred first.
    fn thread(&self, state: usize, kept: Kept, (text, at): (&[u8], usize), threads: &mut Threads) {
        let mut open = vec![(state, kept)];
        while let Some((state, mut kept)) = open.pop() {
            match threads.has.get_mut(state) {
                Some(has) if !*has => *has = true,
                _ => continue,
            }
            match self.program.get(state) {
                Some(Step::Match | Step::Byte(_)) => threads.list.push((state, kept)),
                Some(Step::Jump(to)) => open.push((*to, kept)),
                Some(Step::Split(one, other)) => open.extend([(*other, kept), (*one, kept)]),
                Some(Step::Keep(slot)) => {
                    if let Some(place) = kept.get_mut(*slot) {
                        *place = at;
                    }
                    open.push((state + 1, kept));
                }
                Some(Step::Start) if self.is_start(text, at) => open.push((state + 1, kept)),
                Some(Step::End) if self.is_end(text, at) => open.push((state + 1, kept)),
                _ => {}
            }
        }
    }
}

/// Where groups begin and end.
type Kept = [usize; 2 * GROUPS];

struct Threads {
    list: Vec<(usize, Kept)>,
    has: Vec<bool>,
}

impl Threads {
    fn new(length: usize) -> Self {
        Self { list: Vec::new(), has: vec![false; length] }
    }

    fn clear(&mut self) {
        self.list.clear();
        self.has.fill(false);
    }
}

struct States {
    list: Vec<usize>,
    has: Vec<bool>,
}

impl States {
    fn new(length: usize) -> Self {
        Self { list: Vec::new(), has: vec![false; length] }
    }

    fn add(&mut self, state: usize) -> bool {
        match self.has.get_mut(state) {
            Some(has) if !*has => {
                *has = true;
                self.list.push(state);
                true
            }
            _ => false,
        }
    }

    fn clear(&mut self) {
        self.list.clear();
        self.has.fill(false);
    }
}

/// The budget counts nodes visited, as repetitions of nothing make no program but take time.
fn emit(node: &Node, program: &mut Vec<Step>, budget: &mut usize) -> Result<(), &'static str> {
    *budget = budget.checked_sub(1).ok_or("it is too large")?;
    match node {
        Node::Byte(set) => program.push(Step::Byte(set.clone())),
        Node::Start => program.push(Step::Start),
        Node::End => program.push(Step::End),
        Node::Group(part, group) => {
            program.push(Step::Keep(2 * group));
            emit(part, program, budget)?;
            program.push(Step::Keep(2 * group + 1));
        }
        Node::Both(parts) => parts.iter().try_for_each(|part| emit(part, program, budget))?,
        Node::Either(parts) => {
            let mut jumps = Vec::new();
            for (at, part) in parts.iter().enumerate() {
                let split = program.len();
                if at + 1 < parts.len() {
                    program.push(Step::Split(split + 1, 0));
                }
                emit(part, program, budget)?;
                if at + 1 < parts.len() {
                    jumps.push(program.len());
                    program.push(Step::Jump(0));
                    branch(program, split);
                }
            }
            let end = program.len();
            jumps.into_iter().for_each(|jump| set(program, jump, Step::Jump(end)));
        }
        Node::Repeat(part, least, most) => {
            for _ in 0..*least {
                emit(part, program, budget)?;
            }
            match most {
                None => {
                    let split = program.len();
                    program.push(Step::Split(split + 1, 0));
                    emit(part, program, budget)?;
                    program.push(Step::Jump(split));
                    branch(program, split);
                }
                Some(most) => {
                    for _ in *least..*most {
                        let split = program.len();
                        program.push(Step::Split(split + 1, 0));
                        emit(part, program, budget)?;
                        branch(program, split);
                    }
                }
            }
        }
    }
    Ok(())
}

/// Lets a split go on after itself or to the end of what is written.
fn branch(program: &mut [Step], split: usize) {
    let end = program.len();
    set(program, split, Step::Split(split + 1, end));
}

fn set(program: &mut [Step], at: usize, step: Step) {
    if let Some(place) = program.get_mut(at) {
        *place = step;
    }
}

struct Parser<'a> {
    rest: &'a [u8],
    ignore_case: bool,
    by_line: bool,
    depth: usize,
    groups: usize,
}

impl Parser<'_> {
    fn take(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn take_if(&mut self, byte: u8) -> bool {
        let hit = self.rest.first() == Some(&byte);
        if hit {
            self.take();
        }
        hit
    }

    fn either(&mut self) -> Result<Node, &'static str> {
        let mut parts = vec![self.both()?];
        while self.take_if(b'|') {
            parts.push(self.both()?);
        }
        Ok(Node::Either(parts))
    }

    fn both(&mut self) -> Result<Node, &'static str> {
        let mut parts = Vec::new();
        while !matches!(self.rest.first(), None | Some(b'|' | b')')) {
            let mut node = self.atom()?;
            while let Some((least, most)) = self.count()? {
                node = Node::Repeat(Box::new(node), least, most);
            }
            parts.push(node);
        }
        Ok(Node::Both(parts))
    }

    fn atom(&mut self) -> Result<Node, &'static str> {
        match self.take().ok_or("it ends too early")? {
            b'(' => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err("its groups are nested too deeply");
                }
                self.groups += 1;
                let group = self.groups;
                let node = self.either()?;
                self.depth -= 1;
                let node = if group < GROUPS { Node::Group(Box::new(node), group) } else { node };
                if self.take_if(b')') { Ok(node) } else { Err("a '(' without its ')'") }
            }
            b'^' => Ok(Node::Start),
            b'$' => Ok(Node::End),
            b'.' => Ok(Node::Byte(Box::new(self.but_line_feed([true; 256])))),
            b'[' => self.bracket(),
            b'\\' => match self.take().ok_or("a '\\' at its end")? {
                byte if byte.is_ascii_alphanumeric() => Err("a '\\' before a letter or digit has no meaning here"),
                byte => Ok(self.single(byte)),
            },
            b'*' | b'+' | b'?' => Err("a repetition of nothing"),
            byte => Ok(self.single(byte)),
        }
    }

    fn but_line_feed(&self, mut set: [bool; 256]) -> [bool; 256] {
        set[usize::from(b'\n')] &= !self.by_line;
        set
    }

    fn count(&mut self) -> Result<Option<(usize, Option<usize>)>, &'static str> {
        let bounds = match self.rest.first() {
            Some(b'*') => (0, None),
            Some(b'+') => (1, None),
            Some(b'?') => (0, Some(1)),
            Some(b'{') if self.rest.get(1).is_some_and(u8::is_ascii_digit) => {
                self.take();
                let least = self.number();
                let most = if self.take_if(b',') {
                    self.rest.first().is_some_and(u8::is_ascii_digit).then(|| self.number())
                } else {
                    Some(least)
                };
                if !matches!(self.rest.first(), Some(b'}')) {
                    return Err("a '{' without its '}'");
                }
                if least > MAX_COUNT || most.is_some_and(|most| most > MAX_COUNT || most < least) {
                    return Err("a count out of range");
                }
                (least, most)
            }
            _ => return Ok(None),
        };
        self.take();
        Ok(Some(bounds))
    }

    fn number(&mut self) -> usize {
        let mut value = 0_usize;
        while let Some(digit) = self.rest.first().filter(|b| b.is_ascii_digit()) {
            value = value.saturating_mul(10).saturating_add(usize::from(digit - b'0'));
            self.take();
        }
        value
    }

    fn single(&self, byte: u8) -> Node {
        let mut set = Box::new([false; 256]);
        self.allow(&mut set, byte);
        Node::Byte(set)
    }

    fn allow(&self, set: &mut [bool; 256], byte: u8) {
        set[usize::from(byte)] = true;
        if self.ignore_case {
            set[usize::from(byte.to_ascii_lowercase())] = true;
            set[usize::from(byte.to_ascii_uppercase())] = true;
        }
    }

    fn bracket(&mut self) -> Result<Node, &'static str> {
        const OPEN: &str = "a '[' without its ']'";
        let negated = self.take_if(b'^');
        let mut set = Box::new([false; 256]);
        let mut first = true;
        loop {
            let low = self.take().ok_or(OPEN)?;
            if low == b']' && !first {
                break;
            }
            first = false;
            if low == b'[' && self.rest.first() == Some(&b':') {
                self.class(&mut set)?;
                continue;
            }
            let mut high = low;
            if self.rest.first() == Some(&b'-') && self.rest.get(1).is_some_and(|b| *b != b']') {
                self.take();
                high = self.take().ok_or(OPEN)?;
            }
            if high < low {
                return Err("a range that runs backwards");
            }
            (low..=high).for_each(|byte| self.allow(&mut set, byte));
        }
        if negated {
            set.iter_mut().for_each(|has| *has = !*has);
            *set = self.but_line_feed(*set);
        }
        Ok(Node::Byte(set))
    }

    fn class(&mut self, set: &mut [bool; 256]) -> Result<(), &'static str> {
        let end = self.rest.windows(2).position(|pair| pair == b":]").ok_or("a class without its end")?;
        let holds: fn(&u8) -> bool = match self.rest.get(1..end) {
            Some(b"alpha") => u8::is_ascii_alphabetic,
            Some(b"digit") => u8::is_ascii_digit,
            Some(b"alnum") => u8::is_ascii_alphanumeric,
            Some(b"upper") => u8::is_ascii_uppercase,
            Some(b"lower") => u8::is_ascii_lowercase,
            Some(b"space") => u8::is_ascii_whitespace,
            Some(b"punct") => u8::is_ascii_punctuation,
            Some(b"xdigit") => u8::is_ascii_hexdigit,
            _ => return Err("an unknown class"),
        };
        (0..=255).filter(holds).for_each(|byte| self.allow(set, byte));
        self.rest = self.rest.get(end + 2..).unwrap_or_default();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_find_what_posix_says() {
        for (pattern, text, expected) in [
            ("", "x", true),
            ("b", "abc", true),
            ("^b", "abc", false),
            ("c$", "abc", true),
            ("^(a|bc)+$", "abcbca", true),
            ("^(a|bc)+$", "abcb", false),
            ("a{2,3}$", "xaa", true),
            ("^a{2,3}$", "aaaa", false),
            ("^a{2,}$", "aaaa", true),
            ("^a{2}$", "aa", true),
            ("[[:digit:]]+\\.log$", "/v/12.log", true),
            ("[^/]x", "/x", false),
            ("[]a]", "]", true),
            ("a{x", "a{x", true),
            ("(^|/)\\.cache(/|$)", "/home/u/.cache", true),
            ("(^|/)\\.cache(/|$)", "/home/u/.cached", false),
            ("(a*)*b", "aaaa", false),
            ("()", "", true),
            ("A", "a", false),
        ] {
            let regex = Regex::new(pattern.as_bytes(), false).unwrap();
            assert_eq!(regex.finds(text.as_bytes()), expected, "{pattern} {text}");
        }
        assert!(Regex::new(b"^[A-C]d$", true).unwrap().finds(b"bD"));
    }

    #[test]
    fn the_first_and_longest_match_is_found_with_its_groups() {
        for (pattern, text, expected) in [
            ("b+", "abbbcbbbbb", "bbb"),
            ("abcd|c", "abcd", "abcd"),
            ("a|ab", "ab", "ab"),
            ("(a)(b)?c", "xac", "ac,a,-"),
            ("(a|b)*c", "abac", "abac,a"),
            ("([^/])$", "/a/b", "b,b"),
            ("([^/])$", "/a/", "none"),
            ("^", "abc", ""),
            ("x*$", "abc", ""),
            ("(a*)(a*)", "aa", "aa,aa,"),
            ("/([^/]*)/([^/]*)$", "/a/b/c", "/b/c,b,c"),
        ] {
            let found = Regex::by_line(pattern.as_bytes(), false).unwrap().find(text.as_bytes());
            let count = pattern.matches('(').count();
            let shown = found.map_or_else(
                || "none".to_owned(),
                |groups| {
                    let show =
                        |group: &Option<Range<usize>>| group.clone().map_or("-", |group| &text[group]).to_owned();
                    groups.iter().take(count + 1).map(show).collect::<Vec<_>>().join(",")
                },
            );
            assert_eq!(shown, expected, "{pattern} {text}");
        }
    }

    #[test]
    fn lines_end_at_line_feeds_only_where_they_are_wanted() {
        for (pattern, text) in [("^b", "a\nb"), ("a$", "a\nb")] {
            assert!(Regex::by_line(pattern.as_bytes(), false).unwrap().find(text.as_bytes()).is_some(), "{pattern}");
            assert!(!Regex::new(pattern.as_bytes(), false).unwrap().finds(text.as_bytes()), "{pattern}");
        }
        for pattern in ["a.b", "a[^x]b"] {
            assert!(Regex::by_line(pattern.as_bytes(), false).unwrap().find(b"a\nb").is_none(), "{pattern}");
            assert!(Regex::new(pattern.as_bytes(), false).unwrap().finds(b"a\nb"), "{pattern}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_reason() {
        for pattern in ["(", ")", "[a", "*", "a{2", "a{3,2}", "a{999}", "\\", "\\d", "[b-a]", "[[:x:]]"] {
            assert!(Regex::new(pattern.as_bytes(), false).is_err(), "{pattern}");
        }
        assert!(Regex::new(&b"(".repeat(200_000), false).is_err());
        for huge in ["((a{250}){250}){250}", "((((){250}){250}){250}){250}"] {
            assert_eq!(Regex::new(huge.as_bytes(), false).unwrap_err(), "it is too large");
        }
    }

    #[test]
    fn a_hostile_expression_takes_no_exponential_time() {
        let hostile = Regex::new(b"(a|a)*(a|aa)+(a*)*b", false).unwrap();
        assert!(!hostile.finds(&b"a".repeat(3000)));
        assert!(hostile.find(&b"a".repeat(3000)).is_none());
    }
}
