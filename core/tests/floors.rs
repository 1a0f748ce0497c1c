//! The floors of the core: a file names only what stands on its own floor or beneath it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The floors, lowest first. A folder stands for all in it that has no floor of its own.
const FLOORS: &[&[&str]] = &[
    &[
        "address",
        "buf",
        "calendar",
        "cover",
        "error",
        "ids",
        "limits",
        "naming",
        "nearest",
        "printable",
        "quantity",
        "quiet",
        "regex",
        "secret",
        "time",
        "wild",
    ],
    &["explain"],
    &["wire"],
    &["script"],
    &["tls"],
    &["bulk"],
    &["socket"],
    &["config"],
    &["catalog"],
    &["work"],
    &["conn"],
    &["notice"],
    &["event", "action"],
    &["node"],
    &["channel"],
    &["config/check"],
    &["role"],
    &["drive"],
    &["conformance", "fuzzing"],
];

#[test]
fn no_file_names_a_floor_above_its_own() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&source, &mut files);
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for file in files {
        let own = file.strip_prefix(&source).unwrap().with_extension("").to_string_lossy().replace("/mod", "");
        // Tests may look at everything, and lib.rs lists it.
        if own == "lib" || own.split('/').any(|part| part == "tests") {
            continue;
        }
        let floor = floor_of(&own).unwrap_or_else(|| panic!("core/src/{own} has no floor"));
        seen.insert(floor);
        for path in named(&fs::read_to_string(&file).unwrap()) {
            let there =
                floor_of(&path).unwrap_or_else(|| panic!("core/src/{own} names crate::{path}, which has no floor"));
            if there > floor {
                wrong.push(format!("core/src/{own} names crate::{path}"));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(seen.len(), FLOORS.len(), "a floor has no file");
}

#[test]
fn a_path_is_found_in_each_form_of_a_use() {
    let code = "use crate::wire::{a, b};\nuse crate::{bulk, tls::{c, d}};\n// use crate::role::x;\nfn f() { crate::node::g() }\n\
                #[cfg(test)]\nmod tests { use crate::drive; }";
    assert_eq!(named(code), ["wire/a", "wire/b", "bulk", "tls/c", "tls/d", "node/g"]);
    assert!(floor_of("config/check/reach") > floor_of("channel") && floor_of("channel") > floor_of("config/pool"));
}

/// The floor of a module, by its path with slashes: the longest entry that it lies in.
fn floor_of(module: &str) -> Option<usize> {
    let lies_in = |entry: &str| module.strip_prefix(entry).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let entries =
        FLOORS.iter().enumerate().flat_map(|(floor, entries)| entries.iter().map(move |entry| (floor, *entry)));
    entries.filter(|(_, entry)| lies_in(entry)).max_by_key(|(_, entry)| entry.len()).map(|(floor, _)| floor)
}

/// What the code of a file names of this crate, tests and comments left out.
fn named(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for (at, head) in code.match_indices("crate::") {
        let is_word = code[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$'));
        if !is_word {
            paths("", &code[at + head.len()..], &mut found);
        }
    }
    found
}

/// The paths of two parts at most that begin here, braces opened; returns what follows them.
fn paths<'a>(before: &str, text: &'a str, found: &mut Vec<String>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start().trim_start_matches(',').trim_start();
            if rest.is_empty() {
                return rest;
            }
            if let Some(rest) = rest.strip_prefix('}') {
                return rest;
            }
            rest = paths(before, rest, found);
        }
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '*').unwrap_or(text.len());
    let (word, rest) = text.split_at(end.max(usize::from(end == 0 && !text.is_empty())));
    let path = if before.is_empty() { word.to_owned() } else { format!("{before}/{word}") };
    match rest.strip_prefix("::") {
        Some(rest) if before.is_empty() => paths(&path, rest, found),
        Some(rest) => {
            found.push(path);
            let end = rest.find([',', '}', ';', '\n']).unwrap_or(rest.len());
            skip(&rest[..end], &rest[end..])
        }
        None => {
            found.push(path);
            let end = rest.find([',', '}', ';', '\n']).unwrap_or(rest.len());
            &rest[end..]
        }
    }
}

/// What follows a deeper path: after its braces, if it has any.
fn skip<'a>(head: &str, rest: &'a str) -> &'a str {
    match head.contains('{') {
        true => rest.find('}').map_or("", |end| &rest[end + 1..]),
        false => rest,
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let listed = fs::read_dir(folder).expect("a folder of the source");
    let mut entries: Vec<PathBuf> = listed.map(|entry| entry.expect("an entry of it").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
