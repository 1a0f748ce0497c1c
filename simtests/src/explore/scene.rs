//! From a draw to a region that runs: who is where, and what each daemon's configuration says.

use std::net::IpAddr;
use std::time::Duration;

use towline_core::config::{Bytes, Job, Level, Run, Schedule, Seconds, TimeOfDay};

use crate::disk::Files;
use crate::gateway::{Gateway, Unknown, Verdict, Way};
use crate::host::HostId;
use crate::network::NetworkId;
use crate::ready;
use crate::rng::Rng;
use crate::scenario::{GATEWAY, Region, Scenario};
use crate::station::{ClientStation, StorageStation};
use crate::stock::Make;
use crate::town::some_files;

use super::draw::{Border, Dialled, Draw, Family, Inside, Who};

/// The job that a schedule orders.
pub(super) const TIMED: &str = "timed";
/// The port of file daemons.
const FILE_PORT: u16 = 9102;
/// How long daemons try to reach each other, and wait for each other.
const PATIENCE: Seconds = Seconds::secs(300);

/// Starts all daemons of a draw.
pub(super) fn start(draw: &Draw) -> Region {
    let mut scenario = Scenario::new(draw.seed, gateway(draw));
    if draw.gateway.is_none() {
        scenario.gateways.clear();
    }
    scenario.tls = draw.tls;
    scenario.copies = draw.copies;
    if draw.incremental {
        scenario.level = Level::Incremental;
    }
    if draw.schedule {
        let every_hour = (0..24).map(|hour| TimeOfDay { minutes: hour * 60 + 20 }).collect();
        let hourly = Schedule { runs: vec![Run::new(every_hour)], ..Schedule::new("hourly".to_owned()) };
        let timed =
            Job { level: Level::Full, schedule: Some(hourly.name.clone()), ..ready::job(TIMED, "fd0", "sd0", "sd0") };
        (scenario.schedules, scenario.jobs) = (vec![hourly], vec![timed]);
    }
    scenario.budget = Some(draw.budget);
    scenario.pool.maximum_volume_bytes = Bytes(draw.volume_bytes);
    scenario.director.heartbeat_interval = draw.heartbeat();
    scenario.director.sd_connect_timeout = PATIENCE;
    scenario.director_behind = draw.is_office_inside().then_some(0);
    scenario.clients = (0..draw.clients.len()).map(|n| client(draw, n)).collect();
    scenario.storages = (0..draw.storages.len()).map(|n| storage(draw, n)).collect();
    let mut region = scenario.start();
    let hosts: Vec<HostId> = draw.everybody().into_iter().map(|who| host(&region, who)).collect();
    for (n, &one) in hosts.iter().enumerate() {
        for &two in hosts.iter().skip(n + 1) {
            region.world.link(one, two, |link| {
                link.rate = draw.rate;
                link.latency = Duration::from_micros(draw.latency.0);
                link.jitter = Duration::from_micros(draw.latency.1);
            });
        }
    }
    name_by_family(&mut region, draw);
    for (n, storage) in draw.storages.iter().enumerate() {
        let host = host(&region, Who::Storage(n));
        region.world.set_slowness(host, Duration::from_micros(storage.slowness));
    }
    for n in 0..draw.clients.len() {
        region.clients[n].disk.store().files = tree(draw, n, 0);
    }
    region
}

/// What the names of the daemons outside mean, if not one address of IPv4 each.
fn name_by_family(region: &mut Region, draw: &Draw) {
    let v6 = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
    if draw.family == Family::Hole {
        let hole = region.world.add_host("hole", v6(0xffff));
        region.world.power_off(hole);
    }
    for (n, who) in draw.everybody().into_iter().enumerate() {
        let host = host(region, who);
        let Some((NetworkId::OPEN, v4)) = region.world.home(host) else { continue };
        let first = match draw.family {
            Family::V4 => continue,
            Family::Hole => v6(0xffff),
            Family::Both => v6(u16::try_from(n + 1).unwrap_or(1)),
        };
        if draw.family == Family::Both {
            region.world.add_interface(host, NetworkId::OPEN, first);
        }
        region.world.set_name(&name(who), vec![first, v4]);
    }
}

/// The files of a client, after it has changed them so often.
pub(super) fn tree(draw: &Draw, client: usize, version: u64) -> Files {
    let (count, most) = draw.clients.get(client).map_or((1, 1), |client| client.files);
    let mut seeds = Rng::new(draw.seed ^ (client as u64) << 32 ^ version);
    some_files(seeds.next(), count, most)
}

/// The files of a client once some of them, or all, are changed.
pub(super) fn changed(draw: &Draw, client: usize, version: u64, before: &Files) -> Files {
    let mut tree = tree(draw, client, version);
    if draw.incremental {
        let kept = tree.iter_mut().zip(version..).filter(|(_, n)| n.is_multiple_of(2));
        kept.for_each(|((name, contents), _)| *contents = before.get(name).unwrap_or(contents).clone());
    }
    tree
}

/// The host of somebody.
pub(super) fn host(region: &Region, who: Who) -> HostId {
    match who {
        Who::Director => region.director,
        Who::Client(n) => region.clients[n].host,
        Who::Storage(n) => region.storages[n].host,
    }
}

/// Where others dial the daemon of this name, or who is at an address.
pub(super) fn dialled_at(region: &Region, draw: &Draw, name: &str) -> Option<IpAddr> {
    if let Ok(address) = name.parse() {
        return Some(address);
    }
    let who = draw.everybody().into_iter().find(|who| self::name(*who) == name)?;
    if draw.translates(Inside::Office) && !matches!(who, Who::Client(_)) {
        return Some(GATEWAY.into());
    }
    region.world.home(host(region, who)).map(|(_, address)| address)
}

/// The network of a client and its address there, as drawn.
pub(super) fn home(region: &Region, draw: &Draw, n: usize) -> (NetworkId, IpAddr) {
    let station = client(draw, n);
    let network = station.behind.and_then(|n| region.networks.get(n)).copied().unwrap_or(NetworkId::OPEN);
    (network, station.address.into())
}

impl Draw {
    /// The daemons: director, clients, storage daemons.
    pub(super) fn everybody(&self) -> Vec<Who> {
        let clients = (0..self.clients.len()).map(Who::Client);
        let storages = (0..self.storages.len()).map(Who::Storage);
        [Who::Director].into_iter().chain(clients).chain(storages).collect()
    }

    /// The heartbeat interval of all daemons.
    pub(super) const fn heartbeat(&self) -> Seconds {
        Seconds::secs(self.heartbeat)
    }

    fn is_office_inside(&self) -> bool {
        self.gateway.as_ref().is_some_and(|border| border.inside == Inside::Office)
    }

    /// The border that the office is behind or that the clients are behind, if it translates.
    fn translates(&self, inside: Inside) -> bool {
        self.gateway.as_ref().is_some_and(|border| border.inside == inside && border.translates)
    }
}

/// What the name of a client, and of a storage daemon, is.
pub(super) fn name(who: Who) -> String {
    match who {
        Who::Director => "dir".to_owned(),
        Who::Client(n) => format!("fd{n}"),
        Who::Storage(n) => format!("sd{n}"),
    }
}

/// Where it listens.
pub(super) const fn port(who: Who) -> u16 {
    match who {
        Who::Director => 9101,
        Who::Client(_) => 9102,
        Who::Storage(_) => 9103,
    }
}

fn make(stock: Option<u32>) -> Make {
    stock.map_or(Make::Towline, Make::stock)
}

fn address(n: usize, first: u8) -> u8 {
    first.saturating_add(u8::try_from(n).unwrap_or(0))
}

fn gateway(draw: &Draw) -> Gateway {
    let Some(Border { inside, translates, forgets, resets, loose }) = &draw.gateway else {
        return Gateway::routing(GATEWAY);
    };
    let unknown = if *resets { Unknown::Reset } else { Unknown::Drop };
    let plain = if *translates { Gateway::masquerading(GATEWAY) } else { Gateway::routing(GATEWAY) };
    let mut gateway = plain.forgets(Duration::from_secs(*forgets), unknown).hairpin(true);
    gateway.loose = *loose;
    let doors: Vec<(u16, [u8; 4])> = match inside {
        Inside::Clients => vec![(FILE_PORT, [10, 0, 0, 10])],
        Inside::Office => vec![(9101, [10, 0, 0, 1]), (9103, [10, 0, 0, 20])],
    };
    for (port, to) in doors {
        gateway = match translates {
            true => gateway.forward(port, (to, port)),
            false => gateway.rule(Way::In, port, Verdict::Accept),
        };
    }
    gateway
}

fn client(draw: &Draw, n: usize) -> ClientStation {
    let (plan, name) = (&draw.clients[n], name(Who::Client(n)));
    let is_inside = draw.gateway.as_ref().is_some_and(|border| border.inside == Inside::Clients);
    let place = if is_inside { ClientStation::inside } else { ClientStation::outside };
    let outside = GATEWAY.map(|part| part.to_string()).join(".");
    let own_address = if draw.translates(Inside::Clients) { &outside } else { &name };
    let director = if draw.translates(Inside::Office) { &outside } else { "dir" };
    let (by_client, by_director) = (plan.dialled.waits(), plan.dialled != Dialled::ByClient);
    place(&name, address(n, 10)).made(make(plan.stock)).with(|station| {
        station.protocol = plan.protocol;
        let (there, here) = (&mut station.resource, &mut station.own);
        // What nobody dials has no address.
        there.address = (by_director || plan.passive).then(|| own_address.clone());
        there.passive = plan.passive;
        (there.connection_from_client_to_director, there.connection_from_director_to_client) = (by_client, by_director);
        (here.file.heartbeat_interval, here.file.sd_connect_timeout) = (draw.heartbeat(), PATIENCE);
        let known = &mut here.directors[0];
        known.address = Some(director.to_owned());
        (known.connection_from_client_to_director, known.connection_from_director_to_client) = (by_client, by_director);
    })
}

fn storage(draw: &Draw, n: usize) -> StorageStation {
    let name = name(Who::Storage(n));
    let place = if draw.is_office_inside() { StorageStation::inside } else { StorageStation::outside };
    let outside = GATEWAY.map(|part| part.to_string()).join(".");
    let dialled = if draw.translates(Inside::Office) { &outside } else { &name };
    place(&name, address(n, 20)).made(make(draw.storages[n].stock)).at(dialled).with(|station| {
        let own = &mut station.own.storage;
        own.heartbeat_interval = draw.heartbeat();
        (own.client_connect_wait, own.fd_connect_timeout) = (PATIENCE, PATIENCE);
    })
}
