//! A disk that is really full: a small tmpfs that only the storage daemon sees. Needs root. And a month, whose nights pass in seconds.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "lost_catalog/month.rs"]
mod month;
mod support;

use std::process::Command;

use support::daemon::run;
use support::network::{Network, Plan};
use support::{assert_restored, noise, plant};

#[test]
fn a_full_disk_fails_the_job_and_the_jobs_before_and_after_it_are_good() {
    assert!(towline::disk::meta::is_root(), "this test needs root");
    let folder = tempfile::tempdir().unwrap();
    let volumes = folder.path().join("volumes");
    let script = r#"mount -t tmpfs -o size=6m towline "$0" && exec "$@""#;
    let prefix = ["unshare", "--mount", "--", "sh", "-c", script];
    let mut prefix: Vec<_> = prefix.iter().map(Into::into).collect();
    prefix.push(volumes.clone());
    let network = Network::start(&Plan { storage_prefix: prefix, volumes: Some(volumes), ..Plan::default() });
    plant(&network.source, 9, 1 << 20);
    let first = network.backup();
    assert!(first.is_ok(), "{}", first.report);
    let modified = std::fs::metadata(&network.source).unwrap().modified().unwrap();
    std::fs::write(network.source.join("too much"), noise(1, 20 << 20)).unwrap();
    let failed = network.backup();
    assert_eq!(failed.termination(), "Backup *** Error ***", "{}", failed.report);
    assert!(failed.report.contains("is full (T0670); free space there"), "{}", failed.report);
    let labelled = failed.report.matches("Labeled new Volume").count();
    assert!(labelled <= 1, "new volumes on a full disk: {}", failed.report);
    network.assert_all_serve();
    let more_room = ["--mount", "--target", &network.storage.id().to_string(), "mount", "-o", "remount,size=30m"];
    let (code, _, said) = run(Command::new("nsenter").args(more_room).arg(&network.volumes), "");
    assert_eq!(code, Some(0), "{said}");
    std::fs::remove_file(network.source.join("too much")).unwrap();
    std::fs::File::open(&network.source).unwrap().set_modified(modified).unwrap();
    for (job, name) in [(&first, "first"), (&network.backup(), "next")] {
        assert!(job.is_ok(), "{}", job.report);
        let place = network.place(name);
        let restored = network.restore(&place, &format!("jobid={}", job.id));
        assert!(restored.is_ok(), "{}", restored.report);
        assert_restored(&network.source, &place);
    }
}

#[test]
fn of_a_configuration_that_has_no_room_nothing_stands_half_written() {
    assert!(towline::disk::meta::is_root(), "this test needs root");
    let folder = tempfile::tempdir().unwrap();
    let script = r#"mount -t tmpfs -o size=4k towline "$0" || exit 1
        "$1" init "$0/etc"; status=$?; find "$0" -type f; exit "$status""#;
    let mut init = Command::new("unshare");
    init.args(["--mount", "--", "sh", "-c", script]).arg(folder.path()).arg(env!("CARGO_BIN_EXE_towline"));
    let (code, files, said) = run(&mut init, "");
    assert_eq!((code, files.as_str()), (Some(73), ""), "{said}");
    assert!(said.contains("No space left on device"), "{said}");
}
