//! Stored queries: the menu, what they ask for, and for whom they are not.

use serde_json::json;
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::catalog::{CatalogRequest, Listing};
use towline_core::work::WorkDone;
use towline_core::work::script::{PathList, ScriptDone, Ungathered};

use super::desk::{Desk, config};

fn held(text: &str) -> Option<WorkDone> {
    let lines = text.lines().map(|line| line.as_bytes().to_vec()).collect();
    Some(WorkDone::Script(ScriptDone::Gathered(Ok(vec![lines]))))
}

fn desk() -> Desk {
    let mut config = config();
    config["director"]["query_file"] = json!("/etc/query.sql");
    let desk = Desk::with(config, MemoryCatalog::default());
    desk.shelf().held = |_| held(":All\nSELECT 1;\n:Of a client\n*Enter Client Name:\nSELECT '%1';\nSELECT 2;\n");
    desk
}

/// What the catalog was asked in SQL.
fn asked(desk: &Desk) -> Vec<String> {
    let sql = |request: &CatalogRequest| match request {
        CatalogRequest::List(Listing::Query { sql, .. }) => Some(sql.clone()),
        _ => None,
    };
    desk.shelf().asked.iter().filter_map(sql).collect()
}

#[test]
fn a_stored_query_is_chosen_from_a_menu_and_asks_for_its_values() {
    let mut desk = desk();
    let console = desk.console();
    let menu = desk.ask(console, "query");
    assert_eq!(desk.shelf().lists[0].lists, [PathList::File("/etc/query.sql".to_owned())]);
    assert_eq!(
        menu[menu.len() - 3..],
        ["text Available queries:\\n1: All\\n2: Of a client\\n", "text Choose a query (1-2): ", "signal -27"]
    );
    assert!(desk.ask(console, "3").concat().contains("between 1 and 2"));
    assert_eq!(desk.ask(console, "2"), ["text Enter Client Name: ", "signal -27"]);
    let answer = desk.ask(console, "o'brien-fd").concat();
    assert_eq!(asked(&desk), ["SELECT 'o''brien-fd'"], "{answer}");
    // The catalog of these tests knows no SQL: a query that fails is not gone on with.
    assert!(answer.contains("knows no SQL") && answer.ends_with("signal -1"), "{answer}");
    desk.ask(console, "query");
    assert_eq!(desk.ask(console, "."), ["text Nothing chosen, nothing done.\\n", "signal -1"]);
}

#[test]
fn a_file_of_queries_that_is_not_there_is_named() {
    let mut desk = desk();
    desk.shelf().held = |_| {
        let why = Ungathered { list: 0, why: "No such file or directory".to_owned() };
        Some(WorkDone::Script(ScriptDone::Gathered(Err(why))))
    };
    let console = desk.console();
    let answer = desk.ask(console, "query").concat();
    assert!(answer.contains("Could not open /etc/query.sql: ERR=No such file or directory\\n"), "{answer}");
    desk.shelf().held = |_| held("# nothing\n");
    assert!(desk.ask(console, "query").concat().contains("There is no query that could be chosen."));
    desk.shelf().held = |_| held(":t\n*1\n*2\n*3\n*4\n*5\n*6\n*7\n*8\n*9\n*10\nSELECT 1\n");
    assert!(desk.ask(console, "query").concat().contains("Too many prompts in query, max is 9"));
    let mut none = Desk::open();
    let console = none.console();
    assert!(none.ask(console, "query").concat().contains("set `query_file` of the director"));
}

#[test]
fn stored_queries_are_for_people_and_not_for_consoles_that_see_a_part() {
    let mut desk = desk();
    let console = desk.console();
    desk.ask(console, ".api 2 compact=yes");
    let answer = desk.ask(console, "query").concat();
    assert!(answer.contains("Stored queries are for people") && answer.ends_with("signal -18"), "{answer}");
    let mut config = config();
    config["director"]["query_file"] = json!("/etc/query.sql");
    config["profiles"][0]["job_acl"] = json!(["backup-tiny"]);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    desk.shelf().held = |_| held(":All\nSELECT 1;\n");
    let console = desk.come_in("admin", "admin-secret");
    assert!(desk.ask(console, "query").concat().contains("not authorized"));
    assert_eq!(asked(&desk), [""; 0]);
}
