//! A tray monitor of three daemons, one of which is cut off.

use std::time::Duration;

use towline_core::error::Explain as _;
use towline_core::notice::{ExitReason, Health};
use towline_core::role::tray::Watch;
use towline_simtests::town::{Monitor, Plan, Town};

const SECOND: Duration = Duration::from_secs(1);

/// For each daemon its code: none while it is reachable, and an empty text before it was asked.
fn seen(monitor: &Monitor) -> Vec<Option<String>> {
    let code = |health: &Health| match health {
        Health::Unknown => Some(String::new()),
        Health::Reachable => None,
        Health::Unreachable(why) => Some(why.code().to_string()),
    };
    monitor.views().iter().map(|view| code(&view.health)).collect()
}

/// A town whose director has asked its catalog and listens.
fn open(plan: Plan) -> Town {
    let mut town = Town::new(plan);
    town.world.run_for(5 * SECOND);
    town
}

fn some(code: &str) -> Option<String> {
    Some(code.to_owned())
}

#[test]
fn a_daemon_that_is_cut_off_holds_up_no_other_and_costs_its_own_time_only() {
    for tls in [false, true] {
        let mut town = open(Plan { tls, ..Plan::new(71) });
        let monitor = town.start_monitor(Watch::OnAndOn);
        town.world.cut(monitor.host, town.client);
        town.world.run_for(SECOND);
        assert_eq!(seen(&monitor), [None, some(""), None], "the others are shown at once, tls {tls}");
        town.world.run_for(6 * SECOND);
        assert_eq!(seen(&monitor)[1], some(""), "its time is not over");
        town.world.run_for(4 * SECOND);
        assert_eq!(seen(&monitor), [None, some("T0104"), None], "no answer to the dial, tls {tls}");
        town.world.heal();
        town.world.run_for(60 * SECOND);
        assert_eq!(seen(&monitor), [None, None, None], "the next look finds it, tls {tls}");
    }
}

#[test]
fn a_daemon_that_is_cut_off_between_two_looks_is_late_at_the_second_and_found_again() {
    let mut town = open(Plan::new(72));
    let monitor = town.start_monitor(Watch::OnAndOn);
    town.world.run_for(5 * SECOND);
    assert_eq!(seen(&monitor), [None, None, None]);
    town.world.cut(monitor.host, town.storage);
    town.world.run_for(57 * SECOND);
    assert_eq!(seen(&monitor), [None, None, None], "asked for the second time, and its time is not over");
    town.world.run_for(10 * SECOND);
    assert_eq!(seen(&monitor), [None, None, some("T0531")]);
    assert!(monitor.views()[2].status.is_status(), "what it said before is kept");
    town.world.heal();
    town.world.run_for(60 * SECOND);
    assert_eq!(seen(&monitor), [None, None, None]);
}

#[test]
fn one_look_at_a_town_with_a_dead_director_ends_within_its_time_and_says_so() {
    let mut town = open(Plan::new(73));
    town.world.power_off(town.director);
    let monitor = town.start_monitor(Watch::Once);
    let host = monitor.host;
    assert!(town.world.run_until(13 * SECOND, |world| world.exit(host).is_some()), "{:?}", seen(&monitor));
    assert_eq!(town.world.exit(host), Some(ExitReason::Failed(1)));
    assert_eq!(seen(&monitor)[1..], [None, None]);
    assert!(seen(&monitor)[0].as_deref().is_some_and(|code| code.starts_with("T01")), "{:?}", seen(&monitor));
}

#[test]
fn a_monitor_sees_a_job_run_and_end_and_disturbs_it_not() {
    let mut town = open(Plan { rate: 20_000, ..Plan::new(74) });
    let monitor = town.start_monitor(Watch::OnAndOn);
    let job = town.order("run job=backup yes");
    let Some(job) = job else { panic!("the order was not taken: {:?}", town.heard()) };
    let mut ran = [false; 3];
    let mut moved = [(0, 0, 0); 3];
    for _ in 0..3_600 {
        town.world.run_for(SECOND);
        town.world.post(monitor.host, towline_core::event::Event::Typed(Some(String::new())));
        for (ran, view) in ran.iter_mut().zip(monitor.views()) {
            *ran |= view.status.running.iter().any(|running| running.id == Some(job));
        }
        for (moved, view) in moved.iter_mut().zip(monitor.views()) {
            let Some(running) = view.status.running.iter().find(|running| running.id == Some(job)) else { continue };
            let now = (running.files.unwrap_or(0), running.bytes.unwrap_or(0), running.rate.unwrap_or(0));
            assert!(now.0 >= moved.0 && now.1 >= moved.1, "progress goes forward: {moved:?}, then {now:?}");
            *moved = now;
        }
        if town.ended(job).is_some() {
            break;
        }
    }
    assert_eq!(town.ended(job).map(|row| row.job_status), Some(b'T'), "{}", town.report(job));
    assert_eq!(ran, [true; 3], "each daemon had the job among those that run");
    let [director, file, storage] = moved;
    assert!(director.0 > 0, "the director knows of files that are in the catalog: {director:?}");
    for (files, bytes, rate) in [file, storage] {
        assert!(files == 24 && bytes > 80_000 && rate > 0, "{moved:?}");
    }
    assert!(storage.2 < 25_000, "nothing arrives faster than the link lets it: {moved:?}");
    town.world.run_for(61 * SECOND);
    for view in monitor.views() {
        let last = view.status.terminated.last();
        assert_eq!(last.map(|last| (last.id, last.status.as_str())), Some((job, "OK")), "{view:?}");
    }
}
