//! What became of the files of a restore, as Towline's file daemon says it at the end in a message of the job. A real file
//! daemon says how many there were, skipped ones among them (`wire/2 §3.2`), and nothing else.

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
