//! `towline check` as a monitor calls it, on a network that lives and then loses its parts.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use support::console::Console;
use support::daemon::{Daemon, free_port};
use support::{plant, wait_for};

fn towline(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_towline")).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// What a check finds of something, and its exit status.
fn checked(folder: &str) -> (Option<i32>, impl Fn(&str) -> String) {
    let output = towline(&["check", "--json", "--config", folder]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    let of = move |about: &str| {
        let all = json["findings"].as_array().unwrap();
        let found = all.iter().find(|one| one["about"].as_str().is_some_and(|text| text.starts_with(about)));
        found.map_or_else(|| format!("nothing of {about} in {json}"), |one| one["status"].as_str().unwrap().to_owned())
    };
    (output.status.code(), of)
}

#[test]
fn a_network_is_well_once_its_jobs_have_run_and_is_not_without_a_daemon() {
    let outer = tempfile::tempdir().unwrap();
    let source = outer.path().join("source");
    plant(&source, 2, 10_000);
    let folder = outer.path().join("etc");
    let at = folder.to_str().unwrap();
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    let port = (0..100).map(|_| free_port()).find(|port| is_free(port + 1) && is_free(port + 2)).unwrap().to_string();
    let made = towline(&["init", at, "--name", "here", "--port", &port, "--address", "127.0.0.1", "--certificates"]);
    assert!(made.status.success(), "{}", said(&made));
    let file = folder.join("director.ron");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("files: [\"/\"]", &format!("files: [{source:?}]"))).unwrap();
    let start = |name: &'static str, program: &str, file: &str| {
        Daemon::start_with(name, &[PathBuf::from(program)], folder.join(file), |_| {})
    };
    let _storage = start("storage", env!("CARGO_BIN_EXE_towline-sd"), "storage-daemon.ron");
    let mut client = start("file", env!("CARGO_BIN_EXE_towline-fd"), "file-daemon.ron");
    let mut director = start("director", env!("CARGO_BIN_EXE_towline-dir"), "director.ron");

    let (code, of) = checked(at);
    assert!(matches!(code, Some(1..=2)), "{code:?}");
    assert_eq!((of("job here"), of("job catalog")), ("WARNING".to_owned(), "WARNING".to_owned()));
    let console = Console::new(folder.join("console.ron"));
    for job in ["here", "catalog"] {
        assert!(console.end_of(console.order(&format!("run job={job} yes"))).is_ok());
    }
    let (_, of) = checked(at);
    for about in [
        "director",
        "storage volumes",
        "client here-fd",
        "data of here-fd to volumes",
        "clock",
        "catalog",
        "job here",
        "job catalog",
        "pool full",
        "certificate",
    ] {
        assert_eq!(of(about), "OK", "{about}");
    }
    // How full this machine's own disk is is not known to the test, that it is looked at is.
    assert!(!of("disk of the catalog").starts_with("nothing") && !of("disk of device volumes").starts_with("nothing"));
    let line = towline(&["check", "--config", at]);
    assert_eq!(said(&line).lines().count(), 1, "{}", said(&line));

    client.kill();
    let (code, of) = checked(at);
    assert_eq!((code, of("client here-fd")), (Some(2), "CRITICAL".to_owned()));
    director.kill();
    wait_for("a director that is gone", || {
        let (code, of) = checked(at);
        (code == Some(2) && of("director") == "CRITICAL").then_some(())
    });
    let nothing = towline(&["check", "--config", outer.path().to_str().unwrap()]);
    assert_eq!(nothing.status.code(), Some(3), "{}", said(&nothing));
    assert!(said(&nothing).starts_with("UNKNOWN: "), "{}", said(&nothing));
    assert_eq!(towline(&["check", "--config", at, "--grace", "soon"]).status.code(), Some(3));
}
