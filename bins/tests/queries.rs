//! Questions to the catalog in SQL, of a person and stored ones, through a running director.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::path::{Path, PathBuf};

use support::console::Console;
use support::daemon::Daemon;

const QUERIES: &str = "\
# what people ask for
:The pools
SELECT Name FROM Pool ORDER BY Name;
:A pool by its name
*Enter the name:
*Enter a text:
!SELECT Name, '%2' AS Said FROM Pool WHERE Name = '%1';
SELECT count(*) AS Pools FROM Pool WHERE Name LIKE '%1%%';
:A change
DELETE FROM Pool;
";

fn director(folder: &Path) -> (Daemon, Console) {
    std::fs::write(folder.join("queries.sql"), QUERIES).unwrap();
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_towline-dir"))];
    let daemon = Daemon::start("director", &program, folder, |port| {
        format!(
            "(director: (name: \"d\", password: \"p\", listen: [\"127.0.0.1\"], port: {port}, query_file: \"{}/queries.sql\"),\n\
             pools: [(name: \"first\"), (name: \"second\")],\n\
             jobs: [(name: \"restore\", kind: restore, client: \"c\", fileset: \"s\", storage: \"s\", pool: \"first\")],\n\
             clients: [(name: \"c\", address: \"127.0.0.1\", password: \"x\")], filesets: [(name: \"s\", include: [(files: [\"/x\"])])],\n\
             storages: [(name: \"s\", address: \"127.0.0.1\", password: \"x\", device: \"d\", media_type: \"File\")],\n\
             catalog: sqlite(path: \"catalog.sqlite\"))\n",
            folder.display()
        )
    });
    let port = daemon.address.port();
    let text = format!("(director: (name: \"d\", address: \"127.0.0.1\", port: {port}, password: \"p\"))");
    std::fs::write(folder.join("console.ron"), text).unwrap();
    (daemon, Console::new(folder.join("console.ron")))
}

#[test]
fn a_stored_query_is_chosen_asked_with_values_and_only_reads() {
    let folder = tempfile::tempdir().unwrap();
    let (_daemon, console) = director(folder.path());
    let pools = console.ask(&["query", "1"]);
    for text in
        ["Available queries:\n1: The pools\n2: A pool by its name\n", "Choose a query (1-3): ", "| first ", "| second "]
    {
        assert!(pools.contains(text), "{text}: {pools}");
    }
    let asked = console.ask(&["query", "2", "it's", "second"]);
    assert!(asked.contains("Enter a text: ") && asked.contains("Enter the name: "), "{asked}");
    assert!(asked.contains("name: second\nsaid: it's\n"), "{asked}");
    assert!(asked.contains("|     1 |"), "{asked}");
    let (code, refused, _) = console.try_to_ask(&["query", "3"]);
    assert!(code == Some(2) && !refused.contains("No results"), "{refused}");
    assert!(console.ask(&["list pools"]).contains("second"));
    // What is written into the file counts at once.
    std::fs::write(folder.path().join("queries.sql"), ":One\nSELECT 7 AS seven\n").unwrap();
    let one = console.ask(&["query"]);
    assert!(one.contains("Automatically selected query: One") && one.contains("seven"), "{one}");
    std::fs::remove_file(folder.path().join("queries.sql")).unwrap();
    let (code, none, _) = console.try_to_ask(&["query"]);
    assert!(code == Some(2) && none.contains("Could not open ") && none.contains("ERR=No such file"), "{none}");
}

#[test]
fn a_question_in_the_menu_of_a_restore_is_answered_and_the_menu_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let (_daemon, console) = director(folder.path());
    let shown = console.ask(&["restore", "4", "select Name, PoolId from Pool where PoolId = 2", "13"]);
    assert!(shown.contains("| second |      2 |"), "{shown}");
    assert_eq!(shown.matches("To select the JobIds, you have the following choices:").count(), 2, "{shown}");
}
