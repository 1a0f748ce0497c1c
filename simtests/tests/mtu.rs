//! A way that carries small packets and swallows large ones: what is lost is named, and the next connection passes.

use std::time::Duration;

use towline_simtests::town::{Plan, Town, some_files};

const HOUR: Duration = Duration::from_secs(3600);
/// Bytes that pass: a dialogue does, a stream of data in its usual segments does not.
const PASSES: usize = 1400;

/// A town whose file daemon and storage daemon have such a way between them; the end of a backup and its report.
fn swallowing(town: &mut Town) -> (char, String) {
    let (client, storage) = (town.client, town.storage);
    town.world.link(client, storage, |link| link.largest = Some(PASSES));
    let job = town.order("run job=backup yes").unwrap();
    let row = town.await_end(job, 2 * HOUR);
    let row = row.unwrap_or_else(|| panic!("job {job} hangs: {:#?}\n{}", town.world.pending(), town.report(job)));
    (char::from(row.job_status), town.report(job))
}

#[test]
fn data_that_never_moves_is_named_within_a_heartbeat_and_the_next_job_passes_with_small_packets() {
    for seed in 0..3 {
        let mut town = Town::new(Plan { files: some_files(seed, 20, 200_000), ..Plan::new(seed) });
        let (status, report) = swallowing(&mut town);
        assert_eq!(status, 'f', "{report}");
        assert!(report.contains("(T0131)") && report.contains("small packets get through"), "{report}");
        let (status, report) = swallowing(&mut town);
        assert_eq!(status, 'T', "{report}");
        assert!(report.contains("reached with small packets only") && report.contains("(T0130)"), "{report}");
    }
}
