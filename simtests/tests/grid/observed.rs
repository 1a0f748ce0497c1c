//! What comes of a case in the world.

use std::fmt::Write as _;
use std::time::Duration;

use towline_core::socket::IoKind;
use towline_core::wire::names::PeerKind;
use towline_simtests::calls::{Barrier, Call, Outcome};
use towline_simtests::gateway::Way;
use towline_simtests::network::NetworkId;
use towline_simtests::oracle::{Case, Heartbeat, Leg, Stop, Verdict, Who};
use towline_simtests::site::{Site, Standing};

use crate::network::{IDLE, Plans, port};

/// How long clients have to dial in before the job.
const SETTLING: Duration = Duration::from_secs(5);
/// How long the client's disk says nothing: longer than two heartbeats a second above what boxes remember.
const SILENCE: Duration = Duration::from_secs(2 * IDLE + 20);
/// More than any job takes, with a silence and all time-outs.
const PATIENCE: Duration = Duration::from_secs(2 * 3600);

/// What came of a job.
#[derive(Debug)]
pub(crate) struct Observed {
    /// Whether it ended well.
    pub(crate) is_good: bool,
    /// Each connection between the daemons that was dialled, in the order in which it was dialled first: whether it came
    /// about, or how it did not at last.
    pub(crate) legs: Vec<(Leg, Result<(), Option<Stop>>)>,
    /// The hash of all that happened.
    pub(crate) hash: (u64, u64),
    report: String,
}

/// Runs the job of a case.
pub(crate) fn run(plans: &Plans, case: &Case) -> Observed {
    let site = plans.site(case);
    let networks: Vec<Option<usize>> = site.hosts.iter().map(|host| host.network).collect();
    let outermost: Vec<Option<usize>> = networks.iter().map(|network| outermost(&site, *network)).collect();
    let mut standing = site.start().unwrap_or_else(|mistakes| panic!("{case:?}: {mistakes:?}"));
    standing.world.run_for(SETTLING);
    let host = |standing: &Standing, who: Who| standing.daemons.iter().find(|one| one.kind == kind(who)).unwrap().host;
    let hosts = Who::ALL.map(|who| host(&standing, who));
    standing.world.occupy(hosts[Who::Client as usize], SILENCE);
    let job = standing.order("run job=backup yes").unwrap_or_else(|| panic!("{case:?}: the order was not taken"));
    let row = standing.await_end(job, PATIENCE);
    // Without heartbeats nobody notices that the other side is gone.
    if row.is_none() && case.heartbeat != Heartbeat::Off {
        panic!("{case:?}: hangs: {:#?}\n{}", standing.world.pending(), standing.report(job));
    }
    let mut legs: Vec<(Leg, Result<(), Option<Stop>>)> = Vec::new();
    let id = |place: Option<usize>| place.and_then(|n| standing.networks.get(n)).copied();
    for call in standing.world.calls() {
        let Some(from) = Who::ALL.into_iter().find(|who| hosts[*who as usize] == call.from) else { continue };
        let Some(to) = Who::ALL.into_iter().find(|who| port(*who) == call.ends.peer.port()) else { continue };
        let boxes = (id(networks[from as usize]), id(outermost[to as usize]));
        let end = match call.outcome {
            Outcome::Open(_) => Ok(()),
            Outcome::Waiting | Outcome::Failed(..) => Err(stop(&call, boxes)),
        };
        let leg = Leg { from, to };
        match legs.iter_mut().find(|(known, _)| *known == leg) {
            Some((_, before)) if before.is_err() => *before = end,
            Some(_) => {}
            None => legs.push((leg, end)),
        }
    }
    let is_good = row.is_some_and(|row| row.job_status == b'T');
    Observed { is_good, legs, hash: standing.world.trace().hash(), report: standing.report(job) }
}

/// What differs between the world and the oracle, if something does.
pub(crate) fn difference(plans: &Plans, case: &Case) -> Option<String> {
    let (expected, observed) = (case.verdict(), run(plans, case));
    let end_of = |leg: &Leg| observed.legs.iter().find(|(known, _)| known == leg).map(|(_, end)| *end);
    let agrees = match expected {
        Verdict::Works => observed.is_good,
        Verdict::UntilIdle => !observed.is_good && observed.has_data(),
        Verdict::Fails(leg, stop) => {
            !observed.is_good && end_of(&leg) == Some(Err(Some(stop))) && (is_data(leg) || !observed.has_data())
        }
    };
    (!agrees).then(|| {
        let mut text = format!("{case:?}\n  the oracle says {expected:?}; in the world");
        let end = if observed.is_good { "it is good" } else { "it is not" };
        let _never_fails = write!(text, " {end}: {:?}\n{}", observed.legs, observed.report);
        text
    })
}

impl Observed {
    /// Whether client and storage daemon had a connection.
    fn has_data(&self) -> bool {
        self.legs.iter().any(|(leg, end)| is_data(*leg) && end.is_ok())
    }
}

fn is_data(leg: Leg) -> bool {
    leg.from != Who::Director && leg.to != Who::Director
}

/// How a call was stopped, by the box around its dialler and the outermost one around whoever it was for.
fn stop(call: &Call, boxes: (Option<NetworkId>, Option<NetworkId>)) -> Option<Stop> {
    if let Some(at) = call.stop {
        return match (at.way, at.why) {
            (Way::Out, "no hairpin") => Some(Stop::NoHairpin),
            (Way::Out, "not let out") if boxes.0.map(Barrier::Gateway) == Some(at.at) => Some(Stop::NotOut),
            (Way::In, "not let in" | "leads nowhere") if boxes.1.map(Barrier::Gateway) == Some(at.at) => {
                Some(Stop::NotIn)
            }
            _ => None,
        };
    }
    match call.outcome {
        Outcome::Failed(IoKind::NoRoute, _) => Some(Stop::NoRoute),
        Outcome::Failed(IoKind::Unreachable, _) => Some(Stop::Unreachable),
        _ => None,
    }
}

/// The outermost network around a network, that one included.
fn outermost(site: &Site, network: Option<usize>) -> Option<usize> {
    let mut at = network?;
    while let Some(around) = site.networks.get(at)?.around {
        at = around;
    }
    Some(at)
}

const fn kind(who: Who) -> PeerKind {
    match who {
        Who::Director => PeerKind::Director,
        Who::Client => PeerKind::Client,
        Who::Storage => PeerKind::Storage,
    }
}
