//! Drills: something happens to the network while a job runs, or before, and what comes of that is taken down.
//!
//! A row is run once undisturbed, to see how long it takes, then again with the disturbance at a part of that time. The
//! work of the side that has the data is slow in both, so that there is a middle to be disturbed in.

use std::fmt;
use std::time::Duration;

use towline_core::config::{JobKind, Seconds};
use towline_core::nearest::nearest;
use towline_simtests::disk::Files;
use towline_simtests::edge::Edge;
use towline_simtests::gateway::Way;

use super::rows::Row;
use super::run::{PATIENCE, Run, SETTLING, Stage};
use super::setup::{Given, Saved};
use super::topology::{Host, Topology};
use super::trial::{Barrier, Uplink, Verdict, ready};

/// How long each piece of work takes on the side that has the data.
pub(super) const SLOWNESS: Duration = Duration::from_millis(500);
/// How long the network has been whole again when the job is run once more.
const RECOVERY: Duration = Duration::from_secs(600);
/// How long before the job a gateway is restarted that clients wait behind.
const EARLIER: Duration = Duration::from_secs(300);

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Drill {
    /// Nothing gets through any more at this part of the job, or nothing that goes this way.
    Cut { at: Uplink, way: Option<Way>, percent: u8 },
    /// The connections of the job are silent for so long.
    Idle(Seconds),
    /// The gateway of a network forgets everything: while clients wait, and in the middle of the job.
    Reboot { network: String },
}

impl fmt::Display for Drill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut { at, way, percent } => {
                let whose = match at {
                    Uplink::Host(name) => format!("host {name:?}"),
                    Uplink::Network(name) => format!("network {name:?}"),
                };
                let what = match way {
                    None => format!("{whose} is cut off"),
                    Some(Way::In) => format!("nothing comes in to {whose} any more"),
                    Some(Way::Out) => format!("nothing goes out of {whose} any more"),
                };
                write!(f, "{what} at {percent}% of the job")
            }
            Self::Idle(span) => write!(f, "connections are silent for {span}"),
            Self::Reboot { network } => write!(f, "the gateway of {network:?} restarts"),
        }
    }
}

impl Drill {
    /// `client1.uplink@50%`, `home.uplink.in@50%`: a daemon, a host or a network, which way, and the part of the job.
    pub(super) fn cut(topology: &Topology, text: &str) -> Result<Self, String> {
        let (place, percent) = text.split_once('@').unwrap_or((text, "50%"));
        let number = percent.strip_suffix('%').unwrap_or(percent).parse().ok().filter(|number| *number < 100);
        let Some(percent) = number else { return Err(format!("--cut {text}: {percent:?} is none of 0% to 99%")) };
        let (place, way) = match (place.strip_suffix(".uplink.in"), place.strip_suffix(".uplink.out")) {
            (Some(place), _) => (place, Some(Way::In)),
            (_, Some(place)) => (place, Some(Way::Out)),
            (None, None) => (place, None),
        };
        let name = place.strip_suffix(".uplink").unwrap_or(place);
        if let Some((_, rest)) = name.rsplit_once(".uplink.") {
            return Err(format!("--cut {text}: after \".uplink\" comes \".in\", \".out\" or nothing, not \".{rest}\""));
        }
        let is_it = |host: &&Host| host.name == name || host.daemons.iter().any(|daemon| daemon == name);
        if let Some(host) = topology.hosts.iter().find(is_it) {
            return Ok(Self::Cut { at: Uplink::Host(host.name.clone()), way, percent });
        }
        let inner = topology.networks.iter().filter(|network| network.gateway.is_some());
        if inner.clone().any(|network| network.name == name) {
            return Ok(Self::Cut { at: Uplink::Network(name.to_owned()), way, percent });
        }
        let hosts = topology.hosts.iter().map(|host| host.name.as_str());
        let daemons = topology.hosts.iter().flat_map(|host| host.daemons.iter().map(String::as_str));
        let known = hosts.chain(daemons).chain(inner.map(|network| network.name.as_str()));
        Err(unknown("--cut", "host, daemon or network with a gateway", name, known))
    }

    /// A span as configurations have them: `30 min`, `30m`.
    pub(super) fn idle(text: &str) -> Result<Self, String> {
        let span = Seconds::parse(text).filter(|span| !span.is_zero());
        span.map(Self::Idle).ok_or_else(|| format!("--idle {text}: write a span as in \"30 min\" or 30m"))
    }

    /// The network whose gateway restarts.
    pub(super) fn reboot(topology: &Topology, name: &str) -> Result<Self, String> {
        let mut inner = topology.networks.iter().filter(|network| network.gateway.is_some());
        let known = inner.clone().map(|network| network.name.as_str());
        match inner.any(|network| network.name == name) {
            true => Ok(Self::Reboot { network: name.to_owned() }),
            false => Err(unknown("--reboot", "network with a gateway", name, known)),
        }
    }
}

fn unknown<'a>(option: &str, kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = nearest(name, known).map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
    format!("{option}: there is no {kind} {name:?}{near}")
}

/// What came of a drill for a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drilled {
    /// When it happened, if that can be at several times.
    pub(super) when: Option<&'static str>,
    pub(super) outcome: Outcome,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The job ends well all the same.
    GoesOn {
        /// After how long.
        after: Duration,
    },
    /// It does not.
    Ends {
        /// How long after the disturbance.
        after: Duration,
        /// What each daemon logged last.
        logs: Vec<(String, String)>,
        /// What stopped its connections, and why, if it is known.
        stopped: Option<(Barrier, &'static str)>,
        /// Whether it works again once the network is whole.
        recovers: bool,
    },
    /// It does not even work undisturbed.
    NeverWorked,
    /// Nothing that it needs is there.
    Apart,
    /// It cannot be said.
    Unknown(String),
}

/// A drill with one row, of whose trial this has come.
pub(super) fn drilled(topology: &Topology, given: &Given, row: &Row, verdict: &Verdict, drill: &Drill) -> Vec<Drilled> {
    let alone = |outcome| vec![Drilled { when: None, outcome }];
    match verdict {
        Verdict::Unknown(missing) => return alone(Outcome::Unknown(missing.clone())),
        Verdict::Fails => return alone(Outcome::NeverWorked),
        Verdict::Works | Verdict::WorksUntilIdle(_) => {}
    }
    let saved = match ready(topology, given, row) {
        Ok(saved) => saved,
        Err(missing) => return alone(Outcome::Unknown(missing)),
    };
    if let Drill::Cut { at: Uplink::Network(network), .. } | Drill::Reboot { network } = drill
        && !is_crossed(topology, row.daemons(&given.director), network)
    {
        return alone(Outcome::Apart);
    }
    if let Drill::Cut { at: Uplink::Host(name), .. } = drill
        && !row.daemons(&given.director).iter().any(|daemon| topology.is_on(daemon, name))
    {
        return alone(Outcome::Apart);
    }
    let scene = Scene { topology, given, row, saved: &saved };
    match drill {
        Drill::Idle(span) => alone(scene.idle(*span)),
        Drill::Cut { at, way, percent } => alone(scene.disturbed(*percent, |stage| cut(topology, stage, at, *way))),
        Drill::Reboot { network } => {
            let waiting = scene.reboot_before(network);
            let running = scene.disturbed(50, |stage| reboot(topology, stage, network));
            let drilled = |when, outcome| Drilled { when: Some(when), outcome };
            vec![drilled("before the job", waiting), drilled("in the middle of the job", running)]
        }
    }
}

/// A row and what it needs.
struct Scene<'a> {
    topology: &'a Topology,
    given: &'a Given,
    row: &'a Row,
    saved: &'a Saved,
}

impl<'a> Scene<'a> {
    fn stage(&self) -> Option<Stage<'a>> {
        let mut stage = Stage::with_files(self.topology, self.given, self.row, self.saved, files(self.row))?;
        stage.standing.world.run_for(SETTLING);
        stage.slow_down(SLOWNESS);
        Some(stage)
    }

    fn idle(&self, span: Seconds) -> Outcome {
        match Run::of(self.topology, self.given, self.row, self.saved, span) {
            Some(run) if run.is_good => Outcome::GoesOn { after: run.after },
            // It ends when it hears of the silence.
            Some(run) => {
                let (after, logs, stopped) = (run.after, run.logs(), run.stopped(self.topology));
                Outcome::Ends { after, logs, stopped, recovers: true }
            }
            None => Outcome::Unknown("its daemons could not be set up".to_owned()),
        }
    }

    /// Disturbs the job at a part of its time.
    fn disturbed(&self, percent: u8, disturb: impl FnOnce(&mut Stage<'_>) -> bool) -> Outcome {
        let whole = self.stage().map(|mut stage| {
            let began = stage.standing.world.now();
            let job = stage.order();
            stage.end(job, began, PATIENCE)
        });
        let Some(whole) = whole else { return Outcome::Unknown("its daemons could not be set up".to_owned()) };
        if !whole.is_good {
            return Outcome::NeverWorked;
        }
        let Some(mut stage) = self.stage() else { return Outcome::NeverWorked };
        let job = stage.order();
        stage.standing.world.run_for(whole.after * u32::from(percent) / 100);
        if !disturb(&mut stage) {
            return Outcome::Apart;
        }
        self.end(stage, job)
    }

    /// The gateway restarts while clients wait that have dialled in.
    fn reboot_before(&self, network: &str) -> Outcome {
        let Some(mut stage) = self.stage() else { return Outcome::NeverWorked };
        if !reboot(self.topology, &mut stage, network) {
            return Outcome::Apart;
        }
        stage.standing.world.run_for(EARLIER);
        let job = stage.order();
        self.end(stage, job)
    }

    fn end(&self, stage: Stage<'a>, job: Option<u32>) -> Outcome {
        let since = stage.standing.world.now();
        let run = stage.end(job, since, PATIENCE);
        if run.is_good {
            return Outcome::GoesOn { after: run.after };
        }
        let (after, logs, stopped) = (run.after, run.logs(), run.stopped(self.topology));
        let mut stage = run.again();
        stage.standing.world.heal();
        stage.slow_down(Duration::from_micros(300));
        stage.standing.world.run_for(RECOVERY);
        let since = stage.standing.world.now();
        let job = stage.order();
        Outcome::Ends { after, logs, stopped, recovers: stage.end(job, since, PATIENCE).is_good }
    }
}

/// Whether daemons stand on both sides of a gateway.
fn is_crossed(topology: &Topology, daemons: Vec<&str>, network: &str) -> bool {
    let hosts = daemons.into_iter().filter_map(|daemon| topology.host(daemon));
    let is_inside = |host: &Host| host.places().any(|(own, _)| topology.around(own).contains(&network));
    let (inside, outside): (Vec<&Host>, Vec<&Host>) = hosts.partition(|host| is_inside(host));
    !inside.is_empty() && !outside.is_empty()
}

/// Enough to be in the middle of.
fn files(row: &Row) -> Option<Files> {
    let file = |number: usize| (format!("/data/file{number}").into_bytes(), vec![b'x'; 65_536].into());
    (row.kind == JobKind::Backup).then(|| (0..40).map(file).collect())
}

/// Cuts something off; false if nothing of the row is there.
fn cut(topology: &Topology, stage: &mut Stage<'_>, at: &Uplink, way: Option<Way>) -> bool {
    let edge = match at {
        Uplink::Network(name) => inner(topology, stage, name).map(Edge::Network),
        Uplink::Host(name) => {
            let place = topology.hosts.iter().position(|host| host.name == *name);
            place.and_then(|place| stage.standing.hosts.get(&place)).copied().map(Edge::Host)
        }
    };
    let Some(edge) = edge else { return false };
    match way {
        None => stage.standing.world.cut_uplink(edge),
        Some(way) => stage.standing.world.uplink_way(edge, way, |link| link.cut = true),
    }
    true
}

fn reboot(topology: &Topology, stage: &mut Stage<'_>, name: &str) -> bool {
    let network = inner(topology, stage, name);
    network.map(|network| stage.standing.world.restart_gateway(network)).is_some()
}

fn inner(topology: &Topology, stage: &Stage<'_>, name: &str) -> Option<towline_simtests::network::NetworkId> {
    let place = topology.networks.iter().filter(|network| network.gateway.is_some()).position(|it| it.name == *name)?;
    stage.standing.networks.get(place).copied()
}
