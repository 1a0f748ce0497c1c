//! What to change, in one or two sentences, from where a row stopped.

use towline_core::node::Number;
use towline_core::socket::IoKind;
use towline_simtests::calls::Outcome;
use towline_simtests::network::TOO_LARGE;

use super::topology::Topology;
use super::trial::{Barrier, Connection, Verdict};
use super::way::{arriving, inside, landing};

/// The connection that matters and what to do about it.
pub(super) fn advice(topology: &Topology, verdict: &Verdict, connections: &[Connection], report: &str) -> String {
    if let Verdict::WorksUntilIdle(idle) = verdict {
        return format!(
            "set `heartbeat_interval` below {idle} on the daemons at both ends, or let the gateway remember connections for \
             longer"
        );
    }
    let narrow = connections.iter().filter_map(|one| one.stop.as_ref()).find(|(_, why)| *why == TOO_LARGE);
    if let Some((barrier, _)) = narrow {
        return format!(
            "let ICMP \"fragmentation needed\" through at {barrier}, or set the MTU of the interfaces on both sides to what it \
             carries"
        );
    }
    let Some(broken) = connections.iter().rev().find(|one| !matches!(one.outcome, Outcome::Open(_))) else {
        return connections.iter().find_map(|one| astray(topology, one)).unwrap_or_else(|| of_report(report));
    };
    match &broken.stop {
        Some((Barrier::Firewall(host), why)) => of_firewall(topology, broken, host, why),
        Some((Barrier::Gateway(network), why)) => of_gateway(topology, broken, network, why),
        Some((Barrier::Uplink(_), _)) | None => of_address(topology, broken),
    }
}

/// The address by which a daemon's host is known where this connection comes from.
fn source(topology: &Topology, broken: &Connection, network: &str) -> String {
    topology.host(&broken.from).map_or_else(|| broken.from.clone(), |host| arriving(topology, host, network))
}

/// The firewall of a host stops it.
fn of_firewall(topology: &Topology, broken: &Connection, wall: &str, why: &str) -> String {
    let (from, at, turn) = (&broken.from, broken.address, turned(broken.number));
    match why {
        "not let in" => {
            let (dialler, target) = (topology.host(from), topology.host(&broken.to));
            let network = target.map_or("", |target| target.network.as_str());
            // A forwarded port may lead to another one.
            let landing = dialler.and_then(|dialler| landing(topology, dialler, at));
            let port = landing.map_or_else(|| at.port(), |landing| landing.at.port());
            let source = source(topology, broken, network);
            format!("let {source} dial the port {port} through the firewall of {wall:?}{turn}")
        }
        "not let out" => format!("let {from} dial {at} through the firewall of {wall:?}{turn}"),
        _ => format!("let the firewall of {wall:?} remember connections for longer, or set `heartbeat_interval`"),
    }
}

/// The gateway of a network stops it.
fn of_gateway(topology: &Topology, broken: &Connection, network: &str, why: &str) -> String {
    let Connection { number, from, to, address: at, .. } = broken;
    let (turn, port) = (turned(*number), at.port());
    let inner = topology.host(to).and_then(|host| inside(topology, network, host)).unwrap_or_else(|| to.clone());
    match why {
        // LAN addresses and networks decide where data go.
        "no hairpin" if number.is_data() => format!(
            "{at} is the outside address of the gateway of {network:?}, which hosts behind it do not reach; give both sides a \
             `lan_address` or a common entry of `networks`"
        ),
        "no hairpin" => format!(
            "{at} is the outside address of the gateway of {network:?}, which hosts behind it do not reach; let {from} find \
             {inner} under the name of {to}, or let the gateway turn such connections round (hairpin)"
        ),
        "not let out" => format!("let {from} dial {at} through the gateway of {network:?}{turn}"),
        "leads nowhere" if topology.gateway(network).is_some_and(|gateway| !gateway.translates) => {
            format!(
                "{} is the gateway of {network:?} itself, which only routes: give {to} the address {inner}",
                at.ip()
            )
        }
        "leads nowhere" => {
            format!("forward the port {port} of the gateway of {network:?} to {inner}:{port}{turn}")
        }
        "not let in" => {
            let around = topology.gateway(network).map_or("", |gateway| gateway.to.as_str());
            let source = source(topology, broken, around);
            format!("let {source} dial {inner}:{port} through the gateway of {network:?}{turn}")
        }
        _ => of_address(topology, broken),
    }
}

/// Nothing stops it on its way, and it is not made: what was dialled is not the daemon that was meant.
fn of_address(topology: &Topology, broken: &Connection) -> String {
    let Connection { from, to, address: at, .. } = broken;
    let target = topology.host(to);
    if at.ip().is_loopback() && target.is_none_or(|target| Some(target) != topology.host(from)) {
        return format!("{at} is the dialling host itself: give {to} the address that {from} reaches it at");
    }
    if let Some(advice) = astray(topology, broken) {
        return advice;
    }
    match target {
        _ if matches!(broken.outcome, Outcome::Failed(IoKind::Refused, _)) => {
            format!("nothing listens at {at}: check the port of {to} and what it listens on")
        }
        Some(host) if host.places().any(|(_, own)| own.parse() == Ok(at.ip())) => format!(
            "{at} is an address inside {:?}, which {from} has no way to; give {to} the address of that network's gateway, \
             with the port forwarded{}",
            host.network,
            turned(broken.number)
        ),
        Some(host) => format!("{to} is at {}, and {from} dials {at}: correct the address", host.address),
        None => format!("correct the address of {to}"),
    }
}

/// What to do about a connection that leads to another host than that of the daemon which was meant, or through a forwarded
/// port to nobody.
fn astray(topology: &Topology, connection: &Connection) -> Option<String> {
    let Connection { from, to, address, .. } = connection;
    let (dialler, target) = (topology.host(from)?, topology.host(to)?);
    if address.ip().is_loopback() {
        return None;
    }
    let landing = landing(topology, dialler, *address)?;
    let who = match landing.host {
        Some(other) if other == target => return None,
        Some(other) => format!("on {:?}, where {to} does not run", other.name),
        None => "where no host is".to_owned(),
    };
    match landing.forwarded {
        Some((network, port)) => {
            let at = landing.at;
            let inner = inside(topology, network, target);
            let inner = inner.map_or_else(|| to.clone(), |inner| format!("{inner} instead"));
            Some(format!(
                "the port {port} of the gateway of {network:?} leads to {at}, {who}: let it lead to {inner}, or forward another \
                 port for {to}"
            ))
        }
        None if landing.host.is_some() => {
            Some(format!("{address} is {who}: {to} is at {}, correct the address", target.address))
        }
        None => None,
    }
}

/// How else it could be dialled.
const fn turned(number: Number) -> &'static str {
    match number {
        Number::DirectorToFile => ", or let the client dial: `connection_from_client_to_director` on both sides",
        Number::FileToDirector => ", or let the director dial: `connection_from_director_to_client` on both sides",
        Number::FileToStorage => ", or let the storage daemon dial: `passive: true` for the client",
        Number::StorageToFile => ", or let the client dial: `passive: false`",
        _ => "",
    }
}

/// All connections were made, and the job failed: its report says what to do, after the code.
fn of_report(report: &str) -> String {
    let line = report.lines().rev().find(|line| line.contains("rror:")).unwrap_or_default();
    let advice = line.split_once("); ").map_or("", |(_, advice)| advice).trim();
    if advice.is_empty() { "see the log of the director".to_owned() } else { advice.to_owned() }
}
