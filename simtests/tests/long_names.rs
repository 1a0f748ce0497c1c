//! Names of tens of thousands of bytes, as very deep trees have them: what goes by the page is cut by its bytes.

use std::time::Duration;

use towline_simtests::disk::Files;
use towline_simtests::town::{Plan, Town};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn an_accurate_job_over_a_very_deep_tree_ends_well() {
    // Together more than may wait on one connection.
    let name = |n: usize| format!("/data/{}{n}", "folder/".repeat(76_000 / 7)).into_bytes();
    let files: Files = (0..200).map(|n| (name(n), b"contents".to_vec())).collect();
    let mut town = Town::new(Plan { files, ..Plan::new(12) });
    for line in ["run job=backup yes", "run job=backup level=incremental accurate=yes yes"] {
        let job = town.order(line).expect("the order is taken");
        let Some(row) = town.await_end(job, HOUR) else {
            panic!("job {job} hangs: {:#?}\n{}", town.world.pending(), town.world.trace().tail(120));
        };
        assert_eq!(char::from(row.job_status), 'T', "{}", town.report(job));
    }
}
