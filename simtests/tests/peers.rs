//! Peers that are wrong, silent or hostile, and hands that fail.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use towline_core::conformance::Peer as _;
use towline_core::socket::SocketOptions;
use towline_simtests::arm::{Raw, Shared};
use towline_simtests::rng::Rng;
use towline_simtests::town::{Plan, Town, some_files};
use towline_simtests::world::World;

const HOUR: Duration = Duration::from_secs(3600);

/// Runs a backup to its end; returns its state and its report.
fn backup(town: &mut Town) -> (char, String) {
    let Some(job) = town.order("run job=backup yes") else {
        panic!("the order was not taken: {:?}\n{}", town.heard(), town.world.trace().tail(60));
    };
    let Some(row) = town.await_end(job, 5 * HOUR) else {
        panic!("job {job} hangs: {:#?}\n{}", town.world.pending(), town.world.trace().tail(60));
    };
    (char::from(row.job_status), town.report(job))
}

/// Takes the town's world apart from it, so that raw peers can hold it too, and puts it back.
fn with_raw<T>(town: &mut Town, act: impl FnOnce(&Shared) -> T) -> T {
    let shared = Rc::new(RefCell::new(std::mem::replace(&mut town.world, World::new(0))));
    let result = act(&shared);
    let Ok(world) = Rc::try_unwrap(shared) else { panic!("a raw peer outlived its test") };
    town.world = world.into_inner();
    result
}

#[test]
fn a_wrong_password_fails_the_job_at_once_and_says_whose_it_is() {
    for tls in [false, true] {
        let wrong = |file: &str, storage: &str| (file.to_owned(), storage.to_owned());
        for (passwords, who) in [(wrong("wrong", "storage"), "file daemon"), (wrong("file", "wrong"), "storage daemon")]
        {
            let mut town = Town::new(Plan { tls, passwords, ..Plan::new(5) });
            let before = town.world.now();
            let (state, report) = backup(&mut town);
            assert_eq!(state, 'f', "{report}");
            let fatal = report.lines().find(|line| line.contains("Fatal"));
            assert!(fatal.is_some_and(|line| line.contains(who)), "tls {tls}, {who}: {report}");
            let took = town.world.now().since(before);
            assert!(took < Duration::from_secs(60), "tls {tls}, {who}: {took:?} for what no retry can mend");
            assert_eq!(town.storage_hands.handles() + town.client_hands.handles(), 0);
        }
    }
}

#[test]
fn a_silent_file_daemon_costs_the_job_but_not_the_device() {
    let mut town = Town::new(Plan::new(6));
    town.world.kill(town.client);
    assert!(town.world.add_mute(town.client, ([10, 0, 0, 3], 9102).into()).is_ok());
    let (state, report) = backup(&mut town);
    assert_eq!(state, 'f', "{report}");
    // The storage daemon is told in a connection of its own.
    town.world.run_for(Duration::from_secs(120));
    assert_eq!((town.world.connections(town.storage), town.storage_hands.handles()), (0, 0));
    town.world.power_off(town.client);
    town.start_client();
    assert_eq!(backup(&mut town).0, 'T');
}

#[test]
fn a_silent_storage_daemon_costs_the_job_and_no_more() {
    let mut town = Town::new(Plan::new(16));
    town.world.kill(town.storage);
    assert!(town.world.add_mute(town.storage, ([10, 0, 0, 2], 9103).into()).is_ok());
    let (state, report) = backup(&mut town);
    assert_eq!(state, 'f', "{report}");
    town.world.power_off(town.storage);
    town.start_storage();
    assert_eq!(backup(&mut town).0, 'T');
}

#[test]
fn strangers_cannot_crash_or_occupy_a_daemon() {
    let mut town = Town::new(Plan::new(7));
    let targets = [([10, 0, 0, 1], 9101), ([10, 0, 0, 2], 9103), ([10, 0, 0, 3], 9102)];
    let operator = town.operator;
    with_raw(&mut town, |world| {
        let mut rng = Rng::new(7);
        let mut held = Vec::new();
        for n in 0..300 {
            let to = targets[n % 3].into();
            let Ok(mut raw) = Raw::connect(world, operator, to, SocketOptions::default()) else { continue };
            let mut bytes = match rng.below(5) {
                0 => Vec::new(),
                1 => b"\0\0\0\x1fHello Director dir calling 26.0".to_vec(),
                2 => vec![0x16, 3, 1, 2, 0, 1],
                3 => b"\x7f\xff\xff\xff".to_vec(),
                _ => vec![0xff; 4],
            };
            let more = if rng.one_in(2) { rng.size(5000) } else { 0 };
            bytes.extend((0..more).map(|_| rng.next().to_le_bytes()[0]));
            let _ = raw.try_write(&bytes);
            match rng.below(3) {
                0 => Box::new(raw).reset(),
                1 => drop(raw),
                _ => held.push(raw),
            }
            world.borrow_mut().run_for(Duration::from_millis(rng.below(300)));
        }
        world.borrow_mut().run_for(Duration::from_secs(120));
    });
    let left = [town.director, town.storage, town.client].map(|host| town.world.connections(host));
    assert_eq!(left, [1, 0, 0], "only the operator's connection may be left: {:#?}", town.world.pending());
    let (state, report) = backup(&mut town);
    assert_eq!(state, 'T', "{report}");
}

#[test]
fn a_full_disk_fails_the_job_and_the_next_one_works_when_there_is_room() {
    let files = some_files(8, 40, 300_000);
    let bytes: u64 = files.values().map(|contents| contents.len() as u64).sum();
    let mut town = Town::new(Plan { files, ..Plan::new(8) });
    town.volumes.store().capacity = bytes / 2;
    let Some(job) = town.order("run job=backup yes") else { panic!("the order was not taken") };
    let Some(row) = town.await_end(job, HOUR) else { panic!("job {job} hangs: {:#?}", town.world.pending()) };
    assert_eq!(char::from(row.job_status), 'f', "{}", town.report(job));
    assert!(town.report(job).contains("is full (T0670); free space"), "{}", town.report(job));
    assert!(town.catalog.tables().media.len() <= 2, "volumes are labelled on a full disk for ever");
    town.volumes.store().capacity = 0;
    let (state, report) = backup(&mut town);
    assert!(matches!(state, 'T' | 'W'), "{report}");
}

#[test]
fn a_broken_disk_fails_the_job_and_frees_the_device() {
    let mut town = Town::new(Plan::new(9));
    town.volumes.store().is_broken = true;
    let (state, report) = backup(&mut town);
    assert_eq!(state, 'f', "{report}");
    assert!(report.contains("input/output error"), "{report}");
    town.volumes.store().is_broken = false;
    let (state, report) = backup(&mut town);
    assert!(matches!(state, 'T' | 'W'), "{report}");
}

#[test]
fn a_catalog_that_goes_away_fails_the_job_and_nothing_hangs() {
    for step in [0, 50, 100, 200, 400] {
        let mut town = Town::new(Plan::new(10));
        let Some(job) = town.order("run job=backup yes") else { panic!("the order was not taken") };
        (0..step).for_each(|_| assert!(town.world.step()));
        town.catalog.tables().is_away = true;
        town.world.run_for(HOUR);
        let left = [town.storage, town.client].map(|host| town.world.connections(host));
        assert_eq!(left, [0, 0], "step {step}: {:#?}", town.world.pending());
        assert_eq!(town.storage_hands.handles() + town.client_hands.handles(), 0, "step {step}");
        town.catalog.tables().is_away = false;
        let (state, report) = backup(&mut town);
        assert!(matches!(state, 'T' | 'W'), "step {step}, after job {job}: {report}");
    }
}
