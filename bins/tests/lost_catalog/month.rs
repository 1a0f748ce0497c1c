//! A month of nights in seconds: a library, Debian's `faketime`, sets the clocks of the daemons back. Then the catalog is lost, made
//! again from the volumes by a director in another folder and at another port, and what is restored by date is what was there then.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::console::Console;
use crate::support::daemon::{Daemon, run};
use crate::support::elsewhere::Elsewhere;
use crate::support::network::{CLEAR, Network, Plan};
use crate::support::{noise, tree};

type Tree = BTreeMap<String, Vec<u8>>;

/// A backup every second night: how many days ago, and its level.
const NIGHTS: [(u64, &str); 15] = [
    (28, "full"),
    (26, "incremental"),
    (24, "incremental"),
    (22, "incremental"),
    (20, "differential"),
    (18, "incremental"),
    (16, "incremental"),
    (14, "full"),
    (12, "incremental"),
    (10, "incremental"),
    (8, "incremental"),
    (6, "differential"),
    (4, "incremental"),
    (2, "incremental"),
    (0, "incremental"),
];

/// The clock of the daemons that are started with it.
struct Clock {
    folder: tempfile::TempDir,
}

impl Clock {
    fn new() -> Self {
        let clock = Self { folder: tempfile::tempdir().unwrap() };
        clock.set_back(0);
        clock
    }

    fn set_back(&self, days: u64) {
        fs::write(self.folder.path().join("clock"), format!("-{days}d\n")).unwrap();
    }

    /// A program that becomes another one, which goes by this clock.
    fn program(&self, name: &str, becomes: &str) -> PathBuf {
        let library = fs::read_dir("/usr/lib").unwrap().find_map(|entry| {
            let library = entry.unwrap().path().join("faketime/libfaketime.so.1");
            library.exists().then_some(library)
        });
        let library = library.expect("this test needs Debian's faketime");
        let path = self.folder.path().join(name);
        let text = format!(
            "#!/bin/sh\nexport TZ=UTC LD_PRELOAD={} FAKETIME_TIMESTAMP_FILE={} FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1\n\
             exec {becomes} \"$@\"\n",
            library.display(),
            self.folder.path().join("clock").display()
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

/// The day, so many days ago.
fn day(ago: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let moment = jiff::Timestamp::from_second(i64::try_from(now - ago * 86_400).unwrap()).unwrap();
    moment.strftime("%Y-%m-%d").to_string()
}

/// What changes until a night: a file, one more, and one that goes.
fn live(source: &Path, night: u64) {
    // Of another size each night: the nights follow each other within a second of the files' times.
    let size = 40_000 + usize::try_from(night).unwrap();
    fs::write(source.join("changed"), noise(10 + night, size)).unwrap();
    fs::write(source.join(format!("night {night}")), format!("night {night}")).unwrap();
    if let Some(gone) = night.checked_sub(4) {
        fs::remove_file(source.join(format!("night {gone}"))).unwrap();
    }
}

/// The nights: of each the day, and what there was.
fn month(network: &mut Network, clock: &Clock) -> Vec<(String, Tree)> {
    fs::write(network.source.join("same"), noise(1, 90_000)).unwrap();
    let mut states = Vec::new();
    for ((ago, level), night) in NIGHTS.into_iter().zip(0..) {
        live(&network.source, night);
        let daemons = [&mut network.file, &mut network.storage, &mut network.director];
        clock.set_back(ago);
        for daemon in daemons {
            daemon.kill();
            daemon.restart();
        }
        let ended = network.run(&format!("run job=b level={level} yes"));
        assert!(ended.is_ok() && ended.report.contains(&day(ago)), "{} days ago: {}", ago, ended.report);
        states.push((day(ago), tree(&network.source)));
    }
    states
}

/// Kills the director, loses its catalog, makes it again from the volumes, and starts the director elsewhere.
fn moved(network: &mut Network, program: &[PathBuf]) -> (Daemon, Console) {
    let elsewhere = Elsewhere::of(network);
    let mut scan = Command::new(env!("CARGO_BIN_EXE_towline"));
    let (code, said, complaints) =
        run(scan.args(["volume", "scan", "--config"]).arg(elsewhere.config()).arg(&network.volumes), "");
    assert_eq!((code, complaints.as_str()), (Some(0), ""), "{said}");
    assert!(said.contains("15 jobs, 15 of them new"), "{said}");
    elsewhere.start(program)
}

/// A restore that is ordered with these words brings back what there was.
fn restores(console: &Console, network: &Network, (name, words): (&str, &str), there: &Tree) {
    let place = network.place(name);
    let line = format!("restore client=f where={} {words} all done yes", place.display());
    let ended = console.end_of(console.order(&line));
    assert!(ended.is_ok(), "{words}: {}", ended.report);
    let found = tree(&place.join(network.source.strip_prefix("/").unwrap()));
    let differ: Vec<_> = found.keys().chain(there.keys()).filter(|name| found.get(*name) != there.get(*name)).collect();
    assert!(differ.is_empty(), "{words}: {differ:?}");
}

#[test]
fn after_a_month_the_catalog_is_lost_and_restores_by_date_incrementals_and_retention_go_on() {
    let clock = Clock::new();
    let program = [clock.program("any", ""), env!("CARGO_BIN_EXE_towline-dir").into()];
    let pool = r#"maximum_volume_bytes: "256 KiB", volume_retention: "20 d", auto_prune: false,"#.to_owned();
    let mut network = Network::start(&Plan {
        all: CLEAR.to_owned(),
        pool,
        file_program: clock.program("fd", env!("CARGO_BIN_EXE_towline-fd")),
        storage_prefix: vec![program[0].clone()],
        director_prefix: vec![program[0].clone()],
        rewrite: |text| text.replace(r#"(name: "b", level: full,"#, r#"(name: "b", level: full, accurate: true,"#),
        ..Plan::default()
    });
    let states = month(&mut network, &clock);
    let (_director, console) = moved(&mut network, &program);
    // In words, for a day without a backup, for one with it, and the last.
    restores(&console, &network, ("weeks", "before=\"3 weeks ago\""), &states[3].1);
    restores(&console, &network, ("between", &format!("at={}", day(17))), &states[5].1);
    for nth in [0, 7, 9, 11] {
        let (day, there) = &states[nth];
        restores(&console, &network, (&format!("night-{nth}"), &format!("at={day}")), there);
    }
    // Nothing but the change is saved, on top of what the volumes say.
    fs::write(network.source.join("changed"), "after").unwrap();
    let ended = console.end_of(console.order("run job=b level=incremental yes"));
    assert!(ended.is_ok() && ended.report.contains("FD Files Written:       1\n"), "{}", ended.report);
    restores(&console, &network, ("last", ""), &tree(&network.source));
    // The first volume is older than its retention, and stands for nothing that a restore of the present needs.
    let pruned = console.ask(&["prune volume=v-0001 yes"]);
    let listed = console.ask(&["list volumes"]);
    let row = listed.lines().find(|line| line.contains("v-0001")).unwrap_or_default();
    assert!(row.contains("Purged"), "{pruned}\n{listed}");
    let young = console.ask(&["prune volume=v-0003 yes", "list volumes"]);
    assert!(!young.lines().any(|line| line.contains("v-0003") && line.contains("Purged")), "{young}");
    fs::write(network.source.join("large"), noise(99, 300_000)).unwrap();
    let ended = console.end_of(console.order("run job=b level=full yes"));
    assert!(ended.is_ok() && ended.report.contains("v-0001"), "it is used again: {}", ended.report);
    restores(&console, &network, ("all", ""), &tree(&network.source));
}
