//! `run … wait`: a line that starts a job and waits for it. The director knows no such word: it hears two lines.

use std::borrow::Cow;

use towline_core::ids::JobId;
use towline_core::wire::console::parse_queued;

/// Bytes of a line of an answer that are looked at.
const MAX_LINE: usize = 256;

/// What starts a job.
const STARTS: [&str; 3] = ["run", "rerun", "restore"];

/// A line, and whether the end of the job that it starts is waited for.
#[derive(Debug, Default)]
pub(super) struct Order {
    waits: bool,
    id: Option<JobId>,
    /// The beginning of a line of the answer.
    line: String,
}

impl Order {
    /// Takes the word `wait` from the end of a line that starts a job. Returns what the director is to hear.
    pub(super) fn of(line: &str) -> (Self, Cow<'_, str>) {
        let words = line.trim_end();
        let starts = words.split_whitespace().next().is_some_and(|verb| STARTS.contains(&verb));
        match words.strip_suffix("wait") {
            Some(rest) if starts && rest.ends_with(char::is_whitespace) => {
                (Self { waits: true, ..Self::default() }, rest.trim_end().into())
            }
            _ => (Self::default(), line.into()),
        }
    }

    /// A piece of what the director answers.
    pub(super) fn hear(&mut self, text: &str) {
        if !self.waits || self.id.is_some() {
            return;
        }
        for piece in text.split_inclusive('\n') {
            let room = MAX_LINE.saturating_sub(self.line.len());
            self.line.extend(piece.chars().take(room));
            if piece.ends_with('\n') {
                self.id = parse_queued(&self.line);
                self.line.clear();
            }
            if self.id.is_some() {
                return;
            }
        }
    }

    /// The job whose end is to be waited for, said once; the answer has ended.
    pub(super) fn started(&mut self) -> Option<JobId> {
        let id = self.id.take()?;
        self.waits = false;
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_at_the_end_of_what_starts_a_job_is_for_the_console() {
        for (line, said) in [
            ("run job=b yes wait", "run job=b yes"),
            ("run job=b  wait ", "run job=b"),
            ("restore client=f wait", "restore client=f"),
            ("rerun jobid=1 yes wait", "rerun jobid=1 yes"),
        ] {
            let (order, heard) = Order::of(line);
            assert_eq!((order.waits, &*heard), (true, said), "{line}");
        }
        for line in ["wait", "run job=wait", "run job=\"a wait\"", "list jobs wait", "run", ""] {
            let (order, heard) = Order::of(line);
            assert_eq!((order.waits, &*heard), (false, line), "{line}");
        }
    }

    #[test]
    fn the_number_of_the_job_is_heard_in_pieces_and_told_once() {
        let (mut order, _) = Order::of("run job=b wait");
        for piece in ["Using Catalog\nJob queu", "ed. JobId=1", "2\nYou have", " messages.\nJob queued. JobId=13\n"] {
            order.hear(piece);
        }
        assert_eq!(order.started(), Some(JobId(12)));
        assert_eq!(order.started(), None);
    }

    #[test]
    fn without_the_word_no_number_is_looked_for() {
        let (mut order, _) = Order::of("run job=b yes");
        order.hear("Job queued. JobId=1\n");
        assert_eq!(order.started(), None);
    }
}
