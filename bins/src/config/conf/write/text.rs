//! Values and blocks as text.

use serde_json::Value;
use towline_core::config::{Bytes, Seconds};

use super::super::read::Kind;
use super::Fields;

/// `Name { … }`, with the lines a step deeper.
pub(super) fn block(name: &str, lines: &[String]) -> String {
    let mut text = format!("{name} {{\n");
    for line in lines {
        text += "  ";
        // A text that goes on in the next line has all that stands there, and so it gets no step.
        let (mut is_quoted, mut is_escaped) = (false, false);
        for c in line.chars() {
            text.push(c);
            if c == '\n' && !is_quoted {
                text += "  ";
            }
            is_quoted ^= c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
        }
        text.push('\n');
    }
    text + "}\n"
}

pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A value as its kind is written, each of a list for a line of its own: of some lists Bareos reads no more than that.
/// `None` if the kind has no words for it.
pub(super) fn shown(kind: Kind, value: &Value) -> Option<Vec<String>> {
    let text = match kind {
        Kind::Bool => if value.as_bool()? { "yes" } else { "no" }.to_owned(),
        Kind::Number | Kind::Port => value.as_u64()?.to_string(),
        Kind::Time => format!("{} seconds", serde_json::from_value::<Seconds>(value.clone()).ok()?.0),
        Kind::Size | Kind::Speed => serde_json::from_value::<Bytes>(value.clone()).ok()?.0.to_string(),
        Kind::Choice(words) => words.iter().find(|(_, ours)| value.as_str() == Some(ours))?.0.to_owned(),
        Kind::Text => quoted(value.as_str()?),
        Kind::Words => return Some(one_of(value)?.iter().map(|text| quoted(text)).collect()),
        Kind::Any => return None,
    };
    Some(vec![text])
}

/// A value that is text or a number, or a list of these.
pub(super) fn one_of(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(list) if list.iter().any(|one| one.is_array() || one.is_object()) => None,
        Value::Array(list) => list.iter().map(|one| Some(one_of(one)?.concat())).collect(),
        Value::String(text) => Some(vec![text.clone()]),
        Value::Number(number) => Some(vec![number.to_string()]),
        Value::Bool(is) => Some(vec![if *is { "yes" } else { "no" }.to_owned()]),
        _ => None,
    }
}

/// Addresses before a second `=`, if there are any.
pub(super) fn one_of_each(to: Vec<String>) -> String {
    if to.is_empty() { String::new() } else { format!("{} = ", one(&to)) }
}

/// Takes a field as its texts.
pub(super) fn taken(fields: &mut Fields, field: &str) -> Option<Vec<String>> {
    fields.remove(field).as_ref().and_then(one_of)
}

pub(super) fn one(texts: &[String]) -> String {
    texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")
}
