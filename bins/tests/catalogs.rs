//! A director with two SQLite catalogs: backups in each, restores from each, and consoles that go from one to the other.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use support::network::{Network, Plan};
use support::tree;

const JOB: &str = r#"client: "f", fileset: "fs", storage: "s""#;

/// A second catalog with a pool of its own, and a job that has it.
fn rewrite(text: String) -> String {
    text.replace("pools: [", r#"pools: [(name: "deep", label_format: "deep-", catalog: "Archive"), "#)
        .replace("jobs: [", &format!(r#"jobs: [(name: "a", level: full, {JOB}, pool: "deep"), "#))
        .replace("catalog: sqlite(", r#"catalogs: [sqlite(name: "Archive", path: "archive.sqlite")], catalog: sqlite("#)
}

fn network() -> Network {
    Network::start(&Plan { rewrite, ..Plan::default() })
}

#[test]
fn backups_are_recorded_in_two_catalogs_and_restored_from_each() {
    let network = network();
    std::fs::write(network.source.join("file"), "first").unwrap();
    let first = network.run_in("MyCatalog", "run job=b yes");
    assert!(first.is_ok() && first.report.contains("Catalog:                \"MyCatalog\""), "{}", first.report);
    std::fs::write(network.source.join("file"), "second").unwrap();
    std::fs::write(network.source.join("more"), "more").unwrap();
    let second = network.run_in("Archive", "run job=a yes");
    assert!(second.is_ok() && second.report.contains("Catalog:                \"Archive\""), "{}", second.report);
    assert_eq!((first.id, second.id), (1, 2), "no two jobs have the same number");

    let listed = network.ask(&["list jobs", "2", "list volumes"]);
    assert!(listed.contains("Select Catalog resource"), "a person is asked which one is meant: {listed}");
    assert!(listed.contains("v-0001") && !listed.contains("deep-0001") && !listed.contains("| a "), "{listed}");
    let listed = network.ask(&["use catalog=Archive", "list jobs", "list volumes"]);
    assert!(listed.contains("deep-0001") && !listed.contains("v-0001") && listed.contains("| a "), "{listed}");

    let now = tree(&network.source);
    for (catalog, file, files) in [("Archive", "second", 2), ("MyCatalog", "first", 1)] {
        let place = network.place(catalog);
        let line = format!("restore client=f catalog={catalog} where={} all done yes", place.display());
        let ended = network.run_in(catalog, &line);
        assert!(ended.is_ok(), "{}", ended.report);
        let restored = tree(&place.join(network.source.strip_prefix("/").unwrap()));
        assert_eq!(
            std::fs::read_to_string(place.join(network.source.strip_prefix("/").unwrap()).join("file")).unwrap(),
            file
        );
        assert_eq!(restored.len(), files, "{catalog}: {restored:?}, now {now:?}");
        let listed = network.ask(&[&format!("list jobs catalog={catalog}")]);
        assert!(listed.contains("| R "), "the restore is recorded where its files are: {listed}");
    }
}

#[test]
fn a_catalog_that_another_program_holds_lets_the_jobs_of_the_other_one_go_on() {
    let network = network();
    std::fs::write(network.source.join("file"), "text").unwrap();
    let held = rusqlite::Connection::open(network.place("archive.sqlite")).unwrap();
    held.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| network.run_in("Archive", "run job=a yes"));
        network.director.logged(0, "that it is away", |line| line.contains("the catalog is away"));
        let ended = network.run_in("MyCatalog", "run job=b yes");
        assert!(ended.is_ok(), "{}", ended.report);
        held.execute_batch("ROLLBACK").unwrap();
        waiting.join().unwrap()
    });
    assert!(waiting.is_ok(), "{}", waiting.report);
}

#[test]
fn a_second_director_gets_none_of_the_catalogs() {
    let network = network();
    let own = |text: &str| {
        text.replace(r#"catalog: sqlite(path: "catalog.sqlite")"#, r#"catalog: sqlite(path: "new.sqlite")"#)
    };
    let text = std::fs::read_to_string(network.place("director.ron")).unwrap();
    let port = network.director.address.port();
    let free = support::daemon::free_port();
    let other = own(&text).replace(&format!("port: {port}"), &format!("port: {free}"));
    assert!(other.contains("new.sqlite") && other.contains(&format!("port: {free}")), "{other}");
    let file = network.place("second.ron");
    std::fs::write(&file, other).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_towline-dir"));
    let (code, _, said) = support::daemon::run(command.arg("-c").arg(&file), "");
    assert_eq!(code, Some(75), "{said}");
    assert!(said.contains("T0610") && said.contains("archive.sqlite"), "{said}");
}
