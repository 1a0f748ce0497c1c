//! The value of one directive: what its tokens mean for the kind of value it takes.

use super::super::sources::Place;
use super::lex::{Kind as Of, Token};
use super::parse::{Item, Wrong, plain};
use super::value::{Node, Value};

/// The kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, a path, an address: a word, or text in quotes.
    Text,
    /// One or more of them, with or without commas.
    Words,
    /// `yes` or `no`.
    Bool,
    /// A whole number.
    Number,
    /// A number from 1 to 65535.
    Port,
    /// A time with its unit: `30 days`.
    Time,
    /// Bytes with their unit: `10 G`.
    Size,
    /// Bytes a second with their unit: `10 mb/s`.
    Speed,
    /// One of a few words, and what the typed model calls them.
    Choice(&'static [(&'static str, &'static str)]),
    /// Whatever code of its own reads.
    Any,
}

/// What makes a value unlike what was meant, though it can be read.
pub(super) type Doubt = Option<Wrong>;

impl Kind {
    /// How a value of this kind is written.
    pub(super) fn example(self) -> String {
        let text = match self {
            Self::Text => "a word, or text in quotes",
            Self::Words => "words, or texts in quotes, with commas between them",
            Self::Bool => "`yes` or `no`",
            Self::Number => "a whole number",
            Self::Port => "a number from 1 to 65535",
            Self::Time => "a time such as `30 seconds`, `5 minutes`, `2 hours`, `7 days`, `3 months` or `1 year`",
            Self::Size => "a size such as `65536`, `64 k`, `10 m`, `50 g` (powers of 1024) or `5 gb` (of 1000)",
            Self::Speed => "a speed such as `500 k/s`, `10 m/s` (powers of 1024) or `10 mb/s` (of 1000)",
            Self::Choice(words) => {
                let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
                return format!("one of {}", words.join(", "));
            }
            Self::Any => "something else",
        };
        text.to_owned()
    }

    /// Reads the value of a directive.
    pub(super) fn read(self, item: &Item) -> Result<(Node, Doubt), Wrong> {
        let Some((first, last)) = item.value.first().zip(item.value.last()) else {
            return Err(wrong(&item.name.place, format!("`{}` has no value", item.name.text), self.help()));
        };
        let place = first.place.to(&last.place);
        if item.block.is_some() {
            return Err(wrong(&item.name.place, format!("`{}` is no block", item.name.text), self.help()));
        }
        if self == Self::Words {
            return words(item).map(|list| (Node::new(place, Value::List(list)), None));
        }
        let (text, doubt) = match self {
            Self::Time | Self::Size | Self::Speed => (all(item)?, None),
            _ => one(item)?,
        };
        let value = match self {
            Self::Bool => boolean(&text).map(Value::Bool),
            Self::Number => number(&text).filter(|n| *n <= u64::from(u32::MAX)).map(Value::Number),
            Self::Port => number(&text).filter(|n| (1..=0xffff).contains(n)).map(Value::Number),
            Self::Time => quantity(&text, TIMES).map(Value::Number),
            Self::Size => quantity(&text, SIZES).map(Value::Number),
            Self::Speed => quantity(&text, SPEEDS).map(Value::Number),
            Self::Choice(words) => {
                let known = words.iter().find(|(word, _)| plain(word) == plain(&text));
                known.map(|(_, ours)| Value::Text((*ours).to_owned()))
            }
            Self::Text | Self::Words | Self::Any => Some(Value::Text(text.clone())),
        };
        let place = if doubt.is_some() || matches!(self, Self::Text) { first.place.clone() } else { place };
        match value {
            Some(value) => Ok((Node::new(place, value), doubt)),
            None => Err(wrong(&place, format!("`{text}` is not {}", self.example()), self.help())),
        }
    }

    fn help(self) -> String {
        format!("write {}", self.example())
    }
}

fn wrong(place: &Place, message: String, help: String) -> Wrong {
    Wrong { place: place.clone(), message, help }
}

/// A token that belongs in no value.
fn misplaced(token: &Token) -> Wrong {
    let help = "put text with such a character in quotes".to_owned();
    wrong(&token.place, format!("`{}` is out of place here", token.text), help)
}

/// Text in quotes, or words up to the first that has more than letters in it, without the spaces between them.
fn one(item: &Item) -> Result<(String, Doubt), Wrong> {
    let mut tokens = item.value.iter();
    let mut text = String::new();
    let mut is_over = false;
    for token in tokens.by_ref() {
        let more = || {
            let message = "this is not read: the value ends before it".to_owned();
            Some(wrong(&token.place, message, "put a value with spaces in quotes".to_owned()))
        };
        match token.kind {
            _ if is_over => return Ok((text, more())),
            Of::Text if text.is_empty() => {
                text.clone_from(&token.text);
                is_over = true;
            }
            Of::Word if token.text.bytes().all(|byte| byte.is_ascii_alphabetic()) => text += &token.text,
            Of::Word if text.is_empty() => {
                text.clone_from(&token.text);
                is_over = true;
            }
            _ if text.is_empty() => return Err(misplaced(token)),
            _ => return Ok((text, more())),
        }
    }
    Ok((text, None))
}

/// All words, as they stand.
fn all(item: &Item) -> Result<String, Wrong> {
    let mut words = Vec::new();
    for token in &item.value {
        match token.kind {
            Of::Word | Of::Text => words.push(token.text.as_str()),
            _ => return Err(misplaced(token)),
        }
    }
    Ok(words.join(" "))
}

fn words(item: &Item) -> Result<Vec<Node>, Wrong> {
    let mut found = Vec::new();
    for token in &item.value {
        match token.kind {
            Of::Word | Of::Text => found.push(Node::text(token.place.clone(), &*token.text)),
            Of::Comma => {}
            _ => return Err(misplaced(token)),
        }
    }
    Ok(found)
}

/// `yes`, `no` and what else Bareos takes for them.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Some(true),
        "no" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// Seconds of a time with its unit.
pub(super) fn seconds(text: &str) -> Option<u64> {
    quantity(text, TIMES)
}

/// Bytes of a size with its unit.
pub(super) fn size(text: &str) -> Option<u64> {
    quantity(text, SIZES)
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Units, of which a beginning is enough; the first that fits counts, so that `m` is a month among the times.
type Units = &'static [(&'static str, u64)];

const DAY: u64 = 86_400;
const TIMES: Units = &[
    ("n", 60),
    ("seconds", 1),
    ("months", 30 * DAY),
    ("minutes", 60),
    ("mins", 60),
    ("hours", 3_600),
    ("days", DAY),
    ("weeks", 7 * DAY),
    ("quarters", 91 * DAY),
    ("years", 365 * DAY),
];
const SIZES: Units = &[
    ("k", 1 << 10),
    ("kb", 1_000),
    ("m", 1 << 20),
    ("mb", 1_000_000),
    ("g", 1 << 30),
    ("gb", 1_000_000_000),
    ("t", 1 << 40),
    ("tb", 1_000_000_000_000),
    ("p", 1 << 50),
    ("pb", 1_000_000_000_000_000),
    ("e", 1 << 60),
    ("eb", 1_000_000_000_000_000_000),
];
const SPEEDS: Units = &[("k/s", 1 << 10), ("kb/s", 1_000), ("m/s", 1 << 20), ("mb/s", 1_000_000)];

/// Pairs of a number, with or without a fraction, and a unit: `1 day 12 hours`, `1.5g`.
fn quantity(text: &str, units: Units) -> Option<u64> {
    let mut rest = text.trim();
    let mut total = None::<u64>;
    while !rest.is_empty() {
        let length = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let number = rest.get(..length)?;
        rest = rest.get(length..)?.trim_start();
        let length = rest.find(|c: char| c.is_ascii_digit() || c.is_whitespace()).unwrap_or(rest.len());
        let unit = rest.get(..length)?.to_ascii_lowercase();
        rest = rest.get(length..)?.trim_start();
        let factor = match unit.as_str() {
            "" => 1,
            unit => units.iter().find(|(name, _)| name.starts_with(unit))?.1,
        };
        total = Some(scaled(number, factor)?.checked_add(total.unwrap_or(0))?);
    }
    total
}

/// A decimal number times a factor, what is left of one cut off.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // Nine digits behind the point are finer than a byte of a gigabyte.
    let fraction = fraction.get(..9).unwrap_or(fraction);
    let factor = u128::from(factor);
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let behind: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let whole: u128 = whole.parse().ok()?;
    u64::try_from(whole.checked_mul(factor)?.checked_add(behind * factor / scale)?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::lex::tokens;
    use super::super::parse::blocks;
    use super::*;

    fn read(kind: Kind, value: &str) -> Result<(Value, bool), String> {
        let text = format!("R {{ Name = {value}\n}}");
        let blocks = blocks(&tokens(&text, 0, 1_000).unwrap()).unwrap();
        let found = kind.read(&blocks[0].items[0]);
        found.map(|(node, doubt)| (node.value, doubt.is_some())).map_err(|wrong| wrong.message)
    }

    #[track_caller]
    fn is(kind: Kind, value: &str, expected: Value) {
        assert_eq!(read(kind, value), Ok((expected, false)), "{value}");
    }

    #[test]
    fn text_is_a_word_or_quoted_and_what_follows_is_doubted() {
        let text = |text: &str| Value::Text(text.to_owned());
        is(Kind::Text, "bareos-fd", text("bareos-fd"));
        is(Kind::Text, "\"a b\"", text("a b"));
        // As in Bareos: letters go on over spaces.
        is(Kind::Text, "My Pool", text("MyPool"));
        assert_eq!(read(Kind::Text, "/a b"), Ok((text("/a"), true)));
        assert_eq!(read(Kind::Text, "\"a\" b"), Ok((text("a"), true)));
        assert!(read(Kind::Text, "").unwrap_err().contains("has no value"));
        assert!(read(Kind::Text, ", x").unwrap_err().contains("out of place"));
    }

    #[test]
    fn lists_do_with_and_without_commas() {
        let words = |value: &str| match read(Kind::Words, value) {
            Ok((Value::List(list), false)) => list
                .into_iter()
                .map(|node| if let Value::Text(text) = node.value { text } else { String::new() })
                .collect(),
            other => vec![format!("{other:?}")],
        };
        assert_eq!(words("a, \"b c\", *all*"), ["a", "b c", "*all*"]);
        assert_eq!(words("a b"), ["a", "b"]);
        assert_eq!(words("!a,\n b"), ["!a", "b"]);
    }

    #[test]
    fn booleans_and_numbers_are_what_they_say() {
        for (text, value) in [("Yes", true), ("no", false), ("TRUE", true), ("off", false)] {
            is(Kind::Bool, text, Value::Bool(value));
        }
        is(Kind::Number, "10", Value::Number(10));
        is(Kind::Port, "9103", Value::Number(9103));
        assert!(read(Kind::Bool, "maybe").unwrap_err().contains("`maybe` is not `yes` or `no`"));
        for bad in ["-1", "1.5", "ten", "4294967296"] {
            assert!(read(Kind::Number, bad).is_err(), "{bad}");
        }
        for bad in ["0", "65536"] {
            assert!(read(Kind::Port, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_sizes_and_speeds_have_the_units_of_bareos() {
        for (text, seconds) in [
            ("45", 45),
            ("30 s", 30),
            ("5 minutes", 300),
            ("5 min", 300),
            ("10n", 600),
            ("1 m", 30 * DAY),
            ("3 months", 90 * DAY),
            ("365 days", 365 * DAY),
            ("1 day 12 hours", 129_600),
            ("\"2 weeks\"", 14 * DAY),
            ("1 quarter", 91 * DAY),
            ("1year", 365 * DAY),
            ("1.5 h", 5_400),
        ] {
            is(Kind::Time, text, Value::Number(seconds));
        }
        for (text, bytes) in [
            ("65536", 65_536),
            ("50G", 50 << 30),
            ("5 gb", 5_000_000_000),
            ("64 k", 65_536),
            ("1.5 m", 3 << 19),
            ("1 g 1 k", (1 << 30) + 1_024),
        ] {
            is(Kind::Size, text, Value::Number(bytes));
        }
        for (text, bytes) in [("100", 100), ("10 mb/s", 10_000_000), ("2k/s", 2_048), ("1 m/s", 1 << 20)] {
            is(Kind::Speed, text, Value::Number(bytes));
        }
    }

    #[test]
    fn a_unit_that_does_not_exist_is_refused_with_those_that_do() {
        for (kind, bad) in [
            (Kind::Time, "5 parsecs"),
            (Kind::Time, "days"),
            (Kind::Time, "99999999999999999999 years"),
            (Kind::Size, "5 kib"),
            (Kind::Size, "1..5 g"),
            (Kind::Size, "-1"),
            (Kind::Speed, "5 kbit/s"),
        ] {
            let message = read(kind, bad).unwrap_err();
            assert!(message.contains("is not a ") && message.contains("such as"), "{message}");
        }
    }
}
