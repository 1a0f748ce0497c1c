//! Every setting acts somewhere, or is refused: `core/docs/settings.md` says where, and the sources must agree.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use towline_core::config::{Built, Check as _, DirectorConfig, Severity};

/// Fields by resource, in the order of the sources.
type Fields = BTreeMap<String, Vec<String>>;

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A source without the tests at its end.
fn source(path: &str) -> String {
    read(path).split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

/// The texts of the files that declare resources.
fn declarations() -> Vec<String> {
    let files = fs::read_dir(workspace().join("core/src/config")).expect("the sources are there");
    let paths =
        files.map(|file| file.expect("a file").path()).filter(|path| path.extension().is_some_and(|e| e == "rs"));
    let mut paths: Vec<_> = paths.collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).expect("a source can be read")).collect()
}

/// Every field that `resources!` declares.
fn declared() -> Fields {
    let mut fields = Fields::new();
    for text in declarations() {
        let Some((_, block)) = text.split_once("\nresources! {\n") else { continue };
        let block = block.split_once("\n}\n").map_or(block, |(block, _)| block);
        let mut resource = String::new();
        for line in block.lines() {
            let indent = line.len() - line.trim_start().len();
            let line = line.trim_start().trim_start_matches("r#");
            match (indent, line.split_once(':')) {
                (4, _) if line.ends_with(" {") => {
                    line.trim_end_matches(" {").clone_into(&mut resource);
                    fields.entry(resource.clone()).or_default();
                }
                (8, Some((field, _))) if !line.starts_with("//") => {
                    fields.entry(resource.clone()).or_default().push(field.to_owned());
                }
                _ => {}
            }
        }
    }
    fields
}

/// A row: resource, field, where it acts, and how it is written there.
struct Row {
    resource: String,
    field: String,
    acts: String,
    text: String,
}

fn rows() -> Vec<Row> {
    let (mut rows, mut resource) = (Vec::new(), String::new());
    for line in read("core/docs/settings.md").lines() {
        if let Some(name) = line.strip_prefix("## ") {
            name.clone_into(&mut resource);
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", field, acts, text, ""] = cells[..]
            && field != "field"
            && !field.starts_with("---")
        {
            let (field, acts) = (field.to_owned(), acts.to_owned());
            rows.push(Row { resource: resource.clone(), field, acts, text: text.trim_matches('`').to_owned() });
        }
    }
    rows
}

#[test]
fn every_field_has_a_row_and_every_row_a_field() {
    let declared = declared();
    assert!(
        declared.len() > 25 && declared.values().map(Vec::len).sum::<usize>() > 240,
        "the search works: {declared:?}"
    );
    let mut listed = Fields::new();
    for row in rows() {
        listed.entry(row.resource).or_default().push(row.field);
    }
    for (resource, fields) in &declared {
        assert_eq!(listed.get(resource), Some(fields), "{resource}: bring core/docs/settings.md up to date");
    }
    assert_eq!(listed.len(), declared.len(), "a resource that is not there");
}

#[test]
fn each_source_mentions_the_field_it_acts_on() {
    let declarations = declarations();
    let acts = |row: &&Row| !row.acts.starts_with("refused") && !row.acts.starts_with("a note for people");
    for Row { resource, field, acts, text } in rows().iter().filter(acts) {
        let paths: Vec<&str> = acts.split('`').skip(1).step_by(2).collect();
        let acting = source(paths[0]);
        assert!(acting.contains(text.as_str()), "{resource}.{field}: {} does not mention {text}", paths[0]);
        let own = [format!(".{field}"), format!(".r#{field}")];
        let names = |text: &str| own.iter().any(|own| text.contains(own.as_str()));
        // It is translated elsewhere, or read by a function of the configuration.
        let is_read = match paths.get(1) {
            Some(translator) => names(&source(translator)),
            None => names(text) || acting.contains(&own[0]) || declarations.iter().any(|text| reads(text, &own)),
        };
        assert!(is_read, "{resource}.{field}: nobody reads {}", own[0]);
    }
}

/// Whether a declaration has functions of its own that read the field.
fn reads(declaration: &str, own: &[String]) -> bool {
    declaration.split("\nimpl ").skip(1).any(|functions| own.iter().any(|own| functions.contains(own.as_str())))
}

fn director() -> Value {
    json!({
        "director": { "name": "dir", "password": "p1" },
        "clients": [{ "name": "fd", "address": "a.example", "password": "p2" }],
        "storages": [{ "name": "disk", "address": "b.example", "password": "p3", "device": "dev", "media_type": "File" }],
        "jobs": [{ "name": "a", "client": "fd", "fileset": "home", "storage": "disk", "pool": "Full" }],
        "filesets": [{ "name": "home", "include": [{ "files": ["/home"] }] }],
        "pools": [{ "name": "Full" }],
    })
}

#[test]
fn what_nothing_acts_on_is_refused_by_its_code_and_its_default_is_not() {
    let check = |value: Value| serde_json::from_value::<DirectorConfig>(value).unwrap().check(Built { psk: true });
    assert_eq!(check(director()), []);
    let mut seen = 0;
    for Row { resource, field, acts, text } in rows().iter().filter(|row| row.acts.starts_with("refused")) {
        let code = acts.trim_start_matches("refused ");
        let (pointer, value) = text.split_once(" = ").expect("a place and a value");
        let (parent, name) = pointer.rsplit_once('/').expect("a place in a resource");
        assert!(resource == "DirectorConfig" || name == field, "{resource}.{field}: {pointer}");
        let mut config = director();
        let root = parent.split('/').nth(1).expect("a resource");
        let empty = json!({});
        if config.get(root).is_none() {
            config[root] = empty.clone();
        }
        if config.pointer(parent).is_none() {
            let (outer, last) = parent.rsplit_once('/').expect("inside a resource");
            config.pointer_mut(outer).expect("a resource")[last] = empty;
        }
        config.pointer_mut(parent).expect("a resource")[name] = serde_json::from_str(value).expect("a value");
        let findings = check(config);
        let found = findings.iter().find(|finding| finding.code.to_string() == code);
        let found = found.unwrap_or_else(|| panic!("{resource}.{field} = {value}: {findings:?}"));
        assert_eq!((found.severity, findings.len()), (Severity::Error, 1), "{findings:?}");
        assert!(found.message.contains(name) && found.help.contains("remove"), "{found:?}");
        seen += 1;
    }
    assert!(seen > 1, "{seen}");
}
