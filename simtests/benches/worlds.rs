//! How many small worlds a second one core runs, and how much faster than real time a client waits.
//!
//! `cargo bench -p towline-simtests --bench worlds`
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::disallowed_types, reason = "it measures and prints")]

mod small;

use std::fs;
use std::time::{Duration, Instant};

/// Worlds a round.
const WORLDS: u64 = 400;
/// Rounds; the median counts.
const ROUNDS: u64 = 5;
/// How long a client waits.
const WAIT: Duration = Duration::from_secs(30 * 86_400);

fn main() {
    let site = small::open_site();
    let mut rounds: Vec<f64> = (0..ROUNDS).map(|round| worlds_a_second(&site, round)).collect();
    rounds.sort_by(f64::total_cmp);
    let median = rounds[rounds.len() / 2];
    println!("small worlds: {median:.0} a second and core (at least 800); rounds {rounds:.0?}");
    let mut standing = small::waiting_site().start().expect("a site without a mistake");
    let began = Began::now();
    standing.world.run_for(WAIT);
    let factor = WAIT.as_secs_f64() / began.seconds();
    let client = standing.daemons[1].host;
    assert_eq!(standing.world.connections(client), 1, "the client waits with its one connection");
    println!("a client that waits for 30 days: {factor:.0} times real time (at least 100000)");
}

fn worlds_a_second(site: &towline_simtests::site::Site, round: u64) -> f64 {
    let began = Began::now();
    for seed in 0..WORLDS {
        small::back_up_and_restore(site, round * WORLDS + seed);
    }
    WORLDS as f64 / began.seconds()
}

/// A stopwatch of this thread's processor time, which others on the machine do not change; of the clock where the system
/// does not tell it.
struct Began(Option<u64>, Instant);

impl Began {
    fn now() -> Self {
        Self(spent(), Instant::now())
    }

    fn seconds(&self) -> f64 {
        match (self.0, spent()) {
            (Some(before), Some(after)) => Duration::from_nanos(after - before).as_secs_f64(),
            _ => self.1.elapsed().as_secs_f64(),
        }
    }
}

/// Nanoseconds that this thread has had a processor, as Linux counts them.
fn spent() -> Option<u64> {
    fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}
