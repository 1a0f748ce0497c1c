//! Devices and volumes in the hands of an operator, through real daemons: two devices under one name, data that is spooled,
//! a pool whose volumes are labelled by hand, and a command that erases what is deleted.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use support::daemon::run;
use support::network::{CLEAR, Network, Plan};
use support::{noise, wait_for};

/// A device that stands for two; its pool labels nothing by itself.
fn rewrite(text: String) -> String {
    let text = text.replace(r#"name: "p", label_format: "v-","#, r#"name: "p","#);
    text.replace(
        r#"(name: "b", level: full,"#,
        r#"(name: "b", level: full, spool_data: true, spool_size: "2 MiB", maximum_concurrent_jobs: 2,"#,
    )
    .replace(r#"device: "dev", media_type"#, r#"device: "dev", maximum_concurrent_jobs: 2, media_type"#)
}

#[test]
fn two_jobs_that_spool_go_on_when_two_volumes_are_labelled_by_hand() {
    let (device, client) = ("count: 2,".to_owned(), "maximum_concurrent_jobs: 2,".to_owned());
    let plan = Plan { all: CLEAR.to_owned(), device, client, rewrite, ..Plan::default() };
    let mut network = Network::start(&plan);
    fs::write(network.source.join("large"), noise(7, 5 << 20)).unwrap();
    let jobs = [network.begin_backup(), network.begin_backup()];
    // Both have a device and none has a volume: their data waits in files.
    let waiting = || {
        let text = network.ask(&["messages"]);
        text.contains("label storage=s pool=p volume=NAME").then_some(text)
    };
    wait_for("a job that waits", waiting);
    let spools = || {
        let names = fs::read_dir(network.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().ends_with(".spool")).count()
    };
    wait_for("the spool files of both", || (spools() >= 2).then_some(()));
    let status = network.ask(&["status storage=s"]);
    assert!(status.contains("\"dev0001\"") && status.contains("\"dev0002\""), "{status}");
    for name in ["HAND1", "HAND2"] {
        let text = network.ask(&[&format!("label volume={name} pool=p storage=s yes")]);
        assert!(text.contains("3000 OK label. VolFiles=0 VolBytes="), "{text}");
        assert!(
            text.contains(&format!("Catalog record for Volume \"{name}\", Slot 0 successfully created.")),
            "{text}"
        );
    }
    for id in jobs {
        let ended = network.end_of(id);
        assert!(ended.is_ok(), "{}", ended.report);
        for words in ["Spooling data ...", "Writing spooled data to Volume. Despooling", "Committing spooled data"] {
            assert!(ended.report.contains(words), "{words}: {}", ended.report);
        }
    }
    let text = network.ask(&["list volumes"]);
    assert_eq!(text.matches("| HAND").count(), 2, "{text}");
    assert_eq!(spools(), 0, "they are gone with their jobs");
    let place = network.place("back");
    let ended = network.restore(&place, "");
    assert!(ended.is_ok(), "{}", ended.report);
    support::assert_restored(&network.source, &place);
    assert!(network.ask(&["label volume=HAND1"]).contains("already exists"));
    assert!(network.ask(&["unmount storage=s"]).contains("3002 Device"));
    assert!(network.ask(&["mount storage=s"]).contains("3906 File device"));
    // What a crash leaves is gone after the next start.
    let left = network.place("s.data.9.left.dev0001.spool");
    fs::write(&left, "x").unwrap();
    network.storage.kill();
    network.storage.restart();
    assert!(!left.exists());
}

/// Starts the storage daemon again with a program of this text that erases files; it keeps a list of those beside itself.
fn erase_with(network: &mut Network, text: &str) {
    let program = network.place("eraser");
    let text = format!("#!/bin/sh\necho \"$1\" >>\"$0.log\"\n{text}\n");
    // In one step: another file of this name may be running.
    fs::write(network.place("eraser-new"), text).unwrap();
    fs::set_permissions(network.place("eraser-new"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(network.place("eraser-new"), &program).unwrap();
    network.storage.kill();
    let file = network.place("storage.ron");
    let before = fs::read_to_string(&file).unwrap();
    if !before.contains("secure_erase_command") {
        let setting = format!(r#"(name: "s", secure_erase_command: {program:?}, "#);
        fs::write(&file, before.replace(r#"(name: "s", "#, &setting)).unwrap();
    }
    network.storage.restart();
}

/// What the program was given since the last look.
fn erased(network: &Network) -> Vec<String> {
    let log = network.place("eraser.log");
    let said = fs::read_to_string(&log).unwrap_or_default();
    let _may_be_missing = fs::remove_file(log);
    let name = |line: &str| line.rsplit('/').next().unwrap_or_default().to_owned();
    said.lines().map(name).collect()
}

#[test]
fn what_is_deleted_goes_to_the_command_that_erases_and_what_that_fails_at_is_not_used_again() {
    let pool = "maximum_volumes: 1, maximum_volume_jobs: 1, auto_prune: false,".to_owned();
    let mut network = Network::start(&Plan { all: CLEAR.to_owned(), pool, ..Plan::default() });
    fs::write(network.source.join("large"), noise(9, 1 << 20)).unwrap();
    assert!(network.backup().is_ok());
    let volume = network.volume_files().remove(0);
    let first = fs::read(&volume).unwrap();
    let purge = "purge volume=v-0001 pool=p yes";
    network.ask(&[purge]);
    // It fails: neither an operator nor a job gets the volume, and nothing of it has changed.
    erase_with(&mut network, "echo 'the disk is on strike' >&2; exit 7");
    let text = network.ask(&["truncate volstatus=Purged volume=v-0001 yes"]);
    assert!(text.contains("is not erased") && text.contains("the disk is on strike"), "{text}");
    assert!(!text.contains("has been truncated"), "{text}");
    assert_eq!(erased(&network), ["v-0001"]);
    let ended = network.backup();
    assert!(
        ended.termination().contains("Error") && ended.report.contains("the disk is on strike"),
        "{}",
        ended.report
    );
    assert!(fs::read(&volume).unwrap() == first, "the volume is as it was");
    // It works: for a job that uses the volume again, with its bootstrap, and for one that spools.
    erased(&network);
    erase_with(&mut network, "test -s \"$1\" && exec shred -u \"$1\"");
    network.ask(&["update volume=v-0001 volstatus=Purged"]);
    let ended = network.run("run job=b level=full spooldata=yes yes");
    assert!(ended.is_ok(), "{}", ended.report);
    let mut names = erased(&network);
    names.sort();
    let ends = |end: &str| names.iter().filter(|name| name.ends_with(end)).count();
    assert_eq!((ends("v-0001"), ends(".bsr"), ends(".spool")), (1, 1, 2), "{names:?}");
    let place = network.place("back");
    let ended = network.restore(&place, "");
    assert!(ended.is_ok(), "{}", ended.report);
    support::assert_restored(&network.source, &place);
    // For an operator, under the same name.
    network.ask(&[purge]);
    let text = network.ask(&["truncate volstatus=Purged volume=v-0001 yes"]);
    assert!(text.contains("has been truncated"), "{text}");
    assert!(erased(&network).contains(&"v-0001".to_owned()));
    assert!(fs::metadata(&volume).unwrap().len() < 1_000);
    // Without a program the daemon does not start.
    network.storage.kill();
    fs::remove_file(network.place("eraser")).unwrap();
    let words = ["-t", "-c", network.place("storage.ron").to_str().unwrap()].map(str::to_owned);
    let (code, _, said) = run(Command::new(env!("CARGO_BIN_EXE_towline-sd")).args(words), "");
    assert!(code == Some(78) && said.contains("T0967") && said.contains("eraser"), "{code:?} {said}");
}
