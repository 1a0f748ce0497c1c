//! A catalog that is lost is made again from the volumes by a director that has moved: what is restored by date is the same, and
//! incrementals go on.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use support::console::Console;
use support::daemon::{Daemon, run};
use support::elsewhere::Elsewhere;
use support::network::{CLEAR, Ended, Network, Plan};
use support::{noise, tree, wait_for};

type Tree = BTreeMap<String, Vec<u8>>;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Lets the clock go on, so that a change is later than the start of the job before by whole seconds.
fn next_second() {
    let began = now();
    wait_for("the next second but one", || (now() > began + 1).then_some(()));
}

/// A moment as consoles take it.
fn shown(seconds: u64) -> String {
    let moment = jiff::Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap();
    jiff::tz::TimeZone::system().to_datetime(moment).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The operator's tool: its exit code, what it prints, and what it complains about.
fn towline(words: &[&str], paths: &[&Path]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_towline"));
    run(command.args(words).args(paths), "")
}

fn files_of(ended: &Ended) -> u32 {
    let line = ended.report.lines().find_map(|line| line.trim().strip_prefix("FD Files Written:")).unwrap();
    line.trim().replace(',', "").parse().unwrap()
}

/// What a restore of the state before a moment brings back.
fn restored(console: &Console, source: &Path, place: &Path, before: u64) -> Tree {
    let line = format!("restore client=f where={} before=\"{}\" all done yes", place.display(), shown(before));
    let ended = console.end_of(console.order(&line));
    assert!(ended.is_ok(), "{}", ended.report);
    tree(&place.join(source.strip_prefix("/").unwrap()))
}

/// Some weeks of backups on small volumes: after each the moment, and what there was.
fn weeks(network: &Network) -> Vec<(u64, Tree)> {
    let put = |name: &str, bytes: &[u8]| fs::write(network.source.join(name), bytes).unwrap();
    fs::create_dir(network.source.join("sub")).unwrap();
    put("same", &noise(1, 90_000));
    put("sub/first", b"first");
    fs::hard_link(network.source.join("sub/first"), network.source.join("second")).unwrap();
    let levels = ["full", "incremental", "incremental", "differential", "incremental", "full", "incremental"];
    let mut states = Vec::new();
    for (level, nth) in levels.into_iter().zip(0_u64..) {
        put("changed", &noise(10 + nth, 40_000));
        put(&format!("sub/day {nth}"), format!("day {nth}").as_bytes());
        next_second();
        let ended = network.run(&format!("run job=b level={level} yes"));
        assert!(ended.is_ok(), "{}", ended.report);
        next_second();
        states.push((now(), tree(&network.source)));
        next_second();
    }
    states
}

/// Kills the director, and starts one with its configuration in another folder, at another port, and with a catalog made
/// from the volumes.
fn moved(network: &mut Network) -> (Daemon, Console) {
    let elsewhere = Elsewhere::of(network);
    let config = elsewhere.config();
    let scan = || towline(&["volume", "scan", "--config", config.to_str().unwrap()], &[&network.volumes]);
    let (code, said, complaints) = scan();
    assert_eq!((code, complaints.as_str()), (Some(0), ""), "{said}");
    assert!(said.contains("7 jobs, 7 of them new"), "{said}");
    let (code, said, _) = scan();
    assert!(code == Some(0) && said.contains("7 jobs, 0 of them new") && said.contains("; 0 new volumes"), "{said}");
    let moved = elsewhere.start(&[PathBuf::from(env!("CARGO_BIN_EXE_towline-dir"))]);
    // A scan while the director runs is refused.
    let (code, _, complaints) = towline(&["volume", "scan", "--config", config.to_str().unwrap()], &[&network.volumes]);
    assert!(
        code == Some(75) && complaints.contains("(T0610)") || complaints.contains("T0610"),
        "{code:?} {complaints}"
    );
    moved
}

#[test]
fn a_lost_catalog_is_made_again_and_restores_by_date_are_equal_and_incrementals_go_on() {
    let pool = r#"maximum_volume_bytes: "256 KiB","#.to_owned();
    let mut network = Network::start(&Plan { all: CLEAR.to_owned(), pool, ..Plan::default() });
    let states = weeks(&network);
    assert!(network.volume_files().len() > 1, "{:?}", network.volume_files());
    let before: Vec<u32> = (1..=7).collect();
    let source = network.source.clone();
    let (_director, console) = moved(&mut network);
    let listed = console.ask(&["list jobs"]);
    for id in before {
        assert!(listed.contains(&format!("| {id} |")) || listed.contains(&format!(" {id} |")), "{listed}");
    }
    for (nth, (moment, there)) in states.iter().enumerate() {
        let place = network.place(&format!("restored {nth}").replace(' ', "-"));
        assert_eq!(&restored(&console, &source, &place, *moment), there, "state {nth}");
    }
    // Nothing but the change is saved, on top of what the volumes say.
    next_second();
    fs::write(source.join("changed"), "after").unwrap();
    let ended = console.end_of(console.order("run job=b level=incremental yes"));
    assert!(ended.is_ok() && ended.report.contains("Incremental"), "{}", ended.report);
    assert_eq!(files_of(&ended), 1, "{}", ended.report);
    next_second();
    assert_eq!(restored(&console, &source, &network.place("last"), now()), tree(&source));
}

#[test]
fn volumes_are_listed_checked_and_restored_without_any_daemon_and_each_job_leaves_its_bootstrap() {
    let pool = r#"maximum_volume_bytes: "256 KiB","#.to_owned();
    let network = Network::start(&Plan { all: CLEAR.to_owned(), pool, ..Plan::default() });
    support::plant(&network.source, 5, 400_000);
    assert!(network.run("run job=b level=full yes").is_ok());
    let (source, volumes) = (network.source.clone(), network.volumes.clone());
    let below = |place: &Path| place.join(source.strip_prefix("/").unwrap());
    let (code, said, complaints) = towline(&["volume", "check"], &[&volumes]);
    assert_eq!((code, complaints.as_str()), (Some(0), ""), "{said}");
    assert!(said.contains("1 job,") && said.contains("all is well"), "{said}");
    let (code, said, _) = towline(&["volume", "ls", "--json"], &[&volumes]);
    let rows: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, &rows[0]["resource"], &rows[0]["status"]), (Some(0), &"b".into(), &"T".into()));
    assert!(rows.iter().any(|row| row["file"].as_str().is_some_and(|name| name.ends_with("/large"))), "{said}");
    let bootstraps: Vec<PathBuf> = fs::read_dir(&volumes)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "bsr"))
        .collect();
    let [bootstrap] = &bootstraps[..] else { panic!("{bootstraps:?}") };
    let place = network.place("by-bootstrap");
    let words = ["volume", "extract", "--to", place.to_str().unwrap(), "--bootstrap", bootstrap.to_str().unwrap()];
    let (code, said, complaints) = towline(&words, &[&volumes]);
    assert_eq!((code, complaints.as_str()), (Some(0), ""), "{said}");
    support::assert_restored(&source, &place);
    // By name, and nothing else.
    let place = network.place("by-name");
    let words = ["volume", "extract", "--to", place.to_str().unwrap(), "--job", "b", "--name", "*/a/*3"];
    let (code, said, complaints) = towline(&words, &[&volumes]);
    assert_eq!((code, complaints.as_str()), (Some(0), ""), "{said}");
    let names: Vec<String> = tree(&below(&place)).into_keys().collect();
    assert_eq!(names, ["a/", "a/file 3"]);
    // A byte that has changed is found, and the exit code says so.
    let victim = network.volume_files().remove(0);
    let mut bytes = fs::read(&victim).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&victim, bytes).unwrap();
    let (code, _, complaints) = towline(&["volume", "check"], &[&volumes]);
    assert!(code == Some(1) && complaints.contains("(T0629)"), "{code:?} {complaints}");
    let (code, _, complaints) = towline(&["volume", "check"], &[&network.place("source")]);
    assert!(code == Some(2) && complaints.contains("(T0635)"), "{code:?} {complaints}");
}

#[test]
fn a_catalog_is_copied_while_jobs_run_and_made_again_from_the_copy() {
    let mut network = Network::start(&Plan { all: CLEAR.to_owned(), ..Plan::default() });
    support::plant(&network.source, 9, 3_000_000);
    assert!(network.run("run job=b level=full yes").is_ok());
    let running = network.begin_full_backup();
    let (config, copy) = (network.place("director.ron"), network.place("copy"));
    let backup = ["catalog", "backup", "--config", config.to_str().unwrap()];
    let (code, said, complaints) = towline(&backup, &[&copy]);
    assert_eq!((code, complaints.as_str()), (Some(0), ""), "{said}");
    assert!(network.end_of(running).is_ok());
    let restore = ["catalog", "restore", "--config", config.to_str().unwrap()];
    let (code, _, complaints) = towline(&restore, &[&copy]);
    assert!(code == Some(2) && complaints.contains("T0610"), "the director runs: {code:?} {complaints}");
    network.director.kill();
    let (code, _, complaints) = towline(&restore, &[&copy]);
    assert!(code == Some(2) && complaints.contains("(T0639)") && complaints.contains("jobs"), "{code:?} {complaints}");
    for end in ["", "-wal", "-shm"] {
        let _may_be_missing = fs::remove_file(network.place(&format!("catalog.sqlite{end}")));
    }
    let (code, said, complaints) = towline(&restore, &[&copy]);
    assert_eq!((code, complaints.as_str()), (Some(0), ""), "{said}");
    network.director.restart();
    let place = network.place("restored");
    let ended = network.end_of(network.begin_full_backup());
    assert!(ended.is_ok(), "{}", ended.report);
    let ended = network.restore(&place, "jobid=1");
    assert!(ended.is_ok(), "{}", ended.report);
    support::assert_restored(&network.source, &place);
}
