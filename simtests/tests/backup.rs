//! A whole backup and restore between three daemons, in virtual time.

use std::time::Duration;

use towline_core::catalog::JobRow;
use towline_simtests::town::{Plan, Town};

const HOUR: Duration = Duration::from_secs(3600);

/// Runs a job to its end; asserts that it is good.
fn good_job(town: &mut Town, line: &str) -> JobRow {
    let Some(job) = town.order(line) else {
        panic!("the order was not taken: {:?}\n{}", town.heard(), town.world.trace().tail(80));
    };
    let Some(row) = town.await_end(job, HOUR) else {
        panic!("job {job} hangs: {:#?}\n{}", town.world.pending(), town.world.trace().tail(120));
    };
    assert_eq!(row.job_status, b'T', "{}\n{}", town.report(job), town.world.trace().tail(120));
    row
}

fn round_trip(plan: Plan) -> (u64, u64) {
    let saved = plan.files.clone();
    let mut town = Town::new(plan);
    let row = good_job(&mut town, "run job=backup yes");
    assert_eq!(town.catalog.tables().files.values().collect::<Vec<_>>(), saved.keys().collect::<Vec<_>>());
    let bytes: u64 = saved.values().map(|contents| contents.len() as u64).sum();
    assert_eq!((row.job_files as usize, row.read_bytes), (saved.len(), bytes));
    good_job(&mut town, "restore client=fd all done yes");
    assert!(town.restored() == saved, "what came back differs");
    town.world.trace().hash()
}

#[test]
fn what_was_saved_comes_back() {
    round_trip(Plan::new(1));
}

#[test]
fn what_was_saved_under_tls_comes_back() {
    round_trip(Plan { tls: true, ..Plan::new(2) });
}

#[test]
fn a_backup_leaves_the_same_trace_for_the_same_seed() {
    assert_eq!(round_trip(Plan::new(3)), round_trip(Plan::new(3)));
}
