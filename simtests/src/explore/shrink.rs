//! The smallest draw that fails for the same reason: one change at a time, kept if the failure stays.

use std::cmp::Ordering;

use super::draw::{Client, Dialled, Draw, Edge, Family, Kind, Storage, What, Who};
use super::{Failure, run};

/// Runs that one shrinking may take.
const MOST_RUNS: usize = 600;
/// Hosts that a person can follow; more are worth some search for fewer.
const ENOUGH: usize = 3;

/// What shrinking came to.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smallest draw that was found.
    pub draw: Draw,
    /// How it fails.
    pub failure: Failure,
    /// Runs that it took.
    pub runs: usize,
}

/// Makes a draw that fails small; `None` if it does not fail.
#[must_use]
pub fn shrink(draw: &Draw) -> Option<Shrunk> {
    let failure = run(draw).failure?;
    let mut best = Shrunk { draw: draw.clone(), failure, runs: 1 };
    // Whatever becomes smaller may let something else become smaller.
    while best.runs < MOST_RUNS && round(&mut best) {}
    Some(best)
}

/// Tries every change once; whether one of them was kept.
fn round(best: &mut Shrunk) -> bool {
    let mut is_smaller = false;
    let mut at = 0;
    // What is kept may have changes of its own at the same place.
    while let Some(smaller) = changes(&best.draw).into_iter().nth(at) {
        if best.runs >= MOST_RUNS {
            break;
        }
        best.runs += 1;
        match run(&smaller).failure.filter(|failure| failure.invariant == best.failure.invariant) {
            Some(failure) => {
                (best.draw, best.failure) = (smaller, failure);
                is_smaller = true;
            }
            None => at += 1,
        }
    }
    is_smaller
}

/// All that could be smaller about a draw, the largest steps first.
fn changes(draw: &Draw) -> Vec<Draw> {
    let mut all = Vec::new();
    all.extend((0..draw.faults.len()).rev().map(|n| with(draw, |draw| _ = draw.faults.remove(n))));
    all.extend((0..draw.orders.len()).rev().map(|n| with(draw, |draw| _ = draw.orders.remove(n))));
    all.extend((0..draw.clients.len()).rev().filter_map(|n| without_client(draw, n)));
    all.extend((0..draw.storages.len()).rev().filter_map(|n| without_storage(draw, n)));
    all.extend((0..draw.clients.len()).rev().filter_map(|n| without_client(&with_another_client(draw, n), n)));
    all.extend((0..draw.storages.len()).rev().filter_map(|n| without_storage(&with_another_storage(draw, n), n)));
    if draw.hosts() > ENOUGH {
        // The files of those that stay may be smaller or larger then: another seed has others.
        let fewer: Vec<Draw> = all.iter().filter(|fewer| fewer.hosts() < draw.hosts()).cloned().collect();
        all.extend(fewer.iter().flat_map(|fewer| [2, 3, 4].map(|seed| with(fewer, |draw| draw.seed = seed))));
    }
    all.push(with(draw, |draw| draw.gateway = None));
    all.push(with(draw, |draw| draw.copies = false));
    all.push(with(draw, |draw| draw.tls = false));
    all.push(with(draw, |draw| draw.heartbeat = 60));
    all.push(with(draw, |draw| draw.latency = (200, 0)));
    all.push(with(draw, |draw| draw.rate = 10_000_000));
    all.push(with(draw, |draw| draw.budget = 1 << 20));
    all.push(with(draw, |draw| draw.budget = draw.budget.min(300)));
    all.push(with(draw, |draw| draw.volume_bytes = 0));
    all.push(with(draw, |draw| draw.family = Family::V4));
    all.push(with(draw, |draw| draw.incremental = false));
    all.push(with(draw, |draw| draw.schedule = false));
    all.push(with(draw, |draw| draw.seed = 1));
    for n in 0..draw.storages.len() {
        all.push(with(draw, |draw| draw.storages[n] = Storage { slowness: 300, stock: None }));
    }
    for n in 0..draw.clients.len() {
        all.push(with(draw, |draw| draw.clients[n].stock = None));
        all.push(with(draw, |draw| draw.clients[n].protocol = None));
        all.push(with(draw, |draw| draw.clients[n].passive = false));
        all.push(with(draw, |draw| draw.clients[n].dialled = Dialled::ByDirector));
        let Client { files: (count, most), .. } = draw.clients[n];
        for files in [(1, 1_000), (2, most), (count, 1_000), (count / 2 + 1, most), (count, most / 2 + 1)] {
            if files.0 <= count && files.1 <= most {
                all.push(with(draw, |draw| draw.clients[n].files = files));
            }
        }
    }
    all.extend(times(draw));
    // What changes nothing is no step; what is asked for in vain is not of one piece.
    all.retain(|smaller| smaller != draw && size(smaller) <= size(draw) && is_whole(smaller));
    all
}

/// Earlier and shorter.
fn times(draw: &Draw) -> Vec<Draw> {
    let mut all = Vec::new();
    for n in 0..draw.orders.len() {
        let at = draw.orders[n].at;
        for earlier in [0, round_down(at)] {
            all.push(with(draw, |draw| draw.orders[n].at = earlier));
        }
    }
    for n in 0..draw.faults.len() {
        let (at, lasts) = (draw.faults[n].at, draw.faults[n].lasts);
        for earlier in [0, round_down(at)] {
            all.push(with(draw, |draw| draw.faults[n].at = earlier));
        }
        for shorter in [0, 1_000, lasts / 2, round_down(lasts)] {
            if shorter < lasts {
                all.push(with(draw, |draw| draw.faults[n].lasts = shorter));
            }
        }
    }
    all
}

/// A number with its first digit alone.
const fn round_down(number: u64) -> u64 {
    let mut unit = 1;
    while number / unit >= 10 {
        unit *= 10;
    }
    number / unit * unit
}

/// How much there is to read in a draw; a change never makes it more.
fn size(draw: &Draw) -> (usize, usize, usize, u64) {
    let times = draw.orders.iter().map(|order| order.at);
    let spans = draw.faults.iter().map(|fault| fault.at.saturating_add(fault.lasts));
    (draw.hosts(), draw.faults.len(), draw.orders.len(), times.chain(spans).fold(0, u64::saturating_add))
}

fn is_whole(draw: &Draw) -> bool {
    Draw::parse(&draw.to_text()).is_ok()
}

fn with(draw: &Draw, change: impl FnOnce(&mut Draw)) -> Draw {
    let mut draw = draw.clone();
    change(&mut draw);
    draw
}

/// With the orders for a client given to another one.
fn with_another_client(draw: &Draw, n: usize) -> Draw {
    let other = |of: usize| if of == n { usize::from(n == 0) } else { of };
    with(draw, |draw| {
        for order in &mut draw.orders {
            order.what = match order.what {
                What::Backup(client, storage) => What::Backup(other(client), storage),
                What::Verify(client, storage) => What::Verify(other(client), storage),
                // Two restores of one client at a time would write into the same folder.
                what => what,
            };
        }
    })
}

/// With the orders for a storage daemon given to another one.
fn with_another_storage(draw: &Draw, n: usize) -> Draw {
    let other = |of: usize| if of == n { usize::from(n == 0) } else { of };
    with(draw, |draw| {
        for order in &mut draw.orders {
            order.what = match order.what {
                What::Backup(client, storage) => What::Backup(client, other(storage)),
                What::Verify(client, storage) => What::Verify(client, other(storage)),
                what => what,
            };
        }
    })
}

/// Without a client and all that has to do with it.
fn without_client(draw: &Draw, n: usize) -> Option<Draw> {
    let renumber = |of| renumbered(of, n);
    let who = |who: Who| match who {
        Who::Client(of) => renumber(of).map(Who::Client),
        other => Some(other),
    };
    let mut smaller = (draw.clients.len() > 1).then(|| draw.clone())?;
    smaller.clients.remove(n);
    smaller.orders = (smaller.orders.into_iter())
        .filter_map(|mut order| {
            order.what = match order.what {
                What::Backup(client, storage) => What::Backup(renumber(client)?, storage),
                What::Verify(client, storage) => What::Verify(renumber(client)?, storage),
                What::Restore(client) => What::Restore(renumber(client)?),
                What::Change(client) => What::Change(renumber(client)?),
                What::Status(of) => What::Status(who(of)?),
                // They are of the first client.
                What::Copy | What::Migrate if n == 0 => return None,
                other => other,
            };
            Some(order)
        })
        .collect();
    smaller.faults.retain_mut(|fault| fault.kind.renamed(who).map(|kind| fault.kind = kind).is_some());
    Some(smaller)
}

/// Without a storage daemon and all that has to do with it.
fn without_storage(draw: &Draw, n: usize) -> Option<Draw> {
    let renumber = |of| renumbered(of, n);
    let who = |who: Who| match who {
        Who::Storage(of) => renumber(of).map(Who::Storage),
        other => Some(other),
    };
    let mut smaller = (draw.storages.len() > 1).then(|| draw.clone())?;
    smaller.storages.remove(n);
    smaller.copies = false;
    smaller.orders = (smaller.orders.into_iter())
        .filter_map(|mut order| {
            order.what = match order.what {
                What::Backup(client, storage) => What::Backup(client, renumber(storage)?),
                What::Verify(client, storage) => What::Verify(client, renumber(storage)?),
                What::Status(of) => What::Status(who(of)?),
                What::Copy | What::Migrate => return None,
                other => other,
            };
            Some(order)
        })
        .collect();
    smaller.faults.retain_mut(|fault| fault.kind.renamed(who).map(|kind| fault.kind = kind).is_some());
    Some(smaller)
}

/// The number of somebody once number `n` is gone; `None` for that one itself.
fn renumbered(of: usize, n: usize) -> Option<usize> {
    match of.cmp(&n) {
        Ordering::Less => Some(of),
        Ordering::Equal => None,
        Ordering::Greater => Some(of - 1),
    }
}

impl Kind {
    /// The same with other daemons; `None` if one of them is not there any more.
    fn renamed(self, who: impl Fn(Who) -> Option<Who>) -> Option<Self> {
        let storage = |n: usize| match who(Who::Storage(n)) {
            Some(Who::Storage(n)) => Some(n),
            _ => None,
        };
        let at = |edge: Edge| match edge {
            Edge::Of(of) => who(of).map(Edge::Of),
            Edge::Border => Some(edge),
        };
        Some(match self {
            Self::Cut(one, two) => Self::Cut(who(one)?, who(two)?),
            Self::CutWay(one, two) => Self::CutWay(who(one)?, who(two)?),
            Self::Loss(one, two, loss) => Self::Loss(who(one)?, who(two)?, loss),
            Self::Narrow(one, two, largest) => Self::Narrow(who(one)?, who(two)?, largest),
            Self::CutUplink(edge) => Self::CutUplink(at(edge)?),
            Self::CutUplinkWay(edge, flow) => Self::CutUplinkWay(at(edge)?, flow),
            Self::LossUplink(edge, loss) => Self::LossUplink(at(edge)?, loss),
            Self::NarrowUplink(edge, mtu, tells) => Self::NarrowUplink(at(edge)?, mtu, tells),
            Self::Reset(one, two) => Self::Reset(who(one)?, who(two)?),
            Self::Kill(of) => Self::Kill(who(of)?),
            Self::Power(of) => Self::Power(who(of)?),
            Self::Sleep(of) => Self::Sleep(who(of)?),
            Self::Roam(of) => Self::Roam(who(of)?),
            Self::DiskSlow(of, millis) => Self::DiskSlow(who(of)?, millis),
            Self::Clock(of, seconds) => Self::Clock(who(of)?, seconds),
            Self::NetworkChanged(of) => Self::NetworkChanged(who(of)?),
            Self::Stranger(of) => Self::Stranger(who(of)?),
            Self::Foe(of, abuse) => Self::Foe(who(of)?, abuse),
            Self::NamesFail(of) => Self::NamesFail(who(of)?),
            Self::NamesMissing(of) => Self::NamesMissing(who(of)?),
            Self::NamesSlow(of, millis) => Self::NamesSlow(who(of)?, millis),
            Self::StockWaits(n) => match who(Who::Client(n))? {
                Who::Client(n) => Self::StockWaits(n),
                _ => return None,
            },
            Self::Flawed(n, file, flaw) => match who(Who::Client(n))? {
                Who::Client(n) => Self::Flawed(n, file, flaw),
                _ => return None,
            },
            Self::DiskFull(n, left) => Self::DiskFull(storage(n)?, left),
            Self::DiskBroken(n) => Self::DiskBroken(storage(n)?),
            Self::SyncFails(n) => Self::SyncFails(storage(n)?),
            Self::GatewayReboot | Self::GatewayCut | Self::CatalogAway | Self::CatalogHangs | Self::Impostor => self,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_makes_a_draw_smaller_and_leaves_it_whole() {
        for seed in 0..200 {
            let draw = Draw::of(seed);
            for smaller in changes(&draw) {
                assert!(size(&smaller) <= size(&draw) && smaller != draw);
                assert_eq!(Draw::parse(&smaller.to_text()), Ok(smaller));
            }
        }
    }

    #[test]
    fn a_number_is_rounded_down_to_its_first_digit() {
        assert_eq!([0, 7, 10, 19, 95_321].map(round_down), [0, 7, 10, 10, 90_000]);
    }
}
