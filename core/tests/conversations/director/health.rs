//! How all is: put together only when somebody wants to see it, whatever the catalog does.

use std::time::Duration;

use serde_json::json;
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::catalog::{CatalogErrorKind, CatalogRequest};
use towline_core::work::health::{DAYS, Health};
use towline_core::work::{Work, WorkDone};

use super::desk::{Desk, config};

fn desk() -> Desk {
    let mut config = config();
    config["director"]["metrics"] = json!("127.0.0.1:9109");
    Desk::with(config, MemoryCatalog::default())
}

/// What the hands were given last, if it waits for somebody who wants it anew.
fn published(desk: &Desk) -> Option<Health> {
    let work = desk.world.kept.iter().map(|kept| &kept.work);
    work.filter_map(|work| if let Work::Publish(health) = work { health.as_deref().cloned() } else { None }).next()
}

fn look(desk: &mut Desk) -> Health {
    desk.world.answer(WorkDone::Wanted);
    // Where there is no connection to ask, that is known at the next tick.
    desk.world.wait(Duration::from_millis(1));
    published(desk).expect("the director's state")
}

fn volumes_asked(desk: &Desk) -> usize {
    desk.shelf().asked.iter().filter(|request| matches!(request, CatalogRequest::ListMedia { .. })).count()
}

#[test]
fn nothing_is_asked_before_somebody_wants_to_see_it_and_catalogs_not_each_time() {
    let mut desk = desk();
    assert_eq!((published(&desk), volumes_asked(&desk)), (None, 0));
    let health = look(&mut desk);
    assert_eq!((health.director.as_str(), health.days.len()), ("bareos-dir", DAYS as usize));
    let [client] = &health.clients[..] else { panic!("{health:?}") };
    assert_eq!((client.name.as_str(), client.way, client.connected), ("bareos-fd", "dialled", false));
    assert_eq!((client.last_good.as_ref(), client.nights.len()), (None, DAYS as usize));
    assert_eq!(health.catalogs[0].answers, Some(true));
    let connections = |health: &Health| {
        health.connections.iter().map(|one| format!("{} {} {}", one.number, one.tls, one.count)).collect::<Vec<_>>()
    };
    assert_eq!(connections(&health), ["12 clear 1"]);
    let _console = desk.console();
    assert_eq!(connections(&look(&mut desk)), ["2 clear 1", "12 clear 1"]);
    assert_eq!(volumes_asked(&desk), 1);
    desk.world.wait(Duration::from_secs(15));
    look(&mut desk);
    assert_eq!(volumes_asked(&desk), 2);
    // Without the setting the hands hear nothing of it.
    assert!(Desk::open().world.kept.is_empty());
}

#[test]
fn a_catalog_that_is_slow_or_broken_holds_up_nothing() {
    let mut desk = desk();
    desk.shelf().slow = |request| matches!(request, CatalogRequest::ListMedia { .. });
    desk.world.answer(WorkDone::Wanted);
    assert_eq!(published(&desk), None);
    desk.world.wait(Duration::from_secs(2));
    assert!(published(&desk).is_some_and(|health| health.catalogs[0].answers == Some(true) && health.pools.is_empty()));
    let mut broken = self::desk();
    broken.shelf().broken = |_| true;
    broken.shelf().failure = CatalogErrorKind::Unreachable;
    assert_eq!(look(&mut broken).catalogs[0].answers, Some(false));
    assert_eq!(broken.log().matches("does not say how it is").count(), 1, "{}", broken.log());
}

#[test]
fn jobs_are_shown_while_they_run_and_counted_with_what_could_not_be_dialled() {
    let mut desk = desk();
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    let health = look(&mut desk);
    let [job] = &health.jobs[..] else { panic!("{health:?}") };
    assert_eq!((job.name.as_str(), job.client.as_str(), job.kind.as_str()), ("backup-tiny", "bareos-fd", "backup"));
    assert_eq!((job.level, job.expected, job.bytes), ("Full", None, 0));
    desk.world.wait(Duration::from_secs(120));
    let health = look(&mut desk);
    assert!(health.jobs.is_empty(), "{health:?}");
    let failures: Vec<_> = health.dial_failures.iter().map(|one| (one.code.as_str(), one.count)).collect();
    assert_eq!(failures, [("T0103", 1)]);
    assert_eq!(health.ended[0].status, "failed");
    assert_eq!((health.ended[0].kind.as_str(), health.ended[0].jobs, health.failed.len()), ("backup", 1, 1));
    let today = health.clients[0].nights.last().expect("a day").clone().expect("a backup");
    assert_eq!((today.state, today.jobs), ("failed", 1));
}
