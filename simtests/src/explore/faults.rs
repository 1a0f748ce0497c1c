//! Faults: each begins, and ends by itself or when everything heals.

use std::sync::Arc;
use std::time::Duration;

use towline_core::event::Event;
use towline_core::socket::ResolveError;
use towline_core::wire::names::{PeerKind, PeerName};

use crate::daemons;
use crate::disk::{Disk, Files, Flaw};
use crate::edge::Edge;
use crate::gateway::Way;
use crate::hands::MapHands;
use crate::host::HostId;
use crate::link::Link;
use crate::network::NetworkId;
use crate::operator::{Heard, Operator};
use crate::rng::Rng;
use crate::scenario::Region;

use super::draw::{self, Draw, Flow, Kind, Who};
use super::foe::Foe;
use super::scene::{host, name};
use super::stock::Waiter;

/// The faults of a run.
#[derive(Debug)]
pub(super) struct Faults {
    rng: Rng,
    guests: u8,
    impostors: Vec<HostId>,
    /// Stock clients that wait at the director.
    pub(super) waiters: Vec<Waiter>,
    /// Those who have taken the place of a daemon.
    pub(super) foes: Vec<Foe>,
}

impl Faults {
    pub(super) const fn new(draw: &Draw) -> Self {
        Self {
            rng: Rng::new(draw.seed ^ 0xfa_017),
            guests: 0,
            impostors: Vec::new(),
            waiters: Vec::new(),
            foes: Vec::new(),
        }
    }

    /// A fault begins. A stranger comes with what it hears.
    pub(super) fn begin(&mut self, region: &mut Region, draw: &Draw, kind: Kind, lasts: Duration) -> Option<Heard> {
        let at = |region: &Region, who| host(region, who);
        match kind {
            Kind::Cut(one, two) => region.world.cut(at(region, one), at(region, two)),
            Kind::CutWay(from, to) => region.world.cut_way(at(region, from), at(region, to)),
            Kind::Loss(one, two, loss) => {
                region.world.link(at(region, one), at(region, two), |link| link.loss = loss);
            }
            Kind::Narrow(one, two, largest) => {
                region.world.link(at(region, one), at(region, two), |link| link.largest = Some(largest));
            }
            Kind::CutUplink(edge) => change_edge(region, edge, |link| link.cut = true),
            Kind::CutUplinkWay(edge, flow) => {
                let way = if flow == Flow::In { Way::In } else { Way::Out };
                edges(region, edge).into_iter().for_each(|edge| {
                    region.world.uplink_way(edge, way, |link| link.cut = true);
                });
            }
            Kind::LossUplink(edge, loss) => change_edge(region, edge, |link| link.loss = loss),
            Kind::NarrowUplink(edge, mtu, tells) => {
                change_edge(region, edge, |link| *link = link.with_mtu(mtu, tells));
            }
            Kind::Reset(one, two) => {
                region.world.reset_between(at(region, one), at(region, two));
            }
            Kind::Kill(who) => region.world.kill(at(region, who)),
            Kind::Power(who) => {
                region.world.power_off(at(region, who));
                self.lose(region, who);
            }
            Kind::Sleep(who) => region.world.suspend(at(region, who), lasts),
            Kind::Roam(who) => {
                self.guests += 1;
                region.world.roam(at(region, who), NetworkId::OPEN, [192, 0, 2, 100 + self.guests].into());
                region.world.post(at(region, who), Event::NetworkChanged);
            }
            Kind::GatewayReboot => region.networks.iter().for_each(|network| region.world.restart_gateway(*network)),
            Kind::GatewayCut => region.networks.iter().for_each(|network| region.world.cut_gateway(*network)),
            Kind::DiskFull(n, left) => {
                let mut store = region.storages[n].disk.store();
                let used: u64 = store.volumes.values().map(|volume| volume.len() as u64).sum();
                store.capacity = (used + left).max(1);
            }
            Kind::DiskBroken(n) => region.storages[n].disk.store().is_broken = true,
            Kind::SyncFails(n) => region.storages[n].disk.store().fails_to_sync = true,
            Kind::DiskSlow(who, millis) => {
                region.world.set_slowness(at(region, who), Duration::from_millis(millis));
            }
            Kind::Clock(who, seconds) => region.world.set_clock(at(region, who), seconds),
            Kind::CatalogAway => region.catalog.tables().is_away = true,
            Kind::CatalogHangs => region.catalog.hang(),
            Kind::NetworkChanged(who) => {
                region.world.post(at(region, who), Event::NetworkChanged);
            }
            Kind::NamesFail(who) => region.world.set_blind(at(region, who), Some(ResolveError::Temporary)),
            Kind::NamesMissing(who) => region.world.set_blind(at(region, who), Some(ResolveError::NoSuchName)),
            Kind::NamesSlow(who, millis) => {
                region.world.set_resolver_slowness(at(region, who), Duration::from_millis(millis));
            }
            Kind::Stranger(who) => return Some(self.stranger(region, who)),
            Kind::Impostor => self.impostor(region, draw),
            Kind::Foe(who, abuse) => self.take_place(region, draw, who, abuse),
            Kind::Flawed(client, file, flaw) => {
                let mut store = region.clients[client].disk.store();
                let of = flawed_name(&store.files, file, flaw);
                store.flaws.extend(of.map(|name| (name, flaw)));
            }
            Kind::StockWaits(n) => {
                let client = name(Who::Client(n));
                self.wait(region, (&client, &client));
            }
        }
        None
    }

    /// A fault ends.
    pub(super) fn end(&mut self, region: &mut Region, draw: &Draw, kind: Kind) {
        let at = |region: &Region, who| host(region, who);
        match kind {
            Kind::Cut(one, two) | Kind::CutWay(one, two) => {
                region.world.link(at(region, one), at(region, two), |link| link.cut = false);
            }
            Kind::Loss(one, two, _) => region.world.link(at(region, one), at(region, two), |link| link.loss = 0),
            Kind::Narrow(one, two, _) => {
                region.world.link(at(region, one), at(region, two), |link| link.largest = None);
            }
            Kind::CutUplink(edge)
            | Kind::CutUplinkWay(edge, _)
            | Kind::LossUplink(edge, _)
            | Kind::NarrowUplink(edge, ..) => {
                edges(region, edge).into_iter().for_each(|edge| region.world.mend_uplink(edge));
            }
            // Whose place is taken begins again when that is over.
            Kind::Kill(who) | Kind::Power(who) if self.foes.iter().any(|foe| foe.who == who) => {}
            Kind::Kill(who) | Kind::Power(who) => restart(region, who),
            Kind::Foe(who, _) => {
                self.foes.iter_mut().filter(|foe| foe.who == who).for_each(|foe| foe.leave(&region.world));
                self.foes.retain(|foe| foe.who != who);
                restart(region, who);
            }
            Kind::Roam(who) => back_home(region, draw, who),
            Kind::GatewayCut => region.world.mend_gateways(),
            Kind::DiskFull(n, _) => region.storages[n].disk.store().capacity = 0,
            Kind::DiskBroken(n) => region.storages[n].disk.store().is_broken = false,
            Kind::SyncFails(n) => region.storages[n].disk.store().fails_to_sync = false,
            Kind::DiskSlow(who, _) => {
                let usual = match who {
                    Who::Storage(n) => Duration::from_micros(draw.storages[n].slowness),
                    _ => Duration::from_micros(300),
                };
                region.world.set_slowness(at(region, who), usual);
            }
            Kind::Clock(who, _) => region.world.set_clock(at(region, who), 0),
            Kind::CatalogAway => region.catalog.tables().is_away = false,
            Kind::CatalogHangs => region.catalog.resume(),
            Kind::NamesFail(who) | Kind::NamesMissing(who) => region.world.set_blind(at(region, who), None),
            Kind::NamesSlow(who, _) => region.world.reset_resolver_slowness(at(region, who)),
            Kind::Flawed(client, file, flaw) => {
                let mut store = region.clients[client].disk.store();
                if let Some(name) = flawed_name(&store.files, file, flaw) {
                    store.flaws.remove(&name);
                }
            }
            Kind::StockWaits(_) => self.leave(region),
            Kind::Impostor => {
                self.impostors.drain(..).for_each(|host| region.world.kill(host));
                self.leave(region);
            }
            Kind::Sleep(_) | Kind::Reset(..) | Kind::GatewayReboot | Kind::NetworkChanged(_) | Kind::Stranger(_) => {}
        }
    }

    fn leave(&mut self, region: &Region) {
        self.waiters.iter_mut().for_each(|waiter| waiter.leave(&region.world));
    }

    /// Power goes: what was not synced on a storage daemon's disk is gone, or torn.
    fn lose(&mut self, region: &Region, who: Who) {
        if let Who::Storage(n) = who {
            region.storages[n].disk.lose_power(&mut self.rng);
        }
    }

    /// One more host beside somebody, in the same network.
    fn guest(&mut self, region: &mut Region, of: Who) -> (HostId, String) {
        self.guests += 1;
        let name = format!("guest{}", self.guests);
        let network = region.world.home(host(region, of)).map_or(NetworkId::OPEN, |(network, _)| network);
        let base = if network == NetworkId::OPEN { [192, 0, 2] } else { [10, 0, 0] };
        let address = [base[0], base[1], base[2], 100 + self.guests];
        (region.world.add_host_in(network, &name, address.into()), name)
    }

    fn stranger(&mut self, region: &mut Region, who: Who) -> Heard {
        let (guest, name) = self.guest(region, who);
        let port = super::scene::port(who);
        let heard = Heard::default();
        let protection = region.protection();
        let address = super::scene::name(who);
        let password = towline_core::config::Password::new("wrong");
        let role = Operator::new(password, (&address, port), protection, heard.clone());
        let own = PeerName::new(PeerKind::Console, &name);
        let node = daemons::node(&mut region.world, guest, role, &own, protection);
        region.world.start(guest, node, Arc::new(MapHands::new(Disk::default(), None)));
        region.world.post(guest, Event::Typed(Some("status director".to_owned())));
        heard
    }

    /// A daemon nobody knows; in clear also one that says to be a client without its password.
    fn impostor(&mut self, region: &mut Region, draw: &Draw) {
        let (guest, _) = self.guest(region, Who::Director);
        region.start_impostor(guest, IMPOSTOR, draw.heartbeat());
        self.impostors.push(guest);
        if !draw.tls {
            self.wait(region, (IMPOSTOR, IMPOSTOR));
            self.wait(region, (&name(Who::Client(0)), "wrong"));
        }
    }

    /// Somebody with its key takes the place of a daemon.
    fn take_place(&mut self, region: &mut Region, draw: &Draw, who: Who, abuse: draw::Abuse) {
        let at = host(region, who);
        region.world.kill(at);
        let rng = Rng::new(draw.seed ^ 0xf0_e5);
        let foe = Foe::begin(&region.world, (who, at), draw.tls, abuse, rng);
        let waits = matches!(who, Who::Client(n) if draw.clients[n].dialled.waits());
        self.foes.push(if waits { foe.dialling(&region.world) } else { foe });
    }

    /// Somebody dials the director as a client with this name and password, and waits.
    fn wait(&mut self, region: &mut Region, pass: (&str, &str)) {
        let (guest, _) = self.guest(region, Who::Director);
        self.waiters.extend(Waiter::dial(&region.world, guest, region.director, pass));
    }
}

/// The edges of the world that a draw means.
fn edges(region: &Region, edge: draw::Edge) -> Vec<Edge> {
    match edge {
        draw::Edge::Of(who) => vec![Edge::Host(host(region, who))],
        draw::Edge::Border => region.networks.iter().copied().map(Edge::Network).collect(),
    }
}

fn change_edge(region: &mut Region, edge: draw::Edge, change: impl Fn(&mut Link)) {
    edges(region, edge).into_iter().for_each(|edge| region.world.uplink(edge, &change));
}

/// The name of a file daemon that no director knows.
pub(super) const IMPOSTOR: &str = "impostor";

/// The file of a client that has a flaw, by its place, or the folder of its files.
fn flawed_name(files: &Files, place: usize, flaw: Flaw) -> Option<Vec<u8>> {
    if flaw == Flaw::Unlisted {
        return Some(b"/data/".to_vec());
    }
    files.keys().filter(|name| name.starts_with(b"/data/")).nth(place).cloned()
}

/// Starts a daemon that does not run.
fn restart(region: &mut Region, who: Who) {
    if region.world.is_running(host(region, who)) {
        return;
    }
    match who {
        Who::Director => region.start_director(),
        Who::Client(n) => region.start_client(n),
        Who::Storage(n) => region.start_storage(n),
    }
}

/// Everything is well again, and every daemon runs.
pub(super) fn heal(region: &mut Region, draw: &Draw, faults: &mut Faults) {
    region.world.heal();
    for fault in &draw.faults {
        faults.end(region, draw, fault.kind);
    }
    draw.everybody().into_iter().for_each(|who| restart(region, who));
}

/// A host is where it was.
fn back_home(region: &mut Region, draw: &Draw, who: Who) {
    let Who::Client(n) = who else { return };
    let host = host(region, who);
    let (network, address) = super::scene::home(region, draw, n);
    if region.world.home(host) != Some((network, address)) {
        region.world.roam(host, network, address);
        region.world.set_name(&name(who), vec![address]);
        region.world.post(host, Event::NetworkChanged);
    }
}
