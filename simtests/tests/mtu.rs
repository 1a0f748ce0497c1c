//! A way that carries small packets and swallows large ones: what is lost is named, and the next connection passes.
#![allow(clippy::unwrap_used, reason = "a missing value fails the test")]

use std::time::Duration;

use towline_core::config::Seconds;
use towline_simtests::gateway::{Gateway, Unknown};
use towline_simtests::ready;
use towline_simtests::site::{Site, Standing};
use towline_simtests::town::{Plan, Town, some_files};

const HOUR: Duration = Duration::from_secs(3600);
/// Bytes that pass: a dialogue does, a stream of data in its usual segments does not.
const PASSES: usize = 1400;

/// Until a stall ends its job: five minutes, a look, a minute, and the way to the job's end.
const END: Duration = Duration::from_secs(420);

/// Until a stall is told: two looks, 20 s apart, and the way to the job's log.
const BOUND: Duration = Duration::from_secs(60);

#[test]
fn data_that_never_moves_ends_its_job_within_seven_minutes_with_the_channel_the_bytes_and_the_mtu() {
    for (seed, lost_by_the_storage) in [(3, false), (4, true)] {
        let mut town = Town::new(Plan { files: some_files(seed, 20, 200_000), ..Plan::new(seed) });
        let (client, storage) = (town.client, town.storage);
        let job = match lost_by_the_storage {
            false => {
                town.world.link(client, storage, |link| link.largest = Some(PASSES));
                town.order("run job=backup yes").unwrap()
            }
            // A restore goes the other way.
            true => {
                let job = town.order("run job=backup yes").unwrap();
                town.await_end(job, HOUR).unwrap();
                town.world.link(client, storage, |link| link.largest = Some(PASSES));
                town.order("restore client=fd all done yes").unwrap()
            }
        };
        let row = town.await_end(job, END).unwrap_or_else(|| panic!("hangs: {}", town.report(job)));
        // What the daemons said in the end is stored a little later.
        town.world.run_for(BOUND);
        let report = town.report(job);
        assert!(matches!(row.job_status, b'f' | b'E'), "{report}");
        let line = report.lines().find(|line| line.contains("(T0319)")).unwrap_or_else(|| panic!("{report}"));
        assert!(line.contains("bytes have not been acknowledged for 3") && line.contains("(MTU)"), "{line}");
        assert!(line.contains("lost the storage daemon") || line.contains("file daemon"), "the channel: {line}");
    }
}

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

#[test]
fn a_data_channel_that_a_gateway_has_forgotten_before_its_first_data_is_not_called_a_narrow_way() {
    let mut site = Site::new(5);
    site.files = some_files(5, 20, 200_000);
    let gateway = Gateway::masquerading([192, 0, 2, 254]).forgets(Duration::from_secs(90), Unknown::Drop);
    let home = site.network("home", None, gateway);
    let office = site.host("office", Some(home), [10, 0, 0, 1]);
    let laptop = site.host("laptop", Some(home), [10, 0, 0, 3]);
    let server = site.host("server", None, [192, 0, 2, 2]);
    let (mut director, mut storage, mut client) =
        (ready::director("laptop", "server"), ready::storage(), ready::client("office"));
    director.director.heartbeat_interval = Seconds::secs(0);
    storage.storage.heartbeat_interval = Seconds::secs(0);
    client.file.heartbeat_interval = Seconds::secs(0);
    site.daemon(office, director).daemon(server, storage).daemon(laptop, client);
    let mut standing = site.start().expect("a site without a mistake");
    // Once the data channel is there, it looks for the first file to save for longer than the gateway remembers.
    let (host, catalog) = (standing.hosts[&laptop], standing.catalog.clone());
    standing.world.set_slowness(host, Duration::from_secs(20));
    let job = standing.order("run job=backup yes").unwrap();
    let says =
        |standing: &mut Standing, what: &str| standing.world.run_until(HOUR, |_| catalog.report(job).contains(what));
    assert!(says(&mut standing, "Connected Storage daemon"), "{}", standing.report(job));
    standing.world.run_for(Duration::from_secs(5));
    standing.world.set_slowness(host, Duration::from_secs(300));
    let is_told = says(&mut standing, "(T013");
    let report = standing.report(job);
    assert!(is_told && report.contains("(T0133)") && !report.contains("(T0131)"), "{report}");
}
