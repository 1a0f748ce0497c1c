//! Which of the two syntaxes a configuration is written in, told by what is there.

use std::path::{Path, PathBuf};

use towline_core::config::Severity;
use towline_core::explain::codes;

use super::conf::{Component, Glob, expand};
use super::{Report, read};

/// What a path leads to.
#[derive(Debug)]
pub(super) enum Syntax {
    /// A file in RON.
    Ron(PathBuf),
    /// Files in Bareos' syntax, in the order in which they count.
    Conf(Vec<PathBuf>),
}

/// Looks at what `path` is. A folder holds a file in RON, or what Bareos has for this program: one file of that name, else a
/// tree. A file that cannot be read is taken for RON, whose reader says why.
pub(super) fn tell(path: &Path, component: &Component) -> Result<Syntax, Report> {
    if path.is_dir() {
        return folder(path, component);
    }
    let by_name = path.extension().is_some_and(|end| end == "conf");
    let is_conf = match read(path) {
        Ok(text) => begins_as_conf(&text).unwrap_or(by_name),
        // Its reader names the line of a byte that is no text.
        Err(_) => by_name,
    };
    Ok(if is_conf { Syntax::Conf(vec![path.to_owned()]) } else { Syntax::Ron(path.to_owned()) })
}

fn folder(path: &Path, component: &Component) -> Result<Syntax, Report> {
    let (ron, single) = (path.join(component.ron), path.join(component.file));
    let tree = path.join(component.tree);
    let conf = if single.exists() {
        Some(vec![single])
    } else if tree.is_dir() {
        match expand(&tree.join("*").join("*.conf").display().to_string()) {
            Glob::Files(files) => Some(files),
            Glob::None => Some(Vec::new()),
        }
    } else {
        None
    };
    let name = path.display().to_string();
    let mut report = Report::new(&name, "");
    // One that may not be looked for is read, which says so.
    match (ron.try_exists().unwrap_or(true), conf) {
        (true, None) => Ok(Syntax::Ron(ron)),
        (false, Some(files)) if !files.is_empty() => Ok(Syntax::Conf(files)),
        (true, Some(_)) => {
            let message = format!("the folder has both {} and a configuration in Bareos' syntax", component.ron);
            let help = "name the one that counts, or move the other away".to_owned();
            report.add(Severity::Error, codes::NO_CONFIGURATION, None, message, help);
            Err(report)
        }
        (false, _) => {
            let message = "the folder has no configuration for this program".to_owned();
            let help = format!(
                "name a file, or a folder with {}, {} or {}/*/*.conf",
                component.ron, component.file, component.tree
            );
            report.add(Severity::Error, codes::NO_CONFIGURATION, None, message, help);
            Err(report)
        }
    }
}

/// Whether a text begins as one in Bareos' syntax does. `None` if there is nothing to tell it by.
fn begins_as_conf(text: &str) -> Option<bool> {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after).trim_start();
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after).trim_start();
        } else {
            break;
        }
    }
    if rest.starts_with("#!") {
        return Some(false);
    }
    let first = rest.chars().next()?;
    let after_words = rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_' || c.is_whitespace());
    match first {
        '(' => Some(false),
        '#' | '@' => Some(true),
        first if first.is_alphabetic() && after_words.starts_with('(') => Some(false),
        first if first.is_alphabetic() && after_words.starts_with(['{', '=', '@', '#']) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syntax_is_told_by_how_a_text_begins() {
        for text in ["Director {\n", "# a comment\n(", "@/etc/x.conf", "\u{feff}Job Defs{", "  Pool\n{", "a = 1"] {
            assert_eq!(begins_as_conf(text), Some(true), "{text:?}");
        }
        for text in ["(", "// #\n(", "/* { */ Config(", "#![enable(implicit_some)]\n("] {
            assert_eq!(begins_as_conf(text), Some(false), "{text:?}");
        }
        for text in ["", "// only a comment", "\"text\"", "word"] {
            assert_eq!(begins_as_conf(text), None, "{text:?}");
        }
    }
}
