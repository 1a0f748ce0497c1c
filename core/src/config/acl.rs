//! Access control lists: which names a console may see and use.
//!
//! As in Bareos the first entry that fits decides: `!NAME` denies, every other allows, and what none fits is denied. An
//! entry is a name, `*all*`, or an extended regular expression that fits all of a name; upper and lower case are the same.

use regex_lite::{Regex, RegexBuilder};

/// What everything fits.
pub const ALL: &str = "*all*";

/// Bytes that an expression may take once it is read.
const MAX_EXPRESSION: usize = 64 * 1024;

/// The entries of a list, ready to be held against names.
#[derive(Clone, Debug, Default)]
pub struct Acl(Vec<Entry>);

/// One entry.
#[derive(Clone, Debug)]
struct Entry {
    denies: bool,
    /// As it is written, without the mark of a denial.
    text: String,
    /// The same as an expression, if it can be one.
    expression: Option<Regex>,
}

impl Acl {
    /// A list of these entries, in their order.
    pub fn new<'a>(entries: impl IntoIterator<Item = &'a str>) -> Self {
        let entry = |text: &str| {
            let (denies, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
            let expression = is_expression(text).then(|| expression(text).ok()).flatten();
            Entry { denies, text: text.to_owned(), expression }
        };
        Self(entries.into_iter().map(entry).collect())
    }

    /// What the first entry that fits the name says; `None` if there is none.
    #[must_use]
    pub fn verdict(&self, name: &str) -> Option<bool> {
        self.0.iter().find(|entry| entry.fits(name)).map(|entry| !entry.denies)
    }

    /// Whether the name may be seen and used.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        self.verdict(name).unwrap_or(false)
    }

    /// Whether an entry of its own denies the name, before any that allows it; `!*all*` is none.
    #[must_use]
    pub fn takes_away(&self, name: &str) -> bool {
        self.0.iter().find(|entry| entry.fits(name)).is_some_and(|entry| entry.denies && !entry.is_all())
    }

    /// Whether every name is allowed, those of tomorrow too.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let decides = self.0.iter().find(|entry| entry.denies || entry.is_all());
        decides.is_some_and(|entry| !entry.denies)
    }
}

impl Entry {
    fn is_all(&self) -> bool {
        self.text.eq_ignore_ascii_case(ALL)
    }

    fn fits(&self, name: &str) -> bool {
        let fits = || self.expression.as_ref().is_some_and(|expression| expression.is_match(name));
        self.is_all() || self.text.eq_ignore_ascii_case(name) || fits()
    }
}

/// What is wrong with an entry that looks like an expression and is none; real daemons pass over it.
#[must_use]
pub fn fault(entry: &str) -> Option<String> {
    let text = entry.strip_prefix('!').unwrap_or(entry);
    if text.eq_ignore_ascii_case(ALL) || !is_expression(text) {
        return None;
    }
    expression(text).err().map(|error| error.to_string())
}

/// The letters by which an entry is known to be an expression.
fn is_expression(text: &str) -> bool {
    !text.eq_ignore_ascii_case(ALL) && text.contains(['.', '(', ')', '[', ']', '|', '^', '$', '+', '?', '*'])
}

fn expression(text: &str) -> Result<Regex, regex_lite::Error> {
    RegexBuilder::new(&format!("^(?:{text})$")).case_insensitive(true).size_limit(MAX_EXPRESSION).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_entry_of_its_own_takes_a_name_away() {
        for (entries, is_taken) in [
            (&["!.api", "*all*"][..], true),
            (&["list"], false),
            (&["list", "!*all*"], false),
            (&[".api", "!.api"], false),
            (&["!\\.a.*"], true),
        ] {
            assert_eq!(Acl::new(entries.iter().copied()).takes_away(".api"), is_taken, "{entries:?}");
        }
    }

    #[test]
    fn the_first_entry_that_fits_decides() {
        for (entries, name, verdict) in [
            (&["one"][..], "one", Some(true)),
            (&["one"], "ONE", Some(true)),
            (&["one"], "one-fd", None),
            (&[], "one", None),
            (&["*all*"], "anything", Some(true)),
            (&["!one", "*all*"], "one", Some(false)),
            (&["!one", "*all*"], "two", Some(true)),
            (&["*ALL*", "!one"], "one", Some(true)),
            (&["!*all*", "one"], "one", Some(false)),
            (&["web[0-9]+"], "web12", Some(true)),
            (&["web[0-9]+"], "web12-fd", None),
            (&["WEB.*"], "web12-fd", Some(true)),
            (&["!.*-secret", ".*"], "db-secret", Some(false)),
            (&["!.*-secret", ".*"], "db", Some(true)),
            (&["a|b"], "b", Some(true)),
            (&["a|b"], "ab", None),
            // A name with a dot is itself, whatever it means as an expression.
            (&["a.example"], "a.example", Some(true)),
            (&["/tmp/.*"], "/tmp/../etc", Some(true)),
            (&["we(b"], "web", None),
            (&["we(b"], "we(b", Some(true)),
        ] {
            let acl = Acl::new(entries.iter().copied());
            assert_eq!((acl.verdict(name), acl.allows(name)), (verdict, verdict == Some(true)), "{entries:?} {name}");
        }
    }

    #[test]
    fn a_list_is_open_if_it_allows_all_before_it_denies_anything() {
        for (entries, open) in [
            (&["*all*"][..], true),
            (&["a", "*all*", "!b"], true),
            (&["!b", "*all*"], false),
            (&[".*"], false),
            (&[], false),
        ] {
            assert_eq!(Acl::new(entries.iter().copied()).is_open(), open, "{entries:?}");
        }
    }

    #[test]
    fn an_expression_that_cannot_be_read_is_found_fault_with() {
        assert!(fault("!we(b").is_some() && fault("[z-a]").is_some());
        for entry in ["web", "*all*", "!*ALL*", "web.*", "!a|b"] {
            assert_eq!(fault(entry), None, "{entry}");
        }
    }
}
