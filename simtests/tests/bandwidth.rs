//! Bandwidth limits of real jobs over virtual time: kept, changed, lifted; and nothing else waits for them.

use std::time::Duration;

use towline_simtests::town::{Plan, Town};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// A town whose backup of some megabytes has begun under a limit of `limit` bytes a second; returns the job's number.
fn limited_town(plan: Plan, limit: u64) -> (Town, u32) {
    let mut town = Town::new(plan);
    let set = town.say(&format!("setbandwidth client=fd limit={limit}b/s"), 10 * SECOND).unwrap_or_default();
    assert!(set.contains(&format!("keeps to {limit} bytes a second")), "{set}");
    let Some(job) = town.order("run job=backup yes") else { panic!("not taken: {:?}", town.heard()) };
    town.world.run_for(2 * SECOND);
    (town, job)
}

/// The number after a key in the status of the client or the storage daemon.
fn number(town: &mut Town, daemon: &str, key: &str) -> u64 {
    let text = town.say(&format!("status {daemon}"), 30 * SECOND).unwrap_or_default();
    let value = text.split_once(key).and_then(|(_, rest)| rest.split_whitespace().next());
    let value = value.map(|value| value.replace(',', "")).and_then(|value| value.parse().ok());
    value.unwrap_or_else(|| panic!("no {key} in {text}{}", (1..3).map(|job| town.report(job)).collect::<String>()))
}

/// Bytes a second over so many seconds, as the daemon counts them.
fn rate(town: &mut Town, daemon: &str, seconds: u64) -> u64 {
    let (began, before) = (town.world.time_of(town.operator), number(town, daemon, " Bytes="));
    town.world.run_for(Duration::from_secs(seconds));
    let after = number(town, daemon, " Bytes=");
    let took = town.world.time_of(town.operator).since(began);
    u64::try_from(u128::from(after - before) * 1_000 / took.as_millis()).unwrap_or_default()
}

fn assert_about(rate: u64, limit: u64) {
    assert!((limit * 95 / 100..=limit * 103 / 100).contains(&rate), "{rate} bytes a second where {limit} were allowed");
}

/// So many files of so many bytes.
fn plan_of(seed: u64, count: u8, size: usize) -> Plan {
    let file = |n: u8| (format!("/data/file-{n:03}").into_bytes(), vec![n; size].into());
    Plan { files: (0..count).map(file).collect(), ..Plan::new(seed) }
}

/// Nine megabytes.
fn plan(seed: u64) -> Plan {
    plan_of(seed, 60, 150_000)
}

#[test]
fn a_limit_is_kept_then_changed_then_lifted() {
    let (mut town, job) = limited_town(plan(51), 20_000);
    let (client, storage) = ("client=fd", "storage=sd");
    assert_about(rate(&mut town, client, 60), 20_000);
    let set = town.say(&format!("setbandwidth jobid={job} limit=60k/s yes"), 10 * SECOND).unwrap_or_default();
    assert!(set.contains("keeps to 61440 bytes a second"), "{set}");
    assert_about(rate(&mut town, client, 30), 61_440);
    // The storage daemon has its own: the slower of the two counts. What is in buffers between the two goes first.
    let set = town.say("setbandwidth storage=sd limit=10kb/s", 10 * SECOND).unwrap_or_default();
    assert!(set.contains("keeps to 10000 bytes a second"), "{set}");
    assert_about(rate(&mut town, storage, 60), 10_000);
    assert!(town.ended(job).is_none(), "{}", town.report(job));
    for limit in ["client=fd", "storage=sd"] {
        let set = town.say(&format!("setbandwidth {limit} limit=0"), 10 * SECOND).unwrap_or_default();
        assert!(set.contains("has lifted the limit"), "{set}");
    }
    let Some(end) = town.await_end(job, 30 * SECOND) else { panic!("the limit is still there: {}", town.report(job)) };
    assert_eq!(char::from(end.job_status), 'T', "{}", town.report(job));
}

#[test]
fn a_restore_keeps_to_the_limit_too_and_brings_everything_back() {
    let plan = plan_of(52, 40, 30_000);
    let files = plan.files.clone();
    let mut town = Town::new(plan);
    let Some(backup) = town.order("run job=backup yes") else { panic!("not taken") };
    assert!(town.await_end(backup, HOUR).is_some());
    let set = town.say("setbandwidth client=fd limit=10000b/s", 10 * SECOND).unwrap_or_default();
    assert!(set.contains("keeps to 10000"), "{set}");
    let Some(restore) = town.order("restore client=fd all done yes") else { panic!("not taken") };
    town.world.run_for(2 * SECOND);
    assert_about(rate(&mut town, "client=fd", 30), 10_000);
    let began = town.world.time_of(town.operator);
    assert!(town.await_end(restore, HOUR).is_some_and(|row| row.job_status == b'T'), "{}", town.report(restore));
    let (took, bytes) =
        (town.world.time_of(town.operator).since(began), files.values().map(|contents| contents.len()).sum::<usize>());
    assert!(took.as_secs() as usize > (bytes - 400_000) / 10_000, "{bytes} bytes in {took:?}");
    assert_eq!(town.restored(), files);
}

#[test]
fn under_a_slow_limit_heartbeats_run_and_nobody_takes_the_job_for_dead() {
    for tls in [false, true] {
        // Ten intervals pass while hardly anything moves.
        let (mut town, job) = limited_town(Plan { tls, heartbeat: 5, ..plan(53) }, 1_000);
        town.world.run_for(120 * SECOND);
        assert!(town.ended(job).is_none(), "{}", town.report(job));
        let bytes = number(&mut town, "client=fd", " Bytes=");
        assert!((110_000..140_000).contains(&bytes), "{bytes} bytes in two minutes");
        let set = town.say("setbandwidth client=fd limit=0", 10 * SECOND).unwrap_or_default();
        assert!(set.contains("has lifted the limit"), "{set}");
        let end = town.await_end(job, 60 * SECOND);
        assert!(end.is_some_and(|row| row.job_status == b'T'), "{}", town.report(job));
    }
}

#[test]
fn a_limited_job_is_cancelled_at_once() {
    let (mut town, job) = limited_town(plan(54), 1_000);
    let answer = town.say(&format!("cancel jobid={job}"), SECOND).unwrap_or_default();
    assert!(answer.contains("marked to be canceled"), "{answer}");
    assert!(town.await_end(job, 2 * SECOND).is_some_and(|row| row.job_status == b'A'), "{}", town.report(job));
}
