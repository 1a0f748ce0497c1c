//! One row tried: its site is started, its job run, and what came of it taken down.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use towline_core::config::{JobKind, Seconds};
use towline_core::node::Number;
use towline_core::wire::names::PeerKind;
use towline_simtests::calls::{Barrier, Call, Outcome};
use towline_simtests::site::{Running, Standing};

use super::advice::advice;
use super::rows::Row;
use super::setup::{Given, Saved, open_site, site};
use super::topology::Topology;

/// How long clients that dial in have before the job begins.
const SETTLING: Duration = Duration::from_secs(120);
/// How long a job may take that nothing holds up.
const PATIENCE: Duration = Duration::from_secs(86_400);

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
    /// The network whose gateway stopped it, and why.
    pub(super) stop: Option<(String, &'static str)>,
}

/// Tries a row.
pub(super) fn tried(topology: &Topology, given: &Given, row: &Row) -> Tried {
    let nothing = |verdict| Tried {
        row: row.clone(),
        verdict,
        connections: Vec::new(),
        logs: Vec::new(),
        after: None,
        advice: None,
    };
    if let Some(missing) = missing(topology, given, row) {
        return nothing(Verdict::Unknown(missing));
    }
    let saved = match row.kind {
        JobKind::Backup => Some(Saved::default()),
        _ => saved(given, row),
    };
    let Some(saved) = saved else {
        return nothing(Verdict::Unknown("there is no backup that it could read, even in an open network".to_owned()));
    };
    let run = |silence| Run::of(topology, given, row, &saved, silence);
    let Some(first) = run(Seconds(0)) else {
        return nothing(Verdict::Unknown("its daemons could not be set up".to_owned()));
    };
    if !first.is_good {
        return first.tell(topology, given, Verdict::Fails);
    }
    let mut idle: Vec<Seconds> =
        topology.networks.iter().filter_map(|network| network.gateway.as_ref()).map(|gateway| gateway.idle).collect();
    idle.retain(|idle| !idle.is_zero());
    idle.sort_unstable();
    idle.dedup();
    for idle in idle {
        if let Some(quiet) = run(idle).filter(|quiet| !quiet.is_good) {
            return quiet.tell(topology, given, Verdict::WorksUntilIdle(idle));
        }
    }
    first.tell(topology, given, Verdict::Works)
}

/// What the topology does not say of a row.
fn missing(topology: &Topology, given: &Given, row: &Row) -> Option<String> {
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
fn resolved(topology: &Topology, text: &str) -> Option<Vec<IpAddr>> {
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

/// A backup for a row that reads one.
fn saved(given: &Given, row: &Row) -> Option<Saved> {
    let mut standing = open_site(given, row)?.start().ok()?;
    let job = standing.order(&format!("run job=\"{}\" yes", row.job))?;
    let end = standing.await_end(job, PATIENCE)?;
    let volumes = standing.daemons.iter().find(|daemon| daemon.kind == PeerKind::Storage)?.disk.clone();
    (end.job_status == b'T').then(|| Saved { catalog: standing.catalog.clone(), volumes })
}

/// A run of a row's job.
struct Run<'a> {
    row: &'a Row,
    standing: Standing,
    is_good: bool,
    after: Duration,
    /// The report of the job.
    report: String,
}

impl<'a> Run<'a> {
    /// Runs it. With a silence, each side is slow enough that its connections are silent for longer than that.
    fn of(topology: &Topology, given: &Given, row: &'a Row, saved: &Saved, silence: Seconds) -> Option<Self> {
        let mut standing = site(topology, given, row, &deep(saved))?.start().ok()?;
        let silence = silence.duration();
        standing.world.run_for(SETTLING + silence * 4);
        let slow = if row.to.is_some() { PeerKind::Storage } else { PeerKind::Client };
        if !silence.is_zero() {
            let hosts: Vec<_> = standing.daemons.iter().filter(|it| it.kind == slow).map(|it| it.host).collect();
            hosts.into_iter().for_each(|host| standing.world.set_slowness(host, silence * 3));
        }
        let (began, name) = (standing.world.now(), &row.job);
        let order = match row.kind {
            JobKind::Backup => format!("run job=\"{name}\" yes"),
            JobKind::Restore => {
                format!("restore restorejob=\"{name}\" client=\"{}\" jobid=1 all done yes", row.client.as_deref()?)
            }
            _ => format!("run job=\"{name}\" jobid=1 yes"),
        };
        let job = standing.order(&order);
        let end = job.and_then(|job| standing.await_end(job, PATIENCE + silence * 200));
        let after = standing.world.now().since(began);
        let report = job.map(|job| standing.report(job)).unwrap_or_default();
        let is_good = end.is_some_and(|row| matches!(row.job_status, b'T' | b'W'));
        Some(Self { row, standing, is_good, after, report })
    }

    fn tell(&self, topology: &Topology, given: &Given, verdict: Verdict) -> Tried {
        let connections = self.connections(topology, given);
        let works = verdict == Verdict::Works;
        let advice = (!works).then(|| advice(topology, &verdict, &connections, &self.report));
        Tried {
            row: self.row.clone(),
            logs: if works { Vec::new() } else { self.logs() },
            after: (verdict == Verdict::Fails).then_some(self.after),
            advice,
            connections,
            verdict,
        }
    }

    /// What each daemon logged last; the director's is the last line of the job's report that is about an error.
    fn logs(&self) -> Vec<(String, String)> {
        let line = |daemon: &Running| {
            let last = daemon.complaints().pop();
            let of_report = || {
                let mut lines = self.report.lines().filter(|line| line.contains("rror:"));
                lines.next_back().map(str::to_owned)
            };
            let line = if daemon.kind == PeerKind::Director { of_report().or(last) } else { last };
            Some((daemon.name.clone(), line?))
        };
        self.standing.daemons.iter().rev().filter_map(line).collect()
    }

    fn connections(&self, topology: &Topology, given: &Given) -> Vec<Connection> {
        let mut all: Vec<Connection> = Vec::new();
        for call in self.standing.world.calls() {
            let Some(from) = self.standing.daemon(call.from) else { continue };
            let Some((number, to)) = self.meant(topology, given, from, &call) else { continue };
            let network = call.stop.and_then(|stop| {
                let Barrier::Gateway(at) = stop.at else { return None };
                let place = self.standing.networks.iter().position(|network| *network == at)?;
                let mut inner = topology.networks.iter().filter(|network| network.gateway.is_some());
                Some((inner.nth(place)?.name.clone(), stop.why))
            });
            let address = call.ends.peer;
            let known = all.iter_mut().find(|one| one.number == number && one.address == address);
            match known {
                Some(known) => {
                    known.dials += 1;
                    // One that holds while another is tried, as of a client that dials in, counts.
                    (known.outcome, known.stop) = (call.outcome, network);
                }
                None => all.push(Connection {
                    number,
                    from: from.name.clone(),
                    to,
                    address,
                    dials: 1,
                    outcome: call.outcome,
                    stop: network,
                }),
            }
        }
        all
    }

    /// Which connection a call was meant to be, and with whom.
    fn meant(&self, topology: &Topology, given: &Given, from: &Running, call: &Call) -> Option<(Number, String)> {
        let (config, row, peer) = (&given.director, self.row, call.ends.peer);
        let storage = |name: &str| {
            let storage = config.storage(name)?;
            let at = resolved(topology, &storage.address)?;
            (storage.port == peer.port() && at.contains(&peer.ip())).then(|| storage.name.clone())
        };
        match from.kind {
            PeerKind::Director => {
                let second = row.to.as_deref().and_then(storage).map(|name| (Number::DirectorToSecondStorage, name));
                let first = storage(&row.storage).map(|name| (Number::DirectorToStorage, name));
                let client = row.client.clone().map(|name| (Number::DirectorToFile, name));
                first.or(second).or(client)
            }
            PeerKind::Client if peer.port() == config.director.port => {
                Some((Number::FileToDirector, config.director.name.clone()))
            }
            PeerKind::Client => Some((Number::FileToStorage, row.storage.clone())),
            PeerKind::Storage => match (&row.to, &row.client) {
                (Some(to), _) => Some((Number::StorageToStorage, to.clone())),
                (None, Some(client)) => Some((Number::StorageToFile, client.clone())),
                (None, None) => None,
            },
            _ => None,
        }
    }
}

/// A run changes what it has, and the next one begins with the same.
fn deep(saved: &Saved) -> Saved {
    Saved { catalog: saved.catalog.copy(), volumes: saved.volumes.copy() }
}
