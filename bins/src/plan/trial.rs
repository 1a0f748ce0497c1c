//! One row tried: whether it can be, and the verdict over its runs.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use towline_core::config::{JobKind, Seconds};
use towline_core::node::Number;
use towline_simtests::calls::Outcome;

use super::rows::Row;
use super::run::{Run, saved};
use super::setup::{Given, Saved};
use super::topology::Topology;

/// What came of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The job ends well.
    Works,
    /// It does, unless a connection is silent for this long.
    WorksUntilIdle(Seconds),
    /// It does not.
    Fails,
    /// The topology does not say enough: this is missing.
    Unknown(String),
}

/// A row with all that is known of it.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    /// The row.
    pub(super) row: Row,
    /// What came of it.
    pub(super) verdict: Verdict,
    /// Its connections, in the order in which they were dialled first.
    pub(super) connections: Vec<Connection>,
    /// What each daemon logged last as a warning or an error, by its name. Of a job that works nothing.
    pub(super) logs: Vec<(String, String)>,
    /// How long the job took to fail.
    pub(super) after: Option<Duration>,
    /// What to change.
    pub(super) advice: Option<String>,
}

/// A connection, dialled once or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    /// Which of the overview it is.
    pub(super) number: Number,
    /// The name of the daemon that dialled.
    pub(super) from: String,
    /// The name of the daemon that was meant.
    pub(super) to: String,
    /// The address that was dialled.
    pub(super) address: SocketAddr,
    /// How often.
    pub(super) dials: usize,
    /// What came of the last one.
    pub(super) outcome: Outcome,
    /// What stopped it, and why.
    pub(super) stop: Option<(Barrier, &'static str)>,
}

/// A box of the topology, or an edge, that stops connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Barrier {
    /// The gateway of a network.
    Gateway(String),
    /// The firewall of a host.
    Firewall(String),
    /// What connects a host with its network, or a network's gateway with the one around.
    Uplink(Uplink),
}

/// What connects something with all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Uplink {
    /// A host.
    Host(String),
    /// The gateway of a network.
    Network(String),
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gateway(network) => write!(f, "the gateway of {network:?}"),
            Self::Firewall(host) => write!(f, "the firewall of {host:?}"),
            Self::Uplink(Uplink::Host(host)) => write!(f, "the uplink of host {host:?}"),
            Self::Uplink(Uplink::Network(network)) => write!(f, "the uplink of network {network:?}"),
        }
    }
}

impl Tried {
    /// A row of which this is not known.
    pub(super) fn unknown(row: &Row, missing: String) -> Self {
        Self {
            row: row.clone(),
            verdict: Verdict::Unknown(missing),
            connections: Vec::new(),
            logs: Vec::new(),
            after: None,
            advice: None,
        }
    }
}

/// Tries a row.
pub(super) fn tried(topology: &Topology, given: &Given, row: &Row) -> Tried {
    let saved = match ready(topology, given, row) {
        Ok(saved) => saved,
        Err(missing) => return Tried::unknown(row, missing),
    };
    let run = |silence| Run::of(topology, given, row, &saved, silence);
    let Some(first) = run(Seconds(0)) else {
        return Tried::unknown(row, "its daemons could not be set up".to_owned());
    };
    if !first.is_good {
        return first.tell(topology, given, Verdict::Fails);
    }
    for idle in topology.idle_times(&row.daemons(&given.director)) {
        if let Some(quiet) = run(idle).filter(|quiet| !quiet.is_good) {
            // The same where no gateway forgets: then it is the slowness of the run, and says nothing of them.
            let lasting = Run::of(&topology.that_forgets_nothing(), given, row, &saved, idle);
            if lasting.is_some_and(|lasting| !lasting.is_good && lasting.cause() == quiet.cause()) {
                continue;
            }
            return quiet.tell(topology, given, Verdict::WorksUntilIdle(idle));
        }
    }
    first.tell(topology, given, Verdict::Works)
}

/// What a row needs to run; else what is not known.
pub(super) fn ready(topology: &Topology, given: &Given, row: &Row) -> Result<Saved, String> {
    if let Some(missing) = missing(topology, given, row) {
        return Err(missing);
    }
    match row.kind {
        JobKind::Backup => Ok(Saved::default()),
        _ => {
            saved(given, row).ok_or_else(|| "there is no backup that it could read, even in an open network".to_owned())
        }
    }
}

/// What the topology does not say of a row.
pub(super) fn missing(topology: &Topology, given: &Given, row: &Row) -> Option<String> {
    let config = &given.director;
    if let Some(daemon) = row.daemons(config).into_iter().find(|name| topology.host_of(name).is_none()) {
        return Some(format!("{daemon:?} is on no host"));
    }
    if matches!(row.kind, JobKind::Copy | JobKind::Migrate) && row.to.is_none() {
        return Some("where it would go: the pool of the job has no next pool with a storage".to_owned());
    }
    let client = row.client.as_deref().and_then(|name| config.client(name));
    let of_client = client.into_iter().flat_map(|client| {
        let dialled = client.connection_from_director_to_client || client.passive;
        client.address.iter().filter(move |_| dialled).chain(&client.lan_address).chain(client.networks.values())
    });
    let storages = row.storages().filter_map(|name| config.storage(name));
    let of_storages = storages.flat_map(|storage| {
        [&storage.address].into_iter().chain(&storage.lan_address).chain(storage.networks.values())
    });
    let file = row.client.as_deref().and_then(|name| given.file(name));
    let of_file = file.into_iter().flat_map(|file| {
        file.directors.iter().filter(|director| director.connection_from_client_to_director).flat_map(|it| &it.address)
    });
    if let Some(client) = client.filter(|client| client.connection_from_client_to_director && file.is_none()) {
        let name = &client.name;
        return Some(format!(
            "{name:?} dials the director, and its own configuration, which says where, was not given"
        ));
    }
    let unknown = of_client.chain(of_storages).chain(of_file).find(|text| resolved(topology, text).is_none())?;
    Some(format!("what the name {unknown:?} resolves to"))
}

/// What an address means to anybody; `None` if the topology does not say.
pub(super) fn resolved(topology: &Topology, text: &str) -> Option<Vec<IpAddr>> {
    if let Ok(address) = text.parse() {
        return Some(vec![address]);
    }
    if text == "localhost" {
        return Some(vec![[127, 0, 0, 1].into()]);
    }
    let names = topology.names.iter().filter(|name| name.name == text);
    let hosts = topology.hosts.iter().filter(|host| host.name == text).map(|host| &host.address);
    let all: Vec<&String> = names.clone().flat_map(|name| &name.addresses).chain(hosts).collect();
    let is_known = names.count() > 0 || !all.is_empty();
    is_known.then(|| all.into_iter().filter_map(|text| text.parse().ok()).collect())
}
