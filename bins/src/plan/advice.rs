//! What to change, in one or two sentences, from where a row stopped.

use towline_core::node::Number;
use towline_core::socket::IoKind;
use towline_simtests::calls::Outcome;
use towline_simtests::network::TOO_LARGE;

use super::topology::Topology;
use super::trial::{Barrier, Connection, Verdict};

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
        return of_report(report);
    };
    let place = |name: &str| {
        let host = topology.host_of(name).and_then(|place| topology.hosts.get(place));
        host.map_or_else(|| name.to_owned(), |host| host.address.clone())
    };
    let (from, to, at) = (&broken.from, &broken.to, broken.address);
    if let Some((Barrier::Firewall(host), why)) = &broken.stop {
        let turn = turned(broken.number);
        return match *why {
            "not let in" => format!("let {} dial {at} through the firewall of {host:?}{turn}", place(from)),
            "not let out" => format!("let {from} dial {at} through the firewall of {host:?}{turn}"),
            _ => format!("let the firewall of {host:?} remember connections for longer, or set `heartbeat_interval`"),
        };
    }
    let gateway = broken.stop.as_ref().and_then(|(barrier, why)| match barrier {
        Barrier::Gateway(network) => Some((network, *why)),
        Barrier::Firewall(_) | Barrier::Uplink(_) => None,
    });
    match (gateway, broken.outcome) {
        (Some((network, "no hairpin")), _) => format!(
            "{at} is the outside address of the gateway of {network:?}, which hosts behind it do not reach; give both sides a \
             `lan_address` or a common entry of `networks`"
        ),
        (Some((network, "not let out")), _) => {
            let turn = turned(broken.number);
            format!("let {from} dial {at} through the gateway of {network:?}{turn}")
        }
        (Some((network, "leads nowhere")), _) => {
            let (inside, port) = (behind(topology, network, to).unwrap_or_else(|| place(to)), at.port());
            let turn = turned(broken.number);
            format!("forward the port {port} of the gateway of {network:?} to {inside}:{port}{turn}")
        }
        (Some((network, "not let in")), _) => {
            let (source, target, port) = (place(from), place(to), at.port());
            let turn = turned(broken.number);
            format!("let {source} dial {target}:{port} through the gateway of {network:?}{turn}")
        }
        (_, Outcome::Failed(IoKind::Refused, _)) => {
            format!("nothing listens at {at}: check the port of {to} and what it listens on")
        }
        _ if at.ip().is_loopback() => {
            format!("{at} is the dialling host itself: give {to} the address that {from} reaches it at")
        }
        _ => of_address(topology, broken),
    }
}

/// Nobody is at the address that was dialled.
fn of_address(topology: &Topology, broken: &Connection) -> String {
    let Connection { from, to, address, .. } = broken;
    let target = topology.host_of(to).and_then(|place| topology.hosts.get(place));
    match target {
        Some(host) if host.address == address.ip().to_string() => format!(
            "{address} is an address inside {:?}, which {from} has no way to; give {to} the address of that network's gateway, \
             with the port forwarded{}",
            host.network,
            turned(broken.number)
        ),
        Some(host) => format!("{to} is at {}, and {from} dials {address}: correct the address", host.address),
        None => format!("correct the address of {to}"),
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

/// The address in a network that leads to a daemon there, or in a network further inside.
fn behind(topology: &Topology, network: &str, daemon: &str) -> Option<String> {
    let host = topology.hosts.get(topology.host_of(daemon)?)?;
    let (mut at, mut address) = (&host.network, &host.address);
    for _ in 0..topology.networks.len() {
        if at == network {
            return Some(address.clone());
        }
        let gateway = topology.networks.get(topology.network(at)?)?.gateway.as_ref()?;
        (at, address) = (&gateway.to, &gateway.address);
    }
    None
}

/// All connections were made, and the job failed: its report says what to do, after the code.
fn of_report(report: &str) -> String {
    let line = report.lines().rev().find(|line| line.contains("rror:")).unwrap_or_default();
    let advice = line.split_once("); ").map_or("", |(_, advice)| advice).trim();
    if advice.is_empty() { "see the log of the director".to_owned() } else { advice.to_owned() }
}
