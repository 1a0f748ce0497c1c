//! The tray monitor against real daemons, as processes: one look for scripts, on each runtime, and the screen in a
//! pseudo-terminal.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use support::daemon::run;
use support::network::{Network, Plan};
use support::plant;
use support::terminal::in_terminal;

const TRAY: &str = env!("CARGO_BIN_EXE_towline-tray");

/// A network whose daemons know the monitor `m`.
fn network() -> Network {
    let monitor = r#"(name: "m", password: "mpw", monitor: true)"#;
    Network::start(&Plan {
        directors: monitor.to_owned(),
        consoles: r#"(name: "m", password: "mpw", command_acl: ["status"], job_acl: ["*all*"], client_acl: ["*all*"])"#
            .to_owned(),
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
    text += &format!(r#"clients: [{}], storages: [{}])"#, clients.join(","), daemon("s", storage));
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
    std::fs::write(network.source.join("large"), support::noise(3, 32 << 20)).unwrap();
    let job = network.begin_backup();
    let cancel = format!("cancel jobid={job}");
    let (_, output, errors) = ask(&["run job=b yes", &cancel, "run job=b yes", "status"]);
    assert_eq!(output.matches("you have no access to it").count(), 3, "{output}{errors}");
    let ended = network.end_of(job);
    assert!(ended.is_ok(), "{}", ended.report);
    let (_, after, _) = ask(&["status"]);
    assert!(after.contains("No Jobs running."), "{after}");
    network.director.logged(before, "what was refused", |line| line.contains("T0530") && line.contains("console m"));
    let refusals = network.director.log.from(before).iter().filter(|line| line.contains("T0530")).count();
    assert_eq!(refusals, 1, "once a minute");
    network.assert_all_serve();
}

const ENTERED: &str = "\x1b[?1049h";
const LEFT: &str = "\x1b[?1049l";

#[test]
fn the_screen_shows_all_daemons_opens_details_and_gives_the_terminal_back() {
    let network = network();
    let file = configure(&network, "tray.ron", &[("f", network.file.address.port())]);
    for runtime in towline::daemon::runtime::BUILT {
        let mut step = 0;
        let (code, drawn) =
            in_terminal(&network, &format!("{TRAY} --runtime {runtime} -c {}", file.display()), &mut |seen, input| {
                match step {
                    0 if seen.matches("no job runs").count() == 3 => {
                        step = 1;
                        input.write_all(b"\r").unwrap();
                    }
                    1 if seen.contains("director d") && seen.contains("encryption: TLS") => {
                        step = 2;
                        input.write_all(b"q").unwrap();
                    }
                    _ => {}
                }
            });
        assert_eq!((code, step), (Some(0), 2), "{runtime}: {drawn}");
        let (start, end) = (drawn.find(ENTERED).unwrap(), drawn.rfind(LEFT).unwrap());
        assert!(start < end && !drawn[end..].contains("daemons reachable"), "{drawn}");
    }
}

#[test]
fn a_signal_ends_the_screen_and_gives_the_terminal_back() {
    let network = network();
    let file = configure(&network, "tray.ron", &[("f", network.file.address.port())]);
    let id = network.place("id");
    let line = format!("sh -c 'echo $$ >{}; exec {TRAY} -c {}'", id.display(), file.display());
    let mut told = false;
    let (code, drawn) = in_terminal(&network, &line, &mut |seen, _| {
        if !told && seen.contains("no job runs") {
            told = true;
            let id = std::fs::read_to_string(&id).unwrap().trim().parse().unwrap();
            kill_process(Pid::from_raw(id).unwrap(), Signal::TERM).unwrap();
        }
    });
    assert_eq!(code, Some(0), "{drawn}");
    assert!(told && drawn.contains(ENTERED) && drawn.contains(LEFT), "{drawn}");
}

#[test]
fn without_a_terminal_the_screen_is_refused_with_what_to_do() {
    let network = network();
    let file = configure(&network, "tray.ron", &[]);
    let (code, output, errors) = run(Command::new(TRAY).arg("-c").arg(file), "");
    assert_eq!((code, output.as_str()), (Some(64), ""));
    assert!(errors.contains("use --once or --json"), "{errors}");
}
