//! A way that carries small packets and swallows large ones: what is lost is named, and the next connection passes.
#![allow(clippy::unwrap_used, reason = "a missing value fails the test")]

use std::time::Duration;

use towline_simtests::town::{Plan, Town, some_files};

const HOUR: Duration = Duration::from_secs(3600);
/// Bytes that pass: a dialogue does, a stream of data in its usual segments does not.
const PASSES: usize = 1400;

/// Until a stall is told: two looks, 20 s apart, and the way to the job's log.
const BOUND: Duration = Duration::from_secs(60);

#[test]
fn data_that_never_moves_is_named_within_a_minute_and_the_next_job_passes_with_small_packets() {
    for seed in 0..3 {
        let mut town = Town::new(Plan { files: some_files(seed, 20, 200_000), ..Plan::new(seed) });
        let (client, storage) = (town.client, town.storage);
        town.world.link(client, storage, |link| link.largest = Some(PASSES));
        let job = town.order("run job=backup yes").unwrap();
        let catalog = town.catalog.clone();
        let is_told = town.world.run_until(BOUND, |_| {
            let report = catalog.report(job);
            report.contains("(T0131)") && report.contains("small packets get through")
        });
        assert!(is_told, "{}", town.report(job));
        town.say(&format!("cancel jobid={job}"), BOUND).unwrap();
        town.await_end(job, HOUR).unwrap();
        let job = town.order("run job=backup yes").unwrap();
        let row = town.await_end(job, HOUR).unwrap();
        let report = town.report(job);
        assert_eq!(char::from(row.job_status), 'T', "{report}");
        assert!(report.contains("reached with small packets only") && report.contains("(T0130)"), "{report}");
    }
}
