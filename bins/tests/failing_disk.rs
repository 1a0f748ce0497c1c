//! Disks and volumes that fail under a storage daemon: the job says so, what was acknowledged before still restores byte
//! for byte, and the next job works.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::fs::File;

use support::network::{Ended, Network, Plan};
use support::{assert_restored, noise, plant};

/// A network with one good backup.
fn backed_up(plan: &Plan) -> (Network, Ended) {
    let network = Network::start(plan);
    plant(&network.source, 5, 2 << 20);
    let first = network.backup();
    assert!(first.is_ok(), "{}", first.report);
    (network, first)
}

/// A job's backup comes back.
fn assert_restores(network: &Network, job: &Ended, name: &str) {
    let place = network.place(name);
    let ended = network.restore(&place, &format!("jobid={}", job.id));
    assert!(ended.is_ok(), "{}", ended.report);
    assert_restored(&network.source, &place);
}

fn assert_failed(job: &Ended, words: &[&str]) {
    assert_eq!(job.termination(), "Backup *** Error ***", "{}", job.report);
    for word in words {
        assert!(job.report.contains(word), "no {word:?} in {}", job.report);
    }
}

#[test]
fn a_volume_folder_that_is_gone_fails_the_job_and_nothing_else() {
    let (network, first) = backed_up(&Plan::default());
    let away = network.place("away");
    std::fs::rename(&network.volumes, &away).unwrap();
    let failed = network.backup();
    assert_failed(&failed, &["cannot use volume"]);
    network.assert_all_serve();
    std::fs::rename(&away, &network.volumes).unwrap();
    assert_restores(&network, &first, "first");
    let next = network.backup();
    assert!(next.is_ok(), "{}", next.report);
    assert_restores(&network, &next, "next");
}

#[test]
fn a_volume_folder_that_is_a_file_fails_the_job_and_nothing_else() {
    let (network, first) = backed_up(&Plan::default());
    let away = network.place("away");
    std::fs::rename(&network.volumes, &away).unwrap();
    std::fs::write(&network.volumes, "in the way").unwrap();
    assert_failed(&network.backup(), &["cannot use volume"]);
    std::fs::remove_file(&network.volumes).unwrap();
    std::fs::rename(&away, &network.volumes).unwrap();
    assert_restores(&network, &first, "first");
    let next = network.backup();
    assert!(next.is_ok(), "{}", next.report);
}

#[test]
fn a_volume_cut_short_behind_our_back_is_not_written_again_and_its_restore_fails() {
    let plan = Plan { pool: "maximum_volume_jobs: 1,".to_owned(), ..Plan::default() };
    let (network, first) = backed_up(&plan);
    let second = network.backup();
    assert!(second.is_ok(), "{}", second.report);
    let volumes = network.volume_files();
    assert_eq!(volumes.len(), 2);
    let cut = File::options().write(true).open(&volumes[1]).unwrap();
    let half = cut.metadata().unwrap().len() / 2;
    cut.set_len(half).unwrap();
    let lost = network.restore(&network.place("lost"), &format!("jobid={}", second.id));
    assert!(!lost.termination().starts_with("Restore OK"), "{}", lost.report);
    assert_restores(&network, &first, "first");
    let third = network.backup();
    assert!(third.is_ok(), "{}", third.report);
    assert_restores(&network, &third, "third");
    assert_eq!(cut.metadata().unwrap().len(), half);
}

#[test]
fn the_volume_in_use_cut_short_behind_our_back_is_set_aside_and_the_job_takes_another() {
    let (network, _) = backed_up(&Plan::default());
    let volume = network.volume_files().remove(0);
    let cut = File::options().write(true).open(&volume).unwrap();
    let half = cut.metadata().unwrap().len() / 2;
    cut.set_len(half).unwrap();
    let next = network.backup();
    assert!(next.report.contains("v-0001") && next.report.contains("marked in error"), "{}", next.report);
    assert!(next.termination().starts_with("Backup OK"), "{}", next.report);
    assert_eq!(cut.metadata().unwrap().len(), half, "the damaged volume was written to");
    assert_restores(&network, &next, "next");
}

#[test]
fn a_volume_replaced_behind_our_back_is_not_overwritten() {
    let (network, _) = backed_up(&Plan::default());
    let volume = network.volume_files().remove(0);
    let foreign = noise(77, 3 << 20);
    std::fs::write(&volume, &foreign).unwrap();
    let next = network.backup();
    assert!(next.report.contains("marked in error"), "{}", next.report);
    assert!(next.termination().starts_with("Backup OK"), "{}", next.report);
    assert_eq!(std::fs::read(&volume).unwrap(), foreign, "somebody's file was overwritten");
    assert_restores(&network, &next, "next");
}
