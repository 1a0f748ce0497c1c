//! `towline init` as a user runs it: the daemons start as written, and what they save comes back.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::console::Console;
use support::daemon::{Daemon, free_ports};
use support::{assert_restored, plant, tree};

fn towline(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_towline")).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// The first of three free ports.
fn port() -> String {
    free_ports(3).to_string()
}

/// Every file below is for this user only, every folder too.
fn assert_private(folder: &Path) {
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder), 0o700);
    for (name, _) in tree(folder) {
        let path = folder.join(&name);
        assert_eq!(mode(&path), if path.is_dir() { 0o700 } else { 0o600 }, "{name}");
    }
}

/// What stands for `text` in all files below a folder; fails unless it is there.
fn rewrite(folder: &Path, old: &str, new: &str) {
    let mut changed = 0;
    for (name, bytes) in tree(folder) {
        let text = String::from_utf8_lossy(&bytes);
        if text.contains(old) {
            fs::write(folder.join(name), text.replace(old, new)).unwrap();
            changed += 1;
        }
    }
    assert!(changed > 0, "{old} is nowhere");
}

/// Starts the three daemons as the words of `init` say, saves a folder and the catalog, and restores both.
fn lives(more: &[&str], whole: (&str, fn(&str) -> String)) {
    let outer = tempfile::tempdir().unwrap();
    let source = outer.path().join("source");
    plant(&source, 3, 200_000);
    let folder = outer.path().join("etc");
    let port = port();
    let mut arguments =
        vec!["init", folder.to_str().unwrap(), "--name", "here", "--port", &port, "--address", "127.0.0.1"];
    arguments.extend(more);
    let output = towline(&arguments);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("Start the daemons:"), "{}", said(&output));
    assert_private(&folder);
    // A test does not save the whole machine.
    rewrite(&folder, whole.0, &(whole.1)(source.to_str().unwrap()));
    let is_conf = more.contains(&"--bareos");
    let file = |name: &str| if is_conf { folder.clone() } else { folder.join(name) };
    let start = |name: &'static str, program: &str, config: &str| {
        Daemon::start_with(name, &[PathBuf::from(program)], file(config), |_| {})
    };
    let _storage = start("storage", env!("CARGO_BIN_EXE_towline-sd"), "storage-daemon.ron");
    let _file = start("file", env!("CARGO_BIN_EXE_towline-fd"), "file-daemon.ron");
    let _director = start("director", env!("CARGO_BIN_EXE_towline-dir"), "director.ron");
    let console = Console::new(file("console.ron"));
    let backup = console.end_of(console.order("run job=here yes"));
    assert!(backup.is_ok(), "{}", backup.report);
    let catalog = console.end_of(console.order("run job=catalog yes"));
    assert!(catalog.is_ok(), "{}", catalog.report);
    let place = outer.path().join("restored");
    let line = format!("restore client=here-fd jobid={} where={} all done yes", backup.id, place.display());
    let restored = console.end_of(console.order(&line));
    assert!(restored.is_ok(), "{}", restored.report);
    assert_restored(&source, &place);
    let line = format!("restore client=here-fd jobid={} where={} all done yes", catalog.id, place.display());
    let restored = console.end_of(console.order(&line));
    assert!(restored.is_ok(), "{}", restored.report);
    let copy = place.join(folder.strip_prefix("/").unwrap()).join("data/catalog-copy.sqlite");
    assert!(fs::read(&copy).unwrap().starts_with(b"SQLite format 3"), "{}", copy.display());
    let tray = Command::new(env!("CARGO_BIN_EXE_towline-tray"))
        .args(["--once", "-c", file("towline-tray.ron").to_str().unwrap()])
        .output()
        .unwrap();
    assert!(tray.status.success(), "{}", said(&tray));
}

#[test]
fn a_network_with_passwords_lives_as_it_is_written() {
    lives(&[], ("files: [\"/\"]", |source| format!("files: [{source:?}]")));
}

#[test]
fn a_network_with_certificates_lives_as_it_is_written() {
    lives(&["--certificates"], ("files: [\"/\"]", |source| format!("files: [{source:?}]")));
}

#[test]
fn a_network_in_the_syntax_of_bareos_lives_as_it_is_written() {
    lives(&["--bareos"], ("File = \"/\"", |source| format!("File = {source:?}")));
}

#[test]
fn a_folder_that_holds_something_is_refused_and_stays_as_it_was() {
    let outer = tempfile::tempdir().unwrap();
    fs::write(outer.path().join("director.ron"), "precious").unwrap();
    let output = towline(&["init", outer.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(78), "{}", said(&output));
    assert!(said(&output).contains("is not empty, and init writes over nothing"), "{}", said(&output));
    assert_eq!(tree(outer.path()).len(), 1);
    assert_eq!(fs::read_to_string(outer.path().join("director.ron")).unwrap(), "precious");
}

#[test]
fn what_cannot_be_a_name_an_address_or_a_folder_makes_nothing() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("new");
    for (more, why) in [
        (["--name", "a b"], "cannot be a name"),
        (["--address", "a b"], "is no host name and no IP address"),
        (["--port", "65534"], "65534"),
        (["--port", "0"], "0 is not in"),
    ] {
        let output = towline(&[&["init", folder.to_str().unwrap()], &more[..]].concat());
        assert!(!output.status.success() && said(&output).contains(why), "{more:?} {}", said(&output));
        assert!(!folder.join("director.ron").exists());
    }
    let quoted = outer.path().join("a\"b");
    let output = towline(&["init", quoted.to_str().unwrap()]);
    assert!(said(&output).contains("cannot be named in a configuration"), "{}", said(&output));
}
