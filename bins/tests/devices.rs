//! Devices and volumes in the hands of an operator, through real daemons: two devices under one name, data that is spooled,
//! a pool whose volumes are labelled by hand.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::fs;

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
