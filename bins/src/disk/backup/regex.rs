//! Extended regular expressions as filesets use them (`R`, wire/2 §1.6), searched anywhere in a path of bytes.
//!
//! Groups, `|`, `*`, `+`, `?`, `{m,n}`, `.`, brackets with ranges and classes, `^`, `$`, `\` before a character to be
//! taken as it is. No back references. The set of states is followed all at once, so no expression takes more than
//! its length times the path's.

/// Most instructions of one expression; `{m,n}` is written out.
const MAX_PROGRAM: usize = 20_000;
/// Deepest nesting of groups.
const MAX_DEPTH: usize = 100;
/// Highest count in braces, as POSIX has it.
const MAX_COUNT: usize = 255;

/// A compiled expression.
#[derive(Clone, Debug)]
pub(crate) struct Regex {
    program: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Byte(Box<[bool; 256]>),
    Start,
    End,
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
    Repeat(Box<Self>, usize, Option<usize>),
}

impl Regex {
    /// Compiles an expression.
    ///
    /// # Errors
    /// One sentence about what is wrong with it.
    pub(crate) fn new(text: &[u8], ignore_case: bool) -> Result<Self, &'static str> {
        let mut parser = Parser { rest: text, ignore_case, depth: 0 };
        let node = parser.either()?;
        if !parser.rest.is_empty() {
            return Err("a ')' without its '('");
        }
        let mut program = Vec::new();
        emit(&node, &mut program, &mut { MAX_PROGRAM })?;
        program.push(Step::Match);
        Ok(Self { program })
    }

    /// Whether it matches somewhere in the text.
    pub(crate) fn finds(&self, text: &[u8]) -> bool {
        let mut states = States::new(self.program.len());
        let mut next = States::new(self.program.len());
        for at in 0..=text.len() {
            if self.follow(0, at, text.len(), &mut states) {
                return true;
            }
            let Some(&byte) = text.get(at) else { break };
            next.clear();
            for &state in &states.list {
                if let Some(Step::Byte(set)) = self.program.get(state)
                    && set.get(usize::from(byte)) == Some(&true)
                    && self.follow(state + 1, at + 1, text.len(), &mut next)
                {
                    return true;
                }
            }
            std::mem::swap(&mut states, &mut next);
        }
        false
    }

    /// Adds a state and what it leads to without a byte; `true` if the end of the program is among them.
    fn follow(&self, state: usize, at: usize, end: usize, states: &mut States) -> bool {
        let mut open = vec![state];
        while let Some(state) = open.pop() {
            if !states.add(state) {
                continue;
            }
            match self.program.get(state) {
                Some(Step::Match) => return true,
                Some(Step::Jump(to)) => open.push(*to),
                Some(Step::Split(one, other)) => open.extend([*other, *one]),
                Some(Step::Start) if at == 0 => open.push(state + 1),
                Some(Step::End) if at == end => open.push(state + 1),
                _ => {}
            }
        }
        false
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
    depth: usize,
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
                let node = self.either()?;
                self.depth -= 1;
                if self.take_if(b')') { Ok(node) } else { Err("a '(' without its ')'") }
            }
            b'^' => Ok(Node::Start),
            b'$' => Ok(Node::End),
            b'.' => Ok(Node::Byte(Box::new([true; 256]))),
            b'[' => self.bracket(),
            b'\\' => match self.take().ok_or("a '\\' at its end")? {
                byte if byte.is_ascii_alphanumeric() => Err("a '\\' before a letter or digit has no meaning here"),
                byte => Ok(self.single(byte)),
            },
            b'*' | b'+' | b'?' => Err("a repetition of nothing"),
            byte => Ok(self.single(byte)),
        }
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
        assert!(!Regex::new(b"(a|a)*(a|aa)+(a*)*b", false).unwrap().finds(&b"a".repeat(3000)));
    }
}
