//! What became of the files of a restore, as Towline's file daemon says it at the end in a message of the job. A real file
//! daemon says how many there were, skipped ones among them (`wire/2 §3.2`), and nothing else. The first names of those that were
//! not restored come in messages of their own.

use std::fmt;

/// How many files each fate has had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// In their places.
    pub restored: u64,
    /// Left as they were, for the order says so (`replace`).
    pub skipped: u64,
    /// Not made.
    pub failed: u64,
    /// Begun, and not put in their places, for what has come of them is not whole.
    pub incomplete: u64,
}

/// How the line begins, and what stands before each number after it.
const BEGINS: &str = "Files restored: ";
const WORDS: [&str; 3] = [", skipped because of replace: ", ", failed: ", ", incomplete: "];

impl Fates {
    /// The numbers of a message that a file daemon has sent, which has its name and that of the job in front. `None` if it is
    /// about something else.
    #[must_use]
    pub fn hear(text: &str) -> Option<Self> {
        let (_, said) = text.trim_end().split_once(": ")?;
        let (restored, rest) = said.strip_prefix(BEGINS)?.split_once(WORDS[0])?;
        let (skipped, rest) = rest.split_once(WORDS[1])?;
        let (failed, incomplete) = rest.split_once(WORDS[2])?;
        let number = |text: &str| text.parse().ok();
        Some(Self {
            restored: number(restored)?,
            skipped: number(skipped)?,
            failed: number(failed)?,
            incomplete: number(incomplete)?,
        })
    }

    /// All files.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.restored.saturating_add(self.skipped).saturating_add(self.failed).saturating_add(self.incomplete)
    }

    /// Counts those of another part as well.
    pub const fn add(&mut self, other: Self) {
        self.restored = self.restored.saturating_add(other.restored);
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.failed = self.failed.saturating_add(other.failed);
        self.incomplete = self.incomplete.saturating_add(other.incomplete);
    }
}

/// Names of a fate that are kept, and bytes of them all.
const MOST_NAMES: usize = 20;
const MOST_BYTES: usize = 16 * 1024;

/// A fate of which a person wants the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// [`Fates::skipped`].
    Skipped,
    /// [`Fates::failed`].
    Failed,
    /// [`Fates::incomplete`].
    Incomplete,
}

impl Fate {
    const ALL: [Self; 3] = [Self::Skipped, Self::Failed, Self::Incomplete];

    /// How the message with its names begins.
    const fn begins(self) -> &'static str {
        match self {
            Self::Skipped => "Files skipped, by name:\n",
            Self::Failed => "Files failed, by name:\n",
            Self::Incomplete => "Files incomplete, by name:\n",
        }
    }
}

/// The first names of the files of each fate, as people are shown them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FateNames([Vec<String>; 3]);

impl FateNames {
    /// The names of a fate.
    #[must_use]
    pub fn of(&self, fate: Fate) -> &[String] {
        let [skipped, failed, incomplete] = &self.0;
        match fate {
            Fate::Skipped => skipped,
            Fate::Failed => failed,
            Fate::Incomplete => incomplete,
        }
    }

    /// Keeps a name, if there is room for it.
    pub fn add(&mut self, fate: Fate, name: impl FnOnce() -> String) {
        let names = self.of_mut(fate);
        if names.len() < MOST_NAMES {
            let bytes: usize = names.iter().map(String::len).sum();
            names.extend(Some(name()).filter(|name| bytes + name.len() <= MOST_BYTES));
        }
    }

    /// Keeps the names of another part as well.
    pub fn add_all(&mut self, other: &Self) {
        for fate in Fate::ALL {
            other.of(fate).iter().for_each(|name| self.add(fate, || name.clone()));
        }
    }

    /// A message for each fate that has names, each name a line.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        let with_names = Fate::ALL.into_iter().filter(|fate| !self.of(*fate).is_empty());
        with_names.map(|fate| format!("{}{}", fate.begins(), self.of(fate).join("\n"))).collect()
    }

    /// Takes the names of a message that a file daemon has sent, which has its name and that of the job in front. False if it is
    /// about something else.
    pub fn hear(&mut self, text: &str) -> bool {
        let said = text.split_once(": ").map_or("", |(_, said)| said);
        let Some((fate, names)) =
            Fate::ALL.into_iter().find_map(|fate| Some((fate, said.strip_prefix(fate.begins())?)))
        else {
            return false;
        };
        names.lines().for_each(|name| self.add(fate, || name.to_owned()));
        true
    }

    const fn of_mut(&mut self, fate: Fate) -> &mut Vec<String> {
        let [skipped, failed, incomplete] = &mut self.0;
        match fate {
            Fate::Skipped => skipped,
            Fate::Failed => failed,
            Fate::Incomplete => incomplete,
        }
    }
}

impl fmt::Display for Fates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { restored, skipped, failed, incomplete } = self;
        let [before_skipped, before_failed, before_incomplete] = WORDS;
        write!(f, "{BEGINS}{restored}{before_skipped}{skipped}{before_failed}{failed}{before_incomplete}{incomplete}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_daemon_says_is_heard() {
        let fates = Fates { restored: 10, skipped: 3, failed: 2, incomplete: u64::MAX };
        assert_eq!(Fates::hear(&format!("f JobId 3: {fates}\n")), Some(fates));
        assert_eq!(fates.all(), u64::MAX);
        let mut twice = Fates { restored: 1, ..fates };
        twice.add(fates);
        assert_eq!(twice, Fates { restored: 11, skipped: 6, failed: 4, incomplete: u64::MAX });
    }

    #[test]
    fn the_first_names_of_each_fate_are_heard_and_no_more() {
        let mut names = FateNames::default();
        (0..=MOST_NAMES).for_each(|number| names.add(Fate::Failed, || format!("/lost: {number}")));
        names.add(Fate::Incomplete, || "/half".to_owned());
        let mut heard = FateNames::default();
        let messages = names.messages();
        assert_eq!(messages.len(), 2, "{messages:?}");
        assert!(messages.iter().all(|text| heard.hear(&format!("f JobId 3: {text}\n"))));
        assert_eq!((heard.of(Fate::Failed).len(), heard.of(Fate::Incomplete)), (MOST_NAMES, &["/half".to_owned()][..]));
        assert_eq!(heard, names);
        heard.add_all(&names);
        assert_eq!((heard.of(Fate::Failed).len(), heard.of(Fate::Incomplete).len()), (MOST_NAMES, 2));
        // Long names take the room of others.
        let long = |length: usize| {
            let mut names = FateNames::default();
            (0..2).for_each(|_| names.add(Fate::Skipped, || "x".repeat(length)));
            names.of(Fate::Skipped).len()
        };
        assert_eq!((long(MOST_BYTES / 2), long(MOST_BYTES / 2 + 1)), (2, 1));
        for text in ["f JobId 3: Error: /x: Files failed, by name:\n/y", "Files failed, by name:\n/y", ""] {
            assert!(!FateNames::default().hear(text), "{text}");
        }
    }

    #[test]
    fn a_name_of_a_file_says_nothing_about_others() {
        let fates = Fates { restored: 10, ..Fates::default() };
        for text in [
            format!("f JobId 3: Error: /{fates}"),
            format!("f JobId 3: /x: {fates}"),
            format!("f JobId 3: {fates} and more"),
            format!("{fates}"),
            format!("f JobId 3: {}", fates.to_string().replace("10", "-1")),
            String::new(),
        ] {
            assert_eq!(Fates::hear(&text), None, "{text}");
        }
    }
}
