//! Every code that any source of the workspace gives has a page.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use towline_core::error::Code;
use towline_core::explain;

/// The numbers of all `Code(…)` literals below a folder, with one place of each.
fn literals(folder: &Path, found: &mut BTreeMap<u16, PathBuf>) {
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            literals(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).expect("a source can be read");
            for piece in text.split("Code(").skip(1) {
                let number = piece.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
                if let Ok(number) = number.parse() {
                    found.insert(number, path.clone());
                }
            }
        }
    }
}

#[test]
fn every_code_that_a_source_gives_has_a_page() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = BTreeMap::new();
    for part in ["core", "bins", "simtests", "runtime-blocking", "runtime-smol", "runtime-tokio"] {
        literals(&workspace.join(part).join("src"), &mut found);
    }
    assert!(found.contains_key(&110), "the search works");
    // A number that no page has, to show what page() says of it.
    found.remove(&100);
    let missing: Vec<_> = found.iter().filter(|(number, _)| explain::page(Code(**number)).is_none()).collect();
    assert!(missing.is_empty(), "give these a page in core/src/explain: {missing:?}");
}

/// The sources of a part without what stands after its tests.
fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).expect("a source can be read");
            let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
            found.push((path, text));
        }
    }
}

#[test]
fn every_warning_and_error_in_a_log_has_a_code() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut all = Vec::new();
    for part in
        ["core/src/role", "core/src/node", "bins/src", "runtime-blocking/src", "runtime-smol/src", "runtime-tokio/src"]
    {
        sources(&workspace.join(part), &mut all);
    }
    // Where the log itself is written, and where a console says what its user sees anyway.
    let written = ["bins/src/daemon/log.rs", "node/net.rs"];
    let mut bare = Vec::new();
    for (path, text) in all.iter().filter(|(path, _)| !written.iter().any(|end| path.ends_with(end))) {
        for begins in ["net.log(Level::Warn", "net.log(Level::Error", "tracing::warn!(", "tracing::error!("] {
            for (at, _) in text.match_indices(begins) {
                let line: String = text[at..].chars().take(90).collect();
                if !line.starts_with("tracing::") || !line.contains("complaint(Code(") {
                    bare.push(format!("{}: {}", path.display(), line.lines().next().unwrap_or_default()));
                }
            }
        }
    }
    assert!(bare.is_empty(), "say whose fault it is and what to do: {bare:#?}");
    assert!(all.iter().any(|(_, text)| text.contains("complain(")), "the search works");
}
