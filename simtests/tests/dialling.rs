//! Names and addresses that are partly of no use: the dial finds the one that is.

use std::time::Duration;

use towline_core::event::Event;
use towline_simtests::town::{Plan, Town};

const SECOND: Duration = Duration::from_secs(1);

/// A town whose client has a black hole for its first address: packets to it vanish silently.
fn with_black_hole(seed: u64) -> Town {
    let mut town = Town::new(Plan::new(seed));
    let hole = town.world.add_host("hole", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1u16].into());
    town.world.power_off(hole);
    town.world.set_name("fd", vec![[0x2001, 0xdb8, 0, 0, 0, 0, 0, 1u16].into(), [10, 0, 0, 3].into()]);
    town
}

#[test]
fn a_black_holed_ipv6_address_costs_less_than_300_milliseconds() {
    let mut town = with_black_hole(31);
    assert!(town.say("status dir", 10 * SECOND).is_some());
    let client = town.client;
    town.world.post(town.operator, Event::Typed(Some("status client=fd".to_owned())));
    let connected = town.world.run_until(Duration::from_millis(300), |world| world.connections(client) == 1);
    assert!(connected, "{}", town.world.trace().tail(40));
}

#[test]
fn a_backup_of_a_client_with_a_black_holed_address_succeeds() {
    let mut town = with_black_hole(32);
    let job = town.order("run job=backup yes").unwrap_or_default();
    assert_eq!(town.await_end(job, 60 * SECOND).map(|row| row.job_status), Some(b'T'), "{}", town.report(job));
}
