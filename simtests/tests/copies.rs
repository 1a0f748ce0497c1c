//! Copies and migrations between two simulated storage daemons, and from device to device: good ones, and such that are
//! cut in the middle.

use std::time::Duration;

use towline_core::catalog::JobRow;
use towline_simtests::gateway::Gateway;
use towline_simtests::scenario::{GATEWAY, Region, Scenario};
use towline_simtests::station::{ClientStation, StorageStation};
use towline_simtests::town::some_files;

const HOUR: Duration = Duration::from_secs(3600);

/// A client and two storage daemons in one network.
fn region(seed: u64, tls: bool) -> Region {
    let mut scenario = Scenario::new(seed, Gateway::routing(GATEWAY))
        .client(ClientStation::outside("fd", 10).at("fd"))
        .storage(StorageStation::outside("sd", 20))
        .storage(StorageStation::outside("sd2", 21));
    (scenario.copies, scenario.tls) = (true, tls);
    scenario.files = some_files(seed, 12, 30_000);
    // Large enough to be cut in the middle.
    scenario.files.insert(b"/data/large".to_vec(), (0..400_000_u32).map(|i| i.to_le_bytes()[0]).collect());
    scenario.start()
}

/// Runs a job to its end.
fn run(region: &mut Region, line: &str) -> JobRow {
    let id = region.order(line).unwrap_or_else(|| panic!("{line} is refused"));
    region.await_end(id, HOUR).unwrap_or_else(|| panic!("{line} does not end: {:?}", region.world.pending()))
}

/// The control job and the writing job of a job that has selected one original.
fn jobs_of(region: &mut Region, selecting: u32) -> (JobRow, JobRow) {
    let control = region.await_end(selecting + 1, HOUR).expect("a control job");
    let writer = region.await_end(selecting + 2, HOUR).expect("a writing job");
    (control, writer)
}

fn row(region: &Region, id: u32) -> JobRow {
    region.catalog.ended(id).expect("a job that has ended")
}

fn is_good(row: &JobRow) -> bool {
    row.job_status == b'T'
}

/// Restores one job and compares.
fn check_restore(region: &mut Region, job: u32, restore: &str) {
    let line = format!("restore client=fd jobid={job} restorejob={restore} all done yes");
    let restored = run(region, &line);
    assert!(is_good(&restored), "{}", region.report(restored.job_id));
    assert_eq!(region.restored(0), *region.saved());
}

#[test]
fn a_copy_on_another_storage_daemon_is_restored_when_the_original_is_gone() {
    for (seed, tls) in [(1, false), (2, true)] {
        let mut region = region(seed, tls);
        let original = run(&mut region, "run job=fd-sd yes");
        assert!(is_good(&original), "{}", region.report(original.job_id));
        let selecting = run(&mut region, "run job=copy yes");
        let (control, copy) = jobs_of(&mut region, selecting.job_id);
        assert!(is_good(&control), "{}{}", region.report(control.job_id), region.report(copy.job_id));
        assert_eq!((control.job_type, control.prior_job_id), (b'c', copy.job_id));
        assert_eq!((control.job_files, control.job_bytes), (0, 0));
        assert_eq!((copy.job_type, copy.job_status, copy.prior_job_id), (b'C', b'T', original.job_id));
        assert_eq!((copy.job_files, &copy.name), (original.job_files, &original.name));
        assert_eq!((copy.start_time, copy.job_t_date), (original.start_time, original.job_t_date));
        assert_eq!(row(&region, original.job_id).job_type, b'B', "the original stays");
        // A second time there is nothing to copy.
        let again = run(&mut region, "run job=copy yes");
        assert!(region.report(again.job_id).contains("0 jobs"), "{}", region.report(again.job_id));
        region.storages[0].disk.store().volumes.clear();
        check_restore(&mut region, copy.job_id, "restore-fd-sd2");
        check_idle(&mut region);
    }
}

#[test]
fn a_migrated_job_is_restored_from_its_new_place() {
    let mut region = region(3, false);
    let original = run(&mut region, "run job=fd-sd yes");
    let control = run(&mut region, &format!("run job=migrate jobid={} yes", original.job_id));
    assert!(is_good(&control), "{}", region.report(control.job_id));
    let moved = row(&region, control.prior_job_id);
    assert_eq!((moved.job_type, moved.job_status, moved.prior_job_id), (b'B', b'T', original.job_id));
    let original = row(&region, original.job_id);
    assert_eq!((original.job_type, original.purged_files), (b'M', true));
    region.storages[0].disk.store().volumes.clear();
    // Without a number: the migrated job is the newest backup there is.
    let restored = run(&mut region, "restore client=fd restorejob=restore-fd-sd2 all done yes");
    assert!(is_good(&restored), "{}", region.report(restored.job_id));
    assert_eq!(region.restored(0), *region.saved());
}

#[test]
fn a_copy_from_device_to_device_needs_no_socket_between_them() {
    for job in ["copy-near", "migrate-near"] {
        let mut region = region(4, false);
        let original = run(&mut region, "run job=near yes");
        assert!(is_good(&original), "{}", region.report(original.job_id));
        let control = run(&mut region, &format!("run job={job} jobid={} yes", original.job_id));
        assert!(is_good(&control), "{}", region.report(control.job_id));
        let copy = row(&region, control.prior_job_id);
        assert_eq!((copy.job_files, copy.prior_job_id), (original.job_files, original.job_id));
        region.storages[0].disk.store().volumes.retain(|name, _| name.starts_with("/second/"));
        check_restore(&mut region, copy.job_id, "restore-fd-sd");
        check_idle(&mut region);
    }
}

/// Neither storage daemon has a connection left.
fn check_idle(region: &mut Region) {
    region.world.run_for(Duration::from_secs(10));
    let left: Vec<usize> = region.storages.iter().map(|storage| region.world.connections(storage.host)).collect();
    assert_eq!(left, [0, 0], "{:?}", region.world.pending());
}

/// The number and the line of each connection in a status.
fn connections(status: &str) -> Vec<(&str, &str)> {
    let (_, list) = status.split_once("Connections:").unwrap_or_else(|| panic!("no list in {status:?}"));
    let rows = list.lines().skip_while(|line| !line.starts_with("no ")).skip(1);
    let rows = rows.take_while(|line| line.starts_with(|first: char| first.is_ascii_digit() || first == '-'));
    rows.filter_map(|row| Some((row.split_whitespace().next()?, row))).collect()
}

/// The numbers alone.
fn numbers(status: &str) -> Vec<&str> {
    connections(status).into_iter().map(|(number, _)| number).collect()
}

/// A copy or migration under way over a slow link: its control job, and after it the number of its writing job.
fn under_way(region: &mut Region, line: &str) -> u32 {
    let (sd, sd2) = (region.storages[0].host, region.storages[1].host);
    region.world.link(sd, sd2, |link| link.rate = 100_000);
    let control = region.order(line).expect("a job");
    let disk = region.storages[1].disk.clone();
    let has_begun = |_: &mut _| disk.store().volumes.values().any(|volume| volume.len() > 100_000);
    assert!(region.world.run_until(HOUR, has_begun), "nothing is written: {}", region.report(control));
    control
}

#[test]
fn the_second_storage_daemon_of_a_copy_has_a_number_of_its_own() {
    let mut region = region(10, true);
    let original = run(&mut region, "run job=fd-sd yes");
    let control = under_way(&mut region, &format!("run job=copy jobid={} yes", original.job_id));
    let text = region.say("status network", HOUR).unwrap_or_default();
    assert_eq!(numbers(&text), ["2", "5a", "5b", "12"], "{text}");
    for (number, address) in [("5a", "192.0.2.20:9103"), ("5b", "192.0.2.21:9103")] {
        let (_, line) = connections(&text).into_iter().find(|(found, _)| *found == number).expect("a line");
        assert!(line.contains(address) && line.contains(" us "), "{line}");
    }
    // Each storage daemon has the status itself for one more.
    for (storage, wanted) in [("sd", ["5a", "5a", "8"]), ("sd2", ["5a", "5b", "8"])] {
        let text = region.say(&format!("status storage={storage}"), HOUR).unwrap_or_default();
        assert_eq!(numbers(&text), wanted, "{text}");
    }
    let row = region.await_end(control, HOUR).expect("the end of the copy");
    assert!(is_good(&row), "{}", region.report(control));
    let (reads, writes) = (region.report(control), region.report(row.prior_job_id));
    for (report, line) in [
        (&reads, "Connected storage daemon at 192.0.2.20:9103, encryption: "),
        (&reads, "data channel: storage daemon dials second storage daemon at sd2:9103 (connection 8), address"),
        (&writes, "Connected second storage daemon (connection 5b) at 192.0.2.21:9103, encryption: "),
    ] {
        assert!(report.contains(line), "{line} in\n{report}");
    }
    // Within one daemon there is no second one.
    let near = run(&mut region, "run job=near yes");
    let control = run(&mut region, &format!("run job=copy-near jobid={} yes", near.job_id));
    let both = region.report(control.job_id) + &region.report(control.prior_job_id);
    assert!(is_good(&control) && !both.contains("5b") && !both.contains("connection 8"), "{both}");
}

/// Cuts the two storage daemons apart, or takes one away, in the middle of a migration.
fn broken(seed: u64, breaking: impl FnOnce(&mut Region)) -> (u64, u64) {
    let mut region = region(seed, false);
    let original = run(&mut region, "run job=fd-sd yes");
    let control = under_way(&mut region, &format!("run job=migrate jobid={} yes", original.job_id));
    breaking(&mut region);
    let control = region.await_end(control, HOUR).expect("the end of the migration");
    assert!(!b"TW".contains(&control.job_status), "{}", region.report(control.job_id));
    let tables = region.catalog.tables().jobs.clone();
    let good: Vec<u32> = tables.values().filter(|row| b"TW".contains(&row.job_status)).map(|row| row.job_id).collect();
    assert_eq!(good, [original.job_id], "only the original is good");
    let original = row(&region, original.job_id);
    assert_eq!((original.job_type, original.purged_files), (b'B', false), "the original stays");
    region.world.heal();
    check_restore(&mut region, original.job_id, "restore-fd-sd");
    region.world.trace().hash()
}

#[test]
fn a_migration_that_is_cut_in_the_middle_leaves_the_original_as_it_was() {
    broken(5, |region| {
        let control = region.catalog.tables().jobs.values().find(|row| row.job_type == b'g').map(|row| row.job_id);
        let answer = region.say(&format!("cancel jobid={}", control.expect("a control job")), HOUR);
        let answer = answer.unwrap_or_default();
        assert!(answer.contains("marked to be canceled"), "{answer}");
        for storage in ["sd", "sd2"] {
            // That of the other has cut the stream, so one of them may have ended before it was asked.
            let line = format!("The storage daemon \"{storage}\" has ");
            assert!(answer.contains(&line) && !answer.contains("not confirmed"), "{line} in {answer}");
        }
    });
    broken(6, |region| region.world.kill(region.storages[1].host));
    broken(7, |region| {
        region.world.kill(region.storages[0].host);
        region.start_storage(0);
    });
}

#[test]
fn a_disk_that_fails_under_a_migration_leaves_the_original_as_it_was() {
    broken(8, |region| region.storages[1].disk.store().is_broken = true);
}

#[test]
fn equal_seeds_give_equal_migrations() {
    let run = || broken(9, |region| region.world.kill(region.storages[1].host));
    assert_eq!(run(), run());
}

#[test]
fn a_copy_whose_storage_daemons_cannot_reach_each_other_fails_with_the_reason_and_holds_nothing() {
    let mut region = region(11, false);
    let original = run(&mut region, "run job=fd-sd yes");
    let (sd, sd2) = (region.storages[0].host, region.storages[1].host);
    region.world.link(sd, sd2, |link| link.cut = true);
    let control = run(&mut region, &format!("run job=copy jobid={} yes", original.job_id));
    let report = region.report(control.job_id);
    assert_eq!(control.job_status, b'f', "{report}");
    assert!(report.contains("cannot reach the other storage daemon: "), "{report}");
    let copy = region.await_end(control.job_id + 1, HOUR).expect("the end of the writing job");
    assert_eq!(copy.job_status, b'f', "no copy is left that counts: {}", region.report(copy.job_id));
    check_idle(&mut region);
    // The devices are free: the same again once the way is there.
    region.world.heal();
    let control = run(&mut region, &format!("run job=copy jobid={} yes", original.job_id));
    assert!(is_good(&control), "{}", region.report(control.job_id));
    check_restore(&mut region, control.prior_job_id, "restore-fd-sd2");
}

#[test]
fn one_restore_reads_a_migrated_full_and_the_incremental_after_it_from_two_storage_daemons() {
    for (seed, tls) in [(11, false), (12, true)] {
        let mut region = region(seed, tls);
        let full = run(&mut region, "run job=fd-sd yes");
        let control = run(&mut region, &format!("run job=migrate jobid={} yes", full.job_id));
        assert!(is_good(&control), "{}", region.report(control.job_id));
        let at = region.world.wall_of(region.clients[0].host).seconds();
        let mut store = region.clients[0].disk.store();
        store.files.insert(b"/data/large".to_vec(), vec![7; 300_000].into());
        store.changed.insert(b"/data/large".to_vec(), at);
        let now = store.files.clone();
        drop(store);
        let later = run(&mut region, "run job=fd-sd level=incremental yes");
        assert!(is_good(&later), "{}", region.report(later.job_id));
        assert_eq!((later.level, later.job_files), (b'I', 1));
        let restored = run(&mut region, "restore client=fd all done yes");
        let report = region.report(restored.job_id);
        assert!(is_good(&restored), "{report}");
        assert!(report.contains("Storage sd2 has done its part; the next is sd"), "{report}");
        assert_eq!(restored.job_files, full.job_files, "{report}");
        assert_eq!(region.restored(0), now);
        check_idle(&mut region);
        // A second part that cannot be read fails the whole.
        region.storages[0].disk.store().volumes.clear();
        let failed = run(&mut region, "restore client=fd all done yes");
        assert!(!is_good(&failed), "{}", region.report(failed.job_id));
        check_idle(&mut region);
    }
}

#[test]
fn a_copy_keeps_to_the_limit_of_the_storage_it_reads_from() {
    const LIMIT: u64 = 20_000;
    let mut region = region(31, false);
    let original = run(&mut region, "run job=fd-sd yes");
    assert!(is_good(&original), "{}", region.report(original.job_id));
    let set = region.say(&format!("setbandwidth storage=sd limit={LIMIT}b/s"), HOUR).unwrap_or_default();
    assert!(set.contains("keeps to 20000 bytes a second"), "{set}");
    let began = region.world.time_of(region.operator);
    let control = run(&mut region, &format!("run job=copy jobid={} yes", original.job_id));
    assert!(is_good(&control), "{}", region.report(control.job_id));
    let took = region.world.time_of(region.operator).since(began);
    let least = Duration::from_secs((original.job_bytes - 2 * LIMIT / 50) / LIMIT);
    assert!(took >= least, "{} bytes in {took:?}", original.job_bytes);
}
