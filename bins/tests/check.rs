//! What monitors ask: `towline check` on a network that lives and then loses its parts, and the port for metrics, whoever comes
//! there.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::io::Write as _;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use support::console::Console;
use support::daemon::{Daemon, free_ports};
use support::http::{answer, ask, connect};
use support::network::{Network, PAGE_TOKEN};
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
    let port = free_ports(3).to_string();
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

/// The value of a metric with these labels.
fn metric(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[test]
fn metrics_tell_of_a_backup_and_of_a_daemon_that_cannot_be_dialled() {
    let mut network = Network::start(&Network::shown());
    let port = network.metrics_port();
    let metrics = || {
        let (status, text) = ask(port, "GET /metrics", "", "");
        assert_eq!(status, 200, "{text}");
        text
    };
    let age = "towline_client_last_good_backup_age_seconds{client=\"f\"}";
    assert!(metrics().contains(&format!("{age} +Inf")), "{}", metrics());
    plant(&network.source, 2, 300_000);
    assert!(network.backup().is_ok());
    let text = wait_for("a backup that is counted", || {
        let text = metrics();
        metric(&text, age).is_some_and(f64::is_finite).then_some(text)
    });
    let of = |name: &str| metric(&text, name).unwrap_or_else(|| panic!("{name} is not in\n{text}"));
    assert_eq!(of("towline_jobs_ended_total{type=\"backup\",status=\"ok\"}"), 1.0);
    for more in [
        "towline_job_bytes_total{type=\"backup\",status=\"ok\"}",
        "towline_client_last_good_backup_bytes{client=\"f\"}",
    ] {
        assert!(of(more) > 300_000.0, "{text}");
    }
    assert!(of(age) < 300.0 && of("towline_volume_bytes{pool=\"p\",status=\"Append\"}") > 300_000.0, "{text}");
    assert_eq!(
        (of("towline_catalog_up{catalog=\"MyCatalog\"}"), of("towline_volumes{pool=\"p\",status=\"Append\"}")),
        (1.0, 1.0)
    );
    assert!(of("towline_catalog_free_bytes{catalog=\"MyCatalog\"}") > 0.0, "{text}");
    network.file.kill();
    network.ask(&["status client=f"]);
    let text = metrics();
    assert!(text.contains("towline_dial_failures_total{code=\"T0103\",cause=\""), "{text}");
}

#[test]
fn whoever_comes_to_the_port_for_metrics_the_director_goes_on_and_nobody_learns_the_token() {
    let network = Network::start(&Network::shown());
    let port = network.metrics_port();
    // It says a word and then nothing more: what comes of it is looked at in the end.
    let mut slow = connect(port);
    slow.write_all(b"GET /met").unwrap();

    let status = |what: &str, fields: &str| ask(port, what, fields, "").0;
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    for path in ["/", "/events"] {
        let what = format!("GET {path}");
        assert_eq!((status(&what, ""), status(&what, &bearer("wrong-guess"))), (401, 401));
        assert_eq!(status(&what, &bearer("[md5]92090fe3492fc898461397148c6200f1")), 401);
    }
    let (code, page) = ask(port, "GET /", &bearer(PAGE_TOKEN), "");
    assert!(code == 200 && page.contains("EventSource") && !page.contains(PAGE_TOKEN), "{code}");
    assert_eq!((status("POST /metrics", ""), status("GET /nothing", ""), status("nonsense", "")), (405, 404, 400));
    assert_eq!(status("GET /metrics", "Accept: text/plain\r\n"), 200);
    // A name of somebody else's that leads here, as a page in a browser could have it.
    let mut foreign = connect(port);
    foreign.write_all(b"GET /metrics HTTP/1.1\r\nHost: rebound.example\r\n\r\n").unwrap();
    assert_eq!(answer(foreign).0, 403);
    // A line of a megabyte, with an end and without.
    let long = "a".repeat(1 << 20);
    assert_eq!(status(&format!("GET /{long}"), ""), 431);
    let mut endless = connect(port);
    let _answered = endless.write_all(long.as_bytes());
    assert_eq!(answer(endless).0, 431);
    assert_eq!(status("GET /metrics", &format!("X: {long}\r\n")), 431);

    let log = network.director.logged(0, "a wrong token", |line| line.contains("T0992"));
    assert!(log.contains("127.0.0.1"), "{log}");
    let said = network.director.log.from(0).concat();
    assert!(!said.contains(PAGE_TOKEN) && !said.contains("wrong-guess"), "{said}");
    assert_eq!(answer(slow).0, 408);
}

#[test]
fn ten_thousand_at_the_port_for_metrics_are_turned_away_and_the_director_goes_on() {
    towline::daemon::raise_descriptor_limit();
    let network = Network::start(&Network::shown());
    let port = network.metrics_port();
    let threads = || std::fs::read_dir(format!("/proc/{}/task", network.director.id())).unwrap().count();
    let before = threads();
    let crowd: Vec<TcpStream> = (0..10_000).map(|_| connect(port)).collect();
    let most = before + 64 + 16;
    assert!(threads() <= most, "{} threads, {before} before", threads());
    network.assert_all_serve();
    plant(&network.source, 2, 100_000);
    assert!(network.backup().is_ok());
    network.director.logged(0, "a full port", |line| line.contains("T0993"));
    // Who had a place and said nothing was told so after a while.
    let codes: Vec<u16> = crowd.into_iter().map(|stream| answer(stream).0).collect();
    assert!(codes.iter().all(|code| [408, 503].contains(code)), "{codes:?}");
    assert!(codes.iter().filter(|code| **code == 503).count() > 5_000, "{codes:?}");
    wait_for("a place for a monitor", || (ask(port, "GET /metrics", "", "").0 == 200).then_some(()));
}
