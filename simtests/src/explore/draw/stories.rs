//! Stories that chance alone tells too seldom.

use super::{Draw, Fault, Kind, LONGEST, Order, What, Who, index, moment};
use crate::rng::Rng;

impl Draw {
    /// Tells one of them, or none.
    pub(super) fn draw_story(&mut self, rng: &mut Rng) {
        match rng.below(12) {
            0 => self.client_is_gone(rng),
            1 => self.restore_is_cut(rng),
            2 => self.stock_waits(rng),
            3 => self.crowd_waits(rng),
            4 => self.names_fail(rng),
            5 => self.verify(rng),
            _ => {}
        }
    }

    /// A client is away for an hour, and is wanted meanwhile.
    fn client_is_gone(&mut self, rng: &mut Rng) {
        let (client, storage) = (index(rng, self.clients.len()), index(rng, self.storages.len()));
        let at = moment(rng, 30_000);
        self.faults.push(Fault { at, lasts: 3_600_000, kind: Kind::Power(Who::Client(client)) });
        self.orders.push(Order { at: at + moment(rng, 600_000), what: What::Backup(client, storage) });
    }

    /// A large restore over a slow link loses its data channel.
    fn restore_is_cut(&mut self, rng: &mut Rng) {
        let (client, storage) = (index(rng, self.clients.len()), index(rng, self.storages.len()));
        self.rate = 20_000;
        self.latency = (200, 0);
        self.clients[client].files = (12, 300_000);
        self.orders.retain(|order| order.what != What::Restore(client));
        self.orders.push(Order { at: 0, what: What::Backup(client, storage) });
        let at = 120_000;
        self.orders.push(Order { at, what: What::Restore(client) });
        let (one, two) = (Who::Client(client), Who::Storage(storage));
        let kind = match rng.below(3) {
            0 => Kind::Cut(one, two),
            1 => Kind::Kill(two),
            _ => Kind::Reset(one, two),
        };
        let lasts = if kind.is_moment() { 0 } else { 600_000 };
        self.faults.push(Fault { at: at + 200 + moment(rng, 20_000), lasts, kind });
    }

    /// A stock client waits for longer than the heartbeat of a Towline peer.
    fn stock_waits(&mut self, rng: &mut Rng) {
        let Some(client) = self.clients.iter().position(|client| client.dialled.waits()) else { return };
        self.tls = false;
        self.faults.push(Fault { at: moment(rng, 60_000), lasts: 900_000, kind: Kind::StockWaits(client) });
    }

    /// More jobs at a time than may run at a time.
    fn crowd_waits(&mut self, rng: &mut Rng) {
        let at = moment(rng, 30_000);
        for _ in 0..4 {
            let (client, storage) = (index(rng, self.clients.len()), index(rng, self.storages.len()));
            self.orders.push(Order { at: at + rng.below(50), what: What::Backup(client, storage) });
        }
    }

    /// The resolver of somebody fails while a job needs it.
    fn names_fail(&mut self, rng: &mut Rng) {
        let who = self.anybody(rng);
        let near = self.orders.first().map_or(0, |order| order.at);
        let kind = match rng.below(3) {
            0 => Kind::NamesFail(who),
            1 => Kind::NamesMissing(who),
            _ => Kind::NamesSlow(who, 1 + rng.below(40_000)),
        };
        self.faults.push(Fault { at: near.saturating_sub(rng.below(2_000)), lasts: moment(rng, LONGEST), kind });
    }

    /// The volumes of a client are verified.
    fn verify(&mut self, rng: &mut Rng) {
        let (client, storage) = (index(rng, self.clients.len()), index(rng, self.storages.len()));
        let last = self.orders.last().map_or(0, |order| order.at);
        self.orders.push(Order { at: 0, what: What::Backup(client, storage) });
        self.orders.push(Order { at: last + moment(rng, 120_000), what: What::Verify(client, storage) });
    }
}
