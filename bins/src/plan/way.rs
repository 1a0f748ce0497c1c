//! Where a connection comes to, and what it looks like on its way: which address it has from whom in which network.

use std::net::{IpAddr, SocketAddr};

use super::topology::{Gateway, Host, Topology};
use super::trial::Connection;

/// Where what is dialled leads, if nothing stops it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Landing<'a> {
    /// The host that has the address; nobody may have it.
    pub(super) host: Option<&'a Host>,
    /// The address and the port there.
    pub(super) at: SocketAddr,
    /// The network whose gateway has turned it inside by a forwarded port, and which port: the last one that did.
    pub(super) forwarded: Option<(&'a str, u16)>,
}

/// Where what a host dials leads. `None` if a gateway on the way has nothing behind that port.
pub(super) fn landing<'a>(topology: &'a Topology, from: &'a Host, dialled: SocketAddr) -> Option<Landing<'a>> {
    let first = exit(topology, from, dialled.ip());
    let (mut at, mut target, mut forwarded, mut goes_out) = (first, dialled, None, true);
    for _ in 0..=topology.networks.len() * 2 {
        if let Some(host) = topology.hosts.iter().find(|host| host.is_at(at, target.ip())) {
            return Some(Landing { host: Some(host), at: target, forwarded });
        }
        if let Some((name, gateway)) = below(topology, at, target.ip()) {
            (at, goes_out) = (name, false);
            if gateway.address.parse() == Ok(target.ip()) {
                let port = target.port();
                let forward = gateway.forwards.iter().find(|forward| forward.port == port)?;
                target = forward.target()?.into();
                forwarded = Some((name, port));
            }
        } else if let Some(gateway) = topology.gateway(at).filter(|_| goes_out) {
            at = &gateway.to;
        } else {
            break;
        }
    }
    Some(Landing { host: None, at: target, forwarded })
}

/// The network by which a host sends what goes to an address: one in which that is, else the first of its family.
fn exit<'a>(topology: &Topology, from: &'a Host, address: IpAddr) -> &'a str {
    let is_of_family =
        |(_, own): &(&str, &str)| own.parse::<IpAddr>().is_ok_and(|own| own.is_ipv4() == address.is_ipv4());
    let is_near = |(network, _): &(&str, &str)| {
        topology.hosts.iter().any(|host| host.is_at(network, address)) || below(topology, network, address).is_some()
    };
    let mut own = from.places().filter(is_of_family);
    own.clone().find(is_near).or_else(|| own.next()).map_or(from.network.as_str(), |(network, _)| network)
}

/// Whether what was dialled leads to another host than that of the daemon which was meant.
pub(super) fn is_astray(topology: &Topology, connection: &Connection) -> bool {
    let (Some(from), Some(to)) = (topology.host(&connection.from), topology.host(&connection.to)) else { return false };
    let landing = landing(topology, from, connection.address);
    !connection.address.ip().is_loopback() && landing.is_some_and(|landing| landing.host.is_some_and(|host| host != to))
}

/// The network in this one that an address leads to: that of its gateway, or of a host behind one that routes.
fn below<'a>(topology: &'a Topology, around: &str, address: IpAddr) -> Option<(&'a str, &'a Gateway)> {
    let is_there = |name: &str| topology.hosts.iter().any(|host| host.is_at(name, address));
    topology.networks.iter().find_map(|network| {
        let gateway = network.gateway.as_ref().filter(|gateway| gateway.to == around)?;
        let leads = gateway.address.parse() == Ok(address) || !gateway.translates && is_there(&network.name);
        leads.then_some((network.name.as_str(), gateway))
    })
}

/// The address that what a host sends has in a network: its own, or that of a gateway that translates on its way.
pub(super) fn arriving(topology: &Topology, from: &Host, network: &str) -> String {
    let targets = topology.around(network);
    let near = from.places().find(|(own, _)| targets.contains(own)).or_else(|| from.places().next());
    let (mut at, address) = near.unwrap_or_default();
    let mut address = from.place_in(network).unwrap_or(address).to_owned();
    // Upwards only: on the way inwards no source is translated.
    for _ in 0..=topology.networks.len() {
        if targets.contains(&at) {
            break;
        }
        let gateway = topology.network(at).and_then(|place| topology.networks.get(place)?.gateway.as_ref());
        let Some(gateway) = gateway else { break };
        if gateway.translates {
            address.clone_from(&gateway.address);
        }
        at = &gateway.to;
    }
    address
}

/// The address in a network that leads to a host there or further inside.
pub(super) fn inside(topology: &Topology, network: &str, host: &Host) -> Option<String> {
    host.places().find_map(|(mut at, mut address)| {
        for _ in 0..=topology.networks.len() {
            if at == network {
                return Some(address.to_owned());
            }
            let gateway = topology.gateway(at)?;
            if gateway.translates {
                address = &gateway.address;
            }
            at = &gateway.to;
        }
        None
    })
}
