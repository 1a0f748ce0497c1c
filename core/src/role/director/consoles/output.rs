//! How a console hears of what a command came to: as text, as text between signals (API mode 1, `wire/1 §6.3`) or as one
//! JSON document (API mode 2, `wire/1 §6.4`).

use std::borrow::Cow;

use crate::error::Code;
use crate::ids::ConnId;
use crate::role::director::Net;
use crate::wire::console::NEWS;
use crate::wire::frame::{self, Signal};
use crate::{limits, printable};

use super::answer::{Answer, Shown};
use super::questions::{Prompt, Question};
use super::refusal::Refusal;

/// Bytes of text in a frame.
const FRAME: usize = 32 * 1024;
/// Bytes of text that a command's JSON document may hold.
const MAX_TEXT: usize = 1 << 20;
/// Bytes of the last line of a text that does not fit: an estimate ends with its figures.
const MAX_LAST: usize = 1_000;

/// How a console wants its answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Api {
    /// Text for a person: mode 0.
    #[default]
    Text,
    /// Text between signals: mode 1.
    Framed,
    /// One JSON document for each command: mode 2.
    Json {
        /// On one line.
        compact: bool,
    },
}

/// What a console is told by its present command, beside the text it is sent at once.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) api: Api,
    /// What is shown waits for the end of the command: a job has it done.
    is_kept: bool,
    /// The command has been announced by a signal.
    begun: bool,
    /// What would be printed, in JSON.
    text: String,
    /// Lines that found no room in it, and the last of them.
    left_out: u64,
    last: String,
}

impl Output {
    /// Of a command that a job has done.
    pub(super) fn kept() -> Self {
        Self { is_kept: true, ..Self::default() }
    }

    /// Announces a command to a console that wants signals.
    pub(super) fn begin(&mut self, net: &mut Net, conn: ConnId) {
        self.text.clear();
        self.begun = self.api != Api::Text;
        if self.begun {
            net.send_signal(conn, Signal::CommandBegin);
        }
    }

    /// Shows some text; longer texts take several frames. In JSON it waits for the end of the command.
    pub(super) fn print(&mut self, net: &mut Net, conn: ConnId, text: &str) {
        match self.api {
            _ if self.is_kept => self.keep(text),
            Api::Json { .. } => self.keep(text),
            _ => send(net, conn, text),
        }
    }

    /// Ends a command. `says_failure`: a failure is told by a signal in text mode too; `is_news`: there are messages.
    pub(super) fn end(&mut self, net: &mut Net, conn: ConnId, answer: &Answer, says_failure: bool, is_news: bool) {
        if self.is_kept {
            if let Answer::Found(what) = answer {
                self.keep(&printable::text(&what.text()));
            }
            return;
        }
        let output = std::mem::take(self);
        let (api, begun, said) = (output.api, output.begun, output.said());
        self.api = api;
        let succeeded = matches!(answer, Answer::Found(_));
        let how = if succeeded { Signal::CommandOk } else { Signal::CommandFailed };
        match api {
            Api::Text => {
                send(net, conn, &sentence(answer, |what| what.text()));
                if is_news {
                    net.send_text(conn, NEWS);
                }
                if says_failure && !succeeded {
                    net.send_signal(conn, how);
                }
                return net.send_signal(conn, Signal::Eod);
            }
            Api::Framed => {
                if !succeeded {
                    net.send_signal(conn, Signal::ErrorMessage);
                }
                send(net, conn, &sentence(answer, |what| what.bare()));
                if begun || succeeded {
                    net.send_signal(conn, how);
                }
            }
            Api::Json { compact } => {
                let (document, is_whole) = whole_document(answer, &said, compact);
                let how = if is_whole { how } else { Signal::CommandFailed };
                net.send_signal(conn, if matches!(answer, Answer::Unknown(_)) { Signal::ErrorMessage } else { how });
                send(net, conn, &document);
            }
        }
        if is_news {
            net.send_signal(conn, Signal::MessagesPending);
        }
        net.send_signal(conn, Signal::MainPrompt);
    }

    /// A signal that goes with what is shown. A person is told where a tree of files begins and ends, no more.
    pub(super) fn mark(&self, net: &mut Net, conn: ConnId, signal: Signal) {
        if self.is_kept {
            return;
        }
        let is_for_all = matches!(signal, Signal::StartRestoreTree | Signal::EndRestoreTree);
        if self.api == Api::Framed || (is_for_all && self.api == Api::Text) {
            net.send_signal(conn, signal);
        }
    }

    /// Asks (`wire/1 §6.2`, `§6.3`).
    pub(super) fn ask(&mut self, net: &mut Net, conn: ConnId, question: &Question) {
        let Question { prompt, again, .. } = question;
        match (self.api, prompt) {
            (Api::Text, _) | (_, Prompt::Shell) => {
                if !again {
                    self.print(net, conn, &prompt.menu());
                }
                self.print(net, conn, &prompt.last_line());
                return net.send_signal(conn, Signal::SubPrompt);
            }
            (_, Prompt::Choice { title, items, .. }) => {
                if !again {
                    net.send_signal(conn, Signal::StartSelect);
                    self.print(net, conn, &format!("{title}\n"));
                    items.iter().for_each(|item| self.print(net, conn, item));
                    net.send_signal(conn, Signal::EndSelect);
                }
                net.send_signal(conn, Signal::SelectInput);
            }
            (_, Prompt::YesNo(_)) => net.send_signal(conn, Signal::YesNo),
            (_, Prompt::Line(_) | Prompt::Run) => {}
        }
        net.send_signal(conn, Signal::TextInput);
        self.print(net, conn, &prompt.last_line());
    }

    /// What a console that leaves is still told: in text nothing.
    pub(super) fn last_words(&self, net: &mut Net, conn: ConnId) {
        if self.api != Api::Text {
            net.send_signal(conn, Signal::CommandOk);
        }
        if let Api::Json { compact } = self.api {
            send(net, conn, &Answer::said("").document("").to_text(compact));
        }
    }

    /// Keeps a text for the document, as far as there is room.
    pub(super) fn keep(&mut self, text: &str) {
        if self.left_out == 0 && self.text.len() + text.len() <= MAX_TEXT {
            return self.text.push_str(text);
        }
        self.left_out += text.lines().count() as u64;
        if let Some(last) = text.lines().next_back() {
            self.last = printable::shortened(last, MAX_LAST).into_owned();
        }
    }

    /// What was kept, and how much was not.
    pub(super) fn said(self) -> String {
        match self.left_out {
            0 => self.text,
            lines => format!("{}{}{}\n", self.text, left_out(lines - 1), self.last),
        }
    }
}

/// A line about lines that nobody is shown.
fn left_out(lines: u64) -> String {
    format!("… {lines} more lines are left out ({})\n", Code(650))
}

/// An answer as text: what was found as this shows it, or why not.
fn sentence(answer: &Answer, shown: fn(&dyn Shown) -> String) -> String {
    match answer {
        Answer::Found(what) => shown(what.as_ref()),
        Answer::Failed(why) | Answer::Unknown(why) => format!("{why}\n"),
    }
}

/// The document of mode 2 as text, and whether it is that: one that is too long is an error in its place.
fn whole_document(answer: &Answer, said: &str, compact: bool) -> (String, bool) {
    let text = answer.document(said).to_text(compact);
    if text.len() <= limits::ANSWER {
        return (text, true);
    }
    (Answer::Failed(Refusal::TooLong(text.len())).document("").to_text(compact), false)
}

/// What daemons said may be in the text: whatever console it is, its terminal is not theirs.
fn send(net: &mut Net, conn: ConnId, text: &str) {
    if !text.is_empty() {
        net.send(conn, text_frames(&bounded(&printable::text(text))));
    }
}

/// As much of an answer as one may be, in whole lines, and how much is missing.
fn bounded(text: &str) -> Cow<'_, str> {
    if text.len() <= limits::ANSWER {
        return text.into();
    }
    let end = text.as_bytes()[..limits::ANSWER].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (shown, rest) = text.split_at(end);
    format!("{shown}{}", left_out(rest.lines().count() as u64)).into()
}

/// A text in frames that any console takes, cut between characters.
pub(super) fn text_frames(text: &str) -> Vec<u8> {
    let mut frames = Vec::with_capacity(text.len() + 4 * (1 + text.len() / FRAME));
    put_text(&mut frames, text);
    frames
}

/// Appends a text in such frames.
pub(super) fn put_text(frames: &mut Vec<u8>, mut text: &str) {
    while !text.is_empty() {
        let most = text.len().min(FRAME);
        let at = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(most);
        let (piece, rest) = text.split_at(at);
        frame::put_data(frames, piece.as_bytes());
        text = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_four_megabytes_long_and_not_one_byte_more() {
        let lines = "0123456\n".repeat(limits::ANSWER / 8);
        assert_eq!(bounded(&lines), lines);
        let more = format!("{lines}x\ny\n");
        assert_eq!(bounded(&more), format!("{lines}… 2 more lines are left out (T0650)\n"));
        let said = |bytes: usize| whole_document(&Answer::said("x".repeat(bytes)), "", true);
        let head = said(0).0.len() + r#""text":"""#.len();
        assert!(said(limits::ANSWER - head).1);
        let (document, is_whole) = said(limits::ANSWER - head + 1);
        assert!(!is_whole && document.contains("bytes long, and at most 4194304 are sent (T0650)"), "{document}");
    }

    #[test]
    fn a_document_keeps_a_megabyte_of_text_and_the_last_line() {
        let mut output = Output::default();
        output.keep(&"x".repeat(MAX_TEXT - 2));
        output.keep("\n\n");
        assert_eq!(output.left_out, 0);
        for line in ["one\n", "two\n", "2000 OK estimate files=3 bytes=4\n"] {
            output.keep(line);
        }
        let said = output.said();
        assert!(said.ends_with("x\n\n… 2 more lines are left out (T0650)\n2000 OK estimate files=3 bytes=4\n"));
    }
}
