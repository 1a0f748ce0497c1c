//! A site: networks, gateways, hosts and daemons written down as values, with the configurations that the daemons read.
//!
//! ```text
//!   Site { networks, hosts, names, daemons, seed } ──start──▶ Standing { world, … } ──order, say, wait──▶ calls, reports, logs
//! ```
//! Connections are in clear text: no gateway here looks into them. A site of one host a daemon, or of several daemons on one.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use towline_core::catalog::JobRow;
use towline_core::config::{DirectorConfig, FileConfig, StorageConfig, listen_on};
use towline_core::notice::{Level, Notice};
use towline_core::role::director::Director;
use towline_core::role::file::FileDaemon;
use towline_core::role::storage::StorageDaemon;
use towline_core::wire::names::{PeerKind, PeerName};

use crate::catalog::Catalog;
use crate::daemons::{self, Protection, identity_of};
use crate::disk::{Disk, Files};
use crate::edge::{Edge, Uplink};
use crate::gateway::{Firewall, Gateway};
use crate::hands::MapHands;
use crate::host::HostId;
use crate::names::View;
use crate::network::NetworkId;
use crate::operator::{Heard, Operator};
use crate::range::Prefix;
use crate::stock::Make;
use crate::world::World;

/// A site that nothing runs on yet.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Everything is drawn from it.
    pub seed: u64,
    /// What the open network consists of; empty: of every address.
    pub open: Vec<Prefix>,
    /// Networks behind gateways. The open network has none and is not among them.
    pub networks: Vec<Network>,
    /// The hosts.
    pub hosts: Vec<Machine>,
    /// Names and what they resolve to, for the hosts at these places or for everybody. A host's own name needs none.
    pub names: Vec<Name>,
    /// The daemons.
    pub daemons: Vec<Daemon>,
    /// What each file daemon has to save.
    pub files: Files,
    /// What the director's catalog has already.
    pub catalog: Catalog,
    /// Lines of the trace that are kept to be read; with none its hash alone is left, which costs least.
    pub lines: usize,
    /// Bytes that a connection's task moves in one turn, if not as many as in a real daemon.
    pub budget: Option<usize>,
}

/// A network behind a gateway.
#[derive(Clone, Debug)]
pub struct Network {
    /// What people call it.
    pub name: String,
    /// The place in [`Site::networks`] of the one around it; `None`: the open network.
    pub around: Option<usize>,
    /// What is between the two.
    pub gateway: Gateway,
    /// What connects the gateway with the network around.
    pub uplink: Uplink,
}

impl Network {
    /// A network behind a gateway with nothing else in the way; `around` is the place of the one around it.
    #[must_use]
    pub fn new(name: &str, around: Option<usize>, gateway: Gateway) -> Self {
        Self { name: name.to_owned(), around, gateway, uplink: Uplink::default() }
    }
}

/// A host.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// The place in [`Site::networks`] of its network; `None`: the open network.
    pub network: Option<usize>,
    /// Its address there.
    pub address: IpAddr,
    /// Further interfaces: the place in [`Site::networks`] of the network of each, or the open one, and the address there.
    pub more: Vec<(Option<usize>, IpAddr)>,
    /// Its own firewall.
    pub firewall: Option<Firewall>,
    /// What connects it with its network.
    pub uplink: Uplink,
}

impl Machine {
    /// A host without a firewall and with nothing between it and its network.
    #[must_use]
    pub fn new(name: &str, network: Option<usize>, address: IpAddr) -> Self {
        let (name, more) = (name.to_owned(), Vec::new());
        Self { name, network, address, more, firewall: None, uplink: Uplink::default() }
    }

    /// Its networks and the address in each.
    fn places(&self) -> impl Iterator<Item = (Option<usize>, IpAddr)> {
        [(self.network, self.address)].into_iter().chain(self.more.iter().copied())
    }
}

/// A name.
#[derive(Clone, Debug)]
pub struct Name {
    /// The name.
    pub name: String,
    /// What it resolves to; nothing: there is no such name.
    pub addresses: Vec<IpAddr>,
    /// The places in [`Site::hosts`] of those who see it so; empty: everybody.
    pub seen_by: Vec<usize>,
}

/// A daemon.
#[derive(Clone, Debug)]
pub struct Daemon {
    /// The place in [`Site::hosts`] of its host.
    pub host: usize,
    /// What it reads. TLS must be off in it.
    pub config: Config,
    /// What is on its disk already; `None`: the files of the site for a file daemon, nothing for others.
    pub disk: Option<Disk>,
    /// Whose it is: ours, or a stock one.
    pub make: Make,
}

impl Daemon {
    /// A daemon whose disk is as new.
    #[must_use]
    pub const fn new(host: usize, config: Config) -> Self {
        Self { host, config, disk: None, make: Make::Towline }
    }
}

/// The configuration of a daemon.
#[derive(Clone, Debug)]
pub enum Config {
    /// Of a director.
    Director(Box<DirectorConfig>),
    /// Of a storage daemon.
    Storage(Box<StorageConfig>),
    /// Of a file daemon.
    File(Box<FileConfig>),
}

/// What is wrong with a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// The network at this place is around itself.
    Loop(usize),
    /// The host at this place is on no network.
    NoNetwork(usize),
    /// The hosts at these places have the same address in the same network.
    AddressTwice(usize, usize),
    /// The daemon at this place is on no host.
    NoHost(usize),
    /// The director at this place is not the first one.
    SecondDirector(usize),
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loop(network) => write!(f, "network {network} is around itself"),
            Self::NoNetwork(host) => write!(f, "host {host} is on no network"),
            Self::AddressTwice(one, other) => write!(f, "hosts {one} and {other} have the same address"),
            Self::NoHost(daemon) => write!(f, "daemon {daemon} is on no host"),
            Self::SecondDirector(daemon) => write!(f, "daemon {daemon} is a second director"),
        }
    }
}

impl From<DirectorConfig> for Config {
    fn from(config: DirectorConfig) -> Self {
        Self::Director(Box::new(config))
    }
}

impl From<StorageConfig> for Config {
    fn from(config: StorageConfig) -> Self {
        Self::Storage(Box::new(config))
    }
}

impl From<FileConfig> for Config {
    fn from(config: FileConfig) -> Self {
        Self::File(Box::new(config))
    }
}

/// A site piece by piece. Each piece has a place by which others name it.
impl Site {
    /// Nothing but a seed, and a file of ten thousand bytes for each client to save.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, files: [(b"/data/file".to_vec(), vec![b'x'; 10_000].into())].into(), ..Self::default() }
    }

    /// Adds a network behind a gateway; `around` is the place of the one around it, `None` the open network.
    pub fn network(&mut self, name: &str, around: Option<usize>, gateway: Gateway) -> usize {
        self.networks.push(Network::new(name, around, gateway));
        self.networks.len() - 1
    }

    /// Adds a host with its address in the network at this place, or in the open one.
    pub fn host(&mut self, name: &str, network: Option<usize>, address: impl Into<IpAddr>) -> usize {
        self.hosts.push(Machine::new(name, network, address.into()));
        self.hosts.len() - 1
    }

    /// Puts a daemon on the host at this place.
    pub fn daemon(&mut self, host: usize, config: impl Into<Config>) -> &mut Self {
        self.daemons.push(Daemon::new(host, config.into()));
        self
    }

    /// Puts a stock daemon of a release on the host at this place. It reads what ours would read.
    pub fn stock_daemon(&mut self, host: usize, config: impl Into<Config>, major: u32) -> &mut Self {
        self.daemons.push(Daemon { make: Make::stock(major), ..Daemon::new(host, config.into()) });
        self
    }
}

impl Site {
    /// Starts all daemons, the director last, and a console on the director's host.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn start(self) -> Result<Standing, Vec<Mistake>> {
        let mistakes = self.mistakes();
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let (world, networks) = self.ground();
        world.trace().keep(self.lines);
        let mut standing = Standing {
            world,
            networks,
            hosts: BTreeMap::new(),
            daemons: Vec::new(),
            catalog: self.catalog.clone(),
            operator: None,
            heard: Heard::default(),
        };
        let mut hosts: BTreeMap<usize, HostId> = BTreeMap::new();
        let is_director = |daemon: &&Daemon| matches!(daemon.config, Config::Director(_));
        let others = self.daemons.iter().filter(|daemon| !is_director(daemon));
        let mut settled = Vec::new();
        for daemon in others.chain(self.daemons.iter().filter(is_director)) {
            let host = self.settle(&mut standing, &mut hosts, daemon.host, &daemon.config.name());
            settled.push((host, daemon));
        }
        for place in 0..self.hosts.len() {
            // One that no daemon runs on answers for its address all the same.
            let ground = (&mut standing.world, standing.networks.as_slice());
            hosts.entry(place).or_insert_with(|| self.raise(ground, place));
        }
        self.set_names(&mut standing, &hosts);
        standing.hosts = hosts;
        settled.into_iter().for_each(|(host, daemon)| standing.start(host, daemon, &self.files));
        Ok(standing)
    }

    /// All that is wrong with it.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        for place in 0..self.networks.len() {
            let mut around = self.networks.get(place).and_then(|network| network.around);
            for _ in 0..=self.networks.len() {
                around = around.and_then(|at| self.networks.get(at)).and_then(|network| network.around);
            }
            if around.is_some() {
                found.push(Mistake::Loop(place));
            }
        }
        for (place, host) in self.hosts.iter().enumerate() {
            if host.places().any(|(network, _)| network.is_some_and(|network| network >= self.networks.len())) {
                found.push(Mistake::NoNetwork(place));
            }
            let is_same = |other: &Machine| other.places().any(|there| host.places().any(|own| own == there));
            if let Some(first) = self.hosts.iter().take(place).position(is_same) {
                found.push(Mistake::AddressTwice(first, place));
            }
        }
        let mut directors = 0;
        for (place, daemon) in self.daemons.iter().enumerate() {
            if daemon.host >= self.hosts.len() {
                found.push(Mistake::NoHost(place));
            }
            if matches!(daemon.config, Config::Director(_)) {
                directors += 1;
                if directors > 1 {
                    found.push(Mistake::SecondDirector(place));
                }
            }
        }
        found
    }

    /// A world with its networks, and no host yet.
    pub(crate) fn ground(&self) -> (World, Vec<NetworkId>) {
        let mut world = World::new(self.seed);
        if let Some(bytes) = self.budget {
            world.set_budget(bytes);
        }
        world.set_open_prefixes(self.open.clone());
        let networks = self.lay_out(&mut world);
        (world, networks)
    }

    /// The host at this place, in such a world; of a place that is none nothing.
    pub(crate) fn raise(&self, (world, networks): (&mut World, &[NetworkId]), place: usize) -> HostId {
        let Some(machine) = self.hosts.get(place) else { return HostId(usize::MAX) };
        let at = |network: Option<usize>| network.and_then(|at| networks.get(at)).copied().unwrap_or(NetworkId::OPEN);
        let host = world.add_host_in(at(machine.network), &machine.name, machine.address);
        machine.more.iter().for_each(|(network, address)| world.add_interface(host, at(*network), *address));
        if let Some(firewall) = &machine.firewall {
            world.set_firewall(host, firewall.clone());
        }
        lay_edge(world, Edge::Host(host), machine.uplink);
        host
    }

    /// The networks of a world, those around before those inside.
    fn lay_out(&self, world: &mut World) -> Vec<NetworkId> {
        let mut made: BTreeMap<usize, NetworkId> = BTreeMap::new();
        while made.len() < self.networks.len() {
            for (place, network) in self.networks.iter().enumerate() {
                let around = match network.around {
                    None => Some(NetworkId::OPEN),
                    Some(around) => made.get(&around).copied(),
                };
                if let Some(around) = around.filter(|_| !made.contains_key(&place)) {
                    made.insert(place, world.add_network(around, network.gateway.clone()));
                }
            }
        }
        for (network, id) in self.networks.iter().zip(made.values()) {
            lay_edge(world, Edge::Network(*id), network.uplink);
        }
        made.into_values().collect()
    }

    /// A place for a daemon on a host: the host itself for the first.
    fn settle(&self, standing: &mut Standing, hosts: &mut BTreeMap<usize, HostId>, place: usize, name: &str) -> HostId {
        if let Some(first) = hosts.get(&place) {
            return standing.world.add_resident(*first, name);
        }
        let host = self.raise((&mut standing.world, &standing.networks), place);
        hosts.insert(place, host);
        host
    }

    /// What names mean, to everybody and to some hosts only.
    fn set_names(&self, standing: &mut Standing, hosts: &BTreeMap<usize, HostId>) {
        for name in &self.names {
            if name.seen_by.is_empty() {
                standing.world.set_name(&name.name, name.addresses.clone());
            }
            for place in &name.seen_by {
                let Some(first) = hosts.get(place) else { continue };
                for host in standing.world.residents(*first) {
                    let view = match name.addresses.is_empty() {
                        true => View::Missing,
                        false => View::Addresses(name.addresses.clone()),
                    };
                    standing.world.set_view(host, &name.name, view);
                }
            }
        }
    }
}

/// Where a director is dialled from its own host: on loopback if it listens there, else at the first address that it listens on.
fn own_door(config: &DirectorConfig) -> (String, u16) {
    let port = config.director.port;
    let Some(first) = listen_on(&config.director.listen, port).next() else { return ("127.0.0.1".to_owned(), port) };
    let address = match first.address.ip {
        IpAddr::V4(address) if address.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(address) if address.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        other => other,
    };
    (address.to_string(), first.port)
}

/// Nothing is said of an edge that is clear.
fn lay_edge(world: &mut World, edge: Edge, uplink: Uplink) {
    if uplink != Uplink::default() {
        world.set_uplink(edge, uplink);
    }
}

impl Config {
    /// The name of the daemon.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Director(config) => config.director.name.clone(),
            Self::Storage(config) => config.storage.name.clone(),
            Self::File(config) => config.file.name.clone(),
        }
    }
}

/// Starts a daemon on a host; one that runs there is killed.
pub(crate) fn launch(
    world: &mut World,
    host: HostId,
    config: Config,
    (make, protection): (Make, Protection),
    hands: Arc<MapHands>,
) {
    let (name, credentials, identity) = (config.name(), protection.credentials_of(make), identity_of(make));
    match config {
        Config::Director(config) => {
            let role = Director::new(Arc::new(*config), credentials, identity);
            let own = PeerName::new(PeerKind::Director, &name);
            let node = daemons::node_of(make, world, host, role, (&own, protection));
            world.start(host, node, hands);
        }
        Config::Storage(config) => {
            let role = StorageDaemon::new(Arc::new(*config), credentials, identity);
            let own = PeerName::new(PeerKind::Storage, &name);
            let node = daemons::node_of(make, world, host, role, (&own, protection));
            world.start(host, node, hands);
        }
        Config::File(config) => {
            let role = FileDaemon::new(Arc::new(*config), credentials, identity);
            let own = PeerName::new(PeerKind::Client, &name);
            let node = daemons::node_of(make, world, host, role, (&own, protection));
            world.start(host, node, hands);
        }
    }
}

/// A site whose daemons run.
#[derive(Debug)]
pub struct Standing {
    /// Its world.
    pub world: World,
    /// The networks, in the order of [`Site::networks`].
    pub networks: Vec<NetworkId>,
    /// The hosts, by their places in [`Site::hosts`].
    pub hosts: BTreeMap<usize, HostId>,
    /// The daemons, the director last.
    pub daemons: Vec<Running>,
    /// The director's catalog.
    pub catalog: Catalog,
    operator: Option<HostId>,
    heard: Heard,
}

/// A daemon that runs.
#[derive(Debug)]
pub struct Running {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: PeerKind,
    /// Its host.
    pub host: HostId,
    /// Its disk.
    pub disk: Disk,
    hands: Arc<MapHands>,
}

impl Running {
    /// What it has logged as a warning or an error.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let complaint = |notice: Notice| match notice {
            Notice::Log { level: Level::Error | Level::Warn, text, .. } => Some(text),
            _ => None,
        };
        self.hands.notices().into_iter().filter_map(complaint).collect()
    }
}

impl Standing {
    /// The director orders a job by a line of its console; its number, if it was taken.
    pub fn order(&mut self, line: &str) -> Option<u32> {
        let operator = self.operator?;
        self.heard.order(&mut self.world, operator, line)
    }

    /// Says a line to the director and returns its answer; `None` if that does not come to its end in time.
    pub fn say(&mut self, line: &str, within: Duration) -> Option<String> {
        let operator = self.operator?;
        self.heard.say(&mut self.world, operator, line, within)
    }

    /// Goes on until a job has ended, at most so long.
    pub fn await_end(&mut self, job: u32, within: Duration) -> Option<JobRow> {
        let mut has_ended = self.catalog.watch(job);
        self.world.run_until(within, |_| has_ended());
        self.catalog.ended(job)
    }

    /// The report of a job.
    #[must_use]
    pub fn report(&self, job: u32) -> String {
        self.catalog.report(job)
    }

    /// The daemon whose place a host is.
    #[must_use]
    pub fn daemon(&self, host: HostId) -> Option<&Running> {
        self.daemons.iter().find(|daemon| daemon.host == host)
    }

    fn start(&mut self, host: HostId, Daemon { config, disk, make, .. }: &Daemon, files: &Files) {
        let name = config.name();
        let (kind, fresh, catalog) = match config {
            Config::Director(_) => (PeerKind::Director, Disk::default(), Some(self.catalog.clone())),
            Config::Storage(_) => (PeerKind::Storage, Disk::default(), None),
            Config::File(_) => (PeerKind::Client, Disk::with_files(files.clone()), None),
        };
        let disk = disk.clone().unwrap_or(fresh);
        let hands = Arc::new(MapHands::new(disk.clone(), catalog));
        launch(&mut self.world, host, config.clone(), (*make, Protection::Clear), hands.clone());
        if let Config::Director(config) = config {
            self.place_operator(host, config);
        }
        self.daemons.push(Running { name, kind, host, disk, hands });
    }

    /// A console beside the director, which reaches it whatever the network does.
    fn place_operator(&mut self, director: HostId, config: &DirectorConfig) {
        let host = self.world.add_resident(director, "console");
        let (address, port) = own_door(config);
        let at = (address.as_str(), port);
        let role = Operator::new(config.director.password.clone(), at, Protection::Clear, self.heard.clone());
        let own = PeerName::new(PeerKind::Console, "console");
        let node = daemons::node(&mut self.world, host, role, &own, Protection::Clear);
        self.world.start(host, node, Arc::new(MapHands::new(Disk::default(), None)));
        self.operator = Some(host);
    }
}
