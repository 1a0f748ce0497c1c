//! Names that are no UTF-8, move a terminal or break a line: saved, listed, and restored as they were listed, by real
//! daemons; no control character of theirs reaches a terminal, a log or a file of messages.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use support::network::{CLEAR, Network, Plan};
use towline_core::printable;

const NAMES: [&[u8]; 9] = [
    b"caf\xe9.txt",
    b"two\nlines | 29-Nov 05:24 d JobId 1: Backup OK",
    b"clear\x1b[2J\x1b]0;title\x07",
    b"back\\slash and \\x41",
    b"quoted \"words\"",
    b"blank at its end ",
    b"tab\tcarriage\rreturn\x7f",
    "right to left \u{202e}txt.exe\u{85}".as_bytes(),
    b"dir\xff\x01/plain",
];

/// The file daemon has a file of messages, too.
fn with_messages(text: String) -> String {
    let Some(start) = text.strip_suffix(')').filter(|text| text.starts_with("(file:")) else { return text };
    let (_, folder) = text.split_once("working_directory: \"").unwrap();
    let (folder, _) = folder.split_once('"').unwrap();
    format!(
        "{start}, messages: [(name: \"m\", destinations: [(kind: director), (kind: append, to: [\"{folder}/fd-messages.log\"])])])"
    )
}

fn network() -> Network {
    let network = Network::start(&Plan { all: CLEAR.to_owned(), rewrite: with_messages, ..Plan::default() });
    for name in NAMES {
        let path = network.source.join(OsStr::from_bytes(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, name).unwrap();
    }
    network
}

/// All files below a folder, with their contents.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

fn assert_harmless(what: &str, lines: &str) {
    let is_bad = |c: char| c != '\n' && (c.is_control() || c == char::REPLACEMENT_CHARACTER || c == '\u{202e}');
    let bad = lines.lines().find(|line| line.contains(is_bad));
    assert_eq!(bad, None, "{what}");
}

/// Looks at all that the daemons have written for people.
fn assert_logs_are_harmless(network: &Network) {
    for (name, daemon) in [("director", &network.director), ("file", &network.file), ("storage", &network.storage)] {
        let log = daemon.log.from(0).join("\n");
        assert!(!log.is_empty(), "the log of {name} is empty");
        assert_harmless(name, &log);
        assert_harmless(name, &daemon.output.from(0).join("\n"));
    }
    let messages = std::fs::read_to_string(network.place("fd-messages.log")).unwrap_or_default();
    assert_harmless("the file of messages", &messages);
}

#[test]
fn whatever_a_name_has_it_is_listed_harmlessly_and_restored_as_it_is_listed() {
    let network = network();
    let backup = network.backup();
    assert!(backup.is_ok(), "{}", backup.report);
    let text = network.ask(&["list files jobid=1"]);
    assert_harmless("the list", &text);
    let document = network.ask(&[".api 2", "list files jobid=1"]);
    assert_harmless("the document", &document);
    let start = document.find('{').unwrap();
    let mut documents = serde_json::Deserializer::from_str(&document[start..]).into_iter::<serde_json::Value>();
    let found = documents.find_map(|document| document.unwrap()["result"]["filenames"].as_array().cloned());
    let found: Vec<String> = found.unwrap().iter().map(|row| row["filename"].as_str().unwrap().to_owned()).collect();
    for (number, name) in NAMES.into_iter().enumerate() {
        let path = network.source.join(OsStr::from_bytes(name));
        let shown = printable::name(path.as_os_str().as_bytes());
        let listed = text.lines().map(str::trim_start).find(|line| *line == shown);
        let listed = listed.unwrap_or_else(|| panic!("{shown} is not in {text}"));
        assert!(found.iter().any(|found| found == listed), "{shown} is not in {document}");
        let place = network.place(&format!("back{number}"));
        let line = format!("restore client=f where={} file=\"{listed}\" done yes", place.display());
        let ended = network.run(&line);
        assert!(ended.is_ok(), "{line}: {}", ended.report);
        assert_harmless("the report", &ended.report);
        let expected = place.join(path.strip_prefix("/").unwrap());
        assert_eq!(files(&place), BTreeMap::from([(expected, name.to_vec())]), "{line}");
    }
    // A folder by the name it is listed by brings what is in it.
    let folder = network.source.join(OsStr::from_bytes(b"dir\xff\x01"));
    let shown = printable::name(folder.as_os_str().as_bytes());
    let place = network.place("folder");
    let ended = network.run(&format!("restore client=f where={} file=\"{shown}/\" done yes", place.display()));
    assert!(ended.is_ok() && files(&place).len() == 1, "{}", ended.report);
    assert_logs_are_harmless(&network);
}

#[test]
fn what_is_said_of_such_names_is_harmless_in_every_report_log_and_message() {
    let network = network();
    let mut sockets = Vec::new();
    for name in [&b"so\nck\x1b[31m"[..], b"so\xffck"] {
        sockets.push(UnixListener::bind(network.source.join(OsStr::from_bytes(name))).unwrap());
    }
    let large = network.source.join(OsStr::from_bytes(b"large\n\x1b[2J\xff"));
    std::fs::write(&large, support::noise(1, 2 << 20)).unwrap();
    let backup = network.backup();
    assert!(backup.termination().starts_with("Backup OK"), "{}", backup.report);
    assert!(backup.report.contains(r"so\x0ack\x1b[31m: is a socket"), "{}", backup.report);
    assert_harmless("the report of the backup", &backup.report);
    let estimate = network.ask(&["estimate job=b listing"]);
    assert!(estimate.contains(r"large\x0a\x1b[2J\xff"), "{estimate}");
    assert_harmless("the estimate", &estimate);
    // A damaged block makes both daemons name the file.
    let volume = std::fs::File::options().read(true).write(true).open(network.volume_files().remove(0)).unwrap();
    let middle = volume.metadata().unwrap().len() / 2;
    let mut byte = [0];
    volume.read_exact_at(&mut byte, middle).unwrap();
    volume.write_all_at(&[byte[0] ^ 1], middle).unwrap();
    for ended in [network.restore(&network.place("damaged"), ""), network.run("run job=v yes")] {
        assert!(ended.termination().ends_with("*** Error ***"), "{}", ended.report);
        assert!(ended.report.matches(r"source/large\x0a\x1b[2J\xff").count() >= 2, "{}", ended.report);
        assert_harmless("a report", &ended.report);
    }
    assert_harmless("all messages", &network.ask(&["messages", "list joblog", "status director", "status client=f"]));
    // A folder that cannot be made is named in the logs, too.
    let ended = network.run("restore client=f where=\"/dev/null/a\u{1b}[2J\u{202e}b\" all done yes");
    assert!(ended.report.contains(r"a\x1b[2J\xe2\x80\xaeb"), "{}", ended.report);
    assert_harmless("the report of a restore to nowhere", &ended.report);
    network.file.logged(0, "the folder", |line| line.contains(r"a\x1b[2J\xe2\x80\xaeb"));
    let messages = std::fs::read_to_string(network.place("fd-messages.log")).unwrap();
    assert!(messages.contains(r"a\x1b[2J\xe2\x80\xaeb"), "{messages}");
    assert_logs_are_harmless(&network);
}
