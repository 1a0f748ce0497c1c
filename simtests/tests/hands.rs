//! Hands that fail: disks that lose power, lie or cannot be read, and a catalog that hangs.

use std::time::Duration;

use towline_simtests::disk::Files;
use towline_simtests::rng::Rng;
use towline_simtests::town::{Plan, Town, some_files};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// Moments of a backup at which the storage daemon's host loses its power.
const MOMENTS: u64 = 60;

/// Several blocks and parcels.
fn town(seed: u64) -> Town {
    Town::new(Plan { files: some_files(seed, 12, 150_000), ..Plan::new(seed) })
}

fn order(town: &mut Town, line: &str) -> u32 {
    match town.order(line) {
        Some(job) => job,
        None => panic!("{line} was not taken: {:?}\n{}", town.heard(), town.world.trace().tail(60)),
    }
}

/// The state in which a job ends, and its report.
fn end(town: &mut Town, job: u32) -> (char, String) {
    match town.await_end(job, 5 * HOUR) {
        Some(row) => (char::from(row.job_status), town.report(job)),
        None => panic!("job {job} hangs: {:#?}\n{}", town.world.pending(), town.world.trace().tail(60)),
    }
}

fn backup(town: &mut Town) -> (char, String) {
    let job = order(town, "run job=backup yes");
    end(town, job)
}

/// Restores the last backup: how that ended, and what came back.
fn restore(town: &mut Town) -> (char, String, Files) {
    let job = order(town, "restore client=fd all done yes");
    let (state, report) = end(town, job);
    (state, report, town.restored())
}

/// The storage daemon's host loses its power and has it again.
fn lose_power(town: &mut Town, rng: &mut Rng) {
    town.world.power_off(town.storage);
    town.volumes.lose_power(rng);
    town.world.run_for(MINUTE);
    town.start_storage();
}

#[test]
fn what_was_acknowledged_survives_the_loss_of_power_at_any_moment() {
    let steps = {
        let mut town = town(31);
        assert_eq!(backup(&mut town).0, 'T');
        let (began, job) = (town.world.steps(), order(&mut town, "run job=backup yes"));
        assert_eq!(end(&mut town, job).0, 'T');
        town.world.steps() - began
    };
    let (mut good, mut bad) = (0, 0);
    for moment in 0..MOMENTS {
        let mut rng = Rng::new(moment);
        let mut town = town(31);
        let saved = town.files.store().files.clone();
        assert_eq!(backup(&mut town).0, 'T');
        let job = order(&mut town, "run job=backup yes");
        (0..steps * moment / MOMENTS).for_each(|_| assert!(town.world.step()));
        lose_power(&mut town, &mut rng);
        let (state, report) = end(&mut town, job);
        match state {
            'T' | 'W' => good += 1,
            _ => bad += 1,
        }
        // The last one that is good: this one, or the one before.
        let (restored, why, files) = restore(&mut town);
        assert!(restored == 'T' && files == saved, "moment {moment}: {report}\n{why}");
        let (state, report) = backup(&mut town);
        assert!(matches!(state, 'T' | 'W'), "moment {moment}, the next one: {report}");
        let (restored, why, files) = restore(&mut town);
        assert!(restored == 'T' && files == saved, "moment {moment}, the next one: {why}");
    }
    assert!(good > 0 && bad > 0, "{good} good, {bad} bad: the moments are not all of the job");
}

#[test]
fn a_disk_that_lies_about_its_syncs_costs_the_job_and_nobody_is_told_that_it_is_whole() {
    let mut lost = 0;
    for seed in 0..10 {
        let mut rng = Rng::new(seed);
        let mut town = town(32);
        let saved = town.files.store().files.clone();
        town.volumes.store().lies_about_sync = true;
        assert_eq!(backup(&mut town).0, 'T');
        lose_power(&mut town, &mut rng);
        let (state, report, files) = restore(&mut town);
        assert_eq!(state == 'T', files == saved, "seed {seed}: {report}");
        lost += u32::from(state != 'T');
    }
    assert!(lost > 5, "only {lost} of 10 have lost anything");
}

#[test]
fn a_disk_that_cannot_sync_fails_the_job() {
    let mut town = town(33);
    town.volumes.store().fails_to_sync = true;
    let (state, report) = backup(&mut town);
    assert_eq!(state, 'f', "{report}");
    assert!(report.contains("input/output error"), "{report}");
    town.volumes.store().fails_to_sync = false;
    let (state, report) = backup(&mut town);
    assert!(matches!(state, 'T' | 'W'), "{report}");
}

#[test]
fn a_place_that_cannot_be_read_fails_the_restore_and_its_volume_is_named() {
    let mut town = town(34);
    assert_eq!(backup(&mut town).0, 'T');
    let (path, half) = {
        let store = town.volumes.store();
        let (path, volume) = store.volumes.first_key_value().expect("a volume");
        (path.clone(), volume.len() as u64 / 2)
    };
    town.volumes.store().unreadable.insert((path.clone(), half));
    let (state, report, _) = restore(&mut town);
    assert_ne!(state, 'T', "{report}");
    let name = path.rsplit('/').next().unwrap_or_default();
    let says = |line: &str| line.contains("input/output error") && line.contains(name);
    assert!(report.lines().any(says), "{name}: {report}");
    town.volumes.store().unreadable.clear();
    assert_eq!(restore(&mut town).0, 'T');
}

#[test]
fn a_catalog_that_hangs_for_an_hour_holds_the_job_up_and_no_more() {
    for step in [0, 50, 100, 200, 400, 800] {
        let mut town = town(35);
        let job = order(&mut town, "run job=backup yes");
        (0..step).for_each(|_| assert!(town.world.step()));
        town.catalog.hang();
        town.world.run_for(HOUR);
        assert!(town.say("time", MINUTE).is_some(), "step {step}: the console hangs too");
        town.catalog.resume();
        let (state, report) = end(&mut town, job);
        assert!(matches!(state, 'T' | 'W' | 'f'), "step {step}: {report}");
        town.world.run_for(HOUR);
        assert_eq!(town.storage_hands.handles() + town.client_hands.handles(), 0, "step {step}");
        let (state, report) = backup(&mut town);
        assert!(matches!(state, 'T' | 'W'), "step {step}: {report}");
    }
}
