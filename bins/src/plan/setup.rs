//! From a topology and configurations to the site in which one row is tried.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use towline_core::config::{
    Client, Director, DirectorConfig, FileConfig, JobKind, Pool, Seconds, Storage, StorageConfig, TlsConfig,
    any_address,
};
use towline_simtests::catalog::Catalog;
use towline_simtests::disk::Disk;
use towline_simtests::gateway::{self, Idle, Scope, Translation, Unknown};
use towline_simtests::range::{Ports, Prefix};
use towline_simtests::site::{Config, Daemon, Machine, Name, Network, Site};

use super::rows::Row;
use super::topology::{Firewall, Forgotten, Gateway, Host, Rule, Topology, Verdict, Way, addresses, prefix_of};

/// Gateways tell nothing that they have not seen begin for this long at least (RFC 5382 REQ-5).
const TRANSITORY: Seconds = Seconds::minutes(4);
/// The file that is saved.
const FILE: &[u8] = b"/data/file";

/// The configurations that were given.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// The director's.
    pub(super) director: DirectorConfig,
    /// Those of file daemons.
    pub(super) files: Vec<FileConfig>,
    /// Those of storage daemons.
    pub(super) storages: Vec<StorageConfig>,
}

impl Given {
    /// The configuration of a client's file daemon, if it was given.
    pub(super) fn file(&self, client: &str) -> Option<&FileConfig> {
        self.files.iter().find(|config| config.file.name == client)
    }

    /// The configuration of a storage's daemon: the one of its name, else the only one that has its device and the name of
    /// no other storage.
    pub(super) fn storage(&self, storage: &Storage) -> Option<&StorageConfig> {
        self.storages.get(self.place_of(storage)?)
    }

    /// All names and addresses at which somebody is dialled.
    pub(super) fn dialled(&self) -> BTreeSet<&str> {
        let clients = self
            .director
            .clients
            .iter()
            .flat_map(|client| client.address.iter().chain(&client.lan_address).chain(client.networks.values()));
        let storages = self.director.storages.iter().flat_map(|storage| {
            [&storage.address].into_iter().chain(&storage.lan_address).chain(storage.networks.values())
        });
        let directors = self.files.iter().flat_map(|file| &file.directors).flat_map(|director| &director.address);
        clients.chain(storages).chain(directors).map(String::as_str).collect()
    }

    /// The place of the same.
    pub(super) fn storage_place(&self, name: &str) -> Option<usize> {
        self.place_of(self.director.storage(name)?)
    }

    fn place_of(&self, storage: &Storage) -> Option<usize> {
        let named = self.storages.iter().position(|config| config.storage.name == storage.name);
        let has_it = |config: &&StorageConfig| {
            let devices = config.devices.iter().map(|device| &device.name);
            devices.chain(config.autochangers.iter().map(|changer| &changer.name)).any(|name| *name == storage.device)
                && self.director.storage(&config.storage.name).is_none()
        };
        let mut others = self.storages.iter().enumerate().filter(|(_, config)| has_it(config)).map(|(place, _)| place);
        named.or_else(|| others.next().filter(|_| others.next().is_none()))
    }
}

/// What a row has to read, if it reads: a catalog with one backup, and the disks that its volumes are on.
#[derive(Clone, Debug, Default)]
pub(super) struct Saved {
    pub(super) catalog: Catalog,
    pub(super) volumes: Disk,
}

/// The site of a row. Its client, its storages and the director must be on hosts.
pub(super) fn site(topology: &Topology, given: &Given, row: &Row, saved: &Saved) -> Option<Site> {
    let mut site = Site { seed: 1, files: files(), catalog: saved.catalog.clone(), ..Site::default() };
    lay_out(topology, &mut site);
    let config = &given.director;
    let director = director(config, row, row.kind)?;
    site.daemons.push(Daemon::new(topology.host_of(&config.director.name)?, Config::Director(Box::new(director))));
    if let Some(client) = row.client.as_deref().and_then(|name| config.client(name)) {
        let file = given.file(&client.name).map_or_else(|| assumed_file(config, client), |file| Some(file.clone()))?;
        let host = topology.host_of(&client.name)?;
        site.daemons.push(Daemon::new(host, Config::File(Box::new(without_tls_file(file)))));
    }
    let storages: Vec<&Storage> = row.storages().filter_map(|name| config.storage(name)).collect();
    let mut placed: Vec<(usize, u16)> = Vec::new();
    for storage in &storages {
        let host = topology.host_of(&storage.name)?;
        // Two storages may be devices of one daemon.
        if placed.contains(&(host, storage.port)) {
            continue;
        }
        placed.push((host, storage.port));
        let is_one = |other: &&&Storage| topology.host_of(&other.name) == Some(host) && other.port == storage.port;
        let together = storages.iter().filter(is_one);
        let known = given.storage(storage).cloned();
        let daemon = known.map_or_else(|| assumed_storage(config, &together.copied().collect::<Vec<_>>()), Some)?;
        let disk = (storage.name == row.storage).then(|| saved.volumes.clone());
        let config = Config::Storage(Box::new(without_tls_storage(daemon)));
        site.daemons.push(Daemon { disk, ..Daemon::new(host, config) });
    }
    site.daemons.extend(bystanders(topology, config, row));
    Some(site)
}

/// Daemons that have no part in a row, on hosts that it may come to all the same. They dial nobody.
fn bystanders(topology: &Topology, config: &DirectorConfig, row: &Row) -> Vec<Daemon> {
    let own = row.daemons(config);
    let is_own = |host: &&Host| host.daemons.iter().any(|daemon| own.contains(&daemon.as_str()));
    let mut all = Vec::new();
    for (place, host) in topology.hosts.iter().enumerate().filter(|(_, host)| !is_own(host)) {
        for name in &host.daemons {
            if let Some(mut file) = config.client(name).and_then(|client| assumed_file(config, client)) {
                file.directors.iter_mut().for_each(|director| director.connection_from_client_to_director = false);
                all.push(Daemon::new(place, Config::File(Box::new(without_tls_file(file)))));
            } else if let Some(media) = config.storage(name).and_then(|storage| assumed_storage(config, &[storage])) {
                all.push(Daemon::new(place, Config::Storage(Box::new(without_tls_storage(media)))));
            }
        }
    }
    all
}

/// A site in which the same daemons reach each other for sure, to make a backup that another row reads.
pub(super) fn open_site(given: &Given, row: &Row) -> Option<Site> {
    let mut director = director(&given.director, row, JobKind::Backup)?;
    let (at_client, at_storage): (IpAddr, IpAddr) = ([192, 0, 2, 2].into(), [192, 0, 2, 3].into());
    for client in &mut director.clients {
        client.address = Some(at_client.to_string());
        (client.passive, client.connection_from_director_to_client) = (false, true);
        (client.lan_address, client.connection_from_client_to_director) = (None, false);
        client.networks.clear();
    }
    for storage in &mut director.storages {
        storage.address = at_storage.to_string();
        storage.lan_address = None;
        storage.networks.clear();
    }
    let (client, storage) = (director.clients.first()?, director.storages.first()?);
    let file = assumed_file(&given.director, client)?;
    let media = given.director.storage(&row.storage).and_then(|storage| given.storage(storage)).cloned();
    let media = media.map_or_else(|| assumed_storage(&given.director, &[storage]), Some)?;
    let mut media = without_tls_storage(media);
    // Where the daemons listen, and whom the storage daemon lets in, is not what is asked here.
    (media.storage.port, media.storage.listen) = (storage.port, any_address());
    media.directors = assumed_storage(&given.director, &[storage])?.directors;
    director.director.listen = any_address();
    let machines = [("dir", [192, 0, 2, 1].into()), ("client", at_client), ("storage", at_storage)];
    Some(Site {
        seed: 1,
        hosts: machines.map(|(name, address)| Machine::new(name, None, address)).to_vec(),
        daemons: vec![
            Daemon::new(1, Config::File(Box::new(without_tls_file(file)))),
            Daemon::new(2, Config::Storage(Box::new(media))),
            Daemon::new(0, Config::Director(Box::new(director))),
        ],
        files: files(),
        ..Site::default()
    })
}

fn files() -> towline_simtests::disk::Files {
    [(FILE.to_vec(), vec![b'x'; 30_000].into())].into()
}

/// Networks, hosts and names.
pub(super) fn lay_out(topology: &Topology, site: &mut Site) {
    let inner: Vec<usize> = (0..topology.networks.len()).filter(|n| topology.networks[*n].gateway.is_some()).collect();
    let place = |name: &str| inner.iter().position(|n| topology.networks[*n].name == name);
    for network in &topology.networks {
        match &network.gateway {
            Some(gateway) => site.networks.push(Network {
                name: network.name.clone(),
                around: place(&gateway.to),
                gateway: between(gateway),
                uplink: gateway.edge().edge(),
            }),
            None => {
                let prefixes = network.addresses.iter().filter_map(|text| prefix_of(text));
                site.open = prefixes.map(|(address, bits)| Prefix { address, bits }).collect();
            }
        }
    }
    for host in &topology.hosts {
        let Ok(address) = host.address.parse() else { continue };
        let firewall = host.firewall.as_ref().map(own);
        let uplink = host.uplink.edge();
        let more = host.interfaces.iter().filter_map(|one| Some((place(&one.network), one.address.parse().ok()?)));
        let more = more.collect();
        site.hosts.push(Machine { firewall, uplink, more, ..Machine::new(&host.name, place(&host.network), address) });
        site.names.push(Name { name: host.name.clone(), addresses: vec![address], seen_by: Vec::new() });
    }
    let local = IpAddr::from([127, 0, 0, 1]);
    site.names.push(Name { name: "localhost".to_owned(), addresses: vec![local], seen_by: Vec::new() });
    for name in &topology.names {
        let hosts = name.seen_by.iter().filter_map(|host| topology.hosts.iter().position(|one| one.name == *host));
        let seen_by = hosts.collect();
        let addresses = name.addresses.iter().filter_map(|text| text.parse().ok()).collect();
        site.names.push(Name { name: name.name.clone(), addresses, seen_by });
    }
}

fn between(gateway: &Gateway) -> gateway::Gateway {
    let unknown = if gateway.forgotten == Forgotten::Reset { Unknown::Reset } else { Unknown::Drop };
    let idle = gateway.idle.duration();
    let mapping = Translation {
        mapping: Scope::EndpointIndependent,
        filtering: Scope::AddressAndPortDependent,
        hairpin: gateway.hairpin,
    };
    gateway::Gateway {
        outside: gateway.address.parse().unwrap_or_else(|_| [0, 0, 0, 0].into()),
        translation: gateway.translates.then_some(mapping),
        forwards: gateway
            .forwards
            .iter()
            .filter_map(|forward| Some(gateway::Forward { port: forward.port, to: forward.target()?.into() }))
            .collect(),
        rules: gateway.rules.iter().map(rule).collect(),
        outward: verdict(gateway.outward),
        inward: verdict(gateway.inward),
        idle: if idle.is_zero() { Idle::LINUX } else { Idle::of(idle, idle.min(TRANSITORY.duration())) },
        loose: gateway.forgotten == Forgotten::Resume,
        only_syn: false,
        unknown,
        unknown_own: unknown,
    }
}

/// The firewall of a host, which tracks connections as Linux does.
fn own(wall: &Firewall) -> gateway::Firewall {
    let all = gateway::Firewall::new(verdict(wall.inward), verdict(wall.outward)).as_linux(true);
    wall.rules.iter().map(rule).fold(all, gateway::Firewall::with_rule)
}

fn rule(rule: &Rule) -> gateway::Rule {
    let range = |text: &Option<String>| {
        let (address, bits) = addresses(text.as_ref()?)?;
        Some(Prefix { address, bits })
    };
    gateway::Rule {
        way: match rule.way {
            Way::In => gateway::Way::In,
            Way::Out => gateway::Way::Out,
        },
        to: range(&rule.to),
        ports: rule.port.map(|ports| Ports { first: ports.first, last: ports.last }),
        from: range(&rule.from),
        verdict: verdict(rule.verdict),
    }
}

const fn verdict(verdict: Verdict) -> gateway::Verdict {
    match verdict {
        Verdict::Accept => gateway::Verdict::Accept,
        Verdict::Drop => gateway::Verdict::Drop,
        Verdict::Reset => gateway::Verdict::Reset,
        Verdict::Prohibit => gateway::Verdict::Prohibit,
    }
}

/// The director with one job of a kind, and of all else what that needs. What says how daemons reach each other stays as
/// it is.
fn director(config: &DirectorConfig, row: &Row, kind: JobKind) -> Option<DirectorConfig> {
    let director = without_tls_director(config.director.clone());
    // A copy has no client in the network, but a resource, as each job has.
    let client = row
        .client
        .clone()
        .or_else(|| config.jobs.iter().find(|job| job.name == row.job).map(|job| job.client.clone()))?;
    let client = Client { tls: None, ..config.client(&client)?.clone() };
    let mut storages = Vec::new();
    for name in row.storages() {
        storages.push(Storage { tls: None, ..config.storage(name)?.clone() });
    }
    let next = row.to.as_ref().map(|_| "next");
    let pool = |name: &str, storage: &str, next: Option<&str>| {
        let label = format!("{name}-");
        made::<Pool>(json!({"name": name, "label_format": label, "storage": storage, "next_pool": next}))
    };
    let mut pools = vec![pool("pool", &row.storage, next)?];
    if let Some(to) = &row.to {
        pools.push(pool("next", to, None)?);
    }
    let reads = kind != JobKind::Backup;
    let mut job = json!({
        "name": row.job, "client": client.name, "fileset": "set", "storage": row.storage, "pool": "pool", "level": "full",
        "kind": if kind == JobKind::Backup { json!("backup") } else { json!(row.kind()) },
    });
    if reads && row.kind == JobKind::Restore {
        job["where"] = json!("/restored");
    }
    Some(DirectorConfig {
        clients: vec![client],
        storages,
        jobs: vec![made(job)?],
        filesets: vec![made(json!({"name": "set", "include": [{"files": ["/data"]}]}))?],
        pools,
        ..DirectorConfig::new(director)
    })
}

/// A file daemon that nothing is known of but what the director's configuration says.
pub(super) fn assumed_file(config: &DirectorConfig, client: &Client) -> Option<FileConfig> {
    let mut file: FileConfig = made(json!({
        "file": {"name": client.name, "port": client.port},
        "directors": [{"name": config.director.name, "password": "?"}],
    }))?;
    for director in &mut file.directors {
        director.password = client.password.clone();
        director.connection_from_director_to_client = client.connection_from_director_to_client;
        director.connection_from_client_to_director = client.connection_from_client_to_director;
    }
    Some(file)
}

/// A storage daemon that nothing is known of but what the director's configuration says of its storages.
pub(super) fn assumed_storage(config: &DirectorConfig, storages: &[&Storage]) -> Option<StorageConfig> {
    let first = storages.first()?;
    let device = |storage: &&Storage| {
        let folder = format!("/volumes/{}", storage.device);
        json!({"name": storage.device, "media_type": storage.media_type, "archive_device": folder})
    };
    let mut daemon: StorageConfig = made(json!({
        "storage": {"name": first.name, "port": first.port},
        "directors": [{"name": config.director.name, "password": "?"}],
        "devices": storages.iter().map(device).collect::<Vec<_>>(),
    }))?;
    for director in &mut daemon.directors {
        director.password = first.password.clone();
    }
    Some(daemon)
}

pub(super) fn without_tls_director(mut director: Director) -> Director {
    director.tls = TlsConfig::off();
    director.source_address = None;
    director
}

pub(super) fn without_tls_file(mut config: FileConfig) -> FileConfig {
    config.file.tls = TlsConfig::off();
    config.file.source_address = None;
    config.directors.iter_mut().for_each(|director| director.tls = None);
    config
}

pub(super) fn without_tls_storage(mut config: StorageConfig) -> StorageConfig {
    config.storage.tls = TlsConfig::off();
    config.storage.source_address = None;
    config.directors.iter_mut().for_each(|director| director.tls = None);
    config
}

/// A resource from its fields. `null` is a field that is not there.
pub(super) fn made<T: DeserializeOwned>(mut fields: Value) -> Option<T> {
    if let Value::Object(object) = &mut fields {
        object.retain(|_, value| !value.is_null());
    }
    serde_json::from_value(fields).ok()
}
