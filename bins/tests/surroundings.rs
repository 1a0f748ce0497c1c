//! What a configuration finds on its machine: `-t` and the start look at the same things, and say all of it at once.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use support::daemon::free_port;
use support::network::CLEAR;
use support::wait_for;

const DIRECTOR: &str = env!("CARGO_BIN_EXE_towline-dir");
const FILE: &str = env!("CARGO_BIN_EXE_towline-fd");
const STORAGE: &str = env!("CARGO_BIN_EXE_towline-sd");

/// A folder that nobody else may look into.
fn private() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    folder
}

/// Tests a configuration, or starts a daemon that ends with its input, which is empty.
fn run(program: &str, folder: &Path, how: &str) -> Output {
    let mut command = Command::new(program);
    command.args([how, "-c", "c.ron"]).current_dir(folder).stdin(Stdio::null());
    command.output().unwrap()
}

/// The findings of a test and of a start, which are the same: codes with their severity, and the exit code.
fn findings(program: &str, folder: &Path, text: &str) -> (Vec<String>, Option<i32>) {
    fs::write(folder.join("c.ron"), text).unwrap();
    let [tested, started] = ["-t", "--until-eof"].map(|how| {
        let output = run(program, folder, how);
        let errors = String::from_utf8(output.stderr).unwrap();
        let is_finding = |line: &&str| line.starts_with("warning[T08") || line.starts_with("error[T08");
        let found = errors.lines().filter(is_finding).map(|line| line.split(':').next().unwrap().to_owned());
        (found.collect::<Vec<_>>(), output.status.code())
    });
    assert_eq!(tested, started);
    tested
}

fn storage(device: &str, password: &str) -> String {
    let port = free_port();
    format!(
        r#"(storage: (name: "s", listen: ["127.0.0.1"], port: {port}, {CLEAR}), directors: [(name: "d", password: "{password}")],
            devices: [(name: "v", media_type: "File", archive_device: "{device}")])"#
    )
}

#[test]
fn a_missing_folder_of_volumes_and_a_password_of_the_examples_are_warned_of_and_the_daemon_starts() {
    let folder = private();
    fs::create_dir(folder.path().join("there")).unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let codes = |device: &str, password: &str| findings(STORAGE, folder.path(), &storage(device, password)).0;
    assert_eq!(codes("there", "secret"), [""; 0]);
    assert_eq!(codes("missing", "secret"), ["warning[T0853]"]);
    assert_eq!(codes("file", "secret"), ["warning[T0853]"]);
    assert_eq!(codes("missing", "change-me-storage"), ["warning[T0851]", "warning[T0853]"]);
    fs::write(folder.path().join("c.ron"), storage("missing", "secret")).unwrap();
    assert_eq!(run(STORAGE, folder.path(), "-t").stdout, b"c.ron: OK, 1 warning\n");
}

#[test]
fn without_the_folder_of_its_catalog_a_director_does_not_start_and_says_all_that_is_wrong_at_once() {
    let folder = private();
    let port = free_port();
    let text = |catalog: &str, more: &str| {
        format!(
            r#"(director: (name: "d", password: "p", listen: ["127.0.0.1"], port: {port}, {CLEAR}),
                catalog: sqlite(path: "{catalog}"), clients: [{more}])"#
        )
    };
    let (found, exit) = findings(DIRECTOR, folder.path(), &text("no such folder/catalog.sqlite", ""));
    assert_eq!((found, exit), (vec!["error[T0853]".to_owned()], Some(78)));
    let client = r#"(name: "a", address: "bad address", password: "p", tls: (ca: "no.pem")),
                    (name: "b", address: "b", password: "p", tls: (ca: "neither.pem"))"#;
    let (found, exit) = findings(DIRECTOR, folder.path(), &text("no such folder/catalog.sqlite", client));
    assert_eq!(found, ["error[T0853]", "error[T0824]", "error[T0809]", "error[T0809]"]);
    assert_eq!(exit, Some(78));
    assert!(!folder.path().join("no such folder").exists());
    let (found, _) = findings(DIRECTOR, folder.path(), &text("catalog.sqlite", ""));
    assert_eq!(found, [""; 0]);
}

#[test]
fn secrets_that_everybody_may_read_are_warned_of() {
    let folder = private();
    let at = |name: &str| folder.path().join(name);
    let mode = |name: &str, mode: u32| fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
    let pair = rcgen::generate_simple_self_signed(["f".to_owned()]).unwrap();
    fs::write(at("f.pem"), pair.cert.pem()).unwrap();
    fs::write(at("f.key"), pair.signing_key.serialize_pem()).unwrap();
    let tls = r#"tls: (certificate: "f.pem", key: "f.key")"#;
    let port = free_port();
    let text = format!(
        r#"(file: (name: "f", listen: ["127.0.0.1"], port: {port}, {tls}), directors: [(name: "d", password: "p")])"#
    );
    fs::write(at("c.ron"), &text).unwrap();
    let found = |config: u32, key: u32, around: u32| {
        mode("c.ron", config);
        mode("f.key", key);
        mode(".", around);
        findings(FILE, folder.path(), &text).0
    };
    assert_eq!(found(0o640, 0o640, 0o755), [""; 0]);
    assert_eq!(found(0o644, 0o644, 0o700), [""; 0], "nobody gets there");
    assert_eq!(found(0o644, 0o600, 0o755), ["warning[T0852]"]);
    assert_eq!(found(0o600, 0o604, 0o755), ["warning[T0852]"]);
    assert_eq!(found(0o644, 0o644, 0o755), ["warning[T0852]", "warning[T0852]"]);
}

#[test]
fn a_daemon_works_in_the_folder_it_is_told_and_not_without_it() {
    let folder = private();
    let port = free_port();
    let text = |work: &str| {
        format!(
            r#"(file: (name: "f", listen: ["127.0.0.1"], port: {port}, working_directory: "{work}", {CLEAR}),
                directors: [(name: "d", password: "p")])"#
        )
    };
    let (found, exit) = findings(FILE, folder.path(), &text("work"));
    assert_eq!((found, exit), (vec!["error[T0853]".to_owned()], Some(78)));
    fs::create_dir(folder.path().join("work")).unwrap();
    fs::write(folder.path().join("c.ron"), text("work")).unwrap();
    let mut child = Command::new(FILE)
        .args(["--until-eof", "-c", "c.ron"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let wanted = folder.path().join("work").canonicalize().unwrap();
    let link = format!("/proc/{}/cwd", child.id());
    wait_for("the working directory", || fs::read_link(&link).ok().filter(|at| *at == wanted));
    drop(child.stdin.take());
    child.wait().unwrap();
}
