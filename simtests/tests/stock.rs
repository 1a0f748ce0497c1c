//! Stock peers: their hello has no mark, and they answer no heartbeat (`wire/1 §9`).

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use towline_core::wire::hello::{FILE_PROTOCOL, Hello, Purpose, Version};
use towline_simtests::keyholder::{Keyholder, Pass};
use towline_simtests::town::{Directions, Plan, Town};
use towline_simtests::world::World;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// A town whose client dials its director, and what a stock client says to that; no client is there.
fn town() -> (Town, Hello) {
    let plan = Plan { tls: false, directions: Directions::CLIENT, heartbeat: 60, ..Plan::new(41) };
    let mut town = Town::new(plan);
    town.world.kill(town.client);
    town.world.run_for(MINUTE);
    let purpose = Purpose::Client { name: "fd".to_owned(), protocol: FILE_PROTOCOL };
    (town, Hello::new(purpose, Version { major: 26, minor: 0, patch: 0 }))
}

/// A client dials the director with this hello, waits there and never says a word: what it was sent until it is asked for
/// by a job after so long, or until it was dropped.
fn wait_there(hello: &str, span: Duration) -> Option<(usize, Vec<u8>)> {
    let (mut town, _) = town();
    let shared = Rc::new(RefCell::new(std::mem::replace(&mut town.world, World::new(0))));
    let pass = Pass { name: "R_CLIENT::fd", password: "file" };
    let mut peer = Keyholder::dial(&shared, town.client, ([10, 0, 0, 1], 9101), hello, pass).expect("let in");
    let welcome = peer.hear().expect("a welcome");
    assert!(welcome.starts_with(b"1000 OK: dir "), "{}", String::from_utf8_lossy(&welcome));
    shared.borrow_mut().run_for(span);
    let silent = peer.arrived().map(<[u8]>::len);
    let Ok(silent) = silent else { return None };
    // The job is ordered by the town, which needs its world.
    std::mem::swap(&mut *shared.borrow_mut(), &mut town.world);
    town.start_operator();
    let job = town.order("run job=backup yes");
    assert!(job.is_some(), "not taken: {:?}\n{}", town.heard(), town.world.trace().tail(40));
    std::mem::swap(&mut *shared.borrow_mut(), &mut town.world);
    Some((silent, peer.hear().expect("to be asked")))
}

#[test]
fn a_stock_client_that_waits_for_a_month_is_sent_nothing_and_then_its_job() {
    let (_, hello) = town();
    let (bytes, asked) = wait_there(&hello.to_line(), DAY * 30).expect("it is kept");
    assert_eq!(bytes, 0, "it was sent something that it cannot answer");
    assert_eq!(String::from_utf8_lossy(&asked), "getSecureEraseCmd\n", "the first word of its job");
}

#[test]
fn one_that_says_it_is_ours_and_answers_no_heartbeat_is_dropped() {
    let (_, hello) = town();
    assert_eq!(wait_there(&hello.to_marked_line(), MINUTE * 10), None);
}
