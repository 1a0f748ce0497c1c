//! The network as an operator describes it: a file in RON, typed.

mod check;
mod uplink;

use std::fmt;
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::{Deserializer, Unexpected, Visitor};
use towline_core::config::{Bytes, Seconds};

pub(super) use uplink::Uplink;

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
    /// Bytes a second through it, `"12 MB"`: the `rate` of its uplink.
    #[serde(default)]
    pub(super) rate: Option<Bytes>,
    /// What connects it with the network on its other side.
    #[serde(default)]
    pub(super) uplink: Uplink,
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
    /// The port that is dialled, or a range of them: `9102`, `"9101-9103"`.
    #[serde(default)]
    pub(super) port: Option<Ports>,
    /// What becomes of it.
    pub(super) verdict: Verdict,
}

/// A port, or a range of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ports {
    /// The first one.
    pub(super) first: u16,
    /// The last one; it belongs to them.
    pub(super) last: u16,
}

impl Ports {
    /// `9102`, `9101-9103`.
    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Some(Self { first: first.trim().parse().ok()?, last: last.trim().parse().ok()? })
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { write!(f, "{}", self.first) } else { write!(f, "{}-{}", self.first, self.last) }
    }
}

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Ports;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port, or a range of ports as \"9101-9103\"")
            }

            fn visit_u64<E: serde::de::Error>(self, port: u64) -> Result<Ports, E> {
                let port = u16::try_from(port).map_err(|_| E::invalid_value(Unexpected::Unsigned(port), &self))?;
                Ok(Ports { first: port, last: port })
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Ports, E> {
                Ports::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// The firewall of a host itself. What belongs to a connection that it let pass passes too.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Firewall {
    /// Rules; the first that fits a new connection counts. *In* are those that others dial.
    #[serde(default)]
    pub(super) rules: Vec<Rule>,
    /// What becomes of other connections to the host.
    #[serde(default = "drop")]
    pub(super) inward: Verdict,
    /// What becomes of other connections from the host.
    #[serde(default = "accept")]
    pub(super) outward: Verdict,
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Host {
    /// Its name.
    pub(super) name: String,
    /// Its network.
    pub(super) network: String,
    /// Its address there.
    pub(super) address: String,
    /// What else it has: interfaces in other networks, or further addresses in one. It sends by the one on whose network a
    /// target is, else by the first of the target's family.
    #[serde(default)]
    pub(super) interfaces: Vec<Interface>,
    /// The daemons on it, by the names that the director's configuration has for them.
    #[serde(default)]
    pub(super) daemons: Vec<String>,
    /// Its own firewall; it has none unless it is said.
    #[serde(default)]
    pub(super) firewall: Option<Firewall>,
    /// What connects it with its network, or with all of them.
    #[serde(default)]
    pub(super) uplink: Uplink,
    /// What a full backup of it takes, `"200 GiB"`: how long jobs take in a week of the schedule.
    #[serde(default)]
    pub(super) data: Option<Bytes>,
    /// What of it changes in a day.
    #[serde(default)]
    pub(super) changes: Option<Bytes>,
}

/// One more interface of a host.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Interface {
    /// Its network.
    pub(super) network: String,
    /// The host's address there.
    pub(super) address: String,
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

    /// The same with gateways that forget no connection for being idle.
    pub(super) fn that_forgets_nothing(&self) -> Self {
        let mut lasting = self.clone();
        for gateway in lasting.networks.iter_mut().filter_map(|network| network.gateway.as_mut()) {
            gateway.idle = Seconds(0);
        }
        lasting
    }

    /// The networks around a network, itself first.
    pub(super) fn around<'a>(&'a self, network: &'a str) -> Vec<&'a str> {
        let mut all = vec![network];
        while let Some(gateway) = all.last().and_then(|name| self.gateway(name))
            && all.len() <= self.networks.len()
        {
            all.push(&gateway.to);
        }
        all
    }

    /// After how long the gateways around some daemons forget a connection, each time once, the shortest first.
    pub(super) fn idle_times(&self, daemons: &[&str]) -> Vec<Seconds> {
        let hosts = daemons.iter().filter_map(|daemon| self.host(daemon));
        let networks = hosts.flat_map(Host::places).flat_map(|(network, _)| self.around(network));
        let mut all: Vec<Seconds> =
            networks.filter_map(|name| self.gateway(name)).map(|gateway| gateway.idle).collect();
        all.retain(|idle| !idle.is_zero());
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The gateway of a network.
    pub(super) fn gateway(&self, network: &str) -> Option<&Gateway> {
        self.networks.get(self.network(network)?)?.gateway.as_ref()
    }

    /// Bytes a second between two hosts: those of the slowest uplink that says so.
    pub(super) fn rate(&self, from: &Host, to: &Host) -> Option<u64> {
        let shared = from.places().find(|(network, _)| to.place_in(network).is_some());
        let (near, far) =
            shared.map_or((from.network.as_str(), to.network.as_str()), |(network, _)| (network, network));
        let (one, other) = (self.around(near), self.around(far));
        let climbed = |own: &[&str], far: &[&str]| -> Vec<String> {
            own.iter().take_while(|network| !far.contains(network)).map(|network| (*network).to_owned()).collect()
        };
        let passed = climbed(&one, &other).into_iter().chain(climbed(&other, &one));
        let own = [from, to].into_iter().filter(|_| from.name != to.name).filter_map(|host| host.uplink.rate);
        own.chain(passed.filter_map(|network| self.gateway(&network)?.edge().rate)).map(|rate| rate.0).min()
    }

    /// Whether a daemon runs on the host of this name.
    pub(super) fn is_on(&self, daemon: &str, host: &str) -> bool {
        self.host(daemon).is_some_and(|one| one.name == host)
    }

    /// The host that a daemon runs on.
    pub(super) fn host(&self, daemon: &str) -> Option<&Host> {
        self.hosts.get(self.host_of(daemon)?)
    }

    /// The place of the host that a daemon runs on.
    pub(super) fn host_of(&self, daemon: &str) -> Option<usize> {
        self.hosts.iter().position(|host| host.daemons.iter().any(|name| name == daemon))
    }
}

impl Host {
    /// Its networks, each with its address there; the first one first.
    pub(super) fn places(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        let more = self.interfaces.iter().map(|one| (one.network.as_str(), one.address.as_str()));
        [(self.network.as_str(), self.address.as_str())].into_iter().chain(more)
    }

    /// Its address in a network.
    pub(super) fn place_in(&self, network: &str) -> Option<&str> {
        self.places().find(|(own, _)| *own == network).map(|(_, address)| address)
    }

    /// Whether it has this address in a network.
    pub(super) fn is_at(&self, network: &str, address: IpAddr) -> bool {
        self.places().any(|(own, text)| own == network && text.parse() == Ok(address))
    }
}

impl Gateway {
    /// What connects it with the network on its other side, the `rate` that stands beside it included.
    pub(super) fn edge(&self) -> Uplink {
        Uplink { rate: self.uplink.rate.or(self.rate), ..self.uplink }
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
        let is_wider = |one: &Option<String>, other: &Option<String>| match (one, other) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(one), Some(other)) => match (addresses(one), addresses(other)) {
                (Some((of, bits)), Some((inner, inner_bits))) => bits <= inner_bits && holds(of, bits, inner),
                _ => false,
            },
        };
        let is_port_wider = match (self.port, other.port) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(one), Some(other)) => one.first <= other.first && other.last <= one.last,
        };
        self.way == other.way && is_wider(&self.from, &other.from) && is_wider(&self.to, &other.to) && is_port_wider
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

fn holds(of: IpAddr, bits: u8, address: IpAddr) -> bool {
    towline_simtests::range::Prefix { address: of, bits }.holds(address)
}
