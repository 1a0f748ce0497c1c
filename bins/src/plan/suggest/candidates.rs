//! What might help a row: a few changes, from where it stopped.

use std::net::IpAddr;

use towline_core::config::{DirectorConfig, Seconds};
use towline_core::node::Number;
use towline_simtests::calls::Outcome;

use super::super::setup::Given;
use super::super::topology::{Host, Topology, Way};
use super::super::trial::{Barrier, Connection, Tried, Verdict, resolved};
use super::super::way::{arriving, inside, is_astray, landing};
use super::change::{Beat, Change, Opening, Peer, letting};

/// Seconds between heartbeats, if a gateway does not ask for more.
const HEARTBEAT: u64 = 60;

/// What is worth trying next, the likeliest first.
pub(super) fn candidates(topology: &Topology, given: &Given, tried: &Tried) -> Vec<Change> {
    let config = &given.director;
    let mut all = Vec::new();
    if let Verdict::WorksUntilIdle(idle) = tried.verdict {
        beats(given, tried, idle, &mut all);
        return all;
    }
    let broken =
        |one: &&Connection| !matches!(one.outcome, Outcome::Open(_)) || one.stop.is_some() || is_astray(topology, one);
    let broken: Vec<&Connection> = tried.connections.iter().filter(broken).collect();
    for connection in &broken {
        turned(topology, config, tried, connection, &mut all);
        all.extend(view(topology, given, connection));
        all.extend(correct_address(topology, config, connection));
        all.extend(opening(topology, connection).map(Change::Open));
    }
    let reaches = |one: &Connection| matches!(one.number, Number::DirectorToFile | Number::FileToDirector);
    if let Some(client) = tried.row.client.as_deref().filter(|_| !tried.connections.iter().any(reaches)) {
        // Nobody has dialled: neither side may.
        all.extend(client_dials(topology, config, client));
        all.extend(director_dials(topology, config, client));
    }
    all
}

/// Who else could dial, and at which other address.
fn turned(topology: &Topology, config: &DirectorConfig, tried: &Tried, broken: &Connection, all: &mut Vec<Change>) {
    let (client, storage) = (tried.row.client.clone(), tried.row.storage.clone());
    let ends = |one: Peer, other: Peer| common(topology, config, one, other);
    match (broken.number, client) {
        (Number::FileToStorage, Some(client)) => {
            all.push(Change::Passive { client: client.clone(), passive: true });
            all.extend(ends(Peer::Client(client), Peer::Storage(storage)));
        }
        (Number::StorageToFile, Some(client)) => {
            all.push(Change::Passive { client: client.clone(), passive: false });
            all.extend(ends(Peer::Client(client), Peer::Storage(storage)));
        }
        (Number::DirectorToFile, Some(client)) => all.extend(client_dials(topology, config, &client)),
        (Number::FileToDirector, Some(client)) => all.extend(director_dials(topology, config, &client)),
        (Number::StorageToStorage, _) => {
            all.extend(
                tried.row.to.clone().into_iter().flat_map(|to| ends(Peer::Storage(storage.clone()), Peer::Storage(to))),
            );
        }
        _ => {}
    }
}

/// LAN addresses or a common network for two that are in one network.
fn common(topology: &Topology, config: &DirectorConfig, one: Peer, other: Peer) -> Vec<Change> {
    let host = |of: &Peer| {
        let (Peer::Client(name) | Peer::Storage(name)) = of;
        topology.host(name)
    };
    let lan = |of: &Peer| match of {
        Peer::Client(name) => config.client(name).and_then(|client| client.lan_address.clone()),
        Peer::Storage(name) => config.storage(name).and_then(|storage| storage.lan_address.clone()),
    };
    let (Some(near), Some(far)) = (host(&one), host(&other)) else { return Vec::new() };
    let shared = near.places().find_map(|(network, own)| Some((network, own, far.place_in(network)?)));
    let Some((network, own, its)) = shared else { return Vec::new() };
    let is_free = [(&one, near, own), (&other, far, its)]
        .iter()
        .all(|(of, host, own)| lan(of).is_none_or(|address| address == *own || address == host.name));
    let ends = [(one, own.to_owned()), (other, its.to_owned())];
    let networks = Change::Networks { network: network.to_owned(), ends: ends.clone() };
    // A LAN address that is there already is for other peers.
    if is_free { vec![Change::Lan { ends }, networks] } else { vec![networks] }
}

fn client_dials(topology: &Topology, config: &DirectorConfig, client: &str) -> Option<Change> {
    let from = topology.host(client)?;
    let to = topology.host(&config.director.name)?;
    Some(Change::ClientDials { client: client.to_owned(), address: address_for(topology, from, to)? })
}

fn director_dials(topology: &Topology, config: &DirectorConfig, client: &str) -> Option<Change> {
    let from = topology.host(&config.director.name)?;
    let to = topology.host(client)?;
    Some(Change::DirectorDials { client: client.to_owned(), address: address_for(topology, from, to)? })
}

/// The inner address under the name that was dialled, for all who are behind the gateway which turns nobody round.
fn view(topology: &Topology, given: &Given, broken: &Connection) -> Option<Change> {
    let Some((Barrier::Gateway(network), "no hairpin")) = &broken.stop else { return None };
    let config = &given.director;
    let of_storage = config.storage(&broken.to).map(|storage| storage.address.clone());
    let of_client = || config.client(&broken.to)?.address.clone();
    let of_director = || {
        let own = given.file(&broken.from)?.directors.iter().find(|director| director.name == broken.to)?;
        own.address.clone()
    };
    let name = of_storage.or_else(of_client).or_else(of_director)?;
    let is_it = name.parse::<IpAddr>().is_err()
        && resolved(topology, &name).is_some_and(|all| all.contains(&broken.address.ip()));
    let to = topology.host(&broken.to).filter(|_| is_it)?;
    let address = inside(topology, network, to)?;
    let has_own =
        |host: &Host| topology.names.iter().any(|known| known.name == name && known.seen_by.contains(&host.name));
    let is_inside = |host: &&Host| host.places().any(|(own, _)| topology.around(own).contains(&network.as_str()));
    let hosts = topology.hosts.iter().filter(|host| is_inside(host) && !host.daemons.is_empty() && !has_own(host));
    let hosts: Vec<String> = hosts.map(|host| host.name.clone()).collect();
    (!hosts.is_empty()).then_some(Change::View { name, address, hosts })
}

/// The address that the dialler can use, if it dialled another one.
fn correct_address(topology: &Topology, config: &DirectorConfig, broken: &Connection) -> Option<Change> {
    let from = topology.host(&broken.from)?;
    let to = topology.host(&broken.to)?;
    let address = address_for(topology, from, to)?;
    if resolves_to(topology, &address) == Some(broken.address.ip()) {
        return None;
    }
    match broken.number {
        Number::FileToDirector => Some(Change::ClientDials { client: broken.from.clone(), address }),
        _ if config.client(&broken.to).is_some() => {
            Some(Change::Address { of: Peer::Client(broken.to.clone()), address })
        }
        _ => Some(Change::Address { of: Peer::Storage(broken.to.clone()), address }),
    }
}

fn resolves_to(topology: &Topology, text: &str) -> Option<IpAddr> {
    let host = topology.hosts.iter().find(|host| host.name == text);
    host.map_or(text, |host| host.address.as_str()).parse().ok()
}

/// The address at which one host reaches another: its own, or that of the outermost gateway that translates before it. A
/// host's name is said instead of its own address if it means that to everybody.
fn address_for(topology: &Topology, from: &Host, to: &Host) -> Option<String> {
    // In a network of both it is dialled directly.
    if let Some((_, address)) = from.places().find_map(|(network, _)| Some((network, to.place_in(network)?)))
        && address != to.address
    {
        return Some(address.to_owned());
    }
    let seen: Vec<&str> = from.places().flat_map(|(network, _)| topology.around(network)).collect();
    let mut best = None;
    for network in topology.around(&to.network) {
        if seen.contains(&network) {
            break;
        }
        let gateway = topology.networks.get(topology.network(network)?)?.gateway.as_ref()?;
        if gateway.translates {
            best = Some(gateway.address.clone());
        }
    }
    let is_plain = !topology.names.iter().any(|name| name.name == to.name);
    let own = if is_plain && to.name.parse::<IpAddr>().is_err() { &to.name } else { &to.address };
    Some(best.unwrap_or_else(|| own.clone()))
}

/// What would let a connection through the box that stopped it.
fn opening(topology: &Topology, broken: &Connection) -> Option<Opening> {
    let (barrier, why) = broken.stop.as_ref()?;
    let from = topology.host(&broken.from)?;
    let to = topology.host(&broken.to)?;
    let (target, port) = (broken.address.ip().to_string(), broken.address.port());
    // A forwarded port may lead to another one.
    let inner_port = landing(topology, from, broken.address).map_or(port, |landing| landing.at.port());
    match barrier {
        Barrier::Uplink(_) => None,
        Barrier::Firewall(_) => {
            let rule = match *why {
                "not let in" => letting(Way::In, Some(arriving(topology, from, &to.network)), None, inner_port),
                "not let out" => letting(Way::Out, None, Some(target), port),
                _ => return None,
            };
            Some(Opening::Rule { at: barrier.clone(), rule })
        }
        Barrier::Gateway(network) => {
            let place = topology.network(network)?;
            let gateway = topology.networks.get(place)?.gateway.as_ref()?;
            match *why {
                // A gateway further inside is dialled under the port that the one before it leads to.
                "leads nowhere" if gateway.translates => {
                    Some(Opening::Forward { network: network.clone(), port, to: inside(topology, network, to)? })
                }
                "not let in" => {
                    let (source, inner) = (arriving(topology, from, &gateway.to), inside(topology, network, to)?);
                    let rule = letting(Way::In, Some(source), Some(inner), inner_port);
                    Some(Opening::Rule { at: barrier.clone(), rule })
                }
                "not let out" => {
                    let rule = letting(Way::Out, Some(arriving(topology, from, network)), Some(target), port);
                    Some(Opening::Rule { at: barrier.clone(), rule })
                }
                _ => None,
            }
        }
    }
}

/// Heartbeats that are off, or not often enough for a gateway that forgets after this.
fn beats(given: &Given, tried: &Tried, idle: Seconds, all: &mut Vec<Change>) {
    let client = tried.row.client.clone();
    let storages: Vec<String> = tried.row.storages().map(str::to_owned).collect();
    let of_client = client
        .into_iter()
        .flat_map(|name| [Beat::File(name.clone()), Beat::FileDirector(name.clone()), Beat::Peer(Peer::Client(name))]);
    let of_storages = storages.into_iter().flat_map(|name| {
        [Beat::Storage(name.clone()), Beat::StorageDirector(name.clone()), Beat::Peer(Peer::Storage(name))]
    });
    let interval = if idle.0 > HEARTBEAT { HEARTBEAT } else { (idle.0 / 2).max(1) };
    for at in of_client.chain(of_storages).chain([Beat::Director]) {
        if at.now(given).is_some_and(|now| now.is_zero() || now >= idle) {
            all.push(Change::Heartbeat { at, interval });
        }
    }
}
