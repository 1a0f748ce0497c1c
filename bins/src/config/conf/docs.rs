//! `core/docs/directives.md` says of every directive what becomes of it: it is made from the tables, and from the list of
//! what Bareos has.
//!
//! After a change of a table, `BLESS=1` in the environment writes it anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use towline_core::config::{Built, ConsoleConfig, DirectorConfig, FileConfig, StorageConfig};
use towline_core::explain::codes;

use super::directives::{console, director, file, fileset, job, storage, tray};
use super::parse::{blocks, plain};
use super::schema::said;
use super::table::{Component, Resource};
use super::{Configured, Glob, expand};

const COMPONENTS: [&Component; 5] =
    [&director::COMPONENT, &storage::COMPONENT, &file::COMPONENT, &console::COMPONENT, &tray::COMPONENT];

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/docs").join(name)
}

/// Component, resource and directive of each line of the list.
fn listed() -> Vec<[String; 3]> {
    let text = std::fs::read_to_string(docs("wire/directives.tsv")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let fields = |line: &str| {
        let mut fields = line.split('\t').map(str::to_owned);
        std::array::from_fn(|_| fields.next().unwrap_or_default())
    };
    lines.map(fields).collect()
}

const HEAD: &str = "\
# Directives of Bareos and what becomes of them

Towline reads the configuration of Bareos as it is: `-c` takes a file, or a folder with one of its files or trees in it. This
table says of each directive what becomes of it.

* **acts**: it is the field of Towline's own configuration that the table names, or acts as the table says.
* **accepted without effect**: the table says what happens instead. `-t` lists a warning (`T0866`) for each.
* **disables**: the job, or each job with the fileset, is disabled or left out with a warning (`T0868`), because without it
  the job might save something else than was meant. The rest of the configuration works.
* **refused**: nothing starts (`T0867`), because leaving it out of account would lose data or let somebody in.

Names count without case, spaces, `_` and `-`. A directive that is not in the table is refused (`T0865`) with the nearest name.
What a file leaves out has Towline's default, as `settings.md` and the examples have it, with two exceptions, where Bareos allows less:
`Label Media` of a device is `no`, and `Maximum Concurrent Jobs` of a director is 1. Of TLS each resource has its own
settings, as in Bareos, and takes nothing from the daemon's.

The first resource of a console is its director, the tree of a folder is read from the end of the alphabet, and `@file` and
`@|command` stand for a text, both as in Bareos. A command has 30 seconds, a file 4 MiB, all of them together 64 MiB.

`bins/src/config/conf/docs.rs` makes this file from the tables in `bins/src/config/conf/directives/`, and a test compares it.
";

fn page() -> String {
    let mut text = HEAD.to_owned();
    for component in COMPONENTS {
        write!(text, "\n## {}\n", component.name).unwrap();
        for resource in component.resources {
            write!(text, "\n### {} of {}\n\n{}", resource.name, component.name, table(resource)).unwrap();
        }
    }
    text += "\n## Blocks of a fileset\n";
    for block in fileset::BLOCKS {
        write!(text, "\n### {} of a fileset\n\n{}", block.name, table(block)).unwrap();
    }
    text += "\n## Blocks of a job\n";
    write!(text, "\n### {} of a job\n\n{}", job::RUN_SCRIPT.name, table(&job::RUN_SCRIPT)).unwrap();
    text
}

fn table(resource: &Resource) -> String {
    let mut text = "| directive | becomes of it | how, or why |\n|---|---|---|\n".to_owned();
    for directive in resource.directives() {
        let names: Vec<_> = directive.names().map(|name| format!("`{name}`")).collect();
        let (what, how) = said(directive, &directive.act);
        writeln!(text, "| {} | {what} | {how} |", names.join(", ")).unwrap();
    }
    text
}

#[test]
fn every_directive_of_bareos_has_a_row() {
    let listed = listed();
    assert_eq!(listed.len(), 751);
    let missing: Vec<_> = listed
        .iter()
        .filter(|[component, resource, directive]| {
            let component = COMPONENTS.iter().find(|known| known.name == component);
            let resource = component.and_then(|component| component.resource(resource));
            resource.and_then(|resource| resource.directive(directive)).is_none()
        })
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn no_directive_has_two_rows_and_no_row_is_without_words() {
    let blocks = fileset::BLOCKS.iter().map(|block| ("a fileset", block)).chain([("a job", &job::RUN_SCRIPT)]);
    let all = COMPONENTS.iter().flat_map(|component| component.resources.iter().map(|one| (component.name, one)));
    for (of, resource) in all.chain(blocks) {
        let mut seen = BTreeSet::new();
        for directive in resource.directives() {
            for name in directive.names() {
                assert!(seen.insert(plain(name)), "{of}: {} has `{name}` twice", resource.name);
            }
            assert!(!said(directive, &directive.act).1.is_empty(), "{of}: {}", directive.name);
        }
    }
}

#[test]
fn the_table_in_the_docs_is_that_of_the_code() {
    let file = docs("directives.md");
    let wanted = page();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    let first = found.lines().zip(wanted.lines()).find(|(found, wanted)| found != wanted);
    assert!(found == wanted, "run this test with BLESS=1 and look at what changes; first: {first:?}");
}

/// The fixtures: each directive of Bareos stands in them.
fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bareos")
}

#[test]
fn the_corpus_has_every_directive_of_bareos() {
    let mut missing = listed();
    for component in COMPONENTS {
        let tree = format!("{}/{}/*/*.conf", corpus().display(), component.tree);
        let Glob::Files(mut files) = expand(&tree) else { panic!("{tree}") };
        files.push(corpus().join(format!("refused/{}.conf", component.name)));
        files.retain(|file| file.exists());
        let (tokens, _) = super::include::read(&files).unwrap();
        for block in blocks(&tokens).unwrap() {
            let resource = component.resource(&block.name.text).unwrap();
            for item in &block.items {
                assert!(resource.directive(&item.name.text).is_some(), "{}: {}", resource.name, item.name.text);
                missing.retain(|[of, kind, directive]| {
                    of != component.name || kind != resource.name || plain(directive) != plain(&item.name.text)
                });
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn what_is_refused_whatever_it_says_is_refused_in_the_corpus() {
    fn each<T: Configured>() {
        let file = corpus().join(format!("refused/{}.conf", T::COMPONENT.name));
        let text = std::fs::read_to_string(&file).unwrap();
        let Err(report) = super::typed::<T>(&[file], Built { psk: true }).map(|_| ()) else { panic!("it is refused") };
        let directives = text.lines().filter(|line| line.contains('=')).count();
        let refused = report.diagnostics.iter().filter(|found| found.code == codes::REFUSED_DIRECTIVE).count();
        assert_eq!(refused, directives, "{report}");
    }
    each::<DirectorConfig>();
    each::<StorageConfig>();
    each::<FileConfig>();
    each::<ConsoleConfig>();
}
