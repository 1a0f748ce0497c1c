//! Ten thousand connections that never say a word, while a job and a console come in.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use towline_core::event::Event;
use towline_simtests::gateway::Gateway;
use towline_simtests::host::HostId;
use towline_simtests::network::NetworkId;
use towline_simtests::operator::Heard;
use towline_simtests::scenario::{GATEWAY, Region, Scenario};
use towline_simtests::station::{ClientStation, StorageStation};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DIRECTOR: [u8; 4] = [192, 0, 2, 1];
const STORAGE: [u8; 4] = [192, 0, 2, 20];
/// A hundred connections of the crowd every tenth of a second.
const TURNS: usize = 100;

/// A client behind NAT that dials its director, and a storage daemon.
fn region(seed: u64) -> Region {
    Scenario::new(seed, Gateway::masquerading(GATEWAY))
        .client(ClientStation::inside("fd", 10).dials("192.0.2.1"))
        .storage(StorageStation::outside("sd", 20).at("192.0.2.20"))
        .start()
}

/// The crowd comes to the director and to the storage daemon by turns; each of its hosts by turns too.
fn a_job_and_a_console_come_in(mut region: Region, crowd: &[HostId], targets: [IpAddr; 2]) {
    let mut hosts = crowd.iter().cycle();
    let mut press = |region: &mut Region| {
        for n in 0..100 {
            let to: SocketAddr = if n % 2 == 0 { (targets[0], 9101).into() } else { (targets[1], 9103).into() };
            region.world.add_idle(*hosts.next().unwrap_or(&crowd[0]), to);
        }
        region.world.run_for(SECOND / 10);
    };
    (0..TURNS / 2).for_each(|_| press(&mut region));
    assert!(!region.world.trace().grep("PushOut").is_empty(), "the crowd is too small to matter");
    // The client and the console have to come in now, and the client's job with them.
    let (client, director) = (region.clients[0].host, region.director);
    region.start_client(0);
    region.start_operator();
    let held = region.world.connections(director);
    assert!((256..300).contains(&held), "{held} connections are open at the director");
    (0..TURNS / 4).for_each(|_| press(&mut region));
    let Some(job) = region.order("run job=fd-sd yes") else { panic!("not taken: {}", region.world.trace().tail(40)) };
    (0..TURNS / 4).for_each(|_| press(&mut region));
    let Some(row) = region.await_end(job, 10 * MINUTE) else { panic!("hangs: {}", region.report(job)) };
    assert_eq!(char::from(row.job_status), 'T', "{}", region.report(job));
    assert!(region.world.connections(client) < 5);
}

#[test]
fn ten_thousand_from_the_address_that_a_real_client_has_behind_nat() {
    let mut region = region(1);
    let network = region.networks[0];
    let stranger = region.world.add_host_in(network, "stranger", [10, 0, 0, 66].into());
    a_job_and_a_console_come_in(region, &[stranger], [DIRECTOR, STORAGE].map(IpAddr::from));
}

#[test]
fn ten_thousand_from_one_ipv6_64() {
    let mut region = region(3);
    let address = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, n]);
    let targets = [1, 2].map(|n| IpAddr::from([0x2001, 0xdb8, 0, 2, 0, 0, 0, n]));
    for (host, address) in [region.director, region.storages[0].host].into_iter().zip(targets) {
        region.world.add_interface(host, NetworkId::OPEN, address);
    }
    let crowd: Vec<HostId> =
        (0..200).map(|n| region.world.add_host(&format!("stranger{n}"), address(n * 311))).collect();
    a_job_and_a_console_come_in(region, &crowd, targets);
}

/// Consoles of one key that log in and say nothing, more than there is room for. The host of each can only have one.
fn silent_consoles(region: &mut Region, numbers: RangeInclusive<u8>) -> Vec<Heard> {
    let host = |n: u8| region.world.add_host(&format!("console{n}"), [198, 51, 100, n].into());
    let hosts: Vec<HostId> = numbers.map(host).collect();
    let heard = hosts.iter().map(|&host| region.start_console(host)).collect();
    region.world.run_for(10 * SECOND);
    heard
}

#[test]
fn consoles_that_log_in_and_say_nothing_make_room_for_an_operator_and_hear_why() {
    let mut region = region(4);
    region.start_client(0);
    let silent = silent_consoles(&mut region, 1..=40);
    let gone: Vec<&Heard> = silent.iter().filter(|heard| heard.look().over.is_some()).collect();
    // The operator of the region is one more console of this name, and as silent.
    let operator = usize::from(region.heard().over.is_some());
    assert_eq!(gone.len() + operator, 26, "15 of 20 are for one name");
    assert!(gone.iter().all(|heard| heard.look().text.contains("makes room for another one")), "{:?}", gone[0]);
    region.start_operator();
    let Some(job) = region.order("run job=fd-sd yes") else { panic!("not taken: {}", region.world.trace().tail(40)) };
    let more = silent_consoles(&mut region, 41..=100);
    let Some(row) = region.await_end(job, 10 * MINUTE) else { panic!("hangs: {}", region.report(job)) };
    assert_eq!(char::from(row.job_status), 'T', "{}", region.report(job));
    assert!(more.iter().filter(|heard| heard.look().over.is_none()).count() <= 15);
}

#[test]
fn an_operator_who_waits_for_a_job_stays_however_many_consoles_come() {
    let mut region = region(5);
    region.start_client(0);
    region.start_operator();
    let Some(job) = region.order("run job=fd-sd yes") else { panic!("not taken: {}", region.world.trace().tail(40)) };
    let host = region.storages[0].host;
    region.world.power_off(host);
    let operator = region.operator;
    region.world.post(operator, Event::Typed(Some(format!("wait jobid={job}"))));
    region.world.run_for(SECOND);
    let silent = silent_consoles(&mut region, 1..=60);
    assert!(silent.iter().filter(|heard| heard.look().over.is_none()).count() <= 14, "one of 15 is the operator's");
    let heard = region.heard();
    assert!(heard.over.is_none() && !heard.text.contains("T0318"), "{heard:?}");
}

#[test]
fn ten_thousand_from_three_hundred_addresses() {
    let mut region = region(2);
    let address = |n: u16| IpAddr::from([198, 51, n.to_be_bytes()[0], n.to_be_bytes()[1]]);
    let crowd: Vec<HostId> =
        (0..300).map(|n| region.world.add_host(&format!("stranger{n}"), address(n * 211))).collect();
    a_job_and_a_console_come_in(region, &crowd, [DIRECTOR, STORAGE].map(IpAddr::from));
}
