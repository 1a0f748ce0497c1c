//! A scenario: networks, gateways and daemons written down as values, and the region that comes to life from them.
//!
//! ```text
//!                operator .2   dir .1   FD .10   SD .20       192.0.2.0/24
//!                    └───────────┴───┬─────┴────────┘
//!                               gateway .254
//!                          FD .10 ───┴─── SD .20              10.0.0.0/24
//! ```

use std::sync::Arc;
use std::time::Duration;

use towline_core::catalog::JobRow;
use towline_core::config::{
    Director, DirectorConfig, FileSet, Include, Job, JobKind, Level, Password, Pool, Schedule, Seconds, Storage,
    TlsConfig,
};
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
use crate::ready;
use crate::site::{Config, Site, launch};
use crate::station::{ClientStation, StorageStation};
use crate::stock::Make;
use crate::town::some_files;
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
    /// The director itself.
    pub director: Director,
    /// The place of the gateway that the director and the operator are behind; `None`: they are in the open network.
    pub director_behind: Option<usize>,
    /// The file daemons.
    pub clients: Vec<ClientStation>,
    /// The storage daemons.
    pub storages: Vec<StorageStation>,
    /// The level of the backups of each client to each storage.
    pub level: Level,
    /// Whether the first storage's backups can be copied: jobs `copy` and `migrate` to the second storage; and a second
    /// device of the first, with the jobs `near`, a backup, `copy-near` and `migrate-near`.
    pub copies: bool,
    /// What each pool is besides its name, its storage and what it is copied to.
    pub pool: Pool,
    /// Bytes that a connection's task moves in one turn, if not as many as in a real daemon.
    pub budget: Option<usize>,
    /// More jobs.
    pub jobs: Vec<Job>,
    /// The director's schedules.
    pub schedules: Vec<Schedule>,
    /// The files of each client.
    pub files: Files,
}

impl Scenario {
    /// A director outside and one network behind a gateway, in clear, with a few small files.
    #[must_use]
    pub fn new(seed: u64, gateway: Gateway) -> Self {
        Self {
            seed,
            tls: false,
            gateways: vec![(gateway, None)],
            director: Director {
                listen: ready::anywhere_of_both(),
                ..Director::new("dir".to_owned(), Password::new("console"))
            },
            director_behind: None,
            clients: Vec::new(),
            storages: Vec::new(),
            level: Level::Full,
            copies: false,
            pool: Pool::new(String::new()),
            budget: None,
            jobs: Vec::new(),
            schedules: Vec::new(),
            files: some_files(seed, 10, 30_000),
        }
    }

    /// With the director itself changed.
    #[must_use]
    pub fn director(mut self, change: impl FnOnce(&mut Director)) -> Self {
        change(&mut self.director);
        self
    }

    /// With this file daemon.
    #[must_use]
    pub fn client(mut self, station: ClientStation) -> Self {
        self.clients.push(station);
        self
    }

    /// With this storage daemon.
    #[must_use]
    pub fn storage(mut self, station: StorageStation) -> Self {
        self.storages.push(station);
        self
    }

    /// Starts all daemons, the director last.
    #[must_use]
    pub fn start(self) -> Region {
        let site = self.site();
        let (mut world, networks) = site.ground();
        let mut hosts = (0..site.hosts.len()).map(|place| site.raise((&mut world, &networks), place));
        let mut next = || hosts.next().unwrap_or(HostId(usize::MAX));
        let (director, operator) = (next(), next());
        let mut settle = |name: &str, disk: Disk| {
            let hands = Arc::new(MapHands::new(disk.clone(), None));
            Running { name: name.to_owned(), host: next(), disk, hands }
        };
        let clients = self.clients.iter().map(|one| settle(&one.name, Disk::with_files(self.files.clone()))).collect();
        let storages = self.storages.iter().map(|one| settle(&one.name, Disk::default())).collect();
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
        for station in &self.clients {
            site.host(&station.name, station.behind, station.address);
        }
        for station in &self.storages {
            site.host(&station.name, station.behind, station.address);
        }
        site
    }

    fn of_director(&self) -> DirectorConfig {
        let mut config = DirectorConfig::new(Director { tls: self.tls(), ..self.director.clone() });
        config.clients = self.clients.iter().map(|client| client.resource.clone()).collect();
        config.storages = self.storages.iter().map(|storage| storage.resource.clone()).collect();
        config.pools = self.storages.iter().map(|storage| self.pool_of(&storage.name)).collect();
        config.filesets = vec![FileSet::new("set".to_owned(), vec![Include::new(vec!["/data".to_owned()])])];
        config.schedules.clone_from(&self.schedules);
        for client in &self.clients {
            for storage in &self.storages {
                let (client, storage) = (&client.name, &storage.name);
                let job = |name: String| ready::job(&name, client, storage, storage);
                let restore = job(format!("restore-{client}-{storage}"));
                config.jobs.extend([
                    Job { level: self.level, ..job(format!("{client}-{storage}")) },
                    Job { kind: JobKind::Restore, r#where: Some("/restored".to_owned()), ..restore },
                    Job { kind: JobKind::Verify, ..job(format!("verify-{client}-{storage}")) },
                ]);
            }
        }
        if self.copies {
            self.add_copies(&mut config);
        }
        config.jobs.extend(self.jobs.iter().cloned());
        config
    }

    /// The pool of a storage.
    fn pool_of(&self, storage: &str) -> Pool {
        let next = self.storages.get(1).filter(|next| self.copies && next.name != storage);
        Pool {
            name: storage.to_owned(),
            label_format: Some(format!("{storage}-")),
            storage: Some(storage.to_owned()),
            next_pool: next.map(|next| next.name.clone()),
            ..self.pool.clone()
        }
    }

    /// What copies need besides: a storage, pools and jobs.
    fn add_copies(&self, config: &mut DirectorConfig) {
        let (Some(first), Some(client)) = (self.storages.first(), self.clients.first()) else { return };
        let own = |text: &str| text.to_owned();
        let resource = first.resource.clone();
        config.storages.push(Storage {
            name: own("second"),
            device: own("dev2"),
            media_type: own("second"),
            ..resource
        });
        let pool = |name: &str| Pool { label_format: Some(format!("{name}-")), ..Pool::new(own(name)) };
        config.pools.push(Pool { next_pool: Some(own("second")), ..pool("near") });
        config.pools.push(Pool { storage: Some(own("second")), ..pool("second") });
        let jobs = [
            ("copy", JobKind::Copy, first.name.as_str()),
            ("migrate", JobKind::Migrate, &first.name),
            ("near", JobKind::Backup, "near"),
            ("copy-near", JobKind::Copy, "near"),
            ("migrate-near", JobKind::Migrate, "near"),
        ];
        config.jobs.extend(jobs.map(|(name, kind, pool)| Job {
            kind,
            level: Level::Full,
            ..ready::job(name, &client.name, &first.name, pool)
        }));
    }

    fn tls(&self) -> TlsConfig {
        ready::tls(self.tls)
    }
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
        let hands = Arc::new(MapHands::new(self.storages[n].disk.clone(), None));
        let StorageStation { own, make, .. } = &self.scenario.storages[n];
        let (mut config, make, host) = (own.clone(), *make, self.storages[n].host);
        config.storage.tls = self.scenario.tls();
        self.storages[n].hands = Arc::clone(&hands);
        self.launch(host, config, make, hands);
    }

    /// Starts a file daemon; one that runs is killed.
    pub fn start_client(&mut self, n: usize) {
        let (name, host) = (self.clients[n].name.clone(), self.clients[n].host);
        let hands = Arc::new(MapHands::new(self.clients[n].disk.clone(), None));
        let ClientStation { own, make, protocol, .. } = &self.scenario.clients[n];
        let (mut config, make, protocol) = (own.clone(), *make, protocol.unwrap_or(FILE_PROTOCOL));
        config.file.tls = self.scenario.tls();
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

    /// Starts a file daemon that no director knows on a host, with this heartbeat interval; it dials the director and waits there
    /// if it is let in.
    pub fn start_impostor(&mut self, host: HostId, name: &str, heartbeat: Seconds) {
        let mut config = ClientStation::outside(name, 0).dials("dir").own;
        (config.file.tls, config.file.heartbeat_interval) = (self.scenario.tls(), heartbeat);
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
