//! A case as a site: boxes, addresses, names and the configurations of the daemons.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use towline_core::config::{DirectorConfig, FileConfig, Seconds, StorageConfig};
use towline_simtests::gateway::{Gateway, Unknown, Verdict};
use towline_simtests::oracle::{Case, Given, Heartbeat, Mode, Place, View, Who};
use towline_simtests::range::Prefix;
use towline_simtests::ready;
use towline_simtests::site::{Config, Daemon, Machine, Name, Network, Site};

/// After how many silent seconds a box forgets a connection.
pub(crate) const IDLE: u64 = 240;
/// How long somebody is dialled.
const PATIENCE: Seconds = Seconds::secs(40);
/// The network of client and storage daemon in the director's configuration.
const SITE: &str = "site";

/// The configurations that those of all cases are made from.
#[derive(Debug)]
pub(crate) struct Plans {
    director: DirectorConfig,
    storage: StorageConfig,
    file: FileConfig,
}

impl Plans {
    pub(crate) fn new() -> Self {
        let (mut director, mut storage, mut file) =
            (ready::director("fd", "sd"), ready::storage(), ready::client("dir"));
        director.director.fd_connect_timeout = PATIENCE;
        director.director.sd_connect_timeout = PATIENCE;
        storage.storage.fd_connect_timeout = PATIENCE;
        file.file.sd_connect_timeout = PATIENCE;
        Self { director, storage, file }
    }

    /// The site of a case. Its hosts and daemons stand in the order of [`Who::ALL`].
    pub(crate) fn site(&self, case: &Case) -> Site {
        let mut site = Site {
            seed: 1,
            open: vec![Prefix { address: [192, 0, 2, 0].into(), bits: 24 }],
            files: [(b"/data/file".to_vec(), vec![7; 3_000].into())].into(),
            ..Site::default()
        };
        for who in Who::ALL {
            let network = network(case, who, &mut site.networks);
            site.hosts.push(Machine::new(name(who), network, inner(case, who)));
            site.names.extend(names(case, who));
        }
        site.daemons = vec![
            Daemon::new(0, Config::Director(Box::new(self.director(case)))),
            Daemon::new(1, Config::File(Box::new(self.file(case)))),
            Daemon::new(2, Config::Storage(Box::new(self.storage(case)))),
        ];
        site
    }

    fn director(&self, case: &Case) -> DirectorConfig {
        let mut config = self.director.clone();
        config.director.heartbeat_interval = interval(case);
        let has = |given: Given, who: Who| given == Given::Both || given == Given::One && case.dialled() == who;
        let own = |who: Who| inner(case, who).to_string();
        let networks = |who| if has(case.networks, who) { [(SITE.to_owned(), own(who))].into() } else { [].into() };
        for client in &mut config.clients {
            client.passive = case.mode == Mode::Passive;
            let (from_client, from_director) = directions(case.mode);
            client.connection_from_client_to_director = from_client;
            client.connection_from_director_to_client = from_director;
            client.lan_address = has(case.lan_address, Who::Client).then(|| own(Who::Client));
            client.networks = networks(Who::Client);
        }
        for storage in &mut config.storages {
            storage.lan_address = has(case.lan_address, Who::Storage).then(|| own(Who::Storage));
            storage.networks = networks(Who::Storage);
        }
        config
    }

    fn storage(&self, case: &Case) -> StorageConfig {
        let mut config = self.storage.clone();
        config.storage.heartbeat_interval = interval(case);
        config
    }

    fn file(&self, case: &Case) -> FileConfig {
        let mut config = self.file.clone();
        config.file.heartbeat_interval = interval(case);
        let (from_client, from_director) = directions(case.mode);
        for director in &mut config.directors {
            director.connection_from_client_to_director = from_client;
            director.connection_from_director_to_client = from_director;
        }
        config
    }
}

/// The port that somebody listens on.
pub(crate) const fn port(who: Who) -> u16 {
    match who {
        Who::Director => 9101,
        Who::Client => 9102,
        Who::Storage => 9103,
    }
}

/// Whether the client dials the director, and the director the client.
const fn directions(mode: Mode) -> (bool, bool) {
    match mode {
        Mode::Default | Mode::Passive => (false, true),
        Mode::ClientInitiated => (true, false),
        Mode::Both => (true, true),
    }
}

const fn interval(case: &Case) -> Seconds {
    Seconds::secs(match case.heartbeat {
        Heartbeat::Below => IDLE - 1,
        Heartbeat::At => IDLE,
        Heartbeat::Above => IDLE + 1,
        Heartbeat::Off => 0,
    })
}

const fn name(who: Who) -> &'static str {
    match who {
        Who::Director => "dir",
        Who::Client => "fd",
        Who::Storage => "sd",
    }
}

/// The address that somebody has in its LAN.
fn inner(case: &Case, who: Who) -> IpAddr {
    let (lan, last) = (case.row.lan(who), who as u8 + 1);
    match case.row.place(who) {
        Place::Open => [192, 0, 2, last].into(),
        Place::Home | Place::Forwarded | Place::Carrier => [10, 0, lan, last].into(),
        Place::OutOnly | Place::InOnly => [198, 51, 100, 16 * lan + last].into(),
    }
}

/// The address of the outermost box around somebody.
fn around(case: &Case, who: Who) -> IpAddr {
    [192, 0, 2, 200 + case.row.lan(who)].into()
}

/// The address at which those outside know somebody.
fn outer(case: &Case, who: Who) -> IpAddr {
    if case.row.place(who).is_translated() { around(case, who) } else { inner(case, who) }
}

/// Where somebody is among the networks, which are made at the first one who is there.
fn network(case: &Case, who: Who, networks: &mut Vec<Network>) -> Option<usize> {
    let place = case.row.place(who);
    if place == Place::Open {
        return None;
    }
    let name = format!("lan-{}", case.row.lan(who));
    if let Some(known) = networks.iter().position(|network| network.name == name) {
        return Some(known);
    }
    let mut outside = None;
    let forget = |gateway: Gateway| {
        let mut gateway = gateway.forgets(Duration::from_secs(IDLE), Unknown::Drop);
        gateway.loose = case.loose;
        gateway
    };
    let gateway = match place {
        Place::Open => return None,
        Place::Home | Place::Forwarded => {
            let here = Who::ALL.into_iter().filter(|other| case.row.together(who, *other));
            here.filter(|other| case.row.place(*other) == Place::Forwarded)
                .fold(Gateway::masquerading(around(case, who)), |gateway, other| {
                    gateway.forward(port(other), SocketAddr::new(inner(case, other), port(other)))
                })
        }
        Place::Carrier => {
            let carrier = forget(Gateway::masquerading(around(case, who)));
            networks.push(Network::new(&format!("carrier of {name}"), None, carrier));
            outside = Some(networks.len() - 1);
            Gateway::masquerading([100, 64, 0, 1])
        }
        Place::OutOnly => Gateway::routing(around(case, who)).policy(Verdict::Drop, Verdict::Accept),
        Place::InOnly => Gateway::routing(around(case, who)).policy(Verdict::Accept, Verdict::Drop),
    };
    networks.push(Network::new(&name, outside, forget(gateway)));
    Some(networks.len() - 1)
}

/// What somebody's name resolves to. Its own address it is without this.
fn names(case: &Case, who: Who) -> Vec<Name> {
    let of = |address, seen_by| Name { name: name(who).to_owned(), addresses: vec![address], seen_by };
    let neighbours = Who::ALL.into_iter().filter(|other| case.row.together(who, *other)).map(|other| other as usize);
    match case.view {
        View::Inner => Vec::new(),
        View::Public => vec![of(outer(case, who), Vec::new())],
        View::Split => vec![of(outer(case, who), Vec::new()), of(inner(case, who), neighbours.collect())],
    }
}
