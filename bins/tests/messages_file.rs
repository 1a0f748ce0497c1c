//! The messages of file and storage daemons in files of their own, in mails, on standard output and error: what they have seen
//! that reaches nobody else.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use support::daemon::Daemon;
use support::network::{Network, Plan};
use support::wait_for;

/// A command that puts each mail into a file of its own below `folder`: its words in the first line, then the text.
fn mailer(folder: &Path) -> PathBuf {
    let (mails, program) = (folder.join("mails"), folder.join("mailer"));
    std::fs::create_dir(&mails).unwrap();
    let text = format!("#!/bin/sh\n{{ echo \"$@\"; cat; }} > {0}/$$.new && mv {0}/$$.new {0}/$$\n", mails.display());
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

/// The mails that have come whole.
fn mails(folder: &Path) -> Vec<String> {
    let all = std::fs::read_dir(folder.join("mails")).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_none()).map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// Waits for a mail whose first line begins so.
fn mail(folder: &Path, words: &str) -> String {
    let found = || mails(folder).into_iter().find(|mail| mail.starts_with(words));
    wait_for(&format!("the mail {words:?}"), found)
}

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
    let line = daemon.logged(0, "that the file cannot be written", |line| line.contains("T0960"));
    assert!(line.contains("fd-messages.log") && line.contains("does not exist"), "{line}");
    assert!(daemon.runs());
}

#[test]
fn what_is_wrong_with_a_daemon_is_mailed_and_written_to_standard_output_and_error() {
    let folder = tempfile::tempdir().unwrap();
    let mailer = mailer(folder.path());
    let hung = folder.path().join("hung");
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_towline-fd"))];
    let mut daemon = Daemon::start("file", &program, folder.path(), |own| {
        let command = |kind: &str| format!("{} {kind} %d %e %r", mailer.display());
        format!(
            r#"(file: (name: "laptop-fd", listen: ["127.0.0.1"], port: {own}, working_directory: {:?},
                       redial_interval: 1),
                directors: [(name: "backup-dir", password: "p", address: "127.0.0.1", port: {port},
                             connection_from_client_to_director: true)],
                messages: [(name: "Standard", destinations: [(kind: director), (kind: stdout), (kind: stderr),
                    (kind: operator, to: ["a@x", "b@x"], command: {:?}), (kind: mail, to: ["c@x"], command: {:?}),
                    (kind: mail, to: ["s@x"], when: on_success, command: {:?}),
                    (kind: operator, to: ["d@x"], command: "/bin/sh -c 'echo out of paper; exit 3'"),
                    (kind: operator, to: ["h@x"], command: {:?})])])"#,
            folder.path(),
            command("operator"),
            command("mail"),
            command("success"),
            format!("/bin/sh -c 'sleep 1000 & echo $! > {0}.new; mv {0}.new {0}; wait'", hung.display()),
        )
    });
    let told = mail(folder.path(), "operator laptop-fd *None* a@x b@x\n");
    assert!(told.contains("laptop-fd: ") && told.contains("T0103") && told.lines().count() == 2, "{told}");
    let is_it = |line: &str| line.contains(" laptop-fd: ") && line.contains("T0103");
    assert!(daemon.output.find(0, is_it).is_some(), "it is on standard output");
    daemon.logged(0, "it on standard error", is_it);
    let line = daemon.logged(0, "that a command fails", |line| line.contains("T0959"));
    assert!(line.contains("it ended with status 3, and said: out of paper"), "{line}");
    assert!(mails(folder.path()).iter().all(|mail| !mail.starts_with("mail ")), "more is gathered for that one");
    daemon.signal(Signal::TERM);
    let told = mail(folder.path(), "mail laptop-fd *None* c@x\n");
    assert!(told.contains("T0103") && !told.contains("T0959"), "no mail about mails: {told}");
    let line = daemon.logged(0, "that one is lost", |line| line.contains("T0961"));
    assert!(line.contains("command /bin/sh"), "{line}");
    wait_for("the end", || (!daemon.runs()).then_some(()));
    assert!(mails(folder.path()).iter().all(|mail| !mail.starts_with("success ")), "that was no good end");
    let child = std::fs::read_to_string(&hung).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
    let is_gone = stat.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with(['Z', 'X']));
    assert!(is_gone, "a command that hangs ends with the daemon: {stat}");
}

#[test]
fn what_a_job_has_said_is_mailed_at_its_end_by_how_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mailer = mailer(folder.path());
    let command = |when: &str| format!("{} {when} %d %e %n %i %r", mailer.display());
    let messages = format!(
        r#"], messages: [(name: "m", destinations: [(kind: director),
            (kind: mail, to: ["a@x"], command: {:?}),
            (kind: mail, to: ["e@x"], when: on_error, command: {:?}),
            (kind: mail, to: ["s@x"], when: on_success, command: {:?})])"#,
        command("always"),
        command("error"),
        command("success"),
    );
    let rewrite = |text: String| {
        let bad = r#"jobs: [(name: "bad", client: "f", fileset: "fs", storage: "s", pool: "p",
                     run_scripts: [(command: "/bin/false", runs_when: before, fail_job_on_error: true)]),"#;
        text.replace("jobs: [", bad)
    };
    let network = Network::start(&Plan { directors: messages, rewrite, ..Plan::default() });
    std::fs::write(network.source.join("file"), "text").unwrap();
    let ended = network.backup();
    assert!(ended.is_ok(), "{}", ended.report);
    for (when, to) in [("always", "a@x"), ("success", "s@x")] {
        let told = mail(folder.path(), &format!("{when} s OK b {} {to}\n", ended.id));
        assert!(told.contains("Labeled new Volume \"v-"), "{told}");
    }
    let ended = network.run("run job=bad level=full yes");
    assert!(!ended.is_ok(), "{}", ended.report);
    for (when, to) in [("always", "a@x"), ("error", "e@x")] {
        let told = mail(folder.path(), &format!("{when} f Error bad {} {to}\n", ended.id));
        assert!(told.contains("/bin/false"), "{told}");
    }
    let all = mails(folder.path());
    let is_wrong = |mail: &String| mail.starts_with("error s OK") || mail.starts_with("success f Error");
    assert!(!all.iter().any(is_wrong), "{all:?}");
}
