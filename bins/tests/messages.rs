//! Messages leave a real director: to a mail server that takes them, refuses them or says nothing, to commands, webhooks, files.
//! None of it holds a job up.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use support::PATIENCE;
use support::console::Console;
use support::daemon::Daemon;
use support::wait_for;

/// How a mail server behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    Takes,
    /// Whoever it is for.
    Refuses,
    /// It takes the call and says nothing.
    Hangs,
}

/// A mail server, and the mails that it has taken; it ends with the test.
fn mail_server(server: Server) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (mails, taken) = channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming().map_while(Result::ok) {
            match server {
                Server::Hangs => kept.push(stream),
                _ => drop(talk(&stream, server, &mails)),
            }
        }
    });
    (port, taken)
}

/// The dialogue of RFC 5321, as far as a mail needs it.
fn talk(stream: &TcpStream, server: Server, mails: &Sender<String>) -> std::io::Result<()> {
    let mut say = stream;
    let mut lines = BufReader::new(stream).lines();
    say.write_all(b"220 test ESMTP\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let word = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        match word.as_str() {
            "EHLO" | "HELO" => say.write_all(b"250 test\r\n")?,
            "RCPT" if server == Server::Refuses => say.write_all(b"550 5.1.1 no such user here\r\n")?,
            "DATA" => {
                say.write_all(b"354 go on\r\n")?;
                let mut mail = String::new();
                for line in lines.by_ref().map_while(Result::ok).take_while(|line| line != ".") {
                    mail += &(line + "\n");
                }
                drop(mails.send(mail));
                say.write_all(b"250 taken\r\n")?;
            }
            "QUIT" => return say.write_all(b"221 bye\r\n"),
            _ => say.write_all(b"250 OK\r\n")?,
        }
    }
    Ok(())
}

/// What a mail server asks of those who bring a mail.
#[derive(Clone)]
struct Guard {
    /// Encrypted from the first byte, once that is asked for, or never.
    tls: Option<(When, Arc<ServerConfig>)>,
    /// The login of user and password (RFC 4616), in base64.
    login: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    AtOnce,
    Asked,
}

/// A mail server that takes mails only over an encrypted connection and after a login; the mails that it has taken, and all
/// that it was told in clear.
fn guarded_server(guard: Guard) -> (u16, Receiver<String>, Arc<Mutex<String>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (mails, taken) = channel();
    let clear = Arc::new(Mutex::new(String::new()));
    let heard = Arc::clone(&clear);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            drop(ask(stream, &guard, &mails, &heard));
        }
    });
    (port, taken, clear)
}

/// A line, byte by byte: what follows it may be encrypted.
fn line_of(from: &mut dyn std::io::Read) -> std::io::Result<String> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while !line.ends_with(b"\r\n") {
        from.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// The dialogue of RFC 5321 with STARTTLS (RFC 3207) and a login (RFC 4954).
fn ask(mut stream: TcpStream, guard: &Guard, mails: &Sender<String>, clear: &Mutex<String>) -> std::io::Result<()> {
    let secure = |config: &Arc<ServerConfig>, stream| {
        let session = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
        Ok::<_, std::io::Error>(StreamOwned::new(session, stream))
    };
    match &guard.tls {
        Some((When::AtOnce, config)) => encrypted(&mut secure(config, stream)?, guard, mails, true),
        Some((When::Asked, config)) => {
            stream.write_all(b"220 test ESMTP\r\n")?;
            loop {
                let line = line_of(&mut stream)?;
                *clear.lock().unwrap() += &line;
                match line.get(..4) {
                    Some("EHLO") => stream.write_all(b"250-test\r\n250 STARTTLS\r\n")?,
                    Some("STAR") => break,
                    _ => stream.write_all(b"530 5.7.0 say STARTTLS first\r\n")?,
                }
            }
            stream.write_all(b"220 go on\r\n")?;
            encrypted(&mut secure(config, stream)?, guard, mails, false)
        }
        None => {
            stream.write_all(b"220 test ESMTP\r\n")?;
            loop {
                let line = line_of(&mut stream)?;
                *clear.lock().unwrap() += &line;
                stream.write_all(b"250-test\r\n250 AUTH PLAIN LOGIN\r\n")?;
            }
        }
    }
}

fn encrypted<S: std::io::Read + std::io::Write>(
    stream: &mut S,
    guard: &Guard,
    mails: &Sender<String>,
    greets: bool,
) -> std::io::Result<()> {
    if greets {
        stream.write_all(b"220 test ESMTP\r\n")?;
    }
    let mut is_known = false;
    loop {
        let line = line_of(stream)?;
        let answer: &[u8] = match line.get(..4).unwrap_or_default() {
            "EHLO" => b"250-test\r\n250 AUTH PLAIN\r\n",
            "AUTH" => {
                is_known = line == format!("AUTH PLAIN {}", guard.login);
                if is_known { b"235 2.7.0 welcome\r\n" } else { b"535 5.7.8 who is that\r\n" }
            }
            "QUIT" => return stream.write_all(b"221 bye\r\n"),
            _ if !is_known => b"530 5.7.0 log in first\r\n",
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                let mut mail = String::new();
                loop {
                    match line_of(stream)? {
                        line if line == "." => break,
                        line => mail += &(line + "\n"),
                    }
                }
                drop(mails.send(mail));
                b"250 taken\r\n"
            }
            _ => b"250 OK\r\n",
        };
        stream.write_all(answer)?;
    }
}

/// A server of the web that answers with these statuses, one a call, and what it was sent.
fn web_server(statuses: &'static [u16]) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (calls, came) = channel();
    thread::spawn(move || {
        for (status, stream) in statuses.iter().zip(listener.incoming()) {
            let Ok(stream) = stream else { return };
            let mut reader = BufReader::new(&stream);
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                head += &line;
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            drop(calls.send(format!("{head}\n{}", String::from_utf8(body).unwrap())));
            let answer = format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            (&stream).write_all(answer.as_bytes()).unwrap();
        }
    });
    (port, came)
}

/// A director alone. Its job `good` does nothing, `bad` fails with a command before it.
struct Site {
    director: Daemon,
    console: Console,
    folder: tempfile::TempDir,
}

impl Site {
    /// With these destinations, and these pieces of configuration, with commas.
    fn start(destinations: impl Fn(&Path) -> String, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let destinations = destinations(at);
        let program = [PathBuf::from(env!("CARGO_BIN_EXE_towline-dir"))];
        let around = r#"kind: admin, client: "f", fileset: "s", storage: "v", pool: "p""#;
        let director = Daemon::start("director", &program, at, |port| {
            format!(
                r#"(director: (name: "d", password: "p", listen: ["127.0.0.1"], port: {port}, working_directory: {at:?}),
                    clients: [(name: "f", address: "127.0.0.1", password: "p")],
                    storages: [(name: "v", address: "127.0.0.1", password: "p", device: "v", media_type: "v")],
                    filesets: [(name: "s", include: [(files: ["/x"])])], pools: [(name: "p")],
                    jobs: [(name: "good", {around}),
                           (name: "bad", {around}, run_scripts: [(command: "/bin/false", runs_when: before,
                            runs_on_client: false, fail_job_on_error: true)])],
                    messages: [(name: "m", destinations: [(kind: catalog), (kind: console), {destinations}])],
                    catalog: sqlite(path: "catalog.sqlite"), {more})"#
            )
        });
        let file = at.join("console.ron");
        let port = director.address.port();
        let text = format!(r#"(director: (name: "d", address: "127.0.0.1", port: {port}, password: "p"))"#);
        std::fs::write(&file, text).unwrap();
        Self { director, console: Console::new(file), folder }
    }

    /// Runs a job to its end; returns its report.
    fn run(&self, job: &str) -> String {
        self.console.end_of(self.console.order(&format!("run job={job} yes"))).report
    }

    fn status(&self) -> String {
        self.console.ask(&["status director"])
    }
}

fn server(port: u16) -> String {
    format!(r#"mail_server: (host: "127.0.0.1", port: {port}, from: "towline@example.org", tls: off, time_limit: 2),"#)
}

const MAIL: &str = r#"(kind: mail, to: ["root@example.org"])"#;

#[test]
fn a_mail_server_is_handed_the_report_of_a_job() {
    let (port, mails) = mail_server(Server::Takes);
    let site = Site::start(|_| r#"(kind: mail, to: ["root@example.org"], when: on_error)"#.to_owned(), &server(port));
    assert!(site.run("good").contains("Termination:            Admin OK"));
    let report = site.run("bad");
    assert!(report.contains("*** Error ***"), "{report}");
    // Lines are no longer than 76 characters on the way.
    let mail = mails.recv_timeout(PATIENCE).unwrap().replace("=\r\n", "").replace("=\n", "");
    for line in ["From: towline@example.org", "To: root@example.org", "Auto-Submitted: auto-generated"] {
        assert!(mail.lines().any(|found| found == line), "{line}: {mail}");
    }
    assert!(mail.contains("(JobId 2)") && mail.contains("Start Admin JobId 2"), "{mail}");
    assert!(mail.contains("returned non-zero status") && mail.contains("*** Error ***"), "{mail}");
    assert!(mails.try_recv().is_err(), "the good one is not mailed");
    let printed = site.director.output.find(0, |line| line.contains("JobId 2 bad: Admin ")).unwrap();
    assert!(printed.contains("returned non-zero status"), "{printed}");
    let logged = site.director.logged(0, "that the job failed", |line| line.contains("T0950"));
    assert!(logged.contains("ERROR") && logged.contains("JobId 2 bad"), "{logged}");
    assert!(site.status().contains("Failed Jobs:\n  JobId 2 bad "), "{}", site.status());
}

#[test]
fn a_mail_server_that_says_nothing_is_given_up_and_holds_no_job_up() {
    let (port, _mails) = mail_server(Server::Hangs);
    let site = Site::start(|_| MAIL.to_owned(), &server(port));
    assert!(site.run("good").contains("Admin OK"));
    let line = site.director.logged(0, "that it is given up", |line| line.contains("T0953"));
    assert!(line.contains("the mail server does not take a message") && line.contains("within 2 s"), "{line}");
    assert!(site.run("good").contains("Admin OK"));
    let status = site.status();
    assert!(status.contains("Undelivered Messages:\n  the mail server: 2 waiting, 0 lost; "), "{status}");
}

#[test]
fn a_mail_server_that_refuses_is_quoted_and_not_asked_again() {
    let (port, _mails) = mail_server(Server::Refuses);
    let site = Site::start(|_| MAIL.to_owned(), &server(port));
    assert!(site.run("good").contains("Admin OK"));
    let line = site.director.logged(0, "that it is lost", |line| line.contains("T0961"));
    assert!(line.contains("no such user here") && line.contains("T0954"), "{line}");
    assert!(site.status().contains("the mail server: 0 waiting, 1 lost"), "{}", site.status());
}

#[test]
fn a_mail_server_that_is_not_there_is_told() {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let site = Site::start(|_| MAIL.to_owned(), &server(port));
    assert!(site.run("good").contains("Admin OK"));
    site.director.logged(0, "that nobody is there", |line| line.contains("T0952"));
}

/// A certificate for this machine, and what a server does with it.
fn certificate() -> (String, Arc<ServerConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    (made.cert.pem(), Arc::new(config))
}

/// A director that mails to this server with a login and the password `open sesame`.
fn with_login(port: u16, tls: &str, ca: Option<&str>) -> Site {
    let trusted = if ca.is_some() { r#"ca: "ca.pem","# } else { "" };
    let server = format!(
        r#"mail_server: (host: "localhost", port: {port}, from: "towline@example.org", tls: {tls}, time_limit: 10, {trusted}
                         user: "towline", password_file: "mail-password"),"#
    );
    let files = |at: &Path| {
        std::fs::write(at.join("mail-password"), "open sesame\n").unwrap();
        std::fs::set_permissions(at.join("mail-password"), std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(at.join("ca.pem"), ca.unwrap_or_default()).unwrap();
        MAIL.to_owned()
    };
    Site::start(files, &server)
}

/// `towline` with `open sesame`, as RFC 4616 says it, in base64.
const LOGIN: &str = "AHRvd2xpbmUAb3BlbiBzZXNhbWU=";

#[test]
fn a_mail_goes_over_an_encrypted_connection_after_a_login() {
    for (when, tls) in [(When::Asked, "starttls"), (When::Asked, "opportunistic"), (When::AtOnce, "on")] {
        let (ca, config) = certificate();
        let guard = Guard { tls: Some((when, config)), login: LOGIN.to_owned() };
        let (port, mails, clear) = guarded_server(guard);
        let site = with_login(port, tls, Some(&ca));
        assert!(site.run("good").contains("Admin OK"));
        let mail = mails.recv_timeout(PATIENCE).unwrap();
        assert!(mail.contains("To: root@example.org"), "{tls}: {mail}");
        assert!(!clear.lock().unwrap().contains("AUTH"), "{tls}");
    }
}

#[test]
fn a_mail_server_that_asks_for_another_login_or_cannot_be_trusted_gets_no_mail() {
    let (ca, config) = certificate();
    let tls = |when| Some((when, Arc::clone(&config)));
    let other = || "bm9ib2R5".to_owned();
    for (guard, word, ca, code, words) in [
        (Guard { tls: tls(When::Asked), login: other() }, "starttls", Some(&ca), "T0956", "who is that"),
        (Guard { tls: tls(When::AtOnce), login: LOGIN.to_owned() }, "on", None, "T0957", "no encrypted connection"),
        (
            Guard { tls: tls(When::Asked), login: LOGIN.to_owned() },
            "starttls",
            None,
            "T0957",
            "no encrypted connection",
        ),
        (Guard { tls: None, login: LOGIN.to_owned() }, "starttls", Some(&ca), "T0957", "no encrypted connection"),
    ] {
        let (port, mails, clear) = guarded_server(guard);
        let site = with_login(port, word, ca.map(String::as_str));
        assert!(site.run("good").contains("Admin OK"), "a mail holds no job up");
        let line = site.director.logged(0, "why it is not taken", |line| line.contains(code));
        assert!(line.contains(words) && !line.contains("sesame") && !line.contains(LOGIN), "{word}: {line}");
        assert!(mails.try_recv().is_err() && !clear.lock().unwrap().contains("AUTH"), "{word}");
    }
}

/// A program that does this with what it is told.
fn script(at: &Path, text: &str) -> PathBuf {
    let path = at.join("send");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_command_reads_the_report_and_one_that_fails_is_told() {
    let site = Site::start(
        |at| {
            let good =
                script(at, &format!("echo \"$@\" > {0}/sent; cat >> {0}/sent; mv {0}/sent {0}/mail", at.display()));
            let good = format!("{} -s '%t %e of job %n' %r", good.display());
            format!(
                r#"(kind: mail, to: ["a@x", "b@x"], command: {good:?}),
                   (kind: mail, to: ["c@x"], command: "/bin/sh -c 'echo out of paper; exit 3'")"#
            )
        },
        "",
    );
    assert!(site.run("good").contains("Admin OK"));
    let path = site.folder.path().join("mail");
    let mail = wait_for("the mail", || std::fs::read_to_string(&path).ok());
    assert!(mail.starts_with("-s Admin OK of job good a@x b@x\n") && mail.contains("Termination:"), "{mail}");
    let line = site.director.logged(0, "that the other fails", |line| line.contains("T0959"));
    assert!(line.contains("it ended with status 3, and said: out of paper"), "{line}");
}

#[test]
fn a_webhook_is_called_again_until_it_takes_the_call() {
    let (port, calls) = web_server(&[500, 503, 200]);
    let site = Site::start(|_| format!(r#"(kind: webhook, to: ["http://127.0.0.1:{port}/hook/secret"])"#), "");
    let begun = std::time::Instant::now();
    assert!(site.run("bad").contains("*** Error ***"));
    let calls: Vec<String> = (0..3).map(|_| calls.recv_timeout(PATIENCE).unwrap()).collect();
    assert!(begun.elapsed() > Duration::from_secs(25), "there are pauses between the calls");
    assert!(
        calls.iter().all(|call| call.starts_with("POST /hook/secret ") && call.contains("\"job_id\":1,")),
        "{calls:?}"
    );
    let body = calls[2].rsplit('\n').next().unwrap();
    let told: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&told["name"], &told["director"]), (&"bad".into(), &"d".into()), "{told}");
    site.director.logged(0, "that it takes the call", |line| line.contains("takes messages again"));
    let log = site.director.log.from(0).join("\n");
    assert!(log.contains("T0955") && !log.contains("secret"), "{log}");
}

#[test]
fn lines_are_appended_to_a_file_and_one_that_cannot_be_written_is_told() {
    let site = Site::start(
        |at| {
            let (log, last) = (at.join("jobs.log"), at.join("last.log"));
            format!(
                r#"(kind: append, to: [{log:?}]), (kind: file, to: [{last:?}]), (kind: append, to: ["/proc/none/x"])"#
            )
        },
        "",
    );
    assert!(site.run("good").contains("Admin OK") && site.run("bad").contains("*** Error ***"));
    let read = |name: &str| std::fs::read_to_string(site.folder.path().join(name)).unwrap_or_default();
    let log = wait_for("both reports", || Some(read("jobs.log")).filter(|text| text.contains("*** Error ***")));
    assert!(log.contains("Start Admin JobId 1") && log.contains("Start Admin JobId 2"), "{log}");
    let last = wait_for("the last report", || Some(read("last.log")).filter(|text| text.contains("*** Error ***")));
    assert!(!last.contains("JobId 1") && last.contains("Start Admin JobId 2"), "{last}");
    let mode = std::fs::metadata(site.folder.path().join("jobs.log")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let line = site.director.logged(0, "that one cannot be written", |line| line.contains("T0960"));
    assert!(line.contains("file /proc/none/x does not take a message"), "{line}");
}
