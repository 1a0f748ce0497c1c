//! A resource that somebody adds from outside, as text: nothing in its values can become more than a value.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use towline_core::work::configuration::Addition;

use super::Configured;
use super::parse::plain;
use super::read::Kind;
use super::table::Resource;

/// Directives whose value is a command, in one pair of quotation marks.
const COMMANDS: [&str; 5] =
    ["RunBeforeJob", "RunAfterJob", "RunAfterFailedJob", "ClientRunBeforeJob", "ClientRunAfterJob"];

/// The tree of files that a resource can be added to, if the configuration that is read from `origin` has one.
pub(in super::super) fn tree_of<T: Configured>(origin: &Path) -> Option<PathBuf> {
    let component = T::COMPONENT;
    let has = |name: &str| origin.join(name).exists();
    let tree = origin.join(component.tree);
    (tree.is_dir() && !has(component.ron) && !has(component.file)).then_some(tree)
}

/// The kind of a resource as Bareos writes it, and its text.
///
/// # Errors
/// Which word cannot stand there, in one line.
pub(in super::super) fn resource_text<T: Configured>(addition: &Addition) -> Result<(&'static str, String), String> {
    let Addition { kind, name, directives } = addition;
    let known = T::COMPONENT.resource(kind).filter(|resource| resource.name != "Director");
    let resource = known.ok_or_else(|| format!("there is one director, or no kind of resource {kind:?}"))?;
    let mut text = format!("{} {{\n  Name = {}\n", resource.name, quoted(name)?);
    for (directive, value) in directives {
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-');
        if plain(directive).is_empty() || !directive.chars().all(is_word) {
            return Err(format!("{directive:?} cannot stand where a directive is named"));
        }
        let _infallible = writeln!(text, "  {directive} = {}", written(resource, directive, value)?);
    }
    Ok((resource.name, text + "}\n"))
}

/// A value as its directive takes it.
fn written(resource: &Resource, directive: &str, value: &str) -> Result<String, String> {
    match resource.directive(directive).map(|known| known.kind) {
        Some(Kind::Words) => {
            let each: Result<Vec<_>, _> = value.split(',').map(|one| quoted(one.trim())).collect();
            each.map(|all| all.join(", "))
        }
        Some(Kind::Any) if is_bare(value) => Ok(value.to_owned()),
        Some(Kind::Any) if COMMANDS.iter().any(|command| plain(command) == plain(directive)) => quoted(value),
        Some(Kind::Any) => Err(format!("{value:?} cannot stand after {directive}: it is no row of plain words")),
        // The reader knows why it is none of these.
        Some(Kind::Text) | None => quoted(value),
        Some(_) if is_bare(value) => Ok(value.to_owned()),
        Some(_) => quoted(value),
    }
}

/// Words that mean nothing but themselves.
fn is_bare(value: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " _-.:/+=,!*".contains(c);
    !value.trim().is_empty() && value.chars().all(is_plain)
}

fn quoted(value: &str) -> Result<String, String> {
    if value.chars().any(char::is_control) {
        return Err(format!("{value:?} cannot stand in a line"));
    }
    Ok(format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")))
}
