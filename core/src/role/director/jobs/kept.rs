//! What a restore was told to restore, as its job keeps it in the catalog (`Comment`), so that another can go on where it was
//! cut, under another director process too. What has come of it stands on the client, and is not kept twice.

use std::fmt::{self, Write as _};

use crate::catalog::{IndexRange, RestoreFiles};
use crate::wire::file::RestoreTo;

/// The longest text that is kept: of a choice of many single files, some ten thousand.
const LONGEST: usize = 256 * 1024;

/// How the text begins: what people write into comments begins otherwise.
const BEGINS: &str = "restore of";

/// A restore as it was ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The client whose files they are.
    pub(crate) from: String,
    pub(crate) to: RestoreTo,
    /// The letter of `wire/2 §1.8`.
    pub(crate) replace: u8,
    pub(crate) plugin_options: Option<String>,
    pub(crate) files: Vec<RestoreFiles>,
}

impl Choice {
    /// The text for the catalog; empty if it would be too long, or could not be read again.
    pub(crate) fn text(&self) -> String {
        let text = self.to_string();
        if text.len() <= LONGEST && Self::read(&text).as_ref() == Some(self) { text } else { String::new() }
    }

    /// Reads the text of a job. `None` if it keeps none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let from = lines.next()?.strip_prefix(BEGINS)?.strip_prefix(' ')?.to_owned();
        let to = match lines.next()?.split_once(' ')? {
            ("where", folder) => RestoreTo::Where(folder.to_owned()),
            ("regexwhere", expression) => RestoreTo::Regex(expression.to_owned()),
            _ => return None,
        };
        let replace = match lines.next()?.strip_prefix("replace ")?.as_bytes() {
            [letter] => *letter,
            _ => return None,
        };
        let mut choice = Self { from, to, replace, plugin_options: None, files: Vec::new() };
        for line in lines {
            match line.split_once(' ')? {
                ("plugin", options) => choice.plugin_options = Some(options.to_owned()),
                ("files", files) => choice.files.push(files_of(files)?),
                _ => return None,
            }
        }
        Some(choice)
    }
}

fn files_of(text: &str) -> Option<RestoreFiles> {
    let (job_id, ranges) = text.split_once(' ')?;
    let range = |text: &str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let range = IndexRange { first: first.parse().ok()?, last: last.parse().ok()? };
        (range.first <= range.last).then_some(range)
    };
    let ranges = ranges.split(',').map(range).collect::<Option<Vec<_>>>()?;
    let is_ascending = ranges.is_sorted_by(|one, other| one.last < other.first);
    Some(RestoreFiles { job_id: job_id.parse().ok()?, ranges }).filter(|_| is_ascending)
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{BEGINS} {}", self.from)?;
        match &self.to {
            RestoreTo::Where(folder) => writeln!(f, "where {folder}")?,
            RestoreTo::Regex(expression) => writeln!(f, "regexwhere {expression}")?,
        }
        writeln!(f, "replace {}", char::from(self.replace))?;
        if let Some(options) = &self.plugin_options {
            writeln!(f, "plugin {options}")?;
        }
        for files in &self.files {
            let mut ranges = String::new();
            for (at, IndexRange { first, last }) in files.ranges.iter().enumerate() {
                let between = if at == 0 { "" } else { "," };
                match first == last {
                    true => write!(ranges, "{between}{first}")?,
                    false => write!(ranges, "{between}{first}-{last}")?,
                }
            }
            writeln!(f, "files {} {ranges}", files.job_id)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(to: RestoreTo) -> Choice {
        let range = |first, last| IndexRange { first, last };
        let files = [(7, vec![range(1, 4), range(6, 6)]), (9, vec![range(2, u32::MAX)])];
        Choice {
            from: "my laptop".to_owned(),
            to,
            replace: b'a',
            plugin_options: Some("bpipe: x".to_owned()),
            files: files.into_iter().map(|(job_id, ranges)| RestoreFiles { job_id, ranges }).collect(),
        }
    }

    #[test]
    fn what_was_ordered_is_read_again() {
        for to in ["", "/", "/a b "].map(|to| RestoreTo::Where(to.to_owned())) {
            let whole = choice(to);
            assert_eq!(Choice::read(&whole.text()), Some(whole));
        }
        let whole = choice(RestoreTo::Regex("!a!b!".to_owned()));
        assert_eq!(Choice::read(&whole.text()), Some(whole.clone()));
        let bare = Choice { plugin_options: None, files: Vec::new(), ..whole };
        assert_eq!(Choice::read(&bare.text()), Some(bare));
    }

    #[test]
    fn what_could_not_be_read_again_or_is_too_long_is_not_kept() {
        assert_eq!(choice(RestoreTo::Where("/a\nfiles 3 1".to_owned())).text(), "");
        let ranges = (0..60_000).map(|at| IndexRange { first: at * 2 + 1, last: at * 2 + 1 }).collect();
        let long =
            Choice { files: vec![RestoreFiles { job_id: 1, ranges }], ..choice(RestoreTo::Where(String::new())) };
        assert_eq!(long.text(), "");
    }

    #[test]
    fn a_comment_of_a_person_is_no_choice() {
        let good = choice(RestoreTo::Where("/x".to_owned())).text();
        for (old, new) in [
            ("restore of", "restores of"),
            ("where /x", "were /x"),
            ("replace a", "replace aa"),
            ("files 7 1-4,6", "files 7 1-4,3"),
            ("files 7 1-4,6", "files 7 4-1"),
            ("files 7 1-4,6", "files 7"),
            ("files 7 1-4,6", "files x 1"),
            ("files 7", "else 7"),
        ] {
            assert!(good.contains(old), "{good}");
            assert_eq!(Choice::read(&good.replace(old, new)), None, "{new}");
        }
        assert_eq!(Choice::read(""), None);
    }
}
