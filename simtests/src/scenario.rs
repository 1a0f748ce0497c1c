//! A scenario: networks, gateways and daemons written down as values, and the region that comes to life from them.
//!
//! ```text
//!                operator .2   dir .1   FD .10   SD .20       192.0.2.0/24
//!                    └───────────┴───┬─────┴────────┘
//!                               gateway .254
//!                          FD .10 ───┴─── SD .20              10.0.0.0/24
//! ```
//! Pieces of configuration are written as in the configuration files, each with a comma at its end.

use std::sync::Arc;
use std::time::Duration;

use towline_core::catalog::JobRow;
use towline_core::config::{DirectorConfig, FileConfig, Password, StorageConfig};
use towline_core::node::{Node, Role};
use towline_core::role::file::FileDaemon;
use towline_core::wire::hello::FILE_PROTOCOL;
use towline_core::wire::names::{PeerKind, PeerName};

use crate::catalog::Catalog;
use crate::daemons::{self, Protection, identity_of};
use crate::disk::{Disk, Files};
use crate::gateway::Gateway;
use crate::hands::MapHands;
use crate::host::HostId;
use crate::network::NetworkId;
use crate::operator::{Heard, Operator, Transcript};
use crate::site::{Config, Site, launch};
use crate::stock::Make;
use crate::town::{read, some_files};
use crate::world::World;

/// The gateway's address outside.
pub const GATEWAY: [u8; 4] = [192, 0, 2, 254];

/// A scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Everything is drawn from it.
    pub seed: u64,
    /// Whether connections are protected, by the simulator's engine.
    pub tls: bool,
    /// Gateways to networks of their own, and the place in this list of the one around; `None`: the open network.
    pub gateways: Vec<(Gateway, Option<usize>)>,
    /// Of the director itself.
    pub director: String,
    /// The place of the gateway that the director and the operator are behind; `None`: they are in the open network.
    pub director_behind: Option<usize>,
    /// The file daemons.
    pub clients: Vec<Station>,
    /// The storage daemons.
    pub storages: Vec<Station>,
    /// Whether the first storage's backups can be copied: jobs `copy` and `migrate` to the second storage; and a second
    /// device of the first, with the jobs `near`, a backup, `copy-near` and `migrate-near`.
    pub copies: bool,
    /// Of each pool.
    pub pool: String,
    /// Bytes that a connection's task moves in one turn, if not as many as in a real daemon.
    pub budget: Option<usize>,
    /// More jobs, each with a comma before it.
    pub jobs: String,
    /// More of the director's configuration, beside its resources.
    pub more: String,
    /// The files of each client.
    pub files: Files,
}

/// A host with a daemon.
#[derive(Clone, Debug, Default)]
pub struct Station {
    /// Name of the daemon and of its host.
    pub name: String,
    /// The place of its gateway; `None`: it is in the open network.
    pub behind: Option<usize>,
    /// Its address there.
    pub address: [u8; 4],
    /// Of the director's resource for it: its address, whether it is passive.
    pub resource: String,
    /// Of the daemon itself.
    pub own: String,
    /// Of its entry for the director.
    pub entry: String,
    /// Whose daemon it is: ours, or a stock one.
    pub make: Make,
    /// The protocol that a file daemon says it is of, if not the newest.
    pub protocol: Option<u32>,
}

impl Station {
    /// A daemon in the open network that is dialled at its own address.
    #[must_use]
    pub fn outside(name: &str, last: u8) -> Self {
        let address = [192, 0, 2, last];
        Self { name: name.to_owned(), address, ..Self::default() }
    }

    /// A daemon behind the first gateway.
    #[must_use]
    pub fn inside(name: &str, last: u8) -> Self {
        let address = [10, 0, 0, last];
        Self { name: name.to_owned(), behind: Some(0), address, ..Self::default() }
    }

    /// A daemon of this make.
    #[must_use]
    pub const fn made(mut self, make: Make) -> Self {
        self.make = make;
        self
    }

    /// A file daemon that says it is of this protocol.
    #[must_use]
    pub const fn of_protocol(mut self, protocol: Option<u32>) -> Self {
        self.protocol = protocol;
        self
    }

    /// Adds pieces to the director's resource for it.
    #[must_use]
    pub fn resource(mut self, pieces: &str) -> Self {
        self.resource.push_str(pieces);
        self
    }

    /// Adds pieces to the daemon itself.
    #[must_use]
    pub fn own(mut self, pieces: &str) -> Self {
        self.own.push_str(pieces);
        self
    }

    /// Adds pieces to its entry for the director.
    #[must_use]
    pub fn entry(mut self, pieces: &str) -> Self {
        self.entry.push_str(pieces);
        self
    }
}

impl Scenario {
    /// A director outside and one network behind a gateway, in clear, with a few small files.
    #[must_use]
    pub fn new(seed: u64, gateway: Gateway) -> Self {
        Self {
            seed,
            tls: false,
            gateways: vec![(gateway, None)],
            director: String::new(),
            director_behind: None,
            clients: Vec::new(),
            storages: Vec::new(),
            copies: false,
            pool: String::new(),
            budget: None,
            jobs: String::new(),
            more: String::new(),
            files: some_files(seed, 10, 30_000),
        }
    }

    /// Adds pieces to the director itself.
    #[must_use]
    pub fn director(mut self, pieces: &str) -> Self {
        self.director.push_str(pieces);
        self
    }

    /// With this file daemon.
    #[must_use]
    pub fn client(mut self, station: Station) -> Self {
        self.clients.push(station);
        self
    }

    /// With this storage daemon.
    #[must_use]
    pub fn storage(mut self, station: Station) -> Self {
        self.storages.push(station);
        self
    }

    /// Starts all daemons, the director last.
    ///
    /// # Panics
    /// If a piece of configuration is none.
    #[must_use]
    pub fn start(self) -> Region {
        let site = self.site();
        let (mut world, networks) = site.ground();
        let mut hosts = (0..site.hosts.len()).map(|place| site.raise((&mut world, &networks), place));
        let mut next = || hosts.next().unwrap_or(HostId(usize::MAX));
        let (director, operator) = (next(), next());
        let mut settle = |station: &Station, disk: Disk| {
            let hands = Arc::new(MapHands::new(disk.clone(), None));
            Running { name: station.name.clone(), host: next(), disk, hands }
        };
        let clients = self.clients.iter().map(|one| settle(one, Disk::with_files(self.files.clone()))).collect();
        let storages = self.storages.iter().map(|one| settle(one, Disk::default())).collect();
        let mut region = Region {
            world,
            networks,
            director,
            operator,
            clients,
            storages,
            catalog: Catalog::default(),
            heard: Heard::default(),
            scenario: self,
        };
        (0..region.storages.len()).for_each(|n| region.start_storage(n));
        (0..region.clients.len()).for_each(|n| region.start_client(n));
        region.start_director();
        region.start_operator();
        region
    }

    /// The networks and hosts of it: the director's, the operator's, those of the clients and those of the storages.
    fn site(&self) -> Site {
        let mut site = Site { seed: self.seed, budget: self.budget, ..Site::default() };
        for (place, (gateway, around)) in self.gateways.iter().enumerate() {
            site.network(&format!("network {place}"), *around, gateway.clone());
        }
        let base = if self.director_behind.is_some() { [10, 0, 0] } else { [192, 0, 2] };
        for (name, last) in [("dir", 1), ("operator", 2)] {
            site.host(name, self.director_behind, [base[0], base[1], base[2], last]);
        }
        for station in self.clients.iter().chain(&self.storages) {
            site.host(&station.name, station.behind, station.address);
        }
        site
    }

    fn of_director(&self) -> DirectorConfig {
        let clients =
            list(&self.clients, |one| format!(r#"(name: "{0}", password: "{0}", {1})"#, one.name, one.resource));
        let storages = list(&self.storages, |one| {
            format!(r#"(name: "{0}", password: "{0}", device: "dev", media_type: "{0}", {1})"#, one.name, one.resource)
        });
        let pools = list(&self.storages, |one| {
            let next = self.storages.get(1).filter(|next| self.copies && next.name != one.name);
            let next = next.map(|next| format!(r#"next_pool: Some("{}")"#, next.name)).unwrap_or_default();
            let pool = &self.pool;
            format!(r#"(name: "{0}", label_format: Some("{0}-"), storage: Some("{0}"), {pool} {next})"#, one.name)
        });
        let (more_storages, more_pools, more_jobs) = self.copying();
        let jobs = list(&self.clients, |client| {
            list(&self.storages, |storage| {
                let (c, s) = (&client.name, &storage.name);
                let job = format!(r#"client: "{c}", fileset: "set", storage: "{s}", pool: "{s}""#);
                format!(
                    r#"(name: "{c}-{s}", level: full, {job}),
                       (name: "restore-{c}-{s}", kind: restore, where: Some("/restored"), {job}),
                       (name: "verify-{c}-{s}", kind: verify, {job})"#
                )
            })
        });
        read(&format!(
            r#"(director: (name: "dir", password: "console", listen: ["0.0.0.0", "::"], {tls} {director}),
                clients: [{clients}], storages: [{storages}{more_storages}], jobs: [{jobs}{more_jobs}{own_jobs}],
                pools: [{pools}{more_pools}],
                filesets: [(name: "set", include: [(files: ["/data"])])], {more})"#,
            tls = self.tls(),
            director = self.director,
            own_jobs = self.jobs,
            more = self.more,
        ))
    }

    /// What copies need besides: storages, pools and jobs, each with a comma before it.
    fn copying(&self) -> (String, String, String) {
        let (true, Some(first), Some(client)) = (self.copies, self.storages.first(), self.clients.first()) else {
            return <(String, String, String)>::default();
        };
        let (name, resource) = (&first.name, &first.resource);
        let storages = format!(
            r#", (name: "second", password: "{name}", device: "dev2", media_type: "second", address: "{name}", {resource})"#
        );
        // The pieces of the resource may say the address themselves.
        let storages = if resource.contains("address:") {
            storages.replace(&format!(r#"address: "{name}", "#), "")
        } else {
            storages
        };
        let pools = r#", (name: "near", label_format: Some("near-"), next_pool: Some("second")),
                        (name: "second", label_format: Some("second-"), storage: Some("second"))"#;
        let job = |job: &str, kind: &str, pool: &str| {
            let client = &client.name;
            format!(
                r#", (name: "{job}", kind: {kind}, level: full, client: "{client}", fileset: "set", storage: "{name}",
                     pool: "{pool}")"#
            )
        };
        let jobs = [
            job("copy", "copy", name),
            job("migrate", "migrate", name),
            job("near", "backup", "near"),
            job("copy-near", "copy", "near"),
            job("migrate-near", "migrate", "near"),
        ];
        (storages, pools.to_owned(), jobs.concat())
    }

    const fn tls(&self) -> &'static str {
        if self.tls { "tls: (enable: true, require: true)," } else { "tls: (enable: false, require: false)," }
    }
}

fn list(stations: &[Station], write: impl Fn(&Station) -> String) -> String {
    stations.iter().map(write).collect::<Vec<_>>().join(", ")
}

/// A daemon of a region.
#[derive(Debug)]
pub struct Running {
    /// Its name.
    pub name: String,
    /// Its host.
    pub host: HostId,
    /// Its disk.
    pub disk: Disk,
    /// What it has open, and what it said.
    pub hands: Arc<MapHands>,
}

/// A scenario that has come to life.
#[derive(Debug)]
pub struct Region {
    /// Its world.
    pub world: World,
    /// The networks behind the gateways, in their order.
    pub networks: Vec<NetworkId>,
    /// The director's host.
    pub director: HostId,
    /// The operator's host.
    pub operator: HostId,
    /// The file daemons.
    pub clients: Vec<Running>,
    /// The storage daemons.
    pub storages: Vec<Running>,
    /// The director's catalog.
    pub catalog: Catalog,
    heard: Heard,
    scenario: Scenario,
}

impl Region {
    /// Starts the director; one that runs is killed.
    pub fn start_director(&mut self) {
        let hands = Arc::new(MapHands::new(Disk::default(), Some(self.catalog.clone())));
        let config = self.scenario.of_director();
        self.launch(self.director, config, Make::Towline, hands);
    }

    /// Starts a storage daemon; one that runs is killed.
    pub fn start_storage(&mut self, n: usize) {
        let (name, host) = (self.storages[n].name.clone(), self.storages[n].host);
        let hands = Arc::new(MapHands::new(self.storages[n].disk.clone(), None));
        let Station { own, entry, make, .. } = &self.scenario.storages[n];
        let make = *make;
        let config: StorageConfig = read(&format!(
            r#"(storage: (name: "{name}", listen: ["0.0.0.0", "::"], {tls} {own}),
                directors: [(name: "dir", password: "{name}", {entry})],
                devices: [(name: "dev", media_type: "{name}", archive_device: "/volumes", maximum_block_size: 65536),
                          (name: "dev2", media_type: "second", archive_device: "/second", maximum_block_size: 65536)])"#,
            tls = self.scenario.tls(),
        ));
        self.storages[n].hands = Arc::clone(&hands);
        self.launch(host, config, make, hands);
    }

    /// Starts a file daemon; one that runs is killed.
    pub fn start_client(&mut self, n: usize) {
        let (name, host) = (self.clients[n].name.clone(), self.clients[n].host);
        let hands = Arc::new(MapHands::new(self.clients[n].disk.clone(), None));
        let Station { own, entry, make, protocol, .. } = &self.scenario.clients[n];
        let (make, protocol) = (*make, protocol.unwrap_or(FILE_PROTOCOL));
        let config: FileConfig = read(&format!(
            r#"(file: (name: "{name}", listen: ["0.0.0.0"], {tls} {own}),
                directors: [(name: "dir", password: "{name}", {entry})])"#,
            tls = self.scenario.tls(),
        ));
        let protection = self.protection();
        let role = FileDaemon::new(Arc::new(config), protection.credentials_of(make), identity_of(make));
        let own = PeerName::new(PeerKind::Client, &name);
        let node = daemons::node_of(make, &mut self.world, host, role.of_protocol(protocol), (&own, protection));
        self.clients[n].hands = Arc::clone(&hands);
        self.world.start(host, node, hands);
    }

    /// Starts an operator, who has heard nothing yet.
    pub fn start_operator(&mut self) {
        self.heard = Heard::default();
        let role = Operator::new(Password::new("console"), ("dir", 9101), self.protection(), self.heard.clone());
        let node = self.node(self.operator, role, PeerKind::Console, "operator");
        self.world.start(self.operator, node, Arc::new(MapHands::new(Disk::default(), None)));
    }

    /// Starts one more console on a host, which says nothing by itself; returns what it hears.
    pub fn start_console(&mut self, host: HostId) -> Heard {
        let heard = Heard::default();
        let role = Operator::new(Password::new("console"), ("dir", 9101), self.protection(), heard.clone());
        let node = self.node(host, role, PeerKind::Console, "console");
        self.world.start(host, node, Arc::new(MapHands::new(Disk::default(), None)));
        heard
    }

    /// Starts a file daemon that no director knows on a host; it dials the director and waits there if it is let in.
    pub fn start_impostor(&mut self, host: HostId, name: &str, own: &str) {
        let config: FileConfig = read(&format!(
            r#"(file: (name: "{name}", {tls} {own}),
                directors: [(name: "dir", password: "{name}", address: Some("dir"),
                    connection_from_client_to_director: true, connection_from_director_to_client: false)])"#,
            tls = self.scenario.tls(),
        ));
        self.launch(host, config, Make::Towline, Arc::new(MapHands::new(Disk::default(), None)));
    }

    /// What the operator has heard so far.
    #[must_use]
    pub fn heard(&self) -> Transcript {
        self.heard.look()
    }

    /// The operator says a line and hears the answer to its end; `None` if that does not come.
    pub fn say(&mut self, line: &str, within: Duration) -> Option<String> {
        self.heard.say(&mut self.world, self.operator, line, within)
    }

    /// Has the operator order a job; returns its number if the director took it.
    pub fn order(&mut self, line: &str) -> Option<u32> {
        self.heard.order(&mut self.world, self.operator, line)
    }

    /// Goes on until a job has ended, at most so long.
    pub fn await_end(&mut self, job: u32, within: Duration) -> Option<JobRow> {
        let mut has_ended = self.catalog.watch(job);
        self.world.run_until(within, |_| has_ended());
        self.catalog.ended(job)
    }

    /// All report lines of a job.
    #[must_use]
    pub fn report(&self, job: u32) -> String {
        self.catalog.report(job)
    }

    /// What a client got back, by the names the files were saved under.
    #[must_use]
    pub fn restored(&self, client: usize) -> Files {
        self.clients[client].disk.restored()
    }

    /// What each client had to save.
    #[must_use]
    pub const fn saved(&self) -> &Files {
        &self.scenario.files
    }

    fn launch(&mut self, host: HostId, config: impl Into<Config>, make: Make, hands: Arc<MapHands>) {
        let how = (make, self.protection());
        launch(&mut self.world, host, config.into(), how, hands);
    }

    fn node<R: Role>(&mut self, host: HostId, role: R, kind: PeerKind, name: &str) -> Node<R> {
        let protection = self.protection();
        daemons::node(&mut self.world, host, role, &PeerName::new(kind, name), protection)
    }

    pub(crate) const fn protection(&self) -> Protection {
        if self.scenario.tls { Protection::Toy } else { Protection::Clear }
    }
}
