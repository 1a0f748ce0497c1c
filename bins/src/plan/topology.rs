//! The network as an operator describes it: a file in RON, typed, and everything that is wrong with it.

use std::net::IpAddr;

use serde::Deserialize;
use towline_core::config::{Built, Check, ConfigPath, DirectorConfig, Finding, Seconds, Severity};
use towline_core::error::Code;
use towline_core::explain::codes;
use towline_core::nearest::nearest;

/// Networks, hosts and names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Topology {
    /// The networks. One has no gateway: it is around all others.
    pub(super) networks: Vec<Network>,
    /// The hosts, with the daemons that run on them.
    pub(super) hosts: Vec<Host>,
    /// What names resolve to. The name of a host resolves to its address for everybody, unless it is here too.
    #[serde(default)]
    pub(super) names: Vec<Name>,
}

/// A network.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Network {
    /// Its name.
    pub(super) name: String,
    /// The addresses in it, `10.0.0.0/24`; none: any.
    #[serde(default)]
    pub(super) addresses: Vec<String>,
    /// What is between it and another network.
    #[serde(default)]
    pub(super) gateway: Option<Gateway>,
}

/// A gateway: a router, a firewall, a box that translates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gateway {
    /// The network on its other side.
    pub(super) to: String,
    /// Its address there.
    pub(super) address: String,
    /// Whether it masquerades: from the other side, all that is behind it has its address.
    #[serde(default = "yes")]
    pub(super) translates: bool,
    /// Ports of its address that lead to a host behind it.
    #[serde(default)]
    pub(super) forwards: Vec<Forward>,
    /// Rules; the first that fits a new connection counts.
    #[serde(default)]
    pub(super) rules: Vec<Rule>,
    /// What becomes of other connections from the other side.
    #[serde(default = "drop")]
    pub(super) inward: Verdict,
    /// What becomes of other connections to the other side.
    #[serde(default = "accept")]
    pub(super) outward: Verdict,
    /// After how long without a segment it forgets a connection; 0: never in the life of one (Linux: 5 days).
    #[serde(default)]
    pub(super) idle: Seconds,
    /// What becomes of what comes then.
    #[serde(default)]
    pub(super) forgotten: Forgotten,
    /// Whether hosts behind it reach its own address, and through a forwarded port each other.
    #[serde(default)]
    pub(super) hairpin: bool,
}

/// A port that leads inside.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forward {
    /// The port of the gateway's address.
    pub(super) port: u16,
    /// Where it leads: `10.0.0.20:9103`, or an address alone for the same port.
    pub(super) to: String,
}

/// A rule of a firewall.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// Which way the connection is dialled.
    pub(super) way: Way,
    /// Who dials, an address or a range of them; any unless it is said.
    #[serde(default)]
    pub(super) from: Option<String>,
    /// Who is dialled, by the address behind the gateway, or a range.
    #[serde(default)]
    pub(super) to: Option<String>,
    /// The port that is dialled.
    #[serde(default)]
    pub(super) port: Option<u16>,
    /// What becomes of it.
    pub(super) verdict: Verdict,
}

/// Which way a connection is dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Way {
    /// From the other side.
    In,
    /// To the other side.
    Out,
}

/// What becomes of a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// It passes.
    Accept,
    /// It vanishes.
    Drop,
    /// It is refused with a reset.
    Reset,
    /// It is refused by ICMP.
    Prohibit,
}

/// What becomes of a segment of a connection that was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Forgotten {
    /// It vanishes.
    #[default]
    Drop,
    /// Its sender gets a reset.
    Reset,
    /// It is taken up again, as Linux does by default, if a rule lets it begin a connection.
    Resume,
}

/// A host.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Host {
    /// Its name.
    pub(super) name: String,
    /// Its network.
    pub(super) network: String,
    /// Its address there.
    pub(super) address: String,
    /// The daemons on it, by the names that the director's configuration has for them.
    #[serde(default)]
    pub(super) daemons: Vec<String>,
}

/// A name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Name {
    /// The name.
    pub(super) name: String,
    /// What it resolves to; nothing: it does not exist.
    pub(super) addresses: Vec<String>,
    /// The hosts that see it so; all others unless it is said.
    #[serde(default)]
    pub(super) seen_by: Vec<String>,
}

const fn yes() -> bool {
    true
}

const fn drop() -> Verdict {
    Verdict::Drop
}

const fn accept() -> Verdict {
    Verdict::Accept
}

impl Topology {
    /// The place of a network.
    pub(super) fn network(&self, name: &str) -> Option<usize> {
        self.networks.iter().position(|network| network.name == name)
    }

    /// The place of the host that a daemon runs on.
    pub(super) fn host_of(&self, daemon: &str) -> Option<usize> {
        self.hosts.iter().position(|host| host.daemons.iter().any(|name| name == daemon))
    }

    /// What does not fit the director's configuration: daemons it does not know, and its own that are nowhere.
    pub(super) fn against(&self, config: &DirectorConfig) -> Vec<Finding> {
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
        c.names("networks", self.networks.iter().map(|network| network.name.as_str()));
        self.around(&mut c);
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
                self.gateway(&mut c, &path, network, gateway);
            }
        }
        c.names("hosts", self.hosts.iter().map(|host| host.name.as_str()));
        self.hosts(&mut c);
        self.resolving(&mut c);
        c.0
    }
}

impl Topology {
    /// Which network is around which.
    fn around(&self, c: &mut Findings) {
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

    fn gateway(&self, c: &mut Findings, path: &ConfigPath, network: &Network, gateway: &Gateway) {
        let path = path.field("gateway");
        let outer = self.network(&gateway.to).and_then(|place| self.networks.get(place));
        if outer.is_none() {
            c.unknown("network", path.field("to"), &gateway.to, self.networks.iter().map(|it| it.name.as_str()));
        }
        if let Some(address) = c.address(&path.field("address"), &gateway.address)
            && let Some(outer) = outer
        {
            c.inside(&path.field("address"), address, outer);
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
        for (index, rule) in gateway.rules.iter().enumerate() {
            let path = path.field("rules").index(index);
            for (field, address) in [("from", &rule.from), ("to", &rule.to)] {
                if let Some(address) = address.as_ref().filter(|text| addresses(text).is_none()) {
                    let message = format!("{address:?} is no address and no range of addresses");
                    let help = "write it as in \"10.0.0.20\" or \"10.0.0.0/24\"";
                    c.error(codes::BAD_ADDRESS, path.field(field), message, help);
                }
            }
            if let Some(first) = gateway.rules.iter().take(index).position(|earlier| earlier.covers(rule)) {
                let message = format!("rule {} decides about all that this rule is about", first + 1);
                c.error(codes::SHADOWED, path, message, "remove it, or put it before the other rule");
            }
        }
    }

    fn hosts(&self, c: &mut Findings) {
        let mut placed: Vec<&str> = Vec::new();
        for (place, host) in self.hosts.iter().enumerate() {
            let path = ConfigPath::of("hosts").index(place);
            let network = self.network(&host.network).and_then(|place| self.networks.get(place));
            if network.is_none() {
                let names = self.networks.iter().map(|network| network.name.as_str());
                c.unknown("network", path.field("network"), &host.network, names);
            }
            let Some(address) = c.address(&path.field("address"), &host.address) else { continue };
            if let Some(network) = network {
                c.inside(&path.field("address"), address, network);
            }
            let is_same = |other: &&Host| other.network == host.network && other.address == host.address;
            if let Some(other) = self.hosts.iter().take(place).find(is_same) {
                let message = format!("host {:?} has the address {address} already", other.name);
                let help = "give each host an address of its own; several daemons may run on one host";
                c.error(codes::ADDRESS_TWICE, path.field("address"), message, help);
            }
            for (index, daemon) in host.daemons.iter().enumerate() {
                if placed.contains(&daemon.as_str()) {
                    let message = format!("{daemon:?} runs on another host already");
                    let path = path.field("daemons").index(index);
                    c.error(codes::DUPLICATE_NAME, path, message, "name it on one host only");
                }
                placed.push(daemon);
            }
        }
    }

    fn resolving(&self, c: &mut Findings) {
        for (place, name) in self.names.iter().enumerate() {
            let path = ConfigPath::of("names").index(place);
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

impl Forward {
    /// Where it leads.
    pub(super) fn target(&self) -> Option<(IpAddr, u16)> {
        if let Ok(socket) = self.to.parse::<std::net::SocketAddr>() {
            return Some((socket.ip(), socket.port()));
        }
        self.to.parse().ok().map(|address| (address, self.port))
    }
}

impl Rule {
    /// Whether it is about all that another rule is about.
    fn covers(&self, other: &Self) -> bool {
        fn wider<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            one.is_none() || one == other
        }
        self.way == other.way
            && wider(self.from.as_ref(), other.from.as_ref())
            && wider(self.to.as_ref(), other.to.as_ref())
            && wider(self.port.as_ref(), other.port.as_ref())
    }
}

/// The address and the length of a range; `10.0.0.0/24`.
pub(super) fn prefix_of(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/')?;
    let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
    (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
}

/// The addresses that a rule means: a range, or one alone.
pub(super) fn addresses(text: &str) -> Option<(IpAddr, u8)> {
    let alone = |address: IpAddr| (address, if address.is_ipv4() { 32 } else { 128 });
    prefix_of(text).or_else(|| text.parse().ok().map(alone))
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

fn holds(of: IpAddr, bits: u8, address: IpAddr) -> bool {
    towline_simtests::range::Prefix { address: of, bits }.holds(address)
}
