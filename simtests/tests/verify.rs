//! Verify jobs in virtual time: whichever side dials, with good volumes and with such that are not.

use std::time::Duration;

use towline_core::catalog::JobRow;
use towline_core::config::{Run, Schedule, TimeOfDay};
use towline_core::wire::block::{BlockHeader, seal};
use towline_simtests::town::{Directions, Plan, Town, some_files};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// Runs a job to its end.
fn run(town: &mut Town, line: &str) -> JobRow {
    let Some(job) = town.order(line) else {
        panic!("the order was not taken: {:?}\n{}", town.heard(), town.world.trace().tail(80));
    };
    let Some(row) = town.await_end(job, HOUR) else {
        panic!("job {job} hangs: {:#?}\n{}", town.world.pending(), town.world.trace().tail(120));
    };
    // The last lines of its report are stored after its end.
    town.world.run_for(SECOND);
    row
}

/// A town with a good backup; returns its row.
fn backed_up(plan: Plan) -> (Town, JobRow) {
    let mut town = Town::new(plan);
    town.world.run_for(5 * SECOND);
    let row = run(&mut town, "run job=backup yes");
    assert_eq!(row.job_status, b'T', "{}", town.report(row.job_id));
    (town, row)
}

/// Runs the verify job; returns its state and its report.
fn verify(town: &mut Town) -> (char, String) {
    let row = run(town, "run job=verify yes");
    assert_eq!((row.job_type, row.level, row.job_bytes), (b'V', b'O', 0));
    (char::from(row.job_status), town.report(row.job_id))
}

/// Changes bytes of the only volume that are these, and makes the checksum of their block right again if `sealed`.
fn change(town: &Town, from: &[u8], to: &[u8], sealed: bool) {
    let mut store = town.volumes.store();
    let (_, volume) = store.volumes.iter_mut().next().expect("a volume");
    let place = volume.windows(from.len()).position(|bytes| bytes == from).expect("on the volume");
    let mut start = 0;
    loop {
        let len = BlockHeader::verify(&volume[start..], false).expect("a block").len as usize;
        if place < start + len {
            let block = &mut volume[start..start + len];
            block[place - start..place - start + to.len()].copy_from_slice(to);
            if sealed {
                seal(block);
            }
            return;
        }
        start += len;
    }
}

/// A plan in which one file has contents that are found on its volume.
fn marked(seed: u64) -> Plan {
    let mut plan = Plan::new(seed);
    plan.files.insert(b"/data/marked".to_vec(), b"the marked contents".to_vec().into());
    plan
}

#[test]
fn a_volume_agrees_with_the_catalog_whichever_side_dials() {
    for (seed, tls) in [(61, false), (62, true)] {
        for (passive, directions, path) in [
            (false, Directions::DIRECTOR, "file daemon dials storage daemon at sd:9103 (connection 6)"),
            (true, Directions::DIRECTOR, "storage daemon dials file daemon at fd:9102 (connection 7)"),
            (false, Directions::CLIENT, "file daemon dials storage daemon at sd:9103 (connection 6)"),
        ] {
            let (mut town, backup) = backed_up(Plan { tls, passive, directions, ..Plan::new(seed) });
            let (status, report) = verify(&mut town);
            assert_eq!(status, 'T', "{report}");
            assert!(report.contains(path), "{path}: {report}");
            assert_eq!(report.contains("Using Client Initiated Connection"), directions == Directions::CLIENT);
            let expected = format!(
                "  Verify JobId:           1\n  Verify Job:             {}\n  Files Expected:         {}\n",
                backup.job, backup.job_files
            );
            assert!(report.contains(&expected), "{report}");
            assert!(town.restored().is_empty(), "something was written");
            assert_eq!((town.client_hands.handles(), town.storage_hands.handles()), (0, 0));
        }
    }
}

#[test]
fn data_that_changed_on_the_volume_are_found_by_their_digest() {
    let (mut town, _) = backed_up(marked(63));
    change(&town, b"the marked contents", b"the marKed", true);
    let (status, report) = verify(&mut town);
    assert_eq!(status, 'D', "{report}");
    assert!(report.contains("Difference: /data/marked: digest: catalog "), "{report}");
    assert!(report.contains("  Differences:            1\n"), "{report}");
    assert!(report.contains("/data/marked: its data do not fit the digest beside them"), "{report}");
}

#[test]
fn a_torn_block_ends_a_verify_job_as_an_error_that_names_the_volume() {
    let (mut town, _) = backed_up(marked(64));
    change(&town, b"the marked contents", b"the marKed", false);
    let (status, report) = verify(&mut town);
    assert!(matches!(status, 'E' | 'f'), "{status}: {report}");
    assert!(report.contains("vol-0001"), "{report}");
    assert!(!report.contains("Difference: "), "what was not read is not missing: {report}");
    // Mended, it is verified: the device is free, and nothing was written.
    change(&town, b"the marKed contents", b"the marked", false);
    assert_eq!(verify(&mut town).0, 'T');
}

#[test]
fn rows_of_the_catalog_that_do_not_fit_the_volume_are_found() {
    let (mut town, backup) = backed_up(marked(65));
    {
        let mut tables = town.catalog.tables();
        let marked = tables.files.iter().find(|(_, name)| name.ends_with(b"marked")).map(|(key, _)| *key);
        let marked = marked.expect("the marked file");
        tables.attributes.get_mut(&marked).expect("its attributes").1 = "0".to_owned();
        tables.files.insert((backup.job_id, 1_000), b"/data/only-here".to_vec());
        let first = (backup.job_id, 1);
        tables.files.insert(first, b"/data/other-name".to_vec());
    }
    let (status, report) = verify(&mut town);
    assert_eq!(status, 'D', "{report}");
    for line in [
        "/data/file-000: is not in the catalog",
        "/data/marked: digest: catalog none, volume ",
        "/data/other-name: is not on the volume",
        "/data/only-here: is not on the volume",
        "  Differences:            4\n",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
}

#[test]
fn a_cancelled_verify_job_gives_the_device_free_at_once() {
    for passive in [false, true] {
        let plan = Plan { files: some_files(66, 60, 400_000), rate: 60_000, passive, ..Plan::new(66) };
        let (mut town, _) = backed_up(plan);
        let job = town.order("run job=verify yes").expect("an order");
        let (client, storage) = (town.client_hands.clone(), town.storage_hands.clone());
        let reads = town.world.run_until(60 * SECOND, |_| client.handles() > 0 && storage.handles() > 0);
        assert!(reads && town.ended(job).is_none(), "{}", town.report(job));
        town.world.run_for(2 * SECOND);
        let answer = town.say(&format!("cancel jobid={job}"), SECOND).expect("an answer within a second");
        assert!(
            ["confirmed", "ended the job already"].iter().any(|word| answer.contains(&format!("\"sd\" has {word}."))),
            "{answer}"
        );
        assert_eq!(town.await_end(job, SECOND).map(|row| row.job_status), Some(b'A'), "{}", town.report(job));
        assert!(town.world.run_until(SECOND, |_| client.handles() + storage.handles() == 0), "{}", town.report(job));
        let next = run(&mut town, "run job=backup yes");
        assert_eq!(next.job_status, b'T', "{}", town.report(next.job_id));
        assert!(!town.report(next.job_id).contains("another job uses it"), "{}", town.report(next.job_id));
    }
}

#[test]
fn a_client_that_is_gone_in_the_middle_ends_a_verify_job_as_failed() {
    let plan = Plan { files: some_files(67, 60, 400_000), rate: 60_000, heartbeat: 20, ..Plan::new(67) };
    let (mut town, _) = backed_up(plan);
    let job = town.order("run job=verify yes").expect("an order");
    let storage = town.storage_hands.clone();
    assert!(town.world.run_until(60 * SECOND, |_| storage.handles() > 0));
    town.world.power_off(town.client);
    let row = town.await_end(job, 120 * SECOND).unwrap_or_else(|| panic!("hangs: {:#?}", town.world.pending()));
    assert!(b"fE".contains(&row.job_status), "{}", town.report(job));
    assert!(town.world.run_until(60 * SECOND, |_| storage.handles() == 0), "the device is not free");
}

#[test]
fn a_schedule_runs_a_verify_job_and_status_shows_it() {
    let schedules = [("nightly", 21), ("verified", 22)].map(|(name, hour)| Schedule {
        runs: vec![Run::new(vec![TimeOfDay { minutes: hour * 60 }])],
        ..Schedule::new(name.to_owned())
    });
    let mut town = Town::new(Plan { schedules: schedules.into(), ..Plan::new(68) });
    let status = town.say("status director", SECOND).unwrap_or_default();
    let line = "VolumeToCatalog Verify    10  01-Jan-26 22:00    verify             verified";
    assert!(status.contains(line), "{status}");
    town.world.run_for(26 * HOUR);
    let jobs: Vec<(u8, u8)> = town.catalog.tables().jobs.values().map(|row| (row.job_type, row.job_status)).collect();
    assert_eq!(jobs, [(b'B', b'T'), (b'V', b'T')]);
    assert!(town.report(2).contains("Verifying JobId 1, Job=backup."), "{}", town.report(2));
    let listed = town.say("status director", SECOND).unwrap_or_default();
    assert!(listed.lines().any(|line| line.contains("VVol") && line.contains(" OK ")), "{listed}");
}
