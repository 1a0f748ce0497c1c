//! What advice puts in backticks is there: a setting, a command of the console, or one of a short list.

use std::collections::BTreeSet;

use super::every_error;
use crate::config::{
    Client, Console, ConsoleAccess, ConsoleConfig, ConsoleDirector, Destination, Device, Director, DirectorConfig,
    Exclude, FileConfig, FileDaemon, FileDirector, FileSet, Include, IncludeOptions, Job, MailServer, Messages,
    Monitor, MonitoredClient, MonitoredDirector, MonitoredStorage, Pool, Postgres, Profile, Resource, Run, RunScript,
    Schedule, Sqlite, Storage, StorageConfig, StorageDaemon, StorageDirector, TlsConfig, TrayConfig,
};
use crate::explain::all;
use crate::role::director::is_said_to_a_console;

/// Commands of the tool: `bins/tests/advice.rs` tries each.
fn is_of_the_tool(words: &str) -> bool {
    words.starts_with("towline ")
}

/// What to run that is not of Towline.
const TOOLS: &[&str] = &[
    "chmod o-r FILE",
    "createdb --owner",
    "ip ",
    "openssl s_client",
    "ping",
    "psql",
    "ss -tan",
    "traceroute",
    "ulimit -",
];

/// Settings of the system, of a PostgreSQL server, and of a Bareos daemon.
const OTHERS: &[&str] = &[
    "Connection From Client To Director",
    "LimitNOFILE",
    "TLS Verify Peer = no",
    "TLS Verify Peer = yes",
    "fs.file-max",
    "net.ipv4.ip_local_port_range",
    "ssl = on",
    "ssl_cert_file",
    "ssl_key_file",
];

/// Values, addresses and names of files.
const VALUES: &[&str] = &[
    "%",
    "*",
    "*all*",
    "*.end",
    "*/NAME",
    "-",
    ".",
    "..",
    "/",
    "0.0.0.0",
    "1 day",
    "30 s",
    "64 KiB",
    "::",
    "Error",
    "_",
    "blackhole",
    "change-me",
    "fe80::1%3",
    "fe80::1%eth0",
    "prohibit",
    "unreachable",
    "verify_full",
];

/// Options of the programs: `bins/tests/advice.rs` tries each.
fn is_option(word: &str) -> bool {
    word.starts_with("--")
}

#[test]
fn what_advice_names_is_there() {
    let settings = settings();
    let pages = all().flat_map(|page| [page.meaning, page.remedy]);
    let texts: Vec<&str> = pages.chain(every_error().iter().map(|error| error.help())).collect();
    let named: BTreeSet<&str> = texts.iter().flat_map(|text| marked(text)).collect();
    assert!(named.len() > 40, "{named:?}");
    let unknown: Vec<&&str> = named.iter().filter(|name| !is_there(name, &settings)).collect();
    assert_eq!(unknown, [&""; 0]);
    let stale: Vec<&&str> = OTHERS.iter().chain(VALUES).filter(|name| !named.contains(**name)).collect();
    assert_eq!(stale, [&""; 0], "listed here, and in no advice");
}

#[test]
fn an_invented_name_is_found_out() {
    let settings = settings();
    for invented in
        ["reloaded", "heartbeat_intervall", "TLS Enable = no", "status everything", "list joblog job=", "were="]
    {
        assert!(!is_there(invented, &settings), "{invented}");
    }
    for real in ["heartbeat_interval", "psk: false", "status network", "list joblog jobid=", "limit="] {
        assert!(is_there(real, &settings), "{real}");
    }
    assert_eq!(marked("set `a: 1` or `b`").collect::<Vec<_>>(), ["a: 1", "b"]);
}

fn is_there(name: &str, settings: &BTreeSet<&str>) -> bool {
    let setting = name.split_once(": ").map_or(name, |(setting, _)| setting);
    settings.contains(setting)
        || is_option(name)
        || is_of_the_tool(name)
        || is_said_to_a_console(name)
        || TOOLS.iter().any(|tool| name.starts_with(tool))
        || OTHERS.contains(&name)
        || VALUES.contains(&name)
}

/// What stands in backticks.
fn marked(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The name of every setting there is.
fn settings() -> BTreeSet<&'static str> {
    fn of<T: Resource>() -> impl Iterator<Item = &'static str> {
        T::FIELDS.iter().map(|field| field.name)
    }
    let director = of::<DirectorConfig>().chain(of::<Director>()).chain(of::<Client>()).chain(of::<Storage>());
    let director = director.chain(of::<ConsoleAccess>()).chain(of::<Profile>()).chain(of::<Job>());
    let director = director.chain(of::<Messages>()).chain(of::<Destination>()).chain(of::<MailServer>());
    let director = director.chain(of::<Pool>());
    let director = director
        .chain(of::<Schedule>())
        .chain(of::<Run>())
        .chain(of::<RunScript>())
        .chain(of::<Sqlite>())
        .chain(of::<Postgres>());
    let filesets = of::<FileSet>().chain(of::<Include>()).chain(of::<Exclude>()).chain(of::<IncludeOptions>());
    let file = of::<FileConfig>().chain(of::<FileDaemon>()).chain(of::<FileDirector>());
    let storage =
        of::<StorageConfig>().chain(of::<StorageDaemon>()).chain(of::<StorageDirector>()).chain(of::<Device>());
    let console = of::<ConsoleConfig>().chain(of::<Console>()).chain(of::<ConsoleDirector>()).chain(of::<TlsConfig>());
    let tray = of::<TrayConfig>().chain(of::<Monitor>()).chain(of::<MonitoredDirector>());
    let tray = tray.chain(of::<MonitoredClient>()).chain(of::<MonitoredStorage>());
    director.chain(filesets).chain(file).chain(storage).chain(console).chain(tray).collect()
}
