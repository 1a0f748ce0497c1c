//! Four separate programs from RON files, with the console's input through a pipe.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

const DIRECTOR: &str = env!("CARGO_BIN_EXE_towline-dir");
const STORAGE: &str = env!("CARGO_BIN_EXE_towline-sd");
const FILE: &str = env!("CARGO_BIN_EXE_towline-fd");
const CONSOLE: &str = env!("CARGO_BIN_EXE_towline-console");

/// TLS settings that every build has.
const CLEAR: &str = "tls: (enable: false, require: false)";

struct Network {
    folder: TempDir,
    children: Vec<Child>,
    director: u16,
    file: u16,
}

impl Drop for Network {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            let _ended = child.kill();
            let _status = child.wait();
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

impl Network {
    /// Writes the four files and starts the three daemons; each listens when this returns.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (director, file, storage) = (free_port(), free_port(), free_port());
        let source = folder.path().join("source");
        fs::create_dir_all(source.join("sub")).unwrap();
        fs::create_dir(folder.path().join("volumes")).unwrap();
        fs::write(source.join("sub/one"), b"one").unwrap();
        fs::write(source.join("two"), vec![2; 700_000]).unwrap();
        let put = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
        put(
            "fd.ron",
            format!(
                r#"(file: (name: "f", listen: ["127.0.0.1"], port: {file}, {CLEAR}), directors: [(name: "d", password: "fp")])"#
            ),
        );
        put(
            "sd.ron",
            format!(
                r#"(storage: (name: "s", listen: ["127.0.0.1"], port: {storage}, {CLEAR}), directors: [(name: "d", password: "sp")],
                devices: [(name: "disk", media_type: "File", archive_device: "volumes")])"#
            ),
        );
        let job = r#"client: "f", fileset: "all", storage: "s", pool: "p""#;
        let (source, restored) = (source.display(), folder.path().join("restored"));
        put(
            "dir.ron",
            format!(
                r#"(director: (name: "d", password: "cp", listen: ["127.0.0.1"], port: {director}, {CLEAR}),
                clients: [(name: "f", address: "127.0.0.1", port: {file}, password: "fp")],
                storages: [(name: "s", address: "127.0.0.1", port: {storage}, password: "sp", device: "disk", media_type: "File")],
                jobs: [(name: "backup", level: full, {job}), (name: "restore", kind: restore, where: {:?}, {job})],
                filesets: [(name: "all", include: [(files: ["{source}"])])],
                pools: [(name: "p", label_format: "p-")],
                consoles: [(name: "watcher", password: "wp", command_acl: ["status"])],
                catalog: sqlite(path: "catalog.sqlite"))"#,
                restored.display().to_string()
            ),
        );
        put("console.ron", console(director, "cp"));
        let mut network = Self { folder, children: Vec::new(), director, file };
        for (program, file) in [(STORAGE, "sd.ron"), (FILE, "fd.ron"), (DIRECTOR, "dir.ron")] {
            let child = start(program, &network.path(file));
            network.children.push(child);
        }
        network
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn say(&self, lines: &str) -> Output {
        talk(&self.path("console.ron"), lines)
    }

    /// The console's text, which must have ended well.
    fn ask(&self, lines: &str) -> String {
        let output = self.say(lines);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0..=2)), "{text}{errors}");
        text
    }
}

fn console(port: u16, password: &str) -> String {
    format!(r#"(director: (name: "d", address: "127.0.0.1", port: {port}, password: "{password}", {CLEAR}))"#)
}

/// Starts a daemon and waits until it says that it listens.
fn start(program: &str, file: &Path) -> Child {
    let mut child =
        Command::new(program).arg("-c").arg(file).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("listening on 127.0.0.1:"), "{program}: {line:?}");
    child
}

fn talk(file: &Path, lines: &str) -> Output {
    let mut child = Command::new(CONSOLE)
        .arg("-c")
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn contains(text: &str, expected: &[&str]) {
    for words in expected {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
}

#[test]
fn a_backup_and_a_restore_through_the_console() {
    let network = Network::start();
    let text = network.ask("run job=backup yes\nwait\nlist jobs\nlist files jobid=1\nlist volumes\nmessages\n");
    contains(&text, &["1000 OK: d Version", "JobId=1", "| T ", "/source/sub/one", "p-0001", "Backup OK"]);
    let text = network.ask("restore client=f all done yes\nwait\nmessages\nlist jobs\n");
    contains(&text, &["selected to be restored", "JobId=2", "Restore OK"]);
    let source = network.path("source");
    let restored = network.path("restored").join(source.strip_prefix("/").unwrap());
    assert_eq!(fs::read(restored.join("sub/one")).unwrap(), b"one");
    assert_eq!(fs::read(restored.join("two")).unwrap(), vec![2; 700_000]);
    let text = network.ask("status\nstatus client=f\nstatus storage=s\nquit\n");
    contains(&text, &["Terminated Jobs", "f Version", "s Version", "OK"]);
}

#[test]
fn an_answer_to_a_question_and_a_mistake_are_lines_like_others() {
    let network = Network::start();
    let text = network.ask("run job=backup\nno\nrun job=backup\nyes\nwait\nlist jobs\nrun job=nothing\nnonsense\n");
    contains(&text, &["OK to run?", "Job not run.", "JobId=1", "There are: backup", "invalid command"]);
    assert!(!text.contains("JobId=2"), "{text}");
}

#[test]
fn a_console_with_lines_from_a_pipe_ends_as_they_went() {
    let network = Network::start();
    for (lines, code) in [
        ("run job=backup yes\nwait\nwait jobid=1\n", 0),
        ("wait jobid=99\n", 2),
        ("list jobs lats\nlist jobs\n", 2),
        ("run job=backup\n", 2),
        ("run job=backup\nno\n", 0),
        ("restore client=f where=/dev/null/x all done yes\nwait\n", 2),
    ] {
        let output = network.say(lines);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{lines}{text}{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_job_that_cannot_reach_its_client_is_cancelled_from_another_console() {
    let mut network = Network::start();
    let mut file_daemon = network.children.remove(1);
    file_daemon.kill().unwrap();
    file_daemon.wait().unwrap();
    let text = network.ask("run job=backup yes\ncancel jobid=1\nwait\nlist jobs\n");
    contains(&text, &["JobId=1", "marked to be canceled", "| A "]);
}

#[test]
fn a_named_console_may_only_what_its_list_says() {
    let network = Network::start();
    let text = format!(
        r#"(director: (name: "d", address: "127.0.0.1", port: {}, password: "cp", {CLEAR}), console: (name: "watcher", password: "wp"))"#,
        network.director
    );
    fs::write(network.path("watcher.ron"), text).unwrap();
    let output = talk(&network.path("watcher.ron"), "status\nrun job=backup yes\n");
    let text = String::from_utf8_lossy(&output.stdout);
    contains(&text, &["watcher", "Running Jobs", "no access"]);
    assert!(!text.contains("JobId="), "{text}");
}

#[test]
fn a_wrong_password_ends_with_3_and_a_code_and_tells_no_more() {
    let network = Network::start();
    fs::write(network.path("wrong.ron"), console(network.director, "guess")).unwrap();
    let output = talk(&network.path("wrong.ron"), "status\n");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{errors}");
    assert!(errors.contains("T03"), "{errors}");
    assert!(output.stdout.is_empty() && !errors.contains("guess"));
    contains(&network.ask("version\n"), &["d Version"]);
}

#[test]
fn a_console_without_a_director_says_what_to_check() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("console.ron");
    fs::write(&file, console(free_port(), "cp")).unwrap();
    let output = talk(&file, "status\n");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3));
    assert!(errors.contains("T0103") && errors.contains("check that the daemon runs"), "{errors}");
}

#[test]
fn noise_at_a_port_is_hung_up_on_and_the_daemons_go_on() {
    let network = Network::start();
    for port in [network.director, network.file] {
        for noise in [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], &[0xff; 4000], b"\x16\x03\x01\x00\x05hello", b""] {
            let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let _hung_up = socket.write_all(noise);
            socket.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            let _reset = socket.read_to_end(&mut answer);
            assert!(answer.len() < 100, "{answer:?}");
        }
    }
    contains(&network.ask("run job=backup yes\nwait\nmessages\n"), &["Backup OK"]);
}

#[test]
fn a_daemon_ends_well_when_it_is_told_to() {
    let mut network = Network::start();
    let mut director = network.children.pop().unwrap();
    let id = rustix::process::Pid::from_child(&director);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    assert_eq!(director.wait().unwrap().code(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let network = Network::start();
    let output = Command::new(FILE).arg("-c").arg(network.path("fd.ron")).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(69), "{errors}");
    assert!(errors.contains("T0120") && errors.contains("already in use"), "{errors}");
}

#[test]
fn a_configuration_is_tested_without_starting_anything() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.ron");
    let test = |text: &str, more: &[&str]| {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        Command::new(FILE).arg("-t").arg("-c").arg("file.ron").args(more).current_dir(folder.path()).output().unwrap()
    };
    let good = test(&format!(r#"(file: (name: "f", {CLEAR}), directors: [(name: "d", password: "p")])"#), &[]);
    assert_eq!((good.status.code(), String::from_utf8_lossy(&good.stdout).as_ref()), (Some(0), "file.ron: OK\n"));

    let bad = format!(r#"(file: (nam: "f", {CLEAR}), directors: [(name: "d", password: "hush")])"#);
    let output = test(&bad, &[]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(78), 0));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("file.ron:1:9") && errors.contains("nam") && !errors.contains("hush"), "{errors}");

    let output = test(&bad, &["--json"]);
    assert_eq!(output.status.code(), Some(78));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((json[0]["line"].as_u64(), json[0]["severity"].as_str()), (Some(1), Some("error")), "{json}");

    let pem = r#"(file: (name: "f", tls: (certificate: "no.pem", key: "no.key", ca: "no.ca")), directors: [(name: "d", password: "p")])"#;
    let output = test(pem, &[]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{errors}");
    assert!(["no.pem", "no.key", "no.ca"].iter().all(|name| errors.contains(name)), "all at once: {errors}");
}

#[cfg(not(feature = "psk"))]
#[test]
fn without_pre_shared_keys_a_daemon_asks_for_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.ron");
    fs::write(&file, r#"(file: (name: "f"), directors: [(name: "d", password: "p")])"#).unwrap();
    let output = Command::new(FILE).arg("-c").arg(&file).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(78));
    assert!(errors.contains("certificate"), "{errors}");
}
