//! `run` of a backup: other jobs that it has start beside itself.

use serde_json::json;
use towline_core::catalog::memory::MemoryCatalog;

use super::desk::{Desk, config};

#[test]
fn a_backup_starts_others_at_its_level_and_these_start_none() {
    let mut config = config();
    config["jobs"][0]["run"] = json!(["\"second job\" level=%l priority=3", "restore", "nobody"]);
    let mut second = config["jobs"][0].clone();
    (second["name"], second["level"]) = (json!("second job"), json!("incremental"));
    config["jobs"].as_array_mut().unwrap().push(second);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    let report = desk.report(1);
    for text in [
        "Starts another job: \"second job\" level=Full priority=3\n",
        "another job was not started, \"restore\": Use restore to restore.",
        "another job was not started, \"nobody\": Name a job: run job=NAME.",
    ] {
        assert!(report.contains(text), "{text}: {report}");
    }
    let row = |id: u32| desk.shelf().catalog.job_row(id).map(|row| (row.name.clone(), row.level));
    assert_eq!(row(2), Some(("second job".to_owned(), b'F')));
    // It has the same words in its resource, and does not heed them.
    assert_eq!(row(3), None);
}
