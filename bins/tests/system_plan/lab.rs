//! The network of an example as namespaces: a switch for each network, a box for each gateway, a host for each host, with the
//! daemons that the topology has there. Each host notes what is dialled from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use towline_core::config::DirectorConfig;

use crate::example::{Example, Gateway, Host, Network, Topology, Verdict, Way};
use crate::support::console::Console;
use crate::support::daemon::Daemon;
use crate::support::namespaces::Namespaces;

/// What a host notes: whom connections are dialled to.
const NOTED: &str = "table inet noted {
    set dialled {
        type ipv4_addr . inet_service
        flags dynamic
        size 1000
    }
    chain out {
        type filter hook output priority 0
        tcp flags & (syn | ack) == syn update @dialled { ip daddr . tcp dport }
    }
}";

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) console: Console,
    daemons: BTreeMap<String, Daemon>,
    /// The host of each daemon.
    hosts: BTreeMap<String, String>,
    // After the daemons, which end first.
    net: Namespaces,
}

impl Lab {
    /// Builds it and starts all daemons, the director last but for clients that dial it.
    pub(crate) fn start(example: &Example, runtime: &str) -> Self {
        let Example { topology, director, .. } = example;
        let mut net = Namespaces::none();
        for number in 0..topology.networks.len() {
            net.switch(&format!("net{number}"));
        }
        for (number, network) in topology.networks.iter().enumerate() {
            if let Some(gateway) = &network.gateway {
                add_box(&mut net, topology, number, network, gateway);
            }
        }
        let mut hosts = BTreeMap::new();
        for (number, host) in topology.hosts.iter().enumerate() {
            let name = format!("h{number}");
            add_host(&mut net, topology, host, &name);
            hosts.extend(host.daemons.iter().map(|daemon| (daemon.clone(), name.clone())));
        }
        let mut daemons = BTreeMap::new();
        let storages = director.storages.iter().map(|it| (&it.name, env!("CARGO_BIN_EXE_towline-sd")));
        let own = [(&director.director.name, env!("CARGO_BIN_EXE_towline-dir"))];
        let clients = director.clients.iter().map(|it| (&it.name, env!("CARGO_BIN_EXE_towline-fd")));
        for (name, program) in storages.chain(own).chain(clients) {
            let program = net.daemon_on(&hosts[name], program, runtime);
            let file = example.configs[name].clone();
            // A test has few daemons, and their names last as long as it.
            let known: &'static str = name.clone().leak();
            daemons.insert(name.clone(), Daemon::start_with(known, &program, file, |_| {}));
        }
        let console = console(example, director, &net.on(&hosts[&director.director.name]));
        Self { console, daemons, hosts, net }
    }

    /// What a daemon has logged.
    pub(crate) fn log(&self, daemon: &str) -> Vec<String> {
        self.daemons[daemon].log.from(0)
    }

    /// What is dialled from the host of a daemon since the last call, without what stays on the host.
    pub(crate) fn dialled(&self, daemon: &str) -> BTreeSet<SocketAddr> {
        let host = &self.hosts[daemon];
        let listed = self.net.nft(host, "list set inet noted dialled");
        self.net.nft(host, "flush set inet noted dialled");
        let listed =
            listed.split_once("elements = {").map_or("", |(_, rest)| rest.split('}').next().unwrap_or_default());
        let element = |text: &str| {
            let (address, port) = text.trim().split_once(" . ")?;
            let port = port.split_whitespace().next()?.parse().ok()?;
            Some(SocketAddr::new(address.parse().ok()?, port))
        };
        listed.split(',').filter_map(element).filter(|socket| !socket.ip().is_loopback()).collect()
    }

    /// Whether two daemons are on one host, which notes what they dial together.
    pub(crate) fn are_together(&self, one: &str, other: &str) -> bool {
        self.hosts[one] == self.hosts[other]
    }
}

fn console(example: &Example, director: &DirectorConfig, on: &[PathBuf]) -> Console {
    let file = example.folder.path().join("console.ron");
    let (name, password) = (&director.director.name, "change-me-console");
    let text = format!("(director: (name: {name:?}, address: \"127.0.0.1\", password: {password:?}))");
    std::fs::write(&file, text).unwrap();
    let mut console = Console::new(file);
    console.program = [on.to_vec(), console.program].concat();
    console
}

/// The first addresses of a network, and how many bits they share.
fn range(network: &Network) -> (Ipv4Addr, u8) {
    let (address, bits) = network.addresses[0].split_once('/').unwrap();
    (address.parse().unwrap(), bits.parse().unwrap())
}

/// The last address of a network that a host may have: its gateway's inside.
fn last(network: &Network) -> Ipv4Addr {
    let (address, bits) = range(network);
    Ipv4Addr::from_bits((address.to_bits() | (u32::MAX >> bits)) - 1)
}

fn network<'a>(topology: &'a Topology, name: &str) -> (usize, &'a Network) {
    topology.networks.iter().enumerate().find(|(_, network)| network.name == name).unwrap()
}

fn add_box(net: &mut Namespaces, topology: &Topology, number: usize, own: &Network, gateway: &Gateway) {
    let name = format!("box{number}");
    let (outer, around) = network(topology, &gateway.to);
    net.add(&name);
    net.plug(&name, "wan0", &format!("net{outer}"));
    net.plug(&name, "lan0", &format!("net{number}"));
    net.ip(&name, &format!("addr add {}/{} dev wan0", gateway.address, range(around).1));
    net.ip(&name, &format!("addr add {}/{} dev lan0", last(own), range(own).1));
    net.set(&name, "net/ipv4/ip_forward", "1");
    net.set(&name, "net/ipv4/icmp_ratelimit", "0");
    net.set(&name, "net/netfilter/nf_conntrack_tcp_loose", "0");
    net.nft(&name, &rules(own, gateway));
    if let Some(idle) = gateway.idle {
        for state in ["established", "unacknowledged"] {
            net.set(&name, &format!("net/netfilter/nf_conntrack_tcp_timeout_{state}"), &idle.0.to_string());
        }
    }
    match around.gateway {
        Some(_) => net.ip(&name, &format!("route add default via {}", last(around))),
        // Linux looks for a way before it filters: what is not let out must have one.
        None => net.ip(&name, "route add default dev wan0"),
    }
}

/// What a box does.
fn rules(network: &Network, gateway: &Gateway) -> String {
    let verdict = |verdict: Option<Verdict>, other: &'static str| match verdict {
        None => other,
        Some(Verdict::Accept) => "accept",
        Some(Verdict::Drop) => "drop",
    };
    let mut forwards = String::new();
    for forward in &gateway.forwards {
        let to = if forward.to.contains(':') { forward.to.clone() } else { format!("{}:{}", forward.to, forward.port) };
        let _ = writeln!(
            forwards,
            "iifname \"wan0\" ip daddr {} tcp dport {} dnat ip to {to}",
            gateway.address, forward.port
        );
    }
    let mut through = String::new();
    for rule in &gateway.rules {
        let way = if rule.way == Way::In { "wan0" } else { "lan0" };
        let _ = write!(through, "iifname \"{way}\" ");
        rule.from.iter().for_each(|from| _ = write!(through, "ip saddr {from} "));
        rule.to.iter().for_each(|to| _ = write!(through, "ip daddr {to} "));
        rule.port.iter().for_each(|port| _ = write!(through, "tcp dport {port} "));
        let _ = writeln!(through, "{}", verdict(Some(rule.verdict), ""));
    }
    let (inward, outward) = (verdict(gateway.inward, "drop"), verdict(gateway.outward, "accept"));
    let masquerade = if gateway.translates {
        format!("ip saddr {} oifname \"wan0\" masquerade", network.addresses[0])
    } else {
        String::new()
    };
    format!(
        "table inet towline {{
            chain pre {{ type nat hook prerouting priority dstnat
                {forwards}
            }}
            chain post {{ type nat hook postrouting priority srcnat
                {masquerade}
            }}
            chain through {{ type filter hook forward priority filter; policy drop
                ct state invalid drop
                ct state established,related accept
                ct status dnat accept
                {through}
                iifname \"wan0\" {inward}
                iifname \"lan0\" {outward}
            }}
            chain own {{ type filter hook input priority filter; policy drop
                meta l4proto icmp accept
            }}
        }}"
    )
}

fn add_host(net: &mut Namespaces, topology: &Topology, host: &Host, name: &str) {
    let (number, own) = network(topology, &host.network);
    net.add(name);
    net.plug(name, "eth0", &format!("net{number}"));
    net.ip(name, &format!("addr add {}/{} dev eth0", host.address, range(own).1));
    // What is not acknowledged is sent again for 13 s, and not for a quarter of an hour.
    net.set(name, "net/ipv4/tcp_retries2", "5");
    if own.gateway.is_some() {
        net.ip(name, &format!("route add default via {}", last(own)));
    }
    // Whoever is on the outer side of a gateway that translates nothing knows the way.
    for inner in &topology.networks {
        if let Some(gateway) = inner.gateway.as_ref().filter(|it| !it.translates && it.to == host.network) {
            net.ip(name, &format!("route add {} via {}", inner.addresses[0], gateway.address));
        }
    }
    let mut lines = "127.0.0.1 localhost\n".to_owned();
    let said = |name: &str| topology.names.iter().any(|known| known.name == name);
    for other in topology.hosts.iter().filter(|other| !said(&other.name)) {
        let _ = writeln!(lines, "{} {}", other.address, other.name);
    }
    // What is said of this host goes before what is said to all.
    let seen = |name: &&crate::example::Name| name.seen_by.contains(&host.name);
    for known in topology.names.iter().filter(|known| seen(known) || known.seen_by.is_empty()) {
        let is_other = !seen(&known) && topology.names.iter().any(|other| other.name == known.name && seen(&other));
        let addresses = known.addresses.iter().filter(|_| !is_other);
        addresses.for_each(|address| _ = writeln!(lines, "{address} {}", known.name));
    }
    net.set_hosts(name, &lines);
    net.nft(name, NOTED);
}
