//! The table in the docs of [`config`](crate::config): found by asking the configurations, not by writing it down.

use crate::config::{Catalog, ConsoleConfig, DirectorConfig, FileConfig, Seconds, StorageConfig};

/// One of each, with every resource that has the setting.
struct Four {
    director: DirectorConfig,
    file: FileConfig,
    storage: StorageConfig,
    console: ConsoleConfig,
}

/// Where a setting stands, and how to set it. 0 takes it away.
type Setting = (&'static str, fn(&mut Four, u64));

const SETTINGS: &[Setting] = &[
    ("`director` of the director", |four, n| four.director.director.heartbeat_interval = Seconds(n)),
    ("`clients`", |four, n| four.director.clients[0].heartbeat_interval = given(n)),
    ("`storages`", |four, n| four.director.storages[0].heartbeat_interval = given(n)),
    ("`file`", |four, n| four.file.file.heartbeat_interval = Seconds(n)),
    ("`directors` of the file daemon", |four, n| four.file.directors[0].heartbeat_interval = given(n)),
    ("`storage`", |four, n| four.storage.storage.heartbeat_interval = Seconds(n)),
    ("`directors` of the storage daemon", |four, n| four.storage.directors[0].heartbeat_interval = given(n)),
    ("`catalog`", |four, n| {
        if let Catalog::Postgres(server) = &mut four.director.catalog {
            server.heartbeat_interval = Seconds(n);
        }
    }),
    ("`director` of the console", |four, n| four.console.director.heartbeat_interval = Seconds(n)),
    ("`console`", |four, n| {
        if let Some(console) = &mut four.console.console {
            console.heartbeat_interval = given(n);
        }
    }),
];

fn given(n: u64) -> Option<Seconds> {
    (n > 0).then_some(Seconds(n))
}

type Ask = fn(&Four) -> Option<Seconds>;

/// A connection: its number, then whoever dials and whoever answers, each with its interval.
type Row = (&'static str, (&'static str, Ask), (&'static str, Ask));

const CLIENT: Ask = |four| four.director.client_heartbeat(&four.director.clients[0]);
const STORAGE: Ask = |four| four.director.storage_heartbeat(&four.director.storages[0]);
const VISITOR: Ask = |four| four.director.console_heartbeat();
const OF_FILE: Ask = |four| four.file.director_heartbeat(&four.file.directors[0]);
const OF_STORAGE: Ask = |four| four.storage.director_heartbeat(&four.storage.directors[0]);
const FILE_DATA: Ask = |four| four.file.data_heartbeat();
const STORAGE_DATA: Ask = |four| four.storage.data_heartbeat();
const CONSOLE: Ask = |four| four.console.heartbeat();
const CATALOG: Ask = |four| match &four.director.catalog {
    Catalog::Postgres(server) => crate::config::heartbeat(None, server.heartbeat_interval),
    Catalog::Sqlite(_) => None,
};
const NONE: Ask = |_| None;

const ROWS: &[Row] = &[
    ("1", ("console", CONSOLE), ("director", VISITOR)),
    (
        "2",
        ("console", |four| ConsoleConfig { console: None, ..four.console.clone() }.heartbeat()),
        ("director", VISITOR),
    ),
    ("3", ("director", CLIENT), ("file daemon", OF_FILE)),
    ("4", ("file daemon", OF_FILE), ("director", CLIENT)),
    ("5a, 5b", ("director", STORAGE), ("storage daemon", OF_STORAGE)),
    ("6", ("file daemon", FILE_DATA), ("storage daemon", STORAGE_DATA)),
    ("7", ("storage daemon", STORAGE_DATA), ("file daemon", FILE_DATA)),
    ("8", ("storage daemon", STORAGE_DATA), ("storage daemon", STORAGE_DATA)),
    ("9", ("tray monitor", NONE), ("director", VISITOR)),
    ("10", ("tray monitor", NONE), ("file daemon", OF_FILE)),
    ("11", ("tray monitor", NONE), ("storage daemon", OF_STORAGE)),
    ("12", ("director", CATALOG), ("PostgreSQL", NONE)),
];

fn four() -> Four {
    let mut four = Four {
        director: super::super::tests::read(super::super::tests::director()),
        file: super::super::tests::read(super::super::tests::file()),
        storage: super::super::tests::read(super::super::tests::storage()),
        console: super::super::tests::read(super::super::tests::console()),
    };
    four.director.catalog = super::super::tests::read(serde_json::json!({ "postgres": {} }));
    four.console.console = Some(crate::config::Console {
        name: "admin".to_owned(),
        description: None,
        password: crate::config::Password::default(),
        tls: None,
        heartbeat_interval: None,
    });
    for (n, (_, set)) in (1..).zip(SETTINGS) {
        set(&mut four, n);
    }
    four
}

/// Which settings govern, the one that goes first first: each is taken away once it was found.
fn governing(ask: Ask) -> String {
    let mut four = four();
    let mut found = Vec::new();
    while let Some(Seconds(n)) = ask(&four) {
        let (name, set) = SETTINGS[usize::try_from(n).unwrap() - 1];
        set(&mut four, 0);
        found.push(name);
    }
    if found.is_empty() { "the system's times".to_owned() } else { found.join(", else ") }
}

fn table() -> String {
    let mut text = "| no | dials | its keepalive | answers | its keepalive |\n|---|---|---|---|---|\n".to_owned();
    for (number, (dials, its), (answers, theirs)) in ROWS {
        let (its, theirs) = (governing(*its), governing(*theirs));
        text.push_str(&format!("| {number} | {dials} | {its} | {answers} | {theirs} |\n"));
    }
    text
}

#[test]
fn the_table_in_the_docs_says_which_setting_governs_which_connection() {
    let written = include_str!("../keepalive.md");
    let table = table();
    assert!(written.ends_with(&table), "put this at the end of core/src/config/keepalive.md:\n\n{table}");
}

#[test]
fn a_setting_of_zero_in_the_specific_resource_switches_it_off_there_only() {
    let mut four = four();
    four.director.clients[0].heartbeat_interval = Some(Seconds(0));
    assert_eq!(CLIENT(&four), None);
    assert_eq!(VISITOR(&four), Some(Seconds(1)));
}
