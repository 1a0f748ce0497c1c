//! What a director says to a console that has logged in (`wire/1 §3.1`).

/// Separates the number of a line from its words since 18.2.
const SEPARATOR: char = '\x1e';

/// The first line for a console of 18.2 and later; [`login`] follows. `full` and `date` are the version.
pub fn version(director: &str, full: &str, date: &str) -> String {
    format!("1000{SEPARATOR}OK: {director} Version: {full} ({date})")
}

/// The second line: as which console it is logged in, none for the default console.
pub fn login(console: Option<&str>) -> String {
    match console {
        Some(name) => format!("1002{SEPARATOR}You are logged in as: {name}"),
        None => format!("1002{SEPARATOR}You are connected using the default console"),
    }
}

/// The only line for an older console.
pub fn early(director: &str, full: &str, date: &str, encryption: &str) -> String {
    format!("1000 OK: {director} Version: {full} ({date}) --  Encryption: {encryption}\n")
}

/// The only line for a console that is closed at once.
pub fn refusal(why: &str) -> String {
    format!("1999 {why}\n")
}

/// A line of a director's greeting, as a console shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// Another line follows.
    Version(String),
    /// The last line.
    Last(String),
}

impl Greeting {
    /// Reads a line; `None` if it is none of a greeting.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(SEPARATOR) {
            Some(("1000", words)) => Some(Self::Version(format!("1000 {words}"))),
            Some(("1002", words)) => Some(Self::Last(words.to_owned())),
            None if text.starts_with("1000 ") => Some(Self::Last(text.to_owned())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_is_read_as_it_is_written() {
        let shown = "1000 OK: dir Version: 1 (today)".to_owned();
        assert_eq!(Greeting::parse(&version("dir", "1", "today")), Some(Greeting::Version(shown)));
        let last = |text: &str| Some(Greeting::Last(text.to_owned()));
        assert_eq!(Greeting::parse(&login(Some("c"))), last("You are logged in as: c"));
        assert_eq!(Greeting::parse(&login(None)), last("You are connected using the default console"));
        let early = early("dir", "1", "today", "None");
        assert_eq!(Greeting::parse(&early), last(&early));
        assert_eq!((Greeting::parse(&refusal("no room")), Greeting::parse("1001\x1eno")), (None, None));
    }
}
