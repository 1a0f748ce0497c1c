//! `towline doctor` at a small network that runs.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::daemon::Daemon;
use support::network::{Network, Plan};

/// Examines a network; the exit status, what it said, and its errors.
fn doctor(network: &Network, more: &[&str]) -> (Option<i32>, String, String) {
    let at = network.folder.path();
    let mut command = Command::new(env!("CARGO_BIN_EXE_towline"));
    command.arg("doctor").arg("--config").arg(at.join("director.ron")).arg("--console").arg(at.join("console.ron"));
    let output = command.args(more).output().expect("to run a program that was just built");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Whether each leg of the first row was made, by its number.
fn legs(text: &str) -> Vec<(String, String)> {
    let json: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let legs = json["rows"][0]["legs"].as_array().expect("legs");
    let word = |leg: &Value, key: &str| leg[key].as_str().unwrap_or_default().to_owned();
    legs.iter().map(|leg| (word(leg, "number"), word(leg, "seen"))).collect()
}

fn expected(legs: [(&str, &str); 3]) -> Vec<(String, String)> {
    legs.map(|(number, seen)| (number.to_owned(), seen.to_owned())).to_vec()
}

#[test]
fn all_legs_of_a_network_that_works_are_made_and_no_job_is_recorded() {
    let network = Network::start(&Plan::default());
    let learned = network.folder.path().join("network.ron");
    let (status, text, errors) = doctor(&network, &["--json", "--learn", learned.to_str().expect("UTF-8")]);
    assert_eq!(legs(&text), expected([("5a", "answered"), ("3", "answered"), ("6", "reached")]), "{text}{errors}");
    assert_eq!(status, Some(0), "{text}{errors}");
    assert!(network.ask(&["list jobs"]).contains("No results"), "{}", network.ask(&["list jobs"]));
    // What was learned is a topology that can be planned with, and the plan says the same.
    let (status, text, errors) = doctor(&network, &["--topology", learned.to_str().expect("UTF-8")]);
    assert!(status == Some(0) && text.contains("All is as planned.\n"), "{text}{errors}");
    assert!(text.contains("b (backup), f, s\n  5a d dials s at 127.0.0.1:"), "{text}");
}

#[test]
fn the_way_of_a_copy_is_dialled_by_the_storage_daemon_that_reads() {
    let second = |open: bool| {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().to_owned();
        let program = [PathBuf::from(env!("CARGO_BIN_EXE_towline-sd"))];
        let daemon = Daemon::start("second", &program, &at, |port| {
            format!(
                r#"(storage: (name: "s2", port: {port}, listen: ["127.0.0.1"], working_directory: {at:?}),
                    directors: [(name: "d", password: "long enough to be good")],
                    devices: [(name: "dev2", media_type: "M2", archive_device: {at:?})])"#
            )
        });
        let port = daemon.address.port();
        // The address in a network of both counts for copies, and nobody is at it.
        let other = if open { "127.0.0.1" } else { "127.0.0.9" };
        let storage = format!(
            r#"(name: "s2", address: "127.0.0.1", port: {port}, device: "dev2", media_type: "M2", networks: {{"lan": "{other}"}},
                password: "long enough to be good"), (name: "s", networks: {{"lan": "127.0.0.1"}}, address"#
        );
        (daemon, folder, storage)
    };
    for (open, seen) in [(true, "reached"), (false, "broken")] {
        let (_daemon, _folder, storage) = second(open);
        let network = Network::start(&Plan::default());
        let file = network.folder.path().join("director.ron");
        let text = std::fs::read_to_string(&file).expect("its configuration");
        let text = text.replacen(r#"(name: "s", address"#, &storage, 1);
        let copy = r#"jobs: [(name: "copy", kind: copy, client: "f", fileset: "fs", storage: "s", pool: "from"), "#;
        let pools = r#"pools: [(name: "from", next_pool: "to"), (name: "to", storage: "s2"), "#;
        let text = text.replacen("jobs: [", copy, 1).replacen("pools: [", pools, 1);
        std::fs::write(&file, text).expect("to write");
        assert!(network.ask(&["reload"]).contains("reloaded"), "{}", network.ask(&["reload"]));
        let (status, text, errors) = doctor(&network, &["--json"]);
        let expected = [("5a", "answered"), ("5b", "answered"), ("8", seen)];
        assert_eq!(legs(&text), self::expected(expected), "{text}{errors}");
        assert_eq!(status, Some(i32::from(!open)), "{text}{errors}");
    }
}

#[test]
fn a_leg_that_is_cut_is_named_with_the_reason_of_the_daemon_that_dials_it() {
    let client = r#"passive: true, networks: {"lan": "127.0.0.9"},"#.to_owned();
    let rewrite =
        |text: String| text.replace(r#"(name: "s", address"#, r#"(name: "s", networks: {"lan": "127.0.0.1"}, address"#);
    let network = Network::start(&Plan { client, rewrite, ..Plan::default() });
    let (status, text, errors) = doctor(&network, &["--json"]);
    assert_eq!(legs(&text), expected([("5a", "answered"), ("3", "answered"), ("7", "broken")]), "{text}{errors}");
    assert_eq!(status, Some(1), "{text}{errors}");
    assert!(text.contains("\"at\": \"127.0.0.9:") && text.contains("T0103"), "{text}");
}

#[test]
fn of_a_daemon_that_is_not_reached_the_data_channel_is_not_measured() {
    let rewrite = |text: String| text.replace(r#"password: "fpw")"#, r#"password: "another")"#);
    let network = Network::start(&Plan { rewrite, ..Plan::default() });
    let (status, text, errors) = doctor(&network, &["--json"]);
    assert_eq!(legs(&text), expected([("5a", "answered"), ("3", "broken"), ("6", "unmeasured")]), "{text}{errors}");
    assert_eq!(status, Some(1), "{text}{errors}");
    assert!(text.contains("does not reach f, which would dial"), "{text}");
}

#[test]
fn without_a_director_it_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let console = folder.path().join("console.ron");
    let port = support::daemon::free_port();
    let text =
        format!(r#"(director: (name: "d", address: "127.0.0.1", port: {port}, password: "long enough to be good"))"#);
    std::fs::write(&console, text).expect("to write");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/plan/office/director.ron");
    let mut command = Command::new(env!("CARGO_BIN_EXE_towline"));
    command.arg("doctor").arg("--config").arg(example).arg("--console").arg(&console);
    let output = command.output().expect("to run a program that was just built");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(69) && said.contains("no director"), "{said}");
    assert_eq!(said.matches("T0103").count(), 1, "not once for each try: {said}");
}
