//! RON text to a typed configuration, and RON's errors to diagnostics with the nearest valid name.

use std::ops::Range;

use ron::error::{Error, Position, SpannedError};
use ron::extensions::Extensions;
use serde::de::DeserializeOwned;
use towline_core::config::{Built, Check, Severity};
use towline_core::error::Code;
use towline_core::explain::codes;
use towline_core::nearest::nearest;

use super::locate::{Tree, passwords, resource_at};
use super::report::Report;
use super::scan::token_at;

/// RON as Towline reads and writes it: an optional value is written without `Some(…)`, a choice with its fields at once,
/// as in `sqlite(path: "…")`.
pub(super) fn options() -> ron::Options {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES)
}

/// Reads and checks the text of `file`. The report beside the configuration holds warnings only.
///
/// # Errors
/// Everything that is wrong, if any of it is an error.
pub fn parse<T: DeserializeOwned + Check>(file: &str, text: &str, built: Built) -> Result<(T, Report), Report> {
    let (config, report, _) = typed(file, text, built)?;
    if report.has_errors() { Err(report) } else { Ok((config, report)) }
}

/// The same, but a configuration of the right shape comes with its findings, errors too, and with where its values are.
pub(super) fn typed<T: DeserializeOwned + Check>(
    file: &str,
    text: &str,
    built: Built,
) -> Result<(T, Report, Tree), Report> {
    let mut report = Report::new(file, text);
    let config: T = match options().from_str(text) {
        Ok(config) => config,
        Err(error) => {
            syntax(&mut report, text, &error);
            return Err(report);
        }
    };
    let tree = Tree::new(text);
    for finding in config.check(built) {
        let span = tree.locate(&finding.path);
        report.add(finding.severity, finding.code, Some(span), finding.message, finding.help);
    }
    report.sort();
    Ok((config, report, tree))
}

fn syntax(report: &mut Report, text: &str, error: &SpannedError) {
    if text.trim().is_empty() {
        let help = "write a configuration into it; `towline init` makes those of a whole network".to_owned();
        return report.add(Severity::Error, codes::SYNTAX, None, "the file is empty".to_owned(), help);
    }
    let mut span = trimmed(text, byte(text, error.span.start)..byte(text, error.span.end));
    let (code, mut message, help) = explain(&error.code);
    if let Error::MissingStructField { .. } = error.code {
        // RON points at the end of the resource; its name says more.
        span = resource_at(text, span.start).unwrap_or(span);
    }
    if let Error::NoSuchStructField { found, .. } | Error::NoSuchEnumVariant { found, .. } = &error.code
        && let Some(at) = text[span.clone()].find(found.as_str())
    {
        span = span.start + at..span.start + at + found.len();
    }
    if code == codes::WRONG_VALUE {
        span = token_at(text, span.start).unwrap_or(span);
    }
    // What RON says about a wrong value may quote it.
    let secret = passwords(text).iter().any(|hidden| hidden.start <= span.start && span.start <= hidden.end);
    if secret && code == codes::WRONG_VALUE {
        "a password is text in quotes".clone_into(&mut message);
    }
    report.add(Severity::Error, code, Some(span), message, help);
}

/// What the configurations of the programs are called.
const PROGRAMS: [(&str, &str); 5] = [
    ("DirectorConfig", "the director"),
    ("FileConfig", "the file daemon"),
    ("StorageConfig", "the storage daemon"),
    ("ConsoleConfig", "the console"),
    ("TrayConfig", "the tray monitor"),
];

/// A resource by the name of its type; a whole configuration by whose it is.
fn in_words(name: &str) -> String {
    let whose = PROGRAMS.iter().find(|(of, _)| *of == name);
    whose.map_or_else(|| format!("`{name}`"), |(_, whose)| format!("the configuration of {whose}"))
}

/// Whose configuration has this field and no other's has.
fn owner(field: &str) -> Option<&'static str> {
    Some(match field {
        "director" => "a director or a console",
        "file" => "a file daemon",
        "storage" => "a storage daemon",
        "monitor" => "a tray monitor",
        _ => return None,
    })
}

/// Code, message and help of an error of RON.
fn explain(error: &Error) -> (Code, String, String) {
    let of = |outer: &Option<String>| outer.as_deref().map_or_else(|| "this".to_owned(), in_words);
    match error {
        Error::NoSuchStructField { expected, found, outer } => {
            let message = format!("{} has no field `{found}`", of(outer));
            let mut help = suggestion(found, expected);
            let is_whole = outer.as_deref().is_some_and(|outer| PROGRAMS.iter().any(|(of, _)| *of == outer));
            if is_whole && let Some(owner) = owner(found) {
                help += &format!("; if this is the configuration of {owner}, another program reads it");
            }
            (codes::UNKNOWN_FIELD, message, help)
        }
        Error::NoSuchEnumVariant { expected, found, .. } => {
            (codes::UNKNOWN_VALUE, format!("`{found}` is no value of this field"), suggestion(found, expected))
        }
        Error::MissingStructField { field, outer } => {
            (codes::MISSING_FIELD, format!("{} needs the field `{field}`", of(outer)), format!("add `{field}: …,`"))
        }
        Error::DuplicateStructField { field, outer } => {
            let message = format!("{} has the field `{field}` twice", of(outer));
            (codes::DUPLICATE_FIELD, message, "remove one of them".to_owned())
        }
        Error::InvalidValueForType { expected, found } => {
            (codes::WRONG_VALUE, format!("expected {expected}, found {found}"), String::new())
        }
        Error::IntegerOutOfBounds => {
            (codes::WRONG_VALUE, "the number is out of range".to_owned(), "a port is 1 to 65535".to_owned())
        }
        Error::ExpectedString => {
            (codes::WRONG_VALUE, "expected text".to_owned(), "write it in double quotes: \"…\"".to_owned())
        }
        Error::ExpectedBoolean => (codes::WRONG_VALUE, "expected `true` or `false`".to_owned(), String::new()),
        Error::ExpectedInteger => (codes::WRONG_VALUE, "expected a whole number".to_owned(), String::new()),
        Error::ExpectedArray => {
            (codes::WRONG_VALUE, "expected a list".to_owned(), "write it in brackets: [ … ]".to_owned())
        }
        Error::ExpectedMap => {
            (codes::WRONG_VALUE, "expected a map".to_owned(), "write it as { \"name\": … }".to_owned())
        }
        Error::ExpectedStructLike | Error::ExpectedNamedStructLike(_) => {
            (codes::WRONG_VALUE, "expected a resource".to_owned(), "write it as ( field: value, … )".to_owned())
        }
        Error::ExpectedComma => {
            (codes::SYNTAX, "a comma or a closing bracket is missing before this".to_owned(), String::new())
        }
        Error::TrailingCharacters => (
            codes::SYNTAX,
            "there is more after the bracket that closes the configuration".to_owned(),
            "remove it, or move it into the brackets".to_owned(),
        ),
        Error::ExceededRecursionLimit => (codes::SYNTAX, "the values are nested too deeply".to_owned(), String::new()),
        other => (codes::SYNTAX, lower_case(&other.to_string()), String::new()),
    }
}

fn suggestion(found: &str, expected: &[&'static str]) -> String {
    match nearest(found, expected.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", expected.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    }
}

fn lower_case(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// The byte of a position of RON: line and column from 1, the column in characters.
fn byte(text: &str, position: Position) -> usize {
    let start = text.split_inclusive('\n').take(position.line.saturating_sub(1)).map(str::len).sum::<usize>();
    let line = text[start..].split_inclusive('\n').next().unwrap_or("");
    start + line.chars().take(position.col.saturating_sub(1)).map(char::len_utf8).sum::<usize>()
}

/// `span` without white space, a comma or a colon at its ends; at least one character if there is one, one line.
fn trimmed(text: &str, span: Range<usize>) -> Range<usize> {
    let inside = &text[span.start..span.end.max(span.start)];
    let inside = inside.trim_start();
    let start = span.end.max(span.start) - inside.len();
    let length = inside.lines().next().unwrap_or("").trim_end_matches([',', ':', ' ', '\t']).len();
    let least = text[start..].chars().next().map_or(0, char::len_utf8);
    start..start + length.max(least)
}
