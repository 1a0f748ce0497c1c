//! A backup and a restore under a bandwidth limit, with real daemons: never faster than the limit, and whole.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::time::{Duration, Instant};

use support::network::{Network, Plan};
use support::{assert_restored, noise, plant, wait_for};

/// Bytes of the one large file.
const LARGE: usize = 400_000;
/// Bytes a second: `100k/s`.
const LIMIT: u64 = 102_400;

/// Seconds that so many bytes take at the limit, but for what may go at once.
fn least() -> Duration {
    Duration::from_secs_f64((LARGE as f64 - 20_000.0) / LIMIT as f64)
}

#[test]
fn a_limited_backup_and_its_restore_take_their_time_and_show_how_far_they_are() {
    let network = Network::start(&Plan::default());
    plant(&network.source, 1, LARGE);
    let said = network.ask(&["setbandwidth client=f limit=100k/s"]);
    assert!(said.contains("The file daemon \"f\" keeps to 102400 bytes a second."), "{said}");
    let began = Instant::now();
    let backup = network.begin_backup();
    let status = wait_for("progress in the client's status", || {
        let text = network.ask(&["status client=f"]);
        (text.contains("Bwlimit=102,400") && !text.contains(" Bytes=0 ")).then_some(text)
    });
    assert!(status.contains("    Files=") && status.contains("Bytes/sec="), "{status}");
    let ended = network.end_of(backup);
    assert!(ended.is_ok(), "{}", ended.report);
    assert!(began.elapsed() >= least(), "{LARGE} bytes in {:?} at {LIMIT} a second", began.elapsed());
    let place = network.place("restored");
    let began = Instant::now();
    let ended = network.restore(&place, "");
    assert!(ended.is_ok(), "{}", ended.report);
    assert!(began.elapsed() >= least(), "{LARGE} bytes in {:?} at {LIMIT} a second", began.elapsed());
    assert_restored(&network.source, &place);
}

#[test]
fn a_limit_that_is_lifted_lets_a_job_end_that_would_have_taken_days() {
    let network = Network::start(&Plan::default());
    std::fs::write(network.source.join("large"), noise(7, 8_000_000)).unwrap();
    let said = network.ask(&["setbandwidth client=f limit=20b/s"]);
    assert!(said.contains("keeps to 20 bytes a second"), "{said}");
    let backup = network.begin_backup();
    wait_for("the data to be under way", || {
        network.ask(&["status client=f"]).contains("Doing: the data").then_some(())
    });
    let said = network.ask(&[&format!("setbandwidth jobid={backup} limit=0")]);
    assert!(said.contains("The file daemon \"f\" has lifted the limit."), "{said}");
    let ended = network.end_of(backup);
    assert!(ended.is_ok(), "{}", ended.report);
}
