//! The tray monitor against real daemons, as processes: one look for scripts, on each runtime, and the screen in a
//! pseudo-terminal.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::daemon::run;
use support::network::{Network, Plan};
use support::plant;

const TRAY: &str = env!("CARGO_BIN_EXE_towline-tray");

/// A network whose daemons know the monitor `m`.
fn network() -> Network {
    let monitor = r#"(name: "m", password: "mpw", monitor: true)"#;
    Network::start(&Plan {
        directors: monitor.to_owned(),
        consoles: r#"(name: "m", password: "mpw", command_acl: ["status"])"#.to_owned(),
        ..Plan::default()
    })
}

/// Writes the monitor's configuration: these file daemons, and the other two.
fn configure(network: &Network, name: &str, clients: &[(&str, u16)]) -> PathBuf {
    let daemon =
        |name: &str, port: u16| format!(r#"(name: "{name}", address: "127.0.0.1", port: {port}, password: "mpw")"#);
    let (director, storage) = (network.director.address.port(), network.storage.address.port());
    let mut text =
        format!(r#"(monitor: (name: "m", timeout: 4, refresh_interval: 5), directors: [{}],"#, daemon("d", director));
    let clients: Vec<String> = clients.iter().map(|(name, port)| daemon(name, *port)).collect();
    write!(text, r#"clients: [{}], storages: [{}])"#, clients.join(","), daemon("s", storage)).unwrap();
    let file = network.place(name);
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn one_look_tells_of_all_daemons_on_each_runtime_and_one_that_says_nothing_holds_up_no_other() {
    let network = network();
    plant(&network.source, 1, 100_000);
    assert!(network.backup().is_ok());
    let file = network.file.address.port();
    let good = configure(&network, "good.ron", &[("f", file)]);
    for runtime in towline::daemon::runtime::BUILT {
        let (code, output, errors) =
            run(Command::new(TRAY).args(["--once", "--runtime", runtime, "-c"]).arg(&good), "");
        assert_eq!(code, Some(0), "{runtime}: {output}{errors}");
        for begin in ["director d (", "file daemon f (", "storage daemon s ("] {
            let line =
                output.lines().find(|line| line.starts_with(begin)).unwrap_or_else(|| panic!("{begin} in {output}"));
            assert!(line.contains("): reachable, no job runs, last job 1 b: OK, "), "{line}");
        }
        assert_eq!(output.lines().count(), 3, "{output}");
    }
    // It accepts, by its backlog, and never says a word.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let clients = [("mute", mute.local_addr().unwrap().port()), ("gone", gone), ("f", file)];
    let odd = configure(&network, "odd.ron", &clients);
    let before = Instant::now();
    let (code, output, errors) = run(Command::new(TRAY).args(["--once", "-c"]).arg(&odd), "");
    let took = before.elapsed();
    assert_eq!(code, Some(1), "{output}{errors}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    let lines: Vec<&str> = output.lines().collect();
    let (last, others) = lines.split_last().unwrap();
    assert!(last.starts_with("file daemon mute (") && last.contains("(T0531)"), "the silent one comes last: {output}");
    assert_eq!(others.iter().filter(|line| line.contains("): reachable")).count(), 3, "{output}");
    assert!(others.iter().any(|line| line.starts_with("file daemon gone (") && line.contains("(T0103)")), "{output}");
}

#[test]
fn json_is_one_object_with_all_that_is_known() {
    let network = network();
    plant(&network.source, 2, 100_000);
    assert!(network.backup().is_ok());
    let file = configure(&network, "tray.ron", &[("f", network.file.address.port())]);
    let (code, output, errors) = run(Command::new(TRAY).args(["--json", "-c"]).arg(&file), "");
    assert_eq!(code, Some(0), "{output}{errors}");
    let value: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(value["all_reachable"], true);
    let daemons = value["daemons"].as_array().unwrap();
    let of = |key: &str| daemons.iter().map(|daemon| daemon[key].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(of("kind"), ["director", "file_daemon", "storage_daemon"]);
    assert_eq!(of("name"), ["d", "f", "s"]);
    for daemon in daemons {
        assert_eq!((&daemon["jobs_run"], &daemon["error"]), (&Value::from(1), &Value::Null), "{daemon}");
        assert_eq!(
            (&daemon["terminated"][0]["jobid"], &daemon["terminated"][0]["status"]),
            (&Value::from(1), &Value::from("OK"))
        );
        assert!(daemon["encryption"].as_str().unwrap().contains("TLSv1.3"), "{daemon}");
    }
}

#[test]
fn a_monitor_may_do_nothing_but_look() {
    let network = network();
    let ask = |lines: &[&str]| {
        let port = network.director.address.port();
        let text = format!(
            r#"(director: (name: "d", address: "127.0.0.1", port: {port}), console: (name: "m", password: "mpw"))"#
        );
        let file = network.place("as-monitor.ron");
        std::fs::write(&file, text).unwrap();
        run(Command::new(env!("CARGO_BIN_EXE_towline-console")).arg("-c").arg(file), &(lines.join("\n") + "\n"))
    };
    let before = network.director.log.count();
    let (_, output, errors) = ask(&["run job=b yes", "cancel jobid=1", "run job=b yes", "status"]);
    assert_eq!(output.matches("you have no access to it").count(), 3, "{output}{errors}");
    assert!(output.contains("No Jobs running."), "{output}");
    network.director.logged(before, "what was refused", |line| line.contains("T0530") && line.contains("console m"));
    let refusals = network.director.log.from(before).iter().filter(|line| line.contains("T0530")).count();
    assert_eq!(refusals, 1, "once a minute");
    network.assert_all_serve();
}
