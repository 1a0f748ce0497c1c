//! What can be changed: settings of configurations, and openings in gateways and firewalls.

use towline_core::config::{Client, ConfigPath, DirectorConfig, Seconds, Storage};

use crate::config::Setting;

use super::super::setup::{Given, assumed_file, assumed_storage};
use super::super::topology::{Firewall, Forward, Name, Ports, Rule, Topology, Verdict, Way};
use super::super::trial::Barrier;

/// A change that a person would make in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Change {
    /// The storage daemon dials the client for its data, or the client the storage daemon.
    Passive { client: String, passive: bool },
    /// The client dials the director, at this address.
    ClientDials { client: String, address: String },
    /// The director may dial the client, at this address.
    DirectorDials { client: String, address: String },
    /// Another address at which a client or a storage daemon is dialled.
    Address { of: Peer, address: String },
    /// Both ends of a data channel get a LAN address.
    Lan { ends: [(Peer, String); 2] },
    /// Both ends of a data channel get a common network.
    Networks { network: String, ends: [(Peer, String); 2] },
    /// A name means another address to some hosts.
    View { name: String, address: String, hosts: Vec<String> },
    /// A heartbeat, where this resource sets it.
    Heartbeat { at: Beat, interval: u64 },
    /// A port is forwarded, or a connection is let through.
    Open(Opening),
}

/// A peer of the director.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Peer {
    /// A client.
    Client(String),
    /// A storage.
    Storage(String),
}

/// A resource with a heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Beat {
    /// The director towards all.
    Director,
    /// The director towards one.
    Peer(Peer),
    /// The file daemon of a client.
    File(String),
    /// The same, towards the director.
    FileDirector(String),
    /// The daemon of a storage.
    Storage(String),
    /// The same, towards the director.
    StorageDirector(String),
}

/// What a gateway or a firewall has to let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Opening {
    /// A port of the gateway of a network leads to this address behind it.
    Forward { network: String, port: u16, to: String },
    /// A connection is let through.
    Rule { at: Barrier, rule: Rule },
}

/// Which configuration a setting is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The director's.
    Director,
    /// That of a client's file daemon.
    File(String),
    /// That of a storage's daemon.
    Storage(String),
}

/// A setting and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) whose: Whose,
    /// The field that the resource, or the list of them, is.
    pub(super) list: &'static str,
    /// Which one in the list.
    pub(super) index: Option<usize>,
    pub(super) field: &'static str,
    pub(super) to: Setting,
}

impl Place {
    /// The path of the resource.
    pub(super) fn path(&self) -> ConfigPath {
        let list = ConfigPath::of(self.list);
        self.index.map_or_else(|| list.clone(), |index| list.index(index))
    }
}

impl Change {
    /// How much it is to do: settings, and rules.
    pub(super) const fn weight(&self) -> usize {
        match self {
            Self::ClientDials { .. } => 3,
            Self::DirectorDials { .. } | Self::Lan { .. } | Self::Networks { .. } => 2,
            // A way in is more than some settings, and often in the hands of others.
            Self::Open(_) => 4,
            Self::Passive { .. } | Self::Address { .. } | Self::View { .. } | Self::Heartbeat { .. } => 1,
        }
    }

    /// Makes it. False if there is nothing to make it in.
    pub(super) fn apply(&self, topology: &mut Topology, given: &mut Given) -> bool {
        if let Self::Open(opening) = self {
            return opening.apply(topology);
        }
        if let Self::View { name, address, hosts } = self {
            let (name, addresses, seen_by) = (name.clone(), vec![address.clone()], hosts.clone());
            topology.names.push(Name { name, addresses, seen_by });
            return true;
        }
        if let Self::ClientDials { client, .. } = self {
            ensure_file(given, client);
        }
        if let Self::Heartbeat { at: Beat::File(client) | Beat::FileDirector(client), .. } = self {
            ensure_file(given, client);
        }
        if let Self::Heartbeat { at: Beat::Storage(storage) | Beat::StorageDirector(storage), .. } = self {
            ensure_storage(given, storage);
        }
        let places = self.places(given);
        !places.is_empty() && places.iter().all(|place| put(given, place))
    }

    /// The settings that it is, in the configurations as they are.
    pub(super) fn places(&self, given: &Given) -> Vec<Place> {
        let (is, text) = (Setting::Is, |text: &String| Setting::Text(text.clone()));
        let director = &given.director;
        match self {
            Self::Passive { client, passive } => of_client(director, client, "passive", is(*passive)).collect(),
            Self::ClientDials { client, address } => {
                let own = of_client(director, client, "connection_from_client_to_director", is(true));
                let dials = of_file(given, client, "connection_from_client_to_director", is(true));
                own.chain(of_file(given, client, "address", text(address))).chain(dials).collect()
            }
            Self::DirectorDials { client, address } => {
                let own = of_client(director, client, "connection_from_director_to_client", is(true));
                own.chain(of_client(director, client, "address", text(address))).collect()
            }
            Self::Address { of, address } => of_peer(director, of, "address", text(address)).collect(),
            Self::Lan { ends } => {
                let each = ends.iter().flat_map(|(of, address)| of_peer(director, of, "lan_address", text(address)));
                each.collect()
            }
            Self::Networks { network, ends } => {
                let each = ends.iter().flat_map(|(of, address)| {
                    let mut all = networks(director, of);
                    all.push((network.clone(), address.clone()));
                    of_peer(director, of, "networks", Setting::Map(all))
                });
                each.collect()
            }
            Self::Heartbeat { at, interval } => at.place(given, Setting::Seconds(*interval)).into_iter().collect(),
            Self::Open(_) | Self::View { .. } => Vec::new(),
        }
    }

    /// What it is, for people.
    pub(in super::super) fn said(&self) -> String {
        let name = |of: &Peer| match of {
            Peer::Client(name) | Peer::Storage(name) => name.clone(),
        };
        match self {
            Self::Passive { client, passive: true } => format!("let the storage daemon dial {client} (`passive`)"),
            Self::Passive { client, .. } => format!("let {client} dial the storage daemon (`passive`)"),
            Self::ClientDials { client, .. } => {
                format!("let {client} dial the director (`connection_from_client_to_director` on both sides)")
            }
            Self::DirectorDials { client, .. } => {
                format!("let the director dial {client} (`connection_from_director_to_client`)")
            }
            Self::Address { of, address } => format!("dial {} at {address} (`address`)", name(of)),
            Self::Lan { ends: [one, other] } => {
                format!("give {} and {} LAN addresses (`lan_address`)", name(&one.0), name(&other.0))
            }
            Self::Networks { network, ends: [one, other] } => {
                format!("say that {} and {} are in the network {network:?} (`networks`)", name(&one.0), name(&other.0))
            }
            Self::Heartbeat { at, interval } => format!("{} every {interval} s (`heartbeat_interval`)", at.said()),
            Self::View { name, address, hosts } => {
                format!("let {name} mean {address} to {} (a view of DNS, or /etc/hosts)", hosts.join(", "))
            }
            Self::Open(opening) => opening.said(),
        }
    }

    /// Whether it has a part in a row with these daemons. An opening has none: it takes nothing from anybody.
    pub(super) fn concerns(&self, daemons: &[&str]) -> bool {
        let is_one = |name: &String| daemons.contains(&name.as_str());
        let peer = |of: &Peer| match of {
            Peer::Client(name) | Peer::Storage(name) => is_one(name),
        };
        match self {
            Self::Passive { client, .. } | Self::ClientDials { client, .. } | Self::DirectorDials { client, .. } => {
                is_one(client)
            }
            Self::Address { of, .. } => peer(of),
            Self::Lan { ends } | Self::Networks { ends, .. } => ends.iter().any(|(of, _)| peer(of)),
            Self::Heartbeat { at, .. } => match at {
                Beat::Director => true,
                Beat::Peer(of) => peer(of),
                Beat::File(name) | Beat::FileDirector(name) | Beat::Storage(name) | Beat::StorageDirector(name) => {
                    is_one(name)
                }
            },
            Self::Open(_) => false,
            // Whoever runs on these hosts.
            Self::View { .. } => true,
        }
    }

    /// The same in the topology's file, if it is made there: which list, and the element in RON.
    pub(super) fn ron(&self, topology: &Topology) -> Option<(ConfigPath, &'static str, String)> {
        match self {
            Self::Open(opening) => opening.ron(topology),
            Self::View { name, address, hosts } => {
                let element = format!("(name: {name:?}, addresses: [{address:?}], seen_by: {hosts:?})");
                Some((ConfigPath(Vec::new()), "names", element))
            }
            _ => None,
        }
    }
}

impl Beat {
    fn said(&self) -> String {
        match self {
            Self::Director => "send heartbeats from the director".to_owned(),
            Self::Peer(Peer::Client(name) | Peer::Storage(name)) => {
                format!("send heartbeats from the director to {name}")
            }
            Self::File(name) | Self::Storage(name) => format!("send heartbeats from {name}"),
            Self::FileDirector(name) | Self::StorageDirector(name) => {
                format!("send heartbeats from {name} to the director")
            }
        }
    }

    /// What it is now; `None` if it is that of another resource, or the resource is not there.
    pub(super) fn now(&self, given: &Given) -> Option<Seconds> {
        let director = &given.director;
        let of_director = |name: &String| *name == director.director.name;
        match self {
            Self::Director => Some(director.director.heartbeat_interval),
            Self::Peer(Peer::Client(name)) => director.client(name)?.heartbeat_interval,
            Self::Peer(Peer::Storage(name)) => director.storage(name)?.heartbeat_interval,
            Self::File(name) => given.file(name).map(|config| config.file.heartbeat_interval),
            Self::FileDirector(name) => {
                given.file(name)?.directors.iter().find(|one| of_director(&one.name))?.heartbeat_interval
            }
            Self::Storage(name) => {
                given.storage(director.storage(name)?).map(|config| config.storage.heartbeat_interval)
            }
            Self::StorageDirector(name) => {
                let config = given.storage(director.storage(name)?)?;
                config.directors.iter().find(|one| of_director(&one.name))?.heartbeat_interval
            }
        }
    }

    fn place(&self, given: &Given, to: Setting) -> Option<Place> {
        let director = &given.director;
        let place = |whose, list, index| Place { whose, list, index, field: "heartbeat_interval", to: to.clone() };
        let of_director = |name: &String| *name == director.director.name;
        match self {
            Self::Director => Some(place(Whose::Director, "director", None)),
            Self::Peer(of) => of_peer(director, of, "heartbeat_interval", to.clone()).next(),
            Self::File(name) => Some(place(Whose::File(name.clone()), "file", None)),
            Self::FileDirector(name) => {
                let index = given.file(name)?.directors.iter().position(|one| of_director(&one.name))?;
                Some(place(Whose::File(name.clone()), "directors", Some(index)))
            }
            Self::Storage(name) => Some(place(Whose::Storage(name.clone()), "storage", None)),
            Self::StorageDirector(name) => {
                let config = given.storage(director.storage(name)?)?;
                let index = config.directors.iter().position(|one| of_director(&one.name))?;
                Some(place(Whose::Storage(name.clone()), "directors", Some(index)))
            }
        }
    }
}

impl Opening {
    fn apply(&self, topology: &mut Topology) -> bool {
        match self {
            Self::Forward { network, port, to } => {
                let gateway = topology.networks.iter_mut().find(|one| one.name == *network);
                let Some(gateway) = gateway.and_then(|network| network.gateway.as_mut()) else { return false };
                let is_free = gateway.forwards.iter().all(|forward| forward.port != *port);
                if is_free {
                    gateway.forwards.push(Forward { port: *port, to: to.clone() });
                }
                is_free
            }
            Self::Rule { at, rule } => {
                let rules = match at {
                    Barrier::Gateway(name) => {
                        let network = topology.networks.iter_mut().find(|one| one.name == *name);
                        network.and_then(|network| network.gateway.as_mut()).map(|gateway| &mut gateway.rules)
                    }
                    Barrier::Firewall(name) => {
                        let host = topology.hosts.iter_mut().find(|one| one.name == *name);
                        host.and_then(|host| host.firewall.as_mut()).map(|Firewall { rules, .. }| rules)
                    }
                    // No rule helps there.
                    Barrier::Uplink(_) => None,
                };
                // Before all others, one of which stops it.
                rules.is_some_and(|rules| {
                    rules.insert(0, rule.clone());
                    true
                })
            }
        }
    }

    /// The box in which it is.
    pub(super) fn at(&self) -> Barrier {
        match self {
            Self::Forward { network, .. } => Barrier::Gateway(network.clone()),
            Self::Rule { at, .. } => at.clone(),
        }
    }

    fn said(&self) -> String {
        match self {
            Self::Forward { network, port, to } => {
                format!("forward the port {port} of the gateway of {network:?} to {to}")
            }
            Self::Rule { at, rule } => {
                let any = || "anybody".to_owned();
                let from = rule.from.clone().unwrap_or_else(any);
                let port = rule.port.map(|ports| ports.to_string()).unwrap_or_default();
                let to = rule.to.clone().map_or_else(|| format!("port {port}"), |to| format!("{to}, port {port}"));
                format!("let {from} dial {to} through {at}")
            }
        }
    }

    /// The same in the topology's file: which list, and the element in RON.
    fn ron(&self, topology: &Topology) -> Option<(ConfigPath, &'static str, String)> {
        let gateway = |name: &String| Some(ConfigPath::of("networks").index(topology.network(name)?).field("gateway"));
        match self {
            Self::Forward { network, port, to } => {
                Some((gateway(network)?, "forwards", format!("(port: {port}, to: {to:?})")))
            }
            Self::Rule { at, rule } => {
                let path = match at {
                    Barrier::Gateway(network) => gateway(network)?,
                    Barrier::Firewall(name) => {
                        let place = topology.hosts.iter().position(|host| host.name == *name)?;
                        ConfigPath::of("hosts").index(place).field("firewall")
                    }
                    Barrier::Uplink(_) => return None,
                };
                let way = if rule.way == Way::In { "in" } else { "out" };
                let text = |field: &str, value: &Option<String>| {
                    value.as_ref().map(|value| format!(", {field}: {value:?}")).unwrap_or_default()
                };
                let port = rule.port.map(|ports| format!(", port: {ports}")).unwrap_or_default();
                let (from, to) = (text("from", &rule.from), text("to", &rule.to));
                Some((path, "rules", format!("(way: {way}{from}{to}{port}, verdict: accept)")))
            }
        }
    }
}

/// A rule that lets one connection through.
pub(super) fn letting(way: Way, from: Option<String>, to: Option<String>, port: u16) -> Rule {
    Rule { way, from, to, port: Some(Ports { first: port, last: port }), verdict: Verdict::Accept }
}

fn networks(config: &DirectorConfig, of: &Peer) -> Vec<(String, String)> {
    let all = match of {
        Peer::Client(name) => config.client(name).map(|client| &client.networks),
        Peer::Storage(name) => config.storage(name).map(|storage| &storage.networks),
    };
    all.into_iter().flatten().map(|(name, address)| (name.clone(), address.clone())).collect()
}

fn of_peer(config: &DirectorConfig, of: &Peer, field: &'static str, to: Setting) -> std::option::IntoIter<Place> {
    match of {
        Peer::Client(name) => of_client(config, name, field, to),
        Peer::Storage(name) => {
            let index = config.storages.iter().position(|storage| storage.name == *name);
            let place = |index| Place { whose: Whose::Director, list: "storages", index: Some(index), field, to };
            index.map(place).into_iter()
        }
    }
}

fn of_client(config: &DirectorConfig, name: &str, field: &'static str, to: Setting) -> std::option::IntoIter<Place> {
    let index = config.clients.iter().position(|client| client.name == name);
    index.map(|index| Place { whose: Whose::Director, list: "clients", index: Some(index), field, to }).into_iter()
}

/// A setting of the director in the configuration of a file daemon.
fn of_file(given: &Given, client: &str, field: &'static str, to: Setting) -> std::option::IntoIter<Place> {
    let name = &given.director.director.name;
    let directors = given.file(client).map(|config| config.directors.as_slice()).unwrap_or_default();
    let index = directors.iter().position(|director| director.name == *name);
    let whose = Whose::File(client.to_owned());
    index.map(|index| Place { whose, list: "directors", index: Some(index), field, to }).into_iter()
}

fn ensure_file(given: &mut Given, client: &str) {
    if given.file(client).is_none()
        && let Some(client) = given.director.client(client)
    {
        let made = assumed_file(&given.director, client);
        given.files.extend(made);
    }
}

fn ensure_storage(given: &mut Given, storage: &str) {
    if let Some(storage) = given.director.storage(storage)
        && given.storage(storage).is_none()
    {
        let made = assumed_storage(&given.director, &[storage]);
        given.storages.extend(made);
    }
}

/// Puts a setting where it belongs.
fn put(given: &mut Given, place: &Place) -> bool {
    match &place.whose {
        Whose::Director => put_director(&mut given.director, place),
        Whose::File(name) => put_file(given, name, place),
        Whose::Storage(name) => put_storage(given, name, place),
    }
}

fn put_director(config: &mut DirectorConfig, place: &Place) -> bool {
    match (place.list, place.index, &place.to) {
        ("director", None, Setting::Seconds(seconds)) => {
            config.director.heartbeat_interval = Seconds(*seconds);
            true
        }
        ("clients", Some(index), _) => config.clients.get_mut(index).is_some_and(|client| put_client(client, place)),
        ("storages", Some(index), _) => {
            config.storages.get_mut(index).is_some_and(|storage| put_of_storage(storage, place))
        }
        _ => false,
    }
}

fn put_client(client: &mut Client, place: &Place) -> bool {
    match (place.field, &place.to) {
        ("passive", Setting::Is(is)) => client.passive = *is,
        ("connection_from_client_to_director", Setting::Is(is)) => client.connection_from_client_to_director = *is,
        ("connection_from_director_to_client", Setting::Is(is)) => client.connection_from_director_to_client = *is,
        ("address", Setting::Text(text)) => client.address = Some(text.clone()),
        ("lan_address", Setting::Text(text)) => client.lan_address = Some(text.clone()),
        ("networks", Setting::Map(all)) => client.networks = all.iter().cloned().collect(),
        ("heartbeat_interval", Setting::Seconds(seconds)) => client.heartbeat_interval = Some(Seconds(*seconds)),
        _ => return false,
    }
    true
}

fn put_of_storage(storage: &mut Storage, place: &Place) -> bool {
    match (place.field, &place.to) {
        ("address", Setting::Text(text)) => storage.address = text.clone(),
        ("lan_address", Setting::Text(text)) => storage.lan_address = Some(text.clone()),
        ("networks", Setting::Map(all)) => storage.networks = all.iter().cloned().collect(),
        ("heartbeat_interval", Setting::Seconds(seconds)) => storage.heartbeat_interval = Some(Seconds(*seconds)),
        _ => return false,
    }
    true
}

fn put_file(given: &mut Given, client: &str, place: &Place) -> bool {
    let Some(config) = given.files.iter_mut().find(|config| config.file.name == client) else { return false };
    let director = place.index.and_then(|index| config.directors.get_mut(index));
    match (place.field, &place.to, director) {
        ("heartbeat_interval", Setting::Seconds(seconds), None) => config.file.heartbeat_interval = Seconds(*seconds),
        ("heartbeat_interval", Setting::Seconds(seconds), Some(director)) => {
            director.heartbeat_interval = Some(Seconds(*seconds));
        }
        ("address", Setting::Text(text), Some(director)) => director.address = Some(text.clone()),
        ("connection_from_client_to_director", Setting::Is(is), Some(director)) => {
            director.connection_from_client_to_director = *is;
        }
        _ => return false,
    }
    true
}

fn put_storage(given: &mut Given, storage: &str, place: &Place) -> bool {
    let Some(place_of) = given.storage_place(storage) else { return false };
    let Some(config) = given.storages.get_mut(place_of) else { return false };
    let director = place.index.and_then(|index| config.directors.get_mut(index));
    match (place.field, &place.to, director) {
        ("heartbeat_interval", Setting::Seconds(seconds), None) => {
            config.storage.heartbeat_interval = Seconds(*seconds)
        }
        ("heartbeat_interval", Setting::Seconds(seconds), Some(director)) => {
            director.heartbeat_interval = Some(Seconds(*seconds));
        }
        _ => return false,
    }
    true
}
