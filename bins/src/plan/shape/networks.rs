//! The networks, hosts and names of a topology that a row's segments can come to.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::super::topology::{
    Firewall, Forward, Gateway, Host, Interface, Name, Network, Ports, Rule, Topology, Uplink, addresses,
};
use super::super::trial::resolved;
use super::renaming::Renaming;

/// They, for a row with these daemons, which dial these names besides addresses; and the daemons of other hosts that the row
/// may come to by mistake.
pub(super) fn cut_down<'a>(
    topology: &'a Topology,
    daemons: &[&'a str],
    mentioned: &[String],
    renaming: &mut Renaming,
) -> Option<(Topology, Vec<&'a str>)> {
    // The director is told to begin by a console on its own host.
    renaming.address([127, 0, 0, 1].into());
    let mut hosts: Vec<usize> = Vec::new();
    for daemon in daemons {
        let place = topology.host_of(daemon)?;
        if !hosts.contains(&place) {
            hosts.push(place);
        }
    }
    let mut touched = Touched { topology, networks: Vec::new() };
    for host in hosts.iter().filter_map(|place| topology.hosts.get(*place)) {
        for (network, address) in host.places() {
            renaming.address(address.parse().ok()?);
            touched.add(network, renaming);
        }
    }
    for name in mentioned {
        resolved(topology, name)?.into_iter().for_each(|address| _ = renaming.address(address));
    }
    let forwards = touched.complete(renaming);
    let others = touched.others(&hosts, renaming);
    hosts.extend(&others);
    let others = others.iter().filter_map(|place| topology.hosts.get(*place));
    let bystanders: Vec<&str> = others.flat_map(|host| host.daemons.iter().map(String::as_str)).collect();
    let daemons = [daemons, bystanders.as_slice()].concat();
    let rest = Rest { topology, hosts: &hosts, daemons: &daemons };
    let names = rest.names(mentioned, renaming);
    let nobody = names.iter().any(|name| name.seen_by.iter().any(String::is_empty));
    let networks: Vec<Network> = touched
        .networks
        .iter()
        .zip(&forwards)
        .map(|(place, forwards)| rest.network(*place, forwards, renaming))
        .collect();
    let outermost = networks.iter().find(|network| network.gateway.is_none()).map(|network| network.name.clone())?;
    let mut hosts: Vec<Host> = hosts.iter().filter_map(|place| rest.host(*place, renaming)).collect();
    if nobody {
        // For those who see a name and have no part in this.
        let address = renaming.address([192, 0, 0, 8].into()).to_string();
        let (name, daemons) = (String::new(), Vec::new());
        let (interfaces, firewall, uplink) = (Vec::new(), None, Uplink::default());
        let (network, data, changes) = (outermost, None, None);
        hosts.push(Host { name, network, address, interfaces, daemons, firewall, uplink, data, changes });
    }
    Some((Topology { networks, hosts, names }, bystanders))
}

/// Networks that segments come to, by their places.
struct Touched<'a> {
    topology: &'a Topology,
    networks: Vec<usize>,
}

impl Touched<'_> {
    /// One, and those around it.
    fn add(&mut self, network: &str, renaming: &mut Renaming) {
        for name in self.topology.around(network) {
            let Some(place) = self.topology.network(name).filter(|place| !self.networks.contains(place)) else {
                continue;
            };
            self.networks.push(place);
            renaming.name(name);
            let gateway = self.topology.networks.get(place).and_then(|network| network.gateway.as_ref());
            if let Some(address) = gateway.and_then(|gateway| gateway.address.parse().ok()) {
                renaming.address(address);
            }
        }
    }

    /// Adds those whose gateways are dialled, and returns the forwarded ports of each that are, with where they lead.
    fn complete(&mut self, renaming: &mut Renaming) -> Vec<Vec<(u16, IpAddr, u16)>> {
        loop {
            let before = (self.networks.len(), renaming.addresses().len(), renaming.ports().len());
            for network in &self.topology.networks {
                let address = network.gateway.as_ref().and_then(|gateway| gateway.address.parse().ok());
                if address.is_some_and(|address: IpAddr| renaming.addresses().contains_key(&address)) {
                    self.add(&network.name, renaming);
                }
            }
            let forwards: Vec<Vec<_>> = self.networks.iter().map(|place| self.dialled(*place, renaming)).collect();
            for (_, address, port) in forwards.iter().flatten() {
                renaming.address(*address);
                renaming.port(*port);
            }
            if before == (self.networks.len(), renaming.addresses().len(), renaming.ports().len()) {
                return forwards;
            }
        }
    }

    /// Other hosts in these networks that have an address which is dialled.
    fn others(&self, own: &[usize], renaming: &Renaming) -> Vec<usize> {
        let is_there = |(network, address): (&str, &str)| {
            let address = address.parse::<IpAddr>().ok().filter(|address| !address.is_loopback());
            address.is_some_and(|address| renaming.addresses().contains_key(&address))
                && self.topology.network(network).is_some_and(|network| self.networks.contains(&network))
        };
        let is_dialled = |host: &Host| host.places().any(is_there);
        let hosts = self.topology.hosts.iter().enumerate().filter(|(place, _)| !own.contains(place));
        hosts.filter(|(_, host)| is_dialled(host)).map(|(place, _)| place).collect()
    }

    fn dialled(&self, place: usize, renaming: &Renaming) -> Vec<(u16, IpAddr, u16)> {
        let gateway = self.topology.networks.get(place).and_then(|network| network.gateway.as_ref());
        let forwards = gateway.into_iter().flat_map(|gateway| &gateway.forwards);
        let dialled = forwards.filter(|forward| renaming.ports().contains_key(&forward.port));
        dialled.filter_map(|forward| forward.target().map(|(address, port)| (forward.port, address, port))).collect()
    }
}

/// All else, once each address and port of a row is known.
struct Rest<'a> {
    topology: &'a Topology,
    hosts: &'a [usize],
    daemons: &'a [&'a str],
}

impl Rest<'_> {
    /// The names that are dialled. One seen by others alone is seen by a host without a name.
    fn names(&self, mentioned: &[String], renaming: &mut Renaming) -> Vec<Name> {
        let mut all = Vec::new();
        for name in mentioned {
            let own = |place: &usize| self.topology.hosts.get(*place).is_some_and(|host| host.name == *name);
            let hosts = self.topology.hosts.iter().filter(|host| host.name == *name);
            let other =
                hosts.filter(|_| !self.hosts.iter().any(own)).map(|host| (vec![host.address.clone()], Vec::new()));
            let said = self.topology.names.iter().filter(|known| known.name == *name);
            let said = said.map(|known| (known.addresses.clone(), self.seen_by(known, renaming)));
            let said: Vec<_> = said.collect();
            for (addresses, seen_by) in other.chain(said) {
                let addresses = addresses.iter().filter_map(|text| text.parse().ok());
                let addresses = addresses.map(|address| renaming.address(address).to_string()).collect();
                all.push(Name { name: renaming.name(name), addresses, seen_by });
            }
        }
        all
    }

    fn seen_by(&self, name: &Name, renaming: &mut Renaming) -> Vec<String> {
        let own = self.hosts.iter().filter_map(|place| self.topology.hosts.get(*place));
        let own = own.filter(|host| name.seen_by.contains(&host.name));
        let seen_by: Vec<String> = own.map(|host| renaming.name(&host.name)).collect();
        if seen_by.is_empty() && !name.seen_by.is_empty() { vec![String::new()] } else { seen_by }
    }

    fn host(&self, place: usize, renaming: &mut Renaming) -> Option<Host> {
        let host = self.topology.hosts.get(place)?;
        let wall = |wall: &Firewall| Firewall { rules: rules(&wall.rules, renaming), ..wall.clone() };
        let firewall = host.firewall.as_ref().map(wall);
        let own = host.daemons.iter().filter(|daemon| self.daemons.contains(&daemon.as_str()));
        // Of somebody else's host, those in networks that matter.
        let is_touched = |one: &&Interface| renaming.known_name(&one.network).is_some();
        let interfaces: Vec<&Interface> = host.interfaces.iter().filter(is_touched).collect();
        let interface = |one: &Interface| {
            let address = renaming.address(one.address.parse().ok()?).to_string();
            Some(Interface { network: renaming.name(&one.network), address })
        };
        let interfaces = interfaces.into_iter().map(interface).collect::<Option<Vec<Interface>>>()?;
        Some(Host {
            interfaces,
            network: renaming.name(&host.network),
            address: renaming.address(host.address.parse().ok()?).to_string(),
            daemons: own.map(|daemon| renaming.name(daemon)).collect(),
            firewall,
            uplink: host.uplink,
            name: renaming.name(&host.name),
            data: None,
            changes: None,
        })
    }

    fn network(&self, place: usize, forwards: &[(u16, IpAddr, u16)], renaming: &mut Renaming) -> Network {
        let Some(network) = self.topology.networks.get(place) else {
            return Network { name: String::new(), addresses: Vec::new(), gateway: None };
        };
        let Some(gateway) = &network.gateway else {
            return Network { name: renaming.name(&network.name), addresses: renaming.open(), gateway: None };
        };
        let forward = |(port, address, to): &(u16, IpAddr, u16)| {
            let to = std::net::SocketAddr::new(renaming.address(*address), renaming.port(*to));
            Forward { port: renaming.port(*port), to: to.to_string() }
        };
        let forwards = forwards.iter().map(forward).collect();
        let own = gateway.address.parse().map(|address| renaming.address(address).to_string());
        let gateway = Gateway {
            to: renaming.name(&gateway.to),
            address: own.unwrap_or_default(),
            forwards,
            rules: rules(&gateway.rules, renaming),
            ..gateway.clone()
        };
        Network { name: renaming.name(&network.name), addresses: Vec::new(), gateway: Some(gateway) }
    }
}

/// Rules about ranges, as rules about the addresses and ports in them that there are.
fn rules(all: &[Rule], renaming: &Renaming) -> Vec<Rule> {
    all.iter().flat_map(|rule| of_range(rule, renaming)).collect()
}

fn of_range(rule: &Rule, renaming: &Renaming) -> Vec<Rule> {
    let within = |text: &Option<String>| -> Vec<Option<String>> {
        let Some((of, bits)) = text.as_deref().and_then(addresses) else { return vec![None] };
        let range = towline_simtests::range::Prefix { address: of, bits };
        let held: Vec<_> = renaming.addresses().iter().filter(|(real, _)| range.holds(**real)).collect();
        if held.len() == renaming.addresses().len() {
            return vec![None];
        }
        let held: BTreeSet<IpAddr> = held.into_iter().map(|(_, stands)| *stands).collect();
        held.into_iter().map(|address| Some(address.to_string())).collect()
    };
    let ports = || -> Vec<Option<Ports>> {
        let Some(range) = rule.port else { return vec![None] };
        let held = renaming.ports().iter().filter(|(real, _)| range.first <= **real && **real <= range.last);
        let held: BTreeSet<u16> = held.map(|(_, stands)| *stands).collect();
        if held.len() == renaming.ports().len() {
            return vec![None];
        }
        held.into_iter().map(|port| Some(Ports { first: port, last: port })).collect()
    };
    let (from, to, ports) = (within(&rule.from), within(&rule.to), ports());
    let mut out = Vec::new();
    for from in &from {
        for to in &to {
            let one = |port: &Option<Ports>| Rule { from: from.clone(), to: to.clone(), port: *port, ..rule.clone() };
            out.extend(ports.iter().map(one));
        }
    }
    out
}
