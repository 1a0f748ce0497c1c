//! Daemons that die in the middle of a backup, and jobs that are called off: nothing hangs, the end is recorded, and the
//! next backup works.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "dying/drill.rs"]
mod drill;
mod support;

use std::fs::File;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::network::{Network, Plan};
use support::{assert_restored, plant, wait_for};

/// A file that takes a while to read: it needs no disk.
const ENDLESS: u64 = 3 << 30;
/// So much of it on a volume shows that the backup is under way.
const UNDER_WAY: u64 = 8 << 20;

/// A network in the middle of a backup that would take long.
fn in_the_middle() -> (Network, u32) {
    let network = Network::start(&Plan::default());
    plant(&network.source, 1, 300_000);
    let first = network.backup();
    assert!(first.is_ok(), "{}", first.report);
    File::create(network.source.join("endless")).unwrap().set_len(ENDLESS).unwrap();
    let before = network.written();
    let id = network.begin_backup();
    network.wait_written(before + UNDER_WAY);
    (network, id)
}

/// The next backup works, and its restore is the source byte for byte.
fn assert_next_works(network: &Network) {
    std::fs::remove_file(network.source.join("endless")).unwrap();
    let next = network.backup();
    assert!(next.is_ok(), "{}", next.report);
    let place = network.place("restored");
    let restored = network.restore(&place, "");
    assert!(restored.is_ok(), "{}", restored.report);
    assert_restored(&network.source, &place);
}

#[test]
fn a_file_daemon_that_dies_fails_its_job_and_the_next_one_works() {
    let (mut network, id) = in_the_middle();
    network.file.kill();
    let ended = network.end_of(id);
    assert_eq!(ended.termination(), "Backup *** Error ***", "{}", ended.report);
    assert!(ended.report.contains("lost the file daemon"), "{}", ended.report);
    network.file.restart();
    assert_next_works(&network);
}

#[test]
fn a_storage_daemon_that_dies_fails_its_job_and_the_next_one_works() {
    let (mut network, id) = in_the_middle();
    network.storage.kill();
    let ended = network.end_of(id);
    assert_eq!(ended.termination(), "Backup *** Error ***", "{}", ended.report);
    assert!(ended.report.contains("lost the storage daemon"), "{}", ended.report);
    network.storage.restart();
    assert_next_works(&network);
}

#[test]
fn a_director_that_dies_marks_its_job_as_failed_when_it_is_back_and_the_next_one_works() {
    let (mut network, id) = in_the_middle();
    network.director.kill();
    network.director.restart();
    let line = network.director.logged(0, "the unfinished job", |line| line.contains("had not ended"));
    assert!(line.contains("1 job had not ended"), "{line}");
    let row = network.row_of(id);
    assert!(row.contains("| f "), "{row}");
    assert_next_works(&network);
}

#[test]
fn a_cancelled_job_ends_at_once_and_its_device_is_free() {
    let (network, id) = in_the_middle();
    let asked = Instant::now();
    let said = network.ask(&[&format!("cancel jobid={id}")]);
    assert!(said.contains("marked to be canceled"), "{said}");
    let ended = network.end_of(id);
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
    assert_eq!(ended.termination(), "Backup Canceled", "{}", ended.report);
    // Both daemons have heard of it and let go.
    for daemon in ["status client=f", "status storage=s"] {
        wait_for("the job to be gone", || network.ask(&[daemon]).contains("No Jobs running").then_some(()));
    }
    let written = network.written();
    assert_next_works(&network);
    assert!(network.written() < written + ENDLESS / 2, "the cancelled backup has gone on");
}

#[test]
fn a_job_of_a_file_daemon_that_hangs_can_be_cancelled() {
    let (network, id) = in_the_middle();
    network.file.signal(Signal::STOP);
    network.ask(&[&format!("cancel jobid={id}")]);
    let ended = network.end_of(id);
    assert_eq!(ended.termination(), "Backup Canceled", "{}", ended.report);
    wait_for("the device", || network.ask(&["status storage=s"]).contains("No Jobs running").then_some(()));
    network.file.signal(Signal::CONT);
    assert_next_works(&network);
}
