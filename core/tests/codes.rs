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
