//! Clients that misbehave while others work: each is held up and named once a minute, and nobody else suffers.

use std::collections::BTreeSet;
use std::time::Duration;

use towline_core::event::Event;
use towline_simtests::gateway::Gateway;
use towline_simtests::scenario::{GATEWAY, Region, Scenario};
use towline_simtests::station::{ClientStation, StorageStation};
use towline_simtests::town::{Directions, Plan, Town, some_files};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// The lines of the trace with these words, as far as it goes back.
fn lines(trace: &towline_simtests::trace::Trace, words: &str, all: &mut BTreeSet<String>) {
    all.extend(trace.grep(words));
}

/// A director with a client that dials in, another one that is dialled, and a storage daemon.
fn region() -> Region {
    let mut scenario = Scenario::new(91, Gateway::masquerading(GATEWAY))
        .client(ClientStation::outside("fd", 10).dials("192.0.2.1"))
        .client(ClientStation::outside("other", 11).at("192.0.2.11"))
        .storage(StorageStation::outside("sd", 20).at("192.0.2.20"));
    scenario.files = some_files(91, 40, 100_000);
    let mut region = scenario.start();
    let (other, storage) = (region.clients[1].host, region.storages[0].host);
    region.world.link(other, storage, |link| link.rate = 10_000);
    region.world.run_for(5 * SECOND);
    region
}

fn state(region: &mut Region, job: u32) -> char {
    let Some(row) = region.await_end(job, 10 * MINUTE) else { panic!("hangs: {}", region.report(job)) };
    char::from(row.job_status)
}

#[test]
fn a_client_that_dials_in_a_tight_loop_is_held_up_and_named_once_a_minute_while_others_jobs_run() {
    let mut region = region();
    let Some(job) = region.order("run job=other-sd yes") else { panic!("not taken") };
    let client = region.clients[0].host;
    let (mut dials, mut warnings) = (BTreeSet::new(), BTreeSet::new());
    // Its network changes twenty times a second, and at each change it dials again.
    for _ in 0..2 * 60 * 20 {
        assert!(region.world.post(client, Event::NetworkChanged));
        region.world.run_for(SECOND / 20);
        lines(region.world.trace(), " fd > Dial {", &mut dials);
        lines(region.world.trace(), "client fd at", &mut warnings);
        assert!(region.world.connections(region.director) < 20, "{}", region.world.trace().tail(40));
    }
    assert!(dials.len() > 2_000, "no tight loop: {} dials", dials.len());
    warnings.retain(|line| line.contains("is turned away"));
    assert!((2..=3).contains(&warnings.len()), "two minutes: {warnings:#?}");
    assert!(warnings.iter().all(|line| line.contains("it dials in again and again")), "{warnings:#?}");
    assert_eq!(state(&mut region, job), 'T', "{}", region.report(job));
    // It comes to rest, and works again.
    region.world.run_for(2 * MINUTE);
    let Some(own) = region.order("run job=fd-sd yes") else { panic!("not taken") };
    assert_eq!(state(&mut region, own), 'T', "{}", region.report(own));
}

#[test]
fn a_dozen_daemons_of_one_name_are_named_once_a_minute_and_one_of_them_gets_the_job() {
    let mut town = Town::new(Plan { directions: Directions::CLIENT, ..Plan::new(92) });
    for _ in 0..11 {
        town.start_twin();
    }
    let (mut named, mut dials) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..3 * 60 * 4 {
        town.world.run_for(SECOND / 4);
        lines(town.world.trace(), "is there a second daemon of", &mut named);
        lines(town.world.trace(), " > Dial {", &mut dials);
    }
    assert!((3..=4).contains(&named.len()), "three minutes: {named:#?}");
    assert!(dials.len() < 12 * 30, "they storm the director: {} dials", dials.len());
    let Some(job) = town.order("run job=backup yes") else { panic!("not taken") };
    let ended = town.await_end(job, MINUTE).map(|row| row.job_status);
    assert_eq!(ended, Some(b'T'), "{}", town.report(job));
}

#[test]
fn a_client_that_dials_in_with_a_wrong_password_never_waits_and_is_named_once_a_minute_at_most() {
    for tls in [false, true] {
        let passwords = ("another".to_owned(), "storage".to_owned());
        let mut town = Town::new(Plan { tls, passwords, directions: Directions::CLIENT, ..Plan::new(93) });
        let (mut refusals, mut dials) = (BTreeSet::new(), BTreeSet::new());
        for _ in 0..10 * 60 {
            town.world.run_for(SECOND);
            lines(town.world.trace(), " dir > Warn: ", &mut refusals);
            lines(town.world.trace(), " fd > Dial {", &mut dials);
        }
        assert!(dials.len() > 10, "it goes on trying: {dials:#?}");
        assert!((1..=11).contains(&refusals.len()) && refusals.len() < dials.len(), "tls {tls}: {refusals:#?}");
        assert!(refusals.iter().all(|line| line.contains("password")), "tls {tls}: {refusals:#?}");
        let Some(status) = town.say("status director", MINUTE) else { panic!("no console is answered") };
        let (_, waiting) = status.split_once("Client Initiated Connections").unwrap_or_default();
        assert!(!waiting.is_empty() && !waiting.contains(" fd"), "{status}");
        assert_eq!(town.world.connections(town.director), 1, "the operator's");
        assert!(town.messages().contains("director dir is not reached"), "the client says so too: {}", town.messages());
    }
}
