//! One run of a row's job in the world, and what is taken down of it.

use std::time::Duration;

use towline_core::config::{JobKind, Seconds};
use towline_core::node::Number;
use towline_core::time::Instant;
use towline_core::wire::names::PeerKind;
use towline_simtests::calls::{self, Call};
use towline_simtests::disk::Files;
use towline_simtests::edge::Edge;
use towline_simtests::site::{Running, Standing};

use super::advice::advice;
use super::rows::Row;
use super::setup::{Given, Saved, open_site, site};
use super::topology::Topology;
use super::trial::{Barrier, Connection, Tried, Uplink, Verdict, resolved};

/// How long clients that dial in have before the job begins.
pub(super) const SETTLING: Duration = Duration::from_secs(120);
/// How long a job may take that nothing holds up.
pub(super) const PATIENCE: Duration = Duration::from_secs(86_400);

/// A backup for a row that reads one.
pub(super) fn saved(given: &Given, row: &Row) -> Option<Saved> {
    let mut standing = open_site(given, row)?.start().ok()?;
    let job = standing.order(&format!("run job=\"{}\" yes", row.job))?;
    let end = standing.await_end(job, PATIENCE)?;
    let volumes = standing.daemons.iter().find(|daemon| daemon.kind == PeerKind::Storage)?.disk.clone();
    (end.job_status == b'T').then(|| Saved { catalog: standing.catalog.clone(), volumes })
}

/// A site that stands for a row, before its job runs.
pub(super) struct Stage<'a> {
    row: &'a Row,
    pub(super) standing: Standing,
}

/// A run of a row's job.
pub(super) struct Run<'a> {
    row: &'a Row,
    pub(super) standing: Standing,
    /// Whether the job has ended well.
    pub(super) is_good: bool,
    /// How long it took.
    pub(super) after: Duration,
    /// The report of the job.
    report: String,
}

impl<'a> Stage<'a> {
    /// A site in which a row's job can run.
    pub(super) fn new(topology: &Topology, given: &Given, row: &'a Row, saved: &Saved) -> Option<Self> {
        Self::with_files(topology, given, row, saved, None)
    }

    /// The same, with other files to save.
    pub(super) fn with_files(
        topology: &Topology,
        given: &Given,
        row: &'a Row,
        saved: &Saved,
        files: Option<Files>,
    ) -> Option<Self> {
        let mut site = site(topology, given, row, &deep(saved))?;
        site.files = files.unwrap_or(site.files);
        Some(Self { row, standing: site.start().ok()? })
    }

    /// Each piece of work takes so long on the side that has the data.
    pub(super) fn slow_down(&mut self, slowness: Duration) {
        let slow = if self.row.to.is_some() { PeerKind::Storage } else { PeerKind::Client };
        let hosts: Vec<_> = self.standing.daemons.iter().filter(|it| it.kind == slow).map(|it| it.host).collect();
        hosts.into_iter().for_each(|host| self.standing.world.set_slowness(host, slowness));
    }

    /// The job is ordered; its number, if it was taken.
    pub(super) fn order(&mut self) -> Option<u32> {
        let name = &self.row.job;
        let order = match self.row.kind {
            JobKind::Backup => format!("run job=\"{name}\" yes"),
            JobKind::Restore => {
                let client = self.row.client.as_deref()?;
                format!("restore restorejob=\"{name}\" client=\"{client}\" jobid=1 all done yes")
            }
            _ => format!("run job=\"{name}\" jobid=1 yes"),
        };
        self.standing.order(&order)
    }

    /// Waits for the end of the job, and says what came of it.
    pub(super) fn end(mut self, job: Option<u32>, began: Instant, patience: Duration) -> Run<'a> {
        let end = job.and_then(|job| self.standing.await_end(job, patience));
        let after = whole(self.standing.world.now().since(began));
        // A copy has a job that reads, and then one that writes.
        let jobs = job.into_iter().flat_map(|job| job..=job + u32::from(self.row.to.is_some()));
        let report = jobs.map(|job| self.standing.report(job)).collect();
        let is_good = end.is_some_and(|row| matches!(row.job_status, b'T' | b'W'));
        Run { row: self.row, standing: self.standing, is_good, after, report }
    }
}

impl<'a> Run<'a> {
    /// Runs it. With a silence, each side is slow enough that its connections are silent for longer than that.
    pub(super) fn of(
        topology: &Topology,
        given: &Given,
        row: &'a Row,
        saved: &Saved,
        silence: Seconds,
    ) -> Option<Self> {
        let mut stage = Stage::new(topology, given, row, saved)?;
        let silence = silence.duration();
        stage.standing.world.run_for(SETTLING + silence * 4);
        if !silence.is_zero() {
            // By a quarter more: how long else it takes, up to the limits of jobs, is not asked.
            stage.slow_down(silence + silence / 4);
        }
        let began = stage.standing.world.now();
        let job = stage.order();
        Some(stage.end(job, began, PATIENCE + silence * 200))
    }

    /// What its report has as the error that ended it.
    pub(super) fn cause(&self) -> Option<&str> {
        self.report.lines().find_map(|line| line.split_once("Fatal error: ")).map(|(_, cause)| cause)
    }

    /// The same site, for one more run.
    pub(super) fn again(self) -> Stage<'a> {
        Stage { row: self.row, standing: self.standing }
    }

    pub(super) fn tell(&self, topology: &Topology, given: &Given, verdict: Verdict) -> Tried {
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
    pub(super) fn logs(&self) -> Vec<(String, String)> {
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
            let stop = call.stop.and_then(|stop| Some((self.barrier(topology, stop.at)?, stop.why)));
            let address = call.ends.peer;
            let known = all.iter_mut().find(|one| one.number == number && one.address == address);
            match known {
                // The job was over before anything came of it.
                Some(_) if call.outcome == calls::Outcome::Waiting && stop.is_none() => {}
                Some(known) => {
                    known.dials += 1;
                    // One that holds while another is tried, as of a client that dials in, counts.
                    (known.outcome, known.stop) = (outcome(call.outcome), stop);
                }
                None => all.push(Connection {
                    number,
                    from: self.known_as(given, from),
                    to,
                    address,
                    dials: 1,
                    outcome: outcome(call.outcome),
                    stop,
                }),
            }
        }
        all
    }

    /// The name by which the director's configuration knows a daemon: a storage daemon may call itself otherwise.
    fn known_as(&self, given: &Given, daemon: &Running) -> String {
        let is_it = |name: &&str| {
            let config = given.director.storage(name).and_then(|storage| given.storage(storage));
            config.is_some_and(|config| config.storage.name == daemon.name)
        };
        let storage = self.row.storages().find(is_it).filter(|_| daemon.kind == PeerKind::Storage);
        storage.map_or_else(|| daemon.name.clone(), str::to_owned)
    }

    /// The box or the edge by its name in the topology.
    fn barrier(&self, topology: &Topology, at: calls::Barrier) -> Option<Barrier> {
        let network = |stopped| {
            let place = self.standing.networks.iter().position(|network| *network == stopped)?;
            let mut inner = topology.networks.iter().filter(|network| network.gateway.is_some());
            inner.nth(place).map(|network| network.name.clone())
        };
        let host = |stopped| {
            let (place, _) = self.standing.hosts.iter().find(|(_, host)| **host == stopped)?;
            topology.hosts.get(*place).map(|host| host.name.clone())
        };
        match at {
            calls::Barrier::Gateway(of) => network(of).map(Barrier::Gateway),
            calls::Barrier::Firewall(of) => host(of).map(Barrier::Firewall),
            calls::Barrier::Uplink(Edge::Network(of)) => network(of).map(Uplink::Network).map(Barrier::Uplink),
            calls::Barrier::Uplink(Edge::Host(of)) => host(of).map(Uplink::Host).map(Barrier::Uplink),
        }
    }

    /// What stopped its connections: of several the first that was dialled.
    pub(super) fn stopped(&self, topology: &Topology) -> Option<(Barrier, &'static str)> {
        let stop = self.standing.world.calls().into_iter().find_map(|call| call.stop)?;
        Some((self.barrier(topology, stop.at)?, stop.why))
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

/// What came of a call, in whole milliseconds.
fn outcome(of: calls::Outcome) -> calls::Outcome {
    match of {
        calls::Outcome::Open(after) => calls::Outcome::Open(whole(after)),
        calls::Outcome::Failed(kind, after) => calls::Outcome::Failed(kind, whole(after)),
        calls::Outcome::Waiting => calls::Outcome::Waiting,
    }
}

/// Whole milliseconds: what is less depends on how long names are.
const fn whole(of: Duration) -> Duration {
    Duration::from_millis((of.as_micros().saturating_add(500) / 1_000) as u64)
}

/// A run changes what it has, and the next one begins with the same.
fn deep(saved: &Saved) -> Saved {
    Saved { catalog: saved.catalog.copy(), volumes: saved.volumes.copy() }
}
