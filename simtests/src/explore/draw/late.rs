//! What was added to draws later, each from a generator of its own, so that all that was drawn before stays what it was.

use super::{Abuse, Draw, Edge, Fault, Flow, Kind, LONGEST, Order, What, Who, index, moment};
use crate::disk::Flaw;
use crate::rng::Rng;

impl Draw {
    /// Draws all of it.
    pub(super) fn draw_late(&mut self, seed: u64) {
        self.draw_flaws(&mut Rng::new(seed ^ 0x00f1_a3ed));
        self.draw_protocols(&mut Rng::new(seed ^ 0x9707_0c01));
        self.draw_edges(&mut Rng::new(seed ^ 0x00ed_6e5f_0a17));
        self.draw_foes(&mut Rng::new(seed ^ 0x00f0_e5ca_9e11));
        self.draw_incremental(&mut Rng::new(seed ^ 0x1c4e_3e74_a150));
    }

    /// Some of the stock clients are old: what a director asks of them goes by the number of their protocol.
    fn draw_protocols(&mut self, rng: &mut Rng) {
        for client in self.clients.iter_mut().filter(|client| client.stock.is_some()) {
            // None before 51 can be passive.
            let oldest = if client.passive { 51 } else { 50 };
            client.protocol =
                rng.one_in(2).then(|| oldest + u32::try_from(rng.below(u64::from(54 - oldest))).unwrap_or(0));
        }
    }

    /// Files that cannot be saved as they are.
    fn draw_flaws(&mut self, rng: &mut Rng) {
        if !rng.one_in(6) {
            return;
        }
        for _ in 0..1 + rng.below(3) {
            let client = index(rng, self.clients.len());
            let (files, most) = self.clients[client].files;
            let flaw = match rng.below(9) {
                0 => Flaw::Unlisted,
                1 | 2 => Flaw::Vanishes,
                3 => Flaw::Grows,
                4 | 5 => Flaw::ShrinksTo(rng.size(most)),
                _ => Flaw::FailsAt(rng.size(most)),
            };
            let kind = Kind::Flawed(client, index(rng, files), flaw);
            // Mostly from before the first order on.
            let at = if rng.one_in(3) { moment(rng, 120_000) } else { 0 };
            self.faults.push(Fault { at, lasts: moment(rng, LONGEST), kind });
        }
        self.faults.sort_by_key(|fault| fault.at);
    }

    /// An edge of the tree fails near an order.
    fn draw_edges(&mut self, rng: &mut Rng) {
        if !rng.one_in(6) {
            return;
        }
        let edge = match &self.gateway {
            Some(_) if rng.one_in(2) => Edge::Border,
            _ => Edge::Of(self.anybody(rng)),
        };
        let near = self.orders.get(index(rng, self.orders.len())).map_or(0, |order| order.at);
        let kind = match rng.below(6) {
            0 | 1 => Kind::CutUplink(edge),
            2 => Kind::CutUplinkWay(edge, if rng.one_in(2) { Flow::In } else { Flow::Out }),
            3 => Kind::LossUplink(edge, [1_000, 30_000, 300_000][index(rng, 3)]),
            _ => Kind::NarrowUplink(edge, [600, 1_300, 1_400][index(rng, 3)], rng.one_in(2)),
        };
        self.faults.push(Fault { at: near + moment(rng, 60_000), lasts: moment(rng, LONGEST), kind });
        self.faults.sort_by_key(|fault| fault.at);
    }

    /// Somebody with a valid key takes a daemon's place shortly before it is needed.
    fn draw_foes(&mut self, rng: &mut Rng) {
        if !rng.one_in(4) {
            return;
        }
        let needed: Vec<(u64, Who)> = self
            .orders
            .iter()
            .flat_map(|order| order.what.names().into_iter().map(|who| (order.at, who)))
            .filter(|(_, who)| *who != Who::Director)
            .collect();
        let Some(&(at, who)) = needed.get(index(rng, needed.len())) else { return };
        let abuse = match rng.below(7) {
            0 => Abuse::Silence,
            1 | 2 => Abuse::Babble,
            3 => Abuse::Lies,
            4 if self.tls => Abuse::Breach,
            _ => Abuse::Data,
        };
        let at = self.restored_late(rng, (who, abuse), at).unwrap_or(at);
        let (at, lasts) = (at.saturating_sub(rng.below(2_000)), 60_000 + moment(rng, LONGEST));
        self.faults.push(Fault { at, lasts, kind: Kind::Foe(who, abuse) });
        self.faults.sort_by_key(|fault| fault.at);
    }

    /// Backups that build on others, and changes between them. Not where clocks are set, by which they go, nor where files have
    /// flaws, whose older versions may come back. All those of a client go to one storage daemon: of jobs of different names
    /// one that waits for longer has the lower number and the newer files, and a restore takes the higher number for newer.
    fn draw_incremental(&mut self, rng: &mut Rng) {
        let is_unclear = |fault: &Fault| matches!(fault.kind, Kind::Clock(..) | Kind::Flawed(..));
        if !rng.one_in(4) || self.faults.iter().any(is_unclear) {
            return;
        }
        self.incremental = true;
        let storages = self.storages.len();
        for order in &mut self.orders {
            if let What::Backup(client, storage) | What::Verify(client, storage) = &mut order.what {
                *storage = *client % storages;
            }
        }
        let mut at = 0;
        for _ in 0..2 + rng.below(4) {
            let client = index(rng, self.clients.len());
            let storage = client % storages;
            for what in [What::Backup(client, storage), What::Change(client)] {
                at += moment(rng, 120_000);
                self.orders.push(Order { at, what });
            }
        }
        self.orders.sort_by_key(|order| order.at);
    }

    /// Has somebody restore what is backed up then, if that is what a storage daemon in other hands is to give; when.
    fn restored_late(&mut self, rng: &mut Rng, foe: (Who, Abuse), at: u64) -> Option<u64> {
        let is_storage = matches!(foe, (Who::Storage(_), Abuse::Data)) && rng.one_in(2);
        let client = self.orders.iter().find_map(|order| match order.what {
            What::Backup(client, storage) if order.at <= at && foe.0 == Who::Storage(storage) => Some(client),
            _ => None,
        });
        let client = client
            .filter(|client| is_storage && !self.orders.iter().any(|order| order.what == What::Restore(*client)))?;
        let at = at + 30_000 + rng.below(60_000);
        self.orders.push(Order { at, what: What::Restore(client) });
        self.orders.sort_by_key(|order| order.at);
        Some(at)
    }
}
