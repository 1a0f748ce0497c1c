//! A director, a storage daemon, a file daemon and an operator, each on a host of its own, ready to run jobs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use towline_core::catalog::JobRow;
use towline_core::config::{
    self, ConsoleAccess, Destination, DestinationKind, Digest, DirectorConfig, FileConfig, FileDirector,
    IncludeOptions, Job, JobKind, Level, Messages, Missed, MonitoredClient, MonitoredDirector, MonitoredStorage,
    Password, Schedule, Seconds, StorageConfig, StorageDirector, TrayConfig,
};
use towline_core::node::Node;
use towline_core::notice::{DaemonView, Notice};
use towline_core::role::identity::Credentials;
use towline_core::role::tray::{Tray, Watch};
use towline_core::wire::names::{PeerKind, PeerName};

use crate::catalog::Catalog;
use crate::daemons::{self, Protection};
use crate::disk::{Disk, Files};
use crate::hands::MapHands;
use crate::host::HostId;
use crate::operator::{Heard, Operator, Transcript};
use crate::ready;
use crate::rng::Rng;
use crate::site::{Config, Site, launch};
use crate::stock::Make;
use crate::world::World;

/// The file on the client's disk that its messages are appended to.
const MESSAGES: &str = "/messages";

/// What may differ between towns.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Everything is drawn from it.
    pub seed: u64,
    /// Whether connections are protected, by the simulator's engine.
    pub tls: bool,
    /// The files of the client.
    pub files: Files,
    /// What the director believes to be the file daemon's and the storage daemon's password.
    pub passwords: (String, String),
    /// Bytes a second between any two hosts.
    pub rate: u64,
    /// Who may dial whom between director and client.
    pub directions: Directions,
    /// Whether the storage daemon dials the client.
    pub passive: bool,
    /// Seconds after which the client's return starts a backup (`wire/1 §8.6`); 0 for never.
    pub run_on_connect: u64,
    /// How long the job `backup` waits for its client, in seconds; 0 for not at all.
    pub wait_for_client: u64,
    /// How long the director tries to reach the client for a job, in seconds.
    pub fd_connect_timeout: u64,
    /// The heartbeat interval of all daemons, in seconds.
    pub heartbeat: u64,
    /// Whether the job `backup` is made up for after a time without a director.
    pub makes_up: bool,
    /// The director's schedules; the job `backup` goes by one named `nightly`, the job `verify` by one named `verified`, if
    /// there is one.
    pub schedules: Vec<Schedule>,
}

impl Plan {
    /// A town in clear with a few files of all sizes, some hundred kilobytes in all.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            tls: false,
            files: some_files(seed, 24, 60_000),
            passwords: ("file".to_owned(), "storage".to_owned()),
            schedules: Vec::new(),
            makes_up: false,
            rate: 10_000_000,
            directions: Directions::DIRECTOR,
            passive: false,
            run_on_connect: 0,
            wait_for_client: 0,
            fd_connect_timeout: 180,
            heartbeat: 60,
        }
    }
}

/// Who may dial whom between director and client, in the configurations of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directions {
    /// Whether the client dials the director and waits there.
    pub from_client: bool,
    /// Whether the director dials the client.
    pub from_director: bool,
}

impl Directions {
    /// Only the director dials.
    pub const DIRECTOR: Self = Self { from_client: false, from_director: true };
    /// Only the client dials.
    pub const CLIENT: Self = Self { from_client: true, from_director: false };
    /// Both dial.
    pub const BOTH: Self = Self { from_client: true, from_director: true };
}

/// So many files below `/data`, of up to so many bytes.
#[must_use]
pub fn some_files(seed: u64, count: usize, most: usize) -> Files {
    let mut rng = Rng::new(seed);
    let mut file = |n: usize| {
        let size = if n.is_multiple_of(5) { 0 } else { rng.size(most) };
        let contents = (0..size).map(|_| rng.next().to_le_bytes()[0]).collect();
        (format!("/data/file-{n:03}").into_bytes(), contents)
    };
    (0..count).map(&mut file).collect()
}

/// The town.
#[derive(Debug)]
pub struct Town {
    /// Its world.
    pub world: World,
    /// The host `dir`.
    pub director: HostId,
    /// The host `sd`.
    pub storage: HostId,
    /// The host `fd`.
    pub client: HostId,
    /// The host `operator`.
    pub operator: HostId,
    /// The client's disk.
    pub files: Disk,
    /// The storage daemon's disk.
    pub volumes: Disk,
    /// The director's catalog.
    pub catalog: Catalog,
    /// What the director's hands hold.
    pub director_hands: Arc<MapHands>,
    /// What the storage daemon's hands hold.
    pub storage_hands: Arc<MapHands>,
    /// What the file daemon's hands hold.
    pub client_hands: Arc<MapHands>,
    heard: Heard,
    plan: Plan,
    twins: u8,
}

/// A tray monitor that runs.
#[derive(Debug)]
pub struct Monitor {
    /// Its host.
    pub host: HostId,
    hands: Arc<MapHands>,
}

impl Monitor {
    /// What it has told of each daemon, the newest of each: director, file daemon, storage daemon.
    #[must_use]
    pub fn views(&self) -> Vec<DaemonView> {
        let mut newest = BTreeMap::new();
        for notice in self.hands.notices() {
            if let Notice::Watched(view) = notice {
                newest.insert(view.place, *view);
            }
        }
        newest.into_values().collect()
    }
}

impl Town {
    /// A town whose daemons have just started.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let mut site = Site { seed: plan.seed, ..Site::default() };
        for (name, last) in [("dir", 1), ("sd", 2), ("fd", 3), ("operator", 4)] {
            site.host(name, None, [10, 0, 0, last]);
        }
        let (mut world, networks) = site.ground();
        let [director, storage, client, operator] =
            [0, 1, 2, 3].map(|place| site.raise((&mut world, &networks), place));
        for (one, two) in [(director, storage), (director, client), (storage, client)] {
            world.link(one, two, |link| link.rate = plan.rate);
        }
        let (files, volumes) = (Disk::with_files(plan.files.clone()), Disk::default());
        let mut town = Self {
            world,
            director,
            storage,
            client,
            operator,
            director_hands: Arc::new(MapHands::new(Disk::default(), None)),
            storage_hands: Arc::new(MapHands::new(volumes.clone(), None)),
            client_hands: Arc::new(MapHands::new(files.clone(), None)),
            files,
            volumes,
            catalog: Catalog::default(),
            heard: Heard::default(),
            plan,
            twins: 0,
        };
        town.start_storage();
        town.start_client();
        town.start_director();
        town.start_operator();
        town
    }

    /// Starts the director; one that runs is killed.
    pub fn start_director(&mut self) {
        self.director_hands = Arc::new(MapHands::new(Disk::default(), Some(self.catalog.clone())));
        self.launch(self.director, director(&self.plan), self.director_hands.clone());
    }

    /// Starts the storage daemon; one that runs is killed.
    pub fn start_storage(&mut self) {
        self.storage_hands = Arc::new(MapHands::new(self.volumes.clone(), None));
        self.launch(self.storage, storage(&self.plan), self.storage_hands.clone());
    }

    /// Starts the file daemon; one that runs is killed.
    pub fn start_client(&mut self) {
        self.client_hands = Arc::new(MapHands::new(self.files.clone(), None));
        self.launch(self.client, client(&self.plan), self.client_hands.clone());
    }

    /// Starts one more daemon with the client's name and configuration, on a host of its own.
    pub fn start_twin(&mut self) -> HostId {
        self.twins += 1;
        let host = self.world.add_host("twin", [10, 0, 1, self.twins].into());
        let hands = Arc::new(MapHands::new(self.files.clone(), None));
        self.launch(host, client(&self.plan), hands);
        host
    }

    /// What the client has appended to its file of messages.
    #[must_use]
    pub fn messages(&self) -> String {
        let store = self.files.store();
        store.files.get(MESSAGES.as_bytes()).map(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default()
    }

    /// Starts an operator, who has heard nothing yet.
    pub fn start_operator(&mut self) {
        self.heard = Heard::default();
        let role = Operator::new(Password::new("console"), ("dir", 9101), self.protection(), self.heard.clone());
        let node = self.node(self.operator, role, PeerKind::Console, "operator");
        self.world.start(self.operator, node, Arc::new(MapHands::new(Disk::default(), None)));
    }

    /// Starts a tray monitor of all three daemons on a host of its own. It looks every 60 s, and gives each daemon 10 s.
    pub fn start_monitor(&mut self, watch: Watch) -> Monitor {
        let host = self.world.add_host("monitor", [10, 0, 0, 5].into());
        let hands = Arc::new(MapHands::new(Disk::default(), None));
        let role = Tray::new(Arc::new(monitor(&self.plan)), self.credentials(), watch);
        let node = self.node(host, role, PeerKind::Console, "mon");
        self.world.start(host, node, hands.clone());
        Monitor { host, hands }
    }

    /// What the operator has heard.
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

    /// A job of the catalog, once it has ended.
    #[must_use]
    pub fn ended(&self, job: u32) -> Option<JobRow> {
        self.catalog.ended(job)
    }

    /// Goes on until a job has ended, at most so long.
    pub fn await_end(&mut self, job: u32, within: Duration) -> Option<JobRow> {
        let mut has_ended = self.catalog.watch(job);
        self.world.run_until(within, |_| has_ended());
        self.ended(job)
    }

    /// What was restored, by the names the files were saved under.
    #[must_use]
    pub fn restored(&self) -> Files {
        self.files.restored()
    }

    /// All report lines of a job.
    #[must_use]
    pub fn report(&self, job: u32) -> String {
        self.catalog.report(job)
    }

    fn launch(&mut self, host: HostId, config: impl Into<Config>, hands: Arc<MapHands>) {
        let how = (Make::Towline, self.protection());
        launch(&mut self.world, host, config.into(), how, hands);
    }

    fn node<R: towline_core::node::Role>(&mut self, host: HostId, role: R, kind: PeerKind, name: &str) -> Node<R> {
        let protection = self.protection();
        daemons::node(&mut self.world, host, role, &PeerName::new(kind, name), protection)
    }

    fn credentials(&self) -> Credentials {
        self.protection().credentials()
    }

    const fn protection(&self) -> Protection {
        if self.plan.tls { Protection::Toy } else { Protection::Clear }
    }
}

fn director(plan: &Plan) -> DirectorConfig {
    let mut config = ready::director("fd", "sd");
    let own = |text: &str| text.to_owned();
    let director = &mut config.director;
    (director.tls, director.heartbeat_interval) = (ready::tls(plan.tls), Seconds(plan.heartbeat));
    director.fd_connect_timeout = Seconds(plan.fd_connect_timeout);
    let client = &mut config.clients[0];
    (client.password, client.passive) = (Password::new(plan.passwords.0.as_str()), plan.passive);
    client.connection_from_client_to_director = plan.directions.from_client;
    client.connection_from_director_to_client = plan.directions.from_director;
    config.storages[0].password = Password::new(plan.passwords.1.as_str());
    let by = |name: &str| plan.schedules.iter().find(|schedule| schedule.name == name).map(|found| found.name.clone());
    let backup = &mut config.jobs[0];
    (backup.level, backup.schedule) = (Level::Full, by("nightly"));
    backup.run_on_incoming_connect_interval = Seconds(plan.run_on_connect);
    backup.wait_for_client = Seconds(plan.wait_for_client);
    backup.missed = if plan.makes_up { Missed::Run } else { Missed::Skip };
    let verify = ready::job("verify", "fd", "sd", "pool");
    config.jobs.push(Job { kind: JobKind::Verify, schedule: by("verified"), ..verify });
    let options = IncludeOptions { digest: Digest::Xxh128, ..IncludeOptions::default() };
    config.filesets[0].include[0].options = vec![options];
    config.schedules.clone_from(&plan.schedules);
    let monitor = ConsoleAccess::new(own("mon"), Password::new("monitor"));
    let all = || vec![own("*all*")];
    config.consoles =
        vec![ConsoleAccess { command_acl: vec![own("status")], job_acl: all(), client_acl: all(), ..monitor }];
    config
}

fn monitor(plan: &Plan) -> TrayConfig {
    let own = |text: &str| text.to_owned();
    let password = || Password::new("monitor");
    let mut config = TrayConfig::new(config::Monitor { tls: ready::tls(plan.tls), ..config::Monitor::new(own("mon")) });
    config.directors = vec![MonitoredDirector::new(own("dir"), own("dir"), password())];
    config.clients = vec![MonitoredClient::new(own("fd"), own("fd"), password())];
    config.storages = vec![MonitoredStorage::new(own("sd"), own("sd"), password())];
    config
}

fn storage(plan: &Plan) -> StorageConfig {
    let mut config = ready::storage();
    (config.storage.tls, config.storage.heartbeat_interval) = (ready::tls(plan.tls), Seconds(plan.heartbeat));
    let monitor = StorageDirector::new("mon".to_owned(), Password::new("monitor"));
    config.directors.push(StorageDirector { monitor: true, ..monitor });
    config
}

fn client(plan: &Plan) -> FileConfig {
    let mut config = ready::client("dir");
    (config.file.tls, config.file.heartbeat_interval) = (ready::tls(plan.tls), Seconds(plan.heartbeat));
    config.directors[0].connection_from_client_to_director = plan.directions.from_client;
    config.directors[0].connection_from_director_to_client = plan.directions.from_director;
    let monitor = FileDirector::new("mon".to_owned(), Password::new("monitor"));
    config.directors.push(FileDirector { monitor: true, ..monitor });
    let append = Destination { to: vec![MESSAGES.to_owned()], ..Destination::new(DestinationKind::Append) };
    let destinations = vec![Destination::new(DestinationKind::Director), append];
    config.messages = vec![Messages { destinations, ..Messages::new("m".to_owned()) }];
    config
}
