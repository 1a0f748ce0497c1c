//! A catalog in a file that another program has for a while, in the middle of a backup by real daemons.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use rusqlite::Connection;
use support::assert_restored;
use support::busy::{assert_cancelled_at_once, assert_logged, in_the_middle};
use support::network::{CLEAR, Network, Plan};

/// Takes the catalog's file.
fn taken(file: &std::path::Path) -> Connection {
    let other = Connection::open(file).unwrap();
    other.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[test]
fn a_backup_waits_for_a_catalog_that_another_program_has_and_ends_well() {
    let (network, id) = in_the_middle(r#"sqlite(path: "catalog.sqlite")"#.to_owned());
    let other = taken(&network.place("catalog.sqlite"));
    network.director.logged(0, "that it went away", |line| line.contains("the catalog is away"));
    other.execute_batch("COMMIT").unwrap();
    let ended = network.end_of(id);
    assert!(ended.is_ok(), "{}", ended.report);
    assert_logged(&network.director);
    let place = network.place("restored");
    let restored = network.restore(&place, "");
    assert!(restored.is_ok(), "{}", restored.report);
    assert_restored(&network.source, &place);
}

#[test]
fn a_backup_whose_catalog_does_not_come_back_fails_with_its_code() {
    let (network, id) = in_the_middle(r#"sqlite(path: "catalog.sqlite", retry_for: "3 s")"#.to_owned());
    let other = taken(&network.place("catalog.sqlite"));
    network.director.logged(0, "the code", |line| line.contains("T0701"));
    other.execute_batch("COMMIT").unwrap();
    network.ask(&[&format!("wait jobid={id}")]);
    network.assert_all_serve();
    std::fs::remove_dir_all(network.source.join("folder 0")).unwrap();
    let next = network.backup();
    assert!(next.is_ok(), "{}", next.report);
}

#[test]
fn a_backup_that_waits_for_its_catalog_is_cancelled_at_once() {
    let (network, id) = in_the_middle(r#"sqlite(path: "catalog.sqlite", retry_for: "1 h")"#.to_owned());
    let other = taken(&network.place("catalog.sqlite"));
    network.director.logged(0, "that it went away", |line| line.contains("the catalog is away"));
    assert_cancelled_at_once(&network, id);
    other.execute_batch("COMMIT").unwrap();
    let ended = network.end_of(id);
    assert_eq!(ended.termination(), "Backup Canceled", "{}", ended.report);
}

#[test]
fn a_second_director_and_a_second_storage_daemon_are_refused_and_the_first_go_on() {
    use std::os::unix::fs::PermissionsExt as _;
    let network = Network::start(&Plan { all: CLEAR.to_owned(), ..Plan::default() });
    std::fs::write(network.source.join("file"), "text").unwrap();
    for (program, file, code) in [
        (env!("CARGO_BIN_EXE_towline-dir"), "director.ron", "T0610"),
        (env!("CARGO_BIN_EXE_towline-sd"), "storage.ron", "T0611"),
    ] {
        let second = std::process::Command::new(program).arg("-c").arg(network.place(file)).output().unwrap();
        let said = String::from_utf8_lossy(&second.stderr).into_owned();
        assert_eq!(second.status.code(), Some(75), "{said}");
        assert!(said.contains(code) && said.contains("process "), "{said}");
    }
    for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm", "catalog.sqlite.lock"] {
        let mode = std::fs::metadata(network.place(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let ended = network.backup();
    assert!(ended.is_ok(), "{}", ended.report);
}
