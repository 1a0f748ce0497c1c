//! Names that mean something else, nothing, or nothing yet to one of the daemons of a job.

use std::net::IpAddr;
use std::time::Duration;

use towline_core::config::Seconds;
use towline_simtests::gateway::Gateway;
use towline_simtests::host::HostId;
use towline_simtests::names::View;
use towline_simtests::scenario::{GATEWAY, Region, Scenario};
use towline_simtests::station::{ClientStation, StorageStation};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// The storage daemon's name, which is not its host's.
const NAME: &str = "backup.example";
const INSIDE: [u8; 4] = [10, 0, 0, 20];

/// A client and a storage daemon behind a gateway that forwards the ports of both and has no hairpin, and a director
/// outside. The storage daemon's name leads to the gateway.
fn site(patience: u64) -> Region {
    let gateway = Gateway::masquerading(GATEWAY).forward(9102, ([10, 0, 0, 10], 9102)).forward(9103, (INSIDE, 9103));
    let mut region = Scenario::new(81, gateway)
        .director(|director| director.sd_connect_timeout = Seconds::secs(patience))
        .client(
            ClientStation::inside("fd", 10)
                .at("192.0.2.254")
                .with(|fd| fd.own.file.sd_connect_timeout = Seconds::secs(patience)),
        )
        .storage(StorageStation::inside("sd", 20).at(NAME))
        .start();
    region.world.set_name(NAME, vec![GATEWAY.into()]);
    region.world.add_host("nobody", [192, 0, 2, 99].into());
    region
}

fn seen_inside(region: &mut Region) -> HostId {
    let client = region.clients[0].host;
    region.world.set_view(client, NAME, View::Addresses(vec![INSIDE.into()]));
    client
}

/// Runs a backup; returns its state and its report.
fn backup(region: &mut Region) -> (char, String) {
    let Some(job) = region.order("run job=fd-sd yes") else { panic!("not taken: {}", region.world.trace().tail(40)) };
    let Some(row) = region.await_end(job, HOUR) else { panic!("job {job} hangs: {:#?}", region.world.pending()) };
    (char::from(row.job_status), region.report(job))
}

/// How often a host has looked the name up.
fn look_ups(region: &Region, who: &str) -> usize {
    let lines = region.world.trace().grep(&format!(" {who} > Resolve {{"));
    lines.iter().filter(|line| line.contains(NAME)).count()
}

#[test]
fn a_name_that_leads_each_daemon_another_way_to_the_storage_daemon_is_followed_by_each() {
    let mut region = site(60);
    seen_inside(&mut region);
    let (state, report) = backup(&mut region);
    assert_eq!(state, 'T', "{report}");
    assert!(report.contains("Connected storage daemon at 192.0.2.254:9103"), "{report}");
    assert!(report.contains("Connected Storage daemon at 10.0.0.20:9103"), "{report}");
    let Some(restore) = region.order("restore client=fd all done yes") else { panic!("not taken") };
    assert_eq!(region.await_end(restore, HOUR).map(|row| row.job_status), Some(b'T'), "{}", region.report(restore));
    assert!(region.restored(0) == *region.saved(), "what came back differs");
}

#[test]
fn a_name_that_leads_one_daemon_astray_fails_the_job_which_names_who_and_where() {
    let nobody: IpAddr = [192, 0, 2, 99].into();
    // Without a view of its own the client is led to the gateway, which has no hairpin.
    let cases: [(&str, Option<View>, &[&str]); 5] = [
        ("fd", None, &["fd JobId 1: Fatal error:", "192.0.2.254:9103"]),
        ("fd", Some(View::Missing), &["fd JobId 1: Fatal error:", NAME, "does not exist"]),
        ("fd", Some(View::Addresses(vec![nobody])), &["fd JobId 1: Fatal error:", "192.0.2.99:9103"]),
        ("dir", Some(View::Missing), &["storage daemon: ", NAME, "does not exist"]),
        ("dir", Some(View::Addresses(vec![nobody])), &["storage daemon: cannot connect to 192.0.2.99:9103"]),
    ];
    for (who, view, words) in cases {
        let mut region = site(60);
        let client = seen_inside(&mut region);
        let host = if who == "fd" { client } else { region.director };
        let case = format!("{who} {view:?}");
        region.world.set_view(host, NAME, view.unwrap_or_else(|| View::Addresses(vec![GATEWAY.into()])));
        let (state, report) = backup(&mut region);
        assert_eq!(state, 'f', "{case}: {report}");
        assert!(words.iter().all(|word| report.contains(word)), "{case}: {words:?} are not all in: {report}");
        // Somebody mends it.
        let addresses = if who == "fd" { INSIDE } else { GATEWAY };
        region.world.set_view(host, NAME, View::Addresses(vec![addresses.into()]));
        assert_eq!(backup(&mut region).0, 'T', "{case}");
    }
}

#[test]
fn a_resolver_that_fails_twice_costs_a_job_twenty_seconds_and_more_often_the_job() {
    for who in ["fd", "dir"] {
        for (failing, patience, state) in [(15, 60, 'T'), (15, 20, 'f'), (65, 60, 'f')] {
            let case = format!("{who} for {failing} s of {patience} s");
            let mut region = site(patience);
            let client = seen_inside(&mut region);
            let host = if who == "fd" { client } else { region.director };
            // A view that fails leads where everybody is led in the end.
            if who == "fd" {
                region.world.set_name(NAME, vec![INSIDE.into()]);
                let director = region.director;
                region.world.set_view(director, NAME, View::Addresses(vec![GATEWAY.into()]));
            }
            let until = region.world.now() + SECOND * failing;
            region.world.set_view(host, NAME, View::Failing(until));
            let (before, asked) = (region.world.now(), look_ups(&region, who));
            let (ended, report) = backup(&mut region);
            let took = region.world.now().since(before);
            assert_eq!(ended, state, "{case}: {report}");
            if state == 'T' {
                assert_eq!(look_ups(&region, who) - asked, 3, "{case}");
                assert!(took > SECOND * 20 && took < SECOND * 22, "{case}: {took:?}");
            } else {
                assert!(report.contains("the resolver cannot say"), "{case}: {report}");
                assert!(took <= SECOND * (u32::try_from(patience).unwrap_or(0) + 5), "{case}: {took:?}");
            }
        }
    }
}

#[test]
fn a_client_whose_name_is_still_the_old_one_is_followed_when_its_time_to_live_has_ended() {
    let mut region = site(60);
    let client = seen_inside(&mut region);
    region.world.set_time_to_live(NAME, MINUTE * 10);
    assert_eq!(backup(&mut region).0, 'T', "everybody has heard the name now");
    let heard = region.world.now();
    // The storage daemon moves, and the name with it, at once.
    let (storage, network) = (region.storages[0].host, region.networks[0]);
    let new: IpAddr = [10, 0, 0, 21].into();
    region.world.roam(storage, network, new);
    region.world.change_gateway(network, |gateway| gateway.forwards[1].to = (new, 9103).into());
    region.world.set_view(client, NAME, View::Addresses(vec![new]));
    let (state, report) = backup(&mut region);
    assert_eq!(state, 'f', "{report}");
    assert!(report.contains("10.0.0.20:9103"), "it goes to the old address: {report}");
    let left = (heard + MINUTE * 10).since(region.world.now());
    region.world.run_for(left);
    assert_eq!(backup(&mut region).0, 'T', "what was heard is forgotten");
}

#[test]
fn a_slow_resolver_costs_a_job_its_time_and_one_slower_than_the_patience_the_job() {
    for (slow, state) in [(45, 'T'), (70, 'f')] {
        let mut region = site(60);
        let client = seen_inside(&mut region);
        region.world.set_resolver_slowness(client, SECOND * slow);
        let before = region.world.now();
        let (ended, report) = backup(&mut region);
        let took = region.world.now().since(before);
        assert_eq!(ended, state, "{slow} s: {report}");
        let least = SECOND * slow.min(60);
        assert!(took >= least && took < least + SECOND * 10, "{slow} s: {took:?}");
    }
}
