//! The connections of clients that wait at the director for something to do (`wire/1 §8.3`).
//!
//! ```text
//!   admit --> add --> waiting --take--> a job or an errand has it for good
//!                        |
//!                        +--remove--> closed, or the client said something it should not
//! ```
//! The newest of a client is taken first: of several, it is the one that most likely still leads to the client. Nothing
//! is sent on a waiting connection, so what is dead is found by the system's probes or when it is taken.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use crate::cover::{self, Mark};
use crate::ids::ConnId;
use crate::time::{Instant, Wall};
use crate::tls::Established;

/// A client whose connection was taken dials again at once (`wire/1 §8.2`); what comes within this time is that.
const REPLACED_WITHIN: Duration = Duration::from_secs(10);

/// Connections a client may open beyond those that were taken, before it has to wait.
const BURST: u32 = 20;

/// After this time it may open one more.
const REFILL: Duration = Duration::from_secs(3);

/// Taken connections that are remembered for [`REPLACED_WITHIN`].
const REMEMBERED: usize = 64;

/// How many connections may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Of one client; one more lets its oldest go.
    pub(crate) per_client: usize,
    /// Of all clients; one more lets the oldest go of the client that has most, or is refused if each has one.
    pub(crate) total: usize,
}

/// A connection that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// The client's name, as in its hello.
    pub(crate) client: String,
    /// The protocol it announced; 0 if none.
    pub(crate) protocol: u32,
    /// Since when.
    pub(crate) since: Wall,
    /// Where it comes from.
    pub(crate) from: SocketAddr,
    /// How it is protected.
    pub(crate) tls: Established,
}

/// What an arriving connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The client replaces a connection that was taken.
    Replacement,
    /// The client has come back.
    Return,
    /// The client comes too often: refuse it.
    TooOften,
}

/// What came of adding one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// It waits; these older ones of the client were let go for it: close them.
    Waits(Vec<ConnId>),
    /// It waits, and this one of the client with most connections was let go for it: close it.
    InPlaceOf(ConnId, String),
    /// There is no room for more.
    Full,
}

/// All connections that wait.
#[derive(Debug)]
pub(crate) struct Pool {
    bounds: Bounds,
    /// By the order of their arrival.
    waiting: BTreeMap<u64, (ConnId, Waiting)>,
    places: BTreeMap<ConnId, u64>,
    /// The places of each client's connections, the newest last.
    of_client: BTreeMap<String, VecDeque<u64>>,
    pace: BTreeMap<String, Pace>,
    next: u64,
}

/// How often a client comes.
#[derive(Debug)]
struct Pace {
    left: u32,
    refilled: Instant,
    /// Until when a connection would replace one that was taken.
    taken: VecDeque<Instant>,
}

impl Pool {
    /// An empty pool.
    #[must_use]
    pub(crate) const fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            waiting: BTreeMap::new(),
            places: BTreeMap::new(),
            of_client: BTreeMap::new(),
            pace: BTreeMap::new(),
            next: 0,
        }
    }

    /// Other bounds for those that come from now on.
    pub(crate) const fn set_bounds(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// Counts a connection that has arrived. Call it with names of the configuration only: each is remembered.
    pub(crate) fn admit(&mut self, client: &str, now: Instant) -> Arrival {
        let pace =
            self.pace.entry(client.to_owned()).or_insert(Pace { left: BURST, refilled: now, taken: VecDeque::new() });
        pace.taken.retain(|until| *until >= now);
        if pace.taken.pop_front().is_some() {
            return Arrival::Replacement;
        }
        let refills = now.since(pace.refilled).as_secs() / REFILL.as_secs();
        if refills > 0 {
            pace.left = BURST.min(pace.left.saturating_add(u32::try_from(refills).unwrap_or(BURST)));
            pace.refilled = now;
        }
        match pace.left.checked_sub(1) {
            Some(left) => {
                pace.left = left;
                Arrival::Return
            }
            None => Arrival::TooOften,
        }
    }

    /// Adds a connection that was admitted.
    pub(crate) fn add(&mut self, conn: ConnId, waiting: Waiting) -> Added {
        if self.waiting.len() >= self.bounds.total {
            return match self
                .oldest_of_the_largest(&waiting.client)
                .and_then(|oldest| Some((oldest, self.remove(oldest)?)))
            {
                Some((oldest, gone)) => {
                    self.put(conn, waiting);
                    Added::InPlaceOf(oldest, gone.client)
                }
                None => Added::Full,
            };
        }
        Added::Waits(self.put(conn, waiting))
    }

    /// The oldest connection of the client with most of them, if it would still have as many as this one after that.
    fn oldest_of_the_largest(&self, client: &str) -> Option<ConnId> {
        let mine = self.of_client.get(client).map_or(0, VecDeque::len);
        let largest =
            self.of_client.values().max_by_key(|places| (places.len(), std::cmp::Reverse(places.front().copied())))?;
        if largest.len() <= mine + 1 {
            return None;
        }
        let place = largest.front()?;
        self.waiting.get(place).map(|(conn, _)| *conn)
    }

    /// Puts one in; gives those of its client that are too many then.
    fn put(&mut self, conn: ConnId, waiting: Waiting) -> Vec<ConnId> {
        let place = self.next;
        self.next += 1;
        let mine = self.of_client.entry(waiting.client.clone()).or_default();
        mine.push_back(place);
        let most = self.bounds.per_client.max(1);
        let over: Vec<u64> = mine.drain(..mine.len().saturating_sub(most)).collect();
        self.places.insert(conn, place);
        self.waiting.insert(place, (conn, waiting));
        let let_go = over.into_iter().filter_map(|place| self.waiting.remove(&place)).map(|(conn, _)| conn);
        let let_go: Vec<ConnId> = let_go.collect();
        for conn in &let_go {
            self.places.remove(conn);
        }
        let_go
    }

    /// Takes the newest connection of a client, for good.
    pub(crate) fn take(&mut self, client: &str, now: Instant) -> Option<(ConnId, Waiting)> {
        let place = *self.of_client.get(client)?.back()?;
        let conn = self.waiting.get(&place)?.0;
        let waiting = self.remove(conn)?;
        if let Some(pace) = self.pace.get_mut(client) {
            pace.taken.truncate(REMEMBERED - 1);
            pace.taken.push_back(now + REPLACED_WITHIN);
        }
        Some((conn, waiting))
    }

    /// A connection that was taken turned out to be dead: nothing will replace it.
    pub(crate) fn was_dead(&mut self, client: &str) {
        cover::hit(Mark::DeadWaiting);
        if let Some(pace) = self.pace.get_mut(client) {
            pace.taken.pop_back();
        }
    }

    /// Forgets a connection; `None` if it does not wait.
    pub(crate) fn remove(&mut self, conn: ConnId) -> Option<Waiting> {
        let place = self.places.remove(&conn)?;
        let (_, waiting) = self.waiting.remove(&place)?;
        if let Some(mine) = self.of_client.get_mut(&waiting.client) {
            mine.retain(|each| *each != place);
            if mine.is_empty() {
                self.of_client.remove(&waiting.client);
            }
        }
        Some(waiting)
    }

    /// All that wait, in the order of their arrival.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ConnId, &Waiting)> {
        self.waiting.values().map(|(conn, waiting)| (*conn, waiting))
    }

    /// Those of a client, in the order of their arrival.
    pub(crate) fn of(&self, client: &str) -> impl Iterator<Item = (ConnId, &Waiting)> {
        let places = self.of_client.get(client).into_iter().flatten();
        places.filter_map(|place| self.waiting.get(place)).map(|(conn, waiting)| (*conn, waiting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::Kind;

    const BOUNDS: Bounds = Bounds { per_client: 3, total: 5 };
    const SECOND: Duration = Duration::from_secs(1);

    fn waiting(client: &str) -> Waiting {
        let tls = Established { kind: Kind::Clear, version: String::new(), cipher: String::new(), identity: None };
        let from = ([192, 0, 2, 1], 40_000).into();
        Waiting { client: client.to_owned(), protocol: 54, since: Wall(0), from, tls }
    }

    fn pool(conns: &[(u64, &str)]) -> Pool {
        let mut pool = Pool::new(BOUNDS);
        for (conn, client) in conns {
            assert_eq!(pool.add(ConnId(*conn), waiting(client)), Added::Waits(Vec::new()));
        }
        pool
    }

    fn ids(pool: &Pool) -> Vec<u64> {
        pool.iter().map(|(conn, _)| conn.0).collect()
    }

    #[test]
    fn the_newest_connection_of_a_client_is_taken_first() {
        let mut pool = pool(&[(7, "a"), (5, "b"), (3, "a")]);
        let mut take = |client| pool.take(client, Instant::ZERO).map(|(conn, _)| conn.0);
        assert_eq!([take("a"), take("a"), take("a"), take("b"), take("c")], [Some(3), Some(7), None, Some(5), None]);
        assert!(pool.waiting.is_empty());
    }

    #[test]
    fn one_connection_too_many_of_a_client_lets_its_oldest_go() {
        let mut pool = pool(&[(1, "a"), (2, "b"), (3, "a"), (4, "a")]);
        assert_eq!(pool.add(ConnId(5), waiting("a")), Added::Waits(vec![ConnId(1)]));
        assert_eq!(ids(&pool), [2, 3, 4, 5]);
        assert_eq!(pool.of("a").map(|(conn, _)| conn.0).collect::<Vec<_>>(), [3, 4, 5]);
        assert!(pool.remove(ConnId(1)).is_none());
    }

    #[test]
    fn one_connection_too_many_of_all_lets_the_oldest_go_of_the_client_with_most() {
        let mut pool = pool(&[(1, "c"), (2, "a"), (3, "a"), (4, "b"), (5, "a")]);
        assert_eq!(pool.add(ConnId(6), waiting("d")), Added::InPlaceOf(ConnId(2), "a".to_owned()));
        assert_eq!(pool.add(ConnId(7), waiting("e")), Added::InPlaceOf(ConnId(3), "a".to_owned()));
        assert_eq!(ids(&pool), [1, 4, 5, 6, 7]);
        assert!(pool.of("a").map(|(conn, _)| conn).eq([ConnId(5)]));
    }

    #[test]
    fn one_connection_too_many_of_all_is_refused_where_nobody_has_more_than_its_own() {
        let mut pool = pool(&[(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")]);
        assert_eq!((pool.waiting.len(), pool.add(ConnId(6), waiting("f"))), (5, Added::Full));
        assert_eq!(pool.add(ConnId(6), waiting("a")), Added::Full, "its own would not be fewer");
        assert_eq!(ids(&pool), [1, 2, 3, 4, 5]);
        assert!(pool.remove(ConnId(2)).is_some());
        assert_eq!(pool.add(ConnId(6), waiting("f")), Added::Waits(Vec::new()));
    }

    #[test]
    fn a_connection_that_was_removed_is_never_taken() {
        let mut pool = pool(&[(1, "a"), (2, "a")]);
        assert_eq!(pool.remove(ConnId(2)).map(|waiting| waiting.client), Some("a".to_owned()));
        assert_eq!(pool.take("a", Instant::ZERO).map(|(conn, _)| conn), Some(ConnId(1)));
    }

    #[test]
    fn a_client_that_comes_in_a_loop_is_let_in_twenty_times_and_then_every_three_seconds() {
        let mut pool = Pool::new(BOUNDS);
        let burst = (0..BURST).all(|_| pool.admit("a", Instant::ZERO) == Arrival::Return);
        assert!(burst && pool.admit("a", Instant::ZERO) == Arrival::TooOften);
        assert_eq!(pool.admit("b", Instant::ZERO), Arrival::Return, "others do not suffer");
        let later = Instant::ZERO + REFILL;
        assert_eq!(pool.admit("a", later - SECOND), Arrival::TooOften);
        assert_eq!([pool.admit("a", later), pool.admit("a", later)], [Arrival::Return, Arrival::TooOften]);
    }

    #[test]
    fn what_replaces_a_taken_connection_is_no_return_and_costs_nothing() {
        let mut pool = Pool::new(BOUNDS);
        for conn in 0..100 {
            let expected = if conn == 0 { Arrival::Return } else { Arrival::Replacement };
            assert_eq!(pool.admit("a", Instant::ZERO), expected, "{conn}");
            pool.add(ConnId(conn), waiting("a"));
            assert!(pool.take("a", Instant::ZERO).is_some());
        }
        let late = Instant::ZERO + REPLACED_WITHIN + SECOND;
        assert_eq!(pool.admit("a", late), Arrival::Return);
        pool.add(ConnId(100), waiting("a"));
        assert!(pool.take("a", late).is_some());
        pool.was_dead("a");
        assert_eq!(pool.admit("a", late), Arrival::Return, "a dead connection is replaced by nothing");
    }
}
