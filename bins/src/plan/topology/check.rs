//! Everything that is wrong with a topology.

use std::net::IpAddr;

use towline_core::config::{Built, Bytes, Check, ConfigPath, DirectorConfig, Finding, Severity};
use towline_core::error::Code;
use towline_core::explain::codes;
use towline_core::nearest::nearest;

use super::{Gateway, Host, Name, Network, Rule, Topology, Uplink, addresses, holds, prefix_of};

/// The most networks that a plan has.
const MOST_NETWORKS: usize = 500;
/// Bytes of the largest packet that an edge may carry: from what every host must take (RFC 791 §3.1) to the longest there are.
const MTUS: std::ops::RangeInclusive<u32> = 576..=65_535;
/// The most hosts that a plan has.
const MOST_HOSTS: usize = 5_000;

impl Topology {
    /// What does not fit the director's configuration: daemons it does not know, and its own that are nowhere.
    pub(in super::super) fn against(&self, config: &DirectorConfig) -> Vec<Finding> {
        let mut c = Findings(Vec::new());
        let clients = config.clients.iter().map(|client| client.name.as_str());
        let storages = config.storages.iter().map(|storage| storage.name.as_str());
        let known: Vec<&str> = [config.director.name.as_str()].into_iter().chain(clients).chain(storages).collect();
        for (place, host) in self.hosts.iter().enumerate() {
            for (index, name) in host.daemons.iter().enumerate() {
                let path = ConfigPath::of("hosts").index(place).field("daemons").index(index);
                if !known.contains(&name.as_str()) {
                    c.unknown("daemon of the director's configuration", path, name, known.iter().copied());
                }
            }
        }
        for name in known.iter().filter(|name| self.host_of(name).is_none()) {
            let message = format!("{name:?} of the director's configuration is on no host");
            let help = "name it in the `daemons` of its host; until then nothing is known of its connections";
            c.add(Severity::Warning, codes::UNPLACED, ConfigPath::of("hosts"), message, help);
        }
        c.0
    }
}

impl Check for Topology {
    fn check(&self, _built: Built) -> Vec<Finding> {
        let mut c = Findings(Vec::new());
        self.size(&mut c);
        if !c.0.is_empty() {
            return c.0;
        }
        c.names("networks", self.networks.iter().map(|network| network.name.as_str()));
        self.check_around(&mut c);
        for (place, network) in self.networks.iter().enumerate() {
            let path = ConfigPath::of("networks").index(place);
            for (index, prefix) in network.addresses.iter().enumerate() {
                if prefix_of(prefix).is_none() {
                    let message = format!("{prefix:?} is no range of addresses");
                    let path = path.field("addresses").index(index);
                    c.error(codes::BAD_ADDRESS, path, message, "write it as in \"10.0.0.0/24\"");
                }
            }
            if let Some(gateway) = &network.gateway {
                self.check_gateway(&mut c, &path, network, gateway);
            }
        }
        c.names("hosts", self.hosts.iter().map(|host| host.name.as_str()));
        self.hosts(&mut c);
        self.resolving(&mut c);
        c.0
    }
}

impl Topology {
    /// Whether it is one that can be planned for.
    fn size(&self, c: &mut Findings) {
        let (networks, hosts) = (self.networks.len(), self.hosts.len());
        if networks > MOST_NETWORKS || hosts > MOST_HOSTS {
            let list = if hosts > MOST_HOSTS { "hosts" } else { "networks" };
            let message = format!("this topology has {hosts} hosts in {networks} networks");
            let help = format!("at most {MOST_HOSTS} hosts in {MOST_NETWORKS} networks fit: plan for a part of them");
            c.error(codes::WORLD_TOO_LARGE, ConfigPath::of(list), message, &help);
        }
    }

    /// Which network is around which.
    fn check_around(&self, c: &mut Findings) {
        let outermost = self.networks.iter().filter(|network| network.gateway.is_none()).count();
        if outermost != 1 {
            let message =
                format!("{outermost} networks have no gateway, and it must be one: the one around all others");
            let help = "give each other network a `gateway` to the network around it";
            c.error(codes::CONTRADICTION, ConfigPath::of("networks"), message, help);
        }
        let outer = |place: usize| {
            let gateway = self.networks.get(place)?.gateway.as_ref()?;
            self.network(&gateway.to)
        };
        for place in 0..self.networks.len() {
            let mut at = Some(place);
            for _ in 0..=self.networks.len() {
                at = at.and_then(outer);
            }
            if at.is_some() {
                let path = ConfigPath::of("networks").index(place).field("gateway").field("to");
                let message = "this gateway leads in a circle and never to the network around all others";
                c.error(codes::GATEWAY_LOOP, path, message, "name the network that is on the gateway's other side");
            }
        }
    }

    fn check_gateway(&self, c: &mut Findings, path: &ConfigPath, network: &Network, gateway: &Gateway) {
        let path = path.field("gateway");
        let outer = self.network(&gateway.to).and_then(|place| self.networks.get(place));
        if outer.is_none() {
            c.unknown("network", path.field("to"), &gateway.to, self.networks.iter().map(|it| it.name.as_str()));
        }
        if let Some(address) = c.address(&path.field("address"), &gateway.address)
            && let Some(outer) = outer
        {
            c.inside(&path.field("address"), address, outer);
            self.taken(c, &path.field("address"), network, gateway);
        }
        for (index, forward) in gateway.forwards.iter().enumerate() {
            let path = path.field("forwards").index(index);
            if !gateway.translates {
                let message = "a gateway that does not translate forwards no ports";
                c.error(codes::CONTRADICTION, path.clone(), message, "write a rule that lets the port in");
            }
            if forward.port == 0 {
                c.error(codes::PORT_ZERO, path.field("port"), "no connection has the port 0", "a port is 1 to 65535");
            }
            match forward.target() {
                Some((_, 0)) if forward.port != 0 => {
                    let help = "a port is 1 to 65535";
                    c.error(codes::PORT_ZERO, path.field("to"), "no connection has the port 0", help);
                }
                Some((address, _)) => c.inside(&path.field("to"), address, network),
                None => {
                    let message = format!("{:?} is no address with a port", forward.to);
                    c.error(codes::BAD_ADDRESS, path.field("to"), message, "write it as in \"10.0.0.20:9103\"");
                }
            }
            if gateway.forwards.iter().take(index).any(|other| other.port == forward.port) {
                let message = format!("the port {} leads somewhere else already", forward.port);
                c.error(codes::SHADOWED, path.field("port"), message, "remove one of the two");
            }
        }
        c.rules(&path, &gateway.rules);
        c.uplink(&path.field("uplink"), &gateway.uplink);
        c.rate(&path.field("rate"), gateway.rate);
        if gateway.rate.is_some() && gateway.uplink.rate.is_some() {
            let message = "the `rate` of the gateway and that of its uplink are the same thing";
            c.error(codes::CONTRADICTION, path.field("rate"), message, "keep that of the uplink");
        }
    }

    /// Whether a host, or the gateway of a network before this one, has the address of a gateway.
    fn taken(&self, c: &mut Findings, path: &ConfigPath, network: &Network, gateway: &Gateway) {
        let address = &gateway.address;
        let is_there = |host: &&Host| host.places().any(|place| place == (gateway.to.as_str(), address.as_str()));
        let host = self.hosts.iter().find(is_there);
        let is_same = |other: &&Network| {
            other.gateway.as_ref().is_some_and(|other| other.to == gateway.to && other.address == *address)
        };
        let before = self.networks.iter().take_while(|other| !std::ptr::eq(*other, network));
        let who = match (host, before.into_iter().find(is_same)) {
            (Some(host), _) => format!("host {:?}", host.name),
            (None, Some(other)) => format!("the gateway of {:?}", other.name),
            (None, None) => return,
        };
        let help = "give the gateway an address of its own; for daemons on the gateway itself, put their host behind it and \
                    forward their ports";
        c.error(codes::ADDRESS_TWICE, path.clone(), format!("{who} has the address {address} already"), help);
    }

    fn hosts(&self, c: &mut Findings) {
        let mut placed: Vec<&str> = Vec::new();
        for (place, host) in self.hosts.iter().enumerate() {
            let path = ConfigPath::of("hosts").index(place);
            for (nth, (network, address)) in host.places().enumerate() {
                let path = if nth == 0 { path.clone() } else { path.field("interfaces").index(nth - 1) };
                self.placed(c, &path, (place, nth), (network, address));
            }
            for (index, daemon) in host.daemons.iter().enumerate() {
                let path = path.field("daemons").index(index);
                if host.daemons.iter().take(index).any(|before| before == daemon) {
                    c.error(codes::DUPLICATE_NAME, path, format!("{daemon:?} is there twice"), "name it once");
                } else if placed.contains(&daemon.as_str()) {
                    let message = format!("{daemon:?} runs on another host already");
                    c.error(codes::DUPLICATE_NAME, path, message, "name it on one host only");
                }
                placed.push(daemon);
            }
            if let Some(firewall) = &host.firewall {
                c.rules(&path.field("firewall"), &firewall.rules);
            }
            c.uplink(&path.field("uplink"), &host.uplink);
        }
    }

    /// An address of the host at this place, and which one of its own it is.
    fn placed(&self, c: &mut Findings, path: &ConfigPath, (place, nth): (usize, usize), (network, text): (&str, &str)) {
        let known = self.network(network).and_then(|place| self.networks.get(place));
        if known.is_none() {
            let names = self.networks.iter().map(|network| network.name.as_str());
            c.unknown("network", path.field("network"), network, names);
        }
        let Some(address) = c.address(&path.field("address"), text) else { return };
        if let Some(network) = known {
            c.inside(&path.field("address"), address, network);
        }
        let name = self.hosts.get(place).map_or("", |host| host.name.as_str());
        if address.is_loopback() && self.hosts.len() > 1 {
            let message = format!("{address} is each host itself: nobody else reaches {name:?} there");
            let help = "write the address at which others reach it";
            c.add(Severity::Warning, codes::WRONG_VALUE, path.field("address"), message, help);
        }
        let before = self.hosts.iter().take(place + 1).enumerate().flat_map(|(at, host)| {
            let until = if at == place { nth } else { usize::MAX };
            host.places().take(until).map(move |there| (host, there))
        });
        if let Some((other, _)) = before.into_iter().find(|(_, there)| *there == (network, text)) {
            let message = format!("host {:?} has the address {address} already", other.name);
            let help = "give each host an address of its own; several daemons may run on one host";
            c.error(codes::ADDRESS_TWICE, path.field("address"), message, help);
        }
        if let Some(outside) = known.and_then(|network| self.translator(network))
            && outside.is_ipv4() != address.is_ipv4()
        {
            let message = format!("{address} is behind a gateway that translates to {outside}, of the other family");
            let help = "give both addresses of one family, or write `translates: false` for a gateway that routes";
            c.error(codes::CONTRADICTION, path.field("address"), message, help);
        }
    }

    /// What the gateway of a network translates to, if it does.
    fn translator(&self, network: &Network) -> Option<IpAddr> {
        network.gateway.as_ref().filter(|gateway| gateway.translates)?.address.parse().ok()
    }

    fn resolving(&self, c: &mut Findings) {
        for (place, name) in self.names.iter().enumerate() {
            let path = ConfigPath::of("names").index(place);
            self.seen_twice(c, &path, place, name);
            for (index, address) in name.addresses.iter().enumerate() {
                c.address(&path.field("addresses").index(index), address);
            }
            for (index, host) in name.seen_by.iter().enumerate() {
                if !self.hosts.iter().any(|known| known.name == *host) {
                    let hosts = self.hosts.iter().map(|host| host.name.as_str());
                    c.unknown("host", path.field("seen_by").index(index), host, hosts);
                }
            }
        }
    }
}

impl Topology {
    /// Whether a name before this one means something else to the same hosts.
    fn seen_twice(&self, c: &mut Findings, path: &ConfigPath, place: usize, name: &Name) {
        for before in self.names.iter().take(place).filter(|before| before.name == name.name) {
            let shared = name.seen_by.iter().position(|host| before.seen_by.contains(host));
            let (path, who) = match (shared, name.seen_by.is_empty() && before.seen_by.is_empty()) {
                (Some(index), _) => (path.field("seen_by").index(index), name.seen_by[index].as_str()),
                (None, true) => (path.field("name"), "everybody"),
                (None, false) => continue,
            };
            let message = format!("what {:?} is to {who} was said before", name.name);
            let help = "put all its addresses into one entry, or say in `seen_by` who sees which";
            c.error(codes::DUPLICATE_NAME, path, message, help);
        }
    }
}

/// What is wrong so far.
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, severity: Severity, code: Code, path: ConfigPath, message: impl Into<String>, help: &str) {
        let (message, help) = (message.into(), help.to_owned());
        self.0.push(Finding { code, severity, path, message, help, nearest: None });
    }

    fn error(&mut self, code: Code, path: ConfigPath, message: impl Into<String>, help: &str) {
        self.add(Severity::Error, code, path, message, help);
    }

    fn unknown<'a>(&mut self, kind: &str, path: ConfigPath, name: &str, known: impl Iterator<Item = &'a str>) {
        let near = nearest(name, known);
        let help = near.map_or_else(|| "check the name".to_owned(), |near| format!("did you mean {near:?}?"));
        self.error(codes::UNKNOWN_REFERENCE, path, format!("there is no {kind} {name:?}"), &help);
    }

    fn names<'a>(&mut self, list: &'static str, names: impl Iterator<Item = &'a str>) {
        let mut seen: Vec<&str> = Vec::new();
        for (place, name) in names.enumerate() {
            if seen.contains(&name) {
                let path = ConfigPath::of(list).index(place).field("name");
                self.error(codes::DUPLICATE_NAME, path, format!("{name:?} is there twice"), "give it another name");
            }
            seen.push(name);
        }
    }

    fn address(&mut self, path: &ConfigPath, text: &str) -> Option<IpAddr> {
        let address = text.parse().ok();
        if address.is_none() {
            let message = format!("{text:?} is no IP address");
            self.error(codes::BAD_ADDRESS, path.clone(), message, "write the address in numbers");
        }
        address
    }

    /// What an edge carries.
    fn uplink(&mut self, path: &ConfigPath, uplink: &Uplink) {
        if let Some(mtu) = uplink.mtu.filter(|mtu| !MTUS.contains(mtu)) {
            let message = format!("nothing has an MTU of {mtu} bytes");
            let help = format!("an MTU is {} to {} bytes; of an Ethernet 1500", MTUS.start(), MTUS.end());
            self.error(codes::WRONG_VALUE, path.field("mtu"), message, &help);
        }
        self.rate(&path.field("rate"), uplink.rate);
        if uplink.too_large.is_some() && uplink.mtu.is_none() {
            let message = "nothing is too large for an edge without an `mtu`";
            self.error(codes::CONTRADICTION, path.field("too_large"), message, "say the `mtu`, or remove this");
        }
    }

    /// A rate lets something through.
    fn rate(&mut self, path: &ConfigPath, rate: Option<Bytes>) {
        if rate.is_some_and(|rate| rate.0 == 0) {
            let help = "remove it where nothing limits the rate; `--cut` plans with an edge that is cut";
            self.error(codes::WRONG_VALUE, path.clone(), "at a rate of 0 nothing comes through", help);
        }
    }

    /// The rules of a gateway or a firewall.
    fn rules(&mut self, path: &ConfigPath, rules: &[Rule]) {
        for (index, rule) in rules.iter().enumerate() {
            let path = path.field("rules").index(index);
            for (field, address) in [("from", &rule.from), ("to", &rule.to)] {
                if let Some(address) = address.as_ref().filter(|text| addresses(text).is_none()) {
                    let message = format!("{address:?} is no address and no range of addresses");
                    let help = "write it as in \"10.0.0.20\" or \"10.0.0.0/24\"";
                    self.error(codes::BAD_ADDRESS, path.field(field), message, help);
                }
            }
            let family = |text: &Option<String>| addresses(text.as_ref()?).map(|(address, _)| address.is_ipv4());
            if let (Some(from), Some(to)) = (family(&rule.from), family(&rule.to))
                && from != to
            {
                let message = "no connection goes from an address of one family to one of the other";
                let help = "name addresses of IPv4 or of IPv6 on both sides, or leave one out";
                self.error(codes::CONTRADICTION, path.field("to"), message, help);
            }
            match rule.port {
                Some(ports) if ports.first > ports.last => {
                    let message = format!("the range of ports {ports} ends before it begins");
                    self.error(codes::WRONG_VALUE, path.field("port"), message, "write it as in \"9101-9103\"");
                }
                Some(ports) if ports.first == 0 => {
                    let message = "no connection has the port 0";
                    self.error(codes::PORT_ZERO, path.field("port"), message, "a port is 1 to 65535");
                }
                _ => {}
            }
            if let Some(first) = rules.iter().take(index).position(|earlier| earlier.covers(rule)) {
                let message = format!("rule {} decides about all that this rule is about", first + 1);
                self.error(codes::SHADOWED, path, message, "remove it, or put it before the other rule");
            }
        }
    }

    /// An address must be in its network.
    fn inside(&mut self, path: &ConfigPath, address: IpAddr, network: &Network) {
        let mut prefixes = network.addresses.iter().filter_map(|text| prefix_of(text)).peekable();
        if prefixes.peek().is_some() && !prefixes.any(|(of, bits)| holds(of, bits, address)) {
            let (name, ranges) = (&network.name, network.addresses.join(", "));
            let message = format!("{address} is not in the network {name:?}, which is {ranges}");
            self.error(codes::OUTSIDE, path.clone(), message, "correct the address, or the `addresses` of the network");
        }
    }
}
