//! `towline quickstart` as a user runs it: real processes, real sockets, real files.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use towline::daemon::runtime::BUILT;

/// A tree with every kind of entry a user may make.
fn tree() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path().join("source");
    fs::create_dir_all(top.join("a/deep/er")).unwrap();
    fs::create_dir(top.join("empty folder")).unwrap();
    fs::write(top.join("empty"), b"").unwrap();
    fs::write(top.join("a/text"), b"hello").unwrap();
    fs::write(top.join("a/deep/er/blanks and \"quotes\""), b"x").unwrap();
    fs::write(top.join("a/umläut\nline"), b"y").unwrap();
    fs::write(top.join("a/executable"), b"#!/bin/sh\n").unwrap();
    fs::set_permissions(top.join("a/executable"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(top.join("a/deep"), fs::Permissions::from_mode(0o2750)).unwrap();
    fs::hard_link(top.join("a/text"), top.join("a/deep/same text")).unwrap();
    symlink("text", top.join("a/link")).unwrap();
    symlink("/nowhere", top.join("a/dangling")).unwrap();
    // More than one parcel, one block and one read, and nothing that compresses or repeats at a round length.
    let long: Vec<u8> = (0..3_000_001_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::write(top.join("a/long"), long).unwrap();
    for number in 0..300 {
        fs::write(top.join(format!("a/small{number}")), vec![b'z'; number]).unwrap();
    }
    let fifo = std::ffi::CString::new(top.join("fifo").to_str().unwrap()).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &*fifo, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::open(top.join("a/text")).unwrap().set_modified(old).unwrap();
    folder
}

fn towline(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_towline")).args(arguments).output().unwrap()
}

fn quickstart(source: &Path, more: &[&str]) -> Output {
    let mut arguments = vec!["quickstart", "--source", source.to_str().unwrap()];
    arguments.extend(more);
    towline(&arguments)
}

fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}

fn protections() -> Vec<(&'static str, &'static str)> {
    let mut all = vec![("certificate", "certificate, TLS_"), ("off", "none")];
    if cfg!(feature = "psk") {
        all.push(("psk", "pre-shared key, TLS_"));
    }
    all
}

#[test]
fn every_entry_comes_back_on_every_runtime_with_every_protection() {
    let tree = tree();
    let source = tree.path().join("source");
    for runtime in BUILT {
        for (tls, words) in protections() {
            let output = quickstart(&source, &["--tls", tls, "--runtime", runtime, "--json"]);
            assert!(output.status.success(), "{runtime} {tls}: {}", shown(&output));
            let json: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!((&json["ok"], &json["runtime"], &json["tls"]), (&true.into(), &(*runtime).into(), &tls.into()));
            assert_eq!(json["mode"], "default");
            let numbers: Vec<&str> =
                json["connections"].as_array().unwrap().iter().map(|c| c["number"].as_str().unwrap()).collect();
            assert_eq!(numbers, ["2", "3", "5a", "6", "12"]);
            for connection in &json["connections"].as_array().unwrap()[..4] {
                assert!(connection["tls"].as_str().unwrap().starts_with(words), "{connection}");
                assert!(connection["address"].as_str().unwrap().starts_with("127.0.0.1:"), "{connection}");
            }
            // The fifo, three folders more than `source`, and all the files.
            let entries = json["compared"].as_u64().unwrap();
            assert_eq!(entries, 315);
            assert_eq!(json["backup"]["files"].as_u64(), Some(entries));
            assert_eq!(json["restore"]["files"].as_u64(), Some(entries));
            assert!(json["backup"]["bytes"].as_u64().unwrap() > 3_000_000);
            assert_eq!(json["differences"], Value::Array(Vec::new()));
        }
    }
}

#[test]
fn every_mode_makes_its_own_connections_on_every_runtime_with_every_protection() {
    let tree = tree();
    let source = tree.path().join("source/a");
    for (mode, control, data, address) in [
        ("passive", "3", "7", "127.0.0.1:"),
        ("client-initiated", "4", "6", "127.0.0.1:"),
        ("lan", "3", "6", "127.0.0.3:"),
    ] {
        for (at, runtime) in BUILT.iter().enumerate() {
            // Each protection on one runtime at least, and all of them on the first.
            let all = protections();
            let some = if at == 0 { all.clone() } else { vec![all[at % all.len()]] };
            for (tls, words) in some {
                let output = quickstart(&source, &["--mode", mode, "--tls", tls, "--runtime", runtime, "--json"]);
                assert!(output.status.success(), "{mode} {runtime} {tls}: {}", shown(&output));
                let json: Value = serde_json::from_slice(&output.stdout).unwrap();
                assert_eq!((&json["ok"], &json["mode"]), (&true.into(), &mode.into()));
                let connections = json["connections"].as_array().unwrap();
                let numbers: Vec<&str> = connections.iter().map(|c| c["number"].as_str().unwrap()).collect();
                assert_eq!(numbers, ["2", control, "5a", data, "12"], "{mode}");
                let found = connections.iter().find(|c| c["number"] == data).unwrap();
                assert!(found["address"].as_str().unwrap().starts_with(address), "{mode}: {found}");
                assert!(found["tls"].as_str().unwrap().starts_with(words), "{mode}: {found}");
                let director = connections.iter().find(|c| c["number"] == "5a").unwrap();
                assert!(director["address"].as_str().unwrap().starts_with("127.0.0.1:"), "{mode}: {director}");
            }
        }
    }
}

#[test]
fn copies_and_migrations_are_restored_from_the_second_storage_daemon_on_every_runtime_with_every_protection() {
    let tree = tree();
    let source = tree.path().join("source/a");
    for mode in ["copy", "migrate"] {
        for (at, runtime) in BUILT.iter().enumerate() {
            // Each protection on one runtime at least, and all of them on the first.
            let all = protections();
            let some = if at == 0 { all.clone() } else { vec![all[at % all.len()]] };
            for (tls, words) in some {
                let output = quickstart(&source, &["--mode", mode, "--tls", tls, "--runtime", runtime, "--json"]);
                assert!(output.status.success(), "{mode} {runtime} {tls}: {}", shown(&output));
                let json: Value = serde_json::from_slice(&output.stdout).unwrap();
                assert_eq!((&json["ok"], &json["mode"]), (&true.into(), &mode.into()));
                let connections = json["connections"].as_array().unwrap();
                let numbers: Vec<&str> = connections.iter().map(|c| c["number"].as_str().unwrap()).collect();
                assert_eq!(numbers, ["2", "3", "5a", "5b", "6", "8", "12"], "{mode}");
                let address = |number: &str| {
                    let found = connections.iter().find(|c| c["number"] == number).unwrap();
                    assert!(found["tls"].as_str().unwrap().starts_with(words), "{mode}: {found}");
                    found["address"].as_str().unwrap().to_owned()
                };
                assert_eq!(address("5b"), address("8"), "the director and the first storage daemon dial the second");
                assert_eq!(address("5a"), address("6"));
                assert_ne!(address("5a"), address("5b"));
                assert_eq!(json["restored_from"].as_str(), Some(address("5b").as_str()));
                for job in ["copy", "restore"] {
                    assert_eq!(json[job]["files"], json["backup"]["files"], "{mode}: {job}");
                }
                assert_eq!(json["differences"], Value::Array(Vec::new()));
            }
        }
    }
    let output = quickstart(&source, &["--mode", "migrate", "--tls", "off"]);
    let text = String::from_utf8_lossy(&output.stdout);
    for expected in [
        " 5b  director -> second storage daemon",
        "  8  storage daemon -> second storage daemon",
        "\nMigration ",
        "\nRestored from the second storage daemon at 127.0.0.1:",
        "Everything is equal.",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
}

#[test]
fn a_person_gets_lines_and_chosen_folders_stay() {
    let tree = tree();
    let (source, state, into) =
        (tree.path().join("source/a"), tree.path().join("state"), tree.path().join("into \"here\""));
    let (state_text, into_text) = (state.to_str().unwrap(), into.to_str().unwrap());
    let output = quickstart(&source, &["--tls", "off", "--state", state_text, "--into", into_text]);
    assert!(output.status.success(), "{}", shown(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in ["console -> director", "file daemon -> storage daemon", "MB/s", "Everything is equal."] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    let restored = into.join(source.canonicalize().unwrap().strip_prefix("/").unwrap());
    assert_eq!(fs::read(restored.join("text")).unwrap(), b"hello");
    for secret in ["director.ron", "console.ron", "file-daemon.ron", "storage-daemon.ron"] {
        assert_eq!(fs::metadata(state.join(secret)).unwrap().permissions().mode() & 0o777, 0o600, "{secret}");
    }
}

#[test]
fn no_file_of_anybody_else_is_written_over() {
    let tree = tree();
    let source = tree.path().join("source/a/deep");
    let theirs = tree.path().join("theirs");
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("director.ron"), b"precious").unwrap();
    for option in ["--state", "--into"] {
        let output = quickstart(&source, &["--tls", "off", option, theirs.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(78), "{}", shown(&output));
        assert!(shown(&output).contains("holds files that quickstart has not made"), "{}", shown(&output));
    }
    assert_eq!(fs::read(theirs.join("director.ron")).unwrap(), b"precious");
    assert_eq!(fs::read_dir(&theirs).unwrap().count(), 1);
}

#[test]
fn what_is_restored_beside_a_foreign_file_is_not_called_equal() {
    let tree = tree();
    let source = tree.path().join("source/a/deep");
    let into = tree.path().join("into");
    let place = into.join(source.canonicalize().unwrap().strip_prefix("/").unwrap());
    let arguments = ["--tls", "off", "--into", into.to_str().unwrap(), "--json"];
    let output = quickstart(&source, &arguments);
    assert!(output.status.success(), "{}", shown(&output));
    fs::write(place.join("only here"), b"").unwrap();
    let output = quickstart(&source, &arguments);
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["ok"], false);
    assert!(json["differences"].to_string().contains("only here"), "{json}");
}

#[test]
fn nothing_is_left_behind_and_mistakes_are_named() {
    let tree = tree();
    let temporary = tree.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_towline"))
            .arg("quickstart")
            .args(arguments)
            .env("TMPDIR", &temporary)
            .output()
            .unwrap();
        assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "left behind by {arguments:?}");
        output
    };
    let source = tree.path().join("source");
    let source = source.to_str().unwrap();
    assert!(run(&["--source", &format!("{source}/a"), "--tls", "off"]).status.success());
    for (arguments, words) in [
        (vec!["--source", "/does/not/exist"], "/does/not/exist"),
        (vec!["--source", source, "--runtime", "fibers"], "fibers"),
        (vec!["--source", tree.path().to_str().unwrap()], "part of the source"),
        (vec!["--source", source, "--tls", "rot13"], "rot13"),
    ] {
        let output = run(&arguments);
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{}", shown(&output));
    }
}
