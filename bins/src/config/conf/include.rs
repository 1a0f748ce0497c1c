//! The files of a configuration in Bareos' syntax, and what they include, as one row of tokens.
//!
//! `@file` stands for the text of a file, `@|command` for what a command prints. Names with `*`, `?` or `[…]` stand for each
//! file that matches, the last of the alphabet first; relative ones start where the program was started. Nothing here waits
//! or grows without a limit.

use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use towline_core::config::Severity;
use towline_core::error::Code;
use towline_core::explain::codes;

use super::super::locate::{by_line, merged};
use super::super::sources::{Place, Source};
use super::super::{MAX_FILE, Report, open};
use super::command::{self, output};
use super::glob::{Glob, expand};
use super::lex::{Kind, Stopped, Token, tokens};
use super::parse::is_secret;

/// The most text of all files together, in bytes.
pub(super) const MAX_TEXT: usize = 64 << 20;
/// The most files of a configuration.
pub(super) const MAX_FILES: usize = 20_000;
/// The most words and signs of a configuration: each takes more memory than its bytes.
pub(super) const MAX_TOKENS: usize = 1_000_000;
/// How deep files may include each other.
pub(super) const MAX_DEPTH: usize = 16;

/// All that was read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// The tokens of all files, an end of line after each.
    pub(super) tokens: Vec<Token>,
    pub(super) sources: Vec<Source>,
    faults: Vec<Fault>,
    /// The files that are being read, outermost first.
    open: Vec<PathBuf>,
    bytes: usize,
    /// A command did not end in time: no other is waited for.
    has_waited: bool,
}

#[derive(Debug)]
struct Fault {
    place: Whereabouts,
    code: Code,
    message: String,
    help: &'static str,
}

#[derive(Debug)]
enum Whereabouts {
    At(Place),
    Whole(usize),
}

/// Reads these files and all they include.
///
/// # Errors
/// Everything that could not be read.
pub(super) fn read(files: &[PathBuf]) -> Result<(Vec<Token>, Vec<Source>), Report> {
    let mut reading = Reading::default();
    for file in files {
        reading.file(file, None);
        reading.end();
    }
    reading.hide();
    if reading.faults.is_empty() {
        return Ok((reading.tokens, reading.sources));
    }
    let mut report = Report::about(reading.sources.into());
    for Fault { place, code, message, help } in reading.faults {
        match place {
            Whereabouts::At(place) => report.add_at(Severity::Error, code, Some(place), message, help.to_owned()),
            Whereabouts::Whole(source) => report.add_whole(Severity::Error, code, source, message, help.to_owned()),
        }
    }
    report.sort();
    Err(report)
}

/// The tokens of one text that includes nothing. `name` stands for its file in findings.
#[cfg(any(test, feature = "sqlite"))]
pub(super) fn of_text(name: &str, text: String) -> Result<(Vec<Token>, Vec<Source>), Report> {
    let mut reading = Reading::default();
    reading.text(name, text);
    reading.end();
    reading.hide();
    let Some(Fault { place: Whereabouts::At(place), code, message, help }) = reading.faults.pop() else {
        return Ok((reading.tokens, reading.sources));
    };
    let mut report = Report::about(reading.sources.into());
    report.add_at(Severity::Error, code, Some(place), message, help.to_owned());
    Err(report)
}

impl Reading {
    fn fault(&mut self, place: Whereabouts, code: Code, message: String, help: &'static str) {
        self.faults.push(Fault { place, code, message, help });
    }

    /// The end of a line between two files.
    fn end(&mut self) {
        if let Some(last) = self.tokens.last() {
            let Place { source, range } = &last.place;
            let place = Place { source: *source, range: range.end..range.end };
            self.tokens.push(Token { kind: Kind::End, text: "\n".to_owned(), place });
        }
    }

    /// Where a fault of a file is: where it is included, else the file as a whole.
    fn place_of(&mut self, name: &str, from: Option<&Place>) -> Whereabouts {
        from.map_or_else(
            || {
                self.sources.push(Source { name: name.to_owned(), text: String::new(), hidden: Vec::new() });
                Whereabouts::Whole(self.sources.len() - 1)
            },
            |place| Whereabouts::At(place.clone()),
        )
    }

    fn file(&mut self, path: &Path, from: Option<&Place>) {
        let name = path.display().to_string();
        let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if self.open.contains(&whole) {
            let place = self.place_of(&name, from);
            let message = format!("{name} includes itself, directly or through others");
            return self.fault(place, codes::RECURSIVE_INCLUDE, message, "remove one of the includes");
        }
        let mut bytes = Vec::new();
        let read = open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes));
        if let Err(error) = read {
            let place = self.place_of(&name, from);
            let code = if from.is_some() { codes::MISSING_INCLUDE } else { codes::UNREADABLE };
            let message = format!("cannot read {name}: {error}");
            return self.fault(place, code, message, "check the name, and that this user may read the file");
        }
        if bytes.len() as u64 > MAX_FILE {
            let place = self.place_of(&name, from);
            let message = format!("{name} has more than {} MiB", MAX_FILE >> 20);
            return self.fault(place, codes::TOO_LARGE, message, "is this the configuration?");
        }
        self.open.push(whole);
        self.bytes(&name, bytes);
        self.open.pop();
    }

    fn command(&mut self, line: &str, place: &Place) {
        let whole = PathBuf::from(format!("|{line}"));
        let at = Whereabouts::At(place.clone());
        if self.has_waited {
            return;
        }
        match output(line, MAX_FILE, command::WITHIN) {
            Ok(bytes) => {
                self.open.push(whole);
                self.bytes(&format!("|{line}"), bytes);
                self.open.pop();
            }
            Err(why) => {
                self.has_waited = why == command::TOO_LONG;
                let help = "run it by hand: it must end by itself, with exit code 0";
                self.fault(at, codes::FAILED_INCLUDE, format!("the command `{line}` {why}"), help);
            }
        }
    }

    /// What was read, if it is text.
    fn bytes(&mut self, name: &str, bytes: Vec<u8>) {
        match String::from_utf8(bytes) {
            Ok(text) => self.text(name, text),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let hidden = by_line(&text);
                self.sources.push(Source { name: name.to_owned(), text, hidden });
                let place = Place { source: self.sources.len() - 1, range: at..at + '\u{fffd}'.len_utf8() };
                let help = "save the file as UTF-8; from Latin-1, `iconv -f latin1 -t utf8` does it";
                let message = "this byte is no UTF-8 text".to_owned();
                self.fault(Whereabouts::At(place), codes::UNREADABLE, message, help);
            }
        }
    }

    fn text(&mut self, name: &str, text: String) {
        let source = self.sources.len();
        self.bytes += text.len();
        let found = tokens(&text, source, MAX_TOKENS.saturating_sub(self.tokens.len()));
        let hidden = if found.is_err() { merged(by_line(&text)) } else { Vec::new() };
        self.sources.push(Source { name: name.to_owned(), text, hidden });
        if self.bytes > MAX_TEXT || self.sources.len() > MAX_FILES {
            let message =
                format!("the configuration has more than {} MiB or {MAX_FILES} files up to here", MAX_TEXT >> 20);
            let help = "is this the configuration?";
            return self.fault(Whereabouts::Whole(source), codes::TOO_LARGE, message, help);
        }
        match found {
            Ok(found) => found.into_iter().for_each(|token| self.take(token)),
            Err(Stopped::TooMany(place)) => {
                let message = format!("the configuration has more than {MAX_TOKENS} words and signs up to here");
                self.bytes = MAX_TEXT + 1;
                self.fault(Whereabouts::At(place), codes::TOO_LARGE, message, "is this the configuration?");
            }
            Err(Stopped::Unclosed(place)) => {
                let help = "add the closing `\"`; a quote inside of text is written `\\\"`";
                let message = "nothing closes this quote".to_owned();
                self.fault(Whereabouts::At(place), codes::CONF_SYNTAX, message, help);
            }
        }
    }

    /// Keeps a token, or what it includes.
    fn take(&mut self, token: Token) {
        if token.kind != Kind::Include {
            return self.tokens.push(token);
        }
        // Too much was read before: more would not help.
        if self.bytes > MAX_TEXT || self.sources.len() > MAX_FILES {
            return;
        }
        let Token { text, place, .. } = token;
        if self.open.len() >= MAX_DEPTH {
            let message = format!("files include each other more than {MAX_DEPTH} deep");
            let help = "include the file from one of the outer ones";
            return self.fault(Whereabouts::At(place), codes::RECURSIVE_INCLUDE, message, help);
        }
        if let Some(line) = text.strip_prefix('|') {
            return self.command(line, &place);
        }
        match expand(&text) {
            Glob::Files(files) => files.iter().for_each(|file| self.file(file, Some(&place))),
            Glob::None => self.file(Path::new(&text), Some(&place)),
        }
    }

    /// Finds the passwords that stand in the texts, and those in comments.
    fn hide(&mut self) {
        let mut found: Vec<Vec<Range<usize>>> = self.sources.iter().map(|source| source.hidden.clone()).collect();
        let mut comments: Vec<Vec<u8>> = self.sources.iter().map(|source| source.text.clone().into_bytes()).collect();
        let mut name = String::new();
        let mut is_value = false;
        for token in &self.tokens {
            let there = comments.get_mut(token.place.source).and_then(|text| text.get_mut(token.place.range.clone()));
            if let Some(there) = there.filter(|_| token.kind != Kind::End) {
                there.fill(b' ');
            }
            match token.kind {
                Kind::End | Kind::Open | Kind::Close => (is_value, name) = (false, String::new()),
                Kind::Equals if !is_value => is_value = true,
                Kind::Word if !is_value => name += &token.text,
                Kind::Word | Kind::Text if is_value && is_secret(&name) => {
                    if let Some(found) = found.get_mut(token.place.source) {
                        found.push(token.place.range.clone());
                    }
                }
                _ => {}
            }
        }
        for ((source, mut found), comments) in self.sources.iter_mut().zip(found).zip(comments) {
            found.extend(String::from_utf8(comments).iter().flat_map(|comments| by_line(comments)));
            source.hidden = merged(found);
        }
    }
}
