//! Diagnostics: what is wrong with a configuration file, where, and what to do; for people and for programs.

use std::fmt::{self, Write as _};
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use towline_core::config::Severity;
use towline_core::error::Code;

use super::locate::passwords;

/// The exit code for errors in a configuration: `EX_CONFIG` of `sysexits.h`.
pub const EXIT_CONFIG: u8 = 78;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// The configuration file.
    pub file: String,
    /// Line from 1, 0 if it concerns the whole file.
    pub line: usize,
    /// Column from 1 in characters, 0 if it concerns the whole file.
    pub column: usize,
    /// The bytes in the file, empty if it concerns the whole file.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it; may be empty.
    pub help: String,
}

/// All that is wrong with one file.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    /// In the order of the lines.
    pub diagnostics: Vec<Diagnostic>,
    file: String,
    text: String,
}

impl Report {
    /// An empty report about `file` with this `text`.
    pub(crate) fn new(file: &str, text: &str) -> Self {
        Self { diagnostics: Vec::new(), file: file.to_owned(), text: text.to_owned() }
    }

    /// Adds a diagnostic about the bytes `span` of the file, `None` for the whole file.
    pub(crate) fn add(
        &mut self,
        severity: Severity,
        code: Code,
        span: Option<Range<usize>>,
        message: String,
        help: String,
    ) {
        let (line, column) = span.as_ref().map_or((0, 0), |span| position(&self.text, span.start));
        let (span, file) = (span.unwrap_or(0..0), self.file.clone());
        self.diagnostics.push(Diagnostic { code, severity, file, line, column, span, message, help });
    }

    /// Takes over what another report says of the same file.
    pub(crate) fn take(&mut self, other: Self) {
        self.diagnostics.extend(other.diagnostics);
        self.sort();
    }

    /// Puts the diagnostics into the order of the lines.
    pub(super) fn sort(&mut self) {
        self.diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    }

    /// Whether any of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// For people: the lines of the file with what is wrong, and what to do. Passwords are masked.
    #[must_use]
    pub fn render(&self, colours: bool) -> String {
        let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
        let masked = Masked::new(&self.text);
        let each = self.diagnostics.iter().map(|diagnostic| {
            let text = renderer.render(&[self.group(diagnostic, &masked)]);
            // The renderer counts columns in the masked line; an editor needs those of the file.
            let (line, shown) = position(&masked.text, masked.place(&diagnostic.span).start);
            let place = |column| format!("{}:{line}:{column}", self.file);
            text.replacen(&place(shown), &place(diagnostic.column), 1)
        });
        let mut text = each.collect::<Vec<_>>().join("\n\n");
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }

    /// For programs: an array of objects with `file`, `line`, `column`, `code`, `severity`, `message` and `help`.
    #[must_use]
    pub fn json(&self) -> String {
        let objects = self.diagnostics.iter().map(|diagnostic| {
            format!(
                r#"{{"file":{},"line":{},"column":{},"code":"{}","severity":"{}","message":{},"help":{}}}"#,
                quoted(&diagnostic.file),
                diagnostic.line,
                diagnostic.column,
                diagnostic.code,
                severity(diagnostic.severity),
                quoted(&diagnostic.message),
                quoted(&diagnostic.help),
            )
        });
        format!("[{}]", objects.collect::<Vec<_>>().join(","))
    }

    fn group<'a>(&'a self, diagnostic: &'a Diagnostic, masked: &'a Masked) -> Group<'a> {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(&diagnostic.message).id(diagnostic.code.to_string());
        let mut group = if diagnostic.line == 0 {
            title.element(Origin::path(&self.file))
        } else {
            let mark = AnnotationKind::Primary.span(masked.place(&diagnostic.span));
            title.element(Snippet::source(&masked.text).path(&self.file).line_start(1).annotation(mark))
        };
        if !diagnostic.help.is_empty() {
            group = group.element(Level::HELP.message(&diagnostic.help));
        }
        group
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.diagnostics).finish()
    }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// A text with `***` in place of each password.
struct Masked {
    text: String,
    /// The bytes of each password in the original, in order.
    hidden: Vec<Range<usize>>,
}

impl Masked {
    const STARS: &'static str = "***";

    fn new(original: &str) -> Self {
        let hidden = passwords(original);
        let (mut text, mut copied) = (String::with_capacity(original.len()), 0);
        for range in &hidden {
            text += original.get(copied..range.start).unwrap_or_default();
            text += Self::STARS;
            copied = range.end;
        }
        text += original.get(copied..).unwrap_or_default();
        Self { text, hidden }
    }

    /// Where the bytes `span` of the original are now; all of the stars for a part of a password.
    fn place(&self, span: &Range<usize>) -> Range<usize> {
        let (mut start, mut end) = (span.start, span.end);
        for range in self.hidden.iter().rev() {
            let length = range.len();
            for (at, inside) in [(&mut start, 0), (&mut end, Self::STARS.len())] {
                if *at >= range.end {
                    *at = *at - length + Self::STARS.len();
                } else if *at > range.start {
                    *at = range.start + inside;
                }
            }
        }
        start..end
    }
}

/// Line and column of byte `at`, both from 1; the column counts characters.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

/// `text` as JSON writes it. Builds without a JSON crate have this report too.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_read_back_by_a_json_reader() {
        let mut report = Report::new("a \"b\".ron", "(\n  x: 1,\n)");
        let message = "tab\t quote \" slash \\ é".to_owned();
        report.add(Severity::Error, Code(803), Some(4..5), message.clone(), String::new());
        let read: serde_json::Value = serde_json::from_str(&report.json()).expect("valid JSON");
        let expected = serde_json::json!([{
            "file": "a \"b\".ron", "line": 2, "column": 3, "code": "T0803", "severity": "error",
            "message": message, "help": ""
        }]);
        assert_eq!(read, expected);
    }

    #[test]
    fn masking_moves_the_spans_along() {
        let text = "(password: \"geheim-é\", name: \"x\", password: \"\", port: 0)";
        let masked = Masked::new(text);
        assert_eq!(masked.text, "(password: ***, name: \"x\", password: ***, port: 0)");
        for word in ["name", "port: 0", "password"] {
            let at = text.find(word).expect("the word is there");
            assert_eq!(&masked.text[masked.place(&(at..at + word.len()))], word);
        }
        let inside = text.find("heim").expect("the word is there");
        assert_eq!(&masked.text[masked.place(&(inside..inside + 1))], "***");
    }
}
