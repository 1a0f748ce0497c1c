//! What one seed draws: who there is and where, how it is set up, what is ordered, and what goes wrong when.
//!
//! A draw is a plain value that is written and read as RON, so that a failure can be kept, shortened and read by people.
//! All times are milliseconds after the daemons have started.

mod fault;
mod late;
mod stories;

use serde::{Deserialize, Serialize};

use crate::rng::Rng;

pub use fault::{Abuse, Edge, Fault, Flow, Kind};

/// The most clients and storage daemons that are drawn.
const MOST_CLIENTS: u64 = 3;
const MOST_STORAGES: u64 = 2;
/// The most orders and faults that are drawn.
const MOST_ORDERS: u64 = 6;
const MOST_FAULTS: u64 = 5;
/// The longest that one fault lasts: three hours.
const LONGEST: u64 = 3 * 3_600_000;
/// The longest that all of it may last, a year, and the most that the files of a client may have.
const LONGEST_DRAW: u64 = 366 * 24 * 3_600_000;
const MOST_BYTES: usize = 1 << 30;
/// Releases of stock daemons.
const RELEASES: [u32; 4] = [22, 23, 24, 25];
/// Bytes that a connection's task moves in one turn, unless drawn otherwise.
const BUDGET: usize = 1 << 20;

/// One world and its story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// What all that is not written here is drawn from: delays, challenges, the contents of files.
    pub seed: u64,
    /// Whether every connection is protected.
    pub tls: bool,
    /// The heartbeat interval of all daemons, in seconds; 0: none.
    pub heartbeat: u64,
    /// Bytes a second between any two hosts.
    pub rate: u64,
    /// Microseconds that a segment is under way, and how many more it may be.
    pub latency: (u64, u64),
    /// Bytes that a connection's task reads, and writes, before it lets others have their turn.
    #[serde(default = "usual_budget")]
    pub budget: usize,
    /// Bytes after which a volume is full; 0: never.
    #[serde(default)]
    pub volume_bytes: u64,
    /// Whether names lead to addresses of IPv6 as well.
    #[serde(default)]
    pub family: Family,
    /// Whether backups save only what has changed since the one before them, as soon as there is one, and people change only
    /// some of the files.
    #[serde(default)]
    pub incremental: bool,
    /// Whether the first client is backed up to the first storage daemon by a schedule, once in an hour.
    #[serde(default)]
    pub schedule: bool,
    /// What is between the two networks, if there are two.
    pub gateway: Option<Border>,
    /// The file daemons.
    pub clients: Vec<Client>,
    /// The storage daemons.
    pub storages: Vec<Storage>,
    /// Whether there are jobs that copy and migrate from the first storage daemon to the second.
    pub copies: bool,
    /// What people do.
    pub orders: Vec<Order>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

const fn usual_budget() -> usize {
    BUDGET
}

/// To what addresses the names of the daemons outside lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Family {
    /// Of IPv4.
    #[default]
    V4,
    /// To one of IPv6 that swallows everything, and then to one of IPv4.
    Hole,
    /// To one of IPv6, and then to one of IPv4.
    Both,
}

/// A gateway, and who is behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Border {
    /// Who is behind it; all others are outside.
    pub inside: Inside,
    /// Whether it translates addresses, or filters only.
    pub translates: bool,
    /// Seconds after which it forgets a session that carries nothing.
    pub forgets: u64,
    /// Whether it answers segments of sessions that it has forgotten with a reset.
    pub resets: bool,
    /// Whether it takes up sessions that it has not seen begin.
    pub loose: bool,
}

/// Who is behind the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Inside {
    /// The clients.
    Clients,
    /// The director and the storage daemons.
    Office,
}

/// A file daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Who dials whom between it and the director.
    pub dialled: Dialled,
    /// Whether the storage daemon dials it for data.
    pub passive: bool,
    /// How many files it has, and bytes of the largest.
    pub files: (usize, usize),
    /// Of which release it is, if it is stock.
    #[serde(default)]
    pub stock: Option<u32>,
    /// The protocol that it says it is of, if not the newest.
    #[serde(default)]
    pub protocol: Option<u32>,
}

/// Who dials whom between a client and its director.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dialled {
    /// The director dials.
    ByDirector,
    /// The client dials, and waits there.
    ByClient,
    /// Both may.
    ByBoth,
}

impl Dialled {
    /// Whether the client dials and waits at the director.
    #[must_use]
    pub const fn waits(self) -> bool {
        matches!(self, Self::ByClient | Self::ByBoth)
    }
}

/// A storage daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Microseconds that a piece of work of its disk takes on average.
    pub slowness: u64,
    /// Of which release it is, if it is stock.
    #[serde(default)]
    pub stock: Option<u32>,
}

/// Something that people do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// When.
    pub at: u64,
    /// What.
    pub what: What,
}

/// What people do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// Order a backup of a client to a storage daemon.
    Backup(usize, usize),
    /// Order the restore of the newest backup of a client.
    Restore(usize),
    /// Order the copies of the first client's backups.
    Copy,
    /// Order the same, so that the originals go.
    Migrate,
    /// Cancel the newest job that has not ended.
    Cancel,
    /// Ask a daemon for its status.
    Status(Who),
    /// Change the files of a client.
    Change(usize),
    /// Order that the newest backup of a client to a storage daemon is verified.
    Verify(usize, usize),
}

/// A daemon, and its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Who {
    /// The director.
    Director,
    /// A file daemon.
    Client(usize),
    /// A storage daemon.
    Storage(usize),
}

impl Draw {
    /// What a seed draws.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x5eed_0fad_43a1);
        let gateway = rng.one_in(2).then(|| border(&mut rng));
        let heartbeat = match &gateway {
            // Below what the gateway forgets after: the other side of that is what `towline plan` warns of.
            Some(border) => [10, 30, 60][index(&mut rng, 3)].min(border.forgets / 3),
            None => [0, 10, 60, 60, 300][index(&mut rng, 5)],
        };
        let clients: Vec<Client> =
            (0..1 + rng.below(MOST_CLIENTS)).map(|n| client(&mut rng, n, gateway.as_ref())).collect();
        let storages: Vec<Storage> = (0..1 + rng.below(MOST_STORAGES)).map(|_| storage(&mut rng)).collect();
        // A forwarded port leads to one host.
        let is_office = gateway.as_ref().is_some_and(|border| border.inside == Inside::Office);
        let storages = if is_office { storages.into_iter().take(1).collect() } else { storages };
        let mut draw = Self {
            seed,
            tls: rng.one_in(2),
            heartbeat,
            rate: [20_000, 100_000, 1_000_000, 10_000_000][index(&mut rng, 4)],
            latency: [(200, 0), (200, 100), (20_000, 5_000), (150_000, 50_000)][index(&mut rng, 4)],
            budget: BUDGET,
            volume_bytes: 0,
            family: Family::V4,
            incremental: false,
            schedule: false,
            gateway,
            copies: storages.len() > 1 && rng.one_in(2),
            clients,
            storages,
            orders: Vec::new(),
            faults: Vec::new(),
        };
        draw.draw_orders(&mut rng);
        draw.draw_faults(&mut rng);
        // What is above stays what it was when something is added here.
        draw.draw_more(&mut Rng::new(seed ^ 0x000d_d5ac_ed77));
        draw.draw_late(seed);
        draw
    }

    /// It as RON.
    #[must_use]
    pub fn to_text(&self) -> String {
        let style = ron::ser::PrettyConfig::new().depth_limit(2).struct_names(false);
        ron::ser::to_string_pretty(self, style).unwrap_or_default()
    }

    /// Reads a draw.
    ///
    /// # Errors
    /// It is none; the text says where and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let draw: Self = ron::from_str(text).map_err(|error| error.to_string())?;
        draw.check().map(|()| draw)
    }

    /// The hosts with daemons.
    #[must_use]
    pub const fn hosts(&self) -> usize {
        1 + self.clients.len() + self.storages.len()
    }

    /// Whether it is of one piece: everybody who is mentioned is there.
    fn check(&self) -> Result<(), String> {
        let is_there = |who: Who| match who {
            Who::Director => true,
            Who::Client(n) => n < self.clients.len(),
            Who::Storage(n) => n < self.storages.len(),
        };
        if self.clients.is_empty() || self.storages.is_empty() {
            return Err("a draw needs a client and a storage daemon".to_owned());
        }
        if self.copies && self.storages.len() < 2 {
            return Err("copies need a second storage daemon".to_owned());
        }
        let times = self.orders.iter().map(|order| order.at);
        let spans = self.faults.iter().map(|fault| fault.at.saturating_add(fault.lasts));
        if times.chain(spans).any(|at| at > LONGEST_DRAW) {
            return Err("nothing begins or ends after more than a year (times are milliseconds)".to_owned());
        }
        let is_large = |client: &Client| client.files.0.saturating_mul(client.files.1.max(1_000)) > MOST_BYTES;
        if self.clients.iter().any(is_large) {
            return Err(format!("the files of a client have {MOST_BYTES} bytes at most"));
        }
        let orders = self.orders.iter().flat_map(|order| order.what.names());
        let faults = self.faults.iter().flat_map(|fault| fault.kind.names());
        if self.gateway.is_none() && self.faults.iter().any(|fault| fault.kind.edge() == Some(Edge::Border)) {
            return Err("there is no gateway whose uplink could fail".to_owned());
        }
        for fault in &self.faults {
            match fault.kind {
                Kind::Foe(Who::Director, _) => return Err("nobody takes the place of the director".to_owned()),
                Kind::Foe(_, Abuse::Breach) if !self.tls => {
                    return Err("a protection that is not there cannot be breached".to_owned());
                }
                _ => {}
            }
        }
        match orders.chain(faults).find(|who| !is_there(*who)) {
            Some(who) => Err(format!("{who:?} is mentioned, and not there")),
            None => Ok(()),
        }
    }

    fn draw_orders(&mut self, rng: &mut Rng) {
        let mut at = 0;
        let mut restored = Vec::new();
        for n in 0..1 + rng.below(MOST_ORDERS) {
            at += moment(rng, 120_000);
            let (client, storage) = (index(rng, self.clients.len()), index(rng, self.storages.len()));
            let mut what = match rng.below(12) {
                _ if n == 0 => What::Backup(client, storage),
                0..5 => What::Backup(client, storage),
                5 | 6 => What::Restore(client),
                7 | 8 => What::Cancel,
                9 => What::Status(self.anybody(rng)),
                10 => What::Change(client),
                _ if !self.copies => What::Backup(client, storage),
                _ if rng.one_in(2) => What::Migrate,
                _ => What::Copy,
            };
            // Two restores at a time would write into the same folder.
            if let What::Restore(client) = what {
                if restored.contains(&client) {
                    what = What::Backup(client, storage);
                } else {
                    restored.push(client);
                }
            }
            self.orders.push(Order { at, what });
        }
    }

    /// Limits that are seldom met, and now and then a story that chance alone tells too seldom.
    fn draw_more(&mut self, rng: &mut Rng) {
        self.budget = [BUDGET, BUDGET, 20_000, 1_000][index(rng, 4)];
        self.volume_bytes = [0, 0, 200_000, 1_000_000][index(rng, 4)];
        self.family = [Family::V4, Family::V4, Family::Hole, Family::Both][index(rng, 4)];
        self.schedule = rng.one_in(4);
        self.draw_story(rng);
        self.orders.sort_by_key(|order| order.at);
        self.faults.sort_by_key(|fault| fault.at);
        if rng.one_in(4) {
            self.draw_makes(rng);
        }
    }

    /// Some of the daemons are stock, each of a release of its own.
    fn draw_makes(&mut self, rng: &mut Rng) {
        let clients = self.clients.iter_mut().map(|client| &mut client.stock);
        let storages = self.storages.iter_mut().map(|storage| &mut storage.stock);
        for stock in clients.chain(storages) {
            *stock = rng.one_in(2).then(|| RELEASES[index(rng, RELEASES.len())]);
        }
    }

    /// Whether somebody is stock.
    #[must_use]
    pub fn has_stock(&self) -> bool {
        self.clients.iter().any(|client| client.stock.is_some())
            || self.storages.iter().any(|storage| storage.stock.is_some())
    }

    /// Faults shortly before, in or after an order, so that most of them hit something.
    fn draw_faults(&mut self, rng: &mut Rng) {
        for _ in 0..rng.below(MOST_FAULTS + 1) {
            let order = index(rng, self.orders.len());
            let near = self.orders.get(order).map_or(0, |order| order.at);
            let at = near + moment(rng, 60_000);
            let kind = self.fault(rng);
            let lasts = if kind.is_moment() { 0 } else { moment(rng, LONGEST) };
            self.faults.push(Fault { at, lasts, kind });
        }
        self.faults.sort_by_key(|fault| fault.at);
    }

    fn fault(&self, rng: &mut Rng) -> Kind {
        let (one, two) = self.pair(rng);
        let who = self.anybody(rng);
        let storage = index(rng, self.storages.len());
        match rng.below(24) {
            0..3 => Kind::Cut(one, two),
            3 => Kind::CutWay(one, two),
            4 => Kind::Loss(one, two, [1_000, 30_000, 300_000][index(rng, 3)]),
            5 => Kind::Narrow(one, two, [500, 1_400, 8_000][index(rng, 3)]),
            6 | 7 => Kind::Reset(one, two),
            8 | 9 => Kind::Kill(who),
            10 | 11 => Kind::Power(who),
            12 => Kind::Sleep(who),
            13 => Kind::Roam(Who::Client(index(rng, self.clients.len()))),
            14 if self.gateway.is_some() => Kind::GatewayReboot,
            15 if self.gateway.is_some() => Kind::GatewayCut,
            16 => Kind::DiskFull(storage, rng.below(200_000)),
            17 => Kind::DiskBroken(storage),
            18 => Kind::SyncFails(storage),
            19 => Kind::DiskSlow(who, 1 + rng.below(2_000)),
            20 => Kind::Clock(who, [-86_400, -3_600, -2, 90, 7_200, 400_000_000][index(rng, 6)]),
            21 if rng.one_in(2) => Kind::CatalogAway,
            21 => Kind::CatalogHangs,
            22 => Kind::NetworkChanged(who),
            23 => match self.clients.iter().position(|client| client.dialled.waits()) {
                Some(client) if !self.tls => Kind::StockWaits(client),
                _ => Kind::Impostor,
            },
            _ => Kind::Stranger(who),
        }
    }

    /// One of the daemons.
    fn anybody(&self, rng: &mut Rng) -> Who {
        match index(rng, 3) {
            0 => Who::Director,
            1 => Who::Client(index(rng, self.clients.len())),
            _ => Who::Storage(index(rng, self.storages.len())),
        }
    }

    /// Two of the daemons that have to do with each other, in either order.
    fn pair(&self, rng: &mut Rng) -> (Who, Who) {
        let (client, storage) = (index(rng, self.clients.len()), index(rng, self.storages.len()));
        let (one, two) = match rng.below(4) {
            0 => (Who::Director, Who::Client(client)),
            1 => (Who::Director, Who::Storage(storage)),
            2 if self.copies => (Who::Storage(0), Who::Storage(1)),
            _ => (Who::Client(client), Who::Storage(storage)),
        };
        if rng.one_in(2) { (one, two) } else { (two, one) }
    }
}

impl What {
    /// The daemons it mentions.
    pub(super) fn names(self) -> Vec<Who> {
        match self {
            Self::Backup(client, storage) | Self::Verify(client, storage) => {
                vec![Who::Client(client), Who::Storage(storage)]
            }
            Self::Restore(client) | Self::Change(client) => vec![Who::Client(client)],
            Self::Status(who) => vec![who],
            Self::Copy | Self::Migrate => vec![Who::Client(0), Who::Storage(0), Who::Storage(1)],
            Self::Cancel => Vec::new(),
        }
    }
}

fn border(rng: &mut Rng) -> Border {
    Border {
        inside: if rng.one_in(3) { Inside::Office } else { Inside::Clients },
        translates: !rng.one_in(3),
        forgets: [90, 240, 3_600, 7_440][index(rng, 4)],
        resets: rng.one_in(2),
        loose: rng.one_in(2),
    }
}

/// A client that its director and the storage daemons can reach in one way or the other.
fn client(rng: &mut Rng, n: u64, gateway: Option<&Border>) -> Client {
    let is_inside = gateway.is_some_and(|border| border.inside == Inside::Clients);
    // A forwarded port leads to one host: to the first one.
    let is_reached = !is_inside || n == 0;
    let dialled = match (is_reached, rng.below(4)) {
        (false, _) | (true, 0) => Dialled::ByClient,
        (true, 1) => Dialled::ByBoth,
        _ => Dialled::ByDirector,
    };
    let passive = is_reached && rng.one_in(4);
    let most = [2_000, 30_000, 100_000, 300_000][index(rng, 4)];
    Client { dialled, passive, files: (1 + index(rng, 12), most), stock: None, protocol: None }
}

fn storage(rng: &mut Rng) -> Storage {
    Storage { slowness: [300, 300, 3_000, 50_000][index(rng, 4)], stock: None }
}

/// A time up to a limit, short ones as likely as long ones.
fn moment(rng: &mut Rng, most: u64) -> u64 {
    rng.size(usize::try_from(most).unwrap_or(usize::MAX)) as u64
}

/// A place in a list of so many.
fn index(rng: &mut Rng, count: usize) -> usize {
    usize::try_from(rng.below(count as u64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_written_and_read_as_it_was() {
        for seed in 0..500 {
            let draw = Draw::of(seed);
            assert_eq!(Draw::parse(&draw.to_text()).as_ref(), Ok(&draw), "{}", draw.to_text());
            assert_eq!(Draw::of(seed), draw);
        }
    }

    #[test]
    fn every_kind_of_fault_and_order_is_drawn() {
        let name = |text: String| text.split('(').next().unwrap_or_default().to_owned();
        let draws: Vec<Draw> = (0..4_000).map(Draw::of).collect();
        let faults = draws.iter().flat_map(|draw| &draw.faults).map(|fault| name(format!("{:?}", fault.kind)));
        assert_eq!(faults.collect::<std::collections::BTreeSet<_>>().len(), 31);
        let orders = draws.iter().flat_map(|draw| &draw.orders).map(|order| name(format!("{:?}", order.what)));
        assert_eq!(orders.collect::<std::collections::BTreeSet<_>>().len(), 8);
    }

    #[test]
    fn stock_daemons_of_every_release_are_drawn_beside_ours() {
        let draws: Vec<Draw> = (0..400).map(Draw::of).collect();
        let clients = draws.iter().flat_map(|draw| &draw.clients).map(|client| client.stock);
        let storages = draws.iter().flat_map(|draw| &draw.storages).map(|storage| storage.stock);
        for makes in [clients.collect(), storages.collect::<std::collections::BTreeSet<_>>()] {
            assert_eq!(makes.len(), 1 + RELEASES.len(), "{makes:?}");
        }
        assert!(draws.iter().filter(|draw| draw.has_stock()).count() < 150, "most worlds are ours alone");
    }

    #[test]
    fn a_draw_that_mentions_somebody_who_is_not_there_is_refused() {
        let mut draw = Draw::of(1);
        draw.faults = vec![Fault { at: 0, lasts: 0, kind: Kind::Kill(Who::Client(7)) }];
        let error = Draw::parse(&draw.to_text()).expect_err("nobody of that number");
        assert!(error.contains("Client(7)"), "{error}");
    }

    #[test]
    fn a_draw_with_a_word_that_means_nothing_or_a_time_or_a_size_that_cannot_be_is_refused() {
        let text = Draw::of(1).to_text();
        let wrong = [
            ("heartbeat:", "heart_beat: 5, heartbeat:", "heart_beat"),
            ("orders: [", "orders: [(at: 99999999999999, what: Cancel), ", "more than a year"),
            (
                "clients: [",
                "clients: [(dialled: ByDirector, passive: false, files: (1200000000, 1)), ",
                "bytes at most",
            ),
        ];
        for (word, by, told) in wrong {
            let error = Draw::parse(&text.replacen(word, by, 1)).expect_err(by);
            assert!(error.contains(told), "{by}: {error}");
        }
    }
}
