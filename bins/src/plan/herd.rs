//! The herd: what the clients that wait at the director do when it restarts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use towline_core::config::DirectorConfig;
use towline_core::role::director::Director;
use towline_core::wire::names::{PeerKind, PeerName};
use towline_simtests::calls::{Call, Outcome};
use towline_simtests::daemons::{Protection, identity, node};
use towline_simtests::disk::Disk;
use towline_simtests::hands::MapHands;
use towline_simtests::site::{Config, Daemon, Site};

use super::setup::{Given, lay_out, without_tls_director, without_tls_file};
use super::topology::Topology;

/// How long clients have to come before the restart.
const SETTLING: Duration = Duration::from_secs(300);
/// How long the director is away.
pub(super) const AWAY: Duration = Duration::from_secs(10);
/// How long is watched.
const WATCHED: Duration = Duration::from_secs(1_800);

/// What they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Herd {
    /// Clients that waited before.
    pub(super) clients: usize,
    /// The most dials in one second.
    pub(super) peak: usize,
    /// Clients that are back.
    pub(super) back: usize,
    /// How long after the start the last of these was back.
    pub(super) after: Duration,
}

/// Restarts the director. `None` if no client waits, or it cannot be set up.
pub(super) fn herd(topology: &Topology, given: &Given) -> Option<Herd> {
    let config = &given.director;
    let waits = |name: &str| topology.host_of(name).zip(given.file(name));
    let mut site = Site { seed: 1, ..Site::default() };
    lay_out(topology, &mut site);
    let mut clients = Vec::new();
    for client in config.clients.iter().filter(|client| client.connection_from_client_to_director) {
        let Some((host, file)) = waits(&client.name) else { continue };
        let mut client = client.clone();
        client.tls = None;
        clients.push(client);
        site.daemons.push(Daemon::new(host, Config::File(Box::new(without_tls_file(file.clone())))));
    }
    if clients.is_empty() {
        return None;
    }
    let director = DirectorConfig {
        director: without_tls_director(config.director.clone()),
        clients,
        storages: Vec::new(),
        jobs: Vec::new(),
        pools: Vec::new(),
        filesets: Vec::new(),
        schedules: Vec::new(),
        consoles: Vec::new(),
        profiles: Vec::new(),
        ..config.clone()
    };
    let center = topology.host_of(&config.director.name)?;
    site.daemons.push(Daemon::new(center, Config::Director(Box::new(director.clone()))));
    let mut standing = site.start().ok()?;
    standing.world.run_for(SETTLING);
    let host = standing.daemons.iter().find(|daemon| daemon.kind == PeerKind::Director)?.host;
    let port = director.director.port;
    let before = standing.world.calls().len();
    let own: BTreeSet<_> =
        standing.daemons.iter().filter(|daemon| daemon.kind == PeerKind::Client).map(|daemon| daemon.host).collect();
    let is_dial = |call: &&Call| call.ends.peer.port() == port && own.contains(&call.from);
    let came = |calls: &[Call]| {
        let mut first: BTreeMap<_, _> = BTreeMap::new();
        let open = calls.iter().filter(is_dial).filter(|call| matches!(call.outcome, Outcome::Open(_)));
        open.for_each(|call| _ = first.entry(call.from).or_insert(call.at));
        first
    };
    let waited = came(&standing.world.calls()).len();
    standing.world.kill(host);
    standing.world.run_for(AWAY);
    let begin = standing.world.now();
    let name = PeerName::new(PeerKind::Director, &director.director.name);
    let role = Director::new(Arc::new(director), Protection::Clear.credentials(), identity());
    let made = node(&mut standing.world, host, role, &name, Protection::Clear);
    let hands = MapHands::new(Disk::default(), Some(standing.catalog.clone()));
    standing.world.start(host, made, Arc::new(hands));
    standing.world.run_for(WATCHED);
    let calls = standing.world.calls();
    let after: Vec<Call> =
        calls.get(before..).unwrap_or_default().iter().filter(|call| call.at >= begin).cloned().collect();
    let mut seconds: BTreeMap<u64, usize> = BTreeMap::new();
    after.iter().filter(is_dial).for_each(|call| *seconds.entry(call.at.since(begin).as_secs()).or_default() += 1);
    let back = came(&after);
    Some(Herd {
        clients: waited,
        peak: seconds.values().copied().max().unwrap_or(0),
        back: back.len(),
        after: back.values().map(|at| at.since(begin)).max().unwrap_or_default(),
    })
}
