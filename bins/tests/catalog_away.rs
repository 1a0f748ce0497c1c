//! A catalog in a file that another program has for a while, in the middle of a backup by real daemons.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use rusqlite::Connection;
use support::assert_restored;
use support::busy::{assert_cancelled_at_once, assert_logged, in_the_middle, slow_client};
use support::daemon::free_port;
use support::network::{Network, Plan};

/// A network in the middle of a backup whose catalog's file another program has taken.
fn taken(catalog: &str) -> (Network, u32, Connection) {
    taken_from(&Plan { catalog: catalog.to_owned(), ..Plan::default() })
}

fn taken_from(plan: &Plan) -> (Network, u32, Connection) {
    in_the_middle(plan, |network| take(&network.place("catalog.sqlite")), |other| give_back(&other))
}

fn take(file: &std::path::Path) -> Connection {
    let other = Connection::open(file).unwrap();
    other.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

fn give_back(other: &Connection) {
    other.execute_batch("COMMIT").unwrap();
}

#[test]
fn a_backup_waits_for_a_catalog_that_another_program_has_and_ends_well() {
    let (network, id, other) = taken(r#"sqlite(path: "catalog.sqlite")"#);
    network.director.logged(0, "that it went away", |line| line.contains("the catalog is away"));
    give_back(&other);
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
    let (network, id, other) = taken(r#"sqlite(path: "catalog.sqlite", retry_for: "3 s")"#);
    network.director.logged(0, "the code", |line| line.contains("T0701"));
    give_back(&other);
    network.ask(&[&format!("wait jobid={id}")]);
    network.assert_all_serve();
    std::fs::remove_dir_all(network.source.join("folder 0")).unwrap();
    let next = network.backup();
    assert!(next.is_ok(), "{}", next.report);
}

#[test]
fn a_backup_that_waits_for_its_catalog_is_cancelled_at_once() {
    let catalog = r#"sqlite(path: "catalog.sqlite", retry_for: "1 h")"#.to_owned();
    let (network, id, other) = taken_from(&Plan { catalog, client: slow_client(), ..Plan::default() });
    network.director.logged(0, "that it went away", |line| line.contains("the catalog is away"));
    assert_cancelled_at_once(&network, id);
    give_back(&other);
    let ended = network.end_of(id);
    assert_eq!(ended.termination(), "Backup Canceled", "{}", ended.report);
}

/// Starts a daemon with this configuration; returns its exit code and what it says.
fn started(program: &str, file: &std::path::Path) -> (Option<i32>, String) {
    let second = std::process::Command::new(program).arg("-c").arg(file).output().unwrap();
    (second.status.code(), String::from_utf8_lossy(&second.stderr).into_owned())
}

#[test]
fn a_second_director_and_a_second_storage_daemon_hear_of_their_port_elsewhere_of_the_lock_and_the_first_go_on() {
    use std::os::unix::fs::PermissionsExt as _;
    let (network, id, other) = taken(r#"sqlite(path: "catalog.sqlite")"#);
    for (program, file, port, code) in [
        (env!("CARGO_BIN_EXE_towline-dir"), "director.ron", network.director.address.port(), "T0610"),
        (env!("CARGO_BIN_EXE_towline-sd"), "storage.ron", network.storage.address.port(), "T0611"),
    ] {
        let file = network.place(file);
        let (exit, said) = started(program, &file);
        assert_eq!(exit, Some(69), "{said}");
        let wanted = format!("T0120: cannot listen on 127.0.0.1:{port}: ");
        assert!(said.contains(&wanted) && !said.contains(code), "{said}");
        // Its own port: the first one of the file.
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(&format!("port: {port}")), "{text}");
        let elsewhere = file.with_extension("elsewhere.ron");
        let mut last = (Some(69), String::new());
        for _ in 0..20 {
            let free = format!("port: {}", free_port());
            std::fs::write(&elsewhere, text.replacen(&format!("port: {port}"), &free, 1)).unwrap();
            last = started(program, &elsewhere);
            // Else somebody was faster with this port.
            if last.0 != Some(69) {
                break;
            }
        }
        let (exit, said) = last;
        assert_eq!(exit, Some(75), "{said}");
        assert!(said.contains(code) && said.contains("process "), "{said}");
    }
    give_back(&other);
    for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm", "catalog.sqlite.lock"] {
        let mode = std::fs::metadata(network.place(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let ended = network.end_of(id);
    assert!(ended.is_ok(), "no job is marked as failed: {}", ended.report);
}

#[test]
fn a_director_that_starts_while_another_program_has_its_catalog_waits_says_so_and_goes_on() {
    let mut network =
        Network::start(&Plan { catalog: r#"sqlite(path: "catalog.sqlite")"#.to_owned(), ..Plan::default() });
    network.director.kill();
    let file = network.place("catalog.sqlite");
    let other = Connection::open(&file).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    network.director.restart();
    network
        .director
        .logged(0, "that it waits", |line| line.contains("T0780") && line.contains("waiting for the catalog"));
    let said = network.ask(&["status director"]);
    assert!(said.contains("The director is waiting for the catalog"), "{said}");
    let said = network.ask(&["run job=b yes"]);
    assert!(said.contains("Jobs wait with it (T0780)"), "{said}");
    give_back(&other);
    drop(other);
    network.director.logged(0, "that it is there", |line| line.contains("the catalog is there: jobs may run"));
    std::fs::write(network.source.join("file"), "text").unwrap();
    let ended = network.backup();
    assert!(ended.is_ok(), "{}", ended.report);
}
