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
    /// Of [`version`]: another line follows.
    Version(String),
    /// Of [`login`].
    Login(String),
    /// Of [`early`].
    Early(String),
}

impl Greeting {
    /// Reads a line; `None` if it is none of a greeting.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(line);
        match text.split_once(SEPARATOR) {
            Some(("1000", words)) => Some(Self::Version(format!("1000 {words}"))),
            Some(("1002", words)) => Some(Self::Login(words.to_owned())),
            None if text.starts_with("1000 ") => Some(Self::Early(text.into_owned())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_is_read_as_it_is_written() {
        let read = |line: &str| Greeting::parse(line.as_bytes());
        let shown = "1000 OK: dir Version: 1 (today)".to_owned();
        assert_eq!(read(&version("dir", "1", "today")), Some(Greeting::Version(shown)));
        assert_eq!(read(&login(Some("c"))), Some(Greeting::Login("You are logged in as: c".to_owned())));
        let default = "You are connected using the default console".to_owned();
        assert_eq!(read(&login(None)), Some(Greeting::Login(default)));
        let early = early("dir", "1", "today", "None");
        assert_eq!(read(&early), Some(Greeting::Early(early)));
        assert_eq!((read(&refusal("no room")), read("1001\x1eno")), (None, None));
    }
}
