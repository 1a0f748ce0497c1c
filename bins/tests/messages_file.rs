//! The file daemon's messages in a file of its own: what a client has seen that reaches nobody.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::net::TcpListener;
use std::path::PathBuf;

use support::daemon::Daemon;
use support::wait_for;

#[test]
fn a_client_that_cannot_reach_its_director_leaves_a_trace_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let messages = folder.path().join("fd-messages.log");
    std::fs::write(&messages, "what was there before\n").unwrap();
    // Bound and never accepted from: taken by nobody else, and closed before the daemon dials.
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_towline-fd"))];
    let daemon = Daemon::start("file", &program, folder.path(), |own| {
        format!(
            r#"(file: (name: "laptop-fd", listen: ["127.0.0.1"], port: {own}, working_directory: {:?},
                       redial_interval: 1),
                directors: [(name: "backup-dir", password: "p", address: "127.0.0.1", port: {port},
                             connection_from_client_to_director: true)],
                messages: [(name: "Standard", destinations: [(kind: director), (kind: append, to: [{messages:?}])])])"#,
            folder.path()
        )
    });
    daemon.logged(0, "that the director is not reached", |line| line.contains("T0103"));
    let trace = wait_for("the trace in the file", || {
        let text = std::fs::read_to_string(&messages).unwrap();
        text.contains("T0103").then_some(text)
    });
    assert!(trace.starts_with("what was there before\n"), "appended, not written over: {trace}");
    let line = trace.lines().find(|line| line.contains("T0103")).unwrap();
    for words in ["laptop-fd", "backup-dir", &format!("127.0.0.1:{port}"), "connection refused"] {
        assert!(line.contains(words), "{words} is not in {line:?}");
    }
    let stamp: Vec<u8> = line.bytes().take(19).filter(u8::is_ascii_digit).collect();
    assert_eq!(stamp.len(), 14, "each line has its time: {line:?}");
    assert!(!trace.contains("\"p\""), "{trace}");
}

#[test]
fn a_storage_daemon_appends_what_it_has_to_say_to_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let messages = ["first.log", "second.log"].map(|name| folder.path().join(name));
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_towline-sd"))];
    let daemon = Daemon::start("storage", &program, folder.path(), |own| {
        format!(
            r#"(storage: (name: "nas-sd", listen: ["127.0.0.1"], port: {own}, working_directory: {at:?}),
                directors: [(name: "backup-dir", password: "p")],
                devices: [(name: "d", media_type: "m", archive_device: {at:?})],
                messages: [(name: "Standard", destinations: [(kind: director), (kind: append, to: [{first:?}]),
                            (kind: append, to: [{second:?}], types: ["error", "fatal"])])])"#,
            at = folder.path(),
            first = messages[0],
            second = messages[1],
        )
    });
    let mut stranger = std::net::TcpStream::connect(daemon.address).unwrap();
    std::io::Write::write_all(&mut stranger, b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let trace = wait_for("the trace in the file", || {
        let text = std::fs::read_to_string(&messages[0]).unwrap_or_default();
        text.contains("(T0").then_some(text)
    });
    assert!(trace.lines().all(|line| line.contains(" nas-sd: ")) && !trace.contains("\"p\""), "{trace}");
    assert!(!messages[1].exists(), "nothing was an error");
}

#[test]
fn a_file_that_cannot_be_written_is_complained_of_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let messages = folder.path().join("no such folder").join("fd-messages.log");
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_towline-fd"))];
    let mut daemon = Daemon::start("file", &program, folder.path(), |own| {
        format!(
            r#"(file: (name: "laptop-fd", listen: ["127.0.0.1"], port: {own}, working_directory: {:?},
                       redial_interval: 1),
                directors: [(name: "backup-dir", password: "p", address: "127.0.0.1", port: {port},
                             connection_from_client_to_director: true)],
                messages: [(name: "Standard", destinations: [(kind: director), (kind: append, to: [{messages:?}])])])"#,
            folder.path()
        )
    });
    let line = daemon.logged(0, "that the file cannot be written", |line| line.contains("T0143"));
    assert!(line.contains("fd-messages.log") && line.contains("does not exist"), "{line}");
    assert!(daemon.runs());
}
