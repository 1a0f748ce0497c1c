//! What file and storage daemons alike answer to commands about a job of theirs.

use super::file_answers;

/// The answer to `cancel Job=` (`wire/2 §5.4`, `wire/3 §1.3.11`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelAnswer {
    /// `2001 …` or `3000 …`: the job is marked to be cancelled.
    Marked,
    /// `2901 …` or `3904 …`: there is no such job, or no more.
    NotFound,
}

impl CancelAnswer {
    /// Reads the line; `None` for any other.
    pub fn parse(line: &[u8]) -> Option<Self> {
        match line.get(..5)? {
            b"2001 " | b"3000 " => Some(Self::Marked),
            b"2901 " | b"3904 " => Some(Self::NotFound),
            _ => None,
        }
    }
}

/// The answer to `setbandwidth=` (`wire/2 §1.2`, 19; `wire/3 §1.3.6`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitAnswer {
    /// `2000 OK Bandwidth`: the limit counts.
    Set,
    /// `2901 Job …`: there is no such job, or no more. Another line follows.
    NotFound,
}

impl LimitAnswer {
    /// Reads the line; `None` for any other.
    pub fn parse(line: &[u8]) -> Option<Self> {
        // Of both daemons.
        let set = file_answers::BANDWIDTH.trim_end().as_bytes();
        match line {
            line if line.starts_with(set) => Some(Self::Set),
            line if line.starts_with(b"2901 Job ") => Some(Self::NotFound),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::storage_answers;

    #[test]
    fn the_answers_of_both_daemons_are_understood() {
        let marked = [file_answers::canceled("j.1"), storage_answers::canceled(1, "j.1")];
        assert!(marked.iter().all(|line| CancelAnswer::parse(line.as_bytes()) == Some(CancelAnswer::Marked)));
        for line in [file_answers::job_not_found("j.1"), storage_answers::cancel_not_found("j.1")] {
            assert_eq!(CancelAnswer::parse(line.as_bytes()), Some(CancelAnswer::NotFound), "{line}");
        }
        for line in [file_answers::BANDWIDTH, storage_answers::BANDWIDTH, file_answers::BANDWIDTH.trim_end()] {
            assert_eq!(LimitAnswer::parse(line.as_bytes()), Some(LimitAnswer::Set), "{line}");
        }
        assert_eq!(LimitAnswer::parse(b"2901 Job j.1 not found.\n"), Some(LimitAnswer::NotFound));
        assert_eq!((CancelAnswer::parse(b"2999 no"), LimitAnswer::parse(b"2991 Bad")), (None, None));
    }
}
