//! What a job has said, for a mail at its end: its first lines and its last ones, if there are too many.

use std::collections::{BTreeSet, VecDeque};

use crate::calendar::Zone;
use crate::config::{MessageTypes, TIMESTAMP};
use crate::wire::message::MessageKind;

/// Bytes of the first lines that are kept, and of the last ones.
const MOST: usize = 512 * 1024;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) kind: MessageKind,
    /// Seconds since 1970.
    pub(crate) time: i64,
    /// With its line feed.
    pub(crate) text: String,
}

/// The messages of a job that have come so far.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    first: Vec<Line>,
    first_bytes: usize,
    last: VecDeque<Line>,
    last_bytes: usize,
    left_out: u64,
    /// The files that were begun anew for it.
    begun: BTreeSet<String>,
}

impl Line {
    /// With its time before it, in this format.
    pub(crate) fn dated(&self, format: &str, zone: &Zone) -> String {
        if format.is_empty() {
            return self.text.clone();
        }
        let time = zone.local(self.time);
        // The check has refused a format that does not work.
        let time = time.format(format).or_else(|_| time.format(TIMESTAMP)).unwrap_or_default();
        format!("{time} {}", self.text)
    }
}

impl Collected {
    pub(crate) fn add(&mut self, line: Line) {
        let bytes = line.text.len();
        if self.last.is_empty() && self.first_bytes + bytes <= MOST {
            self.first_bytes += bytes;
            self.first.push(line);
            return;
        }
        self.last_bytes += bytes;
        self.last.push_back(line);
        while self.last_bytes > MOST {
            let Some(oldest) = self.last.pop_front() else { break };
            self.last_bytes -= oldest.text.len();
            self.left_out += 1;
        }
    }

    /// Whether a line of these kinds is there.
    pub(crate) fn has(&self, types: MessageTypes) -> bool {
        self.first.iter().chain(&self.last).any(|line| types.has(line.kind))
    }

    /// The lines of these kinds, each as `write` has it; between them how many were left out.
    pub(crate) fn lines(&self, types: MessageTypes, write: impl Fn(&Line) -> String) -> Vec<String> {
        let wanted = |line: &&Line| types.has(line.kind);
        let left_out = (self.left_out > 0).then(|| format!("… {} lines are left out here …\n", self.left_out));
        let last = self.last.iter().filter(wanted).map(&write);
        self.first.iter().filter(wanted).map(&write).chain(left_out).chain(last).collect()
    }

    /// The files that were begun for these stay so.
    pub(crate) fn keep_begun(&mut self, earlier: Self) {
        self.begun.extend(earlier.begun);
    }

    /// Whether a file is written for the first time; then it is begun.
    pub(crate) fn begins(&mut self, path: &str) -> bool {
        !self.begun.contains(path) && self.begun.insert(path.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: MessageKind, text: &str) -> Line {
        Line { kind, time: 0, text: text.to_owned() }
    }

    #[test]
    fn of_too_many_lines_the_first_and_the_last_are_kept() {
        let mut collected = Collected::default();
        let piece = "x".repeat(MOST / 4);
        for number in 0..20 {
            collected.add(line(MessageKind::Info, &format!("{number}{}", &piece[3..])));
        }
        collected.add(line(MessageKind::Fatal, "the report\n"));
        let lines = collected.lines(MessageTypes::ALL, |line| line.text.chars().take(2).collect());
        assert_eq!(lines, ["0x", "1x", "2x", "3x", "… 13 lines are left out here …\n", "17", "18", "19", "th"]);
        let one = collected.lines(serde_json::from_str(r#"["fatal"]"#).unwrap(), |line| line.text.clone());
        assert_eq!(one.last().map(String::as_str), Some("the report\n"));
        assert!(!collected.has(serde_json::from_str(r#"["mount"]"#).unwrap()));
    }

    #[test]
    fn a_line_has_its_time_before_it_unless_the_format_is_empty() {
        let line = Line { time: 1_795_438_891, ..line(MessageKind::Info, "a\n") };
        assert_eq!(line.dated("%H:%M:%S", &Zone::default()), "13:01:31 a\n");
        assert_eq!(line.dated("", &Zone::default()), "a\n");
        assert_eq!(line.dated("%Q", &Zone::default()), "23-Nov 13:01 a\n");
    }
}
