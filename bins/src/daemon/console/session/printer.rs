//! Prints an answer: whole lines, tables that fit, colours, a page at a time.

use super::table::{self, Drawing};
use super::terminal::{Terminal, size};
use super::{paint, terminal};
use crate::daemon::say;

/// Bytes of the longest line that is looked at; a longer one is printed in pieces.
const MAX_LINE: usize = 64 * 1024;
/// What stands below a page.
const MORE: &str = "-- space: more, a: all, q: quit --";

/// Where lines go.
pub(super) trait Paper {
    /// Columns and rows.
    fn size(&self) -> (usize, usize);
    /// Prints a text.
    fn put(&mut self, text: &str);
    /// A key of the operator's.
    fn key(&mut self) -> Option<u8>;
}

/// The terminal as paper.
#[derive(Debug)]
pub(super) struct Screen<'a>(pub(super) &'a Terminal);

impl Paper for Screen<'_> {
    fn size(&self) -> (usize, usize) {
        size()
    }

    fn put(&mut self, text: &str) {
        say(text);
    }

    fn key(&mut self) -> Option<u8> {
        self.0.key()
    }
}

/// How answers are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Manner {
    pub(super) colours: bool,
    pub(super) pages: bool,
}

impl Manner {
    /// As the terminal and its user want it.
    pub(super) fn of_terminal(pages: bool) -> Self {
        Self { colours: terminal::has_colours(), pages }
    }
}

/// One answer.
#[derive(Debug)]
pub(super) struct Printer<P> {
    paper: P,
    manner: Manner,
    /// The beginning of a line.
    line: String,
    /// The table that is being drawn, and the headings of its columns.
    drawing: Option<(Drawing, Vec<String>)>,
    /// Rows that the present page has.
    shown: usize,
    /// Nothing more is to be seen.
    is_over: bool,
    /// The command that a stock director does not know, without saying what is meant.
    unknown: Option<String>,
}

impl<P: Paper> Printer<P> {
    pub(super) const fn new(paper: P, manner: Manner) -> Self {
        Self { paper, manner, line: String::new(), drawing: None, shown: 0, is_over: false, unknown: None }
    }

    /// A piece of the answer.
    pub(super) fn text(&mut self, text: &str) {
        for piece in text.split_inclusive('\n') {
            self.line += piece;
            if piece.ends_with('\n') || self.line.len() > MAX_LINE {
                let line = std::mem::take(&mut self.line);
                self.whole(line.trim_end_matches(['\n', '\r']));
            }
        }
    }

    /// The rest is not wanted.
    pub(super) const fn stop(&mut self) {
        self.is_over = true;
    }

    /// The answer has ended: what a question says in its last line, which is the prompt, and the command that is unknown.
    pub(super) fn end(mut self, asks: bool) -> (Option<String>, Option<String>) {
        let last = std::mem::take(&mut self.line);
        if !asks && !last.is_empty() {
            self.whole(&last);
        }
        self.end_table(self.paper.size().0);
        (asks.then_some(last), self.unknown)
    }

    fn whole(&mut self, line: &str) {
        if let Some(verb) = line.strip_suffix(": is an invalid command.") {
            self.unknown = Some(verb.to_owned());
        }
        if self.is_over {
            return;
        }
        let (columns, _) = self.paper.size();
        if !table::is_part(line) {
            self.end_table(columns);
            let text = if self.manner.colours { paint::line(line) } else { line.to_owned() };
            return self.put(&text, line.chars().count(), columns);
        }
        let (drawing, headings) = self.drawing.get_or_insert_default();
        if headings.is_empty() && line.starts_with("| ") {
            *headings = line.trim_matches('|').split('|').map(|name| name.trim().to_owned()).collect();
        }
        let lines = drawing.draw(line, columns);
        self.rows(&lines, columns);
    }

    /// Prints what is left of a table.
    fn end_table(&mut self, columns: usize) {
        let lines = self.drawing.as_mut().map(|(drawing, _)| drawing.end()).unwrap_or_default();
        self.rows(&lines, columns);
        self.drawing = None;
    }

    fn rows(&mut self, lines: &[String], columns: usize) {
        for line in lines {
            let headings = self.drawing.as_ref().map_or(&[][..], |(_, headings)| headings);
            let text = if self.manner.colours { paint::row(line, headings) } else { line.clone() };
            self.put(&text, line.chars().count(), columns);
        }
    }

    fn put(&mut self, line: &str, width: usize, columns: usize) {
        let rows = width.div_ceil(columns.max(1)).max(1);
        if self.manner.pages && self.shown + rows >= self.paper.size().1.max(2) {
            self.turn();
        }
        if !self.is_over {
            self.shown += rows;
            self.paper.put(&format!("{line}\n"));
        }
    }

    /// The page is full.
    fn turn(&mut self) {
        if self.shown == 0 {
            return;
        }
        self.paper.put(MORE);
        let key = loop {
            match self.paper.key() {
                Some(key @ (b' ' | b'f' | b'\r' | b'\n' | b'j' | b'a' | b'G' | b'q' | b'Q' | 3)) => break Some(key),
                Some(_) => {}
                None => break None,
            }
        };
        self.paper.put(&format!("\r{}\r", " ".repeat(MORE.len())));
        match key {
            Some(b' ' | b'f') => self.shown = 0,
            Some(b'\r' | b'\n' | b'j') => self.shown = self.shown.saturating_sub(1),
            Some(b'a' | b'G') => self.manner.pages = false,
            _ => self.is_over = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    #[derive(Debug, Default)]
    struct Sheet {
        text: String,
        keys: VecDeque<u8>,
    }

    impl Paper for &mut Sheet {
        fn size(&self) -> (usize, usize) {
            (20, 4)
        }

        fn put(&mut self, text: &str) {
            self.text += text;
        }

        fn key(&mut self) -> Option<u8> {
            self.keys.pop_front()
        }
    }

    const PLAIN: Manner = Manner { colours: false, pages: true };

    /// What is left on paper of ten numbered lines, with these keys.
    fn numbered(keys: &[u8], manner: Manner) -> (String, usize) {
        let mut sheet = Sheet { keys: keys.iter().copied().collect(), ..Sheet::default() };
        let mut printer = Printer::new(&mut sheet, manner);
        (0..10).for_each(|n| printer.text(&format!("{n}\n")));
        printer.end(false);
        (sheet.text.replace(MORE, "").replace([' ', '\r', '\n'], ""), sheet.text.matches(MORE).count())
    }

    #[test]
    fn a_page_is_as_long_as_the_terminal_and_a_key_turns_it() {
        assert_eq!(numbered(b"   ", PLAIN), ("0123456789".to_owned(), 3));
        assert_eq!(numbered(b"x\rq", PLAIN), ("0123".to_owned(), 2));
        assert_eq!(numbered(b"a", PLAIN), ("0123456789".to_owned(), 1));
        assert_eq!(numbered(&[3], PLAIN), ("012".to_owned(), 1));
        assert_eq!(numbered(b"", Manner { pages: false, ..PLAIN }), ("0123456789".to_owned(), 0));
    }

    #[test]
    fn the_question_at_the_end_is_the_prompt() {
        let mut sheet = Sheet::default();
        let mut printer = Printer::new(&mut sheet, PLAIN);
        printer.text("1: a\n2: b\nSelect Job resource");
        printer.text(" (1-2): ");
        assert_eq!(printer.end(true), (Some("Select Job resource (1-2): ".to_owned()), None));
        assert_eq!(sheet.text, "1: a\n2: b\n");
    }

    #[test]
    fn a_last_line_without_an_end_is_printed_with_one_and_an_unknown_command_told() {
        let mut sheet = Sheet::default();
        let mut printer = Printer::new(&mut sheet, PLAIN);
        printer.text("rum: is an invalid command.\nhalf");
        assert_eq!(printer.end(false), (None, Some("rum".to_owned())));
        assert!(sheet.text.ends_with("\nhalf\n"), "{}", sheet.text);
    }
}
