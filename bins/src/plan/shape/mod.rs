//! The shape of a row: all that its trial depends on and nothing else, under names that do not matter.
//!
//! ```text
//!   topology, configurations, row ─cut down to what the row touches, renamed─▶ Shape ─tried─▶ Tried ─renamed back─▶ Tried
//! ```
//! Of a large network most rows have few shapes: the same boxes on the way, the same settings, other names. Each shape is
//! tried once. What is left out or renamed cannot change what comes of a trial: hosts, forwarded ports and networks that
//! no segment of the row reaches, and names, addresses and ports of which only matters which of them are the same. So rules
//! about ranges become rules about the addresses in them that the row has.

mod configs;
mod networks;
mod renaming;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use super::drill::{Drill, Drilled, Outcome};
use super::rows::Row;
use super::setup::Given;
use super::topology::Topology;
use super::trial::{Barrier, Connection, Tried, Uplink, Verdict};
use renaming::Renaming;

/// A row with all that its trial depends on, as all rows of its shape have it.
#[derive(Debug)]
pub(super) struct Shape {
    /// The networks and hosts that it touches.
    pub(super) topology: Topology,
    /// The configurations of its daemons.
    pub(super) given: Given,
    /// Itself.
    pub(super) row: Row,
    /// Two shapes are the same if this is.
    pub(super) key: String,
    renaming: Renaming,
}

/// The shape of a row. All that it needs must be known, see [`super::trial::ready`]; `None` if something is not.
pub(super) fn shape(topology: &Topology, given: &Given, row: &Row) -> Option<Shape> {
    let open = topology.networks.iter().find(|network| network.gateway.is_none())?;
    let mut renaming = Renaming::new(&open.addresses);
    let (mut config, mentioned) = configs::cut_down(given, row, &mut renaming)?;
    let own = row.daemons(&given.director);
    let (topology, bystanders) = networks::cut_down(topology, &own, &mentioned, &mut renaming)?;
    configs::add_bystanders(&given.director, &bystanders, &mut config.director, &mut renaming);
    let row = Row {
        job: renaming.name(&row.job),
        kind: row.kind,
        client: row.client.as_deref().map(|client| renaming.name(client)),
        storage: renaming.name(&row.storage),
        to: row.to.as_deref().map(|to| renaming.name(to)),
    };
    let mut key = String::new();
    let _ = write!(key, "{row:?} {config:?} {topology:?} {:?}", renaming.met);
    Some(Shape { topology, given: config, row, key, renaming })
}

impl Shape {
    /// What came of its trial, as it is of a row that has this shape.
    pub(super) fn real(&self, tried: &Tried, row: &Row) -> Tried {
        let text = |text: &String| self.renaming.real(text);
        Tried {
            row: row.clone(),
            verdict: match &tried.verdict {
                Verdict::Unknown(missing) => Verdict::Unknown(text(missing)),
                known => known.clone(),
            },
            connections: tried.connections.iter().map(|one| self.connection(one)).collect(),
            logs: self.logs(&tried.logs),
            after: tried.after,
            advice: tried.advice.as_ref().map(text),
        }
    }

    /// The same of a drill.
    pub(super) fn drilled(&self, drilled: &[Drilled]) -> Vec<Drilled> {
        let outcome = |outcome: &Outcome| match outcome {
            Outcome::Ends { after, logs, stopped, recovers } => {
                let stopped = stopped.as_ref().map(|(at, why)| (self.barrier(at), *why));
                Outcome::Ends { after: *after, logs: self.logs(logs), stopped, recovers: *recovers }
            }
            Outcome::Unknown(missing) => Outcome::Unknown(self.renaming.real(missing)),
            other => other.clone(),
        };
        drilled.iter().map(|one| Drilled { when: one.when, outcome: outcome(&one.outcome) }).collect()
    }

    /// A drill in it. What the row does not touch has a name that is nowhere.
    pub(super) fn drill(&self, drill: &Drill) -> Drill {
        let name = |real: &String| self.renaming.known_name(real).unwrap_or_default();
        match drill {
            Drill::Cut { at: Uplink::Host(host), way, percent } => {
                Drill::Cut { at: Uplink::Host(name(host)), way: *way, percent: *percent }
            }
            Drill::Cut { at: Uplink::Network(network), way, percent } => {
                Drill::Cut { at: Uplink::Network(name(network)), way: *way, percent: *percent }
            }
            Drill::Idle(span) => Drill::Idle(*span),
            Drill::Reboot { network } => Drill::Reboot { network: name(network) },
        }
    }

    fn logs(&self, logs: &[(String, String)]) -> Vec<(String, String)> {
        logs.iter().map(|(daemon, line)| (self.renaming.real(daemon), self.renaming.real(line))).collect()
    }

    fn barrier(&self, barrier: &Barrier) -> Barrier {
        let real = |name: &String| self.renaming.real(name);
        match barrier {
            Barrier::Gateway(network) => Barrier::Gateway(real(network)),
            Barrier::Firewall(host) => Barrier::Firewall(real(host)),
            Barrier::Uplink(Uplink::Host(host)) => Barrier::Uplink(Uplink::Host(real(host))),
            Barrier::Uplink(Uplink::Network(network)) => Barrier::Uplink(Uplink::Network(real(network))),
        }
    }

    fn connection(&self, one: &Connection) -> Connection {
        Connection {
            number: one.number,
            from: self.renaming.real(&one.from),
            to: self.renaming.real(&one.to),
            address: self.renaming.real_socket(one.address),
            dials: one.dials,
            outcome: one.outcome,
            stop: one.stop.as_ref().map(|(at, why)| (self.barrier(at), *why)),
        }
    }
}
