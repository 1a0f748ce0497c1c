//! Diagnostics: what is wrong with a configuration file, where, and what to do; for people and for programs.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use towline_core::config::Severity;
use towline_core::error::Code;

use super::sources::{Place, Source, Sources};

/// The exit code for errors in a configuration: `EX_CONFIG` of `sysexits.h`.
pub const EXIT_CONFIG: u8 = 78;

/// The most errors, and the most warnings, that are kept of a configuration. The others are counted.
pub(super) const MAX_FINDINGS: usize = 1_000;
/// The most characters of a message or a help.
const MAX_MESSAGE: usize = 2_000;

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
    /// Which of the files of the configuration, in the order in which they were read.
    pub source: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it; may be empty.
    pub help: String,
}

/// All that is wrong with a configuration.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    /// In the order of the files and their lines.
    pub diagnostics: Vec<Diagnostic>,
    /// How many more there are.
    left_out: LeftOut,
    sources: Sources,
}

/// Findings that are counted and no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct LeftOut {
    errors: usize,
    warnings: usize,
}

/// A place in the row of findings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(usize, LeftOut);

impl Report {
    /// An empty report about `file` with this `text`.
    pub(crate) fn new(file: &str, text: &str) -> Self {
        Self::about(Sources::from([Source::ron(file, text)]))
    }

    /// An empty report about these texts.
    pub(super) const fn about(sources: Sources) -> Self {
        Self { diagnostics: Vec::new(), left_out: LeftOut { errors: 0, warnings: 0 }, sources }
    }

    /// Adds a diagnostic about the bytes `span` of the first file, `None` for the whole file.
    pub(crate) fn add(
        &mut self,
        severity: Severity,
        code: Code,
        span: Option<Range<usize>>,
        message: String,
        help: String,
    ) {
        self.add_at(severity, code, span.map(|range| Place { source: 0, range }), message, help);
    }

    /// Adds a diagnostic about a place, `None` for the whole first file.
    pub(super) fn add_at(
        &mut self,
        severity: Severity,
        code: Code,
        place: Option<Place>,
        message: String,
        help: String,
    ) {
        let Some(Place { source, range: span }) = place else {
            return self.add_whole(severity, code, 0, message, help);
        };
        if self.is_full(severity) {
            return;
        }
        let found = self.sources.get(source);
        let (line, column) = found.map_or((0, 0), |found| position(&found.text, span.start));
        let file = found.map(|found| found.name.clone()).unwrap_or_default();
        let (message, help) = (shortened(message), shortened(help));
        self.diagnostics.push(Diagnostic { code, severity, file, line, column, span, source, message, help });
    }

    /// Counts a finding that there is no room for: as many errors are kept, and as many warnings.
    fn is_full(&mut self, severity: Severity) -> bool {
        let left_out = match severity {
            Severity::Error => &mut self.left_out.errors,
            Severity::Warning => &mut self.left_out.warnings,
        };
        let kept = || self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
        let is_full = *left_out > 0 || kept() >= MAX_FINDINGS;
        *left_out += usize::from(is_full);
        is_full
    }

    /// Whether one more error would be kept: what is not need not be written.
    pub(super) const fn has_room(&self) -> bool {
        self.left_out.errors == 0
    }

    /// Where the findings end now.
    pub(super) const fn mark(&self) -> Mark {
        Mark(self.diagnostics.len(), self.left_out)
    }

    /// Forgets what was found after a mark.
    pub(super) fn back_to(&mut self, Mark(length, left_out): Mark) {
        self.diagnostics.truncate(length);
        self.left_out = left_out;
    }

    /// Adds a diagnostic about a whole file.
    pub(super) fn add_whole(&mut self, severity: Severity, code: Code, source: usize, message: String, help: String) {
        if self.is_full(severity) {
            return;
        }
        let file = self.sources.get(source).map(|source| source.name.clone()).unwrap_or_default();
        let (line, column, span) = (0, 0, 0..0);
        let (message, help) = (shortened(message), shortened(help));
        self.diagnostics.push(Diagnostic { code, severity, file, line, column, span, source, message, help });
    }

    /// The texts it is about.
    pub(super) fn sources(&self) -> Sources {
        self.sources.clone()
    }

    /// How many of them are no errors.
    #[must_use]
    pub fn warnings(&self) -> usize {
        let kept = self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Warning).count();
        kept + self.left_out.warnings
    }

    /// Takes over what another report says of the same configuration.
    pub(crate) fn take(&mut self, other: Self) {
        self.diagnostics.extend(other.diagnostics);
        self.left_out.errors += other.left_out.errors;
        self.left_out.warnings += other.left_out.warnings;
        self.sort();
    }

    /// Puts the diagnostics into the order of the lines.
    pub(super) fn sort(&mut self) {
        self.diagnostics.sort_by_key(|diagnostic| (diagnostic.source, diagnostic.span.start));
    }

    /// Whether any of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
        self.left_out.errors > 0 || self.diagnostics.iter().any(is_error)
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
        let mut all: BTreeMap<usize, Masked> = BTreeMap::new();
        let nothing = Source::ron("", "");
        let each = self.diagnostics.iter().map(|diagnostic| {
            let source = self.sources.get(diagnostic.source).unwrap_or(&nothing);
            let masked = &*all.entry(diagnostic.source).or_insert_with(|| Masked::new(source));
            let text = renderer.render(&[group(diagnostic, masked)]);
            // The renderer counts columns in the masked line; an editor needs those of the file.
            let (line, shown) = position(&masked.text, masked.place(&diagnostic.span).start);
            let place = |column| format!("{}:{line}:{column}", diagnostic.file);
            text.replacen(&place(shown), &place(diagnostic.column), 1)
        });
        let mut text = each.collect::<Vec<_>>().join("\n\n");
        if !text.is_empty() {
            text.push('\n');
        }
        let LeftOut { errors, warnings } = self.left_out;
        if errors + warnings > 0 {
            _ = writeln!(text, "\nand {errors} more errors, {warnings} more warnings");
        }
        text
    }

    /// For logs: a line each, without the lines of the files.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let line = |found: &Diagnostic| {
            let place = if found.line == 0 { String::new() } else { format!(":{}:{}", found.line, found.column) };
            let help = if found.help.is_empty() { String::new() } else { format!("; {}", found.help) };
            let Diagnostic { file, code, message, .. } = found;
            format!("{file}{place}: {} {code}: {message}{help}", severity(found.severity))
        };
        self.diagnostics.iter().map(line).collect()
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
}

/// What the renderer makes of one diagnostic.
fn group<'a>(diagnostic: &'a Diagnostic, masked: &'a Masked) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&diagnostic.message).id(diagnostic.code.to_string());
    let mut group = if diagnostic.line == 0 {
        title.element(Origin::path(&diagnostic.file))
    } else {
        // The renderer goes through all that it is given.
        let (line, text, span) = masked.lines(&diagnostic.span);
        let mark = AnnotationKind::Primary.span(span);
        title.element(Snippet::source(text).path(&diagnostic.file).line_start(line).annotation(mark))
    };
    if !diagnostic.help.is_empty() {
        group = group.element(Level::HELP.message(&diagnostic.help));
    }
    group
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

    fn new(source: &Source) -> Self {
        let (original, hidden) = (source.text.as_str(), source.hidden.clone());
        let (mut text, mut copied) = (String::with_capacity(original.len()), 0);
        for range in &hidden {
            text += original.get(copied..range.start).unwrap_or_default();
            text += Self::STARS;
            copied = range.end;
        }
        text += original.get(copied..).unwrap_or_default();
        Self { text, hidden }
    }

    /// The lines with the bytes `span` of the original: the number of the first, their text, and the bytes in it.
    fn lines(&self, span: &Range<usize>) -> (usize, &str, Range<usize>) {
        let span = self.place(span);
        let from = self.text.get(..span.start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        let rest = self.text.get(span.end..).unwrap_or_default();
        let to = rest.find('\n').map_or(self.text.len(), |at| span.end + at);
        let text = self.text.get(from..to).unwrap_or_default();
        (position(&self.text, from).0, text, span.start - from..span.end - from)
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

/// A message without its end, if it is long: a name in it may be as long as the file.
fn shortened(text: String) -> String {
    match text.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// `text` as JSON writes it. Builds without a JSON crate have this report too.
pub(super) fn quoted(text: &str) -> String {
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
        let masked = Masked::new(&Source::ron("", text));
        assert_eq!(masked.text, "(password: ***, name: \"x\", password: ***, port: 0)");
        for word in ["name", "port: 0", "password"] {
            let at = text.find(word).expect("the word is there");
            assert_eq!(&masked.text[masked.place(&(at..at + word.len()))], word);
        }
        let inside = text.find("heim").expect("the word is there");
        assert_eq!(&masked.text[masked.place(&(inside..inside + 1))], "***");
    }
}
